"""Standardised curves (g-computation): the mean curve of a cohort if everybody were in one arm, and in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_columns
from rtwcohort.core.frames import to_pandas
from rtwcohort.core.wald import normal_quantile, two_sided_p
from rtwcohort.design.terms import level_text
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_curves import refuse_infinite, time_grid
from rtwcohort.models.cox_events_kernel import while_at_risk
from rtwcohort.models.cox_hazard import HazardSteps, hazard_steps, places_at
from rtwcohort.models.cox_new_rows import NewRows, code_new_rows
from rtwcohort.models.cox_risk import CoxRisk, risk_of
from rtwcohort.models.cox_rows import people_of
from rtwcohort.models.cox_variance import score_residuals
from rtwcohort.models.curve_interval import ConfType, probability_interval

Floats = npt.NDArray[np.float64]
Variance = Literal["influence", "model"]


@dataclass(frozen=True, slots=True, eq=False)
class StandardisedCurves:
    """Mean curves of one cohort under each arm.

    Attributes
    ----------
    frame
        One row an arm and time: `arm, time, incidence, survival, std_error, conf_low, conf_high`; the interval is that
        of `incidence`, the share with the event; NaN after the last time known.
    contrasts
        One row an arm other than the reference and time: `arm, reference, time, difference, difference_std_error,
        difference_low, difference_high, p_value, ratio, ratio_low, ratio_high`, of the incidence; the test is of no
        difference.
    arm
        Column that was set.
    reference
        Arm that the others are compared with.
    variance
        "influence" or "model".
    random_cohort
        Whether the standard errors also hold that the cohort is a sample.
    n
        People averaged over.
    level
        Confidence level.
    """

    frame: pd.DataFrame
    contrasts: pd.DataFrame
    arm: str
    reference: Any
    variance: str
    random_cohort: bool
    n: int
    level: float


class _Mean(NamedTuple):
    """A mean survival and what its variance needs.

    Its derivative by the coefficients (p,) and by H0 of each stratum (S,), and each person's own part (n,) when the
    cohort is random.
    """

    survival: float
    by_coef: Floats
    by_hazard: Floats
    own: Floats | None


def standardised_curves(
    fit: Any,
    frame: Any,
    arm: str,
    *,
    times: Sequence[float],
    arms: Sequence[Any] | None = None,
    weights: Any = None,
    variance: Variance = "influence",
    level: float = 0.95,
    conf_type: ConfType = "log",
) -> StandardisedCurves:
    """Estimate the share with the event by each time if the whole cohort were in each arm.

    Parameters
    ----------
    fit
        A Cox fit by formula, with finite estimates. Delayed entry and strata of the fit enter through its baseline
        hazard; `arm` may be a stratum.
    frame
        The cohort to average over, one row a person, with every column of the model; usually that of the fit.
    arm
        Column to set.
    times
        When to give the curves.
    arms
        Values to set, the reference first; None takes the levels of the fit, or the values in `frame`.
    weights
        Column or array of shape (n,) to average by; None takes the weights column of the fit where `frame` has it.
    variance
        "influence" (default): from the influence of each row (or cluster) of the fit; holds when the model is wrong
        and, when `frame` is the cohort of the fit, takes it as a sample. "model": delta method from the covariance of
        the coefficients and the model's variance of the hazard, the cohort fixed.
    level, conf_type
        Of the intervals; `conf_type` of the survival under each arm ("log", "log-log", "plain", "logit", "arcsin").
        The ratio's interval is on the log scale.

    Raises
    ------
    DesignError
        For rows that cannot be coded, fewer than two arms, or a fit with an infinite estimate.

    Notes
    -----
    With weights v, S_i(t) = exp(-r_i H0(t)) and r_i = exp(x_i'b) under the arm, the mean S = sum v_i S_i / sum v_i. The
    influence of row j on it is

        v_j (S_j - S) / sum v  +  (dS/db)' D_j  -  sum over strata of (sum v_i S_i r_i / sum v) h_j(t)

    D_j the dfbeta and h_j(t) the derivative of H0(t) by the weight of j with b held, both correct for ties; squares are
    summed over rows or clusters. The causal reading needs no unmeasured confounding, as any adjusted hazard ratio does.
    """
    check_choice(variance, ("influence", "model"), argument="variance")
    refuse_infinite(fit)
    if fit.design is None:
        raise DesignError("Standardised curves need a fit by formula (fit_cox), which knows the columns of the arm.")
    data = to_pandas(frame, argument="frame")
    check_columns(data.columns, [arm], argument="frame")
    at = risk_of(fit)
    values = _arms(fit, data, arm, arms)
    share = _shares(fit, data, weights)
    grid, known = _common_grid(at, times)
    observed = code_new_rows(fit, data)
    same = observed.matrix.shape == at.data.matrix.shape and bool(np.array_equal(observed.matrix, at.data.matrix))
    random_cohort = same and variance == "influence"
    steps = hazard_steps(at)
    means = {}
    for value in values:
        new = code_new_rows(fit, _set(data, arm, value))
        if new.strata is None:
            raise DesignError("`frame` must have the strata of the fit: each has its own baseline hazard.")
        risk = np.exp(new.matrix @ fit.coef + new.offset - at.shift)
        means[value] = [_mean(at, steps, new, risk, share, time, random_cohort) for time in grid]
    uncertainty = _uncertainty(fit, at, steps, variance)
    curves, contrasts = _tables(values, grid, known, means, uncertainty, level, conf_type)
    return StandardisedCurves(curves, contrasts, arm, values[0], variance, random_cohort, len(data), level)


def _arms(fit: Any, data: pd.DataFrame, arm: str, arms: Sequence[Any] | None) -> list[Any]:
    known = arms if arms is not None else fit.design.levels.get(arm)
    found = sorted(data[arm].unique().tolist()) if known is None else list(known)
    if len(found) < 2:
        raise DesignError(f"`arms` must hold at least two values of `{arm}` to compare; got {found!r}.")
    if len(found) > 20:
        raise DesignError(f"`{arm}` has {len(found)} values: give those to compare as `arms`.")
    return found


def _set(data: pd.DataFrame, arm: str, value: Any) -> pd.DataFrame:
    changed = data.copy(deep=False)
    changed[arm] = pd.Series([value] * len(data), index=data.index)
    return changed


def _shares(fit: Any, data: pd.DataFrame, weights: Any) -> Floats:
    """Return each person's share of the mean; they sum to 1."""
    if weights is None:
        columns = fit.design.extras.get("weights", ())
        weights = data[columns[0]] if columns and columns[0] in data.columns else np.ones(len(data))
    elif isinstance(weights, str):
        check_columns(data.columns, [weights], argument="frame")
        weights = data[weights]
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (len(data),) or not np.isfinite(values).all() or (values < 0.0).any() or not values.any():
        raise DesignError(f"`weights` must be {len(data)} finite numbers that are not negative, not all 0.")
    return np.asarray(values / values.sum())


def _common_grid(at: CoxRisk, times: Sequence[float]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the times and which of them every stratum with people is followed to."""
    parts = [time_grid(at, s, times) for s in range(len(at.strata))]
    return parts[0][0], np.logical_and.reduce([known for _, known in parts])


def _mean(at: CoxRisk, steps: HazardSteps, new: NewRows, risk: Floats, share: Floats, time: float, own: bool) -> _Mean:
    """Return the mean survival at one time and its derivatives."""
    assert new.strata is not None
    n_strata = len(at.strata)
    places = np.array([places_at(at, s, np.array([time]))[0] for s in range(n_strata)])
    hazard, drift = steps.hazard[places], steps.drift[:, places]
    survival = np.exp(-risk * hazard[new.strata])
    mean = float(share @ survival)
    pull = share * survival * risk
    by_hazard = np.asarray(-np.bincount(new.strata, pull, minlength=n_strata), dtype=np.float64)
    weighted = pull * hazard[new.strata]
    by_coef = -(weighted @ new.matrix - weighted.sum() * at.centre) - drift @ by_hazard
    return _Mean(mean, by_coef, by_hazard, share * (survival - mean) if own else None)


class _Uncertainty(NamedTuple):
    """What standard errors of combinations of means are made from.

    `dfbeta` is the influence of each row on the coefficients, weighted, shape (n, p), None for the model's variance;
    `factor` multiplies the variance.
    """

    at: CoxRisk
    steps: HazardSteps
    vcov: Floats
    dfbeta: Floats | None
    factor: float


def _uncertainty(fit: Any, at: CoxRisk, steps: HazardSteps, variance: str) -> _Uncertainty:
    if variance == "model":
        return _Uncertainty(at, steps, fit.vcov, None, 1.0)
    dfbeta = score_residuals(fit.data, fit.coef, ties=fit.ties) @ fit.model_vcov
    if at.data.weights is not None:
        dfbeta *= at.data.weights[:, None]
    units = at.risk.size if at.data.cluster is None else at.data.n_clusters
    return _Uncertainty(at, steps, fit.vcov, dfbeta, units / (units - 1.0) if fit.choices.small_sample else 1.0)


def _standard_error(known: _Uncertainty, time: float, parts: list[tuple[_Mean, float]]) -> float:
    """Return the standard error of the sum of factor x mean at one time."""
    at, data = known.at, known.at.data
    by_coef = np.sum([factor * mean.by_coef for mean, factor in parts], axis=0)
    by_hazard = np.sum([factor * mean.by_hazard for mean, factor in parts], axis=0)
    if known.dfbeta is None:
        places = np.array([places_at(at, s, np.array([time]))[0] for s in range(len(at.strata))])
        return float(np.sqrt(by_coef @ known.vcov @ by_coef + by_hazard**2 @ known.steps.variance[places]))
    influence = known.dfbeta @ by_coef
    influence += (by_hazard[0] if data.strata is None else by_hazard[data.strata]) * _hazard_influence(at, time)
    for mean, factor in parts:
        if mean.own is not None:
            influence += factor * mean.own
    if data.cluster is not None:
        influence = np.bincount(data.cluster, influence)
        return float(np.sqrt(known.factor * (influence @ influence)))
    return float(np.sqrt(known.factor * (influence @ (influence / people_of(data)))))


def _hazard_influence(at: CoxRisk, time: float) -> Floats:
    """Return the derivative of H0(time) of the own stratum by the weight of each row, times that weight."""
    ties, past = at.sums.ties, at.events.time <= time
    influence = -at.risk * while_at_risk(np.where(past, ties.b0, 0.0), at.events)
    influence += at.own(np.where(past, ties.a0 / at.sums.weight, 0.0))
    influence += at.risk * at.own(np.where(past, ties.b1, 0.0))
    return np.asarray(influence if at.data.weights is None else influence * at.data.weights)


def _tables(
    values: list[Any],
    grid: Floats,
    known: npt.NDArray[np.bool_],
    means: dict[Any, list[_Mean]],
    uncertainty: _Uncertainty,
    level: float,
    conf_type: ConfType,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    curves, contrasts = [], []
    for value in values:
        survival = np.array([mean.survival for mean in means[value]])
        error = np.array(
            [_standard_error(uncertainty, time, [(mean, 1.0)]) for time, mean in zip(grid, means[value], strict=True)]
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = probability_interval(survival, error / survival, level, conf_type)
        part = pd.DataFrame(
            {
                "incidence": 1.0 - survival,
                "survival": survival,
                "std_error": error,
                "conf_low": 1.0 - high,
                "conf_high": 1.0 - low,
            }
        )
        curves.append(_labelled(part, known, {"arm": level_text(value), "time": grid}))
        if value != values[0]:
            part = _contrast(grid, means[value], means[values[0]], uncertainty, level)
            labels = {"arm": level_text(value), "reference": level_text(values[0]), "time": grid}
            contrasts.append(_labelled(part, known, labels))
    return pd.concat(curves, ignore_index=True), pd.concat(contrasts, ignore_index=True)


def _labelled(part: pd.DataFrame, known: npt.NDArray[np.bool_], labels: dict[str, Any]) -> pd.DataFrame:
    part.loc[~known, :] = np.nan
    for place, (name, value) in enumerate(labels.items()):
        part.insert(place, name, value)
    return part


def _contrast(
    grid: Floats, arm: list[_Mean], reference: list[_Mean], uncertainty: _Uncertainty, level: float
) -> pd.DataFrame:
    reach = normal_quantile(level)
    rows = []
    for time, mine, other in zip(grid, arm, reference, strict=True):
        one, two = 1.0 - mine.survival, 1.0 - other.survival
        difference = one - two
        error = _standard_error(uncertainty, time, [(mine, 1.0), (other, -1.0)])
        if one > 0.0 and two > 0.0:
            log_error = _standard_error(uncertainty, time, [(mine, 1.0 / one), (other, -1.0 / two)])
            ratio = one / two
            ratios = (ratio, ratio * np.exp(-reach * log_error), ratio * np.exp(reach * log_error))
        else:
            ratios = (np.nan, np.nan, np.nan)
        p_value = float(two_sided_p(difference / error)) if error > 0.0 else np.nan
        rows.append((difference, error, difference - reach * error, difference + reach * error, p_value, *ratios))
    names = ["difference", "difference_std_error", "difference_low", "difference_high", "p_value"]
    return pd.DataFrame(rows, columns=[*names, "ratio", "ratio_low", "ratio_high"])
