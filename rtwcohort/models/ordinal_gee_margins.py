"""Marginal predicted probabilities of an ordinal GEE by arm and wave, with delta-method intervals."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from rtwcohort.core.checks import check_choice, did_you_mean
from rtwcohort.core.frames import to_pandas
from rtwcohort.core.wald import normal_quantile, t_quantile, tidy_table
from rtwcohort.design.new_rows import code_rows, predictor_columns
from rtwcohort.design.terms import level_text
from rtwcohort.errors import ArgumentError
from rtwcohort.models.links import LINKS
from rtwcohort.models.ordinal_gee_result import OrdinalGeeFit

Floats = npt.NDArray[np.float64]
Kind = Literal["category", "at_most", "at_least", "mean"]
_KINDS: Final = ("category", "at_most", "at_least", "mean")
_MOST_VALUES: Final = 30


@dataclass(frozen=True, slots=True)
class MarginalProbabilities:
    """Mean predictions of groups such as arm and wave.

    Attributes
    ----------
    groups
        One row a group: its values of the columns asked for.
    labels
        What is predicted, such as the categories; length L.
    estimate
        Shape (groups, L).
    vcov
        Covariance of the estimates, group by group, shape (groups x L, groups x L).
    low, high
        Bounds that no value can pass.
    df
        Degrees of freedom of Student's t, None for the normal distribution.
    n
        Rows averaged over.
    """

    groups: pd.DataFrame
    labels: tuple[str, ...]
    estimate: Floats
    vcov: Floats
    low: float
    high: float
    df: float | None
    n: int

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a group and category, with standard errors and intervals.

        Columns: those of the groups, `category, estimate, std_error, conf_low, conf_high`. The interval is taken on
        the logit scale between the bounds, so that it stays inside them.
        """
        count = len(self.labels)
        estimate, std_error = self.estimate.ravel(), np.sqrt(self.vcov.diagonal())
        width = self.high - self.low
        share = (estimate - self.low) / width
        quantile = normal_quantile(level) if self.df is None else t_quantile(level, self.df)
        with np.errstate(divide="ignore", invalid="ignore"):
            centre = np.log(share) - np.log1p(-share)
            reach = quantile * std_error / width / (share * (1.0 - share))
        table = self.groups.loc[self.groups.index.repeat(count)].reset_index(drop=True)
        labels = list(self.labels) * len(self.groups)
        table["category"] = pd.Categorical(labels, categories=list(self.labels), ordered=True)
        table["estimate"] = estimate
        table["std_error"] = std_error
        table["conf_low"] = self.low + width * expit(centre - reach)
        table["conf_high"] = self.low + width * expit(centre + reach)
        return table

    def differences(self, column: str, *, level: float = 0.95) -> pd.DataFrame:
        """Return each group less the one with the first value of `column` and the same values of the others.

        Parameters
        ----------
        column
            A column of the groups, such as "arm".
        level
            Confidence level.

        Returns
        -------
        pandas.DataFrame
            The columns of the groups (`column` as "b - a"), `category, estimate, std_error, statistic, p_value,
            conf_low, conf_high`.

        Raises
        ------
        ArgumentError
            For a column that the groups do not have.
        """
        if column not in self.groups.columns:
            raise ArgumentError(f"`column` must be one of {', '.join(self.groups.columns)}; got '{column}'.")
        others = [name for name in self.groups.columns if name != column]
        first = self.groups[column].iloc[0]
        count, rows, contrasts = len(self.labels), [], []
        keys = [tuple(row) for row in self.groups[others].to_numpy(dtype=object)]
        base = {key: place for place, key in enumerate(keys) if self.groups[column].iloc[place] == first}
        for place, key in enumerate(keys):
            if self.groups[column].iloc[place] == first:
                continue
            for j in range(count):
                contrast = np.zeros(self.estimate.size)
                contrast[place * count + j], contrast[base[key] * count + j] = 1.0, -1.0
                contrasts.append(contrast)
                pair = f"{level_text(self.groups[column].iloc[place])} - {level_text(first)}"
                rows.append({**dict(zip(others, key, strict=True)), column: pair, "category": self.labels[j]})
        if not contrasts:
            raise ArgumentError(f"`{column}` has one value ({first}): there is nothing to compare.")
        L = np.array(contrasts)
        std_error = np.sqrt(np.maximum(np.einsum("ka,ab,kb->k", L, self.vcov, L), 0.0))
        figures = tidy_table([""] * len(rows), L @ self.estimate.ravel(), std_error, level=level, df=self.df)
        found = pd.DataFrame(rows)[[*self.groups.columns, "category"]]
        return pd.concat([found, figures.drop(columns="term")], axis=1)


def marginal_probabilities(
    fit: OrdinalGeeFit,
    frame: Any,
    by: str | Sequence[str],
    *,
    kind: Kind = "category",
    scores: Sequence[float] | None = None,
    weights: npt.ArrayLike | None = None,
    offset: npt.ArrayLike | None = None,
) -> MarginalProbabilities:
    """Predict the mean probability of each category by arm and wave, standardised to the rows given.

    Every row of `frame` is put in each combination of the values of `by` in turn, and the predictions are averaged: the
    groups then differ in `by` only, and the other predictors are distributed as in `frame`.

    Parameters
    ----------
    fit
        From `fit_ordinal_gee`.
    frame
        Rows with every predictor of the formula; one a person is enough where `by` holds all that
        changes between waves.
    by
        Columns of the formula, such as ["arm", "wave"].
    kind
        "category" P(Y = j); "at_most" P(Y <= j); "at_least" P(Y >= j); "mean" the mean of `scores`.
    scores
        One number a category for the mean, else 1 to k.
    weights, offset
        One number a row: weights of the mean, and the offset when the fit had one.

    Raises
    ------
    ArgumentError, DesignError
        For a fit to arrays, a column that the model does not have, or rows that cannot be coded.

    Notes
    -----
    Standard errors by the delta method from the robust covariance of the fit, with the predictors of `frame` as fixed.
    """
    check_choice(kind, _KINDS, argument="kind")
    if fit.design is None:
        raise ArgumentError("`fit` is a fit to arrays, without a formula: use `fit_ordinal_gee`.")
    if not fit.converged:
        raise ArgumentError("`fit` has an infinite estimate: its predictions have no standard errors.")
    data = to_pandas(frame, argument="frame")
    columns = (by,) if isinstance(by, str) else tuple(by)
    share = _share(weights, len(data))
    shift = _offset(offset, fit, len(data))
    labels, combine, constant, low, high = _quantity(kind, fit.labels, scores)
    groups = pd.DataFrame(list(itertools.product(*_levels(fit, data, columns))), columns=list(columns))
    means, gradients = [], []
    for values in groups.itertuples(index=False, name=None):
        put = {
            column: pd.Series([value] * len(data), index=data.index)
            for column, value in zip(columns, values, strict=True)
        }
        matrix = code_rows(fit.design, data.assign(**put))
        mean, gradient = _mean_cumulative(fit, matrix, shift, share)
        means.append(constant + combine @ mean)
        gradients.append(combine @ gradient)
    stacked = np.vstack(gradients)
    return MarginalProbabilities(
        groups, labels, np.array(means), stacked @ fit.vcov @ stacked.T, low, high, fit.choices.df, len(data)
    )


def _mean_cumulative(fit: OrdinalGeeFit, matrix: Floats, shift: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Return the mean P(Y <= j), shape (m,), and its derivative in the parameters, shape (m, q)."""
    m, link = fit.n_thresholds, LINKS[fit.link]
    u = fit.thresholds - (matrix @ fit.coef + shift)[:, None]
    weighted = link.density(u) * share[:, None]
    gradient = np.concatenate([np.diag(weighted.sum(axis=0)), -weighted.T @ matrix], axis=1)
    assert gradient.shape == (m, fit.estimates.size)
    return share @ link.cdf(u), gradient


def _quantity(
    kind: str, labels: tuple[str, ...], scores: Sequence[float] | None
) -> tuple[tuple[str, ...], Floats, Floats, float, float]:
    """Return names, matrix and constant by which the quantity comes from P(Y <= j), and its bounds."""
    m = len(labels) - 1
    if scores is not None and kind != "mean":
        raise ArgumentError(f"`scores` belong to kind='mean'; got them with kind={kind!r}.")
    if kind == "category":
        combine = np.vstack([np.eye(m), np.zeros(m)]) - np.vstack([np.zeros(m), np.eye(m)])
        return labels, combine, np.append(np.zeros(m), 1.0), 0.0, 1.0
    if kind == "at_most":
        return tuple(f"<= {label}" for label in labels[:-1]), np.eye(m), np.zeros(m), 0.0, 1.0
    if kind == "at_least":
        return tuple(f">= {label}" for label in labels[1:]), -np.eye(m), np.ones(m), 0.0, 1.0
    values = np.arange(1.0, m + 2.0) if scores is None else np.asarray(scores, dtype=np.float64)
    if values.shape != (m + 1,) or not np.isfinite(values).all() or np.ptp(values) == 0.0:
        raise ArgumentError(
            f"`scores` must give one number to each of the {m + 1} categories ({', '.join(labels)}), not all equal; "
            f"got {scores!r}."
        )
    return ("mean",), -np.diff(values)[None, :], values[-1:], float(values.min()), float(values.max())


def _levels(fit: OrdinalGeeFit, data: pd.DataFrame, columns: tuple[str, ...]) -> list[list[Any]]:
    assert fit.design is not None
    known = predictor_columns(fit.design, [str(column) for column in data.columns])
    found = []
    for column in columns:
        if column not in known:
            raise ArgumentError(
                f"`by` names '{column}', which is not a column of the model.{did_you_mean(column, known)} Its "
                f"columns are: {', '.join(known)}."
            )
        levels = list(fit.design.levels.get(column, ())) or sorted(data[column].dropna().unique().tolist())
        if pd.api.types.is_integer_dtype(data[column].dtype):
            levels = [int(level) for level in levels]
        if len(levels) > _MOST_VALUES:
            raise ArgumentError(
                f"`by` names '{column}', which takes {len(levels)} values; at most {_MOST_VALUES} groups of one column "
                "make a table. Cut it into categories."
            )
        found.append(levels)
    if not found:
        raise ArgumentError("`by` names no column: give the columns of the groups, such as ['arm', 'wave'].")
    return found


def _share(weights: npt.ArrayLike | None, n: int) -> Floats:
    if n == 0:
        raise ArgumentError("`frame` has no rows to average over.")
    if weights is None:
        return np.full(n, 1.0 / n)
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (n,) or not np.isfinite(values).all() or (values < 0.0).any() or not values.sum() > 0.0:
        raise ArgumentError(f"`weights` must hold one number a row ({n}), none negative and not all 0.")
    return np.asarray(values / values.sum())


def _offset(offset: npt.ArrayLike | None, fit: OrdinalGeeFit, n: int) -> Floats:
    if (offset is not None) != fit.counts.has_offset:
        raise ArgumentError(
            "The model was fitted with an offset: give `offset` for these rows too."
            if fit.counts.has_offset
            else "`offset` is given, but the model was fitted without one: leave it out."
        )
    values = np.zeros(n) if offset is None else np.asarray(offset, dtype=np.float64)
    if values.shape != (n,) or not np.isfinite(values).all():
        raise ArgumentError(f"`offset` must hold one finite number a row ({n}).")
    return values
