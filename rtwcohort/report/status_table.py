"""Work status by visit and arm as a table."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from rtwcohort.report.disclosure import REASONS, SHOWN, SMALL_CELLS, audit_frame, check_threshold, mark, threshold_note
from rtwcohort.report.numbers import format_count, format_count_percent
from rtwcohort.report.report_table import ReportTable, RowKind
from rtwcohort.report.status_counts import EVERYBODY, UNKNOWN, VisitCounts, count_status, joined_note

_KEY: Final = "status"


def status_table(
    status: pd.DataFrame,
    *,
    arm: str | None = "arm",
    threshold: int = SMALL_CELLS,
    time_unit: str = "days",
) -> ReportTable:
    """Show how many were not, partly and fully in work at each visit.

    Parameters
    ----------
    status
        One row a person and visit (`work_status` with the arm added): `day`, `status`, the arm.
    arm
        Column of the arms; None counts everybody together.
    threshold
        Small cells, visit by visit.
    time_unit
        Of `day`.
    """
    limit = check_threshold(threshold)
    visits = count_status(status, arm=arm, threshold=limit)
    groups = visits[0].groups if visits else (EVERYBODY,)
    names = (EVERYBODY, *groups) if len(groups) > 1 else groups
    rows: list[tuple[RowKind, list[str]]] = []
    raw: list[tuple[Any, ...]] = []
    audit: list[tuple[str, str, str, str]] = []
    for visit in visits:
        _visit(visit, names, time_unit, limit, rows, raw, audit)
    notes = ["Percentages are of everybody in the column at that time, those whose status is not known included."]
    notes += joined_note(visits, limit)
    if audit:
        notes.append(threshold_note(limit))
    return ReportTable(
        _KEY,
        "Work status over time" + (" by arm" if len(groups) > 1 else ""),
        pd.DataFrame([cells for _, cells in rows], columns=["Status", *names], dtype=object),
        pd.DataFrame(raw, columns=["day", "status", "group", "n", "withheld"]).astype({"n": "Int64"}),
        tuple(notes),
        ("left", *["right"] * len(names)),  # type: ignore[arg-type]
        tuple(kind for kind, _ in rows),
        audit=audit_frame(audit),
    )


def visit_label(day: float, time_unit: str) -> str:
    """Return "At the index date" or "Day 90"."""
    return "At the index date" if day == 0 else f"{time_unit.removesuffix('s').capitalize()} {day:g}"


def _visit(
    visit: VisitCounts,
    names: tuple[str, ...],
    time_unit: str,
    threshold: int,
    rows: list[tuple[RowKind, list[str]]],
    raw: list[tuple[Any, ...]],
    audit: list[tuple[str, str, str, str]],
) -> None:
    several = len(visit.groups) > 1
    sizes = visit.counts.sum(axis=0)
    size_codes = [int(code) for code in visit.pattern.columns]
    heads = [mark(code, f"n = {format_count(n)}", threshold) for code, n in zip(size_codes, sizes, strict=True)]
    if several:
        heads = [mark(visit.pattern.total, f"n = {format_count(visit.counts.sum())}", threshold), *heads]
    label = visit_label(visit.day, time_unit)
    rows.append(("group", [label, *heads]))
    for at, level in enumerate(visit.levels):
        if level == UNKNOWN and not visit.counts[at].any():
            continue
        counts = [int(count) for count in visit.counts[at]]
        codes = [int(code) for code in visit.pattern.cells[at]]
        wholes = [float(n) if code == SHOWN else math.nan for n, code in zip(sizes, size_codes, strict=True)]
        if several:
            counts, codes = [sum(counts), *counts], [int(visit.pattern.rows[at]), *codes]
            wholes = [float(visit.counts.sum()), *wholes]
        else:
            codes = [int(visit.pattern.rows[at])]
        cells = [level]
        for name, count, code, whole in zip(names, counts, codes, wholes, strict=True):
            text = format_count_percent(count, whole, decimals=1 if visit.counts.sum() >= 1000 else 0)
            cells.append(mark(code, text, threshold))
            raw.append((visit.day, level, name, count if code == SHOWN else None, code != SHOWN))
            if code != SHOWN:
                audit.append((_KEY, f"{label}: {level}", name, REASONS[code]))
        rows.append(("level", cells))
