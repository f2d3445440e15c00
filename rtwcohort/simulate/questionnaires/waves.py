"""The questionnaires table: who answered what, when."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.declaration import Answers


def draw_waves(
    answers: Answers,
    persons: Ints,
    covariates: Mapping[str, Floats],
    index_day: Ints,
    gone_day: Ints,
    known_to: int | Ints,
    *,
    seed: int,
    returned_day: Ints | None = None,
) -> pd.DataFrame:
    """Draw the answers at every wave.

    Parameters
    ----------
    answers, persons, covariates, seed
        As for `draw_baseline`, whose scores are those of the first wave here; covariates also those that missing
        answers depend on.
    index_day
        Index day, shape (n,).
    gone_day
        Day of death or emigration, `MISSING_DAY` (or a day far off) for others, shape (n,): nobody answers from it on.
    known_to
        First day that the register does not know about: nobody answers from it on. One number, or one each.
    returned_day
        Day of return to work, `MISSING_DAY` for those who have not; None when nobody counts as returned.

    Returns
    -------
    pandas.DataFrame
        One row an answered item, by person, wave, scale and item: person (int64, from `persons`), wave, answered_on,
        instrument, item, value (as answered, before items are turned round).
    """
    raise NotImplementedError
