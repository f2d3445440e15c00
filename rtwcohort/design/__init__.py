"""Formula to named full-rank matrix; responses checked once."""

from rtwcohort.design.design import Design, DesignInfo, build_design
from rtwcohort.design.response import SurvNames, SurvResponse, check_survival, parse_surv
from rtwcohort.design.terms import formula_from_terms

__all__ = [
    "Design",
    "DesignInfo",
    "SurvNames",
    "SurvResponse",
    "build_design",
    "check_survival",
    "formula_from_terms",
    "parse_surv",
]
