"""The first qualifying period of each person: one walk over the states, no walk over days.

Arrays named `start`, `end`, `present`, `share` (work share) and `back` (are these days back?) have one entry a
state; those of a person run from row `low` to before row `high`. Days are whole, periods half-open; a period
that was not found starts at `NONE`.
"""

from __future__ import annotations

from typing import Final

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

Flags = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint16]
Percent = npt.NDArray[np.float32]
Day = tuple[int, float, float]
"""What makes a day back: bits that must not be paid, grade not to be reached, work share to be exceeded."""
Period = tuple[int, int, bool]
"""First day, day after the last, and whether a period was still running at the end of follow-up."""


@kernel
def mark_back(
    state: npt.NDArray[np.int8], present: Bits, grade: Percent, share: Percent, day: Day, back: Flags
) -> None:
    """Fill `back`: whether the days of each state are back."""
    forbidden, grade_top, share_floor = day
    for i in range(len(back)):
        paid = int(present[i]) & forbidden
        back[i] = state[i] < GONE and paid == 0 and grade[i] < grade_top and share[i] > share_floor


@kernel
def add_length(day: int, length: int, unit: int) -> int:
    """Return the day `length` units later."""
    if unit == MONTHS:
        return int(add_months(day, length))
    return day + length * (7 if unit == WEEKS else 1)


@kernel
def state_at(end: Days, low: int, high: int, day: int) -> int:
    """Return the row of the state that holds `day`, or `high` when the states end before it."""
    i = low
    while i < high and end[i] <= day:
        i += 1
    return i


@kernel
def share_sum(start: Days, end: Days, share: Percent, low: int, high: int, first: int, after: int) -> float:
    """Sum the work share over the days from `first` to before `after`."""
    total = 0.0
    i = low
    while i < high and start[i] < after:
        days = min(int(end[i]), after) - max(int(start[i]), first)
        if days > 0:
            total += days * float(share[i])
        i += 1
    return total


@kernel
def onset(
    start: Days,
    present: Bits,
    share: Percent,
    back: Flags,
    low: int,
    high: int,
    stop: int,
    codes: npt.NDArray[np.int64],
    not_back_only: bool,
    floor: float,
) -> tuple[int, int]:
    """Return the first start of a competing benefit after state `low` and before `stop`, and its number.

    With `not_back_only`, a start on days that are back and whose work share is above `floor` is passed over.
    """
    for i in range(low + 1, high):
        if start[i] >= stop:
            break
        begun = int(present[i]) & ~int(present[i - 1])
        if begun == 0 or (not_back_only and back[i] and share[i] > floor):
            continue
        for code in codes:
            if begun & (1 << code):
                return int(start[i]), int(code)
    return stop, -1


@kernel
def consecutive(
    start: Days,
    end: Days,
    back: Flags,
    low: int,
    high: int,
    index: int,
    limit: int,
    latest: int,
    length: int,
    unit: int,
    iso: bool,
) -> Period:
    """Find the first run of back days that is long enough.

    Only the start of a run need be tried: a later start in the same run ends no earlier.
    """
    run, after = NONE, NONE
    for i in range(low, high):
        first = max(int(start[i]), index)
        if first >= limit:
            break
        if not back[i]:
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
    start: Days,
    end: Days,
    share: Percent,
    low: int,
    high: int,
    index: int,
    limit: int,
    latest: int,
    days: int,
    floor: float,
) -> Period:
    """Find the first day at work that opens `days` days whose mean work share exceeds `floor`.

    Between the days where the first or the last state of the window changes, the sum over the window is
    linear in its start, so that in each stretch the first start that will do is solved for.
    """
    last_start = min(latest, limit - days)
    target = floor * days
    i, s = low, index
    j = state_at(end, low, high, index + days)
    total = share_sum(start, end, share, low, high, index, index + days)
    while s <= last_start:
        here = float(share[i])
        at_work = here > TOLERANCE
        if at_work and total > target:
            return s, s + days, False
        slope = (float(share[j]) if j < high else 0.0) - here
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
    return NONE, NONE, works_between(start, end, share, low, high, max(last_start + 1, index), min(limit, latest + 1))


@kernel
def works_between(start: Days, end: Days, share: Percent, low: int, high: int, first: int, after: int) -> bool:
    """Tell whether any day from `first` to before `after` is a day at work."""
    for i in range(low, high):
        if start[i] >= after:
            break
        if end[i] > first and first < after and share[i] > TOLERANCE:
            return True
    return False


@kernel
def fixed_windows(
    start: Days,
    end: Days,
    share: Percent,
    low: int,
    high: int,
    index: int,
    limit: int,
    latest: int,
    length: int,
    unit: int,
    floor: float,
) -> Period:
    """Find the first of the windows one after another from the index date whose mean exceeds `floor`."""
    first, number, i = index, 0, low
    while first <= latest and first < limit:
        number += 1
        after = add_length(index, number * length, unit)
        if after > limit:
            return NONE, NONE, True
        i = state_at(end, i, high, first)
        if share_sum(start, end, share, i, high, first, after) > floor * (after - first):
            return first, after, False
        first = after
    return NONE, NONE, False


@kernel
def increase(
    start: Days,
    end: Days,
    share: Percent,
    low: int,
    high: int,
    index: int,
    limit: int,
    latest: int,
    months: int,
    floor: float,
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
        i = state_at(end, i, high, first)
        if share_sum(start, end, share, i, high, first, after) > floor * (after - first):
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
    end: Days,
    back: Flags,
    low: int,
    high: int,
    index: int,
    limit: int,
    latest: int,
    at: npt.NDArray[np.int64],
    unit: int,
) -> Period:
    """Find the first of the given days on which the person is back."""
    i = low
    for count in at:
        when = add_length(index, int(count), unit)
        if when > latest or when >= limit:
            break
        i = state_at(end, i, high, when)
        if i < high and back[i]:
            return when, when + 1, False
    return NONE, NONE, False


@kernel
def baseline_floor(start: Days, end: Days, share: Percent, low: int, high: int, index: int, days: int) -> float:
    """Return the mean work share of the `days` days that end with the index day, plus the tolerance."""
    return float(share_sum(start, end, share, low, high, index - days + 1, index + 1) / days + TOLERANCE)


@kernel
def find_returns(
    offset: npt.NDArray[np.int64],
    start: Days,
    end: Days,
    present: Bits,
    share: Percent,
    back: Flags,
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
    floor: float,
    codes: npt.NDArray[np.int64],
    not_back_only: bool,
    first_day: Days,
    last_day: Days,
    running: Flags,
) -> None:
    """Fill `first_day`, `last_day` (inclusive) and `running`; move `stop` and `cause` to a competing onset.

    Parameters
    ----------
    offset
        States of person p are rows `offset[p]` to `offset[p + 1] - 1`.
    person, index, stop, cause
        One entry an index date, shape (n,): row of the person, index day, the day from which nothing counts
        (death, emigration, retirement, day after the last known) and why.
    horizon, by_horizon
        Last day of a start, in days from the index day; whether confirmation must come by it too.
    hold, calendar, unit, length, at, baseline_days
        The rule.
    floor
        What the mean work share of a "mean" must exceed.
    codes, not_back_only
        Numbers of the competing benefits, and whether only a start on a day that is not back competes.
    first_day, last_day, running
        Output, shape (n,); `NONE` where no period was found. `running`: a period was cut short by the end of data.
    """
    for k in range(len(person)):
        index_day, begin, high = int(index[k]), int(offset[person[k]]), int(offset[person[k] + 1])
        low = state_at(end, begin, high, index_day)
        bar = floor
        if hold == INCREASE:
            bar = baseline_floor(start, end, share, begin, high, index_day, baseline_days)
        if len(codes) > 0:
            began, code = onset(start, present, share, back, low, high, int(stop[k]), codes, not_back_only, bar)
            if code >= 0:
                stop[k] = began
                cause[k] = code
        latest = index_day + horizon
        limit = min(int(stop[k]), latest + 1) if by_horizon else int(stop[k])
        if hold == CONSECUTIVE:
            s, after, cut = consecutive(
                start, end, back, low, high, index_day, limit, latest, length, unit, calendar == ISO_WEEKS
            )
        elif hold == POINT:
            s, after, cut = point(end, back, low, high, index_day, limit, latest, at, unit)
        elif hold == INCREASE:
            s, after, cut = increase(start, end, share, low, high, index_day, limit, latest, length, bar)
        elif calendar == WINDOWS:
            s, after, cut = fixed_windows(start, end, share, low, high, index_day, limit, latest, length, unit, bar)
        else:
            days = length * (7 if unit == WEEKS else 1)
            s, after, cut = rolling_mean(start, end, share, low, high, index_day, limit, latest, days, bar)
        first_day[k] = s
        last_day[k] = after - 1 if s != NONE else NONE
        running[k] = cut and limit == stop[k] and cause[k] == END_OF_DATA
