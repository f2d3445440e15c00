"""Sandwich variances by cluster, with the corrections for few clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import ArgumentError
from rtwcohort.models.ordinal_gee_panel import PanelData, run_blocks
from rtwcohort.models.ordinal_gee_row_kernel import Sums

Floats = npt.NDArray[np.float64]

CORRECTIONS: Final = ("mancl_derouen", "kauermann_carroll", "fay_graubard")
_CLUSTERS_A_BLOCK: Final = 2_000
_FAY_GRAUBARD_BOUND: Final = 0.75
_WHOLE_LEVERAGE: Final = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """From standardised columns back to those of the data: parameters = `matrix` x standardised parameters.

    Attributes
    ----------
    matrix, inverse
        Shape (q, q).
    """

    matrix: Floats
    inverse: Floats

    def covariance(self, standardised: Floats) -> Floats:
        """Return a covariance on the scale of the data."""
        return np.asarray(self.matrix @ standardised @ self.matrix.T)


def scale_of(data: PanelData, m: int) -> Scale:
    """Return the transformation of the panel's columns."""
    p = data.mean.size
    matrix = np.eye(m + p)
    matrix[m:, m:] = np.diag(1.0 / data.spread)
    matrix[:m, m:] = data.mean / data.spread
    inverse = np.eye(m + p)
    inverse[m:, m:] = np.diag(data.spread)
    inverse[:m, m:] = -data.mean
    return Scale(matrix, inverse)


def sandwich(bread: Floats, meat: Floats) -> Floats:
    """Return bread^-1 meat bread^-T."""
    half = np.linalg.solve(bread, meat)
    full = np.linalg.solve(bread, half.T)
    return np.asarray(0.5 * (full + full.T))


def corrected_meat(
    correction: str, information: Floats, data: PanelData, of_block: Callable[[int, int], Sums], scale: Scale
) -> Floats:
    """Return the sum over clusters of corrected score x corrected score', in standardised columns.

    With A_i the information of cluster i, A their sum and Q_i = A_i A^-1, the residuals corrected by the leverage
    H_i = D_i A^-1 D_i' V_i^-1 give, as D_i' V_i^-1 f(H_i) = f(Q_i) D_i' V_i^-1, the scores

        Mancl and DeRouen      (I - Q_i)^-1 U_i
        Kauermann and Carroll  (I - Q_i)^-1/2 U_i
        Fay and Graubard       diag(1 - min(0.75, Q_i,jj))^-1/2 U_i, on the scale of the data

    Raises
    ------
    ArgumentError
        When a cluster alone determines a parameter, so that its leverage is 1.
    """
    root = np.asarray(np.linalg.cholesky(information), dtype=np.float64)
    blocks = list(pairwise([*range(0, data.n_clusters, _CLUSTERS_A_BLOCK), data.n_clusters]))
    total = np.zeros_like(information)

    def work(first: int, last: int) -> Floats:
        sums = of_block(first, last)
        copies = data.panel.copies[first:last]
        one = sums._replace(score=sums.score / copies[:, None], information=sums.information / copies[:, None, None])
        if correction == "fay_graubard":
            scores = _fay_graubard(one, information, scale)
        else:
            scores = _by_leverage(one, root, -1.0 if correction == "mancl_derouen" else -0.5)
        return np.asarray(scores.T @ (scores * copies[:, None]))

    for place in range(0, len(blocks), 16):
        total += sum(run_blocks(work, blocks[place : place + 16]))
    return total


def _by_leverage(sums: Sums, root: Floats, power: float) -> Floats:
    """Return root (I - G_i)^power root^-1 U_i, with G_i = root^-1 A_i root^-T symmetric and similar to Q_i."""
    half = np.linalg.solve(root, sums.information)
    leverage = np.linalg.solve(root, np.swapaxes(half, 1, 2))
    values, vectors = np.linalg.eigh(leverage)
    if values.max() > _WHOLE_LEVERAGE:
        raise ArgumentError(
            f"`correction`: {int((values.max(axis=1) > _WHOLE_LEVERAGE).sum())} clusters each determine a parameter "
            "alone (leverage 1), where this correction is infinite. Use correction='fay_graubard', or leave out the "
            "term that only one cluster has."
        )
    scores = np.linalg.solve(root, sums.score.T).T
    turned = np.einsum("cab,ca->cb", vectors, scores) * (1.0 - values) ** power
    return np.asarray(np.einsum("cab,cb->ca", vectors, turned) @ root.T)


def _fay_graubard(sums: Sums, information: Floats, scale: Scale) -> Floats:
    back = scale.inverse
    score = sums.score @ back
    total = back.T @ information @ back
    own = np.einsum("ab,cbd,de->cae", back.T, sums.information, back)
    leverage = np.einsum("cab,ba->ca", own, np.linalg.inv(total))
    factor = 1.0 / np.sqrt(1.0 - np.minimum(_FAY_GRAUBARD_BOUND, leverage))
    return np.asarray((score * factor) @ scale.matrix)


def numerical_information(score: Callable[[Floats], Floats], at: Floats, step: Floats) -> Floats:
    """Return minus the derivative of the estimating equations by central differences, error of order step^4.

    Parameters
    ----------
    score
        From parameters to the equations, shape (q,).
    at
        Parameters, shape (q,).
    step
        Of each parameter; a hundredth of its standard error is fit.
    """
    columns = []
    for a in range(at.size):
        shift = np.zeros_like(at)
        shift[a] = step[a]
        near = score(at + shift) - score(at - shift)
        far = score(at + 2.0 * shift) - score(at - 2.0 * shift)
        columns.append(-(8.0 * near - far) / (12.0 * step[a]))
    return np.stack(columns, axis=1)
