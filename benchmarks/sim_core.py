"""Simulations of coverage and type I error: scenarios, how they are run, and the table that they give."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from rtwcohort.errors import RtwCohortError

REPETITIONS = 5000
PARTS = 50
COVERAGE = (0.94, 0.96)
FEW_CLUSTERS = (0.93, 0.97)
SIZE = (0.04, 0.06)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a scenario.

    `kind` is "coverage" (share of 95 % intervals that hold the true value) or "size" (share of tests with p < .05 where
    the null hypothesis is true). `bounds` is where it should lie. `outside` says in words why it is known not to;
    the figure is then shown, not required.
    """

    method: str
    what: str
    kind: str
    bounds: tuple[float, float]
    outside: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Data, methods and what is counted: `repeat` gives one outcome a measure, None where there was no estimate."""

    name: str
    title: str
    setting: str
    seed: int
    measures: Mapping[str, Measure]
    repeat: Callable[[np.random.Generator], Mapping[str, bool | None]]


@dataclass(frozen=True, slots=True)
class Rate:
    """A simulated rate with its Monte Carlo standard error; `lost` repetitions had no estimate."""

    scenario: str
    key: str
    measure: Measure
    hits: int
    n: int
    lost: int

    @property
    def rate(self) -> float:
        return self.hits / self.n if self.n else math.nan

    @property
    def error(self) -> float:
        return math.sqrt(self.rate * (1.0 - self.rate) / self.n) if self.n else math.nan

    @property
    def inside(self) -> bool:
        low, high = self.measure.bounds
        return low <= self.rate <= high

    def within(self, errors: float) -> bool:
        """Tell whether the rate is inside the bounds widened by that many Monte Carlo standard errors."""
        low, high = self.measure.bounds
        return low - errors * self.error <= self.rate <= high + errors * self.error


def coverage(method: str, what: str, bounds: tuple[float, float] = COVERAGE, outside: str = "") -> Measure:
    return Measure(method, what, "coverage", bounds, outside)


def size(method: str, what: str, bounds: tuple[float, float] = SIZE, outside: str = "") -> Measure:
    return Measure(method, what, "size", bounds, outside)


def covers(estimate: float, error: float, truth: float, quantile: float = 1.959963984540054) -> bool | None:
    """Tell whether a Wald interval holds the truth; None without a finite interval."""
    if not (np.isfinite(estimate) and np.isfinite(error)):
        return None
    return bool(abs(estimate - truth) <= quantile * error)


def between(low: float, truth: float, high: float) -> bool | None:
    return None if np.isnan(low) or np.isnan(high) else bool(low <= truth <= high)


def rejects(p: float) -> bool | None:
    return None if np.isnan(p) else bool(p < 0.05)


def attempt(fit: Callable[[], Any]) -> Any:
    """Fit, or return None where the package says that there is no estimate."""
    try:
        return fit()
    except RtwCohortError:
        return None


def run_scenario(scenario: Scenario, repetitions: int = REPETITIONS, workers: int = 1) -> list[Rate]:
    """Run a scenario: the same figures for any number of workers."""
    return run_scenarios([scenario], repetitions, workers)[scenario.name]


def run_scenarios(
    scenarios: Sequence[Scenario], repetitions: int = REPETITIONS, workers: int = 1
) -> dict[str, list[Rate]]:
    """Run scenarios in parts with seeds of their own, spread over processes."""
    jobs = [
        (scenario, part, len(range(part, repetitions, PARTS)))
        for scenario in scenarios
        for part in range(min(PARTS, repetitions))
    ]
    if workers == 1:
        counted: Iterable[Counter[tuple[str, str]]] = map(_run_part, jobs)
        return _rates(scenarios, jobs, counted, repetitions)
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        _PENDING[:] = jobs
        return _rates(scenarios, jobs, pool.map(_run_pending, range(len(jobs))), repetitions)


_PENDING: list[tuple[Scenario, int, int]] = []


def _run_pending(place: int) -> Counter[tuple[str, str]]:
    """Run the part of that number: the workers are forks, so nothing has to be sent to them."""
    return _run_part(_PENDING[place])


def _run_part(job: tuple[Scenario, int, int]) -> Counter[tuple[str, str]]:
    scenario, part, count = job
    rng = np.random.default_rng([scenario.seed, part])
    counted: Counter[tuple[str, str]] = Counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(count):
            for key, outcome in scenario.repeat(rng).items():
                counted[key, "lost" if outcome is None else "hit" if outcome else "miss"] += 1
    return counted


def _rates(
    scenarios: Sequence[Scenario],
    jobs: Sequence[tuple[Scenario, int, int]],
    counted: Iterable[Counter[tuple[str, str]]],
    repetitions: int,
) -> dict[str, list[Rate]]:
    total: dict[str, Counter[tuple[str, str]]] = {scenario.name: Counter() for scenario in scenarios}
    for (scenario, _, _), part in zip(jobs, counted, strict=True):
        total[scenario.name].update(part)
    rates = {}
    for scenario in scenarios:
        counts = total[scenario.name]
        rates[scenario.name] = [
            Rate(
                scenario.name,
                key,
                measure,
                counts[key, "hit"],
                counts[key, "hit"] + counts[key, "miss"],
                repetitions - counts[key, "hit"] - counts[key, "miss"],
            )
            for key, measure in scenario.measures.items()
        ]
    return rates


def markdown(scenario: Scenario, rates: Sequence[Rate]) -> str:
    """Return a heading, the setting in words and the table of one scenario."""
    rows = ["| method | figure | bounds % | found % | MC s.e. | no estimate | |", "|---|---|---|---|---|---|---|"]
    for rate in rates:
        low, high = (f"{100 * bound:g}" for bound in rate.measure.bounds)
        figure = f"{'coverage' if rate.measure.kind == 'coverage' else 'type I error'}, {rate.measure.what}"
        rows.append(
            f"| {rate.measure.method} | {figure} | {low} to {high} | {100 * rate.rate:.2f} | {100 * rate.error:.2f} | "
            f"{rate.lost or ''} | {'' if rate.inside else '**outside**'} |"
        )
    said = list(dict.fromkeys(rate.measure.outside for rate in rates if rate.measure.outside))
    return "\n".join([f"### {scenario.title}", "", scenario.setting, "", *rows, *(["", *said] if said else []), ""])
