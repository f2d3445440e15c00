"""Average marginal effects and adjusted predictions: against R, by counting, numeric derivatives, a bootstrap."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rtwcohort.errors import ArgumentError
from rtwcohort.models.ordinal import fit_ordinal, fit_ordinal_arrays
from rtwcohort.models.ordinal_gee import fit_ordinal_gee
from rtwcohort.models.ordinal_gee_margins import marginal_probabilities
from rtwcohort.models.ordinal_margins import adjusted_predictions, marginal_effects
from rtwcohort.models.ordinal_predict import predict_ordinal

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "ordinal_checks.json").read_text())


@pytest.fixture(scope="module")
def person():
    frame = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    return frame.assign(w=1.0 + np.arange(1, 1001) % 3, arm=np.where(frame["b1"] == 1, "visit", "usual"))


def sample(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.choice(["p", "q", "r"], size=n), "c": rng.uniform(1, 9, n)})
    latent = 0.8 * frame["a"] - 0.6 * (frame["b"] == "q") + 0.1 * frame["c"] + rng.logistic(size=n)
    return frame.assign(
        y=np.digitize(latent, [-0.8, 0.6, 1.6]), person=np.arange(n) // 2, w=rng.integers(1, 4, n) * 1.0
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_equals_r(person, link, weighted):
    weights = "w" if weighted else None
    fit = fit_ordinal(person, "y_m0 ~ x1 * arm + x2 + I(x2**2)", link=link, weights=weights)
    reference = R["margins"][link + "_weighted" * weighted]
    table = marginal_effects(fit, person, weights=weights).tidy()
    for column, name in [("x1", "x1"), ("x2", "x2"), ("arm", "b1")]:
        found = table[table["term"] == column]
        assert found["estimate"].to_numpy() == pytest.approx(np.array(reference[name]["estimate"]), rel=1e-7, abs=1e-10)
        assert found["std_error"].to_numpy() == pytest.approx(np.array(reference[name]["std_error"]), rel=1e-6)
    levels = adjusted_predictions(fit, person, "arm", weights=weights).tidy()
    for level, name in [("usual", "at0"), ("visit", "at1")]:
        found = levels[levels["level"] == level]
        assert found["estimate"].to_numpy() == pytest.approx(np.array(reference[name]["estimate"]), rel=1e-7)
        assert found["std_error"].to_numpy() == pytest.approx(np.array(reference[name]["std_error"]), rel=1e-6)
    mean = adjusted_predictions(fit, person, "arm", kind="mean", weights=weights).tidy().iloc[1]
    assert mean["estimate"] == pytest.approx(reference["mean1"]["estimate"], rel=1e-7)
    assert mean["std_error"] == pytest.approx(reference["mean1"]["std_error"], rel=1e-6)


def test_by_hand():
    # Two arms of four, y of three categories, no other predictor: 2, 1, 1 against 1, 1, 2. By symmetry the thresholds
    # at x = 1/2 are -c and c and the effect is b, so P(lowest) is F(-c + b/2) and F(-c - b/2).
    frame = pd.DataFrame({"arm": ["u"] * 4 + ["v"] * 4, "y": [0, 0, 1, 2, 0, 1, 2, 2]})
    fit = fit_ordinal(frame, "y ~ arm")
    b, c = fit.coef[0], -(fit.thresholds[0] - fit.coef[0] / 2)
    F = stats.logistic.cdf
    table = marginal_effects(fit, frame).tidy()
    assert table["estimate"].to_numpy() == pytest.approx(
        [F(-c - b / 2) - F(-c + b / 2), 0, F(-c + b / 2) - F(-c - b / 2)], abs=1e-9
    )
    assert table["contrast"].tolist() == ["v - u"] * 3
    assert table["category"].tolist() == ["0", "1", "2"]


@pytest.mark.parametrize("kind", ["category", "mean"])
def test_equals_brute_force(kind):
    """Predictions at x + h and x - h, averaged; the covariance by shaking each parameter."""
    frame = sample(300, 4)
    fit = fit_ordinal(frame, "y ~ a * b + bs(c, df=4)", cluster="person", nominal=["b"])
    effects = marginal_effects(fit, frame, kind=kind)

    def average(theta, change):
        moved = replace(fit, estimates=theta)
        table = predict_ordinal(moved, frame.assign(**change), kind=kind)
        return table.groupby("category", observed=True)["estimate"].mean().to_numpy()

    def everything(theta):
        h = 1e-4
        inside = frame["c"].clip(frame["c"].min() + h, frame["c"].max() - h)
        return np.concatenate(
            [
                (average(theta, {"a": frame["a"] + h}) - average(theta, {"a": frame["a"] - h})) / (2 * h),
                average(theta, {"b": "q"}) - average(theta, {"b": "p"}),
                average(theta, {"b": "r"}) - average(theta, {"b": "p"}),
                (average(theta, {"c": inside + h}) - average(theta, {"c": inside - h})) / (2 * h),
            ]
        )

    assert effects.estimate == pytest.approx(everything(fit.estimates), rel=1e-4, abs=1e-6)
    steps = np.eye(fit.estimates.size) * 1e-5
    J = np.array([(everything(fit.estimates + h) - everything(fit.estimates - h)) / 2e-5 for h in steps]).T
    assert np.sqrt(effects.vcov.diagonal()) == pytest.approx(np.sqrt(np.diag(J @ fit.vcov @ J.T)), rel=1e-4)
    if kind == "category":
        sums = effects.tidy().groupby(["term", "contrast"])["estimate"].sum()
        assert sums.to_numpy() == pytest.approx(0, abs=1e-9)


def test_equals_a_parametric_bootstrap():
    """Errors against refits on outcomes drawn from the model."""
    frame = sample(1500, 8)
    fit = fit_ordinal(frame, "y ~ a + b")
    effects = marginal_effects(fit, frame)
    rng = np.random.default_rng(5)
    edges = np.cumsum(fit.fitted(), axis=1)[:, :-1]
    draws = []
    for _ in range(100):
        drawn = (rng.random(1500)[:, None] > edges).sum(axis=1)
        again = replace(fit_ordinal_arrays(fit.data.matrix, drawn), design=fit.design)
        draws.append(marginal_effects(again, frame).estimate)
    assert np.std(draws, axis=0) == pytest.approx(np.sqrt(effects.vcov.diagonal()), rel=0.25)
    assert np.mean(draws, axis=0) == pytest.approx(effects.estimate, abs=0.01)


def test_weights_are_respected():
    frame = sample(150, 3)
    fit = fit_ordinal(frame, "y ~ a + b", weights="w")
    repeated = frame.loc[frame.index.repeat(frame["w"].astype(int))]
    plain = marginal_effects(fit_ordinal(repeated, "y ~ a + b"), repeated).tidy()
    weighted = marginal_effects(fit, frame, weights="w").tidy()
    pd.testing.assert_frame_equal(plain, weighted, rtol=1e-7)
    with pytest.raises(ArgumentError, match="fitted with weights"):
        marginal_effects(fit, frame)
    equal = marginal_effects(fit, frame, weights="equal").estimate
    assert equal != pytest.approx(weighted["estimate"].to_numpy(), rel=1e-4)
    for bad in (-frame["w"], np.zeros(150), [1.0], np.full(150, np.nan), "nobody"):
        with pytest.raises(ArgumentError, match="weights"):
            marginal_effects(fit, frame, weights=bad)


def test_invariances():
    frame = sample(150, 3)
    first = marginal_effects(fit_ordinal(frame, "y ~ a + b"), frame).tidy()
    shuffled = frame.sample(frac=1, random_state=2)
    again = marginal_effects(fit_ordinal(shuffled, "y ~ a + b"), shuffled).tidy()
    pd.testing.assert_frame_equal(first, again, rtol=1e-7)
    units = frame.assign(a=frame["a"] * 1e6 + 5e6)
    slopes = marginal_effects(fit_ordinal(units, "y ~ a + b"), units, "a").tidy()
    expected = first[first["term"] == "a"]
    assert slopes["estimate"].to_numpy() * 1e6 == pytest.approx(expected["estimate"].to_numpy(), rel=1e-6)
    assert slopes["statistic"].to_numpy() == pytest.approx(expected["statistic"].to_numpy(), rel=1e-6)
    other = marginal_effects(fit_ordinal(frame, "y ~ a + b", reference={"b": "q"}), frame, "b").tidy()
    there = other[other["contrast"] == "p - q"]["estimate"].to_numpy()
    back = first[first["contrast"] == "q - p"]["estimate"].to_numpy()
    assert there == pytest.approx(-back, rel=1e-7)


def test_two_categories_equal_logistic_margins():
    frame = sample(200, 3).assign(z=lambda d: (d["y"] > 1).astype(int))
    import statsmodels.formula.api as smf

    margins = smf.logit("z ~ a + c", frame).fit(disp=0, tol=1e-12).get_margeff()
    table = marginal_effects(fit_ordinal(frame, "z ~ a + c"), frame, kind="at_least").tidy()
    assert table["estimate"].to_numpy() == pytest.approx(margins.margeff, rel=1e-6)
    assert table["std_error"].to_numpy() == pytest.approx(margins.margeff_se, rel=1e-5)


def test_adjusted_predictions_and_their_differences():
    frame = sample(150, 3)
    fit = fit_ordinal(frame, "y ~ a + b", cluster="person")
    adjusted = adjusted_predictions(fit, frame, "b")
    table = adjusted.tidy()
    assert table.groupby("level")["estimate"].sum().to_numpy() == pytest.approx(1)
    assert ((table["conf_low"] > 0) & (table["conf_high"] < 1)).all()
    effects = marginal_effects(fit, frame, "b")
    pd.testing.assert_frame_equal(adjusted.differences().tidy(), effects.tidy(), rtol=1e-9)
    last = np.zeros(8)
    last[[3, 7]] = 1
    assert effects.wald(last).statistic > 0
    assert "150 rows" in effects.describe_choices()
    with pytest.raises(ArgumentError, match="'a' is a number"):
        adjusted_predictions(fit, frame, "a")
    with pytest.raises(ArgumentError, match=r"'bb' is not a column of the model.*Did you mean 'b'"):
        marginal_effects(fit, frame, "bb")
    with pytest.raises(ArgumentError, match="no rows"):
        marginal_effects(fit, frame.iloc[:0])
    arrays = fit_ordinal_arrays(frame[["a"]].to_numpy(), frame["y"].to_numpy())
    with pytest.raises(ArgumentError, match="formula"):
        marginal_effects(arrays, frame)


def test_a_number_coded_as_category_and_an_interaction():
    frame = sample(150, 3).assign(k=lambda d: d["b"].map({"p": 1, "q": 2, "r": 3}))
    text = marginal_effects(fit_ordinal(frame, "y ~ a * b"), frame)
    number = marginal_effects(fit_ordinal(frame, "y ~ a * C(k)"), frame)
    assert number.estimate == pytest.approx(text.estimate, rel=1e-8)
    assert number.contrasts[4] == "2 - 1"


def test_ordinal_gee_has_margins_too():
    frame = sample(300, 3).assign(wave=lambda d: d.index % 2)
    options = {"id": "person", "wave": "wave", "information": "observed"}
    gee = fit_ordinal_gee(frame, "y ~ a + b", correction="none", **options)
    clustered = fit_ordinal(frame, "y ~ a + b", cluster="person")
    expected = marginal_effects(clustered, frame).tidy()
    pd.testing.assert_frame_equal(marginal_effects(gee, frame).tidy(), expected, rtol=1e-5)
    corrected = fit_ordinal_gee(frame, "y ~ a + b", correction="kauermann_carroll", **options)
    # The marginal probabilities of the GEE are computed by other code.
    numbers = ["estimate", "std_error", "conf_low", "conf_high"]
    other = marginal_probabilities(corrected, frame, "b").table()[numbers].to_numpy()
    assert adjusted_predictions(corrected, frame, "b").tidy()[numbers].to_numpy() == pytest.approx(other, rel=1e-10)
    table = adjusted_predictions(corrected, frame, "b").tidy()
    plain = adjusted_predictions(gee, frame, "b").tidy()
    assert (table["conf_high"] - table["conf_low"] > plain["conf_high"] - plain["conf_low"]).all()
    difference = adjusted_predictions(corrected, frame, "b").differences().tidy().iloc[0]
    reach = stats.t.ppf(0.975, corrected.choices.df) * difference["std_error"]
    assert difference["conf_high"] == pytest.approx(difference["estimate"] + reach, rel=1e-9)
