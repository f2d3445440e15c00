"""Who the people are: index date, arm, age, sex and the rest of the persons, enrolment and employment tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, day_of, from_days
from rtwcohort.simulate.portable import Floats, Ints, choose, stream, uniform, whole
from rtwcohort.simulate.scenario import ARMS, Scenario

FIRST_ID: Final = 10001

# Shares of the Hernes workplace-visit cohort, Table 1 (n = 102).
EDUCATION: Final = (("primary_school", 27), ("upper_secondary_vocational", 67), ("college_university", 8))
MARITAL: Final = (("single", 15), ("married_cohabiting", 81), ("widowed", 1), ("divorced_separated", 5))
SECTOR: Final = (("private", 52), ("public", 43), ("self_employed", 6), ("other", 1))
OCCUPATION: Final = (
    ("craft_manual", 47),
    ("office_administration", 2),
    ("teaching_kindergarten", 3),
    ("health_social", 29),
    ("service", 21),
)
INCOME: Final = (((100, 199), 12), ((200, 299), 37), ((300, 399), 39), ((400, 650), 14))
POSITION: Final = (((5, 25), 2), ((26, 50), 7), ((51, 75), 17), ((76, 99), 8), ((100, 100), 68))
TENURE: Final = (((30, 364), 3), ((365, 1826), 20), ((1827, 9000), 79))
FEMALE: Final = 0.55
MUNICIPALITIES: Final = (("0301", 30), ("1103", 12), ("4601", 20), ("5001", 14), ("3420", 10), ("4201", 8), ("5401", 6))


@dataclass(frozen=True, slots=True)
class People:
    """Arrays of shape (n,), in the order of person_id.

    Attributes
    ----------
    index, birth
        Days since 1970-01-01.
    absence_start
        First day of the present absence.
    arm, male, graded, cluster
        Whole numbers: 1 for the workplace visit, 1 for men, 1 where the absence is graded on the index date, unit.
    age
        Years at index, days / 365.25.
    eligible
        False for people enrolled without a benefit on the index date.
    grade_from, grade
        First day (of the absence, 0-based) at the reduced grade, and that grade; 100 where never graded.
    """

    index: Ints
    birth: Ints
    absence_start: Ints
    arm: Ints
    male: Ints
    graded: Ints
    cluster: Ints
    age: Floats
    eligible: np.ndarray[Any, np.dtype[np.bool_]]
    grade_from: Ints
    grade: Ints


def draw_people(scenario: Scenario, *, seed: int) -> People:
    """Draw index dates, absences and the covariates that the hazards depend on."""
    n = scenario.n
    first, last = (day_of(value, argument="enrolment") for value in scenario.enrolment)
    index = whole(stream(seed, "index"), n, first, last)
    before = _absence_before(scenario, seed)
    low, high = scenario.age_range
    rng = stream(seed, "age")
    spread = (uniform(rng, n) + uniform(rng, n) + uniform(rng, n)) / 3.0
    age_days = np.floor((low + (high + 1 - low) * spread) * 365.25).astype(np.int64)
    grade_from, grade = _grading(scenario, seed)
    return People(
        index=index,
        birth=index - age_days,
        absence_start=index - before,
        arm=(uniform(stream(seed, "arm"), n) < scenario.arm_share).astype(np.int64),
        male=(uniform(stream(seed, "sex"), n) >= FEMALE).astype(np.int64),
        graded=(grade_from <= before).astype(np.int64),
        cluster=whole(stream(seed, "cluster"), n, 1, scenario.clusters),
        age=age_days / 365.25,
        eligible=uniform(stream(seed, "eligible"), n) >= scenario.without_benefit,
        grade_from=grade_from,
        grade=grade,
    )


def person_ids(scenario: Scenario) -> Ints:
    """Return the plain running numbers that stand for people."""
    return np.arange(FIRST_ID, FIRST_ID + scenario.n, dtype=np.int64)


def persons_table(scenario: Scenario, people: People, death: Ints, emigration: Ints, *, seed: int) -> pd.DataFrame:
    """Build the persons table; `death` and `emigration` are days, `MISSING_DAY` where not known."""
    n = scenario.n
    return pd.DataFrame(
        {
            "person_id": person_ids(scenario),
            "sex": np.where(people.male == 1, "male", "female").astype(object),
            "birth_date": from_days(people.birth),
            "education": _named(EDUCATION, n, seed, "education"),
            "marital_status": _named(MARITAL, n, seed, "marital"),
            "municipality": _named(MUNICIPALITIES, n, seed, "municipality"),
            "sector": _named(SECTOR, n, seed, "sector"),
            "occupation": _named(OCCUPATION, n, seed, "occupation"),
            "income": (_within(INCOME, n, seed, "income") * 1000).astype(np.float64),
            "death_date": from_days(death),
            "emigration_date": from_days(emigration),
        }
    )


def enrolment_table(scenario: Scenario, people: People) -> pd.DataFrame:
    """Build the enrolment table."""
    units = [f"unit_{number}" for number in people.cluster.tolist()]
    programmes = ["inpatient" if number % 2 else "outpatient" for number in people.cluster.tolist()]
    return pd.DataFrame(
        {
            "person_id": person_ids(scenario),
            "index_date": from_days(people.index),
            "arm": np.asarray(ARMS, dtype=object)[people.arm],
            "cluster": np.asarray(units, dtype=object),
            "programme": np.asarray(programmes, dtype=object),
        }
    )


def employment_table(scenario: Scenario, people: People, stop: Ints, *, seed: int) -> pd.DataFrame:
    """Build the employment table: one job each, ended by disability pension, death or emigration (`stop`)."""
    n = scenario.n
    start = people.absence_start - _within(TENURE, n, seed, "tenure")
    start = np.maximum(start, people.birth + 15 * 365)
    end = np.where(stop == MISSING_DAY, MISSING_DAY, stop - 1)
    return pd.DataFrame(
        {
            "person_id": person_ids(scenario),
            "start": from_days(np.minimum(start, people.absence_start - 1)),
            "end": from_days(end),
            "position": _within(POSITION, n, seed, "position").astype(np.float64),
            "employer_id": employer_of(scenario, seed=seed),
        }
    )


def employer_of(scenario: Scenario, *, seed: int) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Return each person's employer, about eight people to one."""
    numbers = whole(stream(seed, "employer"), scenario.n, 1, max(1, scenario.n // 8))
    return np.asarray([f"E{number:04d}" for number in numbers.tolist()], dtype=object)


def _absence_before(scenario: Scenario, seed: int) -> Ints:
    low, high = scenario.absence_before
    rng = stream(seed, "absence")
    spread = (uniform(rng, scenario.n) + uniform(rng, scenario.n)) / 2.0
    return low + np.floor((high + 1 - low) * spread).astype(np.int64)


def _grading(scenario: Scenario, seed: int) -> tuple[Ints, Ints]:
    n = scenario.n
    rng = stream(seed, "grading")
    ever = uniform(rng, n) < scenario.graded
    first, soon = scenario.graded_from_start, scenario.graded_by_six_weeks
    when = choose(rng, n, (first, soon, max(1.0 - first - soon, 0.0)))
    start = np.select([when == 0, when == 1], [np.zeros(n, np.int64), whole(rng, n, 1, 42)], whole(rng, n, 43, 200))
    # Over half have 50 percent, just over a quarter 20 to 49 percent.
    levels = np.asarray([50, 20, 30, 40, 60, 70, 80], dtype=np.int64)
    grade = levels[choose(rng, n, (55, 7, 7, 13, 8, 4, 6))]
    return np.where(ever, start, 1_000_000), np.where(ever, grade, 100)


def _named(shares: tuple[tuple[str, int], ...], n: int, seed: int, name: str) -> np.ndarray[Any, Any]:
    picked = choose(stream(seed, name), n, [share for _, share in shares])
    return np.asarray([label for label, _ in shares], dtype=object)[picked]


def _within(ranges: tuple[tuple[tuple[int, int], int], ...], n: int, seed: int, name: str) -> Ints:
    rng = stream(seed, name)
    picked = choose(rng, n, [share for _, share in ranges])
    bounds = np.asarray([bound for bound, _ in ranges], dtype=np.int64)[picked]
    return whole(rng, n, bounds[:, 0], bounds[:, 1])
