"""The models that a screening shows, fitted through the formula interface of their family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rtwcohort.core.wald import chi_square_p
from rtwcohort.design import formula_from_terms
from rtwcohort.design.terms import columns_of, split_interaction
from rtwcohort.models.cox import fit_cox
from rtwcohort.models.cox_fit import CoxFit
from rtwcohort.models.glm import fit_logistic
from rtwcohort.models.ordinal import fit_ordinal
from rtwcohort.models.screening_family import FamilyName


def fit_terms(
    rows: pd.DataFrame, left: str, texts: tuple[str, ...], family: FamilyName, options: Mapping[str, Any]
) -> Any:
    """Fit the model of some candidates to the rows that are complete for them."""
    names = [str(column) for column in rows.columns]
    formula = formula_from_terms(texts, left, columns=names)
    reference = reference_of(options["reference"], texts, names)
    if family == "cox":
        return fit_cox(rows, formula, missing="drop", reference=reference)
    fit = fit_ordinal if family == "ordinal" else fit_logistic
    return fit(rows, formula, missing="drop", reference=reference, levels=options["levels"])


def reference_of(reference: Mapping[str, Any] | None, texts: tuple[str, ...], names: list[str]) -> dict[str, Any]:
    """Return the reference levels of the columns that some terms use."""
    used = {column for text in texts for part in split_interaction(text) for column in columns_of(part, names)}
    return {column: level for column, level in (reference or {}).items() if column in used}


def loglik_of(fit: Any) -> tuple[float, float]:
    """Return the log-likelihoods without predictors and with them."""
    return float(fit.loglik_null), float(fit.loglik)


def term_row(term: str, fit: Any, test: str, threshold: float, always: bool) -> dict[str, Any]:
    """Return the test of a candidate alone; where an estimate is infinite the likelihood ratio decides."""
    wald = fit.wald()
    null, full = loglik_of(fit)
    statistic, p = wald.statistic, wald.p_value
    if test == "lr" or p != p:
        statistic = max(2.0 * (full - null), 0.0)
        p = chi_square_p(statistic, wald.df)
    return {
        "term": term,
        "df": wald.df,
        "n": int(fit.n),
        "n_events": fit.n_events if isinstance(fit, CoxFit) else pd.NA,
        "statistic": statistic,
        "p_value": p,
        "selected": bool(always or p < threshold),
    }
