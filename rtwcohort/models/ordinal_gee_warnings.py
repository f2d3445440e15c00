"""Warnings of ordinal GEE, each with its own class."""

from __future__ import annotations

from rtwcohort.errors import RtwCohortWarning


class FewClustersWarning(RtwCohortWarning):
    """There are few clusters, and no correction of the robust variance was asked for."""


class WaveWeightsWarning(RtwCohortWarning):
    """Weights differ between the waves of a person and the working association is not independence."""
