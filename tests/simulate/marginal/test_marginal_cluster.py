"""Cluster trials: the correlation by an ANOVA estimator, marginal effects, sizes, randomisation, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit

from rtwcohort.errors import ArgumentError
from rtwcohort.models import fit_cox, fit_ordinal
from rtwcohort.simulate.marginal import (
    BinaryOutcome,
    ContinuousOutcome,
    OrderedOutcome,
    Piecewise,
    TimeOutcome,
    draw_cluster_trial,
    randomise,
)
from rtwcohort.simulate.marginal.cluster_trial import binary_icc

BINARY = BinaryOutcome(control_risk=0.3, effect=1.4)


def anova_icc(values, cluster):
    """Donner's estimator: (MSB - MSW) / (MSB + (m0 - 1) MSW), one arm."""
    groups = [g.to_numpy(dtype=float) for _, g in pd.Series(np.asarray(values)).groupby(np.asarray(cluster))]
    sizes = np.array([len(g) for g in groups])
    n, k = sizes.sum(), len(groups)
    grand = np.concatenate(groups).mean()
    between = sum(len(g) * (g.mean() - grand) ** 2 for g in groups) / (k - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (n - k)
    m0 = (n - (sizes**2).sum() / n) / (k - 1)
    return (between - within) / (between + (m0 - 1) * within)


def by_arm(trial, column="outcome"):
    return [
        (part[column].to_numpy(), part["cluster"].to_numpy()) for _, part in trial.frame.groupby("arm", observed=True)
    ]


@pytest.mark.parametrize("icc", [0.0, 0.05, 0.3])
def test_beta_binomial_has_the_icc_in_both_arms(icc):
    k, m = 3000, 20
    trial = draw_cluster_trial(k, m, outcome=BINARY, icc=icc, seed=1)
    for (values, cluster), risk in zip(by_arm(trial), (0.3, 0.42), strict=True):
        spread = np.sqrt(risk * (1 - risk) / len(values) * (1 + (m - 1) * icc))
        assert abs(values.mean() - risk) < 3 * spread
        error = (1 - icc) * (1 + (m - 1) * icc) * np.sqrt(2 / (m * (m - 1) * k / 2)) + 0.3 * icc / np.sqrt(k / 2)
        assert abs(anova_icc(values, cluster) - icc) < 3.5 * error


def test_latent_icc_of_a_binary_outcome_is_what_the_truth_says():
    trial = draw_cluster_trial(3000, 20, outcome=BINARY, icc=0.2, icc_scale="latent", seed=2)
    truth = trial.truth.set_index(["term", "scale"])["value"]
    for (values, cluster), name, risk in zip(by_arm(trial), ("control", "treated"), (0.3, 0.42), strict=True):
        cut = stats.norm.ppf(risk)
        both = stats.multivariate_normal([0, 0], [[1, 0.2], [0.2, 1]]).cdf([cut, cut])
        exact = (both - risk**2) / (risk * (1 - risk))
        assert truth[f"icc[{name}]", "proportions"] == pytest.approx(exact, abs=1e-6)
        assert binary_icc(risk, 0.2) == pytest.approx(exact, abs=1e-6)
        assert anova_icc(values, cluster) == pytest.approx(exact, abs=0.012)
        assert abs(values.mean() - risk) < 3 * np.sqrt(risk * (1 - risk) / len(values) * trial.design_effect)
    assert truth["arm", "rr"] == pytest.approx(1.4)
    assert truth["icc", "latent"] == 0.2


def test_continuous():
    trial = draw_cluster_trial(
        2000, 15, outcome=ContinuousOutcome(difference=2.0, control_mean=10, sd=4), icc=0.1, seed=3, size_cv=0.6
    )
    (control, c0), (treated, c1) = by_arm(trial)
    assert anova_icc(control, c0) == pytest.approx(0.1, abs=0.02)
    assert anova_icc(treated, c1) == pytest.approx(0.1, abs=0.02)
    assert control.std() == pytest.approx(4, rel=0.03)
    error = 4 * np.sqrt(trial.design_effect * (1 / len(control) + 1 / len(treated)))
    assert abs(treated.mean() - control.mean() - 2.0) < 3 * error


def test_ordered_keeps_the_margin():
    trial = draw_cluster_trial(
        1500, 20, outcome=OrderedOutcome(control_shares=(0.5, 0.3, 0.2), log_or=0.5), icc=0.15, seed=4
    )
    fit = fit_ordinal(trial.frame, "outcome ~ arm", cluster="cluster").tidy()
    row = fit[fit["term"].str.contains("treated")].iloc[0]
    assert abs(row["estimate"] - 0.5) < 3 * row["std_error"]
    (control, _), (treated, cluster) = by_arm(trial)
    for values, expected in ((control, 0.5), (treated, expit(logit(0.5) - 0.5))):
        assert abs((values == 0).mean() - expected) < 3 * np.sqrt(0.25 * trial.design_effect / len(values))
    assert 0.05 < anova_icc(treated, cluster) < 0.15  # attenuated by grouping


def test_time_keeps_the_marginal_hazard_ratio():
    baseline = Piecewise(per_day=((0, 0.01), (90, 0.004)))
    trial = draw_cluster_trial(
        800, 20, outcome=TimeOutcome(baseline=baseline, log_hr=0.4, administrative=365), icc=0.1, seed=5
    )
    fit = fit_cox(trial.frame, "Surv(time, event) ~ arm", cluster="cluster").tidy()
    assert abs(fit["estimate"][0] - 0.4) < 3 * fit["std_error"][0]
    control = trial.frame[trial.frame["arm"] == "control"]
    expected = np.exp(-0.01 * 90)
    error = np.sqrt(expected * (1 - expected) * trial.design_effect / len(control))
    assert abs((control["time"] > 90).mean() - expected) < 3 * error
    assert set(control["time"] % 1) == {0.0}


def test_sizes_and_design_effect_by_hand():
    fixed = draw_cluster_trial(10, 25, outcome=BINARY, icc=0.04, seed=1)
    assert fixed.clusters["size"].tolist() == [25] * 10
    assert fixed.design_effect == pytest.approx(1 + 24 * 0.04)
    assert fixed.planned_design_effect == pytest.approx(1.96)
    assert fixed.effective_n == pytest.approx(250 / 1.96)
    varied = draw_cluster_trial(4000, 25, outcome=BINARY, icc=0.04, seed=1, size_cv=0.5)
    sizes = varied.clusters["size"].to_numpy()
    assert sizes.mean() == pytest.approx(25, rel=0.03)
    assert sizes.std() / sizes.mean() == pytest.approx(0.5, rel=0.05)
    assert varied.planned_design_effect == pytest.approx(1 + (1.25 * 25 - 1) * 0.04)
    assert varied.design_effect == pytest.approx(varied.planned_design_effect, rel=0.03)
    assert draw_cluster_trial(50, 1.2, outcome=BINARY, icc=0.1, seed=1, size_cv=2).clusters["size"].min() == 1


def test_randomisation():
    clusters = np.arange(40)
    arm, stratum = randomise(clusters, randomisation="simple", seed=1)
    assert arm.sum() == 20
    assert set(stratum) == {0}
    labels = np.repeat(["a", "b", "c"], [7, 13, 20])
    arm, stratum = randomise(clusters, randomisation="stratified", seed=1, strata=labels)
    for label, size in (("a", 7), ("b", 13), ("c", 20)):
        assert arm[labels == label].sum() in (size // 2, (size + 1) // 2)
    score = np.random.default_rng(1).normal(size=40)
    arm, pair = randomise(clusters, randomisation="matched", seed=1, score=score)
    for k in range(20):
        inside = np.flatnonzero(pair == k)
        assert sorted(arm[inside]) == [0, 1]
    order = np.argsort(score)
    assert (pair[order] == np.arange(40) // 2).all()
    drawn = np.array([randomise(clusters, randomisation="simple", seed=s)[0] for s in range(800)])
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 4 * np.sqrt(0.25 / 800)
    together = (drawn[:, 1:] == drawn[:, :-1]).mean(axis=0)  # neighbours share an arm with probability 19/39
    assert np.abs(together - 19 / 39).max() < 4 * np.sqrt(0.25 / 800)
    odd = [randomise(np.arange(5), randomisation="simple", seed=s)[0].sum() for s in range(200)]
    assert 60 < odd.count(2) < 140
    assert set(odd) == {2, 3}


def test_more_clusters_leave_the_first_alone():
    small = draw_cluster_trial(6, 5, outcome=ContinuousOutcome(difference=0.0), icc=0.2, seed=9, size_cv=0.4)
    large = draw_cluster_trial(20, 5, outcome=ContinuousOutcome(difference=0.0), icc=0.2, seed=9, size_cv=0.4)
    np.testing.assert_array_equal(large.frame["outcome"][: len(small.frame)], small.frame["outcome"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clusters": 1}, "`clusters`"),
        ({"size": 0}, "`size`"),
        ({"size": 4.5}, "whole number"),
        ({"icc": -0.1}, "`icc`"),
        ({"icc": 1.0}, "`icc`"),
        ({"size_cv": -1.0}, "`size_cv`"),
        ({"outcome": "binary"}, "must be a BinaryOutcome"),
        ({"outcome": BinaryOutcome(control_risk=0.6, effect=2.0)}, "no risk"),
        ({"outcome": ContinuousOutcome(difference=1.0), "icc_scale": "proportions"}, "takes 'latent'"),
        ({"outcome": ContinuousOutcome(difference=1.0, sd=0.0)}, "sd"),
        ({"outcome": OrderedOutcome(control_shares=(0.5, 0.4), log_or=1.0)}, "add up"),
        ({"randomisation": "stratified"}, "needs `strata`"),
        ({"clusters": 7, "randomisation": "matched"}, "even number"),
        ({"randomisation": "blocked"}, "randomisation"),
    ],
)
def test_refused(change, words):
    good = {"clusters": 8, "size": 5, "outcome": BINARY, "icc": 0.1, "seed": 1}
    draw_cluster_trial(**good)
    with pytest.raises(ArgumentError, match=words):
        draw_cluster_trial(**(good | change))
