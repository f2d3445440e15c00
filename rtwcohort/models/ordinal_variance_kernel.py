"""Expected information and scores by cluster of cumulative link models.

The expected information of a row has, for thresholds j and j + 1 (McCullagh and Nelder 1989, section 5.5),

    W_jj = f_j^2 (1/p_j + 1/p_(j+1)),    W_j,j+1 = -f_j f_(j+1) / p_(j+1)

and with c = (1, z): t-t block W (x) cc', t-b block -(W 1) (x) c x', b-b block (1'W 1) x x'.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel
from rtwcohort.models.ordinal_link_kernel import interval
from rtwcohort.models.ordinal_tile_kernel import (
    TILE,
    add_products,
    add_square,
    fill_thresholds,
    linear_predictor,
    load_tile,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.uint16]


@kernel
def expected_pass(
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
    first_tile: int,
    last_tile: int,
) -> Floats:
    """Return the expected information (lower triangle) over the tiles of a block; arguments as `block_pass`."""
    n, m, k = order.size, q + 1, starts.shape[1] - 1
    p = columns.size - q
    shift = (k - 1) * m
    product = np.zeros((shift + p, shift + p))
    tile = np.ones((columns.size + 1, TILE))
    constant, moving = tile[:m], tile[m:]
    eta, w, scaled = np.zeros(TILE), np.ones(TILE), np.empty(TILE)
    upper, lower = np.empty(TILE), np.empty(TILE)
    diagonal, beside = np.empty((k - 1, TILE)), np.empty((k, TILE))
    across = np.empty(TILE)
    for t in range(first_tile, last_tile):
        first = t * TILE
        rows = min(first + TILE, n) - first
        load_tile(matrix, columns, mean, inverse, order, first, first + rows, tile)
        linear_predictor(order, weights, offset, moving, beta, first, rows, eta, w)
        diagonal[:] = 0.0
        for y in range(k):
            fill_thresholds(theta, y, k, constant, eta, 0, rows, upper, lower)
            for i in range(rows):
                log_p, gu, gl, _, _ = interval(link, upper[i], lower[i])
                weight = w[i] * np.exp(log_p)
                beside[y, i] = -weight * gu * gl
                if y < k - 1:
                    diagonal[y, i] += weight * gu * gu
                if y > 0:
                    diagonal[y - 1, i] += weight * gl * gl
        across[:] = 0.0
        for j in range(k - 1):
            at = j * m
            add_products(constant, constant, diagonal[j], 0, rows, product[at : at + m, at : at + m])
            if j > 0:
                add_products(constant, constant, beside[j], 0, rows, product[at : at + m, at - m : at])
            for i in range(rows):
                total = diagonal[j, i] + beside[j, i] + beside[j + 1, i]
                scaled[i] = -total
                across[i] += total
            add_products(moving, constant, scaled, 0, rows, product[shift:, at : at + m])
        add_square(moving, across, rows, scaled, product[shift:, shift:])
    return product


@kernel
def cluster_scores(
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
    cluster: Ints,
    scores: Floats,
) -> None:
    """Add the score of every row to its cluster's, shape (G, parameters)."""
    n, m, k = order.size, q + 1, starts.shape[1] - 1
    shift = (k - 1) * m
    tile = np.ones((columns.size + 1, TILE))
    constant, moving = tile[:m], tile[m:]
    eta, w = np.zeros(TILE), np.ones(TILE)
    upper, lower = np.empty(TILE), np.empty(TILE)
    for t in range(starts.shape[0]):
        first = t * TILE
        rows = min(first + TILE, n) - first
        load_tile(matrix, columns, mean, inverse, order, first, first + rows, tile)
        linear_predictor(order, weights, offset, moving, beta, first, rows, eta, w)
        for y in range(k):
            lo, hi = starts[t, y], starts[t, y + 1]
            fill_thresholds(theta, y, k, constant, eta, lo, hi, upper, lower)
            for i in range(lo, hi):
                _, gu, gl, _, _ = interval(link, upper[i], lower[i])
                own = scores[cluster[first + order[first + i]]]
                for a in range(m):
                    if y < k - 1:
                        own[y * m + a] += w[i] * gu * constant[a, i]
                    if y > 0:
                        own[(y - 1) * m + a] -= w[i] * gl * constant[a, i]
                for b in range(beta.size):
                    own[shift + b] -= w[i] * (gu - gl) * moving[b, i]
