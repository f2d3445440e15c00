"""Index dates matched to the people of a register or a timeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, RegisterError
from rtwcohort.outcomes.index import index_days, timeline_around
from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.register.register import Register

SECRET = 91919191
END = pd.Timestamp("2020-12-31")


def make(ids=(5, SECRET, 7), enrolment=None):
    spells = pd.DataFrame(
        {
            "person_id": list(ids[:1]),
            "benefit": ["sickness_benefit"],
            "start": pd.to_datetime(["2020-01-10"]),
            "end": pd.to_datetime(["2020-02-10"]),
            "grade": [100.0],
        }
    )
    return Register(pd.DataFrame({"person_id": list(ids)}), spells, None, enrolment, None, END)


def frame(ids, dates):
    return pd.DataFrame({"person_id": ids, "index_date": pd.to_datetime(dates)})


def test_positions_follow_the_order_of_the_index():
    position, day = index_days(make(), frame([7, 5], ["2020-01-01", "1969-12-31"]))
    assert position.tolist() == [2, 0]
    assert position.dtype == np.int64
    assert day.tolist() == [18262, -1]
    assert day.dtype == np.int32


def test_enrolment_is_the_default():
    register = make(enrolment=frame([SECRET], ["2020-03-01"]).assign(arm="visit"))
    assert index_days(register).position.tolist() == [1]


def test_timeline_positions_are_the_timelines():
    register = make()
    window = pd.DataFrame({"person_id": [7, 5], "from_date": ["2020-01-01"] * 2, "to_date": ["2020-12-31"] * 2})
    timeline = build_timeline(register, window=window)
    assert index_days(timeline, frame([5], ["2020-01-01"])).position.tolist() == [1]
    with pytest.raises(ArgumentError, match="people of the timeline; got 1 of 1 rows that name a person who is not"):
        index_days(timeline, frame([SECRET], ["2020-01-01"]))


@pytest.mark.parametrize("ids", [("a", "b", "007"), (10**11, 3, 2)])
def test_ids_of_any_kind(ids):
    found = index_days(make(ids), frame([ids[2], ids[0]], ["2020-01-01"] * 2))
    assert found.position.tolist() == [2, 0]


def test_polars_index():
    import polars as pl

    assert index_days(make(), pl.from_pandas(frame([5], ["2020-01-01"]))).day.tolist() == [18262]


BAD = {
    "no date": (frame([5, SECRET], ["2020-01-01", None]), r"every person an index date; got 1 of 2 .*row 2"),
    "twice": (frame([SECRET, 7, SECRET], ["2020-01-01"] * 3), r"one row a person; got 1 of 3 .*row 3"),
    "unknown": (frame([5, 6], ["2020-01-01"] * 2), r"people of the register; got 1 of 2 .*row 2"),
    "other kind": (frame([str(SECRET)], ["2020-01-01"]), r"Ids are object here and int64 there"),
    "no column": (pd.DataFrame({"person_id": [5], "index": [1]}), "`index` has no column 'index_date'"),
    "no frame": (5, "`index` must be a data frame"),
    "no dates": (pd.DataFrame({"person_id": [5], "index_date": ["soon"]}), "`index` must hold dates in `index_date`"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name):
    index, message = BAD[name]
    with pytest.raises(ArgumentError, match=message) as caught:
        index_days(make(), index)
    assert str(SECRET) not in str(caught.value)


def test_no_index_anywhere():
    with pytest.raises(RegisterError, match="no enrolment table"):
        index_days(make())
    with pytest.raises(ArgumentError, match="holds no enrolment table"):
        index_days(build_timeline(make()))
    with pytest.raises(ArgumentError, match="must be a Register or a Timeline; got int"):
        index_days(5)


def test_faults_of_enrolment_are_called_so():
    with pytest.raises(ArgumentError, match="`enrolment` must have one row a person"):
        index_days(make(enrolment=frame([5, 5], ["2020-01-01"] * 2)))


def test_timeline_that_does_not_cover_the_days():
    timeline = build_timeline(make(), window=("2020-02-01", "2020-06-30"))
    index = frame([5, 7], ["2020-02-05", "2020-02-20"])
    assert timeline_around(timeline, index, first=-4, last=131).timeline is timeline
    with pytest.raises(ArgumentError, match=r"got 1 of 2 people .*too late \(1\) or ends too early \(0\)"):
        timeline_around(timeline, index, first=-5, last=0)
    with pytest.raises(ArgumentError, match=r"got 1 of 2 people .*too late \(0\) or ends too early \(1\)"):
        timeline_around(timeline, index, first=0, last=132)
    with pytest.raises(ArgumentError, match="Build the timeline with these benefits"):
        timeline_around(timeline, index, first=0, last=0, benefits=["other"])


def test_register_is_built_around_the_index_and_cut_at_the_last_day_known():
    index = frame([7, 5, SECRET], ["2020-02-05", "2020-12-30", "2022-01-01"])
    around = timeline_around(make(), index, first=-10, last=20)
    people = around.timeline.people
    assert people.person_id.tolist() == [7, 5, SECRET]
    end = 18628
    assert people.from_day.tolist() == [18297 - 10, end - 2 - 10, end - 1]
    assert people.to_day.tolist() == [18297 + 21, end, end]
