"""Tolerances and limits of an iterative fit, checked once and kept in its result."""

from __future__ import annotations

from dataclasses import dataclass

from rtwcohort.core.checks import check_number


@dataclass(frozen=True, slots=True)
class Control:
    """When a fit by Newton-Raphson stops.

    Attributes
    ----------
    loglik_tolerance
        Largest relative change of the log-likelihood in the last step.
    score_tolerance
        Largest length of the remaining Newton step, measured in standard errors: the square root of
        score' x inverse(information) x score. That last step is still taken, so that the error left is its square.
    singular_tolerance
        A scaled pivot of the information matrix below this counts as zero.
    max_iterations
        Newton steps before `ConvergenceError`.
    max_halvings
        Times that one step is halved while the log-likelihood falls.

    Raises
    ------
    ArgumentError
        When a tolerance is not between 0 and 0.01 or a limit is not a whole number of at least 1.
    """

    loglik_tolerance: float = 1e-9
    score_tolerance: float = 1e-6
    singular_tolerance: float = 1e-12
    max_iterations: int = 50
    max_halvings: int = 30

    def __post_init__(self) -> None:
        """Check every tolerance and limit."""
        for name in ("loglik_tolerance", "score_tolerance", "singular_tolerance"):
            check_number(getattr(self, name), argument=name, least=1e-15, most=0.01)
        for name in ("max_iterations", "max_halvings"):
            check_number(getattr(self, name), argument=name, least=1, most=10_000, whole=True)


DEFAULT_CONTROL = Control()
"""The tolerances used when none are given."""
