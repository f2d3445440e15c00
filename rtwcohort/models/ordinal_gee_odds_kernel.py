"""What estimates global odds ratios between the cumulative indicators of two waves."""

from __future__ import annotations

import math

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.models.ordinal_gee_row_kernel import Floats, Ints, Panel


@kernel
def add_log_odds(y_s: bool, y_t: bool, a: float, b: float, both: float, weight: float, products: Floats) -> None:
    """Add the score and the information about the log odds ratio of one fourfold table with fixed margins."""
    only_a, only_b, neither = a - both, b - both, 1.0 - a - b + both
    gain = 1.0 / (1.0 / both + 1.0 / only_a + 1.0 / only_b + 1.0 / neither)
    if y_s and y_t:
        products[0] += weight * gain / both
    elif y_s:
        products[0] -= weight * gain / only_a
    elif y_t:
        products[0] -= weight * gain / only_b
    else:
        products[0] += weight * gain / neither
    products[1] += weight * gain


@kernel
def count_tables(panel: Panel, m: int, parameter: Ints, tables: Floats) -> None:
    """Add the observed counterparts of `Association.tables`."""
    for i in range(panel.person.size - 1):
        for t in range(panel.person[i] + 1, panel.person[i + 1]):
            for s in range(panel.person[i], t):
                table = tables[parameter[panel.position[s], panel.position[t]]]
                weight = math.sqrt(panel.weight[s] * panel.weight[t])
                for j in range(m):
                    for k in range(m):
                        add_pair(panel.y[t] <= j, panel.y[s] <= k, weight, table[j, k])


@kernel
def add_pair(later: bool, earlier: bool, weight: float, cell: Floats) -> None:
    """Count one pair of indicators: both, the later, the earlier, all."""
    if later and earlier:
        cell[0] += weight
    if later:
        cell[1] += weight
    if earlier:
        cell[2] += weight
    cell[3] += weight
