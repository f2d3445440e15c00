"""A synthetic copy of a real register, with what it is good for and what it gives away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import iso
from rtwcohort.errors import RegisterError
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.register import check_register
from rtwcohort.register.register import Register
from rtwcohort.simulate.partitions import Format, write_tables
from rtwcohort.simulate.synthesise.draw import FIRST_ID, draw_register
from rtwcohort.simulate.synthesise.fitted import Fitted, fit_register
from rtwcohort.simulate.synthesise.limits import FLOOR_CELL, LEAST_CELL
from rtwcohort.simulate.synthesise.matches import fresh_persons
from rtwcohort.simulate.synthesise.privacy import Privacy, privacy_report
from rtwcohort.simulate.synthesise.utility import Estimator, Utility, utility_report

LEAST_N: Final = 100
"""The fewest people that can be asked for."""
_MORE_IDS: Final = 1_000_000_000
_HALF_SEED: Final = 1_000_003


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A synthetic register.

    Attributes
    ----------
    tables
        Table name -> frame in canonical columns: the tables that the real register has.
    fitted
        The aggregates that it was drawn from: hazards, margins, correlations. Nothing of a single person.
    n, seed, least
        As asked: people, seed, people behind every aggregate.
    utility, privacy
        The reports; None when not asked for.
    """

    tables: Mapping[str, pd.DataFrame]
    fitted: Fitted
    n: int
    seed: int
    least: int
    utility: Utility | None
    privacy: Privacy | None

    def describe(self) -> str:
        """Return what was done and both reports as plain text."""
        fitted = self.fitted
        who = "a cohort, followed from its index dates" if fitted.cohort else f"everybody from {iso(fitted.opened)}"
        lines = [
            f"Synthetic register: {self.n} people, seed {self.seed}; {who} to {iso(fitted.end - 1)}.",
            f"Every aggregate rests on {self.least} people or more.",
            *(f"  - {note}" for note in fitted.notes),
        ]
        lines += [report.describe() for report in (self.utility, self.privacy) if report is not None]
        return "\n".join(lines)

    def write(self, folder: str | Path, *, format: Format = "csv") -> list[Path]:
        """Write the tables and a README with both reports to a new or empty folder: all of it or nothing.

        Raises
        ------
        OutputError
            When the folder holds files, cannot be written, or the disk fills up.
        """
        readme = f"# A synthetic register\n\nNo row is that of a real person.\n\n```text\n{self.describe()}\n```\n"
        return write_tables(self.tables, folder, format=format, readme=readme)


def synthesise(
    register: Register,
    *,
    seed: int,
    n: int | None = None,
    least: int = LEAST_CELL,
    rule: str | RtwRule = "gismervik_2020",
    estimators: Mapping[str, Estimator] | None = None,
    reports: bool = True,
) -> Synthesis:
    """Make a synthetic copy of a register: fit the simulator to it, and draw new people.

    Parameters
    ----------
    register
        Cleaned. People enrolled are followed from their index dates; without enrolment everybody from the month in
        which spells begin to be complete.
    seed
        Whole number of at least 0. Equal registers, arguments and seeds give equal tables on one machine; on another
        the last bits of a fit may differ, and with them a few rows. Keep it secret: with the aggregates it gives the
        tables.
    n
        People to draw; None draws as many as have follow-up.
    least
        People behind every rate, share, quantile and covariate: 5 or more. What fewer people share is pooled, or left
        out and counted.
    rule
        Of return to work, for the utility report.
    estimators
        "cox" -> estimator, for hazard ratios in the utility report: `rtwcohort.study.fidelity_estimators` has it.
    reports
        Whether to compare and to attack. The attack fits half of the people once more.

    Returns
    -------
    Synthesis
        Tables and reports.

    Raises
    ------
    RegisterError
        When the register has faults that cleaning would mend, fewer than 200 people with follow-up, or fewer than 50
        who leave sickness benefit.
    ArgumentError
        When an argument breaks its rule.

    Notes
    -----
    What is fitted: rates of every move by time in the state (occurrence over exposure), the week in which the
    entitlement runs out where one shows, ratios for arms, age, sex, baseline scores and others, season, frailty of
    onset, the spread between clusters; margins as shares and quantiles, each a mean of several people's values; a
    Gaussian copula with noise; certificates, grades, diagnoses, earlier runs of benefit, jobs, answers. Later answers
    hang on how the first year went. What is not: calendar trends, interactions, what one employer or one
    municipality has of its own.

    This is not differential privacy: there is no mathematical bound on what an attacker may learn. The privacy report
    is evidence about the method on this register, not a proof. Whether the copy may leave is for the owner of the
    register to decide.
    """
    check_number(seed, argument="seed", least=0, whole=True)
    check_number(least, argument="least", least=FLOOR_CELL, whole=True)
    if n is not None:
        check_number(n, argument="n", least=LEAST_N, whole=True)
    if not check_register(register).ok:
        raise RegisterError(
            "`register` must have no fault that cleaning would mend, for faults would be fitted too. Run "
            "`clean_register` first; `check_register` lists what it finds."
        )
    fitted = fit_register(register, seed=seed, least=least)
    size = fitted.n if n is None else int(n)
    tables = _draw(register, fitted, size, seed)
    utility, privacy = None, None
    if reports:
        utility = utility_report(register, tables, rule=rule, estimators=estimators, least=least)

        def again(half: Register) -> Mapping[str, pd.DataFrame]:
            of_half = fit_register(half, seed=seed + _HALF_SEED, least=least, check=False)
            return draw_register(of_half, n=of_half.n, seed=seed + _HALF_SEED, first_id=_free_ids(register))

        privacy = privacy_report(register, tables, resynthesise=again, seed=seed, least=least)
    return Synthesis(tables, fitted, size, int(seed), int(least), utility, privacy)


def _draw(register: Register, fitted: Fitted, n: int, seed: int) -> dict[str, pd.DataFrame]:
    tables = draw_register(fitted, n=n, seed=seed, first_id=_free_ids(register))
    tables["persons"] = fresh_persons(register, tables["persons"])
    return tables


def _free_ids(register: Register) -> int:
    """Return the first of a range of identifiers that no real person has."""
    ids: Any = register.persons["person_id"].to_numpy()
    first = FIRST_ID
    if ids.dtype.kind in "iu":
        while ((ids >= first) & (ids < first + _MORE_IDS)).any():
            first += _MORE_IDS
    return first
