"""The maximum of a cumulative link likelihood: start values, Newton steps, and parameters that run away."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from rtwcohort.core.control import Control
from rtwcohort.errors import ConvergenceError, DesignError
from rtwcohort.models.newton import NewtonResult, SingularInformationError, factorise, maximise
from rtwcohort.models.ordinal_likelihood import Evaluation, OrdinalLikelihood
from rtwcohort.models.ordinal_separation import separated_parameters

Floats = npt.NDArray[np.float64]

_SAMPLE_ROWS = 16_384
_SAMPLE_SHARE = 4
_SAMPLE_CONTROL = Control(loglik_tolerance=1e-6, score_tolerance=0.01)
_LOST = 1e-6
_INVOLVED = 1e-3
_RUNS = 0.05
_TRACE = 1e-10


class OrdinalMaximum(NamedTuple):
    """Where the iterations ended.

    Attributes
    ----------
    working
        Working parameters.
    natural, limit
        Natural parameters, and the same with infinities and NaN where the likelihood has no maximum.
    covariance
        Inverse of the observed information, in working parameters.
    loglik
        Log-likelihood.
    iterations
        Newton steps on all rows.
    """

    working: Floats
    natural: Floats
    limit: Floats
    covariance: Floats
    loglik: float
    iterations: int


def maximise_ordinal(likelihood: OrdinalLikelihood, control: Control) -> OrdinalMaximum:
    """Find the maximum.

    Raises
    ------
    DesignError
        When an effect cannot be told from others.
    ConvergenceError
        When the maximum is not reached.
    """
    evaluate = _remembering(climbable(likelihood, likelihood))
    start = _start(likelihood, evaluate)
    result = maximise_safely(evaluate, likelihood.start(), start, control, likelihood)
    change = likelihood.to_natural()
    if np.isfinite(result.limit).all():
        natural = change @ result.coef
        return OrdinalMaximum(result.coef, natural, natural, result.covariance, result.loglik, result.iterations)
    moved = separated_parameters(likelihood.data, likelihood.natural_scale())
    if moved is not None and not (moved[0] | moved[1]).any():
        result = _further(evaluate, result, control)
    natural = change @ result.coef
    limit = natural if np.isfinite(result.limit).all() else _limits(likelihood, result.coef, natural, moved)
    return OrdinalMaximum(result.coef, natural, limit, result.covariance, result.loglik, result.iterations)


def _further(evaluate: Callable[[Floats], Evaluation], result: NewtonResult, control: Control) -> NewtonResult:
    """Go on to a maximum that exists, however far away."""
    try:
        found = maximise(evaluate, result.coef, control, reach=lambda _: 0.0)
    except ConvergenceError:
        return result
    return found if np.isfinite(found.limit).all() else result


def maximise_safely(
    evaluate: Callable[[Floats], Evaluation],
    null: Floats,
    start: Floats,
    control: Control,
    likelihood: OrdinalLikelihood,
    free: npt.NDArray[np.intp] | None = None,
) -> NewtonResult:
    """Maximise; where the information vanishes on the way, once more with a trace of that of no effects added.

    With other links than the logit the information of a separated model falls like exp(-exp(x)): from one step to the
    next it is gone. A share of 1e-10 keeps the steps finite, and `maximise` then tells that nothing else is left.

    Parameters
    ----------
    evaluate
        From the free parameters to log-likelihood, score and information.
    null, start
        Free parameters of the model without effects, and where to start.
    free
        Working parameters that are free; all when None.
    """

    def reach(coef: Floats) -> float:
        return likelihood.reach(coef) if free is None else 0.0

    try:
        return maximise(evaluate, start, control, reach=reach, accurate_tails=True)
    except ConvergenceError as error:
        first = evaluate(null)[2]
        if isinstance(error, SingularInformationError):
            _check_estimable(first, control, likelihood, free, error)

    def traced(coef: Floats) -> Evaluation:
        loglik, score, information = evaluate(coef)
        return loglik, score, information + _TRACE * first

    return maximise(traced, start, control, reach=reach)


def _check_estimable(
    first: Floats,
    control: Control,
    likelihood: OrdinalLikelihood,
    free: npt.NDArray[np.intp] | None,
    error: SingularInformationError,
) -> None:
    """Raise when the information is singular without any effects too: the columns are at fault."""
    try:
        factorise(first, control)
    except SingularInformationError as fault:
        names = likelihood.working_names()
        name = names[fault.position if free is None else int(free[fault.position])]
        raise DesignError(
            f"The effect of '{name}' cannot be estimated: it has one value, or is a linear combination of the columns "
            "before it. Leave it out."
        ) from error


def _start(likelihood: OrdinalLikelihood, evaluate: Callable[[Floats], Evaluation]) -> Floats:
    """Return the shares of the categories or, with many rows, the fit to part of them where that is better."""
    start = likelihood.start()
    n = len(likelihood.data.codes)
    if n < _SAMPLE_SHARE * _SAMPLE_ROWS or start.size == likelihood.n_thresholds:
        return start
    coef = start
    for every in (n // _SAMPLE_ROWS, n // (_SAMPLE_ROWS * 8)):
        if every < _SAMPLE_SHARE:
            break
        try:
            found = maximise(climbable(likelihood.part(every), likelihood), coef, _SAMPLE_CONTROL, reach=lambda _: 0.0)
        except ConvergenceError:
            return start
        if not np.isfinite(found.limit).all():
            return start
        coef = found.coef
    return coef if evaluate(coef)[0] > likelihood.loglik_of_shares() else start


def _remembering(evaluate: Callable[[Floats], Evaluation]) -> Callable[[Floats], Evaluation]:
    """Keep the latest evaluation, so that the start need not be evaluated twice."""
    latest: list[tuple[Floats, Evaluation]] = []

    def evaluated(working: Floats) -> Evaluation:
        if not (latest and np.array_equal(latest[0][0], working)):
            latest[:] = [(working.copy(), evaluate(working))]
        return latest[0][1]

    return evaluated


def climbable(
    evaluate: Callable[[Floats], Evaluation], likelihood: OrdinalLikelihood
) -> Callable[[Floats], Evaluation]:
    """Return a likelihood with the expected information where cauchit's observed one is not positive definite."""
    if likelihood.link != "cauchit":
        return evaluate

    def evaluated(working: Floats) -> Evaluation:
        loglik, score, information = evaluate(working)
        if np.isfinite(loglik):
            try:
                np.linalg.cholesky(information)
            except np.linalg.LinAlgError:
                information = likelihood.expected(working)
        return loglik, score, information

    return evaluated


def _limits(
    likelihood: OrdinalLikelihood,
    working: Floats,
    natural: Floats,
    moved: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None,
) -> Floats:
    """Return the natural parameters with those at infinity marked.

    Where the linear programmes tell (`moved`), a parameter that moves one way only goes to that infinity. Else
    directions in which less than a millionth of the information at the start is left are those in which the likelihood
    rises for ever. A parameter that takes part in one has no estimate; its sign is that of the way it has gone along
    these directions.
    """
    start = likelihood.start()
    here, first = likelihood(working)[2], climbable(likelihood, likelihood)(start)[2]
    kept, directions = eigh(here, first)
    directions = directions[:, kept < max(_LOST, float(kept[0]) * 1.5)]
    change = likelihood.to_natural()
    unit = likelihood.natural_scale()
    ways = np.abs(change @ directions) * unit[:, None]
    involved = (ways > _INVOLVED * ways.max(axis=0)).any(axis=1)
    gone = change @ (directions @ (directions.T @ first @ (working - start))) * unit
    if moved is not None and (moved[0] | moved[1]).any():
        involved = moved[0] | moved[1]
    runs = involved & (np.abs(gone) > _RUNS * np.abs(gone).max())
    limit = np.where(involved, np.nan, natural)
    limit[runs] = np.sign(gone[runs]) * np.inf
    if moved is not None:
        limit[moved[0] & ~moved[1]] = np.inf
        limit[moved[1] & ~moved[0]] = -np.inf
    return limit
