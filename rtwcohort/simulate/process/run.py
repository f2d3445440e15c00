"""Run a process over people: blocks of people in threads, the same bytes whatever their number."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_columns, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.process.compiled import compile_calendar, compile_keys, compile_process, years_later
from rtwcohort.simulate.process.declaration import Process
from rtwcohort.simulate.process.entitlement_kernel import NEVER, Calendar, block_capacity
from rtwcohort.simulate.process.factors import arm_log_ratios, own_ratios
from rtwcohort.simulate.process.paths import Inputs, Paths
from rtwcohort.simulate.process.paths_kernel import NO_RIGHTS, TOO_MANY, Lives, walk_all, work_space
from rtwcohort.simulate.process.states import FINAL, GRADED, STATES, state_code

_BLOCK = 20_000
_SLACK = 800

Ints = npt.NDArray[np.int64]


def simulate_paths(process: Process, inputs: Inputs, *, seed: int, threads: int | None = None) -> Paths:
    """Draw the states of people from their start to the end of data.

    Parameters
    ----------
    process
        Hazards, effects and rules.
    inputs
        The people.
    seed
        Equal seeds give equal paths, byte for byte, whatever the threads and however people are divided over calls.
    threads
        Default: one for each processor.

    Returns
    -------
    Paths
        Spells of each person, without gaps.

    Raises
    ------
    ArgumentError
        When an input has another length, a value that cannot be, or a covariate is missing; when people have used up
        their sickness benefit before the start; when somebody has more spells than `process.most_spells`.
    """
    check_number(seed, argument="seed", least=0, whole=True)
    if threads is not None:
        check_number(threads, argument="threads", least=1, whole=True)
    lives = _lives(process, inputs)
    terms, arm, cluster = _terms(process, inputs), _arm(inputs), _cluster(inputs)
    compiled = compile_process(process, inputs.arms)
    calendar = _calendar(process, lives)
    keys = compile_keys(seed)
    capacity = block_capacity(process.entitlement.window_years)

    def walk(first: int) -> tuple[Any, Any]:
        part = slice(first, first + _BLOCK)
        people = Lives(*(values[part] for values in lives))
        own = own_ratios(process, people.person, cluster[part], terms[part], seed=seed)
        arm_log_hr = arm_log_ratios(process, inputs.arms, arm[part], terms[part])
        space = work_space(len(compiled.moves.table), own.shape[1], capacity, process.most_spells)
        found: tuple[Any, Any] = walk_all(people, own, arm_log_hr, *compiled[:3], compiled.rules, calendar, keys, space)
        found[0][:, 0] += first
        return found

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        blocks = list(pool.map(walk, range(0, len(lives.person), _BLOCK)))
    _check_faults(process, sum(block[1] for block in blocks))
    return _paths([block[0] for block in blocks], lives)


def _paths(blocks: list[Any], lives: Lives) -> Paths:
    def column(k: int, dtype: Any) -> Any:
        return np.concatenate([block[:, k].astype(dtype) for block in blocks])

    return Paths(
        persons=lives.person,
        person=column(0, np.int32),
        state=column(1, np.int8),
        start=column(2, np.int32),
        end=column(3, np.int32),
        grade=column(4, np.int16),
        cause=column(5, np.int8),
        end_day=lives.end.astype(np.int32),
    )


def _check_faults(process: Process, faults: Any) -> None:
    if faults[NO_RIGHTS]:
        raise ArgumentError(
            f"`inputs` has {faults[NO_RIGHTS]} people on sickness benefit at `start_day` who had used it up before "
            f"(employer period {process.entitlement.employer_period} days, {process.entitlement.paid_days} paid "
            "weekdays). Lower `days_before` or `paid_before`, or raise `entitlement.paid_days`."
        )
    if faults[TOO_MANY]:
        raise ArgumentError(
            f"`process` gives {faults[TOO_MANY]} people more than {process.most_spells} spells. Its hazards are too "
            "high: look for rates per year written as rates per day; or raise `most_spells`."
        )


def _lives(process: Process, inputs: Inputs) -> Lives:
    n = len(inputs.persons)
    if n == 0:
        raise ArgumentError("`inputs` must hold at least one person; got none.")
    start = _ints(inputs, "start_day", n)
    birth = _ints(inputs, "birth_day", n)
    lives = Lives(
        person=_ints(inputs, "persons", n),
        start=start,
        state=_ints(inputs, "start_state", n),
        end=_ints(inputs, "end_day", n),
        birth=birth,
        index=_ints(inputs, "index_day", n, start),
        before=_ints(inputs, "days_before", n, 0),
        grade=_ints(inputs, "start_grade", n, 0),
        retire=years_later(birth, process.retirement_age) if process.retirement_age else np.full(n, NEVER),
        earlier=_ints(inputs, "earlier_spells", n, 0),
        paid=_ints(inputs, "paid_before", n, 0),
        last_paid=_ints(inputs, "last_paid_day", n, start - 1),
    )
    _check_lives(process, inputs, lives)
    return lives


def _check_lives(process: Process, inputs: Inputs, lives: Lives) -> None:
    _refuse(lives.person < 0, "persons", "must be 0 or more")
    _refuse((lives.state < 0) | (lives.state >= len(STATES)), "start_state", f"must be a code from 0 to {len(STATES)}")
    _refuse(lives.state >= state_code(FINAL[0]), "start_state", "must be a state that people leave")
    _refuse(lives.end <= lives.start, "end_day", "must come after `start_day`")
    _refuse(lives.birth > lives.start, "birth_day", "must not come after `start_day`")
    for name in ("before", "earlier", "paid"):
        argument = {"before": "days_before", "earlier": "earlier_spells", "paid": "paid_before"}[name]
        _refuse(getattr(lives, name) < 0, argument, "must be 0 or more")
    _refuse((lives.grade < 0) | (lives.grade > 99), "start_grade", "must be from 0 (draw it) to 99 percent")
    without = ~np.isin(lives.state, [state_code(name) for name in GRADED]) & (lives.grade > 0)
    _refuse(without, "start_grade", f"must be 0 in states without a grade (those with one: {', '.join(GRADED)})")
    if inputs.paid_before is not None and inputs.last_paid_day is None:
        raise ArgumentError("`inputs.paid_before` needs `last_paid_day`, the day it ended on.")
    past = (lives.paid > 0) & (lives.last_paid >= lives.start - lives.before)
    _refuse(past, "last_paid_day", "must come before the path begins")
    late = (lives.retire <= lives.start) & (lives.state != state_code("retired"))
    _refuse(late, "start_state", f"must be 'retired' from `retirement_age` ({process.retirement_age} years) on")


def _refuse(wrong: npt.NDArray[np.bool_], name: str, rule: str) -> None:
    if wrong.any():
        raise ArgumentError(f"`inputs.{name}` {rule}; {int(wrong.sum())} of {len(wrong)} people have another value.")


def _ints(inputs: Inputs, name: str, n: int, default: Any = None) -> Ints:
    values = getattr(inputs, name)
    if values is None:
        return np.array(np.broadcast_to(np.asarray(default, dtype=np.int64), n))
    array = np.asarray(values)
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise ArgumentError(
            f"`inputs.{name}` must be whole numbers of shape ({n},) as `persons`; "
            f"got shape {array.shape} of {array.dtype}."
        )
    return array.astype(np.int64)


def _terms(process: Process, inputs: Inputs) -> npt.NDArray[np.float64]:
    n = len(inputs.persons)
    check_columns(inputs.covariates, process.terms, argument="inputs.covariates")
    out = np.zeros((n, len(process.terms)))
    for k, name in enumerate(process.terms):
        values = np.asarray(inputs.covariates[name], dtype=np.float64)
        if values.shape != (n,) or not np.isfinite(values).all():
            raise ArgumentError(
                f"`inputs.covariates['{name}']` must be finite numbers of shape ({n},); got shape {values.shape} with "
                f"{int((~np.isfinite(values)).sum())} values that are not finite."
            )
        out[:, k] = values
    return out


def _arm(inputs: Inputs) -> Ints:
    arm = _ints(inputs, "arm", len(inputs.persons), 0)
    _refuse((arm < 0) | (arm >= len(inputs.arms)), "arm", f"must be a position in `arms` ({len(inputs.arms)} names)")
    return arm


def _cluster(inputs: Inputs) -> Ints:
    cluster = _ints(inputs, "cluster", len(inputs.persons), 0)
    _refuse(cluster < 0, "cluster", "must be 0 or more")
    return cluster


def _calendar(process: Process, lives: Lives) -> Calendar:
    rule = process.entitlement
    beyond = rule.paid_days * 7 // 5 + rule.employer_period + _SLACK
    first = int((lives.start - lives.before).min()) - 1
    return compile_calendar(first, int(lives.end.max()) + beyond, rule.window_years)
