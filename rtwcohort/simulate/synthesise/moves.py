"""Which moves a register shows, and the groups that covariates act on."""

from __future__ import annotations

from typing import Final

import numpy as np

from rtwcohort.simulate.process.states import GRADED, STATES
from rtwcohort.simulate.synthesise.exposure import ALLOWANCE, PENSION, SICKNESS
from rtwcohort.simulate.synthesise.sequences import DEAD, EMIGRATED, FAMILY, OUTSIDE, RETIRED, WORK, Ints

GROUPS: Final = (
    "onset",
    "return",
    "grading",
    "to_allowance",
    "from_allowance",
    "to_pension",
    "death",
    "emigration",
    "retirement",
    "other",
)
WITH_COVARIATES: Final = ("onset", "return", "grading", "to_allowance", "from_allowance", "to_pension")
WITH_AGE: Final = ("death", "emigration")
"""Groups whose hazards are too rare for more than age and sex."""


def group_table() -> Ints:
    """Return the group of every move, shape (states, states); -1 where the simulator has no such move."""
    n = len(STATES)
    out = np.full((n, n), -1, dtype=np.int64)
    for origin in range(DEAD):
        for to in range(n):
            same = origin == to and STATES[origin] not in GRADED
            if not same and (origin != RETIRED or to >= DEAD):
                out[origin, to] = GROUPS.index(_group(origin, to))
    return out


def _group(origin: int, to: int) -> str:
    fixed = {DEAD: "death", EMIGRATED: "emigration", RETIRED: "retirement"}
    if to in fixed:
        return fixed[to]
    come, go = int(FAMILY[origin]), int(FAMILY[to])
    free = (WORK, OUTSIDE)
    if come == go == SICKNESS:
        return "grading"
    if go == PENSION and come != PENSION:
        return "to_pension"
    named = (
        ("onset", origin in free and go == SICKNESS),
        ("return", come == SICKNESS and to in free),
        ("to_allowance", come == SICKNESS and go == ALLOWANCE),
        ("from_allowance", come == ALLOWANCE and to in free),
    )
    return next((name for name, holds in named if holds), "other")
