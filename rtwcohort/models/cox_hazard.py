"""Cumulative hazard of a Cox fit at given covariates, with its variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtwcohort.models.cox_events_kernel import running_sum
from rtwcohort.models.cox_risk import CoxRisk

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HazardSteps:
    """Running sums over the event times of each stratum, a 0 before its first: shape (k + n_strata,).

    Attributes
    ----------
    hazard
        H0(t), the sum of a0, at the centre of the covariates: Breslow's estimate, or Efron's after Efron's ties.
    variance
        Its variance when the coefficients are known, the sum of b0 (Tsiatis; Efron's counterpart).
    drift
        Less the derivative of H0 by the coefficients, the sum of b0 S1 - b1 D1, shape (p, k + n_strata).
    """

    hazard: Floats
    variance: Floats
    drift: Floats


def hazard_steps(at: CoxRisk) -> HazardSteps:
    """Return the running sums of a fit."""
    sums, ties = at.sums, at.sums.ties
    drift = ties.b0 * sums.s1 - ties.b1 * sums.d1
    return HazardSteps(*(running_sum(values, at.events) for values in (ties.a0, ties.b0, drift)))


def stratum_times(at: CoxRisk, stratum: int) -> Floats:
    """Return the event times of a stratum, ascending."""
    return np.asarray(at.events.time[at.events.start[stratum] : at.events.start[stratum + 1]])


def places_at(at: CoxRisk, stratum: int, times: Floats) -> Ints:
    """Return where each time stands in the running sums: the last event time of the stratum at or before it."""
    reached = np.searchsorted(stratum_times(at, stratum), times, side="right")
    return np.asarray(reached + at.events.start[stratum] + stratum)


def last_followed(at: CoxRisk, stratum: int) -> float:
    """Return the last exit in a stratum; nothing is known after it."""
    inside = at.data.time if at.data.strata is None else at.data.time[at.data.strata == stratum]
    return float(inside.max()) if inside.size else -np.inf


def hazard_at(
    steps: HazardSteps, places: Ints, covariates: Floats, log_risk: float, covariance: Floats
) -> tuple[Floats, Floats]:
    """Return the cumulative hazard and its standard error at each place for one set of covariates.

    Parameters
    ----------
    places
        Of `places_at`, shape (m,).
    covariates
        Less the centre, shape (p,).
    log_risk
        Linear predictor less that at the centre.
    covariance
        Of the coefficients, robust where the fit is.

    Notes
    -----
    As R's `survfit.coxph` (Tsiatis 1981; Therneau and Grambsch 2000, section 10.2): with r = exp(log_risk) and
    d = H0 x - drift, H = r H0 and var H = r^2 (variance + d' V d).
    """
    risk = np.exp(log_risk)
    hazard = steps.hazard[places]
    change = hazard * covariates[:, None] - steps.drift[:, places]
    variance = steps.variance[places] + (change * (covariance @ change)).sum(axis=0)
    return risk * hazard, risk * np.sqrt(variance)
