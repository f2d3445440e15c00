"""Figures: equal bytes, readable sizes, no global state, nothing that was withheld."""

from __future__ import annotations

import re
import struct
import sys
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.report.curve_figure import curve_figure, time_ticks
from rtwcohort.report.flow_figure import flow_figure
from rtwcohort.report.report_figure import INK, WIDTH_INCHES, ReportFigure, new_figure, style


def curves(n: int = 60) -> pd.DataFrame:
    rows = []
    for arm, step in (("ordinary", 6.0), ("visit $x^2$ <b>", 4.0)):
        survival = 1.0
        for at in range(n):
            time = step * (at + 1)
            survival *= 1 - 1 / (n - at)
            rows.append((arm, time, n - at, 1, survival, max(survival - 0.1, 0.0), min(survival + 0.1, 1.0)))
    return pd.DataFrame(rows, columns=["group", "time", "at_risk", "events", "survival", "conf_low", "conf_high"])


STEPS = [
    SimpleNamespace(name="source", reason="people in the register", n_excluded=0, n_left=100),
    SimpleNamespace(name="a", reason="too young", n_excluded=20, n_left=80),
    SimpleNamespace(name="b", reason="nobody fails this", n_excluded=0, n_left=80),
]


def test_bytes_are_equal_from_run_to_run_and_hold_no_date() -> None:
    first, second = (curve_figure(curves(), horizon=365, at=[90, 180]) for _ in range(2))
    assert first.svg == second.svg
    assert first.png == second.png
    assert b"dc:date" not in first.svg
    assert b"tEXtSoftware" not in first.png


def test_the_png_has_300_dots_an_inch_over_90_mm() -> None:
    png = curve_figure(curves(), horizon=365).png
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width = struct.unpack(">I", png[16:20])[0]
    assert width == int(WIDTH_INCHES * 300)


def test_the_users_own_settings_and_pyplot_are_left_alone() -> None:
    before = dict(mpl.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    curve_figure(curves(), horizon=365)
    assert dict(mpl.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_inline_drawings_take_their_colours_from_the_page_and_have_ids_of_their_own() -> None:
    figure = curve_figure(curves(), horizon=365, key="mine")
    page = figure.to_html()
    assert INK not in page
    assert "var(--ink)" in page
    assert "var(--series-1)" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert all(name in ("figure-mine",) or name.startswith("mine-") for name in ids)
    targets = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    assert targets
    assert set(targets) <= set(ids)


def test_labels_are_neither_mathematics_nor_markup() -> None:
    figure = curve_figure(curves(), horizon=365)
    assert "<b>" not in figure.to_html()
    assert "visit $x^2$ &lt;b&gt;" in figure.to_html()


def test_text_is_at_least_seven_points_on_paper_of_one_column() -> None:
    from matplotlib.text import Text

    with style():
        sizes = [text.get_fontsize() for text in new_figure(2).add_subplot().findobj(Text)]
    assert min(sizes) * 85 / (WIDTH_INCHES * 25.4) >= 7.0


def test_a_curve_of_few_people_shows_no_step() -> None:
    few = curves(4)
    figure = curve_figure(few, horizon=365)
    assert "0 %" in figure.alt.replace("\u202f", " ")


def test_the_alternative_text_says_what_the_curves_show() -> None:
    alt = curve_figure(curves(), horizon=365, at=[180]).alt
    assert alt.startswith("Step curves of the share who had returned to work over time. ordinary:")


def test_shapes_and_months() -> None:
    down = curve_figure(curves(), horizon=365, shape="not_returned", in_months=True)
    assert down.svg != curve_figure(curves(), horizon=365).svg
    with pytest.raises(ArgumentError, match="shape"):
        curve_figure(curves(), horizon=365, shape="up")


@pytest.mark.parametrize(
    ("horizon", "unit", "scale", "ticks"),
    [
        (365, "days", 1.0, [0, 90, 180, 270, 360]),
        (28, "days", 1.0, [0, 10, 20]),
        (365, "months", 30.4375, [0, 3, 6, 9]),
        (52, "weeks", 1.0, [0, 12, 24, 36, 48]),
        (1826, "days", 1.0, [0, 365, 730, 1095, 1460, 1825]),
    ],
)
def test_ticks_are_round_and_few(horizon, unit, scale, ticks) -> None:
    assert time_ticks(horizon, unit, scale) == ticks


def test_the_flow_chart_withholds_what_the_table_does() -> None:
    steps = [*STEPS, SimpleNamespace(name="c", reason="died", n_excluded=3, n_left=77)]
    figure = flow_figure(steps, arms=[("ordinary", 37), ("visit", 40)])
    assert "23 left out" in figure.alt
    assert " 3 left out" not in figure.alt
    small = flow_figure(STEPS, arms=[("ordinary", 3), ("visit", 77)])
    assert "ordinary n = <5" in small.alt
    assert "visit n = [c]" in small.alt


def test_a_flow_of_one_step_and_of_none() -> None:
    assert flow_figure(STEPS[:1]).svg
    assert flow_figure([]).svg


def test_a_broken_key_is_refused() -> None:
    with pytest.raises(ArgumentError, match="key"):
        ReportFigure("My Figure", "t", "a", "c", b"", b"")


def test_no_random_numbers_are_drawn() -> None:
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    curve_figure(curves(), horizon=365)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
