"""Declared distributions: their moments and quantiles, against SciPy and by hand."""

import numpy as np
import pytest
from scipy import stats

from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.population.copula import cholesky, correlate
from rtwcohort.simulate.population.ranks import largest_remainder, rank, stratified
from rtwcohort.simulate.population.shapes import Shape, quantile

GRID = (np.arange(20_000) + 0.5) / 20_000


@pytest.mark.parametrize(
    ("shape", "reference"),
    [
        (Shape(shape="normal", mean=45, sd=9), stats.norm(45, 9)),
        (Shape(shape="normal", mean=45, sd=9, low=20, high=62), stats.truncnorm(-25 / 9, 17 / 9, 45, 9)),
        (Shape(shape="lognormal", median=120, log_sd=0.5), stats.lognorm(0.5, scale=120)),
        (Shape(shape="uniform", low=3, high=8), stats.uniform(3, 5)),
        (Shape(shape="beta", mean=40, sd=15, low=0, high=100), stats.beta(3.8667, 5.8, 0, 100)),
    ],
)
def test_quantiles_are_those_of_the_distribution(shape, reference):
    drawn = quantile(shape, GRID)
    inner = (GRID > 0.002) & (GRID < 0.998)
    expected = reference.ppf(GRID)
    assert np.max(np.abs(drawn - expected)[inner]) < 0.002 * reference.std() + 1e-3 * np.max(np.abs(expected[inner]))


def test_lognormal_by_mean_and_sd():
    drawn = quantile(Shape(shape="lognormal", mean=100, sd=40), GRID)
    assert drawn.mean() == pytest.approx(100, rel=2e-3)
    assert drawn.std() == pytest.approx(40, rel=0.02)


def test_beta_has_its_mean_and_sd():
    drawn = quantile(Shape(shape="beta", mean=40, sd=15, low=0, high=100), GRID)
    assert drawn.mean() == pytest.approx(40, abs=0.05)
    assert drawn.std() == pytest.approx(15, abs=0.05)


def test_bands_hold_their_weights_and_both_limits():
    shape = Shape(shape="bands", bands=((1, 2, 1), (5, 5, 3)), whole=True)
    values, counts = np.unique(quantile(shape, GRID), return_counts=True)
    assert values.tolist() == [1, 2, 5]
    assert (counts / 20_000).tolist() == pytest.approx([0.125, 0.125, 0.75])


def test_whole_uniform_reaches_both_ends():
    values, counts = np.unique(quantile(Shape(shape="uniform", low=1, high=4, whole=True), GRID), return_counts=True)
    assert values.tolist() == [1, 2, 3, 4]
    assert counts.tolist() == [5000] * 4


def test_rounding():
    assert quantile(Shape(shape="fixed", value=3.14159, decimals=2), GRID[:1])[0] == 3.14
    assert quantile(Shape(shape="fixed", value=3.7, whole=True), GRID[:1])[0] == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"shape": "normal", "mean": 3}, "`sd` is missing"),
        ({"shape": "normal", "mean": 3, "sd": -1}, "`sd` must be at least 0; got -1"),
        ({"shape": "uniform", "low": 5, "high": 3}, "`low` must not be above `high`; got 5 and 3"),
        ({"shape": "lognormal", "mean": 3}, "either `median` and `log_sd`, or `mean` and `sd`"),
        ({"shape": "lognormal", "median": -3, "log_sd": 1}, "`median` of a lognormal must be above 0; got -3"),
        ({"shape": "beta", "mean": 30, "sd": 60, "low": 0, "high": 100}, "below 45.83; got 60"),
        ({"shape": "beta", "mean": 130, "sd": 6, "low": 0, "high": 100}, "between `low` and `high`; got 130"),
        ({"shape": "bands", "bands": ((3, 2, 1),)}, "[3, 2, 1]"),
        ({"shape": "bands", "bands": ((2, 3, 0),)}, "at least one weight above 0"),
    ],
)
def test_impossible_shapes(given, words):
    with pytest.raises(ScenarioError) as caught:
        Shape(**given)
    assert words in str(caught.value)


def test_cholesky_is_numpys():
    matrix = ((1.0, 0.2, -0.1), (0.2, 1.0, 0.3), (-0.1, 0.3, 1.0))
    lower = cholesky(matrix, ("a", "b", "c"))
    padded = [[*row, *[0.0] * (3 - len(row))] for row in lower]
    np.testing.assert_allclose(padded, np.linalg.cholesky(np.array(matrix)), atol=1e-14)


def test_correlated_scores_have_the_correlation():
    rng = np.random.default_rng(1)
    scores = [rng.standard_normal(200_000) for _ in range(3)]
    matrix = ((1.0, 0.5, -0.4), (0.5, 1.0, 0.1), (-0.4, 0.1, 1.0))
    found = np.corrcoef(correlate(scores, cholesky(matrix, ("a", "b", "c"))))
    np.testing.assert_allclose(found, matrix, atol=0.01)


def test_a_matrix_that_is_not_positive_definite_names_the_variable():
    matrix = ((1.0, 0.9, -0.9), (0.9, 1.0, 0.9), (-0.9, 0.9, 1.0))
    with pytest.raises(ScenarioError) as caught:
        cholesky(matrix, ("age", "income", "pain"))
    assert str(caught.value) == (
        "`matrix` must be positive definite; its smallest eigenvalue is -0.8. 'pain' is more closely tied to age, "
        "income than these are to each other: make its correlations smaller."
    )


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (((1.0, 0.5), (0.4, 1.0)), "must be symmetric; 'a' and 'b' have 0.5 and 0.4"),
        (((1.0, 1.5), (1.5, 1.0)), "correlations from -1 to 1; got 1.5 for 'a' and 'b'"),
        (((0.9, 0.5), (0.5, 1.0)), "must have 1 on its diagonal; got 0.9 for 'a'"),
        (((1.0, 0.5),), "must have 2 rows of 2 numbers"),
    ],
)
def test_matrices_that_are_none(matrix, words):
    with pytest.raises(ScenarioError) as caught:
        cholesky(matrix, ("a", "b"))
    assert words in str(caught.value)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 17, 102, 1000])
def test_ranks_are_a_shuffle_that_a_slice_knows(n):
    whole = rank(np.uint64(12345), np.arange(n), n)
    assert sorted(whole.tolist()) == list(range(n))
    part = rank(np.uint64(12345), np.arange(n // 3, n), n)
    assert part.tolist() == whole[n // 3 :].tolist()
    if n > 100:
        assert abs(np.corrcoef(whole, np.arange(n))[0, 1]) < 0.2


def test_ranks_of_other_keys_are_other_orders():
    one, two = (rank(np.uint64(key), np.arange(500), 500) for key in (1, 2))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.15


def test_stratified_uniforms_fill_every_slot_once():
    drawn = stratified(np.uint64(7), np.arange(200), np.arange(200), 200)
    assert sorted(np.floor(drawn * 200).astype(int).tolist()) == list(range(200))


@pytest.mark.parametrize(
    ("weights", "n", "expected"),
    [((57, 45), 102, [57, 45]), ((1, 1, 1), 10, [4, 3, 3]), ((2, 1), 4, [3, 1]), ((1, 0), 3, [3, 0])],
)
def test_largest_remainder(weights, n, expected):
    assert largest_remainder(weights, n) == expected
