"""Arrays to estimates: Cox regression, survival curves, log-rank test, cumulative incidence."""

from rtwcohort.core.control import Control
from rtwcohort.models.count import fit_count
from rtwcohort.models.cox import CoxFit, fit_cox, fit_cox_arrays
from rtwcohort.models.cox_profile import profile_intervals
from rtwcohort.models.curve_input import RiskSetGapWarning
from rtwcohort.models.curves import Curves, kaplan_meier
from rtwcohort.models.gee_binary import fit_gee
from rtwcohort.models.glm import fit_logistic
from rtwcohort.models.glm_fit import GlmFit
from rtwcohort.models.hazard import HazardCurves, nelson_aalen
from rtwcohort.models.incidence import CumulativeIncidence, cumulative_incidence
from rtwcohort.models.logrank import LogRank, TrendTest, log_rank
from rtwcohort.models.newton import MonotoneLikelihoodWarning
from rtwcohort.models.quantile import fit_quantile
from rtwcohort.models.rmst import RestrictedMean, restricted_mean

__all__ = [
    "Control",
    "CoxFit",
    "CumulativeIncidence",
    "Curves",
    "GlmFit",
    "HazardCurves",
    "LogRank",
    "MonotoneLikelihoodWarning",
    "RestrictedMean",
    "RiskSetGapWarning",
    "TrendTest",
    "cumulative_incidence",
    "fit_count",
    "fit_cox",
    "fit_cox_arrays",
    "fit_gee",
    "fit_logistic",
    "fit_quantile",
    "kaplan_meier",
    "log_rank",
    "nelson_aalen",
    "profile_intervals",
    "restricted_mean",
]
