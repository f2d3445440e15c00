"""Timelines of states, rules of return to work, work status, absence days and relapse."""

from rtwcohort.outcomes.catalogue import DEFINITIONS, NOT_COMPUTABLE, RULES, NotComputable, get_rule
from rtwcohort.outcomes.result import RtwOutcome
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.rule import RtwRule

__all__ = [
    "DEFINITIONS",
    "NOT_COMPUTABLE",
    "RULES",
    "NotComputable",
    "RtwOutcome",
    "RtwRule",
    "get_rule",
    "return_to_work",
]
