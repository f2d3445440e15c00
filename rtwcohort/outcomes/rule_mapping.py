"""A rule from a table of a study file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.catalogue import get_rule
from rtwcohort.outcomes.rule import RtwRule

KEYS = tuple(field.name for field in fields(RtwRule))


def rule_from_mapping(table: Mapping[str, Any]) -> RtwRule:
    """Return the rule that a table declares.

    Parameters
    ----------
    table
        Fields of `RtwRule`. With `base`, the name of a catalogue rule, they replace that rule's; the name
        is then the base's with "_changed", unless `name` is given. What follows from another field is
        worked out anew: a new `hold` takes its own default calendar, a new `event_date` its own confirmation.

    Raises
    ------
    ArgumentError
        When a key is unknown (the nearest is suggested), `name` is missing, or the rule breaks its own rules.

    Examples
    --------
    >>> rule_from_mapping({"base": "gismervik_2020", "length": 8}).name
    'gismervik_2020_changed'
    """
    if not isinstance(table, Mapping):
        raise ArgumentError(f"`rule` must be a name or a table; got {type(table).__name__}.")
    known = ("base", *KEYS)
    for key in table:
        if key not in known:
            raise ArgumentError(
                f"`rule` has no key '{key}'.{did_you_mean(str(key), known)} Its keys are: {', '.join(known)}."
            )
    given = {key: value for key, value in table.items() if key != "base"}
    if "base" in table:
        return _changed(get_rule(table["base"]), given)
    if "name" not in given:
        raise ArgumentError("`rule` must have a `name`, or a `base` from the catalogue; got neither.")
    return RtwRule(**{"source": "study file", **given})


def _changed(base: RtwRule, given: dict[str, Any]) -> RtwRule:
    if not given:
        return base
    changes = {
        "name": f"{base.name}_changed",
        "source": f"{base.source}; changed: {', '.join(sorted(given))}",
        **given,
    }
    if "hold" in given and given["hold"] != base.hold:
        changes = {"calendar": None, "at": (), "max_grade": None, "min_work_share": None, **changes}
    if "event_date" in given:
        changes.setdefault("confirmation", None)
    return replace(base, **changes)
