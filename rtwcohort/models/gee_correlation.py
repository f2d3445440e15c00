"""Working correlations of a binary or count GEE, estimated from the Pearson residuals as each program does.

With r the Pearson residuals, phi the scale and w the weight of a cluster, the products z = r_j r_k / phi of the pairs
of a cluster estimate the correlation of their waves.

- R (geepack): the mean of z over the pairs (of two waves when unstructured); for ar1 the least-squares solution of z on
  a^|j - k| over all pairs; phi the mean of r^2; a pair weighs w^2, a row
  w [1]_.
- SAS (GENMOD) and SPSS (GENLIN): as R, but p is taken from each number of pairs and of rows, and ar1 uses the pairs one
  wave apart only [2]_.
- Stata (xtgee): clusters count alike: the mean over clusters of their mean z, divided by the mean over clusters of
  their mean r^2; for ar1 the sum of the products one wave apart by the cluster's size [3]_.

References
----------
.. [1] Yan J, Fine J. Estimating equations for association structures. Stat Med 2004;23:859-874.
.. [2] Liang K-Y, Zeger SL. Longitudinal data analysis using generalized linear models. Biometrika 1986;73:13-22.
.. [3] Stata Longitudinal-Data/Panel-Data Reference Manual, xtgee, Methods and formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.errors import ConvergenceError

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Correlation = Literal["independence", "exchangeable", "ar1", "unstructured"]
Moments = Literal["r", "sas", "stata"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Rows sorted by cluster and wave, and their pairs.

    Attributes
    ----------
    code, wave
        Shape (n,): cluster 0 to G - 1, and wave 0 to T - 1.
    size, weight
        Shape (G,): rows, and the weight of the cluster.
    first, second
        Rows of every pair within a cluster, the earlier wave first; empty unless they are needed.
    """

    code: Codes
    wave: Codes
    size: Floats
    weight: Floats
    first: Codes
    second: Codes

    @property
    def n_waves(self) -> int:
        """T."""
        return int(self.wave.max()) + 1


def describe_clusters(code: Codes, wave: Codes, weights: Floats | None, *, pairs: bool) -> Clusters:
    """Count the rows of each cluster, and list its pairs when asked."""
    start = np.searchsorted(code, code)
    size = np.bincount(code).astype(np.float64)
    weight = np.ones(size.size) if weights is None else weights[np.searchsorted(code, np.arange(size.size))]
    place = np.arange(code.size) - start if pairs else np.zeros(0, dtype=np.int64)
    second = np.repeat(np.arange(place.size), place)
    first = np.arange(second.size) - np.repeat(np.cumsum(place) - place, place) + np.repeat(start[: place.size], place)
    return Clusters(code, wave, size, weight, first, second)


def estimate_scale(r: Floats, weights: Floats | None, moments: Moments, p: int) -> float:
    """Return phi: the mean of r^2, with p taken from the number of rows for SAS and SPSS."""
    total = r @ r if weights is None else weights @ (r * r)
    rows = float(r.size if weights is None else weights.sum())
    return float(total / (rows - p if moments == "sas" else rows))


def estimate_correlation(
    r: Floats, phi: float, clusters: Clusters, kind: Correlation, moments: Moments, p: int
) -> Floats:
    """Return the correlation matrix of the waves, shape (T, T).

    Raises
    ------
    ConvergenceError
        When it is not positive definite, or two waves never meet in a cluster.
    """
    lags = np.abs(np.subtract.outer(np.arange(clusters.n_waves), np.arange(clusters.n_waves)))
    if kind == "unstructured":
        matrix = _unstructured(r, phi, clusters, moments, p)
    elif kind == "exchangeable":
        matrix = np.where(lags == 0, 1.0, _exchangeable(r, phi, clusters, moments, p))
    else:
        matrix = _ar1(r, phi, clusters, moments, p) ** lags.astype(np.float64)
    if np.linalg.eigvalsh(matrix)[0] <= 1e-10:
        raise ConvergenceError(
            f"The {kind} working correlation is not positive definite on these data: ask for a simpler one, such as "
            "'independence'; the robust variance is valid with any."
        )
    return np.asarray(matrix)


def _exchangeable(r: Floats, phi: float, clusters: Clusters, moments: Moments, p: int) -> float:
    sums = np.bincount(clusters.code, weights=r)
    squares = np.bincount(clusters.code, weights=r * r)
    products, number = 0.5 * (sums**2 - squares) / phi, 0.5 * clusters.size * (clusters.size - 1.0)
    if not number.any():
        return 0.0
    if moments == "stata":
        many = number > 0.0
        return float(clusters.weight[many] @ (products[many] / number[many]) / _mean_square(r, phi, clusters))
    weight = _pair_weight(clusters, moments)
    return float(weight @ products / (weight @ number - (p if moments == "sas" else 0)))


def _ar1(r: Floats, phi: float, clusters: Clusters, moments: Moments, p: int) -> float:
    z = r[clusters.first] * r[clusters.second] / phi
    lag = clusters.wave[clusters.second] - clusters.wave[clusters.first]
    w, near = _pair_weight(clusters, moments)[clusters.code[clusters.second]], lag == 1
    if not near.any():
        raise ConvergenceError("No two waves in a row meet in a cluster, so that 'ar1' cannot be estimated.")
    if moments == "sas":
        return float(w[near] @ z[near] / (w[near].sum() - p))
    if moments == "stata":
        code = clusters.code[clusters.second][near]
        products = np.bincount(code, weights=z[near], minlength=clusters.size.size)
        return float(clusters.weight @ (products / clusters.size) / _mean_square(r, phi, clusters))
    return _least_squares_power(z, w, lag.astype(np.float64), float(w[near] @ z[near] / w[near].sum()))


def _pair_weight(clusters: Clusters, moments: Moments) -> Floats:
    """Return the weight of a pair of a cluster: geepack multiplies those of its two rows."""
    return clusters.weight**2 if moments == "r" else clusters.weight


def _mean_square(r: Floats, phi: float, clusters: Clusters) -> float:
    """Return the sum over clusters of their mean squared residual."""
    return float(clusters.weight @ (np.bincount(clusters.code, weights=r * r / phi) / clusters.size))


def _least_squares_power(z: Floats, w: Floats, lag: Floats, start: float) -> float:
    """Return the a that minimises the sum of w (z - a^lag)^2, by Gauss and Newton's method."""
    a = min(max(start, -0.95), 0.95)
    for _ in range(200):
        slope = lag * np.sign(a) ** (lag - 1.0) * np.abs(a) ** (lag - 1.0)
        power = np.sign(a) ** lag * np.abs(a) ** lag
        step = float((w * slope) @ (z - power) / ((w * slope) @ slope))
        a = min(max(a + step, -0.999), 0.999)
        if abs(step) < 1e-13:
            return a
    raise ConvergenceError("The 'ar1' correlation did not converge: ask for 'exchangeable' or 'independence'.")


def _unstructured(r: Floats, phi: float, clusters: Clusters, moments: Moments, p: int) -> Floats:
    n_waves = clusters.n_waves
    z = r[clusters.first] * r[clusters.second] / phi
    w = _pair_weight(clusters, moments)[clusters.code[clusters.second]]
    cell = clusters.wave[clusters.first] * n_waves + clusters.wave[clusters.second]
    total = np.bincount(cell, weights=w * z, minlength=n_waves**2).reshape(n_waves, n_waves)
    count = np.bincount(cell, weights=w, minlength=n_waves**2).reshape(n_waves, n_waves)
    upper = np.triu_indices(n_waves, 1)
    number = count[upper] - (p if moments == "sas" else 0)
    if (number <= 0.0).any():
        raise ConvergenceError(
            "Two waves never meet in one cluster (or in too few), so that their correlation cannot be estimated: ask "
            "for 'exchangeable' or 'independence'."
        )
    matrix = np.eye(n_waves)
    matrix[upper] = total[upper] / number
    return np.asarray(matrix + np.triu(matrix, 1).T)


def working_correlation(estimate: Any) -> Any:
    """Return a statsmodels covariance structure whose correlation is `estimate(model)`, shape (T, T) by waves."""
    from statsmodels.genmod.cov_struct import CovStruct

    class Waves(CovStruct):  # type: ignore[misc]
        """Correlation by wave, estimated outside statsmodels."""

        def initialize(self, model: Any) -> None:
            """Start from independence."""
            self.model = model
            self.dep_params = np.eye(int(model.time.max()) + 1)

        def update(self, params: Any) -> None:
            """Estimate from the current residuals."""
            self.dep_params = estimate(self.model)

        def covariance_matrix(self, endog_expval: Any, index: int) -> tuple[Floats, bool]:
            """Return the correlation of the waves that a cluster has."""
            wave = self.model.time_li[index][:, 0].astype(np.int64)
            return self.dep_params[np.ix_(wave, wave)], True

    return Waves()
