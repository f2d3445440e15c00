"""Time from return to work to the first relapse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import from_days, to_days
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.relapse_kernel import find_relapses
from rtwcohort.outcomes.result import RtwOutcome
from rtwcohort.outcomes.return_to_work import HOLDS, cause_words, censor
from rtwcohort.outcomes.rtw_follow_up import back_states, competing_codes, day_limits, follow_up
from rtwcohort.outcomes.rtw_kernel import NONE
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.register.register import Register


def relapse(source: Register | Timeline, outcome: RtwOutcome, *, horizon: int, min_days: int = 1) -> pd.DataFrame:
    """Find, for each person who returned, the first days after it that are not back.

    Parameters
    ----------
    source
        The register or timeline that `outcome` was found on.
    outcome
        Result of `return_to_work`; its rule says which days are back. For "mean" and "increase" a day is
        back when its own work share meets the bound.
    horizon
        Days from the return: a relapse that starts on day `horizon` counts.
    min_days
        How many days in a row make a relapse. 17 leaves out what the Norwegian employer period hides.

    Returns
    -------
    pandas.DataFrame
        One row a returned person, in the order of `outcome.frame`: `person_id`, `return_date` (first day of
        the qualifying period), `time` (days from it), `event` (bool: relapsed), `cause` ("relapse", "death",
        "emigration", "retirement", "end_of_data", "horizon" or a competing benefit) and `relapse_date`.

    Raises
    ------
    ArgumentError
        When an option breaks its rule or a given timeline does not fit.

    Notes
    -----
    Time runs from the first day of the return, but nobody can relapse before the qualifying period is over:
    the days of that period are time without risk. To count from its end, enter people at `confirmed_on`
    (delayed entry), or subtract it. The start of a competing benefit ends follow-up with its own cause,
    also when the rule considers that benefit. A stretch that starts within the horizon may be completed after it.
    """
    if not isinstance(outcome, RtwOutcome):
        raise ArgumentError(f"`outcome` must come from return_to_work; got {type(outcome).__name__}.")
    check_number(horizon, argument="horizon", least=0, most=36525, whole=True)
    check_number(min_days, argument="min_days", least=1, most=36525, whole=True)
    rule = outcome.rule
    returned = outcome.frame.loc[outcome.frame["event"]].reset_index(drop=True)
    origin, confirmed = to_days(returned["started_on"]), to_days(returned["confirmed_on"])
    ahead = origin.astype(np.int64) - to_days(returned["index_date"])
    found = follow_up(source, rule, returned, needed_days=ahead + horizon + min_days)
    timeline, relapsed = found.timeline, np.empty(len(origin), dtype=np.int32)
    find_relapses(
        timeline.offset,
        timeline.start,
        timeline.end,
        timeline.present,
        timeline.work_share,
        back_states(timeline, rule),
        found.person,
        found.index,
        origin,
        confirmed,
        found.stop,
        found.cause,
        int(horizon),
        HOLDS[rule.hold],
        int(rule.baseline_days),
        int(min_days),
        day_limits(rule)[2],
        competing_codes(rule),
        rule.competing_onset == "not_back",
        relapsed,
    )
    return _frame(returned, relapsed, *censor(found.stop, found.cause, origin, horizon))


def _frame(returned: pd.DataFrame, relapsed: Any, time: Any, code: Any) -> pd.DataFrame:
    event = relapsed != NONE
    cause = cause_words(code)
    cause[event] = "relapse"
    origin = to_days(returned["started_on"]).astype(np.int64)
    return pd.DataFrame(
        {
            "person_id": returned["person_id"],
            "return_date": returned["started_on"],
            "time": np.where(event, relapsed.astype(np.int64) - origin, time),
            "event": event,
            "cause": cause,
            "relapse_date": from_days(relapsed),
        }
    )
