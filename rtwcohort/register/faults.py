"""The kinds of fault that a register can have, declared once, in the order in which cleaning mends them.

What a value may be is declared with its column in `tables`; a fault says what breaking that rule
means, what cleaning does by default and what it may be told to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KEEP: Final = "keep"
DROP: Final = "drop"

_ALL: Final = ("persons", "benefits", "employment", "enrolment", "questionnaires")
_SPELLS: Final = ("benefits", "employment")


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes
    ----------
    name
        As in `RegisterCheck.counts` and in cleaning rules.
    tables
        Where it can occur.
    meaning
        In words.
    default_action
        What cleaning does unless told otherwise.
    actions
        What cleaning can do: name -> in words.
    """

    name: str
    tables: tuple[str, ...]
    meaning: str
    default_action: str
    actions: Mapping[str, str]


_KEPT: Final = "kept"
_ROW_DROPPED: Final = "row dropped"

FAULTS: Final = (
    Fault("person_id_missing", _ALL, "the identifier is missing", DROP, {DROP: _ROW_DROPPED}),
    Fault(
        "duplicate_row",
        _ALL,
        "the row repeats an earlier row in every declared column",
        DROP,
        {DROP: "later copies dropped", KEEP: _KEPT},
    ),
    Fault(
        "unreadable_spell_date",
        _SPELLS,
        "`start` or `end` has a value that is no date",
        DROP,
        {DROP: _ROW_DROPPED, "missing": "left missing (an end is then open)"},
    ),
    Fault(
        "unreadable_date",
        ("persons", "enrolment", "questionnaires"),
        "a date column has a value that is no date",
        "missing",
        {"missing": "left missing", DROP: _ROW_DROPPED},
    ),
    Fault(
        "unreadable_number",
        ("persons", "benefits", "employment", "questionnaires"),
        "a number column has a value that is no number, or could be two",
        "missing",
        {"missing": "left missing", DROP: _ROW_DROPPED},
    ),
    Fault(
        "duplicate_person",
        ("persons",),
        "the person has several rows that differ",
        "first",
        {"first": "first row kept", "last": "last row kept"},
    ),
    Fault(
        "unknown_sex",
        ("persons",),
        "`sex` is not female or male",
        "missing",
        {"missing": "set to missing", KEEP: _KEPT},
    ),
    Fault(
        "impossible_date",
        ("persons", "enrolment", "questionnaires"),
        "a date is before 1900, after 2199, or a birth after the last day known",
        "missing",
        {"missing": "set to missing", KEEP: _KEPT},
    ),
    Fault(
        "birth_after_death",
        ("persons",),
        "`birth_date` is after `death_date`",
        "missing",
        {"missing": "`birth_date` set to missing", "missing_death": "`death_date` set to missing", KEEP: _KEPT},
    ),
    Fault(
        "age_over_110",
        ("persons",),
        "the person would be over 110 years old at death or on the last day known",
        "missing",
        {"missing": "`birth_date` set to missing", KEEP: _KEPT},
    ),
    Fault(
        "birth_after_records",
        ("persons",),
        "`birth_date` is after at least two, and more than half, of the person's first days of spells and index dates",
        "missing",
        {"missing": "`birth_date` set to missing", KEEP: _KEPT},
    ),
    Fault(
        "death_before_records",
        ("persons",),
        "`death_date` is before at least two, and more than half, of the person's first days of spells and index dates",
        "missing",
        {"missing": "`death_date` set to missing", KEEP: _KEPT},
    ),
    Fault("start_missing", _SPELLS, "`start` is missing", DROP, {DROP: _ROW_DROPPED}),
    Fault(
        "impossible_spell_date",
        _SPELLS,
        "`start` or `end` is before 1900 or after 2199",
        DROP,
        {DROP: _ROW_DROPPED, KEEP: _KEPT},
    ),
    Fault(
        "end_before_start",
        _SPELLS,
        "`end` is before `start`",
        DROP,
        {DROP: _ROW_DROPPED, "swap": "`start` and `end` exchanged"},
    ),
    Fault(
        "percent_as_fraction",
        _SPELLS,
        "a grade is above 0 and below 1, or every position is from 0 to 1 with fractions among them: percent was "
        "written as a share",
        "multiply",
        {"multiply": "multiplied by 100", KEEP: _KEPT},
    ),
    Fault(
        "grade_outside_range",
        ("benefits",),
        "`grade` is not from 1 to 100 percent",
        "limit",
        {
            "limit": "above 100 set to 100, row dropped below 1",
            DROP: _ROW_DROPPED,
            "missing": "set to missing",
        },
    ),
    Fault(
        "grade_missing",
        ("benefits",),
        "`grade` is missing",
        "full",
        {"full": "set to 100 (full benefit)", DROP: _ROW_DROPPED},
    ),
    Fault(
        "position_outside_range",
        ("employment",),
        "`position` is not from 0 to 100 percent",
        "limit",
        {"limit": "above 100 set to 100, row dropped below 0", DROP: _ROW_DROPPED, "missing": "set to missing"},
    ),
    Fault(
        "position_missing",
        ("employment",),
        "`position` is missing",
        "full",
        {"full": "set to 100 (full time)", DROP: _ROW_DROPPED},
    ),
    Fault(
        "unknown_benefit",
        ("benefits",),
        "`benefit` is missing or a code that is not known",
        "other",
        {"other": "set to 'other'", DROP: _ROW_DROPPED},
    ),
    Fault(
        "diagnosis_malformed",
        ("benefits",),
        "`diagnosis` has neither the shape of ICPC-2 nor of ICD-10",
        KEEP,
        {KEEP: _KEPT, "missing": "set to missing"},
    ),
    Fault("index_date_missing", ("enrolment",), "`index_date` is missing", DROP, {DROP: _ROW_DROPPED, KEEP: _KEPT}),
    Fault(
        "item_missing",
        ("questionnaires",),
        "`instrument` or `item` is missing",
        DROP,
        {DROP: _ROW_DROPPED},
    ),
    Fault(
        "person_missing",
        ("benefits", "employment", "enrolment", "questionnaires"),
        "the person is not in `persons`",
        "add",
        {"add": "person added to `persons` with nothing known", DROP: _ROW_DROPPED, KEEP: _KEPT},
    ),
    Fault(
        "spell_before_birth",
        _SPELLS,
        "`start` is before the person's birth",
        DROP,
        {DROP: _ROW_DROPPED, KEEP: _KEPT},
    ),
    Fault(
        "spell_after_death",
        _SPELLS,
        "`start` is after the person's death",
        DROP,
        {DROP: _ROW_DROPPED, KEEP: _KEPT},
    ),
    Fault(
        "end_after_death",
        _SPELLS,
        "the spell starts before and ends after the person's death",
        "cut",
        {"cut": "`end` set to the day of death", KEEP: "kept (the timeline stops at death)"},
    ),
    Fault(
        "spell_after_emigration",
        _SPELLS,
        "`start` is after the person's emigration",
        KEEP,
        {KEEP: "kept (the timeline stops at emigration)", DROP: _ROW_DROPPED},
    ),
    Fault(
        "spell_after_data_end",
        _SPELLS,
        "`start` is after the last day known",
        DROP,
        {DROP: _ROW_DROPPED, KEEP: "kept (not seen by the timeline)"},
    ),
    Fault(
        "corrected_record",
        _SPELLS,
        "a later row gives the same person, benefit, employer and first day with other values: it corrects this one",
        KEEP,
        {KEEP: "kept (the timeline counts the highest grade once)", DROP: "the earlier version dropped"},
    ),
    Fault(
        "open_end_followed",
        ("benefits",),
        "`end` is missing, though another spell of the same benefit starts later",
        KEEP,
        {
            KEEP: "kept (lasts to the last day known)",
            "close": "`end` set to the day before the next spell of the same benefit",
            DROP: _ROW_DROPPED,
        },
    ),
    Fault(
        "open_end",
        ("benefits",),
        "`end` is missing: the spell is still open",
        KEEP,
        {KEEP: "kept (lasts to the last day known)", "close": "`end` set to the last day known", DROP: _ROW_DROPPED},
    ),
    Fault(
        "overlap_same_benefit",
        ("benefits",),
        "the spell overlaps one of the same benefit that starts before it or stands before it, with no other fault to "
        "explain it",
        KEEP,
        {
            KEEP: "kept (the timeline counts the highest grade once)",
            "latest": "the later spell replaces the earlier from its start",
        },
    ),
    Fault(
        "duplicate_enrolment",
        ("enrolment",),
        "the person is enrolled several times",
        "earliest",
        {"earliest": "earliest index date kept", "latest": "latest index date kept", KEEP: _KEPT},
    ),
    Fault(
        "index_after_data_end",
        ("enrolment",),
        "`index_date` is after the last day known",
        DROP,
        {DROP: _ROW_DROPPED, KEEP: _KEPT},
    ),
    Fault(
        "index_after_death",
        ("enrolment",),
        "`index_date` is on or after the day of death",
        DROP,
        {DROP: _ROW_DROPPED, KEEP: _KEPT},
    ),
    Fault(
        "value_missing",
        ("questionnaires",),
        "`value` is missing",
        KEEP,
        {KEEP: "kept (scoring has a rule for missing items)", DROP: _ROW_DROPPED},
    ),
    Fault(
        "duplicate_answer",
        ("questionnaires",),
        "the person answered the item several times in the same wave",
        "first",
        {"first": "first answer kept", "last": "last answer kept"},
    ),
)
"""In the order in which `clean_register` mends them."""

FAULT_NAMES: Final = tuple(fault.name for fault in FAULTS)
