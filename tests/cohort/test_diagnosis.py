"""Diagnosis codes to groups and chapters, and the detection of the system."""

import re

import pytest

from rtwcohort.cohort import build_cohort
from rtwcohort.cohort.diagnosis import chapter_of, detect_system, evidence, group_of, own_group_of, tidy_code
from rtwcohort.errors import ArgumentError, CohortError

SICK = "sickness_benefit"


@pytest.mark.parametrize(
    ("code", "icpc2", "icd10"),
    [
        ("L87", "musculoskeletal", "other"),  # bursitis, tendinitis; ICD-10: skin
        ("L84", "musculoskeletal", "other"),
        ("L72", "musculoskeletal", "other"),  # fracture: an injury that ICPC-2 keeps under L
        ("P76", "mental", "other"),
        ("P02", "mental", "other"),
        ("F32", "other", "mental"),  # ICPC-2 F is the eye
        ("F32.1", "other", "mental"),
        ("F431", None, "mental"),
        ("M54", None, "musculoskeletal"),
        ("M54.5", None, "musculoskeletal"),
        ("M797", None, "musculoskeletal"),
        ("S82.1", "other", "other"),
        ("A04", "other", "other"),
        ("Z73.0", "other", "other"),
        ("G35", None, "other"),
        ("P97", "mental", None),  # ICD-10 stops at P96
        ("U07.1", "other", "other"),
        ("H60", "other", "other"),
        ("D49", "other", None),
        ("L8", None, None),
        ("87", None, None),
        ("-45", None, None),
        ("", None, None),
    ],
)
def test_group(code, icpc2, icd10):
    assert group_of(tidy_code(code), "icpc2") == icpc2
    assert group_of(tidy_code(code), "icd10") == icd10


@pytest.mark.parametrize(
    ("code", "system", "chapter"),
    [
        ("A04", "icpc2", "general and unspecified"),
        ("K86", "icpc2", "cardiovascular"),
        ("W84", "icpc2", "pregnancy, childbearing and family planning"),
        ("Z05", "icpc2", "social problems"),
        ("D48", "icd10", "neoplasms"),
        ("D50", "icd10", "blood and immune system"),
        ("H59", "icd10", "eye"),
        ("H60", "icd10", "ear"),
        ("B99", "icd10", "infectious and parasitic"),
        ("T98", "icd10", "injury and poisoning"),
        ("V01", "icd10", "external causes"),
        ("R53", "icd10", "symptoms and abnormal findings"),
    ],
)
def test_chapter(code, system, chapter):
    assert chapter_of(code, system) == chapter


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("M54", "icd10"),
        ("J06", "icd10"),
        ("F32.1", "icd10"),
        ("F321", "icd10"),
        ("P76", "icpc2"),
        ("L87", None),
        ("F32", None),
        ("R95", None),
        ("?", None),
    ],
)
def test_evidence(code, system):
    assert evidence(code) == system


def test_detection_needs_a_telling_majority():
    assert detect_system({"L87": 50, "P76": 1}) == "icpc2"
    assert detect_system({"L87": 50, "M54": 1}) == "icd10"
    assert detect_system({"P76": 990, "M54": 10}) == "icpc2"
    with pytest.raises(CohortError, match="mixed: 90 rows can only be ICPC-2 and 10 only ICD-10"):
        detect_system({"P76": 90, "M54": 10})
    with pytest.raises(CohortError, match=re.escape("do not tell whether they are ICPC-2 or ICD-10")):
        detect_system({"L87": 5, "A04": 2})
    with pytest.raises(CohortError, match="do not tell"):
        detect_system({"???": 5})


@pytest.mark.parametrize("code", [" l87 ", "L87-", "L 87"])
def test_tidy(code):
    assert tidy_code(code) == "L87"


def test_own_groups():
    groups = {"back": ("L02", "L03", "L84", "L86"), "all_l": ("l",)}
    assert [own_group_of(code, groups) for code in ("L84", "L87", "P76")] == ["back", "all_l", "other"]


@pytest.fixture
def coded(make_register, enrol):
    """Index date 2020-06-01 for all."""
    spells = [
        (1, SICK, "2020-05-01", "2020-06-30", 100.0, "L84"),
        (1, SICK, "2020-05-20", "2020-06-30", 50.0, "p76"),  # starts later
        (2, SICK, "2020-05-01", "2020-06-30", 100.0, "L84"),
        (2, "work_assessment_allowance", "2020-01-01", None, 50.0, "P76"),  # stronger benefit
        (3, SICK, "2020-04-01", "2020-05-17", 100.0, "P02"),  # ended 15 days before
        (4, SICK, "2020-04-01", "2020-05-16", 100.0, "P02"),  # 16 days before
        (5, SICK, "2020-05-01", "2020-06-30", 100.0, None),
        (5, SICK, "2020-03-01", "2020-05-30", 100.0, "L03"),  # the covering spell has no code
        (6, SICK, "2020-06-02", "2020-06-30", 100.0, "P02"),  # later
        (7, SICK, "2020-05-01", None, 100.0, "M54"),  # not ICPC-2
        (8, SICK, "2020-05-01", "2020-06-30", 50.0, "L84"),
        (8, SICK, "2020-05-01", "2020-06-30", 80.0, "R95"),  # same start, higher grade
        (9, "unemployment_benefit", "2020-05-01", "2020-06-30", 100.0, "L84"),
    ]
    spells += [(10, SICK, f"20{year}-01-01", f"20{year}-01-02", 100.0, "P76") for year in range(10, 20)] * 10
    return make_register(10, spells, enrolment=enrol(["2020-06-01"] * 10))


def test_which_spell_gives_the_diagnosis(coded):
    cohort = build_cohort(coded, covariates={"code": {"from": "diagnosis", "measure": "code"}, "diagnosis_group": {}})
    codes = cohort.frame["code"].astype(object).where(cohort.frame["code"].notna(), None).tolist()
    assert codes == ["P76", "P76", "P02", None, "L03", None, None, "R95", None, None]
    groups = cohort.frame["diagnosis_group"]
    assert list(groups.cat.categories) == ["musculoskeletal", "mental", "other"]
    assert groups.isna().sum() == 5
    assert [(item.text, item.n) for item in cohort.counted] == [("Diagnosis code is not ICPC-2", 1)]
    assert any("read as ICPC-2, decided from the codes of the whole register" in note for note in cohort.notes)
    assert cohort.variables[1].n_missing == 5
    assert cohort.variables[1].source == "benefits.diagnosis (ICPC-2) at the index date"


def test_groups_of_the_study_and_chapters(coded):
    groups = {"back": ["L02", "L03", "L84"], "anxiety_depression": ["P74", "P76"]}
    cohort = build_cohort(
        coded,
        covariates={
            "own": {"from": "diagnosis", "groups": groups},
            "chapter": {"from": "diagnosis", "measure": "chapter"},
        },
        eligibility=[("diagnosis_group", {"values": ["back", "other"], "groups": groups})],
    )
    assert cohort.frame["own"].tolist() == ["other", "back", "other"]
    assert list(cohort.frame["own"].cat.categories) == ["back", "other"]
    assert cohort.frame["chapter"].tolist() == ["psychological", "musculoskeletal", "respiratory"]


def test_named_system_is_not_questioned(coded):
    frame = build_cohort(coded, covariates={"x": {"from": "diagnosis", "system": "icd10"}}).frame
    assert frame["x"].iloc[6] == "musculoskeletal"


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"system": "icd9"}, "must be one of 'auto', 'icpc2', 'icd10'"),
        ({"groups": ["L"]}, "must map a group's name to the codes"),
        ({"measure": "groups"}, "Did you mean 'group'"),
        ({"look_back_days": -1}, "must be a whole number of at least 0"),
    ],
)
def test_wrong_declarations(coded, declaration, message):
    with pytest.raises(ArgumentError, match=message):
        build_cohort(coded, covariates={"x": {"from": "diagnosis", **declaration}})


def test_no_diagnosis_column(coded):
    from dataclasses import replace

    bare = replace(coded, benefits=coded.benefits.drop(columns="diagnosis"))
    with pytest.raises(CohortError, match="benefits has no column 'diagnosis'"):
        build_cohort(bare, covariates=["diagnosis_group"])
