"""Spells of people as rows of the table of benefits: certificates of drawn lengths, allowances, pensions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.core.jit import kernel
from rtwcohort.simulate.draws_kernel import uniform_at
from rtwcohort.simulate.process.borrow_kernel import borrowed
from rtwcohort.simulate.process.paths_kernel import is_sick, pick

COLUMNS = 6
# Positions in the array `file` of one person.
ABSENCES, CERTIFICATES, WITHIN, SEEN_FROM, EMPLOYER_USED, LAST_SICK, DIAGNOSIS, FIRST_DIAGNOSIS = range(8)
FILE = 8


class Spells(NamedTuple):
    """Spells of a block: those of person i are `first[i]:first[i + 1]`; days half-open."""

    person: Any
    first: Any
    end_day: Any
    diagnosis: Any
    state: Any
    start: Any
    end: Any
    grade: Any


class Writing(NamedTuple):
    """Lengths of certificates and diagnoses with cumulative shares; benefit of each state, -1 for none."""

    first_days: Any
    first_share: Any
    later_days: Any
    later_share: Any
    diagnosis_share: Any
    same_again: float
    benefit: Any
    has_diagnosis: Any
    employer_period: int
    employer_gap: int
    shown: bool


class RowKeys(NamedTuple):
    """Keys of the draws."""

    length: np.uint64
    diagnosis: np.uint64
    same: np.uint64


@kernel
def draw_diagnosis(person: int, absence: int, file: Any, writing: Any, keys: Any) -> None:
    """Draw the diagnosis of an absence: the first one again, or a new one."""
    if len(writing.diagnosis_share) == 0:
        return
    if absence == 0:
        if file[FIRST_DIAGNOSIS] < 0:
            u = uniform_at(keys.diagnosis, person, 0)
            file[FIRST_DIAGNOSIS] = pick(writing.diagnosis_share, 0, len(writing.diagnosis_share), u)
        file[DIAGNOSIS] = file[FIRST_DIAGNOSIS]
    elif uniform_at(keys.same, person, absence) < writing.same_again:
        file[DIAGNOSIS] = file[FIRST_DIAGNOSIS]
    else:
        u = uniform_at(keys.diagnosis, person, absence)
        file[DIAGNOSIS] = pick(writing.diagnosis_share, 0, len(writing.diagnosis_share), u)


@kernel
def open_absence(person: int, day: int, file: Any, writing: Any, keys: Any) -> None:
    """Enter the first day of an absence."""
    if day - file[LAST_SICK] - 1 >= writing.employer_gap:
        file[EMPLOYER_USED] = 0
    file[SEEN_FROM] = day if writing.shown else day + writing.employer_period - file[EMPLOYER_USED]
    file[WITHIN] = 0
    draw_diagnosis(person, file[ABSENCES], file, writing, keys)
    file[ABSENCES] += 1


@kernel
def certificate_end(person: int, day: int, file: Any, writing: Any, keys: Any) -> int:
    """Draw the length of the certificate that begins on `day` and return the day after its last."""
    u = uniform_at(keys.length, person, file[CERTIFICATES])
    first = file[WITHIN] == 0
    file[CERTIFICATES] += 1
    file[WITHIN] += 1
    if first:
        return day + int(writing.first_days[pick(writing.first_share, 0, len(writing.first_share), u)])
    return day + int(writing.later_days[pick(writing.later_share, 0, len(writing.later_share), u)])


@kernel
def put(out: Any, used: int, i: int, benefit: int, start: int, end: int, grade: int, diagnosis: int) -> int:
    """Write one row and return the number of rows."""
    out[used, 0] = i
    out[used, 1] = benefit
    out[used, 2] = start
    out[used, 3] = end
    out[used, 4] = grade
    out[used, 5] = diagnosis
    return used + 1


@kernel
def write_certificates(
    i: int, person: int, k: int, spells: Any, writing: Any, keys: Any, file: Any, out: Any, used: int
) -> int:
    """Write the certificates of sick spell k."""
    grade = spells.grade[k] if spells.grade[k] > 0 else 100
    day = max(spells.start[k], file[SEEN_FROM])
    while day < spells.end[k]:
        end = min(certificate_end(person, day, file, writing, keys), spells.end[k])
        used = put(out, used, i, writing.benefit[spells.state[k]], day, end - 1, grade, file[DIAGNOSIS])
        day = end
    return used


@kernel
def write_lasting(
    i: int, person: int, k: int, spells: Any, writing: Any, keys: Any, file: Any, out: Any, used: int
) -> int:
    """Write the row of spell k on another benefit; its end is missing when it runs at the end of data."""
    state = spells.state[k]
    diagnosis = -1
    if writing.has_diagnosis[state]:
        if file[DIAGNOSIS] < 0:
            draw_diagnosis(person, 0, file, writing, keys)
        diagnosis = file[DIAGNOSIS]
    end = MISSING_DAY if spells.end[k] == spells.end_day[i] else spells.end[k] - 1
    grade = spells.grade[k] if spells.grade[k] > 0 else 100
    return put(out, used, i, writing.benefit[state], spells.start[k], end, grade, diagnosis)


@kernel
def write_person(i: int, spells: Any, writing: Any, keys: Any, file: Any, out: Any, used: int) -> int:
    """Write all rows of person i and return the number of rows."""
    person = spells.person[i]
    file[:] = 0
    file[LAST_SICK] = -(1 << 40)
    file[DIAGNOSIS] = -1
    file[FIRST_DIAGNOSIS] = spells.diagnosis[i]
    was_sick = False
    began = 0
    for k in range(spells.first[i], spells.first[i + 1]):
        sick = is_sick(spells.state[k])
        if sick and not was_sick:
            began = spells.start[k]
            open_absence(person, began, file, writing, keys)
        if was_sick and not sick:
            file[EMPLOYER_USED] = min(writing.employer_period, file[EMPLOYER_USED] + spells.start[k] - began)
            file[LAST_SICK] = spells.start[k] - 1
        if sick:
            used = write_certificates(i, person, k, spells, writing, keys, file, out, used)
        elif writing.benefit[spells.state[k]] >= 0:
            used = write_lasting(i, person, k, spells, writing, keys, file, out, used)
        was_sick = sick
    return used


@kernel
def most_rows(i: int, spells: Any, least: int) -> int:
    """Return a number of rows that person i cannot have more than: certificates last `least` days or end a spell."""
    rows = 0
    for k in range(spells.first[i], spells.first[i + 1]):
        rows += 1 + ((spells.end[k] - spells.start[k]) // least if is_sick(spells.state[k]) else 0)
    return rows


@kernel
def write_all(spells: Any, writing: Any, keys: Any, least: int, file: Any) -> Any:
    """Write the rows of a block of people; `file` is work space of `FILE` whole numbers.

    The tables must be held by the caller outside compiled code: they are lent without a count of references.

    Returns
    -------
    numpy.ndarray of int32, shape (m, COLUMNS)
        Person (position), benefit, start, end (inclusive), grade, diagnosis.
    """
    n = len(spells.person)
    out = np.empty((len(spells.state) + 64, COLUMNS), dtype=np.int32)
    lent, rules, notes = borrowed((spells, writing, file))
    used = 0
    for i in range(n):
        needed = used + most_rows(i, lent, least)
        if needed > len(out):
            larger = np.empty((2 * len(out) + needed, COLUMNS), dtype=np.int32)
            larger[:used] = out[:used]
            out = larger
        used = write_person(i, lent, rules, keys, notes, out, used)
    return out[:used].copy()
