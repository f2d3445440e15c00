"""Distributions declared as data, and their quantiles: the same bits on every machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from rtwcohort.errors import ScenarioError
from rtwcohort.simulate import draws
from rtwcohort.simulate.portable import Floats, exp, log

Kind = Literal["fixed", "uniform", "normal", "lognormal", "beta", "bands"]

NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "fixed": ("value",),
    "uniform": ("low", "high"),
    "normal": ("mean", "sd"),
    "lognormal": (),
    "beta": ("mean", "sd", "low", "high"),
    "bands": ("bands",),
}
_GRID: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A distribution of one number.

    Attributes
    ----------
    shape
        "fixed" (`value`), "uniform" (`low`, `high`), "normal" (`mean`, `sd`), "lognormal" (`mean` and `sd` of the
        number itself, or `median` and `log_sd`), "beta" (`mean`, `sd` between `low` and `high`) or "bands".
    bands
        (low, high, weight) each: a band in proportion to its weight, uniform inside it.
    low, high
        Cut a normal or lognormal: values outside are redrawn, so that mean and sd are those before the cut.
    whole
        Whole numbers. A uniform and the bands then include both limits; other shapes are rounded.
    decimals
        Round to so many decimals; None does not.
    by_arm
        Another distribution for an arm, by its name.
    """

    shape: Kind
    value: float | None = None
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    log_sd: float | None = None
    low: float | None = None
    high: float | None = None
    bands: tuple[tuple[float, float, float], ...] = ()
    whole: bool = False
    decimals: int | None = None
    by_arm: dict[str, Shape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [name for name in NEEDS[self.shape] if getattr(self, name) in (None, ())]
        if missing:
            raise ScenarioError(
                f"a shape '{self.shape}' needs {_listed(NEEDS[self.shape])}; `{missing[0]}` is missing."
            )
        _check_spread(self)
        if self.shape == "lognormal":
            _check_lognormal(self)
        if self.shape == "beta":
            _check_beta(self)
        _check_bands(self.bands)


def quantile(shape: Shape, share: Floats) -> Floats:
    """Return the quantiles of a distribution.

    Parameters
    ----------
    shape
        The distribution; `by_arm` is the caller's matter.
    share
        Numbers strictly between 0 and 1, shape (n,).

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
    """
    values = _QUANTILES[shape.shape](shape, np.asarray(share, dtype=np.float64))
    if shape.whole:
        return values if shape.shape in ("uniform", "bands") else np.asarray(np.rint(values))
    if shape.decimals is not None:
        return np.asarray(np.rint(values * 10.0**shape.decimals) / 10.0**shape.decimals)
    return values


def _fixed(shape: Shape, share: Floats) -> Floats:
    return np.full(share.shape, _need(shape.value))


def _uniform(shape: Shape, share: Floats) -> Floats:
    low, high = _need(shape.low), _need(shape.high)
    return _between(np.full(share.shape, low), np.full(share.shape, high), share, shape.whole)


def _between(low: Floats, high: Floats, share: Floats, whole: bool) -> Floats:
    if whole:
        return np.asarray(np.minimum(low + np.floor(share * (high - low + 1.0)), high))
    return np.asarray(low + share * (high - low))


def _normal(shape: Shape, share: Floats) -> Floats:
    return _cut_normal(share, _need(shape.mean), _need(shape.sd), shape.low, shape.high)


def _cut_normal(share: Floats, mean: float, sd: float, low: float | None, high: float | None) -> Floats:
    if sd == 0.0:
        return np.full(share.shape, mean)
    if low is None and high is None:
        return mean + sd * draws.normal_quantile(share)
    least = 0.0 if low is None else float(draws.normal_cdf(np.array([(low - mean) / sd]))[0])
    most = 1.0 if high is None else float(draws.normal_cdf(np.array([(high - mean) / sd]))[0])
    inside = np.clip(least + share * (most - least), 1e-15, 1.0 - 1e-15)
    values = mean + sd * draws.normal_quantile(inside)
    return np.asarray(np.clip(values, -np.inf if low is None else low, np.inf if high is None else high))


def _lognormal(shape: Shape, share: Floats) -> Floats:
    middle, spread = _log_scale(shape)
    limits = [None if edge is None else _log(edge) if edge > 0.0 else None for edge in (shape.low, shape.high)]
    return exp(_cut_normal(share, middle, spread, limits[0], limits[1]))


def _log_scale(shape: Shape) -> tuple[float, float]:
    if shape.median is not None:
        return _log(shape.median), _need(shape.log_sd)
    mean, sd = _need(shape.mean), _need(shape.sd)
    variance = _log(1.0 + (sd / mean) * (sd / mean))
    return _log(mean) - variance / 2.0, float(np.sqrt(variance))


def _beta(shape: Shape, share: Floats) -> Floats:
    """Interpolate quantiles of a table rounded to nine decimals, so that no library's last bit shows."""
    low, high = _need(shape.low), _need(shape.high)
    mean, sd = (_need(shape.mean) - low) / (high - low), _need(shape.sd) / (high - low)
    table = _beta_table(mean, sd)
    place = share * _GRID
    cell = np.minimum(np.floor(place).astype(np.int64), _GRID - 1)
    return np.asarray(low + (high - low) * (table[cell] + (place - cell) * (table[cell + 1] - table[cell])))


@lru_cache(maxsize=32)
def _beta_table(mean: float, sd: float) -> Floats:
    from scipy.special import betaincinv

    count = mean * (1.0 - mean) / (sd * sd) - 1.0
    table = betaincinv(mean * count, (1.0 - mean) * count, np.arange(_GRID + 1) / _GRID)
    return np.asarray(np.round(table, 9), dtype=np.float64)


def _bands(shape: Shape, share: Floats) -> Floats:
    edges = [0.0]
    for _, _, weight in shape.bands:
        edges.append(edges[-1] + weight)
    at = np.asarray(edges)
    place = share * edges[-1]
    band = np.searchsorted(at[1:-1], place, side="right")
    inside = np.clip((place - at[band]) / (at[band + 1] - at[band]), 0.0, 1.0)
    limits = np.asarray([(low, high) for low, high, _ in shape.bands], dtype=np.float64)[band]
    return _between(limits[:, 0], limits[:, 1], inside, shape.whole)


_QUANTILES: Final[dict[str, Callable[[Shape, Floats], Floats]]] = {
    "fixed": _fixed,
    "uniform": _uniform,
    "normal": _normal,
    "lognormal": _lognormal,
    "beta": _beta,
    "bands": _bands,
}


def _log(value: float) -> float:
    return float(log(np.array([value]))[0])


def _need(value: float | None) -> float:
    assert value is not None
    return float(value)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _check_spread(shape: Shape) -> None:
    for name in ("sd", "log_sd"):
        value = getattr(shape, name)
        if value is not None and value < 0:
            raise ScenarioError(f"`{name}` must be at least 0; got {value!r}.")
    if shape.low is not None and shape.high is not None and not shape.low <= shape.high:
        raise ScenarioError(f"`low` must not be above `high`; got {shape.low!r} and {shape.high!r}.")


def _check_lognormal(shape: Shape) -> None:
    pairs = (("median", "log_sd"), ("mean", "sd"))
    given = [pair for pair in pairs if all(getattr(shape, name) is not None for name in pair)]
    if len(given) != 1:
        raise ScenarioError("a shape 'lognormal' needs either `median` and `log_sd`, or `mean` and `sd`.")
    centre = getattr(shape, given[0][0])
    if centre <= 0:
        raise ScenarioError(f"`{given[0][0]}` of a lognormal must be above 0; got {centre!r}.")


def _check_beta(shape: Shape) -> None:
    low, high, mean, sd = (_need(value) for value in (shape.low, shape.high, shape.mean, shape.sd))
    if not low < mean < high:
        raise ScenarioError(
            f"`mean` of a beta must lie between `low` and `high`; got {mean!r} for {low!r} to {high!r}."
        )
    most = float(np.sqrt((mean - low) * (high - mean)))
    if not 0 < sd < most:
        raise ScenarioError(
            f"`sd` of a beta with this mean and range must be above 0 and below {most:.4g}; got {sd!r}."
        )


def _check_bands(bands: tuple[tuple[float, float, float], ...]) -> None:
    for low, high, weight in bands:
        if low > high or weight < 0:
            raise ScenarioError(
                f"`bands` must be [low, high, weight] with low not above high and a weight of at least 0; "
                f"got {[low, high, weight]!r}."
            )
    if bands and not any(weight > 0 for _, _, weight in bands):
        raise ScenarioError("`bands` must have at least one weight above 0.")
