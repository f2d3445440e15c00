"""Weekly codes to spells: ISO weeks with week 53, inclusive ends, gaps and missing weeks."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import RegisterError
from rtwcohort.register import BENEFIT_NAMES, load_register, spells_from_weeks

CODES = {"890": "sickness_benefit", "783": "disability_pension", "651": ""}


def spells(weeks, codes=CODES):
    frame = pd.DataFrame({"person_id": [7], **{name: [code] for name, code in weeks.items()}})
    found = spells_from_weeks(frame, codes=codes)
    return [(row.benefit, str(row.start.date()), str(row.end.date())) for row in found.itertuples()]


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        # one week, Monday to Sunday; ISO week 1 of 2009 starts in 2008
        ({"y_0901": "890"}, [("sickness_benefit", "2008-12-29", "2009-01-04")]),
        # week 53: 2009 has one, and it runs into 2010 without a gap before week 1
        ({"y_0952": "890", "y_0953": "890", "y_1001": "890"}, [("sickness_benefit", "2009-12-21", "2010-01-10")]),
        ({"y_1553": "890"}, [("sickness_benefit", "2015-12-28", "2016-01-03")]),
        # a year of 52 weeks: week 52 meets week 1
        ({"y_1052": "890", "y_1101": "890"}, [("sickness_benefit", "2010-12-27", "2011-01-09")]),
        # a blank week ends a spell and is none itself
        ({"y_1001": "890", "y_1002": "", "y_1003": "890"},
         [("sickness_benefit", "2010-01-04", "2010-01-10"), ("sickness_benefit", "2010-01-18", "2010-01-24")]),
        # so does a week that the file has no column for
        ({"y_1001": "890", "y_1003": "890"},
         [("sickness_benefit", "2010-01-04", "2010-01-10"), ("sickness_benefit", "2010-01-18", "2010-01-24")]),
        # a change of benefit, and a code that is left out
        ({"y_1001": "890", "y_1002": "783", "y_1003": "651"},
         [("sickness_benefit", "2010-01-04", "2010-01-10"), ("disability_pension", "2010-01-11", "2010-01-17")]),
        # columns in any order, numbers for text, the last century
        ({"y_1002": 890.0, "y_1001": 890}, [("sickness_benefit", "2010-01-04", "2010-01-17")]),
        ({"y_9652": "890"}, [("sickness_benefit", "1996-12-23", "1996-12-29")]),
        ({"Y_2010_01": "890"}, [("sickness_benefit", "2010-01-04", "2010-01-10")]),
        ({"y_1001": None}, []),
    ],
)  # fmt: skip
def test_weeks(weeks, expected):
    assert spells(weeks) == expected


def test_every_week_from_1991_on_is_seven_days():
    monday, names = dt.date(1991, 7, 1), []
    while monday < dt.date(2029, 12, 31):
        year, week, _ = monday.isocalendar()
        names.append(f"y_{year % 100:02d}{week:02d}")
        monday += dt.timedelta(days=7)
    assert sum(name.endswith("53") for name in names) == 7
    assert spells(dict.fromkeys(names, "890")) == [("sickness_benefit", "1991-07-01", "2029-12-30")]


def test_against_a_loop_over_days():
    rng = np.random.default_rng(4)
    names = [f"y_09{week:02d}" for week in range(40, 54)] + [f"y_10{week:02d}" for week in range(1, 20) if week != 7]
    frame = pd.DataFrame(rng.choice(["890", "783", "", "651"], (20, len(names))), columns=names)
    frame.insert(0, "person_id", rng.permutation(20))
    found = spells_from_weeks(frame, codes=CODES, grade=80)
    days = {}
    for row in found.itertuples():
        for day in pd.date_range(row.start, row.end):
            assert (row.person_id, day) not in days
            days[row.person_id, day] = row.benefit
    expected = {}
    for _, row in frame.iterrows():
        for name in names:
            if CODES.get(row[name]):
                monday = dt.date.fromisocalendar(2000 + int(name[2:4]), int(name[4:]), 1)
                for day in pd.date_range(monday, periods=7):
                    expected[row["person_id"], day] = CODES[row[name]]
    assert days == expected
    assert set(found["grade"]) == {80.0}
    register = load_register({"benefits": found}, data_end="2010-12-31")
    assert len(register.benefits) == len(found)
    assert set(register.benefits["benefit"]) <= set(BENEFIT_NAMES)


@pytest.mark.parametrize(
    ("weeks", "codes", "message"),
    [
        ({"y_1053": "890"}, CODES, "has the column 'y_1053', but 2010 has no ISO week 53"),
        ({"y_1000": "890"}, CODES, "has no ISO week 0"),
        ({"x": "890"}, CODES, "has no week column; they are named y_YYWW"),
        ({"y_1001": "890", "Y_2010_01": ""}, CODES, "two columns for ISO week 1 of 2010"),
        ({"y_1001": "111"}, CODES, "has the code '111' in 'y_1001', which `codes` does not name"),
        ({"y_1001": "890"}, {"890": "sick"}, "must be one of sickness_benefit"),
    ],
)
def test_wrong_weeks(weeks, codes, message):
    with pytest.raises(RegisterError) as caught:
        spells(weeks, codes)
    assert message in str(caught.value)


def test_wrong_people():
    frame = pd.DataFrame({"pid": [1, 1], "y_1001": ["890", ""]})
    with pytest.raises(RegisterError, match=r"no column 'person_id'"):
        spells_from_weeks(frame, codes=CODES)
    with pytest.raises(RegisterError, match=r"1 rows repeat an identifier"):
        spells_from_weeks(frame, codes=CODES, person_id="pid")
