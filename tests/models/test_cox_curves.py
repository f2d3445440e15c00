"""Baseline hazard and predicted curves: six people by hand, the likelihood written out, R, and lifelines."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import (
    MonotoneLikelihoodWarning,
    baseline_hazard,
    fit_cox,
    fit_cox_arrays,
    kaplan_meier,
    predict_curves,
)

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "cox_after_fit.json").read_text())
COLUMNS = "x1 + x2 + x3 + x4 + x5 + b1 + b2 + b3 + b4 + b5"
SIX = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})


def test_breslow_by_hand():
    # With r = exp(b) = (3 + sqrt(33))/2 the hazard at x = 0 rises by 1/(3r + 3) at 1, 2/(r + 3) at 6 and 1 at 9.
    r = (3 + np.sqrt(33)) / 2
    fit = fit_cox(SIX, "Surv(time, event) ~ x", ties="breslow")
    steps = np.array([1 / (3 * r + 3), 2 / (r + 3), 1])
    base = baseline_hazard(fit, at="zero")
    np.testing.assert_allclose(base.frame["hazard"], steps, rtol=1e-11)
    assert base.frame["at_risk"].tolist() == [6, 4, 1]
    assert base.frame["events"].tolist() == [1, 2, 1]
    # At 1, H = exp(bx)/(3r + 3). For x = 0: its variance is 1/(3r + 3)^2 (Tsiatis), and dH/db = -mean H with mean =
    # r/(r + 1) adds that squared times var(b). For x = 1 the derivative is (1 - mean) r H.
    mean, variance = r / (r + 1), fit.vcov[0, 0]
    assert base.frame["std_error"][0] == pytest.approx(steps[0] * np.sqrt(1 + mean**2 * variance), rel=1e-10)
    curve = predict_curves(fit, pd.DataFrame({"x": [1]}), times=[1]).frame.loc[0]
    error = r * steps[0] * np.sqrt(1 + (1 - mean) ** 2 * variance)
    assert curve["hazard_std_error"] == pytest.approx(error, rel=1e-10)
    assert curve["survival"] == pytest.approx(np.exp(-r * steps[0]), rel=1e-12)
    assert curve["conf_low"] == pytest.approx(np.exp(-r * steps[0] - 1.959963984540054 * error), rel=1e-10)


def test_efron_by_hand():
    # At 6: 1/(r + 3) + 2/(r + 5), r the root of r^3 - 23r - 30.
    r = np.roots([1, 0, -23, -30]).real.max()
    base = baseline_hazard(fit_cox(SIX, "Surv(time, event) ~ x"), at="zero")
    np.testing.assert_allclose(base.frame["hazard"], [1 / (3 * r + 3), 1 / (r + 3) + 2 / (r + 5), 1], rtol=1e-11)
    np.testing.assert_allclose(
        base.at_times([0, 1, 5.9, 6, 9]), np.cumsum(base.frame["hazard"])[[0, 0, 0, 1, 2]] * [0, 1, 1, 1, 1]
    )
    assert np.isnan(base.at_times([9.1])).all()


def made_up(seed, n=60):
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 12, n).astype(float)
    return {
        "X": rng.normal(size=(n, 3)) + 2,
        "time": time,
        "event": rng.random(n) < 0.6,
        "entry": np.floor(time * rng.random(n)),
        "strata": rng.integers(0, 2, n),
        "weights": rng.uniform(0.3, 3, n),
        "offset": rng.normal(size=n) / 3,
    }


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_equals_the_likelihood_written_out(write_out, ties):
    fit = fit_cox_arrays(**made_up(1), ties=ties, weight_type="frequency")
    x, stratum, until, h = np.array([1.0, 3.0, 2.0]), 1, 7.0, 1e-6

    def hazard(coef):
        entries = [entry for entry in write_out(fit.data, coef, ties) if entry[1] == stratum and entry[0] <= until]
        return sum(mean / part.sum() for _, _, mean, _, _, part in entries) * np.exp(x @ coef + 0.4)

    steps = np.eye(3) * h
    gradient = np.array([(hazard(fit.coef + s) - hazard(fit.coef - s)) / (2 * h) for s in steps])
    entries = [e for e in write_out(fit.data, fit.coef, ties) if e[1] == stratum and e[0] <= until]
    own = sum(mean / part.sum() ** 2 for _, _, mean, _, _, part in entries) * np.exp(x @ fit.coef + 0.4) ** 2
    curve = predict_curves(fit, x[None, :], strata=["1"], offset=[0.4], times=[until]).frame.loc[0]
    assert curve["cumulative_hazard"] == pytest.approx(hazard(fit.coef), rel=1e-11)
    assert curve["hazard_std_error"] == pytest.approx(np.sqrt(own + gradient @ fit.vcov @ gradient), rel=1e-7)
    base = baseline_hazard(fit, at="zero")
    assert base.at_times(until, "1")[0] * np.exp(x @ fit.coef + 0.4) == pytest.approx(hazard(fit.coef), rel=1e-11)


STORED = {
    "lung_efron": ("Surv(time, event) ~ age + sex + ph.ecog", {}),
    "lung_breslow": ("Surv(time, event) ~ age + sex + ph.ecog", {"ties": "breslow"}),
    "lung_strata": ("Surv(time, event) ~ age + ph.ecog + wt.loss", {"strata": "sex"}),
    "lung_robust": ("Surv(time, event) ~ age + sex + ph.ecog", {"variance": "robust"}),
    "lung_weights_efron": ("Surv(time, event) ~ age + sex + ph.ecog", {"weights": "w"}),
    "lung_weights_breslow": ("Surv(time, event) ~ age + sex + ph.ecog", {"weights": "w", "ties": "breslow"}),
    "lung_freqweights": ("Surv(time, event) ~ age + sex + ph.ecog", {"weights": "fw"}),
    "synth1000_cox_efron": (f"Surv(time, event) ~ {COLUMNS}", {}),
    "synth1000_cox_breslow": (f"Surv(time, event) ~ {COLUMNS}", {"ties": "breslow"}),
    "synth1000_cox_tv": (f"Surv(start, stop, ev) ~ z + {COLUMNS}", {}),
}


@pytest.mark.parametrize("case", list(STORED))
def test_baseline_equals_r(lung, case):
    formula, options = STORED[case]
    file = HERE.parent / "data" / ("tv_1000.csv" if case.endswith("tv") else "person_1000.csv")
    frame = lung if case.startswith("lung") else pd.read_csv(file)
    fit = fit_cox(frame, formula, missing="drop", **options)
    for at, name in (("zero", "basehaz_at_zero"), ("centre", "basehaz_centered_at_means")):
        base, expected = baseline_hazard(fit, at=at), R[case][name]
        for label, part in ({"all": expected} if "time" in expected else expected).items():
            ours, times = base.at_times(part["time"], label.replace("=", ": ")), np.array(part["time"])
            known = times <= base.last_followed[base.strata.index(label.replace("=", ": "))]
            assert np.isnan(ours[~known]).all()  # R goes on with the last value
            np.testing.assert_allclose(ours[known], np.array(part["cumhaz"])[known], rtol=1e-8)


MADE_UP = {
    ("made_up_1", "weights"): ("Surv(t, e) ~ x + z + a", {"weights": "w"}),
    ("made_up_1", "strata"): (
        "Surv(t, e) ~ x + z + a",
        {"weights": "w", "weight_type": "frequency", "strata": "s", "offset": "off"},
    ),
    ("made_up_1", "entry"): ("Surv(en, t, e) ~ x + z + a", {"weights": "w", "strata": "s", "cluster": "cl"}),
    ("made_up_2", "entry"): ("Surv(en, t, e) ~ x + z + a", {"weights": "w", "strata": "s", "cluster": "cl"}),
}


@pytest.mark.parametrize(("case", "model"), list(MADE_UP))
def test_weights_strata_entry_and_clusters_equal_r(case, model):
    formula, options = MADE_UP[case, model]
    fit = fit_cox(pd.DataFrame(R[case]["data"]), formula, ties=R[case]["ties"], **options)
    new = pd.DataFrame({"x": [-0.5, 1], "z": [0, 1], "a": ["p", "r"], "off": [0.1, -0.2], "s": [2, 1]})
    for i in (0, 1):
        expected = {name: np.array(values, dtype=float) for name, values in R[case][model][f"curve_{i + 1}"].items()}
        curve = predict_curves(fit, new.iloc[[i]], times=[3, 6, 9]).frame
        other = predict_curves(fit, new.iloc[[i]], times=[3, 6, 9], conf_type="log-log").frame
        known = curve["survival"].notna().to_numpy()
        assert known[:2].all()
        pairs = [("survival", "surv"), ("std_error", "std_err"), ("conf_low", "lower"), ("conf_high", "upper")]
        for ours, theirs in pairs:
            np.testing.assert_allclose(curve[ours][known], expected[theirs][known], rtol=1e-7)
        for side in ("low", "high"):
            theirs = expected["lower_loglog" if side == "low" else "upper_loglog"]
            np.testing.assert_allclose(other[f"conf_{side}"][known], theirs[known], rtol=1e-7)
    stored = pd.DataFrame({name: values for name, values in R[case][model]["basehaz"].items() if values})
    base = baseline_hazard(fit)
    for stratum in base.strata:
        part = stored if stratum == "all" else stored[stored["stratum"].str[-1] == stratum[-1]]
        np.testing.assert_allclose(base.at_times(part["time"], stratum), part["hazard"], rtol=1e-8)


def test_rows_without_stratum_give_a_curve_for_each(lung):
    fit = fit_cox(lung, "Surv(time, event) ~ age", strata="sex")
    curves = predict_curves(fit, pd.DataFrame({"age": [50, 70]}, index=["young", "old"]), times=[100, 300, 2000])
    assert curves.frame["row"].tolist() == ["young"] * 6 + ["old"] * 6
    assert curves.frame["stratum"].unique().tolist() == ["sex: 1", "sex: 2"]
    late = curves.frame[curves.frame["time"] == 2000]
    assert late.iloc[:, 3:].isna().all().all()
    incidence = curves.incidence()
    np.testing.assert_allclose(incidence["incidence"] + curves.frame["survival"], curves.frame["survival"] * 0 + 1)
    assert (incidence["conf_low"].dropna() <= incidence["incidence"].dropna()).all()
    whole = predict_curves(fit, pd.DataFrame({"age": [50], "sex": [2]})).frame
    assert whole["time"].iloc[0] == 0
    assert whole["survival"].iloc[0] == 1
    assert len(whole) == 1 + lung.loc[(lung["sex"] == 2) & lung["event"], "time"].nunique()


def test_near_kaplan_meier_when_nothing_matters():
    rng = np.random.default_rng(2)
    time, event = rng.integers(1, 30, 4000), rng.random(4000) < 0.7
    fit = fit_cox_arrays(rng.normal(size=(4000, 1)), time, event)
    curve = predict_curves(fit, np.array([[0.0]]), times=[5, 15, 25]).frame
    # exp(-H) with Efron's hazard is within rounding of the product limit.
    expected = kaplan_meier(time, event).survival_at([5, 15, 25])
    np.testing.assert_allclose(curve["survival"], expected["survival"], rtol=5e-3)
    np.testing.assert_allclose(curve["std_error"], expected["std_error"], rtol=2e-2)


def test_split_spells_units_and_order_do_not_matter():
    data = made_up(3)
    fit = fit_cox_arrays(**data, weight_type="frequency")
    middle = (data["entry"] + data["time"]) / 2
    split = {name: np.concatenate((values, values)) for name, values in data.items()}
    split["entry"] = np.concatenate((data["entry"], middle))
    split["time"] = np.concatenate((middle, data["time"]))
    split["event"] = np.concatenate((np.zeros(60, dtype=bool), data["event"]))
    order = np.random.default_rng(1).permutation(120)
    split = {name: values[order] for name, values in split.items()}
    split |= {"time": split["time"] / 7, "entry": split["entry"] / 7, "X": split["X"] * 10}
    other = fit_cox_arrays(**split, weight_type="frequency")
    x = np.array([[2.0, 1.0, 3.0]])
    one = predict_curves(fit, x, times=[3, 6, 9], offset=0.0).frame
    two = predict_curves(other, x * 10, times=np.array([3, 6, 9]) / 7, offset=0.0).frame
    np.testing.assert_allclose(two.iloc[:, 3:].to_numpy(), one.iloc[:, 3:].to_numpy(), rtol=1e-7)


def test_people_written_out_are_copies():
    data = made_up(4)
    data["weights"] = np.random.default_rng(1).integers(1, 4, 60)
    rows = np.repeat(np.arange(60), data["weights"])
    one = fit_cox_arrays(**data, weight_type="copies")
    written = fit_cox_arrays(**{name: values[rows] for name, values in data.items() if name != "weights"})
    a, b = (baseline_hazard(fit).frame.drop(columns="stratum").to_numpy() for fit in (one, written))
    np.testing.assert_allclose(a, b, rtol=1e-7)


def test_places_of_the_covariates(lung):
    fit = fit_cox(lung, "Surv(time, event) ~ age + C(sex)", offset="off")
    zero, means = baseline_hazard(fit, at="zero"), baseline_hazard(fit, at="means")
    lift = fit.data.matrix.mean(axis=0) @ fit.coef + lung["off"].mean()
    np.testing.assert_allclose(means.frame["hazard"], zero.frame["hazard"] * np.exp(lift), rtol=1e-10)
    centre, chosen = baseline_hazard(fit), baseline_hazard(fit, at=np.array([lung["age"].mean(), 0.0]))
    np.testing.assert_allclose(centre.frame["hazard"], chosen.frame["hazard"] * np.exp(lung["off"].mean()), rtol=1e-10)
    assert chosen.offset == 0
    assert centre.offset == pytest.approx(lung["off"].mean())


def test_lifelines_is_wrong_where_we_are_not():
    from lifelines import CoxPHFitter

    # Ties: Efron's estimates go with Efron's hazard; lifelines has Breslow's beside them.
    data = made_up(5)
    frame = pd.DataFrame(data["X"], columns=list("abc")).assign(time=data["time"], event=data["event"])
    fit = fit_cox(frame, "Surv(time, event) ~ a + b + c")
    peer = CoxPHFitter().fit(frame, "time", "event")
    ours = baseline_hazard(fit, at="means").at_times([5, 10])
    theirs = peer.baseline_cumulative_hazard_.loc[[5, 10], "baseline cumulative hazard"].to_numpy()
    breslow = fit_cox(frame, "Surv(time, event) ~ a + b + c", ties="breslow")
    risk = np.exp((data["X"] - data["X"].mean(axis=0)) @ fit.coef)
    steps = [(data["event"] & (data["time"] == t)).sum() / risk[data["time"] >= t].sum() for t in range(1, 11)]
    np.testing.assert_allclose(theirs, np.cumsum(steps)[[4, 9]], rtol=1e-4)
    assert (ours > theirs * 1.02).all()
    assert breslow.ties == baseline_hazard(breslow).ties == "breslow"
    # Late entry (lifelines#1416): the risk set at t has only those who entered before t.
    frame = frame.assign(entry=data["entry"])
    late = fit_cox(frame, "Surv(entry, time, event) ~ a + b + c", ties="breslow")
    risk = np.exp(data["X"] @ late.coef)
    there = [(data["entry"] < t) & (data["time"] >= t) for t in range(1, 12)]
    hazard = sum((data["event"] & (data["time"] == t)).sum() / risk[there[t - 1]].sum() for t in range(1, 6))
    assert baseline_hazard(late, at="zero").at_times(5)[0] == pytest.approx(hazard, rel=1e-10)


def test_refuses(lung):
    fit = fit_cox(lung, "Surv(time, event) ~ age", strata="sex", offset="off")
    with pytest.raises(DesignError, match="has no stratum 'sex: 3'"):
        predict_curves(fit, pd.DataFrame({"age": [50], "sex": [3], "off": [0]}))
    with pytest.raises(ArgumentError, match="no column 'off'"):
        predict_curves(fit, pd.DataFrame({"age": [50], "sex": [1]}))
    with pytest.raises(DesignError, match="no column 'age'"):
        predict_curves(fit, pd.DataFrame({"sex": [1], "off": [0]}))
    with pytest.raises(DesignError, match="`times` must be finite"):
        predict_curves(fit, pd.DataFrame({"age": [50], "sex": [1], "off": [0]}), times=[-1])
    with pytest.raises(ArgumentError, match="`stratum` must be one of"):
        baseline_hazard(fit).at_times([1])
    with pytest.raises(DesignError, match="`at` must be"):
        baseline_hazard(fit, at="median")
    arrays = fit_cox_arrays(lung[["age"]], lung["time"], lung["event"])
    with pytest.raises(DesignError, match="shape"):
        predict_curves(arrays, np.zeros((1, 2)))
    with pytest.raises(DesignError, match="the fit has none"):
        predict_curves(arrays, np.zeros((1, 1)), offset=[1.0])
    separated = pd.read_csv(HERE.parent / "data" / "separation.csv")
    with pytest.warns(MonotoneLikelihoodWarning):
        monotone = fit_cox(separated, "Surv(time, event) ~ x")
    with pytest.raises(DesignError, match="infinite"):
        predict_curves(monotone, pd.DataFrame({"x": [1]}))
