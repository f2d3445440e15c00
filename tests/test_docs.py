"""Reference pages follow from declarations, and the Python in the README runs."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def load_generator():
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["study_file.md", "register.md", "rules.md", "instruments.md", "scenarios.md", "api.md"]
)
def test_reference_pages_are_up_to_date(name):
    stored = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert load_generator().pages()[name] == stored, "run: python docs/make_reference.py"


def test_python_of_the_readme_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S)
    exec(compile(block, "README.md", "exec"), {})
    assert "arm: workplace_visit" in capsys.readouterr().out


def test_study_file_of_the_readme_is_valid(tmp_path):
    from rtwcohort.study.parts import read_parts
    from rtwcohort.study.read import read_study

    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S)
    path = tmp_path / "study.toml"
    path.write_text(block, encoding="utf-8")
    assert read_parts(read_study(path)).rule.name == "skagseth_2020_pa"


def test_links_between_pages_exist():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
