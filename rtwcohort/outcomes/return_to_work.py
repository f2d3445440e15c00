"""Time from the index date to return to work under one rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.days import Days, from_days
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes import rtw_kernel
from rtwcohort.outcomes.calendar_kernel import add_months_each
from rtwcohort.outcomes.catalogue import get_rule
from rtwcohort.outcomes.result import RtwOutcome
from rtwcohort.outcomes.rtw_follow_up import (
    CAUSES,
    LONGEST,
    FollowUp,
    back_states,
    competing_codes,
    day_limits,
    follow_up,
)
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.register.register import Register

DayZero = Literal["event", "exclude"]

HOLDS: Final = {
    "consecutive": rtw_kernel.CONSECUTIVE,
    "mean": rtw_kernel.MEAN,
    "increase": rtw_kernel.INCREASE,
    "point": rtw_kernel.POINT,
}
UNITS: Final = {"days": rtw_kernel.DAYS, "weeks": rtw_kernel.WEEKS, "months": rtw_kernel.MONTHS}
CALENDARS: Final = {
    "days": rtw_kernel.ROLLING,
    "iso_weeks": rtw_kernel.ISO_WEEKS,
    "windows": rtw_kernel.WINDOWS,
    "months": rtw_kernel.WINDOWS,
}


@dataclass(frozen=True, slots=True)
class Periods:
    """The first qualifying period of each person, arrays of shape (n,).

    Attributes
    ----------
    first_day, last_day
        Inclusive; `NONE` where there is none.
    running
        A period had begun within the horizon that the end of data left unconfirmed.
    """

    first_day: Days
    last_day: Days
    running: npt.NDArray[np.bool_]


def return_to_work(
    source: Register | Timeline,
    rule: RtwRule | str,
    *,
    horizon: int,
    index: Any = None,
    day_zero: DayZero = "event",
) -> RtwOutcome:
    """Find each person's first return to work, or what ended their follow-up.

    Parameters
    ----------
    source
        A cleaned register, or a timeline. From a register the timeline that the rule needs is built.
    rule
        A rule, or the name of one in the catalogue.
    horizon
        Days of follow-up: a return that starts on day `horizon` counts, one that starts a day later does not.
    index
        Frame with `person_id` and `index_date`, one row a person; None takes the register's enrolment table.
    day_zero
        Who is back on the index date itself: "event" at time 0, or "exclude" them from the frame.
        Both count them in `n_day_zero`.

    Returns
    -------
    RtwOutcome
        One row a person in the order of `index`. Without a return, `time` is the day of what came first:
        a competing event, emigration or retirement, the last day known, the horizon.

    Raises
    ------
    ArgumentError
        When an option breaks its rule, an index date lies after the end of data or after death, or a
        timeline does not fit the rule.

    Notes
    -----
    The whole qualifying period must lie before death, emigration, retirement, a competing benefit and the
    end of data. A period that the end of data cuts short is no return: the person is censored at the last
    day known, or at the horizon where data reach it, and counted in `n_unconfirmed`.

    Examples
    --------
    Sick-listed for ten days from the index date, and well since:

    >>> import pandas as pd
    >>> from rtwcohort.register.register import Register
    >>> spells = pd.DataFrame(
    ...     {
    ...         "person_id": [7],
    ...         "benefit": ["sickness_benefit"],
    ...         "start": pd.to_datetime(["2020-01-01"]),
    ...         "end": pd.to_datetime(["2020-01-10"]),
    ...         "grade": [100.0],
    ...     }
    ... )
    >>> people = pd.DataFrame({"person_id": [7]})
    >>> register = Register(people, spells, None, None, None, pd.Timestamp("2020-12-31"))
    >>> index = pd.DataFrame({"person_id": [7], "index_date": ["2020-01-01"]})
    >>> outcome = return_to_work(register, "gismervik_2020", horizon=365, index=index)
    >>> outcome.frame[["time", "event", "cause"]].values.tolist()
    [[10, True, 'return']]
    """
    chosen = get_rule(rule) if isinstance(rule, str) else rule
    if not isinstance(chosen, RtwRule):
        raise ArgumentError(f"`rule` must be an RtwRule or the name of one; got {type(chosen).__name__}.")
    check_number(horizon, argument="horizon", least=0, most=36525, whole=True)
    check_choice(day_zero, ("event", "exclude"), argument="day_zero")
    found = follow_up(source, chosen, index, needed_days=_needed_days(chosen, horizon))
    _check_points(found, chosen, horizon)
    periods = find_periods(found, chosen, horizon)
    return _outcome(found, periods, chosen, horizon, day_zero)


def find_periods(found: FollowUp, rule: RtwRule, horizon: int) -> Periods:
    """Run the kernel; `found.stop` and `found.cause` are moved to a competing benefit that comes first."""
    timeline, n = found.timeline, len(found.index)
    periods = Periods(np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.zeros(n, dtype=np.bool_))
    rtw_kernel.find_returns(
        timeline.offset,
        timeline.start,
        timeline.end,
        timeline.present,
        timeline.work_share,
        back_states(timeline, rule),
        found.person,
        found.index,
        found.stop,
        found.cause,
        int(horizon),
        rule.confirmation == "by_horizon",
        HOLDS[rule.hold],
        CALENDARS[str(rule.calendar)],
        UNITS[rule.unit],
        int(rule.length),
        np.array(rule.at, dtype=np.int64),
        int(rule.baseline_days),
        day_limits(rule)[2],
        competing_codes(rule),
        rule.competing_onset == "not_back",
        periods.first_day,
        periods.last_day,
        periods.running,
    )
    return periods


def censor(
    stop: npt.NDArray[Any], cause: npt.NDArray[np.int8], origin: npt.NDArray[Any], horizon: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Return time and cause of people without an event: what stops them, or the horizon before it.

    `stop` is the first day that cannot count. The last day known is the day before it where data end;
    elsewhere it is the day of what happens.
    """
    time = stop.astype(np.int64) - origin - (cause == rtw_kernel.END_OF_DATA)
    past = (time > horizon) | ((time == horizon) & (cause == rtw_kernel.END_OF_DATA))
    return np.where(past, horizon, time), np.where(past, rtw_kernel.HORIZON, cause).astype(np.int8)


def cause_words(codes: npt.NDArray[np.int8]) -> npt.NDArray[np.object_]:
    """Return the words for an array of cause codes."""
    words = np.array([CAUSES.get(code, "") for code in range(max(CAUSES) + 1)], dtype=object)
    return np.asarray(words[codes])


def _check_points(found: FollowUp, rule: RtwRule, horizon: int) -> None:
    for count in rule.at:
        when = add_months_each(found.index, count) if rule.unit == "months" else None
        step = LONGEST[rule.unit] * count
        days = np.full(len(found.index), step) if when is None else when.astype(np.int64) - found.index
        within = days <= horizon
        if within.all() or (count > rule.at[0] and not within.any()):
            continue
        raise ArgumentError(
            f"`horizon` must reach the measurement {count} {rule.unit} after the index date, which the rule "
            f"'{rule.name}' takes on day {_range(days)}; got {horizon} days. Use horizon={int(days.max())} or more."
        )


def _range(days: npt.NDArray[Any]) -> str:
    low, high = int(days.min()), int(days.max())
    return str(low) if low == high else f"{low} to {high}"


def _needed_days(rule: RtwRule, horizon: int) -> int:
    """Return how many days from the index day on must be seen to judge every start within the horizon."""
    if rule.hold == "point" or rule.confirmation == "by_horizon":
        return horizon + 1
    return horizon + 7 + rule.length * LONGEST[rule.unit]


def _outcome(found: FollowUp, periods: Periods, rule: RtwRule, horizon: int, day_zero: DayZero) -> RtwOutcome:
    event = periods.first_day != rtw_kernel.NONE
    dated = periods.first_day if rule.event_date == "start" else periods.last_day
    time, code = censor(found.stop, found.cause, found.index, horizon)
    time = np.where(event, dated.astype(np.int64) - found.index, time)
    cause = cause_words(code)
    cause[event] = "return"
    at_zero = event & (periods.first_day == found.index)
    frame = pd.DataFrame(
        {
            "person_id": found.timeline.people.person_id[found.person],
            "index_date": from_days(found.index),
            "time": time,
            "event": event,
            "cause": cause,
            "event_date": from_days(found.index + time),
            "started_on": from_days(periods.first_day),
            "confirmed_on": from_days(periods.last_day),
        }
    )
    n_zero = int(at_zero.sum())
    if day_zero == "exclude":
        frame = frame.loc[~at_zero].reset_index(drop=True)
    return RtwOutcome(
        frame=frame,
        rule=rule,
        horizon=int(horizon),
        n_day_zero=n_zero,
        day_zero=day_zero,
        n_excluded=n_zero if day_zero == "exclude" else 0,
        n_unconfirmed=int(periods.running.sum()),
    )
