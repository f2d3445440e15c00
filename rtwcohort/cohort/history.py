"""What a person received before and on a day, read off a timeline with arrays.

All functions take aligned arrays: row i asks about person `person[i]` (row of the timeline's people,
-1 for a person without a timeline) on day `day[i]`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtwcohort.core.days import Days
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.register.benefits import BENEFIT_NAMES

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

_SHIFT = np.int64(2**32)
_LOWEST = np.int64(2**31)


@dataclass(frozen=True, slots=True)
class Runs:
    """Unbroken stretches of days on benefit and the absences (episodes) that they make up.

    Attributes
    ----------
    person, start, end
        One row a run, shape (r,), sorted by person and day; `end` is the day after the last.
    episode
        int64, shape (r,): which episode the run belongs to.
    episode_person, episode_start, episode_end
        One row an episode, shape (e,). An episode holds the runs of one person with gaps of at most the merge gap.
    first_run
        int64, shape (e,): the first run of each episode.
    """

    person: Rows
    start: Rows
    end: Rows
    episode: Rows
    episode_person: Rows
    episode_start: Rows
    episode_end: Rows
    first_run: Rows


def keys(person: Rows, day: npt.NDArray[np.integer]) -> Rows:
    """Combine person and day into one number that sorts by person, then day."""
    return np.asarray(person * _SHIFT + (day.astype(np.int64) + _LOWEST), dtype=np.int64)


def segment_person(timeline: Timeline) -> Rows:
    """Return the person (row of the timeline's people) of each state."""
    return np.repeat(np.arange(len(timeline.offset) - 1), np.diff(timeline.offset))


def locate(timeline: Timeline, person: Rows, day: Days) -> Rows:
    """Return the row of the state that holds on a day, -1 outside the person's window."""
    if len(timeline.start) == 0:
        return np.full(len(person), -1, dtype=np.int64)
    row = np.searchsorted(keys(segment_person(timeline), timeline.start), keys(person, day), side="right") - 1
    safe = np.clip(person, 0, None)
    inside = (person >= 0) & (day >= timeline.people.from_day[safe]) & (day < timeline.people.to_day[safe])
    return np.where(inside, row, -1)


def benefit_bits(benefits: tuple[str, ...]) -> int:
    """Return the bit mask of `Timeline.present` for some benefits."""
    return sum(1 << BENEFIT_NAMES.index(name) for name in benefits)


def paid(timeline: Timeline, benefits: tuple[str, ...], min_grade: float | None) -> Flags:
    """Tell for each state whether one of the benefits is paid with at least a grade.

    The timeline must count exactly these benefits when `min_grade` is given, so that its grade is theirs.
    """
    on = (timeline.present & np.uint16(benefit_bits(benefits))) != 0
    if min_grade is None:
        return np.asarray(on)
    return np.asarray(on & (timeline.grade >= np.float32(min_grade)))


def flags_on_day(timeline: Timeline, flags: Flags, person: Rows, day: Days) -> Flags:
    """Return the flag of the state that holds on a day, False outside the window."""
    row = locate(timeline, person, day)
    return np.asarray((row >= 0) & flags[np.clip(row, 0, None)]) if len(flags) else np.zeros(len(row), dtype=bool)


def grade_on_day(timeline: Timeline, person: Rows, day: Days) -> Numbers:
    """Return the combined grade on a day in percent, 0 outside the window."""
    row = locate(timeline, person, day)
    if len(timeline.grade) == 0:
        return np.zeros(len(row))
    return np.where(row >= 0, timeline.grade[np.clip(row, 0, None)].astype(np.float64), 0.0)


def sum_in_window(timeline: Timeline, weight: Numbers, person: Rows, first: Days, stop: Days) -> Numbers:
    """Sum a weight per day over the days `first` to `stop - 1`.

    Parameters
    ----------
    timeline
        The states.
    weight
        Shape (m,): weight of a day in each state.
    person, first, stop
        Shape (n,). Days outside the person's window weigh nothing.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
    """
    if len(weight) == 0:
        return np.zeros(len(person))
    length = (timeline.end - timeline.start).astype(np.float64)
    before = np.concatenate([[0.0], np.cumsum(length * weight)])
    safe = np.clip(person, 0, None)
    low, high = timeline.people.from_day[safe], timeline.people.to_day[safe]
    key = keys(segment_person(timeline), timeline.start)

    def upto(day: Days) -> Numbers:
        inside = np.clip(day, low, np.maximum(high - 1, low))
        row = np.clip(np.searchsorted(key, keys(safe, inside), side="right") - 1, 0, None)
        at = np.clip(day, low, high).astype(np.int64) - timeline.start[row]
        return np.asarray(before[row] + at * weight[row])

    total = upto(np.maximum(first, stop)) - upto(first)
    return np.where((person >= 0) & (high > low), total, 0.0)


def find_runs(timeline: Timeline, on: Flags, *, merge_gap_days: int) -> Runs:
    """Join states with the flag into runs, and runs into episodes.

    Parameters
    ----------
    timeline
        The states.
    on
        Shape (m,): whether a state's days count.
    merge_gap_days
        Runs of one person with at most so many days between them belong to one episode.
    """
    rows = np.flatnonzero(on)
    person = segment_person(timeline)[rows]
    start, end = timeline.start[rows].astype(np.int64), timeline.end[rows].astype(np.int64)
    new_run = _breaks(person, start, end, 0)
    first, last = np.flatnonzero(new_run), np.flatnonzero(np.roll(new_run, -1))
    person, start, end = person[first], start[first], end[last]
    new_episode = _breaks(person, start, end, merge_gap_days)
    opening, closing = np.flatnonzero(new_episode), np.flatnonzero(np.roll(new_episode, -1))
    return Runs(
        person=person,
        start=start,
        end=end,
        episode=np.cumsum(new_episode) - 1,
        episode_person=person[opening],
        episode_start=start[opening],
        episode_end=end[closing],
        first_run=opening,
    )


def _breaks(person: Rows, start: Rows, end: Rows, gap: int) -> Flags:
    new = np.ones(len(person), dtype=bool)
    new[1:] = (person[1:] != person[:-1]) | (start[1:] - end[:-1] > gap)
    return new


def current_absence_start(runs: Runs, person: Rows, day: Days, *, merge_gap_days: int) -> tuple[Rows, Flags]:
    """Return when the absence that a person is in on a day began, using nothing that happens later.

    An absence is still open on a day without benefit when no more than `merge_gap_days` such days
    have passed since its last day, that day included (a new case opens after one more).

    Returns
    -------
    start, absent
        Shape (n,): first day of the absence (meaningless where not absent); whether there is one.
    """
    if len(runs.person) == 0:
        return np.zeros(len(person), dtype=np.int64), np.zeros(len(person), dtype=bool)
    row = np.searchsorted(keys(runs.person, runs.start), keys(person, day), side="right") - 1
    safe = np.clip(row, 0, None)
    own = (row >= 0) & (person >= 0) & (runs.person[safe] == person)
    absent = own & (day.astype(np.int64) - runs.end[safe] + 1 <= merge_gap_days)
    return runs.episode_start[runs.episode[safe]], absent


def count_episodes(runs: Runs, person: Rows, first: Days, stop: Days) -> Rows:
    """Count the absences with at least one day on benefit in `first` to `stop - 1`.

    Absences are told apart by what is known on the day before `stop`: a spell that starts later joins nothing.
    """
    if len(runs.person) == 0:
        return np.zeros(len(person), dtype=np.int64)
    started = np.searchsorted(keys(runs.person, runs.start), keys(person, stop), side="left") - 1
    ended = np.searchsorted(keys(runs.person, runs.end), keys(person, first), side="right")
    some = (person >= 0) & (ended <= started)
    a, b = np.clip(ended, 0, len(runs.person) - 1), np.clip(started, 0, None)
    return np.where(some, runs.episode[b] - runs.episode[a] + 1, 0)
