"""Disclosure control: two constants and pure functions, applied in one place.

A count from 1 to `threshold - 1` is small and is withheld. Withholding it is not enough where totals
are printed, for then it can be found by subtraction; so further counts are withheld, the smallest that
will do. The result is checked against an attacker who knows every printed number, that counts are not
negative, and what the marks mean: for each small count more than one value must remain possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.report.cell_suppression import (
    SECONDARY,
    SHOWN,
    SMALL,
    UNSIZED,
    Codes,
    Counts,
    Hidden,
    protect,
)

__all__ = [
    "AUDIT_COLUMNS",
    "REASONS",
    "SECONDARY",
    "SHOWN",
    "SMALL",
    "SMALL_CELLS",
    "UNSIZED",
    "WITHHELD",
    "Suppression",
    "audit_frame",
    "check_threshold",
    "is_small",
    "mark",
    "threshold_note",
    "withhold_groups",
    "withhold_line",
    "withhold_table",
]

SMALL_CELLS: Final = 5
"""Counts under this are withheld unless the study says otherwise; 0 or 1 turns the control off."""

WITHHELD: Final = "[c]"
"""Printed for a number that is withheld to protect another one, or whose size must not be told."""

AUDIT_COLUMNS: Final = ("table", "row", "column", "reason")
REASONS: Final = {
    SMALL: "count under the threshold",
    SECONDARY: "would reveal another number by subtraction",
    UNSIZED: "under the threshold, or would reveal another number by subtraction",
}
_DEAR: Final = 2**32


@dataclass(frozen=True, slots=True)
class Suppression:
    """What may be printed of a two-way table of counts with its totals.

    Attributes
    ----------
    cells, rows, columns
        Codes of shape (r, c), (r,) and (c,): `SHOWN`, `SMALL` (print "<5"), `SECONDARY` and
        `UNSIZED` (print `WITHHELD`), for the counts, the totals of rows and the totals of columns.
    total
        Code of the grand total.
    """

    cells: Codes
    rows: Codes
    columns: Codes
    total: int

    @property
    def any_withheld(self) -> bool:
        """Whether anything at all is withheld."""
        return bool(self.cells.any() or self.rows.any() or self.columns.any() or self.total)


def check_threshold(threshold: object) -> int:
    """Return the threshold as a whole number of at least 0, or raise `ArgumentError`."""
    check_number(threshold, argument="threshold", least=0, whole=True)
    return int(threshold)  # type: ignore[call-overload,no-any-return]


def is_small(count: float, threshold: int = SMALL_CELLS) -> bool:
    """Tell whether a count is from 1 to `threshold - 1`."""
    return 0 < count < threshold


def mark(code: int, text: str, threshold: int = SMALL_CELLS) -> str:
    """Return `text` where it may be shown, else the mark that stands for it."""
    if code == SHOWN:
        return text
    return f"<{threshold}" if code == SMALL else WITHHELD


def withhold_line(counts: npt.ArrayLike, threshold: int = SMALL_CELLS, *, dear: npt.ArrayLike | None = None) -> Codes:
    """Choose what to withhold of counts whose total is printed.

    Parameters
    ----------
    counts
        Shape (k,): the categories of one variable, or the sizes of the arms.
    threshold
        Counts from 1 to `threshold - 1` are withheld; 0 or 1 withholds nothing.
    dear
        Shape (k,), bool: counts that readers need most; of those that are not small, others are withheld first.

    Returns
    -------
    numpy.ndarray of int8, shape (k,)
        Codes. All are `UNSIZED` where the total itself is small: withhold it too.
    """
    line = _checked(counts, 1)
    limit = check_threshold(threshold)
    if not _any_small(line, limit):
        return np.zeros(len(line), dtype=np.int8)
    if line.sum() < limit:
        return np.full(len(line), UNSIZED, dtype=np.int8)
    # A free second row lets each count move against the others while the total stays.
    stacked = np.vstack([line, np.zeros_like(line)])
    line_codes: Codes = protect(stacked, stacked + 1 + _DEAR * _flags(dear, len(line)), limit, free_row=1)[0]
    return line_codes


def withhold_table(
    counts: npt.ArrayLike,
    threshold: int = SMALL_CELLS,
    *,
    dear_rows: npt.ArrayLike | None = None,
    columns: npt.ArrayLike | None = None,
) -> Suppression:
    """Choose what to withhold of a two-way table printed with its totals.

    The totals are settled first and by themselves, so that the same categories give the same pattern
    in every table of a report. Rows and columns whose totals are withheld are withheld whole.

    Parameters
    ----------
    counts
        Shape (r, c): such as categories by arms.
    threshold
        Counts from 1 to `threshold - 1` are withheld; 0 or 1 withholds nothing.
    dear_rows
        Shape (r,), bool: see `dear` of `withhold_line`.
    columns
        Shape (c,): codes of the totals of columns where another table has settled them.
    """
    table = _checked(counts, 2)
    limit = check_threshold(threshold)
    rows = withhold_line(table.sum(axis=1), limit, dear=dear_rows)
    if columns is None:
        columns = withhold_line(table.sum(axis=0), limit)
    columns = np.asarray(columns, dtype=np.int8)
    if is_small(int(table.sum()), limit):
        return Suppression(np.full(table.shape, UNSIZED, dtype=np.int8), rows, columns, UNSIZED)
    reduced, row_at, column_at = _merged(table, rows != SHOWN, columns != SHOWN)
    dear = np.append(_flags(dear_rows, len(table))[rows == SHOWN], 0)[: len(reduced)]
    cells = protect(reduced, reduced + 1 + _DEAR * dear[:, None], limit)[np.ix_(row_at, column_at)]
    cells[rows != SHOWN, :] = UNSIZED
    cells[:, columns != SHOWN] = UNSIZED
    return Suppression(cells, rows, columns, SHOWN)


def withhold_groups(sizes: npt.ArrayLike, threshold: int = SMALL_CELLS) -> Hidden:
    """Choose the groups whose means are withheld where the mean of all is printed.

    The mean of a group can be found from the others and the overall mean. So groups are withheld,
    smallest first, until at least two are and they hold `threshold` people together.

    Parameters
    ----------
    sizes
        Shape (k,): people behind each mean.

    Returns
    -------
    numpy.ndarray of bool, shape (k,)
        Groups of nobody are not withheld: there is nothing to print.
    """
    line = _checked(sizes, 1)
    limit = check_threshold(threshold)
    hidden = (line > 0) & (line < limit)
    if not hidden.any():
        return np.asarray(hidden)
    for at in np.argsort(line, kind="stable"):
        if hidden.sum() >= 2 and line[hidden].sum() >= limit:
            break
        hidden[at] |= line[at] > 0
    return np.asarray(hidden)


def audit_frame(rows: list[tuple[str, str, str, str]] | None = None) -> pd.DataFrame:
    """Return the audit: which number of which table was withheld and why, never its value."""
    return pd.DataFrame(rows or [], columns=list(AUDIT_COLUMNS), dtype=object)


def threshold_note(threshold: int) -> str:
    """Return the sentence printed under every table of counts in which something is withheld."""
    return (
        f"<{threshold}: a count from 1 to {threshold - 1}, withheld. {WITHHELD}: withheld so that no count under "
        f"{threshold} can be worked out."
    )


def _flags(dear: npt.ArrayLike | None, length: int) -> Counts:
    return np.zeros(length, dtype=np.int64) if dear is None else np.asarray(dear, dtype=bool).astype(np.int64)


def _checked(counts: npt.ArrayLike, dimensions: int) -> Counts:
    array = np.asarray(counts)
    if array.ndim != dimensions or array.size == 0:
        raise ArgumentError(f"`counts` must be {dimensions}-dimensional and not empty; got shape {array.shape}.")
    whole = np.asarray(array, dtype=np.float64)
    if not np.all(np.isfinite(whole)) or np.any(whole < 0) or np.any(whole != np.floor(whole)):
        raise ArgumentError("`counts` must be whole numbers of at least 0; got a negative, missing or broken number.")
    return whole.astype(np.int64)


def _any_small(counts: Counts, threshold: int) -> bool:
    return bool(np.any((counts > 0) & (counts < threshold)))


def _merged(table: Counts, rows: Hidden, columns: Hidden) -> tuple[Counts, npt.NDArray[Any], npt.NDArray[Any]]:
    """Add up the rows (and the columns) whose totals are withheld: only their sum can be found."""
    reduced = table
    positions = []
    for axis, hidden in ((0, rows), (1, columns)):
        shown = np.flatnonzero(~hidden)
        kept = np.take(reduced, shown, axis=axis)
        if hidden.any():
            together = np.take(reduced, np.flatnonzero(hidden), axis=axis).sum(axis=axis, keepdims=True)
            kept = np.concatenate([kept, together], axis=axis)
        reduced = kept
        at = np.full(len(hidden), len(shown), dtype=np.int64)
        at[shown] = np.arange(len(shown))
        positions.append(at)
    return reduced, positions[0], positions[1]
