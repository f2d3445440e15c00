"""rtwcohort: return to work after sick leave, from a benefit register to outcomes, models and a report.

The verbs below are imported when they are first used, so that `import rtwcohort` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

__version__: Final = "0.1.0"

_VERBS: Final = {
    "load_register": "rtwcohort.register",
    "check_register": "rtwcohort.register",
    "clean_register": "rtwcohort.register",
    "build_timeline": "rtwcohort.outcomes",
    "return_to_work": "rtwcohort.outcomes",
    "work_status": "rtwcohort.outcomes",
    "absence_days": "rtwcohort.outcomes",
    "relapse": "rtwcohort.outcomes",
    "RtwRule": "rtwcohort.outcomes",
    "RULES": "rtwcohort.outcomes",
    "get_rule": "rtwcohort.outcomes",
    "describe_rule": "rtwcohort.outcomes",
    "score": "rtwcohort.instruments",
    "Scenario": "rtwcohort.simulate",
    "simulate_register": "rtwcohort.simulate",
    "write_register": "rtwcohort.simulate",
    "build_cohort": "rtwcohort.cohort",
    "build_design": "rtwcohort.design",
    "fit_cox": "rtwcohort.models",
    "kaplan_meier": "rtwcohort.models",
    "log_rank": "rtwcohort.models",
    "two_by_two": "rtwcohort.compare",
    "chi_square": "rtwcohort.compare",
    "difference_in_differences": "rtwcohort.compare",
    "read_study": "rtwcohort.study",
    "run_study": "rtwcohort.study",
}

__all__ = ["__version__", *_VERBS]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'rtwcohort' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
