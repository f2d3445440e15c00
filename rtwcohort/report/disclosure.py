"""Disclosure control: two constants and pure functions, applied in one place.

A count from 1 to `threshold - 1` is small and is withheld. Withholding it is not enough where totals
are printed, for then it can be found by subtraction; so further counts are withheld, the smallest that
will do. The result is checked against an attacker who knows every printed number, that counts are not
negative, and what the marks mean: for each small count more than one value must remain possible.

The search moves one small count and asks which other counts must move with it for every printed
total to stay as it is. In a two-way table those form an alternating cycle, found as a cheapest path
between the row and the column of the count (cell suppression by network flow [1]_).

References
----------
.. [1] Kelly JP, Golden BL, Assad AA. Cell suppression: disclosure protection for sensitive tabular
   data. Networks 1992;22:397-417.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError

SMALL_CELLS: Final = 5
"""Counts under this are withheld unless the study says otherwise; 0 or 1 turns the control off."""

WITHHELD: Final = "[c]"
"""Printed for a number that is withheld to protect another one, or whose size must not be told."""

SHOWN: Final = 0
SMALL: Final = 1
SECONDARY: Final = 2
UNSIZED: Final = 3

Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Hidden = npt.NDArray[np.bool_]
Cell = tuple[int, int]
Tier = Literal["full", "two_values", "unsized", "zeros"]

AUDIT_COLUMNS: Final = ("table", "row", "column", "reason")
REASONS: Final = {
    SMALL: "count under the threshold",
    SECONDARY: "would reveal another number by subtraction",
    UNSIZED: "under the threshold, or would reveal another number by subtraction",
}
_UNLIMITED: Final = 2**40
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
    line_codes: Codes = _protect(stacked, stacked + 1 + _DEAR * _flags(dear, len(line)), limit, free_row=1)[0]
    return line_codes


def withhold_table(
    counts: npt.ArrayLike, threshold: int = SMALL_CELLS, *, dear_rows: npt.ArrayLike | None = None
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
    """
    table = _checked(counts, 2)
    limit = check_threshold(threshold)
    rows = withhold_line(table.sum(axis=1), limit, dear=dear_rows)
    columns = withhold_line(table.sum(axis=0), limit)
    if is_small(int(table.sum()), limit):
        return Suppression(np.full(table.shape, UNSIZED, dtype=np.int8), rows, columns, UNSIZED)
    reduced, row_at, column_at = _merged(table, rows != SHOWN, columns != SHOWN)
    dear = np.append(_flags(dear_rows, len(table))[rows == SHOWN], 0)[: len(reduced)]
    cells = _protect(reduced, reduced + 1 + _DEAR * dear[:, None], limit)[np.ix_(row_at, column_at)]
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


@dataclass(frozen=True, slots=True)
class _Room:
    """Counts, the price of withholding each, and the least and most that each could be were it withheld."""

    counts: Counts
    price: Counts
    low: Counts
    high: Counts


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


def _protect(counts: Counts, price: Counts, threshold: int, *, free_row: int | None = None) -> Codes:
    """Return codes for a table whose totals of rows and columns are all known.

    The tiers are tried from the most telling marks to the least: every value under the threshold
    possible; two values possible; marks that do not tell the size; zeros withheld as well.
    """
    codes = np.zeros(counts.shape, dtype=np.int8)
    small = (counts > 0) & (counts < threshold)
    if not small.any():
        return codes
    # "<2" would say exactly 1, so a threshold of 2 has no mark that tells the size.
    tiers: tuple[Tier, ...] = ("full", "two_values", "unsized", "zeros") if threshold > 2 else ("unsized", "zeros")
    for tier in tiers:
        hidden = _hide(counts, price, small, threshold, tier, free_row)
        if hidden is not None:
            break
    else:
        hidden = np.ones(counts.shape, dtype=bool)
    if tier in ("full", "two_values"):
        codes[hidden] = SECONDARY
        codes[small] = SMALL
    else:
        codes[hidden] = UNSIZED
    return codes


def _hide(
    counts: Counts, price: Counts, small: Hidden, threshold: int, tier: Tier, free_row: int | None
) -> Hidden | None:
    """Return what to hide so that each small count stays uncertain, or None if this tier cannot do it."""
    low, high = _limits(counts, small, threshold, tier)
    hidden = small.copy()
    if free_row is not None:
        hidden[free_row] = True
        low[free_row], high[free_row] = -_UNLIMITED, _UNLIMITED
    room = _Room(counts, price, low, high)
    if tier == "two_values" and not _fill_lines(room, hidden, threshold, free_row):
        return None
    for row, column in zip(*np.nonzero(small), strict=True):
        found = _unsettle(room, hidden, (int(row), int(column)), threshold, tier)
        if found is None:
            return None
        hidden = found
    if free_row is not None:
        hidden[free_row] = False
    return hidden


def _limits(counts: Counts, small: Hidden, threshold: int, tier: Tier) -> tuple[Counts, Counts]:
    """Return the least and most that each count could be, were it hidden, to one who knows the marks."""
    if tier == "zeros":
        return np.zeros_like(counts), np.full_like(counts, _UNLIMITED)
    if tier == "unsized":
        low, high = np.ones_like(counts), np.full_like(counts, _UNLIMITED)
    else:
        low = np.where(small, 1, threshold)
        high = np.where(small, threshold - 1, _UNLIMITED)
    empty = counts == 0
    low[empty] = 0
    high[empty] = 0
    return low, high


def _fill_lines(room: _Room, hidden: Hidden, threshold: int, free_row: int | None) -> bool:
    """Hide more, cheapest first, until what is hidden in each line adds up to the threshold."""
    lines = [(row, slice(None)) for row in range(len(hidden)) if row != free_row]
    if free_row is None:
        lines += [(slice(None), column) for column in range(hidden.shape[1])]  # type: ignore[misc]
    for line in lines * 2:
        values, taken = room.counts[line], hidden[line]
        for at in np.argsort(room.price[line], kind="stable"):
            if not taken.any() or values[taken].sum() >= threshold:
                break
            taken[at] |= values[at] > 0
        if taken.any() and values[taken].sum() < threshold:
            return False
    return True


def _unsettle(room: _Room, hidden: Hidden, cell: Cell, threshold: int, tier: Tier) -> Hidden | None:
    """Hide what else is needed for `cell` to have the values that the tier asks for."""
    if tier == "full":
        up = _shift(room, hidden, cell, threshold - 1)
        return None if up is None else _shift(room, up, cell, 1)
    if tier == "two_values":
        value = int(room.counts[cell])
        moves = [_shift(room, hidden, cell, to) for to in (value + 1, value - 1) if 0 < to < threshold]
        found = [move for move in moves if move is not None]
        return min(found, key=lambda move: int(room.price[move].sum()), default=None)
    return _shift(room, hidden, cell, threshold)


def _shift(room: _Room, hidden: Hidden, cell: Cell, target: int) -> Hidden | None:
    """Move `cell` to `target` with every total kept, hiding the cheapest cells that must move with it."""
    sign = 1 if target >= room.counts[cell] else -1
    moved, hidden = room.counts.copy(), hidden.copy()
    while moved[cell] != target:
        down, up = moved - room.low, room.high - moved
        against, along = (down, up) if sign > 0 else (up, down)
        path = _cheapest_path(room.price, hidden, against, along, cell)
        if path is None:
            return None
        most = min(int((against if at % 2 == 0 else along)[step]) for at, step in enumerate(path))
        step_size = min(most, abs(target - int(moved[cell])))
        moved[cell] += sign * step_size
        for at, step in enumerate(path):
            moved[step] += (-sign if at % 2 == 0 else sign) * step_size
            hidden[step] = True
    return hidden


def _cheapest_path(price: Counts, hidden: Hidden, against: Counts, along: Counts, cell: Cell) -> list[Cell] | None:
    """Find cells that alternate row, column, row ... from the row of `cell` to its column (Dijkstra).

    Cells at even places must have room in `against`, those at odd places in `along`; a cell that is
    not hidden yet costs its price.
    """
    n_rows, n_columns = hidden.shape
    cost_of = np.where(hidden, 0, price)
    start, goal = cell[0], n_rows + cell[1]
    best = {start: 0}
    came: dict[int, tuple[int, Cell]] = {}
    queue = [(0, start)]
    while queue:
        cost, node = heapq.heappop(queue)
        if node == goal:
            break
        if cost > best[node]:
            continue
        for other in range(n_columns) if node < n_rows else range(n_rows):
            step = (node, other) if node < n_rows else (other, node - n_rows)
            room = against if node < n_rows else along
            if step == cell or room[step] <= 0:
                continue
            nearby = n_rows + other if node < n_rows else other
            total = cost + int(cost_of[step])
            if total < best.get(nearby, _UNLIMITED):
                best[nearby] = total
                came[nearby] = (node, step)
                heapq.heappush(queue, (total, nearby))
    return _walk_back(came, start, goal)


def _walk_back(came: dict[int, tuple[int, Cell]], start: int, goal: int) -> list[Cell] | None:
    if goal not in came:
        return None
    path, node = [], goal
    while node != start:
        node, step = came[node]
        path.append(step)
    return path[::-1]
