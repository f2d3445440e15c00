"""Build a cohort: index dates, eligibility in order, follow-up and baseline covariates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.cohort.candidates import Candidates, Histories, Log
from rtwcohort.cohort.cohort import Cohort, FlowStep, Variable
from rtwcohort.cohort.column import as_categorical, categorical
from rtwcohort.cohort.covariates import Covariate, finish_column, raw_column, read_covariates
from rtwcohort.cohort.eligibility import ELIGIBILITY, Requirement, read_eligibility, split_automatic
from rtwcohort.cohort.flow import count_arms, exclude, flow_words
from rtwcohort.cohort.index_date import IndexPeople, Repeated, enrolled_people, people_with_spells, read_index_date
from rtwcohort.core.checks import check_columns, check_number, did_you_mean
from rtwcohort.core.days import MISSING_DAY, day_of, from_days, iso, to_days
from rtwcohort.errors import ArgumentError, CohortError
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.register.register import Register


def build_cohort(
    register: Register,
    *,
    index_date: Any = "enrolment",
    eligibility: Any = (),
    covariates: Any = (),
    labels: Mapping[str, str] | None = None,
    follow_up_days: int | None = None,
    min_history_days: int | None = None,
    repeated_enrolments: Repeated = "first",
    register_start: str | dt.date | np.datetime64 | pd.Timestamp | None = None,
    timeline: Timeline | None = None,
) -> Cohort:
    """Select the study population and compute what is known about each person at the index date.

    Parameters
    ----------
    register
        A checked and cleaned register.
    index_date
        "enrolment", "first_spell", a mapping from a study file (``{"at": "spell_day", "day": 57}``) or `IndexDate`.
    eligibility
        Requirements in the order they are applied; see `ELIGIBILITY` and `read_eligibility`. Those without which
        nobody can be followed (an index date, in the persons table, alive, ...) always come first and are shown when
        they exclude somebody.
    covariates
        Names (`COVARIATE_NAMES`, columns of persons) or declarations (`COVARIATES`); see `read_covariates`.
    labels
        Covariate name -> words for tables; overrides other labels.
    follow_up_days, min_history_days
        Shorthand for the requirements `follow_up_at_least` and `history_covered`, applied last.
    repeated_enrolments
        "first" keeps a person's earliest enrolment and counts the others; "error" refuses.
    register_start
        First day that the register covers. None takes the first spell's start, and says so in a note.
    timeline
        A timeline of this register without a window and without merged gaps, to save building it again for the
        benefits that it counts.

    Returns
    -------
    Cohort
        One row a person, in the order of the enrolment table (of persons where the index date comes from spells).

    Raises
    ------
    ArgumentError
        On an unknown requirement, covariate or parameter, or a value that breaks its rule.
    CohortError
        When nobody is left (the message says where they went), when persons are listed twice, or when the register
        lacks a table or column that is needed.

    Notes
    -----
    History ends the day before the index date; what holds "at index" is read off the index date itself. Follow-up is
    administrative: days from the index date to the register's last day, so that the selection uses nothing that
    happens later.

    Examples
    --------
    >>> import pandas as pd
    >>> from rtwcohort.register.register import Register
    >>> born = pd.to_datetime(["1980-06-01", "2010-01-01", None])
    >>> persons = pd.DataFrame({"person_id": [1, 2, 3], "birth_date": born})
    >>> spells = pd.DataFrame({"person_id": [1], "benefit": ["sickness_benefit"], "grade": [100.0]})
    >>> spells = spells.assign(start=pd.Timestamp("2022-01-03"), end=pd.Timestamp("2022-03-04"))
    >>> enrolment = pd.DataFrame({"person_id": [1, 2, 3], "index_date": pd.to_datetime(["2022-02-01"] * 3)})
    >>> register = Register(persons, spells, None, enrolment, None, pd.Timestamp("2022-12-31"))
    >>> cohort = build_cohort(register, eligibility=[("age_at_index", {"min": 18, "max": 66})], covariates=["age"])
    >>> [(step.reason, step.n_excluded, step.n_left) for step in cohort.flow]  # doctest: +NORMALIZE_WHITESPACE
    [('people in the enrolment table', 0, 3), ('birth date missing', 1, 2),
     ('age outside 18 to 66 years at index date', 1, 1)]
    """
    _check_register(register)
    requirements = _all_requirements(eligibility, follow_up_days, min_history_days)
    declared = read_covariates(covariates, extra_columns=[str(name) for name in register.persons.columns])
    labels = _checked_labels(labels, declared)
    log = Log()
    people, flow = _index_people(register, index_date, repeated_enrolments, register_start, timeline, log)
    people = _apply(people, requirements, {covariate.name: covariate for covariate in declared}, flow)
    people = replace(people, log=log)
    frame, variables = _frame(people, declared, labels)
    return Cohort(frame, tuple(flow), variables, tuple(log.notes), log.counts())


def _check_register(register: Register) -> None:
    if not isinstance(register, Register):
        raise ArgumentError(f"`register` must be a Register, as load_register gives; got {type(register).__name__}.")
    ids = register.persons["person_id"]
    if n := int(ids.duplicated().sum()):
        raise CohortError(
            f"`persons` must have one row a person; {n} rows come again. Clean the register first (clean_register)."
        )
    if register.enrolment is not None:
        check_columns(register.enrolment.columns, ("person_id",), argument="enrolment")


def _all_requirements(
    eligibility: Any, follow_up_days: int | None, min_history_days: int | None
) -> tuple[Requirement, ...]:
    extra: list[tuple[str, dict[str, Any]]] = []
    if min_history_days is not None:
        check_number(min_history_days, argument="min_history_days", least=0, whole=True)
        extra.append(("history_covered", {"days": min_history_days}))
    if follow_up_days is not None:
        check_number(follow_up_days, argument="follow_up_days", least=0, whole=True)
        extra.append(("follow_up_at_least", {"days": follow_up_days}))
    return (*read_eligibility(eligibility), *read_eligibility(extra))


def _checked_labels(labels: Mapping[str, str] | None, declared: tuple[Covariate, ...]) -> Mapping[str, str]:
    names = ["arm", "cluster", "programme", *(covariate.name for covariate in declared)]
    for name in labels or {}:
        if name not in names:
            raise ArgumentError(
                f"`labels` names no column of this cohort: '{name}'.{did_you_mean(name, names)} "
                f"Its columns are: {', '.join(names)}."
            )
    return labels or {}


def _index_people(
    register: Register,
    index_date: Any,
    repeated: Repeated,
    register_start: Any,
    timeline: Timeline | None,
    log: Log,
) -> tuple[Candidates, list[FlowStep]]:
    rule = read_index_date(index_date)
    histories = Histories(register)
    if timeline is not None:
        histories.add(_checked_timeline(timeline), tuple(timeline.counted))
    start = _register_start(register, register_start, log)
    if rule.at == "enrolment":
        found = enrolled_people(register, repeated=repeated, log=log)
    else:
        known_from = None if register_start is None else start
        found = people_with_spells(register, rule, histories, repeated=repeated, known_from=known_from, log=log)
    people = _candidates(register, found, start, histories)
    flow = found.flow
    flow[-1] = replace(flow[-1], left_by_arm=count_arms(people))
    if rule.at != "enrolment":
        people = exclude(people, flow, "has_index_date", f"no {rule.words()}", people.index_day == MISSING_DAY)
    return people, flow


def _candidates(register: Register, found: IndexPeople, start: int, histories: Histories) -> Candidates:
    known = pd.Index(register.persons["person_id"])
    return Candidates(
        register=register,
        person_id=found.person_id,
        index_day=found.index_day,
        person_row=known.get_indexer(pd.Index(found.person_id)),
        enrolment=found.enrolment,
        register_start=start,
        histories=histories,
        log=Log(),
    )


def _checked_timeline(timeline: Timeline) -> Timeline:
    settings = dict(timeline.settings)
    if settings.get("merge_gap_days") != "0" or settings.get("window") != "first spell to end of data":
        raise ArgumentError(
            "`timeline` must be built without a window and with merge_gap_days = 0, so that it holds the whole history "
            f"as recorded; got '{settings.get('window')}' and merge_gap_days = {settings.get('merge_gap_days')}. "
            "Leave it out and build_cohort builds its own."
        )
    return timeline


def _register_start(register: Register, given: Any, log: Log) -> int:
    if given is not None:
        return day_of(given, argument="register_start")
    days = to_days(register.benefits["start"])
    days = days[days != MISSING_DAY]
    if len(days) == 0:
        return day_of(register.data_end, argument="data_end")
    first = int(days.min())
    log.note(f"The register is taken to begin on {iso(first)}, the first day of its first spell.")
    return first


def _apply(
    people: Candidates,
    requirements: tuple[Requirement, ...],
    covariates: Mapping[str, Covariate],
    flow: list[FlowStep],
) -> Candidates:
    first, then = split_automatic(requirements)
    for requirement, shown in (*first, *then):
        if requirement.name == "has_values":
            requirement = replace(requirement, parameters={**requirement.parameters, "covariates": covariates})
        gone = np.zeros(len(people), dtype=bool)  # who of these left for an earlier reason of this requirement
        for reason, out, itself in ELIGIBILITY[requirement.name].judge(people, requirement.parameters):
            out = out[~gone]
            if out.any() or (itself and shown):
                people = exclude(people, flow, requirement.name, reason, out)
                gone[~gone] = out
        if len(people) == 0:
            break
    if len(people) == 0:
        raise CohortError(
            f"Nobody is left in the cohort: {flow_words(flow)}. Loosen `eligibility` or `index_date`, "
            "or check the register."
        )
    return people


def _frame(
    people: Candidates, declared: tuple[Covariate, ...], labels: Mapping[str, str]
) -> tuple[pd.DataFrame, tuple[Variable, ...]]:
    end = day_of(people.register.data_end, argument="data_end")
    columns: dict[str, Any] = {
        "person_id": people.person_id,
        "index_date": from_days(people.index_day).to_numpy(),
        "follow_up_days": end - people.index_day.astype(np.int64),
    }
    for name in ("arm", "cluster"):
        if name in people.enrolment.columns and people.enrolment[name].notna().any():
            columns[name] = as_categorical(categorical(people.enrolment[name], name, ""), name)
    variables = []
    for covariate in declared:
        values, variable = finish_column(raw_column(people, covariate), covariate, labels.get(covariate.name))
        columns[covariate.name] = values
        variables.append(variable)
    return pd.DataFrame(columns), tuple(variables)
