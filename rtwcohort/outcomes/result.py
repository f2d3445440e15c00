"""The result of applying an RTW rule: one row a person."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rtwcohort.outcomes.rule import RtwRule


@dataclass(frozen=True, slots=True)
class RtwOutcome:
    """Time to return to work under one rule.

    Attributes
    ----------
    frame
        One row a person: `person_id`, `index_date`, `time` (whole days from the index date, 0 on it), `event`
        (bool: returned), `cause` ("return", "death", "emigration", "retirement", "end_of_data", "horizon", or
        the name of the competing benefit, such as "disability_pension"), `event_date` (index date + time),
        `started_on` and `confirmed_on` (first and last day of the qualifying period; NaT without a return).
    rule, horizon
        As asked.
    n_day_zero
        How many were back on the index date itself.
    day_zero
        What was done with them: "event" keeps them at time 0, "exclude" leaves them out of `frame`.
    n_excluded
        How many were left out of `frame` for it.
    n_unconfirmed
        How many had begun a period within the horizon that the end of data left unconfirmed; they are censored.
    """

    frame: pd.DataFrame
    rule: RtwRule
    horizon: int
    n_day_zero: int
    day_zero: str = "event"
    n_excluded: int = 0
    n_unconfirmed: int = 0
