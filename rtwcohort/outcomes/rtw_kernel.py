"""The first qualifying period of each person: one walk over the states, no walk over days.

`states` is the tuple (start, end, state, present, grade, work_share) of a timeline. `day` is what makes a
day back: (bits that must not be paid, grade that must not be reached, work share that must be exceeded).
Days are whole, periods half-open; a period that was not found starts at `NONE`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.days import Days
from rtwcohort.core.jit import kernel
from rtwcohort.outcomes.calendar_kernel import add_months

TOLERANCE: Final = 1e-4
"""Percent. Grades and work shares are float32: a bound is met when it is missed by rounding only."""

CONSECUTIVE, MEAN, INCREASE, POINT = 0, 1, 2, 3
DAYS, WEEKS, MONTHS = 0, 1, 2
ROLLING, ISO_WEEKS, WINDOWS = 0, 1, 2

DEATH, EMIGRATION, RETIREMENT, END_OF_DATA, HORIZON = 50, 51, 52, 53, 54
"""Why follow-up ended; smaller codes are benefit numbers."""

GONE: Final = 100
"""States from here on are death and emigration."""

NONE: Final = int(np.iinfo(np.int32).min)
"""No such day; smaller than every real day."""

States = tuple[Any, ...]
Day = tuple[int, float, float]
Period = tuple[int, int, bool]
"""First day, day after the last, and whether a period was still running at the end of follow-up."""


@kernel
def is_back(i: int, states: States, day: Day) -> bool:
    """Tell whether the days of state i are back."""
    _, _, state, present, grade, work_share = states
    forbidden, grade_top, share_floor = day
    return bool(
        state[i] < GONE and (int(present[i]) & forbidden) == 0 and grade[i] < grade_top and work_share[i] > share_floor
    )


@kernel
def add_length(day: int, length: int, unit: int) -> int:
    """Return the day `length` units later."""
    if unit == MONTHS:
        return int(add_months(day, length))
    return day + length * (7 if unit == WEEKS else 1)


@kernel
def state_at(states: States, low: int, high: int, day: int) -> int:
    """Return the row of the state that holds `day`, or `high` when the states end before it."""
    end = states[1]
    i = low
    while i < high and end[i] <= day:
        i += 1
    return i


@kernel
def share_sum(states: States, low: int, high: int, first: int, after: int) -> float:
    """Sum the work share over the days from `first` to before `after`."""
    start, end, work_share = states[0], states[1], states[5]
    total = 0.0
    i = low
    while i < high and start[i] < after:
        days = min(int(end[i]), after) - max(int(start[i]), first)
        if days > 0:
            total += days * float(work_share[i])
        i += 1
    return total


@kernel
def onset(
    states: States, low: int, high: int, stop: int, day: Day, codes: npt.NDArray[np.int64], not_back_only: bool
) -> tuple[int, int]:
    """Return the first start of a competing benefit after state `low` and before `stop`, and its number."""
    start, present = states[0], states[3]
    for i in range(low + 1, high):
        if start[i] >= stop:
            break
        begun = int(present[i]) & ~int(present[i - 1])
        if begun == 0 or (not_back_only and is_back(i, states, day)):
            continue
        for code in codes:
            if begun & (1 << code):
                return int(start[i]), int(code)
    return stop, -1


@kernel
def consecutive(
    states: States,
    low: int,
    high: int,
    index: int,
    limit: int,
    latest: int,
    length: int,
    unit: int,
    iso: bool,
    day: Day,
) -> Period:
    """Find the first run of back days that is long enough.

    Only the start of a run need be tried: a later start in the same run ends no earlier.
    """
    start, end = states[0], states[1]
    run = NONE
    for i in range(low, high):
        first = max(int(start[i]), index)
        if first >= limit:
            break
        if not is_back(i, states, day):
            run = NONE
            continue
        if run == NONE:
            run = first + (-(first + 3)) % 7 if iso else first
            if run > latest:
                return NONE, NONE, False
        after = add_length(run, length, unit)
        if after <= min(int(end[i]), limit):
            return run, after, False
    return NONE, NONE, run != NONE


@kernel
def rolling_mean(
    states: States, low: int, high: int, index: int, limit: int, latest: int, days: int, floor: float
) -> Period:
    """Find the first day at work that opens `days` days whose mean work share exceeds `floor`.

    Between the days where the first or the last state of the window changes, the sum over the window is
    linear in its start, so that in each stretch the first start that will do is solved for.
    """
    end, work_share = states[1], states[5]
    last_start = min(latest, limit - days)
    target = floor * days
    i, s = low, index
    j = state_at(states, low, high, index + days)
    total = share_sum(states, low, high, index, index + days)
    while s <= last_start:
        share = float(work_share[i])
        at_work = share > TOLERANCE
        if at_work and total > target:
            return s, s + days, False
        slope = (float(work_share[j]) if j < high else 0.0) - share
        step = int(end[i]) - s
        if j < high:
            step = min(step, int(end[j]) - s - days)
        if at_work and slope > 0.0 and total + slope * step > target:
            ahead = max(int((target - total) / slope) - 1, 1)
            while total + slope * ahead <= target:
                ahead += 1
            if ahead < step and s + ahead <= last_start:
                return s + ahead, s + ahead + days, False
        s += step
        total += slope * step
        if s == end[i]:
            i += 1
        if j < high and s + days == end[j]:
            j += 1
    return NONE, NONE, works_between(states, low, high, max(last_start + 1, index), min(limit, latest + 1))


@kernel
def works_between(states: States, low: int, high: int, first: int, after: int) -> bool:
    """Tell whether any day from `first` to before `after` is a day at work."""
    start, end, work_share = states[0], states[1], states[5]
    for i in range(low, high):
        if start[i] >= after:
            break
        if end[i] > first and first < after and work_share[i] > TOLERANCE:
            return True
    return False


@kernel
def fixed_windows(
    states: States, low: int, high: int, index: int, limit: int, latest: int, length: int, unit: int, floor: float
) -> Period:
    """Find the first of the windows one after another from the index date whose mean exceeds `floor`."""
    first, number, i = index, 0, low
    while first <= latest and first < limit:
        number += 1
        after = add_length(index, number * length, unit)
        if after > limit:
            return NONE, NONE, True
        i = state_at(states, i, high, first)
        if share_sum(states, i, high, first, after) > floor * (after - first):
            return first, after, False
        first = after
    return NONE, NONE, False


@kernel
def increase(
    states: States, low: int, high: int, index: int, limit: int, latest: int, months: int, floor: float
) -> Period:
    """Find the first `months` months in a row, counted from the index date, whose means all exceed `floor`."""
    run, number, i = NONE, 0, low
    first = index
    held = 0
    while first < limit and (held > 0 or first <= latest):
        number += 1
        after = int(add_months(index, number))
        if after > limit:
            return NONE, NONE, True
        i = state_at(states, i, high, first)
        if share_sum(states, i, high, first, after) > floor * (after - first):
            run = first if held == 0 else run
            held += 1
            if held == months:
                return run, after, False
        else:
            held = 0
        first = after
    return NONE, NONE, held > 0


@kernel
def point(
    states: States,
    low: int,
    high: int,
    index: int,
    limit: int,
    latest: int,
    at: npt.NDArray[np.int64],
    unit: int,
    day: Day,
) -> Period:
    """Find the first of the given days on which the person is back."""
    i = low
    for count in at:
        when = add_length(index, int(count), unit)
        if when > latest or when >= limit:
            break
        i = state_at(states, i, high, when)
        if i < high and is_back(i, states, day):
            return when, when + 1, False
    return NONE, NONE, False


@kernel
def find_returns(
    offset: npt.NDArray[np.int64],
    states: States,
    person: npt.NDArray[np.int64],
    index: Days,
    stop: Days,
    cause: npt.NDArray[np.int8],
    horizon: int,
    by_horizon: bool,
    hold: int,
    calendar: int,
    unit: int,
    length: int,
    at: npt.NDArray[np.int64],
    baseline_days: int,
    day: Day,
    codes: npt.NDArray[np.int64],
    not_back_only: bool,
    first_day: Days,
    last_day: Days,
    running: npt.NDArray[np.bool_],
) -> None:
    """Fill `first_day`, `last_day` (inclusive) and `running`; move `stop` and `cause` to a competing onset.

    Parameters
    ----------
    offset, states
        The timeline's; states of person p are rows `offset[p]` to `offset[p + 1] - 1`.
    person, index, stop, cause
        One row an index date, shape (n,): row of the person, index day, the day from which nothing counts
        (death, emigration, retirement, day after the last known) and why.
    horizon, by_horizon
        Last day of a start, in days from the index day; whether confirmation must come by it too.
    hold, calendar, unit, length, at, baseline_days, day
        The rule.
    codes, not_back_only
        Numbers of the competing benefits, and whether only a start on a day that is not back competes.
    first_day, last_day, running
        Output, shape (n,); `NONE` where no period was found. `running`: a period was cut short by the end of data.
    """
    for k in range(len(person)):
        index_day = int(index[k])
        high = int(offset[person[k] + 1])
        begin = int(offset[person[k]])
        low = state_at(states, begin, high, index_day)
        limits = day
        if hold == INCREASE:
            before = share_sum(states, begin, high, index_day - baseline_days + 1, index_day + 1)
            limits = (day[0], day[1], before / baseline_days + TOLERANCE)
        if len(codes) > 0:
            began, code = onset(states, low, high, int(stop[k]), limits, codes, not_back_only)
            if code >= 0:
                stop[k] = began
                cause[k] = code
        latest = index_day + horizon
        limit = min(int(stop[k]), latest + 1) if by_horizon else int(stop[k])
        if hold == CONSECUTIVE:
            s, after, open_end = consecutive(
                states, low, high, index_day, limit, latest, length, unit, calendar == ISO_WEEKS, limits
            )
        elif hold == POINT:
            s, after, open_end = point(states, low, high, index_day, limit, latest, at, unit, limits)
        elif hold == INCREASE:
            s, after, open_end = increase(states, low, high, index_day, limit, latest, length, limits[2])
        elif calendar == WINDOWS:
            s, after, open_end = fixed_windows(states, low, high, index_day, limit, latest, length, unit, limits[2])
        else:
            days = length * (7 if unit == WEEKS else 1)
            s, after, open_end = rolling_mean(states, low, high, index_day, limit, latest, days, limits[2])
        first_day[k] = s
        last_day[k] = after - 1 if s != NONE else NONE
        running[k] = open_end and limit == stop[k] and cause[k] == END_OF_DATA
