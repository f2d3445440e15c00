"""Newton-Raphson with step halving for a smooth concave log-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
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
_VANISHED = (1e-9, 200.0)
_VANISHING = (1e-6, 50.0)
_WELL_CONDITIONED = 1e-6
_LARGE = 5.0


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
    limit: Floats


class _Iterate(NamedTuple):
    """Coefficients with the likelihood there, the factored information, and the Newton step that leads on."""

    coef: Floats
    loglik: float
    information: Floats
    factor: Floats
    scale: Floats
    step: Floats
    length: float


def maximise(
    evaluate: Callable[[Floats], Evaluation],
    start: Floats,
    control: Control,
    *,
    reach: Callable[[Floats], float],
    accurate_tails: bool = False,
) -> NewtonResult:
    """Maximise a log-likelihood.

    Parameters
    ----------
    evaluate
        From coefficients to log-likelihood, score and information.
    start
        Shape (p,). Coefficients should be on comparable scales: a step of 1 is taken as large.
    control
        Tolerances.
    reach
        From coefficients to the range of the linear predictor over the data.
    accurate_tails
        Whether score and information are right where the linear predictor is wide: then a step that has settled is a
        maximum however wide that is (a strong or long-tailed column), unless the information has vanished.

    Raises
    ------
    ConvergenceError
        When the iterations run out or no step raises the likelihood.
    SingularInformationError
        When the information matrix is singular at a finite point.
    """
    first = here = _iterate(start, evaluate(start), control)
    earlier = None
    for iteration in range(1, control.max_iterations + 1):
        quiet = earlier is not None and _quiet(here.loglik - earlier.loglik, here.loglik, control)
        limit = _running_away(here, earlier) if quiet and earlier is not None else None
        if limit is None and here.length <= control.score_tolerance and (quiet or earlier is None):
            limit = _lost(here, first, _VANISHED, None if accurate_tails and _settled(here) else reach)
            return _finished(first, here, iteration) if limit is None else _stopped(first, here, iteration, limit)
        if limit is not None:
            return _stopped(first, here, iteration, limit)
        try:
            following = _climb(evaluate, here, control)
        except ConvergenceError:
            limit = _lost(here, first, _VANISHING, reach)
            if limit is None:
                raise
            return _stopped(first, here, iteration, limit)
        earlier, here = here, following
    limit = _lost(here, first, _VANISHING, reach)
    if limit is not None:
        return _stopped(first, here, control.max_iterations, limit)
    raise ConvergenceError(
        f"The fit did not converge in {control.max_iterations} iterations (`max_iterations`); {here.length:.3g} "
        "standard errors are left to go. Check the predictors for extreme values, or allow more iterations."
    )


def _iterate(coef: Floats, evaluation: Evaluation, control: Control) -> _Iterate:
    loglik, score, information = evaluation
    factor, scale = factorise(information, control)
    step = _solve(factor, scale, score)
    return _Iterate(coef, loglik, information, factor, scale, step, float(np.sqrt(max(float(score @ step), 0.0))))


def _quiet(change: float, loglik: float, control: Control) -> bool:
    return abs(change) <= control.loglik_tolerance * max(abs(loglik), 1.0)


def _climb(evaluate: Callable[[Floats], Evaluation], here: _Iterate, control: Control) -> _Iterate:
    """Take the step, halved until the log-likelihood does not fall by more than rounding."""
    least = here.loglik - 1e-12 * max(abs(here.loglik), 1.0)
    for halving in range(control.max_halvings + 1):
        candidate = here.coef + here.step * 0.5**halving
        evaluation = evaluate(candidate)
        if np.isfinite(evaluation[0]) and np.isfinite(evaluation[1]).all() and evaluation[0] >= least:
            return _iterate(candidate, evaluation, control)
    raise ConvergenceError(
        f"No step raises the log-likelihood after {control.max_halvings} halvings (`max_halvings`). "
        "Check the predictors for extreme values or near-perfect correlation."
    )


def _finished(first: _Iterate, last: _Iterate, iteration: int) -> NewtonResult:
    """Return the maximum; the last step is taken without another evaluation."""
    coef = last.coef + last.step
    return NewtonResult(
        coef, _invert(last), first.loglik, last.loglik + 0.5 * last.length**2, first.length**2, iteration, coef
    )


def _stopped(first: _Iterate, last: _Iterate, iteration: int, limit: Floats) -> NewtonResult:
    """Return where the iterations stopped on a likelihood without a maximum."""
    return NewtonResult(last.coef, _invert(last), first.loglik, last.loglik, first.length**2, iteration, limit)


def _running_away(here: _Iterate, earlier: _Iterate) -> Floats | None:
    """Return the coefficients at infinity when the likelihood is monotone, else None.

    Near a finite maximum the steps shrink quadratically and the variances settle. Along a direction in which the
    likelihood rises for ever the steps keep their length while the information decays by a constant factor.
    """
    if np.abs(here.step).max() <= _STILL_MOVING * np.abs(earlier.step).max():
        return None
    variance = _invert(here).diagonal()
    growing = variance > _STILL_GROWING * _invert(earlier).diagonal()
    settled = np.abs(here.step) <= _SETTLED * np.sqrt(variance)
    if not growing.any() or not settled[~growing].all():
        return None
    running = growing & (np.abs(here.step) > _RUNNING * np.abs(here.coef))
    return _at_infinity(here.coef, growing, running)


def _settled(here: _Iterate) -> bool:
    """Tell whether the next step is nothing beside the coefficients: one that runs away is a share of them."""
    return bool(np.abs(here.step).max() <= _RUNNING * np.abs(here.coef).max())


def _lost(
    here: _Iterate, first: _Iterate, bounds: tuple[float, float], reach: Callable[[Floats], float] | None
) -> Floats | None:
    """Return the coefficients at infinity when rounding hides what `_running_away` looks for, else None.

    Several directions may run away at different speeds. Then less than a `share` of the information at the start is
    left in some direction, or the linear predictor spans more than the `extreme`: no ratio of exp(50) = 5e21 means
    anything, and beyond exp(200) the sums hold nothing but rounding. Without `reach` the latter is not asked.
    """
    share, extreme = bounds
    size = np.abs(here.coef)
    if reach is not None and size.sum() > _LARGE and reach(here.coef) > extreme:
        return _at_infinity(here.coef, size >= 0.0, size > 0.1 * size.max())
    if here.factor.diagonal().min() ** 2 > _WELL_CONDITIONED and (here.scale < first.scale / np.sqrt(share)).all():
        return None
    kept, directions = eigh(here.information, first.information)
    lost = kept < share
    if not lost.any():
        return None
    size = np.abs(directions[:, lost] / first.scale[:, None]).max(axis=1)
    growing = size > _RUNNING * size.max()
    coef = np.abs(here.coef)
    return _at_infinity(here.coef, growing, growing & (coef > 0.1 * coef[growing].max()))


def _at_infinity(coef: Floats, growing: npt.NDArray[np.bool_], running: npt.NDArray[np.bool_]) -> Floats:
    limit = np.where(growing, np.nan, coef)
    limit[running] = np.sign(coef[running]) * np.inf
    return limit


def factorise(information: Floats, control: Control) -> tuple[Floats, Floats]:
    """Return the Cholesky factor of the information scaled to a unit diagonal, and the scale."""
    diagonal = information.diagonal()
    positive = diagonal > 0.0
    if not positive.all():
        raise SingularInformationError("The information about a coefficient is zero.", int(np.argmin(positive)))
    scale = 1.0 / np.sqrt(diagonal)
    factor, failed = dpotrf(information * scale * scale[:, None], lower=1)
    if failed:
        raise SingularInformationError("The information matrix is singular.", int(failed) - 1)
    weak = factor.diagonal() ** 2 < control.singular_tolerance
    if weak.any():
        raise SingularInformationError("The information matrix is singular.", int(np.argmax(weak)))
    return factor, scale


def _solve(factor: Floats, scale: Floats, score: Floats) -> Floats:
    solution, _ = dpotrs(factor, score * scale, lower=1)
    return np.asarray(solution * scale)


def _invert(at: _Iterate) -> Floats:
    return invert_factor(at.factor, at.scale)


def invert_factor(factor: Floats, scale: Floats) -> Floats:
    """Return the inverse of the information from what `factorise` gives."""
    inverse, _ = dpotri(factor, lower=1)
    full = np.tril(inverse) + np.tril(inverse, -1).T
    return np.asarray(full * scale * scale[:, None])
