"""Rules of return to work as tables that can be read: one character a day, the rule, what is expected.

S sickness benefit 100 %, s 50 %, A work assessment allowance, D disability pension, d 50 %, U unemployment
benefit, . no benefit, X dead from that day on, E emigrated from that day on, | the index date stands before
the next character. Data end with the last character; "~" means that they go on without benefit for a year.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.catalogue import RULES
from rtwcohort.outcomes.result import RtwOutcome
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.register.register import Register

PAID = {
    "S": ("sickness_benefit", 100.0),
    "s": ("sickness_benefit", 50.0),
    "A": ("work_assessment_allowance", 100.0),
    "D": ("disability_pension", 100.0),
    "d": ("disability_pension", 50.0),
    "U": ("unemployment_benefit", 100.0),
}
SICK = ("sickness_benefit",)
MONDAY = "2020-03-02"


def spells_of(text: str, first: dt.date) -> pd.DataFrame:
    rows: list[tuple[int, str, dt.date, dt.date, float]] = []
    previous = ""
    for number, letter in enumerate(text):
        day = first + dt.timedelta(days=number)
        if letter in PAID:
            if letter == previous:
                rows[-1] = (*rows[-1][:3], day, rows[-1][4])
            else:
                rows.append((1, PAID[letter][0], day, day, PAID[letter][1]))
        previous = letter
    frame = pd.DataFrame(rows, columns=["person_id", "benefit", "start", "end", "grade"])
    return frame.assign(
        person_id=frame["person_id"].astype("int64"),
        start=pd.to_datetime(frame["start"]),
        end=pd.to_datetime(frame["end"]),
        grade=frame["grade"].astype(float),
    )


def register_of(drawing: str, index_date: str, birth: str = "1980-06-15") -> tuple[Register, pd.DataFrame]:
    """Turn one drawing into a register of one person and the index date."""
    before, after = drawing.replace(" ", "").split("|")
    index = dt.date.fromisoformat(index_date)
    first = index - dt.timedelta(days=len(before))
    goes_on = after.endswith("~")
    text = before + after.removesuffix("~") + "." * (366 if goes_on else 0)

    def date_of(letter: str) -> pd.Timestamp:
        return pd.Timestamp(first + dt.timedelta(days=text.index(letter))) if letter in text else pd.NaT

    persons = pd.DataFrame(
        {
            "person_id": [1],
            "birth_date": pd.to_datetime([birth]),
            "death_date": pd.to_datetime([date_of("X")]),
            "emigration_date": pd.to_datetime([date_of("E")]),
        }
    )
    end = pd.Timestamp(first + dt.timedelta(days=len(text) - 1))
    register = Register(persons, spells_of(text, first), None, None, None, end)
    return register, pd.DataFrame({"person_id": [1], "index_date": pd.to_datetime([index_date])})


def apply(drawing: str, rule: RtwRule, horizon: int, index_date: str = MONDAY, **options: Any) -> RtwOutcome:
    register, index = register_of(drawing, index_date)
    return return_to_work(register, rule, horizon=horizon, index=index, **options)


def shown(outcome: RtwOutcome) -> tuple[int, str, int | None]:
    """Return time, cause and the day on which the return was confirmed."""
    row = outcome.frame.iloc[0]
    assert row["event"] == (row["cause"] == "return")
    assert row["event_date"] == row["index_date"] + pd.Timedelta(days=row["time"])
    confirmed = row["confirmed_on"]
    return row["time"], row["cause"], None if pd.isna(confirmed) else (confirmed - row["index_date"]).days


def rule(**fields: Any) -> RtwRule:
    return RtwRule(**{"name": "test", "source": "test", "benefits": SICK, **fields})


FIVE_DAYS = rule(length=5)
HALF = rule(length=5, max_grade=50)
TABLE = [
    # what happens, drawing, rule, horizon, time, cause, confirmed on day
    ("return on the index day", "SSS|.....SSSSS", FIVE_DAYS, 9, 0, "return", 4),
    ("gap of exactly the length", "SSS|SSSS.....SSS", FIVE_DAYS, 11, 4, "return", 8),
    ("gap one day short", "SSS|SSSS....SSSSS", FIVE_DAYS, 11, 11, "horizon", None),
    ("gap one day short, then long enough", "SSS|SS....S.......", FIVE_DAYS, 11, 7, "return", 11),
    ("gap that began before the index date", "S..|...SSS......", FIVE_DAYS, 11, 6, "return", 10),
    ("spell crossing the index date", "SSS|S......", FIVE_DAYS, 6, 1, "return", 5),
    ("never back", "SSS|SSSSSSSSSSS", FIVE_DAYS, 9, 9, "horizon", None),
    ("relapse inside the confirmation window", "SSS|SS...SS......", FIVE_DAYS, 11, 7, "return", 11),
    ("graded is not back", "SSS|SSsssssssss", FIVE_DAYS, 9, 9, "horizon", None),
    ("graded is back where the rule says so", "SSS|SSsssssssss", HALF, 9, 2, "return", 6),
    ("graded and full in one period", "SSS|SSss...SSSS", HALF, 9, 2, "return", 6),
    ("graded strictly below", "SSS|SSsss.....", replace(HALF, grade_bound="below"), 9, 5, "return", 9),
    ("any partial return", "SSS|SSss.", rule(length=1, max_grade=100, grade_bound="below"), 4, 2, "return", 2),
    ("death inside the window", "SSS|SS...XXXXXX", FIVE_DAYS, 9, 5, "death", None),
    ("death on the day after the window", "SSS|SS.....XXXX", FIVE_DAYS, 9, 2, "return", 6),
    ("death on the last day of the window", "SSS|SS....XXXXX", FIVE_DAYS, 9, 6, "death", None),
    ("death on the index date", "SSS|XXXX", FIVE_DAYS, 3, 0, "death", None),
    ("death after the horizon, inside the window", "SSS|SS...XXXX", FIVE_DAYS, 4, 4, "horizon", None),
    ("emigration inside the window", "SSS|SS...EEEEEE", FIVE_DAYS, 9, 5, "emigration", None),
    ("emigration while sick", "SSS|SSSEEEEEE", FIVE_DAYS, 9, 3, "emigration", None),
    ("pension while sick", "SSS|SSSDDDDDDDD", FIVE_DAYS, 9, 3, "disability_pension", None),
    ("pension inside the window", "SSS|SS...DDDDDDD", FIVE_DAYS, 9, 5, "disability_pension", None),
    ("pension on the day after the window", "SSS|SS.....DDDD", FIVE_DAYS, 9, 2, "return", 6),
    ("half pension inside the window", "SSS|SS..dddddddd", FIVE_DAYS, 9, 4, "disability_pension", None),
    ("pension that does not compete", "SSS|SS..DDDDDDDD", replace(FIVE_DAYS, competing=("death",)), 9, 2, "return", 6),
    ("pension since before the index date", "DDD|DDDDDDDD", FIVE_DAYS, 7, 0, "return", 4),
    ("pension taken up again", "DDD|SS.DDDDDDDD", FIVE_DAYS, 7, 3, "disability_pension", None),
    ("allowance is no obstacle as published", "SSS|SSAAAAAAAA", FIVE_DAYS, 7, 2, "return", 6),
    (
        "allowance that competes",
        "SSS|SSAAAAAAAA",
        replace(FIVE_DAYS, competing=("work_assessment_allowance", "death")),
        7,
        2,
        "work_assessment_allowance",
        None,
    ),
    ("end of data inside the window", "SSS|SSSSS...", FIVE_DAYS, 30, 7, "end_of_data", None),
    ("end of data on the last day of the window", "SSS|SSSSS.....", FIVE_DAYS, 30, 5, "return", 9),
    ("end of data while sick", "SSS|SSSSS", FIVE_DAYS, 30, 4, "end_of_data", None),
    ("end of data on the horizon", "SSS|SSSSS", FIVE_DAYS, 4, 4, "horizon", None),
    ("end of data inside the window, after the horizon", "SSS|SSSSS...", FIVE_DAYS, 6, 6, "horizon", None),
    ("start on the horizon", "SSS|SSSSS.........", FIVE_DAYS, 5, 5, "return", 9),
    ("start a day after the horizon", "SSS|SSSSS.........", FIVE_DAYS, 4, 4, "horizon", None),
    ("confirmed after the horizon", "SSS|SSSSS.........", FIVE_DAYS, 8, 5, "return", 9),
    (
        "confirmed after the horizon, which does not count",
        "SSS|SSSSS.........",
        replace(FIVE_DAYS, confirmation="by_horizon"),
        8,
        8,
        "horizon",
        None,
    ),
    (
        "confirmed on the horizon",
        "SSS|SSSSS.........",
        replace(FIVE_DAYS, confirmation="by_horizon"),
        9,
        5,
        "return",
        9,
    ),
    ("dated when confirmed", "SSS|SS.....S..", rule(length=5, event_date="confirmed"), 9, 6, "return", 6),
    (
        "confirmed date after the horizon",
        "SSS|SS.....S..",
        rule(length=5, event_date="confirmed"),
        5,
        5,
        "horizon",
        None,
    ),
    ("horizon 0", "SSS|.....S", FIVE_DAYS, 0, 0, "return", 4),
    ("unemployment is no obstacle to a sickness rule", "SSS|SSUUUUUUU", FIVE_DAYS, 5, 2, "return", 6),
    (
        "unemployment is one where all benefits count",
        "SSS|SSUUUUUUU",
        RtwRule(name="all", source="test", length=5),
        5,
        5,
        "horizon",
        None,
    ),
    # weeks Monday to Sunday; the index date is a Monday unless the drawing is shifted by the date below
    (
        "ISO week: a gap of seven days across two weeks is none",
        "SSS|SSS.......SSSS.......",
        rule(length=1, unit="weeks", calendar="iso_weeks"),
        20,
        14,
        "return",
        20,
    ),
    # mean work share
    (
        "rolling mean: 2 of 4 days, from a day at work",
        "SSS|SSSS.SS.SSSS",
        rule(hold="mean", min_work_share=50, length=4),
        11,
        4,
        "return",
        7,
    ),
    (
        "rolling mean does not start before work begins",
        "SSS|SSSS....SS",
        rule(hold="mean", min_work_share=50, length=4),
        9,
        4,
        "return",
        7,
    ),
    (
        "rolling mean of half days",
        "SSS|SSsSs.SS",
        rule(hold="mean", min_work_share=50, length=4),
        7,
        2,
        "return",
        5,
    ),
    (
        "rolling mean, strictly above",
        "SSS|SSsSs.SSSs...SS",
        rule(hold="mean", min_work_share=50, length=4, work_share_bound="above"),
        12,
        9,
        "return",
        12,
    ),
    (
        "fixed windows of 4 days: 2 days at work across two windows are not enough",
        "SSS|SSS..SSSSS..SSSS",
        rule(hold="mean", min_work_share=50, length=4, calendar="windows"),
        14,
        8,
        "return",
        11,
    ),
    (
        "fixed windows: end of data inside",
        "SSS|SSSS...",
        rule(hold="mean", min_work_share=50, length=4, calendar="windows"),
        30,
        6,
        "end_of_data",
        None,
    ),
    (
        "half pension with half work is a mean of 50 % where only a start below that level competes",
        "SSS|SSSSdddddddd",
        rule(
            benefits=("sickness_benefit", "disability_pension"),
            hold="mean",
            min_work_share=50,
            length=4,
            competing_onset="not_back",
        ),
        9,
        4,
        "return",
        7,
    ),
    # status on fixed days
    ("point: back on the second", "SSS|S.SSS.SSS", rule(hold="point", at=(0, 5, 7)), 8, 5, "return", 5),
    ("point: never", "SSS|S.SS.SSSS", rule(hold="point", at=(0, 5, 7)), 8, 8, "horizon", None),
    ("point: on the index date", "SSS|..SSS.SSS", rule(hold="point", at=(0, 5)), 8, 0, "return", 0),
    ("point: dead before it", "SSS|SSXXXXXXX", rule(hold="point", at=(5,)), 8, 2, "death", None),
    ("point: data end before it", "SSS|...", rule(hold="point", at=(5,)), 8, 2, "end_of_data", None),
]


@pytest.mark.parametrize(
    ("drawing", "which", "horizon", "time", "cause", "confirmed"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_table(drawing: str, which: RtwRule, horizon: int, time: int, cause: str, confirmed: int | None) -> None:
    assert shown(apply(drawing, which, horizon)) == (time, cause, confirmed)


DATED = [
    # what happens, index date, drawing, rule, horizon, time, cause, confirmed on
    (
        "ISO week 53 of 2020 (28 December to 3 January) is a week like others",
        "2020-12-23",
        "SSS|SSSSS .......S",
        rule(length=1, unit="weeks", calendar="iso_weeks"),
        7,
        (5, "return", "2021-01-03"),
    ),
    (
        "ISO weeks 53 and 1 together",
        "2020-12-23",
        "SSS|SSSSS ....... ....... SSS",
        rule(length=2, unit="weeks", calendar="iso_weeks"),
        9,
        (5, "return", "2021-01-10"),
    ),
    (
        "back since a Wednesday: the ISO week begins on Monday",
        "2020-12-23",
        "SSS|..... ....... SSS",
        rule(length=1, unit="weeks", calendar="iso_weeks"),
        9,
        (5, "return", "2021-01-03"),
    ),
    (
        "a week with one sick Sunday is not back",
        "2020-12-28",
        "SSS|......S ....... S",
        rule(length=1, unit="weeks", calendar="iso_weeks"),
        9,
        (7, "return", "2021-01-10"),
    ),
    (
        "28 days from 15 February of a leap year",
        "2020-02-14",
        "S|S" + "." * 28 + "S",
        rule(length=4, unit="weeks"),
        20,
        (1, "return", "2020-03-13"),
    ),
    (
        "a month from 15 February of a leap year has 29 days",
        "2020-02-14",
        "S|S" + "." * 29 + "S",
        rule(length=1, unit="months"),
        20,
        (1, "return", "2020-03-14"),
    ),
    (
        "one day short of that month",
        "2020-02-14",
        "S|S" + "." * 28 + "S",
        rule(length=1, unit="months"),
        20,
        (20, "horizon", None),
    ),
    (
        "a month from 15 February of a common year has 28 days",
        "2021-02-14",
        "S|S" + "." * 28 + "S",
        rule(length=1, unit="months"),
        20,
        (1, "return", "2021-03-14"),
    ),
    (
        "a month from 31 January ends on the day before 29 February",
        "2020-01-30",
        "S|S" + "." * 29 + "S",
        rule(length=1, unit="months"),
        20,
        (1, "return", "2020-02-28"),
    ),
    (
        "return on the leap day",
        "2020-02-28",
        "S|S" + "." * 29 + "S",
        rule(length=1, unit="months"),
        20,
        (1, "return", "2020-03-28"),
    ),
    (
        "a point one month after 31 January is 28 February",
        "2021-01-31",
        "S|" + "S" * 28 + "." + "S" * 9,
        rule(hold="point", at=(1,), unit="months"),
        31,
        (28, "return", "2021-02-28"),
    ),
    (
        "increase: half work in the second and third month from 31 January",
        "2021-01-31",
        "S|" + "S" * 28 + "s" * 31 + "s" * 30 + "~",
        rule(hold="increase", length=2, unit="months"),
        365,
        (28, "return", "2021-04-29"),
    ),
    (
        "increase: a single day of half work in a month is an increase",
        "2021-01-31",
        "S|" + "S" * 27 + "s" + "S" * 40,
        rule(hold="increase", length=1, unit="months"),
        365,
        (0, "return", "2021-02-27"),
    ),
    (
        "increase: as much as at baseline is none",
        "2021-01-01",
        "s|" + "s" * 31 + "s" * 28 + "~",
        rule(hold="increase", length=1, unit="months"),
        365,
        (59, "return", "2021-03-31"),
    ),
    (
        "increase: baseline over two days",
        "2021-01-01",
        ".S|s" + "S" * 200,
        rule(hold="increase", length=1, unit="months", baseline_days=3),
        100,
        (100, "horizon", None),
    ),
    (
        "increase: dead before three months are over",
        "2021-01-01",
        "S|" + "s" * 70 + "X" * 300,
        rule(hold="increase", length=3, unit="months"),
        200,
        (70, "death", None),
    ),
    (
        "14-week windows: half work in the second",
        "2021-01-04",
        "S|" + "S" * 98 + "s" * 98 + "~",
        RULES["jacobsen_2020"],
        392,
        (98, "return", "2021-07-18"),
    ),
    (
        "8-week windows: one day of five at work",
        "2021-01-04",
        "S|" + "SSSS.SS" * 8 + "SSSSSSS" * 8,
        RULES["hara_2018_rtw"],
        20,
        (20, "horizon", None),
    ),
]


@pytest.mark.parametrize(
    ("index_date", "drawing", "which", "horizon", "expected"), [row[1:] for row in DATED], ids=[row[0] for row in DATED]
)
def test_dated_table(
    index_date: str, drawing: str, which: RtwRule, horizon: int, expected: tuple[int, str, str | None]
) -> None:
    row = apply(drawing, which, horizon, index_date).frame.iloc[0]
    confirmed = None if pd.isna(row["confirmed_on"]) else str(row["confirmed_on"].date())
    assert (row["time"], row["cause"], confirmed) == expected


def test_retirement_censors_at_the_birthday() -> None:
    register, index = register_of("SSS|SSSSSSSSS", MONDAY, birth="1953-03-08")
    outcome = return_to_work(register, rule(length=5, retirement_age=67), horizon=8, index=index)
    assert shown(outcome) == (6, "retirement", None)


def test_retirement_before_the_index_date_is_an_error() -> None:
    register, index = register_of("SSS|SSSSSSSSS", MONDAY, birth="1953-03-01")
    with pytest.raises(ArgumentError, match=r"1 of 1 people turned the rule's retirement age before their index date"):
        return_to_work(register, rule(retirement_age=67), horizon=8, index=index)


def test_retirement_needs_birth_dates() -> None:
    register, index = register_of("SSS|SSSSSSSSS", MONDAY)
    bare = replace(register, persons=register.persons.assign(birth_date=pd.NaT))
    with pytest.raises(ArgumentError, match="1 of 1 people have no birth date"):
        return_to_work(bare, rule(retirement_age=67), horizon=8, index=index)


def test_leap_day_birthday_is_the_last_of_february() -> None:
    register, index = register_of("S|SSSSSSSSS", "2021-02-25", birth="1956-02-29")
    outcome = return_to_work(register, rule(length=5, retirement_age=65), horizon=8, index=index)
    assert shown(outcome) == (3, "retirement", None)


def test_day_zero_is_an_event_or_excluded_and_counted_either_way() -> None:
    kept = apply("SSS|.....SSSSS", FIVE_DAYS, 9)
    assert (len(kept.frame), kept.n_day_zero, kept.n_excluded) == (1, 1, 0)
    left_out = apply("SSS|.....SSSSS", FIVE_DAYS, 9, day_zero="exclude")
    assert (len(left_out.frame), left_out.n_day_zero, left_out.n_excluded) == (0, 1, 1)


def test_day_zero_is_the_start_also_when_the_event_is_the_confirmation() -> None:
    outcome = apply("SSS|.....SSSSS", rule(length=5, event_date="confirmed"), 9)
    assert (outcome.frame["time"][0], outcome.n_day_zero) == (4, 1)


@pytest.mark.parametrize(
    ("drawing", "n"), [("SSS|SSSSS...", 1), ("SSS|SSSSS", 0), ("SSS|SS.....", 0), ("SSS|SSSSS..XX", 0)]
)
def test_periods_that_data_leave_unconfirmed_are_counted(drawing: str, n: int) -> None:
    assert apply(drawing, FIVE_DAYS, 30).n_unconfirmed == n


def test_a_period_that_the_horizon_cuts_is_not_one_that_data_cut() -> None:
    by_horizon = replace(FIVE_DAYS, confirmation="by_horizon")
    assert apply("SSS|SSSSS.........", by_horizon, 8).n_unconfirmed == 0


def test_a_death_after_the_end_of_data_is_not_known() -> None:
    register, index = register_of("SSS|SSSSS", MONDAY)
    day_after = register.data_end + pd.Timedelta(days=1)
    register = replace(register, persons=register.persons.assign(death_date=day_after))
    assert shown(return_to_work(register, FIVE_DAYS, horizon=30, index=index)) == (4, "end_of_data", None)


def test_a_benefit_of_grade_0_is_no_return() -> None:
    register, index = register_of("SSS|SSSSSSSSS~", MONDAY)
    register = replace(register, benefits=register.benefits.assign(grade=0.0))
    assert return_to_work(register, FIVE_DAYS, horizon=365, index=index).frame["time"].tolist() == [9]


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (rule(length=5), None),
        (rule(length=5, max_grade=50), "considers sickness_benefit.*build_timeline"),
        (rule(hold="mean", min_work_share=50, length=5), "considers sickness_benefit.*build_timeline"),
    ],
)
def test_a_timeline_must_add_up_the_rules_grades(which: RtwRule, message: str | None) -> None:
    register, index = register_of("SSS|SSSS.....SSS", MONDAY)
    timeline = build_timeline(register)
    if message is None:
        frame = return_to_work(timeline, which, horizon=5, index=index).frame
        assert frame["time"].tolist() == [4]
    else:
        with pytest.raises(ArgumentError, match=message):
            return_to_work(timeline, which, horizon=5, index=index)


def test_a_timeline_and_its_register_agree() -> None:
    register, index = register_of("SSS|SSss.....SSS", MONDAY)
    timeline = build_timeline(register, benefits=SICK)
    for which in (FIVE_DAYS, HALF, rule(hold="mean", min_work_share=50, length=4)):
        one = return_to_work(timeline, which, horizon=7, index=index).frame
        pd.testing.assert_frame_equal(one, return_to_work(register, which, horizon=7, index=index).frame)


def test_a_window_that_ends_too_early_is_an_error() -> None:
    register, index = register_of("SSS|SSSS~", MONDAY)
    timeline = build_timeline(register, window=("2020-03-02", "2020-03-12"))
    with pytest.raises(ArgumentError, match="ends before the horizon and the days that confirm"):
        return_to_work(timeline, FIVE_DAYS, horizon=10, index=index)
    late = build_timeline(register, window=("2020-03-03", "2021-02-12"))
    with pytest.raises(ArgumentError, match="does not cover their index date"):
        return_to_work(late, FIVE_DAYS, horizon=10, index=index)


@pytest.mark.parametrize(
    ("index_date", "message"),
    [
        ("2020-03-20", "1 of 1 people have an index date after the end of data, 2020-03-12"),
        ("2020-03-12", "1 of 1 people died before their index date"),
    ],
)
def test_index_dates_out_of_range(index_date: str, message: str) -> None:
    register, index = register_of("SSS|SSSSSSSSXXX", MONDAY)
    with pytest.raises(ArgumentError, match=message):
        return_to_work(register, FIVE_DAYS, horizon=5, index=index.assign(index_date=pd.Timestamp(index_date)))


def test_a_measurement_must_lie_within_the_horizon_for_everybody() -> None:
    register, index = register_of("S|SSSS~", MONDAY)
    with pytest.raises(ArgumentError, match=r"12 months after the index date.*on day 365; got 364 days.*horizon=365"):
        return_to_work(register, "hara_2018_no_benefits", horizon=364, index=index)
    with pytest.raises(ArgumentError, match=r"3 months after the index date.*on day 92"):
        return_to_work(register, "haveraaen_2016", horizon=90, index=index)


def test_later_measurements_after_the_horizon_are_left_out() -> None:
    register, index = register_of("S|" + "S" * 91 + "~", MONDAY)
    assert return_to_work(register, "tou_2015", horizon=0, index=index).frame["cause"].tolist() == ["horizon"]
    assert return_to_work(register, "tou_2015", horizon=92, index=index).frame["time"].tolist() == [92]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": -1}, "`horizon` must be a whole number"),
        ({"horizon": 3.5}, "`horizon` must be a whole number"),
        ({"horizon": 9, "day_zero": "drop"}, "`day_zero` must be one of"),
        ({"horizon": 9, "rule": "gismervik2020"}, "Did you mean 'gismervik_2020'"),
        ({"horizon": 9, "rule": 7}, "`rule` must be an RtwRule or the name of one"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    register, index = register_of("S|SSSS~", MONDAY)
    with pytest.raises(ArgumentError, match=message):
        return_to_work(register, **{"rule": FIVE_DAYS, "index": index, **options})


def test_nobody_gives_an_empty_frame() -> None:
    register, index = register_of("S|SSSS~", MONDAY)
    outcome = return_to_work(build_timeline(register), FIVE_DAYS, horizon=5, index=index.iloc[:0])
    assert len(outcome.frame) == 0
    assert outcome.n_day_zero == 0


def test_columns_and_types() -> None:
    frame = apply("SSS|SS.....SSS", FIVE_DAYS, 9).frame
    assert frame.dtypes.astype(str).to_dict() == {
        "person_id": "int64",
        "index_date": "datetime64[s]",
        "time": "int64",
        "event": "bool",
        "cause": "object",
        "event_date": "datetime64[s]",
        "started_on": "datetime64[s]",
        "confirmed_on": "datetime64[s]",
    }


def test_employment_enters_the_work_share() -> None:
    register, index = register_of("SSS|SSSS....SSS", MONDAY)
    jobs = pd.DataFrame(
        {
            "person_id": [1],
            "start": pd.to_datetime(["2015-01-01"]),
            "end": pd.to_datetime([None]).astype("datetime64[s]"),
            "position": [40.0],
        }
    )
    employed = replace(register, employment=jobs)
    half = rule(min_work_share=50, length=3)
    assert return_to_work(register, half, horizon=6, index=index).frame["cause"].tolist() == ["return"]
    assert return_to_work(employed, half, horizon=6, index=index).frame["cause"].tolist() == ["horizon"]
    less = rule(min_work_share=40, length=3)
    assert return_to_work(employed, less, horizon=6, index=index).frame["time"].tolist() == [4]


def test_the_callers_index_is_not_changed() -> None:
    register, index = register_of("SSS|SSSS....SSS", MONDAY)
    before = index.copy(deep=True)
    return_to_work(register, FIVE_DAYS, horizon=6, index=index)
    pd.testing.assert_frame_equal(index, before)
    assert np.array_equal(register.persons["person_id"], [1])
