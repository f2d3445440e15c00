"""Hazard ratios: one predictor at a time and all together, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.errors import ArgumentError
from rtwcohort.report.disclosure import (
    REASONS,
    SHOWN,
    SMALL,
    SMALL_CELLS,
    UNSIZED,
    WITHHELD,
    audit_frame,
    check_threshold,
    is_small,
    mark,
    threshold_note,
    withhold_table,
)
from rtwcohort.report.numbers import format_count, format_estimate, format_number, format_p
from rtwcohort.report.report_table import ReportTable, RowKind

if TYPE_CHECKING:
    from rtwcohort.cohort import Variable

REFERENCE: Final = "1 (reference)"
_KEY: Final = "hazard-ratios"
_RAW: Final = ("variable", "level", "n", "events")
_FIGURES: Final = ("hr", "conf_low", "conf_high", "p_value")


@dataclass(frozen=True, slots=True)
class _Level:
    """One row: a level of a categorical predictor, or a numeric predictor as a whole (`level` None)."""

    variable: Variable
    level: str | None
    label: str
    term: str
    counts: tuple[int, int]
    codes: tuple[int, int]
    hide: bool
    hide_multivariable: bool
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class _Body:
    rows: list[tuple[RowKind, list[str]]] = field(default_factory=list)
    raw: list[dict[str, Any]] = field(default_factory=list)
    audit: list[tuple[str, str, str, str]] = field(default_factory=list)


def hazard_ratio_table(
    frame: pd.DataFrame,
    variables: Sequence[Variable],
    *,
    univariable: Mapping[str, Any],
    multivariable: Any = None,
    event: str = "event",
    reference: Mapping[str, str] | None = None,
    scale: Mapping[str, float] | None = None,
    threshold: int = SMALL_CELLS,
    event_label: str = "Returned",
) -> ReportTable:
    """Show univariable and multivariable hazard ratios with the people and events behind them.

    Parameters
    ----------
    frame
        The cohort, one row a person: the columns of `variables` and the event.
    variables
        The predictors, in order.
    univariable
        Name of a predictor -> its fit: anything with `tidy()`, or the tidy frame itself, on the log scale, per unit
        of the data. Terms are named "age" and "sex: male".
    multivariable
        The fit of all together, or None.
    event
        Column of frame: True where the event was seen.
    reference
        Name -> reference level; else the first category.
    scale
        Name -> units that the printed hazard ratio is for, such as {"age": 10}.
    threshold
        Counts are withheld as in every table; the hazard ratios of a category with fewer people or events are too.
    event_label
        Heading of the column of events.

    Returns
    -------
    ReportTable
        Terms that belong to none of `variables` (interactions, splines) come last.
    """
    check_columns(frame.columns, [event, *(variable.name for variable in variables)], argument="frame")
    limit = check_threshold(threshold)
    happened = frame[event].to_numpy(dtype=bool)
    complete = frame[[variable.name for variable in variables]].notna().all(axis=1).to_numpy()
    single = {name: tidy_frame(fit) for name, fit in univariable.items()}
    joint = tidy_frame(multivariable) if multivariable is not None else None
    body = _Body()
    for variable in variables:
        size = float((scale or {}).get(variable.name, 1.0))
        levels = _levels(frame[variable.name], variable, happened, complete, (reference or {}), size, limit)
        if levels[0].level is not None:
            empty = [""] * (2 + 2 * (1 + (joint is not None)))
            body.rows.append(("group", [variable.label, *empty]))
        for level in levels:
            _add(body, level, single.get(variable.name), joint, size, limit)
    _add_other_terms(body, single, joint, {raw["term"] for raw in body.raw})
    missing = [int(frame[variable.name].isna().sum()) for variable in variables]
    hidden = any(is_small(count, limit) for count in missing)
    note = _fit_note(multivariable, frame, happened, limit, missing_hidden=hidden)
    return _assemble(body, joint is not None, limit, event_label, note)


def tidy_frame(fit: Any) -> pd.DataFrame:
    """Return the tidy frame of a fit, indexed by term."""
    tidy = fit if isinstance(fit, pd.DataFrame) else fit.tidy()
    check_columns(tidy.columns, ("term", "estimate", "conf_low", "conf_high", "p_value"), argument="fit.tidy()")
    return tidy.set_index("term")


def term_label(variable: Variable, scale: float = 1.0) -> str:
    """Return the label of a numeric predictor with its step: "Age, per 10 years"."""
    step = "" if scale == 1.0 else f"{format_number(scale, decimals=0 if scale == int(scale) else 1)} "
    unit = variable.unit or ("units" if scale != 1.0 else "unit")
    if scale == 1.0 and unit.endswith("s"):
        unit = unit[:-1]
    return f"{variable.label}, per {step}{unit}"


def _levels(
    values: pd.Series[Any],
    variable: Variable,
    happened: npt.NDArray[np.bool_],
    complete: npt.NDArray[np.bool_],
    reference: Mapping[str, str],
    scale: float,
    threshold: int,
) -> list[_Level]:
    if variable.kind == "categorical":
        series = values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("category")
        names = [str(level) for level in series.cat.categories]
        codes = np.asarray(series.cat.codes)
    else:
        names, codes = [variable.name], np.where(values.notna(), 0, -1)
    counts = _cross(codes, len(names), happened)
    pattern = withhold_table(counts, threshold)
    used = _cross(codes[complete], len(names), happened[complete])
    event_codes = pattern.cells[:, 0]
    # Where marks do not tell the size, an estimate that is left out must not tell it either.
    vague_n = bool((pattern.rows[: len(names)] == UNSIZED).any())
    vague_events = any(
        code == UNSIZED and is_small(int(count), threshold)
        for code, count in zip(event_codes, counts[:, 0], strict=True)
    )
    hide = [
        _hides(int(pattern.rows[at]), vague_n) or _hides(int(event_codes[at]), vague_events) for at in range(len(names))
    ]
    hide_joint = [out or bool(((used[at] > 0) & (used[at] < threshold))[0] or is_small(int(used[at].sum()), threshold))
                  for at, out in enumerate(hide)]  # fmt: skip
    if variable.kind != "categorical":
        # A hazard ratio per unit tells no count: a few missing values withhold the numbers, not the estimate.
        few = bool(is_small(int(counts[0].sum()), threshold) or is_small(int(counts[0, 0]), threshold))
        few_joint = bool(is_small(int(used[0].sum()), threshold) or is_small(int(used[0, 0]), threshold))
        return [
            _Level(variable, None, term_label(variable, scale), variable.name, _pair(counts, 0), _codes(pattern, 0),
                   few, few or few_joint)
        ]  # fmt: skip
    base = reference.get(variable.name, names[0] if names else "")
    if base not in names:
        raise ArgumentError(f"`reference` of '{variable.name}' must be one of {', '.join(names)}; got {base!r}.")
    at_base = names.index(base)
    order = [at_base, *(at for at in range(len(names)) if at != at_base)]
    return [
        _Level(variable, names[at], names[at], f"{variable.name}: {names[at]}", _pair(counts, at), _codes(pattern, at),
               hide[at] or hide[at_base], hide_joint[at] or hide_joint[at_base], at == at_base)
        for at in order
    ]  # fmt: skip


def _cross(codes: npt.NDArray[Any], n_levels: int, happened: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count events and others by level, shape (levels, 2), with a last row for missing values where there are any."""
    at = np.where(codes < 0, n_levels, codes)
    rows = n_levels + int((codes < 0).any())
    counts = np.zeros((max(rows, 1), 2), dtype=np.int64)
    np.add.at(counts, (at, np.where(happened, 0, 1)), 1)
    return counts


def _hides(code: int, vague: bool) -> bool:
    return code == SMALL or (vague and code == UNSIZED)


def _pair(counts: npt.NDArray[np.int64], at: int) -> tuple[int, int]:
    return int(counts[at].sum()), int(counts[at, 0])


def _codes(pattern: Any, at: int) -> tuple[int, int]:
    return int(pattern.rows[at]), int(pattern.cells[at, 0])


def _add(
    body: _Body, level: _Level, single: pd.DataFrame | None, joint: pd.DataFrame | None, scale: float, threshold: int
) -> None:
    counts = [mark(code, format_count(count), threshold) for count, code in zip(level.counts, level.codes, strict=True)]
    row: dict[str, Any] = {
        "variable": level.variable.name,
        "level": level.level or "",
        "term": level.term,
        "n": level.counts[0] if level.codes[0] == SHOWN else None,
        "events": level.counts[1] if level.codes[1] == SHOWN else None,
    }
    withheld = [name for name, code in zip(("n", "events"), level.codes, strict=True) if code != SHOWN]
    cells = [level.label, *counts]
    label = f"{level.variable.label}: {level.level}" if level.level else level.variable.label
    for name, code in zip(("n", "events"), level.codes, strict=True):
        if code != SHOWN:
            body.audit.append((_KEY, label, name, REASONS[code]))
    models = [("univariable", single, level.hide)]
    if joint is not None:
        models.append(("multivariable", joint, level.hide_multivariable))
    for model, tidy, hide in models:
        texts, figures = _estimate(level, tidy, hide, scale)
        cells += texts
        row |= {f"{model}_{name}": value for name, value in zip(_FIGURES, figures, strict=True)}
        if hide and not level.is_reference:
            withheld.append(model)
            body.audit.append((_KEY, label, f"{model} hazard ratio", "few people or events in a category"))
    row["withheld"] = " ".join(withheld)
    body.raw.append(row)
    body.rows.append(("plain" if level.level is None else "level", cells))


def _estimate(
    level: _Level, tidy: pd.DataFrame | None, hide: bool, scale: float
) -> tuple[list[str], tuple[float, float, float, float]]:
    nothing = (math.nan,) * 4
    if level.is_reference:
        return [REFERENCE, ""], nothing
    if hide:
        return [WITHHELD, WITHHELD], nothing
    if tidy is None or level.term not in tidy.index:
        return ["", ""], nothing
    found: Any = tidy.loc[level.term]
    return _ratio(found, scale)


def _ratio(row: pd.Series[Any], scale: float) -> tuple[list[str], tuple[float, float, float, float]]:
    with np.errstate(over="ignore"):
        hr, low, high = (float(np.exp(scale * float(row[name]))) for name in ("estimate", "conf_low", "conf_high"))
    p = float(row["p_value"])
    if not math.isfinite(float(row["estimate"])):
        return [format_estimate(math.nan, low, high), ""], (math.nan,) * 4
    return [format_estimate(hr, low, high), format_p(p)], (
        round(hr, 4),
        round(low, 4),
        round(high, 4),
        float(f"{p:.3g}"),
    )


def _add_other_terms(
    body: _Body, single: Mapping[str, pd.DataFrame], joint: pd.DataFrame | None, seen: set[str]
) -> None:
    """Add the terms of the models that are no level of a predictor, so that no coefficient is left out in silence."""
    terms = [term for tidy in (*single.values(), *([joint] if joint is not None else [])) for term in tidy.index]
    for term in dict.fromkeys(term for term in terms if term not in seen):
        cells = [str(term), "", ""]
        row: dict[str, Any] = {"variable": "", "level": "", "term": str(term), "n": None, "events": None}
        alone = next((tidy for tidy in single.values() if term in tidy.index), None)
        for model, tidy in (("univariable", alone), *((("multivariable", joint),) if joint is not None else ())):
            found: Any = tidy.loc[term] if tidy is not None and term in tidy.index else None
            texts, figures = _ratio(found, 1.0) if found is not None else (["", ""], (math.nan,) * 4)
            cells += texts
            row |= {f"{model}_{name}": value for name, value in zip(_FIGURES, figures, strict=True)}
        body.rows.append(("plain", cells))
        body.raw.append(row | {"withheld": ""})


def _fit_note(
    fit: Any, frame: pd.DataFrame, happened: npt.NDArray[np.bool_], threshold: int, *, missing_hidden: bool
) -> str:
    """Say how many people the multivariable model is of, unless that tells how few were left out.

    `missing_hidden`: a predictor's number of missing values is withheld; those left out by the model, less those of
    the other predictors, would tell it.
    """
    n, n_events = getattr(fit, "n", None), getattr(fit, "n_events", None)
    if n is None or n_events is None:
        return ""
    gaps = (len(frame) - n, int(happened.sum()) - n_events, (len(frame) - n) - (int(happened.sum()) - n_events))
    hidden = any(is_small(gap, threshold) for gap in gaps) or is_small(n_events, threshold)
    if hidden or (missing_hidden and n < len(frame)):
        return f"Multivariable: people with a missing predictor are left out (their number is withheld, {WITHHELD})."
    left_out = "; people with a missing predictor are left out" if n < len(frame) else ""
    return f"Multivariable: {format_count(n)} people, {format_count(n_events)} events{left_out}."


def _assemble(body: _Body, has_joint: bool, threshold: int, event_label: str, fit_note: str) -> ReportTable:
    # A zero-width space keeps the headings of the two models apart.
    columns = ["Predictor", "n", event_label, "HR (95 % CI)", "p"]
    spanners: tuple[tuple[str, int, int], ...] = (("Univariable", 3, 4),)
    if has_joint:
        columns += ["HR (95 % CI)\u200b", "p\u200b"]
        spanners += (("Multivariable", 5, 6),)
    notes = ["HR: hazard ratio of returning; above 1 means an earlier return. CI: confidence interval."]
    if fit_note:
        notes.append(fit_note)
    if body.audit:
        notes += [
            threshold_note(threshold),
            f"Hazard ratios of a category with fewer than {threshold} people or events are withheld.",
        ]
    raw = pd.DataFrame(body.raw).astype({"n": "Int64", "events": "Int64"}).drop(columns="term")
    return ReportTable(
        _KEY,
        "Predictors of return to work",
        pd.DataFrame([cells for _, cells in body.rows], columns=columns, dtype=object),
        raw,
        tuple(notes),
        ("left", *["right"] * (len(columns) - 1)),  # type: ignore[arg-type]
        tuple(kind for kind, _ in body.rows),
        spanners,
        audit_frame(body.audit),
    )
