"""The two work-status questions of occupational rehabilitation, answered so that they mean a given status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import from_days
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.draws import choose, key
from rtwcohort.simulate.portable import Ints

NOT_IN_WORK: Final = (1, 2, 4, 5)
"""Situations that mean not in work: medical treatment, retraining, graded benefit, full disability pension."""
_PARTLY: Final = 3


def draw_work_status(
    persons: Ints,
    status: Any,
    wave: str,
    answered_day: Ints,
    *,
    seed: int,
    situation_shares: Sequence[float] = (0.6, 0.15, 0.15, 0.1),
) -> pd.DataFrame:
    """Answer the work-status questions.

    Parameters
    ----------
    persons
        Numbers of the people over the whole register, shape (n,).
    status
        0 not in work, 1 partly, 2 in work; -1 for people who do not answer, shape (n,).
    wave
        Name of the wave.
    answered_day
        Day answered, shape (n,).
    seed
        The seed of the register.
    situation_shares
        Shares of medical treatment, retraining, graded benefit and full disability pension among those not in work. A
        share of 0 for graded benefit makes both readings of that answer agree.

    Returns
    -------
    pandas.DataFrame
        In the columns of `draw_waves`; `answered_work_status` gives the status back.

    Raises
    ------
    ArgumentError
        For a status that does not exist, or shares that are not four numbers of at least 0 with a positive sum.
    """
    level = np.asarray(status, dtype=np.int64)
    if level.shape != np.shape(persons) or not np.isin(level, (-1, 0, 1, 2)).all():
        raise ArgumentError("`status` must be -1 (no answer), 0, 1 or 2 for each person; something else came.")
    if len(situation_shares) != len(NOT_IN_WORK) or min(situation_shares) < 0.0 or not sum(situation_shares) > 0.0:
        raise ArgumentError(f"`situation_shares` must be four shares of at least 0; got {tuple(situation_shares)}.")
    drawn = np.asarray(NOT_IN_WORK)[choose(key(seed, f"answers situation {wave}"), persons, situation_shares)]
    situation = np.where(level == 1, _PARTLY, drawn).astype(np.float64)
    first = (level >= 0, (level == 2).astype(np.float64), "declared_fit")
    second = ((level == 0) | (level == 1), situation, "situation")
    parts = [
        pd.DataFrame(
            {
                "person": np.asarray(persons, dtype=np.int64)[there],
                "wave": wave,
                "answered_on": from_days(np.asarray(answered_day)[there]),
                "instrument": "WORK-STATUS",
                "item": item,
                "value": value[there],
            }
        ).astype({"wave": object, "instrument": object, "item": object})
        for there, value, item in (first, second)
    ]
    both = pd.concat(parts, ignore_index=True)
    return both.iloc[np.argsort(both["person"].to_numpy(), kind="stable")].reset_index(drop=True)
