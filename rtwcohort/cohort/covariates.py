"""Baseline covariates: declared as data, read from a study file, computed and described."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from rtwcohort.cohort.candidates import Candidates
from rtwcohort.cohort.cohort import Variable
from rtwcohort.cohort.column import Column, as_categorical, cut_column, to_kind
from rtwcohort.cohort.declaration import (
    BENEFITS_PARAMETER,
    MERGE_GAP,
    MIN_GRADE,
    Parameter,
    known_name,
    read_parameters,
)
from rtwcohort.cohort.diagnosis_covariates import from_diagnosis
from rtwcohort.cohort.history_covariates import MEASURES, from_history
from rtwcohort.cohort.person_covariates import (
    ENROLMENT_LABELS,
    PERSON_LABELS,
    from_employment,
    from_enrolment,
    from_persons,
)
from rtwcohort.cohort.questionnaire_covariates import from_questionnaire
from rtwcohort.cohort.requirements import DIAGNOSIS_PARAMETERS
from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class CovariateSource:
    """Where a covariate may come from, as in `from = "history"`."""

    name: str
    meaning: str
    compute: Callable[[Candidates, Mapping[str, Any], str], Column]
    parameters: tuple[Parameter, ...]


COVARIATES: Final[Mapping[str, CovariateSource]] = {
    source.name: source
    for source in (
        CovariateSource(
            "persons",
            "A column of the persons table, or `age` at the index date.",
            from_persons,
            (
                Parameter("column", "text", "name of the column, or 'age'"),
                Parameter(
                    "age_in", "text", "how age is counted", "exact_years", choices=("exact_years", "completed_years")
                ),
            ),
        ),
        CovariateSource(
            "enrolment",
            "A column of the enrolment table.",
            from_enrolment,
            (Parameter("column", "text", "name of the column, such as 'arm'"),),
        ),
        CovariateSource(
            "employment",
            "The jobs held on the index date.",
            from_employment,
            (Parameter("measure", "text", "what is taken", "position", choices=("position", "n_employers")),),
        ),
        CovariateSource(
            "history",
            "Benefits received before the index date (to the day before it), or on it.",
            from_history,
            (
                Parameter("measure", "text", "what is taken", choices=MEASURES),
                Parameter("years", "whole", "window in years before the index date (2 when left out)", None, 1, 100),
                Parameter("days", "whole", "window in days before the index date, instead of years", None, 1),
                BENEFITS_PARAMETER,
                MIN_GRADE,
                MERGE_GAP,
            ),
        ),
        CovariateSource(
            "diagnosis",
            "The diagnosis of the spell at the index date.",
            from_diagnosis,
            (
                Parameter("measure", "text", "what is taken", "group", choices=("group", "chapter", "code")),
                *DIAGNOSIS_PARAMETERS,
            ),
        ),
        CovariateSource(
            "questionnaire",
            "The score of an instrument at a wave, or one item.",
            from_questionnaire,
            (
                Parameter("instrument", "text", "name of the instrument", None),
                Parameter("wave", "text", "wave; may be left out where there is only one", None),
                Parameter("item", "text", "one item instead of the score", None),
                Parameter("max_days_after", "whole", "answers later after the index date are missing", None, 0),
            ),
        ),
    )
}
"""Every source of covariates by name."""

COVARIATE_NAMES: Final[Mapping[str, Mapping[str, Any]]] = {
    "age": {"from": "persons", "column": "age"},
    **{name: {"from": "persons", "column": name} for name in PERSON_LABELS},
    **{name: {"from": "enrolment", "column": name} for name in ENROLMENT_LABELS},
    **{name: {"from": "employment", "measure": name} for name in ("position", "n_employers")},
    **{name: {"from": "history", "measure": name} for name in MEASURES},
    "diagnosis_group": {"from": "diagnosis", "measure": "group"},
    "diagnosis_chapter": {"from": "diagnosis", "measure": "chapter"},
}
"""Covariates that need no declaration: a study may use these names as they are."""

_HOW: Final = (
    Parameter("label", "text", "words for tables", None),
    Parameter("unit", "text", "unit", None),
    Parameter("kind", "text", "read as numbers or as categories", None, choices=("numeric", "categorical")),
    Parameter("order", "texts", "order of the categories", None),
    Parameter("cut_labels", "texts", "names of the classes", None),
)
_HOW_NAMES: Final = (*(parameter.name for parameter in _HOW), "cut")


@dataclass(frozen=True, slots=True)
class Covariate:
    """One covariate of a study, checked: its column name, source, parameters and how it is shown."""

    name: str
    source: str
    parameters: Mapping[str, Any]
    show: Mapping[str, Any] = field(default_factory=dict)


def read_covariates(given: Any, *, extra_columns: Iterable[str] = ()) -> tuple[Covariate, ...]:
    """Read covariates from a study file or from Python and check them.

    Parameters
    ----------
    given
        A mapping name -> declaration (``{"fabq": {"from": "questionnaire", ...}}``; an empty one means the name
        itself), or a sequence of names and of pairs (name, declaration).
    extra_columns
        Columns of persons beyond the declared ones, which may be used by name.

    Returns
    -------
    tuple of Covariate
        In the order given.
    """
    extra = {name: {"from": "persons", "column": name} for name in extra_columns if name not in COVARIATE_NAMES}
    known = {**COVARIATE_NAMES, **extra}
    out = tuple(_read(name, declaration, known) for name, declaration in _pairs(given))
    names = [covariate.name for covariate in out]
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(f"`covariates` must have different names; '{name}' comes {names.count(name)} times.")
        if name in ("person_id", "index_date", "follow_up_days"):
            raise ArgumentError(f"`covariates` must not be called '{name}': the cohort has such a column. Rename it.")
    return out


def _pairs(given: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(given, Mapping):
        items: list[Any] = list(given.items())
    elif isinstance(given, Sequence) and not isinstance(given, str):
        items = list(given)
    else:
        raise ArgumentError(
            "`covariates` must be a list of names or a mapping name -> declaration such as "
            f"{{ days = {{ from = 'history', measure = 'days_on_benefit' }} }}; got {given!r}."
        )
    pairs = []
    for item in items:
        name, declaration = (item, {}) if isinstance(item, str) else _pair(item)
        pairs.append((name, declaration))
    return pairs


def _pair(item: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(item, Covariate):
        return item.name, {"from": item.source, **item.parameters, **item.show}
    if isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], Mapping):
        return item[0], item[1]
    raise ArgumentError(
        f"`covariates` takes names and declarations such as fabq = {{ from = 'questionnaire', instrument = 'FABQ-W', "
        f"wave = 'M0' }}; got {item!r}."
    )


def _read(name: str, declaration: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Covariate:
    owner = f"covariates.{name}"
    if "from" not in declaration:
        base = known[known_name(name, known, argument="covariates", what="covariate")]
        declaration = {**base, **declaration}
    source = COVARIATES[known_name(declaration["from"], COVARIATES, argument=f"{owner}.from", what="source")]
    how = {key: value for key, value in declaration.items() if key in _HOW_NAMES}
    cut = how.pop("cut", None)
    show = {**read_parameters(how, _HOW, owner=owner), "cut": cut}
    if show["cut_labels"] is not None and cut is None:
        raise ArgumentError(f"`{owner}.cut_labels` names the classes made by `cut`; give `cut` too.")
    own = {key: value for key, value in declaration.items() if key not in _HOW_NAMES and key != "from"}
    return Covariate(name, source.name, _own_parameters(own, source, owner), show)


def _own_parameters(own: Mapping[str, Any], source: CovariateSource, owner: str) -> Mapping[str, Any]:
    names = {parameter.name for parameter in source.parameters}
    if unknown := [key for key in own if key not in names]:
        every = [*names, *_HOW_NAMES]
        known_name(unknown[0], sorted(every), argument=f"{owner} (from = '{source.name}')", what="parameter")
    return read_parameters(own, source.parameters, owner=owner)


def raw_column(people: Candidates, covariate: Covariate) -> Column:
    """Compute a covariate before classes are made, with the label and unit that were asked for."""
    owner = f"covariates.{covariate.name}"
    column = COVARIATES[covariate.source].compute(people, covariate.parameters, owner)
    show = covariate.show
    column = to_kind(column, show.get("kind"), owner=owner)
    if show.get("label"):
        column = replace(column, label=show["label"])
    if show.get("unit"):
        column = replace(column, unit=show["unit"])
    if show.get("order"):
        column = replace(column, order=_checked_order(column, show["order"], owner))
    return column


def _checked_order(column: Column, order: tuple[str, ...], owner: str) -> tuple[str, ...]:
    if column.kind != "categorical":
        raise ArgumentError(
            f"`{owner}.order` needs a covariate with categories; add kind = 'categorical' to make it one."
        )
    for value in column.values.dropna().unique():
        check_choice(value, order, argument=f"{owner}.order (every category that occurs)")
    return order


def raw_values(people: Candidates, name: str, declared: Mapping[str, Covariate]) -> pd.Series[Any]:
    """Return the values of a declared covariate, or of one that needs no declaration."""
    if name not in declared:
        (covariate,) = read_covariates([name], extra_columns=people.register.persons.columns)
    else:
        covariate = declared[name]
    return raw_column(people, covariate).values


def finish_column(column: Column, covariate: Covariate, label: str | None) -> tuple[pd.Series[Any], Variable]:
    """Make classes and categories in the final cohort and describe the variable."""
    if covariate.show.get("cut") is not None:
        column = cut_column(
            column, covariate.show["cut"], covariate.show["cut_labels"], owner=f"covariates.{covariate.name}"
        )
    values = column.values if column.kind == "numeric" else as_categorical(column, covariate.name)
    missing = int(values.isna().sum())
    variable = Variable(covariate.name, label or column.label, column.kind, column.unit, column.source, missing)
    return values, variable
