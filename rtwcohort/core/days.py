"""Day arithmetic: dates as `int32` days since 1970-01-01.

At every boundary spells have inclusive ends, as registers print them. Inside the package days are
`int32` since 1970-01-01, intervals are half-open and a missing date is `MISSING_DAY`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import ArgumentError

Days = npt.NDArray[np.int32]
"""An array of days since 1970-01-01."""

MISSING_DAY: Final = int(np.iinfo(np.int32).min)
"""Stands for a missing date in an array of days; smaller than every real day."""

DATE_DTYPE: Final = "datetime64[s]"
"""The pandas dtype of every date column: whole seconds, so that 9999-12-31 fits."""


def to_days(values: Any) -> Days:
    """Convert dates to days since 1970-01-01.

    Parameters
    ----------
    values
        Series, index or array of dates (`datetime64` of any unit), missing as NaT.

    Returns
    -------
    numpy.ndarray of int32, shape (n,)
        `MISSING_DAY` where the date is missing.
    """
    array = np.asarray(values)
    if array.dtype.kind != "M":
        array = np.asarray(pd.Series(values).astype(DATE_DTYPE))
    days = array.astype("datetime64[D]")
    out = days.astype(np.int64)
    out[np.isnat(days)] = MISSING_DAY
    return out.astype(np.int32)


def from_days(days: Any) -> pd.Series[Any]:
    """Convert days since 1970-01-01 to a date series; `MISSING_DAY` becomes NaT."""
    numbers = np.atleast_1d(np.asarray(days, dtype=np.int64))
    dates = numbers.astype("datetime64[D]")
    dates[numbers == MISSING_DAY] = np.datetime64("NaT", "D")
    return pd.Series(dates.astype(DATE_DTYPE))


def day_of(value: str | dt.date | np.datetime64 | pd.Timestamp, *, argument: str) -> int:
    """Convert one ISO date or date object to its day number."""
    text = value.isoformat()[:10] if isinstance(value, dt.date) else str(value)
    try:
        stamp = np.datetime64(text, "D")
    except ValueError as error:
        raise ArgumentError(f"`{argument}` must be a date such as 2024-12-31; got {value!r}.") from error
    if np.isnat(stamp):
        raise ArgumentError(f"`{argument}` must be a date such as 2024-12-31; got a missing value.")
    return int(stamp.astype(np.int64))


def iso(day: int) -> str:
    """Print a day number as an ISO date."""
    return str(np.datetime64(int(day), "D"))
