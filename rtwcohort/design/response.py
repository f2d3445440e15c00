"""The left side of a formula: `Surv(time, event)` parsed and its columns checked once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import DesignError

_NAME = r"(?:`[^`]+`|[^\W\d]\w*(?:\.\w+)*)"
_SURV = re.compile(rf"^\s*Surv\s*\(\s*({_NAME})\s*,\s*({_NAME})\s*(?:,\s*({_NAME})\s*)?\)\s*$")


@dataclass(frozen=True, slots=True)
class SurvNames:
    """The columns that `Surv(...)` names.

    Attributes
    ----------
    time, event
        Columns of the time at exit and of the event.
    entry
        Column of the time at entry, None for `Surv(time, event)`.
    """

    time: str
    event: str
    entry: str | None = None

    def columns(self) -> tuple[str, ...]:
        """Return the columns in the order that they are written."""
        return (self.time, self.event) if self.entry is None else (self.entry, self.time, self.event)


@dataclass(frozen=True, slots=True)
class SurvResponse:
    """Checked times and events.

    Attributes
    ----------
    time
        Shape (n,), float64, not negative, in the unit of the data. An event at time 0 is allowed: it happened on the
        index date, and everybody is in its risk set.
    event
        Shape (n,), bool.
    names
        Where they came from.
    entry
        Shape (n,), float64, each before its `time`, or None.
    """

    time: npt.NDArray[np.float64]
    event: npt.NDArray[np.bool_]
    names: SurvNames
    entry: npt.NDArray[np.float64] | None = None


def parse_surv(text: str) -> SurvNames:
    """Read `Surv(time, event)` or `Surv(entry, exit, event)`; odd names stand in backticks.

    Raises
    ------
    DesignError
        When the text is anything else.
    """
    found = _SURV.match(text)
    if not found:
        raise DesignError(
            "The left side of the formula must be Surv(time, event) with the names of two columns; "
            f"got '{text.strip()}'. Write names with spaces in backticks, and make a 0/1 column of a condition such as "
            "status == 2 first."
        )
    first, second, third = (name.strip("`") for name in found.groups(default=""))
    return SurvNames(second, third, first) if third else SurvNames(first, second)


def plain_values(values: Any) -> npt.NDArray[Any] | None:
    """Return one column of numpy's own types without a copy; None for other types and for no rows."""
    if isinstance(values, pd.Series):
        if not isinstance(values.dtype, np.dtype):
            return None
        values = values.to_numpy()
    return values if isinstance(values, np.ndarray) and values.ndim == 1 and values.size else None


def check_time(values: Any, *, name: str) -> npt.NDArray[np.float64]:
    """Return times as float64, shape (n,).

    Raises
    ------
    DesignError
        When they are not one column of numbers, or one is missing, infinite or negative.
    """
    plain = plain_values(values)
    if plain is not None and plain.dtype.kind in "fiu" and plain.min() >= 0.0 and plain.max() < np.inf:
        return np.ascontiguousarray(plain, dtype=np.float64)
    series = pd.Series(np.asarray(values)) if not isinstance(values, pd.Series) else values
    if not pd.api.types.is_numeric_dtype(series.dtype) or series.dtype == bool:
        raise DesignError(f"`{name}` must be numbers (days, weeks, ...); got a column of type {series.dtype}.")
    time = series.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse(np.isnan(time), name, "is missing", "drop or impute them")
    _refuse(np.isinf(time), name, "is infinite", "end follow-up at the horizon")
    _refuse(time < 0.0, name, "is negative", "check that the index date comes before the event")
    return np.ascontiguousarray(time)


def check_event(values: Any, *, name: str) -> npt.NDArray[np.bool_]:
    """Return events as bool, shape (n,).

    Raises
    ------
    DesignError
        When a value is missing or is not one of False, True, 0, 1.
    """
    plain = plain_values(values)
    if plain is not None and plain.dtype.kind in "bfiu":
        happened = np.array(plain, dtype=np.bool_)
        if plain.dtype.kind == "b" or (plain == happened).all():
            return happened
    series = pd.Series(np.asarray(values)) if not isinstance(values, pd.Series) else values
    if not pd.api.types.is_numeric_dtype(series.dtype) and series.dtype != bool:
        numbers = pd.to_numeric(series, errors="coerce")
        _refuse(
            (numbers.isna() & ~series.isna()).to_numpy(), name, "is text", "recode it to 1 (event) and 0 (censored)"
        )
        series = numbers
    event = series.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse(np.isnan(event), name, "is missing", "drop or impute them")
    odd = (event != 0.0) & (event != 1.0)
    if odd.any():
        found = ", ".join(f"{value:g}" for value in np.unique(event[odd])[:5])
        raise DesignError(
            f"`{name}` must hold 1 (event) and 0 (censored), or True and False; {int(odd.sum())} rows hold {found}. "
            "Recode it: competing causes are counted as censored in a cause-specific model."
        )
    return np.asarray(event == 1.0)


def check_survival(
    time: Any, event: Any, *, entry: Any = None, names: SurvNames | None = None, need_events: bool = True
) -> SurvResponse:
    """Check times and events together.

    Parameters
    ----------
    time, event
        Columns or arrays of one length.
    entry
        When each row comes under observation, before its `time`: it is at risk at times t with entry < t <= time.
        None when everybody is followed from the start.
    names
        For the messages; `time` and `event` when None.
    need_events
        Whether no event at all is an error.

    Raises
    ------
    DesignError
        Naming the column, the rule and how many rows break it.
    """
    names = names or SurvNames("time", "event", None if entry is None else "entry")
    times = check_time(time, name=names.time)
    events = check_event(event, name=names.event)
    if times.shape != events.shape or times.ndim != 1:
        raise DesignError(
            f"`{names.time}` and `{names.event}` must be two columns of one length; "
            f"got {times.shape} and {events.shape}."
        )
    if times.size == 0:
        raise DesignError(f"`{names.time}` has no rows. See the flow table for where people were excluded.")
    if need_events and not events.any():
        raise DesignError(
            f"`{names.event}` has no events among {times.size} rows, so nothing can be estimated. "
            "Check how the event is coded (1 is the event) and the length of follow-up."
        )
    return SurvResponse(times, events, names, None if entry is None else _check_entry(entry, times, names))


def _check_entry(entry: Any, times: npt.NDArray[np.float64], names: SurvNames) -> npt.NDArray[np.float64]:
    name = names.entry or "entry"
    entries = check_time(entry, name=name)
    if entries.shape != times.shape:
        raise DesignError(f"`{name}` must have one value a row, as `{names.time}`; got {entries.shape}.")
    _refuse(
        entries >= times,
        name,
        f"is not before `{names.time}`",
        "such a row is never at risk (at risk is entry < t <= exit); leave it out, or start at the index date",
    )
    return entries


def _refuse(broken: npt.NDArray[np.bool_], name: str, fault: str, remedy: str) -> None:
    count = int(broken.sum())
    if count:
        first = int(np.flatnonzero(broken)[0]) + 1
        rows = "1 row" if count == 1 else f"{count} rows"
        raise DesignError(f"`{name}` {fault} in {rows} (first: row {first}): {remedy}.")
