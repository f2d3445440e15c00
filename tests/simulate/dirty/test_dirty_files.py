"""Dirty files: each format is read back as the tables, in equal bytes, whole or not at all."""

import datetime as dt

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, OutputError
from rtwcohort.register import check_register, load_register
from rtwcohort.simulate.dirty import PRESETS, dirty, score_cleaning, write_dirty
from rtwcohort.simulate.dirty.formats import DATE_FORMATS, ENCODINGS, READABLE_DATES, SEPARATORS, encoded, number_text

END = "2022-12-31"


@pytest.fixture(scope="module")
def spoilt(draw_sound):
    faults = {name: 0.03 for name in PRESETS["every_fault"] if name != "id_zeros_lost"}
    return dirty(draw_sound(150, 4), faults=faults, seed=4, data_end=END)


@pytest.fixture(scope="module")
def sound(draw_sound):
    return dirty(draw_sound(150, 4), faults={}, seed=4, data_end=END)


def read_back(result, folder):
    register = load_register(folder, data_end=END)
    for table, frame in register.tables().items():
        pd.testing.assert_frame_equal(
            frame.reset_index(drop=True)[list(result.clean[table].columns)], result.clean[table], check_names=False
        )
    return register


@pytest.mark.parametrize("form", [*READABLE_DATES, "mixed"])
def test_dates_are_read_back(sound, tmp_path, form):
    write_dirty(sound, tmp_path / "x", date_formats=form, seed=1)
    read_back(sound, tmp_path / "x")


@pytest.mark.parametrize(("encoding", "separator"), list(zip(ENCODINGS, [*SEPARATORS, *SEPARATORS], strict=False)))
def test_encodings_and_separators_are_read_back(sound, tmp_path, encoding, separator):
    comma = "comma" if encoding != "utf-8" else "point"
    written = write_dirty(sound, tmp_path / "x", encodings=encoding, separators=separator, decimals=comma, seed=1)
    assert set(written.formats.loc[written.formats["what"] == "encoding", "choice"]) == {encoding}
    register = read_back(sound, tmp_path / "x")
    assert "høgskole" in set(register.persons["education"])


@pytest.fixture(scope="module")
def score_in_memory(spoilt):
    return score_cleaning(spoilt)


@pytest.mark.parametrize("seed", range(4))
def test_a_dirty_register_scores_the_same_from_files(spoilt, score_in_memory, tmp_path, seed):
    write_dirty(spoilt, tmp_path / "x", encodings=ENCODINGS, seed=seed)
    register = load_register(tmp_path / "x", data_end=END)
    score = score_cleaning(spoilt, register)
    assert score.ok, score.describe()
    pd.testing.assert_frame_equal(score.frame, score_in_memory.frame)


@pytest.mark.parametrize("form", ["ddmmyy", "excel"])
def test_dates_that_say_too_little_are_all_named(sound, tmp_path, form):
    written = write_dirty(sound, tmp_path / "x", date_formats=form, seed=1)
    assert ("benefits", "start") in written.unreadable
    register = load_register(tmp_path / "x", data_end=END)
    rows = check_register(register).rows()
    named = rows[rows["fault"].isin(["unreadable_date", "unreadable_spell_date"])].groupby("table").size()
    for table in ("persons", "benefits", "enrolment", "questionnaires"):
        assert named[table] == len(sound.clean[table])


def test_equal_seeds_give_equal_bytes(spoilt, tmp_path):
    one, two, other = (write_dirty(spoilt, tmp_path / f"x{k}", truth=True, seed=s) for k, s in enumerate((1, 1, 2)))
    assert set(one.paths) == {*spoilt.tables, "truth"}
    for table, path in one.paths.items():
        assert path.read_bytes() == two.paths[table].read_bytes()
    assert any(path.read_bytes() != other.paths[table].read_bytes() for table, path in one.paths.items())


def test_formats_by_hand():
    day = dt.date(2020, 1, 5)
    assert {name: write(day) for name, write in DATE_FORMATS.items()} == {
        "iso": "2020-01-05",
        "iso_time": "2020-01-05T00:00:00",
        "dd.mm.yyyy": "05.01.2020",
        "dd/mm/yyyy": "05/01/2020",
        "ddmonyyyy": "05JAN2020",
        "yyyymmdd": "20200105",
        "ddmmyyyy": "05012020",
        "ddmmyy": "050120",
        "excel": "43835",
    }
    assert DATE_FORMATS["excel"](dt.date(1850, 2, 1)) == "01.02.1850"
    assert DATE_FORMATS["ddmmyyyy"](dt.date(2220, 2, 1)) == "2220-02-01"
    assert number_text(50.0, comma=True) == "50"
    assert number_text(66.67, comma=True) == "66,67"
    assert number_text(2.125, comma=True) == "2,1250"
    mixed = encoded(["ø"] * 40, "\n", "mixed", 1, "x")
    assert set(mixed.split(b"\n")[:-1]) == {"ø".encode(), "ø".encode("cp1252")}
    assert encoded(["ø"], "\r\n", "utf-16", 1, "x").decode("utf-16") == "ø\r\n"


def test_a_folder_with_files_is_refused_and_left_as_it_is(sound, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="is there already and not empty"):
        write_dirty(sound, tmp_path, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    write_dirty(sound, tmp_path / "empty", names="ours", seed=1)
    assert len(list((tmp_path / "empty").iterdir())) == 5


def test_a_full_disk_leaves_nothing(sound, tmp_path, monkeypatch):
    from pathlib import Path

    write = Path.write_bytes
    written = []

    def full(self, data):
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(self)
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"could not be written: No space left on device\. Nothing was left there"):
        write_dirty(sound, tmp_path / "x", seed=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"encodings": "latin"}, "`encodings` must be one of 'utf-8'"),
        ({"date_formats": ["iso", "dd.mm.yy"]}, r"`date_formats` must be one of .*Did you mean 'dd.mm.yyyy'\?"),
        ({"decimals": ","}, "`decimals` must be one of 'point', 'comma'"),
        ({"separators": ()}, "`separators` must be one of .*got None"),
    ],
)
def test_unknown_choices(sound, tmp_path, choice, message):
    with pytest.raises(ArgumentError, match=message):
        write_dirty(sound, tmp_path / "x", seed=1, **choice)
    assert not (tmp_path / "x").exists()


def test_letters_that_an_encoding_lacks(draw_sound, tmp_path):
    tables = draw_sound(20, 1)
    tables["persons"]["education"] = "szkoła"
    result = dirty(tables, faults={}, seed=1, data_end=END)
    with pytest.raises(ArgumentError, match="`persons` has a letter that cp1252 does not have"):
        write_dirty(result, tmp_path / "x", encodings="cp1252", seed=1)
