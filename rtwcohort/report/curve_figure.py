"""Curves of return to work by arm, with the numbers at risk below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.report.disclosure import SMALL_CELLS, check_threshold
from rtwcohort.report.disclosure_curves import (
    CoarseCurve,
    at_risk_note,
    coarsen_curve,
    numbers_at_risk,
    round_at_risk,
    split_curves,
)
from rtwcohort.report.numbers import format_percent, join_words
from rtwcohort.report.report_figure import MUTED, ReportFigure, colour_of, dashes_of, finish, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Shape = Literal["returned", "not_returned"]
_SHAPES: Final = ("returned", "not_returned")
_ROW_INCHES: Final = 0.165
_DAYS_A_MONTH: Final = 365.25 / 12


def curve_figure(
    curves: pd.DataFrame,
    *,
    horizon: float,
    at: Sequence[float] = (),
    threshold: int = SMALL_CELLS,
    shape: Shape = "returned",
    time_unit: str = "days",
    in_months: bool = False,
    what: str = "Returned to work",
    title: str = "",
    key: str = "curves",
) -> ReportFigure:
    """Draw the Kaplan-Meier curve of each arm with its interval, and the numbers at risk below.

    Parameters
    ----------
    curves
        `Curves.frame`: one row an arm and distinct time: `group`, `time`, `at_risk`, `events`, `survival` (not yet
        returned), `conf_low`, `conf_high`.
    horizon
        Where the time axis ends.
    at
        Times at which estimates are printed elsewhere: steps are kept there (see `coarsen_curve`).
    threshold
        Steps are pooled and numbers at risk rounded: see `rtwcohort.report.disclosure_curves`.
    shape
        "returned" draws 1 minus the estimate, "not_returned" the estimate.
    time_unit
        Name of the unit of `time` on the axis.
    in_months
        Draw days as months of 30.44 days.
    what
        Words for the event.
    title
        Printed above; empty makes one.
    """
    check_choice(shape, _SHAPES, argument="shape")
    limit = check_threshold(threshold)
    arms = split_curves(curves)
    coarse = {arm: coarsen_curve(frame, at=at, threshold=limit) for arm, frame in arms.items()}
    scale = _DAYS_A_MONTH if in_months else 1.0
    unit = "months" if in_months else time_unit
    ticks = time_ticks(horizon, unit, scale)
    with style():
        figure = new_figure(2.35 + _ROW_INCHES * (len(coarse) + 1))
        below = (0.42 + _ROW_INCHES * (len(coarse) + 1)) / figure.get_figheight()
        axes = figure.add_axes((0.125, below + 0.055, 0.845, 0.985 - below - 0.055 - 0.075))
        for place, (arm, curve) in enumerate(coarse.items()):
            _draw(axes, curve, place, arm, shape, scale)
        _frame(axes, horizon / scale, ticks, unit, shape, what)
        if len(coarse) > 1:
            axes.legend(
            loc="lower left", bbox_to_anchor=(-0.02, 0.995), ncols=2, frameon=False, handlelength=2.4, borderpad=0.2,
            columnspacing=1.4,
            )  # fmt: skip
        _risk_table(axes, arms, ticks, scale, limit, figure.get_figheight())
        alt = _alt(coarse, what, unit, scale, shape)
        return finish(
            figure,
            key=key,
            title=title or (f"{what} over time" + (" by arm" if len(coarse) > 1 else "")),
            alt=alt,
            caption=_caption(limit),
        )


def time_ticks(horizon: float, unit: str, scale: float = 1.0) -> list[float]:
    """Return round tick positions from 0 to the horizon, in the drawn unit."""
    end = horizon / scale
    days = (5, 10, 15, 30, 60, 90, 180, 365, 730, 1826)
    steps = days if unit == "days" else (1, 2, 3, 4, 6, 12, 13, 26, 52, 104, 260)
    step = next((size for size in steps if end / size <= 5.2), steps[-1])
    return [float(tick) for tick in np.arange(0, end + 1e-9, step)]


def _draw(axes: Axes, curve: CoarseCurve, place: int, arm: str, shape: Shape, scale: float) -> None:
    steps = curve.steps
    times = steps["time"].to_numpy() / scale
    sign, base = (-1.0, 1.0) if shape == "returned" else (1.0, 0.0)
    middle, low, high = (base + sign * steps[name].to_numpy() for name in ("survival", "conf_low", "conf_high"))
    colour = colour_of(place)
    axes.fill_between(times, low, high, step="post", color=colour, alpha=0.16, linewidth=0)
    axes.step(times, middle, where="post", color=colour, linestyle=dashes_of(place), label=arm)


def _frame(axes: Axes, end: float, ticks: list[float], unit: str, shape: Shape, what: str) -> None:
    axes.set_xlim(0, end)
    axes.set_xticks(ticks)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.grid(axis="y")
    axes.set_xlabel(f"{unit.capitalize()} since the index date")
    axes.set_ylabel(f"{what}, %" if shape == "returned" else f"Not yet {what[:1].lower()}{what[1:]}, %")


def _risk_table(
    axes: Axes,
    curves: Mapping[str, pd.DataFrame],
    ticks: list[float],
    scale: float,
    threshold: int,
    figure_height: float,
) -> None:
    """Write the numbers at risk below the axis, under their ticks, each row in the colour of its arm."""
    height = axes.get_position().height * figure_height
    top = -0.50 / height
    row = _ROW_INCHES / height
    left = axes.transAxes
    axes.text(-0.105, top, "At risk", transform=left, va="center", ha="left", color=MUTED)
    for place, frame in enumerate(curves.values()):
        y = top - row * (place + 1)
        colour = colour_of(place)
        axes.plot(
            [-0.135, -0.07], [y, y], transform=left, color=colour, linestyle=dashes_of(place), clip_on=False, lw=1.6
        )
        counts = round_at_risk(numbers_at_risk(frame, [tick * scale for tick in ticks]), threshold)
        for tick, text in zip(ticks, counts, strict=True):
            axes.text(tick, y, text, transform=_below(axes), va="center", ha="center")


def _below(axes: Axes) -> Any:
    return axes.get_xaxis_transform()


def _alt(coarse: Mapping[str, CoarseCurve], what: str, unit: str, scale: float, shape: Shape) -> str:
    parts = []
    for arm, curve in coarse.items():
        last = curve.steps.iloc[-1]
        share = 1 - last["survival"] if shape == "returned" else last["survival"]
        parts.append(f"{arm}: {format_percent(share, 1)} at {last['time'] / scale:.0f} {unit}")
    state = what.lower() if shape == "returned" else f"not yet {what.lower()}"
    return f"Step curves of the share who had {state} over time. {join_words(parts)}."


def _caption(threshold: int) -> str:
    return f"Kaplan-Meier estimates; bands are 95 % intervals. {at_risk_note(threshold)}".strip()
