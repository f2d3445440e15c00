"""Return to work is a rule: a frozen declaration with a name and a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rtwcohort.register.benefits import BENEFIT_NAMES

Hold = Literal["consecutive", "mean", "increase", "point"]
Calendar = Literal["days", "iso_weeks", "windows", "months"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RtwRule:
    """A definition of return to work as data. See the contract for the meaning of each field."""

    name: str
    source: str
    benefits: tuple[str, ...] = BENEFIT_NAMES
    max_grade: float = 0.0
    min_work_share: float | None = None
    hold: Hold = "consecutive"
    length: int = 28
    unit: Literal["days", "weeks", "months"] = "days"
    calendar: Calendar = "days"
    event_date: Literal["start", "confirmed"] = "start"
    confirmation: Literal["may_pass_horizon", "by_horizon"] = "may_pass_horizon"
    competing: tuple[str, ...] = ("disability_pension", "death")
