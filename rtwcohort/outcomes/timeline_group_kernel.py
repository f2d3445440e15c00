"""Which person each spell belongs to, and spells gathered by blocks of people.

Rows come in any order. Each pass runs over chunks of rows in threads: find the person, count the rows of
each block of people, write 16-byte records block by block. A block then fits in the processor's cache,
where the sweep sorts it by person.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel

SPELL: Final = np.dtype(
    [("start", "i4"), ("stop", "i4"), ("grade", "f4"), ("person", "u2"), ("benefit", "u1"), ("pad", "u1")]
)
"""One spell: half-open days, percent, person counted within the block, benefit number."""

FAR: Final = int(np.iinfo(np.int32).max)
"""Later than every real day: the end of a spell that is still open, the death of who lives."""

NO_TICK: Final = int(np.iinfo(np.int64).min)
"""A missing date before it is turned into a day."""

DAY_IN_SECONDS: Final = 86_400

MISSING_START, END_BEFORE_START, MISSING_AMOUNT, AMOUNT_OUT_OF_RANGE, UNKNOWN_CODE, UNKNOWN_PERSON = range(6)
N_FAULTS: Final = 6

Records = npt.NDArray[Any]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@kernel
def hash_people(ids: npt.NDArray[np.int64], bits: int, slots: npt.NDArray[np.int32]) -> int:
    """Fill a table of 2**bits slots (-1 is free) with positions of `ids`; return how many ids come again."""
    mask = len(slots) - 1
    shift = np.uint64(64 - bits)
    again = 0
    for i in range(len(ids)):
        slot = np.int64((np.uint64(ids[i]) * _GOLDEN) >> shift)
        while slots[slot] >= 0 and ids[slots[slot]] != ids[i]:
            slot = (slot + 1) & mask
        if slots[slot] >= 0:
            again += 1
        else:
            slots[slot] = i
    return again


@kernel
def find_people(
    ids: npt.NDArray[np.int64],
    bits: int,
    slots: npt.NDArray[np.int32],
    wanted: npt.NDArray[np.int64],
    position: npt.NDArray[np.int32],
) -> None:
    """Write the position in `ids` of each wanted id, -1 where it is unknown."""
    mask = len(slots) - 1
    shift = np.uint64(64 - bits)
    for row in range(len(wanted)):
        if row > 0 and wanted[row] == wanted[row - 1]:
            position[row] = position[row - 1]
            continue
        slot = np.int64((np.uint64(wanted[row]) * _GOLDEN) >> shift)
        while slots[slot] >= 0 and ids[slots[slot]] != wanted[row]:
            slot = (slot + 1) & mask
        position[row] = slots[slot]


@kernel
def code_pointers(
    pointers: npt.NDArray[np.uint64],
    keys: npt.NDArray[np.uint64],
    first: npt.NDArray[np.int64],
    code: npt.NDArray[np.int16],
) -> int:
    """Give equal pointers one number, in order of appearance; return how many there are, -1 if the table is full.

    `keys` (zeros) is a table whose size is a power of two; `first` takes the first row of each number.
    """
    mask = np.uint64(len(keys) - 1)
    numbers = np.zeros(len(keys), np.int16)
    n = 0
    for row in range(len(pointers)):
        pointer = pointers[row]
        slot = (pointer >> np.uint64(4)) & mask
        while keys[slot] != pointer and keys[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        if keys[slot] == 0:
            if 2 * n >= len(keys):
                return -1
            keys[slot] = pointer
            numbers[slot] = n
            first[n] = row
            n += 1
        code[row] = numbers[slot]
    return n


@kernel
def to_day(tick: int, ticks_per_day: int) -> int:
    """Return the day of a time in ticks since 1970, NO_TICK of a missing one; a constant divides faster."""
    if tick == NO_TICK:
        return tick
    if ticks_per_day == DAY_IN_SECONDS:
        return tick // DAY_IN_SECONDS
    return tick // ticks_per_day


@kernel
def count_blocks(
    person: npt.NDArray[np.int32],
    chosen: npt.NDArray[np.int32],
    shift: int,
    count: npt.NDArray[np.int64],
) -> None:
    """Add to `count` the rows of each block of 2**shift people; `chosen` maps persons to the timeline or to -1."""
    for row in range(len(person)):
        if person[row] >= 0 and chosen[person[row]] >= 0:
            count[chosen[person[row]] >> shift] += 1


@kernel
def find_fault(person: int, code: int, start: int, end: int, amount: float, most: float) -> int:
    """Return the number of the first fault of a spell in whole days, or -1."""
    fault = -1
    if person < 0:
        fault = UNKNOWN_PERSON
    elif code < 0:
        fault = UNKNOWN_CODE
    elif start == NO_TICK:
        fault = MISSING_START
    elif end != NO_TICK and end < start:
        fault = END_BEFORE_START
    elif np.isnan(amount):
        fault = MISSING_AMOUNT
    elif not 0.0 <= amount <= most:
        fault = AMOUNT_OUT_OF_RANGE
    return fault


@kernel
def scatter(
    person: npt.NDArray[np.int32],
    chosen: npt.NDArray[np.int32],
    shift: int,
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    ticks_per_day: int,
    code: npt.NDArray[np.int8],
    amount: npt.NDArray[np.float64],
    most: float,
    free: npt.NDArray[np.int64],
    records: Records,
    faults: npt.NDArray[np.int64],
) -> None:
    """Write each row of a chosen person as a record of its block, from `free` on, and mark what is wrong.

    `faults` (N_FAULTS, 2) takes how many rows have a fault and the first of them, counted from 0.
    """
    inside = (1 << shift) - 1
    for row in range(len(person)):
        start_day = to_day(start[row], ticks_per_day)
        end_day = to_day(end[row], ticks_per_day)
        fault = find_fault(person[row], code[row], start_day, end_day, amount[row], most)
        if fault >= 0:
            if faults[fault, 0] == 0:
                faults[fault, 1] = row
            faults[fault, 0] += 1
            continue
        i = chosen[person[row]]
        if i < 0:
            continue
        record = records[free[i >> shift]]
        free[i >> shift] += 1
        record.start = start_day
        record.stop = FAR if end_day == NO_TICK else min(end_day, FAR - 1) + 1
        record.grade = amount[row]
        record.person = i & inside
        record.benefit = code[row]


@kernel
def sort_by_person(block: Records, offset: npt.NDArray[np.int64], records: Records) -> None:
    """Write one block's records in order of person; those of person i are `offset[i]` to `offset[i + 1] - 1`."""
    offset[:] = 0
    for row in range(len(block)):
        offset[block[row].person + 1] += 1
    for i in range(1, len(offset)):
        offset[i] += offset[i - 1]
    for row in range(len(block) - 1, -1, -1):
        i = block[row].person + 1
        offset[i] -= 1
        records[offset[i]] = block[row]
    for i in range(1, len(offset) - 1):
        offset[i] = offset[i + 1]
    offset[len(offset) - 1] = len(block)
