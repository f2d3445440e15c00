"""Further models that a study file asks for: each outcome made, each fit called with its own options."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort import models
from rtwcohort.core.checks import did_you_mean
from rtwcohort.design import formula_from_terms
from rtwcohort.errors import StudyFileError
from rtwcohort.study.families import FAMILIES, Family
from rtwcohort.study.parts import pointing, readable, variables_of
from rtwcohort.study.read import Study
from rtwcohort.study.results import FurtherModel, Population
from rtwcohort.study.schema import ModelSection


def fit_further_models(study: Study, population: Population, frame: pd.DataFrame) -> tuple[FurtherModel, ...]:
    """Fit each of `[[models]]`.

    Parameters
    ----------
    study
        As read.
    population
        For the work status and absence days.
    frame
        One row a person, with arms in their order.
    """
    return tuple(_fit(study, i, population, frame) for i in range(len(study.file.models)))


def _fit(study: Study, i: int, population: Population, people: pd.DataFrame) -> FurtherModel:
    asked = study.file.models[i]
    family = FAMILIES[asked.family]
    _check_options(study, i, asked, family)
    outcome = asked.outcome or family.outcomes[0]
    if outcome not in family.outcomes:
        raise StudyFileError(
            f"{study.where('models', i, 'outcome')}: '{family.name}' takes {' or '.join(family.outcomes)}; "
            f"got '{outcome}'."
        )
    frame, left_out = _rows(study, i, population, people, outcome, family)
    response = "Surv(time, event)" if outcome == "time" else "outcome"
    reference: dict[str, Any] = {name: readable(level) for name, level in asked.reference.items()}
    with pointing(study, "models", i), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        formula = formula_from_terms(asked.terms, response, columns=frame.columns)
        options = {**_fixed(family), **asked.options}
        fit = getattr(models, family.function)(
            frame, formula, missing=asked.missing, reference=reference or None, **options
        )
    notes = tuple(dict.fromkeys(str(item.message) for item in caught))
    used = {name for term in asked.terms for name in variables_of(term)} & set(frame.columns)
    complete = frame.dropna(subset=sorted(used))
    margins = _margins(study, asked, used, fit, complete)
    return FurtherModel(asked, outcome, fit, frame, complete["person_id"].nunique(), left_out, notes, margins)


def _margins(
    study: Study, asked: ModelSection, used: set[str], fit: Any, complete: pd.DataFrame
) -> pd.DataFrame | None:
    """Predict the probability of each status by arm and wave, standardised to the people of the model."""
    arm = study.file.arms.column if study.file.arms is not None else None
    if asked.family != "ordinal_gee" or arm is None or not {arm, "wave"} <= used:
        return None
    return models.marginal_probabilities(fit, complete.drop_duplicates("person_id"), [arm, "wave"]).table()


def _check_options(study: Study, i: int, asked: ModelSection, family: Family) -> None:
    for name in asked.options:
        if name not in family.options:
            raise StudyFileError(
                f"{study.where('models', i, 'options', name)}: '{family.name}' has no option '{name}'."
                f"{did_you_mean(name, family.options)} It takes: {', '.join(family.options)}."
            )


def _fixed(family: Family) -> dict[str, Any]:
    """Return the arguments that follow from the data."""
    fixed: dict[str, Any] = {}
    if family.name == "ordinal_gee":
        fixed = {"id": "person_id", "wave": "day"}
    if family.name == "gee":
        fixed = {"cluster": "person_id", "time": "day"}
    if family.name == "count":
        fixed = {"exposure": "observed_days"}
    return fixed


def _rows(
    study: Study, i: int, population: Population, people: pd.DataFrame, outcome: str, family: Family
) -> tuple[pd.DataFrame, int]:
    """Return the rows of a model, and how many had no known outcome."""
    if outcome == "time":
        return people, 0
    if outcome == "returned":
        known = people["event"].to_numpy(dtype=bool) | ~people["cause"].isin(
            ("end_of_data", "emigration", "retirement")
        )
        rows = people.assign(outcome=people["event"].astype(int))
        return rows[known].reset_index(drop=True), int((~known).sum())
    if outcome == "absence_days":
        return _absence(study, i, population, people)
    return _status(study, i, population, people, outcome, family)


def _status(
    study: Study, i: int, population: Population, people: pd.DataFrame, outcome: str, family: Family
) -> tuple[pd.DataFrame, int]:
    status = population.status
    known_days = study.file.outcome.status_days
    days = study.file.models[i].days or known_days
    if status is None or not set(days) <= set(known_days):
        raise StudyFileError(
            f"{study.where('models', i, 'days')}: work status is known for the days of `outcome.status_days` "
            f"({', '.join(map(str, known_days)) or 'none'}); got {days or 'none'}. Add the days there."
        )
    if not family.repeated and len(days) != 1:
        raise StudyFileError(
            f"{study.where('models', i, 'days')}: '{family.name}' takes one day; got {len(days)}. "
            "Name one, or use a family for repeated measures (ordinal_gee, gee)."
        )
    rows = status[status["day"].isin(days)][["person_id", "day", "status"]]
    rows = rows.merge(people, on="person_id", validate="m:1")
    waves = [f"day {day}" for day in sorted(days)]
    rows["wave"] = pd.Categorical("day " + rows["day"].astype(str), categories=waves)
    known = rows["status"].notna()
    if outcome == "status":
        rows["outcome"] = rows["status"]
    else:
        worse = ["not"] if outcome == "any_work" else ["not", "partly"]
        rows["outcome"] = (~rows["status"].isin(worse)).astype(int)
    return rows[known].reset_index(drop=True), int((~known).sum())


def _absence(study: Study, i: int, population: Population, people: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    absence = population.absence
    windows = absence[["from_day", "to_day"]].drop_duplicates().to_numpy().tolist()
    window = study.file.models[i].window or windows[0]
    if list(window) not in windows:
        raise StudyFileError(
            f"{study.where('models', i, 'window')}: absence is added up over the windows of `outcome.absence_windows` "
            f"({', '.join(map(str, windows))}); got {list(window)}. Add the window there."
        )
    inside = (absence["from_day"] == window[0]) & (absence["to_day"] == window[1])
    rows = people.merge(absence[inside], on="person_id", validate="1:1")
    rows["outcome"] = rows["absence_days"].astype(np.int64)
    seen = rows["observed_days"] > 0
    return rows[seen].reset_index(drop=True), int((~seen).sum())
