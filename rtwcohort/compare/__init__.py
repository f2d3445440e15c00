"""Comparisons between arms: two-by-two tables, Table 1 tests, standardised differences, difference-in-differences."""

from rtwcohort.compare.baseline import GroupComparison, compare_groups
from rtwcohort.compare.chi_square import ChiSquare, chi_square
from rtwcohort.compare.cox_difference import CoxDidFit, cox_difference_in_differences
from rtwcohort.compare.difference_in_differences import DidFit, difference_in_differences
from rtwcohort.compare.standardised import StandardisedDifference, standardised_difference
from rtwcohort.compare.two_by_two import Effect, TwoByTwo, two_by_two

__all__ = [
    "ChiSquare",
    "CoxDidFit",
    "DidFit",
    "Effect",
    "GroupComparison",
    "StandardisedDifference",
    "TwoByTwo",
    "chi_square",
    "compare_groups",
    "cox_difference_in_differences",
    "difference_in_differences",
    "standardised_difference",
    "two_by_two",
]
