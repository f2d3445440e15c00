"""Options that exclude each other, defaults of other programs, and what the fit says about them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.models import fit_cox
from rtwcohort.models.compat import COX_COMPAT

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(DATA / "workplaces_400.csv")
    return frame.assign(unit=np.array(["a", "b", "c"])[np.arange(len(frame)) % 3], whole=1 + np.arange(len(frame)) % 2)


FORMULA = "Surv(week, event) ~ x + unit"


@pytest.mark.parametrize("program", list(COX_COMPAT))
def test_defaults_of_programs(data, program):
    defaults = COX_COMPAT[program]
    fit = fit_cox(data, FORMULA, compat=program, cluster="workplace")
    by_hand = fit_cox(
        data, FORMULA, ties=defaults.ties, cluster="workplace",
        reference={"unit": "a" if defaults.reference == "first" else "c"},
    )  # fmt: skip
    assert fit.terms == by_hand.terms
    np.testing.assert_allclose(fit.coef, by_hand.coef, rtol=1e-12)
    np.testing.assert_allclose(fit.vcov, by_hand.vcov * (200 / 199 if defaults.small_sample else 1), rtol=1e-12)
    counted = fit.n_events if defaults.bic_counts == "events" else fit.n
    assert fit.glance()["bic"][0] == pytest.approx(3 * np.log(counted) - 2 * fit.loglik)
    assert defaults.program in fit.describe_choices()


def test_what_is_given_wins(data):
    fit = fit_cox(data, FORMULA, compat="spss", ties="efron", reference={"unit": "b"})
    assert fit.ties == "efron"
    assert fit.design.reference == {"unit": "b"}
    with pytest.raises(ArgumentError, match="`compat` must be one of 'r', 'stata', 'sas', 'spss'; got 'R'"):
        fit_cox(data, FORMULA, compat="R")


def test_stata_row_factor(data):
    ours, stata = (fit_cox(data, FORMULA, ties="efron", variance="robust", compat=c) for c in (None, "stata"))
    np.testing.assert_allclose(stata.vcov, ours.vcov * 400 / 399, rtol=1e-12)
    assert "n/(n - 1)" in stata.describe_choices()


def test_choices_in_words(data):
    words = fit_cox(
        data, "Surv(entry, week, event) ~ x", strata="unit", cluster="workplace", weights="w", offset="w"
    ).describe_choices()
    for part in (
        "Efron's approximation",
        "at risk after their entry",
        "each of 3 strata",
        "An offset",
        "Probability weights",
        "over 200 clusters",
        "without a small-sample factor",
        "not all whole numbers",
    ):
        assert part in words
    plain = fit_cox(data, FORMULA).describe_choices()
    assert plain == "Tied event times: Efron's approximation. Variance: inverse of the observed information."


def test_kind_of_weights(data):
    assert fit_cox(data, FORMULA, weights="whole").choices.weight_type == "frequency"
    assert fit_cox(data, FORMULA, weights="w").choices.variance == "robust"
    assert fit_cox(data, FORMULA, weights="w", weight_type="frequency").choices.variance == "model"
    assert fit_cox(data, FORMULA, weights="w", variance="model").choices.variance == "model"
    with pytest.raises(ArgumentError, match="needs whole numbers"):
        fit_cox(data, FORMULA, weights="w", weight_type="copies")
    with pytest.raises(ArgumentError, match="none were given"):
        fit_cox(data, FORMULA, weight_type="frequency")
    with pytest.raises(ArgumentError, match="`weight_type` must be one of"):
        fit_cox(data, FORMULA, weights="w", weight_type="analytic")


def test_options_that_exclude_each_other(data):
    with pytest.raises(ArgumentError, match="`cluster` asks for the cluster variance"):
        fit_cox(data, FORMULA, cluster="workplace", variance="model")
    with pytest.raises(ArgumentError, match="`variance` must be one of 'model', 'robust'; got 'hc3'"):
        fit_cox(data, FORMULA, variance="hc3")
    with pytest.raises(ArgumentError, match="`penalty` must be one of 'none', 'firth'"):
        fit_cox(data, FORMULA, penalty="ridge")


def test_missing_extras_are_counted(data):
    holes = data.assign(workplace=data["workplace"].where(data.index > 2), w=data["w"].where(data.index != 7))
    fit = fit_cox(holes, FORMULA, cluster="workplace", weights="w", missing="drop")
    assert fit.n == 396
    assert fit.n_missing == {"workplace": 3, "w": 1}
    assert fit.n_dropped == 4
