"""Logistic regression, and what the likelihood models of statsmodels share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.design import BinaryResponse, CountResponse, Design, build_design
from rtwcohort.models.compat import Compat
from rtwcohort.models.glm_fit import INTERCEPT, GlmFit
from rtwcohort.models.glm_options import (
    Variance,
    VarianceChoice,
    choose_variance,
    count_rows,
    defaults_of,
    describe_defaults,
    describe_rows,
)
from rtwcohort.models.glm_rows import GlmRows, fit_rows
from rtwcohort.models.glm_scale import standardise
from rtwcohort.models.glm_variance import WeightType, sandwich, small_sample_factor
from rtwcohort.models.separation import warn_separated

Floats = npt.NDArray[np.float64]
BinaryLink = Literal["logit", "probit", "cloglog"]


def fit_logistic(
    frame: Any,
    formula: str,
    *,
    link: BinaryLink = "logit",
    levels: Sequence[Any] | None = None,
    variance: Variance | None = None,
    cluster: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    offset: Any = None,
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
    compat: Compat | None = None,
) -> GlmFit:
    """Fit a regression of a yes/no outcome.

    Parameters
    ----------
    frame
        One row a person.
    formula
        "in_work ~ age + sex".
    link
        "logit" (odds ratios), "probit" or "cloglog".
    levels
        The value of the outcome that counts as 0 and the one that counts as 1; else 0/1, False/True, or the first and
        the second category.
    variance
        "model" or "robust"; None is "model", or "robust" with clusters or probability weights.
    cluster
        Column or columns within which rows are dependent: the robust variance is then by cluster.
    weights, weight_type
        Column, and "frequency" or "probability".
    offset
        Column added to the linear predictor.
    missing, reference
        As in `fit_cox`.
    compat
        "r", "stata", "sas" or "spss": reference level first or last, and Stata's factor G/(G - 1) of the sandwich.

    Notes
    -----
    Information is the expected one, as in R's `glm` and SAS; it differs from the observed only for probit and cloglog.

    Raises
    ------
    DesignError
        For a formula, a column or an outcome that cannot be used.
    ConvergenceError
        When the maximum is not reached.

    Warns
    -----
    MonotoneLikelihoodWarning
        When the outcome is separated; the message names the term, whose estimate is infinite.
    """
    check_choice(link, ("logit", "probit", "cloglog"), argument="link")
    rules = defaults_of(compat)
    choice = choose_variance(variance, cluster=cluster, weights=weights, weight_type=weight_type, compat=compat)
    design = build_design(
        frame,
        formula,
        response="binary",
        levels=levels,
        missing=missing,
        reference=reference,
        default_reference=rules.reference,
        weights=weights,
        cluster=cluster,
        offset=offset,
    )
    response = design.response
    fit = fit_family(
        design,
        binomial(link),
        model="logistic regression" if link == "logit" else f"{link} regression",
        pull=np.where(response.values == 1.0, 1.0, -1.0),
        choice=choice,
        compat=compat,
        sentences=(
            f"Modelled is the probability that `{response.name}` is {response.labels[1]} (against "
            f"{response.labels[0]}), with the {link} link, by maximum likelihood.",
        ),
        outcome=response.labels,
    )
    if fit.monotone.any():
        warn_separated(fit.limit, fit.terms, response.name, stacklevel=3)
    return fit


def binomial(link: str) -> Any:
    """Return statsmodels' binomial family with a link."""
    from statsmodels.genmod.families import Binomial, links

    return Binomial(link={"logit": links.Logit, "probit": links.Probit, "cloglog": links.CLogLog}[link]())


def fit_family(
    design: Design[BinaryResponse] | Design[CountResponse],
    family: Any,
    *,
    model: str,
    pull: Floats,
    choice: VarianceChoice,
    compat: str | None,
    sentences: tuple[str, ...],
    outcome: tuple[str, ...] = (),
) -> GlmFit:
    """Fit a likelihood model to a design and put its covariance together."""
    extras, y = design.extras, design.response.values
    n = count_rows(extras, choice.weight_type, y.size)
    standard = standardise(design.matrix)
    rows = fit_rows(standard, y, family, weights=extras.weights, offset=extras.offset, pull=pull)
    vcov = rows.information_inverse
    if choice.kind != "model":
        vcov = robust_vcov(rows, design, choice, compat, n)
    null = _null_loglik(y, family, extras.weights, extras.offset, pull)
    return GlmFit(
        model=model,
        terms=(INTERCEPT, *design.names),
        coef=rows.coef,
        vcov=vcov,
        model_vcov=rows.information_inverse,
        variance=choice.kind,
        limit=rows.limit,
        loglik=rows.loglik,
        loglik_null=null if choice.weight_type != "probability" else np.nan,
        n=n,
        n_clusters=extras.n_clusters,
        dispersion=1.0,
        association=None,
        df_t=None,
        iterations=rows.iterations,
        choices=(
            *sentences,
            choice.sentence,
            *describe_defaults(compat),
            *describe_rows(design.info, choice.weight_type),
        ),
        outcome=outcome,
        design=design.info,
    )


def robust_vcov(
    rows: GlmRows,
    design: Design[BinaryResponse] | Design[CountResponse],
    choice: VarianceChoice,
    compat: str | None,
    n: float,
) -> Floats:
    """Return the sandwich, NaN where there is no finite estimate."""
    extras = design.extras
    middle = sandwich(
        rows.influence,
        weights=extras.weights,
        weight_type=choice.weight_type,
        cluster=extras.cluster,
        n_clusters=extras.n_clusters,
    )
    unknown = ~np.isfinite(rows.limit)
    middle[unknown], middle[:, unknown] = np.nan, np.nan
    return middle * small_sample_factor(compat, n=n, n_clusters=extras.n_clusters)


def _null_loglik(y: Floats, family: Any, weights: Floats | None, offset: Floats | None, pull: Floats) -> float:
    alone = standardise(np.empty((y.size, 0)))
    return fit_rows(alone, y, family, weights=weights, offset=offset, pull=pull).loglik
