"""A Gaussian copula: correlations of normal scores, a little noise on them, and draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rtwcohort.simulate import draws
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.sequences import Ints
from rtwcohort.simulate.synthesise.variables import ANSWER, MARK

_MOST: Final = 0.98
_LEAST_PAIRS: Final = 30
_FLOOR: Final = 1e-3
_LEAST_ITEMS: Final = 3


@dataclass(frozen=True, slots=True)
class Association:
    """Correlations of the normal scores behind variables: names, and a matrix of shape (p, p)."""

    names: tuple[str, ...]
    matrix: Floats

    def part(self, rows: tuple[str, ...], columns: tuple[str, ...]) -> Floats:
        """Return the correlations between some variables and others."""
        places = {name: k for k, name in enumerate(self.names)}
        return self.matrix[np.ix_([places[name] for name in rows], [places[name] for name in columns])]


def fit_association(scores: dict[str, Floats], *, seed: int) -> Association:
    """Fit the correlations of the normal scores that stand behind variables.

    Parameters
    ----------
    scores
        Name -> normal scores, shape (n,), NaN where missing: of levels the mean within their band.
    seed
        Of the noise: normal, with half the standard error of a correlation.

    Returns
    -------
    Association
        Positive definite. For two levels with band means a and b the correlation of what stands behind them is
        cov(a, b) / (var(a) var(b)) to first order, for E[a b] = rho var(a) var(b).
    """
    names = tuple(scores)
    p = len(names)
    x = np.column_stack([scores[name] for name in names])
    known = ~np.isnan(x)
    filled = np.where(known, x, 0.0)
    pairs = known.T.astype(np.float64) @ known.astype(np.float64)
    variance = np.maximum((filled**2).sum(axis=0) / np.maximum(known.sum(axis=0), 1), 1e-6)
    raw = (filled.T @ filled) / np.maximum(pairs, 1.0) / np.outer(variance, variance)
    matrix = np.where(pairs >= _LEAST_PAIRS, np.clip(raw, -_MOST, _MOST), 0.0)
    matrix = _block_means(matrix, names)
    size = np.arange(p * p, dtype=np.int64)
    noise = draws.normal(draws.key(seed, "synthesis: noise"), size).reshape(p, p) / (
        2.0 * np.sqrt(np.maximum(pairs, 1.0))
    )
    matrix = matrix + np.triu(noise, 1) + np.triu(noise, 1).T
    matrix = matrix * (1.0 - p / (p + 10.0 * len(x)))
    np.fill_diagonal(matrix, 1.0)
    return Association(names, np.round(_positive(matrix), 4))


def _block_means(matrix: Floats, names: tuple[str, ...]) -> Floats:
    """Return correlations that the items of one instrument and wave share, up to their sign.

    Hundreds of items in hundreds of people have more correlations than these people can carry: one for each pair of
    scales says as much, and less of anybody. Items point the way of the first component of their scale. Only scales
    of three items or more; what has fewer keeps its own.
    """
    labels = [MARK.join(name.split(MARK)[:3]) if name.startswith(f"{ANSWER}{MARK}") else name for name in names]
    scales = {label for label in labels if labels.count(label) >= _LEAST_ITEMS}
    labels = [label if label in scales else name for label, name in zip(labels, names, strict=True)]
    blocks = {label: k for k, label in enumerate(dict.fromkeys(labels))}
    place = np.asarray([blocks[label] for label in labels])
    sign = np.ones(len(names))
    for label in sorted(scales):
        inside = place == blocks[label]
        _, vectors = np.linalg.eigh(matrix[np.ix_(inside, inside)] * (1.0 - np.eye(int(inside.sum()))))
        first = vectors[:, -1] * (1.0 if vectors[:, -1].sum() >= 0.0 else -1.0)
        sign[inside] = np.where(first < 0.0, -1.0, 1.0)
    member = (place[:, None] == np.arange(len(blocks))[None, :]).astype(np.float64)
    size = member.sum(axis=0)
    off = matrix * np.outer(sign, sign) * (1.0 - np.eye(len(names)))
    count = np.outer(size, size) - np.diag(size)
    mean = np.divide(member.T @ off @ member, count, out=np.zeros((len(blocks), len(blocks))), where=count > 0.0)
    return np.asarray(mean[np.ix_(place, place)] * np.outer(sign, sign))


def draw_scores(matrix: Floats, persons: Ints, *, seed: int, purpose: str) -> Floats:
    """Draw correlated normal scores, shape (n, p)."""
    root = _root(matrix)
    key = draws.key(seed, purpose)
    independent = np.column_stack([draws.normal(key, persons, k) for k in range(len(matrix))])
    return np.asarray(independent @ root.T)


def draw_given(
    association: Association, names: tuple[str, ...], given: dict[str, Floats], persons: Ints, *, seed: int
) -> Floats:
    """Draw normal scores of some variables given those of others, shape (n, len(names))."""
    others = tuple(given)
    inside = association.part(others, others) + np.eye(len(others)) * 1e-6
    across = association.part(names, others)
    weight = np.linalg.solve(inside, across.T).T
    rest = association.part(names, names) - weight @ across.T
    known = np.column_stack([given[name] for name in others])
    return np.asarray(known @ weight.T + draw_scores(rest, persons, seed=seed, purpose="synthesis: later"))


def _positive(matrix: Floats) -> Floats:
    """Return a correlation matrix without eigenvalues below a floor."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= _FLOOR:
        return matrix
    fixed = (vectors * np.maximum(values, 2.0 * _FLOOR)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    return np.asarray(fixed / np.outer(scale, scale))


def _root(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
