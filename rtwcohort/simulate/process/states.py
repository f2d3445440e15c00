"""The states of a person, in the order of their codes."""

from __future__ import annotations

from typing import Final

STATES: Final = (
    "work",
    "sick_full",
    "sick_graded",
    "aap",
    "aap_work",
    "disability_full",
    "disability_partial",
    "unemployed",
    "retired",
    "outside",
    "dead",
    "emigrated",
)
"""State number k is `STATES[k]`. `aap_work` is work assessment allowance beside part-time work; `outside` is neither
benefit nor job, so that the benefit register knows nothing of the person."""

SICK: Final = ("sick_full", "sick_graded")
"""Moves between these do not end an absence."""

GRADED: Final = ("sick_graded", "aap_work", "disability_partial")
"""States that carry a grade; these may move to themselves, which changes the grade."""

FINAL: Final = ("dead", "emigrated")
"""Nobody leaves these."""

FAMILIES: Final = (SICK, ("aap", "aap_work"), ("disability_full", "disability_partial"))
"""States between which the clock "absence" runs on. Every other state is alone in its family."""


def state_code(name: str) -> int:
    """Return the number of a state."""
    return STATES.index(name)
