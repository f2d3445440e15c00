"""What changes the hazards of groups of transitions: covariates, arms, frailty, clusters, earlier spells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.process.checks import check_finite, check_on

Names = tuple[str, ...] | str

_STRICT: Final = {"extra": "forbid"}
_LARGEST_LOG_HR: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A log hazard ratio of a covariate on groups of transitions: `log_hr * (x - centre) / per`.

    `term` is a name in `Inputs.covariates`, or "age_now": whole years of age on the day.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    on: Names
    term: str
    log_hr: float
    per: float = 1.0
    centre: float = 0.0

    def __post_init__(self) -> None:
        """Refuse units and ratios that cannot be."""
        check_on(self.on, argument="on")
        check_number(self.log_hr, argument=f"log_hr of '{self.term}'", least=-_LARGEST_LOG_HR, most=_LARGEST_LOG_HR)
        check_number(self.per, argument=f"per of '{self.term}'", least=1e-9)
        check_finite(self.centre, argument=f"centre of '{self.term}'")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmEffect:
    """The log hazard ratio of an arm against the others, after the index date.

    Attributes
    ----------
    on, arm
        Groups of transitions; the arm's name as in `Inputs.arms`.
    log_hr
        At full strength.
    delay
        Days after the index date before it begins.
    until
        Days after the index date from which there is none; None: it stays.
    half_life
        Days in which the log hazard ratio halves once it has begun, in weekly steps (value of the middle of the
        week); None: it does not wane.
    interaction, interaction_log_hr, interaction_centre
        A covariate x that changes it: the log hazard ratio is `log_hr + interaction_log_hr * (x - interaction_centre)`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    on: Names
    arm: str
    log_hr: float
    delay: int = 0
    until: int | None = None
    half_life: float | None = None
    interaction: str | None = None
    interaction_log_hr: float = 0.0
    interaction_centre: float = 0.0

    def __post_init__(self) -> None:
        """Refuse days that run backwards and an interaction with nothing."""
        what = f"of arm '{self.arm}'"
        check_on(self.on, argument="on")
        for value in (self.log_hr, self.interaction_log_hr):
            check_number(value, argument=f"log_hr {what}", least=-_LARGEST_LOG_HR, most=_LARGEST_LOG_HR)
        check_number(self.delay, argument=f"delay {what}", least=0, whole=True)
        if self.until is not None:
            check_number(self.until, argument=f"until {what}", least=self.delay + 1, whole=True)
        if self.half_life is not None:
            check_number(self.half_life, argument=f"half_life {what}", least=1.0)
        check_finite(self.interaction_centre, argument=f"interaction_centre {what}")
        if self.interaction is None and self.interaction_log_hr != 0.0:
            raise ArgumentError(f"`interaction_log_hr` {what} needs `interaction`, the name of a covariate.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frailty:
    """An unmeasured factor of each person that multiplies the hazards of groups of transitions.

    Gamma: mean 1 and this variance. Lognormal: mean 1 and this variance too.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    on: Names
    variance: float
    distribution: Literal["gamma", "lognormal"] = "gamma"

    def __post_init__(self) -> None:
        """Refuse a variance below 0."""
        check_on(self.on, argument="on")
        check_number(self.variance, argument="variance of a frailty", least=0.0, most=100.0)
        check_choice(self.distribution, ("gamma", "lognormal"), argument="distribution of a frailty")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEffect:
    """A normal effect of each cluster, mean 0 and this standard deviation, on the log hazard of groups."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    on: Names
    sd: float

    def __post_init__(self) -> None:
        """Refuse a standard deviation below 0."""
        check_on(self.on, argument="on")
        check_number(self.sd, argument="sd of a cluster effect", least=0.0, most=5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierSpells:
    """A log hazard ratio for each absence that ended before, counted up to `most`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    on: Names
    log_hr: float
    most: int = 5

    def __post_init__(self) -> None:
        """Refuse a count below 1."""
        check_on(self.on, argument="on")
        check_number(self.log_hr, argument="log_hr of earlier spells", least=-_LARGEST_LOG_HR, most=_LARGEST_LOG_HR)
        check_number(self.most, argument="most", least=1, most=1000, whole=True)
