"""Standardised curves: averages of predicted curves by hand, and standard errors as derivatives by the weights."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import fit_cox, fit_cox_arrays, kaplan_meier, predict_curves, standardised_curves

HERE = Path(__file__).parent
TIMES = [3, 6, 9]


def cohort(seed, n=80):
    rng = np.random.default_rng(seed)
    age, arm = rng.normal(45, 10, n), rng.choice(["usual", "visit"], n)
    time = np.ceil(rng.exponential(8 * np.exp(0.02 * (age - 45) - 0.5 * (arm == "visit"))))
    time = np.clip(time, 1, 12)
    return pd.DataFrame(
        {
            "entry": np.floor(time * rng.random(n) * 0.6),
            "time": time,
            "event": (time < 12) & (rng.random(n) < 0.9),
            "arm": arm,
            "age": age,
            "sex": rng.choice(["f", "m"], n),
            "county": rng.choice(["a", "b"], n),
            "w": rng.uniform(0.4, 2.5, n),
            "place": rng.integers(0, 12, n),
        }
    )


def test_is_the_mean_of_predicted_curves():
    data = cohort(1)
    fit = fit_cox(data, "Surv(entry, time, event) ~ arm*age + sex", strata="county")
    result = standardised_curves(fit, data, "arm", times=TIMES)
    for arm in ("usual", "visit"):
        curves = predict_curves(fit, data.assign(arm=arm), times=TIMES).frame
        mean = curves.groupby("time")["survival"].mean()
        part = result.frame[result.frame["arm"] == arm]
        np.testing.assert_allclose(part["survival"], mean, rtol=1e-12)
        np.testing.assert_allclose(part["incidence"], 1 - mean, rtol=1e-12)
    contrast = result.contrasts
    share = result.frame.set_index(["arm", "time"])["incidence"]
    np.testing.assert_allclose(contrast["difference"], share["visit"] - share["usual"], rtol=1e-10)
    np.testing.assert_allclose(contrast["ratio"], share["visit"] / share["usual"], rtol=1e-10)
    assert (result.reference, result.n, result.random_cohort) == ("usual", 80, True)


def test_one_person_alone_is_a_predicted_curve():
    data = cohort(2)
    fit = fit_cox(data, "Surv(time, event) ~ arm + age")
    one = data.iloc[[5]]
    result = standardised_curves(fit, one, "arm", times=TIMES, variance="model")
    for arm in ("usual", "visit"):
        curve = predict_curves(fit, one.assign(arm=arm), times=TIMES).frame
        part = result.frame[result.frame["arm"] == arm]
        np.testing.assert_allclose(part["std_error"], curve["std_error"], rtol=1e-10)
        np.testing.assert_allclose(part["conf_low"], 1 - curve["conf_high"], rtol=1e-10)
        np.testing.assert_allclose(part["conf_high"], 1 - curve["conf_low"], rtol=1e-10)
    assert not result.random_cohort


def test_by_hand():
    # Six people, one 0/1 predictor, Breslow: r = exp(b) = (3 + sqrt(33))/2. By day 1 the share with the event is
    # 1 - exp(-h) without and 1 - exp(-r h) with x, h = 1/(3r + 3), whoever is averaged over. By the delta method the
    # difference D = exp(-h) - exp(-r h) has dD/dh = r exp(-r h) - exp(-h), var(h | b) = h^2, and dD/db = exp(-h) h m +
    # exp(-r h) (r h - r h m) with dh/db = -h m, m = r/(r + 1).
    six = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})
    fit = fit_cox(six, "Surv(time, event) ~ x", ties="breslow")
    r = (3 + np.sqrt(33)) / 2
    h, m = 1 / (3 * r + 3), r / (r + 1)
    result = standardised_curves(fit, six, "x", times=[1], variance="model").contrasts.loc[0]
    assert result["difference"] == pytest.approx(np.exp(-h) - np.exp(-r * h), rel=1e-10)
    by_b = np.exp(-h) * h * m + np.exp(-r * h) * r * h * (1 - m)
    error = np.sqrt((r * np.exp(-r * h) - np.exp(-h)) ** 2 * h**2 + by_b**2 * fit.vcov[0, 0])
    assert result["difference_std_error"] == pytest.approx(error, rel=1e-9)


@pytest.mark.parametrize(("ties", "strata"), [("efron", None), ("efron", "county"), ("breslow", "arm")])
def test_standard_errors_are_derivatives_by_the_weights(ties, strata):
    # Refit and average again with each weight moved a little: the influence of a row is its weight times that.
    data = cohort(3, 26)
    terms = "age + sex" if strata == "arm" else "arm*age + sex"

    def estimate(weights):
        frame = data.assign(w=weights)
        fit = fit_cox(frame, f"Surv(entry, time, event) ~ {terms}", strata=strata, weights="w", ties=ties)
        return standardised_curves(fit, frame, "arm", times=[4, 8], arms=["usual", "visit"]), fit

    result, _ = estimate(data["w"])
    derivatives = []
    for i in range(26):
        step = np.where(np.arange(26) == i, 2e-4, 0.0)
        up, down = (estimate(data["w"] + s)[0] for s in (step, -step))
        moved = [
            (getattr(up, part)[column] - getattr(down, part)[column]) / 4e-4
            for part, column in (("frame", "incidence"), ("contrasts", "difference"), ("contrasts", "ratio"))
        ]
        derivatives.append(data["w"].iloc[i] * np.concatenate(moved))
    square = (np.array(derivatives) ** 2).sum(axis=0)
    np.testing.assert_allclose(result.frame["std_error"], np.sqrt(square[:4]), rtol=2e-5)
    np.testing.assert_allclose(result.contrasts["difference_std_error"], np.sqrt(square[4:6]), rtol=2e-5)
    ratio = result.contrasts["ratio"]
    reach = np.exp(1.959963984540054 * np.sqrt(square[6:]) / ratio)
    np.testing.assert_allclose(result.contrasts["ratio_high"], ratio * reach, rtol=2e-5)
    np.testing.assert_allclose(result.contrasts["ratio_low"], ratio / reach, rtol=2e-5)


def test_clusters_and_a_fixed_cohort():
    data = cohort(4)
    fit = fit_cox(data, "Surv(time, event) ~ arm + age", cluster="place")
    clustered = standardised_curves(fit, data, "arm", times=TIMES)
    derivatives = []
    for place in range(12):
        inside = (data["place"] == place).to_numpy()
        moved = []
        for sign in (1, -1):
            frame = data.assign(v=1 + sign * 1e-4 * inside)
            other = fit_cox(frame, "Surv(time, event) ~ arm + age", weights="v")
            moved.append(standardised_curves(other, frame, "arm", times=TIMES).frame["incidence"])
        derivatives.append((moved[0] - moved[1]) / 2e-4)
    error = np.sqrt((np.array(derivatives) ** 2).sum(axis=0))
    np.testing.assert_allclose(clustered.frame["std_error"], error, rtol=1e-4)
    # Other people: their covariates are taken as given.
    fixed = standardised_curves(fit, data.iloc[:40], "arm", times=TIMES)
    assert not fixed.random_cohort
    assert fixed.n == 40


def test_small_sample_factor_of_a_program():
    data = cohort(4)
    stata = fit_cox(data, "Surv(time, event) ~ arm + age", cluster="place", compat="stata")
    plain = fit_cox(data, "Surv(time, event) ~ arm + age", cluster="place", ties="breslow")
    one, two = (standardised_curves(fit, data, "arm", times=TIMES).frame["std_error"] for fit in (stata, plain))
    np.testing.assert_allclose(one, two * np.sqrt(12 / 11), rtol=1e-10)


def test_people_written_out_are_copies():
    data = cohort(5)
    data["k"] = np.random.default_rng(1).integers(1, 4, 80)
    formula = "Surv(entry, time, event) ~ arm + age"
    written = data.loc[data.index.repeat(data["k"])].reset_index(drop=True)
    one = standardised_curves(fit_cox(data, formula, weights="k", weight_type="copies"), data, "arm", times=TIMES)
    two = standardised_curves(fit_cox(written, formula), written, "arm", times=TIMES)
    np.testing.assert_allclose(one.frame.iloc[:, 2:].to_numpy(), two.frame.iloc[:, 2:].to_numpy(), rtol=1e-7)
    np.testing.assert_allclose(one.contrasts.iloc[:, 3:].to_numpy(), two.contrasts.iloc[:, 3:].to_numpy(), rtol=1e-6)


def test_takes_confounding_away():
    # Older people are visited more and return later; within age the visit does nothing.
    rng = np.random.default_rng(6)
    n = 20_000
    old = rng.random(n) < 0.5
    visit = rng.random(n) < np.where(old, 0.8, 0.2)
    time, entry = rng.exponential(np.where(old, 30, 10)), rng.uniform(0, 5, n)
    data = pd.DataFrame({"entry": entry, "time": np.minimum(time, 40), "event": time < 40, "old": old, "visit": visit})
    data = data[data["time"] > data["entry"]]
    fit = fit_cox(data, "Surv(entry, time, event) ~ visit + old")
    # The cohort that set out is that of all, not of those who were still there at their entry.
    everybody = pd.DataFrame({"old": old, "visit": visit})
    result = standardised_curves(fit, everybody, "visit", times=[10])
    truth = 1 - np.exp(-10 / np.where(old, 30, 10)).mean()
    assert np.abs(result.frame["incidence"] - truth).max() < 0.02
    row = result.contrasts.loc[0]
    assert row["difference_low"] < 0 < row["difference_high"]
    crude = kaplan_meier(data["time"], data["event"], entry=data["entry"], group=data["visit"]).incidence_at([10])
    assert crude["incidence"].diff().iloc[1] < -0.1


def test_what_must_not_matter():
    data = cohort(7)
    fit = fit_cox(data, "Surv(entry, time, event) ~ arm + age", weights="w")
    result = standardised_curves(fit, data, "arm", times=TIMES)
    moved = data.sample(frac=1, random_state=1).assign(time=lambda d: d["time"] / 7, entry=lambda d: d["entry"] / 7)
    moved["age"] = moved["age"] * 12
    other = standardised_curves(
        fit_cox(moved, "Surv(entry, time, event) ~ arm + age", weights="w"), moved, "arm", times=np.array(TIMES) / 7
    )
    np.testing.assert_allclose(other.frame.iloc[:, 2:].to_numpy(), result.frame.iloc[:, 2:].to_numpy(), rtol=1e-6)
    chosen = standardised_curves(fit, data, "arm", times=TIMES, arms=["visit", "usual"])
    assert chosen.reference == "visit"
    np.testing.assert_allclose(chosen.contrasts["difference"], -result.contrasts["difference"], rtol=1e-12)
    late = standardised_curves(fit, data, "arm", times=[0, 99])
    assert late.frame["incidence"].tolist()[0] == 0
    assert np.isnan(late.frame["incidence"].tolist()[1])
    assert np.isnan(late.contrasts["p_value"]).all()


def test_refuses():
    data = cohort(8)
    fit = fit_cox(data, "Surv(time, event) ~ arm + age", strata="county")
    with pytest.raises(DesignError, match="need a fit by formula"):
        standardised_curves(fit_cox_arrays(data[["age"]], data["time"], data["event"]), data, "arm", times=TIMES)
    with pytest.raises(ArgumentError, match="no column 'arms'"):
        standardised_curves(fit, data, "arms", times=TIMES)
    with pytest.raises(DesignError, match="at least two values"):
        standardised_curves(fit, data, "arm", times=TIMES, arms=["visit"])
    with pytest.raises(DesignError, match="80 values"):
        standardised_curves(fit, data, "age", times=TIMES)
    with pytest.raises(DesignError, match="strata of the fit"):
        standardised_curves(fit, data.drop(columns="county"), "arm", times=TIMES)
    with pytest.raises(DesignError, match="`weights` must be"):
        standardised_curves(fit, data, "arm", times=TIMES, weights=-data["age"])
    with pytest.raises(ArgumentError, match="`variance` must be one of"):
        standardised_curves(fit, data, "arm", times=TIMES, variance="bootstrap")
