"""Benefit spells and answers as rows of a register."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, day_of, from_days, to_days
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal.status import draw_status
from rtwcohort.simulate.population.history import Earlier
from rtwcohort.simulate.population.people import People
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.process import STATES, Certificates, Paths, benefit_rows, exit_days
from rtwcohort.simulate.questionnaires.waves import draw_waves
from rtwcohort.simulate.questionnaires.work_status import draw_work_status
from rtwcohort.simulate.register_tables import Jobs, category_texts, employer_at
from rtwcohort.simulate.scenarios.declaration import Scenario

BENEFIT_COLUMNS: Final = ("person_id", "benefit", "start", "end", "grade", "diagnosis", "employer_id")
WAVE_DAYS: Final = {"M": 365.25 / 12.0, "W": 7.0, "D": 1.0}
"""A wave called M6, W12 or D90 is that long after the index date, where the questionnaires do not say another day."""
QUESTIONNAIRE_COLUMNS: Final = ("person_id", "wave", "answered_on", "instrument", "item", "value")

Scores = dict[str, dict[str, Floats]]
"""Score -> wave -> complete values, shape (n,)."""


def benefits_table(
    scenario: Scenario, people: People, earlier: Earlier, paths: Paths, jobs: Jobs, ids: Ints, *, seed: int
) -> pd.DataFrame:
    """Build the benefits table: earlier absences and the paths, in certificates."""
    certificates = _certificates(scenario)
    known = category_texts(scenario.population, people, "diagnosis")
    has_margin = "diagnosis" in scenario.population.margins
    rows = benefit_rows(
        paths,
        certificates,
        entitlement=scenario.process.entitlement,
        seed=seed,
        diagnosis=known if has_margin else None,
    )
    if len(earlier.position):
        before = _earlier_rows(scenario, people, earlier, known if has_margin else None, certificates, seed)
        rows = pd.concat([rows.drop(columns="employer_id"), before], ignore_index=True)
        rows = rows.sort_values(["person_id", "start", "benefit"], kind="stable", ignore_index=True)
    if scenario.kind == "population":
        opened = np.datetime64(scenario.enrolment[0], "s")
        rows = rows[(rows["end"].isna() | (rows["end"] >= opened)).to_numpy()].reset_index(drop=True)
    first = int(people.person[0])
    position = rows["person_id"].to_numpy(dtype=np.int64) - first
    paid_by = employer_at(jobs, position, to_days(rows["start"]).astype(np.int64))
    paid_by[(rows["benefit"] != "sickness_benefit").to_numpy()] = None
    return rows.assign(person_id=ids[position], employer_id=paid_by)[list(BENEFIT_COLUMNS)]


def _certificates(scenario: Scenario) -> Certificates:
    """Return how absences are written, with the categories of the margin `diagnosis` where no codes are declared."""
    declared = scenario.certificates
    margin = scenario.population.margins.get("diagnosis")
    if margin is None:
        return declared
    shares = dict(declared.diagnoses)
    weights = margin.shares or next(iter(margin.by_arm.values()))
    total = sum(weights.values())
    if not shares:
        shares = {code: weight / total for code, weight in weights.items()}
    for code in margin.categories:
        shares.setdefault(code, 0.0)
    return replace(declared, diagnoses=tuple(shares.items()))


def _earlier_rows(
    scenario: Scenario, people: People, earlier: Earlier, known: Any, certificates: Certificates, seed: int
) -> pd.DataFrame:
    """Return earlier absences, one row each, where the register sees them."""
    rules = scenario.process.entitlement
    start = earlier.start + (0 if rules.shown else rules.employer_period)
    keep = start < earlier.end
    position = earlier.position[keep]
    diagnosis = np.full(len(position), None, dtype=object)
    if known is not None:
        diagnosis = known[position]
    elif certificates.diagnoses:
        codes = np.asarray([code for code, _ in certificates.diagnoses], dtype=object)
        stream = draws.key(seed, "earlier diagnosis")
        shares = [share for _, share in certificates.diagnoses]
        diagnosis = codes[draws.choose(stream, people.person[position], shares, earlier.start[keep] + (1 << 20))]
    return pd.DataFrame(
        {
            "person_id": people.person[position],
            "benefit": np.full(len(position), "sickness_benefit", dtype=object),
            "start": from_days(start[keep]),
            "end": from_days(earlier.end[keep] - 1),
            "grade": earlier.grade[keep].astype(np.float64),
            "diagnosis": diagnosis,
        }
    )


def questionnaires_table(
    scenario: Scenario,
    people: People,
    covariates: dict[str, Floats],
    scores: Scores,
    paths: Paths,
    ids: Ints,
    *,
    seed: int,
) -> pd.DataFrame | None:
    """Build the questionnaires table: scales and the work status; None where the scenario has neither."""
    if scenario.answers is None and scenario.status is None:
        return None
    gone = _gone_day(paths)
    known_to = day_of(scenario.data_end, argument="data_end") + 1
    everything = {**covariates, **arm_indicators(scenario, people)}
    parts: list[pd.DataFrame] = []
    if scenario.answers is not None:
        answers = draw_waves(
            scenario.answers,
            people.person,
            everything,
            people.index,
            gone,
            known_to,
            seed=seed,
            returned_day=returned_day(paths, people.index),
        )
        parts.append(answers)
    if scenario.status is not None:
        parts += _status_rows(scenario, people, {**everything, **scores}, gone, known_to, parts, seed)
    frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    frame = frame.sort_values("person", kind="stable", ignore_index=True)
    position = frame["person"].to_numpy(dtype=np.int64) - int(people.person[0])
    return frame.assign(person_id=ids[position])[list(QUESTIONNAIRE_COLUMNS)]


def arm_indicators(scenario: Scenario, people: People) -> dict[str, Floats]:
    """Return `arm=name` as 0 or 1 for every arm."""
    names = scenario.population.arm_names
    return {f"arm={name}": (people.arm == place).astype(np.float64) for place, name in enumerate(names)}


def returned_day(paths: Paths, index: Ints) -> Ints:
    """Return the first day at work on or after the index day, shape (n,), `MISSING_DAY` for others."""
    out = np.full(len(index), MISSING_DAY, dtype=np.int64)
    back = np.flatnonzero((paths.state == STATES.index("work")) & (paths.end > index[paths.person]))[::-1]
    out[paths.person[back]] = np.maximum(paths.start[back], index[paths.person[back]])
    return out


def _gone_day(paths: Paths) -> Ints:
    """Return the day of death or emigration, shape (n,), `MISSING_DAY` for others."""
    far = np.iinfo(np.int64).max
    dead, away = (np.where(day == MISSING_DAY, far, day.astype(np.int64)) for day in exit_days(paths))
    first = np.minimum(dead, away)
    return np.where(first == far, MISSING_DAY, first)


def _status_rows(
    scenario: Scenario,
    people: People,
    covariates: dict[str, Any],
    gone: Ints,
    known_to: int,
    answers: list[pd.DataFrame],
    seed: int,
) -> list[pd.DataFrame]:
    """Return the two questions of the work status; where a wave has other answers too, only of those who gave them."""
    assert scenario.status is not None
    drawn = draw_status(scenario.status, people.person, covariates, seed=seed)
    declared = {} if scenario.answers is None else {wave.name: wave.day for wave in scenario.answers.waves}
    parts = []
    for column, wave in enumerate(drawn.waves):
        day = people.index + declared.get(wave, _wave_day(wave))
        here = (day < known_to) & ((gone == MISSING_DAY) | (gone > day))
        if wave in declared:
            day, here = _days_answered(answers[0], wave, people, day)
        # With two levels the higher one is "in work".
        level = drawn.codes[:, column] * (2 if len(drawn.levels) == 2 else 1)
        parts.append(draw_work_status(people.person, np.where(here, level, -1), wave, day, seed=seed))
    return parts


def _days_answered(answers: pd.DataFrame, wave: str, people: People, day: Ints) -> tuple[Ints, Any]:
    """Return the day on which people answered other questions of a wave, and who did."""
    asked = answers[answers["wave"] == wave].drop_duplicates("person")
    position = asked["person"].to_numpy(dtype=np.int64) - int(people.person[0])
    here = np.zeros(len(people), dtype=np.bool_)
    here[position] = True
    when = day.copy()
    when[position] = to_days(asked["answered_on"])
    return when, here


def _wave_day(wave: str) -> int:
    head, tail = wave[:1].upper(), wave[1:]
    return round(WAVE_DAYS[head] * int(tail)) if head in WAVE_DAYS and tail.isdigit() else 0
