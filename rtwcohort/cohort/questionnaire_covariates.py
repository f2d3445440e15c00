"""Covariates from questionnaires: an instrument's score at a wave, or one item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.cohort.candidates import Candidates, no_table
from rtwcohort.cohort.column import Column, numeric
from rtwcohort.cohort.declaration import known_name
from rtwcohort.cohort.history import Flags, Numbers
from rtwcohort.core.days import MISSING_DAY, to_days
from rtwcohort.errors import ArgumentError, CohortError
from rtwcohort.register.register import Register


def from_questionnaire(people: Candidates, given: Mapping[str, Any], owner: str) -> Column:
    """Take the score of an instrument at a wave, or the value of one item."""
    instrument, wave, item = given["instrument"], given["wave"], given["item"]
    if instrument is None and item is None:
        raise ArgumentError(f"`{owner}` needs `instrument`, `item` or both.")
    wave = _only_wave(people.register, wave, owner)
    answers = answers_of(people.register, instrument, wave, item=item, needed_by=owner)
    answers = answers[np.isin(answers["person_id"].to_numpy(), people.person_id)]
    if item is not None:
        values = _item_values(people, answers, item, wave)
        what = f"item {item}" if instrument is None else f"{instrument} item {item}"
        label, unit = f"{what[0].upper()}{what[1:]} at {wave}", ""
    else:
        values = _scores(people, answers, instrument, wave)
        what = instrument
        label, unit = f"{_label(instrument)} ({instrument}) at {wave}", "points"
    late = _lateness(people, answers, f"{what} at {wave}", given["max_days_after"])
    return numeric(np.where(late, np.nan, values), label, unit, f"questionnaires, {what} at {wave}")


def answers_of(
    register: Register, instrument: str | None, wave: str | None, *, item: str | None, needed_by: str
) -> pd.DataFrame:
    """Return the rows of an instrument or item at a wave.

    Raises
    ------
    CohortError
        When the register has no questionnaires.
    ArgumentError
        When it has no such instrument, wave or item.
    """
    answers = register.questionnaires
    if answers is None:
        raise no_table("questionnaires", needed_by)
    if instrument is not None:
        answers = _of_instrument(answers, instrument, needed_by)
    for column, value in (("wave", wave), ("item", item)):
        if value is None:
            continue
        if column not in answers.columns:
            raise CohortError(
                f"`{needed_by}` needs the column '{column}' of questionnaires, which this register does not have."
            )
        present = answers[column].dropna().astype(str)
        known = sorted(present.unique())
        known_name(str(value), known, argument=f"{needed_by}.{column}", what=f"{column} of these answers")
        answers = answers[answers[column].astype(str).eq(str(value)).to_numpy()]
    return answers


def _of_instrument(answers: pd.DataFrame, instrument: str, needed_by: str) -> pd.DataFrame:
    """Return the rows of an instrument: under its own name, or its statements under its family's name."""
    from rtwcohort.instruments import INSTRUMENTS

    present = answers["instrument"].astype(str)
    declared = INSTRUMENTS.get(instrument)
    mine = present.eq(instrument).to_numpy()
    if declared is not None and declared.family != instrument:
        statements = answers["item"].astype(str).isin(declared.statements or declared.items)
        mine |= (present.eq(declared.family) & statements).to_numpy()
    if not mine.any():
        names = sorted(answers["instrument"].dropna().astype(str).unique())
        known_name(instrument, names, argument=f"{needed_by}.instrument", what="instrument in the questionnaires")
    return answers[mine]


def _label(instrument: str) -> str:
    from rtwcohort.instruments import INSTRUMENTS

    return INSTRUMENTS[instrument].label if instrument in INSTRUMENTS else instrument


def _only_wave(register: Register, wave: str | None, owner: str) -> str:
    if wave is not None:
        return wave
    table = register.questionnaires
    if table is None:
        raise no_table("questionnaires", owner)
    waves = sorted(table["wave"].dropna().astype(str).unique())
    if len(waves) != 1:
        raise ArgumentError(f"`{owner}` needs `wave`: the questionnaires have the waves {', '.join(waves)}.")
    return str(waves[0])


def _scores(people: Candidates, answers: pd.DataFrame, instrument: str, wave: str) -> Numbers:
    from rtwcohort.instruments import score

    scored = score(answers, instrument, wave=wave)
    where = pd.Index(scored["person_id"]).get_indexer(pd.Index(people.person_id))
    values = scored["score"].to_numpy(dtype=np.float64)
    return _pick(values, where)


def _item_values(people: Candidates, answers: pd.DataFrame, item: str, wave: str) -> Numbers:
    """Return one item; of several answers by a person the first known one, by date answered."""
    known = answers[answers["value"].notna()]
    if "answered_on" in known.columns:
        known = known.sort_values("answered_on", kind="stable", na_position="last")
    again = known["person_id"].duplicated()
    several = np.isin(people.person_id, known["person_id"][again].to_numpy())
    people.log.count(f"Several answers to {item} at {wave}: the first was taken", several)
    once = known[~again]
    where = pd.Index(once["person_id"]).get_indexer(pd.Index(people.person_id))
    return _pick(once["value"].to_numpy(dtype=np.float64), where)


def _pick(values: Numbers, where: np.ndarray[Any, np.dtype[np.int64]]) -> Numbers:
    if len(values) == 0:
        return np.full(len(where), np.nan)
    return np.where(where >= 0, values[np.clip(where, 0, None)], np.nan)


def _lateness(people: Candidates, answers: pd.DataFrame, what: str, most: int | None) -> Flags:
    """Count who answered after the index date; return who answered later than allowed."""
    nobody = np.zeros(len(people), dtype=bool)
    if "answered_on" not in answers.columns:
        if most is not None:
            raise CohortError(
                f"`max_days_after` for {what} needs questionnaires.answered_on, which this register does not have."
            )
        return nobody
    day = to_days(answers["answered_on"])
    when = pd.Series(day[day != MISSING_DAY]).groupby(answers["person_id"].to_numpy()[day != MISSING_DAY]).max()
    if when.empty:
        return nobody
    where = when.index.get_indexer(pd.Index(people.person_id))
    after = when.to_numpy(dtype=np.int64)[np.clip(where, 0, None)] - people.index_day
    people.log.count(f"Answered {what} after the index date", (where >= 0) & (after > 0))
    if most is None:
        return nobody
    late = (where >= 0) & (after > most)
    people.log.count(f"Set to missing: answered {what} more than {most} days after the index date", late)
    return late
