"""The benefits table: earlier spells, the present absence in certificates, AAP, pension and relapses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, day_of, from_days
from rtwcohort.simulate.events import NEVER, Events, relapse_lengths
from rtwcohort.simulate.people import People, employer_of, person_ids
from rtwcohort.simulate.portable import Ints, choose, stream, uniform, whole
from rtwcohort.simulate.scenario import Scenario

HISTORY_DAYS: Final = 720
"""Earlier spells begin at most this long before the index date: inside two calendar years, leap day or not."""

_SICKNESS, _AAP, _PENSION = 0, 1, 2
_NAMES: Final = ("sickness_benefit", "work_assessment_allowance", "disability_pension")
_CERTIFICATES: Final = (21, 28, 28, 42, 56, 56)
_NOTHING: Final = np.asarray(None, dtype=object)

# ICPC-2 codes by chapter; shares of absence days (Q4 2019): musculoskeletal 37, mental 23, respiratory 6 percent.
DIAGNOSES: Final = (
    (37, ("L03", "L84", "L86", "L02", "L92", "L18", "L83", "L15")),
    (23, ("P76", "P02", "P74", "P03", "P29")),
    (6, ("R74", "R78", "R96", "R95")),
    (34, ("A04", "A01", "N01", "N89", "K86", "K74", "D87", "D93", "S18", "U99")),
)
SPELL_SHARES: Final = (31, 17, 17, 35)
"""The same chapters as shares of sick notes (Q4 2019), for earlier spells."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Spells as arrays of shape (m,): person position, benefit, first day, day after the last, grade, diagnosis."""

    person: Ints
    benefit: Ints
    start: Ints
    end: Ints
    grade: Ints
    diagnosis: Ints


def earlier_spells(scenario: Scenario, people: People, *, seed: int) -> Rows:
    """Draw spells before the present absence, at most one in each quarter of the history, 16 days apart or more."""
    n = scenario.n
    begin = people.index - HISTORY_DAYS
    slot = (people.absence_start - begin) // 4
    rng = stream(seed, "history")
    parts = []
    for k in range(4):
        room = slot - 17
        length = np.minimum(_spell_lengths(rng, n), room)
        start = begin + k * slot + np.floor(uniform(rng, n) * (np.maximum(room - length, 0) + 1)).astype(np.int64)
        graded = (uniform(rng, n) < 0.15) & (length > 16)
        code = _diagnosis(rng, n, SPELL_SHARES)
        took = (uniform(rng, n) < scenario.earlier_spell) & (length > 0)
        parts.append(
            Rows(
                person=np.flatnonzero(took),
                benefit=np.full(int(took.sum()), _SICKNESS),
                start=start[took],
                end=(start + length)[took],
                grade=np.where(graded, 50, 100)[took],
                diagnosis=code[took],
            )
        )
    return _together(parts)


def days_before(scenario: Scenario, people: People, earlier: Rows) -> Ints:
    """Count the days on a benefit in the two years before the index date, which is not counted itself."""
    days = people.index - people.absence_start
    np.add.at(days, earlier.person, earlier.end - earlier.start)
    return days


def benefits_table(scenario: Scenario, people: People, events: Events, earlier: Rows, *, seed: int) -> pd.DataFrame:
    """Build the benefits table as the register would show it on `data_end`."""
    known_to = day_of(scenario.data_end, argument="data_end") + 1
    gone = np.minimum(events.death, events.emigration)
    stop = np.where(people.eligible, people.index + events.time, people.index - 45)
    diagnosis = _diagnosis(stream(seed, "diagnosis"), scenario.n, tuple(share for share, _ in DIAGNOSES))
    rows = _together(
        [
            earlier,
            *_absence(scenario, people, np.minimum(stop, known_to), diagnosis, seed),
            _allowance(scenario, people, stop, seed),
            _pension(people, events, seed, scenario.n),
            *_after_return(scenario, people, events, diagnosis, seed),
        ]
    )
    end = np.minimum(rows.end, gone[rows.person])
    keep = (rows.start < end) & (rows.start < known_to)
    lasting = rows.benefit != _SICKNESS
    shown = np.where(end > known_to, np.where(lasting, MISSING_DAY, known_to - 1), end - 1)
    order = np.lexsort((rows.benefit, rows.start, rows.person))
    order = order[keep[order]]
    person = rows.person[order]
    codes = np.asarray([code for _, codes in DIAGNOSES for code in codes] + [None], dtype=object)
    employer = employer_of(scenario, seed=seed)[person]
    return pd.DataFrame(
        {
            "person_id": person_ids(scenario)[person],
            "benefit": np.asarray(_NAMES, dtype=object)[rows.benefit[order]],
            "start": from_days(rows.start[order]),
            "end": from_days(shown[order]),
            "grade": rows.grade[order].astype(np.float64),
            "diagnosis": codes[rows.diagnosis[order]],
            "employer_id": np.where(rows.benefit[order] == _SICKNESS, employer, _NOTHING),
        }
    )


def _absence(scenario: Scenario, people: People, stop: Ints, diagnosis: Ints, seed: int) -> list[Rows]:
    """Cut the present absence into certificates: at their drawn lengths, where the grade changes, at the maximum."""
    begin = people.absence_start.copy()
    change = people.absence_start + people.grade_from
    stop = np.minimum(stop, people.absence_start + scenario.maximum_days)
    rng = stream(seed, "certificates")
    parts: list[Rows] = []
    while True:
        length = np.asarray(_CERTIFICATES, dtype=np.int64)[choose(rng, scenario.n, [1] * len(_CERTIFICATES))]
        end = np.minimum(begin + length, stop)
        end = np.where((begin < change) & (change < end), change, end)
        active = np.flatnonzero(begin < stop)
        if not active.size:
            return parts
        grade = np.where(begin >= change, people.grade, 100)
        parts.append(_rows(active, _SICKNESS, begin[active], end[active], grade[active], diagnosis[active]))
        begin = np.where(begin < stop, end, begin)


def _allowance(scenario: Scenario, people: People, stop: Ints, seed: int) -> Rows:
    """AAP from the day after the last sickness benefit; a third of its recipients work part of the time."""
    start = people.absence_start + scenario.maximum_days
    grade = np.where(uniform(stream(seed, "allowance"), scenario.n) < 1 / 3, 50, 100)
    who = np.flatnonzero(start < stop)
    return _rows(who, _AAP, start[who], stop[who], grade[who], _no_diagnosis(who))


def _pension(people: People, events: Events, seed: int, n: int) -> Rows:
    grade = np.asarray([100, 50, 60], dtype=np.int64)[choose(stream(seed, "pension"), n, (80, 14, 6))]
    who = np.flatnonzero((events.cause == 1) & people.eligible)
    return _rows(
        who, _PENSION, (people.index + events.time)[who], np.full(who.size, NEVER), grade[who], _no_diagnosis(who)
    )


def _after_return(scenario: Scenario, people: People, events: Events, diagnosis: Ints, seed: int) -> list[Rows]:
    known_to = day_of(scenario.data_end, argument="data_end") + 1
    lengths = relapse_lengths(scenario, seed=seed)
    rng = stream(seed, "relapse_grade")
    parts = []
    for start, length in zip(events.relapse, lengths, strict=True):
        grade = np.where(uniform(rng, scenario.n) < 0.2, 50, 100)
        who = np.flatnonzero((start < known_to) & people.eligible)
        end = np.minimum(start + length, known_to)
        parts.append(_rows(who, _SICKNESS, start[who], end[who], grade[who], diagnosis[who]))
    return parts


def _spell_lengths(rng: np.random.Generator, n: int) -> Ints:
    """Draw lengths: 62 percent at most 16 days, 20 percent from there to eight weeks, the rest longer."""
    band = choose(rng, n, (62, 20, 18))
    least = np.asarray([1, 17, 56], dtype=np.int64)[band]
    most = np.asarray([16, 55, 180], dtype=np.int64)[band]
    return whole(rng, n, least, most)


def _diagnosis(rng: np.random.Generator, n: int, shares: tuple[int, ...]) -> Ints:
    chapter = choose(rng, n, shares)
    sizes = np.asarray([len(codes) for _, codes in DIAGNOSES], dtype=np.int64)
    first = np.cumsum(sizes) - sizes
    return first[chapter] + np.floor(uniform(rng, n) * sizes[chapter]).astype(np.int64)


def _no_diagnosis(who: Ints) -> Ints:
    return np.full(who.size, sum(len(codes) for _, codes in DIAGNOSES), dtype=np.int64)


def _rows(person: Ints, benefit: int, start: Ints, end: Ints, grade: Ints, diagnosis: Ints) -> Rows:
    return Rows(person, np.full(person.size, benefit, dtype=np.int64), start, end, grade, diagnosis)


def _together(parts: list[Rows]) -> Rows:
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__dataclass_fields__
    }
    return Rows(**joined)
