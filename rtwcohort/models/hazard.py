"""Cumulative hazards by Nelson and Aalen, and by Fleming and Harrington where times are tied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice
from rtwcohort.core.wald import normal_quantile
from rtwcohort.design import check_survival
from rtwcohort.errors import ArgumentError
from rtwcohort.models.curve_input import Counts, Spells, Variance, WeightType, check_spells, count_groups, count_table
from rtwcohort.models.curve_variance import hazard_variance
from rtwcohort.models.curves import report_gaps

Floats = npt.NDArray[np.float64]
TiedHazard = Literal["nelson-aalen", "fleming-harrington"]
TIES: Final = ("nelson-aalen", "fleming-harrington")


@dataclass(frozen=True, slots=True)
class HazardCurves:
    """Cumulative hazards, one a group.

    Attributes
    ----------
    frame
        One row a group and distinct time, from time 0: `group, time, at_risk, events, censored, hazard, std_error,
        conf_low, conf_high, survival`, where `survival` is exp(-hazard) (R's stype = 2).
    level
        Confidence level of the interval H exp(+- z se/H).
    groups
        Labels; ("all",) without groups.
    choices
        Sentences for `describe_choices`.
    """

    frame: pd.DataFrame
    level: float
    groups: tuple[str, ...]
    choices: tuple[str, ...] = ()

    def describe_choices(self) -> str:
        """Say in words how the hazard and its variance were made."""
        return " ".join(self.choices)


def nelson_aalen(
    time: Any,
    event: Any,
    *,
    group: Any = None,
    entry: Any = None,
    weights: Any = None,
    weight_type: WeightType | None = None,
    cluster: Any = None,
    variance: Variance | None = None,
    ties: TiedHazard = "nelson-aalen",
    level: float = 0.95,
) -> HazardCurves:
    """Estimate the cumulative hazard.

    Parameters
    ----------
    time, event, group, entry, weights, weight_type, cluster, variance, level
        As in `kaplan_meier`; "greenwood" here stands for the model-based (Aalen) variance.
    ties
        "nelson-aalen": d/n at each time, variance d/n^2 (R's ctype = 1). "fleming-harrington": the events of one time
        are taken one after the other, 1/n + 1/(n - 1) + ..., variance the same sum of squares (ctype = 2).

    Notes
    -----
    With probability weights and "fleming-harrington", each of the m rows with an event has the mean weight
    d/m, as in R.

    Raises
    ------
    ArgumentError
        For an unknown choice, or a robust variance with "fleming-harrington".
    DesignError
        For data that cannot be used.
    """
    check_choice(ties, TIES, argument="ties")
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
    if ties == "fleming-harrington" and spells.variance == "robust":
        raise ArgumentError("`ties` 'fleming-harrington' has no robust variance here: use ties='nelson-aalen'.")
    counted = count_groups(spells)
    report_gaps(spells, counted)
    parts = [_one_hazard(spells, g, counts, ties, quantile) for g, counts in enumerate(counted)]
    said = ["Nelson-Aalen." if ties == "nelson-aalen" else "Fleming-Harrington's hazard for tied times."]
    said += [line.replace("Greenwood's", "Aalen's (model-based)") for line in spells.describe()]
    frame = pd.concat(parts, ignore_index=True)
    return HazardCurves(frame, level, spells.labels, tuple(said))


def _one_hazard(spells: Spells, group: int, counts: Counts, ties: str, quantile: float) -> pd.DataFrame:
    step, spread = _increments(counts, ties, spells.weight_type)
    hazard = np.cumsum(step)
    squared = hazard_variance(spells, group, counts) if spells.variance == "robust" else np.cumsum(spread)
    error = np.sqrt(squared)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(hazard > 0.0, np.exp(quantile * error / hazard), 1.0)
    table = count_table(spells, group, counts, ("at_risk", "events", "censored"))
    table["hazard"], table["std_error"] = hazard, error
    table["conf_low"], table["conf_high"] = hazard / reach, hazard * reach
    table["survival"] = np.exp(-hazard)
    return table


def _increments(counts: Counts, ties: str, weight_type: WeightType | None) -> tuple[Floats, Floats]:
    """Return the increments of the hazard and of its model-based variance."""
    n, d = counts.at_risk, counts.events
    with np.errstate(divide="ignore", invalid="ignore"):
        step, spread = np.where(d > 0.0, d / n, 0.0), np.where(d > 0.0, d / n**2, 0.0)
    if ties == "nelson-aalen":
        return step, spread
    times = counts.n_events if weight_type == "probability" else np.rint(d).astype(np.int64)
    for k in np.flatnonzero(times > 1):
        each = d[k] / times[k]
        left = n[k] - each * np.arange(times[k])
        step[k], spread[k] = np.sum(each / left), np.sum(each / left**2)
    return step, spread
