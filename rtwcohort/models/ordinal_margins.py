"""Average marginal effects and adjusted predictions of an ordinal model, standardised over the people given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.core.frames import to_pandas
from rtwcohort.core.wald import WaldTest, tidy_table, wald_test
from rtwcohort.design import DesignInfo
from rtwcohort.design.new_rows import code_rows, predictor_columns
from rtwcohort.design.terms import level_text
from rtwcohort.errors import ArgumentError
from rtwcohort.models.links import LINKS
from rtwcohort.models.ordinal_delta_kernel import mean_gradient, mean_slope, spread_gradient
from rtwcohort.models.ordinal_free_form import AnyOrdinalFit, FreeForm, free_form, one_value_a_row
from rtwcohort.models.ordinal_predict import Kind, Quantity, logit_interval, quantity_of, values_of

Floats = npt.NDArray[np.float64]
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class AdjustedPredictions:
    """Mean predictions with everybody put at each level of a column in turn.

    Attributes
    ----------
    column
        Whose levels.
    levels
        Length g.
    quantity
        What is predicted, with its m labels.
    estimate
        Shape (g, m).
    vcov
        Of the estimates, levels one after the other, shape (g m, g m).
    n
        Rows averaged over.
    weighted
        Whether the average is weighted.
    df
        Degrees of freedom of Student's t for intervals; None for the normal distribution.
    """

    column: str
    levels: tuple[str, ...]
    quantity: Quantity
    estimate: Floats
    vcov: Floats
    n: int
    weighted: bool
    df: float | None

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Return `term, level, category, estimate, std_error, conf_low, conf_high`; intervals on the logit scale."""
        std_error = np.sqrt(self.vcov.diagonal()).reshape(self.estimate.shape)
        low, high = logit_interval(self.estimate, std_error, self.quantity, level, self.df)
        m = len(self.quantity.labels)
        return pd.DataFrame(
            {
                "term": self.column,
                "level": np.repeat(self.levels, m),
                "category": list(self.quantity.labels) * len(self.levels),
                "estimate": self.estimate.ravel(),
                "std_error": std_error.ravel(),
                "conf_low": low.ravel(),
                "conf_high": high.ravel(),
            }
        )

    def differences(self) -> MarginalEffects:
        """Return each level's prediction minus that of the first level."""
        g, m = self.estimate.shape
        contrast = np.kron(np.hstack([-np.ones((g - 1, 1)), np.eye(g - 1)]), np.eye(m))
        names = tuple(f"{level} - {self.levels[0]}" for level in self.levels[1:] for _ in range(m))
        return MarginalEffects(
            terms=(self.column,) * ((g - 1) * m),
            contrasts=names,
            categories=self.quantity.labels * (g - 1),
            estimate=contrast @ self.estimate.ravel(),
            vcov=contrast @ self.vcov @ contrast.T,
            n=self.n,
            weighted=self.weighted,
            df=self.df,
        )


@dataclass(frozen=True, slots=True)
class MarginalEffects:
    """Average marginal effects.

    Attributes
    ----------
    terms, contrasts, categories
        What each estimate is of: the column; "derivative" or "level - reference"; the category. Length m.
    estimate
        Shape (m,).
    vcov
        Shape (m, m).
    n
        Rows averaged over.
    weighted
        Whether the average is weighted.
    df
        Degrees of freedom of Student's t for intervals; None for the normal distribution.
    """

    terms: tuple[str, ...]
    contrasts: tuple[str, ...]
    categories: tuple[str, ...]
    estimate: Floats
    vcov: Floats
    n: int
    weighted: bool
    df: float | None

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Return `term, contrast, category` and the estimate with its Wald test and interval."""
        table = tidy_table(self.terms, self.estimate, np.sqrt(self.vcov.diagonal()), level=level, df=self.df)
        table.insert(1, "contrast", list(self.contrasts))
        table.insert(2, "category", list(self.categories))
        return table

    def wald(self, L: npt.ArrayLike) -> WaldTest:
        """Test contrasts of the effects, rows of `L`, shape (any, m)."""
        return wald_test(self.estimate, self.vcov, L)

    def describe_choices(self) -> str:
        """Return in words what was averaged and how."""
        return (
            f"Average {'weighted ' if self.weighted else ''}over {self.n} rows of the change in the prediction: the "
            "derivative for a number, the difference from the reference for a level. Standard errors by the delta "
            "method, with the covariance of the fit and the covariates of these rows taken as given."
        )


def marginal_effects(
    fit: AnyOrdinalFit,
    frame: Any,
    variables: str | Sequence[str] | None = None,
    *,
    kind: Kind = "category",
    scores: Sequence[float] | None = None,
    weights: str | npt.ArrayLike | None = None,
    offset: str | npt.ArrayLike | None = None,
) -> MarginalEffects:
    """Average the effect of each variable on the prediction over the people given.

    Parameters
    ----------
    fit
        From `fit_ordinal` or `fit_ordinal_gee`, with its formula; its covariance is used as it stands, with Student's
        t where the fit has it.
    frame
        The people to average over, usually those of the fit, with every predictor present.
    variables
        Columns of the formula; all when None.
    kind, scores
        What is predicted, as in `predict_ordinal`.
    weights
        Column or values that weight the average; "equal" for none. Needed when the fit had weights.
    offset
        Column or values, when the fit had one.

    Raises
    ------
    DesignError, ArgumentError
        For rows or arguments that break their rule.

    Notes
    -----
    A column acts through every term that it is in (interactions, splines, powers). For a number, the derivative of the
    predictors is taken numerically, for linear terms without error; a two-valued number is a number: make it a
    category for the difference. Effects over the categories sum to 0.
    """
    model, info = free_form(fit), _formula_of(fit)
    quantity = quantity_of(kind, model.labels, scores)
    data = to_pandas(frame, argument="frame")
    people = _people(model, data, weights, offset)
    found = []
    for column in _variables(info, data, variables):
        if column in info.levels:
            found.append(_adjusted(model, info, people, column, quantity)[1])
        else:
            found.append(_slopes(model, info, people, column, quantity))
    gradient = np.vstack([part.gradient for part in found])
    return MarginalEffects(
        terms=tuple(name for part in found for name in part.terms),
        contrasts=tuple(name for part in found for name in part.contrasts),
        categories=tuple(name for part in found for name in part.categories),
        estimate=np.concatenate([part.estimate for part in found]),
        vcov=gradient @ model.vcov @ gradient.T,
        n=len(data),
        weighted=people.weighted,
        df=model.df,
    )


def adjusted_predictions(
    fit: AnyOrdinalFit,
    frame: Any,
    column: str,
    *,
    kind: Kind = "category",
    scores: Sequence[float] | None = None,
    weights: str | npt.ArrayLike | None = None,
    offset: str | npt.ArrayLike | None = None,
) -> AdjustedPredictions:
    """Predict with everybody put in each arm (or other category) in turn, and average over the people given.

    Parameters
    ----------
    fit, frame, kind, scores, weights, offset
        As in `marginal_effects`.
    column
        A category of the formula, such as "arm".

    Raises
    ------
    DesignError, ArgumentError
        For rows or arguments that break their rule, or a column that is not a category.
    """
    model, info = free_form(fit), _formula_of(fit)
    quantity = quantity_of(kind, model.labels, scores)
    data = to_pandas(frame, argument="frame")
    (column,) = _variables(info, data, column)
    if column not in info.levels:
        raise ArgumentError(
            f"`column` must be a category of the model; '{column}' is a number. Its effect is in `marginal_effects`; "
            "predictions at chosen values are `predict_ordinal` on rows with those values."
        )
    people = _people(model, data, weights, offset)
    estimate, part = _adjusted(model, info, people, column, quantity)
    gradient = part.level_gradient
    return AdjustedPredictions(
        column=column,
        levels=tuple(level_text(level) for level in info.levels[column]),
        quantity=quantity,
        estimate=estimate,
        vcov=gradient @ model.vcov @ gradient.T,
        n=len(data),
        weighted=people.weighted,
        df=model.df,
    )


@dataclass(frozen=True, slots=True)
class _People:
    data: pd.DataFrame
    share: Floats
    offset: Floats
    weighted: bool


@dataclass(frozen=True, slots=True)
class _Effects:
    """Effects of one column with their gradient in the free-form coefficients."""

    terms: tuple[str, ...]
    contrasts: tuple[str, ...]
    categories: tuple[str, ...]
    estimate: Floats
    gradient: Floats
    level_gradient: Floats


def _people(model: FreeForm, data: pd.DataFrame, weights: Any, offset: Any) -> _People:
    if not len(data):
        raise ArgumentError("`frame` has no rows to average over.")
    shift = model.offset_of(offset, data)
    if weights is None and model.has_weights:
        raise ArgumentError(
            "The model was fitted with weights: give `weights` for the average too, or weights='equal' when every row "
            "is to count alike."
        )
    if weights is None or (isinstance(weights, str) and weights == "equal"):
        return _People(data, np.full(len(data), 1.0 / len(data)), shift, weighted=False)
    values = one_value_a_row(weights, data, "weights")
    if (values < 0.0).any() or not values.sum() > 0.0:
        raise ArgumentError("`weights` must not be negative, nor all 0.")
    return _People(data, values / values.sum(), shift, weighted=True)


def _formula_of(fit: AnyOrdinalFit) -> DesignInfo:
    if fit.design is None:
        raise ArgumentError("Margins need the formula of the model: fit it to a frame, not to arrays.")
    return fit.design


def _variables(info: DesignInfo, data: pd.DataFrame, asked: str | Sequence[str] | None) -> tuple[str, ...]:
    known = predictor_columns(info, [str(column) for column in data.columns])
    chosen = known if asked is None else (asked,) if isinstance(asked, str) else tuple(asked)
    for column in chosen:
        if column not in known:
            raise ArgumentError(
                f"'{column}' is not a column of the model.{did_you_mean(column, known)} Its columns are: "
                f"{', '.join(known)}."
            )
    return chosen


def _adjusted(
    model: FreeForm, info: DesignInfo, people: _People, column: str, quantity: Quantity
) -> tuple[Floats, _Effects]:
    """Return mean predictions at each level, shape (g, m), and their differences from the first."""
    levels = info.levels[column]
    m = len(quantity.labels)
    values, gradients = [], []
    for level in levels:
        same = pd.Series([level] * len(people.data), index=people.data.index, dtype=object)
        Z = model.rows(people.data.assign(**{column: same}))
        eta = model.predictors(Z, people.offset)
        values.append(people.share @ values_of(eta, model.link, quantity))
        gradient = mean_gradient(Z, LINKS[model.link].density(eta), people.share)
        gradients.append(quantity.combine @ spread_gradient(gradient))
    names = [level_text(level) for level in levels]
    effects = _Effects(
        terms=(column,) * ((len(levels) - 1) * m),
        contrasts=tuple(f"{name} - {names[0]}" for name in names[1:] for _ in range(m)),
        categories=quantity.labels * (len(levels) - 1),
        estimate=np.concatenate([value - values[0] for value in values[1:]]),
        gradient=np.vstack([gradient - gradients[0] for gradient in gradients[1:]]),
        level_gradient=np.vstack(gradients),
    )
    return np.array(values), effects


def _slopes(model: FreeForm, info: DesignInfo, people: _People, column: str, quantity: Quantity) -> _Effects:
    """Return the mean derivative in a number."""
    Z = model.rows(people.data)
    change = np.zeros_like(Z)
    change[:, 1:] = -_coded_slope(info, people.data, column)
    eta = model.predictors(Z, people.offset)
    link = LINKS[model.link]
    value, gradient = mean_slope(Z, change, model.coef, link.density(eta), link.slope(eta), people.share)
    m = len(quantity.labels)
    wide = quantity.combine @ spread_gradient(gradient)
    return _Effects(
        (column,) * m,
        ("derivative",) * m,
        quantity.labels,
        quantity.combine @ value,
        wide,
        np.zeros((0, wide.shape[1])),
    )


def _coded_slope(info: DesignInfo, data: pd.DataFrame, column: str) -> Floats:
    """Return the derivative of the coded columns in a number, shape (n, p).

    That of the parabola through x - h, x and x + h, moved inside the range of the data at its ends, where a spline may
    not be evaluated outside.
    """
    x = data[column].to_numpy(dtype=np.float64)
    low, high = float(x.min()), float(x.max())
    h = _STEP * (high - low)
    middle = np.clip(x, low + h, high - h)
    if not h > 0.0:
        h, middle = _STEP * max(abs(low), 1.0), x
    up, down = middle + h, middle - h
    coded = [code_rows(info, data.assign(**{column: values})) for values in (down, middle, up)]
    step = 0.5 * (up - down)[:, None]
    slope = (coded[2] - coded[0]) / (2.0 * step)
    bend = (coded[2] - 2.0 * coded[1] + coded[0]) / step**2
    return np.asarray(slope + (x - middle)[:, None] * bend)
