"""The complete scores of the first wave, which hazards may depend on."""

from __future__ import annotations

from collections.abc import Mapping

from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.declaration import Answers
from rtwcohort.simulate.questionnaires.plan import plan_waves
from rtwcohort.simulate.questionnaires.traits import draw_items, draw_traits, score_items


def draw_baseline(answers: Answers, persons: Ints, covariates: Mapping[str, Floats], *, seed: int) -> dict[str, Floats]:
    """Draw every score at the first wave, with no item missing.

    Parameters
    ----------
    answers
        The declaration.
    persons
        Numbers of the people over the whole register, shape (n,).
    covariates
        Name -> values, shape (n,): those that `Score.depends` names.
    seed
        The seed of the register.

    Returns
    -------
    dict
        Score name ("fabq_w") -> scores, shape (n,): what `score` gives for the drawn items of that wave.

    Raises
    ------
    ArgumentError
        When a covariate is missing, or no items can meet the targets.
    """
    plans = plan_waves(answers)[:1]
    if not plans:
        return {}
    (traits,) = draw_traits(answers, plans, persons, covariates, seed=seed)
    scores = {}
    for scale, trait in zip(plans[0].scales, traits, strict=True):
        drawn = draw_items(scale, plans[0].wave.name, persons, trait, seed=seed)
        scores[scale.score.name] = score_items(scale, drawn)
    return scores
