"""The package's own models as estimators of fidelity tables: what published ratios are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ScenarioError
from rtwcohort.simulate.measures import Estimator


def cox(frame: pd.DataFrame, formula: str, term: str) -> tuple[float, float]:
    """Fit a Cox model to `time` and `event`; return the log hazard ratio of a term and its standard error."""
    from rtwcohort.models import fit_cox

    return _pick(fit_cox(frame, f"Surv(time, event) ~ {formula}"), term)


def logistic(frame: pd.DataFrame, formula: str, term: str) -> tuple[float, float]:
    """Fit a logistic regression of `event`; return the log odds ratio of a term and its standard error."""
    from rtwcohort.models import fit_logistic

    return _pick(fit_logistic(frame, f"event ~ {formula}"), term)


def ordinal(frame: pd.DataFrame, formula: str, term: str) -> tuple[float, float]:
    """Fit a proportional-odds model of `status`; return the log cumulative odds ratio of a term and its error.

    People with an unknown predictor, such as the status at an earlier wave that they did not answer, are left out.
    """
    from rtwcohort.models import fit_ordinal

    return _pick(fit_ordinal(frame, f"status ~ {formula}", missing="drop"), term)


def ordinal_gee(frame: pd.DataFrame, formula: str, term: str) -> tuple[float, float]:
    """Fit an ordinal GEE (independence working association) of `status` over the waves of a person."""
    from rtwcohort.models import fit_ordinal_gee

    wave = pd.Categorical(frame["wave"], categories=frame["wave"].cat.categories, ordered=True)
    return _pick(fit_ordinal_gee(frame.assign(wave=wave), f"status ~ {formula}", id="person_id", wave="wave"), term)


def linear(frame: pd.DataFrame, formula: str, term: str) -> tuple[float, float]:
    """Fit a linear regression of `value` by least squares; return a coefficient and its standard error."""
    from rtwcohort.design import build_design

    design = build_design(frame, f"value ~ {formula}", response="continuous")
    matrix = np.column_stack([np.ones(len(design.matrix)), design.matrix])
    outcome = frame["value"].to_numpy(dtype=np.float64)
    inverse = np.linalg.inv(matrix.T @ matrix)
    coefficients = inverse @ (matrix.T @ outcome)
    rest = outcome - matrix @ coefficients
    errors = np.sqrt(np.diag(inverse) * (rest @ rest) / (len(outcome) - matrix.shape[1]))
    place = _place(design.info.names, term) + 1
    return float(coefficients[place]), float(errors[place])


FIDELITY_ESTIMATORS: Final[Mapping[str, Estimator]] = {
    "cox": cox,
    "logistic": logistic,
    "ordinal": ordinal,
    "ordinal_gee": ordinal_gee,
    "linear": linear,
}
"""What `fidelity(..., estimators=)` takes."""


def _pick(fit: Any, term: str) -> tuple[float, float]:
    place = _place(tuple(fit.terms), term)
    thresholds = len(fit.std_error) - len(fit.coef)
    return float(fit.coef[place]), float(fit.std_error[thresholds + place])


def _place(terms: Sequence[str], term: str) -> int:
    if term not in terms:
        raise ScenarioError(
            f"`term` must be a coefficient of the model; got '{term}'.{did_you_mean(term, terms)} "
            f"There are: {', '.join(terms)}."
        )
    return list(terms).index(term)
