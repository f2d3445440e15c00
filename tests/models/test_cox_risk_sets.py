"""Strata, delayed entry, weights and offset: a naive likelihood, algebra, and what must not matter."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import DesignError
from rtwcohort.models import fit_cox, fit_cox_arrays
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_kernel import order_risk_sets
from rtwcohort.models.cox_variance import score_residuals


def naive(data, beta, *, efron):
    """O(n^2): log-likelihood, score residual of each row and information, event by event as in a textbook."""
    X, time, event = data.matrix, data.time, data.event
    n, p = X.shape
    entry = np.full(n, -np.inf) if data.entry is None else data.entry
    stratum = np.zeros(n) if data.strata is None else data.strata
    weight = np.ones(n) if data.weights is None else data.weights
    eta = X @ beta + (0.0 if data.offset is None else data.offset)
    hazard = np.exp(eta)
    loglik, residual, information = 0.0, np.zeros((n, p)), np.zeros((p, p))
    for s in np.unique(stratum):
        for t in np.unique(time[event & (stratum == s)]):
            at_risk = (stratum == s) & (entry < t) & (time >= t)
            dead = at_risk & event & (time == t)
            d, mean_weight = dead.sum(), weight[dead].mean()
            loglik += weight[dead] @ eta[dead]
            for tie in range(d):
                share = at_risk - (tie / d) * dead if efron else at_risk.astype(float)
                total = (share * weight * hazard).sum()
                p_i = share * weight * hazard / total
                mean = p_i @ X
                loglik -= mean_weight * np.log(total)
                information += mean_weight * (X - mean).T @ np.diag(p_i) @ (X - mean)
                residual[dead] += (X[dead] - mean) / d
                residual -= (mean_weight * share * hazard / total)[:, None] * (X - mean)
    return loglik, residual, information


def made_up(seed, *, n=90, p=3, whole=True, strata=True, entry=True, weights=True, offset=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, -1] = X[:, -1] > 0
    time = rng.integers(2, 12, n) + (0.0 if whole else rng.random(n))
    event = rng.random(n) < 0.6
    event[0] = True
    return CoxData(
        X,
        time.astype(float),
        event,
        np.floor(rng.random(n) * time) if entry else None,
        rng.integers(0, 4, n) if strata else None,
        (),
        0.1 + 3.0 * rng.random(n) if weights else None,
        "frequency",
        2.0 * rng.normal(size=n) if offset else None,
    )


ALL = {"strata": True, "entry": True, "weights": True, "offset": True}
COMBINATIONS = [ALL, {**ALL, "whole": False}] + [
    {name: name == only for name in ALL} for only in ("strata", "entry", "weights", "offset", "none")
]


@pytest.mark.parametrize("efron", [True, False])
@pytest.mark.parametrize("options", COMBINATIONS)
@pytest.mark.parametrize("size", [1.0, 6.0])
def test_kernel_equals_naive(efron, options, size):
    data = made_up(5, **options)
    beta = size * np.array([0.5, -1.0, 0.2])
    likelihood = data.likelihood("efron" if efron else "breslow")
    loglik, score, information = likelihood(beta * likelihood.scale)
    expected = naive(data, beta, efron=efron)
    scale = likelihood.scale
    weight = np.ones(data.time.size) if data.weights is None else data.weights
    assert loglik == pytest.approx(expected[0], rel=1e-11)
    np.testing.assert_allclose(score * scale, weight @ expected[1], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(information * scale * scale[:, None], expected[2], rtol=1e-8, atol=1e-9)
    residuals = score_residuals(data, beta, ties="efron" if efron else "breslow")
    np.testing.assert_allclose(residuals, expected[1], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_score_and_information_are_the_derivatives(ties):
    data = made_up(6, n=60, weights=ties != "exact")
    likelihood = data.evaluator(ties)
    beta, step = np.array([0.3, -0.4, 0.1]), 1e-5
    _, score, information = likelihood(beta)
    for j in range(3):
        move = step * np.eye(3)[j]
        up, down = likelihood(beta + move), likelihood(beta - move)
        assert (up[0] - down[0]) / (2 * step) == pytest.approx(score[j], rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(-(up[1] - down[1]) / (2 * step), information[j], rtol=1e-6, atol=1e-6)


def test_who_is_at_risk_by_hand():
    # Events at 2, 4 and 5. Rows (entry, exit]: a (0,2]* b (2,4]* c (0,4] d (4,5]* e (1,3] f (0,1].
    #   at 2: a, c, e    (b enters at 2 and is not at risk then; f has left)
    #   at 4: b, c       (d enters at 4 and is not)
    #   at 5: d alone
    entry = np.array([0.0, 2, 0, 4, 1, 0])
    time = np.array([2.0, 4, 4, 5, 3, 1])
    event = np.array([True, True, False, True, False, False])
    sets = order_risk_sets(time, event, entry=entry)
    assert sets.times.tolist() == [5.0, 4.0, 2.0]
    at_risk = {}
    for g, t in enumerate(sets.times):
        inside = (sets.leave > g) & (np.arange(sets.order.size) < sets.start[g + 1])
        at_risk[t] = sorted("abcdef"[i] for i in sets.order[inside])
    assert at_risk == {5.0: ["d"], 4.0: ["b", "c"], 2.0: ["a", "c", "e"]}


def test_entry_at_an_event_time_by_hand():
    # x: a 1, b 1, c 0, d 1, e 0 at the times above. With r = exp(b) the factors are r/(r + 2), r/(r + 1) and 1, so
    #   score = 2 - r/(r + 2) - r/(r + 1) = 2/(r + 2) + 1/(r + 1) > 0 for every r: monotone. With c's x = 1 and b's 0,
    #   factors r/(2r + 1) and 1/(r + 1): score = 1 - 2r/(2r + 1) - r/(r + 1) = 0  <=>  2 r^2 = 1.
    X = np.array([[1.0], [0], [1], [1], [0], [0]])
    entry = np.array([0.0, 2, 0, 4, 1, 0])
    time = np.array([2.0, 4, 4, 5, 3, 1])
    event = np.array([True, True, False, True, False, False])
    for ties in ("efron", "breslow", "exact"):
        fit = fit_cox_arrays(X, time, event, entry=entry, ties=ties)
        assert fit.coef[0] == pytest.approx(-np.log(2) / 2, rel=1e-10)


def test_weights_by_hand():
    # Two people tied at 1 with weights 1 and 3, x 1 and 0, one more at risk with weight 2, x 0. With r = exp(b):
    #   Breslow: b - 4 log(r + 5)                       score 1 - 4r/(r + 5) = 0  <=>  r = 5/3
    #   Efron:   b - 2 log(r + 5) - 2 log(r/2 + 7/2)    score 1 - 2r/(r + 5) - 2r/(r + 7) = 0  <=>  3r^2 + 12r - 35 = 0
    #   copies:  as if four people died, r/4 of a quarter each: b - sum over l = 0..3 of log(r + 5 - (l/4)(r + 3))
    X, time, event = np.array([[1.0], [0], [0]]), np.ones(3), np.array([True, True, False])
    weights = np.array([1.0, 3, 2])
    fit = fit_cox_arrays(X, time, event, weights=weights, ties="breslow")
    assert fit.coef[0] == pytest.approx(np.log(5 / 3), rel=1e-10)
    fit = fit_cox_arrays(X, time, event, weights=weights, ties="efron")
    assert fit.coef[0] == pytest.approx(np.log((-12 + np.sqrt(144 + 420)) / 6), rel=1e-10)
    fit = fit_cox_arrays(X, time, event, weights=weights, ties="efron", weight_type="copies")
    r, fractions = np.exp(fit.coef[0]), np.arange(4) / 4
    assert ((1 - fractions) * r / (r + 5 - fractions * (r + 3))).sum() == pytest.approx(1.0, rel=1e-9)
    written = np.repeat(np.arange(3), [1, 3, 2])
    out = fit_cox_arrays(X[written], time[written], event[written])
    assert (fit.n, fit.n_events) == (out.n, out.n_events) == (6, 4)
    np.testing.assert_allclose(fit.vcov, out.vcov, rtol=1e-8)


@pytest.fixture
def spells():
    rng = np.random.default_rng(12)
    n = 160
    frame = pd.DataFrame({"id": np.arange(n), "x": rng.normal(size=n).round(2), "z": rng.choice(["a", "b"], n)})
    frame["stop"] = rng.integers(2, 30, n)
    frame["start"] = (rng.random(n) * frame["stop"] * 0.5).astype(int)
    frame["event"] = rng.random(n) < 0.6
    frame["unit"] = rng.integers(0, 3, n)
    frame["w"] = rng.integers(1, 4, n)
    return frame


FORMULA = "Surv(start, stop, event) ~ x + z"


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_what_does_not_matter(spells, ties):
    fit = fit_cox(spells, FORMULA, ties=ties, strata="unit")
    shuffled = spells.sample(frac=1, random_state=2)
    middle = (spells["start"] + spells["stop"]) / 2
    halves = [spells.assign(stop=middle, event=False), spells.assign(start=middle)]
    others = {
        "row order": fit_cox(shuffled, FORMULA, ties=ties, strata="unit"),
        "labels": fit_cox(
            spells.assign(unit=spells["unit"].map({0: "z", 1: "b", 2: "m"})), FORMULA, ties=ties, strata="unit"
        ),
        "split spells": fit_cox(pd.concat(halves), FORMULA, ties=ties, strata="unit"),
        "unit of time": fit_cox(
            spells.assign(start=spells["start"] / 7, stop=spells["stop"] / 7), FORMULA, ties=ties, strata="unit"
        ),
        "constant offset": fit_cox(spells.assign(o=1e3), FORMULA, ties=ties, strata="unit", offset="o"),
        "a stratum without events": fit_cox(
            pd.concat([spells, spells.head(9).assign(unit=7, event=False)]), FORMULA, ties=ties, strata="unit"
        ),
    }
    for what, other in others.items():
        np.testing.assert_allclose(other.coef, fit.coef, rtol=1e-9, err_msg=what)
        np.testing.assert_allclose(other.vcov, fit.vcov, rtol=1e-8, err_msg=what)
        assert other.loglik == pytest.approx(fit.loglik, rel=1e-11), what


def test_an_offset_is_a_known_coefficient(spells):
    fit = fit_cox(spells, FORMULA)
    known = fit_cox(spells.assign(o=fit.coef[0] * spells["x"]), "Surv(start, stop, event) ~ z", offset="o")
    assert known.coef[0] == pytest.approx(fit.coef[1], rel=1e-8)
    assert known.loglik == pytest.approx(fit.loglik, rel=1e-11)


def test_strata_add_up(spells):
    # Stratum-specific effects of a stratified fit are the fits of the strata, and log-likelihoods add.
    parts = [fit_cox(part, FORMULA) for _, part in spells.groupby("unit")]
    spells = spells.assign(z=(spells["z"] == "b").astype(float))
    both = fit_cox(spells, "Surv(start, stop, event) ~ x:C(unit) + z:C(unit) + x + z", strata="unit")
    assert both.loglik == pytest.approx(sum(part.loglik for part in parts), rel=1e-11)
    assert both.coef[both.terms.index("x")] == pytest.approx(parts[0].coef[0], rel=1e-8)


def test_entry_at_zero_is_no_entry(spells):
    plain = fit_cox(spells, "Surv(stop, event) ~ x + z", cluster="unit", weights="w", weight_type="frequency")
    zero = fit_cox(spells.assign(start=0), FORMULA, cluster="unit", weights="w", weight_type="frequency")
    np.testing.assert_allclose(zero.coef, plain.coef, rtol=1e-10)
    np.testing.assert_allclose(zero.vcov, plain.vcov, rtol=1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("cluster", [None, "unit"])
@pytest.mark.parametrize("compat", [None, "stata"])
def test_robust_variance_of_copies_is_that_of_rows_written_out(spells, ties, cluster, compat):
    counts = np.arange(len(spells)) % 3 + 1
    rows = spells.loc[np.repeat(spells.index, counts)]
    options = {"ties": ties, "cluster": cluster, "compat": compat, "variance": "robust"}
    one = fit_cox(spells.assign(k=counts), FORMULA, weights="k", weight_type="copies", **options)
    out = fit_cox(rows, FORMULA, **options)
    np.testing.assert_allclose(one.coef, out.coef, rtol=1e-8)
    np.testing.assert_allclose(one.vcov, out.vcov, rtol=1e-7)
    assert one.score_test("robust").statistic == pytest.approx(out.score_test("robust").statistic, rel=1e-7)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_weights_of_two_and_their_scale(spells, ties):
    fit = fit_cox(spells, FORMULA, ties=ties)
    double = fit_cox(spells.assign(w=2), FORMULA, ties=ties, weights="w")
    twice = fit_cox(pd.concat([spells, spells]), FORMULA, ties=ties)
    copies = fit_cox(spells.assign(w=2), FORMULA, ties=ties, weights="w", weight_type="copies")
    np.testing.assert_allclose(double.coef, fit.coef, rtol=1e-9)
    np.testing.assert_allclose(double.vcov * 2, fit.vcov, rtol=1e-8)
    np.testing.assert_allclose(copies.coef, twice.coef, rtol=1e-9)
    np.testing.assert_allclose(copies.vcov, twice.vcov, rtol=1e-8)
    assert (copies.n, copies.n_events) == (twice.n, twice.n_events)
    if ties == "breslow":
        np.testing.assert_allclose(double.vcov, twice.vcov, rtol=1e-8)
    # Probability weights: the sandwich does not depend on their unit.
    small = fit_cox(spells.assign(w=spells["w"] / 3), FORMULA, ties=ties, weights="w", weight_type="probability")
    large = fit_cox(spells, FORMULA, ties=ties, weights="w", weight_type="probability")
    np.testing.assert_allclose(small.vcov, large.vcov, rtol=1e-8)
    assert large.choices.variance == "robust"


@pytest.mark.parametrize("many", [False, True])
def test_many_strata_number_alike(many):
    # Matched pairs: as many strata as pairs (searched), against the same through a table.
    data = made_up(8, n=400, weights=False, offset=False)
    pairs = np.repeat(np.arange(200), 2) if many else np.repeat(np.arange(2), 200)
    fit = fit_cox_arrays(data.matrix, data.time, data.event, entry=data.entry, strata=pairs)
    likelihood = CoxData(data.matrix, data.time, data.event, data.entry, pairs)
    loglik, residual, _ = naive(likelihood, fit.coef, efron=True)
    assert fit.loglik == pytest.approx(loglik, rel=1e-11)
    np.testing.assert_allclose(residual.sum(axis=0), 0.0, atol=1e-8)


def test_a_giant_who_leaves_takes_no_digits_along():
    # One row has exp(26) times the hazard of the others and leaves; the sums that remain are counted anew.
    data = made_up(9, n=60, strata=False, weights=False, offset=False)
    data.matrix[7, 0] = 26.0
    data.entry[7], data.time[7], data.event[7] = 5.0, 11.5, False
    beta = np.array([1.0, 0.0, 0.0])
    likelihood = data.likelihood("efron")
    loglik, score, information = likelihood(beta * likelihood.scale)
    expected = naive(data, beta, efron=True)
    assert loglik == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(score * likelihood.scale, expected[1].sum(axis=0), rtol=1e-9)
    np.testing.assert_allclose(information * likelihood.scale * likelihood.scale[:, None], expected[2], rtol=1e-7)
    np.testing.assert_allclose(score_residuals(data, beta), expected[1], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry": [0, 0, 3, 0]}, "`entry` is not before `time` in 1 row"),
        ({"entry": [0, 0, 3 - 1e-10, 0]}, "exit but for rounding in 1 rows"),
        ({"entry": [0, 0, np.nan, 0]}, "`entry` is missing"),
        ({"weights": [1, 1, 0, 1]}, "`weights` must be above 0; 1 rows are not"),
        ({"weights": [1, 1, np.nan, 1]}, "`weights` is missing or infinite in 1 rows"),
        ({"weights": [1, 1]}, "`weights` must have one number a row"),
        ({"offset": [1, np.inf, 2, 3]}, "`offset` is missing or infinite"),
        ({"strata": [1.0, np.nan, 1, 2]}, "`strata` is missing in 1 rows"),
        ({"cluster": [1, 1, 1, 1]}, "one cluster"),
        ({"cluster": ["a", 1, "b", 2]}, "mixes numbers, text or missing"),
        ({"cluster": ["a", "b", None, "c"]}, "`cluster` is missing in 1 rows"),
        ({"cluster": np.array([5, np.nan, 7, np.nan], dtype=object)}, "`cluster` is missing in 2 rows"),
        ({"strata": np.array(["2024-01-01", "NaT", "NaT", "NaT"], dtype="datetime64[D]")}, "is missing in 3 rows"),
    ],
)
def test_bad_arrays_are_named(change, message):
    X, time, event = np.array([[1.0], [0], [1], [0]]), [1.5, 2, 3, 4], [True, True, False, True]
    change = {
        k: v if isinstance(v, np.ndarray) else np.array(v, object if "a" in v else float) for k, v in change.items()
    }
    with pytest.raises(DesignError, match=message):
        fit_cox_arrays(X, time, event, **change)


def test_whole_days_are_counted_to_the_same_order():
    # Half a day later they are no whole days, and are sorted.
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(5, 300))
        time = np.minimum(np.floor(rng.exponential(size=n) * rng.integers(1, 20)), n - 1.0)
        event = rng.random(n) < rng.random()
        event[0] = True
        counted, ordered = order_risk_sets(time, event), order_risk_sets(time + 0.5, event)
        np.testing.assert_array_equal(counted.times + 0.5, ordered.times)
        for one, two in zip(counted._replace(times=None), ordered._replace(times=None), strict=True):
            if one is not None:
                np.testing.assert_array_equal(one, two)
                assert one.dtype == two.dtype
