"""Raw tables to canonical ones: columns matched, values read by declaration, identifiers made alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import RegisterError
from rtwcohort.register.columns import ColumnMatch, match_columns, plain_name
from rtwcohort.register.parse import Parsed, as_text, parse_choice, parse_date, parse_number, parse_text
from rtwcohort.register.person_id import read_ids, unite_ids
from rtwcohort.register.read import RawTable
from rtwcohort.register.register import Source, Unreadable
from rtwcohort.register.tables import DTYPES, TABLES, fact, unknown_people


@dataclass(frozen=True, slots=True)
class BuiltTables:
    """The canonical tables and what was learned on the way."""

    frames: dict[str, pd.DataFrame]
    sources: tuple[Source, ...]
    unreadable: tuple[Unreadable, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Findings:
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def build_tables(
    raw: Mapping[str, RawTable],
    columns: Mapping[str, Mapping[str, str]],
    values: Mapping[str, Mapping[str, Mapping[str, str]]],
) -> BuiltTables:
    """Build the canonical tables.

    Parameters
    ----------
    raw
        Table -> what the file holds.
    columns, values
        The caller's mappings, see `load_register`.
    """
    findings = _Findings()
    frames: dict[str, pd.DataFrame] = {}
    sources: list[Source] = []
    for table in TABLES:
        if table not in raw:
            continue
        item = raw[table]
        match = match_columns(table, item.frame.columns, columns.get(table), path=item.path)
        _check_values(table, values.get(table, {}))
        labelled = _replace_values(table, item, match, values.get(table, {}))
        frames[table] = _read_columns(table, labelled, match, findings)
        sources.append(Source(table, item.path, item.sha256, len(item.frame), match.names, match.ignored, item.format))
    unused = [table for table in columns if table not in raw]
    if unused:
        raise RegisterError(
            f"`columns` maps columns of `{unused[0]}`, but the register has no such table. "
            "Add its file or remove the mapping."
        )
    frames, notes = unite_ids(frames)
    findings.notes.extend(notes)
    if "persons" not in frames:
        frames["persons"] = _persons_from(frames)
        findings.notes.append(
            f"There is no table `persons`; {len(frames['persons'])} people were taken from the other tables, "
            "with nothing known about them but their identifier."
        )
    ordered = {table: frames[table] for table in TABLES if table in frames}
    return BuiltTables(ordered, tuple(sources), tuple(findings.unreadable), tuple(findings.notes))


def _read_columns(table: str, item: RawTable, match: ColumnMatch, findings: _Findings) -> pd.DataFrame:
    """Read every declared column; the ones that the file lacks are missing throughout."""
    n = len(item.frame)
    rows = item.frame.index.to_numpy().astype(np.int64)
    read: dict[str, Any] = {}
    for ours, column in TABLES[table].columns.items():
        raw = _raw_column(item.frame, ours, match)
        where = f"`{table}.{ours}` ({item.path})"
        if raw is None:
            parsed = _absent(column, n)
        elif fact(column, "kind") == "id":
            read[ours] = read_ids(raw, where=where).array
            continue
        else:
            parsed = _parse(column, raw, where)
        findings.notes.extend(parsed.notes)
        if parsed.bad.any():
            findings.unreadable.append(_unreadable(table, ours, column, rows, parsed))
        dtype: Any = DTYPES[fact(column, "kind")]
        read[ours] = parsed.values.astype(dtype).array
    return pd.DataFrame(read, index=pd.Index(rows, name="row"))


def _raw_column(frame: pd.DataFrame, ours: str, match: ColumnMatch) -> pd.Series[Any] | None:
    if ours in match.constants:
        return pd.Series([match.constants[ours]] * len(frame), dtype=object)
    return frame[match.names[ours]].reset_index(drop=True) if ours in match.names else None


def _absent(column: pa.Column, n: int) -> Parsed:
    missing = {"date": np.datetime64("NaT", "s"), "number": np.nan}.get(fact(column, "kind"))
    values: pd.Series[Any] = pd.Series([missing] * n, dtype=DTYPES[fact(column, "kind")])
    return Parsed(values, np.zeros(n, dtype=bool))


def _parse(column: pa.Column, raw: pd.Series[Any], where: str) -> Parsed:
    kind = fact(column, "kind")
    if kind == "date":
        return parse_date(raw, open_end=fact(column, "open_end"), where=where)
    if kind == "number":
        return parse_number(raw, percent=fact(column, "unit") == "percent")
    if kind == "choice":
        return parse_choice(raw, fact(column, "values"), plain_name)
    return parse_text(raw)


def _unreadable(table: str, ours: str, column: pa.Column, rows: npt.NDArray[np.int64], parsed: Parsed) -> Unreadable:
    fault = "unreadable_number"
    if fact(column, "kind") == "date":
        fault = "unreadable_spell_date" if ours in ("start", "end") else "unreadable_date"
    return Unreadable(table, ours, fault, tuple(rows[parsed.bad].tolist()), parsed.shapes)


def _check_values(table: str, values: Mapping[str, Mapping[str, str]]) -> None:
    known = TABLES[table].columns
    for ours, codes in values.items():
        if ours not in known:
            raise RegisterError(
                f"`values` names the column `{table}.{ours}`, which does not exist.{did_you_mean(ours, known)}"
            )
        allowed = list(fact(known[ours], "values"))
        for code, value in codes.items():
            if allowed and value not in allowed:
                raise RegisterError(
                    f"`values` turns {code!r} of `{table}.{ours}` into {value!r}, which must be one of "
                    f"{', '.join(allowed)}.{did_you_mean(str(value), allowed)}"
                )


def _replace_values(
    table: str, item: RawTable, match: ColumnMatch, values: Mapping[str, Mapping[str, str]]
) -> RawTable:
    """Put the caller's values, else the file's value labels, in place of codes."""
    changed: dict[str, pd.Series[Any]] = {}
    for ours, name in match.names.items():
        kind = fact(TABLES[table].columns[ours], "kind")
        codes: Mapping[Any, str] = values.get(ours, {})
        if not codes and kind in ("choice", "text") and name in item.labels:
            codes = item.labels[name]
        if codes:
            changed[name] = _recode(item.frame[name], {as_text(code): label for code, label in codes.items()})
    return replace(item, frame=item.frame.assign(**changed)) if changed else item


def _recode(column: pd.Series[Any], codes: Mapping[str | None, str]) -> pd.Series[Any]:
    def label(value: Any) -> Any:
        return codes.get(as_text(value), value)

    numbers, uniques = pd.factorize(column, use_na_sentinel=True)
    labels = np.array([*(label(value) for value in list(uniques)), None], dtype=object)
    return pd.Series(labels[numbers], index=column.index)


def _persons_from(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Make `persons` from the identifiers in the other tables, in ascending order."""
    ids = pd.concat([frame["person_id"] for frame in frames.values()], ignore_index=True).dropna()
    known = ids.drop_duplicates().sort_values()
    return unknown_people(known, range(1, len(known) + 1))
