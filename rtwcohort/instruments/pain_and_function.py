"""Scales of pain, function, complaints and quality of life in return-to-work trials.

Where a source prints the range of the score and not how items make it, the total is taken as given and its range
checked, as for the Work Ability Index.
"""

from __future__ import annotations

from typing import Final

from rtwcohort.instruments.instrument import Instrument

_AS_GIVEN: Final = "Takes the total as given: how items make it is not stated in the source at hand."


def _single(
    name: str,
    label: str,
    least: float,
    most: float,
    direction: str,
    used_by: tuple[str, ...],
    *,
    item: str = "1",
    family: str = "",
    whole: bool = False,
    note: str = "",
) -> Instrument:
    return Instrument(
        name=name,
        label=label,
        used_by=used_by,
        family=family or name,
        items=(item,),
        least=least,
        most=most,
        whole=whole,
        scoring="single",
        direction=direction,
        source="as described in " + " and ".join(used_by),
        note=note,
    )


_SF36: Final = {
    "GH": "General health",
    "PF": "Physical functioning",
    "SF": "Social functioning",
    "MH": "Mental health",
}

PAIN_AND_FUNCTION: Final[tuple[Instrument, ...]] = (
    _single(
        "PAIN-VAS",
        "Pain, visual analogue scale",
        0,
        10,
        "high = worse",
        ("Meijer 2006",),
        note="Lambeek 2010 used a visual analogue scale without stating its length.",
    ),
    _single(
        "PAIN-NRS",
        "Pain, numeric scale 0-10",
        0,
        10,
        "high = worse",
        ("Moll 2018",),
        whole=True,
        note="Moll 2018 calls a reduction of at least 2 points clinically important (a change, not a cut-off).",
    ),
    _single("PAIN-NRS-1-10", "Pain, numeric scale 1-10", 1, 10, "high = worse", ("Gismervik 2020",), whole=True),
    _single(
        "OMPQ-PAIN",
        "Pain (Örebro Musculoskeletal Pain Questionnaire)",
        0,
        10,
        "high = worse",
        ("Bültmann 2009",),
        family="OMPQ",
        item="pain",
    ),
    Instrument(
        name="LBP-RATING",
        label="Back and leg pain (Low Back Pain Rating Scale)",
        used_by=("Jensen 2011",),
        family="LBP-RATING",
        items=("1", "2", "3", "4", "5", "6"),
        least=0,
        most=10,
        whole=False,
        scoring="sum",
        direction="high = worse",
        source="as described in Jensen 2011: six visual analogue scales of 0-10, added to 0-60",
        note="That high is worse is implied, not stated. No rule for missing items was found: all six are required.",
    ),
    _single(
        "OSWESTRY",
        "Oswestry Low Back Pain Disability Questionnaire",
        0,
        100,
        "high = more disability",
        ("Bültmann 2009",),
        item="total",
        note=_AS_GIVEN
        + " That source prints high as better, which contradicts the effect it reports; here the usual direction.",
    ),
    _single(
        "15D",
        "Health-related quality of life (15D)",
        0,
        1,
        "high = better",
        ("Gismervik 2020",),
        item="total",
        note=_AS_GIVEN,
    ),
    *(
        _single(
            f"SF-36-{part}",
            f"{words} (SF-36)",
            0,
            100,
            "high = better",
            ("Jensen 2011", "Brouwers 2006"),
            family="SF-36",
            item=part.lower(),
            note=_AS_GIVEN + " The range is printed for mental health, and taken for the others.",
        )
        for part, words in _SF36.items()
    ),
    _single(
        "SHC",
        "Subjective Health Complaints Inventory, total",
        0,
        87,
        "high = more complaints",
        ("Gismervik 2020",),
        item="total",
        whole=True,
        note=_AS_GIVEN,
    ),
    _single(
        "MPI-PAIN",
        "Pain (Multidimensional Pain Inventory)",
        0,
        6,
        "high = worse (implied)",
        ("Marhold 2001",),
        item="total",
        note=_AS_GIVEN,
    ),
    _single(
        "BDI",
        "Beck Depression Inventory",
        0,
        63,
        "high = more symptoms (implied)",
        ("Marhold 2001",),
        item="total",
        whole=True,
        note=_AS_GIVEN,
    ),
)
