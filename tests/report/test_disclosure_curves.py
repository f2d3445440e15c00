from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.report.curve_table import curve_table
from rtwcohort.report.disclosure_curves import coarsen_curve, numbers_at_risk, round_at_risk


def km(times: np.ndarray, events: np.ndarray) -> pd.DataFrame:
    """Kaplan-Meier by its definition, one row a distinct time."""
    rows, survival = [], 1.0
    for time in np.unique(times):
        at_risk = int((times >= time).sum())
        count = int(((times == time) & events).sum())
        survival *= 1 - count / at_risk
        rows.append((time, at_risk, count, survival, max(survival - 0.1, 0), min(survival + 0.1, 1)))
    return pd.DataFrame(rows, columns=["time", "at_risk", "events", "survival", "conf_low", "conf_high"])


def random_curve(rng: np.random.Generator) -> pd.DataFrame:
    n = int(rng.integers(3, 200))
    times = np.ceil(rng.exponential(rng.choice([20, 150, 500]), n))
    if rng.random() < 0.3:
        times[: n // 5] = 0
    ends = np.where(rng.random(n) < 0.3, rng.integers(50, 365, n), 365)
    return km(np.minimum(times, ends), times <= ends)


def test_the_events_between_any_two_printed_points_are_none_or_enough() -> None:
    rng = np.random.default_rng(12)
    n_steps = 0
    for _ in range(150):
        curve, at = random_curve(rng), sorted(rng.choice([30, 90, 180, 270, 365], size=3, replace=False))
        coarse = coarsen_curve(curve, at=at, threshold=5)
        shown = coarse.fixed.dropna()
        points = sorted({*coarse.steps["time"], *shown["time"]})
        until = [int(curve.loc[curve["time"] <= time, "events"].sum()) for time in points]
        gaps = np.diff([0, *until, int(curve["events"].sum())])
        if coarse.steps["time"].iloc[0] == 0.0 and coarse.steps["survival"].iloc[0] == 1.0:
            gaps = np.diff([0, *until[1:], int(curve["events"].sum())])
        if curve["events"].sum() < 5:
            assert len(points) == 1 or until[-1] == 0
            continue
        assert not np.any((gaps > 0) & (gaps < 5)), (gaps, points)
        n_steps += len(coarse.steps)
        at_risk = numbers_at_risk(curve, [coarse.steps["time"].iloc[-1]])[0]
        assert at_risk >= 5 or len(coarse.steps) == 1
    assert n_steps > 700


def test_every_printed_estimate_is_the_kaplan_meier_estimate_at_its_time() -> None:
    rng = np.random.default_rng(13)
    for _ in range(80):
        curve = random_curve(rng)
        coarse = coarsen_curve(curve, at=[90, 180], threshold=5)
        for _, row in pd.concat([coarse.steps.iloc[1:], coarse.fixed.dropna()]).iterrows():
            before = curve.loc[curve["time"] <= row["time"], "survival"]
            assert row["survival"] == pytest.approx(before.iloc[-1] if len(before) else 1.0, abs=1e-12)


def test_a_hand_worked_curve() -> None:
    # 20 people: two return on each of days 1 to 8, four are still out on day 10.
    times = np.array([*np.repeat(np.arange(1, 9), 2), 10, 10, 10, 10])
    events = np.array([True] * 16 + [False] * 4)
    coarse = coarsen_curve(km(times, events), at=[5], threshold=5)
    # Day 5 asked for: 10 events until then make one step on day 3 (6) joined by the rest (4) on day 5;
    # then 6 on days 6 to 8. At risk on day 8: 6, on day 10: 4, so the curve ends on day 8.
    assert coarse.steps["time"].tolist() == [0, 5, 8]
    assert coarse.steps["survival"].round(3).tolist() == [1.0, 0.5, 0.2]
    assert coarse.fixed["survival"].round(3).tolist() == [0.5]
    assert coarse.withheld


def test_a_time_with_few_events_before_it_is_withheld() -> None:
    times = np.array([1, 2, *[50] * 10, *[100] * 20])
    events = np.array([True] * 12 + [False] * 20)
    fixed = coarsen_curve(km(times, events), at=[10, 60], threshold=5).fixed
    assert fixed["survival"].isna().tolist() == [True, False]


def test_without_control_every_step_stays() -> None:
    curve = random_curve(np.random.default_rng(2))
    steps = coarsen_curve(curve, threshold=0).steps
    assert set(curve.loc[(curve["events"] > 0), "time"]) <= set(steps["time"])


def test_numbers_at_risk_are_rounded_so_that_no_difference_is_known() -> None:
    assert round_at_risk([57, 55, 54, 5, 4, 0], 5) == ["55", "55", "50", "5", "<5", "<5"]
    assert round_at_risk([57, 4, 0], 0) == ["57", "4", "0"]
    for first in range(5, 60):
        for left in range(1, 5):
            second = first - left
            if second < 5:
                continue
            printed = [int(text) for text in round_at_risk([first, second], 5)]
            possible = {
                a - b for a in range(printed[0], printed[0] + 5) for b in range(printed[1], printed[1] + 5) if a >= b
            }
            assert len(possible) >= 5


def test_numbers_at_risk_count_people_just_before_a_time() -> None:
    curve = km(np.array([0, 3, 3, 7]), np.array([True, True, False, False]))
    assert numbers_at_risk(curve, [0, 1, 3, 4, 7, 8]).tolist() == [4, 3, 3, 1, 1, 0]


def test_the_curve_table_prints_what_the_coarse_curve_allows() -> None:
    times = np.array([*np.repeat(np.arange(1, 9), 2), 10, 10, 10, 10])
    events = np.array([True] * 16 + [False] * 4)
    curves = pd.concat([km(times, events).assign(group="a"), km(times, events).assign(group="b")])
    table = curve_table(curves, [5, 10], threshold=5)
    assert table.display.to_numpy().tolist() == [
        ["5 days", "50 (40 to 60)", "10", "50 (40 to 60)", "10"],
        ["10 days", "[c]", "<5", "[c]", "<5"],
    ]
    assert [spanner[0] for spanner in table.spanners] == ["a", "b"]
    assert table.raw["withheld"].tolist() == [False, True, False, True]
    assert table.raw["returned"].isna().tolist() == [False, True, False, True]
    assert len(table.audit) == 2
