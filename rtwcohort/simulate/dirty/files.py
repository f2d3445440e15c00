"""Write a dirty register as files are found: each with its own encoding, separator, date format and names."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError, OutputError
from rtwcohort.simulate.dirty import formats
from rtwcohort.simulate.dirty.inject import Dirty

_MAY_BE_OPEN: Final = "end"
_NEVER: Final = dt.date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class WrittenDirt:
    """The files of a dirty register.

    Attributes
    ----------
    paths
        Table -> file.
    formats
        How each was written: `table`, `column` (empty for the whole file), `what`, `choice`.
    unreadable
        Columns, as (table, column), whose date format no program can read safely: `check_register`
        names each of their rows, and nothing else about these tables can be scored.
    """

    paths: Mapping[str, Path]
    formats: pd.DataFrame
    unreadable: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Style:
    """How files are to be written: what to draw from, by what it is."""

    encodings: tuple[str, ...]
    dates: tuple[str, ...]
    decimals: tuple[str, ...]
    separators: tuple[str, ...]
    names: tuple[str, ...]
    line_ends: tuple[str, ...]
    missing: tuple[str, ...]
    open_ends: tuple[str, ...]
    seed: int


def write_dirty(
    dirty: Dirty,
    folder: str | Path,
    *,
    encodings: str | Sequence[str] = ("utf-8", "utf-8-sig", "iso-8859-1", "mixed"),
    date_formats: str | Sequence[str] = (*formats.READABLE_DATES, "mixed"),
    decimals: str | Sequence[str] = formats.DECIMALS,
    separators: str | Sequence[str] = tuple(formats.SEPARATORS),
    names: str | Sequence[str] = formats.NAMES,
    line_ends: str | Sequence[str] = tuple(formats.LINE_ENDS),
    missing: str | Sequence[str] = ("", "NA", "."),
    open_ends: str | Sequence[str] = ("empty", "9999"),
    truth: bool = False,
    seed: int,
) -> WrittenDirt:
    """Write a dirty register as one text file a table.

    Each argument is one choice or several to draw from: once a file, the date format once a column.
    Equal registers, arguments and seeds give equal bytes.

    Parameters
    ----------
    dirty
        From `dirty`.
    folder
        Made; it must not exist or be empty. It appears whole or not at all.
    encodings
        "utf-8", "utf-8-sig" (with a byte order mark), "iso-8859-1", "cp1252", "utf-16", "mixed" (some
        lines UTF-8, the others Windows-1252).
    date_formats
        A key of `DATE_FORMATS`, or "mixed": a readable one for each value. "ddmmyy" and "excel" (serial
        numbers) cannot be read safely and make the column unreadable.
    decimals
        "point" or "comma".
    separators
        "comma", "semicolon", "tab" or "bar".
    names
        "ours", or "aliases": file and column names that Norwegian registers have.
    line_ends
        "unix" or "windows".
    missing
        What stands for a missing value.
    open_ends
        What stands for an end that is not there: "empty", or "9999" for 31 December 9999.
    truth
        Write `truth.csv` beside the tables.
    seed
        Of the draws.

    Returns
    -------
    WrittenDirt

    Raises
    ------
    ArgumentError
        When a choice is unknown, or a text cannot be written in an encoding.
    OutputError
        When the folder has files, or cannot be written.
    """
    check_number(seed, argument="seed", whole=True)
    style = _Style(
        formats.choices(encodings, formats.ENCODINGS, argument="encodings"),
        formats.choices(date_formats, formats.DATE_CHOICES, argument="date_formats"),
        formats.choices(decimals, formats.DECIMALS, argument="decimals"),
        formats.choices(separators, tuple(formats.SEPARATORS), argument="separators"),
        formats.choices(names, formats.NAMES, argument="names"),
        formats.choices(line_ends, tuple(formats.LINE_ENDS), argument="line_ends"),
        formats.choices(missing, formats.MISSING_MARKS, argument="missing"),
        formats.choices(open_ends, ("empty", "9999"), argument="open_ends"),
        int(seed),
    )
    files: dict[str, tuple[str, bytes]] = {}
    chosen: list[tuple[str, str, str, str]] = []
    for table, frame in dirty.tables.items():
        files[table] = _file(table, frame, style, chosen)
    if truth:
        files["truth"] = ("truth.csv", dirty.truth.to_csv(index=False, lineterminator="\n").encode("utf-8"))
    target = Path(folder)
    _write_whole(target, {name: data for name, data in files.values()})
    paths = {table: target / name for table, (name, _) in files.items()}
    bad = [(table, column) for table, column, _, choice in chosen if choice in formats.UNREADABLE_DATES]
    return WrittenDirt(paths, pd.DataFrame(chosen, columns=["table", "column", "what", "choice"]), tuple(bad))


def _file(table: str, frame: pd.DataFrame, style: _Style, chosen: list[tuple[str, str, str, str]]) -> tuple[str, bytes]:
    """Return the name and the bytes of one table's file; note what was chosen."""

    def pick(what: str, given: tuple[str, ...], column: str = "") -> str:
        choice = formats.drawn(given, style.seed, f"{what} {table}.{column}")
        chosen.append((table, column, what, choice))
        return choice

    separator = formats.SEPARATORS[pick("separator", style.separators)]
    comma = pick("decimal mark", style.decimals) == "comma"
    mark = pick("missing", style.missing)
    aliases = pick("names", style.names) == "aliases"
    end = formats.LINE_ENDS[pick("line end", style.line_ends)]
    encoding = pick("encoding", style.encodings)
    never = _NEVER if pick("open end", style.open_ends) == "9999" else None
    columns = []
    for name in map(str, frame.columns):
        form = pick("date format", style.dates, name) if _has_dates(frame[name]) else "iso"
        open_end = never if name == _MAY_BE_OPEN and form not in formats.UNREADABLE_DATES else None
        texts = _texts(frame[name], form, open_end, comma=comma, seed=style.seed, purpose=f"{table}.{name}")
        columns.append([mark if text is None else formats.cell(text, separator) for text in texts])
    names = [str(name) for name in frame.columns]
    heads = formats.column_names(table, names, style.seed) if aliases else {name: name for name in names}
    lines = [
        separator.join(heads[name] for name in names),
        *(separator.join(row) for row in zip(*columns, strict=True)),
    ]
    try:
        data = formats.encoded(lines, end, encoding, style.seed, table)
    except UnicodeEncodeError as error:
        raise ArgumentError(
            f"`encodings` must be able to write every text; `{table}` has a letter that {encoding} does not have. "
            "Use utf-8 for it."
        ) from error
    stem = formats.file_name(table, style.seed) if aliases else table
    return f"{stem}.csv", data


def _has_dates(column: pd.Series[Any]) -> bool:
    return column.dtype.kind == "M" or (column.dtype == object and any(isinstance(value, dt.date) for value in column))


def _texts(
    column: pd.Series[Any], form: str, open_end: dt.date | None, *, comma: bool, seed: int, purpose: str
) -> list[str | None]:
    """Return the fields of a column before quoting, None for missing."""
    if column.dtype.kind == "M":
        values: list[Any] = column.to_numpy().astype("datetime64[D]").astype(object).tolist()
    else:
        values = column.astype(object).tolist()
    days = [value.date() if isinstance(value, dt.datetime) else value for value in values]
    if open_end is not None:
        days = [open_end if _missing(value) else value for value in days]
    as_dates = [value if isinstance(value, dt.date) and not _missing(value) else None for value in days]
    dates = formats.date_texts(as_dates, form, seed, purpose) if any(as_dates) else [None] * len(days)
    is_id = purpose.endswith(".person_id")
    return [
        date if date is not None else _text(value, comma=comma, is_id=is_id)
        for value, date in zip(days, dates, strict=True)
    ]


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _text(value: Any, *, comma: bool, is_id: bool) -> str | None:
    if _missing(value):
        return None
    if isinstance(value, float):
        return repr(value) if is_id else formats.number_text(value, comma=comma)
    return str(value)


def _write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a new folder beside the target, then give it its name."""
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"`folder` '{folder.name}' is there already and not empty. Choose another, or empty it.")
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        for name, data in files.items():
            (partial / name).write_bytes(data)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OutputError(
            f"`folder` '{folder.name}' could not be written: {error.strerror or error}. Nothing was left there. "
            "Choose another folder, or make room."
        ) from error
