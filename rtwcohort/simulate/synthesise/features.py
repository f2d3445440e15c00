"""People of a register as rows of numbers that distances and classifiers can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.register.register import Register
from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.margins import Variable
from rtwcohort.simulate.synthesise.sequences import FAMILY, Bools, Sequences, read_sequences
from rtwcohort.simulate.synthesise.variables import ANSWER, MARK, answer_variables, person_variables

YEARS: Final = 3
_YEAR: Final = 365
_MOST_LEVELS: Final = 10
_UNKNOWN: Final = -0.25
_DAYS: Final = "days in "


@dataclass(frozen=True, slots=True)
class People:
    """People of a register: their sequences and variables, answers as means of the items of an instrument."""

    sequences: Sequences
    variables: tuple[Variable, ...]

    def take(self, keep: Bools) -> tuple[Variable, ...]:
        """Return the variables of some people."""
        return tuple(Variable(one.name, one.values[keep], one.text) for one in self.variables)


def describe_people(register: Register, *, least: int) -> People:
    """Return the sequences and the variables of people, codes of diagnoses as their chapters."""
    sequences = read_sequences(register, least=least)
    chapters: dict[str, str | None] = {}
    if "diagnosis" in register.benefits.columns:
        chapters = {str(code): str(code)[0].upper() for code in register.benefits["diagnosis"].dropna().unique()}
    variables = person_variables(register, sequences, chapters)
    return People(sequences, (*variables, *_course(sequences), *_scores(answer_variables(register, sequences))))


def encode(variables: tuple[Variable, ...], reference: tuple[Variable, ...]) -> Floats:
    """Turn variables into numbers from 0 to 1, by the ranks and the levels of a reference.

    Parameters
    ----------
    variables, reference
        Who is encoded, and whose ranks and levels count.

    Returns
    -------
    numpy.ndarray of float64, shape (n, p)
        Numbers as shares of the reference below them (ties in the middle), levels as indicators over root 2, so that
        two levels are 1 apart; unknown as -0.25.
    """
    known = {one.name: one for one in variables}
    columns: list[npt.NDArray[Any]] = []
    for one in reference:
        if pd.isna(one.values).all():
            continue
        other = known.get(one.name) or _nobody(one, len(variables[0].values))
        columns += _indicators(one, other) if one.text else [_ranks(one, other)]
    return np.column_stack(columns)


def _nobody(like: Variable, n: int) -> Variable:
    """Return a variable that nobody has a value of; of days in a state that nobody was in, 0."""
    if like.name.startswith(_DAYS):
        return Variable(like.name, np.zeros(n), text=False)
    return Variable(like.name, np.full(n, None if like.text else np.nan, dtype=object), like.text)


def _ranks(reference: Variable, of: Variable) -> Floats:
    base = np.sort(reference.values[~np.isnan(reference.values.astype(np.float64))].astype(np.float64))
    values = of.values.astype(np.float64)
    low = np.searchsorted(base, values, side="left")
    high = np.searchsorted(base, values, side="right")
    return np.where(np.isnan(values), _UNKNOWN, (low + high) / 2.0 / len(base))


def _indicators(reference: Variable, of: Variable) -> list[Floats]:
    counts = pd.Series(reference.values).dropna().astype(str).value_counts().sort_index()
    levels = counts.sort_values(ascending=False, kind="stable").index[:_MOST_LEVELS].tolist()
    values = of.values.astype(str)
    unknown = np.asarray(pd.isna(of.values))
    return [np.where(unknown, _UNKNOWN, (values == level) / np.sqrt(2.0)) for level in levels]


def _course(sequences: Sequences) -> list[Variable]:
    """Return days in each family of states by year of follow-up, spells, and days to the first move."""
    n = len(sequences)
    start = sequences.start[sequences.person]
    out: list[Variable] = []
    families = [k for k in range(len(STATES)) if FAMILY[k] == k and (FAMILY[sequences.state] == k).any()]
    for year in range(YEARS):
        low, high = start + year * _YEAR, start + (year + 1) * _YEAR
        days = np.clip(np.minimum(sequences.last, high) - np.maximum(sequences.first, low), 0, None)
        for family in families:
            here = days * (FAMILY[sequences.state] == family)
            total = np.bincount(sequences.person, weights=here, minlength=n).astype(np.float64)
            out.append(Variable(f"{_DAYS}{STATES[family]} {year}", total, text=False))
    followed = sequences.last > start
    spells = np.bincount(sequences.person[followed], minlength=n).astype(np.float64)
    first_move = (sequences.last[sequences.row_at_start()] - sequences.start).astype(np.float64)
    return [*out, Variable("spells", spells, text=False), Variable("first move", first_move, text=False)]


def _scores(answers: list[Variable]) -> list[Variable]:
    """Return the mean of the items of each instrument and wave."""
    groups: dict[str, list[Floats]] = {}
    for one in answers:
        parts = one.name.split(MARK)
        if parts[0] == ANSWER:
            groups.setdefault(MARK.join(parts[1:3]), []).append(one.values.astype(np.float64))
    out = []
    for name, columns in groups.items():
        table = np.column_stack(columns)
        known = ~np.isnan(table)
        count = known.sum(axis=1)
        mean = np.where(known, table, 0.0).sum(axis=1) / np.maximum(count, 1)
        out.append(Variable(f"score{MARK}{name}", np.where(count > 0, mean, np.nan), text=False))
    return out
