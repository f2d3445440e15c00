"""Columns with a mean of 0 and a spread of 1 for the iterations, and estimates put back on the scale of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_CANCELLED = 1e-7


@dataclass(frozen=True, slots=True)
class Standardised:
    """An intercept and standardised columns.

    Attributes
    ----------
    Z
        Shape (n, p + 1), a column of ones first.
    back
        Shape (p + 1, p + 1): coefficients of the data are `back @` coefficients of Z.
    """

    Z: Floats
    back: Floats

    def coef(self, gamma: Floats) -> Floats:
        """Return the coefficients of the data."""
        return np.asarray(self.back @ gamma)

    def vcov(self, covariance: Floats) -> Floats:
        """Return their covariance."""
        return np.asarray(self.back @ covariance @ self.back.T)

    def direction(self, gamma: Floats) -> Floats:
        """Return a direction in the coefficients of the data, with what cancels up to rounding set to 0."""
        found = self.back @ gamma
        size = np.abs(self.back) @ np.abs(gamma)
        return np.where(np.abs(found) > _CANCELLED * size, found, 0.0)


def standardise(matrix: Floats) -> Standardised:
    """Add an intercept to a matrix of shape (n, p) and standardise its columns."""
    n, p = matrix.shape
    mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
    Z = np.empty((n, p + 1))
    Z[:, 0] = 1.0
    Z[:, 1:] = (matrix - mean) / spread
    back = np.diag(np.concatenate(([1.0], 1.0 / spread)))
    back[0, 1:] = -mean / spread
    return Standardised(Z, back)
