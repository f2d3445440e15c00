"""Sums over risk sets at each distinct event time of each stratum, and sums over event times for each row.

Event times are numbered stratum by stratum, ascending within a stratum, 0 .. k - 1. A row is at risk at the event times
from the first after its entry to the last that it reaches: on (entry, exit], as in R. So with P the running sum over
event times of anything (0 before the first of a stratum), a row's share is P[last] - P[first], and a sum over the risk
set is the running sum from the other end of what leaves less what enters. Cost is rows plus event times.

In the notation of `cox_kernel`, with case weights v, w = v exp(x'b) and v. the mean weight of the d events at a time
(Therneau and Grambsch 2000, section 3.3; the weights as in R's `coxph`):

    a0 = v. sum 1/den,  a1 = v. sum (l/d)/den,  b0, b1, b2 = v. sum (1, l/d, (l/d)^2)/den^2,  den = S0 - (l/d) D0

with l = 0 .. d - 1 under Efron's approximation and l = 0, d times, under Breslow's.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NONE: Ints = np.empty(0, dtype=np.int64)
_CANCELLED = 1e-7
THREAD_WORK = 400_000
"""Numbers in the columns from which on their sums are taken in threads."""


class EventTimes(NamedTuple):
    """Distinct event times of each stratum, and where each row stands among them.

    Attributes
    ----------
    time, stratum, deaths
        Shape (k,): the time, its stratum and how many rows have the event then.
    start
        Shape (n_strata + 1,): stratum s has the event times `start[s]:start[s + 1]`.
    last, first
        Shape (n,): places in running sums (see `running_sum`) where a row leaves and enters; `first` is empty without
        delayed entry.
    rows
        Shape (number of events,): rows with the event, ascending.
    at
        Shape (number of events,): the event time of each of `rows`.
    """

    time: Floats
    stratum: Ints
    deaths: Ints
    start: Ints
    last: Ints
    first: Ints
    rows: Ints
    at: Ints


class TieSums(NamedTuple):
    """The sums a0 .. b2 of the module, shape (k,) each."""

    a0: Floats
    a1: Floats
    b0: Floats
    b1: Floats
    b2: Floats


class RiskSums(NamedTuple):
    """Weighted sums at each event time.

    Attributes
    ----------
    s0, d0
        Sums of v exp(x'b) over the risk set and over its events, shape (k,).
    s1, d1
        The same of v exp(x'b) x, shape (p, k); `d1` only where events are tied under Efron's approximation, which
        alone makes use of it.
    weight
        Sum of v over the events, shape (k,).
    ties
        a0 .. b2.
    """

    s0: Floats
    d0: Floats
    s1: Floats
    d1: Floats
    weight: Floats
    ties: TieSums


def index_events(time: Floats, event: Bools, entry: Floats | None, strata: Ints | None, n_strata: int) -> EventTimes:
    """Find the event times and place the rows among them.

    Parameters
    ----------
    time, event, entry
        Shape (n,), ties already made; `entry` None when all are at risk from the start.
    strata
        Codes 0 .. n_strata - 1, or None.
    """
    times, reached, entered = _places(time, event, entry)
    n_times = times.size
    if strata is None:
        keys = np.arange(n_times)
        last, first = reached, entered
        own = reached[event] - 1
        stratum = np.zeros(n_times, dtype=np.int64)
    else:
        level = strata.astype(np.int64) * n_times
        keys = np.unique(level[event] + reached[event] - 1)
        last = np.searchsorted(keys, level + reached - 1, side="right")
        own = last[event] - 1
        last = last + strata
        first = np.searchsorted(keys, level + entered - 1, side="right") + strata if entered.size else _NONE
        stratum = keys // max(n_times, 1)
    deaths = np.bincount(own, minlength=keys.size)
    start = np.searchsorted(stratum, np.arange(n_strata + 1))
    return EventTimes(times[keys % max(n_times, 1)], stratum, deaths, start, last, first, np.flatnonzero(event), own)


def _places(time: Floats, event: Bools, entry: Floats | None) -> tuple[Floats, Ints, Ints]:
    """Return the distinct event times and how many are at or before each exit and entry.

    Whole numbers in a short range are looked up in a table, which is faster than sorting.
    """
    if time.min() >= 0.0 and time.max() < 4 * time.size and (entry is None or entry.min() >= 0.0):
        whole = time.astype(np.int64)
        begin = _NONE if entry is None else entry.astype(np.int64)
        if (whole == time).all() and (entry is None or bool((begin == entry).all())):
            size = max(int(whole.max()), int(begin.max()) if begin.size else 0) + 1
            present = np.bincount(whole[event], minlength=size) > 0
            until: Ints = np.cumsum(present)
            return np.flatnonzero(present).astype(np.float64), until[whole], until[begin]
    order = np.argsort(time)
    times, reached = np.empty(time.size), np.empty(time.size, dtype=np.int64)
    times = times[: _number(order, time, event, times, reached)].copy()
    if entry is None:
        return times, reached, _NONE
    order = np.argsort(entry)
    entered = np.empty(entry.size, dtype=np.int64)
    entered[order] = np.searchsorted(times, entry[order], side="right")
    return times, reached, entered


def running_sum(values: Floats, events: EventTimes) -> Floats:
    """Return running sums over the event times of each stratum with a 0 before its first.

    Parameters
    ----------
    values
        Shape (k,) or (p, k).

    Returns
    -------
    numpy.ndarray of shape (k + n_strata,) or (p, k + n_strata)
        Rows stand in it at `last` and `first`; event time g of stratum s at g + s + 1.
    """
    size = events.time.size + events.start.size - 1
    out = np.zeros((*values.shape[:-1], size))
    _run_forward(np.atleast_2d(values), events.start, out.reshape(-1, size))
    return out


def while_at_risk(values: Floats, events: EventTimes) -> Floats:
    """Return for each row the sum of `values`, shape (k,), over the event times at which it is at risk, shape (n,).

    Where a row enters so late that hardly anything is left of the running sum, its own values are added up.
    """
    running = running_sum(values, events)
    total = running[events.last]
    if events.first.size:
        until = np.abs(total)
        total -= running[events.first]
        lost = np.flatnonzero((np.abs(total) < _CANCELLED * until) & (events.first < events.last))
        if lost.size:
            steps = np.zeros(running.size)
            steps[np.arange(values.size) + events.stratum + 1] = values
            _add_up(lost, events.first, events.last, steps, total)
    return np.asarray(total)


def over_risk_set(weight: Floats, columns: Floats, events: EventTimes, lost: Ints | None = None) -> Floats:
    """Return the sums of weight x columns over each risk set, shape (p, k).

    Parameters
    ----------
    weight
        Shape (n,).
    columns
        Shape (p, n).
    lost
        What `cancelled` gives for the weight, where it is known already.

    Notes
    -----
    What leaves by delayed entry is subtracted; where hardly anything is left of what was there (somebody with a huge
    hazard leaves a small risk set) the sums are counted anew.
    """
    out = np.empty((columns.shape[0], events.time.size))
    _in_threads(events, weight, columns, out)
    lost = cancelled(weight, events) if lost is None else lost
    if lost.size:
        _recount(events.last, events.first, weight, columns, lost, lost + events.stratum[lost] + 1, out)
    return out


def cancelled(weight: Floats, events: EventTimes) -> Ints:
    """Return the event times at which hardly anything of the sum of weights is left by those who enter later."""
    if not events.first.size:
        return _NONE
    one, size = np.ones((1, weight.size)), (1, events.time.size)
    gone, left = np.empty(size), np.empty(size)
    _risk_columns(events.first, _NONE, weight, one, events.start, gone)
    _risk_columns(events.last, events.first, weight, one, events.start, left)
    return np.flatnonzero(left[0] < _CANCELLED * gone[0])


def _in_threads(events: EventTimes, weight: Floats, columns: Floats, out: Floats) -> None:
    """Fill the sums over the risk sets, blocks of columns at a time where there are many rows."""
    p, threads = columns.shape[0], os.cpu_count() or 1
    if columns.size < THREAD_WORK or threads == 1:
        _risk_columns(events.last, events.first, weight, columns, events.start, out)
        return
    edges = [p * block // threads for block in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        futures = [
            pool.submit(_risk_columns, events.last, events.first, weight, columns[lo:hi], events.start, out[lo:hi])
            for lo, hi in pairwise(edges)
        ]
        for future in futures:
            future.result()


def count_at_risk(people: Floats, events: EventTimes) -> Floats:
    """Return the sum of `people` over each risk set, shape (k,)."""
    return np.asarray(over_risk_set(people, np.ones((1, people.size)), events)[0])


def risk_sums(
    columns: Floats, risk: Floats, weight: Floats | None, events: EventTimes, *, efron: bool, copies: bool = False
) -> RiskSums:
    """Return the sums over risk sets and events at each event time.

    Parameters
    ----------
    columns
        Shape (p, n); centred columns keep the differences accurate.
    risk
        Weight times exp(linear predictor), shape (n,).
    weight
        Case weights, shape (n,), or None.
    efron
        Efron's approximation, else Breslow's.
    copies
        Whether a row stands for `weight` people, each with a tied event of its own.
    """
    k, rows, at = events.time.size, events.rows, events.at
    lost = cancelled(risk, events)
    s0 = over_risk_set(risk, np.ones((1, risk.size)), events, lost)[0]
    d0 = np.asarray(np.bincount(at, risk[rows], minlength=k), dtype=np.float64)
    share = np.ones(rows.size) if weight is None else weight[rows]
    total = np.asarray(np.bincount(at, share, minlength=k), dtype=np.float64)
    steps = np.rint(total).astype(np.int64) if copies else events.deaths
    ties = TieSums(*tie_sums(s0, d0, steps, total, efron))
    d1 = np.zeros((columns.shape[0], k))
    tied = np.flatnonzero(steps[at] > 1) if efron else _NONE
    _event_columns(rows[tied], at[tied], risk, columns, d1)
    return RiskSums(s0, d0, over_risk_set(risk, columns, events, lost), d1, total, ties)


@kernel
def tie_sums(s0: Floats, d0: Floats, steps: Ints, weight: Floats, efron: bool) -> Floats:
    """Return a0, a1, b0, b1, b2 as the rows of shape (5, k), for d = `steps` terms that share the `weight`."""
    out = np.zeros((5, s0.size))
    for g in range(s0.size):
        d = steps[g]
        if not efron or d == 1:
            out[0, g] = weight[g] / s0[g]
            out[2, g] = weight[g] / (s0[g] * s0[g])
            continue
        mean = weight[g] / d
        for tie in range(d):
            share = tie / d
            inverse = 1.0 / (s0[g] - share * d0[g])
            once, twice = mean * inverse, mean * inverse * inverse
            out[0, g] += once
            out[1, g] += share * once
            out[2, g] += twice
            out[3, g] += share * twice
            out[4, g] += share * share * twice
    return out


@kernel
def _risk_columns(last: Ints, first: Ints, weight: Floats, columns: Floats, start: Ints, out: Floats) -> None:
    size = out.shape[1] + start.size - 1
    sums = np.empty(size)
    for j in range(columns.shape[0]):
        column = columns[j]
        sums[:] = 0.0
        for i in range(last.size):
            sums[last[i]] += weight[i] * column[i]
        for i in range(first.size):
            sums[first[i]] -= weight[i] * column[i]
        for s in range(start.size - 1):
            total = 0.0
            for g in range(start[s + 1] - 1, start[s] - 1, -1):
                total += sums[g + s + 1]
                out[j, g] = total


@kernel
def _number(order: Ints, time: Floats, event: Bools, times: Floats, reached: Ints) -> int:
    """Fill the distinct event times and how many each row reaches, rows met in `order` of time; return their number."""
    count, begin = 0, 0
    while begin < order.size:
        now, end, happened = time[order[begin]], begin, False
        while end < order.size and time[order[end]] == now:
            happened |= event[order[end]]
            end += 1
        if happened:
            times[count] = now
            count += 1
        for i in order[begin:end]:
            reached[i] = count
        begin = end
    return count


@kernel
def _add_up(rows: Ints, first: Ints, last: Ints, steps: Floats, out: Floats) -> None:
    for i in rows:
        total = 0.0
        for place in range(first[i] + 1, last[i] + 1):
            total += steps[place]
        out[i] = total


@kernel
def _recount(last: Ints, first: Ints, weight: Floats, columns: Floats, lost: Ints, place: Ints, out: Floats) -> None:
    for e in range(lost.size):
        for j in range(columns.shape[0]):
            out[j, lost[e]] = 0.0
        for i in range(last.size):
            if first[i] < place[e] <= last[i]:
                for j in range(columns.shape[0]):
                    out[j, lost[e]] += weight[i] * columns[j, i]


@kernel
def _event_columns(rows: Ints, at: Ints, weight: Floats, columns: Floats, out: Floats) -> None:
    for j in range(columns.shape[0]):
        sums, column = out[j], columns[j]
        for e in range(rows.size):
            sums[at[e]] += weight[rows[e]] * column[rows[e]]


@kernel
def _run_forward(values: Floats, start: Ints, out: Floats) -> None:
    for j in range(values.shape[0]):
        for s in range(start.size - 1):
            total = 0.0
            for g in range(start[s], start[s + 1]):
                total += values[j, g]
                out[j, g + s + 1] = total
