"""Rank of a design matrix, with the column that is a linear combination of others named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import DesignError

Floats = npt.NDArray[np.float64]

_ALIASED = 1e-7
_CLEAR = 1e-6


def check_rank(matrix: Floats, names: Sequence[str]) -> None:
    """Raise unless the columns and a constant are linearly independent.

    Columns are taken in formula order, so that the later one of a dependent set is the one named. Each is centred
    and scaled; it counts as aliased when less than 1e-7 of its length is left outside the span of those before it.

    Parameters
    ----------
    matrix
        Shape (n, p), finite.
    names
        Readable names, length p.

    Raises
    ------
    DesignError
        Naming the column and the combination that it is.
    """
    n, p = matrix.shape
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
