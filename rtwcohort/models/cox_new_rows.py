"""New rows for a Cox fit: covariates, stratum and offset coded as in the fit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.core.frames import to_pandas
from rtwcohort.design.new_rows import code_rows
from rtwcohort.design.terms import level_text
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_rows import stratum_labels

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class NewRows(NamedTuple):
    """Coded rows.

    Attributes
    ----------
    matrix
        Shape (m, p), columns as in the fit.
    strata
        Codes of the fit's strata, shape (m,); None where the rows do not say.
    offset
        Shape (m,).
    labels
        Index of the rows, length m.
    """

    matrix: Floats
    strata: Ints | None
    offset: Floats
    labels: tuple[Any, ...]


def code_new_rows(fit: Any, rows: Any, *, strata: Any = None, offset: Any = None) -> NewRows:
    """Code rows as the fit did.

    Parameters
    ----------
    fit
        A Cox fit.
    rows
        A frame with the columns of the formula, or for a fit to arrays an array of shape (m, p).
    strata, offset
        Shape (m,): labels among those of the fit, and offsets; None takes the columns that the fit used.

    Raises
    ------
    DesignError
        For a column that is not there, a missing value, an unknown level or stratum, or no offset after a fit with one.
    """
    data: CoxData = fit.data
    if fit.design is None or isinstance(rows, np.ndarray):
        matrix = np.atleast_2d(np.asarray(rows, dtype=np.float64))
        if matrix.shape[1] != data.matrix.shape[1] or not np.isfinite(matrix).all():
            raise DesignError(
                f"New rows must have shape (m, {data.matrix.shape[1]}), finite, with the columns of the fit; "
                f"got {matrix.shape}."
            )
        frame, labels = pd.DataFrame(index=range(len(matrix))), tuple(range(len(matrix)))
        columns: dict[str, tuple[str, ...]] = {}
    else:
        frame = to_pandas(rows, argument="rows")
        matrix, labels = code_rows(fit.design, frame, argument="rows"), tuple(frame.index)
        columns = dict(fit.design.extras)
    return NewRows(
        matrix,
        _strata(data, frame, strata, columns.get("strata", ())),
        _offset(data, frame, offset, columns.get("offset", ())),
        labels,
    )


def _strata(data: CoxData, frame: pd.DataFrame, given: Any, columns: tuple[str, ...]) -> Ints | None:
    """Return codes of given labels, or of the labels that the columns of the fit make."""
    if data.strata is None:
        if given is not None:
            raise DesignError("`strata` is given, but the fit has none.")
        return np.zeros(len(frame), dtype=np.int64)
    if given is None:
        if not columns or not all(column in frame.columns for column in columns):
            return None
        parts = [frame[column].map(level_text) for column in columns]
        given = [", ".join(f"{n}: {v}" for n, v in zip(columns, row, strict=True)) for row in zip(*parts, strict=True)]
    known = {label: code for code, label in enumerate(stratum_labels(data))}
    labels = [str(label) for label in np.atleast_1d(np.asarray(given, dtype=object))]
    if len(labels) != len(frame):
        raise DesignError(f"`strata` must have one label a row ({len(frame)}); got {len(labels)}.")
    for label in labels:
        if label not in known:
            raise DesignError(
                f"The fit has no stratum '{label}', so no baseline hazard for it. Its strata are: "
                f"{', '.join(list(known)[:20])}."
            )
    return np.array([known[label] for label in labels], dtype=np.int64)


def _offset(data: CoxData, frame: pd.DataFrame, given: Any, columns: tuple[str, ...]) -> Floats:
    if data.offset is None:
        if given is not None:
            raise DesignError("`offset` is given, but the fit has none.")
        return np.zeros(len(frame))
    if given is None:
        if not columns:
            raise DesignError("The fit has an offset: give that of the new rows as `offset`.")
        check_columns(frame.columns, columns, argument="rows")
        given = frame[columns[0]]
    values = np.asarray(given, dtype=np.float64) + np.zeros(len(frame))
    if values.shape != (len(frame),) or not np.isfinite(values).all():
        raise DesignError(f"`offset` must be {len(frame)} finite numbers.")
    return values
