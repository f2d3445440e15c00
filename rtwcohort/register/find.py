"""Where a table has a fault: one boolean per row, for checking and cleaning alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd

from rtwcohort.register.faults import FAULTS
from rtwcohort.register.find_overlap import corrected_record, open_end_followed, overlap_same_benefit
from rtwcohort.register.scene import (
    Mask,
    Scene,
    against_records,
    date_of_person,
    dates_in,
    duplicate_rows,
    person_places,
)
from rtwcohort.register.tables import TABLES, fact

OLDEST_YEARS: Final = 110


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


def _repeats(frame: pd.DataFrame, columns: list[str]) -> Mask:
    """Return the rows whose combination of columns stood in an earlier row; none of it missing, save `wave`."""
    whole = frame[[name for name in columns if name != "wave"]].notna().all(axis=1).to_numpy()
    return frame.duplicated(columns).to_numpy() & whole


def _duplicate_person(scene: Scene, table: str) -> Mask:
    return _repeats(scene.tables[table], ["person_id"]) & ~duplicate_rows(scene, table)


def _duplicate_enrolment(scene: Scene, table: str) -> Mask:
    return _repeats(scene.tables[table], ["person_id"]) & ~duplicate_rows(scene, table)


def _duplicate_answer(scene: Scene, table: str) -> Mask:
    same = _repeats(scene.tables[table], ["person_id", "wave", "instrument", "item"])
    return same & ~duplicate_rows(scene, table)


def _impossible_birth(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    if table != "persons":
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(dates_in(frame, "birth_date") > scene.data_end)


def _birth_after_death(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    return np.asarray(dates_in(frame, "birth_date") > dates_in(frame, "death_date"))


def _age_over_110(scene: Scene, table: str) -> Mask:
    """Return people older than 110 whole years; who was born on 29 February is a year older on 1 March."""
    frame = scene.tables[table]
    birth, death = frame["birth_date"].dt, frame["death_date"]
    last = death.where(death < scene.data_end, pd.Timestamp(scene.data_end)).dt
    before_birthday = (last.month * 100 + last.day) < (birth.month * 100 + birth.day)
    age = last.year - birth.year - before_birthday
    return np.asarray(age > OLDEST_YEARS)


def _against(column: str) -> Callable[[Scene, str], Mask]:
    def finder(scene: Scene, table: str) -> Mask:
        return against_records(scene, column)

    return finder


def _person_missing(scene: Scene, table: str) -> Mask:
    return np.asarray((person_places(scene, table) < 0) & scene.tables[table]["person_id"].notna().to_numpy())


def _end_before_start(scene: Scene, table: str) -> Mask:
    frame = scene.tables[table]
    return np.asarray(dates_in(frame, "end") < dates_in(frame, "start"))


def _percent_as_fraction(scene: Scene, table: str) -> Mask:
    """Return shares where percent belongs: a whole column of them, or single grades, which cannot be below 1.

    A grade of exactly 1 is one percent unless the column has shares as well.
    """
    values = scene.tables[table]["grade" if table == "benefits" else "position"].to_numpy()
    known = values[~np.isnan(values)]
    between = bool(((known > 0) & (known < 1)).any())
    if table == "benefits":
        return np.asarray((values > 0) & (values <= 1) & between)
    shares = len(known) > 0 and known.min() >= 0 and known.max() <= 1 and between
    return np.asarray(~np.isnan(values) & (values > 0) & shares)


def _spell_before_birth(scene: Scene, table: str) -> Mask:
    return dates_in(scene.tables[table], "start") < date_of_person(scene, table, "birth_date")


def _spell_after_death(scene: Scene, table: str) -> Mask:
    return dates_in(scene.tables[table], "start") > date_of_person(scene, table, "death_date")


def _end_after_death(scene: Scene, table: str) -> Mask:
    frame, death = scene.tables[table], date_of_person(scene, table, "death_date")
    return (dates_in(frame, "start") <= death) & (dates_in(frame, "end") > death)


def _spell_after_emigration(scene: Scene, table: str) -> Mask:
    return dates_in(scene.tables[table], "start") > date_of_person(scene, table, "emigration_date")


def _spell_after_data_end(scene: Scene, table: str) -> Mask:
    return dates_in(scene.tables[table], "start") > scene.data_end


def _open_end(scene: Scene, table: str) -> Mask:
    unread = [row for i in scene.unreadable if i.table == table and i.column == "end" for row in i.rows]
    frame = scene.tables[table]
    return frame["end"].isna().to_numpy() & ~frame.index.isin(unread)


def _index_after_data_end(scene: Scene, table: str) -> Mask:
    return dates_in(scene.tables[table], "index_date") > scene.data_end


def _index_after_death(scene: Scene, table: str) -> Mask:
    return dates_in(scene.tables[table], "index_date") >= date_of_person(scene, table, "death_date")


_FINDERS: Final[Mapping[str, Callable[[Scene, str], Mask]]] = {
    "duplicate_row": duplicate_rows,
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
    "overlap_same_benefit": overlap_same_benefit,
    "corrected_record": corrected_record,
    "open_end_followed": open_end_followed,
    "birth_after_records": _against("birth_date"),
    "death_before_records": _against("death_date"),
    "duplicate_enrolment": _duplicate_enrolment,
    "index_after_data_end": _index_after_data_end,
    "index_after_death": _index_after_death,
    "duplicate_answer": _duplicate_answer,
}


def faults_of(table: str) -> tuple[str, ...]:
    """Return the names of the faults that a table can have, in the order of cleaning."""
    return tuple(fault.name for fault in FAULTS if table in fault.tables)
