"""Whose states over which days: the window of a timeline."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_columns
from rtwcohort.core.days import MISSING_DAY, Days, day_of, iso, to_days
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.person_lookup import locate_people
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
    row = locate_people(register.persons["person_id"].to_numpy(), ids.to_numpy()).astype(np.int64)
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
