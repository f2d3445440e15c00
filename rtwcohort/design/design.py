"""Formula to a named full-rank matrix, with every dropped row and every reference level on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypedDict, TypeVar, Unpack, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, did_you_mean
from rtwcohort.core.frames import to_pandas
from rtwcohort.design.columns import prepare_columns
from rtwcohort.design.extras import NO_EXTRAS, Extras, request_extras, take_extras, weighted_rows
from rtwcohort.design.left_side import ResponseKind, check_left, parse_left
from rtwcohort.design.outcome import BinaryResponse, ContinuousResponse, CountResponse, OrdinalResponse
from rtwcohort.design.rank import check_rank
from rtwcohort.design.response import SurvResponse
from rtwcohort.design.terms import columns_of, display_name, formula_from_terms, quote_dotted, split_formula
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
        formulaic's `ModelSpec`, by which new rows are coded alike.
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
        Shape (n, p), float64, column by column in memory (Fortran order), no intercept; in the units of the data.
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
    names = [str(column) for column in data.columns]
    text = formula if isinstance(formula, str) else formula_from_terms(formula, columns=names)
    left, right = split_formula(text)
    outcome = parse_left(left, response, names, levels)
    right = quote_dotted(right, names)
    parsed, used = _parse(right, names)
    for column in outcome.columns:
        _check_known(column, names, "response")
    asked = request_extras(data, {"weights": weights, "strata": strata, "cluster": cluster, "offset": offset})
    weighted = weighted_rows(asked)
    needed = [(column, _one(data, column)) for column in dict.fromkeys([*outcome.columns, *used])]
    kept, n_missing = _complete_rows(len(data), [*needed, *asked.series().items()], missing, weighted)
    rows = data if kept.all() else data.loc[kept]
    checked, response_notes = check_left(rows, outcome)
    working, coded_levels, notes = prepare_columns(
        rows,
        used,
        reference or {},
        in_categories=_in_categories(parsed),
        last_is_reference=default_reference == "last",
    )
    matrix, columns, groups, spec = _code(parsed, working)
    readable = tuple(display_name(column) for column in columns)
    check_rank(matrix, readable)
    n_zero = 0 if weighted is None else int((~weighted).sum())
    if n_zero:
        notes = (*notes, f"{n_zero} rows have weight 0; left out.")
    info = DesignInfo(
        f"{left} ~ {right}",
        readable,
        columns,
        groups,
        coded_levels,
        len(data),
        len(rows),
        n_missing,
        (*response_notes, *notes),
        spec,
        response,
        asked.names(),
        n_zero,
    )
    return Design(matrix, checked, kept, info, take_extras(asked, kept))


def _parse(right: str, names: list[str]) -> tuple[Any, list[str]]:
    """Parse the right side and return it with the columns that it uses."""
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        parsed = Formula(f"1 + {right}")
        terms = list(parsed)
    except (FormulaicError, SyntaxError, TypeError, AttributeError) as error:
        raise DesignError(f"The right side of the formula cannot be read: '{right}'. {_plain(error)}") from error
    if not any(str(term) == "1" for term in terms):
        raise DesignError(
            f"The formula '{right}' removes the intercept; every model here takes care of its own, so leave that out."
        )
    used: list[str] = []
    for term in terms:
        for factor in term.factors:
            if factor.expr != "1":
                used.extend(columns_of(factor.expr, names))
    used = list(dict.fromkeys(used))
    if not used:
        raise DesignError(f"The formula '{right}' names no predictor: give the name of at least one column.")
    for column in used:
        _check_known(column, names, "formula")
    return parsed, used


def _in_categories(parsed: Any) -> set[str]:
    """Return the columns that stand in `C(...)`."""
    factors = (factor.expr for term in parsed for factor in term.factors)
    return {name for text in factors if text.startswith("C(") for name in columns_of(text)[:1]}


def _check_known(column: str, names: list[str], where: str) -> None:
    if column not in names:
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise DesignError(
            f"The {where} names '{column}', which is not a column.{did_you_mean(column, names)} "
            f"The columns are: {listed}."
        )


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


def _code(parsed: Any, working: pd.DataFrame) -> tuple[npt.NDArray[np.float64], tuple[str, ...], dict[str, slice], Any]:
    """Evaluate the formula and take the intercept away."""
    from formulaic.errors import FormulaicError

    try:
        with np.errstate(all="ignore"):
            coded = parsed.get_model_matrix(working, context={}, na_action="raise")
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
    return matrix, tuple(columns[place] for place in keep), groups, spec


def _plain(error: Exception) -> str:
    """Return the first line of a library's message without its terminal colours."""
    import re

    text = re.sub("\x1b\\[[0-9;]*m|[⧛⧚]", "", str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__
