"""The share that has returned, or not yet returned, at fixed times by arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.report.disclosure import SMALL_CELLS, WITHHELD, audit_frame, check_threshold
from rtwcohort.report.disclosure_curves import at_risk_note, coarsen_curve, numbers_at_risk, round_at_risk, split_curves
from rtwcohort.report.numbers import NARROW_SPACE, format_number
from rtwcohort.report.report_table import ReportTable


def curve_table(
    curves: pd.DataFrame,
    at: Sequence[float],
    *,
    shape: str = "returned",
    threshold: int = SMALL_CELLS,
    time_unit: str = "days",
    title: str = "Returned to work at fixed times",
    key: str = "curve-estimates",
    method: str = "Kaplan-Meier",
) -> ReportTable:
    """Show estimates of a curve with intervals, and numbers at risk, at fixed times.

    Parameters
    ----------
    curves
        `Curves.frame`, see `curve_figure`. Pass the same `at` and `threshold` to both.
    at
        Times.
    shape
        "returned" or "not_returned".
    threshold
        An estimate is withheld where 1 to `threshold - 1` events lie between it and the one before, or so few are at
        risk.
    title, key, method
        Of the table; the method that made the curve, for the note below.
    """
    check_choice(shape, ("returned", "not_returned"), argument="shape")
    limit = check_threshold(threshold)
    times = sorted({float(time) for time in at})
    arms = split_curves(curves)
    columns: dict[str, list[str]] = {"Time": [f"{format_number(time, decimals=0)} {time_unit}" for time in times]}
    raw: list[tuple[Any, ...]] = []
    audit: list[tuple[str, str, str, str]] = []
    for arm, frame in arms.items():
        fixed = coarsen_curve(frame, at=times, threshold=limit).fixed
        risk = round_at_risk(numbers_at_risk(frame, times), limit)
        columns[arm] = [_text(row, shape) for _, row in fixed.iterrows()]
        columns[f"{arm}\u200b"] = risk
        for (_, row), count in zip(fixed.iterrows(), risk, strict=True):
            figures = _turn(row, shape)
            hide = math.isnan(figures[0])
            raw.append(
                (arm, row["time"], *(round(figure, 4) for figure in figures), count.replace(NARROW_SPACE, ""), hide)
            )
            if hide:
                audit.append(
                    (key, f"{row['time']:g} {time_unit}", arm, "few events since the time before, or few at risk")
                )
    display = pd.DataFrame(columns, dtype=object)
    display.columns = [
        "Time",
        *(head + "\u200b" * at for at in range(len(arms)) for head in ("% (95 % CI)", "At risk")),
    ]
    notes = [f"{method} estimates with 95 % confidence intervals (CI), in per cent."]
    if at_risk_note(limit):
        notes.append(f"Numbers at risk are rounded down to a multiple of {limit}.")
    if audit:
        notes.append(
            f"{WITHHELD}: withheld, with fewer than {limit} events since the time before or fewer than {limit} at risk."
        )
    return ReportTable(
        key,
        title,
        display,
        pd.DataFrame(raw, columns=["group", "time", shape, "conf_low", "conf_high", "at_risk_rounded", "withheld"]),
        tuple(notes),
        ("left", *["right"] * (2 * len(arms))),  # type: ignore[arg-type]
        spanners=tuple((arm, 1 + 2 * place, 2 + 2 * place) for place, arm in enumerate(arms)) if len(arms) > 1 else (),
        audit=audit_frame(audit),
    )


def _turn(row: pd.Series[Any], shape: str) -> tuple[float, float, float]:
    if shape == "not_returned":
        return float(row["survival"]), float(row["conf_low"]), float(row["conf_high"])
    return 1 - float(row["survival"]), 1 - float(row["conf_high"]), 1 - float(row["conf_low"])


def _text(row: pd.Series[Any], shape: str) -> str:
    middle, low, high = (100 * figure for figure in _turn(row, shape))
    if math.isnan(middle):
        return WITHHELD
    if math.isnan(low) or math.isnan(high):
        return format_number(middle, decimals=0)
    return (
        f"{format_number(middle, decimals=0)} ({format_number(low, decimals=0)} to {format_number(high, decimals=0)})"
    )
