"""Coverage of 95 % intervals and type I error at 5,000 repetitions; `pytest -m simulation tests/simulation`.

The bounds are those of each measure, widened by 2 Monte Carlo standard errors (about 0.6 % at 95 %), so that a
method on the edge of its bounds does not fail by chance. A measure known to be outside says so in words, and must
then be outside: if it comes inside, the words are wrong.
"""

from __future__ import annotations

import os

import pytest
import simulate_coverage
from sim_core import Scenario, run_scenario

SCENARIOS = simulate_coverage.SCENARIOS


@pytest.mark.simulation
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_intervals_cover_and_tests_keep_their_level(scenario: Scenario) -> None:
    rates = run_scenario(scenario, workers=os.cpu_count() or 1)
    for rate in rates:
        low, high = rate.measure.bounds
        print(
            f"{rate.measure.method}, {rate.measure.what}: {rate.rate:.4f} (MC s.e. {rate.error:.4f}, {rate.lost} lost) "
            f"for {low} to {high}"
        )
    wrong = [rate.key for rate in rates if not rate.measure.outside and not rate.within(2.0)]
    assert not wrong, f"outside the bounds, and nothing says so: {wrong}"
    stale = [rate.key for rate in rates if rate.measure.outside and rate.inside]
    assert not stale, f"said to be outside the bounds, but inside: {stale}"


def test_the_same_figures_for_any_number_of_workers() -> None:
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == "cox_clusters")
    assert run_scenario(scenario, 60, workers=1) == run_scenario(scenario, 60, workers=2)


def test_every_scenario_gives_its_measures_and_has_its_own_seed() -> None:
    assert len({scenario.seed for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        rates = run_scenario(scenario, 2)
        assert all(rate.n + rate.lost == 2 for rate in rates)
        assert any(rate.n for rate in rates), scenario.name
