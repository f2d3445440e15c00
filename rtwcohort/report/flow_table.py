"""The cohort flow as a table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rtwcohort.report.disclosure import SHOWN, SMALL_CELLS, mark, threshold_note
from rtwcohort.report.disclosure_flow import PooledStep, Step, pool_flow
from rtwcohort.report.numbers import format_count
from rtwcohort.report.report_table import ReportTable


def flow_table(steps: Sequence[Step], *, threshold: int = SMALL_CELLS, unit: str = "people") -> ReportTable:
    """Show who was left out, why, and how many remained.

    Parameters
    ----------
    steps
        `Cohort.flow`: the first says where people came from.
    threshold
        Steps of 1 to `threshold - 1` people are pooled with their neighbours.
    unit
        What is counted.
    """
    pooled, audit = pool_flow(steps, threshold)
    display = pd.DataFrame(
        {
            "Step": [step_text(step) for step in pooled],
            "Left out": ["" if at == 0 else excluded_text(step, threshold) for at, step in enumerate(pooled)],
            "Remained": [left_text(step, threshold) for step in pooled],
        },
        dtype=object,
    )
    raw = pd.DataFrame(
        {
            "step": range(1, len(pooled) + 1),
            "reason": [step_text(step) for step in pooled],
            "n_excluded": [step.n_excluded if step.excluded_code == SHOWN else None for step in pooled],
            "n_left": [step.n_left if step.left_code == SHOWN else None for step in pooled],
            "withheld": [_withheld(step) for step in pooled],
        }
    ).astype({"n_excluded": "Int64", "n_left": "Int64"})
    notes = [f"Numbers of {unit}. Each step applies to those who remained after the one before."]
    if any(len(step.reasons) > 1 for step in pooled):
        notes.append(f"Steps that left out 1 to {threshold - 1} {unit} are pooled with the steps beside them.")
    if any(_withheld(step) for step in pooled):
        notes.append(threshold_note(threshold))
    return ReportTable("flow", "Cohort flow", display, raw, tuple(notes), ("left", "right", "right"), audit=audit)


def step_text(step: PooledStep) -> str:
    """Return the reason of a step, or the reasons of pooled steps joined by semicolons."""
    text = "; or ".join(step.reasons)
    return text[:1].upper() + text[1:]


def excluded_text(step: PooledStep, threshold: int) -> str:
    """Return how many left, or the mark for a withheld number."""
    return mark(step.excluded_code, format_count(step.n_excluded), threshold)


def left_text(step: PooledStep, threshold: int) -> str:
    """Return how many remained, or the mark for a withheld number."""
    return mark(step.left_code, format_count(step.n_left), threshold)


def _withheld(step: PooledStep) -> str:
    names = []
    if step.excluded_code != SHOWN:
        names.append("n_excluded")
    if step.left_code != SHOWN:
        names.append("n_left")
    return " ".join(names)
