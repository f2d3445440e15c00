"""From the register's frames to what the sweep takes: whose window, which spells, grouped by person."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.core.days import MISSING_DAY, Days, day_of, iso, to_days
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError, RegisterError
from rtwcohort.outcomes.timeline_kernel import FAR, SPELL, Records, group_spells
from rtwcohort.register.benefits import BENEFIT_NAMES
from rtwcohort.register.register import Register


class Chosen(NamedTuple):
    """Whose states over which days.

    Attributes
    ----------
    row
        int64, shape (n,): row of each person in `register.persons`.
    from_day, to_day
        int32, shape (n,), half-open, never past `data_end + 1`.
    """

    row: npt.NDArray[np.int64]
    from_day: Days
    to_day: Days


class Grouped(NamedTuple):
    """Records in one block a person: those of person i are `offset[i]` to `offset[i + 1] - 1`."""

    records: Records
    offset: npt.NDArray[np.int64]


def locate_people(known: npt.NDArray[Any], ids: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the position of each id among `known`, -1 where it is unknown.

    Raises
    ------
    RegisterError
        When an id comes twice in `known`.
    """
    lookup = pd.Index(known)
    if not lookup.is_unique:
        n = int(lookup.duplicated().sum())
        raise RegisterError(
            f"`persons` must have one row a person; got {n} rows of a person seen above. Run clean_register first."
        )
    return np.asarray(lookup.get_indexer(pd.Index(ids)), dtype=np.int64)


def choose_people(register: Register, window: Any, data_end: int) -> Chosen:
    """Return the people and days that a `window` asks for, cut after `data_end`."""
    n_persons = len(register.persons)
    if window is None:
        started = to_days(register.benefits["start"])
        started = started[started != MISSING_DAY]
        first = min(int(started.min()), data_end) if len(started) else data_end
        return _same_for_all(n_persons, first, data_end)
    if isinstance(window, tuple | list):
        first, last = _pair(window)
        _check_order(np.array([first]), np.array([last]), data_end)
        return _same_for_all(n_persons, first, min(last, data_end))
    frame = to_pandas(window, argument="window")
    check_columns(frame.columns, ("person_id", "from_date", "to_date"), argument="window")
    ids = frame["person_id"]
    row = locate_people(register.persons["person_id"].to_numpy(), ids.to_numpy())
    _refuse(row < 0, "`window` may only name people of the register", "name a person who is not in `persons`")
    _refuse(ids.duplicated().to_numpy(), "`window` must have one row a person", "come again for a person seen above")
    from_day, last_day = to_days(frame["from_date"]), to_days(frame["to_date"])
    no_date = (from_day == MISSING_DAY) | (last_day == MISSING_DAY)
    _refuse(no_date, "`window` must give both `from_date` and `to_date`", "lack one")
    _check_order(from_day, last_day, data_end)
    return Chosen(row, from_day, (np.minimum(last_day, data_end) + 1).astype(np.int32))


def _same_for_all(n: int, first: int, last: int) -> Chosen:
    return Chosen(np.arange(n), np.full(n, first, np.int32), np.full(n, last + 1, np.int32))


def _pair(window: Any) -> tuple[int, int]:
    if len(window) != 2:
        raise ArgumentError(f"`window` must be a first and a last date; got {len(window)} values.")
    return day_of(window[0], argument="window"), day_of(window[1], argument="window")


def _check_order(first: npt.NDArray[Any], last: npt.NDArray[Any], data_end: int) -> None:
    _refuse(last < first, "`window` must end on or after its first day", "end before they start")
    _refuse(
        first > data_end,
        f"`window` must start on or before the last day known, {iso(data_end)}",
        "start later",
    )


def _refuse(bad: npt.NDArray[np.bool_], rule: str, came: str) -> None:
    if bad.any():
        n, first = int(np.count_nonzero(bad)), int(np.argmax(bad)) + 1
        raise ArgumentError(f"{rule}; got {n} of {len(bad)} windows that {came} (first: row {first}). Correct them.")


def group_benefits(register: Register, chosen: Chosen) -> Grouped:
    """Check the benefit spells and group those of the chosen people."""
    frame = register.benefits
    check_columns(frame.columns, ("person_id", "benefit", "start", "end", "grade"), argument="register.benefits")
    code = benefit_codes(frame["benefit"])
    _reject("benefits", "benefit", code < 0, "unknown or missing benefit")
    return _group(register, "benefits", frame, code, frame["grade"], "grade", 100.0, chosen)


def group_jobs(register: Register, chosen: Chosen) -> Grouped:
    """Check the employment spells and group those of the chosen people; the position takes the place of the grade."""
    frame = register.employment
    if frame is None or not len(frame):
        return Grouped(np.empty(0, SPELL), np.zeros(len(chosen.row) + 1, np.int64))
    check_columns(frame.columns, ("person_id", "start", "end", "position"), argument="register.employment")
    code = np.zeros(len(frame), np.int8)
    return _group(register, "employment", frame, code, frame["position"], "position", np.inf, chosen)


def benefit_codes(names: pd.Series[Any]) -> npt.NDArray[np.int8]:
    """Return the benefit number of each name, -1 where it is missing or unknown."""
    code, found = pd.factorize(names)
    number = {name: k for k, name in enumerate(BENEFIT_NAMES)}
    table = np.array([number.get(name, -1) for name in found] + [-1], dtype=np.int8)
    return table[code]


def _group(
    register: Register,
    table: str,
    frame: pd.DataFrame,
    code: npt.NDArray[np.int8],
    percent: pd.Series[Any],
    column: str,
    most: float,
    chosen: Chosen,
) -> Grouped:
    start, end = to_days(frame["start"]), to_days(frame["end"])
    amount = np.asarray(percent, dtype=np.float64)
    person = locate_people(register.persons["person_id"].to_numpy(), frame["person_id"].to_numpy())
    _reject(table, "start", start == MISSING_DAY, "missing start")
    _reject(table, "end", (end != MISSING_DAY) & (end < start), "`end` before `start`")
    _reject(table, column, np.isnan(amount), f"missing {column}")
    _reject(table, column, (amount < 0) | (amount > most), f"{column} outside its range")
    _reject(table, "person_id", person < 0, "a person who is not in `persons`")
    wanted = np.full(len(register.persons) + 1, -1, np.int64)
    wanted[chosen.row] = np.arange(len(chosen.row))
    stop = np.where(end == MISSING_DAY, FAR, np.minimum(end, FAR - 1) + 1).astype(np.int32)
    offset = np.zeros(len(chosen.row) + 1, np.int64)
    position = wanted[person]
    records = np.empty(int(np.count_nonzero(position >= 0)), SPELL)
    group_spells(position, start, stop, code, amount, offset, records)
    return Grouped(records, offset)


def _reject(table: str, column: str, bad: npt.NDArray[np.bool_], fault: str) -> None:
    if bad.any():
        n, first = int(np.count_nonzero(bad)), int(np.argmax(bad)) + 1
        raise RegisterError(
            f"`{table}.{column}`: a timeline needs a cleaned register; got {n} of {len(bad)} rows with {fault} "
            f"(first: row {first} of the table). Run clean_register on the register first."
        )
