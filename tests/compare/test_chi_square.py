"""Pearson's chi-square: a naive loop, R, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.compare import chi_square, two_by_two
from rtwcohort.errors import ArgumentError


def naive(counts):
    """The other textbook form: n (sum O^2 / (row total x column total) - 1)."""
    total = sum(sum(row) for row in counts)
    columns = [sum(row[j] for row in counts) for j in range(len(counts[0]))]
    return total * (sum(c * c / (sum(row) * columns[j]) for row in counts for j, c in enumerate(row)) - 1)


def test_naive_loop():
    rng = np.random.default_rng(1)
    for shape in [(2, 2), (3, 2), (4, 5)]:
        counts = rng.integers(1, 40, shape)
        result = chi_square(counts)
        assert result.statistic == pytest.approx(naive(counts.tolist()), rel=1e-12)
        assert result.df == (shape[0] - 1) * (shape[1] - 1)
        assert result.expected.to_numpy().sum() == pytest.approx(counts.sum())


def test_worked_by_hand_and_equal_to_two_by_two():
    result = chi_square([[30, 70], [20, 80]])
    assert result.statistic == pytest.approx(8 / 3)
    assert result.smallest_expected == 25.0
    assert result.note == ""
    assert result.p_value == pytest.approx(two_by_two(30, 70, 20, 80).chi_square_p)
    # Yates by hand: |O - E| = 5 becomes 4.5 in each cell.
    assert chi_square([[30, 70], [20, 80]], correction=True).statistic == pytest.approx(2 * 4.5**2 * (1 / 25 + 1 / 75))


def test_against_r():
    # R 4.2.2: chisq.test(m, correct = FALSE); chisq.test(m)$p.value with m = rbind(c(22, 21), c(16, 30))
    assert chi_square([[22, 21], [16, 30]]).p_value == pytest.approx(0.1184838, abs=1e-7)
    corrected = chi_square([[22, 21], [16, 30]], correction=True)
    assert corrected.statistic == pytest.approx(1.813733903, abs=1e-9)
    assert corrected.p_value == pytest.approx(0.1780609615, abs=1e-9)
    # R 4.2.2: chisq.test(rbind(c(11, 4), c(42, 39), c(1, 0), c(3, 2)))
    table = chi_square([[11, 4], [42, 39], [1, 0], [3, 2]])
    assert table.statistic == pytest.approx(3.210448343, abs=1e-9)
    assert table.p_value == pytest.approx(0.3603022965, abs=1e-9)
    assert table.smallest_expected == pytest.approx(0.4411764706, abs=1e-9)


def test_yates_never_overshoots():
    # |O - E| is below one half: the corrected statistic is 0, not a small positive number.
    assert chi_square([[10, 10], [10, 11]], correction=True).statistic == 0.0


def test_small_expected_counts_are_said():
    assert "Fisher" in chi_square([[1, 9], [3, 7]]).note
    large = chi_square([[11, 4], [42, 39], [1, 0], [3, 2]]).note
    assert large.startswith("4 of 8 expected counts are under 5")
    assert "Fisher" not in large


def test_empty_rows_and_columns_are_dropped_and_named():
    counts = pd.DataFrame(
        [[5, 0, 7], [0, 0, 0], [9, 0, 3]], index=["a", "b", "c"], columns=["first", "second", "third"]
    )
    before = counts.copy()
    result = chi_square(counts)
    assert result.dropped_rows == ("b",)
    assert result.dropped_columns == ("second",)
    assert result.df == 1
    assert result.statistic == pytest.approx(naive([[5, 7], [9, 3]]))
    assert result.expected.index.tolist() == ["a", "c"]
    assert "rows without anybody dropped: b" in result.note
    pd.testing.assert_frame_equal(counts, before)


def test_far_tail_is_not_zero():
    assert 0.0 < chi_square([[1000, 0], [0, 200]]).p_value < 1e-200


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([[1, 2], [3, -4]], "whole numbers of at least 0; got -4"),
        ([[1, 2], [3, 4.5]], "Give counts, not percentages"),
        ([[1, 2], [3, np.nan]], "must not have missing"),
        ([["a", 2], [3, 4]], "not numeric"),
        ([[1, 2], [0, 0]], "at least two rows and two columns that hold anybody; got 1 rows"),
        ([[1, 2, 3]], "at least two rows"),
    ],
)
def test_bad_input(counts, message):
    with pytest.raises(ArgumentError, match=message):
        chi_square(counts)


def test_correction_is_for_two_by_two():
    with pytest.raises(ArgumentError, match="two-by-two tables only; got 3 by 2"):
        chi_square([[1, 2], [3, 4], [5, 6]], correction=True)
