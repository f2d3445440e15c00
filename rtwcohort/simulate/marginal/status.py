"""A declared ordered status at several waves: margins, effects, association, and later waves given earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_number
from rtwcohort.errors import ArgumentError
from rtwcohort.simulate.marginal.association import Association
from rtwcohort.simulate.marginal.inputs import Covariates, check_persons, covariate
from rtwcohort.simulate.marginal.links import LINKS
from rtwcohort.simulate.marginal.ordered import check_thresholds, draw_ordered, draw_ordered_repeated, thresholds_for
from rtwcohort.simulate.marginal.truth import truth_frame
from rtwcohort.simulate.portable import Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEffect:
    """A true effect on the cumulative odds of a better status.

    Attributes
    ----------
    term
        Name of a covariate.
    log_or
        Log odds ratio per `per` units (on the scale of the link where that is not the logit). Above 0 is better.
    per, centre
        Units that `log_or` belongs to, and the value at which the thresholds hold.
    value_at
        Wave whose value of the covariate is used; None: the value at the wave itself (in a later step: at the wave
        that is given), or the one value of a covariate that has one.
    waves
        Waves whose status it acts on; () is all of them.
    """

    term: str
    log_or: float
    per: float = 1.0
    centre: float = 0.0
    value_at: str | None = None
    waves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a unit or an effect that cannot be."""
        check_number(self.log_or, argument=f"log_or of '{self.term}'", least=-10.0, most=10.0)
        check_number(self.centre, argument=f"centre of '{self.term}'")
        check_number(self.per, argument=f"per of '{self.term}'", least=1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterStatus:
    """The status at a later wave by an ordinal regression on values at an earlier one, its status among them.

    Attributes
    ----------
    wave, given
        The wave that is drawn and the earlier wave that it is drawn given.
    thresholds, shares
        One of them: the thresholds, or the shares of the levels of somebody at every centre whose earlier status was
        the lowest.
    effects
        Of covariates; `value_at` None means their value at `given`.
    earlier
        (level, log odds ratio) of the status at `given`, against the levels not named.
    """

    wave: str
    given: str
    thresholds: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    effects: tuple[StatusEffect, ...] = ()
    earlier: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedStatus:
    """An ordered status at several waves with set marginal effects.

    Attributes
    ----------
    waves, levels
        Names; the levels from the lowest (the worst) to the highest.
    thresholds
        One row for all waves, or one a wave.
    shares
        Instead of thresholds: shares of the levels at the reference profile (every term at its centre), one row for all
        waves or one a wave.
    wave_log_or
        Log odds ratio of each wave against the first (whose number is 0), besides the thresholds; () is none.
    effects
        Marginal effects of covariates.
    association
        Between the waves of a person, given the covariates.
    link
        "logit", "probit" or "cloglog", of P(status <= level).
    later
        Waves drawn after these, each given an earlier one.
    """

    waves: tuple[str, ...]
    levels: tuple[str, ...]
    thresholds: tuple[tuple[float, ...], ...] = ()
    shares: tuple[tuple[float, ...], ...] = ()
    wave_log_or: tuple[float, ...] = ()
    effects: tuple[StatusEffect, ...] = ()
    association: Association = field(default_factory=Association)
    link: Literal["logit", "probit", "cloglog"] = "logit"
    later: tuple[LaterStatus, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names, thresholds and steps that do not fit together."""
        check_choice(self.link, LINKS, argument="status.link")
        _check_names(self.all_waves, "status.waves", 1)
        _check_names(self.levels, "status.levels", 2)
        self.cut_points()
        if self.wave_log_or and (len(self.wave_log_or) != len(self.waves) or self.wave_log_or[0] != 0.0):
            raise ArgumentError(
                f"`status.wave_log_or` must hold one number a wave ({len(self.waves)}), the first 0; "
                f"got {list(self.wave_log_or)}."
            )
        for effect in self.effects:
            _check_known(effect.waves, self.waves, f"waves of '{effect.term}'")
        for place, step in enumerate(self.later):
            known = (*self.waves, *(earlier.wave for earlier in self.later[:place]))
            _check_known((step.given,), known, f"given of '{step.wave}'")
            _check_known([level for level, _ in step.earlier], self.levels, f"earlier of '{step.wave}'")
            _one_row(step.thresholds, step.shares, len(self.levels), f"later wave '{step.wave}'", self.link)

    @property
    def all_waves(self) -> tuple[str, ...]:
        """The waves in the order in which they are drawn."""
        return (*self.waves, *(step.wave for step in self.later))

    def cut_points(self) -> Floats:
        """Return the thresholds at the waves, shape (waves, levels - 1), without `wave_log_or`."""
        rows = self.thresholds or self.shares
        if bool(self.thresholds) == bool(self.shares) or len(rows) not in (1, len(self.waves)):
            raise ArgumentError(
                f"`status` needs `thresholds` or `shares`, one of the two, with one row or one a wave "
                f"({len(self.waves)}); got {len(self.thresholds)} rows of thresholds and {len(self.shares)} of shares."
            )
        given = [
            _one_row(
                row if self.thresholds else (), row if self.shares else (), len(self.levels), f"row {place}", self.link
            )
            for place, row in enumerate(rows)
        ]
        return np.asarray(given * len(self.waves) if len(given) == 1 else given)


@dataclass(frozen=True, slots=True)
class StatusDraw:
    """A drawn status and its true effects.

    Attributes
    ----------
    persons
        Shape (n,).
    waves, levels
        Names; levels from the lowest.
    codes
        Shape (n, waves): 0 is the lowest level.
    truth
        outcome ("status@M3", or "status" for all repeated waves), term, scale, value, holds.
    """

    persons: Ints
    waves: tuple[str, ...]
    levels: tuple[str, ...]
    codes: Ints
    truth: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row a person and wave: person, wave and status (ordered categoricals)."""
        n, waves = self.codes.shape
        place = np.tile(np.arange(waves), n)
        return pd.DataFrame(
            {
                "person": np.repeat(self.persons, waves),
                "wave": pd.Categorical.from_codes(place, categories=pd.Index(self.waves), ordered=True),
                "status": pd.Categorical.from_codes(self.codes.ravel(), categories=pd.Index(self.levels), ordered=True),
            }
        )


def draw_status(
    status: RepeatedStatus, persons: npt.ArrayLike, covariates: Covariates, *, seed: int, purpose: str = "status"
) -> StatusDraw:
    """Draw a declared status.

    Parameters
    ----------
    status
        The declaration.
    persons
        Numbers of people, counted over the whole register, shape (n,).
    covariates
        Name -> values (n,), or name -> {wave: values (n,)}; every value finite.
    seed, purpose
        A draw depends on these, the person and the wave alone.

    Returns
    -------
    StatusDraw

    Raises
    ------
    ArgumentError
        For a term, a wave or a value that is missing, or a declaration that cannot be.

    Notes
    -----
    The margins of `status.waves` hold exactly given the covariates. A later wave holds its ordinal regression exactly
    given its predictors; its marginal effects are what these imply and are not set.
    """
    number = check_persons(persons)
    n = len(number)
    shift = status.wave_log_or or (0.0,) * len(status.waves)
    eta = np.empty((n, len(status.waves)))
    for place, wave in enumerate(status.waves):
        acting = [effect for effect in status.effects if not effect.waves or wave in effect.waves]
        eta[:, place] = shift[place] + linear_predictor(acting, covariates, n, wave)
    codes = draw_ordered_repeated(
        number,
        eta,
        status.cut_points(),
        association=_association(status, shift),
        seed=seed,
        link=status.link,
        purpose=purpose,
    )
    columns = dict(zip(status.waves, codes.T, strict=True))
    for step in status.later:
        cut = _one_row(step.thresholds, step.shares, len(status.levels), step.wave, status.link)
        predictor = linear_predictor(step.effects, covariates, n, step.given)
        for level, log_or in step.earlier:
            predictor = predictor + log_or * (columns[step.given] == status.levels.index(level))
        columns[step.wave] = draw_ordered(
            number, predictor, cut, seed=seed, link=status.link, purpose=f"{purpose}@{step.wave}"
        )
    return StatusDraw(number, status.all_waves, status.levels, np.column_stack(list(columns.values())), truth(status))


def linear_predictor(effects: Iterable[StatusEffect], covariates: Covariates, n: int, wave: str) -> Floats:
    """Return the sum of the effects at a wave, shape (n,), added in the order declared."""
    total = np.zeros(n)
    for effect in effects:
        values = covariate(covariates, effect.term, n, wave=effect.value_at or wave)
        total = total + effect.log_or * ((values - effect.centre) / effect.per)
    return total


def truth(status: RepeatedStatus) -> pd.DataFrame:
    """Return the true values of a declared status: thresholds, effects and association."""
    scale = "log_or" if status.link == "logit" else f"{status.link}_coefficient"
    rows: list[tuple[str, str, str, float, str]] = []
    for effect in status.effects:
        outcome = "status" if not effect.waves else f"status@{'+'.join(effect.waves)}"
        rows.append((outcome, _term(effect), scale, effect.log_or, "marginal"))
    for wave, log_or in list(zip(status.waves, status.wave_log_or, strict=False))[1:]:
        rows.append(("status", f"wave[{wave}]", scale, log_or, "marginal"))
    for step in status.later:
        name = f"status@{step.wave}"
        rows += [(name, _term(effect, step.given), scale, effect.log_or, "conditional") for effect in step.effects]
        rows += [(name, f"status@{step.given}[{level}]", scale, value, "conditional") for level, value in step.earlier]
    for wave, row in zip(status.waves, status.cut_points().tolist(), strict=True):
        for level, value in zip(status.levels, row, strict=False):
            rows.append((f"status@{wave}", f"threshold[{level}]", status.link, float(value), "parameter"))
    for step in status.later:
        cut = _one_row(step.thresholds, step.shares, len(status.levels), step.wave, status.link)
        for level, value in zip(status.levels, cut, strict=False):
            rows.append((f"status@{step.wave}", f"threshold[{level}]", status.link, value, "parameter"))
    values = status.association.value
    kind = f"{status.association.scale}_{status.association.structure}"
    for k, value in enumerate(values if isinstance(values, tuple | list) else (values,)):
        rows.append(("status", f"association[{k}]", kind, float(value), "parameter"))
    return truth_frame(rows)


def _association(status: RepeatedStatus, shift: Sequence[float]) -> Association:
    """Return the association with the reference profile at the wave effects, unless it names its own."""
    own = status.association
    if own.at:
        return own
    return Association(
        structure=own.structure, scale=own.scale, value=own.value, cut=own.cut, at=tuple(float(v) for v in shift)
    )


def _term(effect: StatusEffect, given: str | None = None) -> str:
    """Return the name of a term with its unit and the wave it is measured at, such as 'age/10' or 'fabq_work@M6'."""
    at = effect.value_at or given
    return f"{effect.term}{f'@{at}' if at else ''}{'' if effect.per == 1.0 else f'/{effect.per:g}'}"


def _one_row(
    thresholds: Sequence[float],
    shares: Sequence[float],
    levels: int,
    name: str,
    link: Literal["logit", "probit", "cloglog"],
) -> tuple[float, ...]:
    if bool(thresholds) == bool(shares):
        raise ArgumentError(f"`status`, {name}: give `thresholds` or `shares`, one of the two.")
    wanted, got = (levels - 1, len(thresholds)) if thresholds else (levels, len(shares))
    if wanted != got:
        kind = "thresholds" if thresholds else "shares"
        raise ArgumentError(f"`status`, {name}: {levels} levels need {wanted} {kind}; got {got}.")
    row = check_thresholds(tuple(thresholds), 1)[0] if thresholds else thresholds_for(shares, link=link)
    return tuple(float(value) for value in row)


def _check_names(names: Sequence[str], argument: str, least: int) -> None:
    if len(names) < least or len(set(names)) < len(names):
        raise ArgumentError(f"`{argument}` must hold at least {least} names, each once; got {list(names)}.")


def _check_known(names: Iterable[str], known: Sequence[str], argument: str) -> None:
    for name in names:
        check_choice(name, known, argument=argument)
