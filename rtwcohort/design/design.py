"""Formula to a named full-rank matrix, with every dropped row and every reference level on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NamedTuple, TypedDict, TypeVar, Unpack, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.core.frames import to_pandas
from rtwcohort.design.columns import prepare_columns
from rtwcohort.design.extras import NO_EXTRAS, Extras, request_extras, take_extras, weighted_rows
from rtwcohort.design.left_side import LeftSide, ResponseKind, check_left, parse_left
from rtwcohort.design.outcome import BinaryResponse, ContinuousResponse, CountResponse, OrdinalResponse
from rtwcohort.design.plain import code_plain
from rtwcohort.design.rank import check_rank
from rtwcohort.design.response import SurvResponse
from rtwcohort.design.right_side import Coded, RightSide, check_known, evaluate, read_right
from rtwcohort.design.terms import display_name, formula_from_terms, quote_dotted, split_formula
from rtwcohort.errors import DesignError

Response = SurvResponse | OrdinalResponse | BinaryResponse | CountResponse | ContinuousResponse
ResponseT_co = TypeVar(
    "ResponseT_co", SurvResponse, OrdinalResponse, BinaryResponse, CountResponse, ContinuousResponse, covariant=True
)


@dataclass(frozen=True, slots=True)
class DesignInfo:
    """What a matrix was made from; kept in every fit.

    Attributes
    ----------
    formula
        As used, with odd names in backticks.
    names
        One readable name a column, such as "sex: female"; length p.
    columns
        The same in the formula's own notation, such as "sex[T.female]"; length p.
    groups
        Term -> slice of its columns, in formula order.
    levels
        Categorical column -> its levels in the rows used, the reference first.
    n_rows, n
        Rows that came and rows used.
    n_missing
        Column -> rows where it is missing, for the columns of the formula that have any.
    notes
        Sentences on what was set aside (levels that nobody has, ...).
    spec
        How new rows are coded alike: a `PlainSpec` where every term is one column, else formulaic's `ModelSpec`.
    response
        The kind of response: "survival", "ordinal", "binary", "count" or "continuous".
    extras
        "weights", "strata", "cluster", "offset" -> the columns that were given for it.
    n_zero_weight
        Rows left out because their weight is 0.
    """

    formula: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    groups: Mapping[str, slice]
    levels: Mapping[str, tuple[Any, ...]]
    n_rows: int
    n: int
    n_missing: Mapping[str, int]
    notes: tuple[str, ...]
    spec: Any
    response: ResponseKind = "survival"
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    n_zero_weight: int = 0

    @property
    def reference(self) -> dict[str, Any]:
        """Categorical column -> its reference level."""
        return {column: levels[0] for column, levels in self.levels.items()}


@dataclass(frozen=True, slots=True)
class Design(Generic[ResponseT_co]):
    """Predictors and response of the rows used.

    Attributes
    ----------
    matrix
        Shape (n, p), float64, no intercept, in the units of the data; column by column in memory (Fortran order) unless
        asked by row.
    response
        Checked arrays of shape (n,): times and events, or codes, or values.
    kept
        Shape (n_rows,), bool: which rows of the frame that came are used.
    info
        Names, groups, levels and counts.
    extras
        Weights, strata, clusters and offset of the rows used.
    """

    matrix: npt.NDArray[np.float64]
    response: ResponseT_co
    kept: npt.NDArray[np.bool_]
    info: DesignInfo
    extras: Extras = NO_EXTRAS

    @property
    def names(self) -> tuple[str, ...]:
        """Readable names of the columns, length p."""
        return self.info.names

    @property
    def groups(self) -> Mapping[str, slice]:
        """Term -> slice of its columns."""
        return self.info.groups

    @property
    def n_missing(self) -> Mapping[str, int]:
        """Column -> rows where it is missing."""
        return self.info.n_missing


class DesignOptions(TypedDict, total=False):
    """Keyword arguments of `build_design` that every kind of response takes."""

    missing: Literal["raise", "drop"]
    reference: Mapping[str, Any] | None
    default_reference: Literal["first", "last"]
    weights: Any
    strata: Any
    cluster: Any
    offset: Any
    by_row: bool


@overload
def build_design(
    frame: Any,
    formula: str | Sequence[str],
    *,
    response: Literal["survival"] = ...,
    **options: Unpack[DesignOptions],
) -> Design[SurvResponse]: ...
@overload
def build_design(
    frame: Any,
    formula: str | Sequence[str],
    *,
    response: Literal["ordinal"],
    levels: Sequence[Any] | None = ...,
    **options: Unpack[DesignOptions],
) -> Design[OrdinalResponse]: ...
@overload
def build_design(
    frame: Any,
    formula: str | Sequence[str],
    *,
    response: Literal["binary"],
    levels: Sequence[Any] | None = ...,
    **options: Unpack[DesignOptions],
) -> Design[BinaryResponse]: ...
@overload
def build_design(
    frame: Any, formula: str | Sequence[str], *, response: Literal["count"], **options: Unpack[DesignOptions]
) -> Design[CountResponse]: ...
@overload
def build_design(
    frame: Any, formula: str | Sequence[str], *, response: Literal["continuous"], **options: Unpack[DesignOptions]
) -> Design[ContinuousResponse]: ...
def build_design(
    frame: Any,
    formula: str | Sequence[str],
    *,
    response: ResponseKind = "survival",
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
    default_reference: Literal["first", "last"] = "first",
    weights: Any = None,
    strata: Any = None,
    cluster: Any = None,
    offset: Any = None,
    levels: Sequence[Any] | None = None,
    by_row: bool = False,
) -> Design[Any]:
    """Turn a frame and a formula into a named matrix of full rank and a checked response.

    Parameters
    ----------
    frame
        pandas, Polars, PyArrow or DuckDB; never changed. Text, categorical and bool columns are categories, numbers are
        numbers unless written `C(x)`.
    formula
        "Surv(time, event) ~ age + sex", "Surv(entry, exit, event) ~ age" or "status ~ age + sex"; or, for survival, a
        list of terms for the left side Surv(time, event). The right side is formulaic's: interactions `a:b` and `a*b`,
        `bs(age, df=4)`, `cr(age, df=4, constraints='center')`, `poly(age, 2)`, `I(age**2)`. Names with dots may stand
        bare; other odd names stand in backticks. The matrix has no intercept, but categories are coded as if it had
        one.
    response
        What the left side is: "survival", "ordinal", "binary", "count" or "continuous".
    missing
        "raise" names the columns with missing values and stops; "drop" leaves those rows out and counts them. Columns
        of predictors, response, weights, strata, clusters and offset count alike.
    reference
        Categorical column -> its reference level.
    default_reference
        Reference level of the other categorical columns: the first category (or first in sorted order) as in R and
        Stata, or the "last" as in SAS and SPSS.
    weights, offset
        A column name or one number a row. Rows of weight 0 are left out and counted; negative weights are refused.
    strata, cluster
        A column name, a list of names for their combinations, or one value a row.
    levels
        For "ordinal" the categories from the lowest to the highest, for "binary" the value that counts as 0 and the
        one that counts as 1.
    by_row
        Whether the matrix had better lie row by row in memory: it does where every term is one column.

    Raises
    ------
    DesignError
        For a formula that cannot be read, an unknown column, a missing or infinite value, a predictor with one value,
        a level nobody has as reference, a column that is a linear combination of others, or a response, weight, stratum
        or offset that breaks its rule.
    """
    check_choice(missing, ("raise", "drop"), argument="missing")
    check_choice(default_reference, ("first", "last"), argument="default_reference")
    data = to_pandas(frame, argument="frame")
    names = tuple(map(str, data.columns))
    text = formula if isinstance(formula, str) else formula_from_terms(formula, columns=names)
    left, right_text = split_formula(text)
    outcome = parse_left(left, response, names, levels)
    right = read_right(quote_dotted(right_text, names), names)
    for column in outcome.columns:
        check_known(column, names, "response")
    asked = request_extras(data, {"weights": weights, "strata": strata, "cluster": cluster, "offset": offset})
    weighted = weighted_rows(asked)
    coding = _Coding(right, reference or {}, last_is_reference=default_reference == "last", by_row=by_row)
    found, n_missing = None, dict[str, int]()
    if (weighted is None or weighted.all()) and not any(series.isna().any() for series in asked.series().values()):
        found = _at_once(data, outcome, coding, complete=False)
    if found is not None:
        kept = np.ones(len(data), dtype=np.bool_)
    else:
        needed = {column: _one(data, column) for column in dict.fromkeys([*outcome.columns, *right.used])}
        columns = [*needed.items(), *asked.series().items()]
        kept, n_missing = _complete_rows(len(data), columns, missing, weighted)
        rows = data if kept.all() else data.loc[kept, list(needed)]
        found = None if rows is data else _at_once(rows, outcome, coding, complete=True)
        found = found or _with_care(rows, outcome, coding)
    n_zero = 0 if weighted is None else int((~weighted).sum())
    info = DesignInfo(
        f"{left} ~ {right.text}",
        found.names,
        found.coded.columns,
        found.coded.groups,
        found.levels,
        len(data),
        len(found.coded.matrix),
        n_missing,
        (*found.notes, f"{n_zero} rows have weight 0; left out.") if n_zero else found.notes,
        found.coded.spec,
        response,
        asked.names(),
        n_zero,
    )
    return Design(found.coded.matrix, found.response, kept, info, take_extras(asked, kept))


class _Coding(NamedTuple):
    """How predictors are coded."""

    right: RightSide
    reference: Mapping[str, Any]
    last_is_reference: bool
    by_row: bool


class _Found(NamedTuple):
    """Checked response and coded predictors of the rows used."""

    response: Any
    coded: Coded
    names: tuple[str, ...]
    levels: dict[str, tuple[Any, ...]]
    notes: tuple[str, ...]


def _at_once(rows: pd.DataFrame, outcome: LeftSide, coding: _Coding, *, complete: bool) -> _Found | None:
    """Code the rows on the guess that nothing is wrong with them; None when something is, for the careful way to name.

    The matrix is filled and looked through in one pass, where the careful way goes through the columns several times.
    """
    if coding.right.plain is None:
        return None
    try:
        response, notes = check_left(rows, outcome)
        plain = code_plain(
            rows,
            coding.right.plain,
            coding.reference,
            last_is_reference=coding.last_is_reference,
            complete=complete,
            by_row=coding.by_row,
        )
        if plain is None:
            return None
        names = tuple(map(display_name, plain.coded.columns))
        check_rank(plain.coded.matrix, names, within=(plain.low, plain.high))
    except DesignError:
        return None
    return _Found(response, plain.coded, names, plain.levels, (*notes, *plain.notes))


def _with_care(rows: pd.DataFrame, outcome: LeftSide, coding: _Coding) -> _Found:
    """Code complete rows, or name the first thing that is wrong with them."""
    response, notes = check_left(rows, outcome)
    right, reference, last = coding.right, coding.reference, coding.last_is_reference
    working, levels, more = prepare_columns(
        rows, right.used, reference, in_categories=right.in_categories, last_is_reference=last
    )
    coded = evaluate(right, working)
    names = tuple(map(display_name, coded.columns))
    check_rank(coded.matrix, names, within=(coded.matrix.min(axis=0), coded.matrix.max(axis=0)))
    return _Found(response, coded, names, levels, (*notes, *more))


def _one(data: pd.DataFrame, column: str) -> Any:
    if (data.columns == column).sum() > 1:
        raise DesignError(f"The data have two columns named '{column}': rename one.")
    return data[column]


def _complete_rows(
    n: int, columns: Sequence[tuple[str, Any]], missing: str, weighted: npt.NDArray[np.bool_] | None
) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Return which rows have every column and a weight, and the missing counts by column among rows with a weight."""
    kept = np.ones(n, dtype=np.bool_) if weighted is None else weighted.copy()
    n_weighted = int(kept.sum())
    counts: dict[str, int] = {}
    for name, column in columns:
        absent = column.isna().to_numpy()
        if weighted is not None:
            absent = absent & weighted
        if absent.any():
            counts[name] = int(absent.sum())
            kept &= ~absent
    if counts and missing == "raise":
        listed = ", ".join(f"`{column}` in {count}" for column, count in counts.items())
        raise DesignError(
            f"Values are missing in {n_weighted - int(kept.sum())} of {n_weighted} rows: {listed}. Pass missing='drop' "
            "to leave these rows out (they are counted in the result), or impute them first."
        )
    if not kept.any():
        listed = ", ".join(f"`{column}` ({count})" for column, count in counts.items()) or "the data are empty"
        raise DesignError(f"No row is complete; missing: {listed}. Leave out the emptiest predictor or impute it.")
    return kept, counts
