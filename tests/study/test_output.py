"""Results are written as a whole or not at all, and nothing else is ever overwritten."""

import json

import pytest

from rtwcohort.errors import OutputError
from rtwcohort.study.output import check_output, json_bytes, write_folder


def results_of(title):
    return {"provenance.json": json_bytes({"study": {"title": title}}), "tables/a.csv": b"x\n1\n"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_folder_with_parents(tmp_path):
    folder = tmp_path / "a" / "b"
    check_output(folder, study="S", replace=False)
    write_folder(folder, results_of("S"))
    assert (folder / "tables" / "a.csv").read_bytes() == b"x\n1\n"
    assert names(folder.parent) == ["b"]


def test_same_study_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "out"
    write_folder(folder, {**results_of("S"), "old.csv": b"old"})
    check_output(folder, study="S", replace=False)
    write_folder(folder, results_of("S"))
    assert names(folder) == ["provenance.json", "tables"]
    assert names(tmp_path) == ["out"]


def test_other_study_needs_replace(tmp_path):
    folder = tmp_path / "out"
    write_folder(folder, results_of("Another"))
    with pytest.raises(OutputError, match="holds the results of another study, 'Another'"):
        check_output(folder, study="S", replace=False)
    check_output(folder, study="S", replace=True)


@pytest.mark.parametrize("replace", [False, True])
def test_foreign_folder_is_never_touched(tmp_path, replace):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("years of work")
    with pytest.raises(OutputError, match="holds no results of rtwcohort"):
        check_output(folder, study="S", replace=replace)


def test_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="is a file"):
        check_output(tmp_path / "out", study="S", replace=False)


def test_unwritable_parent(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(OutputError, match="may not be written to"):
        check_output(tmp_path / "out", study="S", replace=False)


def test_failure_keeps_the_old_results(tmp_path):
    folder = tmp_path / "out"
    write_folder(folder, results_of("S"))
    with pytest.raises(OutputError, match="what was there before is untouched"):
        write_folder(folder, {"x.csv": b"1", "x.csv/y.csv": b"2"})
    assert json.loads((folder / "provenance.json").read_text()) == {"study": {"title": "S"}}
    assert names(tmp_path) == ["out"]


def test_json_refuses_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes({"x": float("nan")})
