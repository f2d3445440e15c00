"""Covariates from persons, enrolment, employment and questionnaires; classes; errors."""

import re

import numpy as np
import pandas as pd
import pytest

from rtwcohort.cohort import COVARIATE_NAMES, COVARIATES, Variable, build_cohort
from rtwcohort.cohort.covariates import read_covariates
from rtwcohort.errors import ArgumentError, CohortError

INDEX = "2020-03-01"


@pytest.fixture
def five(make_register, enrol):
    persons = {
        "person_id": [1, 2, 3, 4, 5],
        "sex": ["male", "female", None, "male", "female"],
        "birth_date": ["1980-03-01", "1980-03-02", None, "2021-01-01", "1960-02-29"],
        "education": ["college_university", "primary_school", "upper_secondary_vocational", None, "primary_school"],
        "municipality": [301.0, 1103.0, 4201.0, np.nan, 301.0],
        "income": [100.0, 200.0, 300.0, 400.0, np.nan],
        "smoker": [1.0, 0.0, 1.0, 0.0, 1.0],
        "region": ["east", "west", "east", None, "north"],
    }
    employment = {
        "person_id": [1, 1, 1, 2, 3, 5, 5],
        "start": [INDEX, "2010-01-01", "2010-01-01", "2010-01-01", "2010-01-01", "2010-01-01", "2010-01-01"],
        "end": [None, INDEX, "2020-02-29", "2020-02-29", None, None, None],
        "position": [50.0, 40.0, 100.0, 100.0, np.nan, 60.0, 60.0],
        "employer_id": ["A", "A", "B", "B", "C", None, None],
    }
    answers = {
        "person_id": [1, 2, 2, 3, 1, 5],
        "wave": ["M0", "M0", "M0", "M0", "M12", "M0"],
        "answered_on": ["2020-02-01", "2020-03-10", "2020-03-05", "2020-03-15", "2021-01-01", None],
        "instrument": ["WHY"] * 6,
        "item": ["1"] * 6,
        "value": [1.0, 2.0, 9.0, 3.0, 7.0, 5.0],
    }
    enrolment = enrol([INDEX] * 5, arm=["b", "a", "a", "b", None], cluster=["k2", "k1", "k10", "k1", "k1"])
    return make_register(persons, enrolment=enrolment, employment=employment, questionnaires=answers)


def values(register, declaration, **options):
    cohort = build_cohort(register, covariates={"x": declaration}, **options)
    return cohort.frame["x"], cohort.variables[0], cohort


def texts(series):
    return [None if pd.isna(value) else value for value in series]


def test_age(five):
    exact, variable, cohort = values(five, {"from": "persons", "column": "age"})
    days = np.array([(pd.Timestamp(INDEX) - pd.Timestamp(born)).days for born in ("1980-03-01", "1980-03-02")])
    np.testing.assert_allclose(exact[:2], days / 365.25)
    assert exact.isna().tolist() == [False, False, True, True, False]
    assert variable == Variable("x", "Age at index date", "numeric", "years", "persons.birth_date", 2)
    assert [(c.text, c.n) for c in cohort.counted] == [
        ("Age set to missing: the index date is before the birth date", 1)
    ]
    assert "days since birth / 365.25" in cohort.notes[0]
    whole, _, cohort = values(five, {"from": "persons", "column": "age", "age_in": "completed_years"})
    assert whole.dropna().tolist() == [40.0, 39.0, 60.0]
    assert "completed years" in cohort.notes[0]


def test_age_in_classes(five):
    cut = {"from": "persons", "column": "age", "age_in": "completed_years", "cut": [30, 40, 41, 60]}
    series, variable, _ = values(five, cut)
    assert texts(series) == ["40", "30-39", None, None, "60 or more"]
    assert list(series.cat.categories) == ["30-39", "40", "60 or more"]
    assert (variable.kind, variable.label, variable.n_missing) == ("categorical", "Age at index date, years", 2)
    exact, _, _ = values(five, {"from": "persons", "column": "age", "cut": [30, 40, 50]})
    assert texts(exact) == ["40 to under 50", "30 to under 40", None, None, "50 or more"]


def test_cut_names_and_quantiles(five):
    named, _, _ = values(five, {"from": "persons", "column": "income", "cut": 250, "cut_labels": ["low", "high"]})
    assert texts(named) == ["low", "low", "high", "high", None]
    assert list(named.cat.categories) == ["low", "high"]
    median, variable, _ = values(five, {"from": "persons", "column": "income", "cut": "median"})
    assert texts(median) == ["at most 250", "at most 250", "over 250", "over 250", None]
    assert variable.label == "Income, NOK a year"
    thirds, _, _ = values(five, {"from": "persons", "column": "income", "cut": "tertiles"})
    assert texts(thirds) == ["at most 200", "at most 200", "over 200 to 300", "over 300", None]


def test_median_is_that_of_the_final_cohort(five):
    series, _, _ = values(
        five, {"from": "persons", "column": "income", "cut": "median"}, eligibility=[("sex", {"value": "male"})]
    )
    assert texts(series) == ["at most 250", "over 250"]
    series, _, _ = values(
        five, {"from": "persons", "column": "income", "cut": "median"}, eligibility=[("has_arm", {"values": ["a"]})]
    )
    assert texts(series) == ["at most 250", "over 250"]


def test_categories_in_declared_order_else_by_name(five):
    cohort = build_cohort(five, covariates=["education", "sex", "arm", "cluster", "municipality", "region", "smoker"])
    frame = cohort.frame
    assert list(frame["education"].cat.categories) == [
        "primary_school",
        "upper_secondary_vocational",
        "college_university",
    ]
    assert list(frame["sex"].cat.categories) == ["female", "male"]
    assert list(frame["arm"].cat.categories) == ["a", "b"]
    assert list(frame["cluster"].cat.categories) == ["k1", "k10", "k2"]
    assert list(frame["municipality"].cat.categories) == ["301", "1103", "4201"]
    assert list(frame["region"].cat.categories) == ["east", "north", "west"]
    assert frame["smoker"].dtype == np.float64
    assert [v.kind for v in cohort.variables] == ["categorical"] * 6 + ["numeric"]
    assert [v.n_missing for v in cohort.variables] == [1, 1, 1, 0, 1, 1, 0]
    assert cohort.variables[5].source == "persons.region"


def test_unknown_category_keeps_every_category(five, make_register, enrol):
    register = make_register(
        {"person_id": [1, 2, 3], "education": ["primary_school", "Folkehøgskole", "college_university"]},
        enrolment=enrol([INDEX] * 3),
    )
    series = build_cohort(register, covariates=["education"]).frame["education"]
    assert list(series.cat.categories) == ["Folkehøgskole", "college_university", "primary_school"]


def test_kind_and_order(five):
    series, _, _ = values(five, {"from": "persons", "column": "smoker", "kind": "categorical"})
    assert list(series.cat.categories) == ["0", "1"]
    series, _, _ = values(five, {"from": "persons", "column": "region", "order": ["west", "north", "east", "south"]})
    assert list(series.cat.categories) == ["west", "north", "east"]
    with pytest.raises(ArgumentError, match="every category that occurs"):
        values(five, {"from": "persons", "column": "region", "order": ["west", "east"]})
    with pytest.raises(ArgumentError, match=r"`covariates.x.order` needs a covariate with categories"):
        values(five, {"from": "persons", "column": "smoker", "order": ["1", "0"]})
    with pytest.raises(CohortError, match="4 people have a value that is not a number"):
        values(five, {"from": "persons", "column": "region", "kind": "numeric"})
    series, _, _ = values(five, {"from": "persons", "column": "municipality", "kind": "numeric"})
    assert series.tolist()[:2] == [301.0, 1103.0]


def test_labels_and_units(five):
    cohort = build_cohort(
        five,
        covariates={
            "age": {},
            "pay": {"from": "persons", "column": "income", "label": "Pay", "unit": "NOK"},
            "sex": {},
        },
        labels={"age": "Age, years", "arm": "Group"},
    )
    assert [(v.name, v.label, v.unit) for v in cohort.variables] == [
        ("age", "Age, years", "years"),
        ("pay", "Pay", "NOK"),
        ("sex", "Sex", ""),
    ]
    with pytest.raises(ArgumentError, match=r"names no column of this cohort: 'agee'\. Did you mean 'age'"):
        build_cohort(five, covariates=["age"], labels={"agee": "Age"})


def test_employment(five):
    cohort = build_cohort(five, covariates=["position", "n_employers"])
    assert cohort.frame["position"].fillna(-1).tolist() == [90.0, 0.0, -1.0, 0.0, 120.0]
    assert cohort.frame["n_employers"].tolist() == [1.0, 0.0, 1.0, 0.0, 2.0]
    assert [(c.text, c.n) for c in cohort.counted] == [
        ("Position at index date set to missing: a job held has no position", 1)
    ]


def test_questionnaire_item(five):
    series, variable, cohort = values(five, {"from": "questionnaire", "item": "1", "wave": "M0"})
    assert series.fillna(-1).tolist() == [1.0, 9.0, 3.0, -1.0, 5.0]
    assert (variable.label, variable.source, variable.n_missing) == (
        "Item 1 at M0",
        "questionnaires, item 1 at M0",
        1,
    )
    assert [(c.text, c.n) for c in cohort.counted] == [
        ("Several answers to 1 at M0: the first was taken", 1),
        ("Answered item 1 at M0 after the index date", 2),
    ]


def test_late_answers_may_be_set_to_missing(five):
    series, _, cohort = values(five, {"from": "questionnaire", "item": "1", "wave": "M0", "max_days_after": 13})
    assert series.fillna(-1).tolist() == [1.0, 9.0, -1.0, -1.0, 5.0]
    assert cohort.counted[-1].text == "Set to missing: answered item 1 at M0 more than 13 days after the index date"
    assert cohort.counted[-1].n == 1
    series, _, _ = values(five, {"from": "questionnaire", "item": "1", "wave": "M0", "max_days_after": 14})
    assert series.fillna(-1).tolist() == [1.0, 9.0, 3.0, -1.0, 5.0]


def fabq_answers():
    rows = [(1, "FABQ-W", item, 3.0) for item in ("6", "7", "9", "10", "11", "12", "15")]
    rows += [(2, "FABQ", item, 6.0) for item in ("6", "7", "9", "10", "11", "12", "15", "2", "3", "4", "5")]
    rows += [(3, "FABQ-W", item, 1.0) for item in ("6", "7", "9")]
    frame = pd.DataFrame(rows, columns=["person_id", "instrument", "item", "value"])
    return frame.assign(wave="M0", answered_on="2020-02-20")


def test_questionnaire_score(make_register, enrol):
    register = make_register(4, enrolment=enrol([INDEX] * 4), questionnaires=fabq_answers())
    cohort = build_cohort(register, covariates={"fabq": {"from": "questionnaire", "instrument": "FABQ-W"}})
    # Seven items of 3; seven of 6; three answered of seven, and no published rule for missing items; none.
    assert cohort.frame["fabq"].fillna(-1).tolist() == [21.0, 42.0, -1.0, -1.0]
    assert cohort.variables[0] == Variable(
        "fabq",
        "Fear-avoidance beliefs about work (FABQ-W) at M0",
        "numeric",
        "points",
        "questionnaires, FABQ-W at M0",
        2,
    )


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"from": "questionaire"}, "knows no source 'questionaire'. Did you mean 'questionnaire'?"),
        ({"from": "questionnaire", "wave": "M0"}, "needs `instrument`, `item` or both"),
        (
            {"from": "questionnaire", "instrument": "WHY", "item": "1"},
            "needs `wave`: the questionnaires have the waves M0, M12",
        ),
        ({"from": "questionnaire", "instrument": "WHI", "wave": "M0"}, "Did you mean 'WHY'?"),
        ({"from": "questionnaire", "instrument": "WHY", "wave": "M1"}, "Known are: M0, M12"),
        (
            {"from": "questionnaire", "instrument": "WHY", "wave": "M0", "item": "2"},
            "knows no item of these answers '2'",
        ),
        ({"from": "persons"}, "needs the parameter 'column'"),
        ({"from": "persons", "column": "age", "ages": 1}, "knows no parameter 'ages'. Did you mean 'age_in'?"),
        ({"from": "history", "measure": "day_on_benefit"}, "Did you mean 'days_on_benefit'?"),
        ({"from": "persons", "column": "income", "cut": [3, 2]}, "must be ascending cut points such as [30, 40, 50]"),
        (
            {"from": "persons", "column": "income", "cut": "half"},
            "or one of median, tertiles, quartiles, quintiles; got 'half'",
        ),
        (
            {"from": "persons", "column": "income", "cut": [1], "cut_labels": ["a"]},
            "one name more than there are cut points (2); got 1",
        ),
        ({"from": "persons", "column": "income", "cut_labels": ["a"]}, "give `cut` too"),
        ({"from": "persons", "column": "sex", "cut": [1]}, "`covariates.x.cut` needs a numeric covariate"),
        ({"from": "persons", "column": "income", "cut": ["a"]}, "`covariates.x.cut` must be a number; got 'a'"),
    ],
)
def test_wrong_declarations(five, declaration, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        values(five, declaration)


@pytest.mark.parametrize(
    ("covariates", "message"),
    [
        (["agee"], "`covariates` knows no covariate 'agee'. Did you mean 'age'?"),
        (["age", "age"], "must have different names; 'age' comes 2 times"),
        ({"person_id": {"from": "persons", "column": "age"}}, "must not be called 'person_id'"),
        ("age", "must be a list of names or a mapping"),
        ([("age",)], "takes names and declarations"),
        ([3], "takes names and declarations"),
    ],
)
def test_wrong_lists(five, covariates, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        build_cohort(five, covariates=covariates)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("age", "`age` needs the column 'birth_date' of persons"),
        ("education", "needs the column 'education' of persons, which this register does not have"),
        ("arm", "needs the column 'arm' of enrolment"),
        ("position", "`covariates.position` needs the employment table"),
    ],
)
def test_register_lacks_what_is_needed(make_register, enrol, name, message):
    with pytest.raises(CohortError, match=re.escape(message)):
        build_cohort(make_register(1, enrolment=enrol([INDEX])), covariates=[name])


def test_quantiles_of_one_value(five):
    with pytest.raises(CohortError, match="too many people share the same value"):
        values(five, {"from": "persons", "column": "smoker", "cut": "median"})


def test_wrong_arguments_of_build_cohort(five):
    with pytest.raises(ArgumentError, match="`register` must be a Register, as load_register gives; got dict"):
        build_cohort({})
    with pytest.raises(ArgumentError, match="`follow_up_days` must be a whole number of at least 0; got -1"):
        build_cohort(five, follow_up_days=-1)
    with pytest.raises(ArgumentError, match="`min_history_days` must be a whole number"):
        build_cohort(five, min_history_days=0.5)
    with pytest.raises(ArgumentError, match="`repeated_enrolments` must be one of 'first', 'error'"):
        build_cohort(five, repeated_enrolments="last")
    with pytest.raises(ArgumentError, match="`register_start` must be a date"):
        build_cohort(five, register_start="long ago")


def test_persons_listed_twice(make_register, enrol):
    with pytest.raises(CohortError, match="`persons` must have one row a person; 1 rows come again"):
        build_cohort(make_register({"person_id": [1, 1]}, enrolment=enrol([INDEX])))


def test_a_given_timeline_is_used_and_must_be_whole(make_register, enrol):
    from rtwcohort.outcomes.timeline import build_timeline

    spells = [(1, "sickness_benefit", "2020-01-01", "2020-02-10", 50.0)]
    register = make_register(1, spells, enrolment=enrol([INDEX]))
    covariates = {"x": {"from": "history", "measure": "weighted_days", "benefits": ["sickness_benefit"]}}
    with_own = build_cohort(register, covariates=covariates)
    timeline = build_timeline(register, benefits=["sickness_benefit"])
    with_given = build_cohort(register, covariates=covariates, timeline=timeline)
    pd.testing.assert_frame_equal(with_own.frame, with_given.frame)
    assert with_own.frame["x"].tolist() == [20.5]
    merged = build_timeline(register, merge_gap_days=15)
    with pytest.raises(ArgumentError, match="merge_gap_days = 15"):
        build_cohort(register, covariates=covariates, timeline=merged)


def test_text_identifiers(make_register):
    register = make_register(
        {"person_id": ["01", "b"], "birth_date": ["1980-01-01", "1990-01-01"]},
        [("b", "sickness_benefit", "2020-01-01", None)],
        enrolment={"person_id": ["b", "01"], "index_date": ["2020-02-01", "2020-02-01"]},
    )
    frame = build_cohort(register, covariates=["days_on_benefit", "age"]).frame
    assert frame["person_id"].tolist() == ["b", "01"]
    assert frame["days_on_benefit"].tolist() == [31.0, 0.0]


def test_reading_again_changes_nothing(five):
    given = {
        "age": {"cut": [30, 40]},
        "days": {"from": "history", "measure": "days_on_benefit", "benefits": ["other"]},
        "own": {"from": "diagnosis", "groups": {"back": ["L84"]}, "label": "Own"},
    }
    once = read_covariates(given)
    assert read_covariates(once) == once


def test_every_name_is_declared():
    for name, declaration in COVARIATE_NAMES.items():
        assert declaration["from"] in COVARIATES, name
