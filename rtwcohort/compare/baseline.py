"""One row of Table 1: a test of whether a baseline variable differs between arms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.compare.chi_square import chi_square
from rtwcohort.compare.groups import Kind, counts_by_group, samples_by_group, split_groups
from rtwcohort.compare.two_by_two import fisher_p
from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError

Test = Literal["pearson", "fisher", "welch", "equal_variance", "rank"]
_TESTS: Final[Mapping[str, tuple[str, ...]]] = {
    "categorical": ("pearson", "fisher"),
    "numeric": ("welch", "equal_variance", "rank"),
}
_Samples = list[np.ndarray[Any, np.dtype[np.float64]]]


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """The test of one baseline variable.

    Attributes
    ----------
    test
        Its name in words.
    statistic
        Chi-square, t, F, U or H; NaN for Fisher's test.
    df
        Degrees of freedom: one figure, two for F, empty for rank-sum and Fisher's test.
    p_value
        NaN when the test cannot be computed; `note` then says why.
    fisher_p
        Two-sided Fisher exact p-value beside it for two categories in two arms, else NaN.
    n_used, n_missing
        Arm -> rows with and without a value.
    n_group_missing
        Rows without an arm; they are in neither count.
    note
        Empty, or what to bear in mind.
    """

    test: str
    statistic: float
    df: tuple[float, ...]
    p_value: float
    fisher_p: float
    n_used: Mapping[str, int]
    n_missing: Mapping[str, int]
    n_group_missing: int
    note: str


def compare_groups(values: Any, group: Any, *, kind: Kind, test: Test | None = None) -> GroupComparison:
    """Test whether a baseline variable differs between two or more arms.

    Parameters
    ----------
    values, group
        Of equal length n; rows without a value or an arm are counted and left out.
    kind
        "numeric" or "categorical".
    test
        For categorical variables "pearson" (default; uncorrected, as SPSS prints it) or "fisher" (two by two only);
        for numeric ones "welch" (default: Welch's t for two arms, Welch's one-way test for more), "equal_variance"
        (Student's t, one-way analysis of variance) or "rank" (Mann-Whitney for two arms, Kruskal-Wallis for more).

    Returns
    -------
    GroupComparison
        With p-value NaN and a note where the data allow no test (one category, an arm with a single value, ...).

    Raises
    ------
    ArgumentError
        For unequal lengths, text in a numeric variable, a test that does not go with the kind, fewer than two arms.

    Notes
    -----
    Welch's one-way test is `oneway.test` of R [1]_. The Mann-Whitney p-value is the normal approximation with tie and
    continuity correction (R: ``wilcox.test(exact = FALSE)``), Kruskal-Wallis the chi-square approximation with tie
    correction.

    References
    ----------
    .. [1] Welch BL (1951) Biometrika 38:330-336.

    Examples
    --------
    >>> result = compare_groups([31, 42, 38, 55, 47, 60], ["a", "a", "a", "b", "b", "b"], kind="numeric")
    >>> result.test, round(result.p_value, 3)
    ("Welch's t-test", 0.028)
    """
    grouped = split_groups(values, group, kind=kind)
    chosen = _TESTS[kind][0] if test is None else test
    if chosen not in _TESTS["categorical"] + _TESTS["numeric"]:
        check_choice(chosen, _TESTS[kind], argument="test")
    if chosen not in _TESTS[kind]:
        listed = " or ".join(f"'{name}'" for name in _TESTS[kind])
        raise ArgumentError(f"`test` for kind='{kind}' must be {listed}; got '{chosen}'.")
    exact = math.nan
    if kind == "categorical":
        counts = counts_by_group(grouped)
        exact = _fisher(counts)
        name, statistic, df, p_value, note = _categorical(counts, chosen, exact)
    else:
        name, statistic, df, p_value, note = _numeric(samples_by_group(grouped), chosen)
    return GroupComparison(
        test=name,
        statistic=statistic,
        df=df,
        p_value=p_value,
        fisher_p=exact,
        n_used={str(level): int((grouped.group == level).sum()) for level in grouped.levels},
        n_missing=grouped.n_missing,
        n_group_missing=grouped.n_group_missing,
        note=note,
    )


_Outcome = tuple[str, float, tuple[float, ...], float, str]


def _fisher(counts: pd.DataFrame) -> float:
    if counts.shape != (2, 2) or not (counts.sum(axis=0) > 0).all():
        return math.nan
    (a, b), (c, d) = counts.to_numpy().tolist()
    return fisher_p(a, b, c, d)


def _categorical(counts: pd.DataFrame, test: str, exact: float) -> _Outcome:
    name = "Pearson chi-square test" if test == "pearson" else "Fisher's exact test"
    if len(counts) < 2 or int((counts.sum(axis=0) > 0).sum()) < 2:
        return name, math.nan, (), math.nan, "no test: fewer than two categories, or values in fewer than two arms"
    if test == "fisher":
        if counts.shape != (2, 2):
            raise ArgumentError(
                f"`test='fisher'` takes two categories and two arms; got {counts.shape[0]} and {counts.shape[1]}. "
                "Use 'pearson'."
            )
        return name, math.nan, (), exact, ""
    result = chi_square(counts)
    return name, result.statistic, (float(result.df),), result.p_value, result.note


def _numeric(samples: _Samples, test: str) -> _Outcome:
    two = len(samples) == 2
    names = {
        "welch": "Welch's t-test" if two else "Welch's one-way test",
        "equal_variance": "Student's t-test" if two else "one-way analysis of variance",
        "rank": "Mann-Whitney test" if two else "Kruskal-Wallis test",
    }
    name = names[test]
    problem = _numeric_problem(samples, test)
    if problem:
        return name, math.nan, (), math.nan, "no test: " + problem
    compute = {"welch": _welch, "equal_variance": _equal_variance, "rank": _rank}[test]
    statistic, df, p_value = compute(samples)
    return name, statistic, df, p_value, ""


def _numeric_problem(samples: _Samples, test: str) -> str:
    if any(len(sample) == 0 for sample in samples):
        return "an arm has no values"
    if len(np.unique(np.concatenate(samples))) == 1:
        return "the variable has only one value"
    if test == "rank":
        return ""
    n, arms = sum(len(sample) for sample in samples), len(samples)
    spread = np.array([np.ptp(sample) for sample in samples])
    if test == "equal_variance":
        return "no variation within the arms" if n <= arms or not spread.any() else ""
    if any(len(sample) < 2 for sample in samples):
        return "an arm has fewer than two values"
    flat = not spread.any() if arms == 2 else bool((spread == 0).any())
    return "no variation within an arm" if flat else ""


def _welch(samples: _Samples) -> tuple[float, tuple[float, ...], float]:
    if len(samples) == 2:
        from scipy.stats import ttest_ind

        result = ttest_ind(samples[1], samples[0], equal_var=False)
        return float(result.statistic), (float(result.df),), float(result.pvalue)
    from statsmodels.stats.oneway import anova_oneway

    oneway = anova_oneway(samples, use_var="unequal", welch_correction=True)
    return float(oneway.statistic), _pair(oneway.df), float(oneway.pvalue)


def _equal_variance(samples: _Samples) -> tuple[float, tuple[float, ...], float]:
    from scipy.stats import f_oneway, ttest_ind

    if len(samples) == 2:
        result = ttest_ind(samples[1], samples[0], equal_var=True)
        return float(result.statistic), (float(result.df),), float(result.pvalue)
    oneway = f_oneway(*samples)
    n, arms = sum(len(sample) for sample in samples), len(samples)
    return float(oneway.statistic), (float(arms - 1), float(n - arms)), float(oneway.pvalue)


def _rank(samples: _Samples) -> tuple[float, tuple[float, ...], float]:
    from scipy.stats import kruskal, mannwhitneyu

    if len(samples) == 2:
        result = mannwhitneyu(samples[1], samples[0], method="asymptotic", use_continuity=True)
        return float(result.statistic), (), float(result.pvalue)
    result = kruskal(*samples)
    return float(result.statistic), (float(len(samples) - 1),), float(result.pvalue)


def _pair(df: npt.ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.atleast_1d(np.asarray(df, dtype=np.float64)))
