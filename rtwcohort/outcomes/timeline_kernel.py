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

SPELL: Final = np.dtype([("start", "i4"), ("stop", "i4"), ("grade", "f4"), ("benefit", "i4")])
"""One spell: half-open days, percent, benefit number."""

EVENT: Final = np.dtype([("day", "i4"), ("grade", "f4"), ("present", "u2"), ("state", "i1"), ("pad", "i1")])
"""From `day` on: combined grade, benefits paid, state."""

DEAD: Final = 100
EMIGRATED: Final = 101
FAR: Final = int(np.iinfo(np.int32).max)
"""Later than every real day: the end of a spell that is still open, the death of who lives."""

Records = npt.NDArray[Any]


@kernel
def group_spells(
    person: npt.NDArray[np.int64],
    start: npt.NDArray[np.int32],
    stop: npt.NDArray[np.int32],
    benefit: npt.NDArray[np.int8],
    grade: npt.NDArray[np.float64],
    offset: npt.NDArray[np.int64],
    records: Records,
) -> None:
    """Sort by person, counting: fill `offset` (n + 1,) and `records`; rows with person < 0 are left out."""
    for row in range(len(person)):
        if person[row] >= 0:
            offset[person[row] + 1] += 1
    for i in range(1, len(offset)):
        offset[i] += offset[i - 1]
    free = offset[:-1].copy()
    for row in range(len(person)):
        i = person[row]
        if i >= 0:
            record = records[free[i]]
            record.start = start[row]
            record.stop = stop[row]
            record.grade = grade[row]
            record.benefit = benefit[row]
            free[i] += 1


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
def combine(
    records: Records,
    running: npt.NDArray[np.int64],
    n_running: int,
    add: bool,
    rank: npt.NDArray[np.int8],
    counted: int,
    level: npt.NDArray[np.float64],
) -> tuple[float, int, int]:
    """Return the combined grade, the benefits present and the state while `running` records run.

    Sums are of float32 grades in float64, so they are exact and do not depend on the order of spells.
    """
    present = 0
    state = 0
    best = 127
    for r in range(n_running):
        spell = records[running[r]]
        b = spell.benefit
        bit = 1 << b
        if add and present & bit:
            level[b] += spell.grade
        elif not present & bit or spell.grade > level[b]:
            level[b] = spell.grade
        present |= bit
        if rank[b] < best:
            best = rank[b]
            state = b + 1
    total = 0.0
    for b in range(len(rank)):
        if (present & counted) >> b & 1:
            total += level[b]
    return float(np.float32(min(100.0, total))), present, state


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
def next_change(records: Records, running: npt.NDArray[np.int64], n_running: int, following: int) -> int:
    """Return the first day on which a running record stops or the following record starts."""
    day = FAR
    if following < len(records):
        day = records[following].start
    for r in range(n_running):
        day = min(day, records[running[r]].stop)
    return day


@kernel
def drop_stopped(records: Records, running: npt.NDArray[np.int64], n_running: int, day: int) -> int:
    """Take the records that stop by `day` off the list; return how many are left."""
    kept = 0
    for r in range(n_running):
        if records[running[r]].stop > day:
            running[kept] = running[r]
            kept += 1
    return kept


@kernel
def sweep(
    records: Records,
    limit: int,
    gap: int,
    add: bool,
    rank: npt.NDArray[np.int8],
    counted: int,
    level: npt.NDArray[np.float64],
    running: npt.NDArray[np.int64],
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
    while n_running > 0 or following < len(records):
        day = next_change(records, running, n_running, following)
        if day >= limit:
            break
        if n_running == 0 and n > 0 and day - events[n - 1].day <= gap:
            n -= 1
        n_running = drop_stopped(records, running, n_running, day)
        while following < len(records) and records[following].start <= day:
            running[n_running] = following
            n_running += 1
            following += 1
        grade, present, state = combine(records, running, n_running, add, rank, counted, level)
        n = put_event(events, n, day, grade, present, state)
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
    i = 0
    j = 0
    row = at - 1
    day = first
    while day < last:
        while i < n_events and events[i].day <= day:
            now_state = events[i].state
            now_present = events[i].present
            now_grade = events[i].grade
            i += 1
        while j < n_positions and positions[j].day <= day:
            position = positions[j].grade
            j += 1
        share = np.float32(0.0 if now_state >= DEAD else (100.0 - now_grade) * position / 100.0)
        if (
            row < at
            or state[row] != now_state
            or present[row] != now_present
            or grade[row] != now_grade
            or work_share[row] != share
        ):
            if row >= at:
                end[row] = day
            row += 1
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
def most_records(offset: npt.NDArray[np.int64], low: int, high: int) -> int:
    """Return the largest number of records of one person from `low` to `high` - 1."""
    most = 0
    for i in range(low, high):
        most = max(most, offset[i + 1] - offset[i])
    return most


@kernel
def sweep_people(
    low: int,
    high: int,
    spells: Records,
    spell_offset: npt.NDArray[np.int64],
    jobs: Records,
    job_offset: npt.NDArray[np.int64],
    with_jobs: bool,
    window: npt.NDArray[np.int32],
    leaving: npt.NDArray[np.int32],
    data_stop: int,
    gap: int,
    add: bool,
    rank: npt.NDArray[np.int8],
    counted: int,
    n_rows: npt.NDArray[np.int64],
    at: int,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    state: npt.NDArray[np.int8],
    present: npt.NDArray[np.uint16],
    grade: npt.NDArray[np.float32],
    work_share: npt.NDArray[np.float32],
) -> int:
    """Write the rows of people `low` to `high` - 1 from row `at` on; return the row after the last.

    `window` (n, 2) is first day and day after the last; `leaving` (n, 2) is death and emigration, FAR
    where there is none. A person takes at most 2 spells + 2 jobs + 3 rows.
    """
    room = max(most_records(spell_offset, low, high), most_records(job_offset, low, high))
    running = np.empty(room, np.int64)
    level = np.zeros(16, np.float64)
    events = np.empty(2 * room + 4, EVENT)
    positions = np.empty(2 * room + 4, EVENT)
    job_rank = np.zeros(1, np.int8)
    for i in range(low, high):
        death, emigration = leaving[i, 0], leaving[i, 1]
        limit = min(death, emigration, data_stop)
        mine = spells[spell_offset[i] : spell_offset[i + 1]]
        n = sweep(mine, limit, gap, add, rank, counted, level, running, events)
        n = put_leaving(events, n, death, emigration)
        n_positions = 0
        if with_jobs:
            work = jobs[job_offset[i] : job_offset[i + 1]]
            n_positions = sweep(work, data_stop, 0, True, job_rank, 1, level, running, positions)
        after = write_rows(
            events,
            n,
            positions,
            n_positions,
            with_jobs,
            window[i, 0],
            window[i, 1],
            at,
            start,
            end,
            state,
            present,
            grade,
            work_share,
        )
        n_rows[i] = after - at
        at = after
    return at
