"""Arrays as they come to `fit_cox_arrays`: checked lightly, so that a small fit takes a fraction of a millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.design import check_survival
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_kernel import tie_entries, tie_times

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NONE: npt.NDArray[Any] = np.empty(0)
_TABLE = 4
_EXACT = 2.0**53


def array_data(
    X: Floats,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    entry: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
    offset: npt.ArrayLike | None,
    names: Sequence[str] | None,
) -> tuple[CoxData, tuple[str, ...]]:
    """Return the checked arrays and the names of the columns.

    Raises
    ------
    DesignError
        Naming the argument and its rule.
    """
    matrix = np.asarray(X, dtype=np.float64)
    times, events = np.asarray(time, dtype=np.float64), np.asarray(event)
    if matrix.ndim != 2 or matrix.shape[1] == 0 or times.shape != (len(matrix),) or events.shape != times.shape:
        raise DesignError(
            "`X` must have shape (n, p) with at least one column, `time` and `event` shape (n,); "
            f"got {matrix.shape}, {times.shape} and {events.shape}."
        )
    entries = None
    if (
        entry is not None
        or events.dtype != np.bool_
        or not (events.any() and np.isfinite(times).all() and times.min() >= 0.0)
    ):
        response = check_survival(times, events, entry=entry)
        times, events, entries = response.time, response.event, response.entry
    terms = tuple(names) if names is not None else tuple(f"x{j + 1}" for j in range(matrix.shape[1]))
    if len(terms) != matrix.shape[1]:
        raise DesignError(f"`names` must have one name a column ({matrix.shape[1]}); got {len(terms)}.")
    if not np.isfinite(matrix).all():
        bad = terms[int(np.flatnonzero(~np.isfinite(matrix).all(axis=0))[0])]
        raise DesignError(f"`X` holds a missing or infinite value in '{bad}': drop or impute those rows.")
    entries, times = effective_times(entries, times)
    strata_codes, labels = (None, _NONE) if strata is None else _codes(strata, times.size, "strata")
    cluster_codes, clusters = (None, _NONE) if cluster is None else _codes(cluster, times.size, "cluster")
    data = CoxData(
        matrix,
        times,
        events,
        entries,
        strata_codes,
        tuple(labels.tolist()),
        None if weights is None else _numbers(weights, times.size, "weights", positive=True),
        "none" if weights is None else "frequency",
        None if offset is None else _numbers(offset, times.size, "offset", positive=False),
        cluster_codes,
        len(clusters),
    )
    return data, terms


def effective_times(entry: Floats | None, time: Floats) -> tuple[Floats | None, Floats]:
    """Make times that differ by rounding only equal.

    Raises
    ------
    DesignError
        When that leaves a row without any time at risk.
    """
    if entry is None:
        return None, tie_times(time)
    entries, times = tie_entries(entry, time)
    empty = entries >= times
    if empty.any():
        raise DesignError(
            f"The entry is the exit but for rounding in {int(empty.sum())} rows (first: row "
            f"{int(np.flatnonzero(empty)[0]) + 1}): such a row is never at risk; leave it out."
        )
    return entries, times


def _codes(values: npt.ArrayLike, n: int, name: str) -> tuple[Ints, npt.NDArray[Any]]:
    """Return dense codes in sorted order and the labels.

    Whole numbers in a range of a few times the rows are counted, which is faster than sorting.
    """
    given = np.asarray(values)
    if given.shape != (n,):
        raise DesignError(f"`{name}` must have one value a row ({n}); got shape {given.shape}.")
    missing = _missing(given)
    if missing:
        raise DesignError(f"`{name}` is missing in {missing} rows: drop them or give them a code.")
    if given.dtype.kind in "iubf" and n:
        least, most = float(given.min()), float(given.max())
        if abs(least) < _EXACT and most - least < _TABLE * n:
            whole = given.astype(np.int64)
            if given.dtype.kind != "f" or bool((whole == given).all()):
                return _counted(whole - int(least) if least else whole, given.dtype, int(least))
    try:
        labels, codes = np.unique(given, return_inverse=True)
    except TypeError as error:
        raise DesignError(f"`{name}` mixes numbers, text or missing values: make it one kind.") from error
    return codes.astype(np.int64).reshape(-1), labels


def _missing(given: npt.NDArray[Any]) -> int:
    """Return how many labels are NaN, NaT or None."""
    kind = given.dtype.kind
    if kind == "f":
        return int(np.isnan(given).sum())
    if kind in "mM":
        return int(np.isnat(given).sum())
    return int(pd.isna(given).sum()) if kind == "O" else 0


def _counted(whole: Ints, kind: np.dtype[Any], least: int) -> tuple[Ints, npt.NDArray[Any]]:
    """Return codes and labels of whole numbers, `least` taken from them."""
    present = np.bincount(whole) > 0
    labels = (np.flatnonzero(present) + least).astype(np.int64 if kind.kind == "b" else kind)
    return (whole if present.all() else (np.cumsum(present) - 1)[whole]), labels


def _numbers(values: npt.ArrayLike, n: int, name: str, *, positive: bool) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (n,):
        raise DesignError(f"`{name}` must have one number a row ({n}); got shape {numbers.shape}.")
    if not np.isfinite(numbers).all():
        raise DesignError(f"`{name}` is missing or infinite in {int((~np.isfinite(numbers)).sum())} rows: drop them.")
    if positive and not (numbers > 0.0).all():
        raise DesignError(
            f"`{name}` must be above 0; {int((numbers <= 0.0).sum())} rows are not: leave rows of weight 0 out, and "
            "correct negative ones."
        )
    return numbers
