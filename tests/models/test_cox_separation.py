"""Infinite estimates are found exactly where a linear programme finds a direction of separation."""

import warnings

import numpy as np
import pytest
from scipy.optimize import linprog

from rtwcohort.errors import DesignError
from rtwcohort.models import MonotoneLikelihoodWarning, fit_cox_arrays


def small_data(rng):
    n, p, days = rng.integers(6, 40), rng.integers(1, 4), rng.choice([2, 5, 50])
    X = rng.normal(size=(n, p))
    for j in range(p):
        if rng.random() < 0.6:
            X[:, j] = rng.random(n) < rng.choice([0.1, 0.5])
        X[:, j] *= 10.0 ** rng.integers(-3, 4)
    event = rng.random(n) < rng.choice([0.15, 0.6])
    event[0] = True
    return X, rng.integers(0, days, n).astype(float), event


def has_full_rank(X, time, event):
    at_risk = X[time >= time[event].min()]
    centred = at_risk - at_risk.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    return (length > 0).all() and np.linalg.matrix_rank(centred / length) == X.shape[1]


def is_monotone(X, time, event):
    """Look for g with g'(x_event - x_j) >= 0 for everybody j at risk at every event, and > 0 somewhere."""
    spread = X.std(axis=0)
    gaps = np.concatenate([(X[i] - X[time >= time[i]]) / spread for i in np.flatnonzero(event)])
    best = linprog(-gaps.sum(axis=0), A_ub=-gaps, b_ub=np.zeros(len(gaps)), bounds=[(-1, 1)] * X.shape[1])
    return -best.fun > 1e-7


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_monotone_exactly_where_separated(ties):
    rng = np.random.default_rng(2)
    seen = {True: 0, False: 0, "aliased": 0}
    for _ in range(250):
        X, time, event = small_data(rng)
        if not has_full_rank(X, time, event):
            with pytest.raises(DesignError, match="cannot be estimated"):
                fit_cox_arrays(X, time, event, ties=ties)
            seen["aliased"] += 1
            continue
        expected = bool(is_monotone(X, time, event))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = fit_cox_arrays(X, time, event, ties=ties)
        assert fit.converged is not expected
        assert [warning.category for warning in caught] == [MonotoneLikelihoodWarning] * expected
        seen[expected] += 1
    assert min(seen.values()) > 10


def test_a_wide_linear_predictor_is_no_separation():
    # Earlier means larger x, but for rows of one day: only they bound the estimate, at R's coxph.
    rng = np.random.default_rng(83)
    n = int(rng.choice([12, 30, 80, 300, 2000]))
    X = rng.normal(size=(n, int(rng.integers(1, 5))))
    time = np.ceil(rng.exponential(size=n) * rng.choice([3, 30, 1e6]))
    event = rng.random(n) < rng.choice([0.1, 0.5, 0.95])
    event[0] = True
    X[:, 0] = 1e-3 * rng.normal(size=n) - time
    fit = fit_cox_arrays(X, time, event, ties="breslow")
    assert np.ptp(X @ fit.coef) > 200.0
    assert fit.converged
    np.testing.assert_allclose(fit.coef, [29.80904, 0.002882615], rtol=1e-6)
    np.testing.assert_allclose(fit.std_error, [63.59563, 0.06371625], rtol=1e-6)
