"""Season and calendar time of a group of moves: observed over expected, where they differ beyond chance."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from rtwcohort.core.days import iso
from rtwcohort.simulate.synthesise.exposure import month_edges, month_of
from rtwcohort.simulate.synthesise.hazards import GroupFit
from rtwcohort.simulate.synthesise.log_ratios import Floats, piece_rates
from rtwcohort.simulate.synthesise.sequences import Ints

_PRIOR: Final = 20.0
_MOST_PEOPLE: Final = 20_000
_MONTHS: Final = 12
_QUARTER: Final = 3


class Months(NamedTuple):
    """Moves by calendar month: first days, expected moves, and the month and the person of each move."""

    edges: Ints
    mean: Floats
    month: Ints
    person: Ints


def by_month(fit: GroupFit) -> Months:
    """Return the moves of a group by calendar month, of the first 20,000 people."""
    risk = fit.risk
    some = risk.person < _MOST_PEOPLE
    rate = (piece_rates(risk, fit.eta, fit.pieces)[risk.piece] * np.exp(fit.eta))[some]
    first, moved = risk.day[some], risk.moved[some] > 0.0
    last = first + risk.days[some].astype(np.int64)
    edges = month_edges(int(first.min()), int(last.max()))
    mean = np.zeros(len(edges) - 1)
    for k, (begin, end) in enumerate(pairwise(edges)):
        overlap = np.clip(np.minimum(last, end) - np.maximum(first, begin), 0.0, None)
        mean[k] = float((overlap * rate).sum())
    # A move on the first day of a month came out of the day before.
    month = np.searchsorted(edges, last[moved] - 1, side="right") - 1
    return Months(edges, mean, month, risk.person[some][moved])


def fit_season(months: Months, *, least: int) -> tuple[float, ...]:
    """Return twelve ratios where the months of the year differ beyond chance, with `least` people behind each."""
    year = month_of(months.edges[:-1])
    mean = np.bincount(year, weights=months.mean, minlength=_MONTHS).astype(np.float64)
    found = _ratios(year[months.month], months.person, mean, least)
    return () if found is None else tuple(float(f"{value:.4g}") for value in found)


def fit_calendar(months: Months, season: tuple[float, ...], *, least: int) -> tuple[tuple[str, float], ...]:
    """Return (first day, ratio) by quarter where quarters differ beyond season and chance.

    A quarter with moves of fewer than `least` people, or with fewer expected, is taken together with those before it.
    """
    factor = np.asarray(season)[month_of(months.edges[:-1])] if season else np.ones(len(months.mean))
    mean = months.mean * factor
    group = np.zeros(len(mean), dtype=np.int64)
    begins: list[int] = []
    low = 0
    for high in range(_QUARTER, len(mean) + _QUARTER, _QUARTER):
        inside = (months.month >= low) & (months.month < high)
        enough = min(len(np.unique(months.person[inside])), mean[low:high].sum()) >= least
        if enough:
            begins.append(low)
        if enough or high >= len(mean):
            group[low:high] = max(len(begins) - 1, 0)
            low = high
    if len(begins) < 2:
        return ()
    total = np.bincount(group, weights=mean, minlength=len(begins)).astype(np.float64)
    found = _ratios(group[months.month], months.person, total, least)
    if found is None:
        return ()
    steps = zip(begins, found, strict=True)
    return tuple((iso(int(months.edges[k])), float(f"{value:.4g}")) for k, value in steps)


def _ratios(group: Ints, person: Ints, mean: Floats, least: int) -> Floats | None:
    """Return observed over expected by group, drawn towards 1; None where chance explains them."""
    k = len(mean)
    count = np.bincount(group, minlength=k)
    people = [len(np.unique(person[group == one])) for one in range(k)]
    if min(people) < least or mean.min() <= 0.0:
        return None
    # Chi-square with k - 1 degrees of freedom, 0.1 % point by Wilson and Hilferty.
    free = k - 1
    limit = free * (1.0 - 2.0 / (9.0 * free) + 3.09 * np.sqrt(2.0 / (9.0 * free))) ** 3
    if float(((count - mean) ** 2 / mean).sum()) < limit:
        return None
    ratio = (count + _PRIOR) / (mean + _PRIOR)
    return np.asarray(ratio * (mean.sum() / (ratio * mean).sum()))
