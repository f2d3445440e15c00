"""`rtwcohort simulate`: scenarios listed, written, calibrated and compared with published figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rtwcohort.core.checks import check_number
from rtwcohort.simulate.scenarios.read import load_scenario, scenario_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from rtwcohort.simulate.fidelity import Fidelity


def scenario_list() -> str:
    """Return the scenarios of the package, one a line: name, people, title."""
    scenarios = [load_scenario(name) for name in scenario_names()]
    width = max(len(scenario.name) for scenario in scenarios)
    return "\n".join(f"{scenario.name:<{width}}  {scenario.n:>7}  {scenario.title}" for scenario in scenarios)


def write_simulation(
    scenario: str, folder: Path, *, n: int | None, seed: int, format: Literal["csv", "parquet"]
) -> list[Path]:
    """Write a scenario's register; see `write_scenario`."""
    from rtwcohort.simulate.partitions import write_scenario

    return write_scenario(load_scenario(scenario), folder, n=n, seed=seed, format=format)


def write_dirty_simulation(scenario: str, folder: Path, *, faults: str, n: int | None, seed: int) -> str:
    """Write a scenario's register with faults, and `truth.csv` beside it; return what was done as text.

    The register is held in memory as a whole, since some faults need two people.
    """
    from rtwcohort.simulate.dirty import PRESETS, dirty, parse_faults, write_dirty
    from rtwcohort.simulate.registers import simulate_register

    preset = faults.strip()
    rates = preset if preset in PRESETS else parse_faults(faults)
    loaded = load_scenario(scenario)
    made = dirty(simulate_register(loaded, n=n, seed=seed), faults=rates, seed=seed, data_end=loaded.data_end)
    written = write_dirty(made, folder, truth=True, seed=seed)
    lines = [f"Wrote {path}" for path in written.paths.values()]
    lines += [f"{row.table}: {row.n_rows} rows with {row.fault}" for row in made.counts.itertuples()]
    return "\n".join([*lines, *made.notes])


def calibration_text(scenario: str, *, n: int, seed: int, progress: Callable[[int, float], None] | None = None) -> str:
    """Calibrate a scenario and return what was found as text; nothing is written."""
    from rtwcohort.simulate.calibrate import calibrate
    from rtwcohort.study.fidelity_estimators import FIDELITY_ESTIMATORS

    loaded = load_scenario(scenario)
    return calibrate(loaded, n=n, seed=seed, estimators=FIDELITY_ESTIMATORS, progress=progress).describe()


def fidelity_table(scenario: str, *, n: int, seed: int) -> Table | str:
    """Return the fidelity of a scenario as a table for a terminal, or a sentence where there is nothing to compare."""
    from rtwcohort.simulate.fidelity import fidelity
    from rtwcohort.study.fidelity_estimators import FIDELITY_ESTIMATORS

    check_number(n, argument="fidelity-n", least=1, whole=True)
    loaded = load_scenario(scenario)
    if not loaded.targets:
        return f"The scenario '{loaded.name}' stands for no published figures: there is nothing to compare."
    return _table(fidelity(loaded, n=n, seed=seed, estimators=FIDELITY_ESTIMATORS))


def _table(found: Fidelity) -> Table:
    from rich import box
    from rich.table import Table

    n_agree = sum(row is True for row in found.frame["agrees"])
    title = f"{found.scenario}: {n_agree} of {len(found.frame)} published figures agree ({found.n} people simulated)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for name in ("figure", "arm", "kind"):
        table.add_column(name, overflow="fold")
    for name in ("published", "simulated", "error"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("agrees", no_wrap=True)
    table.add_column("why not", overflow="fold")
    for row in found.frame.to_dict("records"):
        verdict = {True: "yes", False: "no", None: "-"}[row["agrees"]]
        value, error = (
            f"{row[name]:.4g}" if row["agrees"] is not None else "-" for name in ("simulated", "simulation_error")
        )
        table.add_row(
            row["id"], row["arm"] or "", row["kind"], f"{row['published']:.4g}", value, error, verdict, row["why_not"]
        )
    return table
