"""Rows a tile at a time: sorted by category, centred and scaled without a copy of the matrix; their inner products."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel, summing_kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.uint16]

TILE: Final = 512


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


@summing_kernel
def total(a: Floats, lo: int, hi: int) -> float:
    """Return the sum of a segment."""
    s = 0.0
    for i in range(lo, hi):
        s += a[i]
    return s


@kernel
def load_tile(
    matrix: Floats, columns: Ints, mean: Floats, inverse: Floats, order: Shorts, first: int, last: int, tile: Floats
) -> None:
    """Copy rows into the tile, sorted by category, centred and scaled; row 0 of the tile is the constant."""
    for a in range(columns.size):
        j = columns[a]
        middle, factor = mean[a], inverse[a]
        row = tile[a + 1]
        column, place = matrix[first:last, j], order[first:last]
        for i in range(last - first):
            row[i] = (column[place[i]] - middle) * factor


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
def add_products(left: Floats, right: Floats, weights: Floats, lo: int, hi: int, target: Floats) -> None:
    """Add `left diag(weights) right'` over a segment to `target`."""
    scaled = np.empty(hi - lo)
    for a in range(left.shape[0]):
        for i in range(lo, hi):
            scaled[i - lo] = left[a, i] * weights[i]
        for b in range(right.shape[0]):
            target[a, b] += dot(scaled, right[b, lo:hi], 0, hi - lo)


@kernel
def add_minus_products(left: Floats, right: Floats, weights: Floats, lo: int, hi: int, target: Floats) -> None:
    """Subtract `left diag(weights) right'` over a segment from `target`."""
    scaled = np.empty(hi - lo)
    for b in range(right.shape[0]):
        for i in range(lo, hi):
            scaled[i - lo] = right[b, i] * weights[i]
        for a in range(left.shape[0]):
            target[a, b] -= dot(scaled, left[a, lo:hi], 0, hi - lo)


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
