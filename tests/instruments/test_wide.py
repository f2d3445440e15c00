"""Wide answers to long ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import long_from_wide, score

ITEMS = ("6", "7", "9", "10", "11", "12", "15")
WIDE = pd.DataFrame(
    {"person_id": [2, 1], "when": ["2020-01-05", "2020-01-06"], **{f"fabq_{item}": [1, 2] for item in ITEMS}}
)


def test_columns_are_found_by_name():
    long = long_from_wide(WIDE, "FABQ-W", "M0", answered_on="when")
    assert list(long.columns) == ["person_id", "wave", "answered_on", "instrument", "item", "value"]
    assert long["answered_on"].dtype == "datetime64[s]"
    assert long["item"].tolist() == list(ITEMS) * 2
    assert long["value"].tolist() == [1] * 7 + [2] * 7
    assert score(long, "FABQ-W")["score"].tolist() == [14, 7]


@pytest.mark.parametrize("pattern", ["FABQ{}", "fabq-w{}", "FABQ_W_{}", "fabqw.{}"])
def test_other_ways_to_write_them(pattern):
    wide = pd.DataFrame({"person_id": [1], **{pattern.format(item): [3] for item in ITEMS}})
    assert score(long_from_wide(wide, "FABQ-W", "M0"), "FABQ-W")["score"].tolist() == [21]


def test_columns_can_be_given_and_missing_answers_stay():
    wide = pd.DataFrame({"id": [1, 2], "a": [1.0, np.nan]})
    long = long_from_wide(wide, "JOB-SATISFACTION", "M3", columns={"1": "a"}, person_id="id")
    assert len(long) == 2
    assert score(long, "JOB-SATISFACTION")["n_answered"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (WIDE.drop(columns="fabq_9"), {}, "no column for item 9 of FABQ-W"),
        (WIDE.assign(FABQ6=1), {}, "several columns for item 6 of FABQ-W: fabq_6, FABQ6"),
        (pd.concat([WIDE, WIDE]), {}, "one row a person; 2 rows are further rows"),
        (WIDE, {"columns": {"6": "fabq_06"}}, r"no column 'fabq_06'\. Did you mean 'fabq_6'"),
        (WIDE, {"columns": {"60": "fabq_6"}}, "the item '60', which FABQ-W does not have"),
    ],
)
def test_what_is_wrong_is_named(frame, options, message):
    with pytest.raises(ArgumentError, match=message):
        long_from_wide(frame, "FABQ-W", "M0", **options)
