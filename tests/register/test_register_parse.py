"""Values as files write them: dates, numbers, choices, identifiers."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import RegisterError
from rtwcohort.register.columns import plain_name
from rtwcohort.register.parse import as_text, parse_choice, parse_date, parse_number, parse_text, shape_of
from rtwcohort.register.person_id import read_ids
from rtwcohort.register.tables import SEXES


def dates(*values, open_end=False):
    return parse_date(pd.Series(list(values), dtype=object), open_end=open_end, where="`benefits.start` (x.csv)")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2020-02-29", "2020-02-29"),
        ("2020-2-9", "2020-02-09"),
        ("2020/02/29", "2020-02-29"),
        ("29.02.2020", "2020-02-29"),
        ("9.2.2020", "2020-02-09"),
        ("29/02/2020", "2020-02-29"),
        ("29-02-2020", "2020-02-29"),
        ("20200229", "2020-02-29"),
        ("29022020", "2020-02-29"),
        ("12111912", "1912-11-12"),
        ("19121112", "1912-11-12"),
        ("29FEB2020", "2020-02-29"),
        ("1. januar 2020", "2020-01-01"),
        ("17. mai 2020", "2020-05-17"),
        ("24des2020", "2020-12-24"),
        ("2020-02-29 00:00:00", "2020-02-29"),
        ("2020-02-29T23:59:59.999", "2020-02-29"),
        ("29.02.2020 08:30", "2020-02-29"),
        ("29FEB2020:00:00:00", "2020-02-29"),
        (" 2020-02-29 ", "2020-02-29"),
        (20200229, "2020-02-29"),
        (20200229.0, "2020-02-29"),
        (dt.date(2020, 2, 29), "2020-02-29"),
        (dt.datetime(2020, 2, 29, 0, 0), "2020-02-29"),
        (np.datetime64("2020-02-29"), "2020-02-29"),
        ("1899-12-31", "1899-12-31"),
    ],
)
def test_dates_are_read(text, date):
    parsed = dates(text)
    assert str(parsed.values.dtype) == "datetime64[s]"
    assert parsed.values.tolist() == [pd.Timestamp(date)]
    assert not parsed.bad.any()


@pytest.mark.parametrize(
    "text",
    ["2019-02-29", "30.02.2020", "01.02.20", "31.13.2020", "2020", "2020-02", "202002", "43831", "1022020", "i dag",
     "2020-02.29", "00000000", "12.2020", "2021W05"],
)  # fmt: skip
def test_dates_that_are_none_are_missing_and_told(text):
    parsed = dates(text, "2020-01-01", None)
    assert parsed.bad.tolist() == [True, False, False]
    assert parsed.values.isna().tolist() == [True, False, True]
    assert parsed.shapes == (shape_of(text),)


def test_no_eight_digits_are_two_dates():
    """Every date from 1900 to 2100 is read back from both compact forms."""
    days = pd.date_range("1900-01-01", "2100-12-31", freq="D", unit="s")
    for form in ("%Y%m%d", "%d%m%Y"):
        parsed = parse_date(pd.Series(days.strftime(form)), open_end=False, where="x")
        assert (parsed.values.to_numpy() == days.to_numpy()).all()


@pytest.mark.parametrize("mark", ["9999-12-31", "31.12.9999", "99991231", "2999-12-31", dt.date(9999, 12, 31)])
def test_far_marks_mean_not_yet_only_where_a_column_has_them(mark):
    assert dates(mark, open_end=True).values.isna().all()
    assert not dates(mark, open_end=True).bad.any()
    assert dates(mark).values.notna().all()


@pytest.mark.parametrize("mark", ["", " ", "NA", "na", ".", "NULL", "null", "NaN", "N/A", "#N/A", "None", None, np.nan])
def test_missing_marks_are_missing_and_no_fault(mark):
    for parsed in (
        dates(mark),
        parse_number(pd.Series([mark], dtype=object), percent=False),
        parse_text(pd.Series([mark], dtype=object)),
    ):
        assert parsed.values.isna().all()
        assert not parsed.bad.any()


def test_month_first_dates_are_refused():
    with pytest.raises(RegisterError, match=r"`benefits.start` \(x.csv\) has dates with the month first.*yyyy-mm-dd"):
        dates("02/29/2020", "03/01/2020")


def test_day_first_column_with_one_wrong_value_keeps_the_rest():
    parsed = dates("29/02/2020", "02/29/2020")
    assert parsed.bad.tolist() == [False, True]


def test_times_of_day_are_told():
    assert dates("2020-01-01 00:00:00").notes == ()
    assert "times of day" in dates("2020-01-01 12:00").notes[0]
    assert "UTC" in dates("2019-12-31T23:00:00Z").notes[0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_typed_dates_of_every_unit(unit):
    column = pd.Series(["2020-02-29", None]).astype(f"datetime64[{unit}]")
    parsed = parse_date(column, open_end=False, where="x")
    assert str(parsed.values.dtype) == "datetime64[s]"
    assert parsed.values.tolist() == [pd.Timestamp("2020-02-29"), pd.NaT]


def test_times_with_a_zone_keep_the_date_of_their_zone():
    column = pd.Series(pd.to_datetime(["2020-01-01 00:30"])).dt.tz_localize("Europe/Oslo")
    assert parse_date(column, open_end=False, where="x").values.tolist() == [pd.Timestamp("2020-01-01")]


def numbers(*values, percent=False):
    return parse_number(pd.Series(list(values), dtype=object), percent=percent)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("50", 50), ("50,5", 50.5), ("50.5", 50.5), ("50 %", 50), ("50%", 50), ("-1,5", -1.5), ("1 234,5", 1234.5),
        ("1\u00a0234", 1234), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1.234.567", 1234567), ("1,234,567", 1234567),
        ("0,125", 0.125), ("0.125", 0.125), ("1e3", 1000), ("450000,00", 450000), (" 7 ", 7), ("5,", 5), (",5", 0.5),
    ],
)  # fmt: skip
def test_numbers_are_read(text, number):
    parsed = numbers(text)
    assert parsed.values.tolist() == [number]
    assert not parsed.bad.any()


@pytest.mark.parametrize("text", ["abc", "1,2,3", "12-13", "1 23", "50 kr", "--1", "1.2.3", "full"])
def test_no_numbers(text):
    parsed = numbers(text, "1")
    assert parsed.bad.tolist() == [True, False]
    assert np.isnan(parsed.values[0])


def test_a_number_that_may_be_two_is_not_guessed_at():
    """450.000 is 450 or 450 000: other values of the column decide, and without one it is unreadable."""
    assert numbers("450.000", "510.000").bad.all()
    assert numbers("450,000").bad.all()
    assert numbers("450.000", "1.510.000").values.tolist() == [450_000, 1_510_000]
    assert numbers("450.000", "510.000,50").values.tolist() == [450_000, 510_000.5]
    assert numbers("450.000", "510.5").values.tolist() == [450, 510.5]
    assert numbers("450.000", "510000.5").values.tolist() == [450, 510_000.5]
    assert numbers("450,000", "1,510,000").values.tolist() == [450_000, 1_510_000]
    assert numbers("66,667", "33.333", percent=True).values.tolist() == [66.667, 33.333]


def test_typed_numbers():
    for column in (
        pd.Series([1, 2], dtype="int8"),
        pd.Series([1.0, 2.0], dtype="float32"),
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1, 2], dtype="int64[pyarrow]"),
    ):
        assert parse_number(column, percent=False).values.tolist() == [1.0, 2.0]
    assert np.isnan(parse_number(pd.Series([1, None], dtype="Int64"), percent=False).values[1])


def test_choices():
    column = pd.Series(["K", "mann", "Kvinne", " M ", "FEMALE", "1", None, "ukjent"])
    parsed = parse_choice(column, SEXES, plain_name)
    assert parsed.values.tolist() == ["female", "male", "female", "male", "female", "1", None, "ukjent"]


def test_text_of_numbers_and_dates():
    assert [as_text(v) for v in (3.0, 3.5, 7, "x ", True, dt.date(2020, 1, 2), pd.NaT, pd.NA)] == [
        "3", "3.5", "7", "x", "True", "2020-01-02", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], "Int64", [1, 2]),
        (["1", " 2 "], "Int64", [1, 2]),
        ([1.0, 2.0], "Int64", [1, 2]),
        (["01", "2"], "object", ["01", "2"]),
        (["1", "A2"], "object", ["1", "A2"]),
        (["1", ""], "Int64", [1, pd.NA]),
        ([10**18, 5], "Int64", [10**18, 5]),
        (["1234567890123456789012", "1"], "object", ["1234567890123456789012", "1"]),
        (["0", "1"], "Int64", [0, 1]),
        (["-1", "1"], "object", ["-1", "1"]),
    ],
)
def test_identifiers(values, dtype, expected):
    ids = read_ids(pd.Series(values), where="`persons.person_id` (x.csv)")
    assert str(ids.dtype) == dtype
    assert ids.tolist() == expected


def test_identifiers_that_a_spreadsheet_rounded_are_refused_without_showing_them():
    with pytest.raises(RegisterError, match=r"2 identifiers look like .* as text") as caught:
        read_ids(pd.Series(["1,01702E+10", "1.11702E+10", "5"]), where="`persons.person_id` (x.csv)")
    assert "01702" not in str(caught.value)
