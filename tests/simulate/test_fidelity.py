"""The fidelity table: what agrees, by how much, and what cannot."""

import copy
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rtwcohort.simulate.fidelity import compare, distance, fidelity, margin_of, simulate_for_measures
from rtwcohort.simulate.measures import measure
from rtwcohort.simulate.registers import draw_slice
from rtwcohort.simulate.scenarios.declaration import Target
from rtwcohort.simulate.scenarios.read import load_scenario, scenario_from_mapping
from rtwcohort.study.fidelity_estimators import FIDELITY_ESTIMATORS

TINY = Path(__file__).parent / "scenarios" / "tiny.toml"


@pytest.fixture(scope="module")
def tiny():
    return load_scenario(TINY)


@pytest.fixture(scope="module")
def with_answers():
    content = copy.deepcopy(tomllib.loads(TINY.read_text(encoding="utf-8")))
    content["answers"] = {
        "waves": [{"name": "M0", "day": 0}, {"name": "M6", "day": 182, "response": 0.8}],
        "scores": [{"instrument": "FABQ-W", "mean": 22, "sd": 10, "alpha": 0.85}],
    }
    content["status"] = {
        "waves": ["M0", "M6"],
        "levels": ["not in work", "partly in work", "in work"],
        "shares": [[0.8, 0.15, 0.05], [0.4, 0.25, 0.35]],
        "effects": [
            {"term": "fabq_w", "log_or": -0.07, "centre": 22, "value_at": "M0"},
            {"term": "arm=visit", "log_or": 0.5},
        ],
    }
    return scenario_from_mapping(content)


def target(kind="percent", value=50.0, **more):
    given = {"id": "x", "evidence": "estimates:x", "measure": {"name": "returned", "rule": "x", "horizon": 3}, **more}
    return Target(kind=kind, value=value, **given)


@pytest.mark.parametrize(
    ("kind", "value", "found", "agrees"),
    [
        ("percent", 50, (51.9, 0.1), True),
        ("percent", 50, (52.1, 5.0), False),  # the simulation's error is no excuse for a percentage
        ("rd", -5, (-6.9, 0.1), True),
        ("median", 100, (104.9, 0.1), True),
        ("median", 100, (106, 0.5), False),
        ("median", 100, (106, 4.0), True),
        ("mean", 20, (21.1, 0.1), False),
        ("hr", 2.0, (2.09, 0.01), True),
        ("hr", 2.0, (2.2, 0.01), False),
        ("hr", 2.0, (2.2, 0.2), True),
        ("or", 0.5, (0.53, 0.001), False),
        ("coefficient", -0.1, (-0.104, 0.0001), True),
        ("coefficient", -0.1, (0.1, 0.01), False),
        ("percent", 50, (float("nan"), float("nan")), False),
    ],
)
def test_what_agrees(kind, value, found, agrees):
    assert compare(target(kind, value), found)["agrees"] is agrees


def test_own_margins():
    assert compare(target("percent", 50, within=3), (52.9, 0.1))["agrees"] is True
    assert compare(target("median", 100, within=0.1), (109, 0.1))["agrees"] is True
    assert margin_of(target("hr", 2.0, within=0.1), 2.0, 0.0) == pytest.approx(np.log(1.1))


def test_distances_of_ratios_are_logarithms():
    assert distance(target("hr", 2.0), 4.0) == pytest.approx(np.log(2))
    assert np.isnan(distance(target("hr", 2.0), 0.0))
    assert distance(target("percent", 50), 47) == -3


def test_the_table(tiny):
    found = fidelity(tiny, n=4000, seed=2)
    assert found.frame["id"].tolist() == [item.id for item in tiny.targets]
    row = found.frame.set_index("id").loc["women_visit"]
    assert row["published"] == 62
    assert row["simulated"] == pytest.approx(62, abs=2)
    assert row["agrees"] is True
    assert row["difference"] == pytest.approx(row["simulated"] - 62)
    hazard = found.frame.set_index("id").loc["hr_visit"]
    assert hazard["agrees"] is None
    assert hazard["why_not"] == "needs an estimator that was not given"
    assert found.failing == ("returned_ordinary",)
    assert not found.ok
    assert "hr_visit: published 1.42, simulated -, not measured" in found.describe()


def test_a_target_that_cannot_agree_is_shown_and_does_not_count(tiny):
    excused = tuple(
        replace(item, why_not="made up") if item.id == "returned_ordinary" else item for item in tiny.targets
    )
    found = fidelity(replace(tiny, targets=excused), n=4000, seed=2)
    assert found.ok
    row = found.frame.set_index("id").loc["returned_ordinary"]
    assert row["agrees"] is False
    assert row["why_not"] == "made up"
    assert "differs; made up" in found.describe()


def test_equal_seeds_give_equal_tables(tiny):
    one, two = (fidelity(tiny, n=1000, seed=3).frame for _ in range(2))
    assert one.equals(two)


def test_simulation_errors_are_those_of_replicates(tiny):
    tables = [fidelity(replace(tiny, targets=tiny.targets[:2]), n=400, seed=seed).frame for seed in range(100, 200)]
    simulated = np.array([table["simulated"].to_numpy() for table in tables])
    errors = np.array([table["simulation_error"].to_numpy() for table in tables])
    np.testing.assert_allclose(errors.mean(axis=0), simulated.std(axis=0, ddof=1), rtol=0.2)


def test_returned_is_the_share_of_paths_without_relapse(tiny):
    """With no way back from work, a return is the first exit to work: told by the paths themselves."""
    moves = tuple(move for move in tiny.process.transitions if move.group not in ("relapse", "death"))
    still = replace(tiny, process=replace(tiny.process, transitions=moves))
    simulated = simulate_for_measures(still, n=2000, seed=1)
    drawn = draw_slice(still, n=2000, seed=1)
    from rtwcohort.simulate.process.states import state_code

    back = np.full(2000, 10**6)
    rows = np.flatnonzero(drawn.paths.state == state_code("work"))[::-1]
    back[drawn.paths.person[rows]] = drawn.paths.start[rows]
    expected = 100 * np.mean((back - drawn.people.index <= 365)[drawn.people.arm == 0])
    found = measure(simulated, still.targets[0])
    assert found[0] == pytest.approx(expected)


def test_models_find_the_effects_that_were_set(with_answers):
    """Ordinal GEE of the status on its covariates: the odds ratios are the declared ones."""
    options = {"name": "ordinal_gee", "waves": ["M0", "M6"], "scores_at": "M0", "formula": "fabq_w + arm + wave"}
    targets = (
        target("coefficient", -0.07, id="fabq", measure={**options, "term": "fabq_w"}),
        target("or", float(np.exp(0.5)), id="arm", measure={**options, "term": "arm: visit"}),
        target(
            "percent",
            60,
            id="status",
            arm="ordinary",
            measure={"name": "questionnaire_status", "wave": "M6", "among": "age >= 0"},
        ),
        target("mean", 22, id="score", measure={"name": "score", "instrument": "FABQ-W", "wave": "M0"}),
        target("percent", 80, id="answered", measure={"name": "answered", "wave": "M6"}),
        target(
            "coefficient",
            -0.1,
            id="hazard",
            measure={
                "name": "logistic",
                "rule": "gismervik_2020",
                "horizon": 90,
                "formula": "arm + age",
                "term": "age",
            },
            why_not="made up",
        ),
        target(
            "coefficient",
            1.0,
            id="days",
            measure={"name": "linear", "last": 180, "formula": "arm + age", "term": "age"},
            why_not="made up",
        ),
    )
    found = fidelity(replace(with_answers, targets=targets), n=6000, seed=1, estimators=FIDELITY_ESTIMATORS)
    assert found.ok, found.describe()
    frame = found.frame.set_index("id")
    assert abs(frame.loc["fabq", "difference"]) < 3 * frame.loc["fabq", "simulation_error"]
    assert frame.loc["fabq", "simulation_error"] < 0.004
    assert frame.loc["hazard", "simulated"] < 0 < frame.loc["days", "simulated"]


def test_linear_is_numpys(tiny):
    from rtwcohort.simulate.measures.frames import analysis_frame
    from rtwcohort.simulate.measures.simulated import chosen_people

    simulated = simulate_for_measures(tiny, n=500, seed=1)
    frame = analysis_frame(simulated, chosen_people(simulated, None), "linear", {"last": 365})
    matrix = np.column_stack([np.ones(500), frame["age"], frame["income"]])
    expected, rest, *_ = np.linalg.lstsq(matrix, frame["value"].to_numpy(), rcond=None)
    covariance = np.linalg.inv(matrix.T @ matrix) * rest[0] / 497
    found = FIDELITY_ESTIMATORS["linear"](frame, "age + income", "age")
    assert found == pytest.approx((expected[1], np.sqrt(covariance[1, 1])), rel=1e-6)
