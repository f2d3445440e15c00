"""The left side: parsed and checked."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.design import SurvNames, check_survival, parse_surv
from rtwcohort.errors import DesignError


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Surv(time, event)", SurvNames("time", "event")),
        (" Surv( time ,`had event` ) ", SurvNames("time", "had event")),
        ("Surv(ph.time, e)", SurvNames("ph.time", "e")),
        ("Surv(entry, exit, event)", SurvNames("exit", "event", "entry")),
    ],
)
def test_parse(text, names):
    assert parse_surv(text) == names


@pytest.mark.parametrize("text", ["time", "Surv(time)", "Surv(time, status == 2)", "Surv(a, b, c, d)", "surv(a, b)"])
def test_parse_refuses(text):
    with pytest.raises(DesignError, match=r"must be Surv\(time, event\)"):
        parse_surv(text)


@pytest.mark.parametrize("event", [[True, False], [1, 0], [1.0, 0.0], ["1", "0"], pd.Series([1, 0], dtype="Int8")])
def test_events_in_every_form(event):
    response = check_survival([3, 0], event)
    assert response.event.tolist() == [True, False]
    assert response.time.tolist() == [3.0, 0.0]


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        ([1, 2], ["yes", "no"], "`event` is text in 2 rows"),
        ([1, 2], [1, 2], "`event` must hold 1 .event. and 0.*1 rows hold 2"),
        ([1, 2], [1, np.nan], "`event` is missing in 1 row .first: row 2."),
        ([1, 2], [0, 0], "`event` has no events among 2 rows"),
        (["1", "2"], [1, 0], "`time` must be numbers"),
        ([True, False], [1, 0], "`time` must be numbers"),
        ([1, -1], [1, 0], "`time` is negative in 1 row .first: row 2.: check that the index date"),
        ([1, 2, 3], [1, 0], "of one length; got .3,. and .2,."),
        ([], [], "`time` has no rows"),
    ],
)
def test_refused(time, event, message):
    with pytest.raises(DesignError, match=message):
        check_survival(np.array(time), np.array(event))
