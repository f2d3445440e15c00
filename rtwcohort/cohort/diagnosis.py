"""Diagnosis codes to chapters and groups: ICPC-2 and ICD-10, and which of the two a column holds.

Chapters as in ICPC-2 (Wonca) and ICD-10 (World Health Organization). The three groups are those that Norwegian
sick-leave studies report: musculoskeletal (ICPC-2 L, ICD-10 M), mental (ICPC-2 P, ICD-10 F) and other. ICPC-2 counts
injuries of the locomotor system under L, ICD-10 under S and T: shares of musculoskeletal diagnoses differ between the
systems for that reason alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from rtwcohort.cohort.declaration import known_name
from rtwcohort.errors import CohortError

System = Literal["icpc2", "icd10"]

SYSTEM_NAMES: Final = {"icpc2": "ICPC-2", "icd10": "ICD-10"}

GROUPS: Final = ("musculoskeletal", "mental", "other")
"""The groups that the field reports, in this order."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: its group and the codes that belong to it, as inclusive ranges of letter and two digits."""

    name: str
    group: str
    ranges: tuple[tuple[str, str], ...]


def _letter(letter: str, name: str, group: str = "other") -> Chapter:
    return Chapter(name, group, ((f"{letter}00", f"{letter}99"),))


ICPC2: Final = (
    _letter("A", "general and unspecified"),
    _letter("B", "blood and immune system"),
    _letter("D", "digestive"),
    _letter("F", "eye"),
    _letter("H", "ear"),
    _letter("K", "cardiovascular"),
    _letter("L", "musculoskeletal", "musculoskeletal"),
    _letter("N", "neurological"),
    _letter("P", "psychological", "mental"),
    _letter("R", "respiratory"),
    _letter("S", "skin"),
    _letter("T", "endocrine, metabolic and nutritional"),
    _letter("U", "urological"),
    _letter("W", "pregnancy, childbearing and family planning"),
    _letter("X", "female genital"),
    _letter("Y", "male genital"),
    _letter("Z", "social problems"),
)
"""Chapters of ICPC-2 by letter."""

ICD10: Final = (
    Chapter("infectious and parasitic", "other", (("A00", "B99"),)),
    Chapter("neoplasms", "other", (("C00", "D48"),)),
    Chapter("blood and immune system", "other", (("D50", "D89"),)),
    Chapter("endocrine, metabolic and nutritional", "other", (("E00", "E90"),)),
    Chapter("mental and behavioural", "mental", (("F00", "F99"),)),
    Chapter("nervous system", "other", (("G00", "G99"),)),
    Chapter("eye", "other", (("H00", "H59"),)),
    Chapter("ear", "other", (("H60", "H95"),)),
    Chapter("circulatory", "other", (("I00", "I99"),)),
    Chapter("respiratory", "other", (("J00", "J99"),)),
    Chapter("digestive", "other", (("K00", "K93"),)),
    Chapter("skin", "other", (("L00", "L99"),)),
    Chapter("musculoskeletal", "musculoskeletal", (("M00", "M99"),)),
    Chapter("genitourinary", "other", (("N00", "N99"),)),
    Chapter("pregnancy and childbirth", "other", (("O00", "O99"),)),
    Chapter("perinatal", "other", (("P00", "P96"),)),
    Chapter("congenital", "other", (("Q00", "Q99"),)),
    Chapter("symptoms and abnormal findings", "other", (("R00", "R99"),)),
    Chapter("injury and poisoning", "other", (("S00", "T98"),)),
    Chapter("external causes", "other", (("V01", "Y98"),)),
    Chapter("factors influencing health status", "other", (("Z00", "Z99"),)),
    Chapter("special purposes", "other", (("U00", "U99"),)),
)
"""Chapters of ICD-10 by range of codes."""

CHAPTERS: Final[Mapping[str, tuple[Chapter, ...]]] = {"icpc2": ICPC2, "icd10": ICD10}

_SHAPES: Final = {
    "icpc2": re.compile(r"[ABDFHKLNPRSTUWXYZ][0-9]{2}(?:\.[0-9]{1,2})?"),
    "icd10": re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?[*+]?"),
}
_ICD_ONLY_LETTERS: Final = frozenset("CEGIJMOQV")
_MOST_ODD: Final = 0.01


def tidy_code(code: str) -> str:
    """Return a code in upper case without blanks and hyphens at its ends: " l87 " is "L87"."""
    return code.strip().strip("-").replace(" ", "").upper()


def has_shape(code: str, system: System) -> bool:
    """Tell whether a tidy code can be one of the system.

    ICPC-2: a letter that names a chapter and two digits, perhaps with a national extension after a point. ICD-10: a
    letter, two digits and up to four more signs, with or without the point.
    """
    return _SHAPES[system].fullmatch(code) is not None


def evidence(code: str) -> System | None:
    """Return the only system that a tidy code can come from, None where it can be either or neither.

    Only ICD-10 has the letters C, E, G, I, J, M, O, Q and V, and as a rule more than two digits (a national extension
    of ICPC-2 looks the same: name the system then). A P code is ICPC-2 (psychological): in ICD-10 it would be a
    condition of the newborn, and no newborn is on sick leave.
    """
    if not has_shape(code, "icd10"):
        return None
    if code[0] in _ICD_ONLY_LETTERS:
        return "icd10"
    if code[0] == "P":
        return "icpc2"
    return "icd10" if len(code) > 3 else None


def detect_system(counts: Mapping[str, int]) -> System:
    """Decide from a whole column which system its codes come from.

    Parameters
    ----------
    counts
        Tidy code -> rows.

    Returns
    -------
    "icpc2" or "icd10"
        The system that at least 99 percent of the telling rows point to.

    Raises
    ------
    CohortError
        When no code tells, or both systems are there.
    """
    votes = {"icpc2": 0, "icd10": 0}
    for code, n in counts.items():
        if (system := evidence(code)) is not None:
            votes[system] += n
    total = sum(votes.values())
    remedy = "Say which: system = 'icpc2' or system = 'icd10'."
    if total == 0:
        raise CohortError(
            "`system` is 'auto' but the diagnosis codes do not tell whether they are ICPC-2 or ICD-10 (codes such as "
            f"L87 exist in both; {len(counts)} different codes). {remedy}"
        )
    winner: System = "icpc2" if votes["icpc2"] >= votes["icd10"] else "icd10"
    if total - votes[winner] > _MOST_ODD * total:
        raise CohortError(
            f"`system` is 'auto' but the diagnosis codes are mixed: {votes['icpc2']} rows can only be ICPC-2 and "
            f"{votes['icd10']} only ICD-10. {remedy} Codes of the other system then have no group; "
            "or translate them before loading."
        )
    return winner


def chapter_of(code: str, system: System) -> str | None:
    """Return the chapter of a tidy code, None when the system has no such code."""
    found = _find(code, system)
    return None if found is None else found.name


def group_of(code: str, system: System) -> str | None:
    """Return "musculoskeletal", "mental" or "other", None when the system has no such code."""
    found = _find(code, system)
    return None if found is None else found.group


def own_group_of(code: str, groups: Mapping[str, Iterable[str]]) -> str:
    """Return the first of the user's groups with a code that this one starts with, else "other"."""
    for name, starts in groups.items():
        if any(code.startswith(tidy_code(start)) for start in starts):
            return name
    return "other"


def _find(code: str, system: System) -> Chapter | None:
    known_name(system, CHAPTERS, argument="system", what="coding system")
    if not has_shape(code, system):
        return None
    stem = code[:3]
    for chapter in CHAPTERS[system]:
        if any(first <= stem <= last for first, last in chapter.ranges):
            return chapter
    return None
