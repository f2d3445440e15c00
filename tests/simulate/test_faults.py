"""Planted faults are what they say, and add rows only."""

from __future__ import annotations

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import Scenario, plant_faults, simulate_register
from rtwcohort.simulate.faults import PLANTABLE, mark_planted

TABLES = simulate_register(Scenario(n=800, waves=()), seed=6)
FAULTS = {
    "duplicate_row": 3,
    "end_before_start": 2,
    "overlap_same_benefit": 3,
    "grade_outside_range": 2,
    "spell_after_death": 2,
}


def test_every_kind_is_tried_here():
    assert set(FAULTS) == set(PLANTABLE)


def test_rows_are_added_and_none_is_changed():
    marked = mark_planted(TABLES, FAULTS, seed=1)
    assert marked["planted"].value_counts().drop("").to_dict() == FAULTS
    kept = marked[marked["planted"] == ""].drop(columns="planted").reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, TABLES["benefits"])


def test_each_fault_is_one():
    marked = mark_planted(TABLES, FAULTS, seed=1).merge(TABLES["persons"][["person_id", "death_date"]], on="person_id")
    kind = {name: marked[marked["planted"] == name] for name in FAULTS}
    columns = ["person_id", "benefit", "start", "end", "grade"]
    assert marked.duplicated(columns)[marked["planted"] == "duplicate_row"].all()
    assert marked.duplicated(columns).sum() == 3
    assert (kind["end_before_start"]["end"] < kind["end_before_start"]["start"]).all()
    assert (kind["grade_outside_range"]["grade"] == 0).all()
    assert (kind["spell_after_death"]["start"] > kind["spell_after_death"]["death_date"]).all()
    for row in kind["overlap_same_benefit"].itertuples():
        others = TABLES["benefits"].query("person_id == @row.person_id and benefit == @row.benefit")
        around = others[(others["start"] < row.start) & (others["end"] == row.end) & (others["grade"] == row.grade)]
        assert len(around) == 1


def test_planting_gives_tables_again():
    planted = plant_faults(TABLES, FAULTS, seed=1)
    assert list(planted["benefits"].columns) == list(TABLES["benefits"].columns)
    assert len(planted["benefits"]) == len(TABLES["benefits"]) + sum(FAULTS.values())
    assert planted["persons"] is TABLES["persons"]
    pd.testing.assert_frame_equal(plant_faults(TABLES, {}, seed=1)["benefits"], TABLES["benefits"])


def test_what_cannot_be_planted_is_refused():
    with pytest.raises(ArgumentError, match=r"`faults` must be one of .*Did you mean 'duplicate_row'"):
        plant_faults(TABLES, {"duplicate_rows": 1}, seed=1)
    with pytest.raises(ArgumentError, match="asks for 500 rows of 'spell_after_death', but only"):
        plant_faults(TABLES, {"spell_after_death": 500}, seed=1)
    with pytest.raises(ArgumentError, match=r"`faults\['overlap_same_benefit'\]` must be a whole number"):
        plant_faults(TABLES, {"overlap_same_benefit": -1}, seed=1)
