"""An attacker who adds, subtracts and reasons about the marks finds no small count."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from rtwcohort.errors import ArgumentError
from rtwcohort.report.disclosure import (
    SECONDARY,
    SHOWN,
    SMALL,
    UNSIZED,
    Suppression,
    audit_frame,
    is_small,
    mark,
    withhold_groups,
    withhold_line,
    withhold_table,
)


def published(table: np.ndarray, pattern: Suppression) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, int]]]:
    """Return the printed equations over the cells, and (coefficients, value) of every hidden number."""
    n_rows, n_columns = table.shape
    numbers = []
    for row, column in itertools.product(range(n_rows), range(n_columns)):
        numbers.append((pattern.cells[row, column], unit(table.shape, row, column)))
    for row in range(n_rows):
        numbers.append((pattern.rows[row], unit(table.shape, row, slice(None))))
    for column in range(n_columns):
        numbers.append((pattern.columns[column], unit(table.shape, slice(None), column)))
    numbers.append((pattern.total, unit(table.shape, slice(None), slice(None))))
    flat = table.ravel()
    shown = [(c, int(c @ flat)) for code, c in numbers if code == SHOWN]
    hidden = [(code, c, int(c @ flat)) for code, c in numbers if code != SHOWN]
    left = np.array([c for c, _ in shown]).reshape(len(shown), flat.size)
    right = np.array([v for _, v in shown], dtype=float)
    return left, right, hidden


def unit(shape, row, column):
    array = np.zeros(shape)
    array[row, column] = 1.0
    return array.ravel()


def found_by_subtraction(left: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether any combination of printed numbers, with any signs and weights, gives the wanted one."""
    if not len(left):
        return False
    weights, *_ = np.linalg.lstsq(left.T, wanted, rcond=None)
    return bool(np.allclose(left.T @ weights, wanted, atol=1e-8))


def possible_range(left, right, hidden, wanted, threshold):
    """Least and most that a hidden number can be, to one who also knows that counts are not negative and the marks."""
    rows, limits = [], []
    for code, c, _ in hidden:
        if code == SMALL:
            rows += [c, -c]
            limits += [threshold - 1, -1]
        if code == SECONDARY:
            rows.append(-c)
            limits.append(-threshold)
    known = {"A_eq": left, "b_eq": right} if len(left) else {}
    bounds = {"A_ub": np.array(rows), "b_ub": np.array(limits, dtype=float)} if rows else {}
    ends = []
    for sign in (1.0, -1.0):
        answer = linprog(sign * wanted, **known, **bounds, bounds=(0, None))
        ends.append(answer.x @ wanted if answer.status == 0 else np.inf)
        assert answer.status in (0, 3), answer.message
    return round(ends[0], 6), round(ends[1], 6)


def random_table(rng: np.random.Generator) -> np.ndarray:
    shape = rng.integers(1, 8), rng.integers(1, 5)
    scale = rng.choice([0.6, 2.0, 5.0, 12.0, 60.0])
    table = rng.poisson(scale * rng.gamma(0.8, size=shape))
    return table if rng.random() < 0.8 else rng.integers(0, 8, size=shape)


def test_every_small_number_of_thousands_of_tables_is_withheld_and_cannot_be_found_by_subtraction() -> None:
    rng = np.random.default_rng(20240501)
    n_small = 0
    for _ in range(2000):
        table, threshold = random_table(rng), int(rng.choice([2, 3, 5, 5, 5, 10]))
        dear = rng.random(len(table)) < 0.3
        left, _, hidden = published(table, withhold_table(table, threshold, dear_rows=dear))
        hidden_values = sorted(value for _, _, value in hidden if 0 < value < threshold)
        margins = [*table.ravel(), *table.sum(0), *table.sum(1), table.sum()]
        assert hidden_values == sorted(v for v in margins if 0 < v < threshold)
        for _, wanted, value in hidden:
            if 0 < value < threshold:
                n_small += 1
                assert not found_by_subtraction(left, wanted), (table, threshold)
    assert n_small > 6_000


def test_an_attacker_who_also_uses_the_marks_is_left_with_more_than_one_value() -> None:
    rng = np.random.default_rng(7)
    n_small = 0
    for _ in range(120):
        table, threshold = random_table(rng), 5
        pattern = withhold_table(table, threshold)
        left, right, hidden = published(table, pattern)
        for _, wanted, value in hidden:
            if 0 < value < threshold:
                n_small += 1
                least, most = possible_range(left, right, hidden, wanted, threshold)
                assert most - least >= 1, (table, pattern, value)
    assert n_small > 250


def test_the_attacker_of_this_file_does_find_a_cell_that_is_only_withheld_by_itself() -> None:
    table = np.array([[3, 25], [54, 20]])
    cells = np.where(table < 5, SMALL, SHOWN)
    naive = Suppression(cells, np.zeros(2, int), np.zeros(2, int), SHOWN)
    left, _, hidden = published(table, naive)
    assert found_by_subtraction(left, hidden[0][1])


def test_sums_of_withheld_cells_in_a_line_are_not_small_either() -> None:
    rng = np.random.default_rng(11)
    for _ in range(500):
        table = random_table(rng)
        pattern = withhold_table(table, 5)
        for axis, totals in ((1, pattern.rows), (0, pattern.columns)):
            sums = np.where(pattern.cells != SHOWN, table, 0).sum(axis=axis)
            assert not np.any((sums > 0) & (sums < 5) & (totals == SHOWN)), (table, pattern)


def test_a_two_by_two_table_with_one_small_cell_withholds_all_four() -> None:
    pattern = withhold_table([[3, 25], [54, 20]])
    assert pattern.cells.tolist() == [[SMALL, SECONDARY], [SECONDARY, SECONDARY]]
    assert not pattern.rows.any()
    assert not pattern.columns.any()
    assert pattern.total == SHOWN


def test_the_smallest_further_cell_is_taken() -> None:
    assert withhold_line([3, 40, 12, 31]).tolist() == [SMALL, SHOWN, SECONDARY, SHOWN]


def test_a_further_cell_that_would_settle_the_small_one_is_passed_over() -> None:
    # 1 + 5 = 6: whoever knows that the second is 5 or more would know that the first is 1.
    assert withhold_line([1, 5, 30]).tolist() != [SMALL, SECONDARY, SHOWN]


def test_a_small_total_withholds_its_whole_line() -> None:
    assert withhold_line([2, 1]).tolist() == [UNSIZED, UNSIZED]
    assert withhold_table([[2, 1]]).total == UNSIZED


def test_a_small_arm_takes_the_next_smallest_with_it_and_both_columns_go() -> None:
    pattern = withhold_table([[20, 2, 9], [30, 1, 11]])
    assert [code != SHOWN for code in pattern.columns] == [False, True, True]
    assert (pattern.cells[:, 1:] == UNSIZED).all()
    assert not pattern.cells[:, 0].any()


def test_five_ones_are_withheld_without_telling_their_size() -> None:
    assert withhold_line([1, 1, 1, 1, 1]).tolist() == [UNSIZED] * 5


def test_zeros_and_large_counts_are_left_alone() -> None:
    assert not withhold_table([[0, 5], [17, 0]]).any_withheld


@pytest.mark.parametrize("threshold", [0, 1])
def test_the_control_is_off_at_nought_or_one(threshold) -> None:
    assert not withhold_table([[1, 2], [3, 4]], threshold).any_withheld
    assert not withhold_groups([1, 9], threshold).any()


def test_totals_of_the_same_categories_give_the_same_pattern_whatever_they_are_crossed_with() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        totals = rng.integers(1, 30, size=5)
        first = rng.binomial(totals, 0.5)
        second = rng.binomial(totals, 0.1)
        patterns = [withhold_table(np.column_stack([part, totals - part])).rows for part in (first, second)]
        assert (patterns[0] == patterns[1]).all()


def test_a_mean_of_few_people_takes_another_group_with_it() -> None:
    assert withhold_groups([3, 40, 20]).tolist() == [True, False, True]
    assert withhold_groups([3, 0]).tolist() == [True, False]
    assert withhold_groups([30, 40]).tolist() == [False, False]


def test_marks() -> None:
    assert [mark(code, "28", 5) for code in (SHOWN, SMALL, SECONDARY, UNSIZED)] == ["28", "<5", "[c]", "[c]"]
    assert mark(SMALL, "7", 10) == "<10"
    assert [is_small(n) for n in (0, 1, 4, 5)] == [False, True, True, False]


def test_the_audit_has_its_columns_even_when_empty() -> None:
    assert list(audit_frame().columns) == ["table", "row", "column", "reason"]


@pytest.mark.parametrize("bad", [[[1, -1]], [[1.5, 2]], [[np.nan, 2]], [1, 2]])
def test_counts_that_are_not_counts_are_refused(bad) -> None:
    with pytest.raises(ArgumentError, match="counts"):
        withhold_table(bad)


def test_a_threshold_that_is_not_a_whole_number_is_refused() -> None:
    with pytest.raises(ArgumentError, match="threshold"):
        withhold_line([1, 2], 2.5)


def test_what_readers_need_most_is_withheld_last() -> None:
    assert withhold_line([3, 12, 40]).tolist() == [SMALL, SECONDARY, SHOWN]
    assert withhold_line([3, 12, 40], dear=[False, True, False]).tolist() == [SMALL, SHOWN, SECONDARY]
    assert withhold_line([3, 12], dear=[False, True]).tolist() == [SMALL, SECONDARY]
    table = [[30, 20], [25, 20], [3, 40]]
    assert withhold_table(table).cells.tolist() == [[SHOWN, SHOWN], [SECONDARY, SECONDARY], [SMALL, SECONDARY]]
    spared = withhold_table(table, dear_rows=[False, True, False])
    assert spared.cells.tolist() == [[SECONDARY, SECONDARY], [SHOWN, SHOWN], [SMALL, SECONDARY]]
