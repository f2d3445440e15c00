"""The flow adds up for the reader, and an attacker cannot subtract a small step out of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rtwcohort.report.disclosure import SHOWN
from rtwcohort.report.disclosure_flow import pool_flow
from rtwcohort.report.flow_table import flow_table


def flow(start: int, excluded: list[int]) -> list[SimpleNamespace]:
    steps = [SimpleNamespace(name="source", reason="people in the register", n_excluded=0, n_left=start)]
    for number, count in enumerate(excluded):
        start -= count
        steps.append(SimpleNamespace(name=f"s{number}", reason=f"reason {number}", n_excluded=count, n_left=start))
    return steps


def known_to_attacker(steps, pooled) -> list[np.ndarray]:
    """Printed equations over the unknowns (start, excluded 1, ..., excluded k)."""
    k = len(steps) - 1
    position = {step.reason: at for at, step in enumerate(steps)}
    equations = []
    for step in pooled:
        at = [position[reason] for reason in step.reasons]
        if step.excluded_code == SHOWN and at != [0]:
            equations.append(np.isin(np.arange(k + 1), at).astype(float))
        if step.left_code == SHOWN:
            left = np.zeros(k + 1)
            left[0], left[1 : max(at) + 1] = 1, -1
            equations.append(left)
    return equations


def test_no_small_step_of_random_flows_can_be_found_by_subtraction() -> None:
    rng = np.random.default_rng(5)
    n_small = 0
    for _ in range(2000):
        excluded = list(rng.choice([0, 0, 1, 2, 3, 4, 5, 6, 20], size=rng.integers(1, 8)))
        start = sum(excluded) + int(rng.choice([1, 3, 6, 40]))
        steps = flow(start, excluded)
        pooled, _ = pool_flow(steps, 5)
        equations = np.array(known_to_attacker(steps, pooled)).reshape(-1, len(excluded) + 1)
        numbers = [(np.eye(len(excluded) + 1)[at + 1], count) for at, count in enumerate(excluded)]
        final = np.append(1.0, -np.ones(len(excluded)))
        for wanted, count in [*numbers, (final, start - sum(excluded))]:
            if 0 < count < 5:
                n_small += 1
                weights, *_ = np.linalg.lstsq(equations.T, wanted, rcond=None)
                assert not np.allclose(equations.T @ weights, wanted), (start, excluded, pooled)
    assert n_small > 2000


def test_a_small_step_joins_the_next_one() -> None:
    pooled, audit = pool_flow(flow(100, [12, 2, 51, 5]), 5)
    assert [(step.reasons, step.n_excluded, step.n_left) for step in pooled] == [
        (("people in the register",), 0, 100),
        (("reason 0",), 12, 88),
        (("reason 1", "reason 2"), 53, 35),
        (("reason 3",), 5, 30),
    ]
    assert audit["row"].tolist() == ["reason 1; reason 2"]


def test_a_small_last_step_joins_the_one_before() -> None:
    pooled, _ = pool_flow(flow(100, [12, 20, 2]), 5)
    assert [step.n_excluded for step in pooled] == [0, 12, 22]
    assert pooled[-1].n_left == 66


def test_when_all_exclusions_together_are_few_the_start_is_withheld_and_the_cohort_is_not() -> None:
    table = flow_table(flow(100, [2, 1]), threshold=5)
    assert table.display.to_numpy().tolist() == [
        ["People in the register", "", "[c]"],
        ["Reason 0; or reason 1", "<5", "97"],
    ]
    assert table.raw["n_left"].isna().tolist() == [True, False]
    assert table.raw["withheld"].tolist() == ["n_left", "n_excluded"]


def test_without_control_the_flow_is_printed_as_it_is() -> None:
    table = flow_table(flow(100, [2, 0, 1]), threshold=0)
    assert table.display["Left out"].tolist() == ["", "2", "0", "1"]
    assert table.display["Remained"].tolist() == ["100", "98", "98", "97"]
    assert table.to_csv().splitlines()[1] == "1,People in the register,0,100,"


@pytest.mark.parametrize("excluded", [[], [0], [0, 0]])
def test_a_flow_that_excludes_nobody(excluded) -> None:
    table = flow_table(flow(50, excluded))
    assert table.display["Remained"].tolist() == ["50"] * (1 + len(excluded))
    assert table.audit.empty


def test_an_empty_flow() -> None:
    assert "Nothing to show." in flow_table([]).to_html()
