"""Dates as Norwegian registers and statistical packages write them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.errors import RegisterError

_TIME: Final = r"(?:[T :]\s*(?P<time>\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?\s*(?:Z|[+-]\d{2}:?\d{2})?))?"
_YEAR_FIRST: Final = re.compile(rf"(?P<y>\d{{4}})(?P<s>[-/.])(?P<m>\d{{1,2}})(?P=s)(?P<d>\d{{1,2}}){_TIME}")
_DAY_FIRST: Final = re.compile(rf"(?P<d>\d{{1,2}})(?P<s>[-/.])(?P<m>\d{{1,2}})(?P=s)(?P<y>\d{{4}}){_TIME}")
_COMPACT: Final = re.compile(rf"\d{{8}}{_TIME}")
_MONTH_NAME: Final = re.compile(
    rf"(?P<d>\d{{1,2}})[ .-]*(?P<name>[a-zæøå]{{3}})[a-zæøå]*[ .-]*(?P<y>\d{{4}}){_TIME}", re.IGNORECASE
)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar", "apr", "may mai maj", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec des"), start=1
    )
    for name in names.split()
}
_MIDNIGHT: Final = re.compile(r"0{1,2}:00(?::00)?(?:[.,]0+)?")


def dates_of(column: pd.Series[Any]) -> npt.NDArray[np.datetime64] | None:
    """Return the dates of a column that holds dates already, None when it holds text or numbers.

    Times of day are cut off; times with a zone keep the date of their own zone.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)
    elif isinstance(column.dtype, pd.ArrowDtype) and column.dtype.kind == "M":
        column = column.astype("datetime64[us]")
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind != "M":
        return None
    return column.to_numpy().astype("datetime64[D]").astype(DATE_DTYPE)


def dates_of_text(
    texts: Sequence[str | None], *, where: str
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_], tuple[str, ...]]:
    """Read dates from text.

    Understood are 2020-01-31, 31.01.2020, 31/01/2020, 31-01-2020, 20200131, 31012020 (no other date
    reads both ways), 31JAN2020, 31. januar 2020, each with or without a time of day.

    Parameters
    ----------
    texts
        Distinct values; None is missing.
    where
        Names the column and the file in the error.

    Returns
    -------
    dates : numpy.ndarray of datetime64[s], shape (len(texts),)
    unread : numpy.ndarray of bool, shape (len(texts),)
    notes : tuple of str

    Raises
    ------
    RegisterError
        When dates with slashes or hyphens can only be read with the month first.
    """
    _refuse_month_first(texts, where)
    dates = np.full(len(texts), np.datetime64("NaT", "s"), dtype=DATE_DTYPE)
    unread = np.zeros(len(texts), dtype=bool)
    timed = zoned = False
    for place, text in enumerate(texts):
        if text is None:
            continue
        day, time = _one_date(text)
        if day is None:
            unread[place] = True
            continue
        dates[place] = np.datetime64(day, "s")
        timed = timed or (time is not None and not _MIDNIGHT.fullmatch(time))
        zoned = zoned or (time is not None and time.endswith("Z"))
    return dates, unread, _notes(where, timed=timed, zoned=zoned)


def _notes(where: str, *, timed: bool, zoned: bool) -> tuple[str, ...]:
    if timed and zoned:
        return (
            f"{where} holds times in UTC; the UTC date was kept, which is the day before the Norwegian date late in "
            "the evening. Write plain dates if that matters.",
        )
    return (f"{where} holds times of day; only the dates were kept.",) if timed else ()


def _one_date(text: str) -> tuple[dt.date | None, str | None]:
    """Return the date (None when unreadable) and the time of day as written."""
    for pattern in (_YEAR_FIRST, _DAY_FIRST, _COMPACT, _MONTH_NAME):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        parts = found.groupdict()
        if pattern is _COMPACT:
            return _compact(text[:8]), parts["time"]
        month = parts["m"] if "m" in parts else _MONTHS.get(parts["name"].lower(), 0)
        return _date(int(parts["y"]), int(month), int(parts["d"])), parts["time"]
    return None, None


def _compact(digits: str) -> dt.date | None:
    """Read yyyymmdd or ddmmyyyy.

    No eight digits are both: a year from 1800 to 2199 begins with 18 to 21, which is no month, and
    years outside that range are not taken.
    """
    year_first = _date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if year_first is not None and _likely_year(year_first.year):
        return year_first
    day_first = _date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    return day_first if day_first is not None and _likely_year(day_first.year) else None


def _likely_year(year: int) -> bool:
    return 1800 <= year <= 2199 or year == 9999


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _refuse_month_first(texts: Sequence[str | None], where: str) -> None:
    """Raise when some date has a second part over 12 and none has a first part over 12."""
    over_first = over_second = 0
    for text in texts:
        found = _DAY_FIRST.fullmatch(text) if text else None
        if found is not None and found["s"] != ".":
            over_first += int(found["d"]) > 12
            over_second += int(found["m"]) > 12
    if over_second and not over_first:
        raise RegisterError(
            f"{where} has dates with the month first (mm/dd/yyyy), which cannot be told from dd/mm/yyyy. "
            "Write them as yyyy-mm-dd."
        )
