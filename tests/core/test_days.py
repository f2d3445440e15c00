"""Dates to days and back, against Python's own calendar."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from rtwcohort.core.days import MISSING_DAY, day_of, from_days, iso, to_days
from rtwcohort.errors import ArgumentError

DATES = [dt.date(1970, 1, 1), dt.date(1969, 12, 31), dt.date(2020, 2, 29), dt.date(1900, 3, 1), dt.date(9999, 12, 31)]
EXPECTED = [date.toordinal() - dt.date(1970, 1, 1).toordinal() for date in DATES]


@pytest.mark.parametrize("unit", ["s", "D"])
def test_known_dates(unit):
    array = np.array(DATES, dtype=f"datetime64[{unit}]")
    assert to_days(array).tolist() == EXPECTED
    assert to_days(array).dtype == np.int32


def test_series_text_and_time_of_day():
    assert to_days(pd.to_datetime(pd.Series(["2020-02-29 23:59"]))).tolist() == [EXPECTED[2]]
    assert to_days(["2020-02-29", None]).tolist() == [EXPECTED[2], MISSING_DAY]


def test_round_trip_with_missing():
    days = np.array([*EXPECTED, MISSING_DAY], dtype=np.int32)
    dates = from_days(days)
    assert dates.dtype == "datetime64[s]"
    assert dates.isna().tolist() == [False] * 5 + [True]
    assert to_days(dates).tolist() == days.tolist()


@pytest.mark.parametrize(
    "value", ["2020-02-29", dt.date(2020, 2, 29), pd.Timestamp("2020-02-29"), np.datetime64("2020-02-29")]
)
def test_day_of(value):
    assert day_of(value, argument="data_end") == EXPECTED[2]
    assert iso(day_of(value, argument="data_end")) == "2020-02-29"


@pytest.mark.parametrize("value", ["29.02.2020", "2021-02-29", "NaT", "soon"])
def test_day_of_refuses(value):
    with pytest.raises(ArgumentError, match="`data_end` must be a date such as 2024-12-31"):
        day_of(value, argument="data_end")
