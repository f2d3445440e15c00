"""Pointwise intervals of a probability, on the scales of R's `conf.type`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.core.wald import normal_quantile

Floats = npt.NDArray[np.float64]
ConfType = Literal["log", "log-log", "plain", "logit", "arcsin"]


def probability_interval(share: Floats, relative: Floats, level: float, conf_type: ConfType) -> tuple[Floats, Floats]:
    """Return the limits of a probability at each time.

    Parameters
    ----------
    share
        Shape (k,): p, such as the survival.
    relative
        Shape (k,): se(p)/p, the standard error of log p.
    level
        Confidence level.
    conf_type
        Scale on which p +- z se is taken (delta method); cut to 0..1.

    Notes
    -----
    With s = z se/p:

    - plain: p (1 -+ s)
    - log: p exp(-+ s)
    - log-log: exp(log p exp(+- s / |log p|))
    - logit: logit p -+ s/(1 - p)
    - arcsin: sin^2(arcsin sqrt p -+ s/2 sqrt(p/(1 - p)))

    As R, the last three are undefined (NaN) at p = 1, and all but the plain one at p = 0.
    """
    check_choice(conf_type, tuple(_SCALES), argument="conf_type")
    reach = normal_quantile(level) * relative
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = _SCALES[conf_type](share, reach)
    if conf_type != "plain":
        low, high = np.where(share > 0.0, low, np.nan), np.where(share > 0.0, high, np.nan)
    return low, high


def _plain(p: Floats, reach: Floats) -> tuple[Floats, Floats]:
    return np.maximum(p - p * reach, 0.0), np.minimum(p + p * reach, 1.0)


def _log(p: Floats, reach: Floats) -> tuple[Floats, Floats]:
    return p * np.exp(-reach), np.minimum(p * np.exp(reach), 1.0)


def _log_log(p: Floats, reach: Floats) -> tuple[Floats, Floats]:
    logarithm = np.where(p < 1.0, np.log(p), np.nan)
    factor = np.exp(reach / np.abs(logarithm))
    return np.exp(logarithm * factor), np.exp(logarithm / factor)


def _logit(p: Floats, reach: Floats) -> tuple[Floats, Floats]:
    odds = np.where(p < 1.0, p / (1.0 - p), np.nan)
    factor = np.exp(reach / (1.0 - p))
    return 1.0 - 1.0 / (1.0 + odds / factor), 1.0 - 1.0 / (1.0 + odds * factor)


def _arcsin(p: Floats, reach: Floats) -> tuple[Floats, Floats]:
    angle = np.arcsin(np.sqrt(p))
    half = np.where(p < 1.0, 0.5 * reach * np.sqrt(p / (1.0 - p)), np.nan)
    return np.sin(np.maximum(0.0, angle - half)) ** 2, np.sin(np.minimum(np.pi / 2.0, angle + half)) ** 2


_SCALES: Final[dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]]] = {
    "log": _log,
    "log-log": _log_log,
    "plain": _plain,
    "logit": _logit,
    "arcsin": _arcsin,
}
CONF_TYPES: Final = tuple(_SCALES)
