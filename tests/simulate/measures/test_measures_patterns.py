"""Measures of grades, diagnoses, frequent absence and moves on a register typed by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.register.register import Register
from rtwcohort.simulate.measures import MEASURES, Simulated
from rtwcohort.simulate.measures.spells import absences
from rtwcohort.simulate.population.people import People
from rtwcohort.simulate.scenarios.read import load_scenario

SICK, AAP, PENSION = "sickness_benefit", "work_assessment_allowance", "disability_pension"
INDEX = np.datetime64("2015-01-01", "D")
PERIOD = {"first": "2014-01-01", "last": "2018-12-31"}

# Days from the index date, half-open: person, benefit, from, to, grade, diagnosis.
SPELLS = [
    (0, SICK, 10, 20, 100, "L84"),
    (0, SICK, 100, 105, 100, "P76"),
    (0, SICK, 200, 206, 40, "L84"),  # graded from the first day
    (1, SICK, 50, 80, 100, "R74"),
    (1, SICK, 80, 100, 50, "R74"),  # graded after 30 days, at 50 first
    (1, SICK, 100, 130, 80, "R74"),
    (2, SICK, 0, 364, 100, "L92"),  # runs out
    (2, AAP, 364, 700, 50, "L92"),
    (2, PENSION, 700, 3000, 100, "L92"),
    (3, SICK, 0, 364, 100, "P02"),  # runs out
    (3, AAP, 364, 3000, 100, "P02"),
]


@pytest.fixture
def simulated():
    scenario = load_scenario(Path(__file__).parents[1] / "scenarios" / "tiny.toml")
    n = 5
    zeros = np.zeros(n, dtype=np.int64)
    people = People(
        person=np.arange(n),
        index=np.full(n, INDEX.astype(np.int64)),
        birth=np.full(n, 0),
        arm=zeros,
        cluster=zeros,
        start_state=zeros,
        absence_start=zeros,
        numbers={"age": np.array([30.0, 40.0, 50.0, 60.0, 70.0])},
        categories={"sex": zeros, "education": zeros},
    )
    ids = scenario.first_id + np.arange(n)
    rows = pd.DataFrame(SPELLS, columns=["person", "benefit", "first", "last", "grade", "diagnosis"])
    end = np.datetime64("2018-12-31", "D")
    stop = INDEX + rows["last"].to_numpy() - 1
    benefits = pd.DataFrame(
        {
            "person_id": ids[rows["person"]],
            "benefit": rows["benefit"],
            "start": (INDEX + rows["first"].to_numpy()).astype("datetime64[s]"),
            "end": pd.Series(stop.astype("datetime64[s]")).where(stop <= end),
            "grade": rows["grade"].astype(float),
            "diagnosis": rows["diagnosis"],
            "employer_id": None,
        }
    ).sample(frac=1.0, random_state=1, ignore_index=True)
    nothing = pd.Series([pd.NaT] * n, dtype="datetime64[s]")
    persons = pd.DataFrame(
        {"person_id": ids, "birth_date": pd.Series(["1970-01-01"] * n).astype("datetime64[s]"), "death_date": nothing}
    ).assign(emigration_date=nothing)
    jobs = pd.DataFrame(
        {"person_id": ids, "start": np.datetime64("2010-01-01", "s"), "end": nothing, "position": 100.0}
    )
    jobs.loc[3, "end"] = np.datetime64("2015-12-31", "s")  # person 3 has no job on the allowance
    register = Register(persons, benefits, jobs.assign(employer_id=None), None, None, pd.Timestamp("2018-12-31"))
    return Simulated(scenario, register, people, dict(people.numbers))


def everybody(simulated, name, **options):
    return MEASURES[name](simulated, np.ones(5, dtype=bool), **options)[0]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("graded_share", PERIOD, 100 * 2 / 6),
        ("graded_share", {"at_most": 16, **PERIOD}, 100 * 1 / 3),
        ("graded_share", {"more_than": 60, **PERIOD}, 100 * 1 / 3),
        ("graded_from", {"high": 0, **PERIOD}, 50),
        ("graded_from", {"low": 1, "high": 30, **PERIOD}, 50),
        ("graded_from", {"low": 1, "high": 29, **PERIOD}, 0),
        ("grade_share", {"low": 50, "high": 50, **PERIOD}, 50),
        ("grade_share", {"low": 20, "high": 49, **PERIOD}, 50),
        ("diagnosis_share", {"chapter": "L", **PERIOD}, 100 * 3 / 6),
        ("diagnosis_share", {"chapter": "P", **PERIOD}, 100 * 2 / 6),
        ("diagnosis_share", {"chapter": "R", "of": "days", **PERIOD}, 100 * 80 / (10 + 5 + 6 + 80 + 364 + 364)),
        ("frequent_absence", {"least": 3, **PERIOD}, 25),  # person 4 has none
        ("frequent_absence", {"least": 3, "of": "spells", **PERIOD}, 50),
        ("frequent_absence", {"least": 3, "of": "days", **PERIOD}, 100 * 21 / 829),
        ("frequent_absence", {"least": 4, **PERIOD}, 0),
        ("after_exhaustion", {"to": "aap", "first": "2014-01-01"}, 100),
        ("working_after_exhaustion", {"to": "aap", "first": "2014-01-01"}, 50),
        # person 0: 6 moves; 1: in, graded, out (50 to 80 is none); 2: allowance, pension; 3: allowance; 4: none
        ("moves", {"last": 1000}, (6 + 3 + 2 + 1 + 0) / 5),
        ("moves", {"last": 105}, (4 + 2 + 0 + 0 + 0) / 5),
        (
            "correlation",
            {"variable": "age", "last": 365},
            np.corrcoef([30, 40, 50, 60, 70], [21, 80, 365, 365, 0])[0, 1],
        ),
        ("absence_days", {"last": 365, "statistic": "sd"}, np.std([21, 80, 365, 365, 0], ddof=1)),
    ],
)
def test_measure(simulated, name, options, expected):
    assert everybody(simulated, name, **options) == pytest.approx(expected)


def exhausted(simulated, spells):
    """Days from the index date on which the benefit runs out, for absences (from, to) of person 0."""
    rows = pd.DataFrame(spells, columns=["first", "last"])
    benefits = pd.DataFrame(
        {
            "person_id": simulated.scenario.first_id,
            "benefit": SICK,
            "start": (INDEX + rows["first"].to_numpy()).astype("datetime64[s]"),
            "end": (INDEX + rows["last"].to_numpy() - 1).astype("datetime64[s]"),
            "grade": 100.0,
            "diagnosis": None,
            "employer_id": None,
        }
    )
    other = replace(simulated, register=replace(simulated.register, benefits=benefits), cache={})
    from rtwcohort.simulate.measures.spells import _exhausted

    assert len(absences(other).start) == len(spells)
    return (_exhausted(other)[1] - INDEX.astype(np.int64)).tolist()


def test_benefit_runs_out_after_the_employer_period_and_248_paid_weekdays(simulated):
    # 2015-01-01 is a Thursday: the employer pays to the 16th; 248 weekdays from the 17th on end on 2015-12-30.
    assert exhausted(simulated, [(0, 364)]) == [364]
    assert exhausted(simulated, [(0, 363)]) == []
    # 100 paid weekdays (20 weeks from 17 January), 16 days of the employer's to 26 July, then 148 weekdays from Monday
    # on: 29 weeks and three days.
    assert exhausted(simulated, [(0, 156), (191, 207 + 206)]) == [207 + 206]
    assert exhausted(simulated, [(0, 156), (191, 207 + 205)]) == []
    # The next absence within 16 days shares the employer period: 148 weekdays from Saturday 13 June on.
    assert exhausted(simulated, [(0, 156), (163, 163 + 208)]) == [163 + 208]
    assert exhausted(simulated, [(0, 156), (163, 163 + 207)]) == []
    # 26 weeks without a paid day earn it anew, and a few days of the employer's in between do not disturb that.
    assert exhausted(simulated, [(0, 156), (350, 350 + 16 + 208)]) == []
    assert exhausted(simulated, [(0, 156), (250, 255), (345, 345 + 16 + 208)]) == []
    # Three years on, the days of the first absence no longer count.
    assert exhausted(simulated, [(0, 156), (300, 330), (480, 510), (660, 690), (840, 870), (1020, 1050)]) == []
