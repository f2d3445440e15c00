"""The first steps of a study: register, cohort and outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from rtwcohort.cohort import Cohort, FlowStep, build_cohort
from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import CohortError, RtwCohortError, StudyFileError
from rtwcohort.outcomes.absence_days import absence_days
from rtwcohort.outcomes.result import RtwOutcome
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.work_status import work_status
from rtwcohort.register import check_register, clean_register, load_register
from rtwcohort.study.parts import Parts, pointing, readable
from rtwcohort.study.read import Study
from rtwcohort.study.results import Data, Population


def prepare_data(study: Study) -> Data:
    """Load, check and clean the register that the study file names."""
    asked = study.file.register_
    key, name = ("folder", asked.folder) if asked.folder is not None else ("file", asked.file)
    source = study.path.parent / str(name)
    if not source.exists():
        near = did_you_mean(source.name, [item.name for item in source.parent.glob("*")])
        raise StudyFileError(
            f"{study.where('register', key)}: there is no '{name}' beside the study file.{near} "
            "Paths are relative to the study file."
        )
    with pointing(study, "register"):
        register = load_register(
            source,
            columns=asked.columns or None,
            tables=asked.tables or None,
            values=asked.values or None,
            data_end=asked.data_end,
        )
    with pointing(study, "cleaning"):
        check = check_register(register, rules=study.file.cleaning or None)
        register = clean_register(register, rules=study.file.cleaning or None)
    return Data(register, check)


def derive_population(study: Study, parts: Parts, data: Data) -> Population:
    """Select the cohort and derive its outcomes."""
    cohort = _cohort(study, parts, data)
    index = cohort.frame[["person_id", "index_date"]]
    horizon = study.file.outcome.horizon
    with pointing(study, "outcome"):
        outcome = return_to_work(
            data.register, parts.rule, horizon=horizon, index=index, day_zero=study.file.outcome.day_zero
        )
    cohort = _without_day_zero(cohort, outcome)
    frame = cohort.frame.merge(outcome.frame[["person_id", "time", "event", "cause"]], on="person_id", validate="1:1")
    index = cohort.frame[["person_id", "index_date"]]
    days = study.file.outcome.status_days
    status = work_status(data.register, days=days, index=index) if days else None
    windows = [(first, after) for first, after in study.file.outcome.absence_windows] or [(0, horizon)]
    absence = absence_days(data.register, windows=windows, index=index)
    return Population(cohort, outcome, frame, status, absence)


def _cohort(study: Study, parts: Parts, data: Data) -> Cohort:
    section = study.file.cohort
    declared = {covariate.name for covariate in parts.covariates}
    covariates: list[Any] = list(parts.covariates)
    for name, path in parts.needed:
        if name not in declared:
            _check_name(study, parts, data, name, path)
            covariates.append(name)
    try:
        cohort = build_cohort(
            data.register,
            index_date=parts.index_date,
            eligibility=parts.eligibility,
            covariates=covariates,
            labels=section.labels or None,
            register_start=study.file.register_.data_start,
        )
        return _readable(_in_order(cohort, parts))
    except CohortError as error:
        raise CohortError(f"{error}{cleaning_words(data)}") from error
    except RtwCohortError as error:
        raise study.blame(error, "cohort") from error


def cleaning_words(data: Data) -> str:
    """Say what cleaning dropped, for an error that may come from it; empty where it dropped nothing."""
    sizes = {table: 0 for table in data.check.sizes}
    for step in data.register.cleaning:
        sizes[step.table] += step.n_dropped
    dropped = [f"{n} of {data.check.sizes[table]} rows of {table}" for table, n in sizes.items() if n]
    return f" Before that, cleaning dropped {', '.join(dropped)}; `rtwcohort check` lists them." if dropped else ""


def _in_order(cohort: Cohort, parts: Parts) -> Cohort:
    """Put the variables that models use first, in their order there."""
    place = {name: at for at, (name, _) in enumerate(parts.needed)}
    variables = sorted(cohort.variables, key=lambda variable: place.get(variable.name, len(place)))
    return replace(cohort, variables=tuple(variables))


def _readable(cohort: Cohort) -> Cohort:
    """Write categories as words: "workplace_visit" becomes "workplace visit" everywhere."""
    changed = {}
    for name in cohort.frame.columns:
        values = cohort.frame[name]
        if name == "person_id" or not (values.dtype == object or isinstance(values.dtype, pd.CategoricalDtype)):
            continue
        category = values.astype("category")
        words = [readable(str(level)) for level in category.cat.categories]
        if len(set(words)) == len(words):
            changed[name] = category.cat.rename_categories(words)
    return replace(cohort, frame=cohort.frame.assign(**changed))


def _check_name(study: Study, parts: Parts, data: Data, name: str, path: tuple[str | int, ...]) -> None:
    from rtwcohort.cohort.covariates import COVARIATE_NAMES

    extra = [str(column) for column in data.register.persons.columns if column != "person_id"]
    known = [*COVARIATE_NAMES, *(covariate.name for covariate in parts.covariates), *extra]
    if name not in known:
        raise StudyFileError(
            f"{study.where(*path)}: there is no variable '{name}'.{did_you_mean(name, known)} Declare it under "
            "[cohort.covariates], or use a column of persons or enrolment."
        )


def _without_day_zero(cohort: Cohort, outcome: RtwOutcome) -> Cohort:
    """Take people who were back on the index date out of the cohort, when the study asks for it."""
    if not outcome.n_excluded:
        return cohort
    kept = cohort.frame["person_id"].isin(outcome.frame["person_id"])
    frame = cohort.frame[kept].reset_index(drop=True)
    if frame.empty:
        raise CohortError(
            "Everybody was back at work on the index date, and `outcome.day_zero` is 'exclude': nobody is left. "
            "Require a benefit on the index date (on_benefit_at_index), or check the index dates."
        )
    last = cohort.flow[-1]
    step = FlowStep("day_zero", "back at work on the index date", outcome.n_excluded, last.n_left - outcome.n_excluded)
    variables = tuple(replace(item, n_missing=int(frame[item.name].isna().sum())) for item in cohort.variables)
    return replace(cohort, frame=frame, flow=(*cohort.flow, step), variables=variables)


def categories_in_use(values: pd.Series[Any]) -> list[str]:
    """Return the categories that occur, in their order."""
    category = values.astype("category").cat.remove_unused_categories()
    return [str(level) for level in category.cat.categories]
