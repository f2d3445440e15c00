"""Score and information of the model in which every column has its own effect at every threshold.

Every cumulative link model is a linear restriction of it, link(P(Y <= j)) = z'g_j with z = (1, -x), so that one pass
over the rows serves the tests of each term. Axes: n rows, k categories, k - 1 thresholds, q columns of Z.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]


class NonparallelPieces(NamedTuple):
    """Derivatives of the log-likelihood in g = (g_1, ..., g_(k-1)) laid one after the other.

    Attributes
    ----------
    score
        Shape ((k - 1) q,).
    information
        Expected or observed, shape ((k - 1) q, (k - 1) q).
    meat
        Sum over rows or clusters of the outer products of their scores, same shape; None when not asked for.
    """

    score: Floats
    information: Floats
    meat: Floats | None


def nonparallel_pieces(
    Z: Floats,
    y: Codes,
    w: Floats,
    chance: Floats,
    density: Floats,
    slope: Floats | None,
    cluster: Codes | None,
    *,
    meat: bool,
) -> NonparallelPieces:
    """Return score, information and (when asked) meat.

    Parameters
    ----------
    Z
        Shape (n, q): a column of ones, then minus the predictors.
    y
        Category codes, shape (n,).
    w
        Weights, shape (n,).
    chance
        P(Y = j), shape (n, k).
    density
        Derivative of P(Y <= j) in its linear predictor, shape (n, k - 1).
    slope
        Derivative of `density`, for the observed information; None gives the expected information.
    cluster
        Codes from 0, shape (n,); None sums over rows.
    meat
        Whether to return it.
    """
    cuts, q = density.shape[1], Z.shape[1]
    rests = _rests(y, chance, density)
    score = np.concatenate([Z.T @ (w * rest) for rest in rests])
    information = np.zeros((cuts, q, cuts, q))
    for j in range(cuts):
        own = _own(y, chance, density, rests, slope, j)
        information[j, :, j, :] = Z.T @ (Z * (w * own)[:, None])
        if j:
            beside = _beside(y, chance, density, rests, slope is None, j)
            information[j, :, j - 1, :] = Z.T @ (Z * (w * beside)[:, None])
            information[j - 1, :, j, :] = information[j, :, j - 1, :].T
    whole = information.reshape(cuts * q, cuts * q)
    return NonparallelPieces(score, whole, _meat(Z, w, rests, cluster) if meat else None)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Divide, with 0 where nothing is possible."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0.0)


def _rests(y: Codes, chance: Floats, density: Floats) -> list[Floats]:
    """Return the derivative of log P(Y = y) in each linear predictor: shape (n,) for each threshold."""
    rests = []
    for j in range(density.shape[1]):
        below = _ratio(density[:, j], chance[:, j])
        above = _ratio(density[:, j], chance[:, j + 1])
        rests.append(np.where(y == j, below, 0.0) - np.where(y == j + 1, above, 0.0))
    return rests


def _own(y: Codes, chance: Floats, density: Floats, rests: list[Floats], slope: Floats | None, j: int) -> Floats:
    """Return minus the (expected) second derivative in the linear predictor of threshold j."""
    if slope is None:
        squared = density[:, j] ** 2
        return _ratio(squared, chance[:, j]) + _ratio(squared, chance[:, j + 1])
    bend = np.where(y == j, _ratio(slope[:, j], chance[:, j]), 0.0)
    bend -= np.where(y == j + 1, _ratio(slope[:, j], chance[:, j + 1]), 0.0)
    return np.asarray(rests[j] ** 2 - bend)


def _beside(y: Codes, chance: Floats, density: Floats, rests: list[Floats], expected: bool, j: int) -> Floats:
    """Return minus the (expected) cross derivative of thresholds j - 1 and j."""
    if expected:
        return -_ratio(density[:, j] * density[:, j - 1], chance[:, j])
    return np.asarray(np.where(y == j, rests[j] * rests[j - 1], 0.0))


def _meat(Z: Floats, w: Floats, rests: list[Floats], cluster: Codes | None) -> Floats:
    cuts, q = len(rests), Z.shape[1]
    if cluster is None:
        meat = np.empty((cuts, q, cuts, q))
        for low in range(cuts):
            for high in range(low + 1):
                block = Z.T @ (Z * (w**2 * rests[low] * rests[high])[:, None])
                meat[low, :, high, :] = block
                meat[high, :, low, :] = block.T
        return meat.reshape(cuts * q, cuts * q)
    n_clusters = int(cluster.max()) + 1
    sums = np.empty((n_clusters, cuts * q))
    for cut, rest in enumerate(rests):
        for column in range(q):
            sums[:, cut * q + column] = np.bincount(cluster, w * rest * Z[:, column], n_clusters)
    return np.asarray(sums.T @ sums)
