"""From the register's frames to what the sweep takes: checked spells, gathered by blocks of people."""

from __future__ import annotations

import sys
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.core.days import MISSING_DAY, to_days
from rtwcohort.errors import RegisterError
from rtwcohort.outcomes.person_lookup import CHUNK, chunks, in_threads, locate_people
from rtwcohort.outcomes.timeline_group_kernel import (
    N_FAULTS,
    NO_TICK,
    SPELL,
    Records,
    code_pointers,
    count_blocks,
    scatter,
)
from rtwcohort.outcomes.timeline_window import Chosen
from rtwcohort.register.benefits import BENEFIT_NAMES
from rtwcohort.register.register import Register

FAULTS: Final = (
    "no start date",
    "an end before the start",
    "no {amount}",
    "a {amount} outside its range",
    "an unknown or missing benefit",
    "a person who is not in `persons`",
)
"""In the order of the numbers that `scatter` gives them."""

TICKS_PER_DAY: Final = {("D", 1): 1, ("s", 1): 86_400, ("ms", 1): 86_400_000}
"""Units of dates that are read as they are; others are turned into days first."""

POINTERS: Final = 16_384
"""Size of the table of addresses: columns with more than half as many different texts in memory are read as text."""


class Grouped(NamedTuple):
    """Records gathered by blocks of 2**shift people: those of block b are `edge[b]` to `edge[b + 1] - 1`."""

    records: Records
    edge: npt.NDArray[np.int64]


class _Columns(NamedTuple):
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    ticks_per_day: int
    code: npt.NDArray[np.int8]
    amount: npt.NDArray[np.float64]
    most: float


def group_benefits(register: Register, chosen: Chosen, shift: int) -> Grouped:
    """Check the benefit spells and gather those of the chosen people by blocks."""
    frame = register.benefits
    check_columns(frame.columns, ("person_id", "benefit", "start", "end", "grade"), argument="register.benefits")
    columns = _columns(frame, benefit_codes(frame["benefit"]), "grade", 100.0)
    return _group(register, frame, columns, chosen, shift, words=("benefits", "grade"))


def group_jobs(register: Register, chosen: Chosen, shift: int) -> Grouped:
    """Check the employment spells and gather those of the chosen people, the position in the place of the grade."""
    frame = register.employment
    if frame is None or not len(frame):
        return Grouped(np.empty(0, SPELL), np.zeros(n_blocks(chosen, shift) + 1, np.int64))
    check_columns(frame.columns, ("person_id", "start", "end", "position"), argument="register.employment")
    columns = _columns(frame, np.zeros(len(frame), np.int8), "position", np.inf)
    return _group(register, frame, columns, chosen, shift, words=("employment", "position"))


def n_blocks(chosen: Chosen, shift: int) -> int:
    """Return the number of blocks of 2**shift people."""
    return -(-len(chosen.row) // (1 << shift))


def benefit_codes(names: pd.Series[Any]) -> npt.NDArray[np.int8]:
    """Return the benefit number of each name, -1 where it is missing or unknown."""
    code, found = _number_names(names)
    number = {name: k for k, name in enumerate(BENEFIT_NAMES)}
    table: npt.NDArray[np.int8] = np.array([number.get(name, -1) for name in found] + [-1], dtype=np.int8)
    return np.asarray(table[code])


def _number_names(names: pd.Series[Any]) -> tuple[npt.NDArray[Any], list[Any]]:
    """Return numbers, -1 where missing, and the names they stand for; a name may have several numbers."""
    if names.dtype == object and len(names) > CHUNK and sys.implementation.name == "cpython":
        values = names.to_numpy()
        first = np.empty(POINTERS, np.int64)
        code = np.empty(len(values), np.int16)
        n = code_pointers(np.asarray(_Addresses(values)), np.zeros(POINTERS, np.uint64), first, code)
        if n >= 0:
            return code, [values[row] if isinstance(values[row], str) else None for row in first[:n]]
    numbers, found = pd.factorize(names)
    return numbers, list(found)


class _Addresses:
    """An object array's elements seen as addresses: equal texts are mostly the same object, which is quick to tell."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self.values = values
        self.__array_interface__ = {
            "data": (values.ctypes.data, True),
            "typestr": np.dtype(np.uint64).str,
            "shape": values.shape,
            "strides": values.strides,
            "version": 3,
        }


def _columns(frame: pd.DataFrame, code: npt.NDArray[np.int8], amount: str, most: float) -> _Columns:
    start, end = frame["start"].to_numpy(), frame["end"].to_numpy()
    unit = np.datetime_data(start.dtype) if start.dtype.kind == "M" and start.dtype == end.dtype else ("", 0)
    values = frame[amount].to_numpy(dtype=np.float64, na_value=np.nan)
    if unit in TICKS_PER_DAY:
        return _Columns(start.view(np.int64), end.view(np.int64), TICKS_PER_DAY[unit], code, values, most)
    return _Columns(_day_ticks(frame["start"]), _day_ticks(frame["end"]), 1, code, values, most)


def _day_ticks(dates: pd.Series[Any]) -> npt.NDArray[np.int64]:
    days = to_days(dates).astype(np.int64)
    days[days == MISSING_DAY] = NO_TICK
    return days


def _group(
    register: Register, frame: pd.DataFrame, columns: _Columns, chosen: Chosen, shift: int, *, words: tuple[str, str]
) -> Grouped:
    ids = register.persons["person_id"].to_numpy()
    person = locate_people(ids, frame["person_id"].to_numpy())
    place = np.full(len(ids), -1, np.int32)
    place[chosen.row] = np.arange(len(chosen.row), dtype=np.int32)
    parts = [slice(*chunk) for chunk in chunks(len(frame))]

    def count(part: slice) -> npt.NDArray[np.int64]:
        counts = np.zeros(n_blocks(chosen, shift), np.int64)
        count_blocks(person[part], place, shift, counts)
        return counts

    counts = np.array(list(in_threads(count, parts)), dtype=np.int64).reshape(len(parts), n_blocks(chosen, shift))
    edge = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    free = edge[:-1] + np.cumsum(counts, axis=0) - counts
    records = np.empty(int(edge[-1]), SPELL)

    def write(part: slice, free_here: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        faults = np.zeros((N_FAULTS, 2), np.int64)
        start, end, ticks_per_day, code, amount, most = columns
        scatter(
            person[part],
            place,
            shift,
            start[part],
            end[part],
            ticks_per_day,
            code[part],
            amount[part],
            most,
            free_here,
            records,
            faults,
        )
        return faults

    _reject(list(in_threads(write, parts, list(free))), parts, *words)
    return Grouped(records, edge)


def _reject(by_part: list[npt.NDArray[np.int64]], parts: list[slice], table: str, amount: str) -> None:
    """Raise for the first kind of fault found, with the number of rows and the first of them."""
    for fault, words in enumerate(FAULTS):
        n = sum(int(faults[fault, 0]) for faults in by_part)
        if n:
            first = min(
                part.start + int(faults[fault, 1]) + 1
                for part, faults in zip(parts, by_part, strict=True)
                if faults[fault, 0]
            )
            raise RegisterError(
                f"A timeline needs a cleaned register: `{table}` has {n} rows with {words.format(amount=amount)} "
                f"(first: row {first} of the table). Run clean_register on the register first."
            )
