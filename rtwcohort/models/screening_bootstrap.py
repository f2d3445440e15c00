"""The whole screening procedure repeated on bootstrap samples: what it selects and how far it flatters itself.

Each sample of rows drawn with replacement goes through every step: a model for each predictor, the selection, the model
of those selected. That model is judged on its own sample and on the original rows; the mean difference is the optimism,
to be taken from the apparent figure [1]_.

References
----------
.. [1] Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat Med 1996;15:361-387.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import RtwCohortError
from rtwcohort.models.screening_family import Outcome, Rows, concordance_of, estimate, p_value, slope_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Procedure:
    """What is done to a sample.

    Attributes
    ----------
    outcome
        Of all rows.
    columns
        Term -> its columns, shape (n, p_t), NaN where the term is missing.
    threshold
        A term is selected when its p-value is below.
    test
        "wald" or "lr".
    always
        Terms kept whatever their p-value.
    """

    outcome: Outcome
    columns: Mapping[str, Floats]
    threshold: float
    test: str
    always: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Figures of the bootstrap samples, NaN where one could not be fitted.

    Attributes
    ----------
    selected
        Shape (B, terms), bool.
    own, original
        Shape (B, 2, 2): concordance and calibration slope of the selected and of the full model (second axis) in the
        sample and in the original rows.
    n_failed
        Samples in which no model could be fitted.
    """

    selected: npt.NDArray[np.bool_]
    own: Floats
    original: Floats
    n_failed: int


def select(procedure: Procedure, rows: Rows) -> tuple[str, ...]:
    """Return the terms whose univariable p-value in these rows is below the threshold, and those always kept."""
    chosen = []
    for term, columns in procedure.columns.items():
        own = rows[_complete(columns, rows)]
        if term in procedure.always or univariable_p(procedure, columns, own) < procedure.threshold:
            chosen.append(term)
    return tuple(chosen)


def univariable_p(procedure: Procedure, columns: Floats, rows: Rows) -> float:
    """Return the p-value of one term alone, 1 when it cannot be fitted."""
    X = columns[rows]
    if rows.size == 0 or not (np.ptp(X, axis=0) > 0.0).any():
        return 1.0
    try:
        return p_value(estimate(procedure.outcome, X, rows), procedure.test)
    except (RtwCohortError, np.linalg.LinAlgError):
        return 1.0


def joined(procedure: Procedure, terms: tuple[str, ...], rows: Rows) -> tuple[Floats, Rows]:
    """Return the columns of several terms and the rows where all are known."""
    X = np.column_stack([procedure.columns[term][rows] for term in terms])
    known = ~np.isnan(X).any(axis=1)
    return np.ascontiguousarray(X[known]), rows[known]


def judge(procedure: Procedure, terms: tuple[str, ...], rows: Rows, original: Rows) -> tuple[Floats, Floats]:
    """Fit the model of some terms to a sample and judge it there and in the original rows.

    Returns
    -------
    own, original
        Concordance and calibration slope, shape (2,). A model without terms has concordance 1/2 and no slope.
    """
    if not terms:
        return np.array([0.5, np.nan]), np.array([0.5, np.nan])
    X, own = joined(procedure, terms, rows)
    coef = estimate(procedure.outcome, X, own).coef
    Z, there = joined(procedure, terms, original)
    first, second = X @ coef, Z @ coef
    outcome = procedure.outcome
    return (
        np.array([concordance_of(outcome, first, own), slope_of(outcome, first, own)]),
        np.array([concordance_of(outcome, second, there), slope_of(outcome, second, there)]),
    )


def resample(procedure: Procedure, rows: Rows, *, n_boot: int, seed: int) -> Bootstrap:
    """Repeat the procedure and the full model on samples of `rows`."""
    random = np.random.default_rng(seed)
    names = tuple(procedure.columns)
    selected = np.zeros((n_boot, len(names)), dtype=np.bool_)
    own, original = np.full((n_boot, 2, 2), np.nan), np.full((n_boot, 2, 2), np.nan)
    n_failed = 0
    for b in range(n_boot):
        sample = rows[random.integers(0, rows.size, rows.size)]
        try:
            chosen = select(procedure, sample)
            own[b, 0], original[b, 0] = judge(procedure, chosen, sample, rows)
            own[b, 1], original[b, 1] = judge(procedure, names, sample, rows)
        except (RtwCohortError, np.linalg.LinAlgError):
            own[b], original[b] = np.nan, np.nan
            n_failed += 1
            continue
        selected[b] = [name in chosen for name in names]
    return Bootstrap(selected, own, original, n_failed)


def _complete(columns: Floats, rows: Rows) -> npt.NDArray[np.bool_]:
    return np.asarray(~np.isnan(columns[rows]).any(axis=1))
