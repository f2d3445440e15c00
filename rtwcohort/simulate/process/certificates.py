"""The declaration of how spells are written as register rows: certificates and diagnoses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rtwcohort.core.checks import check_number
from rtwcohort.simulate.process.checks import check_shares

_STRICT: Final = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """How absences become rows of the table `benefits`.

    Attributes
    ----------
    first, later
        Shares of lengths in days of the first certificate of an absence and of the following ones. A certificate ends
        early where the grade changes or the absence ends.
    diagnoses
        Shares of diagnosis codes (ICPC-2 or ICD-10), drawn for each absence. Allowance and pension that follow keep
        the code of the absence; people without one draw theirs.
    same_again
        Share of later absences with the diagnosis of the person's first one.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    first: tuple[tuple[int, float], ...] = ((7, 0.30), (14, 0.40), (21, 0.15), (28, 0.15))
    later: tuple[tuple[int, float], ...] = ((14, 0.25), (21, 0.15), (28, 0.45), (42, 0.15))
    diagnoses: tuple[tuple[str, float], ...] = ()
    same_again: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares that do not add up and lengths below a day."""
        for name, shares in (("first", self.first), ("later", self.later)):
            check_shares(shares, argument=f"certificates.{name}")
            for days, _ in shares:
                check_number(days, argument=f"days of certificates.{name}", least=1, most=3650, whole=True)
        if self.diagnoses:
            check_shares(self.diagnoses, argument="certificates.diagnoses")
        check_number(self.same_again, argument="certificates.same_again", least=0.0, most=1.0)
