"""What a Cox model is fitted to: checked arrays, kept in the fit so that residuals and curves can be made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.models.cox_exact_kernel import ExactLikelihood
from rtwcohort.models.cox_kernel import CoxLikelihood, RiskSets, order_risk_sets

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CoxData:
    """Arrays of the rows used, n of them, in the order in which they came.

    Attributes
    ----------
    matrix
        Shape (n, p), in the units of the data, not centred; the very array that was given, not a copy.
    time, event
        Shape (n,); times that differ by rounding only are made equal.
    entry
        Shape (n,): at risk on (entry, time]; None when all are from the start.
    strata
        Shape (n,), codes 0 .. n_strata - 1, or None.
    strata_labels
        One label a code.
    weights
        Shape (n,), or None when all are 1.
    weight_type
        "frequency", "copies" or "probability".
    offset
        Shape (n,), as given, or None.
    cluster
        Shape (n,), codes 0 .. n_clusters - 1, or None.
    n_clusters
        0 without clusters.
    """

    matrix: Floats = field(repr=False)
    time: Floats = field(repr=False)
    event: npt.NDArray[np.bool_] = field(repr=False)
    entry: Floats | None = field(default=None, repr=False)
    strata: Ints | None = field(default=None, repr=False)
    strata_labels: tuple[Any, ...] = ()
    weights: Floats | None = field(default=None, repr=False)
    weight_type: str = "frequency"
    offset: Floats | None = field(default=None, repr=False)
    cluster: Ints | None = field(default=None, repr=False)
    n_clusters: int = 0

    def risk_sets(self) -> RiskSets:
        """Sort the rows."""
        return order_risk_sets(self.time, self.event, entry=self.entry, strata=self.strata)

    def evaluator(self, ties: str) -> CoxLikelihood | ExactLikelihood:
        """Return the likelihood that "efron", "breslow" or "exact" names; `close` it after use."""
        return ExactLikelihood(self.likelihood("breslow")) if ties == "exact" else self.likelihood(ties)

    def likelihood(self, ties: str) -> CoxLikelihood:
        """Return the partial likelihood of "efron" or "breslow"; `close` it after use."""
        check_choice(ties, ("efron", "breslow"), argument="ties")
        return CoxLikelihood(
            self.matrix,
            self.risk_sets(),
            efron=ties == "efron",
            case=self.weights,
            offset=self.offset,
            copies=self.weight_type == "copies",
        )
