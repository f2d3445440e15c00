"""Conditions on covariates, written as text: "sex=female", "age >= 50"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.portable import Floats

_CONDITION: Final = re.compile(r"^\s*([\w.=æøåÆØÅ -]+?)\s*(<=|>=|<|>|==)\s*(-?[\d.]+)\s*$")
_COMPARE: Final[dict[str, Callable[[Floats, float], Any]]] = {
    "<=": lambda values, limit: values <= limit,
    ">=": lambda values, limit: values >= limit,
    "<": lambda values, limit: values < limit,
    ">": lambda values, limit: values > limit,
    "==": lambda values, limit: values == limit,
}


def holds(covariates: Mapping[str, Floats], condition: str, *, argument: str) -> npt.NDArray[np.bool_]:
    """Return for whom a condition holds, shape (n,).

    Parameters
    ----------
    covariates
        Name -> values, shape (n,); categories are 0 or 1 under "name=category".
    condition
        "name=category" (or any covariate by itself: above 0), or a name, one of <= >= < > == and a number.
    argument
        Name of the argument for messages.

    Raises
    ------
    ScenarioError
        When it cannot be read or names no covariate.
    """
    name, operator, limit = read_condition(condition, tuple(covariates), argument=argument)
    return np.asarray(_COMPARE[operator](np.asarray(covariates[name]), limit))


def read_condition(condition: str, known: tuple[str, ...], *, argument: str) -> tuple[str, str, float]:
    """Return the covariate, the comparison and the number of a condition; see `holds`."""
    if condition in known:
        return condition, ">", 0.0
    match = _CONDITION.match(condition)
    if match is None:
        raise ScenarioError(
            f"`{argument}` must be 'name=category' or 'name >= number'; got {condition!r}."
            f"{did_you_mean(condition, known)}"
        )
    name, operator, limit = match.groups()
    if name not in known:
        raise ScenarioError(
            f"`{argument}` names '{name}', which is no covariate.{did_you_mean(name, known)} "
            f"There are: {', '.join(known)}."
        )
    return name, operator, float(limit)
