"""Tests of equal hazards in k groups: log-rank, Fleming-Harrington, Gehan, Tarone-Ware and Peto, stratified or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.wald import chi_square_p, two_sided_p
from rtwcohort.design import check_survival
from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models.curve_input import Spells, check_spells, group_codes
from rtwcohort.models.curve_kernel import pooled_survival, rank_sums, sweep_strata

Floats = npt.NDArray[np.float64]
Weighting = Literal["fleming-harrington", "gehan", "tarone-ware", "peto-peto"]
WEIGHTINGS: Final = ("fleming-harrington", "gehan", "tarone-ware", "peto-peto")


@dataclass(frozen=True, slots=True)
class TrendTest:
    """Test that the hazard rises or falls along ordered groups: `z` is positive when events come faster in the later.

    Attributes
    ----------
    statistic, df, p_value, z
        Chi-square with 1 degree of freedom, and its signed root.
    scores
        One a group.
    """

    statistic: float
    df: int
    p_value: float
    z: float
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LogRank:
    """Test of equal hazards in k groups.

    Attributes
    ----------
    statistic, df, p_value
        Chi-square with k - 1 degrees of freedom: fewer where a group is never at risk beside another at an event.
    frame
        One row a group: `group, n, observed, expected` (events, times the weight of each time where the test has
        weights, summed over strata).
    covariance
        Shape (k, k): of observed less expected, hypergeometric, summed over strata.
    description
        The test in words.
    """

    statistic: float
    df: int
    p_value: float
    frame: pd.DataFrame
    covariance: Floats
    description: str = "Log-rank test."

    def describe_choices(self) -> str:
        """Say in words which test it is."""
        return self.description

    def trend(self, scores: Sequence[float] | None = None) -> TrendTest:
        """Test for trend over ordered groups.

        Parameters
        ----------
        scores
            One number a group, in the order of `frame`; 1, 2, ..., k when None (as Stata's `sts test, trend`).

        Notes
        -----
        With U observed less expected and V its covariance: z = s'U / sqrt(s'V s).

        Raises
        ------
        ArgumentError
            For a wrong number of scores, or scores that are all alike.
        """
        k = len(self.frame)
        given = np.arange(1.0, k + 1.0) if scores is None else np.asarray(scores, dtype=np.float64)
        if given.shape != (k,) or not np.isfinite(given).all() or np.ptp(given) == 0.0:
            raise ArgumentError(
                f"`scores` must be {k} finite numbers, one a group ({', '.join(self.frame['group'])}), not all alike; "
                f"got {given.tolist()}."
            )
        centred = given - given.mean()
        excess = (self.frame["observed"] - self.frame["expected"]).to_numpy(dtype=np.float64)
        z = float(centred @ excess / np.sqrt(centred @ self.covariance @ centred))
        return TrendTest(z * z, 1, float(two_sided_p(z)), z, tuple(given.tolist()))


def log_rank(
    time: Any,
    event: Any,
    group: Any,
    *,
    strata: Any = None,
    entry: Any = None,
    weights: Any = None,
    weighting: Weighting = "fleming-harrington",
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank:
    """Compare survival between groups by the log-rank test or a weighted one.

    Parameters
    ----------
    time, event
        Shape (n,), as in `kaplan_meier`, with at least one event.
    group
        Shape (n,): at least two labels, none missing.
    strata
        Shape (n,): compared within each, then summed.
    entry
        Shape (n,): delayed entry, as in `kaplan_meier`.
    weights
        Shape (n,): how many people each row stands for, whole numbers. Other weights are refused: the variance of this
        test counts people. For sampling or inverse-probability weights use `fit_cox` with the robust variance.
    weighting
        Weight w(t) of each event time: "fleming-harrington" S(t-)^rho (1 - S(t-))^gamma with S the Kaplan-Meier of all
        groups in the stratum; "gehan" n(t) (Wilcoxon or Breslow in other programs); "tarone-ware" sqrt(n(t));
        "peto-peto" the product of 1 - d/(n + 1) up to t.
    rho, gamma
        Not negative. Both 0: log-rank; rho = 1, gamma = 0: what R's `survdiff(rho = 1)` calls Peto and Peto.

    Notes
    -----
    Statistic U'V^-1 U over k - 1 groups, with U = sum of w (d_g - d n_g/n) and V the hypergeometric covariance of U
    (`covariance`). A group without expected events is left out, as in R.

    Raises
    ------
    ArgumentError
        For an unknown weighting, a negative power, or a power with another weighting.
    DesignError
        For times, events, groups, strata or weights that cannot be used, one group only, or groups that are never at
        risk together at an event.
    """
    _check_weighting(weighting, rho, gamma)
    response = check_survival(time, event)
    spells = check_spells(response.time, response.event, entry=entry, weights=_count_weights(weights), group=group)
    if len(spells.labels) < 2:
        raise DesignError(f"`group` must have at least two groups to compare; it has one ('{spells.labels[0]}').")
    stratum = _strata(strata, response.time.size, weights)
    place, at_risk, events = _sweep(spells, stratum)
    weight = _time_weights(place, at_risk.sum(axis=1), events.sum(axis=1), weighting, rho, gamma)
    observed, expected, covariance = rank_sums(at_risk, events, weight)
    statistic, df = _quadratic_form(observed - expected, covariance, expected)
    people = np.bincount(spells.group, weights=spells.weight, minlength=len(spells.labels))
    plain = weighting == "fleming-harrington" and rho == 0.0 and gamma == 0.0
    frame = pd.DataFrame(
        {
            "group": list(spells.labels),
            "n": np.rint(people).astype(np.int64),
            "observed": np.rint(observed).astype(np.int64) if plain else observed,
            "expected": expected,
        }
    )
    said = _describe(weighting, rho, gamma, strata is not None, entry is not None)
    return LogRank(statistic, df, chi_square_p(statistic, df), frame, covariance, said)


def _check_weighting(weighting: str, rho: float, gamma: float) -> None:
    check_choice(weighting, WEIGHTINGS, argument="weighting")
    check_number(rho, argument="rho", least=0.0)
    check_number(gamma, argument="gamma", least=0.0)
    if weighting != "fleming-harrington" and (rho or gamma):
        raise ArgumentError(f"`rho` and `gamma` belong to weighting='fleming-harrington'; got {weighting!r}.")


def _count_weights(weights: Any) -> Any:
    """Refuse weights that do not count people."""
    if weights is None:
        return None
    values = pd.to_numeric(pd.Series(np.asarray(weights)), errors="coerce").to_numpy(dtype=np.float64)
    odd = np.isfinite(values) & (values != np.rint(values))
    if odd.any():
        raise DesignError(
            f"`weights` of a log-rank test must be whole numbers that count people; {int(odd.sum())} are not. The test "
            "is not defined for sampling or inverse-probability weights: use fit_cox(..., weights=...), which has a "
            "robust variance."
        )
    return weights


def _strata(strata: Any, n: int, weights: Any) -> npt.NDArray[np.int64]:
    codes = group_codes(strata, n, name="strata")[1].astype(np.int64)
    return codes if weights is None else codes[np.asarray(weights, dtype=np.float64) > 0.0]


def _sweep(spells: Spells, stratum: npt.NDArray[np.int64]) -> tuple[Any, Any, Any]:
    k = spells.distinct.size + 1
    leaving = stratum * k + spells.place + 1
    entering = stratum * k + (0 if spells.entry_place is None else spells.entry_place + 1)
    out, enter = np.argsort(leaving), np.argsort(entering)
    weight = np.ones(leaving.size) if spells.weight is None else spells.weight
    return sweep_strata(
        leaving[out], out, entering[enter], enter, spells.group, spells.kind == 1, weight.astype(np.int64), k,
        len(spells.labels),
    )  # fmt: skip


def _time_weights(stratum: Any, n: Any, d: Any, weighting: str, rho: float, gamma: float) -> Floats:
    if weighting == "gehan":
        return np.asarray(n, dtype=np.float64)
    if weighting == "tarone-ware":
        return np.asarray(np.sqrt(n))
    if weighting == "peto-peto":
        return np.asarray(pooled_survival(stratum, n, d, 1.0)[1])
    before = pooled_survival(stratum, n, d, 0.0)[0]
    return np.asarray(before**rho * (1.0 - before) ** gamma)


def _quadratic_form(excess: Floats, covariance: Floats, expected: Floats) -> tuple[float, int]:
    """Return U'V^-1 U over the groups with expected events, and the rank of V."""
    some = expected > 0.0
    inside = covariance[np.ix_(some, some)]
    values, vectors = np.linalg.eigh(inside)
    scale = max(float(np.abs(np.diag(inside)).max(initial=0.0)), 0.0)
    kept = values > 1e-10 * scale
    if scale <= 0.0 or not kept.any():
        raise DesignError(
            "The groups of `group` cannot be compared: at no event are two of them at risk with somebody left over. "
            "Look at the curves and at the strata."
        )
    turned = vectors[:, kept].T @ excess[some]
    return float(np.sum(turned**2 / values[kept])), int(kept.sum())


def _describe(weighting: str, rho: float, gamma: float, stratified: bool, delayed: bool) -> str:
    names = {"gehan": "Gehan-Wilcoxon (Breslow)", "tarone-ware": "Tarone-Ware", "peto-peto": "Peto-Peto-Prentice"}
    fleming = f"Fleming-Harrington (rho {rho:g}, gamma {gamma:g})" if rho or gamma else "Log-rank"
    parts = [f"{names.get(weighting, fleming)} test"]
    parts += ["stratified"] if stratified else []
    parts += ["risk sets with delayed entry"] if delayed else []
    return f"{', '.join(parts)}; hypergeometric variance."
