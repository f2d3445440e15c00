"""Cumulative link likelihood: arrays to log-likelihood, score and information, in one pass over the rows.

With F the inverse link, a row of category y has u = c't_y - x'b and l = c't_(y-1) - x'b, where c = (1, z) holds a
constant and the columns with nominal effects, and t_j = (threshold_j, minus the effects at threshold j). With
g and h the derivatives that `ordinal_link_kernel` gives,

    log p = log(F(u) - F(l)),   score of t_y: gu c,   of t_(y-1): -gl c,   of b: -(gu - gl) x

and the information has, besides c c' with weights uu, ul, ll, the products -(uu + ul) c x', -(ll + ul) c x' and
(uu + 2 ul + ll) x x'. The three kinds of matrix differ in the weights only:

    observed   uu = gu^2 - f'(u)/p     ll = gl^2 + f'(l)/p     ul = -gu gl    (McCullagh 1980; Burridge 1981)
    outer      uu = gu^2               ll = gl^2               ul = -gu gl    (products of the scores, for sandwiches)

For the logit link uu + ul = f(u), ll + ul = f(l) and ul does not depend on x: two exponentials a row are enough.
Rows are taken a tile at a time, each sorted by category, so that thresholds are constants in the inner loops and every
sum is an inner product. Columns are centred and scaled inside the tile: no copy of the matrix is made.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel
from rtwcohort.models.ordinal_link_kernel import LOGIT, interval
from rtwcohort.models.ordinal_logit_kernel import LL, SL, SU, SX, UL, UU, XL, XU, XX, logit_segment
from rtwcohort.models.ordinal_tile_kernel import (
    TILE,
    add_minus_products,
    add_products,
    add_square,
    dot,
    fill_thresholds,
    linear_predictor,
    load_tile,
    total,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.uint16]
Pass = tuple[float, Floats, Floats]

OBSERVED: Final = 0
OUTER: Final = 1


@kernel
def any_segment(
    link: int,
    matrix_kind: int,
    square: bool,
    upper: Floats,
    lower: Floats,
    w: Floats,
    lo: int,
    hi: int,
    parts: Floats,
) -> float:
    """Fill all weights for any link and thresholds that may depend on the row, and return log p."""
    log_p = 0.0
    for i in range(lo, hi):
        row, gu, gl, cu, cl = interval(link, upper[i], lower[i])
        weight = w[i]
        second = weight * weight if square else weight
        if matrix_kind == OUTER:
            cu = cl = 0.0
        log_p += weight * row
        parts[SU, i] = weight * gu
        parts[SL, i] = weight * gl
        parts[SX, i] = weight * (gu - gl)
        parts[UU, i] = second * (gu * gu - cu)
        parts[LL, i] = second * (gl * gl + cl)
        parts[UL, i] = -second * gu * gl
        parts[XU, i] = second * (gu * (gu - gl) - cu)
        parts[XL, i] = second * (cl - gl * (gu - gl))
        parts[XX, i] = second * ((gu - gl) * (gu - gl) - cu + cl)
    return log_p


@kernel
def block_pass(
    matrix: Floats,
    columns: Ints,
    q: int,
    mean: Floats,
    inverse: Floats,
    order: Shorts,
    starts: npt.NDArray[np.int32],
    weights: Floats,
    offset: Floats,
    theta: Floats,
    beta: Floats,
    link: int,
    matrix_kind: int,
    square: bool,
    first_tile: int,
    last_tile: int,
    every: int,
) -> Pass:
    """Return log-likelihood, score and matrix over every `every`-th tile of a block.

    `columns` has the `q` columns with nominal effects first; `theta` has shape (k - 1, 1 + q). Parameters are ordered
    t_1, ..., t_(k-1), b. `weights` and `offset` are empty where there are none. With `square` the matrix is taken with
    squared weights.
    """
    n, m = order.size, q + 1
    k = starts.shape[1] - 1
    p = columns.size - q
    shift = (k - 1) * m
    score = np.zeros(shift + p)
    product = np.zeros((shift + p, shift + p))
    tile = np.ones((columns.size + 1, TILE))
    constant, moving = tile[:m], tile[m:]
    eta, w, scaled = np.zeros(TILE), np.ones(TILE), np.empty(TILE)
    upper, lower = np.empty(TILE), np.empty(TILE)
    parts = np.empty((9, TILE))
    straight = link == LOGIT and q == 0 and matrix_kind == OBSERVED
    log_p = 0.0
    for t in range(first_tile, last_tile, every):
        first = t * TILE
        last = min(first + TILE, n)
        rows = last - first
        load_tile(matrix, columns, mean, inverse, order, first, last, tile)
        linear_predictor(order, weights, offset, moving, beta, first, rows, eta, w)
        for y in range(k):
            lo, hi = starts[t, y], starts[t, y + 1]
            if lo == hi:
                continue
            if straight:
                above = theta[y, 0] if y < k - 1 else np.inf
                below = theta[y - 1, 0] if y > 0 else -np.inf
                if not above > below:
                    return -np.inf, score, product
                here, more, cross = logit_segment(eta, w, above, below, lo, hi, parts)
            else:
                fill_thresholds(theta, y, k, constant, eta, lo, hi, upper, lower)
                here = any_segment(link, matrix_kind, square, upper, lower, w, lo, hi, parts)
                more, cross = 0.0, total(parts[UL], lo, hi)
            log_p += here
            if not log_p > -np.inf:
                return -np.inf, score, product
            add_thresholds(parts, constant, moving, y, k, lo, hi, straight, more, cross, score, product)
        for b in range(p):
            score[shift + b] -= dot(parts[SX], moving[b], 0, rows)
        add_square(moving, parts[XX], rows, scaled, product[shift:, shift:])
    return log_p, score, product


@kernel
def add_thresholds(
    parts: Floats,
    constant: Floats,
    moving: Floats,
    y: int,
    k: int,
    lo: int,
    hi: int,
    straight: bool,
    more: float,
    cross: float,
    score: Floats,
    product: Floats,
) -> None:
    """Add what rows of category `y` say about the two thresholds beside it.

    After `logit_segment` (`straight`), `more` and `cross` are the parts of gu, gl and gu gl that its arrays lack.
    """
    m, p = constant.shape[0], moving.shape[0]
    shift = (k - 1) * m
    for side in range(2):
        j = y - side
        if j < 0 or j > k - 2:
            continue
        g, x = parts[SU + side], parts[XU + side]
        h = x if straight else parts[UU + side]
        sign = 1.0 - 2.0 * side
        at = j * m
        if m == 1:
            score[at] += sign * (total(g, lo, hi) + more)
            product[at, at] += total(h, lo, hi) + (cross if straight else 0.0)
        else:
            for a in range(m):
                score[at + a] += sign * dot(g, constant[a], lo, hi)
            add_products(constant, constant, h, lo, hi, product[at : at + m, at : at + m])
        for b in range(p):
            product[shift + b, at] -= dot(x, moving[b], lo, hi)
        if m > 1:
            add_minus_products(moving, constant[1:], x, lo, hi, product[shift:, at + 1 : at + m])
    if 0 < y < k - 1:
        at = y * m
        if m == 1:
            product[at, at - 1] += -cross if straight else cross
        else:
            add_products(constant, constant, parts[UL], lo, hi, product[at : at + m, at - m : at])
