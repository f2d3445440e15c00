"""History before index against a naive count of calendar days."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from rtwcohort.cohort import build_cohort
from rtwcohort.cohort.history_covariates import window_start
from rtwcohort.core.days import iso, to_days
from rtwcohort.errors import ArgumentError

HEALTH = ("sickness_benefit", "work_assessment_allowance", "disability_pension", "rehabilitation_benefit")


def two_years_before(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year - 2)
    except ValueError:
        return day.replace(year=day.year - 2, day=28)


def merged(days, gap):
    """Absences of a person: lists of days, gaps of at most `gap` days joined."""
    groups = []
    for day in sorted(days):
        if groups and (day - groups[-1][-1]).days - 1 <= gap:
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups


@pytest.mark.parametrize("seed", range(6))
def test_window_measures_equal_a_naive_count(random_register, naive_days, seed):
    register = random_register(seed)
    history = {"from": "history", "benefits": list(HEALTH)}
    cohort = build_cohort(
        register,
        covariates={
            "days": {**history, "measure": "days_on_benefit"},
            "weighted": {**history, "measure": "weighted_days"},
            "year_100": {**history, "measure": "days_on_benefit", "days": 365, "min_grade": 100},
            "spells": {**history, "measure": "n_spells"},
            "spells_0": {**history, "measure": "n_spells", "merge_gap_days": 0, "years": 1},
            "unemployed": {**history, "measure": "days_on_benefit", "benefits": ["unemployment_benefit"]},
        },
    )
    assert len(cohort.frame) > 10
    for row in cohort.frame.itertuples():
        index = row.index_date.date()
        days = naive_days(register, row.person_id, HEALTH)
        before = {day: grade for day, grade in days.items() if two_years_before(index) <= day < index}
        assert row.days == len(before)
        assert row.weighted == pytest.approx(sum(before.values()) / 100, abs=1e-9)
        year = [g for day, g in days.items() if index - dt.timedelta(days=365) <= day < index and g >= 100]
        assert row.year_100 == len(year)
        past = merged([day for day in days if day < index], 15)
        assert row.spells == sum(any(day >= two_years_before(index) for day in group) for group in past)
        past = merged([day for day in days if day < index], 0)
        one = index.replace(year=index.year - 1) if (index.month, index.day) != (2, 29) else None
        if one is not None:
            assert row.spells_0 == sum(any(day >= one for day in group) for group in past)
        jobless = naive_days(register, row.person_id, ("unemployment_benefit",))
        assert row.unemployed == sum(two_years_before(index) <= day < index for day in jobless)


@pytest.mark.parametrize("seed", range(6, 10))
def test_index_measures_equal_a_naive_reading(random_register, naive_days, seed):
    register = random_register(seed)
    sick = ["sickness_benefit"]
    cohort = build_cohort(
        register,
        covariates={
            "grade": {"from": "history", "measure": "grade_at_index", "benefits": list(HEALTH)},
            "benefit": {"from": "history", "measure": "benefit_at_index", "benefits": list(HEALTH)},
            "length": {"from": "history", "measure": "absence_length", "benefits": sick},
            "length_50": {"from": "history", "measure": "absence_length", "benefits": sick, "min_grade": 50},
        },
    )
    seen = set()
    for row in cohort.frame.itertuples():
        index = row.index_date.date()
        assert row.grade == naive_days(register, row.person_id, HEALTH).get(index, 0.0)
        own = [b for b in HEALTH if index in naive_days(register, row.person_id, (b,))]
        order = ["disability_pension", "work_assessment_allowance", "rehabilitation_benefit", "sickness_benefit"]
        assert row.benefit == next((b for b in order if b in own), "none")
        for least, value in ((0, row.length), (50, row.length_50)):
            days = [d for d, g in naive_days(register, row.person_id, tuple(sick)).items() if g >= least]
            known = merged([d for d in days if d <= index], 15)
            # An absence stays open until 16 days without benefit have passed, the index date among them.
            open_still = bool(known) and (index - known[-1][-1]).days <= 15
            expected = (index - known[-1][0]).days if open_still else np.nan
            assert value == expected or (np.isnan(value) and np.isnan(expected))
            seen.add(open_still)
    assert seen == {True, False}


def test_spell_crossing_the_index_date_counts_to_the_day_before(make_register, enrol):
    register = make_register(
        1,
        [(1, "sickness_benefit", "2020-01-01", "2020-01-31", 50.0)],
        enrolment=enrol(["2020-01-11"]),
    )
    cohort = build_cohort(register, covariates=["days_on_benefit", "weighted_days", "absence_length", "grade_at_index"])
    assert cohort.frame[["days_on_benefit", "weighted_days", "absence_length", "grade_at_index"]].iloc[0].tolist() == [
        10.0,
        5.0,
        10.0,
        50.0,
    ]


def test_index_on_first_day_of_spell_has_no_history(make_register, enrol):
    register = make_register(1, [(1, "sickness_benefit", "2020-01-11", None)], enrolment=enrol(["2020-01-11"]))
    row = build_cohort(register, covariates=["days_on_benefit", "n_spells", "absence_length"]).frame.iloc[0]
    assert (row["days_on_benefit"], row["n_spells"], row["absence_length"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("last", "days", "spells"), [("2019-12-31", 0, 0), ("2020-01-01", 1, 1)])
def test_spell_that_ends_where_the_window_begins(make_register, enrol, last, days, spells):
    register = make_register(1, [(1, "sickness_benefit", "2019-12-01", last)], enrolment=enrol(["2022-01-01"]))
    row = build_cohort(register, covariates=["days_on_benefit", "n_spells"]).frame.iloc[0]
    assert (row["days_on_benefit"], row["n_spells"]) == (days, spells)


@pytest.mark.parametrize(
    ("index", "years", "first"),
    [
        ("2020-02-29", 2, "2018-02-28"),
        ("2020-02-29", 4, "2016-02-29"),
        ("2021-03-01", 1, "2020-03-01"),
        ("2020-12-31", 3, "2017-12-31"),
        ("1971-02-01", 2, "1969-02-01"),
    ],
)
def test_window_of_years_keeps_the_date(index, years, first):
    day = to_days(pd.Series(pd.to_datetime([index])))
    assert iso(window_start(day, years=years, days=None)[0]) == first


def test_two_full_years_hold_the_leap_day(make_register, enrol):
    spells = [(person, "sickness_benefit", "2015-01-01", None) for person in (1, 2)]
    register = make_register(2, spells, enrolment=enrol(["2021-01-01", "2019-01-01"]))
    assert build_cohort(register, covariates=["days_on_benefit"]).frame["days_on_benefit"].tolist() == [731.0, 730.0]


def test_coverage_of_the_window_is_counted(make_register, enrol):
    register = make_register(
        2, [(1, "sickness_benefit", "2020-01-01", "2020-02-01")], enrolment=enrol(["2021-06-01", "2022-01-01"])
    )
    cohort = build_cohort(register, covariates=["days_on_benefit"])
    assert [(item.text, item.n) for item in cohort.counted] == [
        ("The register does not cover all of the 2 years before the index date", 1)
    ]
    assert any("taken to begin on 2020-01-01" in note for note in cohort.notes)
    given = build_cohort(register, covariates=["days_on_benefit"], register_start="2015-01-01")
    assert not given.counted
    assert not given.notes


def test_years_and_days_exclude_each_other(make_register, enrol):
    register = make_register(1, [(1, "sickness_benefit", "2020-01-01", None)], enrolment=enrol(["2021-06-01"]))
    both = {"x": {"from": "history", "measure": "n_spells", "years": 1, "days": 10}}
    with pytest.raises(ArgumentError, match="takes `years` or `days`, not both; got years = 1, days = 10"):
        build_cohort(register, covariates=both)
    with pytest.raises(ArgumentError, match="'grade_at_index' is about the index date itself"):
        build_cohort(register, covariates={"x": {"from": "history", "measure": "grade_at_index", "years": 1}})


def test_people_without_spells_have_zero_days(make_register, enrol):
    register = make_register(2, [(1, "sickness_benefit", "2020-01-01", None)], enrolment=enrol(["2020-03-01"] * 2))
    frame = build_cohort(register, covariates=["days_on_benefit", "benefit_at_index", "n_spells"]).frame
    assert frame["days_on_benefit"].tolist() == [60.0, 0.0]
    assert frame["benefit_at_index"].tolist() == ["sickness_benefit", "none"]
    assert frame["n_spells"].tolist() == [1.0, 0.0]


def test_register_without_any_spell(make_register, enrol):
    register = make_register(2, [], enrolment=enrol(["2020-03-01"] * 2))
    covariates = [
        "days_on_benefit",
        "weighted_days",
        "n_spells",
        "benefit_at_index",
        "absence_length",
        "grade_at_index",
    ]
    frame = build_cohort(register, covariates=covariates).frame
    assert frame["days_on_benefit"].tolist() == [0.0, 0.0]
    assert frame["absence_length"].isna().all()
    assert frame["benefit_at_index"].tolist() == ["none", "none"]
