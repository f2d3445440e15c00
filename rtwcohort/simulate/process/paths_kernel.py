"""The event loop: one person at a time from spell to spell, one unit exponential spent across all breakpoints.

Within a day every hazard is constant, so the time to the next move has an exact piecewise-constant hazard: the
exponential is spent on (total rate x days) from one change of any rate to the next, and the move that ends it is
chosen in proportion to the rates. Moves in (d - 1, d] put the person in the new state on day d.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rtwcohort.core.jit import kernel
from rtwcohort.simulate.draws_kernel import exponential_at, uniform_at
from rtwcohort.simulate.process.borrow_kernel import borrowed
from rtwcohort.simulate.process.entitlement_kernel import (
    LEDGER,
    NEVER,
    begin_absence,
    clear,
    end_absence,
    remember,
)
from rtwcohort.simulate.process.hazard_kernel import GROUP, TO, rate_of, ratios_at, with_earlier

SICK_FULL, SICK_GRADED, RETIRED, DEAD = 1, 2, 8, 10
TOO_MANY, NO_RIGHTS = 1, 2
"""Faults of a person: more spells than allowed; entitlement used up before the start."""
BY_START, BY_CHANCE, USED_UP, BY_AGE = range(4)
"""How a spell began: `paths.CAUSES`."""


class Keys(NamedTuple):
    """Keys of the draws."""

    time: np.uint64
    to: np.uint64
    grade: np.uint64
    forced: np.uint64


class Choices(NamedTuple):
    """Cumulative shares: grades by state, destinations after the last paid day below and above `retire_from` days."""

    grade_first: Any
    grade: Any
    grade_share: Any
    after: Any
    after_young: Any
    after_old: Any
    retire_from: float


class Lives(NamedTuple):
    """The people of a block, arrays of shape (n,)."""

    person: Any
    start: Any
    state: Any
    end: Any
    birth: Any
    index: Any
    before: Any
    grade: Any
    retire: Any
    earlier: Any
    paid: Any
    last_paid: Any


class Space(NamedTuple):
    """Work space of one person."""

    rate: Any
    until: Any
    zero: Any
    logs: Any
    lasting: Any
    ratios: Any
    ratios_until: Any
    ledger: Any
    blocks: Any
    spells: Any


def work_space(moves: int, groups: int, blocks: int, spells: int) -> Space:
    """Return empty work space."""
    return Space(
        rate=np.zeros(moves),
        until=np.zeros(moves, dtype=np.int64),
        zero=np.zeros(3, dtype=np.int64),
        logs=np.zeros(groups),
        lasting=np.zeros(groups),
        ratios=np.zeros(groups),
        ratios_until=np.zeros(1, dtype=np.int64),
        ledger=np.zeros(LEDGER, dtype=np.int64),
        blocks=np.zeros((blocks, 2), dtype=np.int64),
        spells=np.zeros((spells, 4), dtype=np.int64),
    )


@kernel
def is_sick(state: int) -> bool:
    """Tell whether a state belongs to an absence."""
    return state in (SICK_FULL, SICK_GRADED)


@kernel
def family_of(state: int) -> int:
    """Return the first state of the family."""
    return state - 1 if state in (2, 4, 6) else state


@kernel
def pick(shares: Any, first: int, end: int, u: float) -> int:
    """Return the position in [first, end) of cumulative shares that u, from 0 to 1, falls on."""
    point = u * shares[end - 1]
    k = first
    while k < end - 1 and shares[k] <= point:
        k += 1
    return k


@kernel
def draw_grade(state: int, now: int, choices: Any, u: float) -> int:
    """Draw the grade of a state, other than the present one where there is another; 0 for states without."""
    first, end = choices.grade_first[state], choices.grade_first[state + 1]
    if end == first:
        return 0
    total = 0.0
    for k in range(first, end):
        if choices.grade[k] != now or end - first == 1:
            total += choices.grade_share[k]
    point = u * total
    chosen = now
    for k in range(first, end):
        if choices.grade[k] != now or end - first == 1:
            chosen = choices.grade[k]
            point -= choices.grade_share[k]
            if point < 0.0:
                break
    return chosen


@kernel
def next_move(
    day: int,
    bound: int,
    wait: float,
    u: float,
    state: int,
    run_out: int,
    birth: int,
    index: int,
    earlier: int,
    own: Any,
    arm_log_hr: Any,
    moves: Any,
    varying: Any,
    calendar: Any,
    space: Any,
) -> tuple[int, int]:
    """Return the day of the next move by chance and its number, or `bound` and -1 when none comes by then."""
    first, end = moves.first[state], moves.first[state + 1]
    table, begin, value, season = moves.table, moves.begin, moves.value, moves.season
    first_day, days = calendar.first, calendar.days
    rate, until, zero, ratios = space.rate, space.until, space.zero, space.ratios
    until[first:end] = day
    with_earlier(earlier, varying, space.lasting, ratios)
    while day < bound:
        if space.ratios_until[0] <= day:
            space.ratios_until[0] = ratios_at(day, index, birth, own, arm_log_hr, varying, space.logs, space.lasting)
            with_earlier(earlier, varying, space.lasting, ratios)
        total = 0.0
        change = min(bound, space.ratios_until[0])
        for j in range(first, end):
            if until[j] <= day:
                rate[j], until[j] = rate_of(j, day, zero, run_out, birth, table, begin, value, season, first_day, days)
            total += rate[j] * ratios[table[j, GROUP]]
            change = min(change, until[j])
        spent = total * (change - day)
        if wait <= spent and total > 0.0:
            took = max(int(np.ceil(wait / total)), 1)
            return min(day + took, change), chosen_move(first, end, u * total, table, rate, ratios)
        wait -= spent
        day = change
    return bound, -1


@kernel
def chosen_move(first: int, end: int, point: float, table: Any, rate: Any, ratios: Any) -> int:
    """Return the move in [first, end) on whose part of the total rate `point` falls."""
    chosen = -1
    for j in range(first, end):
        part = rate[j] * ratios[table[j, GROUP]]
        if part > 0.0:
            chosen = j
            point -= part
            if point < 0.0:
                break
    return chosen


@kernel
def forced_state(day: int, birth: int, retire: int, choices: Any, u: float) -> int:
    """Return where a person goes who must leave: into retirement, or on from sickness benefit."""
    if day >= retire:
        return RETIRED
    old = day - birth >= choices.retire_from
    shares = choices.after_old if old else choices.after_young
    return int(choices.after[pick(shares, 0, len(shares), u)])


@kernel
def walk(
    i: int,
    rules: Any,
    keys: Any,
    lives: Any,
    own: Any,
    arm_log_hr: Any,
    moves: Any,
    varying: Any,
    choices: Any,
    calendar: Any,
    space: Any,
) -> int:
    """Walk person i to the end: fill rows (state, start, grade, cause); return their number, or minus the fault."""
    person, birth, end, state = lives.person[i], lives.birth[i], lives.end[i], lives.state[i]
    day, earlier, index = lives.start[i], lives.earlier[i], lives.index[i]
    out = space.spells
    run_out, grade = begin_life(i, lives, choices, rules, calendar, keys, space)
    if run_out <= day:
        return -NO_RIGHTS
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = state, space.zero[0], grade, BY_START
    n = 1
    while state < DEAD:
        retire = NEVER if state == RETIRED else lives.retire[i]
        bound = min(end, min(run_out, retire)) - 1
        wait, u = exponential_at(keys.time, person, n), uniform_at(keys.to, person, n)
        came, j = next_move(
            day,
            bound,
            wait,
            u,
            state,
            run_out,
            birth,
            index,
            earlier,
            own[i],
            arm_log_hr[i],
            moves,
            varying,
            calendar,
            space,
        )
        cause = BY_CHANCE
        if j >= 0:
            to = moves.table[j, TO]
        elif bound + 1 >= end:
            return n
        else:
            came = bound + 1
            cause = BY_AGE if came >= retire else USED_UP
            to = forced_state(came, birth, retire, choices, uniform_at(keys.forced, person, n))
        if n >= len(out):
            return -TOO_MANY
        grade = draw_grade(to, grade if to == state else 0, choices, uniform_at(keys.grade, person, n))
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = to, came, grade, cause
        n += 1
        earlier += 1 if is_sick(state) and not is_sick(to) else 0
        run_out = change_books(state, to, came, run_out, rules, calendar, space)
        state, day = to, came
    return n


@kernel
def begin_life(i: int, lives: Any, choices: Any, rules: Any, calendar: Any, keys: Any, space: Any) -> tuple[int, int]:
    """Set clocks and ledger of person i; return the first day without entitlement and the grade."""
    state, began = lives.state[i], lives.start[i] - lives.before[i]
    clear(space.ledger)
    space.ratios_until[0] = lives.start[i]
    remember(space.ledger, space.blocks, lives.paid[i], lives.last_paid[i])
    run_out = NEVER
    if is_sick(state):
        run_out = begin_absence(began, rules, calendar, space.ledger, space.blocks)
    grade = lives.grade[i]
    if grade == 0:
        grade = draw_grade(state, 0, choices, uniform_at(keys.grade, lives.person[i], 0))
    space.zero[0], space.zero[1], space.zero[2] = began, began, lives.index[i]
    return run_out, grade


@kernel
def change_books(state: int, to: int, day: int, run_out: int, rules: Any, calendar: Any, space: Any) -> int:
    """Enter a move into clocks and ledger; return the first day without entitlement."""
    if is_sick(state) and not is_sick(to):
        end_absence(space.zero[0], day, rules, space.ledger, space.blocks)
        run_out = NEVER
    elif is_sick(to) and not is_sick(state):
        run_out = begin_absence(day, rules, calendar, space.ledger, space.blocks)
    if family_of(to) != family_of(state):
        space.zero[0] = day
    space.zero[1] = day
    return run_out


@kernel
def walk_all(
    lives: Any,
    own: Any,
    arm_log_hr: Any,
    moves: Any,
    varying: Any,
    choices: Any,
    rules: Any,
    calendar: Any,
    keys: Any,
    space: Any,
) -> tuple[Any, Any]:
    """Walk all people of a block.

    The tables must be held by the caller outside compiled code: they are lent without a count of references.

    Returns
    -------
    numpy.ndarray of int32, shape (m, 6)
        Person (position), state, start, end, grade, cause.
    numpy.ndarray of int64, shape (3,)
        How many people have which fault, by its number.
    """
    n = len(lives.person)
    out = np.empty((8 * n + 64, 6), dtype=np.int32)
    faults = np.zeros(3, dtype=np.int64)
    tables = borrowed((lives, own, arm_log_hr, moves, varying, choices, calendar, space))
    spells = tables[7].spells
    used = 0
    for i in range(n):
        count = walk(i, rules, keys, *tables)
        if count < 0:
            faults[-count] += 1
            continue
        if used + count > len(out):
            larger = np.empty((2 * len(out) + count, 6), dtype=np.int32)
            larger[:used] = out[:used]
            out = larger
        for k in range(count):
            out[used, 0] = i
            out[used, 1] = spells[k, 0]
            out[used, 2] = spells[k, 1]
            out[used, 3] = spells[k + 1, 1] if k + 1 < count else lives.end[i]
            out[used, 4] = spells[k, 2]
            out[used, 5] = spells[k, 3]
            used += 1
    return out[:used].copy(), faults
