"""Hazard ratios with their intervals on a log scale."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.numbers import format_estimate, format_number
from rtwcohort.report.report_figure import INK, MUTED, SERIES, ReportFigure, finish, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_INCHES: Final = 0.145
_LABEL_WIDTH: Final = 24
_TICKS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_FINE_TICKS: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)


def forest_figure(
    rows: pd.DataFrame,
    *,
    measure: str = "Hazard ratio",
    short: str = "HR",
    title: str = "Predictors of return to work",
    caption: str = "",
    key: str = "forest",
) -> ReportFigure:
    """Draw ratios and their intervals on a log scale, with the numbers beside them.

    Parameters
    ----------
    rows
        One row a line, in order: `label`, `estimate`, `conf_low`, `conf_high` (ratios). A row whose `estimate` is NaN
        is a heading, or a reference where the optional column `text` says so; `text` replaces the numbers on the right.
    measure, short
        Words for the axis; abbreviation above the numbers.
    title, caption, key
        Of the figure.

    Notes
    -----
    Intervals that run out of the axis end in an arrow; the numbers beside them are whole.
    """
    check_columns(rows.columns, ("label", "estimate", "conf_low", "conf_high"), argument="rows")
    lines = [_lines(str(label)) for label in rows["label"]]
    heights = [len(text) for text in lines]
    total = sum(heights) + 0.45 * len(heights)
    with style():
        figure = new_figure(0.62 + _LINE_INCHES * max(total, 1))
        height = figure.get_figheight()
        axes = figure.add_axes((0.39, 0.40 / height, 0.29, 1 - 0.62 / height))
        low, high = _limits(rows)
        y = 0.0
        for (_, row), text in zip(rows.iterrows(), lines, strict=True):
            y += (len(text) + 0.45) / 2
            _line(axes, row, text, y, (low, high))
            y += (len(text) + 0.45) / 2
        _frame(axes, (low, high), y, measure, short)
        return finish(figure, key=key, title=title, alt=_alt(rows, measure), caption=caption)


def forest_rows(table: Any, *, model: str = "multivariable") -> pd.DataFrame:
    """Turn a table of hazard ratios into the rows of a forest figure, with what is withheld left out there too.

    Parameters
    ----------
    table
        From `hazard_ratio_table`.
    model
        "multivariable" or "univariable".
    """
    raw = table.raw
    columns = [f"{model}_{name}" for name in ("hr", "conf_low", "conf_high")]
    check_columns(raw.columns, columns, argument="table.raw")
    texts = table.display.iloc[:, 3 if model == "univariable" else 5]
    of_row = [at for at, kind in enumerate(table.row_kinds) if kind != "group"]
    numbers = iter(raw[columns].to_numpy(dtype=np.float64))
    out = []
    for at, label in enumerate(table.display.iloc[:, 0]):
        figures = next(numbers) if at in of_row else [math.nan] * 3
        indent = "   " if table.row_kinds[at] == "level" else ""
        shown = "" if math.isfinite(figures[0]) else str(texts.iloc[at])
        out.append((f"{indent}{label}", *figures, shown))
    return pd.DataFrame(out, columns=["label", "estimate", "conf_low", "conf_high", "text"])


def _lines(label: str) -> list[str]:
    indent = label[: len(label) - len(label.lstrip())]
    return textwrap.wrap(label.strip(), _LABEL_WIDTH - len(indent), initial_indent=indent, subsequent_indent=indent)[
        :3
    ] or [""]


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: wide enough for the estimates and most intervals, at most 100 to one."""
    numbers = rows[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=np.float64)
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    low = min([0.5, *numbers[numbers > 0.02]]) / 1.08
    high = max([2.0, *numbers[numbers < 50]]) * 1.08
    return float(low), float(high)


def _line(axes: Axes, row: pd.Series[Any], text: list[str], y: float, limits: tuple[float, float]) -> None:
    across = axes.get_yaxis_transform()
    heading = not math.isfinite(float(row["estimate"])) and not str(row.get("text", "") or "")
    axes.text(-1.32, y, "\n".join(text), transform=across, va="center", ha="left", linespacing=1.15,
              fontweight="bold" if heading else "normal")  # fmt: skip
    shown = str(row.get("text", "") or "")
    estimate, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    if math.isfinite(estimate):
        shown = shown or format_estimate(estimate, low, high)
        ends = [min(max(end, limits[0]), limits[1]) for end in (low, high)]
        axes.plot(ends, [y, y], color=SERIES[0], lw=1.2, solid_capstyle="butt")
        if limits[0] <= estimate <= limits[1]:
            axes.plot([estimate], [y], marker="s", ms=4, color=SERIES[0], lw=0)
        for end, beyond, head in ((ends[0], low < limits[0], "<"), (ends[1], high > limits[1], ">")):
            if beyond:
                axes.plot([end], [y], marker=head, ms=3.5, color=SERIES[0], lw=0)
    elif shown.startswith("1 ("):
        axes.plot([1.0], [y], marker="s", ms=3.2, markerfacecolor="none", markeredgecolor=MUTED, lw=0)
    axes.text(1.06, y, shown, transform=across, va="center", ha="left", color=INK if math.isfinite(estimate) else MUTED)


def _frame(axes: Axes, limits: tuple[float, float], bottom: float, measure: str, short: str) -> None:
    axes.set_xscale("log")
    axes.set_xlim(*limits)
    axes.set_ylim(max(bottom, 1.0), 0)
    axes.axvline(1.0, color=MUTED, lw=0.8, zorder=0)
    wide = limits[1] / limits[0] > 8
    ticks = [tick for tick in (_TICKS if wide else _FINE_TICKS) if limits[0] <= tick <= limits[1]]
    if len(ticks) > 4:
        ticks = [tick for tick in ticks if tick in (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)]
    axes.set_xticks(ticks, [_tick(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(measure)
    axes.text(1.06, 1.0, f"{short} (95 % CI)", transform=axes.transAxes, va="bottom", ha="left", color=MUTED)


def _tick(tick: float) -> str:
    return format_number(tick, decimals=0 if tick == int(tick) else 2 if round(tick, 1) != tick else 1)


def _alt(rows: pd.DataFrame, measure: str) -> str:
    parts = [
        f"{str(row['label']).strip()}: {format_estimate(row['estimate'], row['conf_low'], row['conf_high'])}"
        for _, row in rows.iterrows()
        if math.isfinite(float(row["estimate"]))
    ]
    return f"{measure} with 95 % interval. {'; '.join(parts)}."
