"""Firth's penalised likelihood: half the log determinant of the information is added (Firth 1993).

Heinze and Schemper (2001) showed it for the Cox model: its estimates are finite under separation. The penalised score
is

    U_j + (1/2) trace(V dI/db_j),   V the inverse of the information I,

and the trace needs no third moments of the risk sets one by one. With m the mean of a term, q = x'Vx, W the expected
events of a row, C and E the sums of `cox_score_kernel`, and S1, D1 and Q, DQ the sums of w x and w q over risk set and
events,

    trace(V dI/db_j) = sum over rows of  W x_j q - 2 w x_j x'V(C - event E)
                     - sum over times of b0 S1_j Q - b1 (S1_j DQ + D1_j Q) + b2 D1_j DQ
                     + 2 sum over terms of m_j m'V m.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rtwcohort.core.control import Control
from rtwcohort.core.jit import kernel
from rtwcohort.errors import ConvergenceError
from rtwcohort.models.cox_kernel import CoxLikelihood
from rtwcohort.models.cox_passes_kernel import cumulate_back
from rtwcohort.models.cox_score_kernel import column_sums, event_time_sums
from rtwcohort.models.newton import NewtonResult, SingularInformationError, factorise, invert_factor

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Evaluation = tuple[float, Floats, Floats]

_SCORING_STEPS = 6
_ARRIVED = 1e-9
_NOISE = 1e-4
_NUDGE = 1e-5
_LONGEST = 2.0


class PenalisedLikelihood:
    """Firth's penalised likelihood of one data set, called as `CoxLikelihood` is.

    The matrix that it returns is the information, not the second derivative of the penalised likelihood.
    """

    __slots__ = ("base", "control")

    def __init__(self, base: CoxLikelihood, control: Control) -> None:
        self.base, self.control = base, control

    def __call__(self, coef: Floats) -> Evaluation:
        """Return penalised log-likelihood, penalised score (p,) and information (p, p).

        Where the information is singular the likelihood is minus infinity, so that a step there is halved; at 0 that
        raises `SingularInformationError`.
        """
        loglik, score, information = self.base(coef)
        if not np.isfinite(loglik):
            return loglik, score, information
        try:
            factor, scale = factorise(information, self.control)
        except SingularInformationError:
            if not coef.any():
                raise
            return -np.inf, score, information
        half_log_det = float(np.log(factor.diagonal() / scale).sum())
        variance = invert_factor(factor, scale)
        return loglik + half_log_det, score + 0.5 * penalty_score(self.base, coef, variance), information


def penalty_score(likelihood: CoxLikelihood, coef: Floats, variance: Floats) -> Floats:
    """Return trace(V dI/db_j) for each coefficient, shape (p,)."""
    sets = likelihood.sets
    _, weight = likelihood.hazards(coef)
    sums, flags = event_time_sums(likelihood, weight)
    p, m = likelihood.columns.shape
    quadratic = np.einsum("ji,ji->i", likelihood.columns, variance @ likelihood.columns)
    columns = np.empty((p + 1, m))
    columns[:p] = likelihood.columns
    columns[p] = quadratic
    k, first = sets.times.size, sets.first()
    s1, d1 = np.empty((p + 1, k)), np.empty((p + 1, k))
    for j in range(p + 1):
        column_sums(columns, weight, sets.start, sets.deaths, first, sets.leave, flags, j, s1[j], d1[j])
    s0, _, a0, a1, b0, b1, b2 = sums
    mean, tied = s1 / s0, d1 / s0
    group = np.repeat(np.arange(k), np.diff(sets.start))
    event = np.arange(m) - sets.start[group] < sets.deaths[group]

    def share(values: Floats, own: Floats) -> Floats:
        total, until = np.empty(k), np.empty(k + 1)
        cumulate_back(values, first, total, until)
        left = until[sets.leave] if sets.leave.size else 0.0
        return np.asarray(total[group] - left - np.where(event, own[group], 0.0))

    late, early = (b0 * mean - b1 * tied) / s0, (b1 * mean - b2 * tied) / s0
    drift = np.array([share(late[j], early[j]) for j in range(p)])
    per_row = weight * (share(a0, a1) * quadratic - 2.0 * np.einsum("ji,ji->i", likelihood.columns, variance @ drift))
    per_time = mean[:p] * (b0 * mean[p] - b1 * tied[p]) + tied[:p] * (b2 * tied[p] - b1 * mean[p])
    cubes = cubic_terms(sums, s1[:p], d1[:p], likelihood.steps, likelihood.mass, variance)
    return np.asarray(likelihood.columns @ per_row - per_time.sum(axis=1) + 2.0 * cubes)


@kernel
def cubic_terms(sums: Floats, s1: Floats, d1: Floats, steps: Ints, mass: Floats, variance: Floats) -> Floats:
    """Return the sum over terms of m_j m'V m, shape (p,)."""
    p, k = s1.shape
    out, mean = np.zeros(p), np.empty(p)
    for g in range(k):
        for tie in range(steps[g]):
            fraction = tie / steps[g]
            denominator = sums[0, g] - fraction * sums[1, g]
            for j in range(p):
                mean[j] = (s1[j, g] - fraction * d1[j, g]) / denominator
            length = 0.0
            for j in range(p):
                for i in range(p):
                    length += mean[j] * variance[j, i] * mean[i]
            for j in range(p):
                out[j] += mass[g] * mean[j] * length
    return out


def maximise_penalised(
    likelihood: CoxLikelihood, start: Floats, control: Control, *, free: npt.NDArray[np.bool_] | None = None
) -> NewtonResult:
    """Maximise the penalised likelihood, over all coefficients or those that are `free`.

    Steps use the information at first; where that is slow, the second derivative taken by differences of the score.

    Raises
    ------
    ConvergenceError
        When the iterations run out or no step raises the likelihood.
    SingularInformationError
        When the information matrix is singular.
    """
    evaluate = PenalisedLikelihood(likelihood, control)
    use = np.ones(start.size, dtype=np.bool_) if free is None else free
    here, (value, score, information) = start.copy(), evaluate(start)
    first_value, earlier = value, -np.inf
    score_statistic = (
        float(score[use] @ np.linalg.solve(information[np.ix_(use, use)], score[use])) if use.any() else 0.0
    )
    for iteration in range(1, control.max_iterations + 1):
        step = _step(evaluate, here, score, information, use, newton=iteration > _SCORING_STEPS)
        length = float(np.sqrt(max(float(step @ information @ step), 0.0)))
        at_rounding = iteration > 2 * _SCORING_STEPS and length <= _NOISE and value - earlier <= 1e-10 * abs(value)
        earlier = value
        if length <= _ARRIVED or at_rounding:
            factor, scale = factorise(information, control)
            return NewtonResult(
                here + step, invert_factor(factor, scale), first_value, value, score_statistic, iteration, here + step
            )
        here, (value, score, information) = _climb(evaluate, here, value, step, control)
    raise ConvergenceError(
        f"The penalised fit did not converge in {control.max_iterations} iterations (`max_iterations`). Allow more."
    )


def _step(
    evaluate: Callable[[Floats], Evaluation],
    here: Floats,
    score: Floats,
    information: Floats,
    use: npt.NDArray[np.bool_],
    *,
    newton: bool,
) -> Floats:
    place = np.flatnonzero(use)
    step = np.zeros(here.size)
    matrix = information[np.ix_(use, use)]
    if newton:
        matrix = np.empty((place.size, place.size))
        for row, j in enumerate(place):
            nudge = np.zeros(here.size)
            nudge[j] = _NUDGE / np.sqrt(information[j, j])
            matrix[row] = (evaluate(here - nudge)[1][use] - evaluate(here + nudge)[1][use]) / (2.0 * nudge[j])
        matrix = 0.5 * (matrix + matrix.T)
        if np.linalg.eigvalsh(matrix)[0] <= 0.0:
            matrix = information[np.ix_(use, use)]
    step[use] = np.linalg.solve(matrix, score[use])
    return np.asarray(step * min(1.0, _LONGEST / max(float(np.abs(step).max()), _LONGEST)))


def _climb(
    evaluate: Callable[[Floats], Evaluation], here: Floats, value: float, step: Floats, control: Control
) -> tuple[Floats, Evaluation]:
    least = value - 1e-11 * max(abs(value), 1.0)
    for halving in range(control.max_halvings + 1):
        there = here + step * 0.5**halving
        reached = evaluate(there)
        if np.isfinite(reached[0]) and np.isfinite(reached[1]).all() and reached[0] >= least:
            return there, reached
    raise ConvergenceError(
        f"No step raises the penalised log-likelihood after {control.max_halvings} halvings (`max_halvings`). Check "
        "the predictors for extreme values or near-perfect correlation."
    )
