"""A gamma frailty of recurrent moves, by the EM algorithm."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.special import gammaln

from rtwcohort.simulate.synthesise.hazards import GroupFit, Move
from rtwcohort.simulate.synthesise.log_ratios import Floats, piece_rates

VARIANCES: Final = tuple(0.05 * 1.25**k for k in range(22))
_ROUNDS: Final = 60
_DONE: Final = 1e-3


def with_frailty(fit: GroupFit, n: int) -> tuple[GroupFit, float]:
    """Fit the variance of a gamma frailty, and the rates beside it.

    Without it rates just after a return would be high because people who fall ill often are there more often; a
    frailty on top of such rates would count that twice.

    Parameters
    ----------
    fit
        Without frailty. Its moves leave states without a window.
    n
        People.

    Returns
    -------
    tuple of GroupFit and float
        Rates for somebody with frailty 1, and the variance; the fit itself and 0 where a frailty adds nothing.

    Notes
    -----
    E step: with d moves, m expected ones and variance v the frailty is (1/v + d) / (1/v + m). M step: rates with the
    frailties as weights; v by the marginal likelihood of the counts over a grid (Klein, Biometrics 48 (1992) 795-806).
    """
    risk = fit.risk
    moved = np.bincount(risk.person, weights=risk.moved, minlength=n).astype(np.float64)
    weight = np.ones(n)
    variance = 0.0
    rates = piece_rates(risk, fit.eta, fit.pieces)
    for _ in range(_ROUNDS):
        each = risk.days * np.exp(fit.eta) * rates[risk.piece]
        mean = np.bincount(risk.person, weights=each, minlength=n).astype(np.float64)
        variance = max(VARIANCES, key=lambda value: _likelihood(value, moved, mean))
        weight = (1.0 / variance + moved) / (1.0 / variance + mean)
        last = rates
        rates = piece_rates(risk, fit.eta + np.log(weight)[risk.person], fit.pieces)
        if float(np.abs(rates - last).max()) <= _DONE * float(rates.max()):
            break
    if variance <= VARIANCES[0]:
        return fit, 0.0
    moves = []
    at = 0
    for move in fit.moves:
        values = [float(f"{rate:.4g}") for rate in rates[at : at + len(move.per_day)]]
        steps = tuple((day, value) for (day, _), value in zip(move.per_day, values, strict=True))
        moves.append(Move(move.origins, move.to, steps))
        at += len(steps)
    return replace(fit, moves=tuple(moves)), round(variance, 3)


def _likelihood(variance: float, moved: Floats, mean: Floats) -> float:
    shape = 1.0 / variance
    return float(
        (gammaln(shape + moved) - gammaln(shape) + shape * np.log(shape) - (shape + moved) * np.log(shape + mean)).sum()
    )
