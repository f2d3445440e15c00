"""Ordinal regression on random and on odd data: against a direct maximisation and an exact check of separation."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog, minimize
from scipy.special import expit, ndtr

from rtwcohort.errors import DesignError
from rtwcohort.models.ordinal import fit_ordinal, fit_ordinal_arrays
from rtwcohort.models.ordinal_brant import brant_test_arrays
from rtwcohort.models.ordinal_gee import fit_ordinal_gee_arrays
from rtwcohort.models.ordinal_margins import marginal_effects
from rtwcohort.models.ordinal_score_test import parallel_lr_test, parallel_score_test

# P(Y <= j) and P(Y > j), so that the naive likelihood keeps its digits in both tails.
TAILS = {
    "logit": (expit, lambda u: expit(-u)),
    "probit": (ndtr, lambda u: ndtr(-u)),
    "cloglog": (lambda u: -np.expm1(-np.exp(u)), lambda u: np.exp(-np.exp(u))),
    "loglog": (lambda u: np.exp(-np.exp(-u)), lambda u: -np.expm1(-np.exp(-u))),
}


def naive_loglik(thresholds, coef, x, y, w, offset, link):
    low, high = TAILS[link]
    eta = x @ coef + offset
    below = np.column_stack([np.zeros(len(y)), *(low(t - eta) for t in thresholds), np.ones(len(y))])
    above = np.column_stack([np.ones(len(y)), *(high(t - eta) for t in thresholds), np.zeros(len(y))])
    rows = np.arange(len(y))
    first, second = below[rows, y + 1] - below[rows, y], above[rows, y] - above[rows, y + 1]
    return float((w * np.log(np.maximum(np.where(below[rows, y] < 0.5, first, second), 1e-300))).sum())


def naive_maximum(x, y, w, offset, link, k):
    share = np.cumsum(np.bincount(y, minlength=k))[:-1] / len(y)
    logits = np.log(share / (1 - share))
    start = np.concatenate([logits[:1], np.log(np.diff(logits)), np.zeros(x.shape[1])])

    def loss(theta):
        thresholds = np.cumsum(np.concatenate([theta[:1], np.exp(np.minimum(theta[1 : k - 1], 30))]))
        with np.errstate(all="ignore"):
            return -naive_loglik(thresholds, theta[k - 1 :], x, y, w, offset, link)

    return -minimize(loss, start, method="BFGS", options={"gtol": 1e-8, "maxiter": 2000}).fun


def is_separated(x, y, k):
    """Whether some direction never lowers, and somewhere raises, the likelihood (a linear programme)."""
    rows = []
    for xi, yi in zip(x, y, strict=True):
        if yi < k - 1:
            rows.append(np.concatenate([-np.eye(k - 1)[yi], xi]))
        if yi > 0:
            rows.append(np.concatenate([np.eye(k - 1)[yi - 1], -xi]))
    A = np.array(rows)
    best = linprog(A.sum(axis=0), A_ub=A, b_ub=np.zeros(len(A)), bounds=[(-1, 1)] * A.shape[1], method="highs")
    return best.fun < -1e-7


@pytest.mark.parametrize("seed", range(4))
def test_random_data(seed):
    rng = np.random.default_rng(100 + seed)
    seen = 0
    for _ in range(15):
        n, p, k = int(rng.choice([12, 20, 40, 100])), int(rng.integers(1, 4)), int(rng.choice([2, 3, 4, 10]))
        link = str(rng.choice(list(TAILS)))
        x = rng.normal(size=(n, p)) if rng.random() < 0.5 else rng.integers(0, 2, size=(n, p)).astype(float)
        if np.linalg.matrix_rank(np.column_stack([np.ones(n), x])) <= p:
            continue
        scale = 10.0 ** rng.integers(-6, 7, size=p) if rng.random() < 0.3 else np.ones(p)
        latent = x @ rng.normal(size=p) * rng.choice([0.3, 1, 3]) + rng.logistic(size=n)
        y = np.digitize(latent, np.sort(rng.normal(size=k - 1) * rng.choice([0.5, 2, 4])))
        found, y = np.unique(y, return_inverse=True)
        k = len(found)
        if k < 2:
            continue
        w = rng.integers(1, 4, n) * 1.0 if rng.random() < 0.3 else np.ones(n)
        offset = rng.normal(size=n) if rng.random() < 0.2 else np.zeros(n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = fit_ordinal_arrays(x * scale, y, link=link, weights=w, offset=offset)
        assert fit.converged == (not is_separated(x, y, k))
        if fit.converged:
            seen += 1
            own = naive_loglik(fit.thresholds, fit.coef, x * scale, y, w, offset, link)
            assert fit.loglik == pytest.approx(own, rel=1e-8)
            assert fit.loglik == pytest.approx(naive_maximum(x, y, w, offset, link, k), rel=1e-6, abs=1e-5)
    assert seen > 3


def sample(n=300, k=10):
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.choice(["p", "q"], size=n)})
    edges = np.quantile(rng.logistic(size=10_000), np.arange(1, k) / k)
    return frame.assign(y=np.digitize(0.6 * frame["a"] + rng.logistic(size=n), edges), one=1)


def test_ten_categories_in_any_unit():
    frame = sample()
    plain = fit_ordinal(frame, "y ~ a + b")
    moved = frame.assign(a=1e6 * frame["a"] + 1e9)
    fit = fit_ordinal(moved, "y ~ a + b")
    assert fit.coef[0] * 1e6 == pytest.approx(plain.coef[0], rel=1e-7)
    assert fit.std_error[9] * 1e6 == pytest.approx(plain.std_error[9], rel=1e-7)
    assert fit.loglik == pytest.approx(plain.loglik, rel=1e-10)
    score = parallel_score_test(fit)
    assert score.df == 16
    assert score.statistic == pytest.approx(parallel_score_test(plain).statistic, rel=1e-6)
    effects = marginal_effects(fit, moved, "a").estimate * 1e6
    assert effects == pytest.approx(marginal_effects(plain, frame, "a").estimate, rel=1e-6)


def test_one_person_in_a_category():
    frame = sample(400, 3)
    frame.loc[5, "y"] = 3
    fit = fit_ordinal(frame, "y ~ a + b")
    assert fit.converged
    assert np.isfinite(parallel_score_test(fit).tidy()["statistic"]).all()
    assert np.isfinite(parallel_lr_test(fit).tidy()["statistic"]).all()
    assert fit.fitted().sum(axis=0)[3] == pytest.approx(1, rel=0.05)


def test_a_threshold_far_out():
    """One in 100,000 rows above the last threshold: P = 1e-5 on average."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(100_000, 1))
    y = (0.5 * x[:, 0] + rng.logistic(size=100_000) > 0).astype(int)
    y[17] = 2
    fit = fit_ordinal_arrays(x, y)
    assert fit.converged
    assert 11 < fit.thresholds[1] < 12
    assert fit.fitted()[:, 2].mean() == pytest.approx(1e-5, rel=0.05)
    assert np.isfinite(fit.std_error).all()


def test_one_cluster_has_no_variance():
    with pytest.raises(DesignError, match="one cluster"):
        fit_ordinal(sample(), "y ~ a + b", cluster="one")


def test_no_predictor_has_no_brant_test():
    y = np.arange(30) % 3
    fit = fit_ordinal_arrays(np.empty((30, 0)), y)
    assert fit.thresholds == pytest.approx([-np.log(2), np.log(2)])
    with pytest.raises(DesignError, match="no predictor"):
        brant_test_arrays(np.empty((30, 0)), y)
    with pytest.raises(DesignError, match="nothing to test"):
        parallel_score_test(fit)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_a_long_tail_is_not_separation(link):
    """Incomes: the largest is 150 standard deviations out, and x'b spans more than 200."""
    rng = np.random.default_rng(1)
    n = 20_000
    income = np.exp(2.2 * rng.normal(size=n))
    income[0] = 150 * income.std()
    x = np.column_stack([income, rng.normal(size=n)])
    effect = 2.0 / income.std()
    latent = effect * income + 0.5 * x[:, 1] + rng.logistic(size=n)
    y = np.digitize(latent, [-3, -2, -1, 0, 1, 2, 3])
    fit = fit_ordinal_arrays(x, y, link=link)
    assert np.ptp(x @ fit.coef) > 100
    assert fit.converged
    person = np.arange(n) // 2
    if link == "logit":
        assert fit_ordinal_gee_arrays(x, y, id=person).coef == pytest.approx(fit.coef, rel=1e-6)
        assert fit.coef == pytest.approx([effect, 0.5], rel=0.1)
        assert brant_test_arrays(x, y).p_value > 0.001


def test_a_strong_effect_is_not_separation():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(5000, 1))
    y = np.digitize(60 * x[:, 0] + rng.logistic(size=5000), [-1, 1])
    fit = fit_ordinal_arrays(x, y)
    assert fit.converged
    assert fit.coef[0] == pytest.approx(60, abs=3 * fit.std_error[2])
    assert brant_test_arrays(x, y).df == 1


@pytest.mark.parametrize("size", [1, 50, 100])
def test_an_offset_takes_its_part_away(size):
    rng = np.random.default_rng(4)
    a, y = rng.normal(size=200), rng.integers(0, 3, 200)
    plain = fit_ordinal_arrays(a[:, None], y)
    fit = fit_ordinal_arrays(a[:, None], y, offset=size * a)
    assert fit.converged
    assert fit.coef[0] + size == pytest.approx(plain.coef[0], abs=1e-7)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_gee_is_finite_exactly_where_not_separated(link):
    """Also where a category that a row does not have is impossible to all digits, P = exp(-exp(7))."""
    rng = np.random.default_rng(8)
    seen = {True: 0, False: 0}
    for _ in range(60):
        n, p, k = int(rng.choice([8, 12, 20, 40, 80])), int(rng.integers(1, 4)), int(rng.choice([2, 3, 5]))
        x = rng.normal(size=(n, p))
        latent = x @ rng.normal(size=p) * rng.choice([0.3, 1, 3]) + rng.logistic(size=n)
        found, y = np.unique(np.digitize(latent, np.sort(2 * rng.normal(size=k - 1))), return_inverse=True)
        if len(found) < 2 or np.linalg.matrix_rank(np.column_stack([np.ones(n), x])) <= p:
            continue
        expected = not is_separated(x, y, len(found))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = fit_ordinal_gee_arrays(x, y, id=np.arange(n) // 2, link=link)
            plain = fit_ordinal_arrays(x, y, link=link)
        assert fit.converged == expected
        if expected:
            assert fit.estimates == pytest.approx(plain.estimates, rel=1e-5, abs=1e-6)
            assert np.isfinite(fit.std_error).all()
        seen[expected] += 1
    assert min(seen.values()) > 5
