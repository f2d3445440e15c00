"""Complete answers: every item and score of every wave, as they would be with nothing missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.simulate.draws import key, whole
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.declaration import Answers, Wave
from rtwcohort.simulate.questionnaires.missing import complete_scores
from rtwcohort.simulate.questionnaires.plan import WavePlan, plan_waves
from rtwcohort.simulate.questionnaires.traits import draw_items, draw_traits


@dataclass(frozen=True, slots=True)
class Block:
    """A block of people: arrays of shape (n,); from `stop` on nobody answers."""

    persons: Ints
    covariates: dict[str, Floats]
    index_day: Ints
    stop: Ints
    returned_day: Ints | None


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
    people = Block(
        persons=np.asarray(persons, dtype=np.int64),
        covariates={name: np.asarray(values, dtype=np.float64) for name, values in covariates.items()},
        index_day=np.asarray(index_day, dtype=np.int64),
        stop=np.zeros(len(persons), dtype=np.int64),
        returned_day=None if returned_day is None else np.asarray(returned_day, dtype=np.int64),
    )
    days = [day_answered(plan.wave, people.persons, people.index_day, seed) for plan in plans]
    scores = complete_scores(plans, complete_items(answers, plans, people, days, seed))
    out: dict[str, dict[str, Floats]] = {}
    for plan, of_wave in zip(plans, scores, strict=True):
        for scale, values in zip(plan.scales, of_wave, strict=True):
            out.setdefault(scale.score.name, {})[plan.wave.name] = values
    return out


def day_answered(wave: Wave, persons: Ints, index_day: Ints, seed: int) -> Ints:
    """Draw the day on which a wave is answered."""
    late = 0 if wave.day == 0 else wave.spread
    drawn = whole(key(seed, f"answers day {wave.name}"), persons, -wave.spread, late)
    day: Ints = np.asarray(index_day, dtype=np.int64) + wave.day + drawn
    return day


def complete_items(
    answers: Answers, plans: tuple[WavePlan, ...], people: Block, days: list[Ints], seed: int
) -> list[list[dict[str, Floats]]]:
    """Draw every item in points as scored, none left out: by wave, then by scale."""
    traits = draw_traits(answers, plans, people.persons, people.covariates, seed=seed)
    back = people.returned_day
    drawn = []
    for position, plan in enumerate(plans):
        returned = None if back is None else (back != MISSING_DAY) & (back <= days[position])
        drawn.append(
            [
                draw_items(
                    scale,
                    plan.wave.name,
                    people.persons,
                    trait,
                    seed=seed,
                    returned=returned,
                    all_statements=answers.all_statements,
                )
                for scale, trait in zip(plan.scales, traits[position], strict=True)
            ]
        )
    return drawn
