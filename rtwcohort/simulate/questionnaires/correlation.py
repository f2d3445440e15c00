"""Correlations between scales: a matrix, its check, and the triangular root that draws from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.portable import Floats, exp
from rtwcohort.simulate.questionnaires.items import Items
from rtwcohort.simulate.questionnaires.root import find_root

Matrix = list[list[float]]

_LEAST_PIVOT: Final = 1e-9
_TERMS: Final = 60


def lower_root(matrix: Matrix, names: Sequence[str], what: str) -> Matrix:
    """Return the lower triangle L with L L' = matrix (Cholesky), in plain doubles.

    Raises
    ------
    ArgumentError
        When the matrix is not positive definite; the message has the smallest eigenvalue and the pair of scales that
        weighs most in its direction.
    """
    size = len(matrix)
    root = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            left = matrix[row][column] - math.fsum(root[row][k] * root[column][k] for k in range(column))
            if row != column:
                root[row][column] = left / root[column][column]
            elif left < _LEAST_PIVOT:
                raise ArgumentError(_not_definite(matrix, names, what))
            else:
                root[row][row] = math.sqrt(left)
    return root


def _not_definite(matrix: Matrix, names: Sequence[str], what: str) -> str:
    values, vectors = np.linalg.eigh(np.asarray(matrix))
    weights = np.abs(vectors[:, 0])
    first, second = sorted(np.argsort(-weights, kind="stable")[:2].tolist()) if len(names) > 1 else (0, 0)
    if first == second:
        return f"{what} leave no variance to {names[0]}: {matrix[0][0]:.3g} is left. Make them weaker."
    return (
        f"{what} are not positive definite: the smallest eigenvalue is {values[0]:.3g}. Most in its way is the pair "
        f"{names[first]} and {names[second]} ({matrix[first][second]:.3g}). Bring it, or others of theirs, nearer to 0."
    )


def latent_correlation(first: Items, second: Items, sd_first: float, sd_second: float, wanted: float) -> float | None:
    """Return the correlation of the traits that gives the sums this correlation; None when none does.

    Notes
    -----
    With Hermite coefficients h of the expected sum given the trait, the covariance of two sums is
    sum over n of r^n h1_n h2_n (Mehler), and of one cut at t: loading^n phi(t) He_(n-1)(t) / sqrt(n!).
    """
    products = [one * two for one, two in zip(_hermite(first), _hermite(second), strict=True)]
    target = wanted * sd_first * sd_second

    def excess(r: float) -> float:
        power, terms = 1.0, []
        for product in products:
            power = power * r
            terms.append(power * product)
        return math.fsum(terms) - target

    return find_root(excess, -0.9999, 0.9999, tolerance=1e-12)


def _hermite(items: Items) -> list[float]:
    cuts: Floats = items.thresholds().ravel()
    density = exp(-0.5 * cuts * cuts) / 2.5066282746310002
    before, now = np.zeros_like(cuts), np.ones_like(cuts)
    out, scale = [], 1.0
    for n in range(1, _TERMS + 1):
        scale = scale * items.loading / math.sqrt(n)
        out.append(scale * math.fsum((density * now).tolist()))
        before, now = now, cuts * now - (n - 1) * before
    return out
