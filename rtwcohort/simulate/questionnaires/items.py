"""Items whose sum has a given mean, standard deviation and Cronbach's alpha.

An item is a standard normal value, part trait and part its own, cut into the categories of the scale:
answer = round(middle + width (loading trait + rest own + offset)), held within the range. Cronbach's alpha of k items,
alpha = k / (k - 1) (1 - sum of item variances / variance of the sum) [1]_, turns the targets into a sum of item
variances and a variance of the sum. Middle and width follow from the mean and the item variances alone; the loading
then follows from the variance of the sum. All three are met to 1e-9.

.. [1] Cronbach LJ. Coefficient alpha and the internal structure of tests. Psychometrika 1951;16:297-334.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.draws import normal_cdf, normal_quantile
from rtwcohort.simulate.portable import Floats, exp, log
from rtwcohort.simulate.questionnaires.root import find_root

_STEP: Final = 0.0625
_NODES: Final = np.arange(-136, 137) * _STEP
_ROOT_TWO_PI: Final = 2.5066282746310002
_WEIGHTS: Final = exp(-0.5 * _NODES * _NODES) * (_STEP / _ROOT_TWO_PI)
_TOLERANCE: Final = 1e-10
_MOST_LOADING: Final = 0.995
"""Largest squared loading: closer to 1 the items are copies of each other."""


@dataclass(frozen=True, slots=True)
class Items:
    """How the items of one scale are drawn, in steps of an answer above the lowest one.

    Attributes
    ----------
    n_steps
        Number of categories less one.
    middle, width
        Of an item's normal value before rounding.
    loading, rest
        Weights of the trait and of the item's own part; their squares add to 1.
    offsets
        Of the items in difficulty, in standard deviations of an item.
    slope
        Covariance of the sum with the trait: what one standard deviation of the trait adds to the sum.
    """

    n_steps: int
    middle: float
    width: float
    loading: float
    rest: float
    offsets: tuple[float, ...]
    slope: float

    def thresholds(self) -> Floats:
        """Return where an item's normal value passes each step, shape (items, steps)."""
        return _thresholds(self.n_steps, self.middle, self.width, np.asarray(self.offsets))

    def shares(self) -> Floats:
        """Return the share of each answer, shape (items, steps + 1)."""
        above = 1.0 - normal_cdf(self.thresholds())
        edge = np.ones((len(self.offsets), 1))
        out: Floats = np.concatenate([edge, above], axis=1) - np.concatenate([above, 0.0 * edge], axis=1)
        return out


@lru_cache(maxsize=512)
def solve_items(
    n_items: int, n_steps: int, mean: float, sd: float, alpha: float | None, spread: float, what: str
) -> Items:
    """Find the items that meet the targets.

    Parameters
    ----------
    n_items, n_steps
        Scored items, and categories less one.
    mean, sd
        Of the sum, in steps above its lowest value.
    alpha
        Cronbach's alpha; for one item, the share of its normal value that the trait explains (None: all).
    spread
        Standard deviation of the items' difficulty.
    what
        Name for errors.

    Raises
    ------
    ArgumentError
        When no answers within the range have this mean, spread and alpha.
    """
    offsets = _offsets(n_items, spread)
    total = sd * sd
    of_items = total if n_items == 1 or alpha is None else total * (1.0 - alpha * (n_items - 1) / n_items)
    found = _middle_and_width(n_steps, offsets, mean, of_items)
    if isinstance(found, str):
        raise ArgumentError(_impossible(what, found))
    middle, width = found
    squared = (1.0 if alpha is None else alpha) if n_items == 1 else _squared_loading(n_steps, found, offsets, total)
    if squared is None:
        raise ArgumentError(_impossible(what, "alpha too high for items that differ this much; lower `item_spread`"))
    loading = float(np.sqrt(squared))
    thresholds = _thresholds(n_steps, middle, width, offsets)
    slope = loading * math.fsum((exp(-0.5 * thresholds * thresholds) / _ROOT_TWO_PI).ravel().tolist())
    return Items(n_steps, middle, width, loading, float(np.sqrt(1.0 - squared)), tuple(offsets.tolist()), slope)


@lru_cache(maxsize=512)
def moved_middle(items: Items, mean: float) -> float | None:
    """Return the middle that gives the sum another mean with everything else kept; None when out of reach."""
    return _middle(items.n_steps, items.width, np.asarray(items.offsets), mean)


def _impossible(what: str, why: str) -> str:
    return f"No answers within the range of {what} have this mean, standard deviation and alpha: {why}."


def _offsets(n_items: int, spread: float) -> Floats:
    """Spread the items evenly over a bell, in an order that has nothing to do with their numbers."""
    if n_items == 1 or spread == 0.0:
        return np.zeros(n_items)
    order = np.argsort((np.arange(1, n_items + 1) * 0.6180339887498949) % 1.0, kind="stable")
    rank = np.empty(n_items)
    rank[order] = np.arange(n_items)
    bell = normal_quantile((rank + 0.5) / n_items)
    size = float(np.sqrt(math.fsum((bell * bell).tolist()) / n_items))
    return np.asarray(bell * (spread / size))


def _thresholds(n_steps: int, middle: float, width: float, offsets: Floats) -> Floats:
    out: Floats = (np.arange(n_steps)[None, :] + 0.5 - middle) / width - offsets[:, None]
    return out


def _moments(n_steps: int, middle: float, width: float, offsets: Floats) -> tuple[float, float]:
    """Return the mean of the sum and the sum of the item variances."""
    above = normal_cdf(-_thresholds(n_steps, middle, width, offsets))
    means, squares = [], []
    for row in above.tolist():
        means.append(math.fsum(row))
        squares.append(math.fsum((2 * step + 1) * share for step, share in enumerate(row)))
    return math.fsum(means), math.fsum(squares) - math.fsum(value * value for value in means)


def _middle(n_steps: int, width: float, offsets: Floats, mean: float) -> float | None:
    far = 13.0 * width + n_steps + 1.0
    return find_root(
        lambda middle: _moments(n_steps, middle, width, offsets)[0] - mean, -far, far + n_steps, tolerance=_TOLERANCE
    )


def _middle_and_width(n_steps: int, offsets: Floats, mean: float, of_items: float) -> tuple[float, float] | str:
    """Find middle and width from the mean and the sum of item variances; or tell why not."""

    def excess(log_width: float) -> float:
        width = float(exp(np.asarray(log_width)))
        middle = _middle(n_steps, width, offsets, mean)
        return _moments(n_steps, float("nan") if middle is None else middle, width, offsets)[1] - of_items

    narrow, wide = (float(log(np.asarray(value))) for value in (0.08, 60.0 * (n_steps + 1)))
    least, most = excess(narrow) + of_items, excess(wide) + of_items
    if not least - 1e-8 <= of_items <= most + 1e-8:
        return _variance_needed(of_items / len(offsets), least / len(offsets), most / len(offsets))
    at = (
        narrow
        if of_items <= least
        else wide
        if of_items >= most
        else find_root(excess, narrow, wide, tolerance=_TOLERANCE)
    )
    width = float(exp(np.asarray(at)))
    middle = _middle(n_steps, width, offsets, mean)
    if at is None or middle is None:
        return "no middle of the answers has this mean"
    return middle, width


def _variance_needed(needed: float, least: float, most: float) -> str:
    if needed > most:
        why, way_out = "the sd is too large or alpha too low", ""
    else:
        why, way_out = "the sd is too small or alpha too high", "; a lower `item_spread` helps"
    return f"{why} (an item would need a variance of {needed:.3g}; {least:.3g} to {most:.3g} is possible{way_out})"


def _squared_loading(n_steps: int, found: tuple[float, float], offsets: Floats, total: float) -> float | None:
    """Find the squared loading that gives the sum its variance."""
    middle, width = found
    thresholds = _thresholds(n_steps, middle, width, offsets)
    mean, of_items = _moments(n_steps, middle, width, offsets)
    means = [math.fsum(row) for row in normal_cdf(-thresholds).tolist()]
    apart = mean * mean - math.fsum(value * value for value in means)

    def excess(squared: float) -> float:
        loading, rest = float(np.sqrt(squared)), float(np.sqrt(1.0 - squared))
        given = np.zeros((len(offsets), _NODES.size))
        for step in range(n_steps):
            given += normal_cdf((loading * _NODES[None, :] - thresholds[:, step : step + 1]) / rest)
        together = np.zeros(_NODES.size)
        alone = np.zeros(_NODES.size)
        for row in given:
            together += row
            alone += row * row
        both = math.fsum((_WEIGHTS * (together * together - alone)).tolist())
        return of_items + both - apart - total

    return find_root(excess, 0.0, _MOST_LOADING, tolerance=_TOLERANCE)
