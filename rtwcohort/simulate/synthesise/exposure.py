"""Days at risk, cut where hazards change: by the clock of a state, by follow-up, by month, by age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rtwcohort.simulate.process.states import SICK, STATES
from rtwcohort.simulate.synthesise.sequences import FAMILY, Bools, Ints, Sequences

FAR: Final = 1 << 40
SICK_EDGES: Final = (0, 4, 8, 12, 17, 24, 31, 43, 57, 91, 122, 183, 243, 304, 335, 393, 548, 731)
LONG_EDGES: Final = (0, 91, 183, 365, 548, 731, 1096, 1461)
FREE_EDGES: Final = (0, 8, 17, 31, 61, 91, 183, 365, 731, 1096)
ALLOWANCE: Final = STATES.index("aap")
PENSION: Final = STATES.index("disability_full")
SICKNESS: Final = STATES.index(SICK[0])


@dataclass(frozen=True, slots=True)
class Slices:
    """Pieces of spells at risk, arrays of shape (k,).

    Attributes
    ----------
    person, origin
        Position of the person and state.
    to
        State reached on the last day of the slice; -1 without a move.
    clock, follow, day
        On the first day of the slice: days since the family of states began, days of follow-up, calendar day.
    days
        Length.
    """

    person: Ints
    origin: Ints
    to: Ints
    clock: Ints
    follow: Ints
    day: Ints
    days: Ints

    def where(self, keep: Bools) -> Slices:
        """Return some of the slices."""
        columns = (self.person, self.origin, self.to, self.clock, self.follow, self.day, self.days)
        return Slices(*(column[keep] for column in columns))


def at_risk(sequences: Sequences) -> Slices:
    """Return one slice a spell, from each person's first day of follow-up on; nobody leaves death and emigration."""
    begin = np.maximum(sequences.first, sequences.start[sequences.person])
    last = STATES.index("dead")
    keep = (sequences.last > begin) & (sequences.state < last)
    begin = begin[keep]
    person = sequences.person[keep]
    return Slices(
        person=person,
        origin=sequences.state[keep],
        to=sequences.next_state()[keep],
        clock=sequences.clock[keep] + begin - sequences.first[keep],
        follow=begin - sequences.start[person],
        day=begin,
        days=sequences.last[keep] - begin,
    )


def cut(slices: Slices, position: Ints, edges: Sequence[int] | Ints) -> Slices:
    """Cut slices where a clock that stands at `position` on their first day passes an edge.

    A move belongs to the last piece of its slice.
    """
    steps = np.append(np.asarray(edges, dtype=np.int64), FAR)
    low = np.maximum(np.searchsorted(steps, position, side="right") - 1, 0)
    high = np.searchsorted(steps, position + slices.days, side="left") - 1
    count = np.maximum(high - low, 0) + 1
    row = np.repeat(np.arange(len(position)), count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    piece = low[row] + nth
    begin = np.maximum(position[row], np.where(nth == 0, position[row], steps[piece]))
    end = np.minimum(position[row] + slices.days[row], steps[piece + 1])
    gone = begin - position[row]
    final = nth == count[row] - 1
    return replace(
        slices,
        person=slices.person[row],
        origin=slices.origin[row],
        to=np.where(final, slices.to[row], -1),
        clock=slices.clock[row] + gone,
        follow=slices.follow[row] + gone,
        day=slices.day[row] + gone,
        days=end - begin,
    )


def edges_of(origin: int) -> tuple[int, ...]:
    """Return the days on which the hazards of a state may change."""
    family = int(FAMILY[origin])
    if family == SICKNESS:
        return SICK_EDGES
    return LONG_EDGES if family in (ALLOWANCE, PENSION) else FREE_EDGES


def month_edges(first: int, last: int) -> Ints:
    """Return the first day of each month that touches [first, last], and of the month after."""
    begin = np.datetime64(first, "D").astype("datetime64[M]")
    end = np.datetime64(last, "D").astype("datetime64[M]") + 2
    return np.arange(begin, end).astype("datetime64[D]").astype(np.int64)


def month_of(days: Ints) -> Ints:
    """Return the month of days, January as 0."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
