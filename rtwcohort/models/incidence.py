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
from rtwcohort.models.cox_kernel import tie_times
from rtwcohort.models.curves import group_codes

Floats = npt.NDArray[np.float64]
_COLUMNS = ["incidence", "std_error", "conf_low", "conf_high"]


@dataclass(frozen=True, slots=True)
class CumulativeIncidence:
    """The share that has had one cause by each time, while the other causes take people away.

    Attributes
    ----------
    frame
        One row a group and distinct time, from time 0: `group, time, at_risk, events, competing, censored, incidence,
        std_error, conf_low, conf_high`.
    event
        The cause.
    level
        Confidence level of the interval exp(log F +- z se/F), cut at 1.
    groups
        Labels; ("all",) without groups.
    """

    frame: pd.DataFrame
    event: Any
    level: float
    groups: tuple[str, ...]

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
    time: Any, cause: Any, *, event: Any, censored: Any = None, group: Any = None, level: float = 0.95
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
    group
        Shape (n,): labels.
    level
        Confidence level.

    Notes
    -----
    F(t) = sum over s <= t of S(s-) d(s) / r(s), with S the survival from all causes. The standard error is the
    infinitesimal jackknife (as R's `survfit` for several causes): the root of the sum of squared derivatives of F(t)
    with respect to each person's weight.

    Raises
    ------
    DesignError
        For unusable times or causes, or when nobody has the cause.
    """
    normal_quantile(level)
    times = tie_times(check_time(time, name="time"))
    kind = _kinds(cause, event, censored, times.size)
    labels, codes = group_codes(group, times.size)
    parts = []
    for code, label in enumerate(labels):
        inside = codes == code
        part = _one_group(times[inside], kind[inside], level)
        part.insert(0, "group", label)
        parts.append(part)
    return CumulativeIncidence(pd.concat(parts, ignore_index=True), event, level, labels)


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


def _one_group(time: Floats, kind: npt.NDArray[np.intp], level: float) -> pd.DataFrame:
    distinct, place = np.unique(np.append(time, 0.0), return_inverse=True)
    place = place[:-1]
    counts = np.zeros((3, distinct.size))
    np.add.at(counts, (kind, place), 1.0)
    at_risk = time.size - np.concatenate(([0.0], np.cumsum(counts.sum(axis=0))[:-1]))
    incidence, variance = aalen_johansen(counts[0], counts[1], counts[2], at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(variance)
        reach = np.exp(normal_quantile(level) * error / incidence)
        low, high = incidence / reach, np.minimum(incidence * reach, 1.0)
    table = pd.DataFrame({"time": distinct, "at_risk": at_risk.astype(np.int64)})
    for row, name in ((1, "events"), (2, "competing"), (0, "censored")):
        table[name] = counts[row].astype(np.int64)
    table["incidence"], table["std_error"] = incidence, error
    table["conf_low"], table["conf_high"] = low, high
    return table


def aalen_johansen(censored: Floats, events: Floats, competing: Floats, at_risk: Floats) -> tuple[Floats, Floats]:
    """Return the cumulative incidence and its infinitesimal-jackknife variance at each distinct time.

    Parameters
    ----------
    censored, events, competing, at_risk
        Counts at each distinct time in ascending order, shape (k,).

    Notes
    -----
    With h = (events + competing)/r, c = h / (r (1 - h)), and C its sum over earlier times, the derivative of F(t) with
    respect to the weight of a person who leaves at u <= t is  own(u) + slope(u) (F(t) - F(u)),  with

        slope(u) = C(u) + c(u) - [any cause at u] / (r(u) (1 - h(u)))
        own(u)   = sum over s <= u of S(s-) (d(s)/r(s)) (C(s) - 1/r(s))  +  [the cause at u] S(u-) / r(u)

    and the same sum up to t for a person still there after t. Sums of squares therefore follow from running sums.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(at_risk > 0, (events + competing) / at_risk, 0.0)
        inverse = np.where(at_risk > 0, 1.0 / at_risk, 0.0)
        left = np.where(hazard < 1.0, inverse / (1.0 - hazard), 0.0)
    before = np.concatenate(([1.0], np.cumprod(1.0 - hazard)[:-1]))
    jump = before * events * inverse
    incidence = np.cumsum(jump)
    growth = hazard * left
    earlier = np.cumsum(growth) - growth
    common = np.cumsum(jump * (earlier - inverse))
    slope_stay = earlier + growth
    total = np.zeros((3, incidence.size))
    for count, own, slope in (
        (censored, common, slope_stay),
        (events, common + before * inverse, slope_stay - left),
        (competing, common, slope_stay - left),
    ):
        fixed = own - slope * incidence
        total += np.cumsum(np.stack((count * fixed**2, count * fixed * slope, count * slope**2)), axis=1)
    staying = at_risk - censored - events - competing
    variance = total[0] + 2.0 * incidence * total[1] + incidence**2 * total[2] + staying * common**2
    return incidence, np.maximum(variance, 0.0)
