"""Measures of absence spells: how long they are, whose days they hold, where people go when the benefit runs out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.days import MISSING_DAY, day_of, to_days
from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.measures.numbers import Measured, mean, percent, quantile, ratio
from rtwcohort.simulate.measures.simulated import Bools, Simulated, once
from rtwcohort.simulate.population.history import weekdays
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.process.compiled import years_later

DESTINATIONS: Final = ("work", "aap", "disability", "retired", "unemployed", "outside", "sick")
"""Where people are some time after: the first that fits, benefits before work, `outside` when nothing is known."""

_BENEFIT_OF: Final = {
    "disability": "disability_pension",
    "aap": "work_assessment_allowance",
    "sick": "sickness_benefit",
    "retired": "retirement_pension",
    "unemployed": "unemployment_benefit",
}


@dataclass(frozen=True, slots=True)
class Spells:
    """Sickness absences, certificates merged: sorted by person and start, shape (k,).

    Attributes
    ----------
    person
        Position.
    start, end
        Days, half-open.
    running
        Whether it goes on at the end of data.
    """

    person: Ints
    start: Ints
    end: Ints
    running: Bools


def spell_share(
    simulated: Simulated,
    who: Bools,
    *,
    at_most: int | None = None,
    more_than: int | None = None,
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Percentage of sickness absences that last at most, or more than, some days, among those begun in a period.

    `first` and `last` are ISO dates; without them, absences from the first index date on that began a year or more
    before the end of data. Certificates at most `gap` days apart are one absence.
    """
    spells, chosen = begun(simulated, who, first, last, gap)
    return percent(by_length(spells.end[chosen] - spells.start[chosen], at_most, more_than))


def spell_days_share(
    simulated: Simulated,
    who: Bools,
    *,
    at_most: int | None = None,
    more_than: int | None = None,
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Percentage of all days of sickness absence that lie in spells of at most, or more than, some days."""
    spells, chosen = begun(simulated, who, first, last, gap)
    days = (spells.end[chosen] - spells.start[chosen]).astype(np.float64)
    return ratio(days * by_length(days, at_most, more_than), days)


def spell_length(
    simulated: Simulated,
    who: Bools,
    *,
    q: float | None = None,
    first: str | None = None,
    last: str | None = None,
    gap: int = 0,
) -> Measured:
    """Mean length of sickness absences in days, or the quantile `q` of it."""
    spells, chosen = begun(simulated, who, first, last, gap)
    days = (spells.end[chosen] - spells.start[chosen]).astype(np.float64)
    return mean(days) if q is None else quantile(days, q)


def spells_per_year(
    simulated: Simulated, who: Bools, *, first: str | None = None, last: str | None = None, gap: int = 0
) -> Measured:
    """Sickness absences begun in a period, per person and year."""
    spells, chosen = begun(simulated, who, first, last, gap)
    low, high = _period(simulated, first, last)
    each = np.bincount(spells.person[chosen], minlength=len(simulated.people))[who]
    return mean(each.astype(np.float64) * 365.25 / (high - low + 1))


def absence_rate(
    simulated: Simulated, who: Bools, *, first: str, last: str, longer_than: int = 0, gap: int = 0
) -> Measured:
    """Percentage of days in a job that are lost to sickness absence, by grade, between two ISO dates.

    `longer_than` leaves out absences of at most so many days.
    """
    low, high = day_of(first, argument="first"), day_of(last, argument="last") + 1
    n = len(simulated.people)
    table = simulated.register.employment
    if table is None:
        raise ScenarioError("`absence_rate` needs an employment table.")
    jobs = _overlap(simulated, table, low, high) * table["position"].to_numpy() / 100.0
    owner = table["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id
    available: Floats = np.bincount(owner, weights=jobs, minlength=n).astype(np.float64)
    sick = simulated.register.benefits[simulated.register.benefits["benefit"] == "sickness_benefit"]
    lost = _overlap(simulated, sick, low, high) * sick["grade"].to_numpy() / 100.0
    owner = sick["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id
    if longer_than:
        lost = lost * _in_long_spell(simulated, sick, longer_than, gap)
    off: Floats = np.minimum(np.bincount(owner, weights=lost, minlength=n), available).astype(np.float64)
    return ratio(off[who], available[who])


def after_exhaustion(
    simulated: Simulated, who: Bools, *, to: str, days: int = 183, first: str | None = None, last: str | None = None
) -> Measured:
    """Percentage in a state some days after the sickness benefit ran out; see `DESTINATIONS`.

    It ran out when the paid weekdays of the absence and of those in the years before it that count reach the rules'
    number. Of those who died or moved away nothing is counted.
    """
    check_choice(to, DESTINATIONS, argument="to")
    check_number(days, argument="days", least=1, whole=True)
    state = exhausted_then(simulated, who, days, first, last)[2]
    return percent(state[state >= 0] == DESTINATIONS.index(to))


def exhausted_then(
    simulated: Simulated, who: Bools, days: int, first: str | None, last: str | None
) -> tuple[Ints, Ints, Ints]:
    """Return who used up the benefit in a period, on which day, and where they are some days after (-1: gone)."""
    person, day = _exhausted(simulated)
    low, high = _period(simulated, first, last, margin=days + 1)
    chosen = who[person] & (day >= low) & (day <= high)
    person, day = person[chosen], day[chosen]
    return person, day, _destination(simulated, person, day + days)


def exhausted_share(simulated: Simulated, who: Bools, *, last: int = 365) -> Measured:
    """Percentage whose sickness benefit ran out within so many days from the index date."""
    person, day = _exhausted(simulated)
    hit = np.zeros(len(simulated.people), dtype=np.bool_)
    index = simulated.people.index[person]
    hit[person[(day >= index) & (day <= index + last)]] = True
    return percent(hit[who])


def absences(simulated: Simulated, gap: int = 0) -> Spells:
    """Return the sickness absences of the register: rows of sickness benefit at most `gap` days apart merged."""
    return once(simulated, "absences", {"gap": gap}, lambda: _absences(simulated, gap))


def _absences(simulated: Simulated, gap: int) -> Spells:
    table = simulated.register.benefits
    table = table[table["benefit"] == "sickness_benefit"]
    person = table["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id
    stop = day_of(simulated.register.data_end, argument="data_end") + 1
    start = to_days(table["start"]).astype(np.int64)
    last = to_days(table["end"]).astype(np.int64)
    running = (last == MISSING_DAY) | (last + 1 >= stop)
    end = np.where(running, stop, last + 1)
    order = np.lexsort((start, person))
    person, start, end, running = person[order], start[order], end[order], running[order]
    fresh = np.ones(len(person), dtype=np.bool_)
    fresh[1:] = (person[1:] != person[:-1]) | (start[1:] > end[:-1] + gap)
    first = np.flatnonzero(fresh)
    if not len(first):
        return Spells(person, start, end, running)
    return Spells(person[first], start[first], np.maximum.reduceat(end, first), np.logical_or.reduceat(running, first))


def _period(simulated: Simulated, first: str | None, last: str | None, margin: int = 365) -> tuple[int, int]:
    begin: Any = first or simulated.scenario.enrolment[0]
    end = day_of(simulated.register.data_end, argument="data_end") - margin
    return day_of(begin, argument="first"), min(day_of(last, argument="last"), end) if last else end


def begun(simulated: Simulated, who: Bools, first: str | None, last: str | None, gap: int) -> tuple[Spells, Bools]:
    """Return all absences and which of them began in the period, by people who are meant."""
    spells = absences(simulated, gap)
    low, high = _period(simulated, first, last, margin=0 if last else 365)
    return spells, who[spells.person] & (spells.start >= low) & (spells.start <= high)


def by_length(days: Any, at_most: int | None, more_than: int | None) -> Bools:
    """Return which lengths are at most, and more than, some days."""
    if at_most is None and more_than is None:
        raise ScenarioError("give `at_most` or `more_than`, in days.")
    return np.asarray(
        (days <= (np.inf if at_most is None else at_most)) & (days > (-np.inf if more_than is None else more_than))
    )


def _overlap(simulated: Simulated, table: Any, low: int, high: int) -> Floats:
    start = to_days(table["start"]).astype(np.int64)
    end = to_days(table["end"]).astype(np.int64)
    stop = day_of(simulated.register.data_end, argument="data_end") + 1
    end = np.where(end == MISSING_DAY, stop, end + 1)
    return np.asarray(np.maximum(np.minimum(end, high) - np.maximum(start, low), 0), dtype=np.float64)


def spell_of(spells: Spells, person: Ints, start: Ints) -> Ints:
    """Return which absence each certificate belongs to, by its person and first day."""
    key = (spells.person << 32) + spells.start + (1 << 31)
    return np.asarray(np.searchsorted(key, (person << 32) + start + (1 << 31), "right") - 1, dtype=np.int64)


def _in_long_spell(simulated: Simulated, rows: Any, longer_than: int, gap: int) -> Floats:
    spells = absences(simulated, gap)
    person = rows["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id
    place = spell_of(spells, person, to_days(rows["start"]).astype(np.int64))
    return np.asarray(spells.end[place] - spells.start[place] > longer_than, dtype=np.float64)


def _exhausted(simulated: Simulated) -> tuple[Ints, Ints]:
    return once(simulated, "exhausted", {}, lambda: _find_exhausted(simulated))


def _find_exhausted(simulated: Simulated) -> tuple[Ints, Ints]:
    """Return position and first day without benefit of everybody whose paid days ran out."""
    rules = simulated.scenario.process.entitlement
    spells = absences(simulated)
    first = _first_paid(spells, rules.employer_period, rules.employer_gap) if rules.shown else spells.start
    last = _last_weekday(spells.end)
    paid = np.flatnonzero(first <= last)
    person, first, last, start = spells.person[paid], first[paid], last[paid], spells.start[paid]
    anew = np.ones(len(paid), dtype=np.bool_)
    anew[1:] = (person[1:] != person[:-1]) | (start[1:] - last[:-1] - 1 >= rules.reearn_weeks * 7)
    right = np.cumsum(anew)
    since = years_later(last, -rules.window_years) + 1
    total = weekdays(first, last + 1)
    for back in range(1, int(np.bincount(right).max(initial=1))):
        later, before = np.arange(back, len(paid)), np.arange(len(paid) - back)
        low = np.maximum(first[before], since[later])
        counts = (right[later] == right[before]) & (low <= last[before])
        total[later] += np.where(counts, weekdays(low, np.maximum(last[before] + 1, low)), 0)
    ran_out = (total >= rules.paid_days) & ~spells.running[paid]
    return person[ran_out], spells.end[paid][ran_out]


def _first_paid(spells: Spells, employer_period: int, employer_gap: int) -> Ints:
    """Return the first day after the employer period, which absences soon after one another share."""
    if not len(spells.start):
        return spells.start
    fresh = np.ones(len(spells.start), dtype=np.bool_)
    fresh[1:] = (spells.person[1:] != spells.person[:-1]) | (spells.start[1:] - spells.end[:-1] >= employer_gap)
    length = spells.end - spells.start
    before = np.cumsum(length) - length
    used = before - before[np.flatnonzero(fresh)][np.cumsum(fresh) - 1]
    return np.asarray(spells.start + np.maximum(employer_period - used, 0))


def _last_weekday(end: Ints) -> Ints:
    """Return the last Monday to Friday before each day."""
    since_monday = (end + 2) % 7
    return np.asarray(end - 1 - np.maximum(since_monday - 4, 0))


def _destination(simulated: Simulated, person: Ints, day: Ints) -> Ints:
    """Return the number of the destination of each (person, day), -1 for the dead and those who moved away."""
    register = simulated.register
    out = np.full(len(person), DESTINATIONS.index("outside"), dtype=np.int64)
    if register.employment is not None:
        out[holds(simulated, register.employment, person, day)] = DESTINATIONS.index("work")
    for name in ("unemployed", "retired", "sick", "aap", "disability"):
        rows = register.benefits[register.benefits["benefit"] == _BENEFIT_OF[name]]
        out[holds(simulated, rows, person, day)] = DESTINATIONS.index(name)
    for column in ("death_date", "emigration_date"):
        gone = to_days(register.persons[column]).astype(np.int64)[person]
        out[(gone != MISSING_DAY) & (gone <= day)] = -1
    return out


def holds(simulated: Simulated, rows: Any, person: Ints, day: Ints) -> Bools:
    """Whether a row of the table covers the day of the person."""
    owner = rows["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id
    start = to_days(rows["start"]).astype(np.int64)
    end = to_days(rows["end"]).astype(np.int64)
    end = np.where(end == MISSING_DAY, dt.date.max.toordinal(), end)
    order = np.argsort(owner, kind="stable")
    owner, start, end = owner[order], start[order], end[order]
    low, high = np.searchsorted(owner, person, "left"), np.searchsorted(owner, person, "right")
    out = np.zeros(len(person), dtype=np.bool_)
    for step in range(int((high - low).max(initial=0))):
        row = np.minimum(low + step, max(len(owner) - 1, 0))
        out |= (low + step < high) & (start[row] <= day) & (day <= end[row])
    return out
