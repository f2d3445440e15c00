"""Baseline hazard of a Cox fit, made with the same ties as the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models.cox_events_kernel import count_at_risk
from rtwcohort.models.cox_hazard import HazardSteps, hazard_at, hazard_steps, last_followed, places_at, stratum_times
from rtwcohort.models.cox_risk import CoxRisk, risk_of
from rtwcohort.models.cox_rows import in_copies, people_of
from rtwcohort.models.curve_interval import ConfType, probability_interval

Floats = npt.NDArray[np.float64]
Place = Literal["centre", "means", "zero"]
_DUMMY = (-1.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class BaselineHazard:
    """Cumulative hazard of a person with given covariates.

    Attributes
    ----------
    frame
        One row a stratum and event time: `stratum, time, at_risk, events, hazard, cumulative_hazard, std_error,
        survival, conf_low, conf_high`. `at_risk` and `events` count rows; `std_error` is that of `cumulative_hazard`
        and holds what the coefficients add; the interval is that of `survival`, exp(-cumulative_hazard).
    strata
        Labels in the order of the frame; ("all",) without strata.
    ties
        "efron" or "breslow": which estimate of the hazard.
    at
        Covariates, shape (p,).
    offset
        Offset.
    last_followed
        Last time known in each stratum, shape (n_strata,).
    """

    frame: pd.DataFrame
    strata: tuple[str, ...]
    ties: str
    at: Floats
    offset: float
    last_followed: Floats

    def at_times(self, times: Any, stratum: str | None = None) -> Floats:
        """Return the cumulative hazard at each time, NaN after the last time known, shape (m,)."""
        label = self.strata[0] if stratum is None and len(self.strata) == 1 else stratum
        if label not in self.strata:
            raise ArgumentError(f"`stratum` must be one of {', '.join(map(repr, self.strata))}; got {stratum!r}.")
        inside = self.frame[self.frame["stratum"] == label]
        wanted = np.atleast_1d(np.asarray(times, dtype=np.float64))
        steps = np.concatenate(([0.0], inside["cumulative_hazard"].to_numpy(dtype=np.float64)))
        values = steps[np.searchsorted(inside["time"].to_numpy(dtype=np.float64), wanted, side="right")]
        return np.where(wanted > self.last_followed[self.strata.index(label)], np.nan, values)


def baseline_hazard(
    fit: Any, *, at: Place | Floats = "centre", level: float = 0.95, conf_type: ConfType = "log"
) -> BaselineHazard:
    """Estimate the cumulative hazard of a Cox fit.

    Parameters
    ----------
    fit
        A Cox fit. After Efron's ties the hazard is Efron's, after Breslow's and exact ties Breslow's.
    at
        "centre" (default): what R's `basehaz(fit)` centres at: weighted means of the columns (unweighted with delayed
        entry), but 0 for columns that hold only -1, 0 and 1, and the mean offset; "means": the weighted means of all
        columns and of the offset; "zero": all columns and the offset 0 (R's `centered = FALSE` keeps the mean offset);
        or covariates of shape (p,), with offset 0.
    level, conf_type
        Of the interval of the survival: "log" (default, as R), "log-log", "plain", "logit" or "arcsin".

    Notes
    -----
    At an event time with d tied events and mean case weight v. the hazard is  v. sum over l of 1/(S0 - (l/d) D0),
    l = 0 .. d - 1 (Efron), or their weight over S0 (Breslow). lifelines gives Breslow's beside Efron's estimates, and
    leaves late entry out of the risk sets.
    """
    risk = risk_of(fit)
    covariates, offset = _covariates(risk, at)
    log_risk = float(covariates @ fit.coef) + offset - risk.shift
    steps = hazard_steps(risk)
    at_risk = count_at_risk(people_of(risk.data), risk.events)
    deaths = risk.sums.weight if in_copies(risk.data) else risk.events.deaths
    parts = []
    for s, label in enumerate(risk.strata):
        part = _one_stratum(risk, steps, s, covariates - risk.centre, log_risk, fit.vcov)
        inside = slice(risk.events.start[s], risk.events.start[s + 1])
        part.insert(0, "events", np.rint(deaths[inside]).astype(np.int64))
        part.insert(0, "at_risk", np.rint(at_risk[inside]).astype(np.int64))
        part.insert(0, "time", stratum_times(risk, s))
        part.insert(0, "stratum", label)
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    low, high = probability_interval(frame["survival"].to_numpy(), frame["std_error"].to_numpy(), level, conf_type)
    frame["conf_low"], frame["conf_high"] = low, high
    known = np.array([last_followed(risk, s) for s in range(len(risk.strata))])
    ties = "efron" if fit.ties == "efron" else "breslow"
    return BaselineHazard(frame, risk.strata, ties, covariates, offset, known)


def _one_stratum(
    risk: CoxRisk, steps: HazardSteps, stratum: int, covariates: Floats, log_risk: float, covariance: Floats
) -> pd.DataFrame:
    places = places_at(risk, stratum, stratum_times(risk, stratum))
    hazard, error = hazard_at(steps, places, covariates, log_risk, covariance)
    return pd.DataFrame(
        {
            "hazard": np.diff(hazard, prepend=0.0),
            "cumulative_hazard": hazard,
            "std_error": error,
            "survival": np.exp(-hazard),
        }
    )


def _covariates(risk: CoxRisk, at: Any) -> tuple[Floats, float]:
    """Return the covariates and the offset asked for."""
    p = risk.centre.size
    offset = risk.data.offset
    mean_offset = 0.0 if offset is None else float(np.average(offset, weights=risk.data.weights))
    if isinstance(at, str):
        if at == "zero":
            return np.zeros(p), 0.0
        if at == "means":
            return risk.centre, mean_offset
        if at == "centre":
            dummy = np.array([bool(np.isin(column, _DUMMY).all()) for column in risk.data.matrix.T])
            people = people_of(risk.data)
            means = risk.centre if risk.data.entry is None else np.average(risk.data.matrix, axis=0, weights=people)
            return np.where(dummy, 0.0, means), mean_offset
    values = np.asarray(at, dtype=np.float64) if not isinstance(at, str) else np.empty(0)
    if values.shape != (p,) or not np.isfinite(values).all():
        raise DesignError(f"`at` must be 'centre', 'means', 'zero' or {p} finite covariates; got {at!r}.")
    return values, 0.0
