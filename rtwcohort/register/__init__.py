"""The register: five tables declared once, loaded from files or frames, checked and cleaned by explicit rules."""

from rtwcohort.register.load import load_register
from rtwcohort.register.register import CleaningStep, Register, Source, Unreadable

__all__ = ["CleaningStep", "Register", "Source", "Unreadable", "load_register"]
