"""A fitted ordinal model with every effect written out at every threshold, for predictions and margins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.design import DesignInfo
from rtwcohort.design.new_rows import code_rows
from rtwcohort.errors import ArgumentError
from rtwcohort.models.ordinal_gee_result import OrdinalGeeFit
from rtwcohort.models.ordinal_result import OrdinalFit

Floats = npt.NDArray[np.float64]
AnyOrdinalFit = OrdinalFit | OrdinalGeeFit


@dataclass(frozen=True, slots=True)
class FreeForm:
    """link(P(Y <= j)) = z'g_j - offset, with z = (1, -x); an effect equal at every threshold repeats.

    Attributes
    ----------
    info
        Of the fit; None for a fit to arrays.
    labels
        Categories, lowest first, length k.
    link
        Its name.
    coef
        The g_j, shape (k - 1, p + 1).
    vcov
        Their covariance, one after the other, shape ((k - 1)(p + 1), (k - 1)(p + 1)); NaN where an estimate of the
        fit is infinite.
    df
        Degrees of freedom of Student's t for intervals; None for the normal distribution.
    has_offset, has_weights
        Whether the fit had them.
    """

    info: DesignInfo | None
    labels: tuple[str, ...]
    link: str
    coef: Floats
    vcov: Floats
    df: float | None
    has_offset: bool
    has_weights: bool

    def rows(self, frame: Any, *, argument: str = "frame") -> Floats:
        """Return z for the rows of a frame, or of a matrix when the fit was to arrays, shape (n, p + 1)."""
        width = self.coef.shape[1] - 1
        if self.info is not None:
            matrix = code_rows(self.info, frame, argument=argument)
        else:
            matrix = np.asarray(frame, dtype=np.float64)
            if matrix.ndim != 2 or matrix.shape[1] != width or not np.isfinite(matrix).all():
                raise ArgumentError(
                    f"The model was fitted to arrays: `{argument}` must be finite numbers of shape (n, {width}); got "
                    f"shape {matrix.shape}."
                )
        Z = np.empty((len(matrix), matrix.shape[1] + 1), order="F")
        Z[:, 0] = 1.0
        np.negative(matrix, out=Z[:, 1:])
        return Z

    def predictors(self, Z: Floats, offset: Floats) -> Floats:
        """Return the linear predictor at every threshold, shape (n, k - 1)."""
        return np.asarray(Z @ self.coef.T - offset[:, None])

    def offset_of(self, offset: str | npt.ArrayLike | None, data: Any) -> Floats:
        """Return the offset of new rows, shape (n,).

        Raises
        ------
        ArgumentError
            When the fit had an offset and none is given, or the other way round.
        """
        if (offset is not None) != self.has_offset:
            raise ArgumentError(
                "The model was fitted with an offset: give `offset` for these rows too."
                if self.has_offset
                else "`offset` is given, but the model was fitted without one: leave it out."
            )
        return np.zeros(len(data)) if offset is None else one_value_a_row(offset, data, "offset")


def one_value_a_row(value: str | npt.ArrayLike, data: Any, argument: str) -> Floats:
    """Return a column, or an array with one value a row, as finite numbers.

    Raises
    ------
    ArgumentError
        For an unknown column, another length, or a value that is not a finite number.
    """
    if isinstance(value, str):
        if value not in getattr(data, "columns", ()):
            raise ArgumentError(f"`{argument}` names '{value}', which is not a column.")
        value = data[value]
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"`{argument}` must hold numbers.") from error
    if numbers.shape != (len(data),) or not np.isfinite(numbers).all():
        raise ArgumentError(f"`{argument}` must hold one finite number a row ({len(data)}).")
    return numbers


def free_form(fit: AnyOrdinalFit) -> FreeForm:
    """Write out a fit.

    Raises
    ------
    ArgumentError
        When `fit` is not from `fit_ordinal` or `fit_ordinal_gee`.
    """
    if isinstance(fit, OrdinalFit):
        nominal, df = fit.data.nominal, None
        has_offset, has_weights = fit.data.offset is not None, fit.data.weights is not None
    elif isinstance(fit, OrdinalGeeFit):
        nominal, df = (), fit.choices.df
        has_offset, has_weights = fit.counts.has_offset, fit.choices.weight_type is not None
    else:
        raise ArgumentError(f"`fit` must come from `fit_ordinal` or `fit_ordinal_gee`; got {type(fit).__name__}.")
    spread = free_form_map(fit.n_thresholds, len(fit.terms) - len(nominal) * (fit.n_thresholds - 1), nominal)
    vcov = spread @ fit.vcov @ spread.T
    if not fit.converged:
        vcov = np.full_like(vcov, np.nan)
    return FreeForm(
        info=fit.design,
        labels=fit.labels,
        link=fit.link,
        coef=(spread @ fit.estimates).reshape(fit.n_thresholds, -1),
        vcov=vcov,
        df=df,
        has_offset=has_offset,
        has_weights=has_weights,
    )


def free_form_map(cuts: int, columns: int, nominal: Sequence[int]) -> Floats:
    """Return the matrix from natural parameters to free-form coefficients.

    Parameters
    ----------
    cuts
        Thresholds, k - 1.
    columns
        Columns of the matrix, p.
    nominal
        Positions of those with an effect at every threshold.

    Returns
    -------
    numpy.ndarray
        Shape ((k - 1)(p + 1), parameters).
    """
    first = cuts * (1 + len(nominal))
    common = [column for column in range(columns) if column not in set(nominal)]
    spread = np.zeros((cuts, columns + 1, first + len(common)))
    for j in range(cuts):
        spread[j, 0, j] = 1.0
        for place, column in enumerate(nominal):
            spread[j, 1 + column, cuts * (1 + place) + j] = 1.0
        for place, column in enumerate(common):
            spread[j, 1 + column, first + place] = 1.0
    return spread.reshape(cuts * (columns + 1), -1)
