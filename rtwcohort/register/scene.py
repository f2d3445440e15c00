"""The tables as they stand while they are checked or cleaned, and what was worked out about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register.register import Register, Unreadable

Mask = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Answer = TypeVar("Answer")

NAT: Final = np.datetime64("NaT", "s")
_WITH_RECORDS: Final = ("persons", "benefits", "employment", "enrolment")


@dataclass(slots=True)
class Scene:
    """The tables as they stand while they are checked or cleaned.

    `known` holds the last answers of `remembered` with the objects that they were for.
    """

    tables: dict[str, pd.DataFrame]
    data_end: np.datetime64
    unreadable: tuple[Unreadable, ...]
    known: dict[str, tuple[tuple[object, ...], Any]] = field(default_factory=dict)


def remembered(scene: Scene, name: str, objects: tuple[object, ...], work_out: Callable[[], Answer]) -> Answer:
    """Return an answer again while the objects that it was worked out from are the same, else work it out."""
    last = scene.known.get(name)
    if last is None or len(last[0]) != len(objects) or any(a is not b for a, b in zip(last[0], objects, strict=True)):
        last = scene.known[name] = (objects, work_out())
    answer: Answer = last[1]
    return answer


def record_tables(scene: Scene) -> tuple[pd.DataFrame, ...]:
    """Return the tables that decide which dates of people can be trusted."""
    return tuple(scene.tables[name] for name in _WITH_RECORDS if name in scene.tables)


def scene_of(register: Register) -> Scene:
    """Return the scene of a register."""
    return Scene(register.tables(), register.data_end.to_datetime64().astype(DATE_DTYPE), register.unreadable)


def dates_in(frame: pd.DataFrame, column: str) -> Dates:
    """Return a date column as an array."""
    return frame[column].to_numpy().astype(DATE_DTYPE)


def person_places(scene: Scene, table: str) -> npt.NDArray[np.int64]:
    """Return for each row the place of its person in `persons`, -1 when not there."""
    frame, persons = scene.tables[table], scene.tables["persons"]

    def work_out() -> npt.NDArray[np.int64]:
        ids = persons["person_id"]
        first = np.flatnonzero(ids.notna().to_numpy() & ~ids.duplicated().to_numpy())
        dtype: Any = "int64" if ids.dtype == frame["person_id"].dtype == np.dtype("int64") else object
        found = pd.Index(ids.iloc[first].astype(dtype)).get_indexer(pd.Index(frame["person_id"].astype(dtype)))
        return np.where(found >= 0, first[found] if len(first) else -1, -1)

    return remembered(scene, f"places {table}", (frame, persons), work_out)


def duplicate_rows(scene: Scene, table: str) -> Mask:
    """Return the rows that repeat an earlier one in every column."""
    frame = scene.tables[table]

    def work_out() -> Mask:
        return np.asarray(frame.duplicated().to_numpy() & frame["person_id"].notna().to_numpy())

    return remembered(scene, f"copies {table}", (frame,), work_out)


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
    on the wrong side is taken for the record's fault, most of them for the date's. Records after the
    last day known are faulty themselves and do not count.
    """
    return remembered(scene, f"against {column}", record_tables(scene), lambda: _against(scene, column))


def _against(scene: Scene, column: str) -> Mask:
    persons = scene.tables["persons"]
    dates = dates_in(persons, column)
    n_all = np.zeros(len(persons), dtype=np.int64)
    n_wrong = np.zeros(len(persons), dtype=np.int64)
    for table, name in (("benefits", "start"), ("employment", "start"), ("enrolment", "index_date")):
        if table not in scene.tables:
            continue
        days = dates_in(scene.tables[table], name)
        places = person_places(scene, table)
        counted = (places >= 0) & possible(days) & (days <= scene.data_end) & ~duplicate_rows(scene, table)
        places, days = places[counted], days[counted]
        wrong = days < dates[places] if column == "birth_date" else days > dates[places]
        n_all += np.bincount(places, minlength=len(persons))
        n_wrong += np.bincount(places[wrong], minlength=len(persons))
    return np.asarray((n_wrong >= 2) & (2 * n_wrong > n_all))


def trusted_date(scene: Scene, column: str) -> Dates:
    """Return the birth, death or emigration date of each person, missing where that date is itself a fault."""

    def work_out() -> Dates:
        persons = scene.tables["persons"]
        dates = dates_in(persons, column)
        faulty = ~possible(dates)
        if column in ("birth_date", "death_date"):
            faulty |= against_records(scene, column)
        if column == "birth_date":
            faulty |= (dates > scene.data_end) | (dates > dates_in(persons, "death_date"))
        return np.where(faulty, NAT, dates)

    return remembered(scene, f"trusted {column}", record_tables(scene), work_out)


def date_of_person(scene: Scene, table: str, column: str) -> Dates:
    """Return a date of each row's person, missing when it is unknown or itself a fault."""
    return np.append(trusted_date(scene, column), NAT)[person_places(scene, table)]
