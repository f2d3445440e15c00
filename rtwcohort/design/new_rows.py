"""New rows coded like the rows of a fit: same levels, same reference, same spline knots."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.core.frames import to_pandas
from rtwcohort.design.design import DesignInfo
from rtwcohort.design.plain import code_plain_rows
from rtwcohort.design.right_side import PlainSpec
from rtwcohort.design.terms import columns_of, level_text
from rtwcohort.errors import DesignError


def predictor_columns(info: DesignInfo, names: list[str]) -> tuple[str, ...]:
    """Return the columns that the right side of the formula uses, in order.

    Parameters
    ----------
    info
        Of the fit.
    names
        Columns of the frame at hand.
    """
    if isinstance(info.spec, PlainSpec):
        return tuple(factor.column for factor in info.spec.factors)
    used: list[str] = []
    for term in info.spec.terms:
        for factor in term.factors:
            if factor.expr != "1":
                used.extend(columns_of(factor.expr, names))
    return tuple(dict.fromkeys(used))


def code_rows(info: DesignInfo, frame: Any, *, argument: str = "frame") -> npt.NDArray[np.float64]:
    """Code rows by the formula of a fit, without the intercept.

    Parameters
    ----------
    info
        Of the fit.
    frame
        Rows with every predictor of the formula; pandas, Polars, PyArrow or DuckDB; never changed.
    argument
        What the caller names the rows, for the messages.

    Returns
    -------
    numpy.ndarray
        Shape (n, p), columns as `info.names`.

    Raises
    ------
    DesignError
        For a column that is not there, a missing or infinite value, or a level that the fit has not seen.
    """
    data = to_pandas(frame, argument=argument)
    names = [str(column) for column in data.columns]
    working: dict[str, Any] = {}
    for column in predictor_columns(info, names):
        if column not in names:
            raise DesignError(
                f"`{argument}` has no column '{column}', which the model uses.{did_you_mean(column, names)}"
            )
        series = data[column].reset_index(drop=True)
        missing = int(series.isna().sum())
        if missing:
            raise DesignError(f"`{argument}` has {missing} rows where `{column}` is missing: drop or impute them.")
        levels = info.levels.get(column)
        working[column] = _number(series, column, argument) if levels is None else _level(series, levels, column)
    return _finite(_code(info, working, len(data)), info)


def _number(series: Any, column: str, argument: str) -> Any:
    try:
        values = series.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DesignError(f"`{column}` was numbers in the fit; `{argument}` holds {series.dtype} values.") from error
    if np.isinf(values).any():
        raise DesignError(
            f"`{column}` is infinite in {int(np.isinf(values).sum())} rows of `{argument}`: correct them."
        )
    return values


def _level(series: Any, levels: tuple[Any, ...], column: str) -> Any:
    if isinstance(levels[0], float) and pd.api.types.infer_dtype(series) == "boolean":
        series = series.astype(np.float64)  # yes/no was 1 and 0 in the fit
    found = pd.Categorical(series.astype(object), categories=list(levels))
    if (found.codes < 0).any():
        known = {level_text(level): level for level in levels}
        found = pd.Categorical([known.get(level_text(value)) for value in series], categories=list(levels))
    unknown = np.flatnonzero(found.codes < 0)
    if unknown.size:
        first = level_text(series.iloc[unknown[0]])
        texts = [level_text(level) for level in levels]
        raise DesignError(
            f"`{column}` = '{first}' is not among the levels of the fit in {unknown.size} rows."
            f"{did_you_mean(first, texts)} The levels are: {', '.join(texts)}."
        )
    return found


def _code(info: DesignInfo, working: dict[str, Any], n: int) -> npt.NDArray[np.float64]:
    if isinstance(info.spec, PlainSpec):
        return code_plain_rows(info.spec, info.levels, working, n)
    from formulaic.errors import FormulaicError

    try:
        with np.errstate(all="ignore"):
            coded = info.spec.get_model_matrix(pd.DataFrame(working), context={}, na_action="raise")
    except (FormulaicError, ValueError, TypeError, KeyError, NameError, ZeroDivisionError) as error:
        text = str(error).strip().splitlines()
        raise DesignError(
            f"The formula cannot be evaluated on these rows: {text[0] if text else type(error).__name__}. A spline "
            "holds only within the range that it was fitted on."
        ) from error
    places = [place for place, name in enumerate(coded.columns) if str(name) != "Intercept"]
    matrix = np.empty((n, len(places)), order="F")
    for new, place in enumerate(places):
        matrix[:, new] = coded.iloc[:, place].to_numpy(dtype=np.float64)
    return matrix


def _finite(matrix: npt.NDArray[np.float64], info: DesignInfo) -> npt.NDArray[np.float64]:
    for name, column in zip(info.names, matrix.T, strict=True):
        if not np.isfinite(column).all():
            raise DesignError(f"The column '{name}' is missing or infinite in some of these rows.")
    return matrix
