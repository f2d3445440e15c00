"""Numbers inside a scenario, found and replaced by their path."""

from pathlib import Path

import pytest

from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.scenarios.paths import get_value, set_value, written
from rtwcohort.simulate.scenarios.read import load_scenario


@pytest.fixture(scope="module")
def tiny():
    return load_scenario(Path(__file__).with_name("tiny.toml"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("n", 400),
        ("process.transitions[return].per_day", 1.0),
        ("process.transitions[0].per_day[2][1]", 0.004),
        ("process.transitions[return].per_day[1][1]", 0.003),
        ("process.effects[age].log_hr", -0.15),
        ("process.arm_effects[visit].log_hr", 0.35),
        ("population.absence_before.median", 120),
        ("population.numbers.age.sd", 9),
        ("population.margins.sex.shares.female", 55),
    ],
)
def test_values_by_path(tiny, path, value):
    assert get_value(tiny, path) == pytest.approx(value)
    new = set_value(tiny, path, 2 * value)
    if path.endswith("per_day"):
        before, after = (item.process.transitions[0].per_day for item in (tiny, new))
        assert [rate for _, rate in after] == pytest.approx([2 * rate for _, rate in before])
        assert [day for day, _ in after] == [day for day, _ in before]
    else:
        assert get_value(new, path) == pytest.approx(2 * value)
    assert get_value(tiny, path) == pytest.approx(value)


def test_a_group_means_all_its_transitions(tiny):
    first = tiny.process.transitions[0]
    twins = set_value(tiny, "process.transitions[return].per_day", 1.0)
    assert twins.process == tiny.process
    from dataclasses import replace

    other = replace(first, origin="aap", group="return", per_day=((0, 0.5),))
    both = replace(tiny, process=replace(tiny.process, transitions=(*tiny.process.transitions, other)))
    moved = set_value(both, "process.transitions[return].per_day", 3.0)
    assert moved.process.transitions[-1].per_day == ((0, 1.5),)
    assert moved.process.transitions[0].per_day[0][1] == pytest.approx(0.012)
    with pytest.raises(ScenarioError, match="several numbers that differ"):
        get_value(both, "process.transitions[return].per_day[0][1]")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("proces.transitions", "leads nowhere at 'proces'. Did you mean 'process'?"),
        ("process.transitions[99].per_day", "There are: 0 to 5."),
        ("process.transitions[retur].per_day", "Did you mean 'return'?"),
        ("title", "must lead to a number"),
        ("population.margins.sexx.shares", "Did you mean 'sex'?"),
        ("", "must name something"),
        ("process..effects", "must be names, dots and [brackets]"),
    ],
)
def test_paths_that_lead_nowhere(tiny, path, words):
    with pytest.raises(ScenarioError) as caught:
        get_value(tiny, path)
    assert words in str(caught.value)


def test_a_value_against_the_rules_is_refused(tiny):
    with pytest.raises(ScenarioError) as caught:
        set_value(tiny, "process.transitions[return].per_day", -1.0)
    assert "`process.transitions[return].per_day` cannot be -1" in str(caught.value)


def test_values_as_they_are_written(tiny):
    assert written(tiny, "process.transitions[return].per_day") == [
        "process.transitions[return].per_day = [[0, 0.004], [120, 0.003], [240, 0.004]]"
    ]
    assert written(tiny, "process.arm_effects[visit].log_hr") == ["process.arm_effects[visit].log_hr = 0.35"]
