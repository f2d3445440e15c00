"""Delta method for functions of the cumulative probabilities F_j = P(Y <= j) of a cumulative link model.

The model is written in free form, eta_ij = z_i'g_j with z = (1, -x), one row g_j of coefficients a threshold; effects
that are equal at every threshold repeat. Axes: n rows, k categories, k - 1 thresholds, q columns of Z. What is wanted
(a category's probability, a mean score) is `constant + weights F`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BLOCK: Final = 2_000_000


def row_variances(Z: Floats, density: Floats, combine: Floats, vcov: Floats) -> Floats:
    """Return the variance of `combine @ F` for each row, shape (n, m).

    Parameters
    ----------
    Z
        Shape (n, q).
    density
        Derivative of F in its linear predictor, shape (n, k - 1).
    combine
        Shape (m, k - 1).
    vcov
        Of the free-form coefficients, thresholds one after the other, shape ((k - 1) q, (k - 1) q).
    """
    n, cuts = density.shape
    q = Z.shape[1]
    blocks = vcov.reshape(cuts, q, cuts, q)
    variances = np.empty((n, len(combine)))
    step = max(1, BLOCK // (cuts * cuts))
    for first in range(0, n, step):
        rows = slice(first, first + step)
        z, f = Z[rows], density[rows]
        joint = np.empty((len(z), cuts, cuts))
        for j in range(cuts):
            for i in range(j + 1):
                joint[:, j, i] = np.einsum("nq,nq->n", z @ blocks[j, :, i, :], z) * f[:, j] * f[:, i]
                joint[:, i, j] = joint[:, j, i]
        variances[rows] = np.einsum("mj,nji,mi->nm", combine, joint, combine, optimize=True)
    return np.maximum(variances, 0.0)


def mean_gradient(Z: Floats, density: Floats, share: Floats) -> Floats:
    """Return the gradient of the weighted mean of each F_j in g_j, shape (k - 1, q).

    Parameters
    ----------
    Z, density
        As in `row_variances`.
    share
        Weights that sum to 1, shape (n,).
    """
    return np.asarray((density * share[:, None]).T @ Z)


def mean_slope(
    Z: Floats, change: Floats, coef: Floats, density: Floats, slope: Floats, share: Floats
) -> tuple[Floats, Floats]:
    """Return the weighted mean derivative of each F_j in a predictor, shape (k - 1,), and its gradient in g_j.

    Parameters
    ----------
    Z
        Shape (n, q).
    change
        Derivative of `Z` in the predictor, shape (n, q).
    coef
        Free-form coefficients, shape (k - 1, q).
    density, slope
        First and second derivative of F in its linear predictor, shape (n, k - 1).
    share
        Weights that sum to 1, shape (n,).

    Notes
    -----
    d F_j / dx = f(eta_j) z_x'g_j, with gradient f'(eta_j) (z_x'g_j) z + f(eta_j) z_x.
    """
    rise = change @ coef.T
    value = share @ (density * rise)
    gradient = (slope * rise * share[:, None]).T @ Z + (density * share[:, None]).T @ change
    return np.asarray(value), np.asarray(gradient)


def spread_gradient(gradient: Floats) -> Floats:
    """Lay the gradients of F_1, ..., F_(k-1) out over all coefficients: (k - 1, q) to (k - 1, (k - 1) q)."""
    cuts, q = gradient.shape
    wide = np.zeros((cuts, cuts, q))
    wide[np.arange(cuts), np.arange(cuts)] = gradient
    return wide.reshape(cuts, cuts * q)
