"""The Cox kernel against a naive likelihood, finite differences and algebra."""

import numpy as np
import pytest

from rtwcohort.models.cox_kernel import CoxLikelihood, order_risk_sets, tie_times


def naive(X, time, event, beta, *, efron):
    """O(n^2): for each event, the weighted mean and covariance of its own risk set, written as in a textbook."""
    loglik, score, information = 0.0, np.zeros(X.shape[1]), np.zeros((X.shape[1],) * 2)
    for t in np.unique(time[event]):
        at_t = event & (time == t)
        d = at_t.sum()
        for tie, person in enumerate(np.flatnonzero(at_t)):
            share = np.where(time >= t, 1.0, 0.0)
            if efron:
                share = share - at_t * tie / d
            weight = share * np.exp(X @ beta)
            p = weight / weight.sum()
            mean = p @ X
            loglik += X[person] @ beta - np.log(weight.sum())
            score += X[person] - mean
            information += (X - mean).T @ np.diag(p) @ (X - mean)
    return loglik, score, information


def made_up(seed, n, p, days, share=0.6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, -1] = X[:, -1] > 0
    time = np.ceil(rng.exponential(size=n) * days) if days else rng.exponential(size=n)
    event = rng.random(n) < share
    event[0] = True
    return X, time, event


@pytest.mark.parametrize("efron", [True, False])
@pytest.mark.parametrize(
    ("seed", "n", "p", "days"), [(1, 60, 3, 5), (2, 40, 2, 1), (3, 50, 4, None), (4, 25, 1, 30), (5, 8, 1, 2)]
)
def test_kernel_equals_naive_likelihood(efron, seed, n, p, days):
    X, time, event = made_up(seed, n, p, days)
    likelihood = CoxLikelihood(X, order_risk_sets(tie_times(time), event), efron=efron)
    beta = np.linspace(-0.7, 0.5, p)
    loglik, score, information = likelihood(beta * likelihood.scale)
    scale = likelihood.scale
    expected = naive(X, time, event, beta, efron=efron)
    assert loglik == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(score * scale, expected[1], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(information * scale * scale[:, None], expected[2], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("efron", [True, False])
def test_threads_and_tiles_give_the_same_sums(efron):
    # 50,000 x 8 runs in blocks and threads; the same rows in two halves of 25,000 x 8 do not.
    X, time, event = made_up(6, 50_000, 8, 365)
    beta = np.linspace(-0.3, 0.3, 8)
    likelihood = CoxLikelihood(X, order_risk_sets(time, event), efron=efron)
    assert likelihood._pool is not None
    loglik, score, information = likelihood(beta)
    likelihood._pool, likelihood._blocks = None, [(0, likelihood.columns.shape[1])]
    again = likelihood(beta)
    assert loglik == pytest.approx(again[0], rel=1e-13)
    np.testing.assert_allclose(score, again[1], rtol=1e-9)
    np.testing.assert_allclose(information, again[2], rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize("efron", [True, False])
def test_score_and_information_are_the_derivatives(efron):
    X, time, event = made_up(7, 80, 3, 6)
    likelihood = CoxLikelihood(X, order_risk_sets(time, event), efron=efron)
    beta, step = np.array([0.2, -0.4, 0.1]), 1e-5
    _, score, information = likelihood(beta)
    for j in range(3):
        move = step * np.eye(3)[j]
        up, down = likelihood(beta + move), likelihood(beta - move)
        assert (up[0] - down[0]) / (2 * step) == pytest.approx(score[j], rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(-(up[1] - down[1]) / (2 * step), information[j], rtol=1e-6, atol=1e-6)


def test_risk_sets_by_hand():
    # Times 5 4 4 3 2 1 with events at 4 (two) and 2; the person who left at 1 is in no risk set.
    time = np.array([1.0, 4.0, 3.0, 4.0, 2.0, 5.0])
    event = np.array([False, True, False, True, True, False])
    sets = order_risk_sets(time, event)
    assert sets.times.tolist() == [4.0, 2.0]
    assert sets.deaths.tolist() == [2, 1]
    assert sets.start.tolist() == [0, 3, 5]
    assert sets.order.tolist() == [1, 3, 5, 4, 2]  # events first: rows at 4, then the one at 5; then 2, then 3


def test_many_distinct_times_sort_alike():
    _, time, event = made_up(8, 40_000, 1, None)
    sets = order_risk_sets(time, event)
    assert sets.times.size == event.sum()
    assert (np.diff(sets.times) < 0).all()
    first = sets.order[sets.start[:-1]]
    np.testing.assert_array_equal(time[first], sets.times)


def test_tie_times():
    assert tie_times(np.array([0.1 + 0.2, 0.3, 0.7, 2.0])).tolist() == [0.3, 0.3, 0.7, 2.0]
    kept = np.array([1.0, 1.0 + 1e-6, 2.0])
    assert tie_times(kept).tolist() == kept.tolist()
    whole = np.array([3.0, 1.0])
    assert tie_times(whole) is whole
    # A chain of near times is one time, and the tolerance grows with the unit.
    assert np.unique(tie_times(1e6 * (1.0 + 1e-9 * np.arange(5)))).size == 1


def test_a_weight_that_vanishes_is_no_crash():
    X, time, event = made_up(9, 50, 1, 5)
    likelihood = CoxLikelihood(X, order_risk_sets(time, event), efron=True)
    with np.errstate(all="ignore"):
        assert not np.isfinite(likelihood(np.array([5e5]))[0])
