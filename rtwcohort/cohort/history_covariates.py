"""Covariates from the history of benefits before and at the index date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from rtwcohort.cohort.candidates import Candidates
from rtwcohort.cohort.column import Column, categorical, numeric
from rtwcohort.cohort.history import (
    Numbers,
    count_episodes,
    flags_on_day,
    grade_on_day,
    locate,
    paid,
    sum_in_window,
)
from rtwcohort.cohort.requirements import absence_start, benefit_words
from rtwcohort.core.days import Days, iso
from rtwcohort.errors import ArgumentError
from rtwcohort.register.benefits import BENEFITS, DEFAULT_PRIORITY

MEASURES: Final = (
    "days_on_benefit",
    "weighted_days",
    "n_spells",
    "grade_at_index",
    "benefit_at_index",
    "absence_length",
)
WINDOW_MEASURES: Final = frozenset({"days_on_benefit", "weighted_days", "n_spells"})


def from_history(people: Candidates, given: Mapping[str, Any], owner: str) -> Column:
    """Take one measure of the history of benefits; see `COVARIATES` for what each parameter does."""
    if given["measure"] in WINDOW_MEASURES:
        return _in_window(people, given, owner)
    for name in ("years", "days"):
        if given[name] is not None:
            raise ArgumentError(
                f"`{owner}.{name}` goes with the measures {', '.join(sorted(WINDOW_MEASURES))}; "
                f"'{given['measure']}' is about the index date itself. Leave it out."
            )
    measure = {"grade_at_index": _grade, "benefit_at_index": _benefit, "absence_length": _absence_length}
    return measure[given["measure"]](people, given)


def window_start(index_day: Days, *, years: int | None, days: int | None) -> Days:
    """Return the first day of a window that ends the day before the index date.

    Parameters
    ----------
    index_day
        Shape (n,).
    years
        The same date so many years earlier; 29 February becomes 28 February where there is none.
    days
        So many days earlier. Exactly one of the two is given.
    """
    if days is not None:
        return np.asarray(index_day - days, dtype=np.int32)
    dates = index_day.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    earlier = month - np.timedelta64(12 * int(years or 0), "M")
    last = (earlier + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    day = earlier.astype("datetime64[D]") + (dates - month.astype("datetime64[D]"))
    return np.asarray(np.minimum(day, last).astype(np.int64), dtype=np.int32)


def _in_window(people: Candidates, given: Mapping[str, Any], owner: str) -> Column:
    years, days = given["years"], given["days"]
    if years is not None and days is not None:
        raise ArgumentError(f"`{owner}` takes `years` or `days`, not both; got years = {years}, days = {days}.")
    years = 2 if years is None and days is None else years
    benefits, grade, gap = given["benefits"], given["min_grade"], given["merge_gap_days"]
    timeline, person = people.timeline(benefits, graded=grade is not None or given["measure"] == "weighted_days")
    stop = people.index_day
    first = window_start(stop, years=years, days=days)
    length = f"{days} days" if days is not None else f"{years} year{'s' if years != 1 else ''}"
    source = f"benefits ({benefit_words(benefits, last='and')}), the {length} to the day before the index date"
    _note_coverage(people, first, length)
    on = paid(timeline, benefits, grade)
    if given["measure"] == "n_spells":
        counted = count_episodes(people.histories.runs(benefits, grade, gap), person, first, stop)
        people.log.note(f"Spells with at most {gap} days between them were counted as one absence.")
        return numeric(counted, f"Absences in the {length} before", "absences", source)
    if given["measure"] == "weighted_days":
        # Grades are summed before dividing, so that whole percentages add up without rounding.
        total = sum_in_window(timeline, np.where(on, timeline.grade, 0).astype(np.float64), person, first, stop) / 100
        return numeric(total, f"Grade-weighted days on benefit in the {length} before", "full days", source)
    total = sum_in_window(timeline, on.astype(np.float64), person, first, stop)
    return numeric(total, f"Days on benefit in the {length} before", "days", source)


def _note_coverage(people: Candidates, first: Days, length: str) -> None:
    short = first < people.register_start
    if short.any():
        people.log.note(
            f"Days before {iso(people.register_start)}, where the register begins, count as days without benefit."
        )
    people.log.count(f"The register does not cover all of the {length} before the index date", short)


def _grade(people: Candidates, given: Mapping[str, Any]) -> Column:
    benefits = given["benefits"]
    timeline, person = people.timeline(benefits)
    on = flags_on_day(timeline, paid(timeline, benefits, given["min_grade"]), person, people.index_day)
    grade = np.where(on, grade_on_day(timeline, person, people.index_day), 0.0)
    return numeric(
        grade,
        "Grade at index date",
        "percent",
        f"benefits ({benefit_words(benefits, last='and')}), combined grade, 0 without benefit",
    )


def _benefit(people: Candidates, given: Mapping[str, Any]) -> Column:
    benefits = given["benefits"]
    timeline, person = people.timeline(benefits, graded=given["min_grade"] is not None)
    row = locate(timeline, person, people.index_day)
    on = flags_on_day(timeline, paid(timeline, benefits, given["min_grade"]), person, people.index_day)
    bits = (
        np.where(on, timeline.present[np.clip(row, 0, None)], 0) if len(timeline.present) else np.zeros(len(row), int)
    )
    names = np.full(len(people), "none", dtype=object)
    for name in reversed(_priority(benefits)):
        number = [benefit.name for benefit in BENEFITS].index(name)
        names[(bits >> number) & 1 == 1] = name
    order = (*[benefit.name for benefit in BENEFITS], "none")
    return categorical(
        names,
        "Benefit at index date",
        f"benefits ({benefit_words(benefits, last='and')}), highest priority",
        order=order,
    )


def _priority(benefits: tuple[str, ...]) -> list[str]:
    return [name for name in DEFAULT_PRIORITY if name in benefits]


def _absence_length(people: Candidates, given: Mapping[str, Any]) -> Column:
    start, absent = absence_start(people, given["benefits"], given["min_grade"], given["merge_gap_days"])
    people.log.count("Length of the current absence missing: not absent at the index date", ~absent)
    people.log.note(
        "The length of the current absence is the days from its first day to the index date, 0 when it begins on it."
    )
    length: Numbers = np.where(absent, (people.index_day - start).astype(np.float64), np.nan)
    return numeric(
        length,
        "Length of current absence",
        "days",
        f"benefits ({benefit_words(given['benefits'], last='and')}), gaps merged",
    )
