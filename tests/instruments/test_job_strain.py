"""Job strain by hand: seven people, demands and control around the median."""

from __future__ import annotations

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import job_strain

# Wanted scores. Demands 5-20: item 4 keeps its direction, so the answers below are built item by item.
#          person: (demands, control)    medians: demands 12, control 15
WANTED = {1: (20, 6), 2: (13, 14), 3: (12, 6), 4: (20, 15), 5: (5, 16), 6: (11, 24), 7: (10, 24)}


def answers_for(score, items, turned, low):
    """Spread a sum over the items, one point more at a time, and turn it back into answers."""
    points = [1] * len(items)
    left = score - low
    for position in range(len(items)):
        step = min(3, left)
        points[position] += step
        left -= step
    return [5 - point if item in turned else point for item, point in zip(items, points, strict=True)]


def questionnaires():
    rows = []
    for person, (demands, control) in WANTED.items():
        for items, turned, score, low in (
            (range(1, 6), {1, 2, 3, 5}, demands, 5),
            (range(6, 12), {6, 7, 8, 10, 11}, control, 6),
        ):
            for item, value in zip(items, answers_for(score, items, turned, low), strict=True):
                rows.append((person, "M0", "DCSQ", str(item), float(value)))
    return pd.DataFrame(rows, columns=["person_id", "wave", "instrument", "item", "value"])


def test_quadrants_by_hand():
    found = job_strain(questionnaires(), wave="M0")
    assert found.frame[["demands", "control"]].to_numpy().tolist() == [list(pair) for pair in WANTED.values()]
    assert (found.demands_median, found.control_median) == (12, 15)
    # At the median (person 3's demands, person 4's control) is neither high demands nor low control.
    assert found.frame["quadrant"].tolist() == [
        "strain",
        "strain",
        "passive",
        "active",
        "low_strain",
        "low_strain",
        "low_strain",
    ]
    assert found.frame["strain"].tolist() == [True, True, False, False, False, False, False]


def test_thresholds_from_elsewhere():
    found = job_strain(questionnaires(), wave="M0", demands_median=13, control_median=7)
    assert found.frame["strain"].tolist() == [True, False, False, False, False, False, False]


def test_a_missing_score_leaves_strain_missing_and_out_of_the_medians():
    rows = questionnaires()
    rows = rows[~((rows["person_id"] == 7) & (rows["item"] == "11"))]
    found = job_strain(rows, wave="M0")
    assert found.frame["strain"].isna().tolist() == [False] * 6 + [True]
    assert found.frame["quadrant"].isna().tolist() == [False] * 6 + [True]
    assert found.demands_median == 12.5


def test_nobody_with_both_scores():
    rows = questionnaires()
    with pytest.raises(ArgumentError, match="nobody has both scores"):
        job_strain(rows[~rows["item"].isin(["1", "6"])], wave="M0")
