"""Questionnaires: declared once as data, scored from long answers, missing items handled by a named rule."""

from rtwcohort.instruments.declarations import INSTRUMENTS, get_instrument
from rtwcohort.instruments.instrument import CutOff, Instrument

__all__ = ["INSTRUMENTS", "CutOff", "Instrument", "get_instrument"]
