"""What a declaration refuses, and that TOML holds it."""

import tomllib

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.process import (
    ArmEffect,
    Certificates,
    ClusterEffect,
    EarlierSpells,
    Effect,
    Entitlement,
    Frailty,
    Process,
    Spline,
    Transition,
)

FLAT = ((0, 0.01),)


def move(**change):
    return Transition(**{"origin": "sick_full", "to": "work", "group": "return", "per_day": FLAT, **change})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"per_day": ((0, -0.1),)}, "no negative value"),
        ({"per_day": ((0, float("inf")),)}, "must be a finite number; got inf"),
        ({"per_day": ((3, 0.1),)}, "begin at 0 and go forwards"),
        ({"per_day": ((0, 0.1), (9, 0.1), (5, 0.2))}, "begin at 0 and go forwards"),
        ({"per_day": ((0, 0.1), (9.5, 0.1))}, "whole number"),
        ({"per_day": ()}, "one of them, not both"),
        ({"spline": Spline(days=(0, 10), log_rates=(-3, -4))}, "one of them, not both"),
        ({"to": "wrok"}, "Did you mean 'work'"),
        ({"origin": ()}, "must name a state"),
        ({"origin": "dead"}, "nobody leaves 'dead'"),
        ({"origin": "retired"}, "must be 'dead' or 'emigrated'"),
        ({"to": "sick_full"}, "must differ from `origin`"),
        ({"clock": "week"}, "`clock"),
        ({"origin": "work", "to": "sick_full", "left": ((0, 2.0),)}, "counts days of sickness benefit"),
        ({"left": ((5, 2.0),)}, "least days left"),
        ({"season": (1.0,) * 11}, "12 hazard ratios"),
        ({"season": (1.0,) * 11 + (-1.0,)}, "no negative value"),
        ({"calendar": (("2021-01-01", 1.0), ("2020-01-01", 2.0))}, "go forwards"),
        ({"calendar": (("soon", 1.0),)}, "must be a date"),
        ({"age": ((18, 1.0),)}, "begin at 0"),
    ],
)
def test_a_transition_that_cannot_be(change, words):
    with pytest.raises(ArgumentError, match=words):
        move(**change)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Spline(days=(0, 5), log_rates=(-3,)), "one log rate for each"),
        (lambda: Spline(days=(5, 5), log_rates=(-3, -3)), "go forwards"),
        (lambda: Effect(on=(), term="age", log_hr=0.1), "at least one group"),
        (lambda: Effect(on="return", term="age", log_hr=0.1, per=0), "per of 'age'"),
        (lambda: ArmEffect(on="return", arm="a", log_hr=0.1, delay=30, until=30), "until of arm 'a'"),
        (lambda: ArmEffect(on="return", arm="a", log_hr=0.1, interaction_log_hr=0.1), "needs `interaction`"),
        (lambda: Frailty(on="return", variance=-0.1), "variance of a frailty"),
        (lambda: Frailty(on="return", variance=0.1, distribution="normal"), "'gamma', 'lognormal'"),
        (lambda: ClusterEffect(on="return", sd=-1), "sd of a cluster effect"),
        (lambda: EarlierSpells(on="return", log_hr=0.1, most=0), "`most`"),
        (lambda: Entitlement(paid_days=0), "entitlement.paid_days"),
        (lambda: Entitlement(after=(("aap", 0.5), ("work", 0.4))), "add up to 1; they add up to 0.9"),
        (lambda: Entitlement(after=(("sick_full", 1.0),)), "out of sickness benefit"),
        (lambda: Entitlement(after=(("retired", 1.0),)), "lead somewhere below"),
        (lambda: Certificates(first=((0, 1.0),)), "days of certificates.first"),
        (lambda: Certificates(diagnoses=(("L03", 0.7), ("L03", 0.3))), "name each once"),
        (lambda: Process(transitions=()), "at least one transition"),
        (lambda: Process(transitions=(move(),), grades=((10, 1.0),)), "from 20 to 99"),
        (lambda: Process(transitions=(move(),), grades=((100, 1.0),)), "from 20 to 99"),
        (
            lambda: Process(transitions=(move(),), effects=(Effect(on="retrun", term="x", log_hr=1),)),
            "Did you mean 'return'",
        ),
    ],
)
def test_a_rule_that_cannot_be(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


DOCUMENT = """
grades = [[50, 0.5], [80, 0.5]]
[entitlement]
after = [["aap", 0.6], ["work", 0.4]]
[[transitions]]
origin = "work"
to = "sick_full"
group = "onset"
per_day = [[0, 0.002]]
calendar = [[2020-03-12, 2.0], ["2021-01-01", 1.0]]
[[transitions]]
origin = ["sick_full", "sick_graded"]
to = "work"
group = "return"
spline = { days = [0, 100, 200], log_rates = [-3, -4, -5] }
left = [[0, 3.0], [30, 1]]
[[arm_effects]]
on = "return"
arm = "visit"
log_hr = 0.3
half_life = 90
"""


def test_toml_holds_a_process():
    process = TypeAdapter(Process).validate_python(tomllib.loads(DOCUMENT))
    assert process.groups == ("onset", "return")
    assert process.transitions[1].origins == ("sick_full", "sick_graded")
    assert process.transitions[1].spline == Spline(days=(0, 100, 200), log_rates=(-3, -4, -5))
    assert process.arm_effects[0].half_life == 90
    assert process.entitlement.after == (("aap", 0.6), ("work", 0.4))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.002", "-0.002", "no negative value"),
        ("log_hr = 0.3", "log_hrr = 0.3", "log_hrr"),
        ("[50, 0.5]", "[10, 0.5]", "from 20 to 99"),
    ],
)
def test_toml_with_a_mistake(old, new, words):
    with pytest.raises(ValidationError, match=words):
        TypeAdapter(Process).validate_python(tomllib.loads(DOCUMENT.replace(old, new)))


def test_defaults_are_norways():
    rule = Entitlement()
    assert (rule.employer_period, rule.paid_days, rule.window_years, rule.reearn_weeks) == (16, 248, 3, 26)
    assert np.isclose(sum(share for _, share in Process(transitions=(move(),)).grades), 1.0)
