"""The options of a Cox regression: settled against each other and against a program's defaults, and said in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError
from rtwcohort.models.compat import COMPAT_NAMES, COX_COMPAT, COX_OWN, Compat, CoxDefaults
from rtwcohort.models.cox_data import CoxData

Ties = Literal["efron", "breslow", "exact"]
Variance = Literal["model", "robust"]
WeightType = Literal["frequency", "copies", "probability"]
Penalty = Literal["none", "firth"]


@dataclass(frozen=True, slots=True)
class CoxChoices:
    """What was chosen.

    Attributes
    ----------
    ties
        "efron", "breslow" or "exact".
    variance
        "model", "robust" (rows) or "cluster".
    small_sample
        Whether the sandwich is multiplied by G/(G - 1), or n/(n - 1) for rows.
    penalty
        "none" or "firth".
    weight_type
        "none", "frequency", "copies" or "probability".
    bic_counts
        "events" or "rows".
    compat
        Program whose defaults were asked for, or None.
    why
        Sentences on what followed from something else.
    """

    ties: str
    variance: str
    small_sample: bool
    penalty: str
    weight_type: str
    bic_counts: str
    compat: str | None
    why: tuple[str, ...] = ()


def defaults_of(compat: Compat | None) -> CoxDefaults:
    """Return the defaults that hold.

    Raises
    ------
    ArgumentError
        For a program that is not declared.
    """
    if compat is None:
        return COX_OWN
    check_choice(compat, COMPAT_NAMES, argument="compat")
    return COX_COMPAT[compat]


_PLAIN = {
    ties: CoxChoices(ties, "model", False, "none", "none", "events", None) for ties in ("efron", "breslow", "exact")
}


def choose(
    *,
    ties: Ties | None,
    variance: Variance | None,
    weights: npt.NDArray[np.float64] | None,
    weight_type: WeightType | None,
    clustered: bool,
    penalty: Penalty,
    compat: Compat | None,
) -> CoxChoices:
    """Settle the options.

    Raises
    ------
    ArgumentError
        For options that exclude each other.
    """
    defaults = defaults_of(compat)
    chosen = ties or defaults.ties
    check_choice(chosen, ("efron", "breslow", "exact"), argument="ties")
    if weights is None and weight_type is None and variance is None and not clustered and penalty == "none":
        if compat is None:
            return _PLAIN[chosen]
        return CoxChoices(chosen, "model", False, "none", "none", defaults.bic_counts, compat)
    check_choice(penalty, ("none", "firth"), argument="penalty")
    kind, reasons = _weight_type(weights, weight_type)
    if variance is not None:
        check_choice(variance, ("model", "robust"), argument="variance")
    sandwich, because = _variance(variance, clustered, kind)
    _check_exact(chosen, kind, sandwich)
    _check_firth(penalty, kind, sandwich, chosen)
    small = defaults.small_sample and sandwich != "model"
    return CoxChoices(chosen, sandwich, small, penalty, kind, defaults.bic_counts, compat, reasons + because)


def _weight_type(
    weights: npt.NDArray[np.float64] | None, weight_type: WeightType | None
) -> tuple[str, tuple[str, ...]]:
    if weights is None:
        if weight_type is not None:
            raise ArgumentError("`weight_type` says what `weights` are, and none were given: give `weights` too.")
        return "none", ()
    whole = bool((np.rint(weights) == weights).all())
    if weight_type is None:
        kind = "frequency" if whole else "probability"
        return kind, (f"The weights are {'all' if whole else 'not all'} whole numbers, so they are taken as {kind}.",)
    check_choice(weight_type, ("frequency", "copies", "probability"), argument="weight_type")
    if weight_type == "copies" and not whole:
        raise ArgumentError(
            "`weight_type='copies'` needs whole numbers: each row stands for that many people. Take 'frequency' or "
            "'probability'."
        )
    return weight_type, ()


def _variance(variance: Variance | None, clustered: bool, weight_type: str) -> tuple[str, tuple[str, ...]]:
    if clustered and variance == "model":
        raise ArgumentError(
            "`cluster` asks for the cluster variance and variance='model' for another: leave one of them out."
        )
    if clustered:
        return "cluster", ()
    if variance is None and weight_type == "probability":
        return "robust", ("Probability weights need the robust variance, so it is used.",)
    return variance or "model", ()


def _check_exact(ties: str, weight_type: str, variance: str) -> None:
    if ties != "exact":
        return
    if weight_type not in ("none",):
        raise ArgumentError("`ties='exact'` takes no weights, as in R: take 'efron' or 'breslow'.")
    if variance != "model":
        raise ArgumentError(
            "`ties='exact'` has no robust or cluster variance, as in R (score residuals of single people do not exist "
            "there): take 'efron' or 'breslow'."
        )


def _check_firth(penalty: str, weight_type: str, variance: str, ties: str) -> None:
    if penalty != "firth":
        return
    if variance != "model" or weight_type == "probability":
        raise ArgumentError(
            "`penalty='firth'` needs a likelihood: it takes neither clusters nor the robust variance nor probability "
            "weights. Leave those or the penalty out."
        )
    if ties == "exact":
        raise ArgumentError("`penalty='firth'` goes with ties 'efron' or 'breslow'; got ties='exact'.")


_TIES = {
    "efron": "Tied event times: Efron's approximation.",
    "breslow": "Tied event times: Breslow's approximation.",
    "exact": "Tied event times: exact conditional likelihood of discrete time (the logistic one, R's ties='exact').",
}
_WEIGHTS = {
    "frequency": "Case weights as in R: tied events share their mean weight; n counts rows.",
    "copies": "Each row stands for as many people as its weight, as if the rows were written out.",
    "probability": "Probability weights; they enter the likelihood as in R, and its value is not a likelihood.",
}


def describe(choices: CoxChoices, data: CoxData) -> str:
    """Say in words how a model was fitted."""
    parts = [_TIES[choices.ties]]
    if data.entry is not None:
        parts.append("Rows are at risk after their entry, up to and with their exit.")
    if data.strata is not None:
        parts.append(f"Own baseline hazard in each of {int(data.strata.max()) + 1} strata.")
    if data.offset is not None:
        parts.append("An offset with coefficient 1.")
    if choices.weight_type != "none":
        parts.append(_WEIGHTS[choices.weight_type])
    if choices.penalty == "firth":
        parts.append("Firth's penalised likelihood (half the log determinant of the information is added).")
    parts.append(_variance_words(choices, data))
    parts.extend(choices.why)
    if choices.compat is not None:
        defaults = COX_COMPAT[choices.compat]
        parts.append(
            f"Defaults as in {defaults.program}: ties {defaults.ties}, reference category {defaults.reference}, BIC "
            f"counts {defaults.bic_counts}."
        )
    return " ".join(parts)


def _variance_words(choices: CoxChoices, data: CoxData) -> str:
    if choices.variance == "model":
        return "Variance: inverse of the observed information."
    who = f"{data.n_clusters} clusters" if choices.variance == "cluster" else "single rows"
    factor = "G/(G - 1)" if choices.variance == "cluster" else "n/(n - 1)"
    small = f"multiplied by {factor}" if choices.small_sample else "without a small-sample factor"
    return f"Variance: dfbeta sandwich over {who}, from score residuals correct for ties, {small}."
