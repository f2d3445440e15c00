"""Variances of step curves: Greenwood's from counts, and the infinitesimal jackknife from rows or clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtwcohort.models.curve_input import Counts, Spells
from rtwcohort.models.curve_kernel import cluster_gram, row_gram

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_ROUNDING = 1e-14
"""What is left of a sum of squares that is 0, as a share of the terms that cancel."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What follows from the counts of one group, each of shape (k,).

    Attributes
    ----------
    survival, before
        Kaplan-Meier just after and just before each time, events of every kind together.
    hazard
        d/n, the events of every kind by the number at risk.
    left
        1/(n - d), 0 where all who are at risk have the event.
    growth
        d/(n (n - d)), Greenwood's increment; 0 where all have the event.
    """

    survival: Floats
    before: Floats
    hazard: Floats
    left: Floats
    growth: Floats


def steps(counts: Counts) -> Steps:
    """Return survival and the parts of its variance."""
    n, d = counts.at_risk, counts.events + counts.competing
    some = counts.n_events > 0
    every = some & (counts.n_events == counts.n_at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(some, d / n, 0.0)
        kept = np.where(every, 0.0, np.where(some, (n - d) / n, 1.0))
        left = np.where(every | (counts.n_at_risk == 0), 0.0, 1.0 / (n - d))
    survival = np.cumprod(kept).astype(np.float64)
    before = np.concatenate(([1.0], survival[:-1]))
    return Steps(survival, before, np.where(every, 1.0, hazard), left, hazard * left)


def rows_of(spells: Spells, group: int) -> Ints:
    """Return the rows of one group."""
    return np.flatnonzero(spells.group == group)


def survival_variance(spells: Spells, group: int, counts: Counts, parts: Steps) -> Floats:
    """Return the infinitesimal-jackknife variance of log S at each time, shape (k,).

    A row's influence on log S(t) is w [sum over s <= t, entry < s <= exit, of d(s)/(n(s)(n(s) - d(s)))] - w [event at
    u <= t]/(n(u) - d(u)): linear in C(t), the sum of Greenwood's increments, while it is at risk, and constant after.
    """
    sums = np.cumsum(parts.growth)
    own = _places(spells, group, counts)
    entry_sum = sums[own.entry] * own.entered
    final = sums[own.exit] - entry_sum - own.event * parts.left[own.exit]
    enter = np.stack((-entry_sum, np.ones_like(entry_sum)), axis=1)
    stay = np.stack((final, np.zeros_like(final)), axis=1)
    return _quadratic(own, enter, stay, np.stack((np.ones_like(sums), sums), axis=1))


def hazard_variance(spells: Spells, group: int, counts: Counts) -> Floats:
    """Return the infinitesimal-jackknife variance of the Nelson-Aalen hazard at each time, shape (k,).

    A row's influence on H(t) is w ([event at u <= t]/n(u) - sum over s <= t, entry < s <= exit, of d(s)/n(s)^2).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(counts.at_risk > 0, 1.0 / counts.at_risk, 0.0)
    sums = np.cumsum(counts.events * inverse**2)
    own = _places(spells, group, counts)
    entry_sum = sums[own.entry] * own.entered
    final = own.event * inverse[own.exit] - sums[own.exit] + entry_sum
    enter = np.stack((entry_sum, -np.ones_like(entry_sum)), axis=1)
    stay = np.stack((final, np.zeros_like(final)), axis=1)
    return _quadratic(own, enter, stay, np.stack((np.ones_like(sums), sums), axis=1))


def incidence_variance(spells: Spells, group: int, counts: Counts, parts: Steps, incidence: Floats) -> Floats:
    """Return the infinitesimal-jackknife variance of the cumulative incidence at each time, shape (k,).

    While a row that entered at e is at risk its influence on F(t) is  D(t) - D(e) - C(e) (F(t) - F(e)),  with C the sum
    of Greenwood's increments and  D(t) = sum over s <= t of S(s-) d1(s)/n(s) (C(s-) - 1/n(s)).  After it left at u, the
    influence on log S stays, and with it the slope in F(t) - F(u).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(counts.at_risk > 0, 1.0 / counts.at_risk, 0.0)
    sums = np.cumsum(parts.growth)
    drift = np.cumsum(parts.before * counts.events * inverse * (sums - parts.growth - inverse))
    own = _places(spells, group, counts)
    e, u = own.entry, own.exit
    sums_e, drift_e, incidence_e = sums[e] * own.entered, drift[e] * own.entered, incidence[e] * own.entered
    slope = sums[u] - sums_e - (own.event + own.competing) * parts.left[u]
    reached = drift[u] - drift_e - sums_e * (incidence[u] - incidence_e) + own.event * (parts.before * inverse)[u]
    one, none = np.ones_like(slope), np.zeros_like(slope)
    enter = np.stack((sums_e * incidence_e - drift_e, one, -sums_e), axis=1)
    stay = np.stack((reached - slope * incidence[u], none, slope), axis=1)
    return _quadratic(own, enter, stay, np.stack((np.ones_like(drift), drift, incidence), axis=1))


def mean_influence(spells: Spells, group: int, counts: Counts, parts: Steps, area: Floats) -> Floats:
    """Return each cluster's influence on the restricted mean of one group, shape (n_clusters,).

    Parameters
    ----------
    area
        Shape (k,): the integral of S from each time to the end, 0 after the end.

    Notes
    -----
    A row's influence on the integral of S is  -w ([event at u] A(u)/(n(u) - d(u)) - sum over entry < s <= exit of
    A(s) d(s)/(n(s)(n(s) - d(s)))), with A(s) the area after s.
    """
    sums = np.cumsum(area * parts.growth)
    own = _places(spells, group, counts)
    influence = sums[own.exit] - sums[own.entry] * own.entered - own.event * (area * parts.left)[own.exit]
    summed = np.bincount(own.cluster, weights=own.weight * influence, minlength=own.n_clusters)
    return summed.astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Places:
    """Rows of one group: where they enter and leave in its counts; `entered` is 0 for those there from the start."""

    entry: Ints
    exit: Ints
    entered: Floats
    event: Floats
    competing: Floats
    weight: Floats
    cluster: Ints
    n_clusters: int
    n_times: int
    clustered: bool
    delayed: bool


def _places(spells: Spells, group: int, counts: Counts) -> _Places:
    rows = rows_of(spells, group)
    at = np.zeros(spells.distinct.size, dtype=np.int64)
    at[counts.place] = np.arange(counts.place.size)
    delayed = spells.entry_place is not None
    entry = at[spells.entry_place[rows]] if spells.entry_place is not None else np.zeros(rows.size, dtype=np.int64)
    cluster = np.arange(spells.place.size)[rows] if spells.cluster is None else spells.cluster[rows]
    return _Places(
        entry,
        at[spells.place[rows]],
        np.full(rows.size, float(delayed)),
        (spells.kind[rows] == 1).astype(np.float64),
        (spells.kind[rows] == 2).astype(np.float64),
        np.ones(rows.size) if spells.weight is None else spells.weight[rows],
        cluster,
        spells.place.size if spells.cluster is None else int(spells.cluster.max()) + 1,
        counts.time.size,
        spells.cluster is not None,
        delayed,
    )


def _quadratic(own: _Places, enter: Floats, stay: Floats, basis: Floats) -> Floats:
    """Return the sum of squared influences by cluster at each time: basis' G basis.

    Parameters
    ----------
    enter, stay
        Shape (n, m): the coefficients of each row on the basis while it is at risk, and after it left, per weight.
    basis
        Shape (k, m).
    """
    weight = own.weight[:, None]
    if own.clustered:
        gram = _cluster_sums(own, enter * weight, stay * weight)
    else:
        come, gone, left = row_gram(own.entry, own.exit, enter * weight, stay * weight, own.n_times)
        inside = np.cumsum(come - gone, axis=0) if own.delayed else np.cumsum(gone[::-1], axis=0)[::-1] - gone
        gram = inside + np.cumsum(left, axis=0)
    squared = np.einsum("ka,kab,kb->k", basis, gram, basis)
    size = np.einsum("ka,kab,kb->k", np.abs(basis), np.abs(gram), np.abs(basis))
    return np.where(squared > _ROUNDING * size, squared, 0.0)


def _cluster_sums(own: _Places, enter: Floats, stay: Floats) -> Floats:
    place = np.concatenate((own.entry, own.exit))
    small = own.n_times < np.iinfo(np.uint16).max
    order = np.argsort(place.astype(np.uint16) if small else place, kind="stable")
    start = np.zeros(own.n_times + 1, dtype=np.int64)
    np.cumsum(np.bincount(place, minlength=own.n_times), out=start[1:])
    change = np.concatenate((enter, stay - enter))
    gram: Floats = cluster_gram(order, start, np.tile(own.cluster, 2), change, own.n_clusters)
    return gram
