"""Measures on a register typed by hand: four people, index date 2015-01-01, absences in the open."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ScenarioError
from rtwcohort.register.register import Register
from rtwcohort.simulate.measures import MEASURES, Simulated
from rtwcohort.simulate.measures.simulated import chosen_people
from rtwcohort.simulate.population.people import People
from rtwcohort.simulate.scenarios.read import load_scenario

SICK, AAP, PENSION = "sickness_benefit", "work_assessment_allowance", "disability_pension"
INDEX = np.datetime64("2015-01-01", "D")
RETURN = {"name": "day_off", "benefits": [SICK, AAP, PENSION], "length": 28, "competing": ["death"]}

# Days from the index date, half-open: person, benefit, from, to, grade.
SPELLS = [
    (0, SICK, -50, 100, 100),  # back on day 100, for good
    (1, SICK, -10, 200, 100),
    (1, SICK, 200, 300, 50),  # half from day 200, back on day 300
    (2, SICK, -100, 265, 100),
    (2, AAP, 265, 2000, 100),  # never back
    (3, SICK, 0, 20, 100),  # back on day 20
    (3, SICK, 60, 70, 100),  # ten days off
    (3, PENSION, 500, 2000, 50),  # half pension
]


@pytest.fixture
def simulated():
    scenario = load_scenario(Path(__file__).parents[1] / "scenarios" / "tiny.toml")
    n = 4
    zeros = np.zeros(n, dtype=np.int64)
    people = People(
        person=np.arange(n),
        index=np.full(n, INDEX.astype(np.int64)),
        birth=np.full(n, 0),
        arm=np.array([0, 0, 1, 1]),
        cluster=zeros,
        start_state=zeros,
        absence_start=zeros,
        numbers={"age": np.array([30.0, 40.0, 50.0, 60.0]), "income": np.full(n, 3e5)},
        categories={"sex": np.array([0, 1, 0, 1]), "education": zeros},
    )
    ids = scenario.first_id + np.arange(n)
    rows = pd.DataFrame(SPELLS, columns=["person", "benefit", "first", "last", "grade"])
    end = np.datetime64("2018-12-31", "D")
    stop = INDEX + rows["last"].to_numpy() - 1
    benefits = pd.DataFrame(
        {
            "person_id": ids[rows["person"]],
            "benefit": rows["benefit"],
            "start": (INDEX + rows["first"].to_numpy()).astype("datetime64[s]"),
            "end": pd.Series(stop.astype("datetime64[s]")).where(stop <= end),
            "grade": rows["grade"].astype(float),
            "diagnosis": None,
            "employer_id": None,
        }
    )
    nothing = pd.Series([pd.NaT] * n, dtype="datetime64[s]")
    persons = pd.DataFrame(
        {"person_id": ids, "birth_date": pd.Series(["1970-01-01"] * n).astype("datetime64[s]"), "death_date": nothing}
    ).assign(emigration_date=nothing)
    jobs = pd.DataFrame(
        {"person_id": ids, "start": np.datetime64("2010-01-01", "s"), "end": nothing, "position": 100.0}
    ).assign(employer_id=None)
    register = Register(persons, benefits, jobs, None, None, pd.Timestamp("2018-12-31"))
    covariates = {**people.numbers, "sex=female": np.array([1.0, 0, 1, 0])}
    return Simulated(scenario, register, people, covariates)


def everybody(simulated, name, **options):
    return MEASURES[name](simulated, np.ones(4, dtype=bool), **options)[0]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("returned", {"rule": RETURN, "horizon": 365}, 75),
        ("returned", {"rule": RETURN, "horizon": 150}, 50),
        ("days_to_return", {"rule": RETURN, "horizon": 365}, 100),  # survival 3/4, 1/2 at 100
        ("days_to_return", {"rule": RETURN, "horizon": 365, "how": "returners"}, 100),
        ("days_to_return", {"rule": RETURN, "horizon": 365, "how": "all"}, 200),  # 20 100 300 365
        ("days_to_return", {"rule": RETURN, "horizon": 365, "how": "mean_of_returners", "unit": "weeks"}, 20),
        ("absence_days", {"last": 365}, (100 + 300 + 365 + 30) / 4),
        ("absence_days", {"last": 365, "statistic": "median"}, 200),
        ("absence_days", {"last": 365, "weighted": True}, (100 + 250 + 365 + 30) / 4),
        ("absence_days", {"last": 365, "benefits": [SICK]}, (100 + 300 + 265 + 30) / 4),
        ("absence_days", {"first": -100, "last": 0}, (50 + 10 + 100 + 0) / 4),
        ("absence_days", {"last": 365, "statistic": "quantile", "q": 1.0, "factor": 5 / 7}, 365 * 5 / 7),
        ("status", {"day": 250}, 50),
        ("status", {"day": 250, "at_least": "partly"}, 75),
        ("status", {"day": 250, "at_least": "not"}, 25),
        ("four_states", {"day": 600, "state": "disability_pension"}, 25),
        ("four_states", {"day": 600, "state": "full_time_work"}, 50),
        ("four_states", {"day": 600, "state": "out_of_work"}, 25),
        ("four_states", {"day": 250, "state": "part_time_work"}, 25),
        ("on_benefit", {"day": 65}, 100),
        ("on_benefit", {"day": 300}, 25),
        ("on_benefit", {"day": 300, "benefits": [SICK]}, 0),
        ("work_participation", {"first": 200, "last": 300}, (100 + 50 + 0 + 100) / 4),
        ("work_participation", {"first": 200, "last": 300, "least": 50}, 75),
        ("days_in_work", {"last": 365}, (265 + (50 + 65) + 0 + 335) / 4),
        ("number", {"variable": "age"}, 45),
        ("number", {"variable": "age", "statistic": "sd"}, np.std([30, 40, 50, 60], ddof=1)),
        ("share_between", {"variable": "age", "low": 40, "high": 50}, 50),
        ("margin", {"variable": "sex", "category": "male"}, 50),
        ("spell_share", {"at_most": 20, "first": "2014-01-01", "last": "2018-12-31"}, 40),
        ("spell_share", {"more_than": 200, "first": "2014-01-01", "last": "2018-12-31"}, 40),
        ("spell_days_share", {"more_than": 200, "first": "2014-01-01", "last": "2018-12-31"}, 100 * 675 / 855),
        ("spell_length", {"first": "2014-01-01", "last": "2018-12-31"}, (150 + 310 + 365 + 20 + 10) / 5),
        ("spell_share", {"at_most": 20, "first": "2014-01-01", "last": "2018-12-31", "gap": 40}, 0),
        ("spells_per_year", {"first": "2015-01-01", "last": "2015-12-31"}, 0.5 * 365.25 / 365),
        ("after_exhaustion", {"to": "aap", "first": "2014-01-01"}, 100),
        ("after_exhaustion", {"to": "work", "first": "2014-01-01"}, 0),
        ("absence_rate", {"first": "2015-01-01", "last": "2015-12-31"}, 100 * (100 + 250 + 265 + 30) / (4 * 365)),
        (
            "absence_rate",
            {"first": "2015-01-01", "last": "2015-12-31", "longer_than": 100},
            100 * (100 + 250 + 265) / (4 * 365),
        ),
    ],
)
def test_by_hand(simulated, name, options, expected):
    assert everybody(simulated, name, **options) == pytest.approx(expected)


def test_who_runs_out_by_hand(simulated):
    """Person 2: 365 days, 249 weekdays after the employer period. Person 1: 310 days are too few."""
    assert everybody(simulated, "exhausted_share", last=365) == 25
    assert np.is_busday(np.arange(INDEX - 100 + 16, INDEX + 265)).sum() >= 248
    assert np.is_busday(np.arange(INDEX - 10 + 16, INDEX + 300)).sum() < 248


def test_arms_and_conditions(simulated):
    assert chosen_people(simulated, "visit").tolist() == [False, False, True, True]
    assert chosen_people(simulated, None, "sex=female").tolist() == [True, False, True, False]
    assert chosen_people(simulated, None, ["age >= 40", "age < 60"]).tolist() == [False, True, True, False]
    with pytest.raises(ScenarioError, match="nobody is in arm 'visit' with"):
        chosen_people(simulated, "visit", "age < 40")
    with pytest.raises(ScenarioError, match=r"names 'agee', which is no covariate. Did you mean 'age'?"):
        chosen_people(simulated, None, "agee > 3")
    with pytest.raises(ScenarioError, match="must be 'name=category' or 'name >= number'"):
        chosen_people(simulated, None, "old people")


def test_measures_without_what_they_need(simulated):
    with pytest.raises(ScenarioError, match="no questionnaires"):
        everybody(simulated, "answered", wave="M0")
    with pytest.raises(ScenarioError, match="give `at_most` or `more_than`"):
        everybody(simulated, "spell_share")
    with pytest.raises(ScenarioError, match=r"no margin 'sexx'. Did you mean 'sex'?"):
        everybody(simulated, "margin", variable="sexx", category="male")
    with pytest.raises(ScenarioError, match="no category 'men'"):
        everybody(simulated, "margin", variable="sex", category="men")
    with pytest.raises(ScenarioError, match="no number 'agee'"):
        everybody(simulated, "number", variable="agee")
