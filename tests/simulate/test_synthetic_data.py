"""The packaged register is what its command writes, byte for byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd

from rtwcohort.register import check_register, clean_register, load_register
from rtwcohort.simulate import simulate_register
from rtwcohort.simulate.synthetic_data import FAULTS, SCENARIO, SEED, write_synthetic_data

PACKAGED = Path(__file__).parents[2] / "synthetic_data"
GENERATED = {"persons.csv", "benefits.csv", "employment.csv", "enrolment.csv", "questionnaires.csv", "README.md"}


def test_it_is_regenerated_byte_for_byte(tmp_path):
    written = write_synthetic_data(tmp_path)
    assert {path.name for path in written} == GENERATED
    assert {path.name for path in PACKAGED.iterdir()} == GENERATED | {"study.toml"}
    for path in written:
        assert path.read_bytes() == (PACKAGED / path.name).read_bytes(), path.name


def test_the_command_in_the_readme_works(tmp_path):
    readme = (PACKAGED / "README.md").read_text(encoding="utf-8")
    assert "`python -m rtwcohort.simulate.synthetic_data FOLDER`" in readme
    command = [sys.executable, "-W", "error", "-m", "rtwcohort.simulate.synthetic_data", str(tmp_path / "out")]
    subprocess.run(command, check=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == GENERATED


def test_it_is_small():
    assert sum(path.stat().st_size for path in PACKAGED.iterdir()) < 3_200_000


def test_the_readme_names_seed_truth_and_faulty_lines():
    readme = (PACKAGED / "README.md").read_text(encoding="utf-8")
    assert f"seed {SEED}" in readme
    for effect in SCENARIO.effects:
        assert any(
            line.startswith(f"| {effect.term} ") and f"{effect.log_hr:.2f}" in line for line in readme.splitlines()
        )
    lines = (PACKAGED / "benefits.csv").read_text().splitlines()
    table = [
        line for line in readme.split("| fault | what was planted | lines |")[1].splitlines() if line.startswith("|")
    ][1:]
    numbers = {line.split("|")[1].strip(" `"): [int(n) for n in line.split("|")[3].split(",")] for line in table}
    assert {fault: len(rows) for fault, rows in numbers.items()} == FAULTS
    check = check_register(load_register(PACKAGED, data_end=SCENARIO.data_end))
    for fault, planted in numbers.items():
        found = check.rows(table="benefits", fault=fault)["row"].tolist()
        assert set(planted) <= set(found), fault
        assert set(planted) == set(found) or fault == "overlap_same_benefit"
    for number in numbers["duplicate_row"]:
        assert lines[number - 1] == lines[number - 2]
    for number in numbers["grade_outside_range"]:
        assert lines[number - 1].split(",")[4] == "0"
    for number in numbers["end_before_start"]:
        assert lines[number - 1].split(",")[2] > lines[number - 1].split(",")[3]


def test_no_date_or_grade_is_faulty_but_the_planted_ones():
    benefits = pd.read_csv(PACKAGED / "benefits.csv", parse_dates=["start", "end"])
    assert (benefits["end"] < benefits["start"]).sum() == FAULTS["end_before_start"]
    assert (~benefits["grade"].between(1, 100)).sum() == FAULTS["grade_outside_range"]
    assert benefits.duplicated().sum() == FAULTS["duplicate_row"]


def test_cleaning_leaves_what_was_simulated():
    cleaned = clean_register(load_register(PACKAGED, data_end=SCENARIO.data_end))
    pure = simulate_register(SCENARIO, seed=SEED)
    for name, frame in cleaned.tables().items():
        if name != "benefits":
            pd.testing.assert_frame_equal(frame.reset_index(drop=True), pure[name])
    # Only the certificates inside another one, at the same grade, are left.
    left = cleaned.benefits.merge(pure["benefits"], how="left", indicator=True)
    assert len(left) == len(cleaned.benefits)
    assert (left["_merge"] == "left_only").sum() == FAULTS["overlap_same_benefit"]
    assert len(cleaned.benefits) == len(pure["benefits"]) + FAULTS["overlap_same_benefit"]
