"""Argument checks say what the argument is, the rule, what came and the way out."""

import math

import numpy as np
import pytest

from rtwcohort.core.checks import check_choice, check_columns, check_number, did_you_mean
from rtwcohort.errors import ArgumentError, RtwCohortError


def test_did_you_mean_ignores_case_and_stays_silent_when_far():
    assert did_you_mean("Horizn", ["rule", "horizon"]) == " Did you mean 'horizon'?"
    assert did_you_mean("xyz", ["rule", "horizon"]) == ""


def test_choice():
    check_choice("efron", ("efron", "breslow"), argument="ties")
    with pytest.raises(
        ArgumentError, match=r"`ties` must be one of 'efron', 'breslow'; got 'Efron'. Did you mean 'efron'"
    ):
        check_choice("Efron", ("efron", "breslow"), argument="ties")


@pytest.mark.parametrize("value", [0, 5, 5.0, np.int64(3), np.float64(2)])
def test_whole_numbers_within_bounds(value):
    check_number(value, argument="days", least=0, most=5, whole=True)


@pytest.mark.parametrize("value", [-1, 6, 2.5, math.nan, math.inf, True, "3", None])
def test_everything_else_is_refused(value):
    with pytest.raises(ArgumentError, match=r"`days` must be a whole number from 0 to 5; got"):
        check_number(value, argument="days", least=0, most=5, whole=True)


def test_errors_are_one_tree():
    with pytest.raises(RtwCohortError, match=r"has no column 'fom'. Did you mean 'from'\? Its columns are: from, to\."):
        check_columns(["from", "to"], ["to", "fom"], argument="benefits")
