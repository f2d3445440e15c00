"""Where the results come from: inputs with hashes, versions, seed, and the study file itself."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from rtwcohort import __version__
from rtwcohort.register import Register
from rtwcohort.study.read import Study

PACKAGES: Final = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "numba",
    "duckdb",
    "pandera",
    "formulaic",
    "lifelines",
    "statsmodels",
    "matplotlib",
    "great-tables",
)
"""Packages whose version can change a number or a figure."""


def provenance(study: Study, register: Register, *, run_at: str | None) -> dict[str, Any]:
    """Collect what a reader needs to run the study again and get the same numbers.

    Only file names are kept, never folders, and nothing about people.

    Parameters
    ----------
    study
        As read.
    register
        As loaded; its sources carry the hashes.
    run_at
        Time of the run in ISO format, from the caller; the library reads no clock.
    """
    return {
        "study": {
            "title": study.file.study.title,
            "file": study.path.name,
            "sha256": hashlib.sha256(study.text.encode("utf-8")).hexdigest(),
            "text": study.text,
            "seed": study.file.study.seed,
        },
        "run_at": run_at,
        "inputs": [
            {
                "table": source.table,
                "file": source.path,
                "sha256": source.sha256,
                "rows": source.n_rows,
                "format": source.format,
                "columns": dict(source.columns),
                "ignored_columns": list(source.ignored),
            }
            for source in register.sources
        ],
        "data_end": str(register.data_end.date()),
        "software": {"rtwcohort": __version__, "python": platform.python_version(), **versions()},
    }


def versions() -> dict[str, str]:
    """Return the installed version of each package in `PACKAGES`."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
