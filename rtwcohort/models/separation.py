"""Separation: whether some combination of predictors sends an estimate to infinity, by linear programming.

A logistic or log-linear model has no finite maximum exactly when a direction d exists in which no row's log-likelihood
falls: x'd >= 0 where the row pulls upwards only, x'd <= 0 where it pulls downwards only, x'd = 0 where it pulls both
ways, and not all zero [1]_.

References
----------
.. [1] Albert A, Anderson JA. On the existence of maximum likelihood estimates in logistic regression models. Biometrika
   1984;71:1-10. Konis K. Linear programming algorithms for detecting separated data. Oxford 2007.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import ConvergenceError
from rtwcohort.models.newton import MonotoneLikelihoodWarning

Floats = npt.NDArray[np.float64]
_ZERO = 1e-7


@dataclass(frozen=True, slots=True)
class Separation:
    """The direction in which the likelihood keeps rising.

    Attributes
    ----------
    direction
        Shape (p,), the intercept included.
    overlapping
        Shape (n,): rows that the direction leaves where they are; the other estimates rest on them.
    """

    direction: Floats
    overlapping: npt.NDArray[np.bool_]


def find_separation(X: Floats, pull: npt.ArrayLike) -> Separation | None:
    """Find the rows that can be separated, all of them at once; None when the estimates are finite.

    Parameters
    ----------
    X
        Shape (n, p), the intercept included; columns of comparable scale.
    pull
        Shape (n,): 1 where a row's likelihood only rises with the linear predictor (outcome 1), -1 where it only falls
        (outcome 0; a count of 0), 0 where it does both (a count above 0).
    """
    from scipy import sparse
    from scipy.optimize import linprog

    pulls = np.asarray(pull, dtype=np.float64)
    rows, inverse = np.unique(np.column_stack([X, pulls]), axis=0, return_inverse=True)
    free = rows[:, -1] != 0.0
    n, p = int(free.sum()), X.shape[1]
    if n == 0:
        return None
    # Maximise the sum of slacks 0 <= t <= 1 with t <= sign x'd. The sum of two solutions is a solution, so that every
    # row that some direction separates has t = 1 at the optimum.
    signed = sparse.csr_matrix(-rows[free, :-1] * rows[free, -1:])
    fixed = sparse.csr_matrix(rows[~free, :-1])
    found = linprog(
        np.concatenate([np.zeros(p), -np.ones(n)]),
        A_ub=sparse.hstack([signed, sparse.eye(n)], format="csr"),
        b_ub=np.zeros(n),
        A_eq=sparse.hstack([fixed, sparse.csr_matrix((fixed.shape[0], n))], format="csr"),
        b_eq=np.zeros(fixed.shape[0]),
        bounds=[(None, None)] * p + [(0.0, 1.0)] * n,
        method="highs",
    )
    if found.x is None:
        raise ConvergenceError(f"Whether the outcome is separated could not be settled: {found.message}")
    slack = found.x[p:]
    if slack.max() < 0.5:
        return None
    apart = np.zeros(len(rows), dtype=np.bool_)
    apart[np.flatnonzero(free)[slack > 0.5]] = True
    direction = np.where(np.abs(found.x[:p]) > _ZERO * np.abs(found.x[:p]).max(), found.x[:p], 0.0)
    return Separation(direction, ~apart[np.asarray(inverse).reshape(-1)])


def name_separated(limit: Floats, names: Sequence[str], outcome: str) -> str:
    """Say which estimates are infinite and what to do."""
    listed = ", ".join(f"'{name}'" for name, end in zip(names, limit, strict=True) if np.isinf(end))
    lost = ", ".join(f"'{name}'" for name, end in zip(names, limit, strict=True) if np.isnan(end))
    return (
        f"The predictors separate `{outcome}`: the estimate of {listed} is infinite, for some group has one outcome "
        "only. Its standard error and Wald test mean nothing; merge categories or leave the term out. The "
        "likelihood-ratio test still holds." + (f" Nothing is left to estimate {lost} by." if lost else "")
    )


def warn_separated(limit: Floats, names: Sequence[str], outcome: str, *, stacklevel: int) -> None:
    """Warn that estimates are infinite, by name."""
    warnings.warn(name_separated(limit, names, outcome), MonotoneLikelihoodWarning, stacklevel=stacklevel)
