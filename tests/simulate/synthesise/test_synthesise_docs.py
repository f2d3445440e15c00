"""The how-to's examples print what the page shows."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "how-to" / "synthetic_copy.md").read_text(encoding="utf-8")


def test_examples_print_what_the_page_shows(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    pairs = re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", TEXT, re.DOTALL)
    assert len(pairs) == TEXT.count("```python") == 4
    for code, shown in pairs:
        exec(code, names)
        assert capsys.readouterr().out.split() == shown.split()


def test_the_page_names_the_limits():
    from rtwcohort.simulate.synthesise.limits import LEAST_CELL, LEAST_EVENTS, LEAST_PEOPLE

    assert f"at least {LEAST_PEOPLE} people with follow-up and {LEAST_EVENTS} who leave" in TEXT
    assert f"`least` ({LEAST_CELL})" in TEXT
