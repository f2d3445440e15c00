"""Arrays to estimates: Cox regression, survival curves, log-rank test, cumulative incidence."""

from rtwcohort.core.control import Control
from rtwcohort.models.cox import CoxFit, fit_cox, fit_cox_arrays
from rtwcohort.models.curves import Curves, kaplan_meier
from rtwcohort.models.incidence import CumulativeIncidence, cumulative_incidence
from rtwcohort.models.logrank import LogRank, log_rank
from rtwcohort.models.newton import MonotoneLikelihoodWarning

__all__ = [
    "Control",
    "CoxFit",
    "CumulativeIncidence",
    "Curves",
    "LogRank",
    "MonotoneLikelihoodWarning",
    "cumulative_incidence",
    "fit_cox",
    "fit_cox_arrays",
    "kaplan_meier",
    "log_rank",
]
