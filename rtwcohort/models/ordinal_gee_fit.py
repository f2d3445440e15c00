"""From a panel and settled options to a fit: equations solved, variances, criteria, counts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.control import Control
from rtwcohort.errors import ArgumentError, ConvergenceError, DesignError
from rtwcohort.models.newton import MonotoneLikelihoodWarning
from rtwcohort.models.ordinal_gee_association import (
    Estimator,
    check_waves,
    correlation_estimator,
)
from rtwcohort.models.ordinal_gee_choices import FEW_CLUSTERS, RECOMMENDED_CORRECTION, GeeOptions
from rtwcohort.models.ordinal_gee_odds_ratio import odds_ratio_estimator
from rtwcohort.models.ordinal_gee_panel import PanelData
from rtwcohort.models.ordinal_gee_result import Criteria, GeeCounts, OrdinalGeeChoices, OrdinalGeeFit
from rtwcohort.models.ordinal_gee_row_kernel import Sums
from rtwcohort.models.ordinal_gee_solve import (
    Equations,
    association_sums,
    independence_sums,
    solve_association,
    solve_independence,
)
from rtwcohort.models.ordinal_gee_variance import (
    corrected_meat,
    numerical_information,
    sandwich,
    scale_of,
)
from rtwcohort.models.ordinal_gee_warnings import FewClustersWarning, WaveWeightsWarning

Floats = npt.NDArray[np.float64]
_STACK: Final = 4


@dataclass(frozen=True, slots=True)
class _Solved:
    """Parameters in standardised columns, the association they were found under, and the sums there.

    Attributes
    ----------
    at, limit
        Shape (q,).
    iterations
        Of the last stage.
    estimator
        None under independence.
    expected
        Sums with the expected information.
    bread
        Information of the kind chosen, shape (q, q).
    loglik
        Under independence, the log-likelihood of the equations solved.
    """

    at: Floats
    limit: Floats
    iterations: int
    estimator: Estimator | None
    expected: Sums
    bread: Floats
    loglik: float


def fit_panel(
    data: PanelData,
    options: GeeOptions,
    *,
    names: tuple[str, ...],
    labels: tuple[str, ...],
    empty: tuple[str, ...],
    weighted: bool,
    has_offset: bool,
    control: Control,
) -> OrdinalGeeFit:
    """Solve the equations and gather what is reported.

    Parameters
    ----------
    data
        The panel.
    options
        Settled.
    names, labels, empty
        Of the columns, the categories that occur and those that do not.
    weighted, has_offset
        Whether they were given.
    control
        Tolerances.

    Raises
    ------
    ConvergenceError, DesignError, ArgumentError
        As `fit_ordinal_gee`.
    """
    check_waves(data.waves, options.association)
    m = len(labels) - 1
    parameters = tuple(f"{low} | {high}" for low, high in pairwise(labels)) + names
    df = _degrees_of_freedom(data, options, len(parameters))
    _warn_wave_weights(data, options, weighted)
    equations = Equations(data, options.link, options.within_wave == "diagonal", parameters)
    solved = _solve(equations, options, control)
    scale = scale_of(data, m)
    factor = data.n_cluster_copies / (data.n_cluster_copies - 1.0) if options.defaults.small_sample else 1.0
    robust = factor * sandwich(solved.bread, _meat(equations, options, solved))
    limit = scale.matrix @ solved.at
    lost = ~np.isfinite(solved.limit)
    limit[lost] = solved.limit[lost]
    if lost.any():
        _warn_monotone(limit, parameters)
    return OrdinalGeeFit(
        parameters=parameters,
        estimates=scale.matrix @ solved.at,
        vcov=scale.covariance(robust),
        model_vcov=scale.covariance(_inverse(solved.expected.information[0])),
        limit=limit,
        association=pd.DataFrame() if solved.estimator is None else solved.estimator.table(),
        criteria=_criteria(equations, solved, robust),
        counts=_counts(data, labels, empty, has_offset),
        choices=_choices(options, weighted, df, factor, empty),
        iterations=solved.iterations,
        control=control,
    )


def _solve(equations: Equations, options: GeeOptions, control: Control) -> _Solved:
    first = solve_independence(equations, control)
    finite = bool(np.isfinite(first.limit).all())
    if options.association == "independence":
        loglik, expected = independence_sums(equations, first.coef, squares=True)
        bread = expected.information[0]
        if options.information == "observed":
            bread = independence_sums(equations, first.coef, observed=True)[1].information[0]
        return _Solved(first.coef, first.limit, first.iterations, None, expected, bread, loglik)
    if not finite:
        infinite = [name for name, end in zip(equations.names, first.limit, strict=True) if not np.isfinite(end)]
        raise ConvergenceError(
            f"The coefficient of {', '.join(infinite)} is infinite already under independence (a group has only one "
            "end of the scale): no association can be estimated. Merge categories or leave the term out."
        )
    estimator = _estimator(equations.data, options)
    solution = solve_association(equations, first.coef, estimator, control)
    expected = association_sums(equations, solution.at, estimator, squares=True)
    bread = expected.information[0]
    if options.information == "observed":
        bread = numerical_information(
            lambda at: association_sums(equations, at, estimator).score[0],
            solution.at,
            0.01 * np.sqrt(np.linalg.inv(bread).diagonal()),
        )
    return _Solved(solution.at, solution.at, solution.iterations, estimator, expected, bread, np.nan)


def _inverse(information: Floats) -> Floats:
    return np.asarray(np.linalg.inv(information), dtype=np.float64)


def _estimator(data: PanelData, options: GeeOptions) -> Estimator:
    if options.association == "global_odds_ratio":
        if options.odds_ratios == "by_wave_pair" and not data.waves.known:
            raise DesignError("odds_ratios='by_wave_pair' needs `wave`: the column that names the waves.")
        return odds_ratio_estimator(
            data, common=options.odds_ratios == "common", pooled=options.odds_ratio_method == "pooled"
        )
    return correlation_estimator(data, options.association)


def _meat(equations: Equations, options: GeeOptions, solved: _Solved) -> Floats:
    """Return the sum of squared cluster scores, corrected for leverage when asked."""
    if options.correction is None:
        return solved.expected.meat

    def of_block(first: int, last: int) -> Sums:
        if solved.estimator is None:
            return independence_sums(equations, solved.at, block=(first, last))[1]
        return association_sums(equations, solved.at, solved.estimator, block=(first, last))

    scale = scale_of(equations.data, equations.m)
    return corrected_meat(options.correction, solved.expected.information[0], equations.data, of_block, scale)


def _criteria(equations: Equations, solved: _Solved, robust: Floats) -> Criteria:
    loglik, information = solved.loglik, solved.expected.information[0]
    if solved.estimator is not None or equations.diagonal:
        multinomial = Equations(equations.data, equations.link, False, equations.names)
        loglik, sums = independence_sums(multinomial, solved.at)
        information = sums.information[0]
    cic = float((information * robust.T).sum())
    return Criteria(loglik, -2.0 * loglik + 2.0 * cic, -2.0 * loglik + 2.0 * equations.q, cic)


def _counts(data: PanelData, labels: tuple[str, ...], empty: tuple[str, ...], has_offset: bool) -> GeeCounts:
    panel = data.panel
    return GeeCounts(
        rows=int(panel.y.size),
        persons=data.n_persons,
        clusters=data.n_cluster_copies,
        smallest=int(data.cluster_sizes.min()),
        largest=int(data.cluster_sizes.max()),
        categories=labels,
        category_weights=np.bincount(panel.y, weights=panel.weight, minlength=len(labels)).astype(np.float64),
        empty=empty,
        waves=data.waves.labels,
        wave_rows=np.bincount(panel.position, minlength=len(data.waves.labels)),
        has_offset=has_offset,
    )


def _choices(
    options: GeeOptions, weighted: bool, df: float | None, factor: float, empty: tuple[str, ...]
) -> OrdinalGeeChoices:
    odds = options.association == "global_odds_ratio"
    notes: tuple[str, ...] = ()
    if empty:
        notes += (f"Nobody has the categories {', '.join(empty)}: they are left out and have no threshold.",)
    if options.information == "observed" and options.association != "independence":
        notes += ("The observed information is minus the numerical derivative of the estimating equations.",)
    return OrdinalGeeChoices(
        link=options.link,
        association=options.association,
        odds_ratios=options.odds_ratios if odds else None,
        odds_ratio_method=options.odds_ratio_method if odds else None,
        within_wave=options.within_wave,
        information=options.information,
        correction=options.correction,
        df=df,
        weight_type=options.weight_type if weighted else None,
        factor=factor,
        sign=options.defaults.sign,
        compat=options.compat,
        notes=notes,
    )


def _degrees_of_freedom(data: PanelData, options: GeeOptions, q: int) -> float | None:
    """Return clusters less parameters when a correction is asked for; warn where there are few and none is."""
    clusters = data.n_cluster_copies
    if clusters < 2:
        raise DesignError(
            "All rows are of one cluster: a robust variance needs several. Give the column that tells persons apart as "
            "`id`, or fit one wave with `fit_ordinal`."
        )
    if options.correction is not None:
        if clusters - q < 1:
            raise ArgumentError(
                f"`correction='{options.correction}'` needs more clusters ({clusters:g}) than parameters ({q}, "
                "thresholds included): leave predictors out."
            )
        return clusters - q
    if clusters < FEW_CLUSTERS and not options.silent:
        warnings.warn(
            f"There are {clusters:g} clusters. Below {FEW_CLUSTERS} the plain robust variance is too small and its "
            f"intervals too short: use correction='{RECOMMENDED_CORRECTION}', or correction='none' to keep it.",
            FewClustersWarning,
            stacklevel=_STACK,
        )
    return None


def _warn_wave_weights(data: PanelData, options: GeeOptions, weighted: bool) -> None:
    if not weighted or options.association == "independence":
        return
    panel = data.panel
    if (panel.weight != np.repeat(panel.weight[panel.person[:-1]], data.sizes)).any():
        warnings.warn(
            f"`weights` differ between the waves of a person. Under association='{options.association}' inverse "
            "probability weights by wave do not in general undo selection, because the equations mix waves: use "
            "association='independence', or one weight a person.",
            WaveWeightsWarning,
            stacklevel=_STACK,
        )


def _warn_monotone(limit: Floats, names: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{name}'" for name, end in zip(names, limit, strict=True) if not np.isfinite(end))
    warnings.warn(
        f"The estimating equations have no finite solution for {listed}: some group has outcomes at one end of the "
        "scale only. Those estimates, their standard errors and Wald tests mean nothing; merge categories or leave the "
        "term out.",
        MonotoneLikelihoodWarning,
        stacklevel=_STACK,
    )
