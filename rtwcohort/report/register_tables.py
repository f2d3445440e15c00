"""What was found wrong in the register, what was done about it, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.disclosure import SMALL, SMALL_CELLS, audit_frame, check_threshold, is_small, mark
from rtwcohort.report.numbers import format_count
from rtwcohort.report.report_table import ReportTable

_SMALL_REASON: Final = "count under the threshold"


def check_table(counts: pd.DataFrame, *, threshold: int = SMALL_CELLS) -> ReportTable:
    """Show the faults that the check found.

    Parameters
    ----------
    counts
        `RegisterCheck.counts`: `table`, `fault`, `n_rows`, `n_persons`, `meaning`, `action`.
    threshold
        Counts of rows and of people from 1 to `threshold - 1` are withheld, each by itself: no total is printed.
    """
    check_columns(counts.columns, ("table", "fault", "n_rows", "n_persons", "meaning", "action"), argument="counts")
    return _count_table(
        "register-check",
        "Faults found in the register",
        counts[["table", "fault", "meaning", "n_rows", "n_persons", "action"]],
        {"table": "Table", "meaning": "Fault", "n_rows": "Rows", "n_persons": "People", "action": "What cleaning does"},
        ("n_rows", "n_persons"),
        threshold,
    )


def cleaning_table(
    steps: Sequence[Any], *, meanings: Mapping[str, str] | None = None, threshold: int = SMALL_CELLS
) -> ReportTable:
    """Show the cleaning rules that touched rows.

    Parameters
    ----------
    steps
        `Register.cleaning`: `table`, `fault`, `action`, `n_rows`, and `n_dropped` where known.
    meanings
        Fault -> its meaning in words.
    threshold
        As for `check_table`.
    """
    rows = pd.DataFrame(
        {
            "table": [step.table for step in steps],
            "fault": [step.fault for step in steps],
            "meaning": [(meanings or {}).get(step.fault, step.fault.replace("_", " ")) for step in steps],
            "action": [step.action for step in steps],
            "n_rows": [int(step.n_rows) for step in steps],
            "n_dropped": [int(getattr(step, "n_dropped", 0)) for step in steps],
        },
        columns=["table", "fault", "meaning", "action", "n_rows", "n_dropped"],
    )
    return _count_table(
        "cleaning",
        "Rows changed or left out by cleaning",
        rows,
        {"table": "Table", "meaning": "Fault", "action": "What was done", "n_rows": "Rows", "n_dropped": "Left out"},
        ("n_rows", "n_dropped"),
        threshold,
    )


def counted_sentences(counted: Sequence[Any], *, threshold: int = SMALL_CELLS) -> tuple[str, ...]:
    """Print `Cohort.counted` (`text`, `n`) as sentences whose small counts are withheld."""
    limit = check_threshold(threshold)
    return tuple(f"{item.text.rstrip('.')} ({plural_people(item.n, limit)})." for item in counted)


def plural_people(count: int, threshold: int = SMALL_CELLS) -> str:
    """Print "28 people", "1 person" or "<5 people"."""
    return f"{count_text(count, threshold)} {'person' if count == 1 and not is_small(1, threshold) else 'people'}"


def count_text(count: int, threshold: int = SMALL_CELLS) -> str:
    """Print a count that no total is printed with: "28", or "<5"."""
    return mark(SMALL if is_small(count, threshold) else 0, format_count(count), threshold)


def inputs_table(inputs: pd.DataFrame, *, threshold: int = SMALL_CELLS) -> ReportTable:
    """Show the files that were read.

    Parameters
    ----------
    inputs
        `table`, `file` (its name only), `rows`, `sha256`, and `format` where known. Hashes are printed short; the CSV
        has them whole.
    threshold
        Rows are rounded down to a multiple of it, so that the few that cleaning dropped cannot be found by subtraction.
    """
    check_columns(inputs.columns, ("table", "file", "rows", "sha256"), argument="inputs")
    limit = max(check_threshold(threshold), 1)
    rows = [int(count) // limit * limit if count >= limit else 0 for count in inputs["rows"]]
    has_format = "format" in inputs.columns
    display = {
        "Table": inputs["table"],
        "File": inputs["file"],
        "Rows": [f"<{limit}" if count == 0 and limit > 1 else format_count(count) for count in rows],
        **({"Read as": inputs["format"]} if has_format else {}),
        "SHA-256": [f"{str(text)[:12]}…" if len(str(text)) > 12 else str(text) for text in inputs["sha256"]],
    }
    return ReportTable(
        "inputs",
        "Files read",
        pd.DataFrame(display, dtype=object).reset_index(drop=True),
        inputs.assign(rows=rows),
        (f"Rows are rounded down to a multiple of {limit}.",) if limit > 1 else (),
        ("left", "left", "right", *(["left"] if has_format else []), "left"),  # type: ignore[arg-type]
    )


def provenance_table(
    entries: Mapping[str, str] | Sequence[tuple[str, str]], *, key: str = "provenance", title: str = "Provenance"
) -> ReportTable:
    """Show what is needed to run the study again: versions, seed, hash of the study file, time of the run.

    Parameters
    ----------
    entries
        Name -> value, in order.
    """
    pairs = list(entries.items()) if isinstance(entries, Mapping) else [(str(a), str(b)) for a, b in entries]
    display = pd.DataFrame([(str(a), str(b)) for a, b in pairs], columns=["What", "Value"], dtype=object)
    return ReportTable(key, title, display, display.rename(columns=str.lower), (), ("left", "left"))


def _count_table(
    key: str,
    title: str,
    rows: pd.DataFrame,
    headings: Mapping[str, str],
    counts: tuple[str, ...],
    threshold: int,
) -> ReportTable:
    limit = check_threshold(threshold)
    small = {name: [is_small(int(count), limit) for count in rows[name]] for name in counts}
    display = pd.DataFrame(
        {label: [str(value).replace("`", "") for value in rows[name]] for name, label in headings.items()}, dtype=object
    )
    raw = rows.copy()
    for name in counts:
        display[headings[name]] = [count_text(int(count), limit) for count in rows[name]]
        raw[name] = rows[name].astype("Int64").mask(pd.Series(small[name], index=rows.index, dtype=bool))
    raw["withheld"] = [" ".join(name for name in counts if small[name][at]) for at in range(len(rows))]
    audit = [
        (key, f"{rows['table'].iloc[at]}: {rows['fault'].iloc[at]}", headings[name], _SMALL_REASON)
        for at in range(len(rows))
        for name in counts
        if small[name][at]
    ]
    notes = (f"<{limit}: a count from 1 to {limit - 1}, withheld.",) if audit else ()
    align = tuple("right" if name in counts else "left" for name in headings)
    return ReportTable(key, title, display.astype(object), raw, notes, align, audit=audit_frame(audit))  # type: ignore[arg-type]
