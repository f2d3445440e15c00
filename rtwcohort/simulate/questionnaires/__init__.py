"""Questionnaires with known truth: items drawn so that scores have the declared mean, spread and reliability."""

from rtwcohort.simulate.questionnaires.baseline import draw_baseline
from rtwcohort.simulate.questionnaires.check import answer_targets, check_answers, covariates_needed
from rtwcohort.simulate.questionnaires.complete import draw_complete
from rtwcohort.simulate.questionnaires.declaration import (
    Answers,
    Change,
    Correlation,
    Depends,
    MissingOn,
    Score,
    Wave,
)
from rtwcohort.simulate.questionnaires.waves import draw_waves
from rtwcohort.simulate.questionnaires.work_status import draw_work_status

__all__ = [
    "Answers",
    "Change",
    "Correlation",
    "Depends",
    "MissingOn",
    "Score",
    "Wave",
    "answer_targets",
    "check_answers",
    "covariates_needed",
    "draw_baseline",
    "draw_complete",
    "draw_waves",
    "draw_work_status",
]
