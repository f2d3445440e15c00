"""Index dates: which person of a register or timeline, from which day."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.core.days import MISSING_DAY, Days, to_days
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError, RegisterError
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.outcomes.timeline_input import locate_people
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
    position = locate_people(known, ids.to_numpy())
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
