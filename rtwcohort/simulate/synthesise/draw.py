"""Draw a register from fitted aggregates: people, paths, and the five tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, from_days
from rtwcohort.errors import RtwCohortError, ScenarioError
from rtwcohort.simulate import draws
from rtwcohort.simulate.process import Inputs, Paths, exit_days, simulate_paths
from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.synthesise.association import draw_given, draw_scores
from rtwcohort.simulate.synthesise.draw_rows import answers_table, benefits_table, employment_table
from rtwcohort.simulate.synthesise.fitted import Fitted
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.margins import as_values, draw_values, rank_scores
from rtwcohort.simulate.synthesise.sequences import ADULT_DAYS, FAMILY, Ints
from rtwcohort.simulate.synthesise.terms import rule_values
from rtwcohort.simulate.synthesise.variables import CODED, COURSE, TEXTS, YEAR, course

FIRST_ID: Final = 700_000_000_001
_DEFAULT_AGE: Final = 45.0
_OLDEST: Final = 105.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """Drawn people, arrays of shape (n,).

    Attributes
    ----------
    ids, persons
        Identifiers as written; numbers from 0.
    start, birth
        Days.
    state, before
        State on the first day and days already in it.
    data
        Variable -> codes of levels or numbers, NaN where missing.
    paths
        How they moved.
    """

    ids: Ints
    persons: Ints
    start: Ints
    birth: Ints
    state: Ints
    before: Ints
    data: dict[str, Floats]
    paths: Paths


def draw_register(fitted: Fitted, *, n: int, seed: int, first_id: int = FIRST_ID) -> dict[str, pd.DataFrame]:
    """Draw the tables of a register.

    Parameters
    ----------
    fitted
        The aggregates.
    n
        People.
    seed
        Equal seeds give equal tables.
    first_id
        Identifiers count from here.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables that the real register has, in canonical columns; columns without any value there have none here.
    """
    persons = np.arange(n, dtype=np.int64)
    data = _draw_base(fitted, persons, seed)
    drawn = _draw_paths(fitted, persons, data, seed, first_id)
    tables = {"persons": _persons(fitted, drawn, seed)}
    jobs, tables["employment"] = employment_table(fitted, drawn, seed=seed)
    tables["benefits"] = benefits_table(fitted, drawn, jobs, seed=seed)
    if fitted.cohort:
        tables["enrolment"] = _enrolment(fitted, drawn, seed)
    if any(margin.later for margin in fitted.margins.values()) or "questionnaires" in fitted.columns:
        tables["questionnaires"] = answers_table(fitted, drawn, _draw_later(fitted, drawn, seed), seed=seed)
    order = ("persons", "benefits", "employment", "enrolment", "questionnaires")
    return {
        name: _only_known(tables[name], fitted, name) for name in order if name in fitted.columns and name in tables
    }


def _draw_base(fitted: Fitted, persons: Ints, seed: int) -> dict[str, Floats]:
    names = tuple(name for name, margin in fitted.margins.items() if not margin.later)
    scores = draw_scores(fitted.association.part(names, names), persons, seed=seed, purpose="synthesis: people")
    data: dict[str, Floats] = {}
    for name in sorted(names, key=lambda one: one == "days_before"):
        share = _share(scores[:, names.index(name)])
        within = None
        if name == "days_before":
            states = fitted.margins["start_state"]
            codes = np.asarray([STATES.index(str(level)) for level in states.levels], dtype=np.int64)
            within = FAMILY[codes[data["start_state"].astype(np.int64)]]
        data[name] = draw_values(fitted.margins[name], share, within)
    # Scores themselves are kept, for what comes later hangs on them.
    return {**data, **{f"z {name}": scores[:, k] for k, name in enumerate(names)}}


def _share(score: Floats) -> Floats:
    return np.clip(draws.normal_cdf(score), 1e-9, 1.0 - 1e-9)


def missing(fitted: Fitted, name: str, persons: Ints, seed: int) -> Any:
    """Return who has no value of a variable, shape (n,)."""
    share = fitted.margins[name].missing if name in fitted.margins else 1.0
    return draws.uniform(draws.key(seed, f"synthesis: missing {name}"), persons) < share


def _draw_paths(fitted: Fitted, persons: Ints, data: dict[str, Floats], seed: int, first_id: int) -> Drawn:
    n = len(persons)
    start, birth = _start_and_birth(fitted, persons, data, seed)
    states = fitted.margins["start_state"]
    codes = np.asarray([STATES.index(str(level)) for level in states.levels], dtype=np.int64)
    state = codes[data["start_state"].astype(np.int64)]
    before = np.maximum(data["days_before"], 0.0).astype(np.int64) if "days_before" in data else np.zeros(n, np.int64)
    before = np.clip(before, 0, np.maximum(start - birth - 1, 0))
    if "diagnosis" in data:
        gone = missing(fitted, "diagnosis", persons, seed) | ~np.isin(state, CODED)
        data["diagnosis"] = np.where(gone, np.nan, data["diagnosis"])
    arm, arms = _arms(fitted, data, n)
    cluster = draw_clusters(fitted, persons, data, seed)
    inputs = Inputs(
        persons=persons,
        start_day=start.astype(np.int32),
        start_state=state.astype(np.int8),
        end_day=np.full(n, fitted.end, dtype=np.int32),
        birth_day=birth.astype(np.int32),
        days_before=before.astype(np.int32),
        arm=arm,
        arms=arms,
        cluster=np.zeros(n, dtype=np.int64) if cluster is None else cluster,
        covariates={rule.name: rule_values(rule, data) for rule in fitted.rules if not rule.arm},
    )
    try:
        paths = simulate_paths(fitted.process, inputs, seed=seed)
    except RtwCohortError as error:
        raise ScenarioError(f"The fitted process cannot be simulated: {error}") from error
    return Drawn(first_id + persons, persons, start, birth, state, before, data, paths)


def _start_and_birth(fitted: Fitted, persons: Ints, data: dict[str, Floats], seed: int) -> tuple[Ints, Ints]:
    n = len(persons)
    age = np.clip(data.get("age", np.full(n, _DEFAULT_AGE)), -ADULT_DAYS / YEAR, _OLDEST)
    jitter = draws.whole(draws.key(seed, "synthesis: birthday"), persons, -90, 90)
    if not fitted.cohort:
        birth = fitted.opened - np.rint(age * YEAR).astype(np.int64) + jitter
        start = np.maximum(fitted.opened, birth + ADULT_DAYS)
        late = start >= fitted.end - 1
        return np.where(late, fitted.end - 2, start), np.where(late, fitted.end - 2 - ADULT_DAYS, birth)
    moved = draws.whole(draws.key(seed, "synthesis: index"), persons, -15, 15)
    ends = fitted.margins["index"].knots[-1] if fitted.margins["index"].knots else fitted.margins["index"].levels
    first, last = int(np.ceil(ends[0])), min(int(np.floor(ends[-1])), fitted.end - 2)
    index = np.clip(_numbers(fitted, "index", data).astype(np.int64) + moved, first, max(first, last))
    # Near the ends people fold back, so that no day there is crowded.
    birth = index - np.maximum(np.rint(age * YEAR).astype(np.int64) + jitter, 1)
    return index, birth


def _numbers(fitted: Fitted, name: str, data: dict[str, Floats]) -> Floats:
    return np.asarray(as_values(fitted.margins[name], data[name]), dtype=np.float64)


def _arms(fitted: Fitted, data: dict[str, Floats], n: int) -> tuple[Ints, tuple[str, ...]]:
    margin = fitted.margins.get("arm")
    if margin is None:
        return np.zeros(n, dtype=np.int64), ("",)
    return data["arm"].astype(np.int64), tuple(str(level) for level in margin.levels)


def draw_clusters(fitted: Fitted, persons: Ints, data: dict[str, Floats], seed: int) -> Ints | None:
    """Return the number of each person's cluster, in proportion to the size of the register; None without clusters."""
    if fitted.clusters is None:
        return None
    margin = fitted.margins.get("arm")
    out = np.zeros(len(persons), dtype=np.int64)
    used = 0
    for name, number in fitted.clusters.number.items():
        of = np.ones(len(persons), dtype=np.bool_)
        if name:
            of = data["arm"] == margin.levels.index(name) if margin and name in margin.levels else ~of
        count = max(round(number * len(persons) / fitted.n), 1)
        size = np.arange(used, used + count, dtype=np.int64)
        weight = np.exp(fitted.clusters.log_sd * draws.normal(draws.key(seed, "synthesis: cluster size"), size))
        chosen = draws.choose(draws.key(seed, "synthesis: cluster"), persons[of], weight.tolist())
        out[of] = used + chosen
        used += count
    return out


def _draw_later(fitted: Fitted, drawn: Drawn, seed: int) -> dict[str, Floats]:
    """Draw the answers of later waves, given the people and how their first year went."""
    names = tuple(name for name, margin in fitted.margins.items() if margin.later)
    base = tuple(name for name, margin in fitted.margins.items() if not margin.later)
    if not names:
        return {}
    paths = drawn.paths
    went = course(
        paths.person.astype(np.int64),
        paths.state.astype(np.int64),
        paths.start.astype(np.int64),
        paths.end.astype(np.int64),
        drawn.start,
    )
    given = {name: drawn.data[f"z {name}"] for name in base} | {COURSE: np.nan_to_num(rank_scores(went))}
    scores = draw_given(fitted.association, names, given, drawn.persons, seed=seed)
    return {name: draw_values(fitted.margins[name], _share(scores[:, k])) for k, name in enumerate(names)}


def _persons(fitted: Fitted, drawn: Drawn, seed: int) -> pd.DataFrame:
    death, emigration = exit_days(drawn.paths)
    columns: dict[str, Any] = {"person_id": drawn.ids, "sex": _texts(fitted, drawn, "sex", seed)}
    birth = np.where(missing(fitted, "age", drawn.persons, seed), MISSING_DAY, drawn.birth)
    columns["birth_date"] = from_days(birth)
    for name in TEXTS:
        columns[name] = _texts(fitted, drawn, name, seed)
    columns["income"] = np.full(len(drawn.ids), np.nan)
    if "income" in fitted.margins:
        columns["income"] = _numbers(fitted, "income", drawn.data)
        columns["income"][missing(fitted, "income", drawn.persons, seed)] = np.nan
    columns["death_date"] = from_days(death)
    columns["emigration_date"] = from_days(emigration)
    return pd.DataFrame(columns)


def _enrolment(fitted: Fitted, drawn: Drawn, seed: int) -> pd.DataFrame:
    cluster = draw_clusters(fitted, drawn.persons, drawn.data, seed)
    names = np.full(len(drawn.ids), None, dtype=object)
    if cluster is not None:
        names = np.asarray([f"synthetic_{number + 1}" for number in cluster.tolist()], dtype=object)
    return pd.DataFrame(
        {
            "person_id": drawn.ids,
            "index_date": from_days(drawn.start),
            "arm": _texts(fitted, drawn, "arm", seed),
            "cluster": names,
            "programme": _texts(fitted, drawn, "programme", seed),
        }
    )


def _texts(fitted: Fitted, drawn: Drawn, name: str, seed: int) -> Any:
    if name not in fitted.margins:
        return np.full(len(drawn.ids), None, dtype=object)
    out = as_values(fitted.margins[name], drawn.data[name])
    out[missing(fitted, name, drawn.persons, seed)] = None
    return out


def _only_known(frame: pd.DataFrame, fitted: Fitted, table: str) -> pd.DataFrame:
    """Empty the columns that the real register has no value in."""
    known = fitted.columns[table]
    out = frame.copy()
    for name in out.columns:
        if name in known or name in ("person_id", "end", "death_date", "emigration_date"):
            continue
        out[name] = np.nan if out[name].dtype.kind == "f" else (pd.NaT if out[name].dtype.kind == "M" else None)
        out[name] = out[name].astype(frame[name].dtype)
    return out
