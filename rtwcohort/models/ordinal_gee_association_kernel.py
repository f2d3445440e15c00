"""Working association between waves: estimating equations of one person at a time.

In u, the linear predictors at the n x m cut-points of a person, the equations are u = diag(f) V^-1 r and their
expected information is W = diag(f) V^-1 diag(f), with r the residuals of the cumulative indicators Z_sj = 1[Y_s <= j].
Within a wave V is the multinomial covariance; between waves it comes from

  correlation   whitened residuals: e_s1 = r_s1 / sd_s1, and e_sj the standardised residual of Z_sj after Z_s1 to
                Z_s,j-1, so that e_s has unit covariance; then corr(e_sj, e_tj) = R_st, and 0 between different
                cut-points.
  odds ratio    P(Z_sj = 1, Z_tk = 1) from the margins and the global odds ratio of the pair of waves
                (`ordinal_gee_odds_pass_kernel`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.core.jit import inlined_kernel
from rtwcohort.models.ordinal_gee_row_kernel import (
    BLOCK_ROWS,
    Block,
    Floats,
    Ints,
    Panel,
    Sums,
    add_block,
    add_squares,
    end_of_block,
    fill_row,
    gaps_of,
    new_block,
)


class Association(NamedTuple):
    """Parameters of the working association, and what is added up to estimate them.

    Attributes
    ----------
    pattern
        Which matrix of `inverse` is the person's, shape (persons,); of length 0 for odds ratios.
    inverse
        Inverses of R, one a pattern of waves, shape (patterns, n_max, n_max).
    odds_ratio
        One a parameter, shape (parameters,).
    parameter
        Parameter of a pair of wave positions (earlier, later), -1 for none, shape (waves, waves).
    adjacent
        Whether only neighbouring rows of a person are paired in `products`.
    products
        Correlation: sums of weight x mean over j of e_sj e_tj, and of weight, shape (parameters, 2). Odds ratio, by the
        score: sums of the score and of the information about the log odds ratio.
    tables
        Odds ratio, pooled: sums of weight x P(Z_tj = 1, Z_sk = 1), P(Z_tj = 1), P(Z_sk = 1) and 1 for t later than s,
        shape (parameters, m, m, 4); of length 0 when the score is used.
    """

    pattern: Ints
    inverse: Floats
    odds_ratio: Floats
    parameter: Ints
    adjacent: bool
    products: Floats
    tables: Floats


class Work(NamedTuple):
    """Room for one person: n x m cut-points one after the other, and matrices over them.

    Attributes
    ----------
    below, above, density, residual
        F, 1 - F, f and Z - F, shape (n m,).
    root
        Square root of each row's weight, shape (n,).
    slope, share
        Of one row, shapes (m,) and (n, K).
    lower
        e, and the derivatives of e_j in u_j and u_{j-1}, shape (n m, 3).
    information
        In u, shape (n m, n m).
    score
        In u, shape (n m,).
    """

    below: Floats
    above: Floats
    density: Floats
    residual: Floats
    root: Floats
    slope: Floats
    share: Floats
    lower: Floats
    information: Floats
    score: Floats


@kernel
def new_work(widest: int, m: int) -> Work:
    """Make room for the person with most rows."""
    size = widest * m
    return Work(
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(widest),
        np.empty(m),
        np.empty((widest, m + 1)),
        np.zeros((size, 3)),
        np.zeros((size, size)),
        np.empty(size),
    )


@inlined_kernel
def fill_person(
    panel: Panel, start: int, n: int, link: int, theta: Floats, gaps: Floats, beta: Floats, work: Work
) -> bool:
    """Fill probabilities and residuals of the person's rows; False when a probability is 0."""
    m = theta.size
    X = panel.X
    for s in range(n):
        i = start + s
        eta = panel.offset[i]
        for a in range(beta.size):
            eta += X[i, a] * beta[a]
        part = slice(s * m, (s + 1) * m)
        fine = fill_row(
            link, theta, gaps, eta, work.below[part], work.above[part], work.density[part], work.slope, work.share[s]
        )
        if not fine:
            return False
        work.root[s] = math.sqrt(panel.weight[i])
        for j in range(m):
            work.residual[s * m + j] = work.above[s * m + j] if panel.y[i] <= j else -work.below[s * m + j]
    return True


@inlined_kernel
def whiten(n: int, m: int, work: Work) -> None:
    """Fill e_sj and its derivatives (without the change of the covariance) in u_sj and u_s,j-1.

    The whitening is bidiagonal, as the indicators of a wave form a Markov chain: with c_j = corr(Z_{j-1}, Z_j),
    e_j = (z_j - c_j z_{j-1}) / sqrt(1 - c_j^2), and 1 - c_j^2 = p_j / (F_j (1 - F_{j-1})).
    """
    for s in range(n):
        for j in range(m):
            a = s * m + j
            after = 1.0 / math.sqrt(work.below[a] * work.above[a])
            if j == 0:
                work.lower[a, 0] = after * work.residual[a]
            else:
                after *= math.sqrt(work.below[a] * work.above[a - 1] / work.share[s, j])
                before = after * work.above[a] / work.above[a - 1]
                work.lower[a, 0] = after * work.residual[a] - before * work.residual[a - 1]
                work.lower[a, 2] = -before * work.density[a - 1]
            work.lower[a, 1] = after * work.density[a]


@inlined_kernel
def correlated_person(n: int, m: int, inverse: Floats, work: Work) -> None:
    """Fill the information and the score in u from whitened residuals."""
    lower, information, score = work.lower, work.information, work.score
    for a in range(n * m):
        score[a] = 0.0
    for s in range(n):
        for t in range(n):
            r = inverse[s, t] * work.root[s] * work.root[t]
            for k in range(m):
                for j in range(m):
                    information[s * m + k, t * m + j] = 0.0
            for j in range(m):
                a, b = s * m + j, t * m + j
                score[a] += r * lower[a, 1] * lower[b, 0]
                information[a, b] += r * lower[a, 1] * lower[b, 1]
                if j > 0:
                    score[a - 1] += r * lower[a, 2] * lower[b, 0]
                    information[a - 1, b] += r * lower[a, 2] * lower[b, 1]
                    information[a, b - 1] += r * lower[a, 1] * lower[b, 2]
                    information[a - 1, b - 1] += r * lower[a, 2] * lower[b, 2]


@inlined_kernel
def add_products(panel: Panel, start: int, n: int, m: int, association: Association, work: Work) -> None:
    """Add the products of whitened residuals of pairs of waves."""
    for s in range(n - 1):
        last = s + 2 if association.adjacent else n
        for t in range(s + 1, last):
            key = association.parameter[panel.position[start + s], panel.position[start + t]]
            if key >= 0:
                weight = work.root[s] * work.root[t]
                product = 0.0
                for j in range(m):
                    product += work.lower[s * m + j, 0] * work.lower[t * m + j, 0]
                association.products[key, 0] += weight * product / m
                association.products[key, 1] += weight


@inlined_kernel
def put_person(
    X: Floats, start: int, n: int, m: int, work: Work, place: int, block: Block, information: Floats
) -> None:
    """Put the person's rows into the block, and add the information about the thresholds (lower triangle)."""
    p = X.shape[1]
    for s in range(n):
        row = place + s
        pull = 0.0
        for j in range(m):
            pull += work.score[s * m + j]
            block.score[row, j] = work.score[s * m + j]
            block.spread[row, j] = 0.0
        block.pull[row, 0] = pull
        for a in range(p):
            block.mixed[row, a] = 0.0
        for t in range(n):
            total = add_pair_of_rows(m, s, t, work, block.spread[row], information)
            for a in range(p):
                block.mixed[row, a] += total * X[start + t, a]


@inlined_kernel
def add_pair_of_rows(m: int, s: int, t: int, work: Work, spread: Floats, information: Floats) -> float:
    """Add the information between rows s and t to that about the thresholds and eta; return its sum."""
    total = 0.0
    for j in range(m):
        for k in range(m):
            value = work.information[s * m + j, t * m + k]
            spread[k] += value
            total += value
            if k <= j:
                information[j, k] += value
    return total


@kernel
def association_pass(
    panel: Panel,
    first: int,
    last: int,
    link: int,
    squares: bool,
    theta: Floats,
    beta: Floats,
    association: Association,
    sums: Sums,
    widest: int,
) -> tuple[int, int]:
    """Add clusters `first` to `last` to `sums`, the association being correlations.

    Returns the number of persons with a category of probability 0, and of those whose covariance is not positive
    definite (none: R is checked before); anything but 0 makes the sums useless.
    """
    m = theta.size
    work, block, own = new_work(widest, m), new_block(panel, m, BLOCK_ROWS), np.empty(m + beta.size)
    gaps, single = gaps_of(theta), sums.score.shape[0] > 1
    empty = 0
    c = first
    while c < last:
        end = end_of_block(panel, c, last, single, BLOCK_ROWS)
        begin = panel.person[panel.cluster[c]]
        score = sums.score[c - first if single else 0]
        information = sums.information[c - first if single else 0]
        for i in range(panel.cluster[c], panel.cluster[end]):
            start, n = panel.person[i], panel.person[i + 1] - panel.person[i]
            if not fill_person(panel, start, n, link, theta, gaps, beta, work):
                empty += 1
            else:
                whiten(n, m, work)
                add_products(panel, start, n, m, association, work)
                correlated_person(n, m, association.inverse[association.pattern[i]], work)
            put_person(panel.X, start, n, m, work, start - begin, block, information)
        add_block(panel, begin, panel.person[panel.cluster[end]], block, score, information)
        if squares:
            add_squares(panel, c, end, block, own, sums.meat)
        c = end
    return empty, 0
