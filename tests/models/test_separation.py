"""Separation by linear programming against what a likelihood does when it is climbed for long."""

import numpy as np
import pytest

from rtwcohort.models.separation import find_separation


def climbs_for_ever(X, y):
    """Whether plain gradient steps still move far out, on a logistic likelihood."""
    b = np.zeros(X.shape[1])
    sizes = []
    for step in range(40_000):
        b = b + 0.4 * X.T @ (y - 1 / (1 + np.exp(-X @ b))) / len(y)
        if step in (20_000, 39_999):
            sizes.append(np.abs(b).max())
    return sizes[1] > sizes[0] + 0.1


def draw(rng):
    """Nine rows with both outcomes and predictors of full rank."""
    while True:
        X = np.column_stack([np.ones(9), rng.integers(0, 2, 9), rng.integers(0, 3, 9)]).astype(float)
        y = rng.integers(0, 2, 9).astype(float)
        if y.min() < y.max() and np.linalg.matrix_rank(X) == 3:
            return X, y


@pytest.mark.parametrize("seed", range(8))
def test_random_small_data(seed):
    X, y = draw(np.random.default_rng(seed))
    found = find_separation(X, np.where(y == 1, 1.0, -1.0))
    assert (found is not None) == climbs_for_ever(X, y)
    if found is not None:
        pull = np.where(y == 1, 1.0, -1.0) * (X @ found.direction)
        assert (pull > -1e-7).all()
        assert (pull[~found.overlapping] > 1e-7).all()
        assert np.abs(pull[found.overlapping]).max(initial=0.0) < 1e-7


def test_rows_separated_in_different_directions_are_all_found():
    X = np.column_stack([np.ones(8), [1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0]]).astype(float)
    y = np.array([1, 1, 0, 0, 1, 0, 1, 0])
    found = find_separation(X, np.where(y == 1, 1.0, -1.0))
    assert found.overlapping.tolist() == [False] * 4 + [True] * 4
    assert np.sign(found.direction).tolist() == [0.0, 1.0, -1.0]


def test_counts_pull_one_way_only_at_zero():
    X = np.column_stack([np.ones(4), [0, 0, 1, 1]]).astype(float)
    assert find_separation(X, np.array([0.0, -1.0, 0.0, -1.0])) is None
    found = find_separation(X, np.array([0.0, -1.0, -1.0, -1.0]))
    assert np.sign(found.direction).tolist() == [0.0, -1.0]
    assert find_separation(X, np.zeros(4)) is None
