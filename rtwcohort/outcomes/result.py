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
        One row a person: `person_id`, `index_date`, `time` (whole days from the index date, 0 on it), `event` (bool: returned),
        `cause` ("return", "disability_pension", "death", "emigration", "retirement", "end_of_data", "horizon"),
        `event_date`, `confirmed_on` (last day of the qualifying period; NaT without a return).
    rule, horizon
        As asked.
    n_day_zero
        How many returned on the index date itself.
    """

    frame: pd.DataFrame
    rule: RtwRule
    horizon: int
    n_day_zero: int
