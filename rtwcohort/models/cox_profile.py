"""Likelihood-ratio tests of terms and profile-likelihood intervals of a Cox fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.wald import chi_square_p, normal_quantile
from rtwcohort.errors import ArgumentError, ConvergenceError
from rtwcohort.models.cox_firth import PenalisedLikelihood, maximise_penalised
from rtwcohort.models.cox_fit import CoxFit
from rtwcohort.models.cox_kernel import CoxLikelihood
from rtwcohort.models.newton import Evaluation, maximise

Floats = npt.NDArray[np.float64]

_CLOSE = 1e-10
_MAX_STEPS = 60
_FAR = 60.0


class _Profile(NamedTuple):
    """The likelihood maximised over the other coefficients: its value, its slope in the one, and all coefficients."""

    value: float
    slope: float
    coef: Floats


def profile_intervals(
    fit: CoxFit, terms: str | Sequence[str] | None = None, *, level: float = 0.95, exponentiate: bool = False
) -> pd.DataFrame:
    """Return profile-likelihood intervals: the values that a likelihood-ratio test does not reject.

    Parameters
    ----------
    fit
        With any ties; penalised fits are profiled on the penalised likelihood.
    terms
        Names of terms or coefficients; all when None.
    level
        Confidence level.
    exponentiate
        Give hazard ratios.

    Returns
    -------
    pandas.DataFrame
        `term, estimate, conf_low, conf_high`. Where the likelihood is monotone the estimate and one limit are infinite
        and the other limit is finite.

    Raises
    ------
    ArgumentError
        For an unknown term, or a fit whose likelihood is none (probability weights, clusters).
    """
    _check_likelihood(fit)
    names = list(fit.terms) if terms is None else [terms] if isinstance(terms, str) else list(terms)
    places = list(dict.fromkeys(place for name in names for place in fit.places(name)))
    z = normal_quantile(level)
    likelihood = fit.data.evaluator(fit.ties)
    try:
        scale = likelihood.scale
        rows = []
        for j in places:
            estimate, low, high = _interval(likelihood, fit, scale, j, z)
            rows.append((fit.terms[j], estimate / scale[j], low / scale[j], high / scale[j]))
    finally:
        likelihood.close()
    table = pd.DataFrame(rows, columns=["term", "estimate", "conf_low", "conf_high"])
    if exponentiate:
        for column in ("estimate", "conf_low", "conf_high"):
            table[column] = np.exp(table[column])
    return table


def term_ratio_tests(fit: CoxFit) -> pd.DataFrame:
    """Return the likelihood-ratio test of each term: `term, df, statistic, p_value`."""
    _check_likelihood(fit)
    likelihood = fit.data.evaluator(fit.ties)
    rows = []
    try:
        start = fit.coef * likelihood.scale
        for name, group in fit.groups.items():
            free = np.ones(start.size, dtype=np.bool_)
            free[group] = False
            without = _restricted(likelihood, fit, np.where(free, start, 0.0), free)
            statistic = max(2.0 * (fit.loglik - without.value), 0.0)
            df = int(np.count_nonzero(~free))
            rows.append((name, df, statistic, chi_square_p(statistic, df)))
    finally:
        likelihood.close()
    return pd.DataFrame(rows, columns=["term", "df", "statistic", "p_value"])


def _check_likelihood(fit: CoxFit) -> None:
    if fit.choices.variance == "cluster" or fit.choices.weight_type == "probability":
        raise ArgumentError(
            "A likelihood ratio needs a likelihood of independent rows; this fit has clusters or probability weights. "
            "Use the Wald tests and intervals, which take the sandwich variance."
        )


def _restricted(likelihood: object, fit: CoxFit, coef: Floats, free: npt.NDArray[np.bool_]) -> _Profile:
    """Maximise over the free coefficients, the others kept where they are.

    Coefficients that run away in the fit itself start from 0, from where they can run again.
    """
    start = np.where(free & fit.monotone, 0.0, coef)
    fixed = np.flatnonzero(~free)
    if fit.choices.penalty == "firth":
        assert isinstance(likelihood, CoxLikelihood)
        if not free.any():
            value, score, _ = PenalisedLikelihood(likelihood, fit.control)(start)
            return _Profile(value, float(score[fixed[0]]), start)
        result = maximise_penalised(likelihood, start, fit.control, free=free)
        score = PenalisedLikelihood(likelihood, fit.control)(result.coef)[1]
        return _Profile(result.loglik, float(score[fixed[0]]), result.coef)
    evaluate: Callable[[Floats], Evaluation] = likelihood  # type: ignore[assignment]
    if not free.any():
        value, score, _ = evaluate(start)
        return _Profile(value, float(score[fixed[0]]), start)

    def part(values: Floats) -> Evaluation:
        full = start.copy()
        full[free] = values
        value, score, information = evaluate(full)
        return value, score[free], information[np.ix_(free, free)]

    def reach(values: Floats) -> float:
        full = start.copy()
        full[free] = values
        return float(likelihood.reach(np.where(free, full, 0.0)))  # type: ignore[attr-defined]

    result = maximise(part, start[free], fit.control, reach=reach)
    full = start.copy()
    full[free] = result.coef
    return _Profile(result.loglik, float(evaluate(full)[1][fixed[0]]), full)


def _interval(likelihood: object, fit: CoxFit, scale: Floats, j: int, z: float) -> tuple[float, float, float]:
    """Return estimate and limits of one coefficient per standard deviation."""
    best = float(fit.limit[j] * scale[j])
    if np.isnan(best):
        return best, -np.inf, np.inf
    limits = []
    for side in (-1.0, 1.0):
        runs_away = np.isinf(best) and np.sign(best) == side
        limits.append(side * np.inf if runs_away else _limit(likelihood, fit, scale, j, side, z))
    return best, limits[0], limits[1]


def _limit(likelihood: object, fit: CoxFit, scale: Floats, j: int, side: float, z: float) -> float:
    """Find where the signed root of twice the fall of the profile is `side` x z, by Newton steps within a bracket."""
    free = np.ones(scale.size, dtype=np.bool_)
    free[j] = False
    finite = bool(np.isfinite(fit.limit[j]))
    coef = fit.coef * scale
    error = float(np.sqrt(fit.model_vcov[j, j])) * scale[j]
    inside = coef[j]
    outside = side * np.inf
    at = coef[j] + side * z * error if finite else 0.0
    for _ in range(_MAX_STEPS):
        coef = np.where(free, coef, at)
        there = _restricted(likelihood, fit, coef, free)
        coef = there.coef
        fall = 2.0 * (fit.loglik - there.value)
        root = np.sqrt(max(fall, 0.0))
        if abs(root - z) <= _CLOSE * z:
            return float(at)
        if root < z:
            inside = at
        else:
            outside = at
        if abs(inside) > _FAR and not np.isfinite(outside):
            return side * np.inf
        at = _next(at, inside, outside, side, root, z, there.slope, error if finite else 1.0)
        if np.isfinite(outside) and abs(outside - inside) <= 1e-13 * max(1.0, abs(outside)):
            return float(at)
    raise ConvergenceError(
        f"The profile likelihood of '{fit.terms[j]}' did not reach its limit in {_MAX_STEPS} steps. Take the Wald "
        "interval, or check the predictor for extreme values."
    )


def _next(
    at: float, inside: float, outside: float, side: float, root: float, z: float, slope: float, error: float
) -> float:
    """Take a Newton step on the root, kept between `inside` and `outside`."""
    proposal = np.nan
    if root > 0.0 and slope * side < 0.0:
        # d root/d b = -slope/root away from the estimate, counted along `side`.
        proposal = at + side * (z - root) * root / abs(slope)
    low, high = min(inside, outside), max(inside, outside)
    if low < proposal < high and abs(proposal - at) < 10.0 * error * z:
        return float(proposal)
    if np.isfinite(outside):
        return 0.5 * (inside + outside)
    return inside + side * z * max(error, 0.1 * abs(inside))
