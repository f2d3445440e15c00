"""Load a register: find the files, match their columns, read every value by its declaration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.core.days import day_of, from_days
from rtwcohort.errors import RegisterError
from rtwcohort.register.register import Register

if TYPE_CHECKING:
    from rtwcohort.register.read import RawTable

Mappings = Mapping[str, Mapping[str, str]]
ValueMaps = Mapping[str, Mapping[str, Mapping[str, str]]]

DATABASE_SUFFIX: Final = ".duckdb"
PLANNED_END_DAYS: Final = 366
SILENT_DAYS: Final = 92
ENOUGH_SPELLS: Final = 100


def load_register(
    source: str | Path | Mapping[str, Any],
    *,
    columns: Mappings | None = None,
    tables: Mapping[str, str] | None = None,
    values: ValueMaps | None = None,
    data_end: str | dt.date | None = None,
) -> Register:
    """Load a register from a folder, a DuckDB file or frames in memory.

    Parameters
    ----------
    source
        A folder with one file a table (CSV, TSV, Parquet, SPSS, Stata, SAS), a `.duckdb` file, or a
        mapping of table name to a file path or a frame (pandas, Polars, PyArrow, DuckDB relation).
    columns
        Table -> our column -> the file's column, or "=value" for one value in every row. Known names
        such as `fnr`, `fom`, `tom` and `grad` need no line.
    tables
        Table -> file name in the folder, or table name in the database, where it is not a known one.
    values
        Table -> column -> the file's value -> ours, such as
        `{"persons": {"sex": {"1": "male", "2": "female"}}}`.
    data_end
        The last day that the register knows about, inclusive. Without it, the latest start in
        benefits and employment, or the latest end that is at most 366 days after that: later ends
        are plans. The choice is told in `Register.notes`.

    Returns
    -------
    Register
        In canonical columns and dtypes. Nothing is dropped: values that cannot be read are missing
        and listed in `unreadable`, every other fault is left for `check_register` to count.

    Raises
    ------
    RegisterError
        When there is no table, a file cannot be read or is not what its name says, or a column that
        a table must have is not there.
    """
    from rtwcohort.register.build import build_tables

    raw, skipped = _find_tables(source, tables or {})
    _check_names(columns or {}, argument="columns")
    _check_names(values or {}, argument="values")
    if "benefits" not in raw:
        found = ", ".join(f"`{name}`" for name in raw)
        others = f" Not recognised: {', '.join(skipped)}." if skipped else ""
        raise RegisterError(f"The register has no table `benefits`, only {found}.{others} {_naming_help()}")
    built = build_tables(raw, columns or {}, values or {})
    end, end_note = _data_end(built.frames, data_end)
    skip_note = (f"Not read, because no table has such a name: {', '.join(skipped)}.",) if skipped else ()
    return Register(
        persons=built.frames["persons"],
        benefits=built.frames["benefits"],
        employment=built.frames.get("employment"),
        enrolment=built.frames.get("enrolment"),
        questionnaires=built.frames.get("questionnaires"),
        data_end=end,
        sources=built.sources,
        notes=(*built.notes, *end_note, *skip_note),
        unreadable=built.unreadable,
    )


def _check_names(mapping: Mapping[str, Any], *, argument: str) -> None:
    from rtwcohort.register.tables import TABLES

    for table in mapping:
        if table not in TABLES:
            raise RegisterError(
                f"`{argument}` names the table '{table}', which does not exist.{did_you_mean(table, TABLES)} "
                f"Tables are: {', '.join(TABLES)}."
            )


def _naming_help() -> str:
    from rtwcohort.register.columns import known_file_names

    return (
        f"Known names are: {known_file_names()}. Rename a file, or say which is which: "
        'tables={"benefits": "my_file.csv"}, or `benefits = "my_file.csv"` under [register.tables] in the study file.'
    )


def _find_tables(
    source: str | Path | Mapping[str, Any], tables: Mapping[str, str]
) -> tuple[dict[str, RawTable], tuple[str, ...]]:
    """Return the raw tables, and the names of files or database tables that are none of them."""
    _check_names(tables, argument="tables")
    if isinstance(source, Mapping):
        return _from_mapping(source, tables), ()
    if not isinstance(source, (str, Path)):
        raise RegisterError(
            "`source` must be a folder, a .duckdb file, or a mapping of table name to frame or path; "
            f"got {type(source).__name__}."
        )
    path = Path(source)
    if path.is_dir():
        return _from_folder(path, tables)
    if path.suffix.lower() == DATABASE_SUFFIX and path.is_file():
        return _from_database(path, tables)
    if path.is_file():
        raise RegisterError(
            f"`source` must be a folder or a .duckdb file; got the file '{path.name}'. Give its folder, or "
            f'{{"benefits": "{path.name}"}}.'
        )
    raise RegisterError(f"`source`: '{path}' does not exist. Check the path; it is read from the current folder.")


def _from_mapping(source: Mapping[str, Any], tables: Mapping[str, str]) -> dict[str, RawTable]:
    from rtwcohort.register.read import read_file, read_frame

    if tables:
        raise RegisterError("`tables` names files in a folder; with a mapping as `source`, put the path there instead.")
    _check_names(source, argument="source")
    if not source:
        raise RegisterError("`source` is an empty mapping. Give at least the table `benefits`.")
    return {
        table: read_file(Path(item))
        if isinstance(item, (str, Path))
        else read_frame(item, argument=f"source['{table}']")
        for table, item in source.items()
        if item is not None
    }


def _from_folder(folder: Path, tables: Mapping[str, str]) -> tuple[dict[str, RawTable], tuple[str, ...]]:
    from rtwcohort.register.read import read_file
    from rtwcohort.register.sniff import SUFFIXES, suffix_of

    files = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    deeper = [name for name in tables.values() if name not in files and (folder / name).is_file()]
    stems = {
        name: name[: len(name) - len(suffix_of(Path(name)))] for name in files if suffix_of(Path(name)) in SUFFIXES
    }
    where = f"The folder '{folder.resolve().name}'"
    chosen = _choose(tables, stems, [*files, *deeper], where=where, what="files")
    skipped = tuple(name for name in stems if name not in chosen.values())
    return {table: read_file(folder / name) for table, name in chosen.items()}, skipped


def _from_database(path: Path, tables: Mapping[str, str]) -> tuple[dict[str, RawTable], tuple[str, ...]]:
    from rtwcohort.register.read import read_database

    found = read_database(path)
    where = f"The database '{path.name}'"
    chosen = _choose(tables, {name: name for name in found}, list(found), where=where, what="tables")
    skipped = tuple(name for name in found if name not in chosen.values())
    return {table: found[name] for table, name in chosen.items()}, skipped


def _choose(
    tables: Mapping[str, str], stems: Mapping[str, str], present: list[str], *, where: str, what: str
) -> dict[str, str]:
    """Return which file or database table holds which table: the caller's choice, else by known names."""
    from rtwcohort.register.columns import table_of

    for table, name in tables.items():
        if name not in present:
            raise RegisterError(
                f"`tables` says that `{table}` is '{name}'. {where} has no such "
                f"table.{did_you_mean(name, present)} It has: {', '.join(present) or 'nothing'}."
            )
    chosen = dict(tables)
    for name, stem in stems.items():
        candidate = table_of(stem)
        if candidate is None or candidate in tables or name in tables.values():
            continue
        if candidate in chosen:
            raise RegisterError(
                f"{where} has two {what} that may be `{candidate}`: '{chosen[candidate]}' and '{name}'. "
                f'Say which one: tables={{"{candidate}": "{name}"}}, or under [register.tables] in the study file.'
            )
        chosen[candidate] = name
    if not chosen:
        raise RegisterError(_no_tables(where, present))
    return chosen


def _no_tables(where: str, found: list[str]) -> str:
    from rtwcohort.register.columns import table_of
    from rtwcohort.register.tables import TABLES, table_aliases

    known = [alias for table in TABLES for alias in table_aliases(table)]
    hints = [(name, did_you_mean(Path(name).stem, known)) for name in found if table_of(Path(name).stem) is None]
    near = next((f" '{name}':{hint}" for name, hint in hints if hint), "")
    listed = ", ".join(found[:12]) or "nothing"
    more = f" and {len(found) - 12} more" if len(found) > 12 else ""
    return f"{where} holds none of the tables. It has: {listed}{more}.{near} {_naming_help()}"


def _data_end(frames: Mapping[str, pd.DataFrame], given: str | dt.date | None) -> tuple[pd.Timestamp, tuple[str, ...]]:
    """Return the last day known and, where it was not given, a sentence on how it was chosen."""
    from rtwcohort.register.tables import FIRST_DATE, LAST_DATE

    spells = [frames[name] for name in ("benefits", "employment") if name in frames]
    starts = pd.concat([frame["start"] for frame in spells], ignore_index=True)
    starts = starts[starts.between(FIRST_DATE, LAST_DATE)]
    if given is not None:
        day = pd.Timestamp(from_days(day_of(given, argument="data_end"))[0])
        return day, _late_end(starts, day)
    if starts.empty:
        raise RegisterError(
            "`data_end` is not given and no spell has a start from which to guess it. Give `data_end`, the last day "
            "that the register knows about."
        )
    latest_start = starts.max()
    ends = pd.concat([frame["end"] for frame in spells], ignore_index=True)
    plausible = ends[ends <= latest_start + np.timedelta64(PLANNED_END_DAYS, "D")]
    end = max(latest_start, plausible.max()) if len(plausible) else latest_start
    n_late = int((starts > end - np.timedelta64(PLANNED_END_DAYS, "D")).sum())
    return pd.Timestamp(end).as_unit("s"), (
        f"The last day known was not given; {end:%Y-%m-%d} was taken, the latest date in benefits and employment "
        f"(open ends and ends over a year after the latest start not counted; {n_late} spells start in the year "
        "before it). Give `data_end` if the register ends on another day.",
    )


def _late_end(starts: pd.Series[Any], data_end: pd.Timestamp) -> tuple[str, ...]:
    """Say when the last day known lies long after the last spell: nobody could be seen on a benefit until it."""
    if len(starts) < ENOUGH_SPELLS or data_end - starts.max() <= pd.Timedelta(days=SILENT_DAYS):
        return ()
    return (
        f"`data_end` is {data_end:%Y-%m-%d}, but no spell starts after {starts.max():%Y-%m-%d}. If the register ends "
        "earlier than `data_end`, people who are on a benefit would seem to be back at work: check it.",
    )
