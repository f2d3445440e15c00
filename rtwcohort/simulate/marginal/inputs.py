"""What the functions of this package check of their arguments, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.portable import Floats, Ints

Covariates = Mapping[str, Any]
"""Name -> values (n,), or name -> {wave: values (n,)} for what is measured again."""


def check_persons(persons: npt.ArrayLike) -> Ints:
    """Return person numbers as int64, or say why they cannot be.

    Raises
    ------
    ArgumentError
        Unless they are whole numbers from 0, one-dimensional, each once, and at least one.
    """
    array = np.asarray(persons)
    if array.ndim != 1 or not len(array):
        raise ArgumentError(
            f"`persons` must be a one-dimensional array with at least one person; got the shape {array.shape}."
        )
    if array.dtype.kind not in "iu" or array.min() < 0:
        raise ArgumentError("`persons` must be person numbers 0, 1, 2, ... (whole numbers), as np.arange(n).")
    if len(np.unique(array)) < len(array):
        raise ArgumentError(
            "`persons` has the same number more than once: two people with one number get the same draws. "
            "Number people over the whole register."
        )
    return array.astype(np.int64)


def numbers(values: npt.ArrayLike, *, argument: str) -> Floats:
    """Return values as float64 of any shape, or say that they are no numbers."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        kind = np.asarray(values, dtype=object).ravel()[:1]
        got = type(kind[0]).__name__ if len(kind) else "nothing"
        raise ArgumentError(
            f"`{argument}` must hold numbers in an even table; got {got}. Code categories as 0 and 1 first."
        ) from None


def check_values(values: npt.ArrayLike, n: int, *, argument: str, missing: str = "") -> Floats:
    """Return finite float64 values of shape (n,); one number stands for everybody."""
    array = numbers(values, argument=argument)
    if array.ndim == 0:
        array = np.full(n, float(array))
    if array.shape != (n,):
        raise ArgumentError(f"`{argument}` must hold one number a person, shape ({n},); got the shape {array.shape}.")
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        way = missing or "Outcomes are drawn from complete data; take values away afterwards."
        raise ArgumentError(f"`{argument}` must be finite; {bad} of {n} values are not. {way}")
    return array


def check_whole(values: npt.ArrayLike, n: int, *, argument: str) -> Ints:
    """Return whole numbers from 0 of shape (n,)."""
    array = np.asarray(values)
    if array.shape != (n,) or array.dtype.kind not in "iub" or (n and array.min() < 0):
        raise ArgumentError(f"`{argument}` must hold one whole number from 0 a person, shape ({n},).")
    return array.astype(np.int64)


def covariate(covariates: Covariates, term: str, n: int, *, wave: str | None = None) -> Floats:
    """Return the values of a term, at a wave where it is held by wave.

    Raises
    ------
    ArgumentError
        For a term or a wave that is not there.
    """
    if term not in covariates:
        known = ", ".join(sorted(covariates)) or "none"
        raise ArgumentError(f"`covariates` has no '{term}'.{did_you_mean(term, covariates)} There are: {known}.")
    values = covariates[term]
    if not isinstance(values, Mapping):
        return check_values(values, n, argument=f"covariates['{term}']")
    if wave not in values:
        raise ArgumentError(
            f"`covariates['{term}']` has no wave '{wave}'; it has: {', '.join(map(str, values))}. "
            "Say with `value_at` which wave's value to use."
        )
    return check_values(values[wave], n, argument=f"covariates['{term}']['{wave}']")
