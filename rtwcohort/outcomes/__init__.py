"""Timelines of states, rules of return to work, work status, absence days and relapse."""

from rtwcohort.outcomes.absence_days import absence_days
from rtwcohort.outcomes.catalogue import DEFINITIONS, NOT_COMPUTABLE, RULES, NotComputable, get_rule
from rtwcohort.outcomes.diagram import draw_timeline
from rtwcohort.outcomes.relapse import relapse
from rtwcohort.outcomes.result import RtwOutcome
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.rule_mapping import rule_from_mapping
from rtwcohort.outcomes.sentence import describe_rule
from rtwcohort.outcomes.timeline import Timeline, TimelinePeople, build_timeline
from rtwcohort.outcomes.work_status import work_status

__all__ = [
    "DEFINITIONS",
    "NOT_COMPUTABLE",
    "RULES",
    "NotComputable",
    "RtwOutcome",
    "RtwRule",
    "Timeline",
    "TimelinePeople",
    "absence_days",
    "build_timeline",
    "describe_rule",
    "draw_timeline",
    "get_rule",
    "relapse",
    "return_to_work",
    "rule_from_mapping",
    "work_status",
]
