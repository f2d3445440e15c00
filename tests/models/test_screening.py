"""Screening of predictors: against models fitted one by one, a naive bootstrap, and ridges of other packages."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from rtwcohort.design import build_design
from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models import MonotoneLikelihoodWarning, fit_cox, fit_logistic, fit_ordinal, screen_predictors
from rtwcohort.models.screening_family import outcome_of
from rtwcohort.models.screening_ridge import _folds, cross_validate, fit_ridge

HERE = Path(__file__).parent
CANDIDATES = ["x1", "x2", "b1", "b3", "y_m0"]
FAST = {"n_boot": 20, "seed": 3}


@pytest.fixture(scope="module")
def people():
    data = pd.read_csv(HERE.parent / "data" / "person_1000.csv").iloc[:300]
    return data.assign(y_m0=data["y_m0"].map({1: "not", 2: "partly", 3: "fully"}))


FITS = {
    "cox": (None, lambda d, right: fit_cox(d, f"Surv(time, event) ~ {right}")),
    "ordinal": ("y_m6", lambda d, right: fit_ordinal(d, f"y_m6 ~ {right}")),
    "logistic": ("event", lambda d, right: fit_logistic(d, f"event ~ {right}")),
}


@pytest.mark.parametrize("family", list(FITS))
def test_two_column_table(people, family):
    outcome, fit = FITS[family]
    screened = screen_predictors(people, CANDIDATES, family=family, outcome=outcome, threshold=0.2, **FAST)
    expected = []
    for term in CANDIDATES:
        alone = fit(people, term)
        p = alone.wald([term]).p_value
        if p < 0.2:
            expected.append(term)
        part = screened.table(exponentiate=False).set_index("term").loc[[term]]
        tidy = alone.tidy().set_index("term").loc[part["coefficient"]]
        np.testing.assert_allclose(part["estimate"], tidy["estimate"], rtol=1e-12)
        np.testing.assert_allclose(part["conf_low"], tidy["conf_low"], rtol=1e-12)
        row = screened.terms.set_index("term").loc[term]
        assert row["p_value"] == pytest.approx(p, rel=1e-10)
        assert row["df"] == len(part)
    assert list(screened.selected) == expected
    assert 0 < len(expected) < len(CANDIDATES), "the case must select some and leave some"
    together = fit(people, " + ".join(expected)).tidy(exponentiate=True).set_index("term")
    table = screened.table().set_index("coefficient")
    for name in table.index:
        if table.loc[name, "selected"]:
            assert table.loc[name, "adjusted_estimate"] == pytest.approx(together.loc[name, "estimate"], rel=1e-12)
            assert table.loc[name, "adjusted_p_value"] == pytest.approx(together.loc[name, "p_value"], rel=1e-12)
            assert table.loc[name, "adjusted_n"] == 300
        else:
            assert np.isnan(table.loc[name, "adjusted_estimate"])
            assert table.loc[name, "adjusted_n"] is pd.NA
    full = fit(people, " + ".join(CANDIDATES))
    np.testing.assert_allclose(screened.full.coef, full.coef, rtol=1e-12)


def test_likelihood_ratio_of_a_term_with_two_coefficients(people):
    screened = screen_predictors(people, CANDIDATES, test="lr", **FAST)
    row = screened.terms.set_index("term").loc["y_m0"]
    alone = fit_cox(people, "Surv(time, event) ~ y_m0")
    ratio = 2 * (alone.loglik - alone.loglik_null)
    assert row["statistic"] == pytest.approx(ratio, rel=1e-10)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(ratio, 2), rel=1e-10)


def harrell(risk, time, event):
    """Concordance by counting every pair."""
    good = all_pairs = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                all_pairs += 1
                good += (risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])
    return good / all_pairs


def test_bootstrap_of_the_whole_procedure(people):
    few = people.iloc[:80].reset_index(drop=True)
    terms = ["x1", "x2", "b1", "b3"]
    screened = screen_predictors(few, terms, threshold=0.3, n_boot=20, seed=11)
    rng = np.random.default_rng(11)
    counts, optimism, full_optimism, slopes = dict.fromkeys(terms, 0), [], [], []
    for _ in range(20):
        sample = few.iloc[rng.integers(0, 80, 80)].reset_index(drop=True)
        chosen = [t for t in terms if fit_cox(sample, f"Surv(time, event) ~ {t}").wald().p_value < 0.3]
        for term in chosen:
            counts[term] += 1
        for kept, store in ((chosen, optimism), (terms, full_optimism)):
            if not kept:
                store.append(0.0)
                continue
            fit = fit_cox(sample, "Surv(time, event) ~ " + " + ".join(kept))
            inside, outside = sample[kept].to_numpy() @ fit.coef, few[kept].to_numpy() @ fit.coef
            store.append(
                harrell(inside, sample["time"].to_numpy(), sample["event"].to_numpy())
                - harrell(outside, few["time"].to_numpy(), few["event"].to_numpy())
            )
            if kept is terms:
                slopes.append(1 - fit_cox(few.assign(lp=outside), "Surv(time, event) ~ lp").coef[0])
    assert screened.terms.set_index("term")["frequency"].to_dict() == pytest.approx(
        {term: count / 20 for term, count in counts.items()}
    )
    found = screened.performance.set_index(["model", "measure"])["optimism"]
    assert found["selected", "concordance"] == pytest.approx(np.mean(optimism), rel=1e-9)
    assert found["full", "concordance"] == pytest.approx(np.mean(full_optimism), rel=1e-9)
    assert found["full", "calibration_slope"] == pytest.approx(np.mean(slopes), rel=1e-6)
    apparent = screened.performance.set_index(["model", "measure"])["apparent"]
    lp = few[terms].to_numpy() @ screened.full.coef
    expected = harrell(lp, few["time"].to_numpy(), few["event"].to_numpy())
    assert apparent["full", "concordance"] == pytest.approx(expected, rel=1e-12)
    assert apparent["full", "calibration_slope"] == pytest.approx(1.0, rel=1e-6)


def test_noise_is_exposed():
    # 12 predictors without effect: the table shows "significant" ones, the bootstrap that nothing is there.
    rng = np.random.default_rng(5)
    noise = pd.DataFrame(rng.normal(size=(70, 12)), columns=[f"q{j}" for j in range(12)])
    noise["time"], noise["event"] = rng.integers(1, 100, 70), rng.integers(0, 2, 70)
    screened = screen_predictors(noise, [f"q{j}" for j in range(12)], threshold=0.2, n_boot=30, seed=1)
    row = screened.performance.set_index(["model", "measure"]).loc[("selected", "concordance")]
    assert row["apparent"] > 0.56
    assert row["corrected"] < 0.53
    slope = screened.performance.set_index(["model", "measure"]).loc[("full", "calibration_slope"), "corrected"]
    assert slope < 0.5
    assert screened.events.set_index("model").loc["candidates", "per_coefficient"] == noise["event"].sum() / 12
    assert (screened.penalised["estimate"].abs() < screened.penalised["full"].abs()).mean() > 0.9
    assert "too narrow and too small" in screened.describe_choices()


def test_missing_values(people):
    holes = people.copy()
    holes.loc[holes.index[:50], "x1"] = np.nan
    holes.loc[holes.index[40:70], "b1"] = np.nan
    with pytest.raises(DesignError, match="`x1` in 50, `b1` in 30"):
        screen_predictors(holes, CANDIDATES, **FAST)
    complete = screen_predictors(holes, CANDIDATES, missing="complete", always=["x1", "b1"], **FAST)
    assert set(complete.terms["n"]) == {230}
    assert complete.multivariable.n == 230
    same = screen_predictors(holes.iloc[70:], CANDIDATES, always=["x1", "b1"], **FAST)
    pd.testing.assert_frame_equal(complete.terms, same.terms)
    pd.testing.assert_frame_equal(complete.performance, same.performance)
    each = screen_predictors(holes, CANDIDATES, missing="per_model", always=["x1"], threshold=1e-12, **FAST)
    assert each.terms["n"].tolist() == [250, 300, 270, 300, 300]
    assert each.selected == ("x1",)
    assert each.multivariable.n == 250
    assert each.full.n == 230
    assert "230 of 300 are complete for all candidates" in each.describe_choices()


def test_splines_references_and_order_of_rows(people):
    terms = ["bs(x1, df=3)", "y_m0", "C(b1)"]
    options = {"reference": {"y_m0": "partly"}, "threshold": 0.5, **FAST}
    screened = screen_predictors(people, terms, **options)
    assert screened.terms["df"].tolist() == [3, 2, 1]
    assert "y_m0: fully" in screened.table()["coefficient"].tolist()
    again = screen_predictors(people, terms, **options)
    pd.testing.assert_frame_equal(screened.terms, again.terms)
    pd.testing.assert_frame_equal(screened.performance, again.performance)
    shuffled = screen_predictors(people.sample(frac=1, random_state=2), terms, **options)
    np.testing.assert_allclose(shuffled.table()["p_value"], screened.table()["p_value"], rtol=1e-6)


def test_effective_events(people):
    counts = people["y_m6"].value_counts().to_numpy()
    screened = screen_predictors(people, ["x1", "b1"], family="ordinal", outcome="y_m6", **FAST)
    expected = 300 - (counts**3).sum() / 300**2
    assert screened.events["effective_events"][0] == pytest.approx(expected)
    logistic = screen_predictors(people, ["x1", "b1"], family="logistic", outcome="event", **FAST)
    assert logistic.events["effective_events"][0] == min(people["event"].sum(), 300 - people["event"].sum())


def test_nothing_selected(people):
    screened = screen_predictors(people, ["x2", "x3"], threshold=1e-12, **FAST)
    assert screened.multivariable is None
    assert screened.table()["adjusted_estimate"].isna().all()
    row = screened.performance.set_index(["model", "measure"]).loc[("selected", "concordance")]
    assert (row["apparent"], row["corrected"]) == (0.5, 0.5)


def test_a_separated_candidate_is_judged_by_its_likelihood_ratio(people):
    plan = people.assign(plan=((people["event"] == 1) & (people["x2"] > 0.5)).astype(int))
    with pytest.warns(MonotoneLikelihoodWarning, match="'plan'"):
        screened = screen_predictors(plan, ["x1", "plan"], family="logistic", outcome="event", **FAST)
    assert "plan" in screened.selected
    assert screened.table().set_index("term").loc["plan", "estimate"] == np.inf
    assert screened.terms.set_index("term").loc["plan", "frequency"] == 1.0


def arrays(people, family):
    left = {"cox": "Surv(time, event)", "ordinal": "y_m6", "logistic": "event"}[family]
    kind = {"cox": "survival", "ordinal": "ordinal", "logistic": "binary"}[family]
    design = build_design(people, f"{left} ~ x1 + x2 + b1 + b3", response=kind)
    return outcome_of(family, design.response), np.ascontiguousarray(design.matrix), np.arange(len(people))


def test_ridge_cox_equals_r(people):
    r = json.loads((HERE / "reference" / "ridge.json").read_text())
    outcome, X, rows = arrays(people, "cox")
    # R divides by the standard deviation with n - 1
    coef, degrees = fit_ridge(outcome, X, rows, 40 * 300 / 299)
    assert coef == pytest.approx(r["coef"], rel=1e-7)
    assert degrees == pytest.approx(r["df"], rel=1e-6)


def test_ridge_logistic_equals_scikit_learn_in_every_fold(people):
    from sklearn.linear_model import LogisticRegression

    outcome, X, rows = arrays(people, "logistic")
    y = outcome.value

    def sklearn_ridge(X, y, penalty):
        mean, sd = X.mean(axis=0), X.std(axis=0)
        model = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000).fit((X - mean) / sd, y)
        return lambda Z: model.predict_log_proba((Z - mean) / sd), model.coef_[0] / sd

    coef, _ = fit_ridge(outcome, X, rows, 12.0)
    assert coef == pytest.approx(sklearn_ridge(X, y, 12.0)[1], rel=1e-4)
    found = cross_validate(outcome, X, rows, seed=4)
    fold = _folds(outcome, rows, 10, 4)
    for penalty, score in found.path[[3, 12, 20]]:
        total = 0.0
        for k in range(10):
            predict, _ = sklearn_ridge(X[fold != k], y[fold != k], penalty)
            left_out = predict(X[fold == k])
            total += left_out[np.arange(len(left_out)), y[fold == k].astype(int)].sum()
        assert score == pytest.approx(total, rel=1e-6)
    assert found.path[:, 1].max() == found.path[found.path[:, 0] == found.penalty, 1]


def test_ridge_ordinal_against_a_naive_maximum(people):
    outcome, X, rows = arrays(people, "ordinal")
    y, sd = outcome.value.astype(int), X.std(axis=0)

    def loss(b):
        low, high = b[0], b[0] + np.exp(b[1])
        eta = X @ b[2:]
        below = np.column_stack([1 / (1 + np.exp(eta - low)), 1 / (1 + np.exp(eta - high)), np.ones(len(y))])
        p = np.diff(np.column_stack([np.zeros(len(y)), below]), axis=1)[np.arange(len(y)), y]
        return -np.log(p).sum() + 0.5 * 15.0 * ((b[2:] * sd) ** 2).sum()

    naive = optimize.minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-7})
    coef, degrees = fit_ridge(outcome, X, rows, 15.0)
    assert coef == pytest.approx(naive.x[2:], rel=1e-3)
    assert 0 < degrees < 4
    found = cross_validate(outcome, X, rows, seed=2)
    assert np.isfinite(found.path).all()


def test_ridge_is_the_full_model_without_penalty(people):
    for family, (_, fit) in FITS.items():
        outcome, X, rows = arrays(people, family)
        coef, degrees = fit_ridge(outcome, X, rows, 1e-9)
        assert coef == pytest.approx(fit(people, "x1 + x2 + b1 + b3").coef[-4:], rel=1e-6)
        assert degrees == pytest.approx(4.0, rel=1e-6)


def test_cross_validation_of_cox_by_hand(people):
    # l(b_-k) - l_-k(b_-k), with both likelihoods from fits that start and stop at b_-k
    outcome, X, rows = arrays(people.iloc[:60], "cox")
    found = cross_validate(outcome, X, rows, seed=9, n_folds=3)
    penalty, score = found.path[8]
    fold = _folds(outcome, rows, 3, 9)

    def partial_loglik(coef, chosen):
        time, event, eta = outcome.value[chosen], outcome.event[chosen], X[chosen] @ coef
        total = 0.0
        for at in np.unique(time[event]):
            dead, risk = (time == at) & event, np.exp(eta[time >= at]).sum()
            shares = np.arange(dead.sum()) / dead.sum()
            total += eta[dead].sum() - np.log(risk - shares * np.exp(eta[dead]).sum()).sum()
        return total

    total = 0.0
    for k in range(3):
        inside = rows[fold != k]
        coef, _ = fit_ridge(outcome, X[inside], inside, float(penalty))
        total += partial_loglik(coef, rows) - partial_loglik(coef, inside)
    assert score == pytest.approx(total, rel=1e-8)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (["x1", "x2"], {"family": "linear"}, ArgumentError, "`family` must be one of"),
        (["x1", "x2"], {"family": "ordinal"}, ArgumentError, "needs `outcome`"),
        (["x1"], {}, ArgumentError, "at least two predictors"),
        ("x1", {}, ArgumentError, "must be a list of terms"),
        (["x1", "x1"], {}, ArgumentError, "twice"),
        (["x1", "x2*b1"], {}, DesignError, "is 3 terms"),
        (["x1", "x2"], {"always": ["b1"]}, ArgumentError, "`always` names 'b1'"),
        (["x1", "x2"], {"threshold": 5}, ArgumentError, "`threshold` must be a number"),
        (["x1", "x2"], {"levels": [0, 1]}, ArgumentError, "`levels` orders"),
        (["x1", "x9"], {}, DesignError, "names 'x9', which is not a column"),
    ],
)
def test_refused(people, arguments, options, error, message):
    with pytest.raises(error, match=message):
        screen_predictors(people, arguments, **(FAST | options))
