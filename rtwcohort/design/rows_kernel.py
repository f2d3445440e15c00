"""Columns to rows: a block of columns written row by row while it is in the cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel

Floats = npt.NDArray[np.float64]


@kernel
def lay_rows(columns: Floats, lo: int, hi: int, matrix: Floats) -> None:
    """Copy the first hi - lo values of each column, shape (p, m), to rows lo .. hi - 1 of the matrix, shape (n, p)."""
    p = columns.shape[0]
    for i in range(hi - lo):
        for j in range(p):
            matrix[lo + i, j] = columns[j, i]
