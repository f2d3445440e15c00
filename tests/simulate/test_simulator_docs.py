"""The examples of the pages on the simulator print what the pages say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["explanation/simulator.md", "tutorials/make_a_register.md"])
def test_the_examples_print_what_the_page_shows(page, capsys, monkeypatch, tmp_path):
    text = (DOCS / page).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for content, name in re.findall(r"```toml\n(# (\S+\.toml)\n.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(content, encoding="utf-8")
    names = {}
    pairs = re.findall(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", text, re.DOTALL)
    assert pairs
    for code, shown in pairs:
        exec(compile(code, page, "exec"), names)
        assert capsys.readouterr().out.split() == shown.split(), code
