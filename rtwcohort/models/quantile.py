"""Quantile regression, such as of the median number of days: exact estimates by linear programming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.design import ContinuousResponse, Design, build_design
from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models.glm_fit import INTERCEPT, GlmFit
from rtwcohort.models.glm_options import describe_rows
from rtwcohort.models.glm_scale import standardise

Floats = npt.NDArray[np.float64]
QuantileVariance = Literal["kernel", "iid", "bootstrap"]
_ON_THE_LINE: Final = 1e-9


def fit_quantile(
    frame: Any,
    formula: str,
    *,
    quantile: float = 0.5,
    variance: QuantileVariance = "kernel",
    cluster: Any = None,
    n_boot: int = 500,
    seed: int | None = None,
    missing: Literal["raise", "drop"] = "raise",
    reference: Mapping[str, Any] | None = None,
) -> GlmFit:
    """Fit a linear regression of a quantile, by default the median.

    Parameters
    ----------
    frame
        One row a person.
    formula
        "days ~ arm + age"; coefficients are differences in days.
    quantile
        Between 0 and 1.
    variance
        "kernel" (Powell's sandwich), "iid" (one density of the residuals for all), or "bootstrap" (rows, or clusters,
        drawn with replacement: the one to use when many have the same number of days).
    cluster
        Column or columns within which rows are dependent; bootstrap only.
    n_boot, seed
        Repetitions and seed of the bootstrap; a seed must be given.
    missing, reference
        As in `fit_cox`.

    Notes
    -----
    Minimises the sum of rho(y - x'b), rho(u) = u (q - [u < 0]), exactly, by linear programming [1]_; statsmodels' own
    iterations stop some digits short. With tied days the minimum may be a whole set: the choices then say so, as R's
    warning does. Bandwidth of both densities: Hall and Sheather; normal
    kernel; "kernel" is `summary(rq, se = "ker")` in R. (statsmodels' vcov="robust" is another formula.)

    References
    ----------
    .. [1] Koenker R, Bassett G. Regression quantiles. Econometrica 1978;46:33-50.

    Raises
    ------
    DesignError, ArgumentError
        For a formula, a column or an option that cannot be used.
    ConvergenceError
        When the linear programme has no solution, or the density at the quantile is zero.
    """
    check_number(quantile, argument="quantile", least=1e-6, most=1.0 - 1e-6)
    check_choice(variance, ("kernel", "iid", "bootstrap"), argument="variance")
    _check_options(variance, cluster, n_boot, seed)
    design = build_design(frame, formula, response="continuous", missing=missing, reference=reference, cluster=cluster)
    standard, y = standardise(design.matrix), design.response.values
    gamma, unique = quantile_rows(standard.Z, y, quantile)
    if variance == "bootstrap":
        covariance = _bootstrap(standard.Z, y, quantile, design, n_boot, seed)
    else:
        covariance = _density_covariance(standard.Z, y, gamma, quantile, variance)
    residual = y - standard.Z @ gamma
    coef = standard.coef(gamma)
    vcov = standard.vcov(covariance)
    return GlmFit(
        model="quantile regression",
        terms=(INTERCEPT, *design.names),
        coef=coef,
        vcov=vcov,
        model_vcov=vcov,
        variance=variance,
        limit=coef,
        loglik=_laplace(residual, quantile),
        loglik_null=_laplace(y - quantile_rows(standard.Z[:, :1], y, quantile)[0], quantile),
        n=float(y.size),
        n_clusters=design.extras.n_clusters,
        dispersion=1.0,
        association=None,
        df_t=None,
        iterations=1,
        choices=_describe(design, quantile, variance, n_boot, seed, unique),
        outcome=(),
        design=design.info,
    )


def _check_options(variance: str, cluster: Any, n_boot: int, seed: int | None) -> None:
    if variance == "bootstrap":
        check_number(n_boot, argument="n_boot", least=20, whole=True)
        if seed is None:
            raise ArgumentError(
                "variance='bootstrap' needs `seed`, a whole number, so that the result can be repeated."
            )
        return
    if cluster is not None:
        raise ArgumentError(f"`cluster` has no effect on variance='{variance}': ask for variance='bootstrap'.")
    if seed is not None:
        raise ArgumentError(f"`seed` has no effect on variance='{variance}': leave it out.")


def quantile_rows(X: Floats, y: Floats, quantile: float) -> tuple[Floats, bool]:
    """Return the coefficients that minimise the check loss, and whether they are the only ones.

    Parameters
    ----------
    X
        Shape (n, p), the intercept included.
    y
        Shape (n,).
    quantile
        Between 0 and 1.

    Notes
    -----
    Solves the dual: maximise y'a over 0 <= a <= 1 with X'a = (1 - q) X'1. The coefficients are the multipliers; they
    are then solved exactly from rows on the plane, of which there are at least p.
    """
    from scipy.optimize import linprog

    spread = float(np.abs(y - np.median(y)).max()) or 1.0
    centre = float(np.median(y))
    target = (y - centre) / spread
    found = linprog(-target, A_eq=X.T, b_eq=(1.0 - quantile) * X.sum(axis=0), bounds=(0.0, 1.0), method="highs")
    if found.x is None:
        raise ConvergenceError(f"The quantile regression has no solution: {found.message}")
    beta = -np.asarray(found.eqlin.marginals)
    between = (found.x > _ON_THE_LINE) & (found.x < 1.0 - _ON_THE_LINE)
    rows = np.flatnonzero(between)
    p = X.shape[1]
    if rows.size == p and np.linalg.cond(X[rows]) < 1e8:
        beta = np.linalg.solve(X[rows], target[rows])
    on_plane = np.abs(target - X @ beta) < _ON_THE_LINE
    beta *= spread
    beta[0] += centre
    return beta, bool(rows.size == p and np.linalg.matrix_rank(X[on_plane]) == p)


def _density_covariance(X: Floats, y: Floats, beta: Floats, quantile: float, variance: str) -> Floats:
    """Return q(1 - q) D^-1 X'X D^-1, D the cross-product weighted by the density of the residuals at 0."""
    from scipy.special import ndtri
    from statsmodels.regression.quantile_regression import hall_sheather

    residual = y - X @ beta
    bandwidth = hall_sheather(y.size, quantile)
    low, high = max(quantile - bandwidth, 1e-9), min(quantile + bandwidth, 1.0 - 1e-9)
    quartile = (np.quantile(residual, 0.75) - np.quantile(residual, 0.25)) / 1.34
    h = min(float(np.std(residual, ddof=1)), float(quartile)) * float(ndtri(high) - ndtri(low))
    if not h > 0.0:
        raise ConvergenceError(
            "The density of the days at the quantile cannot be estimated, because half of the residuals are equal: ask "
            "for variance='bootstrap'."
        )
    density = np.exp(-0.5 * (residual / h) ** 2) / (h * np.sqrt(2.0 * np.pi))
    cross = X.T @ X
    if variance == "iid":
        inverse = np.linalg.inv(cross)
        return np.asarray(quantile * (1.0 - quantile) / density.mean() ** 2 * inverse)
    bread = np.linalg.inv((X * density[:, None]).T @ X)
    return np.asarray(quantile * (1.0 - quantile) * bread @ cross @ bread)


def _bootstrap(
    X: Floats, y: Floats, quantile: float, design: Design[ContinuousResponse], n_boot: int, seed: int | None
) -> Floats:
    """Return the covariance of estimates on rows or clusters drawn with replacement."""
    random = np.random.default_rng(seed)
    cluster = design.extras.cluster
    members = None if cluster is None else np.split(np.argsort(cluster, kind="stable"), np.cumsum(np.bincount(cluster)))
    draws = np.empty((n_boot, X.shape[1]))
    for k in range(n_boot):
        for _ in range(100):
            if members is None:
                rows = random.integers(0, y.size, y.size)
            else:
                groups = random.integers(0, design.extras.n_clusters, design.extras.n_clusters)
                rows = np.concatenate([members[group] for group in groups])
            if np.linalg.matrix_rank(X[rows]) == X.shape[1]:
                break
        else:
            raise DesignError("Bootstrap samples leave out whole categories: merge categories with few people.")
        draws[k] = quantile_rows(X[rows], y[rows], quantile)[0]
    return np.asarray(np.atleast_2d(np.cov(draws, rowvar=False)))


def _laplace(residual: Floats, quantile: float) -> float:
    """Return the log-likelihood of the asymmetric Laplace distribution, as R's `logLik.rq`."""
    n = residual.size
    loss = float(np.sum(residual * (quantile - (residual < 0.0))))
    return n * (np.log(quantile * (1.0 - quantile)) - 1.0 - np.log(loss / n)) if loss > 0.0 else np.nan


def _describe(
    design: Design[ContinuousResponse], quantile: float, variance: str, n_boot: int, seed: int | None, unique: bool
) -> tuple[str, ...]:
    name = "median" if quantile == 0.5 else f"{quantile:g} quantile"
    how = {
        "kernel": "Powell's sandwich with a normal kernel and the bandwidth of Hall and Sheather",
        "iid": "that of one density of the residuals for all",
        "bootstrap": f"from {n_boot} bootstrap samples (seed {seed})",
    }[variance]
    several = () if unique else ("Other coefficients fit as well, because of ties: this is one of several solutions.",)
    return (
        f"Modelled is the {name} of `{design.response.name}`, exactly, by linear programming.",
        *several,
        f"The variance is {how}.",
        *describe_rows(design.info, None),
    )
