"""Tables of a screening: univariable beside multivariable, events, performance, and the penalised alternative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.models.screening_bootstrap import Bootstrap, Procedure, joined
from rtwcohort.models.screening_family import Outcome, Rows
from rtwcohort.models.screening_ridge import Ridge

Floats = npt.NDArray[np.float64]
_FIGURES = ("estimate", "conf_low", "conf_high", "p_value")


def coefficients(fit: Any, *, level: float = 0.95, exponentiate: bool = False) -> pd.DataFrame:
    """Return the tidy rows of the predictors, without intercept or thresholds."""
    tidy: pd.DataFrame = fit.tidy(level, exponentiate=exponentiate)
    return tidy[tidy["term"].isin(fit.design.names)].reset_index(drop=True)


def two_columns(
    univariable: Mapping[str, Any], multivariable: Any, selected: tuple[str, ...], *, level: float, exponentiate: bool
) -> pd.DataFrame:
    """Return one row a coefficient: alone, and adjusted for the others selected (NaN when it was not)."""
    parts = []
    for term, fit in univariable.items():
        part = coefficients(fit, level=level, exponentiate=exponentiate)[["term", *_FIGURES]]
        part = part.rename(columns={"term": "coefficient"})
        part.insert(0, "term", term)
        part.insert(2, "n", int(fit.n))
        part["selected"] = term in selected
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    if multivariable is None:
        adjusted = pd.DataFrame(columns=["term", *_FIGURES])
    else:
        adjusted = coefficients(multivariable, level=level, exponentiate=exponentiate)
    adjusted = adjusted.set_index("term")
    n = pd.NA if multivariable is None else int(multivariable.n)
    table["adjusted_n"] = pd.array([n if chosen else pd.NA for chosen in table["selected"]], dtype="Int64")
    for figure in _FIGURES:
        table[f"adjusted_{figure}"] = adjusted[figure].reindex(table["coefficient"]).to_numpy(dtype=np.float64)
    return table


def events_table(
    outcome: Outcome,
    multivariable: Any,
    full: Any,
    known: Rows,
    complete: Rows,
    procedure: Procedure,
    selected: tuple[str, ...],
) -> pd.DataFrame:
    """Return events by coefficient: of the candidates that were tried, and of the model that was kept."""
    n_kept = 0 if multivariable is None else len(multivariable.design.names)
    kept_rows = joined(procedure, selected, known)[1] if selected else known
    rows = [
        ("candidates", len(full.design.names), outcome.effective_events(complete)),
        ("selected", n_kept, outcome.effective_events(kept_rows)),
    ]
    table = pd.DataFrame(rows, columns=["model", "coefficients", "effective_events"])
    count = table["coefficients"].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["per_coefficient"] = np.where(count > 0, table["effective_events"] / count, np.nan)
    return table


def performance_table(apparent: Floats, drawn: Bootstrap) -> pd.DataFrame:
    """Return apparent and optimism-corrected concordance and calibration slope, of the selected and the full model."""
    difference = drawn.own - drawn.original
    rows = []
    for m, model in enumerate(("selected", "full")):
        for k, measure in enumerate(("concordance", "calibration_slope")):
            known = difference[:, m, k][~np.isnan(difference[:, m, k])]
            optimism = float(known.mean()) if known.size else np.nan
            value = float(apparent[m, k])
            rows.append((model, measure, value, optimism, value - optimism, int(known.size)))
    return pd.DataFrame(rows, columns=["model", "measure", "apparent", "optimism", "corrected", "n_boot"])


def penalised_table(ridge: Ridge, full: Any, multivariable: Any) -> pd.DataFrame:
    """Return the ridge coefficients beside those of the full and the selected model."""
    table = pd.DataFrame({"term": list(full.design.names), "estimate": ridge.coef})
    for name, fit in (("full", full), ("multivariable", multivariable)):
        if fit is None:
            table[name] = np.nan
        else:
            found = coefficients(fit).set_index("term")["estimate"]
            table[name] = found.reindex(table["term"]).to_numpy(dtype=np.float64)
    return table
