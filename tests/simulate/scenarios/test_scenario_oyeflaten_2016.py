"""The scenario `oyeflaten_2016`: days before and after rehabilitation, and what goes with them."""

from dataclasses import replace

import numpy as np
import pytest

from rtwcohort.register import check_register, load_register
from rtwcohort.simulate.calibrate import calibrate
from rtwcohort.simulate.fidelity import fidelity
from rtwcohort.simulate.registers import simulate_register, true_outcomes, true_values
from rtwcohort.simulate.scenarios.read import load_scenario


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("oyeflaten_2016")


def test_every_figure_agrees_but_the_one_that_cannot(scenario):
    found = fidelity(scenario, n=20_000, seed=1)
    assert found.ok, found.describe()
    differing = found.frame.loc[found.frame["agrees"] == False, "id"]  # noqa: E712
    assert differing.tolist() == ["days_after_on_sickness_benefit_alone"]
    assert len(found.frame) == 17


def test_without_effects_days_after_go_less_with_the_scores(scenario):
    bare = replace(scenario, process=replace(scenario.process, effects=()))
    failing = set(fidelity(bare, n=5_000, seed=1).failing)
    assert {"fabq_work_after", "mobility_after", "lifting_carrying_after"} <= failing
    assert "fabq_work_before" not in failing


def test_calibration_finds_the_way_back_from_half_the_hazard(scenario):
    """One free number, started at a factor of two away, with the figures of the scenario itself as targets."""
    half = [
        replace(move, per_day=tuple((day, rate / 2) for day, rate in move.per_day)) if move.group == "return" else move
        for move in scenario.process.transitions
    ]
    moved = replace(scenario, process=replace(scenario.process, transitions=tuple(half)))
    path = "process.transitions[return].per_day"
    found = calibrate(moved, n=4_000, seed=1, free=[path], targets=["days_after"], most_steps=6)
    assert found.values["after"].iloc[0] == pytest.approx(2.0, rel=0.08)


def test_scores_slow_return_as_set(scenario):
    """Among the fourth with the lowest and with the highest score, the rate of the first exit over half a year."""
    frame = true_outcomes(scenario, n=20_000, seed=2)
    values = true_values(scenario).set_index("term")["value"].to_dict()
    low, high = np.quantile(frame["fabq_work"], [0.25, 0.75])
    rates = []
    for chosen in (frame["fabq_work"] < low, frame["fabq_work"] > high):
        part = frame[chosen]
        rates.append(((part["time"] <= 182) & (part["to"] == "work")).sum() / part["time"].clip(upper=182).sum())
    distance = (
        frame.loc[frame["fabq_work"] > high, "fabq_work"].mean()
        - frame.loc[frame["fabq_work"] < low, "fabq_work"].mean()
    )
    # Frailty and the other scores pull the ratio towards 1.
    assert values["fabq_work"] * distance < np.log(rates[1] / rates[0]) < 0.7 * values["fabq_work"] * distance


def test_register_has_no_faults(scenario):
    tables = simulate_register(scenario, n=1_155, seed=4)
    found = check_register(load_register(tables, data_end=scenario.data_end))
    assert found.ok, found.describe()
