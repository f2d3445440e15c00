"""Scores worked out from other scores: job strain from demands and control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rtwcohort.instruments import get_instrument
from rtwcohort.simulate.portable import Floats
from rtwcohort.simulate.questionnaires.declaration import Answers

JOB_STRAIN: Final = "job_strain"
_DEMANDS: Final = "dcsq_demands"
_CONTROL: Final = "dcsq_control"


def derived_names(answers: Answers | None) -> tuple[str, ...]:
    """Return the names of the scores that are worked out from the declared ones."""
    declared = [] if answers is None else [score.name for score in answers.scores]
    return (JOB_STRAIN,) if {_DEMANDS, _CONTROL} <= set(declared) else ()


def derived_scores(scores: Mapping[str, Floats]) -> dict[str, Floats]:
    """Work out derived scores.

    Parameters
    ----------
    scores
        Score name -> complete scores, shape (n,).

    Returns
    -------
    dict
        `job_strain`, where demands and control are there: the mean item of demands divided by that of control, as the
        column `ratio` of `job_strain` gives it.
    """
    if _DEMANDS not in scores or _CONTROL not in scores:
        return {}
    demands, control = (scores[name] / float(len(get_instrument(name).items)) for name in (_DEMANDS, _CONTROL))
    return {JOB_STRAIN: demands / control}
