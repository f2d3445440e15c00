"""What is put in is what the truth says, at the rate asked for, by the seed alone."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.register import FAULT_NAMES, FAULTS, check_register, load_register
from rtwcohort.simulate.dirty import DIRT, DIRT_NAMES, PRESETS, dirty, parse_faults
from rtwcohort.simulate.dirty.inject import INJECTORS

END = "2022-12-31"


@pytest.fixture(scope="module")
def tables(draw_sound):
    return draw_sound(250, 1)


def test_the_register_under_test_is_sound(tables):
    check = check_register(load_register(tables, data_end=END))
    assert set(check.counts["fault"]) == {"open_end"}


def test_every_fault_of_the_check_can_be_put_in():
    assert {name for declared in DIRT for name in declared.found_by} == set(FAULT_NAMES)
    where = {fault.name: set(fault.tables) for fault in FAULTS}
    for declared in DIRT:
        if declared.found_by == (declared.name,):
            assert set(declared.tables) <= where[declared.name], declared.name
        assert bool(declared.found_by) != bool(declared.why), "found, or why not"
    assert set(INJECTORS) == set(DIRT_NAMES)
    assert all(set(rates) <= set(DIRT_NAMES) for rates in PRESETS.values())


def same(left, right):
    """Compare values whatever the dtype."""
    return (left == right) | (left.isna() & right.isna())


@pytest.mark.parametrize("name", [declared.name for declared in DIRT])
def test_one_fault_changes_the_rows_of_the_truth_and_no_other(tables, draw_sound, name):
    source = draw_sound(100, 1, text_ids=name == "id_zeros_lost")
    result = dirty(source, faults={name: 0.5}, seed=5, data_end=END)
    assert len(result.truth) > 0, result.notes
    assert set(result.truth["fault"]) == {name}
    for table, frame in result.tables.items():
        truth = result.truth[result.truth["table"] == table]
        origin = result.clean_rows[table]
        clean = result.clean[table]
        removed = truth.loc[truth["kind"] == "removed", "clean_row"]
        assert sorted([*origin[origin >= 0], *removed]) == list(range(len(clean)))
        assert sorted(np.flatnonzero(origin < 0)) == sorted(truth.loc[truth["kind"] == "added", "row"])
        kept = frame[origin >= 0]
        before = clean.iloc[origin[origin >= 0]].set_axis(kept.index, axis=0)
        equal = pd.DataFrame(
            {column: same(kept[column].astype(object), before[column].astype(object)) for column in kept}
        )
        differ = set(equal.index[~equal.all(axis=1)])
        changed = truth[truth["kind"] == "changed"]
        assert differ <= set(changed["row"])
        if name != "id_as_number":  # 7001 == 7001.0
            assert differ == set(changed["row"])
        assert (origin[changed["row"]] == changed["clean_row"]).all()


def test_swapped_dates_and_what_they_were(tables):
    result = dirty(tables, faults={"benefits.end_before_start": 0.1}, seed=2, data_end=END)
    for row in result.truth.itertuples():
        spell = result.tables["benefits"].iloc[row.row]
        start, end = (part.split("=")[1] for part in row.clean.split("; "))
        assert (str(spell["end"])[:10], str(spell["start"])[:10]) == (start, end)
        assert result.clean["persons"]["person_id"][row.person] == spell["person_id"]


def test_the_earlier_version_stands_before_the_record(tables):
    result = dirty(tables, faults={"benefits.corrected_record": 0.2}, seed=2, data_end=END)
    for row in result.truth.itertuples():
        record = result.clean["benefits"].iloc[row.clean_row]
        if record["employer_id"] is not None:
            assert result.clean_rows["benefits"][row.row + 1] == row.clean_row
        version = result.tables["benefits"].iloc[row.row]
        assert (version["grade"], version["end"]) != (record["grade"], record["end"])
        assert version["start"] == record["start"]


def test_rates_are_those_asked_for(draw_sound):
    """Binomial: within four standard errors of rate x rows."""
    tables = draw_sound(2000, 3)
    faults = {"duplicate_row": 0.02, "benefits.grade_missing": 0.1, "unknown_sex": 0.05, "value_missing": 0.3}
    result = dirty(tables, faults=faults, seed=8, data_end=END)
    counts = result.counts.set_index(["fault", "table"])["n_rows"]
    for fault, table, rate in [
        ("duplicate_row", "questionnaires", 0.02),
        ("duplicate_row", "benefits", 0.02),
        ("grade_missing", "benefits", 0.1),
        ("unknown_sex", "persons", 0.05),
        ("value_missing", "questionnaires", 0.3),
    ]:
        n = len(tables[table])
        assert abs(counts[fault, table] - n * rate) < 4 * np.sqrt(n * rate * (1 - rate)) + 0.02 * n * rate


def test_no_row_is_hit_twice_unless_asked(tables):
    faults = {"benefits.grade_missing": 0.5, "benefits.start_missing": 0.5, "benefits.diagnosis_malformed": 0.5}
    once = dirty(tables, faults=faults, seed=4, data_end=END).truth
    assert not once.duplicated(["table", "row"]).any()
    assert once["fault"].nunique() == 3
    twice = dirty(tables, faults=faults, seed=4, data_end=END, twice=True).truth
    assert twice.duplicated(["table", "row"]).any()


def test_the_seed_decides_everything(tables):
    faults = PRESETS["every_fault"]
    one, same_seed, other = (dirty(tables, faults=faults, seed=seed, data_end=END) for seed in (6, 6, 7))
    pd.testing.assert_frame_equal(one.truth, same_seed.truth)
    for table in one.tables:
        pd.testing.assert_frame_equal(one.tables[table], same_seed.tables[table])
    assert not one.truth.equals(other.truth)


def test_the_source_is_not_changed(tables):
    before = {table: frame.copy() for table, frame in tables.items()}
    dirty(tables, faults="every_fault", seed=1, data_end=END)
    for table, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[table])


def test_without_faults_nothing_happens(tables):
    result = dirty(tables, faults={"duplicate_row": 0}, seed=1, data_end=END)
    assert result.truth.empty
    assert result.notes == ()
    for table, frame in result.tables.items():
        pd.testing.assert_frame_equal(frame, result.clean[table])


def test_faults_of_the_source_are_left_alone(tables):
    spells = tables["benefits"]
    faulty = pd.concat([spells, spells.iloc[[3]]], ignore_index=True)
    person = spells["person_id"][3]
    result = dirty(tables | {"benefits": faulty}, faults={"duplicate_row": 1.0}, seed=1, data_end=END)
    hit = result.clean["persons"]["person_id"].to_numpy()[result.truth["person"]]
    assert person not in hit
    assert set(hit) == set(tables["persons"]["person_id"]) - {person}


def test_a_register_is_a_source_too(tables):
    register = load_register(tables, data_end=END)
    from_tables = dirty(tables, faults="typical", seed=3, data_end=END)
    pd.testing.assert_frame_equal(dirty(register, faults="typical", seed=3).truth, from_tables.truth)
    with pytest.raises(ArgumentError, match="`data_end` must not be given with a register"):
        dirty(register, faults="typical", seed=3, data_end=END)


def test_lost_zeros_need_text(tables):
    """Whole numbers have no zeros to lose: they become text of eleven digits in every table."""
    result = dirty(tables, faults={"id_zeros_lost": 0.1}, seed=1, data_end=END)
    assert set(result.clean["persons"]["person_id"].str.len()) == {11}
    hit = result.truth[result.truth["table"] == "benefits"]
    ids = result.tables["benefits"]["person_id"].iloc[hit["row"]]
    assert (ids.str.zfill(11).to_numpy() == hit["clean"].to_numpy()).all()
    assert not ids.str.startswith("0").any()


def test_a_fault_that_nothing_can_carry_is_noted(tables):
    alive = tables | {"persons": tables["persons"].assign(death_date=pd.NaT)}
    result = dirty(alive, faults={"spell_after_death": 1.0}, seed=1, data_end=END)
    assert result.truth.empty
    assert "'spell_after_death' was put in nowhere" in result.notes[0]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"duplicate_rows": 0.1}, r"`faults` names 'duplicate_rows'.*Did you mean 'duplicate_row'\?"),
        ({"duplicate_row": 1.1}, r"`faults\['duplicate_row'\]` must be a number from 0 to 1; got 1.1"),
        ({"duplicate_row": -0.1}, r"`faults\['duplicate_row'\]` must be a number from 0 to 1"),
        ({"person.unknown_sex": 0.1}, r"asks for 'unknown_sex' in 'person'.*Did you mean 'persons'\?"),
        ({"benefits.id_changed": 0.1}, r"by person, in all tables at once"),
        ("typicl", r"`faults` must be one of .*Did you mean 'typical'\?"),
        ({"value_missing": 0.1}, r"'value_missing', which needs the table `questionnaires`"),
        ({"questionnaires.duplicate_row": 0.1}, r"'duplicate_row', which needs the table `questionnaires`"),
    ],
)
def test_wrong_wishes(tables, faults, message):
    without = {table: frame for table, frame in tables.items() if table != "questionnaires"}
    with pytest.raises(ArgumentError, match=message):
        dirty(without, faults=faults, seed=1, data_end=END)


def test_a_preset_leaves_out_what_has_no_table(tables):
    without = {table: frame for table, frame in tables.items() if table != "questionnaires"}
    result = dirty(without, faults="every_fault", seed=1, data_end=END)
    assert "'value_missing' was left out: there is no table `questionnaires`." in result.notes
    assert "value_missing" not in result.rates
    assert len(result.truth) > 0


def test_rates_from_a_command_line():
    assert parse_faults("duplicate_row=0.01, benefits.open_end=0.5") == {
        "duplicate_row": 0.01,
        "benefits.open_end": 0.5,
    }
    assert parse_faults("typical") == PRESETS["typical"]
    for text, message in [
        ("duplicate_row", r"must be a preset .* or fault=rate.*Did you mean 'duplicate_row'\?"),
        ("duplicate_row=many", r"`faults\['duplicate_row'\]` must be a number from 0 to 1; got 'many'"),
        ("duplicate_rov=0.1", "Did you mean 'duplicate_row'"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            parse_faults(text)
