"""`rtwcohort synthesise`: a synthetic copy of a register on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtwcohort.errors import RegisterError
from rtwcohort.register import clean_register, load_register
from rtwcohort.study.population import prepare_data
from rtwcohort.study.read import read_study

if TYPE_CHECKING:
    from rtwcohort.register import Register


def write_copy(source: Path, folder: Path, *, seed: int, n: int | None, least: int) -> str:
    """Clean a register, draw a synthetic copy of it, write that, and return both reports as text.

    Parameters
    ----------
    source
        Folder of tables, .duckdb file or study file; a study file brings its column names and cleaning rules along.
    folder
        New or empty.
    seed, n, least
        See `synthesise`.
    """
    from rtwcohort.simulate.synthesise import synthesise
    from rtwcohort.study.fidelity_estimators import FIDELITY_ESTIMATORS

    made = synthesise(_cleaned(source), seed=seed, n=n, least=least, estimators=FIDELITY_ESTIMATORS)
    paths = made.write(folder)
    return "\n".join([made.describe(), *(f"Wrote {path}" for path in paths)])


def _cleaned(source: Path) -> Register:
    if not source.exists():
        raise RegisterError(f"There is no '{source}'. Name a folder of register tables, a DuckDB file or a study file.")
    if source.suffix.lower() == ".toml":
        return prepare_data(read_study(source)).register
    return clean_register(load_register(source))
