"""Difference-in-differences of a mean: how much more the group changed over time than the reference group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.compare.did_design import DidRows, Missing, cell, cell_table, did_matrix, did_rows
from rtwcohort.compare.two_by_two import Effect
from rtwcohort.core.checks import check_choice
from rtwcohort.core.wald import TIDY_COLUMNS
from rtwcohort.design.rank import check_rank
from rtwcohort.errors import ArgumentError, DesignError

Robust = Literal["HC0", "HC1", "HC2", "HC3"]
_ROBUST: Final = ("HC0", "HC1", "HC2", "HC3")


@dataclass(frozen=True, slots=True)
class DidFit:
    """A difference-in-differences by least squares.

    Attributes
    ----------
    effect
        The interaction of group and period: estimate, standard error, t, p and t interval.
    term
        Its name in `table`.
    table
        All coefficients in the tidy vocabulary; statistics are t on `df` degrees of freedom.
    cells
        One row a cell: group, period, n, mean and sd of the outcome as analysed (logged when `log`).
    df
        Residual degrees of freedom.
    r_squared
        Of the whole regression.
    outcome
        The outcome as analysed: "durat" or "log(durat)".
    n_missing
        Column -> rows without a value; `n_dropped` rows were left out for it.
    n_dropped
        See above.
    level
        Confidence level.
    """

    effect: Effect
    term: str
    table: pd.DataFrame
    cells: pd.DataFrame
    df: int
    r_squared: float
    outcome: str
    n_missing: Mapping[str, int]
    n_dropped: int
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row a coefficient in the tidy vocabulary."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: n, df, R squared, rows dropped, outcome and how the variance was estimated."""
        row = {
            "n": int(self.cells["n"].sum()),
            "df_residual": self.df,
            "r_squared": self.r_squared,
            "n_dropped": self.n_dropped,
            "outcome": self.outcome,
            "method": self.effect.method,
        }
        return pd.DataFrame([row])


def difference_in_differences(
    frame: Any,
    *,
    outcome: str,
    group: str,
    period: str,
    exposed: Any = None,
    after: Any = None,
    log: bool = False,
    covariates: Sequence[str] = (),
    robust: Robust | None = None,
    missing: Missing = "raise",
    level: float = 0.95,
) -> DidFit:
    """Estimate a difference-in-differences of means by ordinary least squares.

    Parameters
    ----------
    frame
        One row an observation; it is not changed.
    outcome, group, period
        Columns: a number, and two columns of two levels each.
    exposed, after
        The level of `group` that the change concerned and the level of `period` that came after it. Needed for text
        and unordered Categoricals; numbers and booleans give the larger, ordered Categoricals the last.
    log
        Analyse the natural log of the outcome, which must be positive.
    covariates
        Columns to adjust for; text and Categoricals become indicators against their first level.
    robust
        None: the classical standard error, as in Wooldridge's Example 13.4 [1]_; or "HC0" to "HC3" for the
        heteroskedasticity-robust ones. Rows are taken as independent; clusters are not handled.
    missing
        "raise" or "drop" rows with a missing value in any of the columns; what was dropped is counted.
    level
        Confidence level.

    Returns
    -------
    DidFit

    Raises
    ------
    ArgumentError
        See `did_rows`; also an outcome that is not positive when logged, and a level that is not inside 0 to 1.
    DesignError
        When the columns are linearly dependent, or no degree of freedom is left.

    Notes
    -----
    ``y = b0 + b1 group + b2 period + d group x period + covariates + e``; without covariates
    ``d = (m11 - m10) - (m01 - m00)`` of the four cell means. Intervals use Student's t. On the log scale ``exp(d)`` is
    a ratio of ratios of geometric means.

    References
    ----------
    .. [1] Wooldridge JM. Introductory Econometrics: A Modern Approach, section 13.2.

    Examples
    --------
    >>> data = {"y": [1.0, 2, 2, 3, 4, 5, 8, 9], "g": [0, 0, 0, 0, 1, 1, 1, 1], "t": [0, 0, 1, 1, 0, 0, 1, 1]}
    >>> fit = difference_in_differences(pd.DataFrame(data), outcome="y", group="g", period="t")
    >>> round(fit.effect.estimate, 3)
    3.0
    """
    if robust is not None:
        check_choice(robust, _ROBUST, argument="robust")
    if not (isinstance(level, float) and 0.0 < level < 1.0):
        raise ArgumentError(f"`level` must lie strictly between 0 and 1; got {level!r}.")
    rows = did_rows(
        frame,
        needed=[outcome],
        group=group,
        period=period,
        covariates=covariates,
        exposed=exposed,
        after=after,
        missing=missing,
    )
    y = _outcome(rows.frame[outcome], log=log)
    matrix, names = did_matrix(rows, covariates)
    _check_design(matrix, names)
    return _fit(rows, y, matrix, names, robust=robust, level=level, label=f"log({outcome})" if log else outcome)


def _outcome(values: pd.Series[Any], *, log: bool) -> npt.NDArray[np.float64]:
    try:
        y = values.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"`outcome` '{values.name}' must be numbers; got text.") from error
    if not np.isfinite(y).all():
        raise ArgumentError(f"`outcome` '{values.name}' must be finite; {int((~np.isfinite(y)).sum())} rows are not.")
    if not log:
        return y
    n_wrong = int((y <= 0).sum())
    if n_wrong:
        raise ArgumentError(
            f"`outcome` '{values.name}' must be positive for its log; {n_wrong} rows are not. "
            "Nothing is added in silence: leave those rows out yourself, or say log=False."
        )
    return np.asarray(np.log(y))


def _check_design(matrix: npt.NDArray[np.float64], names: tuple[str, ...]) -> None:
    n, p = matrix.shape
    if n <= p:
        raise DesignError(f"{n} complete rows leave no degree of freedom for {p} coefficients.")
    check_rank(matrix[:, 1:], names[1:])


def _fit(
    rows: DidRows,
    y: npt.NDArray[np.float64],
    matrix: npt.NDArray[np.float64],
    names: tuple[str, ...],
    *,
    robust: Robust | None,
    level: float,
    label: str,
) -> DidFit:
    import statsmodels.api as sm

    fit = sm.OLS(y, matrix).fit(cov_type=robust or "nonrobust", use_t=True)
    if float(fit.ssr) <= 1e-24 * float((y**2).sum()):
        raise DesignError("The outcome does not vary within the cells: there is no standard error to give.")
    interval = fit.conf_int(alpha=1.0 - level)
    columns = (list(names), fit.params, fit.bse, fit.tvalues, fit.pvalues, interval[:, 0], interval[:, 1])
    table = pd.DataFrame(dict(zip(TIDY_COLUMNS, columns, strict=True)))
    row = table.iloc[3]
    df = int(fit.df_resid)
    effect = Effect(
        estimate=float(row["estimate"]),
        conf_low=float(row["conf_low"]),
        conf_high=float(row["conf_high"]),
        std_error=float(row["std_error"]),
        statistic=float(row["statistic"]),
        p_value=float(row["p_value"]),
        method=f"ordinary least squares, {robust or 'classical'} standard error, t interval on {df} df",
    )
    corners = [(g, p) for g in (0.0, 1.0) for p in (0.0, 1.0)]
    means = {corner: float(y[cell(rows, *corner)].mean()) for corner in corners}
    spread = {corner: _sd(y[cell(rows, *corner)]) for corner in corners}
    return DidFit(
        effect=effect,
        term=rows.contrast_term,
        table=table,
        cells=cell_table(rows, mean=means, sd=spread),
        df=df,
        r_squared=float(fit.rsquared),
        outcome=label,
        n_missing=rows.n_missing,
        n_dropped=rows.n_dropped,
        level=level,
    )


def _sd(values: npt.NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
