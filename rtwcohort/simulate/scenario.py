"""A scenario: everything that the simulator is told, as one frozen declaration with true values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.days import day_of
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import get_instrument

ARMS: Final = ("ordinary", "workplace_visit")
"""Reference arm first."""

TERMS: Final = ("arm", "age", "sex", "fabq_work", "belief", "days_on_benefit", "graded")
"""What a true hazard ratio can be declared for."""

LEVELS: Final = {"arm": "workplace_visit", "sex": "male", "graded": "yes"}
"""The level that an effect of a two-level term belongs to; the other level is the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A true log hazard ratio.

    Attributes
    ----------
    term
        One of `TERMS`: arm, age (years at index), sex, fabq_work (FABQ-W score at M0), belief (mean belief in
        improvement at M0), days_on_benefit (days on a benefit in the two years before index, the index date
        not counted), graded (grade under 100 on the index date).
    log_hr
        Log hazard ratio per `per` units; for two-level terms of the level in `LEVELS` against the other.
    per
        Units of the term that `log_hr` belongs to.
    centre
        Value at which the baseline hazard holds.
    """

    term: str
    log_hr: float
    per: float = 1.0
    centre: float = 0.0

    def __post_init__(self) -> None:
        """Refuse an unknown term or a unit that cannot be."""
        check_choice(self.term, TERMS, argument="term")
        check_number(self.log_hr, argument=f"log_hr of '{self.term}'", least=-5.0, most=5.0)
        check_number(self.centre, argument=f"centre of '{self.term}'")
        check_number(self.per, argument=f"per of '{self.term}'", least=1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One round of questionnaires.

    Attributes
    ----------
    name, day
        Such as "M3" and 91: days after the index date, give or take `spread`.
    instruments
        Names of instruments asked.
    response
        Share of living residents who answer at all.
    spread
        Largest distance in days between `day` and the day answered; M0 is answered on or before the index date.
    """

    name: str
    day: int
    instruments: tuple[str, ...]
    response: float = 1.0
    spread: int = 10

    def __post_init__(self) -> None:
        """Refuse shares and days that cannot be."""
        check_number(self.day, argument=f"day of wave '{self.name}'", least=0, whole=True)
        check_number(self.response, argument=f"response of wave '{self.name}'", least=0.0, most=1.0)
        check_number(self.spread, argument=f"spread of wave '{self.name}'", least=0, whole=True)
        if not self.instruments:
            raise ArgumentError(f"`instruments` of wave '{self.name}' must name at least one; got none.")
        for name in self.instruments:
            get_instrument(name)


_ALL: Final = ("FABQ-PA", "FABQ-W", "BELIEF", "DCSQ-DEMANDS", "DCSQ-CONTROL", "DCSQ-SUPPORT", "JOB-SATISFACTION")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is simulated. Every value has a default; `dataclasses.replace` makes variants.

    Attributes
    ----------
    n
        People.
    arm_share
        Share of people in "workplace_visit"; the rest are in "ordinary". Arms are drawn at random.
    enrolment
        First and last index date (inclusive).
    data_end
        Last day the register knows about (inclusive).
    age_range
        Years of age at index, lowest and highest.
    return_hazard
        Pieces of the baseline hazard of return: (first day after index, rate per day). U-shaped by default:
        high at first, falling, flat around six months, rising from nine months, low after a year.
    effects
        True log hazard ratios of return. A term that is not listed has none.
    disability_per_year, death_per_year, emigration_per_year
        Constant hazards a year at 45 years of age.
    disability_age, death_age
        Log hazard ratios of disability pension and death per 10 years of age.
    relapse_per_year
        Hazard of a new spell once a return has held for `return_holds` days.
    return_holds
        Days after a return on which nothing happens: no benefit, death or emigration.
    absence_before
        Days on sickness benefit before the index date within the present absence, lowest and highest.
    earlier_spell
        Probability of an earlier spell in each quarter of the time from 720 days before index to the absence.
    graded, graded_from_start, graded_by_six_weeks
        Share of absences graded at some time; of those, share graded from the first day, and share graded
        within the next six weeks.
    maximum_days
        Longest sickness benefit; whoever is still absent then goes over to AAP the next day.
    without_benefit
        Share of people enrolled although their absence ended before the index date (to be found ineligible).
    waves
        Rounds of questionnaires.
    item_missing
        Probability that one item of an answered questionnaire is left out.
    all_statements
        Write also the statements that no score uses.
    clusters
        Rehabilitation units; arms are drawn within them and they have no effect.
    """

    n: int = 1000
    arm_share: float = 0.5
    enrolment: tuple[str, str] = ("2020-01-01", "2021-12-31")
    data_end: str = "2022-12-31"
    age_range: tuple[int, int] = (20, 66)
    return_hazard: tuple[tuple[int, float], ...] = (
        (0, 0.0038),
        (28, 0.0027),
        (91, 0.0017),
        (152, 0.0011),
        (274, 0.0020),
        (365, 0.0008),
    )
    effects: tuple[Effect, ...] = (
        Effect(term="arm", log_hr=0.40),
        Effect(term="age", log_hr=-0.15, per=10.0, centre=45.0),
        Effect(term="sex", log_hr=0.10),
        Effect(term="fabq_work", log_hr=-0.20, per=10.0, centre=22.0),
        Effect(term="belief", log_hr=0.50, centre=2.2),
        Effect(term="days_on_benefit", log_hr=-0.20, per=100.0, centre=190.0),
    )
    disability_per_year: float = 0.05
    disability_age: float = 0.40
    death_per_year: float = 0.006
    death_age: float = 0.70
    emigration_per_year: float = 0.006
    relapse_per_year: float = 0.35
    return_holds: int = 35
    absence_before: tuple[int, int] = (56, 280)
    earlier_spell: float = 0.35
    graded: float = 0.57
    graded_from_start: float = 0.46
    graded_by_six_weeks: float = 0.31
    maximum_days: int = 365
    without_benefit: float = 0.0
    waves: tuple[Wave, ...] = field(
        default=(
            Wave(name="M0", day=0, instruments=_ALL, response=0.97, spread=7),
            Wave(name="M3", day=91, instruments=_ALL, response=0.85),
            Wave(name="M6", day=182, instruments=_ALL, response=0.80),
            Wave(name="M12", day=365, instruments=_ALL, response=0.75),
        )
    )
    item_missing: float = 0.005
    all_statements: bool = True
    clusters: int = 6

    def __post_init__(self) -> None:
        """Check every value."""
        check_number(self.n, argument="n", least=1, whole=True)
        check_number(self.clusters, argument="clusters", least=1, whole=True)
        check_number(self.maximum_days, argument="maximum_days", least=1, whole=True)
        check_number(self.return_holds, argument="return_holds", least=0, whole=True)
        _check_shares(self)
        _check_rates(self)
        _check_range(self.age_range, argument="age_range", least=16)
        _check_range(self.absence_before, argument="absence_before", least=1)
        if self.absence_before[1] > 600:
            raise ArgumentError(f"`absence_before` must end at 600 or less; got {self.absence_before[1]}.")
        _check_pieces(self.return_hazard)
        _check_names([effect.term for effect in self.effects], argument="effects")
        _check_names([wave.name for wave in self.waves], argument="waves")
        first, last = (day_of(value, argument="enrolment") for value in self.enrolment)
        if not first <= last <= day_of(self.data_end, argument="data_end"):
            raise ArgumentError(
                f"`enrolment` must run forwards and end by `data_end` ({self.data_end}); got {self.enrolment}."
            )


def true_values(scenario: Scenario) -> pd.DataFrame:
    """Return the true hazard ratios of return.

    Returns
    -------
    pandas.DataFrame
        One row an effect: term, level (of two-level terms, else empty), per (units that the hazard ratio
        belongs to), log_hr, hr.
    """
    import math

    return pd.DataFrame(
        {
            "term": [effect.term for effect in scenario.effects],
            "level": [LEVELS.get(effect.term, "") for effect in scenario.effects],
            "per": [effect.per for effect in scenario.effects],
            "log_hr": [effect.log_hr for effect in scenario.effects],
            "hr": [math.exp(effect.log_hr) for effect in scenario.effects],
        }
    )


def _check_shares(scenario: Scenario) -> None:
    names = (
        "arm_share",
        "earlier_spell",
        "graded",
        "graded_from_start",
        "graded_by_six_weeks",
        "without_benefit",
        "item_missing",
    )
    for name in names:
        check_number(getattr(scenario, name), argument=name, least=0.0, most=1.0)
    if scenario.graded_from_start + scenario.graded_by_six_weeks > 1.0:
        raise ArgumentError(
            "`graded_from_start` and `graded_by_six_weeks` are shares of the same people and must add up to 1 at "
            f"most; got {scenario.graded_from_start} and {scenario.graded_by_six_weeks}."
        )


def _check_rates(scenario: Scenario) -> None:
    for name in ("disability_per_year", "death_per_year", "emigration_per_year", "relapse_per_year"):
        check_number(getattr(scenario, name), argument=name, least=0.0)
    for name in ("disability_age", "death_age"):
        check_number(getattr(scenario, name), argument=name, least=-5.0, most=5.0)


def _check_range(values: tuple[int, int], *, argument: str, least: int) -> None:
    for value in values:
        check_number(value, argument=argument, least=least, whole=True)
    if values[0] > values[1]:
        raise ArgumentError(f"`{argument}` must run from the lower to the higher value; got {values}.")


def _check_pieces(pieces: tuple[tuple[int, float], ...]) -> None:
    starts = [start for start, _ in pieces]
    if not starts or starts[0] != 0 or any(b <= a for a, b in pairwise(starts)):
        raise ArgumentError(
            "`return_hazard` must be pieces (first day, rate per day) that begin at day 0 and go forwards; "
            f"its first days are {starts}."
        )
    for _, rate in pieces:
        check_number(rate, argument="return_hazard", least=0.0, most=1.0)


def _check_names(names: Sequence[str], *, argument: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ArgumentError(f"`{argument}` must name each once; '{twice[0]}' comes more than once.")
