"""Tests for one row of Table 1: R values, naive computations, what is missing and what cannot be tested."""

import math

import numpy as np
import pandas as pd
import pytest

from rtwcohort.compare import compare_groups
from rtwcohort.errors import ArgumentError

X = [31, 42, 38, 55, 47, 60, 52]
G = ["a", "a", "a", "b", "b", "b", "b"]
Y = [5, 7, 6, 9, 12, 11, 10, 14, 9, 3, 4, 6]
H = ["a"] * 4 + ["b"] * 4 + ["c"] * 4

# R 4.2.2: t.test(x ~ g); t.test(x ~ g, var.equal = TRUE); wilcox.test(x ~ g, exact = FALSE);
# oneway.test(y ~ h); oneway.test(y ~ h, var.equal = TRUE); kruskal.test(y ~ h). R's t is a minus b, ours b minus a.
R_VALUES = [
    (X, G, "welch", "Welch's t-test", 3.916379472, (4.392673874,), 0.01444623938),
    (X, G, "equal_variance", "Student's t-test", 3.931172271, (5,), 0.01105729472),
    (X, G, "rank", "Mann-Whitney test", 12.0, (), 0.05182993),
    (Y, H, "welch", "Welch's one-way test", 10.67579584, (2, 5.830155979), 0.01124571341),
    (Y, H, "equal_variance", "one-way analysis of variance", 10.22727273, (2, 9), 0.004818433058),
    (Y, H, "rank", "Kruskal-Wallis test", 7.785211268, (2,), 0.0203921423),
]


@pytest.mark.parametrize(("values", "group", "test", "name", "statistic", "df", "p_value"), R_VALUES)
def test_against_r(values, group, test, name, statistic, df, p_value):
    result = compare_groups(values, group, kind="numeric", test=test)
    assert result.test == name
    assert result.statistic == pytest.approx(statistic, rel=1e-8)
    assert result.df == pytest.approx(df, rel=1e-8)
    assert result.p_value == pytest.approx(p_value, rel=1e-7)
    assert math.isnan(result.fisher_p)


def test_welch_by_hand():
    result = compare_groups([1, 2, 3, 4, 6, 8], [0, 0, 0, 1, 1, 1], kind="numeric")
    # Means 2 and 6, variances 1 and 4, three each.
    se2 = 1 / 3 + 4 / 3
    assert result.statistic == pytest.approx(4 / math.sqrt(se2))
    assert result.df[0] == pytest.approx(se2**2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2))


def test_categorical_has_fisher_beside_it():
    values = ["yes"] * 22 + ["no"] * 21 + ["yes"] * 16 + ["no"] * 30
    arm = ["visit"] * 43 + ["ordinary"] * 46
    result = compare_groups(values, arm, kind="categorical")
    assert result.test == "Pearson chi-square test"
    assert result.p_value == pytest.approx(0.1184838, abs=1e-7)
    assert result.fisher_p == pytest.approx(0.1375108118, abs=1e-9)
    exact = compare_groups(values, arm, kind="categorical", test="fisher")
    assert exact.p_value == result.fisher_p
    assert exact.df == ()
    three = compare_groups([*values, "maybe"], [*arm, "visit"], kind="categorical")
    assert math.isnan(three.fisher_p)
    with pytest.raises(ArgumentError, match="two categories and two arms; got 3 and 2"):
        compare_groups([*values, "maybe"], [*arm, "visit"], kind="categorical", test="fisher")


def test_missing_is_counted_and_left_out():
    values = pd.Series([*X, np.nan, np.nan, 40.0])
    group = pd.Series([*G, "a", "b", None])
    before = values.copy()
    result = compare_groups(values, group, kind="numeric")
    assert result.p_value == compare_groups(X, G, kind="numeric").p_value
    assert result.n_used == {"a": 3, "b": 4}
    assert result.n_missing == {"a": 1, "b": 1}
    assert result.n_group_missing == 1
    pd.testing.assert_series_equal(values, before)


def test_rows_are_paired_by_position_not_by_index():
    shuffled = pd.Series(X, index=[9, 3, 7, 1, 0, 5, 2])
    assert compare_groups(shuffled, pd.Series(G), kind="numeric").p_value == pytest.approx(0.01444623938)


def test_unused_categories_do_not_count():
    values = pd.Categorical(["x", "y", "x", "y", "x", "y"], categories=["x", "y", "z"])
    arm = pd.Categorical(["b", "b", "a", "a", "a", "b"], categories=["b", "a", "never"])
    result = compare_groups(values, arm, kind="categorical")
    assert result.df == (1.0,)
    assert list(result.n_used) == ["b", "a"]


@pytest.mark.parametrize(
    ("values", "group", "kind", "test", "note"),
    [
        ([1, 1, 1, 1], G[1:5], "numeric", None, "only one value"),
        ([1, 1, 2, 2], ["a", "a", "b", "b"], "numeric", None, "no variation"),
        ([1, 2, 3, 4], ["a", "b", "b", "b"], "numeric", None, "fewer than two values"),
        ([np.nan, 2, 3, 4], ["a", "b", "b", "b"], "numeric", "rank", "no values"),
        ([1, 2, 3], ["a", "b", "c"], "numeric", "equal_variance", "no variation"),
        ([1, 1, 2, 3, 4, 5], ["a", "a", "b", "b", "c", "c"], "numeric", "welch", "no variation"),
        (["x", "x", "x"], ["a", "b", "b"], "categorical", None, "fewer than two categories"),
        (["x", "y", None], ["a", "a", "b"], "categorical", None, "fewer than two arms"),
    ],
)
def test_what_cannot_be_tested_says_so(values, group, kind, test, note):
    result = compare_groups(values, group, kind=kind, test=test)
    assert math.isnan(result.p_value)
    assert note in result.note


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_groups([1, 2], ["a"], kind="numeric"), "equally long; got 2 and 1"),
        (lambda: compare_groups([1, 2], ["a", "a"], kind="numeric"), "at least two levels that hold anybody; got 'a'"),
        (lambda: compare_groups(["x", "y"], ["a", "b"], kind="numeric"), "Say kind='categorical'"),
        (lambda: compare_groups([1, np.inf], ["a", "b"], kind="numeric"), "1 infinite values"),
        (lambda: compare_groups([1, 2], ["a", "b"], kind="number"), "`kind` must be one of"),
        (lambda: compare_groups([1, 2], ["a", "b"], kind="numeric", test="pearson"), "for kind='numeric' must be"),
        (lambda: compare_groups([1, 2], ["a", "b"], kind="numeric", test="welsh"), "Did you mean 'welch'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
