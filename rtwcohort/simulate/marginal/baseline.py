"""Baseline hazards: piecewise constant, Weibull and Gompertz, with their cumulative hazard and its inverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.marginal.solving import bounded_exp
from rtwcohort.simulate.portable import Floats, log, piecewise_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Piecewise:
    """A hazard that is constant from each first day to the next.

    Attributes
    ----------
    per_day
        (first day, rate a day) of each piece; the first begins on day 0, the last has no end.
    """

    per_day: tuple[tuple[float, float], ...]
    kind: Literal["piecewise"] = "piecewise"

    def __post_init__(self) -> None:
        """Refuse pieces that do not begin on day 0, are out of order or have a negative rate."""
        check_choice(self.kind, ("piecewise",), argument="baseline.kind")
        starts = [first for first, _ in self.per_day]
        if not starts or starts[0] != 0 or any(a >= b for a, b in pairwise(starts)):
            raise ArgumentError(f"`baseline.per_day` must begin on day 0 and go on in order; got first days {starts}.")
        for first, rate in self.per_day:
            check_number(rate, argument=f"baseline rate from day {first:g}", least=0.0, most=1e6)
        if not any(rate > 0.0 for _, rate in self.per_day):
            raise ArgumentError("`baseline.per_day` has no rate above 0: nobody would ever have the event.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weibull:
    """The cumulative hazard (t / scale) ** shape, t in days."""

    shape: float
    scale: float
    kind: Literal["weibull"] = "weibull"

    def __post_init__(self) -> None:
        """Refuse a shape or scale that is not positive."""
        check_choice(self.kind, ("weibull",), argument="baseline.kind")
        check_number(self.shape, argument="baseline.shape", least=1e-3, most=1e3)
        check_number(self.scale, argument="baseline.scale", least=1e-6, most=1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gompertz:
    """The hazard rate * exp(growth * t), t in days; with a negative growth some never have the event."""

    rate: float
    growth: float
    kind: Literal["gompertz"] = "gompertz"

    def __post_init__(self) -> None:
        """Refuse a rate that is not positive or no growth."""
        check_choice(self.kind, ("gompertz",), argument="baseline.kind")
        check_number(self.rate, argument="baseline.rate", least=1e-12, most=1e6)
        check_number(self.growth, argument="baseline.growth", least=-10.0, most=10.0)
        if abs(self.growth) < 1e-9:
            raise ArgumentError(
                f"`baseline.growth` must not be 0; got {self.growth!r}. A constant hazard is Piecewise(per_day=((0, "
                f"{self.rate:g}),))."
            )


Baseline = Piecewise | Weibull | Gompertz


def cumulative_hazard(baseline: Baseline, days: Floats) -> Floats:
    """Return the cumulative hazard at `days` (at least 0), same shape."""
    t = np.asarray(days, dtype=np.float64)
    if isinstance(baseline, Piecewise):
        total = np.zeros(t.shape)
        ends = [first for first, _ in baseline.per_day[1:]] + [np.inf]
        for (first, rate), end in zip(baseline.per_day, ends, strict=True):
            total = total + rate * (np.minimum(np.maximum(t, first), end) - first)
        return total
    if isinstance(baseline, Weibull):
        positive = np.where(t > 0.0, t, 1.0)
        return np.where(t > 0.0, bounded_exp(baseline.shape * log(positive / baseline.scale)), 0.0)
    return np.asarray(baseline.rate / baseline.growth * (bounded_exp(baseline.growth * t) - 1.0))


def inverse_cumulative_hazard(baseline: Baseline, hazard: Floats) -> Floats:
    """Return the day at which the cumulative hazard is `hazard` (above 0); infinite where it never gets there."""
    if isinstance(baseline, Piecewise):
        starts = [first for first, _ in baseline.per_day]
        return piecewise_time(hazard, starts, [rate for _, rate in baseline.per_day])
    if isinstance(baseline, Weibull):
        return np.asarray(baseline.scale * bounded_exp(log(np.maximum(hazard, 1e-300)) / baseline.shape))
    inner = 1.0 + baseline.growth / baseline.rate * hazard
    reached = inner > 0.0
    return np.where(reached, log(np.where(reached, inner, 1.0)) / baseline.growth, np.inf)


def check_periods(starts: Sequence[float]) -> tuple[float, ...]:
    """Return first days of the periods of an effect: from 0, increasing."""
    days = tuple(float(day) for day in starts)
    if not days or days[0] != 0.0 or any(a >= b for a, b in pairwise(days)):
        raise ArgumentError(f"`period_starts` must begin with 0 and increase; got {list(days)}.")
    return days


def person_cumulative(baseline: Baseline, ratios: Floats, starts: Sequence[float], day: float) -> Floats:
    """Return each person's cumulative hazard at one day, ratios (n, periods) multiplying the baseline by period."""
    total = np.zeros(len(ratios))
    for place, (first, end) in enumerate(pairwise([*starts, np.inf])):
        if day <= first:
            break
        both = cumulative_hazard(baseline, np.asarray([first, min(day, end)]))
        total = total + ratios[:, place] * (both[1] - both[0])
    return total


def person_time(baseline: Baseline, ratios: Floats, starts: Sequence[float], unit: Floats) -> Floats:
    """Return the day at which each person's cumulative hazard reaches `unit`, shape (n,)."""
    days = np.full(len(unit), np.inf)
    reached = np.zeros(len(unit))
    for place, (first, end) in enumerate(pairwise([*starts, np.inf])):
        ratio = ratios[:, place]
        before = float(cumulative_hazard(baseline, np.asarray([first]))[0])
        rest = unit - reached
        inside = np.isinf(days) & (rest > 0.0)
        here = inverse_cumulative_hazard(baseline, before + np.where(inside, rest, 1.0) / ratio)
        days = np.where(inside & (here <= end), here, days)
        if np.isfinite(end):
            reached = reached + ratio * (float(cumulative_hazard(baseline, np.asarray([end]))[0]) - before)
    return days
