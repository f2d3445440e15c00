"""Difference-in-differences of a hazard: a naive score, the formula with an interaction, and what it refuses."""

import math

import numpy as np
import pandas as pd
import pytest

from rtwcohort.compare import cox_difference_in_differences
from rtwcohort.errors import ArgumentError
from rtwcohort.models.cox import fit_cox


def people(n=160, seed=3):
    rng = np.random.default_rng(seed)
    g, t, x = rng.integers(0, 2, n), rng.integers(0, 2, n), rng.normal(size=n)
    days = np.ceil(rng.exponential(8 / np.exp(0.5 * g - 0.7 * g * t + 0.3 * x)))
    return pd.DataFrame(
        {
            "time": np.minimum(days, 14),
            "event": days <= 14,
            "arm": np.where(g == 1, "high", "low"),
            "when": np.where(t == 1, "after", "before"),
            "x y": x,
        }
    )


def fit(frame, **options):
    arguments = {
        "time": "time",
        "event": "event",
        "group": "arm",
        "period": "when",
        "exposed": "high",
        "after": "after",
    }
    return cox_difference_in_differences(frame, **(arguments | options))


def test_breslow_score_is_zero_by_a_naive_loop():
    frame = people()
    result = fit(frame, ties="breslow")
    g = (frame["arm"] == "high").to_numpy(float)
    t = (frame["when"] == "after").to_numpy(float)
    z = np.column_stack([g, t, g * t])
    beta = result.table["estimate"].to_numpy()
    time, event = frame["time"].to_numpy(), frame["event"].to_numpy()
    score, information = np.zeros(3), np.zeros((3, 3))
    for i in np.flatnonzero(event):
        at_risk = time >= time[i]
        weight = np.exp(z[at_risk] @ beta)
        mean = weight @ z[at_risk] / weight.sum()
        score += z[i] - mean
        information += (z[at_risk].T * weight) @ z[at_risk] / weight.sum() - np.outer(mean, mean)
    assert score == pytest.approx(np.zeros(3), abs=1e-7)
    assert result.effect.std_error == pytest.approx(math.sqrt(np.linalg.inv(information)[2, 2]), rel=1e-7)
    assert result.effect.estimate == pytest.approx(math.exp(beta[2]))
    assert result.effect.conf_low == pytest.approx(math.exp(beta[2] - 1.959963984540054 * result.effect.std_error))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_same_as_the_formula_with_an_interaction(ties):
    frame = people()
    mine = fit(frame, covariates=["x y"], ties=ties, level=0.9)
    ordered = frame.assign(
        arm=pd.Categorical(frame["arm"], ["low", "high"]), when=pd.Categorical(frame["when"], ["before", "after"])
    )
    theirs = fit_cox(ordered, "Surv(time, event) ~ arm * when + `x y`", ties=ties).tidy(level=0.9)
    assert sorted(mine.table["estimate"]) == pytest.approx(sorted(theirs["estimate"]), abs=1e-9)
    assert sorted(mine.table["conf_low"]) == pytest.approx(sorted(theirs["conf_low"]), abs=1e-9)
    assert mine.term == "arm: high x when: after"
    assert mine.tidy()["term"].tolist() == ["arm: high", "when: after", mine.term, "x y"]
    assert mine.cells["n"].sum() == len(frame)
    assert mine.cells["events"].sum() == frame["event"].sum()
    assert ties.capitalize() in mine.effect.method


def test_missing_is_counted():
    frame = people().astype({"event": object})
    frame.loc[3, "event"] = None
    frame.loc[5, "arm"] = None
    with pytest.raises(ArgumentError, match="missing='drop'"):
        fit(frame)
    result = fit(frame, missing="drop")
    assert result.n_dropped == 2
    assert result.n_missing == {"time": 0, "event": 1, "arm": 1, "when": 0}


def test_bad_input():
    frame = people()
    with pytest.raises(ArgumentError, match="must be True/False or 0/1"):
        fit(frame.assign(event=2))
    with pytest.raises(ArgumentError, match="No event where 'arm' = high and 'when' = after"):
        fit(frame.assign(event=frame["event"] & ~((frame["arm"] == "high") & (frame["when"] == "after"))))
    with pytest.raises(ArgumentError, match="those names are used inside"):
        fit(frame.assign(did_group=1.0), covariates=["did_group"])
    with pytest.raises(ArgumentError, match="`ties` must be one of"):
        fit(frame, ties="discrete")
