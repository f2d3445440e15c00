"""People moving between work, benefits, retirement, death and emigration by declared hazards."""

from rtwcohort.simulate.process.benefits import JOBS, benefit_rows, employment_rows, exit_days
from rtwcohort.simulate.process.certificates import Certificates
from rtwcohort.simulate.process.declaration import Entitlement, Process, Spline, Transition
from rtwcohort.simulate.process.declared_hazard import hazard
from rtwcohort.simulate.process.effects import ArmEffect, ClusterEffect, EarlierSpells, Effect, Frailty
from rtwcohort.simulate.process.paths import CAUSES, Inputs, Paths, state_on
from rtwcohort.simulate.process.run import simulate_paths
from rtwcohort.simulate.process.states import STATES, state_code

__all__ = [
    "CAUSES",
    "JOBS",
    "STATES",
    "ArmEffect",
    "Certificates",
    "ClusterEffect",
    "EarlierSpells",
    "Effect",
    "Entitlement",
    "Frailty",
    "Inputs",
    "Paths",
    "Process",
    "Spline",
    "Transition",
    "benefit_rows",
    "employment_rows",
    "exit_days",
    "hazard",
    "simulate_paths",
    "state_code",
    "state_on",
]
