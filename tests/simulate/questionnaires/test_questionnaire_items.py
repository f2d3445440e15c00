"""Items meet mean, spread and alpha: by enumeration, and against scipy."""

import itertools

import numpy as np
import pytest
from scipy import stats

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.questionnaires.correlation import latent_correlation, lower_root
from rtwcohort.simulate.questionnaires.items import moved_middle, solve_items
from rtwcohort.simulate.questionnaires.root import find_root


def exact(items):
    """Mean and variance of the sum, and the sum of item variances, from the full bivariate distribution of answers."""
    cuts = [
        [(step + 0.5 - items.middle) / items.width - offset for step in range(items.n_steps)]
        for offset in items.offsets
    ]
    means = [sum(stats.norm.sf(cut) for cut in row) for row in cuts]
    variances = []
    for row, mean in zip(cuts, means, strict=True):
        edges = [1.0, *stats.norm.sf(row), 0.0]
        shares = -np.diff(edges)
        variances.append(sum(share * (value - mean) ** 2 for value, share in enumerate(shares)))
    total = sum(variances)
    law = stats.multivariate_normal([0, 0], [[1, items.loading**2], [items.loading**2, 1]])
    for one, two in itertools.permutations(range(len(cuts)), 2):
        both = sum(law.cdf([-a, -b]) for a in cuts[one] for b in cuts[two])
        total += both - means[one] * means[two]
    return sum(means), total, sum(variances)


@pytest.mark.parametrize(
    ("n_items", "n_steps", "mean", "sd", "alpha", "spread"),
    [(2, 1, 0.7, np.sqrt(0.455 / 0.75), 0.5, 0.0), (3, 3, 5.0, 2.2, 0.8, 0.3), (4, 2, 6.5, 1.4, 0.6, 0.5)],
)
def test_targets_are_met_by_the_exact_distribution(n_items, n_steps, mean, sd, alpha, spread):
    items = solve_items(n_items, n_steps, mean, sd, alpha, spread, "these")
    found_mean, total, of_items = exact(items)
    assert found_mean == pytest.approx(mean, abs=1e-8)
    assert total == pytest.approx(sd**2, abs=2e-4)
    assert n_items / (n_items - 1) * (1 - of_items / total) == pytest.approx(alpha, abs=2e-4)
    assert items.loading**2 + items.rest**2 == pytest.approx(1)


def test_the_slope_is_the_covariance_with_the_trait():
    items = solve_items(3, 3, 5.0, 2.2, 0.8, 0.3, "these")
    trait = np.linspace(-8, 8, 4001)
    given = sum(stats.norm.cdf((items.loading * trait - cut) / items.rest) for row in items.thresholds() for cut in row)
    assert items.slope == pytest.approx(np.trapezoid(trait * given * stats.norm.pdf(trait), trait), abs=1e-8)


def test_two_alike_items_by_hand():
    # Two yes/no items, half say yes, alpha 2/3: covariance 1/8 of variance 1/4, so correlation 1/2; the tetrachoric
    # correlation with that is sin(pi / 2 * 1/2) = sqrt(1/2). Variance of the sum 1/4 + 1/4 + 2/8.
    items = solve_items(2, 1, 1.0, np.sqrt(0.75), 2 / 3, 0.0, "these")
    assert items.loading**2 == pytest.approx(np.sqrt(0.5), abs=1e-8)


def test_shares_add_up():
    items = solve_items(7, 6, 22.0, 9.0, 0.8, 0.3, "these")
    shares = items.shares()
    assert shares.shape == (7, 7)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert (shares * np.arange(7)).sum() == pytest.approx(22)


def test_another_mean_with_the_same_width():
    items = solve_items(7, 6, 22.0, 9.0, 0.8, 0.3, "these")
    middle = moved_middle(items, 17.0)
    cuts = (np.arange(6) + 0.5 - middle) / items.width - np.asarray(items.offsets)[:, None]
    assert stats.norm.sf(cuts).sum() == pytest.approx(17)
    assert moved_middle(items, 43.0) is None


@pytest.mark.parametrize(
    ("mean", "sd", "alpha", "message"),
    [
        (21.0, 21.5, 0.99, "alpha too high for items that differ this much|the sd is too large"),
        (21.0, 21.0, 0.3, "the sd is too large or alpha too low"),
        (22.0, 2.0, 0.95, "the sd is too small or alpha too high"),
    ],
)
def test_impossible_targets(mean, sd, alpha, message):
    with pytest.raises(ArgumentError, match=message):
        solve_items(7, 6, mean, sd, alpha, 0.3, "FABQ-W")


def test_latent_correlation_from_that_of_scores():
    one = solve_items(3, 3, 5.0, 2.2, 0.8, 0.3, "one")
    two = solve_items(2, 4, 3.0, 2.0, 0.7, 0.0, "two")
    r = latent_correlation(one, two, 2.2, 2.0, 0.4)
    law = stats.multivariate_normal([0, 0], [[1, r * one.loading * two.loading], [r * one.loading * two.loading, 1]])
    cuts = [items.thresholds() for items in (one, two)]
    both = sum(law.cdf([-a, -b]) for a in cuts[0].ravel() for b in cuts[1].ravel())
    covariance = both - 5.0 * 3.0
    assert covariance / (2.2 * 2.0) == pytest.approx(0.4, abs=1e-4)
    assert r == pytest.approx(0.4 / np.sqrt(0.8 * 0.7), abs=0.03)
    assert latent_correlation(one, two, 2.2, 2.0, 0.9) is None


def test_root_of_a_matrix():
    matrix = [[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]]
    assert np.allclose(lower_root(matrix, "abc", "These"), np.linalg.cholesky(matrix))
    bad = [[1.0, 0.9, 0.1], [0.9, 1.0, 0.95], [0.1, 0.95, 1.0]]
    with pytest.raises(
        ArgumentError, match=r"These are not positive definite: the smallest eigenvalue is -0\.\d+.*b and"
    ):
        lower_root(bad, ["a", "b", "c"], "These")


def test_roots():
    assert find_root(lambda x: x**3 - 2, 0, 5, tolerance=1e-14) == pytest.approx(2 ** (1 / 3))
    assert find_root(lambda x: np.tanh(1e6 * (x - 0.3)), 0, 1, tolerance=1e-12) == pytest.approx(0.3, abs=1e-9)
    assert find_root(lambda x: x + 1, 0, 5, tolerance=1e-12) is None
