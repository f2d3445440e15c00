"""The questionnaires table: who answered what, when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, from_days
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.draws import key, whole
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.questionnaires.check import check_answers
from rtwcohort.simulate.questionnaires.declaration import Answers, Wave
from rtwcohort.simulate.questionnaires.missing import complete_scores, draw_left_out, draw_response
from rtwcohort.simulate.questionnaires.plan import ScaleAtWave, WavePlan, plan_waves
from rtwcohort.simulate.questionnaires.traits import draw_items, draw_traits

_NEVER: Final = 2**40


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
    plans = plan_waves(answers)
    n = len(persons)
    _check_lengths(n, index_day=index_day, gone_day=gone_day, returned_day=returned_day)
    gone = np.asarray(gone_day, dtype=np.int64)
    stop = np.minimum(np.where(gone == MISSING_DAY, _NEVER, gone), np.asarray(known_to, dtype=np.int64))
    days = [_day_answered(plan.wave, persons, index_day, seed) for plan in plans]
    drawn = _all_items(answers, plans, persons, covariates, days, returned_day, seed)
    scores = complete_scores(plans, drawn)
    response = draw_response(answers, plans, scores, persons, covariates, seed=seed)
    columns, values = [], []
    for position, plan in enumerate(plans):
        answers_it = response[position] & (days[position] < stop)
        for row, scale in enumerate(plan.scales):
            if not plan.asked[row]:
                continue
            items = drawn[position][row]
            left_out = draw_left_out(answers, plans, scores, position, row, items, persons, covariates, seed=seed)
            for item, points in items.items():
                columns.append((position, scale.score.declared.name, item))
                value = _as_answered(scale, item, points)
                values.append(np.where(answers_it & ~left_out[item], value, np.nan))
    return _long(plans, columns, np.stack(values, axis=1) if values else np.empty((n, 0)), persons, days)


def _check_lengths(n: int, **arrays: Ints | None) -> None:
    for name, values in arrays.items():
        if values is not None and np.shape(values) != (n,):
            raise ArgumentError(f"`{name}` must have one day a person ({n}); got shape {np.shape(values)}.")


def _day_answered(wave: Wave, persons: Ints, index_day: Ints, seed: int) -> Ints:
    late = 0 if wave.day == 0 else wave.spread
    drawn = whole(key(seed, f"answers day {wave.name}"), persons, -wave.spread, late)
    day: Ints = np.asarray(index_day, dtype=np.int64) + wave.day + drawn
    return day


def _all_items(
    answers: Answers,
    plans: tuple[WavePlan, ...],
    persons: Ints,
    covariates: Mapping[str, Floats],
    days: list[Ints],
    returned_day: Ints | None,
    seed: int,
) -> list[list[dict[str, Floats]]]:
    """Draw complete items: by wave, then by scale."""
    traits = draw_traits(answers, plans, persons, covariates, seed=seed)
    back = None if returned_day is None else np.asarray(returned_day, dtype=np.int64)
    drawn = []
    for position, plan in enumerate(plans):
        returned = None if back is None else (back != MISSING_DAY) & (back <= days[position])
        drawn.append(
            [
                draw_items(
                    scale,
                    plan.wave.name,
                    persons,
                    trait,
                    seed=seed,
                    returned=returned,
                    all_statements=answers.all_statements,
                )
                for scale, trait in zip(plan.scales, traits[position], strict=True)
            ]
        )
    return drawn


def _as_answered(scale: ScaleAtWave, item: str, points: Floats) -> Floats:
    declared = scale.score.declared
    return declared.least + declared.most - points if item in declared.reversed_items else points


def _long(
    plans: tuple[WavePlan, ...],
    columns: list[tuple[int, str, str]],
    values: Floats,
    persons: Ints,
    days: list[Ints],
) -> pd.DataFrame:
    """Turn people by columns into one row an answer; rows go by person, then in the order of the columns."""
    row, column = np.nonzero(~np.isnan(values))
    position = np.asarray([item[0] for item in columns], dtype=np.int64)[column]
    answered = np.stack(days, axis=1)[row, position] if days else np.empty(0, dtype=np.int64)
    names = [np.asarray([plan.wave.name for plan in plans], dtype=object)[position]] if plans else [row.astype(object)]
    for part in (1, 2):
        names.append(np.asarray([item[part] for item in columns], dtype=object)[column])
    return pd.DataFrame(
        {
            "person": np.asarray(persons, dtype=np.int64)[row],
            "wave": names[0],
            "answered_on": from_days(answered),
            "instrument": names[1],
            "item": names[2],
            "value": values[row, column],
        }
    )
