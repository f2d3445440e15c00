"""The choices of an ordinal fit in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtwcohort.models.compat import ORDINAL_COMPAT

if TYPE_CHECKING:
    from rtwcohort.models.ordinal_result import OrdinalFit


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
        row = ORDINAL_COMPAT[choices.compat]
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
