"""What other programs do by default in cumulative link regression, declared as data, and a fit's choices in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from rtwcohort.models.ordinal_result import OrdinalFit


@dataclass(frozen=True, slots=True)
class OrdinalDefaults:
    """The defaults of one program.

    Attributes
    ----------
    program
        Its name and the command.
    information
        Whose inverse its standard errors come from.
    sign
        +1 for threshold - x'b, -1 for threshold + x'b.
    reference
        Which level of a category is the reference.
    cluster_correction, robust_correction
        Whether a sandwich over G clusters is multiplied by G/(G - 1), one over n rows by n/(n - 1).
    words
        What else a reader of its output should know.
    source
        Where this is written.
    """

    program: str
    information: Literal["observed", "expected"]
    sign: int
    reference: Literal["first", "last"]
    cluster_correction: bool
    robust_correction: bool
    words: str
    source: str


ORDINAL_DEFAULTS: Final[dict[str, OrdinalDefaults]] = {
    "r": OrdinalDefaults(
        "R, MASS::polr and ordinal::clm",
        "observed",
        1,
        "first",
        False,
        False,
        "The sandwich is that of vcovCL(type = 'HC0', cadjust = FALSE); VGAM::vglm has the expected information and "
        "threshold + x'b instead.",
        "help pages of MASS::polr and ordinal::clm",
    ),
    "stata": OrdinalDefaults(
        "Stata, ologit and oprobit",
        "observed",
        1,
        "first",
        True,
        True,
        "Its cut points are our thresholds. vce(robust) has n/(n - 1), vce(cluster) G/(G - 1).",
        "Stata Base Reference Manual, [R] ologit, and [P] _robust",
    ),
    "sas": OrdinalDefaults(
        "SAS, PROC LOGISTIC",
        "expected",
        -1,
        "last",
        False,
        False,
        "It models threshold + x'b of the lower categories, so effects have the opposite sign; with DESCENDING it "
        "models the higher ones: effects as ours, intercepts our thresholds with the opposite sign, in reverse order. "
        "Its CLASS statement codes effects unless PARAM=REF is given; here the last level is the reference.",
        "SAS/STAT User's Guide, The LOGISTIC Procedure: Iterative Algorithms for Model Fitting; CLASS statement",
    ),
    "spss": OrdinalDefaults(
        "SPSS, PLUM",
        "expected",
        1,
        "last",
        False,
        False,
        "Its threshold and location estimates are ours; the last level of a factor is the reference. That its "
        "standard errors come from the expected information is as far as we know.",
        "IBM SPSS Statistics Algorithms, PLUM",
    ),
}
"""Program -> its defaults."""


def describe(fit: OrdinalFit) -> str:
    """Return the choices of a fit in words."""
    choices = fit.choices
    sentences = [
        f"Cumulative {choices.link} model, link(P(Y <= j)) = threshold_j - x'b: b above 0 is a higher category."
    ]
    if fit.data.nominal:
        names = ", ".join(fit.data.names[j] for j in fit.data.nominal)
        sentences.append(f"Effects of their own at every threshold (subtracted as b is): {names}.")
    sentences.append(_variance_words(fit))
    if choices.weight_type is not None:
        sentences.append(
            "Weights are frequencies: a row of weight 2 counts as two."
            if choices.weight_type == "frequency"
            else "Weights are inverse probabilities of selection: the variance is the sandwich over rows or clusters."
        )
    if choices.compat is not None:
        row = ORDINAL_DEFAULTS[choices.compat]
        sign = " Tables print effects with the sign of threshold + x'b." if choices.sign < 0 else ""
        sentences.append(f"Defaults as in {row.program}.{sign} {row.words}")
    return " ".join([*sentences, *choices.notes])


def _variance_words(fit: OrdinalFit) -> str:
    choices = fit.choices
    if choices.variance == "model":
        return f"Standard errors: inverse of the {choices.information} information."
    what = "rows"
    if choices.variance == "cluster" and fit.data.cluster is not None:
        what = f"{int(fit.data.cluster.max()) + 1} clusters"
    factor = "no small-sample factor" if choices.correction == 1.0 else f"a factor of {choices.correction:.6g}"
    return (
        f"Standard errors: sandwich over {what} with the {choices.information} information as bread and {factor}; "
        "no likelihood-ratio p-value."
    )
