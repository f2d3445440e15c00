"""The search for what else to withhold, so that no small count can be found by subtraction.

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
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

SHOWN: Final = 0
SMALL: Final = 1
SECONDARY: Final = 2
UNSIZED: Final = 3

Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Hidden = npt.NDArray[np.bool_]
Cell = tuple[int, int]
Tier = Literal["full", "two_values", "unsized", "zeros"]

_UNLIMITED: Final = 2**40


@dataclass(frozen=True, slots=True)
class _Room:
    """Counts, the price of withholding each, and the least and most that each could be were it withheld."""

    counts: Counts
    price: Counts
    low: Counts
    high: Counts


def protect(counts: Counts, price: Counts, threshold: int, *, free_row: int | None = None) -> Codes:
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
