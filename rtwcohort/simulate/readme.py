"""The README of a simulated register: what it is, what is true in it, what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp

import pandas as pd

from rtwcohort.simulate.process.states import SICK
from rtwcohort.simulate.registers import true_values
from rtwcohort.simulate.scenarios.declaration import Scenario


def readme_text(
    scenario: Scenario,
    *,
    n: int,
    seed: int,
    sizes: Mapping[str, int],
    written_by: str = "",
    found: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
) -> str:
    """Return the README of a register that was written.

    Parameters
    ----------
    scenario, n, seed
        What was simulated.
    sizes
        File name -> rows.
    written_by
        The command that writes these files again; empty: `rtwcohort simulate`.
    found
        Id of a target -> the figure in these very data, as text; None leaves the column out.
    more
        Paragraphs that stand before the columns.
    """
    parts = [
        f"# {scenario.title}",
        _opening(scenario, n, seed, sizes, written_by),
        markdown_table(("file", "rows"), [(f"`{name}`", str(rows)) for name, rows in sizes.items()]),
        f"{_dates(scenario)} Spells have inclusive ends; an empty end means that the spell is still running.",
        "## What is true",
        _truth(scenario),
        "## How people move",
        _rates(scenario),
        *_notes(scenario),
        *_published(scenario, found),
        *more,
        "## Columns",
        _dictionary(sizes),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(scenario: Scenario, n: int, seed: int, sizes: Mapping[str, int], written_by: str) -> str:
    kind = " --format parquet" if any(name.endswith(".parquet") for name in sizes) else ""
    command = written_by or f"rtwcohort simulate {scenario.name} --n {n} --seed {seed}{kind} --out FOLDER"
    lead = f"{scenario.description.strip()}\n\n" if scenario.description.strip() else ""
    return (
        f"{lead}{n} invented people in the files that `rtwcohort` reads. Nobody in it exists: every value was drawn by "
        f"the package's simulator (scenario `{scenario.name}`, seed {seed}).\n\nWritten by `{command}`. The same "
        "command gives the same values on every machine."
    )


def _dates(scenario: Scenario) -> str:
    first, last = scenario.enrolment
    if scenario.kind == "population":
        return f"The register runs from {first} to {scenario.data_end}; spells that had begun before are shown whole."
    return f"Index dates run from {first} to {last}; the register ends on {scenario.data_end}."


def _truth(scenario: Scenario) -> str:
    frame = true_values(scenario)
    if frame.empty:
        return "No effects are set: everybody has the same hazards."
    rows = []
    for row in frame.to_dict("records"):
        ratio = f"{exp(row['value']):.3f}" if row["scale"] in ("log_hr", "log_or") else ""
        rows.append((row["outcome"], row["term"], row["scale"], f"{row['value']:.4g}", ratio, row["holds"]))
    return markdown_table(("outcome", "term", "scale", "value", "ratio", "holds"), rows)


def _rates(scenario: Scenario) -> str:
    rows = []
    for move in scenario.process.transitions:
        shape = "; ".join(f"{rate:.6g} from day {day:g}" for day, rate in move.per_day) or "spline"
        by_default = sorted({"absence" if origin in SICK else "state" for origin in move.origins})
        clock = move.clock or " or ".join(by_default)
        rows.append((", ".join(move.origins), move.to, move.group, clock, shape))
    return markdown_table(("from", "to", "group", "clock", "rate a day"), rows)


def _notes(scenario: Scenario) -> list[str]:
    return ["## Worth knowing", "\n".join(f"- {note}" for note in scenario.notes)] if scenario.notes else []


def _published(scenario: Scenario, found: Mapping[str, str] | None) -> list[str]:
    if not scenario.targets:
        return []
    rows = []
    for target in scenario.targets:
        here = () if found is None else (found.get(target.id, ""),)
        figure = (target.id, target.arm or "everybody", target.kind, f"{target.value:g}")
        rows.append((*figure, *here, target.evidence, target.why_not))
    lead = (
        "Figures that a large register from this scenario should show; a small one shows them with the scatter of its "
        "size. `rtwcohort simulate` prints them beside the simulated ones."
    )
    here = () if found is None else ("in these data",)
    columns = ("figure", "arm", "kind", "published", *here, "where", "cannot agree because")
    return ["## Published figures", lead, markdown_table(columns, rows)]


def _dictionary(sizes: Mapping[str, int]) -> str:
    from rtwcohort.register.tables import data_dictionary

    tables = [name.rsplit(".", 1)[0] for name in sizes]
    frame: pd.DataFrame = data_dictionary()
    rows = [
        (row["table"], f"`{row['column']}`", row["type"], row["unit"], row["rule"], row["description"])
        for row in frame.to_dict("records")
        if row["table"] in tables
    ]
    return markdown_table(("table", "column", "type", "unit", "rule", "meaning"), rows)


def markdown_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    lines += [f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)
