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

One sequential pass makes the risk-set sums, one pass over blocks of rows the two cross-products. Many rows with few
event times and no delayed entry take one pass in all (`cox_moments_kernel`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.models.cox_moments_kernel import (
    block_moments,
    first_moments,
    likelihood_of_moments,
    n_moments,
    places_of,
    spread_columns,
    spread_matrix,
)
from rtwcohort.models.cox_passes_kernel import (
    centre,
    cross_products,
    deaths_weight,
    divide,
    expected_events,
    gather,
    group_sums,
    leaving_columns,
    leaving_weight,
    linear_predictor,
    risk_set_sums,
)
from rtwcohort.models.cox_sets_kernel import RiskSets, order_risk_sets, tie_entries, tie_times

__all__ = ["CoxLikelihood", "RiskSets", "order_risk_sets", "tie_entries", "tie_steps", "tie_times"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CONSTANT = 1e-12
_THREAD_WORK = 400_000
_N_BLOCKS = 4
_FEW_TIMES = 8
_SAMPLE = 4096
_INT32 = 2**31
_NEAR_CENTRE, _NEAR_SCALE = 0.5, 2.0
_NONE = np.empty(0)
_NO_COUNTS = np.empty(0, dtype=np.int64)
_NO_SUMS = np.empty((0, 0))


class CoxLikelihood:
    """The partial likelihood of one data set, ready to be evaluated at coefficients.

    Columns are centred and divided by their standard deviation, so coefficients are per standard deviation; the offset
    is centred.

    Attributes
    ----------
    sets
        Risk sets.
    scale
        Shape (p,): standard deviation of each column among those in a risk set (about that, taken from every so many
        rows, where they are many); infinite where that is 0 but for rounding, so that the column and its information
        become 0.
    columns
        Shape (p, m), in the order of the risk sets.
    case
        Shape (m,), case weights; empty when all are 1.
    offset
        Shape (m,), centred; empty when there is none.
    steps, mass
        Shape (k,): terms in the sums over tied events, and the weight of each term.
    """

    __slots__ = (
        "_blocks", "_eta", "_first", "_leaving", "_moments", "_observed", "_observed_offset", "_pool", "_weight",
        "case", "columns", "copies", "mass", "offset", "scale", "sets", "steps",
    )  # fmt: skip

    def __init__(
        self,
        matrix: Floats,
        sets: RiskSets,
        *,
        efron: bool,
        case: Floats | None = None,
        offset: Floats | None = None,
        copies: bool = False,
    ) -> None:
        n, p = sets.order.size, matrix.shape[1]
        self.sets = sets
        self.copies = copies and case is not None
        self.case = _NONE if case is None else case[sets.order]
        self.offset = _NONE if offset is None else offset[sets.order] - offset.mean()
        self.steps, self.mass = tie_steps(sets, self.case, efron=efron, copies=copies)
        self._first = sets.first()
        self._leaving = np.bincount(sets.leave, minlength=sets.times.size + 1) if sets.leave.size else _NO_COUNTS
        parallel = n * p >= _THREAD_WORK
        self._pool = ThreadPoolExecutor(min(_N_BLOCKS, os.cpu_count() or 1)) if parallel else None
        edges = np.linspace(0, n, (_N_BLOCKS if parallel else 1) + 1).astype(np.int64)
        self._blocks = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        self.columns = np.empty((p, n))
        self._eta, self._weight = np.empty(n), np.empty(n)
        self._observed = self._moments = _NO_SUMS
        self._observed_offset = 0.0
        if parallel and not sets.leave.size and sets.times.size * (p + 1) * _FEW_TIMES <= n:
            self._copy_with_moments(matrix)
        else:
            total = sum(self.run(gather, lambda lo, hi: (matrix, sets.order, lo, hi, self.columns)))
            self.scale = np.ones(p)
            self._standardise(total / n, total / n)

    def _standardise(self, centre_at: Floats, mean: Floats) -> Floats:
        """Centre the columns and divide them by their standard deviation, which goes into the scale; return it.

        `mean` is that of the column in the units of the data.
        """
        squares = sum(self.run(centre, lambda lo, hi: (self.columns, centre_at, lo, hi)))
        spread = np.sqrt(squares / self.columns.shape[1])
        within = np.where(spread * self.scale > _CONSTANT * np.abs(mean), spread, np.inf)
        self.run(divide, lambda lo, hi: (self.columns, within, lo, hi))
        self.scale = self.scale * within
        return np.asarray(within)

    def _copy_with_moments(self, matrix: Floats) -> None:
        """Copy the rows, centred and scaled by a sample of them, and take the moments with coefficients 0."""
        sets, case = self.sets, self.case
        n = sets.order.size
        sample = matrix[sets.order[:: max(1, n // _SAMPLE)]]
        shift, spread = sample.mean(axis=0), sample.std(axis=0)
        self.scale = np.where(spread > 0.0, spread, 1.0)
        factor = 1.0 / self.scale
        self._spread(matrix, shift, factor)
        parts = self.run(
            first_moments, lambda lo, hi: (self.columns, self.offset, case, sets.start, sets.deaths, lo, hi)
        )
        if self.offset.size:
            offset = self.offset * case if case.size else self.offset
            self._observed_offset = float(deaths_weight(offset, sets.start, sets.deaths).sum())
        totals = sum(part[2] for part in parts) / n
        mean, self._observed = totals[0], n * totals[2]
        spread = np.sqrt(np.maximum(totals[1] - mean * mean, 0.0))
        off = (np.abs(mean) > _NEAR_CENTRE) | (spread > _NEAR_SCALE) | (spread < 1.0 / _NEAR_SCALE)
        off |= self.scale <= 2.0 * _CONSTANT * np.abs(shift)
        if not off.any():
            self._moments = self._gathered([(part[0], part[1]) for part in parts])
            return
        # The sample says too little of a rare or long-tailed column.
        events = float(deaths_weight(case, sets.start, sets.deaths).sum()) if case.size else float(sets.deaths.sum())
        within = self._standardise(mean, shift + mean * self.scale)
        self._observed = (self._observed - events * mean) / within

    def _spread(self, matrix: Floats, shift: Floats, factor: Floats) -> None:
        """Copy the columns to the order of the risk sets."""
        rows = len(matrix)
        places: npt.NDArray[Any] = np.full(rows, -1, dtype=np.int32 if rows < _INT32 else np.int64)
        places_of(self.sets.order, places)
        given = (matrix, places, shift, factor)
        if matrix.strides[0] <= matrix.strides[1]:
            self.run_columns(spread_columns, lambda lo, hi: (*given, lo, hi, self.columns))
            return
        n = self.sets.order.size
        self.run(spread_matrix, lambda lo, hi: (*given, lo * rows // n, hi * rows // n, self.columns))

    def _gathered(self, parts: list[tuple[int, Floats]]) -> Floats:
        """Return the moments of all groups; those at the edge of a block have rows in both."""
        moments = np.zeros((2 * self.sets.times.size, n_moments(self.columns.shape[0])))
        for group, part in parts:
            moments[2 * group : 2 * group + len(part)] += part
        return moments

    def _by_moments(self, coef: Floats) -> tuple[float, Floats, Floats]:
        """Do as a call does, in one pass over the rows and none for coefficients 0."""
        columns, sets, case, p = self.columns, self.sets, self.case, coef.size
        if coef.any() or not self._moments.size:
            parts = self.run(
                block_moments, lambda lo, hi: (columns, coef, self.offset, case, sets.start, sets.deaths, lo, hi)
            )
            moments = self._gathered(parts)
        else:
            moments = self._moments
        expected, information = np.zeros(p), np.zeros((p, p))
        logs = likelihood_of_moments(moments, self.steps, self.mass, self._first, expected, information)
        loglik = float(coef @ self._observed) + self._observed_offset - logs
        return float(loglik), self._observed - expected, information

    def run(self, function: Callable[..., Any], arguments: Callable[[int, int], tuple[Any, ...]]) -> list[Any]:
        """Run a pass over blocks of rows; the blocks do not depend on the number of cores, nor do the sums."""
        if self._pool is None:
            return [function(*arguments(lo, hi)) for lo, hi in self._blocks]
        futures = [self._pool.submit(function, *arguments(lo, hi)) for lo, hi in self._blocks]
        return [future.result() for future in futures]

    def run_columns(self, function: Callable[..., Any], arguments: Callable[[int, int], tuple[Any, ...]]) -> list[Any]:
        """Run a pass over blocks of columns."""
        p = self.columns.shape[0]
        if self._pool is None or p == 1:
            return [function(*arguments(0, p))]
        futures = [self._pool.submit(function, *arguments(j, j + 1)) for j in range(p)]
        return [future.result() for future in futures]

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def hazards(self, coef: Floats) -> tuple[Floats, Floats]:
        """Return x'b and case weight times exp(x'b), shape (m,) each; the next call overwrites them."""
        self.run(
            linear_predictor,
            lambda lo, hi: (self.columns, coef, lo, hi, self.offset, self.case, self._eta, self._weight),
        )
        return self._eta, self._weight

    def leaving(self, weight: Floats) -> Floats:
        """Return the sums of w x, and of w in the last row, over those who leave at each event time, (p + 1, k + 1)."""
        if not self.sets.leave.size:
            return _NO_SUMS
        p = self.columns.shape[0]
        sums = np.zeros((p + 1, self.sets.times.size + 1))
        leaving_weight(weight, self.sets.leave, sums[p])
        self.run_columns(leaving_columns, lambda lo, hi: (self.columns, weight, self.sets.leave, lo, hi, sums))
        return sums

    def entering(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return the sums of those who enter and of the events at each event time, (k, p + 1), taken in threads.

        Empty where there are no threads, or so many event times that the sums would be as long as the columns: they are
        then taken on the way down.
        """
        sets, k = self.sets, self.sets.times.size
        if self._pool is None or k * _FEW_TIMES > sets.order.size:
            return _NO_SUMS, _NO_SUMS
        p = self.columns.shape[0]
        entering, dying = np.empty((k, p + 1)), np.empty((k, p + 1))
        edges = np.searchsorted(sets.start, [lo for lo, _ in self._blocks[1:]]).tolist()
        bounds = zip([0, *edges], [*edges, k], strict=True)
        futures = [
            self._pool.submit(group_sums, self.columns, weight, sets.start, sets.deaths, first, last, entering, dying)
            for first, last in bounds
        ]
        for future in futures:
            future.result()
        return entering, dying

    def __call__(self, coef: Floats) -> tuple[float, Floats, Floats]:
        """Return log-likelihood, score (p,) and information (p, p) at coefficients per standard deviation."""
        if self._observed.size and self._pool is not None:
            return self._by_moments(coef)
        columns, sets, case = self.columns, self.sets, self.case
        eta, weight = self.hazards(coef)
        k, p = sets.times.size, coef.size
        once, tied, outer = np.empty(k), np.empty(k), np.zeros((p, p))
        loglik = risk_set_sums(
            columns, eta, weight, case, sets.start, sets.deaths, self.steps, self.mass, self._first,
            sets.leave, self._leaving, self.leaving(weight), *self.entering(weight), once, tied, outer,
        )  # fmt: skip
        expected_events(eta, weight, case, sets.start, sets.deaths, self._first, sets.leave, once, tied)
        parts = self.run(cross_products, lambda lo, hi: (columns, eta, weight, lo, hi))
        score = sum(part[0] for part in parts)
        information = sum(part[1] for part in parts) - outer
        return float(loglik), score, information

    def reach(self, coef: Floats) -> float:
        """Return the range of the linear predictor among those in a risk set."""
        return float(np.ptp(coef @ self.columns))


def tie_steps(sets: RiskSets, case: Floats, *, efron: bool, copies: bool) -> tuple[Ints, Floats]:
    """Return how many terms the sum over tied events has, and the weight of each, shape (k,) each.

    Efron: a term an event, each with the mean weight of the events; with `copies`, a term for each of the people that
    a row stands for. Breslow: one term with the weight of them all.
    """
    if not efron:
        total = deaths_weight(case, sets.start, sets.deaths) if case.size else sets.deaths.astype(np.float64)
        return np.ones(sets.deaths.size, dtype=np.int64), total
    if not case.size:
        return sets.deaths, np.ones(sets.deaths.size)
    total = deaths_weight(case, sets.start, sets.deaths)
    if copies:
        return np.rint(total).astype(np.int64), np.ones(total.size)
    return sets.deaths, total / sets.deaths
