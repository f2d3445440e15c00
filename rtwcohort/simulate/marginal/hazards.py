"""Hazards as arrays, and how follow-up ends: censoring, frailty, and the dropout rate that gives a set share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.marginal.baseline import Baseline, Piecewise, check_periods, person_cumulative
from rtwcohort.simulate.marginal.inputs import check_values, numbers
from rtwcohort.simulate.marginal.links import panels
from rtwcohort.simulate.marginal.solving import bounded_exp, log_of, mean, root, rounded
from rtwcohort.simulate.portable import Floats, log

RETURN: Final = "return"


@dataclass(frozen=True, slots=True, kw_only=True)
class Censoring:
    """How follow-up ends without an event.

    Attributes
    ----------
    administrative
        Last day of follow-up; None is no end.
    rate
        Dropout a day, constant and independent of the outcome.
    share
        Instead of the rate: expected share of the people drawn who drop out before anything else happens. The rate is
        solved; it depends on who is drawn, so solve it once (`dropout_rate`) and give `rate` when drawing in parts.
    """

    administrative: float | None = None
    rate: float | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        """Refuse two statements of the dropout, or one that cannot be."""
        if self.administrative is not None:
            check_number(self.administrative, argument="censoring.administrative", least=1e-9, most=1e7)
        if self.rate is not None:
            check_number(self.rate, argument="censoring.rate", least=0.0, most=1e3)
        if self.share is not None:
            check_number(self.share, argument="censoring.share", least=0.0, most=0.95)
            if self.rate is not None or self.administrative is None:
                raise ArgumentError(
                    "`censoring.share` needs `administrative`, and no `rate`: the rate is solved from it."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFrailty:
    """An unmeasured factor of the hazard of return, of a person or of a cluster.

    Attributes
    ----------
    variance
        Of the factor, whose mean is 1.
    hazard_ratios
        "conditional": hazard ratios hold given the frailty; what a Cox model without it sees is nearer to 1 and changes
        with time (`marginal_hazard_ratio`). "marginal": hazard ratios hold given covariates alone, proportional at all
        times, and the frailty gives only the dependence within a cluster: that of a gamma frailty (a Clayton copula).
        With level "person" the marginal form therefore changes nothing that one time a person can show.
    distribution
        "gamma", or "lognormal" (conditional only).
    level
        "person" or "cluster".
    """

    variance: float
    hazard_ratios: Literal["conditional", "marginal"] = "conditional"
    distribution: Literal["gamma", "lognormal"] = "gamma"
    level: Literal["person", "cluster"] = "person"

    def __post_init__(self) -> None:
        """Refuse a variance or a choice that cannot be."""
        check_number(self.variance, argument="frailty.variance", least=0.0, most=100.0)
        check_choice(self.hazard_ratios, ("conditional", "marginal"), argument="frailty.hazard_ratios")
        check_choice(self.distribution, ("gamma", "lognormal"), argument="frailty.distribution")
        check_choice(self.level, ("person", "cluster"), argument="frailty.level")
        if self.hazard_ratios == "marginal" and self.distribution != "gamma":
            raise ArgumentError(
                "`frailty` with marginal hazard ratios needs the distribution 'gamma', whose Laplace transform is "
                "known; for 'lognormal' state conditional hazard ratios."
            )


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard as arrays: a baseline, and a linear predictor of shape (n,) or (n, periods)."""

    baseline: Baseline
    linear_predictor: npt.ArrayLike = 0.0


def dropout_rate(
    linear_predictor: npt.ArrayLike,
    *,
    baseline: Baseline,
    censoring: Censoring,
    period_starts: Sequence[float] = (0.0,),
    competing: Mapping[str, Hazard] | None = None,
    frailty: SharedFrailty | None = None,
) -> float:
    """Return the dropout a day that gives `censoring.share` over these people, 12 significant digits."""
    starts = check_periods(period_starts)
    n = len(np.atleast_1d(np.asarray(linear_predictor)))
    hazards = {RETURN: Hazard(baseline, linear_predictor), **(competing or {})}
    ratios = {name: hazard_ratios(hazard, n, len(starts), name) for name, hazard in hazards.items()}
    return solve_dropout(hazards, ratios, starts, frailty, censoring) if censoring.share else censoring.rate or 0.0


def hazard_ratios(hazard: Hazard, n: int, periods: int, name: str) -> Floats:
    """Return the hazard ratios against the baseline, shape (n, periods)."""
    values = numbers(hazard.linear_predictor, argument=f"linear_predictor of '{name}'")
    if values.ndim < 2:
        values = np.tile(check_values(values, n, argument=f"linear_predictor of '{name}'")[:, None], (1, periods))
    if values.shape != (n, periods) or not np.isfinite(values).all() or np.abs(values).max() > 50.0:
        raise ArgumentError(
            f"`linear_predictor` of '{name}' must hold finite log hazard ratios within -50..50, shape ({n},) or "
            f"({n}, {periods}), one column a period; got the shape {values.shape}."
        )
    return bounded_exp(values)


def solve_dropout(
    hazards: Mapping[str, Hazard],
    ratios: Mapping[str, Floats],
    starts: Sequence[float],
    frailty: SharedFrailty | None,
    end: Censoring,
) -> float:
    """Solve integral of rate exp(-rate t) S(t) over follow-up = share, S averaged over the people."""
    if frailty is not None and frailty.hazard_ratios == "conditional" and frailty.distribution == "lognormal":
        raise ArgumentError(
            "`censoring.share` cannot be solved under a lognormal frailty, whose survival has no closed form: state "
            "`rate`, or take the gamma frailty."
        )
    last = float(end.administrative or 0.0)
    edges = {0.0, last, *starts}
    early = last / 2.0
    while early > 0.5:  # short panels where many events are
        edges.add(early)
        early /= 2.0
    for hazard in hazards.values():
        if isinstance(hazard.baseline, Piecewise):
            edges |= {float(first) for first, _ in hazard.baseline.per_day}
    nodes, weights = panels(sorted(edge for edge in edges if edge <= last))
    survival = np.asarray([_mean_survival(float(day), hazards, ratios, starts, frailty) for day in nodes])

    def off(log_rate: float) -> float:
        rate = float(bounded_exp(np.asarray([log_rate]))[0])
        density = weights * survival * rate * bounded_exp(-rate * nodes)
        return math.fsum(density.tolist()) - float(end.share or 0.0)

    middle = log_of(1.0 / last)
    if off(middle + 8.0) < 0.0:
        raise ArgumentError(
            f"`censoring.share` = {end.share} cannot be reached: nearly everybody has an event at once. Take a smaller "
            "share or a lower hazard."
        )
    return rounded(float(bounded_exp(np.asarray([root(off, middle - 25.0, middle + 8.0)]))[0]))


def _mean_survival(
    day: float,
    hazards: Mapping[str, Hazard],
    ratios: Mapping[str, Floats],
    starts: Sequence[float],
    frailty: SharedFrailty | None,
) -> float:
    total = np.zeros(len(ratios[RETURN]))
    for name, hazard in hazards.items():
        cumulative = person_cumulative(hazard.baseline, ratios[name], starts, day)
        if name == RETURN and frailty is not None and frailty.hazard_ratios == "conditional" and frailty.variance:
            cumulative = log(1.0 + frailty.variance * cumulative) / frailty.variance
        total = total + cumulative
    return mean(bounded_exp(-total))
