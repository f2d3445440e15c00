"""Frames in: whatever Narwhals can read becomes a new pandas frame, once."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rtwcohort.errors import ArgumentError


def to_pandas(frame: Any, *, argument: str) -> pd.DataFrame:
    """Convert a pandas, Polars, PyArrow or DuckDB frame to pandas without changing the caller's.

    Parameters
    ----------
    frame
        Any eager or lazy frame that Narwhals knows.
    argument
        The caller's name for it, for the error message.

    Returns
    -------
    pandas.DataFrame
        Shares no memory that we later write to: callers must copy before assigning columns.
    """
    if isinstance(frame, pd.DataFrame):
        return frame
    import narwhals as nw

    native = nw.from_native(frame, pass_through=True)
    if isinstance(native, nw.LazyFrame):
        native = native.collect()
    if not isinstance(native, nw.DataFrame):
        raise ArgumentError(
            f"`{argument}` must be a data frame (pandas, Polars, PyArrow or a DuckDB relation); "
            f"got {type(frame).__name__}."
        )
    return native.to_pandas()
