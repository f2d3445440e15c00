"""Pearson's chi-square test of a table of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.wald import chi_square_p
from rtwcohort.errors import ArgumentError

_SMALL_EXPECTED: Final = 5.0


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Pearson's test that rows and columns are independent.

    Attributes
    ----------
    statistic, df, p_value
        Of the table without its empty rows and columns.
    expected
        Expected counts, shape (r, c) of the rows and columns that were used, with their labels.
    smallest_expected
        The smallest of them.
    dropped_rows, dropped_columns
        Labels of rows and columns that hold nobody; they carry no information and no degree of freedom.
    correction
        Whether Yates' continuity correction was applied.
    note
        Empty, or what to bear in mind: small expected counts, dropped rows.
    """

    statistic: float
    df: int
    p_value: float
    expected: pd.DataFrame
    smallest_expected: float
    dropped_rows: tuple[str, ...]
    dropped_columns: tuple[str, ...]
    correction: bool
    note: str


def chi_square(counts: Any, *, correction: bool = False) -> ChiSquare:
    """Test whether the rows and the columns of a table of counts are independent.

    Parameters
    ----------
    counts
        Table of whole numbers of at least 0, shape (r, c): a DataFrame, whose labels are kept, or an array.
    correction
        Yates' continuity correction, for two-by-two tables only (elsewhere it is an error; R ignores it in silence).

    Returns
    -------
    ChiSquare

    Raises
    ------
    ArgumentError
        For missing, negative or fractional counts, or fewer than two rows or columns that hold anybody.

    Notes
    -----
    ``sum (O - E)^2 / E`` on ``(r - 1)(c - 1)`` degrees of freedom. Rows and columns without anybody are dropped and
    named in the result; R's `chisq.test` returns NaN for them. Yates: ``|O - E|`` is lessened by 0.5, but not below 0,
    as in R. SPSS prints the uncorrected one as "Pearson Chi-Square".

    Examples
    --------
    Women and men in two arms; the p-value says that a difference like this is common by chance.

    >>> round(chi_square([[28, 28], [29, 17]]).p_value, 3)
    0.187
    """
    table = _check_counts(counts)
    numbers = table.to_numpy(dtype=np.float64)
    rows, columns = numbers.sum(axis=1) > 0, numbers.sum(axis=0) > 0
    used = numbers[np.ix_(rows, columns)]
    if min(used.shape) < 2:
        raise ArgumentError(
            f"`counts` must have at least two rows and two columns that hold anybody; "
            f"got {used.shape[0]} rows and {used.shape[1]} columns."
        )
    if correction and used.shape != (2, 2):
        raise ArgumentError(
            f"`correction` applies to two-by-two tables only; got {used.shape[0]} by {used.shape[1]}. "
            "Leave it False for this table."
        )
    expected = np.outer(used.sum(axis=1), used.sum(axis=0)) / used.sum()
    statistic = _statistic(used, expected, correction=correction)
    df = (used.shape[0] - 1) * (used.shape[1] - 1)
    dropped_rows = tuple(str(label) for label in table.index[~rows])
    dropped_columns = tuple(str(label) for label in table.columns[~columns])
    smallest = float(expected.min())
    return ChiSquare(
        statistic=statistic,
        df=df,
        p_value=chi_square_p(statistic, float(df)),
        expected=pd.DataFrame(expected, index=table.index[rows], columns=table.columns[columns]),
        smallest_expected=smallest,
        dropped_rows=dropped_rows,
        dropped_columns=dropped_columns,
        correction=correction,
        note=_note(expected, dropped_rows, dropped_columns),
    )


def _check_counts(counts: Any) -> pd.DataFrame:
    try:
        table = counts if isinstance(counts, pd.DataFrame) else pd.DataFrame(np.asarray(counts))
        numbers = table.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError("`counts` must be a table of whole numbers; got something that is not numeric.") from error
    if not np.isfinite(numbers).all():
        raise ArgumentError("`counts` must not have missing or infinite cells; give 0 where nobody was counted.")
    wrong = (numbers < 0) | (numbers != np.floor(numbers))
    if wrong.any():
        raise ArgumentError(
            f"`counts` must be whole numbers of at least 0; got {numbers[wrong][0]:g}. Give counts, not percentages."
        )
    return table


def _statistic(observed: npt.NDArray[np.float64], expected: npt.NDArray[np.float64], *, correction: bool) -> float:
    gap = np.abs(observed - expected)
    if correction:
        gap = gap - np.minimum(0.5, gap)
    return float((gap**2 / expected).sum())


def _note(expected: npt.NDArray[np.float64], dropped_rows: tuple[str, ...], dropped_columns: tuple[str, ...]) -> str:
    parts = []
    small = int((expected < _SMALL_EXPECTED).sum())
    if small:
        advice = "use Fisher's exact test" if expected.shape == (2, 2) else "the p-value is approximate"
        parts.append(
            f"{small} of {expected.size} expected counts are under {_SMALL_EXPECTED:g} "
            f"(smallest {expected.min():.2f}): {advice}"
        )
    for what, dropped in (("rows", dropped_rows), ("columns", dropped_columns)):
        if dropped:
            parts.append(f"{what} without anybody dropped: {', '.join(dropped)}")
    return "; ".join(parts)
