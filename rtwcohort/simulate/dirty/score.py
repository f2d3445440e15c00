"""Score a cleaning: which faults were found, which sound rows were touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import ArgumentError
from rtwcohort.register import FAULT_NAMES, Register, check_register, clean_register, load_register
from rtwcohort.simulate.dirty.declare import BY_NAME
from rtwcohort.simulate.dirty.inject import Dirty

Rows = npt.NDArray[np.int64]

_COLUMNS: Final = (
    "fault",
    "table",
    "finding",
    "injected",
    "found",
    "missed",
    "mended",
    "false_alarms",
    "undetectable",
    "why",
)


@dataclass(frozen=True, slots=True)
class CleaningScore:
    """How well the faults were found, and what was done to sound rows.

    Attributes
    ----------
    frame
        One row a fault and table: `fault`, `table`, `finding` ("check", "reading" or "nothing"; "-" for
        false alarms that no fault put in would explain), `injected`, `found` (named by the check under
        one of the fault's names; or read as it was before), `missed`, `mended` (after cleaning the row is
        as it would be without the fault, or gone if it was added), `false_alarms` (sound rows that the
        check names for it), `undetectable`, `why`.
    false_alarms
        Sound rows that the check names though it does not name them in the clean register: `table`,
        `fault`, `row` (position in the dirty table).
    touched
        Sound rows that cleaning dropped or changed though it leaves them alone in the clean register:
        `table`, `row`, `what` ("dropped", or the columns changed).
    """

    frame: pd.DataFrame
    false_alarms: pd.DataFrame
    touched: pd.DataFrame

    @property
    def ok(self) -> bool:
        """True when each fault that can be found was found and no sound row was touched."""
        missed = self.frame.loc[~self.frame["undetectable"], "missed"]
        return bool(missed.eq(0).all()) and self.false_alarms.empty and self.touched.empty

    def describe(self) -> str:
        """Return the totals in words."""
        able = self.frame[~self.frame["undetectable"]]
        hidden = self.frame[self.frame["undetectable"]]
        return (
            f"{int(able['found'].sum())} of {int(able['injected'].sum())} rows with a fault that can be found were "
            f"found; {int(hidden['injected'].sum())} rows have a fault that nothing finds. Sound rows named: "
            f"{len(self.false_alarms)}; sound rows changed or dropped by cleaning: {len(self.touched)}."
        )


def score_cleaning(
    dirty: Dirty, register: Register | None = None, *, rules: Mapping[str, str] | None = None
) -> CleaningScore:
    """Check and clean a dirty register and compare with the truth.

    Parameters
    ----------
    dirty
        From `dirty`.
    register
        The dirty register as loaded, from `dirty.tables` or from the files of `write_dirty`, before
        cleaning. None loads `dirty.tables`.
    rules
        Cleaning rules, as for `clean_register`.

    Returns
    -------
    CleaningScore

    Raises
    ------
    ArgumentError
        When the register is cleaned already, or has other rows than `dirty.tables`.
    """
    loaded = load_register(dirty.tables, data_end=dirty.data_end.date()) if register is None else register
    _check_same(dirty, loaded)
    clean = load_register(dirty.clean, data_end=dirty.data_end.date())
    named = _named(loaded, rules)
    before = _named(clean, rules)
    truth = dirty.truth[dirty.truth["row"] >= 0]
    alarms = _false_alarms(dirty, truth, named, before)
    after = _cleaned(loaded, rules)
    without = _cleaned(clean, rules)
    as_read = {table: frame.reset_index(drop=True) for table, frame in loaded.tables().items()}
    marked = pd.concat(
        [_marked(dirty, table, part, named, after, without, as_read) for table, part in dirty.truth.groupby("table")]
        or [dirty.truth.assign(found=False, mended=False)]
    )
    return CleaningScore(_frame(marked, alarms), alarms, _touched(dirty, truth, after, without))


def _check_same(dirty: Dirty, register: Register) -> None:
    if register.cleaning:
        raise ArgumentError(
            "`register` has been cleaned already, so that its rows cannot be told. Give it as loaded; `rules` says how "
            "to clean it."
        )
    sizes = {table: len(frame) for table, frame in register.tables().items()}
    for table, frame in dirty.tables.items():
        if sizes.get(table) != len(frame):
            raise ArgumentError(
                f"`register` must hold the rows of `dirty.tables`: `{table}` has {len(frame)} rows there and "
                f"{sizes.get(table, 'none')} here. Load it from `dirty.tables` or from the files of `write_dirty`."
            )


def _named(register: Register, rules: Mapping[str, str] | None) -> pd.DataFrame:
    """Return table, fault and position of each row that the check names."""
    rows = check_register(register, rules=rules).rows()
    parts = []
    for table, part in rows.groupby("table", sort=False):
        index = pd.Index(register.tables()[str(table)].index)
        parts.append(part.assign(row=index.get_indexer(pd.Index(part["row"]))))
    return pd.concat(parts, ignore_index=True) if parts else rows


def _coded(frame: pd.DataFrame, row: str = "row") -> Rows:
    """Return one number for each fault and row."""
    faults = pd.Index(FAULT_NAMES).get_indexer(pd.Index(frame["fault"]))
    return np.asarray(frame[row].to_numpy(dtype=np.int64) * len(FAULT_NAMES) + faults, dtype=np.int64)


def _false_alarms(dirty: Dirty, truth: pd.DataFrame, named: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for table, part in named.groupby("table", sort=False):
        faulty = truth.loc[truth["table"] == table, "row"]
        sound = part[~part["row"].isin(faulty)]
        origin = sound.assign(row=dirty.clean_rows[str(table)][sound["row"].to_numpy()])
        known = np.isin(_coded(origin), _coded(before[before["table"] == table]))
        parts.append(sound[~known])
    return pd.concat(parts, ignore_index=True) if parts else named


def _cleaned(register: Register, rules: Mapping[str, str] | None) -> dict[str, pd.DataFrame]:
    """Return the cleaned tables with the position of each row before cleaning as index, added people left out."""
    tables = clean_register(register, rules=rules).tables()
    out = {}
    for table, frame in tables.items():
        places = pd.Index(register.tables()[table].index).get_indexer(frame.index)
        out[table] = frame[places >= 0].set_axis(places[places >= 0], axis=0)
    return out


def _differences(frame: pd.DataFrame, rows: Rows, other: pd.DataFrame, other_rows: Rows) -> dict[str, npt.NDArray[Any]]:
    """Return for each column where the rows of two tables differ; rows missing from a table differ in all."""
    left, right = frame.reindex(rows), other.reindex(other_rows)
    out = {}
    for name in frame.columns:
        a, b = left[name].reset_index(drop=True), right[name].reset_index(drop=True)
        if name == "person_id":
            a, b = a.map(_id_text), b.map(_id_text)
        out[name] = ~((a == b) | (a.isna() & b.isna())).to_numpy(dtype=bool)
    return out


def _id_text(value: Any) -> str | None:
    if value is None or value is pd.NA or value != value:
        return None
    return str(int(value)) if isinstance(value, float) else str(value)


def _touched(
    dirty: Dirty, truth: pd.DataFrame, after: dict[str, pd.DataFrame], without: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    parts = []
    for table, origin in dirty.clean_rows.items():
        faulty = truth.loc[truth["table"] == table, "row"].to_numpy(dtype=np.int64)
        rows = np.setdiff1d(np.flatnonzero(origin >= 0), faulty)
        kept_here = np.isin(rows, after[table].index)
        kept_there = np.isin(origin[rows], without[table].index)
        dropped = rows[kept_there & ~kept_here]
        both = rows[kept_there & kept_here]
        differ = _differences(after[table], both, without[table], origin[both])
        what = np.full(len(both), "", dtype=object)
        for name, mask in differ.items():
            what[mask] = [f"{text}, {name}".lstrip(", ") for text in what[mask]]
        changed = what != ""
        parts.append(pd.DataFrame({"table": table, "row": dropped, "what": "dropped"}))
        parts.append(pd.DataFrame({"table": table, "row": both[changed], "what": what[changed]}))
    return pd.concat(parts, ignore_index=True)


def _marked(
    dirty: Dirty,
    table: Any,
    part: pd.DataFrame,
    named: pd.DataFrame,
    after: dict[str, pd.DataFrame],
    without: dict[str, pd.DataFrame],
    as_read: dict[str, pd.DataFrame],
) -> pd.DataFrame:
    """Return the truth of a table with what was found and mended."""
    here = named[named["table"] == table]
    rows = part["row"].to_numpy(dtype=np.int64)
    origin = part["clean_row"].to_numpy(dtype=np.int64)
    found = np.zeros(len(part), dtype=bool)
    for fault in part["fault"].unique():
        chosen = (part["fault"] == fault).to_numpy()
        declared = BY_NAME[fault]
        if declared.finding == "reading":
            differ = _differences(as_read[table], rows[chosen], dirty.clean[table], origin[chosen])
            found[chosen] = ~np.logical_or.reduce(list(differ.values()))
        else:
            names = declared.found_by or FAULT_NAMES
            found[chosen] = np.isin(rows[chosen], here.loc[here["fault"].isin(names), "row"])
    kept = np.isin(rows, after[table].index)
    expected = np.isin(origin, without[table].index)
    differ = _differences(after[table], rows, without[table], origin)
    as_before = kept & expected & ~np.logical_or.reduce(list(differ.values()))
    added = (part["kind"] == "added").to_numpy()
    return part.assign(found=found, mended=np.where(added, ~kept, as_before))


def _frame(marked: pd.DataFrame, alarms: pd.DataFrame) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    explained = set()
    for (fault, table), part in marked.groupby(["fault", "table"], sort=False):
        declared = BY_NAME[str(fault)]
        n_found = int(part["found"].sum())
        false = alarms[(alarms["table"] == table) & alarms["fault"].isin(declared.found_by)]
        explained |= {(name, table) for name in declared.found_by}
        hidden = declared.finding == "nothing"
        counts = (len(part), n_found, len(part) - n_found, int(part["mended"].sum()), len(false))
        rows.append((fault, table, declared.finding, *counts, hidden, declared.why))
    for (fault, table), part in alarms.groupby(["fault", "table"], sort=False):
        if (fault, table) not in explained:
            rows.append((fault, table, "-", 0, 0, 0, 0, len(part), False, "no such fault was put into this table"))
    return pd.DataFrame(rows, columns=list(_COLUMNS))
