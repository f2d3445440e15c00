"""Ordinal GEE: the quick kernels against the general ones."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import DesignError
from rtwcohort.models import fit_ordinal_gee_arrays
from rtwcohort.models.ordinal_gee_independence_kernel import independence_pass
from rtwcohort.models.ordinal_gee_logit_kernel import logit_pass
from rtwcohort.models.ordinal_gee_panel import build_panel, find_waves, new_sums, whole
from rtwcohort.models.ordinal_gee_row_kernel import LOGIT
from rtwcohort.models.ordinal_logit_kernel import exp_minus, log_of


def panel_of(k, p, *, n=700, seed=0, everything=True):
    """Return persons of 1 to 4 rows, in clusters of a few persons, with weights and an offset."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n), rng.integers(1, 5, n))
    rows = person.size
    return build_panel(
        rng.normal(size=(rows, p)),
        rng.integers(0, k, rows),
        person=person,
        waves=find_waves(None, rows),
        cluster=person // 3 if everything else None,
        weight=rng.uniform(0.2, 3.0, rows) if everything else rng.integers(1, 4, n)[person].astype(float),
        frequency=not everything,
        offset=0.5 * rng.normal(size=rows),
    )


def both_passes(data, theta, beta, *, observed, squares=True):
    general, quick = new_sums(theta.size + beta.size), new_sums(theta.size + beta.size)
    first, last = 1, data.n_clusters - 2
    loglik = (
        independence_pass(data.panel, first, last, LOGIT, False, observed, squares, theta, beta, general),
        logit_pass(data.panel, first, last, observed, squares, theta, beta, quick),
    )
    return loglik, general, quick


class TestLogitPass:
    @pytest.mark.parametrize("observed", [True, False])
    @pytest.mark.parametrize("everything", [True, False])
    @pytest.mark.parametrize(("k", "p"), [(2, 1), (3, 6), (3, 0), (7, 3)])
    def test_general_pass(self, k, p, everything, observed):
        data = panel_of(k, p, everything=everything)
        theta = np.sort(np.random.default_rng(1).normal(size=k - 1)) + 0.05 * np.arange(k - 1)
        loglik, general, quick = both_passes(data, theta, np.linspace(-1.0, 0.7, p), observed=observed)
        assert loglik[1] == pytest.approx(loglik[0], rel=1e-13)
        for one, other in zip(general, quick, strict=True):
            scale = np.abs(one).max()
            lower = (lambda values: whole(values)) if one.shape[-1] == one.shape[-2] else np.asarray
            np.testing.assert_allclose(lower(other), lower(one), rtol=1e-10, atol=1e-12 * scale)

    @pytest.mark.parametrize("gap", [1e-3, 40.0])
    def test_near_and_far_thresholds_and_both_tails(self, gap):
        data = panel_of(4, 2)
        theta, beta = np.array([-gap, 0.0, gap]), np.array([25.0, -20.0])
        loglik, general, quick = both_passes(data, theta, beta, observed=True)
        assert loglik[1] == pytest.approx(loglik[0], rel=1e-13)
        np.testing.assert_allclose(quick.score, general.score, rtol=1e-7, atol=1e-10 * np.abs(general.score).max())
        np.testing.assert_allclose(whole(quick.information), whole(general.information), rtol=1e-7, atol=1e-7)

    def test_wide_linear_predictors_are_left_to_the_general_pass(self):
        data = panel_of(3, 1)
        for theta, beta in (((-0.5, 0.5), 200.0), ((-301.0, 0.5), 0.1), ((-0.5, 0.5), np.nan)):
            loglik, _, _ = both_passes(data, np.array(theta), np.array([beta]), observed=True)
            assert np.isnan(loglik[1])

    def test_own_exponential_and_logarithm(self):
        x = np.concatenate([np.linspace(-300.0, 300.0, 4001), [-600.0, 600.0]])
        np.testing.assert_allclose([exp_minus(value) for value in x], np.exp(-x), rtol=4e-16)
        values = np.concatenate([np.exp(x), np.linspace(0.5, 2.0, 1501), 1.0 - np.logspace(-16, -1, 16)])
        np.testing.assert_allclose([log_of(value) for value in values], np.log(values), rtol=6e-16, atol=1e-300)
        assert log_of(1.0) == 0.0


class TestCodes:
    """Whole numbers as waves and ascending numbers as persons take a short way; anything else the way of text."""

    @pytest.mark.parametrize("values", [[3, 0, 7, 3, 0], [1.5, -2.0, 1.5, 0.0, 9.0], [2.0**60, 0.0, 5.0, 5.0, 5.0]])
    @pytest.mark.parametrize("wrap", [np.array, pd.Series, lambda values: pd.Series(values, index=range(5, 10))])
    def test_waves(self, values, wrap):
        codes, levels = pd.factorize(np.array(values), sort=True)
        waves = find_waves(wrap(values), 5)
        np.testing.assert_array_equal(waves.position, codes)
        np.testing.assert_array_equal(waves.times, levels)
        assert waves.labels == tuple(f"{level:g}" if level < 1e6 else str(2**60) for level in levels)

    def test_missing_wave_or_person(self):
        X, y, one = np.arange(4.0)[:, None], np.array([0, 1, 0, 1]), np.arange(4.0)
        for place in (0, 2, 3):
            hole = one.copy()
            hole[place] = np.nan
            with pytest.raises(DesignError, match="missing in 1 rows"):
                fit_ordinal_gee_arrays(X, y, id=hole)
            with pytest.raises(DesignError, match="missing in 1 rows"):
                fit_ordinal_gee_arrays(X, y, id=one, wave=hole)

    def test_order_of_persons_does_not_matter(self):
        rng = np.random.default_rng(3)
        person, wave = np.repeat(np.arange(90) * 7 - 50, 3), np.tile([0, 1, 2], 90)
        X = rng.normal(size=(270, 2))
        y = rng.integers(0, 3, 270)
        mixed = rng.permutation(270)
        fits = [
            fit_ordinal_gee_arrays(X[rows], y[rows], id=who[rows], wave=wave[rows])
            for who in (person, person.astype(str), person + 0.5)
            for rows in (np.arange(270), mixed)
        ]
        for fit in fits[1:]:
            np.testing.assert_allclose(fit.estimates, fits[0].estimates, rtol=1e-10)
            np.testing.assert_allclose(fit.vcov, fits[0].vcov, rtol=1e-10)

    def test_column_with_one_value(self):
        X = np.column_stack([np.arange(300.0), np.r_[np.ones(280), np.full(20, 2.0)], np.ones(300)])
        y, person = np.arange(300) % 3, np.arange(300) // 2
        with pytest.raises(DesignError, match="'x3' has one value"):
            fit_ordinal_gee_arrays(X, y, id=person)
        assert fit_ordinal_gee_arrays(X[:, :2], y, id=person).n == 300

    def test_arrays_that_may_not_be_written_to_need_no_kernel_of_their_own(self):
        X, y, person, weight = np.arange(300.0)[:, None], np.arange(300) % 3, np.arange(300) // 2, np.full(300, 2.0)
        plain = fit_ordinal_gee_arrays(X, y, id=person, weights=weight, offset=weight)
        compiled = len(logit_pass.signatures)
        for array in (X, y, person, weight):
            array.setflags(write=False)
        kept = fit_ordinal_gee_arrays(X, y.astype(np.int32), id=person, weights=weight, offset=weight)
        assert len(logit_pass.signatures) == compiled
        np.testing.assert_array_equal(kept.vcov, plain.vcov)


@pytest.mark.parametrize("association", ["independence", "exchangeable", "global_odds_ratio"])
def test_estimates_do_not_depend_on_the_number_of_cores(monkeypatch, association):
    rng = np.random.default_rng(5)
    ids, waves = np.repeat(np.arange(9_000), 3), np.tile(np.arange(3), 9_000)
    X = rng.normal(size=(ids.size, 2))
    y = np.digitize(X @ [0.5, -0.3] + np.repeat(rng.normal(size=9_000), 3) + rng.logistic(size=ids.size), [-0.5, 0.8])
    fits = []
    for cores in (1, 2, 3, 16):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        fits.append(fit_ordinal_gee_arrays(X, y, id=ids, wave=waves, association=association))
    for other in fits[1:]:
        np.testing.assert_array_equal(other.estimates, fits[0].estimates)
        np.testing.assert_array_equal(other.vcov, fits[0].vcov)
