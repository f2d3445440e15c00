"""The log-rank test: the statistic from lifelines, observed and expected counts beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.core.wald import chi_square_p
from rtwcohort.design import check_survival
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_kernel import tie_times
from rtwcohort.models.curves import group_codes


@dataclass(frozen=True, slots=True)
class LogRank:
    """Log-rank test of equal hazards in k groups.

    Attributes
    ----------
    statistic, df, p_value
        Chi-square with k - 1 degrees of freedom.
    frame
        One row a group: `group, n, observed, expected` (events).
    """

    statistic: float
    df: int
    p_value: float
    frame: pd.DataFrame


def log_rank(time: Any, event: Any, group: Any) -> LogRank:
    """Compare survival between groups by the log-rank test.

    Parameters
    ----------
    time, event
        Shape (n,), as in `kaplan_meier`, with at least one event.
    group
        Shape (n,): at least two labels, none missing.

    Raises
    ------
    DesignError
        For times, events or groups that cannot be used, or one group only.
    """
    from lifelines.statistics import multivariate_logrank_test

    response = check_survival(time, event)
    times = tie_times(response.time)
    labels, codes = group_codes(group, times.size)
    if len(labels) < 2:
        raise DesignError(f"`group` must have at least two groups to compare; it has one ('{labels[0]}').")
    statistic = float(multivariate_logrank_test(times, codes, response.event).test_statistic)
    df = len(labels) - 1
    n = np.bincount(codes, minlength=len(labels))
    observed = np.bincount(codes[response.event], minlength=len(labels))
    distinct, deaths = np.unique(times[response.event], return_counts=True)
    at_risk = np.array([_at_risk(times[codes == code], distinct) for code in range(len(labels))])
    expected = at_risk @ (deaths / at_risk.sum(axis=0))
    frame = pd.DataFrame({"group": list(labels), "n": n, "observed": observed, "expected": expected})
    return LogRank(statistic, df, chi_square_p(statistic, df), frame)


def _at_risk(times: Any, at: Any) -> Any:
    """Return how many of `times` are at or after each of `at`, shape (k,)."""
    return times.size - np.searchsorted(np.sort(times), at, side="left")
