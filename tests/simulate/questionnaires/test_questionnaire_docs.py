"""The example of the explanation page prints what the page says."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "questionnaires.md"


def test_the_example_of_the_page_prints_what_it_shows(capsys):
    text = PAGE.read_text(encoding="utf-8")
    code, shown = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", text, re.DOTALL).groups()
    exec(compile(code, str(PAGE), "exec"), {})
    assert capsys.readouterr().out.split() == shown.split()
