"""Spells to one gap-free, non-overlapping sequence of states for each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.days import MISSING_DAY, Days, day_of, iso, to_days
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.person_lookup import in_threads, n_threads
from rtwcohort.outcomes.timeline_group_kernel import FAR
from rtwcohort.outcomes.timeline_input import Grouped, group_benefits, group_jobs
from rtwcohort.outcomes.timeline_kernel import Options, Rows, sweep_blocks
from rtwcohort.outcomes.timeline_window import Chosen, choose_people
from rtwcohort.register.benefits import BENEFIT_NAMES, DEFAULT_PRIORITY
from rtwcohort.register.register import Register

NO_BENEFIT: Final = 0
"""State of a day without any benefit."""
DEAD: Final = 100
"""State from the day of death on."""
EMIGRATED: Final = 101
"""State from the day of emigration on."""

SameBenefit = Literal["highest", "sum"]


@dataclass(frozen=True, slots=True)
class TimelinePeople:
    """One row a person, all arrays of shape (n,), in the order of the timeline.

    Attributes
    ----------
    person_id
        As in the register.
    from_day, to_day
        The window covered: first day, and the day after the last (half-open).
    birth_day, death_day, emigration_day
        `MISSING_DAY` where unknown or not happened.
    """

    person_id: npt.NDArray[Any]
    from_day: Days
    to_day: Days
    birth_day: Days
    death_day: Days
    emigration_day: Days


@dataclass(frozen=True, slots=True)
class Timeline:
    """A gap-free, non-overlapping sequence of states for each person.

    The states of person i are rows `offset[i]` to `offset[i + 1] - 1`; the first starts at
    `people.from_day[i]`, each starts where the one before ends, the last ends at `people.to_day[i]`.
    Neighbouring rows differ.

    Attributes
    ----------
    people
        One row a person.
    offset
        int64, shape (n + 1,).
    start, end
        int32 days, shape (m,), half-open.
    state
        int8, shape (m,): 0 no benefit, k + 1 benefit number k (`BENEFITS[k]`) of highest priority,
        100 dead, 101 emigrated.
    present
        uint16, shape (m,): bit k is set when benefit number k is paid on these days.
    grade
        float32, shape (m,): combined grade in percent over the `counted` benefits, capped at 100.
    work_share
        float32, shape (m,), percent: 100 - grade, times the position where employment is known; 0 when dead
        or emigrated.
    counted
        The benefits that `grade` adds up.
    data_end
        The last day that the register knows about (inclusive, day number). No row runs past it:
        `people.to_day` is at most `data_end + 1`, also where a later window was asked for.
    employment_known
        Whether positions entered `work_share`.
    settings
        The options it was built with, as sorted pairs, for provenance.
    """

    people: TimelinePeople
    offset: npt.NDArray[np.int64]
    start: Days
    end: Days
    state: npt.NDArray[np.int8]
    present: npt.NDArray[np.uint16]
    grade: npt.NDArray[np.float32]
    work_share: npt.NDArray[np.float32]
    counted: tuple[str, ...]
    data_end: int
    employment_known: bool
    settings: tuple[tuple[str, str], ...] = ()


def build_timeline(
    register: Register,
    *,
    window: Any = None,
    benefits: Sequence[str] | None = None,
    same_benefit: SameBenefit = "highest",
    merge_gap_days: int = 0,
    priority: Sequence[str] = DEFAULT_PRIORITY,
) -> Timeline:
    """Turn spells into one gap-free, non-overlapping sequence of states for each person.

    Parameters
    ----------
    register
        A cleaned register. Every person of its persons table gets a sequence, also without spells.
    window
        The days to cover, inclusive. None: from the first spell of the register to `data_end`, the
        same for everybody. A pair of dates: the same for everybody. A frame with `person_id`,
        `from_date` and `to_date`: the people named there, in that order. Whatever is asked for, the
        timeline is cut after `data_end`, because what comes later is not known.
    benefits
        The benefits that `grade` adds up; None counts all. `state` and `present` always look at all.
    same_benefit
        The same benefit twice on a day (overlapping certificates, two employers): "highest" counts
        its highest grade once, "sum" adds the grades. Different benefits always add. The total is
        capped at 100.
    merge_gap_days
        A stretch of at most so many days without any benefit between two days with one takes the state,
        benefits and grade of the day before it. NAV opens a new sick-leave case only after 16 days
        without sick leave: 15 does the same. Never across death or emigration, and never up to a spell
        that starts after `data_end`. A gap at the edge of a window is judged by the spells outside it.
    priority
        All benefits, the one that names a day first.

    Returns
    -------
    Timeline
        `work_share` is 100 - `grade`. When the register has an employment table with rows, it is
        (100 - grade) x position / 100, where the positions of concurrent jobs add up, capped at 100; a day
        without a job, and a person without a row in the table, has position 0.

    Raises
    ------
    ArgumentError
        When an option breaks its rule, or a window is empty, starts after `data_end`, or names an
        unknown person.
    RegisterError
        When a spell has a missing or unknown benefit, start or grade, a grade outside 0 to 100, an end
        before its start, or belongs to nobody in persons: run `clean_register` first.

    Notes
    -----
    The day of death belongs to death, the day of emigration to emigration: a spell is overwritten from
    that day on. Death is stronger than emigration. Returning immigrants are not known to the register's
    declaration, so emigration lasts until death.

    Examples
    --------
    Sick-listed 100 % for a week and then 50 % with overlap:

    >>> import pandas as pd
    >>> from rtwcohort.register.register import Register
    >>> spells = pd.DataFrame(
    ...     {
    ...         "person_id": [7, 7],
    ...         "benefit": ["sickness_benefit", "sickness_benefit"],
    ...         "start": pd.to_datetime(["2020-01-01", "2020-01-06"]),
    ...         "end": pd.to_datetime(["2020-01-07", "2020-01-10"]),
    ...         "grade": [100.0, 50.0],
    ...     }
    ... )
    >>> people = pd.DataFrame({"person_id": [7]})
    >>> register = Register(people, spells, None, None, None, pd.Timestamp("2020-01-31"))
    >>> timeline = build_timeline(register)
    >>> [int(days) for days in timeline.end - timeline.start]
    [7, 3, 21]
    >>> timeline.grade.tolist()
    [100.0, 50.0, 0.0]
    """
    counted = _check_benefits(benefits)
    ranked = _check_priority(priority)
    check_choice(same_benefit, ("highest", "sum"), argument="same_benefit")
    check_number(merge_gap_days, argument="merge_gap_days", least=0, whole=True)
    data_end = day_of(register.data_end, argument="register.data_end")
    chosen = choose_people(register, window, data_end)
    people = _describe_people(register.persons, chosen)
    shift = _block_shift(len(chosen.row))
    spells = group_benefits(register, chosen, shift)
    jobs = group_jobs(register, chosen, shift)
    known = register.employment is not None and len(register.employment) > 0
    options = Options(
        gap=int(merge_gap_days),
        add=same_benefit == "sum",
        priority=np.array([16 * ranked.index(name) + k + 1 for k, name in enumerate(BENEFIT_NAMES)], dtype=np.int8),
        counted=sum(1 << BENEFIT_NAMES.index(name) for name in counted),
    )
    offset, rows = _sweep_all(people, spells, jobs, shift, data_end, options, with_jobs=known)
    settings = {
        "benefits": ", ".join(counted),
        "merge_gap_days": str(int(merge_gap_days)),
        "priority": ", ".join(ranked),
        "same_benefit": same_benefit,
        "window": _window_text(window),
    }
    return Timeline(
        people=people,
        offset=offset,
        start=rows.start,
        end=rows.end,
        state=rows.state,
        present=rows.present,
        grade=rows.grade,
        work_share=rows.work_share,
        counted=counted,
        data_end=data_end,
        employment_known=known,
        settings=tuple(sorted(settings.items())),
    )


def _check_benefits(benefits: Sequence[str] | None) -> tuple[str, ...]:
    if benefits is None:
        return BENEFIT_NAMES
    if isinstance(benefits, str) or not len(benefits):
        raise ArgumentError(f"`benefits` must be a list of at least one benefit name; got {benefits!r}.")
    for name in benefits:
        check_choice(name, BENEFIT_NAMES, argument="benefits")
    return tuple(name for name in BENEFIT_NAMES if name in benefits)


def _check_priority(priority: Sequence[str]) -> tuple[str, ...]:
    if isinstance(priority, str):
        raise ArgumentError(f"`priority` must be a list of benefit names; got {priority!r}.")
    for name in priority:
        check_choice(name, BENEFIT_NAMES, argument="priority")
    if sorted(priority) != sorted(BENEFIT_NAMES):
        left = [name for name in BENEFIT_NAMES if name not in priority]
        came = f"without {', '.join(left)}" if left else f"{len(priority)} names, some of them twice"
        raise ArgumentError(f"`priority` must name every benefit once; got a list {came}.")
    return tuple(priority)


def _window_text(window: Any) -> str:
    if window is None:
        return "first spell to end of data"
    if isinstance(window, tuple | list):
        return " to ".join(iso(day_of(date, argument="window")) for date in window)
    return "one for each person"


def _describe_people(persons: pd.DataFrame, chosen: Chosen) -> TimelinePeople:
    def days(column: str) -> Days:
        if column not in persons.columns:
            return np.full(len(chosen.row), MISSING_DAY, np.int32)
        return to_days(persons[column])[chosen.row]

    return TimelinePeople(
        person_id=persons["person_id"].to_numpy()[chosen.row],
        from_day=chosen.from_day,
        to_day=chosen.to_day,
        birth_day=days("birth_date"),
        death_day=days("death_date"),
        emigration_day=days("emigration_date"),
    )


def _block_shift(n: int) -> int:
    """Return k for blocks of 2**k people: small enough for the processor's cache, few enough to write to at once."""
    return int(np.clip((n // 256).bit_length(), 10, 16))


def _sweep_all(
    people: TimelinePeople,
    spells: Grouped,
    jobs: Grouped,
    shift: int,
    data_end: int,
    options: Options,
    *,
    with_jobs: bool,
) -> tuple[npt.NDArray[np.int64], Rows]:
    """Sweep blocks of people in threads, each with room for the most rows there can be, and close the gaps between."""
    n = len(people.person_id)
    window = np.column_stack([people.from_day, people.to_day])
    leaving = np.column_stack([people.death_day, people.emigration_day])
    leaving[leaving == MISSING_DAY] = FAR
    offset = np.zeros(n + 1, np.int64)
    edges = np.minimum(np.arange(len(spells.edge)) << shift, n)
    room = 2 * spells.edge + 2 * jobs.edge + 3 * edges
    columns: list[Any] = [np.empty(int(room[-1]), kind) for kind in ("i4", "i4", "i1", "u2", "f4", "f4")]

    def sweep(low: int, high: int) -> tuple[int, int]:
        after = sweep_blocks(
            low,
            high,
            shift,
            *spells,
            *jobs,
            with_jobs,
            window,
            leaving,
            data_end + 1,
            options,
            offset[1:],
            int(room[low]),
            *columns,
        )
        return int(room[low]), after

    n_blocks = len(spells.edge) - 1
    starts = list(range(0, n_blocks, max(1, n_blocks // (8 * n_threads()))))
    total = 0
    for low, high in in_threads(sweep, starts, [*starts[1:], n_blocks]):
        if low > total:
            for column in columns:
                column[total : total + high - low] = column[low:high]
        total += high - low
    return np.cumsum(offset), Rows(*[column[:total] for column in columns])
