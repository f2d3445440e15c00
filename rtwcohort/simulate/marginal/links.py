"""Inverse links, and the bivariate normal distribution function, in portable arithmetic."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from rtwcohort.simulate.draws import normal_cdf, normal_quantile
from rtwcohort.simulate.marginal.solving import bounded_exp, log_of
from rtwcohort.simulate.portable import Floats

Link = Literal["logit", "probit", "cloglog"]
LINKS: Final = ("logit", "probit", "cloglog")

# Gauss-Legendre, 20 points on -1..1 (Abramowitz and Stegun, table 25.4): the positive half.
_NODES: Final = (
    0.07652652113349734,
    0.22778585114164507,
    0.37370608871541955,
    0.5108670019508271,
    0.636053680726515,
    0.7463319064601508,
    0.8391169718222188,
    0.912234428251326,
    0.9639719272779138,
    0.993128599185095,
)
_WEIGHTS: Final = (
    0.15275338713072628,
    0.14917298647260424,
    0.1420961093183824,
    0.1316886384491769,
    0.1181945319615186,
    0.1019301198172407,
    0.08327674157670471,
    0.06267204833410879,
    0.040601429800386446,
    0.017614007139150893,
)


def panels(edges: list[float]) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights, 20 a panel, over panels with these edges."""
    nodes: list[float] = []
    weights: list[float] = []
    for low, high in pairwise(edges):
        half, middle = 0.5 * (high - low), 0.5 * (high + low)
        for at, weight in zip(_NODES, _WEIGHTS, strict=True):
            nodes += [middle - half * at, middle + half * at]
            weights += [half * weight, half * weight]
    return np.asarray(nodes), np.asarray(weights)


def inverse_link(link: Link, x: Floats) -> Floats:
    """Return the probability whose link is `x`."""
    x = np.asarray(x, dtype=np.float64)
    if link == "logit":
        return np.asarray(1.0 / (1.0 + bounded_exp(-x)))
    if link == "probit":
        return normal_cdf(x)
    return np.asarray(1.0 - bounded_exp(-bounded_exp(x)))


def link_of(link: Link, share: float) -> float:
    """Return the link of one probability strictly between 0 and 1."""
    if link == "logit":
        return log_of(share / (1.0 - share))
    if link == "probit":
        return float(normal_quantile(np.asarray([share]))[0])
    return log_of(-log_of(1.0 - share))


def both_below(h: float, k: float, correlation: float) -> float:
    """Return P(Z1 <= h, Z2 <= k) of standard normal Z1, Z2 with that correlation.

    Notes
    -----
    Plackett's integral over the correlation r (Biometrika 41, 1954, 351-360), with r = 2s / (1 + s**2), which leaves no
    trigonometric function and no singularity: within 1e-10 for correlations up to 0.999.
    """
    alone = normal_cdf(np.asarray([h, k]))
    size = abs(correlation)
    end = size / (1.0 + math.sqrt(1.0 - size * size))
    s, weight = panels([end * step / 8.0 for step in range(9)])
    r = 2.0 * s / (1.0 + s * s)
    signed = r if correlation >= 0.0 else -r
    depth = (h * h - 2.0 * h * k * signed + k * k) / (2.0 * (1.0 - r * r))
    area = math.fsum((weight * bounded_exp(-depth) * 2.0 / (1.0 + s * s)).tolist()) / 6.283185307179586
    return float(alone[0] * alone[1]) + (area if correlation >= 0.0 else -area)


def cholesky(matrix: Floats) -> Floats:
    """Return the lower triangular root of a symmetric matrix; ArithmeticError where it is not positive definite."""
    size = len(matrix)
    lower = np.zeros((size, size))
    for row in range(size):
        for column in range(row + 1):
            rest = float(matrix[row, column])
            for k in range(column):
                rest -= float(lower[row, k]) * float(lower[column, k])
            if row == column:
                if rest <= 1e-10:
                    raise ArithmeticError
                lower[row, row] = math.sqrt(rest)
            else:
                lower[row, column] = rest / float(lower[column, column])
    return lower
