"""The flow adds up, whatever the register; the whole selection against one written person by person."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from rtwcohort.cohort import FlowStep, arm_counts, build_cohort, flow_frame, flow_words

POOL = (
    ("age_at_index", {"min": 20, "max": 60}),
    ("sex", {"value": "female"}),
    ("on_benefit_at_index", {"benefits": ["sickness_benefit", "unemployment_benefit"]}),
    ("not_on", {"benefits": ["work_assessment_allowance"]}),
    ("absence_length_at_index", {"max_days": 365}),
    ("no_benefit_before", {"days": 30, "benefits": ["unemployment_benefit"]}),
    ("employed_at_index", {"min_position": 60}),
    ("has_arm", {"values": ["a"]}),
    ("history_covered", {"days": 200}),
    ("follow_up_at_least", {"days": 300}),
    ("has_values", {"columns": ["sex", "arm"]}),
    ("diagnosis_group", {"values": ["musculoskeletal", "mental"]}),
)


@pytest.mark.parametrize("seed", range(12))
def test_flow_adds_up(random_register, seed):
    register = random_register(seed, n=400, per_person=10)
    rng = np.random.default_rng(seed)
    chosen = [POOL[k] for k in rng.permutation(len(POOL))[:3]]
    cohort = build_cohort(register, eligibility=chosen)
    flow = cohort.flow
    assert flow[0].n_excluded == 0
    assert flow[0].n_left == len(register.enrolment)
    for before, step in pairwise(flow):
        assert before.n_left - step.n_excluded == step.n_left
        assert step.n_excluded >= 0
    assert flow[0].n_left - sum(step.n_excluded for step in flow) == flow[-1].n_left == len(cohort.frame)
    asked = [step.name for step in flow if step.name in dict(POOL)]
    assert list(dict.fromkeys(asked)) == [name for name, _ in chosen]
    assert cohort.frame["person_id"].is_unique
    for before, step in pairwise(flow[1:]):
        for arm, n in step.left_by_arm:
            assert n <= dict(before.left_by_arm).get(arm, n)
    counts = arm_counts(cohort)
    assert counts["n"].sum() == len(cohort.frame)
    by_arm = counts.dropna().set_index("arm")["n"].to_dict()
    assert {arm: n for arm, n in flow[-1].left_by_arm if n} == by_arm


def first_reason(register, facts, row, sick_days):
    """Say why a person leaves, one rule after the other, None for one who stays."""
    if pd.isna(row.index_date):
        return "index date missing"
    if row.person_id not in facts.index:
        return "not in the persons table"
    person, index = facts.loc[row.person_id], row.index_date
    born = person["birth_date"]
    age = None if pd.isna(born) else index.year - born.year - ((index.month, index.day) < (born.month, born.day))
    rules = (
        ("index date after the end of the register", index > register.data_end),
        ("died on or before the index date", person["death_date"] <= index),
        ("emigrated on or before the index date", person["emigration_date"] <= index),
        ("birth date missing", age is None),
        ("age outside 30 to 65 years at index date", age is None or not 30 <= age <= 65),
        ("not on sickness benefit or unemployment benefit at index date", index.date() not in sick_days),
    )
    return next((reason for reason, holds in rules if holds), None)


@pytest.mark.parametrize("seed", range(20, 24))
def test_each_person_leaves_where_a_plain_reading_says(random_register, naive_days, seed):
    register = random_register(seed, n=150)
    paid = ("sickness_benefit", "unemployment_benefit")
    sick = ("on_benefit_at_index", {"benefits": list(paid)})
    cohort = build_cohort(register, eligibility=[("age_at_index", {"min": 30, "max": 65}), sick])
    facts = register.persons.set_index("person_id")
    rows = register.enrolment.sort_values("index_date", kind="stable", na_position="last")
    rows = list(rows.drop_duplicates("person_id").sort_index().itertuples())
    days = [naive_days(register, row.person_id, paid) if row.person_id in facts.index else {} for row in rows]
    why = [first_reason(register, facts, row, own) for row, own in zip(rows, days, strict=True)]
    stay = [row.person_id for row, reason in zip(rows, why, strict=True) if reason is None]
    assert stay
    assert cohort.frame["person_id"].tolist() == stay
    counted = pd.Series(why).value_counts().to_dict()
    steps = {step.reason: step.n_excluded for step in cohort.flow[1:] if step.name != "one_row_each"}
    assert {reason: n for reason, n in steps.items() if n} == counted


def test_flow_frame(make_register, enrol):
    register = make_register(
        {"person_id": [1, 2, 3], "sex": ["male", "female", "male"]},
        enrolment=enrol(["2020-01-01"] * 3, arm=["x", "y", "x"]),
    )
    cohort = build_cohort(register, eligibility=[("sex", {"value": "male"})])
    frame = flow_frame(cohort)
    assert frame.to_dict("list") == {
        "step": [1, 2],
        "name": ["source", "sex"],
        "reason": ["people in the enrolment table", "sex is not male"],
        "n_excluded": [0, 1],
        "n_left": [3, 2],
        "n_left_x": [2, 2],
        "n_left_y": [1, 0],
    }
    assert arm_counts(cohort).to_dict("list") == {"arm": ["x"], "n": [2]}


def test_arm_counts_with_missing_and_without_arms(make_register, enrol):
    register = make_register(3, enrolment=enrol(["2020-01-01"] * 3, arm=["x", None, "x"]))
    counts = arm_counts(build_cohort(register))
    assert counts["n"].tolist() == [2, 1]
    assert counts["arm"].isna().tolist() == [False, True]
    register = make_register(3, enrolment=enrol(["2020-01-01"] * 3))
    cohort = build_cohort(register)
    assert arm_counts(cohort).empty
    assert list(flow_frame(cohort).columns) == ["step", "name", "reason", "n_excluded", "n_left"]


def test_flow_words_skip_steps_without_exclusions():
    flow = (FlowStep("source", "people", 0, 5), FlowStep("a", "A", 0, 5), FlowStep("b", "B", 2, 3))
    assert flow_words(flow) == "5 people; 2 left: B (3 remained)"
