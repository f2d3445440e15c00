"""The week in which absences end because the entitlement runs out, where a register shows one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rtwcohort.simulate.process import Transition
from rtwcohort.simulate.process.states import SICK, STATES
from rtwcohort.simulate.synthesise.exposure import SICKNESS, Slices
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.sequences import FAMILY

_PEAK_DAYS: Final = 7
_FROM: Final = 335
_TO: Final = 380
_BEFORE: Final = 290
_TIMES: Final = 3.0
_MOST_SHARE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Window:
    """Days of an absence on which its entitlement is seen to run out, half-open."""

    first: int
    last: int


def find_window(slices: Slices, *, least: int) -> Window | None:
    """Find the week in which absences end far more often than before.

    Parameters
    ----------
    slices
        Days at risk, in any pieces.
    least
        People behind every parameter; the week needs twice as many ends.

    Returns
    -------
    Window or None
        A week that begins on day 335 of an absence or later, and the days after it on which absences still end three
        times as often as on days 290 to 334. None where there is no such week.
    """
    ended, risk = _daily(slices)
    shift = _FROM - _BEFORE
    weeks = np.convolve(ended[: _TO - _BEFORE], np.ones(_PEAK_DAYS), mode="valid")[shift:]
    best = int(np.argmax(weeks))
    usual = ended[:shift].sum() / max(risk[:shift].sum(), 1.0)
    week = slice(shift + best, shift + best + _PEAK_DAYS)
    if weeks[best] < 2 * least or ended[week].sum() < _TIMES * usual * risk[week].sum():
        return None
    last = week.stop
    while last < len(ended) and ended[last] > _TIMES * usual * risk[last]:
        last += 1
    return Window(_BEFORE + week.start, _BEFORE + last)


def used_up(slices: Slices, window: Window, *, least: int) -> list[Transition]:
    """Return the moves out of sickness benefit in the window: a daily hazard, and shares of where people go."""
    ended, risk = _daily(slices)
    steps = [(0.0, 0.0)]
    first, count, days = window.first, 0.0, 0.0
    for day in range(window.first, window.last):
        count += ended[day - _BEFORE]
        days += risk[day - _BEFORE]
        if count >= least:
            steps.append((float(first), _hazard(count, days)))
            first, count, days = day + 1, 0.0, 0.0
    if first < window.last:
        steps.append((float(first), steps[-1][1] if len(steps) > 1 else _hazard(count, days)))
    steps.append((float(window.last), 0.0))
    here = _leaving(slices)
    inside = (here.clock + here.days > window.first) & (here.clock + here.days <= window.last)
    to, person = here.to[inside], here.person[inside]
    known = [state for state in np.unique(to).tolist() if len(np.unique(person[to == state])) >= least]
    total = int(np.isin(to, known).sum())
    return [
        Transition(
            origin=SICK,
            to=STATES[state],
            group="used_up",
            per_day=tuple((day, float(f"{rate * (to == state).sum() / total:.4g}")) for day, rate in steps),
            clock="absence",
        )
        for state in known
    ]


def _leaving(slices: Slices) -> Slices:
    sick = (FAMILY[slices.origin] == SICKNESS) & (slices.to >= 0)
    here = slices.where(sick)
    return here.where(FAMILY[here.to] != SICKNESS)


def _daily(slices: Slices) -> tuple[Floats, Floats]:
    """Return absences that end, and that are at risk, on each day of the clock from `_BEFORE` on."""
    here = slices.where(FAMILY[slices.origin] == SICKNESS)
    days = np.arange(_BEFORE, _TO + _PEAK_DAYS)
    begun = np.searchsorted(np.sort(here.clock), days, side="right")
    over = np.searchsorted(np.sort(here.clock + here.days), days, side="right")
    leaving = _leaving(slices)
    last = leaving.clock + leaving.days - 1 - _BEFORE
    ended = np.bincount(last[(last >= 0) & (last < len(days))], minlength=len(days))
    return ended.astype(np.float64), (begun - over).astype(np.float64)


def _hazard(count: float, days: float) -> float:
    share = min(count / max(days, 1.0), _MOST_SHARE)
    return float(-np.log1p(-share))
