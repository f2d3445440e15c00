"""Coverage of 95 % intervals and type I error by simulation: the table of docs/explanation/coverage.md.

    python benchmarks/simulate_coverage.py [--only cox_days,firth] [--repetitions 5000] [--counts FILE] [--write]

Seeds are fixed: the same figures for any number of workers. `--counts` keeps what was counted, so that a run can be
continued, or the tables be made again. `--write` puts the tables between the marks of
docs/explanation/coverage.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import sim_ordinal
import sim_survival
from sim_core import REPETITIONS, Rate, Scenario, markdown, run_scenario

SCENARIOS: tuple[Scenario, ...] = (*sim_survival.SCENARIOS, *sim_ordinal.SCENARIOS)
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "coverage.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def named(names: str | None) -> list[Scenario]:
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if names is None:
        return list(SCENARIOS)
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        sys.exit(f"no scenario is named {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def counted(scenario: Scenario, repetitions: int, workers: int, file: Path | None) -> list[Rate]:
    """Run a scenario, or take what the file says of it."""
    known = json.loads(file.read_text()) if file is not None and file.exists() else {}
    key = f"{scenario.name}, {repetitions} repetitions, seed {scenario.seed}"
    if key not in known or set(known[key]) != set(scenario.measures):
        rates = run_scenario(scenario, repetitions, workers)
        known[key] = {rate.key: [rate.hits, rate.n, rate.lost] for rate in rates}
        if file is not None:
            file.write_text(json.dumps(known, indent=1))
    return [Rate(scenario.name, name, measure, *known[key][name]) for name, measure in scenario.measures.items()]


def put_on_page(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="scenarios, comma between")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--counts", type=Path, help="file of counts to continue from and to add to")
    parser.add_argument("--write", action="store_true", help="write the page of the documentation")
    asked = parser.parse_args()
    tables = []
    for scenario in named(asked.only):
        begin = time.perf_counter()
        rates = counted(scenario, asked.repetitions, asked.workers, asked.counts)
        tables.append(markdown(scenario, rates))
        print(tables[-1], f"({time.perf_counter() - begin:.0f} s)\n", sep="\n", flush=True)
    if asked.write:
        put_on_page("\n".join(tables))


if __name__ == "__main__":
    main()
