"""Entitlement to sickness benefit by days: worked by hand, and against counting day by day.

A hazard of 1000 a day moves everybody on the first day it acts, and 0 never does: so paths can be written down. Day
k of a piece acts on the interval after day k, so ((0, 0), (19, 1000)) ends a state after exactly 20 days.
"""

import numpy as np
import pytest

from rtwcohort.core.days import day_of, iso
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.process import Entitlement, Inputs, Process, Transition, simulate_paths, state_code
from rtwcohort.simulate.process.compiled import compile_calendar
from rtwcohort.simulate.process.entitlement_kernel import (
    LEDGER,
    Rules,
    begin_absence,
    block_capacity,
    clear,
    end_absence,
    last_weekday,
    weekdays_before,
)

SURE = 1000.0


def day(text):
    return day_of(text, argument="day")


def after(days):
    return ((0, 0.0), (days - 1, SURE)) if days > 1 else ((0, SURE),)


def one(start, end, *, state="sick_full", transitions=(), entitlement=None, born="1980-01-01", seed=1, **more):
    moves = transitions or (Transition(origin="work", to="sick_full", group="x", per_day=((0, 0.0),)),)
    inputs = Inputs(
        persons=np.array([0]),
        start_day=np.array([day(start)]),
        start_state=np.array([state_code(state)]),
        end_day=np.array([day(end)]),
        birth_day=np.array([day(born)]),
        **{name: np.array([value]) for name, value in more.items()},
    )
    process = Process(transitions=moves, entitlement=entitlement or Entitlement())
    return simulate_paths(process, inputs, seed=seed, threads=1)


def dated(naive, paths):
    return [(state, iso(start)) for state, start, _, _ in naive.spells_of(paths, 0)]


def test_weekdays_are_counted():
    assert [weekdays_before(day(f"2024-01-0{k}")) - weekdays_before(day("2024-01-01")) for k in range(1, 9)] == [
        0,
        1,
        2,
        3,
        4,
        5,
        5,
        5,
    ]
    assert weekdays_before(-3) - weekdays_before(-10) == 5
    assert iso(last_weekday(day("2024-01-01"), day("2024-01-08"))) == "2024-01-05"


def test_one_long_absence(naive):
    # Monday 4 January 2021; the employer pays 4-19 January. First paid day: Wednesday 20 January. 248 weekdays are 49
    # weeks and 3 days: 49 weeks from then is Wednesday 29 December, so day 248 is Friday 31 December.
    assert dated(naive, one("2021-01-04", "2023-01-01")) == [("sick_full", "2021-01-04"), ("aap", "2022-01-01")]


def test_an_employer_period_of_its_own(naive):
    # Without it the first paid day is Monday 4 January 2021: 49 weeks and 3 days on, Wednesday 15 December is day 248.
    found = dated(naive, one("2021-01-04", "2023-01-01", entitlement=Entitlement(employer_period=0)))
    assert found[1] == ("aap", "2021-12-16")


def test_days_before_the_start_count(naive):
    # The same absence, known from day 100 on.
    paths = one("2021-04-14", "2023-01-01", days_before=100)
    assert dated(naive, paths) == [("sick_full", "2021-01-04"), ("aap", "2022-01-01")]


def test_used_up_before_the_start():
    with pytest.raises(ArgumentError, match=r"1 people on sickness benefit.*used it up"):
        one("2022-01-04", "2023-01-01", days_before=365)


def work_and_sick(sick_days, work_days):
    return (
        Transition(origin="sick_full", to="work", group="return", per_day=after(sick_days)),
        Transition(origin="work", to="sick_full", group="onset", per_day=after(work_days)),
    )


def test_two_absences_share_the_days(naive):
    # 116 days from Monday 4 January 2021: 16 of the employer, 100 from Wednesday 20 January to Thursday 29 April:
    # 14 weeks and 2 days = 72 paid days. 60 days of work from Friday 30 April. New absence Tuesday 29 June, first paid
    # day Thursday 15 July. 248 - 72 = 176 = 35 weeks and 1 day: day 176 is Thursday 17 March 2022.
    moves = (
        Transition(origin="sick_full", to="work", group="return", per_day=after(116), calendar=(("2021-06-01", 0.0),)),
        Transition(origin="work", to="sick_full", group="onset", per_day=after(60)),
    )
    found = dated(naive, one("2021-01-04", "2023-06-01", transitions=moves))
    assert found == [
        ("sick_full", "2021-01-04"),
        ("work", "2021-04-30"),
        ("sick_full", "2021-06-29"),
        ("aap", "2022-03-18"),
    ]


@pytest.mark.parametrize(
    ("work_days", "runs_out"),
    [
        # The last paid day is Thursday 29 April. 182 days of work put the new absence on Friday 29 October: 182 days
        # without benefit, all is re-earned; first paid Sunday 14 November, so 248 days from Monday 15 November 2021:
        # 49 weeks and 3 days, to Wednesday 26 October 2022.
        (182, "2022-10-27"),
        # A day less: 176 days are left from Saturday 13 November (paid from Monday 15 November): 35 weeks and 1 day,
        # to Monday 18 July 2022.
        (181, "2022-07-19"),
    ],
)
def test_rights_are_earned_again_after_26_weeks(naive, work_days, runs_out):
    moves = (
        Transition(origin="sick_full", to="work", group="return", per_day=after(116), calendar=(("2021-06-01", 0.0),)),
        Transition(origin="work", to="sick_full", group="onset", per_day=after(work_days)),
    )
    assert dated(naive, one("2021-01-04", "2023-06-01", transitions=moves))[-1] == ("aap", runs_out)


@pytest.mark.parametrize(
    ("gap", "first_paid"),
    # 10 sick days from Monday 4 January 2021, then work from 14 January. With 15 days between, 6 days of the employer
    # period are left; with 16 all of it.
    [(15, "2021-02-04"), (16, "2021-02-15")],
)
def test_a_short_gap_continues_the_employer_period(naive, gap, first_paid):
    moves = (
        Transition(origin="sick_full", to="work", group="return", per_day=after(10), calendar=(("2021-01-20", 0.0),)),
        Transition(origin="work", to="sick_full", group="onset", per_day=after(gap)),
    )
    rule = Entitlement(paid_days=1)
    found = dated(naive, one("2021-01-04", "2023-06-01", transitions=moves, entitlement=rule))
    # One paid day: it runs out on the day after the first weekday from `first_paid` on.
    paid = day(first_paid)
    while paid % 7 in naive.weekdays_off:
        paid += 1
    assert found[-1] == ("aap", iso(paid + 1))


@pytest.mark.parametrize(
    ("last", "runs_out"),
    [
        # 200 paid days up to Friday 3 May 2019: 40 weeks from Monday 30 July 2018. On the first paid day, Wednesday
        # 20 October 2021, 28 weeks of them are within three years, and as many leave as come until 3 May 2022: so the
        # new absence has its own 248 days, to Friday 30 September 2022.
        ("2019-05-03", "2022-10-01"),
        # Up to Monday 3 May 2021 all are within three years: 48 are left, 9 weeks and 3 days, to Friday 24 December.
        ("2021-05-03", "2021-12-25"),
    ],
)
def test_the_window_of_three_years(naive, last, runs_out):
    rule = Entitlement(reearn_weeks=600)
    paths = one("2021-10-04", "2023-06-01", entitlement=rule, paid_before=200, last_paid_day=day(last))
    assert dated(naive, paths)[-1] == ("aap", runs_out)


def test_no_rights_are_left_after_they_ran_out(naive):
    # They ran out on 31 December 2021. Work until the next absence: the employer pays 16 days, nobody after that.
    moves = (
        Transition(origin="aap", to="work", group="a", per_day=after(30)),
        Transition(origin="work", to="sick_full", group="onset", per_day=after(30)),
    )
    found = dated(naive, one("2021-01-04", "2022-04-15", transitions=moves))
    assert found == [
        ("sick_full", "2021-01-04"),
        ("aap", "2022-01-01"),
        ("work", "2022-01-31"),
        ("sick_full", "2022-03-02"),
        ("aap", "2022-03-18"),
    ]


def test_counting_day_by_day_agrees(naive):
    """Random absences over ten years: the jumping count against one that looks at every day."""
    rng = np.random.default_rng(5)
    ran_out = 0
    for rule in (Entitlement(), Entitlement(paid_days=60, window_years=1, reearn_weeks=8, employer_period=5)):
        rules = Rules(rule.employer_period, rule.employer_gap, rule.paid_days, 7 * rule.reearn_weeks)
        calendar = compile_calendar(day("2000-01-01"), day("2030-01-01"), rule.window_years)
        for _ in range(4):
            ledger = np.zeros(LEDGER, dtype=np.int64)
            blocks = np.zeros((block_capacity(rule.window_years), 2), dtype=np.int64)
            clear(ledger)
            paid, last_sick, used, today = set(), -(10**6), 0, day("2010-01-01") + int(rng.integers(0, 7))
            for _ in range(12):
                today += int(rng.choice([3, 12, 15, 16, 40, 100, 181, 182, 200]))
                first, expected = naive.run_out(today, rule, paid, last_sick, used)
                assert begin_absence(today, rules, calendar, ledger, blocks) == expected
                length = int(min(expected - today, rng.choice([4, 15, 17, 30, 120, 400])))
                ran_out += length == expected - today
                if today - last_sick - 1 >= rule.employer_gap:
                    used = 0
                if not paid or today - max(paid) - 1 >= 7 * rule.reearn_weeks:
                    paid = set()
                paid |= {d for d in range(first, today + length) if d % 7 not in naive.weekdays_off}
                used = min(rule.employer_period, used + length)
                end_absence(today, today + length, rules, ledger, blocks)
                last_sick = today + length - 1
                today += length
    assert ran_out > 10


def test_destinations_and_age():
    n = 4000
    born = np.where(np.arange(n) < n // 2, day("1980-01-01"), day("1958-06-01"))
    inputs = Inputs(
        persons=np.arange(n),
        start_day=np.full(n, day("2021-01-04")),
        start_state=np.full(n, state_code("sick_full")),
        end_day=np.full(n, day("2022-03-01")),
        birth_day=born,
    )
    moves = (Transition(origin="work", to="sick_full", group="x", per_day=((0, 0.0),)),)
    rule = Entitlement(after=(("aap", 0.6), ("work", 0.2), ("retired", 0.2)))
    paths = simulate_paths(Process(transitions=moves, entitlement=rule), inputs, seed=3)
    last = np.r_[paths.person[1:] != paths.person[:-1], True]
    state = paths.state[last]
    young, old = state[: n // 2], state[n // 2 :]
    for group, shares in ((young, (0.75, 0.25, 0.0)), (old, (0.6, 0.2, 0.2))):
        seen = [np.mean(group == state_code(name)) for name in ("aap", "work", "retired")]
        assert np.allclose(seen, shares, atol=4 * np.sqrt(0.25 / (n // 2)))
    assert not (young == state_code("retired")).any()


def test_everybody_retires_on_the_birthday(naive):
    found = dated(naive, one("2021-01-04", "2023-01-01", state="work", born="1954-02-28"))
    assert found == [("work", "2021-01-04"), ("retired", "2021-02-28")]
    with pytest.raises(ArgumentError, match="must be 'retired' from `retirement_age`"):
        one("2021-01-04", "2023-01-01", state="work", born="1954-01-04")
