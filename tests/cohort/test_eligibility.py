"""Each requirement on people made for it, and the errors of a wrong one."""

import datetime as dt
import re

import numpy as np
import pytest

from rtwcohort.cohort import ELIGIBILITY, Requirement, build_cohort
from rtwcohort.cohort.eligibility import read_eligibility
from rtwcohort.errors import ArgumentError, CohortError

SICK = "sickness_benefit"


def left(register, *eligibility, **options):
    cohort = build_cohort(register, eligibility=list(eligibility), **options)
    return cohort.frame["person_id"].tolist(), [(s.reason, s.n_excluded) for s in cohort.flow[1:]]


@pytest.fixture
def six(make_register):
    """Index date 2020-03-01 for all; person 6 has nothing."""
    persons = {
        "person_id": [1, 2, 3, 4, 5, 6],
        "sex": ["female", "male", "female", None, "male", "female"],
        "birth_date": ["2002-03-01", "2002-03-02", "1953-03-02", "1953-03-01", None, "1980-01-01"],
        "death_date": [None, None, None, None, "2020-03-02", None],
        "emigration_date": [None, None, None, None, None, "2020-03-02"],
        "education": ["low", "high", None, "low", None, "low"],
    }
    spells = [
        (1, SICK, "2020-01-01", "2020-02-29", 100.0, "L87"),
        (2, SICK, "2020-02-01", "2020-03-01", 50.0, "P76"),
        (3, SICK, "2020-02-20", None, 100.0, "R95"),
        (3, "work_assessment_allowance", "2019-03-02", "2019-03-02", 100.0, None),
        (4, SICK, "2019-02-28", "2019-03-01", 100.0, "P03"),
        (4, SICK, "2020-02-01", "2020-02-15", 100.0, "P74"),
        (5, "disability_pension", "2015-01-01", None, 50.0, None),
    ]
    enrolment = {
        "person_id": [1, 2, 3, 4, 5, 6],
        "index_date": ["2020-03-01"] * 6,
        "arm": ["a", "b", "a", None, "c", "b"],
    }
    jobs = {
        "person_id": [1, 1, 2, 3, 3, 4],
        "start": ["2019-01-01", "2019-01-01", "2020-03-02", "2018-01-01", "2020-01-01", "2020-03-01"],
        "end": [None, "2020-03-01", None, "2020-02-29", None, "2020-03-01"],
        "position": [50.0, 40.0, 100.0, 100.0, np.nan, 80.0],
        "employer_id": ["A", "A", "B", "C", "D", None],
    }
    answers = {
        "person_id": [1, 2, 3],
        "wave": ["M0", "M0", "M12"],
        "answered_on": ["2020-02-20", "2020-03-05", "2021-03-01"],
        "instrument": ["FABQ-W"] * 3,
        "item": ["6"] * 3,
        "value": [3.0, np.nan, 2.0],
    }
    return make_register(persons, spells, enrolment=enrolment, employment=jobs, questionnaires=answers)


@pytest.mark.parametrize(
    ("requirement", "stay", "reasons"),
    [
        (
            {"require": "age_at_index", "min": 18, "max": 66},
            [1, 3, 6],
            [("birth date missing", 1), ("age outside 18 to 66 years at index date", 2)],
        ),
        (
            {"require": "age_at_index", "max": 66},
            [1, 2, 3, 6],
            [("birth date missing", 1), ("age over 66 years at index date", 1)],
        ),
        (
            ("age_at_index", {"min": 60}),
            [3, 4],
            [("birth date missing", 1), ("age under 60 years at index date", 3)],
        ),
        (("sex", {"value": "female"}), [1, 3, 6], [("sex missing", 1), ("sex is not female", 2)]),
        ("on_benefit_at_index", [2, 3], [("not on sickness benefit at index date", 4)]),
        (
            ("on_benefit_at_index", {"benefits": [SICK, "disability_pension"], "min_grade": 60}),
            [3],
            [("not on sickness benefit or disability pension of at least 60 percent at index date", 5)],
        ),
        (
            ("not_on", {"benefits": ["disability_pension"]}),
            [1, 2, 3, 4, 6],
            [("on disability pension at index date", 1)],
        ),
        (
            # Person 1's spell ended the day before, person 4's 15 days before (14 and 1 off days + index day).
            ("absence_length_at_index", {"min_days": 20, "max_days": 59}),
            [2, 4],
            [
                ("no current absence on sickness benefit at index date", 2),
                ("absent fewer than 20 or more than 59 days at index date", 2),
            ],
        ),
        (
            ("absence_length_at_index", {"min_days": 29, "merge_gap_days": 14}),
            [1, 2],
            [
                ("no current absence on sickness benefit at index date", 3),
                ("absent fewer than 29 days at index date", 1),
            ],
        ),
        (
            ("no_benefit_before", {"days": 365, "before": "absence", "benefits": [SICK, "work_assessment_allowance"]}),
            [1, 2, 5, 6],
            [("sickness benefit or work assessment allowance (AAP) in the 365 days before the current absence", 2)],
        ),
        (
            # 2019-03-02 is 365 days before 2020-03-01 (leap day between), 2019-03-01 is 366.
            ("no_benefit_before", {"days": 365, "benefits": ["work_assessment_allowance"]}),
            [1, 2, 4, 5, 6],
            [("work assessment allowance (AAP) in the 365 days before the index date", 1)],
        ),
        (
            ("no_benefit_before", {"days": 364, "benefits": ["work_assessment_allowance"]}),
            [1, 2, 3, 4, 5, 6],
            [("work assessment allowance (AAP) in the 364 days before the index date", 0)],
        ),
        (("index_between", {"from": "2020-03-01"}), [1, 2, 3, 4, 5, 6], [("index date before 2020-03-01", 0)]),
        ("has_arm", [1, 2, 3, 5, 6], [("arm missing", 1)]),
        (("has_arm", {"values": ["a", "b"]}), [1, 2, 3, 6], [("arm missing", 1), ("arm is not a or b", 1)]),
        (
            ("has_questionnaire", {"instrument": "FABQ-W", "wave": "M0"}),
            [1],
            [("FABQ-W not answered at M0", 5)],
        ),
        (("has_questionnaire", {"instrument": "FABQ-W"}), [1, 3], [("FABQ-W not answered", 4)]),
        (
            ("diagnosis_group", {"values": ["musculoskeletal", "mental"]}),
            [1, 2, 4],
            [("diagnosis missing", 2), ("diagnosis is not musculoskeletal or mental", 1)],
        ),
        (
            ("diagnosis_group", {"values": ["mental"], "look_back_days": 0, "system": "icpc2"}),
            [2],
            [("diagnosis missing", 4), ("diagnosis is not mental", 1)],
        ),
        (
            ("employed_at_index", {}),
            [1, 4],
            [("position missing for a job held at index date", 1), ("position below 1 percent at index date", 3)],
        ),
        (
            ("employed_at_index", {"min_position": 90}),
            [1],
            [("position missing for a job held at index date", 1), ("position below 90 percent at index date", 4)],
        ),
        (
            ("has_values", {"columns": ["education", "arm"]}),
            [1, 2, 6],
            [("education missing", 2), ("arm missing", 1)],
        ),
        (
            ("history_covered", {"days": 1886}),
            [1, 2, 3, 4, 5, 6],
            [("register covers fewer than 1886 days before index date", 0)],
        ),
        (
            ("follow_up_at_least", {"days": 1400}),
            [1, 2, 3, 4, 5, 6],
            [("register ends fewer than 1400 days after index date", 0)],
        ),
    ],
)
def test_requirement(six, requirement, stay, reasons):
    assert left(six, requirement) == (stay, reasons)


def test_limits_of_coverage_and_follow_up(make_register, enrol):
    spells = [(1, SICK, "2019-01-01", None)]
    register = make_register(
        3, spells, enrolment=enrol(["2020-01-01", "2019-12-31", "2020-01-02"]), data_end="2020-01-31"
    )
    assert left(register, ("history_covered", {"days": 365}))[0] == [1, 3]
    assert left(register, ("follow_up_at_least", {"days": 30}))[0] == [1, 2]
    assert left(register, min_history_days=365, follow_up_days=30) == (
        [1],
        [
            ("register covers fewer than 365 days before index date", 1),
            ("register ends fewer than 30 days after index date", 1),
        ],
    )
    assert left(register, ("index_between", {"from": "2020-01-01", "to": "2020-01-01"})) == (
        [1],
        [("index date before 2020-01-01 or after 2020-01-01", 2)],
    )


def test_order_decides_who_is_counted_where(six):
    age, sick = ("age_at_index", {"min": 18, "max": 66}), "on_benefit_at_index"
    assert left(six, age, sick)[1] == [
        ("birth date missing", 1),
        ("age outside 18 to 66 years at index date", 2),
        ("not on sickness benefit at index date", 2),
    ]
    assert left(six, sick, age)[1] == [
        ("not on sickness benefit at index date", 4),
        ("age outside 18 to 66 years at index date", 1),
    ]


def test_automatic_requirements_come_first_and_are_shown_when_named(six):
    assert left(six, "on_benefit_at_index", "alive_at_index")[1] == [
        ("died on or before the index date", 0),
        ("not on sickness benefit at index date", 4),
    ]


def test_death_and_emigration_on_the_index_date(make_register, enrol):
    persons = {
        "person_id": [1, 2, 3, 4],
        "death_date": ["2020-01-01", "2020-01-02", None, None],
        "emigration_date": [None, None, "2020-01-01", "2020-01-02"],
    }
    register = make_register(persons, enrolment=enrol(["2020-01-01"] * 4))
    assert left(register) == (
        [2, 4],
        [("died on or before the index date", 1), ("emigrated on or before the index date", 1)],
    )


def test_born_on_29_february_turns_on_1_march(make_register, enrol):
    persons = {"person_id": [1, 2], "birth_date": ["2004-02-29"] * 2}
    register = make_register(persons, enrolment=enrol(["2022-02-28", "2022-03-01"]))
    assert left(register, ("age_at_index", {"min": 18}))[0] == [2]


def test_has_values_judges_declared_covariates(six):
    fabq = {"from": "questionnaire", "item": "6", "wave": "M0"}
    stay, reasons = left(six, ("has_values", {"columns": ["fabq", "age"]}), covariates={"fabq": fabq})
    assert stay == [1]
    assert reasons == [("fabq missing", 5), ("age missing", 0)]


def test_objects_mappings_and_pairs_mean_the_same(six):
    forms = [
        {"require": "sex", "value": "male"},
        ("sex", {"value": "male"}),
        Requirement("sex", {"value": "male"}),
    ]
    assert len({str(left(six, form)) for form in forms}) == 1


@pytest.mark.parametrize(
    ("eligibility", "message"),
    [
        (
            [{"require": "age_at_indx"}],
            "`eligibility` knows no requirement 'age_at_indx'. Did you mean 'age_at_index'?",
        ),
        (
            [{"require": "age_at_index", "minimum": 18}],
            "`eligibility: age_at_index` has no parameter 'minimum'. Did you mean 'min'? Its parameters are: min, max.",
        ),
        ([{"require": "alive_at_index", "days": 1}], "has no parameter 'days'. Its parameters are: none."),
        (["age_at_index"], "needs `min`, `max` or both"),
        ([("age_at_index", {"min": 66, "max": 18})], "must have `max` of at least `min`; got min = 66, max = 18"),
        ([("age_at_index", {"min": "18"})], "`eligibility: age_at_index.min` must be a number from 0 to 130; got '18'"),
        (["sex"], "`eligibility: sex` needs the parameter 'value' (female or male)"),
        ([("sex", {"value": "woman"})], "must be one of 'female', 'male'; got 'woman'"),
        ([("not_on", {"benefits": []})], "must be a list of at least one text"),
        ([("not_on", {"benefits": ["disability"]})], "Did you mean 'disability_pension'?"),
        ([("not_on", {"benefits": 3})], "must be a list of texts"),
        (["absence_length_at_index"], "needs `min_days`, `max_days` or both"),
        (["index_between"], "needs `from`, `to` or both"),
        ([("index_between", {"from": "2021-01-01", "to": "2020-01-01"})], "must not have `to` before `from`"),
        ([("no_benefit_before", {"days": 1.5})], "must be a whole number of at least 0; got 1.5"),
        ([("diagnosis_group", {"values": ["back"]})], "knows musculoskeletal, mental, other; got 'back'"),
        ([("has_questionnaire", {"instrument": "FABQ"})], "Did you mean 'FABQ-W'"),
        ([("has_questionnaire", {"instrument": "FABQ-W", "wave": "M3"})], "Known are: M0, M12"),
        ([("has_values", {"columns": ["fabq"]})], "knows no covariate 'fabq'"),
        ([3], "takes requirements such as"),
        ("sex", "must be a list of requirements"),
        ({"require": "sex"}, "must be a list of requirements"),
    ],
)
def test_wrong_requirements(six, eligibility, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        build_cohort(six, eligibility=eligibility)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("age_at_index", {"min": 18}, "`age_at_index` needs the column 'birth_date' of persons"),
        ("sex", {"value": "male"}, "`sex` needs the column 'sex' of persons"),
        ("has_arm", {}, "`has_arm` needs the column 'arm' of enrolment"),
        ("employed_at_index", {}, "`employed_at_index` needs the employment table"),
        ("has_questionnaire", {"instrument": "X"}, "`has_questionnaire` needs the questionnaires table"),
        ("diagnosis_group", {"values": ["mental"]}, "no spell of this register has a diagnosis code"),
    ],
)
def test_register_lacks_what_is_needed(make_register, enrol, name, parameters, message):
    register = make_register(1, enrolment=enrol(["2020-01-01"]))
    with pytest.raises(CohortError, match=re.escape(message)):
        build_cohort(register, eligibility=[(name, parameters)])


def test_reading_again_changes_nothing(six):
    given = [
        ("index_between", {"from": "2020-01-01", "to": dt.date(2020, 12, 31)}),
        ("diagnosis_group", {"values": ["pain"], "groups": {"pain": ["L"]}}),
        ("has_arm", {}),
    ]
    once = read_eligibility(given)
    assert read_eligibility(once) == once
    assert left(six, *once) == left(six, *given)


def test_nobody_left_says_where_they_went(six):
    with pytest.raises(CohortError) as caught:
        build_cohort(six, eligibility=[("sex", {"value": "male"}), ("age_at_index", {"min": 30})])
    assert str(caught.value) == (
        "Nobody is left in the cohort: 6 people in the enrolment table; 1 left: sex missing (5 remained); "
        "3 left: sex is not male (2 remained); 1 left: birth date missing (1 remained); "
        "1 left: age under 30 years at index date (0 remained). "
        "Loosen `eligibility` or `index_date`, or check the register."
    )
    assert caught.value.exit_code == 5


def test_every_requirement_is_described():
    assert len(ELIGIBILITY) == 19
    for name, predicate in ELIGIBILITY.items():
        assert predicate.name == name
        assert predicate.meaning.endswith(".")
        assert len({parameter.name for parameter in predicate.parameters}) == len(predicate.parameters)
