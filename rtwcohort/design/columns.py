"""Columns before coding: numbers as float, categories with their reference level first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.design.terms import level_text
from rtwcohort.errors import DesignError

_NUMERIC_KINDS = ("integer", "floating", "mixed-integer-float", "decimal", "boolean")


def prepare_columns(
    rows: pd.DataFrame,
    used: Iterable[str],
    reference: Mapping[str, Any],
    *,
    in_categories: Collection[str],
    last_is_reference: bool = False,
) -> tuple[pd.DataFrame, dict[str, tuple[Any, ...]], tuple[str, ...]]:
    """Return a new frame of the columns used, the levels of the categories and the notes.

    Parameters
    ----------
    rows
        Complete rows.
    used
        Columns of the right side.
    reference
        Column -> reference level; such a column is a category whatever its type.
    in_categories
        Columns that the formula puts in `C(...)`.
    last_is_reference
        Whether the last level is the reference of categories that `reference` does not name; else the first.

    Raises
    ------
    DesignError
        For a column with one value, an unknown or empty reference level, an infinite value or a type that is neither
        number nor category.
    """
    used = list(used)
    for column in reference:
        if column not in used:
            raise DesignError(
                f"`reference` names '{column}', which is not in the formula.{did_you_mean(column, used)} "
                f"The predictors are: {', '.join(used)}."
            )
    ready: dict[str, Any] = {}
    levels: dict[str, tuple[Any, ...]] = {}
    notes: list[str] = []
    for column in used:
        ready[column], found, note = prepare_column(
            rows[column], column, reference, in_category=column in in_categories, last_is_reference=last_is_reference
        )
        if found is not None:
            levels[column] = found
        notes += note
    return pd.DataFrame(ready, index=rows.index, copy=False), levels, tuple(notes)


def prepare_column(
    series: pd.Series[Any], column: str, reference: Mapping[str, Any], *, in_category: bool, last_is_reference: bool
) -> tuple[pd.Series[Any], tuple[Any, ...] | None, list[str]]:
    """Return one column as float64 or as a category, the levels if it is to be coded by them, and the notes.

    Parameters
    ----------
    series
        Complete rows.
    column
        Its name.
    reference, last_is_reference
        As in `prepare_columns`.
    in_category
        Whether the formula puts it in `C(...)`.

    Raises
    ------
    DesignError
        As `prepare_columns`.
    """
    series = _plain_type(series, column)
    by_last = last_is_reference and in_category
    if column in reference or by_last or isinstance(series.dtype, pd.CategoricalDtype):
        series, empty = _category(series, column, reference, last_is_reference)
        listed = ", ".join(f"'{level_text(level)}'" for level in empty)
        notes = [f"No row used has `{column}` = {listed}; left out of the model."] if empty else []
        return series, tuple(series.cat.categories), notes
    _check_spread(series, column)
    return series, tuple(np.unique(series.to_numpy()).tolist()) if in_category else None, []


def _plain_type(series: pd.Series[Any], column: str) -> pd.Series[Any]:
    """Return float64 for numbers and yes/no columns, else a category."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series
    if pd.api.types.is_numeric_dtype(series.dtype) or series.dtype == bool:
        return series if series.dtype == np.float64 else series.astype(np.float64)
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind in _NUMERIC_KINDS:
        return series.astype(np.float64)
    if kind in ("string", "empty"):
        return series.astype("category")
    what = "dates: turn them into a number of days or years first" if kind.startswith("dat") else f"{kind} values"
    raise DesignError(f"The predictor `{column}` must be numbers or text; it holds {what}.")


def _category(
    series: pd.Series[Any], column: str, reference: Mapping[str, Any], last_is_reference: bool
) -> tuple[pd.Series[Any], tuple[Any, ...]]:
    """Drop levels that nobody has and put the reference first."""
    category = series if isinstance(series.dtype, pd.CategoricalDtype) else series.astype("category")
    present = category.cat.remove_unused_categories()
    found = list(present.cat.categories)
    empty = tuple(level for level in category.cat.categories if level not in set(found))
    if column in reference:
        chosen = _find_level(reference[column], found, empty, column)
        found = [chosen, *(level for level in found if level != chosen)]
    elif last_is_reference:
        found = [found[-1], *found[:-1]]
    if len(found) == 1:
        raise DesignError(_one_value(column, f"'{level_text(found[0])}'", len(series)))
    return present.cat.set_categories(found, ordered=False), empty


def _find_level(wanted: Any, found: list[Any], empty: tuple[Any, ...], column: str) -> Any:
    for level in found:
        if level == wanted or str(level) == str(wanted):
            return level
    texts = [level_text(level) for level in found]
    if any(str(level) == str(wanted) for level in empty):
        raise DesignError(
            f"No row used has the reference level '{wanted}' of `{column}`; choose among {', '.join(texts)}."
        )
    raise DesignError(
        f"`{column}` has no level '{wanted}' to be the reference.{did_you_mean(str(wanted), texts)} "
        f"Its levels are: {', '.join(texts)}."
    )


def _check_spread(series: pd.Series[Any], column: str) -> None:
    values = series.to_numpy()
    if np.isinf(values).any():
        raise DesignError(f"The predictor `{column}` is infinite in {int(np.isinf(values).sum())} rows: correct them.")
    if values.min() == values.max():
        raise DesignError(_one_value(column, f"{values[0]:g}", len(values)))


def _one_value(column: str, value: str, n: int) -> str:
    return (
        f"The predictor `{column}` has one value ({value}) in the {n} rows used, so it has no effect to estimate: "
        "leave it out."
    )
