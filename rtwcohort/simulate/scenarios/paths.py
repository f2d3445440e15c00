"""Numbers inside a scenario by their path, such as `process.transitions[return].per_day`."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import RtwCohortError, ScenarioError

_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[([^\]]+)\]")
_LABELS: Final = ("group", "arm", "term", "name", "id")

Step = tuple[str, bool]


def get_value(scenario: Any, path: str) -> float:
    """Return the number at a path; 1 for a whole base hazard, whose factor it is."""
    found = _find(scenario, _steps(path), path)
    value = found[0]
    if _is_number(value):
        if any(other != value for other in found[1:]):
            raise ScenarioError(f"`{path}` names several numbers that differ: {found}. Name one by its number.")
        return float(value)
    if all(_is_pieces(item) for item in found):
        return 1.0
    raise ScenarioError(
        f"`{path}` must lead to a number, or to pieces (from, value) that get a common factor; it leads to "
        f"{type(value).__name__}."
    )


def set_value(scenario: Any, path: str, value: float) -> Any:
    """Return a copy of the scenario with the number at a path replaced; pieces are multiplied by it.

    Raises
    ------
    ScenarioError
        When the path leads nowhere, or the value breaks a rule of the scenario.
    """
    try:
        return _change(scenario, _steps(path), float(value), path)
    except ScenarioError:
        raise
    except RtwCohortError as error:
        raise ScenarioError(f"`{path}` cannot be {value:.6g}: {error}") from error


def written(scenario: Any, path: str) -> list[str]:
    """Return what stands at a path as it is written in TOML, one line for each place that the path names."""
    found = _find(scenario, _steps(path), path)
    return [f"{path} = {_literal(value)}" for value in found]


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return f"{value:.6g}" if _is_number(value) else json.dumps(str(value))


def _steps(path: str) -> list[Step]:
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ScenarioError(
                f"the path `{path}` must be names, dots and [brackets]; it is not at position {at + 1}."
            )
        steps.append((match.group(1) or match.group(2), match.group(1) is None))
        at = match.end()
    if not steps:
        raise ScenarioError("a path must name something; got an empty text.")
    return steps


def _find(item: Any, steps: list[Step], path: str) -> list[Any]:
    if not steps:
        return [item]
    found: list[Any] = []
    for key in _keys(item, steps[0], path):
        found += _find(_child(item, key), steps[1:], path)
    return found


def _change(item: Any, steps: list[Step], value: float, path: str) -> Any:
    if not steps:
        return _changed(item, value, path)
    keys = _keys(item, steps[0], path)
    new = {key: _change(_child(item, key), steps[1:], value, path) for key in keys}
    if is_dataclass(item) and not isinstance(item, type):
        return replace(item, **new)
    if isinstance(item, dict):
        return {**item, **new}
    return tuple(new.get(position, child) for position, child in enumerate(item))


def _changed(item: Any, value: float, path: str) -> Any:
    if _is_number(item):
        return round(value) if isinstance(item, int) and value == round(value) else value
    if _is_pieces(item):
        return tuple((start, rate * value) for start, rate in item)
    raise ScenarioError(f"`{path}` must lead to a number or to pieces (from, value).")


def _keys(item: Any, step: Step, path: str) -> list[Any]:
    name, bracket = step
    if is_dataclass(item):
        known = [entry.name for entry in fields(item)]
        return [name] if name in known else _nowhere(path, name, known)
    if isinstance(item, dict):
        return [name] if name in item else _nowhere(path, name, list(item))
    if isinstance(item, tuple) and bracket:
        if name.lstrip("-").isdigit():
            position = int(name)
            return [position] if 0 <= position < len(item) else _nowhere(path, name, [f"0 to {len(item) - 1}"])
        labels = [_labels(entry) for entry in item]
        matching = [position for position, own in enumerate(labels) if name in own]
        return matching or _nowhere(path, name, sorted({label for own in labels for label in own}))
    return _nowhere(path, name, [])


def _labels(entry: Any) -> list[str]:
    return [str(getattr(entry, label)) for label in _LABELS if getattr(entry, label, None) is not None]


def _child(item: Any, key: Any) -> Any:
    return getattr(item, key) if is_dataclass(item) else item[key]


def _nowhere(path: str, name: str, known: list[str]) -> list[Any]:
    there = f" There are: {', '.join(known)}." if known else ""
    raise ScenarioError(f"the path `{path}` leads nowhere at '{name}'.{did_you_mean(name, known)}{there}")


def _is_number(item: Any) -> bool:
    return isinstance(item, (int, float)) and not isinstance(item, bool)


def _is_pieces(item: Any) -> bool:
    return (
        isinstance(item, tuple)
        and len(item) > 0
        and all(isinstance(pair, tuple) and len(pair) == 2 and _is_number(pair[1]) for pair in item)
    )
