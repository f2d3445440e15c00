"""What a timeline refuses, and that the message says what to do and names nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, RegisterError
from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.register.benefits import BENEFIT_NAMES
from rtwcohort.register.register import Register

END = pd.Timestamp("2020-12-31")
SECRET = 91919191


def make(benefits=None, employment=None, persons=None):
    usual = {
        "person_id": [1, SECRET],
        "benefit": ["sickness_benefit"] * 2,
        "start": pd.to_datetime(["2020-01-01", "2020-02-01"]),
        "end": pd.to_datetime(["2020-01-31", None]),
        "grade": [100.0, 50.0],
    }
    persons = pd.DataFrame({"person_id": [1, SECRET]}) if persons is None else persons
    return Register(persons, pd.DataFrame({**usual, **(benefits or {})}), employment, None, None, END)


FAULTY = {
    "start": ({"start": pd.to_datetime(["2020-01-01", None])}, "1 rows with no start date"),
    "order": ({"end": pd.to_datetime(["2020-01-31", "2020-01-31"])}, "1 rows with an end before the start"),
    "grade missing": ({"grade": [np.nan, np.nan]}, r"2 rows with no grade \(first: row 1"),
    "grade negative": ({"grade": [100.0, -1.0]}, r"1 rows with a grade outside its range \(first: row 2"),
    "grade high": ({"grade": [100.0, 100.5]}, "grade outside its range"),
    "benefit unknown": ({"benefit": ["sickness_benefit", "sykepenger"]}, "unknown or missing benefit"),
    "benefit missing": ({"benefit": ["sickness_benefit", None]}, "unknown or missing benefit"),
    "person unknown": ({"person_id": [1, 2]}, "a person who is not in `persons`"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_uncleaned_spells(name):
    benefits, message = FAULTY[name]
    with pytest.raises(RegisterError, match=message) as caught:
        build_timeline(make(benefits))
    assert "clean_register" in str(caught.value)
    assert str(SECRET) not in str(caught.value)


def test_first_faulty_row_across_chunks(monkeypatch):
    monkeypatch.setattr("rtwcohort.outcomes.person_lookup.CHUNK", 10)
    n = 95
    benefits = {
        "person_id": [1] * n,
        "benefit": ["other"] * n,
        "start": pd.to_datetime(["2020-01-01"] * n),
        "end": pd.to_datetime(["2020-01-31"] * n),
        "grade": [50.0] * 33 + [np.nan] + [50.0] * 40 + [np.nan] * 3 + [50.0] * 18,
    }
    register = Register(pd.DataFrame({"person_id": [1]}), pd.DataFrame(benefits), None, None, None, END)
    with pytest.raises(RegisterError, match=r"4 rows with no grade \(first: row 34 "):
        build_timeline(register)


@pytest.mark.parametrize("position", [np.nan, -10.0])
def test_uncleaned_employment(position):
    jobs = pd.DataFrame({"person_id": [1], "start": [END], "end": [pd.NaT], "position": [position]})
    with pytest.raises(RegisterError, match=r"`employment` has 1 rows with .*position"):
        build_timeline(make(employment=jobs))


@pytest.mark.parametrize("ids", [[1, 1], ["a", "a"]])
def test_persons_twice(ids):
    with pytest.raises(RegisterError, match="one row a person; got 1 rows"):
        build_timeline(make({"person_id": ids}, persons=pd.DataFrame({"person_id": ids})))


def test_missing_column():
    register = make()
    cut = Register(register.persons, register.benefits.drop(columns="grade"), None, None, None, END)
    with pytest.raises(ArgumentError, match="no column 'grade'"):
        build_timeline(cut)


def windows(**columns):
    return pd.DataFrame({"person_id": [1], "from_date": ["2020-01-01"], "to_date": ["2020-02-01"], **columns})


OPTIONS = {
    "benefit": ({"benefits": ["sickness_benefitt"]}, "Did you mean 'sickness_benefit'"),
    "no benefit": ({"benefits": []}, "`benefits` must be a list of at least one"),
    "benefit as text": ({"benefits": "other"}, "`benefits` must be a list"),
    "same": ({"same_benefit": "max"}, "`same_benefit` must be one of 'highest', 'sum'"),
    "gap": ({"merge_gap_days": -1}, "`merge_gap_days` must be a whole number of at least 0"),
    "gap fraction": ({"merge_gap_days": 1.5}, "`merge_gap_days` must be a whole number"),
    "priority short": ({"priority": BENEFIT_NAMES[1:]}, "every benefit once; got a list without sickness_benefit"),
    "priority twice": ({"priority": (*BENEFIT_NAMES, "other")}, "8 names, some of them twice"),
    "priority unknown": ({"priority": ["x"]}, "`priority` must be one of"),
    "priority as text": ({"priority": "other"}, "`priority` must be a list"),
    "window date": ({"window": ("2020-01-01", "soon")}, "`window` must be a date such as"),
    "window order": ({"window": ("2020-02-01", "2020-01-01")}, "end on or after its first day"),
    "window late": ({"window": ("2021-01-01", "2021-02-01")}, "on or before the last day known, 2020-12-31"),
    "window three": ({"window": ("2021-01-01", "2021-02-01", 1)}, "got 3 values"),
    "window kind": ({"window": 5}, "`window` must be a data frame"),
    "window column": ({"window": windows().drop(columns="to_date")}, "`window` has no column 'to_date'"),
    "window person": ({"window": windows(person_id=[3])}, "1 of 1 windows that name a person who is not"),
    "window twice": ({"window": pd.concat([windows(), windows()])}, r"one row a person; got 1 of 2 .*\(first: row 2\)"),
    "window date missing": ({"window": windows(to_date=[None])}, "both `from_date` and `to_date`"),
    "window frame order": ({"window": windows(from_date=["2020-03-01"])}, "end on or after its first day"),
    "window frame late": ({"window": windows(from_date=["2021-01-01"], to_date=["2021-03-01"])}, "start later"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name):
    options, message = OPTIONS[name]
    with pytest.raises(ArgumentError, match=message):
        build_timeline(make(), **options)


def test_windows_from_polars():
    import polars as pl

    timeline = build_timeline(make(), window=pl.from_pandas(windows()))
    assert timeline.people.person_id.tolist() == [1]
    assert (timeline.end - timeline.start).tolist() == [31, 1]
