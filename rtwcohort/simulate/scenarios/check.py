"""Checks across the parts of a scenario: names in one that must exist in another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import RtwCohortError, ScenarioError
from rtwcohort.outcomes import get_rule, rule_from_mapping
from rtwcohort.outcomes.rtw_follow_up import LONGEST
from rtwcohort.simulate.population.conditions import read_condition
from rtwcohort.simulate.population.people import covariate_names
from rtwcohort.simulate.questionnaires import Answers, check_answers
from rtwcohort.simulate.questionnaires.derived import derived_names
from rtwcohort.simulate.scenarios.declaration import Scenario, Target
from rtwcohort.simulate.scenarios.paths import get_value

HISTORY_TERMS: Final = ("earlier_spells", "days_on_benefit")
"""Covariates that come from the time before the index date."""


def check_scenario(scenario: Scenario, *, where: str) -> None:
    """Raise `ScenarioError` when parts of a scenario do not fit together.

    Parameters
    ----------
    scenario
        Whose parts have each been checked.
    where
        What it is called in messages.
    """
    arms = scenario.population.arm_names
    for number, effect in enumerate(scenario.process.arm_effects):
        _known(effect.arm, arms, f"{where}, `process.arm_effects[{number}].arm`", "arm")
    terms = [*covariate_names(scenario.population), *HISTORY_TERMS, *answer_terms(scenario.answers)]
    for group in scenario.groups:
        place = f"{where}, group '{group.name}'"
        if group.name in terms:
            raise ScenarioError(f"{place}: there is a covariate of this name already. Choose another.")
        for condition in group.where:
            _read(condition, terms, place)
        terms.append(group.name)
    for term in scenario.process.terms:
        _known(term, terms, f"{where}, `process`", "covariate")
    _check_answers(scenario, where)
    for arm in scenario.population.arms:
        for term in arm.log_odds:
            _known(term, covariate_names(scenario.population), f"{where}, arm '{arm.name}'", "covariate")
    if scenario.process.clusters and scenario.population.clusters is None:
        raise ScenarioError(f"{where}, `process.clusters`: there are no clusters. Declare [population.clusters].")
    _check_status(scenario, [*terms, *(f"arm={arm}" for arm in arms)], where)
    _check_targets(scenario, terms, where)
    _check_free(scenario, where)


def _read(condition: str, terms: Sequence[str], place: str) -> None:
    try:
        read_condition(condition, tuple(terms), argument="where")
    except ScenarioError as error:
        raise ScenarioError(f"{place}: {error}") from error


def answer_terms(answers: Answers | None) -> tuple[str, ...]:
    """Return the names of the baseline scores that questionnaires give to the process."""
    if answers is None:
        return ()
    return (*(score.name for score in answers.scores), *derived_names(answers))


def _check_answers(scenario: Scenario, where: str) -> None:
    answers = scenario.answers
    if answers is None:
        return
    terms = [*covariate_names(scenario.population), *HISTORY_TERMS]
    terms += [f"arm={arm}" for arm in scenario.population.arm_names]
    for score in answers.scores:
        for depends in score.depends:
            _known(depends.term, terms, f"{where}, `answers`, '{score.instrument}'", "covariate")
    try:
        check_answers(answers)
    except RtwCohortError as error:
        raise ScenarioError(f"{where}, `answers`: {error}") from error


def _check_status(scenario: Scenario, terms: Sequence[str], where: str) -> None:
    if scenario.status is None:
        return
    steps = [effect for step in scenario.status.later for effect in step.effects]
    for effect in (*scenario.status.effects, *steps):
        _known(effect.term, terms, f"{where}, `status`", "covariate")


def _check_targets(scenario: Scenario, terms: Sequence[str], where: str) -> None:
    from rtwcohort.simulate.measures import check_measure

    for target in scenario.targets:
        place = f"{where}, target '{target.id}'"
        for arm in (target.arm, target.against):
            if arm is not None:
                _known(arm, scenario.population.arm_names, place, "arm")
        try:
            check_measure(target)
            _check_conditions(target, terms)
            _check_reach(scenario, target)
        except RtwCohortError as error:
            raise ScenarioError(f"{place}: {error}") from error


def _check_conditions(target: Target, terms: Sequence[str]) -> None:
    among = target.measure.get("among", ())
    for condition in [among] if isinstance(among, str) else among:
        read_condition(condition, tuple(terms), argument="among")


def _check_reach(scenario: Scenario, target: Target) -> None:
    """Refuse a figure that looks further than the register reaches for those who come last."""
    options = target.measure
    days = [options[name] for name in ("horizon", "last", "day") if isinstance(options.get(name), int)]
    if "rule" in options:
        given = options["rule"]
        rule = rule_from_mapping(given) if isinstance(given, dict) else get_rule(given)
        days = [day + (0 if rule.hold == "point" else LONGEST[rule.unit] * rule.length) for day in days]
    reach = (scenario.data_end - scenario.enrolment[1]).days
    if days and max(days) > reach:
        enough = scenario.enrolment[1] + dt.timedelta(days=max(days))
        raise ScenarioError(
            f"it needs {max(days)} days after the index date, but the last one, {scenario.enrolment[1]}, is {reach} "
            f"days before `data_end`. Let `data_end` be {enough} or later."
        )


def _check_free(scenario: Scenario, where: str) -> None:
    ids = [target.id for target in scenario.targets]
    for free in scenario.free:
        place = f"{where}, `free`, '{free.path}'"
        try:
            value = get_value(scenario, free.path)
        except ScenarioError as error:
            raise ScenarioError(f"{place}: {error}") from error
        if not free.low <= value <= free.high:
            raise ScenarioError(f"{place}: the value must lie between {free.low:g} and {free.high:g}; it is {value:g}.")
        for name in free.targets:
            _known(name, ids, place, "target")


def _known(name: str, known: Iterable[str], place: str, what: str) -> None:
    names = list(known)
    if name not in names:
        listed = f" There are: {', '.join(names)}." if names else " There are none."
        raise ScenarioError(f"{place}: there is no {what} '{name}'.{did_you_mean(name, names)}{listed}")
