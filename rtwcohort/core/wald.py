"""Wald tests and intervals, and the tidy table that every fit returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import chdtrc, ndtri
from scipy.special import log_ndtr as _log_ndtr

from rtwcohort.core.checks import check_number

TIDY_COLUMNS: Final = ("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile for a confidence `level`, 1.96 for 0.95."""
    check_number(level, argument="level", least=0.0, most=1.0)
    return float(ndtri(0.5 + level / 2.0))


def two_sided_p(z: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return two-sided normal p-values, accurate far into the tail."""
    return np.asarray(2.0 * np.exp(_log_ndtr(-np.abs(np.asarray(z, dtype=np.float64)))))


def chi_square_p(statistic: float, df: float) -> float:
    """Return the upper tail of the chi-square distribution."""
    return float(chdtrc(df, statistic))


def tidy_table(
    terms: Sequence[str],
    estimate: npt.NDArray[np.float64],
    std_error: npt.NDArray[np.float64],
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return one row a term with the Wald statistic, its p-value and the interval.

    Parameters
    ----------
    terms
        Names, length p.
    estimate, std_error
        Arrays of shape (p,), on the scale of the linear predictor.
    level
        Confidence level.
    """
    quantile = normal_quantile(level)
    z = estimate / std_error
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": estimate,
            "std_error": std_error,
            "statistic": z,
            "p_value": two_sided_p(z),
            "conf_low": estimate - quantile * std_error,
            "conf_high": estimate + quantile * std_error,
        },
        columns=list(TIDY_COLUMNS),
    )
