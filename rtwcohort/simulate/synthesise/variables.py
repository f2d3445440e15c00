"""The variables of people in a real register: what is known at the start of follow-up, and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, to_days
from rtwcohort.register.register import Register
from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.margins import Variable
from rtwcohort.simulate.synthesise.sequences import FAMILY, Bools, Ints, Sequences, enrolment_of

TEXTS: Final = ("education", "marital_status", "municipality", "sector", "occupation")
ANSWER: Final = "answer"
"""First part of the names of answers: answer|wave|instrument|item."""
MARK: Final = "|"
GIVEN: Final = "given"
COURSE: Final = "course"
_OFTEN: Final = 0.05
COURSE_DAYS: Final = 365
CODED: Final = tuple(
    STATES.index(name)
    for name in ("sick_full", "sick_graded", "aap", "aap_work", "disability_full", "disability_partial")
)
"""States whose rows have a diagnosis."""
MOST_EARLIER: Final = 20
_LEAST_COURSE: Final = 30
YEAR: Final = 365.25
_FREE: Final = (STATES.index("work"), STATES.index("outside"))


def person_variables(register: Register, sequences: Sequences, diagnosis: Mapping[str, str | None]) -> list[Variable]:
    """Return what is known of people at the start of follow-up; `diagnosis` maps codes to those that are kept."""
    persons = register.persons.drop_duplicates("person_id").set_index("person_id").reindex(sequences.person_id)
    birth = np.where(sequences.birth == MISSING_DAY, np.nan, sequences.birth.astype(np.float64))
    row = sequences.row_at_start()
    state = sequences.state[row]
    since = sequences.start if sequences.cohort else np.full(len(sequences), sequences.opened)
    index = [Variable("index", sequences.start.astype(np.float64), text=False)] if sequences.cohort else []
    out = [
        # In a population the age on the first day of data: who is younger than 16 enters later.
        Variable("age", np.round((since - birth) / YEAR, 2), text=False),
        *index,
        Variable("start_state", np.asarray(STATES, dtype=object)[state], text=True, pool=False),
        Variable(
            "days_before",
            (sequences.clock[row] + sequences.start - sequences.first[row]).astype(np.float64),
            text=False,
            within=FAMILY[state],
        ),
        Variable("sex", _text(persons, "sex"), text=True, pool=False),
        *(Variable(name, _text(persons, name), text=True) for name in TEXTS),
        Variable("income", _number(persons, "income"), text=False),
    ]
    enrolment = enrolment_of(register, sequences)
    if enrolment is not None:
        out.append(Variable("arm", _text(enrolment, "arm"), text=True, pool=False))
        out.append(Variable("programme", _text(enrolment, "programme"), text=True))
        runs, _ = earlier_runs(sequences)
        count = np.bincount(sequences.person[runs], minlength=len(sequences))
        out.append(Variable("earlier", np.minimum(count, MOST_EARLIER).astype(np.float64), text=False))
    coded = np.isin(state, CODED)
    codes = _diagnosis(register, sequences, diagnosis)
    codes[~coded] = None
    out.append(Variable("diagnosis", codes, text=True, pool=False, among=coded))
    return out + _jobs(register, sequences)


def earlier_runs(sequences: Sequences) -> tuple[Ints, Ints]:
    """Return the runs of benefit that ended before the one at the start of follow-up.

    Returns
    -------
    tuple of numpy.ndarray
        The first row of each run, and the day on which the person's present run began, shape (n,).
    """
    row = sequences.row_at_start()
    began = sequences.first[row] - sequences.clock[row]
    on_benefit = ~np.isin(sequences.state, _FREE)
    before = (sequences.clock == 0) & on_benefit & (sequences.first < began[sequences.person])
    return np.flatnonzero(before), began


def course(person: Ints, state: Ints, first: Ints, last: Ints, start: Ints) -> Floats:
    """Return the share of the first year of follow-up without benefit, shape (n,); NaN where it is hardly seen."""
    begin = np.maximum(first, start[person])
    days = np.clip(np.minimum(last, start[person] + COURSE_DAYS) - begin, 0, None)
    n = len(start)
    seen = np.bincount(person, weights=days, minlength=n)
    free = np.bincount(person, weights=days * np.isin(state, _FREE), minlength=n)
    return np.where(seen >= _LEAST_COURSE, free / np.maximum(seen, 1.0), np.nan)


def answer_variables(register: Register, sequences: Sequences) -> list[Variable]:
    """Return answers by wave, instrument and item, when waves were answered, and who answered them.

    The wave that comes first is known at the start; the others later.
    """
    frame = register.questionnaires
    if frame is None or not len(frame):
        return []
    place = pd.Series(np.arange(len(sequences)), index=sequences.person_id)
    frame = frame[frame["person_id"].isin(place.index)]
    position = place.loc[frame["person_id"]].to_numpy(dtype=np.int64)
    wave = frame["wave"].fillna("").astype(str).to_numpy() if "wave" in frame.columns else np.full(len(frame), "")
    day = to_days(frame["answered_on"]).astype(np.int64) if "answered_on" in frame.columns else None
    n = len(sequences)
    waves: list[tuple[float, str, Bools, Floats]] = []
    for name in np.unique(wave).tolist():
        here = wave == name
        answered = np.bincount(position[here], minlength=n) > 0
        after = np.full(n, np.nan)
        if day is not None:
            dated = here & (day != MISSING_DAY)
            after[position[dated]] = day[dated] - sequences.start[position[dated]]
        middle = float(np.nanmedian(after)) if np.isfinite(after).any() else 0.0
        waves.append((middle, name, answered, after))
    waves.sort(key=lambda one: one[:2])
    out: list[Variable] = []
    for turn, (_, name, answered, after) in enumerate(waves):
        later = turn > 0
        yes = np.where(answered, "yes", "no").astype(object)
        out.append(Variable(f"answered{MARK}{name}", yes, text=True, pool=False, later=later))
        out.append(Variable(f"days{MARK}{name}", after, text=False, later=later, among=answered))
        out += _items(frame[wave == name], position[wave == name], name, answered, later)
    return out


def _items(frame: pd.DataFrame, position: Ints, wave: str, answered: Bools, later: bool) -> list[Variable]:
    item = frame["item"].fillna("").astype(str) if "item" in frame.columns else pd.Series("", index=frame.index)
    names = (frame["instrument"].fillna("").astype(str) + MARK + item).to_numpy()
    value = frame["value"].to_numpy(dtype=np.float64)
    out = []
    for name in np.unique(names).tolist():
        values = np.full(len(answered), np.nan)
        values[position[names == name]] = value[names == name]
        skipped = answered & np.isnan(values)
        if skipped.sum() >= _OFTEN * answered.sum():
            # An item that is often skipped is skipped for a reason: whether it was is a variable of its own.
            given = np.where(skipped, "no", "yes").astype(object)
            given[~answered] = None
            given_name = f"{GIVEN}{MARK}{wave}{MARK}{name}"
            out.append(Variable(given_name, given, text=True, pool=False, later=later, among=answered))
        out.append(Variable(f"{ANSWER}{MARK}{wave}{MARK}{name}", values, text=False, later=later, among=answered))
    return out


def _jobs(register: Register, sequences: Sequences) -> list[Variable]:
    if not sequences.jobs_known or register.employment is None:
        return []
    place = pd.Series(np.arange(len(sequences)), index=sequences.person_id)
    jobs = register.employment[register.employment["person_id"].isin(place.index)]
    position = place.loc[jobs["person_id"]].to_numpy(dtype=np.int64)
    first, last = to_days(jobs["start"]).astype(np.int64), to_days(jobs["end"]).astype(np.int64)
    start = sequences.start[position]
    covers = (first != MISSING_DAY) & (first <= start) & ((last == MISSING_DAY) | (last >= start))
    percent, since = np.full(len(sequences), np.nan), np.full(len(sequences), np.nan)
    share = jobs["position"].to_numpy(dtype=np.float64)
    for of, rows in ((percent, share), (since, (start - first).astype(np.float64))):
        for here in (~covers, covers):
            if of is percent or here is covers:
                of[position[here]] = rows[here]
    has = np.zeros(len(sequences), dtype=np.bool_)
    has[position[covers]] = True
    # In work and outside say themselves whether there is a job.
    told = np.isin(sequences.state[sequences.row_at_start()], _FREE)
    holds = np.where(has, "yes", "no").astype(object)
    holds[told] = None
    return [
        Variable("has_job", holds, text=True, pool=False, among=~told),
        Variable("position", percent, text=False),
        Variable("tenure", since, text=False, among=has),
    ]


def _diagnosis(register: Register, sequences: Sequences, kept: Mapping[str, str | None]) -> npt.NDArray[np.object_]:
    """Return the code of the spell that runs on the first day of follow-up, None for people on no such benefit."""
    out = np.full(len(sequences), None, dtype=object)
    rows = register.benefits
    if "diagnosis" not in rows.columns:
        return out
    rows = rows.dropna(subset=["diagnosis"])
    place = pd.Series(np.arange(len(sequences)), index=sequences.person_id)
    rows = rows[rows["person_id"].isin(place.index)]
    position = place.loc[rows["person_id"]].to_numpy(dtype=np.int64)
    first, last = to_days(rows["start"]).astype(np.int64), to_days(rows["end"]).astype(np.int64)
    start = sequences.start[position]
    here = (first <= start) & ((last == MISSING_DAY) | (last >= start))
    out[position[here]] = rows["diagnosis"].map(kept).to_numpy(dtype=object)[here]
    out[pd.isna(out)] = None
    return out


def _text(frame: pd.DataFrame, name: str) -> npt.NDArray[Any]:
    if name not in frame.columns:
        return np.full(len(frame), None, dtype=object)
    values = frame[name].astype(object)
    return np.asarray(values.where(values.notna(), None), dtype=object)


def _number(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return np.asarray(frame[name], dtype=np.float64)
