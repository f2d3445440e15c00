"""What a synthesis refuses, and the counted lines that it leaves behind."""

from __future__ import annotations

from typing import Final

from rtwcohort.errors import RegisterError

LEAST_CELL: Final = 10
"""People behind every fitted parameter, unless asked otherwise."""
FLOOR_CELL: Final = 5
"""The lowest that can be asked for."""
LEAST_PEOPLE: Final = 200
LEAST_EVENTS: Final = 50
"""Of people who left sickness benefit during follow-up."""


def bounded(count: int, least: int) -> str:
    """Write a count of people, small ones only as a bound."""
    return str(count) if count == 0 or count >= least else f"fewer than {least}"


def check_size(people: int, left: int) -> None:
    """Raise `RegisterError` for a register too small to hide anybody in."""
    if people < LEAST_PEOPLE:
        raise RegisterError(
            f"`register` must have at least {LEAST_PEOPLE} people to be synthesised; it has {people} with follow-up. "
            "In fewer, aggregates describe persons. Add people, or make data from a scenario: `simulate_register`."
        )
    if left < LEAST_EVENTS:
        raise RegisterError(
            f"`register` must have at least {LEAST_EVENTS} people who leave sickness benefit during follow-up, for its "
            "hazards to be estimated; it has fewer. Extend `data_end` or add people, or make data from a scenario: "
            "`simulate_register`."
        )
