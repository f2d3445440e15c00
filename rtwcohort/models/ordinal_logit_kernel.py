"""The logit link with thresholds that are constants: loops that run on vector registers."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import ieee_kernel
from rtwcohort.models.ordinal_tile_kernel import dot, total

Floats = npt.NDArray[np.float64]

SU: Final = 0
SL: Final = 1
XU: Final = 2
XL: Final = 3
SX: Final = 4
XX: Final = 5
UU: Final = 6
LL: Final = 7
UL: Final = 8
"""Rows of the weights (see `ordinal_kernel`): gu, gl, uu + ul, ll + ul, gu - gl, uu + 2 ul + ll, uu, ll, ul."""

_LOG2_E = 1.4426950408889634
_ROUND = 6755399441055744.0
_WHOLE, _WHOLE_BITS = 4503599627370496.0, 0x4330000000000000
_ROOT_HALF_BITS, _BIAS = 0x3FE6A09E667F3BCD, 1024 << 52
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@ieee_kernel
def exp_minus(x: float) -> float:
    """Return exp(-x), x above -708, in operations that run on vector registers (Cody and Waite; Taylor to order 13)."""
    y = -min(x, 708.0)
    rounded = y * _LOG2_E + _ROUND
    bits = np.float64(rounded).view(np.int64)
    whole = rounded - _ROUND
    r = (y - whole * _LN2_HIGH) - whole * _LN2_LOW
    s = 1.0 / 6227020800.0
    s = s * r + 1.0 / 479001600.0
    s = s * r + 1.0 / 39916800.0
    s = s * r + 1.0 / 3628800.0
    s = s * r + 1.0 / 362880.0
    s = s * r + 1.0 / 40320.0
    s = s * r + 1.0 / 5040.0
    s = s * r + 1.0 / 720.0
    s = s * r + 1.0 / 120.0
    s = s * r + 1.0 / 24.0
    s = s * r + 1.0 / 6.0
    s = s * r + 0.5
    s = s * r + 1.0
    s = s * r + 1.0
    scale: float = np.int64((bits + 1023) << 52).view(np.float64)
    return s * scale


@ieee_kernel
def log_one_plus(e: float) -> float:
    """Return log(1 + e) for 0 <= e <= 1 in operations that run on vector registers, as 2 artanh(e / (2 + e))."""
    s = e / (2.0 + e)
    r = s * s
    t = 1.0 / 31.0
    t = t * r + 1.0 / 29.0
    t = t * r + 1.0 / 27.0
    t = t * r + 1.0 / 25.0
    t = t * r + 1.0 / 23.0
    t = t * r + 1.0 / 21.0
    t = t * r + 1.0 / 19.0
    t = t * r + 1.0 / 17.0
    t = t * r + 1.0 / 15.0
    t = t * r + 1.0 / 13.0
    t = t * r + 1.0 / 11.0
    t = t * r + 1.0 / 9.0
    t = t * r + 1.0 / 7.0
    t = t * r + 1.0 / 5.0
    t = t * r + 1.0 / 3.0
    return 2.0 * s * (t * r + 1.0)


@ieee_kernel
def log_of(x: float) -> float:
    """Return log(x) of a normal x > 0 in operations that run on vector registers, as 2 artanh((f - 1) / (f + 1)).

    x = 2^k f with f between sqrt(1/2) and sqrt(2).
    """
    bits = np.float64(x).view(np.int64)
    biased = (bits - _ROOT_HALF_BITS + _BIAS) >> 52
    f = np.int64(bits - ((biased - 1024) << 52)).view(np.float64)
    k = np.int64(biased + _WHOLE_BITS).view(np.float64) - (_WHOLE + 1024.0)
    s = (f - 1.0) / (f + 1.0)
    r = s * s
    t = 1.0 / 21.0
    t = t * r + 1.0 / 19.0
    t = t * r + 1.0 / 17.0
    t = t * r + 1.0 / 15.0
    t = t * r + 1.0 / 13.0
    t = t * r + 1.0 / 11.0
    t = t * r + 1.0 / 9.0
    t = t * r + 1.0 / 7.0
    t = t * r + 1.0 / 5.0
    t = t * r + 1.0 / 3.0
    value: float = k * _LN2_HIGH + (2.0 * s * (t * r + 1.0) + k * _LN2_LOW)
    return value


@ieee_kernel
def logit_segment(
    eta: Floats, w: Floats, upper: float, lower: float, lo: int, hi: int, parts: Floats
) -> tuple[float, float, float]:
    """Fill the weights of rows of one category between two thresholds that are constants.

    With d = upper - lower, gu = 1 - F(u) + m, gl = F(l) + m and gu gl = m (m + 1), m = 1/(exp(d) - 1), where both ends
    are finite; else m = 0. Only what depends on the row is filled: w (1 - F(u)), w f(u), w F(l), w f(l), and for x
    their differences and sums. Returns the sums of w log p, w m and w m (m + 1).
    """
    n = hi - lo
    e, weight, logs = eta[lo:hi], w[lo:hi], parts[UU]
    log_p = 0.0
    for side in range(2):
        threshold, sign = (upper, 1.0) if side == 0 else (lower, -1.0)
        share, density = parts[side][lo:hi], parts[side + XU][lo:hi]
        if abs(threshold) == np.inf:
            share[:] = 0.0
            density[:] = 0.0
            continue
        for i in range(n):
            density[i] = exp_minus(abs(threshold - e[i]))
        for i in range(n):
            logs[i] = min(sign * (threshold - e[i]), 0.0) - log_one_plus(density[i])
        for i in range(n):
            d = 1.0 / (1.0 + density[i])
            share[i] = weight[i] * (density[i] * d if sign * (threshold - e[i]) > 0.0 else d)
            density[i] *= weight[i] * d * d
        log_p += dot(logs, weight, 0, n)
    for i in range(lo, hi):
        parts[SX, i] = parts[SU, i] - parts[SL, i]
        parts[XX, i] = parts[XU, i] + parts[XL, i]
    if upper == np.inf or lower == -np.inf:
        return log_p, 0.0, 0.0
    m = 1.0 / math.expm1(upper - lower)
    weights = total(w, lo, hi)
    return log_p - math.log1p(m) * weights, m * weights, m * (m + 1.0) * weights
