"""Figures of a register with standard errors and the number of people behind them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.synthesise.exposure import SICKNESS, at_risk
from rtwcohort.simulate.synthesise.features import People
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.margins import rank_scores
from rtwcohort.simulate.synthesise.moves import GROUPS, group_table
from rtwcohort.simulate.synthesise.sequences import FAMILY, Bools, Sequences
from rtwcohort.simulate.synthesise.variables import MARK

YEAR: Final = 365.25
LENGTHS: Final = ((16, "up to 16 days"), (55, "under 8 weeks"), (182, "up to half a year"))
NUMBERS: Final = ("age", "income", "days_before", "earlier", "position", "tenure", "spells", "first move")
_HALF_YEAR: Final = 183
_MOST_LEVELS: Final = 30


class Row(NamedTuple):
    """A figure: which part of the report, what, its value, standard error, and people behind it.

    `people` is the smaller of those who have the property and those who do not, where that is what is counted.
    """

    part: str
    what: str
    value: float
    error: float
    people: int


def share_row(part: str, what: str, has: Bools) -> Row:
    """Return the share of people with a property."""
    n, count = len(has), int(has.sum())
    share = count / max(n, 1)
    error = float(np.sqrt(max(share * (1.0 - share), 0.0) / max(n, 1)))
    fewer = min(count, n - count)
    return Row(part, what, share, error, n if fewer == 0 else fewer)


def mean_row(part: str, what: str, values: Floats) -> Row:
    """Return the mean of the values that are known."""
    known = values[~np.isnan(values)]
    if len(known) < 2:
        return Row(part, what, np.nan, np.nan, 0)
    return Row(part, what, float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known))), len(known))


def rate_rows(sequences: Sequences) -> list[Row]:
    """Return moves per year at risk, by group of moves: days in all states that such moves may leave."""
    slices = at_risk(sequences)
    table = group_table()
    group = np.where(slices.to >= 0, table[slices.origin, np.maximum(slices.to, 0)], -1)
    rows = []
    for k, name in enumerate(GROUPS):
        here = group == k
        leaves = np.flatnonzero((table == k).any(axis=1))
        years = float(slices.days[np.isin(slices.origin, leaves)].sum()) / YEAR
        count = int(here.sum())
        people = len(np.unique(slices.person[here]))
        if count:
            rows.append(Row("rates", f"{name}, per year", count / years, float(np.sqrt(count)) / years, people))
    return rows


def spell_rows(sequences: Sequences) -> list[Row]:
    """Return shares of lengths of the absences that begin during follow-up, half a year or more before its end."""
    sick = FAMILY[sequences.state] == SICKNESS
    begins = sick & (sequences.clock == 0) & (sequences.first > sequences.start[sequences.person])
    begins &= sequences.first + _HALF_YEAR <= sequences.end[sequences.person]
    new = np.ones(len(sick), dtype=np.bool_)
    new[1:] = (sequences.person[1:] != sequences.person[:-1]) | (
        FAMILY[sequences.state[1:]] != FAMILY[sequences.state[:-1]]
    )
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], len(sick)) - 1
    length = (sequences.last[stops] - sequences.first[starts])[begins[starts]]
    if not len(length):
        return []
    return [share_row("spell lengths", f"absences {name}", length <= days) for days, name in LENGTHS]


def occupancy_rows(sequences: Sequences, days: Sequence[int]) -> list[Row]:
    """Return shares of people in each family of states so many days after their start, of those known then."""
    rows = []
    for day in days:
        at = sequences.start + day
        known = at < sequences.end
        covers = (sequences.first <= at[sequences.person]) & (at[sequences.person] < sequences.last)
        state = np.full(len(sequences), -1, dtype=np.int64)
        state[sequences.person[covers]] = FAMILY[sequences.state[covers]]
        for family in np.unique(FAMILY).tolist():
            has = state[known] == family
            if has.any():
                rows.append(share_row("states", f"{STATES[family]}, day {day}", has))
    return rows


def margin_rows(people: People) -> list[Row]:
    """Return shares of levels, means and spreads."""
    rows: list[Row] = []
    for one in people.variables:
        if one.name.startswith("days in ") or MARK in one.name:
            continue
        if one.text:
            values = pd.Series(one.values)
            counts = values.value_counts()
            for level in counts.index[:_MOST_LEVELS]:
                rows.append(share_row("margins", f"{one.name}: {level}", (values == level).to_numpy()))
        elif one.name != "index":
            rows += _number_rows(one.name, one.values.astype(np.float64))
    return rows


def _number_rows(name: str, values: Floats) -> list[Row]:
    mean = mean_row("means", name, values)
    known = values[~np.isnan(values)]
    if len(known) < 2 or known.std() == 0.0:
        return [mean]
    spread = float(known.std(ddof=1))
    # Variance of a variance by its fourth moment.
    fourth = float(((known - known.mean()) ** 4).mean())
    error = float(np.sqrt(max(fourth - spread**4, 0.0) / len(known))) / (2.0 * spread)
    return [mean, Row("spreads", name, spread, error, len(known))]


def correlation_rows(people: People) -> list[Row]:
    """Return rank correlations of numbers, scores and arms."""
    columns: dict[str, Floats] = {}
    for one in people.variables:
        if not one.text and (one.name in NUMBERS or one.name.startswith("score")):
            columns[one.name] = rank_scores(one.values.astype(np.float64))
    rows = []
    for first, second in combinations(columns, 2):
        x, y = columns[first], columns[second]
        known = ~np.isnan(x) & ~np.isnan(y)
        n = int(known.sum())
        if n < 3 or x[known].std() == 0.0 or y[known].std() == 0.0:
            continue
        value = float(np.corrcoef(x[known], y[known])[0, 1])
        what = f"{_plain(first)} and {_plain(second)}"
        rows.append(Row("correlations", what, value, (1.0 - value**2) / float(np.sqrt(n)), n))
    return rows


def answer_rows(people: People) -> list[Row]:
    """Return means of scores, and who answered."""
    rows: list[Row] = []
    for one in people.variables:
        if one.name.startswith("score"):
            values = one.values.astype(np.float64)
            rows.append(mean_row("answers", _plain(one.name), values))
            rows.append(share_row("answered", _plain(one.name), ~np.isnan(values)))
    return rows


def _plain(name: str) -> str:
    return name.replace(MARK, " ")
