"""The left side of a formula, read and checked as the kind of response that the model needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.design.outcome import binary_response, continuous_response, count_response, ordinal_response
from rtwcohort.design.response import SurvNames, check_survival, parse_surv
from rtwcohort.errors import DesignError

ResponseKind = Literal["survival", "ordinal", "binary", "count", "continuous"]
"""What a left side can be."""

_IDENTIFIER = re.compile(r"^[^\W\d]\w*(?:\.\w+)*$")


@dataclass(frozen=True, slots=True)
class LeftSide:
    """The columns of the left side and what they are.

    Attributes
    ----------
    kind
        Of response.
    columns
        Names, in the order written.
    surv
        For survival: which is which.
    levels
        For ordinal and binary responses: the order given.
    """

    kind: ResponseKind
    columns: tuple[str, ...]
    surv: SurvNames | None
    levels: tuple[Any, ...] | None


def parse_left(text: str, kind: ResponseKind, names: Sequence[str], levels: Sequence[Any] | None) -> LeftSide:
    """Read the left side.

    Raises
    ------
    DesignError
        When it is not `Surv(...)` for survival, or the name of one column for the other kinds, or `levels` is given
        where it has no meaning.
    """
    check_choice(kind, get_args(ResponseKind), argument="response")
    if levels is not None and kind not in ("ordinal", "binary"):
        raise DesignError(f"`levels` orders the categories of an ordinal or binary response; this one is '{kind}'.")
    if kind == "survival":
        surv = parse_surv(text)
        return LeftSide(kind, surv.columns(), surv, None)
    name = text.strip().strip("`")
    if name not in names and not (_IDENTIFIER.match(name) or text.strip() == f"`{name}`"):
        hint = " Surv(...) is for survival models." if name.startswith("Surv") else ""
        raise DesignError(
            f"The left side of the formula must be the name of one column; got '{text.strip()}'.{hint} "
            "Make a column of a condition or a function first."
        )
    return LeftSide(kind, (name,), None, None if levels is None else tuple(levels))


def check_left(rows: pd.DataFrame, left: LeftSide) -> tuple[Any, tuple[str, ...]]:
    """Return the checked response of complete rows, and notes on what was set aside.

    Raises
    ------
    DesignError
        When the response breaks its rule.
    """
    if left.surv is not None:
        entry = None if left.surv.entry is None else rows[left.surv.entry]
        return check_survival(rows[left.surv.time], rows[left.surv.event], entry=entry, names=left.surv), ()
    name = left.columns[0]
    if left.kind == "ordinal":
        ordered = ordinal_response(rows[name], name=name, levels=left.levels)
        listed = ", ".join(f"'{label}'" for label in ordered.empty)
        return ordered, (f"No row used has `{name}` = {listed}; left out of the model.",) if listed else ()
    if left.kind == "binary":
        return binary_response(rows[name], name=name, levels=left.levels), ()
    check = count_response if left.kind == "count" else continuous_response
    return check(rows[name], name=name), ()
