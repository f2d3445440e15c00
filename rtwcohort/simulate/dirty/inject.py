"""Put faults into a register at set rates and keep the truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.errors import ArgumentError
from rtwcohort.register import Register, load_register
from rtwcohort.simulate.dirty.bench import Act, Bench
from rtwcohort.simulate.dirty.declare import BY_NAME, DIRT, Dirt, check_faults
from rtwcohort.simulate.dirty.people_faults import PEOPLE_FAULTS, Injector
from rtwcohort.simulate.dirty.spell_faults import SPELL_FAULTS
from rtwcohort.simulate.dirty.value_faults import VALUE_FAULTS

INJECTORS: Final[Mapping[str, Injector]] = {**PEOPLE_FAULTS, **SPELL_FAULTS, **VALUE_FAULTS}
TRUTH_COLUMNS: Final = ("table", "fault", "kind", "row", "clean_row", "person", "column", "clean")
ID_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Dirty:
    """A register with faults, and the truth about them.

    Attributes
    ----------
    tables
        Table -> frame with the faults, positions as index. Columns with unreadable values are text and
        values mixed; `load_register(dirty.tables, data_end=dirty.data_end)` reads them.
    clean
        The same tables without the faults.
    truth
        One row a row of a table with a fault: `table`, `fault`, `kind` ("changed", "added", "removed"),
        `row` (position in the dirty table; -1 when removed), `clean_row` (position in the clean table:
        what it was, or what it is a copy of), `person` (position in the clean `persons`, -1 unknown),
        `column` (which were changed), `clean` (what they held; empty for added rows).
    clean_rows
        Table -> position in the clean table of each row of the dirty one, -1 for added rows.
    data_end
        The last day known.
    rates
        Fault -> rate, as asked for.
    notes
        Sentences on what could not be put in.
    """

    tables: dict[str, pd.DataFrame]
    clean: dict[str, pd.DataFrame]
    truth: pd.DataFrame
    clean_rows: Mapping[str, npt.NDArray[np.int64]]
    data_end: pd.Timestamp
    rates: Mapping[str, float]
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> pd.DataFrame:
        """One row a fault and table: fault, table, n_rows, n_persons."""
        grouped = self.truth.groupby(["fault", "table"], sort=False)
        return grouped.agg(n_rows=("row", "size"), n_persons=("person", "nunique")).reset_index()


def dirty(
    source: Register | Mapping[str, Any],
    *,
    faults: Mapping[str, float] | str,
    seed: int,
    data_end: str | dt.date | None = None,
    twice: bool = False,
) -> Dirty:
    """Put faults into a register at set rates.

    Which rows are hit is a function of the seed, the fault, the table and the row's position alone.

    Parameters
    ----------
    source
        A register, or a mapping of table to frame such as `simulate_register` returns. Rows that have
        faults already, and all rows of people with contradictory ones, are left as they are.
    faults
        Fault -> rate from 0 to 1, or the name of a preset (of which the faults of absent tables are left
        out); see `DIRT` and `PRESETS`. The rate is the
        probability that a row that can carry the fault and is still free gets it: in every table that
        the fault is declared for, or, with a name such as "benefits.duplicate_row", in that one.
    seed
        Of the draws.
    data_end
        Of a mapping: its last day known. Without it, as `load_register` chooses it.
    twice
        Let a row get several faults. Then scores are no longer clean: one fault may hide another.

    Returns
    -------
    Dirty

    Raises
    ------
    ArgumentError
        When a fault is unknown, a rate is outside 0 to 1, or a table that a fault needs is not there.
    """
    wanted = check_faults(faults)
    check_number(seed, argument="seed", whole=True)
    register = _register(source, data_end)
    if any(name == "id_zeros_lost" and rate > 0 for (name, _), rate in wanted.items()):
        register = _padded(register)
    bench = Bench(register, seed=int(seed), twice=twice)
    notes: list[str] = []
    if isinstance(faults, str):
        wanted, notes = _with_tables(wanted, bench)
    notes += [note for declared in DIRT for note in _put_in(bench, declared, wanted)]
    tables, clean_rows, truth = _build(bench)
    rates = {f"{table}.{name}" if table else name: rate for (name, table), rate in wanted.items()}
    return Dirty(tables, bench.tables, truth, clean_rows, register.data_end, rates, tuple(notes))


def _register(source: Register | Mapping[str, Any], data_end: str | dt.date | None) -> Register:
    if not isinstance(source, Register):
        return load_register(source, data_end=data_end)
    if data_end is not None:
        raise ArgumentError("`data_end` must not be given with a register, which has its own. Leave it out.")
    return source


def _padded(register: Register) -> Register:
    """Write identifiers as text of eleven digits, as Norwegian ones are, so that there are zeros to lose."""
    tables = register.tables()
    if any(frame["person_id"].dtype.kind != "i" for frame in tables.values()):
        return register
    padded = {
        table: frame.assign(person_id=[str(value).zfill(ID_DIGITS) for value in frame["person_id"]])
        for table, frame in tables.items()
    }
    return replace(
        register,
        persons=padded["persons"],
        benefits=padded["benefits"],
        employment=padded.get("employment"),
        enrolment=padded.get("enrolment"),
        questionnaires=padded.get("questionnaires"),
    )


def _with_tables(wanted: dict[tuple[str, str], float], bench: Bench) -> tuple[dict[tuple[str, str], float], list[str]]:
    """Leave out the faults of a preset whose tables the register does not have."""
    absent = [name for name, _ in wanted if not set(BY_NAME[name].tables) & set(bench.tables)]
    notes = [f"'{name}' was left out: there is no table `{BY_NAME[name].tables[0]}`." for name in absent]
    return {key: rate for key, rate in wanted.items() if key[0] not in absent}, notes


def _put_in(bench: Bench, declared: Dirt, wanted: Mapping[tuple[str, str], float]) -> list[str]:
    """Put one fault into its tables; return notes on where no row could carry it."""
    notes = []
    asked = {table: rate for (name, table), rate in wanted.items() if name == declared.name}
    if not any(asked.values()):
        return []
    present = [table for table in declared.tables if table in bench.tables]
    for table, rate in asked.items():
        _check_tables(declared, table, present)
        tables = ["persons"] if declared.per == "person" else [table] if table else present
        before = len(bench.acts)
        for one in tables:
            if rate > 0 and (table or one not in asked):
                INJECTORS[declared.name](bench, declared.name, one, rate)
        if rate > 0 and len(bench.acts) == before:
            notes.append(f"'{declared.name}' was put in nowhere: no row that can carry it was free, or none was drawn.")
    return notes


def _check_tables(declared: Dirt, table: str, present: list[str]) -> None:
    missing = table if table else declared.tables[0] if declared.per == "person" or not present else ""
    if missing and missing not in present:
        raise ArgumentError(
            f"`faults` asks for '{declared.name}', which needs the table `{missing}`; the register has none. "
            "Leave the fault out, or add the table."
        )


def _build(bench: Bench) -> tuple[dict[str, pd.DataFrame], dict[str, npt.NDArray[np.int64]], pd.DataFrame]:
    """Return the dirty tables, their rows' clean positions and the truth."""
    tables, clean_rows, truths = {}, {}, []
    for table, clean in bench.tables.items():
        acts = [act for act in bench.acts if act.table == table]
        frame, order, numbers = _combined(clean, acts)
        final = np.full(len(frame), -1, dtype=np.int64)
        final[order] = np.arange(len(order))
        tables[table] = frame.iloc[order].reset_index(drop=True)
        clean_rows[table] = np.where(order < len(clean), order, -1)
        truths += [_truth_of(act, clean, bench, final[place]) for act, place in zip(acts, numbers, strict=True)]
    if not truths:
        return tables, clean_rows, pd.DataFrame(columns=list(TRUTH_COLUMNS))
    return tables, clean_rows, pd.concat(truths, ignore_index=True)


def _combined(
    clean: pd.DataFrame, acts: list[Act]
) -> tuple[pd.DataFrame, npt.NDArray[np.int64], list[npt.NDArray[np.int64]]]:
    """Return clean and added rows with all changes, the final order of the rows that stay, and each act's rows."""
    n = len(clean)
    places = {"before": 0, "after": 2, "end": 4 * n}
    keys = [np.arange(n, dtype=np.int64) * 4 + 1]
    sources = [np.arange(n, dtype=np.int64)]
    numbers: list[npt.NDArray[np.int64]] = []
    removed = np.zeros(n, dtype=bool)
    for act in acts:
        if act.kind == "added":
            length = sum(len(rows) for rows in sources)
            numbers.append(np.arange(length, length + len(act.rows)))
            sources.append(act.rows)
            keys.append(act.rows * 4 + places[act.place])
        else:
            numbers.append(act.rows)
            removed[act.rows[:0] if act.kind == "changed" else act.rows] = True
    frame = clean.iloc[np.concatenate(sources)].reset_index(drop=True)
    changed: dict[str, Any] = {}
    for name in frame.columns:
        edits = [(place, act.columns[name]) for act, place in zip(acts, numbers, strict=True) if name in act.columns]
        if edits:
            changed[name] = _edited(frame[name], edits)
    frame = frame.assign(**changed)
    order = np.argsort(np.concatenate(keys), kind="stable")
    gone = np.append(removed, np.zeros(len(frame) - n, dtype=bool))
    return frame, order[~gone[order]], numbers


def _edited(column: pd.Series[Any], edits: list[tuple[npt.NDArray[np.int64], Any]]) -> pd.Series[Any]:
    """Return a column with new values, as plain objects where one of them has another type."""
    kinds = {np.asarray(values).dtype.kind for _, values in edits}
    if (column.dtype.kind == "M" and kinds == {"M"}) or (column.dtype.kind == "f" and kinds <= {"f", "i"}):
        out = column.to_numpy().copy()
        for places, values in edits:
            out[places] = values
        return pd.Series(out)
    objects = _objects(column.to_numpy())
    for places, values in edits:
        objects[places] = _objects(np.asarray(values))
    if column.dtype.kind == "i" and all(value is None or isinstance(value, int) for value in objects):
        return pd.Series([pd.NA if value is None else value for value in objects], dtype="Int64")
    return pd.Series(objects, dtype=object)


def _objects(values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """Return values as plain Python objects; missing ones as None."""
    out = np.empty(len(values), dtype=object)
    plain = values.astype(DATE_DTYPE).astype(object) if values.dtype.kind == "M" else values.tolist()
    out[:] = [None if value is None or value != value else value for value in plain]
    return out


def _truth_of(act: Act, clean: pd.DataFrame, bench: Bench, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    names = [] if act.kind != "changed" else list(act.columns)
    texts = [""] * len(act.rows)
    for name in names:
        held = clean[name].iloc[act.rows]
        label = f"{name}=" if len(names) > 1 else ""
        texts = [f"{text}; {label}{_text(value)}".lstrip("; ") for text, value in zip(texts, held, strict=True)]
    return pd.DataFrame(
        {
            "table": act.table,
            "fault": act.fault,
            "kind": act.kind,
            "row": rows,
            "clean_row": act.rows,
            "person": bench.person[act.table][act.rows],
            "column": ", ".join(names if act.kind != "added" else act.columns),
            "clean": texts,
        }
    )


def _text(value: Any) -> str:
    if value is None or value is pd.NaT or value != value:
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:g}" if isinstance(value, float) else str(value)
