"""Arrays to estimates: Cox regression, survival curves, log-rank test, cumulative incidence."""

from rtwcohort.core.control import Control
from rtwcohort.models.cox import CoxFit, fit_cox, fit_cox_arrays
from rtwcohort.models.curve_input import RiskSetGapWarning
from rtwcohort.models.curves import Curves, kaplan_meier
from rtwcohort.models.hazard import HazardCurves, nelson_aalen
from rtwcohort.models.incidence import CumulativeIncidence, cumulative_incidence
from rtwcohort.models.logrank import LogRank, TrendTest, log_rank
from rtwcohort.models.newton import MonotoneLikelihoodWarning
from rtwcohort.models.rmst import RestrictedMean, restricted_mean

__all__ = [
    "Control",
    "CoxFit",
    "CumulativeIncidence",
    "Curves",
    "HazardCurves",
    "LogRank",
    "MonotoneLikelihoodWarning",
    "RestrictedMean",
    "RiskSetGapWarning",
    "TrendTest",
    "cumulative_incidence",
    "fit_cox",
    "fit_cox_arrays",
    "kaplan_meier",
    "log_rank",
    "nelson_aalen",
    "restricted_mean",
]
