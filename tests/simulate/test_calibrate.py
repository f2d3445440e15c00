"""Calibration by simulated moments."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rtwcohort.errors import ArgumentError, ScenarioError
from rtwcohort.simulate.calibrate import calibrate
from rtwcohort.simulate.fidelity import fidelity
from rtwcohort.simulate.scenarios.declaration import Free, Target
from rtwcohort.simulate.scenarios.paths import get_value, set_value
from rtwcohort.simulate.scenarios.read import load_scenario


@pytest.fixture(scope="module")
def tiny():
    return load_scenario(Path(__file__).parent / "scenarios" / "tiny.toml")


def test_a_free_number_comes_to_its_target(tiny):
    found = calibrate(tiny, n=4000, seed=1, targets=["returned_ordinary"])
    assert found.cannot_hold == ()
    row = found.fidelity.frame.iloc[0]
    assert abs(row["difference"]) < 0.6
    assert found.loss[1] < 0.1 < found.loss[0]
    factor = found.values["after"].iloc[0]
    assert "\n  process.transitions[return].per_day = [[0, 0.00" in found.describe()
    rates = [item.process.transitions[0].per_day[0][1] for item in (tiny, found.scenario)]
    assert rates[1] == pytest.approx(rates[0] * factor)
    again = fidelity(replace(found.scenario, targets=tiny.targets[:1]), n=4000, seed=1)
    assert again.frame["simulated"].iloc[0] == row["simulated"]


def test_two_numbers_that_were_set_are_found_again(tiny):
    """Figures simulated from known values; the search starts elsewhere and comes back to them."""
    paths = ("process.transitions[return].per_day[0][1]", "process.arm_effects[visit].log_hr")
    free = (Free(path=paths[0], low=0.001, high=0.02), Free(path=paths[1], low=-1.0, high=1.5, scale="linear"))
    ordinary = tiny.targets[0]
    targets = (ordinary, replace(ordinary, id="returned_visit", arm="visit"))
    known = fidelity(replace(tiny, targets=targets, free=free), n=5000, seed=7).frame["simulated"]
    targets = tuple(replace(item, value=round(value, 3)) for item, value in zip(targets, known, strict=True))
    moved = set_value(set_value(replace(tiny, targets=targets, free=free), paths[0], 0.008), paths[1], -0.2)
    found = calibrate(moved, n=5000, seed=7, most_steps=12)
    assert get_value(found.scenario, paths[0]) == pytest.approx(0.004, rel=0.08)
    assert get_value(found.scenario, paths[1]) == pytest.approx(0.35, abs=0.06)
    assert found.cannot_hold == ()


def test_what_cannot_hold_together_is_told(tiny):
    both = (tiny.targets[0], replace(tiny.targets[0], id="returned_too", value=80.0))
    found = calibrate(replace(tiny, targets=both), n=2000, seed=1)
    assert set(found.cannot_hold) == {"returned_ordinary", "returned_too"}
    assert "These cannot all hold at once: returned_ordinary, returned_too." in found.describe()
    middle = found.fidelity.frame["simulated"].iloc[0]
    assert middle == pytest.approx(69, abs=1.5)


def test_a_number_stays_within_its_bounds(tiny):
    near = replace(tiny, free=(Free(path="process.transitions[return].per_day", low=0.9, high=1.1),))
    found = calibrate(near, n=2000, seed=1, targets=["returned_ordinary"])
    assert found.values["after"].iloc[0] == pytest.approx(0.9)
    assert bool(found.values["at_bound"].iloc[0])
    assert "at its bound" in found.describe()


def test_steps_are_told_and_loss_never_rises(tiny):
    seen = []
    calibrate(tiny, n=1000, seed=1, progress=lambda step, loss: seen.append((step, loss)))
    assert [step for step, _ in seen] == list(range(1, len(seen) + 1))
    assert np.all(np.diff([loss for _, loss in seen]) <= 0)


def test_the_scenario_itself_is_left_alone(tiny):
    before = get_value(tiny, "process.transitions[0].per_day[0][1]")
    calibrate(tiny, n=500, seed=1, most_steps=1)
    assert get_value(tiny, "process.transitions[0].per_day[0][1]") == before


def test_impossible_requests(tiny):
    with pytest.raises(ScenarioError, match="nothing to calibrate"):
        calibrate(replace(tiny, free=()))
    with pytest.raises(ScenarioError, match="no target to calibrate to"):
        calibrate(replace(tiny, targets=()))
    with pytest.raises(ScenarioError, match="`free` names 'x', which the scenario does not declare as free"):
        calibrate(tiny, free=["x"])
    with pytest.raises(ScenarioError, match=r"no target 'womenvisit'. Did you mean 'women_visit'?"):
        calibrate(tiny, targets=["womenvisit"])
    with pytest.raises(ArgumentError, match="`n` must be a whole number of at least 100; got 5"):
        calibrate(tiny, n=5)


def test_a_figure_that_is_not_defined_at_the_start(tiny):
    nobody = set_value(tiny, "process.transitions[return].per_day", 0.25)
    never = replace(
        tiny.targets[0], kind="median", value=100.0, measure={**tiny.targets[0].measure, "name": "days_to_return"}
    )
    slow = replace(nobody, targets=(never,))
    with pytest.raises(ScenarioError, match="the figures returned_ordinary are not defined at the starting values"):
        calibrate(slow, n=500)


def test_directions_pull_the_search_too(tiny):
    """The visit shall do better than ordinary care by two points at least, starting from doing worse."""
    better = Target(
        id="better",
        evidence="estimates:x",
        kind="direction",
        value=1,
        arm="visit",
        against="ordinary",
        measure=tiny.targets[0].measure,
    )
    path = "process.arm_effects[visit].log_hr"
    free = (Free(path=path, low=-1.0, high=1.0, scale="linear"),)
    start = set_value(replace(tiny, targets=(better,), free=free), path, -0.3)
    found = calibrate(start, n=3000, seed=1)
    assert found.cannot_hold == ()
    assert get_value(found.scenario, path) > 0
