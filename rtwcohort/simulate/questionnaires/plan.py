"""From the declaration to what can be drawn from: items of each scale at each wave, and how traits hang together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import Instrument
from rtwcohort.simulate.questionnaires.correlation import Matrix, latent_correlation, lower_root
from rtwcohort.simulate.questionnaires.declaration import Answers, Depends, Score, Wave, term_name
from rtwcohort.simulate.questionnaires.items import Items, moved_middle, solve_items


@dataclass(frozen=True, slots=True)
class ScaleAtWave:
    """One scale at one wave.

    Attributes
    ----------
    score
        Its declaration.
    step
        Points from one answer to the next.
    items
        How items are drawn.
    returned_middle
        `items.middle` for people who have returned.
    mean, sd
        Targets of the score at this wave.
    points_per_trait
        Points of the score for one standard deviation of the trait.
    depends
        Covariates that the trait depends on at this wave, with their weight: standard deviations of the trait for one
        unit of the covariate.
    """

    score: Score
    step: float
    items: Items
    returned_middle: float
    mean: float
    sd: float
    points_per_trait: float
    depends: tuple[tuple[Depends, float], ...]


@dataclass(frozen=True, slots=True)
class WavePlan:
    """One wave: its scales in the order of the declaration, the root of the traits' covariance, and what is asked."""

    wave: Wave
    scales: tuple[ScaleAtWave, ...]
    root: Matrix
    asked: tuple[bool, ...]

    def scale(self, name: str) -> int | None:
        """Return the position of a score; None when there is none of this name."""
        names = [scale.score.name for scale in self.scales]
        return names.index(name) if name in names else None


@lru_cache(maxsize=64)
def plan_waves(answers: Answers) -> tuple[WavePlan, ...]:
    """Solve every scale at every wave and check the correlations.

    Raises
    ------
    ArgumentError
        When targets cannot be met, covariates explain more than everything, or correlations are not positive definite.
    """
    if answers.scores and not answers.waves:
        raise ArgumentError("`waves` must name at least one wave when there are `scores`; got none.")
    if not answers.waves:
        return ()
    first = tuple(_scale(score, answers.waves[0], None) for score in answers.scores)
    latent = _latent(answers, first)
    plans = []
    for position, wave in enumerate(answers.waves):
        scales = first if position == 0 else tuple(_scale(score, wave, answers.waves[0]) for score in answers.scores)
        asked = {term_name(name) for name in wave.instruments}
        plans.append(
            WavePlan(
                wave=wave,
                scales=scales,
                root=_root(latent, scales, wave),
                asked=tuple(not asked or scale.score.name in asked for scale in scales),
            )
        )
    return tuple(plans)


def step_of(declared: Instrument) -> float:
    """Return the points between neighbouring answers: 1, or a hundredth of a short range without whole answers."""
    width = declared.most - declared.least
    return 1.0 if declared.whole or width >= 5.0 else width / 100.0


def _scale(score: Score, wave: Wave, first: Wave | None) -> ScaleAtWave:
    declared = score.declared
    change = next((item for item in score.changes if item.wave == wave.name), None)
    mean = score.mean + (change.points if change else 0.0)
    sd = change.sd if change and change.sd is not None else score.sd
    step, n_items = step_of(declared), len(declared.items)
    n_steps = round((declared.most - declared.least) / step)
    low, unit = _line(declared, step)
    what = f"{declared.name} at wave '{wave.name}' (mean {mean:g}, sd {sd:g}, alpha {score.alpha})"
    items = solve_items(n_items, n_steps, (mean - low) / unit, sd / unit, score.alpha, score.item_spread, what)
    per_trait = items.slope * unit
    returned = 0.0 if first is None else score.returned
    middle = moved_middle(items, (mean + returned - low) / unit) if returned else items.middle
    if middle is None:
        raise ArgumentError(
            f"`returned` of {declared.name} takes the mean at wave '{wave.name}' to {mean + returned:g}, out of the "
            f"range of the score ({declared.score_range[0]:g} to {declared.score_range[1]:g})."
        )
    depends = tuple(
        (item, item.points / item.per / per_trait)
        for item in score.depends
        if not item.waves or wave.name in item.waves
    )
    return ScaleAtWave(score, step, items, middle, mean, sd, per_trait, depends)


def _line(declared: Instrument, step: float) -> tuple[float, float]:
    """Return the score at the lowest sum, and the points of the score for one step of one item."""
    n_items = len(declared.items)
    if declared.scoring == "sum":
        return declared.least * n_items, step
    if declared.scoring == "sum_percent":
        return 0.0, 100.0 * step / (n_items * (declared.most - declared.least))
    return declared.least, step / n_items


def _latent(answers: Answers, scales: tuple[ScaleAtWave, ...]) -> Matrix:
    names = [scale.score.name for scale in scales]
    listed = {frozenset(map(term_name, item.between)): item.value for item in answers.correlations}
    matrix = [[1.0] * len(names) for _ in names]
    for row, one in enumerate(scales):
        for column in range(row):
            value = listed.get(frozenset((names[row], names[column])), answers.other_correlations)
            found = value if answers.correlation_of == "latent" else _disattenuated(one, scales[column], value)
            matrix[row][column] = matrix[column][row] = found
    if names:
        lower_root(matrix, names, "The correlations between scales")
    return matrix


def _disattenuated(one: ScaleAtWave, two: ScaleAtWave, value: float) -> float:
    units = [scale.points_per_trait / scale.items.slope for scale in (one, two)]
    found = latent_correlation(one.items, two.items, one.sd / units[0], two.sd / units[1], value)
    if found is None:
        raise ArgumentError(
            f"The scores {one.score.name} and {two.score.name} cannot correlate {value:g}: their alphas "
            f"({one.score.alpha} and {two.score.alpha}) leave no room for it. Raise alpha or lower the correlation."
        )
    return found


def _root(latent: Matrix, scales: tuple[ScaleAtWave, ...], wave: Wave) -> Matrix:
    """Return the root of what covariates leave of the traits' covariance."""
    names = [scale.score.name for scale in scales]
    left = [row.copy() for row in latent]
    for row, one in enumerate(scales):
        for column, two in enumerate(scales):
            shared = [
                weight * other_weight * item.sd * other.sd
                for item, weight in one.depends
                for other, other_weight in two.depends
                if item.term == other.term
            ]
            left[row][column] -= math.fsum(shared)
        if left[row][row] <= 0.0:
            explained = 1.0 - left[row][row]
            raise ArgumentError(
                f"`depends` of {names[row]} explain {100 * explained:.0f} % of its variance at wave '{wave.name}', "
                "which leaves nothing. Lower `points` or `sd`, or raise the sd of the score."
            )
    what = f"What covariates leave of the correlations between scales at wave '{wave.name}'"
    return lower_root(left, names, what) if names else []
