"""The coefficients of one model of any family, and its tests of whole terms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.disclosure import SMALL_CELLS, WITHHELD, audit_frame, check_threshold, is_small
from rtwcohort.report.numbers import format_estimate, format_number, format_p
from rtwcohort.report.report_table import ReportTable

_INTERCEPTS: Final = ("(Intercept)", "Intercept")
_FIGURES: Final = ("estimate", "conf_low", "conf_high", "p_value")


def model_table(
    fit: Any,
    frame: pd.DataFrame,
    *,
    key: str,
    title: str,
    short: str,
    exponentiate: bool = True,
    labels: Mapping[str, str] | None = None,
    scale: Mapping[str, float] | None = None,
    outcome: str = "outcome",
    person: str = "person_id",
    notes: Sequence[str] = (),
    threshold: int = SMALL_CELLS,
) -> ReportTable:
    """Show the coefficients of a model with intervals and p-values.

    Parameters
    ----------
    fit
        Anything with `tidy()`: `term, estimate, conf_low, conf_high, p_value`, on the scale of the linear predictor.
        Terms are named "age", "sex: male", "arm: visit x wave: day 90"; thresholds (a " | " in the name) are left out.
    frame
        The rows of the model.
    key, title
        Of the table.
    short
        Heading of the estimates: "OR".
    exponentiate
        Whether estimates are shown as ratios.
    labels
        Variable -> words.
    scale
        Variable -> units that the printed figure is for.
    outcome, person
        Columns of `frame`; a ratio is withheld where its categories hold fewer than `threshold` people, or all but
        fewer than `threshold` people have the same outcome.
    notes
        Printed below.
    """
    limit = check_threshold(threshold)
    tidy = fit.tidy()
    check_columns(tidy.columns, ("term", *_FIGURES), argument="fit.tidy()")
    rows, raw, audit = [], [], []
    for record in tidy.to_dict("records"):
        term = str(record["term"])
        if " | " in term or (exponentiate and term in _INTERCEPTS):
            continue
        label = term_words(term, labels or {}, scale or {})
        step = math.prod((scale or {}).get(part, 1.0) for part in term.split(" x "))
        hide = _few(frame, term, outcome, person, limit)
        figures = [float(record[name]) for name in _FIGURES]
        texts, shown = _texts(figures, step, exponentiate=exponentiate, hide=hide)
        rows.append([label, *texts])
        raw.append([term, *shown, "estimate p_value" if hide else ""])
        if hide:
            audit.append((key, label, "estimate, p", "few people, or few with another outcome"))
    extra = [f"{WITHHELD}: withheld, for few people stand behind it."] if audit else []
    return ReportTable(
        key,
        title,
        pd.DataFrame(rows, columns=["Term", f"{short} (95 % CI)", "p"], dtype=object),
        pd.DataFrame(raw, columns=["term", *_FIGURES, "withheld"]),
        (*notes, *extra),
        ("left", "right", "right"),
        audit=audit_frame(audit),
    )


def term_tests_table(
    tests: pd.DataFrame,
    *,
    key: str,
    title: str,
    labels: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> ReportTable:
    """Show a test of each term: `term, statistic, df, p_value`."""
    check_columns(tests.columns, ("term", "statistic", "df", "p_value"), argument="tests")
    rows = [
        [
            " x ".join((labels or {}).get(part, part) for part in str(row["term"]).replace(":", " x ").split(" x ")),
            format_number(float(row["statistic"]), decimals=2),
            format_number(float(row["df"]), decimals=0),
            "" if math.isnan(float(row["p_value"])) else format_p(float(row["p_value"])),
        ]
        for row in tests.to_dict("records")
    ]
    raw = tests[["term", "statistic", "df", "p_value"]].assign(withheld="")
    raw["statistic"] = raw["statistic"].astype(float).round(4)
    raw["p_value"] = [float(f"{value:.3g}") for value in raw["p_value"]]
    return ReportTable(
        key,
        title,
        pd.DataFrame(rows, columns=["Term", "Chi-square", "df", "p"], dtype=object),
        raw,
        tuple(notes),
        ("left", "right", "right", "right"),
    )


def term_words(term: str, labels: Mapping[str, str], scale: Mapping[str, float]) -> str:
    """Write "sex: male x age" with the labels of its variables and their steps."""
    parts = []
    for part in term.split(" x "):
        name, _, level = part.partition(": ")
        words = labels.get(name, name)
        step = f", per {scale[name]:g}" if name in scale else ""
        parts.append(f"{words}: {level}" if level else f"{words}{step}")
    return " × ".join(parts)


def _texts(
    figures: list[float], step: float, *, exponentiate: bool, hide: bool
) -> tuple[list[str], tuple[float, float, float, float]]:
    nothing = (math.nan,) * 4
    if hide:
        return [WITHHELD, WITHHELD], nothing
    estimate, low, high, p = figures
    if not math.isfinite(estimate) or math.isnan(low):
        return [format_estimate(math.nan, low, high), ""], nothing
    values = np.array([estimate, low, high]) * step
    if exponentiate:
        with np.errstate(over="ignore"):
            values = np.exp(values)
    estimate, low, high = (float(value) for value in values)
    text = format_estimate(estimate, low, high, decimals=2 if exponentiate else 1)
    return [text, format_p(p)], (round(estimate, 4), round(low, 4), round(high, 4), float(f"{p:.3g}"))


def _few(frame: pd.DataFrame, term: str, outcome: str, person: str, limit: int) -> bool:
    inside = np.ones(len(frame), dtype=bool)
    for part in term.split(" x "):
        name, _, level = part.partition(": ")
        if level and name in frame:
            inside &= (frame[name].astype(str) == level).to_numpy()
    rows = frame[inside]
    people = rows[person].nunique()
    if is_small(people, limit) or people == 0:
        return limit > 1
    most = rows[outcome].astype(str).value_counts()
    if len(most) > 20 or len(most) == 1:
        return False
    others = rows.loc[rows[outcome].astype(str) != most.index[0], person].nunique()
    return is_small(others, limit)
