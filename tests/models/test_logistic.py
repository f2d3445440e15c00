"""Logistic regression: by hand, against a naive loop, against R, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import MonotoneLikelihoodWarning, fit_logistic

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "glm.json").read_text())
FORMULA = "work ~ x1 + x2 + b1 + C(y_m0)"


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    return data.assign(
        w=data["id"] % 3 + 1, pw=0.5 + (data["id"] % 7) / 4, off=data["x5"] / 10, work=(data["y_m6"] == 3).astype(int)
    )


def test_a_two_by_two_table_by_hand():
    # 3 of 4 exposed and 1 of 4 unexposed return: log odds of the unexposed log(1/3), of the exposed log 3, so that the
    # slope is log 9; its variance is 1/3 + 1/1 + 1/1 + 1/3 = 8/3 and that of the intercept 1/1 + 1/3 = 4/3.
    people = pd.DataFrame({"back": [1, 1, 1, 0, 1, 0, 0, 0], "visit": [1, 1, 1, 1, 0, 0, 0, 0]})
    fit = fit_logistic(people, "back ~ visit")
    assert fit.coef == pytest.approx([np.log(1 / 3), np.log(9)], rel=1e-10)
    assert fit.std_error == pytest.approx([np.sqrt(4 / 3), np.sqrt(8 / 3)], rel=1e-10)
    # log-likelihood: 2 (3 log 3/4 + log 1/4); with one probability of 1/2 for all 8 log 1/2
    assert fit.loglik == pytest.approx(2 * (3 * np.log(0.75) + np.log(0.25)), rel=1e-12)
    assert fit.loglik_null == pytest.approx(8 * np.log(0.5), rel=1e-12)
    # a saturated model has the same variance without the model: sum of (y - p)^2 = n p (1 - p)
    assert fit_logistic(people, "back ~ visit", variance="robust").std_error == pytest.approx(fit.std_error, rel=1e-9)
    tidy = fit.tidy(exponentiate=True)
    assert tidy["term"].tolist() == ["(Intercept)", "visit"]
    assert tidy["estimate"][1] == pytest.approx(9.0)
    assert fit.term_tests()["statistic"][0] == pytest.approx(np.log(9) ** 2 / (8 / 3))
    assert fit.outcome == ("0", "1")


def test_cluster_variance_by_hand():
    # The table above; clusters pair exposed with unexposed. The influence of row i on the slope is
    # (y - p)/(n p (1 - p)) = (y - p)/(3/4), with a minus sign for the unexposed; sums within clusters are squared.
    people = pd.DataFrame(
        {"back": [1, 1, 1, 0, 1, 0, 0, 0], "visit": [1, 1, 1, 1, 0, 0, 0, 0], "firm": list("abcdabcd")}
    )
    exposed = (np.array([1, 1, 1, 0]) - 0.75) / 0.75
    unexposed = -(np.array([1, 0, 0, 0]) - 0.25) / 0.75
    expected = np.sqrt(np.sum((exposed + unexposed) ** 2))
    fit = fit_logistic(people, "back ~ visit", cluster="firm")
    assert fit.std_error[1] == pytest.approx(expected, rel=1e-9)
    assert (fit.variance, fit.n_clusters) == ("cluster", 4)
    stata = fit_logistic(people, "back ~ visit", cluster="firm", compat="stata")
    assert stata.std_error[1] == pytest.approx(expected * np.sqrt(4 / 3), rel=1e-9)
    assert "G/(G - 1)" in stata.describe_choices()


@pytest.mark.parametrize(
    ("link", "inverse"),
    [
        ("logit", lambda eta: 1 / (1 + np.exp(-eta))),
        ("probit", stats.norm.cdf),
        ("cloglog", lambda eta: 1 - np.exp(-np.exp(eta))),
    ],
)
def test_naive_maximum(people, link, inverse):
    X = np.column_stack([np.ones(1000), people["x1"], people["b1"]])
    y = people["work"].to_numpy()

    def loss(b):
        p = inverse(X @ b)
        return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))

    naive = optimize.minimize(loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    fit = fit_logistic(people, "work ~ x1 + b1", link=link)
    assert fit.coef == pytest.approx(naive.x, rel=1e-5)
    assert fit.loglik == pytest.approx(-naive.fun, rel=1e-10)
    for j in range(3):
        step = np.zeros(3)
        step[j] = 1e-4
        assert abs(loss(fit.coef + step) - loss(fit.coef - step)) / 2e-4 < 1e-4


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_equals_r(people, link):
    fit, r = fit_logistic(people, FORMULA, link=link), R[f"logistic_{link}"]
    assert fit.coef == pytest.approx(r["coef"], rel=1e-8)
    assert fit.std_error == pytest.approx(r["se"], rel=1e-8)
    assert fit.loglik == pytest.approx(r["loglik"], rel=1e-12)
    assert fit.loglik_null == pytest.approx(-r["null"] / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"variance": "robust"}, "logistic_hc0"),
        ({"cluster": "emp"}, "logistic_cluster"),
        ({"cluster": "emp", "compat": "stata"}, "logistic_cluster_g"),
        ({"cluster": "emp", "link": "probit"}, "probit_cluster"),
        ({"weights": "w", "weight_type": "frequency", "variance": "robust"}, "logistic_freq_hc0"),
    ],
)
def test_robust_equals_r(people, options, name):
    assert fit_logistic(people, FORMULA, **options).std_error == pytest.approx(R[name], rel=1e-8)


def test_weights_and_offset_equal_r(people):
    frequency = fit_logistic(people, FORMULA, weights="w", weight_type="frequency")
    assert frequency.coef == pytest.approx(R["logistic_freq"]["coef"], rel=1e-8)
    assert frequency.std_error == pytest.approx(R["logistic_freq"]["se"], rel=1e-8)
    assert frequency.n == people["w"].sum()
    probability = fit_logistic(people, FORMULA, weights="pw", weight_type="probability")
    assert probability.coef == pytest.approx(R["logistic_prob"]["coef"], rel=1e-8)
    assert probability.std_error == pytest.approx(R["logistic_prob"]["se"], rel=1e-8)
    assert probability.variance == "robust"
    assert np.isnan(probability.glance()["lr_statistic"][0])
    by_firm = fit_logistic(people, FORMULA, weights="pw", weight_type="probability", cluster="emp")
    assert by_firm.std_error == pytest.approx(R["logistic_prob"]["cl"], rel=1e-8)
    shifted = fit_logistic(people, FORMULA, offset="off")
    assert shifted.coef == pytest.approx(R["logistic_offset"]["coef"], rel=1e-8)
    assert shifted.loglik_null == pytest.approx(-R["logistic_offset"]["null"] / 2, rel=1e-12)


def test_a_frequency_weight_is_that_many_rows(people):
    repeated = people.loc[people.index.repeat(people["w"])]
    for options in ({}, {"variance": "robust"}, {"cluster": "emp"}):
        one = fit_logistic(people, FORMULA, weights="w", weight_type="frequency", **options)
        other = fit_logistic(repeated, FORMULA, **options)
        np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-9)
        assert one.glance()["bic"][0] == pytest.approx(other.glance()["bic"][0], rel=1e-12)


def test_invariances(people):
    fit = fit_logistic(people, FORMULA, cluster="emp")
    shuffled = people.sample(frac=1.0, random_state=3).assign(emp=lambda d: "firm " + d["emp"].astype(str))
    other = fit_logistic(shuffled, FORMULA, cluster="emp")
    np.testing.assert_allclose(other.coef, fit.coef, rtol=1e-9)
    np.testing.assert_allclose(other.vcov, fit.vcov, rtol=1e-9)
    scaled = fit_logistic(people.assign(x1=people["x1"] * 1e4 + 2e6), FORMULA, cluster="emp")
    assert scaled.coef[1] * 1e4 == pytest.approx(fit.coef[1], rel=1e-7)
    turned = fit_logistic(people, FORMULA, levels=[1, 0])
    np.testing.assert_allclose(turned.coef, -fit.coef, rtol=1e-9)
    last = fit_logistic(people, FORMULA, compat="spss")
    assert last.terms[-2:] == ("y_m0: 1", "y_m0: 2")
    assert last.coef[-2] == pytest.approx(-fit.coef[-1], rel=1e-9)
    assert last.loglik == pytest.approx(fit.loglik, rel=1e-12)


def test_statsmodels_drops_nothing_and_we_say_what_is_missing(people):
    holes = people.astype({"work": float})
    holes.loc[:199, "work"] = np.nan
    with pytest.raises(DesignError, match="`work` in 200"):
        fit_logistic(holes, FORMULA)
    fit = fit_logistic(holes, FORMULA, missing="drop")
    np.testing.assert_allclose(fit.coef, fit_logistic(people.iloc[200:], FORMULA).coef, rtol=1e-10)
    assert fit.n_dropped == 200
    assert "800 of 1000 rows are used. Missing: work (200)." in fit.describe_choices()


def test_text_outcome_and_choices(people):
    words = people.assign(work=np.where(people["work"] == 1, "yes", "no"))
    fit = fit_logistic(words, "work ~ x1 + C(y_m0)", reference={"y_m0": 2})
    assert fit.outcome == ("no", "yes")
    text = fit.describe_choices()
    assert "the probability that `work` is yes (against no)" in text
    assert "Reference levels are y_m0: 2" in text


def test_separation_is_named_and_the_rest_is_estimated(people):
    # Everybody with a plan returns: that estimate is infinite, and the others are those of the people without a plan.
    data = people.assign(plan=((people["work"] == 1) & (people["x2"] > 1)).astype(int))
    with pytest.warns(MonotoneLikelihoodWarning, match="separate `work`: the estimate of 'plan' is infinite") as caught:
        fit = fit_logistic(data, "work ~ x1 + b1 + plan", variance="robust")
    assert caught[0].filename == __file__
    without = fit_logistic(data[data["plan"] == 0], "work ~ x1 + b1", variance="robust")
    assert fit.limit[3] == np.inf
    assert fit.monotone.tolist() == [False, False, False, True]
    np.testing.assert_allclose(fit.coef[:3], without.coef, rtol=1e-8)
    np.testing.assert_allclose(fit.vcov[:3, :3], without.vcov, rtol=1e-8)
    assert fit.loglik == pytest.approx(without.loglik, rel=1e-12)
    tidy = fit.tidy(exponentiate=True)
    assert tidy["estimate"][3] == np.inf
    assert tidy.loc[3, ["std_error", "p_value", "conf_low"]].isna().all()
    assert np.isnan(fit.term_tests()["statistic"][2])
    assert np.isfinite(fit.wald(["x1", "b1"]).statistic)
    assert not fit.converged


def test_complete_separation():
    people = pd.DataFrame({"y": [0, 0, 0, 1, 1, 1], "x": [1.0, 2, 3, 4, 5, 6], "z": [1.0, 0, 1, 0, 1, 1]})
    with pytest.warns(MonotoneLikelihoodWarning, match="'x'"):
        fit = fit_logistic(people, "y ~ x + z")
    assert fit.limit[1] == np.inf
    assert not np.isfinite(fit.limit).any()
    assert fit.loglik == 0.0


def test_quasi_separation_at_one_value():
    # x = 3 has both outcomes, below all are 0 and above all are 1: the slope is infinite, and the rows at 3 overlap
    people = pd.DataFrame({"y": [0, 0, 0, 1, 1, 1], "x": [1.0, 2, 3, 3, 5, 6]})
    with pytest.warns(MonotoneLikelihoodWarning, match="'x'"):
        fit = fit_logistic(people, "y ~ x")
    assert fit.limit.tolist() == [-np.inf, np.inf]
    assert fit.loglik == pytest.approx(2 * np.log(0.5))


def test_an_extreme_but_finite_estimate_is_kept():
    people = pd.DataFrame({"y": [0] * 5000 + [1] + [1] * 5000 + [0], "x": [0] * 5001 + [3] * 5001})
    fit = fit_logistic(people, "y ~ x")
    assert fit.converged
    assert fit.coef[1] * 3 == pytest.approx(2 * np.log(5000), rel=1e-8)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weights": "w"}, ArgumentError, "`weights` need `weight_type`"),
        ({"weight_type": "frequency"}, ArgumentError, "`weight_type` has no effect"),
        ({"weights": "pw", "weight_type": "frequency"}, DesignError, "Frequency weights must be whole"),
        (
            {"weights": "w", "weight_type": "probability", "variance": "model"},
            ArgumentError,
            "Probability weights need the robust variance",
        ),
        ({"cluster": "emp", "variance": "model"}, ArgumentError, "`cluster` has no effect"),
        ({"link": "logistic"}, ArgumentError, "`link` must be one of"),
        ({"compat": "sas9"}, ArgumentError, "`compat` must be one of"),
        ({"variance": "hc3"}, ArgumentError, "`variance` must be one of"),
    ],
)
def test_refused(people, options, error, message):
    with pytest.raises(error, match=message):
        fit_logistic(people, FORMULA, **options)


def test_wald_of_unknown_terms(people):
    fit = fit_logistic(people, FORMULA)
    with pytest.raises(ArgumentError, match="names 'age', which is not in the model"):
        fit.wald(["age"])
    assert fit.wald("x1").statistic == fit.term_tests()["statistic"][0]
    assert fit.wald("y_m0: 2").df == 1
