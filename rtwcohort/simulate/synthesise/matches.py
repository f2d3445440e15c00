"""Exact matches between a real and a synthetic register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.register.register import Register
from rtwcohort.simulate.synthesise.features import People
from rtwcohort.simulate.synthesise.sequences import Bools, Sequences

IDENTIFIERS: Final = ("person_id", "employer_id", "cluster")
QUASI: Final = ("sex", "education", "marital_status", "municipality", "sector", "occupation")
"""With age in bands of five years: what a neighbour may know."""
_AGE_BAND: Final = 5
_SPELLS: Final = 4
_MOST_SHIFT: Final = 60


def same_rows(register: Register, tables: Mapping[str, pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """Return, by table, the share of synthetic rows that a real person has, and of real rows that another has.

    Identifiers do not count as content. Rows of a register repeat by chance: a week of full sickness benefit from a
    given Monday is nobody's secret. Answers are not compared: there are few possible ones.
    """
    out: dict[str, tuple[float, float]] = {}
    for name in ("persons", "benefits", "employment", "enrolment"):
        real, made = register.tables().get(name), tables.get(name)
        if real is None or made is None or not len(made) or not len(real):
            continue
        columns = [column for column in real.columns if column not in IDENTIFIERS and column in made.columns]
        mine, theirs = _keys(real, columns), _keys(made, columns)
        owners: dict[Any, set[Any]] = {}
        for key, person in zip(mine, real["person_id"].tolist(), strict=True):
            owners.setdefault(key, set()).add(person)
        twins = sum(len(owners[key]) > 1 for key in mine) / len(mine)
        out[name] = (sum(key in owners for key in theirs) / len(theirs), twins)
    return out


def same_people(register: Register, tables: Mapping[str, pd.DataFrame]) -> tuple[int, int]:
    """Count synthetic people with a spell or more whose rows in `persons` and `benefits` are those of a real one.

    Returned with the number of real people who share all of these with another.
    """
    mine, theirs = Counter(_whole(register.tables())), _whole(tables)
    return sum(key in mine for key in theirs), sum(count for count in mine.values() if count > 1)


def fresh_persons(register: Register, persons: pd.DataFrame) -> pd.DataFrame:
    """Return drawn people of whom no row is that of a real person: chance matches are born a day or more later.

    Without birth dates, persons are told apart by so little that matches mean nothing; they stay.
    """
    real = register.persons
    if "birth_date" not in real.columns or real["birth_date"].isna().all():
        return persons
    columns = [column for column in real.columns if column not in IDENTIFIERS and column in persons.columns]
    taken = set(_keys(real, columns))
    out = persons
    for days in range(1, _MOST_SHIFT):
        same = np.asarray([key in taken for key in _keys(out, columns)]) & persons["birth_date"].notna().to_numpy()
        if not same.any():
            break
        moved = persons["birth_date"] + pd.to_timedelta(np.full(len(persons), days), unit="D")
        out = out.assign(birth_date=out["birth_date"].where(~same, moved.astype(out["birth_date"].dtype)))
    return out


def same_histories(real: Sequences, made: Sequences) -> tuple[int, int]:
    """Count synthetic people with states and lengths of follow-up that one real person alone has.

    Only of four spells or more; returned with the number of synthetic people who have so many.
    """
    mine = Counter(_histories(real))
    theirs = _histories(made)
    return sum(mine.get(key, 0) == 1 for key in theirs), len(theirs)


def identifiers_carried(register: Register, tables: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Count identifiers of people, employers and clusters that occur in both."""
    out: dict[str, int] = {}
    for column in IDENTIFIERS:
        mine, theirs = _identifiers(register.tables(), column), _identifiers(tables, column)
        out[column] = len(mine & theirs)
    return out


def rare_share(
    made: People, real: People, least: int, *, among: Bools | None = None, of: Bools | None = None
) -> tuple[float, int]:
    """Return the share of people with a combination that 1 to `least` - 1 real people hold, and how many were asked.

    Parameters
    ----------
    made, real
        Who is asked, and who the real people are.
    least
        From so many people on a combination is not rare.
    among, of
        Some of the real people, and some of those asked.
    """
    mine, theirs = _combinations(real), _combinations(made)
    mine = mine if among is None else [key for key, keep in zip(mine, among.tolist(), strict=True) if keep]
    theirs = theirs if of is None else [key for key, keep in zip(theirs, of.tolist(), strict=True) if keep]
    held = Counter(mine)
    return sum(0 < held.get(key, 0) < least for key in theirs) / max(len(theirs), 1), len(theirs)


def _combinations(people: People) -> list[tuple[str, ...]]:
    known = {one.name: one for one in people.variables}
    age = known["age"].values.astype(np.float64)
    band = np.where(np.isnan(age), -1.0, age // _AGE_BAND).astype(np.int64).astype(str)
    columns = [band.tolist()]
    columns += [known[name].values.astype(str).tolist() for name in QUASI if name in known]
    return list(zip(*columns, strict=True))


def _keys(frame: pd.DataFrame, columns: list[str]) -> list[tuple[str, ...]]:
    texts = [_texts(frame[column]) for column in columns]
    return list(zip(*texts, strict=True))


def _texts(column: pd.Series[Any]) -> list[str]:
    values = column.to_numpy()
    if values.dtype.kind == "M":
        return [str(day) for day in values.astype("datetime64[D]").astype(str).tolist()]
    if values.dtype.kind == "f":
        return [str(value) for value in np.round(values, 2).tolist()]
    return ["" if pd.isna(value) else str(value) for value in values.tolist()]


def _whole(tables: Mapping[str, pd.DataFrame]) -> list[tuple[Any, ...]]:
    persons, benefits = tables["persons"], tables["benefits"]
    about = [name for name in ("sex", "birth_date", "education", "municipality", "income") if name in persons.columns]
    key = dict(zip(persons["person_id"].tolist(), _keys(persons, about), strict=True))
    rows: dict[Any, list[tuple[str, ...]]] = {}
    spells = _keys(benefits, ["benefit", "start", "end", "grade"])
    for person, spell in zip(benefits["person_id"].tolist(), spells, strict=True):
        rows.setdefault(person, []).append(spell)
    return [(key.get(person, ()), tuple(sorted(spells))) for person, spells in rows.items()]


def _histories(sequences: Sequences) -> list[tuple[tuple[int, int], ...]]:
    begin = np.maximum(sequences.first, sequences.start[sequences.person])
    keep = sequences.last > begin
    edges = np.searchsorted(sequences.person[keep], np.arange(len(sequences) + 1))
    pairs = list(zip(sequences.state[keep].tolist(), (sequences.last - begin)[keep].tolist(), strict=True))
    # The last spell is cut by the end of data and says nothing.
    found = (tuple(pairs[a : b - 1]) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    return [history for history in found if len(history) >= _SPELLS]


def _identifiers(tables: Mapping[str, pd.DataFrame], column: str) -> set[str]:
    return {
        str(value) for frame in tables.values() if column in frame.columns for value in frame[column].dropna().unique()
    }
