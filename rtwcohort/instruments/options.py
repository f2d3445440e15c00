"""Where sources leave a scoring rule open: the choices, the default and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from rtwcohort.core.checks import check_choice, did_you_mean
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.instrument import Instrument

ItemChoice = Literal["published", "all"]
Reversals = Literal["declared", "all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringOption:
    """One rule that the sources leave open.

    Attributes
    ----------
    instruments
        Families or scales that it concerns.
    function, argument
        Where it is chosen.
    choices
        Choice -> meaning; the first is the default.
    why
        What the sources say, and why the default is the default.
    """

    instruments: tuple[str, ...]
    function: str
    argument: str
    choices: dict[str, str]
    why: str


OPTIONS: Final[tuple[ScoringOption, ...]] = (
    ScoringOption(
        instruments=("FABQ-PA", "FABQ-W"),
        function="score_instrument",
        argument="items",
        choices={
            "published": "items 2-5, and 6, 7, 9, 10, 11, 12 and 15: 0-24 and 0-42",
            "all": "all 5 and all 11 statements: 0-30 and 0-66",
        },
        why="The Hernes cohort names 5 and 11 statements but ranges of 0-24 and 0-42, as the published items give.",
    ),
    ScoringOption(
        instruments=("DCSQ-DEMANDS", "DCSQ-CONTROL", "DCSQ-SUPPORT"),
        function="score_instrument",
        argument="reversals",
        choices={
            "declared": "all items but 4 (enough time) and 9 (the same thing over and over)",
            "all": "every item",
            "none": "no item: a high score then means little",
        },
        why=(
            "Answer 1 means often and a high score shall mean high, so items are turned round; no source names those "
            "that are not, and two say the opposite of their scale by their wording. A list of items is taken too."
        ),
    ),
    ScoringOption(
        instruments=("OMPSQ-SF",),
        function="score_instrument",
        argument="reversals",
        choices={"(a list of items)": "items scored as 10 less the answer"},
        why="Some items are turned round, and no source at hand names them: no default, and no score without a list.",
    ),
    ScoringOption(
        instruments=("DCSQ",),
        function="job_strain",
        argument="formula",
        choices={
            "quadrants": "demands above and control below the median of the study, both strictly",
            "ratio": "mean item of demands divided by mean item of control above 1",
            "difference": "mean item of demands less mean item of control above 0",
        },
        why=(
            "The Hernes cohort uses strain as a predictor without a formula; the IPD-Work consortium uses quadrants. "
            "`ratio` and `difference` are also given as numbers. Above 1 and above 0 are the same people."
        ),
    ),
    ScoringOption(
        instruments=("BELIEF",),
        function="classify",
        argument="label",
        choices={"(the score)": "mean of 11 items, 1-3", "strong belief": "a mean of 3, against less than 3"},
        why="The source describes both and does not say which its models used; the mean keeps the information.",
    ),
    ScoringOption(
        instruments=("HSCL-10", "HSCL-25"),
        function="classify",
        argument="operator",
        choices={
            "(declared)": "at least 1.85 for 10 items; above 1.75 for 25",
            ">": "strictly above",
            ">=": "at or above",
        },
        why=(
            "Users write both. With whole answers a mean of 7 to 10 items is never 1.85; 25 items give 1.75 only when "
            "some are missing, such as 42 points on 24."
        ),
    ),
    ScoringOption(
        instruments=("HADS-A", "HADS-D"),
        function="score_instrument",
        argument="missing",
        choices={
            "prorate": "the half rule: the mean of at least 4 of 7 answered items stands for the others",
            "complete": "all 7 items",
        },
        why="The half rule by subscale is the published recommendation; 3 of 7 is less than half.",
    ),
    ScoringOption(
        instruments=("WORK-STATUS",),
        function="answered_work_status",
        argument="graded_benefit",
        choices={"not_in_work": "level 1, as in the methods", "partly_in_work": "level 2, as in the table footnotes"},
        why="The Hernes cohort's methods and footnotes disagree.",
    ),
)
"""Every open rule, with the choices."""


def choose(declared: Instrument, items: ItemChoice, reversals: Reversals | Sequence[str]) -> Instrument:
    """Return the instrument with these choices made.

    Raises
    ------
    ArgumentError
        For an unknown choice, an item that the scale does not have, and a scale that cannot be scored without
        `reversals`.
    """
    check_choice(items, get_args(ItemChoice), argument="items")
    scored = declared.statements if items == "all" else declared.items
    if isinstance(reversals, str):
        check_choice(reversals, get_args(Reversals), argument="reversals")
        if declared.not_computable:
            raise ArgumentError(
                f"`instrument` {declared.name} is not computable as declared: {declared.not_computable}. If you know "
                "them, list them in `reversals`."
            )
        turned = {"declared": declared.reversed_items, "all": scored, "none": ()}[reversals]
    else:
        turned = _listed(declared, reversals)
    if scored == declared.items and turned == declared.reversed_items and not declared.not_computable:
        return declared
    least = len(scored) if declared.missing == "complete" else declared.min_answered
    return replace(declared, items=scored, reversed_items=turned, min_answered=least, not_computable="")


def _listed(declared: Instrument, items: Sequence[str]) -> tuple[str, ...]:
    """Return those of the listed items that belong to this scale; items of its questionnaire may be listed together."""
    return tuple(item for item in declared.items if item in {str(one) for one in items})


def check_listed(scales: Sequence[Instrument], reversals: Reversals | Sequence[str]) -> None:
    """Raise when `reversals` lists an item that none of the scales has."""
    if isinstance(reversals, str):
        return
    known = [item for scale in scales for item in scale.statements]
    for item in reversals:
        if str(item) not in known:
            names = " and ".join(scale.name for scale in scales)
            raise ArgumentError(
                f"`reversals` lists the item {item!r}, which {names} do not have.{did_you_mean(str(item), known)}"
            )
