"""Quantile regression: by hand, by trying every candidate, against R's quantreg."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, ConvergenceError
from rtwcohort.models import fit_quantile

HERE = Path(__file__).parent
R = json.loads((HERE / "reference" / "glm.json").read_text())


@pytest.fixture(scope="module")
def people():
    return pd.read_csv(HERE.parent / "data" / "person_1000.csv")


def check_loss(residual, quantile):
    return np.sum(np.where(residual < 0, quantile - 1, quantile) * residual)


def test_medians_of_two_groups_by_hand():
    # Medians 20 of (5, 20, 90) and 7 of (1, 3, 7, 8, 200): the outlier does not matter.
    people = pd.DataFrame({"days": [5, 20, 90, 1, 3, 7, 8, 200], "arm": list("aaabbbbb")})
    fit = fit_quantile(people, "days ~ arm")
    assert fit.coef == pytest.approx([20.0, -13.0], rel=1e-12)
    assert fit.describe_choices().startswith("Modelled is the median of `days`, exactly")


@pytest.mark.parametrize("quantile", [0.25, 0.5, 0.8])
def test_best_of_all_candidates(quantile):
    # The minimum lies where as many rows as coefficients are met exactly: try all.
    rng = np.random.default_rng(8)
    people = pd.DataFrame({"x": rng.normal(size=12), "z": rng.normal(size=12), "y": rng.normal(size=12)})
    X, y = np.column_stack([np.ones(12), people["x"], people["z"]]), people["y"].to_numpy()
    best = min(
        (np.linalg.solve(X[list(rows)], y[list(rows)]) for rows in itertools.combinations(range(12), 3)),
        key=lambda b: check_loss(y - X @ b, quantile),
    )
    assert fit_quantile(people, "y ~ x + z", quantile=quantile).coef == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("quantile", [0.25, 0.5, 0.75])
def test_equals_r(people, quantile):
    r = R[f"rq_{quantile}"]
    fit = fit_quantile(people, "x3 ~ x1 + x2 + b1", quantile=quantile)
    assert fit.coef == pytest.approx(r["coef"], rel=1e-8)
    assert fit.std_error == pytest.approx(r["ker"], rel=1e-8)


def test_tied_days(people):
    fit = fit_quantile(people, "time ~ x1 + b1")
    residual = people["time"] - fit.coef[0] - people[["x1", "b1"]].to_numpy() @ fit.coef[1:]
    assert check_loss(residual, 0.5) == pytest.approx(R["rq_days"]["rho"], rel=1e-12)
    several = fit_quantile(pd.DataFrame({"days": [1, 2, 3, 4], "x": [0, 0, 1, 1]}), "days ~ x", variance="iid")
    assert "one of several solutions" in several.describe_choices()


def test_shift_and_scale(people):
    fit = fit_quantile(people, "time ~ x1 + b1")
    weeks = fit_quantile(people.assign(time=people["time"] / 7 + 3), "time ~ x1 + b1")
    assert weeks.coef[1:] * 7 == pytest.approx(fit.coef[1:], rel=1e-9)
    assert weeks.std_error * 7 == pytest.approx(fit.std_error, rel=1e-6)


def test_bootstrap(people):
    few = people.iloc[:150]
    options = {"variance": "bootstrap", "n_boot": 120, "seed": 5}
    fit = fit_quantile(few, "x3 ~ x1", **options)
    assert fit.std_error == pytest.approx(fit_quantile(few, "x3 ~ x1").std_error, rel=0.5)
    np.testing.assert_array_equal(fit.vcov, fit_quantile(few, "x3 ~ x1", **options).vcov)
    # twice the same people, drawn together: as once
    twice = pd.concat([few, few])
    together = fit_quantile(twice, "x3 ~ x1", cluster="id", **options)
    np.testing.assert_allclose(together.vcov, fit.vcov, rtol=1e-6)
    apart = fit_quantile(twice, "x3 ~ x1", **options)
    assert apart.std_error[1] < 0.9 * together.std_error[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variance": "bootstrap"}, "needs `seed`"),
        ({"seed": 1}, "`seed` has no effect"),
        ({"cluster": "emp"}, "`cluster` has no effect on variance='kernel'"),
        ({"quantile": 1.0}, "`quantile` must be a number"),
        ({"variance": "robust"}, "`variance` must be one of"),
    ],
)
def test_refused(people, options, message):
    with pytest.raises(ArgumentError, match=message):
        fit_quantile(people, "x3 ~ x1", **options)
    with pytest.raises(ArgumentError, match="`exponentiate` has no meaning"):
        fit_quantile(people, "x3 ~ x1").tidy(exponentiate=True)


def test_no_density():
    people = pd.DataFrame({"days": [30] * 90 + list(range(10)), "x": np.arange(100) % 7})
    with pytest.raises(ConvergenceError, match="half of the residuals are equal"):
        fit_quantile(people, "days ~ x")
