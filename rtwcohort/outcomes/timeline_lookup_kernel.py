"""Questions to a timeline's rows: which row covers a day, how many days of absence lie in a window."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel

LEFT: int = 100
"""States from here on are of people who died or emigrated."""


@kernel
def row_at(start: npt.NDArray[np.int32], low: int, high: int, day: int) -> int:
    """Return the last row of `low` to `high` - 1 that starts on or before `day`, by bisection."""
    while high - low > 1:
        middle = (low + high) // 2
        if start[middle] <= day:
            low = middle
        else:
            high = middle
    return low


@kernel
def rows_at(
    offset: npt.NDArray[np.int64],
    start: npt.NDArray[np.int32],
    position: npt.NDArray[np.int64],
    day: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return the row that covers each day of shape (n, k) for the people at `position`; days lie in the window."""
    rows = np.empty(day.shape, np.int64)
    for i in range(day.shape[0]):
        low, high = offset[position[i]], offset[position[i] + 1]
        for k in range(day.shape[1]):
            rows[i, k] = row_at(start, low, high, day[i, k])
    return rows


@kernel
def sum_absence(
    offset: npt.NDArray[np.int64],
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    state: npt.NDArray[np.int8],
    grade: npt.NDArray[np.float32],
    position: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    observed: npt.NDArray[np.int64],
    absent: npt.NDArray[np.int64],
    weighted: npt.NDArray[np.float64],
) -> None:
    """Add up days observed, days with a grade above 0, and grade / 100 x days over [first, last), all (n, k)."""
    for i in range(first.shape[0]):
        low, high = offset[position[i]], offset[position[i] + 1]
        for k in range(first.shape[1]):
            row = row_at(start, low, high, first[i, k])
            while row < high and start[row] < last[i, k]:
                days = min(end[row], last[i, k]) - max(start[row], first[i, k])
                if days > 0 and state[row] < LEFT:
                    observed[i, k] += days
                    if grade[row] > 0:
                        absent[i, k] += days
                        weighted[i, k] += days * np.float64(grade[row]) / 100.0
                row += 1
