"""Table 1: who is in the study, by arm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_columns
from rtwcohort.errors import ArgumentError
from rtwcohort.report.disclosure import (
    REASONS,
    SHOWN,
    SMALL_CELLS,
    WITHHELD,
    Suppression,
    audit_frame,
    check_threshold,
    mark,
    threshold_note,
    withhold_groups,
    withhold_line,
    withhold_table,
)
from rtwcohort.report.numbers import (
    format_count,
    format_count_percent,
    format_mean_sd,
    format_median_iqr,
    format_number,
    format_p,
    join_words,
)
from rtwcohort.report.report_table import ReportTable, RowKind

if TYPE_CHECKING:
    from rtwcohort.cohort import Variable

Summary = Literal["mean", "median", "both"]
_SUMMARIES: Final = ("mean", "median", "both")
_NO_ARM: Final = "Arm not known"
_MISSING: Final = "Missing"
_KEY: Final = "baseline"


@dataclass(frozen=True, slots=True)
class _Groups:
    """The columns of counts: membership of shape (n, g), their names, and what may be printed of their sizes."""

    member: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    codes: npt.NDArray[np.int8]
    arm: pd.Series[Any] | None
    threshold: int
    decimals: int

    @property
    def n(self) -> npt.NDArray[np.int64]:
        return np.asarray(self.member.sum(axis=0), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Block:
    """The rows of one variable."""

    rows: list[tuple[RowKind, list[str]]] = field(default_factory=list)
    raw: list[tuple[Any, ...]] = field(default_factory=list)
    audit: list[tuple[str, str, str, str]] = field(default_factory=list)
    tests: set[str] = field(default_factory=set)


def table_one(
    frame: pd.DataFrame,
    variables: Sequence[Variable],
    *,
    arm: str | None = "arm",
    threshold: int = SMALL_CELLS,
    summary: Summary | Mapping[str, Summary] = "mean",
    overall: str = "All",
) -> ReportTable:
    """Describe the study population by arm, with a test and a standardised difference for each variable.

    Parameters
    ----------
    frame
        One row a person.
    variables
        What to show, in order (`Cohort.variables`).
    arm
        Column of the arms; None, or a column with one arm, gives one column of numbers and no comparison.
    threshold
        Small cells: see `rtwcohort.report.disclosure`.
    summary
        For numeric variables: "mean" (SD), "median" (quartiles) or "both"; a mapping sets it by name.
    overall
        Heading of the column of everybody.

    Returns
    -------
    ReportTable
        Percentages are of everybody in the column, missing values included. `raw` is long: variable, level, group,
        statistic, value, withheld.

    Notes
    -----
    A p-value or standardised difference is withheld where a count or mean that it is computed from is, for with
    the totals known it would give the count away.
    """
    check_columns(frame.columns, [*(v.name for v in variables), *([arm] if arm else [])], argument="frame")
    groups = _groups(frame, arm, check_threshold(threshold))
    blocks = []
    for variable in variables:
        check_choice(variable.kind, ("numeric", "categorical"), argument=f"kind of {variable.name}")
        if variable.kind == "categorical":
            blocks.append(_categorical(frame[variable.name], variable, groups, overall))
        else:
            chosen = summary if isinstance(summary, str) else summary.get(variable.name, "mean")
            check_choice(chosen, _SUMMARIES, argument="summary")
            blocks.append(_numeric(frame[variable.name], variable, groups, chosen, overall))
    return _assemble(blocks, groups, overall)


def arm_series(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return arms as a Categorical of text whose order is kept, without unused levels."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    used = values.cat.remove_unused_categories()
    return used.cat.rename_categories([str(level) for level in used.cat.categories])


def _groups(frame: pd.DataFrame, arm: str | None, threshold: int) -> _Groups:
    decimals = 1 if len(frame) >= 1000 else 0
    none = np.zeros((len(frame), 0), dtype=bool)
    if arm is None:
        return _Groups(none, (), np.zeros(0, dtype=np.int8), None, threshold, decimals)
    arms = arm_series(frame[arm])
    names = [str(level) for level in arms.cat.categories]
    codes = np.asarray(arms.cat.codes)
    if len(names) < 2:
        return _Groups(none, (), np.zeros(0, dtype=np.int8), None, threshold, decimals)
    if (codes < 0).any():
        names.append(_NO_ARM)
        codes = np.where(codes < 0, len(names) - 1, codes)
    member = codes[:, None] == np.arange(len(names))
    return _Groups(member, tuple(names), withhold_line(member.sum(axis=0), threshold), arms, threshold, decimals)


def _assemble(blocks: list[_Block], groups: _Groups, overall: str) -> ReportTable:
    n = groups.member.shape[0]
    total_code = int(0 < n < groups.threshold)
    names = (overall, *groups.names)
    codes = (total_code, *groups.codes)
    sizes = (n, *groups.n)
    heads = [
        f"{name} (n\u00a0=\u00a0{mark(int(code), format_count(size), groups.threshold)})"
        for name, code, size in zip(names, codes, sizes, strict=True)
    ]
    compared = ["p", "SMD"] if groups.names else []
    rows = [row for block in blocks for row in block.rows]
    display = pd.DataFrame([cells for _, cells in rows], columns=["Variable", *heads, *compared], dtype=object)
    raw = [
        ("", "", name, "n", _number(size, code == SHOWN), code != SHOWN)
        for name, code, size in zip(names, codes, sizes, strict=True)
    ]
    raw += [row for block in blocks for row in block.raw]
    audit = [
        (_KEY, "number of people", name, REASONS[int(code)]) for name, code in zip(names, codes, strict=True) if code
    ] + [row for block in blocks for row in block.audit]
    tests = sorted({test for block in blocks for test in block.tests})
    return ReportTable(
        _KEY,
        "Characteristics at the index date" + (" by arm" if groups.names else ""),
        display,
        pd.DataFrame(raw, columns=["variable", "level", "group", "statistic", "value", "withheld"]),
        _notes(groups, tests, bool(audit)),
        ("left", *["right"] * (display.shape[1] - 1)),  # type: ignore[arg-type]
        tuple(kind for kind, _ in rows),
        audit=audit_frame(audit),
    )


def _notes(groups: _Groups, tests: list[str], withheld: bool) -> tuple[str, ...]:
    notes = ["Percentages are of everybody in the column, missing values included."]
    if groups.names:
        tested = f" p: {join_words(tests)}." if tests else ""
        several = ", the largest between two arms" if len(groups.names) > 2 else ""
        notes.append(f"SMD: standardised mean difference{several}, without its sign.{tested}")
    if withheld:
        notes.append(threshold_note(groups.threshold))
        if groups.names:
            notes.append("p-values and SMDs from which a withheld number could be worked out are withheld too.")
    return tuple(notes)


def _categorical(values: pd.Series[Any], variable: Variable, groups: _Groups, overall: str) -> _Block:
    """Return the rows of a categorical variable: one a level, and one for missing values where there are any."""
    series = values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("category")
    levels = [str(level) for level in series.cat.categories]
    codes = np.asarray(series.cat.codes)
    if (codes < 0).any() or not levels:
        levels.append(_MISSING)
        codes = np.where(codes < 0, len(levels) - 1, codes)
    of_level = codes[:, None] == np.arange(len(levels))
    counts, pattern = _counts(of_level, groups)
    block = _Block()
    hidden = pattern.any_withheld
    _head(block, f"{_label(variable)}, n (%)", variable, series, groups, hidden=hidden, kind="group")
    for at, level in enumerate(levels):
        _count_row(block, variable, level, counts[at], _row_codes(pattern, at, groups), groups, overall)
    return block


def _numeric(values: pd.Series[Any], variable: Variable, groups: _Groups, summary: Summary, overall: str) -> _Block:
    """Return the rows of a numeric variable: its summary, and one for missing values where there are any."""
    series = pd.to_numeric(values).astype(np.float64)
    known = series.notna().to_numpy()
    everybody = np.ones((len(series), 1), dtype=bool)
    columns = np.hstack([everybody, groups.member])
    observed = (columns & known[:, None]).sum(axis=0)
    hidden = np.array([0 < observed[0] < groups.threshold])
    if groups.names:
        hidden = np.concatenate([hidden, withhold_groups(observed[1:], groups.threshold)])
    numbers = np.asarray(series, dtype=np.float64)
    samples: list[npt.NDArray[np.float64]] = [numbers[columns[:, at] & known] for at in range(columns.shape[1])]
    block = _Block()
    decimals = _decimals(samples[0])
    for at, statistic in enumerate(("mean", "median") if summary == "both" else (summary,)):
        words = "mean (SD)" if statistic == "mean" else "median (quartiles)"
        cells = [_summary_text(sample, statistic, decimals) for sample in samples]
        cells = [WITHHELD if out else cell for out, cell in zip(hidden, cells, strict=True)]
        label = f"{_label(variable)}, {words}"
        if at == 0:
            _head(block, label, variable, series, groups, hidden=bool(hidden.any()), kind="plain", cells=cells)
        else:
            block.rows.append(("plain", [label, *cells, *[""] * (2 if groups.names else 0)]))
        _summary_raw(block, variable, statistic, samples, hidden, (overall, *groups.names), decimals)
    if not known.all():
        counts, pattern = _counts(np.column_stack([known, ~known]), groups)
        _count_row(block, variable, _MISSING, counts[1], _row_codes(pattern, 1, groups), groups, overall)
    return block


def _counts(of_level: npt.NDArray[np.bool_], groups: _Groups) -> tuple[npt.NDArray[np.int64], Suppression]:
    """Return counts of shape (levels, 1 + groups), everybody first, and what may be printed of them."""
    everybody = of_level.sum(axis=0)[:, None]
    if not groups.names:
        return everybody, withhold_table(everybody, groups.threshold)
    inside = of_level.T.astype(np.int64) @ groups.member.astype(np.int64)
    return np.hstack([everybody, inside]), withhold_table(inside, groups.threshold)


def _row_codes(pattern: Suppression, row: int, groups: _Groups) -> list[int]:
    inside = pattern.cells[row] if groups.names else []
    return [int(pattern.rows[row]), *(int(code) for code in inside)]


def _count_row(
    block: _Block,
    variable: Variable,
    level: str,
    counts: npt.NDArray[np.int64],
    codes: list[int],
    groups: _Groups,
    overall: str,
) -> None:
    names, wholes = (overall, *groups.names), (groups.member.shape[0], *groups.n)
    size_known = (True, *(code == SHOWN for code in groups.codes))
    cells = []
    for name, count, whole, code, known in zip(names, counts, wholes, codes, size_known, strict=True):
        text = format_count_percent(count, whole, decimals=groups.decimals) if known else format_count(count)
        cells.append(mark(code, text, groups.threshold))
        percent = 100.0 * float(count) / float(whole) if whole else math.nan
        block.raw.append((variable.name, level, name, "n", _number(count, code == SHOWN), code != SHOWN))
        block.raw.append(
            (variable.name, level, name, "percent", _number(round(percent, 1), code == SHOWN), code != SHOWN)
        )
        if code != SHOWN:
            block.audit.append((_KEY, f"{variable.label}: {level}", name, REASONS[code]))
    block.rows.append(("level", [level, *cells, *[""] * (2 if groups.names else 0)]))


def _head(
    block: _Block,
    label: str,
    variable: Variable,
    values: pd.Series[Any],
    groups: _Groups,
    *,
    hidden: bool,
    kind: RowKind,
    cells: list[str] | None = None,
) -> None:
    """Add the first row of a variable, with its test and standardised difference where there are arms."""
    shown = cells if cells is not None else [""] * (1 + len(groups.names))
    if groups.arm is None:
        block.rows.append((kind, [label, *shown]))
        return
    p_value, difference, test = _comparison(values, groups.arm, variable)
    if hidden:
        block.audit.append((_KEY, variable.label, "p-value, SMD", "computed from withheld numbers"))
        block.rows.append((kind, [label, *shown, WITHHELD, WITHHELD]))
    else:
        block.tests.add(test)
        block.rows.append((kind, [label, *shown, format_p(p_value), format_number(abs(difference), decimals=2)]))
    block.raw.append((variable.name, "", "", "p_value", _number(round(p_value, 4), not hidden), hidden))
    block.raw.append((variable.name, "", "", "smd", _number(round(difference, 3), not hidden), hidden))


def _comparison(values: pd.Series[Any], arm: pd.Series[Any], variable: Variable) -> tuple[float, float, str]:
    from rtwcohort.compare import compare_groups, standardised_difference

    kind: Any = variable.kind
    try:
        tested = compare_groups(values, arm, kind=kind)
        difference = standardised_difference(values, arm, kind=kind).value
    except ArgumentError:
        return math.nan, math.nan, "no test where a variable has no values to compare"
    return tested.p_value, difference, tested.test


def _summary_text(sample: npt.NDArray[np.float64], statistic: str, decimals: int) -> str:
    if statistic == "mean":
        return format_mean_sd(*_mean_sd(sample), decimals=decimals)
    return format_median_iqr(*_quartiles(sample), decimals=decimals)


def _summary_raw(
    block: _Block,
    variable: Variable,
    statistic: str,
    samples: list[npt.NDArray[np.float64]],
    hidden: npt.NDArray[np.bool_],
    names: tuple[str, ...],
    decimals: int,
) -> None:
    for name, sample, out in zip(names, samples, hidden, strict=True):
        figures = (
            zip(("mean", "sd"), _mean_sd(sample), strict=True)
            if statistic == "mean"
            else zip(("median", "q1", "q3"), _quartiles(sample), strict=True)
        )
        for figure, value in figures:
            block.raw.append((variable.name, "", name, figure, _number(round(value, decimals), not out), bool(out)))
        if out:
            block.audit.append((_KEY, f"{variable.label}: {statistic}", name, "few people, or would reveal few"))


def _mean_sd(sample: npt.NDArray[np.float64]) -> tuple[float, float]:
    mean = float(sample.mean()) if len(sample) else math.nan
    return mean, float(sample.std(ddof=1)) if len(sample) > 1 else math.nan


def _quartiles(sample: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    if not len(sample):
        return math.nan, math.nan, math.nan
    low, middle, high = np.percentile(sample, [25, 50, 75])
    return float(middle), float(low), float(high)


def _decimals(sample: npt.NDArray[np.float64]) -> int:
    _, sd = _mean_sd(sample)
    if not math.isfinite(sd) or sd == 0:
        return 1
    return 0 if sd >= 100 else 1 if sd >= 1 else 2


def _label(variable: Variable) -> str:
    return f"{variable.label}, {variable.unit}" if variable.unit else variable.label


def _number(value: float, shown: bool) -> float:
    return float(value) if shown else math.nan
