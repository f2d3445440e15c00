"""Argument checks with messages that name the argument, the rule, what came and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import SupportsFloat

from rtwcohort.errors import ArgumentError


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest known name, or an empty string.

    Parameters
    ----------
    name
        What came.
    known
        The names that exist.

    Returns
    -------
    str
        Empty when nothing is near enough to be worth suggesting.
    """
    names = [str(item) for item in known]
    lowered = {item.lower(): item for item in reversed(names)}
    close = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean '{lowered[close[0]]}'?" if close else ""


def check_choice(value: object, choices: Sequence[str], *, argument: str) -> None:
    """Raise `ArgumentError` unless `value` is one of `choices`."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        hint = did_you_mean(value, choices) if isinstance(value, str) else ""
        raise ArgumentError(f"`{argument}` must be one of {listed}; got {value!r}.{hint}")


def check_number(
    value: object,
    *,
    argument: str,
    least: float | None = None,
    most: float | None = None,
    whole: bool = False,
) -> None:
    """Raise `ArgumentError` unless `value` is a number within `[least, most]`."""
    if _is_within(value, least, most) and (not whole or float(value) % 1 == 0):  # type: ignore[arg-type]
        return
    kind = "a whole number" if whole else "a number"
    bounds = {
        (True, True): f" from {least} to {most}",
        (True, False): f" of at least {least}",
        (False, True): f" of at most {most}",
        (False, False): "",
    }[(least is not None, most is not None)]
    raise ArgumentError(f"`{argument}` must be {kind}{bounds}; got {value!r}.")


def _is_within(value: object, least: float | None, most: float | None) -> bool:
    if isinstance(value, (bool, str)) or not isinstance(value, SupportsFloat):
        return False
    number = float(value)
    return not (number != number or (least is not None and number < least) or (most is not None and number > most))


def check_columns(present: Iterable[str], required: Iterable[str], *, argument: str) -> None:
    """Raise `ArgumentError` naming the first missing column and the nearest present one."""
    columns = [str(column) for column in present]
    for name in required:
        if name not in columns:
            listed = ", ".join(columns) or "none"
            raise ArgumentError(
                f"`{argument}` has no column '{name}'.{did_you_mean(name, columns)} Its columns are: {listed}."
            )
