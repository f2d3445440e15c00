"""The declaration of a multi-state process: hazards, effects and rules as frozen data that TOML can hold.

Time runs in days. A person in a state on day d has hazards over (d, d + 1], constant within the day; a move in that
interval puts the person in the new state on day d + 1. Clocks count days since their origin: on the first day of an
absence its clock is 0, so that the first piece of a hazard from day 16 on acts on returns that leave 17 sick days or
more behind.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Final, Literal

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.days import day_of
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.process.checks import (
    as_names,
    check_days,
    check_groups,
    check_pieces,
    check_shares,
    check_states,
)
from rtwcohort.simulate.process.effects import ArmEffect, ClusterEffect, EarlierSpells, Effect, Frailty, Names
from rtwcohort.simulate.process.states import FINAL, GRADED, SICK

Pieces = tuple[tuple[float, float], ...]
Clock = Literal["absence", "state", "follow_up"]

_STRICT: Final = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spline:
    """A log hazard as a natural cubic spline, constant before the first and after the last knot.

    Attributes
    ----------
    days
        Knots on the clock of the transition, forwards.
    log_rates
        Natural logarithm of the rate per day at each knot. The hazard is held constant within each week, at the
        value in its middle.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    days: tuple[float, ...]
    log_rates: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse knots that go backwards or lack a rate."""
        if len(self.days) < 2 or len(self.days) != len(self.log_rates):
            raise ArgumentError(
                "`spline` needs two knots or more and one log rate for each; "
                f"got {len(self.days)} knots and {len(self.log_rates)} log rates."
            )
        if self.days[0] < 0 or any(b <= a for a, b in pairwise(self.days)):
            raise ArgumentError(f"`spline.days` must go forwards from 0 or later; got {list(self.days)}.")
        for value in self.log_rates:
            check_number(value, argument="spline.log_rates", least=-50.0, most=50.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One kind of move and its hazard: base rate x left x calendar x season x age x effects of its group.

    Attributes
    ----------
    origin
        State or states that it leaves. Only states with a grade may move to themselves: the grade then changes.
    to
        State that it reaches.
    group
        Name by which effects, frailties and clusters act on it; several transitions may share one.
    per_day
        Pieces (first day, rate per day) of the base rate on `clock`, from day 0. Either this or `spline`.
    clock
        "absence": days since the absence began, which moves between full and graded do not reset (for allowance and
        pension: since that benefit began); "state": days in the state; "follow_up": days since the index date
        (before it the first piece holds). Default: "absence" from sick states, "state" from others.
    spline
        The base rate as a spline instead.
    left
        Pieces (least days left, hazard ratio) by calendar days left up to the last paid day, from 0; only from sick
        states.
    calendar
        Pieces (date, hazard ratio): each holds from its date on; before the first the ratio is 1.
    season
        Twelve hazard ratios, January first; or none.
    age
        Pieces (age in years, hazard ratio) by age on the day, from 0; ratio 0 forbids the move.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    origin: Names
    to: str
    group: str
    per_day: Pieces = ()
    clock: Clock | None = None
    spline: Spline | None = None
    left: Pieces = ()
    calendar: tuple[tuple[dt.date | str, float], ...] = ()
    season: tuple[float, ...] = ()
    age: Pieces = ()

    def __post_init__(self) -> None:
        """Refuse unknown states, moves that cannot be and negative hazards."""
        check_states(self.origin, argument="origin")
        check_states(self.to, argument="to")
        _check_move(self)
        if (self.spline is None) == (not self.per_day):
            raise ArgumentError(f"`per_day` or `spline` must give the hazard of {self.name}: one of them, not both.")
        if self.clock is not None:
            check_choice(self.clock, ("absence", "state", "follow_up"), argument=f"clock of {self.name}")
        _check_ratios(self)

    @property
    def name(self) -> str:
        """The move in words, for messages."""
        return f"'{'/'.join(self.origins)} to {self.to}'"

    @property
    def origins(self) -> tuple[str, ...]:
        """The states it leaves."""
        return as_names(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """The rules of sickness benefit (defaults: Norway, National Insurance Act chapter 8).

    Attributes
    ----------
    employer_period
        Calendar days of an absence that the employer pays.
    employer_gap
        With fewer days than this between two absences the second continues the employer period of the first.
    shown
        Whether the register sees the employer period. If not, absences of that length or less are missing and the
        others begin after it.
    paid_days
        Weekdays (Monday to Friday) on which the benefit is paid within the window, after the employer period.
    window_years
        Calendar years that are looked back from each day.
    reearn_weeks
        Weeks without a paid day, up to the first day of a new absence, after which all days are there again, whatever
        the person did meanwhile.
    least_grade
        Lowest grade in percent.
    after
        Where people go on the day after the last paid day: (state, share). "retired" is possible from `retire_from`
        years of age only; others share what it would have had in proportion.
    after_old
        The shares from `retire_from` years of age on; empty: as `after`.
    retire_from
        Years of age (early retirement, AFP).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    employer_period: int = 16
    employer_gap: int = 16
    shown: bool = True
    paid_days: int = 248
    window_years: int = 3
    reearn_weeks: int = 26
    least_grade: int = 20
    after: tuple[tuple[str, float], ...] = (("aap", 1.0),)
    after_old: tuple[tuple[str, float], ...] = ()
    retire_from: float = 62.0

    def __post_init__(self) -> None:
        """Refuse rules that cannot be and destinations that are none."""
        for name, least, most in (
            ("employer_period", 0, 3650),
            ("employer_gap", 0, 3650),
            ("paid_days", 1, 20000),
            ("window_years", 1, 60),
            ("reearn_weeks", 1, 5000),
            ("least_grade", 1, 99),
        ):
            check_number(getattr(self, name), argument=f"entitlement.{name}", least=least, most=most, whole=True)
        check_number(self.retire_from, argument="entitlement.retire_from", least=0.0, most=120.0)
        _check_after(self.after, argument="entitlement.after")
        if self.after_old:
            _check_after(self.after_old, argument="entitlement.after_old")
        if all(state == "retired" for state, share in self.after if share > 0.0):
            raise ArgumentError(
                "`entitlement.after` must lead somewhere below `retire_from` years; it leads to 'retired' only. "
                "Put that in `after_old`."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Everything that moves people between states.

    Attributes
    ----------
    transitions
        All moves that can happen by chance.
    effects, arm_effects, frailty, clusters, earlier
        What changes the hazards of groups of transitions.
    entitlement
        The rules of sickness benefit.
    grades, aap_work_grades, pension_grades
        Shares of grades (percent, share) of graded sickness benefit, of allowance beside work and of partial pension,
        drawn when the state is entered.
    retirement_age
        Years of age at which everybody alive and resident retires, on the birthday; None: nobody is made to.
    most_spells
        People with more spells than this stop the simulation with an error.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    transitions: tuple[Transition, ...]
    effects: tuple[Effect, ...] = ()
    arm_effects: tuple[ArmEffect, ...] = ()
    frailty: tuple[Frailty, ...] = ()
    clusters: tuple[ClusterEffect, ...] = ()
    earlier: EarlierSpells | None = None
    entitlement: Entitlement = field(default_factory=Entitlement)
    grades: tuple[tuple[int, float], ...] = ((20, 0.15), (40, 0.15), (50, 0.5), (60, 0.1), (80, 0.1))
    aap_work_grades: tuple[tuple[int, float], ...] = ((50, 1.0),)
    pension_grades: tuple[tuple[int, float], ...] = ((50, 1.0),)
    retirement_age: int | None = 67
    most_spells: int = 2000

    def __post_init__(self) -> None:
        """Refuse effects on groups that do not exist and grades outside the rules."""
        if not self.transitions:
            raise ArgumentError("`transitions` must hold at least one transition; got none.")
        for name, item in _acting(self):
            check_groups(item.on, self.groups, argument=f"{name}.on")
        _check_grades(self.grades, self.entitlement.least_grade, argument="grades")
        _check_grades(self.aap_work_grades, 1, argument="aap_work_grades")
        _check_grades(self.pension_grades, 1, argument="pension_grades")
        if self.retirement_age is not None:
            check_number(self.retirement_age, argument="retirement_age", least=1, most=120, whole=True)
        check_number(self.most_spells, argument="most_spells", least=1, whole=True)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups, in the order in which they first come."""
        return tuple(dict.fromkeys(transition.group for transition in self.transitions))

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the covariates that the effects need."""
        names = [effect.term for effect in self.effects if effect.term != "age_now"]
        names += [effect.interaction for effect in self.arm_effects if effect.interaction is not None]
        return tuple(dict.fromkeys(names))


def _acting(process: Process) -> list[tuple[str, Any]]:
    named: list[tuple[str, Any]] = [("effects", item) for item in process.effects]
    named += [("arm_effects", item) for item in process.arm_effects]
    named += [("frailty", item) for item in process.frailty]
    named += [("clusters", item) for item in process.clusters]
    return named + ([("earlier", process.earlier)] if process.earlier is not None else [])


def _check_move(move: Transition) -> None:
    for origin in move.origins:
        if origin in FINAL:
            raise ArgumentError(f"`origin` must be a state that people leave; nobody leaves '{origin}'.")
        if origin == "retired" and move.to not in FINAL:
            raise ArgumentError(f"`to` must be 'dead' or 'emigrated' from 'retired'; got '{move.to}'.")
        if origin == move.to and origin not in GRADED:
            raise ArgumentError(
                f"`to` must differ from `origin`, unless the state has a grade ({', '.join(GRADED)}); got '{move.to}'."
            )


def _check_ratios(move: Transition) -> None:
    if move.per_day:
        check_pieces(move.per_day, argument=f"per_day of {move.name}", what="first day, rate per day")
        check_days(move.per_day, argument=f"per_day of {move.name}")
    if move.left:
        check_pieces(move.left, argument=f"left of {move.name}", what="least days left, hazard ratio")
        check_days(move.left, argument=f"left of {move.name}")
        if set(move.origins) - set(SICK):
            raise ArgumentError(f"`left` of {move.name} counts days of sickness benefit: only {' and '.join(SICK)}.")
    if move.calendar:
        days = [(day_of(date, argument=f"calendar of {move.name}"), ratio) for date, ratio in move.calendar]
        check_pieces(days, argument=f"calendar of {move.name}", first=None, what="day, hazard ratio")
    if move.age:
        check_pieces(move.age, argument=f"age of {move.name}", what="age in years, hazard ratio")
    if move.season:
        if len(move.season) != 12:
            raise ArgumentError(f"`season` of {move.name} must hold 12 hazard ratios; got {len(move.season)}.")
        check_pieces(list(enumerate(move.season)), argument=f"season of {move.name}", what="month, hazard ratio")


def _check_after(shares: tuple[tuple[str, float], ...], *, argument: str) -> None:
    check_shares(shares, argument=argument)
    for state, _ in shares:
        check_states(state, argument=argument)
        if state in SICK:
            raise ArgumentError(f"`{argument}` must lead out of sickness benefit; got '{state}'.")


def _check_grades(shares: tuple[tuple[int, float], ...], least: int, *, argument: str) -> None:
    check_shares(shares, argument=argument)
    for grade, _ in shares:
        check_number(grade, argument=f"{argument} (percent, under 100)", least=least, most=99, whole=True)
