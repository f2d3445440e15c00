"""A shuffle of 0..n-1 that any partition can compute alone: a Feistel network with cycle walking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rtwcohort.simulate import draws
from rtwcohort.simulate.portable import Floats, Ints

_ROUNDS: Final = 6


def rank(stream_key: np.uint64, items: Ints, n: int) -> Ints:
    """Return the place of each item in a random order of 0..n-1.

    Parameters
    ----------
    stream_key
        From `draws.key`.
    items
        Numbers from 0 to n - 1.
    n
        How many there are.

    Notes
    -----
    The network permutes the numbers below the next even power of two (Luby and Rackoff 1988); a number that lands
    at n or above goes through it again, which keeps it a permutation (Black and Rogaway 2002).
    """
    half = max(1, (max(n - 1, 1).bit_length() + 1) // 2)
    out = np.asarray(items, dtype=np.int64).copy()
    walking = np.arange(len(out))
    while len(walking):
        out[walking] = _network(stream_key, out[walking], half)
        walking = walking[out[walking] >= n]
    return out


def _network(stream_key: np.uint64, value: Ints, half: int) -> Ints:
    mask = np.int64((1 << half) - 1)
    left, right = value >> half, value & mask
    for turn in range(_ROUNDS):
        noise = np.floor(draws.uniform(stream_key, right, turn) * float(1 << half)).astype(np.int64)
        left, right = right, left ^ noise
    return (left << half) | right


def largest_remainder(weights: Sequence[float], n: int) -> list[int]:
    """Split n whole people in proportion to weights; leftovers go to the largest remainders, earlier ones first."""
    total = 0.0
    for weight in weights:
        total += weight
    exact = [n * weight / total for weight in weights]
    counts = [int(value) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda k: (counts[k] - exact[k], k))
    for k in by_remainder[: n - sum(counts)]:
        counts[k] += 1
    return counts


def stratified(stream_key: np.uint64, place: Ints, persons: Ints, n: int) -> Floats:
    """Return uniforms of which n together fill 0..1 evenly: the place in a random order, jittered inside its slot.

    Parameters
    ----------
    stream_key
        From `draws.key`.
    place
        Each person's number among the n, 0..n-1.
    persons
        Numbers over the whole register, for the jitter.
    n
        People among whom the spread is even.
    """
    return np.asarray((rank(stream_key, place, n) + draws.uniform(stream_key, persons, 1_000_003)) / n)
