"""Compiled passes over rows in the order of the risk sets; `cox_kernel` says what they are for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import ieee_kernel, kernel, summing_kernel
from rtwcohort.models.cox_ties_kernel import exponentials, tie_sums

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_TILE = 1024
CANCELLED = 1e-5


@kernel
def gather(matrix: Floats, order: npt.NDArray[np.intp], lo: int, hi: int, columns: Floats) -> Floats:
    """Copy rows `order[lo:hi]` of (n, p) into (p, n) and return the column sums."""
    p = matrix.shape[1]
    total = np.zeros(p)
    for first in range(lo, hi, _TILE):
        last = min(first + _TILE, hi)
        for j in range(p):
            s = 0.0
            for i in range(first, last):
                x = matrix[order[i], j]
                columns[j, i] = x
                s += x
            total[j] += s
    return total


@kernel
def centre(columns: Floats, mean: Floats, lo: int, hi: int) -> Floats:
    """Subtract the means in place and return the sums of squares."""
    p = columns.shape[0]
    squares = np.zeros(p)
    for j in range(p):
        column = columns[j]
        m = mean[j]
        for i in range(lo, hi):
            column[i] -= m
        squares[j] = dot(column, column, lo, hi)
    return squares


@kernel
def divide(columns: Floats, scale: Floats, lo: int, hi: int) -> None:
    """Divide each column by its scale in place."""
    for j in range(columns.shape[0]):
        column = columns[j]
        factor = 1.0 / scale[j]
        for i in range(lo, hi):
            column[i] *= factor


@summing_kernel
def dot(a: Floats, b: Floats, lo: int, hi: int) -> float:
    """Return the inner product of two segments."""
    total = 0.0
    for i in range(lo, hi):
        total += a[i] * b[i]
    return total


@kernel
def linear_predictor(
    columns: Floats, coef: Floats, lo: int, hi: int, offset: Floats, case: Floats, eta: Floats, weight: Floats
) -> None:
    """Fill `eta = x'b + offset` and `weight = case exp(eta)` for rows `lo:hi`."""
    bits = np.empty(min(_TILE, hi - lo), dtype=np.int64)
    for first in range(lo, hi, _TILE):
        last = min(first + _TILE, hi)
        for i in range(first, last):
            eta[i] = 0.0
        if offset.size:
            eta[first:last] = offset[first:last]
        for j in range(columns.shape[0]):
            column = columns[j]
            b = coef[j]
            for i in range(first, last):
                eta[i] += b * column[i]
        exponentials(eta[first:last], last - first, bits, weight[first:last])
        if case.size:
            for i in range(first, last):
                weight[i] *= case[i]


@kernel
def deaths_weight(case: Floats, start: Ints, deaths: Ints) -> Floats:
    """Return the sum of case weights over the events at each event time."""
    total = np.empty(deaths.size)
    for g in range(deaths.size):
        total[g] = case[start[g] : start[g] + deaths[g]].sum()
    return total


@kernel
def leaving_weight(weight: Floats, leave: Ints, sums: Floats) -> None:
    """Add up the weights of those who leave at each event time."""
    for i in range(leave.size):
        sums[leave[i]] += weight[i]


@kernel
def leaving_columns(columns: Floats, weight: Floats, leave: Ints, lo: int, hi: int, sums: Floats) -> None:
    """Add up columns `lo:hi` times the weights over those who leave at each event time."""
    for j in range(lo, hi):
        column, total = columns[j], sums[j]
        for i in range(leave.size):
            total[leave[i]] += column[i] * weight[i]


@kernel
def sum_of_events(eta: Floats, case: Floats, lo: int, mid: int) -> float:
    """Return the weighted sum of the linear predictor over the events."""
    total = 0.0
    if case.size:
        for i in range(lo, mid):
            total += case[i] * eta[i]
    else:
        for i in range(lo, mid):
            total += eta[i]
    return total


@kernel
def enter(columns: Floats, weight: Floats, lo: int, mid: int, hi: int, s1: Floats, d1: Floats) -> tuple[float, float]:
    """Add rows `lo:hi` to S1, put the sums over the events `lo:mid` in D1; return D0 and the weight of them all."""
    d0 = 0.0
    for i in range(lo, mid):
        d0 += weight[i]
    rest = 0.0
    for i in range(mid, hi):
        rest += weight[i]
    for j in range(s1.size):
        d1[j] = dot(columns[j], weight, lo, mid)
        s1[j] += d1[j] + dot(columns[j], weight, mid, hi)
    return d0, d0 + rest


@kernel
def group_sums(
    columns: Floats, weight: Floats, start: Ints, deaths: Ints, first: int, last: int, entering: Floats, dying: Floats
) -> None:
    """Fill S1 of those who enter the sums at event times `first:last` and D1, with S0 and D0 in the last column."""
    p = columns.shape[0]
    for g in range(first, last):
        entering[g] = 0.0
        dying[g, p], entering[g, p] = enter(
            columns, weight, start[g], start[g] + deaths[g], start[g + 1], entering[g, :p], dying[g, :p]
        )


@kernel
def take_in(entering: Floats, dying: Floats, s1: Floats, d1: Floats) -> tuple[float, float]:
    """Do as `enter` does, with sums that are there already."""
    p = s1.size
    for j in range(p):
        d1[j] = dying[j]
        s1[j] += entering[j]
    return dying[p], entering[p]


@kernel
def take_out(removed: Floats, g: int, left: int, s0: float, s1: Floats) -> float:
    """Take those who leave at event time g out of S1 and return S0; exactly 0 when nobody is left."""
    p = s1.size
    if left == 0:
        s1[:] = 0.0
        return 0.0
    for j in range(p):
        s1[j] -= removed[j, g]
    return float(s0 - removed[p, g])


@kernel
def recount(columns: Floats, weight: Floats, leave: Ints, lo: int, hi: int, g: int, s1: Floats) -> float:
    """Sum anew over the rows among `lo:hi` that are at risk at event time g."""
    s0 = 0.0
    s1[:] = 0.0
    for i in range(lo, hi):
        if leave[i] > g:
            s0 += weight[i]
            for j in range(s1.size):
                s1[j] += weight[i] * columns[j, i]
    return s0


@ieee_kernel
def means(s0: float, s1: Floats, d1: Floats, mean: Floats, tied_mean: Floats) -> None:
    """Fill S1 / S0 and D1 / S0."""
    for j in range(s1.size):
        mean[j] = s1[j] / s0
        tied_mean[j] = d1[j] / s0


@kernel
def risk_set_sums(
    columns: Floats,
    eta: Floats,
    weight: Floats,
    case: Floats,
    start: Ints,
    deaths: Ints,
    steps: Ints,
    mass: Floats,
    first: Bools,
    leave: Ints,
    leaving: Ints,
    removed: Floats,
    entering: Floats,
    dying: Floats,
    once: Floats,
    tied: Floats,
    outer: Floats,
) -> float:
    """Go down the event times: return the log-likelihood; fill a0 (`once`), a1 (`tied`) and the outer products."""
    p = columns.shape[0]
    delayed = leave.size > 0
    s0 = peak = 0.0
    s1 = np.zeros(p)
    d1 = np.zeros(p)
    mean, tied_mean = np.empty(p), np.empty(p)
    loglik = 0.0
    at_risk = begin = 0
    for g in range(deaths.size):
        lo, hi = start[g], start[g + 1]
        mid = lo + deaths[g]
        if first[g]:
            s0, begin = 0.0, lo
            s1[:] = 0.0
        elif delayed:
            s0 = take_out(removed, g, at_risk - leaving[g], s0, s1)
        if entering.size:
            d0, all_entering = take_in(entering[g], dying[g], s1, d1)
        else:
            d0, all_entering = enter(columns, weight, lo, mid, hi, s1, d1)
        s0 += all_entering
        if delayed:
            at_risk = hi - lo if first[g] else at_risk - leaving[g] + hi - lo
            peak = s0 if first[g] else max(peak, s0)
            if s0 < CANCELLED * peak:
                s0 = peak = recount(columns, weight, leave, begin, hi, g, s1)
        log_sum, once[g], tied[g], b0, b1, b2 = tie_sums(s0, d0, steps[g], mass[g])
        loglik += sum_of_events(eta, case, lo, mid) - log_sum
        means(s0, s1, d1, mean, tied_mean)
        for j in range(p):
            left = b0 * mean[j] - b1 * tied_mean[j]
            right = b2 * tied_mean[j] - b1 * mean[j]
            for k in range(j + 1):
                outer[j, k] += left * mean[k] + right * tied_mean[k]
    mirror(outer)
    return loglik


@kernel
def cumulate_back(values: Floats, first: Bools, total: Floats, until: Floats) -> None:
    """Sum back from the end of each stratum: `total[g]` over g and after; `until[h]` the same, 0 where one begins."""
    k = values.size
    until[k] = 0.0
    running = 0.0
    for g in range(k - 1, -1, -1):
        running += values[g]
        total[g] = running
        until[g] = 0.0 if first[g] else running
        if first[g]:
            running = 0.0


@kernel
def sum_between(values: Floats, lo: int, hi: int) -> float:
    """Return the sum over event times `lo:hi`, taken anew where a difference of running sums would cost digits."""
    total = 0.0
    for g in range(lo, hi):
        total += values[g]
    return total


@kernel
def expected_events(
    eta: Floats,
    weight: Floats,
    case: Floats,
    start: Ints,
    deaths: Ints,
    first: Bools,
    leave: Ints,
    once: Floats,
    tied: Floats,
) -> None:
    """Turn `weight` into W and `eta` into case * event - W, in place."""
    k = deaths.size
    delayed, weighted = leave.size > 0, case.size > 0
    total, until = np.empty(k), np.empty(k + 1)
    cumulate_back(once, first, total, until)
    for g in range(k):
        lo, hi = start[g], start[g + 1]
        mid = lo + deaths[g]
        cumulated = total[g]
        if delayed:
            for i in range(lo, hi):
                own = cumulated - until[leave[i]]
                if own < CANCELLED * cumulated:
                    own = sum_between(once, g, leave[i])
                weight[i] *= own - tied[g] if i < mid else own
        else:
            own = cumulated - tied[g]
            for i in range(lo, mid):
                weight[i] *= own
            for i in range(mid, hi):
                weight[i] *= cumulated
        for i in range(lo, hi):
            eta[i] = -weight[i]
        for i in range(lo, mid):
            eta[i] += case[i] if weighted else 1.0


@kernel
def cross_products(columns: Floats, residual: Floats, weight: Floats, lo: int, hi: int) -> tuple[Floats, Floats]:
    """Return X'residual (p,) and X' diag(weight) X (p, p) over rows `lo:hi`."""
    p = columns.shape[0]
    score = np.zeros(p)
    product = np.zeros((p, p))
    weighted = np.empty(_TILE)
    for first in range(lo, hi, _TILE):
        last = min(first + _TILE, hi)
        m = last - first
        for j in range(p):
            column = columns[j, first:last]
            score[j] += dot(column, residual[first:last], 0, m)
            for i in range(m):
                weighted[i] = column[i] * weight[first + i]
            add_dots(weighted, columns, j + 1, first, m, product[j])
    mirror(product)
    return score, product


@kernel
def add_dots(weighted: Floats, columns: Floats, n_columns: int, first: int, m: int, out: Floats) -> None:
    """Add the inner products with m rows of each of the first columns."""
    last = first + m
    whole = n_columns - n_columns % 4
    for k in range(0, whole, 4):
        a, b, c, d = four_dots(
            weighted,
            columns[k, first:last],
            columns[k + 1, first:last],
            columns[k + 2, first:last],
            columns[k + 3, first:last],
            m,
        )
        out[k] += a
        out[k + 1] += b
        out[k + 2] += c
        out[k + 3] += d
    for k in range(whole, n_columns):
        out[k] += dot(weighted, columns[k, first:last], 0, m)


@summing_kernel
def total(values: Floats, m: int) -> float:
    """Return the sum of the first m."""
    out = 0.0
    for i in range(m):
        out += values[i]
    return out


@summing_kernel
def four_dots(
    weighted: Floats, one: Floats, two: Floats, three: Floats, four: Floats, m: int
) -> tuple[float, float, float, float]:
    """Return the inner products with four columns."""
    a = b = c = d = 0.0
    for i in range(m):
        a += weighted[i] * one[i]
        b += weighted[i] * two[i]
        c += weighted[i] * three[i]
        d += weighted[i] * four[i]
    return a, b, c, d


@kernel
def mirror(square: Floats) -> None:
    """Copy the lower triangle to the upper."""
    for j in range(square.shape[0]):
        for k in range(j):
            square[k, j] = square[j, k]
