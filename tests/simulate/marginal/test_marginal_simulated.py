"""200 replicates at 1,000 people: ordinal GEE and Cox give the set effects back on average."""

import numpy as np
import pytest

from rtwcohort.models import fit_cox, fit_ordinal_gee_arrays
from rtwcohort.simulate.marginal import (
    Association,
    Censoring,
    Hazard,
    Piecewise,
    SharedFrailty,
    Weibull,
    draw_ordered_repeated,
    draw_time_to_return,
)

pytestmark = pytest.mark.simulation
REPLICATES = 200
N = 1000


def assert_unbiased(estimates, truth):
    """Bias under 1 % of the log effect, or inside three simulation errors (Bonferroni for a handful of terms)."""
    estimates = np.asarray(estimates)
    bias = estimates.mean(axis=0) - truth
    error = estimates.std(axis=0, ddof=1) / np.sqrt(len(estimates))
    assert ((np.abs(bias) < 0.01 * np.abs(truth)) | (np.abs(bias) < 3 * error)).all(), (bias, error)
    # A bias of a tenth of the effect would be seen.
    assert (3 * error < 0.1 * np.abs(truth)).all(), error


def people(seed):
    rng = np.random.default_rng([7, seed])
    return (np.arange(N) % 2).astype(float), rng.normal(size=N), rng.normal(size=(N, 3))


@pytest.mark.parametrize("working", ["independence", "exchangeable", "global_odds_ratio"])
@pytest.mark.parametrize(
    "association",
    [Association(scale="global_or", value=8.0), Association(structure="ar1", value=0.7)],
    ids=["global_or", "ar1"],
)
def test_ordinal_gee(association, working):
    truth = np.array([0.6, -0.4, 0.3, 0.5])  # arm, covariate of the person, covariate of the wave, wave
    estimates = []
    for seed in range(REPLICATES):
        arm, own, changing = people(seed)
        wave = np.tile([0.0, 1.0, 2.0], (N, 1))
        parts = [np.repeat(arm[:, None], 3, 1), np.repeat(own[:, None], 3, 1), changing, wave]
        eta = sum(b * part for b, part in zip(truth, parts, strict=True))
        level = draw_ordered_repeated(np.arange(N), eta, [-0.3, 1.2], association=association, seed=seed)
        fit = fit_ordinal_gee_arrays(
            np.column_stack([part.ravel() for part in parts]), level.ravel(), id=np.repeat(np.arange(N), 3),
            wave=np.tile(np.arange(3), N), association=working,
        )  # fmt: skip
        estimates.append(np.asarray(fit.tidy()["estimate"])[:4])
    assert_unbiased(estimates, truth)


CHOICES = {
    "plain": {},
    "whole_days": {"whole_days": True},
    "competing_and_dropout": {
        "competing": {"pension": Hazard(Weibull(shape=1.2, scale=700))},
        "censoring": Censoring(administrative=365, share=0.1),
    },
    "marginal_frailty": {"frailty": SharedFrailty(variance=0.8, hazard_ratios="marginal", level="cluster")},
    "delayed_entry": {"entry": np.floor(np.arange(N) % 60.0)},
}


@pytest.mark.parametrize("name", CHOICES)
def test_cox(name):
    truth = np.array([0.5, -0.3])
    baseline = Piecewise(per_day=((0, 0.008), (60, 0.004), (250, 0.007)))
    estimates = []
    for seed in range(REPLICATES):
        arm, own, _ = people(seed)
        given = {"censoring": Censoring(administrative=365), "whole_days": False, "cluster": np.arange(N) // 5}
        frame = draw_time_to_return(
            np.arange(N), truth[0] * arm + truth[1] * own, baseline=baseline, seed=seed, **(given | CHOICES[name])
        ).frame()
        frame["arm"], frame["own"] = arm[frame["person"]], own[frame["person"]]
        start = "entry, " if name == "delayed_entry" else ""
        estimates.append(np.asarray(fit_cox(frame, f"Surv({start}time, event) ~ arm + own").tidy()["estimate"]))
    assert_unbiased(estimates, truth)
