"""What a curve is made of: times, entries, weights, clusters and groups, checked once and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.design.response import check_time
from rtwcohort.errors import ArgumentError, DesignError, RtwCohortWarning
from rtwcohort.models.cox_kernel import tie_times

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WeightType = Literal["frequency", "probability"]
Variance = Literal["greenwood", "robust"]
WEIGHT_TYPES: Final = ("frequency", "probability")
VARIANCES: Final = ("greenwood", "robust")


class RiskSetGapWarning(RtwCohortWarning):
    """With delayed entry, a curve rests on a time when nobody was at risk."""


@dataclass(frozen=True, slots=True)
class Spells:
    """Rows that a curve is made of, of weight above 0.

    Attributes
    ----------
    place, entry_place
        Shape (n,): where the exit and the entry stand in `distinct`; `entry_place` is None without delayed entry.
    distinct
        Shape (k,): distinct times in ascending order, from 0.
    kind
        Shape (n,): 0 for censored, 1 for the event, 2 for a competing one.
    group, labels
        Shape (n,): code of each row; the labels as text.
    weight
        Shape (n,), or None.
    weight_type
        "frequency" when weights count people, "probability" otherwise; None without weights.
    cluster, n_clusters
        Shape (n,), 0 to n_clusters - 1; one a row when no clusters are given.
    variance
        "greenwood" or "robust".
    n_zero
        Rows left out for their weight of 0.
    """

    distinct: Floats
    place: Ints
    entry_place: Ints | None
    kind: Ints
    group: Ints
    labels: tuple[str, ...]
    weight: Floats | None
    weight_type: WeightType | None
    cluster: Ints | None
    variance: Variance
    n_zero: int

    def describe(self) -> list[str]:
        """Return sentences on entry, weights and variance."""
        said = []
        if self.entry_place is not None:
            said.append("Delayed entry: a row is at risk after its entry, up to and including its exit.")
        if self.weight_type == "frequency":
            said.append("Frequency weights: a row of weight w counts as w rows.")
        if self.weight_type == "probability":
            said.append("Probability weights: counts are sums of weights.")
        if self.n_zero:
            said.append(f"{self.n_zero} rows of weight 0 are left out.")
        if self.variance == "robust":
            by = "row" if self.cluster is None else "cluster"
            said.append(f"Variance: infinitesimal jackknife by {by}, without a small-sample factor (robust).")
        else:
            said.append("Variance: Greenwood's.")
        return said


@dataclass(frozen=True, slots=True)
class Counts:
    """One group counted at each time when somebody enters or leaves, and at 0.

    Attributes
    ----------
    time
        Shape (k,), ascending, from 0.
    place
        Shape (k,): where each time stands in `Spells.distinct`.
    at_risk, events, competing, censored, entered
        Shape (k,): sums of weights. At risk just before the time; censored just after it.
    n_at_risk, n_events
        Shape (k,): rows; events of every kind.
    """

    time: Floats
    place: Ints
    at_risk: Floats
    events: Floats
    competing: Floats
    censored: Floats
    entered: Floats
    n_at_risk: Ints
    n_events: Ints


def check_spells(
    time: Floats,
    kind: npt.NDArray[Any],
    *,
    entry: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    cluster: Any = None,
    group: Any = None,
    variance: Variance | None = None,
) -> Spells:
    """Check what comes with times and events, and rank the times.

    Parameters
    ----------
    time, kind
        Shape (n,), already checked.
    weight_type
        None: whole weights are frequencies, others are probability weights (as R's `survfit`).
    variance
        None: robust with clusters or probability weights, Greenwood's otherwise (as R's `survfit`).

    Raises
    ------
    ArgumentError
        For an unknown choice, or Greenwood's variance with clusters.
    DesignError
        For a column that cannot be used.
    """
    n = time.size
    labels, codes = group_codes(group, n)
    weight, weight_type = _weights(weights, weight_type, n)
    clusters = None if cluster is None else _cluster_codes(cluster, n)
    distinct, place, entry_place = _ranks(time, None if entry is None else check_entry(time, entry))
    kind = np.asarray(kind, dtype=np.int64)
    if weight is not None and not (weight > 0.0).all():
        kept = weight > 0.0
        labels, codes = _relabel(labels, codes[kept])
        place, kind, weight = place[kept], kind[kept], weight[kept]
        entry_place = None if entry_place is None else entry_place[kept]
        clusters = None if clusters is None else np.unique(clusters[kept], return_inverse=True)[1]
    return Spells(
        distinct,
        place,
        entry_place,
        kind,
        codes.astype(np.int64),
        labels,
        weight,
        weight_type,
        clusters,
        _variance(variance, weight_type, clusters),
        n - place.size,
    )


def count_groups(spells: Spells) -> list[Counts]:
    """Count each group at its own times; O(n + groups x times)."""
    k, groups = spells.distinct.size, len(spells.labels)
    key = spells.group * k + spells.place

    def table(keys: Ints, inside: Any, weight: Floats | None) -> Any:
        chosen = None if weight is None else weight[inside]
        return np.bincount(keys[inside], weights=chosen, minlength=groups * k).reshape(groups, k)

    every = slice(None)
    start = spells.group * k + (0 if spells.entry_place is None else spells.entry_place)
    n_exits, n_entries = table(key, every, None), table(start, every, None)
    n_events = table(key, spells.kind > 0, None)
    by_kind = np.stack([table(key, spells.kind == kind, spells.weight) for kind in range(3)]).astype(np.float64)
    exits = by_kind.sum(axis=0)
    entered = table(start, every, spells.weight).astype(np.float64)
    n_risk = _at_risk(n_entries, n_exits, spells.entry_place is not None)
    at_risk = np.where(n_risk > 0, _at_risk(entered, exits, spells.entry_place is not None), 0.0)
    counted = []
    for g in range(groups):
        active = (n_exits[g] > 0) | ((n_entries[g] > 0) & (spells.entry_place is not None))
        active[0] = True
        rows = np.flatnonzero(active)
        came = entered[g][rows] if spells.entry_place is not None else np.zeros(rows.size)
        columns = (at_risk[g], by_kind[1, g], by_kind[2, g], by_kind[0, g])
        risk, events, competing, censored = (column[rows] for column in columns)
        rows_at_risk, rows_with_event = n_risk[g][rows], n_events[g][rows]
        counted.append(
            Counts(spells.distinct[rows], rows, risk, events, competing, censored, came, rows_at_risk, rows_with_event)
        )
    return counted


def count_table(spells: Spells, group: int, counts: Counts, names: tuple[str, ...]) -> pd.DataFrame:
    """Return `group, time` and the counts named: whole numbers unless they are sums of probability weights."""
    table = pd.DataFrame({"group": spells.labels[group], "time": counts.time})
    for name in names:
        values = getattr(counts, name)
        table[name] = values if spells.weight_type == "probability" else np.rint(values).astype(np.int64)
    return table


def group_codes(group: Any, n: int, *, name: str = "group") -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    """Return labels as text and the code of each row; one group "all" for None.

    Raises
    ------
    DesignError
        When a label is missing or the length differs.
    """
    if group is None:
        return ("all",), np.zeros(n, dtype=np.intp)
    series = group if isinstance(group, pd.Series) else pd.Series(group)
    if len(series) != n:
        raise DesignError(f"`{name}` must have one label a row ({n}); got {len(series)}.")
    if series.isna().any():
        raise DesignError(f"`{name}` is missing in {int(series.isna().sum())} rows: drop or name them.")
    category = series.astype("category").cat.remove_unused_categories()
    return tuple(str(level) for level in category.cat.categories), category.cat.codes.to_numpy().astype(np.intp)


def check_entry(time: Floats, entry: Any) -> Floats:
    """Return entries as float64.

    Raises
    ------
    DesignError
        For entries that are missing, negative or of another length.
    """
    entries = check_time(entry, name="entry")
    if entries.shape != time.shape:
        raise DesignError(f"`entry` must have one time a row ({time.size}); got {entries.size}.")
    return entries


def _weights(weights: Any, weight_type: WeightType | None, n: int) -> tuple[Floats | None, WeightType | None]:
    if weight_type is not None:
        check_choice(weight_type, WEIGHT_TYPES, argument="weight_type")
        if weights is None:
            raise ArgumentError(f"`weight_type` is {weight_type!r} but there are no `weights`: give them too.")
    if weights is None:
        return None, None
    weight = check_time(weights, name="weights")
    if weight.shape != (n,):
        raise DesignError(f"`weights` must have one number a row ({n}); got {weight.size}.")
    if not (weight > 0.0).any():
        raise DesignError("`weights` has no weight above 0: there is nothing to estimate from.")
    whole = bool((weight == np.rint(weight)).all())
    if weight_type == "frequency" and not whole:
        raise DesignError(
            "`weights` must be whole numbers where they count people (weight_type='frequency'). "
            "For sampling or inverse-probability weights use weight_type='probability'."
        )
    return weight, weight_type or ("frequency" if whole else "probability")


def _cluster_codes(cluster: Any, n: int) -> Ints:
    series = cluster if isinstance(cluster, pd.Series) else pd.Series(cluster)
    if len(series) != n:
        raise DesignError(f"`cluster` must have one value a row ({n}); got {len(series)}.")
    if series.isna().any():
        raise DesignError(f"`cluster` is missing in {int(series.isna().sum())} rows: drop or name them.")
    return np.asarray(pd.factorize(series)[0], dtype=np.int64)


def _variance(variance: Variance | None, weight_type: str | None, cluster: Ints | None) -> Variance:
    if variance is None:
        return "robust" if cluster is not None or weight_type == "probability" else "greenwood"
    check_choice(variance, VARIANCES, argument="variance")
    if variance == "greenwood" and cluster is not None:
        raise ArgumentError(
            "`variance` 'greenwood' takes no account of `cluster`: use 'robust', or leave out `cluster`."
        )
    return variance


def _relabel(labels: tuple[str, ...], codes: npt.NDArray[np.intp]) -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    present, dense = np.unique(codes, return_inverse=True)
    return tuple(labels[code] for code in present), np.asarray(dense, dtype=np.intp)


def _ranks(time: Floats, entry: Floats | None) -> tuple[Floats, Ints, Ints | None]:
    """Return the distinct times from 0, and the place of each exit and entry among them.

    Times that differ by rounding only are one time (`tie_times`).
    """
    both = time if entry is None else np.concatenate((time, entry))
    if both.max() < 4 * both.size + 100_000 and (np.rint(both) == both).all():
        whole = both.astype(np.int64)
        present = np.zeros(int(whole.max()) + 1, dtype=bool)
        present[whole] = present[0] = True
        places = (np.cumsum(present) - 1)[whole]
        distinct = np.flatnonzero(present).astype(np.float64)
    else:
        found, inverse = np.unique(both, return_inverse=True)
        tied = tie_times(found)
        if tied is found and found[0] > 0.0:
            distinct, places = np.concatenate(([0.0], found)), inverse.reshape(-1).astype(np.int64) + 1
        else:
            distinct, shared = np.unique(np.append(tied, 0.0), return_inverse=True)
            places = shared.reshape(-1)[inverse.reshape(-1)].astype(np.int64)
    if entry is None:
        return distinct, places, None
    empty = places[time.size :] >= places[: time.size]
    if empty.any():
        count, first = int(empty.sum()), int(np.flatnonzero(empty)[0]) + 1
        raise DesignError(
            f"`entry` is not before `time` in {count} row{'s' if count > 1 else ''} (first: row {first}): nobody is at "
            "risk in such a row. Leave out people who left before or when they came under observation."
        )
    return distinct, places[: time.size], places[time.size :]


def _at_risk(entered: Any, left: Any, delayed: bool) -> Any:
    """Return those who entered before each time and have not left before it."""
    if not delayed:
        return np.cumsum(left[:, ::-1], axis=1)[:, ::-1]
    inside = np.cumsum(entered - left, axis=1)
    return np.concatenate((np.zeros((inside.shape[0], 1), dtype=inside.dtype), inside[:, :-1]), axis=1)
