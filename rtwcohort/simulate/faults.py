"""Planted faults: rows such as real registers have, which the default cleaning makes harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.portable import stream, uniform

_DAY: Final = np.timedelta64(1, "D")


def plant_faults(tables: dict[str, pd.DataFrame], faults: Mapping[str, int], *, seed: int) -> dict[str, pd.DataFrame]:
    """Add faulty rows to the benefits table; no existing row is changed.

    Parameters
    ----------
    tables
        As `simulate_register` returns them.
    faults
        Kind of fault (a key of `PLANTABLE`) to number of rows.
    seed
        Chooses the rows that are copied.

    Returns
    -------
    dict of str to pandas.DataFrame
        The same tables with a longer benefits table, in which the column `planted` is not kept.

    Raises
    ------
    ArgumentError
        When a kind is unknown, or the register has fewer rows that can carry it than are asked for.
    """
    marked = mark_planted(tables, faults, seed=seed)
    return {**tables, "benefits": marked.drop(columns="planted")}


def mark_planted(tables: Mapping[str, pd.DataFrame], faults: Mapping[str, int], *, seed: int) -> pd.DataFrame:
    """Return the benefits table with the faulty rows and a column `planted` that names their kind."""
    benefits = tables["benefits"].assign(planted="")
    added = []
    for kind, count in faults.items():
        check_choice(kind, tuple(PLANTABLE), argument="faults")
        check_number(count, argument=f"faults['{kind}']", least=0, whole=True)
        if count:
            added.append(PLANTABLE[kind](tables, _pick(tables, kind, int(count), seed)).assign(planted=kind))
    joined = pd.concat([benefits, *added], ignore_index=True)
    order = np.lexsort((joined["start"].to_numpy(), joined["person_id"].to_numpy()))
    return joined.iloc[order].reset_index(drop=True)


def _pick(tables: Mapping[str, pd.DataFrame], kind: str, count: int, seed: int) -> pd.DataFrame:
    """Choose closed spells of at least four days, each of another person, to copy."""
    benefits = tables["benefits"]
    fit = (benefits["end"] - benefits["start"]) >= 3 * _DAY
    if kind == "spell_after_death":
        persons = tables["persons"]
        fit &= benefits["person_id"].isin(persons.loc[persons["death_date"].notna(), "person_id"])
    rows = benefits[fit.to_numpy()]
    order = np.argsort(uniform(stream(seed, f"fault_{kind}"), len(rows)), kind="stable")
    chosen = rows.iloc[order].drop_duplicates("person_id").head(count)
    if len(chosen) < count:
        raise ArgumentError(
            f"`faults` asks for {count} rows of '{kind}', but only {len(chosen)} people have a spell that can carry "
            "it. Ask for fewer, or simulate more people."
        )
    return chosen


def _duplicate(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def _end_before_start(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(start=rows["end"], end=rows["start"])


def _overlap(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(start=rows["start"] + 2 * _DAY)


def _grade_zero(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(grade=0.0)


def _after_death(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    death = rows["person_id"].map(tables["persons"].set_index("person_id")["death_date"])
    return rows.assign(start=death + 10 * _DAY, end=death + 23 * _DAY)


PLANTABLE: Final[dict[str, Callable[[Mapping[str, pd.DataFrame], pd.DataFrame], pd.DataFrame]]] = {
    "duplicate_row": _duplicate,
    "end_before_start": _end_before_start,
    "overlap_same_benefit": _overlap,
    "grade_outside_range": _grade_zero,
    "spell_after_death": _after_death,
}
"""By the register's own names of faults: an exact copy of a row; a copy with its dates exchanged; a second certificate
inside the first, same grade; a copy at grade 0; a fortnight from the tenth day after death."""
