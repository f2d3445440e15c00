"""Index dates from enrolment and from spells."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from rtwcohort.cohort import IndexDate, build_cohort, flow_frame
from rtwcohort.errors import ArgumentError, CohortError


def index_dates(register, **options):
    frame = build_cohort(register, **options).frame
    return {row.person_id: str(row.index_date.date()) for row in frame.itertuples()}


@pytest.fixture
def absences(make_register):
    """1: two spells 15 days apart, 2: 16 days apart, 3: graded, 4: none, 5: short one before a long one."""
    return make_register(
        5,
        [
            (1, "sickness_benefit", "2020-01-01", "2020-01-20"),
            (1, "sickness_benefit", "2020-02-05", "2020-04-30"),
            (2, "sickness_benefit", "2020-01-01", "2020-01-20"),
            (2, "sickness_benefit", "2020-02-06", "2020-04-30"),
            (3, "sickness_benefit", "2020-03-01", "2020-03-31", 40.0),
            (3, "sickness_benefit", "2020-04-01", "2020-07-31", 80.0),
            (5, "sickness_benefit", "2019-05-01", "2019-05-10"),
            (5, "work_assessment_allowance", "2020-05-01", "2020-12-31"),
        ],
    )


def test_first_spell(absences):
    assert index_dates(absences, index_date="first_spell") == {
        1: "2020-01-01",
        2: "2020-01-01",
        3: "2020-03-01",
        5: "2019-05-01",
    }
    flow = flow_frame(build_cohort(absences, index_date="first_spell"))
    assert flow["reason"].tolist() == ["people in the register", "no first day of an absence on sickness benefit"]
    assert flow["n_left"].tolist() == [5, 4]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"min_grade": 50}, {1: "2020-01-01", 2: "2020-01-01", 3: "2020-04-01", 5: "2019-05-01"}),
        ({"benefits": ["work_assessment_allowance"]}, {5: "2020-05-01"}),
        ({"from": "2020-01-02"}, {2: "2020-02-06", 3: "2020-03-01"}),
        ({"to": dt.date(2019, 12, 31)}, {5: "2019-05-01"}),
        ({"min_days": 30}, {1: "2020-01-01", 2: "2020-02-06", 3: "2020-03-01"}),
        ({"min_days": 30, "merge_gap_days": 0}, {1: "2020-02-05", 2: "2020-02-06", 3: "2020-03-01"}),
        ({"min_days": 121}, {1: "2020-01-01", 3: "2020-03-01"}),
        ({"min_days": 122}, {3: "2020-03-01"}),
    ],
)
def test_spell_start_conditions(absences, conditions, expected):
    assert index_dates(absences, index_date={"at": "spell_start", **conditions}) == expected


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (20, "calendar", {1: "2020-01-20", 2: "2020-01-20", 3: "2020-03-20"}),
        # Day 21 falls into person 1's gap, which is merged: the next day on benefit. Person 2's gap is too long.
        (21, "calendar", {1: "2020-02-05", 2: "2020-02-26", 3: "2020-03-21"}),
        (21, "absent", {1: "2020-02-05", 2: "2020-02-26", 3: "2020-03-21"}),
        (57, "calendar", {1: "2020-02-26", 2: "2020-04-02", 3: "2020-04-26"}),
        (57, "absent", {1: "2020-03-12", 2: "2020-04-02", 3: "2020-04-26"}),
        (106, "absent", {1: "2020-04-30", 3: "2020-06-14"}),
        (121, "calendar", {1: "2020-04-30", 3: "2020-06-29"}),
        (122, "calendar", {3: "2020-06-30"}),
    ],
)
def test_day_of_an_absence(absences, day, count, expected):
    assert index_dates(absences, index_date={"at": "spell_day", "day": day, "count": count}) == expected


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", ["calendar", "absent"])
def test_spell_day_equals_a_naive_search(random_register, naive_days, seed, count):
    register = random_register(seed)
    k = 40
    found = index_dates(register, index_date={"at": "spell_day", "day": k, "count": count, "min_grade": 50})
    expected = {}
    for person in register.persons["person_id"]:
        days = sorted(d for d, g in naive_days(register, person, ("sickness_benefit",)).items() if g >= 50)
        run = []
        for day in days:
            run = [*run, day] if run and (day - run[-1]).days <= 16 else [day]
            reached = (day - run[0]).days + 1 if count == "calendar" else len(run)
            if reached >= k:
                expected[person] = str(day)
                break
    facts = register.persons.set_index("person_id")
    alive = {p: d for p, d in expected.items() if not facts.loc[p, "death_date"] <= pd.Timestamp(d)}
    assert found == alive
    assert len(found) > 3


def test_absence_under_way_when_the_register_begins_is_not_used(absences):
    found = build_cohort(absences, index_date="first_spell", register_start="2020-01-01")
    assert found.frame["person_id"].tolist() == [2, 3]
    assert found.frame["index_date"].dt.strftime("%Y-%m-%d").tolist() == ["2020-02-06", "2020-03-01"]
    assert any("Absences under way on 2020-01-01" in note for note in found.notes)


def test_length_known_afterwards_is_noted(absences):
    found = build_cohort(absences, index_date={"at": "spell_start", "min_days": 30})
    assert any("nobody can return before that day" in note for note in found.notes)


def test_declaration_object_equals_mapping(absences):
    declared = IndexDate(at="spell_day", day=57, from_date=18262)
    assert index_dates(absences, index_date=declared) == index_dates(
        absences, index_date={"at": "spell_day", "day": 57, "from": "2020-01-01"}
    )


def test_arm_joins_spell_index_from_enrolment(make_register):
    register = make_register(
        2,
        [(person, "sickness_benefit", "2020-01-01", None) for person in (1, 2)],
        enrolment={"person_id": [2], "index_date": ["2020-06-01"], "arm": ["b"]},
    )
    frame = build_cohort(register, index_date="first_spell", covariates=["arm"]).frame
    assert frame["arm"].isna().tolist() == [True, False]
    assert frame["index_date"].dt.year.tolist() == [2020, 2020]


def test_several_enrolments_of_a_person(make_register):
    enrolment = {
        "person_id": [2, 1, 2, 3, None, 1],
        "index_date": ["2020-05-01", None, "2020-03-01", "2020-04-01", "2020-04-01", "2020-02-01"],
        "arm": ["a", "b", "c", "d", "e", "f"],
    }
    register = make_register({"person_id": [1.0, 2.0, 3.0]}, enrolment=enrolment)
    cohort = build_cohort(register)
    assert cohort.frame["arm"].tolist() == ["c", "d", "f"]
    assert [(s.name, s.n_excluded, s.n_left) for s in cohort.flow] == [
        ("source", 0, 6),
        ("has_person_id", 1, 5),
        ("one_row_each", 2, 3),
    ]
    with pytest.raises(CohortError, match="repeated_enrolments is 'error'; 2 rows come again"):
        build_cohort(register, repeated_enrolments="error")


def test_index_date_missing_stranger_and_late(make_register, enrol):
    register = make_register(
        {"person_id": [1, 2, 3, 4, 5], "death_date": [None, None, None, "2020-01-01", None]},
        enrolment=enrol(["2020-01-01", None, "2024-01-01", "2020-01-01", "2023-12-31", "2020-01-01"]),
    )
    cohort = build_cohort(register)
    assert [(s.reason, s.n_excluded) for s in cohort.flow[1:]] == [
        ("index date missing", 1),
        ("not in the persons table", 1),
        ("index date after the end of the register", 1),
        ("died on or before the index date", 1),
    ]
    assert cohort.frame["person_id"].tolist() == [1, 5]
    assert cohort.frame["follow_up_days"].tolist() == [1460, 0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("enrollment", "knows no index date 'enrollment'. Did you mean 'enrolment'"),
        ({"at": "spell_day"}, "`index_date.day` goes with at = 'spell_day'"),
        ("spell_day", "`index_date.day` goes with at = 'spell_day'"),
        ({"at": "spell_start", "day": 3}, "`index_date.day` goes with at = 'spell_day'"),
        ({"at": "spell_start", "grade": 3}, "has no parameter 'grade'. Did you mean 'min_grade'"),
        ({"at": "enrolment", "min_days": 3}, "`index_date.min_days` is a condition on absences"),
        ({"at": "spell_start", "from": "2020-02-01", "to": "2020-01-01"}, "must not be before `from`"),
        ({"at": "spell_start", "from": "soon"}, "`index_date.from` must be a date such as"),
        ({"at": "spell_start", "from": 3}, "`index_date.from` must be a date such as"),
        ({"at": "spell_start", "benefits": ["sick_benefit"]}, "Did you mean 'sickness_benefit'"),
        ({"at": "spell_day", "day": 0}, "must be a whole number of at least 1; got 0"),
        (57, "must be 'enrolment', 'first_spell', a mapping"),
    ],
)
def test_wrong_declarations(absences, given, message):
    with pytest.raises(ArgumentError, match=message.replace("(", r"\(")):
        build_cohort(absences, index_date=given)


def test_no_enrolment_table(absences, make_register):
    with pytest.raises(CohortError, match="has no enrolment table"):
        build_cohort(absences)
    register = make_register(2, enrolment={"person_id": [1], "arm": ["a"]})
    with pytest.raises(CohortError, match="has no column 'index_date'"):
        build_cohort(register)


def test_no_spell_at_all(make_register):
    with pytest.raises(CohortError, match="3 people in the register; 3 left: no first day of an absence"):
        build_cohort(make_register(3), index_date="first_spell")
    with pytest.raises(CohortError, match="no day 57 of an absence"):
        build_cohort(make_register(3), index_date={"at": "spell_day", "day": 57})
    with pytest.raises(CohortError, match="no day 57 of an absence"):
        build_cohort(make_register(3), index_date={"at": "spell_day", "day": 57, "count": "absent"})


def test_frames_are_not_changed(absences):
    before = {name: table.copy() for name, table in absences.tables().items()}
    build_cohort(absences, index_date="first_spell", covariates=["absence_length"])
    for name, table in absences.tables().items():
        pd.testing.assert_frame_equal(table, before[name])


def test_days_are_whole(absences):
    frame = build_cohort(absences, index_date="first_spell").frame
    assert frame["index_date"].dtype == "datetime64[s]"
    assert frame["follow_up_days"].dtype == np.int64
    assert frame.index.tolist() == list(range(len(frame)))
