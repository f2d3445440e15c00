"""A root of a function of one number, found with the same bits on every machine."""

from __future__ import annotations

from collections.abc import Callable


def find_root(function: Callable[[float], float], low: float, high: float, *, tolerance: float) -> float | None:
    """Return where a function that rises from `low` to `high` is zero; None when it is not zero between them.

    Parameters
    ----------
    function
        Continuous, not falling.
    low, high
        The ends.
    tolerance
        Largest value of the function that counts as zero.

    Notes
    -----
    Regula falsi with the Illinois correction [1]_ and a halving whenever it is slow: only additions, multiplications
    and comparisons of doubles, so that equal declarations give equal thresholds everywhere.

    References
    ----------
    .. [1] Dowell M, Jarratt P. A modified regula falsi method for computing the root of an equation. BIT
       1971;11:168-174.
    """
    below, above = function(low), function(high)
    if abs(below) <= tolerance:
        return low
    if abs(above) <= tolerance:
        return high
    if below > 0.0 or above < 0.0:
        return None
    weight_below, weight_above, side = below, above, 0
    for step in range(200):
        share = 0.5 if step % 4 == 3 else weight_below / (weight_below - weight_above)
        at = low + share * (high - low)
        value = function(at)
        if abs(value) <= tolerance or not low < at < high:
            return at
        if value < 0.0:
            low, weight_below = at, value
            weight_above = weight_above / 2.0 if side < 0 else weight_above
            side = -1
        else:
            high, weight_above = at, value
            weight_below = weight_below / 2.0 if side > 0 else weight_below
            side = 1
    return (low + high) / 2.0
