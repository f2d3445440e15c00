"""From a register's sequences to a process of the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtwcohort.simulate.process import (
    ArmEffect,
    ClusterEffect,
    Effect,
    Entitlement,
    Frailty,
    Process,
    Transition,
)
from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.synthesise.calendar_fit import by_month, fit_calendar, fit_season
from rtwcohort.simulate.synthesise.exposure import SICKNESS, Slices, at_risk, cut, edges_of
from rtwcohort.simulate.synthesise.frailty import with_frailty
from rtwcohort.simulate.synthesise.hazards import PERIODS, GroupFit, Ratio, Term, fit_group
from rtwcohort.simulate.synthesise.moves import GROUPS, WITH_AGE, WITH_COVARIATES
from rtwcohort.simulate.synthesise.sequences import DEAD, FAMILY, RETIRED, Ints, Sequences
from rtwcohort.simulate.synthesise.used_up import Window, find_window, used_up

RIGHTS: Final = Entitlement(employer_period=0, paid_days=5000)
"""No rule ends an absence: where a register shows one, the hazard of that week does."""
_AGES: Final = (0.0, 50.0, 55.0, 60.0, 61.98, 62.1, 63.0, 64.0, 65.0, 66.0, 66.98, 67.1, 68.0, 70.0, 75.0)
_YEAR: Final = 365.25
SEASONAL: Final = ("onset", "return")
"""Groups that season and calendar time may act on."""
_LEAST_VARIANCE: Final = 0.0025
_LEAST_CLUSTERS: Final = 5


@dataclass(frozen=True, slots=True)
class FittedProcess:
    """The process, what it left out, and the groups as fitted (without data)."""

    process: Process
    window: Window | None
    notes: tuple[str, ...]


def risk_slices(sequences: Sequences, *, least: int) -> tuple[Slices, Window | None]:
    """Return days at risk cut at every edge of a hazard, and the week in which entitlement runs out."""
    whole = at_risk(sequences)
    window = find_window(whole, least=least)
    parts = []
    for family in np.unique(FAMILY[whole.origin]).tolist():
        part = whole.where(FAMILY[whole.origin] == family)
        edges = set(edges_of(family))
        if family == SICKNESS and window is not None:
            edges |= {window.first, window.last}
        parts.append(cut(part, part.clock, sorted(edges)))
    joined = Slices(*(np.concatenate([getattr(part, name) for part in parts]) for name in Slices.__slots__))
    return cut(joined, joined.follow, [low for low, _ in PERIODS] + [PERIODS[-1][1]]), window


def fit_process(
    sequences: Sequences,
    terms: Sequence[Term],
    *,
    least: int,
    cluster: Ints | None = None,
    arms: tuple[str, ...] = ("",),
) -> FittedProcess:
    """Fit hazards, hazard ratios, season, frailty of onset and cluster effects.

    Parameters
    ----------
    sequences
        The register.
    terms
        Covariates, the most wanted first: each group takes as many as its moves carry.
    least
        People behind every parameter.
    cluster
        Number of each person's cluster, shape (n,).
    arms
        Names of all arms. In a cohort, periods of follow-up are effects that all of them share.

    Returns
    -------
    FittedProcess
        Rates are rounded to four figures.
    """
    slices, window = risk_slices(sequences, least=least)
    transitions: list[Transition] = []
    effects: list[Effect] = []
    arm_effects: list[ArmEffect] = []
    frailty: tuple[Frailty, ...] = ()
    clusters: tuple[ClusterEffect, ...] = ()
    rare = 0
    if sequences.cohort:
        terms = _with_periods(terms, len(sequences))
    for group in GROUPS:
        if group == "retirement":
            transitions += _retirement(slices, sequences, least)
            continue
        fit = fit_group(slices, group, _terms_of(group, terms), window=window, least=least)
        if fit is None:
            continue
        rare += fit.rare
        if group == "onset" and not sequences.cohort:
            fit, variance = with_frailty(fit, len(sequences))
            frailty = (Frailty(on=group, variance=variance),) if variance else ()
        transitions += _transitions(fit, least)
        effects += [_effect(group, ratio) for ratio in fit.ratios if not ratio.term.arm and ratio.term.period is None]
        for ratio in fit.ratios:
            arm_effects += _arm_effects(group, ratio, arms)
        if group == "return" and cluster is not None:
            clusters = _clusters(fit, cluster)
    if window is not None:
        transitions += used_up(slices, window, least=least)
    notes = [] if not rare else [f"{rare} kinds of move that fewer than {least} people made are left out"]
    process = Process(
        transitions=tuple(transitions),
        effects=tuple(effects),
        arm_effects=tuple(arm_effects),
        frailty=frailty,
        clusters=clusters,
        entitlement=RIGHTS,
        grades=grade_shares(sequences, "sick_graded", least),
        aap_work_grades=grade_shares(sequences, "aap_work", least),
        pension_grades=grade_shares(sequences, "disability_partial", least),
        retirement_age=None,
        most_spells=5000,
    )
    return FittedProcess(process, window, tuple(notes))


def grade_shares(sequences: Sequences, state: str, least: int) -> tuple[tuple[int, float], ...]:
    """Return the shares of grades of a state; grades of fewer than `least` people count with the nearest other."""
    here = sequences.state == STATES.index(state)
    grades, people = sequences.grade[here], sequences.person[here]
    known = [g for g in np.unique(grades).tolist() if len(np.unique(people[grades == g])) >= least]
    if not known:
        return ((50, 1.0),)
    nearest = np.asarray(known)[np.abs(grades[:, None] - np.asarray(known)[None, :]).argmin(axis=1)]
    counts = [int((nearest == g).sum()) for g in known]
    return tuple((int(g), count / len(grades)) for g, count in zip(known, counts, strict=True))


def _terms_of(group: str, terms: Sequence[Term]) -> list[Term]:
    if group in WITH_COVARIATES:
        return list(terms)
    return [term for term in terms if term.name in ("age", "sex=female")] if group in WITH_AGE else []


def _transitions(fit: GroupFit, least: int) -> list[Transition]:
    season: tuple[float, ...] = ()
    calendar: tuple[tuple[str, float], ...] = ()
    if fit.group in SEASONAL:
        months = by_month(fit)
        season = fit_season(months, least=least)
        calendar = fit_calendar(months, season, least=least)
    return [
        Transition(
            origin=tuple(STATES[origin] for origin in move.origins),
            to=STATES[move.to],
            group=fit.group,
            per_day=move.per_day,
            clock="absence",
            season=season,
            calendar=calendar,
        )
        for move in fit.moves
    ]


def _effect(group: str, ratio: Ratio) -> Effect:
    term = ratio.term
    return Effect(on=group, term=term.name, log_hr=ratio.log_hr, per=term.per, centre=term.centre)


def _with_periods(terms: Sequence[Term], n: int) -> list[Term]:
    """Return the terms with those of periods behind the arms."""
    everybody = np.ones(n)
    periods = [Term(f"days {low} to {high}", everybody, period=(low, high)) for low, high in PERIODS]
    return [term for term in terms if term.arm] + periods + [term for term in terms if not term.arm]


def _arm_effects(group: str, ratio: Ratio, arms: tuple[str, ...]) -> list[ArmEffect]:
    """Return the effect of an arm; of a period the same effect in every arm."""
    first, until = ratio.period
    names = (ratio.term.name,) if ratio.term.arm else arms if ratio.term.period is not None else ()
    return [ArmEffect(on=group, arm=name, log_hr=ratio.log_hr, delay=first, until=until) for name in names]


def _retirement(slices: Slices, sequences: Sequences, least: int) -> list[Transition]:
    """Return retirement by age, from all states alike."""
    birth = sequences.birth[slices.person]
    here = slices.where((slices.origin != RETIRED) & (birth > -(1 << 30)))
    edges = np.rint(np.asarray(_AGES) * _YEAR).astype(np.int64)
    pieces = cut(here, here.day - sequences.birth[here.person], edges)
    age = np.searchsorted(edges, pieces.day - sequences.birth[pieces.person], side="right") - 1
    retires = pieces.to == RETIRED
    steps: list[tuple[float, float]] = []
    waiting: list[int] = []
    for k, years in enumerate(_AGES):
        if not (retires & (age == k)).any() and not waiting:
            steps.append((years, 0.0))
            continue
        waiting.append(k)
        band = np.isin(age, waiting)
        if len(np.unique(pieces.person[retires & band])) >= least:
            share = min(float(retires[band].sum() / pieces.days[band].sum()), 0.95)
            steps.append((_AGES[waiting[0]], float(f"{-np.log1p(-share):.4g}")))
            waiting = []
    if waiting:
        steps.append((_AGES[waiting[0]], max((rate for _, rate in steps), default=0.0)))
    if not any(rate > 0.0 for _, rate in steps):
        return []
    origins = tuple(STATES[state] for state in range(DEAD) if state != RETIRED)
    return [Transition(origin=origins, to="retired", group="retirement", per_day=((0, 1.0),), age=tuple(steps))]


def _clusters(fit: GroupFit, cluster: Ints) -> tuple[ClusterEffect, ...]:
    """Return the spread of log hazards between clusters by moments."""
    n = len(cluster)
    moved, mean = (np.bincount(cluster, weights=values) for values in fit.residuals(n))
    if len(moved) < _LEAST_CLUSTERS:
        return ()
    variance = float(((moved - mean) ** 2 - moved).sum() / max(float((mean**2).sum()), 1e-12))
    return (
        (ClusterEffect(on=fit.group, sd=round(min(float(np.sqrt(np.log1p(variance))), 2.0), 3)),)
        if (variance > _LEAST_VARIANCE)
        else ()
    )
