from __future__ import annotations

import math

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.report.arm_table import arm_table, effect_table
from rtwcohort.report.numbers import MINUS
from rtwcohort.report.numbers import NARROW_SPACE as N


def arms(returned: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": ["ordinary", "visit"],
            "n": [57, 45],
            "n_returned": returned,
            "median_time": [120.0, math.nan],
            "median_low": [90.0, 100.0],
            "median_high": [math.nan, math.nan],
        }
    )


def effects() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("Risk difference", 0.132, -0.061, 0.31, 0.18, "points", True),
            ("Hazard ratio", 1.4, 0.9, 2.2, 0.14, "ratio", False),
            ("Log-rank test", math.nan, math.nan, math.nan, 0.13, "ratio", False),
            ("Odds ratio", math.inf, math.nan, math.nan, math.nan, "ratio", True),
        ],
        columns=["measure", "estimate", "conf_low", "conf_high", "p_value", "scale", "from_counts"],
    )


def test_returns_medians_and_means_by_arm() -> None:
    means = pd.DataFrame(
        [("Absence days", "ordinary", 57, 180.0, 99.6), ("Absence days", "visit", 4, 90.0, 9.0)],
        columns=["measure", "arm", "n", "mean", "sd"],
    )
    table = arm_table(arms((28, 28)), means=means, horizon="365 days")
    assert table.display.to_numpy().tolist() == [
        ["Returned to work within 365 days, n (%)", f"28 (49{N}%)", f"28 (62{N}%)"],
        ["Median time to return, days (95 % CI)", "120 (90 to not reached)", "not reached"],
        ["Absence days, mean (SD)", "180.0 (99.6)", "[c]"],
    ]


def test_a_small_count_is_withheld_in_both_tables() -> None:
    table = arm_table(arms((55, 20)))
    assert table.display.iloc[0].tolist()[1:] == ["[c]", "[c]"]
    shown = effect_table(effects(), arms=arms((55, 20)))
    assert shown.display["Estimate (95 % CI)"].tolist() == ["[c]", "1.40 (0.90 to 2.20)", "", "[c]"]
    assert shown.raw["estimate"].isna().tolist() == [True, False, True, True]
    assert shown.audit["row"].tolist() == ["Risk difference, percentage points", "Odds ratio"]


def test_every_effect_is_withheld_where_an_arm_has_few_returns() -> None:
    shown = effect_table(effects(), arms=arms((3, 20)))
    assert shown.display["p"].tolist() == ["[c]"] * 4


def test_effects_are_printed_on_their_scale() -> None:
    shown = effect_table(effects(), arms=arms((28, 28)))
    assert shown.display.to_numpy().tolist() == [
        ["Risk difference, percentage points", f"13.2 ({MINUS}6.1 to 31.0)", "0.180"],
        ["Hazard ratio", "1.40 (0.90 to 2.20)", "0.140"],
        ["Log-rank test", "", "0.130"],
        ["Odds ratio", "not estimable", ""],
    ]
    with pytest.raises(ArgumentError, match="scale"):
        effect_table(effects().assign(scale="log"))


def test_a_contrast_has_its_column_and_notes_are_said_once() -> None:
    frame = effects().assign(contrast="visit against ordinary", note=["", "Why.", "Why.", ""])
    shown = effect_table(frame, notes=["First."])
    assert shown.display.columns.tolist() == ["Measure", "Contrast", "Estimate (95 % CI)", "p"]
    assert shown.notes == ("First.", "Why.")


def test_measures_that_leave_out_a_few_people_of_unknown_status_are_withheld() -> None:
    # With both totals printed, three measures of the same table would give the few away.
    few = arms((28, 28)).assign(n_known=[55, 45])
    assert effect_table(effects(), arms=few).display["p"].tolist() == ["[c]", "0.140", "0.130", "[c]"]
    many = arms((28, 28)).assign(n_known=[50, 45])
    assert effect_table(effects(), arms=many).audit.empty


def test_the_file_has_no_more_digits_of_measures_of_counts_than_the_page() -> None:
    raw = effect_table(effects().assign(estimate=[0.13211, 1.43219, math.nan, 1.43219]), arms=arms((28, 28))).raw
    assert raw["estimate"].tolist()[:2] == [0.132, 1.4322]
    assert raw["estimate"].iloc[3] == 1.43
