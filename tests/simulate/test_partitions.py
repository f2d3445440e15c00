"""Registers to files: the same bytes whatever the partition, all of the folder or nothing."""

import builtins
import errno
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, OutputError
from rtwcohort.register import check_register, load_register
from rtwcohort.simulate import partitions
from rtwcohort.simulate.partitions import csv_bytes, write_scenario
from rtwcohort.simulate.population import Margin
from rtwcohort.simulate.registers import simulate_register
from rtwcohort.simulate.scenarios.read import load_scenario


@pytest.fixture(scope="module")
def tiny():
    return load_scenario(Path(__file__).parent / "scenarios" / "tiny.toml")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_partitions_give_the_same_bytes(tiny, tmp_path):
    one = write_scenario(tiny, tmp_path / "one", n=150, seed=5, progress=False)
    write_scenario(tiny, tmp_path / "two", n=150, seed=5, partition=37, progress=False)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    names = ["persons.csv", "benefits.csv", "employment.csv", "enrolment.csv", "README.md"]
    assert [path.name for path in one] == names
    assert all(path.exists() for path in one)


def test_the_files_are_the_register(tiny, tmp_path):
    write_scenario(tiny, tmp_path / "out", n=150, seed=5, progress=False)
    tables = simulate_register(tiny, n=150, seed=5)
    register = load_register(tmp_path / "out", data_end=tiny.data_end)
    assert check_register(register).ok
    for name, frame in register.tables().items():
        pd.testing.assert_frame_equal(
            frame.reset_index(drop=True)[list(tables[name].columns)].dropna(axis=1, how="all"),
            tables[name].dropna(axis=1, how="all"),
            check_dtype=False,
        )


def test_parquet_holds_the_same(tiny, tmp_path):
    write_scenario(tiny, tmp_path / "csv", n=90, seed=5, progress=False)
    files = write_scenario(tiny, tmp_path / "parquet", n=90, seed=5, format="parquet", partition=40, progress=False)
    assert {path.suffix for path in files} == {".parquet", ".md"}
    plain, columns = (load_register(tmp_path / kind, data_end=tiny.data_end) for kind in ("csv", "parquet"))
    for name, frame in plain.tables().items():
        pd.testing.assert_frame_equal(frame.reset_index(drop=True), columns.tables()[name].reset_index(drop=True))


def test_the_readme_tells_what_is_true(tiny, tmp_path):
    write_scenario(tiny, tmp_path / "out", n=90, seed=5, progress=False)
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "`rtwcohort simulate tiny --n 90 --seed 5 --out FOLDER`" in text
    assert "| return | arm[visit] | log_hr | 0.35 | 1.419 | conditional |" in text
    assert "| `persons.csv` | 90 |" in text
    assert "| enrolment | `index_date` | date |" in text
    assert "questionnaires" not in text
    assert "| returned_ordinary | ordinary | percent | 58 |" in text


def test_csv_by_hand():
    frame = pd.DataFrame(
        {
            "person_id": [1, 2],
            "start": pd.to_datetime(["2015-01-05", None]).astype("datetime64[s]"),
            "grade": [50.0, 33.333],
            "diagnosis": ["L84", None],
            "value": [1.0, float("nan")],
        }
    )
    assert csv_bytes(frame) == (b"person_id,start,grade,diagnosis,value\n1,2015-01-05,50,L84,1\n2,,33.33,,\n")
    assert csv_bytes(frame.iloc[:1], header=False) == b"1,2015-01-05,50,L84,1\n"


def test_an_empty_folder_is_taken_and_one_with_files_is_not(tiny, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    write_scenario(tiny, empty, n=20, seed=1, progress=False)
    assert (empty / "persons.csv").exists()
    before = contents(empty)
    with pytest.raises(OutputError) as caught:
        write_scenario(tiny, empty, n=30, seed=1, progress=False)
    assert "is not empty; nothing in it was touched. Choose a new or an empty folder." in str(caught.value)
    assert contents(empty) == before
    with pytest.raises(OutputError, match="is a file"):
        write_scenario(tiny, empty / "persons.csv", n=30, seed=1)


def test_a_disk_that_fills_leaves_nothing_behind(tiny, tmp_path, monkeypatch):
    calls = []

    def full(frame, *, header=True):
        calls.append(len(frame))
        if len(calls) > 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        return csv_bytes(frame, header=header)

    monkeypatch.setattr(partitions, "csv_bytes", full)
    with pytest.raises(OutputError) as caught:
        write_scenario(tiny, tmp_path / "deep" / "out", n=90, seed=1, partition=30, progress=False)
    assert len(calls) == 7  # the second partition was being written
    assert "failed: the disk is full. Nothing was left behind. Free some space, ask for fewer people" in str(
        caught.value
    )
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_disk_that_fills_when_files_are_closed(tiny, tmp_path, monkeypatch):
    real = builtins.open

    class Full:
        def __init__(self, handle):
            self.handle = handle

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            self.handle.close()

    def opened(self, mode="r", *args, **more):
        handle = real(self, mode, *args, **more)
        return Full(handle) if mode == "wb" else handle

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OutputError, match="the disk is full"):
        write_scenario(tiny, tmp_path / "out", n=30, seed=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_leaves_nothing_behind(tiny, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(partitions, "simulate_register", broken)
    with pytest.raises(KeyboardInterrupt):
        write_scenario(tiny, tmp_path / "out", n=30, seed=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_text_with_a_separator_is_refused(tiny, tmp_path):
    comma = replace(tiny.population, margins={**tiny.population.margins, "sector": Margin(shares={"a, b": 1})})
    with pytest.raises(OutputError, match="comma, a quote or a line break"):
        write_scenario(replace(tiny, population=comma), tmp_path / "out", n=20, seed=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_arguments(tiny, tmp_path):
    for given, words in (
        ({"format": "sas"}, "`format` must be one of 'csv', 'parquet'"),
        ({"partition": 0}, "`partition` must be a whole number of at least 1"),
        ({"n": 0}, "`n` must be a whole number of at least 1; got 0"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0"),
    ):
        with pytest.raises(ArgumentError) as caught:
            write_scenario(tiny, tmp_path / "out", **{"seed": 1, "progress": False, **given})
        assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []
