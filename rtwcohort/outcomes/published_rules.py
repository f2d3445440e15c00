"""Definitions of return to work from published studies, each declared once as a rule.

They were read in five texts: a systematic review of work-oriented rehabilitation (002), a scoping review
of the Norwegian "Raskere tilbake" scheme (004), a cohort article (003), a commentary (001) and a slide
deck (000). Where a text leaves something open, the reading chosen is in the rule's `assumptions`.
"""

from __future__ import annotations

from typing import Final

from rtwcohort.outcomes.rule import RtwRule

SICKNESS: Final = ("sickness_benefit",)
SICKNESS_AAP: Final = ("sickness_benefit", "work_assessment_allowance")
HEALTH: Final = ("sickness_benefit", "work_assessment_allowance", "disability_pension", "rehabilitation_benefit")

_REVIEW: Final = "systematic review (002), Table 1"
_SCOPING: Final = "scoping review of Raskere tilbake (004)"
_HEALTH_READING: Final = "The benefits are not stated; read as all health-related benefits."
_NO_DURATION: Final = "No duration is stated; one day is enough."
_MONTHLY: Final = "A month is read as a calendar month."
_WEEKLY: Final = "Read as whole ISO weeks without any benefit, as in the Danish weekly register (DREAM)."
_ANY_PART: Final = "A first or partial return is read as a combined grade below 100 %."
_FULL: Final = "A full return is read as a day without any health-related benefit."
_HOURS: Final = "Hours are read as shares of a week of 37.5 hours."
_SHARE: Final = "The benefits are not stated; work is read as 100 % less the grade of all health-related benefits."
_PENSION: Final = "A graded disability pension beside enough work does not end follow-up."


def _first(name: str, source: str, *, horizon_days: int | None, extra: tuple[str, ...] = ()) -> RtwRule:
    """Any return, partial or full, on its first day."""
    return RtwRule(
        name=name,
        source=source,
        benefits=HEALTH,
        max_grade=100,
        grade_bound="below",
        length=1,
        competing_onset="not_back",
        horizon_days=horizon_days,
        assumptions=(_HEALTH_READING, _ANY_PART, _NO_DURATION, _PENSION, *extra),
    )


def _full(name: str, source: str, *, horizon_days: int | None, extra: tuple[str, ...] = ()) -> RtwRule:
    """Full return on its first day."""
    return RtwRule(
        name=name,
        source=source,
        benefits=HEALTH,
        length=1,
        horizon_days=horizon_days,
        assumptions=(_FULL, _NO_DURATION, *extra),
    )


def _hara(name: str, share: float, words: str, *, extra: tuple[str, ...] = ()) -> RtwRule:
    return RtwRule(
        name=name,
        source=f"Hara 2018, {words}; {_SCOPING}, Table 2",
        benefits=HEALTH,
        min_work_share=share,
        hold="mean",
        length=8,
        unit="weeks",
        calendar="windows",
        competing_onset="not_back",
        horizon_days=365,
        assumptions=(_HOURS, _SHARE, "The 8 weeks are read as windows one after another.", _PENSION, *extra),
    )


PUBLISHED_RULES: Final = (
    RtwRule(
        name="aasdahl_2018",
        source=f"Aasdahl 2018; {_REVIEW}",
        benefits=HEALTH,
        length=1,
        unit="months",
        horizon_days=365,
        assumptions=(_HEALTH_READING, _MONTHLY),
    ),
    RtwRule(
        name="brendbekken_2017_full",
        source=f"Brendbekken 2017, fully returned; {_SCOPING}, Table 2",
        benefits=SICKNESS,
        hold="point",
        at=tuple(range(1, 25)),
        unit="months",
        horizon_days=731,
        assumptions=(
            "The status is read as taken once a month, on the monthly day of the index date.",
            "Full is read as a day without sickness benefit, for the types of benefit are not stated.",
        ),
    ),
    RtwRule(
        name="brendbekken_2017_partial",
        source=f"Brendbekken 2017, partly or fully returned; {_SCOPING}, Table 2",
        benefits=SICKNESS,
        max_grade=100,
        grade_bound="below",
        hold="point",
        at=tuple(range(1, 25)),
        unit="months",
        horizon_days=731,
        assumptions=(
            "The status is read as taken once a month, on the monthly day of the index date.",
            "Partly is read as sickness benefit below 100 %, for no threshold is stated.",
        ),
    ),
    RtwRule(
        name="brendbekken_2018_increase",
        source=f"Brendbekken 2018; {_SCOPING}, Table 2",
        benefits=HEALTH,
        hold="increase",
        length=3,
        unit="months",
        competing_onset="not_back",
        horizon_days=365,
        assumptions=(
            _SHARE,
            "The baseline is the work share on the index date.",
            "Months are counted from the index date; the source counts from the baseline in one place and from "
            "the end of the intervention in another.",
            "A graded disability pension on a day with more work than at baseline does not end follow-up.",
        ),
    ),
    RtwRule(
        name="brouwers_2006_full",
        source=f"Brouwers 2006; {_REVIEW} and Table 16",
        benefits=HEALTH,
        hold="point",
        at=(3, 6, 18),
        unit="months",
        horizon_days=550,
        assumptions=(_FULL, "The data source is not stated."),
    ),
    _first("christiansen_2016_first", f"Christiansen 2016; {_SCOPING}, Table 4", horizon_days=None),
    _full("christiansen_2016_full", f"Christiansen 2016; {_SCOPING}, Table 4", horizon_days=None),
    _first("de_weerd_2016_first", f"De Weerd 2016; {_REVIEW} and Table 11", horizon_days=None),
    _full("de_weerd_2016_full", f"De Weerd 2016; {_REVIEW} and Table 11", horizon_days=None),
    RtwRule(
        name="etuknwa_2019",
        source=f"Etuknwa 2019, suggested criterion for sustainable return; {_SCOPING}, section 2.2.2",
        benefits=HEALTH,
        length=3,
        unit="months",
        assumptions=(_HEALTH_READING, "Stable work without relapse is read as no benefit on any day."),
    ),
    RtwRule(
        name="gismervik_2020",
        source=f"Gismervik 2020; {_SCOPING}, Table 2",
        benefits=SICKNESS,
        length=4,
        unit="weeks",
        horizon_days=365,
        assumptions=("Only sickness benefit is named; other benefits are not considered.",),
    ),
    RtwRule(
        name="grotle_2016",
        source=f"Grotle 2016; {_SCOPING}, Table 3",
        benefits=SICKNESS_AAP,
        hold="point",
        at=(3, 12),
        unit="months",
        horizon_days=366,
        assumptions=(
            "Not back is read as full or partial sickness benefit or work assessment allowance; "
            "one passage of the source names the allowance only.",
        ),
    ),
    _hara("hara_2018_rtw", 20, "at least one day (7.5 hours) a week"),
    _hara("hara_2018_half", 50, "at least 2.5 days (18.75 hours) a week"),
    _hara(
        "hara_2018_full",
        80,
        "at least four days (30 hours) a week",
        extra=("The 8-week window is not repeated for full return; the same is taken.",),
    ),
    RtwRule(
        name="hara_2018_no_benefits",
        source=f"Hara 2018, in work without benefits after one year; {_SCOPING}, Table 2",
        max_grade=0,
        min_work_share=0,
        work_share_bound="above",
        hold="point",
        at=(12,),
        unit="months",
        horizon_days=366,
        assumptions=("Public benefits are read as every benefit of the register.",),
    ),
    RtwRule(
        name="haveraaen_2016",
        source=f"Haveraaen 2016; {_SCOPING}, Table 4",
        benefits=HEALTH,
        min_work_share=50,
        work_share_bound="above",
        hold="point",
        at=(3,),
        unit="months",
        competing_onset="not_back",
        horizon_days=92,
        assumptions=(_SHARE, "The index date is the end of the programme.", _PENSION),
    ),
    _first("haveraaen_2017_first", f"Haveraaen 2017; {_SCOPING}, Table 4", horizon_days=548),
    _first("hees_2013_partial", f"Hees 2013; {_REVIEW} and Table 12", horizon_days=548),
    _full("hees_2013_full", f"Hees 2013; {_REVIEW} and Table 12", horizon_days=548),
    RtwRule(
        name="hopland_2013_full",
        source=f"Hopland 2013, the interval of 100 %; {_SCOPING}, Table 4",
        benefits=HEALTH,
        min_work_share=100,
        hold="point",
        at=(0, 3),
        unit="months",
        horizon_days=92,
        assumptions=(
            _SHARE,
            "The index date is the end of treatment.",
            "Only the interval of 100 % is taken: the others (0, up to 25, up to 50 %) leave 51 to 99 % uncovered.",
        ),
    ),
    RtwRule(
        name="jacobsen_2020",
        source=f"Jacobsen 2020; {_SCOPING}, Table 3",
        benefits=HEALTH,
        min_work_share=50,
        hold="mean",
        length=14,
        unit="weeks",
        calendar="windows",
        confirmation="by_horizon",
        competing_onset="not_back",
        horizon_days=392,
        assumptions=(
            _HOURS,
            _SHARE,
            "Four windows of 14 weeks are 392 days; one table of the source says within 12 months.",
            _PENSION,
        ),
    ),
    RtwRule(
        name="jensen_2011",
        source=f"Jensen 2011; {_REVIEW}",
        length=4,
        unit="weeks",
        calendar="iso_weeks",
        horizon_days=728,
        assumptions=(_WEEKLY,),
    ),
    RtwRule(
        name="lambeek_2010",
        source=f"Lambeek 2010; {_REVIEW}",
        benefits=SICKNESS,
        length=4,
        unit="weeks",
        horizon_days=365,
        assumptions=(
            "The benefits are not stated; read as sickness benefit.",
            "The study asked the participants; here the register answers.",
        ),
    ),
    RtwRule(
        name="lindell_2008",
        source=f"Lindell 2008; {_REVIEW}",
        benefits=HEALTH,
        length=1,
        unit="months",
        horizon_days=548,
        assumptions=(_HEALTH_READING, _MONTHLY),
    ),
    RtwRule(
        name="moll_2018",
        source=f"Moll 2018; {_REVIEW}; abstract in J Occup Rehabil 28(2), 2018: at least four weeks in a row",
        length=4,
        unit="weeks",
        calendar="iso_weeks",
        horizon_days=365,
        assumptions=(_WEEKLY, "The review prints one month, the abstract four weeks; four weeks are taken."),
    ),
    RtwRule(
        name="momsen_2016",
        source=f"Momsen 2016; {_REVIEW}",
        length=4,
        unit="weeks",
        calendar="iso_weeks",
        horizon_days=365,
        assumptions=(_WEEKLY, "One month is read as four weeks, for the result is printed in weeks."),
    ),
    RtwRule(
        name="myhre_2014",
        source=f"Myhre 2014; {_SCOPING}, Table 2; {_REVIEW}",
        benefits=SICKNESS,
        length=5,
        unit="weeks",
        horizon_days=365,
        assumptions=("The index date is the end of the intervention.",),
    ),
    RtwRule(
        name="myhre_2016",
        source=f"Myhre 2016; {_SCOPING}, Table 3",
        benefits=SICKNESS,
        length=5,
        unit="weeks",
        horizon_days=365,
    ),
    RtwRule(
        name="netterstrom_2013_full",
        source=f"Netterstrøm 2013; {_REVIEW} and Table 13",
        benefits=HEALTH,
        hold="point",
        at=(3,),
        unit="months",
        horizon_days=92,
        assumptions=(_FULL, "The data source is not stated; the status is taken at three months."),
    ),
    RtwRule(
        name="skagseth_2019",
        source=f"Skagseth 2019; {_SCOPING}, Table 2",
        benefits=SICKNESS,
        length=4,
        unit="weeks",
        horizon_days=365,
        assumptions=(
            "Only sickness benefit is named; other benefits are not considered.",
            "The systematic review (002) prints one month for the same trial.",
        ),
    ),
    RtwRule(
        name="skagseth_2020_pa",
        source=f"Skagseth 2020, paper on physical activity; {_SCOPING}, Table 3",
        benefits=HEALTH,
        length=1,
        unit="months",
        assumptions=("Benefits without further words are read as all health-related benefits.", _MONTHLY),
    ),
    _first("skarpaas_2019_first", f"Skarpaas 2019; {_SCOPING}, Table 4", horizon_days=360),
    _full("skarpaas_2019_full", f"Skarpaas 2019; {_SCOPING}, Table 4", horizon_days=360),
    RtwRule(
        name="tou_2015",
        source=f"Tou 2015; {_SCOPING}, Table 4",
        benefits=HEALTH,
        min_work_share=50,
        hold="point",
        at=(0, 3),
        unit="months",
        competing_onset="not_back",
        horizon_days=92,
        assumptions=(_SHARE, "The index date is the end of the intervention.", _PENSION),
    ),
    _first("volker_2015_first", f"Volker 2015; {_REVIEW} and Table 15", horizon_days=365),
    _full("volker_2015_full", f"Volker 2015; {_REVIEW} and Table 15", horizon_days=365),
)
"""In alphabetical order."""
