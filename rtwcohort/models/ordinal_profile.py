"""Likelihood-ratio tests and profile-likelihood intervals of cumulative link models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.wald import chi_square_p, normal_quantile
from rtwcohort.errors import ArgumentError, ConvergenceError
from rtwcohort.models.ordinal_likelihood import Evaluation, OrdinalLikelihood
from rtwcohort.models.ordinal_maximum import climbable, maximise_ordinal, maximise_safely
from rtwcohort.models.ordinal_result import OrdinalFit

Floats = npt.NDArray[np.float64]

_CLOSE = 1e-9
_MAX_STEPS = 60
_FAR = 60.0


@dataclass(frozen=True, slots=True)
class RatioTest:
    """A likelihood-ratio test of two nested models.

    Attributes
    ----------
    statistic
        Twice the difference of the log-likelihoods.
    df
        Difference of the numbers of parameters.
    p_value
        Upper tail of the chi-square distribution.
    """

    statistic: float
    df: int
    p_value: float


def compare_ordinal_fits(smaller: OrdinalFit, larger: OrdinalFit) -> RatioTest:
    """Test a model against one that it is nested in, by the likelihood ratio.

    Parameters
    ----------
    smaller, larger
        Fits to the same rows, outcome, weights and offset with the same link; the effects of the smaller one are among
        those of the larger one (an effect that is common in one may be nominal in the other).

    Raises
    ------
    ArgumentError
        When they are not, or a likelihood is none (probability weights, clusters).
    """
    for fit in (smaller, larger):
        _check_likelihood(fit)
    a, b = smaller.data, larger.data
    same = (
        a.labels == b.labels
        and np.array_equal(a.codes, b.codes)
        and _same(a.weights, b.weights)
        and _same(a.offset, b.offset)
        and smaller.link == larger.link
    )
    if not same:
        raise ArgumentError(
            "Both fits must have the same link and the same rows, outcome, weights and offset: fit both to the "
            "complete rows of the larger model."
        )
    nested = set(a.names) <= set(b.names) and {a.names[j] for j in a.nominal} <= {b.names[j] for j in b.nominal}
    df = larger.estimates.size - smaller.estimates.size
    if not nested or df <= 0:
        raise ArgumentError("The effects of the smaller fit must be some of those of the larger fit, in this order.")
    statistic = 2.0 * (larger.loglik - smaller.loglik)
    return RatioTest(statistic, df, chi_square_p(max(statistic, 0.0), df))


def ordinal_ratio_tests(fit: OrdinalFit) -> pd.DataFrame:
    """Return the likelihood-ratio test of leaving out each term: `term, df, statistic, p_value`.

    Raises
    ------
    ArgumentError
        For probability weights or clusters.
    """
    _check_likelihood(fit)
    rows = []
    for term, part in fit.groups.items():
        gone = set(fit.columns_of(term))
        left = [j for j in range(len(fit.data.names)) if j not in gone]
        data = replace(
            fit.data,
            matrix=fit.data.matrix[:, left],
            names=tuple(fit.data.names[j] for j in left),
            nominal=tuple(place for place, j in enumerate(left) if j in set(fit.data.nominal)),
        )
        likelihood = OrdinalLikelihood(data, fit.link)
        try:
            loglik = maximise_ordinal(likelihood, fit.control).loglik
        finally:
            likelihood.close()
        df, statistic = part.stop - part.start, 2.0 * (fit.loglik - loglik)
        rows.append((term, df, statistic, chi_square_p(max(statistic, 0.0), df)))
    return pd.DataFrame(rows, columns=["term", "df", "statistic", "p_value"])


def ordinal_profile_intervals(
    fit: OrdinalFit, terms: str | Sequence[str] | None = None, *, level: float = 0.95, exponentiate: bool = False
) -> pd.DataFrame:
    """Return profile-likelihood intervals of effects: the values that a likelihood-ratio test does not reject.

    Parameters
    ----------
    fit
        Common and nominal effects alike; thresholds have none.
    terms
        Names of terms or of effects; all when None.
    level
        Confidence level.
    exponentiate
        Give exp(b).

    Returns
    -------
    pandas.DataFrame
        `term, estimate, conf_low, conf_high`. Where an estimate is infinite, so is one limit, and the other is finite.

    Notes
    -----
    R's confint of polr and clm interpolates a profile on a grid; here the limits are solved for.

    Raises
    ------
    ArgumentError
        For an unknown term, probability weights or clusters.
    """
    _check_likelihood(fit)
    names = list(fit.terms) if terms is None else [terms] if isinstance(terms, str) else list(terms)
    z = normal_quantile(level)
    likelihood = OrdinalLikelihood(fit.data, fit.link)
    sign = float(fit.choices.sign)
    rows = []
    try:
        working: Floats = np.asarray(np.linalg.solve(likelihood.to_natural(), fit.estimates), dtype=np.float64)
        for place in dict.fromkeys(place for name in names for place in _places(fit, name)):
            natural = fit.n_thresholds + place
            unit = likelihood.to_natural()[natural]
            j = int(np.flatnonzero(unit)[0])
            estimate = float(fit.limit[natural])
            ends = [
                way * np.inf
                if estimate == way * np.inf
                else _end(likelihood, fit, working, j, way * float(np.sign(unit[j])), z) * float(unit[j])
                for way in (-1.0, 1.0)
            ]
            rows.append((fit.terms[place], sign * estimate, *sorted(sign * end for end in ends)))
    finally:
        likelihood.close()
    table = pd.DataFrame(rows, columns=["term", "estimate", "conf_low", "conf_high"])
    if exponentiate:
        for column in ("estimate", "conf_low", "conf_high"):
            table[column] = np.exp(table[column])
    return table


class _Profile(NamedTuple):
    """The likelihood maximised over the others: signed root of its ratio, its slope in the one, all parameters."""

    root: float
    slope: float
    working: Floats


def _end(likelihood: OrdinalLikelihood, fit: OrdinalFit, working: Floats, j: int, way: float, z: float) -> float:
    """Return the working parameter `j`, towards `way`, at which the signed root of the likelihood ratio is `z`.

    Newton steps on the root, which is nearly a straight line, kept inside a bracket; infinite where the likelihood
    does not fall so far within 60 standard deviations of the column.
    """
    step = z * float(np.sqrt(np.linalg.inv(likelihood(working)[2])[j, j]))
    near: tuple[float, Floats] = (0.0, working)
    far = np.inf
    distance = min(step, 2.0)
    for _ in range(_MAX_STEPS):
        profile = _profile(likelihood, fit, near[1], j, working[j] + way * distance, way)
        if abs(profile.root - z) <= _CLOSE:
            return float(working[j] + way * distance)
        if profile.root < z:
            near = (distance, profile.working)
        else:
            far = distance
        following = distance + (z - profile.root) / profile.slope if profile.slope > 0.0 else np.inf
        if not near[0] < following < far:
            following = 0.5 * (near[0] + far) if far < np.inf else 2.0 * distance
        distance = min(following, 2.0 * distance + 1.0)
        if distance > _FAR + abs(working[j]) and far == np.inf:
            return float(way * np.inf)
    raise ConvergenceError(f"The profile-likelihood interval of '{likelihood.working_names()[j]}' was not found.")


def _profile(
    likelihood: OrdinalLikelihood, fit: OrdinalFit, start: Floats, j: int, value: float, way: float
) -> _Profile:
    """Maximise with parameter `j` held at `value`."""
    free = np.arange(start.size) != j
    evaluate = climbable(likelihood, likelihood)

    def held(others: Floats) -> Evaluation:
        whole = np.full(start.size, value)
        whole[free] = others
        loglik, score, information = evaluate(whole)
        return loglik, score[free], information[np.ix_(free, free)]

    places = np.flatnonzero(free)
    result = maximise_safely(held, likelihood.start()[free], start[free], fit.control, likelihood, places)
    whole = np.full(start.size, value)
    whole[free] = result.coef
    loglik, score, _ = likelihood(whole)
    root = float(np.sqrt(max(2.0 * (fit.loglik - loglik), 0.0)))
    slope = -way * float(score[j]) / root if root > 0.0 else 0.0
    return _Profile(root, slope, whole)


def _places(fit: OrdinalFit, name: str) -> list[int]:
    if name in fit.terms:
        return [fit.terms.index(name)]
    if name in fit.groups:
        part = fit.groups[name]
        return list(range(part.start, part.stop))
    raise ArgumentError(f"`terms` must be among {', '.join(dict.fromkeys([*fit.groups, *fit.terms]))}; got '{name}'.")


def _check_likelihood(fit: OrdinalFit) -> None:
    if fit.choices.variance != "model":
        raise ArgumentError(
            "With probability weights, clusters or the robust variance the likelihood is not that of independent rows: "
            "use Wald tests and intervals (`wald`, `term_tests`, `tidy`), or fit without."
        )


def _same(left: Floats | None, right: Floats | None) -> bool:
    if left is None or right is None:
        return left is right
    return np.array_equal(left, right)
