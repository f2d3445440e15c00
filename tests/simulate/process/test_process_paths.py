"""Paths: the same bytes however they are made, without gaps, and guards that speak; and a naive simulator."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from rtwcohort.core.days import day_of
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.process import (
    CAUSES,
    ArmEffect,
    ClusterEffect,
    EarlierSpells,
    Effect,
    Entitlement,
    Frailty,
    Inputs,
    Process,
    Transition,
    simulate_paths,
    state_code,
    state_on,
)
from rtwcohort.simulate.process import run as run_module

START = day_of("2019-01-01", argument="start")
SICK = ("sick_full", "sick_graded")
LIVING = ("work", *SICK, "aap", "aap_work", "disability_full", "disability_partial", "unemployed", "outside")
DAYS = 650


def move(origin, to, *pieces, group=None, **more):
    return Transition(origin=origin, to=to, group=group or to, per_day=pieces, **more)


PROCESS = Process(
    transitions=(
        move("work", *("sick_full", (0, 0.004)), group="onset", season=(1.5,) * 3 + (0.8,) * 9),
        move("work", "unemployed", (0, 0.0005)),
        move("unemployed", "work", (0, 0.004), (90, 0.002), group="job"),
        move("sick_full", "sick_graded", (0, 0.01), group="grading"),
        move("sick_graded", "sick_graded", (0, 0.01), group="regrade"),
        move(SICK, "work", (0, 0.03), (16, 0.015), (60, 0.003), group="return", left=((0, 3.0), (20, 1.0))),
        move("aap", "aap_work", (0, 0.002)),
        move(("aap", "aap_work"), "disability_partial", (0, 0.0), (60, 0.002), clock="absence"),
        move(("aap", "aap_work"), "work", (0, 0.001), group="job"),
        move(("work", "unemployed"), "retired", (0, 0.01), age=((0, 0), (62, 1))),
        move((*LIVING, "retired"), "dead", (0, 0.0001)),
        move(LIVING, "emigrated", (0, 0.0001)),
    ),
    effects=(
        Effect(on="return", term="score", log_hr=-0.5),
        Effect(on="dead", term="age_now", log_hr=0.9, per=10, centre=45),
    ),
    arm_effects=(ArmEffect(on="return", arm="visit", log_hr=0.5, delay=30, half_life=200),),
    earlier=EarlierSpells(on="onset", log_hr=0.3, most=2),
    entitlement=Entitlement(
        paid_days=60, after=(("aap", 0.7), ("work", 0.2), ("retired", 0.1)), after_old=(("retired", 1.0),)
    ),
    retirement_age=64,
)
FULL = replace(
    PROCESS,
    frailty=(Frailty(on="onset", variance=0.5), Frailty(on="return", variance=0.4, distribution="lognormal")),
    clusters=(ClusterEffect(on=("return", "job"), sd=0.3),),
)


def people(n, first=0):
    persons = np.arange(first, first + n)
    sick = persons % 3 == 0
    return Inputs(
        persons=persons,
        start_day=np.full(n, START),
        start_state=np.where(sick, state_code("sick_full"), state_code("work")),
        end_day=np.full(n, START + DAYS),
        birth_day=START - draws.whole(draws.key(2, "age"), persons, 30 * 365, 63 * 365),
        days_before=np.where(sick, persons % 40, 0),
        arm=persons % 2,
        arms=("usual", "visit"),
        cluster=persons % 7,
        covariates={"score": draws.normal(draws.key(2, "score"), persons)},
    )


def arrays(paths):
    return [getattr(paths, name).tobytes() for name in ("person", "state", "start", "end", "grade", "cause")]


def test_threads_and_blocks_do_not_matter(monkeypatch):
    inputs = people(3000)
    whole = simulate_paths(FULL, inputs, seed=5, threads=1)
    monkeypatch.setattr(run_module, "_BLOCK", 700)
    assert arrays(simulate_paths(FULL, inputs, seed=5, threads=3)) == arrays(whole)
    other = simulate_paths(FULL, inputs, seed=6, threads=3)
    assert arrays(other) != arrays(whole)


def test_a_partition_gives_the_same_people():
    whole = simulate_paths(FULL, people(1500), seed=5)
    part = simulate_paths(FULL, people(500, first=600), seed=5)
    here = (whole.person >= 600) & (whole.person < 1100)
    assert np.array_equal(whole.person[here] - 600, part.person)
    for name in ("state", "start", "end", "grade", "cause"):
        assert np.array_equal(getattr(whole, name)[here], getattr(part, name))


def test_paths_have_no_gaps():
    inputs = people(3000)
    paths = simulate_paths(FULL, inputs, seed=5)
    new = np.r_[True, paths.person[1:] != paths.person[:-1]]
    last = np.r_[new[1:], True]
    assert np.array_equal(paths.person[new], np.arange(3000))
    assert np.array_equal(paths.start[new], inputs.start_day - inputs.days_before)
    assert np.array_equal(paths.end[last], inputs.end_day)
    assert np.array_equal(paths.end[~last], paths.start[1:][~new[1:]])
    assert (paths.end > paths.start).all()
    final = np.isin(paths.state, [state_code("dead"), state_code("emigrated")])
    assert last[final].all()
    graded = np.isin(paths.state, [state_code(s) for s in ("sick_graded", "aap_work", "disability_partial")])
    assert ((paths.grade > 0) == graded).all()
    again = ~new[1:] & (paths.state[1:] == paths.state[:-1])
    assert again.any()
    assert (paths.grade[1:][again] != paths.grade[:-1][again]).all()
    assert "3000 people" in paths.describe()


def test_a_grade_at_the_start_is_kept():
    graded = with_one(start_state=np.full(10, state_code("sick_graded")), start_grade=np.arange(10) * 5)
    paths = simulate_paths(FULL, graded, seed=5)
    first = np.r_[True, paths.person[1:] != paths.person[:-1]]
    found = paths.grade[first]
    assert found[1:].tolist() == [5 * k for k in range(1, 10)]
    assert found[0] in [grade for grade, _ in FULL.grades]


def test_the_cause_of_each_spell(naive):
    paths = simulate_paths(FULL, people(3000), seed=5)
    cause = np.array(CAUSES)[paths.cause]
    first = np.r_[True, paths.person[1:] != paths.person[:-1]]
    assert np.array_equal(cause == "start", first)
    before = np.r_[-1, paths.state[:-1]]
    assert np.isin(before[cause == "used_up"], (1, 2)).all()
    assert (cause == "used_up").sum() > 100
    assert (paths.state[cause == "age"] == state_code("retired")).all()
    birth = people(3000).birth_day[paths.person]
    turned = np.array([_birthday(int(b), 64) for b in birth[cause == "age"]])
    assert np.array_equal(paths.start[cause == "age"], turned)
    # From sick states only the end of the benefit leads to allowance here.
    allowance = (paths.state == state_code("aap")) & np.isin(before, (1, 2))
    assert (cause[allowance] == "used_up").all()


def test_the_state_on_a_day(naive):
    paths = simulate_paths(FULL, people(200), seed=5)
    rng = np.random.default_rng(1)
    person, day = rng.integers(0, 200, 500), rng.integers(START - 60, START + DAYS + 20, 500)
    found = state_on(paths, person, day)
    for i, d, code in zip(person, day, found, strict=True):
        here = (paths.person == i) & (paths.start <= d) & (d < paths.end)
        assert code == (paths.state[here][0] if here.any() else -1)
    assert (found == -1).any()


def test_grades_have_their_shares():
    paths = simulate_paths(FULL, people(6000), seed=5)
    entered = np.r_[True, paths.state[1:] != paths.state[:-1]] & (paths.state == state_code("sick_graded"))
    seen = [int((paths.grade[entered] == grade).sum()) for grade, _ in FULL.grades]
    assert sum(seen) == entered.sum() > 500
    assert stats.chisquare(seen, [share * sum(seen) for _, share in FULL.grades]).pvalue > 1e-3


def with_one(**change):
    return replace(people(10), **change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"persons": np.arange(0)}, "at least one person"),
        ({"start_day": np.full(9, START)}, r"shape \(10,\)"),
        ({"start_day": np.full(10, START + 0.5)}, "whole numbers"),
        ({"start_state": np.full(10, 12)}, "code from 0"),
        ({"start_state": np.full(10, 10)}, "people leave"),
        ({"end_day": np.full(10, START)}, "after `start_day`; 10 of 10 people"),
        ({"birth_day": np.full(10, START + 1)}, "birth_day"),
        ({"days_before": np.full(10, -1)}, "days_before"),
        ({"start_grade": np.full(10, 50)}, "must be 0 in states without a grade"),
        ({"arm": np.full(10, 2)}, "position in `arms`"),
        ({"arms": ("usual", "visits")}, "name the arm 'visit'"),
        ({"cluster": np.full(10, -1)}, "cluster"),
        ({"covariates": {"scores": np.zeros(10)}}, "Did you mean 'scores'"),
        ({"covariates": {"score": np.full(10, np.nan)}}, "10 values that are not finite"),
        ({"paid_before": np.full(10, 5)}, "needs `last_paid_day`"),
        ({"paid_before": np.full(10, 5), "last_paid_day": np.full(10, START)}, "before the path begins"),
    ],
)
def test_inputs_that_cannot_be(change, words):
    with pytest.raises(ArgumentError, match=words):
        simulate_paths(FULL, with_one(**change), seed=1)


def test_too_many_spells_stop_the_run():
    wild = Process(
        transitions=(move("work", "sick_full", (0, 9.0)), move("sick_full", "work", (0, 9.0))), most_spells=100
    )
    with pytest.raises(ArgumentError, match="gives 10 people more than 100 spells"):
        simulate_paths(wild, people(10), seed=1)


# A simulator that shares nothing with the engine but the declaration: all people in step, one Bernoulli trial a day.


def walk_by_day(process, inputs, naive, rng):
    """Return the state of each person on each day, shape (n, DAYS), and the day of each forced end of benefit."""
    n, rule = len(inputs.persons), process.entitlement
    lead = int(inputs.days_before.max()) + 1
    state = inputs.start_state.copy()
    seen = np.zeros((n, DAYS), dtype=int)
    seen[:, 0] = state
    paid = np.zeros((n, lead + DAYS), dtype=bool)
    since = {"state": START - inputs.days_before, "absence": START - inputs.days_before}
    first_paid = since["absence"] + rule.employer_period
    for d in range(START - lead, START):
        weekday = d % 7 not in naive.weekdays_off
        paid[:, d - START + lead] = np.isin(state, (1, 2)) & (d >= first_paid) & weekday
    last_sick, used, earlier = np.full(n, -(10**6)), np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    retire = np.array([_birthday(int(b), process.retirement_age) for b in inputs.birth_day])
    forced = []
    for day in range(START + 1, START + DAYS):
        yesterday = day - 1
        sick = np.isin(state, (1, 2))
        weekday = yesterday % 7 not in naive.weekdays_off
        paid[:, yesterday - START + lead] = sick & (yesterday >= first_paid) & weekday
        to = draw_moves(process, inputs, naive, state, yesterday, since, first_paid, paid, lead, earlier, rng)
        low = max(naive.back(yesterday, rule.window_years) + 1 - START + lead, 0)
        low_today = max(naive.back(day, rule.window_years) + 1 - START + lead, 0)
        through = paid[:, low : yesterday - START + lead + 1].sum(axis=1)
        before = paid[:, low_today : day - START + lead].sum(axis=1)
        gone = sick & (
            ((yesterday >= first_paid) & (through >= rule.paid_days))
            | ((day == first_paid) & (before >= rule.paid_days))
        )
        old = (day - inputs.birth_day) >= rule.retire_from * 365.25
        u = rng.random(n)
        to[gone] = np.where(u < 0.7 / 0.9, state_code("aap"), state_code("work"))[gone]
        to[gone & old] = state_code("retired")
        forced += [day] * int((gone & (state < 8)).sum())
        to[(day >= retire) & (state < 8)] = state_code("retired")
        moved = to >= 0
        new = np.where(moved, to, state)
        ends, begins = sick & ~np.isin(new, (1, 2)), ~sick & np.isin(new, (1, 2))
        used = np.where(ends, np.minimum(rule.employer_period, used + day - since["absence"]), used)
        last_sick, earlier = np.where(ends, yesterday, last_sick), earlier + ends
        used = np.where(begins & (day - last_sick - 1 >= rule.employer_gap), 0, used)
        has_paid = paid.any(axis=1)
        last_paid = START - lead + paid.shape[1] - 1 - paid[:, ::-1].argmax(axis=1)
        paid[begins & has_paid & (day - last_paid - 1 >= 7 * rule.reearn_weeks)] = False
        first_paid = np.where(begins, day + rule.employer_period - used, first_paid)
        family = np.array([0, 1, 1, 3, 3, 5, 5, 7, 8, 9, 10, 11])
        since["absence"] = np.where(family[new] != family[state], day, since["absence"])
        since["state"] = np.where(moved, day, since["state"])
        state = new
        seen[:, day - START] = state
    return seen, np.array(forced)


def _birthday(birth, years):
    date = np.datetime64(birth, "D").astype(object)
    day = 28 if (date.month, date.day) == (2, 29) else date.day
    return int(np.datetime64(date.replace(year=date.year + years, day=day), "D").astype(int))


def draw_moves(process, inputs, naive, state, day, since, first_paid, paid, lead, earlier, rng):
    n = len(state)
    low = max(naive.back(day, process.entitlement.window_years) + 1 - START + lead, 0)
    count = paid[:, low : day - START + lead + 1].sum(axis=1)
    at = {
        "day": np.full(n, day),
        "state": day - since["state"],
        "absence": day - since["absence"],
        "follow_up": np.full(n, day - START),
        "left": calendar_days_left(process.entitlement.paid_days - count, np.maximum(day, first_paid - 1))
        + np.maximum(first_paid - 1 - day, 0),
        "birth": inputs.birth_day,
        "earlier": earlier,
        "arm": np.array(inputs.arms)[inputs.arm],
        "x": inputs.covariates,
    }
    rates = np.zeros((len(process.transitions), n))
    for k, transition in enumerate(process.transitions):
        for origin in transition.origins:
            rates[k] += np.where(state == state_code(origin), naive.rate(process, origin, transition, at), 0.0)
    total = rates.sum(axis=0)
    moves = rng.random(n) < -np.expm1(-total)
    point = rng.random(n) * total
    chosen = (np.cumsum(rates, axis=0) <= point).sum(axis=0).clip(max=len(rates) - 1)
    goal = np.array([state_code(transition.to) for transition in process.transitions])
    return np.where(moves, goal[chosen], -1)


def calendar_days_left(weekdays, day):
    """Return how many calendar days after `day` it takes to see that many weekdays (window and past set aside)."""
    left = np.zeros(len(weekdays), dtype=int)
    need = np.maximum(weekdays, 0).copy()
    step = 0
    while (need > 0).any():
        step += 1
        counts = ~np.isin((day + step) % 7, (2, 3))
        left = np.where(need > 0, step, left)
        need = need - (counts & (need > 0))
    return left


@pytest.fixture(scope="module")
def both(naive):
    inputs = people(2000)
    slow, forced = walk_by_day(PROCESS, inputs, naive, np.random.default_rng(1))
    fast = people(20_000)
    return slow, forced, simulate_paths(PROCESS, fast, seed=2)


def test_the_naive_simulator_agrees_on_who_is_where(both):
    slow, _, paths = both
    for days in (5, 40, 90, 200, 400, 649):
        here = (paths.start <= START + days) & (paths.end > START + days)
        fast = np.bincount(paths.state[here], minlength=12)
        naive = np.bincount(slow[:, days], minlength=12)
        kept = (fast + naive) >= 20
        assert stats.chi2_contingency(np.array([fast[kept], naive[kept]])).pvalue > 1e-3, days


def test_the_naive_simulator_agrees_on_absences(both):
    slow, forced, paths = both
    sick = np.isin(slow, (1, 2))
    begins = sick[:, 1:] & ~sick[:, :-1]
    lengths, who = [], []
    for i, d in zip(*np.nonzero(begins), strict=True):
        ended = np.flatnonzero(~sick[i, d + 1 :])
        lengths.append(ended[0] if len(ended) else DAYS - d - 1)
        who.append(i)
    state_sick = np.isin(paths.state, (1, 2))
    same = np.r_[False, paths.person[1:] == paths.person[:-1]]
    first = state_sick & ~(np.r_[False, state_sick[:-1]] & same) & same
    absence = np.cumsum(first | (state_sick & ~same))
    own = np.bincount(absence[state_sick], weights=(paths.end - paths.start)[state_sick])
    fast = own[absence[first]]
    assert stats.ks_2samp(lengths, fast).pvalue > 1e-3
    per_slow, per_fast = np.bincount(who, minlength=2000), np.bincount(paths.person[first], minlength=20_000)
    table = np.array([np.bincount(np.minimum(x, 6), minlength=7) for x in (per_slow, per_fast)])
    assert stats.chi2_contingency(table).pvalue > 1e-3
    exits = np.r_[state_sick[:-1] & (paths.state[1:] == state_code("aap")) & same[1:], False]
    aap = (slow[:, 1:] == state_code("aap")) & sick[:, :-1]
    assert len(forced) > 200
    assert stats.ks_2samp(np.nonzero(aap)[1] + 1, paths.end[exits] - START).pvalue > 1e-3
    assert abs(aap.sum() / 2000 - exits.sum() / 20_000) < 4 * np.sqrt(aap.sum()) / 2000
