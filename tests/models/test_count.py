"""Poisson and negative binomial regression: by hand, against scipy's likelihood, against R."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models import MonotoneLikelihoodWarning, fit_count

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "glm.json").read_text())
FORMULA = "time ~ x1 + x2 + b1 + C(y_m0)"


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    return data.assign(off=data["x5"] / 10, w=data["id"] % 3 + 1)


def test_two_groups_by_hand():
    # 2 + 4 days in 10 + 20 weeks and 9 + 3 days in 15 + 15 weeks: rates 6/30 and 12/30, ratio 2; the variance of its
    # logarithm is 1/6 + 1/12 = 1/4.
    people = pd.DataFrame({"days": [2, 4, 9, 3], "weeks": [10, 20, 15, 15], "arm": ["a", "a", "b", "b"]})
    fit = fit_count(people, "days ~ arm", exposure="weeks")
    assert fit.coef == pytest.approx([np.log(0.2), np.log(2.0)], rel=1e-10)
    assert fit.std_error[1] == pytest.approx(0.5, rel=1e-10)
    assert fit.loglik == pytest.approx(stats.poisson.logpmf([2, 4, 9, 3], [2, 4, 6, 6]).sum(), rel=1e-12)
    # robust: each group adds the sum of (y - mu)^2 over its squared total: 0/36 + (9 + 9)/144
    assert fit_count(people, "days ~ arm", exposure="weeks", variance="robust").std_error[1] == pytest.approx(
        np.sqrt(18 / 144), rel=1e-9
    )
    offset = fit_count(people.assign(lw=np.log(people["weeks"])), "days ~ arm", offset="lw")
    np.testing.assert_allclose(offset.vcov, fit.vcov, rtol=1e-10)
    assert "log(weeks)" in fit.describe_choices()


def test_poisson_equals_r(people):
    fit = fit_count(people, FORMULA)
    assert fit.coef == pytest.approx(R["poisson"]["coef"], rel=1e-8)
    assert fit.std_error == pytest.approx(R["poisson"]["se"], rel=1e-8)
    assert fit.loglik == pytest.approx(R["poisson"]["loglik"], rel=1e-12)
    assert f"Pearson dispersion is {R['poisson_pearson']:.3g}" in fit.describe_choices()
    assert fit_count(people, FORMULA, variance="robust").std_error == pytest.approx(R["poisson_hc0"], rel=1e-8)
    assert fit_count(people, FORMULA, cluster="emp").std_error == pytest.approx(R["poisson_cluster"], rel=1e-8)
    assert fit_count(people, FORMULA, offset="off").coef == pytest.approx(R["poisson_offset"]["coef"], rel=1e-8)


def test_negative_binomial_equals_r(people):
    fit = fit_count(people, FORMULA, family="negative_binomial", compat="r")
    assert fit.coef == pytest.approx(R["nb"]["coef"], rel=1e-8)
    assert fit.std_error == pytest.approx(R["nb"]["se"], rel=1e-6)
    assert 1 / fit.dispersion == pytest.approx(R["nb"]["theta"], rel=1e-8)
    assert fit.loglik == pytest.approx(R["nb"]["loglik"], rel=1e-10)
    shifted = fit_count(people, FORMULA, family="negative_binomial", offset="off")
    assert shifted.coef == pytest.approx(R["nb_offset"]["coef"], rel=1e-7)
    assert shifted.loglik == pytest.approx(R["nb_offset"]["loglik"], rel=1e-10)


def nb_loglik(parameters, X, y):
    mu, size = np.exp(X @ parameters[:-1]), 1.0 / parameters[-1]
    return stats.nbinom.logpmf(y, size, size / (size + mu))


def numeric_hessian(f, at, h):
    p = at.size
    steps = np.eye(p) * h
    return np.array(
        [
            [(f(at + a + b) - f(at + a - b) - f(at - a + b) + f(at - a - b)) / (4 * a.max() * b.max()) for b in steps]
            for a in steps
        ]
    )


def test_negative_binomial_score_and_information_by_differences(people):
    few = people.iloc[:300]
    X, y = np.column_stack([np.ones(300), few["x1"], few["b1"]]), few["time"].to_numpy()
    fit = fit_count(few, "time ~ x1 + b1", family="negative_binomial")
    at = np.append(fit.coef, fit.dispersion)
    assert nb_loglik(at, X, y).sum() == pytest.approx(fit.loglik, rel=1e-11)
    for j in range(4):
        step = np.zeros(4)
        step[j] = 1e-5
        slope = (nb_loglik(at + step, X, y).sum() - nb_loglik(at - step, X, y).sum()) / 2e-5
        assert abs(slope) < 1e-4
    inverse = np.linalg.inv(-numeric_hessian(lambda b: nb_loglik(b, X, y).sum(), at, np.full(4, 1e-3)))
    np.testing.assert_allclose(fit.vcov, inverse[:3, :3], rtol=1e-4)
    scores = np.array([(nb_loglik(at + s, X, y) - nb_loglik(at - s, X, y)) / 2e-5 for s in np.eye(4) * 1e-5]).T
    sums = np.array([scores[few["emp"].to_numpy() == firm].sum(axis=0) for firm in few["emp"].unique()])
    clustered = fit_count(few, "time ~ x1 + b1", family="negative_binomial", cluster="emp")
    np.testing.assert_allclose(clustered.vcov, (inverse @ sums.T @ sums @ inverse)[:3, :3], rtol=1e-4)


def test_negative_binomial_of_one_group_is_the_mean():
    days = [0, 3, 10, 2, 0, 31, 5, 4, 1, 60]
    people = pd.DataFrame({"days": days * 2, "arm": ["a"] * 10 + ["b"] * 10})
    fit = fit_count(people, "days ~ arm", family="negative_binomial")
    assert fit.coef[0] == pytest.approx(np.log(np.mean(days)), rel=1e-9)
    assert fit.coef[1] == pytest.approx(0.0, abs=1e-9)
    assert fit.loglik == pytest.approx(fit.loglik_null, rel=1e-12)
    assert "alpha =" in fit.describe_choices()


def test_no_overdispersion_is_said():
    people = pd.DataFrame({"days": [4, 5, 4, 5, 6, 5, 4, 6], "x": [1.0, 2, 3, 4, 5, 6, 7, 8]})
    with pytest.raises(ConvergenceError, match="no more than a Poisson count"):
        fit_count(people, "days ~ x", family="negative_binomial")


def test_a_group_without_days_is_named():
    people = pd.DataFrame({"days": [0, 0, 0, 3, 9, 1, 8, 2], "arm": list("aaabbccb"), "x": [1.0, 3, 2, 5, 4, 3, 2, 1]})
    with pytest.warns(MonotoneLikelihoodWarning, match="`days`"):
        fit = fit_count(people, "days ~ arm + x", reference={"arm": "b"})
    assert fit.limit[1] == -np.inf
    rest = fit_count(people[people["arm"] != "a"], "days ~ arm + x", reference={"arm": "b"})
    np.testing.assert_allclose(fit.coef[[0, 2, 3]], rest.coef, rtol=1e-8)
    assert fit.loglik == pytest.approx(rest.loglik, rel=1e-12)
    with pytest.raises(ConvergenceError, match="'arm: a' is infinite"):
        fit_count(people, "days ~ arm + x", reference={"arm": "b"}, family="negative_binomial")


def test_weights(people):
    repeated = people.loc[people.index.repeat(people["w"])]
    one = fit_count(people, FORMULA, weights="w", weight_type="frequency")
    np.testing.assert_allclose(one.vcov, fit_count(repeated, FORMULA).vcov, rtol=1e-9)
    with pytest.raises(ArgumentError, match="The negative binomial takes no `weights`"):
        fit_count(people, FORMULA, weights="w", weight_type="frequency", family="negative_binomial")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"exposure": "w", "offset": "off"}, ArgumentError, "not both"),
        ({"exposure": "off"}, DesignError, "`off` is not above 0"),
        ({"information": "observed"}, ArgumentError, "`information` has no effect on a Poisson"),
        ({"family": "nb"}, ArgumentError, "`family` must be one of"),
    ],
)
def test_refused(people, options, error, message):
    with pytest.raises(error, match=message):
        fit_count(people, FORMULA, **options)
