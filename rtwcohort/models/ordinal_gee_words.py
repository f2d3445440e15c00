"""What was chosen in an ordinal GEE, in words."""

from __future__ import annotations

from typing import Any, Final

from rtwcohort.models.compat import ORDINAL_GEE_COMPAT

_ASSOCIATION: Final = {
    "independence": "Working independence between the waves of a person",
    "exchangeable": "One working correlation between all waves of a person",
    "ar1": "A working correlation that falls by a constant factor for each unit of time between waves",
    "unstructured": "A working correlation for each pair of waves",
    "global_odds_ratio": "Working global odds ratios between waves",
}
_CORRECTION: Final = {
    "mancl_derouen": "Mancl and DeRouen's (2001)",
    "kauermann_carroll": "Kauermann and Carroll's (2001)",
    "fay_graubard": "Fay and Graubard's (2001)",
}


def describe(fit: Any) -> str:
    """Return the sentences."""
    choices, counts = fit.choices, fit.counts
    sentences = [
        f"Cumulative {choices.link} model of {len(counts.categories)} categories by generalised estimating equations: "
        f"{counts.rows} rows of {counts.persons} persons in {counts.clusters:g} clusters.",
        _association(choices),
        _signs(choices),
        _variance(choices, counts),
        _weights(choices),
        _compat(choices),
        *choices.notes,
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _association(choices: Any) -> str:
    text = _ASSOCIATION[choices.association]
    if choices.association == "global_odds_ratio":
        kind = "one common to all pairs" if choices.odds_ratios == "common" else "one for each pair of waves"
        text += f", {kind}, estimated by {'pooled tables' if choices.odds_ratio_method == 'pooled' else 'the score'}"
    within = (
        "the exact multinomial covariance within a wave"
        if choices.within_wave == "multinomial"
        else "the cut-points of one wave taken as independent"
    )
    return f"{text}; {within}."


def _signs(choices: Any) -> str:
    if choices.sign > 0:
        return "Effects are those of threshold - x'b: above 0 means a higher category."
    return "Tables print effects of threshold + x'b: above 0 means a lower category."


def _variance(choices: Any, counts: Any) -> str:
    text = f"Standard errors by the cluster-robust sandwich with the {choices.information} information"
    if choices.factor != 1.0:
        text += f", times G/(G - 1) = {choices.factor:.6g}"
    if choices.correction is None:
        return f"{text} and no correction for few clusters; normal intervals."
    return (
        f"{text} and {_CORRECTION[choices.correction]} correction for few clusters; t intervals with {choices.df:g} "
        "degrees of freedom (clusters less parameters)."
    )


def _weights(choices: Any) -> str:
    if choices.weight_type is None:
        return ""
    if choices.weight_type == "frequency":
        return "Weights are counts of like persons."
    return "Weights are inverse probabilities, taken as known in the variance."


def _compat(choices: Any) -> str:
    if choices.compat is None:
        return ""
    defaults = ORDINAL_GEE_COMPAT[choices.compat]
    text = f"Defaults as in {defaults.program}."
    if choices.association not in defaults.associations:
        text += f" That program does not offer association='{choices.association}' for ordered outcomes."
    return text
