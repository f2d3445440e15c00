"""Formula to named full-rank matrix; responses checked once."""

from rtwcohort.design.design import Design, DesignInfo, build_design
from rtwcohort.design.extras import Extras
from rtwcohort.design.outcome import (
    BinaryResponse,
    ContinuousResponse,
    CountResponse,
    OrdinalResponse,
    binary_response,
    continuous_response,
    count_response,
    ordinal_response,
)
from rtwcohort.design.response import SurvNames, SurvResponse, check_survival, parse_surv
from rtwcohort.design.terms import formula_from_terms

__all__ = [
    "BinaryResponse",
    "ContinuousResponse",
    "CountResponse",
    "Design",
    "DesignInfo",
    "Extras",
    "OrdinalResponse",
    "SurvNames",
    "SurvResponse",
    "binary_response",
    "build_design",
    "check_survival",
    "continuous_response",
    "count_response",
    "formula_from_terms",
    "ordinal_response",
    "parse_surv",
]
