"""Each kind of fault, as a table: what stands in the file, what is found, what cleaning leaves.

The register under test is sound but for one row. `found` are line numbers (the header is line 1).
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.register import (
    BENEFIT_NAMES,
    FAULT_NAMES,
    FAULTS,
    TABLES,
    Register,
    check_register,
    clean_register,
    load_register,
)

SOUND = {
    "persons": """
        person_id , sex    , birth_date , death_date , emigration_date , income
        1         , female , 1980-02-29 ,            ,                 , 450000
        2         , male   , 1970-01-01 , 2020-06-30 ,                 , 500000
        3         , male   , 1990-01-01 ,            , 2020-05-01      ,
        """,
    "benefits": """
        person_id , benefit          , start      , end        , grade , diagnosis
        1         , sickness_benefit , 2020-01-01 , 2020-01-31 , 100   , L84
        1         , sickness_benefit , 2020-02-01 , 2020-02-29 , 50    , M54.5
        2         , sickness_benefit , 2020-01-01 , 2020-03-31 , 100   ,
        3         , sickness_benefit , 2020-01-01 , 2020-03-31 , 20    , P76
        """,
    "employment": """
        person_id , start      , end        , position
        1         , 2015-01-01 ,            , 100
        2         , 2016-01-01 , 2020-01-31 , 40
        """,
    "enrolment": """
        person_id , index_date , arm
        1         , 2020-01-15 , a
        2         , 2020-01-15 , b
        """,
    "questionnaires": """
        person_id , wave , answered_on , instrument , item , value
        1         , M0   , 2020-01-15  , FABQ-W     , 1    , 4
        1         , M0   , 2020-01-15  , FABQ-W     , 2    , 5
        """,
}
DATA_END = "2020-12-31"


ELSEWHERE = {"percent_as_fraction", "birth_after_records", "death_before_records", "corrected_record"}
"""Faults that take several rows to show; tested below or in test_register_contradictions."""


def write(folder, tables):
    for table, text in tables.items():
        lines = [",".join(cell.strip() for cell in line.split(",")) for line in text.strip().splitlines()]
        (folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def load(folder, *extra_rows) -> Register:
    """Load the sound register with rows added: "table: cells"."""
    tables = dict(SOUND)
    for extra in extra_rows:
        table, cells = extra.split(":", 1)
        tables[table] = tables[table].rstrip() + "\n" + cells
    write(folder, tables)
    return load_register(folder, data_end=DATA_END)


@dataclass(frozen=True)
class Case:
    """One row with a fault.

    Attributes
    ----------
    fault
        Its name.
    row
        The row added to the sound register, "table: cells".
    found
        Line numbers in that table.
    left
        What remains of the person's last row in that table after cleaning: None when it is dropped.
    also
        Other faults that the row has by its nature.
    """

    fault: str
    row: str
    found: tuple[int, ...]
    left: dict | None = None
    also: tuple[str, ...] = field(default=())


CASES = [
    # fault, row added, lines found, what is left of it
    Case("person_id_missing", "benefits: , aap, 2020-04-01, 2020-04-30, 100,", (6,)),
    Case("duplicate_row", "benefits: 3, sickness_benefit, 2020-01-01, 2020-03-31, 20, P76", (6,)),
    Case("unreadable_spell_date", "benefits: 1, aap, 2020-04-01, 31.04.2020, 100,", (6,)),
    Case("unreadable_spell_date", "employment: 1, 2020, 2020-04-30, 100", (4,), None, ("start_missing",)),
    Case("unreadable_date", "persons: 4, female, 1980-02-30, , ,", (5,), {"birth_date": None}),
    Case(
        "unreadable_number",
        "benefits: 1, aap, 2020-04-01, 2020-04-30, full,",
        (6,),
        {"grade": 100.0},
        ("grade_missing",),
    ),
    Case("duplicate_person", "persons: 1, male, 1980-02-29, , , 450000", (5,), {"sex": "female"}),
    Case("unknown_sex", "persons: 4, 2, 1980-01-01, , ,", (5,), {"sex": None}),
    Case("impossible_date", "persons: 4, male, 1880-01-01, , ,", (5,), {"birth_date": None}, ("age_over_110",)),
    Case("impossible_date", "persons: 4, male, 2021-01-01, , ,", (5,), {"birth_date": None}),
    Case("impossible_date", "questionnaires: 1, M3, 1020-05-01, FABQ-W, 1, 2", (4,), {"answered_on": None}),
    Case("birth_after_death", "persons: 4, male, 1980-01-02, 1980-01-01, ,", (5,), {"birth_date": None}),
    Case("age_over_110", "persons: 4, male, 1909-12-31, , ,", (5,), {"birth_date": None}),
    Case("start_missing", "benefits: 1, aap, , 2020-04-30, 100,", (6,)),
    Case("impossible_spell_date", "benefits: 1, aap, 2020-04-01, 2220-04-30, 100,", (6,)),
    Case("end_before_start", "benefits: 1, aap, 2020-04-01, 2020-03-31, 100,", (6,)),
    Case("grade_outside_range", "benefits: 1, aap, 2020-04-01, 2020-04-30, 101,", (6,), {"grade": 100.0}),
    Case("grade_outside_range", "benefits: 1, aap, 2020-04-01, 2020-04-30, 0,", (6,)),
    Case("grade_missing", "benefits: 1, aap, 2020-04-01, 2020-04-30, ,", (6,), {"grade": 100.0}),
    Case("position_outside_range", "employment: 3, 2018-01-01, , 110", (4,), {"position": 100.0}),
    Case("position_outside_range", "employment: 3, 2018-01-01, , -5", (4,)),
    Case("position_missing", "employment: 3, 2018-01-01, ,", (4,), {"position": 100.0}),
    Case("unknown_benefit", "benefits: 1, 890, 2020-04-01, 2020-04-30, 100,", (6,), {"benefit": "other"}),
    Case("unknown_benefit", "benefits: 1, , 2020-04-01, 2020-04-30, 100,", (6,), {"benefit": "other"}),
    Case("diagnosis_malformed", "benefits: 1, aap, 2020-04-01, 2020-04-30, 100, back", (6,), {"diagnosis": "back"}),
    Case("index_date_missing", "enrolment: 3, , a", (4,)),
    Case("item_missing", "questionnaires: 1, M0, 2020-01-15, FABQ-W, , 5", (4,)),
    Case("person_missing", "benefits: 9, aap, 2020-04-01, 2020-04-30, 100,", (6,), {"person_id": 9}),
    Case("spell_before_birth", "benefits: 3, aap, 1989-12-31, 2019-12-31, 100,", (6,)),
    Case("spell_after_death", "benefits: 2, aap, 2020-07-01, 2020-07-31, 100,", (6,)),
    Case("end_after_death", "benefits: 2, aap, 2020-06-30, 2020-07-31, 100,", (6,), {"end": "2020-06-30"}),
    Case("spell_after_emigration", "benefits: 3, aap, 2020-05-02, 2020-05-31, 100,", (6,), {"start": "2020-05-02"}),
    Case("spell_after_data_end", "benefits: 1, aap, 2021-01-01, 2021-01-31, 100,", (6,)),
    Case(
        "open_end_followed",
        "benefits: 1, sickness_benefit, 2019-01-01, , 100,",
        (6,),
        {"start": "2019-01-01", "end": None},
        ("open_end",),
    ),
    Case("open_end", "benefits: 1, aap, 2020-04-01, , 100,", (6,), {"end": None}),
    Case("overlap_same_benefit", "benefits: 1, sykepenger, 2020-02-29, 2020-03-31, 100,", (6,), {"end": "2020-03-31"}),
    Case("duplicate_enrolment", "enrolment: 1, 2020-02-15, b", (4,), {"index_date": "2020-01-15"}),
    Case("index_after_data_end", "enrolment: 3, 2021-01-01, a", (4,)),
    Case("index_after_death", "enrolment: 2, 2020-06-30, b", (4,), None, ("duplicate_enrolment",)),
    Case("value_missing", "questionnaires: 1, M0, 2020-01-15, FABQ-W, 3, ", (4,), {"value": None}),
    Case("duplicate_answer", "questionnaires: 1, M0, 2020-01-16, FABQ-W, 2, 0", (4,), {"value": 5.0}),
]


def test_the_sound_register_has_no_fault(tmp_path):
    check = check_register(load(tmp_path))
    assert check.counts.empty
    assert check.ok
    assert "No faults found." in check.describe()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}: {case.row}")
def test_one_row_a_fault(tmp_path, case):
    register = load(tmp_path, case.row)
    table = case.row.split(":")[0]
    check = check_register(register)
    assert set(check.counts["table"]) == {table}
    assert set(check.counts["fault"]) == {case.fault, *case.also}
    listed = check.rows(table, case.fault)
    assert tuple(listed["row"]) == case.found
    assert list(listed) == ["table", "fault", "row"]
    fault = next(fault for fault in FAULTS if fault.name == case.fault)
    counted = check.counts.set_index("fault").loc[case.fault]
    assert counted["n_rows"] == len(case.found)
    assert counted["n_persons"] == (0 if case.fault == "person_id_missing" else 1)
    assert counted["meaning"] == fault.meaning
    assert counted["action"] == fault.actions[fault.default_action]
    assert case.fault in check.describe()

    cleaned = clean_register(register).tables()[table]
    person = register.tables()[table].loc[case.found[0], "person_id"]
    if case.left is None:
        assert case.found[0] not in cleaned.index
    elif case.left:
        last = cleaned[cleaned["person_id"] == person].iloc[-1]
        for column, value in case.left.items():
            got = last[column]
            assert pd.isna(got) if value is None else str(got)[:10] == str(value), column


def test_every_fault_has_a_row_in_the_table_above():
    named = {case.fault for case in CASES}
    assert set(FAULT_NAMES) - named == ELSEWHERE
    tables = {(case.fault, case.row.split(":")[0]) for case in CASES}
    assert len(tables) >= len(named)


def test_every_default_and_action_is_declared():
    assert len(set(FAULT_NAMES)) == len(FAULT_NAMES)
    for fault in FAULTS:
        assert fault.default_action in fault.actions
        assert set(fault.tables) <= set(TABLES)


def test_percent_written_as_a_share(tmp_path):
    write(tmp_path, SOUND | {"employment": SOUND["employment"].replace("100", "1").replace("40", "0.4")})
    register = load_register(tmp_path, data_end=DATA_END)
    assert check_register(register).rows(fault="percent_as_fraction")["row"].tolist() == [2, 3]
    assert clean_register(register).employment["position"].tolist() == [100.0, 40.0]
    kept = clean_register(register, rules={"percent_as_fraction": "keep"})
    assert kept.employment["position"].tolist() == [1.0, 0.4]
    # 1 percent alone is no share
    write(tmp_path, SOUND | {"employment": SOUND["employment"].replace("100", "1").replace("40", "1")})
    assert check_register(load_register(tmp_path, data_end=DATA_END)).ok


@pytest.mark.parametrize(
    ("fault", "action", "row", "column", "values"),
    [
        ("end_before_start", "swap", "benefits: 1, aap, 2020-04-30, 2020-04-01, 100,", "end", ["2020-04-30"]),
        ("grade_outside_range", "missing", "benefits: 1, aap, 2020-04-01, 2020-04-30, 250,", "grade", ["100.0"]),
        ("grade_outside_range", "drop", "benefits: 1, aap, 2020-04-01, 2020-04-30, 250,", "grade", []),
        ("grade_missing", "drop", "benefits: 1, aap, 2020-04-01, 2020-04-30, ,", "grade", []),
        ("open_end", "close", "benefits: 1, aap, 2020-04-01, , 100,", "end", ["2020-12-31"]),
        ("open_end", "drop", "benefits: 1, aap, 2020-04-01, , 100,", "end", []),
        ("unknown_benefit", "drop", "benefits: 1, 890, 2020-04-01, 2020-04-30, 100,", "end", []),
        ("diagnosis_malformed", "missing", "benefits: 1, aap, 2020-04-01, 2020-04-30, 100, x", "diagnosis", ["None"]),
        ("spell_before_birth", "keep", "benefits: 1, aap, 1980-02-28, 2019-12-31, 100,", "start", ["1980-02-28"]),
        ("end_after_death", "keep", "benefits: 2, aap, 2020-06-30, 2020-07-31, 100,", "end", ["2020-07-31"]),
        ("person_missing", "drop", "benefits: 9, aap, 2020-04-01, 2020-04-30, 100,", "end", []),
        ("birth_after_death", "missing_death", "persons: 4, male, 1980-01-02, 1980-01-01, ,", "death_date", ["NaT"]),
        ("duplicate_person", "last", "persons: 1, male, 1980-02-29, , , 450000", "sex", ["male"]),
        ("duplicate_answer", "last", "questionnaires: 1, M0, 2020-01-16, FABQ-W, 2, 0", "value", ["0.0"]),
        ("duplicate_enrolment", "latest", "enrolment: 1, 2020-02-15, b", "index_date", ["2020-02-15"]),
    ],
)
def test_other_actions(tmp_path, fault, action, row, column, values):
    register = load(tmp_path, row)
    table = row.split(":")[0]
    cleaned = clean_register(register, rules={fault: action})
    added = cleaned.tables()[table].loc[lambda frame: frame.index == len(register.tables()[table]) + 1]
    assert [str(value)[:10] for value in added[column]] == values
    words = check_register(register, rules={fault: action}).counts.set_index("fault")["action"][fault]
    assert words == next(f.actions[action] for f in FAULTS if f.name == fault)


def test_the_later_spell_replaces_the_earlier(tmp_path):
    """Days 1 to 31 January, one letter a spell; afterwards no day has two.

    in :  A 01-31, B 10-15 (nested), C 15-20 (partly), D 25- (open), E 25-28 (same start, stands later)
    out:  A 01-09, B 10-14, C 15-20, E 25-28; D is dropped, because E starts on its day and stands later
    """
    spells = pd.DataFrame(
        {
            "person_id": 1,
            "benefit": "sickness_benefit",
            "start": ["2020-01-01", "2020-01-10", "2020-01-15", "2020-01-25", "2020-01-25"],
            "end": ["2020-01-31", "2020-01-15", "2020-01-20", None, "2020-01-28"],
            "grade": 100,
        }
    )
    register = load_register({"benefits": spells}, data_end="2020-12-31")
    assert check_register(register).rows(fault="overlap_same_benefit")["row"].tolist() == [2, 3, 4, 5]
    cleaned = clean_register(register, rules={"overlap_same_benefit": "latest"})
    assert cleaned.benefits.index.tolist() == [1, 2, 3, 5]
    assert cleaned.benefits["end"].dt.day.tolist() == [9, 14, 20, 28]
    assert str(cleaned.benefits["end"].dtype) == "datetime64[s]"
    assert check_register(cleaned).ok


def naive_overlaps(frame):
    """Every pair of spells of one person and benefit, by its days as sets."""
    rows = []
    spells = [
        (row, person, benefit, start, end)
        for row, person, benefit, start, end in zip(
            frame.index, frame["person_id"], frame["benefit"], frame["start"], frame["end"], strict=True
        )
    ]
    for row, person, benefit, start, end in spells:
        for row2, person2, benefit2, start2, end2 in spells:
            before = (start2, row2) < (start, row)
            if before and (person, benefit) == (person2, benefit2):
                days = set(pd.date_range(start, end)) & set(pd.date_range(start2, end2))
                if days:
                    rows.append(row)
                    break
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_overlaps_against_sets_of_days(seed):
    rng = np.random.default_rng(seed)
    n = 120
    start = np.datetime64("2019-12-20") + rng.integers(0, 60, n).astype("timedelta64[D]")
    frame = pd.DataFrame(
        {
            "person_id": rng.integers(1, 12, n),
            "benefit": rng.choice(np.array(BENEFIT_NAMES[:2], dtype=object), n),
            "start": start,
            "end": start + rng.integers(0, 12, n).astype("timedelta64[D]"),
            "grade": np.arange(n) % 100 + 1.0,
        }
    )
    register = load_register({"benefits": frame}, data_end="2020-12-31")
    assert check_register(register).rows(fault="overlap_same_benefit")["row"].tolist() == naive_overlaps(
        register.benefits
    )
    cleaned = clean_register(register, rules={"overlap_same_benefit": "latest"})
    assert naive_overlaps(cleaned.benefits) == []


def everything(folder):
    """A register with every kind of fault at once."""
    return load(folder, *(case.row for case in CASES))


def test_cleaning_mends_every_fault_at_once_and_rows_add_up(tmp_path):
    register = everything(tmp_path)
    before = check_register(register)
    assert set(before.counts["fault"]) == set(FAULT_NAMES) - ELSEWHERE
    assert not before.ok
    cleaned = clean_register(register)
    after = check_register(cleaned)
    assert after.ok
    assert set(after.counts["fault"]) <= {fault.name for fault in FAULTS if fault.default_action == "keep"}
    for table, frame in register.tables().items():
        dropped = sum(step.n_dropped for step in cleaned.cleaning if step.table == table)
        added = sum(step.n_added for step in cleaned.cleaning) if table == "persons" else 0
        left = cleaned.tables()[table]
        assert len(frame) - dropped + added == len(left), table
        assert set(frame.index) - set(left.index) <= {
            row for step in cleaned.cleaning if step.table == table for row in step.rows
        }
        assert left.dtypes.to_dict() | {"person_id": None} == frame.dtypes.to_dict() | {"person_id": None}
        assert left.index.is_unique
        if table in ("persons", "employment", "enrolment"):
            TABLES[table].validate(left)
    assert str(cleaned.benefits["person_id"].dtype) == "int64"
    assert cleaned.persons["person_id"].is_unique
    assert {9} <= set(cleaned.persons["person_id"])
    assert cleaned.persons.set_index("person_id").index[cleaned.persons.index < 0].tolist() == [9]


@pytest.mark.parametrize("seed", range(4))
def test_any_rules_leave_nothing_that_they_mend(tmp_path, seed):
    rng = np.random.default_rng(seed)
    rules = {fault.name: str(rng.choice(list(fault.actions))) for fault in FAULTS}
    register = everything(tmp_path)
    cleaned = clean_register(register, rules=rules)
    assert check_register(cleaned, rules=rules).ok
    for table, frame in register.tables().items():
        steps = [step for step in cleaned.cleaning if step.table == table]
        added = sum(step.n_added for step in cleaned.cleaning) if table == "persons" else 0
        assert len(frame) - sum(step.n_dropped for step in steps) + added == len(cleaned.tables()[table])


def test_cleaning_changes_neither_the_register_nor_a_clean_one(tmp_path):
    register = everything(tmp_path)
    copies = {table: frame.copy() for table, frame in register.tables().items()}
    cleaned = clean_register(register)
    for table, frame in register.tables().items():
        pd.testing.assert_frame_equal(frame, copies[table])
    again = clean_register(cleaned)
    assert again.cleaning == cleaned.cleaning
    for table, frame in cleaned.tables().items():
        pd.testing.assert_frame_equal(frame, again.tables()[table])


def test_the_description_shows_rows_and_actions_but_no_identifier(tmp_path):
    register = load(
        tmp_path,
        *(f"benefits: 98765{i}, aap, 2020-04-0{i}, 2020-03-01, 100," for i in range(1, 8)),
        "persons: 987659, x, 1.1.80, , ,",
    )
    text = check_register(register).describe()
    assert "  end_before_start: 7 rows, 7 persons\n" in text
    assert "(rows 6, 7, 8, 9, 10, ...)\n    -> row dropped" in text
    assert "unreadable values look like '9.9.99'" in text
    assert "98765" not in text
    assert "987659" not in str(clean_register(register).cleaning)


def test_unknown_codes_are_shown_when_five_people_have_them(tmp_path):
    rows = [f"benefits: {i}, 890, 2020-04-01, 2020-04-30, 100," for i in range(1, 6)]
    few = check_register(load(tmp_path, *rows[:4], "benefits: 9, 891, 2020-04-01, 2020-04-30, 100,"))
    assert "89" not in few.describe()
    many = check_register(load(tmp_path, *rows, "benefits: 9, 891, 2020-04-01, 2020-04-30, 100,"))
    assert "`benefits.benefit`: unknown codes are '890' (5 persons)." in many.describe()
    assert "891" not in many.describe()


def test_leap_day_people_are_a_year_older_on_the_first_of_march(tmp_path):
    """Born 29 February 1904 and dead on 28 February 2015: 110 years old; on 1 March 2015: 111."""
    register = load(
        tmp_path, "persons: 4, male, 1904-02-29, 2015-02-28, ,", "persons: 5, male, 1904-02-29, 2015-03-01, ,"
    )
    assert check_register(register).rows(fault="age_over_110")["row"].tolist() == [6]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"open_ends": "close"}, r"`rules` names the fault 'open_ends'.*Did you mean 'open_end'\?.*Faults are:"),
        ({"open_end": "shut"}, r"`rules\['open_end'\]` must be one of 'keep', 'close', 'drop'; got 'shut'"),
    ],
)
def test_wrong_rules(tmp_path, rules, message):
    register = load(tmp_path)
    with pytest.raises(ArgumentError, match=message):
        clean_register(register, rules=rules)
    with pytest.raises(ArgumentError, match=message):
        check_register(register, rules=rules)


def test_asking_for_rows_of_what_does_not_exist(tmp_path):
    check = check_register(load(tmp_path))
    with pytest.raises(ArgumentError, match=r"`fault` must be one of .*Did you mean 'open_end'\?"):
        check.rows(fault="open_edn")
    with pytest.raises(ArgumentError, match=r"`table` must be one of .*Did you mean 'benefits'\?"):
        check.rows(table="benefit")
