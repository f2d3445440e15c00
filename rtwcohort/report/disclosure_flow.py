"""Disclosure control of the cohort flow: no step of a few people can be read or found by subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from rtwcohort.report.disclosure import (
    SHOWN,
    SMALL,
    SMALL_CELLS,
    UNSIZED,
    audit_frame,
    check_threshold,
    is_small,
)


class Step(Protocol):
    """What is read of a step of the flow (`rtwcohort.cohort.FlowStep`)."""

    @property
    def name(self) -> str:
        """The requirement."""

    @property
    def reason(self) -> str:
        """The requirement in words."""

    @property
    def n_excluded(self) -> int:
        """People who left."""

    @property
    def n_left(self) -> int:
        """People who remained."""


@dataclass(frozen=True, slots=True)
class PooledStep:
    """One or more steps of the flow that are printed as one.

    Attributes
    ----------
    reasons
        In the order of the flow; more than one where steps were pooled.
    n_excluded, n_left
        Added up; print them only where the code is `SHOWN`.
    excluded_code, left_code
        `SHOWN`, `SMALL` or `UNSIZED`, see `rtwcohort.report.disclosure`.
    """

    reasons: tuple[str, ...]
    n_excluded: int
    n_left: int
    excluded_code: int = SHOWN
    left_code: int = SHOWN


def pool_flow(steps: Sequence[Step], threshold: int = SMALL_CELLS) -> tuple[tuple[PooledStep, ...], pd.DataFrame]:
    """Pool exclusion steps of a few people with their neighbours.

    A step that excludes 1 to `threshold - 1` people is pooled with the steps after it until the sum leaves
    every one of them uncertain; at the end of the flow with those before it. Where all exclusions together
    are so few, the number of people at the start is withheld, for the final number is what the study is about.

    Parameters
    ----------
    steps
        The first says where people came from and excludes nobody.

    Returns
    -------
    tuple of PooledStep, pandas.DataFrame
        The first step first; the audit.
    """
    limit = check_threshold(threshold)
    if not steps:
        return (), audit_frame()
    groups = _groups(steps[1:], limit)
    first = PooledStep((steps[0].reason,), 0, steps[0].n_left)
    pooled = [first, *(_pool(group) for group in groups)]
    if any(is_small(step.n_excluded, limit) for step in pooled):
        pooled = [_coded(step, small_excluded=step.n_excluded > 0, hide_left=step is not pooled[-1]) for step in pooled]
    pooled = _hide_few_left(pooled, limit)
    return tuple(pooled), _audit(pooled, groups)


def _groups(steps: Sequence[Step], threshold: int) -> list[list[Step]]:
    groups: list[list[Step]] = []
    open_group: list[Step] = []
    for step in steps:
        open_group.append(step)
        if _is_safe(open_group, threshold):
            groups.append(open_group)
            open_group = []
    while open_group and groups and not _is_safe(open_group, threshold):
        open_group = [*groups.pop(), *open_group]
    return [*groups, open_group] if open_group else groups


def _is_safe(group: list[Step], threshold: int) -> bool:
    """Whether each small step of the group could, for all that its sum tells, be the threshold or more."""
    counts = [step.n_excluded for step in group if step.n_excluded > 0]
    if not any(is_small(count, threshold) for count in counts):
        return True
    return len(counts) > 1 and sum(counts) - (len(counts) - 1) >= threshold


def _pool(group: list[Step]) -> PooledStep:
    return PooledStep(tuple(step.reason for step in group), sum(step.n_excluded for step in group), group[-1].n_left)


def _coded(step: PooledStep, *, small_excluded: bool, hide_left: bool) -> PooledStep:
    return PooledStep(
        step.reasons,
        step.n_excluded,
        step.n_left,
        SMALL if small_excluded else step.excluded_code,
        UNSIZED if hide_left else step.left_code,
    )


def _hide_few_left(pooled: list[PooledStep], threshold: int) -> list[PooledStep]:
    """Withhold a number remaining that is small, and the exclusions that lead to it."""
    coded = []
    for step in pooled:
        if is_small(step.n_left, threshold):
            code = UNSIZED if step.n_excluded else SHOWN
            step = PooledStep(step.reasons, step.n_excluded, step.n_left, code, SMALL if code == SHOWN else UNSIZED)
        coded.append(step)
    return coded


def _audit(pooled: list[PooledStep], groups: list[list[Step]]) -> pd.DataFrame:
    rows = [
        ("flow", "; ".join(step.reason for step in group), "excluded", "pooled: a step excluded few people")
        for group in groups
        if len(group) > 1
    ]
    for step in pooled:
        label = "; ".join(step.reasons)
        if step.excluded_code != SHOWN:
            rows.append(("flow", label, "excluded", "few people, or would reveal few"))
        if step.left_code != SHOWN:
            rows.append(("flow", label, "left", "few people, or would reveal few"))
    return audit_frame(rows)
