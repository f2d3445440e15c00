"""A register from files and frames of every format: the same tables come out."""

import datetime as dt
import gzip
import hashlib

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyreadstat
import pytest
from pyarrow import parquet

from rtwcohort.register import TABLES, Register, check_register, clean_register, load_register
from rtwcohort.register.tables import DTYPES, fact

BENEFITS = pd.DataFrame(
    {
        "person_id": [101, 101, 102],
        "benefit": ["sickness_benefit", "work_assessment_allowance", "sickness_benefit"],
        "start": pd.to_datetime(["2020-02-29", "2021-01-04", "2020-12-28"]).astype("datetime64[s]"),
        "end": pd.to_datetime(["2020-12-31", None, "2021-01-03"]).astype("datetime64[s]"),
        "grade": [100.0, 50.0, 66.667],
        "diagnosis": ["L84", None, "M54.5"],
        "employer_id": ["0987", "0987", None],
    }
)
PERSONS = pd.DataFrame(
    {
        "person_id": [101, 102],
        "sex": ["female", "male"],
        "birth_date": pd.to_datetime(["1980-02-29", "1975-05-17"]).astype("datetime64[s]"),
        "municipality": ["0301", "5001"],
        "income": [450_000.0, 510_000.5],
        "death_date": pd.to_datetime([None, "2021-06-30"]).astype("datetime64[s]"),
    }
)


def same(register: Register, rows=(1, 2, 3)) -> None:
    """Hold the loaded tables to `BENEFITS` and `PERSONS`."""
    expected = BENEFITS.set_axis(pd.Index(rows, name="row"), axis=0)
    pd.testing.assert_frame_equal(register.benefits, expected)
    loaded = register.persons[list(PERSONS)].reset_index(drop=True)
    pd.testing.assert_frame_equal(loaded, PERSONS)


def canonical(register: Register) -> None:
    for table, frame in register.tables().items():
        declared = TABLES[table].columns
        assert list(frame) == list(declared)
        assert frame.index.name == "row"
        for name, column in declared.items():
            if fact(column, "kind") != "id":
                assert str(frame[name].dtype) == DTYPES[fact(column, "kind")], (table, name)


def test_frames_in_memory_are_not_changed():
    frames = {"persons": PERSONS.copy(), "benefits": BENEFITS.copy()}
    register = load_register(frames, data_end="2021-12-31")
    same(register)
    canonical(register)
    assert register.data_end == pd.Timestamp("2021-12-31")
    assert register.notes == ()
    assert register.employment is None
    pd.testing.assert_frame_equal(frames["benefits"], BENEFITS)
    pd.testing.assert_frame_equal(frames["persons"], PERSONS)
    again = load_register({"benefits": register.benefits, "persons": register.persons}, data_end="2021-12-31")
    same(again)


def test_polars_arrow_and_duckdb_frames():
    arrow = pa.Table.from_pandas(BENEFITS)
    with duckdb.connect() as connection:
        relation = connection.from_arrow(arrow)
        for benefits in (pl.from_pandas(BENEFITS), pl.from_pandas(BENEFITS).lazy(), arrow, relation):
            same(load_register({"benefits": benefits, "persons": pl.from_pandas(PERSONS)}, data_end="2021-12-31"))
    dated = pl.from_pandas(BENEFITS).with_columns(pl.col("start", "end").cast(pl.Date))
    register = load_register({"benefits": dated, "persons": PERSONS}, data_end="2021-12-31")
    same(register)
    assert register.sources[1].path == "memory"
    assert "polars" in register.sources[1].format


def test_the_same_frame_has_the_same_hash_and_another_has_not():
    def digest(frame):
        return load_register({"benefits": frame}, data_end="2021-12-31").sources[0].sha256

    assert digest(BENEFITS) == digest(BENEFITS.copy())
    assert digest(BENEFITS) != digest(BENEFITS.assign(grade=[100.0, 50.0, 66.0]))
    assert digest(BENEFITS) != digest(BENEFITS.rename(columns={"grade": "grad"}))


def write(folder, name, text, encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))


NORWEGIAN = (
    "Fødselsnummer;YTELSE;FOM;Tom;Sykmeldingsgrad;Hoveddiagnose;Orgnr\r\n"
    "101;Sykepenger;29.02.2020;31.12.2020;100;L84;0987\r\n"
    "101;AAP;04.01.2021;31.12.9999;50 %;;0987\r\n"
    "102;sykmelding;28.12.2020;03.01.2021;66,667;M54.5;\r\n"
)
NORWEGIAN_PERSONS = (
    "Fødselsnummer;Kjønn;Fødselsdato;Kommune;Inntekt;Dødsdato\r\n"
    "101;Kvinne;29.02.1980;0301;450 000,00;\r\n"
    "102;Mann;17.05.1975;5001;510 000,50;30.06.2021\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "cp1252", "utf-16"])
def test_norwegian_csv_as_it_is_found(tmp_path, encoding):
    write(tmp_path, "Ytelser_2020.csv", NORWEGIAN, encoding)
    write(tmp_path, "personer.CSV", NORWEGIAN_PERSONS, encoding)
    register = load_register(tmp_path, data_end=dt.date(2021, 12, 31))
    same(register, rows=(2, 3, 4))
    canonical(register)
    source = register.sources[1]
    assert source.path == "Ytelser_2020.csv"
    assert source.columns["person_id"] == "Fødselsnummer"
    assert source.n_rows == 3
    assert source.sha256 == hashlib.sha256((tmp_path / "Ytelser_2020.csv").read_bytes()).hexdigest()
    assert source.format.startswith("text, separator ';', encoding ")


@pytest.mark.parametrize(("mark", "name"), [(",", "benefits.csv"), ("\t", "benefits.tsv"), ("|", "benefits.txt")])
@pytest.mark.parametrize("packed", [False, True])
def test_separators_and_compression(tmp_path, mark, name, packed):
    data = BENEFITS.to_csv(sep=mark, index=False).encode()
    if packed:
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
    else:
        (tmp_path / name).write_bytes(data)
    PERSONS.to_csv(tmp_path / "persons.csv", index=False)
    register = load_register(tmp_path, data_end="2021-12-31")
    same(register, rows=(2, 3, 4))
    assert ("gzip" in register.sources[1].format) == packed


def test_parquet(tmp_path):
    BENEFITS.to_parquet(tmp_path / "benefits.parquet")
    days = pa.Table.from_pandas(PERSONS).cast(
        pa.schema(
            [
                pa.field(n, pa.date32() if n.endswith("_date") else pa.Schema.from_pandas(PERSONS).field(n).type)
                for n in PERSONS
            ]
        )
    )
    parquet.write_table(days, tmp_path / "personer.pq")
    register = load_register(tmp_path, data_end="2021-12-31")
    same(register)
    canonical(register)


def labelled(kind, folder):
    """Write the two tables as a statistical package would: codes with value labels, dates as its own."""
    benefits = BENEFITS.assign(
        benefit=[1.0, 2.0, 1.0],
        start=BENEFITS["start"].dt.date,
        end=[dt.date(2020, 12, 31), None, dt.date(2021, 1, 3)],
        diagnosis=["L84", "", "M54.5"],
        employer_id=["0987", "0987", ""],
    ).rename(columns={"person_id": "pid", "start": "fom", "end": "tom", "grade": "grad", "employer_id": "orgnr"})
    persons = PERSONS.assign(
        sex=[2.0, 1.0],
        birth_date=PERSONS["birth_date"].dt.date,
        death_date=[None, dt.date(2021, 6, 30)],
    ).rename(columns={"person_id": "pid", "birth_date": "fdato", "death_date": "doddato", "municipality": "kommune"})
    labels = {"benefit": {1: "sykepenger", 2: "AAP"}}
    sexes = {"sex": {1: "Mann", 2: "Kvinne"}}
    if kind == "sav":
        pyreadstat.write_sav(benefits, folder / "benefits.sav", variable_value_labels=labels)
        pyreadstat.write_sav(persons, folder / "persons.zsav", variable_value_labels=sexes, compress=True)
    elif kind == "dta":
        whole = {"benefit": "int32"}
        pyreadstat.write_dta(benefits.astype(whole), folder / "benefits.dta", variable_value_labels=labels)
        pyreadstat.write_dta(persons.astype({"sex": "int32"}), folder / "persons.dta", variable_value_labels=sexes)
    else:
        texts = benefits.assign(benefit=["sykepenger", "AAP", "sykepenger"]).rename(columns={"diagnosis": "diag"})
        pyreadstat.write_xport(texts, folder / "benefits.xpt", file_format_version=5)
        people = persons.assign(sex=["K", "M"])
        pyreadstat.write_xport(people, folder / "persons.xpt", file_format_version=5)


@pytest.mark.parametrize("kind", ["sav", "dta", "xpt"])
def test_spss_stata_and_sas_files(tmp_path, kind):
    labelled(kind, tmp_path)
    register = load_register(tmp_path, data_end="2021-12-31")
    same(register)
    canonical(register)


def test_codes_without_labels_are_a_fault_and_not_guessed():
    persons = PERSONS.assign(sex=[2, 1])
    register = load_register({"benefits": BENEFITS, "persons": persons}, data_end="2021-12-31")
    assert register.persons["sex"].tolist() == ["2", "1"]
    assert check_register(register).counts[["fault", "n_rows"]].values.tolist()[0] == ["unknown_sex", 2]
    told = load_register(
        {"benefits": BENEFITS, "persons": persons},
        data_end="2021-12-31",
        values={"persons": {"sex": {"1": "male", "2": "female"}}},
    )
    same(told)


def test_duckdb_file(tmp_path):
    with duckdb.connect(str(tmp_path / "register.duckdb")) as connection:
        benefits, persons = BENEFITS.rename(columns={"start": "fom"}), PERSONS
        connection.register("b", benefits)
        connection.register("p", persons)
        connection.sql('create table "Ytelser" as select * from b')
        connection.sql("create table persons as select * replace (cast(birth_date as date) as birth_date) from p")
        connection.sql("create table unrelated as select 1 as x")
    register = load_register(tmp_path / "register.duckdb", data_end="2021-12-31")
    same(register)
    assert register.sources[1].format == "DuckDB, table Ytelser"
    chosen = load_register(tmp_path / "register.duckdb", tables={"benefits": "Ytelser"}, data_end="2021-12-31")
    same(chosen)


def test_mapping_of_paths_and_frames(tmp_path):
    write(tmp_path, "anything.csv", NORWEGIAN)
    same(load_register({"benefits": tmp_path / "anything.csv", "persons": PERSONS}, data_end="2021-12-31"), (2, 3, 4))


def test_the_mapping_wins_over_known_names():
    frame = BENEFITS.rename(columns={"start": "real_start"}).assign(fom="1999-01-01", grad=20)
    register = load_register(
        {"benefits": frame, "persons": PERSONS},
        columns={"benefits": {"start": "real_start"}},
        data_end="2021-12-31",
    )
    same(register)
    assert register.sources[1].ignored == ("fom", "grad")


def test_a_constant_for_a_column_that_the_file_lacks():
    frame = BENEFITS.drop(columns=["benefit", "grade"])
    register = load_register(
        {"benefits": frame},
        columns={"benefits": {"benefit": "=sickness_benefit", "grade": "=100"}},
        data_end="2021-12-31",
    )
    assert set(register.benefits["benefit"]) == {"sickness_benefit"}
    assert set(register.benefits["grade"]) == {100.0}


def test_line_numbers_are_those_of_the_file(tmp_path):
    """The header is line 1; blank lines, a `sep=` line and line breaks inside quotes count."""
    write(
        tmp_path,
        "benefits.csv",
        "sep=;\n"
        "person_id;benefit;start;end;grade;employer_id\n"
        '1;sykepenger;2020-01-01;2020-01-31;100;"Firma\nAS; ""Oslo"""\n'
        "\n"
        "2;sykepenger;2020-02-01;2020-02-29;100;x\n"
        '3;sykepenger;2020-03-01;2020-03-31;100;"y\r\n\r\nz"\n'
        "4;sykepenger;2020-04-01;2020-04-30;100;",
    )
    benefits = load_register(tmp_path, data_end="2020-12-31").benefits
    assert benefits.index.tolist() == [3, 6, 7, 10]
    assert benefits["person_id"].tolist() == [1, 2, 3, 4]
    assert benefits["employer_id"].tolist()[:2] == ['Firma\nAS; "Oslo"', "x"]


def test_identifiers_are_alike_in_all_tables(tmp_path):
    """One leading zero anywhere makes identifiers text everywhere."""
    frame = BENEFITS.assign(person_id=["0101", "0101", "102"])
    register = load_register({"benefits": frame, "persons": PERSONS}, data_end="2021-12-31")
    assert register.benefits["person_id"].tolist() == ["0101", "0101", "102"]
    assert register.persons["person_id"].tolist() == ["101", "102"]
    assert register.persons["person_id"].dtype == object


def test_identifiers_that_lost_their_zeros_are_told():
    persons = PERSONS.assign(person_id=["0101", "0102"])
    register = load_register({"benefits": BENEFITS, "persons": persons}, data_end="2021-12-31")
    assert any("2 identifiers match `persons` only with leading zeros" in note for note in register.notes)


def test_persons_are_made_from_the_other_tables():
    register = load_register({"benefits": BENEFITS}, data_end="2021-12-31")
    assert register.persons["person_id"].tolist() == [101, 102]
    canonical(register)
    assert any("no table `persons`; 2 people" in note for note in register.notes)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (["2020-03-31", "2020-06-30"], "2020-06-30"),
        (["2020-03-31", None], "2020-06-01"),
        (["2020-03-31", "9999-12-31"], "2020-06-01"),
        (["2020-03-31", "2045-12-31"], "2020-06-01"),
        (["2020-03-31", "2021-06-02"], "2021-06-02"),
        (["2020-03-31", "2021-06-03"], "2020-06-01"),
    ],
)
def test_the_last_day_known_is_guessed_with_a_note(ends, expected):
    frame = pd.DataFrame({"id": [1, 2], "ytelse": "aap", "fom": ["2020-01-01", "2020-06-01"], "tom": ends})
    register = load_register({"benefits": frame})
    assert register.data_end == pd.Timestamp(expected)
    assert str(register.data_end.unit) == "s"
    assert any(f"not given; {expected} was taken" in note for note in register.notes)


def test_a_last_day_long_after_the_last_spell_is_told():
    """Without spells until the last day known, everybody would look back at work."""
    frame = pd.concat([BENEFITS] * 40).drop(columns="person_id").assign(person_id=range(120))
    assert load_register({"benefits": frame, "persons": PERSONS}, data_end="2021-04-06").notes == ()
    (note,) = load_register({"benefits": frame, "persons": PERSONS}, data_end="2021-04-07").notes
    assert "`data_end` is 2021-04-07, but no spell starts after 2021-01-04" in note


def test_files_that_are_no_table_are_told(tmp_path):
    write(tmp_path, "ytelser.csv", NORWEGIAN)
    write(tmp_path, "codes.csv", "a;b\n")
    write(tmp_path, "README.md", "x")
    register = load_register(tmp_path, data_end="2021-12-31")
    assert register.notes[-1] == "Not read, because no table has such a name: codes.csv."


def test_a_file_in_a_folder_below(tmp_path):
    (tmp_path / "raw").mkdir()
    write(tmp_path / "raw", "a.csv", NORWEGIAN)
    PERSONS.to_csv(tmp_path / "persons.csv", index=False)
    same(load_register(tmp_path, tables={"benefits": "raw/a.csv"}, data_end="2021-12-31"), (2, 3, 4))


def test_open_ends_and_other_dtypes_of_other_programs(tmp_path):
    """9999-12-31 in SPSS and Stata files; categories, strings and date objects in frames."""
    ends = [dt.date(2020, 12, 31), dt.date(9999, 12, 31), dt.date(2021, 1, 3)]
    frame = BENEFITS.assign(end=pd.Series(ends, dtype=object), diagnosis=["L84", "", "M54.5"], employer_id="0987")
    frame["start"] = frame["start"].dt.date
    expected = BENEFITS["end"].tolist()
    pyreadstat.write_sav(frame, tmp_path / "benefits.sav")
    assert load_register(tmp_path, data_end="2021-12-31").benefits["end"].tolist() == expected
    pyreadstat.write_dta(frame, tmp_path / "b.dta")
    stata = load_register({"benefits": tmp_path / "b.dta"}, data_end="2021-12-31")
    assert stata.benefits["end"].tolist() == expected
    typed = BENEFITS.assign(end=pd.Series(ends, dtype=object)).astype(
        {"benefit": "category", "diagnosis": "string", "employer_id": "string[pyarrow]", "person_id": "float64"}
    )
    same(load_register({"benefits": typed.set_axis([5, 5, 5]), "persons": PERSONS}, data_end="2021-12-31"))


def test_a_table_without_rows(tmp_path):
    write(tmp_path, "benefits.csv", "person_id,benefit,start,end\n")
    register = load_register(tmp_path, data_end="2021-12-31")
    canonical(register)
    assert len(register.benefits) == len(register.persons) == 0
    assert check_register(clean_register(register)).ok


def test_unreadable_values_are_missing_and_kept_account_of(tmp_path):
    write(
        tmp_path,
        "benefits.csv",
        "fnr;ytelse;fom;tom;grad\n1;aap;2020-01-01;31.02.2020;100\n1;aap;i dag;2020-02-01;full\n2;aap;2020-01-01;;50\n",
    )
    register = load_register(tmp_path, data_end="2020-12-31")
    assert [(u.column, u.fault, u.rows, u.shapes) for u in register.unreadable] == [
        ("start", "unreadable_spell_date", (3,), ("a aaa",)),
        ("end", "unreadable_spell_date", (2,), ("99.99.9999",)),
        ("grade", "unreadable_number", (3,), ("aaaa",)),
    ]
    assert register.benefits["end"].isna().tolist() == [True, False, True]
    assert clean_register(register).unreadable == ()


def random_tables(seed):
    """Canonical tables with every kind of value that a column may have."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    ids = rng.choice(10**6, size=n, replace=False)
    if seed % 2:
        ids = np.array([f"{i:07d}" for i in ids], dtype=object)

    def sprinkle(values):
        series = pd.Series(values)
        return series.mask(rng.random(n) < 0.2, None if series.dtype == object else np.nan)

    def day(low, high):
        return pd.Series(np.datetime64(low, "s") + rng.integers(0, high, n).astype("timedelta64[D]"))

    texts = np.array(["a", "æøå", "semi;colon", 'quo"te', "com,ma", "0301", "two words", "line\nbreak"], dtype=object)
    frames = {}
    for table, schema in TABLES.items():
        columns = {}
        for name, column in schema.columns.items():
            kind = fact(column, "kind")
            if kind == "id":
                columns[name] = ids
            elif kind == "date":
                dates = day("1930-01-01", 33_000)
                columns[name] = dates if fact(column, "missing") else dates.mask(rng.random(n) < 0.2)
            elif kind == "number":
                columns[name] = sprinkle(np.round(rng.uniform(0, 100, n), int(rng.integers(0, 3))))
            elif kind == "choice":
                columns[name] = rng.choice(np.array(list(fact(column, "values")), dtype=object), n)
            else:
                columns[name] = sprinkle(rng.choice(texts, n))
        frames[table] = pd.DataFrame(columns)
    return frames


@pytest.mark.parametrize("seed", range(12))
def test_what_is_written_is_read_back(tmp_path, seed):
    frames = random_tables(seed)
    for table, frame in frames.items():
        if seed % 3 == 0:
            frame.to_csv(tmp_path / f"{table}.csv", index=False, sep=";", decimal=",", encoding="iso-8859-1")
        elif seed % 3 == 1:
            frame.to_csv(tmp_path / f"{table}.csv", index=False)
        else:
            frame.to_parquet(tmp_path / f"{table}.parquet")
    register = load_register(tmp_path, data_end="2022-12-31")
    canonical(register)
    assert register.unreadable == ()
    for table, loaded in register.tables().items():
        expected = frames[table]
        if not seed % 2:
            expected = expected.astype({"person_id": "int64"})
        pd.testing.assert_frame_equal(loaded.reset_index(drop=True), expected, check_dtype=True)
