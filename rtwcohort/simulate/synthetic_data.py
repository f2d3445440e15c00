"""The packaged synthetic registers: `python -m rtwcohort.simulate.synthetic_data FOLDER` writes them again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rtwcohort.errors import OutputError
from rtwcohort.simulate.dirty import DIRT, Dirty, dirty
from rtwcohort.simulate.fidelity import fidelity
from rtwcohort.simulate.partitions import README, csv_bytes
from rtwcohort.simulate.readme import markdown_table, readme_text
from rtwcohort.simulate.registers import simulate_register
from rtwcohort.simulate.scenarios.declaration import Scenario
from rtwcohort.simulate.scenarios.read import load_scenario

COMMAND: Final = "python -m rtwcohort.simulate.synthetic_data FOLDER"


@dataclass(frozen=True, slots=True)
class Packaged:
    """A register that is kept with the source.

    Attributes
    ----------
    folder
        Where, below the folder of all.
    scenario, seed, n
        What it is made from; without `n` the scenario's own number of people.
    faults
        Faults put in on purpose: as for `dirty`.
    """

    folder: str
    scenario: str
    seed: int = 1
    n: int | None = None
    faults: Mapping[str, float] = field(default_factory=dict)


DEMO: Final = Packaged(
    "demo",
    "demo",
    seed=20260,
    faults={
        "benefits.duplicate_row": 0.0002,
        "benefits.end_before_start": 0.0001,
        "benefits.overlap_same_benefit": 0.0002,
        "benefits.grade_outside_range": 0.0001,
        "benefits.spell_after_death": 0.002,
    },
)

STUDIES: Final = (
    "aktiv_sykmelding",
    "brekke",
    "brendbekken",
    "christiansen",
    "gismervik",
    "haldorsen",
    "hara",
    "haveraaen",
    "myhre",
    "oyeflaten",
    "skagseth",
    "skarpaas",
)
"""Scenarios of published studies, each kept at the study's own size in `raskere_tilbake/`."""

PACKAGED: Final = (
    DEMO,
    Packaged("hernes", "hernes_wpv"),
    *(Packaged(f"raskere_tilbake/{name}", name) for name in STUDIES),
    Packaged("norway_small", "norway", n=10_000),
)


def write_synthetic_data(folder: str | Path, *, only: Sequence[str] = ()) -> list[Path]:
    """Write the packaged registers, each with its README, and the README of all; other files are left alone.

    Parameters
    ----------
    folder
        Made when it does not exist; files of the same names are replaced.
    only
        Folders to write, as in `PACKAGED`; none named writes all of them.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    OutputError
        When a folder cannot be written, or none has a name in `only`.
    """
    known = [packaged.folder for packaged in PACKAGED]
    for name in only:
        if name not in known:
            raise OutputError(f"`only` names '{name}', which is not packaged. There are: {', '.join(known)}.")
    written: list[Path] = []
    try:
        for packaged in PACKAGED:
            if not only or packaged.folder in only:
                written += _write(packaged, Path(folder) / packaged.folder)
        if not only:
            written.append(_put(Path(folder) / README, overview_text().encode("utf-8")))
    except OSError as error:
        raise OutputError(f"Cannot write to `{folder}`: {error}. Choose another folder.") from error
    return written


def packaged_tables(packaged: Packaged) -> Dirty:
    """Simulate a packaged register, with its faults and the truth about them."""
    scenario = load_scenario(packaged.scenario)
    tables = simulate_register(scenario, n=packaged.n, seed=packaged.seed)
    return dirty(tables, faults=packaged.faults, seed=packaged.seed, data_end=scenario.data_end)


def _write(packaged: Packaged, folder: Path) -> list[Path]:
    scenario = load_scenario(packaged.scenario)
    size = packaged.n or scenario.n
    if packaged.faults:
        spoilt = packaged_tables(packaged)
        tables, more, command = spoilt.tables, _faults(spoilt), COMMAND
    else:
        tables, more, command = simulate_register(scenario, n=size, seed=packaged.seed), [], ""
    written = [_put(folder / f"{name}.csv", csv_bytes(frame)) for name, frame in tables.items()]
    text = readme_text(
        scenario,
        n=size,
        seed=packaged.seed,
        sizes={f"{name}.csv": len(frame) for name, frame in tables.items()},
        written_by=command,
        found=_figures(scenario, size, packaged.seed),
        more=more,
    )
    return [*written, _put(folder / README, text.encode("utf-8"))]


def _put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _figures(scenario: Scenario, n: int, seed: int) -> dict[str, str]:
    """Return the figures of the scenario's targets in this very register; those that need a model are left out."""
    if not scenario.targets:
        return {}
    frame = fidelity(scenario, n=n, seed=seed).frame
    known = frame[frame["simulated"].notna()]
    return {str(name): f"{value:.3g}" for name, value in zip(known["id"], known["simulated"], strict=True)}


def _faults(spoilt: Dirty) -> list[str]:
    """Return the section on faults: what was put in, and on which lines of the file."""
    meaning = {declared.name: declared.meaning for declared in DIRT}
    rows = []
    for (table, fault), found in spoilt.truth.groupby(["table", "fault"], sort=False):
        lines = ", ".join(str(row + 2) for row in sorted(found["row"].tolist()))
        rows.append((f"`{table}.csv`", f"`{fault}`", meaning[str(fault)], lines))
    text = (
        "These rows are faulty on purpose (line numbers of the file; the header is line 1). `rtwcohort check` finds "
        "them, and counts the open ends too, which are no mistake. `dirty`, which put them in, can put in more of them "
        "and others, and scores a cleaning."
    )
    return ["## Faults", text, markdown_table(("file", "fault", "what was done", "lines"), rows)]


def overview_text() -> str:
    """Return the README of all folders."""
    rows = []
    for packaged in PACKAGED:
        scenario = load_scenario(packaged.scenario)
        size = str(packaged.n or scenario.n)
        studies = ", ".join(scenario.studies) or "-"
        rows.append(
            (
                f"[{packaged.folder}]({packaged.folder}/README.md)",
                f"`{packaged.scenario}`",
                size,
                str(packaged.seed),
                studies,
            )
        )
    return _OVERVIEW.format(
        table=markdown_table(("folder", "scenario", "people", "seed", "studies"), rows), command=COMMAND
    )


_OVERVIEW: Final = """\
# Synthetic registers

Small registers of people who do not exist, in the files that `rtwcohort` reads. What is true in them is known: each
folder's README tells its scenario, seed, set effects and hazards, the published figures that the scenario stands for
beside those of these very data, and what the columns mean.

{table}

`demo` has a study file beside the data, which `rtwcohort demo` runs, and a few faults on purpose. In the folders of
published studies nobody is a participant of them: margins and hazards were chosen so that a large register shows what
was published. A folder holds as many people as the study had, so its own figures scatter around the published ones.
A scenario that is not here (`oyeflaten_2016`, to keep the source small) is written as below.

## Bigger ones

```bash
rtwcohort simulate --list                                              # the scenarios
rtwcohort simulate hernes_wpv --n 5000 --seed 1 --out big_hernes       # CSV, and the fidelity table
rtwcohort simulate norway --n 1000000 --seed 1 --out norway --format parquet
```

Any number of people goes through a bounded amount of memory. Equal scenarios, sizes and seeds give equal CSV files.
Another size is another draw, not these people and some more, where arms or margins are in exact proportion. A scenario
of your own is a TOML file: copy one from `rtwcohort/simulate/scenarios`, and give its path instead of the name.
[Make a register](../docs/tutorials/make_a_register.md) goes through all of it.

## These again

`{command}` writes all of it but `demo/study.toml`, which is a study and not data.
A test of the package compares every byte.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the packaged registers into the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m rtwcohort.simulate.synthetic_data", description=__doc__)
    parser.add_argument("folder", help="where to write the folders")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one of the folders; repeatable")
    chosen = parser.parse_args(arguments)
    write_synthetic_data(chosen.folder, only=chosen.only)


if __name__ == "__main__":
    main()
