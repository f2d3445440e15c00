"""Score residuals and the sandwich variance of a Cox fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.wald import wald_test
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_kernel import CoxLikelihood
from rtwcohort.models.cox_passes_kernel import cross_products
from rtwcohort.models.cox_score_kernel import spread_rows, sums_by_cluster, weighted_score_residuals

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def score_residuals(data: CoxData, coef: Floats, *, ties: str = "efron") -> Floats:
    """Return the score residuals at coefficients, correct for ties.

    Parameters
    ----------
    data
        As kept in a fit.
    coef
        Shape (p,), per unit of the columns.
    ties
        "efron" or "breslow".

    Returns
    -------
    numpy.ndarray
        Shape (n, p), not multiplied by the case weights. Times the weights their sum is the score, and times the
        model-based variance they are the dfbeta.
    """
    likelihood = data.likelihood(ties)
    try:
        scaled = _finite(likelihood.scale)
        columns = weighted_score_residuals(likelihood, coef * scaled, in_place=True)
    finally:
        likelihood.close()
    out = np.zeros(data.matrix.shape)
    spread_rows(columns, likelihood.sets.order, scaled, likelihood.case, out)
    return out


def _finite(scale: Floats) -> Floats:
    return np.where(np.isfinite(scale), scale, 0.0)


def squared_scores(likelihood: CoxLikelihood, residuals: Floats, cluster: Ints | None, n_clusters: int) -> Floats:
    """Return the sum over people, or clusters of people, of score times score', shape (p, p).

    A row is a person, or as many as its weight where weights are copies.

    Parameters
    ----------
    likelihood
        Whose rows and threads are used.
    residuals
        Weighted score residuals, shape (p, m), in the order of the risk sets.
    cluster
        Shape (n,), codes in the order of the data; None when each row is on its own.
    n_clusters
        Number of codes.
    """
    if cluster is not None:
        # Brought into order once, not for every column; half as long, the codes stay in the cache.
        codes = (cluster.astype(np.int32) if n_clusters < 2**31 else cluster)[likelihood.sets.order]
        sums = np.zeros((residuals.shape[0], n_clusters))
        likelihood.run_columns(sums_by_cluster, lambda lo, hi: (residuals, codes, sums, lo, hi))
        return np.asarray(sums @ sums.T)
    if likelihood.copies:
        # A row's residuals are w u; the w people that it stands for add w u u', not (w u)(w u)'.
        residuals = residuals / np.sqrt(likelihood.case)
    ones = np.ones(residuals.shape[1])
    parts = likelihood.run(cross_products, lambda lo, hi: (residuals, ones, ones, lo, hi))
    return np.asarray(sum(part[1] for part in parts))


def sandwich(
    likelihood: CoxLikelihood,
    coef: Floats,
    model: Floats,
    *,
    cluster: Ints | None,
    n_clusters: int,
    n: int,
    small_sample: bool,
) -> Floats:
    """Return V (sum of score score') V, shape (p, p), all per standard deviation.

    The columns of the likelihood are overwritten: it is of no use afterwards.

    Parameters
    ----------
    likelihood
        At whose columns the coefficients are.
    coef, model
        Estimates (p,) and model-based variance V (p, p).
    cluster, n_clusters
        Codes and their number; rows are on their own when None.
    n
        Rows, for the factor.
    small_sample
        Multiply by G/(G - 1), or n/(n - 1).
    """
    residuals = weighted_score_residuals(likelihood, coef, in_place=True)
    middle = squared_scores(likelihood, residuals, cluster, n_clusters)
    count = n if cluster is None else n_clusters
    factor = count / (count - 1.0) if small_sample else 1.0
    return np.asarray(factor * (model @ middle @ model))


def robust_score_statistic(data: CoxData, ties: str) -> float:
    """Return score' x inverse(sum of score score' of rows or clusters) x score with all coefficients 0."""
    likelihood = data.likelihood(ties)
    try:
        residuals = weighted_score_residuals(likelihood, np.zeros(data.matrix.shape[1]), in_place=True)
        middle = squared_scores(likelihood, residuals, data.cluster, data.n_clusters)
    finally:
        likelihood.close()
    return wald_test(residuals.sum(axis=1), middle).statistic
