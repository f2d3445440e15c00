"""Restricted mean time to the event: the area under the Kaplan-Meier curve up to a horizon, with R's standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.core.wald import TIDY_COLUMNS, normal_quantile, tidy_table, two_sided_p
from rtwcohort.design import check_survival
from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models.curve_input import Counts, Spells, Variance, WeightType, check_spells, count_groups
from rtwcohort.models.curve_variance import mean_influence, steps
from rtwcohort.models.curves import report_gaps

Floats = npt.NDArray[np.float64]
MEASURES: Final = ("difference", "ratio", "lost_ratio")


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean time to the event within tau, one a group.

    Attributes
    ----------
    frame
        One row a group: `group, n, events, mean, std_error, conf_low, conf_high, lost`. `n` and `events` count rows, or
        people with frequency weights. `lost` is tau less the mean: the mean time after the event, such as days at
        work.
    covariance
        Shape (k, k): of the means; off the diagonal 0 unless clusters have rows in several groups.
    tau, level
        Horizon, in the unit of time; confidence level.
    choices
        Sentences for `describe_choices`.
    """

    frame: pd.DataFrame
    covariance: Floats
    tau: float
    level: float
    choices: tuple[str, ...] = ()

    def describe_choices(self) -> str:
        """Say in words how mean and variance were made."""
        return " ".join((f"Area under Kaplan-Meier from 0 to {self.tau:g}.", *self.choices))

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a group with `term, estimate, std_error, statistic, p_value, conf_low, conf_high`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            means, errors = (self.frame[name].to_numpy(dtype=np.float64) for name in ("mean", "std_error"))
            return tidy_table(tuple(self.frame["group"]), means, errors, level=level)

    def compare(self, reference: str | None = None, *, level: float | None = None) -> pd.DataFrame:
        """Compare each group with a reference.

        Parameters
        ----------
        reference
            A label; the first group when None.
        level
            That of the means when None.

        Returns
        -------
        pandas.DataFrame
            `measure, term, reference, estimate, std_error, statistic, p_value, conf_low, conf_high`, three rows a
            group: the "difference" of means, their "ratio", and the "lost_ratio" of tau less the mean. For ratios
            `std_error` is that of the logarithm, and the interval is taken there.

        Raises
        ------
        ArgumentError
            For one group only, or an unknown reference.
        """
        groups = list(self.frame["group"])
        if len(groups) < 2:
            raise ArgumentError("There is one group, so nothing to compare: give `group` to restricted_mean.")
        name = groups[0] if reference is None else reference
        check_choice(name, groups, argument="reference")
        base = groups.index(name)
        quantile = normal_quantile(self.level if level is None else level)
        rows = [
            (measure, groups[g], name, *self._contrast(g, base, measure, quantile))
            for g in range(len(groups))
            if g != base
            for measure in MEASURES
        ]
        return pd.DataFrame(rows, columns=["measure", "term", "reference", *TIDY_COLUMNS[1:]])

    def _contrast(self, g: int, base: int, measure: str, quantile: float) -> tuple[float, ...]:
        mean = self.frame["mean"].to_numpy(dtype=np.float64)
        values = self.tau - mean if measure == "lost_ratio" else mean
        one, other = values[g], values[base]
        v = self.covariance
        if measure == "difference":
            error = np.sqrt(max(v[g, g] + v[base, base] - 2.0 * v[g, base], 0.0))
            estimate = one - other
            z = estimate / error if error > 0.0 else np.nan
            low, high = estimate - quantile * error, estimate + quantile * error
        elif one > 0.0 and other > 0.0:
            squared = v[g, g] / one**2 + v[base, base] / other**2 - 2.0 * v[g, base] / (one * other)
            error, estimate = np.sqrt(max(squared, 0.0)), one / other
            z = np.log(estimate) / error if error > 0.0 else np.nan
            low, high = estimate * np.exp(-quantile * error), estimate * np.exp(quantile * error)
        else:
            estimate = error = z = low = high = np.nan
        return tuple(float(value) for value in (estimate, error, z, two_sided_p(z), low, high))


def restricted_mean(
    time: Any,
    event: Any,
    *,
    tau: float,
    group: Any = None,
    entry: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    cluster: Any = None,
    variance: Variance | None = None,
    beyond: Literal["raise", "hold"] | None = None,
    compat: Literal["r"] | None = None,
    level: float = 0.95,
) -> RestrictedMean:
    """Estimate the mean time to the event within a horizon (restricted mean survival time).

    Parameters
    ----------
    time, event, group, entry, weights, weight_type, cluster, variance, level
        As in `kaplan_meier`.
    tau
        Horizon, above 0, in the unit of time.
    beyond
        What to do when a curve ends above 0 before tau: "raise" (when None), or "hold" it at its last value up to tau.
    compat
        "r": as `print(survfit(...), rmean = tau)` of R's survival 3.5-3, which holds the curve without saying so and
        takes Greenwood's variance with any weights and clusters.

    Notes
    -----
    The mean is the area under S from 0 to tau. Greenwood: its variance is the sum over event times s < tau of A(s)^2
    d/(n (n - d)), with A(s) the area from s to tau. Robust: the sum of squared influences by cluster, as in
    `kaplan_meier`; R prints the first even for weighted curves, where doubling all weights then halves the variance.

    Raises
    ------
    ArgumentError
        For an unknown choice or a horizon that is not above 0.
    DesignError
        For data that cannot be used, or a curve that ends above 0 before tau.
    """
    check_number(tau, argument="tau", least=0.0)
    if not 0.0 < tau < np.inf:
        raise ArgumentError(f"`tau` must be above 0 and finite; got {tau!r}.")
    if compat is not None:
        check_choice(compat, ("r",), argument="compat")
        variance, beyond = variance or "greenwood", beyond or "hold"
        cluster = cluster if variance == "robust" else None
    check_choice(beyond or "raise", ("raise", "hold"), argument="beyond")
    quantile = normal_quantile(level)
    response = check_survival(time, event, need_events=False)
    spells = check_spells(
        response.time,
        response.event,
        entry=entry,
        weights=weights,
        weight_type=weight_type,
        cluster=cluster,
        group=group,
        variance=variance,
    )
    counted = count_groups(spells)
    report_gaps(spells, counted)
    said = ["Defaults of R survival 3.5-3."] if compat else []
    held = _check_reach(spells, counted, float(tau), beyond or "raise")
    means, covariance = _means(spells, counted, float(tau))
    error = np.sqrt(np.diag(covariance))
    frame = pd.DataFrame(
        {
            "group": list(spells.labels),
            "n": _people(spells, np.ones(spells.group.size, dtype=bool)),
            "events": _people(spells, spells.kind == 1),
            "mean": means,
            "std_error": error,
            "conf_low": means - quantile * error,
            "conf_high": means + quantile * error,
            "lost": float(tau) - means,
        }
    )
    return RestrictedMean(frame, covariance, float(tau), level, tuple(spells.describe() + held + said))


def _people(spells: Spells, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return rows by group, or the people that they stand for."""
    counts = None if spells.weight is None or spells.weight_type == "probability" else spells.weight[inside]
    return np.rint(np.bincount(spells.group[inside], weights=counts, minlength=len(spells.labels))).astype(np.int64)


def _check_reach(spells: Spells, counted: list[Counts], tau: float, beyond: str) -> list[str]:
    short = [
        (label, counts.time[-1])
        for label, counts in zip(spells.labels, counted, strict=True)
        if counts.time[-1] < tau and steps(counts).survival[-1] > 0.0
    ]
    if not short:
        return []
    named = ", ".join(f"'{label}' at {last:g}" for label, last in short)
    if beyond == "raise":
        raise DesignError(
            f"`tau` is {tau:g}, but follow-up ends before that with people still without the event: {named}. Use at "
            f"most {min(last for _, last in short):g}, or beyond='hold' to keep the last value of the curve (as R)."
        )
    return [f"The curve is held at its last value up to tau where follow-up ended: {named}."]


def _means(spells: Spells, counted: list[Counts], tau: float) -> tuple[Floats, Floats]:
    """Return the means and their covariance."""
    means, greenwood, influence = [], [], []
    for g, counts in enumerate(counted):
        parts = steps(counts)
        ends = np.minimum(np.append(counts.time, tau)[1:], tau)
        pieces = parts.survival * np.maximum(ends - counts.time, 0.0)
        area = np.cumsum(pieces[::-1])[::-1]
        means.append(area[0])
        greenwood.append(np.sum(area**2 * parts.growth))
        if spells.variance == "robust":
            influence.append(mean_influence(spells, g, counts, parts, area))
    if spells.variance == "robust":
        stacked = np.stack(influence)
        return np.array(means), stacked @ stacked.T
    return np.array(means), np.diag(greenwood)
