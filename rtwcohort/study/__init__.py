"""A study file read, its steps run in order, and every result kept with its provenance."""

from rtwcohort.study.read import Study, read_study

__all__ = ["Study", "read_study"]
