"""Marginal probabilities by arm and wave: averages by hand, delta method by finite differences, refusals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import t

from rtwcohort.errors import ArgumentError
from rtwcohort.models import adjusted_predictions, fit_ordinal_gee, fit_ordinal_gee_arrays, marginal_probabilities

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "gee_1000.csv")
    return data.assign(arm=np.where(data["b1"] == 1, "visit", "ordinary"))


@pytest.fixture(scope="module")
def fit(people):
    return fit_ordinal_gee(people, "y ~ arm * C(wave) + x1", id="id", wave="wave")


def mean_by_hand(at, x1, visit, wave):
    """Return P(Y = j) averaged over x1 for one arm and wave; parameters in the order of the fit."""
    a1, a2, arm, w1, w2, b, arm1, arm2 = at
    eta = arm * visit + w1 * (wave == 1) + w2 * (wave == 2) + b * x1
    eta = eta + visit * (arm1 * (wave == 1) + arm2 * (wave == 2))
    low, high = expit(a1 - eta), expit(a2 - eta)
    return np.array([low.mean(), (high - low).mean(), (1 - high).mean()])


def by_name(fit):
    """Return the place of each parameter in the order of `mean_by_hand`."""
    terms = [
        "1 | 2",
        "2 | 3",
        "arm: visit",
        "wave: 1",
        "wave: 2",
        "x1",
        "arm: visit x wave: 1",
        "arm: visit x wave: 2",
    ]
    return [fit.parameters.index(term) for term in terms]


def test_means_and_errors_by_arm_and_wave(people, fit):
    places = by_name(fit)
    at, V = fit.estimates[places], fit.vcov[np.ix_(places, places)]
    x1 = people["x1"].to_numpy()
    margins = marginal_probabilities(fit, people, ["arm", "wave"])
    table = margins.table()
    assert len(table) == 18
    for (arm, wave), group in table.groupby(["arm", "wave"]):
        visit = arm == "visit"
        expected = mean_by_hand(at, x1, visit, wave)
        np.testing.assert_allclose(group["estimate"], expected, rtol=1e-9)
        step = 1e-5
        columns = []
        for e in step * np.eye(8):
            columns.append(mean_by_hand(at + e, x1, visit, wave) - mean_by_hand(at - e, x1, visit, wave))
        J = np.column_stack(columns) / (2 * step)
        np.testing.assert_allclose(group["std_error"], np.sqrt(np.diag(J @ V @ J.T)), rtol=1e-6)
        assert group["estimate"].sum() == pytest.approx(1.0)
    assert ((table["conf_low"] < table["estimate"]) & (table["estimate"] < table["conf_high"])).all()


def test_one_row_a_person_gives_the_same(people, fit):
    whole = marginal_probabilities(fit, people, ["arm", "wave"])
    once = marginal_probabilities(fit, people[people["wave"] == 0], ["arm", "wave"])
    np.testing.assert_allclose(once.estimate, whole.estimate, rtol=1e-12)


def test_kinds_agree(people, fit):
    category = marginal_probabilities(fit, people, "arm").estimate
    at_least = marginal_probabilities(fit, people, "arm", kind="at_least")
    at_most = marginal_probabilities(fit, people, "arm", kind="at_most")
    mean = marginal_probabilities(fit, people, "arm", kind="mean")
    np.testing.assert_allclose(at_least.estimate[:, 1], category[:, 2], rtol=1e-10)
    np.testing.assert_allclose(at_most.estimate[:, 1], category[:, :2].sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(mean.estimate[:, 0], category @ [1, 2, 3], rtol=1e-10)
    assert at_least.labels == (">= 2", ">= 3")
    other = marginal_probabilities(fit, people, "arm", kind="mean", scores=[0, 50, 100])
    np.testing.assert_allclose(other.estimate[:, 0], category @ [0, 50, 100], rtol=1e-10)
    assert other.table()["conf_high"].max() < 100


def test_differences_between_arms_at_each_wave(people, fit):
    margins = marginal_probabilities(fit, people, ["arm", "wave"], kind="at_least")
    table = margins.differences("arm")
    assert table["arm"].unique().tolist() == ["visit - ordinary"]
    assert len(table) == 6
    L = np.zeros(12)
    L[6], L[0] = 1, -1
    assert table["estimate"][0] == pytest.approx(L @ margins.estimate.ravel())
    assert table["std_error"][0] == pytest.approx(np.sqrt(L @ margins.vcov @ L))
    over_time = margins.differences("wave")
    assert over_time["wave"].unique().tolist() == ["1 - 0", "2 - 0"]


def test_weights_of_the_mean(people, fit):
    weight = 1.0 + people["b2"].to_numpy()
    weighted = marginal_probabilities(fit, people, "arm", weights=weight)
    twice = pd.concat([people, people[people["b2"] == 1]])
    np.testing.assert_allclose(weighted.estimate, marginal_probabilities(fit, twice, "arm").estimate, rtol=1e-10)


def test_t_intervals_with_few_clusters(people):
    few = people[people["id"] <= 30]
    fit = fit_ordinal_gee(few, "y ~ arm + C(wave)", id="id", wave="wave", correction="kauermann_carroll")
    table = marginal_probabilities(fit, few, "arm").table()
    p, se = table["estimate"], table["std_error"]
    reach = t.ppf(0.975, 25) * se / (p * (1 - p))
    np.testing.assert_allclose(table["conf_high"], expit(np.log(p / (1 - p)) + reach), rtol=1e-9)


def test_refusals(people, fit):
    with pytest.raises(ArgumentError, match=r"'arms'.*Did you mean 'arm'"):
        marginal_probabilities(fit, people, "arms")
    with pytest.raises(ArgumentError, match=r"takes \d+ values"):
        marginal_probabilities(fit, people, "x1")
    with pytest.raises(ArgumentError, match="`scores` must give one number"):
        marginal_probabilities(fit, people, "arm", kind="mean", scores=[1, 2])
    with pytest.raises(ArgumentError, match="without one"):
        marginal_probabilities(fit, people, "arm", offset=np.zeros(len(people)))
    with pytest.raises(ArgumentError, match="`column` must be one of arm"):
        marginal_probabilities(fit, people, "arm").differences("wave")
    arrays = fit_ordinal_gee_arrays(people[["x1"]].to_numpy(), people["y"], id=people["id"])
    with pytest.raises(ArgumentError, match="fit to arrays"):
        marginal_probabilities(arrays, people, "arm")


def test_other_route_to_the_same_predictions(people, fit):
    """`adjusted_predictions` writes the fit out at every threshold; one column at a time."""
    ours = marginal_probabilities(fit, people, "arm")
    other = adjusted_predictions(fit, people, "arm")
    np.testing.assert_allclose(other.estimate, ours.estimate, rtol=1e-9)
    np.testing.assert_allclose(other.vcov, ours.vcov, rtol=1e-7, atol=1e-12)
