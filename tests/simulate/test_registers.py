"""Registers from scenarios: tables that load without a fault, the same whatever the partition, true effects told."""

import copy
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.core.days import MISSING_DAY, to_days
from rtwcohort.errors import ArgumentError, ScenarioError
from rtwcohort.register import check_register, load_register
from rtwcohort.simulate.calibrate import calibrate
from rtwcohort.simulate.fidelity import fidelity
from rtwcohort.simulate.partitions import write_scenario
from rtwcohort.simulate.population import Arm, Clusters, Population, Shape
from rtwcohort.simulate.registers import draw_slice, simulate_register, true_outcomes, true_values
from rtwcohort.simulate.scenarios.read import load_scenario, scenario_from_mapping, scenario_names

TINY = Path(__file__).parent / "scenarios" / "tiny.toml"

ANSWERS = {
    "waves": [{"name": "M0", "day": 0}, {"name": "M3", "day": 91, "response": 0.8}],
    "scores": [{"instrument": "FABQ-W", "mean": 22, "sd": 10, "alpha": 0.85}],
}
STATUS = {
    "waves": ["M0", "M3", "M12"],
    "levels": ["not in work", "partly in work", "in work"],
    "shares": [[0.8, 0.15, 0.05], [0.6, 0.2, 0.2], [0.4, 0.25, 0.35]],
    "effects": [
        {"term": "fabq_w", "log_or": -0.07, "centre": 22, "value_at": "M0"},
        {"term": "arm=visit", "log_or": 0.5},
    ],
}


@pytest.fixture(scope="module")
def tiny():
    return load_scenario(TINY)


@pytest.fixture(scope="module")
def asked():
    content = copy.deepcopy(tomllib.loads(TINY.read_text(encoding="utf-8")))
    content["answers"], content["status"] = ANSWERS, STATUS
    content["process"]["effects"].append({"on": "return", "term": "fabq_w", "log_hr": -0.02, "centre": 22})
    return scenario_from_mapping(content)


@pytest.mark.parametrize("name", ["tiny", "asked", *scenario_names()])
def test_the_register_has_no_fault_that_cleaning_would_mend(name, request):
    scenario = request.getfixturevalue(name) if name in ("tiny", "asked") else load_scenario(name)
    register = load_register(simulate_register(scenario, n=300, seed=4), data_end=scenario.data_end)
    found = check_register(register)
    assert found.ok
    assert set(found.counts["fault"]) <= {"open_end"}
    assert register.unreadable == ()


def test_a_register_that_was_loaded_is_the_one_that_was_simulated(tiny):
    tables = simulate_register(tiny, n=200, seed=4)
    register = load_register(tables, data_end=tiny.data_end)
    for name, frame in register.tables().items():
        for column in tables[name].columns:
            pd.testing.assert_series_equal(
                frame[column].reset_index(drop=True), tables[name][column], check_names=False, check_index=False
            )


def test_slices_make_the_whole(asked):
    whole = simulate_register(asked, n=120, seed=9)
    parts = [simulate_register(asked, n=120, seed=9, first=first, last=first + 40) for first in (0, 40, 80)]
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(frame, pd.concat([part[name] for part in parts], ignore_index=True))


def test_other_seeds_are_other_people(tiny):
    one, two = (simulate_register(tiny, n=50, seed=seed)["persons"] for seed in (1, 2))
    assert not one["birth_date"].equals(two["birth_date"])


def test_absences_cover_the_index_date_and_begin_as_declared(tiny):
    drawn = draw_slice(tiny, n=300, seed=2)
    tables = simulate_register(tiny, n=300, seed=2)
    rows = tables["benefits"].merge(tables["enrolment"][["person_id", "index_date"]], on="person_id")
    covers = (rows["start"] <= rows["index_date"]) & (rows["end"].isna() | (rows["end"] >= rows["index_date"]))
    assert rows.loc[covers, "person_id"].nunique() == 300
    before = rows[rows["start"] <= rows["index_date"]].sort_values(["person_id", "start"])
    starts = set(zip(before["person_id"], to_days(before["start"]).tolist(), strict=True))
    expected = zip(tiny.first_id + drawn.people.person, drawn.people.absence_start.tolist(), strict=True)
    assert all(pair in starts for pair in expected)


def test_jobs_and_absences_hang_together(tiny):
    tables = simulate_register(tiny, n=300, seed=2)
    jobs, benefits = tables["employment"], tables["benefits"]
    assert jobs["employer_id"].notna().all()
    sick = benefits[benefits["benefit"] == "sickness_benefit"]
    recent = sick[sick["start"] >= "2015-01-05"]
    assert recent["employer_id"].notna().all()
    both = recent.reset_index(names="row").merge(jobs, on=["person_id", "employer_id"], suffixes=("", "_job"))
    end = to_days(both["end_job"]).astype(np.int64)
    inside = (both["start"] >= both["start_job"]) & ((end == MISSING_DAY) | (end >= to_days(both["start"])))
    assert inside.groupby(both["row"]).any().all()
    pension = benefits[benefits["benefit"] == "disability_pension"].merge(jobs, on="person_id", suffixes=("", "_job"))
    full = pension[pension["grade"] == 100]
    assert (full["end_job"] < full["start"]).all()


def test_a_register_that_does_not_see_the_employer_period(tiny):
    rules = replace(tiny.process.entitlement, shown=False)
    hidden = replace(tiny, process=replace(tiny.process, entitlement=rules))
    seen, unseen = (simulate_register(item, n=200, seed=3)["benefits"] for item in (tiny, hidden))
    first = [frame.groupby("person_id")["start"].min() for frame in (seen, unseen)]
    both = pd.concat(first, axis=1, keys=["seen", "unseen"]).dropna()
    assert ((both["unseen"] - both["seen"]).dt.days >= 16).all()


def test_enrolled_without_benefit(tiny):
    well = replace(tiny, population=replace(tiny.population, enrolled_without_benefit=1.0))
    tables = simulate_register(well, n=100, seed=1)
    rows = tables["benefits"].merge(tables["enrolment"], on="person_id")
    covers = (rows["start"] <= rows["index_date"]) & (rows["end"].isna() | (rows["end"] >= rows["index_date"]))
    assert not covers.any()


def test_questionnaires_and_status_of_the_same_people(asked):
    table = simulate_register(asked, n=200, seed=1)["questionnaires"]
    assert set(table["instrument"]) == {"FABQ-W", "WORK-STATUS"}
    at = {name: set(rows["person_id"]) for name, rows in table[table["wave"] == "M3"].groupby("instrument")}
    assert at["WORK-STATUS"] == at["FABQ-W"]
    days = table[table["wave"] == "M3"].groupby("person_id")["answered_on"].nunique()
    assert (days == 1).all()
    # M12 has no other questions: everybody alive and resident then answers, 365 days after the index date.
    assert table.loc[table["wave"] == "M12", "person_id"].nunique() >= 195


def test_a_population_has_no_enrolment_and_starts_when_the_register_does(tiny):
    content = copy.deepcopy(tomllib.loads(TINY.read_text(encoding="utf-8")))
    content |= {
        "kind": "population",
        "name": "people",
        "enrolment": [content["enrolment"][0]] * 2,
        "burn_in_days": 800,
        "targets": [],
        "free": [],
    }
    content["population"]["start"] = {"shares": {"work": 1}}
    content["population"] |= {"arms": [{"name": "all", "share": 1}], "assign": "randomised"}
    del content["population"]["margins"]["sex"]["by_arm"], content["process"]["arm_effects"]
    del content["population"]["absence_before"], content["population"]["history"]
    scenario = scenario_from_mapping(content)
    tables = simulate_register(scenario, n=400, seed=1)
    assert "enrolment" not in tables
    benefits = tables["benefits"]
    assert (benefits["end"].isna() | (benefits["end"] >= "2015-01-05")).all()
    assert (benefits["start"] < "2015-01-05").any()
    assert check_register(load_register(tables, data_end=scenario.data_end)).ok


def test_cluster_arms_are_in_the_enrolment_table(tiny):
    population = Population(
        numbers={"age": Shape(shape="normal", mean=45, sd=9, low=20, high=60)},
        arms=(Arm(name="ordinary", share=1), Arm(name="visit", share=1)),
        assign="cluster",
        clusters=Clusters(number=10, name="kommune"),
    )
    process = replace(tiny.process, effects=())
    enrolment = simulate_register(replace(tiny, population=population, process=process), seed=1)["enrolment"]
    assert enrolment["cluster"].str.fullmatch(r"kommune_\d+").all()
    assert (enrolment.groupby("cluster")["arm"].nunique() == 1).all()


def test_true_values(asked):
    frame = true_values(asked)
    found = {(row.outcome, row.term): row.value for row in frame.itertuples()}
    assert found["return", "age/10"] == -0.15
    assert found["return", "arm[visit]"] == 0.35
    assert found["status", "fabq_w@M0"] == -0.07
    assert found["status", "arm=visit"] == 0.5


def test_true_outcomes_are_first_exits(tiny):
    outcomes = true_outcomes(tiny, n=300, seed=5)
    tables = simulate_register(tiny, n=300, seed=5)
    sick = tables["benefits"].merge(outcomes[["person_id", "index_date", "time", "to"]], on="person_id")
    sick = sick[sick["benefit"] == "sickness_benefit"]
    left = sick["index_date"] + pd.to_timedelta(sick["time"], unit="D")
    work = sick["to"] == "work"
    # Nobody is on sickness benefit on the day of return, and everybody was the day before.
    assert not ((sick["start"] <= left) & (sick["end"] >= left))[work].any()
    day_before = left - pd.Timedelta(days=1)
    there = sick[work & (sick["start"] <= day_before) & (sick["end"] >= day_before)]
    assert there["person_id"].nunique() == int((outcomes["to"] == "work").sum())
    assert set(outcomes["to"].dropna()) <= {"work", "aap", "dead"}


def test_arguments(tiny):
    with pytest.raises(ArgumentError, match="`n` must be a whole number of at least 1; got 0"):
        simulate_register(tiny, n=0, seed=1)
    with pytest.raises(ArgumentError, match="`seed` must be a whole number of at least 0; got -1"):
        simulate_register(tiny, seed=-1)
    with pytest.raises(ArgumentError, match="`last` must be a whole number from 5 to 400; got 500"):
        simulate_register(tiny, seed=1, first=5, last=500)


def test_hazards_that_run_wild_are_told(tiny):
    wild = replace(tiny.process, most_spells=3)
    with pytest.raises(ScenarioError, match="scenario 'tiny': `process` gives"):
        simulate_register(replace(tiny, process=wild), n=400, seed=1)


@pytest.mark.parametrize(
    "verb", ["simulate_register", "true_values", "true_outcomes", "write", "fidelity", "calibrate"]
)
@pytest.mark.parametrize(("given", "way_out"), [("demo", r"load_scenario\('demo'\)"), (None, "got NoneType")])
def test_what_is_no_scenario_is_refused_with_the_way_out(verb, given, way_out, tmp_path):
    verbs = {
        "simulate_register": lambda: simulate_register(given, n=3, seed=1),
        "true_values": lambda: true_values(given),
        "true_outcomes": lambda: true_outcomes(given, n=3, seed=1),
        "write": lambda: write_scenario(given, tmp_path / "r", n=3, seed=1),
        "fidelity": lambda: fidelity(given, n=3, seed=1),
        "calibrate": lambda: calibrate(given, seed=1),
    }
    with pytest.raises(ArgumentError, match=way_out):
        verbs[verb]()
    assert not list(tmp_path.iterdir())
