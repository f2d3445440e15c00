"""Repeated ordered status whose margins follow a cumulative link model exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal.association import Association, latent_correlation
from rtwcohort.simulate.marginal.inputs import check_persons, check_values, numbers
from rtwcohort.simulate.marginal.links import LINKS, Link, cholesky, inverse_link, link_of
from rtwcohort.simulate.marginal.solving import mean, root, rounded
from rtwcohort.simulate.portable import Floats, Ints


def draw_ordered_repeated(
    persons: npt.ArrayLike,
    linear_predictor: npt.ArrayLike,
    thresholds: Any,
    *,
    association: Association,
    seed: int,
    link: Link = "logit",
    purpose: str = "status",
) -> Ints:
    """Draw an ordered status at several waves with given margins and association.

    Parameters
    ----------
    persons
        Numbers of people, counted over the whole register, shape (n,).
    linear_predictor
        x'b at each wave, shape (n, waves).
    thresholds
        One increasing sequence for all waves, or one a wave (the same number each).
    association
        Between the waves of a person.
    seed, purpose
        A draw depends on seed, purpose, person and wave alone; outcomes with different purposes are independent.
    link
        "logit", "probit" or "cloglog", of P(Y <= j).

    Returns
    -------
    numpy.ndarray of int64, shape (n, waves)
        0 is the lowest level.

    Raises
    ------
    ArgumentError
        For thresholds that do not increase, an association that cannot be, shapes that do not fit.

    Notes
    -----
    link(P(Y_t <= j)) = threshold_tj - x_t'b, the sign of `fit_ordinal_gee`: exp(b) above 1 means a better status.
    Y_t is the number of levels whose P(Y_t <= j) lies below Phi(Z_t), where the Z of a person are standard normal with
    the latent correlation (Gaussian copula): the margin given the linear predictors of all waves is the model's,
    exactly, so that every working association of a GEE estimates b.
    """
    check_choice(link, LINKS, argument="link")
    number = check_persons(persons)
    eta = check_predictor(linear_predictor, len(number))
    cut = check_thresholds(thresholds, eta.shape[1])
    at = _reference(association, eta.shape[1])
    below = inverse_link(link, cut - at[:, None])
    lower = cholesky(latent_correlation(association, below))
    return _levels(_copula(number, lower, draws.key(seed, purpose)), eta, cut, link)


def draw_ordered(
    persons: npt.ArrayLike,
    linear_predictor: npt.ArrayLike,
    thresholds: Sequence[float],
    *,
    seed: int,
    link: Link = "logit",
    purpose: str = "later_status",
) -> Ints:
    """Draw an ordered status once, given everything in the linear predictor (n,); 0 is the lowest level."""
    check_choice(link, LINKS, argument="link")
    number = check_persons(persons)
    eta = check_values(linear_predictor, len(number), argument="linear_predictor")
    cut = check_thresholds(tuple(thresholds), 1)
    shares = draws.uniform(draws.key(seed, purpose), number)
    return _levels(shares[:, None], eta[:, None], cut, link)[:, 0]


def thresholds_for(shares: Sequence[float], linear_predictor: npt.ArrayLike = 0.0, *, link: Link = "logit") -> Floats:
    """Return the thresholds that give these shares of the levels, on average over the linear predictors given.

    Parameters
    ----------
    shares
        One a level, lowest first, adding up to 1 (or to 100).
    linear_predictor
        Shape (n,): the people over whom the shares hold; one number for a reference profile.
    link
        Of P(Y <= j).

    Raises
    ------
    ArgumentError
        For shares that are not positive or do not add up.
    """
    check_choice(link, LINKS, argument="link")
    given = [float(share) for share in shares]
    total = sum(given)
    if len(given) < 2 or min(given) <= 0.0 or min(abs(total - 1.0), abs(total - 100.0) / 100.0) > 1e-9:
        raise ArgumentError(
            f"`shares` must be positive, one a level, and add up to 1 (or 100); got {given}, total {total:g}. "
            "A level that nobody has is left out."
        )
    values = np.atleast_1d(numbers(linear_predictor, argument="linear_predictor"))
    eta = check_values(values, len(values), argument="linear_predictor")
    low, high = float(eta.min()), float(eta.max())
    found, reached = [], 0.0
    for share in given[:-1]:
        reached += share / total
        start = link_of(link, reached)

        def off(cut: float, wanted: float = reached) -> float:
            return mean(inverse_link(link, cut - eta)) - wanted

        found.append(rounded(root(off, start + low - 1e-9, start + high + 1e-9)))
    return np.asarray(found)


def check_predictor(linear_predictor: npt.ArrayLike, n: int) -> Floats:
    """Return a finite linear predictor of shape (n, waves)."""
    eta = numbers(linear_predictor, argument="linear_predictor")
    if eta.ndim != 2 or len(eta) != n or not eta.shape[1]:
        raise ArgumentError(
            f"`linear_predictor` must have the shape (people, waves), here ({n}, waves); got {eta.shape}."
        )
    if not np.isfinite(eta).all():
        raise ArgumentError("`linear_predictor` must be finite; some values are missing or infinite.")
    return eta


def check_thresholds(thresholds: Any, waves: int) -> Floats:
    """Return thresholds of shape (waves, levels - 1), increasing along each row."""
    try:
        cut = np.asarray(thresholds, dtype=np.float64)
    except ValueError:
        cut = np.empty((0, 0))
    if cut.ndim == 1:
        cut = np.tile(cut, (waves, 1))
    if cut.ndim != 2 or len(cut) != waves or not cut.shape[1] or not np.isfinite(cut).all():
        raise ArgumentError(
            f"`thresholds` must be one sequence of numbers for all waves or one a wave ({waves}), all of the same "
            f"length; got {thresholds!r}."
        )
    if (np.diff(cut, axis=1) <= 0.0).any():
        raise ArgumentError(f"`thresholds` must increase from each level to the next; got {thresholds!r}.")
    return cut


def _reference(association: Association, waves: int) -> Floats:
    if not association.at:
        return np.zeros(waves)
    if len(association.at) != waves:
        raise ArgumentError(f"`association.at` must hold one number a wave ({waves}); got {len(association.at)}.")
    return check_values(association.at, waves, argument="association.at")


def _copula(persons: Ints, lower: Floats, key: np.uint64) -> Floats:
    """Return uniforms of shape (n, waves) whose normal quantiles have the correlation lower @ lower.T."""
    own = [draws.normal(key, persons, wave) for wave in range(len(lower))]
    shares = np.empty((len(persons), len(lower)))
    for wave in range(len(lower)):
        total = float(lower[wave, 0]) * own[0]
        for k in range(1, wave + 1):
            total = total + float(lower[wave, k]) * own[k]
        shares[:, wave] = draws.normal_cdf(total)
    return shares


def _levels(shares: Floats, eta: Floats, cut: Floats, link: Link) -> Ints:
    level = np.zeros(shares.shape, dtype=np.int64)
    for j in range(cut.shape[1]):
        level += shares > inverse_link(link, cut[:, j] - eta)
    return level
