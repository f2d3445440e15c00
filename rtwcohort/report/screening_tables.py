"""What a screening of predictors selected, and what that procedure hides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.numbers import format_number, format_p, format_percent
from rtwcohort.report.report_table import ReportTable


def selection_table(terms: pd.DataFrame, *, threshold: float, labels: Mapping[str, str] | None = None) -> ReportTable:
    """Show each candidate's univariable p-value, whether it was selected, and how often it is in bootstrap samples.

    Parameters
    ----------
    terms
        `Screening.terms`.
    threshold
        The p-value below which a candidate was selected.
    labels
        Candidate -> words.
    """
    check_columns(terms.columns, ("term", "df", "p_value", "selected", "frequency"), argument="terms")
    rows = [
        [
            (labels or {}).get(str(row["term"]), str(row["term"])),
            format_p(float(row["p_value"])),
            "yes" if row["selected"] else "no",
            "" if math.isnan(float(row["frequency"])) else format_percent(float(row["frequency"]), 1.0),
        ]
        for row in terms.to_dict("records")
    ]
    raw = terms[["term", "df", "p_value", "selected", "frequency"]].assign(withheld="")
    raw["p_value"] = [float(f"{value:.3g}") for value in raw["p_value"]]
    return ReportTable(
        "screening",
        f"Candidates with p below {threshold:g} alone",
        pd.DataFrame(rows, columns=["Candidate", "p alone", "Selected", "In bootstrap samples"], dtype=object),
        raw,
        ("In bootstrap samples: how often the same procedure selects the candidate when people are drawn anew.",),
        ("left", "right", "right", "right"),
    )


def optimism_table(performance: pd.DataFrame, events: pd.DataFrame) -> ReportTable:
    """Show how well the models seem to predict, how much of that is optimism, and events per coefficient.

    Parameters
    ----------
    performance
        `Screening.performance`: `model, measure, apparent, optimism, corrected`.
    events
        `Screening.events`: `model, coefficients, effective_events, per_coefficient`; its counts are not printed.
    """
    check_columns(
        performance.columns, ("model", "measure", "apparent", "optimism", "corrected"), argument="performance"
    )
    check_columns(events.columns, ("model", "coefficients", "per_coefficient"), argument="events")
    rows = [
        [
            f"{row['model']}: {row['measure']}".replace("_", " "),
            *(_three(row[name]) for name in ("apparent", "optimism", "corrected")),
        ]
        for row in performance.to_dict("records")
    ]
    raw = performance[["model", "measure", "apparent", "optimism", "corrected"]].copy()
    raw[["apparent", "optimism", "corrected"]] = raw[["apparent", "optimism", "corrected"]].astype(float).round(4)
    words = "; ".join(
        f"{row['model']} {format_number(float(row['per_coefficient']), decimals=0)}"
        for row in events.to_dict("records")
    )
    notes = (
        "Optimism by bootstrap of the whole procedure. A calibration slope below 1: effects are too large.",
        f"Events per coefficient: {words}. The screening counts every candidate.",
    )
    return ReportTable(
        "optimism",
        "How much of the fit is optimism",
        pd.DataFrame(rows, columns=["Measure", "Apparent", "Optimism", "Corrected"], dtype=object),
        raw.assign(withheld=""),
        notes,
        ("left", "right", "right", "right"),
    )


def _three(value: Any) -> str:
    return "" if math.isnan(float(value)) else format_number(float(value), decimals=3)
