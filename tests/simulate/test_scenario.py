"""Scenarios refuse what cannot be, and say their true values."""

from __future__ import annotations

import dataclasses
import math

import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import Effect, Scenario, Wave, true_values


def test_true_values_of_the_default_scenario():
    table = true_values(Scenario())
    assert list(table.columns) == ["term", "level", "per", "log_hr", "hr"]
    arm = table.set_index("term").loc["arm"]
    assert (arm["level"], arm["log_hr"]) == ("workplace_visit", 0.40)
    assert arm["hr"] == math.exp(0.40)
    age = table.set_index("term").loc["age"]
    assert (age["level"], age["per"], age["log_hr"]) == ("", 10, -0.15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(n=0), "`n` must be a whole number of at least 1; got 0"),
        (dict(arm_share=1.5), "`arm_share` must be a number from 0.0 to 1.0; got 1.5"),
        (dict(death_per_year=-1), "`death_per_year` must be a number of at least 0.0"),
        (dict(graded_from_start=0.8), "shares of the same people"),
        (dict(age_range=(60, 20)), "`age_range` must run from the lower to the higher"),
        (dict(absence_before=(56, 700)), "`absence_before` must end at 600 or less"),
        (dict(return_hazard=((5, 0.1),)), "begin at day 0 and go forwards"),
        (dict(return_hazard=((0, 0.1), (0, 0.2))), "begin at day 0 and go forwards"),
        (dict(return_hazard=()), "begin at day 0 and go forwards"),
        (dict(return_hazard=((0, -0.1),)), "`return_hazard` must be a number from 0.0 to 1.0"),
        (dict(enrolment=("2021-01-01", "2020-01-01")), "`enrolment` must run forwards"),
        (dict(enrolment=("2021-01-01", "2023-01-01")), "end by `data_end`"),
        (dict(enrolment=("soon", "2021-01-01")), "`enrolment` must be a date such as"),
        (dict(effects=(Effect(term="arm", log_hr=0), Effect(term="arm", log_hr=1))), "'arm' comes more than once"),
        (dict(waves=(Scenario().waves[0],) * 2), "'M0' comes more than once"),
    ],
)
def test_impossible_scenarios_are_refused(change, message):
    with pytest.raises(ArgumentError, match=message):
        dataclasses.replace(Scenario(), **change)


def test_impossible_effects_and_waves_are_refused():
    with pytest.raises(ArgumentError, match=r"`term` must be one of .*Did you mean 'fabq_work'"):
        Effect(term="fabq_wrk", log_hr=0.1)
    with pytest.raises(ArgumentError, match=r"`log_hr of 'arm'` must be a number from -5\.0 to 5\.0"):
        Effect(term="arm", log_hr=float("nan"))
    with pytest.raises(ArgumentError, match="`per of 'age'` must be a number of at least"):
        Effect(term="age", log_hr=0.1, per=0)
    with pytest.raises(ArgumentError, match=r"`response of wave 'M3'` must be a number from 0.0 to 1.0"):
        Wave(name="M3", day=91, instruments=("BELIEF",), response=2)
    with pytest.raises(ArgumentError, match="Did you mean 'FABQ-W'"):
        Wave(name="M3", day=91, instruments=("FABQ-V",))
    with pytest.raises(ArgumentError, match="must name at least one"):
        Wave(name="M3", day=91, instruments=())
