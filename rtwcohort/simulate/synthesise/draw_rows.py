"""Drawn people's rows of benefits, jobs and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, from_days, to_days
from rtwcohort.simulate import draws
from rtwcohort.simulate.process import JOBS, benefit_rows
from rtwcohort.simulate.process.states import GRADED, STATES
from rtwcohort.simulate.synthesise.fitted import Fitted
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.margins import as_values
from rtwcohort.simulate.synthesise.process_fit import RIGHTS
from rtwcohort.simulate.synthesise.rows_fit import WITH_DIAGNOSIS, History
from rtwcohort.simulate.synthesise.sequences import ADULT_DAYS, WEEKEND, Bools, Ints
from rtwcohort.simulate.synthesise.variables import ANSWER, GIVEN, MARK

if TYPE_CHECKING:
    from rtwcohort.simulate.synthesise.draw import Drawn

QUESTIONNAIRE_COLUMNS: Final = ("person_id", "wave", "answered_on", "instrument", "item", "value")
BENEFIT_COLUMNS: Final = ("person_id", "benefit", "start", "end", "grade", "diagnosis", "employer_id")
_TENURE: Final = 1826
_KEEPS: Final = ("aap", "disability_full")
BENEFIT_OF: Final = {
    "sick_full": "sickness_benefit",
    "sick_graded": "sickness_benefit",
    "aap": "work_assessment_allowance",
    "aap_work": "work_assessment_allowance",
    "disability_full": "disability_pension",
    "disability_partial": "disability_pension",
    "unemployed": "unemployment_benefit",
    "retired": "retirement_pension",
}


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs sorted by person and start: position of the person, days (half-open), number of the employer."""

    person: Ints
    start: Ints
    end: Ints
    employer: Ints


def benefits_table(fitted: Fitted, drawn: Drawn, jobs: Jobs | None, *, seed: int) -> pd.DataFrame:
    """Return the rows of benefits: the paths in certificates, and earlier runs."""
    writing = fitted.writing
    first = _first_codes(fitted, drawn)
    rows = benefit_rows(drawn.paths, writing.certificates, entitlement=RIGHTS, seed=seed, diagnosis=first)
    if writing.history is not None:
        rows = pd.concat([rows, _earlier_rows(fitted, writing.history, drawn, seed)], ignore_index=True)
        rows = rows.sort_values(["person_id", "start", "benefit"], kind="stable", ignore_index=True)
    if not fitted.cohort:
        seen = rows["end"].isna() | (to_days(rows["end"]) >= fitted.opened)
        rows = rows[seen.to_numpy()].reset_index(drop=True)
    position = rows["person_id"].to_numpy(dtype=np.int64)
    number = np.arange(len(rows)) - np.searchsorted(position, position, side="left")
    code = rows["diagnosis"].to_numpy(dtype=object).copy()
    code[draws.uniform(draws.key(seed, "synthesis: no code"), position, number) < writing.no_diagnosis] = None
    sick = (rows["benefit"] == "sickness_benefit").to_numpy()
    employer = np.full(len(rows), None, dtype=object)
    if jobs is not None:
        paid = sick & (draws.uniform(draws.key(seed, "synthesis: paid by"), position, number) < writing.with_employer)
        found = _employer_at(jobs, position, to_days(rows["start"]).astype(np.int64))
        employer[paid] = found[paid]
    out = rows.assign(person_id=drawn.ids[position], diagnosis=code, employer_id=employer)
    return out[list(BENEFIT_COLUMNS)]


def _first_codes(fitted: Fitted, drawn: Drawn) -> Any:
    margin = fitted.margins.get("diagnosis")
    if margin is None or not fitted.writing.certificates.diagnoses:
        return None
    known = [code for code, _ in fitted.writing.certificates.diagnoses]
    codes = as_values(margin, drawn.data["diagnosis"])
    return [code if code in known else None for code in codes.tolist()]


def _earlier_rows(fitted: Fitted, history: History, drawn: Drawn, seed: int) -> pd.DataFrame:
    """Return runs before the start of follow-up, backwards from the present one; those beyond the reach are dropped."""
    margin = fitted.margins.get("earlier")
    count = np.zeros(len(drawn.ids), dtype=np.int64)
    if margin is not None:
        count = as_values(margin, drawn.data["earlier"]).astype(np.int64)
    cursor = drawn.start - drawn.before
    floor = np.maximum(drawn.start - history.reach, drawn.birth + ADULT_DAYS)
    states = [STATES.index(name) for name, _ in history.shares]
    parts: list[tuple[Ints, Ints, Ints, Ints]] = []
    for turn in range(int(count.max(initial=0))):
        who = drawn.persons
        gap = _days(history.gaps, who, turn, "synthesis: gap", seed, least=WEEKEND + 1)
        chosen = draws.choose(draws.key(seed, "synthesis: run"), who, [share for _, share in history.shares], turn)
        length = np.zeros(len(who), dtype=np.int64)
        for k, (name, _) in enumerate(history.shares):
            drawn_days = _days(history.lengths[name], who, turn, "synthesis: length", seed, least=1)
            length = np.where(chosen == k, drawn_days, length)
        start = cursor - gap - length
        # What does not fit within the reach moves to where there is room, if there is any.
        slack = cursor - (WEEKEND + 1) - length - floor
        moved = floor + draws.whole(draws.key(seed, "synthesis: room"), who, 0, np.maximum(slack, 0), turn)
        start = np.where((start < floor) & (slack >= 0), moved, start)
        end = start + length
        fits = np.flatnonzero((count > turn) & (start >= floor))
        cursor = np.where(start >= floor, start, cursor)
        parts.append((fits, np.asarray(states)[chosen[fits]], start[fits], end[fits]))
    if not parts:
        return pd.DataFrame(columns=list(BENEFIT_COLUMNS))
    person, state, start, end = (np.concatenate([part[k] for part in parts]) for k in range(4))
    return _history_frame(fitted, person, state, start, end, seed)


def _history_frame(fitted: Fitted, person: Ints, state: Ints, start: Ints, end: Ints, seed: int) -> pd.DataFrame:
    names = [STATES[code] for code in state.tolist()]
    benefit = np.asarray([BENEFIT_OF[name] for name in names], dtype=object)
    grade = np.full(len(person), 100.0)
    tables = dict(
        zip(GRADED, (fitted.process.grades, fitted.process.aap_work_grades, fitted.process.pension_grades), strict=True)
    )
    for name, shares in tables.items():
        here = state == STATES.index(name)
        key = draws.key(seed, "synthesis: earlier grade")
        chosen = draws.choose(key, person[here], [share for _, share in shares], start[here] + (1 << 20))
        grade[here] = np.asarray([value for value, _ in shares], dtype=np.float64)[chosen]
    code = np.full(len(person), None, dtype=object)
    diagnoses = fitted.writing.certificates.diagnoses
    coded = np.isin(benefit.astype(str), WITH_DIAGNOSIS)
    if diagnoses:
        key = draws.key(seed, "synthesis: earlier code")
        chosen = draws.choose(key, person, [share for _, share in diagnoses], start + (1 << 20))
        code = np.asarray([value for value, _ in diagnoses], dtype=object)[chosen]
        code[~coded] = None
    return pd.DataFrame(
        {
            "person_id": person,
            "benefit": benefit,
            "start": from_days(start),
            "end": from_days(end - 1),
            "grade": grade,
            "diagnosis": code,
            "employer_id": np.full(len(person), None, dtype=object),
        }
    )


def _days(knots: tuple[float, ...], persons: Ints, turn: int, purpose: str, seed: int, *, least: int) -> Ints:
    share = draws.uniform(draws.key(seed, purpose), persons, turn)
    place = share * (len(knots) - 1)
    below = np.minimum(np.floor(place).astype(np.int64), len(knots) - 2)
    values = np.asarray(knots)
    days = values[below] + (place - below) * (values[below + 1] - values[below])
    return np.asarray(np.maximum(np.rint(days), least), dtype=np.int64)


def employment_table(fitted: Fitted, drawn: Drawn, *, seed: int) -> tuple[Jobs | None, pd.DataFrame]:
    """Return the jobs: one for each stretch in states with a job; a new stretch has a new employer."""
    if "employment" not in fitted.columns or not fitted.people_per_employer:
        return None, pd.DataFrame(columns=["person_id", "start", "end", "position", "employer_id"])
    paths = drawn.paths
    works = _has_job(fitted, drawn, seed)
    new = np.ones(len(paths.state), dtype=np.bool_)
    new[1:] = paths.person[1:] != paths.person[:-1]
    # Whoever starts on allowance or pension with a job keeps it as long as that lasts.
    keeps = new & works[paths.person] & np.isin(paths.state, [STATES.index(name) for name in _KEEPS])
    has = np.isin(paths.state, [STATES.index(name) for name in JOBS]) | keeps
    goes_on = np.concatenate(([False], has[:-1])) & ~new
    begins = np.flatnonzero(has & ~goes_on)
    ends = np.flatnonzero(has & ~np.append(goes_on[1:] & has[1:], False))
    owner = paths.person[begins].astype(np.int64)
    at_start = new[begins]
    start = paths.start[begins].astype(np.int64)
    tenure = drawn.data.get("tenure", np.full(len(drawn.ids), float(_TENURE))).astype(np.int64)
    since = np.minimum(drawn.start - np.maximum(tenure, 0), drawn.start - drawn.before)
    start = np.where(at_start, since[owner], start)
    start = np.maximum(start, drawn.birth[owner] + ADULT_DAYS)
    end = paths.end[ends].astype(np.int64)
    keep = (~at_start | works[owner]) & (start < end)
    number = np.arange(len(owner)) - np.searchsorted(owner, owner, side="left")
    employers = max(round(len(drawn.ids) / max(fitted.people_per_employer, 1.0)), 1)
    employer = draws.whole(draws.key(seed, "synthesis: employer"), owner, 1, employers, number)
    jobs = Jobs(owner[keep], start[keep], end[keep], employer[keep])
    runs = jobs.end >= fitted.end
    return jobs, pd.DataFrame(
        {
            "person_id": drawn.ids[jobs.person],
            "start": from_days(jobs.start),
            "end": from_days(np.where(runs, MISSING_DAY, jobs.end - 1)),
            "position": _positions(fitted, drawn)[jobs.person],
            "employer_id": _names(jobs.employer),
        }
    )


def _has_job(fitted: Fitted, drawn: Drawn, seed: int) -> Bools:
    """Return who has a job at the start: in work, and by chance on benefits."""
    share = np.asarray([fitted.jobs.get(name, 0.0) for name in STATES])[drawn.state]
    out = draws.uniform(draws.key(seed, "synthesis: has a job"), drawn.persons) < share
    out[drawn.state == STATES.index("work")] = True
    out[drawn.state == STATES.index("outside")] = False
    return out


def _positions(fitted: Fitted, drawn: Drawn) -> Floats:
    margin = fitted.margins.get("position")
    if margin is None:
        return np.full(len(drawn.ids), 100.0)
    return np.clip(np.asarray(as_values(margin, drawn.data["position"]), dtype=np.float64), 1.0, 100.0)


def _names(numbers: Ints) -> Any:
    return np.asarray([f"synthetic_{number}" for number in numbers.tolist()], dtype=object)


def _employer_at(jobs: Jobs, person: Ints, day: Ints) -> Any:
    span = np.int64(1) << 40
    keys = jobs.person * span + jobs.start + (span >> 1)
    found = np.searchsorted(keys, person * span + day + (span >> 1), side="right") - 1
    place = np.maximum(found, 0)
    out = np.full(len(person), None, dtype=object)
    if len(keys):
        holds = (found >= 0) & (jobs.person[place] == person) & (day < jobs.end[place])
        out[holds] = _names(jobs.employer[place[holds]])
    return out


def answers_table(fitted: Fitted, drawn: Drawn, later: dict[str, Floats], *, seed: int) -> pd.DataFrame:
    """Return the answers of people who are alive, resident and known on the day."""
    data = {**drawn.data, **later}
    gone = _gone(drawn, fitted.end)
    parts: list[pd.DataFrame] = []
    for name, margin in fitted.margins.items():
        pieces = name.split(MARK)
        if pieces[0] != ANSWER:
            continue
        wave, instrument, item = pieces[1], pieces[2], MARK.join(pieces[3:])
        day, dated, answered = _when(fitted, drawn, data, wave, seed)
        skipped = draws.uniform(draws.key(seed, f"synthesis: missing {name}"), drawn.persons) < margin.missing
        given = MARK.join([GIVEN, *pieces[1:]])
        if given in fitted.margins:
            skipped = as_values(fitted.margins[given], data[given]) == "no"
        here = np.flatnonzero(answered & ~skipped & (day < gone))
        parts.append(
            pd.DataFrame(
                {
                    "person_id": drawn.ids[here],
                    "wave": np.full(len(here), wave or None, dtype=object),
                    "answered_on": from_days(np.where(dated[here], day[here], MISSING_DAY)),
                    "instrument": np.full(len(here), instrument, dtype=object),
                    "item": np.full(len(here), item, dtype=object),
                    "value": np.asarray(as_values(margin, data[name]), dtype=np.float64)[here],
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=list(QUESTIONNAIRE_COLUMNS))
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values("person_id", kind="stable", ignore_index=True)[list(QUESTIONNAIRE_COLUMNS)]


def _when(fitted: Fitted, drawn: Drawn, data: dict[str, Floats], wave: str, seed: int) -> tuple[Ints, Bools, Bools]:
    """Return the day of a wave, whether it has a date, and who answers."""
    n = len(drawn.ids)
    answered = np.ones(n, dtype=np.bool_)
    if f"answered{MARK}{wave}" in fitted.margins:
        name = f"answered{MARK}{wave}"
        answered = as_values(fitted.margins[name], data[name]) == "yes"
    name = f"days{MARK}{wave}"
    if name not in fitted.margins:
        return drawn.start, np.zeros(n, dtype=np.bool_), answered
    after = np.asarray(as_values(fitted.margins[name], data[name]), dtype=np.float64)
    undated = draws.uniform(draws.key(seed, f"synthesis: missing {name}"), drawn.persons) < fitted.margins[name].missing
    return drawn.start + np.rint(after).astype(np.int64), ~undated, answered


def _gone(drawn: Drawn, end: int) -> Ints:
    """Return the day from which nothing is known of people, shape (n,)."""
    out = np.full(len(drawn.ids), end, dtype=np.int64)
    leaves = drawn.paths.state >= STATES.index("dead")
    np.minimum.at(out, drawn.paths.person[leaves], drawn.paths.start[leaves].astype(np.int64))
    return out
