"""The five tables of a register, declared once.

Loading, checking, the empty template that simulations fill and the data dictionary all read these
declarations. Importing this module imports pandera; the rest of the package imports it only when a
register is loaded or checked.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import pandas as pd
import pandera.pandas as pa

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register.benefits import BENEFIT_NAMES, BENEFITS

Kind = Literal["id", "text", "date", "number", "choice"]

FIRST_DATE: Final = pd.Timestamp("1900-01-01")
LAST_DATE: Final = pd.Timestamp("2199-12-31")
SEXES: Final[dict[str, tuple[str, ...]]] = {
    "female": ("k", "f", "kvinne", "kvinner", "woman", "kvinna"),
    "male": ("m", "mann", "menn", "man"),
}
"""Codes such as 1 and 2 differ between registers: they need value labels or the caller's `values`."""
DIAGNOSIS_SHAPE: Final = (
    r"(?:[ABDFHKLNPRSTUWXYZ][0-9]{2}(?:\.[0-9]{1,2})?"  # ICPC-2, with or without a national extension
    r"|[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?[*+]?)"  # ICD-10, with or without the point
)

DTYPES: Final[dict[str, str]] = {
    "id": "int64",
    "text": "object",
    "date": DATE_DTYPE,
    "number": "float64",
    "choice": "object",
}
"""Canonical dtypes; identifiers are text where one of them is not a plain whole number."""

_TYPES: Final[dict[str, str]] = {
    "id": "whole number or text",
    "text": "text",
    "date": "date",
    "number": "number",
    "choice": "one of a list",
}


def _column(
    kind: Kind,
    description: str,
    *,
    aliases: str = "",
    checks: tuple[pa.Check, ...] = (),
    rule: str = "",
    unit: str = "",
    required: bool = False,
    missing: str = "",
    open_end: bool = False,
    values: dict[str, tuple[str, ...]] | None = None,
) -> pa.Column:
    """Declare a column.

    `aliases`: names in files, separated by spaces. `required`: a file must have it. `missing`: the
    fault that a missing value is, empty when it may be missing. `open_end`: a date such as 9999-12-31
    means that it has not happened. `values`: each value of a choice and what files write for it.
    """
    return pa.Column(
        None if kind == "id" else DTYPES[kind],
        checks=list(checks),
        nullable=not missing,
        description=description,
        metadata={
            "kind": kind,
            "unit": unit,
            "rule": rule,
            "aliases": tuple(aliases.split()),
            "required": required,
            "missing": missing,
            "open_end": open_end,
            "values": values or {},
        },
    )


def _date(description: str, *, spell: bool = False, **facts: Any) -> pa.Column:
    fault = "impossible_spell_date" if spell else "impossible_date"
    check = pa.Check.in_range(FIRST_DATE, LAST_DATE, name=fault)
    rule = f"{FIRST_DATE:%Y-%m-%d} to {LAST_DATE:%Y-%m-%d}" + facts.pop("more", "")
    return _column("date", description, checks=(check,), rule=rule, **facts)


def _person_id() -> pa.Column:
    return _column(
        "id",
        "The person, by the same identifier in every table.",
        aliases=(
            "fnr personid person pid id lopenr lopenummer lnr fodselsnummer pnr "
            "personnummer personlopenummer deltaker deltaker_id deltakernr subject_id unit_id cpr"
        ),
        rule="never missing",
        required=True,
        missing="person_id_missing",
    )


def _start(description: str) -> pa.Column:
    aliases = "fom fra fradato fra_dato start_dato startdato start_date from from_date fom_dato"
    return _date(description, spell=True, aliases=aliases, required=True, missing="start_missing")


def _end(description: str, *, required: bool) -> pa.Column:
    return _date(
        description,
        spell=True,
        aliases=(
            "tom til tildato til_dato stop slutt sluttdato slutt_dato stopp stopp_dato end_date "
            "stop_date to to_date tom_dato"
        ),
        required=required,
        open_end=True,
        more=", not before `start`; empty or 9999-12-31 = still open",
    )


def _employer() -> pa.Column:
    return _column(
        "text",
        "The employer, as an opaque identifier.",
        aliases="orgnr orgnummer organisasjonsnummer virksomhet bedrift arbeidsgiver employer frtk_id",
    )


PERSONS: Final = pa.DataFrameSchema(
    {
        "person_id": _person_id(),
        "sex": _column(
            "choice",
            "Sex in the population register.",
            aliases="kjonn gender kj",
            checks=(pa.Check.isin(list(SEXES), name="unknown_sex"),),
            rule="female or male",
            values=SEXES,
        ),
        "birth_date": _date(
            "Date of birth.",
            aliases="fodselsdato fodt foedselsdato foedt birthdate date_of_birth dob fdato",
            more=", not after death or the end of the data",
        ),
        "education": _column(
            "text",
            "Highest completed education, in the file's own categories.",
            aliases="utdanning utdanningsniva bu nus2000 education_level",
        ),
        "marital_status": _column(
            "text", "Marital status, in the file's own categories.", aliases="sivilstand sivstand sivilstatus"
        ),
        "municipality": _column(
            "text",
            "Municipality of residence, as text (leading zeros kept).",
            aliases="kommune kommunenr kommunenummer bostedskommune bosatt_kommune",
        ),
        "sector": _column("text", "Sector of the employer.", aliases="sektor naring naering nace bransje"),
        "occupation": _column("text", "Occupation.", aliases="yrke yrkeskode styrk styrk08 stilling"),
        "income": _column(
            "number",
            "Income from work.",
            unit="NOK a year",
            aliases="inntekt arsinntekt pensjonsgivende_inntekt lonn arslonn yrkesinntekt",
        ),
        "death_date": _date(
            "Date of death; the person counts as dead from this day on.",
            aliases="dodsdato doedsdato dod doddato date_of_death deathdate dod_dato",
            open_end=True,
        ),
        "emigration_date": _date(
            "Date of emigration; the person is not seen from this day on.",
            aliases="utvandringsdato utvandret utvandret_dato utflyttingsdato emigrated",
            open_end=True,
        ),
    },
    name="persons",
    title="People",
    description="One row a person.",
    metadata={
        "aliases": "personer person people population befolkning populasjon demografi",
        "unit_of_row": "a person",
    },
)

BENEFITS_TABLE: Final = pa.DataFrameSchema(
    {
        "person_id": _person_id(),
        "benefit": _column(
            "choice",
            "Which benefit was paid.",
            aliases="ytelse stonad stonadstype ytelsestype ytelseskode benefit_type stonadskode",
            checks=(pa.Check.isin(BENEFIT_NAMES, name="unknown_benefit"),),
            rule=", ".join(BENEFIT_NAMES),
            values={benefit.name: benefit.aliases for benefit in BENEFITS},
            required=True,
            missing="unknown_benefit",
        ),
        "start": _start("First day of the spell."),
        "end": _end("Last day of the spell.", required=True),
        "grade": _column(
            "number",
            "How large a part of full benefit, that is 100 less what the person works.",
            unit="percent",
            aliases=(
                "grad gradering sykmeldingsgrad sykemeldingsgrad uforegrad utbetalingsgrad stonadsgrad prosent ufg"
            ),
            checks=(pa.Check.in_range(1, 100, name="grade_outside_range"),),
            rule="1 to 100",
            missing="grade_missing",
        ),
        "diagnosis": _column(
            "text",
            "Main diagnosis, ICPC-2 or ICD-10.",
            aliases="diagnose hoveddiagnose diagnosekode diag icpc icpc2 icd10 diagnosis_code",
            checks=(pa.Check.str_matches(rf"(?i)^(?:{DIAGNOSIS_SHAPE})$", name="diagnosis_malformed"),),
            rule="a letter and two digits, and more for ICD-10",
        ),
        "employer_id": _employer(),
    },
    name="benefits",
    title="Benefits",
    description="One row a spell of one benefit at one grade; the end is the last day of the spell.",
    metadata={
        "aliases": (
            "ytelser ytelse sykmeldinger sykemeldinger sykmelding sykepenger sykefravar benefit "
            "benefit_spells stonader stonad trygd forlop forlopsdata spells"
        ),
        "unit_of_row": "a spell",
    },
)

EMPLOYMENT: Final = pa.DataFrameSchema(
    {
        "person_id": _person_id(),
        "start": _start("First day of the employment at this position."),
        "end": _end("Last day of the employment at this position.", required=False),
        "position": _column(
            "number",
            "Position as a part of full time.",
            unit="percent",
            aliases="stillingsprosent stillingsandel stillingsandel_prosent stillingsbrok position_percent",
            checks=(pa.Check.in_range(0, 100, name="position_outside_range"),),
            rule="0 to 100",
            missing="position_missing",
        ),
        "employer_id": _employer(),
    },
    name="employment",
    title="Employment",
    description="One row a job at one position.",
    metadata={
        "aliases": "arbeidsforhold ansettelser jobber jobs aaregisteret ameldingen",
        "unit_of_row": "a job",
    },
)

ENROLMENT: Final = pa.DataFrameSchema(
    {
        "person_id": _person_id(),
        "index_date": _date(
            "The day from which the person is followed.",
            aliases="inklusjonsdato inkludert indeksdato startdato oppstart inclusion_date enrolment_date",
            required=True,
            missing="index_date_missing",
        ),
        "arm": _column("text", "Arm or exposure group.", aliases="tiltak gruppe intervensjon group treatment"),
        "cluster": _column(
            "text",
            "Unit of clustering: workplace, therapist, course.",
            aliases="klynge kurs behandler senter",
        ),
        "programme": _column("text", "Name of the programme.", aliases="program ordning tilbud"),
    },
    name="enrolment",
    title="Enrolment",
    description="One row a person in the study.",
    metadata={
        "aliases": "deltakere deltaker inklusjon inkluderte enrollment participants kohort cohort studie",
        "unit_of_row": "a participant",
    },
)

QUESTIONNAIRES: Final = pa.DataFrameSchema(
    {
        "person_id": _person_id(),
        "wave": _column("text", "Measurement occasion, such as M0.", aliases="maling tidspunkt runde visit"),
        "answered_on": _date("The day of the answer.", aliases="svardato besvart utfylt utfylt_dato answer_date"),
        "instrument": _column(
            "text",
            "The questionnaire.",
            aliases="skjema sporreskjema questionnaire skala",
            required=True,
            missing="item_missing",
        ),
        "item": _column(
            "text",
            "The item of the questionnaire.",
            aliases="sporsmal ledd variabel question",
            required=True,
            missing="item_missing",
        ),
        "value": _column(
            "number",
            "The answer, as a number.",
            aliases="svar verdi answer skar score",
            required=True,
            missing="value_missing",
        ),
    },
    name="questionnaires",
    title="Questionnaires",
    description="One row an answer to one item.",
    metadata={
        "aliases": "sporreskjema sporreskjemaer questionnaire svar skjema answers",
        "unit_of_row": "an answer",
    },
)

TABLES: Final[dict[str, pa.DataFrameSchema]] = {
    str(schema.name): schema for schema in (PERSONS, BENEFITS_TABLE, EMPLOYMENT, ENROLMENT, QUESTIONNAIRES)
}


def fact(column: pa.Column, name: str) -> Any:
    """Return one of the facts that `_column` declares beside pandera's own."""
    return (column.metadata or {})[name]


def table_aliases(table: str) -> tuple[str, ...]:
    """Return the names under which files hold a table, its own name first."""
    return (table, *TABLES[table].metadata["aliases"].split())


def empty_table(table: str) -> pd.DataFrame:
    """Return a table without rows, in canonical columns, dtypes and index.

    Parameters
    ----------
    table
        One of the five names of `TABLES`.
    """
    columns = {name: pd.Series(dtype=DTYPES[fact(column, "kind")]) for name, column in TABLES[table].columns.items()}
    return pd.DataFrame(columns, index=pd.Index([], dtype="int64", name="row"))


def unknown_people(person_id: pd.Series[Any], rows: Any) -> pd.DataFrame:
    """Return rows of `persons` about whom nothing is known but the identifier.

    Parameters
    ----------
    person_id
        Distinct identifiers.
    rows
        Their row numbers, same length.
    """
    index = pd.Index(rows, dtype="int64", name="row")
    columns: dict[str, Any] = {"person_id": person_id.to_numpy()}
    for name, column in PERSONS.columns.items():
        if name != "person_id":
            columns[name] = pd.Series([None] * len(index), index=index, dtype=DTYPES[fact(column, "kind")])
    return pd.DataFrame(columns, index=index)


def data_dictionary() -> pd.DataFrame:
    """Return the data dictionary: one row a column of the five tables.

    Returns
    -------
    pandas.DataFrame
        `table`, `column`, `type`, `unit`, `required` (the file must have it), `rule`, `description`
        and `known_as` (names in files that need no mapping).
    """
    rows = [
        {
            "table": table,
            "column": name,
            "type": _TYPES[fact(column, "kind")],
            "unit": fact(column, "unit"),
            "required": fact(column, "required"),
            "rule": fact(column, "rule"),
            "description": column.description,
            "known_as": ", ".join(fact(column, "aliases")),
        }
        for table, schema in TABLES.items()
        for name, column in schema.columns.items()
    ]
    return pd.DataFrame(rows)
