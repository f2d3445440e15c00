"""The parts of a study file that other packages declare: read early, so that a fault points at its line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rtwcohort.cohort.covariates import Covariate, read_covariates
from rtwcohort.cohort.eligibility import Requirement, read_eligibility
from rtwcohort.cohort.index_date import IndexDate, read_index_date
from rtwcohort.core.checks import did_you_mean
from rtwcohort.design.terms import columns_of, split_interaction
from rtwcohort.errors import ArgumentError, RtwCohortError, StudyFileError
from rtwcohort.outcomes.catalogue import get_rule
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.rule_mapping import rule_from_mapping
from rtwcohort.study.read import Study

MADE_BY_MODELS = ("wave", "day", "person_id")
"""Variables of repeated measures, which the models make themselves."""

TERM_FUNCTIONS = ("C", "I", "bs", "cr", "poly", "log")
"""Functions that a predictor may use."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a study asks of the cohort and the outcome, checked.

    Attributes
    ----------
    index_date, eligibility, rule
        As the cohort and the outcomes take them.
    covariates
        Declared ones, in the order of the file.
    needed
        Names that predictors, arms, contrasts and the baseline table use, in that order, without repeats:
        pairs of the name and the key path that asks for it.
    """

    index_date: IndexDate
    eligibility: tuple[Requirement, ...]
    rule: RtwRule
    covariates: tuple[Covariate, ...]
    needed: tuple[tuple[str, tuple[str | int, ...]], ...]


@contextmanager
def pointing(study: Study, *path: str | int) -> Iterator[None]:
    """Make an error of another part point at a key of the study file; a wrong argument is a fault of the file."""
    try:
        yield
    except StudyFileError:
        raise
    except ArgumentError as error:
        raise study.blame(error, *path) from error
    except RtwCohortError as error:
        raise type(error)(f"{study.where(*path)}: {error}") from error


def read_parts(study: Study) -> Parts:
    """Read and check what the study file asks of the other parts.

    Raises
    ------
    StudyFileError
        With the key and the line of the first fault.
    """
    file = study.file
    _check_terms(study)
    with pointing(study, "cohort", "index_date"):
        index_date = read_index_date(file.cohort.index_date)
    eligibility = _each(study, ("cohort", "eligibility"), enumerate(file.cohort.eligibility), _one_requirement)
    covariates = _each(study, ("cohort", "covariates"), file.cohort.covariates.items(), _one_covariate)
    with pointing(study, "outcome", "rule"):
        asked = file.outcome.rule
        rule = get_rule(asked) if isinstance(asked, str) else rule_from_mapping(asked)
    parts = Parts(index_date, tuple(eligibility), rule, tuple(covariates), tuple(_needed(study)))
    _check_settings(study, parts)
    return parts


def variables_of(term: str, columns: list[str] | None = None) -> tuple[str, ...]:
    """Return the variables that a formula term such as `arm:bs(age, df=3)` uses."""
    names: dict[str, None] = {}
    for piece in term.replace("*", ":").split(":") if "(" not in term else split_interaction(term):
        names.update(dict.fromkeys(columns_of(piece.strip(), columns or ())))
    return tuple(names)


def readable(level: str) -> str:
    """Write the name of a category as words."""
    return level.replace("_", " ")


def _check_terms(study: Study) -> None:
    """Refuse a term that is more than names and known functions: formulas are run as code, study files are shared."""
    places: list[tuple[tuple[str | int, ...], str]] = [
        (("predictors", "terms", i), term) for i, term in enumerate(study.file.predictors.terms)
    ]
    if study.file.screening is not None:
        places += [(("screening", "candidates", i), term) for i, term in enumerate(study.file.screening.candidates)]
    for i, model in enumerate(study.file.models):
        places += [(("models", i, "terms", j), term) for j, term in enumerate(model.terms)]
    for path, term in places:
        try:
            tree = ast.parse(term.replace("`", "").replace(":", "*"), mode="eval")
        except SyntaxError:
            tree = None
        for node in ast.walk(tree) if tree is not None else ():
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
            if isinstance(node, ast.Attribute | ast.Subscript | ast.Lambda) or (
                isinstance(node, ast.Call) and called not in TERM_FUNCTIONS
            ):
                raise StudyFileError(
                    f"{study.where(*path)}: a term may use names, `:` and `*`, and the functions "
                    f"{', '.join(TERM_FUNCTIONS)}; got {term!r}."
                )


def _one_requirement(_: Any, given: Any) -> Requirement:
    return read_eligibility([given])[0]


def _one_covariate(name: Any, given: Any) -> Covariate:
    return read_covariates({name: given})[0]


def _each(study: Study, path: tuple[str, ...], items: Any, read: Callable[[Any, Any], Any]) -> list[Any]:
    out = []
    for key, given in items:
        with pointing(study, *path, key):
            out.append(read(key, given))
    return out


def _needed(study: Study) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    file = study.file
    seen = set()
    asked: list[tuple[str, tuple[str | int, ...]]] = []
    if file.arms is not None:
        asked.append((file.arms.column, ("arms", "column")))
    for i, term in enumerate(file.predictors.terms):
        asked += [(name, ("predictors", "terms", i)) for name in variables_of(term)]
    asked += [(name, ("predictors", "strata", i)) for i, name in enumerate(file.predictors.strata)]
    if file.predictors.cluster is not None:
        asked.append((file.predictors.cluster, ("predictors", "cluster")))
    for i, term in enumerate(file.screening.candidates if file.screening is not None else ()):
        asked += [(name, ("screening", "candidates", i)) for name in variables_of(term)]
    asked += _needed_by_models(study)
    for i, contrast in enumerate(file.contrasts):
        asked += [(contrast.group, ("contrasts", i, "group")), (contrast.period, ("contrasts", i, "period"))]
        asked += [(name, ("contrasts", i, "where", name)) for name in contrast.where]
    asked += [(name, ("cohort", "baseline", i)) for i, name in enumerate(file.cohort.baseline)]
    for name, path in asked:
        if name not in seen:
            seen.add(name)
            yield name, path


def _needed_by_models(study: Study) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    for i, model in enumerate(study.file.models):
        for j, term in enumerate(model.terms):
            for name in variables_of(term):
                if name not in MADE_BY_MODELS:
                    yield name, ("models", i, "terms", j)
        for option in ("strata", "cluster"):
            given = model.options.get(option, [])
            for name in [given] if isinstance(given, str) else list(given):
                yield name, ("models", i, "options", option)


def _check_settings(study: Study, parts: Parts) -> None:
    """Names in `scale`, `reference` and `labels` must be those of variables that the study uses."""
    used = {name for name, _ in parts.needed} | {covariate.name for covariate in parts.covariates}
    sections: list[tuple[tuple[str | int, ...], Any]] = [(("predictors",), study.file.predictors)]
    sections += [(("models", i), model) for i, model in enumerate(study.file.models)]
    for place, section in sections:
        for key, given in (("scale", section.scale), ("reference", section.reference)):
            for name in given:
                _known(study, name, used | set(MADE_BY_MODELS), (*place, key, name))
        for name, step in section.scale.items():
            if not step > 0:
                where = study.where(*place, "scale", name)
                raise StudyFileError(f"{where}: a scale must be above 0; got {step}.")
    for name in study.file.cohort.labels:
        _known(study, name, used, ("cohort", "labels", name))
    _check_days(study)


def _check_days(study: Study) -> None:
    for i, day in enumerate(study.file.outcome.status_days):
        if day < 0:
            raise StudyFileError(f"{study.where('outcome', 'status_days', i)}: days are counted from 0; got {day}.")
    for i, (first, after) in enumerate(study.file.outcome.absence_windows):
        if after <= first:
            place = study.where("outcome", "absence_windows", i)
            raise StudyFileError(f"{place}: a window [from, to) must end after it starts; got [{first}, {after}].")


def _known(study: Study, name: str, used: set[str], path: tuple[str | int, ...]) -> None:
    if name not in used:
        raise StudyFileError(
            f"{study.where(*path)}: '{name}' is no variable that this study uses.{did_you_mean(name, used)} "
            f"It uses: {', '.join(sorted(used)) or 'none'}."
        )
