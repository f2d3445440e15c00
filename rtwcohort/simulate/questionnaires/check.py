"""What a declaration comes to: its errors before anything is drawn, and its true values as a table."""

from __future__ import annotations

import pandas as pd

from rtwcohort.simulate.questionnaires.declaration import Answers, term_name
from rtwcohort.simulate.questionnaires.missing import check_missing, item_mechanism, wave_mechanism
from rtwcohort.simulate.questionnaires.plan import plan_waves


def check_answers(answers: Answers) -> None:
    """Raise what drawing would raise, whatever the people are.

    Raises
    ------
    ArgumentError
        When targets cannot be met, correlations are not positive definite, covariates explain more than everything,
        or what missing answers depend on is not fully told.
    """
    check_missing(answers, plan_waves(answers))


def covariates_needed(answers: Answers) -> tuple[str, ...]:
    """Return the covariates that drawing these answers asks for, in order of first use."""
    scores = {score.name for score in answers.scores} | {"value"}
    missing = [
        *answers.missing_on,
        *answers.item_missing_on,
        *(term for wave in answers.waves for term in wave.missing_on),
    ]
    names = [item.term for score in answers.scores for item in score.depends]
    names += [term.term for term in missing if term_name(term.term) not in scores]
    names += [wave.among for wave in answers.waves if wave.among]
    return tuple(dict.fromkeys(names))


def answer_targets(answers: Answers) -> pd.DataFrame:
    """Return the true values: one row a wave and scale that it asks.

    Returns
    -------
    pandas.DataFrame
        wave, day, instrument, score, mean, sd, alpha, latent_sd_points (points of the score for one standard deviation
        of the trait), response, not_answered and items_left_out ("none", "mcar", "mar" or "mnar").
    """
    check_answers(answers)
    rows = [
        {
            "wave": plan.wave.name,
            "day": plan.wave.day,
            "instrument": scale.score.declared.name,
            "score": scale.score.name,
            "mean": scale.mean,
            "sd": scale.sd,
            "alpha": scale.score.alpha,
            "latent_sd_points": scale.points_per_trait,
            "response": plan.wave.response,
            "not_answered": wave_mechanism(answers, plan.wave.name),
            "items_left_out": item_mechanism(answers, plan.wave.name),
        }
        for plan in plan_waves(answers)
        for scale, asked in zip(plan.scales, plan.asked, strict=True)
        if asked
    ]
    return pd.DataFrame(rows)
