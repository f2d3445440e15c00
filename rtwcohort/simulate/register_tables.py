"""People and their paths as the tables of a register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, from_days
from rtwcohort.simulate import draws
from rtwcohort.simulate.population.declaration import Population
from rtwcohort.simulate.population.people import People
from rtwcohort.simulate.portable import Ints
from rtwcohort.simulate.process.benefits import exit_days
from rtwcohort.simulate.process.paths import Paths
from rtwcohort.simulate.process.states import STATES

PERSON_TEXTS: Final = ("sex", "education", "marital_status", "municipality", "sector", "occupation")
FEMALE: Final = 0.5
"""Share of women where the margin `sex` is not declared."""
_POSITION: Final = 100.0
_TENURE_DAYS: Final = 1826
_ADULT_DAYS: Final = 5844
_BITS: Final = 40


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs, one row each, sorted by person and start.

    Attributes
    ----------
    position_of
        Position of the person, shape (k,).
    start, end
        Days, half-open; `end` is the person's `end_day` where the job goes on.
    employer
        Number of the employer.
    goes_on
        Whether the job is running when the data end.
    """

    position_of: Ints
    start: Ints
    end: Ints
    employer: Ints
    goes_on: npt.NDArray[np.bool_]


def persons_table(population: Population, people: People, ids: Ints, paths: Paths, *, seed: int) -> pd.DataFrame:
    """Build the persons table."""
    columns: dict[str, Any] = {"person_id": ids}
    for name in PERSON_TEXTS:
        columns[name] = category_texts(population, people, name)
    if "sex" not in population.margins:
        female = draws.uniform(draws.key(seed, "sex"), people.person) < FEMALE
        columns["sex"] = np.where(female, "female", "male").astype(object)
    income = people.numbers.get("income")
    columns["income"] = np.rint(income) if income is not None else np.full(len(people), np.nan)
    death, emigration = exit_days(paths)
    columns["death_date"] = from_days(death)
    columns["emigration_date"] = from_days(emigration)
    columns["birth_date"] = from_days(people.birth)
    names = ("person_id", "sex", "birth_date", *PERSON_TEXTS[1:], "income", "death_date", "emigration_date")
    return pd.DataFrame({name: columns[name] for name in names})


def enrolment_table(population: Population, people: People, ids: Ints) -> pd.DataFrame:
    """Build the enrolment table."""
    nothing = np.full(len(people), None, dtype=object)
    unit = population.clusters.name if population.clusters else ""
    cluster = np.asarray([f"{unit}_{number + 1}" for number in people.cluster.tolist()], dtype=object)
    return pd.DataFrame(
        {
            "person_id": ids,
            "index_date": from_days(people.index),
            "arm": np.asarray(population.arm_names, dtype=object)[people.arm],
            "cluster": cluster if population.clusters else nothing,
            "programme": category_texts(population, people, "programme"),
        }
    )


def category_texts(population: Population, people: People, name: str) -> npt.NDArray[np.object_]:
    """Return each person's category of a margin as text, None where the margin is not declared."""
    margin = population.margins.get(name)
    if margin is None:
        return np.full(len(people), None, dtype=object)
    return np.asarray(margin.categories, dtype=object)[people.categories[name]]


def find_jobs(population: Population, people: People, paths: Paths, employers: int, *, seed: int) -> Jobs:
    """Find the jobs: one for each stretch in states with a job; a new stretch has a new employer."""
    has_job = np.isin(paths.state, [STATES.index(name) for name in population.jobs])
    first_of_person = np.ones(len(has_job), dtype=np.bool_)
    first_of_person[1:] = paths.person[1:] != paths.person[:-1]
    before = np.zeros_like(has_job)
    before[1:] = has_job[:-1] & ~first_of_person[1:]
    begins = np.flatnonzero(has_job & ~before)
    after = np.zeros_like(has_job)
    after[:-1] = has_job[1:] & ~first_of_person[1:]
    ends = np.flatnonzero(has_job & ~after)
    owner = paths.person[begins].astype(np.int64)
    start = paths.start[begins].astype(np.int64)
    from_start = first_of_person[begins]
    start = np.where(from_start, start - _tenure(people)[owner], start)
    start = np.maximum(start, people.birth[owner] + _ADULT_DAYS)
    number = np.arange(len(owner)) - np.searchsorted(owner, owner, side="left")
    employer = draws.whole(draws.key(seed, "employer"), people.person[owner], 1, employers, number)
    keep = start < paths.end[ends]
    if population.employed < 1.0:
        never = draws.uniform(draws.key(seed, "employed"), people.person) >= population.employed
        keep &= ~(from_start & never[owner])
    goes_on = paths.end[ends] >= paths.end_day[owner]
    return Jobs(owner[keep], start[keep], paths.end[ends].astype(np.int64)[keep], employer[keep], goes_on[keep])


def employment_table(people: People, ids: Ints, jobs: Jobs) -> pd.DataFrame:
    """Build the employment table; a job that goes on when the data end has no end."""
    position = people.numbers.get("position")
    percent = np.full(len(people), _POSITION) if position is None else np.clip(np.rint(position), 1.0, 100.0)
    return pd.DataFrame(
        {
            "person_id": ids[jobs.position_of],
            "start": from_days(jobs.start),
            "end": from_days(np.where(jobs.goes_on, MISSING_DAY, jobs.end - 1)),
            "position": percent[jobs.position_of],
            "employer_id": employer_texts(jobs.employer),
        }
    )


def employer_at(jobs: Jobs, position: Ints, day: Ints) -> npt.NDArray[np.object_]:
    """Return the employer of a person on a day as text, None without a job."""
    if not len(jobs.start):
        return np.full(len(position), None, dtype=object)
    keys = (jobs.position_of << _BITS) + jobs.start + (1 << (_BITS - 1))
    asked = (position.astype(np.int64) << _BITS) + day + (1 << (_BITS - 1))
    found = np.searchsorted(keys, asked, side="right") - 1
    safe = np.maximum(found, 0)
    holds = (found >= 0) & (jobs.position_of[safe] == position) & (day < jobs.end[safe])
    out: npt.NDArray[np.object_] = employer_texts(jobs.employer[safe])
    out[~holds] = None
    return out


def employer_texts(numbers: Ints) -> npt.NDArray[np.object_]:
    """Write employers' numbers as opaque identifiers."""
    names, place = np.unique(numbers, return_inverse=True)
    return np.asarray([f"E{number:06d}" for number in names.tolist()], dtype=object)[place]


def _tenure(people: People) -> Ints:
    days = people.numbers.get("tenure_days")
    if days is None:
        return np.full(len(people), _TENURE_DAYS, dtype=np.int64)
    return np.maximum(np.rint(days), 1.0).astype(np.int64)
