"""A scenario: everything that a simulated register is made from, and the published figures that it must meet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ArgumentError, ScenarioError
from rtwcohort.simulate.marginal.status import RepeatedStatus
from rtwcohort.simulate.population.declaration import Population
from rtwcohort.simulate.process.certificates import Certificates
from rtwcohort.simulate.process.declaration import Process
from rtwcohort.simulate.questionnaires import Answers

if TYPE_CHECKING:
    from collections.abc import Sequence

TargetKind = Literal[
    "percent", "median", "mean", "quantile", "difference", "hr", "or", "rr", "rd", "coefficient", "direction"
]

EVIDENCE: Final = ("estimates", "arm_outcomes", "register_facts", "baseline_hernes", "studies", "published_elsewhere")
"""Tables of published figures that a target may name before the colon."""

CONTRASTS: Final = ("rr", "or", "rd", "difference", "direction")
"""Kinds that compare the arm with the arm `against`; an "or" may also be an estimator's."""

DIRECTIONS: Final = (-1.0, 0.0, 1.0)
"""Values of a "direction": less than `against`, no difference, more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A published figure and how to measure it on the simulated register.

    Attributes
    ----------
    id
        Short name, once in a scenario.
    evidence
        Where the figure was published: table, a colon and the row, such as "estimates:hernes_gee_uni_age" or
        "arm_outcomes:study/arm/outcome/horizon".
    kind
        What sort of number it is, which decides what agreement means: see `fidelity`.
    measure
        `name` of a measure or an estimator, and its options.
    value
        The published figure; percentages from 0 to 100, ratios as ratios. Of a "direction", where only words were
        published: 1 more than `against`, -1 less, 0 no difference.
    low, high
        Its published interval, where there is one.
    arm, against
        The arm it is about (None: everybody), and the one it is compared with.
    within
        Another margin of agreement: points for percentages, else a share of the value.
    why_not
        Why it cannot agree, when it is known that it cannot: printed, and the target no longer counts in `ok`.
    note
        Anything else.
    """

    id: str
    evidence: str
    kind: TargetKind
    measure: dict[str, Any]
    value: float
    low: float | None = None
    high: float | None = None
    arm: str | None = None
    against: str | None = None
    within: float | None = None
    why_not: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        table, _, row = self.evidence.partition(":")
        if table not in EVIDENCE or not row:
            raise ScenarioError(
                f"`evidence` must be a table and a row, such as 'estimates:hernes_gee_uni_age', with the table one of "
                f"{', '.join(EVIDENCE)}; got {self.evidence!r}.{did_you_mean(table, EVIDENCE)}"
            )
        if not isinstance(self.measure.get("name"), str):
            raise ScenarioError("`measure` must hold the `name` of a measure.")
        for name in ("value", "low", "high"):
            _check_possible(self.kind, getattr(self, name), name)
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ScenarioError(f"`value` must lie between `low` and `high`; got {self.value!r}.")
        if self.against is not None and self.kind not in CONTRASTS:
            raise ScenarioError(f"`against` is for the kinds {', '.join(CONTRASTS)}; this target is a '{self.kind}'.")
        if self.within is not None and self.within <= 0:
            raise ScenarioError(f"`within` must be above 0; got {self.within!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """A number of the scenario that calibration may change.

    Attributes
    ----------
    path
        Where it stands: "process.transitions[return].per_day" is the base hazard of every transition of the group
        `return`, `process.transitions[0].per_day[2][1]` the rate of one piece. In brackets stands a number, or the
        group, arm, term, name or id of an entry.
    low, high
        Bounds of the value; for a whole base hazard, of the factor that it is multiplied by.
    scale
        Search on the logarithm or on the value itself.
    targets
        Ids of targets that it is meant to serve; () is all. Only for the reader.
    """

    path: str
    low: float
    high: float
    scale: Literal["log", "linear"] = "log"
    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ScenarioError(f"`low` must be below `high`; got {self.low!r} and {self.high!r} for '{self.path}'.")
        if self.scale == "log" and self.low <= 0:
            raise ScenarioError(f"`low` must be above 0 on the log scale; got {self.low!r} for '{self.path}'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People who meet conditions on numbers, categories and baseline scores: a covariate of 0 and 1.

    Attributes
    ----------
    name
        As a term of hazards and in models; no other covariate may have it.
    where
        Conditions that must all hold: "dcsq_demands > 13" (a number or score), "sex=female" (a category).
    """

    name: str
    where: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.name.replace("_", "").isalnum():
            raise ScenarioError(f"`name` of a group must hold letters, digits and underscores only; got {self.name!r}.")
        if not self.where:
            raise ScenarioError(f"`where` of the group '{self.name}' must hold at least one condition.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A register to be simulated.

    Attributes
    ----------
    name, title, description
        Short name, words for a heading, a paragraph.
    kind
        "cohort": people enter on their index date, on the benefit that `population.start` gives, and have an
        enrolment table. "population": everybody is followed from `enrolment[0]`, in the state that `population.start`
        gives, and nobody is enrolled.
    studies
        The studies it stands for, as the evidence names them.
    n
        People, unless another number is asked for.
    enrolment
        First and last index date, inclusive.
    data_end
        Last day that the register knows.
    follow_up_days
        Days after the index date that the studies followed people; the register goes on to `data_end`.
    burn_in_days
        For populations: the process runs so many days before `enrolment[0]`, and rows that ended before it are left
        out.
    population, process, certificates, answers, status
        Who the people are; how they move; how absences are written in the register; what they answer; a status asked
        in the questionnaires whose marginal effects are set.
    groups
        Covariates of 0 and 1 from conditions on the others, such as high demands from the score of a questionnaire.
    targets, free
        Published figures, and what calibration may change.
    first_id
        Identifier of the first person; the others follow.
    """

    name: str
    title: str
    n: int
    enrolment: tuple[dt.date, dt.date]
    data_end: dt.date
    population: Population
    process: Process
    description: str = ""
    kind: Literal["cohort", "population"] = "cohort"
    studies: tuple[str, ...] = ()
    follow_up_days: int = 365
    burn_in_days: int = 0
    certificates: Certificates = field(default_factory=Certificates)
    answers: Answers | None = None
    status: RepeatedStatus | None = None
    groups: tuple[Group, ...] = ()
    targets: tuple[Target, ...] = ()
    free: tuple[Free, ...] = ()
    first_id: int = 10001
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        _check_sizes(self)
        _check_dates(self)
        ids = [target.id for target in self.targets]
        if len(set(ids)) < len(ids):
            raise ScenarioError(f"`targets` must have each id once; '{_repeated(ids)}' comes twice.")

    def target(self, name: str) -> Target:
        """Return the target with an id."""
        for target in self.targets:
            if target.id == name:
                return target
        ids = [target.id for target in self.targets]
        raise ScenarioError(f"scenario '{self.name}' has no target '{name}'.{did_you_mean(name, ids)}")


def _check_possible(kind: str, value: float | None, name: str) -> None:
    if value is None:
        return
    if value != value or value in (float("inf"), float("-inf")):
        raise ScenarioError(f"`{name}` must be a finite number; got {value!r}.")
    if kind == "percent" and not 0 <= value <= 100:
        raise ScenarioError(f"`{name}` of a percentage must be from 0 to 100; got {value!r}. Correct the target.")
    if kind == "rd" and not -100 <= value <= 100:
        raise ScenarioError(f"`{name}` of a risk difference must be from -100 to 100 points; got {value!r}.")
    if kind == "direction" and value not in DIRECTIONS:
        raise ScenarioError(f"`{name}` of a direction must be 1 (more), 0 (no difference) or -1 (less); got {value!r}.")
    if kind in ("hr", "or", "rr") and value <= 0:
        raise ScenarioError(f"`{name}` of a ratio must be above 0; got {value!r}. A log ratio is a 'coefficient'.")


def _check_sizes(scenario: Scenario) -> None:
    if not scenario.name.replace("_", "").isalnum():
        raise ScenarioError(f"`name` must hold letters, digits and underscores only; got {scenario.name!r}.")
    for name, least in (("n", 1), ("follow_up_days", 1), ("burn_in_days", 0), ("first_id", 1)):
        value = getattr(scenario, name)
        if value < least:
            raise ScenarioError(f"`{name}` must be at least {least}; got {value!r}.")
    if scenario.burn_in_days and scenario.kind != "population":
        raise ScenarioError('`burn_in_days` is for `kind = "population"`; a cohort begins on its index dates.')


def _check_dates(scenario: Scenario) -> None:
    first, last = scenario.enrolment
    if first > last:
        raise ScenarioError(f"`enrolment` must not end before it begins; got {first} to {last}.")
    if scenario.data_end <= last:
        raise ScenarioError(f"`data_end` must be after the last index date, {last}; got {scenario.data_end}.")


def check_scenario(scenario: object) -> None:
    """Raise `ArgumentError` unless this is a `Scenario`, and not a name or path that is still to be read."""
    if isinstance(scenario, Scenario):
        return
    if isinstance(scenario, str | Path):
        raise ArgumentError(
            f"`scenario` must be a Scenario; got {scenario!r}. Read it: load_scenario({str(scenario)!r})."
        )
    raise ArgumentError(f"`scenario` must be a Scenario, as load_scenario gives it; got {type(scenario).__name__}.")


def _repeated(names: Sequence[str]) -> str:
    return next(name for name in names if names.count(name) > 1)
