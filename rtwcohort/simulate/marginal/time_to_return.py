"""A declared time to return: baseline, effects by period, competing events, censoring and frailty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.marginal.baseline import Baseline
from rtwcohort.simulate.marginal.hazards import RETURN, Censoring, Hazard, SharedFrailty, dropout_rate
from rtwcohort.simulate.marginal.inputs import Covariates, check_persons, covariate
from rtwcohort.simulate.marginal.survival import ReturnTimes, draw_time_to_return
from rtwcohort.simulate.marginal.truth import truth_frame
from rtwcohort.simulate.portable import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnEffect:
    """A true log hazard ratio.

    Attributes
    ----------
    term, per, centre
        Name of a covariate, the units that `log_hr` belongs to, and the value at which the baseline holds.
    log_hr
        Above 0: sooner.
    on
        "return", or the name of a competing event.
    from_day, until_day
        It acts from `from_day` and no more after `until_day` (None: to the end). A hazard ratio that changes is two
        effects of one term.
    """

    term: str
    log_hr: float
    per: float = 1.0
    centre: float = 0.0
    on: str = RETURN
    from_day: float = 0.0
    until_day: float | None = None

    def __post_init__(self) -> None:
        """Refuse a unit, an effect or a period that cannot be."""
        check_number(self.log_hr, argument=f"log_hr of '{self.term}'", least=-10.0, most=10.0)
        check_number(self.centre, argument=f"centre of '{self.term}'")
        check_number(self.per, argument=f"per of '{self.term}'", least=1e-9)
        check_number(self.from_day, argument=f"from_day of '{self.term}'", least=0.0)
        if self.until_day is not None:
            check_number(self.until_day, argument=f"until_day of '{self.term}'", least=self.from_day + 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Competing:
    """An event after which nobody returns: its name and its hazard at every centre."""

    name: str
    baseline: Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToReturn:
    """A time to return with set hazard ratios: what `draw_return` draws."""

    baseline: Baseline
    effects: tuple[ReturnEffect, ...] = ()
    competing: tuple[Competing, ...] = ()
    censoring: Censoring = field(default_factory=Censoring)
    frailty: SharedFrailty | None = None
    whole_days: bool = True

    def __post_init__(self) -> None:
        """Refuse effects on events that are not declared."""
        names = [RETURN, *(event.name for event in self.competing)]
        if len(set(names)) < len(names):
            raise ArgumentError(f"`competing` must hold each name once, and not '{RETURN}'; got {names[1:]}.")
        for effect in self.effects:
            check_choice(effect.on, names, argument=f"on of '{effect.term}'")

    def period_starts(self) -> tuple[float, ...]:
        """Return the days at which an effect begins or ends, from 0."""
        days = {0.0} | {effect.from_day for effect in self.effects}
        return tuple(sorted(days | {effect.until_day for effect in self.effects if effect.until_day is not None}))


def draw_return(
    model: TimeToReturn,
    persons: npt.ArrayLike,
    covariates: Covariates,
    *,
    seed: int,
    entry: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    purpose: str = RETURN,
) -> ReturnTimes:
    """Draw a declared time to return; see `draw_time_to_return`.

    Parameters
    ----------
    model
        The declaration.
    persons
        Numbers of people, counted over the whole register, shape (n,).
    covariates
        Name -> values (n,), every one finite.
    seed, purpose, entry, cluster
        As in `draw_time_to_return`.

    Returns
    -------
    ReturnTimes
        With the hazard ratios in `truth`.

    Notes
    -----
    A dropout share is solved over the people given: to draw in parts, see `with_dropout_rate`.
    """
    number = check_persons(persons)
    starts = model.period_starts()
    predictors = {
        name: _predictor(model.effects, name, covariates, len(number), starts)
        for name in (RETURN, *(event.name for event in model.competing))
    }
    drawn = draw_time_to_return(
        number,
        predictors[RETURN],
        baseline=model.baseline,
        seed=seed,
        period_starts=starts,
        competing={event.name: Hazard(event.baseline, predictors[event.name]) for event in model.competing},
        censoring=model.censoring,
        entry=entry,
        frailty=model.frailty,
        cluster=cluster,
        whole_days=model.whole_days,
        purpose=purpose,
    )
    return replace(drawn, truth=pd.concat([_truth(model), drawn.truth], ignore_index=True))


def with_dropout_rate(model: TimeToReturn, covariates: Covariates) -> TimeToReturn:
    """Return the declaration with the dropout share of these people solved to a rate, for drawing them in parts."""
    n = max((np.size(values) for values in covariates.values() if not isinstance(values, Mapping)), default=1)
    starts = model.period_starts()
    rate = dropout_rate(
        _predictor(model.effects, RETURN, covariates, n, starts),
        baseline=model.baseline,
        censoring=model.censoring,
        period_starts=starts,
        competing={
            event.name: Hazard(event.baseline, _predictor(model.effects, event.name, covariates, n, starts))
            for event in model.competing
        },
        frailty=model.frailty,
    )
    return replace(model, censoring=replace(model.censoring, share=None, rate=rate))


def _predictor(
    effects: Sequence[ReturnEffect], name: str, covariates: Covariates, n: int, starts: Sequence[float]
) -> Floats:
    total = np.zeros((n, len(starts)))
    for effect in effects:
        if effect.on != name:
            continue
        values = effect.log_hr * ((covariate(covariates, effect.term, n) - effect.centre) / effect.per)
        for place, first in enumerate(starts):
            if first >= effect.from_day and (effect.until_day is None or first < effect.until_day):
                total[:, place] = total[:, place] + values
    return total


def _truth(model: TimeToReturn) -> pd.DataFrame:
    hidden = model.frailty is not None and model.frailty.hazard_ratios == "conditional" and model.frailty.variance > 0.0
    rows = []
    for effect in model.effects:
        unit = "" if effect.per == 1.0 else f"/{effect.per:g}"
        days = "" if effect.from_day == 0.0 else f"{effect.from_day:g}"
        end = "" if effect.until_day is None else f"{effect.until_day:g}"
        period = f"({days or 0}-{end}]" if days or end else ""
        holds = "conditional" if hidden and effect.on == RETURN else "marginal"
        rows.append((effect.on, f"{effect.term}{unit}{period}", "log_hr", effect.log_hr, holds))
    return truth_frame(rows)
