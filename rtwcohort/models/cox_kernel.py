"""Cox partial likelihood: arrays to log-likelihood, score and information, per distinct event time.

With x the predictors, w = exp(x'b), d the events at a time, and over a risk set and over its events
S0 = sum w, S1 = sum w x, D0 = sum of w over events, D1 = sum of w x over events, Efron's approximation
(Efron 1977; Therneau and Grambsch 2000, section 3.3) puts for the l-th of d tied events, l = 0 .. d-1,

    denominator_l = S0 - (l/d) D0,       mean_l = (S1 - (l/d) D1) / denominator_l

and Breslow's puts l = 0 throughout. The sums over l collapse to five numbers per distinct time

    a0 = sum 1/den,  a1 = sum (l/d)/den,  b0 = sum 1/den^2,  b1 = sum (l/d)/den^2,  b2 = sum (l/d)^2/den^2

so that with A(t) = sum of a0 over event times up to t, each person carries one weight

    W = w (A(t) - event * a1(t))         (the expected number of events; event - W is the martingale residual)

    score       = X'(event - W)
    information = X' diag(W) X - sum over times of  b0 S1 S1' - b1 (S1 D1' + D1 S1') + b2 D1 D1'.

One sequential pass makes the risk-set sums, one pass over blocks of rows the two cross-products.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel, summing_kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TILE = 1024
_CONSTANT = 1e-12
_TINY = 1e-150
_THREAD_WORK = 400_000
_N_BLOCKS = 4


class RiskSets(NamedTuple):
    """People in the order of the passes: descending event time, events first.

    Attributes
    ----------
    order
        Row numbers, shape (m,); people who leave before the first event are in no risk set and left out.
    start
        Shape (k + 1,): group g, the people who enter the sums at the g-th latest event time, is
        `order[start[g]:start[g + 1]]`.
    deaths
        Shape (k,): the first `deaths[g]` of that group have the event.
    times
        Shape (k,): distinct event times, descending.
    """

    order: npt.NDArray[np.intp]
    start: Ints
    deaths: Ints
    times: Floats


def tie_times(time: Floats) -> Floats:
    """Make times that differ by rounding only equal, by the rule of R's `survival::aeqSurv`.

    Sorted distinct times closer than 1.5e-8, absolutely or relative to their mean, take the smallest of their run.
    """
    if time.size == 0 or (np.rint(time) == time).all():
        return time
    distinct, inverse = np.unique(time, return_inverse=True)
    gaps = np.diff(distinct)
    tolerance = np.sqrt(np.finfo(np.float64).eps)
    near = (gaps <= tolerance) | (gaps <= tolerance * np.abs(distinct).mean())
    if not near.any():
        return time
    first = np.flatnonzero(np.concatenate(([True], ~near)))
    run = np.cumsum(np.concatenate(([True], ~near))) - 1
    return np.asarray(distinct[first][run][inverse])


def order_risk_sets(time: Floats, event: npt.NDArray[np.bool_]) -> RiskSets:
    """Sort people once by descending event time.

    Parameters
    ----------
    time
        Shape (n,), already through `tie_times`.
    event
        Shape (n,), at least one True.
    """
    times, passed = _event_times(time, event)
    k = times.size
    rank = k - passed
    key = 2 * rank + ~event
    small = 2 * k + 1 < np.iinfo(np.uint16).max
    order = np.argsort(key.astype(np.uint16) if small else key, kind="stable")
    per_key = np.bincount(key, minlength=2 * k + 2)
    deaths = per_key[0 : 2 * k : 2]
    start = np.zeros(k + 1, dtype=np.int64)
    np.cumsum(deaths + per_key[1 : 2 * k : 2], out=start[1:])
    return RiskSets(order[: start[-1]], start, deaths.astype(np.int64), times[::-1].copy())


def _event_times(time: Floats, event: npt.NDArray[np.bool_]) -> tuple[Floats, Ints]:
    """Return the sorted distinct event times and, for each person, how many of them they reached.

    Whole numbers in a range no longer than the data are counted, which is faster than sorting.
    """
    if time.min() >= 0.0 and time.max() < time.size:
        whole = time.astype(np.int64)
        if (whole == time).all():
            present = np.bincount(whole[event], minlength=int(whole.max()) + 1) > 0
            passed: Ints = np.cumsum(present, dtype=np.int64)
            return np.flatnonzero(present).astype(np.float64), passed[whole]
    times = np.unique(time[event])
    return times, np.searchsorted(times, time, side="right")


class CoxLikelihood:
    """The partial likelihood of one data set, ready to be evaluated at coefficients.

    Columns are centred and divided by their standard deviation, so coefficients are per standard deviation.

    Attributes
    ----------
    scale
        Shape (p,): standard deviation of each column among those in a risk set; infinite where that is 0 but for
        rounding, so that the column and its information become 0.
    """

    __slots__ = ("_blocks", "_columns", "_efron", "_eta", "_pool", "_sets", "_weight", "scale")

    def __init__(self, matrix: Floats, sets: RiskSets, *, efron: bool) -> None:
        n, p = sets.order.size, matrix.shape[1]
        self._sets, self._efron = sets, efron
        parallel = n * p >= _THREAD_WORK
        self._pool = ThreadPoolExecutor(min(_N_BLOCKS, os.cpu_count() or 1)) if parallel else None
        edges = np.linspace(0, n, (_N_BLOCKS if parallel else 1) + 1).astype(np.int64)
        self._blocks = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        self._columns = np.empty((p, n))
        self._eta, self._weight = np.empty(n), np.empty(n)
        total = sum(self._run(gather, lambda lo, hi: (matrix, sets.order, lo, hi, self._columns)))
        mean = total / n
        squares = sum(self._run(centre, lambda lo, hi: (self._columns, mean, lo, hi)))
        spread = np.sqrt(squares / n)
        self.scale = np.where(spread > _CONSTANT * np.abs(mean), spread, np.inf)
        self._run(divide, lambda lo, hi: (self._columns, self.scale, lo, hi))

    def _run(self, function: Callable[..., Any], arguments: Callable[[int, int], tuple[Any, ...]]) -> list[Any]:
        """Run a pass over blocks of rows; the blocks do not depend on the number of cores, nor do the sums."""
        if self._pool is None:
            return [function(*arguments(lo, hi)) for lo, hi in self._blocks]
        futures = [self._pool.submit(function, *arguments(lo, hi)) for lo, hi in self._blocks]
        return [future.result() for future in futures]

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def __call__(self, coef: Floats) -> tuple[float, Floats, Floats]:
        """Return log-likelihood, score (p,) and information (p, p) at coefficients per standard deviation."""
        columns, eta, weight, sets = self._columns, self._eta, self._weight, self._sets
        self._run(linear_predictor, lambda lo, hi: (columns, coef, lo, hi, eta, weight))
        k, p = sets.times.size, coef.size
        once, tied, outer = np.empty(k), np.empty(k), np.zeros((p, p))
        loglik = risk_set_sums(columns, eta, weight, sets.start, sets.deaths, self._efron, once, tied, outer)
        expected_events(eta, weight, sets.start, sets.deaths, once, tied)
        parts = self._run(cross_products, lambda lo, hi: (columns, eta, weight, lo, hi))
        score = sum(part[0] for part in parts)
        information = sum(part[1] for part in parts) - outer
        return float(loglik), score, information

    def reach(self, coef: Floats) -> float:
        """Return the range of the linear predictor among those in a risk set."""
        return float(np.ptp(coef @ self._columns))


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
def linear_predictor(columns: Floats, coef: Floats, lo: int, hi: int, eta: Floats, weight: Floats) -> None:
    """Fill `eta = x'b` and `weight = exp(eta)` for rows `lo:hi`."""
    for first in range(lo, hi, _TILE):
        last = min(first + _TILE, hi)
        for i in range(first, last):
            eta[i] = 0.0
        for j in range(columns.shape[0]):
            column = columns[j]
            b = coef[j]
            for i in range(first, last):
                eta[i] += b * column[i]
        for i in range(first, last):
            weight[i] = np.exp(eta[i])


@kernel
def tie_sums(s0: float, d0: float, d: int, efron: bool) -> tuple[float, float, float, float, float, float]:
    """Return the sum of log denominators and a0, a1, b0, b1, b2 for `d` events at one time.

    Where the squares would leave the range of floats the sum is infinite, so that the step is halved.
    """
    if not s0 > _TINY:
        return -np.inf, 0.0, 0.0, 0.0, 0.0, 0.0
    if not efron or d == 1:
        return d * np.log(s0), d / s0, 0.0, d / (s0 * s0), 0.0, 0.0
    logs = a0 = a1 = b0 = b1 = b2 = 0.0
    for tie in range(d):
        fraction = tie / d
        denominator = s0 - fraction * d0
        logs += np.log(denominator)
        inverse = 1.0 / denominator
        square = inverse * inverse
        a0 += inverse
        a1 += fraction * inverse
        b0 += square
        b1 += fraction * square
        b2 += fraction * fraction * square
    return logs, a0, a1, b0, b1, b2


@kernel
def risk_set_sums(
    columns: Floats,
    eta: Floats,
    weight: Floats,
    start: Ints,
    deaths: Ints,
    efron: bool,
    once: Floats,
    tied: Floats,
    outer: Floats,
) -> float:
    """Go down the event times: return the log-likelihood; fill a0 (`once`), a1 (`tied`) and the outer products."""
    p = columns.shape[0]
    s0 = 0.0
    s1 = np.zeros(p)
    d1 = np.zeros(p)
    loglik = 0.0
    for g in range(deaths.size):
        lo, d, hi = start[g], deaths[g], start[g + 1]
        mid = lo + d
        d0 = 0.0
        for i in range(lo, mid):
            d0 += weight[i]
            loglik += eta[i]
        rest = 0.0
        for i in range(mid, hi):
            rest += weight[i]
        s0 += d0 + rest
        for j in range(p):
            d1[j] = dot(columns[j], weight, lo, mid)
            s1[j] += d1[j] + dot(columns[j], weight, mid, hi)
        log_sum, once[g], tied[g], b0, b1, b2 = tie_sums(s0, d0, d, efron)
        loglik -= log_sum
        for j in range(p):
            left = b0 * s1[j] - b1 * d1[j]
            right = b2 * d1[j] - b1 * s1[j]
            for k in range(j + 1):
                outer[j, k] += left * s1[k] + right * d1[k]
    for j in range(p):
        for k in range(j):
            outer[k, j] = outer[j, k]
    return loglik


@kernel
def expected_events(eta: Floats, weight: Floats, start: Ints, deaths: Ints, once: Floats, tied: Floats) -> None:
    """Turn `weight` into W and `eta` into event - W, in place."""
    cumulated = 0.0
    for g in range(deaths.size - 1, -1, -1):
        lo, hi = start[g], start[g + 1]
        mid = lo + deaths[g]
        cumulated += once[g]
        own = cumulated - tied[g]
        for i in range(lo, mid):
            weight[i] *= own
            eta[i] = 1.0 - weight[i]
        for i in range(mid, hi):
            weight[i] *= cumulated
            eta[i] = -weight[i]


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
            for k in range(j + 1):
                product[j, k] += dot(weighted, columns[k, first:last], 0, m)
    for j in range(p):
        for k in range(j):
            product[k, j] = product[j, k]
    return score, product
