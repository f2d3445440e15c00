"""One pass over the rows that gives the likelihood with score and information, where event times are few.

Without delayed entry the expected number of events of a row is exp(x'b) times a number that depends on its event time
and on whether it has the event, see `cox_kernel`. So the sums of w, w x and w x x' over the events and over the others
of each group, its moments, are all that the rows are needed for: 2 k (p + 1)(p + 2)/2 numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel
from rtwcohort.models.cox_passes_kernel import add_dots, cumulate_back, dot, means, mirror, total
from rtwcohort.models.cox_ties_kernel import exponentials, tie_sums

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_TILE = 512


@kernel
def places_of(order: npt.NDArray[np.intp], places: npt.NDArray[np.signedinteger[Any]]) -> None:
    """Fill where in `order` a row is; what is in no risk set is left as it was."""
    for i in range(order.size):
        places[order[i]] = i


@kernel
def spread_columns(
    matrix: Floats,
    places: npt.NDArray[np.signedinteger[Any]],
    shift: Floats,
    factor: Floats,
    lo: int,
    hi: int,
    columns: Floats,
) -> None:
    """Copy columns `lo:hi` of (n, p), less `shift` and times `factor`, to the places of the rows in (p, m).

    Read as they lie and written to as many places as there are groups, which is faster than read from all over.
    """
    for j in range(lo, hi):
        column = columns[j]
        for i in range(places.size):
            place = places[i]
            if place >= 0:
                column[place] = (matrix[i, j] - shift[j]) * factor[j]


@kernel
def spread_matrix(
    matrix: Floats,
    places: npt.NDArray[np.signedinteger[Any]],
    shift: Floats,
    factor: Floats,
    lo: int,
    hi: int,
    columns: Floats,
) -> None:
    """Copy rows `lo:hi` as `spread_columns` does, row by row."""
    for i in range(lo, hi):
        place = places[i]
        if place >= 0:
            for j in range(matrix.shape[1]):
                columns[j, place] = (matrix[i, j] - shift[j]) * factor[j]


@kernel
def first_moments(
    columns: Floats, offset: Floats, case: Floats, start: Ints, deaths: Ints, lo: int, hi: int
) -> tuple[int, Floats, Floats]:
    """Return first group and moments as `block_moments` with coefficients 0, and sums of the columns, shape (3, p).

    Those are the sums, the sums of squares and the weighted sums over events.
    """
    p = columns.shape[0]
    totals = np.zeros((3, p))
    scratch, bits, ones = np.empty((3, _TILE)), np.empty(_TILE, dtype=np.int64), np.ones(_TILE)
    nothing = np.empty(0)
    group, end = group_range(start, lo, hi)
    moments = np.zeros((2 * (end - group), n_moments(p)))
    for part in range(2 * (end - group)):
        begin, stop = segment(start, deaths, group, part, lo, hi)
        for first in range(begin, stop, _TILE):
            m = min(_TILE, stop - first)
            observed = nothing if part % 2 else case[first : first + m] if case.size else ones
            add_totals(columns, ones, observed, first, m, totals)
            tile_weights(columns, nothing, offset, case, first, m, scratch, bits)
            add_moments(columns, scratch, first, m, moments[part])
    return group, moments, totals


@kernel
def add_totals(columns: Floats, ones: Floats, observed: Floats, first: int, m: int, totals: Floats) -> None:
    """Add the sums and sums of squares of m rows, and the sums weighted by `observed` unless that is empty."""
    for j in range(columns.shape[0]):
        column = columns[j, first : first + m]
        totals[0, j] += dot(column, ones, 0, m)
        totals[1, j] += dot(column, column, 0, m)
        if observed.size:
            totals[2, j] += dot(column, observed, 0, m)


@kernel
def block_moments(
    columns: Floats, coef: Floats, offset: Floats, case: Floats, start: Ints, deaths: Ints, lo: int, hi: int
) -> tuple[int, Floats]:
    """Return the first group that rows `lo:hi` reach into, and the moments of their groups.

    Two rows a group, its events and the others: sum of w = case exp(x'b + offset), of w x, and of w x x' by its lower
    triangle.
    """
    scratch, bits = np.empty((3, _TILE)), np.empty(_TILE, dtype=np.int64)
    group, end = group_range(start, lo, hi)
    moments = np.zeros((2 * (end - group), n_moments(columns.shape[0])))
    for part in range(2 * (end - group)):
        begin, stop = segment(start, deaths, group, part, lo, hi)
        for first in range(begin, stop, _TILE):
            m = min(_TILE, stop - first)
            tile_weights(columns, coef, offset, case, first, m, scratch, bits)
            add_moments(columns, scratch, first, m, moments[part])
    return group, moments


@kernel
def n_moments(p: int) -> int:
    """Return how many numbers the moments of a group's events are."""
    return (p + 1) * (p + 2) // 2


@kernel
def group_range(start: Ints, lo: int, hi: int) -> tuple[int, int]:
    """Return the first group that rows `lo:hi` reach into and one past the last."""
    return int(np.searchsorted(start, lo, side="right")) - 1, int(np.searchsorted(start, hi, side="left"))


@kernel
def segment(start: Ints, deaths: Ints, group: int, part: int, lo: int, hi: int) -> tuple[int, int]:
    """Return which of the rows `lo:hi` are the events (even part) or the others (odd) of a group."""
    g = group + part // 2
    middle = start[g] + deaths[g]
    if part % 2 == 0:
        return max(lo, start[g]), min(hi, middle)
    return max(lo, middle), min(hi, start[g + 1])


@kernel
def tile_weights(
    columns: Floats, coef: Floats, offset: Floats, case: Floats, first: int, m: int, scratch: Floats, bits: Ints
) -> None:
    """Fill `scratch[0]` with case exp(x'b + offset) of m rows; coefficients are 0 where `coef` is empty."""
    weight, eta = scratch[0], scratch[1]
    if coef.size == 0 and offset.size == 0:
        weight[:m] = 1.0
    else:
        eta[:m] = 0.0
        if offset.size:
            eta[:m] = offset[first : first + m]
        for j in range(0, coef.size - 1, 2):
            one, two = columns[j, first : first + m], columns[j + 1, first : first + m]
            b, c = coef[j], coef[j + 1]
            for i in range(m):
                eta[i] += b * one[i] + c * two[i]
        if coef.size % 2:
            last = columns[coef.size - 1, first : first + m]
            b = coef[coef.size - 1]
            for i in range(m):
                eta[i] += b * last[i]
        exponentials(eta, m, bits, weight)
    if case.size:
        own = case[first : first + m]
        for i in range(m):
            weight[i] *= own[i]


@kernel
def add_moments(columns: Floats, scratch: Floats, first: int, m: int, moments: Floats) -> None:
    """Add the moments of m rows with weights `scratch[0]`."""
    p = columns.shape[0]
    weight, weighted = scratch[0], scratch[2]
    place = 1 + p
    for j in range(p):
        column = columns[j, first : first + m]
        for i in range(m):
            weighted[i] = weight[i] * column[i]
        moments[1 + j] += total(weighted, m)
        add_dots(weighted, columns, j + 1, first, m, moments[place : place + j + 1])
        place += j + 1
    moments[0] += total(weight, m)


@kernel
def likelihood_of_moments(
    moments: Floats, steps: Ints, mass: Floats, first: Bools, score: Floats, information: Floats
) -> float:
    """Return the sum of log denominators; fill the expected part of the score and the information.

    Parameters
    ----------
    moments
        Shape (2 k, (p + 1)(p + 2)/2), of all rows.
    score, information
        Shape (p,), to be taken from the sums over events, and (p, p), zeros at first.
    """
    k, p = steps.size, score.size
    once, tied, cumulated, until = np.empty(k), np.empty(k), np.empty(k), np.empty(k + 1)
    logs = s0 = 0.0
    s1, mean, tied_mean = np.zeros(p), np.empty(p), np.empty(p)
    for g in range(k):
        events, others = moments[2 * g], moments[2 * g + 1]
        if first[g]:
            s0 = 0.0
            s1[:] = 0.0
        s0 += events[0] + others[0]
        for j in range(p):
            s1[j] += events[1 + j] + others[1 + j]
        log_sum, once[g], tied[g], b0, b1, b2 = tie_sums(s0, events[0], steps[g], mass[g])
        logs += log_sum
        means(s0, s1, events[1 : 1 + p], mean, tied_mean)
        for j in range(p):
            left = b0 * mean[j] - b1 * tied_mean[j]
            right = b2 * tied_mean[j] - b1 * mean[j]
            for c in range(j + 1):
                information[j, c] -= left * mean[c] + right * tied_mean[c]
    cumulate_back(once, first, cumulated, until)
    for g in range(k):
        events, others = moments[2 * g], moments[2 * g + 1]
        all_of, own = cumulated[g], cumulated[g] - tied[g]
        place = 1 + p
        for j in range(p):
            score[j] += own * events[1 + j] + all_of * others[1 + j]
            for c in range(j + 1):
                information[j, c] += own * events[place + c] + all_of * others[place + c]
            place += j + 1
    mirror(information)
    return logs
