"""Parameters of requirements, covariates and index dates: declared as data, read and checked in one place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from rtwcohort.core.checks import check_choice, check_number, did_you_mean
from rtwcohort.core.days import day_of
from rtwcohort.errors import ArgumentError
from rtwcohort.register.benefits import BENEFIT_NAMES

Kind = Literal["number", "whole", "texts", "benefits", "date", "text", "groups"]

REQUIRED: Final = "required"
"""Stands for "has no default" in `Parameter.default`."""

HEALTH_BENEFITS: Final = (
    "sickness_benefit",
    "work_assessment_allowance",
    "disability_pension",
    "rehabilitation_benefit",
)
"""The benefits paid for ill health: the default of every look at a person's history."""

MERGE_GAP_DAYS: Final = 15
"""Absences with at most so many days between them are one: NAV opens a new case after 16 days without sick leave."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a declaration: its name, what it may be and what it is when left out."""

    name: str
    kind: Kind
    meaning: str
    default: Any = REQUIRED
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


BENEFITS_PARAMETER: Final = Parameter("benefits", "benefits", "which benefits count", HEALTH_BENEFITS)
MIN_GRADE: Final = Parameter("min_grade", "number", "least combined grade, in percent", None, 0, 100)
MERGE_GAP: Final = Parameter(
    "merge_gap_days", "whole", "absences with at most so many days between are one", MERGE_GAP_DAYS, 0
)


def read_parameters(given: Mapping[str, Any], declared: Sequence[Parameter], *, owner: str) -> dict[str, Any]:
    """Check what was given against the declarations and fill in the defaults.

    Parameters
    ----------
    given
        Parameter name -> value, as read from a study file or written in Python.
    declared
        What may be given.
    owner
        Whose parameters, for messages: "eligibility: age_at_index".

    Returns
    -------
    dict
        One value a declared parameter; dates as `numpy.datetime64`, lists as tuples of text. Reading it again gives
        the same.

    Raises
    ------
    ArgumentError
        On an unknown or missing parameter, or a value that breaks its rule.
    """
    names = [parameter.name for parameter in declared]
    listed = ", ".join(names) or "none"
    for name in given:
        if name not in names:
            raise ArgumentError(
                f"`{owner}` has no parameter '{name}'.{did_you_mean(name, names)} Its parameters are: {listed}."
            )
    values: dict[str, Any] = {}
    for parameter in declared:
        value = given.get(parameter.name)
        if value is None:
            if parameter.default is REQUIRED:
                raise ArgumentError(
                    f"`{owner}` needs the parameter '{parameter.name}' ({parameter.meaning}). "
                    f"Its parameters are: {listed}."
                )
            values[parameter.name] = parameter.default
            continue
        values[parameter.name] = _READERS[parameter.kind](value, parameter, f"{owner}.{parameter.name}")
    return values


def known_name(name: object, names: Iterable[str], *, argument: str, what: str) -> str:
    """Return `name` when it is known, else raise `ArgumentError` with the nearest one and the whole list."""
    names = list(names)
    if isinstance(name, str) and name in names:
        return name
    raise ArgumentError(
        f"`{argument}` knows no {what} {name!r}.{did_you_mean(str(name), names)} Known are: {', '.join(names)}."
    )


def _number(value: Any, parameter: Parameter, argument: str) -> float:
    whole = parameter.kind == "whole"
    check_number(value, argument=argument, least=parameter.least, most=parameter.most, whole=whole)
    return int(value) if whole else float(value)


def _text(value: Any, parameter: Parameter, argument: str) -> str:
    if parameter.choices:
        check_choice(value, parameter.choices, argument=argument)
    if not isinstance(value, str) or not value.strip():
        raise ArgumentError(f"`{argument}` must be a text that is not empty; got {value!r}.")
    return value


def _texts(value: Any, parameter: Parameter, argument: str) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else value
    if isinstance(items, Mapping) or not isinstance(items, Iterable):
        raise ArgumentError(f"`{argument}` must be a list of texts such as ['a', 'b']; got {value!r}.")
    out = tuple(items)
    if not out or not all(isinstance(item, str) and item for item in out):
        raise ArgumentError(f"`{argument}` must be a list of at least one text such as ['a', 'b']; got {value!r}.")
    for item in out:
        if parameter.choices:
            check_choice(item, parameter.choices, argument=argument)
    return out


def _benefits(value: Any, parameter: Parameter, argument: str) -> tuple[str, ...]:
    out = _texts(value, parameter, argument)
    for item in out:
        check_choice(item, BENEFIT_NAMES, argument=argument)
    return tuple(name for name in BENEFIT_NAMES if name in out)


def _date(value: Any, parameter: Parameter, argument: str) -> np.datetime64:
    if not isinstance(value, str | dt.date | np.datetime64):
        raise ArgumentError(f"`{argument}` must be a date such as 2024-12-31; got {value!r}.")
    return np.datetime64(day_of(value, argument=argument), "D")


def _groups(value: Any, parameter: Parameter, argument: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping) or not value:
        raise ArgumentError(
            f"`{argument}` must map a group's name to the codes that it starts with, "
            f"such as {{ back = ['L02', 'L84'] }}; got {value!r}."
        )
    return {str(name): _texts(codes, parameter, f"{argument}.{name}") for name, codes in value.items()}


_READERS: Final[Mapping[Kind, Callable[[Any, Parameter, str], Any]]] = {
    "number": _number,
    "whole": _number,
    "text": _text,
    "texts": _texts,
    "benefits": _benefits,
    "date": _date,
    "groups": _groups,
}


def listed(items: Iterable[object], *, last: str = "or") -> str:
    """Join in English: "a", "a or b", "a, b or c"."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def number_words(value: float) -> str:
    """Print a number without needless decimals."""
    return f"{value:g}"
