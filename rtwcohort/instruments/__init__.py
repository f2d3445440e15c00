"""Questionnaires: declared once as data, scored from long answers, missing items handled by a named rule."""

from rtwcohort.instruments.declarations import INSTRUMENTS, get_instrument
from rtwcohort.instruments.instrument import CutOff, Instrument
from rtwcohort.instruments.job_strain import JobStrain, job_strain
from rtwcohort.instruments.score import classify, score
from rtwcohort.instruments.wide import long_from_wide
from rtwcohort.instruments.work_status import SITUATIONS, answered_work_status

__all__ = [
    "INSTRUMENTS",
    "SITUATIONS",
    "CutOff",
    "Instrument",
    "JobStrain",
    "answered_work_status",
    "classify",
    "get_instrument",
    "job_strain",
    "long_from_wide",
    "score",
]
