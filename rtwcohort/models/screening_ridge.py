"""Ridge regression as the alternative to a screening: every predictor kept, every effect shrunk.

Maximises l(b) - lambda/2 times the sum of b_j^2 over standardised columns, with lambda where the cross-validated
log-likelihood is highest: the sum over folds k of l(b_-k) - l_-k(b_-k), b_-k being the estimates without fold k [1]_.

References
----------
.. [1] Verweij PJM, van Houwelingen HC. Cross-validation in survival analysis. Stat Med 1993;12:2305-2314.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtwcohort.core.control import DEFAULT_CONTROL
from rtwcohort.errors import ConvergenceError, RtwCohortError
from rtwcohort.models.newton import maximise
from rtwcohort.models.screening_family import Evaluation, Likelihood, Outcome, Rows, likelihood_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ridge:
    """The penalised model.

    Attributes
    ----------
    coef
        Shape (p,), per unit of the columns.
    penalty
        Lambda, for columns divided by their standard deviation.
    degrees
        Effective number of coefficients: trace of the information times the inverse of the penalised one.
    path
        Rows of lambda and cross-validated log-likelihood, shape (m, 2).
    at_edge
        Whether lambda is the largest tried: nothing predicts better than no predictor.
    n_folds
        Folds.
    """

    coef: Floats
    penalty: float
    degrees: float
    path: Floats
    at_edge: bool
    n_folds: int


def fit_ridge(outcome: Outcome, X: Floats, rows: Rows, penalty: float) -> tuple[Floats, float]:
    """Return the coefficients per unit and the effective number of coefficients, at one lambda."""
    likelihood = likelihood_of(outcome, X, rows)
    try:
        parameters = _maximum(likelihood, penalty, likelihood.start)
        information = likelihood.evaluate(parameters)[2]
    finally:
        likelihood.close()
    free = likelihood.n_free
    ridge = np.zeros(parameters.size)
    ridge[free:] = penalty
    hat = np.linalg.solve(information + np.diag(ridge), information)
    return parameters[free:] / likelihood.scale, float(np.trace(hat)) - free


def cross_validate(outcome: Outcome, X: Floats, rows: Rows, *, seed: int, n_folds: int = 10) -> Ridge:
    """Choose lambda and fit.

    Parameters
    ----------
    outcome
        Of all rows.
    X
        Shape (len(rows), p), every column varying.
    rows
        Complete rows.
    seed
        Of the division into folds, in which events (or categories) are spread evenly.
    n_folds
        At most as many as rows.

    Raises
    ------
    ConvergenceError
        When no lambda can be fitted in every fold.
    """
    grid = outcome.effective_events(rows) * np.logspace(-3.5, 1.5, 26)[::-1]
    fold = _folds(outcome, rows, n_folds, seed)
    whole = likelihood_of(outcome, X, rows)
    scores = np.zeros(grid.size)
    try:
        for k in range(n_folds):
            scores += _fold_scores(outcome, X, rows, fold != k, grid, whole)
    finally:
        whole.close()
    if not np.isfinite(scores).any():
        raise ConvergenceError("No ridge penalty could be cross-validated: some category is missing from a fold.")
    best = int(np.nanargmax(np.where(np.isfinite(scores), scores, np.nan)))
    coef, degrees = fit_ridge(outcome, X, rows, float(grid[best]))
    return Ridge(coef, float(grid[best]), degrees, np.column_stack([grid, scores]), best == 0, n_folds)


def _folds(outcome: Outcome, rows: Rows, n_folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Deal the rows of each kind to the folds in turn, after shuffling."""
    random = np.random.default_rng(seed)
    kind = outcome.event[rows] if outcome.family == "cox" else outcome.value[rows]
    order = random.permutation(rows.size)
    order = order[np.argsort(np.asarray(kind, dtype=np.float64)[order], kind="stable")]
    fold = np.empty(rows.size, dtype=np.int64)
    fold[order] = np.arange(rows.size) % n_folds
    return fold


def _fold_scores(
    outcome: Outcome, X: Floats, rows: Rows, inside: npt.NDArray[np.bool_], grid: Floats, whole: Likelihood
) -> Floats:
    """Return l(b_-k) - l_-k(b_-k) at each lambda; minus infinity where the fold cannot be fitted."""
    part = X[inside]
    spread = np.ptp(part, axis=0) > 0.0
    scores = np.full(grid.size, -np.inf)
    if not spread.any():
        return scores
    try:
        likelihood = likelihood_of(outcome, np.ascontiguousarray(part[:, spread]), rows[inside])
    except RtwCohortError:
        return scores
    if likelihood.n_free != whole.n_free:
        likelihood.close()
        return scores
    parameters = likelihood.start
    try:
        for m, penalty in enumerate(grid):
            parameters = _maximum(likelihood, float(penalty), parameters)
            outside = _transfer(likelihood, parameters, whole, spread)
            scores[m] = whole.evaluate(outside)[0] - likelihood.evaluate(parameters)[0]
    except RtwCohortError:
        pass
    finally:
        likelihood.close()
    return scores


def _transfer(likelihood: Likelihood, parameters: Floats, whole: Likelihood, spread: npt.NDArray[np.bool_]) -> Floats:
    """Return the same model in the standardised parameters of all rows."""
    free = likelihood.n_free
    slope = parameters[free:] / likelihood.scale
    outside = np.zeros(whole.start.size)
    outside[free:][spread] = slope * whole.scale[spread]
    outside[:free] = parameters[:free] + likelihood.sign * float(slope @ (whole.mean[spread] - likelihood.mean))
    return outside


def _maximum(likelihood: Likelihood, penalty: float, start: Floats) -> Floats:
    free = likelihood.n_free
    weight = np.zeros(start.size)
    weight[free:] = penalty

    def penalised(parameters: Floats) -> Evaluation:
        loglik, score, information = likelihood.evaluate(parameters)
        return (
            loglik - 0.5 * float(weight @ parameters**2),
            score - weight * parameters,
            information + np.diag(weight),
        )

    reach: Callable[[Floats], float] = lambda _: 0.0  # noqa: E731
    return maximise(penalised, start, DEFAULT_CONTROL, reach=reach).coef
