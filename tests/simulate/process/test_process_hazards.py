"""Observed moves against the declared hazards, within bins of everything that they depend on.

At each day at risk the declared rates h of the moves give move k the probability (1 - exp(-sum h)) h_k / sum h. The
sum of these within a bin is compared with the moves that came, in standard errors.
"""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import stats

from rtwcohort.core.days import day_of
from rtwcohort.simulate import draws
from rtwcohort.simulate.process import (
    ArmEffect,
    ClusterEffect,
    EarlierSpells,
    Effect,
    Entitlement,
    Frailty,
    Inputs,
    Process,
    Spline,
    Transition,
    hazard,
    simulate_paths,
    state_code,
)
from rtwcohort.simulate.process.factors import draw_frailty

START = day_of("2019-01-01", argument="start")
SICK = ("sick_full", "sick_graded")
MOVES = (
    Transition(
        origin="sick_full",
        to="work",
        group="return",
        per_day=((0, 0.03), (30, 0.012), (80, 0.004)),
        left=((0, 6.0), (10, 3.0), (40, 1.0)),
        calendar=(("2019-07-01", 0.6), ("2020-03-12", 1.5)),
        season=(1.3, 1.0, 1.0, 0.9, 0.9, 0.8, 0.5, 1.1, 1.2, 1.0, 1.0, 0.7),
    ),
    Transition(origin="sick_graded", to="work", group="return", per_day=((0, 0.01), (20, 0.02)), clock="state"),
    Transition(
        origin="sick_full", to="sick_graded", group="grading", spline=Spline(days=(0, 40, 200), log_rates=(-6, -4, -5))
    ),
    Transition(origin=SICK, to="unemployed", group="job_loss", per_day=((0, 0.0005), (100, 0.002)), clock="follow_up"),
    Transition(
        origin="work", to="sick_full", group="onset", per_day=((0, 0.006), (60, 0.003)), age=((0, 0.5), (40, 1.0))
    ),
    Transition(origin="unemployed", to="work", group="job", per_day=((0, 0.01),)),
    Transition(origin=("work", *SICK, "unemployed"), to="dead", group="death", per_day=((0, 0.0002),)),
)


def _fields(move):
    return {field.name: getattr(move, field.name) for field in fields(move)}


PROCESS = Process(
    transitions=MOVES,
    effects=(
        Effect(on="return", term="score", log_hr=-0.4, per=2.0, centre=1.0),
        Effect(on=("death", "onset"), term="age_now", log_hr=0.5, per=10, centre=40),
    ),
    arm_effects=(
        ArmEffect(
            on="return",
            arm="visit",
            log_hr=0.8,
            delay=20,
            until=250,
            half_life=60,
            interaction="score",
            interaction_log_hr=0.3,
            interaction_centre=1.0,
        ),
    ),
    earlier=EarlierSpells(on=("onset", "return"), log_hr=0.25, most=3),
    entitlement=Entitlement(paid_days=60, reearn_weeks=2),
)
N = 2500


def inputs_of(n, **more):
    persons = np.arange(n)
    rest = {
        "persons": persons,
        "start_day": np.full(n, START),
        "start_state": np.full(n, state_code("sick_full")),
        "end_day": np.full(n, START + 600),
        "birth_day": START - draws.whole(draws.key(2, "age"), persons, 30 * 365, 50 * 365),
        "covariates": {"score": draws.normal(draws.key(2, "score"), persons) + 1.0},
    }
    return Inputs(**{**rest, **more})


@pytest.fixture(scope="module")
def inputs():
    persons = np.arange(N)
    return inputs_of(
        N,
        index_day=START + draws.whole(draws.key(2, "index"), persons, 0, 30),
        arm=draws.whole(draws.key(2, "arm"), persons, 0, 1),
        arms=("usual", "visit"),
    )


@pytest.fixture(scope="module")
def risk(inputs, naive):
    """Everything about each day at risk, expanded from the paths."""
    return expand(simulate_paths(PROCESS, inputs, seed=11), inputs, naive)


def expand(paths, inputs, naive):
    spell = np.repeat(np.arange(len(paths.person)), paths.end - paths.start)
    offset = np.arange(len(spell)) - np.repeat(
        np.cumsum(paths.end - paths.start) - (paths.end - paths.start), paths.end - paths.start
    )
    person, state = paths.person[spell], paths.state[spell].astype(int)
    day = paths.start[spell] + offset
    absence, left, earlier = absences(paths, naive)
    following = np.r_[paths.state[1:], -1]
    following[np.r_[paths.person[1:] != paths.person[:-1], True]] = -1
    last = offset == (paths.end - paths.start)[spell] - 1
    at = {
        "day": day,
        "state_code": state,
        "state": offset,
        "absence": day - absence[spell],
        "follow_up": day - inputs.index_day[person],
        "left": left[spell] - 1 - day,
        "birth": inputs.birth_day[person],
        "earlier": earlier[spell],
        "arm": np.array(inputs.arms)[inputs.arm[person]],
        "x": {"score": inputs.covariates["score"][person]},
        "to": np.where(last, following[spell], -1),
    }
    forced = (at["left"] == 0) | (day + 1 == inputs.end_day[person])
    keep = ~forced & (state < state_code("dead")) & (absence[spell] != -1)
    return {name: ({k: v[keep] for k, v in x.items()} if name == "x" else x[keep]) for name, x in at.items()}


def absences(paths, naive):
    """Return for each spell the first day of its absence, the first day without entitlement, and earlier absences.

    Absences soon after another have neither a new employer period nor all their days: their first day is -1.
    """
    rule, fresh = PROCESS.entitlement, {}
    first, out, earlier = paths.start.copy(), np.full(len(paths.start), 10**6), np.zeros(len(paths.start), dtype=int)
    person, began, ended, count = -1, None, -(10**6), 0
    for k in range(len(paths.start)):
        if paths.person[k] != person:
            person, began, ended, count = paths.person[k], None, -(10**6), 0
        start, sick = int(paths.start[k]), paths.state[k] in (1, 2)
        if sick and began is None:
            began = start if start - ended >= 16 else -1
            if began not in fresh:
                fresh[began] = naive.run_out(start, rule, set(), -(10**6), 0)[1]
        elif not sick and began is not None:
            began, ended, count = None, start, count + 1
        earlier[k] = count
        if sick:
            first[k], out[k] = began, fresh[began]
    return first, out, earlier


def expected(process, at, naive):
    """Return the probability of every move on every day at risk: to-state -> array."""
    rates = {}
    for origin in {name for move in process.transitions for name in move.origins}:
        here = at["state_code"] == state_code(origin)
        part = {k: ({n: v[here] for n, v in x.items()} if k == "x" else x[here]) for k, x in at.items()}
        for move in process.transitions:
            if origin in move.origins:
                rate = rates.setdefault(move.to, np.zeros(len(here)))
                rate[here] += naive.rate(process, origin, move, part)
    total = sum(rates.values())
    moves = -np.expm1(-total)
    return {to: moves * np.divide(rate, total, out=np.zeros_like(rate), where=total > 0) for to, rate in rates.items()}


def worst(at, chance, to, by):
    """Return the largest deviation in standard errors over the bins of `by`, and the number of bins."""
    found = []
    for value in np.unique(by):
        here = by == value
        p = chance[to][here]
        spread = np.sqrt((p * (1 - p)).sum())
        if spread**2 >= 4:
            found.append(((at["to"][here] == state_code(to)).sum() - p.sum()) / spread)
    return np.abs(found).max(), len(found)


@pytest.fixture(scope="module")
def chance(risk, naive):
    return expected(PROCESS, risk, naive)


def months(at):
    return (at["day"] + 1).astype("datetime64[D]").astype("datetime64[M]").astype(int)


BINS = {
    "state": lambda at: at["state_code"],
    "absence clock": lambda at: at["state_code"] * 1000 + np.minimum(at["absence"] // 7, 40),
    "state clock": lambda at: at["state_code"] * 1000 + np.minimum(at["state"] // 10, 20),
    "follow-up clock": lambda at: at["state_code"] * 1000 + at["follow_up"] // 30,
    "days left": lambda at: at["state_code"] * 1000 + np.minimum(at["left"] // 5, 30),
    "month of the calendar": lambda at: at["state_code"] * 1000 + months(at),
    "month of the year": lambda at: at["state_code"] * 1000 + months(at) % 12,
    "age": lambda at: at["state_code"] * 1000 + (at["day"] - at["birth"]) // 1461,
    "score": lambda at: at["state_code"] * 1000 + np.clip(np.round(at["x"]["score"]), -1, 3),
    "arm and follow-up": lambda at: (at["arm"] == "visit") * 1000 + np.clip(at["follow_up"] // 14, -1, 25),
    "arm and score": lambda at: (at["arm"] == "visit") * 1000 + np.clip(np.round(at["x"]["score"]), -1, 3),
    "earlier absences": lambda at: at["state_code"] * 1000 + np.minimum(at["earlier"], 5),
}


@pytest.mark.parametrize("what", BINS)
def test_moves_come_as_declared(risk, chance, what):
    by = BINS[what](risk)
    bins = 0
    for to in chance:
        deviation, n = worst(risk, chance, to, by)
        bins += n
        assert deviation < 4.2, f"{what}, moves to {to}"
    assert bins >= 10


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"effects": ()}, "score"),
        ({"arm_effects": ()}, "arm and follow-up"),
        ({"earlier": None}, "earlier absences"),
        (
            {"transitions": tuple(m if not m.left else Transition(**{**_fields(m), "left": ()}) for m in MOVES)},
            "days left",
        ),
        (
            {"transitions": tuple(m if not m.season else Transition(**{**_fields(m), "season": ()}) for m in MOVES)},
            "month of the year",
        ),
    ],
    ids=["covariates", "arm", "earlier", "left", "season"],
)
def test_the_comparison_can_fail(risk, naive, change, what):
    wrong = expected(replace(PROCESS, **change), risk, naive)
    by = BINS[what](risk)
    assert max(worst(risk, wrong, to, by)[0] for to in wrong) > 6


def test_the_declared_hazard_is_what_it_says(naive):
    days = np.arange(0, 90)
    n = len(days)
    start = day_of("2019-11-04", argument="d")
    out = naive.run_out(start, PROCESS.entitlement, set(), -(10**6), 0)[1]
    at = {
        "day": start + days,
        "state": days,
        "absence": days,
        "follow_up": days - 10,
        "left": out - 1 - start - days,
        "birth": np.full(n, start - round(50 * 365.25)),
        "earlier": np.full(n, 2),
        "arm": np.full(n, "visit"),
        "x": {"score": np.full(n, 2.5)},
    }
    given = {
        "started": "2019-11-04",
        "age": 50,
        "index_after": 10,
        "arm": "visit",
        "covariates": {"score": 2.5},
        "earlier": 2,
    }
    for move in MOVES[:3]:
        origin = move.origins[0]
        found = hazard(PROCESS, origin, move.to, days, **given)
        assert np.allclose(found, naive.rate(PROCESS, origin, move, at), rtol=1e-12, atol=0)
    assert hazard(PROCESS, "sick_full", "work", [out - 1 - start, out - start], **given).tolist() == [0, 0]


@pytest.mark.parametrize("distribution", ["gamma", "lognormal"])
@pytest.mark.parametrize("variance", [0.2, 1.0, 3.0])
def test_frailty_has_its_mean_and_variance(distribution, variance):
    drawn = draw_frailty(np.arange(100_000), variance, distribution, draws.key(9, distribution))
    spread = np.log1p(variance)
    curve = {
        "gamma": stats.gamma(1 / variance, scale=variance),
        "lognormal": stats.lognorm(np.sqrt(spread), scale=np.exp(-spread / 2)),
    }[distribution]
    assert stats.kstest(drawn, curve.cdf).pvalue > 1e-3
    assert (curve.mean(), curve.var()) == pytest.approx((1, variance))


def simple(**change):
    moves = (
        Transition(origin="sick_full", to="work", group="return", per_day=((0, 0.02),)),
        Transition(origin="work", to="unemployed", group="loss", per_day=((0, 0.0),)),
    )
    return Process(transitions=moves, entitlement=Entitlement(paid_days=5000, window_years=30), **change)


def share_back(paths, inputs, days):
    """Return who is back at work after `days`, by person."""
    back = np.zeros(len(paths.persons), dtype=bool)
    here = (paths.state == state_code("work")) & (paths.start - START <= days)
    back[paths.person[here]] = True
    return back


def test_gamma_frailty_gives_the_marginal_survival():
    """With gamma frailty of variance v the marginal survival is (1 + v H)**(-1 / v)."""
    n, v = 40_000, 1.5
    inputs = inputs_of(n)
    paths = simulate_paths(simple(frailty=(Frailty(on="return", variance=v),)), inputs, seed=4)
    for days in (10, 50, 200, 600):
        truth = 1 - (1 + v * 0.02 * days) ** (-1 / v)
        assert abs(share_back(paths, inputs, days).mean() - truth) < 4 * np.sqrt(truth * (1 - truth) / n)


def test_clusters_have_their_spread():
    """The log of each cluster's rate has the declared standard deviation."""
    clusters, size, sd = 200, 400, 0.5
    inputs = inputs_of(clusters * size, cluster=np.arange(clusters * size) // size)
    process = simple(clusters=(ClusterEffect(on="return", sd=sd),))
    back = share_back(simulate_paths(process, inputs, seed=4), inputs, 40).reshape(clusters, size).mean(axis=1)
    rates = np.log(-np.log1p(-back) / 40 / 0.02)
    noise = np.mean(back / (size * (1 - back) * np.log1p(-back) ** 2))
    assert abs(rates.mean()) < 4 * sd / np.sqrt(clusters)
    assert np.sqrt(rates.var() - noise) == pytest.approx(sd, abs=4 * sd / np.sqrt(2 * clusters))
