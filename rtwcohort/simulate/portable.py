"""Random numbers, exponentials and logarithms that have the same bits on every machine.

Equal seeds must give equal files everywhere. The raw 64-bit output of PCG64 is guaranteed by NumPy;
`numpy.exp` and `numpy.log` are not: their last bit depends on the processor and on the C library. So
everything random here starts from raw integers, and `exp` and `log` use only elementwise IEEE addition,
subtraction, multiplication, division and exact scaling by powers of two, each of which rounds the same
way on every machine. Sums over people (whose order NumPy chooses by processor) are not used at all.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LN2: Final = 0.6931471805599453
_SQRT_HALF: Final = 0.7071067811865476


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator for one named purpose, so that a change in one leaves the others alone."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode("ascii"))])))


def uniform(rng: np.random.Generator, n: int) -> Floats:
    """Draw `n` uniforms strictly between 0 and 1, exact multiples of 2**-53."""
    raw = np.asarray(rng.bit_generator.random_raw(n), dtype=np.uint64)
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def whole(rng: np.random.Generator, n: int, least: int | Ints, most: int | Ints) -> Ints:
    """Draw `n` whole numbers from `least` to `most`, both included."""
    span = np.asarray(most, dtype=np.int64) - np.asarray(least, dtype=np.int64) + 1
    return np.asarray(least, dtype=np.int64) + np.floor(uniform(rng, n) * span).astype(np.int64)


def choose(rng: np.random.Generator, n: int, shares: Sequence[float]) -> Ints:
    """Draw `n` positions 0..k-1 with probability proportional to `shares`."""
    edges = []
    total = 0.0
    for share in shares:
        total += share
        edges.append(total)
    return np.searchsorted(np.asarray(edges[:-1]), uniform(rng, n) * total, side="right").astype(np.int64)


def bell(rng: np.random.Generator, n: int) -> Floats:
    """Draw `n` nearly normal values, mean 0 and variance 1: twelve uniforms added, minus six."""
    total = np.zeros(n)
    for _ in range(12):
        total = total + uniform(rng, n)
    return total - 6.0


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


def exponential(rng: np.random.Generator, n: int) -> Floats:
    """Draw `n` unit exponentials."""
    return -log(uniform(rng, n))


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
