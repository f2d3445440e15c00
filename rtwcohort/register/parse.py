"""Text as files hold it to dates, numbers, choices and identifiers.

Every parser works on the distinct values of a column and says which of them it could not read. A
value that may mean two things (450.000 as an income, 01/02/20 as a date) is not guessed at.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register.parse_dates import dates_of, dates_of_text
from rtwcohort.register.parse_numbers import numbers_of_text

MISSING_MARKS: Final = frozenset(
    {"", ".", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "nat", "(null)", "#null!"}
)

_NOT_YET: Final = np.datetime64("2900-01-01", "s")
"""Registers write 9999-12-31, 9999-12-30 or 2999-12-31 for an end that is not known yet."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A column as read.

    Attributes
    ----------
    values
        Series of length n in the canonical dtype, missing where `bad`.
    bad
        Boolean array of shape (n,): there was a value, and it could not be read.
    shapes
        What the unreadable values look like, the most frequent first, at most three.
    notes
        Sentences about a reading that the user should know of.
    """

    values: pd.Series[Any]
    bad: npt.NDArray[np.bool_]
    shapes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def parse_text(column: pd.Series[Any]) -> Parsed:
    """Read text: spaces at the ends are cut, missing marks become None."""
    codes, texts = _distinct(column)
    return _spread(np.array([*texts, None], dtype=object), codes)


def parse_choice(column: pd.Series[Any], names: Mapping[str, Sequence[str]], plain: Callable[[str], str]) -> Parsed:
    """Read a choice: known aliases become our names, unknown values stay as they are.

    Parameters
    ----------
    names
        Our name -> its names in files.
    plain
        Makes names comparable.
    """
    known = {plain(alias): name for name, aliases in names.items() for alias in (name, *aliases)}
    codes, texts = _distinct(column)
    values = [None if text is None else known.get(plain(text), text) for text in texts]
    return _spread(np.array([*values, None], dtype=object), codes)


def parse_number(column: pd.Series[Any], *, percent: bool) -> Parsed:
    """Read numbers with a decimal comma or point, spaces between thousands, and percent signs.

    Parameters
    ----------
    percent
        The values are percentages, so that "66,667" cannot be sixty-six thousand.
    """
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return Parsed(pd.Series(values), np.zeros(len(column), dtype=bool))
    codes, texts = _distinct(column)
    typed = _typed_numbers(column)
    numbers, bad = numbers_of_text(
        [None if place in typed else text for place, text in enumerate(texts)], percent=percent
    )
    numbers[list(typed)] = list(typed.values())
    return _spread(np.append(numbers, np.nan), codes, texts, bad)


def _typed_numbers(column: pd.Series[Any]) -> dict[int, float]:
    """Return the distinct values that are numbers already, in a column where others are text, by their place."""
    if column.dtype != object:
        return {}
    uniques = list(pd.factorize(column, use_na_sentinel=True)[1])
    return {
        place: float(value)
        for place, value in enumerate(uniques)
        if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    }


def parse_date(column: pd.Series[Any], *, open_end: bool, where: str) -> Parsed:
    """Read dates.

    Parameters
    ----------
    open_end
        A year from 2900 on, such as 9999, means that it has not happened: missing.
    where
        Names the column and its file in the error for dates with the month first.

    Raises
    ------
    RegisterError
        When dates with slashes can only be read with the month first.
    """
    typed = dates_of(column)
    if typed is not None:
        return Parsed(_happened(typed, open_end), np.zeros(len(column), dtype=bool))
    codes, texts = _distinct(column)
    dates, unread, notes = dates_of_text(texts, where=where)
    spread = _spread(np.append(dates, np.datetime64("NaT", "s")), codes, texts, unread)
    return Parsed(_happened(np.asarray(spread.values), open_end), spread.bad, spread.shapes, notes)


def _happened(dates: npt.NDArray[np.datetime64], open_end: bool) -> pd.Series[Any]:
    """Return a date series without the marks of what has not happened, where the column has such marks."""
    if open_end:
        dates = np.where(dates >= _NOT_YET, np.datetime64("NaT", "s"), dates)
    return pd.Series(dates.astype(DATE_DTYPE))


def as_text(value: Any) -> str | None:
    """Return one value as text, None when it is missing; 3.0 is "3" and a date is written in ISO."""
    if isinstance(value, str):
        text = value.strip()
    elif value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    elif isinstance(value, (float, np.floating)) and float(value).is_integer():
        text = str(int(value))
    elif isinstance(value, (dt.date, dt.datetime)):
        text = value.isoformat()
    else:
        text = str(value).strip()
    return None if text.lower() in MISSING_MARKS else text


def _distinct(column: pd.Series[Any]) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    """Return a code per row (-1 for missing) and the distinct values as text."""
    codes, uniques = pd.factorize(column, use_na_sentinel=True)
    return codes.astype(np.int64), [as_text(value) for value in list(uniques)]


def _spread(
    values: npt.NDArray[Any],
    codes: npt.NDArray[np.int64],
    texts: Sequence[str | None] = (),
    unread: npt.NDArray[np.bool_] | None = None,
) -> Parsed:
    """Give each row the value of its code; the last value stands for missing (code -1)."""
    if unread is None or not unread.any():
        return Parsed(pd.Series(values[codes]), np.zeros(len(codes), dtype=bool))
    bad = np.append(unread, False)[codes]
    counts: Counter[str] = Counter()
    for code, n in zip(*np.unique(codes[bad], return_counts=True), strict=True):
        counts[shape_of(str(texts[code]))] += int(n)
    return Parsed(pd.Series(values[codes]), bad, tuple(shape for shape, _ in counts.most_common(3)))


def shape_of(text: str) -> str:
    """Return what a value looks like without telling it: "12/24/88" is "99/99/99"."""
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text))[:20]
