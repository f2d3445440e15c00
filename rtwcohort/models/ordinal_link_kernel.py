"""P(l < U <= u) and its derivatives for one row, without cancellation in the tails or between near thresholds.

Every function returns `log p, gu, gl, cu, cl` where p = F(u) - F(l), gu = f(u)/p, gl = f(l)/p, cu = f'(u)/p and
cl = f'(l)/p; -inf and +inf stand for the lowest category's lower and the highest category's upper threshold. Then

    d log p / du = gu,   d log p / dl = -gl,
    -d2 log p / du2 = gu^2 - cu,   -d2 log p / dl2 = gl^2 + cl,   -d2 log p / du dl = -gu gl.

Where l >= u, log p is -inf.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from rtwcohort.core.jit import ieee_kernel

Five = tuple[float, float, float, float, float]

LOGIT: Final = 0
PROBIT: Final = 1
CLOGLOG: Final = 2
LOGLOG: Final = 3

_SQRT_HALF = math.sqrt(0.5)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_NODES = (0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363)
_WEIGHTS = (0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763)


@ieee_kernel
def scaled_erfc(x: float) -> float:
    """Return exp(x^2) erfc(x) for x > -5, by a continued fraction (Abramowitz and Stegun 7.1.14) where x is large."""
    if x < 5.0:
        return math.exp(x * x) * math.erfc(x)
    tail = 0.0
    for k in range(40, 0, -1):
        tail = 0.5 * k / (x + tail)
    return 1.0 / (math.sqrt(math.pi) * (x + tail))


@ieee_kernel
def normal_interval(u: float, lower: float) -> Five:
    """Take the normal distribution, scaled by the density at the end nearer to the centre."""
    if lower >= 0.0:
        log_p, gl, gu, cl, cu = normal_interval_low(-lower, -u)
        return log_p, gu, gl, -cu, -cl
    if u <= 0.0:
        return normal_interval_low(u, lower)
    outside = 0.5 * (math.erfc(u * _SQRT_HALF) + math.erfc(-lower * _SQRT_HALF))
    if outside < 0.5:
        log_p = math.log1p(-outside)
    else:
        log_p = math.log(0.5 * (math.erf(u * _SQRT_HALF) + math.erf(-lower * _SQRT_HALF)))
    gu = gl = cu = cl = 0.0
    if u < np.inf:
        gu = math.exp(-0.5 * u * u - _LOG_ROOT_TWO_PI - log_p)
        cu = -u * gu
    if lower > -np.inf:
        gl = math.exp(-0.5 * lower * lower - _LOG_ROOT_TWO_PI - log_p)
        cl = -lower * gl
    return log_p, gu, gl, cu, cl


@ieee_kernel
def normal_interval_low(u: float, lower: float) -> Five:
    """Take l < u <= 0, everything divided by exp(-u^2 / 2)."""
    width = u - lower
    if not width > 0.0:
        return -np.inf, 0.0, 0.0, 0.0, 0.0
    share = 0.0
    if width * (1.0 - u) < 0.5:
        middle, half = 0.5 * (u + lower), 0.5 * width
        total = 0.0
        for node, weight in zip(_NODES, _WEIGHTS):  # noqa: B905
            left, right = middle - half * node, middle + half * node
            total += weight * (math.exp(0.5 * (u * u - left * left)) + math.exp(0.5 * (u * u - right * right)))
        scaled = half * total / math.sqrt(2.0 * math.pi)
        share = math.exp(0.5 * width * (u + lower))
    else:
        scaled = 0.5 * scaled_erfc(-u * _SQRT_HALF)
        if lower > -np.inf:
            share = math.exp(0.5 * width * (u + lower))
            scaled -= share * 0.5 * scaled_erfc(-lower * _SQRT_HALF)
    gu = 1.0 / (math.sqrt(2.0 * math.pi) * scaled)
    gl = share * gu
    cl = -lower * gl if share > 0.0 else 0.0
    return math.log(scaled) - 0.5 * u * u, gu, gl, -u * gu, cl


@ieee_kernel
def least_interval(u: float, lower: float) -> Five:
    """Take the least extreme value distribution, F(u) = 1 - exp(-exp(u)) (complementary log-log)."""
    if not u > lower:
        return -np.inf, 0.0, 0.0, 0.0, 0.0
    if u < -300.0:
        gu = -1.0 / math.expm1(lower - u)
        gl = gu - 1.0
        return u - math.log(gu), gu, gl, gu, gl
    lower_rate = math.exp(lower)
    if u == np.inf:
        return -lower_rate, 0.0, lower_rate, 0.0, lower_rate * (1.0 - lower_rate)
    rate = math.exp(min(u, 700.0))
    between = rate if lower == -np.inf else lower_rate * math.expm1(min(u - lower, 700.0))
    inside = -math.expm1(-between)
    gu = rate * math.exp(-between) / inside
    gl = lower_rate / inside
    log_inside = math.log(inside) if between < 0.7 else math.log1p(-math.exp(-between))
    return log_inside - lower_rate, gu, gl, gu * (1.0 - rate), gl * (1.0 - lower_rate)


@ieee_kernel
def cauchy_interval(u: float, lower: float) -> Five:
    """Take the Cauchy distribution."""
    if not u > lower:
        return -np.inf, 0.0, 0.0, 0.0, 0.0
    if lower == -np.inf:
        p = math.atan2(1.0, -u) / math.pi
    elif u == np.inf:
        p = math.atan2(1.0, lower) / math.pi
    else:
        p = math.atan2(u - lower, 1.0 + u * lower) / math.pi
    gu = gl = cu = cl = 0.0
    if u < np.inf:
        gu = 1.0 / (math.pi * (1.0 + u * u) * p)
        cu = -2.0 * u / (1.0 + u * u) * gu
    if lower > -np.inf:
        gl = 1.0 / (math.pi * (1.0 + lower * lower) * p)
        cl = -2.0 * lower / (1.0 + lower * lower) * gl
    return math.log(p), gu, gl, cu, cl


@ieee_kernel
def logistic_interval(u: float, lower: float) -> Five:
    """Take the logistic distribution: F(u) - F(l) = F(u) (1 - F(l)) (1 - exp(l - u))."""
    if not u > lower:
        return -np.inf, 0.0, 0.0, 0.0, 0.0
    small_u, small_l = math.exp(-abs(u)), math.exp(-abs(lower))
    above_u = small_u / (1.0 + small_u) if u > 0.0 else 1.0 / (1.0 + small_u)
    below_l = small_l / (1.0 + small_l) if lower < 0.0 else 1.0 / (1.0 + small_l)
    log_p = -math.log1p(small_u) - math.log1p(small_l) + min(u, 0.0) - max(lower, 0.0)
    inverse = 1.0
    if u < np.inf and lower > -np.inf:
        inverse = -1.0 / math.expm1(lower - u)
        log_p -= math.log(inverse)
    gu = above_u + (inverse - 1.0) if u < np.inf else 0.0
    gl = below_l + (inverse - 1.0) if lower > -np.inf else 0.0
    return log_p, gu, gl, gu * (2.0 * above_u - 1.0), gl * (1.0 - 2.0 * below_l)


@ieee_kernel
def interval(link: int, u: float, lower: float) -> Five:
    """Choose by the code of the link, as in `links.LINKS`."""
    if link == LOGIT:
        return logistic_interval(u, lower)
    if link == PROBIT:
        return normal_interval(u, lower)
    if link == CLOGLOG:
        return least_interval(u, lower)
    if link == LOGLOG:
        log_p, gl, gu, cl, cu = least_interval(-lower, -u)
        return log_p, gu, gl, -cu, -cl
    return cauchy_interval(u, lower)
