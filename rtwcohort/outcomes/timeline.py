"""Spells to one gap-free, non-overlapping sequence of states for each person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.days import Days

NO_BENEFIT: Final = 0
"""State of a day without any benefit."""
DEAD: Final = 100
"""State from the day of death on."""
EMIGRATED: Final = 101
"""State from the day of emigration on."""


@dataclass(frozen=True, slots=True)
class TimelinePeople:
    """One row a person, all arrays of shape (n,), in the order of the timeline.

    Attributes
    ----------
    person_id
        As in the register.
    from_day, to_day
        The window covered: first day, and the day after the last (half-open).
    birth_day, death_day, emigration_day
        `MISSING_DAY` where unknown or not happened.
    """

    person_id: npt.NDArray[Any]
    from_day: Days
    to_day: Days
    birth_day: Days
    death_day: Days
    emigration_day: Days


@dataclass(frozen=True, slots=True)
class Timeline:
    """A gap-free, non-overlapping sequence of states for each person.

    The states of person i are rows `offset[i]` to `offset[i + 1] - 1`; the first starts at
    `people.from_day[i]`, each starts where the one before ends, the last ends at `people.to_day[i]`.

    Attributes
    ----------
    people
        One row a person.
    offset
        int64, shape (n + 1,).
    start, end
        int32 days, shape (m,), half-open.
    state
        int8, shape (m,): 0 no benefit, k + 1 benefit number k (`BENEFITS[k]`) of highest priority, 100 dead, 101 emigrated.
    present
        uint16, shape (m,): bit k is set when benefit number k is paid on these days.
    grade
        float32, shape (m,): combined grade in percent over the `counted` benefits, capped at 100.
    work_share
        float32, shape (m,), percent: 100 - grade, times the position where employment is known; 0 when dead or emigrated.
    counted
        The benefits that `grade` adds up.
    data_end
        The last day that the register knows about (inclusive, day number). Windows may run past it:
        rows are cut at `data_end + 1` only by what reads them.
    employment_known
        Whether positions entered `work_share`.
    settings
        The options it was built with, as sorted pairs, for provenance.
    """

    people: TimelinePeople
    offset: npt.NDArray[np.int64]
    start: Days
    end: Days
    state: npt.NDArray[np.int8]
    present: npt.NDArray[np.uint16]
    grade: npt.NDArray[np.float32]
    work_share: npt.NDArray[np.float32]
    counted: tuple[str, ...]
    data_end: int
    employment_known: bool
    settings: tuple[tuple[str, str], ...] = ()
