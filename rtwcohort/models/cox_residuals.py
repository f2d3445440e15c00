"""Residuals of a Cox fit: martingale, deviance, score, dfbeta and Schoenfeld, as R's `residuals.coxph` gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import DesignError
from rtwcohort.models.cox_risk import martingale, risk_of, schoenfeld
from rtwcohort.models.cox_rows import label_codes
from rtwcohort.models.cox_variance import score_residuals

Floats = npt.NDArray[np.float64]
ResidualKind = Literal["martingale", "deviance", "score", "dfbeta", "dfbetas"]
_KINDS = ("martingale", "deviance", "score", "dfbeta", "dfbetas")


@dataclass(frozen=True, slots=True, eq=False)
class SchoenfeldResiduals:
    """One row of residuals an event.

    Attributes
    ----------
    terms
        Coefficients, length p.
    time
        Shape (d,), ascending within a stratum.
    stratum
        Label of the stratum of each, length d.
    row
        Row of the data used that has the event, shape (d,), counted from 0.
    values
        Shape (d, p): x less its mean over the risk set (under Efron's approximation the mean of the d means), or, when
        scaled, what varies in time about the coefficients.
    scaled
        Whether `values` are scaled.
    """

    terms: tuple[str, ...]
    time: Floats
    stratum: tuple[str, ...]
    row: npt.NDArray[np.int64]
    values: Floats
    scaled: bool

    @property
    def frame(self) -> pd.DataFrame:
        """One row an event: `stratum, time` and a column for each coefficient."""
        table = pd.DataFrame(self.values, columns=list(self.terms))
        table.insert(0, "time", self.time)
        table.insert(0, "stratum", list(self.stratum))
        return table


def cox_residuals(fit: Any, kind: ResidualKind, *, weighted: bool | None = None, collapse: Any = None) -> Floats:
    """Compute residuals of each row.

    Parameters
    ----------
    fit
        A Cox fit.
    kind
        "martingale": events observed less expected; "deviance": the same made more symmetric; "score": contribution to
        the score; "dfbeta": first-order change of each coefficient when the row is left out, with its sign turned;
        "dfbetas": dfbeta in standard errors.
    weighted
        Multiply by the case weights; None does so for dfbeta and dfbetas only, as R does.
    collapse
        Shape (n,): rows with the same value (those of one person) are added up, in sorted order of the values.

    Returns
    -------
    numpy.ndarray
        Shape (n,) for martingale and deviance, else (n, p), in the order of the rows used; with `collapse` one row a
        value.

    Raises
    ------
    ArgumentError, DesignError
        For an unknown kind, a `collapse` of another length, or score residuals after exact ties, for which there are
        none.

    Notes
    -----
    dfbeta uses the inverse information, also after a robust fit, as R does. After `ties="exact"` martingale residuals
    use Breslow's hazard, as R's do.
    """
    check_choice(kind, _KINDS, argument="kind")
    if kind not in ("martingale", "deviance"):
        _refuse_exact(fit, kind)
    data = fit.data
    values = _values(fit, kind)
    weights = data.weights
    if weights is not None and (kind.startswith("dfbeta") if weighted is None else weighted):
        values = values * (weights if values.ndim == 1 else weights[:, None])
    event = data.event.astype(np.float64)
    if collapse is not None:
        codes, labels = label_codes(collapse, data.time.size, "collapse")
        values, event = _add_up(values, codes, len(labels)), _add_up(event, codes, len(labels))
    return _deviance(values, event) if kind == "deviance" else values


def schoenfeld_residuals(fit: Any, *, scaled: bool = False, weighted: bool = False) -> SchoenfeldResiduals:
    """Compute the Schoenfeld residuals, one row an event.

    Parameters
    ----------
    fit
        A Cox fit.
    scaled
        Multiply by the inverse information and the number of events and add the coefficients (Grambsch and Therneau
        1994), as R's `type = "scaledsch"`: a smooth of them against time shows how the coefficient varies.
    weighted
        Multiply by the case weights of the events; then the columns sum to the score, 0 at the estimates. (R before
        3.8-10 takes the weights of other rows here.)

    Raises
    ------
    DesignError
        After exact ties.
    """
    _refuse_exact(fit, "Schoenfeld")
    at = risk_of(fit)
    values, rows, places = schoenfeld(at)
    if weighted and at.data.weights is not None:
        values = values * at.data.weights[rows, None]
    if scaled:
        values = values @ fit.model_vcov * rows.size + fit.coef
    strata = tuple(at.strata[s] for s in at.events.stratum[places])
    return SchoenfeldResiduals(tuple(fit.terms), at.events.time[places], strata, rows, values, scaled)


def _refuse_exact(fit: Any, kind: str) -> None:
    if fit.ties == "exact":
        raise DesignError(
            f"There are no {kind} residuals after ties='exact' (the likelihood is not a sum over people). Fit with "
            "ties='efron'."
        )


def _values(fit: Any, kind: str) -> Floats:
    if kind in ("martingale", "deviance"):
        return martingale(risk_of(fit))
    values = score_residuals(fit.data, fit.coef, ties=fit.ties)
    if kind == "score":
        return values
    covariance = fit.model_vcov
    values = values @ covariance
    return np.asarray(values / np.sqrt(covariance.diagonal()) if kind == "dfbetas" else values)


def _deviance(residual: Floats, event: Floats) -> Floats:
    """Return sign(m) sqrt(-2 (m + d log(d - m)))."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(event > 0.0, event * np.log(event - residual), 0.0)
    return np.asarray(np.sign(residual) * np.sqrt(np.maximum(-2.0 * (residual + logs), 0.0)))


def _add_up(values: Floats, codes: npt.NDArray[np.int64], groups: int) -> Floats:
    if values.ndim == 1:
        return np.asarray(np.bincount(codes, values, minlength=groups))
    return np.column_stack([np.bincount(codes, column, minlength=groups) for column in values.T])
