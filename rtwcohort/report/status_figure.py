"""Work status by visit and arm as stacked bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from rtwcohort.report.disclosure import SHOWN, SMALL_CELLS, check_threshold
from rtwcohort.report.numbers import format_percent, join_words
from rtwcohort.report.report_figure import (
    GRID,
    INK,
    MUTED,
    ORDERED,
    PAPER,
    ReportFigure,
    finish,
    new_figure,
    style,
)
from rtwcohort.report.status_counts import NOT_OR_UNKNOWN, UNKNOWN, VisitCounts, count_status, joined_note
from rtwcohort.report.status_table import visit_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAR: Final = 0.74
_ROW_INCHES: Final = 0.2
_SHOW_FROM: Final = 0.08


def status_figure(
    status: pd.DataFrame,
    *,
    arm: str | None = "arm",
    threshold: int = SMALL_CELLS,
    time_unit: str = "days",
    key: str = "status",
) -> ReportFigure:
    """Draw how large a share was not, partly and fully in work at each visit, arm by arm.

    Parameters
    ----------
    status, arm, threshold, time_unit
        As for `status_table`. Counts that the table withholds are drawn together as one hatched part; an arm whose
        size is withheld has no bar.
    """
    limit = check_threshold(threshold)
    visits = count_status(status, arm=arm, threshold=limit)
    n_groups = len(visits[0].groups) if visits else 1
    n_rows = len(visits) * (n_groups + (1.15 if n_groups > 1 else 0.35))
    with style():
        figure = new_figure(0.75 + _ROW_INCHES * max(n_rows, 1))
        height = figure.get_figheight()
        axes = figure.add_axes((0.29, 0.36 / height, 0.68, 1 - 0.72 / height))
        top, ticks = 0.0, []
        for visit in visits:
            if n_groups > 1:
                axes.text(-0.40, top, visit_label(visit.day, time_unit), transform=axes.get_yaxis_transform(),
                          va="center", ha="left", fontweight="bold")  # fmt: skip
                top += 1
            for group, name in enumerate(visit.groups):
                _bar(axes, visit, group, top)
                ticks.append((top, name if n_groups > 1 else visit_label(visit.day, time_unit)))
                top += 1
            top += 0.15 if n_groups > 1 else 0.35
        _frame(axes, ticks, top)
        _legend(axes, visits)
        return finish(
            figure,
            key=key,
            title="Work status over time" + (" by arm" if n_groups > 1 else ""),
            alt=_alt(visits, time_unit),
            caption=_caption(visits, limit),
        )


def _bar(axes: Axes, visit: VisitCounts, group: int, y: float) -> None:
    whole = int(visit.counts[:, group].sum())
    if visit.pattern.columns[group] != SHOWN or not whole:
        axes.text(0.01, y, "withheld" if whole else "nobody", va="center", color=MUTED)
        return
    left = 0.0
    parts: list[tuple[int, str | None]] = [
        (int(visit.counts[at, group]), _colour(level, at))
        for at, level in enumerate(visit.levels)
        if visit.pattern.cells[at, group] == SHOWN
    ]
    pooled = visit.pooled(group)
    if pooled:
        parts.append((pooled, None))
    for count, colour in parts:
        share = count / whole
        if colour is None:
            axes.barh(y, share, _BAR, left, facecolor=PAPER, edgecolor=MUTED, hatch="//////", linewidth=0.5)
        else:
            axes.barh(y, share, _BAR, left, facecolor=colour, edgecolor=PAPER, linewidth=0.8)
        if share >= _SHOW_FROM and colour is not None:
            ink = PAPER if colour == ORDERED[2] else INK
            axes.text(left + share / 2, y, f"{100 * share:.0f}", va="center", ha="center", color=ink, fontsize=7)
        left += share


def _colour(level: str, at: int) -> str:
    return GRID if level == UNKNOWN else ORDERED[min(at, len(ORDERED) - 1)]


def _frame(axes: Axes, ticks: list[tuple[float, str]], bottom: float) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(max(bottom, 1) - 0.5, -0.6)
    axes.set_xticks(np.linspace(0, 1, 5), ["0", "25", "50", "75", "100"])
    axes.set_xlabel("Share of people, %")
    axes.set_yticks([at for at, _ in ticks], [_short(name) for _, name in ticks])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _short(name: str, most: int = 19) -> str:
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def _legend(axes: Axes, visits: tuple[VisitCounts, ...]) -> None:
    from matplotlib.patches import Patch

    if not visits:
        return
    levels = list(visits[0].levels)
    levels[0] = "Not in work" if levels[0] == NOT_OR_UNKNOWN else levels[0]
    if levels[-1] == UNKNOWN and not any(visit.counts[-1].any() for visit in visits):
        levels.pop()
    handles = [Patch(facecolor=_colour(level, at), edgecolor=PAPER, label=level) for at, level in enumerate(levels)]
    if any(visit.pattern.cells.any() for visit in visits):
        handles.append(Patch(facecolor=PAPER, edgecolor=MUTED, hatch="//////", linewidth=0.5, label="Withheld"))
    axes.figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False, handlelength=1.0,
        handleheight=1.0, columnspacing=1.0, handletextpad=0.5, borderpad=0.2,
    )  # fmt: skip


def _alt(visits: tuple[VisitCounts, ...], time_unit: str) -> str:
    parts = []
    for visit in visits:
        at = visit.levels.index("Fully in work") if "Fully in work" in visit.levels else len(visit.levels) - 1
        shares = [
            f"{format_percent(int(visit.counts[at, group]), int(visit.counts[:, group].sum()))} in {name}"
            for group, name in enumerate(visit.groups)
            if visit.pattern.cells[at, group] == SHOWN and visit.pattern.columns[group] == SHOWN
        ]
        if shares:
            parts.append(f"{visit_label(visit.day, time_unit)}, {visit.levels[at].lower()}: {join_words(shares)}.")
    return " ".join(["Stacked bars of work status.", *parts])


def _caption(visits: tuple[VisitCounts, ...], threshold: int) -> str:
    text = "Of everybody in the bar; small parts have no figure."
    if any(visit.pattern.any_withheld for visit in visits):
        text += f" Parts of fewer than {threshold} people, and parts that would reveal them, are drawn together."
    return " ".join([text, *joined_note(visits, threshold)])
