"""Outcomes whose marginal effects are set: ordered status, time to return, risks, cluster trials and counts."""

from rtwcohort.simulate.marginal.association import Association
from rtwcohort.simulate.marginal.baseline import Gompertz, Piecewise, Weibull
from rtwcohort.simulate.marginal.binary import BinaryDraw, BinaryModel, draw_binary, draw_outcome, solve_binary
from rtwcohort.simulate.marginal.cluster_trial import (
    BinaryOutcome,
    ClusterTrial,
    ContinuousOutcome,
    OrderedOutcome,
    TimeOutcome,
    draw_cluster_trial,
)
from rtwcohort.simulate.marginal.counts import CountDraw, draw_counts
from rtwcohort.simulate.marginal.hazards import Censoring, Hazard, SharedFrailty, dropout_rate
from rtwcohort.simulate.marginal.ordered import draw_ordered, draw_ordered_repeated, thresholds_for
from rtwcohort.simulate.marginal.randomise import randomise
from rtwcohort.simulate.marginal.status import LaterStatus, RepeatedStatus, StatusDraw, StatusEffect, draw_status
from rtwcohort.simulate.marginal.survival import ReturnTimes, draw_time_to_return, marginal_hazard_ratio
from rtwcohort.simulate.marginal.time_to_return import (
    Competing,
    ReturnEffect,
    TimeToReturn,
    draw_return,
    with_dropout_rate,
)

__all__ = [
    "Association",
    "BinaryDraw",
    "BinaryModel",
    "BinaryOutcome",
    "Censoring",
    "ClusterTrial",
    "Competing",
    "ContinuousOutcome",
    "CountDraw",
    "Gompertz",
    "Hazard",
    "LaterStatus",
    "OrderedOutcome",
    "Piecewise",
    "RepeatedStatus",
    "ReturnEffect",
    "ReturnTimes",
    "SharedFrailty",
    "StatusDraw",
    "StatusEffect",
    "TimeOutcome",
    "TimeToReturn",
    "Weibull",
    "draw_binary",
    "draw_cluster_trial",
    "draw_counts",
    "draw_ordered",
    "draw_ordered_repeated",
    "draw_outcome",
    "draw_return",
    "draw_status",
    "draw_time_to_return",
    "dropout_rate",
    "marginal_hazard_ratio",
    "randomise",
    "solve_binary",
    "thresholds_for",
    "with_dropout_rate",
]
