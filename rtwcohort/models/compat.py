"""Defaults of other programs, declared as data: what `compat=` sets where an argument is not given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Compat = Literal["r", "stata", "sas", "spss"]
COMPAT_NAMES: Final = ("r", "stata", "sas", "spss")


@dataclass(frozen=True, slots=True)
class CoxDefaults:
    """What a program does in a Cox regression when nothing is asked for.

    Attributes
    ----------
    program
        Its name and command.
    ties
        Treatment of tied event times.
    reference
        Which category of a categorical predictor is the reference.
    small_sample
        Whether the sandwich is multiplied by G/(G - 1) for G clusters, or n/(n - 1) without.
    bic_counts
        Whether BIC takes the logarithm of events or of rows.
    source
        Where that is said.
    """

    program: str
    ties: Literal["efron", "breslow"]
    reference: Literal["first", "last"]
    small_sample: bool
    bic_counts: Literal["events", "rows"]
    source: str


COX_OWN: Final = CoxDefaults("rtwcohort", "efron", "first", False, "events", "docs/explanation/cox.md")
"""What is done without `compat`."""

COX_COMPAT: Final[dict[str, CoxDefaults]] = {
    "r": CoxDefaults(
        "R survival::coxph",
        "efron",
        "first",
        False,
        "events",
        "survival 3.5-3, help pages coxph, logLik.coxph; contr.treatment",
    ),
    "stata": CoxDefaults(
        "Stata stcox",
        "breslow",
        "first",
        True,
        "rows",
        "Stata 18 manuals: [ST] stcox (breslow the default), [P] _robust, [R] BIC note, [U] 11.4.3 factor variables",
    ),
    "sas": CoxDefaults(
        "SAS PROC PHREG",
        "breslow",
        "last",
        False,
        "events",
        "SAS/STAT 15.2 User's Guide, PHREG: MODEL TIES=, CLASS PARAM=REF REF=LAST, COVS, SBC",
    ),
    "spss": CoxDefaults(
        "SPSS COXREG",
        "breslow",
        "last",
        False,
        "events",
        "SPSS Command Syntax Reference, COXREG: CONTRAST INDICATOR with the last category; from version 30 on the "
        "reference page says the first",
    ),
}
"""Program -> its defaults. COXREG has no sandwich and prints no BIC; those two are then ours."""


@dataclass(frozen=True, slots=True)
class OrdinalGeeDefaults:
    """What a program does in an ordinal GEE when nothing is asked for.

    Attributes
    ----------
    program
        Its name and command.
    information
        Bread of the sandwich under independence.
    reference
        Which category of a categorical predictor is the reference.
    sign
        +1 where it prints effects of threshold_j - x'b, -1 where it prints those of threshold_j + x'b.
    small_sample
        Whether the sandwich is multiplied by G/(G - 1).
    associations
        Working associations that it offers.
    source
        Where that is said.
    """

    program: str
    information: Literal["expected", "observed"]
    reference: Literal["first", "last"]
    sign: Literal[1, -1]
    small_sample: bool
    associations: tuple[str, ...]
    source: str


ORDINAL_GEE_OWN: Final = OrdinalGeeDefaults(
    "rtwcohort",
    "expected",
    "first",
    1,
    False,
    ("independence", "exchangeable", "ar1", "unstructured", "global_odds_ratio"),
    "docs/explanation/ordinal_gee.md",
)
"""What is done without `compat`."""

ORDINAL_GEE_COMPAT: Final[dict[str, OrdinalGeeDefaults]] = {
    "r": OrdinalGeeDefaults(
        "R multgee::ordLORgee",
        "expected",
        "first",
        -1,
        False,
        ("independence",),
        "multgee 1.9, ordLORgee: LORstr='independence'; its other structures are of local odds ratios; contr.treatment",
    ),
    "stata": OrdinalGeeDefaults(
        "Stata ologit, vce(cluster id)",
        "observed",
        "first",
        1,
        True,
        ("independence",),
        "Stata 18 manuals: [R] ologit, [P] _robust; there is no ordinal GEE (xtgee has no ordinal family)",
    ),
    "sas": OrdinalGeeDefaults(
        "SAS PROC GENMOD, REPEATED TYPE=IND",
        "expected",
        "last",
        -1,
        False,
        ("independence",),
        "SAS/STAT 15.2 User's Guide, GENMOD: DIST=MULTINOMIAL allows TYPE=IND only; CLASS with REF=LAST",
    ),
    "spss": OrdinalGeeDefaults(
        "SPSS GENLIN, REPEATED CORRTYPE=INDEPENDENT",
        "expected",
        "last",
        1,
        False,
        ("independence",),
        "SPSS Command Syntax Reference, GENLIN: DISTRIBUTION=MULTINOMIAL; the last category of a factor is redundant",
    ),
}
"""Program -> its defaults for ordinal GEE."""


@dataclass(frozen=True, slots=True)
class OrdinalDefaults:
    """The defaults of one program.

    Attributes
    ----------
    program
        Its name and the command.
    information
        Whose inverse its standard errors come from.
    sign
        +1 for threshold - x'b, -1 for threshold + x'b.
    reference
        Which level of a category is the reference.
    cluster_correction, robust_correction
        Whether a sandwich over G clusters is multiplied by G/(G - 1), one over n rows by n/(n - 1).
    words
        What else a reader of its output should know.
    source
        Where this is written.
    """

    program: str
    information: Literal["observed", "expected"]
    sign: int
    reference: Literal["first", "last"]
    cluster_correction: bool
    robust_correction: bool
    words: str
    source: str


ORDINAL_COMPAT: Final[dict[str, OrdinalDefaults]] = {
    "r": OrdinalDefaults(
        "R, MASS::polr and ordinal::clm",
        "observed",
        1,
        "first",
        False,
        False,
        "The sandwich is that of vcovCL(type = 'HC0', cadjust = FALSE); VGAM::vglm has the expected information and "
        "threshold + x'b instead.",
        "help pages of MASS::polr and ordinal::clm",
    ),
    "stata": OrdinalDefaults(
        "Stata, ologit and oprobit",
        "observed",
        1,
        "first",
        True,
        True,
        "Its cut points are our thresholds. vce(robust) has n/(n - 1), vce(cluster) G/(G - 1).",
        "Stata Base Reference Manual, [R] ologit, and [P] _robust",
    ),
    "sas": OrdinalDefaults(
        "SAS, PROC LOGISTIC",
        "expected",
        -1,
        "last",
        False,
        False,
        "It models threshold + x'b of the lower categories, so effects have the opposite sign; with DESCENDING it "
        "models the higher ones: effects as ours, intercepts our thresholds with the opposite sign, in reverse order. "
        "Its CLASS statement codes effects unless PARAM=REF is given; here the last level is the reference.",
        "SAS/STAT User's Guide, The LOGISTIC Procedure: Iterative Algorithms for Model Fitting; CLASS statement",
    ),
    "spss": OrdinalDefaults(
        "SPSS, PLUM",
        "expected",
        1,
        "last",
        False,
        False,
        "Its threshold and location estimates are ours; the last level of a factor is the reference. That its "
        "standard errors come from the expected information is as far as we know.",
        "IBM SPSS Statistics Algorithms, PLUM",
    ),
}
"""Program -> its defaults."""


@dataclass(frozen=True, slots=True)
class GlmDefaults:
    """What a program does in logistic and count regression and in a binary or count GEE when nothing is asked for.

    Attributes
    ----------
    program
        Its name.
    reference
        Which category of a categorical predictor is the reference.
    small_sample
        Whether the sandwich is multiplied by G/(G - 1) for G clusters, or n/(n - 1) without.
    moments
        Which estimator of the working correlation it has, by the names of `gee_correlation`.
    information
        Of a negative binomial: joint with its dispersion ("observed"), or with it taken as known ("expected").
    source
        Where that is said.
    """

    program: str
    reference: Literal["first", "last"]
    small_sample: bool
    moments: Literal["r", "sas", "stata"]
    information: Literal["observed", "expected"]
    source: str


GLM_OWN: Final = GlmDefaults("rtwcohort", "first", False, "r", "observed", "docs/explanation/models_other.md")
"""What is done without `compat`."""

GLM_COMPAT: Final[dict[str, GlmDefaults]] = {
    "r": GlmDefaults(
        "R",
        "first",
        False,
        "r",
        "expected",
        "contr.treatment; sandwich 3.0-2, sandwich() and vcovCL(cadjust = FALSE); geepack 1.3.9, geeglm; MASS, glm.nb",
    ),
    "stata": GlmDefaults(
        "Stata",
        "first",
        True,
        "stata",
        "observed",
        "Stata 18 manuals: [U] 11.4.3 factor variables, [P] _robust, [XT] xtgee (methods and formulas), [R] nbreg",
    ),
    "sas": GlmDefaults(
        "SAS",
        "last",
        False,
        "sas",
        "observed",
        "SAS/STAT 15.2 User's Guide: CLASS PARAM=REF REF=LAST; GENMOD, REPEATED (working correlation; robust variance)",
    ),
    "spss": GlmDefaults(
        "SPSS",
        "last",
        False,
        "sas",
        "observed",
        "SPSS Command Syntax Reference: LOGISTIC REGRESSION, CONTRAST INDICATOR; GENLIN, ADJUSTCORR=YES",
    ),
}
"""Program -> its defaults."""
