"""The three families of a screening behind one small interface: arrays in, estimates, concordance and slope out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.wald import chi_square_p, wald_test
from rtwcohort.design import BinaryResponse, OrdinalResponse, SurvResponse
from rtwcohort.errors import RtwCohortError
from rtwcohort.models.concordance_index import concordance
from rtwcohort.models.cox import fit_cox_arrays
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.glm import binomial
from rtwcohort.models.glm_rows import climb
from rtwcohort.models.glm_scale import standardise
from rtwcohort.models.newton import MonotoneLikelihoodWarning
from rtwcohort.models.ordinal import fit_ordinal_arrays
from rtwcohort.models.ordinal_likelihood import OrdinalData, OrdinalLikelihood

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Evaluation = tuple[float, Floats, Floats]
FamilyName = Literal["cox", "ordinal", "logistic"]
RESPONSES: dict[str, Literal["survival", "ordinal", "binary"]] = {
    "cox": "survival",
    "ordinal": "ordinal",
    "logistic": "binary",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of every row that has one.

    Attributes
    ----------
    family
        "cox", "ordinal" or "logistic".
    value
        Shape (n,): times, codes 0 to k - 1, or 0 and 1.
    event
        Shape (n,), bool; True everywhere but for "cox".
    entry
        Shape (n,), or None.
    """

    family: FamilyName
    value: Floats
    event: npt.NDArray[np.bool_]
    entry: Floats | None

    def effective_events(self, rows: Rows) -> float:
        """Return what limits the number of coefficients: events; the rarer outcome; n - sum of n_j^3/n^2 [1]_.

        References
        ----------
        .. [1] Harrell FE. Regression modeling strategies. 2nd ed. Springer 2015, table 4.1.
        """
        if self.family == "cox":
            return float(self.event[rows].sum())
        counts = np.bincount(self.value[rows].astype(np.int64)).astype(np.float64)
        n = counts.sum()
        return float(counts.min()) if self.family == "logistic" else float(n - np.sum(counts**3) / n**2)


@dataclass(frozen=True, slots=True)
class ArrayEstimates:
    """Estimates of one model on arrays.

    Attributes
    ----------
    coef, vcov
        Shape (p,) and (p, p); 0 and infinite for columns without spread in these rows.
    loglik, loglik_null
        Of the model and without predictors.
    """

    coef: Floats
    vcov: Floats
    loglik: float
    loglik_null: float


def outcome_of(family: FamilyName, response: SurvResponse | OrdinalResponse | BinaryResponse) -> Outcome:
    """Return the outcome as arrays."""
    if isinstance(response, SurvResponse):
        return Outcome(family, response.time, response.event, response.entry)
    values = response.codes if isinstance(response, OrdinalResponse) else response.values
    return Outcome(family, values.astype(np.float64), np.ones(values.size, dtype=np.bool_), None)


def estimate(outcome: Outcome, X: Floats, rows: Rows) -> ArrayEstimates:
    """Fit a model to some rows.

    Parameters
    ----------
    outcome
        Of all rows.
    X
        Shape (len(rows), p): predictors of the rows taken.
    rows
        Which rows; a row may come several times.

    Raises
    ------
    RtwCohortError
        When there is no estimate.
    """
    p = X.shape[1]
    spread = np.ptp(X, axis=0) > 0.0
    part = np.ascontiguousarray(X[:, spread])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonotoneLikelihoodWarning)
        coef, vcov, loglik, null = _FITS[outcome.family](outcome, part, rows)
    full, covariance = np.zeros(p), np.full((p, p), np.nan)
    full[spread] = coef
    covariance[np.ix_(spread, spread)] = vcov
    return ArrayEstimates(full, covariance, loglik, null)


def _cox(outcome: Outcome, X: Floats, rows: Rows) -> tuple[Floats, Floats, float, float]:
    entry = None if outcome.entry is None else outcome.entry[rows]
    fit = fit_cox_arrays(X, outcome.value[rows], outcome.event[rows], entry=entry)
    vcov = np.where(fit.monotone | fit.monotone[:, None], np.nan, fit.vcov)
    return fit.coef, vcov, fit.loglik, fit.loglik_null


def _ordinal(outcome: Outcome, X: Floats, rows: Rows) -> tuple[Floats, Floats, float, float]:
    _, codes = np.unique(outcome.value[rows], return_inverse=True)
    fit = fit_ordinal_arrays(X, codes.reshape(-1))
    runs = fit.monotone[-X.shape[1] :] if X.shape[1] else np.zeros(0, dtype=np.bool_)
    return fit.coef, np.where(runs | runs[:, None], np.nan, fit.coef_vcov), fit.loglik, fit.loglik_null


def _logistic(outcome: Outcome, X: Floats, rows: Rows) -> tuple[Floats, Floats, float, float]:
    y, standard = outcome.value[rows], standardise(X)
    fit = climb(standard.Z, y, _LOGIT(), extreme=_FAR)
    share = float(y.mean())
    null = float(y.size * (share * np.log(share) + (1 - share) * np.log(1 - share))) if 0 < share < 1 else 0.0
    vcov = np.full((X.shape[1], X.shape[1]), np.nan)
    if fit.settled:
        information = _bernoulli(standard.Z, y, fit.params)[2]
        vcov = standard.vcov(np.asarray(np.linalg.inv(information), dtype=np.float64))[1:, 1:]
    return standard.coef(fit.params)[1:], vcov, fit.loglik, null


_FAR = 30.0
_LOGIT = cache(partial(binomial, "logit"))
_FITS: dict[str, Callable[[Outcome, Floats, Rows], tuple[Floats, Floats, float, float]]] = {
    "cox": _cox,
    "ordinal": _ordinal,
    "logistic": _logistic,
}


def p_value(fit: ArrayEstimates, test: str) -> float:
    """Return the p-value of a model with one term: Wald, or the likelihood ratio where asked or Wald has none."""
    known = np.isfinite(fit.vcov.diagonal())
    if test == "wald" and known.any():
        found = wald_test(fit.coef[known], fit.vcov[np.ix_(known, known)]).p_value
        if np.isfinite(found):
            return found
    return chi_square_p(max(2.0 * (fit.loglik - fit.loglik_null), 0.0), float(max((fit.coef != 0.0).sum(), 1)))


def concordance_of(outcome: Outcome, score: Floats, rows: Rows) -> float:
    """Return how often the higher score goes with the earlier event, or with the higher category; ties count half."""
    if np.ptp(score) == 0.0:
        return 0.5
    entry = None if outcome.entry is None else outcome.entry[rows]
    direction: Literal["sooner", "later"] = "sooner" if outcome.family == "cox" else "later"
    found = concordance(score, outcome.value[rows], outcome.event[rows], entry=entry, direction=direction)
    return found.estimate


def slope_of(outcome: Outcome, score: Floats, rows: Rows) -> float:
    """Return the coefficient of the score as the only predictor: 1 where it was fitted, below 1 where it overfits."""
    if np.ptp(score) == 0.0:
        return np.nan
    try:
        return float(estimate(outcome, score[:, None], rows).coef[0])
    except RtwCohortError:
        return np.nan


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A log-likelihood of standardised columns.

    Attributes
    ----------
    evaluate
        From parameters to log-likelihood, score and information; the first `n_free` are thresholds or an intercept.
    start
        Parameters without effects.
    n_free
        Parameters that no penalty touches.
    mean, scale
        Shape (p,), by which the columns are centred and divided.
    sign
        Of the effects beside the free parameters: 1 for an intercept, -1 for thresholds.
    close
        To be called after use.
    """

    evaluate: Callable[[Floats], Evaluation]
    start: Floats
    n_free: int
    mean: Floats
    scale: Floats
    sign: float
    close: Callable[[], None]


def likelihood_of(outcome: Outcome, X: Floats, rows: Rows) -> Likelihood:
    """Return the likelihood of some rows, every column of which must vary."""
    if outcome.family == "cox":
        entry = None if outcome.entry is None else outcome.entry[rows]
        partial = CoxData(X, outcome.value[rows], outcome.event[rows], entry).likelihood("efron")
        return Likelihood(partial, np.zeros(X.shape[1]), 0, X.mean(axis=0), partial.scale, 1.0, partial.close)
    if outcome.family == "ordinal":
        _, codes = np.unique(outcome.value[rows], return_inverse=True)
        labels = tuple(str(code) for code in range(int(codes.max()) + 1))
        names = tuple(f"x{j}" for j in range(X.shape[1]))
        cumulative = OrdinalLikelihood(OrdinalData(X, codes.reshape(-1).astype(np.int32), labels, names), "logit")
        return Likelihood(
            cumulative,
            cumulative.start(),
            cumulative.n_thresholds,
            cumulative.mean,
            cumulative.scale,
            -1.0,
            cumulative.close,
        )
    y, standard = outcome.value[rows], standardise(X)
    start = np.zeros(X.shape[1] + 1)
    start[0] = np.log(y.mean() / (1.0 - y.mean()))
    return Likelihood(lambda b: _bernoulli(standard.Z, y, b), start, 1, X.mean(axis=0), X.std(axis=0), 1.0, _nothing)


def _bernoulli(Z: Floats, y: Floats, coef: Floats) -> Evaluation:
    eta: Any = Z @ coef
    share = 1.0 / (1.0 + np.exp(-eta))
    loglik = float(y @ eta - np.logaddexp(0.0, eta).sum())
    return loglik, Z.T @ (y - share), (Z * (share * (1.0 - share))[:, None]).T @ Z


def _nothing() -> None:
    return None
