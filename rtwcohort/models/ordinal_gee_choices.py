"""The options of an ordinal GEE: checked, and settled against a program's defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rtwcohort.core.checks import check_choice
from rtwcohort.errors import ArgumentError
from rtwcohort.models.compat import COMPAT_NAMES, ORDINAL_GEE_COMPAT, ORDINAL_GEE_OWN, OrdinalGeeDefaults
from rtwcohort.models.ordinal_gee_association import ASSOCIATIONS
from rtwcohort.models.ordinal_gee_variance import CORRECTIONS

WorkingAssociation = Literal["independence", "exchangeable", "ar1", "unstructured", "global_odds_ratio"]
LINK_CHOICES: Final = ("logit", "probit", "cloglog")
FEW_CLUSTERS: Final = 50
RECOMMENDED_CORRECTION: Final = "kauermann_carroll"


@dataclass(frozen=True, slots=True)
class GeeOptions:
    """Options that are settled.

    Attributes
    ----------
    link, association, odds_ratios, odds_ratio_method, within_wave, weight_type
        As in `fit_ordinal_gee`.
    information
        "expected" or "observed".
    correction
        None for none.
    silent
        Whether no correction was asked for in so many words.
    compat
        The program, or None.
    defaults
        What it does.
    """

    link: str
    association: str
    odds_ratios: str
    odds_ratio_method: str
    within_wave: str
    information: str
    correction: str | None
    silent: bool
    weight_type: str
    compat: str | None
    defaults: OrdinalGeeDefaults


def settle_options(
    *,
    link: str,
    association: str,
    odds_ratios: str,
    odds_ratio_method: str,
    within_wave: str,
    information: str | None,
    correction: str | None,
    weight_type: str,
    compat: str | None,
) -> GeeOptions:
    """Check each option and those that exclude each other.

    Raises
    ------
    ArgumentError
        Naming the argument and the choices.
    """
    check_choice(link, LINK_CHOICES, argument="link")
    check_choice(association, ASSOCIATIONS, argument="association")
    check_choice(odds_ratios, ("common", "by_wave_pair"), argument="odds_ratios")
    check_choice(odds_ratio_method, ("pooled", "score"), argument="odds_ratio_method")
    check_choice(within_wave, ("multinomial", "diagonal"), argument="within_wave")
    check_choice(weight_type, ("probability", "frequency"), argument="weight_type")
    if compat is not None:
        check_choice(compat, COMPAT_NAMES, argument="compat")
    if correction is not None:
        check_choice(correction, ("none", *CORRECTIONS), argument="correction")
    defaults = ORDINAL_GEE_OWN if compat is None else ORDINAL_GEE_COMPAT[compat]
    if information is None:
        information = defaults.information if association == "independence" else "expected"
    check_choice(information, ("expected", "observed"), argument="information")
    if within_wave == "diagonal" and association != "independence":
        raise ArgumentError("`within_wave='diagonal'` is for association='independence' only: leave it out.")
    return GeeOptions(
        link,
        association,
        odds_ratios,
        odds_ratio_method,
        within_wave,
        information,
        None if correction == "none" else correction,
        correction == "none",
        weight_type,
        compat,
        defaults,
    )
