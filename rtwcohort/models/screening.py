"""Screening as the papers do it: one model a predictor, then one of those below a p-value; and what that hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.frames import to_pandas
from rtwcohort.design import Design, build_design, formula_from_terms
from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models.screening_bootstrap import Bootstrap, Procedure, joined, judge, resample
from rtwcohort.models.screening_family import RESPONSES, FamilyName, Outcome, Rows, outcome_of
from rtwcohort.models.screening_fit import fit_terms, loglik_of, reference_of, term_row
from rtwcohort.models.screening_ridge import Ridge, cross_validate
from rtwcohort.models.screening_tables import events_table, penalised_table, performance_table, two_columns

Floats = npt.NDArray[np.float64]
Missing = Literal["raise", "complete", "per_model"]


@dataclass(frozen=True, slots=True)
class Screening:
    """A screening of predictors and what it hides.

    Attributes
    ----------
    family
        "cox", "ordinal" or "logistic".
    threshold, test
        A predictor is selected when its p-value by this test ("wald" or "lr", all its coefficients at once) is below.
    selected
        Terms of the multivariable model, in the order given.
    terms
        One row a candidate: `term, df, n, n_events, statistic, p_value, selected, frequency`; `frequency` is the share
        of bootstrap samples that select it.
    univariable
        Term -> its model alone.
    multivariable
        The model of the terms selected; None when none is.
    full
        The model of all candidates.
    events
        `model, coefficients, effective_events, per_coefficient`. What counts for the screening is the number of
        coefficients that were candidates, not of those left.
    performance
        `model, measure, apparent, optimism, corrected, n_boot` for the selected and the full model: concordance, and
        calibration slope (below 1: predictions too extreme, effects too large).
    penalised
        `term, estimate, full, multivariable`: ridge estimates beside those of the full and the selected model.
    ridge
        Penalty, its path and effective number of coefficients.
    choices
        Sentences on what was chosen.
    """

    family: FamilyName
    threshold: float
    test: str
    selected: tuple[str, ...]
    terms: pd.DataFrame
    univariable: Mapping[str, Any]
    multivariable: Any
    full: Any
    events: pd.DataFrame
    performance: pd.DataFrame
    penalised: pd.DataFrame
    ridge: Ridge
    choices: tuple[str, ...]

    def table(self, level: float = 0.95, exponentiate: bool = True) -> pd.DataFrame:
        """Return the two-column table of the papers: univariable beside multivariable estimates.

        Parameters
        ----------
        level
            Confidence level. The multivariable intervals and p-values take the selection as if it had been planned:
            they are too narrow and too small.
        exponentiate
            Hazard or odds ratios instead of coefficients.

        Returns
        -------
        pandas.DataFrame
            `term, coefficient, n, estimate, conf_low, conf_high, p_value, selected` and `adjusted_n,
            adjusted_estimate, adjusted_conf_low, adjusted_conf_high, adjusted_p_value`; one row a coefficient.
        """
        return two_columns(self.univariable, self.multivariable, self.selected, level=level, exponentiate=exponentiate)

    def describe_choices(self) -> str:
        """Say in words what was done, and what to beware of."""
        return " ".join(self.choices)


def screen_predictors(
    frame: Any,
    candidates: Sequence[str],
    *,
    family: FamilyName = "cox",
    outcome: str | None = None,
    threshold: float = 0.05,
    test: Literal["wald", "lr"] = "wald",
    always: Sequence[str] = (),
    missing: Missing = "raise",
    levels: Sequence[Any] | None = None,
    reference: Mapping[str, Any] | None = None,
    n_boot: int = 200,
    seed: int = 1,
) -> Screening:
    """Screen predictors one at a time, model those below a p-value together, and show what that hides.

    Parameters
    ----------
    frame
        One row a person.
    candidates
        Columns or formula terms: "age", "bs(fabq, df=3)", "C(grade)".
    family
        "cox", "ordinal" (proportional odds) or "logistic".
    outcome
        Left side of the formulas: "Surv(time, event)" when None for "cox", else the name of the outcome.
    threshold
        A predictor enters the multivariable model when its univariable p-value is below.
    test
        "wald" (as SPSS prints) or "lr", of all coefficients of the predictor at once. Where an estimate is infinite,
        the likelihood-ratio test decides.
    always
        Candidates that enter whatever their p-value.
    missing
        "raise"; "complete": the same complete rows for every model; "per_model": every model takes the rows that are
        complete for it, as the papers do unsaid. The numbers of rows are in the tables.
    levels
        Order of the outcome, for "ordinal" and "logistic".
    reference
        Categorical column -> reference level.
    n_boot, seed
        Bootstrap samples of the whole procedure, and the seed of samples and folds.

    Notes
    -----
    The ridge model and the comparison with the full model use the rows that are complete for all candidates. Knots of
    splines stay where the original rows put them.

    Raises
    ------
    DesignError, ArgumentError
        For candidates, an outcome or an option that cannot be used.
    ConvergenceError
        When a model of the original rows has no solution.
    """
    _check_options(family, test, missing, threshold, n_boot, candidates, always)
    data = to_pandas(frame, argument="frame")
    left = outcome or ("Surv(time, event)" if family == "cox" else None)
    if left is None:
        raise ArgumentError(f"family='{family}' needs `outcome`, the name of the outcome.")
    options = {"reference": reference, "levels": levels}
    together = _design(data, left, tuple(candidates), family, "raise" if missing == "raise" else "drop", options)
    rows = data.loc[together.kept] if missing == "complete" else data
    designs = {
        term: design
        for text in candidates
        for design in (_design(rows, left, (text,), family, "drop", options),)
        for term in (_one_term(design, text),)
    }
    kept_always = _find_always(always, candidates, tuple(designs))
    procedure, known = _procedure(rows, designs, family, threshold, test, kept_always)
    fits = {
        term: fit_terms(rows, left, (text,), family, options) for term, text in zip(designs, candidates, strict=True)
    }
    table = pd.DataFrame([term_row(term, fit, test, threshold, term in kept_always) for term, fit in fits.items()])
    selected = tuple(table.loc[table["selected"], "term"])
    texts = dict(zip(designs, candidates, strict=True))
    chosen = tuple(texts[term] for term in selected)
    multivariable = fit_terms(rows, left, chosen, family, options) if selected else None
    full = fit_terms(rows, left, tuple(candidates), family, options)
    drawn = resample(procedure, known, n_boot=n_boot, seed=seed)
    table["frequency"] = drawn.selected[~np.isnan(drawn.own[:, 1, 0])].mean(axis=0)
    X, complete = joined(procedure, tuple(designs), known)
    ridge = cross_validate(procedure.outcome, X, complete, seed=seed)
    apparent = np.array([judge(procedure, terms, known, known)[0] for terms in (selected, tuple(designs))])
    return Screening(
        family=family,
        threshold=threshold,
        test=test,
        selected=selected,
        terms=table,
        univariable=fits,
        multivariable=multivariable,
        full=full,
        events=events_table(procedure.outcome, multivariable, full, known, complete, procedure, selected),
        performance=performance_table(apparent, drawn),
        penalised=penalised_table(ridge, full, multivariable),
        ridge=ridge,
        choices=_describe(table, procedure, missing, together, drawn, n_boot, seed, ridge, loglik_of(full)),
    )


def _check_options(
    family: str, test: str, missing: str, threshold: float, n_boot: int, candidates: Any, always: Any
) -> None:
    check_choice(family, tuple(RESPONSES), argument="family")
    check_choice(test, ("wald", "lr"), argument="test")
    check_choice(missing, ("raise", "complete", "per_model"), argument="missing")
    check_number(threshold, argument="threshold", least=1e-12, most=1.0)
    check_number(n_boot, argument="n_boot", least=20, whole=True)
    for name, value in (("candidates", candidates), ("always", always)):
        if isinstance(value, str):
            raise ArgumentError(f"`{name}` must be a list of terms; got one text {value!r}. Write [{value!r}].")
    if len(candidates) < 2:
        raise ArgumentError(f"`candidates` must name at least two predictors; got {len(candidates)}.")
    if len(set(candidates)) < len(candidates):
        raise ArgumentError("`candidates` names a predictor twice: leave one out.")


def _design(
    rows: pd.DataFrame,
    left: str,
    texts: tuple[str, ...],
    family: FamilyName,
    missing: Literal["raise", "drop"],
    options: Mapping[str, Any],
) -> Design[Any]:
    names = [str(column) for column in rows.columns]
    formula = formula_from_terms(texts, left, columns=names)
    arguments: dict[str, Any] = {"response": RESPONSES[family], "missing": missing}
    if family != "cox":
        arguments["levels"] = options["levels"]
    elif options["levels"] is not None:
        raise ArgumentError("`levels` orders an ordinal or logistic outcome; this family is 'cox'.")
    arguments["reference"] = reference_of(options["reference"], texts, names)
    found: Design[Any] = build_design(rows, formula, **arguments)
    return found


def _one_term(design: Design[Any], text: str) -> str:
    """Return the readable name of a candidate, which must be one term.

    Raises
    ------
    DesignError
        When it is several.
    """
    if len(design.groups) != 1:
        raise DesignError(
            f"The candidate '{text}' is {len(design.groups)} terms ({', '.join(design.groups)}): a screening takes one "
            "at a time. Name them apart, or put an interaction in as 'a:b'."
        )
    return next(iter(design.groups))


def _find_always(always: Sequence[str], candidates: Sequence[str], terms: tuple[str, ...]) -> tuple[str, ...]:
    found = []
    for name in always:
        if name in candidates:
            found.append(terms[list(candidates).index(name)])
        else:
            raise ArgumentError(f"`always` names '{name}', which is not among the candidates: add it there.")
    return tuple(found)


def _procedure(
    rows: pd.DataFrame,
    designs: Mapping[str, Design[Any]],
    family: FamilyName,
    threshold: float,
    test: str,
    always: tuple[str, ...],
) -> tuple[Procedure, Rows]:
    """Put the columns of every candidate side by side, NaN where it is missing, for the rows with an outcome."""
    columns: dict[str, Floats] = {}
    value, event = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=np.bool_)
    entry = np.full(len(rows), np.nan)
    has_entry = False
    coded = _outcome_codes(rows, designs, family)
    for term, design in designs.items():
        spread = np.full((len(rows), design.matrix.shape[1]), np.nan)
        spread[design.kept] = design.matrix
        columns[term] = spread
        part = outcome_of(family, design.response)
        value[design.kept] = part.value if coded is None else coded[design.kept]
        event[design.kept] = part.event
        if part.entry is not None:
            has_entry = True
            entry[design.kept] = part.entry
    known = np.flatnonzero(~np.isnan(value))
    outcome = Outcome(family, value, event, entry if has_entry else None)
    return Procedure(outcome, columns, threshold, test, always), known


def _outcome_codes(rows: pd.DataFrame, designs: Mapping[str, Design[Any]], family: FamilyName) -> Floats | None:
    """Return codes of an ordered outcome that do not depend on which rows a candidate has."""
    if family != "ordinal":
        return None
    name = next(iter(designs.values())).response.name
    labels: list[str] = []
    for design in designs.values():
        labels += [label for label in design.response.labels if label not in labels]
    first = max(designs.values(), key=lambda design: len(design.response.labels)).response.labels
    if set(first) != set(labels):
        raise DesignError(
            f"No candidate is known in every category of `{name}`: use missing='complete', or merge categories."
        )
    codes = np.full(len(rows), np.nan)
    for design in designs.values():
        place = np.array([first.index(label) for label in design.response.labels], dtype=np.float64)
        codes[design.kept] = place[design.response.codes]
    return codes


def _describe(
    table: pd.DataFrame,
    procedure: Procedure,
    missing: str,
    together: Design[Any],
    drawn: Bootstrap,
    n_boot: int,
    seed: int,
    ridge: Ridge,
    logliks: tuple[float, float],
) -> tuple[str, ...]:
    chosen = int(table["selected"].sum())
    test = "Wald" if procedure.test == "wald" else "likelihood-ratio"
    always = f" ({', '.join(procedure.always)} whatever the p-value)" if procedure.always else ""
    rows = {
        "raise": f"No value is missing in the {together.info.n} rows.",
        "complete": f"Every model uses the {together.info.n} of {together.info.n_rows} rows without a missing value.",
        "per_model": f"Every model uses the rows that are complete for it, as `n` says; {together.info.n} of "
        f"{together.info.n_rows} are complete for all candidates.",
    }[missing]
    degrees = int(table["df"].sum())
    ratio = 2.0 * (logliks[1] - logliks[0])
    shrinkage = (ratio - degrees) / ratio if ratio > 0 else np.nan
    edge = " (the largest tried: together the candidates predict no better than none)" if ridge.at_edge else ""
    failed = f"; {drawn.n_failed} samples could not be fitted and are left out" if drawn.n_failed else ""
    return (
        f"{len(table)} candidates with {degrees} coefficients were tested one at a time by the {test} test; the "
        f"{chosen} with p < {procedure.threshold:g} were modelled together{always}.",
        rows,
        "The intervals and p-values of that model take the selection as planned and are too narrow and too small.",
        f"The whole procedure was repeated on {n_boot} bootstrap samples (seed {seed}){failed}.",
        f"Of the fit of the full model, {degrees} of a likelihood ratio of {ratio:.1f} is expected by chance: a "
        f"shrinkage factor of {shrinkage:.2f}.",
        f"The ridge penalty is {ridge.penalty:.3g} on standardised columns, by {ridge.n_folds}-fold cross-validated "
        f"log-likelihood{edge}; it leaves {ridge.degrees:.1f} effective coefficients.",
    )
