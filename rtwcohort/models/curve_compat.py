"""What other programs do with survival curves when nothing is asked for, declared as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rtwcohort.models.curve_interval import ConfType

Compat = Literal["r", "stata", "sas", "spss"]
Flat = Literal["middle", "first"]
FLATS: Final = ("middle", "first")


@dataclass(frozen=True, slots=True)
class CurveDefaults:
    """Defaults of one program.

    Attributes
    ----------
    program
        Its name and command.
    conf_type
        Scale of the pointwise interval.
    flat
        Quantile where the curve is flat at exactly that height: the "middle" of the flat part, or its "first" time.
    source
        Where that is said.
    """

    program: str
    conf_type: ConfType
    flat: Flat
    source: str


CURVE_OWN: Final = CurveDefaults("rtwcohort", "log", "middle", "docs/explanation/curves.md")
"""What is done without `compat`."""

CURVE_COMPAT: Final[dict[str, CurveDefaults]] = {
    "r": CurveDefaults("R survival::survfit", "log", "middle", "survival 3.5-3, help pages survfit.formula, quantile"),
    "stata": CurveDefaults(
        "Stata sts, stci", "log-log", "first", "Stata 18 manual [ST], methods and formulas of sts list and stci"
    ),
    "sas": CurveDefaults(
        "SAS PROC LIFETEST", "log-log", "middle", "SAS/STAT 15.2 User's Guide, LIFETEST: CONFTYPE=LOGLOG, quartiles"
    ),
    "spss": CurveDefaults(
        "SPSS KM", "plain", "first", "SPSS Statistics Algorithms, KM: standard errors of the survival; percentiles"
    ),
}
"""Program -> its defaults. SPSS prints no interval of the curve, and its median +- z se is not made here."""
