"""Global odds ratios between the cumulative indicators of two waves (Plackett's bivariate distribution)."""

from __future__ import annotations

import math

from rtwcohort.core.jit import ieee_kernel as kernel
from rtwcohort.models.ordinal_gee_row_kernel import Floats, Ints, Panel


@kernel
def plackett(a: float, b: float, odds_ratio: float) -> float:
    """Return P(A and B) from P(A), P(B) and the odds ratio; a + b at most 1 keeps every digit."""
    excess = odds_ratio - 1.0
    h = 1.0 + (a + b) * excess
    root = math.sqrt(max(h * h - 4.0 * odds_ratio * excess * a * b, 0.0))
    return 2.0 * odds_ratio * a * b / (h + root)


@kernel
def joint(a: float, not_a: float, b: float, not_b: float, odds_ratio: float) -> tuple[float, float]:
    """Return P(A and B) and the covariance of the two indicators."""
    if a + b <= 1.0:
        both = plackett(a, b, odds_ratio)
        return both, both - a * b
    neither = plackett(not_a, not_b, odds_ratio)
    return a + b - 1.0 + neither, neither - not_a * not_b


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


@kernel
def cholesky(matrix: Floats, size: int) -> bool:
    """Factor the lower triangle in place; False when a pivot is not clearly above 0."""
    for a in range(size):
        whole = matrix[a, a]
        for b in range(a):
            value = matrix[a, b]
            for k in range(b):
                value -= matrix[a, k] * matrix[b, k]
            value /= matrix[b, b]
            matrix[a, b] = value
            matrix[a, a] -= value * value
        if not matrix[a, a] > 1e-10 * whole:
            return False
        matrix[a, a] = math.sqrt(matrix[a, a])
    return True


@kernel
def invert_lower(lower: Floats, inverse: Floats, size: int) -> None:
    """Fill the lower triangle of `inverse` with that of a lower triangular matrix."""
    for a in range(size):
        pivot = 1.0 / lower[a, a]
        for b in range(a):
            value = 0.0
            for k in range(b, a):
                value -= lower[a, k] * inverse[k, b]
            inverse[a, b] = value * pivot
        inverse[a, a] = pivot


@kernel
def square_lower(lower: Floats, out: Floats, size: int) -> None:
    """Fill `out` with lower' lower, both triangles."""
    for a in range(size):
        for b in range(a + 1):
            out[a, b] = 0.0
    for k in range(size):
        for a in range(k + 1):
            value = lower[k, a]
            for b in range(a + 1):
                out[a, b] += value * lower[k, b]
    for a in range(size):
        for b in range(a):
            out[b, a] = out[a, b]
