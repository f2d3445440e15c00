"""Working independence between waves: score, information and clustered squares in one pass.

Within a wave the m cumulative indicators have their exact multinomial covariance V, so that the estimating equations
are the likelihood's: with p_j the probability of category j and f_j the density at cut-point j,

    score in u_j:            f_j (1[y = j] / p_j - 1[y = j + 1] / p_{j+1})
    expected information:    diag(f) V^-1 diag(f), tridiagonal: f_j^2 (1/p_j + 1/p_{j+1}), -f_j f_{j+1} / p_{j+1}
    observed information:    minus the second derivatives of log p_y

or, with `diagonal`, the indicators of one wave count as independent too (the composite likelihood of m binary
outcomes).
"""

from __future__ import annotations

import math

import numpy as np

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.core.jit import inlined_kernel
from rtwcohort.models.ordinal_gee_row_kernel import (
    BLOCK_ROWS,
    LEAST_SHARE,
    Block,
    Floats,
    Panel,
    Sums,
    add_block,
    add_squares,
    end_of_block,
    fill_row,
    gaps_of,
    new_block,
)


@inlined_kernel
def multinomial_row(
    y: int, observed: bool, density: Floats, slope: Floats, share: Floats, u: Floats, main: Floats, side: Floats
) -> float:
    """Fill the score and the tridiagonal information in u of one row; return its log-likelihood."""
    m = u.size
    inverse = 1.0 / share[y]
    for j in range(m):
        sign = (1.0 if y == j else 0.0) - (1.0 if y == j + 1 else 0.0)
        u[j] = sign * density[j] * inverse
        main[j] = u[j] * u[j] - sign * slope[j] * inverse
        if j > 0:
            side[j - 1] = u[j - 1] * u[j]
    if not observed:
        for j in range(m):
            main[j] = density[j] * density[j] * (1.0 / share[j] + 1.0 / share[j + 1])
        for j in range(m - 1):
            side[j] = -density[j] * density[j + 1] / share[j + 1]
    return math.log(share[y])


@inlined_kernel
def diagonal_row(
    y: int, observed: bool, below: Floats, above: Floats, density: Floats, slope: Floats, u: Floats, main: Floats
) -> float:
    """Fill the score and the diagonal information of m binary outcomes; return their log-likelihood."""
    total = 0.0
    for j in range(u.size):
        if y <= j:
            total += math.log(below[j])
            u[j] = density[j] / below[j]
            main[j] = u[j] * u[j] - slope[j] / below[j]
        else:
            total += math.log(above[j])
            u[j] = -density[j] / above[j]
            main[j] = u[j] * u[j] + slope[j] / above[j]
        if not observed:
            spread = below[j] * above[j]
            main[j] = density[j] * density[j] / spread if spread > LEAST_SHARE else 0.0
    return total


@inlined_kernel
def put_row(
    X: Floats,
    i: int,
    weight: float,
    u: Floats,
    main: Floats,
    side: Floats,
    place: int,
    block: Block,
    information: Floats,
) -> None:
    """Put one row into the block, and add its information about the thresholds (lower triangle)."""
    m = u.size
    pull, total = 0.0, 0.0
    for j in range(m):
        block.score[place, j] = weight * u[j]
        pull += u[j]
        spread = main[j]
        if j > 0:
            information[j, j - 1] += weight * side[j - 1]
            spread += side[j - 1]
        if j < m - 1:
            spread += side[j]
        information[j, j] += weight * main[j]
        block.spread[place, j] = weight * spread
        total += spread
    block.pull[place, 0] = weight * pull
    total *= weight
    for a in range(X.shape[1]):
        block.mixed[place, a] = total * X[i, a]


@kernel
def independence_pass(
    panel: Panel,
    first: int,
    last: int,
    link: int,
    diagonal: bool,
    observed: bool,
    squares: bool,
    theta: Floats,
    beta: Floats,
    sums: Sums,
) -> float:
    """Add clusters `first` to `last` to `sums` and return their log-likelihood, -inf where a probability is 0."""
    m, X, y, weights, offset = theta.size, panel.X, panel.y, panel.weight, panel.offset
    below, above, density, slope = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    share, u, main, side = np.empty(m + 1), np.empty(m), np.empty(m), np.zeros(m)
    own, block, gaps = np.empty(m + beta.size), new_block(panel, m, BLOCK_ROWS), gaps_of(theta)
    single = sums.score.shape[0] > 1
    loglik = 0.0
    c = first
    while c < last:
        end = end_of_block(panel, c, last, single, BLOCK_ROWS)
        start, stop = panel.person[panel.cluster[c]], panel.person[panel.cluster[end]]
        score = sums.score[c - first if single else 0]
        information = sums.information[c - first if single else 0]
        for i in range(start, stop):
            eta = offset[i]
            for a in range(beta.size):
                eta += X[i, a] * beta[a]
            fine = fill_row(link, theta, gaps, eta, below, above, density, slope, share)
            if not fine and not share[y[i]] > LEAST_SHARE:
                return -np.inf
            if diagonal:
                value = diagonal_row(y[i], observed, below, above, density, slope, u, main)
            else:
                value = multinomial_row(y[i], observed, density, slope, share, u, main, side)
            loglik += weights[i] * value
            put_row(X, i, weights[i], u, main, side, i - start, block, information)
        add_block(panel, start, stop, block, score, information)
        if squares:
            add_squares(panel, c, end, block, own, sums.meat)
        c = end
    return loglik
