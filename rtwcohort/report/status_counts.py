"""Work status by visit and arm, counted once for the table and the figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.baseline_table import arm_series
from rtwcohort.report.disclosure import SHOWN, Suppression, is_small, withhold_table

STATUS_LABELS: Final = {"not": "Not in work", "partly": "Partly in work", "fully": "Fully in work"}
UNKNOWN: Final = "Not known"
NOT_OR_UNKNOWN: Final = "Not in work, or not known"
EVERYBODY: Final = "All"


@dataclass(frozen=True, slots=True)
class VisitCounts:
    """Counts of one visit.

    Attributes
    ----------
    day
        Since the index date.
    levels
        Words for each status, and "Not known" last where that occurs. Where so few are not known that their number
        may not be told, they are counted with those not in work, and the first word says so: withholding them
        alone would withhold another status as well.
    groups
        Names of the arms; one group, everybody, without arms.
    counts
        Shape (levels, groups).
    pattern
        What may be printed of them and of their totals.
    """

    day: float
    levels: tuple[str, ...]
    groups: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    pattern: Suppression

    def pooled(self, group: int) -> int:
        """Return the sum of what is withheld of a group, which its printed numbers give away anyway."""
        return int(self.counts[self.pattern.cells[:, group] != SHOWN, group].sum())


def count_status(status: pd.DataFrame, *, arm: str | None, threshold: int) -> tuple[VisitCounts, ...]:
    """Count people by status, arm and visit.

    Parameters
    ----------
    status
        One row a person and visit: `day`, `status` ("not", "partly", "fully" or a missing value), and the arm.
    arm
        Column of the arms, or None.
    """
    check_columns(status.columns, ["day", "status", *([arm] if arm else [])], argument="status")
    words = _levels(status["status"])
    groups: tuple[str, ...]
    if arm is None:
        groups, of_group = (EVERYBODY,), np.zeros(len(status), dtype=np.int64)
    else:
        arms = arm_series(status[arm])
        groups, of_group = tuple(str(name) for name in arms.cat.categories), np.asarray(arms.cat.codes, dtype=np.int64)
        if (of_group < 0).any():
            of_group = np.where(of_group < 0, len(groups), of_group)
            groups = (*groups, "Arm not known")
    keys = list(words)
    of_level = np.asarray(
        [keys.index(value) if value in words else len(keys) for value in status["status"].astype(object)]
    )
    has_unknown = bool((of_level == len(keys)).any())
    levels = (*words.values(), *([UNKNOWN] if has_unknown else []))
    # Who is fully in work is what readers look for; another status is withheld first where one must be.
    dear = [at == len(words) - 1 for at in range(len(levels))]
    visits = []
    for day in sorted(status["day"].unique()):
        here = (status["day"] == day).to_numpy()
        counts = np.zeros((len(levels), len(groups)), dtype=np.int64)
        np.add.at(counts, (of_level[here], of_group[here]), 1)
        named = levels
        if has_unknown and keys[0] == "not" and any(is_small(int(n), threshold) for n in counts[-1]):
            counts[0] += counts[-1]
            counts[-1] = 0
            named = (NOT_OR_UNKNOWN, *levels[1:])
        visits.append(VisitCounts(float(day), named, groups, counts, withhold_table(counts, threshold, dear_rows=dear)))
    return tuple(visits)


def joined_note(visits: tuple[VisitCounts, ...], threshold: int) -> tuple[str, ...]:
    """Return a sentence on visits whose unknown statuses are counted with those not in work, if there are any."""
    if not any(visit.levels[0] == NOT_OR_UNKNOWN for visit in visits):
        return ()
    return (
        f"Where the status of 1 to {threshold - 1} people of an arm is not known, they are counted as not in work.",
    )


def _levels(values: pd.Series[Any]) -> dict[Any, str]:
    """Return the statuses in order with their words."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        names = list(values.cat.categories)
    else:
        present = set(values.dropna())
        names = [name for name in STATUS_LABELS if name in present] + sorted(present - set(STATUS_LABELS))
    return {name: STATUS_LABELS.get(str(name), str(name)) for name in names}
