"""Scales that studies name without saying enough to score them: what is known, and what is not stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedScale:
    """A scale that is declared and cannot be scored.

    Attributes
    ----------
    name, label
        Name and words.
    used_by
        Studies, as short labels.
    not_stated
        What a score would need: "items", "range of an answer", "scoring", "range of the score".
    n_items
        Number of items where it is stated; 0 where it is not.
    score_range
        Where it is stated.
    subscales
        Names of the subscales.
    direction
        What a high score means, where stated or implied.
    note
        What else the sources say.
    """

    name: str
    label: str
    used_by: tuple[str, ...]
    not_stated: tuple[str, ...] = ("items", "range of an answer", "scoring")
    n_items: int = 0
    score_range: tuple[float, float] | None = None
    subscales: tuple[str, ...] = ()
    direction: str = ""
    note: str = ""

    @property
    def why_not_scored(self) -> str:
        """One sentence for errors and tables."""
        missing = ", ".join(self.not_stated)
        who = ", ".join(self.used_by)
        extra = f" {self.note}" if self.note else ""
        return (
            f"`instrument` {self.name} ({self.label}) cannot be scored: the sources at hand ({who}) do not state its "
            f"{missing}.{extra} If you know them, declare an `Instrument` and give it instead of the name."
        )


_SCORING: Final = ("range of an answer", "scoring")
_NO_SCALE: Final = ("scoring, being no scale",)

NAMED: Final[dict[str, NamedScale]] = {
    scale.name: scale
    for scale in (
        NamedScale(
            name="VAS-COMPLAINTS",
            label="Severity of complaints other than pain, visual analogue scale",
            used_by=("Meijer 2006",),
            not_stated=("range of an answer",),
        ),
        NamedScale(name="OMPQ-FEAR", label="Fear and avoidance (Örebro questionnaire)", used_by=("Jensen 2011",)),
        NamedScale(name="OMPQ", label="Örebro screening form for musculoskeletal pain", used_by=("Grotle 2016",)),
        NamedScale(
            name="TAMPA",
            label="Tampa Scale of fear of movement",
            used_by=("Meijer 2006",),
            direction="high = more fear (implied)",
        ),
        NamedScale(name="DASH", label="Disability of Arm, Shoulder and Hand", used_by=("Meijer 2006",)),
        NamedScale(
            name="RMDQ",
            label="Roland Morris Disability Questionnaire",
            used_by=("Lambeek 2010", "Werner 2019"),
            direction="low = better",
            note="Werner 2019 reports a mean change of 4 points (3.6 to 4.5).",
        ),
        NamedScale(name="MOS-SF", label="Medical Outcomes Study Short Form, physical function", used_by=("Hees 2013",)),
        NamedScale(
            name="HOSPITAL-ANXIETY-RATING",
            label="Hospital and Anxiety Rating Scale",
            used_by=("Salomonsson 2017",),
            note="The name is as printed; the HADS may be meant.",
        ),
        NamedScale(name="QOLI", label="Quality of Life Inventory", used_by=("Salomonsson 2017",)),
        NamedScale(name="CNFDS", label="Copenhagen Neck Functional Disability Scale", used_by=("Moll 2018",)),
        NamedScale(
            name="DRI",
            label="Disability Rating Index",
            used_by=("Marhold 2001",),
            score_range=(0, 63),
            note="The printed range 0-63 is also the one printed for the Beck inventory, so it may be a misprint.",
        ),
        NamedScale(
            name="SCL-90", label="Symptom Checklist-90", used_by=("De Weerd 2016",), n_items=90, not_stated=_SCORING
        ),
        NamedScale(
            name="SCL-92",
            label="Symptom Check List 92, depression",
            used_by=("Netterstrøm 2013",),
            n_items=92,
            not_stated=_SCORING,
        ),
        NamedScale(
            name="HAM-D",
            label="Hamilton Rating Scale for Depression",
            used_by=("Hees 2013",),
            direction="low = better (implied)",
        ),
        NamedScale(name="RTW-EXPECTATIONS", label="Expectations regarding work resumption", used_by=("Hees 2013",)),
        NamedScale(
            name="MCQ-30",
            label="Metacognitions Questionnaire",
            used_by=("Jacobsen 2020",),
            n_items=30,
            not_stated=("items of each subscale", "range of an answer", "scoring"),
            subscales=(
                "cognitive confidence",
                "positive beliefs about worry",
                "cognitive self-consciousness",
                "negative beliefs about uncontrollability",
                "need to control thoughts",
            ),
        ),
        NamedScale(
            name="QPSNORDIC",
            label="General Nordic questionnaire for psychological and social factors at work",
            used_by=("Myhre 2016",),
            subscales=(
                "quantitative demands",
                "decision demands",
                "learning demands",
                "positive challenges",
                "decision control",
                "control of work pace",
                "support from leader",
                "support from co-workers",
                "support from friends",
            ),
        ),
        NamedScale(name="IPAQ", label="International Physical Activity Questionnaire", used_by=("Farholm 2017",)),
        NamedScale(name="PCS", label="Perceived Competence Scale, physical activity", used_by=("Farholm 2017",)),
        NamedScale(name="BPNES", label="Basic Psychological Needs in Exercise Scale", used_by=("Farholm 2017",)),
        NamedScale(
            name="TSRQ", label="Treatment Self-Regulation Questionnaire, physical activity", used_by=("Farholm 2017",)
        ),
        NamedScale(name="RPAQ", label="Recent Physical Activity Questionnaire", used_by=("Steene-Johannessen 2016",)),
        NamedScale(name="EPIC-PAQ", label="EPIC Physical Activity Questionnaire", used_by=("Steene-Johannessen 2016",)),
        NamedScale(
            name="PROGNOSIS-SCREENING",
            label="Prognosis for return to work: good, medium, poor",
            used_by=("Haldorsen 2002",),
            n_items=15,
            not_stated=("range of an answer", "scoring", "weight of the tests of movement, strength and pain"),
        ),
        NamedScale(
            name="OYEFLATEN-MEASURES",
            label="Complaints, mobility, coping and lifting ability",
            used_by=("Øyeflaten 2016",),
            note="The instruments are not named.",
        ),
        NamedScale(
            name="RTW-SE-11",
            label="Return-to-work self-efficacy, 11 items",
            used_by=("Lagerveld", "Gjengedal 2021"),
            n_items=11,
            not_stated=("range of an answer", "reversed items", "cut-offs"),
            note="One factor with alpha 0.91 in Gjengedal 2021. Not the scale of 10 or 19 items of the same name.",
        ),
        NamedScale(
            name="RTW-SE-19",
            label="Return-to-work self-efficacy, 19 items (short form 10)",
            used_by=("Shaw", "Brouwer"),
            n_items=19,
            not_stated=("range of an answer", "reversed items", "items of each subscale"),
        ),
        NamedScale(
            name="RTW-EXPECTANCY",
            label="Expected time to return to work",
            used_by=("a Norwegian rehabilitation clinic's code book",),
            n_items=1,
            not_stated=("scoring",),
            note=(
                "Nine answers: within 2 weeks, 1, 2, 3 or 6 months, a year, later, never, and at work already, which "
                "has no place in that order. Use the item itself as a category."
            ),
        ),
        NamedScale(
            name="ARR-REGISTRATION",
            label="Registration form of occupational rehabilitation",
            used_by=("Hernes workplace-visit cohort",),
            not_stated=_NO_SCALE,
        ),
        NamedScale(
            name="ISIVET",
            label="Structured interview with a visual educational tool",
            used_by=("Brendbekken 2017",),
            not_stated=_NO_SCALE,
            note="It is a tool of the intervention.",
        ),
    )
}
"""By name."""
