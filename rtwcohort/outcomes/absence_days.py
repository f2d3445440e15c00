"""Days of absence in windows from the index date: calendar days and grade-weighted days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.index import timeline_around
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.outcomes.timeline_lookup_kernel import sum_absence
from rtwcohort.register.register import Register


def absence_days(
    source: Register | Timeline,
    *,
    windows: Sequence[tuple[int, int]] = ((0, 365),),
    index: Any = None,
    benefits: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Add up the days of absence of each person in windows from the index date.

    Parameters
    ----------
    source
        A cleaned register, or a timeline that covers the windows.
    windows
        Half-open windows in days from the index date: (0, 365) is the index date and the 364 days
        after it, (-730, 0) the two years before it. They may overlap.
    index
        Frame with `person_id` and `index_date`; None takes the register's enrolment table.
    benefits
        The benefits that are absence; None takes all, or what the timeline counts.

    Returns
    -------
    pandas.DataFrame
        One row a person and window, in the order of `index` and `windows`: `person_id`, `from_day`, `to_day`,
        `observed_days` (days of the window before death, emigration and the end of data),
        `absence_days` (observed days with a grade above 0) and `weighted_days` (their grades / 100 added up).
        Sums are over observed days and never scaled up: compare `observed_days` with the length.

    Raises
    ------
    ArgumentError
        When a window is empty or not whole, or a timeline does not cover the windows.

    Notes
    -----
    A register has a last day known and no first one: days before its first spell count as
    observed days without benefit.

    Examples
    --------
    >>> import pandas as pd
    >>> spells = pd.DataFrame(
    ...     {
    ...         "person_id": [7, 7],
    ...         "benefit": ["sickness_benefit", "sickness_benefit"],
    ...         "start": pd.to_datetime(["2020-01-01", "2020-03-01"]),
    ...         "end": pd.to_datetime(["2020-02-29", "2020-03-31"]),
    ...         "grade": [100.0, 40.0],
    ...     }
    ... )
    >>> people = pd.DataFrame({"person_id": [7]})
    >>> register = Register(people, spells, None, None, None, pd.Timestamp("2020-06-30"))
    >>> index = pd.DataFrame({"person_id": [7], "index_date": ["2020-01-15"]})
    >>> found = absence_days(register, windows=[(-30, 0), (0, 365)], index=index)
    >>> found.drop(columns="person_id")
       from_day  to_day  observed_days  absence_days  weighted_days
    0       -30       0             30            14           14.0
    1         0     365            168            77           58.4
    """
    edges = _check_windows(windows)
    timeline, position, day = timeline_around(
        source, index, first=int(edges[:, 0].min()), last=int(edges[:, 1].max()) - 1, benefits=benefits
    )
    first = day.astype(np.int64)[:, None] + edges[:, 0]
    last = day.astype(np.int64)[:, None] + edges[:, 1]
    observed, absent = np.zeros(first.shape, np.int64), np.zeros(first.shape, np.int64)
    weighted = np.zeros(first.shape)
    sum_absence(
        timeline.offset,
        timeline.start,
        timeline.end,
        timeline.state,
        timeline.grade,
        position,
        first,
        last,
        observed,
        absent,
        weighted,
    )
    return pd.DataFrame(
        {
            "person_id": np.repeat(timeline.people.person_id[position], len(edges)),
            "from_day": np.tile(edges[:, 0], len(position)),
            "to_day": np.tile(edges[:, 1], len(position)),
            "observed_days": observed.ravel(),
            "absence_days": absent.ravel(),
            "weighted_days": weighted.ravel(),
        }
    )


def _check_windows(windows: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
    if not isinstance(windows, Sequence | np.ndarray) or not len(windows):
        raise ArgumentError(f"`windows` must be a list of at least one pair of days such as (0, 365); got {windows!r}.")
    for pair in windows:
        if not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
            raise ArgumentError(f"`windows` must hold pairs of days such as (0, 365); got {pair!r}.")
        for edge in pair:
            check_number(edge, argument="windows", whole=True)
        if pair[0] >= pair[1]:
            raise ArgumentError(f"`windows` must end after they start (half-open); got {tuple(pair)!r}.")
    return np.array([(int(low), int(high)) for low, high in windows], dtype=np.int64)
