"""The timeline against an independent day-by-day computation on thousands of random people."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.register.benefits import BENEFIT_NAMES, DEFAULT_PRIORITY
from rtwcohort.register.register import Register

EPOCH = pd.Timestamp("1970-01-01")
DATA_END = 18_400


def date(day):
    return pd.NaT if pd.isna(day) else EPOCH + pd.Timedelta(days=int(day))


def spell_frame(rows, columns):
    frame = pd.DataFrame(rows, columns=columns)
    for column in ("start", "end"):
        frame[column] = pd.Series([date(day) for day in frame[column]], dtype="datetime64[s]")
    return frame


def make_register(people, spells, jobs=None, *, data_end=DATA_END):
    """Rows of plain numbers to a register: people (id, death, emigration), spells and jobs with inclusive ends."""
    persons = pd.DataFrame({"person_id": [person for person, _, _ in people]})
    persons["death_date"] = pd.Series([date(death) for _, death, _ in people], dtype="datetime64[s]")
    persons["emigration_date"] = pd.Series([date(left) for _, _, left in people], dtype="datetime64[s]")
    benefits = spell_frame(spells, ["person_id", "benefit", "start", "end", "grade"])
    benefits["grade"] = benefits["grade"].astype(float)
    employment = None
    if jobs is not None:
        employment = spell_frame(jobs, ["person_id", "start", "end", "position"])
    return Register(persons, benefits, employment, None, None, date(data_end))


def naive_paid(spells, person, known_until, options):
    """{day: (state, present, grade)} of one person, one day at a time, before anything leaves."""
    priority = options.get("priority", DEFAULT_PRIORITY)
    together = sum if options.get("same_benefit") == "sum" else max
    paid = {}
    for _, benefit, start, end, grade in (s for s in spells if s[0] == person):
        for day in range(start, known_until if end is None else min(end + 1, known_until)):
            paid.setdefault(day, {}).setdefault(benefit, []).append(float(np.float32(grade)))
    content = {}
    for day, benefits in paid.items():
        counted = [benefit for benefit in benefits if benefit in (options.get("benefits") or BENEFIT_NAMES)]
        grade = min(100.0, sum(together(benefits[benefit]) for benefit in counted))
        top = BENEFIT_NAMES.index(min(benefits, key=priority.index))
        content[day] = (top + 1, sum(2 ** BENEFIT_NAMES.index(benefit) for benefit in benefits), grade)
    for before, after in itertools.pairwise(sorted(content)):
        if after - before - 1 <= options.get("merge_gap_days", 0):
            content.update({day: content[before] for day in range(before + 1, after)})
    return content


def naive_position(jobs, person, day):
    if not jobs:
        return 100.0
    held = [p for who, start, end, p in jobs if who == person and start <= day and (end is None or day <= end)]
    return min(100.0, sum(float(np.float32(p)) for p in held))


def naive_days(people, spells, jobs, options, first, last, *, data_end=DATA_END):
    """{person: [(state, present, grade, work share)]} for each day first..last, one day at a time."""
    result = {}
    for person, death, left in people:
        content = naive_paid(spells, person, min(x for x in (death, left, data_end + 1) if x is not None), options)
        rows = []
        for day in range(first, min(last, data_end) + 1):
            if death is not None and day >= death:
                rows.append((100, 0, 0.0, 0.0))
            elif left is not None and day >= left:
                rows.append((101, 0, 0.0, 0.0))
            else:
                state, present, grade = content.get(day, (0, 0, 0.0))
                share = (100 - float(np.float32(grade))) * naive_position(jobs, person, day) / 100
                rows.append((state, present, grade, share))
        result[person] = rows
    return result


def unroll(timeline, i):
    rows = []
    for row in range(timeline.offset[i], timeline.offset[i + 1]):
        content = (timeline.state[row], timeline.present[row], timeline.grade[row], timeline.work_share[row])
        rows += [tuple(float(np.float32(x)) for x in content)] * int(timeline.end[row] - timeline.start[row])
    return rows


def check_shape(timeline):
    """The promises of the docstring that hold for every timeline."""
    offset = timeline.offset
    assert offset[0] == 0
    assert offset[-1] == len(timeline.start) == len(timeline.end) == len(timeline.state)
    assert (np.diff(offset) >= 1).all()
    assert (timeline.end > timeline.start).all()
    np.testing.assert_array_equal(timeline.start[offset[:-1]], timeline.people.from_day)
    np.testing.assert_array_equal(timeline.end[offset[1:] - 1], timeline.people.to_day)
    inner = np.setdiff1d(np.arange(1, len(timeline.start)), offset)
    np.testing.assert_array_equal(timeline.start[inner], timeline.end[inner - 1])
    same = (
        (timeline.state[inner] == timeline.state[inner - 1])
        & (timeline.present[inner] == timeline.present[inner - 1])
        & (timeline.grade[inner] == timeline.grade[inner - 1])
        & (timeline.work_share[inner] == timeline.work_share[inner - 1])
    )
    assert not same.any()
    kinds = [timeline.start, timeline.end, timeline.state, timeline.present, timeline.grade, timeline.work_share]
    assert [str(column.dtype) for column in kinds] == ["int32", "int32", "int8", "uint16", "float32", "float32"]


def random_case(rng):
    first, n_people = 18_300, int(rng.integers(1, 6))

    def maybe(low, high, share):
        return int(rng.integers(low, high)) if rng.random() < share else None

    people = [(k * 7 + 3, maybe(first, first + 120, 0.2), maybe(first, first + 120, 0.15)) for k in range(n_people)]
    rng.shuffle(people)
    some = rng.choice(BENEFIT_NAMES, size=int(rng.integers(1, 5)), replace=False)
    spells, jobs = [], []
    for person, _, _ in people:
        for _ in range(int(rng.integers(0, 8))):
            start = int(rng.integers(first - 20, first + 110))
            end = None if rng.random() < 0.08 else start + int(rng.integers(0, 30))
            grade = float(rng.choice([100.0, 50.0, 60.0, 20.0, 33.3, 16.7, 12.1, 0.0]))
            spells.append((person, str(rng.choice(some)), start, end, grade))
        for _ in range(int(rng.integers(0, 4))):
            start = int(rng.integers(first - 50, first + 110))
            end = None if rng.random() < 0.3 else start + int(rng.integers(0, 60))
            jobs.append((person, start, end, float(rng.choice([100.0, 50.0, 80.0, 37.5, 0.0]))))
    order = rng.permutation(len(spells))
    spells = [spells[k] for k in order]
    options = {
        "same_benefit": str(rng.choice(["highest", "sum"])),
        "merge_gap_days": int(rng.choice([0, 0, 1, 3, 15])),
        "priority": tuple(str(name) for name in rng.permutation(BENEFIT_NAMES)),
    }
    if rng.random() < 0.3:
        options["benefits"] = tuple(str(name) for name in rng.choice(BENEFIT_NAMES, size=3, replace=False))
    return people, spells, jobs if rng.random() < 0.5 else None, options


@pytest.mark.parametrize("seed", range(8))
def test_random_registers_day_by_day(seed):
    rng = np.random.default_rng(seed)
    for _ in range(120):
        people, spells, jobs, options = random_case(rng)
        first, last = 18_300 + int(rng.integers(-30, 40)), 18_345 + int(rng.integers(0, 80))
        timeline = build_timeline(make_register(people, spells, jobs), window=(date(first), date(last)), **options)
        check_shape(timeline)
        expected = naive_days(people, spells, jobs, options, first, last)
        for i, (person, _, _) in enumerate(people):
            assert timeline.people.person_id[i] == person
            want = [tuple(float(np.float32(x)) for x in row) for row in expected[person]]
            assert unroll(timeline, i) == want, (person, options)
