"""rtwcohort: return to work after sick leave, from a benefit register to outcomes, models and a report.

The verbs below are imported when they are first used, so that `import rtwcohort` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rtwcohort.cohort import build_cohort as build_cohort
    from rtwcohort.compare import chi_square as chi_square
    from rtwcohort.compare import difference_in_differences as difference_in_differences
    from rtwcohort.compare import two_by_two as two_by_two
    from rtwcohort.design import build_design as build_design
    from rtwcohort.instruments import score as score
    from rtwcohort.instruments import score_instrument as score_instrument
    from rtwcohort.models import concordance as concordance
    from rtwcohort.models import cumulative_incidence as cumulative_incidence
    from rtwcohort.models import fit_count as fit_count
    from rtwcohort.models import fit_cox as fit_cox
    from rtwcohort.models import fit_gee as fit_gee
    from rtwcohort.models import fit_logistic as fit_logistic
    from rtwcohort.models import fit_ordinal as fit_ordinal
    from rtwcohort.models import fit_ordinal_gee as fit_ordinal_gee
    from rtwcohort.models import fit_quantile as fit_quantile
    from rtwcohort.models import kaplan_meier as kaplan_meier
    from rtwcohort.models import log_rank as log_rank
    from rtwcohort.models import marginal_probabilities as marginal_probabilities
    from rtwcohort.models import nelson_aalen as nelson_aalen
    from rtwcohort.models import proportional_hazards_test as proportional_hazards_test
    from rtwcohort.models import restricted_mean as restricted_mean
    from rtwcohort.models import screen_predictors as screen_predictors
    from rtwcohort.models import standardised_curves as standardised_curves
    from rtwcohort.outcomes import RULES as RULES
    from rtwcohort.outcomes import RtwRule as RtwRule
    from rtwcohort.outcomes import absence_days as absence_days
    from rtwcohort.outcomes import build_timeline as build_timeline
    from rtwcohort.outcomes import describe_rule as describe_rule
    from rtwcohort.outcomes import get_rule as get_rule
    from rtwcohort.outcomes import relapse as relapse
    from rtwcohort.outcomes import return_to_work as return_to_work
    from rtwcohort.outcomes import work_status as work_status
    from rtwcohort.register import check_register as check_register
    from rtwcohort.register import clean_register as clean_register
    from rtwcohort.register import load_register as load_register
    from rtwcohort.simulate import Scenario as Scenario
    from rtwcohort.simulate import load_scenario as load_scenario
    from rtwcohort.simulate import scenario_names as scenario_names
    from rtwcohort.simulate import score_cleaning as score_cleaning
    from rtwcohort.simulate import simulate_register as simulate_register
    from rtwcohort.simulate import true_outcomes as true_outcomes
    from rtwcohort.simulate import true_values as true_values
    from rtwcohort.simulate import write_register as write_register
    from rtwcohort.simulate import write_scenario as write_scenario
    from rtwcohort.simulate.calibrate import calibrate as calibrate
    from rtwcohort.simulate.dirty import dirty as dirty
    from rtwcohort.simulate.fidelity import fidelity as fidelity
    from rtwcohort.simulate.synthesise import synthesise as synthesise
    from rtwcohort.study import read_study as read_study
    from rtwcohort.study import run_study as run_study

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
    "score_instrument": "rtwcohort.instruments",
    "Scenario": "rtwcohort.simulate",
    "load_scenario": "rtwcohort.simulate",
    "scenario_names": "rtwcohort.simulate",
    "simulate_register": "rtwcohort.simulate",
    "true_values": "rtwcohort.simulate",
    "true_outcomes": "rtwcohort.simulate",
    "write_scenario": "rtwcohort.simulate",
    "write_register": "rtwcohort.simulate",
    "fidelity": "rtwcohort.simulate.fidelity",
    "calibrate": "rtwcohort.simulate.calibrate",
    "dirty": "rtwcohort.simulate.dirty",
    "score_cleaning": "rtwcohort.simulate",
    "synthesise": "rtwcohort.simulate.synthesise",
    "build_cohort": "rtwcohort.cohort",
    "build_design": "rtwcohort.design",
    "fit_cox": "rtwcohort.models",
    "kaplan_meier": "rtwcohort.models",
    "log_rank": "rtwcohort.models",
    "fit_ordinal": "rtwcohort.models",
    "fit_ordinal_gee": "rtwcohort.models",
    "fit_logistic": "rtwcohort.models",
    "fit_gee": "rtwcohort.models",
    "fit_count": "rtwcohort.models",
    "fit_quantile": "rtwcohort.models",
    "restricted_mean": "rtwcohort.models",
    "nelson_aalen": "rtwcohort.models",
    "cumulative_incidence": "rtwcohort.models",
    "concordance": "rtwcohort.models",
    "proportional_hazards_test": "rtwcohort.models",
    "standardised_curves": "rtwcohort.models",
    "marginal_probabilities": "rtwcohort.models",
    "screen_predictors": "rtwcohort.models",
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
