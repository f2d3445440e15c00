"""The model families that a study file may ask for, declared as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Family:
    """One family of models.

    Attributes
    ----------
    name
        As in the study file.
    function
        Name in `rtwcohort.models`.
    words
        What it is, to follow "by".
    outcomes
        Outcomes that it takes; the first is the default.
    measure, short
        What `exp(estimate)` is, in words and as a column heading; for `exponentiate=False` what the estimate itself is.
    exponentiate
        Whether estimates are shown as ratios.
    repeated
        Whether rows are people at several days.
    options
        Keyword arguments of the function that `options` may set.
    """

    name: str
    function: str
    words: str
    outcomes: tuple[str, ...]
    measure: str
    short: str
    exponentiate: bool
    repeated: bool
    options: tuple[str, ...]


FAMILIES: Final = {
    family.name: family
    for family in (
        Family(
            "cox",
            "fit_cox",
            "Cox regression",
            ("time",),
            "hazard ratio of returning; above 1 means an earlier return",
            "HR",
            True,
            False,
            ("ties", "variance", "penalty", "strata", "cluster", "compat"),
        ),
        Family(
            "ordinal",
            "fit_ordinal",
            "ordinal regression with cumulative links",
            ("status",),
            "odds ratio of a better work status; above 1 means better",
            "OR",
            True,
            False,
            ("link", "nominal", "cluster", "robust", "information", "compat"),
        ),
        Family(
            "ordinal_gee",
            "fit_ordinal_gee",
            "ordinal generalised estimating equations",
            ("status",),
            "odds ratio of a better work status; above 1 means better",
            "OR",
            True,
            True,
            ("link", "association", "information", "correction", "compat"),
        ),
        Family(
            "logistic",
            "fit_logistic",
            "logistic regression",
            ("returned", "any_work", "full_work"),
            "odds ratio",
            "OR",
            True,
            False,
            ("link", "variance", "cluster", "compat"),
        ),
        Family(
            "gee",
            "fit_gee",
            "generalised estimating equations for two outcomes",
            ("any_work", "full_work"),
            "odds ratio",
            "OR",
            True,
            True,
            ("link", "correlation", "variance", "compat"),
        ),
        Family(
            "count",
            "fit_count",
            "regression of counted days",
            ("absence_days",),
            "ratio of days of absence",
            "Ratio",
            True,
            False,
            ("family", "variance", "cluster", "compat"),
        ),
        Family(
            "quantile",
            "fit_quantile",
            "quantile regression",
            ("absence_days",),
            "difference in days",
            "Days",
            False,
            False,
            ("quantile", "variance", "cluster"),
        ),
    )
}
"""By name."""

OUTCOME_WORDS: Final = {
    "time": "Time to return to work",
    "status": "Work status (not, partly, fully in work)",
    "any_work": "Partly or fully in work",
    "full_work": "Fully in work",
    "returned": "Returned to work by the horizon",
    "absence_days": "Calendar days of absence",
}
