"""Return to work is a rule: a frozen declaration with a name and a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from rtwcohort.core.checks import check_choice, check_number, did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.register.benefits import BENEFIT_NAMES

Hold = Literal["consecutive", "mean", "increase", "point"]
Unit = Literal["days", "weeks", "months"]
Calendar = Literal["days", "iso_weeks", "windows", "months"]
GradeBound = Literal["at_most", "below"]
ShareBound = Literal["at_least", "above"]
EventDate = Literal["start", "confirmed"]
Confirmation = Literal["may_pass_horizon", "by_horizon"]
CompetingOnset = Literal["any", "not_back"]

CALENDARS: Final[dict[str, tuple[Calendar, ...]]] = {
    "consecutive": ("days", "iso_weeks"),
    "mean": ("days", "windows"),
    "increase": ("months",),
    "point": ("days",),
}
"""The calendars that each way of holding can be measured on; the first is the default."""

UNITS: Final[dict[tuple[str, str], tuple[Unit, ...]]] = {
    ("consecutive", "days"): ("days", "weeks", "months"),
    ("consecutive", "iso_weeks"): ("weeks",),
    ("mean", "days"): ("days", "weeks"),
    ("mean", "windows"): ("days", "weeks", "months"),
    ("increase", "months"): ("months",),
    ("point", "days"): ("days", "weeks", "months"),
}
"""The units that a length may be given in, by way of holding and calendar."""

COMPETING_CHOICES: Final = (*BENEFIT_NAMES, "death")


@dataclass(frozen=True, slots=True, kw_only=True)
class RtwRule:
    """A definition of return to work as data.

    A day is *back* when the person is alive and resident, the combined grade of `benefits` is within
    `max_grade`, and the work share is within `min_work_share`. `hold` says how such days make a return.

    Attributes
    ----------
    name
        Name to ask for it by; catalogue names are study_year, with an ending where a study has several.
    source
        Study and where the definition is stated.
    benefits
        The benefits considered. A day with only other benefits counts as a day without benefit.
    max_grade, grade_bound
        Highest combined grade, in percent, of a day that is back: "at_most" includes it, "below" does not.
        0 means that none of `benefits` is paid at all, whatever its grade. None sets no limit; that is the
        default where `min_work_share` is given or `hold` is "mean" or "increase", elsewhere it is 0.
    min_work_share, work_share_bound
        Least work share in percent: "at_least" includes it, "above" does not. The work share is 100 less the
        combined grade, times the position where employment is known. For `hold="mean"` it bounds the mean.
    hold
        "consecutive": every day of a period of `length` is back. "mean": the mean work share over `length`
        meets `min_work_share`. "increase": in each of `length` consecutive months from the index date the
        mean work share is above the person's own baseline. "point": back on one of the days `at`.
    length, unit
        How long it must hold. A month runs to the same day of the next month, or to that month's last day
        where there is none.
    calendar
        "days": a period may begin on any day. "iso_weeks": whole weeks, Monday to Sunday. "windows": periods
        of `length` one after another from the index date. "months": months from the index date (increase).
        None takes the first that `hold` allows. A rolling mean ("mean" with "days") begins on a day at work.
    at
        For `hold="point"`: days after the index date, counted in `unit`, in ascending order.
    baseline_days
        For `hold="increase"`: the baseline is the mean work share over this many days ending with the index date.
    event_date
        Which date is the event: the "start" of the qualifying period, or the day it is "confirmed", its last.
    confirmation
        "may_pass_horizon": a period that starts within the horizon counts when later data confirm it.
        "by_horizon": its last day must be within the horizon too. None means "may_pass_horizon" with
        `event_date="start"`, and "by_horizon" with "confirmed" (an event after the horizon is not in it).
    competing
        What ends follow-up before a return is confirmed: the start of a benefit named here, considered
        or not, and "death". Death always ends follow-up; left out here, it reads as censoring.
    competing_onset
        Which starts of a competing benefit end follow-up: "any" start after the index date up to the day of
        confirmation, or only a start on a day that is "not_back" (a half pension beside half a job is then
        no obstacle). For "mean" and "increase" a day is back when its own work share meets the bound.
    retirement_age
        Censors at this birthday (cause "retirement"); None does not.
    horizon_days
        The horizon that the source used, in days (a year 365, a month 30.4); None where it states none.
    assumptions
        The readings chosen where the source leaves something open.
    """

    name: str
    source: str
    benefits: tuple[str, ...] = BENEFIT_NAMES
    max_grade: float | None = None
    grade_bound: GradeBound = "at_most"
    min_work_share: float | None = None
    work_share_bound: ShareBound = "at_least"
    hold: Hold = "consecutive"
    length: int = 28
    unit: Unit = "days"
    calendar: Calendar | None = None
    at: tuple[int, ...] = ()
    baseline_days: int = 1
    event_date: EventDate = "start"
    confirmation: Confirmation | None = None
    competing: tuple[str, ...] = ("disability_pension", "death")
    competing_onset: CompetingOnset = "any"
    retirement_age: int | None = None
    horizon_days: int | None = None
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("benefits", "at", "competing", "assumptions"):
            _set(self, name, _as_tuple(getattr(self, name), name))
        _check_choices(self)
        _check_benefits(self)
        _check_levels(self)
        _check_length(self)
        _check_event_date(self)


def _set(rule: RtwRule, name: str, value: Any) -> None:
    object.__setattr__(rule, name, value)


def _as_tuple(value: Any, name: str) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise ArgumentError(f"`{name}` must be a list; got {value!r}. Write [{value!r}] for a single entry.")
    return tuple(value)


def _check_choices(rule: RtwRule) -> None:
    if not rule.name or not isinstance(rule.name, str):
        raise ArgumentError(f"`name` must be a text that names the rule; got {rule.name!r}.")
    for field, kind in (
        ("hold", Hold),
        ("unit", Unit),
        ("grade_bound", GradeBound),
        ("work_share_bound", ShareBound),
        ("event_date", EventDate),
        ("competing_onset", CompetingOnset),
    ):
        check_choice(getattr(rule, field), get_args(kind), argument=field)
    if rule.calendar is None:
        _set(rule, "calendar", CALENDARS[rule.hold][0])
    check_choice(rule.calendar, get_args(Calendar), argument="calendar")
    allowed = CALENDARS[rule.hold]
    if rule.calendar not in allowed:
        listed = " or ".join(repr(item) for item in allowed)
        raise ArgumentError(f"`calendar` must be {listed} when `hold` is {rule.hold!r}; got {rule.calendar!r}.")


def _check_benefits(rule: RtwRule) -> None:
    if not rule.benefits:
        raise ArgumentError("`benefits` must name at least one benefit; got none.")
    for argument, names, known in (
        ("benefits", rule.benefits, BENEFIT_NAMES),
        ("competing", rule.competing, COMPETING_CHOICES),
    ):
        for name in names:
            if name not in known:
                listed = ", ".join(known)
                hint = did_you_mean(str(name), known)
                raise ArgumentError(f"`{argument}` may name {listed}; got {name!r}.{hint}")
        if len(set(names)) < len(names):
            raise ArgumentError(f"`{argument}` must name each entry once; got {list(names)}.")
    _set(rule, "benefits", tuple(name for name in BENEFIT_NAMES if name in rule.benefits))


def _check_levels(rule: RtwRule) -> None:
    if rule.max_grade is not None:
        check_number(rule.max_grade, argument="max_grade", least=0, most=100)
    if rule.min_work_share is not None:
        check_number(rule.min_work_share, argument="min_work_share", least=0, most=100)
    if rule.hold in ("mean", "increase"):
        _check_mean_levels(rule)
        return
    if rule.max_grade is None and rule.min_work_share is None:
        _set(rule, "max_grade", 0.0)
    if rule.max_grade == 0 and rule.grade_bound == "below":
        raise ArgumentError(
            "`grade_bound` must be 'at_most' when `max_grade` is 0, for no grade is below 0; got 'below'. "
            "Use max_grade=100 with 'below' for any partial return."
        )
    if rule.max_grade == 100 and rule.grade_bound == "at_most" and rule.min_work_share is None:
        raise ArgumentError(
            "`max_grade` of 100 with `grade_bound` 'at_most' makes every day a return. "
            "Use grade_bound='below' for any partial return, or a lower grade."
        )
    _check_share_bound(rule)


def _check_mean_levels(rule: RtwRule) -> None:
    if rule.max_grade is not None:
        raise ArgumentError(
            f"`max_grade` has no meaning when `hold` is {rule.hold!r}, which looks at the mean work share; "
            f"got {rule.max_grade!r}. Leave it out."
        )
    if rule.hold == "increase":
        if rule.min_work_share is not None:
            raise ArgumentError(
                "`min_work_share` has no meaning when `hold` is 'increase', which compares with the person's own "
                f"baseline; got {rule.min_work_share!r}. Leave it out."
            )
        return
    if rule.min_work_share is None:
        raise ArgumentError(
            "`min_work_share` must be given when `hold` is 'mean'; got None. "
            "For example 20 for one day of five a week, 50 for half."
        )
    _check_share_bound(rule)


def _check_share_bound(rule: RtwRule) -> None:
    if rule.min_work_share == 100 and rule.work_share_bound == "above":
        raise ArgumentError("`work_share_bound` must be 'at_least' when `min_work_share` is 100; got 'above'.")
    if rule.min_work_share == 0 and rule.work_share_bound == "at_least":
        raise ArgumentError(
            "`min_work_share` of 0 with `work_share_bound` 'at_least' is met by every day. "
            "Use work_share_bound='above' for any work at all, or leave `min_work_share` out."
        )


def _check_length(rule: RtwRule) -> None:
    check_number(rule.length, argument="length", least=1, most=36525, whole=True)
    check_number(rule.baseline_days, argument="baseline_days", least=1, most=36525, whole=True)
    allowed = UNITS[rule.hold, str(rule.calendar)]
    if rule.unit not in allowed:
        listed = " or ".join(repr(item) for item in allowed)
        raise ArgumentError(
            f"`unit` must be {listed} when `hold` is {rule.hold!r} and `calendar` is {rule.calendar!r}; "
            f"got {rule.unit!r}."
        )
    if (rule.hold == "point") != bool(rule.at):
        raise ArgumentError(
            f"`at` must list the days of measurement when `hold` is 'point', and only then; "
            f"got hold={rule.hold!r} and at={list(rule.at)}."
        )
    for day in rule.at:
        check_number(day, argument="at", least=0, most=36525, whole=True)
    if list(rule.at) != sorted(set(rule.at)):
        raise ArgumentError(f"`at` must be in ascending order without repeats; got {list(rule.at)}.")
    if rule.retirement_age is not None:
        check_number(rule.retirement_age, argument="retirement_age", least=1, most=120, whole=True)
    if rule.horizon_days is not None:
        check_number(rule.horizon_days, argument="horizon_days", least=0, whole=True)


def _check_event_date(rule: RtwRule) -> None:
    if rule.confirmation is None:
        _set(rule, "confirmation", "by_horizon" if rule.event_date == "confirmed" else "may_pass_horizon")
    check_choice(rule.confirmation, get_args(Confirmation), argument="confirmation")
    if rule.event_date == "confirmed" and rule.confirmation == "may_pass_horizon":
        raise ArgumentError(
            "`confirmation` must be 'by_horizon' when `event_date` is 'confirmed', for the event itself must fall "
            "within the horizon; got 'may_pass_horizon'. Set confirmation='by_horizon' too."
        )
