"""The page on rules: its examples print what it says, its tables are those of the catalogue."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from rtwcohort.outcomes.catalogue import NOT_COMPUTABLE, RULES
from rtwcohort.outcomes.sentence import describe_rule

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "rtw_rules.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_examples_print_what_the_page_says(page: str) -> None:
    names: dict[str, object] = {}
    blocks = re.findall(r"```(python|text)\n(.*?)```", page, flags=re.DOTALL)
    assert [kind for kind, _ in blocks].count("text") == 3
    printed = io.StringIO()
    for kind, body in blocks:
        if kind == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(body, names)
        else:
            assert printed.getvalue() == body


@pytest.mark.parametrize("name", RULES)
def test_the_page_lists_every_rule(name: str, page: str) -> None:
    words = describe_rule(RULES[name]).split(";")[0].split(" was ", 1)[1]
    assert f"| `{name}` | {words} | {RULES[name].horizon_days or 'not stated'} |" in page


def test_the_page_lists_what_cannot_be_computed(page: str) -> None:
    for entry in NOT_COMPUTABLE:
        assert f"| {entry.study} | {entry.outcome} | {entry.reason} |" in page
