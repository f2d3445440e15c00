"""Hazards of the moves out of a state: what they are today, and until which day that stays so."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rtwcohort.core.jit import kernel
from rtwcohort.simulate.draws_kernel import exp_
from rtwcohort.simulate.process.entitlement_kernel import NEVER

YEAR = 365.25
ABSENCE, STATE, FOLLOW_UP = range(3)


class Steps(NamedTuple):
    """Steps (from, value) of every move; those of move j are `first[j]:first[j + 1]`."""

    first: Any
    begin: Any
    value: Any


class Moves(NamedTuple):
    """The moves, those out of state s being `first[s]:first[s + 1]`."""

    first: Any
    to: Any
    group: Any
    clock: Any
    rate: Steps
    left: Steps
    calendar: Steps
    age: Steps
    seasonal: Any
    season: Any


class Varying(NamedTuple):
    """Effects that change within a life: of age by group, of arms, of earlier spells."""

    age_group: Any
    age_log_hr: Any
    age_centre: Any
    arm_group: Any
    arm: Any
    arm_term: Any
    arm_delay: Any
    arm_until: Any
    arm_half_life: Any
    earlier_group: Any
    earlier_hr: Any


@kernel
def step_at(steps: Any, j: int, at: int) -> tuple[float, int]:
    """Return the value of the step that holds at `at` (the first one before that) and where the next one begins."""
    k = steps.first[j]
    last = steps.first[j + 1] - 1
    while k < last and steps.begin[k + 1] <= at:
        k += 1
    return steps.value[k], steps.begin[k + 1] if k < last else NEVER


@kernel
def left_at(steps: Any, j: int, left: int) -> tuple[float, int]:
    """Return the ratio at `left` days of entitlement and the number of days left below which it changes."""
    k = steps.first[j]
    last = steps.first[j + 1] - 1
    while k < last and steps.begin[k + 1] <= left:
        k += 1
    return steps.value[k], steps.begin[k]


@kernel
def rate_of(j: int, day: int, zero: Any, run_out: int, birth: int, moves: Any, calendar: Any) -> tuple[float, int]:
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
    moves, calendar
        As compiled.
    """
    origin = zero[moves.clock[j]]
    rate, change = step_at(moves.rate, j, day - origin)
    until = min(NEVER, origin + change)
    if moves.left.first[j + 1] > moves.left.first[j]:
        ratio, least = left_at(moves.left, j, run_out - 1 - day)
        rate *= ratio
        if least > 0:
            until = min(until, run_out - least)
    if moves.calendar.first[j + 1] > moves.calendar.first[j]:
        ratio, change = step_at(moves.calendar, j, day + 1)
        rate *= ratio
        until = min(until, change - 1)
    if moves.age.first[j + 1] > moves.age.first[j]:
        ratio, change = step_at(moves.age, j, day + 1 - birth)
        rate *= ratio
        until = min(until, birth + change - 1)
    if moves.seasonal[j]:
        k = day + 1 - calendar.first
        rate *= moves.season[j, calendar.month[k]]
        until = min(until, calendar.next_month[k] - 1)
    return rate, until


@kernel
def arm_at(e: int, followed: int, varying: Any) -> tuple[float, int]:
    """Return the strength from 0 to 1 of arm effect e after `followed` days, and until which day it holds."""
    if followed < varying.arm_delay[e]:
        return 0.0, varying.arm_delay[e]
    if followed >= varying.arm_until[e]:
        return 0.0, NEVER
    if varying.arm_half_life[e] <= 0.0:
        return 1.0, varying.arm_until[e]
    week = (followed - varying.arm_delay[e]) // 7
    strength = exp_(-0.6931471805599453 * (7.0 * week + 3.5) / varying.arm_half_life[e])
    return strength, min(varying.arm_until[e], varying.arm_delay[e] + 7 * (week + 1))


@kernel
def ratios_at(
    day: int,
    index: int,
    birth: int,
    earlier: int,
    own: Any,
    arm_log_hr: Any,
    varying: Any,
    logs: Any,
    ratios: Any,
) -> int:
    """Fill the hazard ratio of each group over (day, day + 1] and return until which day they hold.

    Parameters
    ----------
    day, index, birth
        Days.
    earlier
        Absences that ended before.
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
        logs[varying.age_group[k]] += varying.age_log_hr[k] * (years - varying.age_centre[k])
        until = min(until, birth + int(np.ceil((years + 1) * YEAR)) - 1)
    for e in range(len(arm_log_hr)):
        if arm_log_hr[e] != 0.0:
            strength, change = arm_at(e, day - index, varying)
            logs[varying.arm_group[e]] += strength * arm_log_hr[e]
            until = min(until, index + change)
    for g in range(len(ratios)):
        ratios[g] = own[g] if logs[g] == 0.0 else own[g] * exp_(logs[g])
    if earlier > 0:
        ratio = varying.earlier_hr[min(earlier, len(varying.earlier_hr) - 1)]
        for g in varying.earlier_group:
            ratios[g] *= ratio
    return until
