"""The pass over few event times against the pass for any number of them, and the sums and exponentials in it."""

import numpy as np
import pytest

from rtwcohort.models import fit_cox_arrays
from rtwcohort.models.cox_kernel import CoxLikelihood, order_risk_sets
from rtwcohort.models.cox_ties_kernel import exponentials, tie_sums


def many_rows(p=8, n=52_345):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, p))
    X[:, -1] = X[:, -1] > 0
    time = np.minimum(np.ceil(rng.exponential(size=n) * 100), 60.0)  # almost half of the rows are in one group
    return X, time, rng.random(n) < 0.4, rng


def by_risk_sets(X, time, event, *, efron, case=None, offset=None, copies=False, strata=None):
    """The same likelihood without threads, which takes the pass for any number of event times."""
    sets = order_risk_sets(time, event, strata=strata)
    likelihood = CoxLikelihood(X, sets, efron=efron, case=case, offset=offset, copies=copies)
    assert likelihood._observed.size
    likelihood.close()
    likelihood._pool, likelihood._blocks = None, [(0, sets.order.size)]
    return likelihood


@pytest.mark.parametrize("how", ["plain", "breslow", "case", "copies", "offset", "strata", "few rows a group"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_one_pass_equals_risk_sets(how, order):
    X, time, event, rng = many_rows()
    X = np.asarray(X, order=order)
    n = time.size
    given = {"efron": how != "breslow"}
    if how in {"case", "copies"}:
        given["case"] = rng.integers(1, 4, n).astype(float)
        given["copies"] = how == "copies"
    if how == "offset":
        given["offset"] = rng.normal(size=n)
    if how == "few rows a group":
        time = np.floor(rng.exponential(size=n) * 120)
    strata = rng.integers(0, 3, n) if how == "strata" else None
    likelihood = CoxLikelihood(X, order_risk_sets(time, event, strata=strata), **given)
    plain = by_risk_sets(X, time, event, strata=strata, **given)
    for coef in (np.zeros(8), np.linspace(-0.6, 0.5, 8)):
        loglik, score, information = likelihood(coef)
        expected = plain(coef)
        size = np.sqrt(expected[2].diagonal())
        assert loglik == pytest.approx(expected[0], rel=1e-13)
        np.testing.assert_allclose(score / size, expected[1] / size, atol=1e-10)
        np.testing.assert_allclose(information / size / size[:, None], expected[2] / size / size[:, None], atol=1e-13)
    likelihood.close()


def test_columns_that_a_sample_does_not_show():
    # One row in 10,000, a column a million from 0, and one whose values are spread by a few rows.
    X, time, event, rng = many_rows()
    n = time.size
    X[:, 0] = 0.0
    X[rng.choice(n, 5, replace=False), 0] = 1.0
    X[:, 1] += 1e6
    X[rng.choice(n, 20, replace=False), 2] = 500.0
    event[X[:, 0] > 0] = True
    likelihood = CoxLikelihood(X, order_risk_sets(time, event), efron=True)
    plain = by_risk_sets(X, time, event, efron=True)
    np.testing.assert_allclose(likelihood.scale, X[likelihood.sets.order].std(axis=0), rtol=1e-9)
    coef = np.array([0.1, 0.1, -0.2, 0.3, 0.0, 0.1, 0.2, -0.1])
    for one, two in zip(likelihood(coef), plain(coef), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-7)
    likelihood.close()


def test_a_constant_column_has_no_information_here_either():
    X, time, event, _ = many_rows()
    X[:, 3] = 0.1
    likelihood = CoxLikelihood(X, order_risk_sets(time, event), efron=True)
    assert np.isinf(likelihood.scale[3])
    assert likelihood(np.zeros(8))[2][3, 3] == 0.0
    likelihood.close()


def test_estimates_do_not_depend_on_the_pass():
    # 4,000 rows four times over, as rows (one pass) and as copies (risk sets): the same people.
    X, time, event, _ = many_rows(p=30, n=4_000)
    once = fit_cox_arrays(X, time, event, weights=np.full(4_000, 4.0), weight_type="copies")
    rows = np.tile(np.arange(4_000), 4)
    many = fit_cox_arrays(X[rows], time[rows], event[rows])
    np.testing.assert_allclose(many.coef, once.coef, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(many.vcov, once.vcov, rtol=1e-9, atol=1e-16)
    assert many.score_statistic == pytest.approx(once.score_statistic, rel=1e-11)


def test_exponentials():
    inside = np.concatenate([np.linspace(-700.0, 700.0, 10_001), [0.0, -0.0, 1e-300, -1e-18, 0.5 * np.log(2)]])
    weight = np.empty(inside.size)
    exponentials(inside, inside.size, np.empty(inside.size, dtype=np.int64), weight)
    np.testing.assert_allclose(weight, np.exp(inside), rtol=5e-16, atol=0.0)
    outside = np.array([-np.inf, -800.0, -720.0, 1.0, 720.0, np.inf, np.nan])
    exponentials(outside, outside.size, np.empty(outside.size, dtype=np.int64), weight)
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_array_equal(weight[: outside.size], np.exp(outside))


@pytest.mark.parametrize(("s0", "d0"), [(10.0, 10.0), (1e-280, 0.3e-280), (3e300, 1e300), (5.0, 0.01)])
@pytest.mark.parametrize("steps", [2, 31, 32, 33, 100, 5_000])
def test_sums_over_ties(s0, d0, steps):
    share = np.arange(steps) / steps
    denominator = s0 - share * d0
    expected = [np.log(denominator).sum(), (1.0 / denominator).sum(), (share / denominator).sum()]
    expected += [(share**power / (denominator / s0) ** 2).sum() for power in range(3)]
    np.testing.assert_allclose(tie_sums(s0, d0, steps, 2.0), 2.0 * np.array(expected), rtol=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("few", [True, False])
def test_sums_far_beyond_the_root_of_the_largest_float(few, ties):
    # Weights exp(+-600) for two halves that are strata of their own: the fits of the halves, added up.
    X, time, event, rng = many_rows(n=50_000 if few else 6_000)
    n = time.size
    if not few:
        time = rng.exponential(size=n)
    half = np.arange(n) % 2
    plain = fit_cox_arrays(X, time, event, strata=half, ties=ties)
    far = fit_cox_arrays(X, time, event, strata=half, ties=ties, offset=np.where(half == 1, 600.0, -600.0))
    np.testing.assert_allclose(far.coef / plain.std_error, plain.coef / plain.std_error, atol=1e-8)
    np.testing.assert_allclose(far.std_error, plain.std_error, rtol=1e-9)
    robust = [
        fit_cox_arrays(X, time, event, strata=half, ties=ties, offset=offset, variance="robust").std_error
        for offset in (None, np.where(half == 1, 600.0, -600.0))
    ]
    np.testing.assert_allclose(robust[1], robust[0], rtol=1e-9)
