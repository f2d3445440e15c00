"""Kaplan-Meier curves with weights, delayed entry and clusters; intervals and quantiles as R's `survfit` gives them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.core.wald import normal_quantile
from rtwcohort.design import check_survival
from rtwcohort.errors import ArgumentError
from rtwcohort.models.curve_compat import CURVE_COMPAT, CURVE_OWN, FLATS, Compat, CurveDefaults, Flat
from rtwcohort.models.curve_input import (
    Counts,
    RiskSetGapWarning,
    Spells,
    Variance,
    WeightType,
    check_spells,
    count_groups,
    count_table,
)
from rtwcohort.models.curve_interval import ConfType, probability_interval
from rtwcohort.models.curve_variance import steps, survival_variance

Floats = npt.NDArray[np.float64]
GAP_COLUMNS = ("group", "from_time", "to_time", "fault")
_QUANTILE_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


def _no_gaps() -> pd.DataFrame:
    return pd.DataFrame(columns=list(GAP_COLUMNS))


@dataclass(frozen=True, slots=True)
class Curves:
    """Kaplan-Meier curves, one a group.

    Attributes
    ----------
    frame
        One row a group and distinct time, with a row at time 0: `group, time, at_risk, events, censored, survival,
        std_error, conf_low, conf_high`. `at_risk` counts people just before `time`; `censored` leave just after it.
        With delayed entry the times of entry have rows too, and `entered` counts those who come under observation just
        after `time`. Counts are sums of weights where weights are given. `std_error` is that of the survival itself.
    level
        Confidence level of the interval.
    groups
        Labels in the order of the frame; ("all",) without groups.
    conf_type
        Scale of the interval.
    gaps
        Delayed entry only: times when nobody was at risk, `group, from_time, to_time, fault`.
    choices
        Sentences for `describe_choices`.
    flat
        What `quantiles` does where a curve is flat at exactly the height asked for.
    """

    frame: pd.DataFrame
    level: float
    groups: tuple[str, ...]
    conf_type: ConfType = "log"
    gaps: pd.DataFrame = field(default_factory=_no_gaps)
    choices: tuple[str, ...] = ()
    flat: Flat = "middle"

    def describe_choices(self) -> str:
        """Say in words how the curve, its variance and its interval were made."""
        return " ".join(("Kaplan-Meier.", *self.choices, f"{self.level:.0%} interval: {self.conf_type}."))

    def curve(self, group: str = "all") -> pd.DataFrame:
        """Return the rows of one group."""
        if group not in self.groups:
            raise ArgumentError(f"`group` must be one of {', '.join(map(repr, self.groups))}; got {group!r}.")
        return self.frame[self.frame["group"] == group].reset_index(drop=True)

    def at_risk(self, times: Sequence[float]) -> pd.DataFrame:
        """Return the numbers at risk just before each time: `group, time, at_risk`."""
        wanted = np.asarray(times, dtype=np.float64)
        parts = []
        for group in self.groups:
            curve = self.curve(group)
            counts = curve["at_risk"].to_numpy()
            counts = np.append(counts, counts.dtype.type(0))
            place = np.searchsorted(curve["time"].to_numpy(), wanted, side="left")
            parts.append(pd.DataFrame({"group": group, "time": wanted, "at_risk": counts[place]}))
        return pd.concat(parts, ignore_index=True)

    def survival_at(self, times: Sequence[float]) -> pd.DataFrame:
        """Return survival with its interval at each time: `group, time, survival, std_error, conf_low, conf_high`.

        NaN after the last time known in a group, unless the curve has come down to 0.
        """
        columns = ["survival", "std_error", "conf_low", "conf_high"]
        parts = []
        for group in self.groups:
            curve = self.curve(group)
            known = curve["time"].to_numpy()
            wanted = np.asarray(times, dtype=np.float64)
            place = np.searchsorted(known, wanted, side="right") - 1
            part = curve.loc[np.maximum(place, 0), columns].reset_index(drop=True)
            beyond = (wanted > known[-1]) & (curve["survival"].iloc[-1] > 0.0)
            part.loc[beyond | (place < 0), columns] = np.nan
            part.insert(0, "time", wanted)
            part.insert(0, "group", group)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def incidence_at(self, times: Sequence[float]) -> pd.DataFrame:
        """Return the share with the event by each time, 1 - S, as `survival_at` does for S.

        `group, time, incidence, std_error, conf_low, conf_high`.
        """
        table = self.survival_at(times)
        return pd.DataFrame(
            {
                "group": table["group"],
                "time": table["time"],
                "incidence": 1.0 - table["survival"],
                "std_error": table["std_error"],
                "conf_low": 1.0 - table["conf_high"],
                "conf_high": 1.0 - table["conf_low"],
            }
        )

    def quantiles(self, share: float = 0.5, *, flat: Flat | None = None) -> pd.DataFrame:
        """Return the time by which a `share` has had the event (0.5: the median): `group, time, conf_low, conf_high`.

        The interval is where the limits of the curve first cross; NaN where they do not. Where the curve is flat at
        exactly 1 - share, `flat` takes the "middle" of the flat part (as R's `quantile.survfit`) or its "first" time
        (as Stata); None: as `kaplan_meier` was told.
        """
        if not 0.0 < share < 1.0:
            raise ArgumentError(f"`share` must be between 0 and 1; got {share!r}.")
        rule = self.flat if flat is None else flat
        check_choice(rule, FLATS, argument="flat")
        rows = []
        for group in self.groups:
            curve = self.curve(group)
            time = curve["time"].to_numpy(dtype=np.float64)
            crossings = [
                _crossing(time, 1.0 - curve[column].to_numpy(dtype=np.float64), share, rule)
                for column in ("survival", "conf_low", "conf_high")
            ]
            rows.append((group, *crossings))
        return pd.DataFrame(rows, columns=["group", "time", "conf_low", "conf_high"])


def kaplan_meier(
    time: Any,
    event: Any,
    *,
    group: Any = None,
    entry: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    cluster: Any = None,
    variance: Variance | None = None,
    conf_type: ConfType | None = None,
    compat: Compat | None = None,
    level: float = 0.95,
) -> Curves:
    """Estimate survival (here: still not back at work) by Kaplan and Meier.

    Parameters
    ----------
    time, event
        Shape (n,): time to event or censoring, and 1 or True for an event. Death and other competing causes coded 0
        count as censoring: the curve is then the return that would be seen without them. For the share that returns
        among all, use `cumulative_incidence`.
    group
        Shape (n,): labels, none missing; categories keep their order, other labels are sorted.
    entry
        Shape (n,): when each row comes under observation, before `time`. It is at risk after `entry`, up to and
        including `time`. A person may have several rows that follow one another.
    weights
        Shape (n,), not negative. Rows of weight 0 are left out and counted.
    weight_type
        "frequency": a row of weight w counts as w people. "probability": sampling or inverse-probability weights, with
        the robust variance. None: frequencies when all weights are whole, as R.
    cluster
        Shape (n,): rows that belong together (workplaces, or the rows of a person). Turns the robust variance on.
    variance
        "greenwood" or "robust" (infinitesimal jackknife by cluster, or by row). None: as said above.
    conf_type
        Scale of the pointwise interval, as R's `conf.type`: "log" (when None), "log-log", "plain", "logit", "arcsin".
    compat
        "r", "stata", "sas" or "spss": that program's scale of the interval and rule for quantiles on a flat part.
    level
        Confidence level.

    Notes
    -----
    S(t) is the product over s <= t of 1 - d(s)/n(s), with d and n sums of weights. Greenwood: var log S(t) is the sum
    of d/(n (n - d)). Robust: var S(t) is the sum over clusters of the squared sum of w dS(t)/dw over their rows, no
    small-sample factor. With unit weights, no clusters and no delayed entry the two are equal.

    Raises
    ------
    ArgumentError
        For an unknown choice.
    DesignError
        For times, events, groups, entries, weights or clusters that cannot be used.

    Warns
    -----
    RiskSetGapWarning
        With delayed entry, when nobody was at risk for a while, or the curve fell to 0 before others came.
    """
    normal_quantile(level)
    defaults = _defaults(compat)
    scale = conf_type or defaults.conf_type
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
    parts = [_one_curve(spells, g, counts, level, scale) for g, counts in enumerate(counted)]
    gaps = report_gaps(spells, counted)
    frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    said = [*spells.describe(), *([f"Defaults of {defaults.program}."] if compat else [])]
    return Curves(frame, level, spells.labels, scale, gaps, tuple(said), defaults.flat)


def _defaults(compat: Compat | None) -> CurveDefaults:
    if compat is None:
        return CURVE_OWN
    check_choice(compat, tuple(CURVE_COMPAT), argument="compat")
    return CURVE_COMPAT[compat]


def report_gaps(spells: Spells, counted: Sequence[Counts]) -> pd.DataFrame:
    """Return when nobody was at risk before people who came later, and warn; empty without delayed entry."""
    if spells.entry_place is None:
        return _no_gaps()
    rows = [
        (label, *gap) for label, counts in zip(spells.labels, counted, strict=True) for gap in _gaps_of_group(counts)
    ]
    gaps = pd.DataFrame(rows, columns=list(GAP_COLUMNS))
    serious = gaps[gaps["fault"] != "before the first entry"]
    if len(serious):
        first = serious.iloc[0]
        more = f" (and {len(serious) - 1} more)" if len(serious) > 1 else ""
        warnings.warn(
            f"Delayed entry: {first['fault']} from {first['from_time']:g} to {first['to_time']:g} in group "
            f"'{first['group']}'{more}, so the curve says little after that. Start the clock later (leave out rows "
            "that end before, and move entries up), or widen the groups; `kaplan_meier(...).gaps` lists all.",
            RiskSetGapWarning,
            stacklevel=3,
        )
    return gaps


def _gaps_of_group(counts: Counts) -> list[tuple[float, float, str]]:
    time = counts.time
    n_next = np.append(counts.n_at_risk[1:], 0)
    first = int(np.flatnonzero(counts.entered > 0)[0])
    gaps = [(0.0, float(time[first]), "before the first entry")] if time[first] > 0.0 else []
    empty = np.flatnonzero((n_next == 0) & (np.arange(time.size) > first) & (np.arange(time.size) < time.size - 1))
    gaps += [(float(time[k]), float(time[k + 1]), "nobody at risk") for k in empty]
    gone = np.flatnonzero((counts.n_events > 0) & (counts.n_events == counts.n_at_risk))
    if gone.size and gone[0] < time.size - 1:
        gaps.append((float(time[gone[0]]), float(time[-1]), "the curve at 0 before others came"))
    return gaps


def _one_curve(spells: Spells, group: int, counts: Counts, level: float, conf_type: ConfType) -> pd.DataFrame:
    parts = steps(counts)
    survival = parts.survival
    if spells.variance == "robust":
        relative = np.sqrt(survival_variance(spells, group, counts, parts))
    else:
        relative = np.where(survival > 0.0, np.sqrt(np.cumsum(parts.growth)), np.nan)
    low, high = probability_interval(survival, relative, level, conf_type)
    started = np.cumsum(counts.events + counts.censored) > 0
    table = count_table(spells, group, counts, ("at_risk", "events", "censored"))
    table["survival"], table["std_error"] = survival, survival * relative
    table["conf_low"], table["conf_high"] = np.where(started, low, 1.0), np.where(started, high, 1.0)
    if spells.entry_place is not None:
        table["entered"] = count_table(spells, group, counts, ("entered",))["entered"]
    return table


def _crossing(time: Floats, incidence: Floats, share: float, flat: Flat) -> float:
    """Return where a step function first reaches `share`, the middle where it is flat at exactly that height."""
    known = ~np.isnan(incidence)
    time, incidence = time[known], incidence[known]
    reached = np.flatnonzero(incidence >= share - _QUANTILE_TOLERANCE)
    if not reached.size:
        return float("nan")
    if flat == "first":
        return float(time[reached[0]])
    above = np.flatnonzero(incidence > share + _QUANTILE_TOLERANCE)
    end = time[above[0]] if above.size else time[-1]
    return float((time[reached[0]] + end) / 2.0)
