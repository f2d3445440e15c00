"""A declared process as arrays for the event loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.core.days import day_of
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.portable import exp
from rtwcohort.simulate.process.checks import as_names
from rtwcohort.simulate.process.declaration import Pieces, Process, Spline, Transition
from rtwcohort.simulate.process.entitlement_kernel import NEVER, Calendar, Rules
from rtwcohort.simulate.process.hazard_kernel import (
    ABSENCE,
    AGE,
    DATES,
    FOLLOW_UP,
    LEFT,
    MOVE_COLUMNS,
    RATE,
    STATE,
    YEAR,
    Moves,
    Varying,
)
from rtwcohort.simulate.process.paths_kernel import Choices, Keys
from rtwcohort.simulate.process.states import SICK, STATES, state_code

_CLOCKS = {"absence": ABSENCE, "state": STATE, "follow_up": FOLLOW_UP}
_NONE = (-(1 << 40), 1.0)


class Compiled(NamedTuple):
    """Everything that the kernels need to know of a process."""

    moves: Moves
    varying: Varying
    choices: Choices
    rules: Rules


def compile_process(process: Process, arms: Sequence[str]) -> Compiled:
    """Turn a declaration into arrays; `arms` gives the numbers of the arms.

    Raises
    ------
    ArgumentError
        When an arm effect names an arm that does not exist.
    """
    rule = process.entitlement
    return Compiled(
        moves=_moves(process),
        varying=_varying(process, arms),
        choices=_choices(process),
        rules=Rules(rule.employer_period, rule.employer_gap, rule.paid_days, 7 * rule.reearn_weeks),
    )


def compile_keys(seed: int) -> Keys:
    """Return the keys of the draws of the event loop."""
    return Keys(*(draws.key(seed, f"process:{purpose}") for purpose in ("time", "to", "grade", "forced")))


def compile_calendar(first: int, last: int, window_years: int) -> Calendar:
    """Return facts about each day from `first` to `last`."""
    days = np.arange(first, last + 1).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    facts = (
        months.astype(np.int64) % 12,
        (months + 1).astype("datetime64[D]").astype(np.int64),
        years_later(days.astype(np.int64), -window_years) + 1,
    )
    return Calendar(first=first, days=np.ascontiguousarray(np.stack(facts, axis=1)))


def years_later(days: npt.NDArray[np.int64], years: int) -> npt.NDArray[np.int64]:
    """Return the same dates `years` later; 29 February becomes 28 where there is none."""
    dates = np.asarray(days, dtype=np.int64).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    within = (dates - months.astype("datetime64[D]")).astype(np.int64)
    goal = months + 12 * years
    first = goal.astype("datetime64[D]").astype(np.int64)
    following = (goal + 1).astype("datetime64[D]").astype(np.int64)
    return np.asarray(np.minimum(first + within, following - 1))


def spline_pieces(spline: Spline) -> Pieces:
    """Return a spline as weekly pieces: a natural cubic through the log rates, read in the middle of each week."""
    knots, values = [float(day) for day in spline.days], [float(value) for value in spline.log_rates]
    bend = _second_derivatives(knots, values)
    weeks = range(int(knots[-1] // 7) + 2)
    logs = [_spline_at(min(max(7.0 * week + 3.5, knots[0]), knots[-1]), knots, values, bend) for week in weeks]
    rates = exp(np.asarray(logs))
    return tuple((7.0 * week, float(rate)) for week, rate in zip(weeks, rates, strict=True))


def _second_derivatives(x: list[float], y: list[float]) -> list[float]:
    """Solve the tridiagonal system of the natural cubic spline (Thomas's algorithm)."""
    n = len(x)
    step = [x[k + 1] - x[k] for k in range(n - 1)]
    above, right = [0.0] * n, [0.0] * n
    for k in range(1, n - 1):
        slope = (y[k + 1] - y[k]) / step[k] - (y[k] - y[k - 1]) / step[k - 1]
        pivot = 2.0 * (step[k - 1] + step[k]) - step[k - 1] * above[k - 1]
        above[k] = step[k] / pivot
        right[k] = (6.0 * slope - step[k - 1] * right[k - 1]) / pivot
    bend = [0.0] * n
    for k in range(n - 2, 0, -1):
        bend[k] = right[k] - above[k] * bend[k + 1]
    return bend


def _spline_at(at: float, x: list[float], y: list[float], bend: list[float]) -> float:
    k = max(j for j in range(len(x) - 1) if x[j] <= at)
    step = x[k + 1] - x[k]
    a, b = (x[k + 1] - at) / step, (at - x[k]) / step
    return a * y[k] + b * y[k + 1] + ((a * a * a - a) * bend[k] + (b * b * b - b) * bend[k + 1]) * step * step / 6.0


def _moves(process: Process) -> Moves:
    pairs = [
        (origin, transition) for origin in STATES for transition in process.transitions if origin in transition.origins
    ]
    moves = [transition for _, transition in pairs]
    groups = process.groups
    begin: list[float] = []
    value: list[float] = []
    table = np.zeros((len(moves), MOVE_COLUMNS), dtype=np.int64)
    for j, (origin, move) in enumerate(pairs):
        table[j, :4] = state_code(move.to), groups.index(move.group), _CLOCKS[_clock(origin, move)], bool(move.season)
        for column, pieces in ((RATE, _base(move)), (LEFT, move.left), (DATES, _dates(move)), (AGE, _ages(move))):
            table[j, column : column + 2] = len(begin), len(begin) + len(pieces)
            begin += [at for at, _ in pieces]
            value += [ratio for _, ratio in pieces]
    return Moves(
        first=_firsts([sum(origin == state for origin, _ in pairs) for state in STATES]),
        table=table,
        begin=_ints(begin),
        value=_floats(value),
        season=np.asarray([move.season or (1.0,) * 12 for move in moves], dtype=np.float64),
    )


def _clock(origin: str, move: Transition) -> str:
    return move.clock or ("absence" if origin in SICK else "state")


def _base(move: Transition) -> Pieces:
    return move.per_day if move.spline is None else spline_pieces(move.spline)


def _dates(move: Transition) -> Pieces:
    if not move.calendar:
        return ()
    return (_NONE, *((float(day_of(date, argument="calendar")), ratio) for date, ratio in move.calendar))


def _ages(move: Transition) -> Pieces:
    return tuple((float(np.ceil(age * YEAR)), ratio) for age, ratio in move.age)


def _varying(process: Process, arms: Sequence[str]) -> Varying:
    groups = process.groups
    ages = [(e, groups.index(g)) for e in process.effects if e.term == "age_now" for g in as_names(e.on)]
    acting = [(e, groups.index(g)) for e in process.arm_effects for g in as_names(e.on)]
    for effect, _ in acting:
        if effect.arm not in arms:
            raise ArgumentError(
                f"`arm_effects` name the arm '{effect.arm}', which `inputs.arms` has not; its arms are {list(arms)}."
            )
    earlier = process.earlier
    counts = np.arange(earlier.most + 1) if earlier else np.arange(1)
    arms_of = [(g, e.delay, NEVER if e.until is None else e.until) for e, g in acting]
    return Varying(
        age_group=_ints(g for _, g in ages),
        age_effect=_floats(value for e, _ in ages for value in (e.log_hr / e.per, e.centre)).reshape(-1, 2),
        arms=np.asarray(arms_of, dtype=np.int64).reshape(-1, 3),
        half_life=_floats(e.half_life or 0.0 for e, _ in acting),
        earlier_group=_ints(groups.index(g) for g in as_names(earlier.on)) if earlier else _ints(()),
        earlier_ratio=exp(counts.astype(np.float64) * (earlier.log_hr if earlier else 0.0)),
    )


def _choices(process: Process) -> Choices:
    graded = {
        "sick_graded": process.grades,
        "aap_work": process.aap_work_grades,
        "disability_partial": process.pension_grades,
    }
    shares = [graded.get(state, ()) for state in STATES]
    rule = process.entitlement
    old = rule.after_old or rule.after
    names = list(dict.fromkeys(state for state, _ in (*rule.after, *old)))
    return Choices(
        grade_first=_firsts([len(item) for item in shares]),
        grade=_ints(grade for item in shares for grade, _ in item),
        grade_share=_floats(share for item in shares for _, share in item),
        after=_ints(state_code(name) for name in names),
        after_young=_cumulative(0.0 if name == "retired" else dict(rule.after).get(name, 0.0) for name in names),
        after_old=_cumulative(dict(old).get(name, 0.0) for name in names),
        retire_from=rule.retire_from * YEAR,
    )


def _cumulative(shares: Iterable[float]) -> npt.NDArray[np.float64]:
    total, out = 0.0, []
    for share in shares:
        total += float(share)
        out.append(total)
    return np.asarray(out)


def _firsts(lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    total, out = 0, [0]
    for length in lengths:
        total += length
        out.append(total)
    return np.asarray(out, dtype=np.int64)


def _ints(values: Iterable[Any]) -> npt.NDArray[np.int64]:
    return np.asarray([int(value) for value in values], dtype=np.int64)


def _floats(values: Iterable[Any]) -> npt.NDArray[np.float64]:
    return np.asarray([float(value) for value in values], dtype=np.float64)
