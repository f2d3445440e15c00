"""Difference-in-differences of a hazard: the Cox model with the interaction of group and period."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from rtwcohort.compare.did_design import DidRows, Missing, cell, cell_table, did_rows
from rtwcohort.compare.two_by_two import Effect
from rtwcohort.core.wald import tidy_table
from rtwcohort.design.terms import quote_name
from rtwcohort.errors import ArgumentError

_TERMS: Final = ("did_group", "did_period", "did_contrast")


@dataclass(frozen=True, slots=True)
class CoxDidFit:
    """A difference-in-differences of the log hazard.

    Attributes
    ----------
    effect
        Hazard ratio of the interaction with its interval; `std_error` is of the log. Below 1: in the second period the
        group's return slowed by more than the reference group's.
    term
        Its name in `table`.
    table
        All log hazard ratios in the tidy vocabulary.
    cells
        One row a cell: group, period, n and events.
    ties
        "efron" or "breslow".
    n_missing
        Column -> rows without a value; `n_dropped` rows were left out for it.
    n_dropped
        See above.
    level
        Confidence level.
    """

    effect: Effect
    term: str
    table: pd.DataFrame
    cells: pd.DataFrame
    ties: str
    n_missing: Mapping[str, int]
    n_dropped: int
    level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row a coefficient (log hazard ratios) in the tidy vocabulary."""
        return self.table.copy()


def cox_difference_in_differences(
    frame: Any,
    *,
    time: str,
    event: str,
    group: str,
    period: str,
    exposed: Any = None,
    after: Any = None,
    covariates: Sequence[str] = (),
    ties: Literal["efron", "breslow"] = "efron",
    missing: Missing = "raise",
    level: float = 0.95,
) -> CoxDidFit:
    """Estimate a difference-in-differences of the log hazard of return by Cox regression.

    Parameters
    ----------
    frame
        One row a person; it is not changed.
    time, event
        Columns: days of follow-up, and whether the person returned (bool or 0/1).
    group, period, exposed, after, covariates, missing
        As in `difference_in_differences`.
    ties
        How tied times are handled; register time is heavily tied, so the two differ.
    level
        Confidence level.

    Returns
    -------
    CoxDidFit

    Raises
    ------
    ArgumentError
        See `difference_in_differences`; also a cell without events, whose hazard ratio would be 0 or infinite.
    ConvergenceError, DesignError
        From the Cox fit.

    Notes
    -----
    ``log h(t) = log h0(t) + b1 group + b2 period + d group x period``. Longer durations are lower hazards, so `d` has
    the opposite sign of the difference-in-differences of log duration; the two agree in size only if durations are
    exponential. One baseline hazard is shared by the four cells: the contrast leans on proportional hazards.
    """
    if any(name in _TERMS for name in covariates):
        raise ArgumentError(f"`covariates` must not be named {', '.join(_TERMS)}: those names are used inside.")
    rows = did_rows(
        frame,
        needed=[time, event],
        group=group,
        period=period,
        covariates=covariates,
        exposed=exposed,
        after=after,
        missing=missing,
    )
    events = _events_by_cell(rows, event)
    from rtwcohort.models.cox import fit_cox

    data = rows.frame.drop(columns=[group, period]).reset_index(drop=True)
    data = data.assign(did_group=rows.in_group, did_period=rows.in_period, did_contrast=rows.in_group * rows.in_period)
    right = " + ".join([*_TERMS, *(quote_name(name) for name in covariates)])
    fit = fit_cox(data, f"Surv({quote_name(time)}, {quote_name(event)}) ~ {right}", ties=ties)
    names = dict(zip(_TERMS, (rows.group.term, rows.period.term, rows.contrast_term), strict=True))
    fitted = fit.tidy()
    terms = [names.get(term, term) for term in fitted["term"]]
    table = tidy_table(terms, fitted["estimate"].to_numpy(), fitted["std_error"].to_numpy(), level=level)
    return CoxDidFit(
        effect=_effect(table, rows.contrast_term, ties),
        term=rows.contrast_term,
        table=table,
        cells=cell_table(rows, events=events),
        ties=ties,
        n_missing=rows.n_missing,
        n_dropped=rows.n_dropped,
        level=level,
    )


def _events_by_cell(rows: DidRows, event: str) -> dict[tuple[float, float], float]:
    values = rows.frame[event]
    if not values.isin([0, 1]).all():
        raise ArgumentError(
            f"`event` '{event}' must be True/False or 0/1; {int((~values.isin([0, 1])).sum())} rows are not."
        )
    happened = values.to_numpy(dtype=np.float64)
    by_cell = {(g, p): int(happened[cell(rows, g, p)].sum()) for g in (0.0, 1.0) for p in (0.0, 1.0)}
    for (g, p), n in by_cell.items():
        if n == 0:
            group_level = rows.group.other if g else rows.group.reference
            period_level = rows.period.other if p else rows.period.reference
            raise ArgumentError(
                f"No event where '{rows.group.column}' = {group_level} and '{rows.period.column}' = {period_level}: "
                "the hazard ratio of the contrast would be 0 or infinite."
            )
    return {corner: float(n) for corner, n in by_cell.items()}


def _effect(table: pd.DataFrame, term: str, ties: str) -> Effect:
    row = table.loc[table["term"] == term].iloc[0]
    return Effect(
        estimate=math.exp(float(row["estimate"])),
        conf_low=math.exp(float(row["conf_low"])),
        conf_high=math.exp(float(row["conf_high"])),
        std_error=float(row["std_error"]),
        statistic=float(row["statistic"]),
        p_value=float(row["p_value"]),
        method=f"Cox regression, {ties.capitalize()} ties, Wald interval",
        reason="" if math.isfinite(float(row["std_error"])) else "the likelihood is monotone: no finite estimate",
    )
