"""One row of a cumulative model: probabilities and densities at its cut-points.

A panel holds rows sorted by cluster, person and wave. Parameters are the m = K - 1 thresholds, then the p coefficients;
eta = x'b + offset and u_j = threshold_j - eta.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.core.jit import inlined_kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOGIT: Final = 0
PROBIT: Final = 1
CLOGLOG: Final = 2

_ROOT_HALF = math.sqrt(0.5)
_INVERSE_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
_LARGE = 700.0
LEAST_SHARE: Final = 1e-290
BLOCK_ROWS: Final = 256


class Panel(NamedTuple):
    """Rows of persons in clusters, as the kernels take them.

    Attributes
    ----------
    X
        Shape (n, p), row by row in memory.
    y
        Category of each row, 0 to K - 1, shape (n,).
    weight, offset
        Shape (n,).
    position
        Place of the row's wave among all waves, shape (n,); increasing within a person.
    person
        First row of each person and, last, n; shape (persons + 1,).
    cluster
        First person of each cluster and, last, the number of persons; shape (clusters + 1,).
    copies
        How many clusters each one stands for (frequency weights), shape (clusters,); `weight` holds them too.
    """

    X: Floats
    y: Ints
    weight: Floats
    offset: Floats
    position: Ints
    person: Ints
    cluster: Ints
    copies: Floats


class Sums(NamedTuple):
    """What a pass over the panel adds to; of the information only the lower triangle is complete.

    Attributes
    ----------
    score
        Shape (1, q), or (clusters, q) when each cluster is asked for: the sum over all its copies.
    information
        Shape (1, q, q) or (clusters, q, q).
    meat
        Sum over clusters of score x score', shape (q, q); not added to when each cluster is asked for.
    """

    score: Floats
    information: Floats
    meat: Floats


class Block(NamedTuple):
    """Room for the rows of a block of clusters.

    Attributes
    ----------
    score
        Score in u of each row, shape (rows, m).
    pull
        Its sum over the cut-points, shape (rows, 1).
    spread
        Information between eta and the thresholds, shape (rows, m).
    mixed
        Information between eta and the coefficients: the sum over rows t of (information between s and t) x_t, shape
        (rows, p).
    """

    score: Floats
    pull: Floats
    spread: Floats
    mixed: Floats


@kernel
def cumulative(link: int, u: float) -> tuple[float, float, float, float]:
    """Return F(u), 1 - F(u), f(u) and f'(u)."""
    if link == LOGIT:
        small = math.exp(-abs(u))
        share = 1.0 / (1.0 + small)
        low = small * share
        density = low * share
        positive = u > 0.0
        below = share if positive else low
        above = low if positive else share
        return below, above, density, density * (above - below)
    if link == PROBIT:
        density = _INVERSE_ROOT_TWO_PI * math.exp(-0.5 * u * u)
        return 0.5 * math.erfc(-u * _ROOT_HALF), 0.5 * math.erfc(u * _ROOT_HALF), density, -u * density
    rate = math.exp(min(u, _LARGE))
    above = math.exp(-rate)
    density = rate * above
    return -math.expm1(-rate), above, density, density * (1.0 - rate)


@kernel
def gaps_of(theta: Floats) -> Floats:
    """Return 1 - exp(threshold_{j-1} - threshold_j) for j from 1 to m - 1: they keep logistic probabilities exact."""
    gaps = np.zeros(theta.size)
    for j in range(1, theta.size):
        gaps[j] = -math.expm1(theta[j - 1] - theta[j])
    return gaps


@inlined_kernel
def fill_row(
    link: int,
    theta: Floats,
    gaps: Floats,
    eta: float,
    below: Floats,
    above: Floats,
    density: Floats,
    slope: Floats,
    share: Floats,
) -> bool:
    """Fill F, 1 - F, f and f' at the m cut-points and the K probabilities; False when one is not above `LEAST_SHARE`.

    Such a probability is put at `LEAST_SHARE`: far in a tail its category's terms f^2 / share are then 0, their limit.
    """
    m = theta.size
    for j in range(m):
        below[j], above[j], density[j], slope[j] = cumulative(link, theta[j] - eta)
    share[0] = below[0]
    share[m] = above[m - 1]
    for j in range(1, m):
        if link == LOGIT:
            share[j] = below[j] * above[j - 1] * gaps[j]
        elif below[j] < 0.5:
            share[j] = below[j] - below[j - 1]
        else:
            share[j] = above[j - 1] - above[j]
    fine = True
    for j in range(m + 1):
        if not share[j] > LEAST_SHARE:
            share[j] = LEAST_SHARE
            fine = False
    return fine


@kernel
def new_block(panel: Panel, m: int, room: int) -> Block:
    """Make room for `room` rows and the largest cluster."""
    largest = 0
    for c in range(panel.cluster.size - 1):
        largest = max(largest, panel.person[panel.cluster[c + 1]] - panel.person[panel.cluster[c]])
    rows = room + largest
    return Block(np.empty((rows, m)), np.empty((rows, 1)), np.empty((rows, m)), np.empty((rows, panel.X.shape[1])))


@kernel
def end_of_block(panel: Panel, first: int, last: int, single: bool, room: int) -> int:
    """Return the cluster after the block that starts at `first`: one cluster, or about `room` rows."""
    if single:
        return first + 1
    end = first + 1
    start = panel.person[panel.cluster[first]]
    while end < last and panel.person[panel.cluster[end]] - start < room:
        end += 1
    return end


@kernel
def add_block(panel: Panel, start: int, stop: int, block: Block, score: Floats, information: Floats) -> None:
    """Add the score and the information of the coefficients of rows `start` to `stop`."""
    rows = stop - start
    m, p = block.score.shape[1], panel.X.shape[1]
    for i in range(rows):
        for j in range(m):
            score[j] += block.score[i, j]
    if p == 0:
        return
    turned = panel.X[start:stop].T
    between = np.dot(turned, block.spread[:rows])
    own = np.dot(turned, block.mixed[:rows])
    pull = np.dot(turned, block.pull[:rows])
    for a in range(p):
        score[m + a] -= pull[a, 0]
        for j in range(m):
            information[m + a, j] -= between[a, j]
        for b in range(a + 1):
            information[m + a, m + b] += own[a, b]


@kernel
def add_squares(panel: Panel, first: int, last: int, block: Block, own: Floats, meat: Floats) -> None:
    """Add the squared scores of the clusters of a block to the lower triangle of `meat`."""
    m, p = block.score.shape[1], panel.X.shape[1]
    X = panel.X
    start = panel.person[panel.cluster[first]]
    for c in range(first, last):
        own[:] = 0.0
        for i in range(panel.person[panel.cluster[c]], panel.person[panel.cluster[c + 1]]):
            for j in range(m):
                own[j] += block.score[i - start, j]
            pull = block.pull[i - start, 0]
            for a in range(p):
                own[m + a] -= pull * X[i, a]
        for a in range(own.size):
            scaled = own[a] / panel.copies[c]
            for b in range(a + 1):
                meat[a, b] += scaled * own[b]
