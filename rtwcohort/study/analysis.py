"""The later steps of a study: curves, Cox models, comparisons of arms and contrasts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.cohort import Variable
from rtwcohort.compare import TwoByTwo, cox_difference_in_differences, difference_in_differences, two_by_two
from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import CohortError, DesignError, StudyFileError
from rtwcohort.models import (
    CoxFit,
    CumulativeIncidence,
    MonotoneLikelihoodWarning,
    Screening,
    cumulative_incidence,
    fit_cox,
    kaplan_meier,
    log_rank,
    proportional_hazards_test,
    screen_predictors,
)
from rtwcohort.report.disclosure import is_small
from rtwcohort.study.further_models import fit_further_models
from rtwcohort.study.parts import pointing, readable, variables_of
from rtwcohort.study.population import categories_in_use, cleaning_words
from rtwcohort.study.read import Study
from rtwcohort.study.results import Analysis, Arms, Contrast, Data, Population

LEVEL = 0.95
"""Of every interval in the report."""
CENSORED = ("horizon", "end_of_data", "emigration", "retirement")
"""Causes that end follow-up without competing with a return."""


def analyse(study: Study, data: Data, population: Population) -> Analysis:
    """Fit what the study file asks for."""
    frame = population.frame
    _check_events(population)
    notes: list[str] = []
    levels = _arm_levels(study, frame, cleaning_words(data))
    group = None
    if levels is not None:
        column = _arm_column(study)
        frame = frame.assign(**{column: pd.Categorical(frame[column].astype(str), categories=levels)})
        group = frame[column]
    curves = kaplan_meier(frame["time"], frame["event"], group=group, level=LEVEL)
    incidence = _incidence(frame, group)
    _check_scale(study, population.cohort.variables)
    univariable, multivariable = _models(study, frame, levels, notes)
    hazards = None if multivariable is None or not multivariable.converged else proportional_hazards_test(multivariable)
    arms = None if levels is None else _arms(study, frame, levels, notes)
    further = fit_further_models(study, population, frame)
    contrasts = tuple(_contrast(study, i, frame) for i in range(len(study.file.contrasts)))
    screening = _screening(study, frame, levels)
    fits = (univariable, multivariable, arms, further, contrasts, screening, hazards)
    return Analysis(frame, curves, incidence, *fits, tuple(notes))


def _arm_column(study: Study) -> str:
    return "" if study.file.arms is None else study.file.arms.column


def _check_events(population: Population) -> None:
    if population.frame["event"].any():
        return
    causes = population.frame["cause"].value_counts()
    listed = ", ".join(f"{cause} {count}" for cause, count in causes.items())
    rule = population.outcome.rule.name
    raise DesignError(
        f"Nobody of {len(population.frame)} people returned to work under the rule '{rule}' within "
        f"{population.outcome.horizon} days, so there is nothing to model (follow-up ended by: {listed}). "
        "Look at the rule, the horizon, and whether data go on after the index dates."
    )


def _arm_levels(study: Study, frame: pd.DataFrame, dropped: str) -> list[str] | None:
    """Return the arms with the reference first, or None where the study compares none."""
    section = study.file.arms
    if section is None:
        return None
    if section.column not in frame:
        raise StudyFileError(
            f"{study.where('arms', 'column')}: the cohort has no '{section.column}'. "
            "Arms come from the enrolment table or from [cohort.covariates]; leave [arms] out if there are none."
        )
    missing = int(frame[section.column].isna().sum())
    if missing:
        raise CohortError(
            f"{study.where('arms', 'column')}: '{section.column}' is missing for {missing} of {len(frame)} people. "
            f'Leave them out with {{ require = "has_arm" }} or {{ require = "has_values", '
            f'columns = ["{section.column}"] }} under `cohort.eligibility`.'
        )
    levels = categories_in_use(frame[section.column])
    if len(levels) < 2:
        raise CohortError(
            f"{study.where('arms', 'column')}: '{section.column}' has one level, '{levels[0]}', in the cohort of "
            f"{len(frame)}, so there is nothing to compare. Eligibility may have excluded the other arm; "
            f"leave [arms] out to describe one group.{dropped}"
        )
    first = readable(section.reference) if section.reference is not None else levels[0]
    if first not in levels:
        raise StudyFileError(
            f"{study.where('arms', 'reference')}: no arm is called '{first}'.{did_you_mean(first, levels)} "
            f"The arms are: {', '.join(levels)}."
        )
    return [first, *(item for item in levels if item != first)]


def _incidence(frame: pd.DataFrame, group: Any) -> CumulativeIncidence | None:
    if set(frame["cause"]) <= {"return", *CENSORED}:
        return None
    cause = frame["cause"].where(~frame["cause"].isin(CENSORED), "censored")
    return cumulative_incidence(frame["time"], cause, event="return", censored="censored", group=group, level=LEVEL)


def _check_scale(study: Study, variables: tuple[Variable, ...]) -> None:
    kinds = {variable.name: variable.kind for variable in variables}
    for name in study.file.predictors.scale:
        if kinds.get(name) != "numeric":
            raise StudyFileError(
                f"{study.where('predictors', 'scale', name)}: '{name}' has categories and no scale. Leave it out."
            )


def _models(
    study: Study, frame: pd.DataFrame, arms: list[str] | None, notes: list[str]
) -> tuple[dict[str, CoxFit], CoxFit | None]:
    section = study.file.predictors
    if not section.terms:
        return {}, None
    reference: dict[str, Any] = {name: readable(level) for name, level in section.reference.items()}
    if arms is not None:
        reference.setdefault(_arm_column(study), arms[0])
    used = {name for term in section.terms for name in variables_of(term)}
    reference = {name: value for name, value in reference.items() if name in used}
    univariable = {}
    for i, term in enumerate(section.terms):
        if len(variables_of(term)) > 1:
            continue
        own = {name: value for name, value in reference.items() if name in variables_of(term)}
        with pointing(study, "predictors", "terms", i):
            univariable[term] = _fit(study, frame, [term], own, notes)
    with pointing(study, "predictors"):
        return univariable, _fit(study, frame, list(section.terms), reference, notes)


def _fit(study: Study, frame: pd.DataFrame, terms: list[str], reference: Mapping[str, Any], notes: list[str]) -> CoxFit:
    section = study.file.predictors
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MonotoneLikelihoodWarning)
        fit = fit_cox(
            frame,
            terms,
            ties=section.ties,
            strata=list(section.strata) or None,
            cluster=section.cluster,
            missing=section.missing,
            reference=reference or None,
        )
    what = f"Model of {terms[0]} alone" if len(terms) == 1 else "Multivariable model"
    notes += [f"{what}: {item.message}" for item in caught if item.category is MonotoneLikelihoodWarning]
    return fit


def _screening(study: Study, frame: pd.DataFrame, arms: list[str] | None) -> Screening | None:
    section = study.file.screening
    if section is None:
        return None
    candidates = section.candidates or study.file.predictors.terms
    reference = {name: readable(level) for name, level in study.file.predictors.reference.items()}
    if arms is not None:
        reference.setdefault(_arm_column(study), arms[0])
    used = {name for term in candidates for name in variables_of(term)}
    with pointing(study, "screening"), warnings.catch_warnings():
        warnings.simplefilter("ignore", MonotoneLikelihoodWarning)
        return screen_predictors(
            frame,
            candidates,
            threshold=section.threshold,
            always=section.always,
            missing=section.missing,
            reference={name: level for name, level in reference.items() if name in used} or None,
            n_boot=section.n_boot,
            seed=study.file.study.seed,
        )


def _arms(study: Study, frame: pd.DataFrame, levels: list[str], notes: list[str]) -> Arms:
    column = _arm_column(study)
    returned = frame["event"].to_numpy(dtype=bool)
    known = returned | (frame["cause"] == "horizon").to_numpy() | ~frame["cause"].isin(CENSORED).to_numpy()
    arm = frame[column].astype(str).to_numpy()
    few = any(is_small(int(np.count_nonzero((arm == item) & ~known)), study.file.report.small_cells) for item in levels)
    known |= few
    tables = {other: _two_by_two(arm, returned, known, other, levels[0]) for other in levels[1:]}
    unknown = {item: int(np.count_nonzero((arm == item) & ~known)) for item in levels}
    with pointing(study, "arms"):
        test = log_rank(frame["time"], frame["event"], frame[column])
        unadjusted = _fit(study, frame, [column], {column: levels[0]}, notes)
    return Arms(column, tuple(levels), test, unadjusted, tables, unknown, few)


def _two_by_two(arm: Any, returned: Any, known: Any, exposed: str, unexposed: str) -> TwoByTwo:
    counts = [
        int(np.count_nonzero(known & (arm == group) & (returned == outcome)))
        for group in (exposed, unexposed)
        for outcome in (True, False)
    ]
    return two_by_two(*counts, level=LEVEL, exposed=exposed, unexposed=unexposed, event="returned")


def _contrast(study: Study, i: int, frame: pd.DataFrame) -> Contrast:
    asked = study.file.contrasts[i]
    inside = np.ones(len(frame), dtype=bool)
    for name, given in asked.where.items():
        value = readable(given)
        values = frame[name].astype(str)
        levels = sorted(values.unique())
        if value not in levels:
            raise StudyFileError(
                f"{study.where('contrasts', i, 'where', name)}: '{name}' has no value '{value}'."
                f"{did_you_mean(value, levels)} It has: {', '.join(levels)}."
            )
        inside &= (values == value).to_numpy()
    rows = frame[inside]
    common: dict[str, Any] = {
        "group": asked.group,
        "period": asked.period,
        "exposed": None if asked.exposed is None else readable(asked.exposed),
        "after": None if asked.after is None else readable(asked.after),
        "level": LEVEL,
    }
    with pointing(study, "contrasts", i):
        duration = difference_in_differences(rows, outcome="time", log=asked.log, **common)
        hazard = cox_difference_in_differences(
            rows, time="time", event="event", ties=study.file.predictors.ties, **common
        )
    return Contrast(asked, duration, hazard)
