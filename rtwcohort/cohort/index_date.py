"""The index date of each person: enrolment, the start of a spell, or the k-th day of an absence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.cohort.candidates import Histories, Log
from rtwcohort.cohort.cohort import FlowStep
from rtwcohort.cohort.declaration import (
    MERGE_GAP,
    MERGE_GAP_DAYS,
    MIN_GRADE,
    Parameter,
    known_name,
    listed,
    number_words,
    read_parameters,
)
from rtwcohort.cohort.history import Rows, Runs
from rtwcohort.core.checks import check_choice
from rtwcohort.core.days import MISSING_DAY, Days, day_of, iso, to_days
from rtwcohort.errors import ArgumentError, CohortError
from rtwcohort.register.benefits import BENEFITS
from rtwcohort.register.register import Register

At = Literal["enrolment", "spell_start", "spell_day"]
Repeated = Literal["first", "error"]

INDEX_PARAMETERS: Final = (
    Parameter("at", "text", "what the index date is", "enrolment", choices=("enrolment", "spell_start", "spell_day")),
    Parameter("benefits", "benefits", "benefits of the absence", ("sickness_benefit",)),
    MIN_GRADE,
    Parameter("from", "date", "earliest index date", None),
    Parameter("to", "date", "latest index date", None),
    Parameter("min_days", "whole", "least length of the absence in calendar days", None, 1),
    Parameter("day", "whole", "which day of the absence, the first being 1", None, 1),
    Parameter("count", "text", "what `day` counts", "calendar", choices=("calendar", "absent")),
    MERGE_GAP,
)
"""What an index date may say in a study file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDate:
    """Declares the day from which each person is followed. One a person: the first that meets the conditions.

    Attributes
    ----------
    at
        "enrolment" takes `enrolment.index_date`; "spell_start" the first day of an absence; "spell_day" its
        `day`-th day.
    benefits, min_grade
        A day belongs to an absence when one of the benefits is paid with at least this combined grade (percent).
    from_date, to_date
        Day numbers (inclusive) that the index date must lie between; None leaves it open.
    min_days
        Least length of the absence in calendar days. It is known only afterwards: everybody is then bound to be
        absent so long, and "spell_day" is the honest way to study those who reached a day.
    day
        For "spell_day": 57 is the day on which an absence has lasted more than eight weeks.
    count
        "calendar" counts the days since the absence began (when the day falls into a merged gap, the next
        day on benefit is taken); "absent" counts only days on benefit.
    merge_gap_days
        Spells with at most so many days between are one absence.
    """

    at: At = "enrolment"
    benefits: tuple[str, ...] = ("sickness_benefit",)
    min_grade: float | None = None
    from_date: int | None = None
    to_date: int | None = None
    min_days: int | None = None
    day: int | None = None
    count: Literal["calendar", "absent"] = "calendar"
    merge_gap_days: int = MERGE_GAP_DAYS

    def words(self) -> str:
        """Say the conditions in words."""
        labels = {benefit.name: benefit.label for benefit in BENEFITS}
        text = listed(labels[name] for name in self.benefits)
        if self.min_grade is not None:
            text += f" of at least {number_words(self.min_grade)} percent"
        if self.min_days is not None:
            text += f" that lasts at least {self.min_days} days"
        start = "first day" if self.at == "spell_start" else f"day {self.day}"
        bounds = [f"from {iso(self.from_date)}"] if self.from_date is not None else []
        bounds += [f"to {iso(self.to_date)}"] if self.to_date is not None else []
        return " ".join([f"{start} of an absence on {text}", *bounds])


class IndexPeople(NamedTuple):
    """People with their index day, their enrolment row and the flow so far."""

    person_id: npt.NDArray[Any]
    index_day: Days
    enrolment: pd.DataFrame
    flow: list[FlowStep]


def read_index_date(given: Any) -> IndexDate:
    """Read a name, a mapping from a study file or a declaration.

    Raises
    ------
    ArgumentError
        On an unknown name or parameter, or a combination that makes no sense.
    """
    if isinstance(given, IndexDate):
        declared = {"from": given.from_date, "to": given.to_date}
        own = {name: getattr(given, name) for name in IndexDate.__dataclass_fields__ if not name.endswith("_date")}
        return _declare({**own, **{name: np.datetime64(day, "D") for name, day in declared.items() if day is not None}})
    if isinstance(given, str):
        name = known_name(
            given, ("enrolment", "first_spell", "spell_start", "spell_day"), argument="index_date", what="index date"
        )
        return _declare({"at": "spell_start" if name == "first_spell" else name})
    if isinstance(given, Mapping):
        return _declare(given)
    raise ArgumentError(
        "`index_date` must be 'enrolment', 'first_spell', a mapping such as "
        f"{{ at = 'spell_day', day = 57 }} or an IndexDate; got {type(given).__name__}."
    )


def _declare(given: Mapping[str, Any]) -> IndexDate:
    values = read_parameters(given, INDEX_PARAMETERS, owner="index_date")
    first, last = (_day_number(values.pop(name)) for name in ("from", "to"))
    declared = IndexDate(from_date=first, to_date=last, **values)
    if (declared.at == "spell_day") != (declared.day is not None):
        raise ArgumentError(
            f"`index_date.day` goes with at = 'spell_day' and only with it; got at = '{declared.at}' "
            f"and day = {declared.day}. Give at = 'spell_day', day = 57 for the day an absence has lasted eight weeks."
        )
    if declared.from_date is not None and declared.to_date is not None and declared.to_date < declared.from_date:
        raise ArgumentError(
            f"`index_date.to` must not be before `from`; got from {iso(declared.from_date)} to {iso(declared.to_date)}."
        )
    if declared.at == "enrolment":
        _refuse_spell_conditions(given)
    return declared


def _day_number(date: np.datetime64 | None) -> int | None:
    return None if date is None else day_of(date, argument="index_date")


def _refuse_spell_conditions(given: Mapping[str, Any]) -> None:
    default = IndexDate()
    asked = [
        name
        for name in ("benefits", "min_grade", "from", "to", "min_days", "count", "merge_gap_days")
        if given.get(name) is not None and given[name] != getattr(default, name, None)
    ]
    if asked:
        raise ArgumentError(
            f"`index_date.{asked[0]}` is a condition on absences and means nothing with at = 'enrolment'. "
            "Use at = 'spell_start' or 'spell_day', or require it in `eligibility` "
            "(index_between, on_benefit_at_index, absence_length_at_index)."
        )


def enrolled_people(register: Register, *, repeated: Repeated, log: Log) -> IndexPeople:
    """Take index dates from the enrolment table, one a person.

    Parameters
    ----------
    register
        Must have the table.
    repeated
        "first" keeps the row with the earliest index date of a person (the first row on ties), "error" refuses.
    log
        Takes the note on repeated rows.
    """
    table = register.enrolment
    if table is None:
        raise CohortError(
            "`index_date` is 'enrolment' but the register has no enrolment table. "
            "Load one (person_id, index_date, arm), or take the index date from the spells: index_date = 'first_spell'."
        )
    if "index_date" not in table.columns:
        raise CohortError(
            "`index_date` is 'enrolment' but the enrolment table has no column 'index_date'. Its columns are: "
            f"{', '.join(map(str, table.columns))}. Name it in the study file under [register.columns.enrolment]."
        )
    kept, flow = one_row_each(table, repeated=repeated, log=log)
    return IndexPeople(kept["person_id"].to_numpy(), to_days(kept["index_date"]), kept, flow)


def one_row_each(table: pd.DataFrame, *, repeated: Repeated, log: Log) -> tuple[pd.DataFrame, list[FlowStep]]:
    """Keep one enrolment row a person and count the others."""
    check_choice(repeated, ("first", "error"), argument="repeated_enrolments")
    table = table.reset_index(drop=True)
    nameless = table["person_id"].isna().to_numpy()
    order = table[~nameless]
    if "index_date" in order.columns:
        order = order.sort_values("index_date", kind="stable", na_position="last")
    again = order["person_id"].duplicated()
    n_again = int(again.sum())
    if n_again and repeated == "error":
        raise CohortError(
            f"`enrolment` must have one row a person when repeated_enrolments is 'error'; {n_again} rows come again "
            "for a person. Keep one row each, or choose repeated_enrolments = 'first' (the earliest index date)."
        )
    kept = order[~again].sort_index().reset_index(drop=True)
    if not n_again and not nameless.any():
        return kept, [FlowStep("source", "people in the enrolment table", 0, len(kept))]
    flow = [FlowStep("source", "rows in the enrolment table", 0, len(table))]
    if nameless.any():
        flow.append(FlowStep("has_person_id", "row without a person_id", int(nameless.sum()), int((~nameless).sum())))
    if n_again:
        flow.append(
            FlowStep("one_row_each", "further enrolment of a person (earliest index date kept)", n_again, len(kept))
        )
        log.note("Where a person was enrolled several times, the enrolment with the earliest index date was taken.")
    return kept, flow


def people_with_spells(
    register: Register,
    declared: IndexDate,
    histories: Histories,
    *,
    repeated: Repeated,
    known_from: int | None,
    log: Log,
) -> IndexPeople:
    """Take the index date of everybody in `persons` from their absences.

    Parameters
    ----------
    register, declared, histories
        Where to look and what for.
    repeated
        See `enrolled_people`: arms still come from the enrolment table where there is one.
    known_from
        First day that the register covers, when the user gave it: an absence that is under way
        on that day began at an unknown date and is not used. None uses all.
    log
        Takes notes.
    """
    timeline, of_person = histories.timeline(declared.benefits, graded=declared.min_grade is not None)
    runs = histories.runs(declared.benefits, declared.min_grade, declared.merge_gap_days)
    day = _episode_days(runs, declared)
    fits = day != MISSING_DAY
    if declared.min_days is not None:
        fits &= runs.episode_end - runs.episode_start >= declared.min_days
        log.note(
            f"The index date was taken from absences that in the end lasted at least {declared.min_days} days: nobody "
            "can return before that day. Index date 'spell_day' starts the clock when the length is reached."
        )
    if declared.from_date is not None:
        fits &= day >= declared.from_date
    if declared.to_date is not None:
        fits &= day <= declared.to_date
    if known_from is not None:
        fits &= runs.episode_start > known_from
        log.note(
            f"Absences under way on {iso(known_from)}, the first day that the register covers, were not used for index "
            "dates: when they began is unknown."
        )
    chosen = np.flatnonzero(fits)
    who, where = np.unique(runs.episode_person[chosen], return_index=True)
    by_timeline = np.full(len(timeline.people.person_id) + 1, MISSING_DAY, dtype=np.int32)
    by_timeline[who] = day[chosen][where]
    index_day = by_timeline[of_person]
    ids = register.persons["person_id"].to_numpy()
    enrolment = pd.DataFrame({"person_id": ids})
    if register.enrolment is not None:
        kept, _ = one_row_each(register.enrolment, repeated=repeated, log=log)
        columns = [name for name in kept.columns if name != "index_date"]
        enrolment = kept[columns].set_index("person_id").reindex(ids).reset_index()
    return IndexPeople(ids, index_day, enrolment, [FlowStep("source", "people in the register", 0, len(ids))])


def _episode_days(runs: Runs, declared: IndexDate) -> Rows:
    """Return the index day that each episode offers, `MISSING_DAY` where it is too short."""
    if declared.day is None:
        return runs.episode_start.copy()
    if declared.count == "absent":
        return _absent_day(runs, declared.day)
    target = runs.episode_start + declared.day - 1
    return _next_day_on_benefit(runs, target)


def _next_day_on_benefit(runs: Runs, target: Rows) -> Rows:
    n = len(runs.episode_start)
    last_run = np.append(runs.first_run[1:], len(runs.start)) - 1 if n else runs.first_run
    shift = np.int64(2**33)
    key = runs.episode * shift + runs.end
    run = np.searchsorted(key, np.arange(n) * shift + target, side="right")
    inside = run <= last_run
    start = runs.start[np.minimum(run, last_run)] if n else target
    return np.where(inside, np.maximum(start, target), MISSING_DAY)


def _absent_day(runs: Runs, k: int) -> Rows:
    n = len(runs.episode_start)
    if n == 0:
        return runs.episode_start
    upto = np.cumsum(runs.end - runs.start)
    before = upto - (runs.end - runs.start)
    base = before[runs.first_run]
    last_run = np.append(runs.first_run[1:], len(runs.start)) - 1
    run = np.searchsorted(upto, base + k, side="left")
    inside = run <= last_run
    run = np.minimum(run, last_run)
    return np.where(inside, runs.start[run] + (base + k - 1 - before[run]), MISSING_DAY)
