"""`rtwcohort rules`: the catalogue of return-to-work rules as text."""

from __future__ import annotations

import textwrap

from rtwcohort.outcomes.catalogue import NOT_COMPUTABLE, RULES, get_rule
from rtwcohort.outcomes.sentence import describe_rule

_WIDTH = 100


def rules_text(name: str | None = None) -> str:
    """Describe one rule of the catalogue, or list all with their sentence.

    Raises
    ------
    ArgumentError
        When no rule has this name; the nearest is suggested.
    """
    if name is None:
        return _all_rules()
    rule = get_rule(name)
    lines = [rule.name, f"Source: {rule.source}", "", describe_rule(rule)]
    if rule.horizon_days is not None:
        lines += ["", f"Published horizon: {rule.horizon_days} days."]
    if rule.assumptions:
        lines += ["", "Readings chosen where the source leaves something open:"]
        lines += [f"- {assumption}" for assumption in rule.assumptions]
    return "\n".join(_wrapped(line) for line in lines)


def _all_rules() -> str:
    lines = [f"{len(RULES)} rules; `rtwcohort rules NAME` tells a rule's source and readings.", ""]
    for rule in RULES.values():
        lines += [rule.name, textwrap.indent(_wrapped(describe_rule(rule)), "    ")]
    lines += ["", f"{len(NOT_COMPUTABLE)} published definitions cannot be computed from a benefit register:"]
    for item in NOT_COMPUTABLE:
        lines.append(_wrapped(f"- {item.study}, {item.outcome}: {item.reason}"))
    return "\n".join(lines)


def _wrapped(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, _WIDTH, subsequent_indent=indent) if line else ""
