"""Risk sets: times and entries to rows in the order in which the sums over risk sets are taken.

Event times are numbered within each stratum from the latest to the earliest, one stratum after the other. A row that
leaves at the g-th of them and enters at or after the h-th (h > g, or h the end of the stratum) is at risk at event
times g, g + 1, .. h - 1: on (entry, exit], as in R.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NONE: Ints = np.empty(0, dtype=np.int64)
_TABLE = 4


class RiskSets(NamedTuple):
    """Rows in the order of the passes: stratum, descending event time, events first.

    Attributes
    ----------
    order
        Row numbers, shape (m,); rows that are at risk at no event time are left out.
    start
        Shape (k + 1,): group g, the rows that enter the sums at event time g, is `order[start[g]:start[g + 1]]`.
    deaths
        Shape (k,): the first `deaths[g]` of that group have the event.
    times
        Shape (k,): distinct event times, descending within a stratum.
    ends
        Shape (n_strata,): one past the last event time of each stratum that has any.
    leave
        Shape (m,): the row at place i is out of the sums from event time `leave[i]` on. Empty without delayed entry,
        where that is the end of its stratum.
    """

    order: npt.NDArray[np.intp]
    start: Ints
    deaths: Ints
    times: Floats
    ends: Ints
    leave: Ints

    def first(self) -> npt.NDArray[np.bool_]:
        """Return where a stratum begins, shape (k,)."""
        begins = np.zeros(self.times.size, dtype=np.bool_)
        begins[0] = True
        begins[self.ends[:-1]] = True
        return begins


def tie_times(time: Floats) -> Floats:
    """Make times that differ by rounding only equal, by the rule of R's `survival::aeqSurv`.

    Sorted distinct times closer than 1.5e-8, absolutely or relative to their mean, take the smallest of their run.
    """
    if time.size == 0 or (np.rint(time) == time).all():
        return time
    distinct, inverse = np.unique(time, return_inverse=True)
    gaps = np.diff(distinct)
    tolerance = np.sqrt(np.finfo(np.float64).eps)
    near = (gaps <= tolerance) | (gaps <= tolerance * np.abs(distinct).mean())
    if not near.any():
        return time
    first = np.flatnonzero(np.concatenate(([True], ~near)))
    run = np.cumsum(np.concatenate(([True], ~near))) - 1
    return np.asarray(distinct[first][run][inverse])


def tie_entries(entry: Floats, time: Floats) -> tuple[Floats, Floats]:
    """Make entries and exits that differ by rounding only equal, both together."""
    both = np.concatenate((entry, time))
    tied = tie_times(both)
    return (entry, time) if tied is both else (tied[: entry.size], tied[entry.size :])


def order_risk_sets(
    time: Floats,
    event: npt.NDArray[np.bool_],
    *,
    entry: Floats | None = None,
    strata: npt.NDArray[np.integer[Any]] | None = None,
) -> RiskSets:
    """Sort rows once by stratum and descending event time.

    Parameters
    ----------
    time
        Shape (n,), already through `tie_times` (or `tie_entries`).
    event
        Shape (n,), at least one True.
    entry
        Shape (n,), below `time`; None when all are at risk from the start.
    strata
        Shape (n,), codes 0 .. n_strata - 1.
    """
    if entry is None and strata is None and time.min() >= 0.0 and time.max() < time.size:
        days = count_days(time, event, int(time.max()) + 1)
        if days.size:
            return _order_days(time, event, days)
    times, passed, entered = _event_times(time, event, entry)
    if strata is None:
        k = times.size
        group = k - passed
        leave = None if entered is None else k - entered
        ends = np.array([k])
        descending = times[::-1].copy()
    else:
        group, leave, ends, descending = _stack(times, passed, entered, event, strata.astype(np.int64))
    k = descending.size
    last = leave if leave is not None else None if strata is None else ends[strata]
    if last is not None:
        group = np.where(group < last, group, k)
    order, per_key = counting_order(2 * group + ~event, 2 * k + 2)
    deaths = per_key[0 : 2 * k : 2].copy()
    start = np.zeros(k + 1, dtype=np.int64)
    np.cumsum(deaths + per_key[1 : 2 * k : 2], out=start[1:])
    order = order[: start[-1]]
    ends = np.unique(ends)
    return RiskSets(order, start, deaths, descending, ends[ends > 0], _NONE if leave is None else leave[order])


def _order_days(time: Floats, event: npt.NDArray[np.bool_], days: Ints) -> RiskSets:
    """Return the risk sets of whole days from the number of events and of others a day, shape (n_days, 2)."""
    times = np.flatnonzero(days[:, 0])
    k = times.size
    group = k - np.cumsum(days[:, 0] > 0)  # of those who leave on a day; k before the first event
    deaths = days[times[::-1], 0]
    others = np.bincount(group, days[:, 1], minlength=k + 1).astype(np.int64)
    start = np.zeros(k + 1, dtype=np.int64)
    np.cumsum(deaths + others[:k], out=start[1:])
    place = np.append(np.column_stack([start[:k], start[:k] + deaths]).reshape(-1), [0, start[k]])
    order = place_days(time, event, group, place)[: start[k]]
    return RiskSets(order, start, deaths, times[::-1].astype(np.float64), np.array([k]), _NONE)


def _stack(
    times: Floats, passed: Ints, entered: Ints | None, event: npt.NDArray[np.bool_], strata: Ints
) -> tuple[Ints, Ints | None, Ints, Floats]:
    """Return the groups and ends of strata whose event times are numbered one stratum after the other."""
    n_strata, width = int(strata.max()) + 1, times.size + 1
    key = strata * width + passed
    if n_strata * width <= _TABLE * passed.size + width:
        present = np.zeros(n_strata * width, dtype=np.bool_)
        present[key[event]] = True
        keys = np.flatnonzero(present)
        until = np.cumsum(present)
        reached = until[key]
        before = None if entered is None else until[strata * width + entered]
    else:
        keys = np.unique(key[event])
        reached = np.searchsorted(keys, key, side="right")
        before = None if entered is None else np.searchsorted(keys, strata * width + entered, side="right")
    sizes = np.bincount(keys // width, minlength=n_strata)
    ends = np.cumsum(sizes)
    # Ascending place r within a stratum [base, end) becomes descending place end - (r - base).
    turn = (2 * ends - sizes)[strata]
    stratum = keys // width
    descending = np.empty(keys.size)
    place = np.arange(keys.size)
    descending[(2 * ends - sizes)[stratum] - place - 1] = times[keys % width - 1]
    return turn - reached, None if before is None else turn - before, ends, descending


def _event_times(time: Floats, event: npt.NDArray[np.bool_], entry: Floats | None) -> tuple[Floats, Ints, Ints | None]:
    """Return the sorted distinct event times and, for each row, how many of them it reached and entered after.

    Whole numbers in a range no longer than the data are counted, which is faster than sorting.
    """
    if time.min() >= 0.0 and time.max() < time.size and (entry is None or entry.min() >= 0.0):
        whole = time.astype(np.int64)
        begin = None if entry is None else entry.astype(np.int64)
        if (whole == time).all() and (entry is None or bool(np.all(begin == entry))):
            present = np.bincount(whole[event], minlength=int(whole.max()) + 1) > 0
            passed: Ints = np.cumsum(present, dtype=np.int64)
            return (
                np.flatnonzero(present).astype(np.float64),
                passed[whole],
                None if begin is None else passed[begin],
            )
    times = np.unique(time[event])
    entered = None if entry is None else np.searchsorted(times, entry, side="right")
    return times, np.searchsorted(times, time, side="right"), entered


@kernel
def counting_order(key: Ints, n_keys: int) -> tuple[Ints, Ints]:
    """Return the stable order of whole numbers 0 .. n_keys - 1 and how many there are of each."""
    count = np.zeros(n_keys, dtype=np.int64)
    for i in range(key.size):
        count[key[i]] += 1
    place = np.empty(n_keys, dtype=np.int64)
    total = 0
    for j in range(n_keys):
        place[j] = total
        total += count[j]
    order = np.empty(key.size, dtype=np.int64)
    for i in range(key.size):
        order[place[key[i]]] = i
        place[key[i]] += 1
    return order, count


@kernel
def count_days(time: Floats, event: npt.NDArray[np.bool_], n_days: int) -> Ints:
    """Return the numbers of rows with the event and without on each day, (n_days, 2); empty when not whole days."""
    count = np.zeros((n_days, 2), dtype=np.int64)
    for i in range(time.size):
        day = int(time[i])
        if day != time[i]:
            return count[:0]
        count[day, 0 if event[i] else 1] += 1
    return count


@kernel
def place_days(time: Floats, event: npt.NDArray[np.bool_], group: Ints, place: Ints) -> Ints:
    """Return row numbers by group, events first; `place` holds where those of each begin and is moved on."""
    order = np.empty(time.size, dtype=np.int64)
    for i in range(time.size):
        key = 2 * group[int(time[i])] + (0 if event[i] else 1)
        order[place[key]] = i
        place[key] += 1
    return order
