"""The estimating equations solved: Newton steps under independence, Fisher scoring and moments under association."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from rtwcohort.core.control import Control
from rtwcohort.errors import ConvergenceError, DesignError
from rtwcohort.models.links import LINKS
from rtwcohort.models.newton import NewtonResult, SingularInformationError, maximise
from rtwcohort.models.ordinal_gee_association import Estimator
from rtwcohort.models.ordinal_gee_association_kernel import Association, association_pass
from rtwcohort.models.ordinal_gee_independence_kernel import independence_pass
from rtwcohort.models.ordinal_gee_logit_kernel import logit_pass
from rtwcohort.models.ordinal_gee_odds_pass_kernel import odds_pass
from rtwcohort.models.ordinal_gee_panel import PanelData, blocks_of, new_sums, run_blocks, sample_of, whole
from rtwcohort.models.ordinal_gee_row_kernel import LOGIT, Sums

Floats = npt.NDArray[np.float64]
_ROWS: Final = 8_000
_SHORT_ROWS: Final = 60_000
_LINEAR: Final = 0.1
_ASSOCIATION_TOLERANCE: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Equations:
    """What is solved.

    Attributes
    ----------
    data
        The panel.
    link
        Its name.
    diagonal
        Whether the cut-points of one wave count as independent.
    names
        Of the parameters, thresholds first, for the messages.
    """

    data: PanelData
    link: str
    diagonal: bool
    names: tuple[str, ...]

    @property
    def m(self) -> int:
        """Number of thresholds."""
        return self.data.n_categories - 1

    @property
    def q(self) -> int:
        """Number of parameters."""
        return self.m + int(self.data.panel.X.shape[1])


def independence_sums(
    equations: Equations,
    at: Floats,
    *,
    observed: bool = False,
    squares: bool = False,
    block: tuple[int, int] | None = None,
) -> tuple[float, Sums]:
    """Return the log-likelihood and the sums at parameters `at`.

    Parameters
    ----------
    equations, at
        What is solved, and the parameters in standardised columns, shape (q,).
    observed
        Whether the information is the observed one.
    squares
        Whether the meat is added up.
    block
        First and last cluster, to have the sums of each; all clusters together when None.
    """
    m, data = equations.m, equations.data
    theta, beta, code = np.ascontiguousarray(at[:m]), np.ascontiguousarray(at[m:]), LINKS[equations.link].code

    short = code == LOGIT and not equations.diagonal and block is None

    def work(first: int, last: int) -> tuple[float, Sums]:
        sums = new_sums(equations.q, clusters=1 if block is None else last - first)
        if short:
            loglik = logit_pass(data.panel, first, last, observed, squares, theta, beta, sums)
            if not np.isnan(loglik):
                return loglik, sums
            sums = new_sums(equations.q)
        diagonal = equations.diagonal
        loglik = independence_pass(data.panel, first, last, code, diagonal, observed, squares, theta, beta, sums)
        return loglik, sums

    parts = run_blocks(work, blocks_of(data, _SHORT_ROWS if short else _ROWS) if block is None else [block])
    return sum(part[0] for part in parts), _joined([part[1] for part in parts])


def association_sums(
    equations: Equations,
    at: Floats,
    estimator: Estimator,
    *,
    squares: bool = False,
    block: tuple[int, int] | None = None,
) -> Sums:
    """Return the sums at parameters `at` and let the estimator have what it needs; arguments as `independence_sums`.

    Raises
    ------
    ConvergenceError
        When a category gets probability 0 or a person's covariance is not positive definite.
    """
    m, data = equations.m, equations.data
    theta, beta, code = np.ascontiguousarray(at[:m]), np.ascontiguousarray(at[m:]), LINKS[equations.link].code
    widest = int(data.sizes.max())
    association = estimator.association()
    run = association_pass if association.pattern.size else odds_pass

    def work(first: int, last: int) -> tuple[Sums, tuple[int, int], Association]:
        sums = new_sums(equations.q, clusters=1 if block is None else last - first)
        own = association._replace(
            products=np.zeros_like(association.products), tables=np.zeros_like(association.tables)
        )
        faults = run(data.panel, first, last, code, squares, theta, beta, own, sums, widest)
        return sums, faults, own

    parts = run_blocks(work, blocks_of(data, _ROWS) if block is None else [block])
    empty, indefinite = (sum(part[1][k] for part in parts) for k in (0, 1))
    if empty:
        raise ConvergenceError(
            f"A category gets probability 0 for {empty} persons on the way to the solution. Merge rare categories, or "
            "use association='independence'."
        )
    if indefinite:
        raise ConvergenceError(
            f"The working covariance of {indefinite} persons under association='{estimator.name}' is not positive "
            "definite: these pairwise odds ratios fit no joint distribution. Use 'exchangeable' or 'independence'."
        )
    if block is None:
        estimator.gather([part[2] for part in parts])
    return _joined([part[0] for part in parts])


def _joined(parts: Sequence[Sums]) -> Sums:
    """Add up the sums of all blocks and fill the upper triangles."""
    return Sums(
        np.asarray(sum(part.score for part in parts)),
        whole(np.asarray(sum(part.information for part in parts))),
        whole(np.asarray(sum(part.meat for part in parts))),
    )


def start_of(equations: Equations) -> Floats:
    """Return the thresholds of the marginal distribution, and coefficients of 0."""
    panel = equations.data.panel
    counts = np.bincount(panel.y, weights=panel.weight, minlength=equations.m + 1)
    share = np.cumsum(counts)[:-1] / counts.sum()
    centre = float(np.average(panel.offset, weights=panel.weight))
    thresholds = LINKS[equations.link].quantile(share) + centre
    return np.concatenate([thresholds, np.zeros(equations.q - equations.m)])


def solve_independence(equations: Equations, control: Control) -> NewtonResult:
    """Solve the equations under independence; the start comes from a sample of the clusters of a large panel.

    Raises
    ------
    ConvergenceError
        When they are not solved.
    DesignError
        When a coefficient cannot be told from others.
    """
    start = start_of(equations)
    small = sample_of(equations.data)
    if small is not None:
        sampled = Equations(small, equations.link, equations.diagonal, equations.names)
        try:
            found = _maximise(sampled, start, control)
        except (ConvergenceError, DesignError):
            found = None
        if found is not None and np.isfinite(found.limit).all():
            start = found.coef
    return _maximise(equations, start, control)


def _maximise(equations: Equations, start: Floats, control: Control) -> NewtonResult:
    m, panel = equations.m, equations.data.panel
    q = equations.q

    def evaluate(at: Floats) -> tuple[float, Floats, Floats]:
        if (np.diff(at[:m]) <= 0.0).any() or not np.isfinite(at).all():
            return -np.inf, np.full(q, np.nan), np.eye(q)
        loglik, sums = independence_sums(equations, at, observed=True)
        return loglik, sums.score[0], sums.information[0]

    def reach(at: Floats) -> float:
        return float(np.ptp(panel.X @ at[m:] + panel.offset)) if q > m else 0.0

    try:
        return maximise(evaluate, start, control, reach=reach, accurate_tails=True)
    except SingularInformationError as error:
        raise DesignError(
            f"The effect of '{equations.names[error.position]}' cannot be estimated: it has one value, or is a linear "
            "combination of the columns before it. Leave it out."
        ) from error


@dataclass(frozen=True, slots=True)
class GeeSolution:
    """Where the iterations ended.

    Attributes
    ----------
    at
        Parameters, thresholds first, in standardised columns.
    iterations
        Fisher scoring steps.
    """

    at: Floats
    iterations: int


def solve_association(equations: Equations, start: Floats, estimator: Estimator, control: Control) -> GeeSolution:
    """Alternate Fisher scoring steps and estimates of the association until neither moves.

    The steps shrink by a constant factor, about a tenth or less, as the weights move as well: the last one must be a
    tenth of what Newton's method needs.

    Raises
    ------
    ConvergenceError
        When they do not settle.
    """
    m, at = equations.m, start
    length = change = np.inf
    for iteration in range(1, control.max_iterations + 1):
        sums = association_sums(equations, at, estimator)
        score = sums.score[0]
        try:
            step = cho_solve(cho_factor(sums.information[0], lower=True), score)
        except LinAlgError as error:
            raise ConvergenceError(
                f"The information under association='{estimator.name}' is singular. Use association='independence'."
            ) from error
        length = float(np.sqrt(max(float(score @ step), 0.0)))
        change = estimator.update()
        at = at + _ordered(at, step, m, control.max_halvings)
        if length <= _LINEAR * control.score_tolerance and change <= _ASSOCIATION_TOLERANCE:
            return GeeSolution(at, iteration)
    raise ConvergenceError(
        f"The estimating equations under association='{estimator.name}' were not solved in {control.max_iterations} "
        f"iterations (`max_iterations`): {length:.3g} standard errors and {change:.3g} of the association are left to "
        "go. Use association='independence' or 'exchangeable', or allow more iterations."
    )


def _ordered(at: Floats, step: Floats, m: int, halvings: int) -> Floats:
    """Return the step, halved until the thresholds keep their order."""
    for _ in range(halvings):
        if (np.diff((at + step)[:m]) > 0.0).all():
            break
        step = 0.5 * step
    return step
