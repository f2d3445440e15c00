"""Predicted curves of a Cox fit for given people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import DesignError
from rtwcohort.models.cox_hazard import hazard_at, hazard_steps, last_followed, places_at, stratum_times
from rtwcohort.models.cox_new_rows import code_new_rows
from rtwcohort.models.cox_risk import CoxRisk, risk_of
from rtwcohort.models.cox_rows import names_of_infinite
from rtwcohort.models.curve_interval import ConfType, probability_interval

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PredictedCurves:
    """Survival (here: still not back at work) and its complement for given covariates.

    Attributes
    ----------
    frame
        One row a person, stratum and time: `row, stratum, time, cumulative_hazard, hazard_std_error, survival,
        std_error, conf_low, conf_high`. `std_error` and the interval are those of `survival`. NaN after the last time
        known in the stratum.
    level, conf_type
        Of the interval.
    """

    frame: pd.DataFrame
    level: float
    conf_type: str

    def incidence(self) -> pd.DataFrame:
        """Return the share with the event, 1 - S: `row, stratum, time, incidence, std_error, conf_low, conf_high`."""
        table = self.frame[["row", "stratum", "time"]].copy()
        table["incidence"] = 1.0 - self.frame["survival"]
        table["std_error"] = self.frame["std_error"]
        table["conf_low"], table["conf_high"] = 1.0 - self.frame["conf_high"], 1.0 - self.frame["conf_low"]
        return table


def predict_curves(
    fit: Any,
    rows: Any,
    *,
    times: Sequence[float] | None = None,
    strata: Any = None,
    offset: Any = None,
    level: float = 0.95,
    conf_type: ConfType = "log",
) -> PredictedCurves:
    """Predict the curve of people with given covariates from a Cox fit.

    Parameters
    ----------
    fit
        A Cox fit with finite estimates.
    rows
        A frame with the columns of the formula (and of the strata and offset), one row a curve; or for a fit to arrays
        an array of shape (m, p). Covariates are held for the whole time, also where they varied in the data.
    times
        Where to give the curves; None gives all event times of the stratum, and time 0 before them.
    strata, offset
        Shape (m,), for a fit to arrays. A stratified fit and rows that do not say their stratum give a curve for each
        stratum.
    level, conf_type
        Of the interval of the survival: "log" (default, as R), "log-log", "plain", "logit" or "arcsin".

    Raises
    ------
    DesignError
        For rows that cannot be coded, or a fit with an infinite estimate.

    Notes
    -----
    S = exp(-exp(x'b) H0), with the baseline hazard of the fit's ties; the variance of the cumulative hazard has the
    part of the baseline and that of the coefficients, robust where the fit is, as R's `survfit.coxph`. Competing causes
    coded as censored make this the curve that would be seen without them.
    """
    refuse_infinite(fit)
    at = risk_of(fit)
    new = code_new_rows(fit, rows, strata=strata, offset=offset)
    steps = hazard_steps(at)
    parts = []
    for i, label in enumerate(new.labels):
        codes = range(len(at.strata)) if new.strata is None else [int(new.strata[i])]
        for s in codes:
            grid, known = time_grid(at, s, times)
            covariates = new.matrix[i] - at.centre
            log_risk = float(new.matrix[i] @ fit.coef) + new.offset[i] - at.shift
            hazard, error = hazard_at(steps, places_at(at, s, grid), covariates, log_risk, fit.vcov)
            survival = np.exp(-hazard)
            low, high = probability_interval(survival, error, level, conf_type)
            part = pd.DataFrame(
                {
                    "time": grid,
                    "cumulative_hazard": hazard,
                    "hazard_std_error": error,
                    "survival": survival,
                    "std_error": survival * error,
                    "conf_low": low,
                    "conf_high": high,
                }
            )
            part.loc[~known, part.columns[1:]] = np.nan
            part.insert(0, "stratum", at.strata[s])
            part.insert(0, "row", [label] * grid.size)
            parts.append(part)
    return PredictedCurves(pd.concat(parts, ignore_index=True), level, conf_type)


def time_grid(at: CoxRisk, stratum: int, times: Sequence[float] | None) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the times of a curve and which of them are within what is known."""
    if times is not None:
        grid = np.asarray(times, dtype=np.float64)
        if grid.ndim != 1 or not np.isfinite(grid).all() or (grid < 0.0).any():
            raise DesignError("`times` must be finite numbers that are not negative.")
        return grid, grid <= last_followed(at, stratum)
    own = stratum_times(at, stratum)
    grid = own if own.size and own[0] == 0.0 else np.concatenate(([0.0], own))
    return grid, np.ones(grid.size, dtype=np.bool_)


def refuse_infinite(fit: Any) -> None:
    """Raise `DesignError` where an estimate is infinite."""
    if fit.monotone.any():
        raise DesignError(
            f"The estimate of {names_of_infinite(fit)} is infinite, so curves from it mean nothing. Leave the term "
            "out, merge categories, or fit with penalty='firth'."
        )
