"""The first stretch of days that are not back after a confirmed return: one walk over the states."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.days import Days
from rtwcohort.core.jit import kernel
from rtwcohort.outcomes.rtw_kernel import INCREASE, NONE, Bits, Flags, Percent, baseline_floor, onset, state_at


@kernel
def first_stretch(
    start: Days,
    end: Days,
    share: Percent,
    back: Flags,
    low: int,
    high: int,
    after: int,
    stop: int,
    days: int,
    floor: float,
) -> int:
    """Return the first of `days` days in a row that are not back, from `after` on and before `stop`.

    Days that are back have a work share above `floor` too.
    """
    run = NONE
    for i in range(low, high):
        first = max(int(start[i]), after)
        if first >= stop:
            break
        if back[i] and share[i] > floor:
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
    start: Days,
    end: Days,
    present: Bits,
    share: Percent,
    back: Flags,
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
    floor: float,
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
        bar = floor
        if hold == INCREASE:
            bar = baseline_floor(start, end, share, begin, high, int(index[k]), baseline_days)
        low = state_at(end, begin, high, int(confirmed[k]))
        found = first_stretch(start, end, share, back, low, high, int(confirmed[k]) + 1, int(stop[k]), days, bar)
        if len(codes) > 0:
            began, code = onset(start, present, share, back, low, high, int(stop[k]), codes, not_back_only, bar)
            if code >= 0:
                stop[k] = began
                cause[k] = code
                if found >= began:
                    found = NONE
        relapse[k] = found if found != NONE and found - origin[k] <= horizon else NONE
