"""The instruments, declared once."""

from __future__ import annotations

from typing import Final

from rtwcohort.core.checks import did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.instrument import CutOff, Instrument


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
_HADS_SOURCE: Final = "Zigmond and Snaith 1983; cut-off Olsson et al. 2005 (PMC1343544); half rule PMC5075158"
_HADS_CUT_OFF: Final = (CutOff(label="possible case", operator=">=", value=8, source="PMC1343544"),)

INSTRUMENTS: Final[dict[str, Instrument]] = {
    instrument.name: instrument
    for instrument in (
        Instrument(
            name="FABQ-PA",
            label="Fear-avoidance beliefs about physical activity",
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
            family="DCSQ",
            items=_numbers(1, 5),
            least=1,
            most=4,
            scoring="sum",
            reversed_items=("1", "2", "3", "5"),
            direction="high = high demands",
            source=_DCSQ_SOURCE,
            note=_DCSQ_NOTE,
        ),
        Instrument(
            name="DCSQ-CONTROL",
            label="Decision latitude (control)",
            family="DCSQ",
            items=_numbers(6, 11),
            least=1,
            most=4,
            scoring="sum",
            reversed_items=("6", "7", "8", "10", "11"),
            direction="high = high control",
            source=_DCSQ_SOURCE,
            note=_DCSQ_NOTE,
        ),
        Instrument(
            name="DCSQ-SUPPORT",
            label="Social support at work",
            family="DCSQ",
            items=_numbers(12, 17),
            least=1,
            most=4,
            scoring="sum",
            reversed_items=_numbers(12, 17),
            direction="high = high support",
            source=_DCSQ_SOURCE,
            note=_DCSQ_NOTE,
        ),
        Instrument(
            name="JOB-SATISFACTION",
            label="Job satisfaction",
            family="JOB-SATISFACTION",
            items=("1",),
            least=0,
            most=10,
            whole=False,
            scoring="single",
            direction="high = satisfied",
            source="EVA ergonomics questionnaire, 0-10 numeric scale or 10 cm line, as used in the Hernes cohort",
        ),
    )
}
"""By name, in the order of declaration."""

ALIASES: Final[dict[str, str]] = {
    "FABQ-WORK": "FABQ-W",
    "FABQ_W": "FABQ-W",
    "FABQ-PHYSICAL-ACTIVITY": "FABQ-PA",
    "FABQ_PA": "FABQ-PA",
    "BELIEF-IN-IMPROVEMENT": "BELIEF",
}
"""Other spellings, upper case, to the declared name."""


def get_instrument(name: str) -> Instrument:
    """Return the declared instrument of this name, whatever its case.

    Raises
    ------
    ArgumentError
        When no instrument has the name; the nearest one is suggested.
    """
    asked = str(name).strip().upper().replace("_", "-").replace(" ", "-")
    found = INSTRUMENTS.get(ALIASES.get(asked, asked))
    if found is None:
        known = ", ".join(INSTRUMENTS)
        raise ArgumentError(f"`instrument` must be one of {known}; got {name!r}.{did_you_mean(str(name), INSTRUMENTS)}")
    return found
