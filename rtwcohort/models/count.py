"""Regression of counts, such as days of absence: Poisson and negative binomial."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.design import CountResponse, Design, build_design
from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models.compat import Compat
from rtwcohort.models.glm import fit_family, robust_vcov
from rtwcohort.models.glm_fit import GlmFit
from rtwcohort.models.glm_options import (
    Variance,
    VarianceChoice,
    choose_variance,
    defaults_of,
)
from rtwcohort.models.glm_rows import GlmRows
from rtwcohort.models.glm_scale import Standardised, standardise
from rtwcohort.models.glm_variance import WeightType
from rtwcohort.models.separation import name_separated, warn_separated

Floats = npt.NDArray[np.float64]
CountFamily = Literal["poisson", "negative_binomial"]
Information = Literal["observed", "expected"]
_OVERDISPERSED = 1.5


def fit_count(
    frame: Any,
    formula: str,
    *,
    family: CountFamily = "poisson",
    exposure: Any = None,
    offset: Any = None,
    variance: Variance | None = None,
    information: Information | None = None,
    cluster: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
    compat: Compat | None = None,
) -> GlmFit:
    """Fit a log-linear regression of counts; `tidy(exponentiate=True)` gives rate ratios.

    Parameters
    ----------
    frame
        One row a person.
    formula
        "absence_days ~ arm + age".
    family
        "poisson" (variance mu) or "negative_binomial" (variance mu + alpha mu^2, alpha estimated by maximum
        likelihood and returned as `dispersion`).
    exposure
        Column of time at risk, above 0: its logarithm is the offset.
    offset
        Column added to the linear predictor; not with `exposure`.
    variance
        "model" or "robust"; None is "model", or "robust" with clusters or probability weights.
    information
        Of the negative binomial: "observed" (default; joint with alpha, as Stata's `nbreg` and SAS) or "expected"
        (alpha taken as known, as R's `glm.nb`; the default of compat="r").
    cluster
        Column or columns within which rows are dependent: the robust variance is then by cluster.
    weights, weight_type
        Column, and "frequency" or "probability"; Poisson only.
    missing, reference
        As in `fit_cox`.
    compat
        "r", "stata", "sas" or "spss".

    Raises
    ------
    DesignError
        For a formula, a column or an outcome that cannot be used.
    ConvergenceError
        When the maximum is not reached, the negative binomial has it at alpha = 0, or it is separated.

    Warns
    -----
    MonotoneLikelihoodWarning
        When a group has counts of 0 only, so that a Poisson estimate is infinite; the message names the term.
    """
    check_choice(family, ("poisson", "negative_binomial"), argument="family")
    rules = defaults_of(compat)
    choice = choose_variance(variance, cluster=cluster, weights=weights, weight_type=weight_type, compat=compat)
    _check_options(family, information, weights, exposure, offset)
    design = build_design(
        frame,
        formula,
        response="count",
        missing=missing,
        reference=reference,
        default_reference=rules.reference,
        weights=weights,
        cluster=cluster,
        offset=exposure if exposure is not None else offset,
    )
    if exposure is not None:
        design = _log_exposure(design)
    fit = _poisson(design, choice, compat, exposed=exposure is not None)
    if family == "poisson":
        if fit.monotone.any():
            warn_separated(fit.limit, fit.terms, design.response.name, stacklevel=3)
        return fit
    if fit.monotone.any():
        raise ConvergenceError(name_separated(fit.limit, fit.terms, design.response.name))
    asked = information or rules.information
    return _negative_binomial(design, fit, choice, compat, asked)


def _check_options(family: str, information: str | None, weights: Any, exposure: Any, offset: Any) -> None:
    if exposure is not None and offset is not None:
        raise ArgumentError("Give `exposure` or `offset`, not both: exposure is an offset of log(exposure).")
    if information is not None:
        check_choice(information, ("observed", "expected"), argument="information")
    if family == "poisson" and information is not None:
        raise ArgumentError("`information` has no effect on a Poisson model, where both are the same: leave it out.")
    if family == "negative_binomial" and weights is not None:
        raise ArgumentError("The negative binomial takes no `weights`: repeat the rows, or fit family='poisson'.")


def _log_exposure(design: Design[CountResponse]) -> Design[CountResponse]:
    """Take the logarithm of the time at risk."""
    time = design.extras.offset
    assert time is not None
    (name,) = design.info.extras["offset"]
    if (time <= 0.0).any():
        raise DesignError(
            f"`{name}` is not above 0 in {int((time <= 0.0).sum())} rows: nobody can be absent in no time at risk. "
            "Leave those rows out."
        )
    info = replace(design.info, extras={**design.info.extras, "offset": (f"log({name})",)})
    return replace(design, extras=replace(design.extras, offset=np.log(time)), info=info)


def _poisson(design: Design[CountResponse], choice: VarianceChoice, compat: str | None, *, exposed: bool) -> GlmFit:
    from statsmodels.genmod.families import Poisson

    y = design.response.values
    of = "rate" if exposed else "mean"
    fit = fit_family(
        design,
        Poisson(),
        model="Poisson regression",
        pull=np.where(y == 0.0, -1.0, 0.0),
        choice=choice,
        compat=compat,
        sentences=(f"Modelled is the {of} of `{design.response.name}` by Poisson regression with the log link.",),
    )
    pearson = _pearson(design, fit)
    if choice.kind != "model" or pearson <= _OVERDISPERSED:
        return fit
    warning = (
        f"The Pearson dispersion is {pearson:.3g}: the model's standard errors are too small by a factor of about "
        f"{np.sqrt(pearson):.2g}; ask for variance='robust' or family='negative_binomial'."
    )
    return replace(fit, choices=(*fit.choices, warning))


def _means(design: Design[CountResponse], fit: GlmFit) -> Floats:
    known = np.where(np.isfinite(fit.coef), fit.coef, 0.0)
    eta = known[0] + design.matrix @ known[1:]
    return np.asarray(np.exp(eta if design.extras.offset is None else eta + design.extras.offset))


def _pearson(design: Design[CountResponse], fit: GlmFit) -> float:
    """Return the Pearson statistic by its degrees of freedom, 1 for a Poisson model that holds."""
    y, mu = design.response.values, _means(design, fit)
    weights = 1.0 if design.extras.weights is None else design.extras.weights
    degrees = fit.n - len(fit.terms)
    return float(np.sum(weights * (y - mu) ** 2 / mu) / degrees) if degrees > 0 and fit.converged else np.nan


def _negative_binomial(
    design: Design[CountResponse], poisson: GlmFit, choice: VarianceChoice, compat: str | None, information: str
) -> GlmFit:
    """Fit by statsmodels from the Poisson estimates and finish with Newton steps on its score and Hessian."""
    y, offset = design.response.values, design.extras.offset
    mu = _means(design, poisson)
    excess = float(np.sum((y - mu) ** 2 - y))
    if excess <= 0.0:
        raise ConvergenceError(
            f"`{design.response.name}` varies no more than a Poisson count, so that the negative binomial has its "
            "maximum at alpha = 0: fit family='poisson'."
        )
    standard = standardise(design.matrix)
    start = np.append(np.linalg.solve(standard.back, poisson.coef), max(excess / float(np.sum(mu**2)), 1e-3))
    parameters, iterations, loglik, figures = _fit_nb(standard, y, offset, start)
    bread, scores = figures
    alpha = float(parameters[-1])
    p = len(poisson.terms)
    if information == "expected":
        fitted = np.exp(standard.Z @ parameters[:p] + (0.0 if offset is None else offset))
        inverse = np.linalg.inv((standard.Z * (fitted / (1.0 + alpha * fitted))[:, None]).T @ standard.Z)
        influence = scores[:, :p] @ inverse
    else:
        inverse, influence = bread[:p, :p], (scores @ bread)[:, :p]
    coef, model_vcov = standard.coef(parameters[:p]), standard.vcov(np.asarray(inverse, dtype=np.float64))
    rows = GlmRows(coef, coef, model_vcov, influence @ standard.back.T, mu, loglik, iterations)
    alone = standardise(np.empty((y.size, 0)))
    null_start = np.array([np.log(y.mean()) if offset is None else np.log(y.sum() / np.exp(offset).sum()), alpha])
    joint = "jointly with alpha" if information == "observed" else "with alpha taken as known"
    first = poisson.choices[0].replace("Poisson", "negative binomial")
    return replace(
        poisson,
        model="negative binomial regression",
        coef=coef,
        limit=coef,
        vcov=model_vcov if choice.kind == "model" else robust_vcov(rows, design, choice, compat, poisson.n),
        model_vcov=model_vcov,
        loglik=loglik,
        loglik_null=_fit_nb(alone, y, offset, null_start)[2],
        dispersion=alpha,
        iterations=iterations,
        choices=(
            first,
            f"The variance of a count is mu + alpha mu^2 with alpha = {alpha:.4g}; the information is the "
            f"{information} one, {joint}.",
            *(text for text in poisson.choices[1:] if not text.startswith("The Pearson")),
        ),
    )


def _fit_nb(
    standard: Standardised, y: Floats, offset: Floats | None, start: Floats
) -> tuple[Floats, int, float, tuple[Floats, Floats]]:
    """Return estimates (alpha last), iterations, log-likelihood, inverse observed information and scores."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = NegativeBinomial(y, standard.Z, loglike_method="nb2", offset=offset)
        result = model.fit(start_params=start, method="bfgs", maxiter=500, gtol=1e-5, disp=0, skip_hessian=True)
        here, iterations = np.asarray(result.params), int(result.mle_retvals["gcalls"])
        for _ in range(30):
            step = np.linalg.solve(-model.hessian(here), model.score(here))
            if not np.isfinite(step).all():
                break
            shrink = 1.0
            while here[-1] + shrink * step[-1] <= 0.0:
                shrink /= 2.0
            here, iterations = here + shrink * step, iterations + 1
            if np.abs(step).max() <= 1e-9 * max(1.0, float(np.abs(here).max())):
                information = -model.hessian(here)
                if np.linalg.eigvalsh(information)[0] > 0.0:
                    return (
                        here,
                        iterations,
                        float(model.loglike(here)),
                        (np.linalg.inv(information), model.score_obs(here)),
                    )
                break
    raise ConvergenceError(
        "The negative binomial regression did not converge: check for extreme values, or fit Poisson."
    )
