"""Working independence under the logit link: one exponential a row, and loops that run on vector registers.

With T_j = exp(threshold_j), z_j = T_j exp(-eta), F_j = z_j / (1 + z_j), f_j = F_j (1 - F_j) and, for a category j
between two cut-points, c_j = 1 / (exp(threshold_j - threshold_{j-1}) - 1) (0 for the lowest and the highest),

    p_j                  F_j (1 - F_{j-1}) / (1 + c_j)
    score in u_j         1[y = j] (1 - F_j + c_j) - 1[y = j + 1] (F_j + c_{j+1})
    observed information f_j 1[y = j or j + 1] + d_j + d_{j+1} in u_j; -d_j between u_j and u_{j-1};
                         d_j = c_j (c_j + 1) 1[y = j]
    expected information the same with p_j in place of 1[y = j]

so that the c_j drop out of what concerns eta. These are the equations of `ordinal_gee_independence_kernel`, which takes
the other links and linear predictors that are too wide for z_j.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.models.ordinal_gee_row_kernel import BLOCK_ROWS, Floats, Ints, Panel, Sums, end_of_block
from rtwcohort.models.ordinal_logit_kernel import exp_minus, log_of
from rtwcohort.models.ordinal_tile_kernel import add_square, dot, total

_WIDEST = 300.0


class Tile(NamedTuple):
    """Room for the rows of some clusters, side by side.

    Attributes
    ----------
    columns
        Of the panel, shape (p, rows).
    eta, factor, ratio, pull
        eta and exp(-eta), p_y but for 1 / (1 + c_y), and the score in eta with its sign turned, shape (rows,).
    below, above, score, spread
        F, 1 - F, the score and what the information adds to eta's, at each cut-point, shape (m, rows).
    shares
        w p_j, shape (K, rows).
    own, scaled
        Scores of clusters, shape (q, rows), and a row to work on.
    """

    columns: Floats
    eta: Floats
    factor: Floats
    ratio: Floats
    pull: Floats
    below: Floats
    above: Floats
    score: Floats
    spread: Floats
    shares: Floats
    own: Floats
    scaled: Floats


@kernel
def load_rows(panel: Panel, start: int, stop: int, beta: Floats, tile: Floats, eta: Floats) -> bool:
    """Put the columns of some rows side by side and fill x'b + offset; False when one is not below `_WIDEST`."""
    X = panel.X[start:stop]
    rows, p = X.shape
    for i in range(rows):
        for a in range(p):
            tile[a, i] = X[i, a]
    offset = panel.offset[start:stop]
    for i in range(rows):
        eta[i] = offset[i]
    for a in range(p):
        column, effect = tile[a], beta[a]
        for i in range(rows):
            eta[i] += effect * column[i]
    wide = 0
    for i in range(rows):
        wide += 0 if abs(eta[i]) < _WIDEST else 1
    return wide == 0


@kernel
def fill_cut(
    j: int,
    rows: int,
    odds: float,
    gaps: tuple[float, float],
    y: Ints,
    weight: Floats,
    factor: Floats,
    below: Floats,
    above: Floats,
    score: Floats,
    spread: Floats,
    pull: Floats,
    own: Floats,
) -> None:
    """Fill F and 1 - F at cut-point j, its score and observed information; add to those of eta and to p_y.

    Loops are short because a compiler uses vector registers only where it has few arrays to tell apart.
    """
    for i in range(rows):
        z = odds * factor[i]
        inverse = 1.0 / (1.0 + z)
        below[i], above[i] = z * inverse, inverse
    for i in range(rows):
        low, high = below[i], above[i]
        own[i] *= low if y[i] == j else (high if y[i] == j + 1 else 1.0)
    for i in range(rows):
        value = weight[i] * below[i] * above[i]
        spread[i] = value if y[i] == j else (value if y[i] == j + 1 else 0.0)
    for i in range(rows):
        low, high = -weight[i] * below[i], weight[i] * above[i]
        score[i] = high if y[i] == j else (low if y[i] == j + 1 else 0.0)
    for i in range(rows):
        pull[i] += score[i]
    if gaps[0] > 0.0 or gaps[1] > 0.0:
        for i in range(rows):
            low, high = -weight[i] * gaps[0], weight[i] * gaps[1]
            score[i] += high if y[i] == j else (low if y[i] == j + 1 else 0.0)


@kernel
def expect(m: int, rows: int, c: Floats, weight: Floats, below: Floats, above: Floats, p: Floats, out: Floats) -> None:
    """Fill w p_j for every category and put the expected information of each cut-point into `out`."""
    for j in range(m + 1):
        rest = 1.0 / (1.0 + c[j])
        for i in range(rows):
            share = weight[i] * rest
            if j < m:
                share *= below[j, i]
            if j > 0:
                share *= above[j - 1, i]
            p[j, i] = share
    for j in range(m):
        for i in range(rows):
            out[j, i] = below[j, i] * above[j, i] * (p[j, i] + p[j + 1, i])


@kernel
def add_clusters(panel: Panel, first: int, last: int, tile: Tile) -> None:
    """Fill the score of each cluster, one a column of `own`, and 1 / copies into `factor`."""
    m, p = tile.score.shape[0], tile.columns.shape[0]
    own, pull, columns = tile.own, tile.pull, tile.columns
    begin = panel.person[panel.cluster[first]]
    for c in range(first, last):
        lo = panel.person[panel.cluster[c]] - begin
        hi = panel.person[panel.cluster[c + 1]] - begin
        for j in range(m):
            sum_of = 0.0
            for i in range(lo, hi):
                sum_of += tile.score[j, i]
            own[j, c - first] = sum_of
        for a in range(p):
            sum_of = 0.0
            for i in range(lo, hi):
                sum_of -= pull[i] * columns[a, i]
            own[m + a, c - first] = sum_of
        tile.factor[c - first] = 1.0 / panel.copies[c]


@kernel
def add_rows(m: int, rows: int, spread: Floats, score: Floats, pull: Floats, tile: Floats, sums: Sums) -> None:
    """Add score and information, but for the d_j of the module's text; `tile` holds the columns."""
    own, information = sums.score[0], sums.information[0]
    for j in range(m):
        own[j] += total(score[j], 0, rows)
        information[j, j] += total(spread[j], 0, rows)
    for a in range(tile.shape[0]):
        column = tile[a]
        own[m + a] -= dot(pull, column, 0, rows)
        for j in range(m):
            information[m + a, j] -= dot(spread[j], column, 0, rows)


@kernel
def add_gaps(c: Floats, weights: Floats, information: Floats) -> None:
    """Add the d_j from the (expected) weight in each category."""
    for j in range(1, c.size - 1):
        both = c[j] * (c[j] + 1.0) * weights[j]
        information[j, j] += both
        information[j - 1, j - 1] += both
        information[j, j - 1] -= both


@kernel
def new_tile(panel: Panel, first: int, last: int, m: int, p: int) -> Tile:
    """Make room for `BLOCK_ROWS` rows and the largest of some clusters."""
    largest = 0
    for c in range(first, last):
        largest = max(largest, panel.person[panel.cluster[c + 1]] - panel.person[panel.cluster[c]])
    n = BLOCK_ROWS + largest
    return Tile(
        np.empty((p, n)),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty((m, n)),
        np.empty((m, n)),
        np.empty((m, n)),
        np.empty((m, n)),
        np.empty((m + 1, n)),
        np.empty((m + p, n)),
        np.empty(n),
    )


@kernel
def add_tile(
    y: Ints, weight: Floats, observed: bool, odds: Floats, c: Floats, tile: Tile, weights: Floats, sums: Sums
) -> float:
    """Add the rows of a tile whose columns and eta are there; return their log-likelihood without the c_j.

    `weights` is the weight in each category that the d_j are multiplied by, and, in its second row, the observed one.
    """
    m, rows = odds.size, y.size
    tile.pull[:rows] = 0.0
    tile.ratio[:rows] = 1.0
    for i in range(rows):
        tile.factor[i] = exp_minus(tile.eta[i])
    for i in range(rows):
        weights[1, y[i]] += weight[i]
    for j in range(m):
        gaps, below, above = (c[j + 1], c[j]), tile.below[j], tile.above[j]
        score, spread = tile.score[j], tile.spread[j]
        fill_cut(j, rows, odds[j], gaps, y, weight, tile.factor, below, above, score, spread, tile.pull, tile.ratio)
    for i in range(rows):
        tile.eta[i] = log_of(tile.ratio[i])
    if not observed:
        expect(m, rows, c, weight, tile.below, tile.above, tile.shares, tile.spread)
        for j in range(m + 1):
            weights[0, j] += total(tile.shares[j], 0, rows)
    add_rows(m, rows, tile.spread, tile.score, tile.pull, tile.columns, sums)
    tile.factor[:rows] = 0.0
    for j in range(m):
        for i in range(rows):
            tile.factor[i] += tile.spread[j, i]
    add_square(tile.columns, tile.factor, rows, tile.scaled, sums.information[0][m:, m:])
    return dot(tile.eta, weight, 0, rows)


@kernel
def logit_pass(
    panel: Panel, first: int, last: int, observed: bool, squares: bool, theta: Floats, beta: Floats, sums: Sums
) -> float:
    """Add clusters `first` to `last` to `sums` and return their log-likelihood; NaN when eta is too wide for this."""
    m, p = theta.size, beta.size
    if not np.abs(theta).max() < _WIDEST:
        return np.nan
    tile, c, odds, weights = new_tile(panel, first, last, m, p), np.zeros(m + 1), np.exp(theta), np.zeros((2, m + 1))
    for j in range(1, m):
        c[j] = 1.0 / math.expm1(theta[j] - theta[j - 1])
    loglik = 0.0
    at = first
    while at < last:
        end = end_of_block(panel, at, last, False, BLOCK_ROWS)
        start, stop = panel.person[panel.cluster[at]], panel.person[panel.cluster[end]]
        if not load_rows(panel, start, stop, beta, tile.columns, tile.eta):
            return np.nan
        y, weight = panel.y[start:stop], panel.weight[start:stop]
        loglik += add_tile(y, weight, observed, odds, c, tile, weights, sums)
        if squares:
            add_clusters(panel, at, end, tile)
            add_square(tile.own, tile.factor, end - at, tile.scaled, sums.meat)
        at = end
    add_gaps(c, weights[1 if observed else 0], sums.information[0])
    for j in range(1, m):
        loglik -= math.log1p(c[j]) * weights[1, j]
    return loglik
