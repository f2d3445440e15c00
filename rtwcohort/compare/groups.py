"""A variable and the arms it is compared between: who is missing, and in which order the arms come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError

Kind = Literal["numeric", "categorical"]
_KINDS: Final = ("numeric", "categorical")


@dataclass(frozen=True, slots=True)
class Grouped:
    """The complete rows of one variable by arm.

    Attributes
    ----------
    values
        Of the rows where value and group are known, as float64 (numeric) or as given (categorical).
    group
        The arm of the same rows, as a Categorical.
    levels
        The arms that hold anybody, in order: the categories' order, else sorted.
    n_missing
        Arm -> rows of that arm without a value.
    n_group_missing
        Rows without an arm.
    """

    values: pd.Series[Any]
    group: pd.Series[Any]
    levels: tuple[Any, ...]
    n_missing: Mapping[str, int]
    n_group_missing: int


def split_groups(values: Any, group: Any, *, kind: Kind) -> Grouped:
    """Pair values with arms, count what is missing and check that there is something to compare.

    Parameters
    ----------
    values, group
        Of equal length n; missing as NaN, None or NaT.
    kind
        "numeric" or "categorical".

    Raises
    ------
    ArgumentError
        For unequal lengths, text in a numeric variable, infinite values or fewer than two arms.
    """
    check_choice(kind, _KINDS, argument="kind")
    value_series = pd.Series(values).reset_index(drop=True)
    group_series = pd.Series(group).reset_index(drop=True)
    if len(value_series) != len(group_series):
        raise ArgumentError(
            f"`values` and `group` must be equally long; got {len(value_series)} and {len(group_series)}."
        )
    if kind == "numeric":
        value_series = _as_numbers(value_series)
    arms = group_series.astype("category")
    known = value_series.notna()
    levels = tuple(level for level in arms.cat.categories if bool((arms == level).any()))
    if len(levels) < 2:
        listed = ", ".join(repr(level) for level in levels) or "none"
        raise ArgumentError(f"`group` must have at least two levels that hold anybody; got {listed}.")
    return Grouped(
        values=value_series[known & arms.notna()],
        group=arms[known & arms.notna()],
        levels=levels,
        n_missing={str(level): int(((arms == level) & ~known).sum()) for level in levels},
        n_group_missing=int(arms.isna().sum()),
    )


def counts_by_group(grouped: Grouped) -> pd.DataFrame:
    """Return the table of counts: categories that occur by arms; an arm without a value keeps its column of zeros."""
    table = pd.crosstab(grouped.values, grouped.group)
    table = table.loc[table.sum(axis=1) > 0]
    return table.reindex(columns=list(grouped.levels), fill_value=0)


def samples_by_group(grouped: Grouped) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Return the values of each arm as float64 arrays, in the order of `levels`."""
    return [grouped.values[grouped.group == level].to_numpy(dtype=np.float64) for level in grouped.levels]


def _as_numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        raise ArgumentError("`values` is categorical; say kind='categorical' or convert it to numbers.")
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "`values` must be numbers when kind='numeric'; got text. Say kind='categorical'."
        ) from error
    n_infinite = int(np.isinf(numbers).sum())
    if n_infinite:
        raise ArgumentError(
            f"`values` must be finite; got {n_infinite} infinite values. Code them as missing or drop them."
        )
    return numbers
