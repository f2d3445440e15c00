"""The draws of `draws` one at a time, for compiled loops: the same bits as the vectorised ones."""

from __future__ import annotations

import math

import numpy as np

from rtwcohort.core.jit import kernel

_PERSON = np.uint64(0x9E3779B97F4A7C15)
_COUNTER = np.uint64(0xD1B54A32D192ED03)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LN2 = 0.6931471805599453
_SQRT_HALF = 0.7071067811865476


@kernel
def _mix(bits: np.uint64) -> np.uint64:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


@kernel
def uniform_at(stream_key: np.uint64, person: int, counter: int) -> float:
    """Draw one uniform strictly between 0 and 1."""
    bits = _mix(stream_key + (np.uint64(person) + np.uint64(1)) * _PERSON)
    bits = _mix(bits + (np.uint64(counter) + np.uint64(1)) * _COUNTER)
    return (float(bits >> np.uint64(12)) + 0.5) * 2.0**-52


@kernel
def exponential_at(stream_key: np.uint64, person: int, counter: int) -> float:
    """Draw one unit exponential."""
    return -log_(uniform_at(stream_key, person, counter))


@kernel
def exp_(x: float) -> float:
    """Return e**x with the bits of `portable.exp`."""
    power = np.rint(x / _LN2)
    rest = x - power * _LN2
    total = 1.0
    for k in range(17, 0, -1):
        total = 1.0 + total * rest / k
    return math.ldexp(total, int(power))


@kernel
def log_(x: float) -> float:
    """Return ln x for x > 0 with the bits of `portable.log`."""
    mantissa, power = math.frexp(x)
    if mantissa < _SQRT_HALF:
        mantissa *= 2.0
        power -= 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    total = 0.0
    for k in range(23, 0, -2):
        total = 1.0 / k + total * square
    return power * _LN2 + 2.0 * s * total
