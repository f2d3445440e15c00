"""Work status at fixed days from the index date: not, partly or fully in work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import MISSING_DAY, from_days
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.index import timeline_around
from rtwcohort.outcomes.timeline import Timeline
from rtwcohort.outcomes.timeline_lookup_kernel import rows_at
from rtwcohort.register.register import Register

STATUSES: Final = ("not", "partly", "fully")
"""Work status in rising order."""

REASONS: Final = ("death", "emigration", "end_of_data")
"""Why a status is missing, the strongest first."""


def work_status(
    source: Register | Timeline,
    *,
    days: Sequence[int],
    index: Any = None,
    partly_from: float = 0.0,
    fully_from: float = 100.0,
    benefits: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Tell whether each person is not, partly or fully in work on fixed days from the index date.

    Parameters
    ----------
    source
        A cleaned register, or a timeline that covers the days.
    days
        Days from the index date, 0 for the date itself, negative before it.
    index
        Frame with `person_id` and `index_date`; None takes the register's enrolment table.
    partly_from
        Least percent of their position that a person works (100 - grade) to count as partly in work;
        it must also be above 0.
    fully_from
        Least percent of their position to count as fully in work. The default takes no benefit at all.
    benefits
        The benefits that stand in the way of work; None takes all, or what the timeline counts.

    Returns
    -------
    pandas.DataFrame
        One row a person and day, in the order of `index` and `days`: `person_id`, `day` (int64), `date`,
        `status` (ordered Categorical, "not" < "partly" < "fully") and `reason`: why the status is
        missing ("death", "emigration", "end_of_data"), None where it is not.

    Raises
    ------
    ArgumentError
        When a day is not whole, the thresholds are out of order, or a timeline does not cover the days.

    Notes
    -----
    With g the combined grade and w the work share on the day: "fully" when 100 - g >= `fully_from` and
    w > 0; else "partly" when 100 - g >= `partly_from`, g < 100 and w > 0; else "not". Thresholds look at the
    share of the person's own position, so that a half-time worker without benefits is fully in
    work. Where the register has an employment table, a person without a job that day has w = 0 and is
    not in work; without such a table everybody is taken to have a full position, so a person who left the
    labour force without any benefit counts as fully in work.

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
    >>> work_status(register, days=[0, 60, 90, 365], index=index)[["day", "status", "reason"]]
       day  status       reason
    0    0     not         None
    1   60  partly         None
    2   90   fully         None
    3  365     NaN  end_of_data
    """
    asked = _check_days(days)
    check_number(partly_from, argument="partly_from", least=0.0, most=100.0)
    check_number(fully_from, argument="fully_from", least=float(partly_from), most=100.0)
    timeline, position, index_day = timeline_around(
        source, index, first=int(asked.min()), last=int(asked.max()), benefits=benefits
    )
    date = index_day.astype(np.int64)[:, None] + asked[None, :]
    row = rows_at(timeline.offset, timeline.start, position, np.minimum(date, timeline.data_end))
    share = 100.0 - timeline.grade[row].astype(np.float64)
    works = timeline.work_share[row] > 0
    code = np.zeros(row.shape, np.int64)
    code[works & (share >= partly_from) & (share > 0)] = 1
    code[works & (share >= fully_from)] = 2
    reason = _why_missing(timeline, position, date)
    code[reason >= 0] = -1
    return pd.DataFrame(
        {
            "person_id": np.repeat(timeline.people.person_id[position], len(asked)),
            "day": np.tile(asked, len(position)),
            "date": from_days(date.ravel()),
            "status": pd.Categorical.from_codes(code.ravel(), categories=pd.Index(STATUSES), ordered=True),
            "reason": np.array([*REASONS, None], dtype=object)[reason.ravel()],
        }
    )


def count_work_status(status: pd.DataFrame) -> pd.DataFrame:
    """Count people by day and status, and those without a status by reason.

    Parameters
    ----------
    status
        What `work_status` returned, or some of its rows.

    Returns
    -------
    pandas.DataFrame
        One row a day: `day`, `n_people`, `not`, `partly`, `fully`, `death`, `emigration`, `end_of_data`;
        the last six add up to `n_people`.
    """
    label = status["status"].astype(object).where(status["status"].notna(), status["reason"])
    names = [*STATUSES, *REASONS]
    counts = pd.crosstab(status["day"], label).reindex(columns=names, fill_value=0)
    counts.insert(0, "n_people", counts.sum(axis=1))
    counts.columns.name = None
    return counts.reset_index()


def _check_days(days: Sequence[int]) -> npt.NDArray[np.int64]:
    if not isinstance(days, Sequence | np.ndarray) or not len(days):
        raise ArgumentError(f"`days` must be a list of at least one whole number of days; got {days!r}.")
    for day in days:
        check_number(day, argument="days", whole=True)
    return np.array([int(day) for day in days], dtype=np.int64)


def _why_missing(
    timeline: Timeline, position: npt.NDArray[np.int64], date: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the number of the reason for each date, -1 where the status is known."""
    reason = np.where(date > timeline.data_end, 2, -1)
    for number, column in ((1, timeline.people.emigration_day), (0, timeline.people.death_day)):
        left = column[position][:, None]
        reason[(left != MISSING_DAY) & (left <= np.minimum(date, timeline.data_end))] = number
    return reason
