"""What an instrument is: items, scale, scoring, missing rule, direction, cut-offs and source, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scoring = Literal["sum", "mean", "single", "sum_percent"]
MissingRule = Literal["complete", "prorate"]
Operator = Literal[">", ">=", "<", "<=", "=="]


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """One published threshold on a score.

    Attributes
    ----------
    label
        What a score beyond it is called: "strong belief", "possible case".
    operator, value
        The score has the label when `score operator value` holds.
    source
        Where the threshold was read.
    """

    label: str
    operator: Operator
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """A published internal consistency: Cronbach's alpha, the number of people and the study."""

    alpha: float
    n: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A scale that is computed from answered items.

    Attributes
    ----------
    name, label
        Name in our tables and files ("FABQ-W"); words for tables.
    family
        The questionnaire that the items belong to. Rows whose `instrument` is the family's name count as
        well as rows with the scale's own name.
    items
        The items that enter the score, as text.
    statements
        All items of this part of the questionnaire; those not in `items` are known but not scored.
    least, most
        Range of one answer, as answered.
    whole
        Whether answers must be whole numbers.
    scoring
        "sum", "mean", "single" (one item) or "sum_percent" (the sum as a percentage of its range).
    reversed_items
        Items scored as `least + most - answer`.
    missing
        "complete": every item must be answered. "prorate": the mean of the answered items stands for the
        missing ones once `min_answered` are answered.
    min_answered
        Least number of answered items under "prorate"; the number of items under "complete".
    direction
        What a high score means, in words.
    cut_offs
        Published thresholds.
    reliability
        Published internal consistencies.
    source
        Where items, range and scoring were read.
    used_by
        Studies that used it, as short labels.
    ordered
        Whether a higher score means more of something; False for codes without an order.
    not_computable
        Why no score is computed unless the user says which items are turned round; empty for every other instrument.
    note
        What the sources leave open.
    """

    name: str
    label: str
    family: str
    items: tuple[str, ...]
    least: float
    most: float
    scoring: Scoring
    direction: str
    source: str
    used_by: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    whole: bool = True
    reversed_items: tuple[str, ...] = ()
    missing: MissingRule = "complete"
    min_answered: int = 0
    cut_offs: tuple[CutOff, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    ordered: bool = True
    not_computable: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Fill in what follows from the rest and refuse a declaration that contradicts itself."""
        if not self.statements:
            object.__setattr__(self, "statements", self.items)
        if not self.min_answered:
            object.__setattr__(self, "min_answered", len(self.items))
        stray = (set(self.items) - set(self.statements)) | (set(self.reversed_items) - set(self.items))
        if stray or len(set(self.statements)) < len(self.statements) or not self.least < self.most:
            raise ValueError(f"The declaration of instrument {self.name!r} contradicts itself.")

    @property
    def score_range(self) -> tuple[float, float]:
        """Lowest and highest possible score."""
        if self.scoring == "sum":
            return self.least * len(self.items), self.most * len(self.items)
        if self.scoring == "sum_percent":
            return 0.0, 100.0
        return self.least, self.most
