"""The register in memory: five tables in canonical columns, where they came from, the last day known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table came from.

    Attributes
    ----------
    table
        One of the five table names.
    path
        File name as given, or "memory". Only its name, never its folder, goes into outputs.
    sha256
        Of the file, or of the table's content for frames in memory.
    n_rows
        Rows read.
    columns
        Our column name -> the file's column name.
    ignored
        Columns of the file that no declaration knows.
    format
        How the file was read, in words: "CSV, separator ';', decimal ',', encoding ISO-8859-1".
    """

    table: str
    path: str
    sha256: str
    n_rows: int
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    format: str = ""


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """One cleaning rule that touched the register.

    Attributes
    ----------
    table, fault, action
        Which table, the kind of fault (a key of `FAULTS`) and what was done, in words.
    n_rows
        Rows dropped or changed.
    rows
        Their numbers in the file's own numbering.
    n_dropped
        Of these rows, those that left the table. Rows in = rows out + dropped - added.
    n_added
        Rows that the rule added to `persons` (people who occur in other tables only).
    """

    table: str
    fault: str
    action: str
    n_rows: int
    rows: tuple[int, ...] = ()
    n_dropped: int = 0
    n_added: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Values of one column that could not be read, and are missing in the table.

    Attributes
    ----------
    table, column
        Where.
    fault
        "unreadable_date", "unreadable_spell_date" or "unreadable_number".
    rows
        Row numbers in the file's own numbering.
    shapes
        What the values look like, digits written as 9 and letters as a, the most frequent first.
    """

    table: str
    column: str
    fault: str
    rows: tuple[int, ...]
    shapes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """Five tables in canonical columns and dtypes. The frames are never changed after loading.

    Each frame's index, named `row`, is the row's number in the file it came from (line number for
    text files, where the header is line 1; 1-based row number for others). A person that no file
    holds, added by cleaning, has a negative number.

    Attributes
    ----------
    persons, benefits
        Always present. `benefits.end` is inclusive; NaT means that the spell is still open.
    employment, enrolment, questionnaires
        None when the register has no such table.
    data_end
        The last day that the register knows about (inclusive).
    sources
        One per table.
    cleaning
        What `clean_register` did, in order; empty before cleaning.
    notes
        Sentences about choices made at loading (data end guessed, persons made from spells, ...).
    unreadable
        Values that could not be read at loading; empty after cleaning.
    """

    persons: pd.DataFrame
    benefits: pd.DataFrame
    employment: pd.DataFrame | None
    enrolment: pd.DataFrame | None
    questionnaires: pd.DataFrame | None
    data_end: pd.Timestamp
    sources: tuple[Source, ...] = ()
    cleaning: tuple[CleaningStep, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that exist, by name."""
        names = ("persons", "benefits", "employment", "enrolment", "questionnaires")
        return {name: frame for name in names if (frame := getattr(self, name)) is not None}
