"""Exponentials and logarithms that have the same bits on every machine.

Equal seeds must give equal files everywhere. The last bit of `numpy.exp` and `numpy.log` depends on the processor and
on the C library. So `exp` and `log` use only elementwise IEEE addition, subtraction, multiplication, division and exact
scaling by powers of two, each of which rounds the same way on every machine. Sums over people, whose order NumPy
chooses by processor, are not used at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LN2: Final = 0.6931471805599453
_SQRT_HALF: Final = 0.7071067811865476


def exp(x: Floats) -> Floats:
    """Return e**x within a few units in the last place, the same bits on every machine."""
    power = np.rint(x / _LN2)
    rest = x - power * _LN2
    total = np.ones_like(rest)
    for k in range(17, 0, -1):
        total = 1.0 + total * rest / k
    return np.asarray(np.ldexp(total, power.astype(np.int32)))


def log(x: Floats) -> Floats:
    """Return ln x for x > 0 within a few units in the last place, the same bits on every machine."""
    mantissa, power = np.frexp(x)
    low = mantissa < _SQRT_HALF
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    power = power - low
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    total = np.zeros_like(s)
    for k in range(23, 0, -2):
        total = 1.0 / k + total * square
    return np.asarray(power * _LN2 + 2.0 * s * total)


def piecewise_time(unit: Floats, starts: Sequence[float], rates: Sequence[float]) -> Floats:
    """Return the time at which a piecewise-constant hazard has accumulated `unit`.

    Parameters
    ----------
    unit
        Cumulative hazard to reach, shape (n,): a unit exponential divided by the person's hazard ratio.
    starts, rates
        First day of each piece (the first is 0) and its rate per day; the last piece has no end.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Days, infinite where the hazard never accumulates that much.
    """
    reached = [0.0]
    for k in range(1, len(starts)):
        reached.append(reached[-1] + rates[k - 1] * (starts[k] - starts[k - 1]))
    piece = np.searchsorted(np.asarray(reached), unit, side="right") - 1
    rate = np.asarray(rates, dtype=np.float64)[piece]
    begin = np.asarray(starts, dtype=np.float64)[piece]
    above = unit - np.asarray(reached)[piece]
    with np.errstate(divide="ignore"):
        return np.where(rate > 0.0, begin + above / np.where(rate > 0.0, rate, 1.0), np.inf)
