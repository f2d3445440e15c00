"""The cohort: index dates, eligibility in order, follow-up, baseline covariates and a flow that adds up."""

from rtwcohort.cohort.build import build_cohort
from rtwcohort.cohort.cohort import Cohort, Counted, FlowStep, Variable
from rtwcohort.cohort.covariates import COVARIATE_NAMES, COVARIATES
from rtwcohort.cohort.eligibility import ELIGIBILITY, Requirement
from rtwcohort.cohort.flow import arm_counts, flow_frame, flow_words
from rtwcohort.cohort.index_date import IndexDate

__all__ = [
    "COVARIATES",
    "COVARIATE_NAMES",
    "ELIGIBILITY",
    "Cohort",
    "Counted",
    "FlowStep",
    "IndexDate",
    "Requirement",
    "Variable",
    "arm_counts",
    "build_cohort",
    "flow_frame",
    "flow_words",
]
