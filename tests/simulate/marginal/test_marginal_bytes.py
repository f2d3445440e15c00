"""The same bytes everywhere: digests of what 3,000 people draw. They change when a draw does, and then on purpose."""

import hashlib

import numpy as np
import pytest

from rtwcohort.simulate.marginal import (
    Association,
    BinaryOutcome,
    Censoring,
    ContinuousOutcome,
    Gompertz,
    SharedFrailty,
    TimeOutcome,
    Weibull,
    draw_binary,
    draw_cluster_trial,
    draw_counts,
    draw_ordered_repeated,
    draw_time_to_return,
)

N = 3000
PERSONS = np.arange(N)
X = (PERSONS % 7) * 0.125


def ordered():
    return draw_ordered_repeated(
        PERSONS, np.column_stack([X, -X, 2 * X]), [-0.5, 0.75], seed=7, link="cloglog",
        association=Association(scale="global_or", value=5.0),
    )  # fmt: skip


def times():
    return draw_time_to_return(
        PERSONS, X, baseline=Gompertz(rate=0.01, growth=0.001), seed=7, frailty=SharedFrailty(variance=0.5),
        censoring=Censoring(administrative=1000, share=0.1), whole_days=False,
    ).time  # fmt: skip


def binary():
    return draw_binary(
        PERSONS, PERSONS % 2, effect=1.25, measure="rr", baseline=0.3, baseline_of="overall", linear_predictor=X, seed=7
    ).risk


def trial_risk():
    outcome = BinaryOutcome(control_risk=0.25, effect=1.5)
    return draw_cluster_trial(150, 20, outcome=outcome, icc=0.05, seed=7, size_cv=0.5).frame["outcome"].to_numpy()


def trial_mean():
    return draw_cluster_trial(150, 20, outcome=ContinuousOutcome(difference=1.0), icc=0.05, seed=7).frame["outcome"]


def trial_time():
    outcome = TimeOutcome(baseline=Weibull(shape=0.75, scale=90), log_hr=0.25, administrative=365, whole_days=False)
    return draw_cluster_trial(150, 20, outcome=outcome, icc=0.05, seed=7).frame["time"]


def counts():
    return draw_counts(PERSONS, X, mean=20, dispersion=0.75, extra_zeros=0.25, seed=7).count


STORED = {
    "ordered": "6d2e9ec4f56cbc4d",
    "times": "cecf8c55ba9151b2",
    "binary": "ae3165a4e0fd3c50",
    "trial_risk": "d2e1daf09f927b9e",
    "trial_mean": "1b697579e2ac1872",
    "trial_time": "1905855cf593d5a9",
    "counts": "b9bb3314be91f3fa",
}


@pytest.mark.parametrize("draw", [ordered, times, binary, trial_risk, trial_mean, trial_time, counts])
def test_same_bytes(draw):
    values = np.ascontiguousarray(draw())
    little = values.astype(values.dtype.newbyteorder("<")).tobytes()
    assert hashlib.sha256(little).hexdigest()[:16] == STORED[draw.__name__]
