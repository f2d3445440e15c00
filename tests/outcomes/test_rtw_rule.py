"""A rule checks itself: every wrong combination is refused with the way out."""

from __future__ import annotations

import datetime as dt
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.calendar_kernel import add_months, add_months_each, civil_from_days, days_from_civil
from rtwcohort.outcomes.catalogue import get_rule
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.rule_mapping import rule_from_mapping
from rtwcohort.register.benefits import BENEFIT_NAMES


def rule(**fields: Any) -> RtwRule:
    return RtwRule(**{"name": "test", "source": "test", **fields})


def test_defaults_follow_from_how_it_holds() -> None:
    assert (rule().max_grade, rule().calendar, rule().confirmation) == (0.0, "days", "may_pass_horizon")
    mean = rule(hold="mean", min_work_share=50)
    assert (mean.max_grade, mean.calendar) == (None, "days")
    assert rule(hold="increase", unit="months", length=3).calendar == "months"
    assert rule(min_work_share=50).max_grade is None
    assert rule(event_date="confirmed").confirmation == "by_horizon"


def test_benefits_are_kept_in_one_order() -> None:
    one = rule(benefits=["disability_pension", "sickness_benefit"])
    assert one.benefits == ("sickness_benefit", "disability_pension")
    assert one == rule(benefits=("sickness_benefit", "disability_pension"))
    assert rule().benefits == BENEFIT_NAMES


def test_a_rule_is_frozen_and_hashable() -> None:
    with pytest.raises(FrozenInstanceError):
        rule().length = 3  # type: ignore[misc]
    assert len({rule(), rule(), rule(length=3)}) == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "`name` must be a text"),
        ({"benefits": ["sickness"]}, r"`benefits` may name .*got 'sickness'. Did you mean 'sickness_benefit'\?"),
        ({"benefits": "sickness_benefit"}, r"`benefits` must be a list; got 'sickness_benefit'. Write \["),
        ({"benefits": []}, "at least one benefit"),
        ({"benefits": ["other", "other"]}, "each entry once"),
        ({"competing": ["dead"]}, r"`competing` may name .*got 'dead'. Did you mean 'death'\?"),
        ({"hold": "mean"}, "`min_work_share` must be given when `hold` is 'mean'"),
        ({"hold": "mean", "min_work_share": 50, "max_grade": 0}, "`max_grade` has no meaning when `hold` is 'mean'"),
        ({"hold": "increase", "unit": "months", "min_work_share": 5}, "`min_work_share` has no meaning"),
        ({"hold": "increase"}, "`unit` must be 'months' when `hold` is 'increase'"),
        ({"hold": "consecutve"}, r"`hold` must be one of .*Did you mean 'consecutive'\?"),
        ({"calendar": "windows"}, "`calendar` must be 'days' or 'iso_weeks' when `hold` is 'consecutive'"),
        ({"calendar": "iso_weeks"}, "`unit` must be 'weeks'"),
        ({"hold": "mean", "min_work_share": 50, "unit": "months"}, "`unit` must be 'days' or 'weeks'"),
        ({"hold": "point"}, "`at` must list the days of measurement"),
        ({"at": [3]}, "`at` must list the days of measurement when `hold` is 'point', and only then"),
        ({"hold": "point", "at": [3, 1]}, "ascending order"),
        ({"hold": "point", "at": [-1]}, "`at` must be a whole number"),
        ({"length": 0}, "`length` must be a whole number from 1"),
        ({"length": 2.5}, "`length` must be a whole number"),
        ({"max_grade": 120}, "`max_grade` must be a number from 0 to 100"),
        ({"max_grade": 100}, "makes every day a return"),
        ({"grade_bound": "below"}, "`grade_bound` must be 'at_most' when `max_grade` is 0"),
        ({"min_work_share": 0}, "met by every day"),
        ({"min_work_share": 100, "work_share_bound": "above"}, "must be 'at_least' when `min_work_share` is 100"),
        ({"event_date": "confirmed", "confirmation": "may_pass_horizon"}, "Set confirmation='by_horizon' too"),
        ({"baseline_days": 0}, "`baseline_days` must be a whole number"),
        ({"retirement_age": 66.5}, "`retirement_age` must be a whole number"),
        ({"horizon_days": -1}, "`horizon_days` must be a whole number"),
        ({"competing_onset": "never"}, "`competing_onset` must be one of 'any', 'not_back'"),
    ],
)
def test_wrong_rules_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        rule(**fields)


def test_from_a_table_of_its_own() -> None:
    made = rule_from_mapping({"name": "ours", "benefits": ["sickness_benefit"], "length": 8, "unit": "weeks"})
    assert made == RtwRule(name="ours", source="study file", benefits=("sickness_benefit",), length=8, unit="weeks")


def test_from_the_catalogue_with_changes() -> None:
    base = get_rule("gismervik_2020")
    assert rule_from_mapping({"base": "gismervik_2020"}) == base
    changed = rule_from_mapping({"base": "gismervik_2020", "length": 8})
    assert changed == replace(base, name="gismervik_2020_changed", source=f"{base.source}; changed: length", length=8)
    assert rule_from_mapping({"base": "gismervik_2020", "name": "ours"}).name == "ours"
    assert rule_from_mapping({"base": "gismervik_2020", "event_date": "confirmed"}).confirmation == "by_horizon"
    mean = rule_from_mapping({"base": "gismervik_2020", "hold": "mean", "min_work_share": 50})
    assert (mean.calendar, mean.max_grade, mean.length, mean.unit) == ("days", None, 4, "weeks")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"base": "gismervik_2020", "lenght": 8}, r"`rule` has no key 'lenght'. Did you mean 'length'\?"),
        ({"base": "gismervik2020"}, r"Did you mean 'gismervik_2020'\?"),
        ({"length": 8}, "must have a `name`, or a `base`"),
        ("gismervik_2020", "`rule` must be a name or a table; got str"),
    ],
)
def test_wrong_tables_are_refused(table: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        rule_from_mapping(table)


def test_civil_dates_are_those_of_datetime() -> None:
    epoch = dt.date(1970, 1, 1)
    for day in range(-40_000, 60_000, 37):
        date = epoch + dt.timedelta(days=day)
        assert civil_from_days(day) == (date.year, date.month, date.day)
        assert days_from_civil(date.year, date.month, date.day) == day


@pytest.mark.parametrize(
    ("date", "months", "expected"),
    [
        ("2020-01-31", 1, "2020-02-29"),
        ("2021-01-31", 1, "2021-02-28"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2020-02-29", 48, "2024-02-29"),
        ("1999-12-31", 2, "2000-02-29"),
        ("2099-12-31", 2, "2100-02-28"),
        ("2020-12-15", 1, "2021-01-15"),
        ("2020-03-31", -1, "2020-02-29"),
        ("2020-05-31", 0, "2020-05-31"),
    ],
)
def test_months_are_clamped_to_the_last_day(date: str, months: int, expected: str) -> None:
    day = int(np.datetime64(date, "D").astype(int))
    assert str(np.datetime64(int(add_months(day, months)), "D")) == expected


def test_missing_days_stay_missing() -> None:
    assert add_months_each(np.array([0, MISSING_DAY], dtype=np.int32), 1).tolist() == [31, MISSING_DAY]
