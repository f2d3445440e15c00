"""The right side of a formula: read once, kept by its text, and evaluated by formulaic where it is not plain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.design.terms import columns_of, display_name
from rtwcohort.errors import DesignError

_NAME = r"(?P<bare>[^\W\d]\w*)|`(?P<quoted>\w(?:[\w .-]*\w)?)`"
_PLAIN = re.compile(rf"(?:{_NAME})|C\((?:{_NAME.replace('bare', 'inner').replace('quoted', 'inner_quoted')})\)")
_NOT_PLAIN = ("in", "C", "Intercept")


class PlainFactor(NamedTuple):
    """A term that is one column.

    Attributes
    ----------
    column
        Its name.
    text
        How formulaic writes it: the name, or "C(name)".
    category
        Whether it stands in `C(...)`.
    """

    column: str
    text: str
    category: bool


@dataclass(frozen=True, slots=True)
class RightSide:
    """What a right side says, before there are data.

    Attributes
    ----------
    text
        With odd names in backticks.
    used
        Columns that it uses, in order.
    in_categories
        Columns that stand in `C(...)`.
    plain
        The terms when each is a column or `C(column)` and none comes twice; else None.
    """

    text: str
    used: tuple[str, ...]
    in_categories: frozenset[str]
    plain: tuple[PlainFactor, ...] | None


class PlainSpec(NamedTuple):
    """How new rows are coded when every term is a column or `C(column)`.

    Attributes
    ----------
    factors
        The terms; those with levels in `DesignInfo.levels` are categories.
    """

    factors: tuple[PlainFactor, ...]


class Coded(NamedTuple):
    """A matrix and the names of its columns.

    Attributes
    ----------
    matrix
        Shape (n, p); Fortran order unless asked by row.
    columns
        Names in the formula's notation, length p.
    groups
        Term -> slice of its columns.
    spec
        formulaic's `ModelSpec` or a `PlainSpec`.
    """

    matrix: npt.NDArray[np.float64]
    columns: tuple[str, ...]
    groups: dict[str, slice]
    spec: Any


@lru_cache(maxsize=128)
def read_right(text: str, names: tuple[str, ...]) -> RightSide:
    """Read the right side.

    Parameters
    ----------
    text
        With odd names in backticks.
    names
        Columns of the data.

    Raises
    ------
    DesignError
        When it cannot be read, removes the intercept, or names no column or one that is not there.
    """
    plain = _plain_factors(text, names)
    if plain is not None:
        categories = frozenset(factor.column for factor in plain if factor.category)
        return RightSide(text, tuple(factor.column for factor in plain), categories, plain)
    parsed = parse_formula(text)
    used: list[str] = []
    for term in parsed:
        for factor in term.factors:
            if factor.expr != "1":
                used.extend(columns_of(factor.expr, names))
    used = list(dict.fromkeys(used))
    if not used:
        raise DesignError(f"The formula '{text}' names no predictor: give the name of at least one column.")
    for column in used:
        check_known(column, names, "formula")
    factors = (factor.expr for term in parsed for factor in term.factors)
    in_categories = {name for expr in factors if expr.startswith("C(") for name in columns_of(expr)[:1]}
    return RightSide(text, tuple(used), frozenset(in_categories), None)


def _plain_factors(text: str, names: Sequence[str]) -> tuple[PlainFactor, ...] | None:
    """Return the terms of "a + `b c` + C(d)", or None for any other right side."""
    known = Counter(names)
    factors: list[PlainFactor] = []
    for part in text.split("+"):
        found = _PLAIN.fullmatch(part.strip())
        if found is None:
            return None
        inner = found["inner"] or found["inner_quoted"]
        column = inner or found["bare"] or found["quoted"]
        if known[column] != 1 or column in _NOT_PLAIN or column.isdecimal():
            return None
        factors.append(PlainFactor(column, part.strip() if inner else column, inner is not None))
    return tuple(factors) if len({factor.column for factor in factors}) == len(factors) else None


def parse_formula(text: str) -> Any:
    """Parse the right side with an intercept by formulaic.

    Raises
    ------
    DesignError
        When it cannot be read or removes the intercept.
    """
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        parsed = Formula(f"1 + {text}")
        terms = list(parsed)
    except (FormulaicError, SyntaxError, TypeError, AttributeError) as error:
        raise DesignError(f"The right side of the formula cannot be read: '{text}'. {_plain(error)}") from error
    if not any(str(term) == "1" for term in terms):
        raise DesignError(
            f"The formula '{text}' removes the intercept; every model here takes care of its own, so leave that out."
        )
    return parsed


def check_known(column: str, names: Sequence[str], where: str) -> None:
    """Raise unless the data have the column.

    Raises
    ------
    DesignError
        Naming the columns that there are.
    """
    if column not in names:
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise DesignError(
            f"The {where} names '{column}', which is not a column.{did_you_mean(column, names)} "
            f"The columns are: {listed}."
        )


def evaluate(right: RightSide, working: pd.DataFrame) -> Coded:
    """Evaluate the formula by formulaic and take the intercept away.

    Parameters
    ----------
    right
        The right side.
    working
        Complete rows of its columns: numbers, and categories with the reference level first.

    Raises
    ------
    DesignError
        When it cannot be evaluated or gives values that are not finite.
    """
    from formulaic.errors import FormulaicError

    try:
        with np.errstate(all="ignore"):
            coded = parse_formula(right.text).get_model_matrix(working, context={}, na_action="raise")
    except (FormulaicError, ValueError, TypeError, KeyError, NameError, ZeroDivisionError) as error:
        raise DesignError(f"The formula cannot be evaluated on these data: {_plain(error)}") from error
    spec = coded.model_spec
    columns = [str(name) for name in coded.columns]
    keep = [place for place, name in enumerate(columns) if name != "Intercept"]
    shift = {place: new for new, place in enumerate(keep)}
    groups: dict[str, slice] = {}
    for term, places in spec.term_indices.items():
        own = [shift[place] for place in places if place in shift]
        if own:
            groups[display_name(str(term))] = slice(own[0], own[-1] + 1)
    matrix = np.empty((len(working), len(keep)), order="F")
    for place, new in shift.items():
        matrix[:, new] = coded.iloc[:, place].to_numpy(dtype=np.float64)
        if not np.isfinite(matrix[:, new]).all():
            raise DesignError(
                f"The term '{columns[place]}' gives a missing or infinite value in "
                f"{int((~np.isfinite(matrix[:, new])).sum())} rows: check the logarithms and divisions in the formula."
            )
    return Coded(matrix, tuple(columns[place] for place in keep), groups, spec)


def _plain(error: Exception) -> str:
    """Return the first line of a library's message without its terminal colours."""
    text = re.sub("\x1b\\[[0-9;]*m|[⧛⧚]", "", str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__
