"""When things happen: return, disability pension, death, emigration and relapse, in whole days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rtwcohort.simulate.people import People
from rtwcohort.simulate.portable import Floats, Ints, exp, exponential, piecewise_time, stream
from rtwcohort.simulate.scenario import Scenario

CAUSES: Final = ("return", "disability_pension", "death", "emigration")
NEVER: Final = 10_000_000
"""Stands for a day that does not come."""

_YEAR: Final = 365.25
_RELAPSES: Final = 2


@dataclass(frozen=True, slots=True)
class Events:
    """Arrays of shape (n,), days since 1970-01-01 unless said otherwise.

    Attributes
    ----------
    cause
        Position in `CAUSES` of what ended the absence.
    time
        Whole days from the index date to it, at least 1.
    death, emigration
        `NEVER` where it does not happen; of the two only the earlier happens.
    relapse
        Shape (2, n): first day of each new spell after the return, `NEVER` without one.
    """

    cause: Ints
    time: Ints
    death: Ints
    emigration: Ints
    relapse: Ints


def linear_predictor(scenario: Scenario, values: dict[str, Floats]) -> Floats:
    """Return the log hazard ratio of return against the baseline, term by term in the order declared."""
    total = np.zeros(scenario.n)
    for effect in scenario.effects:
        total = total + effect.log_hr * ((values[effect.term] - effect.centre) / effect.per)
    return total


def draw_events(scenario: Scenario, people: People, predictor: Floats, *, seed: int) -> Events:
    """Draw latent times, let the earliest win, and turn it into whole days.

    Notes
    -----
    Each cause has its own hazard and time given the covariates, in continuous time from the end of the index
    date; the earliest wins, and day k after the index date holds the times in (k - 1, k]. The cause-specific
    hazard of return is `return_hazard` times `exp(predictor)`, so its proportional hazards are those declared.
    After a return, death and emigration wait `return_holds` days, so that every return can be confirmed.
    """
    n = scenario.n
    starts = [float(start) for start, _ in scenario.return_hazard]
    rates = [rate for _, rate in scenario.return_hazard]
    decades = (people.age - 45.0) / 10.0
    unit = exponential(stream(seed, "return"), n) / exp(predictor)
    latent = np.stack(
        [
            piecewise_time(unit, starts, rates),
            _constant(seed, "disability", n, scenario.disability_per_year, scenario.disability_age * decades),
            _constant(seed, "death", n, scenario.death_per_year, scenario.death_age * decades),
            _constant(seed, "emigration", n, scenario.emigration_per_year, np.zeros(n)),
        ]
    )
    cause = np.argmin(latent, axis=0).astype(np.int64)
    time = _day(np.min(latent, axis=0))
    wait = np.where(cause == 0, scenario.return_holds, 0)
    death_time, emigration_time = _day(latent[2]) + wait, _day(latent[3]) + wait
    first = latent[2] <= latent[3]
    death = np.where(first, people.index + death_time, NEVER)
    emigration = np.where(first, NEVER, people.index + emigration_time)
    returned = np.where(cause == 0, people.index + time, NEVER)
    return Events(
        cause=cause,
        time=time,
        death=np.minimum(death, NEVER),
        emigration=np.minimum(emigration, NEVER),
        relapse=_relapses(scenario, returned, seed),
    )


def relapse_lengths(scenario: Scenario, *, seed: int) -> Ints:
    """Return the length in days of each new spell after the return, shape (2, n)."""
    rng = stream(seed, "relapse_length")
    return np.stack([14 + _day(40.0 * exponential(rng, scenario.n)) for _ in range(_RELAPSES)])


def _relapses(scenario: Scenario, returned: Ints, seed: int) -> Ints:
    lengths = relapse_lengths(scenario, seed=seed)
    out = []
    free_from = returned + scenario.return_holds
    for k in range(_RELAPSES):
        gap = _constant(seed, f"relapse_{k}", scenario.n, scenario.relapse_per_year, np.zeros(scenario.n))
        start = np.minimum(free_from + _day(gap) - 1, NEVER)
        out.append(start)
        free_from = np.minimum(start + lengths[k] + scenario.return_holds, NEVER)
    return np.stack(out)


def _constant(seed: int, name: str, n: int, per_year: float, log_ratio: Floats) -> Floats:
    unit = exponential(stream(seed, name), n)
    if per_year == 0.0:
        return np.full(n, np.inf)
    out: Floats = unit * _YEAR / (per_year * exp(log_ratio))
    return out


def _day(time: Floats) -> Ints:
    """Days k with k - 1 < time <= k, nearly: the boundary itself has probability zero."""
    finite: np.ndarray[Any, Any] = np.minimum(time, float(NEVER))
    days: Ints = np.floor(finite).astype(np.int64)
    return days + 1
