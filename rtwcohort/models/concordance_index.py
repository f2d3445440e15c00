"""Concordance: how often the one with the higher marker, or predicted hazard, has the event first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.core.wald import normal_quantile
from rtwcohort.errors import DesignError
from rtwcohort.models.concordance_kernel import count_pairs
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_events_kernel import EventTimes, count_at_risk, index_events
from rtwcohort.models.cox_rows import (
    in_copies,
    label_codes,
    linear_predictor,
    people_of,
    stratum_labels,
    survival_rows,
)
from rtwcohort.models.cox_sets_kernel import counting_order

Floats = npt.NDArray[np.float64]
Direction = Literal["sooner", "later"]
TimeWeights = Literal["n", "S", "S/G", "n/G2", "I"]
_COUNTS = ("concordant", "discordant", "tied_x", "tied_y", "tied_xy")


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """Probability that of two people the one with the higher marker has the event first (or last).

    Attributes
    ----------
    estimate
        (concordant + tied_x / 2) / (concordant + discordant + tied_x).
    std_error
        Infinitesimal jackknife, over clusters where there are any.
    frame
        One row a stratum: `stratum, concordant, discordant, tied_x, tied_y, tied_xy`, sums of products of weights over
        pairs. `tied_x`: equal markers; `tied_y`: both have the event at one time; `tied_xy`: both.
    n, n_events, n_clusters
        Rows, events and clusters (None without).
    direction
        What a higher marker is taken to mean: the event "sooner" or "later".
    time_weights
        How the event times were weighted.
    influence
        Shape (n,), or (n_clusters,): first-order change of the estimate when that row or cluster is left out, with its
        sign turned; the squares sum to the variance.
    """

    estimate: float
    std_error: float
    frame: pd.DataFrame
    n: int
    n_events: int
    n_clusters: int | None
    direction: str
    time_weights: str
    influence: Floats = field(repr=False)

    @property
    def counts(self) -> dict[str, float]:
        """The counts summed over strata."""
        return {name: float(self.frame[name].sum()) for name in _COUNTS}

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the normal interval, cut at 0 and 1."""
        reach = normal_quantile(level) * self.std_error
        return max(self.estimate - reach, 0.0), min(self.estimate + reach, 1.0)

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row: `term, estimate, std_error, conf_low, conf_high`."""
        low, high = self.confidence_interval(level)
        row = {"term": "concordance", "estimate": self.estimate, "std_error": self.std_error}
        return pd.DataFrame([{**row, "conf_low": low, "conf_high": high}])


def concordance(
    source: Any,
    time: Any = None,
    event: Any = None,
    *,
    entry: Any = None,
    strata: Any = None,
    weights: Any = None,
    cluster: Any = None,
    direction: Direction = "sooner",
    time_weights: TimeWeights = "n",
) -> Concordance:
    """Measure how well a Cox fit or a marker puts people in the order of their events.

    Parameters
    ----------
    source
        A Cox fit, which brings its own times, strata, weights and clusters (its marker is the linear predictor), or a
        marker of shape (n,).
    time, event, entry
        With a marker, shape (n,): as in `fit_cox_arrays`.
    strata, weights, cluster
        With a marker, shape (n,): pairs are made within strata only; a pair weighs the product of its weights; the
        standard error counts clusters as the independent units. `cluster` may also be given beside a fit.
    direction
        "sooner": a higher marker should mean an earlier event (a hazard; R's `reverse = TRUE`); "later": a later one.
    time_weights
        "n" every pair counts alike (Harrell); "n/G2" inverse probability of censoring (Uno); "S" as the Peto-Wilcoxon
        test; "S/G" Schemper; "I" every event counts alike. "S/G" and "n/G2" are not defined with delayed entry.

    Raises
    ------
    DesignError
        For arrays that cannot be used, or when no two people can be compared.

    Notes
    -----
    R's `survival::concordance` with the same conventions [1]_: someone censored at the time of an event outlives it,
    two events at one time are not comparable (`tied_y`), someone at risk only from that time on is not comparable, and
    times that differ by rounding only are equal. The time weights use Kaplan-Meier curves within strata, just before
    each time, and are taken as known in the standard error, as in R.

    References
    ----------
    .. [1] Therneau T, Watson D. The concordance statistic and the Cox model. Mayo Clinic technical report 85, 2017.
    """
    check_choice(direction, ("sooner", "later"), argument="direction")
    check_choice(time_weights, ("n", "S", "S/G", "n/G2", "I"), argument="time_weights")
    marker, data = _marker(source, time, event, entry, strata, weights, cluster)
    if data.entry is not None and time_weights in ("S/G", "n/G2"):
        raise DesignError(
            f"`time_weights` '{time_weights}' needs the distribution of censoring, which delayed entry hides. Use 'n'."
        )
    counts, influence = _count(marker, data, time_weights)
    pairs = counts[:, :3].sum()
    if not pairs > 0.0:
        raise DesignError(
            "No two people can be compared: nobody is at risk after the first event in any stratum, or there is none."
        )
    weight = np.ones(data.time.size) if data.weights is None else data.weights
    difference = (counts[:, 0].sum() - counts[:, 1].sum()) / pairs
    dfbeta = 0.5 * weight * (influence[:, 0] - difference * influence[:, 1]) / pairs
    if data.cluster is not None:
        dfbeta = np.bincount(data.cluster, dfbeta)
    if direction == "sooner":
        difference, dfbeta, counts = -difference, -dfbeta, counts[:, [1, 0, 2, 3, 4]]
    frame = pd.DataFrame(counts, columns=list(_COUNTS))
    frame.insert(0, "stratum", list(stratum_labels(data)))
    unit = people_of(data) if data.cluster is None else np.ones(dfbeta.size)
    return Concordance(
        estimate=float(0.5 + 0.5 * difference),
        std_error=float(np.sqrt((dfbeta**2 / unit).sum())),
        frame=frame,
        n=data.time.size,
        n_events=int(np.count_nonzero(data.event)),
        n_clusters=None if data.cluster is None else dfbeta.size,
        direction=direction,
        time_weights=time_weights,
        influence=dfbeta,
    )


def _marker(
    source: Any, time: Any, event: Any, entry: Any, strata: Any, weights: Any, cluster: Any
) -> tuple[Floats, CoxData]:
    """Return the marker and the checked data of either call."""
    if hasattr(source, "coef"):
        given = {"time": time, "event": event, "entry": entry, "strata": strata, "weights": weights}
        extra = [name for name, value in given.items() if value is not None]
        if extra:
            raise DesignError(
                f"A fit brings its own data, so `{extra[0]}` may not be given beside it. For new people give their "
                "linear predictor as the marker."
            )
        own: CoxData = source.data
        if cluster is not None:
            codes, labels = label_codes(cluster, own.time.size, "cluster")
            own = replace(own, cluster=codes, n_clusters=len(labels))
        return linear_predictor(own, source.coef), own
    if time is None or event is None:
        raise DesignError("A marker needs `time` and `event`: concordance(marker, time, event).")
    marker = np.asarray(source, dtype=np.float64)
    data = survival_rows(time, event, entry=entry, strata=strata, weights=weights, cluster=cluster)
    if marker.shape != (data.time.size,) or np.isnan(marker).any():
        raise DesignError(
            f"The marker must have one number a row ({data.time.size}), none missing; got shape {marker.shape} with "
            f"{int(np.isnan(marker).sum())} missing."
        )
    return marker, data


def _count(marker: Floats, data: CoxData, time_weights: str) -> tuple[Floats, Floats]:
    """Return the counts, shape (strata, 5), and the influence, shape (n, 2)."""
    n, n_strata = data.time.size, len(stratum_labels(data))
    weight = np.ones(n) if data.weights is None else data.weights
    events = index_events(data.time, data.event, data.entry, data.strata, n_strata)
    order, edges = np.argsort(marker), np.array([0, n])
    codes = np.zeros(n, dtype=np.int64) if data.strata is None else data.strata
    if data.strata is not None:
        by_stratum, sizes = counting_order(codes[order], n_strata)
        order, edges = order[by_stratum], np.concatenate(([0], np.cumsum(sizes)))
    ordered_marker = marker[order]
    starts = np.concatenate(([True], ordered_marker[1:] != ordered_marker[:-1]))
    out = events.last - data.event
    if data.strata is not None:
        out -= events.start[codes] + codes
    first = events.first if data.strata is None or not events.first.size else events.first - events.start[codes] - codes
    dead = np.asarray(np.bincount(events.at, weight[events.rows], minlength=events.time.size), dtype=np.float64)
    at_risk = count_at_risk(weight, events)
    factor = _time_weights(data, events, weight, at_risk, dead, time_weights)
    outliving = at_risk - dead
    out, event, ordered_weight = out[order], data.event[order], weight[order]
    first = first[order] if first.size else first
    counts, ordered = np.zeros((n_strata, 5)), np.zeros((n, 2))
    for s, (lo, hi) in enumerate(pairwise(edges)):
        known, own = slice(events.start[s], events.start[s + 1]), slice(lo, hi)
        count_pairs(
            starts[own],
            out[own],
            first[own],
            event[own],
            ordered_weight[own],
            factor[known],
            outliving[known],
            counts[s],
            ordered[own],
        )
    if in_copies(data):
        counts[:, 4] += np.bincount(codes, data.event * weight * (weight - 1.0) / 2.0, minlength=n_strata)
    influence = np.empty((n, 2))
    influence[order] = ordered
    return counts, influence


def _time_weights(
    data: CoxData, events: EventTimes, weight: Floats, at_risk: Floats, dead: Floats, kind: str
) -> Floats:
    """Return the weight of each event time."""
    factor = np.ones(events.time.size)
    if kind == "n":
        return factor
    for s in range(events.start.size - 1):
        own = slice(events.start[s], events.start[s + 1])
        if events.deaths[own].sum() < 2:
            continue
        inside = np.ones(weight.size, dtype=np.bool_) if data.strata is None else data.strata == s
        if kind == "I":
            factor[own] = 1.0 / at_risk[own]
            continue
        scale = weight[inside].sum() / at_risk[own]
        alive = np.concatenate(([1.0], np.cumprod(1.0 - dead[own] / at_risk[own])[:-1]))
        if kind == "S":
            factor[own] = scale * alive
            continue
        uncensored = _uncensored(data.time[inside], data.event[inside], weight[inside], events.time[own])
        factor[own] = scale * alive / uncensored if kind == "S/G" else uncensored**-2
    return factor


def _uncensored(time: Floats, event: npt.NDArray[np.bool_], weight: Floats, at: Floats) -> Floats:
    """Return the Kaplan-Meier share not yet censored just before each time; events come before censorings."""
    distinct, place = np.unique(time, return_inverse=True)
    present, gone = np.bincount(place, weight), np.bincount(place, weight * ~event)
    left = np.cumsum(present[::-1])[::-1] - (present - gone)
    staying = np.where(gone > 0.0, 1.0 - gone / np.where(left > 0.0, left, 1.0), 1.0)
    before = np.concatenate(([1.0], np.cumprod(staying)))
    return np.asarray(before[np.searchsorted(distinct, at)])
