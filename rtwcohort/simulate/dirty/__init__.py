"""Registers made dirty on purpose: faults at set rates with the truth, files as they are found, scores of cleaning."""

from rtwcohort.simulate.dirty.declare import DIRT, DIRT_NAMES, PRESETS, Dirt, parse_faults
from rtwcohort.simulate.dirty.files import WrittenDirt, write_dirty
from rtwcohort.simulate.dirty.inject import Dirty, dirty
from rtwcohort.simulate.dirty.score import CleaningScore, score_cleaning

__all__ = [
    "DIRT",
    "DIRT_NAMES",
    "PRESETS",
    "CleaningScore",
    "Dirt",
    "Dirty",
    "WrittenDirt",
    "dirty",
    "parse_faults",
    "score_cleaning",
    "write_dirty",
]
