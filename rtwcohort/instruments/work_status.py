"""The work-status question of occupational rehabilitation: declared fit, and if not, what then."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.instruments.score import score

GradedBenefit = Literal["not_in_work", "partly_in_work"]

SITUATIONS: Final = {
    1: "under medical treatment",
    2: "in retraining",
    3: "partly declared fit",
    4: "graded benefit",
    5: "full disability pension",
}
"""Codes of the item `situation`, asked of those who are not declared fit."""

STATUSES: Final = ("not in work", "partly in work", "in work")
"""Levels 1, 2 and 3 of the recoded status."""


def answered_work_status(
    questionnaires: Any, *, wave: str | None = None, graded_benefit: GradedBenefit = "not_in_work"
) -> pd.DataFrame:
    """Recode the two work-status questions to not, partly or fully in work.

    Parameters
    ----------
    questionnaires
        Long answers with `instrument` "WORK-STATUS" and the items `declared_fit` (1 yes, 0 no) and `situation`
        (the codes of `SITUATIONS`).
    wave
        This wave only; None takes every wave.
    graded_benefit
        The source recodes a graded benefit to "not_in_work" in its methods, but its table footnotes call
        level 2 partly or graded in work: "partly_in_work" is that reading.

    Returns
    -------
    pandas.DataFrame
        person_id, wave, status (ordered Categorical of `STATUSES`; missing where the first question is
        unanswered, or answered no without a situation), contradictory (declared fit, and a situation given
        as well: the first question decides).

    Raises
    ------
    ArgumentError
        As `score` does; and for an unknown reading of graded benefits.
    """
    check_choice(graded_benefit, get_args(GradedBenefit), argument="graded_benefit")
    fit = score(questionnaires, "WORK-STATUS-FIT", wave=wave).rename(columns={"score": "fit"})
    situation = score(questionnaires, "WORK-STATUS-SITUATION", wave=wave).rename(columns={"score": "situation"})
    frame = fit.merge(situation, on=["person_id", "wave"], how="outer")
    partly = [3] if graded_benefit == "not_in_work" else [3, 4]
    code = np.select(
        [
            frame["fit"].eq(1),
            frame["fit"].eq(0) & frame["situation"].isin(partly),
            frame["fit"].eq(0) & frame["situation"].notna(),
        ],
        [2, 1, 0],
        default=-1,
    )
    dtype = pd.CategoricalDtype(list(STATUSES), ordered=True)
    status = pd.Categorical.from_codes(np.asarray(code, dtype=np.int64), dtype=dtype)
    contradictory = frame["fit"].eq(1) & frame["situation"].notna()
    return frame[["person_id", "wave"]].assign(status=status, contradictory=contradictory)
