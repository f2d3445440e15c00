"""The commands as a new user types them."""

import re
import tomllib
from pathlib import Path

import pandas as pd

from rtwcohort import __version__
from rtwcohort.errors import ArgumentError, OutputError, RegisterError
from rtwcohort.outcomes import RULES


def test_version_and_help(command):
    assert command("--version")[1].strip() == f"rtwcohort {__version__}"
    code, out, _ = command("--help")
    assert code == 0
    for name in ("run", "check", "init", "demo", "rules"):
        assert re.search(rf"^\s+{name}\s", out, flags=re.M)


def test_init_writes_a_study_that_runs(place, command):
    place.save()
    place.study.unlink()
    code, out, _ = command("init", place.folder / "data")
    assert code == 0
    written = place.folder / "data" / "study.toml"
    assert str(written) in out
    content = tomllib.loads(written.read_text(encoding="utf-8"))
    assert content["predictors"]["terms"] == ["arm", "age", "sex"]
    assert content["arms"]["reference"] == "ordinary"
    assert command("run", written)[0] == 0
    assert (place.folder / "data" / "results-study" / "report.html").exists()


def test_init_keeps_an_existing_file(place, command):
    place.save()
    target = place.study
    before = target.read_bytes()
    code, _, err = command("init", place.folder / "data", "--output", target)
    assert code == OutputError.exit_code
    assert "--force" in err
    assert target.read_bytes() == before
    assert command("init", place.folder / "data", "--output", target, "--force")[0] == 0
    assert tomllib.loads(target.read_text(encoding="utf-8"))["register"]["folder"] == "data"


def test_norwegian_files_from_init_to_report(place, command):
    """Semicolons, decimal commas, ISO-8859-1, dd.mm.yyyy and Norwegian names, as registers send them."""
    data = place.folder / "uttrekk"
    data.mkdir()
    day = "%d.%m.%Y"
    spells = place.tables["benefits"]
    pd.DataFrame(
        {
            "fnr": spells["person_id"].astype(str).str.zfill(11),
            "ytelse": "Sykepenger",
            "fom": pd.to_datetime(spells["start"]).dt.strftime(day),
            "tom": pd.to_datetime(spells["end"]).dt.strftime(day),
            "grad": "100,0",
        }
    ).to_csv(data / "ytelser.csv", sep=";", index=False, encoding="iso-8859-1")
    people = place.tables["persons"]
    pd.DataFrame(
        {
            "fnr": people["person_id"].astype(str).str.zfill(11),
            "kjønn": people["sex"].map({"female": "Kvinne", "male": "Mann"}),
            "fødselsdato": pd.to_datetime(people["birth_date"]).dt.strftime(day),
        }
    ).to_csv(data / "personer.csv", sep=";", index=False, encoding="iso-8859-1")
    enrolled = place.tables["enrolment"]
    pd.DataFrame(
        {
            "fnr": enrolled["person_id"].astype(str).str.zfill(11),
            "inklusjonsdato": pd.to_datetime(enrolled["index_date"]).dt.strftime(day),
            "gruppe": enrolled["arm"].map({"ordinary": "Vanlig oppfølging", "visit": "Besøk"}),
        }
    ).to_csv(data / "deltakere.csv", sep=";", index=False, encoding="iso-8859-1")
    assert command("init", data)[0] == 0
    code, _, err = command("run", data / "study.toml")
    assert code == 0, err
    page = (data / "results-study" / "report.html").read_text(encoding="utf-8")
    assert "Vanlig oppfølging" in page
    place.save()
    assert command("run", place.study)[0] == 0
    key = re.compile(r"hazard ratio.*?</dd>", flags=re.S)
    ours = (place.results / "report.html").read_text(encoding="utf-8")
    assert len(key.findall(ours)) == len(key.findall(page)) > 0


def test_a_folder_with_nothing_but_spells(place, command):
    """The least that a user can have: person, benefit, start, end."""
    place.tables = {"benefits": place.tables["benefits"].drop(columns="grade")}
    place.save()
    data = place.folder / "data"
    assert command("init", data)[0] == 0
    code, out, err = command("run", data / "study.toml")
    assert code == 0, err
    assert "people in the cohort" in out
    assert "median time to return" in out


def test_check_lists_faults_and_rows(place, command):
    spells = place.tables["benefits"]
    place.tables["benefits"] = pd.concat([spells, spells.iloc[[3]]])
    place.save()
    code, out, _ = command("check", place.folder / "data", "--rows")
    assert code == 1
    assert "duplicate_row: 1 row" in out
    assert "benefits,duplicate_row,82" in out
    assert command("check", place.study)[1].startswith("Last day known: 2021-12-31.")


def test_check_of_a_clean_register_succeeds(place, command):
    place.save()
    assert command("check", place.folder / "data")[0] == 0


def test_check_of_nothing(command, tmp_path):
    code, _, err = command("check", tmp_path / "nowhere")
    assert code == RegisterError.exit_code
    assert "Name a folder" in err


def test_rules(command):
    _, out, _ = command("rules")
    for name in RULES:
        assert f"\n{name}\n" in out
    _, one, _ = command("rules", "jacobsen_2020")
    assert "14-week windows" in one
    code, _, err = command("rules", "jacobson_2020")
    assert code == ArgumentError.exit_code
    assert "jacobsen_2020" in err


def test_demo_writes_data_and_results_and_spares_what_is_there(command, tmp_path):
    folder = tmp_path / "demo"
    code, out, _ = command("demo", "--output", folder)
    assert code == 0
    assert "hazard ratio" in out
    assert (folder / "results" / "report.html").exists()
    assert (folder / "benefits.csv").exists()
    assert command("demo", "--output", folder)[0] == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    assert command("demo", "--output", tmp_path / "other")[0] == OutputError.exit_code


def test_readme_commands_are_those_of_ci():
    """CI takes its test command from the README, so the README cannot go stale."""
    root = Path(__file__).parents[2]
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert "<!-- test command -->" in readme
    assert "README.md" in (root / ".ci" / "run").read_text(encoding="utf-8")


def test_small_counts_in_notes_are_withheld():
    from rtwcohort.study.facts import guarded_note

    note = "`data_end`: 3 people of 400 people left, 33 spells and 1 spell start after 2021-01-03; 4 of 90 rows."
    assert guarded_note(note, 5) == (
        "data_end: <5 people of 400 people left, 33 spells and <5 spell start after 2021-01-03; <5 rows."
    )
    assert guarded_note(note, 0).count("<") == 0
