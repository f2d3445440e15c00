"""A small register on disk with a study file, and the command line as a user calls it."""

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

INDEX = dt.date(2020, 3, 2)

STUDY = """[study]
title = "A small study"
[register]
folder = "data"
data_end = 2021-12-31
[cohort]
eligibility = [{ require = "on_benefit_at_index" }]
[outcome]
rule = "gismervik_2020"
horizon = 365
[predictors]
terms = ["arm", "age", "sex"]
[arms]
column = "arm"
reference = "ordinary"
"""


def small_tables(n=80, seed=7):
    """Make n people on sickness benefit from the index date; nobody dies, all but a few return."""
    rng = np.random.default_rng(seed)
    ids = np.arange(501, 501 + n)
    arm = np.where(np.arange(n) % 2 == 0, "ordinary", "visit")
    days = np.ceil(rng.exponential(np.where(arm == "visit", 60, 120))).astype(int)
    persons = pd.DataFrame(
        {
            "person_id": ids,
            "sex": np.where(rng.random(n) < 0.5, "female", "male"),
            "birth_date": [dt.date(1960 + int(k), 1, 15) for k in rng.integers(0, 35, n)],
        }
    )
    benefits = pd.DataFrame(
        {
            "person_id": ids,
            "benefit": "sickness_benefit",
            "start": INDEX,
            "end": [INDEX + dt.timedelta(days=int(k) - 1) for k in days],
            "grade": 100,
        }
    )
    enrolment = pd.DataFrame({"person_id": ids, "index_date": INDEX, "arm": arm})
    return {"persons": persons, "benefits": benefits, "enrolment": enrolment}


@dataclass
class Place:
    """A folder with data/ and study.toml; change the tables or the text, then `save`."""

    folder: Path
    tables: dict
    text: str

    def save(self):
        (self.folder / "data").mkdir(exist_ok=True)
        for name, table in self.tables.items():
            table.to_csv(self.folder / "data" / f"{name}.csv", index=False)
        self.study.write_text(self.text, encoding="utf-8")
        return self

    @property
    def study(self):
        return self.folder / "study.toml"

    @property
    def results(self):
        return self.folder / "results-study"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, small_tables(), STUDY)


@pytest.fixture
def command(monkeypatch, capsys):
    """Call the command line in this process; returns exit code, standard output and standard error."""
    from rtwcohort.cli import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["rtwcohort", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "100")
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return call
