"""The association between the waves of a person: as a latent correlation, or as one that a table would show."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.draws import normal_quantile
from rtwcohort.simulate.marginal.links import both_below, cholesky
from rtwcohort.simulate.marginal.solving import root, rounded
from rtwcohort.simulate.portable import Floats

STRUCTURES: Final = ("exchangeable", "ar1", "unstructured")
SCALES: Final = ("latent", "global_or", "correlation")
_MOST: Final = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """How the waves of a person go together.

    Attributes
    ----------
    structure
        "exchangeable" (one value), "ar1" (one value for neighbouring waves, products further apart) or "unstructured"
        (one value a pair: first with second, first with third, ..., second with third, ...).
    scale
        "latent" (correlation of the normal variables behind the status), "global_or" (odds ratio of being at or below
        `cut` at the two waves) or "correlation" (of these two indicators). The last two hold for people at the
        reference profile, and the latent correlation that gives them is solved, pair by pair.
    value
        One number, or one a pair for "unstructured".
    cut
        Which cumulative split the target is of: 1 is the lowest level against the others. 0 takes the split nearest
        to half at the first wave.
    at
        Linear predictor of the reference profile, one a wave; () is 0 everywhere, that is, every term at its centre.
    """

    structure: Literal["exchangeable", "ar1", "unstructured"] = "exchangeable"
    scale: Literal["latent", "global_or", "correlation"] = "latent"
    value: float | tuple[float, ...] = 0.5
    cut: int = 0
    at: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an association that cannot be."""
        check_choice(self.structure, STRUCTURES, argument="association.structure")
        check_choice(self.scale, SCALES, argument="association.scale")
        check_number(self.cut, argument="association.cut", least=0, whole=True)
        several = isinstance(self.value, tuple | list)
        if several != (self.structure == "unstructured"):
            wanted = "one value a pair of waves" if self.structure == "unstructured" else "one number"
            raise ArgumentError(
                f"`association.value` must be {wanted} when the structure is '{self.structure}'; got {self.value!r}."
            )
        for value in self.value if isinstance(self.value, tuple | list) else (self.value,):
            if self.scale == "global_or":
                check_number(value, argument="association.value", least=1e-6, most=1e6)
            else:
                check_number(value, argument="association.value", least=-_MOST, most=_MOST)


def latent_correlation(association: Association, below: Floats) -> Floats:
    """Return the correlation matrix of the normal variables behind the status.

    Parameters
    ----------
    association
        What is declared.
    below
        Shape (waves, cuts): P(status <= level j) at the reference profile.

    Raises
    ------
    ArgumentError
        For a target that no correlation gives, or a matrix that is not positive definite.
    """
    waves = len(below)
    pairs = list(combinations(range(waves), 2))
    cut = _cut(association, below)
    values = _values(association, pairs, waves)
    matrix = np.eye(waves)
    for pair, value in values.items():
        at = (float(below[pair[0], cut]), float(below[pair[1], cut]))
        matrix[pair] = matrix[pair[::-1]] = value if association.scale == "latent" else _solve(association, value, *at)
    if association.structure == "ar1":
        for first, second in pairs:
            product = math.prod(float(matrix[k, k + 1]) for k in range(first, second))
            matrix[first, second] = matrix[second, first] = product
    try:
        cholesky(matrix)
    except ArithmeticError:
        listed = "; ".join(" ".join(f"{value:.3f}" for value in row) for row in matrix)
        raise ArgumentError(
            f"`association` gives a correlation matrix of {waves} waves that is not positive definite ({listed}): no "
            "waves can be associated so. Bring the values nearer to each other, or use the structure 'ar1'."
        ) from None
    return matrix


def achieved(correlation: float, first: float, second: float) -> tuple[float, float]:
    """Return the global odds ratio and the correlation of two indicators with these shares.

    Parameters
    ----------
    correlation
        Of the normal variables.
    first, second
        P(status <= cut) at the two waves.
    """
    h, k = (float(v) for v in normal_quantile(np.asarray([first, second])))
    both = both_below(h, k, correlation)
    neither = 1.0 - first - second + both
    cross = (first - both) * (second - both)
    odds_ratio = both * neither / cross if cross > 0.0 else math.inf
    spread = math.sqrt(first * (1.0 - first) * second * (1.0 - second))
    return odds_ratio, (both - first * second) / spread


def _cut(association: Association, below: Floats) -> int:
    cuts = below.shape[1]
    if association.cut > cuts:
        raise ArgumentError(
            f"`association.cut` must be from 1 to {cuts} for {cuts + 1} levels, or 0; got {association.cut}."
        )
    if association.cut:
        return association.cut - 1
    return min(range(cuts), key=lambda j: abs(float(below[0, j]) - 0.5))


def _values(association: Association, pairs: list[tuple[int, int]], waves: int) -> dict[tuple[int, int], float]:
    if isinstance(association.value, tuple | list):
        if len(association.value) != len(pairs):
            raise ArgumentError(
                f"`association.value` must hold {len(pairs)} values, one a pair of {waves} waves; "
                f"got {len(association.value)}."
            )
        return {pair: float(value) for pair, value in zip(pairs, association.value, strict=True)}
    if association.structure == "ar1":
        return {(k, k + 1): float(association.value) for k in range(waves - 1)}
    return {pair: float(association.value) for pair in pairs}


def _solve(association: Association, target: float, first: float, second: float) -> float:
    which = 0 if association.scale == "global_or" else 1

    def off(correlation: float) -> float:
        return achieved(correlation, first, second)[which] - target

    _check_reach(association.scale, target, off, (first, second))
    return rounded(root(off, -_MOST, _MOST))


def _check_reach(scale: str, target: float, off: Callable[[float], float], shares: tuple[float, float]) -> None:
    least, most = off(-_MOST) + target, off(_MOST) + target
    if not least <= target <= most:
        raise ArgumentError(
            f"`association.value` = {target:g} on the scale '{scale}' cannot be reached where the shares at or below "
            f"the cut are {shares[0]:.3f} and {shares[1]:.3f}: possible is {least:.3g} to {most:.3g}. Take a value "
            "within, or the scale 'latent'."
        )
