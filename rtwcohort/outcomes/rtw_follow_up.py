"""What an RTW rule needs around it: the right timeline, index days on it, and when follow-up stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.days import MISSING_DAY, Days, day_of, from_days, iso
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.calendar_kernel import add_months_each
from rtwcohort.outcomes.index import index_days
from rtwcohort.outcomes.rtw_kernel import (
    DEATH,
    EMIGRATION,
    END_OF_DATA,
    HORIZON,
    RETIREMENT,
    TOLERANCE,
    Day,
    mark_back,
)
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.timeline import Timeline, build_timeline
from rtwcohort.register.benefits import BENEFIT_NAMES
from rtwcohort.register.register import Register

CAUSES: Final[dict[int, str]] = {
    **dict(enumerate(BENEFIT_NAMES)),
    DEATH: "death",
    EMIGRATION: "emigration",
    RETIREMENT: "retirement",
    END_OF_DATA: "end_of_data",
    HORIZON: "horizon",
}
"""Words for the reasons that follow-up ended."""

LONGEST: Final = {"days": 1, "weeks": 7, "months": 31}
"""Days that a unit lasts at most."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Index days on a timeline that fits the rule; arrays of shape (n,), one row an index date.

    Attributes
    ----------
    timeline
        Its grades add up the rule's benefits wherever the rule looks at grades.
    person
        Row of `timeline.people`.
    index
        Index day.
    stop
        The first day that cannot count: of death, emigration or retirement, or after the last known.
    cause
        Code of what happens on `stop`, a key of `CAUSES`.
    """

    timeline: Timeline
    person: npt.NDArray[np.int64]
    index: Days
    stop: Days
    cause: npt.NDArray[np.int8]


def back_states(timeline: Timeline, rule: RtwRule) -> npt.NDArray[np.bool_]:
    """Return which states of the timeline are back under the rule, shape (m,).

    For "increase", whose bound is each person's own, every state of the living and resident is.
    """
    back = np.empty(len(timeline.start), dtype=np.bool_)
    mark_back(timeline.state, timeline.present, timeline.grade, timeline.work_share, day_limits(rule), back)
    return back


def follow_up(source: Register | Timeline, rule: RtwRule, index: Any, *, needed_days: Any) -> FollowUp:
    """Match index dates to a timeline that fits the rule and find when follow-up stops.

    Parameters
    ----------
    source
        From a register the timeline is built: from the baseline of the rule to the end of data.
    rule
        Says which benefits are added up, the baseline and the age of retirement.
    index
        Frame with person_id and index_date; None takes the register's enrolment table.
    needed_days
        Days after the index day that the window of a given timeline must reach, unless data end before;
        one number or one a row.

    Raises
    ------
    ArgumentError
        When people have an index date after the end of data, after their own death, emigration or
        retirement, or outside the timeline's window, or when the timeline adds up other benefits.
    """
    if not isinstance(source, (Register, Timeline)):
        raise ArgumentError(f"`source` must be a Register or a Timeline; got {type(source).__name__}.")
    matched = index_days(source, index)
    if isinstance(source, Timeline):
        timeline, person = source, matched.position
        _check_counted(timeline, rule)
        data_end = timeline.data_end
    else:
        data_end = day_of(source.data_end, argument="register.data_end")
    _refuse(
        matched.day > data_end,
        f"have an index date after the end of data, {iso(data_end)}",
        "Leave them out of `index`, or give a later `data_end` if the register knows more.",
    )
    if isinstance(source, Register):
        timeline = _build(source, rule, matched.position, matched.day)
        person = np.arange(len(matched.day), dtype=np.int64)
    _check_window(timeline, rule, person, matched.day, needed_days)
    stop, cause = _stops(timeline, rule, person, matched.day)
    return FollowUp(timeline=timeline, person=person, index=matched.day, stop=stop, cause=cause)


def day_limits(rule: RtwRule) -> Day:
    """Return what makes a day back, as the kernels take it: forbidden bits, grade top, work-share floor.

    The rounding of float32 is allowed for here: "at most 20" is met by 20.00001.
    """
    forbidden, top, floor = 0, np.inf, -np.inf
    if rule.max_grade == 0:
        forbidden = sum(1 << BENEFIT_NAMES.index(name) for name in rule.benefits)
    elif rule.max_grade is not None:
        top = rule.max_grade + (TOLERANCE if rule.grade_bound == "at_most" else -TOLERANCE)
    if rule.min_work_share is not None:
        floor = rule.min_work_share + (TOLERANCE if rule.work_share_bound == "above" else -TOLERANCE)
    return forbidden, float(top), float(floor)


def competing_codes(rule: RtwRule) -> npt.NDArray[np.int64]:
    """Return the numbers of the competing benefits, in the rule's order."""
    return np.array([BENEFIT_NAMES.index(name) for name in rule.competing if name != "death"], dtype=np.int64)


def looks_at_grades(rule: RtwRule) -> bool:
    """Tell whether the rule needs the combined grade, or only which benefits are paid."""
    return rule.hold in ("mean", "increase") or rule.max_grade != 0 or rule.min_work_share is not None


def _check_counted(timeline: Timeline, rule: RtwRule) -> None:
    if not looks_at_grades(rule) or set(timeline.counted) == set(rule.benefits):
        return
    raise ArgumentError(
        f"`source` is a timeline whose grades add up {', '.join(timeline.counted)}, but the rule '{rule.name}' "
        f"considers {', '.join(rule.benefits)}. Pass the register, or build the timeline with "
        f"build_timeline(register, benefits={list(rule.benefits)})."
    )


def _build(register: Register, rule: RtwRule, position: npt.NDArray[np.int64], day: Days) -> Timeline:
    window = pd.DataFrame(
        {
            "person_id": register.persons["person_id"].to_numpy()[position],
            "from_date": from_days(day - _baseline(rule)),
            "to_date": register.data_end,
        }
    )
    return build_timeline(register, window=window, benefits=rule.benefits)


def _baseline(rule: RtwRule) -> int:
    return rule.baseline_days - 1 if rule.hold == "increase" else 0


def _check_window(
    timeline: Timeline, rule: RtwRule, person: npt.NDArray[np.int64], day: Days, needed_days: Any
) -> None:
    people = timeline.people
    from_day = people.from_day[person].astype(np.int64)
    to_day = people.to_day[person].astype(np.int64)
    before = _baseline(rule)
    words = f"the {before + 1} days of the rule's baseline" if before else "their index date"
    _refuse(
        (from_day > day.astype(np.int64) - before) | (to_day <= day),
        f"have a timeline that does not cover {words}",
        "Pass the register, or build the timeline over a wider `window`.",
    )
    wanted = np.minimum(timeline.data_end + 1, day.astype(np.int64) + np.asarray(needed_days, dtype=np.int64))
    _refuse(
        to_day < wanted,
        "have a timeline that ends before the horizon and the days that confirm a return, though data go on",
        "Pass the register, or build the timeline with a `window` that goes to the end of data.",
    )


def _stops(
    timeline: Timeline, rule: RtwRule, person: npt.NDArray[np.int64], day: Days
) -> tuple[Days, npt.NDArray[np.int8]]:
    people = timeline.people
    stop = np.minimum(people.to_day[person], timeline.data_end + 1).astype(np.int32)
    cause = np.full(len(stop), END_OF_DATA, dtype=np.int8)
    leaving = [
        (RETIREMENT, _birthday(people.birth_day[person], rule.retirement_age), "turned the rule's retirement age"),
        (EMIGRATION, people.emigration_day[person], "emigrated"),
        (DEATH, people.death_day[person], "died"),
    ]
    for code, when, words in leaving:
        known = when != MISSING_DAY
        _refuse(
            known & (when < day),
            f"{words} before their index date",
            "Leave them out of `index`, or correct the dates in the persons table.",
        )
        sooner = known & (when <= stop) & (when <= timeline.data_end)
        stop[sooner] = when[sooner]
        cause[sooner] = code
    return stop, cause


def _birthday(birth_day: Days, age: int | None) -> Days:
    if age is None:
        return np.full(len(birth_day), MISSING_DAY, dtype=np.int32)
    _refuse(
        birth_day == MISSING_DAY,
        "have no birth date, which the rule's retirement_age needs",
        "Add birth dates to the persons table, or set retirement_age=None.",
    )
    return np.asarray(add_months_each(birth_day, 12 * age), dtype=np.int32)


def _refuse(bad: npt.NDArray[np.bool_], came: str, remedy: str) -> None:
    if bad.any():
        raise ArgumentError(f"`index`: {int(np.count_nonzero(bad))} of {len(bad)} people {came}. {remedy}")
