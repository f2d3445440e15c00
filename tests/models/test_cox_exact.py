"""Exact ties: all subsets counted, algebra, logistic regression, and what it refuses."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.models import fit_cox, fit_cox_arrays
from rtwcohort.models.cox_data import CoxData


def naive(data, beta):
    """Log-likelihood by writing out every set of people who could have had the events."""
    X, time, event = data.matrix, data.time, data.event
    entry = np.full(time.size, -np.inf) if data.entry is None else data.entry
    stratum = np.zeros(time.size) if data.strata is None else data.strata
    eta = X @ beta
    loglik = 0.0
    for s in np.unique(stratum):
        for t in np.unique(time[event & (stratum == s)]):
            at_risk = np.flatnonzero((stratum == s) & (entry < t) & (time >= t))
            dead = np.flatnonzero((stratum == s) & event & (time == t))
            sets = np.array([eta[list(chosen)].sum() for chosen in combinations(at_risk, dead.size)])
            loglik += eta[dead].sum() - np.log(np.exp(sets).sum())
    return loglik


def made_up(seed, n=18, entry=True, strata=True):
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 4, n).astype(float)
    event = rng.random(n) < 0.6
    event[0] = True
    return CoxData(
        rng.normal(size=(n, 2)),
        time,
        event,
        time - rng.integers(1, 4, n) if entry else None,
        rng.integers(0, 2, n) if strata else None,
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("entry", "strata"), [(False, False), (True, False), (False, True), (True, True)])
def test_equals_all_subsets(seed, entry, strata):
    data = made_up(seed, entry=entry, strata=strata)
    likelihood = data.evaluator("exact")
    for size in (0.0, 1.0, 8.0):
        beta = size * np.array([0.7, -0.4])
        assert likelihood(beta * likelihood.scale)[0] == pytest.approx(naive(data, beta), rel=1e-11)


def test_by_hand():
    # Four at risk at 1, two die: x = 1 and 0; the others have 1 and 0. With r = exp(b), e_2 = r^2 + 4r + 1:
    #   score = 1 - (2r^2 + 4r)/(r^2 + 4r + 1) = 0  <=>  r = 1. The information is the variance of how many of two
    #   drawn from {1, 1, 0, 0} have x = 1: P(2) = P(0) = 1/6, so 1/3.
    X, event = np.array([[1.0], [0], [1], [0]]), np.array([True, True, False, False])
    likelihood = CoxData(X, np.ones(4), event).evaluator("exact")
    loglik, score, information = likelihood(np.zeros(1))
    assert loglik == pytest.approx(-np.log(6), rel=1e-12)
    assert score[0] == pytest.approx(0.0, abs=1e-12)
    assert information[0, 0] * likelihood.scale[0] ** 2 == pytest.approx(1 / 3, rel=1e-12)


def test_without_ties_it_is_the_others():
    rng = np.random.default_rng(2)
    X, event = rng.normal(size=(80, 3)), rng.random(80) < 0.7
    time = rng.permutation(80)
    entry = time - rng.integers(1, 60, 80) - 0.5
    for options in ({}, {"entry": entry + 80}):
        shift = 80 if options else 0
        fits = [fit_cox_arrays(X, time + shift, event, ties=t, **options) for t in ("exact", "efron", "breslow")]
        for other in fits[1:]:
            np.testing.assert_allclose(fits[0].coef, other.coef, rtol=1e-9)
            np.testing.assert_allclose(fits[0].vcov, other.vcov, rtol=1e-8)
            assert fits[0].loglik == pytest.approx(other.loglik, rel=1e-12)


def test_matched_sets_are_conditional_logistic_regression():
    # One case and one control a set: the likelihood is logistic in the difference of x, without intercept.
    rng = np.random.default_rng(4)
    pairs = rng.normal(size=(120, 2))
    case = rng.random(120) < 1 / (1 + np.exp(-(pairs[:, 0] - pairs[:, 1])))
    event = np.column_stack([case, ~case]).ravel()
    fit = fit_cox_arrays(pairs.reshape(-1, 1), np.ones(240), event, strata=np.repeat(np.arange(120), 2), ties="exact")
    difference = np.where(case, 1, -1) * (pairs[:, 0] - pairs[:, 1])
    assert (difference / (1 + np.exp(fit.coef[0] * difference))).sum() == pytest.approx(0.0, abs=1e-8)


def test_many_ties_do_not_overflow():
    rng = np.random.default_rng(5)
    n = 3000
    X = rng.normal(size=(n, 2))
    event = rng.random(n) < 1 / (1 + np.exp(-X[:, 0]))
    fit = fit_cox_arrays(X, np.ones(n), event, ties="exact")
    assert event.sum() > 1400
    # With 1,500 ties in one risk set the conditional likelihood is near the logistic one, whose effect was 1.
    assert fit.coef[0] == pytest.approx(1.0, abs=3 * fit.std_error[0])
    likelihood = fit.data.evaluator("exact")
    step = 1e-5 * np.array([1.0, 0])
    at = fit.coef * likelihood.scale
    slope = (likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-5
    assert slope == pytest.approx(0.0, abs=1e-3)
    curvature = -(likelihood(at + step)[1] - likelihood(at - step)[1])[0] / 2e-5
    assert curvature == pytest.approx(likelihood(at)[2][0, 0], rel=1e-6)


def test_everybody_has_the_event():
    # At 2 all who are left die: that factor is 1 whatever the coefficients.
    X, time = np.array([[1.0], [0], [2], [3]]), np.array([1.0, 1, 2, 2])
    event = np.array([True, False, True, True])
    fit = fit_cox_arrays(np.vstack([X, [[0.5]]]), np.append(time, 1.5), np.append(event, False), ties="exact")
    only_first = fit_cox_arrays(
        np.vstack([X, [[0.5]]]), np.append(time, 1.5), np.array([True, False, False, False, False]), ties="exact"
    )
    assert fit.coef[0] == pytest.approx(only_first.coef[0], rel=1e-8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": np.ones(40)}, "takes no weights"),
        ({"variance": "robust"}, "no robust or cluster variance"),
        ({"cluster": np.arange(40)}, "no robust or cluster variance"),
        ({"penalty": "firth"}, "goes with ties 'efron' or 'breslow'"),
    ],
)
def test_refuses_what_it_cannot_take(options, message):
    rng = np.random.default_rng(1)
    with pytest.raises(ArgumentError, match=message):
        fit_cox_arrays(rng.normal(size=(40, 1)), rng.integers(1, 5, 40), rng.random(40) < 0.5, ties="exact", **options)


def test_tests_and_tables_work():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"time": rng.integers(1, 9, 90), "event": rng.random(90) < 0.6, "x": rng.normal(size=90)})
    fit = fit_cox(frame, "Surv(time, event) ~ x", ties="exact")
    assert "exact conditional likelihood" in fit.describe_choices()
    assert fit.term_tests("lr")["statistic"][0] == pytest.approx(fit.glance()["lr_statistic"][0], rel=1e-9)
