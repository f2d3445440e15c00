"""Disclosure control of curves: steps of enough events, and numbers at risk that cannot be differenced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_columns
from rtwcohort.report.disclosure import SMALL_CELLS, check_threshold, is_small
from rtwcohort.report.numbers import format_count

CURVE_COLUMNS: Final = ("time", "at_risk", "events", "survival", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True)
class CoarseCurve:
    """A curve that may be printed.

    Attributes
    ----------
    steps
        `time`, `survival`, `conf_low`, `conf_high`: the curve starts at 1 at time 0 and keeps each estimate until the
        next time; the last row is where it ends.
    fixed
        The same columns at the times that were asked for; NaN where withheld.
    withheld
        Whether the curve was stopped early or an estimate at a fixed time is withheld.
    """

    steps: pd.DataFrame
    fixed: pd.DataFrame
    withheld: bool


def coarsen_curve(curve: pd.DataFrame, *, at: Sequence[float] = (), threshold: int = SMALL_CELLS) -> CoarseCurve:
    """Pool the steps of one Kaplan-Meier curve until each holds at least `threshold` events.

    Every estimate that remains is the Kaplan-Meier estimate at its own time, not a smoothed one. The times asked for
    come first: the curve has a step there unless 1 to `threshold - 1` events lie between it and the time before.
    The curve stops where fewer than `threshold` people are at risk, and earlier where the events left out after
    that would be so few.

    Parameters
    ----------
    curve
        One row a distinct time in ascending order: `time`, `at_risk` (just before it), `events`, `survival` (not yet
        returned, just after it), `conf_low`, `conf_high`.
    at
        Times at which the estimate is printed elsewhere, such as 90, 180 and 365 days.
    threshold
        0 or 1 keeps every step.
    """
    check_columns(curve.columns, CURVE_COLUMNS, argument="curve")
    limit = max(check_threshold(threshold), 1)
    rows = curve.sort_values("time", ignore_index=True)
    times = rows["time"].to_numpy(dtype=np.float64)
    events = rows["events"].to_numpy(dtype=np.int64)
    enough = rows["at_risk"].to_numpy(dtype=np.int64) >= limit
    n_known = int(enough.sum())
    wanted = np.unique(np.asarray(list(at), dtype=np.float64))
    end = float(times[n_known - 1]) if n_known else 0.0
    knots = _knots(times[:n_known], events[:n_known], wanted[wanted <= end], int(events.sum()), limit)
    last_known = (
        end
        if _events_until(times, events, knots[-1] if knots else -np.inf) == events.sum()
        else (knots[-1] if knots else 0.0)
    )
    steps = _steps(rows, knots, last_known)
    fixed = _at_times(rows, wanted, knots, last_known)
    return CoarseCurve(steps, fixed, bool(last_known < times[-1]) if len(times) else True)


def split_curves(curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Part `Curves.frame` by its column `group`, in the order of the rows."""
    check_columns(curves.columns, ("group", *CURVE_COLUMNS), argument="curves")
    names = list(dict.fromkeys(curves["group"]))
    return {str(name): curves[curves["group"] == name].reset_index(drop=True) for name in names}


def numbers_at_risk(curve: pd.DataFrame, times: Sequence[float]) -> npt.NDArray[np.int64]:
    """Return how many people are at risk just before each time, shape (len(times),)."""
    rows = curve.sort_values("time", ignore_index=True)
    at = np.searchsorted(rows["time"].to_numpy(dtype=np.float64), np.asarray(times, dtype=np.float64), side="left")
    counts = np.append(rows["at_risk"].to_numpy(dtype=np.int64), 0)
    return np.asarray(counts[at])


def round_at_risk(counts: npt.ArrayLike, threshold: int = SMALL_CELLS) -> list[str]:
    """Print numbers at risk rounded down to a multiple of the threshold, and "<5" below it.

    Two of them then differ by 0, 5, 10, ... and never tell how few left in between; 0 is "<5" as well.
    """
    limit = check_threshold(threshold)
    numbers = np.asarray(counts, dtype=np.int64)
    if limit <= 1:
        return [format_count(int(number)) for number in numbers]
    return [f"<{limit}" if number < limit else format_count(int(number) // limit * limit) for number in numbers]


def at_risk_note(threshold: int) -> str:
    """Return the sentence printed under numbers at risk; empty when nothing is rounded."""
    if threshold <= 1:
        return ""
    return (
        f"Numbers at risk are rounded down to a multiple of {threshold}. Each step of a curve holds at least "
        f"{threshold} returns, and a curve ends where fewer than {threshold} people are at risk."
    )


def _events_until(times: npt.NDArray[Any], events: npt.NDArray[Any], end: float) -> int:
    return int(events[times <= end].sum())


def _knots(
    times: npt.NDArray[Any], events: npt.NDArray[Any], wanted: npt.NDArray[Any], total: int, threshold: int
) -> list[float]:
    """Return the times at which the curve steps, in order."""
    knots: list[float] = []
    for first, last in _intervals(times, events, wanted, threshold):
        inside = (times > first) & (times <= last) & (events > 0)
        knots += _pool(times[inside], events[inside], threshold)
    while knots and is_small(total - _events_until(times, events, knots[-1]), threshold):
        knots.pop()
    return knots


def _intervals(
    times: npt.NDArray[Any], events: npt.NDArray[Any], wanted: npt.NDArray[Any], threshold: int
) -> list[tuple[float, float]]:
    """Part the time axis at the wanted times, leaving out those that would make a part of few events."""
    bounds = [-np.inf]
    for time in wanted:
        inside = int(events[(times > bounds[-1]) & (times <= time)].sum())
        if inside >= threshold:
            bounds.append(float(time))
    after = int(events[times > bounds[-1]].sum())
    if is_small(after, threshold) and len(bounds) > 1:
        bounds.pop()
    return [(first, last) for first, last in zip(bounds, [*bounds[1:], np.inf], strict=True) if first < last]


def _pool(times: npt.NDArray[Any], events: npt.NDArray[Any], threshold: int) -> list[float]:
    """Close a step as soon as it holds enough events; the rest joins the last step."""
    knots: list[float] = []
    held = 0
    for time, count in zip(times, events, strict=True):
        held += int(count)
        if held >= threshold:
            knots.append(float(time))
            held = 0
    if held and knots:
        knots[-1] = float(times[-1])
    return knots


def _steps(rows: pd.DataFrame, knots: list[float], last_known: float) -> pd.DataFrame:
    columns = ["time", "survival", "conf_low", "conf_high"]
    start = pd.DataFrame({"time": [0.0], "survival": [1.0], "conf_low": [1.0], "conf_high": [1.0]})
    kept = rows.loc[rows["time"].isin(knots), columns].astype(np.float64)
    steps = kept if knots and knots[0] == 0.0 else pd.concat([start, kept], ignore_index=True)
    if last_known > float(steps["time"].iloc[-1]):
        steps = pd.concat([steps, steps.tail(1).assign(time=last_known)], ignore_index=True)
    return steps.reset_index(drop=True)


def _at_times(rows: pd.DataFrame, wanted: npt.NDArray[Any], knots: list[float], last_known: float) -> pd.DataFrame:
    """Return the estimate at each wanted time that no withheld event lies before since the last step."""
    times = rows["time"].to_numpy(dtype=np.float64)
    events = rows["events"].to_numpy(dtype=np.int64)
    values = rows[["survival", "conf_low", "conf_high"]].to_numpy(dtype=np.float64)
    out = np.full((len(wanted), 3), np.nan)
    for at, time in enumerate(wanted):
        before = [knot for knot in knots if knot <= time]
        since = before[-1] if before else -np.inf
        if time > last_known or events[(times > since) & (times <= time)].sum() > 0:
            continue
        row = int(np.searchsorted(times, time, side="right")) - 1
        out[at] = values[row] if row >= 0 else 1.0
    return pd.DataFrame({"time": wanted, "survival": out[:, 0], "conf_low": out[:, 1], "conf_high": out[:, 2]})
