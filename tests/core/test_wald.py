"""Wald figures against closed values and scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from rtwcohort.core.wald import (
    chi_square_p,
    normal_quantile,
    t_quantile,
    term_wald_tests,
    tidy_table,
    two_sided_p,
    two_sided_t_p,
    wald_test,
)
from rtwcohort.errors import ArgumentError


def test_tidy_table_by_hand():
    table = tidy_table(["x"], np.array([0.5]), np.array([0.25]))
    row = table.iloc[0]
    assert row["statistic"] == 2.0
    assert row["p_value"] == pytest.approx(0.04550026389635842, rel=1e-12)
    assert row["conf_low"] == pytest.approx(0.5 - 1.959963984540054 * 0.25, rel=1e-12)
    assert row["conf_high"] == pytest.approx(0.5 + 1.959963984540054 * 0.25, rel=1e-12)


def test_tails_do_not_underflow_to_zero():
    z = np.array([0.0, -1.0, 5.0, 20.0, 37.0])
    assert two_sided_p(z) == pytest.approx(2 * stats.norm.sf(np.abs(z)), rel=1e-10)
    assert two_sided_p(np.array([37.0]))[0] > 0
    assert chi_square_p(200.0, 3) == pytest.approx(stats.chi2.sf(200.0, 3), rel=1e-10)


def test_level_is_checked():
    with pytest.raises(ArgumentError, match="`level`"):
        normal_quantile(95)


def test_t_figures():
    table = tidy_table(["x"], np.array([0.5]), np.array([0.25]), df=39)
    assert table["p_value"][0] == pytest.approx(2 * stats.t.sf(2.0, 39), rel=1e-12)
    assert table["conf_high"][0] == pytest.approx(0.5 + stats.t.ppf(0.975, 39) * 0.25, rel=1e-12)
    assert t_quantile(0.95, 39) == pytest.approx(2.0226909, rel=1e-6)
    assert two_sided_t_p([-1.0, 1.0], 3) == pytest.approx([0.39100221896] * 2, rel=1e-9)


def test_wald_test_of_two_by_hand():
    # V = [[2, 1], [1, 2]] has inverse [[2, -1], [-1, 2]]/3, so b = (3, 3) gives (18 - 9 - 9 + 18)/3 = 6
    # and with two degrees of freedom the upper tail is exp(-6/2).
    test = wald_test([3.0, 3.0], [[2.0, 1.0], [1.0, 2.0]])
    assert test.statistic == pytest.approx(6.0, rel=1e-14)
    assert test.df == 2
    assert test.p_value == pytest.approx(np.exp(-3.0), rel=1e-12)
    # b1 - b2 = 0 exactly, b1 + b2 = 6 with variance 2 + 2 + 2 = 6
    assert wald_test([3.0, 3.0], [[2.0, 1.0], [1.0, 2.0]], [1, -1]).statistic == 0.0
    assert wald_test([3.0, 3.0], [[2.0, 1.0], [1.0, 2.0]], [[1, 1]]).statistic == pytest.approx(6.0, rel=1e-14)


def test_wald_test_does_not_depend_on_units_or_on_the_basis():
    rng = np.random.default_rng(4)
    A = rng.normal(size=(4, 4))
    V, b, L = A @ A.T, rng.normal(size=4), rng.normal(size=(2, 4))
    expected = (L @ b) @ np.linalg.inv(L @ V @ L.T) @ (L @ b)
    assert wald_test(b, V, L).statistic == pytest.approx(expected, rel=1e-10)
    assert wald_test(b, V, rng.normal(size=(2, 2)) @ L).statistic == pytest.approx(expected, rel=1e-10)
    unit = np.array([1e-6, 1.0, 1e6, 3.0])
    assert wald_test(b * unit, V * unit * unit[:, None], L / unit).statistic == pytest.approx(expected, rel=1e-9)
    assert wald_test(b * unit, V * unit * unit[:, None]).statistic == pytest.approx(wald_test(b, V).statistic)


def test_one_contrast_is_the_square_of_z():
    row = tidy_table(["x"], np.array([0.5]), np.array([0.25])).iloc[0]
    test = wald_test([9.0, 0.5], np.diag([1.0, 0.25**2]), [0, 1])
    assert (test.statistic, test.df) == (row["statistic"] ** 2, 1)
    assert test.p_value == pytest.approx(row["p_value"], rel=1e-12)


@pytest.mark.parametrize(
    ("coef", "vcov"),
    [
        ([1.0, 2.0], [[1.0, 1.0], [1.0, 1.0]]),
        ([1.0, np.inf], [[1.0, 0.0], [0.0, 1.0]]),
        ([1.0, 2.0], [[1.0, 0.0], [0.0, 0.0]]),
        ([1.0, 2.0], [[1.0, np.nan], [np.nan, 1.0]]),
    ],
)
def test_a_test_that_does_not_exist_is_nan(coef, vcov):
    test = wald_test(coef, vcov)
    assert np.isnan(test.statistic)
    assert np.isnan(test.p_value)
    assert test.df == 2


def test_an_infinite_estimate_elsewhere_does_not_matter():
    assert wald_test([1.0, np.inf], [[1.0, np.nan], [np.nan, np.nan]], [1, 0]).statistic == 1.0


@pytest.mark.parametrize(
    ("coef", "vcov", "L", "message"),
    [
        ([1.0], np.eye(2), None, "`coef` must have shape"),
        ([1.0, 2.0], np.eye(2), [[1.0]], r"`L` must hold finite numbers, shape \(k, 2\)"),
        ([1.0, 2.0], np.eye(2), [[1.0, 0.0], [2.0, 0.0]], "linearly independent"),
        ([1.0, 2.0], np.eye(2), [0.0, 0.0], "linearly independent"),
    ],
)
def test_wald_test_refuses(coef, vcov, L, message):
    with pytest.raises(ArgumentError, match=message):
        wald_test(coef, vcov, L)


def test_term_tests():
    b, V = np.array([1.0, 3.0, 3.0]), np.array([[4.0, 0, 0], [0, 2.0, 1.0], [0, 1.0, 2.0]])
    table = term_wald_tests(b, V, {"age": slice(0, 1), "school": slice(1, 3)})
    assert table["term"].tolist() == ["age", "school"]
    assert table["df"].tolist() == [1, 2]
    assert table["statistic"].tolist() == pytest.approx([0.25, 6.0])
    assert table["p_value"][1] == pytest.approx(np.exp(-3.0))
