"""Who may enter: named requirements, declared as data and applied in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rtwcohort.cohort import requirements as judge
from rtwcohort.cohort.declaration import (
    BENEFITS_PARAMETER,
    MERGE_GAP,
    MIN_GRADE,
    Parameter,
    known_name,
    read_parameters,
)
from rtwcohort.cohort.requirements import Judge
from rtwcohort.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Predicate:
    """A requirement that a study may name.

    Attributes
    ----------
    name
        As in `require = "..."`.
    meaning
        One sentence: who may stay.
    judge
        Tells for each candidate whether and why they leave.
    parameters
        What may be set.
    automatic
        Applied to every cohort first, because nobody can be followed without it; shown in the flow when it excludes
        somebody or when the study names it.
    """

    name: str
    meaning: str
    judge: Judge
    parameters: tuple[Parameter, ...] = ()
    automatic: bool = False


_SICK = Parameter("benefits", "benefits", "which benefits count", ("sickness_benefit",))
_ANY = Parameter("benefits", "benefits", "which benefits rule a person out")
_DAYS = Parameter("days", "whole", "number of days", least=0)

ELIGIBILITY: Final[Mapping[str, Predicate]] = {
    predicate.name: predicate
    for predicate in (
        Predicate("has_index_date", "An index date is known.", judge.has_index_date, automatic=True),
        Predicate("in_persons", "The person is in the persons table.", judge.in_persons, automatic=True),
        Predicate(
            "index_by_data_end",
            "The index date is not after the last day that the register knows.",
            judge.index_by_data_end,
            automatic=True,
        ),
        Predicate("alive_at_index", "The person did not die on or before the index date.", judge.alive, automatic=True),
        Predicate(
            "resident_at_index", "The person had not emigrated by the index date.", judge.resident, automatic=True
        ),
        Predicate(
            "age_at_index",
            "Age in completed years lies within the limits, both included.",
            judge.age_at_index,
            (
                Parameter("min", "number", "least age in completed years", None, 0, 130),
                Parameter("max", "number", "greatest age in completed years", None, 0, 130),
            ),
        ),
        Predicate(
            "sex",
            "The person's sex is the one studied.",
            judge.sex,
            (Parameter("value", "text", "female or male", choices=("female", "male")),),
        ),
        Predicate(
            "on_benefit_at_index",
            "One of the benefits is paid on the index date, with at least the combined grade.",
            judge.on_benefit_at_index,
            (_SICK, MIN_GRADE),
        ),
        Predicate(
            "absence_length_at_index",
            "The current absence began between so many days before the index date (0 = on it).",
            judge.absence_length_at_index,
            (
                Parameter("min_days", "whole", "least days from the first day of absence to the index date", None, 0),
                Parameter("max_days", "whole", "most days from the first day of absence to the index date", None, 0),
                _SICK,
                MIN_GRADE,
                MERGE_GAP,
            ),
        ),
        Predicate(
            "no_benefit_before",
            "None of the benefits was paid in so many days before the index date or the current absence (wash-out).",
            judge.no_benefit_before,
            (
                _DAYS,
                BENEFITS_PARAMETER,
                Parameter("before", "text", "where the days end", "index", choices=("index", "absence")),
                Parameter("absence", "benefits", "benefits of the current absence", ("sickness_benefit",)),
                MERGE_GAP,
            ),
        ),
        Predicate("not_on", "None of the benefits is paid on the index date.", judge.not_on, (_ANY,)),
        Predicate(
            "index_between",
            "The index date lies between two dates, both included.",
            judge.index_between,
            (
                Parameter("from", "date", "earliest index date", None),
                Parameter("to", "date", "latest index date", None),
            ),
        ),
        Predicate(
            "has_arm",
            "The person is in one of the arms; in any arm when no values are given.",
            judge.has_arm,
            (Parameter("values", "texts", "names of the arms", None),),
        ),
        Predicate(
            "has_questionnaire",
            "The person answered at least one item of the instrument at the wave.",
            judge.has_questionnaire,
            (
                Parameter("instrument", "text", "name of the instrument"),
                Parameter("wave", "text", "wave; any wave when left out", None),
            ),
        ),
        Predicate(
            "diagnosis_group",
            "The diagnosis of the absence at the index date is in one of the groups.",
            judge.diagnosis_group,
            (Parameter("values", "texts", "names of the groups"), *judge.DIAGNOSIS_PARAMETERS),
        ),
        Predicate(
            "employed_at_index",
            "The positions held on the index date add up to at least so many percent.",
            judge.employed_at_index,
            (Parameter("min_position", "number", "least position in percent", 1.0, 0, 100),),
        ),
        Predicate(
            "history_covered",
            "The register covers so many days before the index date.",
            judge.history_covered,
            (_DAYS,),
        ),
        Predicate(
            "follow_up_at_least",
            "The register's last day is so many days after the index date, whatever happens to the person.",
            judge.follow_up_at_least,
            (_DAYS,),
        ),
        Predicate(
            "has_values",
            "The named covariates are known.",
            judge.has_values,
            (Parameter("columns", "texts", "names of covariates, or of columns of persons and enrolment"),),
        ),
    )
}
"""Every requirement by name."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a study: the predicate's name and its parameters."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def read_eligibility(given: Any) -> tuple[Requirement, ...]:
    """Read requirements from a study file or from Python and check them.

    Parameters
    ----------
    given
        A sequence of names ("alive_at_index"), pairs (("age_at_index", {"min": 18})), mappings
        ({"require": "age_at_index", "min": 18}) or `Requirement`.

    Returns
    -------
    tuple of Requirement
        With every parameter filled in.

    Raises
    ------
    ArgumentError
        On an unknown name or parameter.
    """
    if isinstance(given, str | Mapping | Requirement) or not isinstance(given, Iterable):
        raise ArgumentError(
            "`eligibility` must be a list of requirements such as [{ require = 'age_at_index', min = 18 }]; "
            f"got {type(given).__name__}. Put it in a list."
        )
    return tuple(_read(item) for item in given)


def _read(item: Any) -> Requirement:
    name, parameters = _split(item)
    predicate = ELIGIBILITY[known_name(name, ELIGIBILITY, argument="eligibility", what="requirement")]
    return Requirement(
        predicate.name, read_parameters(parameters, predicate.parameters, owner=f"eligibility: {predicate.name}")
    )


def _split(item: Any) -> tuple[object, Mapping[str, Any]]:
    if isinstance(item, str):
        return item, {}
    if isinstance(item, Requirement):
        return item.name, item.parameters
    if isinstance(item, Mapping) and "require" in item:
        return item["require"], {key: value for key, value in item.items() if key != "require"}
    if isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[1], Mapping):
        return item[0], item[1]
    raise ArgumentError(
        "`eligibility` takes requirements such as { require = 'age_at_index', min = 18, max = 66 }, "
        f"('age_at_index', {{'min': 18}}) or a name; got {item!r}."
    )


def split_automatic(requirements: Iterable[Requirement]) -> tuple[tuple[tuple[Requirement, bool], ...], ...]:
    """Put the automatic requirements first, each with whether the study named it; then the others in order."""
    asked = tuple(requirements)
    names = {requirement.name for requirement in asked}
    first = tuple(
        (Requirement(predicate.name), predicate.name in names)
        for predicate in ELIGIBILITY.values()
        if predicate.automatic
    )
    then = tuple((requirement, True) for requirement in asked if not ELIGIBILITY[requirement.name].automatic)
    return first, then
