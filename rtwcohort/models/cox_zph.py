"""Test of proportional hazards: the score test of current R `cox.zph`."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.core.wald import chi_square_p
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_events_kernel import THREAD_WORK, EventTimes, count_at_risk, index_events, while_at_risk
from rtwcohort.models.cox_passes_kernel import cross_products
from rtwcohort.models.cox_risk import CoxRisk, risk_of
from rtwcohort.models.cox_rows import in_copies, names_of_infinite, people_of

Floats = npt.NDArray[np.float64]
Transform = Literal["km", "rank", "identity", "log"]
_TRANSFORMS = ("km", "rank", "identity", "log")


@dataclass(frozen=True, slots=True, eq=False)
class ProportionalHazardsTest:
    """Score tests that effects do not change with time.

    Attributes
    ----------
    terms
        One row a term and "GLOBAL" last: `term, statistic, df, p_value`. A category or a spline is one term.
    coefficients
        The same for each coefficient on its own.
    transform
        The function g of time: the test is against coefficients b + c g(t).
    time, transformed
        Distinct event times, shape (k,), ascending within a stratum, and g there.
    """

    terms: pd.DataFrame
    coefficients: pd.DataFrame
    transform: str
    time: Floats
    transformed: Floats

    @property
    def p_value(self) -> float:
        """Of the global test."""
        return float(self.terms["p_value"].iloc[-1])


def proportional_hazards_test(
    fit: Any, *, transform: Transform | Callable[[Floats], Floats] = "km"
) -> ProportionalHazardsTest:
    """Test whether the hazard ratios of a Cox fit are constant in time.

    Parameters
    ----------
    fit
        A Cox fit with Efron or Breslow ties.
    transform
        "km" (default): 1 less the Kaplan-Meier curve of all rows just before t; "rank": rank of the time among all
        rows; "identity"; "log"; or a function of an array of times. A test finds best what changes along its g.

    Raises
    ------
    ArgumentError, DesignError
        For an unknown transform, one that is not finite at an event time, exact ties or an infinite estimate.

    Notes
    -----
    Each coefficient is given a companion c g(t) with g centred at the mean over events, and the score test of c = 0 is
    taken at the fitted b [1]_. With V(t) the weighted variance of x over the risk set at t, under the ties of the fit,

        U = sum of g(t) (x - mean(x)) over events,     information = [[sum V, sum g V], [sum g V, sum g^2 V]]

    and U' (information^-1 block of c) U. Nothing is approximated; lifelines and R before 3.0 replace V(t) by its mean,
    which gives other p-values. As in R, g is made of unweighted times without regard to strata, weights enter the score
    and the information, and the statistic of a robust or clustered fit is that of the model.

    References
    ----------
    .. [1] Grambsch P, Therneau T. Proportional hazards tests and diagnostics based on weighted residuals. Biometrika
       1994;81:515-526.
    """
    _check(fit)
    at = risk_of(fit)
    time = at.events.time
    values = transform(time) if callable(transform) else _transformed(at, transform)
    values = np.asarray(values, dtype=np.float64)
    if values.shape != time.shape or not np.isfinite(values).all():
        raise DesignError(
            "`transform` must give one finite number for each event time; "
            + ("there is an event at time 0: use 'km' or 'rank'." if transform == "log" else "check the function.")
        )
    deaths = at.sums.weight if in_copies(at.data) else at.events.deaths
    g = values - np.average(values, weights=deaths)
    score, information = expanded_information(at, g)
    p = score.size
    spans = {name: np.arange(p)[span] for name, span in fit.groups.items()}
    terms = _table(score, information, spans)
    coefficients = _table(score, information, {name: np.array([j]) for j, name in enumerate(fit.terms)})
    name = getattr(transform, "__name__", "user") if callable(transform) else transform
    return ProportionalHazardsTest(terms, coefficients, name, time, values)


def _check(fit: Any) -> None:
    if fit.ties == "exact":
        raise DesignError("The test is not defined after ties='exact': fit with ties='efron'.")
    if fit.choices.penalty != "none":
        raise DesignError(
            "The test is not defined after a penalty: the score is not 0 at the estimates. Fit without it."
        )
    if fit.monotone.any():
        raise DesignError(
            f"The estimate of {names_of_infinite(fit)} is infinite, so nothing can be tested at it. Leave the term out."
        )


def expanded_information(at: CoxRisk, g: Floats) -> tuple[Floats, Floats]:
    """Return the score of the companions, shape (p,), and the information of both, shape (2p, 2p).

    Sums of V(t) over event times are one weighted cross-product of the rows less products of the sums over risk sets,
    for g to the powers 0, 1 and 2; no row is met once an event time.
    """
    sums, ties, events = at.sums, at.sums.ties, at.events
    weights = at.data.weights
    risk = at.risk if weights is None else at.risk * weights
    tied = np.flatnonzero(ties.b1)

    def powers(factor: Floats) -> tuple[Floats, Floats]:
        expected = risk * while_at_risk(factor * ties.a0, events)
        expected[events.rows] -= risk[events.rows] * (factor * ties.a1)[events.at]
        observed = at.own(factor) if weights is None else weights * at.own(factor)
        score, square = cross_products(at.columns, observed - expected, expected, 0, risk.size)
        square -= cross_products(sums.s1, g, factor * ties.b0, 0, g.size)[1]
        s1, d1, weight = sums.s1[:, tied], sums.d1[:, tied], factor[tied]
        cross = s1 @ (weight * ties.b1[tied] * d1).T
        square += cross + cross.T - d1 @ (weight * ties.b2[tied] * d1).T
        return score, square

    factors = [np.ones_like(g), g, g * g]
    if at.columns.size >= THREAD_WORK:
        with ThreadPoolExecutor(min(len(factors), os.cpu_count() or 1)) as pool:
            parts = list(pool.map(powers, factors))
    else:
        parts = [powers(factor) for factor in factors]
    scores, blocks = zip(*parts, strict=True)
    return scores[1], np.block([[blocks[0], blocks[1]], [blocks[1], blocks[2]]])


def _table(score: Floats, information: Floats, spans: dict[str, npt.NDArray[np.int64]]) -> pd.DataFrame:
    p = score.size
    everything = {**spans, "GLOBAL": np.arange(p)}
    scale = np.sqrt(np.where(information.diagonal() > 0.0, information.diagonal(), 1.0))
    standard = information / scale / scale[:, None]
    rows = []
    for name, span in everything.items():
        used = np.concatenate((np.arange(p), p + span))
        u = np.concatenate((np.zeros(p), score[span] / scale[p + span]))
        statistic = float(u @ _solve(standard[np.ix_(used, used)], u))
        rows.append((name, statistic, span.size, chi_square_p(statistic, span.size)))
    return pd.DataFrame(rows, columns=["term", "statistic", "df", "p_value"])


def _solve(information: Floats, score: Floats) -> Floats:
    """Return information^-1 score, NaN where the events do not tell the companion from the coefficients."""
    if np.linalg.matrix_rank(information, hermitian=True) < score.size:
        return np.full(score.size, np.nan)
    return np.asarray(np.linalg.solve(information, score))


def _transformed(at: CoxRisk, transform: str) -> Floats:
    """Return g at each of the event times."""
    data, time = at.data, at.events.time
    check_choice(transform, _TRANSFORMS, argument="transform")
    if transform == "identity":
        return time
    if transform == "log":
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(time))
    people = people_of(data)
    if transform == "rank":
        distinct, place = np.unique(data.time, return_inverse=True)
        counts = np.bincount(place, people)
        ranks = np.cumsum(counts) - (counts - 1.0) / 2.0
        return np.asarray(ranks[np.searchsorted(distinct, time)])
    if data.strata is None:
        return _kaplan_meier_before(at.events, people)
    pooled = index_events(data.time, data.event, data.entry, None, 1)
    return np.asarray(_kaplan_meier_before(pooled, people)[np.searchsorted(pooled.time, time)])


def _kaplan_meier_before(events: EventTimes, people: Floats) -> Floats:
    """Return 1 less the Kaplan-Meier curve just before each event time."""
    deaths = np.bincount(events.at, people[events.rows], minlength=events.time.size)
    survival = np.cumprod(1.0 - deaths / count_at_risk(people, events))
    return np.asarray(1.0 - np.concatenate(([1.0], survival[:-1])))
