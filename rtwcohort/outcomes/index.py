"""Index dates: which person of a register or timeline, from which day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.core.days import MISSING_DAY, Days, from_days, iso, to_days
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError, RegisterError
from rtwcohort.outcomes.person_lookup import locate_people
from rtwcohort.outcomes.timeline import Timeline, build_timeline
from rtwcohort.register.register import Register


class IndexDays(NamedTuple):
    """Index dates matched to people; one row an index date, in the order given.

    Attributes
    ----------
    position
        int64, shape (n,): row in `register.persons`, or in `timeline.people`.
    day
        int32, shape (n,): the index date as days since 1970-01-01.
    """

    position: npt.NDArray[np.int64]
    day: Days


def person_ids(source: Register | Timeline) -> npt.NDArray[Any]:
    """Return the person ids that the positions of `index_days` point into."""
    if isinstance(source, Timeline):
        return source.people.person_id
    if isinstance(source, Register):
        return np.asarray(source.persons["person_id"])
    raise ArgumentError(f"`source` must be a Register or a Timeline; got {type(source).__name__}.")


def index_days(source: Register | Timeline, index: Any = None) -> IndexDays:
    """Match index dates to the people of a register or timeline.

    Parameters
    ----------
    source
        A register or a timeline.
    index
        Frame with columns `person_id` and `index_date`, one row a person. None takes the register's
        enrolment table; a timeline holds none, so there it must be given.

    Returns
    -------
    IndexDays
        Positions and days, in the order of `index`.

    Raises
    ------
    ArgumentError
        When a person has no index date, comes twice or is unknown to `source`. Rows are counted from 1
        and persons are never named.
    RegisterError
        When `index` is None and the register has no enrolment table.

    Examples
    --------
    >>> import pandas as pd
    >>> from rtwcohort.register.register import Register
    >>> persons = pd.DataFrame({"person_id": [11, 12]})
    >>> spells = pd.DataFrame({"person_id": [], "benefit": [], "start": [], "end": [], "grade": []})
    >>> register = Register(persons, spells, None, None, None, pd.Timestamp("2022-12-31"))
    >>> index_days(register, pd.DataFrame({"person_id": [12], "index_date": ["1970-01-31"]}))
    IndexDays(position=array([1]), day=array([30], dtype=int32))
    """
    known = person_ids(source)
    frame, name = _index_frame(source, index)
    check_columns(frame.columns, ("person_id", "index_date"), argument=name)
    ids = frame["person_id"]
    _refuse(
        ids.duplicated().to_numpy(),
        f"`{name}` must have one row a person",
        "come again for a person seen above",
        "Keep one index date a person.",
    )
    position = locate_people(known, ids.to_numpy()).astype(np.int64)
    kind = f" Ids are {ids.dtype} here and {known.dtype} there." if ids.dtype != known.dtype else ""
    _refuse(
        position < 0,
        f"`{name}` may only name people of the {type(source).__name__.lower()}",
        "name a person who is not in it",
        f"Remove them, or add them to the persons table.{kind}",
    )
    day = _dates(frame["index_date"], name)
    _refuse(
        day == MISSING_DAY,
        f"`{name}` must give every person an index date",
        "have none",
        "Remove these people, or give them a date.",
    )
    return IndexDays(position, day)


class AroundIndex(NamedTuple):
    """A timeline that covers the days asked for around each index date.

    Attributes
    ----------
    timeline
        As given, or built from the register over just these days.
    position
        int64, shape (n,): person of the timeline for each index date.
    day
        int32, shape (n,): the index dates.
    """

    timeline: Timeline
    position: npt.NDArray[np.int64]
    day: Days


def timeline_around(
    source: Register | Timeline,
    index: Any,
    *,
    first: int,
    last: int,
    benefits: Sequence[str] | None = None,
) -> AroundIndex:
    """Return a timeline that covers days `first` to `last` (inclusive) from each index date, up to the end of data.

    Parameters
    ----------
    source
        A register, from which a timeline is built over these days, or a timeline that must cover them.
    index
        As in `index_days`.
    first, last
        Days from the index date; negative before it.
    benefits
        The benefits that grades add up; None takes all, or what the timeline counts.

    Raises
    ------
    ArgumentError
        When a timeline does not cover the days, or counts other benefits than `benefits`.
    """
    position, day = index_days(source, index)
    if isinstance(source, Timeline):
        _check_counted(source, benefits)
        _check_cover(source, position, day.astype(np.int64) + first, day.astype(np.int64) + last)
        return AroundIndex(source, position, day)
    data_end = int(to_days(pd.Series([source.data_end]))[0])
    from_day = np.minimum(day.astype(np.int64) + first, data_end)
    last_day = np.clip(day.astype(np.int64) + last, from_day, data_end)
    ids = person_ids(source)[position]
    window = pd.DataFrame({"person_id": ids, "from_date": from_days(from_day), "to_date": from_days(last_day)})
    return AroundIndex(build_timeline(source, window=window, benefits=benefits), np.arange(len(day)), day)


def _check_counted(timeline: Timeline, benefits: Sequence[str] | None) -> None:
    if benefits is not None and set(benefits) != set(timeline.counted):
        raise ArgumentError(
            f"`benefits` must be what the timeline counts ({', '.join(timeline.counted)}); "
            f"got {', '.join(benefits)}. Build the timeline with these benefits, or pass the register."
        )


def _check_cover(
    timeline: Timeline,
    position: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
) -> None:
    data_end = timeline.data_end
    early = np.minimum(first, data_end) < timeline.people.from_day[position]
    late = np.minimum(last, data_end) >= timeline.people.to_day[position]
    bad = early | late
    if bad.any():
        raise ArgumentError(
            f"The timeline must cover the days asked for, up to {iso(data_end)}; got {int(bad.sum())} of {len(bad)} "
            f"people for whom it starts too late ({int(early.sum())}) or ends too early ({int(late.sum())}). "
            "Build it with a wider `window`, or pass the register."
        )


def _index_frame(source: Register | Timeline, index: Any) -> tuple[pd.DataFrame, str]:
    if index is not None:
        return to_pandas(index, argument="index"), "index"
    if isinstance(source, Timeline):
        raise ArgumentError(
            "`index` must be given when the source is a Timeline, which holds no enrolment table; got None. "
            "Pass a frame with person_id and index_date, or the register."
        )
    if source.enrolment is None:
        raise RegisterError(
            "`index` is None and the register has no enrolment table to take index dates from. "
            "Pass a frame with person_id and index_date, or load an enrolment table."
        )
    return source.enrolment, "enrolment"


def _dates(column: pd.Series[Any], name: str) -> Days:
    try:
        return to_days(column)
    except (ValueError, TypeError) as error:
        raise ArgumentError(
            f"`{name}` must hold dates in `index_date`; got {column.dtype} that cannot be read as dates."
        ) from error


def _refuse(bad: npt.NDArray[np.bool_], rule: str, came: str, remedy: str) -> None:
    if bad.any():
        n, first = int(np.count_nonzero(bad)), int(np.argmax(bad)) + 1
        raise ArgumentError(f"{rule}; got {n} of {len(bad)} rows that {came} (first: row {first}). {remedy}")
