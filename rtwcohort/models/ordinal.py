"""Cumulative link regression: a frame or arrays in, a named fit out; the numbers come from `ordinal_kernel`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.core.control import DEFAULT_CONTROL, Control
from rtwcohort.design import build_design
from rtwcohort.errors import ArgumentError, DesignError, RtwCohortWarning
from rtwcohort.models.compat import ORDINAL_COMPAT, Compat, OrdinalDefaults
from rtwcohort.models.links import LINKS, LinkName
from rtwcohort.models.newton import MonotoneLikelihoodWarning
from rtwcohort.models.ordinal_likelihood import OrdinalData, OrdinalLikelihood
from rtwcohort.models.ordinal_maximum import OrdinalMaximum, maximise_ordinal
from rtwcohort.models.ordinal_result import OrdinalChoices, OrdinalFit, Variance
from rtwcohort.models.ordinal_variance import Information, covariances

Floats = npt.NDArray[np.float64]
WeightType = Literal["frequency", "probability"]


class EmptyCategoryWarning(RtwCohortWarning):
    """A category of the outcome has no rows and is left out of the model."""


class CrossingCurvesWarning(RtwCohortWarning):
    """With nominal effects, cumulative probabilities fall from one category to the next for some rows."""


def fit_ordinal(
    frame: Any,
    formula: str,
    *,
    link: LinkName = "logit",
    levels: Sequence[Any] | None = None,
    nominal: Sequence[str] | None = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    cluster: Any = None,
    robust: bool = False,
    information: Information | None = None,
    offset: Any = None,
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
    compat: Compat | None = None,
    control: Control | None = None,
) -> OrdinalFit:
    """Fit a cumulative link model, link(P(Y <= j)) = threshold_j - x'b.

    Parameters
    ----------
    frame
        One row a person or visit: pandas, Polars, PyArrow or DuckDB.
    formula
        "status ~ age + sex". The outcome is an ordered categorical, whole numbers, or anything with `levels`. A
        positive effect means a higher category: of "not" < "partly" < "fully", exp(b) above 1 is a better status.
    link
        "logit" (proportional odds), "probit", "cloglog", "loglog" or "cauchit".
    levels
        The categories from the lowest to the highest.
    nominal
        Terms of the formula with an effect of their own at every threshold (partial proportional odds).
    weights
        Column or numbers. Rows of weight 0 are left out and counted.
    weight_type
        "frequency": weight 2 is two people. "probability": weights correct for selection, and the robust variance is
        turned on. When None, whole numbers are frequencies and others probability weights.
    cluster
        Column, columns or codes: the sandwich over clusters.
    robust
        The sandwich over rows.
    information
        "observed" (default; R, Stata) or "expected" (SAS, and what a GEE uses): the covariance, or the bread of
        the sandwich.
    offset
        Column or numbers, added to x'b.
    missing
        "raise", or "drop" rows with a missing value and count them; a missing outcome is never a category.
    reference
        Categorical column -> reference level.
    compat
        Defaults of a program: "r", "stata", "sas" or "spss"; an argument given here wins. See
        `compat.ORDINAL_COMPAT`.
    control
        Tolerances.

    Raises
    ------
    DesignError
        For a formula, a column or an outcome that cannot be used.
    ConvergenceError
        When the maximum is not reached.

    Warns
    -----
    MonotoneLikelihoodWarning
        When an estimate is infinite (separation); the message names the term.
    EmptyCategoryWarning
        When a category has no rows; it gets no threshold.
    CrossingCurvesWarning
        When nominal effects give some row a negative probability.

    Notes
    -----
    McCullagh (1980), J. R. Stat. Soc. B 42, 109-142. R's polr and clm, Stata's ologit and SPSS PLUM have the same
    signs; SAS PROC LOGISTIC and VGAM have threshold_j + x'b. clm adds nominal effects to the threshold; here they are
    subtracted, so that they read like b.
    """
    rules = _rules(compat)
    options: dict[str, Any] = {"missing": missing, "weights": weights, "cluster": cluster, "offset": offset}
    design = build_design(frame, formula, response="ordinal", levels=levels, reference=reference, **options)
    if rules is not None and rules.reference == "last":
        last = {name: found[-1] for name, found in design.info.levels.items()} | dict(reference or {})
        if last != design.info.reference:
            design = build_design(frame, formula, response="ordinal", levels=levels, reference=last, **options)
    groups = design.groups
    unknown = [term for term in nominal or () if term not in groups]
    if unknown:
        raise ArgumentError(f"`nominal` must name terms of the formula ({', '.join(groups)}); got '{unknown[0]}'.")
    chosen = [j for term, part in groups.items() if term in (nominal or ()) for j in range(part.start, part.stop)]
    response, extras = design.response, design.extras
    data = OrdinalData(
        matrix=design.matrix,
        codes=response.codes.astype(np.int32),
        labels=response.labels,
        names=design.names,
        nominal=tuple(chosen),
        weights=extras.weights,
        offset=extras.offset,
        cluster=extras.cluster,
        empty=response.empty,
    )
    choices = _choices(data, link, weight_type, robust, information, compat, notes=design.info.notes)
    return replace(_fit(data, choices, control or DEFAULT_CONTROL), design=design.info)


def fit_ordinal_arrays(
    X: Floats,
    y: npt.ArrayLike,
    *,
    link: LinkName = "logit",
    labels: Sequence[str] | None = None,
    nominal: Sequence[int] | None = None,
    weights: npt.ArrayLike | None = None,
    weight_type: WeightType | None = None,
    cluster: npt.ArrayLike | None = None,
    robust: bool = False,
    information: Information | None = None,
    offset: npt.ArrayLike | None = None,
    compat: Compat | None = None,
    control: Control | None = None,
    names: Sequence[str] | None = None,
) -> OrdinalFit:
    """Fit a cumulative link model to arrays, for simulation and bootstrap.

    Parameters
    ----------
    X
        Shape (n, p), finite numbers, no intercept; p may be 0. Either memory order, none is copied.
    y
        Shape (n,), whole numbers: the categories in ascending order; with `labels`, 0 to k - 1.
    labels
        Names of the categories 0 to k - 1, lowest first.
    nominal
        Columns with an effect of their own at every threshold.
    weights, offset
        Shape (n,); weights above 0.
    cluster
        Shape (n,), any codes.
    names
        Of the columns; "x1" to "xp" when None.
    link, weight_type, robust, information, compat, control
        As in `fit_ordinal`.

    Raises
    ------
    DesignError, ConvergenceError
        As `fit_ordinal`.
    """
    matrix = np.asarray(X, dtype=np.float64)
    if matrix.ndim != 2 or np.shape(y) != (len(matrix),) or len(matrix) == 0:
        raise DesignError(f"`X` must have shape (n, p) and `y` shape (n,); got {matrix.shape} and {np.shape(y)}.")
    terms = tuple(names) if names is not None else tuple(f"x{j + 1}" for j in range(matrix.shape[1]))
    if len(terms) != matrix.shape[1]:
        raise DesignError(f"`names` must have one name a column ({matrix.shape[1]}); got {len(terms)}.")
    if not np.isfinite(matrix).all():
        bad = terms[int(np.flatnonzero(~np.isfinite(matrix).all(axis=0))[0])]
        raise DesignError(f"`X` holds a missing or infinite value in '{bad}': drop or impute those rows.")
    places = tuple(sorted(set(nominal or ())))
    if any(j not in range(len(terms)) for j in places):
        raise ArgumentError(f"`nominal` must hold column positions from 0 to {len(terms) - 1}; got {list(places)}.")
    codes, found, empty = _code_outcome(np.asarray(y), labels)
    data = OrdinalData(
        matrix=matrix,
        codes=codes,
        labels=found,
        names=terms,
        nominal=places,
        weights=_numbers(weights, len(matrix), "weights", positive=True),
        offset=_numbers(offset, len(matrix), "offset"),
        cluster=_cluster_codes(cluster, len(matrix)),
        empty=empty,
    )
    choices = _choices(data, link, weight_type, robust, information, compat)
    return _fit(data, choices, control or DEFAULT_CONTROL)


def _rules(compat: str | None) -> OrdinalDefaults | None:
    if compat is None:
        return None
    check_choice(compat, tuple(ORDINAL_COMPAT), argument="compat")
    return ORDINAL_COMPAT[compat]


def _choices(
    data: OrdinalData,
    link: str,
    weight_type: str | None,
    robust: bool,
    information: str | None,
    compat: str | None,
    notes: tuple[str, ...] = (),
) -> OrdinalChoices:
    """Check the choices and fill in the defaults."""
    check_choice(link, tuple(LINKS), argument="link")
    weight_type = weight_type or _weight_type(data.weights)
    check_choice(weight_type, ("frequency", "probability"), argument="weight_type")
    rules = _rules(compat)
    information = information or (rules.information if rules else "observed")
    check_choice(information, ("observed", "expected"), argument="information")
    variance: Variance = "model"
    if data.cluster is not None:
        if data.cluster.max() == 0:
            raise DesignError("`cluster` has one cluster: a variance between clusters needs at least two.")
        variance = "cluster"
    elif robust or (data.weights is not None and weight_type == "probability"):
        variance = "robust"
    return OrdinalChoices(
        link=link,
        information=information,
        variance=variance,
        weight_type=weight_type if data.weights is not None else None,
        correction=_correction(data, rules, variance, frequency=weight_type == "frequency"),
        sign=rules.sign if rules else 1,
        compat=compat,
        notes=notes,
    )


def _weight_type(weights: Floats | None) -> WeightType:
    whole = weights is None or bool((weights % 1.0 == 0.0).all())
    return "frequency" if whole else "probability"


def _correction(data: OrdinalData, rules: OrdinalDefaults | None, variance: Variance, *, frequency: bool) -> float:
    """Return G/(G - 1) for clusters or n/(n - 1) for rows where the program has them, else 1."""
    if rules is None:
        return 1.0
    count = np.inf
    if variance == "cluster" and rules.cluster_correction and data.cluster is not None:
        count = float(data.cluster.max()) + 1.0
    elif variance == "robust" and rules.robust_correction:
        count = float(data.counts().sum()) if frequency else float(len(data.codes))
    return 1.0 if count == np.inf else count / (count - 1.0)


def _fit(data: OrdinalData, choices: OrdinalChoices, control: Control) -> OrdinalFit:
    """Fit checked data."""
    if data.empty:
        listed = ", ".join(f"'{label}'" for label in data.empty)
        warnings.warn(
            f"No row has the category {listed}: left out, without a threshold. The model is that of "
            f"{', '.join(data.labels)}.",
            EmptyCategoryWarning,
            stacklevel=3,
        )
    likelihood = OrdinalLikelihood(data, choices.link)
    try:
        found = maximise_ordinal(likelihood, control)
        vcov, model_vcov = covariances(
            likelihood,
            found.working,
            found.covariance,
            information="expected" if choices.information == "expected" else "observed",
            variance=choices.variance,
            weight_type=choices.weight_type,
            correction=choices.correction,
        )
    finally:
        likelihood.close()
    if not np.isfinite(found.limit).all():
        _warn_monotone(found, data.parameters)
    elif data.nominal:
        _warn_crossing(data, found.natural)
    return OrdinalFit(
        parameters=data.parameters,
        estimates=found.natural,
        vcov=vcov,
        model_vcov=model_vcov,
        limit=found.limit,
        loglik=found.loglik,
        loglik_null=_null_loglik(data, choices.link, control),
        iterations=found.iterations,
        choices=choices,
        data=data,
        control=control,
    )


def _null_loglik(data: OrdinalData, link: str, control: Control) -> float:
    """Return the log-likelihood of thresholds only: in closed form without an offset."""
    empty = data.without_predictors()
    likelihood = OrdinalLikelihood(empty, link)
    try:
        return likelihood.loglik_of_shares() if data.offset is None else maximise_ordinal(likelihood, control).loglik
    finally:
        likelihood.close()


def _warn_monotone(found: OrdinalMaximum, names: tuple[str, ...]) -> None:
    pairs = list(zip(names, found.limit, strict=True))
    listed = ", ".join(f"'{name}'" for name, end in pairs if np.isinf(end))
    lost = ", ".join(f"'{name}'" for name, end in pairs if np.isnan(end))
    warnings.warn(
        f"The likelihood keeps rising as {listed} goes to infinity: the predictors tell some categories apart without "
        "error (separation). That estimate, its standard error and its Wald test mean nothing; merge categories or "
        "leave the term out." + (f" {lost} cannot be estimated beside it." if lost else ""),
        MonotoneLikelihoodWarning,
        stacklevel=4,
    )


def _warn_crossing(data: OrdinalData, natural: Floats) -> None:
    k, q = len(data.labels) - 1, len(data.nominal)
    effects = natural[k : k + q * k].reshape(q, k)
    thresholds = natural[:k] - data.matrix[:, list(data.nominal)] @ effects
    crossed = (np.diff(thresholds, axis=1) <= 0.0).any(axis=1)
    if crossed.any():
        names = ", ".join(f"'{data.names[j]}'" for j in data.nominal)
        warnings.warn(
            f"With an effect of {names} at every threshold the cumulative curves cross: {int(crossed.sum())} of "
            f"{crossed.size} rows have a negative probability of some category. Give fewer terms in `nominal`, or "
            "merge categories.",
            CrossingCurvesWarning,
            stacklevel=4,
        )


def _code_outcome(
    y: npt.NDArray[Any], labels: Sequence[str] | None
) -> tuple[npt.NDArray[np.int32], tuple[str, ...], tuple[str, ...]]:
    """Return dense codes, the labels that occur and those that do not."""
    if y.dtype.kind not in "iub" and not (y.dtype.kind == "f" and (np.isfinite(y) & (y % 1 == 0)).all()):
        raise DesignError("`y` must hold whole numbers, one a category, none missing: drop rows without an outcome.")
    low, high = int(y.min()), int(y.max())
    if labels is not None and (low < 0 or high >= len(labels)):
        raise DesignError(f"`y` must be from 0 to {len(labels) - 1}, the positions of `labels`; got {low} to {high}.")
    if high - low > 10_000:
        raise DesignError(f"`y` runs from {low} to {high}: give categories, such as 0, 1, 2.")
    shifted = (y - low).astype(np.int32)
    present = np.bincount(shifted) > 0
    values = np.flatnonzero(present) + low
    if values.size < 2:
        raise DesignError(f"`y` has one category ({values[0]}) in {y.size} rows: nothing to model.")
    dense = (np.cumsum(present) - 1).astype(np.int32)
    names = [str(value) for value in range(high + 1)] if labels is None else [str(label) for label in labels]
    found = tuple(str(value) if labels is None else names[value] for value in values.tolist())
    empty = (
        () if labels is None else tuple(name for place, name in enumerate(names) if place not in set(values.tolist()))
    )
    return (shifted if present.all() else dense[shifted]), found, empty


def _numbers(values: npt.ArrayLike | None, n: int, name: str, *, positive: bool = False) -> Floats | None:
    if values is None:
        return None
    numbers = np.ascontiguousarray(values, dtype=np.float64)
    if numbers.shape != (n,) or not np.isfinite(numbers).all() or (positive and not (numbers > 0.0).all()):
        rule = "above 0: leave out rows of weight 0" if positive else "finite"
        raise DesignError(f"`{name}` must have shape ({n},) and be numbers {rule}; got shape {numbers.shape}.")
    return numbers


def _cluster_codes(cluster: npt.ArrayLike | None, n: int) -> npt.NDArray[np.int64] | None:
    if cluster is None:
        return None
    given = np.asarray(cluster)
    if given.shape != (n,) or (given.dtype.kind == "f" and not np.isfinite(given).all()):
        raise DesignError(f"`cluster` must have shape ({n},) without missing values; got shape {given.shape}.")
    return np.unique(given, return_inverse=True)[1].astype(np.int64).reshape(-1)
