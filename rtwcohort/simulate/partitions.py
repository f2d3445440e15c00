"""A scenario to files: any number of people in bounded memory, all of the folder or nothing."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Final, Literal

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import OutputError
from rtwcohort.simulate.readme import readme_text
from rtwcohort.simulate.registers import TABLES, simulate_register
from rtwcohort.simulate.scenarios.declaration import Scenario, check_scenario

Format = Literal["csv", "parquet"]

README: Final = "README.md"
WITH_ANSWERS: Final = 10_000
"""Most people held in memory at a time when they answer questionnaires."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def write_scenario(
    scenario: Scenario,
    folder: str | Path,
    *,
    n: int | None = None,
    seed: int,
    format: Format = "csv",
    partition: int = 100_000,
    progress: bool = True,
) -> list[Path]:
    """Write a simulated register as files, with a README that tells its true values.

    Parameters
    ----------
    scenario
        What to simulate.
    folder
        A new or empty folder. Everything goes to a hidden folder beside it first, which takes its name at the end: a
        failure leaves nothing behind.
    n
        People; None takes the scenario's own number.
    seed
        Equal scenarios, sizes and seeds give equal CSV bytes, whatever the partition.
    format
        "csv" (comma, decimal point, UTF-8, ISO dates) or "parquet".
    partition
        People held in memory at a time; with questionnaires `WITH_ANSWERS` at most, for each has hundreds of answers.
    progress
        Show a bar on the terminal's error stream, where that is a terminal.

    Returns
    -------
    list of pathlib.Path
        The files: a table each, and README.md.

    Raises
    ------
    OutputError
        When the folder holds files, cannot be written, or the disk fills up.
    ScenarioError
        When the scenario cannot be simulated.
    """
    check_scenario(scenario)
    check_choice(format, ("csv", "parquet"), argument="format")
    check_number(partition, argument="partition", least=1, whole=True)
    if n is not None:
        check_number(n, argument="n", least=1, whole=True)
    target = Path(folder)
    _check_folder(target)
    size = scenario.n if n is None else int(n)
    step = int(partition) if scenario.answers is None else min(int(partition), WITH_ANSWERS)
    with _fresh_folder(target) as fresh:
        rows = dict.fromkeys(TABLES, 0)
        with _bar(size, progress) as advance, _writers(fresh, format) as write:
            for first in range(0, size, step):
                last = min(first + step, size)
                for name, frame in simulate_register(scenario, n=size, seed=seed, first=first, last=last).items():
                    write(name, frame)
                    rows[name] += len(frame)
                advance(last - first)
        written = [name for name in TABLES if (fresh / f"{name}.{format}").exists()]
        sizes = {f"{name}.{format}": rows[name] for name in written}
        (fresh / README).write_text(readme_text(scenario, n=size, seed=seed, sizes=sizes), encoding="utf-8")
    return [target / f"{name}.{format}" for name in written] + [target / README]


def write_tables(
    tables: Mapping[str, pd.DataFrame], folder: str | Path, *, format: Format = "csv", readme: str = ""
) -> list[Path]:
    """Write tables that are in memory to a new or empty folder: all of them or nothing.

    Parameters
    ----------
    tables
        Table name -> frame, in canonical columns.
    folder
        New or empty.
    format
        "csv" (comma, decimal point, UTF-8, ISO dates) or "parquet".
    readme
        Text of README.md; none when empty.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    OutputError
        When the folder holds files, cannot be written, or the disk fills up.
    """
    check_choice(format, ("csv", "parquet"), argument="format")
    target = Path(folder)
    _check_folder(target)
    with _fresh_folder(target) as fresh:
        with _writers(fresh, format) as write:
            for name, frame in tables.items():
                write(name, frame)
        if readme:
            (fresh / README).write_text(readme, encoding="utf-8")
    return [target / f"{name}.{format}" for name in tables] + ([target / README] if readme else [])


def csv_bytes(frame: pd.DataFrame, *, header: bool = True) -> bytes:
    """Return a table as CSV: comma, decimal point, ISO dates, nothing for missing values."""
    import pyarrow as pa
    from pyarrow import csv

    columns = {str(name): _plain(frame[name]) for name in frame.columns}
    sink = pa.BufferOutputStream()
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    try:
        csv.write_csv(pa.table(columns), sink, options)
    except pa.ArrowInvalid as error:
        raise OutputError(
            "A text of the register holds a comma, a quote or a line break, which plain CSV cannot. Rename the "
            "category in the scenario, or write Parquet."
        ) from error
    head = (",".join(columns) + "\n").encode() if header else b""
    body: bytes = sink.getvalue().to_pybytes()
    return head + body


def _plain(column: pd.Series[Any]) -> Any:
    """Return a column as dates without time, whole numbers, numbers or text."""
    import pyarrow as pa

    values = column.to_numpy()
    if values.dtype.kind == "M":
        return pa.array(values.astype("datetime64[D]"))
    if values.dtype.kind == "f":
        return pa.array(np.round(values, 2), from_pandas=True)
    if values.dtype.kind in "iub":
        return pa.array(values)
    return pa.array(values, type=pa.string(), from_pandas=True)


@contextmanager
def _writers(folder: Path, format: Format) -> Iterator[Callable[[str, pd.DataFrame], None]]:
    """Yield a function that appends a frame to the file of its table."""
    import pyarrow as pa
    from pyarrow import parquet

    opened: dict[str, Any] = {}

    def append_csv(name: str, frame: pd.DataFrame) -> None:
        fresh = name not in opened
        if fresh:
            opened[name] = (folder / f"{name}.csv").open("wb")
        handle: IO[bytes] = opened[name]
        handle.write(csv_bytes(frame, header=fresh))

    def append_parquet(name: str, frame: pd.DataFrame) -> None:
        table = pa.table({str(column): _plain(frame[column]) for column in frame.columns})
        if name not in opened:
            opened[name] = parquet.ParquetWriter(folder / f"{name}.parquet", table.schema)
        opened[name].write_table(table)

    try:
        yield append_csv if format == "csv" else append_parquet
    finally:
        for handle in opened.values():
            handle.close()


@contextmanager
def _fresh_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside the target; it takes the target's name when all went well."""
    try:
        target.resolve().parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.resolve().name}-", dir=target.resolve().parent))
    except OSError as error:
        raise OutputError(
            f"Cannot write beside the folder `{target}`: {error.strerror or error}. Choose another place."
        ) from error
    try:
        fresh.chmod(0o755)
        yield fresh
        if target.exists():
            target.rmdir()
        fresh.rename(target)
    except OSError as error:
        reason = "the disk is full" if error.errno in _FULL else (error.strerror or str(error))
        raise OutputError(
            f"Writing the register to `{target}` failed: {reason}. Nothing was left behind. "
            + ("Free some space, ask for fewer people, or choose " if error.errno in _FULL else "Choose ")
            + "another place."
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"`folder` must be a folder; '{folder}' is a file. Name another one.")
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(
            f"The folder '{folder}' is not empty; nothing in it was touched. Choose a new or an empty folder."
        )
    parent = folder.resolve().parent
    while not parent.exists():
        parent = parent.parent
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"The folder '{parent}' may not be written to. Choose another place.")


@contextmanager
def _bar(size: int, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that moves a progress bar on by some people."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal))
    with bar if shown else nullcontext():
        task = bar.add_task("People simulated", total=size)
        yield lambda done: bar.update(task, advance=done)
