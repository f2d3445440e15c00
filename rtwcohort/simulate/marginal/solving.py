"""Roots, means and rounding that give the same number on every machine.

Only IEEE additions, multiplications, divisions and square roots are used, in a fixed order, besides `math.fsum`, which
is exactly rounded whatever the order. No library solver is called, so a solved parameter has the same bits everywhere;
it is rounded to 12 significant digits besides, so that the true value that is printed is the one that was used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from rtwcohort.simulate.portable import Floats, exp, log

_DIGITS: Final = 12
_STEPS: Final = 200
_LARGEST: Final = 700.0


def mean(values: Floats) -> float:
    """Return the mean, exactly rounded sum: the same whatever the order or the machine."""
    return math.fsum(values.tolist()) / len(values)


def rounded(value: float) -> float:
    """Return the value with 12 significant digits."""
    return float(f"{value:.{_DIGITS - 1}e}")


def bounded_exp(x: Floats) -> Floats:
    """Return e**x with x kept within -700..700, where it neither overflows nor underflows."""
    return exp(np.clip(np.asarray(x, dtype=np.float64), -_LARGEST, _LARGEST))


def log_of(value: float) -> float:
    """Return ln of one number, the same bits on every machine."""
    return float(log(np.asarray([value], dtype=np.float64))[0])


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where an increasing function crosses zero between `low` and `high`.

    The method of regula falsi in the Illinois form with a bisection whenever the bracket does not halve in two steps.
    The caller has checked that the function is at most 0 at `low` and at least 0 at `high`.
    """
    at_low, at_high = function(low), function(high)
    if at_low >= 0.0:
        return low
    if at_high <= 0.0:
        return high
    width, side = high - low, 0
    for step in range(_STEPS):
        if high - low <= 1e-14 * max(1.0, abs(low), abs(high)):
            break
        slow = step % 3 == 2 and high - low > 0.5 * width
        if step % 3 == 2:
            width = high - low
        middle = 0.5 * (low + high) if slow else (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            middle = 0.5 * (low + high)
        value = function(middle)
        if value == 0.0:
            return middle
        if value < 0.0:
            low, at_low = middle, value
            at_high = at_high * 0.5 if side < 0 else at_high
            side = -1
        else:
            high, at_high = middle, value
            at_low = at_low * 0.5 if side > 0 else at_low
            side = 1
    return 0.5 * (low + high)
