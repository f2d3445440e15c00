"""Score residuals of the Cox model, correct for ties, in O((rows + event times) p).

With the sums of `cox_kernel` at each event time, the l-th term of the mean being (S1 - f D1)/(S0 - f D0), f = l/d,

    Z = b0 S1 - b1 D1,    E = b1 S1 - b2 D1,    M = (a0 S1 - a1 D1)/(d mean c)   (the mean over l of those means)

and C(t) = sum of Z over event times up to t, the residual of a row is (Therneau and Grambsch 2000, section 4.6, with
Efron's weights kept: a tied event is at risk for the share 1 - f of its own term)

    event (x - M) - exp(x'b) {(A - event a1) x - (C - event E)},

A and C taken between entry and exit. lifelines and statsmodels take a1 = b1 = b2 = 0 here whatever the ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel
from rtwcohort.models.cox_kernel import CoxLikelihood
from rtwcohort.models.cox_passes_kernel import (
    CANCELLED,
    cumulate_back,
    dot,
    leaving_columns,
    leaving_weight,
    recount,
    sum_between,
)
from rtwcohort.models.cox_ties_kernel import tie_sums

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ANEW, _RECOUNT = 1, 2


def weighted_score_residuals(likelihood: CoxLikelihood, coef: Floats, *, in_place: bool = False) -> Floats:
    """Return case weight times score residual of every row at risk.

    Parameters
    ----------
    likelihood
        With its columns per standard deviation.
    coef
        Shape (p,), per standard deviation.
    in_place
        Overwrite the columns, so that no memory is taken; the likelihood is of no use afterwards.

    Returns
    -------
    numpy.ndarray
        Shape (p, m), in the order of the risk sets, for columns per standard deviation. Rows that are in no risk set
        have residuals of 0 and are not here. The sum over rows is the score.
    """
    sets = likelihood.sets
    _, weight = likelihood.hazards(coef)
    sums, flags = event_time_sums(likelihood, weight)
    out = likelihood.columns if in_place else likelihood.columns.copy()
    likelihood.run_columns(
        residual_columns,
        lambda lo, hi: (
            out, weight, likelihood.case, sets.start, sets.deaths, likelihood.steps * likelihood.mass,
            sets.first(), sets.leave, sums, flags, lo, hi,
        ),
    )  # fmt: skip
    return out


def event_time_sums(likelihood: CoxLikelihood, weight: Floats) -> tuple[Floats, Ints]:
    """Return S0, D0 and what `tie_sums` gives at each event time, shape (7, k), and marks for later passes."""
    sets = likelihood.sets
    k = sets.times.size
    sums, flags = np.empty((7, k)), np.zeros(k, dtype=np.int64)
    leaving, removed = np.zeros(0, dtype=np.int64), np.zeros(k + 1)
    if sets.leave.size:
        leaving = np.bincount(sets.leave, minlength=k + 1)
        leaving_weight(weight, sets.leave, removed)
    weight_sums(
        likelihood.columns[:0], weight, sets.start, sets.deaths, likelihood.steps, likelihood.mass, sets.first(),
        sets.leave, leaving, removed, sums, flags,
    )  # fmt: skip
    return sums, flags


@kernel
def weight_sums(
    no_columns: Floats,
    weight: Floats,
    start: Ints,
    deaths: Ints,
    steps: Ints,
    mass: Floats,
    first: Bools,
    leave: Ints,
    leaving: Ints,
    removed: Floats,
    sums: Floats,
    flags: Ints,
) -> None:
    """Fill S0, D0 and the tie sums; mark where the sums begin anew and where they are to be counted again."""
    delayed = leave.size > 0
    s0 = peak = 0.0
    nothing = np.empty(0)
    at_risk = begin = 0
    for g in range(deaths.size):
        lo, hi = start[g], start[g + 1]
        if delayed:
            at_risk = 0 if first[g] else at_risk - leaving[g]
        if first[g]:
            begin = lo
        if first[g] or (delayed and at_risk == 0):
            s0 = peak = 0.0
            flags[g] = _ANEW
        elif delayed:
            s0 -= removed[g]
        d0 = weight[lo : lo + deaths[g]].sum()
        s0 += d0 + weight[lo + deaths[g] : hi].sum()
        at_risk += hi - lo
        peak = max(peak, s0)
        if delayed and s0 < CANCELLED * peak:
            s0 = peak = recount(no_columns, weight, leave, begin, hi, g, nothing)
            flags[g] = _RECOUNT
        sums[0, g], sums[1, g] = s0, d0
        _, sums[2, g], sums[3, g], sums[4, g], sums[5, g], sums[6, g] = tie_sums(s0, d0, steps[g], mass[g])


@kernel
def column_sums(
    columns: Floats,
    weight: Floats,
    start: Ints,
    deaths: Ints,
    first: Bools,
    leave: Ints,
    flags: Ints,
    j: int,
    s1: Floats,
    d1: Floats,
) -> None:
    """Fill S1 and D1 of column j at each event time."""
    column = columns[j]
    removed = np.zeros((1, deaths.size + 1))
    if leave.size:
        leaving_columns(columns[j : j + 1], weight, leave, 0, 1, removed)
    total = np.zeros(1)
    begin = 0
    for g in range(deaths.size):
        lo, hi = start[g], start[g + 1]
        mid = lo + deaths[g]
        if first[g]:
            begin = lo
        if flags[g] == _ANEW:
            total[0] = 0.0
        elif leave.size:
            total[0] -= removed[0, g]
        d1[g] = dot(column, weight, lo, mid)
        total[0] += d1[g] + dot(column, weight, mid, hi)
        if flags[g] == _RECOUNT:
            recount(columns[j : j + 1], weight, leave, begin, hi, g, total)
        s1[g] = total[0]


@kernel
def residual_columns(
    columns: Floats,
    weight: Floats,
    case: Floats,
    start: Ints,
    deaths: Ints,
    events: Floats,
    first: Bools,
    leave: Ints,
    sums: Floats,
    flags: Ints,
    lo: int,
    hi: int,
) -> None:
    """Turn columns `lo:hi` into weighted score residuals in place."""
    k = deaths.size
    s1, d1 = np.empty(k), np.empty(k)
    total, until = np.empty(k), np.empty(k + 1)
    drift, drift_until = np.empty(k), np.empty(k + 1)
    cumulate_back(sums[2], first, total, until)
    for j in range(lo, hi):
        column = columns[j]
        column_sums(columns, weight, start, deaths, first, leave, flags, j, s1, d1)
        mean = (sums[2] * s1 - sums[3] * d1) / events
        s1 /= sums[0]
        d1 /= sums[0]
        own = (sums[5] * s1 - sums[6] * d1) / sums[0]
        z = (sums[4] * s1 - sums[5] * d1) / sums[0]
        cumulate_back(z, first, drift, drift_until)
        if not leave.size:
            for g in range(k):
                lines_of_group(
                    column, weight, case, start[g], start[g] + deaths[g], start[g + 1],
                    total[g], sums[3, g], drift[g], own[g], mean[g],
                )  # fmt: skip
            continue
        for g in range(k):
            mid = start[g] + deaths[g]
            for i in range(start[g], start[g + 1]):
                slope, constant = total[g] - until[leave[i]], drift[g] - drift_until[leave[i]]
                if slope < CANCELLED * total[g]:
                    slope = sum_between(sums[2], g, leave[i])
                    constant = sum_between(z, g, leave[i])
                if i < mid:
                    seen = column[i] - mean[g]
                    if case.size:
                        seen *= case[i]
                    column[i] = seen - weight[i] * ((slope - sums[3, g]) * column[i] - (constant - own[g]))
                else:
                    column[i] = -weight[i] * (slope * column[i] - constant)


@kernel
def lines_of_group(
    column: Floats,
    weight: Floats,
    case: Floats,
    lo: int,
    mid: int,
    hi: int,
    slope: float,
    tied: float,
    constant: float,
    own: float,
    mean: float,
) -> None:
    """Turn rows `lo:hi`, of which `lo:mid` have the event, into residuals: without delayed entry they lie on lines."""
    for i in range(lo, mid):
        x = column[i]
        seen = x - mean
        if case.size:
            seen *= case[i]
        column[i] = seen - weight[i] * ((slope - tied) * x - (constant - own))
    for i in range(mid, hi):
        column[i] = -weight[i] * (slope * column[i] - constant)


@kernel
def sums_by_cluster(columns: Floats, codes: npt.NDArray[np.integer[Any]], sums: Floats, lo: int, hi: int) -> None:
    """Add up columns `lo:hi` by the cluster codes of their rows, in the order of the columns, into `sums` (p, G)."""
    for j in range(lo, hi):
        column, total = columns[j], sums[j]
        for i in range(codes.size):
            total[codes[i]] += column[i]


@kernel
def spread_rows(columns: Floats, order: Ints, scale: Floats, case: Floats, out: Floats) -> None:
    """Put (p, m) in risk-set order back into rows (n, p), times the scale and over the case weight."""
    for j in range(columns.shape[0]):
        for i in range(order.size):
            value = columns[j, i] * scale[j]
            out[order[i], j] = value / case[i] if case.size else value
