"""The packaged registers are what their command writes, byte for byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from rtwcohort.errors import OutputError
from rtwcohort.register import check_register, clean_register, load_register
from rtwcohort.simulate import load_scenario, scenario_names, simulate_register, true_values
from rtwcohort.simulate.synthetic_data import (
    COMMAND,
    DEMO,
    PACKAGED,
    STUDIES,
    overview_text,
    packaged_tables,
    write_synthetic_data,
)

STORED = Path(__file__).parents[2] / "synthetic_data"
BY_HAND = {STORED / "demo" / "study.toml"}
MOST_BYTES = 20_000_000
LEFT_OUT = {"oyeflaten_2016"}
"""These two would add another 5 MB; `rtwcohort simulate` writes them in a second."""


@pytest.mark.parametrize("folder", [packaged.folder for packaged in PACKAGED])
def test_a_folder_is_written_again_byte_for_byte(folder, tmp_path):
    written = write_synthetic_data(tmp_path, only=[folder])
    for path in written:
        kept = STORED / path.relative_to(tmp_path)
        assert path.read_bytes() == kept.read_bytes(), f"{kept.relative_to(STORED)}: run {COMMAND}"
    kept = {path for path in (STORED / folder).iterdir() if path not in BY_HAND}
    assert {path.relative_to(STORED) for path in kept} == {path.relative_to(tmp_path) for path in written}


def test_nothing_else_is_kept_and_it_is_small():
    files = [path for path in STORED.rglob("*") if path.is_file()]
    folders = {(STORED / packaged.folder) for packaged in PACKAGED}
    assert {path.parent for path in files} == {STORED, *folders}
    assert {path for path in files if path.parent == STORED} == {STORED / "README.md"}
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


def test_the_command_writes_them(tmp_path):
    readme = (STORED / "README.md").read_text(encoding="utf-8")
    assert f"`{COMMAND}`" in readme
    command = [sys.executable, "-W", "error", "-m", "rtwcohort.simulate.synthetic_data", "--only", "demo"]
    subprocess.run([*command, str(tmp_path / "out")], check=True)
    written = {path.name for path in (tmp_path / "out" / "demo").iterdir()}
    assert written == {path.name for path in (STORED / "demo").iterdir()} - {"study.toml"}


def test_the_readme_of_all_lists_them():
    readme = (STORED / "README.md").read_text(encoding="utf-8")
    assert readme == overview_text(), f"run {COMMAND}"
    for packaged in PACKAGED:
        assert f"| [{packaged.folder}]({packaged.folder}/README.md) | `{packaged.scenario}` |" in readme


def test_every_scenario_is_packaged_or_left_out_for_a_reason():
    packaged = {packaged.scenario for packaged in PACKAGED}
    assert set(scenario_names()) - packaged == LEFT_OUT
    assert set(STUDIES) <= packaged


def test_what_is_not_packaged_is_refused(tmp_path):
    with pytest.raises(OutputError, match="`only` names 'hernse', which is not packaged"):
        write_synthetic_data(tmp_path, only=["hernse"])
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Choose another folder"):
        write_synthetic_data(tmp_path / "file", only=["demo"])


@pytest.mark.parametrize("packaged", PACKAGED, ids=lambda packaged: packaged.folder)
def test_each_readme_tells_scenario_seed_truth_and_columns(packaged):
    readme = (STORED / packaged.folder / "README.md").read_text(encoding="utf-8")
    assert f"scenario `{packaged.scenario}`, seed {packaged.seed}" in readme
    for row in true_values(load_scenario(packaged.scenario)).itertuples():
        assert f"| {row.outcome} | {row.term} | {row.scale} | {row.value:.4g} |" in readme
    for path in (STORED / packaged.folder).glob("*.csv"):
        for column in pd.read_csv(path, nrows=0).columns:
            assert f"| {path.stem} | `{column}` |" in readme


@pytest.mark.parametrize("packaged", [packaged for packaged in PACKAGED if not packaged.faults], ids=lambda p: p.folder)
def test_the_others_have_no_fault(packaged):
    end = load_scenario(packaged.scenario).data_end
    check = check_register(load_register(STORED / packaged.folder, data_end=end))
    assert set(check.counts["fault"]) <= {"open_end"}


def demo_faults():
    readme = (STORED / "demo" / "README.md").read_text(encoding="utf-8")
    table = readme.split("| file | fault | what was done | lines |\n| --- | --- | --- | --- |\n")[1].split("\n\n")[0]
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {fault: [int(number) for number in lines.split(",")] for _, fault, _, lines in cells}


def test_the_faults_of_the_demonstration_are_on_the_lines_named():
    numbers = demo_faults()
    assert set(numbers) == {name.partition(".")[2] for name in DEMO.faults}
    assert 8 <= sum(map(len, numbers.values())) <= 15
    check = check_register(load_register(STORED / "demo", data_end=load_scenario("demo").data_end))
    # The checker numbers lines of the file, the header being line 1.
    for fault, planted in numbers.items():
        assert sorted(check.rows(table="benefits", fault=fault)["row"].tolist()) == planted, fault
    assert set(check.counts["fault"]) == {*numbers, "open_end"}
    lines = (STORED / "demo" / "benefits.csv").read_text(encoding="utf-8").splitlines()
    for number in numbers["end_before_start"]:
        assert lines[number - 1].split(",")[2] > lines[number - 1].split(",")[3]
    for number in numbers["duplicate_row"]:
        assert lines.count(lines[number - 1]) == 2


def test_cleaning_the_demonstration_leaves_what_was_simulated():
    scenario = load_scenario("demo")
    spoilt = packaged_tables(DEMO)
    cleaned = clean_register(load_register(STORED / "demo", data_end=scenario.data_end))
    pure = simulate_register(scenario, seed=DEMO.seed)
    for name, frame in cleaned.tables().items():
        if name != "benefits":
            pd.testing.assert_frame_equal(frame.reset_index(drop=True), pure[name])
    changed = spoilt.truth[spoilt.truth["kind"] == "changed"]
    overlaps = (spoilt.truth["fault"] == "overlap_same_benefit").sum()
    left = cleaned.benefits.merge(pure["benefits"], how="outer", indicator=True)
    # Certificates inside another one stay; rows whose dates or grade are wrong are lost or changed.
    assert (left["_merge"] == "left_only").sum() <= overlaps + len(changed)
    assert (left["_merge"] == "right_only").sum() <= len(changed)
    assert len(changed) + overlaps < 12
