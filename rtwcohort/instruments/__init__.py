"""Questionnaires: declared once as data, scored from long answers, missing items handled by a named rule."""

from rtwcohort.instruments.catalogue import instrument_catalogue
from rtwcohort.instruments.declarations import INSTRUMENTS, get_instrument
from rtwcohort.instruments.instrument import CutOff, Instrument, Reliability
from rtwcohort.instruments.job_strain import JobStrain, job_strain
from rtwcohort.instruments.named import NAMED, NamedScale
from rtwcohort.instruments.options import OPTIONS, ScoringOption
from rtwcohort.instruments.score import classify, score
from rtwcohort.instruments.score_instrument import Scores, score_instrument
from rtwcohort.instruments.wide import long_from_wide
from rtwcohort.instruments.work_status import SITUATIONS, answered_work_status

__all__ = [
    "INSTRUMENTS",
    "NAMED",
    "OPTIONS",
    "SITUATIONS",
    "CutOff",
    "Instrument",
    "JobStrain",
    "NamedScale",
    "Reliability",
    "Scores",
    "ScoringOption",
    "answered_work_status",
    "classify",
    "get_instrument",
    "instrument_catalogue",
    "job_strain",
    "long_from_wide",
    "score",
    "score_instrument",
]
