"""Time to return: exact distributions by quadrature, recovery by Cox, dropout, entry, frailty, refusals."""

import tomllib
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import stats
from scipy.integrate import quad

from rtwcohort.errors import ArgumentError
from rtwcohort.models import fit_cox
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal import (
    Censoring,
    Competing,
    Gompertz,
    Hazard,
    Piecewise,
    ReturnEffect,
    SharedFrailty,
    TimeToReturn,
    Weibull,
    draw_return,
    draw_time_to_return,
    dropout_rate,
    marginal_hazard_ratio,
    with_dropout_rate,
)
from rtwcohort.simulate.marginal.baseline import cumulative_hazard, inverse_cumulative_hazard
from rtwcohort.simulate.marginal.gamma import beta_variable, gamma_variable, log_gamma_variable

PIECES = Piecewise(per_day=((0, 0.02), (30, 0.004), (180, 0.008)))
BASELINES = {
    "piecewise": (PIECES, lambda t: 0.02 if t < 30 else 0.004 if t < 180 else 0.008),
    "weibull": (Weibull(shape=0.7, scale=120), lambda t: 0.7 / 120 * (t / 120) ** -0.3),
    "gompertz": (Gompertz(rate=0.01, growth=-0.002), lambda t: 0.01 * np.exp(-0.002 * t)),
}


def within(estimates, term, truth, errors=3.0):
    row = estimates.set_index("term").loc[term]
    assert abs(row["estimate"] - truth) < errors * row["std_error"], (term, row["estimate"], truth)


@pytest.mark.parametrize("shape", [0.02, 0.4, 1.0, 7.5, 2000.0])
def test_gamma_against_scipy(shape):
    drawn = log_gamma_variable(draws.key(3, "gamma"), np.arange(4000), shape)
    share = stats.gamma.cdf(np.exp(drawn), shape)
    keep = share > 1e-300
    assert keep.mean() > (0.99 if shape > 0.1 else 0.0)
    if shape > 0.1:
        assert stats.kstest(share[keep], "uniform").pvalue > 0.005
    else:  # P(log G < x) for tiny shapes: x * shape is minus a unit exponential, nearly
        assert stats.kstest(-drawn * shape, "expon").statistic < 0.03


def test_gamma_and_beta_moments():
    n = 60_000
    gamma = gamma_variable(draws.key(1, "g"), np.arange(n), 20.0, 30.0)
    assert abs(gamma.mean() - 20) < 4 * np.sqrt(30 / n)
    assert gamma.var() == pytest.approx(30, rel=0.04)
    beta = beta_variable(1, "b", np.arange(n), np.full(n, 0.3), 0.05)
    assert stats.kstest(beta, stats.beta(0.3 * 19, 0.7 * 19).cdf).pvalue > 0.005


@pytest.mark.parametrize("name", BASELINES)
def test_cumulative_hazard_against_quadrature(name):
    baseline, hazard = BASELINES[name]
    days = np.array([0.5, 10.0, 29.9, 30.0, 100.0, 180.0, 500.0])
    expected = [quad(hazard, 0, day, points=[p for p in (30, 180) if p < day] or None)[0] for day in days]
    found = cumulative_hazard(baseline, days)
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    np.testing.assert_allclose(inverse_cumulative_hazard(baseline, found), days, rtol=1e-11)
    assert cumulative_hazard(baseline, np.zeros(1))[0] == 0.0


@pytest.mark.parametrize("name", BASELINES)
def test_times_follow_the_declared_hazard(name):
    """The cumulative hazard at T, by quadrature, is a unit exponential: with an effect that changes on day 60."""
    baseline, hazard = BASELINES[name]
    n = 1500
    x = np.arange(n) % 2
    drawn = draw_time_to_return(
        np.arange(n), np.column_stack([0.8 * x, -0.5 * x]), baseline=baseline, seed=2, period_starts=(0, 60),
        censoring=Censoring(administrative=700), whole_days=False,
    )  # fmt: skip
    grid = np.linspace(0, 700, 1401)
    ratio = {0: (1.0, 1.0), 1: (np.exp(0.8), np.exp(-0.5))}
    total = {}
    for group, (early, late) in ratio.items():
        steps = [quad(hazard, a, b)[0] * (early if b <= 60 else late) for a, b in pairwise(grid)]
        total[group] = np.concatenate([[0.0], np.cumsum(steps)])
    reached = np.array([np.interp(t, grid, total[g]) for t, g in zip(drawn.time, x, strict=True)])
    most = np.array([total[g][-1] for g in x])
    share = -np.expm1(-reached) / -np.expm1(-most)  # uniform among those who return by day 700
    returned = drawn.cause == "return"
    assert stats.kstest(share[returned], "uniform").pvalue > 0.005
    expected = -np.expm1(-most)
    assert abs(returned.mean() - expected.mean()) < 3 * np.sqrt((expected * (1 - expected)).mean() / n)


MODEL = """
baseline = { kind = "piecewise", per_day = [[0, 0.012], [60, 0.006], [200, 0.009]] }
censoring = { administrative = 365, rate = 0.0004 }
whole_days = false
competing = [{ name = "death", baseline = { rate = 0.0004, growth = 0.001 } }]
effects = [
  { term = "arm", log_hr = 0.4 },
  { term = "age", log_hr = -0.2, per = 10, centre = 45 },
  { term = "age", log_hr = 0.5, per = 10, centre = 45, on = "death" },
]
"""


def test_cox_gives_the_set_hazard_ratios_of_return_and_of_death():
    n = 20_000
    model = TypeAdapter(TimeToReturn).validate_python(tomllib.loads(MODEL))
    given = {"arm": np.arange(n) % 2, "age": np.random.default_rng(1).normal(45, 10, n)}
    drawn = draw_return(model, np.arange(n), given, seed=3)
    frame = drawn.frame()
    frame["arm"], frame["age"] = given["arm"], given["age"]
    fit = fit_cox(frame, "Surv(time, event) ~ arm + age").tidy()
    within(fit, "arm", 0.4)
    within(fit, "age", -0.02)
    assert fit["std_error"].max() < 0.03
    frame["died"] = (frame["cause"] == "death").astype(int)
    within(fit_cox(frame, "Surv(time, died) ~ arm + age").tidy(), "age", 0.05)
    assert drawn.truth.set_index(["outcome", "term"])["value"]["death", "age/10"] == 0.5


def test_cox_in_whole_days_within_a_per_cent():
    n = 40_000
    x = np.arange(n) % 2
    frame = draw_time_to_return(
        np.arange(n), 0.7 * x, baseline=Weibull(shape=1, scale=150), seed=8, censoring=Censoring(administrative=365)
    ).frame()
    assert (frame["time"] == frame["time"].round()).all()
    assert frame["time"].min() >= 1
    assert frame["time"].max() == 365
    frame["x"] = x
    within(fit_cox(frame, "Surv(time, event) ~ x").tidy(), "x", 0.7)


def test_whole_days_are_the_days_within_which():
    choices = {"baseline": PIECES, "seed": 8, "censoring": Censoring(administrative=100, rate=0.002)}
    whole = draw_time_to_return(np.arange(500), 1.0, **choices)
    exact = draw_time_to_return(np.arange(500), 1.0, whole_days=False, **choices)
    np.testing.assert_array_equal(whole.time, np.ceil(exact.time))
    assert whole.cause.tolist() == exact.cause.tolist()
    assert set(whole.cause) == {"return", "dropout", "administrative"}


def test_hazard_ratio_by_period():
    n = 30_000
    x = np.arange(n) % 2
    model = TimeToReturn(
        baseline=Weibull(shape=1, scale=150), whole_days=False,
        effects=(ReturnEffect(term="x", log_hr=0.8, until_day=90), ReturnEffect(term="x", log_hr=-0.3, from_day=90)),
    )  # fmt: skip
    drawn = draw_return(model, np.arange(n), {"x": x}, seed=5)
    assert drawn.truth["term"].tolist() == ["x(0-90]", "x(90-]"]
    frame = drawn.frame().assign(x=x)
    early = frame.assign(event=(frame["time"] <= 90) * frame["event"], time=frame["time"].clip(upper=90))
    within(fit_cox(early, "Surv(time, event) ~ x").tidy(), "x", 0.8)
    within(fit_cox(frame[frame["time"] > 90], "Surv(time, event) ~ x").tidy(), "x", -0.3)


def test_delayed_entry_is_left_truncation():
    n = 30_000
    x, entry = np.arange(n) % 2, np.floor(np.arange(n) % 120.0)
    drawn = draw_time_to_return(
        np.arange(n), 0.6 * x, baseline=Weibull(shape=0.8, scale=150), seed=6, entry=entry,
        censoring=Censoring(administrative=365), whole_days=False,
    )  # fmt: skip
    frame = drawn.frame()
    assert len(frame) < n
    assert (frame["time"] > frame["entry"]).all()
    frame["x"] = x[frame["person"]]
    within(fit_cox(frame, "Surv(entry, time, event) ~ x").tidy(), "x", 0.6)
    ignored = fit_cox(frame, "Surv(time, event) ~ x").tidy()["estimate"][0]
    assert abs(ignored - 0.6) > 0.03  # the test would see it if entry did nothing


def test_conditional_gamma_frailty_has_the_known_survival():
    n = 4000
    drawn = draw_time_to_return(
        np.arange(n), np.full(n, 0.5), baseline=Weibull(shape=1, scale=100), seed=4,
        frailty=SharedFrailty(variance=0.8), whole_days=False,
    )  # fmt: skip
    survival = (1 + 0.8 * np.exp(0.5) * drawn.time / 100) ** (-1 / 0.8)
    assert stats.kstest(survival, "uniform").pvalue > 0.005
    assert stats.kstest(drawn.frailty, stats.gamma(1 / 0.8, scale=0.8).cdf).pvalue > 0.005
    hazard = drawn.frailty * np.exp(0.5) * drawn.time / 100
    assert stats.kstest(hazard, "expon").pvalue > 0.005


def test_marginal_hazard_ratio_of_a_gamma_frailty():
    """Against the ratio of hazards found by differentiating the two survival functions."""
    v, hr, t, step = 0.8, 2.0, 1.3, 1e-5

    def log_survival(cumulative):
        return -np.log(1 + v * cumulative) / v

    found = [(log_survival(r * (t + step)) - log_survival(r * (t - step))) / (2 * step) for r in (1.0, hr)]
    assert marginal_hazard_ratio(hr, v, t) == pytest.approx(found[1] / found[0], rel=1e-8)
    assert marginal_hazard_ratio(hr, 0.0, t) == hr


def test_lognormal_frailty_has_mean_one_and_the_variance():
    n = 100_000
    drawn = draw_time_to_return(
        np.arange(n), 0.0, baseline=PIECES, seed=4, frailty=SharedFrailty(variance=0.5, distribution="lognormal")
    )
    assert abs(drawn.frailty.mean() - 1) < 4 * np.sqrt(0.5 / n)
    assert stats.kstest(np.log(drawn.frailty), stats.norm(-np.log(1.5) / 2, np.log(1.5) ** 0.5).cdf).pvalue > 0.005


def test_marginal_frailty_keeps_the_hazard_ratio_and_gives_the_dependence():
    n = 20_000
    x, cluster = np.arange(n) // 2 % 2, np.arange(n) // 2
    choices = {"baseline": Weibull(shape=1, scale=100), "seed": 4, "cluster": cluster, "whole_days": False}
    kept = draw_time_to_return(
        np.arange(n), 0.7 * x, frailty=SharedFrailty(variance=1.0, hazard_ratios="marginal", level="cluster"), **choices
    )
    assert stats.kstest((np.exp(0.7 * x) * kept.time / 100)[::2], "expon").pvalue > 0.005
    tau = stats.kendalltau(kept.time[::2] / np.exp(-0.7 * x[::2]), kept.time[1::2] / np.exp(-0.7 * x[1::2])).statistic
    assert abs(tau - 1 / 3) < 0.02
    assert kept.truth.set_index("scale")["value"]["kendall_tau"] == pytest.approx(1 / 3)
    frame = kept.frame().assign(x=x, cluster=cluster)
    within(fit_cox(frame, "Surv(time, event) ~ x", cluster="cluster").tidy(), "x", 0.7)
    conditional = draw_time_to_return(
        np.arange(n), 0.7 * x, frailty=SharedFrailty(variance=1.0, level="cluster"), **choices
    )
    frame = conditional.frame().assign(x=x)
    assert fit_cox(frame, "Surv(time, event) ~ x").tidy()["estimate"][0] < 0.55


@pytest.mark.parametrize("frailty", [None, SharedFrailty(variance=0.7)])
def test_dropout_rate_by_quadrature(frailty):
    """Three people, a competing event: the expected share by scipy's quadrature is the one asked for."""
    eta = np.array([-0.5, 0.0, 1.2])
    censoring = Censoring(administrative=365, share=0.15)
    competing = {"death": Hazard(Weibull(shape=1.3, scale=900), 0.2)}
    rate = dropout_rate(eta, baseline=PIECES, censoring=censoring, competing=competing, frailty=frailty)
    assert rate == float(f"{rate:.11e}")

    def density(t, e):
        returned = np.exp(e) * (0.02 * min(t, 30) + 0.004 * np.clip(t - 30, 0, 150) + 0.008 * max(t - 180, 0))
        survival = np.exp(-returned) if frailty is None else (1 + 0.7 * returned) ** (-1 / 0.7)
        return rate * np.exp(-rate * t) * survival * np.exp(-np.exp(0.2) * (t / 900) ** 1.3)

    expected = np.mean([quad(density, 0, 365, args=(e,), points=[30, 180])[0] for e in eta])
    assert expected == pytest.approx(0.15, abs=1e-8)


def test_dropout_share_in_the_draws():
    n = 20_000
    drawn = draw_time_to_return(
        np.arange(n), 0.5 * (np.arange(n) % 2), baseline=PIECES, seed=1,
        censoring=Censoring(administrative=365, share=0.2),
    )  # fmt: skip
    assert abs((drawn.cause == "dropout").mean() - 0.2) < 3 * np.sqrt(0.2 * 0.8 / n)
    assert set(drawn.cause) == {"return", "dropout", "administrative"}


def test_partitions_do_not_matter():
    model = TypeAdapter(TimeToReturn).validate_python(
        tomllib.loads(MODEL) | {"frailty": {"variance": 0.5, "level": "cluster"}}
    )
    n = 300
    given = {"arm": np.arange(n) % 2, "age": 30.0 + np.arange(n) % 30}
    whole = draw_return(model, np.arange(n), given, seed=3, cluster=np.arange(n) // 7)
    place = np.random.default_rng(1).permutation(n)[:100]
    part = draw_return(model, place, {k: v[place] for k, v in given.items()}, seed=3, cluster=np.arange(n)[place] // 7)
    assert part.time.tobytes() == whole.time[place].tobytes()
    assert part.cause.tolist() == whole.cause[place].tolist()


def test_a_dropout_share_drawn_in_parts():
    model = TimeToReturn(
        baseline=PIECES, effects=(ReturnEffect(term="x", log_hr=0.5, until_day=90),),
        competing=(Competing(name="death", baseline=Weibull(shape=1, scale=2000)),),
        censoring=Censoring(administrative=365, share=0.2),
    )  # fmt: skip
    x = np.arange(200) % 2
    whole = draw_return(model, np.arange(200), {"x": x}, seed=1)
    settled = with_dropout_rate(model, {"x": x})
    assert settled.censoring.rate == whole.truth.set_index(["outcome", "term"])["value"]["dropout", "rate"]
    part = draw_return(settled, np.arange(150, 200), {"x": x[150:]}, seed=1)
    assert part.time.tobytes() == whole.time[150:].tobytes()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Piecewise(per_day=((1, 0.1),)), "begin on day 0"),
        (lambda: Piecewise(per_day=((0, -0.1),)), "rate from day 0"),
        (lambda: Piecewise(per_day=((0, 0.0),)), "no rate above 0"),
        (lambda: Weibull(shape=0.0, scale=1), r"baseline\.shape"),
        (lambda: Gompertz(rate=0.01, growth=0.0), "must not be 0"),
        (lambda: Censoring(share=0.1), "needs `administrative`"),
        (lambda: Censoring(share=0.99, administrative=3), r"censoring\.share"),
        (lambda: SharedFrailty(variance=-1), r"frailty\.variance"),
        (lambda: SharedFrailty(variance=1, hazard_ratios="marginal", distribution="lognormal"), "Laplace"),
        (lambda: TimeToReturn(baseline=PIECES, competing=(Competing(name="return", baseline=PIECES),)), "once"),
        (lambda: TimeToReturn(baseline=PIECES, effects=(ReturnEffect(term="x", log_hr=1, on="died"),)), "on of 'x'"),
        (lambda: ReturnEffect(term="x", log_hr=1, from_day=9, until_day=9), "until_day of 'x'"),
    ],
)
def test_refused_declarations(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"baseline": 0.1}, "must be Piecewise"),
        ({"competing": {"dropout": Hazard(PIECES)}}, "means an end"),
        ({"period_starts": (30,)}, "begin with 0"),
        ({"linear_predictor": np.zeros((3, 2))}, "one column a period"),
        ({"linear_predictor": np.array([0.0, np.nan, 0.0])}, "1 of 3"),
        ({"frailty": SharedFrailty(variance=1, level="cluster")}, "`cluster` is not given"),
        ({"frailty": SharedFrailty(variance=1, level="cluster"), "cluster": np.array([-1, 0, 1])}, "whole number"),
        ({"entry": np.array([0.5, 0, 0])}, "whole ones"),
        ({"entry": np.array([0, 3, 0]), "censoring": Censoring(administrative=9, share=0.1)}, "delayed entry"),
        ({"censoring": Censoring(administrative=9.5)}, "whole day"),
        ({"baseline": Piecewise(per_day=((0, 0.001), (1, 0.0)))}, "of 3 people would never"),
        (
            {
                "censoring": Censoring(administrative=9, share=0.1),
                "frailty": SharedFrailty(variance=1, distribution="lognormal"),
            },
            "no closed form",
        ),
        (
            {"baseline": Piecewise(per_day=((0, 1e5),)), "censoring": Censoring(administrative=900, share=0.9)},
            "at once",
        ),
    ],
)
def test_refused_data(change, words):
    good = {"linear_predictor": np.zeros(3), "baseline": PIECES, "seed": 1}
    with pytest.raises(ArgumentError, match=words):
        draw_time_to_return(np.arange(3), **(good | change))
