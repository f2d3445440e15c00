"""The register while faults are put in: what is still free to be hit, and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register import Register, check_register
from rtwcohort.simulate.draws import key, uniform, whole

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Place = Literal["before", "after", "end"]
Columns = Mapping[str, Any]

DAY: Final = np.timedelta64(1, "D")
_QUIET: Final = frozenset(
    {
        "open_end",
        "value_missing",
        "grade_missing",
        "position_missing",
        "diagnosis_malformed",
        "unknown_sex",
        "unknown_benefit",
        "spell_after_emigration",
    }
)
"""Faults that a register may have at the start without keeping other faults from the same person's rows."""


@dataclass(frozen=True, slots=True)
class Act:
    """One fault put into some rows of one table.

    Attributes
    ----------
    fault, table
        Which, where.
    kind
        "changed", "added" or "removed".
    rows
        Positions in the clean table of the rows changed or removed, or that the added rows are copies of.
    columns
        New values by column, each of length `len(rows)`.
    place
        Where added rows stand.
    """

    fault: str
    table: str
    kind: Literal["changed", "added", "removed"]
    rows: Rows
    columns: Columns = field(default_factory=dict)
    place: Place = "after"


class Bench:
    """The clean tables, which of their rows are taken, and the acts so far.

    A row that was changed or removed is `hit`: nothing else happens to it. A row on which a fault
    relies (the spell that a certificate overlaps, the person whose death makes a spell too late) is
    `locked`: it stays as it is.
    """

    def __init__(self, register: Register, *, seed: int, twice: bool) -> None:
        self.tables = {name: frame.reset_index(drop=True) for name, frame in register.tables().items()}
        self.data_end = register.data_end.to_datetime64().astype(DATE_DTYPE)
        self.acts: list[Act] = []
        self.marks: dict[str, Mask] = {}
        self._seed = seed
        self._twice = twice
        self._hit = {name: np.zeros(len(frame), dtype=bool) for name, frame in self.tables.items()}
        self._locked = {name: np.zeros(len(frame), dtype=bool) for name, frame in self.tables.items()}
        self.person = {name: self._places(frame) for name, frame in self.tables.items()}
        self._bar_faulty(register)

    def _places(self, frame: pd.DataFrame) -> Rows:
        """Return the position of each row's person in `persons`, -1 when not there."""
        ids = self.tables["persons"]["person_id"]
        first = np.flatnonzero(ids.notna().to_numpy() & ~ids.duplicated().to_numpy())
        found = pd.Index(ids.iloc[first].astype(object)).get_indexer(pd.Index(frame["person_id"].astype(object)))
        return np.where(found >= 0, first[found] if len(first) else -1, -1).astype(np.int64)

    def _bar_faulty(self, register: Register) -> None:
        """Take what is faulty already: the rows themselves, and every row of people with a contradiction."""
        rows = check_register(register).rows()
        barred = np.zeros(len(self.tables["persons"]), dtype=bool)
        for table, found in rows.groupby("table"):
            position = {row: place for place, row in enumerate(register.tables()[str(table)].index)}
            places = np.array([position[row] for row in found["row"]], dtype=np.int64)
            self._hit[str(table)][places] = True
            loud = places[~found["fault"].isin(_QUIET).to_numpy()]
            people = self.person[str(table)][loud]
            barred[people[people >= 0]] = True
        for table, person in self.person.items():
            self._hit[table] |= np.append(barred, False)[person]

    def free(self, table: str) -> Mask:
        """Return the rows that may be changed: not hit, and nothing relies on them."""
        return ~self._locked[table] & (self._twice | ~self._hit[table])

    def sound_person(self, table: str) -> Mask:
        """Return the rows whose person is known, with facts that no fault has touched."""
        person = self.person[table]
        return ~np.append(self._hit["persons"], True)[person]

    def of_person(self, table: str, column: str) -> Dates:
        """Return a date of each row's person, missing when the person is unknown."""
        dates = np.append(self.tables["persons"][column].to_numpy().astype(DATE_DTYPE), np.datetime64("NaT", "s"))
        return dates[self.person[table]]

    def all_free(self, tables: Sequence[str]) -> Mask:
        """Return for each person whether all rows in these tables, and the one in `persons`, are free."""
        fine = self.free("persons")
        for table in tables:
            if table in self.tables:
                taken = self.person[table][~self.free(table)]
                fine[taken[taken >= 0]] = False
        return fine

    def unmarked(self, mark: str, table: str) -> Mask:
        """Return the rows whose person has not got this mark."""
        marks = self.marks.setdefault(mark, np.zeros(len(self.tables["persons"]), dtype=bool))
        person = self.person[table]
        return ~np.append(marks, True)[person]

    def mark(self, mark: str, table: str, rows: Rows) -> None:
        """Give the people of these rows a mark."""
        self.marks.setdefault(mark, np.zeros(len(self.tables["persons"]), dtype=bool))[self.person[table][rows]] = True

    def draw(self, fault: str, table: str, able: Mask, rate: float) -> Rows:
        """Draw each able row with probability `rate`."""
        rows = np.arange(len(able), dtype=np.int64)
        hit = uniform(key(self._seed, f"dirty {fault} {table}"), rows) < rate
        return rows[able & hit]

    def whole(self, fault: str, table: str, rows: Rows, least: int, most: int, counter: int = 1) -> Rows:
        """Draw a whole number from `least` to `most` for each row."""
        return whole(key(self._seed, f"dirty {fault} {table}"), rows, least, most, counter)

    def share(self, fault: str, table: str, rows: Rows, counter: int = 9) -> npt.NDArray[np.float64]:
        """Draw a number between 0 and 1 for each row."""
        return uniform(key(self._seed, f"dirty {fault} {table}"), rows, counter)

    def pick(self, fault: str, table: str, rows: Rows, choices: Sequence[Any]) -> list[Any]:
        """Draw one of the choices for each row."""
        return [choices[place] for place in self.whole(fault, table, rows, 0, len(choices) - 1, counter=2)]

    def lock(self, table: str, rows: Rows) -> None:
        """Keep rows as they are: a fault relies on them."""
        self._locked[table][rows] = True

    def lock_persons(self, table: str, rows: Rows) -> None:
        """Keep the people of these rows as they are."""
        person = self.person[table][rows]
        self._locked["persons"][person[person >= 0]] = True

    def change(self, fault: str, table: str, rows: Rows, **columns: Any) -> None:
        """Put new values into rows."""
        if len(rows):
            self._hit[table][rows] = True
            self.acts.append(Act(fault, table, "changed", rows, columns))

    def add(self, fault: str, table: str, rows: Rows, place: Place, **columns: Any) -> None:
        """Add copies of rows, with other values in some columns; the rows themselves stay as they are."""
        if len(rows):
            self._locked[table][rows] = True
            self.acts.append(Act(fault, table, "added", rows, columns, place))

    def remove(self, fault: str, table: str, rows: Rows) -> None:
        """Take rows out."""
        if len(rows):
            self._hit[table][rows] = True
            self.acts.append(Act(fault, table, "removed", rows))
