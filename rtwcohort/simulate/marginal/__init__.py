"""Outcomes whose marginal effects are set: ordered status, time to return, risks, cluster trials and counts."""

from rtwcohort.simulate.marginal.association import Association
from rtwcohort.simulate.marginal.ordered import draw_ordered, draw_ordered_repeated, thresholds_for
from rtwcohort.simulate.marginal.status import LaterStatus, RepeatedStatus, StatusDraw, StatusEffect, draw_status

__all__ = [
    "Association",
    "LaterStatus",
    "RepeatedStatus",
    "StatusDraw",
    "StatusEffect",
    "draw_ordered",
    "draw_ordered_repeated",
    "draw_status",
    "thresholds_for",
]
