"""Measures of what absence is made of: graded or full, which diagnosis, a few people's or everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.days import to_days
from rtwcohort.errors import ScenarioError
from rtwcohort.outcomes.timeline import DEAD, NO_BENEFIT
from rtwcohort.simulate.measures import spells as measured
from rtwcohort.simulate.measures.baseline import number_of
from rtwcohort.simulate.measures.follow_up import benefit_days
from rtwcohort.simulate.measures.numbers import Measured, mean, percent, ratio
from rtwcohort.simulate.measures.simulated import Bools, Simulated, once, timeline
from rtwcohort.simulate.portable import Floats, Ints

NEVER: Final = 1 << 30
"""Day of the first graded certificate of absences without one."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the certificates of each absence say, shape (k,), in the order of `absences`.

    Attributes
    ----------
    graded_from
        Days from the first day of the absence to its first graded certificate; `NEVER` without one.
    first_grade
        Grade of that certificate in percent; 0 without one.
    diagnosis
        Code of the first certificate as text; "" without one.
    """

    graded_from: Ints
    first_grade: Floats
    diagnosis: np.ndarray[tuple[int], np.dtype[np.str_]]


def graded_share(
    simulated: Simulated,
    who: Bools,
    *,
    at_most: int | None = None,
    more_than: int | None = None,
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Percentage of sickness absences that are graded at some time, among those of at most or more than some days."""
    found, chosen = measured.begun(simulated, who, first, last, gap)
    if at_most is not None or more_than is not None:
        chosen = chosen & measured.by_length(found.end - found.start, at_most, more_than)
    return percent(_contents(simulated, gap).graded_from[chosen] < NEVER)


def graded_from(
    simulated: Simulated,
    who: Bools,
    *,
    low: int = 0,
    high: int,
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Percentage of the graded absences whose first graded certificate begins `low` to `high` days into the absence."""
    _, chosen = measured.begun(simulated, who, first, last, gap)
    start = _contents(simulated, gap).graded_from[chosen]
    start = start[start < NEVER]
    return percent((start >= low) & (start <= high))


def grade_share(
    simulated: Simulated,
    who: Bools,
    *,
    low: float,
    high: float,
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Percentage of the graded absences whose first graded certificate has a grade from `low` to `high`."""
    _, chosen = measured.begun(simulated, who, first, last, gap)
    grade = _contents(simulated, gap).first_grade[chosen]
    grade = grade[grade > 0]
    return percent((grade >= low) & (grade <= high))


def diagnosis_share(
    simulated: Simulated,
    who: Bools,
    *,
    chapter: str,
    of: str = "spells",
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Percentage of absences, or of their days (`of = "days"`), whose diagnosis begins with some letters."""
    check_choice(of, ("spells", "days"), argument="of")
    found, chosen = measured.begun(simulated, who, first, last, gap)
    here = np.char.startswith(_contents(simulated, gap).diagnosis[chosen], chapter)
    if of == "spells":
        return percent(here)
    days = (found.end[chosen] - found.start[chosen]).astype(np.float64)
    return ratio(days * here, days)


def frequent_absence(
    simulated: Simulated,
    who: Bools,
    *,
    least: int = 6,
    of: str = "people",
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Percentage who have at least so many absences begun in a period, among those who have any.

    `of = "spells"` or "days": the percentage of all absences, or of their days, that are theirs.
    """
    check_choice(of, ("people", "spells", "days"), argument="of")
    check_number(least, argument="least", least=1, whole=True)
    found, chosen = measured.begun(simulated, who, first, last, gap)
    n = len(simulated.people)
    person = found.person[chosen]
    count = np.bincount(person, minlength=n)
    often = count >= least
    if of == "people":
        return percent(often[count > 0])
    amount = count.astype(np.float64)
    if of == "days":
        length = (found.end[chosen] - found.start[chosen]).astype(np.float64)
        amount = np.bincount(person, weights=length, minlength=n).astype(np.float64)
    return ratio((amount * often)[count > 0], amount[count > 0])


def working_after_exhaustion(
    simulated: Simulated, who: Bools, *, to: str, days: int = 183, first: str | None = None, last: str | None = None
) -> Measured:
    """Percentage with a job among those in a state some days after the sickness benefit ran out."""
    check_choice(to, measured.DESTINATIONS, argument="to")
    table = simulated.register.employment
    if table is None:
        raise ScenarioError("`working_after_exhaustion` needs an employment table.")
    person, day, state = measured.exhausted_then(simulated, who, days, first, last)
    there = state == measured.DESTINATIONS.index(to)
    return percent(measured.holds(simulated, table, person[there], day[there] + days))


def moves(simulated: Simulated, who: Bools, *, last: int) -> Measured:
    """Mean number of moves between benefits, in full or in part, and no benefit, in `last` days after the index date.

    Death, emigration and a new grade below 100 % of the same benefit are none.
    """

    def compute() -> Ints:
        line = timeline(simulated)
        n = len(simulated.people)
        owner = np.repeat(np.arange(n), np.diff(line.offset))
        kind = 2 * line.state.astype(np.int64) + (line.grade < 100)
        kind[line.state == NO_BENEFIT] = 0
        moved = np.zeros(len(kind), dtype=np.bool_)
        moved[1:] = (owner[1:] == owner[:-1]) & (kind[1:] != kind[:-1]) & (line.state[1:] < DEAD)
        since = line.start.astype(np.int64) - simulated.people.index[owner]
        return np.bincount(owner[moved & (since > 0) & (since <= last)], minlength=n).astype(np.int64)

    return mean(once(simulated, "moves", {"last": last}, compute)[who].astype(np.float64))


def correlation(
    simulated: Simulated,
    who: Bools,
    *,
    variable: str,
    first: int = 0,
    last: int,
    benefits: list[str] | None = None,
) -> Measured:
    """Pearson's correlation of a number at baseline with the days on benefits in the window [first, last).

    Notes
    -----
    Standard error (1 - r^2) / sqrt(n - 1), that of a bivariate normal sample.
    """
    values = number_of(simulated, variable)[who]
    days = benefit_days(simulated, first, last, benefits)[who]
    r = float(np.corrcoef(values, days)[0, 1])
    return r, (1.0 - r * r) / float(np.sqrt(len(days) - 1))


def _contents(simulated: Simulated, gap: int) -> Contents:
    return once(simulated, "contents of absences", {"gap": gap}, lambda: _find_contents(simulated, gap))


def _find_contents(simulated: Simulated, gap: int) -> Contents:
    found = measured.absences(simulated, gap)
    table = simulated.register.benefits
    table = table[table["benefit"] == "sickness_benefit"]
    person = table["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id
    start = to_days(table["start"]).astype(np.int64)
    grade = table["grade"].to_numpy(dtype=np.float64)
    code = table["diagnosis"].fillna("").to_numpy().astype(np.str_)
    order = np.lexsort((start, person))
    person, start, grade, code = person[order], start[order], grade[order], code[order]
    spell = measured.spell_of(found, person, start)
    k = len(found.person)
    graded_day, first_grade = np.full(k, NEVER, dtype=np.int64), np.zeros(k)
    rows = np.flatnonzero(grade < 100)[::-1]
    graded_day[spell[rows]] = start[rows] - found.start[spell[rows]]
    first_grade[spell[rows]] = grade[rows]
    diagnosis = np.full(k, "", dtype=code.dtype)
    diagnosis[spell[::-1]] = code[::-1]
    return Contents(graded_day, first_grade, diagnosis)
