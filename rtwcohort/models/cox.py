"""Cox regression: a frame or arrays in, a named fit out; the numbers come from `cox_kernel` and its companions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.control import DEFAULT_CONTROL, Control
from rtwcohort.design import Design, DesignInfo, SurvResponse, build_design
from rtwcohort.errors import DesignError
from rtwcohort.models.compat import Compat
from rtwcohort.models.cox_arrays import array_data, effective_times
from rtwcohort.models.cox_choices import CoxChoices, Penalty, Ties, Variance, WeightType, choose, defaults_of
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_fit import CoxFit
from rtwcohort.models.newton import MonotoneLikelihoodWarning, NewtonResult, SingularInformationError, maximise

__all__ = ["CoxFit", "Ties", "fit_cox", "fit_cox_arrays"]

Floats = npt.NDArray[np.float64]


def fit_cox(
    frame: Any,
    formula: str | Sequence[str],
    *,
    strata: Any = None,
    cluster: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    offset: Any = None,
    ties: Ties | None = None,
    variance: Variance | None = None,
    penalty: Penalty = "none",
    compat: Compat | None = None,
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
    control: Control | None = None,
) -> CoxFit:
    """Fit a Cox proportional-hazards model.

    Parameters
    ----------
    frame
        One row a person, or one a period of a person: pandas, Polars, PyArrow or DuckDB.
    formula
        "Surv(time, event) ~ age + sex", or a list of terms for that left side; "Surv(entry, exit, event) ~ ..." for
        delayed entry, covariates that change over time and recurrent events: such a row is at risk on (entry, exit].
        An event at time 0 of `Surv(time, event)` is one on the index date and counts like any other; everybody is in
        its risk set.
    strata
        A column, a list of columns (their combinations) or one value a row: each stratum has its own baseline hazard.
    cluster
        The same; rows of one cluster (a person's rows, a workplace) may depend on each other, and the variance is the
        sandwich over clusters.
    weights, weight_type
        A column or one number a row. "frequency": as case weights in R, where tied events share their mean weight;
        "copies": exactly as if each row stood there that many times; "probability": as "frequency" with the robust
        variance. None takes "frequency" for whole numbers and "probability" otherwise, as R does.
    offset
        A column or one number a row, added to the linear predictor.
    ties
        "efron" (default, as in R), "breslow" (default of Stata, SAS and SPSS) or "exact" (discrete time, as R's).
        Times that differ by rounding only are ties.
    variance
        "model" (inverse information) or "robust" (sandwich over rows); None as weights and clusters ask.
    penalty
        "firth" for estimates that stay finite under separation.
    compat
        "r", "stata", "sas" or "spss": the defaults of that program (`models.compat`); an argument that is given wins.
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
    ArgumentError
        For options that exclude each other.
    ConvergenceError
        When the maximum is not reached.

    Warns
    -----
    MonotoneLikelihoodWarning
        When an estimate is infinite; the message names the term.
    """
    design = _design(
        frame,
        formula,
        compat,
        missing=missing,
        reference=reference,
        strata=strata,
        cluster=cluster,
        weights=weights,
        offset=offset,
        by_row=True,
    )
    response, extras = design.response, design.extras
    choices = choose(
        ties=ties,
        variance=variance,
        weights=extras.weights,
        weight_type=weight_type,
        clustered=extras.cluster is not None,
        penalty=penalty,
        compat=compat,
    )
    entry, time = effective_times(response.entry, response.time)
    data = CoxData(
        design.matrix,
        time,
        response.event,
        entry,
        extras.strata,
        extras.strata_labels,
        extras.weights,
        choices.weight_type,
        extras.offset,
        extras.cluster,
        extras.n_clusters,
    )
    return _fit(data, design.names, choices, control or DEFAULT_CONTROL, design.info)


def _design(
    frame: Any, formula: str | Sequence[str], compat: Compat | None, *, reference: Mapping[str, Any] | None, **rest: Any
) -> Design[SurvResponse]:
    """Build the design; where a program takes the last category as reference, build it again with that."""
    design = build_design(frame, formula, reference=reference, **rest)
    if defaults_of(compat).reference == "first" or not design.info.levels:
        return design
    given = dict(reference or {})
    last = {column: levels[-1] for column, levels in design.info.levels.items() if column not in given}
    return build_design(frame, formula, reference={**last, **given}, **rest)


def fit_cox_arrays(
    X: Floats,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    weight_type: WeightType | None = None,
    offset: npt.ArrayLike | None = None,
    ties: Ties | None = None,
    variance: Variance | None = None,
    penalty: Penalty = "none",
    compat: Compat | None = None,
    control: Control | None = None,
    names: Sequence[str] | None = None,
) -> CoxFit:
    """Fit a Cox model to arrays, for simulation and bootstrap.

    Parameters
    ----------
    X
        Shape (n, p), finite numbers, no intercept; any memory order. The fit keeps it, not a copy.
    time, event
        Shape (n,): times that are not negative, and 0/1 or bool.
    entry
        Shape (n,), below `time`, or None.
    strata, cluster
        Shape (n,), codes or labels of any kind without missing values.
    weights, offset
        Shape (n,), weights above 0.
    weight_type, ties, variance, penalty, compat, control
        As in `fit_cox`.
    names
        Of the columns; "x1" to "xp" when None.

    Raises
    ------
    DesignError, ArgumentError, ConvergenceError
        As `fit_cox`.
    """
    data, terms = array_data(X, time, event, entry, strata, cluster, weights, offset, names)
    choices = choose(
        ties=ties,
        variance=variance,
        weights=data.weights,
        weight_type=weight_type,
        clustered=data.cluster is not None,
        penalty=penalty,
        compat=compat,
    )
    if data.weights is not None:
        data = replace(data, weight_type=choices.weight_type)
    return _fit(data, terms, choices, control or DEFAULT_CONTROL, None)


def _fit(
    data: CoxData, names: tuple[str, ...], choices: CoxChoices, control: Control, info: DesignInfo | None
) -> CoxFit:
    """Fit checked arrays and put the estimates back on the scale of the columns."""
    if data.n_clusters == 1:
        raise DesignError("`cluster` has one cluster: a variance between clusters needs at least two.")
    likelihood = data.evaluator(choices.ties)
    try:
        result = _maximise(likelihood, names, choices, control)
        covariance = result.covariance
        if choices.variance != "model":
            covariance = _sandwich(likelihood, result, data, choices)
    finally:
        likelihood.close()
    if not np.isfinite(result.limit).all():
        _warn_monotone(result.limit, names)
    scale = likelihood.scale
    model = result.covariance / scale / scale[:, None]
    n, n_events = _counts(data)
    return CoxFit(
        terms=names,
        coef=result.coef / scale,
        vcov=model if choices.variance == "model" else covariance / scale / scale[:, None],
        loglik_null=result.loglik_start,
        loglik=result.loglik,
        score_statistic=result.start_score_statistic,
        n=n,
        n_events=n_events,
        ties=choices.ties,
        iterations=result.iterations,
        limit=result.limit / scale,
        control=control,
        model_vcov=model,
        choices=choices,
        data=data,
        design=info,
    )


def _counts(data: CoxData) -> tuple[int, int]:
    if data.weights is not None and data.weight_type == "copies":
        return round(float(data.weights.sum())), round(float(data.weights[data.event].sum()))
    return data.time.size, int(np.count_nonzero(data.event))


def _maximise(likelihood: Any, names: tuple[str, ...], choices: CoxChoices, control: Control) -> NewtonResult:
    start = np.zeros(len(names))
    try:
        if choices.penalty == "firth":
            from rtwcohort.models.cox_firth import maximise_penalised

            return maximise_penalised(likelihood, start, control)
        return maximise(likelihood, start, control, reach=likelihood.reach, accurate_tails=True)
    except SingularInformationError as error:
        raise DesignError(
            f"The effect of '{names[error.position]}' cannot be estimated: among the people at risk at the event times "
            "it has one value, or is a linear combination of the columns before it. Leave it out."
        ) from error


def _sandwich(likelihood: Any, result: NewtonResult, data: CoxData, choices: CoxChoices) -> Floats:
    from rtwcohort.models.cox_variance import sandwich

    return sandwich(
        likelihood,
        result.coef,
        result.covariance,
        cluster=data.cluster,
        n_clusters=data.n_clusters,
        n=_counts(data)[0],
        small_sample=choices.small_sample,
    )


def _warn_monotone(limit: Floats, names: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{name}'" for name, end in zip(names, limit, strict=True) if np.isinf(end))
    lost = ", ".join(f"'{name}'" for name, end in zip(names, limit, strict=True) if np.isnan(end))
    warnings.warn(
        f"The likelihood keeps rising as the coefficient of {listed} goes to infinity: some group has no events, or "
        "every event is in one group. That estimate, its standard error and its Wald test mean nothing; merge "
        "categories, leave the term out, or take penalty='firth'. The likelihood-ratio test and the profile interval "
        "still hold." + (f" The coefficient of {lost} cannot be estimated beside it." if lost else ""),
        MonotoneLikelihoodWarning,
        stacklevel=4,
    )
