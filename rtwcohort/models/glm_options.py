"""Options that the generalised linear models share: checked once, and put in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice
from rtwcohort.design import DesignInfo, Extras
from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models.compat import COMPAT_NAMES, GLM_COMPAT, GLM_OWN, GlmDefaults
from rtwcohort.models.glm_variance import WeightType

Floats = npt.NDArray[np.float64]
Variance = Literal["model", "robust"]


@dataclass(frozen=True, slots=True)
class VarianceChoice:
    """Which covariance, and why.

    Attributes
    ----------
    kind
        "model", "robust" or "cluster".
    weight_type
        What the weights are; None without weights.
    sentence
        The choice in words.
    """

    kind: Literal["model", "robust", "cluster"]
    weight_type: WeightType | None
    sentence: str


def defaults_of(compat: str | None) -> GlmDefaults:
    """Return the defaults of a program, or our own.

    Raises
    ------
    ArgumentError
        For an unknown program.
    """
    if compat is None:
        return GLM_OWN
    check_choice(compat, COMPAT_NAMES, argument="compat")
    return GLM_COMPAT[compat]


def describe_defaults(compat: str | None) -> tuple[str, ...]:
    """Say whose defaults hold, when it was asked for."""
    return () if compat is None else (f"Defaults are those of {GLM_COMPAT[compat].program}.",)


def choose_variance(
    variance: str | None, *, cluster: Any, weights: Any, weight_type: str | None, compat: str | None
) -> VarianceChoice:
    """Settle the covariance from what was asked for and given.

    Raises
    ------
    ArgumentError
        When weights come without saying what they are, or an option would do nothing.
    """
    if variance is not None:
        check_choice(variance, ("model", "robust"), argument="variance")
    kind_of_weight = check_weight_type(weights, weight_type)
    if cluster is not None and variance == "model":
        raise ArgumentError("`cluster` has no effect on variance='model': leave one of them out.")
    if kind_of_weight == "probability" and variance == "model":
        raise ArgumentError("Probability weights need the robust variance: leave out variance='model'.")
    factor = " times G/(G - 1), as Stata" if defaults_of(compat).small_sample else ", without small-sample factor"
    if cluster is not None:
        return VarianceChoice("cluster", kind_of_weight, f"The variance is the cluster sandwich{factor}.")
    if variance == "robust" or kind_of_weight == "probability":
        why = "" if variance == "robust" else " (turned on by the probability weights)"
        factor = factor.replace("G/(G - 1)", "n/(n - 1)")
        return VarianceChoice("robust", kind_of_weight, f"The variance is the robust sandwich{why}{factor}.")
    return VarianceChoice("model", kind_of_weight, "The variance is that of the model.")


def check_weight_type(weights: Any, weight_type: str | None) -> WeightType | None:
    """Return what the weights are.

    Raises
    ------
    ArgumentError
        When only one of the two is given.
    """
    if weight_type is not None:
        check_choice(weight_type, ("frequency", "probability"), argument="weight_type")
    if weights is None:
        if weight_type is not None:
            raise ArgumentError("`weight_type` has no effect without `weights`: leave it out.")
        return None
    if weight_type is None:
        raise ArgumentError(
            "`weights` need `weight_type`: 'frequency' when a row stands for that many equal people, 'probability' "
            "when it corrects for sampling or drop-out (the variance is then robust)."
        )
    return "frequency" if weight_type == "frequency" else "probability"


def count_rows(extras: Extras, weight_type: WeightType | None, n: int) -> float:
    """Return the number of people: the sum of frequency weights, else the rows.

    Raises
    ------
    DesignError
        For a frequency weight that is not whole.
    """
    if extras.weights is None or weight_type != "frequency":
        return float(n)
    if (extras.weights % 1.0 != 0.0).any():
        raise DesignError(
            "Frequency weights must be whole numbers: they count people. Say weight_type='probability' for weights "
            "that correct for sampling or drop-out."
        )
    return float(extras.weights.sum())


def describe_rows(info: DesignInfo, weight_type: str | None) -> tuple[str, ...]:
    """Say which rows were used and what the reference levels are."""
    sentences = []
    if info.n < info.n_rows:
        missing = ", ".join(f"{column} ({count})" for column, count in info.n_missing.items())
        left_out = f" Missing: {missing}." if missing else ""
        sentences.append(f"{info.n} of {info.n_rows} rows are used.{left_out}")
    if info.reference:
        listed = ", ".join(f"{column}: {level}" for column, level in info.reference.items())
        sentences.append(f"Reference levels are {listed}.")
    if weight_type is not None:
        sentences.append(f"Rows have {weight_type} weights ({', '.join(info.extras['weights'])}).")
    if "offset" in info.extras:
        sentences.append(f"The offset is {', '.join(info.extras['offset'])}.")
    return (*sentences, *info.notes)
