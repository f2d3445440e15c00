"""Which parameters of a cumulative link model have no finite estimate: told by the data, by linear programmes.

The likelihood rises for ever along a direction d when no row's probability falls along it: with u_i and l_i the linear
functions of the parameters above and below the category of row i, u_i(d) >= 0 and l_i(d) <= 0 for all rows (Albert and
Anderson 1984; for ordered categories Haberman 1980). These directions form a cone; a parameter that they move one way
only goes to infinity that way, and one that they move both ways has nothing left to be estimated by.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from rtwcohort.models.ordinal_likelihood import OrdinalData

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MOST_ROWS = 5_000
_MOVES = 1e-6


def separated_parameters(data: OrdinalData, scale: Floats) -> tuple[Bools, Bools] | None:
    """Return which natural parameters can rise, and which can fall, without any probability falling.

    Parameters
    ----------
    data
        The rows.
    scale
        Spread of the column of each natural parameter, 1 for thresholds.

    Returns
    -------
    tuple of numpy.ndarray or None
        Two of shape (parameters,); None where more than 5,000 distinct rows make it slow.
    """
    distinct = np.unique(np.column_stack([data.codes, data.matrix]), axis=0)
    if len(distinct) > _MOST_ROWS:
        return None
    limits = _rows(data, distinct[:, 0].astype(np.int64), distinct[:, 1:]) / scale
    limits /= np.abs(limits).max(axis=1, keepdims=True)
    ends = []
    for sign in (1.0, -1.0):
        found = np.zeros(scale.size, dtype=np.bool_)
        for j in range(scale.size):
            cost = np.zeros(scale.size)
            cost[j] = -sign
            solved = linprog(cost, A_ub=-limits, b_ub=np.zeros(len(limits)), bounds=(-1.0, 1.0))
            found[j] = solved.status == 0 and -solved.fun > _MOVES
        ends.append(found)
    return ends[0], ends[1]


def _rows(data: OrdinalData, codes: npt.NDArray[np.int64], matrix: Floats) -> Floats:
    """Return u_i, and minus l_i, as rows of coefficients of the natural parameters."""
    k, q = len(data.labels) - 1, len(data.nominal)
    nominal, location = matrix[:, list(data.nominal)], matrix[:, list(data.location)]
    parts = []
    for below in (0, 1):
        inside = (codes - below >= 0) & (codes - below < k)
        at = codes[inside] - below
        rows = np.zeros((at.size, k * (1 + q) + location.shape[1]))
        place = np.arange(at.size)
        rows[place, at] = 1.0
        for a in range(q):
            rows[place, k * (1 + a) + at] = -nominal[inside, a]
        rows[:, k * (1 + q) :] = -location[inside]
        parts.append(rows if below == 0 else -rows)
    return np.concatenate(parts)
