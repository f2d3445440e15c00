"""A synthetic copy of a real register: hazards, margins and associations fitted, people drawn anew."""

from rtwcohort.simulate.synthesise.privacy import Privacy, privacy_report
from rtwcohort.simulate.synthesise.synthesise import Synthesis, synthesise
from rtwcohort.simulate.synthesise.utility import Utility, utility_report

__all__ = ["Privacy", "Synthesis", "Utility", "privacy_report", "synthesise", "utility_report"]
