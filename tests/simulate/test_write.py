"""Bytes of the files, in both styles."""

from __future__ import annotations

import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, OutputError
from rtwcohort.register import load_register
from rtwcohort.simulate import load_scenario, simulate_register, write_register
from rtwcohort.simulate.write import NORWEGIAN_COLUMNS, NORWEGIAN_TABLES, table_bytes

FRAME = pd.DataFrame(
    {
        "person_id": [10001, 10002],
        "benefit": ["disability_pension", None],
        "start": pd.Series(["2020-02-29", None], dtype="datetime64[s]"),
        "grade": [37.5, 100.0],
        "position": [33.333333, float("nan")],
    }
)


def test_plain_bytes():
    assert table_bytes(FRAME) == (
        b"person_id,benefit,start,grade,position\n10001,disability_pension,2020-02-29,37.5,33.33\n10002,,,100,\n"
    )


def test_norwegian_bytes():
    assert table_bytes(FRAME, style="norwegian") == (
        "fnr;ytelse;fom;grad;stillingsprosent\r\n10001;uføretrygd;29.02.2020;37,5;33,33\r\n10002;;;100,0;\r\n"
    ).encode("iso-8859-1")


def test_files_can_be_read_back(tmp_path):
    tables = simulate_register(load_scenario("demo"), n=50, seed=1)
    for path, (name, frame) in zip(write_register(tables, tmp_path / "new"), tables.items(), strict=True):
        assert path.name == f"{name}.csv"
        dates = [column for column in frame.columns if frame[column].dtype.kind == "M"]
        read = pd.read_csv(path, parse_dates=dates, dtype={"municipality": str, "item": str}, keep_default_na=True)
        read = read.astype({column: frame[column].dtype for column in frame.columns})
        read = read.astype(object).where(read.notna(), None)
        expected = frame.astype(object).where(frame.notna(), None)
        pd.testing.assert_frame_equal(read, expected)


def test_norwegian_files(tmp_path):
    tables = simulate_register(load_scenario("demo"), n=50, seed=1)
    written = write_register(tables, tmp_path, style="norwegian")
    assert [path.stem for path in written] == list(NORWEGIAN_TABLES.values())
    assert set().union(*(frame.columns for frame in tables.values())) == set(NORWEGIAN_COLUMNS)
    first = written[1].read_text(encoding="iso-8859-1").splitlines()
    assert first[0] == "fnr;ytelse;fom;tom;grad;diagnose;orgnr"


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="`style` must be one of 'plain', 'norwegian'"):
        write_register({}, tmp_path, style="danish")
    with pytest.raises(ArgumentError, match="no text with a separator"):
        table_bytes(pd.DataFrame({"a": ["x,y"]}))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="`folder` must be a folder that may be written"):
        write_register({"persons": FRAME}, tmp_path / "file")


def test_the_loader_reads_both_styles(tmp_path):
    tables = simulate_register(load_scenario("demo"), n=50, seed=1)
    for style in ("plain", "norwegian"):
        write_register(tables, tmp_path / style, style=style)
        read = load_register(tmp_path / style, data_end="2022-12-31").tables()
        for name, frame in tables.items():
            words = ["education"] if name == "persons" and style == "norwegian" else []
            found = read[name].reset_index(drop=True)[list(frame.columns)]
            pd.testing.assert_frame_equal(found.drop(columns=words), frame.drop(columns=words))
