"""Pairs of people ordered alike by a marker and by time, counted in O(n log n).

Going down the times, a tree over the ranks of the marker holds the weights of those still there; an event finds in it
how much weight is below and above its own marker. A second tree over the events says the same from the side of the one
who outlives them: what it holds at the end (or when a person enters) less what it held when the person was added is
what that person takes part in as the survivor of the pair. A tree has 64 branches at each node, so that the sums along
a walk are over neighbours in memory.

A pair counts when one has the event at t, and the other is at risk at t and has no event at t: someone censored at t
outlives an event at t, and someone who enters at t is not yet there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel, summing_kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SHIFT = 6


@kernel
def counting_order(key: Ints, size: int, order: Ints) -> Ints:
    """Return `order` sorted by `key[order]`, whole numbers below `size`; equal keys keep their order."""
    place = np.zeros(size + 1, dtype=np.int64)
    for i in range(key.size):
        place[key[i] + 1] += 1
    for k in range(size):
        place[k + 1] += place[k]
    out = np.empty(order.size, dtype=np.int64)
    for i in order:
        out[place[key[i]]] = i
        place[key[i]] += 1
    return out


@kernel
def count_pairs(
    rank: Ints,
    time: Floats,
    event: npt.NDArray[np.bool_],
    weight: Floats,
    time_weight: Floats,
    leaving: Ints,
    entry: Floats,
    n_ranks: int,
    counts: Floats,
    influence: Floats,
) -> None:
    """Count the pairs of one stratum.

    Parameters
    ----------
    rank, time, event, weight
        Shape (n,), by descending time, at one time the censored first, then by rank; `rank` of the marker, 0 ..
        n_ranks - 1.
    time_weight
        Shape (k,): weight of each distinct event time, latest first.
    leaving, entry
        Places of the rows by descending entry, and those entries; empty without delayed entry.
    counts
        Shape (5,), filled: pairs where the higher marker outlives, where the lower does, tied in the marker, two events
        tied in time, tied in both.
    influence
        Shape (n, 2), filled: derivative by the weight of a row of the first count less the second, and of the sum of
        the first three.
    """
    people, deaths = grow(n_ranks), grow(n_ranks)
    total, dead = 0.0, 0.0
    left, group, first = 0, 0, 0
    while first < rank.size:
        end = first + 1
        if event[first]:
            while left < leaving.size and entry[left] >= time[first]:
                i = leaving[left]
                outlive(deaths, dead, rank, 1.0, i, influence)
                add(people, rank[i], -weight[i])
                total -= weight[i]
                left += 1
            while end < rank.size and time[end] == time[first]:
                end += 1
            factor = time_weight[group]
            group += 1
            count_tied(rank[first:end], weight[first:end], factor, counts)
            meet(people, total, rank, weight, factor, first, end, counts, influence)
            for i in range(first, end):
                add(deaths, rank[i], factor * weight[i])
                dead += factor * weight[i]
        for i in range(first, end):
            outlive(deaths, dead, rank, -1.0, i, influence)
            add(people, rank[i], weight[i])
            total += weight[i]
        first = end
    if leaving.size:
        for i in leaving[left:]:
            outlive(deaths, dead, rank, 1.0, i, influence)
    else:
        outlive_all(deaths[0], dead, rank, influence)


@kernel
def grow(n_ranks: int) -> tuple[Floats, Floats, Floats]:
    """Return an empty tree: weights of the ranks, of blocks of 64 of them, and of blocks of 64 of those."""
    n_blocks = (n_ranks >> _SHIFT) + 1
    return np.zeros(n_ranks), np.zeros(n_blocks), np.zeros((n_blocks >> _SHIFT) + 1)


@kernel
def add(tree: tuple[Floats, Floats, Floats], rank: int, weight: float) -> None:
    """Add `weight` at `rank`."""
    tree[0][rank] += weight
    tree[1][rank >> _SHIFT] += weight
    tree[2][rank >> (2 * _SHIFT)] += weight


@kernel
def below(tree: tuple[Floats, Floats, Floats], rank: int) -> float:
    """Return the weight at ranks smaller than `rank`."""
    block = rank >> _SHIFT
    top = block >> _SHIFT
    total = stretch(tree[2], 0, top) + stretch(tree[1], top << _SHIFT, block)
    return total + stretch(tree[0], block << _SHIFT, rank)


@summing_kernel
def stretch(values: Floats, lo: int, hi: int) -> float:
    """Return the sum of neighbours."""
    total = 0.0
    for i in range(lo, hi):
        total += values[i]
    return total


@kernel
def count_tied(rank: Ints, weight: Floats, factor: float, counts: Floats) -> None:
    """Count pairs of events at one time, in the order of the ranks."""
    before, alike, last = 0.0, 0.0, -1
    for i in range(rank.size):
        if rank[i] != last:
            alike, last = 0.0, rank[i]
        counts[3] += factor * weight[i] * (before - alike)
        counts[4] += factor * weight[i] * alike
        before += weight[i]
        alike += weight[i]


@kernel
def meet(
    people: tuple[Floats, Floats, Floats],
    total: float,
    rank: Ints,
    weight: Floats,
    factor: float,
    first: int,
    end: int,
    counts: Floats,
    influence: Floats,
) -> None:
    """Count pairs of the events `first:end` at one time with those still there."""
    for i in range(first, end):
        lower, equal = below(people, rank[i]), people[0][rank[i]]
        higher = total - lower - equal
        counts[0] += factor * weight[i] * higher
        counts[1] += factor * weight[i] * lower
        counts[2] += factor * weight[i] * equal
        influence[i, 0] += factor * (higher - lower)
        influence[i, 1] += factor * total


@kernel
def outlive(
    deaths: tuple[Floats, Floats, Floats], dead: float, rank: Ints, sign: float, i: int, influence: Floats
) -> None:
    """Add what the events so far mean to one who outlives them: those with a lower marker are in order."""
    influence[i, 0] += sign * (2.0 * below(deaths, rank[i]) + deaths[0][rank[i]] - dead)
    influence[i, 1] += sign * dead


@kernel
def outlive_all(deaths: Floats, dead: float, rank: Ints, influence: Floats) -> None:
    """Add what all events mean to everybody, without walking a tree."""
    gain = np.empty(deaths.size)
    lower = 0.0
    for r in range(deaths.size):
        gain[r] = 2.0 * lower + deaths[r] - dead
        lower += deaths[r]
    for i in range(rank.size):
        influence[i, 0] += gain[rank[i]]
        influence[i, 1] += dead
