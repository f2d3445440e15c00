"""The tables as they stand while they are checked or cleaned, and what was worked out about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register.register import Register, Unreadable

Mask = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]

NAT: Final = np.datetime64("NaT", "s")
_WITH_RECORDS: Final = ("persons", "benefits", "employment", "enrolment")


@dataclass(slots=True)
class Scene:
    """The tables as they stand while they are checked or cleaned.

    `places`, `copies` and `trusted` hold the last answers of `person_places`, `duplicate_rows` and
    `trusted_date` with the frames that they were for.
    """

    tables: dict[str, pd.DataFrame]
    data_end: np.datetime64
    unreadable: tuple[Unreadable, ...]
    places: dict[str, tuple[pd.DataFrame, pd.DataFrame, npt.NDArray[np.int64]]] = field(default_factory=dict)
    copies: dict[str, tuple[pd.DataFrame, Mask]] = field(default_factory=dict)
    trusted: dict[str, tuple[tuple[pd.DataFrame, ...], Dates]] = field(default_factory=dict)


def scene_of(register: Register) -> Scene:
    """Return the scene of a register."""
    return Scene(register.tables(), register.data_end.to_datetime64().astype(DATE_DTYPE), register.unreadable)


def dates_in(frame: pd.DataFrame, column: str) -> Dates:
    """Return a date column as an array."""
    return frame[column].to_numpy().astype(DATE_DTYPE)


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


def duplicate_rows(scene: Scene, table: str) -> Mask:
    """Return the rows that repeat an earlier one in every column."""
    frame = scene.tables[table]
    known = scene.copies.get(table)
    if known is None or known[0] is not frame:
        copies = frame.duplicated().to_numpy() & frame["person_id"].notna().to_numpy()
        known = scene.copies[table] = (frame, copies)
    return known[1]


def unread_rows(scene: Scene, table: str, columns: tuple[str, ...]) -> Mask:
    """Return the rows in which one of these columns had a value that could not be read."""
    rows = [row for item in scene.unreadable if item.table == table and item.column in columns for row in item.rows]
    return np.asarray(scene.tables[table].index.isin(rows))


def possible(dates: Dates) -> Mask:
    """Return which dates are there and within the years that a register can have."""
    from rtwcohort.register.tables import FIRST_DATE, LAST_DATE

    first, last = FIRST_DATE.to_datetime64().astype(DATE_DTYPE), LAST_DATE.to_datetime64().astype(DATE_DTYPE)
    return np.asarray((dates >= first) & (dates <= last))


def against_records(scene: Scene, column: str) -> Mask:
    """Return the people whose birth or death date is contradicted by most of their records.

    Records are first days of spells and jobs, and index dates. A date is contradicted when at least two
    records, and more than half of all that the person has, lie before birth or after death: one record
    on the wrong side is taken for the record's fault, most of them for the date's.
    """
    persons = scene.tables["persons"]
    dates = dates_in(persons, column)
    n_all = np.zeros(len(persons), dtype=np.int64)
    n_wrong = np.zeros(len(persons), dtype=np.int64)
    for table, name in (("benefits", "start"), ("employment", "start"), ("enrolment", "index_date")):
        if table not in scene.tables:
            continue
        days = dates_in(scene.tables[table], name)
        places = person_places(scene, table)
        counted = (places >= 0) & possible(days) & ~duplicate_rows(scene, table)
        places, days = places[counted], days[counted]
        wrong = days < dates[places] if column == "birth_date" else days > dates[places]
        n_all += np.bincount(places, minlength=len(persons))
        n_wrong += np.bincount(places[wrong], minlength=len(persons))
    return np.asarray((n_wrong >= 2) & (2 * n_wrong > n_all))


def trusted_date(scene: Scene, column: str) -> Dates:
    """Return the birth, death or emigration date of each person, missing where that date is itself a fault."""
    frames = tuple(
        scene.tables[name] for name in ("persons", "benefits", "employment", "enrolment") if name in scene.tables
    )
    known = scene.trusted.get(column)
    if (
        known is not None
        and len(known[0]) == len(frames)
        and all(a is b for a, b in zip(known[0], frames, strict=True))
    ):
        return known[1]
    persons = scene.tables["persons"]
    dates = dates_in(persons, column)
    faulty = ~possible(dates)
    if column in ("birth_date", "death_date"):
        faulty |= against_records(scene, column)
    if column == "birth_date":
        faulty |= (dates > scene.data_end) | (dates > dates_in(persons, "death_date"))
    found = np.where(faulty, NAT, dates)
    scene.trusted[column] = (frames, found)
    return found


def date_of_person(scene: Scene, table: str, column: str) -> Dates:
    """Return a date of each row's person, missing when it is unknown or itself a fault."""
    return np.append(trusted_date(scene, column), NAT)[person_places(scene, table)]
