"""A study file read, its steps run in order, and every result kept with its provenance."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rtwcohort.study.demo import prepare_demo as prepare_demo
    from rtwcohort.study.read import Study as Study
    from rtwcohort.study.read import read_study as read_study
    from rtwcohort.study.results import Results as Results
    from rtwcohort.study.rule_list import rules_text as rules_text
    from rtwcohort.study.run import STEPS as STEPS
    from rtwcohort.study.run import Done as Done
    from rtwcohort.study.run import kernels_ready as kernels_ready
    from rtwcohort.study.run import run_study as run_study
    from rtwcohort.study.source_check import check_source as check_source
    from rtwcohort.study.study_file import write_study_file as write_study_file

_WHERE: Final = {
    "STEPS": "run",
    "Done": "run",
    "Results": "results",
    "Study": "read",
    "check_source": "source_check",
    "kernels_ready": "run",
    "prepare_demo": "demo",
    "read_study": "read",
    "rules_text": "rule_list",
    "run_study": "run",
    "write_study_file": "study_file",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    """Import a verb when it is first used, so that the command line starts quickly."""
    if name in _WHERE:
        return getattr(import_module(f"rtwcohort.study.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
