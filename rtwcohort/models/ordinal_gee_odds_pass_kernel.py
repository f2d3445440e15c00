"""Working association by global odds ratios: one pass over the panel, persons with equally many rows side by side."""

from __future__ import annotations

import numpy as np

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.models.ordinal_gee_association_kernel import Association
from rtwcohort.models.ordinal_gee_lanes_kernel import (
    Lanes,
    add_information,
    factor_and_invert,
    fill_pair,
    fill_rows,
    fill_within,
    new_lanes,
    put_lanes,
    solve_lanes,
)
from rtwcohort.models.ordinal_gee_row_kernel import (
    Block,
    Floats,
    Panel,
    Sums,
    add_block,
    add_squares,
    end_of_block,
    gaps_of,
    new_block,
)

_ROWS = 1024


@kernel
def add_lanes(
    panel: Panel,
    count: int,
    n: int,
    link: int,
    theta: Floats,
    gaps: Floats,
    beta: Floats,
    association: Association,
    begin: int,
    lanes: Lanes,
    block: Block,
    information: Floats,
) -> tuple[int, int]:
    """Put persons of `n` rows into the block, and add the information about the thresholds (lower triangle).

    Returns how many have a category of probability 0, and how many a covariance that is not positive definite.
    """
    m = theta.size
    empty = fill_rows(panel, count, n, link, theta, gaps, beta, lanes)
    for t in range(n):
        for s in range(t):
            fill_pair(panel, count, s, t, m, association, lanes)
        fill_within(count, t, m, lanes)
    broken = factor_and_invert(count, n * m, lanes.lower, lanes.inverse, lanes.covariance, lanes.key)
    solve_lanes(count, n * m, lanes)
    add_information(count, n, m, lanes, information)
    put_lanes(panel.X, count, n, m, begin, lanes, block)
    return empty, broken


@kernel
def add_persons(
    panel: Panel,
    first: int,
    last: int,
    link: int,
    theta: Floats,
    gaps: Floats,
    beta: Floats,
    association: Association,
    lanes: Lanes,
    block: Block,
    information: Floats,
) -> tuple[int, int]:
    """Put persons `first` to `last` into the block, those with equally many rows together; see `add_lanes`."""
    begin, empty, broken = panel.person[first], 0, 0
    least, most = panel.person[first + 1] - begin, 0
    for i in range(first, last):
        n = panel.person[i + 1] - panel.person[i]
        least, most = min(least, n), max(most, n)
    for n in range(least, most + 1):
        count = 0
        for i in range(first, last + 1):
            if i < last and panel.person[i + 1] - panel.person[i] == n:
                lanes.start[count] = panel.person[i]
                count += 1
            if count == lanes.start.size or (i == last and count > 0):
                one, other = add_lanes(
                    panel, count, n, link, theta, gaps, beta, association, begin, lanes, block, information
                )
                empty, broken, count = empty + one, broken + other, 0
    return empty, broken


@kernel
def odds_pass(
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
    """Add clusters `first` to `last` to `sums`; arguments and returns as `association_pass`."""
    m = theta.size
    lanes, block, own = new_lanes(widest, m), new_block(panel, m, _ROWS), np.empty(m + beta.size)
    gaps, single = gaps_of(theta), sums.score.shape[0] > 1
    empty, indefinite = 0, 0
    c = first
    while c < last:
        end = end_of_block(panel, c, last, single, _ROWS)
        begin, low, high = panel.person[panel.cluster[c]], panel.cluster[c], panel.cluster[end]
        score = sums.score[c - first if single else 0]
        information = sums.information[c - first if single else 0]
        one, other = add_persons(panel, low, high, link, theta, gaps, beta, association, lanes, block, information)
        empty, indefinite = empty + one, indefinite + other
        add_block(panel, begin, panel.person[high], block, score, information)
        if squares:
            add_squares(panel, c, end, block, own, sums.meat)
        c = end
    return empty, indefinite
