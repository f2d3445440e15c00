"""The four cells of a difference-in-differences: which rows, which level is the reference, which cell a row is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_columns
from rtwcohort.core.frames import to_pandas
from rtwcohort.design.terms import level_text
from rtwcohort.errors import ArgumentError

Missing = Literal["raise", "drop"]
INTERCEPT: Final = "intercept"


@dataclass(frozen=True, slots=True)
class TwoLevels:
    """A column with two levels: its name, the reference and the level that is compared with it."""

    column: str
    reference: Any
    other: Any

    @property
    def term(self) -> str:
        """Name of the coefficient, as designs name theirs: "arm: high earner"."""
        return f"{self.column}: {level_text(self.other)}"


@dataclass(frozen=True, slots=True)
class DidRows:
    """The rows of a difference-in-differences.

    Attributes
    ----------
    frame
        Complete rows only, index as in the caller's frame.
    group, period
        Their two levels.
    in_group, in_period
        float64, shape (n,): 1 where the row is not at the reference.
    n_missing
        Column -> rows of the caller's frame without a value.
    n_dropped
        Rows left out because a value was missing.
    """

    frame: pd.DataFrame
    group: TwoLevels
    period: TwoLevels
    in_group: npt.NDArray[np.float64]
    in_period: npt.NDArray[np.float64]
    n_missing: Mapping[str, int]
    n_dropped: int

    @property
    def contrast_term(self) -> str:
        """Name of the interaction, the difference-in-differences."""
        return f"{self.group.term} x {self.period.term}"


def did_rows(
    frame: Any,
    *,
    needed: Sequence[str],
    group: str,
    period: str,
    covariates: Sequence[str],
    exposed: Any,
    after: Any,
    missing: Missing,
) -> DidRows:
    """Check the columns, leave out or refuse incomplete rows, and find the four cells.

    Parameters
    ----------
    frame
        One row an observation.
    needed
        Columns besides group, period and covariates (outcome; or time and event).
    group, period, covariates
        Column names.
    exposed, after
        The levels of group and period that are compared with the other one. May be None for numbers and booleans (the
        larger) and ordered Categoricals (the last), not for text, whose order means nothing: "after" sorts before
        "before".
    missing
        "raise" or "drop".

    Raises
    ------
    ArgumentError
        For an unknown column, a missing value under "raise", a column without exactly two levels, an unknown level
        or none where one must be given, an empty cell.
    """
    check_choice(missing, ("raise", "drop"), argument="missing")
    if isinstance(covariates, str):
        raise ArgumentError(f"`covariates` must be a list of column names; got the text {covariates!r}.")
    data = to_pandas(frame, argument="frame")
    columns = list(dict.fromkeys([*needed, group, period, *covariates]))
    if len(columns) != len(needed) + 2 + len(covariates):
        raise ArgumentError(f"The same column stands twice among outcome, group, period and covariates; got {columns}.")
    check_columns(data.columns, columns, argument="frame")
    data = data[columns]
    absent = {str(name): int(data[name].isna().sum()) for name in columns}
    complete = data.notna().all(axis=1).to_numpy()
    if not complete.all() and missing == "raise":
        listed = ", ".join(f"'{name}' {n}" for name, n in absent.items() if n)
        raise ArgumentError(
            f"`frame` has missing values ({listed}). Say missing='drop' to leave those rows out and count them."
        )
    kept = data.loc[complete]
    groups = _two_levels(kept[group], exposed, "exposed")
    periods = _two_levels(kept[period], after, "after")
    in_group = (kept[group] == groups.other).to_numpy(dtype=np.float64)
    in_period = (kept[period] == periods.other).to_numpy(dtype=np.float64)
    _check_cells(in_group, in_period, groups, periods)
    return DidRows(kept, groups, periods, in_group, in_period, absent, int((~complete).sum()))


def did_matrix(rows: DidRows, covariates: Sequence[str]) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Return the columns intercept, group, period, interaction and covariates, shape (n, 4 + q), with their names.

    Text and categorical covariates become indicators against their first level.
    """
    columns = [np.ones(len(rows.frame)), rows.in_group, rows.in_period, rows.in_group * rows.in_period]
    names = [INTERCEPT, rows.group.term, rows.period.term, rows.contrast_term]
    for covariate in covariates:
        added, labels = _covariate(rows.frame[covariate], covariate)
        columns += added
        names += labels
    return np.column_stack(columns), tuple(names)


def cell_table(rows: DidRows, **measures: Mapping[tuple[float, float], float]) -> pd.DataFrame:
    """Return one row a cell: group, period, n and the measures given by cell (in_group, in_period)."""
    records = []
    for level_group, value_group in ((0.0, rows.group.reference), (1.0, rows.group.other)):
        for level_period, value_period in ((0.0, rows.period.reference), (1.0, rows.period.other)):
            inside = cell(rows, level_group, level_period)
            record = {"group": value_group, "period": value_period, "n": int(inside.sum())}
            record.update({name: by_cell[level_group, level_period] for name, by_cell in measures.items()})
            records.append(record)
    return pd.DataFrame(records)


def cell(rows: DidRows, in_group: float, in_period: float) -> npt.NDArray[np.bool_]:
    """Return the mask of one of the four cells, shape (n,)."""
    return np.asarray((rows.in_group == in_group) & (rows.in_period == in_period))


def _two_levels(values: pd.Series[Any], other: Any, argument: str) -> TwoLevels:
    column = str(values.name)
    levels, in_order = _levels(values)
    if len(levels) != 2:
        listed = ", ".join(repr(str(level)) for level in levels[:5]) or "none"
        raise ArgumentError(f"Column '{column}' must have exactly two levels; got {len(levels)} ({listed}).")
    if other is None and not in_order:
        raise ArgumentError(
            f"`{argument}` must say which level of '{column}' is compared with the other, because their order means "
            f"nothing: '{levels[0]}' or '{levels[1]}'."
        )
    last = levels[1] if other is None else other
    if last not in levels:
        listed = f"'{levels[0]}' and '{levels[1]}'"
        raise ArgumentError(f"`{argument}` must be a level of '{column}', which has {listed}; got {other!r}.")
    return TwoLevels(column, levels[0] if last == levels[1] else levels[1], last)


def _levels(values: pd.Series[Any]) -> tuple[list[Any], bool]:
    """Return the levels that occur, and whether their order can be relied upon."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        present = set(values.unique())
        return [level for level in values.cat.categories if level in present], bool(values.cat.ordered)
    levels = sorted(values.unique(), key=lambda value: (str(type(value)), value))
    return levels, pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype)


def _check_cells(
    in_group: npt.NDArray[np.float64], in_period: npt.NDArray[np.float64], groups: TwoLevels, periods: TwoLevels
) -> None:
    for g, group_level in ((0.0, groups.reference), (1.0, groups.other)):
        for p, period_level in ((0.0, periods.reference), (1.0, periods.other)):
            if not ((in_group == g) & (in_period == p)).any():
                raise ArgumentError(
                    f"No row has '{groups.column}' = {group_level} and '{periods.column}' = {period_level}; "
                    "a difference-in-differences needs rows in all four cells."
                )


def _covariate(values: pd.Series[Any], name: str) -> tuple[list[npt.NDArray[np.float64]], list[str]]:
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64)
        if not np.isfinite(numbers).all():
            raise ArgumentError(
                f"Covariate '{name}' must be finite; {int((~np.isfinite(numbers)).sum())} rows are not."
            )
        return [numbers], [name]
    levels = values.astype("category").cat.remove_unused_categories().cat.categories
    indicators = [(values == level).to_numpy(dtype=np.float64) for level in levels[1:]]
    return indicators, [f"{name}: {level_text(level)}" for level in levels[1:]]
