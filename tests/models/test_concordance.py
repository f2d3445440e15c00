"""Concordance: six people by hand, all pairs by brute force, derivatives by weights, R, and what must not matter."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import concordance, fit_cox, fit_cox_arrays

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "cox_after_fit.json").read_text())


def test_by_hand():
    # time   2   3   3+  4   4   6+      marker  5 3 4 2 2 2, higher means sooner
    # Event at 2 (5): outlived by 3, 4, 2, 2, 2, all lower: 5 concordant.
    # Event at 3 (3): by the one censored at 3 (4, discordant), and 2, 2, 2: 3 concordant, 1 discordant.
    # Events at 4 (2 and 2): tied in time and in the marker; each outlived by 6+ (2): 2 tied in the marker.
    # C = (8 + 2/2) / 11
    result = concordance([5, 3, 4, 2, 2, 2], [2, 3, 3, 4, 4, 6], [1, 1, 0, 1, 1, 0])
    assert result.counts == {"concordant": 8, "discordant": 1, "tied_x": 2, "tied_y": 0, "tied_xy": 1}
    assert result.estimate == pytest.approx(9 / 11, rel=1e-15)
    # Each pair is shared by two people: with s_i and m_i the score and number of i's pairs, the influence is
    # (s_i - C m_i)/m.
    #   i:   5        3          4         2        2        2
    #   s    5      1 + 3      1 + 0      2 + 1/2  2 + 1/2  2 + 1
    #   m    5      1 + 4      1 + 1      2 + 1    2 + 1    2 + 2
    score, pairs = np.array([5, 4, 1, 2.5, 2.5, 3]), np.array([5, 5, 2, 3, 3, 4])
    influence = (score - 9 / 11 * pairs) / 11
    np.testing.assert_allclose(result.influence, influence, atol=1e-15)
    assert result.std_error == pytest.approx(np.sqrt(influence @ influence), rel=1e-14)


def naive(marker, time, event, entry, strata, weight, time_weights="n"):
    """Count every ordered pair of people; return counts with a higher marker meaning later."""
    counts = np.zeros(5)
    for s in np.unique(strata):
        inside = np.flatnonzero(strata == s)
        factor = {}
        alive = uncensored = 1.0
        for t in np.unique(time[inside]):
            at_risk = weight[inside][(entry[inside] < t) & (time[inside] >= t)].sum()
            dead = weight[inside][(time[inside] == t) & event[inside]].sum()
            gone = weight[inside][(time[inside] == t) & ~event[inside]].sum()
            total = weight[inside].sum()
            if dead > 0:
                kinds = {"n": 1.0, "S": total * alive / at_risk, "I": 1 / at_risk, "n/G2": uncensored**-2}
                factor[t] = kinds.get(time_weights, total * alive / uncensored / at_risk)
                alive *= 1 - dead / at_risk
            if at_risk > dead:
                uncensored *= 1 - gone / (at_risk - dead)
        for i in inside[event[inside]]:
            for j in inside:
                product = weight[i] * weight[j] * factor[time[i]]
                if j > i and event[j] and time[j] == time[i]:
                    counts[4 if marker[i] == marker[j] else 3] += product
                later = time[j] > time[i] or (time[j] == time[i] and not event[j])
                if j != i and later and entry[j] < time[i]:
                    counts[[1, 2, 0][int(np.sign(marker[j] - marker[i])) + 1]] += product
    return counts


def people(seed, n=70):
    rng = np.random.default_rng(seed)
    time = rng.integers(2, 15, n).astype(float)
    return {
        "source": rng.integers(0, 9, n).astype(float),
        "time": time,
        "event": rng.random(n) < 0.6,
        "entry": np.floor(time * rng.random(n) * 0.9),
        "strata": rng.integers(0, 3, n),
        "weights": rng.uniform(0.3, 3, n),
    }


@pytest.mark.parametrize("time_weights", ["n", "S", "I", "S/G", "n/G2"])
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_all_pairs(seed, time_weights):
    data = people(seed)
    if time_weights in ("S/G", "n/G2"):
        data["entry"] = None
    result = concordance(**data, time_weights=time_weights, direction="later")
    entry = np.full(70, -1.0) if data["entry"] is None else data["entry"]
    arguments = (data["source"], data["time"], data["event"], entry, data["strata"], data["weights"])
    counts = naive(*arguments, time_weights)
    np.testing.assert_allclose(list(result.counts.values()), counts, rtol=1e-12)
    assert result.estimate == pytest.approx((counts[0] + counts[2] / 2) / counts[:3].sum(), rel=1e-13)


@pytest.mark.parametrize("delayed", [False, True])
def test_influence_is_the_derivative_by_the_weight(delayed):
    data = people(4, 40)
    if not delayed:
        data["entry"] = None
    entry = np.full(40, -1.0) if data["entry"] is None else data["entry"]

    def estimate(weights):
        counts = naive(data["source"], data["time"], data["event"], entry, data["strata"], weights)
        return (counts[1] + counts[2] / 2) / counts[:3].sum()

    derivative = np.empty(40)
    for i in range(40):
        step = np.where(np.arange(40) == i, 1e-5, 0.0)
        derivative[i] = (estimate(data["weights"] + step) - estimate(data["weights"] - step)) / 2e-5
    result = concordance(**data)
    np.testing.assert_allclose(result.influence, data["weights"] * derivative, atol=1e-10)
    cluster = np.arange(40) % 7
    sums = np.bincount(cluster, data["weights"] * derivative)
    assert concordance(**data, cluster=cluster).std_error == pytest.approx(np.sqrt(sums @ sums), rel=1e-6)


FITS = {
    "lung_efron": ("Surv(time, event) ~ age + sex + ph.ecog", {}),
    "lung_breslow": ("Surv(time, event) ~ age + sex + ph.ecog", {"ties": "breslow"}),
    "lung_strata": ("Surv(time, event) ~ age + ph.ecog + wt.loss", {"strata": "sex"}),
    "lung_weights_efron": ("Surv(time, event) ~ age + sex + ph.ecog", {"weights": "w"}),
    "lung_freqweights": ("Surv(time, event) ~ age + sex + ph.ecog", {"weights": "fw"}),
    "lung_offset": ("Surv(time, event) ~ sex + ph.ecog", {"offset": "off"}),
}


@pytest.mark.parametrize("case", list(FITS))
def test_of_fits_equals_r(lung, case):
    formula, options = FITS[case]
    result, expected = concordance(fit_cox(lung, formula, missing="drop", **options)), R[case]["concordance"]
    assert result.estimate == pytest.approx(expected["c"], rel=1e-12)
    assert result.std_error == pytest.approx(expected["se"], rel=1e-10)
    counts = expected["counts"]
    counts = list(counts.values()) if isinstance(counts, dict) else np.array(counts).reshape(5, -1).T.ravel()
    np.testing.assert_allclose(result.frame.iloc[:, 1:].to_numpy().ravel(), counts, rtol=1e-12)


def test_clusters_and_counting_process_equal_r():
    columns = "x1 + x2 + x3 + x4 + x5 + b1 + b2 + b3 + b4 + b5"
    person = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
    varying = pd.read_csv(HERE.parent / "data" / "tv_1000.csv")
    fits = {
        "synth1000_cox_efron_cluster_emp": fit_cox(person, f"Surv(time, event) ~ {columns}", cluster="emp"),
        "synth1000_cox_tv": fit_cox(varying, f"Surv(start, stop, ev) ~ z + {columns}"),
        "synth1000_cox_tv_cluster_id": fit_cox(varying, f"Surv(start, stop, ev) ~ z + {columns}", cluster="id"),
    }
    for case, fit in fits.items():
        result = concordance(fit)
        assert result.estimate == pytest.approx(R[case]["concordance"]["c"], rel=1e-12)
        assert result.std_error == pytest.approx(R[case]["concordance"]["se"], rel=1e-10)
    assert concordance(fits["synth1000_cox_tv"], cluster=varying["id"]).std_error == pytest.approx(
        R["synth1000_cox_tv_cluster_id"]["concordance"]["se"], rel=1e-10
    )


@pytest.mark.parametrize("time_weights", ["n", "S", "S/G", "n/G2", "I"])
def test_time_weights_equal_r(lung, time_weights):
    fit = fit_cox(lung, "Surv(time, event) ~ age + sex + ph.ecog", missing="drop")
    expected = R["concordance_lung"][time_weights]
    result = concordance(fit, time_weights=time_weights)
    assert result.estimate == pytest.approx(expected["c"], rel=1e-12)
    assert result.std_error == pytest.approx(expected["se"], rel=1e-10)


def test_a_marker_equals_r(lung):
    result, expected = concordance(lung["age"], lung["time"], lung["event"]), R["concordance_lung"]["age_reverse"]
    assert result.estimate == pytest.approx(expected["c"], rel=1e-12)
    assert result.std_error == pytest.approx(expected["se"], rel=1e-10)
    assert list(result.counts.values()) == list(expected["counts"].values())


def test_weights_strata_and_time_weights_together_equal_r():
    stored = R["made_up_1"]
    fit = fit_cox(
        pd.DataFrame(stored["data"]),
        "Surv(t, e) ~ x + z + a",
        weights="w",
        weight_type="frequency",
        strata="s",
        offset="off",
    )
    for kind in ("S", "S/G", "n/G2", "I"):
        expected = stored["strata"][f"concordance_{kind}"]
        result = concordance(fit, time_weights=kind)
        assert (result.estimate, result.std_error) == pytest.approx((expected["c"], expected["se"]), rel=1e-9)


def test_what_must_not_matter():
    data = people(8)
    result = concordance(**data)
    order = np.random.default_rng(1).permutation(70)
    shuffled = concordance(**{name: values[order] for name, values in data.items()})
    stretched = concordance(
        **{**data, "source": np.exp(data["source"]), "time": data["time"] / 7, "entry": data["entry"] / 7}
    )
    turned = concordance(**{**data, "source": -data["source"]}, direction="later")
    for other in (shuffled, stretched, turned):
        assert (other.estimate, other.std_error) == pytest.approx((result.estimate, result.std_error), rel=1e-12)
    assert turned.counts == pytest.approx(result.counts)
    opposite = concordance(**data, direction="later")
    assert opposite.estimate == pytest.approx(1 - result.estimate, rel=1e-12)
    low, high = result.confidence_interval()
    assert low < result.tidy().loc[0, "estimate"] < high


def test_people_written_out_are_copies():
    data = people(3, 50)
    copies = np.random.default_rng(2).integers(1, 4, 50)
    matrix, rows = data["source"][:, None], np.repeat(np.arange(50), copies)
    fit = fit_cox_arrays(matrix, data["time"], data["event"], weights=copies, weight_type="copies")
    written = fit_cox_arrays(matrix[rows], data["time"][rows], data["event"][rows])
    one, other = concordance(fit), concordance(written)
    assert one.estimate == pytest.approx(other.estimate, rel=1e-12)
    assert one.std_error == pytest.approx(other.std_error, rel=1e-12)
    assert one.counts["tied_y"] == pytest.approx(other.counts["tied_y"])
    assert one.counts["tied_xy"] == pytest.approx(other.counts["tied_xy"])


def test_split_spells_are_the_same_person():
    data = people(5)
    data["entry"] = None
    whole = concordance(**data, cluster=np.arange(70))
    middle = np.floor(data["time"] / 2)
    twice = {name: np.concatenate((values, values)) for name, values in data.items() if values is not None}
    twice["entry"] = np.concatenate((np.zeros(70), middle))
    twice["time"] = np.concatenate((middle, data["time"]))
    twice["event"] = np.concatenate((np.zeros(70, dtype=bool), data["event"]))
    split = concordance(**twice, cluster=np.tile(np.arange(70), 2))
    assert (split.estimate, split.std_error) == pytest.approx((whole.estimate, whole.std_error), rel=1e-12)
    assert split.counts == pytest.approx(whole.counts)


def test_equal_rows_have_equal_markers():
    # A linear predictor from a blocked product differs in the last bit between equal rows, and ties vanish.
    rng = np.random.default_rng(3)
    X = rng.integers(0, 2, (1003, 3)).astype(float)
    time, event = rng.exponential(size=1003), rng.random(1003) < 0.7
    fit = fit_cox_arrays(X, time, event)
    groups = np.unique(X @ np.round(fit.coef, 12), return_inverse=True)[1]
    assert len(np.unique(groups)) == 8
    assert concordance(fit).counts["tied_x"] == concordance(groups, time, event).counts["tied_x"] > 10_000


def test_agrees_with_lifelines_where_that_is_right(lung):
    from lifelines.utils import concordance_index

    theirs = concordance_index(lung["time"], -lung["age"], lung["event"])
    assert concordance(lung["age"], lung["time"], lung["event"]).estimate == pytest.approx(theirs, rel=1e-12)


def test_infinite_markers_are_ties_and_a_stratum_may_have_no_event():
    result = concordance([np.inf, np.inf, 0, 1, 2], [1, 2, 3, 4, 5], [1, 0, 1, 0, 0], strata=[1, 1, 1, 2, 2])
    assert result.counts == {"concordant": 1, "discordant": 0, "tied_x": 1, "tied_y": 0, "tied_xy": 0}
    assert result.frame["concordant"].tolist() == [1, 0]


def test_many_strata_and_no_pairs():
    rng = np.random.default_rng(1)
    strata = np.repeat(np.arange(300), 2)
    marker, time = rng.normal(size=600), rng.permutation(600)
    result = concordance(marker, time, np.ones(600, dtype=bool), strata=strata)
    agree = (np.diff(marker.reshape(-1, 2)) * np.diff(time.reshape(-1, 2)) < 0).sum()
    assert result.counts["concordant"] == agree
    assert len(result.frame) == 300
    with pytest.raises(DesignError, match="No two people"):
        concordance([1.0, 2.0], [3, 3], [1, 1])


def test_refuses(lung):
    fit = fit_cox(lung, "Surv(time, event) ~ age")
    with pytest.raises(DesignError, match="brings its own data"):
        concordance(fit, lung["time"], lung["event"])
    with pytest.raises(DesignError, match="needs `time` and `event`"):
        concordance(lung["age"])
    with pytest.raises(DesignError, match="1 missing"):
        concordance([1.0, np.nan], [1, 2], [1, 0])
    with pytest.raises(DesignError, match="distribution of censoring"):
        concordance([1.0, 2.0], [1, 2], [1, 0], entry=[0, 0.5], time_weights="n/G2")
    with pytest.raises(DesignError, match="above 0"):
        concordance([1.0, 2.0], [1, 2], [1, 0], weights=[1, 0])
    with pytest.raises(ArgumentError, match="direction"):
        concordance([1.0, 2.0], [1, 2], [1, 0], direction="up")
    with pytest.raises(DesignError, match="`strata` must have one value"):
        concordance([1.0, 2.0], [1, 2], [1, 0], strata=[1])
