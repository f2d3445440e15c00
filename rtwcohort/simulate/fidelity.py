"""The fidelity of a scenario: each published figure beside the simulated one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register.register import Register
from rtwcohort.simulate.measures import Estimator, Simulated, measure
from rtwcohort.simulate.registers import draw_slice, tables_of
from rtwcohort.simulate.scenarios.declaration import Scenario, Target, check_scenario

COLUMNS: Final = (
    "id",
    "evidence",
    "kind",
    "arm",
    "published",
    "simulated",
    "simulation_error",
    "difference",
    "margin",
    "agrees",
    "why_not",
)
POINTS: Final = 2.0
"""Percentages and risk differences agree within so many points."""
SHARE: Final = 0.05
"""Other figures agree within this share of the published one; ratios and coefficients of models on the log scale."""
INSIDE: Final = 1.96
"""... or within so many standard errors of the simulation, percentages excepted."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Published and simulated figures.

    Attributes
    ----------
    frame
        One row a target: id, evidence, kind, arm, published, simulated, simulation_error (standard error), difference
        (simulated less published; for ratios the logarithm of their ratio), margin (how far they may be apart),
        agrees (True, False, or None where it was not measured), why_not.
    scenario, n, seed
        What was simulated.
    excused
        Ids of targets that are declared impossible (`Target.why_not`).
    """

    frame: pd.DataFrame
    scenario: str
    n: int
    seed: int
    excused: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[str, ...]:
        """Ids of the figures that were measured, do not agree and are not declared impossible."""
        rows = self.frame.to_dict("records")
        return tuple(row["id"] for row in rows if row["agrees"] is False and row["id"] not in self.excused)

    @property
    def ok(self) -> bool:
        """Whether every figure agrees that was measured and is not declared impossible (`Target.why_not`)."""
        return not self.failing

    def describe(self) -> str:
        """Return the table as plain text."""
        lines = [f"{self.scenario}, {self.n} people, seed {self.seed}"]
        for row in self.frame.to_dict("records"):
            verdict = {True: "agrees", False: "differs", None: "not measured"}[row["agrees"]]
            value = "-" if row["agrees"] is None else f"{row['simulated']:.4g} (se {row['simulation_error']:.2g})"
            note = f"; {row['why_not']}" if row["why_not"] else ""
            lines.append(f"  {row['id']}: published {row['published']:.4g}, simulated {value}, {verdict}{note}")
        return "\n".join(lines)


def fidelity(
    scenario: Scenario, *, n: int = 20_000, seed: int = 1, estimators: Mapping[str, Estimator] | None = None
) -> Fidelity:
    """Simulate a scenario and compare it with the published figures that it names.

    Parameters
    ----------
    scenario
        With `targets`.
    n, seed
        Size and seed of the simulation.
    estimators
        Models for the targets that need one: name ("cox", "logistic", "ordinal", "ordinal_gee", "linear") to a
        function of (frame, right side of the formula, term) that gives the coefficient and its standard error.

    Returns
    -------
    Fidelity
        Percentages and risk differences agree within 2 points; medians, means and other quantities within 5 % or
        1.96 simulation standard errors; ratios within a factor of 1.05 or 1.96 of their errors; directions when the
        arms differ by 2 or more the right way, and "no difference" by 2 at most; a target may declare its own margin
        (`within`).

    Notes
    -----
    The simulation error is that of a sample of this size from the scenario. It says nothing about the error of the
    published figure, which is much larger in small studies.
    """
    check_scenario(scenario)
    simulated = simulate_for_measures(scenario, n=n, seed=seed, targets=scenario.targets)
    rows = [compare(target, measure(simulated, target, estimators=estimators)) for target in scenario.targets]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"agrees": object})
    excused = tuple(target.id for target in scenario.targets if target.why_not)
    return Fidelity(frame, scenario.name, int(n), int(seed), excused)


def simulate_for_measures(
    scenario: Scenario, *, n: int, seed: int, targets: Sequence[Target] | None = None
) -> Simulated:
    """Simulate a register in memory, as `load_register` would give it.

    Parameters
    ----------
    scenario, n, seed
        As for `simulate_register`.
    targets
        Questionnaires are left out when none of these needs them; None keeps them.
    """
    check_number(n, argument="n", least=1, whole=True)
    asked = targets is None or any({"wave", "waves"} & set(target.measure) for target in targets)
    drawn = draw_slice(scenario if asked else replace(scenario, status=None), n=n, seed=seed)
    tables = tables_of(scenario, drawn, n=n, seed=seed, questionnaires=asked)
    register = Register(
        persons=tables["persons"],
        benefits=tables["benefits"],
        employment=tables["employment"],
        enrolment=tables.get("enrolment"),
        questionnaires=tables.get("questionnaires"),
        data_end=pd.Series([np.datetime64(scenario.data_end)]).astype(DATE_DTYPE).iloc[0],
    )
    return Simulated(scenario, register, drawn.people, drawn.covariates, drawn.scores)


def compare(target: Target, found: tuple[float, float] | None) -> dict[str, object]:
    """Return one row of the fidelity table."""
    row: dict[str, object] = {
        "id": target.id,
        "evidence": target.evidence,
        "kind": target.kind,
        "arm": target.arm,
        "published": target.value,
        "simulated": np.nan,
        "simulation_error": np.nan,
        "difference": np.nan,
        "margin": np.nan,
        "agrees": None,
        "why_not": target.why_not or ("needs an estimator that was not given" if found is None else ""),
    }
    if found is None:
        return row
    value, error = found
    difference = distance(target, value)
    allowed = margin_of(target, value, error)
    agrees = bool(abs(difference) <= allowed) if np.isfinite(difference) else False
    why_not = target.why_not
    if not np.isfinite(value):
        why_not = why_not or "not reached or not defined in the simulation"
    row |= {
        "simulated": value,
        "simulation_error": error,
        "difference": difference,
        "margin": allowed,
        "agrees": agrees,
        "why_not": "" if agrees else why_not,
    }
    return row


def distance(target: Target, value: float) -> float:
    """Return how far a simulated value lies from the published one: on the log scale for ratios.

    Of a direction, where the value is the difference between two arms: how much it lacks of `POINTS` the right way,
    0 when it lacks nothing; for "no difference" the difference itself.
    """
    if target.kind == "direction" and target.value != 0:
        return target.value * min(target.value * value - POINTS, 0.0)
    if target.kind in ("hr", "or", "rr"):
        return float(np.log(value / target.value)) if value > 0 else float("nan")
    return value - target.value


def margin_of(target: Target, value: float, error: float) -> float:
    """Return how far they may be apart, on the scale of `distance`."""
    if target.kind == "direction" and target.value != 0:
        return 0.0
    if target.kind in ("percent", "rd", "direction"):
        return target.within if target.within is not None else POINTS
    share = target.within if target.within is not None else SHARE
    inside = INSIDE * error if np.isfinite(error) else 0.0
    if target.kind in ("hr", "or", "rr"):
        return max(float(np.log1p(share)), inside / value if value > 0 else 0.0)
    return max(share * abs(target.value), inside)
