"""Write a study's results as one folder: all of it or nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rtwcohort.errors import OutputError

PROVENANCE_FILE = "provenance.json"


def check_output(folder: Path, *, study: str, replace: bool) -> None:
    """Raise `OutputError` unless the results of `study` may be written to `folder`.

    Called before anything is computed, so that an hour's run does not end at a folder that cannot be written.

    Parameters
    ----------
    folder
        Where the results shall be. Its results of the same study are replaced; anything else is protected.
    study
        Title of the study, compared with the folder's own provenance.
    replace
        Allow the results of another study to be replaced. Never allows a folder that holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"The output `{folder}` is a file. Name a folder: --output FOLDER.")
    if folder.is_dir() and any(folder.iterdir()):
        _check_owner(folder, study=study, replace=replace)
    parent = _existing_parent(folder)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"The folder `{parent}` may not be written to. Choose another place: --output FOLDER.")


def _check_owner(folder: Path, *, study: str, replace: bool) -> None:
    try:
        owner = json.loads((folder / PROVENANCE_FILE).read_text(encoding="utf-8"))["study"]["title"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(
            f"The output folder `{folder}` is not empty and holds no results of rtwcohort; nothing in it was touched. "
            "Choose an empty or new folder: --output FOLDER."
        ) from None
    if owner != study and not replace:
        raise OutputError(
            f"The output folder `{folder}` holds the results of another study, '{owner}'; this one is '{study}'. "
            "Choose another folder (--output FOLDER), or add --replace to overwrite it."
        )


def _existing_parent(folder: Path) -> Path:
    parent = folder.resolve().parent
    while not parent.exists():
        parent = parent.parent
    return parent


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files to `folder`, replacing it as a whole.

    The files go to a new folder beside it first, which then takes its name, so that a reader never
    sees half of the results and a failure leaves the old ones as they were.

    Parameters
    ----------
    folder
        Checked by `check_output`.
    files
        Relative path -> content.
    """
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(
            f"Cannot write beside `{folder}`: {error.strerror}. Choose another place: --output FOLDER."
        ) from error
    try:
        fresh.chmod(0o755)
        for name, content in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _swap(fresh, folder)
    except OSError as error:
        raise OutputError(
            f"Writing `{folder}` failed ({error.strerror}); what was there before is untouched."
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, folder: Path) -> None:
    if not folder.exists():
        fresh.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.rename(old / "previous")
    try:
        fresh.rename(folder)
    except OSError:
        (old / "previous").rename(folder)
        raise
    finally:
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def json_bytes(content: object) -> bytes:
    """Return indented UTF-8 JSON with a final newline; NaN is not allowed."""
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def write_file(path: Path, content: bytes) -> None:
    """Write one file as a whole: to a neighbour first, which then takes its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fresh = Path(name)
        fresh.chmod(0o644)
        fresh.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write `{path}`: {error.strerror}. Choose another place: --output FILE.") from error
