"""The people under consideration while a cohort is built: who, from which day, and what can be asked about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.cohort.cohort import Counted
from rtwcohort.cohort.history import Flags, Rows, Runs, find_runs, paid
from rtwcohort.core.checks import did_you_mean
from rtwcohort.core.days import Days
from rtwcohort.errors import CohortError
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.register.register import Register


@dataclass(frozen=True, slots=True)
class Histories:
    """Timelines and absences of a register, built once for each choice of benefits."""

    register: Register
    timelines: dict[tuple[str, ...], tuple[Timeline, Rows]] = field(default_factory=dict)
    absences: dict[tuple[tuple[str, ...], float | None, int], Runs] = field(default_factory=dict)

    def timeline(self, benefits: tuple[str, ...], *, graded: bool = True) -> tuple[Timeline, Rows]:
        """Return the timeline whose grade adds up these benefits, and its row for each row of `persons`.

        Which benefits are paid is the same in every timeline: where no grade is asked about, any will do.
        """
        if not graded and self.timelines:
            return next(iter(self.timelines.values()))
        if benefits not in self.timelines:
            from rtwcohort.outcomes.timeline import build_timeline

            without_jobs = replace(self.register, employment=None)  # only benefits are asked about
            self.add(build_timeline(without_jobs, benefits=benefits), benefits)
        return self.timelines[benefits]

    def add(self, timeline: Timeline, benefits: tuple[str, ...]) -> None:
        """Keep a timeline that counts these benefits."""
        people = pd.Index(timeline.people.person_id)
        self.timelines[benefits] = (timeline, people.get_indexer(pd.Index(self.register.persons["person_id"])))

    def runs(self, benefits: tuple[str, ...], min_grade: float | None, merge_gap_days: int) -> Runs:
        """Return the absences on these benefits with at least this grade."""
        key = (benefits, min_grade, merge_gap_days)
        if key not in self.absences:
            timeline, _ = self.timeline(benefits, graded=min_grade is not None)
            self.absences[key] = find_runs(timeline, paid(timeline, benefits, min_grade), merge_gap_days=merge_gap_days)
        return self.absences[key]


@dataclass(slots=True)
class Log:
    """Notes and counts gathered on the way, each once."""

    notes: dict[str, None] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Add a sentence that holds no count of people."""
        self.notes[text] = None

    def count(self, text: str, flags: Flags) -> None:
        """Add how many people something holds for, unless it is nobody."""
        if n := int(np.count_nonzero(flags)):
            self.counted[text] = n

    def counts(self) -> tuple[Counted, ...]:
        """Return the counts in the order they were made."""
        return tuple(Counted(text, n) for text, n in self.counted.items())


@dataclass(frozen=True, slots=True)
class Candidates:
    """One row a person, all arrays of shape (n,).

    Attributes
    ----------
    register
        Where they come from.
    person_id
        As in the register.
    index_day
        int32 days; `MISSING_DAY` where there is none.
    person_row
        Row of `register.persons`, -1 for a person who is not in it.
    enrolment
        Their enrolment row (n rows, index 0..n-1); columns only `person_id` where there is no such table.
    register_start
        First day that the register covers.
    histories, log
        Shared by all subsets.
    """

    register: Register
    person_id: npt.NDArray[Any]
    index_day: Days
    person_row: Rows
    enrolment: pd.DataFrame
    register_start: int
    histories: Histories
    log: Log

    def __len__(self) -> int:
        return len(self.person_id)

    def take(self, keep: Flags) -> Candidates:
        """Return those with the flag."""
        return replace(
            self,
            person_id=self.person_id[keep],
            index_day=self.index_day[keep],
            person_row=self.person_row[keep],
            enrolment=self.enrolment[keep].reset_index(drop=True),
        )

    def persons_column(self, name: str, *, needed_by: str) -> pd.Series[Any]:
        """Return a column of `persons` for these people, missing for those who are not in it."""
        persons = self.register.persons
        if name not in persons.columns:
            raise _no_column("persons", name, persons, needed_by)
        values = persons[name].reset_index(drop=True)
        return values.reindex(self.person_row).reset_index(drop=True)

    def enrolment_column(self, name: str, *, needed_by: str) -> pd.Series[Any]:
        """Return a column of `enrolment` for these people."""
        if self.register.enrolment is None:
            raise no_table("enrolment", needed_by)
        if name not in self.enrolment.columns:
            raise _no_column("enrolment", name, self.register.enrolment, needed_by)
        return self.enrolment[name]

    def timeline(self, benefits: tuple[str, ...], *, graded: bool = True) -> tuple[Timeline, Rows]:
        """Return a timeline as `Histories.timeline` does and its row for each of these people."""
        timeline, of_person = self.histories.timeline(benefits, graded=graded)
        if len(of_person) == 0:
            return timeline, np.full(len(self), -1, dtype=np.int64)
        return timeline, np.where(self.person_row >= 0, of_person[np.clip(self.person_row, 0, None)], -1)


def no_table(table: str, needed_by: str) -> CohortError:
    """Return the error for a register without a table."""
    return CohortError(
        f"`{needed_by}` needs the {table} table, which this register does not have. "
        f"Load a register with {table}, or leave `{needed_by}` out."
    )


def _no_column(table: str, name: str, frame: pd.DataFrame, needed_by: str) -> CohortError:
    columns = [str(column) for column in frame.columns]
    return CohortError(
        f"`{needed_by}` needs the column '{name}' of {table}, which this register does not have."
        f"{did_you_mean(name, columns)} The columns of {table} are: {', '.join(columns)}."
    )
