"""Covariances of generalised linear models: under the model, robust, and by cluster.

With u_i the score of row i and A the information, v_i = A^-1 u_i is its influence on the estimates, and the sandwich is
the sum of v v', with the influences added up within clusters first [1]_. A frequency weight w stands for w equal rows
and a probability weight for one row that speaks for w: the sum is of w v v' in the first case and of (w v)(w v)' in the
second.

References
----------
.. [1] White H. Maximum likelihood estimation of misspecified models. Econometrica 1982;50:1-25.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.models.compat import GLM_COMPAT

Floats = npt.NDArray[np.float64]
WeightType = Literal["frequency", "probability"]


def sandwich(
    influence: Floats,
    *,
    weights: Floats | None,
    weight_type: WeightType | None,
    cluster: npt.NDArray[np.int64] | None,
    n_clusters: int,
) -> Floats:
    """Return the robust covariance without a small-sample factor.

    Parameters
    ----------
    influence
        Of single rows, without weights, shape (n, p).
    weights, weight_type
        Shape (n,), and what they are.
    cluster, n_clusters
        Codes 0 to G - 1, and G; None for independent rows.
    """
    weighted = influence if weights is None else influence * weights[:, None]
    if cluster is not None:
        sums = np.empty((n_clusters, influence.shape[1]))
        for j in range(influence.shape[1]):
            sums[:, j] = np.bincount(cluster, weights=weighted[:, j], minlength=n_clusters)
        return np.asarray(sums.T @ sums)
    if weight_type == "frequency":
        return np.asarray(weighted.T @ influence)
    return np.asarray(weighted.T @ weighted)


def small_sample_factor(compat: str | None, *, n: float, n_clusters: int) -> float:
    """Return what the program multiplies its robust covariance by: Stata G/(G - 1), or n/(n - 1); the others 1."""
    if compat is None or not GLM_COMPAT[compat].small_sample:
        return 1.0
    units = n_clusters or n
    return units / (units - 1.0)
