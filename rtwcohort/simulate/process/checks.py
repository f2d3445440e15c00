"""Checks of declared hazards, ratios and shares, with messages that name rule, value and way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isfinite

from rtwcohort.core.checks import check_choice, check_number, did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.process.states import STATES


def as_names(value: str | Sequence[str]) -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value)


def check_states(value: str | Sequence[str], *, argument: str) -> None:
    """Raise `ArgumentError` unless every name is a state and there is one at least."""
    names = as_names(value)
    if not names:
        raise ArgumentError(f"`{argument}` must name a state; got none. States are: {', '.join(STATES)}.")
    for name in names:
        check_choice(name, STATES, argument=argument)


def check_finite(value: float, *, argument: str, least: float | None = None) -> None:
    """Raise `ArgumentError` unless `value` is a finite number of at least `least`."""
    check_number(value, argument=argument, least=least)
    if not isfinite(float(value)):
        raise ArgumentError(f"`{argument}` must be a finite number; got {value!r}.")


def check_pieces(
    pieces: Sequence[tuple[float, float]], *, argument: str, first: float | None = 0, what: str = "first day, rate"
) -> None:
    """Raise `ArgumentError` unless pieces (from, value) begin at `first`, go forwards and hold no negative value."""
    starts = [start for start, _ in pieces]
    begins = first is None or (bool(starts) and starts[0] == first)
    if not starts or not begins or any(b <= a for a, b in pairwise(starts)):
        rule = "that go forwards" if first is None else f"that begin at {first} and go forwards"
        raise ArgumentError(f"`{argument}` must be pieces ({what}) {rule}; their first values are {starts}.")
    for start, value in pieces:
        check_finite(start, argument=argument)
        check_finite(value, argument=f"value from {start:g} on of {argument}")
        if value < 0.0:
            raise ArgumentError(
                f"`{argument}` must hold no negative value, for a hazard cannot be below 0; "
                f"got {value!r} from {start} on. To switch it off, write 0."
            )


def check_days(pieces: Iterable[tuple[float, float]], *, argument: str) -> None:
    """Raise `ArgumentError` unless pieces begin on whole days."""
    for start, _ in pieces:
        check_number(start, argument=f"first day of a piece of {argument}", whole=True)


def check_shares(shares: Sequence[tuple[object, float]], *, argument: str) -> None:
    """Raise `ArgumentError` unless the shares are from 0 to 1, add up to 1 and name each thing once."""
    if not shares:
        raise ArgumentError(f"`{argument}` must hold pairs (what, share); got none.")
    total = 0.0
    for what, share in shares:
        check_number(share, argument=f"{argument}: share of {what!r}", least=0.0, most=1.0)
        total += float(share)
    if abs(total - 1.0) > 1e-6:
        raise ArgumentError(f"`{argument}` must be shares that add up to 1; they add up to {total:.6g}.")
    names = [what for what, _ in shares]
    if len(set(names)) < len(names):
        raise ArgumentError(f"`{argument}` must name each once; got {names}.")


def check_on(on: str | Sequence[str], *, argument: str) -> None:
    """Raise `ArgumentError` unless `on` names at least one group."""
    if not as_names(on):
        raise ArgumentError(f"`{argument}` must name at least one group of transitions; got none.")


def check_groups(on: str | Sequence[str], groups: Sequence[str], *, argument: str) -> None:
    """Raise `ArgumentError` when `on` names a group that no transition has."""
    for name in as_names(on):
        if name not in groups:
            raise ArgumentError(
                f"`{argument}` names the group '{name}', which no transition has.{did_you_mean(name, groups)} "
                f"Groups are: {', '.join(groups)}."
            )
