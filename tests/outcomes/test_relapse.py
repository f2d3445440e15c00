"""Relapse after return: drawings of one character a day, day 0 the first.

S sickness benefit, A work assessment allowance, D disability pension, . no benefit, X dead, E emigrated. The
rule is three days in a row without sickness benefit; data end with the last character.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.relapse import relapse
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.timeline import Timeline, TimelinePeople

CODE = {"S": 0, "s": 0, "A": 1, "D": 2}
RULE = RtwRule(name="test", source="test", benefits=("sickness_benefit",), length=3)
ALL = replace(RULE, benefits=("sickness_benefit", "work_assessment_allowance", "disability_pension"))


def timeline_of(drawings: list[str], counted: tuple[str, ...] = ("sickness_benefit",)) -> Timeline:
    """One state a day, from day 0; all drawings are of equal length, so that data end on the same day."""
    text = "".join(drawings)
    n, days = len(drawings), len(drawings[0])
    start = np.tile(np.arange(days), n)
    grade = np.array([{"S": 100, "s": 50, "A": 100, "D": 100}.get(letter, 0) for letter in text], dtype=np.float32)

    def first(letter: str) -> np.ndarray:
        return np.array([d.index(letter) if letter in d else MISSING_DAY for d in drawings], dtype=np.int32)

    gone = np.array([letter in "XE" for letter in text])
    return Timeline(
        people=TimelinePeople(
            person_id=np.arange(n, dtype=np.int64),
            from_day=np.zeros(n, dtype=np.int32),
            to_day=np.full(n, days, dtype=np.int32),
            birth_day=np.full(n, MISSING_DAY, dtype=np.int32),
            death_day=first("X"),
            emigration_day=first("E"),
        ),
        offset=np.arange(0, n * days + 1, days, dtype=np.int64),
        start=start.astype(np.int32),
        end=(start + 1).astype(np.int32),
        state=np.array([{"X": 100, "E": 101}.get(letter, 0) for letter in text], dtype=np.int8),
        present=np.array([1 << CODE[letter] if letter in CODE else 0 for letter in text], dtype=np.uint16),
        grade=grade,
        work_share=np.where(gone, 0, 100 - grade).astype(np.float32),
        counted=counted,
        data_end=days - 1,
        employment_known=False,
    )


def index_of(n: int) -> pd.DataFrame:
    return pd.DataFrame({"person_id": np.arange(n), "index_date": pd.Timestamp("1970-01-01")})


def run(drawing: str, rule: RtwRule = RULE, *, horizon: int = 100, min_days: int = 1) -> tuple[int, str]:
    timeline = timeline_of([drawing], rule.benefits)
    outcome = return_to_work(timeline, rule, horizon=20, index=index_of(1))
    row = relapse(timeline, outcome, horizon=horizon, min_days=min_days).iloc[0]
    assert row["event"] == (row["cause"] == "relapse")
    return row["time"], row["cause"]


@pytest.mark.parametrize(
    ("what", "drawing", "options", "expected"),
    [
        ("relapse on the day after the window", "SS...SSSSS", {}, (3, "relapse")),
        ("relapse later", "SS......SS", {}, (6, "relapse")),
        ("a relapse of one day", "SS....S...", {}, (4, "relapse")),
        ("too short a stretch", "SS....S...", {"min_days": 2}, (7, "end_of_data")),
        ("too short a stretch, then long enough", "SS....S.SS", {"min_days": 2}, (6, "relapse")),
        ("graded sick leave is a relapse", "SS....ssss", {}, (4, "relapse")),
        ("none until data end", "SS........", {}, (7, "end_of_data")),
        ("none until the horizon", "SS........", {"horizon": 5}, (5, "horizon")),
        ("on the horizon", "SS.....SSS", {"horizon": 5}, (5, "relapse")),
        ("a day after the horizon", "SS......SS", {"horizon": 5}, (5, "horizon")),
        ("begun at the horizon, completed after it", "SS.....SSS", {"horizon": 5, "min_days": 3}, (5, "relapse")),
        ("cut short by the end of data", "SS.....SSS", {"min_days": 4}, (7, "end_of_data")),
        ("dead", "SS....XXXX", {}, (4, "death")),
        ("dead in too short a stretch", "SS....SSXX", {"min_days": 3}, (6, "death")),
        ("emigrated", "SS....EEEE", {}, (4, "emigration")),
        ("a pension competes", "SS....DDDD", {}, (4, "disability_pension")),
        ("a pension ends too short a stretch", "SS....SDDD", {"min_days": 2}, (5, "disability_pension")),
        ("an allowance is no relapse of a sickness rule", "SS....AAAA", {}, (7, "end_of_data")),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else None,
)
def test_table(what: str, drawing: str, options: dict[str, int], expected: tuple[int, str]) -> None:
    assert run(drawing, **options) == expected, what


@pytest.mark.parametrize(
    ("what", "drawing", "min_days", "expected"),
    [
        ("a considered pension that competes is not a relapse", "SS....DDDD", 1, (4, "disability_pension")),
        ("sick, then pension: the relapse came first", "SS....SDDD", 2, (4, "relapse")),
        ("an allowance is a relapse", "SS....AAAA", 1, (4, "relapse")),
    ],
)
def test_rules_that_consider_more_benefits(what: str, drawing: str, min_days: int, expected: tuple[int, str]) -> None:
    assert run(drawing, ALL, min_days=min_days) == expected, what


def test_a_pension_that_does_not_compete_is_a_relapse_where_considered() -> None:
    assert run("SS....DDDD", replace(ALL, competing=("death",))) == (4, "relapse")
    assert run("SS....DDDD", replace(RULE, competing=("death",))) == (7, "end_of_data")


def test_only_who_returned_is_followed() -> None:
    timeline = timeline_of(["SSSSSSSSSS", "SS...S....", "SSXXXXXXXX"])
    outcome = return_to_work(timeline, RULE, horizon=9, index=index_of(3))
    result = relapse(timeline, outcome, horizon=9)
    assert result["person_id"].tolist() == [1]
    assert result["return_date"].tolist() == [pd.Timestamp("1970-01-03")]
    assert result["relapse_date"].tolist() == [pd.Timestamp("1970-01-06")]


def test_nobody_returned() -> None:
    timeline = timeline_of(["SSSSSSSSSS"])
    outcome = return_to_work(timeline, RULE, horizon=9, index=index_of(1))
    assert len(relapse(timeline, outcome, horizon=9)) == 0


def test_wrong_options() -> None:
    timeline = timeline_of(["SS...S...."])
    outcome = return_to_work(timeline, RULE, horizon=9, index=index_of(1))
    with pytest.raises(ArgumentError, match="`min_days` must be a whole number"):
        relapse(timeline, outcome, horizon=9, min_days=0)
    with pytest.raises(ArgumentError, match="`outcome` must come from return_to_work; got DataFrame"):
        relapse(timeline, outcome.frame, horizon=9)  # type: ignore[arg-type]
