"""A simulated register that plays the real one, and its synthetic copy."""

import copy
import tomllib
from pathlib import Path

import pytest

from rtwcohort.register import load_register
from rtwcohort.simulate.registers import simulate_register
from rtwcohort.simulate.scenarios.read import load_scenario, scenario_from_mapping
from rtwcohort.simulate.synthesise import synthesise
from rtwcohort.study.fidelity_estimators import FIDELITY_ESTIMATORS

TINY = Path(__file__).parents[1] / "scenarios" / "tiny.toml"
ANSWERS = {
    "waves": [{"name": "M0", "day": 0}, {"name": "M3", "day": 91, "response": 0.8}],
    "scores": [{"instrument": "FABQ-W", "mean": 22, "sd": 10, "alpha": 0.85}],
}


def _register(scenario, n, seed):
    return load_register(simulate_register(scenario, n=n, seed=seed), data_end=scenario.data_end)


@pytest.fixture(scope="session")
def plain():
    """Return the tiny scenario as a real register of 2000 people would be."""
    return _register(load_scenario(TINY), 2000, 11)


@pytest.fixture(scope="session")
def asked():
    """Return 600 people with questionnaires, clusters and one who earns as nobody else does."""
    content = copy.deepcopy(tomllib.loads(TINY.read_text(encoding="utf-8")))
    content["answers"] = ANSWERS
    content["population"]["clusters"] = {"number": 20, "name": "office"}
    content["process"]["effects"].append({"on": "return", "term": "fabq_w", "log_hr": -0.05, "centre": 22})
    scenario = scenario_from_mapping(content)
    tables = simulate_register(scenario, n=600, seed=3)
    tables["persons"].loc[17, "income"] = 9_999_999.0
    tables["persons"].loc[17, "education"] = "one_of_a_kind"
    return load_register(tables, data_end=scenario.data_end)


@pytest.fixture(scope="session")
def everybody():
    """Return a register of a whole population."""
    return _register(load_scenario("norway"), 1500, 5)


@pytest.fixture(scope="session")
def copy_of_asked(asked):
    return synthesise(asked, seed=7, estimators=FIDELITY_ESTIMATORS)


@pytest.fixture(scope="session")
def copy_of_everybody(everybody):
    return synthesise(everybody, seed=7, n=1200, reports=False)
