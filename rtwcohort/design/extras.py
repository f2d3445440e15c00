"""Weights, strata, clusters and offset: read beside the formula, checked once, kept for the rows used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.design.response import plain_values
from rtwcohort.design.terms import level_text
from rtwcohort.errors import DesignError

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
_COMBINED: Final = ("strata", "cluster")


@dataclass(frozen=True, slots=True)
class Extras:
    """What goes with the rows used besides predictors and response; None where not asked for.

    Attributes
    ----------
    weights
        Shape (n,), float64, above 0. Rows of weight 0 are left out, and `DesignInfo.notes` counts them.
    strata
        Shape (n,), int64, 0 to S - 1 in the sorted order of the values.
    strata_labels
        One label a stratum, such as "sex: female, unit: 3"; length S.
    cluster
        Shape (n,), int64, 0 to G - 1 in the order of first appearance. The labels are not kept: they may be persons.
    n_clusters
        G; 0 without clusters.
    offset
        Shape (n,), float64, on the scale of the linear predictor.
    """

    weights: Floats | None = None
    strata: Codes | None = None
    strata_labels: tuple[str, ...] = ()
    cluster: Codes | None = None
    n_clusters: int = 0
    offset: Floats | None = None


NO_EXTRAS: Final = Extras()
"""Nothing besides predictors and response."""


@dataclass(frozen=True, slots=True)
class RequestedExtras:
    """Columns found in the frame or given as arrays, before rows are dropped.

    Attributes
    ----------
    columns
        Argument ("weights", "strata", "cluster", "offset") -> its columns by name.
    """

    columns: Mapping[str, Mapping[str, Any]]

    def series(self) -> dict[str, Any]:
        """Return name -> column, for counting missing values."""
        return {name: series for columns in self.columns.values() for name, series in columns.items()}

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return argument -> names of its columns."""
        return {argument: tuple(columns) for argument, columns in self.columns.items()}


def request_extras(data: pd.DataFrame, asked: Mapping[str, Any]) -> RequestedExtras:
    """Find the columns that `weights`, `strata`, `cluster` and `offset` name.

    Parameters
    ----------
    data
        Every row.
    asked
        Argument -> column name, list of column names (strata and cluster: their combinations), array of one value a
        row, or None.

    Raises
    ------
    DesignError
        For an unknown column, an array of another length, or several columns for weights or offset.
    """
    found = {name: _columns(data, value, name) for name, value in asked.items() if value is not None}
    return RequestedExtras(found)


def take_extras(requested: RequestedExtras, kept: npt.NDArray[np.bool_]) -> Extras:
    """Check and code the extras of the rows kept, which have no missing values."""
    if not requested.columns:
        return NO_EXTRAS
    whole = bool(kept.all())
    taken = {
        argument: {name: series if whole else series[kept] for name, series in columns.items()}
        for argument, columns in requested.columns.items()
    }
    strata, labels = _strata(taken["strata"]) if "strata" in taken else (None, ())
    cluster = _in_order_of_appearance(taken["cluster"]) if "cluster" in taken else None
    return Extras(
        weights=_numbers(taken["weights"]) if "weights" in taken else None,
        strata=strata,
        strata_labels=labels,
        cluster=cluster,
        n_clusters=0 if cluster is None else int(cluster.max()) + 1,
        offset=_numbers(taken["offset"]) if "offset" in taken else None,
    )


def weighted_rows(requested: RequestedExtras) -> npt.NDArray[np.bool_] | None:
    """Return which rows have a weight other than 0 (missing ones included), None without weights.

    Raises
    ------
    DesignError
        For a weight that is negative, infinite or not a number, or when all are 0.
    """
    if "weights" not in requested.columns:
        return None
    ((name, series),) = requested.columns["weights"].items()
    weights = _floats(series, name)
    _refuse(weights < 0.0, name, "is negative", "a weight counts people or corrects for sampling: correct it")
    _refuse(np.isinf(weights), name, "is infinite", "correct or truncate it")
    if not (weights > 0.0).any():
        raise DesignError(f"`{name}` has no weight above 0: nothing to fit.")
    return np.asarray(weights != 0.0)


def _columns(data: pd.DataFrame, value: Any, argument: str) -> dict[str, Any]:
    if isinstance(value, str):
        return {value: _column(data, value, argument)}
    several = isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(item, str) for item in value)
    if several and all(item in data.columns for item in value):
        if len(value) > 1 and argument not in _COMBINED:
            raise DesignError(f"`{argument}` takes one column; got {list(value)!r}.")
        return {item: _column(data, item, argument) for item in value}
    if isinstance(value, (list, tuple)) and len(value) != len(data) and several:
        unknown = next(item for item in value if item not in data.columns)
        _column(data, unknown, argument)
    series = value if isinstance(value, pd.Series) else pd.Series(np.asarray(value))
    if np.ndim(series) != 1 or len(series) != len(data):
        raise DesignError(f"`{argument}` must have one value a row ({len(data)}); got {len(series)}.")
    return {argument: series.reset_index(drop=True)}


def _column(data: pd.DataFrame, name: str, argument: str) -> Any:
    names = [str(column) for column in data.columns]
    if name not in names:
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise DesignError(
            f"`{argument}` names '{name}', which is not a column.{did_you_mean(name, names)} The columns are: {listed}."
        )
    if names.count(name) > 1:
        raise DesignError(f"The data have two columns named '{name}': rename one.")
    return data[name].reset_index(drop=True)


def _strata(columns: Mapping[str, Any]) -> tuple[Codes, tuple[str, ...]]:
    codes, parts = _combined(columns)
    distinct, first, dense = _distinct(codes)
    labels = tuple(
        ", ".join(f"{name}: {level_text(values[place[row]])}" for name, place, values in parts) for row in first
    )
    return dense, labels[: distinct.size]


def _distinct(codes: Codes) -> tuple[Codes, Codes, Codes]:
    """Return the sorted distinct codes, the first row of each, and the place of every row's code among them."""
    size = int(codes.max()) + 1
    if size > codes.size:
        distinct, first, dense = np.unique(codes, return_index=True, return_inverse=True)
        return distinct, first, np.asarray(dense, dtype=np.int64).reshape(-1)
    first = np.full(size, -1, dtype=np.int64)
    first[codes[::-1]] = np.arange(codes.size - 1, -1, -1)
    there = first >= 0
    distinct = np.flatnonzero(there)
    return distinct, first[there], codes if distinct.size == size else (np.cumsum(there) - 1)[codes]


def _in_order_of_appearance(columns: Mapping[str, Any]) -> Codes:
    """Return one code a combination, numbered as they first appear."""
    found = plain_values(next(iter(columns.values()))) if len(columns) == 1 else None
    if found is None or found.dtype.kind not in "iuf":
        return np.asarray(pd.factorize(_combined(columns)[0])[0], dtype=np.int64)
    if not (found[1:] >= found[:-1]).all():
        return np.asarray(pd.factorize(found)[0], dtype=np.int64)
    codes = np.zeros(found.size, dtype=np.int64)  # rows of a cluster stand together
    np.cumsum(found[1:] != found[:-1], out=codes[1:])
    return codes


def _combined(columns: Mapping[str, Any]) -> tuple[Codes, list[tuple[str, Codes, Any]]]:
    """Return one code a combination, in sorted order, and the codes and values of each column."""
    combined: Codes | None = None
    parts: list[tuple[str, Codes, Any]] = []
    for name, series in columns.items():
        place, values = _factorise(series, name)
        parts.append((name, place, values))
        if combined is None:
            combined = place
        else:
            _, dense = np.unique(combined, return_inverse=True)
            combined = dense.reshape(-1).astype(np.int64) * len(values) + place
    assert combined is not None
    return combined, parts


def _factorise(series: Any, name: str) -> tuple[Codes, Any]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        category = series.cat.remove_unused_categories()
        return np.asarray(category.cat.codes, dtype=np.int64), list(category.cat.categories)
    try:
        codes, values = pd.factorize(series, sort=True)
    except TypeError as error:
        raise DesignError(f"`{name}` mixes numbers and text: make it one of them.") from error
    return np.asarray(codes, dtype=np.int64), values


def _numbers(columns: Mapping[str, Any]) -> Floats:
    ((name, series),) = columns.items()
    numbers = _floats(series, name)
    _refuse(np.isinf(numbers), name, "is infinite", "check the logarithm or division that made it")
    return np.ascontiguousarray(numbers)


def _floats(series: Any, name: str) -> Floats:
    if not pd.api.types.is_numeric_dtype(series.dtype) or series.dtype == bool:
        raise DesignError(f"`{name}` must be numbers; got a column of type {series.dtype}.")
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def _refuse(broken: npt.NDArray[np.bool_], name: str, fault: str, remedy: str) -> None:
    if broken.any():
        first = int(np.flatnonzero(broken)[0]) + 1
        raise DesignError(f"`{name}` {fault} in {int(broken.sum())} rows (first: row {first}): {remedy}.")
