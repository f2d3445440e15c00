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

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel, summing_kernel
from rtwcohort.models.ordinal_link_kernel import LOGIT, interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int16]
Pass = tuple[float, Floats, Floats]

TILE: Final = 512
OBSERVED: Final = 0
OUTER: Final = 1

_SU, _SL, _SX, _UU, _UL, _LL, _XU, _XL, _XX = range(9)
_LOG2_E = 1.4426950408889634
_ROUND = 6755399441055744.0
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@kernel
def sort_tiles(codes: npt.NDArray[np.int32], k: int, order: Shorts, starts: npt.NDArray[np.int32]) -> None:
    """Fill the order of the rows inside each tile by category, and where each category starts, shape (tiles, k + 1)."""
    n = codes.size
    counts = np.zeros(k + 1, dtype=np.int64)
    for tile in range(starts.shape[0]):
        first = tile * TILE
        last = min(first + TILE, n)
        counts[:] = 0
        for i in range(first, last):
            counts[codes[i] + 1] += 1
        for y in range(k):
            counts[y + 1] += counts[y]
        for y in range(k + 1):
            starts[tile, y] = counts[y]
        for i in range(first, last):
            y = codes[i]
            order[first + counts[y]] = i - first
            counts[y] += 1


@kernel
def column_sums(matrix: Floats, shift: Floats, squares: bool, lo: int, hi: int) -> Floats:
    """Return the sums, or the sums of squares, of `matrix - shift` over rows `lo:hi`."""
    p = matrix.shape[1]
    total = np.zeros(p)
    for first in range(lo, hi, TILE):
        last = min(first + TILE, hi)
        for j in range(p):
            s = 0.0
            for i in range(first, last):
                x = matrix[i, j] - shift[j]
                s += x * x if squares else x
            total[j] += s
    return total


@summing_kernel
def dot(a: Floats, b: Floats, lo: int, hi: int) -> float:
    """Return the inner product of two segments."""
    total = 0.0
    for i in range(lo, hi):
        total += a[i] * b[i]
    return total


@summing_kernel
def four_dots(a: Floats, rows: Floats, j: int, m: int) -> tuple[float, float, float, float]:
    """Return the inner products of `a` with four rows from row `j`."""
    s0 = s1 = s2 = s3 = 0.0
    r0, r1, r2, r3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
    for i in range(m):
        x = a[i]
        s0 += x * r0[i]
        s1 += x * r1[i]
        s2 += x * r2[i]
        s3 += x * r3[i]
    return s0, s1, s2, s3


@kernel
def total(a: Floats, lo: int, hi: int) -> float:
    """Return the sum of a segment."""
    s = 0.0
    for i in range(lo, hi):
        s += a[i]
    return s


@kernel
def exp_minus(x: float) -> float:
    """Return exp(-x) for x >= 0 in operations that run on vector registers (Cody and Waite; Taylor to order 13)."""
    y = -min(x, 708.0)
    rounded = y * _LOG2_E + _ROUND
    bits = np.float64(rounded).view(np.int64)
    whole = rounded - _ROUND
    r = (y - whole * _LN2_HIGH) - whole * _LN2_LOW
    s = 1.0 / 6227020800.0
    s = s * r + 1.0 / 479001600.0
    s = s * r + 1.0 / 39916800.0
    s = s * r + 1.0 / 3628800.0
    s = s * r + 1.0 / 362880.0
    s = s * r + 1.0 / 40320.0
    s = s * r + 1.0 / 5040.0
    s = s * r + 1.0 / 720.0
    s = s * r + 1.0 / 120.0
    s = s * r + 1.0 / 24.0
    s = s * r + 1.0 / 6.0
    s = s * r + 0.5
    s = s * r + 1.0
    s = s * r + 1.0
    scale: float = np.int64((bits + 1023) << 52).view(np.float64)
    return s * scale


@kernel
def logit_segment(eta: Floats, w: Floats, upper: float, lower: float, lo: int, hi: int, parts: Floats) -> float:
    """Fill the weights of rows of one category between two thresholds that are constants, and return log p."""
    top, bottom = upper == np.inf, lower == -np.inf
    inverse = 1.0 if top or bottom else -1.0 / math.expm1(lower - upper)
    more = inverse - 1.0
    cross = more * inverse
    su, sl, sx, uu, ul, ll = parts[_SU], parts[_SL], parts[_SX], parts[_UU], parts[_UL], parts[_LL]
    xu, xl, xx, terms = parts[_XU], parts[_XL], parts[_XX], parts[9]
    for i in range(lo, hi):
        u = upper - eta[i]
        v = lower - eta[i]
        eu = exp_minus(abs(u))
        ev = exp_minus(abs(v))
        du = 1.0 / (1.0 + eu)
        dv = 1.0 / (1.0 + ev)
        above = (eu if u > 0.0 else 1.0) * du
        below = (ev if v < 0.0 else 1.0) * dv
        if top:
            above, eu = 0.0, 0.0
        if bottom:
            below, ev = 0.0, 0.0
        fu = eu * du * du
        fl = ev * dv * dv
        weight = w[i]
        su[i] = 0.0 if top else weight * (above + more)
        sl[i] = 0.0 if bottom else weight * (below + more)
        sx[i] = weight * (above - below)
        xu[i] = weight * fu
        xl[i] = weight * fl
        xx[i] = weight * (fu + fl)
        uu[i] = weight * (fu + cross)
        ll[i] = weight * (fl + cross)
        ul[i] = -weight * cross
        terms[i] = (1.0 + eu) * (1.0 + ev)
    log_p = 0.0
    for i in range(lo, hi):
        u = upper - eta[i]
        v = lower - eta[i]
        low = 0.0 if top else min(u, 0.0)
        high = 0.0 if bottom else max(v, 0.0)
        log_p += w[i] * (low - high - math.log(terms[i]) - math.log(inverse))
    return log_p


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
    """The same for any link and thresholds that may depend on the row."""
    log_p = 0.0
    for i in range(lo, hi):
        row, gu, gl, cu, cl = interval(link, upper[i], lower[i])
        weight = w[i]
        second = weight * weight if square else weight
        if matrix_kind == OUTER:
            cu = cl = 0.0
        log_p += weight * row
        parts[_SU, i] = weight * gu
        parts[_SL, i] = weight * gl
        parts[_SX, i] = weight * (gu - gl)
        parts[_UU, i] = second * (gu * gu - cu)
        parts[_LL, i] = second * (gl * gl + cl)
        parts[_UL, i] = -second * gu * gl
        parts[_XU, i] = second * (gu * (gu - gl) - cu)
        parts[_XL, i] = second * (cl - gl * (gu - gl))
        parts[_XX, i] = second * ((gu - gl) * (gu - gl) - cu + cl)
    return log_p


@kernel
def load_tile(
    matrix: Floats, columns: Ints, mean: Floats, inverse: Floats, order: Shorts, first: int, last: int, tile: Floats
) -> None:
    """Copy rows into the tile, sorted by category, centred and scaled; row 0 of the tile is the constant."""
    for a in range(columns.size):
        j = columns[a]
        middle, factor = mean[j], inverse[j]
        row = tile[a + 1]
        for i in range(first, last):
            row[i - first] = (matrix[first + order[i], j] - middle) * factor


@kernel
def add_products(left: Floats, right: Floats, weights: Floats, lo: int, hi: int, target: Floats) -> None:
    """Add `left diag(weights) right'` over a segment to `target`."""
    scaled = np.empty(hi - lo)
    for a in range(left.shape[0]):
        for i in range(lo, hi):
            scaled[i - lo] = left[a, i] * weights[i]
        for b in range(right.shape[0]):
            target[a, b] += dot(scaled, right[b, lo:hi], 0, hi - lo)


@kernel
def add_square(rows: Floats, weights: Floats, m: int, scaled: Floats, target: Floats) -> None:
    """Add the lower triangle of `rows diag(weights) rows'` over the first `m` columns to `target`."""
    for a in range(rows.shape[0]):
        row = rows[a]
        for i in range(m):
            scaled[i] = row[i] * weights[i]
        b = 0
        while b + 3 <= a:
            s0, s1, s2, s3 = four_dots(scaled, rows, b, m)
            target[a, b] += s0
            target[a, b + 1] += s1
            target[a, b + 2] += s2
            target[a, b + 3] += s3
            b += 4
        while b <= a:
            target[a, b] += dot(scaled, rows[b], 0, m)
            b += 1


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
    parts = np.empty((10, TILE))
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
                log_p += logit_segment(eta, w, above, below, lo, hi, parts)
            else:
                fill_thresholds(theta, y, k, constant, eta, lo, hi, upper, lower)
                log_p += any_segment(link, matrix_kind, square, upper, lower, w, lo, hi, parts)
            if not log_p > -np.inf:
                return -np.inf, score, product
            add_thresholds(parts, constant, moving, y, k, lo, hi, score, product)
        for b in range(p):
            score[shift + b] -= dot(parts[_SX], moving[b], 0, rows)
        add_square(moving, parts[_XX], rows, scaled, product[shift:, shift:])
    return log_p, score, product


@kernel
def linear_predictor(
    order: Shorts,
    weights: Floats,
    offset: Floats,
    moving: Floats,
    beta: Floats,
    first: int,
    rows: int,
    eta: Floats,
    w: Floats,
) -> None:
    """Fill x'b plus the offset, and the weights, for the rows of a tile."""
    for i in range(rows):
        eta[i] = 0.0
    if offset.size:
        for i in range(rows):
            eta[i] = offset[first + order[first + i]]
    if weights.size:
        for i in range(rows):
            w[i] = weights[first + order[first + i]]
    for b in range(beta.size):
        row, factor = moving[b], beta[b]
        for i in range(rows):
            eta[i] += factor * row[i]


@kernel
def fill_thresholds(
    theta: Floats, y: int, k: int, constant: Floats, eta: Floats, lo: int, hi: int, upper: Floats, lower: Floats
) -> None:
    """Fill u and l for rows of category `y`."""
    for i in range(lo, hi):
        upper[i] = np.inf
        lower[i] = -np.inf
        if y < k - 1:
            upper[i] = -eta[i]
            for a in range(constant.shape[0]):
                upper[i] += theta[y, a] * constant[a, i]
        if y > 0:
            lower[i] = -eta[i]
            for a in range(constant.shape[0]):
                lower[i] += theta[y - 1, a] * constant[a, i]


@kernel
def add_thresholds(
    parts: Floats, constant: Floats, moving: Floats, y: int, k: int, lo: int, hi: int, score: Floats, product: Floats
) -> None:
    """Add what rows of category `y` say about the two thresholds beside it."""
    m, p = constant.shape[0], moving.shape[0]
    shift = (k - 1) * m
    for side in range(2):
        j = y - side
        if j < 0 or j > k - 2:
            continue
        g, h, x = (parts[_SU], parts[_UU], parts[_XU]) if side == 0 else (parts[_SL], parts[_LL], parts[_XL])
        sign = 1.0 if side == 0 else -1.0
        at = j * m
        if m == 1:
            score[at] += sign * total(g, lo, hi)
            product[at, at] += total(h, lo, hi)
        else:
            for a in range(m):
                score[at + a] += sign * dot(g, constant[a], lo, hi)
            add_products(constant, constant, h, lo, hi, product[at : at + m, at : at + m])
        for a in range(m):
            weighted = x[lo:hi] * constant[a, lo:hi] if a > 0 else x[lo:hi]
            for b in range(p):
                product[shift + b, at + a] -= dot(weighted, moving[b, lo:hi], 0, hi - lo)
    if 0 < y < k - 1:
        at = y * m
        if m == 1:
            product[at, at - 1] += total(parts[_UL], lo, hi)
        else:
            add_products(constant, constant, parts[_UL], lo, hi, product[at : at + m, at - m : at])
