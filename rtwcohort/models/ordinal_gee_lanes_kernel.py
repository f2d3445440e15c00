"""Global odds ratios between waves: persons with equally many rows side by side, so that loops run on vector registers.

The last axis of every array is the lane, one a person. For the n x m cut-points of a person V is factored as L L', and
with D = diag(f), G = L^-1 D: the information in u is W = G'G and the score G' L^-1 r (rows times the square root of
their weight). See `ordinal_gee_association_kernel` for what V is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.models.ordinal_gee_association_kernel import Association
from rtwcohort.models.ordinal_gee_odds_kernel import add_log_odds
from rtwcohort.models.ordinal_gee_row_kernel import LOGIT, Block, Floats, Ints, Panel, fill_row
from rtwcohort.models.ordinal_logit_kernel import exp_minus
from rtwcohort.models.ordinal_tile_kernel import dot, total

_WIDEST = 300.0
_MOST_LANES = 128
_CELLS = 8192
_LEAST_PIVOT = 1e-10


class Lanes(NamedTuple):
    """Room for some persons.

    Attributes
    ----------
    start, key
        First row of each person, and the parameter of a pair of rows or a mark, shape (lanes,).
    eta, weight, odds, both, covariance
        eta or exp(-eta) of one row; of a pair of rows the weight, the odds ratio, P(both) and the covariance.
    root
        Square root of each row's weight, shape (n, lanes).
    below, above, density, residual
        F, 1 - F, and f and Z - F times `root`, shape (n m, lanes).
    lower, inverse
        V and its factor; the inverse factor and then G, shape (n m, n m, lanes).
    white, score, spread
        L^-1 r, the score in u, and the information between the eta of a row and a threshold, shape (n m, lanes).
    pairs
        Information between the eta of two rows, shape (n, n, lanes).
    row
        Of one row of `fill_row`: F, 1 - F, f, f' and p, shape (5, K).
    """

    start: Ints
    key: Ints
    eta: Floats
    weight: Floats
    odds: Floats
    both: Floats
    covariance: Floats
    root: Floats
    below: Floats
    above: Floats
    density: Floats
    residual: Floats
    lower: Floats
    inverse: Floats
    white: Floats
    score: Floats
    spread: Floats
    pairs: Floats
    row: Floats


@kernel
def new_lanes(widest: int, m: int) -> Lanes:
    """Make room for persons with up to `widest` rows: as many as fit the cache of a core."""
    size = widest * m
    width = max(4, min(_MOST_LANES, _CELLS // (size * size + 1)))
    return Lanes(
        np.zeros(width, dtype=np.int64),
        np.zeros(width, dtype=np.int64),
        np.zeros(width),
        np.zeros(width),
        np.zeros(width),
        np.zeros(width),
        np.zeros(width),
        np.zeros((widest, width)),
        np.zeros((size, width)),
        np.zeros((size, width)),
        np.zeros((size, width)),
        np.zeros((size, width)),
        np.zeros((size, size, width)),
        np.zeros((size, size, width)),
        np.zeros((size, width)),
        np.zeros((size, width)),
        np.zeros((size, width)),
        np.zeros((widest, widest, width)),
        np.zeros((5, m + 1)),
    )


@kernel
def fill_rows(
    panel: Panel, count: int, n: int, link: int, theta: Floats, gaps: Floats, beta: Floats, lanes: Lanes
) -> int:
    """Fill the margins of all rows; return how many persons have a category of probability 0."""
    m, X = theta.size, panel.X
    lanes.key[:count] = 0
    near = link == LOGIT and np.abs(theta).max() < _WIDEST
    for s in range(n):
        wide = 0
        for lane in range(count):
            i = lanes.start[lane] + s
            value = panel.offset[i]
            for a in range(beta.size):
                value += X[i, a] * beta[a]
            lanes.eta[lane] = value
            lanes.root[s, lane] = math.sqrt(panel.weight[i])
            wide += 0 if abs(value) < _WIDEST else 1
        part = slice(s * m, (s + 1) * m)
        below, above, density = lanes.below[part], lanes.above[part], lanes.density[part]
        if near and wide == 0:
            fill_logit(count, theta, lanes.eta, below, above, density)
        else:
            fill_any(link, theta, gaps, lanes.eta[:count], below, above, density, lanes.row, lanes.key)
        fill_residuals(panel.y, count, s, m, lanes)
    return int(lanes.key[:count].sum())


@kernel
def fill_logit(count: int, theta: Floats, eta: Floats, below: Floats, above: Floats, density: Floats) -> None:
    """Fill F, 1 - F and f of one row a person under the logit link."""
    for lane in range(count):
        eta[lane] = exp_minus(eta[lane])
    for j in range(theta.size):
        odds = math.exp(theta[j])
        F, rest, f = below[j], above[j], density[j]
        for lane in range(count):
            z = odds * eta[lane]
            share = 1.0 / (1.0 + z)
            F[lane] = z * share
            rest[lane] = share
            f[lane] = z * share * share


@kernel
def fill_any(
    link: int,
    theta: Floats,
    gaps: Floats,
    eta: Floats,
    below: Floats,
    above: Floats,
    density: Floats,
    row: Floats,
    empty: Ints,
) -> None:
    """Fill F, 1 - F and f of one row a person; mark in `empty` who has a category of probability 0."""
    for lane in range(eta.size):
        if not fill_row(link, theta, gaps, eta[lane], row[0], row[1], row[2], row[3], row[4]):
            empty[lane] = 1
        for j in range(theta.size):
            below[j, lane], above[j, lane], density[j, lane] = row[0, j], row[1, j], row[2, j]


@kernel
def fill_residuals(y: Ints, count: int, s: int, m: int, lanes: Lanes) -> None:
    """Fill the residuals of row s of each person, and weight its densities."""
    root = lanes.root[s]
    for j in range(m):
        a = s * m + j
        for lane in range(count):
            lower = y[lanes.start[lane] + s] <= j
            lanes.residual[a, lane] = root[lane] * (lanes.above[a, lane] if lower else -lanes.below[a, lane])
            lanes.density[a, lane] *= root[lane]


@kernel
def fill_joint(
    count: int, a: Floats, not_a: Floats, b: Floats, not_b: Floats, odds: Floats, both: Floats, covariance: Floats
) -> None:
    """Fill P(A and B) and the covariance of Plackett's distribution.

    Events that are the more likely ones are turned round, so that a + b is at most 1 and every digit is kept.
    """
    for lane in range(count):
        turned = a[lane] + b[lane] > 1.0
        u = not_a[lane] if turned else a[lane]
        v = not_b[lane] if turned else b[lane]
        psi = odds[lane]
        h = 1.0 + (u + v) * (psi - 1.0)
        inside = h * h - 4.0 * psi * (psi - 1.0) * u * v
        share = 2.0 * psi * u * v / (h + math.sqrt(inside if inside > 0.0 else 0.0))
        covariance[lane] = share - u * v
        both[lane] = a[lane] + b[lane] - 1.0 + share if turned else share


@kernel
def fill_pair(panel: Panel, count: int, s: int, t: int, m: int, association: Association, lanes: Lanes) -> None:
    """Fill the covariance of row t with the earlier row s, and add what estimates the odds ratio."""
    alike = True
    for lane in range(count):
        i = lanes.start[lane]
        key = association.parameter[panel.position[i + s], panel.position[i + t]]
        lanes.key[lane], lanes.odds[lane] = key, association.odds_ratio[key]
        lanes.weight[lane] = lanes.root[s, lane] * lanes.root[t, lane]
        alike = alike and key == lanes.key[0]
    for j in range(m):
        a, not_a = lanes.below[t * m + j], lanes.above[t * m + j]
        for k in range(m):
            b, not_b = lanes.below[s * m + k], lanes.above[s * m + k]
            fill_joint(count, a, not_a, b, not_b, lanes.odds, lanes.both, lanes.lower[t * m + j, s * m + k])
            if association.tables.shape[0] == 0:
                add_scores(panel, count, s, t, j, k, a, b, lanes, association.products)
            elif alike:
                cell = association.tables[lanes.key[0], j, k]
                cell[0] += dot(lanes.weight, lanes.both, 0, count)
                cell[1] += dot(lanes.weight, a, 0, count)
                cell[2] += dot(lanes.weight, b, 0, count)
                cell[3] += total(lanes.weight, 0, count)
            else:
                add_cells(count, a, b, lanes, association.tables[:, j, k])


@kernel
def add_cells(count: int, a: Floats, b: Floats, lanes: Lanes, cells: Floats) -> None:
    """Add to the tables of several parameters."""
    for lane in range(count):
        cell, weight = cells[lanes.key[lane]], lanes.weight[lane]
        cell[0] += weight * lanes.both[lane]
        cell[1] += weight * a[lane]
        cell[2] += weight * b[lane]
        cell[3] += weight


@kernel
def add_scores(
    panel: Panel, count: int, s: int, t: int, j: int, k: int, a: Floats, b: Floats, lanes: Lanes, products: Floats
) -> None:
    """Add the score and the information about the log odds ratios."""
    for lane in range(count):
        i = lanes.start[lane]
        later, earlier = panel.y[i + t] <= j, panel.y[i + s] <= k
        both, weight = lanes.both[lane], lanes.weight[lane]
        add_log_odds(later, earlier, a[lane], b[lane], both, weight, products[lanes.key[lane]])


@kernel
def fill_within(count: int, t: int, m: int, lanes: Lanes) -> None:
    """Fill the multinomial covariance of row t."""
    for j in range(m):
        for k in range(j + 1):
            out, below, above = lanes.lower[t * m + j, t * m + k], lanes.below[t * m + k], lanes.above[t * m + j]
            for lane in range(count):
                out[lane] = below[lane] * above[lane]


@kernel
def take_product(count: int, out: Floats, x: Floats, y: Floats) -> None:
    """Subtract x y from `out`."""
    for lane in range(count):
        out[lane] -= x[lane] * y[lane]


@kernel
def add_product(count: int, out: Floats, x: Floats, y: Floats) -> None:
    """Add x y to `out`."""
    for lane in range(count):
        out[lane] += x[lane] * y[lane]


@kernel
def multiply(count: int, out: Floats, x: Floats, sign: float) -> None:
    """Multiply `out` by x and by `sign`."""
    for lane in range(count):
        out[lane] *= sign * x[lane]


@kernel
def factor_and_invert(count: int, size: int, lower: Floats, inverse: Floats, whole: Floats, broken: Ints) -> int:
    """Factor V in place and fill the inverse factor; return how many have a pivot that is not clearly above 0."""
    broken[:count] = 0
    for a in range(size):
        pivot, reciprocal = lower[a, a], inverse[a, a]
        for lane in range(count):
            whole[lane] = _LEAST_PIVOT * pivot[lane]
        for b in range(a):
            value = lower[a, b]
            for k in range(b):
                take_product(count, value, lower[a, k], lower[b, k])
            multiply(count, value, inverse[b, b], 1.0)
            take_product(count, pivot, value, value)
        for lane in range(count):
            fine = pivot[lane] > whole[lane]
            broken[lane] |= 0 if fine else 1
            reciprocal[lane] = 1.0 / math.sqrt(pivot[lane] if fine else 1.0)
        for b in range(a):
            value = inverse[a, b]
            value[:count] = 0.0
            for k in range(b, a):
                add_product(count, value, lower[a, k], inverse[k, b])
            multiply(count, value, reciprocal, -1.0)
    return int(broken[:count].sum())


@kernel
def solve_lanes(count: int, size: int, lanes: Lanes) -> None:
    """Fill G and the score in u."""
    inverse = lanes.inverse
    for a in range(size):
        white = lanes.white[a]
        white[:count] = 0.0
        lanes.score[a, :count] = 0.0
        for b in range(a + 1):
            add_product(count, white, inverse[a, b], lanes.residual[b])
            multiply(count, inverse[a, b], lanes.density[b], 1.0)
        for b in range(a + 1):
            add_product(count, lanes.score[b], inverse[a, b], white)


@kernel
def add_information(count: int, n: int, m: int, lanes: Lanes, information: Floats) -> None:
    """Fill the information between eta and the thresholds and between rows; add that about the thresholds."""
    size = n * m
    product = lanes.both
    lanes.spread[:size, :count] = 0.0
    lanes.pairs[:n, :n, :count] = 0.0
    for a in range(size):
        s, j = a // m, a % m
        for b in range(a + 1):
            t, k = b // m, b % m
            product[:count] = 0.0
            for c in range(a, size):
                add_product(count, product, lanes.inverse[c, a], lanes.inverse[c, b])
            value = total(product, 0, count)
            information[max(j, k), min(j, k)] += 2.0 * value if j == k and a != b else value
            one, other, pair = lanes.spread[s * m + k], lanes.spread[t * m + j], lanes.pairs[s, t]
            if s == t and a != b:
                for lane in range(count):
                    pair[lane] += 2.0 * product[lane]
            else:
                for lane in range(count):
                    pair[lane] += product[lane]
            for lane in range(count):
                one[lane] += product[lane]
            if a != b:
                for lane in range(count):
                    other[lane] += product[lane]


@kernel
def put_lanes(X: Floats, count: int, n: int, m: int, begin: int, lanes: Lanes, block: Block) -> None:
    """Put the rows of all persons into the block."""
    p = X.shape[1]
    for lane in range(count):
        start = lanes.start[lane]
        for s in range(n):
            row = start + s - begin
            pull = 0.0
            for j in range(m):
                value = lanes.score[s * m + j, lane]
                pull += value
                block.score[row, j] = value
                block.spread[row, j] = lanes.spread[s * m + j, lane]
            block.pull[row, 0] = pull
            for a in range(p):
                block.mixed[row, a] = 0.0
            for t in range(n):
                between = lanes.pairs[max(s, t), min(s, t), lane]
                for a in range(p):
                    block.mixed[row, a] += between * X[start + t, a]
