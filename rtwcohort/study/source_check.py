"""`rtwcohort check`: the faults of a register as text."""

from __future__ import annotations

from pathlib import Path

from rtwcohort.errors import RegisterError
from rtwcohort.register import RegisterCheck, check_register, load_register
from rtwcohort.study.population import prepare_data
from rtwcohort.study.read import read_study


def check_source(source: Path, *, rows: bool = False) -> tuple[str, bool]:
    """Check a folder of tables, a DuckDB file, or the register that a study file names.

    Parameters
    ----------
    source
        Folder, .duckdb file or .toml file. A study file brings its column names and cleaning rules along.
    rows
        Also list every offending row, in the file's own numbering.

    Returns
    -------
    tuple
        The text, and whether cleaning would change nothing.
    """
    if not source.exists():
        raise RegisterError(f"There is no '{source}'. Name a folder of register tables, a DuckDB file or a study file.")
    check = _check(source)
    text = check.describe()
    if rows and check.found:
        text += "\n\n" + _rows(check)
    return text, check.ok


def _check(source: Path) -> RegisterCheck:
    if source.suffix.lower() == ".toml":
        return prepare_data(read_study(source)).check
    return check_register(load_register(source))


def _rows(check: RegisterCheck) -> str:
    lines = ["table,fault,row"]
    lines += [f"{row.table},{row.fault},{row.row}" for row in check.rows().itertuples()]
    return "\n".join(lines)
