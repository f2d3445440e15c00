"""Traits of people at each wave, and the items they answer with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.draws import key, normal
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.declaration import Answers
from rtwcohort.simulate.questionnaires.plan import ScaleAtWave, WavePlan

Covariates = Mapping[str, Floats]


def draw_traits(
    answers: Answers, plans: tuple[WavePlan, ...], persons: Ints, covariates: Covariates, *, seed: int
) -> list[list[Floats]]:
    """Draw the traits, standard normal among all people.

    Returns
    -------
    list of list of numpy.ndarray
        By wave, then by score: shape (n,).
    """
    own: list[Floats] = []
    traits = []
    for position, plan in enumerate(plans):
        own = _own_parts(answers, plan, persons, own, position, seed)
        traits.append([_trait(plan, row, own, covariates, len(persons)) for row in range(len(plan.scales))])
    return traits


def covariate(covariates: Covariates, term: str, n: int, needed_by: str) -> Floats:
    """Return one covariate, or tell that it is not there, is not finite or has the wrong length."""
    if term not in covariates:
        listed = ", ".join(covariates) or "none"
        raise ArgumentError(
            f"`{needed_by}` needs the covariate {term!r}; there are: {listed}.{did_you_mean(term, covariates)}"
        )
    values = np.asarray(covariates[term], dtype=np.float64)
    if values.shape != (n,):
        raise ArgumentError(f"`covariates` must have one value a person ({n}); {term!r} has shape {values.shape}.")
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ArgumentError(f"`covariates` must be finite; {term!r} has {bad} missing or infinite values.")
    return values


def _own_parts(
    answers: Answers, plan: WavePlan, persons: Ints, before: list[Floats], position: int, seed: int
) -> list[Floats]:
    """Return one standard normal a score and person, unrelated between scores, related between waves."""
    parts = []
    stays = answers.stability
    for row, scale in enumerate(plan.scales):
        name = scale.score.name
        now = normal(key(seed, f"answers trait {name} {plan.wave.name}"), persons)
        if answers.stays == "same":
            always = normal(key(seed, f"answers trait {name}"), persons)
            now = np.sqrt(stays) * always + np.sqrt(1.0 - stays) * now
        elif position > 0:
            now = stays * before[row] + np.sqrt(1.0 - stays * stays) * now
        parts.append(now)
    return parts


def _trait(plan: WavePlan, row: int, own: list[Floats], covariates: Covariates, n: int) -> Floats:
    total = np.zeros(n)
    for weight, part in zip(plan.root[row], own, strict=True):
        if weight != 0.0:
            total = total + weight * part
    scale = plan.scales[row]
    for item, weight in scale.depends:
        values = covariate(covariates, item.term, n, f"depends of {scale.score.name}")
        total = total + weight * (values - item.centre)
    return total


def draw_items(
    scale: ScaleAtWave,
    wave: str,
    persons: Ints,
    trait: Floats,
    *,
    seed: int,
    returned: npt.NDArray[np.bool_] | None = None,
    all_statements: bool = False,
) -> dict[str, Floats]:
    """Draw the answers to every item in points as scored (a high point is a high score), before any is left out.

    Returns
    -------
    dict
        Item -> points, shape (n,), in the order of the questionnaire. Without `all_statements` only scored items.
    """
    declared, items = scale.score.declared, scale.items
    stream = key(seed, f"answers items {scale.score.name} {wave}")
    middle: float | Floats = items.middle
    if returned is not None and scale.returned_middle != items.middle:
        middle = np.where(returned, scale.returned_middle, items.middle)
    offsets = dict(zip(declared.items, items.offsets, strict=True))
    drawn = {}
    for position, item in enumerate(declared.statements):
        if item not in offsets and not all_statements:
            continue
        value = items.loading * trait
        if items.rest > 0.0:
            value = value + items.rest * normal(stream, persons, position)
        steps = np.floor(middle + items.width * (value + offsets.get(item, 0.0)) + 0.5)
        steps = np.minimum(np.maximum(steps, 0.0), float(items.n_steps))
        drawn[item] = declared.least + scale.step * steps
    return drawn


def score_items(scale: ScaleAtWave, drawn: Mapping[str, Floats]) -> Floats:
    """Score complete answers in points: the sums are of whole numbers, so their order does not matter."""
    declared = scale.score.declared
    total = np.zeros(len(next(iter(drawn.values()))))
    for item in declared.items:
        total = total + drawn[item]
    if declared.scoring == "sum":
        return total
    mean: Floats = total / len(declared.items)
    if declared.scoring == "sum_percent":
        mean = 100.0 * (mean - declared.least) / (declared.most - declared.least)
    return mean
