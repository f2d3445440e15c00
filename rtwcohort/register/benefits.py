"""The benefits that a register can hold, declared once: name, meaning and order of priority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Benefit:
    """One benefit: its name in our tables and what it is called in Norwegian registers."""

    name: str
    label: str
    aliases: tuple[str, ...] = ()


BENEFITS: Final = (
    Benefit("sickness_benefit", "sickness benefit", ("sykepenger", "sykemelding", "sykmelding", "sp")),
    Benefit(
        "work_assessment_allowance",
        "work assessment allowance (AAP)",
        ("aap", "arbeidsavklaringspenger"),
    ),
    Benefit(
        "disability_pension",
        "disability pension",
        ("uforetrygd", "uføretrygd", "uforepensjon", "uføre", "ufo", "dp"),
    ),
    Benefit("unemployment_benefit", "unemployment benefit", ("dagpenger", "dag")),
    Benefit(
        "rehabilitation_benefit",
        "rehabilitation benefit",
        ("rehabiliteringspenger", "attforingspenger", "attføringspenger", "rehab"),
    ),
    Benefit("retirement_pension", "retirement pension", ("alderspensjon", "afp", "ap")),
    Benefit("other", "other benefit", ("annet", "annen")),
)
"""In the order of their codes: benefit number k is `BENEFITS[k]`."""

BENEFIT_NAMES: Final = tuple(benefit.name for benefit in BENEFITS)

DEFAULT_PRIORITY: Final = (
    "disability_pension",
    "work_assessment_allowance",
    "rehabilitation_benefit",
    "sickness_benefit",
    "unemployment_benefit",
    "retirement_pension",
    "other",
)
"""Which benefit names a day on which several are paid: the most lasting health-related one first."""
