"""Who does not answer a wave, and which items are left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.draws import key, uniform
from rtwcohort.simulate.portable import Floats, Ints, exp
from rtwcohort.simulate.questionnaires.declaration import Answers, MissingOn, term_name
from rtwcohort.simulate.questionnaires.plan import ScaleAtWave, WavePlan
from rtwcohort.simulate.questionnaires.root import find_root
from rtwcohort.simulate.questionnaires.traits import Covariates, covariate, score_items

Mechanism = Literal["none", "mcar", "mar", "mnar"]
Flags = npt.NDArray[np.bool_]
Scores = list[list[Floats]]
"""Complete scores by wave, then by score: each of shape (n,)."""

_STEP: Final = 0.125
_NODES: Final[Floats] = _STEP * np.arange(-64.0, 65.0)
_WEIGHTS: Final[Floats] = exp(-0.5 * _NODES * _NODES) * (_STEP / 2.5066282746310002)


def wave_mechanism(answers: Answers, wave: str) -> Mechanism:
    """Tell whether not answering a wave is at random: "none", "mcar", "mar" or "mnar".

    Terms on an earlier score count as at random, which is so as far as that score was observed.
    """
    position = [item.name for item in answers.waves].index(wave)
    terms = _wave_terms(answers, position)
    monotone = answers.dropout == "monotone" and position > 0
    if answers.waves[position].response == 1.0:
        return "none"
    earlier = {wave_mechanism(answers, item.name) for item in answers.waves[:position]} if monotone else set()
    return _mechanism(terms, position, answers, earlier)


def item_mechanism(answers: Answers, wave: str) -> Mechanism:
    """Tell whether leaving out items at a wave is at random, as `wave_mechanism` does."""
    shares = [answers.item_missing if item.item_missing is None else item.item_missing for item in answers.scores]
    if not any(shares):
        return "none"
    return _mechanism(answers.item_missing_on, [item.name for item in answers.waves].index(wave), answers, set())


def check_missing(answers: Answers, plans: Sequence[WavePlan]) -> None:
    """Raise when a term of `missing_on` or `item_missing_on` is not fully told."""
    for position in range(len(plans)):
        for term in _wave_terms(answers, position):
            if term.term == "value":
                raise ArgumentError("`missing_on` 'value' is for single items: put it in `item_missing_on`.")
        items = [term for term in answers.item_missing_on if term.term != "value"]
        _spread((*_wave_terms(answers, position), *items), plans, position)


def draw_response(
    answers: Answers, plans: Sequence[WavePlan], scores: Scores, persons: Ints, covariates: Covariates, *, seed: int
) -> list[Flags]:
    """Draw who is asked and would answer each wave, if alive and living in the country: one boolean array a wave."""
    still = np.ones(len(persons), dtype=bool)
    before = 1.0
    out: list[Flags] = []
    for position, plan in enumerate(plans):
        share = plan.wave.response
        if answers.dropout == "monotone":
            share, before = (share / before if before > 0.0 else 0.0), share
        terms = [term for term in _wave_terms(answers, position) if term.log_or != 0.0]
        risk = _predictor(terms, plans, scores, position, covariates, len(persons)) if terms else None
        missing = _risk(1.0 - share, risk, _spread(terms, plans, position), ())
        answered = uniform(key(seed, f"answers response {plan.wave.name}"), persons) >= missing
        if answers.dropout == "monotone":
            still = answered = answered & still
        out.append(answered & _asked(plan, covariates, len(persons)))
    return out


def _asked(plan: WavePlan, covariates: Covariates, n: int) -> Flags:
    if not plan.wave.among:
        return np.ones(n, dtype=bool)
    values = covariate(covariates, plan.wave.among, n, f"among of wave '{plan.wave.name}'")
    if not np.isin(values, (0.0, 1.0)).all():
        raise ArgumentError(f"`among` {plan.wave.among!r} of wave '{plan.wave.name}' must be 0 or 1 for everybody.")
    asked: Flags = values == 1.0
    return asked


def draw_left_out(
    answers: Answers,
    plans: Sequence[WavePlan],
    scores: Scores,
    position: int,
    row: int,
    drawn: dict[str, Floats],
    persons: Ints,
    covariates: Covariates,
    *,
    seed: int,
) -> dict[str, Flags]:
    """Draw which items of a scale are left out at a wave: item -> boolean array, shape (n,)."""
    scale, wave = plans[position].scales[row], plans[position].wave
    given = scale.score.item_missing
    share = answers.item_missing if given is None else given
    stream = key(seed, f"answers left out {scale.score.name} {wave.name}")
    terms = [term for term in answers.item_missing_on if term.term != "value" and term.log_or != 0.0]
    slope = math.fsum(term.log_or / term.per for term in answers.item_missing_on if term.term == "value")
    risk = _predictor(terms, plans, scores, position, covariates, len(persons)) if terms else None
    spread = _spread(terms, plans, position)
    shares = dict(zip(scale.score.declared.items, scale.items.shares().tolist(), strict=True))
    statements = scale.score.declared.statements
    out = {}
    for item, values in drawn.items():
        of_value, total = _value_part(scale, shares.get(item), slope)
        own = risk
        if of_value:
            own = slope * (values - scale.score.declared.least) + (0.0 if risk is None else risk)
        chance = _risk(share, own, spread, total)
        out[item] = uniform(stream, persons, statements.index(item)) < chance
    return out


def complete_scores(plans: Sequence[WavePlan], drawn: list[list[dict[str, Floats]]]) -> Scores:
    """Score the complete items of every wave."""
    return [
        [score_items(scale, items) for scale, items in zip(plan.scales, of_wave, strict=True)]
        for plan, of_wave in zip(plans, drawn, strict=True)
    ]


def _value_part(
    scale: ScaleAtWave, shares: list[float] | None, slope: float
) -> tuple[bool, tuple[tuple[float, float], ...]]:
    """Return whether the item's value matters, and (share, shift of the log odds) of each of its values."""
    if slope == 0.0:
        return False, ()
    if shares is None:
        shares = [1.0 / (scale.items.n_steps + 1)] * (scale.items.n_steps + 1)
    return True, tuple((share, slope * scale.step * step) for step, share in enumerate(shares))


def _wave_terms(answers: Answers, position: int) -> tuple[MissingOn, ...]:
    own = answers.waves[position].missing_on
    return own if position == 0 else (*answers.missing_on, *own)


def _mechanism(terms: Sequence[MissingOn], position: int, answers: Answers, earlier: set[Mechanism]) -> Mechanism:
    names = {score.name for score in answers.scores}
    found = set(earlier)
    for term in terms:
        if term.log_or == 0.0:
            continue
        now = term.term == "value" or (term_name(term.term) in names and (term.at == "now" or position == 0))
        found.add("mnar" if now else "mar")
    return "mnar" if "mnar" in found else "mar" if "mar" in found else "mcar"


def _predictor(
    terms: Sequence[MissingOn],
    plans: Sequence[WavePlan],
    scores: Scores,
    position: int,
    covariates: Covariates,
    n: int,
) -> Floats:
    """Return the log odds of being missing without their intercept."""
    total = np.zeros(n)
    for term in terms:
        centre, _ = _centre_and_sd(term, plans, position)
        row = plans[position].scale(term_name(term.term))
        if row is None:
            values = covariate(covariates, term.term, n, "missing_on")
        else:
            values = scores[_which(term, position)][row]
        total = total + (term.log_or / term.per) * (values - centre)
    return total


def _spread(terms: Sequence[MissingOn], plans: Sequence[WavePlan], position: int) -> float:
    """Return the standard deviation of the log odds, terms counted as unrelated."""
    parts = [(term.log_or / term.per) * _centre_and_sd(term, plans, position)[1] for term in terms]
    return math.sqrt(math.fsum(part * part for part in parts))


def _which(term: MissingOn, position: int) -> int:
    if term.at == "before" and position == 0:
        raise ArgumentError(f"`missing_on` asks for '{term.term}' at the wave before the first. Use at = 'now'.")
    return {"first": 0, "before": position - 1, "now": position}[term.at]


def _centre_and_sd(term: MissingOn, plans: Sequence[WavePlan], position: int) -> tuple[float, float]:
    row = plans[position].scale(term_name(term.term))
    if row is not None:
        scale = plans[_which(term, position)].scales[row]
        return (scale.mean if term.centre is None else term.centre, scale.sd if term.sd is None else term.sd)
    if term.centre is None or term.sd is None:
        scores = ", ".join(scale.score.name for scale in plans[position].scales) or "none"
        raise ArgumentError(
            f"`missing_on` {term.term!r} is no declared score (these are: {scores}), so it is a covariate and needs "
            "`centre` and `sd`: its mean and standard deviation among the people."
        )
    return term.centre, term.sd


def _risk(
    share: float, predictor: Floats | None, spread: float, of_value: tuple[tuple[float, float], ...]
) -> Floats | float:
    """Return each person's probability of being missing, `share` on average; one number where all are alike."""
    if predictor is None or share <= 0.0 or share >= 1.0:
        return min(max(share, 0.0), 1.0)
    return _expit(intercept(share, spread, of_value) + predictor)


@lru_cache(maxsize=4096)
def intercept(share: float, spread: float, of_value: tuple[tuple[float, float], ...]) -> float:
    """Return the log odds to add so that the mean probability is `share`.

    Parameters
    ----------
    share
        Wanted mean probability.
    spread
        Standard deviation of the normal part of the log odds.
    of_value
        (share, shift) of each value of a discrete part; empty for none.
    """
    parts = of_value or ((1.0, 0.0),)

    def excess(level: float) -> float:
        terms = [
            weight * math.fsum((_WEIGHTS * _expit(level + shift + spread * _NODES)).tolist()) for weight, shift in parts
        ]
        return math.fsum(terms) - share

    far = 40.0 + 8.0 * spread + max(abs(shift) for _, shift in parts)
    found = find_root(excess, -far, far, tolerance=1e-12)
    return 0.0 if found is None else found


def _expit(value: Floats) -> Floats:
    held: Floats = np.minimum(np.maximum(value, -700.0), 700.0)
    return 1.0 / (1.0 + exp(-held))
