"""The catalogue: definitions of return to work from published studies, as named rules.

`DEFINITIONS` says which published definition a rule computes; what cannot be computed from a benefit
register is in `NOT_COMPUTABLE` with the reason.
"""

from __future__ import annotations

from typing import Final

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.outcomes.not_computable import NOT_COMPUTABLE, NotComputable
from rtwcohort.outcomes.published_rules import PUBLISHED_RULES
from rtwcohort.outcomes.rule import RtwRule

__all__ = ["DEFINITIONS", "NOT_COMPUTABLE", "RULES", "NotComputable", "get_rule"]

RULES: Final[dict[str, RtwRule]] = {rule.name: rule for rule in PUBLISHED_RULES}
"""Every rule of the catalogue by name."""

_FILES: Final = {
    "000": "000_58b2d767bfd1ca9e.txt",
    "002": "002_624198184f691417.txt",
    "004": "004_37c79873871c2b3f.txt",
}

_COMPUTED: Final = (
    ("000", "Gismervik 2020", "sustained_rtw_4w", ("gismervik_2020",)),
    ("002", "Aasdahl 2018", "sick_days; time_to_sustained_rtw", ("aasdahl_2018",)),
    ("002", "Gismervik 2020", "sick_days; time_to_sustained_rtw", ("gismervik_2020",)),
    ("002", "Brendbekken 2017", "full_rtw; partial_rtw", ("brendbekken_2017_full", "brendbekken_2017_partial")),
    ("002", "Brouwers 2006", "sick_days; full_rtw", ("brouwers_2006_full",)),
    ("002", "De Weerd 2016", "time_to_first_rtw; time_to_full_rtw", ("de_weerd_2016_first", "de_weerd_2016_full")),
    (
        "002",
        "Hees 2013",
        "time_to_partial_rtw; time_to_full_rtw; sick_leave",
        ("hees_2013_partial", "hees_2013_full"),
    ),
    ("002", "Jensen 2011", "time_to_rtw_4w; work_status", ("jensen_2011",)),
    ("002", "Lambeek 2010", "sick_days_to_sustained_rtw", ("lambeek_2010",)),
    ("002", "Lindell 2008", "sustained_rtw; sick_days", ("lindell_2008",)),
    ("002", "Moll 2018", "rtw_1m", ("moll_2018",)),
    ("002", "Momsen 2016", "rtw_1m; weeks_to_rtw", ("momsen_2016",)),
    ("002", "Myhre 2014", "rtw_5w", ("myhre_2014",)),
    ("002", "Netterstrøm 2013", "rtw; full_rtw", ("netterstrom_2013_full",)),
    ("002", "Skagseth 2019", "sick_days; time_to_sustained_rtw", ("skagseth_2019",)),
    (
        "002",
        "Volker 2015",
        "time_to_first_rtw; time_to_full_rtw; sick_days",
        ("volker_2015_first", "volker_2015_full"),
    ),
    ("004", "Etuknwa 2019 (suggestion)", "sustainable_rtw", ("etuknwa_2019",)),
    (
        "004",
        "Brendbekken 2017",
        "full_rtw; partial_rtw; out_of_work",
        ("brendbekken_2017_full", "brendbekken_2017_partial"),
    ),
    ("004", "Brendbekken 2018", "increased_work_participation_3m", ("brendbekken_2018_increase",)),
    (
        "004",
        "Christiansen 2016",
        "time_to_first_rtw; time_to_full_rtw; rtw_degree_percent",
        ("christiansen_2016_first", "christiansen_2016_full"),
    ),
    ("004", "Gismervik 2020", "sick_days; sustained_rtw_4w", ("gismervik_2020",)),
    ("004", "Grotle 2016", "rtw", ("grotle_2016",)),
    (
        "004",
        "Hara 2018 (RCT)",
        "rtw_ge_1day_week; rtw_half; rtw_full",
        ("hara_2018_rtw", "hara_2018_half", "hara_2018_full"),
    ),
    ("004", "Hara 2018 (RCT)", "no_benefits", ("hara_2018_no_benefits",)),
    ("004", "Jacobsen 2020", "rtw_ge_50pct", ("jacobsen_2020",)),
    ("004", "Myhre 2014", "rtw_5w", ("myhre_2014",)),
    ("004", "Myhre 2016", "rtw_5w", ("myhre_2016",)),
    ("004", "Skagseth 2019", "sick_days; sustained_rtw_4w", ("skagseth_2019",)),
    ("004", "Skagseth 2020 (PA)", "sick_days; sustained_rtw_1m", ("skagseth_2020_pa",)),
    ("004", "Haveraaen 2016", "rtw_gt_50pct", ("haveraaen_2016",)),
    ("004", "Haveraaen 2017", "time_to_first_rtw", ("haveraaen_2017_first",)),
    ("004", "Hopland 2013", "rtw_degree", ("hopland_2013_full",)),
    ("004", "Skarpaas 2019", "time_to_first_rtw; time_to_full_rtw", ("skarpaas_2019_first", "skarpaas_2019_full")),
    ("004", "Tou 2015", "rtw_ge_50pct", ("tou_2015",)),
)

DEFINITIONS: Final[dict[tuple[str, str, str], tuple[str, ...]]] = {
    (study, outcome, _FILES[text]): names for text, study, outcome, names in _COMPUTED
}
"""Published definition (study, outcome, text that states it) -> names of the rules that compute it."""


def get_rule(name: str) -> RtwRule:
    """Return a rule of the catalogue by name.

    Raises
    ------
    ArgumentError
        When there is none of that name; the nearest is suggested.

    Examples
    --------
    >>> get_rule("myhre_2014").length
    5
    """
    if name in RULES:
        return RULES[name]
    raise ArgumentError(
        f"`rule` must name a rule of the catalogue; got {name!r}.{did_you_mean(str(name), RULES)} "
        f"The catalogue holds: {', '.join(RULES)}."
    )
