"""Newton-Raphson with step halving for a smooth concave log-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from rtwcohort.core.control import Control
from rtwcohort.errors import ConvergenceError, RtwCohortWarning

Floats = npt.NDArray[np.float64]
Evaluation = tuple[float, Floats, Floats]
"""Log-likelihood, score of shape (p,) and information of shape (p, p)."""

_STILL_MOVING = 0.5
_STILL_GROWING = 1.5
_SETTLED = 1e-4
_RUNNING = 1e-3


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
    limit
        Shape (p,): as `coef`, but plus or minus infinity where the likelihood keeps rising as the coefficient runs
        away, and NaN where nothing is left to estimate it by then.
    """

    coef: Floats
    covariance: Floats
    loglik_start: float
    loglik: float
    start_score_statistic: float
    iterations: int
    step_length: float
    limit: Floats


class _Iterate(NamedTuple):
    """Coefficients, the Newton step from them, and the factored information there."""

    coef: Floats
    step: Floats
    factor: Floats
    scale: Floats


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
    change, earlier = np.inf, None
    for iteration in range(1, control.max_iterations + 1):
        length = float(np.sqrt(max(float(score @ step), 0.0)))
        quiet = abs(change) <= control.loglik_tolerance * max(abs(loglik), 1.0)
        here = _Iterate(coef, step, factor, scale)
        limit = _limit(here, earlier) if quiet and earlier is not None else None
        done = length <= control.score_tolerance and (quiet or iteration == 1)
        if done or limit is not None:
            return NewtonResult(
                coef=coef + step if limit is None else coef,
                covariance=_invert(factor, scale),
                loglik_start=loglik_start,
                loglik=loglik + 0.5 * length**2 if limit is None else loglik,
                start_score_statistic=start_statistic,
                iterations=iteration,
                step_length=length,
                limit=coef + step if limit is None else limit,
            )
        earlier = here
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


def _limit(here: _Iterate, earlier: _Iterate) -> Floats | None:
    """Return the coefficients at infinity when the likelihood is monotone, else None.

    Near a finite maximum the steps shrink quadratically and the variances settle. Along a direction in which the
    likelihood rises for ever the steps keep their length while the information decays by a constant factor.
    """
    if np.abs(here.step).max() <= _STILL_MOVING * np.abs(earlier.step).max():
        return None
    variance = _invert(here.factor, here.scale).diagonal()
    growing = variance > _STILL_GROWING * _invert(earlier.factor, earlier.scale).diagonal()
    settled = np.abs(here.step) <= _SETTLED * np.sqrt(variance)
    if not growing.any() or not settled[~growing].all():
        return None
    running = growing & (np.abs(here.step) > _RUNNING * np.abs(here.coef))
    limit = np.where(growing, np.nan, here.coef)
    limit[running] = np.sign(here.step[running]) * np.inf
    return limit


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
