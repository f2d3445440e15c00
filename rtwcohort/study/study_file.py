"""`rtwcohort init`: a commented study file for a folder of data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rtwcohort.errors import OutputError, RegisterError
from rtwcohort.instruments import INSTRUMENTS
from rtwcohort.register import Register, load_register
from rtwcohort.study.output import write_file

_HORIZON = 365
_BASELINE_WAVES = ("m0", "baseline", "t0", "0", "start", "inclusion")
_MOST_ARMS = 6
_PERSON_TERMS = ("sex", "education", "marital_status", "sector")


@dataclass(frozen=True, slots=True)
class Score:
    """An instrument that the questionnaires hold, with the wave that looks like baseline."""

    name: str
    instrument: str
    wave: str


def write_study_file(folder: Path, *, output: Path | None = None, force: bool = False) -> Path:
    """Write a commented study file that runs on the register in `folder` as it stands.

    Parameters
    ----------
    folder
        Folder of register tables.
    output
        Where to write; None means study.toml in `folder`.
    force
        Overwrite an existing file.

    Returns
    -------
    Path
        Of the file written.
    """
    if not folder.is_dir():
        raise RegisterError(f"There is no folder '{folder}'. Name the folder that holds the register's tables.")
    target = output if output is not None else folder / "study.toml"
    if target.exists() and not force:
        raise OutputError(f"'{target}' exists already. Add --force to overwrite it, or name another: --output FILE.")
    register = load_register(folder)
    place = os.path.relpath(folder.resolve(), target.resolve().parent)
    write_file(target, study_text(register, folder=Path(place).as_posix()).encode("utf-8"))
    return target


def study_text(register: Register, *, folder: str) -> str:
    """Return the text of a study file for a register.

    Parameters
    ----------
    register
        As loaded.
    folder
        What the study file shall call the register's folder.
    """
    arms = _arms(register)
    scores = _scores(register)
    parts = [
        _HEADER,
        _register_section(register, folder),
        _cohort_section(register, scores),
        _OUTCOME,
        _predictors_section(register, scores, arms),
        _MODELS,
        _arms_section(arms),
        _REPORT,
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


_HEADER = """
# A study file for rtwcohort. Run it with: rtwcohort run study.toml
# Every line that starts with # is a comment: a suggestion that is not in force.

[study]
title = "Return to work after sick leave"
authors = []
# description = "A paragraph at the top of the report."
"""

_OUTCOME = f"""
[outcome]
# What counts as return to work. `rtwcohort rules` lists the published definitions; this one is a month
# without any health-related benefit. Change single parts of one like this:
# rule = {{ base = "skagseth_2020_pa", length = 3, name = "three_months" }}
rule = "skagseth_2020_pa"
horizon = {_HORIZON}            # days of follow-up from the index date
day_zero = "event"       # a return on the index date itself; "exclude" leaves these people out
status_days = [0, 90, 180, 365]
absence_windows = [[0, {_HORIZON}]]
"""

_REPORT = """
[report]
small_cells = 5          # counts from 1 to 4 never leave; 0 switches this off
"""


def _register_section(register: Register, folder: str) -> str:
    lines = [
        "[register]",
        f"folder = {_quoted(folder)}             # relative to this file",
        "# The last day that the register knows about. Set it to the day of the extract: what is later is unknown.",
        f"data_end = {register.data_end.date()}    # the latest date found in the data",
    ]
    for source in register.sources:
        lines.append("")
        lines.append(f"# {source.table}: {source.path}, {source.n_rows} rows. {source.format}".rstrip())
        renamed = {ours: theirs for ours, theirs in source.columns.items() if ours != theirs}
        if renamed:
            lines.append(f"[register.columns.{source.table}]")
            lines += [f"{ours} = {_quoted(theirs)}" for ours, theirs in renamed.items()]
        if source.ignored:
            lines.append(f"# Columns not used: {', '.join(source.ignored)}")
    lines += [
        "",
        "[cleaning]",
        "# `rtwcohort check` lists the faults and what is done about them. To choose otherwise:",
    ]
    lines.append('# end_before_start = "swap"')
    return "\n".join(lines)


def _cohort_section(register: Register, scores: list[Score]) -> str:
    enrolled = register.enrolment is not None and register.enrolment["index_date"].notna().any()
    lines = ["[cohort]"]
    if enrolled:
        lines.append('index_date = "enrolment"     # the index_date of the enrolment table')
    else:
        lines.append("# There is no enrolment table: time counts from the 57th day of the first long absence.")
        lines.append('index_date = { at = "spell_day", day = 57 }')
    lines += ["# Applied in this order; each is a line of the flow.", "eligibility = ["]
    if "birth_date" in register.persons and register.persons["birth_date"].notna().any():
        lines.append('  { require = "age_at_index", min = 18, max = 66 },')
    lines += ['  { require = "on_benefit_at_index", benefits = ["sickness_benefit"] },', "]", ""]
    lines.append("[cohort.covariates]")
    note = "" if _has_history(register) else "# "
    lines.append(f'{note}days_on_benefit = {{ from = "history", measure = "days_on_benefit", years = 2 }}')
    lines += [
        f'{score.name} = {{ from = "questionnaire", instrument = "{score.instrument}", wave = {_quoted(score.wave)} }}'
        for score in scores
    ]
    return "\n".join(lines)


def _predictors_section(register: Register, scores: list[Score], arms: list[str]) -> str:
    persons = register.persons
    terms = ["arm"] if arms else []
    if "birth_date" in persons and persons["birth_date"].notna().any():
        terms.append("age")
    terms += [name for name in _PERSON_TERMS if name in persons and 2 <= persons[name].nunique() <= _MOST_ARMS]
    terms += ["days_on_benefit"] if _has_history(register) else []
    terms += [score.name for score in scores]
    scale = ", ".join(f"{name} = {step}" for name, step in (("age", 10), ("days_on_benefit", 100)) if name in terms)
    return "\n".join(
        [
            "[predictors]",
            '# Each alone, and all together in one Cox model. Interactions: "arm:sex".',
            f"terms = [{', '.join(_quoted(term) for term in terms)}]",
            f"scale = {{ {scale} }}    # hazard ratios per so many units" if scale else "# scale = { age = 10 }",
            '# reference = { sex = "female" }',
            'ties = "efron"',
            'missing = "drop"     # people with a missing predictor are left out of that model and counted; or "raise"',
        ]
    )


_MODELS = """
# Further models, each with a section of its own: cox, ordinal, ordinal_gee, logistic, gee, count, quantile.
# [[models]]
# name = "Work status over the year"
# family = "ordinal_gee"
# days = [90, 180, 365]
# terms = ["age", "wave"]
"""


def _arms_section(arms: list[str]) -> str:
    if not arms:
        return '# [arms]\n# column = "arm"\n# reference = "usual care"'
    return f'[arms]\ncolumn = "arm"\nreference = {_quoted(arms[0])}     # of {", ".join(arms)}'


def _arms(register: Register) -> list[str]:
    if register.enrolment is None or "arm" not in register.enrolment:
        return []
    counts = register.enrolment["arm"].dropna().astype(str).value_counts()
    return sorted(counts.index) if 2 <= len(counts) <= _MOST_ARMS else []


def _has_history(register: Register) -> bool:
    """Tell whether anybody was on a benefit before the date of enrolment.

    Without an enrolment table time counts from a fixed day of an absence, and most have that history in common.
    """
    if register.enrolment is None:
        return False
    index = register.enrolment.groupby("person_id")["index_date"].min()
    return bool((register.benefits["start"] < register.benefits["person_id"].map(index)).any())


def _scores(register: Register) -> list[Score]:
    """Find instruments that can be scored, at the wave that looks like baseline or is first by date."""
    answers = register.questionnaires
    if answers is None or answers.empty or not {"instrument", "wave"} <= set(answers.columns):
        return []
    found = []
    for instrument in INSTRUMENTS.values():
        if instrument.not_computable or instrument.name.startswith("WORK-STATUS"):
            continue
        named = answers["instrument"].astype(str).isin([instrument.name, instrument.family])
        mine = answers[named & answers["item"].astype(str).isin(instrument.items)]
        if not mine.empty:
            name = instrument.name.lower().replace("-", "_")
            found.append(Score(name, instrument.name, _baseline(mine)))
    return found


def _baseline(answers: pd.DataFrame) -> str:
    waves = [str(wave) for wave in answers["wave"].dropna().unique()]
    for wave in waves:
        if wave.lower() in _BASELINE_WAVES:
            return wave
    if "answered_on" in answers and answers["answered_on"].notna().any():
        return str(answers.sort_values("answered_on", kind="stable")["wave"].iloc[0])
    return sorted(waves)[0]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
