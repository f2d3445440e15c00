"""The cumulative link likelihood of one data set, ready to be evaluated; parameters there and back."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rtwcohort.models.links import LINKS, category_probabilities
from rtwcohort.models.ordinal_kernel import OBSERVED, OUTER, block_pass
from rtwcohort.models.ordinal_tile_kernel import TILE, column_sums, sort_tiles
from rtwcohort.models.ordinal_variance_kernel import cluster_scores, expected_pass

Floats = npt.NDArray[np.float64]
Evaluation = tuple[float, Floats, Floats]

_THREAD_WORK = 400_000
_N_BLOCKS = 4
_SAMPLE_TILES = 64
_NOTHING = np.empty(0)


@dataclass(frozen=True, slots=True)
class OrdinalData:
    """What an ordinal model is fitted to.

    Attributes
    ----------
    matrix
        Predictors, shape (n, p), no intercept.
    codes
        Categories as 0 to k - 1, every one occurring, shape (n,), int32.
    labels
        The categories, lowest first, length k.
    names
        Of the columns, length p.
    nominal
        Positions of the columns with an effect of their own at every threshold.
    weights, offset
        Shape (n,), or None.
    cluster
        Codes 0 to G - 1, shape (n,), or None.
    empty
        Categories declared that no row has; they have no code.
    """

    matrix: Floats
    codes: npt.NDArray[np.int32]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    nominal: tuple[int, ...] = ()
    weights: Floats | None = None
    offset: Floats | None = None
    cluster: npt.NDArray[np.int64] | None = None
    empty: tuple[str, ...] = ()

    @property
    def location(self) -> tuple[int, ...]:
        """Positions of the columns with one effect."""
        return tuple(j for j in range(self.matrix.shape[1]) if j not in set(self.nominal))

    @property
    def thresholds(self) -> tuple[str, ...]:
        """Names of the thresholds, such as "not | partly"; length k - 1."""
        return tuple(f"{low} | {high}" for low, high in itertools.pairwise(self.labels))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters: thresholds, nominal effects by column and threshold, common effects."""
        nominal = [f"{self.names[j]} ({at})" for j in self.nominal for at in self.thresholds]
        return (*self.thresholds, *nominal, *(self.names[j] for j in self.location))

    def counts(self) -> Floats:
        """Return the number of rows, or the sum of the weights, by category; shape (k,)."""
        return np.bincount(self.codes, self.weights, minlength=len(self.labels)).astype(np.float64)

    def without_predictors(self) -> OrdinalData:
        """Return the data of the model with thresholds only."""
        return replace(self, matrix=np.empty((len(self.codes), 0)), names=(), nominal=())


class OrdinalLikelihood:
    """The likelihood at working parameters: those of centred and scaled columns.

    Working parameters are t_1, ..., t_(k-1), b with t_j = (threshold_j, minus the nominal effects at j); `to_natural`
    turns them into thresholds at x = 0, nominal effects and common effects per unit of the columns.

    Attributes
    ----------
    data
        The rows.
    link
        Name of the link.
    mean, scale
        By which the columns are centred and scaled, shape (p,) each, nominal columns first. They come from part of the
        rows where there are many: they need not be exact.
    """

    def __init__(self, data: OrdinalData, link: str) -> None:
        self.data, self.link = data, link
        n, p = data.matrix.shape
        self._k, self._q = len(data.labels), len(data.nominal)
        self._order = np.empty(n, dtype=np.uint16)
        self._starts = np.empty((-(-n // TILE), self._k + 1), dtype=np.int32)
        sort_tiles(data.codes, self._k, self._order, self._starts)
        parallel = n * (p + 2) >= _THREAD_WORK
        self._pool = ThreadPoolExecutor(min(_N_BLOCKS, os.cpu_count() or 1)) if parallel else None
        edges = np.linspace(0, len(self._starts), (_N_BLOCKS if parallel else 1) + 1).astype(np.int64).tolist()
        self._blocks = list(itertools.pairwise(edges))
        self._columns = np.array([*data.nominal, *data.location], dtype=np.int64)
        self._matrix = data.matrix if data.matrix.flags.forc else np.ascontiguousarray(data.matrix)
        self._weights = _NOTHING if data.weights is None else data.weights
        self._offset = _NOTHING if data.offset is None else data.offset
        mean, scale = _centre_and_scale(self._matrix)
        self.mean, self.scale = mean[self._columns], scale[self._columns]
        self._inverse = 1.0 / self.scale

    @property
    def n_thresholds(self) -> int:
        """Categories less one."""
        return self._k - 1

    @property
    def n_parameters(self) -> int:
        """Thresholds and effects together."""
        return (self._k - 1) * (1 + self._q) + len(self._columns) - self._q

    def working_names(self) -> tuple[str, ...]:
        """Names for messages, in the order of the working parameters."""
        names, at = self.data.names, self.data.thresholds
        nominal = [name for threshold in at for name in (threshold, *(names[j] for j in self.data.nominal))]
        return (*nominal, *(names[j] for j in self.data.location))

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self, function: Callable[..., Any], *arguments: Any, tail: tuple[Any, ...] = ()) -> list[Any]:
        """Run a pass over blocks of tiles; blocks and sums do not depend on the number of cores."""
        if self._pool is None:
            return [function(*arguments, lo, hi, *tail) for lo, hi in self._blocks]
        futures = [self._pool.submit(function, *arguments, lo, hi, *tail) for lo, hi in self._blocks]
        return [future.result() for future in futures]

    def _split(self, working: Floats) -> tuple[Floats, Floats]:
        at = (self._k - 1) * (1 + self._q)
        return np.ascontiguousarray(working[:at]).reshape(self._k - 1, 1 + self._q), np.ascontiguousarray(working[at:])

    def _rows(self) -> tuple[Any, ...]:
        return (
            self._matrix,
            self._columns,
            self._q,
            self.mean,
            self._inverse,
            self._order,
            self._starts,
            self._weights,
            self._offset,
        )

    def _pass(self, working: Floats, kind: int, *, square: bool = False, every: int = 1) -> Evaluation:
        theta, beta = self._split(working)
        code = LINKS[self.link].code
        parts = self._run(block_pass, *self._rows(), theta, beta, code, kind, square, tail=(every,))
        loglik = float(sum(part[0] for part in parts))
        score, product = sum(part[1] for part in parts), _whole(sum(part[2] for part in parts))
        return (loglik if np.isfinite(product).all() else -np.inf), score, product

    def __call__(self, working: Floats) -> Evaluation:
        """Return log-likelihood, score and observed information at working parameters."""
        return self._pass(working, OBSERVED)

    def part(self, every: int) -> Callable[[Floats], Evaluation]:
        """Return the likelihood of every `every`-th tile of rows only."""
        return lambda working: self._pass(working, OBSERVED, every=every)

    def outer(self, working: Floats, *, square: bool) -> Floats:
        """Return the sum over rows of score x score', with weights, or with their squares."""
        return self._pass(working, OUTER, square=square)[2]

    def expected(self, working: Floats) -> Floats:
        """Return the expected information."""
        theta, beta = self._split(working)
        parts = self._run(expected_pass, *self._rows(), theta, beta, LINKS[self.link].code)
        return _whole(sum(parts))

    def by_cluster(self, working: Floats, cluster: npt.NDArray[np.int64], n_clusters: int) -> Floats:
        """Return the score of every cluster, shape (G, parameters)."""
        theta, beta = self._split(working)
        scores = np.zeros((n_clusters, working.size))
        arguments = (*self._rows(), theta, beta, LINKS[self.link].code, cluster, scores)
        cluster_scores(*arguments)
        return scores

    def start(self) -> Floats:
        """Return the thresholds of the categories' shares, and no effects."""
        counts = self.data.counts()
        shares = np.cumsum(counts)[:-1] / counts.sum()
        working = np.zeros(self.n_parameters)
        shift = 0.0 if self.data.offset is None else float(np.average(self.data.offset, weights=self.data.weights))
        at = (self._k - 1) * (1 + self._q)
        working[: at : 1 + self._q] = LINKS[self.link].quantile(shares) + shift
        return working

    def reach(self, working: Floats) -> float:
        """Return the range of x'b and the offset over the rows."""
        theta, beta = self._split(working)
        slopes = np.zeros(len(self._columns))
        slopes[self._q :] = beta
        shift = 0.0 if self.data.offset is None else self.data.offset
        most = 0.0
        for row in theta:
            slopes[: self._q] = -row[1:]
            most = max(most, float(np.ptp(self._matrix[:, self._columns] @ (slopes * self._inverse) + shift)))
        return most

    def loglik_of_shares(self) -> float:
        """Log-likelihood at the categories' shares, the same for every row."""
        counts = self.data.counts()
        return float(counts @ np.log(counts / counts.sum()))

    def natural_scale(self) -> Floats:
        """Spread of the column of each natural parameter, 1 for thresholds."""
        k = self._k - 1
        return np.concatenate([np.ones(k), np.repeat(self.scale[: self._q], k), self.scale[self._q :]])

    def to_natural(self) -> Floats:
        """Matrix from working to natural parameters, shape (parameters, parameters)."""
        k, q, m = self._k, self._q, 1 + self._q
        at = (k - 1) * m
        change = np.zeros((self.n_parameters, self.n_parameters))
        for j in range(k - 1):
            change[j, j * m] = 1.0
            change[j, j * m + 1 : (j + 1) * m] = -(self.mean * self._inverse)[:q]
            change[j, at:] = (self.mean * self._inverse)[q:]
            for a in range(q):
                change[(k - 1) * (1 + a) + j, j * m + 1 + a] = -self._inverse[a]
        for b in range(len(self._columns) - q):
            change[at + b, at + b] = self._inverse[q + b]
        return change


def _whole(lower: Floats) -> Floats:
    """Mirror a lower triangle."""
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)


def _centre_and_scale(matrix: Floats) -> tuple[Floats, Floats]:
    """Return rough means and spreads of the columns; a column with one value has an infinite spread."""
    n, p = matrix.shape
    size = min(n, _SAMPLE_TILES * TILE)
    blocks = [(0, n)]
    if size < n:
        first = np.linspace(0, n - TILE, _SAMPLE_TILES).astype(np.int64).tolist()
        blocks = [(lo, lo + TILE) for lo in first]
    mean = sum((column_sums(matrix, np.zeros(p), False, lo, hi) for lo, hi in blocks), np.zeros(p)) / size
    square = sum((column_sums(matrix, mean, True, lo, hi) for lo, hi in blocks), np.zeros(p)) / size
    spread = np.sqrt(square)
    for j in np.flatnonzero(~(spread > 1e-8 * np.abs(mean))):
        mean[j], spread[j] = matrix[:, j].mean(), matrix[:, j].std()
    return mean, np.where(spread > 1e-12 * np.abs(mean), spread, np.inf)


def predicted_probabilities(data: OrdinalData, link: str, natural: Floats) -> Floats:
    """Return P(Y = j) of every row, shape (n, k), at natural parameters."""
    k, q = len(data.labels), len(data.nominal)
    at = (k - 1) * (1 + q)
    eta = data.matrix[:, list(data.location)] @ natural[at:]
    if data.offset is not None:
        eta = eta + data.offset
    thresholds = natural[: k - 1]
    if q:
        thresholds = thresholds - data.matrix[:, list(data.nominal)] @ natural[k - 1 : at].reshape(q, k - 1)
    return category_probabilities(thresholds, eta, link)  # type: ignore[arg-type]
