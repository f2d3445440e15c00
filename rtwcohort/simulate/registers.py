"""A register from a scenario: five tables whose true effects are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import MISSING_DAY, day_of, from_days
from rtwcohort.errors import RtwCohortError, ScenarioError
from rtwcohort.simulate.population.conditions import holds
from rtwcohort.simulate.population.history import Earlier, draw_history, weekdays
from rtwcohort.simulate.population.people import People, draw_people, indicators
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.process.paths import Inputs, Paths
from rtwcohort.simulate.process.run import simulate_paths
from rtwcohort.simulate.process.states import FAMILIES, SICK, STATES, state_code
from rtwcohort.simulate.questionnaires.baseline import draw_baseline
from rtwcohort.simulate.questionnaires.complete import draw_complete
from rtwcohort.simulate.questionnaires.derived import derived_scores
from rtwcohort.simulate.register_rows import (
    Scores,
    arm_indicators,
    benefits_table,
    questionnaires_table,
    returned_day,
)
from rtwcohort.simulate.register_tables import employment_table, enrolment_table, find_jobs, persons_table
from rtwcohort.simulate.scenarios.declaration import Scenario, check_scenario

TABLES: Final = ("persons", "benefits", "employment", "enrolment", "questionnaires")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A slice of a simulated register before it becomes tables.

    Attributes
    ----------
    people, earlier, paths
        Who they are, what came before, how they moved.
    covariates
        Name -> values that effects may name, shape (m,), without missing values.
    scores
        Score -> wave -> complete values, where the scenario has a status that may depend on them.
    """

    people: People
    earlier: Earlier
    covariates: dict[str, Floats]
    paths: Paths
    scores: Scores


def simulate_register(
    scenario: Scenario, *, n: int | None = None, seed: int, first: int = 0, last: int | None = None
) -> dict[str, pd.DataFrame]:
    """Simulate the tables of a register.

    Parameters
    ----------
    scenario
        What to simulate.
    n
        People; None takes the scenario's own number.
    seed
        Whole number of at least 0. Equal scenarios, sizes and seeds give equal tables on every machine.
    first, last
        Only people first..last-1 of the n: the same rows as in the whole register.

    Returns
    -------
    dict of str to pandas.DataFrame
        persons, benefits, employment, enrolment (cohorts only) and questionnaires (where the scenario has any),
        in canonical columns; ends are inclusive.

    Raises
    ------
    ScenarioError
        When the scenario cannot be simulated.
    ArgumentError
        When `n`, `seed`, `first` or `last` break their rule.

    See Also
    --------
    true_values : the effects that an analysis should find.
    true_outcomes : what happened to each person.
    write_scenario : a register of any size to files.
    """
    return tables_of(scenario, draw_slice(scenario, n=n, seed=seed, first=first, last=last), n=n, seed=seed)


def draw_slice(
    scenario: Scenario, *, n: int | None = None, seed: int, first: int = 0, last: int | None = None
) -> Drawn:
    """Draw people and paths; see `simulate_register`."""
    check_scenario(scenario)
    size = _size(scenario, n)
    check_number(seed, argument="seed", least=0, whole=True)
    stop = size if last is None else last
    check_number(first, argument="first", least=0, most=size, whole=True)
    check_number(stop, argument="last", least=first, most=size, whole=True)
    persons = np.arange(first, stop, dtype=np.int64)
    days = (day_of(scenario.enrolment[0], argument="enrolment"), day_of(scenario.enrolment[1], argument="enrolment"))
    try:
        people = draw_people(scenario.population, persons, n=size, scale=size / scenario.n, days=days, seed=int(seed))
        rules = scenario.process.entitlement
        people = _within_rights(scenario, people)
        earlier = draw_history(scenario.population.history, people, rules, seed=int(seed))
        covariates = _covariates(scenario, people, earlier, int(seed))
        paths = simulate_paths(scenario.process, _inputs(scenario, people, earlier, covariates), seed=int(seed))
        scores = _scores(scenario, people, covariates, paths, int(seed))
    except ScenarioError:
        raise
    except RtwCohortError as error:
        raise ScenarioError(f"scenario '{scenario.name}': {error}") from error
    return Drawn(people, earlier, covariates, paths, scores)


def tables_of(
    scenario: Scenario, drawn: Drawn, *, n: int | None = None, seed: int, questionnaires: bool = True
) -> dict[str, pd.DataFrame]:
    """Turn drawn people and paths into tables; `questionnaires=False` leaves that table out."""
    people, paths = drawn.people, drawn.paths
    ids = scenario.first_id + people.person
    employers = max(1, round(_size(scenario, n) / scenario.population.people_per_employer))
    jobs = find_jobs(scenario.population, people, paths, employers, seed=seed)
    tables = {
        "persons": persons_table(scenario.population, people, ids, paths, seed=seed),
        "benefits": benefits_table(scenario, people, drawn.earlier, paths, jobs, ids, seed=seed),
        "employment": employment_table(people, ids, jobs),
    }
    if scenario.kind == "cohort":
        tables["enrolment"] = enrolment_table(scenario.population, people, ids)
    if not questionnaires:
        return tables
    answers = questionnaires_table(scenario, people, drawn.covariates, drawn.scores, paths, ids, seed=seed)
    if answers is not None:
        tables["questionnaires"] = answers
    return tables


def true_values(scenario: Scenario) -> pd.DataFrame:
    """Return the effects that are set in a scenario.

    Returns
    -------
    pandas.DataFrame
        outcome (group of transitions, or "status"), term, scale ("log_hr", "log_or", "variance", "sd"), value, and
        holds: in which model or for whom.
    """
    check_scenario(scenario)
    rows: list[tuple[str, str, str, float, str]] = []
    process = scenario.process
    for effect in process.effects:
        unit = "" if effect.per == 1.0 else f"/{effect.per:g}"
        rows += [(group, f"{effect.term}{unit}", "log_hr", effect.log_hr, "conditional") for group in _names(effect.on)]
    for arm in process.arm_effects:
        rows += [(group, f"arm[{arm.arm}]", "log_hr", arm.log_hr, _when(arm)) for group in _names(arm.on)]
        if arm.interaction is not None:
            term = f"arm[{arm.arm}]:{arm.interaction}"
            rows += [(group, term, "log_hr", arm.interaction_log_hr, _when(arm)) for group in _names(arm.on)]
    if process.earlier is not None:
        rows += [
            (group, "earlier absences", "log_hr", process.earlier.log_hr, "conditional")
            for group in _names(process.earlier.on)
        ]
    for frailty in process.frailty:
        rows += [
            (group, f"frailty ({frailty.distribution})", "variance", frailty.variance, "parameter")
            for group in _names(frailty.on)
        ]
    for cluster in process.clusters:
        rows += [(group, "cluster", "sd of log_hr", cluster.sd, "parameter") for group in _names(cluster.on)]
    frame = pd.DataFrame(rows, columns=["outcome", "term", "scale", "value", "holds"]).astype({"value": "float64"})
    if scenario.status is None:
        return frame
    from rtwcohort.simulate.marginal.status import truth

    status = truth(scenario.status)
    return status if frame.empty else pd.concat([frame, status], ignore_index=True)


def true_outcomes(scenario: Scenario, *, n: int | None = None, seed: int) -> pd.DataFrame:
    """Return what happened to each person in the simulation with this seed.

    Returns
    -------
    pandas.DataFrame
        One row a person: person_id, index_date, arm, time (days from the index date to the first state outside the
        benefit the person was on; the last day known where there was none), to (that state, None where there was
        none), then every covariate as the hazards used it, without missing values.
    """
    drawn = draw_slice(scenario, n=n, seed=seed)
    people, paths = drawn.people, drawn.paths
    left, to = _first_exit(paths, people.index)
    return pd.DataFrame(
        {
            "person_id": scenario.first_id + people.person,
            "index_date": from_days(people.index),
            "arm": np.asarray(scenario.population.arm_names, dtype=object)[people.arm],
            "time": left - people.index,
            "to": to,
            **drawn.covariates,
        }
    )


def _size(scenario: Scenario, n: int | None) -> int:
    if n is not None:
        check_number(n, argument="n", least=1, whole=True)
    return scenario.n if n is None else int(n)


def _covariates(scenario: Scenario, people: People, earlier: Earlier, seed: int) -> dict[str, Floats]:
    covariates = indicators(scenario.population, people.numbers, people.categories)
    covariates["earlier_spells"] = earlier.count.astype(np.float64)
    covariates["days_on_benefit"] = (earlier.days + people.index - people.absence_start).astype(np.float64)
    if scenario.answers is not None:
        with_arms = {**covariates, **arm_indicators(scenario, people)}
        scores = draw_baseline(scenario.answers, people.person, with_arms, seed=seed)
        covariates |= {**scores, **derived_scores(scores)}
    for group in scenario.groups:
        inside = np.ones(len(people), dtype=np.bool_)
        for condition in group.where:
            inside &= holds(covariates, condition, argument="where")
        covariates[group.name] = inside.astype(np.float64)
    return covariates


def _scores(scenario: Scenario, people: People, covariates: dict[str, Floats], paths: Paths, seed: int) -> Scores:
    if scenario.answers is None or scenario.status is None:
        return {}
    scores = draw_complete(
        scenario.answers,
        people.person,
        {**covariates, **arm_indicators(scenario, people)},
        people.index,
        seed=seed,
        returned_day=returned_day(paths, people.index),
    )
    derived: Scores = {}
    for wave in scenario.answers.waves:
        for name, values in derived_scores({name: of[wave.name] for name, of in scores.items()}).items():
            derived.setdefault(name, {})[wave.name] = values
    return {**scores, **derived}


def _inputs(scenario: Scenario, people: People, earlier: Earlier, covariates: dict[str, Floats]) -> Inputs:
    names = scenario.population.start.categories
    codes = np.asarray([*(state_code(name) for name in names), state_code("work")], dtype=np.int8)
    end = day_of(scenario.data_end, argument="data_end") + 1
    start = people.index - scenario.burn_in_days
    return Inputs(
        persons=people.person,
        start_day=start.astype(np.int32),
        start_state=codes[people.start_state],
        end_day=np.full(len(people), end, dtype=np.int32),
        birth_day=people.birth.astype(np.int32),
        index_day=people.index.astype(np.int32),
        days_before=(people.index - people.absence_start).astype(np.int32),
        arm=people.arm,
        arms=scenario.population.arm_names,
        cluster=people.cluster,
        covariates=covariates,
        earlier_spells=earlier.count.astype(np.int32),
        paid_before=_paid_before(scenario, people, earlier).astype(np.int32),
        last_paid_day=np.where(earlier.last_paid == MISSING_DAY, MISSING_DAY, earlier.last_paid).astype(np.int32),
    )


def _on_sick_leave(scenario: Scenario, people: People) -> Any:
    names = scenario.population.start.categories
    sick = [place for place, name in enumerate(names) if name in SICK]
    return np.isin(people.start_state, sick)


def _within_rights(scenario: Scenario, people: People) -> People:
    """Cut absences before the index date to what the rules pay, less a week."""
    rules = scenario.process.entitlement
    most = rules.employer_period + max((rules.paid_days // 5 - 1) * 7, 0)
    cut = np.maximum(people.absence_start, people.index - most)
    return replace(people, absence_start=np.where(_on_sick_leave(scenario, people), cut, people.absence_start))


def _paid_before(scenario: Scenario, people: People, earlier: Earlier) -> Ints:
    """Return the paid days that earlier absences used, so that a day at least is left at the start."""
    rules = scenario.process.entitlement
    first_paid = np.minimum(people.absence_start + rules.employer_period, people.index)
    now = np.where(_on_sick_leave(scenario, people), weekdays(first_paid, people.index), 0)
    return np.clip(earlier.paid, 0, np.maximum(rules.paid_days - 5 - now, 0))


def _first_exit(paths: Paths, index: Ints) -> tuple[Ints, Any]:
    """Return the first day after the index day in another family of states, and that state."""
    family = np.arange(len(STATES))
    for members in FAMILIES:
        family[[STATES.index(name) for name in members]] = STATES.index(members[0])
    n = len(index)
    covers = (paths.start <= index[paths.person]) & (index[paths.person] < paths.end)
    own = np.full(n, -1)
    own[paths.person[covers]] = family[paths.state[covers]]
    leaves = np.flatnonzero((paths.start > index[paths.person]) & (family[paths.state] != own[paths.person]))[::-1]
    day, to = paths.end_day.astype(np.int64) - 1, np.full(n, None, dtype=object)
    day[paths.person[leaves]] = paths.start[leaves]
    to[paths.person[leaves]] = np.asarray(STATES, dtype=object)[paths.state[leaves]]
    return day, to


def _names(on: tuple[str, ...] | str) -> tuple[str, ...]:
    return (on,) if isinstance(on, str) else tuple(on)


def _when(effect: Any) -> str:
    parts = ["conditional"]
    if effect.delay:
        parts.append(f"from day {effect.delay}")
    if effect.until is not None:
        parts.append(f"to day {effect.until}")
    if effect.half_life is not None:
        parts.append(f"halving every {effect.half_life:g} days")
    return ", ".join(parts)
