"""Profile-likelihood intervals and tests of terms: by definition, by hand, and where an estimate is infinite."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.models import MonotoneLikelihoodWarning, fit_cox, profile_intervals

DATA = Path(__file__).parents[1] / "data"
SIX = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})
QUANTILE = 3.841458820694124


@pytest.fixture(scope="module")
def person():
    return pd.read_csv(DATA / "person_1000.csv").head(300)


FORMULA = "Surv(time, event) ~ x1 + x2 + b1"


def test_by_hand():
    # Breslow on SIX: loglik = 2b - log(3r + 3) - 2 log(r + 3), r = exp(b); the limits solve 2(max - loglik) = 3.84.
    fit = fit_cox(SIX, "Surv(time, event) ~ x", ties="breslow")
    table = profile_intervals(fit)

    def loglik(b):
        return 2 * b - np.log(3 * np.exp(b) + 3) - 2 * np.log(np.exp(b) + 3)

    for limit in table[["conf_low", "conf_high"]].iloc[0]:
        assert 2 * (loglik(np.log((3 + np.sqrt(33)) / 2)) - loglik(limit)) == pytest.approx(QUANTILE, rel=1e-8)
    ratios = profile_intervals(fit, "x", exponentiate=True)
    np.testing.assert_allclose(ratios["conf_high"], np.exp(table["conf_high"]))


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_limits_are_where_the_ratio_test_is_at_its_level(person, ties):
    fit = fit_cox(person, FORMULA, ties=ties, strata="b2")
    table = profile_intervals(fit).set_index("term")
    for name, rest in (("x1", "x2 + b1"), ("b1", "x1 + x2")):
        for side in ("conf_low", "conf_high"):
            held = person.assign(o=table.loc[name, side] * person[name])
            without = fit_cox(held, f"Surv(time, event) ~ {rest}", ties=ties, strata="b2", offset="o")
            assert 2 * (fit.loglik - without.loglik) == pytest.approx(QUANTILE, rel=1e-7)
    # In a larger sample they are near the Wald limits, but not symmetric.
    wald = fit.tidy().set_index("term")
    np.testing.assert_allclose(table["conf_low"], wald["conf_low"], atol=0.02)


def test_level_and_choice_of_terms(person):
    fit = fit_cox(person, FORMULA)
    wide, narrow = profile_intervals(fit, level=0.99), profile_intervals(fit, ["b1", "x1"], level=0.8)
    assert narrow["term"].tolist() == ["b1", "x1"]
    assert wide["conf_low"][0] < narrow["conf_low"][1]
    with pytest.raises(ArgumentError, match="no term 'x9'"):
        profile_intervals(fit, "x9")


def test_infinite_estimates_have_one_finite_limit():
    data = pd.read_csv(DATA / "separation.csv")
    with pytest.warns(MonotoneLikelihoodWarning):
        fit = fit_cox(data, "Surv(time, event) ~ x + z")
    table = profile_intervals(fit).set_index("term")
    assert table.loc["x", "conf_high"] == np.inf
    low = table.loc["x", "conf_low"]
    held = fit_cox(data.assign(o=low * data["x"]), "Surv(time, event) ~ z", offset="o")
    assert 2 * (fit.loglik - held.loglik) == pytest.approx(QUANTILE, rel=1e-5)
    assert np.isfinite(table.loc["z", ["conf_low", "conf_high"]].to_numpy(dtype=float)).all()
    opposite = data.assign(x=-data["x"])
    with pytest.warns(MonotoneLikelihoodWarning):
        mirrored = profile_intervals(fit_cox(opposite, "Surv(time, event) ~ x + z")).set_index("term")
    assert mirrored.loc["x", "conf_low"] == -np.inf
    assert mirrored.loc["x", "conf_high"] == pytest.approx(-low, rel=1e-6)


def test_term_tests(person):
    data = person.assign(unit=np.array(["a", "b", "c"])[np.arange(len(person)) % 3])
    fit = fit_cox(data, "Surv(time, event) ~ x1 + unit")
    wald, ratio = fit.term_tests(), fit.term_tests("lr")
    assert wald["df"].tolist() == ratio["df"].tolist() == [1, 2]
    unit = fit.groups["unit"]
    by_hand = fit.coef[unit] @ np.linalg.inv(fit.vcov[unit, unit]) @ fit.coef[unit]
    assert wald["statistic"][1] == pytest.approx(by_hand, rel=1e-10)
    without = fit_cox(data, "Surv(time, event) ~ x1")
    assert ratio["statistic"][1] == pytest.approx(2 * (fit.loglik - without.loglik), rel=1e-9)
    assert fit.wald("unit").statistic == pytest.approx(by_hand, rel=1e-10)
    assert fit.wald(["x1", "unit: b"]).df == 2
    assert fit.wald().statistic == fit.glance()["wald_statistic"][0]
    with pytest.raises(ArgumentError, match="Did you mean 'unit'"):
        fit.wald("unti")


@pytest.mark.parametrize("options", [{"cluster": "emp"}, {"weights": "w"}])
def test_no_ratio_without_a_likelihood(person, options):
    fit = fit_cox(person.assign(w=0.5), FORMULA, **options)
    with pytest.raises(ArgumentError, match="needs a likelihood"):
        profile_intervals(fit)
    with pytest.raises(ArgumentError, match="needs a likelihood"):
        fit.term_tests("lr")
    assert len(fit.term_tests()) == 3
