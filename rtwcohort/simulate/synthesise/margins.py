"""Margins of single variables: shares of levels, or quantiles that are means of several people's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from rtwcohort.simulate.draws import normal_quantile
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.sequences import Bools, Ints

OTHER: Final = "other"
_MOST_VALUES: Final = 12
"""Numbers with at most so many different values are levels."""
_MOST_KNOTS: Final = 100
_DECIMALS: Final = 2


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of people, as the register has it.

    Attributes
    ----------
    name
        Its name.
    values
        Shape (n,): numbers with NaN, or texts with None.
    text
        Whether it is text.
    pool
        Whether rare texts together become "other"; else they count with the others in proportion.
    later
        Whether it is known after the start of follow-up only.
    among
        For whom it can be known, shape (n,); None: everybody.
    within
        For numbers: a code of each person, so that quantiles are those of people with the same code.
    """

    name: str
    values: npt.NDArray[Any]
    text: bool
    pool: bool = True
    later: bool = False
    among: Bools | None = None
    within: Ints | None = None


@dataclass(frozen=True, slots=True)
class Margin:
    """The distribution of one variable.

    Attributes
    ----------
    name, kind, later
        Its name; "levels", or "number"; whether it is known later only.
    levels, cumulative
        Texts or numbers, and their cumulative shares.
    knots
        Code of `within` -> values at equally spaced shares from 0 to 1, each the mean of several people's; code -1 is
        everybody.
    decimals
        That numbers are written with.
    missing
        Share of missing values.
    """

    name: str
    kind: Literal["levels", "number"]
    later: bool
    levels: tuple[Any, ...]
    cumulative: tuple[float, ...]
    knots: dict[int, tuple[float, ...]]
    decimals: int
    missing: float


def fit_margin(
    variable: Variable, *, least: int, reference: Floats | None = None
) -> tuple[Margin, Floats, Floats] | None:
    """Fit the margin of a variable.

    Parameters
    ----------
    variable
        The real values.
    least
        People behind each level and each knot.
    reference
        Scores, shape (n,): texts are put in the order of their mean, for a copula needs an order.

    Returns
    -------
    tuple or None
        The margin; the values as codes of levels or as numbers, NaN where missing or left out, shape (n,); and normal
        scores, NaN likewise. None when fewer than `least` people have a value.
    """
    known = ~pd.isna(variable.values)
    if int(known.sum()) < least:
        return None
    asked = np.ones(len(known), dtype=np.bool_) if variable.among is None else variable.among
    missing = float((asked & ~known).sum() / max(int(asked.sum()), 1))
    few = min(int((asked & ~known).sum()), int(known.sum())) < least
    missing = 0.0 if few else round(missing, 4)
    if variable.text or len(np.unique(variable.values[known])) <= _MOST_VALUES:
        return _fit_levels(variable, known, missing, least, reference)
    return _fit_number(variable, known, missing, least)


def draw_values(margin: Margin, share: Floats, within: Ints | None = None) -> Floats:
    """Return codes of levels, or numbers, at shares strictly between 0 and 1, shape (n,)."""
    if margin.kind == "levels":
        return np.searchsorted(np.asarray(margin.cumulative[:-1]), share, side="right").astype(np.float64)
    out = _at(margin.knots[-1], share)
    if within is not None:
        for code, knots in margin.knots.items():
            here = within == code
            out[here] = _at(knots, share[here])
    return np.round(out, margin.decimals)


def as_values(margin: Margin, codes: Floats) -> npt.NDArray[Any]:
    """Return levels for codes (numbers stay), missing as None in texts and NaN in numbers."""
    if margin.kind == "number":
        return codes
    if any(isinstance(level, str) for level in margin.levels):
        texts = np.asarray([*margin.levels, None], dtype=object)
        return texts[np.where(np.isnan(codes), len(margin.levels), codes).astype(np.int64)]
    numbers = np.asarray([*margin.levels, np.nan], dtype=np.float64)
    return numbers[np.where(np.isnan(codes), len(margin.levels), codes).astype(np.int64)]


def _at(knots: tuple[float, ...], share: Floats) -> Floats:
    place = share * (len(knots) - 1)
    below = np.minimum(np.floor(place).astype(np.int64), len(knots) - 2)
    values = np.asarray(knots)
    return np.asarray(values[below] + (place - below) * (values[below + 1] - values[below]))


def _fit_levels(
    variable: Variable, known: Bools, missing: float, least: int, reference: Floats | None
) -> tuple[Margin, Floats, Floats] | None:
    names = _texts(variable, known, least) if variable.text else _nearest(variable.values, known, least)
    levels = sorted(set(names[~pd.isna(names)].tolist()))
    if not levels:
        return None
    if variable.text and reference is not None:
        levels.sort(key=lambda level: round(float(reference[names == level].mean()), 6))
    code = np.full(len(names), np.nan)
    for k, level in enumerate(levels):
        code[names == level] = k
    counts = np.asarray([(code == k).sum() for k in range(len(levels))], dtype=np.float64)
    cumulative = np.round(np.cumsum(counts) / counts.sum(), 6)
    cumulative[-1] = 1.0
    margin = Margin(
        variable.name, "levels", variable.later, tuple(levels), tuple(cumulative.tolist()), {}, _DECIMALS, missing
    )
    return margin, code, level_scores(margin, code)


def level_scores(margin: Margin, code: Floats) -> Floats:
    """Return the mean of a standard normal variable within the band of each level."""
    edges = np.concatenate(([0.0], margin.cumulative))
    inner = np.clip(edges, 1e-12, 1.0 - 1e-12)
    cut = normal_quantile(inner)
    density = np.where((edges <= 0.0) | (edges >= 1.0), 0.0, np.exp(-0.5 * cut**2) / np.sqrt(2.0 * np.pi))
    mean = (density[:-1] - density[1:]) / np.maximum(np.diff(edges), 1e-12)
    return np.where(np.isnan(code), np.nan, np.append(mean, 0.0)[np.where(np.isnan(code), -1, code).astype(np.int64)])


def rank_scores(values: Floats) -> Floats:
    """Return normal scores of ranks, ties in the middle, NaN where missing."""
    out = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    if known.any():
        out[known] = normal_quantile((rankdata(values[known]) - 0.5) / int(known.sum()))
    return out


def _texts(variable: Variable, known: Bools, least: int) -> npt.NDArray[np.object_]:
    names = np.full(len(known), None, dtype=object)
    names[known] = [str(name) for name in variable.values[known]]
    counts = pd.Series(names[known]).value_counts()
    rare = counts.index[counts.to_numpy() < least].astype(str).to_numpy()
    here = np.asarray(np.isin(names.astype(str), rare) & known)
    pooled = variable.pool and int(here.sum()) >= least
    names[here] = OTHER if pooled else None
    return names


def _nearest(values: npt.NDArray[Any], known: Bools, least: int) -> npt.NDArray[np.object_]:
    numbers = values[known].astype(np.float64)
    unique, counts = np.unique(numbers, return_counts=True)
    kept = unique[counts >= least]
    out = np.full(len(values), None, dtype=object)
    if len(kept):
        out[known] = kept[np.abs(numbers[:, None] - kept[None, :]).argmin(axis=1)]
    return out


def _fit_number(variable: Variable, known: Bools, missing: float, least: int) -> tuple[Margin, Floats, Floats]:
    values = variable.values.astype(np.float64)
    knots = {-1: quantile_knots(values[known], least)}
    scores = rank_scores(values)
    if variable.within is not None:
        for code in np.unique(variable.within[known]).tolist():
            here = known & (variable.within == code)
            if int(here.sum()) >= 2 * least:
                knots[int(code)] = quantile_knots(values[here], least)
                scores[here] = rank_scores(values[here])
    whole = bool((values[known] == np.rint(values[known])).all())
    margin = Margin(variable.name, "number", variable.later, (), (), knots, 0 if whole else _DECIMALS, missing)
    return margin, values, scores


def quantile_knots(values: Floats, least: int) -> tuple[float, ...]:
    """Return values at equally spaced shares, each the mean of the `least` values around it.

    The first and the last are means of the `least` lowest and highest values, so that no extreme value is reproduced.
    """
    ordered = np.sort(values)
    n = len(ordered)
    k = int(np.clip(n // (2 * least), 1, _MOST_KNOTS)) + 1
    centres = np.linspace(0.0, n, k)
    first = np.clip(np.rint(centres - least / 2), 0, n - least).astype(np.int64)
    return tuple(float(f"{ordered[at : at + least].mean():.6g}") for at in first)
