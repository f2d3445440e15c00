"""`rtwcohort synthesise` as a new user types it."""

import sys

import pandas as pd
import pytest

from rtwcohort.register import load_register
from rtwcohort.study.demo import demo_data


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


def test_a_copy_of_the_packaged_register(command, tmp_path):
    source = demo_data() / "study.toml"
    code, out, err = command("synthesise", source, "--out", tmp_path / "copy", "--seed", 5, "--n", 300)
    assert code == 0, err
    assert "Utility: " in out
    assert "Privacy: " in out
    copy = load_register(tmp_path / "copy")
    assert len(copy.persons) == 300
    real = pd.read_csv(demo_data() / "persons.csv")
    assert not set(copy.persons["person_id"]) & set(real["person_id"])


def test_what_cannot_be_copied_is_said_in_words(command, tmp_path):
    code, _, err = command("synthesise", tmp_path / "nothing", "--out", tmp_path / "copy", "--seed", 5)
    assert code not in (0, 1)
    assert "There is no" in err
    code, _, err = command("synthesise", demo_data(), "--out", tmp_path / "copy", "--seed", 5, "--least", 2)
    assert code not in (0, 1)
    assert "least" in err
    assert not (tmp_path / "copy").exists()
