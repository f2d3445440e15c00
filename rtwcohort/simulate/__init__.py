"""Registers with known truth: people, benefits, arms and questionnaires drawn from a declared scenario."""

from rtwcohort.simulate.faults import plant_faults
from rtwcohort.simulate.scenario import Effect, Scenario, Wave, true_values
from rtwcohort.simulate.simulator import simulate_register, true_outcomes
from rtwcohort.simulate.write import write_register

__all__ = [
    "Effect",
    "Scenario",
    "Wave",
    "plant_faults",
    "simulate_register",
    "true_outcomes",
    "true_values",
    "write_register",
]
