"""Exact conditional likelihood for tied event times (discrete time), by recursion over the risk set.

With d events among the people at risk the denominator is the elementary symmetric polynomial e_d of their hazards w:
the sum over all sets of d people of the products of their w (Gail, Lubin and Rubinstein 1981). Here it is taken as a
probability: with p = theta w/(1 + theta w), theta such that the p sum to d,

    e_d(w) = P(d events) x product of (1 + theta w) / theta^d,

P by the recursion P_k <- (1 - p) P_k + p P_(k-1) over people, and with it the first two moments of the sum of x over
the d people, whose mean and variance given d are the expected score and the information. No number overflows. Cost is
people at risk x d x p^2 at each event time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel
from rtwcohort.models.cox_kernel import CoxLikelihood

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class ExactLikelihood:
    """The exact likelihood of one data set, called as `CoxLikelihood` is.

    Attributes
    ----------
    base
        Columns, risk sets and scale.
    """

    __slots__ = ("base",)

    def __init__(self, base: CoxLikelihood) -> None:
        self.base = base

    @property
    def scale(self) -> Floats:
        """Standard deviations of the columns, shape (p,)."""
        return self.base.scale

    def close(self) -> None:
        """Stop the threads."""
        self.base.close()

    def reach(self, coef: Floats) -> float:
        """Return the range of the linear predictor among those in a risk set."""
        return self.base.reach(coef)

    def __call__(self, coef: Floats) -> tuple[float, Floats, Floats]:
        """Return log-likelihood, score (p,) and information (p, p) at coefficients per standard deviation."""
        base, p = self.base, coef.size
        eta, weight = base.hazards(coef)
        score, information = np.zeros(p), np.zeros((p, p))
        sets = base.sets
        loglik = exact_sums(
            base.columns, eta, weight, sets.start, sets.deaths, sets.first(), sets.leave, score, information
        )
        return float(loglik), score, information


@kernel
def exact_sums(
    columns: Floats,
    eta: Floats,
    weight: Floats,
    start: Ints,
    deaths: Ints,
    first: Bools,
    leave: Ints,
    score: Floats,
    information: Floats,
) -> float:
    """Return the log-likelihood; add to the score and the information."""
    p = columns.shape[0]
    loglik = 0.0
    begin = 0
    rows = np.empty(columns.shape[1], dtype=np.int64)
    running = np.zeros(1 + p + p * p)
    for g in range(deaths.size):
        lo, hi = start[g], start[g + 1]
        d = deaths[g]
        if first[g]:
            begin = lo
            running[:] = 0.0
        loglik += add_events(columns, eta, lo, lo + d, score)
        if leave.size == 0:
            add_moments(columns, weight, lo, hi, running)
        if leave.size == 0 and d == 1:
            loglik -= single(running, p, score, information)
            continue
        n_rows = at_risk(leave, begin, hi, g, rows)
        if n_rows > d:
            loglik -= denominator(columns, weight, rows[:n_rows], d, score, information)
        else:
            loglik -= all_of(columns, weight, rows[:n_rows], score)
    return loglik


@kernel
def add_events(columns: Floats, eta: Floats, lo: int, hi: int, score: Floats) -> float:
    """Return the sum of the linear predictor over the events and add their columns to the score."""
    total = 0.0
    for i in range(lo, hi):
        total += eta[i]
        for j in range(score.size):
            score[j] += columns[j, i]
    return total


@kernel
def at_risk(leave: Ints, lo: int, hi: int, g: int, rows: Ints) -> int:
    """List the rows among `lo:hi` that are at risk at event time g and return how many there are."""
    n_rows = 0
    for i in range(lo, hi):
        if leave.size == 0 or leave[i] > g:
            rows[n_rows] = i
            n_rows += 1
    return n_rows


@kernel
def all_of(columns: Floats, weight: Floats, rows: Ints, score: Floats) -> float:
    """Return the log product of the weights where everybody at risk has the event, and take them from the score."""
    total = 0.0
    for i in rows:
        total += np.log(weight[i])
        for j in range(score.size):
            score[j] -= columns[j, i]
    return total


@kernel
def add_moments(columns: Floats, weight: Floats, lo: int, hi: int, running: Floats) -> None:
    """Add sums of w, w x and w x x' over rows `lo:hi` to those kept."""
    p = columns.shape[0]
    for i in range(lo, hi):
        running[0] += weight[i]
        for j in range(p):
            first = weight[i] * columns[j, i]
            running[1 + j] += first
            for k in range(p):
                running[1 + p + j * p + k] += first * columns[k, i]


@kernel
def single(running: Floats, p: int, score: Floats, information: Floats) -> float:
    """Return the log denominator of one event, from sums over its risk set."""
    for j in range(p):
        mean = running[1 + j] / running[0]
        score[j] -= mean
        for k in range(p):
            information[j, k] += running[1 + p + j * p + k] / running[0] - mean * running[1 + k] / running[0]
    return float(np.log(running[0]))


@kernel
def tilt(weight: Floats, rows: Ints, d: int) -> Floats:
    """Return odds theta w whose probabilities sum to about d, after the logarithm of theta at place 0."""
    total = 0.0
    for i in rows:
        total += weight[i]
    log_theta = np.log(d / total)
    odds = np.empty(rows.size + 1)
    for _ in range(60):
        expected = variance = 0.0
        theta = np.exp(log_theta)
        for place in range(rows.size):
            own = theta * weight[rows[place]]
            odds[place + 1] = own
            expected += own / (1.0 + own)
            variance += own / (1.0 + own) ** 2
        odds[0] = log_theta
        if abs(expected - d) < 0.01 or variance <= 0.0:
            break
        log_theta += min(max((d - expected) / variance, -2.0), 2.0)
    return odds


@kernel
def denominator(columns: Floats, weight: Floats, rows: Ints, d: int, score: Floats, information: Floats) -> float:
    """Return the logarithm of e_d over `rows`; take its mean from the score and add its variance."""
    p = columns.shape[0]
    tilted = tilt(weight, rows, d)
    log_theta, odds = tilted[0], tilted[1:]
    centre = np.zeros(p)
    for place in range(rows.size):
        for j in range(p):
            centre[j] += odds[place] / (1.0 + odds[place]) * columns[j, rows[place]] / d
    zero, one, two = np.zeros(d + 1), np.zeros((d + 1, p)), np.zeros((d + 1, p, p))
    zero[0] = 1.0
    x = np.empty(p)
    log_product = 0.0
    for place in range(rows.size):
        log_product += np.log1p(odds[place])
        stay = 1.0 / (1.0 + odds[place])
        for j in range(p):
            x[j] = columns[j, rows[place]] - centre[j]
        for k in range(min(place + 1, d), max(d - (rows.size - place - 1), 1) - 1, -1):
            step(zero, one, two, x, odds[place] * stay, stay, k)
        zero[0] *= stay
    for j in range(p):
        mean = one[d, j] / zero[d]
        score[j] -= mean + d * centre[j]
        for k in range(p):
            information[j, k] += two[d, j, k] / zero[d] - mean * one[d, k] / zero[d]
    return float(np.log(zero[d]) + log_product - d * log_theta)


@kernel
def step(zero: Floats, one: Floats, two: Floats, x: Floats, q: float, stay: float, k: int) -> None:
    """Let one more person be among the k with the event, with probability q, or not, with probability `stay`."""
    p = x.size
    for a in range(p):
        for b in range(p):
            gained = two[k - 1, a, b] + x[a] * one[k - 1, b] + one[k - 1, a] * x[b] + x[a] * x[b] * zero[k - 1]
            two[k, a, b] = stay * two[k, a, b] + q * gained
    for a in range(p):
        one[k, a] = stay * one[k, a] + q * (one[k - 1, a] + x[a] * zero[k - 1])
    zero[k] = stay * zero[k] + q * zero[k - 1]
