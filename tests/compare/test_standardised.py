"""Standardised differences: by hand, and the categorical one by another formula."""

import math

import numpy as np
import pandas as pd
import pytest

from rtwcohort.compare import standardised_difference
from rtwcohort.errors import ArgumentError


def test_numeric_by_hand():
    # Means 2 and 6, variances 1 and 4: 4 / sqrt(2.5).
    result = standardised_difference([1, 2, 3, 4, 6, 8], [0, 0, 0, 1, 1, 1], kind="numeric")
    assert result.value == pytest.approx(4 / math.sqrt(2.5))
    assert result.pair == ("0", "1")
    turned = pd.Categorical([0, 0, 0, 1, 1, 1], categories=[1, 0])
    assert standardised_difference([1, 2, 3, 4, 6, 8], turned, kind="numeric").value == pytest.approx(-result.value)


def test_two_categories_by_hand():
    # 28 of 56 women against 17 of 45.
    values = ["woman"] * 28 + ["man"] * 28 + ["woman"] * 17 + ["man"] * 28
    arm = ["a"] * 56 + ["b"] * 45
    p0, p1 = 28 / 56, 17 / 45
    expected = abs(p1 - p0) / math.sqrt((p0 * (1 - p0) + p1 * (1 - p1)) / 2)
    assert standardised_difference(values, arm, kind="categorical").value == pytest.approx(expected)


def people(counts):
    """One row a person from a table of counts, categories by arms."""
    pairs = [(i, j) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]
    return [f"c{i}" for i, _ in pairs], [f"arm{j}" for _, j in pairs]


def test_categorical_by_generalised_inverse():
    # All categories kept and the Moore-Penrose inverse of the mean covariance: the same distance, no category left out.
    counts = [[15, 12], [36, 31], [6, 2], [0, 3]]
    p = np.array(counts, dtype=float) / np.sum(counts, axis=0)
    spread = sum(np.diag(q) - np.outer(q, q) for q in p.T) / 2
    gap = p[:, 1] - p[:, 0]
    expected = math.sqrt(gap @ np.linalg.pinv(spread) @ gap)
    result = standardised_difference(*people(counts), kind="categorical")
    assert result.value == pytest.approx(expected, rel=1e-10)
    reordered = standardised_difference(*people(counts[::-1]), kind="categorical")
    assert reordered.value == pytest.approx(expected, rel=1e-10)


def test_more_arms_give_the_largest_pair():
    values = [1.0, 2, 3, 2, 3, 4, -4, -3, -2]
    arm = ["a"] * 3 + ["b"] * 3 + ["c"] * 3
    result = standardised_difference(values, arm, kind="numeric")
    assert result.pairs["value"].tolist() == pytest.approx([1.0, -5.0, -6.0])
    assert (result.value, result.pair) == (pytest.approx(-6.0), ("b", "c"))


def test_edges():
    same = standardised_difference([0.1, 0.1, 0.1, 0.1, 0.1], [0, 0, 0, 1, 1], kind="numeric")
    assert same.value == 0.0
    apart = standardised_difference([2, 2, 1, 1], [0, 0, 1, 1], kind="numeric")
    assert apart.value == -math.inf
    assert "infinite" in apart.note
    disjoint = standardised_difference(["x", "y", "z", "z"], [0, 0, 1, 1], kind="categorical")
    assert disjoint.value == math.inf
    assert standardised_difference(["x", "x", "x"], [0, 0, 1], kind="categorical").value == 0.0
    single = standardised_difference([1, 2, 3], [0, 0, 1], kind="numeric")
    assert math.isnan(single.value)
    assert "not computable" in single.note


def test_missing_is_counted():
    result = standardised_difference([1, 2, 3, 4, 6, 8, None], [0, 0, 0, 1, 1, 1, 1], kind="numeric")
    assert result.value == pytest.approx(4 / math.sqrt(2.5))
    assert result.n_missing == {"0": 0, "1": 1}


def test_bad_input():
    with pytest.raises(ArgumentError, match="at least two levels"):
        standardised_difference([1, 2], [0, 0], kind="numeric")
