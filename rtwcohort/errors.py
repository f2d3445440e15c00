"""The error tree and the exit codes of the command line.

Every error that a researcher can cause derives from `RtwCohortError`. Its message names the
argument, the rule, what came and the way out. The command line prints it in a few lines and
leaves with `exit_code`; our own faults keep their traceback.
"""

from __future__ import annotations

from typing import ClassVar


class RtwCohortError(Exception):
    """Base of every error that the user's input can cause."""

    exit_code: ClassVar[int] = 2


class ArgumentError(RtwCohortError, ValueError):
    """An argument breaks its rule (a wrong choice, a negative length, ...)."""

    exit_code: ClassVar[int] = 2


class StudyFileError(RtwCohortError):
    """The study file cannot be read or asks for something that does not exist."""

    exit_code: ClassVar[int] = 3


class RegisterError(RtwCohortError):
    """The register cannot be read, or a table breaks its declaration."""

    exit_code: ClassVar[int] = 4


class CohortError(RtwCohortError):
    """No cohort can be made: nobody is eligible, an index date is missing, ..."""

    exit_code: ClassVar[int] = 5


class DesignError(RtwCohortError):
    """A formula or a predictor gives no usable design matrix."""

    exit_code: ClassVar[int] = 6


class ConvergenceError(RtwCohortError):
    """A fit has no finite solution or did not reach it."""

    exit_code: ClassVar[int] = 7


class OutputError(RtwCohortError):
    """The results cannot be written where they were asked for."""

    exit_code: ClassVar[int] = 8


class ScenarioError(RtwCohortError, ValueError):
    """A scenario cannot be read, contradicts itself or asks for something impossible."""

    exit_code: ClassVar[int] = 9


class RtwCohortWarning(UserWarning):
    """Base of every warning; each kind has its own class."""
