"""One reader a format: each gives a raw table, whose values are read by declaration afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import RegisterError
from rtwcohort.register.read_text import read_text
from rtwcohort.register.sniff import FORMAT_NAMES, TEXT, check_content


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as the file holds it.

    Attributes
    ----------
    path
        The file's name without its folder, "memory" for a frame.
    frame
        The file's columns; index `row` in the file's own numbering.
    sha256
        Of the file's bytes, or of a frame's content.
    format
        How it was read, in words.
    labels
        Column -> code -> label, from files that carry value labels.
    """

    path: str
    frame: pd.DataFrame
    sha256: str
    format: str
    labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)


def read_file(path: Path) -> RawTable:
    """Read one file that holds one table.

    Raises
    ------
    RegisterError
        When the file is missing, is not what its name says, or is damaged.
    """
    if not path.is_file():
        raise RegisterError(f"The file '{path.name}' does not exist. Check the folder and the name.")
    kind = check_content(path)
    if kind == TEXT:
        text = read_text(path)
        return RawTable(path.name, text.frame, text.sha256, text.format)
    if kind == "duckdb":
        raise RegisterError(f"'{path.name}' is a database: give it as the source itself, not as one table.")
    try:
        return _read_parquet(path) if kind == "parquet" else _read_labelled(path, kind)
    except RegisterError:
        raise
    except Exception as error:
        raise RegisterError(
            f"'{path.name}' is damaged or of a variant that cannot be read as {FORMAT_NAMES[kind]} "
            f"({type(error).__name__}). Export it again, or as CSV or Parquet."
        ) from error


def read_frame(frame: Any, *, argument: str) -> RawTable:
    """Take a frame in memory: pandas, Polars, PyArrow or a DuckDB relation."""
    table = to_pandas(frame, argument=argument)
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise RegisterError(f"`{argument}` has two columns named '{twice}'. Column names must differ.")
    table = table.set_axis([str(name) for name in table.columns], axis=1)
    return RawTable("memory", _numbered(table), _content_hash(table), f"frame in memory ({_library(frame)})")


def _library(frame: Any) -> str:
    return type(frame).__module__.split(".")[0].lstrip("_")


def _content_hash(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256("\x1f".join(map(str, frame.columns)).encode("utf-8"))
    for name in frame.columns:
        column = frame[name]
        if column.dtype == object:
            column = column.map(repr)
        digest.update(pd.util.hash_pandas_object(column, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="row"), axis=0)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_parquet(path: Path) -> RawTable:
    from pyarrow import parquet

    table = parquet.read_table(path)
    frame = table.to_pandas(date_as_object=False, timestamp_as_object=False, ignore_metadata=True)
    return RawTable(path.name, _numbered(frame), file_hash(path), "Parquet")


def _read_labelled(path: Path, kind: str) -> RawTable:
    """Read an SPSS, Stata or SAS file with its value labels; user-missing values become missing."""
    import pyreadstat

    readers: dict[str, tuple[Any, str]] = {
        "spss": (pyreadstat.read_sav, "SPSS"),
        "stata": (pyreadstat.read_dta, "Stata"),
        "sas": (pyreadstat.read_sas7bdat, "SAS"),
        "xpt": (pyreadstat.read_xport, "SAS transport"),
    }
    reader, name = readers[kind]
    frame, meta = reader(str(path))
    labels = {str(column): dict(codes) for column, codes in meta.variable_value_labels.items()}
    return RawTable(path.name, _numbered(frame), file_hash(path), name, labels)


def read_database(path: Path) -> dict[str, RawTable]:
    """Read every table and view of a DuckDB database, by its name in the database."""
    import duckdb

    if check_content(path) != "duckdb":
        raise RegisterError(f"'{path.name}' is not a DuckDB database.")
    digest = file_hash(path)
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            names = [row[0] for row in connection.sql("select table_name from information_schema.tables").fetchall()]
            frames = {name: _query(connection, name) for name in names}
    except duckdb.Error as error:
        raise RegisterError(
            f"'{path.name}' cannot be opened: another program may hold it, or another DuckDB version wrote it "
            f"({type(error).__name__})."
        ) from error
    return {
        name: RawTable(path.name, _numbered(frame), digest, f"DuckDB, table {name}") for name, frame in frames.items()
    }


def _query(connection: Any, name: str) -> pd.DataFrame:
    quoted = name.replace('"', '""')
    table = connection.sql(f'select * from "{quoted}"').to_arrow_table()
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame
