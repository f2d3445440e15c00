"""A register with known truth: five tables in canonical columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import MISSING_DAY, day_of, from_days
from rtwcohort.instruments import get_instrument
from rtwcohort.simulate.answers import baseline_sum, questionnaires_table
from rtwcohort.simulate.events import CAUSES, NEVER, Events, draw_events, linear_predictor
from rtwcohort.simulate.people import (
    People,
    draw_people,
    employment_table,
    enrolment_table,
    person_ids,
    persons_table,
)
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.scenario import Scenario
from rtwcohort.simulate.spells import Rows, benefits_table, days_before, earlier_spells


@dataclass(frozen=True, slots=True)
class _Drawn:
    people: People
    earlier: Rows
    values: dict[str, Floats]
    events: Events


def simulate_register(scenario: Scenario, *, seed: int) -> dict[str, pd.DataFrame]:
    """Simulate the five tables of a register.

    Parameters
    ----------
    scenario
        What to simulate.
    seed
        Whole number of at least 0. Equal scenarios and seeds give equal tables on every machine.

    Returns
    -------
    dict of str to pandas.DataFrame
        persons, benefits, employment, enrolment, questionnaires; spells have inclusive ends and the register
        knows nothing after `scenario.data_end`.

    Raises
    ------
    ArgumentError
        When `seed` is not a whole number of at least 0.

    See Also
    --------
    true_values : the hazard ratios that an analysis should find.
    true_outcomes : what happened to each person.
    """
    drawn = _draw(scenario, seed)
    people, events = drawn.people, drawn.events
    known_to = day_of(scenario.data_end, argument="data_end") + 1
    gone = np.minimum(events.death, events.emigration)
    pension = np.where((events.cause == 1) & people.eligible, people.index + events.time, NEVER)
    return {
        "persons": persons_table(
            scenario, people, _known(events.death, known_to), _known(events.emigration, known_to), seed=seed
        ),
        "benefits": benefits_table(scenario, people, events, drawn.earlier, seed=seed),
        "employment": employment_table(scenario, people, _known(np.minimum(gone, pension), known_to), seed=seed),
        "enrolment": enrolment_table(scenario, people),
        "questionnaires": questionnaires_table(scenario, people, gone, known_to, seed=seed),
    }


def true_outcomes(scenario: Scenario, *, seed: int) -> pd.DataFrame:
    """Return what ended each person's absence in the simulation with this seed.

    Returns
    -------
    pandas.DataFrame
        One row a person: person_id, index_date, eligible (on benefit on the index date), time (whole days from the
        index date, at least 1), cause ("return", "disability_pension", "death", "emigration"), then the
        covariates as the hazards used them, without missing values: arm, sex, graded (0 or 1), age,
        fabq_work, belief, days_on_benefit. Nothing is cut at `data_end`.
    """
    drawn = _draw(scenario, seed)
    return pd.DataFrame(
        {
            "person_id": person_ids(scenario),
            "index_date": from_days(drawn.people.index),
            "eligible": drawn.people.eligible,
            "time": drawn.events.time,
            "cause": np.asarray(CAUSES, dtype=object)[drawn.events.cause],
            **drawn.values,
        }
    )


def _draw(scenario: Scenario, seed: int) -> _Drawn:
    check_number(seed, argument="seed", least=0, whole=True)
    people = draw_people(scenario, seed=int(seed))
    earlier = earlier_spells(scenario, people, seed=int(seed))
    values = {
        "arm": people.arm.astype(np.float64),
        "age": people.age,
        "sex": people.male.astype(np.float64),
        "fabq_work": baseline_sum(scenario, "FABQ-W", seed=int(seed)),
        "belief": baseline_sum(scenario, "BELIEF", seed=int(seed)) / len(get_instrument("BELIEF").items),
        "days_on_benefit": days_before(scenario, people, earlier).astype(np.float64),
        "graded": people.graded.astype(np.float64),
    }
    predictor = linear_predictor(scenario, values)
    return _Drawn(people, earlier, values, draw_events(scenario, people, predictor, seed=int(seed)))


def _known(day: Ints, known_to: int) -> Ints:
    """Days that the register knows about; the others are missing."""
    return np.where(day < known_to, day, MISSING_DAY)
