"""The maximum of a cumulative link likelihood: start values, Newton steps, and parameters that run away."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from rtwcohort.core.control import Control
from rtwcohort.errors import ConvergenceError, DesignError
from rtwcohort.models.newton import SingularInformationError, maximise
from rtwcohort.models.ordinal_likelihood import Evaluation, OrdinalLikelihood

Floats = npt.NDArray[np.float64]

_SAMPLE_ROWS = 16_384
_SAMPLE_SHARE = 4
_SAMPLE_CONTROL = Control(loglik_tolerance=1e-6, score_tolerance=0.01)
_LOST = 1e-6
_INVOLVED = 1e-3
_RUNS = 0.05


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
    evaluate = _remembering(_climbable(likelihood, likelihood))
    start = _start(likelihood, evaluate)
    try:
        result = maximise(evaluate, start, control, reach=likelihood.reach)
    except SingularInformationError as error:
        name = likelihood.working_names()[error.position]
        raise DesignError(
            f"The effect of '{name}' cannot be estimated: it has one value, or is a linear combination of the columns "
            "before it. Leave it out."
        ) from error
    natural = likelihood.to_natural() @ result.coef
    limit = natural if np.isfinite(result.limit).all() else _limits(likelihood, result.coef, natural)
    return OrdinalMaximum(result.coef, natural, limit, result.covariance, result.loglik, result.iterations)


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
            found = maximise(_climbable(likelihood.part(every), likelihood), coef, _SAMPLE_CONTROL, reach=lambda _: 0.0)
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


def _climbable(
    evaluate: Callable[[Floats], Evaluation], likelihood: OrdinalLikelihood
) -> Callable[[Floats], Evaluation]:
    """Put the expected information where the observed one is not positive definite: cauchit's is not everywhere."""
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


def _limits(likelihood: OrdinalLikelihood, working: Floats, natural: Floats) -> Floats:
    """Return the natural parameters with those at infinity marked.

    Directions in which less than a millionth of the information at the start is left are those in which the likelihood
    rises for ever. A parameter that takes part in one has no estimate; its sign is that of the way it has gone along
    these directions.
    """
    start = likelihood.start()
    here, first = likelihood(working)[2], likelihood(start)[2]
    kept, directions = eigh(here, first)
    directions = directions[:, kept < max(_LOST, float(kept[0]) * 1.5)]
    change = likelihood.to_natural()
    unit = likelihood.natural_scale()
    ways = np.abs(change @ directions) * unit[:, None]
    involved = (ways > _INVOLVED * ways.max(axis=0)).any(axis=1)
    gone = change @ (directions @ (directions.T @ first @ (working - start))) * unit
    runs = involved & (np.abs(gone) > _RUNS * np.abs(gone).max())
    limit = np.where(involved, np.nan, natural)
    limit[runs] = np.sign(gone[runs]) * np.inf
    return limit
