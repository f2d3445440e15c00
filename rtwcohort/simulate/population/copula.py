"""A Gaussian copula: normal scores with a given correlation, the same bits on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.portable import Floats

_LEAST = 1e-8


def cholesky(matrix: Sequence[Sequence[float]], names: Sequence[str]) -> list[list[float]]:
    """Return the lower triangle L with L L' = matrix.

    Parameters
    ----------
    matrix
        Correlations, shape (p, p).
    names
        What the rows are called, for messages.

    Raises
    ------
    ScenarioError
        When the matrix has another shape than the names, is not symmetric with ones on the diagonal, holds a number
        outside -1 to 1, or is not positive definite.
    """
    p = len(names)
    if len(matrix) != p or any(len(row) != p for row in matrix):
        raise ScenarioError(f"`matrix` must have {p} rows of {p} numbers, one for each of {', '.join(names)}.")
    _check_entries(matrix, names)
    lower: list[list[float]] = []
    for i in range(p):
        row: list[float] = []
        for j in range(i):
            row.append((matrix[i][j] - _dot(row, lower[j], j)) / lower[j][j])
        left = 1.0 - _dot(row, row, i)
        if left < _LEAST:
            smallest = float(np.linalg.eigvalsh(np.asarray(matrix, dtype=np.float64))[0])
            raise ScenarioError(
                f"`matrix` must be positive definite; its smallest eigenvalue is {smallest:.4g}. '{names[i]}' is more "
                f"closely tied to {', '.join(names[:i])} than these are to each other: make its correlations smaller."
            )
        row.append(math.sqrt(left))
        lower.append(row)
    return lower


def correlate(scores: Sequence[Floats], lower: Sequence[Sequence[float]]) -> list[Floats]:
    """Turn independent normal scores, p arrays of shape (n,), into correlated ones."""
    out = []
    for row in lower:
        total = np.zeros_like(scores[0])
        for weight, score in zip(row, scores, strict=False):
            total = total + weight * score
        out.append(total)
    return out


def _dot(left: Sequence[float], right: Sequence[float], n: int) -> float:
    total = 0.0
    for k in range(n):
        total += left[k] * right[k]
    return total


def _check_entries(matrix: Sequence[Sequence[float]], names: Sequence[str]) -> None:
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            if i == j and value != 1.0:
                raise ScenarioError(f"`matrix` must have 1 on its diagonal; got {value!r} for '{names[i]}'.")
            if not -1.0 <= value <= 1.0:
                raise ScenarioError(
                    f"`matrix` must hold correlations from -1 to 1; got {value!r} for '{names[i]}' and '{names[j]}'."
                )
            if value != matrix[j][i]:
                raise ScenarioError(
                    f"`matrix` must be symmetric; '{names[i]}' and '{names[j]}' have {value!r} and {matrix[j][i]!r}."
                )
