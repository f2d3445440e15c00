"""Wald tests and intervals, and the tidy table that every fit returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.special import chdtrc, ndtri, stdtr, stdtrit
from scipy.special import log_ndtr as _log_ndtr

from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError

Floats = npt.NDArray[np.float64]

TIDY_COLUMNS: Final = ("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
_SINGULAR: Final = 1e-12


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile for a confidence `level`, 1.96 for 0.95."""
    check_number(level, argument="level", least=0.0, most=1.0)
    return float(ndtri(0.5 + level / 2.0))


def two_sided_p(z: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return two-sided normal p-values, accurate far into the tail."""
    return np.asarray(2.0 * np.exp(_log_ndtr(-np.abs(np.asarray(z, dtype=np.float64)))))


def t_quantile(level: float, df: float) -> float:
    """Return the two-sided quantile of Student's t for a confidence `level`, 2.0227 for 0.95 and 39 degrees."""
    check_number(level, argument="level", least=0.0, most=1.0)
    check_number(df, argument="df", least=1e-6)
    return float(stdtrit(df, 0.5 + level / 2.0))


def two_sided_t_p(t: npt.ArrayLike, df: float) -> Floats:
    """Return two-sided p-values of Student's t."""
    return np.asarray(2.0 * stdtr(df, -np.abs(np.asarray(t, dtype=np.float64))))


def chi_square_p(statistic: float, df: float) -> float:
    """Return the upper tail of the chi-square distribution."""
    return float(chdtrc(df, statistic))


def tidy_table(
    terms: Sequence[str],
    estimate: npt.NDArray[np.float64],
    std_error: npt.NDArray[np.float64],
    *,
    level: float = 0.95,
    df: float | None = None,
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
    df
        Degrees of freedom of Student's t for the p-value and the interval; the normal distribution when None.
    """
    quantile = normal_quantile(level) if df is None else t_quantile(level, df)
    z = estimate / std_error
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": estimate,
            "std_error": std_error,
            "statistic": z,
            "p_value": two_sided_p(z) if df is None else two_sided_t_p(z, df),
            "conf_low": estimate - quantile * std_error,
            "conf_high": estimate + quantile * std_error,
        },
        columns=list(TIDY_COLUMNS),
    )


@dataclass(frozen=True, slots=True)
class WaldTest:
    """A Wald test of several coefficients at once.

    Attributes
    ----------
    statistic
        Chi-square; NaN where the covariance of the contrasts is singular or an estimate is not finite.
    df
        Contrasts tested.
    p_value
        Upper tail of the chi-square distribution.
    """

    statistic: float
    df: int
    p_value: float


def wald_test(coef: npt.ArrayLike, vcov: npt.ArrayLike, L: npt.ArrayLike | None = None) -> WaldTest:
    """Test that the contrasts `L coef` are zero: (L b)' (L V L')^-1 (L b) against chi-square.

    Parameters
    ----------
    coef
        Estimates b, shape (p,).
    vcov
        Their covariance V, shape (p, p).
    L
        Contrasts, shape (k, p), or (p,) for one; every coefficient when None.

    Notes
    -----
    A covariance of rank below k (as a cluster-robust one with fewer clusters than contrasts) has no inverse, and a
    generalised one would test something else: the statistic is then NaN.

    Raises
    ------
    ArgumentError
        When the shapes do not fit, `L` is not finite, or its rows are zero or linearly dependent.
    """
    b, V = np.asarray(coef, dtype=np.float64), np.asarray(vcov, dtype=np.float64)
    if b.ndim != 1 or b.size == 0 or V.shape != (b.size, b.size):
        raise ArgumentError(f"`coef` must have shape (p,) and `vcov` (p, p); got {b.shape} and {V.shape}.")
    if L is None:
        return _chi_square_of(b, V)
    contrasts = np.atleast_2d(np.asarray(L, dtype=np.float64))
    if contrasts.ndim != 2 or contrasts.shape[1] != b.size or not np.isfinite(contrasts).all():
        raise ArgumentError(f"`L` must hold finite numbers, shape (k, {b.size}); got shape {np.shape(L)}.")
    if contrasts.shape[0] == 0 or np.linalg.matrix_rank(contrasts) < contrasts.shape[0]:
        raise ArgumentError("The rows of `L` must be linearly independent and not zero: leave out those that repeat.")
    used = (contrasts != 0.0).any(axis=0)
    contrasts = contrasts[:, used]
    return _chi_square_of(contrasts @ b[used], contrasts @ V[np.ix_(used, used)] @ contrasts.T)


def _chi_square_of(values: Floats, covariance: Floats) -> WaldTest:
    """Return v' C^-1 v with C scaled to a unit diagonal first, so that units do not matter."""
    unknown = WaldTest(np.nan, values.size, np.nan)
    variance = covariance.diagonal()
    if not (np.isfinite(values).all() and np.isfinite(covariance).all() and (variance > 0.0).all()):
        return unknown
    scale = 1.0 / np.sqrt(variance)
    factor, failed = dpotrf(covariance * scale * scale[:, None], lower=1)
    if failed or factor.diagonal().min() ** 2 < _SINGULAR:
        return unknown
    z = values * scale
    solution, _ = dpotrs(factor, z, lower=1)
    statistic = float(z @ solution)
    return WaldTest(statistic, values.size, chi_square_p(statistic, values.size))


def term_wald_tests(coef: npt.ArrayLike, vcov: npt.ArrayLike, groups: Mapping[str, slice]) -> pd.DataFrame:
    """Test each term of a model, however many coefficients it has.

    Parameters
    ----------
    coef, vcov
        Shapes (p,) and (p, p).
    groups
        Term -> slice of its coefficients.

    Returns
    -------
    pandas.DataFrame
        `term, df, statistic, p_value`, one row a term in the order of `groups`.
    """
    b, V = np.asarray(coef, dtype=np.float64), np.asarray(vcov, dtype=np.float64)
    tests = [wald_test(b[part], V[part, part]) for part in groups.values()]
    return pd.DataFrame(
        {
            "term": list(groups),
            "df": np.array([test.df for test in tests], dtype=np.int64),
            "statistic": np.array([test.statistic for test in tests], dtype=np.float64),
            "p_value": np.array([test.p_value for test in tests], dtype=np.float64),
        }
    )
