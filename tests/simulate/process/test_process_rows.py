"""Rows of the register out of paths: worked by hand, and free of every fault that the register check knows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rtwcohort.core.days import MISSING_DAY, day_of, from_days, iso
from rtwcohort.errors import ArgumentError
from rtwcohort.register import check_register
from rtwcohort.register.register import Register
from rtwcohort.simulate import draws
from rtwcohort.simulate.process import (
    STATES,
    Certificates,
    Entitlement,
    Inputs,
    Paths,
    Process,
    Transition,
    benefit_rows,
    employment_rows,
    exit_days,
    simulate_paths,
    state_code,
)
from rtwcohort.simulate.process import benefits as benefits_module

END = day_of("2022-01-01", argument="end")
CERTIFICATES = Certificates(first=((14, 1.0),), later=((28, 1.0),), diagnoses=(("L03", 0.75), ("P76", 0.25)))


def paths_of(*people, numbers=None):
    """Paths from people drawn as [(state, first day, grade), ...]; the last spell ends with the data."""
    person, state, start, end, grade = [], [], [], [], []
    for i, spells in enumerate(people):
        days = [day_of(text, argument="day") for _, text, _ in spells]
        person += [i] * len(spells)
        state += [state_code(name) for name, _, _ in spells]
        start += days
        end += [*days[1:], END]
        grade += [g for _, _, g in spells]
    n = len(people)
    return Paths(
        persons=np.arange(n) if numbers is None else np.asarray(numbers),
        person=np.asarray(person, dtype=np.int32),
        state=np.asarray(state, dtype=np.int8),
        start=np.asarray(start, dtype=np.int32),
        end=np.asarray(end, dtype=np.int32),
        grade=np.asarray(grade, dtype=np.int16),
        cause=np.zeros(len(person), dtype=np.int8),
        end_day=np.full(n, END, dtype=np.int32),
    )


def drawn(paths, entitlement=None, certificates=CERTIFICATES, **more):
    rows = benefit_rows(paths, certificates, entitlement=entitlement or Entitlement(), seed=1, **more)
    text = rows.assign(start=rows["start"].astype(str), end=rows["end"].astype(str).replace("NaT", ""))
    return [tuple(row) for row in text[["benefit", "start", "end", "grade"]].itertuples(index=False)]


PERSON = [
    ("work", "2021-01-01", 0),
    ("sick_full", "2021-02-01", 0),
    ("sick_graded", "2021-02-20", 50),
    ("sick_graded", "2021-03-01", 30),
    ("aap", "2021-04-15", 0),
    ("aap_work", "2021-06-01", 50),
    ("disability_partial", "2021-09-01", 40),
]
SICK, AAP, PENSION = "sickness_benefit", "work_assessment_allowance", "disability_pension"
LATER = [
    (AAP, "2021-04-15", "2021-05-31", 100.0),
    (AAP, "2021-06-01", "2021-08-31", 50.0),
    (PENSION, "2021-09-01", "", 40.0),
]


def test_certificates_follow_each_other():
    # The first lasts 14 days, the next 28, cut where the grade changes and where the absence ends.
    assert drawn(paths_of(PERSON)) == [
        (SICK, "2021-02-01", "2021-02-14", 100.0),
        (SICK, "2021-02-15", "2021-02-19", 100.0),
        (SICK, "2021-02-20", "2021-02-28", 50.0),
        (SICK, "2021-03-01", "2021-03-28", 30.0),
        (SICK, "2021-03-29", "2021-04-14", 30.0),
        *LATER,
    ]


def test_the_employer_period_may_be_hidden():
    # 1-16 February are the employer's: rows begin on day 17.
    assert drawn(paths_of(PERSON), Entitlement(shown=False)) == [
        (SICK, "2021-02-17", "2021-02-19", 100.0),
        (SICK, "2021-02-20", "2021-02-28", 50.0),
        (SICK, "2021-03-01", "2021-03-28", 30.0),
        (SICK, "2021-03-29", "2021-04-14", 30.0),
        *LATER,
    ]


@pytest.mark.parametrize(("days", "rows"), [(16, []), (17, [(SICK, "2021-03-03", "2021-03-03", 100.0)])])
def test_a_hidden_absence_of_16_days_is_missing(days, rows):
    back = iso(day_of("2021-02-15", argument="d") + days)
    paths = paths_of([("sick_full", "2021-02-15", 0), ("work", back, 0)])
    assert drawn(paths, Entitlement(shown=False)) == rows


@pytest.mark.parametrize(("gap", "first"), [(15, "2021-03-08"), (16, "2021-03-19")])
def test_a_hidden_employer_period_continues_after_a_short_gap(gap, first):
    # 10 days from 1 February. Work from 11 February for 15 days: new absence on 26 February, 6 days of 16 are left,
    # so 4 March is the first day seen. After 16 days: new absence on 27 February, seen from 15 March.
    again = iso(day_of("2021-02-11", argument="d") + gap)
    spells = [("sick_full", "2021-02-01", 0), ("work", "2021-02-11", 0), ("sick_full", again, 0), ("work", first, 0)]
    found = drawn(paths_of(spells), Entitlement(shown=False))
    seen = {15: "2021-03-04", 16: "2021-03-15"}[gap]
    assert found == [(SICK, seen, iso(day_of(first, argument="d") - 1), 100.0)]


def test_what_runs_at_the_end_of_data():
    paths = paths_of(
        [("sick_full", "2021-12-30", 0)], [("unemployed", "2021-05-01", 0)], [("retired", "2021-05-01", 0)]
    )
    assert drawn(paths) == [
        (SICK, "2021-12-30", "2021-12-31", 100.0),
        ("unemployment_benefit", "2021-05-01", "", 100.0),
        ("retirement_pension", "2021-05-01", "", 100.0),
    ]


def test_death_and_emigration():
    paths = paths_of(
        [("aap", "2021-01-01", 0), ("dead", "2021-03-01", 0)],
        [("work", "2021-01-01", 0), ("emigrated", "2021-04-01", 0)],
        [("work", "2021-01-01", 0)],
    )
    death, emigration = exit_days(paths)
    assert death.tolist() == [day_of("2021-03-01", argument="d"), MISSING_DAY, MISSING_DAY]
    assert emigration.tolist() == [MISSING_DAY, day_of("2021-04-01", argument="d"), MISSING_DAY]
    assert drawn(paths) == [(AAP, "2021-01-01", "2021-02-28", 100.0)]


def test_jobs_end_and_begin():
    jobs = employment_rows(
        paths_of(
            PERSON,
            [("unemployed", "2021-01-01", 0), ("work", "2021-02-01", 0), ("sick_full", "2021-03-01", 0)],
            numbers=[7, 9],
        )
    )
    found = [tuple(row) for row in jobs.astype({"start": str, "end": str}).itertuples(index=False)]
    assert found == [
        (7, "2021-01-01", "2021-04-14", 100.0, None),
        (7, "2021-06-01", "NaT", 100.0, None),
        (9, "2021-02-01", "NaT", 100.0, None),
    ]


def test_diagnoses_have_their_shares_and_stay():
    absences = [("sick_full", "2021-01-01", 0), ("work", "2021-01-05", 0)]
    again = [("sick_full", "2021-03-01", 0), ("aap", "2021-03-05", 0)]
    paths = paths_of(*([absences + again] * 3000))
    rows = benefit_rows(paths, replace(CERTIFICATES, same_again=0.4), entitlement=Entitlement(), seed=3)
    codes = rows["diagnosis"].to_numpy().reshape(3000, 3)
    assert (codes[:, 1] == codes[:, 2]).all()
    for k in (0, 1):
        assert abs((codes[:, k] == "L03").mean() - 0.75) < 4 * np.sqrt(0.1875 / 3000)
    same = 0.4 + 0.6 * (0.75**2 + 0.25**2)
    assert abs((codes[:, 0] == codes[:, 1]).mean() - same) < 4 * np.sqrt(0.25 / 3000)


def test_a_known_diagnosis_is_kept():
    paths = paths_of(*([[("sick_full", "2021-01-01", 0)]] * 3))
    rows = benefit_rows(paths, CERTIFICATES, entitlement=Entitlement(), seed=3, diagnosis=["P76", "L03", None])
    first = rows.groupby("person_id")["diagnosis"].first().tolist()
    assert first[:2] == ["P76", "L03"]
    assert first[2] in ("P76", "L03")
    with pytest.raises(ArgumentError, match="holds 'X99'"):
        benefit_rows(paths, CERTIFICATES, entitlement=Entitlement(), seed=3, diagnosis=["X99", "L03", None])
    with pytest.raises(ArgumentError, match="one value for each of 3 people"):
        benefit_rows(paths, CERTIFICATES, entitlement=Entitlement(), seed=3, diagnosis=["L03"])


def people(n, first=0):
    persons = np.arange(first, first + n)
    start = END - 1000
    return Inputs(
        persons=persons,
        start_day=np.full(n, start),
        start_state=np.where(persons % 2, state_code("work"), state_code("sick_full")),
        end_day=np.full(n, END),
        birth_day=start - draws.whole(draws.key(2, "age"), persons, 25 * 365, 66 * 365),
    )


LIVING = tuple(name for name in STATES if name not in ("retired", "dead", "emigrated"))
PROCESS = Process(
    transitions=(
        Transition(origin="work", to="sick_full", group="onset", per_day=((0, 0.004),)),
        Transition(origin=("sick_full", "sick_graded"), to="work", group="return", per_day=((0, 0.05), (16, 0.004))),
        Transition(origin="sick_full", to="sick_graded", group="grading", per_day=((0, 0.01),)),
        Transition(origin="sick_graded", to="sick_graded", group="regrade", per_day=((0, 0.01),)),
        Transition(origin=("aap", "aap_work"), to="disability_partial", group="pension", per_day=((0, 0.002),)),
        Transition(origin="unemployed", to="work", group="job", per_day=((0, 0.01),)),
        Transition(origin=LIVING, to="dead", group="death", per_day=((0, 0.0005),)),
        Transition(origin=LIVING, to="emigrated", group="emigration", per_day=((0, 0.0005),)),
    ),
    entitlement=Entitlement(after=(("aap", 0.5), ("aap_work", 0.3), ("unemployed", 0.2))),
)


@pytest.mark.parametrize("shown", [True, False])
def test_the_register_has_no_fault(shown):
    inputs = people(1500)
    process = replace(PROCESS, entitlement=replace(PROCESS.entitlement, shown=shown))
    paths = simulate_paths(process, inputs, seed=8)
    death, emigration = exit_days(paths)
    persons = pd.DataFrame(
        {
            "person_id": inputs.persons,
            "sex": "female",
            "birth_date": from_days(inputs.birth_day),
            "death_date": from_days(death),
            "emigration_date": from_days(emigration),
        }
    )
    rows = benefit_rows(paths, CERTIFICATES, entitlement=process.entitlement, seed=8)
    register = Register(
        persons=persons.rename_axis(index="row"),
        benefits=rows.rename_axis(index="row"),
        employment=employment_rows(paths).rename_axis(index="row"),
        enrolment=None,
        questionnaires=None,
        data_end=pd.Timestamp("2021-12-31"),
    )
    check = check_register(register)
    assert set(check.counts["fault"]) <= {"open_end"}, check.describe()
    assert check.ok
    assert set(rows["benefit"]) >= {SICK, AAP, PENSION, "unemployment_benefit", "retirement_pension"}
    assert (death != MISSING_DAY).sum() > 50


def test_rows_cover_the_days_of_the_paths():
    """Day by day: as many days on each benefit and grade in the rows as in the paths."""
    paths = simulate_paths(PROCESS, people(400), seed=8)
    rows = benefit_rows(paths, CERTIFICATES, entitlement=PROCESS.entitlement, seed=8)
    ends = rows["end"].fillna(pd.Timestamp("2021-12-31"))
    rows = rows.assign(days=(ends - rows["start"]).dt.days + 1)
    found = rows.groupby(["person_id", "benefit", "grade"])["days"].sum()
    names = {
        **dict.fromkeys(("sick_full", "sick_graded"), SICK),
        **dict.fromkeys(("aap", "aap_work"), AAP),
        "disability_partial": PENSION,
        "unemployed": "unemployment_benefit",
        "retired": "retirement_pension",
    }
    truth = pd.DataFrame(
        {
            "person_id": paths.person.astype(np.int64),
            "benefit": [names.get(STATES[s]) for s in paths.state],
            "grade": np.where(paths.grade > 0, paths.grade, 100).astype(float),
            "days": (paths.end - paths.start).astype(np.int64),
        }
    ).dropna(subset="benefit")
    expected = truth.groupby(["person_id", "benefit", "grade"])["days"].sum()
    pd.testing.assert_series_equal(found, expected)


def test_rows_do_not_depend_on_threads_blocks_or_partitions(monkeypatch):
    paths = simulate_paths(PROCESS, people(900), seed=8)
    whole = benefit_rows(paths, CERTIFICATES, entitlement=PROCESS.entitlement, seed=8, threads=1)
    part = benefit_rows(
        simulate_paths(PROCESS, people(300, first=300), seed=8), CERTIFICATES, entitlement=PROCESS.entitlement, seed=8
    )
    here = whole["person_id"].between(300, 599)
    pd.testing.assert_frame_equal(whole[here].reset_index(drop=True), part)
    monkeypatch.setattr(benefits_module, "_BLOCK", 200)
    again = benefit_rows(paths, CERTIFICATES, entitlement=PROCESS.entitlement, seed=8, threads=3)
    pd.testing.assert_frame_equal(whole, again)
