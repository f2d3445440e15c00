"""Newton-Raphson with step halving for a smooth concave log-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from rtwcohort.core.control import Control
from rtwcohort.errors import ConvergenceError, RtwCohortWarning

Floats = npt.NDArray[np.float64]
Evaluation = tuple[float, Floats, Floats]
"""Log-likelihood, score of shape (p,) and information of shape (p, p)."""

_STILL_MOVING = 0.5
_WORTH_NAMING = 1e-2


class MonotoneLikelihoodWarning(RtwCohortWarning):
    """The likelihood keeps rising as a coefficient goes to infinity, so that its estimate is infinite."""


class SingularInformationError(ConvergenceError):
    """The information matrix is singular: one coefficient cannot be told from those before it.

    Attributes
    ----------
    position
        Index of that coefficient.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class NewtonResult:
    """Where the iterations ended.

    Attributes
    ----------
    coef
        Shape (p,).
    covariance
        Inverse of the information, shape (p, p).
    loglik_start, loglik
        At the start and at the end.
    start_score_statistic
        score' x inverse(information) x score at the start: the score test when the start is the null hypothesis.
    iterations
        Newton steps taken.
    step_length
        Length of the last step in standard errors.
    monotone
        Shape (p,), True where the coefficient runs to infinity.
    """

    coef: Floats
    covariance: Floats
    loglik_start: float
    loglik: float
    start_score_statistic: float
    iterations: int
    step_length: float
    monotone: npt.NDArray[np.bool_]


def maximise(evaluate: Callable[[Floats], Evaluation], start: Floats, control: Control) -> NewtonResult:
    """Maximise a log-likelihood.

    Parameters
    ----------
    evaluate
        From coefficients to log-likelihood, score and information.
    start
        Shape (p,). Coefficients should be on comparable scales: a step of 1 is taken as large.
    control
        Tolerances.

    Raises
    ------
    ConvergenceError
        When the iterations run out or no step raises the likelihood.
    SingularInformationError
        When the information matrix is singular at a finite point.
    """
    coef = start
    loglik, score, information = evaluate(coef)
    loglik_start = loglik
    factor, scale = _factorise(information, control)
    step = _solve(factor, scale, score)
    start_statistic = float(score @ step)
    change, previous_size = np.inf, np.inf
    for iteration in range(1, control.max_iterations + 1):
        length = float(np.sqrt(max(float(score @ step), 0.0)))
        size = float(np.abs(step).max())
        quiet = abs(change) <= control.loglik_tolerance * max(abs(loglik), 1.0)
        if length <= control.score_tolerance and (quiet or iteration == 1):
            moving = _moving(step, previous_size if quiet else np.inf)
            return NewtonResult(
                coef + step,
                _invert(factor, scale),
                loglik_start,
                loglik + 0.5 * length**2,
                start_statistic,
                iteration,
                length,
                moving,
            )
        if quiet and size > _STILL_MOVING * previous_size and size > control.score_tolerance:
            covariance = _invert(factor, scale)
            moving = _moving(step, previous_size)
            return NewtonResult(coef, covariance, loglik_start, loglik, start_statistic, iteration, length, moving)
        previous_size = size
        coef, loglik_next, score, information = _climb(evaluate, coef, step, loglik, control)
        change, loglik = loglik_next - loglik, loglik_next
        factor, scale = _factorise(information, control)
        step = _solve(factor, scale, score)
    raise ConvergenceError(
        f"The fit did not converge in {control.max_iterations} iterations (`max_iterations`); the last step changed "
        f"the log-likelihood by {change:.3g}. Check the predictors for extreme values, or allow more iterations."
    )


def _climb(
    evaluate: Callable[[Floats], Evaluation], coef: Floats, step: Floats, loglik: float, control: Control
) -> tuple[Floats, float, Floats, Floats]:
    """Take the step, halved until the log-likelihood does not fall by more than rounding."""
    slack = 1e-12 * max(abs(loglik), 1.0)
    for halving in range(control.max_halvings + 1):
        candidate = coef + step * 0.5**halving
        value, score, information = evaluate(candidate)
        if np.isfinite(value) and np.isfinite(score).all() and value >= loglik - slack:
            return candidate, value, score, information
    raise ConvergenceError(
        f"No step raises the log-likelihood after {control.max_halvings} halvings (`max_halvings`). "
        "Check the predictors for extreme values or near-perfect correlation."
    )


def _moving(step: Floats, previous_size: float) -> npt.NDArray[np.bool_]:
    """Return which coefficients still run away: steps that do not shrink, as against quadratic convergence."""
    size = np.abs(step)
    if not size.max() > _STILL_MOVING * previous_size or size.max() < _WORTH_NAMING:
        return np.zeros(step.shape, dtype=np.bool_)
    return np.asarray(size > _WORTH_NAMING * size.max())


def _factorise(information: Floats, control: Control) -> tuple[Floats, Floats]:
    """Return the Cholesky factor of the information scaled to a unit diagonal, and the scale."""
    diagonal = information.diagonal()
    flat = np.flatnonzero(~(diagonal > 0.0))
    if flat.size:
        raise SingularInformationError("The information about a coefficient is zero.", int(flat[0]))
    scale = 1.0 / np.sqrt(diagonal)
    factor, failed = dpotrf(information * scale * scale[:, None], lower=1)
    if failed:
        raise SingularInformationError("The information matrix is singular.", int(failed) - 1)
    weak = np.flatnonzero(factor.diagonal() ** 2 < control.singular_tolerance)
    if weak.size:
        raise SingularInformationError("The information matrix is singular.", int(weak[0]))
    return factor, scale


def _solve(factor: Floats, scale: Floats, score: Floats) -> Floats:
    solution, _ = dpotrs(factor, score * scale, lower=1)
    return np.asarray(solution * scale)


def _invert(factor: Floats, scale: Floats) -> Floats:
    inverse, _ = dpotri(factor, lower=1)
    full = np.tril(inverse) + np.tril(inverse, -1).T
    return np.asarray(full * scale * scale[:, None])
