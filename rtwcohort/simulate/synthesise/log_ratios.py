"""Exponential regression with a free rate in every piece: log hazard ratios by Newton's method.

The log likelihood of days at risk t and moves d in pieces j is sum(d (a_j + x'b) - t exp(a_j + x'b)). For given b the
best rate is exp(a_j) = d_j / sum_j t exp(x'b); put in, this leaves a function of b alone, as a partial likelihood does
(Holford, Biometrics 32 (1976) 229-237). A normal prior with variance 1 on the log ratio of a standard deviation keeps
rare terms from running away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtwcohort.simulate.synthesise.sequences import Ints

Floats = npt.NDArray[np.float64]

_ROUNDS: Final = 30
_STEP: Final = 1.0
_DONE: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Risk:
    """Days at risk of one group of moves, arrays of shape (k,).

    Attributes
    ----------
    person, piece
        Position of the person; number of the piece, from 0.
    days
        Length.
    moved
        1 where the move happened at the end, else 0.
    follow
        Days of follow-up when it begins.
    day
        Calendar day on which it begins.
    """

    person: Ints
    piece: Ints
    days: Floats
    moved: Floats
    follow: Ints
    day: Ints


def fit_log_ratios(risk: Risk, x: Floats, pieces: int) -> Floats:
    """Fit log hazard ratios.

    Parameters
    ----------
    risk
        Days at risk and moves.
    x
        Covariates, mean about 0, shape (k, p).
    pieces
        Number of pieces.

    Returns
    -------
    numpy.ndarray of float64, shape (p,)
        Per unit of `x`.
    """
    p = x.shape[1]
    beta = np.zeros(p)
    if p == 0:
        return beta
    scale = np.where(x.std(axis=0) > 0.0, x.std(axis=0), 1.0)
    z = x / scale
    moved = np.bincount(risk.piece, weights=risk.moved, minlength=pieces)
    for _ in range(_ROUNDS):
        mean = expected(risk, z @ beta, pieces)
        gradient = z.T @ (risk.moved - mean) - beta
        sums = np.column_stack([np.bincount(risk.piece, weights=mean * z[:, k], minlength=pieces) for k in range(p)])
        centred = sums / np.sqrt(np.maximum(moved, 1.0))[:, None]
        information = z.T @ (mean[:, None] * z) - centred.T @ centred + np.eye(p)
        step = np.linalg.solve(information, gradient)
        step *= min(1.0, _STEP / max(float(np.abs(step).max()), 1e-12))
        beta = beta + step
        if float(np.abs(step).max()) < _DONE:
            break
    return np.asarray(beta / scale)


def expected(risk: Risk, eta: Floats, pieces: int) -> Floats:
    """Return expected moves of each slice at the best rates, shape (k,)."""
    weight = risk.days * np.exp(eta)
    rate = piece_rates(risk, eta, pieces)
    return np.asarray(weight * rate[risk.piece])


def piece_rates(risk: Risk, eta: Floats, pieces: int) -> Floats:
    """Return the rate per day of each piece for somebody with eta 0, shape (pieces,)."""
    weight = np.bincount(risk.piece, weights=risk.days * np.exp(eta), minlength=pieces)
    moved = np.bincount(risk.piece, weights=risk.moved, minlength=pieces)
    return np.divide(moved, weight, out=np.zeros(pieces), where=weight > 0.0)
