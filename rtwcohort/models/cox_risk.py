"""Risk sets of a Cox fit at its estimates, for residuals, hazards, curves and the test of proportional hazards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.models.cox_data import CoxData
from rtwcohort.models.cox_events_kernel import EventTimes, RiskSums, index_events, risk_sums, while_at_risk
from rtwcohort.models.cox_rows import in_copies, linear_predictor, stratum_labels
from rtwcohort.models.cox_sets_kernel import counting_order

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CoxRisk:
    """Sums over the risk sets of a fit.

    Attributes
    ----------
    data
        Rows of the fit.
    strata
        Labels of the strata, ("all",) without.
    centre
        Weighted mean of each column, shape (p,).
    columns
        Columns less `centre`, shape (p, n).
    shift
        Linear predictor at `centre` and the mean offset.
    risk
        exp(linear predictor - shift), shape (n,), without case weights.
    events
        Event times of each stratum.
    sums
        Sums with `columns` and weight x `risk`: hazards made of them hold at `shift`.
    """

    data: CoxData
    strata: tuple[str, ...]
    centre: Floats
    columns: Floats
    shift: float
    risk: Floats
    events: EventTimes
    sums: RiskSums

    def own(self, values: Floats) -> Floats:
        """Return what belongs to its event time for each row with the event and 0 for the others, shape (n,)."""
        out = np.zeros(self.risk.size)
        out[self.events.rows] = values[self.events.at]
        return out


def risk_of(fit: Any) -> CoxRisk:
    """Return the risk sets of a Cox fit."""
    data: CoxData = fit.data
    weights, strata = data.weights, stratum_labels(data)
    centre = np.average(data.matrix, axis=0, weights=weights)
    shift = float(centre @ fit.coef)
    if data.offset is not None:
        shift += float(np.average(data.offset, weights=weights))
    columns = np.empty(data.matrix.shape[::-1])
    np.subtract(data.matrix.T, centre[:, None], out=columns)
    risk = np.exp(linear_predictor(data, fit.coef) - shift)
    events = index_events(data.time, data.event, data.entry, data.strata, len(strata))
    weighted = risk if weights is None else risk * weights
    sums = risk_sums(columns, weighted, weights, events, efron=fit.ties == "efron", copies=in_copies(data))
    return CoxRisk(data, strata, centre, columns, shift, risk, events, sums)


def martingale(at: CoxRisk) -> Floats:
    """Return observed less expected events of each row, shape (n,)."""
    ties = at.sums.ties
    expected = while_at_risk(ties.a0, at.events) - at.own(ties.a1)
    return np.asarray(at.data.event - at.risk * expected)


def event_means(at: CoxRisk) -> Floats:
    """Return the mean of the (centred) columns over each risk set, the mean of the d means for ties, shape (p, k)."""
    sums, ties = at.sums, at.sums.ties
    return np.asarray((ties.a0 * sums.s1 - ties.a1 * sums.d1) / sums.weight)


def schoenfeld(at: CoxRisk) -> tuple[Floats, Ints, Ints]:
    """Return x less its mean over the risk set for each event, shape (d, p), and the rows and event times of those.

    They are ordered by stratum, time and row.
    """
    order, _ = counting_order(at.events.at, at.events.time.size)
    rows, places = at.events.rows[order], at.events.at[order]
    return np.ascontiguousarray((at.columns[:, rows] - event_means(at)[:, places]).T), rows, places
