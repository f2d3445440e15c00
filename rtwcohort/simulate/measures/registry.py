"""The measures by name, and the estimators that a caller may bring: what a target may ask for."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.measures import baseline, follow_up, patterns, spells
from rtwcohort.simulate.measures.frames import EVENT_FRAMES, analysis_frame
from rtwcohort.simulate.measures.numbers import Measured, contrast
from rtwcohort.simulate.measures.simulated import Simulated, chosen_people
from rtwcohort.simulate.scenarios.declaration import CONTRASTS, Target

Estimator = Callable[[pd.DataFrame, str, str], Measured]
"""From a frame, the right side of a formula and a term to the coefficient of the term and its standard error."""

MEASURES: Final[dict[str, Callable[..., Measured]]] = {
    "returned": follow_up.returned,
    "days_to_return": follow_up.days_to_return,
    "full_at_first_return": follow_up.full_at_first_return,
    "absence_days": follow_up.absence_days,
    "status": follow_up.status,
    "four_states": follow_up.four_states,
    "on_benefit": follow_up.on_benefit,
    "work_participation": follow_up.work_participation,
    "days_in_work": follow_up.days_in_work,
    "margin": baseline.margin,
    "number": baseline.number,
    "share_between": baseline.share_between,
    "score": baseline.score_at,
    "score_share": baseline.score_share,
    "questionnaire_status": baseline.questionnaire_status,
    "answered": baseline.answered,
    "spell_share": spells.spell_share,
    "spell_days_share": spells.spell_days_share,
    "spell_length": spells.spell_length,
    "spells_per_year": spells.spells_per_year,
    "absence_rate": spells.absence_rate,
    "after_exhaustion": spells.after_exhaustion,
    "exhausted_share": spells.exhausted_share,
    "graded_share": patterns.graded_share,
    "graded_from": patterns.graded_from,
    "grade_share": patterns.grade_share,
    "diagnosis_share": patterns.diagnosis_share,
    "frequent_absence": patterns.frequent_absence,
    "working_after_exhaustion": patterns.working_after_exhaustion,
    "moves": patterns.moves,
    "correlation": patterns.correlation,
}
"""Name -> function of a simulated register, the people meant, and options; it gives a value and its standard error.
Every measure also takes `among`: conditions on covariates."""

ESTIMATORS: Final = ("cox", "logistic", "ordinal", "ordinal_gee", "linear")
"""Names of the models that a caller may bring; `formula` (right side) and `term` are their options, and those of the
frame they are fitted to."""

_OWN: Final = ("simulated", "who")
_RATIOS: Final = ("hr", "or", "rr")


def check_measure(target: Target) -> None:
    """Raise `ScenarioError` unless the measure of a target exists and takes its options."""
    name, options = _split(target)
    if name in ESTIMATORS:
        missing = [key for key in ("formula", "term") if not isinstance(options.get(key), str)]
        if missing:
            raise ScenarioError(f"the estimator '{name}' needs `{missing[0]}`, a text.")
        _check_options(name, EVENT_FRAMES[name], {k: v for k, v in options.items() if k not in ("formula", "term")})
        if target.kind not in ("hr", "or", "rr", "coefficient"):
            raise ScenarioError(f"the estimator '{name}' gives an hr, or, rr or coefficient, not a '{target.kind}'.")
        if target.arm is not None and re.search(r"\barm\b", str(options["formula"])):
            raise ScenarioError(
                f"`arm` restricts the model to the arm '{target.arm}', so that `arm` cannot be in its formula. "
                "Leave one of them out."
            )
        return
    if name not in MEASURES:
        known = [*MEASURES, *ESTIMATORS]
        raise ScenarioError(f"there is no measure '{name}'.{did_you_mean(name, known)} There are: {', '.join(known)}.")
    _check_options(name, MEASURES[name], options)
    if target.kind in CONTRASTS and target.against is None:
        raise ScenarioError(f"a target of kind '{target.kind}' needs `against`, the arm it is compared with.")
    if target.kind in ("hr", "coefficient"):
        raise ScenarioError(f"a target of kind '{target.kind}' needs an estimator: {', '.join(ESTIMATORS)}.")


def measure(
    simulated: Simulated, target: Target, *, estimators: Mapping[str, Estimator] | None = None
) -> Measured | None:
    """Return the value of a target on a simulated register, and its standard error.

    Parameters
    ----------
    simulated
        The register.
    target
        What to measure.
    estimators
        Name -> function, for targets that need a model.

    Returns
    -------
    tuple of float, or None
        None when the target needs an estimator that was not given.
    """
    name, options = _split(target)
    among = options.pop("among", [])
    who = chosen_people(simulated, target.arm, among)
    if name in ESTIMATORS:
        return _estimate(simulated, target, name, options, who, estimators or {})
    one = MEASURES[name](simulated, who, **options)
    if target.against is None:
        return one
    return contrast(
        target.kind, one, MEASURES[name](simulated, chosen_people(simulated, target.against, among), **options)
    )


def _estimate(
    simulated: Simulated,
    target: Target,
    name: str,
    options: dict[str, Any],
    who: Any,
    estimators: Mapping[str, Estimator],
) -> Measured | None:
    if name not in estimators:
        return None
    formula, term = options.pop("formula"), options.pop("term")
    frame = analysis_frame(simulated, who, name, options)
    value, error = estimators[name](frame, formula, term)
    if target.kind in _RATIOS:
        return float(np.exp(value)), float(np.exp(value)) * error
    return value, error


def _split(target: Target) -> tuple[str, dict[str, Any]]:
    return str(target.measure["name"]), {key: value for key, value in target.measure.items() if key != "name"}


def _check_options(name: str, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
    parameters = {key: item for key, item in inspect.signature(function).parameters.items() if key not in _OWN}
    known = [*parameters, "among"]
    for key in options:
        if key not in known:
            raise ScenarioError(
                f"the measure '{name}' has no option '{key}'.{did_you_mean(key, known)} It takes: {', '.join(known)}."
            )
    for key, item in parameters.items():
        if item.default is inspect.Parameter.empty and key not in options:
            raise ScenarioError(f"the measure '{name}' needs the option `{key}`.")
