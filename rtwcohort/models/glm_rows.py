"""One generalised linear model fitted to arrays, with separation found and the rest still estimated.

Families and links are statsmodels'; its own iterations take a singular value decomposition of the rows at every step,
which costs ten times as much as the cross-products of standardised columns used here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import ConvergenceError
from rtwcohort.models.glm_scale import Standardised
from rtwcohort.models.separation import Separation, find_separation

Floats = npt.NDArray[np.float64]
_EXTREME = 10.0
_MAX_ITERATIONS = 200
_MAX_HALVINGS = 30
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class GlmRows:
    """Where a fit to arrays ended.

    Attributes
    ----------
    coef, limit
        Shape (p,), on the scale of the data; `limit` as in `GlmFit`.
    information_inverse
        Shape (p, p); NaN in the rows and columns of what is not finite.
    influence
        Of single rows without weights, shape (n, p): score times inverse information; 0 for rows that are separated and
        for what is not finite.
    mu
        Fitted means, shape (n,).
    loglik
        With weights.
    iterations
        Of iteratively reweighted least squares.
    """

    coef: Floats
    limit: Floats
    information_inverse: Floats
    influence: Floats
    mu: Floats
    loglik: float
    iterations: int


class Climbed(NamedTuple):
    """Where the iterations ended, and whether they stand still there."""

    params: Floats
    loglik: float
    iterations: int
    settled: bool


def fit_rows(
    standard: Standardised, y: Floats, family: Any, *, weights: Floats | None, offset: Floats | None, pull: Floats
) -> GlmRows:
    """Fit a model to standardised columns.

    Parameters
    ----------
    standard
        Columns.
    y
        Outcome, shape (n,).
    family
        A statsmodels family with its link.
    weights, offset
        Shape (n,) or None.
    pull
        Which way each row's likelihood rises, as `find_separation` wants it.

    Raises
    ------
    ConvergenceError
        When the iterations run out without separation to explain it.
    """
    result = climb(standard.Z, y, family, weights, offset)
    eta = standard.Z @ result.params
    suspicious = not result.settled or not np.isfinite(eta).all() or np.abs(eta).max() > _EXTREME
    apart = find_separation(standard.Z, pull) if suspicious else None
    if apart is not None:
        return _fit_overlap(standard, y, family, weights, offset, apart)
    if not result.settled:
        raise ConvergenceError(
            f"The fit did not converge in {_MAX_ITERATIONS} iterations. Check the predictors for extreme values or "
            "near-perfect correlation."
        )
    inverse, scores, mu = _figures(standard.Z, y, family, result.params, weights, offset)
    coef = standard.coef(result.params)
    return GlmRows(
        coef,
        coef,
        standard.vcov(inverse),
        scores @ inverse @ standard.back.T,
        mu,
        result.loglik,
        result.iterations,
    )


def climb(
    Z: Floats,
    y: Floats,
    family: Any,
    weights: Floats | None = None,
    offset: Floats | None = None,
    *,
    extreme: float = np.inf,
) -> Climbed:
    """Maximise by Fisher scoring (iteratively reweighted least squares) with step halving.

    Parameters
    ----------
    Z
        Standardised columns, shape (n, p).
    y, family, weights, offset
        As in `fit_rows`.
    extreme
        Linear predictor beyond which the climb is given up: the outcome is then as good as separated.
    """
    with np.errstate(all="ignore"):
        mu = np.asarray(family.starting_mu(y))
        eta = np.asarray(family.link(mu))
        params, loglik, before = np.zeros(Z.shape[1]), -np.inf, -np.inf
        for iteration in range(1, _MAX_ITERATIONS + 1):
            slope = np.asarray(family.link.inverse_deriv(eta))
            weight = slope**2 / np.asarray(family.variance(mu))
            weight = weight if weights is None else weight * weights
            target = eta + (y - mu) / slope if offset is None else eta - offset + (y - mu) / slope
            weighted = Z * weight[:, None]
            try:
                step = np.linalg.solve(weighted.T @ Z, weighted.T @ target) - params
            except np.linalg.LinAlgError:
                return Climbed(params, loglik, iteration, False)
            before = loglik
            for halving in range(_MAX_HALVINGS):
                trial = params + step * 0.5**halving
                eta = Z @ trial if offset is None else Z @ trial + offset
                mu = np.asarray(family.link.inverse(eta))
                loglik = float(family.loglike(y, mu, freq_weights=1.0 if weights is None else weights))
                if iteration == 1 or loglik >= before - 1e-12 * abs(before):
                    break
            moved = float(np.abs(trial - params).max())
            params = trial
            if np.abs(eta).max() > extreme:
                return Climbed(params, loglik, iteration, False)
            if moved <= _TOLERANCE * max(1.0, float(np.abs(params).max())):
                return Climbed(params, loglik, iteration, True)
    # nearly collinear coefficients may move for ever without changing the likelihood
    return Climbed(params, loglik, _MAX_ITERATIONS, abs(loglik - before) <= 1e-11 * (abs(loglik) + 1.0))


def _figures(
    Z: Floats, y: Floats, family: Any, gamma: Floats, weights: Floats | None, offset: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Return the inverse expected information, the scores of single rows and the means."""
    eta = Z @ gamma if offset is None else Z @ gamma + offset
    mu = np.asarray(family.link.inverse(eta))
    slope, variance = np.asarray(family.link.inverse_deriv(eta)), np.asarray(family.variance(mu))
    weight = slope**2 / variance if weights is None else weights * slope**2 / variance
    inverse = np.linalg.inv((Z * weight[:, None]).T @ Z)
    return np.asarray(inverse), Z * ((y - mu) * slope / variance)[:, None], mu


def _fit_overlap(
    standard: Standardised, y: Floats, family: Any, weights: Floats | None, offset: Floats | None, apart: Separation
) -> GlmRows:
    """Fit what is left when the separated rows are fitted perfectly at infinity.

    A coefficient on the way to infinity is infinite; of the others, those that the overlapping rows still tell are
    finite and have the variance from these rows.
    """
    n, p = standard.Z.shape
    direction = standard.direction(apart.direction)
    stay = apart.overlapping
    limit = np.where(direction != 0.0, np.copysign(np.inf, direction), np.nan)
    mu = np.where(stay, np.nan, y)
    inverse, influence = np.full((p, p), np.nan), np.zeros((n, p))
    if not stay.any():
        return GlmRows(limit, limit, inverse, influence, mu, 0.0, 0)
    X = standard.Z @ np.linalg.inv(standard.back)
    rms = np.sqrt(np.square(X).mean(axis=0))
    X = X[stay] / rms
    chosen, known = _estimable(X, direction != 0.0)
    scale = rms[chosen]
    w, o = (None if a is None else a[stay] for a in (weights, offset))
    result = climb(X[:, chosen], y[stay], family, w, o)
    if not result.settled:
        raise ConvergenceError("The fit to the rows that are not separated did not converge.")
    small, own, mu[stay] = _figures(X[:, chosen], y[stay], family, result.params, w, o)
    coef = np.full(p, np.nan)
    coef[chosen] = result.params / scale
    coef[~known] = np.nan
    finite = np.flatnonzero(known)
    places = [int(np.flatnonzero(chosen == j)[0]) for j in finite]
    full = small / scale / scale[:, None]
    inverse[np.ix_(finite, finite)] = full[np.ix_(places, places)]
    influence[np.ix_(np.flatnonzero(stay), finite)] = (own @ small / scale)[:, places]
    return GlmRows(
        coef,
        np.where(known, coef, limit),
        inverse,
        influence,
        mu,
        result.loglik,
        result.iterations,
    )


def _estimable(X: Floats, infinite: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return a basis of the columns of X, scaled to about 1, finite ones first, and which coefficients X determines."""
    n = len(X)
    basis: list[int] = []
    for j in [*np.flatnonzero(~infinite), *np.flatnonzero(infinite)]:
        rest = X[:, j]
        if basis:
            rest = rest - X[:, basis] @ np.linalg.lstsq(X[:, basis], rest, rcond=None)[0]
        if np.linalg.norm(rest) > 1e-7 * np.sqrt(n):
            basis.append(int(j))
    _, size, right = np.linalg.svd(X.T @ X)
    rank = int((size > 1e-12 * n).sum())
    known = (np.abs(right[rank:]) < 1e-5).all(axis=0) & ~infinite
    return np.sort(np.array(basis, dtype=np.intp)), known
