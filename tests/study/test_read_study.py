"""A study file is read whole, or its faults are named with key, line and the nearest right name."""

import datetime as dt

import pytest

from rtwcohort.errors import ArgumentError, StudyFileError
from rtwcohort.study.read import read_study

GOOD = """[study]
title = "A study"
[register]
folder = "data"
data_end = 2022-12-31
[outcome]
rule = "gismervik_2020"
horizon = 365
"""


def write(folder, text):
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def message(folder, text):
    with pytest.raises(StudyFileError) as caught:
        read_study(write(folder, text))
    return str(caught.value)


def test_good_file(tmp_path):
    study = read_study(write(tmp_path, GOOD))
    assert study.file.study.title == "A study"
    assert study.file.register_.data_end == dt.date(2022, 12, 31)
    assert study.file.outcome.horizon == 365
    assert study.file.report.small_cells == 5
    assert study.text == GOOD


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('title = "A', 'titel = "A', "line 2, `study.titel`: [study] has no key 'titel'. Did you mean 'title'?"),
        ("[outcome]", "[outcomes]", "line 6, `outcomes`: a study file has no key 'outcomes'. Did you mean 'outcome'?"),
        ("horizon = 365", 'horizon = "365"', "line 8, `outcome.horizon`: input should be a valid integer; got '365'"),
        ("horizon = 365", "horizon = -1", "line 8, `outcome.horizon`: input should be greater than 0; got -1"),
        ("horizon = 365\n", "", "`outcome.horizon`: this key is missing and has no default"),
        ('folder = "data"\n', "", "line 3, `register`: give `folder`"),
        ('folder = "data"', 'folder = "data"\nfile = "x.duckdb"', "not both"),
        ('"A study"', "A study", "not valid TOML"),
    ],
)
def test_faults_are_named(tmp_path, old, new, expected):
    assert expected in message(tmp_path, GOOD.replace(old, new))


def test_nested_keys_are_located(tmp_path):
    text = GOOD + '[[contrasts]]\nkind = "difference_in_differences"\ngrup = "x"\nperiod = "y"\n'
    found = message(tmp_path, text)
    assert "line 11, `contrasts[0].grup`" in found
    assert "Did you mean 'group'?" in found


def test_missing_file_names_the_nearest(tmp_path):
    write(tmp_path, GOOD)
    with pytest.raises(StudyFileError, match=r"Did you mean 'study\.toml'\?"):
        read_study(tmp_path / "studdy.toml")


def test_folder_is_not_a_study_file(tmp_path):
    with pytest.raises(StudyFileError, match="is a folder"):
        read_study(tmp_path)


def test_wrong_encoding_is_named(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes(GOOD.replace("A study", "Sykmeldte på Hernes").encode("iso-8859-1"))
    with pytest.raises(StudyFileError, match="not UTF-8"):
        read_study(path)


def test_blame_points_at_the_key(tmp_path):
    study = read_study(write(tmp_path, GOOD))
    error = study.blame(ArgumentError("no such rule"), "outcome", "rule")
    assert str(error) == "study.toml, line 7, `outcome.rule`: no such rule"
