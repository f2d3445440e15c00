"""A simulated register as measures see it: the register, who is in which arm, and what has been computed already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import ScenarioError
from rtwcohort.outcomes import Timeline, build_timeline, get_rule, return_to_work, rule_from_mapping
from rtwcohort.register.register import Register
from rtwcohort.simulate.population.conditions import holds
from rtwcohort.simulate.population.people import People
from rtwcohort.simulate.portable import Floats, Ints
from rtwcohort.simulate.scenarios.declaration import Scenario

Bools = npt.NDArray[np.bool_]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated register and what is known about it.

    Attributes
    ----------
    scenario
        What it was made from.
    register
        As a user has it.
    people
        Who they are.
    covariates
        Name -> complete values, shape (n,).
    scores
        Score -> wave -> complete values, shape (n,); empty without a status.
    cache
        What has been computed, by what was asked.
    """

    scenario: Scenario
    register: Register
    people: People
    covariates: Mapping[str, Floats]
    scores: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> Ints:
        """Identifiers in the order of all arrays of shape (n,)."""
        return np.asarray(self.scenario.first_id + self.people.person)


def once(simulated: Simulated, what: str, options: Mapping[str, Any], compute: Callable[[], Value]) -> Value:
    """Return what `compute` gives, computed the first time it is asked for."""
    key = f"{what} {json.dumps(options, sort_keys=True, default=str)}"
    if key not in simulated.cache:
        simulated.cache[key] = compute()
    found: Value = simulated.cache[key]
    return found


def index_frame(simulated: Simulated) -> pd.DataFrame:
    """Return person_id and index_date of everybody."""
    days = simulated.people.index.astype("datetime64[D]").astype("datetime64[s]")
    return pd.DataFrame({"person_id": simulated.ids, "index_date": days})


def chosen_people(simulated: Simulated, arm: str | None, among: str | list[str] = ()) -> Bools:  # type: ignore[assignment]
    """Return who is meant, shape (n,): the arm, and every condition.

    Parameters
    ----------
    arm
        Name of an arm; None is everybody.
    among
        Conditions on covariates: "sex=female" (a category), "age >= 50" (a number).
    """
    mask = np.ones(len(simulated.people), dtype=np.bool_)
    if arm is not None:
        mask &= simulated.people.arm == simulated.scenario.population.arm_names.index(arm)
    for condition in [among] if isinstance(among, str) else among:
        mask &= holds(simulated.covariates, condition, argument="among")
    if not mask.any():
        raise ScenarioError(
            f"nobody is in {f'arm {arm!r}' if arm else 'the register'}{f' with {among}' if among else ''}; "
            "simulate more people."
        )
    return mask


def outcome(simulated: Simulated, rule: str | dict[str, Any], horizon: int) -> tuple[Ints, Bools]:
    """Return time and event under a rule, shape (n,), as `return_to_work` finds them."""
    chosen = rule_from_mapping(rule) if isinstance(rule, dict) else get_rule(rule)

    def compute() -> tuple[Ints, Bools]:
        frame = return_to_work(simulated.register, chosen, horizon=int(horizon), index=index_frame(simulated)).frame
        return frame["time"].to_numpy(dtype=np.int64), frame["event"].to_numpy(dtype=np.bool_)

    return once(simulated, "outcome", {"rule": rule, "horizon": horizon}, compute)


def timeline(simulated: Simulated, benefits: list[str] | None = None) -> Timeline:
    """Return the timeline of everybody, over all days."""
    return once(
        simulated, "timeline", {"benefits": benefits}, lambda: build_timeline(simulated.register, benefits=benefits)
    )


def covered(simulated: Simulated, day: int) -> Bools:
    """Return who is alive, resident and inside the data on a day after the index date, shape (n,)."""
    from rtwcohort.core.days import MISSING_DAY, day_of, to_days

    at = simulated.people.index + day
    known = at <= day_of(simulated.register.data_end, argument="data_end")
    for column in ("death_date", "emigration_date"):
        gone = to_days(simulated.register.persons[column]).astype(np.int64)
        known &= (gone == MISSING_DAY) | (gone > at)
    return np.asarray(known)


def on_benefits(simulated: Simulated, benefits: list[str], day: int) -> Bools:
    """Return who is on one of some benefits on a day after the index date, shape (n,)."""
    from rtwcohort.core.days import MISSING_DAY, to_days

    table = simulated.register.benefits
    rows = table["benefit"].isin(benefits).to_numpy()
    position = (table["person_id"].to_numpy(dtype=np.int64) - simulated.scenario.first_id)[rows]
    start = to_days(table["start"]).astype(np.int64)[rows]
    end = to_days(table["end"]).astype(np.int64)[rows]
    at = simulated.people.index[position] + day
    here = (start <= at) & ((end == MISSING_DAY) | (at <= end))
    out = np.zeros(len(simulated.people), dtype=np.bool_)
    out[position[here]] = True
    return out
