"""Residuals of a Cox fit: six people by hand, the likelihood written out, R, and the sums that must be 0."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import cox_residuals, fit_cox, fit_cox_arrays, schoenfeld_residuals

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "cox_after_fit.json").read_text())
KINDS = ("martingale", "deviance", "score", "dfbeta", "dfbetas")
SYNTH = "Surv(time, event) ~ x1 + x2 + x3 + x4 + x5 + b1 + b2 + b3 + b4 + b5"

# Therneau and Grambsch, appendix E.1: six people, one 0/1 predictor, two events tied at 6.
SIX = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})


def test_breslow_by_hand():
    # With r = exp(b) = (3 + sqrt(33))/2 the hazard steps are 1/(3r + 3) at 1, 2/(r + 3) at 6 and 1 at 9.
    r = (3 + np.sqrt(33)) / 2
    one, six = 1 / (3 * r + 3), 2 / (r + 3)
    fit = fit_cox(SIX, "Surv(time, event) ~ x", ties="breslow")
    expected = [1 - one - six - 1, 1 - r * one, -r * one, 1 - r * (one + six), 1 - one - six, -one - six]
    np.testing.assert_allclose(cox_residuals(fit, "martingale"), expected, atol=1e-12)
    # Means of x: r/(r + 1) at 1, r/(r + 3) at 6, 0 at 9.
    values = schoenfeld_residuals(fit)
    np.testing.assert_allclose(values.values[:, 0], [1 - r / (r + 1), 1 - r / (r + 3), -r / (r + 3), 0], atol=1e-12)
    assert values.time.tolist() == [1, 6, 6, 9]
    assert values.row.tolist() == [1, 3, 4, 0]
    assert list(values.frame.columns) == ["stratum", "time", "x"]


def test_efron_by_hand():
    # At 6 the two denominators are r + 3 and (r + 5)/2; in the second the two events count half.
    r = np.roots([1, 0, -23, -30]).real.max()
    one, first, second = 1 / (3 * r + 3), 1 / (r + 3), 2 / (r + 5)
    fit = fit_cox(SIX, "Surv(time, event) ~ x")
    tied = first + second / 2
    expected = [
        -one - first - second,
        1 - r * one,
        -r * one,
        1 - r * (one + tied),
        1 - one - tied,
        -one - first - second,
    ]
    np.testing.assert_allclose(cox_residuals(fit, "martingale"), expected, atol=1e-11)
    # Means of x at 6: r/(r + 3), and (r/2) / ((r + 5)/2) = r/(r + 5).
    means = np.array([r / (r + 3), r / (r + 5)])
    np.testing.assert_allclose(schoenfeld_residuals(fit).values[1:3, 0], [1 - means.mean(), -means.mean()], atol=1e-11)
    # Score residual of the one at 6 with x = 1: its own term, less what the hazard takes with (1 - l/2) of it.
    own = 1 - means.mean() - r * one * (1 - r / (r + 1)) - r * (first * (1 - means[0]) + second / 2 * (1 - means[1]))
    assert cox_residuals(fit, "score")[3, 0] == pytest.approx(own, rel=1e-10)


def made_up(seed, n=60):
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 12, n).astype(float)
    return {
        "X": rng.normal(size=(n, 3)),
        "time": time,
        "event": rng.random(n) < 0.6,
        "entry": np.floor(time * rng.random(n)),
        "strata": rng.integers(0, 3, n),
        "weights": rng.uniform(0.3, 3, n),
        "offset": rng.normal(size=n) / 3,
    }


def naive(fit, terms):
    """Return martingale and score residuals from the likelihood written out."""
    X, coef, data = fit.data.matrix, fit.coef, fit.data
    risk = np.exp(X @ coef + (0 if data.offset is None else data.offset))
    martingale, score = data.event.astype(float), np.zeros(X.shape)
    for _, _, mean, dies, share, part in terms:
        centre = part @ X / part.sum()
        n_terms = dies.sum() if fit.ties == "efron" else 1
        martingale -= mean * risk * share / part.sum()
        gain = dies / n_terms - mean * risk * share / part.sum()
        score += gain[:, None] * (X - centre)
    return martingale, score


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_equals_the_likelihood_written_out(write_out, ties):
    fit = fit_cox_arrays(**made_up(1), ties=ties, weight_type="frequency")
    martingale, score = naive(fit, write_out(fit.data, fit.coef, ties))
    np.testing.assert_allclose(cox_residuals(fit, "martingale"), martingale, atol=1e-12)
    np.testing.assert_allclose(cox_residuals(fit, "score"), score, atol=1e-12)
    weights = fit.data.weights[:, None]
    np.testing.assert_allclose(cox_residuals(fit, "dfbeta"), weights * score @ fit.model_vcov, atol=1e-12)
    np.testing.assert_allclose(cox_residuals(fit, "dfbeta", weighted=False), score @ fit.model_vcov, atol=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_sums_are_zero(ties):
    fit = fit_cox_arrays(**made_up(2), ties=ties, weight_type="frequency")
    weights, strata = fit.data.weights, fit.data.strata
    assert np.abs(np.bincount(strata, weights * cox_residuals(fit, "martingale"))).max() < 1e-12
    assert np.abs(cox_residuals(fit, "score", weighted=True).sum(axis=0)).max() < 1e-9
    assert np.abs(schoenfeld_residuals(fit, weighted=True).values.sum(axis=0)).max() < 1e-9
    assert np.abs(cox_residuals(fit, "dfbeta").sum(axis=0)).max() < 1e-9


def test_a_huge_hazard_that_enters_late_costs_no_digits(write_out):
    # One row with a hazard e^36 times that of the others is there on (5, 12] only: taking it out of sums by subtraction
    # would leave rounding for the days before.
    data = made_up(9)
    del data["weights"]
    data["offset"] = np.where(np.arange(60) == 3, 24.0, -12.0)
    data["time"][3], data["entry"][3] = 12.0, 5.0
    for entry in (data["entry"], np.zeros(60) + 5.0 * (np.arange(60) == 3)):
        fit = fit_cox_arrays(**{**data, "entry": entry})
        martingale, _ = naive(fit, write_out(fit.data, fit.coef, "efron"))
        np.testing.assert_allclose(cox_residuals(fit, "martingale"), martingale, atol=1e-10)


def test_dfbeta_is_the_derivative_by_the_weight():
    data = made_up(3, 40)
    fit = fit_cox_arrays(**data, weight_type="frequency", ties="breslow")
    dfbeta = cox_residuals(fit, "dfbeta")
    for row in (0, 7, int(np.flatnonzero(data["event"])[3])):
        step = np.where(np.arange(40) == row, 1e-4, 0.0)
        up, down = (
            fit_cox_arrays(**{**data, "weights": data["weights"] + s}, weight_type="frequency", ties="breslow").coef
            for s in (step, -step)
        )
        np.testing.assert_allclose(dfbeta[row], data["weights"][row] * (up - down) / 2e-4, atol=1e-7)


STORED = {
    "lung_efron": ("Surv(time, event) ~ age + sex + ph.ecog", {}),
    "lung_breslow": ("Surv(time, event) ~ age + sex + ph.ecog", {"ties": "breslow"}),
    "lung_strata": ("Surv(time, event) ~ age + ph.ecog + wt.loss", {"strata": "sex"}),
    "lung_offset": ("Surv(time, event) ~ sex + ph.ecog", {"offset": "off"}),
    "lung_robust": ("Surv(time, event) ~ age + sex + ph.ecog", {"variance": "robust"}),
    "synth1000_cox_efron": (SYNTH, {}),
    "synth1000_cox_breslow": (SYNTH, {"ties": "breslow"}),
}


@pytest.mark.parametrize("case", list(STORED))
def test_equals_r(lung, case):
    formula, options = STORED[case]
    frame = lung if case.startswith("lung") else pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    fit, expected = fit_cox(frame, formula, missing="drop", **options), R[case]
    assert list(fit.terms) == expected["terms"]
    tight = {"rtol": 1e-8, "atol": 1e-10}
    for kind in ("martingale", "deviance"):
        np.testing.assert_allclose(cox_residuals(fit, kind)[:20], expected[f"{kind}_first20"], **tight)
    np.testing.assert_allclose(cox_residuals(fit, "score")[:5], expected["score_resid_first5"], **tight)
    np.testing.assert_allclose(cox_residuals(fit, "dfbeta")[:5], expected["dfbeta_first5"], **tight)
    plain, scaled = schoenfeld_residuals(fit), schoenfeld_residuals(fit, scaled=True)
    np.testing.assert_allclose(plain.values[:5], expected["schoenfeld_first5"], **tight)
    np.testing.assert_allclose(scaled.values[:5], expected["scaledsch_first5"], **tight)


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
    expected = R[case][model]
    for kind in KINDS:
        np.testing.assert_allclose(cox_residuals(fit, kind), expected[kind], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(schoenfeld_residuals(fit).values, expected["schoenfeld"], rtol=1e-7, atol=1e-9)
    scaled = schoenfeld_residuals(fit, scaled=True).values
    np.testing.assert_allclose(scaled, expected["scaledsch"], rtol=1e-7, atol=1e-8)


def test_rows_of_a_person_collapse():
    data = made_up(5)
    whole = {**data, "entry": None, "weights": None}
    middle = np.floor(data["time"] / 2)
    split = {name: np.concatenate((values, values)) for name, values in whole.items() if values is not None}
    split["entry"] = np.concatenate((np.full(60, 0.0), middle))
    split["time"] = np.concatenate((np.maximum(middle, 0.5), data["time"]))
    split["entry"][60:] = split["time"][:60]
    split["event"] = np.concatenate((np.zeros(60, dtype=bool), data["event"]))
    one, two = fit_cox_arrays(**whole), fit_cox_arrays(**split)
    person = np.tile(np.arange(60), 2)
    for kind in KINDS:
        np.testing.assert_allclose(cox_residuals(two, kind, collapse=person), cox_residuals(one, kind), atol=1e-9)


def test_people_written_out_are_copies():
    data = made_up(6)
    data["weights"] = np.random.default_rng(1).integers(1, 4, 60)
    rows = np.repeat(np.arange(60), data["weights"])
    one = fit_cox_arrays(**data, weight_type="copies")
    written = fit_cox_arrays(**{name: values[rows] for name, values in data.items() if name != "weights"})
    for kind in ("martingale", "deviance", "score"):
        np.testing.assert_allclose(cox_residuals(one, kind)[rows], cox_residuals(written, kind), atol=1e-9)
    np.testing.assert_allclose(cox_residuals(one, "dfbeta", collapse=np.arange(60)), cox_residuals(one, "dfbeta"))
    np.testing.assert_allclose(
        cox_residuals(one, "dfbeta", weighted=False)[rows], cox_residuals(written, "dfbeta"), atol=1e-9
    )


def test_unit_and_order_do_not_matter():
    data = made_up(7)
    fit = fit_cox_arrays(**data, weight_type="frequency")
    order = np.random.default_rng(2).permutation(60)
    moved = {name: values[order] for name, values in data.items()}
    moved |= {"time": moved["time"] / 7, "entry": moved["entry"] / 7, "X": moved["X"] * 10 + 1000}
    other = fit_cox_arrays(**moved, weight_type="frequency")
    np.testing.assert_allclose(cox_residuals(other, "martingale"), cox_residuals(fit, "martingale")[order], atol=1e-8)
    np.testing.assert_allclose(cox_residuals(other, "dfbetas"), cox_residuals(fit, "dfbetas")[order], atol=1e-8)


def test_peers_with_ties():
    # statsmodels' score residuals are Breslow's after Efron's ties; ours sum to the score in both.
    import statsmodels.api as sm

    data = made_up(8)
    del data["entry"], data["strata"], data["weights"], data["offset"]
    for ties, right in (("efron", False), ("breslow", True)):
        theirs = sm.PHReg(data["time"], data["X"], data["event"], ties=ties).fit().score_residuals
        ours = cox_residuals(fit_cox_arrays(**data, ties=ties), "score")
        assert np.allclose(theirs, ours, atol=1e-5) == right


def test_refuses(lung):
    exact = fit_cox(lung, "Surv(time, event) ~ age + sex", ties="exact")
    assert abs(cox_residuals(exact, "martingale").sum()) < 1e-10
    with pytest.raises(DesignError, match="no dfbeta residuals after ties='exact'"):
        cox_residuals(exact, "dfbeta")
    with pytest.raises(DesignError, match="no Schoenfeld residuals"):
        schoenfeld_residuals(exact)
    fit = fit_cox(lung, "Surv(time, event) ~ age + sex")
    with pytest.raises(ArgumentError, match="`kind` must be one of"):
        cox_residuals(fit, "schoenfeld")
    with pytest.raises(DesignError, match="`collapse` must have one value"):
        cox_residuals(fit, "martingale", collapse=[1, 2])
