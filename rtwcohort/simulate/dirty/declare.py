"""The faults that can be put into a register, declared once: where, what it means, what finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from rtwcohort.core.checks import check_choice, check_number, did_you_mean
from rtwcohort.errors import ArgumentError

ALL: Final = ("persons", "benefits", "employment", "enrolment", "questionnaires")
SPELLS: Final = ("benefits", "employment")
OF_PEOPLE: Final = ("benefits", "employment", "enrolment", "questionnaires")

Finding = Literal["check", "reading", "nothing"]


@dataclass(frozen=True, slots=True)
class Dirt:
    """One kind of fault that `dirty` puts in.

    Attributes
    ----------
    name
        The name of the fault in `FAULTS` where there is one alike.
    tables
        Where it can be put.
    meaning
        What is done to the register.
    found_by
        The faults of `FAULTS` one of which `check_register` must name for each such row.
    why
        Why nothing finds it, or who mends it, when `found_by` is empty.
    mended_by_reading
        `load_register` reads the row as it was before: there is nothing to find.
    per
        What the rate counts: "row" of each table, "person", or "table" (all of its rows or none).
    """

    name: str
    tables: tuple[str, ...]
    meaning: str
    found_by: tuple[str, ...] = ()
    why: str = ""
    mended_by_reading: bool = False
    per: Literal["row", "person", "table"] = "row"

    @property
    def finding(self) -> Finding:
        """What finds it: "check" (`check_register`), "reading" (`load_register` mends it) or "nothing"."""
        if self.found_by:
            return "check"
        return "reading" if self.mended_by_reading else "nothing"


def _as_named(name: str, tables: tuple[str, ...], meaning: str) -> Dirt:
    """Declare a fault that `check_register` finds under the same name."""
    return Dirt(name, tables, meaning, found_by=(name,))


_PLAUSIBLE: Final = "the wrong value is as plausible as the right one"
_ABSENT: Final = "nothing in the register says that it is missing"
_BENEFITS: Final = ("benefits",)
_JOBS: Final = ("employment",)
_PERSONS: Final = ("persons",)
_INDEX: Final = ("enrolment",)
_ANSWERS: Final = ("questionnaires",)

DIRT: Final = (
    Dirt(
        "position_as_share",
        _JOBS,
        "every position is written as a share of 1 instead of percent",
        found_by=("percent_as_fraction",),
        per="table",
    ),
    Dirt(
        "id_changed",
        OF_PEOPLE,
        "from a day in mid-history on, the person's rows carry a new identifier that `persons` does not have",
        found_by=("person_missing",),
        per="person",
    ),
    Dirt(
        "id_with_second_person",
        OF_PEOPLE,
        "from a day in mid-history on, the person's rows carry a new identifier that has a row in `persons` too",
        why="both identifiers are people with records of their own",
        per="person",
    ),
    _as_named("birth_after_records", _PERSONS, "the birth date is moved after the person's records"),
    _as_named("death_before_records", _PERSONS, "a living person gets a death date before all records"),
    _as_named("birth_after_death", _PERSONS, "the birth date is moved after the death date"),
    _as_named("age_over_110", _PERSONS, "the birth date is moved more than 110 years back"),
    _as_named(
        "impossible_date",
        ("persons", "enrolment", "questionnaires"),
        "a date cannot be: a birth in the 1800s or after the last day known, another date in the year 1020",
    ),
    _as_named("unreadable_date", ("persons", "enrolment", "questionnaires"), "a date is text that is no date"),
    Dirt("birth_date_shifted", _PERSONS, "the birth date is some years off", why=_PLAUSIBLE),
    Dirt(
        "death_missing",
        _PERSONS,
        "the death is not recorded yet",
        why=_ABSENT,
    ),
    _as_named("unknown_sex", _PERSONS, "sex is a code that is not known"),
    _as_named("duplicate_person", _PERSONS, "the person has a second row with another income"),
    _as_named(
        "person_id_missing", ALL, "the identifier is missing (in `persons`: a copy of a row without its identifier)"
    ),
    _as_named("person_missing", OF_PEOPLE, "a typing error in the identifier: nobody has it"),
    Dirt(
        "id_zeros_lost",
        OF_PEOPLE,
        "the leading zeros of the identifier are cut off (identifiers become text of eleven digits first)",
        found_by=("person_missing",),
    ),
    Dirt(
        "id_as_number",
        ALL,
        "the identifier is text or floating point in a column of whole numbers",
        why="identifiers are read alike whatever their type",
        mended_by_reading=True,
    ),
    Dirt(
        "text_blanks",
        ALL,
        "blanks stand behind a text",
        why="blanks at the ends of texts are cut at reading",
        mended_by_reading=True,
    ),
    _as_named("duplicate_row", ALL, "an exact copy of the row stands at the end of the table"),
    _as_named("unreadable_spell_date", SPELLS, "`start` or `end` is text that is no date"),
    _as_named("impossible_spell_date", SPELLS, "`start` or `end` is in a year that cannot be"),
    _as_named("start_missing", SPELLS, "`start` is missing"),
    _as_named("end_before_start", SPELLS, "`start` and `end` are exchanged"),
    _as_named("spell_before_birth", SPELLS, "the spell is moved before birth, at most one a person"),
    _as_named("spell_after_death", SPELLS, "a spell begins after death, at most one a person"),
    _as_named("end_after_death", SPELLS, "the person's last spell goes on after death"),
    _as_named("spell_after_emigration", SPELLS, "a spell begins after emigration, at most one a person"),
    _as_named("spell_after_data_end", SPELLS, "a record of a spell that begins after the last day known"),
    _as_named("open_end", _BENEFITS, "the end of the person's last spell of a benefit is missing"),
    _as_named("open_end_followed", _BENEFITS, "an end is missing before a later spell of the same benefit"),
    _as_named("overlap_same_benefit", _BENEFITS, "a second certificate lies inside a spell, from another employer"),
    Dirt(
        "corrected_record",
        SPELLS,
        "an earlier version of the record, later corrected, stands beside it",
        found_by=("corrected_record", "overlap_same_benefit"),
    ),
    Dirt(
        "late_record",
        SPELLS,
        "the record arrived after the extraction: it is not there",
        why=_ABSENT,
    ),
    _as_named("grade_outside_range", _BENEFITS, "the grade is negative, 0 or above 100"),
    _as_named("grade_missing", _BENEFITS, "the grade is missing"),
    _as_named("percent_as_fraction", _BENEFITS, "a grade below 100 is written as a share of 1"),
    Dirt(
        "full_grade_as_share",
        _BENEFITS,
        "a grade of 100 is written as 1",
        why="1 percent is a grade that may be; it is found when other grades are shares",
    ),
    Dirt("grade_wrong", _BENEFITS, "the grade is another one that may be", why=_PLAUSIBLE),
    _as_named("position_outside_range", _JOBS, "the position is negative or above 100"),
    _as_named("position_missing", _JOBS, "the position is missing"),
    _as_named("unreadable_number", ("persons", "benefits", "employment", "questionnaires"), "a number is text"),
    _as_named("unknown_benefit", _BENEFITS, "the benefit is missing, misspelt or a code that is not known"),
    Dirt(
        "benefit_spelling",
        _BENEFITS,
        "the benefit is written by one of its Norwegian names, in any case",
        why="known names are read as ours",
        mended_by_reading=True,
    ),
    _as_named("diagnosis_malformed", _BENEFITS, "the diagnosis is text without the shape of a code"),
    Dirt("diagnosis_wrong", _BENEFITS, "the diagnosis is another code", why=_PLAUSIBLE),
    _as_named("index_date_missing", _INDEX, "the index date is missing"),
    _as_named("duplicate_enrolment", _INDEX, "the person is enrolled a second time, later"),
    _as_named("index_after_data_end", _INDEX, "the index date is after the last day known"),
    _as_named("index_after_death", _INDEX, "the index date is on or after the day of death"),
    Dirt("index_date_moved", _INDEX, "the index date is some weeks off", why=_PLAUSIBLE),
    _as_named("item_missing", _ANSWERS, "the instrument or the item is missing"),
    _as_named("value_missing", _ANSWERS, "the answer is missing"),
    _as_named("duplicate_answer", _ANSWERS, "the item is answered a second time, differently"),
    Dirt(
        "value_out_of_range",
        _ANSWERS,
        "the answer is above what the item has",
        why="ranges belong to the instruments: scoring refuses such an answer",
    ),
)
"""In the order in which they are put in: what concerns a person's facts first, so that rows can rely on them."""

DIRT_NAMES: Final = tuple(dirt.name for dirt in DIRT)
BY_NAME: Final[Mapping[str, Dirt]] = MappingProxyType({dirt.name: dirt for dirt in DIRT})

_EVERY: Final = tuple(dirt for dirt in DIRT if dirt.per != "table")
PRESETS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "every_fault": {dirt.name: 0.01 for dirt in _EVERY},
        "findable": {dirt.name: 0.01 for dirt in _EVERY if dirt.found_by},
        "typical": {
            "id_changed": 0.002,
            "birth_date_shifted": 0.001,
            "unknown_sex": 0.002,
            "duplicate_row": 0.003,
            "end_before_start": 0.0005,
            "spell_after_death": 0.01,
            "end_after_death": 0.05,
            "overlap_same_benefit": 0.01,
            "corrected_record": 0.02,
            "late_record": 0.01,
            "spell_after_data_end": 0.001,
            "grade_outside_range": 0.001,
            "grade_missing": 0.002,
            "unknown_benefit": 0.0005,
            "benefit_spelling": 0.01,
            "diagnosis_malformed": 0.002,
            "value_missing": 0.002,
            "duplicate_answer": 0.001,
        },
    }
)
"""Rates by name. "typical" holds round figures of a plausible size, not estimates from a register."""


def parse_faults(text: str) -> dict[str, float]:
    """Read faults and rates as a command line gives them.

    Parameters
    ----------
    text
        A preset, or `fault=rate` separated by commas: "duplicate_row=0.01,benefits.open_end=0.002". A
        table before the name and a point takes that table only.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ArgumentError
        When a name is unknown or a rate is no number from 0 to 1.
    """
    if text.strip() in PRESETS:
        return dict(PRESETS[text.strip()])
    faults: dict[str, float] = {}
    for part in text.split(","):
        name, equals, rate = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ArgumentError(
                f"`faults` must be a preset ({', '.join(PRESETS)}) or fault=rate, separated by commas; got "
                f"{part.strip()!r}.{did_you_mean(name, (*PRESETS, *DIRT_NAMES))}"
            )
        try:
            faults[name] = float(rate)
        except ValueError as error:
            raise ArgumentError(f"`faults['{name}']` must be a number from 0 to 1; got {rate!r}.") from error
    check_faults(faults)
    return faults


def check_faults(faults: Mapping[str, float] | str) -> dict[tuple[str, str], float]:
    """Check faults and rates.

    Parameters
    ----------
    faults
        A preset, or name to rate; a name may have a table in front: "benefits.duplicate_row".

    Returns
    -------
    dict of (str, str) to float
        Name and table, which is empty for every table, to rate.

    Raises
    ------
    ArgumentError
        When a name or a table is unknown, or a rate is outside 0 to 1.
    """
    if isinstance(faults, str):
        check_choice(faults, tuple(PRESETS), argument="faults")
        faults = PRESETS[faults]
    checked: dict[tuple[str, str], float] = {}
    for key, rate in faults.items():
        table, point, name = str(key).rpartition(".")
        if name not in BY_NAME:
            raise ArgumentError(
                f"`faults` names '{name}', which does not exist.{did_you_mean(name, DIRT_NAMES)} "
                f"Faults are: {', '.join(DIRT_NAMES)}."
            )
        if point and (table not in BY_NAME[name].tables or BY_NAME[name].per == "person"):
            can = (
                "by person, in all tables at once" if BY_NAME[name].per == "person" else ", ".join(BY_NAME[name].tables)
            )
            raise ArgumentError(
                f"`faults` asks for '{name}' in '{table}', where it cannot be put: {can}.{did_you_mean(table, ALL)}"
            )
        check_number(rate, argument=f"faults['{key}']", least=0, most=1)
        checked[name, table] = float(rate)
    return checked
