"""Measures of what happens after the index date."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.outcomes import absence_days as count_absence_days
from rtwcohort.outcomes import work_status
from rtwcohort.simulate.measures.numbers import Measured, kaplan_meier_quantile, mean, percent, quantile, spread
from rtwcohort.simulate.measures.simulated import (
    Bools,
    Simulated,
    covered,
    index_frame,
    on_benefits,
    once,
    outcome,
    timeline,
)
from rtwcohort.simulate.portable import Floats, Ints

UNIT_DAYS: Final = {"days": 1.0, "weeks": 7.0, "months": 365.25 / 12.0}
FOUR_STATES: Final = ("full_time_work", "part_time_work", "out_of_work", "disability_pension")

Statistic = Literal["mean", "median", "quantile", "sd"]


def returned(simulated: Simulated, who: Bools, *, rule: str | dict[str, Any], horizon: int) -> Measured:
    """Percentage who returned to work within the horizon under a rule; those who die or leave count as not."""
    return percent(outcome(simulated, rule, horizon)[1][who])


def days_to_return(
    simulated: Simulated,
    who: Bools,
    *,
    rule: str | dict[str, Any],
    horizon: int,
    how: str = "kaplan_meier",
    q: float = 0.5,
    unit: str = "days",
) -> Measured:
    """Quantile (median) of the time to return.

    "kaplan_meier": by that curve; "returners": among those who returned within the horizon; "all": those who did not
    count with the horizon; "mean_of_returners": their mean instead; "mean" and "sd" (standard deviation): of all, those
    who did not counting with the horizon.
    """
    ways = ("kaplan_meier", "returners", "all", "mean_of_returners", "mean", "sd")
    check_choice(how, ways, argument="how")
    check_choice(unit, tuple(UNIT_DAYS), argument="unit")
    times, events = outcome(simulated, rule, horizon)
    time, event = times[who], events[who]
    everybody = np.where(event, time, horizon).astype(np.float64)
    if how == "kaplan_meier":
        found = kaplan_meier_quantile(time, event, q)
    elif how == "all":
        found = quantile(everybody, q)
    elif how in ("mean", "sd"):
        found = mean(everybody) if how == "mean" else spread(everybody)
    elif how == "returners":
        found = quantile(time[event].astype(np.float64), q)
    else:
        found = mean(time[event].astype(np.float64))
    return found[0] / UNIT_DAYS[unit], found[1] / UNIT_DAYS[unit]


def full_at_first_return(
    simulated: Simulated, who: Bools, *, first: str | dict[str, Any], full: str | dict[str, Any], horizon: int
) -> Measured:
    """Percentage whose first return is a full one, among those who returned within the horizon.

    `first` and `full` are the rules; the return is full when both give the same day.
    """
    time, event = outcome(simulated, first, horizon)
    full_time, full_event = outcome(simulated, full, horizon)
    back = who & event
    return percent((full_event & (full_time == time))[back])


def absence_days(
    simulated: Simulated,
    who: Bools,
    *,
    first: int = 0,
    last: int,
    benefits: list[str] | None = None,
    weighted: bool = False,
    statistic: Statistic = "mean",
    q: float = 0.5,
    unit: str = "days",
    factor: float = 1.0,
) -> Measured:
    """Days on benefits in the window [first, last) from the index date: mean, median, quantile or "sd".

    `weighted` counts a day by its grade; `factor` turns calendar days into others (5/7: working days).
    """
    check_choice(unit, tuple(UNIT_DAYS), argument="unit")
    values = benefit_days(simulated, first, last, benefits, weighted=weighted)[who] * factor / UNIT_DAYS[unit]
    return summary(values, statistic, q)


def benefit_days(
    simulated: Simulated, first: int, last: int, benefits: list[str] | None, *, weighted: bool = False
) -> Floats:
    """Return everybody's days on benefits in the window [first, last), shape (n,)."""
    found = once(
        simulated,
        "absence_days",
        {"first": first, "last": last, "benefits": benefits},
        lambda: count_absence_days(
            simulated.register, windows=[(first, last)], index=index_frame(simulated), benefits=benefits
        ),
    )
    return found["weighted_days" if weighted else "absence_days"].to_numpy(dtype=np.float64)


def summary(values: Floats, statistic: str, q: float) -> Measured:
    """Return the mean, the median, the quantile q or the standard deviation of values."""
    check_choice(statistic, ("mean", "median", "quantile", "sd"), argument="statistic")
    if statistic == "sd":
        return spread(values)
    if statistic == "mean":
        return mean(values)
    return quantile(values, 0.5 if statistic == "median" else q)


def status(
    simulated: Simulated,
    who: Bools,
    *,
    day: int,
    at_least: str = "fully",
    partly_from: float = 0.0,
    fully_from: float = 100.0,
    benefits: list[str] | None = None,
) -> Measured:
    """Percentage at least "partly" or "fully" in work on a day, as `work_status` tells it; "not": not in work."""
    check_choice(at_least, ("not", "partly", "fully"), argument="at_least")
    code = _status(simulated, day, partly_from, fully_from, benefits)[who]
    code = code[code >= 0]
    return percent(code == 0 if at_least == "not" else code >= (1 if at_least == "partly" else 2))


def _status(simulated: Simulated, day: int, partly_from: float, fully_from: float, benefits: list[str] | None) -> Any:
    def compute() -> Any:
        frame = work_status(
            simulated.register,
            days=[day],
            index=index_frame(simulated),
            partly_from=partly_from,
            fully_from=fully_from,
            benefits=benefits,
        )
        return frame["status"].cat.codes.to_numpy()

    options = {"day": day, "partly": partly_from, "fully": fully_from, "benefits": benefits}
    return once(simulated, "status", options, compute)


def four_states(simulated: Simulated, who: Bools, *, day: int, state: str, on_benefit_only: bool = False) -> Measured:
    """Percentage in one of four states on a day, as in Brekke 2017.

    Disability pension (of any grade) comes first; then full-time work (a job and no benefit), part-time work (a job
    beside a graded benefit), and out of work. With `on_benefit_only`, people with neither job nor benefit are in none
    of them, as in a table whose states do not add up to 100 %. Those who died or left are not counted.
    """
    check_choice(state, FOUR_STATES, argument="state")
    pension = on_benefits(simulated, ["disability_pension"], day)
    code = _status(simulated, day, 0.0, 100.0, None)
    known = who & (code >= 0)
    if state == "disability_pension":
        return percent(pension[known])
    level = {"full_time_work": 2, "part_time_work": 1, "out_of_work": 0}[state]
    hit = (code == level) & ~pension
    if on_benefit_only and level == 0:
        from rtwcohort.register.benefits import BENEFIT_NAMES

        hit &= on_benefits(simulated, list(BENEFIT_NAMES), day)
    return percent(hit[known])


def on_benefit(simulated: Simulated, who: Bools, *, day: int, benefits: list[str] | None = None) -> Measured:
    """Percentage on any of the benefits (None: all) on a day, of any grade, among those alive and resident."""
    from rtwcohort.register.benefits import BENEFIT_NAMES

    known = who & covered(simulated, day)
    return percent(on_benefits(simulated, benefits or list(BENEFIT_NAMES), day)[known])


def work_share(simulated: Simulated, *, first: int, last: int) -> tuple[Floats, Floats]:
    """Return the sum of work shares (1 is full time) and the observed days of [first, last), shape (n,)."""

    def compute() -> tuple[Floats, Floats]:
        line = timeline(simulated)
        n = len(simulated.people)
        owner = np.repeat(np.arange(n), np.diff(line.offset))
        low = np.maximum(line.start.astype(np.int64), simulated.people.index[owner] + first)
        high = np.minimum(line.end.astype(np.int64), simulated.people.index[owner] + last)
        days = np.where(line.state < 100, np.maximum(high - low, 0), 0).astype(np.float64)
        return (_add_up(owner, days * line.work_share / 100.0, n), _add_up(owner, days, n))

    return once(simulated, "work_share", {"first": first, "last": last}, compute)


def _add_up(owner: Ints, weights: Floats, n: int) -> Floats:
    return np.bincount(owner, weights=weights, minlength=n).astype(np.float64)


def work_participation(
    simulated: Simulated, who: Bools, *, first: int = 0, last: int, least: float | None = None
) -> Measured:
    """Mean work share over the window [first, last), in percent of full time.

    With `least`, the percentage of people whose own mean is at least that.
    """
    worked, observed = work_share(simulated, first=first, last=last)
    seen = who & (observed > 0)
    share = 100.0 * worked[seen] / observed[seen]
    return mean(share) if least is None else percent(share >= least)


def days_in_work(
    simulated: Simulated,
    who: Bools,
    *,
    first: int = 0,
    last: int,
    statistic: Statistic = "mean",
    q: float = 0.5,
    factor: float = 1.0,
) -> Measured:
    """Days in work in the window [first, last), part days by the work share; `factor` 5/7 gives working days."""
    check_number(factor, argument="factor", least=0.0)
    return summary(work_share(simulated, first=first, last=last)[0][who] * factor, statistic, q)
