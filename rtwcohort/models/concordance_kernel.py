"""Pairs of people ordered alike by a marker and by time, counted in O(n log k), k the number of distinct event times.

A pair counts when one has the event at t, and the other is at risk at t and has no event at t: someone censored at t
outlives an event at t, and someone who enters at t is not yet there. With the event times numbered, a row is in the
pairs of the events numbered `first` to `out` - 1.

Going up the marker, one tree over the event times holds the weights of the rows met so far, and gives each event the
weight with a lower marker that outlives it; a second tree holds the events met so far, and gives each row the weight of
those with a lower marker that it outlives (binary indexed trees, Fenwick 1994). Register time is in whole days, so that
the trees are small.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@kernel
def count_pairs(
    starts: Bools,
    out: Ints,
    first: Ints,
    event: Bools,
    weight: Floats,
    time_weight: Floats,
    outliving: Floats,
    counts: Floats,
    influence: Floats,
) -> None:
    """Count the pairs of one stratum.

    Parameters
    ----------
    starts
        Shape (n,), rows by ascending marker: whether the marker is another than that of the row before.
    out, first
        Shape (n,): the events that a row outlives while at risk are those numbered `first` to `out` - 1; `out` is the
        number of the own event of a row that has one. `first` is empty without delayed entry.
    event, weight
        Shape (n,).
    time_weight
        Shape (k,): weight of each event time.
    outliving
        Shape (k,): weight of the rows that outlive each event time.
    counts
        Shape (5,), filled: pairs where the higher marker outlives, where the lower does, tied in the marker, two events
        tied in time, tied in both.
    influence
        Shape (n, 2), filled: derivative by the weight of a row of the first count less the second, and of the sum of
        the first three.
    """
    k = time_weight.size
    people, deaths = np.zeros(k + 1), np.zeros(k + 1)
    dead, alike = np.zeros(k + 1), np.zeros(k)
    counts[3] = tied_in_time(out, event, weight, time_weight, dead)
    total, begin = 0.0, 0
    while begin < out.size:
        end = begin + 1
        while end < out.size and not starts[end]:
            end += 1
        for i in range(begin, end):
            influence[i, 0] = between(deaths, first[i] if first.size else 0, out[i])
            if event[i]:
                influence[i, 1] = total - below(people, out[i] + 1)
                counts[4] += time_weight[out[i]] * weight[i] * alike[out[i]]
                alike[out[i]] += weight[i]
        for i in range(begin, end):
            total += join(people, deaths, out[i], first[i] if first.size else 0, event[i], weight[i], time_weight)
        for i in range(begin, end):
            entered = first[i] if first.size else 0
            lower, all_dead = influence[i, 0], dead[out[i]] - dead[entered]
            equal = between(deaths, entered, out[i]) - lower if end - begin > 1 else 0.0
            less = influence[i, 1]
            influence[i, 0] = 2.0 * lower + equal - all_dead
            influence[i, 1] = all_dead
            if event[i]:
                alike[out[i]] = 0.0
                equal = total - below(people, out[i] + 1) - less if end - begin > 1 else 0.0
                count_event(less, equal, outliving[out[i]], time_weight[out[i]], weight[i], counts, influence, i)
        begin = end
    counts[3] -= counts[4]


@kernel
def tied_in_time(out: Ints, event: Bools, weight: Floats, time_weight: Floats, dead: Floats) -> float:
    """Return the pairs of events at one time, and fill the running sum of the events' weights, shape (k + 1,)."""
    pairs = 0.0
    for i in range(out.size):
        if event[i]:
            pairs += time_weight[out[i]] * weight[i] * dead[out[i] + 1]
            dead[out[i] + 1] += weight[i]
    for g in range(time_weight.size):
        dead[g + 1] = dead[g] + time_weight[g] * dead[g + 1]
    return pairs


@kernel
def join(
    people: Floats, deaths: Floats, out: int, first: int, event: bool, weight: float, time_weight: Floats
) -> float:
    """Add a row to the trees and return by how much the weight in that of the people grows."""
    add(people, out, weight)
    if event:
        add(deaths, out, time_weight[out] * weight)
    if first == 0:
        return weight
    add(people, first, -weight)
    return 0.0


@kernel
def count_event(
    less: float,
    equal: float,
    outliving: float,
    factor: float,
    weight: float,
    counts: Floats,
    influence: Floats,
    i: int,
) -> None:
    """Count the pairs of an event with those who outlive it: `less` with a lower marker, `equal` with the same."""
    higher = outliving - less - equal
    counts[0] += factor * weight * higher
    counts[1] += factor * weight * less
    counts[2] += factor * weight * equal
    influence[i, 0] += factor * (higher - less)
    influence[i, 1] += factor * outliving


@kernel
def add(tree: Floats, leaf: int, weight: float) -> None:
    """Add `weight` at a leaf of a binary indexed tree."""
    place = leaf + 1
    while place <= tree.size:
        tree[place - 1] += weight
        place += place & -place


@kernel
def below(tree: Floats, leaf: int) -> float:
    """Return the weight of the leaves before `leaf`."""
    total = 0.0
    while leaf > 0:
        total += tree[leaf - 1]
        leaf &= leaf - 1
    return total


@kernel
def between(tree: Floats, first: int, out: int) -> float:
    """Return the weight of the leaves `first` to `out` - 1."""
    if first == 0:
        return below(tree, out)
    return below(tree, out) - below(tree, first)
