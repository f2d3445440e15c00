"""What multiplies a person's hazards for life: covariates, frailty and cluster; and the arm effects of each person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rtwcohort.simulate import draws
from rtwcohort.simulate.portable import exp, log
from rtwcohort.simulate.process.checks import as_names
from rtwcohort.simulate.process.declaration import Process

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_ROUNDS = 200


def own_ratios(process: Process, persons: Ints, cluster: Ints, terms: Floats, *, seed: int) -> Floats:
    """Return the hazard ratio of each person and group that never changes, shape (n, groups).

    Parameters
    ----------
    process
        The declaration.
    persons, cluster
        Numbers of the people and of their clusters, shape (n,).
    terms
        Covariates in the order of `process.terms`, shape (n, terms).
    seed
        Of the run.
    """
    groups = process.groups
    logs = np.zeros((len(groups), len(persons)))
    touched = set()
    for effect in process.effects:
        if effect.term == "age_now":
            continue
        added = effect.log_hr * ((terms[:, process.terms.index(effect.term)] - effect.centre) / effect.per)
        touched |= _add(logs, groups, effect.on, added)
    for k, clusters in enumerate(process.clusters):
        drawn = clusters.sd * draws.normal(draws.key(seed, f"process:cluster:{k}"), cluster)
        touched |= _add(logs, groups, clusters.on, drawn)
    ratios = np.ones((len(groups), len(persons)))
    for g in sorted(touched):
        ratios[g] = exp(logs[g])
    for k, frailty in enumerate(process.frailty):
        drawn = draw_frailty(persons, frailty.variance, frailty.distribution, draws.key(seed, f"process:frailty:{k}"))
        for name in as_names(frailty.on):
            ratios[groups.index(name)] *= drawn
    return np.ascontiguousarray(ratios.T)


def arm_log_ratios(process: Process, arms: Sequence[str], arm: Ints, terms: Floats) -> Floats:
    """Return the log hazard ratio of each person and arm effect at full strength, shape (n, arm effects)."""
    declared = [effect for effect in process.arm_effects for _ in as_names(effect.on)]
    out = np.zeros((len(arm), len(declared)))
    for e, effect in enumerate(declared):
        value = np.full(len(arm), effect.log_hr)
        if effect.interaction is not None:
            value = value + effect.interaction_log_hr * (
                terms[:, process.terms.index(effect.interaction)] - effect.interaction_centre
            )
        out[:, e] = np.where(arm == arms.index(effect.arm), value, 0.0)
    return out


def draw_frailty(persons: Ints, variance: float, distribution: str, stream_key: np.uint64) -> Floats:
    """Draw factors of mean 1 and this variance, shape (n,)."""
    if variance == 0.0:
        return np.ones(len(persons))
    if distribution == "lognormal":
        spread = log(np.asarray([1.0 + variance]))[0]
        return exp(np.sqrt(spread) * draws.normal(stream_key, persons) - 0.5 * spread)
    shape = 1.0 / variance
    return variance * _gamma(persons, shape, stream_key)


def _gamma(persons: Ints, shape: float, stream_key: np.uint64) -> Floats:
    """Draw gamma variates of this shape and scale 1 (Marsaglia and Tsang, ACM TOMS 26, 2000)."""
    raised = shape if shape >= 1.0 else shape + 1.0
    d = raised - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    out = np.full(len(persons), d)
    waiting = np.arange(len(persons))
    for k in range(_ROUNDS):
        here = persons[waiting]
        z = draws.normal(stream_key, here, 2 * k + 1)
        u = draws.uniform(stream_key, here, 2 * k + 2)
        v = 1.0 + c * z
        v = v * v * v
        positive = np.where(v > 0.0, v, 1.0)
        taken = (v > 0.0) & (log(u) < 0.5 * z * z + d * (1.0 - positive + log(positive)))
        out[waiting[taken]] = d * v[taken]
        waiting = waiting[~taken]
        if not len(waiting):
            break
    if shape < 1.0:
        out = out * exp(log(draws.uniform(stream_key, persons, 0)) / shape)
    return out


def _add(logs: Floats, groups: tuple[str, ...], on: str | tuple[str, ...], added: Floats) -> set[int]:
    touched = {groups.index(name) for name in as_names(on)}
    for g in touched:
        logs[g] = logs[g] + added
    return touched
