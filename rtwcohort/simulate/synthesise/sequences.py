"""A real register as sequences of the simulator's states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, day_of, iso, to_days
from rtwcohort.errors import RegisterError
from rtwcohort.outcomes.timeline import Timeline, build_timeline
from rtwcohort.register.register import Register
from rtwcohort.simulate.process.states import FAMILIES, STATES
from rtwcohort.simulate.synthesise.limits import bounded

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WEEKEND: Final = 2
"""Days without benefit between two certificates that do not end an absence."""
ADULT_DAYS: Final = 5844
"""People are followed from 16 years of age."""
WORK, OUTSIDE, RETIRED, DEAD, EMIGRATED = (
    STATES.index(name) for name in ("work", "outside", "retired", "dead", "emigrated")
)
SICK_FULL, SICK_GRADED = STATES.index("sick_full"), STATES.index("sick_graded")
FAMILY: Final = np.arange(len(STATES))
for _members in FAMILIES:
    FAMILY[[STATES.index(name) for name in _members]] = STATES.index(_members[0])

# Codes of a timeline's state: 1 sickness benefit, 2 allowance, 3 pension, 4 unemployment, 5 rehabilitation, 6
# retirement, 7 other.
_FULL: Final = {1: "sick_full", 2: "aap", 3: "disability_full", 4: "unemployed", 5: "aap", 6: "retired"}
_PART: Final = {1: "sick_graded", 2: "aap_work", 3: "disability_partial", 5: "aap_work"}


@dataclass(frozen=True, slots=True)
class Sequences:
    """Who is in which state from when to when.

    Attributes
    ----------
    person_id
        As in the register, shape (n,).
    start, end
        First day of follow-up (the index date of a cohort) and the day after the last, shape (n,).
    birth
        Days, `MISSING_DAY` where unknown, shape (n,).
    person, state, first, last, grade, clock
        One row a spell, sorted by person and day, shape (m,): position of the person, code of `STATES`, days
        (half-open), percent in states with a grade, and days since the family of states began at `first`.
    opened
        First day that spells are known from.
    cohort
        Whether people enter on index dates; else everybody is followed from `opened`.
    jobs_known
        Whether the register has a table of employment.
    notes
        What was counted on the way.
    """

    person_id: npt.NDArray[Any]
    start: Ints
    end: Ints
    birth: Ints
    person: Ints
    state: Ints
    first: Ints
    last: Ints
    grade: Ints
    clock: Ints
    opened: int
    cohort: bool
    jobs_known: bool
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start)

    def next_state(self) -> Ints:
        """Return the state that follows each row, -1 after the last row of a person."""
        out = np.full(len(self.state), -1, dtype=np.int64)
        same = self.person[1:] == self.person[:-1]
        out[:-1][same] = self.state[1:][same]
        return out

    def row_at_start(self) -> Ints:
        """Return the row that covers each person's first day of follow-up, shape (n,)."""
        covers = (self.first <= self.start[self.person]) & (self.start[self.person] < self.last)
        return np.flatnonzero(covers)


def read_sequences(register: Register, *, least: int) -> Sequences:
    """Turn a register into sequences of states.

    Parameters
    ----------
    register
        Cleaned. With an enrolment table its people are followed from their first index date; without one everybody
        from the month in which spells begin to be complete.
    least
        Counts of people below this are not written out.

    Raises
    ------
    RegisterError
        When nobody has any follow-up.
    """
    end = day_of(register.data_end, argument="register.data_end") + 1
    starts, opened, notes = _starts(register)
    begin = min(_first_day(register, opened), min(starts.values(), default=opened))
    timeline = build_timeline(register, window=(iso(begin), iso(end - 1)), merge_gap_days=WEEKEND)
    people = timeline.people
    birth = people.birth_day.astype(np.int64)
    start = _each_start(timeline, starts, opened)
    gone = np.minimum(_or_far(people.death_day), _or_far(people.emigration_day))
    keep = (start != MISSING_DAY) & (start < end) & (gone > start)
    known = birth != MISSING_DAY
    keep &= ~known | (birth < start)
    left_out = int((~keep).sum())
    if left_out:
        notes.append(f"{bounded(left_out, least)} people have no follow-up and were left out")
    if not keep.any():
        raise RegisterError(
            "`register` must have people with follow-up; nobody is alive and resident on the first day of theirs. Look "
            "at the index dates and at `data_end`."
        )
    person, state, first, last, grade, more = _rows(timeline, keep)
    return Sequences(
        person_id=people.person_id[keep],
        start=start[keep],
        end=np.full(int(keep.sum()), end, dtype=np.int64),
        birth=birth[keep],
        person=person,
        state=state,
        first=first,
        last=last,
        grade=grade,
        clock=first - _family_start(person, state, first),
        opened=opened,
        cohort=bool(starts),
        jobs_known=timeline.employment_known,
        notes=(*notes, *more),
    )


def _starts(register: Register) -> tuple[dict[Any, int], int, list[str]]:
    """Return index days by person (empty without enrolment), the opening day, and notes."""
    if register.enrolment is None or not len(register.enrolment):
        opened = _opening(register)
        return {}, opened, [f"nobody is enrolled: people are followed from {iso(opened)}"]
    rows = register.enrolment.dropna(subset=["index_date"]).sort_values("index_date", kind="stable")
    again = len(rows) - rows["person_id"].nunique()
    rows = rows.drop_duplicates("person_id")
    notes = ["of people enrolled more than once the first time counts"] if again else []
    days = to_days(rows["index_date"]).tolist()
    return dict(zip(rows["person_id"].tolist(), days, strict=True)), min(_first_day(register, days[0]), days[0]), notes


def _opening(register: Register) -> int:
    """Return the first day of the first month with half as many ended spells as the median month.

    Ends, not starts: a register that opened in 2015 holds pensions from before, but nothing that ended before.
    """
    days = to_days(register.benefits["end"])
    days = days[days != MISSING_DAY]
    if not len(days):
        raise RegisterError("`register` must have spells that end to be synthesised; its table `benefits` has none.")
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    counts = np.bincount(months - months.min())
    weight = np.cumsum(counts)
    # Months with hardly any rows do not count for the median of a register that opened later.
    typical = np.median(counts[np.searchsorted(weight, 0.1 * weight[-1]) :])
    month = int(np.flatnonzero(counts >= 0.5 * typical)[0]) + int(months.min())
    return int(np.datetime64(month, "M").astype("datetime64[D]").astype(np.int64))


def _first_day(register: Register, opened: int) -> int:
    days = to_days(register.benefits["start"])
    return int(min(days[days != MISSING_DAY].min(), opened))


def _each_start(timeline: Timeline, starts: dict[Any, int], opened: int) -> Ints:
    people = timeline.people
    if starts:
        return np.asarray([starts.get(one, MISSING_DAY) for one in people.person_id.tolist()], dtype=np.int64)
    birth = people.birth_day.astype(np.int64)
    return np.where(birth == MISSING_DAY, opened, np.maximum(opened, birth + ADULT_DAYS))


def _or_far(days: npt.NDArray[np.int32]) -> Ints:
    return np.where(days == MISSING_DAY, np.iinfo(np.int64).max, days.astype(np.int64))


def _rows(timeline: Timeline, keep: Bools) -> tuple[Ints, Ints, Ints, Ints, Ints, list[str]]:
    n = len(keep)
    person = np.repeat(np.arange(n), np.diff(timeline.offset))
    inside = keep[person]
    place = np.cumsum(keep) - 1
    code = timeline.state.astype(np.int64)[inside]
    part = (timeline.grade < 99.5)[inside]
    working = ((timeline.work_share > 0.0) | (not timeline.employment_known))[inside]
    person = place[person[inside]]
    state = _states(code, part, working)
    notes = []
    if (code == 5).any():
        notes.append("rehabilitation benefit is written as work assessment allowance")
    if (code == 7).any():
        notes.append("other benefits are not carried over")
    state, stayed = _no_way_back(person, state)
    if stayed:
        notes.append("what came after retirement, emigration or death is not carried over")
    grade = np.clip(np.rint(timeline.grade[inside]), 1, 99).astype(np.int64)
    grade = np.where(np.isin(state, [STATES.index(name) for name in _PART.values()]), grade, 0)
    first, last = timeline.start[inside].astype(np.int64), timeline.end[inside].astype(np.int64)
    new = np.ones(len(state), dtype=np.bool_)
    new[1:] = (person[1:] != person[:-1]) | (state[1:] != state[:-1]) | (grade[1:] != grade[:-1])
    begins = np.flatnonzero(new)
    ends = np.append(begins[1:], len(state)) - 1
    return person[begins], state[begins], first[begins], last[ends], grade[begins], notes


def _states(code: Ints, part: Bools, working: Bools) -> Ints:
    out = np.where(working, WORK, OUTSIDE)
    for number, name in _FULL.items():
        out[code == number] = STATES.index(name)
    for number, name in _PART.items():
        out[(code == number) & part] = STATES.index(name)
    out[code == 100] = DEAD
    out[code == 101] = EMIGRATED
    return out


def _no_way_back(person: Ints, state: Ints) -> tuple[Ints, bool]:
    """Let people stay retired until death or emigration, and gone when they are gone."""
    out = state.copy()
    changed = False
    for stay, leave in ((RETIRED, (DEAD, EMIGRATED)), (EMIGRATED, ()), (DEAD, ())):
        there = np.cumsum(out == stay)
        before = np.concatenate(([0], there))[np.searchsorted(person, person, side="left")]
        wrong = (there > before) & (out != stay) & ~np.isin(out, leave)
        changed |= bool((wrong & (out != DEAD)).any())
        out[wrong] = stay
    return out, changed


def _family_start(person: Ints, state: Ints, first: Ints) -> Ints:
    family = FAMILY[state]
    new = np.ones(len(state), dtype=np.bool_)
    new[1:] = (person[1:] != person[:-1]) | (family[1:] != family[:-1])
    begins = np.flatnonzero(new)
    out: Ints = first[begins][np.cumsum(new) - 1]
    return out


def enrolment_of(register: Register, sequences: Sequences) -> pd.DataFrame | None:
    """Return the first enrolment of each person of the sequences, in their order."""
    if not sequences.cohort or register.enrolment is None:
        return None
    rows = register.enrolment.dropna(subset=["index_date"]).sort_values("index_date", kind="stable")
    return rows.drop_duplicates("person_id").set_index("person_id").reindex(sequences.person_id)
