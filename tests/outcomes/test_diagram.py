"""Drawings of timelines, character by character."""

from __future__ import annotations

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.diagram import draw_timeline
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.timeline import Timeline, build_timeline
from rtwcohort.register.register import Register

RULE = RtwRule(name="test", source="test", benefits=("sickness_benefit",), length=5)


@pytest.fixture
def timeline() -> Timeline:
    spells = pd.DataFrame(
        [
            (987654, "sickness_benefit", "2020-02-28", "2020-03-03", 100.0),
            (987654, "sickness_benefit", "2020-03-04", "2020-03-05", 50.0),
            (987654, "work_assessment_allowance", "2020-03-14", "2020-03-15", 100.0),
            (123456, "sickness_benefit", "2020-03-01", "2020-03-04", 100.0),
        ],
        columns=["person_id", "benefit", "start", "end", "grade"],
    ).assign(start=lambda f: pd.to_datetime(f["start"]), end=lambda f: pd.to_datetime(f["end"]))
    persons = pd.DataFrame({"person_id": [987654, 123456], "death_date": pd.to_datetime([None, "2020-03-08"])})
    return build_timeline(Register(persons, spells, None, None, None, pd.Timestamp("2020-03-20")))


def test_a_person_and_a_rule(timeline: Timeline) -> None:
    drawing = draw_timeline(timeline, 0, index_day="2020-03-02", rule=RULE, days=21, horizon=14)
    assert drawing.splitlines() == [
        "person 1, day 0 = 2020-03-02",
        "     0 SSss........AA.....??",
        "           ^----",
        "returned on day 4, qualifying period day 4 to 8",
        "legend: . no benefit, ? not known, S sickness benefit, A work assessment allowance (AAP), "
        "s sickness benefit, partial, ^- qualifying period",
    ]


def test_no_return(timeline: Timeline) -> None:
    drawing = draw_timeline(timeline, 1, index_day=pd.Timestamp("2020-03-02"), rule=RULE, days=8, label="the second")
    assert drawing.splitlines() == [
        "the second, day 0 = 2020-03-02",
        "     0 SSS...XX",
        "no return: death on day 6",
        "legend: . no benefit, X dead, S sickness benefit, ^- qualifying period",
    ]


def test_lines_are_broken_at_the_width(timeline: Timeline) -> None:
    drawing = draw_timeline(timeline, 0, index_day="2020-03-02", rule=RULE, days=19, width=10, horizon=14)
    assert drawing.splitlines()[1:5] == [
        "     0 SSss......",
        "           ^-----"[:-1],
        "    10 ..AA.....",
        "returned on day 4, qualifying period day 4 to 8",
    ]


def test_weeks(timeline: Timeline) -> None:
    drawing = draw_timeline(timeline, 0, index_day="2020-03-02", days=19, days_per_character=7)
    assert drawing.splitlines()[1] == "     0 S.."


def test_several_people_and_dates_never_show_ids(timeline: Timeline) -> None:
    drawing = draw_timeline(timeline, [1, 0], index_day=["2020-03-01", "2020-03-02"], days=5)
    assert drawing.splitlines()[:4] == [
        "person 1, day 0 = 2020-03-01",
        "     0 SSSS.",
        "person 2, day 0 = 2020-03-02",
        "     0 SSss.",
    ]
    assert "987654" not in drawing
    assert "123456" not in drawing


def test_the_whole_window_by_default(timeline: Timeline) -> None:
    assert draw_timeline(timeline, 0, index_day="2020-03-02").splitlines()[1] == "     0 SSss........AA....."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"person": 2}, "`person` must be positions from 0 to 1; got"),
        ({"person": [0, 1], "label": ["one"]}, "`label` must give one text for each of 2 people; got 1"),
        ({"person": [0, 1], "index_day": ["2020-03-02"]}, "one for each of 2 people; got 1"),
        ({"person": 0, "width": 3}, "`width` must be a whole number"),
        ({"person": 0, "index_day": "2 March"}, "`index_day` must be a date"),
    ],
)
def test_wrong_options(timeline: Timeline, options: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        draw_timeline(timeline, **{"index_day": "2020-03-02", **options})  # type: ignore[arg-type]
