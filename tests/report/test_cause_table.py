from __future__ import annotations

import pandas as pd

from rtwcohort.report.cause_table import cause_table
from rtwcohort.report.numbers import NARROW_SPACE as N

WORDS = {"return": "Returned", "horizon": "Followed to the end", "emigration": "Emigrated", "death": "Died"}


def ended(counts: dict[str, tuple[int, int]]) -> pd.DataFrame:
    rows = [(cause, arm) for cause, pair in counts.items() for arm, n in zip("ab", pair, strict=True) for _ in range(n)]
    return pd.DataFrame(rows, columns=["cause", "arm"])


def test_counts_add_up_and_causes_of_nobody_are_left_out() -> None:
    table = cause_table(ended({"return": (30, 20), "horizon": (20, 30)}), words=WORDS)
    assert table.display.to_numpy().tolist() == [
        ["Returned", f"50 (50{N}%)", f"30 (60{N}%)", f"20 (40{N}%)"],
        ["Followed to the end", f"50 (50{N}%)", f"20 (40{N}%)", f"30 (60{N}%)"],
        ["People", "100", "50", "50"],
    ]


def test_returns_are_kept_where_another_row_can_be_withheld() -> None:
    table = cause_table(ended({"return": (10, 10), "horizon": (40, 40), "emigration": (2, 1)}), words=WORDS)
    shown = table.display.set_index("Follow-up ended by")
    assert shown.loc["Returned"].tolist() == [f"20 (19{N}%)", f"10 (19{N}%)", f"10 (20{N}%)"]
    assert shown.loc["Emigrated", "All"] == "<5"
    assert shown.loc["Followed to the end", "All"] == "[c]"


def test_without_arms() -> None:
    table = cause_table(ended({"return": (30, 20), "death": (5, 5)}), words=WORDS, arm=None)
    assert table.display.columns.tolist() == ["Follow-up ended by", "All"]
    assert table.raw["n"].tolist() == [50, 10]
