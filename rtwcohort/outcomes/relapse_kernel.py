"""The first stretch of days that are not back after a confirmed return: one walk over the states."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.days import Days
from rtwcohort.core.jit import kernel
from rtwcohort.outcomes.rtw_kernel import (
    GONE,
    INCREASE,
    NONE,
    TOLERANCE,
    Day,
    States,
    is_back,
    onset,
    share_sum,
    state_at,
)


@kernel
def first_stretch(states: States, low: int, high: int, after: int, stop: int, days: int, day: Day) -> int:
    """Return the first of `days` days in a row that are not back, from `after` on and before `stop`."""
    start, end, state = states[0], states[1], states[2]
    run = NONE
    for i in range(low, high):
        first = max(int(start[i]), after)
        if first >= stop or state[i] >= GONE:
            break
        if is_back(i, states, day):
            run = NONE
            continue
        if run == NONE:
            run = first
        if run + days <= min(int(end[i]), stop):
            return run
    return NONE


@kernel
def find_relapses(
    offset: npt.NDArray[np.int64],
    states: States,
    person: npt.NDArray[np.int64],
    index: Days,
    origin: Days,
    confirmed: Days,
    stop: Days,
    cause: npt.NDArray[np.int8],
    horizon: int,
    hold: int,
    baseline_days: int,
    days: int,
    day: Day,
    codes: npt.NDArray[np.int64],
    not_back_only: bool,
    relapse: Days,
) -> None:
    """Fill `relapse`, shape (n,), `NONE` without one; move `stop` and `cause` to a competing benefit.

    Parameters are those of `find_returns`; `origin` is the first day of the return, from which the horizon
    counts, `confirmed` the last day of its qualifying period. A stretch that starts on the day on which a
    competing benefit starts belongs to that benefit.
    """
    for k in range(len(person)):
        begin, high = int(offset[person[k]]), int(offset[person[k] + 1])
        limits = day
        if hold == INCREASE:
            before = share_sum(states, begin, high, int(index[k]) - baseline_days + 1, int(index[k]) + 1)
            limits = (day[0], day[1], before / baseline_days + TOLERANCE)
        low = state_at(states, begin, high, int(confirmed[k]))
        found = first_stretch(states, low, high, int(confirmed[k]) + 1, int(stop[k]), days, limits)
        if len(codes) > 0:
            began, code = onset(states, low, high, int(stop[k]), limits, codes, not_back_only)
            if code >= 0:
                stop[k] = began
                cause[k] = code
                if found >= began:
                    found = NONE
        relapse[k] = found if found != NONE and found - origin[k] <= horizon else NONE
