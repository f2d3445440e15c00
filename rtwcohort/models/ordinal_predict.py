"""Predicted probabilities of an ordinal model for new rows, with intervals that stay between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from rtwcohort.core.checks import check_choice
from rtwcohort.core.frames import to_pandas
from rtwcohort.core.wald import normal_quantile, t_quantile
from rtwcohort.errors import ArgumentError
from rtwcohort.models.links import LINKS, category_probabilities
from rtwcohort.models.ordinal_delta_kernel import row_variances
from rtwcohort.models.ordinal_free_form import AnyOrdinalFit, FreeForm, free_form

Floats = npt.NDArray[np.float64]
Kind = Literal["category", "at_most", "at_least", "mean"]
KINDS: Final = ("category", "at_most", "at_least", "mean")


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is predicted: `constant + combine @ F` with F_j = P(Y <= j).

    Attributes
    ----------
    labels
        Names, length m.
    combine
        Shape (m, k - 1).
    constant
        Shape (m,).
    low, high
        Bounds that no value can pass.
    """

    labels: tuple[str, ...]
    combine: Floats
    constant: Floats
    low: float
    high: float


def quantity_of(kind: Kind, labels: Sequence[str], scores: Sequence[float] | None) -> Quantity:
    """Return the quantity of a kind, after checking both arguments.

    Raises
    ------
    ArgumentError
        For an unknown kind, or scores that are not one finite number a category, not all equal.
    """
    check_choice(kind, KINDS, argument="kind")
    if scores is not None and kind != "mean":
        raise ArgumentError(f"`scores` belong to kind='mean'; got them with kind={kind!r}.")
    cuts = len(labels) - 1
    unit = np.eye(cuts)
    if kind == "category":
        combine = np.vstack([unit, np.zeros(cuts)]) - np.vstack([np.zeros(cuts), unit])
        return Quantity(tuple(labels), combine, np.append(np.zeros(cuts), 1.0), 0.0, 1.0)
    if kind == "at_most":
        return Quantity(tuple(f"<= {label}" for label in labels[:-1]), unit, np.zeros(cuts), 0.0, 1.0)
    if kind == "at_least":
        return Quantity(tuple(f">= {label}" for label in labels[1:]), -unit, np.ones(cuts), 0.0, 1.0)
    values = np.arange(1.0, cuts + 2.0) if scores is None else np.asarray(scores, dtype=np.float64)
    if values.shape != (cuts + 1,) or not np.isfinite(values).all() or np.ptp(values) == 0.0:
        raise ArgumentError(
            f"`scores` must give one number to each of the {cuts + 1} categories ({', '.join(labels)}), not all equal; "
            f"got {scores!r}."
        )
    return Quantity(("mean",), -np.diff(values)[None, :], values[-1:], float(values.min()), float(values.max()))


def predict_ordinal(
    fit: AnyOrdinalFit,
    rows: Any,
    *,
    kind: Kind = "category",
    scores: Sequence[float] | None = None,
    offset: str | npt.ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Predict for new rows.

    Parameters
    ----------
    fit
        From `fit_ordinal` or `fit_ordinal_gee` (or their array versions); its covariance is used as it stands, with
        Student's t where the fit has it.
    rows
        Frame with every predictor of the formula, coded as in the fit (for a fit to arrays: a matrix). A missing value
        or an unknown level raises.
    kind
        "category" P(Y = j); "at_most" P(Y <= j); "at_least" P(Y >= j); "mean" the mean of `scores`.
    scores
        One number a category for the mean, else 1 to k.
    offset
        Column or values, when the fit had one.
    level
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        `row, category, estimate, std_error, conf_low, conf_high`: for each row of `rows` (its position from 0), one
        line a category. Where an estimate of the fit is infinite, errors and intervals are NaN.

    Raises
    ------
    DesignError, ArgumentError
        For rows or arguments that break their rule.

    Notes
    -----
    Standard errors by the delta method. The interval is taken on the logit scale,
    expit(logit(p) +/- z se / (p (1 - p))), so that it stays within (0, 1); the mean score is first brought to (0, 1) by
    its lowest and highest score. R's `predict.clm(interval=TRUE)` does the same for categories, but takes plain
    intervals for cumulative probabilities, which leave (0, 1).
    """
    model = free_form(fit)
    quantity = quantity_of(kind, model.labels, scores)
    data = rows if model.info is None else to_pandas(rows, argument="rows")
    Z = model.rows(data, argument="rows")
    shift = model.offset_of(offset, data)
    estimate, std_error = predict_arrays(model, Z, shift, quantity)
    low, high = logit_interval(estimate, std_error, quantity, level, model.df)
    m = len(quantity.labels)
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(len(Z)), m),
            "category": pd.Categorical(list(quantity.labels) * len(Z), categories=quantity.labels, ordered=True),
            "estimate": estimate.ravel(),
            "std_error": std_error.ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
        }
    )


def predict_arrays(model: FreeForm, Z: Floats, offset: Floats, quantity: Quantity) -> tuple[Floats, Floats]:
    """Return estimates and standard errors, shape (n, m) each."""
    eta = model.predictors(Z, offset)
    estimate = values_of(eta, model.link, quantity)
    density = LINKS[model.link].density(eta)
    variance = row_variances(Z, density, quantity.combine, model.vcov)
    return estimate, np.sqrt(variance)


def values_of(eta: Floats, link: str, quantity: Quantity) -> Floats:
    """Return the quantity for each row, shape (n, m), from linear predictors of shape (n, k - 1).

    Sums over categories rather than differences of cumulative probabilities, so that small ones keep their digits.
    """
    chances = category_probabilities(eta, np.zeros(len(eta)), link)  # type: ignore[arg-type]
    cuts = eta.shape[1]
    weights = quantity.combine @ np.tri(cuts, cuts + 1) + quantity.constant[:, None]
    return np.asarray(chances @ weights.T)


def logit_interval(
    estimate: Floats, std_error: Floats, quantity: Quantity, level: float, df: float | None
) -> tuple[Floats, Floats]:
    """Return an interval taken on the logit scale between the bounds of the quantity."""
    width = quantity.high - quantity.low
    share = (estimate - quantity.low) / width
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(share) - np.log1p(-share)
        quantile = normal_quantile(level) if df is None else t_quantile(level, df)
        reach = quantile * std_error / width / (share * (1.0 - share))
        low, high = expit(centre - reach), expit(centre + reach)
    return quantity.low + width * low, quantity.low + width * high
