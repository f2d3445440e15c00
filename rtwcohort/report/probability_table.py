"""Predicted probabilities of the categories of an outcome, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.numbers import format_number
from rtwcohort.report.report_table import ReportTable


def probability_table(
    table: pd.DataFrame,
    by: Sequence[str],
    *,
    key: str,
    title: str,
    labels: Mapping[str, str] | None = None,
    categories: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> ReportTable:
    """Show probabilities in per cent with intervals, one row a group and one column a category.

    Parameters
    ----------
    table
        Long: the columns of `by`, then `category, estimate, conf_low, conf_high`.
    by
        Columns that make the groups, in the order of the headings.
    key, title, notes
        Of the table.
    labels, categories
        Words for the columns of `by` and for the categories.
    """
    check_columns(table.columns, [*by, "category", "estimate", "conf_low", "conf_high"], argument="table")
    groups = table[list(by)].drop_duplicates()
    levels = list(dict.fromkeys(table["category"].astype(str)))
    rows: list[list[Any]] = []
    for group in groups.itertuples(index=False):
        inside = (table[list(by)] == list(group)).all(axis=1)
        cells = {str(row["category"]): _text(row) for row in table[inside].to_dict("records")}
        rows.append([*map(str, group), *(cells.get(level, "") for level in levels)])
    heads = [(labels or {}).get(name, name) for name in by]
    heads += [f"{(categories or {}).get(level, level)}, % (95 % CI)" for level in levels]
    raw = table[[*by, "category", "estimate", "conf_low", "conf_high"]].copy()
    for name in ("estimate", "conf_low", "conf_high"):
        raw[name] = raw[name].astype(float).round(4)
    align = (*["left"] * len(by), *["right"] * len(levels))
    return ReportTable(key, title, pd.DataFrame(rows, columns=heads, dtype=object), raw, tuple(notes), align)  # type: ignore[arg-type]


def _text(row: Mapping[Any, Any]) -> str:
    middle, low, high = (
        format_number(100.0 * float(row[name]), decimals=0) for name in ("estimate", "conf_low", "conf_high")
    )
    return f"{middle} ({low} to {high})"
