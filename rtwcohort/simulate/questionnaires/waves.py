"""The questionnaires table: who answered what, when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, from_days
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.check import check_answers
from rtwcohort.simulate.questionnaires.complete import Block, complete_items, day_answered
from rtwcohort.simulate.questionnaires.declaration import Answers
from rtwcohort.simulate.questionnaires.missing import complete_scores, draw_left_out, draw_response
from rtwcohort.simulate.questionnaires.plan import ScaleAtWave, WavePlan, plan_waves

_NEVER: Final = 2**40
_BLOCK: Final = 16_384
"""People drawn at a time: results do not depend on it."""


def draw_waves(
    answers: Answers,
    persons: Ints,
    covariates: Mapping[str, Floats],
    index_day: Ints,
    gone_day: Ints,
    known_to: int | Ints,
    *,
    seed: int,
    returned_day: Ints | None = None,
) -> pd.DataFrame:
    """Draw the answers at every wave.

    Parameters
    ----------
    answers, persons, covariates, seed
        As for `draw_baseline`, whose scores are those of the first wave here; covariates also those that missing
        answers depend on.
    index_day
        Index day, shape (n,).
    gone_day
        Day of death or emigration, `MISSING_DAY` (or a day far off) for others, shape (n,): nobody answers from it on.
    known_to
        First day that the register does not know about: nobody answers from it on. One number, or one each.
    returned_day
        Day of return to work, `MISSING_DAY` for those who have not; None when nobody counts as returned.

    Returns
    -------
    pandas.DataFrame
        One row an answered item, by person, wave, scale and item: person (int64, from `persons`), wave, answered_on,
        instrument, item, value (as answered, before items are turned round).

    Raises
    ------
    ArgumentError
        As `check_answers`; when a covariate is missing or an array has another length.
    """
    check_answers(answers)
    n = len(persons)
    _check_lengths(n, index_day=index_day, gone_day=gone_day, returned_day=returned_day)
    gone = np.asarray(gone_day, dtype=np.int64)
    stop = np.minimum(np.where(gone == MISSING_DAY, _NEVER, gone), np.asarray(known_to, dtype=np.int64))
    plans = plan_waves(answers)
    columns = _columns(answers, plans)
    if not columns:
        return _table(plans, columns, [])
    blocks = []
    for first in range(0, n, _BLOCK):
        part = slice(first, first + _BLOCK)
        people = Block(
            persons=np.asarray(persons, dtype=np.int64)[part],
            covariates={name: np.asarray(values)[part] for name, values in covariates.items()},
            index_day=np.asarray(index_day, dtype=np.int64)[part],
            stop=stop[part],
            returned_day=None if returned_day is None else np.asarray(returned_day, dtype=np.int64)[part],
        )
        blocks.append(_answers_of(answers, plans, people, seed))
    return _table(plans, columns, blocks)


_Rows = tuple[Ints, npt.NDArray[np.int16], npt.NDArray[np.int32], Floats]


def _columns(answers: Answers, plans: tuple[WavePlan, ...]) -> list[tuple[int, str, str]]:
    """Return (wave, instrument, item) of every answer that somebody may give, in the order of the table."""
    columns = []
    for position, plan in enumerate(plans):
        for row, scale in enumerate(plan.scales):
            declared = scale.score.declared
            items = declared.statements if answers.all_statements else declared.items
            scored = [item for item in declared.statements if item in items]
            columns += [(position, declared.name, item) for item in scored if plan.asked[row]]
    return columns


def _answers_of(answers: Answers, plans: tuple[WavePlan, ...], people: Block, seed: int) -> _Rows:
    """Return person, column, day and value of every answer of a block, by person and column."""
    days = [day_answered(plan.wave, people.persons, people.index_day, seed) for plan in plans]
    drawn = complete_items(answers, plans, people, days, seed)
    scores = complete_scores(plans, drawn)
    response = draw_response(answers, plans, scores, people.persons, people.covariates, seed=seed)
    values, when = [], []
    for position, plan in enumerate(plans):
        there = response[position] & (days[position] < people.stop)
        for row, scale in enumerate(plan.scales):
            if not plan.asked[row]:
                continue
            items = drawn[position][row]
            left_out = draw_left_out(
                answers, plans, scores, position, row, items, people.persons, people.covariates, seed=seed
            )
            for item, points in items.items():
                values.append(np.where(there & ~left_out[item], _as_answered(scale, item, points), np.nan))
                when.append(position)
    table = np.stack(values, axis=1)
    person, column = np.nonzero(~np.isnan(table))
    day = np.stack(days, axis=1)[person, np.asarray(when, dtype=np.int64)[column]]
    return people.persons[person], column.astype(np.int16), day.astype(np.int32), table[person, column]


def _table(plans: tuple[WavePlan, ...], columns: list[tuple[int, str, str]], blocks: list[_Rows]) -> pd.DataFrame:
    empty: _Rows = (np.empty(0, np.int64), np.empty(0, np.int16), np.empty(0, np.int32), np.empty(0, np.float64))
    person, column, day, value = (np.concatenate(part) for part in zip(*(blocks or [empty]), strict=True))
    names = [
        np.asarray([plans[item[0]].wave.name for item in columns] or [""], dtype=object),
        np.asarray([item[1] for item in columns] or [""], dtype=object),
        np.asarray([item[2] for item in columns] or [""], dtype=object),
    ]
    return pd.DataFrame(
        {
            "person": person,
            "wave": names[0][column],
            "answered_on": from_days(day),
            "instrument": names[1][column],
            "item": names[2][column],
            "value": value,
        },
        copy=False,
    )


def _check_lengths(n: int, **arrays: Ints | None) -> None:
    for name, values in arrays.items():
        if values is not None and np.shape(values) != (n,):
            raise ArgumentError(f"`{name}` must have one day a person ({n}); got shape {np.shape(values)}.")


def _as_answered(scale: ScaleAtWave, item: str, points: Floats) -> Floats:
    declared = scale.score.declared
    return declared.least + declared.most - points if item in declared.reversed_items else points
