"""A slow simulator of the same declaration, written differently: day by day, with all people in step."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from rtwcohort.core.days import day_of
from rtwcohort.simulate.process import STATES

WEEKDAYS_OFF = (2, 3)  # day 0 is a Thursday: day 2 a Saturday


def names(on):
    return (on,) if isinstance(on, str) else on


def stepped(pieces, at):
    starts, values = np.array(pieces, dtype=float).T
    return values[np.clip(np.searchsorted(starts, at, side="right") - 1, 0, None)]


def base_rate(move, clock):
    if move.spline is None:
        return stepped(move.per_day, clock)
    curve = CubicSpline(move.spline.days, move.spline.log_rates, bc_type="natural")
    middle = np.clip(7 * (np.maximum(clock, 0) // 7) + 3.5, move.spline.days[0], move.spline.days[-1])
    return np.exp(curve(middle))


def rate(process, origin, move, at):
    """Return the rate of a move over (day, day + 1] of people described by the arrays in `at`."""
    clock = move.clock or ("absence" if origin.startswith("sick") else "state")
    out = base_rate(move, at[clock])
    after = at["day"] + 1
    if move.left:
        out = out * stepped(move.left, at["left"])
    if move.calendar:
        dates = [(-1e9, 1.0), *((day_of(d, argument="d"), ratio) for d, ratio in move.calendar)]
        out = out * stepped(dates, after)
    if move.season:
        months = np.asarray(after).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
        out = out * np.array(move.season)[months]
    if move.age:
        out = out * stepped(move.age, (after - at["birth"]) / 365.25)
    return out * np.exp(log_ratio(process, move.group, at)) * at.get("frailty", 1.0)


def log_ratio(process, group, at):
    total = np.zeros(len(at["day"]))
    for effect in process.effects:
        if group in names(effect.on):
            x = (at["day"] + 1 - at["birth"]) // 365.25 if effect.term == "age_now" else at["x"][effect.term]
            total = total + effect.log_hr * (x - effect.centre) / effect.per
    for effect in process.arm_effects:
        if group in names(effect.on):
            total = total + np.where(at["arm"] == effect.arm, arm_log_ratio(effect, at), 0.0)
    if process.earlier is not None and group in names(process.earlier.on):
        total = total + process.earlier.log_hr * np.minimum(at["earlier"], process.earlier.most)
    return total


def arm_log_ratio(effect, at):
    since = at["follow_up"] - effect.delay
    on = since >= 0
    if effect.until is not None:
        on = on & (at["follow_up"] < effect.until)
    strength = np.ones(len(since))
    if effect.half_life is not None:
        strength = 0.5 ** ((7 * (since // 7) + 3.5) / effect.half_life)
    x = at["x"][effect.interaction] - effect.interaction_centre if effect.interaction else 0.0
    return np.where(on, strength * (effect.log_hr + effect.interaction_log_hr * x), 0.0)


def back(day, years):
    date = np.datetime64(int(day), "D").astype(object)
    try:
        return (date.replace(year=date.year - years) - np.datetime64(0, "D").astype(object)).days
    except ValueError:  # 29 February
        return (date.replace(year=date.year - years, day=28) - np.datetime64(0, "D").astype(object)).days


def run_out(absence, rule, paid, last_sick, used_employer):
    """Count the entitlement of an absence day by day; return its first paid day and the first day without.

    `paid` holds the days paid earlier and still counted.
    """
    if absence - last_sick - 1 >= rule.employer_gap:
        used_employer = 0
    if not paid or absence - max(paid) - 1 >= 7 * rule.reearn_weeks:
        paid = set()
    first = absence + rule.employer_period - used_employer
    own, day = set(), first
    while True:
        window = range(back(day, rule.window_years) + 1, day)
        if sum(d in window for d in paid | own) >= rule.paid_days:
            return first, max(day, absence + 1)
        if day % 7 not in WEEKDAYS_OFF:
            own.add(day)
            if sum(d in window or d == day for d in paid | own) >= rule.paid_days:
                return first, max(day + 1, absence + 1)
        day += 1


def spells_of(paths, person):
    here = paths.person == person
    return [
        (STATES[s], int(a), int(b), int(g))
        for s, a, b, g in zip(paths.state[here], paths.start[here], paths.end[here], paths.grade[here], strict=True)
    ]


@pytest.fixture(scope="session")
def naive():
    return SimpleNamespace(rate=rate, run_out=run_out, spells_of=spells_of, weekdays_off=WEEKDAYS_OFF, back=back)
