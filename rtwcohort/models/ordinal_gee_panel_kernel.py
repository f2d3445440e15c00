"""Columns standardised and rows put in order, a block of rows at a time so that either memory order is read once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import ieee_kernel as kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_ROWS = 512


@kernel
def column_sums(X: Floats, centre: Floats, squares: bool) -> Floats:
    """Return the sums of X - centre, or of its squares, shape (p,)."""
    n, p = X.shape
    total = np.zeros(p)
    for start in range(0, n, _ROWS):
        stop = min(n, start + _ROWS)
        for a in range(p):
            part = 0.0
            for i in range(start, stop):
                value = X[i, a] - centre[a]
                part += value * value if squares else value
            total[a] += part
    return total


@kernel
def standardise(X: Floats, order: Ints, mean: Floats, spread: Floats) -> Floats:
    """Return (X - mean) / spread with the rows in `order` (as they are when it is empty), row by row in memory."""
    n, p = X.shape
    out = np.empty((n, p))
    for start in range(0, n, _ROWS):
        stop = min(n, start + _ROWS)
        for a in range(p):
            for i in range(start, stop):
                row = order[i] if order.size else i
                out[i, a] = (X[row, a] - mean[a]) / spread[a]
    return out
