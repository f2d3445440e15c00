"""Percentages, means, medians and their simulation errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtwcohort.simulate.portable import Floats, Ints

Measured = tuple[float, float]
"""A value and its standard error."""


def percent(hits: Any) -> Measured:
    """Return the percentage of True and its binomial standard error, in points.

    With 0 or n hits the error is that of one person more or less, so that it is never 0.
    """
    hits = np.asarray(hits, dtype=np.float64)
    n = len(hits)
    if n == 0:
        return float("nan"), float("nan")
    share = float(hits.mean())
    inside = min(max(share, 1.0 / (n + 1)), n / (n + 1))
    return 100.0 * share, 100.0 * float(np.sqrt(inside * (1.0 - inside) / n))


def mean(values: Floats) -> Measured:
    """Return the mean and its standard error."""
    n = len(values)
    if n < 2:
        return (float(values[0]), float("nan")) if n else (float("nan"), float("nan"))
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(n))


def quantile(values: Floats, q: float) -> Measured:
    """Return a quantile and its standard error by Woodruff's method.

    Notes
    -----
    The quantiles at q +- sqrt(q (1 - q) / n) are one standard error away (Woodruff, J Am Stat Assoc 1952;47:635-646).
    """
    n = len(values)
    if n == 0:
        return float("nan"), float("nan")
    half = float(np.sqrt(q * (1.0 - q) / n))
    low, middle, high = np.quantile(values, [max(q - half, 0.0), q, min(q + half, 1.0)])
    return float(middle), max(float(high - low) / 2.0, 0.5 / np.sqrt(n))


def spread(values: Floats) -> Measured:
    """Return the standard deviation and its standard error (from the fourth moment)."""
    n = len(values)
    if n < 3:
        return float("nan"), float("nan")
    sd = float(values.std(ddof=1))
    fourth = float(((values - values.mean()) ** 4).mean())
    return sd, float(np.sqrt(max(fourth - sd**4, 0.0) / n) / (2.0 * sd)) if sd > 0 else 0.0


def ratio(numerator: Floats, denominator: Floats) -> Measured:
    """Return the sum of one over the sum of another in percent, and its linearised standard error."""
    total = float(denominator.sum())
    if total <= 0:
        return float("nan"), float("nan")
    share = float(numerator.sum()) / total
    rest = numerator - share * denominator
    return 100.0 * share, 100.0 * float(np.sqrt((rest**2).sum())) / total


def kaplan_meier_quantile(time: Ints, event: Any, q: float) -> Measured:
    """Return the time by which a share q has had the event, and its standard error; NaN where it is not reached.

    Notes
    -----
    The first day on which the Kaplan-Meier estimate falls to 1 - q or below. Its error is half the distance between
    the days at 1 - q -+ Greenwood's standard error there.
    """
    days, inverse = np.unique(time, return_inverse=True)
    events = np.bincount(inverse, weights=np.asarray(event, dtype=np.float64))
    leaving = np.bincount(inverse)
    at_risk = len(time) - np.concatenate([[0], np.cumsum(leaving)[:-1]])
    survival = np.cumprod(1.0 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(at_risk > events, events / (at_risk * np.maximum(at_risk - events, 1e-300)), 0.0)
    error = survival * np.sqrt(np.cumsum(terms))
    place = _first_below(survival, 1.0 - q)
    if place is None:
        return float("nan"), float("nan")
    half = float(error[place])
    early, late = _first_below(survival, 1.0 - q + half), _first_below(survival, 1.0 - q - half)
    span = float(days[late if late is not None else -1] - days[early if early is not None else place]) / 2.0
    return float(days[place]), max(span, 0.5 / np.sqrt(len(time)))


def _first_below(survival: Floats, level: float) -> int | None:
    found = np.flatnonzero(survival <= level + 1e-12)
    return int(found[0]) if len(found) else None


def contrast(kind: str, one: Measured, other: Measured) -> Measured:
    """Compare two arms by the delta method.

    Parameters
    ----------
    kind
        "rr" and "or" of two percentages, "rd" (points); "difference" or "direction" (the difference too) of any two
        values.
    one, other
        The arm and the one it is compared with.
    """
    (a, se_a), (b, se_b) = one, other
    if kind in ("rd", "difference", "direction"):
        return a - b, float(np.hypot(se_a, se_b))
    p, r, se_p, se_r = a / 100.0, b / 100.0, se_a / 100.0, se_b / 100.0
    if kind == "rr":
        if p <= 0 or r <= 0:
            return float("nan"), float("nan")
        return p / r, p / r * float(np.hypot(se_p / p, se_r / r))
    if not (0 < p < 1 and 0 < r < 1):
        return float("nan"), float("nan")
    odds = p / (1.0 - p) / (r / (1.0 - r))
    return odds, odds * float(np.hypot(se_p / (p * (1.0 - p)), se_r / (r * (1.0 - r))))
