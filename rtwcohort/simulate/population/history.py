"""Sickness absences before the present one: rows of the register, and what they leave of the entitlement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.simulate import draws
from rtwcohort.simulate.population.declaration import History
from rtwcohort.simulate.population.people import YEAR, People
from rtwcohort.simulate.population.shapes import quantile
from rtwcohort.simulate.portable import Ints
from rtwcohort.simulate.process.declaration import Entitlement

GAP: Final = 17
"""Days at least between an earlier absence and the next: more than the employer gap, so that they stay apart."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Earlier absences, one row each, and what they amount to, one entry a person.

    Attributes
    ----------
    position, start, end, grade
        Shape (k,): position of the person among those asked for, days (half-open), percent.
    count, days
        Shape (m,): absences that ended before, and their calendar days.
    paid, last_paid
        Shape (m,): weekdays paid since the entitlement was last earned anew, and the last of them
        (`MISSING_DAY`: none).
    """

    position: Ints
    start: Ints
    end: Ints
    grade: Ints
    count: Ints
    days: Ints
    paid: Ints
    last_paid: Ints


def draw_history(history: History | None, people: People, rules: Entitlement, *, seed: int) -> Earlier:
    """Draw earlier absences, spread over the years before the index date and at least `GAP` days apart.

    Parameters
    ----------
    history
        None gives nobody any.
    people
        Whose absences these are.
    rules
        The employer period and when the entitlement is earned anew.
    seed
        Of the register.
    """
    m = len(people)
    zero = np.zeros(m, dtype=np.int64)
    count, days, paid, last_paid = zero.copy(), zero.copy(), zero.copy(), np.full(m, MISSING_DAY, dtype=np.int64)
    rows: list[tuple[Ints, Ints, Ints, Ints]] = []
    if history is not None:
        spells = draws.choose(draws.key(seed, "earlier spells"), people.person, history.spells)
        first = people.index - round(history.years * YEAR)
        room = np.maximum(people.absence_start - first, 0)
        for turn in range(len(history.spells) - 1):
            slot = room // np.maximum(spells, 1)
            length = _lengths(history, people, turn, seed)
            length = np.minimum(length, slot - GAP)
            took = np.flatnonzero((spells > turn) & (length > 0))
            free = (slot - GAP - length)[took]
            start = first[took] + turn * slot[took]
            start = start + draws.whole(draws.key(seed, "earlier start"), people.person[took], 0, free, turn)
            end = start + length[took]
            rows.append((took, start, end, _grades(history, people.person[took], turn, seed)))
            count[took] += 1
            days[took] += end - start
            _use(paid, last_paid, rows[-1], rules)
    position, start, end, grade = (np.concatenate([row[k] for row in rows]) if rows else zero[:0] for k in range(4))
    order = np.lexsort((start, position))
    return Earlier(position[order], start[order], end[order], grade[order], count, days, paid, last_paid)


def weekdays(start: Ints, end: Ints) -> Ints:
    """Count Mondays to Fridays in [start, end), days since 1970-01-01 (a Thursday)."""
    return np.asarray(_weekdays_before(end) - _weekdays_before(start))


def _weekdays_before(day: Ints) -> Ints:
    since_monday = np.asarray(day, dtype=np.int64) + 3
    return np.asarray(since_monday // 7 * 5 + np.minimum(since_monday % 7, 5))


def _lengths(history: History, people: People, turn: int, seed: int) -> Ints:
    share = draws.uniform(draws.key(seed, "earlier length"), people.person, turn)
    return np.maximum(np.rint(quantile(history.length, share)), 1.0).astype(np.int64)


def _grades(history: History, persons: Ints, turn: int, seed: int) -> Ints:
    graded = draws.uniform(draws.key(seed, "earlier grade"), persons, turn) < history.graded
    return np.where(graded, 50, 100).astype(np.int64)


def _use(paid: Ints, last_paid: Ints, row: tuple[Ints, Ints, Ints, Ints], rules: Entitlement) -> None:
    took, start, end, _ = row
    anew = start - last_paid[took] > rules.reearn_weeks * 7
    now = weekdays(np.minimum(start + rules.employer_period, end), end)
    paid[took] = np.where(anew, 0, paid[took]) + now
    last_paid[took] = np.where(now > 0, end - 1, last_paid[took])
