"""Days of absence as counts: negative binomial with a set ratio of means, dispersion and extra zeros."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal.inputs import check_persons, check_values
from rtwcohort.simulate.marginal.solving import bounded_exp, log_of
from rtwcohort.simulate.marginal.truth import truth_frame
from rtwcohort.simulate.portable import Floats, Ints, log

_LEAST: Final = 1e-290
_SMALL: Final = 1e-18


@dataclass(frozen=True, slots=True)
class CountDraw:
    """Drawn counts, the mean each was drawn with, and the true values."""

    persons: Ints
    count: Ints
    mean: Floats
    truth: pd.DataFrame


def draw_counts(
    persons: npt.ArrayLike,
    linear_predictor: npt.ArrayLike = 0.0,
    *,
    mean: float,
    dispersion: float,
    seed: int,
    extra_zeros: float = 0.0,
    purpose: str = "counts",
) -> CountDraw:
    """Draw counts, such as days of absence, with set ratios of means.

    Parameters
    ----------
    persons
        Numbers of people, counted over the whole register, shape (n,).
    linear_predictor
        Log ratios of means, shape (n,).
    mean
        At linear predictor 0, extra zeros included.
    dispersion
        Variance of the negative binomial part is m + dispersion * m**2 (its mean m); 0 is Poisson.
    seed, purpose
        A draw depends on these and the person alone.
    extra_zeros
        Share of people who have 0 whatever their mean (the same for all, so that ratios of means are kept).

    Raises
    ------
    ArgumentError
        For means too large for the sum over counts (about 600 without dispersion).

    Notes
    -----
    By inversion: the count is the first at which the distribution function reaches a uniform draw, the probabilities
    summed from 0 up, so that the same person has a higher count where the mean is higher.
    """
    number = check_persons(persons)
    check_number(mean, argument="mean", least=1e-9, most=1e6)
    check_number(dispersion, argument="dispersion", least=0.0, most=1e4)
    check_number(extra_zeros, argument="extra_zeros", least=0.0, most=0.999)
    eta = check_values(linear_predictor, len(number), argument="linear_predictor")
    expected = mean * bounded_exp(eta)
    inner = expected / (1.0 - extra_zeros)
    if float(inner.max()) > 1e6:
        raise ArgumentError("`linear_predictor` gives means above 1,000,000; give it on the log scale.")
    share = draws.uniform(draws.key(seed, purpose), number)
    count = _quantile(share, inner, dispersion)
    if extra_zeros:
        count[draws.uniform(draws.key(seed, f"{purpose}:zero"), number) < extra_zeros] = 0
    zero = float(bounded_exp(_log_none(np.asarray([mean / (1.0 - extra_zeros)]), dispersion))[0])
    rows = [
        ("count", "reference", "mean", mean, "marginal"),
        ("count", "reference", "zero_share", extra_zeros + (1.0 - extra_zeros) * zero, "marginal"),
        ("count", "dispersion", "variance", dispersion, "parameter"),
        ("count", "extra_zeros", "proportion", extra_zeros, "parameter"),
    ]
    return CountDraw(number, count, expected, truth_frame(rows))


def _log_none(mean: Floats, dispersion: float) -> Floats:
    """Return log P(count = 0)."""
    return -mean if dispersion == 0.0 else -log(1.0 + dispersion * mean) / dispersion


def _quantile(share: Floats, mean: Floats, dispersion: float) -> Ints:
    first = _log_none(mean, dispersion)
    if float(first.min()) < log_of(_LEAST):
        raise ArgumentError(
            f"`mean` up to {mean.max():.4g} with `dispersion` {dispersion:g} is too far from 0 to be summed from 0: "
            "take a smaller mean or a larger dispersion, or a continuous outcome."
        )
    probability = bounded_exp(first)
    total = probability.copy()
    ratio = mean if dispersion == 0.0 else dispersion * mean / (1.0 + dispersion * mean)
    count = np.zeros(len(share), dtype=np.int64)
    going = np.flatnonzero(share > total)
    k = 0
    while len(going):
        step = ratio[going] / (k + 1.0)
        if dispersion > 0.0:
            step = step * (k + 1.0 / dispersion)
        probability[going] = probability[going] * step
        total[going] = total[going] + probability[going]
        k += 1
        count[going] = k
        done = (share[going] <= total[going]) | ((probability[going] < _SMALL) & (k > mean[going]))
        going = going[~done]
    return count
