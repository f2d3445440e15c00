"""Where a table has a fault: one boolean per row, for checking and cleaning alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register.faults import FAULTS
from rtwcohort.register.register import Register, Unreadable
from rtwcohort.register.tables import TABLES, fact

Mask = npt.NDArray[np.bool_]

OLDEST_YEARS: Final = 110
_NAT: Final = np.datetime64("NaT", "s")


@dataclass(slots=True)
class Scene:
    """The tables as they stand while they are checked or cleaned, and what was worked out about them.

    `places` and `copies` hold the last answers of `person_places` and `_duplicate_row` with the frames
    that they were for.
    """

    tables: dict[str, pd.DataFrame]
    data_end: np.datetime64
    unreadable: tuple[Unreadable, ...]
    places: dict[str, tuple[pd.DataFrame, pd.DataFrame, npt.NDArray[np.int64]]] = field(default_factory=dict)
    copies: dict[str, tuple[pd.DataFrame, Mask]] = field(default_factory=dict)


def scene_of(register: Register) -> Scene:
    """Return the scene of a register."""
    return Scene(register.tables(), register.data_end.to_datetime64().astype(DATE_DTYPE), register.unreadable)


def find_fault(scene: Scene, table: str, fault: str) -> Mask:
    """Return which rows of a table have a fault.

    Parameters
    ----------
    scene
        The register as it stands.
    table, fault
        Their names; the fault must be one of the table's.

    Returns
    -------
    numpy.ndarray of bool, shape (rows of the table,)
    """
    found = _broken_rules(scene.tables[table], table, fault)
    finder = _FINDERS.get(fault)
    return found if finder is None else found | finder(scene, table)


def _broken_rules(frame: pd.DataFrame, table: str, fault: str) -> Mask:
    """Return the rows that break a rule declared with a column: a pandera check, or being there at all."""
    found = np.zeros(len(frame), dtype=bool)
    for name, column in TABLES[table].columns.items():
        if fact(column, "missing") == fault:
            found |= frame[name].isna().to_numpy()
        for check in column.checks:
            if check.name == fault:
                outcome = check(frame[name].reset_index(drop=True)).check_output
                found[outcome.index[~outcome.to_numpy(dtype=bool)]] = True
    return found


def _unreadable(fault: str) -> Callable[[Scene, str], Mask]:
    def finder(scene: Scene, table: str) -> Mask:
        rows = [row for item in scene.unreadable if item.table == table and item.fault == fault for row in item.rows]
        return np.asarray(scene.tables[table].index.isin(rows))

    return finder


def person_places(scene: Scene, table: str) -> npt.NDArray[np.int64]:
    """Return for each row the place of its person in `persons`, -1 when not there."""
    frame, persons = scene.tables[table], scene.tables["persons"]
    known = scene.places.get(table)
    if known is not None and known[0] is frame and known[1] is persons:
        return known[2]
    ids = persons["person_id"]
    first = np.flatnonzero(ids.notna().to_numpy() & ~ids.duplicated().to_numpy())
    dtype: Any = "int64" if ids.dtype == frame["person_id"].dtype == np.dtype("int64") else object
    found = pd.Index(ids.iloc[first].astype(dtype)).get_indexer(pd.Index(frame["person_id"].astype(dtype)))
    places = np.where(found >= 0, first[found] if len(first) else -1, -1)
    scene.places[table] = (frame, persons, places)
    return places


def _of_person(scene: Scene, table: str, column: str) -> npt.NDArray[np.datetime64]:
    """Return a date of each row's person, NaT when unknown."""
    places = person_places(scene, table)
    dates = np.append(_dates(scene.tables["persons"], column), _NAT)
    return dates[places]


def _dates(frame: pd.DataFrame, column: str) -> npt.NDArray[np.datetime64]:
    return frame[column].to_numpy().astype(DATE_DTYPE)


def _duplicate_row(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    known = scene.copies.get(table)
    if known is None or known[0] is not frame:
        copies = frame.duplicated().to_numpy() & frame["person_id"].notna().to_numpy()
        known = scene.copies[table] = (frame, copies)
    return known[1]


def _repeats(frame: pd.DataFrame, columns: list[str]) -> Mask:
    """Return the rows whose combination of columns stood in an earlier row; none of it missing, save `wave`."""
    whole = frame[[name for name in columns if name != "wave"]].notna().all(axis=1).to_numpy()
    return frame.duplicated(columns).to_numpy() & whole


def _duplicate_person(scene: Scene, table: str) -> Mask:
    return _repeats(scene.tables[table], ["person_id"]) & ~_duplicate_row(scene, table)


def _duplicate_enrolment(scene: Scene, table: str) -> Mask:
    return _repeats(scene.tables[table], ["person_id"]) & ~_duplicate_row(scene, table)


def _duplicate_answer(scene: Scene, table: str) -> Mask:
    same = _repeats(scene.tables[table], ["person_id", "wave", "instrument", "item"])
    return same & ~_duplicate_row(scene, table)


def _impossible_birth(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    if table != "persons":
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(_dates(frame, "birth_date") > scene.data_end)


def _birth_after_death(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    return np.asarray(_dates(frame, "birth_date") > _dates(frame, "death_date"))


def _age_over_110(scene: Scene, table: str) -> Mask:
    """Return people older than 110 whole years; who was born on 29 February is a year older on 1 March."""
    frame = scene.tables[table]
    birth, death = frame["birth_date"].dt, frame["death_date"]
    last = death.where(death < scene.data_end, pd.Timestamp(scene.data_end)).dt
    before_birthday = (last.month * 100 + last.day) < (birth.month * 100 + birth.day)
    age = last.year - birth.year - before_birthday
    return np.asarray(age > OLDEST_YEARS)


def _person_missing(scene: Scene, table: str) -> Mask:
    return np.asarray((person_places(scene, table) < 0) & scene.tables[table]["person_id"].notna().to_numpy())


def _end_before_start(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    return np.asarray(_dates(frame, "end") < _dates(frame, "start"))


def _percent_as_fraction(scene: Scene, table: str) -> Mask:
    values = scene.tables[table]["grade" if table == "benefits" else "position"].to_numpy()
    known = values[~np.isnan(values)]
    shares = len(known) > 0 and known.min() >= 0 and known.max() <= 1 and bool(((known > 0) & (known < 1)).any())
    return np.asarray(~np.isnan(values) & (values > 0) & shares)


def _spell_before_birth(scene: Scene, table: str) -> Mask:
    return _dates(scene.tables[table], "start") < _of_person(scene, table, "birth_date")


def _spell_after_death(scene: Scene, table: str) -> Mask:
    return _dates(scene.tables[table], "start") > _of_person(scene, table, "death_date")


def _end_after_death(scene: Scene, table: str) -> Mask:
    frame, death = scene.tables[table], _of_person(scene, table, "death_date")
    return (_dates(frame, "start") <= death) & (_dates(frame, "end") > death)


def _spell_after_emigration(scene: Scene, table: str) -> Mask:
    return _dates(scene.tables[table], "start") > _of_person(scene, table, "emigration_date")


def _spell_after_data_end(scene: Scene, table: str) -> Mask:
    return _dates(scene.tables[table], "start") > scene.data_end


def _open_end(scene: Scene, table: str) -> Mask:
    unread = [row for i in scene.unreadable if i.table == table and i.column == "end" for row in i.rows]
    frame = scene.tables[table]
    return frame["end"].isna().to_numpy() & ~frame.index.isin(unread)


def spell_order(frame: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the sound spells by person, benefit, start and row, and the group of each.

    Returns
    -------
    order : numpy.ndarray of int64, shape (m,)
        Positions of spells with a person, a benefit, a start, and no end before it.
    group : numpy.ndarray of int64, shape (m,)
        Equal for spells of one person and benefit, ascending.
    """
    sound = (frame["person_id"].notna() & frame["benefit"].notna() & frame["start"].notna()).to_numpy()
    sound &= ~(_dates(frame, "end") < _dates(frame, "start"))
    places = np.flatnonzero(sound)
    person = pd.factorize(frame["person_id"])[0][places].astype(np.int64)
    benefit, names = pd.factorize(frame["benefit"])
    group = person * (len(names) + 1) + benefit[places]
    start = _dates(frame, "start")[places].astype(np.int64)
    order = np.lexsort((places, start, group))
    return places[order], group[order]


def _overlap_same_benefit(scene: Scene, table: str) -> Mask:
    """Return spells that start no later than the latest end among earlier spells of their group."""
    frame = scene.tables[table]
    found = np.zeros(len(frame), dtype=bool)
    order, group = spell_order(frame)
    if len(order) < 2:
        return found
    day = np.int64(86_400)
    start = _dates(frame, "start")[order].astype(np.int64) // day
    end_dates = _dates(frame, "end")[order]
    last = max(int(start.max()), int(scene.data_end.astype(np.int64) // day))
    end = np.where(np.isnat(end_dates), last, end_dates.astype(np.int64) // day)
    rank = np.cumsum(np.concatenate([[0], group[1:] != group[:-1]]))
    step = np.int64(max(int(end.max()), last) - int(start.min()) + 2)
    reached = np.maximum.accumulate(end + rank * step)[:-1]
    found[order[1:]] = (start[1:] + rank[1:] * step <= reached) & (rank[1:] == rank[:-1])
    return found & ~_duplicate_row(scene, table)


def _index_after_data_end(scene: Scene, table: str) -> Mask:
    return _dates(scene.tables[table], "index_date") > scene.data_end


def _index_after_death(scene: Scene, table: str) -> Mask:
    return _dates(scene.tables[table], "index_date") >= _of_person(scene, table, "death_date")


_FINDERS: Final[Mapping[str, Callable[[Scene, str], Mask]]] = {
    "duplicate_row": _duplicate_row,
    "unreadable_spell_date": _unreadable("unreadable_spell_date"),
    "unreadable_date": _unreadable("unreadable_date"),
    "unreadable_number": _unreadable("unreadable_number"),
    "duplicate_person": _duplicate_person,
    "impossible_date": _impossible_birth,
    "birth_after_death": _birth_after_death,
    "age_over_110": _age_over_110,
    "person_missing": _person_missing,
    "end_before_start": _end_before_start,
    "percent_as_fraction": _percent_as_fraction,
    "spell_before_birth": _spell_before_birth,
    "spell_after_death": _spell_after_death,
    "end_after_death": _end_after_death,
    "spell_after_emigration": _spell_after_emigration,
    "spell_after_data_end": _spell_after_data_end,
    "open_end": _open_end,
    "overlap_same_benefit": _overlap_same_benefit,
    "duplicate_enrolment": _duplicate_enrolment,
    "index_after_data_end": _index_after_data_end,
    "index_after_death": _index_after_death,
    "duplicate_answer": _duplicate_answer,
}


def faults_of(table: str) -> tuple[str, ...]:
    """Return the names of the faults that a table can have, in the order of cleaning."""
    return tuple(fault.name for fault in FAULTS if table in fault.tables)
