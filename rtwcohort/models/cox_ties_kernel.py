"""Sums over tied events at one event time, and exponentials, a register of them at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import ieee_kernel, kernel, summing_kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TINY = 1e-290
_MANY = 32
_FACTORS = 32
_LARGEST = 700.0
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_TO_WHOLE = 6755399441055744.0
_BIAS, _MANTISSA = 1023, 52


@kernel
def tie_sums(s0: float, d0: float, steps: int, mass: float) -> tuple[float, float, float, float, float, float]:
    """Return the sum of log denominators and a0, a1, b0, b1, b2 over `steps` terms of weight `mass` at one time.

    b0, b1 and b2 are times S0^2, for products of S1 / S0 and D1 / S0: squares would leave the range of floats long
    before S0 does. Where that does, the sum of logs is infinite, so that the step is halved.
    """
    if not s0 > _TINY:
        return -np.inf, 0.0, 0.0, 0.0, 0.0, 0.0
    if steps == 1:
        return mass * np.log(s0), mass / s0, 0.0, mass, 0.0, 0.0
    if steps >= _MANY:
        logs, a0, a1, b0, b1, b2 = _many_ties(s0, d0, steps)
        return mass * logs, mass * a0, mass * a1, mass * b0, mass * b1, mass * b2
    logs = a0 = a1 = b0 = b1 = b2 = 0.0
    for tie in range(steps):
        fraction = tie / steps
        denominator = s0 - fraction * d0
        logs += np.log(denominator)
        inverse = 1.0 / denominator
        ratio = s0 * inverse
        square = ratio * ratio
        a0 += inverse
        a1 += fraction * inverse
        b0 += square
        b1 += fraction * square
        b2 += fraction * fraction * square
    return mass * logs, mass * a0, mass * a1, mass * b0, mass * b1, mass * b2


@ieee_kernel
def _many_ties(s0: float, d0: float, steps: int) -> tuple[float, float, float, float, float, float]:
    """Do as `tie_sums` for a weight of 1; one logarithm for every product of a few denominators over S0.

    A product of 32 of those is at least 32!/steps^32, within the range of floats for any number of rows.
    """
    shares, inverses, ratios = np.empty(_FACTORS), np.empty(_FACTORS), np.empty(_FACTORS)
    logs = steps * np.log(s0)
    a0 = a1 = b0 = b1 = b2 = 0.0
    share = d0 / s0
    for first in range(0, steps, _FACTORS):
        m = min(_FACTORS, steps - first)
        for i in range(m):
            shares[i] = (first + i) / steps
            ratios[i] = 1.0 - shares[i] * share
            inverses[i] = 1.0 / ratios[i]
        product, c0, c1, e0, e1, e2 = _products(shares, inverses, ratios, m)
        logs += np.log(product)
        a0 += c0
        a1 += c1
        b0 += e0
        b1 += e1
        b2 += e2
    return logs, a0 / s0, a1 / s0, b0, b1, b2


@summing_kernel
def _products(
    shares: Floats, inverses: Floats, ratios: Floats, m: int
) -> tuple[float, float, float, float, float, float]:
    product, a0, a1, b0, b1, b2 = 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(m):
        product *= ratios[i]
        shared = shares[i] * inverses[i]
        a0 += inverses[i]
        a1 += shared
        b0 += inverses[i] * inverses[i]
        b1 += shared * inverses[i]
        b2 += shared * shared
    return product, a0, a1, b0, b1, b2


@kernel
def exponentials(eta: Floats, m: int, bits: Ints, weight: Floats) -> None:
    """Fill `weight[:m]` with exp(eta), to a unit in the last place; `bits` is scratch.

    exp(x) = 2^k exp(r), |r| <= log(2)/2, with the Taylor polynomial of degree 13 for exp(r); beyond 700 as numpy does.
    """
    outside = 0
    for i in range(m):
        outside += not abs(eta[i]) <= _LARGEST
    if outside:
        for i in range(m):
            weight[i] = np.exp(eta[i])
        return
    powers = bits.view(np.float64)
    for i in range(m):
        # The lowest bits of the sum are the nearest whole number.
        powers[i] = eta[i] * _LOG2_E + _TO_WHOLE
    for i in range(m):
        k = powers[i] - _TO_WHOLE
        r = (eta[i] - k * _LN2_HIGH) - k * _LN2_LOW
        s = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
        s = 1.0 / 39916800.0 + r * s
        s = 1.0 / 3628800.0 + r * s
        s = 1.0 / 362880.0 + r * s
        s = 1.0 / 40320.0 + r * s
        s = 1.0 / 5040.0 + r * s
        s = 1.0 / 720.0 + r * s
        s = 1.0 / 120.0 + r * s
        s = 1.0 / 24.0 + r * s
        s = 1.0 / 6.0 + r * s
        s = 0.5 + r * s
        weight[i] = 1.0 + (r + r * r * s)
    for i in range(m):
        bits[i] = (bits[i] + _BIAS) << _MANTISSA
    for i in range(m):
        weight[i] *= powers[i]
