"""Covariances of a cumulative link model: inverse information, observed or expected, and sandwiches."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.models.ordinal_likelihood import OrdinalLikelihood

Floats = npt.NDArray[np.float64]
Information = Literal["observed", "expected"]


def covariances(
    likelihood: OrdinalLikelihood,
    working: Floats,
    observed_inverse: Floats,
    *,
    information: Information,
    variance: str,
    weight_type: str | None,
    correction: float,
) -> tuple[Floats, Floats]:
    """Return the covariance as chosen and the inverse of the information, in natural parameters.

    Parameters
    ----------
    working
        Working parameters at the maximum.
    observed_inverse
        Inverse of the observed information there.
    information
        Whose inverse A is: A alone ("model"), or A B A ("robust", "cluster").
    variance
        B is the sum over rows of w s s' with frequency weights, of w^2 s s' with probability weights ("robust"), or the
        sum over clusters of the outer product of their sums of w s ("cluster").
    correction
        Factor on the sandwich.
    """
    change = likelihood.to_natural()
    bread = observed_inverse
    if information == "expected":
        bread = np.asarray(np.linalg.inv(likelihood.expected(working)), dtype=np.float64)
    model = change @ bread @ change.T
    if variance == "model":
        return model, model
    cluster = likelihood.data.cluster
    if variance == "cluster" and cluster is not None:
        scores = likelihood.by_cluster(working, cluster, int(cluster.max()) + 1)
        meat = scores.T @ scores
    else:
        meat = likelihood.outer(working, square=weight_type == "probability")
    return correction * (change @ bread @ meat @ bread @ change.T), model
