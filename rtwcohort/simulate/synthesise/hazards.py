"""Hazards of a real register: occurrence over exposure in pieces of a clock, each behind it enough people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.synthesise.exposure import SICKNESS, Slices, edges_of
from rtwcohort.simulate.synthesise.log_ratios import Floats, Risk, expected, fit_log_ratios, piece_rates
from rtwcohort.simulate.synthesise.moves import GROUPS, group_table
from rtwcohort.simulate.synthesise.sequences import FAMILY, Bools, Ints
from rtwcohort.simulate.synthesise.used_up import Window

LATE: Final = 182
"""Days of follow-up after which the effect of an arm may be another one."""
PERIODS: Final = ((0, 14), (14, 30), (30, 61), (61, 91), (91, 182), (182, 365))
"""Days of follow-up in which the hazards of a cohort may differ from those after the last of them."""
ALWAYS: Final = (0, None)
LAST: Final = tuple(STATES.index(name) for name in ("retired", "dead", "emigrated"))
_PRIOR: Final = 1.0
"""Moves that the rate of the whole counts for in that of a piece."""


@dataclass(frozen=True, slots=True)
class Term:
    """A covariate of the hazards.

    Attributes
    ----------
    name
        As `Inputs.covariates` will hold it, or the name of an arm.
    values
        Shape (n,), no missing values: they take the centre.
    centre, per
        The log ratio is that of `per` units above `centre`.
    arm
        Whether it is 1 in an arm and 0 elsewhere, with an effect that may differ before and after half a year.
    period
        Days of follow-up, half-open, outside of which it has no effect; the values are then 1 for everybody.
    """

    name: str
    values: Floats
    centre: float = 0.0
    per: float = 1.0
    arm: bool = False
    period: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One kind of move as fitted: origins and target as state codes, pieces (first day, rate per day)."""

    origins: tuple[int, ...]
    to: int
    per_day: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fitted log hazard ratio of a term, in a period of follow-up (half-open; None: to the end)."""

    term: Term
    log_hr: float
    period: tuple[int, int | None] = ALWAYS


@dataclass(frozen=True, slots=True)
class GroupFit:
    """The hazards of a group.

    Attributes
    ----------
    group
        Its name.
    moves, ratios
        As fitted.
    risk, eta
        The days at risk and the linear predictor, for what is fitted on top: season, frailty, clusters.
    pieces
        Number of pieces over all moves.
    rare
        Kinds of move that too few people made.
    """

    group: str
    moves: tuple[Move, ...]
    ratios: tuple[Ratio, ...]
    risk: Risk
    eta: Floats
    pieces: int
    rare: int

    def residuals(self, n: int) -> tuple[Floats, Floats]:
        """Return observed and expected moves of each person, shape (n,)."""
        mean = expected(self.risk, self.eta, self.pieces)
        moved = np.bincount(self.risk.person, weights=self.risk.moved, minlength=n)
        return moved.astype(np.float64), np.bincount(self.risk.person, weights=mean, minlength=n).astype(np.float64)


def fit_group(
    slices: Slices, group: str, terms: Sequence[Term], *, window: Window | None, least: int
) -> GroupFit | None:
    """Fit the hazards of one group of moves.

    Parameters
    ----------
    slices
        Days at risk, cut at `edges_of`, at the window and at `PERIODS`.
    group
        Its name.
    terms
        Covariates that it may have.
    window
        Days on which entitlement runs out: nothing else moves people there.
    least
        People behind each rate and each ratio.

    Returns
    -------
    GroupFit or None
        None when fewer than `least` people made any such move.
    """
    here = slices.where(~_in_window(slices, window))
    code = group_table()[here.origin, np.maximum(here.to, 0)]
    happens = (here.to >= 0) & (code == GROUPS.index(group))
    kinds, rare = _kinds(here, happens, least)
    if not kinds:
        return None
    parts, steps = [], []
    used = 0
    for origins, to in kinds:
        rows = here.where(np.isin(here.origin, origins))
        moved = rows.to == to
        begins, piece = _pieces(rows, moved, _edges(origins, to), least)
        days, ends = rows.days.astype(np.float64), moved.astype(np.float64)
        parts.append(Risk(rows.person, piece + used, days, ends, rows.follow, rows.day))
        steps.append(begins)
        used += len(begins)
    risk = Risk(*(np.concatenate([getattr(part, name) for part in parts]) for name in Risk.__slots__))
    columns = _worthwhile(risk, _columns(risk, terms, least), used)
    x = np.column_stack([column for _, _, column in columns]) if columns else np.zeros((len(risk.days), 0))
    beta = np.round(fit_log_ratios(risk, x, used), 4)
    eta = x @ beta
    rates = _shrunk(risk, eta, used, [len(begins) for begins in steps])
    ratios = tuple(Ratio(term, float(b), period) for (term, period, _), b in zip(columns, beta, strict=True))
    moves = []
    at = 0
    for (origins, to), begins in zip(kinds, steps, strict=True):
        values = [float(f"{rate:.4g}") for rate in rates[at : at + len(begins)]]
        flat = to in LAST or FAMILY[origins[0]] != SICKNESS
        moves.append(Move(origins, to, _outside(begins, values, None if flat else window)))
        at += len(begins)
    return GroupFit(group, tuple(moves), ratios, risk, eta, used, rare)


def _worthwhile(
    risk: Risk, columns: list[tuple[Term, tuple[int, int | None], Floats]], pieces: int
) -> list[tuple[Term, tuple[int, int | None], Floats]]:
    """Return the covariates, periods of follow-up only where they say more than chance does (1 % point)."""
    plain = [column for column in columns if column[0].period is None]
    free = len(columns) - len(plain)
    if not free:
        return plain
    limit = free * (1.0 - 2.0 / (9.0 * free) + 2.326 * np.sqrt(2.0 / (9.0 * free))) ** 3
    return columns if 2.0 * (_likelihood(risk, columns, pieces) - _likelihood(risk, plain, pieces)) > limit else plain


def _likelihood(risk: Risk, columns: list[tuple[Term, tuple[int, int | None], Floats]], pieces: int) -> float:
    x = np.column_stack([column for _, _, column in columns]) if columns else np.zeros((len(risk.days), 0))
    mean = expected(risk, x @ fit_log_ratios(risk, x, pieces), pieces)
    return float(np.log(mean[risk.moved > 0.0]).sum())


def _in_window(slices: Slices, window: Window | None) -> Bools:
    if window is None:
        return np.zeros(len(slices.clock), dtype=np.bool_)
    inside: Bools = (FAMILY[slices.origin] == SICKNESS) & (slices.clock >= window.first) & (slices.clock < window.last)
    return inside


def _kinds(slices: Slices, happens: Bools, least: int) -> tuple[list[tuple[tuple[int, ...], int]], int]:
    """Return the kinds of move as (origins, to), origins with few people taken together; and how many are left out."""
    kinds: list[tuple[tuple[int, ...], int]] = []
    rare = 0
    for to in np.unique(slices.to[happens]).tolist():
        alone: list[int] = []
        together: list[int] = []
        for origin in np.unique(slices.origin[happens & (slices.to == to)]).tolist():
            people = _people(slices, _to(slices, happens, [origin], to))
            (alone if people >= least else together).append(origin)
        # A pool holds one family only, so that all of it has one clock; for death and emigration that does not matter.
        if to in LAST and alone and together and _people(slices, _to(slices, happens, together, to)) < least:
            together.append(alone.pop())
        kinds += [((origin,), to) for origin in alone]
        for family in _families(together, to):
            if _people(slices, _to(slices, happens, family, to)) >= least:
                kinds.append((tuple(family), to))
            else:
                rare += len(family)
    return kinds, rare


def _to(slices: Slices, happens: Bools, origins: list[int], to: int) -> Bools:
    who: Bools = happens & (slices.to == to) & np.isin(slices.origin, origins)
    return who


def _families(origins: list[int], to: int) -> list[list[int]]:
    if to in LAST:
        return [origins] if origins else []
    groups: dict[int, list[int]] = {}
    for origin in origins:
        groups.setdefault(int(FAMILY[origin]), []).append(origin)
    return list(groups.values())


def _people(slices: Slices, who: Bools) -> int:
    return len(np.unique(slices.person[who]))


def _edges(origins: Sequence[int], to: int) -> tuple[int, ...]:
    """Return where the hazard of a move may change; that of death and emigration does not."""
    return (0,) if to in LAST else edges_of(origins[0])


def _pieces(rows: Slices, moved: Bools, edges: tuple[int, ...], least: int) -> tuple[list[int], Ints]:
    """Return where pieces begin, each with moves of `least` people or more, and the piece of every slice."""
    fine = np.searchsorted(edges, rows.clock, side="right") - 1
    begins: list[int] = []
    behind: set[int] = set()
    first = 0
    for k in range(len(edges)):
        behind |= set(rows.person[moved & (fine == k)].tolist())
        if len(behind) >= least:
            begins.append(int(edges[first]))
            behind, first = set(), k + 1
    if not begins:
        begins = [int(edges[0])]
    return begins, np.searchsorted(np.asarray(begins), rows.clock, side="right") - 1


def _columns(risk: Risk, terms: Sequence[Term], least: int) -> list[tuple[Term, tuple[int, int | None], Floats]]:
    """Return the covariates that enough people stand behind, as (term, period, values)."""
    moved = risk.moved > 0.0
    room = len(np.unique(risk.person[moved])) // (2 * least)
    out: list[tuple[Term, tuple[int, int | None], Floats]] = []
    for term in terms:
        if len(out) >= room:
            break
        values = ((term.values - term.centre) / term.per)[risk.person]
        if term.period is not None:
            inside = (risk.follow >= term.period[0]) & (risk.follow < term.period[1])
            if min(_count(risk, moved & inside), _count(risk, moved & ~inside)) >= least:
                out.append((term, term.period, inside.astype(np.float64)))
            continue
        late = risk.follow >= LATE
        halves = [((0, LATE), ~late), ((LATE, None), late)] if term.arm else []
        if halves and all(_enough(term, risk, moved & half, least) for _, half in halves):
            out += [(term, name, np.where(half, values, 0.0)) for name, half in halves]
        elif _enough(term, risk, moved, least):
            out.append((term, ALWAYS, values))
    return out


def _count(risk: Risk, who: Bools) -> int:
    return len(np.unique(risk.person[who]))


def _enough(term: Term, risk: Risk, who: Bools, least: int) -> bool:
    values = term.values[np.unique(risk.person[who])]
    if set(np.unique(term.values).tolist()) <= {0.0, 1.0}:
        ones = int(values.sum())
        return min(ones, len(values) - ones) >= least
    return len(values) >= least and bool(np.ptp(values) > 0.0)


def _shrunk(risk: Risk, eta: Floats, pieces: int, sizes: Sequence[int]) -> Floats:
    """Return rates drawn a little towards that of their move, as hazards of continuous time."""
    raw = piece_rates(risk, eta, pieces)
    moved = np.bincount(risk.piece, weights=risk.moved, minlength=pieces)
    days = np.bincount(risk.piece, weights=risk.days, minlength=pieces)
    weight = np.divide(moved, raw, out=np.zeros(pieces), where=raw > 0.0)
    out = np.zeros(pieces)
    at = 0
    for size in sizes:
        part = slice(at, at + size)
        whole = moved[part].sum() / max(weight[part].sum(), 1e-12)
        shrunk = (moved[part] + _PRIOR) / np.maximum(weight[part] + _PRIOR / max(whole, 1e-12), 1e-12)
        # Moves happen within days: of a day's risk p the hazard is -log(1 - p).
        share = np.clip(moved[part] / np.maximum(days[part], 1.0), 1e-12, 0.95)
        out[part] = shrunk * -np.log1p(-share) / share
        at += size
    return out


def _outside(begins: list[int], rates: list[float], window: Window | None) -> tuple[tuple[float, float], ...]:
    """Return pieces from day 0 that are 0 in the window, where another hazard acts."""
    pieces = list(zip([float(day) for day in begins], rates, strict=True))
    if window is None:
        return tuple(pieces)
    before = [(day, rate) for day, rate in pieces if day < window.first]
    after = [(day, rate) for day, rate in pieces if day >= window.last]
    inside = [rate for day, rate in pieces if day < window.last][-1]
    resumed = [] if after and after[0][0] == window.last else [(float(window.last), inside)]
    return (*before, (float(window.first), 0.0), *resumed, *after)
