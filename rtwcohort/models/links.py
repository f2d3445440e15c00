"""The links of cumulative models: distribution functions, densities and quantiles, on arrays.

Of a model `link(P(Y <= j)) = threshold_j - x'b` the inverse link is a distribution function F:

    logit     F(u) = 1 / (1 + exp(-u))         proportional odds; exp(b) is an odds ratio
    probit    F(u) = normal distribution       b in standard deviations of a latent normal variable
    cloglog   F(u) = 1 - exp(-exp(u))          proportional hazards; exp(-b) is a hazard ratio of staying at j or below
    loglog    F(u) = exp(-exp(-u))             the mirror image of cloglog
    cauchit   F(u) = 1/2 + arctan(u) / pi
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtr, ndtri

Floats = npt.NDArray[np.float64]
LinkName = Literal["logit", "probit", "cloglog", "loglog", "cauchit"]


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    Attributes
    ----------
    name
        As in `fit_ordinal(link=)`.
    code
        The number by which the kernels know it.
    cdf, density, slope
        F, its first and its second derivative.
    quantile
        The link itself: from a probability to the linear predictor.
    effect
        What exp(b) is called.
    """

    name: str
    code: int
    cdf: Callable[[Floats], Floats]
    density: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    quantile: Callable[[Floats], Floats]
    effect: str


def _logistic_density(u: Floats) -> Floats:
    return np.asarray(expit(u) * expit(-u))


def _logistic_slope(u: Floats) -> Floats:
    return np.asarray(-_logistic_density(u) * np.tanh(0.5 * u))


def _normal_density(u: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi))


def _least_cdf(u: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(np.minimum(u, 700.0))))


def _least_density(u: Floats) -> Floats:
    low = np.minimum(u, 700.0)
    return np.asarray(np.exp(low - np.exp(low)))


def _least_slope(u: Floats) -> Floats:
    low = np.minimum(u, 700.0)
    return np.asarray(np.exp(low - np.exp(low)) - np.exp(2.0 * low - np.exp(low)))


def _cauchy_density(u: Floats) -> Floats:
    return np.asarray(1.0 / (np.pi * (1.0 + u * u)))


LINKS: Final[dict[str, Link]] = {
    "logit": Link("logit", 0, expit, _logistic_density, _logistic_slope, logit, "odds ratio"),
    "probit": Link("probit", 1, ndtr, _normal_density, lambda u: np.asarray(-u * _normal_density(u)), ndtri, "exp(b)"),
    "cloglog": Link(
        "cloglog",
        2,
        _least_cdf,
        _least_density,
        _least_slope,
        lambda p: np.asarray(np.log(-np.log1p(-p))),
        "inverse hazard ratio",
    ),
    "loglog": Link(
        "loglog",
        3,
        lambda u: np.asarray(np.exp(-np.exp(np.minimum(-u, 700.0)))),
        lambda u: _least_density(-u),
        lambda u: -_least_slope(-u),
        lambda p: np.asarray(-np.log(-np.log(p))),
        "reverse-time hazard ratio",
    ),
    "cauchit": Link(
        "cauchit",
        4,
        lambda u: np.asarray(0.5 + np.arctan(u) / np.pi),
        _cauchy_density,
        lambda u: np.asarray(-2.0 * np.pi * u * _cauchy_density(u) ** 2),
        lambda p: np.asarray(np.tan(np.pi * (p - 0.5))),
        "exp(b)",
    ),
}
"""Every link by its name."""


def category_probabilities(thresholds: Floats, eta: Floats, link: LinkName = "logit") -> Floats:
    """Return P(Y = j) for every row and category.

    Parameters
    ----------
    thresholds
        Shape (k - 1,), or (n, k - 1) where they depend on the row (nominal effects).
    eta
        x'b plus the offset, shape (n,).
    link
        Name of the link.

    Returns
    -------
    numpy.ndarray
        Shape (n, k). Differences are taken in the nearer tail, so that small probabilities keep their digits.
    """
    chosen = LINKS[link]
    at = np.asarray(thresholds) - np.asarray(eta)[:, None]
    mirror = LINKS[{"cloglog": "loglog", "loglog": "cloglog"}.get(link, link)]
    edge = np.zeros((len(at), 1))
    below = np.concatenate([edge, chosen.cdf(at), edge + 1.0], axis=1)
    above = np.concatenate([edge + 1.0, mirror.cdf(-at), edge], axis=1)
    return np.where(below[:, 1:] < 0.5, np.diff(below, axis=1), -np.diff(above, axis=1))
