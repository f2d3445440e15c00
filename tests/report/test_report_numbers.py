from __future__ import annotations

import math

import pytest

from rtwcohort.report.numbers import (
    MINUS,
    NARROW_SPACE,
    format_count,
    format_count_percent,
    format_estimate,
    format_mean_sd,
    format_median_iqr,
    format_number,
    format_p,
    format_p_equation,
    format_percent,
    join_words,
    plural,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.18734, "0.187"),
        (0.05, "0.050"),
        (0.001, "0.001"),
        (0.00099, "<0.001"),
        (0, "<0.001"),
        (1.0, ">0.999"),
        (0.9994, "0.999"),
        (math.nan, "not estimable"),
        (1.2, "not estimable"),
        (-0.1, "not estimable"),
        (None, "not estimable"),
    ],
)
def test_p_values(value, text) -> None:
    assert format_p(value) == text


def test_p_in_a_sentence() -> None:
    assert [format_p_equation(p) for p in (0.2, 1e-9, 1.0)] == ["p = 0.200", "p < 0.001", "p > 0.999"]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((1.94, 1.2, 3.03), "1.94 (1.20 to 3.03)"),
        ((-0.5, -1.25, 0.25), f"{MINUS}0.50 ({MINUS}1.25 to 0.25)"),
        ((1.0004, 1.0001, 1.0007), "1.0004 (1.0001 to 1.0007)"),
        ((0.996, 0.991, 1.001), "0.996 (0.991 to 1.001)"),
        ((1.0, 1.0, 1.0), "1.00 (1.00 to 1.00)"),
        ((2.0, 0.5, math.inf), "2.00 (0.50 to unlimited)"),
        ((1234.5, 20.0, 98765.0), f"1234 (20.00 to 98{NARROW_SPACE}765)"),
        ((math.nan, 1.0, 2.0), "not estimable"),
        ((math.inf, 1.0, math.inf), "not estimable"),
        ((1.0, math.nan, 2.0), "not estimable"),
    ],
)
def test_estimates(numbers, text) -> None:
    assert format_estimate(*numbers) == text


def test_shares_never_round_to_none_or_all() -> None:
    assert format_count_percent(28, 57) == f"28 (49{NARROW_SPACE}%)"
    assert format_percent(1, 1000) == f"<1{NARROW_SPACE}%"
    assert format_percent(999, 1000) == f">99{NARROW_SPACE}%"
    assert format_percent(999, 1000, decimals=1) == f"99.9{NARROW_SPACE}%"
    assert format_percent(0, 9) == f"0{NARROW_SPACE}%"
    assert format_percent(9, 9) == f"100{NARROW_SPACE}%"
    assert format_percent(0, 0) == "not estimable"
    assert format_count_percent(0, 0) == "0"


def test_numbers_are_grouped_from_five_digits_and_minus_is_a_minus() -> None:
    assert format_count(9999) == "9999"
    assert format_count(1234567) == f"1{NARROW_SPACE}234{NARROW_SPACE}567"
    assert format_number(-0.04, decimals=1) == "0.0"
    assert format_number(-12345.678, decimals=2) == f"{MINUS}12{NARROW_SPACE}345.68"
    assert format_number(math.inf) == "not estimable"


def test_summaries() -> None:
    assert format_mean_sd(45.31, 10.08) == "45.3 (10.1)"
    assert format_mean_sd(45.31, math.nan) == "45.3 (not estimable)"
    assert format_mean_sd(math.nan, math.nan) == "not estimable"
    assert format_median_iqr(46, 38.25, 53, decimals=0) == "46 (38 to 53)"
    assert format_median_iqr(46, math.nan, 53) == "not estimable"


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_joined_as_in_a_sentence(words, text) -> None:
    assert join_words(words) == text


def test_plurals() -> None:
    assert (plural(1, "day"), plural(2, "day"), plural(0, "person", "people")) == ("1 day", "2 days", "0 people")
