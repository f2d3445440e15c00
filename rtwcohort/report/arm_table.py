"""What happened in each arm, and how the arms differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_choice, check_columns
from rtwcohort.report.disclosure import (
    REASONS,
    SHOWN,
    SMALL,
    SMALL_CELLS,
    WITHHELD,
    Suppression,
    audit_frame,
    check_threshold,
    is_small,
    mark,
    threshold_note,
    withhold_table,
)
from rtwcohort.report.numbers import (
    NOT_ESTIMABLE,
    format_count,
    format_count_percent,
    format_estimate,
    format_mean_sd,
    format_number,
    format_p,
)
from rtwcohort.report.report_table import ReportTable

Scale = Literal["ratio", "difference", "points"]
_SCALES: Final = ("ratio", "difference", "points")
_KEY: Final = "arms"
_EFFECTS_KEY: Final = "effects"
_MEDIAN: Final = ("median_time", "median_low", "median_high")
_FROM_COUNTS: Final = "computed from withheld numbers"


def arm_table(
    arms: pd.DataFrame,
    *,
    means: pd.DataFrame | None = None,
    horizon: str = "",
    time_unit: str = "days",
    threshold: int = SMALL_CELLS,
) -> ReportTable:
    """Show for each arm how many returned, the median time, and means such as days of absence.

    Parameters
    ----------
    arms
        One row an arm: `arm`, `n`, `n_returned`; optionally `median_time`, `median_low`, `median_high` (NaN where the
        curve does not come down to a half).
    means
        Optional, one row a measure and arm: `measure` (words), `arm`, `n` (people), `mean`, `sd`.
    horizon
        Words such as "365 days", for the row label.
    time_unit
        Of the median.
    threshold
        Small cells.
    """
    check_columns(arms.columns, ("arm", "n", "n_returned"), argument="arms")
    limit = check_threshold(threshold)
    pattern = arm_pattern(arms, limit)
    names = [str(name) for name in arms["arm"]]
    rows, raw, audit = _returned(arms, pattern, names, horizon, limit)
    if "median_time" in arms.columns:
        _medians(arms, pattern, names, time_unit, limit, rows, raw, audit)
    for measure, part in (means if means is not None else pd.DataFrame({"measure": []})).groupby("measure", sort=False):
        _mean_row(str(measure), part, names, limit, rows, raw, audit)
    heads = [
        f"{name} (n\u00a0=\u00a0{mark(int(code), format_count(n), limit)})"
        for name, n, code in zip(names, arms["n"], pattern.rows, strict=True)
    ]
    notes = ["Percentages are of everybody in the arm, those lost before the end of follow-up included."]
    if audit:
        notes.append(threshold_note(limit))
    return ReportTable(
        _KEY,
        "Return to work in each arm",
        pd.DataFrame(rows, columns=["Outcome", *heads], dtype=object),
        pd.DataFrame(raw, columns=["measure", "arm", "statistic", "value", "withheld"]),
        tuple(notes),
        ("left", *["right"] * len(names)),  # type: ignore[arg-type]
        audit=audit_frame(audit),
    )


def effect_table(
    effects: pd.DataFrame,
    *,
    arms: pd.DataFrame | None = None,
    title: str = "Comparison of the arms",
    key: str = _EFFECTS_KEY,
    notes: Sequence[str] = (),
    threshold: int = SMALL_CELLS,
) -> ReportTable:
    """Show effect measures with intervals and p-values, one a row.

    Parameters
    ----------
    effects
        `measure` (words), `estimate`, `conf_low`, `conf_high`, `p_value` (NaN where there is none), and optionally
        `contrast` ("visit against ordinary"), `scale` ("ratio", "difference", or "points": a difference of proportions
        printed in percentage points; default "ratio"), `from_counts` (True for risk differences, ratios and odds
        ratios, which follow from the counts of the arms), `note` (printed below, such as why an interval is not
        estimable).
    arms
        As for `arm_table`. Measures from counts are withheld where a count is withheld there, and every measure where
        an arm has fewer than `threshold` people or returns. Where measures from counts leave out people whose status
        is not known, give those who are in as `n_known`: the measures are withheld where so few are left out of
        an arm that their number could be worked out.
    title, key, notes
        Of the table.
    threshold
        Small cells.
    """
    check_columns(effects.columns, ("measure", "estimate", "conf_low", "conf_high", "p_value"), argument="effects")
    limit = check_threshold(threshold)
    hide_counts = hide_all = False
    if arms is not None:
        pattern = arm_pattern(arms, limit)
        hide_counts = pattern.any_withheld or _few_unknown(arms, limit)
        hide_all = any(is_small(int(n), limit) for n in [*arms["n"], *arms["n_returned"]])
    has_contrast = "contrast" in effects.columns
    rows, raw, audit = [], [], []
    for _, effect in effects.iterrows():
        hide = hide_all or (hide_counts and bool(effect.get("from_counts", False)))
        texts, figures = ([WITHHELD, WITHHELD], (math.nan,) * 4) if hide else _effect(effect)
        points = ", percentage points" if effect.get("scale") == "points" else ""
        label = [f"{effect['measure']}{points}", *([str(effect["contrast"])] if has_contrast else [])]
        rows.append([*label, *texts])
        raw.append([*label, *figures, "estimate p_value" if hide else ""])
        if hide:
            audit.append((key, " ".join(label), "estimate, p", _FROM_COUNTS))
    named = ["Measure", *(["Contrast"] if has_contrast else [])]
    said = [str(note) for note in effects["note"] if note] if "note" in effects.columns else []
    extra = [f"{WITHHELD}: withheld, for it follows from small counts."] if audit else []
    return ReportTable(
        key,
        title,
        pd.DataFrame(rows, columns=[*named, "Estimate (95 % CI)", "p"], dtype=object),
        pd.DataFrame(
            raw,
            columns=[*(name.lower() for name in named), "estimate", "conf_low", "conf_high", "p_value", "withheld"],
        ),
        tuple(dict.fromkeys([*notes, *said, *extra])),
        (*["left"] * len(named), "right", "right"),  # type: ignore[arg-type]
        audit=audit_frame(audit),
    )


def arm_pattern(arms: pd.DataFrame, threshold: int) -> Suppression:
    """Return what may be printed of the people, the returns and the others of each arm, shape (arms, 2)."""
    returned = arms["n_returned"].to_numpy(dtype=np.int64)
    return withhold_table(np.column_stack([returned, arms["n"].to_numpy(dtype=np.int64) - returned]), threshold)


def _few_unknown(arms: pd.DataFrame, threshold: int) -> bool:
    if "n_known" not in arms.columns:
        return False
    return any(is_small(int(gap), threshold) for gap in arms["n"] - arms["n_known"])


_Rows = list[list[str]]
_Raw = list[tuple[Any, ...]]
_Audit = list[tuple[str, str, str, str]]


def _returned(
    arms: pd.DataFrame, pattern: Suppression, names: list[str], horizon: str, threshold: int
) -> tuple[_Rows, _Raw, _Audit]:
    label = f"Returned to work within {horizon}, n (%)" if horizon else "Returned to work, n (%)"
    cells, raw, audit = [label], [], []
    decimals = 1 if arms["n"].sum() >= 1000 else 0
    for at, name in enumerate(names):
        n, returned, code = int(arms["n"].iloc[at]), int(arms["n_returned"].iloc[at]), int(pattern.cells[at, 0])
        cells.append(mark(code, format_count_percent(returned, n, decimals=decimals), threshold))
        size = int(pattern.rows[at])
        raw.append((label, name, "n", float(n) if size == SHOWN else math.nan, size != SHOWN))
        raw.append((label, name, "n_returned", float(returned) if code == SHOWN else math.nan, code != SHOWN))
        audit += [(_KEY, what, name, REASONS[c]) for what, c in (("people", size), (label, code)) if c != SHOWN]
    return [cells], raw, audit


def _medians(
    arms: pd.DataFrame,
    pattern: Suppression,
    names: list[str],
    unit: str,
    threshold: int,
    rows: _Rows,
    raw: _Raw,
    audit: _Audit,
) -> None:
    label = f"Median time to return, {unit} (95 % CI)"
    cells = [label]
    for at, name in enumerate(names):
        hide = int(pattern.rows[at]) == SMALL or is_small(int(arms["n_returned"].iloc[at]), threshold)
        figures = [float(arms[c].iloc[at]) if c in arms.columns else math.nan for c in _MEDIAN]
        cells.append(WITHHELD if hide else _median_text(figures))
        raw += [(label, name, what, math.nan if hide else f, hide) for what, f in zip(_MEDIAN, figures, strict=True)]
        if hide:
            audit.append((_KEY, label, name, "few people or returns"))
    rows.append(cells)


def _median_text(figures: list[float]) -> str:
    middle, low, high = figures
    if not math.isfinite(middle):
        return "not reached"
    ends = [format_number(value, decimals=0) if math.isfinite(value) else "not reached" for value in (low, high)]
    return f"{format_number(middle, decimals=0)} ({ends[0]} to {ends[1]})"


def _mean_row(
    measure: str, part: pd.DataFrame, names: list[str], threshold: int, rows: _Rows, raw: _Raw, audit: _Audit
) -> None:
    cells = [f"{measure}, mean (SD)"]
    by_arm = part.assign(arm=part["arm"].astype(str)).set_index("arm")
    for name in names:
        if name not in by_arm.index:
            cells.append(NOT_ESTIMABLE)
            continue
        row: Any = by_arm.loc[name]
        hide = is_small(int(row["n"]), threshold)
        cells.append(WITHHELD if hide else format_mean_sd(row["mean"], row["sd"]))
        for statistic in ("mean", "sd"):
            raw.append((measure, name, statistic, math.nan if hide else round(float(row[statistic]), 1), hide))
        if hide:
            audit.append((_KEY, measure, name, "few people"))
    rows.append(cells)


def _effect(effect: pd.Series[Any]) -> tuple[list[str], tuple[float, ...]]:
    scale = str(effect.get("scale", "ratio"))
    check_choice(scale, _SCALES, argument="scale")
    figures = [float(effect[name]) for name in ("estimate", "conf_low", "conf_high")]
    if scale == "points":
        text = format_estimate(*(100 * figure for figure in figures), decimals=1)
    else:
        text = format_estimate(*figures, decimals=2 if scale == "ratio" else 3)
    if text == NOT_ESTIMABLE and math.isfinite(figures[0]):
        text = f"{format_number(figures[0], decimals=2)} (interval {NOT_ESTIMABLE})"
    p = float(effect["p_value"])
    if all(math.isnan(figure) for figure in figures) and not math.isnan(p):
        text = ""
    # Measures of counts are rounded as printed: more digits would give the counts away.
    digits = 4 if not effect.get("from_counts", False) else 3 if scale == "points" else 2
    shown_p = round(p, 6 if digits == 4 else 3)
    return [text, "" if math.isnan(p) else format_p(p)], (*(round(figure, digits) for figure in figures), shown_p)
