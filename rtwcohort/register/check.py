"""Check a register: how many rows have which fault, where they stand and what cleaning will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.register.faults import DROP, FAULT_NAMES, FAULTS, KEEP, Fault
from rtwcohort.register.register import Register

_COUNT_COLUMNS: Final = ("table", "fault", "n_rows", "n_persons", "meaning", "action")
_FIRST_ROWS: Final = 5
_CODED: Final = {"unknown_benefit": "benefit", "unknown_sex": "sex"}
_FEWEST_PERSONS: Final = 5
"""A code that fewer people have is not shown: the wrong column may have been mapped, one that identifies."""


@dataclass(frozen=True, slots=True)
class FoundFault:
    """The rows of one table that have one fault.

    Attributes
    ----------
    table
        Its name.
    fault
        What it is.
    action
        The action that cleaning would take, a key of `fault.actions`.
    rows
        Row numbers in the file's own numbering, shape (n_rows,).
    n_persons
        Different identifiers among these rows.
    """

    table: str
    fault: Fault
    action: str
    rows: npt.NDArray[np.int64]
    n_persons: int


@dataclass(frozen=True, slots=True)
class RegisterCheck:
    """The faults of a register.

    Attributes
    ----------
    found
        One entry a table and fault, tables in their order and faults in the order of cleaning.
    sizes
        Table -> rows.
    data_end
        The last day known, as an ISO date.
    notes
        What was chosen at loading, and what unreadable values look like.
    """

    found: tuple[FoundFault, ...]
    sizes: Mapping[str, int]
    data_end: str
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when cleaning would change nothing."""
        return all(item.action == KEEP for item in self.found)

    @property
    def counts(self) -> pd.DataFrame:
        """One row a table and fault: table, fault, n_rows, n_persons, meaning, action (in words)."""
        rows = [
            (f.table, f.fault.name, len(f.rows), f.n_persons, f.fault.meaning, f.fault.actions[f.action])
            for f in self.found
        ]
        return pd.DataFrame(rows, columns=list(_COUNT_COLUMNS)).astype({"n_rows": "int64", "n_persons": "int64"})

    def rows(self, table: str | None = None, fault: str | None = None) -> pd.DataFrame:
        """List the rows with faults, in the file's own numbering.

        Parameters
        ----------
        table, fault
            Only this table, only this fault.

        Returns
        -------
        pandas.DataFrame
            Columns `table`, `fault`, `row`.
        """
        if table is not None:
            check_choice(table, tuple(self.sizes), argument="table")
        if fault is not None:
            check_choice(fault, FAULT_NAMES, argument="fault")
        wanted = [f for f in self.found if table in (None, f.table) and fault in (None, f.fault.name)]
        lengths = [len(f.rows) for f in wanted]
        return pd.DataFrame(
            {
                "table": np.repeat(np.array([f.table for f in wanted], dtype=object), lengths),
                "fault": np.repeat(np.array([f.fault.name for f in wanted], dtype=object), lengths),
                "row": np.concatenate([f.rows for f in wanted]) if wanted else np.array([], dtype=np.int64),
            }
        )

    def describe(self) -> str:
        """Return the faults as plain text for a terminal: counts, first rows, what cleaning does."""
        lines = [f"Last day known: {self.data_end}."]
        for table, size in self.sizes.items():
            found = [f for f in self.found if f.table == table]
            lines.append("")
            lines.append(
                f"{table}: {size} rows, {'no faults' if not found else _plural(len(found), 'kind') + ' of fault'}"
            )
            lines.extend(line for item in found for line in _describe(item))
        if self.notes:
            lines.extend(["", "Notes:", *(f"  - {note}" for note in self.notes)])
        lines.extend(["", self._verdict()])
        return "\n".join(lines)

    def _verdict(self) -> str:
        if not self.found:
            return "No faults found."
        if self.ok:
            return "Nothing that cleaning would change."
        return (
            "Rows are numbered as in the files. Cleaning does what the arrows say; [cleaning] in the study file "
            "changes that."
        )


def _describe(item: FoundFault) -> list[str]:
    first = ", ".join(str(row) for row in item.rows[:_FIRST_ROWS])
    more = ", ..." if len(item.rows) > _FIRST_ROWS else ""
    return [
        f"  {item.fault.name}: {_plural(len(item.rows), 'row')}, {_plural(item.n_persons, 'person')}",
        f"    {item.fault.meaning} ({'row' if len(item.rows) == 1 else 'rows'} {first}{more})",
        f"    -> {item.fault.actions[item.action]}",
    ]


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def check_register(register: Register, *, rules: Mapping[str, str] | None = None) -> RegisterCheck:
    """Count the faults of a register and find their rows.

    Parameters
    ----------
    register
        As loaded, or cleaned.
    rules
        Fault -> action, where cleaning shall not do its default; see `FAULTS`.

    Returns
    -------
    RegisterCheck
        With counts and row numbers only, never an identifier.

    Raises
    ------
    ArgumentError
        When a rule names a fault or an action that does not exist.
    """
    from rtwcohort.register.find import find_fault
    from rtwcohort.register.scene import scene_of

    actions = resolve_rules(rules)
    scene = scene_of(register)
    found = []
    for table, frame in scene.tables.items():
        for fault in FAULTS:
            if table not in fault.tables:
                continue
            mask = find_fault(scene, table, fault.name)
            if not mask.any():
                continue
            rows = frame.index.to_numpy()[mask].astype(np.int64)
            n_persons = int(frame["person_id"][mask].nunique())
            found.append(FoundFault(table, fault, actions[fault.name], rows, n_persons))
    sizes = {table: len(frame) for table, frame in scene.tables.items()}
    codes = tuple(note for item in found if (note := _codes(item, scene.tables[item.table])))
    return RegisterCheck(tuple(found), sizes, f"{register.data_end:%Y-%m-%d}", _notes(register) + codes)


def _codes(item: FoundFault, frame: pd.DataFrame) -> str:
    """Say which unknown codes are frequent, and how to map them."""
    column = _CODED.get(item.fault.name)
    if column is None:
        return ""
    rows = frame[frame.index.isin(item.rows)]
    people = rows.groupby(column, sort=False)["person_id"].nunique().sort_values(ascending=False, kind="stable")
    shown = people[people >= _FEWEST_PERSONS].head(_FIRST_ROWS)
    if shown.empty:
        return ""
    listed = ", ".join(f"'{code}' ({n} persons)" for code, n in shown.items())
    return (
        f"`{item.table}.{column}`: unknown codes are {listed}. "
        f'Say what they mean: values={{"{item.table}": {{"{column}": {{"{shown.index[0]}": "..."}}}}}}.'
    )


def _notes(register: Register) -> tuple[str, ...]:
    shapes = tuple(
        f"`{item.table}.{item.column}`: unreadable values look like {', '.join(repr(shape) for shape in item.shapes)} "
        "(9 a digit, a a letter)."
        for item in register.unreadable
    )
    return (*register.notes, *shapes)


def resolve_rules(rules: Mapping[str, str] | None) -> dict[str, str]:
    """Return the action for every fault: the caller's rule or the default.

    Where the latest of overlapping spells is to win, so does the latest version of a corrected record.

    Raises
    ------
    ArgumentError
        When a rule names a fault or an action that does not exist.
    """
    actions = {fault.name: fault.default_action for fault in FAULTS}
    known = {fault.name: fault for fault in FAULTS}
    for name, action in (rules or {}).items():
        if name not in known:
            raise ArgumentError(
                f"`rules` names the fault '{name}', which does not exist.{did_you_mean(name, FAULT_NAMES)} "
                f"Faults are: {', '.join(FAULT_NAMES)}."
            )
        check_choice(action, tuple(known[name].actions), argument=f"rules['{name}']")
        actions[name] = action
    if actions["overlap_same_benefit"] == "latest" and "corrected_record" not in (rules or {}):
        actions["corrected_record"] = DROP
    return actions
