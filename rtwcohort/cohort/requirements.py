"""How each requirement is judged: for every candidate, whether and why they leave.

A judge returns verdicts `(reason, who leaves, itself)`. `itself` is False for a reason that the requirement could not
be judged, such as a missing birth date; the reason of the requirement itself comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.cohort.candidates import Candidates
from rtwcohort.cohort.declaration import HEALTH_BENEFITS, Parameter, listed, number_words
from rtwcohort.cohort.history import Flags, current_absence_start, flags_on_day, paid, sum_in_window
from rtwcohort.core.days import MISSING_DAY, Days, day_of, iso, to_days
from rtwcohort.errors import ArgumentError
from rtwcohort.register.benefits import BENEFITS

Verdicts = list[tuple[str, Flags, bool]]
Judge = Callable[[Candidates, Mapping[str, Any]], Verdicts]

DIAGNOSIS_PARAMETERS: Final = (
    Parameter("system", "text", "coding system", "auto", choices=("auto", "icpc2", "icd10")),
    Parameter("benefits", "benefits", "benefits whose diagnosis counts", HEALTH_BENEFITS),
    Parameter("look_back_days", "whole", "take the last diagnosis up to so many days before the index date", 15, 0),
    Parameter("groups", "groups", "own groups: name -> codes that they start with", None),
)

_LABELS: Final = {benefit.name: benefit.label for benefit in BENEFITS}


def benefit_words(benefits: tuple[str, ...], *, last: str = "or") -> str:
    """Name benefits in words: "sickness benefit or disability pension"."""
    return listed((_LABELS[name] for name in benefits), last=last)


def has_index_date(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `has_index_date`."""
    return [("index date missing", people.index_day == MISSING_DAY, True)]


def in_persons(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `in_persons`."""
    return [("not in the persons table", people.person_row < 0, True)]


def index_by_data_end(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `index_by_data_end`."""
    return [("index date after the end of the register", people.index_day > _data_end(people), True)]


def alive(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `alive_at_index`: dead from the day of death on."""
    return [("died on or before the index date", _happened(people, "death_date"), True)]


def resident(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `resident_at_index`: abroad from the day of emigration on."""
    return [("emigrated on or before the index date", _happened(people, "emigration_date"), True)]


def age_at_index(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `age_at_index` in completed years."""
    least, most = given["min"], given["max"]
    if least is None and most is None:
        raise ArgumentError("`eligibility: age_at_index` needs `min`, `max` or both; got neither.")
    if least is not None and most is not None and most < least:
        raise ArgumentError(
            f"`eligibility: age_at_index` must have `max` of at least `min`; "
            f"got min = {number_words(least)}, max = {number_words(most)}."
        )
    born = to_days(people.persons_column("birth_date", needed_by="age_at_index"))
    years = completed_years(born, people.index_day)
    outside = f"outside {number_words(least or 0)} to {number_words(most or 0)}"
    limits = outside if least is not None and most is not None else _limits(least, most, under="under", over="over")
    reason = f"age {limits} years at index date"
    return [
        ("birth date missing", born == MISSING_DAY, False),
        (reason, _outside(years, least, most), True),
    ]


def completed_years(born: Days, day: Days) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return age in completed years; someone born on 29 February turns on 1 March in common years."""
    birth, now = born.astype("datetime64[D]"), day.astype("datetime64[D]")
    years = now.astype("datetime64[Y]").astype(np.int64) - birth.astype("datetime64[Y]").astype(np.int64)
    return np.asarray(years - (_day_of_year(now) < _day_of_year(birth)), dtype=np.float64)


def _day_of_year(dates: np.ndarray[Any, np.dtype[np.datetime64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    month = dates.astype("datetime64[M]")
    of_year = month.astype(np.int64) - dates.astype("datetime64[Y]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(of_year * 100 + (dates - month.astype("datetime64[D]")).astype(np.int64))


def sex(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `sex`."""
    values = people.persons_column("sex", needed_by="sex")
    return [
        ("sex missing", values.isna().to_numpy(), False),
        (f"sex is not {given['value']}", (values != given["value"]).to_numpy(), True),
    ]


def on_benefit_at_index(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `on_benefit_at_index`."""
    benefits, grade = given["benefits"], given["min_grade"]
    reason = f"not on {benefit_words(benefits)}{_grade_words(grade)} at index date"
    return [(reason, ~_on_at(people, benefits, grade, people.index_day), True)]


def not_on(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `not_on`."""
    benefits = given["benefits"]
    return [(f"on {benefit_words(benefits)} at index date", _on_at(people, benefits, None, people.index_day), True)]


def absence_length_at_index(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `absence_length_at_index`: days from the first day of the current absence to the index date."""
    least, most = given["min_days"], given["max_days"]
    if least is None and most is None:
        raise ArgumentError("`eligibility: absence_length_at_index` needs `min_days`, `max_days` or both; got neither.")
    start, absent = absence_start(people, given["benefits"], given["min_grade"], given["merge_gap_days"])
    length = (people.index_day - start).astype(np.float64)
    words = benefit_words(given["benefits"])
    limits = _limits(least, most, under="fewer than", over="more than")
    return [
        (f"no current absence on {words} at index date", ~absent, False),
        (
            f"absent {limits} days at index date",
            _outside(length, least, most),
            True,
        ),
    ]


def no_benefit_before(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `no_benefit_before`."""
    benefits, days = given["benefits"], given["days"]
    stop = people.index_day
    where = "the index date"
    if given["before"] == "absence":
        start, absent = absence_start(people, given["absence"], None, given["merge_gap_days"])
        stop = np.where(absent, start, stop).astype(np.int32)
        where = "the current absence"
    timeline, person = people.timeline(benefits, graded=False)
    weight = paid(timeline, benefits, None).astype(np.float64)
    received = sum_in_window(timeline, weight, person, (stop - days).astype(np.int32), stop) > 0
    return [(f"{benefit_words(benefits)} in the {days} days before {where}", received, True)]


def index_between(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `index_between`."""
    first, last = (None if given[name] is None else day_of(given[name], argument=name) for name in ("from", "to"))
    if first is None and last is None:
        raise ArgumentError("`eligibility: index_between` needs `from`, `to` or both; got neither.")
    if first is not None and last is not None and last < first:
        raise ArgumentError(
            f"`eligibility: index_between` must not have `to` before `from`; got from {iso(first)} to {iso(last)}."
        )
    bounds = [f"before {iso(first)}"] if first is not None else []
    bounds += [f"after {iso(last)}"] if last is not None else []
    day = people.index_day.astype(np.float64)
    return [(f"index date {listed(bounds)}", _outside(day, first, last), True)]


def has_arm(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `has_arm`."""
    arm = people.enrolment_column("arm", needed_by="has_arm")
    missing = arm.isna().to_numpy()
    if given["values"] is None:
        return [("arm missing", missing, True)]
    values = given["values"]
    return [
        ("arm missing", missing, False),
        (f"arm is not {listed(values)}", ~arm.astype(str).isin(values).to_numpy(), True),
    ]


def has_questionnaire(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `has_questionnaire`."""
    from rtwcohort.cohort.questionnaire_covariates import answers_of

    instrument, wave = given["instrument"], given["wave"]
    answers = answers_of(people.register, instrument, wave, item=None, needed_by="has_questionnaire")
    answered = pd.Index(answers["person_id"][answers["value"].notna()].unique())
    at = "" if wave is None else f" at {wave}"
    return [(f"{instrument} not answered{at}", answered.get_indexer(pd.Index(people.person_id)) < 0, True)]


def diagnosis_group(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `diagnosis_group`."""
    from rtwcohort.cohort.diagnosis_covariates import group_at_index, group_names

    for value in given["values"]:
        if value not in (known := group_names(given["groups"])):
            raise ArgumentError(f"`eligibility: diagnosis_group.values` knows {', '.join(known)}; got {value!r}.")
    group = group_at_index(people, given).values
    return [
        ("diagnosis missing", group.isna().to_numpy(), False),
        (f"diagnosis is not {listed(given['values'])}", ~group.isin(given["values"]).to_numpy(), True),
    ]


def employed_at_index(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `employed_at_index`."""
    from rtwcohort.cohort.person_covariates import position_at_index

    least = given["min_position"]
    position, unknown = position_at_index(people, needed_by="employed_at_index")
    return [
        ("position missing for a job held at index date", unknown & ~(position >= least), False),
        (f"position below {number_words(least)} percent at index date", position < least, True),
    ]


def history_covered(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `history_covered`."""
    days = given["days"]
    covered = people.index_day.astype(np.int64) - people.register_start
    return [(f"register covers fewer than {days} days before index date", covered < days, True)]


def follow_up_at_least(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `follow_up_at_least`: administrative follow-up, so that nobody leaves for what happens to them later."""
    days = given["days"]
    return [
        (
            f"register ends fewer than {days} days after index date",
            _data_end(people) - people.index_day.astype(np.int64) < days,
            True,
        )
    ]


def has_values(people: Candidates, given: Mapping[str, Any]) -> Verdicts:
    """Judge `has_values`, one reason a covariate. `build_cohort` passes the declared covariates as `covariates`."""
    from rtwcohort.cohort.covariates import raw_values

    columns = given["columns"]
    missing = [raw_values(people, name, given.get("covariates", {})).isna().to_numpy() for name in columns]
    return [(f"{name} missing", out, True) for name, out in zip(columns, missing, strict=True)]


def absence_start(
    people: Candidates, benefits: tuple[str, ...], min_grade: float | None, merge_gap_days: int
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Flags]:
    """Return the first day of the current absence and who has one."""
    _, person = people.timeline(benefits, graded=min_grade is not None)
    runs = people.histories.runs(benefits, min_grade, merge_gap_days)
    return current_absence_start(runs, person, people.index_day, merge_gap_days=merge_gap_days)


def _on_at(people: Candidates, benefits: tuple[str, ...], min_grade: float | None, day: Days) -> Flags:
    timeline, person = people.timeline(benefits, graded=min_grade is not None)
    return flags_on_day(timeline, paid(timeline, benefits, min_grade), person, day)


def _data_end(people: Candidates) -> int:
    return day_of(people.register.data_end, argument="data_end")


def _happened(people: Candidates, column: str) -> Flags:
    if column not in people.register.persons.columns:
        return np.zeros(len(people), dtype=bool)
    day = to_days(people.persons_column(column, needed_by=column))
    return np.asarray((day != MISSING_DAY) & (day <= people.index_day))


def _outside(value: np.ndarray[Any, np.dtype[np.float64]], least: float | None, most: float | None) -> Flags:
    low = value < least if least is not None else np.zeros(len(value), dtype=bool)
    high = value > most if most is not None else np.zeros(len(value), dtype=bool)
    return low | high


def _limits(least: float | None, most: float | None, *, under: str, over: str) -> str:
    """Say which values are out: "under 18 or over 66"."""
    low = [f"{under} {number_words(least)}"] if least is not None else []
    return listed([*low, *([f"{over} {number_words(most)}"] if most is not None else [])])


def _grade_words(grade: float | None) -> str:
    return "" if grade is None else f" of at least {number_words(grade)} percent"
