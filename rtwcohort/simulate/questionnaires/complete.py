"""The complete scores of every wave, as they would be without missing answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.declaration import Answers
from rtwcohort.simulate.questionnaires.missing import complete_scores
from rtwcohort.simulate.questionnaires.plan import plan_waves
from rtwcohort.simulate.questionnaires.waves import _all_items, _day_answered, _People


def draw_complete(
    answers: Answers,
    persons: Ints,
    covariates: Mapping[str, Floats],
    index_day: Ints,
    *,
    seed: int,
    returned_day: Ints | None = None,
) -> dict[str, dict[str, Floats]]:
    """Draw every score at every wave, with no item missing.

    Parameters
    ----------
    answers, persons, covariates, index_day, seed, returned_day
        As for `draw_waves`, whose answers these scores come from.

    Returns
    -------
    dict
        Score name -> wave -> scores, shape (n,).
    """
    plans = plan_waves(answers)
    people = _People(
        persons=np.asarray(persons, dtype=np.int64),
        covariates={name: np.asarray(values) for name, values in covariates.items()},
        index_day=np.asarray(index_day, dtype=np.int64),
        stop=np.zeros(len(persons), dtype=np.int64),
        returned_day=returned_day,
    )
    days = [_day_answered(plan.wave, people.persons, people.index_day, seed) for plan in plans]
    scores = complete_scores(plans, _all_items(answers, plans, people, days, seed))
    out: dict[str, dict[str, Floats]] = {}
    for plan, of_wave in zip(plans, scores, strict=True):
        for scale, values in zip(plan.scales, of_wave, strict=True):
            out.setdefault(scale.score.name, {})[plan.wave.name] = values
    return out
