"""Work status at fixed days against a computation for one day at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.outcomes.work_status import count_work_status, work_status
from rtwcohort.register.register import Register

NAMES = ("sickness_benefit", "work_assessment_allowance", "other")
END = pd.Timestamp("2021-03-15")


def random_register(rng, n=60, *, with_jobs):
    def dates(low, high, size, missing=0.0):
        days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(low, high, size), unit="D")
        return pd.Series(days).where(rng.random(size) >= missing).astype("datetime64[s]")

    persons = pd.DataFrame({"person_id": rng.permutation(n) + 100})
    persons["death_date"], persons["emigration_date"] = dates(50, 500, n, 0.8), dates(50, 500, n, 0.8)
    m = 4 * n
    spells = pd.DataFrame({"person_id": rng.choice(persons["person_id"], m), "benefit": rng.choice(NAMES, m)})
    spells["start"] = dates(-50, 420, m)
    spells["end"] = (spells["start"] + pd.to_timedelta(rng.integers(0, 90, m), unit="D")).where(rng.random(m) > 0.05)
    spells["grade"] = rng.choice([100.0, 50.0, 40.0, 20.0], m)
    jobs = None
    if with_jobs:
        jobs = pd.DataFrame({"person_id": rng.choice(persons["person_id"], n), "start": dates(-100, 300, n)})
        jobs["end"] = (jobs["start"] + pd.to_timedelta(rng.integers(0, 400, n), unit="D")).where(rng.random(n) > 0.3)
        jobs["position"] = rng.choice([100.0, 50.0, 0.0], n)
    index = pd.DataFrame({"person_id": rng.permutation(persons["person_id"])[: n - 10]})
    index["index_date"] = dates(0, 400, n - 10)
    return Register(persons, spells, jobs, index, None, END)


def covers(frame, person, day):
    mine = frame[frame["person_id"] == person]
    return mine[(mine["start"] <= day) & (mine["end"].isna() | (day <= mine["end"]))]


def naive_status(register, person, day, partly_from=0.0, fully_from=100.0):
    """Return the status and reason of one person on one date."""
    row = register.persons.set_index("person_id").loc[person]
    until = min(day, register.data_end)
    if row["death_date"] <= until:
        return None, "death"
    if row["emigration_date"] <= until:
        return None, "emigration"
    if day > register.data_end:
        return None, "end_of_data"
    paid = covers(register.benefits, person, day)
    works = 100 - min(100, paid.groupby("benefit")["grade"].max().sum())
    has_job = register.employment is None or covers(register.employment, person, day)["position"].sum() > 0
    if works <= 0 or not has_job or works < partly_from:
        return "not", None
    return ("fully" if works >= fully_from else "partly"), None


DAYS = [-30, 0, 1, 90, 180, 365]


@pytest.mark.parametrize("with_jobs", [False, True])
@pytest.mark.parametrize("thresholds", [{}, {"partly_from": 50.0, "fully_from": 80.0}])
def test_every_person_and_day(with_jobs, thresholds):
    register = random_register(np.random.default_rng(3), with_jobs=with_jobs)
    got = work_status(register, days=DAYS, **thresholds)
    want = [
        (
            person,
            day,
            date + pd.Timedelta(days=day),
            *naive_status(register, person, date + pd.Timedelta(days=day), **thresholds),
        )
        for person, date in register.enrolment.itertuples(index=False)
        for day in DAYS
    ]
    assert [tuple(None if pd.isna(x) else x for x in row) for row in got.itertuples(index=False)] == want
    assert set(got["reason"].dropna()) == {"death", "emigration", "end_of_data"}
    assert set(got["status"].dropna()) == {"not", "partly", "fully"}
    assert got["status"].cat.ordered
    assert got["status"].cat.categories.tolist() == ["not", "partly", "fully"]


def test_register_and_timeline_agree():
    register = random_register(np.random.default_rng(4), with_jobs=True)
    timeline = build_timeline(register, window=("2019-01-01", "2025-01-01"))
    one = work_status(register, days=DAYS)
    other = work_status(timeline, days=DAYS, index=register.enrolment)
    pd.testing.assert_frame_equal(one, other)


def small(grade=50.0, **persons):
    spells = pd.DataFrame(
        {
            "person_id": ["a", "a"],
            "benefit": ["sickness_benefit", "unemployment_benefit"],
            "start": pd.to_datetime(["2020-02-28", "2020-03-10"]),
            "end": pd.to_datetime(["2020-03-01", "2020-03-10"]),
            "grade": [grade, 100.0],
        }
    )
    index = pd.DataFrame({"person_id": ["a"], "index_date": pd.to_datetime(["2020-02-27"])})
    people = pd.DataFrame({"person_id": ["a"], **{key: pd.to_datetime([value]) for key, value in persons.items()}})
    return Register(people, spells, None, index, None, pd.Timestamp("2020-03-15"))


def statuses(register, **options):
    got = work_status(register, **options)
    return [reason or status for status, reason in zip(got["status"].astype(object), got["reason"], strict=True)]


def test_by_hand_through_a_leap_day():
    days = [0, 1, 2, 3, 4, 12, 13, 17, 18]
    want = ["fully", "partly", "partly", "partly", "fully", "not", "fully", "fully", "end_of_data"]
    assert statuses(small(), days=days) == want
    counted = ["fully", "partly", "partly", "partly", "fully", "fully", "fully", "fully", "end_of_data"]
    assert statuses(small(), days=days, benefits=["sickness_benefit"]) == counted


def test_thresholds_are_reached_exactly():
    assert statuses(small(80.0), days=[2], partly_from=20.0) == ["partly"]
    assert statuses(small(81.0), days=[2], partly_from=20.0) == ["not"]
    assert statuses(small(20.0), days=[2], fully_from=80.0) == ["fully"]
    assert statuses(small(21.0), days=[2], fully_from=80.0) == ["partly"]


def test_death_stays_the_reason_after_the_end_of_data():
    assert statuses(small(death_date="2020-03-01"), days=[2, 3, 500]) == ["partly", "death", "death"]
    assert statuses(small(death_date="2020-04-01"), days=[40, 500]) == ["end_of_data", "end_of_data"]
    both = small(emigration_date="2020-03-01", death_date="2020-03-05")
    assert statuses(both, days=[3, 6, 7]) == ["emigration", "emigration", "death"]


def test_counts_add_up():
    register = random_register(np.random.default_rng(5), with_jobs=True)
    got = work_status(register, days=[0, 365])
    counts = count_work_status(got)
    assert counts.columns.tolist() == [
        "day",
        "n_people",
        "not",
        "partly",
        "fully",
        "death",
        "emigration",
        "end_of_data",
    ]
    assert counts["day"].tolist() == [0, 365]
    assert (counts["n_people"] == 50).all()
    assert (counts.iloc[:, 2:].sum(axis=1) == 50).all()
    assert counts["fully"].tolist() == [int(((got["day"] == d) & (got["status"] == "fully")).sum()) for d in (0, 365)]


BAD = {
    "no days": ({"days": []}, "`days` must be a list of at least one"),
    "one day": ({"days": 90}, "`days` must be a list"),
    "fraction": ({"days": [0.5]}, "`days` must be a whole number"),
    "order": ({"days": [0], "partly_from": 50, "fully_from": 40}, "`fully_from` must be a number from 50.0 to 100"),
    "low": ({"days": [0], "partly_from": -1}, "`partly_from` must be a number from 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name):
    options, message = BAD[name]
    with pytest.raises(ArgumentError, match=message):
        work_status(small(), **options)
