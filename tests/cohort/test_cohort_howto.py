"""The how-to's Python runs and its tables name every requirement and source."""

import re
from pathlib import Path

from rtwcohort.cohort import COVARIATES, ELIGIBILITY

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "how-to" / "cohort.md").read_text(encoding="utf-8")


def test_examples_run(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(code, names)
    assert "people in the enrolment table" in capsys.readouterr().out
    assert names["cohort"].flow[-1].n_left == len(names["cohort"].frame) > 1000


def test_every_declaration_is_in_the_tables():
    for name, predicate in ELIGIBILITY.items():
        assert f"`{name}`" in TEXT
        for parameter in predicate.parameters:
            assert f"`{parameter.name}`" in TEXT, (name, parameter.name)
    for name, source in COVARIATES.items():
        assert f'`"{name}"`' in TEXT
        for parameter in source.parameters:
            assert f"`{parameter.name}`" in TEXT, (name, parameter.name)
