"""Everything that a study computed, in plain results; the report formats them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rtwcohort.cohort import Cohort
from rtwcohort.compare import CoxDidFit, DidFit, TwoByTwo
from rtwcohort.models import CoxFit, CumulativeIncidence, Curves, LogRank, ProportionalHazardsTest, Screening
from rtwcohort.outcomes import RtwOutcome
from rtwcohort.register import Register, RegisterCheck
from rtwcohort.study.parts import Parts
from rtwcohort.study.read import Study
from rtwcohort.study.schema import ContrastSection, ModelSection


@dataclass(frozen=True, slots=True)
class Data:
    """The register as it was checked and cleaned.

    Attributes
    ----------
    register
        After cleaning; `register.cleaning` lists what was done.
    check
        Of the register as loaded.
    """

    register: Register
    check: RegisterCheck


@dataclass(frozen=True, slots=True)
class Population:
    """Who was studied and what happened to them.

    Attributes
    ----------
    cohort
        Its flow ends with the people analysed.
    outcome
        One row a person of the cohort.
    frame
        The cohort's columns beside `time`, `event` and `cause`; one row a person analysed.
    status
        Work status by person and day, or None.
    absence
        Absence days by person and window.
    """

    cohort: Cohort
    outcome: RtwOutcome
    frame: pd.DataFrame
    status: pd.DataFrame | None
    absence: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Arms:
    """A comparison of arms.

    Attributes
    ----------
    column, levels
        Column of the frame; its levels, the reference first.
    log_rank
        Over all arms.
    unadjusted
        Cox model of the arm alone.
    two_by_two
        Arm -> return by the horizon against the reference arm, among people whose status at the horizon is known.
    n_unknown
        Arm -> people censored before the horizon, who are not in `two_by_two`.
    unknown_counted
        So few people of an arm were censored before the horizon that leaving them out would tell their number:
        they are in `two_by_two` as not returned, and `n_unknown` is 0.
    """

    column: str
    levels: tuple[str, ...]
    log_rank: LogRank
    unadjusted: CoxFit
    two_by_two: Mapping[str, TwoByTwo]
    n_unknown: Mapping[str, int]
    unknown_counted: bool


@dataclass(frozen=True, slots=True)
class Contrast:
    """One difference-in-differences: of (log) duration by least squares, and of the hazard by Cox."""

    asked: ContrastSection
    duration: DidFit
    hazard: CoxDidFit


@dataclass(frozen=True, slots=True)
class FurtherModel:
    """One of `[[models]]`.

    Attributes
    ----------
    asked, outcome
        As in the study file, the outcome by name.
    fit
        Of the family's own type: all have `tidy`, `glance`, `term_tests` and `describe_choices`.
    frame
        Its rows: one a person, or one a person and day.
    n_people
        People in the fit.
    n_left_out
        Rows without a known outcome.
    notes
        Warnings of the fit.
    margins
        For ordinal GEE with the arm and the wave among its terms: probabilities by arm and wave, else None.
    """

    asked: ModelSection
    outcome: str
    fit: Any
    frame: pd.DataFrame
    n_people: int
    n_left_out: int
    notes: tuple[str, ...]
    margins: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """Curves, models and comparisons.

    Attributes
    ----------
    frame
        The population's, with the arms as a Categorical whose first level is the reference.
    curves, incidence
        Kaplan-Meier, and Aalen-Johansen where anything competes (else None); by arm, or for all.
    univariable
        Term -> model of that term alone, per unit of the data.
    multivariable
        Model of all terms, or None.
    arms
        None without arms.
    models, contrasts
        In the order of the study file.
    screening
        Of `[screening]`, or None.
    proportional_hazards
        Test of each term of `multivariable`, or None.
    notes
        Sentences on what a reader must know about the fits.
    """

    frame: pd.DataFrame
    curves: Curves
    incidence: CumulativeIncidence | None
    univariable: Mapping[str, CoxFit]
    multivariable: CoxFit | None
    arms: Arms | None
    models: tuple[FurtherModel, ...]
    contrasts: tuple[Contrast, ...]
    screening: Screening | None
    proportional_hazards: ProportionalHazardsTest | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A study and everything it computed."""

    study: Study
    parts: Parts
    data: Data
    population: Population
    analysis: Analysis
