"""Firth's penalised likelihood: by definition, by hand, and finite where the likelihood is monotone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from rtwcohort.core.control import DEFAULT_CONTROL
from rtwcohort.errors import ArgumentError
from rtwcohort.models import MonotoneLikelihoodWarning, fit_cox, fit_cox_arrays, profile_intervals
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_firth import PenalisedLikelihood

DATA = Path(__file__).parents[1] / "data"


def made_up(seed, n=50, p=3):
    rng = np.random.default_rng(seed)
    time = rng.integers(2, 10, n).astype(float)
    event = rng.random(n) < 0.6
    event[0] = True
    return CoxData(
        rng.normal(size=(n, p)),
        time,
        event,
        np.floor(rng.random(n) * time),
        rng.integers(0, 3, n),
        (),
        rng.integers(1, 4, n).astype(float),
        "frequency",
        rng.normal(size=n),
    )


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_penalised_score_is_the_derivative(ties, seed):
    data = made_up(seed)
    base = data.likelihood(ties)
    penalised = PenalisedLikelihood(base, DEFAULT_CONTROL)
    beta, step = np.array([0.3, -0.2, 0.5]), 1e-5
    value, score, information = penalised(beta)
    loglik, _, _ = base(beta)
    assert value == pytest.approx(loglik + 0.5 * np.linalg.slogdet(information)[1], rel=1e-12)
    for j in range(3):
        move = step * np.eye(3)[j]
        slope = (penalised(beta + move)[0] - penalised(beta - move)[0]) / (2 * step)
        assert slope == pytest.approx(score[j], rel=1e-6, abs=1e-6)


def test_by_hand():
    # Two groups, the only event in the first: x = 1, with 1 of 2 at risk. loglik = log(r/(1 + r)), monotone in
    # b = log r. Information r/(1 + r)^2, so the penalised likelihood is log(r/(1 + r)) + (1/2) log(r/(1 + r)^2):
    #   score = 1/(1 + r) + 1/2 - r/(1 + r) = 0  <=>  r = 3. Information 3/16.
    X, time, event = np.array([[1.0], [0.0]]), np.array([1.0, 2.0]), np.array([True, False])
    fit = fit_cox_arrays(X, time, event, penalty="firth")
    assert fit.coef[0] == pytest.approx(np.log(3), rel=1e-8)
    assert fit.vcov[0, 0] == pytest.approx(16 / 3, rel=1e-7)
    with pytest.warns(MonotoneLikelihoodWarning, match="penalty='firth'"):
        fit_cox_arrays(X, time, event)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_is_the_maximum(ties):
    data = made_up(7)
    fit = fit_cox_arrays(
        data.matrix, data.time, data.event, entry=data.entry, strata=data.strata, weights=data.weights,
        weight_type="frequency", offset=data.offset, ties=ties, penalty="firth",
    )  # fmt: skip
    penalised = PenalisedLikelihood(data.likelihood(ties), DEFAULT_CONTROL)
    scale = penalised.base.scale
    found = minimize(lambda b: -penalised(b)[0], np.zeros(3), method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(fit.coef * scale, found.x, atol=1e-6)
    # In R's words the log-likelihoods are on the scale of the columns: half the log determinant moves with it.
    assert fit.loglik - fit.loglik_null == pytest.approx(-found.fun - penalised(np.zeros(3))[0], rel=1e-9)


def test_separation_has_finite_estimates():
    data = pd.read_csv(DATA / "separation.csv")
    fit = fit_cox(data, "Surv(time, event) ~ x + z", penalty="firth")
    assert fit.converged
    assert np.isfinite(fit.tidy().drop(columns="term").to_numpy(dtype=float)).all()
    intervals = profile_intervals(fit)
    assert (intervals["conf_low"] < fit.coef).all()
    assert (intervals["conf_high"] > fit.coef).all()
    # Each limit is where twice the fall of the penalised profile is the quantile of chi-square.
    low = intervals["conf_low"][0]
    penalised = PenalisedLikelihood(fit.data.likelihood("efron"), DEFAULT_CONTROL)
    scale = penalised.base.scale
    best = max(penalised(np.array([low, z]) * scale)[0] for z in np.linspace(-2, 2, 4001))
    assert 2 * (fit.loglik - best) == pytest.approx(3.841458820694124, rel=1e-5)
    tests = fit.term_tests("lr")
    assert tests["p_value"][0] < 1e-4
    assert "Firth" in fit.describe_choices()


def test_bias_is_smaller_in_small_samples():
    # 24 people, true effect 1: the estimates of maximum likelihood are too far from 0 by more than Firth's.
    rng = np.random.default_rng(9)
    plain, firth = [], []
    for _ in range(150):
        x = rng.normal(size=(24, 1))
        time = rng.exponential(size=24) / np.exp(x[:, 0])
        event = rng.random(24) < 0.7
        plain.append(fit_cox_arrays(x, time, event).coef[0])
        firth.append(fit_cox_arrays(x, time, event, penalty="firth").coef[0])
    assert abs(np.mean(firth) - 1) < 0.5 * abs(np.mean(plain) - 1)


def test_units_do_not_matter():
    data = made_up(11)
    fits = [
        fit_cox_arrays(data.matrix * unit, data.time, data.event, entry=data.entry, penalty="firth")
        for unit in (1.0, np.array([10.0, 0.1, 1000.0]))
    ]
    np.testing.assert_allclose(fits[1].coef * [10.0, 0.1, 1000.0], fits[0].coef, rtol=1e-7)
    assert fits[1].loglik - fits[1].loglik_null == pytest.approx(fits[0].loglik - fits[0].loglik_null, rel=1e-9)


@pytest.mark.parametrize("options", [{"variance": "robust"}, {"cluster": np.arange(50) % 9}])
def test_refuses_what_has_no_likelihood(options):
    data = made_up(12)
    with pytest.raises(ArgumentError, match="needs a likelihood"):
        fit_cox_arrays(data.matrix, data.time, data.event, penalty="firth", **options)
