"""The how-to's examples print what the page shows, and its table is the declaration."""

import re
from pathlib import Path

from rtwcohort.simulate.dirty import DIRT, PRESETS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "how-to" / "score_cleaning.md").read_text(encoding="utf-8")


def test_examples_print_what_the_page_shows(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    pairs = re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", TEXT, re.DOTALL)
    assert len(pairs) == TEXT.count("```python") == 3
    for code, shown in pairs:
        exec(code, names)
        assert capsys.readouterr().out.split() == shown.split()


def test_the_table_is_the_declaration():
    for declared in DIRT:
        other = ("read as it was: " if declared.mended_by_reading else "nothing: ") + declared.why
        found = ", ".join(f"`{name}`" for name in declared.found_by) or other
        assert f"| `{declared.name}` | {', '.join(declared.tables)} | {declared.meaning} | {found} |" in TEXT
    for preset in PRESETS:
        assert f'`"{preset}"`' in TEXT
