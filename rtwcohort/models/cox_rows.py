"""Rows behind a Cox fit, or given without one, as what is computed after the fit needs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.design import check_survival
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_arrays import effective_times
from rtwcohort.models.cox_data import CoxData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def survival_rows(
    time: Any, event: Any, *, entry: Any = None, strata: Any = None, weights: Any = None, cluster: Any = None
) -> CoxData:
    """Check arrays that come without a fit; the matrix has no columns.

    Raises
    ------
    DesignError
        Naming the array, the rule and how many rows break it.
    """
    response = check_survival(time, event, entry=entry)
    n = response.time.size
    entries, times = effective_times(response.entry, response.time)
    codes, labels = (None, ()) if strata is None else label_codes(strata, n, "strata")
    groups, clusters = (None, ()) if cluster is None else label_codes(cluster, n, "cluster")
    return CoxData(
        np.empty((n, 0)),
        times,
        response.event,
        entries,
        codes,
        labels,
        _weights(weights, n),
        "none" if weights is None else "frequency",
        None,
        groups,
        len(clusters),
    )


def label_codes(values: Any, n: int, name: str) -> tuple[Ints, tuple[str, ...]]:
    """Return codes 0 .. G - 1 in sorted order and their labels as text.

    Raises
    ------
    DesignError
        When a value is missing or the length differs.
    """
    series = values if isinstance(values, pd.Series) else pd.Series(np.asarray(values))
    if len(series) != n:
        raise DesignError(f"`{name}` must have one value a row used ({n}); got {len(series)}.")
    if series.isna().any():
        raise DesignError(f"`{name}` is missing in {int(series.isna().sum())} rows: drop or name them.")
    codes, labels = pd.factorize(series, sort=True)
    return codes.astype(np.int64), tuple(str(label) for label in labels)


def linear_predictor(data: CoxData, coef: Floats) -> Floats:
    """Return x'b plus the offset, shape (n,), summed alike for every row so that equal rows stay tied."""
    total = np.zeros(data.time.size) if data.offset is None else data.offset.copy()
    for j in range(coef.size):
        total += coef[j] * data.matrix[:, j]
    return total


def stratum_labels(data: CoxData) -> tuple[str, ...]:
    """Return the labels of the strata as text; ("all",) without strata."""
    return ("all",) if data.strata is None else tuple(str(label) for label in data.strata_labels)


def in_copies(data: CoxData) -> bool:
    """Tell whether each row stands for as many people as its weight."""
    return data.weights is not None and data.weight_type == "copies"


def people_of(data: CoxData) -> Floats:
    """Return how many people each row stands for, shape (n,): 1 unless the weights are copies."""
    copies = data.weights is not None and data.weight_type == "copies"
    return data.weights if data.weights is not None and copies else np.ones(data.time.size)


def names_of_infinite(fit: Any) -> str:
    """Return the terms without a finite estimate, quoted; empty when there are none."""
    return ", ".join(f"'{term}'" for term, bad in zip(fit.terms, fit.monotone, strict=True) if bad)


def _weights(values: Any, n: int) -> Floats | None:
    if values is None:
        return None
    weights = np.asarray(values, dtype=np.float64)
    if weights.shape != (n,) or not (np.isfinite(weights) & (weights > 0.0)).all():
        raise DesignError(f"`weights` must be {n} finite numbers above 0: leave rows of weight 0 out.")
    return weights
