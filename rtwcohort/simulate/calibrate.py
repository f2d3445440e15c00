"""Calibration: the free numbers of a scenario that bring the simulated figures nearest to the published ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_number, did_you_mean
from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.fidelity import COLUMNS as FIDELITY_COLUMNS
from rtwcohort.simulate.fidelity import (
    INSIDE,
    POINTS,
    SHARE,
    Fidelity,
    compare,
    distance,
    margin_of,
    simulate_for_measures,
)
from rtwcohort.simulate.measures import Estimator, measure
from rtwcohort.simulate.portable import Floats
from rtwcohort.simulate.scenarios.declaration import Free, Scenario, Target, check_scenario
from rtwcohort.simulate.scenarios.paths import get_value, set_value, written

_LOG_STEP: Final = 0.08
_LINEAR_STEP: Final = 0.04
_DAMPINGS: Final = (1.0, 4.0, 16.0, 64.0)
_FAR: Final = 50.0

Moments = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibrated scenario: `describe()` shows the lines to put into its file.

    Attributes
    ----------
    scenario
        With the values found; nothing is written anywhere.
    values
        One row a free number: path, before, after, low, high, at_bound.
    fidelity
        Of the calibrated scenario, for the targets that were used, from the same random numbers.
    loss
        Mean squared distance of the targets, each in units of its margin, before and after.
    steps
        Steps taken.
    n, seed
        Of the simulations.
    """

    scenario: Scenario
    values: pd.DataFrame
    fidelity: Fidelity
    loss: tuple[float, float]
    steps: int
    n: int
    seed: int

    @property
    def cannot_hold(self) -> tuple[str, ...]:
        """Ids of targets that the best values found do not meet: they cannot all hold at once."""
        return self.fidelity.failing

    def describe(self) -> str:
        """Return values, how they stand in the file, figures and what cannot hold as plain text."""
        lines = [f"{self.scenario.name}: {self.steps} steps with {self.n} people, seed {self.seed}"]
        for row in self.values.to_dict("records"):
            bound = ", at its bound" if row["at_bound"] else ""
            lines.append(f"  {row['path']}: {row['before']:.6g} -> {row['after']:.6g}{bound}")
        for path in self.values["path"]:
            lines += [f"  {line}" for line in written(self.scenario, path)]
        lines.append(f"  mean squared distance in margins: {self.loss[0]:.4g} -> {self.loss[1]:.4g}")
        lines.append(self.fidelity.describe())
        if self.cannot_hold:
            lines.append(f"These cannot all hold at once: {', '.join(self.cannot_hold)}.")
        return "\n".join(lines)


def calibrate(
    scenario: Scenario,
    *,
    n: int = 20_000,
    seed: int = 1,
    free: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    estimators: Mapping[str, Estimator] | None = None,
    most_steps: int = 12,
    progress: Callable[[int, float], None] | None = None,
) -> Calibration:
    """Find the free numbers of a scenario by simulated moments.

    Parameters
    ----------
    scenario
        With `free` and `targets`.
    n, seed
        Of every simulation: the same people with the same random numbers throughout, so that figures move only
        because the numbers do.
    free, targets
        Paths and ids of those to use; None takes all, save targets declared impossible (`Target.why_not`) and those
        whose estimator is not given.
    estimators
        As for `fidelity`.
    most_steps
        Gauss-Newton steps at most.
    progress
        Called after each step with its number and the loss.

    Returns
    -------
    Calibration
        Nothing is written; `values` says what to put into the scenario's file.

    Raises
    ------
    ScenarioError
        When there is nothing free, no target to meet, or a figure is not defined at the start.

    Notes
    -----
    Minimises the sum of squared distances, each divided by the margin within which the figure agrees, over the free
    numbers within their bounds: Gauss-Newton with Levenberg's damping, derivatives by differences wide enough for
    simulated figures (a factor of 1.08, or 4 % of the range). See McFadden, Econometrica 1989;57:995-1026.
    """
    check_scenario(scenario)
    check_number(n, argument="n", least=100, whole=True)
    check_number(most_steps, argument="most_steps", least=0, whole=True)
    chosen_free = _chosen_free(scenario, free)
    chosen = _chosen_targets(scenario, targets, estimators)
    start = np.asarray([_to_scale(item, get_value(scenario, item.path)) for item in chosen_free])
    low = np.asarray([_to_scale(item, item.low) for item in chosen_free])
    high = np.asarray([_to_scale(item, item.high) for item in chosen_free])

    def figures(at: Floats) -> list[tuple[float, float]]:
        changed = _apply(scenario, chosen_free, at)
        simulated = simulate_for_measures(changed, n=n, seed=seed, targets=chosen)
        found = [measure(simulated, target, estimators=estimators) for target in chosen]
        return [value if value is not None else (np.nan, np.nan) for value in found]

    def moments(at: Floats) -> Floats:
        return np.asarray(
            [distance(target, value) / _scale(target) for target, (value, _) in zip(chosen, figures(at), strict=True)]
        )

    first = moments(start)
    if not np.all(np.isfinite(first)):
        undefined = [target.id for target, value in zip(chosen, first, strict=True) if not np.isfinite(value)]
        raise ScenarioError(
            f"the figures {', '.join(undefined)} are not defined at the starting values: nobody reaches them. "
            "Start nearer, simulate more people, or leave them out with `targets`."
        )
    widths = np.asarray(
        [_LOG_STEP if item.scale == "log" else _LINEAR_STEP * (item.high - item.low) for item in chosen_free]
    )
    box = _Box(low, high, np.minimum(widths, (high - low) / 4.0))
    best, after, steps = _search(moments, start, first, box, most_steps, progress)
    found = _apply(scenario, chosen_free, best)
    rows = [compare(target, value) for target, value in zip(chosen, figures(best), strict=True)]
    frame = pd.DataFrame(rows, columns=list(FIDELITY_COLUMNS)).astype({"agrees": object})
    return Calibration(
        scenario=found,
        values=_values(scenario, chosen_free, best, low, high),
        fidelity=Fidelity(frame, scenario.name, int(n), int(seed)),
        loss=(float(np.mean(first**2)), float(np.mean(after**2))),
        steps=steps,
        n=int(n),
        seed=int(seed),
    )


@dataclass(frozen=True, slots=True)
class _Box:
    """Bounds of the free numbers on their scales, and how far to move each for a slope."""

    low: Floats
    high: Floats
    width: Floats


def _search(
    moments: Moments,
    start: Floats,
    first: Floats,
    box: _Box,
    most_steps: int,
    progress: Callable[[int, float], None] | None,
) -> tuple[Floats, Floats, int]:
    """Damped Gauss-Newton steps within bounds; return the best point, its distances and the steps taken."""
    at, now = start, first
    steps = 0
    damping = 0.01
    for steps in range(1, most_steps + 1):
        slopes = _slopes(moments, at, now, box)
        moved = False
        for factor in _DAMPINGS:
            trial = _step(at, now, slopes, damping * factor, box)
            there = _bounded(moments(trial))
            if float(there @ there) < float(now @ now) * (1.0 - 1e-6):
                gain = 1.0 - float(there @ there) / float(now @ now)
                at, now, moved = trial, there, True
                damping = max(damping * factor / 4.0, 1e-4)
                break
        if progress is not None:
            progress(steps, float(np.mean(now**2)))
        if not moved or gain < 1e-3:
            break
    return at, now, steps


def _slopes(moments: Moments, at: Floats, now: Floats, box: _Box) -> Floats:
    columns = []
    for k in range(len(at)):
        up = at[k] + box.width[k] <= box.high[k]
        moved = at.copy()
        moved[k] = at[k] + box.width[k] if up else at[k] - box.width[k]
        columns.append((_bounded(moments(moved)) - now) / (moved[k] - at[k]))
    return np.column_stack(columns)


def _step(at: Floats, now: Floats, slopes: Floats, damping: float, box: _Box) -> Floats:
    """Solve the damped normal equations; numbers held at a bound that the step would cross are taken out."""
    free = np.ones(len(at), dtype=np.bool_)
    step = np.zeros(len(at))
    for _ in range(len(at)):
        part = slopes[:, free]
        normal = part.T @ part
        normal = normal + damping * np.diag(np.maximum(np.diag(normal), 1e-8))
        step = np.zeros(len(at))
        step[free] = -np.linalg.solve(normal, part.T @ now)
        stuck = free & (((at <= box.low) & (step < 0)) | ((at >= box.high) & (step > 0)))
        if not stuck.any() or not (free & ~stuck).any():
            break
        free &= ~stuck
    return np.clip(at + step, box.low, box.high)


def _bounded(values: Floats) -> Floats:
    """Put a large distance where a figure is not defined, so that the search turns back."""
    return np.where(np.isfinite(values), values, _FAR)


def _scale(target: Target) -> float:
    """Return the margin of a target without simulation error: what a distance is measured in."""
    if target.kind in ("percent", "rd", "direction"):
        return target.within if target.within is not None else POINTS
    return max(margin_of(target, target.value, 0.0), SHARE / INSIDE if target.value == 0.0 else 1e-12)


def _to_scale(free: Free, value: float) -> float:
    return float(np.log(value)) if free.scale == "log" else value


def _from_scale(free: Free, value: float) -> float:
    return float(f"{np.exp(value) if free.scale == 'log' else value:.6g}")


def _apply(scenario: Scenario, free: Sequence[Free], at: Floats) -> Scenario:
    for item, value in zip(free, at.tolist(), strict=True):
        scenario = set_value(scenario, item.path, _from_scale(item, value))
    return scenario


def _values(scenario: Scenario, free: Sequence[Free], at: Floats, low: Floats, high: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": [item.path for item in free],
            "before": [get_value(scenario, item.path) for item in free],
            "after": [_from_scale(item, value) for item, value in zip(free, at.tolist(), strict=True)],
            "low": [item.low for item in free],
            "high": [item.high for item in free],
            "at_bound": (at <= low + 1e-9) | (at >= high - 1e-9),
        }
    )


def _chosen_free(scenario: Scenario, names: Sequence[str] | None) -> list[Free]:
    known = [item.path for item in scenario.free]
    for name in names or ():
        if name not in known:
            raise ScenarioError(
                f"`free` names '{name}', which the scenario does not declare as free.{did_you_mean(name, known)} "
                f"It has: {', '.join(known) or 'none'}."
            )
    chosen = [item for item in scenario.free if names is None or item.path in names]
    if not chosen:
        raise ScenarioError(f"scenario '{scenario.name}' has nothing to calibrate: declare [[free]] numbers.")
    return chosen


def _chosen_targets(
    scenario: Scenario, names: Sequence[str] | None, estimators: Mapping[str, Estimator] | None
) -> list[Target]:
    from rtwcohort.simulate.measures import ESTIMATORS

    if names is not None:
        return [scenario.target(name) for name in names]
    absent = set(ESTIMATORS) - set(estimators or {})
    chosen = [item for item in scenario.targets if not item.why_not and item.measure["name"] not in absent]
    if not chosen:
        raise ScenarioError(f"scenario '{scenario.name}' has no target to calibrate to: declare [[targets]].")
    return chosen
