"""Hazards of the moves out of a state: what they are today, and until which day that stays so.

The tables are few and flat, because handing many arrays to a step of the loop costs more than the step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rtwcohort.core.jit import kernel
from rtwcohort.simulate.draws_kernel import exp_
from rtwcohort.simulate.process.entitlement_kernel import MONTH, NEVER, NEXT_MONTH

YEAR = 365.25
ABSENCE, STATE, FOLLOW_UP = range(3)

# Columns of the table of moves. From RATE on: first and last + 1 of the steps of each kind.
TO, GROUP, CLOCK, SEASONAL, RATE, LEFT, DATES, AGE = 0, 1, 2, 3, 4, 6, 8, 10
MOVE_COLUMNS = 12
# Columns of the table of arm effects.
ARM_GROUP, ARM_DELAY, ARM_UNTIL = range(3)


class Moves(NamedTuple):
    """The moves: those out of state s are rows `first[s]:first[s + 1]` of `table`.

    Attributes
    ----------
    first, table
        int64, shapes (states + 1,) and (moves, MOVE_COLUMNS).
    begin, value
        All steps (from, value), one below the other.
    season
        Shape (moves, 12).
    """

    first: Any
    table: Any
    begin: Any
    value: Any
    season: Any


class Varying(NamedTuple):
    """Effects that change within a life: of age by group, of arms, of earlier absences.

    Attributes
    ----------
    age_group, age_effect
        Groups; log hazard ratio a year and the age it is 0 at, shape (k, 2).
    arms, half_life
        Group, delay and end of each arm effect, shape (e, 3); days in which it halves, 0 for never.
    earlier_group, earlier_ratio
        Groups; hazard ratio after 0, 1, ... absences.
    """

    age_group: Any
    age_effect: Any
    arms: Any
    half_life: Any
    earlier_group: Any
    earlier_ratio: Any


@kernel
def step_at(first: int, end: int, at: int, begin: Any) -> int:
    """Return the number of the step in [first, end) that holds at `at`: the first one before it begins."""
    k = first
    while k + 1 < end and begin[k + 1] <= at:
        k += 1
    return k


@kernel
def rate_of(
    j: int,
    day: int,
    zero: Any,
    run_out: int,
    birth: int,
    table: Any,
    begin: Any,
    value: Any,
    season: Any,
    first_day: int,
    days: Any,
) -> tuple[float, int]:
    """Return the rate of move j over (day, day + 1] without the effects of its group, and until when it holds.

    Parameters
    ----------
    j, day
        The move; the day that the interval follows.
    zero
        Day on which each clock is 0: absence, state, follow-up.
    run_out
        First day without entitlement.
    birth
        Day of birth.
    table, begin, value, season
        As in `Moves`.
    first_day, days
        As in `Calendar`.
    """
    origin = zero[table[j, CLOCK]]
    k = step_at(table[j, RATE], table[j, RATE + 1], day - origin, begin)
    rate = value[k]
    until = origin + begin[k + 1] if k + 1 < table[j, RATE + 1] else NEVER
    if table[j, LEFT + 1] > table[j, LEFT]:
        k = step_at(table[j, LEFT], table[j, LEFT + 1], run_out - 1 - day, begin)
        rate *= value[k]
        if begin[k] > 0:
            until = min(until, run_out - begin[k])
    if table[j, DATES + 1] > table[j, DATES]:
        k = step_at(table[j, DATES], table[j, DATES + 1], day + 1, begin)
        rate *= value[k]
        if k + 1 < table[j, DATES + 1]:
            until = min(until, begin[k + 1] - 1)
    if table[j, AGE + 1] > table[j, AGE]:
        k = step_at(table[j, AGE], table[j, AGE + 1], day + 1 - birth, begin)
        rate *= value[k]
        if k + 1 < table[j, AGE + 1]:
            until = min(until, birth + begin[k + 1] - 1)
    if table[j, SEASONAL]:
        rate *= season[j, days[day + 1 - first_day, MONTH]]
        until = min(until, days[day + 1 - first_day, NEXT_MONTH] - 1)
    return rate, until


@kernel
def arm_at(followed: int, delay: int, end: int, half_life: float) -> tuple[float, int]:
    """Return the strength from 0 to 1 of an arm effect after `followed` days, and until which day it holds."""
    if followed < delay:
        return 0.0, delay
    if followed >= end:
        return 0.0, NEVER
    if half_life <= 0.0:
        return 1.0, end
    week = (followed - delay) // 7
    return exp_(-0.6931471805599453 * (7.0 * week + 3.5) / half_life), min(end, delay + 7 * (week + 1))


@kernel
def ratios_at(
    day: int,
    index: int,
    birth: int,
    own: Any,
    arm_log_hr: Any,
    varying: Any,
    logs: Any,
    ratios: Any,
) -> int:
    """Fill the hazard ratio of each group over (day, day + 1] and return until which day they hold.

    Without the ratio of earlier absences, which changes with the state.

    Parameters
    ----------
    day, index, birth
        Days.
    own
        Ratios that never change (covariates, frailty, cluster), shape (groups,).
    arm_log_hr
        Log hazard ratios of the arm effects at full strength, 0 where the person has another arm, shape (effects,).
    varying
        As compiled.
    logs, ratios
        Work space and result, shape (groups,).
    """
    until = NEVER
    logs[:] = 0.0
    for k in range(len(varying.age_group)):
        years = int(np.floor((day + 1 - birth) / YEAR))
        logs[varying.age_group[k]] += varying.age_effect[k, 0] * (years - varying.age_effect[k, 1])
        until = min(until, birth + int(np.ceil((years + 1) * YEAR)) - 1)
    for e in range(len(arm_log_hr)):
        if arm_log_hr[e] != 0.0:
            strength, change = arm_at(
                day - index, varying.arms[e, ARM_DELAY], varying.arms[e, ARM_UNTIL], varying.half_life[e]
            )
            logs[varying.arms[e, ARM_GROUP]] += strength * arm_log_hr[e]
            until = min(until, index + change)
    for g in range(len(ratios)):
        ratios[g] = own[g] if logs[g] == 0.0 else own[g] * exp_(logs[g])
    return until


@kernel
def with_earlier(earlier: int, varying: Any, lasting: Any, ratios: Any) -> None:
    """Fill `ratios` with `lasting` times the ratio after `earlier` absences."""
    ratios[:] = lasting
    if earlier > 0:
        ratio = varying.earlier_ratio[min(earlier, len(varying.earlier_ratio) - 1)]
        for g in varying.earlier_group:
            ratios[g] *= ratio
