"""The packaged synthetic register: `python -m rtwcohort.simulate.synthetic_data FOLDER` writes it again."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from rtwcohort.simulate.faults import mark_planted
from rtwcohort.simulate.scenario import LEVELS, Effect, Scenario, Wave
from rtwcohort.simulate.simulator import simulate_register, true_outcomes
from rtwcohort.simulate.write import write_register

SEED: Final = 20260

SCENARIO: Final = Scenario(
    n=1500,
    age_range=(19, 72),
    without_benefit=0.03,
    all_statements=False,
    waves=(
        Wave(
            name="M0",
            day=0,
            instruments=("FABQ-W", "BELIEF", "DCSQ-DEMANDS", "DCSQ-CONTROL", "JOB-SATISFACTION"),
            response=0.97,
            spread=7,
        ),
        Wave(name="M3", day=91, instruments=("JOB-SATISFACTION",), response=0.85),
        Wave(name="M6", day=182, instruments=("JOB-SATISFACTION",), response=0.80),
        Wave(name="M12", day=365, instruments=("FABQ-W", "JOB-SATISFACTION"), response=0.75),
    ),
)

FAULTS: Final = {
    "duplicate_row": 3,
    "end_before_start": 2,
    "overlap_same_benefit": 3,
    "grade_outside_range": 2,
    "spell_after_death": 1,
}

_MEANING: Final = {
    "duplicate_row": "exact copy of the row before it",
    "end_before_start": "copy of a spell with its two dates exchanged",
    "overlap_same_benefit": "second certificate inside the first, same grade",
    "grade_outside_range": "copy of a spell with grade 0",
    "spell_after_death": "two weeks of benefit after the person's death",
}


def write_synthetic_data(folder: str | Path) -> list[Path]:
    """Write the five tables and the README of the packaged register; other files are left alone.

    Returns
    -------
    list of pathlib.Path
        The files written.
    """
    tables = simulate_register(SCENARIO, seed=SEED)
    marked = mark_planted(tables, FAULTS, seed=SEED)
    tables["benefits"] = marked.drop(columns="planted")
    written = write_register(tables, folder)
    readme = Path(folder) / "README.md"
    readme.write_bytes(_readme(tables, marked["planted"]).encode("utf-8"))
    return [*written, readme]


def _readme(tables: dict[str, pd.DataFrame], planted: pd.Series[str]) -> str:
    truth = true_outcomes(SCENARIO, seed=SEED)
    eligible = truth[truth["eligible"]]
    first_year = eligible.loc[eligible["time"] <= 365, "cause"].value_counts()
    return _TEXT.format(
        n=SCENARIO.n,
        seed=SEED,
        first=SCENARIO.enrolment[0],
        last=SCENARIO.enrolment[1],
        data_end=SCENARIO.data_end,
        holds=SCENARIO.return_holds,
        maximum=SCENARIO.maximum_days,
        sizes="\n".join(f"| `{name}.csv` | {len(frame)} |" for name, frame in tables.items()),
        effects="\n".join(_effect_line(effect) for effect in SCENARIO.effects),
        pieces="\n".join(f"| {start} | {rate:.4f} |" for start, rate in SCENARIO.return_hazard),
        eligible=len(eligible),
        returned=int(first_year["return"]),
        pension=int(first_year["disability_pension"]),
        dead=int(first_year["death"]),
        gone=int(first_year["emigration"]),
        without=len(truth) - len(eligible),
        faults="\n".join(
            f"| `{kind}` | {_MEANING[kind]} | {', '.join(str(row + 2) for row in planted.index[planted == kind])} |"
            for kind in FAULTS
        ),
    )


def _effect_line(effect: Effect) -> str:
    unit = f"{LEVELS[effect.term]} against the other" if effect.term in LEVELS else f"per {effect.per:g}"
    return f"| {effect.term} | {unit} | {effect.log_hr:.2f} | {math.exp(effect.log_hr):.3f} |"


_TEXT: Final = """\
# A synthetic register

{n} invented people on long-term sick leave, in the files that `rtwcohort` reads. Nobody in it exists: every value was
drawn by the package's simulator. The true effects are known, so an analysis can be compared with what it should find.

Written by `python -m rtwcohort.simulate.synthetic_data FOLDER` with seed {seed}. The same command gives the same
bytes on every machine, and a test of the package checks that. `study.toml` is a study of it, not generated.

| file | rows |
| --- | --- |
{sizes}

Index dates run from {first} to {last}; the register ends on {data_end}. Spells have inclusive ends; an
empty end means that the spell is still running.

## What is true

Return to work is the first day without any health-related benefit (sickness benefit, work assessment allowance,
disability pension), counted in days from the index date; every return holds for at least {holds} days. Whoever is still
absent after {maximum} days of sickness benefit goes over to the work assessment allowance the next day: that is not a
return, and a rule that looks at sickness benefit alone will take it for one. Arms were drawn at random.

True hazard ratios of return, constant over time:

| term | of | log HR | HR |
| --- | --- | --- | --- |
{effects}

`age` is in years at the index date, `fabq_work` the FABQ-W score at M0, `belief` the mean of the eleven belief items
at M0, `days_on_benefit` the days on a benefit in the two years before the index date. Every other column, the grade
and the cluster included, has no effect on return. No questionnaire score depends on the arm.

Baseline rate of return a day (ordinary arm, woman, 45 years, FABQ-W 22, belief 2.2, 190 days on benefit before):

| from day | rate |
| --- | --- |
{pieces}

Of the {eligible} people with a benefit on the index date, {returned} returned within 365 days, {pension} got a
disability pension first, {dead} died first and {gone} emigrated first. {without} people were enrolled although their
benefit had ended: eligibility should find them. Ages run past 66, so an upper age limit excludes some people as well.

## Planted faults

These rows of `benefits.csv` are faulty on purpose (line numbers of the file, the header is line 1). `rtwcohort check`
should find them; after the default cleaning they change nothing. (It also counts the open ends, which are no mistake,
and faulty copies that overlap the row they were copied from.)

| fault | what was planted | lines |
| --- | --- | --- |
{faults}
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the packaged register into the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m rtwcohort.simulate.synthetic_data", description=__doc__)
    parser.add_argument("folder", help="where to write the five CSV files and the README")
    write_synthetic_data(parser.parse_args(arguments).folder)


if __name__ == "__main__":
    main()
