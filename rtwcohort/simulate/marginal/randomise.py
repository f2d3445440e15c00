"""Randomisation of clusters to two arms: a random half, within strata, or within matched pairs."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import draws
from rtwcohort.simulate.marginal.inputs import check_values
from rtwcohort.simulate.portable import Ints

Randomisation = Literal["simple", "stratified", "matched"]
RANDOMISATIONS: Final = ("simple", "stratified", "matched")


def randomise(
    clusters: Ints,
    *,
    randomisation: Randomisation,
    seed: int,
    strata: npt.ArrayLike | None = None,
    score: npt.ArrayLike | None = None,
    purpose: str = "randomise",
) -> tuple[Ints, Ints]:
    """Return the arm (0 or 1) and the stratum or pair of each cluster.

    Parameters
    ----------
    clusters
        Numbers of clusters, shape (k,).
    randomisation
        "simple": a random half of the clusters; "stratified": a random half of each stratum; "matched": one of each
        pair of neighbours by `score`. Where a half is not whole, a coin decides which arm has one more.
    seed, purpose
        The order of the clusters is drawn by these and the cluster.
    strata, score
        Labels of strata, and numbers to match on, shape (k,).

    Raises
    ------
    ArgumentError
        Without strata or score where they are needed, or an odd number of clusters to match.
    """
    check_choice(randomisation, RANDOMISATIONS, argument="randomisation")
    k = len(clusters)
    if randomisation == "matched":
        if score is None or k % 2:
            got = f"{k} clusters{' and no score' if score is None else ''}"
            raise ArgumentError(
                f"`randomisation` 'matched' needs an even number of clusters and a `score` to match on; got {got}."
            )
        stratum = np.empty(k, dtype=np.int64)
        stratum[np.argsort(check_values(score, k, argument="score"), kind="stable")] = np.arange(k) // 2
    elif randomisation == "stratified":
        labels = np.asarray(strata)
        if strata is None or labels.shape != (k,):
            raise ArgumentError(f"`randomisation` 'stratified' needs `strata`, one label a cluster, shape ({k},).")
        stratum = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    else:
        stratum = np.zeros(k, dtype=np.int64)
    arm = np.empty(k, dtype=np.int64)
    point = draws.uniform(draws.key(seed, purpose), clusters)
    coins = draws.uniform(draws.key(seed, f"{purpose}:coin"), np.arange(k)) < 0.5
    for group in range(int(stratum.max()) + 1):
        inside = np.flatnonzero(stratum == group)
        order = inside[np.argsort(point[inside], kind="stable")]
        arm[order] = (np.arange(len(order)) + int(coins[group])) % 2
    return arm, stratum
