"""How files are written in the wild: date formats, encodings, separators, decimal marks, names of columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.simulate.draws import key, whole

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_EXCEL_ZERO: Final = dt.date(1899, 12, 30)
_EXCEL_FIRST: Final = dt.date(1900, 3, 1)


def _compact(text: Callable[[dt.date], str]) -> Callable[[dt.date], str]:
    """Write dates in years that eight digits without marks cannot be told for as ISO dates."""
    return lambda day: text(day) if 1800 <= day.year <= 2199 else day.isoformat()


def _excel(day: dt.date) -> str:
    """Write Excel's serial number; what lies before 1 March 1900 as text, as Excel does."""
    return str((day - _EXCEL_ZERO).days) if day >= _EXCEL_FIRST else f"{day.day:02}.{day.month:02}.{day.year:04}"


DATE_FORMATS: Final[Mapping[str, Callable[[dt.date], str]]] = {
    "iso": lambda day: day.isoformat(),
    "iso_time": lambda day: f"{day.isoformat()}T00:00:00",
    "dd.mm.yyyy": lambda day: f"{day.day:02}.{day.month:02}.{day.year:04}",
    "dd/mm/yyyy": lambda day: f"{day.day:02}/{day.month:02}/{day.year:04}",
    "ddmonyyyy": lambda day: f"{day.day:02}{_MONTHS[day.month - 1]}{day.year:04}",
    "yyyymmdd": _compact(lambda day: f"{day.year:04}{day.month:02}{day.day:02}"),
    "ddmmyyyy": _compact(lambda day: f"{day.day:02}{day.month:02}{day.year:04}"),
    "ddmmyy": lambda day: f"{day.day:02}{day.month:02}{day.year % 100:02}",
    "excel": _excel,
}
UNREADABLE_DATES: Final = ("ddmmyy", "excel")
"""A year of two digits does not say its century; a bare serial number may count from 1900 or 1904, or be no date."""

MIXED: Final = "mixed"
READABLE_DATES: Final = tuple(name for name in DATE_FORMATS if name not in UNREADABLE_DATES)
DATE_CHOICES: Final = (*DATE_FORMATS, MIXED)
ENCODINGS: Final = ("utf-8", "utf-8-sig", "iso-8859-1", "cp1252", "utf-16", MIXED)
DECIMALS: Final = ("point", "comma")
SEPARATORS: Final[Mapping[str, str]] = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
NAMES: Final = ("ours", "aliases")
LINE_ENDS: Final[Mapping[str, str]] = {"unix": "\n", "windows": "\r\n"}
MISSING_MARKS: Final = ("", "NA", ".", "NULL")


def choices(value: str | Sequence[str], known: Sequence[str], *, argument: str) -> tuple[str, ...]:
    """Check one choice, or several to draw from.

    Raises
    ------
    ArgumentError
        When one is not known, or there is none.
    """
    given = (value,) if isinstance(value, str) else tuple(value)
    for item in given or (None,):
        check_choice(item, tuple(known), argument=argument)
    return given


def drawn(given: Sequence[str], seed: int, purpose: str) -> str:
    """Draw one of the choices."""
    place = whole(key(seed, f"write {purpose}"), np.zeros(1, dtype=np.int64), 0, len(given) - 1)
    return given[int(place[0])]


def number_text(value: float, *, comma: bool) -> str:
    """Write a number with as many figures as it has, whole ones without decimals.

    Three decimals get a fourth, which is 0, so that the mark cannot be taken for one between thousands.
    """
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = repr(float(value))
    if "e" not in text and len(text.partition(".")[2]) == 3:
        text += "0"
    return text.replace(".", ",") if comma else text


def date_texts(days: Sequence[dt.date | None], form: str, seed: int, purpose: str) -> list[str | None]:
    """Write dates in a format; with "mixed", each in one drawn for its row among those that can be read."""
    if form != MIXED:
        write = DATE_FORMATS[form]
        known: dict[dt.date, str] = {day: write(day) for day in {day for day in days if day is not None}}
        return [None if day is None else known[day] for day in days]
    rows: npt.NDArray[np.int64] = np.arange(len(days), dtype=np.int64)
    which = whole(key(seed, f"write mixed {purpose}"), rows, 0, len(READABLE_DATES) - 1)
    return [
        None if day is None else DATE_FORMATS[READABLE_DATES[place]](day)
        for day, place in zip(days, which.tolist(), strict=True)
    ]


def column_names(table: str, columns: Sequence[str], seed: int) -> dict[str, str]:
    """Draw for each column one of the names under which files have it, in one of three spellings."""
    from rtwcohort.register.columns import plain_name
    from rtwcohort.register.tables import TABLES, fact

    declared = TABLES[table].columns
    answers: dict[str, set[str]] = {}
    for ours, column in declared.items():
        for name in (ours, *fact(column, "aliases")):
            answers.setdefault(plain_name(name), set()).add(ours)
    out = {}
    for ours in columns:
        own = [name for name in (ours, *fact(declared[ours], "aliases")) if len(answers[plain_name(name)]) == 1]
        name = drawn(own, seed, f"name {table}.{ours}")
        spelling = drawn(("plain", "upper", "title"), seed, f"spelling {table}.{ours}")
        out[ours] = {"plain": name, "upper": name.upper(), "title": name.replace("_", " ").title()}[spelling]
    return out


def file_name(table: str, seed: int) -> str:
    """Draw one of the names under which files hold the table."""
    from rtwcohort.register.tables import table_aliases

    return drawn(table_aliases(table), seed, f"file {table}")


def encoded(lines: Sequence[str], end: str, encoding: str, seed: int, purpose: str) -> bytes:
    """Encode lines; with "mixed", each as UTF-8 or as Windows-1252, drawn by line."""
    if encoding == "utf-16":
        return b"\xff\xfe" + (end.join(lines) + end).encode("utf-16-le")
    if encoding != MIXED:
        return (end.join(lines) + end).encode(encoding)
    latin = whole(key(seed, f"write encoding {purpose}"), np.arange(len(lines), dtype=np.int64), 0, 1)
    codecs = ["cp1252" if old else "utf-8" for old in latin.tolist()]
    return b"".join(f"{line}{end}".encode(codec) for line, codec in zip(lines, codecs, strict=True))


def cell(value: Any, separator: str) -> str:
    """Return a text as a field of a delimited file: quoted where it has to be."""
    text = str(value)
    if any(mark in text for mark in (separator, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text
