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
    """

    table: str
    fault: str
    action: str
    n_rows: int
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """Five tables in canonical columns and dtypes. The frames are never changed after loading.

    Each frame's index, named `row`, is the row's number in the file it came from (line number for
    text files, where the header is line 1; 1-based row number for others).

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

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that exist, by name."""
        names = ("persons", "benefits", "employment", "enrolment", "questionnaires")
        return {name: frame for name in names if (frame := getattr(self, name)) is not None}
