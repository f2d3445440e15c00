"""Days of absence in windows against a count of one day at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.absence_days import absence_days
from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.register.register import Register

NAMES = ("sickness_benefit", "work_assessment_allowance", "other")
EPOCH = pd.Timestamp("1970-01-01")
END = 18_700
WINDOWS = [(0, 90), (-200, 0), (30, 400), (-5, 5), (1000, 1001)]


def random_case(rng, n=80):
    """Return plain tuples: people (id, death, emigration), spells and index days, all as day numbers."""
    ids = [int(k) for k in rng.permutation(n) + 5]
    leave = [int(rng.integers(18_300, 18_800)) if rng.random() < 0.25 else None for _ in range(2 * n)]
    people = list(zip(ids, leave[:n], leave[n:], strict=True))
    spells = []
    for _ in range(5 * n):
        start = int(rng.integers(18_000, 18_750))
        end = None if rng.random() < 0.05 else start + int(rng.integers(0, 80))
        grade = float(rng.choice([100, 50, 25, 75, 0]))
        spells.append((ids[int(rng.integers(n))], NAMES[int(rng.integers(3))], start, end, grade))
    index = [(person, int(rng.integers(18_150, 18_720))) for person in ids[: n - 7]]
    return people, spells, index


def make(people, spells, index):
    def dates(values):
        stamps = [pd.NaT if value is None else EPOCH + pd.Timedelta(days=value) for value in values]
        return pd.Series(stamps, dtype="datetime64[s]")

    persons = pd.DataFrame({"person_id": [p[0] for p in people]})
    persons["death_date"], persons["emigration_date"] = dates(p[1] for p in people), dates(p[2] for p in people)
    benefits = pd.DataFrame(spells, columns=["person_id", "benefit", "start", "end", "grade"])
    benefits["start"], benefits["end"] = dates(s[2] for s in spells), dates(s[3] for s in spells)
    enrolment = pd.DataFrame({"person_id": [i[0] for i in index], "index_date": dates(i[1] for i in index)})
    return Register(persons, benefits, None, enrolment, None, EPOCH + pd.Timedelta(days=END))


def naive(people, spells, person, first, last, counted=NAMES):
    """Return observed, absent and weighted days of one person over [first, last)."""
    leaves = min(x for x in (*people[person], END + 1) if x is not None)
    observed = absent = 0
    weighted = 0.0
    for day in range(first, min(last, leaves)):
        grades = {}
        for benefit, start, end, grade in spells.get(person, []):
            if benefit in counted and start <= day <= (END if end is None else end):
                grades[benefit] = max(grade, grades.get(benefit, 0.0))
        total = min(100.0, sum(grades.values()))
        observed += 1
        absent += total > 0
        weighted += total / 100
    return observed, absent, weighted


@pytest.mark.parametrize("counted", [None, ("sickness_benefit", "other")])
@pytest.mark.parametrize("seed", range(3))
def test_every_person_and_window(seed, counted):
    people, spells, index = random_case(np.random.default_rng(seed))
    register = make(people, spells, index)
    got = absence_days(register, windows=WINDOWS, benefits=counted)
    by_person = {}
    for person, *spell in spells:
        by_person.setdefault(person, []).append(spell)
    leaving = {person: (death, left) for person, death, left in people}
    want = [
        (person, low, high, *naive(leaving, by_person, person, day + low, day + high, counted or NAMES))
        for person, day in index
        for low, high in WINDOWS
    ]
    columns = ["person_id", "from_day", "to_day", "observed_days", "absence_days", "weighted_days"]
    pd.testing.assert_frame_equal(got, pd.DataFrame(want, columns=columns), check_exact=True)
    assert (got["observed_days"] < got["to_day"] - got["from_day"]).any()

    timeline = build_timeline(register, window=("2018-01-01", "2030-01-01"), benefits=counted)
    again = absence_days(timeline, windows=WINDOWS, index=register.enrolment)
    pd.testing.assert_frame_equal(got, again)


def test_adjacent_windows_add_up():
    people, spells, index = random_case(np.random.default_rng(9))
    register = make(people, spells, index)
    parts = absence_days(register, windows=[(-100, 0), (0, 50), (50, 365)])
    whole = absence_days(register, windows=[(-100, 365)])
    sums = parts.groupby("person_id", sort=False)[["observed_days", "absence_days", "weighted_days"]].sum()
    np.testing.assert_array_equal(sums.to_numpy(), whole.iloc[:, 3:].to_numpy())


def test_by_hand():
    """Graded 50 % from the third day before the index to its fourth day, death on its eleventh."""
    people = [(1, 18_310, None), (2, None, None)]
    register = make(people, [(1, NAMES[0], 18_297, 18_303, 50.0)], [(1, 18_300), (2, 18_300)])
    got = absence_days(register, windows=[(-5, 0), (0, 4), (4, 20), (0, 365)])
    figures = got.iloc[:, 3:].to_numpy().tolist()
    assert figures[:4] == [[5, 3, 1.5], [4, 4, 2.0], [6, 0, 0.0], [10, 4, 2.0]]
    assert figures[4:] == [[5, 0, 0.0], [4, 0, 0.0], [16, 0, 0.0], [365, 0, 0.0]]
    assert absence_days(register)["to_day"].tolist() == [365, 365]


def test_index_after_the_end_of_data_observes_nothing():
    register = make([(1, None, None)], [(1, NAMES[0], 18_600, None, 100.0)], [(1, END + 50)])
    got = absence_days(register, windows=[(0, 10), (-60, 0)])
    assert got[["observed_days", "absence_days"]].to_numpy().tolist() == [[0, 0], [11, 11]]


BAD = {
    "none": ([], "`windows` must be a list of at least one pair"),
    "number": (365, "`windows` must be a list"),
    "flat": ([0, 365], "`windows` must hold pairs of days such as"),
    "three": ([(0, 1, 2)], "`windows` must hold pairs"),
    "empty": ([(5, 5)], r"`windows` must end after they start \(half-open\); got \(5, 5\)"),
    "fraction": ([(0, 1.5)], "`windows` must be a whole number"),
    "text": ("0-365", "`windows` must hold pairs"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name):
    windows, message = BAD[name]
    with pytest.raises(ArgumentError, match=message):
        absence_days(make([(1, None, None)], [], [(1, 18_300)]), windows=windows)
