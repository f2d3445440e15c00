"""Cox regression: a frame or arrays in, a named fit out; the numbers come from `cox_kernel`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.core.control import DEFAULT_CONTROL, Control
from rtwcohort.core.wald import chi_square_p, tidy_table
from rtwcohort.design import DesignInfo, build_design, check_survival
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_kernel import CoxLikelihood, order_risk_sets, tie_times
from rtwcohort.models.newton import MonotoneLikelihoodWarning, NewtonResult, SingularInformationError, maximise

Floats = npt.NDArray[np.float64]
Ties = Literal["efron", "breslow"]
_WALD_COLUMNS = ["std_error", "statistic", "p_value", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    terms
        Names of the coefficients, length p.
    coef
        Log hazard ratios per unit of each column, shape (p,).
    vcov
        Inverse of the observed information, shape (p, p).
    loglik_null, loglik
        Log partial likelihood with all coefficients 0 and at the estimates.
    score_statistic
        Score test of all coefficients being 0.
    n, n_events
        Rows and events used.
    ties
        How tied event times were treated.
    iterations
        Newton-Raphson steps.
    limit
        Shape (p,): as `coef`, but plus or minus infinity where the likelihood keeps rising as the coefficient goes
        there, and NaN where another's running away leaves nothing to estimate it by; `coef` and `vcov` then only say
        where the iterations stopped.
    control
        Tolerances used.
    design
        Formula, term groups, reference levels and missing counts; None for a fit to arrays.
    """

    terms: tuple[str, ...]
    coef: Floats
    vcov: Floats
    loglik_null: float
    loglik: float
    score_statistic: float
    n: int
    n_events: int
    ties: str
    iterations: int
    limit: Floats
    control: Control
    design: DesignInfo | None = None

    @property
    def monotone(self) -> npt.NDArray[np.bool_]:
        """Where there is no finite estimate, shape (p,)."""
        return ~np.isfinite(self.limit)

    @property
    def converged(self) -> bool:
        """True when every estimate is finite; a fit that did not reach its maximum raises instead."""
        return not bool(self.monotone.any())

    @property
    def n_missing(self) -> dict[str, int]:
        """Column -> rows where it was missing, for the columns that had any."""
        return {} if self.design is None else dict(self.design.n_missing)

    @property
    def n_dropped(self) -> int:
        """Rows left out because a column was missing."""
        return 0 if self.design is None else self.design.n_rows - self.design.n

    @property
    def std_error(self) -> Floats:
        """Standard errors of `coef`, shape (p,)."""
        return np.asarray(np.sqrt(self.vcov.diagonal()))

    def tidy(self, level: float = 0.95, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a coefficient: estimate, standard error, Wald test and interval.

        Parameters
        ----------
        level
            Confidence level.
        exponentiate
            Give `estimate`, `conf_low` and `conf_high` as hazard ratios; `std_error` stays on the log scale.

        Returns
        -------
        pandas.DataFrame
            `term, estimate, std_error, statistic, p_value, conf_low, conf_high, monotone`. Where `monotone` is True the
            estimate is plus or minus infinity (a hazard ratio of infinity or 0) or NaN, and the Wald figures are NaN:
            they mean nothing there.
        """
        table = tidy_table(self.terms, self.coef, self.std_error, level=level)
        if exponentiate:
            for column in ("estimate", "conf_low", "conf_high"):
                with np.errstate(over="ignore"):
                    table[column] = np.exp(table[column])
        if self.monotone.any():
            limit = np.exp(self.limit) if exponentiate else self.limit
            table.loc[self.monotone, "estimate"] = limit[self.monotone]
            table.loc[self.monotone, _WALD_COLUMNS] = np.nan
        table["monotone"] = self.monotone
        return table

    def hazard_ratios(self, level: float = 0.95) -> pd.DataFrame:
        """Return `tidy` with hazard ratios."""
        return self.tidy(level, exponentiate=True)

    def glance(self) -> pd.DataFrame:
        """Return one row of figures on the whole fit.

        BIC counts events, as R's does. The Wald test is NaN where an estimate is infinite.
        """
        p = self.coef.size
        ratio = 2.0 * (self.loglik - self.loglik_null)
        wald = float(self.coef @ np.linalg.solve(self.vcov, self.coef)) if self.converged else np.nan
        return pd.DataFrame(
            {
                "n": [self.n],
                "n_events": [self.n_events],
                "n_dropped": [self.n_dropped],
                "loglik_null": [self.loglik_null],
                "loglik": [self.loglik],
                "aic": [2.0 * p - 2.0 * self.loglik],
                "bic": [p * np.log(self.n_events) - 2.0 * self.loglik],
                "df": [p],
                "lr_statistic": [ratio],
                "lr_p_value": [chi_square_p(ratio, p)],
                "wald_statistic": [wald],
                "wald_p_value": [chi_square_p(wald, p)],
                "score_statistic": [self.score_statistic],
                "score_p_value": [chi_square_p(self.score_statistic, p)],
                "ties": [self.ties],
                "iterations": [self.iterations],
                "converged": [self.converged],
            }
        )


def fit_cox(
    frame: Any,
    formula: str | Sequence[str],
    *,
    ties: Ties = "efron",
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
    control: Control | None = None,
) -> CoxFit:
    """Fit a Cox proportional-hazards model.

    Parameters
    ----------
    frame
        One row a person: pandas, Polars, PyArrow or DuckDB.
    formula
        "Surv(time, event) ~ age + sex", or a list of terms for that left side. An event at time 0 is one on the index
        date and counts like any other; everybody is in its risk set.
    ties
        "efron" (default, as in R) or "breslow" (as in Stata, SAS and SPSS). Times that differ by rounding only are
        ties.
    missing
        "raise", or "drop" rows with a missing value and count them.
    reference
        Categorical column -> reference level.
    control
        Tolerances.

    Raises
    ------
    DesignError
        For a formula, a column or a response that cannot be used.
    ConvergenceError
        When the maximum is not reached.

    Warns
    -----
    MonotoneLikelihoodWarning
        When an estimate is infinite; the message names the term.
    """
    design = build_design(frame, formula, missing=missing, reference=reference)
    response = design.response
    if response.entry is not None:
        raise DesignError(
            f"Surv({', '.join(response.names.columns())}) asks for delayed entry, which fit_cox does not support yet. "
            "Write Surv(time, event)."
        )
    fit = _fit(design.matrix, response.time, response.event, ties=ties, control=control, names=design.names)
    return replace(fit, design=design.info)


def fit_cox_arrays(
    X: Floats,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    ties: Ties = "efron",
    control: Control | None = None,
    names: Sequence[str] | None = None,
) -> CoxFit:
    """Fit a Cox model to arrays, for simulation and bootstrap.

    Parameters
    ----------
    X
        Shape (n, p), finite numbers, no intercept; any memory order.
    time, event
        Shape (n,): times that are not negative, and 0/1 or bool.
    ties, control
        As in `fit_cox`.
    names
        Of the columns; "x1" to "xp" when None.

    Raises
    ------
    DesignError, ConvergenceError
        As `fit_cox`.
    """
    matrix = np.asarray(X, dtype=np.float64)
    times, events = np.asarray(time, dtype=np.float64), np.asarray(event)
    if matrix.ndim != 2 or matrix.shape[1] == 0 or times.shape != (len(matrix),) or events.shape != times.shape:
        raise DesignError(
            "`X` must have shape (n, p) with at least one column, `time` and `event` shape (n,); "
            f"got {matrix.shape}, {times.shape} and {events.shape}."
        )
    if events.dtype != np.bool_ or not (events.any() and np.isfinite(times).all() and times.min() >= 0.0):
        response = check_survival(times, events)
        times, events = response.time, response.event
    terms = tuple(names) if names is not None else tuple(f"x{j + 1}" for j in range(matrix.shape[1]))
    if len(terms) != matrix.shape[1]:
        raise DesignError(f"`names` must have one name a column ({matrix.shape[1]}); got {len(terms)}.")
    if not np.isfinite(matrix).all():
        bad = terms[int(np.flatnonzero(~np.isfinite(matrix).all(axis=0))[0])]
        raise DesignError(f"`X` holds a missing or infinite value in '{bad}': drop or impute those rows.")
    return _fit(matrix, times, events, ties=ties, control=control, names=terms)


def _fit(
    matrix: Floats,
    time: Floats,
    event: npt.NDArray[np.bool_],
    *,
    ties: Ties,
    control: Control | None,
    names: tuple[str, ...],
) -> CoxFit:
    """Fit checked arrays and put the estimates back on the scale of the columns."""
    check_choice(ties, ("efron", "breslow"), argument="ties")
    control = control or DEFAULT_CONTROL
    sets = order_risk_sets(tie_times(time), event)
    likelihood = CoxLikelihood(matrix, sets, efron=ties == "efron")
    try:
        result = _maximise(likelihood, names, control)
    finally:
        likelihood.close()
    if not np.isfinite(result.limit).all():
        _warn_monotone(result.limit, names)
    scale = likelihood.scale
    return CoxFit(
        terms=names,
        coef=result.coef / scale,
        vcov=result.covariance / scale / scale[:, None],
        loglik_null=result.loglik_start,
        loglik=result.loglik,
        score_statistic=result.start_score_statistic,
        n=time.size,
        n_events=int(np.count_nonzero(event)),
        ties=ties,
        iterations=result.iterations,
        limit=result.limit / scale,
        control=control,
    )


def _maximise(likelihood: CoxLikelihood, names: tuple[str, ...], control: Control) -> NewtonResult:
    try:
        return maximise(likelihood, np.zeros(len(names)), control, reach=likelihood.reach)
    except SingularInformationError as error:
        raise DesignError(
            f"The effect of '{names[error.position]}' cannot be estimated: among the people at risk at the event times "
            "it has one value, or is a linear combination of the columns before it. Leave it out."
        ) from error


def _warn_monotone(limit: Floats, names: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{name}'" for name, end in zip(names, limit, strict=True) if np.isinf(end))
    lost = ", ".join(f"'{name}'" for name, end in zip(names, limit, strict=True) if np.isnan(end))
    warnings.warn(
        f"The likelihood keeps rising as the coefficient of {listed} goes to infinity: some group has no events, or "
        "every event is in one group. That estimate, its standard error and its Wald test mean nothing; merge "
        "categories or leave the term out. The likelihood-ratio test still holds."
        + (f" The coefficient of {lost} cannot be estimated beside it." if lost else ""),
        MonotoneLikelihoodWarning,
        stacklevel=4,
    )
