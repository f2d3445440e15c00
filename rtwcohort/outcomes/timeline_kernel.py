"""The sweep that turns spells into states, one block of people at a time.

For each person the spells are taken in order of start and swept once with a short list of those that
run; every change gives an event "from this day on, this content". Events of benefits and of positions
are then merged into rows.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel
from rtwcohort.outcomes.timeline_group_kernel import FAR, SPELL, Records, sort_by_person

EVENT: Final = np.dtype([("day", "i4"), ("grade", "f4"), ("present", "u2"), ("state", "i1"), ("pad", "i1")])
"""From `day` on: combined grade, benefits paid, state."""

DEAD: Final = 100
EMIGRATED: Final = 101


class Options(NamedTuple):
    """What a sweep does.

    Attributes
    ----------
    gap
        Stretches of at most so many days with nothing between two spells keep the content before them.
    add
        Grades of the same benefit add up; otherwise the highest counts.
    priority
        int8, shape (benefits,): the benefit's rank in the upper and its number + 1 in the lower four bits.
    counted
        Bit b is set when the grade of benefit b counts.
    """

    gap: int
    add: bool
    priority: npt.NDArray[np.int8]
    counted: int


class Rows(NamedTuple):
    """The columns of a timeline, shape (m,), in the order in which `sweep_blocks` takes them."""

    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    state: npt.NDArray[np.int8]
    present: npt.NDArray[np.uint16]
    grade: npt.NDArray[np.float32]
    work_share: npt.NDArray[np.float32]


@kernel
def most_records(offset: npt.NDArray[np.int64]) -> int:
    """Return the largest number of records of one person."""
    most = 0
    for i in range(len(offset) - 1):
        most = max(most, offset[i + 1] - offset[i])
    return most


@kernel
def order_by_start(spells: Records, low: int, high: int, key: npt.NDArray[np.int64]) -> None:
    """Fill `key` with start << 32 | row of rows `low` to `high` - 1, counted from `low`, in rising order.

    Insertion sort, in Shell's steps when there are many.
    """
    n = high - low
    for k in range(n):
        key[k] = (np.int64(spells[low + k].start) << 32) | k
    step = 1
    while step < n // 16:
        step = 3 * step + 1
    while step > 0:
        for k in range(step, n):
            moving = key[k]
            j = k
            while j >= step and key[j - step] > moving:
                key[j] = key[j - step]
                j -= step
            key[j] = moving
        step //= 3


@kernel
def take_stock(
    stop_of: npt.NDArray[np.int64],
    grade_of: npt.NDArray[np.float64],
    benefit_of: npt.NDArray[np.int64],
    n_running: int,
    day: int,
    add: bool,
    priority: npt.NDArray[np.int8],
    counted: int,
    level: npt.NDArray[np.float64],
) -> tuple[int, int, float, int, int]:
    """Drop the spells that stop by `day`; return how many run on, the first stop, grade, benefits and state.

    Sums are of float32 grades in float64, so they are exact and do not depend on the order of spells.
    `level`, shape (16,), is zeros before and after.
    """
    kept = 0
    first_stop = FAR
    total = 0.0
    present = 0
    best = np.int64(127)
    for r in range(n_running):
        stop = stop_of[r]
        if stop <= day:
            continue
        first_stop = min(first_stop, stop)
        grade = grade_of[r]
        b = benefit_of[r]
        if counted >> b & 1:
            if add:
                total += grade
            elif grade > level[b]:
                total += grade - level[b]
                level[b] = grade
        present |= 1 << b
        best = min(best, np.int64(priority[b]))
        stop_of[kept] = stop
        grade_of[kept] = grade
        benefit_of[kept] = b
        kept += 1
    if not add:
        for r in range(kept):
            level[benefit_of[r]] = 0.0
    state = best & 15 if kept > 0 else 0
    return kept, first_stop, np.float32(min(100.0, total)), present, state  # type: ignore[return-value]


@kernel
def put_event(events: Records, first: int, n: int, day: int, grade: float, present: int, state: int) -> int:
    """Write event `n` of a person whose events begin at `first` unless it changes nothing; return the next number."""
    if n == first and state == 0:
        return n
    if n > first:
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
def event_room(offset: npt.NDArray[np.int64], i: int) -> int:
    """Return where the events of person i begin: 2 a spell and 3 for the last end, emigration and death."""
    return 2 * offset[i] + 3 * i  # type: ignore[no-any-return]


@kernel
def sweep_people(
    spells: Records,
    offset: npt.NDArray[np.int64],
    limit: npt.NDArray[np.int32],
    gap: int,
    add: bool,
    priority: npt.NDArray[np.int8],
    counted: int,
    events: Records,
    n_events: npt.NDArray[np.int64],
) -> None:
    """Sweep each person's spells, cut at `limit`; the events begin at `event_room` and `n_events` counts them.

    Before a person's first event there is nothing. One call sweeps a block, and arrays are passed one by one,
    because handing over arrays, and more so tuples of them, costs as much as the sweep of a person.
    """
    room = most_records(offset)
    key = np.empty(room, np.int64)
    stop_of = np.empty(room, np.int64)
    grade_of = np.empty(room, np.float64)
    benefit_of = np.empty(room, np.int64)
    level = np.zeros(16, np.float64)
    for i in range(len(limit)):
        order_by_start(spells, offset[i], offset[i + 1], key)
        n_spells = offset[i + 1] - offset[i]
        first = event_room(offset, i)
        n = first
        n_running = 0
        following = 0
        start = key[0] >> 32 if n_spells > 0 else np.int64(FAR)
        day = int(start)
        while day < limit[i]:
            while start <= day:
                spell = spells[offset[i] + (key[following] & 0xFFFFFFFF)]
                stop_of[n_running] = spell.stop
                grade_of[n_running] = spell.grade
                benefit_of[n_running] = spell.benefit
                n_running += 1
                following += 1
                start = key[following] >> 32 if following < n_spells else np.int64(FAR)
            n_running, stop, grade, present, state = take_stock(
                stop_of, grade_of, benefit_of, n_running, day, add, priority, counted, level
            )
            n = put_event(events, first, n, day, grade, present, state)
            if n_running == 0 and start < limit[i] and start - day <= gap:
                n -= 1
            day = min(stop, int(start))
        if n_running > 0:
            n = put_event(events, first, n, limit[i], 0.0, 0, 0)
        n_events[i] = n - first


@kernel
def put_leaving(events: Records, first: int, n: int, death: int, emigration: int) -> int:
    """Append emigration and death, which end everything before them; return the events of the person."""
    n += first
    if emigration < death:
        n = put_event(events, first, n, emigration, 0.0, 0, EMIGRATED)
    if death < FAR:
        n = put_event(events, first, n, death, 0.0, 0, DEAD)
    return n - first


@kernel
def share_of_work(state: int, grade: float, position: float) -> float:
    """Return (100 - grade) x position / 100, and 0 for who died or emigrated."""
    if state >= DEAD:
        return np.float32(0.0)  # type: ignore[return-value]
    if position == 100.0:
        return np.float32(100.0 - grade)  # type: ignore[return-value]
    return np.float32((100.0 - grade) * position / 100.0)  # type: ignore[return-value]


@kernel
def write_rows(
    events: Records,
    i: int,
    after_events: int,
    positions: Records,
    j: int,
    after_positions: int,
    position: float,
    from_day: int,
    to_day: int,
    at: int,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    state: npt.NDArray[np.int8],
    present: npt.NDArray[np.uint16],
    grade: npt.NDArray[np.float32],
    work_share: npt.NDArray[np.float32],
) -> int:
    """Merge one person's events from `i` on and positions from `j` on into rows over [from_day, to_day).

    `position` holds before the first of `positions`. Rows are written from `at` on; returns the row after.
    """
    now_state = 0
    now_present = 0
    now_grade = np.float32(0.0)
    share = share_of_work(DEAD, 0.0, 0.0)
    row = at - 1
    day = np.int64(from_day)
    while day < to_day:
        changed = row < at
        while i < after_events and events[i].day <= day:
            now_state = events[i].state
            now_present = events[i].present
            now_grade = events[i].grade
            changed = True
            i += 1
        while j < after_positions and positions[j].day <= day:
            position = np.float64(positions[j].grade)
            j += 1
        share_before = share
        share = share_of_work(now_state, np.float64(now_grade), position)
        if changed or share != share_before:
            if row >= at:
                end[row] = day
            row += 1
            start[row] = day
            state[row] = now_state
            present[row] = now_present
            grade[row] = now_grade
            work_share[row] = share
        day = np.int64(to_day)
        if i < after_events:
            day = np.int64(events[i].day)
        if j < after_positions:
            day = min(day, np.int64(positions[j].day))
    end[row] = to_day
    return row + 1


@kernel
def largest(edge: npt.NDArray[np.int64], low: int, high: int) -> int:
    """Return the most records of one block of `low` to `high` - 1."""
    most = 0
    for block in range(low, high):
        most = max(most, edge[block + 1] - edge[block])
    return most


@kernel
def sweep_blocks(
    low: int,
    high: int,
    shift: int,
    spells: Records,
    spell_edge: npt.NDArray[np.int64],
    jobs: Records,
    job_edge: npt.NDArray[np.int64],
    with_jobs: bool,
    window: npt.NDArray[np.int32],
    leaving: npt.NDArray[np.int32],
    data_stop: int,
    options: Options,
    n_rows: npt.NDArray[np.int64],
    at: int,
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    state: npt.NDArray[np.int8],
    present: npt.NDArray[np.uint16],
    grade: npt.NDArray[np.float32],
    work_share: npt.NDArray[np.float32],
) -> int:
    """Write the rows of blocks `low` to `high` - 1 of 2**shift people from row `at` on; return the row after.

    `window` (n, 2) is first day and day after the last; `leaving` (n, 2) is death and emigration, FAR
    where there is none; nothing is known from `data_stop` on. `n_rows` (n,) takes the rows of each person, at
    most 2 spells + 2 jobs + 3.
    """
    gap, add, priority, counted = options
    job_priority = np.ones(1, np.int8)
    before_jobs = 0.0 if with_jobs else 100.0
    size = 1 << shift
    my_spells = np.empty(largest(spell_edge, low, high), SPELL)
    my_jobs = np.empty(largest(job_edge, low, high), SPELL)
    events = np.empty(2 * len(my_spells) + 3 * size, EVENT)
    positions = np.empty(2 * len(my_jobs) + 3 * size, EVENT)
    n_events = np.zeros(size, np.int64)
    n_positions = np.zeros(size, np.int64)
    limit = np.empty(size, np.int32)
    spell_offset = np.zeros(size + 1, np.int64)
    job_offset = np.zeros(size + 1, np.int64)
    for block in range(low, high):
        first = block << shift
        n_people = min(size, len(window) - first)
        sort_by_person(spells[spell_edge[block] : spell_edge[block + 1]], spell_offset, my_spells)
        for i in range(n_people):
            limit[i] = min(leaving[first + i, 0], leaving[first + i, 1], data_stop)
        sweep_people(my_spells, spell_offset, limit[:n_people], gap, add, priority, counted, events, n_events)
        if with_jobs:
            sort_by_person(jobs[job_edge[block] : job_edge[block + 1]], job_offset, my_jobs)
            limit[:] = data_stop
            sweep_people(my_jobs, job_offset, limit[:n_people], 0, True, job_priority, 1, positions, n_positions)
        for i in range(n_people):
            person = first + i
            e, p = event_room(spell_offset, i), event_room(job_offset, i)
            after_e = e + put_leaving(events, e, n_events[i], leaving[person, 0], leaving[person, 1])
            after = write_rows(
                events,
                e,
                after_e,
                positions,
                p,
                p + n_positions[i],
                before_jobs,
                window[person, 0],
                window[person, 1],
                at,
                start,
                end,
                state,
                present,
                grade,
                work_share,
            )
            n_rows[person] = after - at
            at = after
    return at
