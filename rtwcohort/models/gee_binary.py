"""Generalised estimating equations for repeated yes/no outcomes and counts: solved by statsmodels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.design import BinaryResponse, CountResponse, Design, build_design
from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models.compat import Compat
from rtwcohort.models.gee_correlation import (
    Clusters,
    Correlation,
    Moments,
    describe_clusters,
    estimate_correlation,
    estimate_scale,
    working_correlation,
)
from rtwcohort.models.glm import binomial
from rtwcohort.models.glm_fit import INTERCEPT, GlmFit
from rtwcohort.models.glm_options import defaults_of, describe_defaults, describe_rows
from rtwcohort.models.glm_scale import Standardised, standardise
from rtwcohort.models.glm_variance import small_sample_factor
from rtwcohort.models.separation import find_separation, name_separated

Floats = npt.NDArray[np.float64]
Repeated = Design[BinaryResponse] | Design[CountResponse]
GeeVariance = Literal["robust", "model", "mancl_derouen"]
_MAX_ITERATIONS: Final = 200
_EXTREME: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Rows in the order that the clusters need."""

    standard: Standardised
    y: Floats
    weights: Floats | None
    offset: Floats | None
    clusters: Clusters


def fit_gee(
    frame: Any,
    formula: str,
    *,
    cluster: Any,
    time: Any = None,
    family: Literal["binary", "count"] = "binary",
    link: Literal["logit", "probit", "cloglog"] | None = None,
    correlation: Correlation = "exchangeable",
    variance: GeeVariance = "robust",
    scale: float | Literal["estimated", "initial"] = "estimated",
    weights: Any = None,
    offset: Any = None,
    levels: Sequence[Any] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
    compat: Compat | None = None,
) -> GlmFit:
    """Fit a marginal model of a yes/no outcome or a count that is measured repeatedly.

    Parameters
    ----------
    frame
        One row a person and wave; a wave that is missing has no row, or a missing outcome that `missing="drop"` leaves
        out and counts.
    formula
        "in_work ~ arm * wave".
    cluster
        Column or columns whose values say which rows belong together, such as the person.
    time
        Column of the wave. Waves are numbered in sorted order and count as equally spaced; needed for "ar1" and
        "unstructured".
    family
        "binary" or "count" (Poisson variance, log link).
    link
        Of a binary outcome: "logit" (default), "probit" or "cloglog".
    correlation
        "independence", "exchangeable", "ar1" or "unstructured".
    variance
        "robust" (sandwich by cluster), "model", or "mancl_derouen" (sandwich with the residuals corrected for leverage
        [1]_, and t intervals on clusters less coefficients: for fewer than about 50 clusters).
    scale
        Of the residuals, for the correlation and the model variance: "estimated" at every step, "initial" (kept as the
        fit under independence gives it, what `geeglm(scale.fix=TRUE)` does), or a number.
    weights
        Column of probability weights (for drop-out, say), equal within a cluster unless the correlation is
        independence.
    offset
        Column added to the linear predictor.
    levels, missing, reference
        As in `fit_logistic`.
    compat
        "r", "stata", "sas" or "spss": how the correlation is estimated (see `gee_correlation`), reference level, and
        Stata's G/(G - 1). None is as R's geepack.

    References
    ----------
    .. [1] Mancl LA, DeRouen TA. A covariance estimator for GEE with improved small-sample properties. Biometrics
       2001;57:126-134.

    Raises
    ------
    DesignError, ArgumentError
        For a formula, a column or an option that cannot be used.
    ConvergenceError
        When the equations are not solved, the outcome is separated, or the correlation is not positive definite.
    """
    _check_options(family, link, correlation, variance, scale, weights, time, levels)
    rules = defaults_of(compat)
    options: dict[str, Any] = {
        "missing": missing,
        "reference": reference,
        "default_reference": rules.reference,
        "weights": weights,
        "cluster": cluster,
        "strata": time,
        "offset": offset,
    }
    design: Repeated
    if family == "binary":
        design = build_design(frame, formula, response="binary", levels=levels, **options)
    else:
        design = build_design(frame, formula, response="count", **options)
    chosen = _family(family, link)
    moments = defaults_of(compat).moments
    rows = _sort(design, correlation)
    solved = _solve(rows, chosen, correlation, variance, scale, moments, design)
    return _result(design, rows, solved, correlation, variance, scale, compat, link or "logit")


def _check_options(
    family: str, link: str | None, correlation: str, variance: str, scale: Any, weights: Any, time: Any, levels: Any
) -> None:
    check_choice(family, ("binary", "count"), argument="family")
    check_choice(correlation, ("independence", "exchangeable", "ar1", "unstructured"), argument="correlation")
    check_choice(variance, ("robust", "model", "mancl_derouen"), argument="variance")
    if family == "count" and (link is not None or levels is not None):
        raise ArgumentError("`link` and `levels` belong to family='binary'; counts have the log link.")
    if link is not None:
        check_choice(link, ("logit", "probit", "cloglog"), argument="link")
    if isinstance(scale, str):
        check_choice(scale, ("estimated", "initial"), argument="scale")
    else:
        check_number(scale, argument="scale", least=1e-12)
    if time is None and correlation in ("ar1", "unstructured"):
        raise ArgumentError(f"correlation='{correlation}' needs `time`, the column of the wave.")
    if weights is not None and variance != "robust":
        raise ArgumentError(f"`weights` are probability weights and need variance='robust'; got '{variance}'.")


def _family(family: str, link: str | None) -> Any:
    from statsmodels.genmod.families import Poisson

    return binomial(link or "logit") if family == "binary" else Poisson()


def _sort(design: Repeated, correlation: Correlation) -> _Sorted:
    """Sort by cluster and wave; without waves the order of the rows stands."""
    extras = design.extras
    cluster = extras.cluster
    assert cluster is not None
    if extras.n_clusters < 2:
        raise DesignError("There is one cluster: a GEE needs many, for its variance comes from the differences.")
    wave = _positions(cluster) if extras.strata is None else extras.strata
    order = np.lexsort((wave, cluster))
    code, place = cluster[order], wave[order]
    twice = (np.diff(code) == 0) & (np.diff(place) == 0)
    if twice.any():
        raise DesignError(
            f"{int(twice.sum())} rows repeat a wave (`time`) of their cluster: a cluster has one row a wave. Leave out "
            "the repeats, or name the cluster by more columns."
        )
    weights = None if extras.weights is None else extras.weights[order]
    if weights is not None and correlation != "independence" and ((np.diff(code) == 0) & (np.diff(weights) != 0)).any():
        raise DesignError(
            "Weights that differ within a cluster are valid only with correlation='independence': use that, or one "
            "weight a cluster."
        )
    needs_pairs = correlation in ("ar1", "unstructured")
    return _Sorted(
        standardise(np.asarray(design.matrix[order])),
        design.response.values[order],
        weights,
        None if extras.offset is None else extras.offset[order],
        describe_clusters(code, place, weights, pairs=needs_pairs),
    )


def _positions(cluster: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the place of each row within its cluster, in the order of the rows."""
    order = np.argsort(cluster, kind="stable")
    start = np.searchsorted(cluster[order], cluster[order])
    place = np.empty(cluster.size, dtype=np.int64)
    place[order] = np.arange(cluster.size) - start
    return place


@dataclass(frozen=True, slots=True)
class _Solved:
    """Estimates on the standardised scale."""

    coef: Floats
    vcov: Floats
    model: Floats
    phi: float
    association: Floats | None
    iterations: int


def _solve(
    rows: _Sorted,
    family: Any,
    correlation: Correlation,
    variance: str,
    scale: Any,
    moments: Moments,
    design: Repeated,
) -> _Solved:
    p = rows.standard.Z.shape[1]
    fixed = None if isinstance(scale, str) else float(scale)
    if scale == "initial":
        first = _run(rows, family, None, "robust", design)
        fixed = estimate_scale(_residuals(rows, family, first.params), rows.weights, moments, p)

    def correlate(model: Any) -> Floats:
        mean = np.concatenate([expected for expected, _ in model.cached_means])
        r = (rows.y - mean) / np.sqrt(family.variance(mean))
        phi = fixed if fixed is not None else estimate_scale(r, rows.weights, moments, p)
        return estimate_correlation(r, phi, rows.clusters, correlation, moments, p)

    structure = None if correlation == "independence" else working_correlation(correlate)
    result = _run(rows, family, structure, variance, design)
    phi = (
        fixed
        if fixed is not None
        else estimate_scale(_residuals(rows, family, result.params), rows.weights, moments, p)
    )
    model_vcov = np.asarray(result.cov_naive) * phi
    vcov = {"model": model_vcov, "robust": result.cov_robust, "mancl_derouen": result.cov_robust_bc}[variance]
    association = None if structure is None else np.asarray(structure.dep_params)
    if correlation in ("exchangeable", "ar1") and association is not None:
        association = association[0, 1:2]
    return _Solved(
        np.asarray(result.params), np.asarray(vcov), model_vcov, phi, association, len(result.fit_history["params"])
    )


def _residuals(rows: _Sorted, family: Any, gamma: Floats) -> Floats:
    eta = rows.standard.Z @ gamma
    mean = family.link.inverse(eta if rows.offset is None else eta + rows.offset)
    return np.asarray((rows.y - mean) / np.sqrt(family.variance(mean)))


def _run(rows: _Sorted, family: Any, structure: Any, variance: str, design: Repeated) -> Any:
    """Solve the equations with statsmodels, whose warnings become errors."""
    from statsmodels.genmod.cov_struct import Independence
    from statsmodels.genmod.generalized_estimating_equations import GEE
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, IterationLimitWarning

    kind = "bias_reduced" if variance == "mancl_derouen" else "robust"
    failed = None
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            model = GEE(
                rows.y,
                rows.standard.Z,
                groups=rows.clusters.code,
                time=rows.clusters.wave,
                family=family,
                cov_struct=structure or Independence(),
                weights=rows.weights,
                offset=rows.offset,
            )
            tolerance = 1e-9 * max(1.0, rows.y.size / 1e4)
            result = model.fit(maxiter=_MAX_ITERATIONS, ctol=tolerance, cov_type=kind, scale=1.0)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
            failed, result = error, None
    stopped = any(issubclass(item.category, (IterationLimitWarning, ConvergenceWarning)) for item in caught)
    finite = result is not None and np.isfinite(result.params).all()
    if not finite or stopped or np.abs(rows.standard.Z @ result.params).max() > _EXTREME:
        _refuse_separated(rows, design)
    if not finite or stopped:
        raise ConvergenceError(
            f"The estimating equations were not solved in {_MAX_ITERATIONS} steps. Check the predictors for extreme "
            "values, or ask for correlation='independence'."
        ) from failed
    return result


def _refuse_separated(rows: _Sorted, design: Repeated) -> None:
    binary = isinstance(design.response, BinaryResponse)
    pull = np.where(rows.y == 0.0, -1.0, 1.0 if binary else 0.0)
    apart = find_separation(rows.standard.Z, pull)
    if apart is None:
        return
    direction = rows.standard.direction(apart.direction)
    limit = np.where(direction != 0.0, np.copysign(np.inf, direction), 0.0)
    text = name_separated(limit, (INTERCEPT, *design.names), design.response.name)
    raise ConvergenceError(text.replace(" The likelihood-ratio test still holds.", ""))


def _result(
    design: Repeated,
    rows: _Sorted,
    solved: _Solved,
    correlation: str,
    variance: str,
    scale: Any,
    compat: str | None,
    link: str,
) -> GlmFit:
    n_clusters, p = design.extras.n_clusters, solved.coef.size
    factor = 1.0 if variance == "model" else small_sample_factor(compat, n=float(rows.y.size), n_clusters=n_clusters)
    few = variance == "mancl_derouen"
    if few and n_clusters <= p:
        raise DesignError(
            f"There are {n_clusters} clusters for {p} coefficients: the Mancl-DeRouen variance needs more clusters "
            "than coefficients."
        )
    extras = dict(design.info.extras)
    if "strata" in extras:
        extras["time"] = extras.pop("strata")
    info = replace(design.info, extras=extras)
    binary = isinstance(design.response, BinaryResponse)
    coef = rows.standard.coef(solved.coef)
    return GlmFit(
        model="binary GEE" if binary else "count GEE",
        terms=(INTERCEPT, *design.names),
        coef=coef,
        vcov=rows.standard.vcov(solved.vcov) * factor,
        model_vcov=rows.standard.vcov(solved.model),
        variance=variance,
        limit=coef,
        loglik=np.nan,
        loglik_null=np.nan,
        n=float(rows.y.size),
        n_clusters=n_clusters,
        dispersion=solved.phi,
        association=solved.association,
        df_t=float(n_clusters - p) if few else None,
        iterations=solved.iterations,
        choices=_describe(design, correlation, variance, scale, compat, link if binary else "log"),
        outcome=design.response.labels if isinstance(design.response, BinaryResponse) else (),
        design=info,
    )


def _describe(
    design: Repeated, correlation: str, variance: str, scale: Any, compat: str | None, link: str
) -> tuple[str, ...]:
    moments = defaults_of(compat).moments
    labels = design.response.labels if isinstance(design.response, BinaryResponse) else ()
    what = f"the probability that `{design.response.name}` is {labels[1]}" if labels else f"`{design.response.name}`"
    estimated = {
        "r": "from all pairs, without correction for the number of coefficients, as R's geepack",
        "sas": "with the number of coefficients taken from the numbers of pairs and rows, as SAS and SPSS",
        "stata": "as means over clusters, as Stata",
    }[moments]
    how = {
        "robust": "The variance is the cluster sandwich"
        + (", times G/(G - 1)." if defaults_of(compat).small_sample else ", without small-sample factor."),
        "model": "The variance is that of the model, valid only if the working correlation is right.",
        "mancl_derouen": "The variance is the cluster sandwich with the correction of Mancl and DeRouen; p-values and "
        "intervals use t with clusters less coefficients degrees of freedom.",
    }[variance]
    kept = {"estimated": "estimated", "initial": "kept as under independence"}
    phi = kept[scale] if isinstance(scale, str) else f"fixed at {scale:g}"
    working = "" if correlation == "independence" else f", estimated {estimated}"
    return (
        f"Modelled is {what} with the {link} link, by estimating equations in {design.extras.n_clusters} clusters.",
        f"The working correlation is {correlation}{working}; the scale is {phi}.",
        how,
        *describe_defaults(compat),
        *(("Rows have probability weights.",) if design.extras.weights is not None else ()),
        *describe_rows(design.info, None),
    )
