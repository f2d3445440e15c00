from __future__ import annotations

import pandas as pd

from rtwcohort.report.numbers import NARROW_SPACE as N
from rtwcohort.report.status_figure import status_figure
from rtwcohort.report.status_table import status_table


def status(counts: dict[tuple[int, str], tuple[int, int, int, int]]) -> pd.DataFrame:
    """Return rows for (day, arm) -> (not, partly, fully, not known)."""
    values = ["not", "partly", "fully", None]
    rows = [
        (day, arm, value)
        for (day, arm), numbers in counts.items()
        for value, n in zip(values, numbers, strict=True)
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["day", "arm", "status"])
    frame["status"] = pd.Categorical(frame["status"], values[:3], ordered=True)
    return frame


PLENTY = {(0, "a"): (30, 20, 0, 0), (0, "b"): (25, 25, 0, 0), (90, "a"): (10, 15, 20, 5), (90, "b"): (10, 10, 20, 10)}


def test_counts_and_shares_by_visit_and_arm() -> None:
    table = status_table(status(PLENTY))
    assert table.display.to_numpy().tolist() == [
        ["At the index date", "n = 100", "n = 50", "n = 50"],
        ["Not in work", f"55 (55{N}%)", f"30 (60{N}%)", f"25 (50{N}%)"],
        ["Partly in work", f"45 (45{N}%)", f"20 (40{N}%)", f"25 (50{N}%)"],
        ["Fully in work", f"0 (0{N}%)", f"0 (0{N}%)", f"0 (0{N}%)"],
        ["Day 90", "n = 100", "n = 50", "n = 50"],
        ["Not in work", f"20 (20{N}%)", f"10 (20{N}%)", f"10 (20{N}%)"],
        ["Partly in work", f"25 (25{N}%)", f"15 (30{N}%)", f"10 (20{N}%)"],
        ["Fully in work", f"40 (40{N}%)", f"20 (40{N}%)", f"20 (40{N}%)"],
        ["Not known", f"15 (15{N}%)", f"5 (10{N}%)", f"10 (20{N}%)"],
    ]


def test_a_small_cell_hides_three_more_and_the_figure_draws_them_together() -> None:
    frame = status({(90, "a"): (30, 3, 17, 0), (90, "b"): (20, 10, 20, 0)})
    table = status_table(frame)
    assert table.display.iloc[1:].to_numpy().tolist() == [
        ["Not in work", f"50 (50{N}%)", "[c]", "[c]"],
        ["Partly in work", f"13 (13{N}%)", "<5", "[c]"],
        ["Fully in work", f"37 (37{N}%)", f"17 (34{N}%)", f"20 (40{N}%)"],
    ]
    figure = status_figure(frame)
    assert "drawn together" in figure.caption
    assert f"fully in work: 34{N}% in a" in figure.alt


def test_a_few_whose_status_is_not_known_are_counted_as_not_in_work_and_the_table_says_so() -> None:
    table = status_table(status({(90, "a"): (30, 10, 10, 2), (90, "b"): (20, 10, 20, 0)}))
    assert table.display.iloc[1].tolist()[1:] == [f"52 (51{N}%)", f"32 (62{N}%)", f"20 (40{N}%)"]
    assert table.display.iloc[1, 0] == "Not in work, or not known"
    assert any("counted as not in work" in note for note in table.notes)


def test_one_group_without_arms() -> None:
    frame = status({(0, "a"): (3, 20, 30, 0)})
    table = status_table(frame, arm=None)
    assert table.display.to_numpy().tolist()[1:] == [
        ["Not in work", "<5"],
        ["Partly in work", "[c]"],
        ["Fully in work", f"30 (57{N}%)"],
    ]
    assert b"<svg" in status_figure(frame, arm=None).svg


def test_no_visits() -> None:
    empty = status({})
    assert "Nothing to show." in status_table(empty).to_html()
    assert status_figure(empty).svg
