"""Registers with known truth: people, benefits, arms and questionnaires drawn from a declared scenario.

Verbs are imported when they are first used. Four share the name of their module and are imported from there, or from
`rtwcohort` itself: `fidelity.fidelity`, `calibrate.calibrate`, `dirty.dirty`, `synthesise.synthesise`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rtwcohort.simulate.dirty.files import write_dirty as write_dirty
    from rtwcohort.simulate.dirty.score import score_cleaning as score_cleaning
    from rtwcohort.simulate.partitions import write_scenario as write_scenario
    from rtwcohort.simulate.registers import simulate_register as simulate_register
    from rtwcohort.simulate.registers import true_outcomes as true_outcomes
    from rtwcohort.simulate.registers import true_values as true_values
    from rtwcohort.simulate.scenarios.declaration import Scenario as Scenario
    from rtwcohort.simulate.scenarios.read import load_scenario as load_scenario
    from rtwcohort.simulate.scenarios.read import scenario_names as scenario_names
    from rtwcohort.simulate.write import write_register as write_register

_VERBS: Final = {
    "Scenario": "rtwcohort.simulate.scenarios.declaration",
    "load_scenario": "rtwcohort.simulate.scenarios.read",
    "scenario_names": "rtwcohort.simulate.scenarios.read",
    "simulate_register": "rtwcohort.simulate.registers",
    "true_values": "rtwcohort.simulate.registers",
    "true_outcomes": "rtwcohort.simulate.registers",
    "write_scenario": "rtwcohort.simulate.partitions",
    "write_register": "rtwcohort.simulate.write",
    "write_dirty": "rtwcohort.simulate.dirty.files",
    "score_cleaning": "rtwcohort.simulate.dirty.score",
}

__all__ = [
    "Scenario",
    "load_scenario",
    "scenario_names",
    "score_cleaning",
    "simulate_register",
    "true_outcomes",
    "true_values",
    "write_dirty",
    "write_register",
    "write_scenario",
]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'rtwcohort.simulate' has no attribute {name!r}")
