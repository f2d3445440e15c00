"""What the engine is given and what it returns: arrays over people, and spells of people in states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rtwcohort.simulate.process.states import STATES

CAUSES: Final = ("start", "chance", "used_up", "age")
"""How a spell began: with the person, by chance, because the sickness benefit was used up, at retirement age."""

Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The people, as arrays of shape (n,). Days are days since 1970-01-01.

    Attributes
    ----------
    persons
        Number of each person over the whole register, from 0: their draws depend on it and on nothing else, so that
        a partition gives the same people as the whole.
    start_day
        Day on which the person is known to be in `start_state`; chance acts from the day after.
    start_state
        Codes of `STATES`.
    end_day
        First day that is not simulated (the last known day + 1), after `start_day`.
    birth_day
        Day of birth.
    index_day
        Day from which arm effects and the clock "follow_up" count; default: `start_day`.
    days_before
        Days already spent in the state at `start_day` (an absence of 60 days: 60); default 0. The path begins that
        much earlier. Of an absence they are employer period and paid days, as the rules say.
    start_grade
        Grade in percent of people who start in a state with a grade; 0 (the default) draws it.
    arm, arms
        Position in `arms`, the names; default: one arm without name.
    cluster
        Number of the cluster, from 0; default: everybody in cluster 0.
    covariates
        Name -> values, finite.
    earlier_spells
        Absences that ended before the path begins; default 0.
    paid_before, last_paid_day
        Paid weekdays used before the path begins, and the last of them: they count as one unbroken block up to that
        day; default none.
    """

    persons: Int64s
    start_day: Int32s
    start_state: Int8s
    end_day: Int32s
    birth_day: Int32s
    index_day: Int32s | None = None
    days_before: Int32s | None = None
    start_grade: Int16s | None = None
    arm: Int64s | None = None
    arms: tuple[str, ...] = ("",)
    cluster: Int64s | None = None
    covariates: Mapping[str, Floats] = field(default_factory=dict)
    earlier_spells: Int32s | None = None
    paid_before: Int32s | None = None
    last_paid_day: Int32s | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Who is in which state from when to when: one row a spell, sorted by person and start, without gaps.

    Attributes
    ----------
    persons
        Numbers of the people, shape (n,), as given.
    person
        Position of the person of each spell, 0..n-1, shape (m,).
    state
        Codes of `STATES`, shape (m,).
    start, end
        Days, half-open, shape (m,). The last spell of a person ends on `end_day` because the data do.
    grade
        Percent of the benefit: of graded sickness benefit, allowance beside work and partial pension; 0 elsewhere.
    cause
        How the spell began: codes of `CAUSES`, shape (m,).
    end_day
        First day not simulated, shape (n,).
    """

    persons: Int64s
    person: Int32s
    state: Int8s
    start: Int32s
    end: Int32s
    grade: Int16s
    cause: Int8s
    end_day: Int32s

    def describe(self) -> str:
        """Return the number of spells and days by state as plain text."""
        lines = [f"{len(self.persons)} people, {len(self.person)} spells"]
        days = self.end.astype(np.int64) - self.start
        for code, name in enumerate(STATES):
            here = self.state == code
            if here.any():
                lines.append(f"  {name}: {int(here.sum())} spells, {int(days[here].sum())} days")
        used_up = int((self.cause == CAUSES.index("used_up")).sum())
        lines.append(f"  sickness benefit used up {used_up} times")
        return "\n".join(lines)


def state_on(paths: Paths, person: npt.NDArray[np.integer], day: npt.NDArray[np.integer]) -> Int8s:
    """Return the state of people on days.

    Parameters
    ----------
    paths
        From `simulate_paths`.
    person, day
        Positions of people and days, shape (k,).

    Returns
    -------
    numpy.ndarray of int8, shape (k,)
        Codes of `STATES`; -1 before a path begins and after the end of data.
    """
    if not len(paths.person):
        return np.full(len(person), -1, dtype=np.int8)
    span = np.int64(1) << 32
    keys = paths.person.astype(np.int64) * span + paths.start
    asked = np.asarray(person, dtype=np.int64)
    found = np.searchsorted(keys, asked * span + np.asarray(day, dtype=np.int64), side="right") - 1
    place = np.maximum(found, 0)
    inside = (found >= 0) & (paths.person[place] == asked) & (np.asarray(day) < paths.end[place])
    return np.where(inside, paths.state[place], -1).astype(np.int8)
