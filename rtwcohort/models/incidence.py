"""Cumulative incidence with competing causes, by Aalen and Johansen, computed from counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.wald import normal_quantile
from rtwcohort.design.response import check_time
from rtwcohort.errors import DesignError
from rtwcohort.models.curve_input import Counts, Spells, Variance, WeightType, check_spells, count_groups, count_table
from rtwcohort.models.curve_interval import ConfType, probability_interval
from rtwcohort.models.curve_variance import Steps, incidence_variance, steps
from rtwcohort.models.curves import report_gaps

Floats = npt.NDArray[np.float64]
_COLUMNS = ["incidence", "std_error", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class CumulativeIncidence:
    """The share that has had one cause by each time, while the other causes take people away.

    Attributes
    ----------
    frame
        One row a group and distinct time, from time 0: `group, time, at_risk, events, competing, censored, incidence,
        std_error, conf_low, conf_high`; with delayed entry also `entered`, as in `Curves`.
    event
        The cause.
    level
        Confidence level of the interval.
    groups
        Labels; ("all",) without groups.
    conf_type
        Scale of the interval of F: "log" is exp(log F +- z se/F), cut at 1.
    choices
        Sentences for `describe_choices`.
    """

    frame: pd.DataFrame
    event: Any
    level: float
    groups: tuple[str, ...]
    conf_type: ConfType = "log"
    choices: tuple[str, ...] = ()

    def describe_choices(self) -> str:
        """Say in words how the curve, its variance and its interval were made."""
        return " ".join(("Aalen-Johansen.", *self.choices, f"{self.level:.0%} interval: {self.conf_type}."))

    def incidence_at(self, times: Sequence[float]) -> pd.DataFrame:
        """Return `group, time, incidence, std_error, conf_low, conf_high`; NaN after the last time known in a group."""
        wanted = np.asarray(times, dtype=np.float64)
        parts = []
        for group in self.groups:
            curve = self.frame[self.frame["group"] == group].reset_index(drop=True)
            known = curve["time"].to_numpy()
            place = np.searchsorted(known, wanted, side="right") - 1
            part = curve.loc[np.maximum(place, 0), _COLUMNS].reset_index(drop=True)
            part.loc[(wanted > known[-1]) | (place < 0), _COLUMNS] = np.nan
            part.insert(0, "time", wanted)
            part.insert(0, "group", group)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)


def cumulative_incidence(
    time: Any,
    cause: Any,
    *,
    event: Any,
    censored: Any = None,
    group: Any = None,
    entry: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    cluster: Any = None,
    variance: Variance | None = None,
    conf_type: ConfType = "log",
    level: float = 0.95,
) -> CumulativeIncidence:
    """Estimate the cumulative incidence of one cause among competing causes.

    Parameters
    ----------
    time
        Shape (n,): time to the first cause or to censoring.
    cause
        Shape (n,): what happened then. Every cause but `event` and those of `censored` competes.
    event
        The cause whose incidence is asked for, such as "return".
    censored
        The value or values of `cause` that mean censoring; None stands for 0, False and "censored".
    group, entry, weights, weight_type, cluster, variance, conf_type, level
        As in `kaplan_meier`; "greenwood" here is the model-based variance of the same kind (that of R's `etm`). R's
        `survfit` for several causes gives the robust one. Without delayed entry, weights and clusters the two are
        equal; with delayed entry None means robust (give `cluster` where a person has several rows).

    Notes
    -----
    F(t) = sum over s <= t of S(s-) d1(s)/n(s), with S the survival from all causes. The model-based variance is

        sum over s <= t of  (F(t) - F(s))^2 d/(n (n - d)) + S(s-)^2 d1 (n - d1)/n^3 - 2 (F(t) - F(s)) S(s-) d1/n^2

    with d all events at s and d1 those of the cause: the delta method on multinomial counts. The robust variance is the
    infinitesimal jackknife: the sum over clusters of the squared derivatives of F(t) by the weights (R 4.2's
    `survfit` for several causes passes over its argument `cluster`).

    Raises
    ------
    ArgumentError
        For an unknown choice.
    DesignError
        For unusable times or causes, or when nobody has the cause.

    Warns
    -----
    RiskSetGapWarning
        As `kaplan_meier`.
    """
    normal_quantile(level)
    times = check_time(time, name="time")
    kind = _kinds(cause, event, censored, times.size)
    if variance is None and entry is not None and weights is None:
        variance = "robust"
    spells = check_spells(
        times,
        kind,
        entry=entry,
        weights=weights,
        weight_type=weight_type,
        cluster=cluster,
        group=group,
        variance=variance,
    )
    counted = count_groups(spells)
    report_gaps(spells, counted)
    parts = [_one_group(spells, g, counts, level, conf_type) for g, counts in enumerate(counted)]
    said = tuple(line.replace("Greenwood's", "model-based (multinomial)") for line in spells.describe())
    return CumulativeIncidence(pd.concat(parts, ignore_index=True), event, level, spells.labels, conf_type, said)


def _kinds(cause: Any, event: Any, censored: Any, n: int) -> npt.NDArray[np.intp]:
    """Return 0 for censored, 1 for the cause asked for and 2 for a competing one."""
    series = cause if isinstance(cause, pd.Series) else pd.Series(cause)
    if len(series) != n:
        raise DesignError(f"`cause` must have one value a row ({n}); got {len(series)}.")
    if series.isna().any():
        raise DesignError(
            f"`cause` is missing in {int(series.isna().sum())} rows: name them, or code them as censored."
        )
    values = series.to_numpy()
    stops = [0, False, "censored"] if censored is None else np.atleast_1d(np.asarray(censored, dtype=object)).tolist()
    is_event = values == event
    if not is_event.any():
        found = ", ".join(repr(value) for value in pd.unique(series)[:8])
        raise DesignError(f"Nobody has the cause {event!r} (`event`); the causes are {found}.")
    return np.where(is_event, 1, np.where(series.isin(stops).to_numpy(), 0, 2))


def _one_group(spells: Spells, group: int, counts: Counts, level: float, conf_type: ConfType) -> pd.DataFrame:
    parts = steps(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(counts.events > 0.0, counts.events / counts.at_risk, 0.0)
    incidence = np.cumsum(parts.before * share)
    if spells.variance == "robust":
        variance = incidence_variance(spells, group, counts, parts, incidence)
    else:
        variance = _multinomial_variance(counts, parts, share, incidence)
    error = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = probability_interval(incidence, error / incidence, level, conf_type)
    table = count_table(spells, group, counts, ("at_risk", "events", "competing", "censored"))
    table["incidence"], table["std_error"] = incidence, error
    table["conf_low"], table["conf_high"] = low, high
    if spells.entry_place is not None:
        table["entered"] = count_table(spells, group, counts, ("entered",))["entered"]
    return table


def _multinomial_variance(counts: Counts, parts: Steps, share: Floats, incidence: Floats) -> Floats:
    """Return the model-based variance at each time from running sums, shape (k,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(counts.at_risk > 0, 1.0 / counts.at_risk, 0.0)
    own = parts.before**2 * share * (1.0 - share) * inverse
    cross = parts.before * share * inverse
    squared = np.cumsum(parts.growth * incidence**2 + own + 2.0 * incidence * cross)
    linear = np.cumsum(parts.growth * incidence + cross)
    return np.maximum(squared - 2.0 * incidence * linear + incidence**2 * np.cumsum(parts.growth), 0.0)
