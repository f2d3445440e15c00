"""Gamma and beta variables as functions of seed, person and counter, with the same bits on every machine."""

from __future__ import annotations

from typing import Final

import numpy as np

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal.solving import bounded_exp
from rtwcohort.simulate.portable import Floats, Ints, log

_ATTEMPTS: Final = 200
_BOOST: Final = 1_000_000


def log_gamma_variable(key: np.uint64, numbers: Ints, shape: float | Floats) -> Floats:
    """Draw the logarithm of gamma variables of scale 1.

    Parameters
    ----------
    key
        From `draws.key`; uses its counters up to 400, and 1,000,000.
    numbers
        Of people or clusters, shape (n,).
    shape
        One for all, or one each; above 0.

    Notes
    -----
    Marsaglia and Tsang, ACM Transactions on Mathematical Software 26 (2000) 363-372: exact, by rejection, each attempt
    with counters of its own. With the shape raised by one and U**(1 / shape) as factor, so that shapes below 1 and
    tiny ones are exact too; the logarithm keeps what would underflow.
    """
    raised = np.broadcast_to(np.asarray(shape, dtype=np.float64), numbers.shape) + 1.0
    d = raised - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    out = np.zeros(numbers.shape)
    waiting = np.arange(len(numbers))
    for attempt in range(_ATTEMPTS):
        who = numbers[waiting]
        x = draws.normal(key, who, 2 * attempt)
        cube = 1.0 + c[waiting] * x
        positive = cube > 0.0
        v = np.where(positive, cube * cube * cube, 1.0)
        bound = 0.5 * x * x + d[waiting] * (1.0 - v + log(v))
        accepted = positive & (log(draws.uniform(key, who, 2 * attempt + 1)) < bound)
        out[waiting[accepted]] = log(d[waiting[accepted]] * v[accepted])
        waiting = waiting[~accepted]
        if not len(waiting):
            break
    return np.asarray(out + log(draws.uniform(key, numbers, _BOOST)) / (raised - 1.0))


def gamma_variable(key: np.uint64, numbers: Ints, mean: float, variance: float) -> Floats:
    """Draw gamma variables with that mean and variance; the mean itself where the variance is 0."""
    if variance == 0.0:
        return np.full(len(numbers), float(mean))
    scale = variance / mean
    return np.asarray(scale * bounded_exp(log_gamma_variable(key, numbers, mean / scale)))


def beta_variable(seed: int, purpose: str, numbers: Ints, mean: Floats, correlation: float) -> Floats:
    """Draw beta variables with these means and the variance mean (1 - mean) correlation.

    A Bernoulli outcome with such a probability has exactly that correlation within the group that shares it.
    """
    if correlation == 0.0:
        return mean
    if not 0.0 < correlation < 1.0:
        raise ArgumentError(f"`icc` on the scale of proportions must be from 0 to below 1; got {correlation!r}.")
    total = (1.0 - correlation) / correlation
    first = log_gamma_variable(draws.key(seed, f"{purpose}:first"), numbers, mean * total)
    second = log_gamma_variable(draws.key(seed, f"{purpose}:second"), numbers, (1.0 - mean) * total)
    return np.asarray(1.0 / (1.0 + bounded_exp(second - first)))
