"""How follow-up ended, by arm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.baseline_table import arm_series
from rtwcohort.report.disclosure import (
    REASONS,
    SHOWN,
    SMALL_CELLS,
    UNSIZED,
    Suppression,
    audit_frame,
    check_threshold,
    mark,
    threshold_note,
    withhold_table,
)
from rtwcohort.report.numbers import format_count, format_count_percent
from rtwcohort.report.report_table import ReportTable

_KEY: Final = "follow-up"
_ALL: Final = "All"


def cause_table(
    frame: pd.DataFrame,
    *,
    words: Mapping[str, str],
    arm: str | None = "arm",
    threshold: int = SMALL_CELLS,
) -> ReportTable:
    """Show how many returned, and what ended the follow-up of the others.

    Parameters
    ----------
    frame
        One row a person: `cause` and the arm.
    words
        Cause -> words for the row, in the order of the rows; causes that nobody has are left out.
    arm
        Column of the arms; None counts everybody together.
    threshold
        Small cells.
    """
    check_columns(frame.columns, ["cause", *([arm] if arm else [])], argument="frame")
    limit = check_threshold(threshold)
    causes = [cause for cause in words if (frame["cause"] == cause).any()]
    groups = arm_series(frame[arm]) if arm else arm_series(pd.Series(_ALL, index=frame.index))
    names = [str(level) for level in groups.cat.categories]
    crossed = pd.crosstab(frame["cause"], groups.astype(str)).reindex(index=causes, columns=names, fill_value=0)
    counts = crossed.to_numpy(dtype=np.int64)
    pattern = _pattern(counts, np.array([cause == "return" for cause in causes]), limit)
    sizes = counts.sum(axis=0)
    decimals = 1 if len(frame) >= 1000 else 0
    columns = [(name, counts[:, j], pattern.cells[:, j], sizes[j], pattern.columns[j]) for j, name in enumerate(names)]
    if len(names) > 1:
        columns.insert(0, (_ALL, counts.sum(axis=1), pattern.rows, counts.sum(), pattern.total))
    else:
        columns = [(names[0], counts[:, 0], pattern.rows, counts.sum(), pattern.total)]
    display: dict[str, list[str]] = {"Follow-up ended by": [words[cause] for cause in causes] + ["People"]}
    raw: list[tuple[Any, ...]] = []
    audit: list[tuple[str, str, str, str]] = []
    for name, column, codes, size, size_code in columns:
        whole = float(size) if size_code == SHOWN else math.nan
        display[name] = [
            *(
                mark(int(code), format_count_percent(int(n), whole, decimals=decimals), limit)
                for n, code in zip(column, codes, strict=True)
            ),
            mark(int(size_code), format_count(int(size)), limit),
        ]
        for cause, n, code in zip(causes, column, codes, strict=True):
            raw.append((cause, name, int(n) if code == SHOWN else None, bool(code != SHOWN)))
            if code != SHOWN:
                audit.append((_KEY, words[cause], name, REASONS[int(code)]))
    return ReportTable(
        _KEY,
        "How follow-up ended",
        pd.DataFrame(display, dtype=object),
        pd.DataFrame(raw, columns=["cause", "group", "n", "withheld"]).astype({"n": "Int64"}),
        (threshold_note(limit),) if audit else (),
        ("left", *["right"] * len(columns)),  # type: ignore[arg-type]
        audit=audit_frame(audit),
    )


def _pattern(counts: npt.NDArray[np.int64], returned: npt.NDArray[np.bool_], threshold: int) -> Suppression:
    """Return what may be printed: returns as in the table of the arms, then the other causes within the rest.

    Settled the other way round, the two tables could withhold different numbers and give each other's away.
    """
    if not returned.any() or returned.all():
        return withhold_table(counts, threshold)
    halves = np.column_stack([counts[returned].sum(axis=0), counts[~returned].sum(axis=0)])
    by_arm = withhold_table(halves, threshold)
    others = withhold_table(counts[~returned], threshold, columns=by_arm.cells[:, 1])
    cells, rows = np.zeros(counts.shape, dtype=np.int8), np.zeros(len(counts), dtype=np.int8)
    cells[returned], rows[returned] = by_arm.cells[:, 0], by_arm.columns[0]
    cells[~returned], rows[~returned] = others.cells, others.rows
    if by_arm.columns[1] != SHOWN:
        cells[~returned], rows[~returned] = UNSIZED, UNSIZED
    return Suppression(cells, rows, by_arm.rows, by_arm.total)
