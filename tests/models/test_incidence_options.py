"""Cumulative incidence with weights, delayed entry and clusters: by hand, by weight derivatives and against R."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import DesignError
from rtwcohort.models import cumulative_incidence, kaplan_meier

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "curves_options.json").read_text())["own"]["aj"]
TIMES = [7, 30, 90, 180, 270, 364]


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    data["entry"] = (data["id"] * 37) % 60
    data["w"] = 0.5 + (data["id"] % 4) / 2 + 0.25 * (data["id"] % 3)
    data["fw"] = 1 + data["id"] % 3
    return data


@pytest.mark.parametrize("cause", [1, 2])
@pytest.mark.parametrize("case", ["weights", "entry"])
def test_equals_r(case, cause, people):
    reference = R[case]
    rows = people[people["time"] > people["entry"]] if case == "entry" else people
    options = {"entry": rows["entry"]} if case == "entry" else {"weights": rows["w"]}
    curves = cumulative_incidence(rows["time"], rows["cause"], event=cause, group=rows["b1"], **options)
    ours = curves.incidence_at(TIMES)
    names = {"incidence": "incidence", "std_error": "std_error", "conf_low": "lower", "conf_high": "upper"}
    for mine, theirs in names.items():
        expected = np.array(reference[theirs], dtype=float)[:, cause - 1]
        np.testing.assert_allclose(ours[mine], np.where(expected == 0, ours[mine], expected), rtol=1e-10)


def weighted_incidence(weight, entry, time, cause, at):
    survival, incidence = 1.0, 0.0
    for t in np.unique(time[(cause > 0) & (time <= at)]):
        risk = weight[(entry < t) & (time >= t)].sum()
        incidence += survival * weight[(time == t) & (cause == 1)].sum() / risk
        survival *= 1 - weight[(time == t) & (cause > 0)].sum() / risk
    return incidence


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("delayed", [False, True])
def test_standard_error_by_weight_derivatives(delayed, clustered):
    # R 4.2's survfit passes over `cluster` here; the derivative does not.
    rng = np.random.default_rng(13)
    n = 60
    entry = rng.integers(0, 6, n) if delayed else np.full(n, -1)
    time, cause = np.maximum(entry, 0) + rng.integers(1, 12, n), rng.integers(0, 3, n)
    time[:2], entry[:2] = 14, -1 + delayed
    weight, cluster = rng.integers(2, 12, n) / 4, rng.integers(0, 8, n)
    ours = cumulative_incidence(
        time,
        cause,
        event=1,
        entry=entry if delayed else None,
        weights=weight,
        weight_type="probability",
        cluster=cluster if clustered else None,
    )
    for at in (3, 7, 11):
        up, down = weight * (1 + 1e-5 * np.eye(n)), weight * (1 - 1e-5 * np.eye(n))
        slopes = np.array(
            [
                weighted_incidence(up[i], entry, time, cause, at) - weighted_incidence(down[i], entry, time, cause, at)
                for i in range(n)
            ]
        )
        summed = np.bincount(cluster, weights=slopes) if clustered else slopes
        expected = np.sqrt(np.sum((summed / 2e-5) ** 2))
        row = ours.incidence_at([at]).iloc[0]
        assert row["incidence"] == pytest.approx(weighted_incidence(weight, entry, time, cause, at), rel=1e-12)
        assert row["std_error"] == pytest.approx(expected, rel=1e-7)


def test_by_hand_with_entry():
    # (0, 2] return, (0, 4] death, (1, 4] return, (2, 5] return, (3, 6] censored, (0, 3] censored
    #   day 2: at risk the first two, the third and the last: 4.          F = 1/4, S = 3/4
    #   day 4: at risk 2nd, 3rd, 4th, 5th: 4, one return and one death.   F = 1/4 + 3/4 x 1/4 = 7/16, S = 3/8
    #   day 5: at risk the 4th and 5th.                                   F = 7/16 + 3/8 x 1/2 = 5/8
    entry, time = [0, 0, 1, 2, 3, 0], [2, 4, 4, 5, 6, 3]
    cause = ["return", "death", "return", "return", "censored", "censored"]
    curves = cumulative_incidence(time, cause, event="return", entry=entry)
    np.testing.assert_allclose(curves.incidence_at([1, 2, 4, 5])["incidence"], [0, 1 / 4, 7 / 16, 5 / 8], rtol=1e-14)
    assert curves.frame.set_index("time").loc[[2, 4, 5], "at_risk"].tolist() == [4, 4, 2]
    assert "robust" in curves.describe_choices()


def test_model_based_and_robust_variance_agree_without_entry(people):
    model, robust = (
        cumulative_incidence(people["time"], people["cause"], event=1, variance=kind).frame
        for kind in ("greenwood", "robust")
    )
    pd.testing.assert_frame_equal(model, robust, rtol=1e-9)


@pytest.mark.parametrize("delayed", [False, True])
def test_weight_two_is_two_rows(delayed, people):
    repeated = people.loc[people.index.repeat(people["fw"])]
    frames = [
        cumulative_incidence(
            rows["time"] + 60,
            rows["cause"],
            event=2,
            entry=rows["entry"] if delayed else None,
            variance="greenwood",
            **options,
        ).frame
        for rows, options in ((people, {"weights": people["fw"]}), (repeated, {}))
    ]
    pd.testing.assert_frame_equal(*frames)


def test_split_spells_with_the_person_as_cluster(people):
    early = people.assign(entry=0, time=people["time"].clip(upper=50), cause=people["cause"] * (people["time"] <= 50))
    split = pd.concat([early, people[people["time"] > 50].assign(entry=50)])
    whole = cumulative_incidence(people["time"], people["cause"], event=1).incidence_at(TIMES)
    parts = cumulative_incidence(
        split["time"], split["cause"], event=1, entry=split["entry"], cluster=split["id"]
    ).incidence_at(TIMES)
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-9)


@pytest.mark.parametrize("scale", ["log", "log-log", "plain", "logit", "arcsin"])
def test_scales_of_the_interval_as_of_a_curve(scale, people):
    # With one cause F is 1 - S: the interval of F on a symmetric scale mirrors that of S.
    incidence = cumulative_incidence(people["time"], people["event"], event=1, conf_type=scale).incidence_at([90])
    survival = kaplan_meier(people["time"], people["event"], conf_type=scale).survival_at([90])
    assert incidence["std_error"][0] == pytest.approx(survival["std_error"][0], rel=1e-11)
    if scale in ("plain", "logit", "arcsin"):
        assert incidence["conf_low"][0] == pytest.approx(1 - survival["conf_high"][0], rel=1e-10)
    assert incidence["conf_low"][0] < incidence["incidence"][0] < incidence["conf_high"][0]


def test_bad_input():
    with pytest.raises(DesignError, match="`entry` is not before `time` in 2 rows"):
        cumulative_incidence([1, 2], [1, 0], event=1, entry=[1, 3])
