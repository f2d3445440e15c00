"""A synthetic register: sound, new, the same for equal seeds, refused where aggregates would describe persons."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, OutputError, RegisterError
from rtwcohort.register import check_register, load_register
from rtwcohort.simulate.partitions import csv_bytes
from rtwcohort.simulate.synthesise import synthesise
from rtwcohort.simulate.synthesise.matches import fresh_persons
from rtwcohort.simulate.synthesise.privacy import half_of


@pytest.mark.parametrize("name", ["asked", "everybody"])
def test_the_synthetic_register_has_no_fault_that_cleaning_would_mend(name, request):
    real = request.getfixturevalue(name)
    made = request.getfixturevalue(f"copy_of_{name}")
    register = load_register(dict(made.tables), data_end=real.data_end)
    found = check_register(register)
    assert found.ok, found.describe()
    assert set(found.counts["fault"]) <= {"open_end"}
    assert register.unreadable == ()


def test_the_synthetic_register_has_the_tables_and_columns_of_the_real_one(asked, copy_of_asked):
    assert set(copy_of_asked.tables) == set(asked.tables())
    for name, frame in copy_of_asked.tables.items():
        real = asked.tables()[name]
        assert set(frame.columns) == set(real.columns)
        for column in frame.columns:
            if column not in ("death_date", "emigration_date", "end"):
                assert frame[column].notna().any() == real[column].notna().any(), (name, column)


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not(asked, copy_of_asked):
    again = synthesise(asked, seed=7, reports=False)
    other = synthesise(asked, seed=8, reports=False)
    for name, frame in copy_of_asked.tables.items():
        assert csv_bytes(frame) == csv_bytes(again.tables[name])
        assert csv_bytes(frame) != csv_bytes(other.tables[name])


def test_no_identifier_is_carried_over(asked, copy_of_asked):
    for table, column in (("persons", "person_id"), ("employment", "employer_id"), ("enrolment", "cluster")):
        mine = set(asked.tables()[table][column].dropna().astype(str))
        theirs = set(copy_of_asked.tables[table][column].dropna().astype(str))
        assert mine
        assert theirs
        assert not mine & theirs


def test_no_row_of_persons_is_a_real_one(asked, copy_of_asked):
    columns = [column for column in asked.persons.columns if column != "person_id"]
    joined = copy_of_asked.tables["persons"][columns].merge(asked.persons[columns].drop_duplicates(), how="inner")
    assert joined.empty


def test_a_drawn_row_that_is_a_real_one_is_moved(asked):
    drawn = asked.persons.head(20).reset_index(drop=True)
    moved = fresh_persons(asked, drawn)
    days = (moved["birth_date"] - drawn["birth_date"]).dt.days
    assert (days >= 1).all()
    assert moved.drop(columns="birth_date").equals(drawn.drop(columns="birth_date"))


def test_extremes_and_rare_categories_do_not_come_through(asked, copy_of_asked):
    persons = copy_of_asked.tables["persons"]
    assert persons["income"].max() < asked.persons["income"].drop(17, errors="ignore").max() + 1_000_000
    assert persons["income"].max() < 9_999_999.0
    assert "one_of_a_kind" not in set(persons["education"].dropna())


def test_the_people_asked_for_are_drawn(copy_of_everybody):
    assert len(copy_of_everybody.tables["persons"]) == 1200
    assert "enrolment" not in copy_of_everybody.tables


def test_nobody_is_followed_before_the_register_opens_or_after_it_ends(everybody, copy_of_everybody):
    benefits = copy_of_everybody.tables["benefits"]
    assert benefits["start"].max() <= everybody.data_end
    assert (benefits["end"].dropna() >= pd.Timestamp("2015-01-01")).all()
    assert "followed from 2015-01-01" in copy_of_everybody.describe()


def test_clusters_come_in_number(asked, copy_of_asked):
    real = asked.enrolment["cluster"].nunique()
    made = copy_of_asked.tables["enrolment"]["cluster"].nunique()
    assert 0.7 * real <= made <= real


def test_answers_keep_means_spreads_and_missing_waves(asked, copy_of_asked):
    real = asked.questionnaires.groupby(["wave", "item"])["value"].agg(["count", "mean", "std"])
    made = copy_of_asked.tables["questionnaires"].groupby(["wave", "item"])["value"].agg(["count", "mean", "std"])
    assert list(real.index) == list(made.index)
    error = np.sqrt(2.0) * real["std"] / np.sqrt(real["count"])
    assert (np.abs(real["mean"] - made["mean"]) < 3.5 * error).all()
    np.testing.assert_allclose(made["std"], real["std"], rtol=0.15)
    np.testing.assert_allclose(made["count"], real["count"], rtol=0.1)


def test_too_few_people_are_refused(asked):
    few = half_of(asked, set(asked.persons["person_id"].head(150)))
    with pytest.raises(RegisterError, match=r"at least 200 people.*it has 150.*simulate_register"):
        synthesise(few, seed=1)


def test_too_few_returns_are_refused(asked):
    early = replace(
        asked,
        benefits=asked.benefits.assign(end=asked.benefits["end"].where(asked.benefits["end"] < "2014-01-01")),
        employment=None,
        questionnaires=None,
    )
    first = early.benefits.sort_values("start").drop_duplicates("person_id", keep="last")
    early = replace(early, benefits=first)
    with pytest.raises(RegisterError, match="at least 50 people who leave sickness benefit"):
        synthesise(early, seed=1)


def test_a_register_with_faults_is_refused(asked):
    spoilt = replace(
        asked, benefits=asked.benefits.assign(grade=asked.benefits["grade"].where(lambda g: g > 45, 400.0))
    )
    with pytest.raises(RegisterError, match="Run `clean_register` first"):
        synthesise(spoilt, seed=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "`seed` must be a whole number of at least 0"),
        ({"seed": 1, "least": 4}, "`least` must be a whole number of at least 5"),
        ({"seed": 1, "n": 99}, "`n` must be a whole number of at least 100"),
    ],
)
def test_arguments_that_break_their_rule_are_refused(asked, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        synthesise(asked, **arguments)


def test_it_is_written_as_a_whole_or_not_at_all(asked, copy_of_asked, tmp_path):
    written = copy_of_asked.write(tmp_path / "made")
    assert sorted(path.name for path in written) == sorted(
        [f"{name}.csv" for name in copy_of_asked.tables] + ["README.md"]
    )
    loaded = load_register(tmp_path / "made", data_end=asked.data_end)
    assert len(loaded.benefits) == len(copy_of_asked.tables["benefits"])
    assert "Privacy" in (tmp_path / "made" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="not empty"):
        copy_of_asked.write(tmp_path / "made")


def test_the_description_holds_no_small_count(copy_of_asked):
    for note in copy_of_asked.fitted.notes:
        for word in note.split():
            if word.isdigit() and "people" in note.split(word)[1][:8]:
                assert int(word) >= copy_of_asked.least or f"fewer than {word}" in note
