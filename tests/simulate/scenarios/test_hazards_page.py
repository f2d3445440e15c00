"""The page on hazards shows what its code prints, the scenario's targets, and figures that a simulation gives."""

import re
from pathlib import Path

import pytest

from rtwcohort.simulate.fidelity import margin_of, simulate_for_measures
from rtwcohort.simulate.measures import measure
from rtwcohort.simulate.scenarios.read import load_scenario

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "explanation" / "hazards.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows(capsys):
    ((code, shown),) = re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "hazards.md", "exec"), {})
    assert capsys.readouterr().out == shown


def test_the_table_is_that_of_the_scenario():
    rows = re.findall(r"\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| (yes|no) \|", PAGE)
    scenario = load_scenario("norway")
    assert [row[0] for row in rows] == [target.id for target in scenario.targets]
    simulated = simulate_for_measures(scenario, n=20_000, seed=9, targets=scenario.targets)
    for name, published, shown, agrees in rows:
        target = scenario.target(name)
        value, error = measure(simulated, target)
        assert float(published) == pytest.approx(target.value, abs=0.05)
        assert float(shown) == pytest.approx(value, abs=5 * error + 0.1)
        assert (abs(float(shown) - target.value) <= margin_of(target, float(shown), 0.0)) == (agrees == "yes")


def test_the_drawing_is_small_and_named_by_the_page():
    (path,) = re.findall(r"\]\((\.\./images/[^)]+)\)", PAGE)
    drawing = (ROOT / "docs" / "explanation" / path).resolve()
    assert drawing.stat().st_size < 80_000
    assert "six months" in drawing.read_text(encoding="utf-8")
