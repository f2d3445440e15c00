"""Read a scenario from TOML: every fault is told with its key, the rule, what came and the way out."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import RtwCohortError, ScenarioError
from rtwcohort.simulate.scenarios.check import check_scenario
from rtwcohort.simulate.scenarios.declaration import Scenario

_SHOWN: Final = 8
_KINDS: Final = (
    ("integer", "a whole number"),
    ("number", "a number"),
    ("string", "a text"),
    ("boolean", "true or false"),
    ("dictionary", "a table"),
    ("dict", "a table"),
    ("object", "a table"),
    ("tuple", "a list"),
    ("array", "a list"),
    ("list", "a list"),
)


def scenario_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the package, sorted."""
    folder = resources.files("rtwcohort.simulate.scenarios")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def load_scenario(source: str | Path) -> Scenario:
    """Load a scenario.

    Parameters
    ----------
    source
        The name of one that comes with the package (see `scenario_names`), or the path of a TOML file.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        When there is no such scenario, the file is not TOML, or a key is unknown, missing, of the wrong type or
        against a rule. The message names the file, the key, the rule and what came.

    Examples
    --------
    >>> load_scenario("hernes_wpv").population.arm_names
    ('ordinary', 'workplace_visit')
    """
    name = str(source)
    if isinstance(source, str) and name in scenario_names():
        text = resources.files("rtwcohort.simulate.scenarios").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        return _parse(text, f"{name}.toml")
    path = Path(source)
    if not path.is_file():
        names = scenario_names()
        raise ScenarioError(
            f"There is no scenario '{name}', neither in the package nor as a file.{did_you_mean(name, names)} "
            f"The package has: {', '.join(names)}. A scenario of your own is a .toml file."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path.name} cannot be read as UTF-8 text ({type(error).__name__}).") from error
    return _parse(text, path.name)


def scenario_from_mapping(content: Mapping[str, Any], *, where: str = "scenario") -> Scenario:
    """Build a scenario from nested mappings, lists, numbers, texts and dates, as TOML gives them.

    Parameters
    ----------
    content
        Keys as the fields of `Scenario`.
    where
        What it is called in messages.

    Raises
    ------
    ScenarioError
        See `load_scenario`.
    """
    from pydantic import ValidationError

    text = json.dumps([content], default=_iso)
    try:
        scenario: Scenario = _adapter().validate_json(text, strict=True)[0]
    except ValidationError as error:
        raise ScenarioError(_explain(where, error)) from None
    except RtwCohortError as error:
        raise ScenarioError(f"{where}: {error}") from error
    check_scenario(scenario, where=where)
    return scenario


def _parse(text: str, where: str) -> Scenario:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(
            f"{where} is not valid TOML: {error}. Text needs quotation marks, a section its [brackets]."
        ) from error
    return scenario_from_mapping(content, where=where)


def _iso(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    raise ScenarioError(f"a scenario holds numbers, texts, dates, lists and tables; got {type(value).__name__}.")


@cache
def _adapter() -> Any:
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(list[Scenario], config=ConfigDict(extra="forbid"))


def _explain(where: str, error: Any) -> str:
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] != "unexpected_keyword_argument")
    found: list[str] = []
    for fault in faults:
        path = tuple(part for part in fault["loc"][1:] if not _is_union_tag(part))
        place = f"{where}, `{_dotted(path)}`" if path else where
        sentence = f"{place}: {_sentence(path, fault)}"
        if sentence not in found:
            found.append(sentence)
    more = f"\n... and {len(found) - _SHOWN} more." if len(found) > _SHOWN else ""
    return "\n".join(found[:_SHOWN]) + more


def _is_union_tag(part: str | int) -> bool:
    """Pydantic adds the tried type of a union to the path: 'str', 'tuple[str, ...]'."""
    return isinstance(part, str) and (part in {"str", "int", "float", "bool", "date"} or "[" in part)


def _dotted(path: tuple[str | int, ...]) -> str:
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def _sentence(path: tuple[str | int, ...], fault: Any) -> str:
    if fault["type"] == "unexpected_keyword_argument":
        known = _known_keys(path[:-1])
        place = f"[{_dotted(path[:-1])}]" if len(path) > 1 else "a scenario"
        return f"{place} has no key '{path[-1]}'.{did_you_mean(str(path[-1]), known)} It takes: {', '.join(known)}."
    if fault["type"] in ("missing", "missing_argument"):
        return "this key is missing and has no default."
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    message = fault["msg"].removeprefix("Input should be ")
    for word, ours in _KINDS:
        if message.startswith(("a ", "an ")) and word in message:
            message = ours
            break
    came = repr(fault["input"])
    return f"this must be {message}; got {came if len(came) < 80 else came[:77] + '...'}."


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    kind: Any = Scenario
    for part in path:
        if isinstance(part, int):
            continue
        if is_dataclass(kind):
            kind = get_type_hints(kind).get(str(part))
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        kind = _inside(kind)
    return [item.name for item in fields(kind)] if is_dataclass(kind) else []


def _inside(kind: Any) -> Any:
    """Look through optional types and tuples to the dataclass or dictionary in them."""
    if get_origin(kind) in (Union, UnionType):
        kind = next((item for item in get_args(kind) if item is not type(None)), None)
    if get_origin(kind) is tuple and get_args(kind) and is_dataclass(get_args(kind)[0]):
        return get_args(kind)[0]
    return kind
