"""Covariates from persons, enrolment and employment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.cohort.candidates import Candidates, no_table
from rtwcohort.cohort.column import Column, categorical, numeric
from rtwcohort.cohort.history import Flags, Numbers
from rtwcohort.cohort.requirements import completed_years
from rtwcohort.core.days import MISSING_DAY, to_days

PERSON_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "sex": ("Sex", ""),
    "education": ("Education", ""),
    "marital_status": ("Marital status", ""),
    "municipality": ("Municipality", ""),
    "sector": ("Sector", ""),
    "occupation": ("Occupation", ""),
    "income": ("Income", "NOK a year"),
}
"""Columns of persons: label and unit."""

ENROLMENT_LABELS: Final[Mapping[str, str]] = {"arm": "Arm", "cluster": "Cluster", "programme": "Programme"}

DAYS_IN_YEAR: Final = 365.25


def from_persons(people: Candidates, given: Mapping[str, Any], owner: str) -> Column:
    """Take a column of persons, or age at the index date from `birth_date`."""
    name = given["column"]
    if name == "age":
        return _age(people, given["age_in"])
    values = people.persons_column(name, needed_by=owner)
    label, unit = PERSON_LABELS.get(name, (name.replace("_", " ").capitalize(), ""))
    return _by_dtype(values, label, unit, f"persons.{name}", known_text=name in PERSON_LABELS and name != "income")


def from_enrolment(people: Candidates, given: Mapping[str, Any], owner: str) -> Column:
    """Take a column of enrolment."""
    name = given["column"]
    values = people.enrolment_column(name, needed_by=owner)
    label = ENROLMENT_LABELS.get(name, name.replace("_", " ").capitalize())
    return _by_dtype(values, label, "", f"enrolment.{name}", known_text=name in ENROLMENT_LABELS)


def _by_dtype(values: pd.Series[Any], label: str, unit: str, source: str, *, known_text: bool) -> Column:
    if not known_text and pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return numeric(values, label, unit, source)
    return categorical(values, label, source)


def _age(people: Candidates, age_in: str) -> Column:
    born = to_days(people.persons_column("birth_date", needed_by="age"))
    missing = born == MISSING_DAY
    if age_in == "completed_years":
        age = completed_years(born, people.index_day)
        people.log.note("Age at the index date is in completed years.")
    else:
        age = (people.index_day.astype(np.int64) - born) / DAYS_IN_YEAR
        people.log.note("Age at the index date is in exact years (days since birth / 365.25).")
    early = ~missing & (born > people.index_day)
    people.log.count("Age set to missing: the index date is before the birth date", early)
    age = np.where(missing | early, np.nan, age)
    return numeric(age, "Age at index date", "years", "persons.birth_date")


def from_employment(people: Candidates, given: Mapping[str, Any], owner: str) -> Column:
    """Take the summed position or the number of employers on the index date."""
    if given["measure"] == "position":
        position, unknown = position_at_index(people, needed_by=owner)
        people.log.count("Position at index date set to missing: a job held has no position", unknown)
        position = np.where(unknown, np.nan, position)
        return numeric(position, "Position at index date", "percent", "employment, sum of the jobs held")
    return numeric(
        _n_employers(people, owner), "Employers at index date", "employers", "employment, different employers"
    )


def position_at_index(people: Candidates, *, needed_by: str) -> tuple[Numbers, Flags]:
    """Return the summed position (percent) of the jobs held on the index date and who holds one of unknown position.

    Returns
    -------
    position, unknown
        Shape (n,): the sum of the known positions, 0 without a job; whether some position is missing.
    """
    jobs, row = _jobs_at_index(people, needed_by)
    n = len(people)
    given = "position" in jobs.columns
    value = jobs["position"].to_numpy(dtype=np.float64) if given else np.full(len(jobs), np.nan)
    known = ~np.isnan(value)
    position = np.bincount(row[known], weights=value[known], minlength=n).astype(np.float64)
    return position, np.bincount(row[~known], minlength=n) > 0


def _n_employers(people: Candidates, needed_by: str) -> Numbers:
    """Count different employers; a job without an employer's id counts as an employer of its own."""
    jobs, row = _jobs_at_index(people, needed_by)
    n = len(people)
    if "employer_id" not in jobs.columns:
        return np.bincount(row, minlength=n).astype(np.float64)
    pairs = pd.DataFrame({"row": row, "employer": jobs["employer_id"].to_numpy(dtype=object)})
    named = pairs.dropna().drop_duplicates()
    nameless = pairs[pairs["employer"].isna()]
    count = np.bincount(named["row"], minlength=n) + np.bincount(nameless["row"], minlength=n)
    return np.asarray(count, dtype=np.float64)


def _jobs_at_index(people: Candidates, needed_by: str) -> tuple[pd.DataFrame, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the jobs held on the index date and the candidate's row of each."""
    jobs = people.register.employment
    if jobs is None:
        raise no_table("employment", needed_by)
    row = pd.Index(people.person_id).get_indexer(pd.Index(jobs["person_id"]))
    if len(people) == 0:
        return jobs.iloc[:0], row[:0]
    index_day = people.index_day[np.clip(row, 0, None)]
    start, end = to_days(jobs["start"]), to_days(jobs["end"])
    held = (row >= 0) & (start <= index_day) & ((end == MISSING_DAY) | (end >= index_day)) & (start != MISSING_DAY)
    return jobs[held], row[held]
