"""What bad input gets: each message names the argument, the rule, what came and the way out."""

import gzip
import zipfile

import duckdb
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError, RegisterError
from rtwcohort.register import load_register

GOOD = "person_id,benefit,start,end,grade\n1,aap,2020-01-01,2020-01-31,100\n"
FRAME = pd.DataFrame({"person_id": [1], "benefit": ["aap"], "start": ["2020-01-01"], "end": ["2020-01-31"]})


def error(source, **options) -> str:
    with pytest.raises(RegisterError) as caught:
        load_register(source, **({"data_end": "2020-12-31"} | options))
    assert caught.value.exit_code == 4
    text = str(caught.value)
    assert text.endswith((".", "?"))
    return text


def put(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


# --- the source ---------------------------------------------------------------------------------


def test_a_folder_that_does_not_exist(tmp_path):
    assert "does not exist. Check the path" in error(tmp_path / "nowhere")


def test_a_folder_with_none_of_the_tables(tmp_path):
    put(tmp_path, "benefts.csv", GOOD)
    put(tmp_path, "report.docx", "x")
    text = error(tmp_path)
    assert "holds none of the tables. It has: benefts.csv, report.docx." in text
    assert "'benefts.csv': Did you mean 'benefits'?" in text
    assert "Known names are: persons (personer, " in text
    assert 'tables={"benefits": "my_file.csv"}' in text
    assert "[register.tables]" in text


def test_an_empty_folder(tmp_path):
    assert "It has: nothing." in error(tmp_path)


def test_a_register_without_benefits(tmp_path):
    put(tmp_path, "personer.csv", "fnr\n1\n")
    put(tmp_path, "uttrekk.csv", GOOD)
    text = error(tmp_path)
    assert "has no table `benefits`, only `persons`. Not recognised: uttrekk.csv. Known names are" in text


def test_two_files_for_one_table(tmp_path):
    put(tmp_path, "benefits.csv", GOOD)
    put(tmp_path, "ytelser.csv", GOOD)
    text = error(tmp_path)
    assert "two files that may be `benefits`: 'benefits.csv' and 'ytelser.csv'" in text
    assert 'tables={"benefits": ' in text
    chosen = load_register(tmp_path, tables={"benefits": "ytelser.csv"}, data_end="2020-12-31")
    assert chosen.sources[0].path == "ytelser.csv"


def test_a_file_where_a_folder_is_asked_for(tmp_path):
    path = put(tmp_path, "benefits.csv", GOOD)
    assert "must be a folder or a .duckdb file; got the file 'benefits.csv'" in error(path)


def test_a_source_of_another_kind():
    assert "`source` must be a folder, a .duckdb file, or a mapping" in error(3)
    assert "empty mapping" in error({})
    assert "`source` names the table 'benefit', which does not exist. Did you mean 'benefits'?" in error(
        {"benefit": FRAME}
    )


def test_a_source_that_is_no_frame():
    with pytest.raises(ArgumentError, match=r"`source\['benefits'\]` must be a data frame .*; got list"):
        load_register({"benefits": [1, 2]})


def test_a_file_in_a_mapping_that_does_not_exist(tmp_path):
    assert "The file 'b.csv' does not exist" in error({"benefits": tmp_path / "b.csv"})


def test_tables_that_do_not_exist(tmp_path):
    put(tmp_path, "mine.csv", GOOD)
    text = error(tmp_path, tables={"benefits": "mime.csv"})
    assert "`tables` says that `benefits` is 'mime.csv'. The folder " in text
    assert "Did you mean 'mine.csv'?" in text
    assert "`tables` names the table 'benefitz', which does not exist. Did you mean 'benefits'?" in error(
        tmp_path, tables={"benefitz": "mine.csv"}
    )
    assert "put the path there instead" in error({"benefits": FRAME}, tables={"benefits": "x.csv"})


def test_a_database_without_tables_or_of_another_kind(tmp_path):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.sql("create table visits as select 1 as x")
    assert "The database 'a.duckdb' holds none of the tables. It has: visits." in error(tmp_path / "a.duckdb")
    put(tmp_path, "b.duckdb", b"SQLite format 3\x00" + bytes(100))
    text = error(tmp_path / "b.duckdb")
    assert "'b.duckdb' is not a DuckDB database: it looks like an SQLite database. Export the tables" in text


def test_data_end_that_is_no_date_or_cannot_be_guessed():
    with pytest.raises(ArgumentError, match=r"`data_end` must be a date such as 2024-12-31; got 'soon'"):
        load_register({"benefits": FRAME}, data_end="soon")
    empty = FRAME.assign(start=None)
    assert "`data_end` is not given and no spell has a start" in error({"benefits": empty}, data_end=None)


# --- columns ------------------------------------------------------------------------------------


def test_a_missing_column_names_the_nearest_and_how_to_map_it():
    text = error({"benefits": FRAME.rename(columns={"start": "startd"})})
    assert "`benefits` (memory) has no column `start`" in text
    assert "Did you mean 'startd'?" in text
    assert "Its columns are: person_id, benefit, startd, end." in text
    assert 'columns={"benefits": {"start": "startd"}}' in text
    assert "[register.columns.benefits]" in text


def test_a_missing_column_without_a_near_one():
    text = error({"benefits": FRAME.rename(columns={"benefit": "q17"})})
    assert "has no column `benefit` and none of the names known for it. Its columns are" in text
    assert 'columns={"benefits": {"benefit": "its name in the file"}}' in text


def test_two_columns_that_may_be_ours():
    text = error({"benefits": FRAME.rename(columns={"start": "fom"}).assign(Fra="2020-01-01")})
    assert "the columns 'fom' and 'Fra' may both be `start`" in text
    assert 'columns={"benefits": {"start": "fom"}}' in text


def test_our_own_name_wins_over_a_known_one():
    register = load_register({"benefits": FRAME.assign(fom="1999-01-01")}, data_end="2020-12-31")
    assert register.sources[0].ignored == ("fom",)


def test_accents_case_and_punctuation_do_not_matter():
    frame = FRAME.set_axis(["FØDSELSNUMMER", "Ytelses-type", "Fom_Dato", "TOM dato"], axis=1)
    register = load_register({"benefits": frame}, data_end="2020-12-31")
    assert list(register.sources[0].columns) == ["person_id", "benefit", "start", "end"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"benefits": {"begin": "x"}}, "`columns` maps `benefits.begin`, but `benefits` has no such column."),
        (
            {"benefits": {"start": "strat"}},
            "is the column 'strat', but memory has no such column. Did you mean 'start'?",
        ),
        ({"benefits": {"start": "end", "end": "end"}}, "gives the column 'end' of memory to both `start` and `end`"),
        ({"benefit": {}}, "`columns` names the table 'benefit', which does not exist. Did you mean 'benefits'?"),
        ({"persons": {"sex": "kj"}}, "`columns` maps columns of `persons`, but the register has no such table."),
    ],
)
def test_wrong_mappings(columns, message):
    assert message in error({"benefits": FRAME}, columns=columns)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"benefits": {"benefit": {"890": "sick_benefit"}}}, "must be one of sickness_benefit"),
        ({"benefits": {"benefit": {"890": "sick_benefit"}}}, "Did you mean 'sickness_benefit'?"),
        ({"benefits": {"benfit": {"1": "other"}}}, "`benefits.benfit`, which does not exist. Did you mean 'benefit'?"),
        ({"benfits": {}}, "`values` names the table 'benfits', which does not exist."),
    ],
)
def test_wrong_values(values, message):
    assert message in error({"benefits": FRAME}, values=values)


def test_two_columns_of_one_name(tmp_path):
    put(tmp_path, "benefits.csv", GOOD.replace("grade", "start"))
    assert "has two columns named 'start'" in error(tmp_path)
    twice = pd.concat([FRAME, FRAME[["start"]]], axis=1)
    assert "two columns named 'start'" in error({"benefits": twice})


# --- files that are not what their names say ----------------------------------------------------


def excel(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("benefits.parquet", GOOD, "is not a Parquet file: it looks like a text file. Give it the ending .csv."),
        ("benefits.csv", b"PAR1" + bytes(50), "looks like a Parquet file. Give it the ending .parquet."),
        ("benefits.csv", "<!DOCTYPE html><html>", "looks like a web page (HTML). It may be a login or error page"),
        ("benefits.csv", b"\xd0\xcf\x11\xe0" + bytes(50), "looks like an old Excel workbook"),
        ("benefits.csv", b"PK\x03\x04" + bytes(50), "looks like a zip archive. Unpack it first."),
        ("benefits.csv", b"%PDF-1.4", "looks like a PDF document"),
        ("benefits.csv", bytes(range(256)), "looks like a binary file of an unknown kind. Export the table as CSV"),
        ("benefits.csv", "", "looks like an empty file"),
        ("benefits.csv", '{"a": 1}', "looks like a JSON file"),
        ("benefits.csv", gzip.compress(b"x"), "looks like a gzip file. Give it the ending .csv.gz"),
        ("benefits.csv.gz", GOOD, "is not a gzip file: it looks like a text file"),
        ("benefits.csv.gz", gzip.compress(GOOD.encode())[:-9], "is damaged: its gzip stream cannot be unpacked"),
        ("benefits.sav", GOOD, "is not an SPSS file: it looks like a text file"),
        ("benefits.dta", b"$FL2" + bytes(50), "not a Stata file: it looks like an SPSS file. Give it the ending .sav."),
        ("benefits.sav", b"$FL2" + bytes(200), "is damaged or of a variant that cannot be read as an SPSS file"),
        ("benefits.parquet", b"PAR1" + bytes(200), "is damaged or of a variant that cannot be read as a Parquet file"),
        ("benefits.xpt", GOOD, "is not a SAS transport file"),
        ("benefits.sas7bdat", GOOD, "is not a SAS data set"),
    ],
)  # fmt: skip
def test_content_that_belies_the_name(tmp_path, name, data, message):
    put(tmp_path, name, data)
    text = error(tmp_path)
    assert f"'{name}'" in text
    assert message in text


def test_an_excel_workbook_named_csv(tmp_path):
    excel(tmp_path / "benefits.csv")
    assert "looks like an Excel workbook. Open it in Excel and save the sheet as 'CSV UTF-8'." in error(tmp_path)


def test_an_excel_workbook_under_its_own_name(tmp_path):
    excel(tmp_path / "benefits.xlsx")
    text = error(tmp_path)
    assert "benefits.xlsx" in text
    text = error({"benefits": tmp_path / "benefits.xlsx"})
    assert "has the ending '.xlsx', which is not read. Known endings are: .csv" in text


def test_lines_of_another_length(tmp_path):
    put(tmp_path, "benefits.csv", GOOD + "\n1,aap,2020-01-01,2020-01-31,66,7\n")
    text = error(tmp_path)
    assert "'benefits.csv' line 4 has 6 fields where the header has 5 (separator ',')" in text
    assert "export it with semicolons" in text


def test_a_quote_that_is_never_closed(tmp_path):
    put(tmp_path, "benefits.csv", GOOD + '1,"aap,2020-01-01,2020-01-31,66\n')
    assert 'has a quote (") that is never closed' in error(tmp_path)


def test_a_wrong_separator_shows_what_was_read(tmp_path):
    put(tmp_path, "benefits.csv", GOOD.replace(",", ":"))
    assert "Its columns are: person_id:benefit:start:end:grade." in error(tmp_path)


def test_month_first_dates_in_a_file(tmp_path):
    put(tmp_path, "benefits.csv", GOOD.replace("2020-01-31", "01/31/2020"))
    assert "`benefits.end` (benefits.csv) has dates with the month first" in error(tmp_path)


def test_no_error_shows_a_value_of_a_line(tmp_path):
    put(tmp_path, "benefits.csv", GOOD + "01017012345;secret\n")
    text = error(tmp_path)
    assert "01017012345" not in text
    assert "secret" not in text


def test_quotes_that_are_not_doubled(tmp_path):
    put(tmp_path, "benefits.csv", GOOD + '1,a"ap,2020-01-01,2020-01-31,66\n1,a"ap,2020-01-01,2020-01-31,66\n')
    assert 'has quotes (") inside fields that are not doubled' in error(tmp_path)
