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


@pytest.mark.parametrize("seed", range(4))
def test_many_spells_on_few_people_day_by_day(seed):
    """Weekly codes over years: enough spells for every step of the sort, in falling, rising and random order."""
    rng = np.random.default_rng(100 + seed)
    weeks = rng.permutation(300) if seed < 2 else np.arange(300)[:: 1 if seed == 2 else -1]
    spells = [(1, str(rng.choice(BENEFIT_NAMES[:3])), 14_000 + 7 * k, 14_000 + 7 * k + 6, 50.0) for k in weeks]
    spells = [spell for spell in spells if rng.random() < 0.8]
    people, options = [(1, None, None)], {"merge_gap_days": 7}
    timeline = build_timeline(make_register(people, spells), window=(date(13_990), date(16_200)), **options)
    check_shape(timeline)
    want = naive_days(people, spells, None, options, 13_990, 16_200)[1]
    assert unroll(timeline, 0) == [tuple(map(float, row)) for row in want]


def many(rng, n_people, n_spells):
    people = [(int(k) * 3 + 1, None, None) for k in rng.permutation(n_people)]
    start = rng.integers(18_000, 18_380, n_spells)
    length = rng.integers(0, 60, n_spells)
    who = rng.integers(0, n_people, n_spells)
    spells = [
        (people[w][0], BENEFIT_NAMES[k], int(s), int(s + d), float(g))
        for w, k, s, d, g in zip(
            who, rng.integers(0, 7, n_spells), start, length, rng.choice([100.0, 50.0, 33.3], n_spells), strict=True
        )
    ]
    return people, spells


def same_timeline(one, other):
    for name in ("offset", "start", "end", "state", "present", "grade", "work_share"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_blocks_and_threads_do_not_matter(monkeypatch):
    """Several blocks of people and chunks of rows give what each person alone gives."""
    rng = np.random.default_rng(7)
    people, spells = many(rng, 5_000, 12_000)
    register = make_register(people, spells)
    monkeypatch.setattr("rtwcohort.outcomes.person_lookup.CHUNK", 500)
    timeline = build_timeline(register, window=(date(17_990), date(18_399)))
    check_shape(timeline)
    for i in (0, 1, 1_023, 1_024, 2_048, 4_095, 4_096, 4_999):
        alone = people[i : i + 1]
        want = naive_days(alone, [s for s in spells if s[0] == people[i][0]], None, {}, 17_990, 18_399)
        rows = [tuple(float(np.float32(x)) for x in row) for row in want[people[i][0]]]
        assert unroll(timeline, i) == rows


def test_invariances():
    """Row order, ids and the calendar do not matter, nor does one spell written as two."""
    rng = np.random.default_rng(11)
    people, spells = many(rng, 40, 300)
    window = (date(18_010), date(18_390))
    usual = build_timeline(make_register(people, spells), window=window, same_benefit="sum", merge_gap_days=5)

    shuffled = [spells[k] for k in rng.permutation(len(spells))]
    again = build_timeline(make_register(people, shuffled), window=window, same_benefit="sum", merge_gap_days=5)
    same_timeline(usual, again)

    cut = [part for p, b, s, e, g in spells for part in ((p, b, s, (s + e) // 2, g), (p, b, (s + e) // 2 + 1, e, g))]
    cut = [part for part in cut if part[2] <= part[3]]
    assert len(cut) > len(spells)
    again = build_timeline(make_register(people, cut), window=window, same_benefit="sum", merge_gap_days=5)
    same_timeline(usual, again)

    for rename in (lambda k: f"p{k:05d}", lambda k: -7 * k, lambda k: 10**12 + k * 999_983):
        renamed = make_register([(rename(p), d, e) for p, d, e in people], [(rename(s[0]), *s[1:]) for s in spells])
        again = build_timeline(renamed, window=window, same_benefit="sum", merge_gap_days=5)
        assert list(again.people.person_id) == [rename(p) for p, _, _ in people]
        same_timeline(usual, again)

    for shift in (-18_200, 366, 3_653):
        later = [(p, b, s + shift, e + shift, g) for p, b, s, e, g in spells]
        moved = make_register(people, later, data_end=DATA_END + shift)
        again = build_timeline(
            moved, window=(date(18_010 + shift), date(18_390 + shift)), same_benefit="sum", merge_gap_days=5
        )
        np.testing.assert_array_equal(again.start, usual.start + shift)
        np.testing.assert_array_equal(again.grade, usual.grade)
        np.testing.assert_array_equal(again.state, usual.state)


def test_a_window_is_a_view():
    """A narrow window shows what a wide one shows there, gaps at its edges included."""
    rng = np.random.default_rng(13)
    people, spells = many(rng, 30, 200)
    register = make_register(people, spells)
    wide = build_timeline(register, window=(date(17_950), date(DATA_END)), merge_gap_days=15)
    frame = pd.DataFrame({"person_id": [p for p, _, _ in people][::-1]})
    first = rng.integers(17_950, 18_390, len(frame))
    last = first + rng.integers(0, 100, len(frame))
    frame["from_date"], frame["to_date"] = [date(d) for d in first], [date(d) for d in last]
    narrow = build_timeline(register, window=frame, merge_gap_days=15)
    check_shape(narrow)
    for k in range(len(frame)):
        i = len(frame) - 1 - k
        shown = unroll(wide, i)[first[k] - 17_950 : min(last[k], DATA_END) - 17_950 + 1]
        assert unroll(narrow, k) == shown
