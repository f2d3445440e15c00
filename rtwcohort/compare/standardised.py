"""Standardised differences: how far apart two arms are at baseline, in standard deviations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.compare.groups import Kind, counts_by_group, samples_by_group, split_groups


@dataclass(frozen=True, slots=True)
class StandardisedDifference:
    """The standardised mean difference (SMD) of one baseline variable.

    Attributes
    ----------
    value
        For two arms: second minus first, in pooled standard deviations (numeric, signed), or the distance
        (categorical, never negative). For more arms: the pairwise one that is largest in absolute value.
        NaN when no pair can be computed, infinite when the arms share no value at all.
    pair
        (first arm, second arm) that `value` belongs to.
    pairs
        One row a pair of arms: first, second, value.
    n_missing, n_group_missing
        Rows without a value by arm, and rows without an arm; both are left out.
    note
        Empty, or why a value is NaN or infinite.
    """

    value: float
    pair: tuple[str, str]
    pairs: pd.DataFrame
    n_missing: Mapping[str, int]
    n_group_missing: int
    note: str


def standardised_difference(values: Any, group: Any, *, kind: Kind) -> StandardisedDifference:
    """Return the standardised difference of a baseline variable between arms.

    Parameters
    ----------
    values, group
        Of equal length n. The order of the arms is that of the categories, else sorted.
    kind
        "numeric" or "categorical".

    Returns
    -------
    StandardisedDifference

    Raises
    ------
    ArgumentError
        For unequal lengths, text in a numeric variable, or fewer than two arms.

    Notes
    -----
    Numeric: ``(m1 - m0) / sqrt((s1^2 + s0^2) / 2)`` with the n - 1 variances. Categorical: with the proportions p1, p0
    of all categories but the first, ``sqrt((p1 - p0)' S^-1 (p1 - p0))`` where S is the mean of the two arms'
    multinomial covariances [1]_; for two categories this is
    ``|p1 - p0| / sqrt((p1 (1 - p1) + p0 (1 - p0)) / 2)``. It does not depend on which category is left out.
    Categories that neither arm uses are left out.

    References
    ----------
    .. [1] Yang D, Dalton JE (2012) A unified approach to measuring the effect size between two groups using SAS.
       SAS Global Forum, paper 335-2012.

    Examples
    --------
    >>> round(standardised_difference([1, 2, 3, 3, 4, 5], [0, 0, 0, 1, 1, 1], kind="numeric").value, 3)
    2.0
    """
    grouped = split_groups(values, group, kind=kind)
    if kind == "numeric":
        samples = samples_by_group(grouped)
        computed = [_numeric(samples[i], samples[j]) for i, j in combinations(range(len(samples)), 2)]
    else:
        counts = counts_by_group(grouped).to_numpy(dtype=np.float64)
        computed = [_categorical(counts[:, i], counts[:, j]) for i, j in combinations(range(counts.shape[1]), 2)]
    names = [(str(first), str(second)) for first, second in combinations(grouped.levels, 2)]
    sizes = np.array([abs(value) for value in computed])
    largest = int(np.nanargmax(sizes)) if not np.isnan(sizes).all() else 0
    return StandardisedDifference(
        value=computed[largest],
        pair=names[largest],
        pairs=pd.DataFrame(
            {"first": [pair[0] for pair in names], "second": [pair[1] for pair in names], "value": computed}
        ),
        n_missing=grouped.n_missing,
        n_group_missing=grouped.n_group_missing,
        note=_note(computed),
    )


def _numeric(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    if len(first) < 2 or len(second) < 2:
        return math.nan
    difference = float(second.mean() - first.mean())
    # A constant arm must count as exactly 0: the mean of equal numbers may be off in the last digit.
    variance = sum(float(arm.var(ddof=1)) if np.ptp(arm) > 0 else 0.0 for arm in (first, second))
    if variance == 0.0:
        difference = float(second[0] - first[0])
        return 0.0 if difference == 0.0 else math.copysign(math.inf, difference)
    return difference / math.sqrt(variance / 2)


def _categorical(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    if first.sum() == 0 or second.sum() == 0:
        return math.nan
    if not ((first > 0) & (second > 0)).any():
        return math.inf
    used = (first + second) > 0
    p0, p1 = (arm[used][1:] / arm.sum() for arm in (first, second))
    if len(p0) == 0:
        return 0.0
    spread = sum((np.diag(p) - np.outer(p, p) for p in (p0, p1)), start=np.zeros((len(p0), len(p0)))) / 2
    gap = p1 - p0
    return math.sqrt(max(float(gap @ np.linalg.solve(spread, gap)), 0.0))


def _note(computed: list[float]) -> str:
    parts = []
    if any(math.isnan(value) for value in computed):
        parts.append("not computable where an arm has fewer than two values (numeric) or none (categorical)")
    if any(math.isinf(value) for value in computed):
        parts.append("infinite where two arms have no variation or no category in common")
    return "; ".join(parts)
