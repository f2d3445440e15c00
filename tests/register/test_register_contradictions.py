"""Rows that contradict each other: which of them is taken for the faulty one."""

import numpy as np
import pandas as pd
import pytest

from rtwcohort.register import check_register, clean_register, load_register

PERSONS = {"person_id": [1, 2], "birth_date": ["1980-01-01", "1970-01-01"], "death_date": [None, None]}
ROWS = ["start", "end", "grade", "employer_id"]


def benefits(*rows, person=1):
    frame = pd.DataFrame(list(rows), columns=ROWS)
    frame.insert(0, "person_id", person)
    frame.insert(1, "benefit", "sickness_benefit")
    return frame


def load(spells, **persons):
    return load_register({"persons": pd.DataFrame(PERSONS | persons), "benefits": spells}, data_end="2022-12-31")


def found(register):
    rows = check_register(register).rows()
    return sorted(zip(rows["table"], rows["fault"], rows["row"], strict=True))


THREE = (
    ("2020-01-01", "2020-01-31", 100, "E1"),
    ("2020-03-01", "2020-03-31", 100, "E1"),
    ("2020-05-01", "2020-05-31", 100, "E1"),
)


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        # after one of three, two of three, all three first days; in the future; after death
        ("2020-02-01", [("benefits", "spell_before_birth", 1)]),
        ("2020-04-01", [("persons", "birth_after_records", 1)]),
        ("2021-04-01", [("persons", "birth_after_records", 1)]),
        ("2023-04-01", [("persons", "birth_after_records", 1), ("persons", "impossible_date", 1)]),
    ],
)
def test_a_birth_against_most_records_is_the_fault(birth, expected):
    register = load(benefits(*THREE), birth_date=[birth, "1970-01-01"])
    assert found(register) == expected
    cleaned = clean_register(register)
    if expected[0][1] == "spell_before_birth":
        assert cleaned.benefits.index.tolist() == [2, 3]
    else:
        assert cleaned.benefits.index.tolist() == [1, 2, 3]
        assert cleaned.persons["birth_date"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("death", "expected"),
    [
        ("2020-04-20", [("benefits", "spell_after_death", 3)]),
        ("2020-02-20", [("persons", "death_before_records", 1)]),
        ("1980-02-20", [("persons", "death_before_records", 1)]),
    ],
)
def test_a_death_against_most_records_is_the_fault(death, expected):
    register = load(benefits(*THREE), death_date=[death, None])
    assert found(register) == expected
    left = clean_register(register).benefits.index.tolist()
    assert left == ([1, 2] if expected[0][0] == "benefits" else [1, 2, 3])


def test_one_record_is_not_enough_to_blame_a_date():
    register = load(benefits(THREE[0]), birth_date=["2021-01-01", "1970-01-01"])
    assert found(register) == [("benefits", "spell_before_birth", 1)]


def test_records_after_the_last_day_known_say_nothing_about_a_death():
    late = [(f"2023-0{k}-01", f"2023-0{k}-20", 100, "E1") for k in (1, 2, 3)]
    register = load(benefits(THREE[0], *late), death_date=["2021-01-01", None])
    assert ("persons", "death_before_records", 1) not in found(register)
    assert clean_register(register).benefits.index.tolist() == [1]


def test_copies_of_one_record_are_one_record():
    register = load(benefits(*THREE[:1] * 3), birth_date=["2021-01-01", "1970-01-01"])
    assert ("persons", "birth_after_records", 1) not in found(register)


def test_birth_after_death_does_not_make_spells_faulty():
    register = load(benefits(*THREE), birth_date=["2021-06-01", "1970-01-01"], death_date=["2020-12-31", None])
    assert ("persons", "birth_after_death", 1) in found(register)
    assert {table for table, _, _ in found(register)} == {"persons"}


def test_the_earlier_version_of_a_corrected_record_is_found():
    old = ("2020-01-01", "2020-03-15", 100, "E1")
    new = ("2020-01-01", "2020-01-31", 50, "E1")
    register = load(benefits(old, new, *THREE[1:]))
    assert found(register) == [("benefits", "corrected_record", 1)]
    assert len(clean_register(register).benefits) == 4
    dropped = clean_register(register, rules={"corrected_record": "drop"})
    assert dropped.benefits.index.tolist() == [2, 3, 4]
    latest = clean_register(register, rules={"overlap_same_benefit": "latest"})
    assert latest.benefits.index.tolist() == [2, 3, 4]
    both = clean_register(register, rules={"overlap_same_benefit": "latest", "corrected_record": "keep"})
    assert both.benefits.index.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("employers", [("E1", "E2"), (None, None), ("E1", None)])
def test_two_employers_are_an_overlap_and_no_correction(employers):
    rows = [("2020-01-01", "2020-01-31", grade, employer) for grade, employer in zip((50, 60), employers, strict=True)]
    assert found(load(benefits(*rows))) == [("benefits", "overlap_same_benefit", 2)]


def test_a_corrected_job_is_found():
    jobs = pd.DataFrame(
        {"person_id": [1, 1, 1], "start": "2019-01-01", "position": [50, 80, 20], "employer_id": ["E1", "E1", "E2"]}
    )
    register = load_register(
        {"persons": pd.DataFrame(PERSONS), "benefits": benefits(*THREE), "employment": jobs}, data_end="2022-12-31"
    )
    assert found(register) == [("employment", "corrected_record", 1)]


def test_an_open_end_before_a_later_spell_is_the_fault_and_can_be_closed():
    rows = (("2020-01-01", None, 100, None), ("2020-01-01", "2020-01-10", 100, None), *THREE[1:])
    register = load(benefits(*rows))
    assert found(register) == [
        ("benefits", "open_end", 1),
        ("benefits", "open_end_followed", 1),
    ]
    closed = clean_register(register, rules={"open_end_followed": "close"}).benefits
    assert closed["end"].dt.strftime("%m-%d").tolist() == ["02-29", "01-10", "03-31", "05-31"]


@pytest.mark.parametrize(
    ("start", "end", "fault"),
    [
        ("1020-01-01", "2022-01-31", "impossible_spell_date"),
        ("2019-01-01", "2999-01-31", None),
        ("2019-01-01", "2299-01-31", "impossible_spell_date"),
        ("2019-01-01", "31.02.2020", "unreadable_spell_date"),
        ("1920-01-01", "2022-01-31", "spell_before_birth"),
    ],
)
def test_a_faulty_date_does_not_make_sound_spells_overlap(start, end, fault):
    register = load(benefits((start, end, 100, "E9"), *THREE))
    faults = set(check_register(register).counts["fault"])
    assert faults - {"spell_before_birth"} == ({fault} if fault else {"open_end", "open_end_followed"}) - {
        "spell_before_birth"
    }
    assert {row for _, _, row in found(register)} == {1}


def test_single_shares_among_percentages_are_multiplied():
    grades = [100, 0.5, 1.0, 50]
    rows = [(f"2020-0{k}-01", f"2020-0{k}-20", grade, "E1") for k, grade in enumerate(grades, start=1)]
    register = load(benefits(*rows))
    assert {("benefits", "percent_as_fraction", 2), ("benefits", "percent_as_fraction", 3)} < set(found(register))
    assert clean_register(register).benefits["grade"].tolist() == [100.0, 50.0, 100.0, 50.0]
    without = load(benefits(*[row for row in rows if row[2] != 0.5]))
    assert found(without) == []


def test_numbers_beside_unreadable_text_keep_their_value():
    """2.125 written as text could be 2125; as a number it is what it is."""
    answers = pd.DataFrame(
        {"person_id": 1, "instrument": "S", "item": ["1", "2", "3"], "value": np.array([2.125, "?", 3], dtype=object)}
    )
    register = load_register({"benefits": benefits(*THREE), "questionnaires": answers}, data_end="2022-12-31")
    assert found(register) == [
        ("questionnaires", "unreadable_number", 2),
        ("questionnaires", "value_missing", 2),
    ]
    assert register.questionnaires["value"].tolist()[0] == 2.125


def test_identifiers_written_as_floating_point_match_whole_ones(tmp_path):
    (tmp_path / "persons.csv").write_text("person_id\n10001\n10002\n")
    (tmp_path / "benefits.csv").write_text(
        "person_id,benefit,start,end,grade\n10001.0,aap,2020-01-01,2020-02-01,100\n10002,aap,2020-01-01,2020-02-01,100\n"
    )
    register = load_register(tmp_path, data_end="2022-12-31")
    assert register.benefits["person_id"].tolist() == [10001, 10002]
    assert check_register(register).counts.empty


def test_a_file_put_together_from_two_encodings_is_read_by_line(tmp_path):
    head = b"person_id,benefit,start,end,grade,employer_id\n"
    lines = [f"1,sykepenger,2020-0{k}-01,2020-0{k}-20,100,Bærum" for k in (1, 2, 3)]
    path = tmp_path / "benefits.csv"
    path.write_bytes(head + b"\n".join([lines[0].encode(), lines[1].encode("iso-8859-1"), lines[2].encode()]) + b"\n")
    register = load_register(tmp_path, data_end="2022-12-31")
    assert register.benefits["employer_id"].tolist() == ["Bærum"] * 3
    assert "UTF-8 and ISO-8859-1 by line" in register.sources[0].format
