"""`rtwcohort simulate` as a new user types it."""

import sys
from pathlib import Path

import pytest

from rtwcohort.errors import ArgumentError, OutputError, ScenarioError
from rtwcohort.simulate.scenarios.read import scenario_names

TINY = Path(__file__).parent / "scenarios" / "tiny.toml"


@pytest.fixture
def command(monkeypatch, capsys):
    from rtwcohort.cli import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["rtwcohort", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return call


def test_it_writes_and_prints_the_fidelity_table(command, tmp_path):
    code, out, _ = command("simulate", TINY, "--n", 60, "--seed", 3, "--out", tmp_path / "r", "--fidelity-n", 2000)
    assert code == 0
    assert {path.name for path in (tmp_path / "r").iterdir()} == {
        "persons.csv",
        "benefits.csv",
        "employment.csv",
        "enrolment.csv",
        "README.md",
    }
    assert "tiny: " in out
    assert "published figures agree (2000 people simulated)" in out
    (line,) = [line for line in out.splitlines() if "women_visit" in line]
    assert line.split()[:4] == ["women_visit", "visit", "percent", "62"]
    (line,) = [line for line in out.splitlines() if "hr_visit" in line]
    assert line.split()[-1] in ("yes", "no")


def test_without_a_folder_nothing_is_written(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("simulate", TINY, "--fidelity-n", 500)[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_the_table_may_be_left_out(command, tmp_path):
    code, out, _ = command(
        "simulate", TINY, "--n", 30, "--out", tmp_path / "r", "--fidelity-n", 0, "--format", "parquet"
    )
    assert code == 0
    assert "published" not in out
    assert (tmp_path / "r" / "benefits.parquet").exists()


def test_the_list(command):
    code, out, _ = command("simulate", "--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(scenario_names())


def test_calibration_is_printed_and_writes_nothing(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("simulate", TINY, "--calibrate", "--fidelity-n", 500)
    assert code == 0
    assert err.startswith("Step 1: mean squared distance")
    assert "process.transitions[return].per_day: 1 -> 0." in out
    assert list(tmp_path.iterdir()) == []


def test_errors_have_their_exit_codes(command, tmp_path):
    code, _, err = command("simulate", "hernes_wvp")
    assert code == ScenarioError.exit_code
    assert "Did you mean 'hernes_wpv'?" in err
    (tmp_path / "mine.txt").write_text("mine")
    code, _, err = command("simulate", TINY, "--out", tmp_path)
    assert code == OutputError.exit_code
    assert "nothing in it was touched" in err
    code, _, err = command("simulate")
    assert code == 2
    assert "--list" in err


def test_a_dirty_register_is_written_with_the_truth(command, tmp_path):
    arguments = ("simulate", TINY, "--n", 200, "--dirty", "duplicate_row=0.05,unknown_sex=0.1")
    code, out, _ = command(*arguments, "--out", tmp_path / "r", "--fidelity-n", 0)
    assert code == 0
    truth = (tmp_path / "r" / "truth.csv").read_text(encoding="utf-8").splitlines()
    counts = {fault: sum(f",{fault}," in line for line in truth) for fault in ("duplicate_row", "unknown_sex")}
    assert min(counts.values()) > 5
    assert f"persons: {counts['unknown_sex']} rows with unknown_sex" in out


@pytest.mark.parametrize("scenario", ["gismervik", "norway"])
def test_typical_faults_fit_a_register_without_questionnaires_or_enrolment(command, tmp_path, scenario):
    arguments = ("simulate", scenario, "--n", 300, "--dirty", "typical", "--fidelity-n", 0)
    code, out, err = command(*arguments, "--out", tmp_path / "r")
    assert code == 0, err
    assert (tmp_path / "r" / "truth.csv").stat().st_size > 100
    assert "corrected_record" in out


def test_a_fault_asked_for_by_name_needs_its_table(command, tmp_path):
    code, _, err = command("simulate", "gismervik", "--dirty", "value_missing=0.1", "--out", tmp_path / "r")
    assert code == ArgumentError.exit_code
    assert "needs the table `questionnaires`" in err


def test_faults_need_a_folder_and_text_files(command, tmp_path):
    code, _, err = command("simulate", TINY, "--dirty", "typical")
    assert code == 2
    assert "give --out" in err
    assert command("simulate", TINY, "--dirty", "typical", "--out", tmp_path / "r", "--format", "parquet")[0] == 2
    assert command("simulate", TINY, "--dirty", "tipycal=2", "--out", tmp_path / "r")[0] not in (0, 1)
    assert not (tmp_path / "r").exists()


def test_a_scenario_without_published_figures_says_so(command):
    code, out, _ = command("simulate", "demo")
    assert code == 0
    assert "The scenario 'demo' stands for no published figures" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--n", 50), "give --out"),
        (("--calibrate", "--out", "somewhere"), "writes nothing"),
        (("--calibrate", "--dirty", "typical"), "writes nothing"),
        (("--fidelity-n", -1), "--fidelity-n"),
    ],
)
def test_options_that_would_do_nothing_are_refused(command, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, _, err = command("simulate", TINY, *arguments)
    assert code == 2
    assert words in err
    assert list(tmp_path.iterdir()) == []
