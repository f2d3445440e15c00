"""Tables to files: the same bytes on every machine, in plain or in Norwegian style."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError, OutputError

Style = Literal["plain", "norwegian"]

NORWEGIAN_COLUMNS: Final = {
    "person_id": "fnr",
    "sex": "kjonn",
    "birth_date": "fodselsdato",
    "education": "utdanning",
    "marital_status": "sivilstand",
    "municipality": "kommune",
    "sector": "sektor",
    "occupation": "yrke",
    "income": "inntekt",
    "death_date": "dodsdato",
    "emigration_date": "utvandringsdato",
    "benefit": "ytelse",
    "start": "fom",
    "end": "tom",
    "grade": "grad",
    "diagnosis": "diagnose",
    "employer_id": "orgnr",
    "position": "stillingsprosent",
    "index_date": "inklusjonsdato",
    "arm": "tiltak",
    "cluster": "klynge",
    "programme": "program",
    "wave": "maling",
    "answered_on": "svardato",
    "instrument": "skjema",
    "item": "sporsmal",
    "value": "svar",
}
NORWEGIAN_TABLES: Final = {
    "persons": "personer",
    "benefits": "ytelser",
    "employment": "arbeidsforhold",
    "enrolment": "deltakere",
    "questionnaires": "sporreskjema",
}
NORWEGIAN_WORDS: Final = {
    "sickness_benefit": "sykepenger",
    "work_assessment_allowance": "arbeidsavklaringspenger",
    "disability_pension": "uføretrygd",
    "female": "Kvinne",
    "male": "Mann",
    "primary_school": "Grunnskole",
    "upper_secondary_vocational": "Videregående skole",
    "college_university": "Høgskole/universitet",
}


def write_register(tables: Mapping[str, pd.DataFrame], folder: str | Path, *, style: Style = "plain") -> list[Path]:
    """Write each table as one CSV file.

    Parameters
    ----------
    tables
        Table name to frame, as `simulate_register` returns them. Numbers are written with at most two decimals,
        missing values as nothing.
    folder
        Made when it does not exist; files of the same names are replaced.
    style
        "plain": comma, decimal point, UTF-8, ISO dates, our names. "norwegian": semicolon, decimal comma,
        ISO-8859-1, dd.mm.yyyy, CRLF and Norwegian file names, column names and words.

    Returns
    -------
    list of pathlib.Path
        The files written, in the order of `tables`.

    Raises
    ------
    ArgumentError
        When `style` is unknown or a text holds the separator, a quote or a line break.
    OutputError
        When the folder cannot be written.
    """
    check_choice(style, ("plain", "norwegian"), argument="style")
    target = Path(folder)
    written = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, frame in tables.items():
            path = target / f"{NORWEGIAN_TABLES.get(name, name) if style == 'norwegian' else name}.csv"
            path.write_bytes(table_bytes(frame, style=style))
            written.append(path)
    except OSError as error:
        raise OutputError(f"`folder` must be a folder that may be written; {error}. Choose another folder.") from error
    return written


def table_bytes(frame: pd.DataFrame, *, style: Style = "plain") -> bytes:
    """Return the bytes of a table as a CSV file."""
    norwegian = style == "norwegian"
    separator = ";" if norwegian else ","
    names = [NORWEGIAN_COLUMNS.get(str(name), str(name)) if norwegian else str(name) for name in frame.columns]
    columns = [_texts(frame[name], norwegian, separator) for name in frame.columns]
    lines = [separator.join(names), *(separator.join(row) for row in zip(*columns, strict=True))]
    end = "\r\n" if norwegian else "\n"
    return (end.join(lines) + end).encode("iso-8859-1" if norwegian else "utf-8")


def _texts(column: pd.Series[Any], norwegian: bool, separator: str) -> list[str]:
    values = column.to_numpy()
    if values.dtype.kind == "M":
        return _dates(values, norwegian)
    if values.dtype.kind == "f":
        return [_number(value, norwegian) for value in values.tolist()]
    if values.dtype.kind in "iu":
        return [str(value) for value in values.tolist()]
    return [_word(value, norwegian, separator) for value in values.tolist()]


def _dates(values: Any, norwegian: bool) -> list[str]:
    days = np.datetime_as_string(values.astype("datetime64[D]"), unit="D")
    iso = ["" if day == "NaT" else day for day in days.tolist()]
    return [f"{day[8:]}.{day[5:7]}.{day[:4]}" if day else "" for day in iso] if norwegian else iso


def _number(value: float, norwegian: bool) -> str:
    if value != value:
        return ""
    rounded = round(value, 2)
    if norwegian:
        return (
            f"{rounded:.1f}".replace(".", ",") if rounded == round(rounded, 1) else f"{rounded:.2f}".replace(".", ",")
        )
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def _word(value: object, norwegian: bool, separator: str) -> str:
    if value is None or value != value:
        return ""
    text = NORWEGIAN_WORDS.get(str(value), str(value)) if norwegian else str(value)
    if any(mark in text for mark in (separator, '"', "\n", "\r")):
        raise ArgumentError(f"`tables` must hold no text with a separator, a quote or a line break; got {text!r}.")
    return text
