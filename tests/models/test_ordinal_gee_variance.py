"""Corrections of the robust variance for few clusters: by their definitions in residuals, t intervals, refusals."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.special import expit
from scipy.stats import f as f_distribution
from scipy.stats import t

from rtwcohort.errors import ArgumentError
from rtwcohort.models import fit_ordinal_gee_arrays

CORRECTIONS = ["mancl_derouen", "kauermann_carroll", "fay_graubard"]


def simulate(n, waves=3, seed=1):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.repeat(np.arange(n) % 2, waves), rng.normal(size=n * waves)])
    latent = X @ [0.4, -0.5] + np.repeat(rng.normal(size=n), waves) + rng.logistic(size=n * waves)
    return X, np.digitize(latent, [-0.5, 0.8]), np.repeat(np.arange(n), waves), np.tile(np.arange(waves), n)


def persons(X, y, ids, at, rho):
    """Return residuals, derivatives and covariance of every person under an exchangeable correlation."""
    m = 2
    for person in np.unique(ids):
        rows = np.flatnonzero(ids == person)
        g = expit(at[:m] - (X[rows] @ at[m:])[:, None])
        D = np.vstack(
            [
                np.hstack([np.eye(m), -np.tile(X[row], (m, 1))]) * (g[s] * (1 - g[s]))[:, None]
                for s, row in enumerate(rows)
            ]
        )
        roots = [np.linalg.cholesky(np.minimum.outer(v, v) - np.outer(v, v)) for v in g]
        n = len(rows)
        V = np.block([[(1.0 if s == u else rho) * roots[s] @ roots[u].T for u in range(n)] for s in range(n)])
        yield ((y[rows][:, None] <= np.arange(m)) - g).ravel(), D, V


def by_definition(X, y, ids, at, rho, correction):
    """Correct the residuals (or, for Fay and Graubard, the scores) of each person and sum the squares."""
    everyone = list(persons(X, y, ids, at, rho))
    A = sum(D.T @ np.linalg.solve(V, D) for _, D, V in everyone)
    inverse = np.linalg.inv(A)
    meat = np.zeros_like(A)
    for r, D, V in everyone:
        W = np.linalg.inv(V)
        H = D @ inverse @ D.T @ W
        eye = np.eye(len(r))
        if correction == "mancl_derouen":
            u = D.T @ W @ np.linalg.solve(eye - H, r)
        elif correction == "kauermann_carroll":
            u = D.T @ W @ np.real(sqrtm(np.linalg.inv(eye - H))) @ r
        else:
            leverage = np.diag(D.T @ W @ D @ inverse)
            u = (D.T @ W @ r) / np.sqrt(1 - np.minimum(0.75, leverage))
        meat += np.outer(u, u)
    return inverse @ meat @ inverse


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize("association", ["independence", "exchangeable"])
def test_corrections_by_their_definition(correction, association):
    X, y, ids, wave = simulate(24, seed=2)
    fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association=association, correction=correction)
    rho = 0.0 if association == "independence" else fit.association["estimate"][0]
    expected = by_definition(X, y, ids, fit.estimates, rho, correction)
    np.testing.assert_allclose(fit.vcov, expected, rtol=1e-6, atol=1e-10)


def test_a_cluster_of_one_row_by_hand():
    """Two categories, only a threshold, G persons of one row of whom a are low.

    Each score is (1 - F) or -F with F = a / G, A = G F (1 - F), and the leverage is 1 / G for all: the plain variance
    1 / (G F (1 - F)) is multiplied by (1 - 1/G)^-2 for Mancl and DeRouen and (1 - 1/G)^-1 for the two others.
    """
    y = np.repeat([0, 1], [4, 6])
    plain = 1 / (10 * 0.4 * 0.6)
    for correction, power in (("none", 0), ("mancl_derouen", 2), ("kauermann_carroll", 1), ("fay_graubard", 1)):
        fit = fit_ordinal_gee_arrays(np.zeros((10, 0)), y, id=np.arange(10), correction=correction)
        assert fit.vcov[0, 0] == pytest.approx(plain * (10 / 9) ** power, rel=1e-9)


def test_order_of_the_corrections():
    X, y, ids, wave = simulate(30, seed=3)
    plain, kauermann, mancl = (
        fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, correction=name).std_error
        for name in ("none", "kauermann_carroll", "mancl_derouen")
    )
    assert (plain < kauermann).all()
    assert (kauermann < mancl).all()


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_many_clusters_need_no_correction(correction):
    X, y, ids, wave = simulate(4000, seed=4)
    corrected = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="global_odds_ratio", correction=correction)
    plain = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, association="global_odds_ratio")
    np.testing.assert_allclose(corrected.std_error, plain.std_error, rtol=3e-3)
    np.testing.assert_allclose(corrected.estimates, plain.estimates, rtol=1e-12)


def test_t_intervals_and_f_tests():
    X, y, ids, wave = simulate(20, seed=5)
    fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, correction="kauermann_carroll")
    assert fit.choices.df == 16
    table = fit.tidy(level=0.9)
    reach = t.ppf(0.95, 16) * fit.std_error[2:]
    np.testing.assert_allclose(table["conf_high"], fit.coef + reach, rtol=1e-10)
    np.testing.assert_allclose(table["p_value"], 2 * t.sf(np.abs(fit.coef / fit.std_error[2:]), 16), rtol=1e-9)
    whole = fit.wald()
    assert whole.p_value == pytest.approx(f_distribution.sf(whole.statistic / 2, 2, 16))
    tests = fit.term_tests()
    np.testing.assert_allclose(tests["p_value"], table["p_value"], rtol=1e-9)
    assert (tests["df_residual"] == 16).all()
    assert "16 degrees of freedom" in fit.describe_choices()


def test_coarser_clusters_are_the_ones_corrected():
    X, y, ids, wave = simulate(60, seed=6)
    place = ids // 3
    fit = fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, cluster=place, correction="mancl_derouen")
    expected = by_definition(X, y, place, fit.estimates, 0.0, "mancl_derouen")
    np.testing.assert_allclose(fit.vcov, expected, rtol=1e-6, atol=1e-10)
    assert fit.choices.df == 16


def test_leverage_of_one_is_refused():
    X, y, ids, wave = simulate(30, seed=7)
    alone = np.column_stack([X, ids == 4]).astype(float)
    y = np.where(ids == 4, [0, 1, 2] * 30, y)
    for correction in ("mancl_derouen", "kauermann_carroll"):
        with pytest.raises(ArgumentError, match="1 clusters each determine a parameter alone"):
            fit_ordinal_gee_arrays(alone, y, id=ids, wave=wave, correction=correction)
    assert fit_ordinal_gee_arrays(alone, y, id=ids, wave=wave, correction="fay_graubard").converged


def test_more_parameters_than_clusters():
    X, y, ids, wave = simulate(4, waves=12, seed=8)
    with pytest.raises(ArgumentError, match=r"more clusters \(4\) than parameters \(4"):
        fit_ordinal_gee_arrays(X, y, id=ids, wave=wave, correction="kauermann_carroll")
