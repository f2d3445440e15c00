"""Benefit spells and answers as rows of a register."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, day_of, from_days
from rtwcohort.simulate import draws
from rtwcohort.simulate.population.history import Earlier
from rtwcohort.simulate.population.people import People
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.process import STATES, Paths
from rtwcohort.simulate.register_tables import Jobs, category_texts, employer_at, first_day_in
from rtwcohort.simulate.scenarios.declaration import Scenario

BENEFIT_COLUMNS: Final = ("person_id", "benefit", "start", "end", "grade", "diagnosis", "employer_id")
WAVE_DAYS: Final = {"M": 365.25 / 12.0, "W": 7.0, "D": 1.0}
"""A wave called M6, W12 or D90 is that long after the index date, where the questionnaires do not say another day."""
_OTHER_SITUATIONS: Final = (1, 2, 4, 5)
_BENEFITS: Final = {
    "sick_full": "sickness_benefit",
    "sick_graded": "sickness_benefit",
    "aap": "work_assessment_allowance",
    "aap_work": "work_assessment_allowance",
    "disability_full": "disability_pension",
    "disability_partial": "disability_pension",
    "unemployed": "unemployment_benefit",
    "retired": "retirement_pension",
}


def benefits_table(
    scenario: Scenario, people: People, earlier: Earlier, paths: Paths, jobs: Jobs, ids: Ints, *, seed: int
) -> pd.DataFrame:
    """Build the benefits table: earlier absences and the paths."""
    rows = pd.concat([_earlier_rows(scenario, earlier), _path_rows(paths)], ignore_index=True)
    rows = rows.sort_values(["position", "start", "benefit"], kind="stable", ignore_index=True)
    position = rows["position"].to_numpy(dtype=np.int64)
    start, end = rows["start"].to_numpy(dtype=np.int64), rows["end"].to_numpy(dtype=np.int64)
    running = end >= paths.end_day[position]
    if scenario.kind == "population":
        keep = end > day_of(scenario.enrolment[0], argument="enrolment")
        rows, position, start, end, running = (item[keep] for item in (rows, position, start, end, running))
    diagnosis = rows["diagnosis"].to_numpy(dtype=object)
    if "diagnosis" in scenario.population.margins:
        diagnosis = category_texts(scenario.population, people, "diagnosis")[position]
    paid_by = employer_at(jobs, position, start)
    sick = (rows["benefit"] == "sickness_benefit").to_numpy()
    return pd.DataFrame(
        {
            "person_id": ids[position],
            "benefit": rows["benefit"].to_numpy(dtype=object),
            "start": from_days(start),
            "end": from_days(np.where(running, MISSING_DAY, end - 1)),
            "grade": rows["grade"].to_numpy(dtype=np.float64),
            "diagnosis": diagnosis,
            "employer_id": np.where(sick, paid_by, None),
        }
    )


def _path_rows(paths: Paths) -> pd.DataFrame:
    names = np.asarray([_BENEFITS.get(state) for state in STATES], dtype=object)[paths.state]
    paid = np.asarray([name is not None for name in names])
    grade = np.where(paths.grade > 0, paths.grade, 100)
    return pd.DataFrame(
        {
            "position": paths.person[paid].astype(np.int64),
            "benefit": names[paid],
            "start": paths.start[paid].astype(np.int64),
            "end": paths.end[paid].astype(np.int64),
            "grade": grade[paid].astype(np.int64),
            "diagnosis": None,
        }
    )


def _earlier_rows(scenario: Scenario, earlier: Earlier) -> pd.DataFrame:
    rules = scenario.process.entitlement
    start = earlier.start + (0 if rules.shown else rules.employer_period)
    keep = start < earlier.end
    return pd.DataFrame(
        {
            "position": earlier.position[keep],
            "benefit": np.full(int(keep.sum()), "sickness_benefit", dtype=object),
            "start": start[keep],
            "end": earlier.end[keep],
            "grade": earlier.grade[keep],
            "diagnosis": None,
        }
    )


def questionnaires_table(
    scenario: Scenario, people: People, covariates: dict[str, Floats], paths: Paths, ids: Ints, *, seed: int
) -> pd.DataFrame | None:
    """Build the questionnaires table: scales and the work status; None where the scenario has neither."""
    if scenario.answers is None and scenario.status is None:
        return None
    gone = gone_day(paths, len(people))
    known_to = day_of(scenario.data_end, argument="data_end") + 1
    names = scenario.population.arm_names
    arms = {f"arm={name}": (people.arm == place).astype(np.float64) for place, name in enumerate(names)}
    everything = {**covariates, **arms}
    parts: list[pd.DataFrame] = []
    if scenario.answers is not None:
        from rtwcohort.simulate.questionnaires import draw_waves

        answers = draw_waves(
            scenario.answers,
            people.person,
            everything,
            people.index,
            gone,
            known_to,
            seed=seed,
            returned_day=_returned_day(paths, people.index),
        )
        parts.append(answers)
    if scenario.status is not None:
        parts.append(_status_rows(scenario, people, everything, gone, known_to, parts, seed=seed))
    frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    frame = frame.sort_values("person", kind="stable", ignore_index=True)
    position = frame["person"].to_numpy(dtype=np.int64) - int(people.person[0])
    frame.insert(0, "person_id", ids[position])
    frame["value"] = frame["value"].astype(np.float64)
    return frame[["person_id", "wave", "answered_on", "instrument", "item", "value"]]


def gone_day(paths: Paths, n: int) -> Ints:
    """Return the day of death or emigration, shape (n,), `MISSING_DAY` for others."""
    far = np.iinfo(np.int64).max
    days = [first_day_in(paths, state, n) for state in ("dead", "emigrated")]
    first = np.minimum(*(np.where(day == MISSING_DAY, far, day) for day in days))
    return np.where(first == far, MISSING_DAY, first)


def _returned_day(paths: Paths, index: Ints) -> Ints:
    """Return the first day at work after the index day, shape (n,), `MISSING_DAY` for others."""
    out = np.full(len(index), MISSING_DAY, dtype=np.int64)
    back = np.flatnonzero((paths.state == STATES.index("work")) & (paths.end > index[paths.person]))[::-1]
    out[paths.person[back]] = np.maximum(paths.start[back], index[paths.person[back]])
    return out


def _status_rows(
    scenario: Scenario,
    people: People,
    covariates: dict[str, Floats],
    gone: Ints,
    known_to: int,
    answers: list[pd.DataFrame],
    *,
    seed: int,
) -> pd.DataFrame:
    """Return the two questions of the work status; where a wave has other answers too, only of those who gave them."""
    from rtwcohort.simulate.marginal.status import draw_status

    assert scenario.status is not None
    drawn = draw_status(scenario.status, people.person, covariates, seed=seed)
    declared = {} if scenario.answers is None else {wave.name: wave.day for wave in scenario.answers.waves}
    parts = []
    for column, wave in enumerate(drawn.waves):
        day = people.index + declared.get(wave, _wave_day(wave))
        here = (day < known_to) & ((gone == MISSING_DAY) | (gone > day))
        when = day
        if wave in declared:
            asked = answers[0][answers[0]["wave"] == wave].drop_duplicates("person")
            position = asked["person"].to_numpy(dtype=np.int64) - int(people.person[0])
            here = np.zeros(len(people), dtype=np.bool_)
            here[position] = True
            when = day.copy()
            when[position] = asked["answered_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
        parts += _two_questions(people.person, drawn.codes[:, column], len(drawn.levels), wave, when, here, seed)
    return pd.concat(parts, ignore_index=True)


def _two_questions(
    persons: Ints, level: Ints, n_levels: int, wave: str, when: Ints, here: Any, seed: int
) -> list[pd.DataFrame]:
    """Return "declared fit" of everybody here, and the situation of those who are not."""
    fit = level == n_levels - 1
    partly = level == n_levels - 2 if n_levels > 2 else np.zeros(len(level), dtype=np.bool_)
    other = draws.choose(draws.key(seed, f"situation at {wave}"), persons, (1.0, 1.0, 1.0, 1.0))
    situation = np.where(partly, 3, np.asarray(_OTHER_SITUATIONS)[other])
    rows = []
    for item, values, asked in (("declared_fit", fit.astype(np.int64), here), ("situation", situation, here & ~fit)):
        rows.append(
            pd.DataFrame(
                {
                    "person": persons[asked],
                    "wave": wave,
                    "answered_on": from_days(when[asked]),
                    "instrument": "WORK-STATUS",
                    "item": item,
                    "value": values[asked].astype(np.float64),
                }
            )
        )
    return rows


def _wave_day(wave: str) -> int:
    head, tail = wave[:1].upper(), wave[1:]
    return round(WAVE_DAYS[head] * int(tail)) if head in WAVE_DAYS and tail.isdigit() else 0
