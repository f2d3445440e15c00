"""The hazard that a process declares for one kind of person, day by day: for figures, and to check the engine by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_columns, check_number
from rtwcohort.core.days import day_of
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.process.checks import check_states
from rtwcohort.simulate.process.compiled import compile_calendar, compile_process
from rtwcohort.simulate.process.declaration import Process
from rtwcohort.simulate.process.entitlement_kernel import LEDGER, NEVER, begin_absence, block_capacity, clear
from rtwcohort.simulate.process.factors import arm_log_ratios, own_ratios
from rtwcohort.simulate.process.hazard_kernel import GROUP, TO, YEAR, rate_of, ratios_at, with_earlier
from rtwcohort.simulate.process.states import SICK, state_code

Floats = npt.NDArray[np.float64]


def hazard(
    process: Process,
    origin: str,
    to: str,
    days: npt.NDArray[Any] | Sequence[int],
    *,
    started: str = "2021-01-04",
    age: float = 45.0,
    index_after: int = 0,
    arm: str | None = None,
    covariates: Mapping[str, float] | None = None,
    earlier: int = 0,
) -> Floats:
    """Return the hazard of a move on days since its state (and absence) began.

    Parameters
    ----------
    process
        The declaration.
    origin, to
        States.
    days
        Whole days from 0, any shape: the hazard over (day, day + 1].
    started
        Date on which state and absence began; whoever is sick has all days of entitlement then.
    age
        Years of age on that date.
    index_after
        Days from then to the index date.
    arm
        Name of an arm; None: one without effects.
    covariates
        Name -> value of every covariate that the effects need.
    earlier
        Absences that ended before.

    Returns
    -------
    numpy.ndarray of float64, shape of `days`
        Rate per day with frailty and cluster effects left out, 0 from the day on which the entitlement runs out.

    Raises
    ------
    ArgumentError
        When a state, arm or covariate does not exist, or a day is negative.
    """
    check_states((origin, to), argument="origin, to")
    check_number(earlier, argument="earlier", least=0, whole=True)
    when = np.asarray(days)
    if when.dtype.kind not in "iu" or (when < 0).any():
        raise ArgumentError("`days` must be whole days from 0 on.")
    arms = tuple(dict.fromkeys(effect.arm for effect in process.arm_effects))
    if arm is not None and arm not in arms:
        raise ArgumentError(f"`arm` must be one with an effect ({', '.join(arms) or 'there is none'}); got '{arm}'.")
    start = day_of(started, argument="started")
    length = int(when.max(initial=0)) + 1
    compiled = compile_process(process, arms)
    rule = process.entitlement
    reach = rule.paid_days * 7 // 5 + rule.employer_period + 800 + length
    calendar = compile_calendar(start - 1, start + reach, rule.window_years)
    run_out = NEVER
    if origin in SICK:
        ledger, blocks = np.zeros(LEDGER, dtype=np.int64), np.zeros((block_capacity(rule.window_years), 2), np.int64)
        clear(ledger)
        run_out = begin_absence(start, compiled.rules, calendar, ledger, blocks)
    own, arm_log_hr = _person(process, arms, arm, covariates or {})
    zero = np.asarray([start, start, start + index_after], dtype=np.int64)
    birth = start - round(age * YEAR)
    logs, lasting, ratios = np.zeros_like(own), np.zeros_like(own), np.zeros_like(own)
    moves, place = compiled.moves, state_code(origin)
    out = np.zeros(length)
    for k in range(min(length, run_out - 1 - start)):
        ratios_at(start + k, zero[2], birth, own, arm_log_hr, compiled.varying, logs, lasting)
        with_earlier(earlier, compiled.varying, lasting, ratios)
        for j in range(moves.first[place], moves.first[place + 1]):
            if moves.table[j, TO] == state_code(to):
                rate, _ = rate_of(j, start + k, zero, run_out, birth, *moves[1:], *calendar)
                out[k] += rate * ratios[moves.table[j, GROUP]]
    return np.asarray(out[when])


def _person(
    process: Process, arms: tuple[str, ...], arm: str | None, covariates: Mapping[str, float]
) -> tuple[Floats, Floats]:
    check_columns(covariates, process.terms, argument="covariates")
    terms = np.asarray([[float(covariates[name]) for name in process.terms]])
    one = np.zeros(1, dtype=np.int64)
    without = _without_chance(process)
    own = own_ratios(without, one, one, terms, seed=0)
    place = np.asarray([-1 if arm is None else arms.index(arm)])
    return own[0], arm_log_ratios(without, arms, place, terms)[0]


def _without_chance(process: Process) -> Process:
    from dataclasses import replace

    return replace(process, frailty=(), clusters=())
