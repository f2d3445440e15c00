"""Rank of a design matrix, with the column that is a linear combination of others named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import DesignError

Floats = npt.NDArray[np.float64]

_ALIASED = 1e-7
_CLEAR = 1e-6
_SHARE = 1e-9
_WELL_SCALED = 1e-4
_RUNS = 64
_RUN = 64


def check_rank(matrix: Floats, names: Sequence[str], *, within: tuple[Floats, Floats] | None = None) -> None:
    """Raise unless the columns and a constant are linearly independent.

    Columns are taken in formula order, so that the later one of a dependent set is the one named. Each is centred
    and scaled; it counts as aliased when less than 1e-7 of its length is left outside the span of those before it.

    Parameters
    ----------
    matrix
        Shape (n, p), finite.
    names
        Readable names, length p.
    within
        The smallest and the largest value of each column, shape (p,) each, where they are known: some of the rows then
        settle the ordinary case.

    Raises
    ------
    DesignError
        Naming the column and the combination that it is.
    """
    n, p = matrix.shape
    if within is not None and _some_rows_are_independent(matrix, *within):
        return
    mean = matrix.mean(axis=0)
    spread = _spread(matrix, mean)
    for j in range(p):
        if not spread[j] > 1e-12 * max(abs(mean[j]), 1e-300):
            raise DesignError(f"The column '{names[j]}' has one value in the {n} rows used: leave it out.")
    if _clearly_independent(matrix, mean, spread):
        return
    scaled = (matrix - mean) / (spread * np.sqrt(n))
    triangle: Floats = np.asarray(np.linalg.qr(scaled, mode="r")) if n >= p else scaled
    accepted: list[int] = []
    for j in range(p):
        basis, column = triangle.take(accepted, axis=1), triangle.take(j, axis=1)
        weights = np.linalg.lstsq(basis, column, rcond=None)[0] if accepted else np.zeros(0)
        if np.linalg.norm(column - basis @ weights) > _ALIASED:
            accepted.append(j)
            continue
        raise DesignError(_explain(j, accepted, weights * spread[j] / spread[accepted], mean, names))


def _some_rows_are_independent(matrix: Floats, low: Floats, high: Floats) -> bool:
    """Settle ordinary cases by the rows that make up some runs, or by all when there are few.

    Let C be the covariance of m of the n rows, with each column divided by half its range h in all rows. What is left
    of a column outside the span of a constant and others has over all rows at least the sum of squares that it has
    over the m, which is at least m h^2 times the smallest eigenvalue of C; and the column's own is at most n h^2. So
    the share of its length that is left is at least sqrt(m / n * eigenvalue), far above 1e-7 when that product is
    above 1e-9.
    """
    n = len(matrix)
    half = 0.5 * (high - low)
    if not (half > _WELL_SCALED * np.maximum(np.abs(low), np.abs(high))).all():
        return False
    columns = matrix.T if n <= _RUNS * _RUN else matrix[_runs(n)].T
    m = columns.shape[1]
    scaled = columns / half[:, None]
    scaled -= scaled.mean(axis=1, keepdims=True)
    return bool(np.linalg.eigvalsh(scaled @ scaled.T / m)[0] > max(_CLEAR, _SHARE * n / m))


def _runs(n: int) -> npt.NDArray[np.int64]:
    """Return the rows of runs that are spread evenly: neither a period in the rows nor their order settles them."""
    starts = np.linspace(0, n - _RUN, _RUNS).astype(np.int64)
    return (starts[:, None] + np.arange(_RUN)).reshape(-1)


def _spread(matrix: Floats, mean: Floats) -> Floats:
    return np.array([np.sqrt(np.square(matrix[:, j] - mean[j]).mean()) for j in range(matrix.shape[1])])


def _clearly_independent(matrix: Floats, mean: Floats, spread: Floats) -> bool:
    """Settle ordinary cases by the correlation matrix, which costs one pass over the rows."""
    n = len(matrix)
    covariance = matrix.T @ matrix / n - np.outer(mean, mean)
    correlation = covariance / np.outer(spread, spread)
    well_scaled = bool((np.abs(mean) < 1e4 * spread).all())
    return well_scaled and bool(np.linalg.eigvalsh(correlation)[0] > _CLEAR)


def _explain(j: int, accepted: list[int], weights: Floats, mean: Floats, names: Sequence[str]) -> str:
    """Write the aliased column as a sum of those before it."""
    size = np.abs(weights)
    parts = [
        f"{weight:.6g} x '{names[k]}'" if abs(weight - 1.0) > 1e-6 else f"'{names[k]}'"
        for k, weight in zip(accepted, weights, strict=True)
        if abs(weight) > 1e-6 * size.max()
    ]
    constant = float(mean[j] - weights @ mean[accepted])
    if abs(constant) > 1e-6 * max(abs(float(mean[j])), float(size.max()), 1e-300):
        parts.append(f"{constant:.6g}")
    combination = " + ".join(parts).replace("+ -", "- ")
    if names[j].startswith("cr(") and names[j] == names[max(accepted) + 1]:
        combination += " (a natural spline holds the constant: write constraints='center' inside cr())"
    return (
        f"The column '{names[j]}' is a linear combination of those before it: '{names[j]}' = {combination}. "
        "Its effect cannot be told from theirs: leave one of them out."
    )
