"""Difference-in-differences of means: by hand, by normal equations written out, and what it refuses."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rtwcohort.compare import difference_in_differences
from rtwcohort.errors import ArgumentError, DesignError

HAND = pd.DataFrame(
    {
        "y": [1.0, 2, 2, 3, 4, 5, 8, 9],
        "g": ["low", "low", "low", "low", "high", "high", "high", "high"],
        "t": ["before", "before", "after", "after", "before", "before", "after", "after"],
        "x": [1.0, 0, 3, 1, 2, 2, 5, 1],
        "site": ["a", "b", "c", "a", "b", "c", "a", "a"],
    }
)


def fit(frame=HAND, **options):
    arguments = {"outcome": "y", "group": "g", "period": "t", "exposed": "high", "after": "after"}
    return difference_in_differences(frame, **(arguments | options))


def test_worked_by_hand():
    # Cell means 1.5, 2.5, 4.5, 8.5: the difference-in-differences is 4 - 1 = 3. Each cell has a sum of squares of 0.5,
    # so s2 = 2 / 4 and var = s2 (1/2 + 1/2 + 1/2 + 1/2) = 1.
    result = fit()
    assert result.effect.estimate == pytest.approx(3.0)
    assert result.effect.std_error == pytest.approx(1.0)
    assert result.df == 4
    assert result.effect.p_value == pytest.approx(2 * stats.t.sf(3.0, 4))
    assert result.effect.conf_low == pytest.approx(3.0 - stats.t.ppf(0.975, 4))
    assert result.cells["mean"].tolist() == [1.5, 2.5, 4.5, 8.5]
    assert result.cells["n"].tolist() == [2, 2, 2, 2]
    assert result.cells["group"].tolist() == ["low", "low", "high", "high"]
    assert result.cells["sd"].tolist() == pytest.approx([math.sqrt(0.5)] * 4)
    assert result.term == "g: high x t: after"
    assert result.tidy()["term"].tolist() == ["intercept", "g: high", "t: after", "g: high x t: after"]
    assert "classical" in result.effect.method


def test_references_set_the_sign():
    turned = fit(after="before")
    assert turned.effect.estimate == pytest.approx(-3.0)
    assert fit(exposed="low", after="before").effect.estimate == pytest.approx(3.0)
    ordered = HAND.assign(
        g=pd.Categorical(HAND["g"], ["low", "high"], ordered=True),
        t=pd.Categorical(HAND["t"], ["before", "after"], ordered=True),
    )
    assert fit(ordered, exposed=None, after=None).effect.estimate == pytest.approx(3.0)


def test_covariates_and_robust_by_normal_equations():
    rng = np.random.default_rng(4)
    n = 120
    frame = pd.DataFrame(
        {
            "g": rng.integers(0, 2, n),
            "t": rng.integers(0, 2, n),
            "x": rng.normal(size=n),
            "site": rng.choice(["a", "b", "c"], n),
        }
    )
    frame["y"] = 1 + frame["g"] * frame["t"] + frame["x"] + rng.normal(size=n) * (1 + frame["g"])
    g, t = frame["g"].to_numpy(float), frame["t"].to_numpy(float)
    columns = [np.ones(n), g, t, g * t, frame["x"], frame["site"] == "b", frame["site"] == "c"]
    design = np.column_stack([np.asarray(c, dtype=float) for c in columns])
    y = frame["y"].to_numpy()
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    e = y - design @ beta
    classical = math.sqrt(e @ e / (n - 7) * inverse[3, 3])
    meat = sum(np.outer(row, row) * r**2 for row, r in zip(design, e, strict=True))
    hc1 = math.sqrt((inverse @ meat @ inverse)[3, 3] * n / (n - 7))
    options = {"outcome": "y", "group": "g", "period": "t", "covariates": ["x", "site"]}
    plain = difference_in_differences(frame, **options)
    robust = difference_in_differences(frame, **options, robust="HC1")
    assert plain.table["estimate"].to_numpy() == pytest.approx(beta)
    assert plain.effect.std_error == pytest.approx(classical)
    assert robust.effect.std_error == pytest.approx(hc1)
    assert robust.effect.conf_high == pytest.approx(beta[3] + stats.t.ppf(0.975, n - 7) * hc1)
    assert plain.tidy()["term"].tolist()[4:] == ["x", "site: b", "site: c"]
    assert "HC1" in robust.effect.method
    assert plain.glance()["n"].item() == n


def test_log_is_the_difference_of_log_means():
    result = fit(log=True)
    y = np.log(HAND["y"].to_numpy()).reshape(4, 2).mean(axis=1)
    assert result.effect.estimate == pytest.approx((y[3] - y[2]) - (y[1] - y[0]))
    assert result.outcome == "log(y)"
    rescaled = fit(HAND.assign(y=HAND["y"] * 4), log=True)
    assert rescaled.effect.estimate == pytest.approx(result.effect.estimate)
    assert rescaled.effect.std_error == pytest.approx(result.effect.std_error)


def test_missing_is_refused_or_counted():
    frame = HAND.assign(y=[1.0, 2, 2, 3, 4, 5, 8, np.nan], x=[None, *HAND["x"][1:]])
    with pytest.raises(ArgumentError, match=r"missing values \('y' 1\)"):
        fit(frame)
    result = fit(frame, missing="drop", covariates=["x"])
    assert result.n_missing == {"y": 1, "g": 0, "t": 0, "x": 1}
    assert result.n_dropped == 2
    assert result.cells["n"].sum() == 6


def test_the_frame_is_not_changed():
    frame = HAND.copy()
    fit(frame, covariates=["x", "site"][:1])
    pd.testing.assert_frame_equal(frame, HAND)


def test_polars_frame():
    polars = pytest.importorskip("polars")
    assert fit(polars.from_dict(HAND.to_dict(orient="list"))).effect.estimate == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"after": None}, "`after` must say which level of 't' is compared with the other"),
        ({"exposed": "hi"}, "`exposed` must be a level of 'g'"),
        ({"frame": HAND.astype({"t": "category"}), "after": None}, "`after` must say which level"),
        ({"outcome": "z"}, "`frame` has no column 'z'"),
        ({"group": "site", "exposed": "a"}, "exactly two levels; got 3"),
        ({"outcome": "site"}, "must be numbers; got text"),
        ({"outcome": "x", "log": True}, "1 rows are not"),
        ({"covariates": "x"}, "must be a list of column names"),
        ({"covariates": ["y"]}, "stands twice"),
        ({"robust": "HC9"}, "`robust` must be one of"),
        ({"level": 95}, "`level` must lie strictly between"),
        ({"missing": "ignore"}, "`missing` must be one of"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ArgumentError, match=message):
        fit(**options)


def test_empty_cell():
    with pytest.raises(ArgumentError, match="No row has 'g' = high and 't' = after"):
        fit(HAND.iloc[:6])


def test_dependent_columns_are_named():
    double = pd.concat([HAND, HAND], ignore_index=True)
    with pytest.raises(DesignError, match="'w' is a linear combination"):
        fit(double.assign(w=2 * double["x"] - 1), covariates=["x", "w"])
    with pytest.raises(DesignError, match="'w' has one value"):
        fit(double.assign(w=0.0), covariates=["w"])
    with pytest.raises(DesignError, match="no degree of freedom"):
        fit(HAND.iloc[[0, 2, 4, 6]])
    with pytest.raises(DesignError, match="does not vary within the cells"):
        fit(double.assign(y=[1.0, 1, 2, 2, 3, 3, 7, 7] * 2))
