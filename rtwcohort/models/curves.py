"""Kaplan-Meier curves: counts and survival from lifelines, intervals and quantiles as R's `survfit` gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.wald import normal_quantile
from rtwcohort.design import check_survival
from rtwcohort.errors import ArgumentError, DesignError
from rtwcohort.models.cox_kernel import tie_times

Floats = npt.NDArray[np.float64]
CURVE_COLUMNS = (
    "group", "time", "at_risk", "events", "censored", "survival", "std_error", "conf_low", "conf_high"
)  # fmt: skip
_QUANTILE_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, slots=True)
class Curves:
    """Kaplan-Meier curves, one a group.

    Attributes
    ----------
    frame
        One row a group and distinct time, with a row at time 0: `group, time, at_risk, events, censored, survival,
        std_error, conf_low, conf_high`. `at_risk` counts people just before `time`; `censored` leave just after it.
        `std_error` is Greenwood's, of the survival itself.
    level
        Confidence level of the interval exp(log S +- z se/S), cut at 1: R's conf.type = "log".
    groups
        Labels in the order of the frame; ("all",) without groups.
    """

    frame: pd.DataFrame
    level: float
    groups: tuple[str, ...]

    def curve(self, group: str = "all") -> pd.DataFrame:
        """Return the rows of one group."""
        if group not in self.groups:
            raise ArgumentError(f"`group` must be one of {', '.join(map(repr, self.groups))}; got {group!r}.")
        return self.frame[self.frame["group"] == group].reset_index(drop=True)

    def at_risk(self, times: Sequence[float]) -> pd.DataFrame:
        """Return the numbers at risk just before each time: `group, time, at_risk`."""
        rows = []
        for group in self.groups:
            curve = self.curve(group)
            known = curve["time"].to_numpy()
            counts = np.append(curve["at_risk"].to_numpy(), 0)
            for time in times:
                rows.append((group, float(time), int(counts[np.searchsorted(known, time, side="left")])))
        return pd.DataFrame(rows, columns=["group", "time", "at_risk"])

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

    def quantiles(self, share: float = 0.5) -> pd.DataFrame:
        """Return the time by which a `share` has had the event (0.5: the median): `group, time, conf_low, conf_high`.

        As R's `quantile.survfit`: where the curve is flat at exactly 1 - share, the middle of the flat part; the
        interval is where the interval of the curve crosses; NaN where it does not.
        """
        if not 0.0 < share < 1.0:
            raise ArgumentError(f"`share` must be between 0 and 1; got {share!r}.")
        rows = []
        for group in self.groups:
            curve = self.curve(group)
            time = curve["time"].to_numpy(dtype=np.float64)
            crossings = [
                _crossing(time, 1.0 - curve[column].to_numpy(dtype=np.float64), share)
                for column in ("survival", "conf_low", "conf_high")
            ]
            rows.append((group, *crossings))
        return pd.DataFrame(rows, columns=["group", "time", "conf_low", "conf_high"])


def kaplan_meier(time: Any, event: Any, *, group: Any = None, level: float = 0.95) -> Curves:
    """Estimate survival (here: still not back at work) by Kaplan and Meier.

    Parameters
    ----------
    time, event
        Shape (n,): time to event or censoring, and 1 or True for an event. Death and other competing causes coded 0
        count as censoring: the curve is then the return that would be seen without them. For the share that returns
        among all, use `cumulative_incidence`.
    group
        Shape (n,): labels, none missing; categories keep their order, other labels are sorted.
    level
        Confidence level.

    Raises
    ------
    DesignError
        For times, events or groups that cannot be used.
    """
    normal_quantile(level)
    response = check_survival(time, event, need_events=False)
    times = tie_times(response.time)
    labels, codes = group_codes(group, times.size)
    parts = []
    for code, label in enumerate(labels):
        inside = codes == code
        part = _one_curve(times[inside], response.event[inside], level)
        part.insert(0, "group", label)
        parts.append(part)
    return Curves(pd.concat(parts, ignore_index=True)[list(CURVE_COLUMNS)], level, labels)


def group_codes(group: Any, n: int) -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    """Return labels as text and the code of each row; one group "all" for None.

    Raises
    ------
    DesignError
        When a label is missing or the length differs.
    """
    if group is None:
        return ("all",), np.zeros(n, dtype=np.intp)
    series = group if isinstance(group, pd.Series) else pd.Series(group)
    if len(series) != n:
        raise DesignError(f"`group` must have one label a row ({n}); got {len(series)}.")
    if series.isna().any():
        raise DesignError(f"`group` is missing in {int(series.isna().sum())} rows: drop or name them.")
    category = series.astype("category").cat.remove_unused_categories()
    return tuple(str(level) for level in category.cat.categories), category.cat.codes.to_numpy().astype(np.intp)


def _one_curve(time: Floats, event: npt.NDArray[np.bool_], level: float) -> pd.DataFrame:
    """Let lifelines count and estimate, and add Greenwood's standard error and the log interval."""
    from lifelines import KaplanMeierFitter

    fitter = KaplanMeierFitter().fit(time, event)
    counts = fitter.event_table
    survival = fitter.survival_function_.iloc[:, 0].to_numpy(dtype=np.float64)
    at_risk = counts["at_risk"].to_numpy(dtype=np.int64)
    events = counts["observed"].to_numpy(dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard_variance = np.cumsum(events / (at_risk * (at_risk - events).astype(np.float64)))
        gone = survival <= 0.0
        relative = np.where(gone, np.nan, np.sqrt(hazard_variance))
        reach = np.exp(normal_quantile(level) * relative)
        conf_low, conf_high = survival / reach, np.minimum(survival * reach, 1.0)
    return pd.DataFrame(
        {
            "time": counts.index.to_numpy(dtype=np.float64),
            "at_risk": at_risk,
            "events": events,
            "censored": counts["censored"].to_numpy(dtype=np.int64),
            "survival": survival,
            "std_error": np.where(gone, np.nan, survival * relative),
            "conf_low": conf_low,
            "conf_high": conf_high,
        }
    )


def _crossing(time: Floats, incidence: Floats, share: float) -> float:
    """Return where a rising step function reaches `share`, the middle where it is flat at exactly that height."""
    known = ~np.isnan(incidence)
    time, incidence = time[known], incidence[known]
    reached = np.flatnonzero(incidence >= share - _QUANTILE_TOLERANCE)
    if not reached.size:
        return float("nan")
    above = np.flatnonzero(incidence > share + _QUANTILE_TOLERANCE)
    end = time[above[0]] if above.size else time[-1]
    return float((time[reached[0]] + end) / 2.0)
