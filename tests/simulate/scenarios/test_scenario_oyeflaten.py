"""The scenario `oyeflaten`: shares at work by state at departure, and hazard ratios found again."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rtwcohort.register import check_register, load_register
from rtwcohort.simulate.fidelity import fidelity
from rtwcohort.simulate.process.states import state_code
from rtwcohort.simulate.registers import draw_slice, simulate_register, true_values
from rtwcohort.simulate.scenarios.read import load_scenario

YEARS = (0, 365, 730, 1096, 1461)

GROUPS = (
    ("work_to_partial", "full_to_partial"),
    ("partial_to_work",),
    ("work_to_full", "partial_to_full"),
    ("full_to_work",),
)
HAZARD_RATIOS = {
    # to partial, from partial, to full, from full sick leave
    "sex=female": (1.35, 1.08, 0.95, 0.93),
    "diagnosis=P76": (0.96, 0.93, 0.72, 0.86),
    "diagnosis=A04": (0.81, 0.72, 0.90, 0.98),
    "occupation=white_collar": (1.05, 1.22, 0.80, 0.84),
    "occupation=service": (1.21, 1.24, 0.62, 0.74),
    "months_before=5-8": (0.52, 0.61, 0.82, 1.03),
    "months_before=9-12": (0.65, 0.63, 1.01, 1.20),
    "months_before=over_12": (0.41, 0.55, 0.60, 0.70),
}


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("oyeflaten")


@pytest.fixture(scope="module")
def drawn(scenario):
    return draw_slice(scenario, n=60_000, seed=3)


def test_every_published_figure_agrees(scenario):
    found = fidelity(scenario, n=20_000, seed=1)
    assert found.ok, found.describe()
    assert found.frame["agrees"].all()
    assert sum("_years" in name for name in found.frame["id"]) == 30


@pytest.mark.simulation
def test_figures_agree_in_a_larger_register(scenario):
    found = fidelity(scenario, n=200_000, seed=2)
    assert found.ok, found.describe()


def test_without_the_arms_effects_the_states_at_departure_do_not_agree(scenario):
    same = replace(scenario, process=replace(scenario.process, arm_effects=()))
    failing = fidelity(same, n=5_000, seed=1).failing
    assert {"vocational_rehabilitation_1_years", "medical_rehabilitation_1_years"} <= set(failing)


@pytest.mark.parametrize("term", HAZARD_RATIOS)
def test_true_values_are_the_published_hazard_ratios(scenario, term):
    frame = true_values(scenario).set_index(["outcome", "term"])["value"].to_dict()
    groups = (
        ("work_to_partial", "full_to_partial"),
        ("partial_to_work",),
        ("work_to_full", "partial_to_full"),
        ("full_to_work",),
    )
    for ratio, names in zip(HAZARD_RATIOS[term], groups, strict=True):
        for group in names:
            assert frame[group, term] == pytest.approx(np.log(ratio), abs=1e-4)


def rate_ratio(drawn, origin, to, term, reference):
    """Mantel-Haenszel ratio of rates of a move, stratified by year of follow-up and arm, and the log's error.

    Between the people of `term` and of `reference`. Within a stratum the hazard of a person is constant.
    """
    paths, people = drawn.paths, drawn.people
    last = paths.person[1:] != paths.person[:-1]
    moves = np.zeros(len(paths.state), dtype=bool)
    moves[:-1] = ~last & (paths.state[1:] == state_code(to))
    here = paths.state == state_code(origin)
    since = people.index[paths.person]
    top = bottom = variance = 0.0
    for low, high in pairwise(YEARS):
        days = np.clip(paths.end - since, low, high) - np.clip(paths.start - since, low, high)
        came = moves & (paths.end - since > low) & (paths.end - since <= high)
        for arm in range(8):
            sums = []
            for name in (term, reference):
                mine = here & (drawn.covariates[name][paths.person] > 0) & (people.arm[paths.person] == arm)
                sums.append((came[mine].sum(), days[mine].sum()))
            (a, t1), (b, t0) = sums
            if t1 + t0 == 0:
                continue
            top += a * t0 / (t1 + t0)
            bottom += b * t1 / (t1 + t0)
            variance += (a + b) * t1 * t0 / (t1 + t0) ** 2
    return np.log(top / bottom), np.sqrt(variance / (top * bottom))


@pytest.mark.parametrize(
    ("origin", "to", "term", "reference", "ratio"),
    [
        ("work", "sick_graded", "sex=female", "sex=male", 1.35),
        ("work", "sick_full", "diagnosis=P76", "diagnosis=L84", 0.72),
        ("work", "sick_full", "occupation=service", "occupation=blue_collar", 0.62),
        ("sick_graded", "work", "occupation=white_collar", "occupation=blue_collar", 1.22),
        ("sick_full", "work", "diagnosis=P76", "diagnosis=L84", 0.86),
        ("sick_full", "sick_graded", "sex=female", "sex=male", 1.35),
    ],
)
def test_a_simple_analysis_finds_the_set_ratio(drawn, origin, to, term, reference, ratio):
    """Other covariates are independent of the term, so that their spread pulls the ratio towards 1 only a little."""
    found, error = rate_ratio(drawn, origin, to, term, reference)
    assert error < 0.08
    assert abs(found - np.log(ratio)) < 3 * error + 0.1 * abs(np.log(ratio))


def test_intensity_and_prevalence_of_full_sick_leave_differ(drawn):
    """A rarer move to full sick leave does not mean less of it where the way out is slower too."""
    to, _ = rate_ratio(drawn, "work", "sick_full", "diagnosis=P76", "diagnosis=L84")
    out, _ = rate_ratio(drawn, "sick_full", "work", "diagnosis=P76", "diagnosis=L84")
    assert to < out < 0


def test_months_before_and_days_on_the_benefit_are_one_thing(drawn):
    months, arm = drawn.people.categories["months_before"], drawn.people.arm
    days = drawn.people.index - drawn.people.absence_start
    rehabilitation = arm == 3
    limits = [np.percentile(days[rehabilitation & (months == k)], [2, 98]) for k in range(4)]
    for earlier, later in pairwise(limits):
        assert later[0] > earlier[1] - 25


def test_register_has_no_faults(scenario):
    tables = simulate_register(scenario, n=3_000, seed=4)
    found = check_register(load_register(tables, data_end=scenario.data_end))
    assert found.ok, found.describe()
    assert set(tables["enrolment"]["arm"]) == set(scenario.population.arm_names)
