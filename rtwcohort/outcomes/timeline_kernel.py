"""The sweep that turns spells into states: arrays of whole days, people in blocks.

Spells become records of 16 bytes grouped by person. For each person the records are put in order of
start and swept once with a short list of the spells that run; every change gives an event "from this
day on, this content". Events of benefits and of positions are then merged into rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel
from rtwcohort.outcomes.timeline_group_kernel import FAR, SPELL, sort_by_person

EVENT: Final = np.dtype([("day", "i4"), ("grade", "f4"), ("present", "u2"), ("state", "i1"), ("pad", "i1")])
"""From `day` on: combined grade, benefits paid, state."""

DEAD: Final = 100
EMIGRATED: Final = 101
Records = npt.NDArray[Any]


@kernel
def order_by_start(records: Records) -> None:
    """Order one person's records by start: insertion sort, in Shell's steps when there are many."""
    n = len(records)
    step = 1
    while step < n // 16:
        step = 3 * step + 1
    while step > 0:
        for i in range(step, n):
            start = records[i].start
            if records[i - step].start <= start:
                continue
            stop, grade, benefit = records[i].stop, records[i].grade, records[i].benefit
            j = i
            while j >= step and records[j - step].start > start:
                records[j] = records[j - step]
                j -= step
            records[j].start = start
            records[j].stop = stop
            records[j].grade = grade
            records[j].benefit = benefit
        step //= 3


@kernel
def take_stock(
    running: Records,
    n_running: int,
    day: int,
    add: bool,
    priority: npt.NDArray[np.int8],
    counted: int,
    level: npt.NDArray[np.float64],
) -> tuple[int, int, float, int, int]:
    """Drop the records that stop by `day`; return how many run on, the first stop, grade, benefits and state.

    Sums are of float32 grades in float64, so they are exact and do not depend on the order of spells.
    `priority[b]` is the rank of benefit b in its upper and b + 1 in its lower four bits; `level` is zeros.
    """
    kept = 0
    stop = FAR
    total = 0.0
    present = 0
    best = 127
    for r in range(n_running):
        spell = running[r]
        if spell.stop <= day:
            continue
        stop = min(stop, spell.stop)
        b = spell.benefit
        if counted >> b & 1:
            grade = np.float64(spell.grade)
            if add:
                total += grade
            elif grade > level[b]:
                total += grade - level[b]
                level[b] = grade
        present |= 1 << b
        best = min(best, priority[b])
        if kept < r:
            running[kept] = spell
        kept += 1
    for r in range(kept):
        level[running[r].benefit] = 0.0
    state = best & 15 if kept > 0 else 0
    return kept, stop, np.float32(min(100.0, total)), present, state


@kernel
def put_event(events: Records, n: int, day: int, grade: float, present: int, state: int) -> int:
    """Append an event unless it changes nothing; return the number of events."""
    if n == 0 and state == 0:
        return n
    if n > 0:
        last = events[n - 1]
        if last.state == state and last.present == present and last.grade == grade:
            return n
    event = events[n]
    event.day = day
    event.grade = grade
    event.present = present
    event.state = state
    return n + 1


@kernel
def sweep(
    records: Records,
    limit: int,
    gap: int,
    add: bool,
    priority: npt.NDArray[np.int8],
    counted: int,
    level: npt.NDArray[np.float64],
    running: Records,
    events: Records,
) -> int:
    """Sweep one person's records, cut at `limit`; return the number of events written.

    Before the first event there is nothing. A stretch of at most `gap` days with nothing between two
    records keeps the content before it. `running` holds len(records), `events` 2 len(records) + 2.
    """
    order_by_start(records)
    n = 0
    n_running = 0
    following = 0
    start = FAR if len(records) == 0 else records[0].start
    day = start
    while day < limit:
        while start <= day:
            running[n_running] = records[following]
            n_running += 1
            following += 1
            start = records[following].start if following < len(records) else FAR
        n_running, stop, grade, present, state = take_stock(running, n_running, day, add, priority, counted, level)
        n = put_event(events, n, day, grade, present, state)
        if n_running == 0 and start < limit and start - day <= gap:
            n -= 1
        day = min(stop, start)
    if n_running > 0:
        n = put_event(events, n, limit, 0.0, 0, 0)
    return n


@kernel
def put_leaving(events: Records, n: int, death: int, emigration: int) -> int:
    """Append emigration and death, which end everything before them."""
    if emigration < death:
        n = put_event(events, n, emigration, 0.0, 0, EMIGRATED)
    if death < FAR:
        n = put_event(events, n, death, 0.0, 0, DEAD)
    return n


@kernel
def write_rows(
    events: Records,
    n_events: int,
    positions: Records,
    n_positions: int,
    with_positions: bool,
    first: int,
    last: int,
    at: int,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    state: npt.NDArray[np.int8],
    present: npt.NDArray[np.uint16],
    grade: npt.NDArray[np.float32],
    work_share: npt.NDArray[np.float32],
) -> int:
    """Merge one person's two event lists into rows over [first, last) from row `at` on; return the row after."""
    position = 0.0 if with_positions else 100.0
    now_state = 0
    now_present = 0
    now_grade = np.float32(0.0)
    now_share = np.float32(-1.0)
    i = 0
    j = 0
    row = at - 1
    day = first
    while day < last:
        same = row >= at
        while i < n_events and events[i].day <= day:
            now_state = events[i].state
            now_present = events[i].present
            now_grade = events[i].grade
            same = False
            i += 1
        while j < n_positions and positions[j].day <= day:
            position = positions[j].grade
            j += 1
        share = np.float32(100.0 - now_grade)
        if now_state >= DEAD:
            share = np.float32(0.0)
        elif position != 100.0:
            share = np.float32((100.0 - now_grade) * position / 100.0)
        if not same or share != now_share:
            if row >= at:
                end[row] = day
            row += 1
            now_share = share
            start[row] = day
            state[row] = now_state
            present[row] = now_present
            grade[row] = now_grade
            work_share[row] = share
        day = last
        if i < n_events:
            day = events[i].day
        if j < n_positions:
            day = min(day, positions[j].day)
    end[row] = last
    return row + 1


@kernel
def most_records(offset: npt.NDArray[np.int64]) -> int:
    """Return the largest number of records of one person."""
    most = 0
    for i in range(len(offset) - 1):
        most = max(most, offset[i + 1] - offset[i])
    return most


@kernel
def sweep_block(
    spell_block: Records,
    job_block: Records,
    with_jobs: bool,
    window: npt.NDArray[np.int32],
    leaving: npt.NDArray[np.int32],
    data_stop: int,
    gap: int,
    add: bool,
    priority: npt.NDArray[np.int8],
    counted: int,
    n_rows: npt.NDArray[np.int64],
) -> tuple[Any, ...]:
    """Return the rows of one block of people as start, end, state, present, grade and work share.

    `window` (n, 2) is first day and day after the last; `leaving` (n, 2) is death and emigration, FAR
    where there is none; `n_rows` (n,) takes the rows of each person, at most 2 spells + 2 jobs + 3.
    """
    n_people = len(window)
    spells = np.empty(len(spell_block), SPELL)
    jobs = np.empty(len(job_block), SPELL)
    spell_offset = np.zeros(n_people + 1, np.int64)
    job_offset = np.zeros(n_people + 1, np.int64)
    sort_by_person(spell_block, spell_offset, spells)
    sort_by_person(job_block, job_offset, jobs)
    room = max(most_records(spell_offset), most_records(job_offset))
    running = np.empty(room, SPELL)
    level = np.zeros(16, np.float64)
    events = np.empty(2 * room + 4, EVENT)
    positions = np.empty(2 * room + 4, EVENT)
    job_priority = np.ones(1, np.int8)
    most = 2 * len(spells) + 2 * len(jobs) + 3 * n_people
    start = np.empty(most, np.int32)
    end = np.empty(most, np.int32)
    state = np.empty(most, np.int8)
    present = np.empty(most, np.uint16)
    grade = np.empty(most, np.float32)
    work_share = np.empty(most, np.float32)
    at = 0
    for i in range(n_people):
        death, emigration = leaving[i, 0], leaving[i, 1]
        limit = min(death, emigration, data_stop)
        mine = spells[spell_offset[i] : spell_offset[i + 1]]
        n = sweep(mine, limit, gap, add, priority, counted, level, running, events)
        n = put_leaving(events, n, death, emigration)
        n_positions = 0
        if with_jobs:
            work = jobs[job_offset[i] : job_offset[i + 1]]
            n_positions = sweep(work, data_stop, 0, True, job_priority, 1, level, running, positions)
        first, last = window[i, 0], window[i, 1]
        after = write_rows(
            events, n, positions, n_positions, with_jobs, first, last, at, start, end, state, present, grade, work_share
        )
        n_rows[i] = after - at
        at = after
    return start[:at], end[:at], state[:at], present[:at], grade[:at], work_share[:at]
