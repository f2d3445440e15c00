"""The left side of models that are not of survival: ordered, two-valued, counted or continuous outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.design.response import plain_values
from rtwcohort.design.terms import level_text
from rtwcohort.errors import DesignError

Floats = npt.NDArray[np.float64]
Series = Any
_MOST_LEVELS: Final = 20
_RANGE = 64
_LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class OrdinalResponse:
    """An ordered outcome.

    Attributes
    ----------
    codes
        Shape (n,), int64, 0 for the lowest category to k - 1 for the highest; every code occurs.
    labels
        The categories that occur, lowest first, length k.
    empty
        Categories declared that nobody in the rows used has; they have no code.
    name
        The column.
    """

    codes: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    empty: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class BinaryResponse:
    """An outcome of two values.

    Attributes
    ----------
    values
        Shape (n,), float64, 1.0 where the outcome is `labels[1]` and else 0.0.
    labels
        What 0 and 1 stand for.
    name
        The column.
    """

    values: Floats
    labels: tuple[str, str]
    name: str


@dataclass(frozen=True, slots=True)
class CountResponse:
    """Whole numbers that are not negative, such as days of absence.

    Attributes
    ----------
    values
        Shape (n,), float64.
    name
        The column.
    """

    values: Floats
    name: str


@dataclass(frozen=True, slots=True)
class ContinuousResponse:
    """Any finite numbers.

    Attributes
    ----------
    values
        Shape (n,), float64.
    name
        The column.
    """

    values: Floats
    name: str


def ordinal_response(values: Any, *, name: str, levels: Sequence[Any] | None = None) -> OrdinalResponse:
    """Code an ordered outcome.

    Parameters
    ----------
    values
        An ordered categorical, whole numbers (taken in ascending order), bool, or anything when `levels` is given.
    name
        For the messages.
    levels
        The categories from the lowest to the highest.

    Raises
    ------
    DesignError
        For text or an unordered categorical without `levels`, a value that is not among them, numbers that are not
        whole or take more than 20 values, or fewer than two categories.
    """
    counted = None if levels is not None else _counted(values, name)
    if counted is not None:
        return counted
    series = _complete(values, name)
    order = _declared(series, levels, name) if levels is not None else _natural_order(series, name)
    codes = _codes(series, order, name)
    counts = np.bincount(codes, minlength=len(order))
    labels = [level_text(level) for level in order]
    found = [label for label, count in zip(labels, counts, strict=True) if count]
    empty = tuple(label for label, count in zip(labels, counts, strict=True) if not count)
    if len(found) < 2:
        raise DesignError(f"`{name}` has one category ({found[0]}) in the {len(series)} rows used: nothing to model.")
    dense = np.cumsum(counts > 0) - 1
    return OrdinalResponse(np.asarray(dense[codes], dtype=np.int64), tuple(found), empty, name)


def _counted(values: Any, name: str) -> OrdinalResponse | None:
    """Code whole numbers in a short range by counting them; None for all else, and where something is wrong."""
    plain = plain_values(values)
    if plain is None or plain.dtype.kind not in "iuf":
        return None
    low, high = float(plain.min()), float(plain.max())
    if not (abs(low) < _LARGEST and abs(high) < _LARGEST and high - low < _RANGE):
        return None
    codes = plain.astype(np.int64)
    if plain.dtype.kind == "f" and ((codes != plain).any() or np.signbit(plain).any()):
        return None
    codes -= int(low)
    counts = np.bincount(codes)
    present = np.flatnonzero(counts)
    if not 2 <= present.size <= _MOST_LEVELS:
        return None
    if present.size < counts.size:
        codes = (np.cumsum(counts > 0) - 1)[codes]
    return OrdinalResponse(codes, tuple(str(int(low) + place) for place in present.tolist()), (), name)


def binary_response(values: Any, *, name: str, levels: Sequence[Any] | None = None) -> BinaryResponse:
    """Code an outcome of two values as 0 and 1.

    Parameters
    ----------
    values
        0/1, bool, or two levels of text or category, of which the second (in the categories' or in sorted order) is 1.
    name
        For the messages.
    levels
        The value that counts as 0 and the one that counts as 1.

    Raises
    ------
    DesignError
        When there are not two values, or they are numbers other than 0 and 1 without `levels`.
    """
    series = _complete(values, name)
    if levels is not None and len(levels) != 2:
        raise DesignError(f"`levels` must name two values, first the one that counts as 0; got {list(levels)!r}.")
    order = _declared(series, levels, name) if levels is not None else _two_values(series, name)
    codes = _codes(series, order, name)
    if codes.min() == codes.max():
        only = level_text(order[int(codes[0])])
        raise DesignError(f"`{name}` is {only} in all {len(series)} rows used: nothing to model.")
    return BinaryResponse(codes.astype(np.float64), (level_text(order[0]), level_text(order[1])), name)


def count_response(values: Any, *, name: str) -> CountResponse:
    """Check counts.

    Raises
    ------
    DesignError
        When a value is not a whole number of at least 0, or all are 0.
    """
    numbers = _numbers(_complete(values, name), name)
    odd = (numbers < 0.0) | (numbers % 1.0 != 0.0)
    if odd.any():
        raise DesignError(
            f"`{name}` must hold whole numbers of at least 0; {int(odd.sum())} rows hold others, such as "
            f"{numbers[odd][0]:g}. Count days, not shares of days; give the time at risk as `offset`."
        )
    if not numbers.any():
        raise DesignError(f"`{name}` is 0 in all {numbers.size} rows used: nothing to model.")
    return CountResponse(numbers, name)


def continuous_response(values: Any, *, name: str) -> ContinuousResponse:
    """Check numbers.

    Raises
    ------
    DesignError
        When a value is not a finite number, or all are equal.
    """
    numbers = _numbers(_complete(values, name), name)
    if numbers.min() == numbers.max():
        raise DesignError(f"`{name}` is {numbers[0]:g} in all {numbers.size} rows used: nothing to model.")
    return ContinuousResponse(numbers, name)


def _complete(values: Any, name: str) -> Series:
    if isinstance(values, pd.Series):
        series = values.reset_index(drop=True)
    else:
        series = pd.Series(values if isinstance(values, pd.Categorical) else np.asarray(values))
    if series.empty:
        raise DesignError(f"`{name}` has no rows.")
    missing = int(series.isna().sum())
    if missing:
        raise DesignError(f"`{name}` is missing in {missing} rows: drop or impute them.")
    return series


def _declared(series: Series, levels: Sequence[Any], name: str) -> list[Any]:
    """Return `levels` as the values they stand for in the column: "2" finds 2."""
    if isinstance(levels, str) or len(levels) < 2:
        raise DesignError(f"`levels` must list the categories of `{name}` from the lowest to the highest.")
    known = {level_text(value): value for value in series.unique().tolist()}
    order = [known.get(level_text(level), level) for level in levels]
    if len(set(order)) < len(order):
        raise DesignError(f"`levels` names a category of `{name}` twice: {', '.join(map(str, levels))}.")
    return order


def _natural_order(series: Series, name: str) -> list[Any]:
    """Return the order that the type of the column gives, lowest first."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        if series.cat.ordered:
            return list(series.cat.categories)
        return _refuse_unordered(list(series.cat.categories), name, "is an unordered category")
    if series.dtype == bool:
        return [False, True]
    if not pd.api.types.is_numeric_dtype(series.dtype):
        return _refuse_unordered(sorted(map(str, series.unique())), name, "is text")
    numbers = np.unique(_numbers(series, name))
    if (numbers % 1.0 != 0.0).any() or numbers.size > _MOST_LEVELS:
        raise DesignError(
            f"`{name}` takes {numbers.size} values, not a few ordered categories. Cut it into an ordered categorical, "
            f"or list the categories: levels={[float(value) for value in numbers[:3]]} and so on."
        )
    return list(numbers)


def _refuse_unordered(found: list[Any], name: str, what: str) -> list[Any]:
    listed = ", ".join(repr(str(level)) for level in found[:8]) + (", ..." if len(found) > 8 else "")
    raise DesignError(
        f"`{name}` {what}, so its order is not known. Give it from the lowest to the highest: levels=[{listed}] in "
        "your order, or make it an ordered categorical."
    )


def _two_values(series: Series, name: str) -> list[Any]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        found = list(series.cat.remove_unused_categories().cat.categories)
    elif series.dtype == bool:
        found = [False, True]
    elif pd.api.types.is_numeric_dtype(series.dtype):
        numbers = np.unique(_numbers(series, name))
        if not np.isin(numbers, (0.0, 1.0)).all():
            listed = ", ".join(f"{value:g}" for value in numbers[:5])
            raise DesignError(
                f"`{name}` must hold 0 and 1; it holds {listed}. Recode it, or name the two: "
                f"levels=[{numbers[0]:g}, {numbers[-1]:g}]."
            )
        return [0.0, 1.0]
    else:
        found = sorted(series.unique().tolist(), key=str)
    if len(found) == 1:
        raise DesignError(f"`{name}` is {level_text(found[0])} in all {len(series)} rows used: nothing to model.")
    if len(found) > 2:
        listed = ", ".join(level_text(level) for level in found[:8])
        raise DesignError(f"`{name}` must have two values; it has {len(found)}: {listed}.")
    return found


def _codes(series: Series, order: list[Any], name: str) -> npt.NDArray[np.int64]:
    """Return the place of every value in `order`."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        places = pd.Index(order, dtype=object).get_indexer(pd.Index(series.cat.categories, dtype=object))
        codes = places[series.cat.codes.to_numpy()]
    else:
        numeric = pd.api.types.is_numeric_dtype(series.dtype) and series.dtype != bool
        codes = pd.Index(order).get_indexer(pd.Index(series.to_numpy(dtype=np.float64) if numeric else series))
    if (codes < 0).any():
        _refuse_outside(series[codes < 0], order, name)
    return np.asarray(codes, dtype=np.int64)


def _refuse_outside(values: Series, order: list[Any], name: str) -> None:
    first = level_text(values.iloc[0])
    listed = ", ".join(level_text(level) for level in order)
    raise DesignError(
        f"`{name}` has {len(values)} rows outside `levels`, such as '{first}'.{did_you_mean(first, map(str, order))} "
        f"The levels are: {listed}. Add it, or leave those rows out first."
    )


def _numbers(series: Series, name: str) -> Floats:
    if not pd.api.types.is_numeric_dtype(series.dtype) or series.dtype == bool:
        raise DesignError(f"`{name}` must be numbers; got a column of type {series.dtype}.")
    numbers = np.ascontiguousarray(series.to_numpy(dtype=np.float64))
    if np.isinf(numbers).any():
        raise DesignError(f"`{name}` is infinite in {int(np.isinf(numbers).sum())} rows: correct them.")
    return numbers
