"""Read a study file; a wrong key, type or value is reported with its key, its line and the nearest right name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import RtwCohortError, StudyFileError
from rtwcohort.study.locate import Path, key_lines, line_of
from rtwcohort.study.schema import StudyFile

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Study:
    """A study file that has been read and checked.

    Attributes
    ----------
    path
        Of the file; data paths are relative to its folder.
    text
        The file as it stands, kept for provenance.
    file
        Its checked content.
    """

    path: FilePath
    text: str
    file: StudyFile

    def where(self, *path: str | int) -> str:
        """Return "study.toml, line 12, `cohort.eligibility[0].min`" for a key path."""
        return _where(self.path, key_lines(self.text), path)

    def blame(self, error: RtwCohortError, *path: str | int) -> StudyFileError:
        """Return the error of another part as one that points at a key of this file."""
        return StudyFileError(f"{self.where(*path)}: {error}")


def read_study(path: str | FilePath) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path
        A TOML file. `rtwcohort init` writes a commented one.

    Returns
    -------
    Study

    Raises
    ------
    StudyFileError
        When the file is missing, is not TOML, or a key is unknown, missing or of the wrong type.
    """
    file = FilePath(path)
    if not file.exists():
        near = did_you_mean(file.name, _toml_files(file.parent))
        raise StudyFileError(
            f"There is no study file '{path}'.{near} `rtwcohort init FOLDER` writes one for a folder of data."
        )
    if file.is_dir():
        raise StudyFileError(
            f"'{path}' is a folder, not a study file. Name the .toml file in it, "
            f"or write one with `rtwcohort init {path}`."
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise StudyFileError(f"{file.name} is not UTF-8 text: save it as UTF-8. A study file is TOML.") from error
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError(
            f"{file.name} is not valid TOML: {error}. Text needs quotation marks, a section its [brackets]."
        ) from error
    try:
        checked = StudyFile.model_validate(content)
    except ValidationError as error:
        raise StudyFileError(_explain(file, text, error)) from None
    study = Study(path=file, text=text, file=checked)
    _check_register(study)
    return study


def _toml_files(folder: FilePath) -> list[str]:
    return [item.name for item in folder.glob("*.toml") if item.name != "pyproject.toml"] if folder.is_dir() else []


def _check_register(study: Study) -> None:
    register = study.file.register_
    if (register.folder is None) == (register.file is None):
        raise StudyFileError(
            f"{study.where('register')}: give `folder` (a folder of tables) or `file` (one DuckDB file), "
            f"{'not both' if register.folder else 'one of them'}."
        )


def _explain(file: FilePath, text: str, error: ValidationError) -> str:
    lines = key_lines(text)
    found = []
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "extra_forbidden")
    for fault in faults:
        loc = tuple(part for part in fault["loc"] if not _is_union_tag(part))
        sentence = f"{_where(file, lines, loc)}: {_sentence(loc, fault)}"
        if sentence not in found:
            found.append(sentence)
    more = f"\n... and {len(found) - _SHOWN} more." if len(found) > _SHOWN else ""
    return "\n".join(found[:_SHOWN]) + more


def _is_union_tag(part: str | int) -> bool:
    """Pydantic adds the tried type of a union to the path: 'str', 'dict[str,any]'."""
    return isinstance(part, str) and (part in {"str", "int", "float", "date"} or "[" in part)


def _where(file: FilePath, lines: Mapping[Path, int], path: Path) -> str:
    line = line_of(dict(lines), path)
    place = f"{file.name}, line {line}" if line else file.name
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return f"{place}, `{name}`" if name else place


def _sentence(loc: Path, fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        known = _known_keys(loc[:-1])
        section = ".".join(str(part) for part in loc[:-1])
        place = f"[{section}]" if section else "a study file"
        return f"{place} has no key '{loc[-1]}'.{did_you_mean(str(loc[-1]), known)} It takes: {', '.join(known)}."
    if fault["type"] == "missing":
        kind = "section" if len(loc) == 1 else "key"
        return f"this {kind} is missing and has no default."
    message = fault["msg"][0].lower() + fault["msg"][1:]
    return f"{message}; got {fault['input']!r}."


def _known_keys(path: Path) -> list[str]:
    model: type[BaseModel] = StudyFile
    for part in path:
        if isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part not in fields:
            return []
        annotation = fields[str(part)].annotation
        candidates = [annotation, *get_args(annotation)]
        models = [item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)]
        if not models:
            return []
        model = models[0]
    return [field.alias or name for name, field in model.model_fields.items()]
