"""The instruments, declared once."""

from __future__ import annotations

from typing import Final

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.instrument import CutOff, Instrument, Reliability
from rtwcohort.instruments.named import NAMED
from rtwcohort.instruments.pain_and_function import PAIN_AND_FUNCTION


def _numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(first, last + 1))


_FABQ_SOURCE: Final = (
    "Waddell et al. 1993, Pain 52:157-168; items per scale and 0-6 answers as tabulated in PMC4893951; "
    "Norwegian version Grotle et al. 2006"
)
_DCSQ_SOURCE: Final = (
    "Sanne et al. 2005 (Norwegian DCSQ: demands 5, decision latitude 6, support 6 items); "
    "answers 1 'fits completely / often' to 4 'does not fit / almost never' as in the Hernes workplace-visit cohort"
)
_DCSQ_NOTE: Final = (
    "As answered, 1 means often, so every item is turned round to make a high score mean a high level, except the "
    "item whose wording already runs the other way (4 'enough time', 9 'the same thing over and over'). The "
    "sources at hand name no reversal; this follows from the wording of the items."
)
_HADS_SOURCE: Final = (
    "Zigmond and Snaith 1983 (odd items anxiety, even items depression); cut-off in Norwegian general practice "
    "Olsson et al. 2005 (PMC1343544); half rule for missing items PMC5075158"
)
_HADS_NOTE: Final = (
    "Values are points, 0 to 3, as printed beside the answers on the form (3 = worst). The order in which the form "
    "prints the answers changes from item to item: positions must be turned into points first."
)
_HADS_CUT_OFF: Final = (CutOff(label="possible case", operator=">=", value=8, source="PMC1343544"),)
_WORK_STATUS_SOURCE: Final = "Occupational rehabilitation questionnaire (ARR), as used in the Hernes cohort"
_WAI_SOURCE: Final = "Categories as cited from de Zwart et al. 2002; BMC Public Health 2013;13:305 for the first item"


def _alpha(value: float, n: int, source: str) -> tuple[Reliability, ...]:
    return (Reliability(alpha=value, n=n, source=source),)


_MASE: Final = "Mase et al. 2012, Japanese version, nursery-school workers"
_HUNT: Final = "Nord-Trøndelag Health Study (HUNT)"

INSTRUMENTS: Final[dict[str, Instrument]] = {
    instrument.name: instrument
    for instrument in (
        Instrument(
            name="FABQ-PA",
            label="Fear-avoidance beliefs about physical activity",
            used_by=(
                "Hernes workplace-visit cohort",
                "Øyeflaten 2016",
                "Haugen 2016",
            ),
            family="FABQ",
            items=("2", "3", "4", "5"),
            statements=_numbers(1, 5),
            least=0,
            most=6,
            scoring="sum",
            direction="high = strong fear-avoidance",
            source=_FABQ_SOURCE,
            note="No rule for missing items is published: all four are required unless another rule is asked for.",
        ),
        Instrument(
            name="FABQ-W",
            label="Fear-avoidance beliefs about work",
            used_by=(
                "Hernes workplace-visit cohort",
                "Øyeflaten 2016",
                "Haugen 2016",
            ),
            family="FABQ",
            items=("6", "7", "9", "10", "11", "12", "15"),
            statements=_numbers(6, 16),
            least=0,
            most=6,
            scoring="sum",
            direction="high = strong fear-avoidance",
            cut_offs=(
                CutOff(
                    label="high risk, acute occupational low back pain", operator=">", value=29, source="PMC4893951"
                ),
            ),
            source=_FABQ_SOURCE,
            note="No rule for missing items is published: all seven are required unless another rule is asked for.",
        ),
        Instrument(
            name="BELIEF",
            label="Belief in own improvement",
            used_by=("Hernes workplace-visit cohort",),
            family="BELIEF",
            items=_numbers(1, 11),
            least=1,
            most=3,
            scoring="mean",
            direction="high = strong belief in improvement",
            cut_offs=(
                CutOff(label="strong belief", operator="==", value=3, source="Hernes workplace-visit cohort"),
                CutOff(label="little belief", operator="<", value=3, source="Hernes workplace-visit cohort"),
            ),
            source="Back pain and health questionnaire (Unifob Helse), as used in the Hernes workplace-visit cohort",
            note="The source does not say whether its models used the mean or the dichotomy.",
        ),
        Instrument(
            name="DCSQ-DEMANDS",
            label="Psychological demands",
            used_by=("Hernes workplace-visit cohort",),
            family="DCSQ",
            items=_numbers(1, 5),
            least=1,
            most=4,
            scoring="sum",
            reversed_items=("1", "2", "3", "5"),
            direction="high = high demands",
            reliability=_alpha(0.64, 212, _MASE),
            source=_DCSQ_SOURCE,
            note=_DCSQ_NOTE,
        ),
        Instrument(
            name="DCSQ-CONTROL",
            label="Decision latitude (control)",
            used_by=("Hernes workplace-visit cohort",),
            family="DCSQ",
            items=_numbers(6, 11),
            least=1,
            most=4,
            scoring="sum",
            reversed_items=("6", "7", "8", "10", "11"),
            direction="high = high control",
            reliability=_alpha(0.63, 212, _MASE),
            source=_DCSQ_SOURCE,
            note=_DCSQ_NOTE,
        ),
        Instrument(
            name="DCSQ-SUPPORT",
            label="Social support at work",
            used_by=("Hernes workplace-visit cohort",),
            family="DCSQ",
            items=_numbers(12, 17),
            least=1,
            most=4,
            scoring="sum",
            reversed_items=_numbers(12, 17),
            direction="high = high support",
            reliability=_alpha(0.86, 212, _MASE),
            source=_DCSQ_SOURCE,
            note=_DCSQ_NOTE,
        ),
        Instrument(
            name="JOB-SATISFACTION",
            label="Job satisfaction",
            used_by=("Hernes workplace-visit cohort",),
            family="JOB-SATISFACTION",
            items=("1",),
            least=0,
            most=10,
            whole=False,
            scoring="single",
            direction="high = satisfied",
            source="EVA ergonomics questionnaire, 0-10 numeric scale or 10 cm line, as used in the Hernes cohort",
        ),
        Instrument(
            name="HADS-A",
            label="Anxiety symptoms (HADS)",
            used_by=("Brendbekken 2018",),
            family="HADS",
            items=("1", "3", "5", "7", "9", "11", "13"),
            least=0,
            most=3,
            scoring="sum",
            missing="prorate",
            min_answered=4,
            direction="high = more symptoms",
            cut_offs=_HADS_CUT_OFF,
            reliability=_alpha(0.8, 51930, _HUNT),
            source=_HADS_SOURCE,
            note=_HADS_NOTE,
        ),
        Instrument(
            name="HADS-D",
            label="Depression symptoms (HADS)",
            used_by=(
                "Gismervik 2020",
                "Brouwers 2006",
                "Brendbekken 2018",
            ),
            family="HADS",
            items=("2", "4", "6", "8", "10", "12", "14"),
            least=0,
            most=3,
            scoring="sum",
            missing="prorate",
            min_answered=4,
            direction="high = more symptoms",
            cut_offs=_HADS_CUT_OFF,
            reliability=_alpha(0.76, 51930, _HUNT),
            source=_HADS_SOURCE,
            note=_HADS_NOTE,
        ),
        Instrument(
            name="HSCL-10",
            label="Emotional distress (HSCL-10)",
            family="HSCL-10",
            items=_numbers(1, 10),
            least=1,
            most=4,
            scoring="mean",
            missing="prorate",
            min_answered=7,
            direction="high = more distress",
            cut_offs=(CutOff(label="distressed", operator=">=", value=1.85, source="Strand et al. 2003"),),
            source="Strand et al. 2003; at least 7 of 10 items answered",
            note="Some users write > 1.85; a mean of 7 to 10 whole answers is never exactly 1.85, so it is the same.",
        ),
        Instrument(
            name="HSCL-25",
            label="Emotional distress (HSCL-25)",
            used_by=("Grotle 2016",),
            family="HSCL-25",
            items=_numbers(1, 25),
            least=1,
            most=4,
            scoring="mean",
            direction="high = more distress",
            cut_offs=(CutOff(label="distressed", operator=">", value=1.75, source="PubMed 12745773"),),
            source="Hopkins Symptom Checklist, 25 items; cut-off as for the SCL-25",
            note="No rule for missing items was found: all 25 are required unless another rule is asked for.",
        ),
        Instrument(
            name="OMPSQ-SF",
            label="Örebro Musculoskeletal Pain Screening Questionnaire, short form",
            used_by=("Linton 2011",),
            family="OMPSQ-SF",
            items=_numbers(1, 10),
            least=0,
            most=10,
            scoring="sum",
            direction="high = higher risk of disability",
            cut_offs=(
                CutOff(label="high risk", operator=">=", value=50, source="Linton et al. 2011, PubMed 21192286"),
            ),
            source="Linton et al. 2011, Spine 36:1891-1895 (10 items, 0-100)",
            not_computable=(
                "some items are turned round before adding, and which ones was not found in a source that could be read"
            ),
        ),
        Instrument(
            name="WAI",
            label="Work Ability Index",
            family="WAI",
            items=("total",),
            least=7,
            most=49,
            whole=False,
            scoring="single",
            direction="high = better work ability",
            cut_offs=(
                CutOff(label="poor", operator="<=", value=27, source=_WAI_SOURCE),
                CutOff(label="poor or moderate", operator="<=", value=36, source=_WAI_SOURCE),
                CutOff(label="good or excellent", operator=">=", value=37, source=_WAI_SOURCE),
                CutOff(label="excellent", operator=">=", value=44, source=_WAI_SOURCE),
            ),
            source=_WAI_SOURCE,
            note="Takes the total as given: the points of its seven parts come from tables that are not declared here.",
        ),
        Instrument(
            name="WAS",
            label="Work Ability Score",
            family="WAS",
            items=("1",),
            least=0,
            most=10,
            scoring="single",
            direction="high = better work ability",
            source="First item of the Work Ability Index; BMC Public Health 2013;13:305",
            note="Limits of categories were not found.",
        ),
        Instrument(
            name="WORK-STATUS-FIT",
            label="Fully declared fit",
            used_by=("Hernes workplace-visit cohort",),
            family="WORK-STATUS",
            items=("declared_fit",),
            least=0,
            most=1,
            scoring="single",
            direction="1 = yes, 0 = no",
            source=_WORK_STATUS_SOURCE,
        ),
        Instrument(
            name="WORK-STATUS-SITUATION",
            label="Situation of those not declared fit",
            used_by=("Hernes workplace-visit cohort",),
            family="WORK-STATUS",
            items=("situation",),
            least=1,
            most=5,
            scoring="single",
            ordered=False,
            direction="codes without an order; `answered_work_status` recodes them",
            source=_WORK_STATUS_SOURCE,
        ),
        *PAIN_AND_FUNCTION,
    )
}
"""By name, in the order of declaration."""

ALIASES: Final[dict[str, str]] = {
    "FABQ-WORK": "FABQ-W",
    "FABQ-PHYSICAL-ACTIVITY": "FABQ-PA",
    "BELIEF-IN-IMPROVEMENT": "BELIEF",
    "VAS-PAIN": "PAIN-VAS",
    "NRS-PAIN": "PAIN-NRS",
    "ODI": "OSWESTRY",
    "SCL-10": "HSCL-10",
    "SCL-25": "HSCL-25",
    "WORK-ABILITY-INDEX": "WAI",
    "WORK-ABILITY-SCORE": "WAS",
}
"""Other spellings, upper case with hyphens, to the declared name."""


def plain_instrument(name: object) -> str:
    """Return a name in upper case with hyphens, other spellings replaced by the declared one."""
    plain = str(name).strip().upper().replace("_", "-").replace(" ", "-")
    return ALIASES.get(plain, plain)


def get_instrument(name: str) -> Instrument:
    """Return the declared instrument of this name, whatever its case.

    Raises
    ------
    ArgumentError
        When no instrument has the name (the nearest one is suggested), or the sources say too little to score it.
    """
    plain = plain_instrument(name)
    found = INSTRUMENTS.get(plain)
    if found is None and plain in NAMED:
        raise ArgumentError(NAMED[plain].why_not_scored)
    if found is None:
        known = ", ".join(INSTRUMENTS)
        raise ArgumentError(f"`instrument` must be one of {known}; got {name!r}.{did_you_mean(str(name), INSTRUMENTS)}")
    return found
