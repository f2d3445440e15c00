"""Scenarios read from TOML, and every error read aloud."""

import copy
import datetime as dt
import tomllib
from pathlib import Path

import pytest

from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.scenarios.read import load_scenario, scenario_from_mapping, scenario_names

TINY = Path(__file__).with_name("tiny.toml")


@pytest.fixture
def content():
    return copy.deepcopy(tomllib.loads(TINY.read_text(encoding="utf-8")))


def test_the_example_reads():
    scenario = load_scenario(TINY)
    assert scenario.name == "tiny"
    assert scenario.enrolment == (dt.date(2015, 1, 5), dt.date(2015, 6, 30))
    assert scenario.population.arm_names == ("ordinary", "visit")
    assert scenario.process.transitions[0].per_day == ((0.0, 0.004), (120.0, 0.003), (240.0, 0.004))
    assert scenario.target("women_visit").value == 62


@pytest.mark.parametrize("name", scenario_names())
def test_scenarios_of_the_package_read_and_are_named_as_their_files(name):
    assert load_scenario(name).name == name


def set_at(content, path, value):
    *steps, last = path
    for step in steps:
        content = content[step]
    content[last] = value


ERRORS = [
    (
        ("targets", 0, "value"),
        140,
        "tiny.toml, `targets[0]`: `value` of a percentage must be from 0 to 100; got 140.0. ",
    ),
    (("targets", 1, "value"), -1.2, "tiny.toml, `targets[1]`: `value` of a ratio must be above 0; got -1.2."),
    (("targets", 1, "low"), 1.3, "`value` must lie between `low` and `high`; got 1.18."),
    (("targets", 0, "evidence"), "estimate:x", "must be a table and a row, such as 'estimates:hernes_gee_uni_age'"),
    (("targets", 0, "evidence"), "estimate:x", "Did you mean 'estimates'?"),
    (("targets", 0, "id"), "returned_rr", "`targets` must have each id once; 'returned_rr' comes twice."),
    (("targets", 0, "arm"), "visits", "target 'returned_ordinary': there is no arm 'visits'. Did you mean 'visit'?"),
    (("targets", 0, "measure"), {"name": "retuned"}, "there is no measure 'retuned'. Did you mean 'returned'?"),
    (("targets", 0, "measure"), {"rule": "x"}, "`measure` must hold the `name` of a measure."),
    (
        ("targets", 0, "measure"),
        {"name": "returned", "rule": "x"},
        "the measure 'returned' needs the option `horizon`.",
    ),
    (
        ("targets", 0, "measure"),
        {"name": "returned", "rule": "x", "horizon": 3, "horizn": 3},
        "has no option 'horizn'.",
    ),
    (
        ("targets", 0, "measure", "among"),
        "agee > 3",
        "`among` names 'agee', which is no covariate. Did you mean 'age'?",
    ),
    (("targets", 0, "measure", "among"), ["sex=femal"], "`among` must be 'name=category' or 'name >= number'"),
    (("targets", 0, "measure", "rule"), "gismervik_2021", "gismervik_2020"),
    (
        ("targets", 0, "measure", "horizon"),
        900,
        "it needs 928 days after the index date, but the last one, 2015-06-30, is",
    ),
    (("targets", 0, "measure", "horizon"), 900, "Let `data_end` be 2018-01-13 or later."),
    (("targets", 1, "against"), "nobody", "there is no arm 'nobody'."),
    (
        ("targets", 0, "against"),
        "visit",
        "`against` is for the kinds rr, or, rd, difference, direction; this target is a 'percent'.",
    ),
    (("targets", 0, "kind"), "percentage", "`targets[0].kind`: this must be 'percent', 'median', 'mean'"),
    (("targets", 0, "within"), 0, "`within` must be above 0; got 0"),
    (("targets", 3, "arm"), "visit", "so that `arm` cannot be in its formula."),
    (
        ("process", "transitions", 0, "per_day"),
        [[0, -0.1]],
        "tiny.toml, `process.transitions[0]`: `per_day of 'sick_full/sick_graded to work'` must hold no",
    ),
    (("process", "transitions", 0, "per_day"), [[0, -0.1]], "a hazard cannot be below 0; got -0.1 from 0.0 on."),
    (("process", "grades"), [[10, 0.5], [50, 0.5]], "`process`: `grades (percent, under 100)` must be a whole number"),
    (("process", "grades"), [[50, 0.4]], "must be shares that add up to 1; they add up to 0.4."),
    (("process", "entitlement", "after"), [["aaap", 1.0]], "Did you mean 'aap'?"),
    (("process", "effects", 0, "term"), "agee", "there is no covariate 'agee'. Did you mean 'age'?"),
    (("process", "effects", 0, "on"), "retrun", "Did you mean 'return'?"),
    (("process", "arm_effects", 0, "arm"), "visitor", "`process.arm_effects[0].arm`: there is no arm 'visitor'."),
    (("process", "clusters"), [{"on": "return", "sd": 0.2}], "there are no clusters. Declare [population.clusters]."),
    (
        ("population", "correlation", "matrix"),
        [[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]],
        "tiny.toml, `population.correlation`: `matrix` must be positive definite; its smallest eigenvalue is -0.8.",
    ),
    (("population", "correlation", "variables"), ["age", "incme", "education"], "Did you mean 'income'?"),
    (("n",), 0, "tiny.toml: `n` must be at least 1; got 0."),
    (("n",), "many", "tiny.toml, `n`: this must be a whole number; got 'many'."),
    (("title",), 3, "tiny.toml, `title`: this must be a text; got 3."),
    (("population", "margins"), 3, "tiny.toml, `population.margins`: this must be a table; got 3."),
    (("targets",), 3, "tiny.toml, `targets`: this must be a list; got 3."),
    (("enrolment",), ["soon", "later"], "tiny.toml, `enrolment[0]`: this must be a"),
    (
        ("process", "transitions", 0, "per_day"),
        [["x", 1]],
        "`process.transitions[0].per_day[0][0]`: this must be a number",
    ),
    (("population", "exact"), "yes", "`population.exact`: this must be true or false; got 'yes'."),
    (("name",), "a name", "`name` must hold letters, digits and underscores only; got 'a name'."),
    (("seeds",), 3, "a scenario has no key 'seeds'. It takes: name, title, n, enrolment"),
    (("population", "agee"), 3, "[population] has no key 'agee'."),
    (("population", "numbers", "age", "men"), 3, "[population.numbers.age] has no key 'men'. Did you mean 'mean'?"),
    (("process", "transitions", 0, "goup"), "x", "[process.transitions[0]] has no key 'goup'. Did you mean 'group'?"),
    (("targets", 0, "vlaue"), 3, "[targets[0]] has no key 'vlaue'. Did you mean 'value'?"),
    (("data_end",), dt.date(2015, 6, 1), "`data_end` must be after the last index date, 2015-06-30; got 2015-06-01."),
    (("enrolment",), [dt.date(2016, 1, 1), dt.date(2015, 1, 1)], "`enrolment` must not end before it begins"),
    (("burn_in_days",), 100, '`burn_in_days` is for `kind = "population"`'),
    (("free", 0, "path"), "process.transitions[retrun].per_day", "leads nowhere at 'retrun'. Did you mean 'return'?"),
    (("free", 0, "low"), 7.0, "`low` must be below `high`; got 7.0 and 5.0"),
    (("free", 0, "low"), -1.0, "`low` must be above 0 on the log scale; got -1.0"),
    (("free", 0, "low"), 2.0, "the value must lie between 2 and 5; it is 1."),
    (("free", 0, "targets"), ["nothing"], "there is no target 'nothing'."),
]


@pytest.mark.parametrize(("path", "value", "words"), ERRORS, ids=[f"{e[0][-1]}-{i}" for i, e in enumerate(ERRORS)])
def test_errors_name_the_key_the_rule_and_what_came(content, path, value, words):
    set_at(content, path, value)
    with pytest.raises(ScenarioError) as caught:
        scenario_from_mapping(content, where="tiny.toml")
    assert words in str(caught.value), str(caught.value)


def test_a_missing_key_is_named(content):
    del content["population"]
    del content["targets"][0]["value"]
    with pytest.raises(ScenarioError) as caught:
        scenario_from_mapping(content, where="tiny.toml")
    lines = str(caught.value).splitlines()
    assert "tiny.toml, `population`: this key is missing and has no default." in lines
    assert "tiny.toml, `targets[0].value`: this key is missing and has no default." in lines


def test_all_faults_are_told_at_once_but_no_more_than_eight(content):
    for number in range(12):
        content[f"wrong{number}"] = 1
    with pytest.raises(ScenarioError) as caught:
        scenario_from_mapping(content)
    assert len(str(caught.value).splitlines()) == 9
    assert str(caught.value).endswith("... and 4 more.")


def test_no_such_scenario_names_those_there_are():
    with pytest.raises(ScenarioError) as caught:
        load_scenario("hernes_wvp")
    assert "Did you mean 'hernes_wpv'?" in str(caught.value)
    assert "A scenario of your own is a .toml file." in str(caught.value)


def test_files_that_are_no_scenarios(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("name = oops")
    with pytest.raises(ScenarioError, match=r"broken.toml is not valid TOML"):
        load_scenario(broken)
    broken.write_bytes(b"name = '\xff\xfe'")
    with pytest.raises(ScenarioError, match="cannot be read as UTF-8"):
        load_scenario(broken)


@pytest.mark.parametrize(
    ("score", "words"),
    [
        ({"mean": 50, "sd": 10, "alpha": 0.8}, "`answers.scores[0]`: `mean` of FABQ-W must lie between 0 and 42"),
        ({"mean": 22, "sd": 60, "alpha": 0.8}, "tiny.toml, `answers`: No answers within the range of FABQ-W"),
        (
            {"mean": 22, "sd": 10, "alpha": 0.8, "depends": [{"term": "agee", "points": 1}]},
            "tiny.toml, `answers`, 'FABQ-W': there is no covariate 'agee'. Did you mean 'age'?",
        ),
        ({"mean": 22, "sd": 10, "alhpa": 0.8}, "[answers.scores[0]] has no key 'alhpa'. Did you mean 'alpha'?"),
    ],
)
def test_impossible_questionnaires(content, score, words):
    content["answers"] = {"waves": [{"name": "M0"}], "scores": [{"instrument": "FABQ-W", **score}]}
    with pytest.raises(ScenarioError) as caught:
        scenario_from_mapping(content, where="tiny.toml")
    assert words in str(caught.value), str(caught.value)


def test_a_status_needs_covariates_that_exist(content):
    content["status"] = {
        "waves": ["M0"],
        "levels": ["not in work", "in work"],
        "shares": [[0.5, 0.5]],
        "effects": [{"term": "fabq_w", "log_or": -0.1}],
    }
    with pytest.raises(ScenarioError, match="`status`: there is no covariate 'fabq_w'"):
        scenario_from_mapping(content)
