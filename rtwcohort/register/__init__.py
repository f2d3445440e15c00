"""The register: five tables declared once, loaded from files or frames, checked and cleaned by explicit rules."""

from typing import Any

from rtwcohort.register.benefits import BENEFIT_NAMES, BENEFITS, DEFAULT_PRIORITY, Benefit
from rtwcohort.register.check import FoundFault, RegisterCheck, check_register
from rtwcohort.register.clean import clean_register
from rtwcohort.register.faults import FAULT_NAMES, FAULTS, Fault
from rtwcohort.register.load import load_register
from rtwcohort.register.register import CleaningStep, Register, Source, Unreadable
from rtwcohort.register.weeks import spells_from_weeks

__all__ = [
    "BENEFITS",
    "BENEFIT_NAMES",
    "DEFAULT_PRIORITY",
    "FAULTS",
    "FAULT_NAMES",
    "TABLES",
    "Benefit",
    "CleaningStep",
    "Fault",
    "FoundFault",
    "Register",
    "RegisterCheck",
    "Source",
    "Unreadable",
    "check_register",
    "clean_register",
    "data_dictionary",
    "empty_table",
    "load_register",
    "spells_from_weeks",
]

_DECLARED = ("TABLES", "data_dictionary", "empty_table")


def __getattr__(name: str) -> Any:
    """Import the declared tables, and pandera with them, only when they are asked for."""
    if name in _DECLARED:
        from rtwcohort.register import tables

        return getattr(tables, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
