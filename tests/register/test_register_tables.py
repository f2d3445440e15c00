"""The declaration: one list of columns, from which template, dictionary and checks follow."""

import re
import subprocess
import sys

import pandas as pd
import pytest

from rtwcohort.register import BENEFIT_NAMES, FAULTS, TABLES, data_dictionary, empty_table
from rtwcohort.register.columns import plain_name
from rtwcohort.register.tables import DIAGNOSIS_SHAPE, fact, table_aliases

CANONICAL = {
    "persons": "person_id sex birth_date education marital_status municipality sector occupation income death_date "
    "emigration_date",
    "benefits": "person_id benefit start end grade diagnosis employer_id",
    "employment": "person_id start end position employer_id",
    "enrolment": "person_id index_date arm cluster programme",
    "questionnaires": "person_id wave answered_on instrument item value",
}


def test_five_tables_in_canonical_columns():
    assert {table: " ".join(schema.columns) for table, schema in TABLES.items()} == CANONICAL


@pytest.mark.parametrize("table", CANONICAL)
def test_template_has_canonical_dtypes_and_passes_its_schema(table):
    frame = empty_table(table)
    dates = [name for name in frame if name in ("start", "end") or name.endswith(("_date", "_on"))]
    assert all(str(frame[name].dtype) == "datetime64[s]" for name in dates)
    assert str(frame["person_id"].dtype) == "int64"
    assert frame.index.name == "row"
    TABLES[table].validate(frame)


def test_dictionary_describes_every_column():
    dictionary = data_dictionary()
    assert list(zip(dictionary["table"], dictionary["column"], strict=True)) == [
        (table, column) for table, columns in CANONICAL.items() for column in columns.split()
    ]
    assert (dictionary["description"].str.endswith(".")).all()
    required = dictionary[dictionary["required"]]
    assert set(zip(required["table"], required["column"], strict=True)) == {
        *((table, "person_id") for table in CANONICAL),
        *(("benefits", column) for column in ("benefit", "start", "end")),
        ("employment", "start"),
        ("enrolment", "index_date"),
        *(("questionnaires", column) for column in ("instrument", "item", "value")),
    }
    assert dictionary.set_index(["table", "column"]).loc[("benefits", "grade"), "unit"] == "percent"


def test_no_alias_names_two_columns_of_a_table_or_two_tables():
    for table, schema in TABLES.items():
        names = [
            name
            for ours, column in schema.columns.items()
            for name in {plain_name(known) for known in (ours, *fact(column, "aliases"))}
        ]
        twice = {name for name in names if names.count(name) > 1}
        assert not twice, (table, twice)
    files = [plain_name(name) for table in TABLES for name in table_aliases(table)]
    assert {name for name in files if files.count(name) > 1} == set()


def test_every_rule_of_the_declaration_is_a_declared_fault():
    declared = {fault.name: fault.tables for fault in FAULTS}
    for table, schema in TABLES.items():
        for column in schema.columns.values():
            for name in [check.name for check in column.checks] + [fact(column, "missing")]:
                assert not name or table in declared[name], (table, name)


def test_choices_are_what_the_declaration_says():
    assert tuple(fact(TABLES["benefits"].columns["benefit"], "values")) == BENEFIT_NAMES


@pytest.mark.parametrize("code", ["L84", "P76", "l03", "A97", "M54.5", "M545", "F32", "Z73.0", "F43.2", "S82", "-30"])
def test_diagnosis_shape(code):
    assert bool(re.fullmatch(f"(?i){DIAGNOSIS_SHAPE}", code)) == (code != "-30")


@pytest.mark.parametrize("code", ["back pain", "84", "L", "L8", "LL84", "M54.", "100", "L84 "])
def test_not_the_shape_of_a_diagnosis(code):
    assert not re.fullmatch(f"(?i){DIAGNOSIS_SHAPE}", code)


def test_importing_the_package_does_not_import_pandera():
    code = "import sys, rtwcohort.register; print('pandera' in sys.modules, 'pyreadstat' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_pandera_finds_broken_rules_itself():
    import pandera.errors

    frame = pd.DataFrame(
        {
            "person_id": [1, 1],
            "benefit": ["sickness_benefit", "sykepenger2"],
            "start": pd.Series(["2020-01-01", "1800-01-01"]).astype("datetime64[s]"),
            "end": pd.Series(["2020-02-01", None]).astype("datetime64[s]"),
            "grade": [100.0, 101.0],
            "diagnosis": ["L84", None],
            "employer_id": [None, None],
        }
    )
    with pytest.raises(pandera.errors.SchemaErrors) as caught:
        TABLES["benefits"].validate(frame, lazy=True)
    assert set(caught.value.failure_cases["column"]) == {"benefit", "start", "grade"}
