"""Rows of person-waves to a sorted, scaled panel, and passes of a kernel over it in threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import DesignError
from rtwcohort.models.ordinal_gee_panel_kernel import column_sums, standardise
from rtwcohort.models.ordinal_gee_row_kernel import Panel, Sums

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_SPAN: Final = 1_000
_FARTHEST: Final = 2**50
_SAMPLE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Waves:
    """The waves of every row.

    Attributes
    ----------
    position
        Place of the row's wave among `labels`, shape (n,).
    labels
        The waves in order.
    times
        Their places on the time axis, shape (waves,): the values when waves are numbers, days when they are dates, else
        0, 1, 2, ...
    known
        False when no wave was given: all rows of a person are alike.
    """

    position: Ints
    labels: tuple[str, ...]
    times: Floats
    known: bool = True


@dataclass(frozen=True, slots=True)
class PanelData:
    """A panel in standardised columns.

    Attributes
    ----------
    panel
        Rows sorted by cluster, person and wave; columns have mean 0 and standard deviation 1.
    waves
        In the order of the rows that came.
    mean, spread
        Of the columns that came, shape (p,).
    order
        Row of the panel -> row that came.
    n_categories
        K.
    """

    panel: Panel
    waves: Waves
    mean: Floats
    spread: Floats
    order: Ints
    n_categories: int

    @property
    def n_persons(self) -> int:
        """Persons with a row."""
        return int(self.panel.person.size - 1)

    @property
    def n_clusters(self) -> int:
        """Clusters with a person, each counted once whatever its weight."""
        return int(self.panel.cluster.size - 1)

    @property
    def n_cluster_copies(self) -> float:
        """Clusters with their frequency weights."""
        return float(self.panel.copies.sum())

    @property
    def sizes(self) -> Ints:
        """Rows a person, shape (persons,)."""
        return np.diff(self.panel.person)

    @property
    def cluster_sizes(self) -> Ints:
        """Rows a cluster, shape (clusters,)."""
        return np.diff(self.panel.person[self.panel.cluster])


def find_waves(values: Any, n: int, *, name: str = "wave") -> Waves:
    """Order the waves: numbers and dates by value, an ordered categorical as declared, text as sorted.

    Raises
    ------
    DesignError
        When a wave is missing.
    """
    if values is None:
        return Waves(np.zeros(n, dtype=np.int64), ("",), np.zeros(1), known=False)
    whole_numbers = _whole_numbers(values) if np.shape(values) == (n,) else None
    if whole_numbers is not None:
        codes, levels = whole_numbers
        return Waves(codes, tuple(_label(level) for level in levels), _times(levels))
    series = pd.Series(values).reset_index(drop=True)
    if len(series) != n:
        raise DesignError(f"`{name}` must have one value a row ({n}); got {len(series)}.")
    if series.isna().any():
        raise DesignError(f"`{name}` is missing in {int(series.isna().sum())} rows: give the wave or leave them out.")
    if isinstance(series.dtype, pd.CategoricalDtype):
        category = series.cat.remove_unused_categories().cat
        codes, levels = np.asarray(category.codes, dtype=np.int64), list(category.categories)
    else:
        places, found = pd.factorize(series, sort=True)
        codes, levels = np.asarray(places, dtype=np.int64), list(found)
    return Waves(codes, tuple(_label(level) for level in levels), _times(levels))


def _numbers(values: Any) -> npt.NDArray[Any] | None:
    """Return numbers as an array, None for anything else."""
    if isinstance(values, pd.Series):
        values = values.to_numpy() if isinstance(values.dtype, np.dtype) else None
    return values if isinstance(values, np.ndarray) and values.dtype.kind in "iuf" else None


def _whole_numbers(values: Any) -> tuple[Ints, list[Any]] | None:
    """Return codes and levels of whole numbers that span less than `_SPAN`, None for anything else."""
    numbers = _numbers(values)
    if numbers is None or numbers.size == 0:
        return None
    low, high = numbers.min(), numbers.max()
    if not (abs(low) < _FARTHEST and abs(high) < _FARTHEST and high - low < _SPAN):
        return None
    codes = numbers.astype(np.int64)
    if numbers.dtype.kind == "f" and (codes != numbers).any():
        return None
    codes -= int(low)
    found = np.bincount(codes) > 0
    levels = np.flatnonzero(found) + int(low)
    if levels.size < found.size:
        codes = (np.cumsum(found) - 1)[codes]
    return codes, list(levels.astype(numbers.dtype))


def _label(level: Any) -> str:
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return level.date().isoformat() if isinstance(level, pd.Timestamp) else str(level)


def _times(levels: list[Any]) -> Floats:
    if all(isinstance(level, pd.Timestamp) for level in levels):
        return np.array([level.value / 86_400e9 for level in levels])
    if all(isinstance(level, (int, float, np.integer, np.floating)) for level in levels):
        return np.asarray(levels, dtype=np.float64)
    return np.arange(len(levels), dtype=np.float64)


def build_panel(
    X: Floats,
    y: Ints,
    *,
    person: Any,
    waves: Waves,
    cluster: Any = None,
    weight: Floats | None = None,
    frequency: bool = False,
    offset: Floats | None = None,
) -> PanelData:
    """Sort rows by cluster, person and wave and standardise the columns.

    Parameters
    ----------
    X, y
        Shapes (n, p) and (n,), categories 0 to K - 1.
    person, cluster
        Labels, shape (n,); every person is a cluster when `cluster` is None.
    waves
        Of the rows.
    weight, offset
        Shape (n,) or None.
    frequency
        Whether a weight of w stands for w like persons.

    Raises
    ------
    DesignError
        When a person has two rows of one wave, or rows in two clusters.
    """
    n, p = X.shape
    ids = _codes(person, n, "id")
    groups = ids if cluster is None else _codes(cluster, n, "cluster")
    n_waves = len(waves.labels)
    key = ids * n_waves + waves.position
    if cluster is not None:
        _check_nested(ids, groups)
        key += groups * ((int(ids.max()) + 1) * n_waves)
    sorted_already = bool((key[1:] >= key[:-1]).all())
    order = np.arange(n) if sorted_already else np.argsort(key, kind="stable")

    def placed(values: Any, kind: type = np.int64) -> Any:
        """Return values in the order of the panel, in an array such as the kernels are compiled for."""
        return np.require(values if sorted_already else values[order], kind, ("C", "W"))

    key, ids, groups = placed(key), placed(ids), placed(groups)
    repeats = int(np.count_nonzero(key[1:] == key[:-1])) if waves.known else 0
    if repeats:
        raise DesignError(
            f"`wave` is the same in {repeats} rows that follow another of the same `id`: a person has one row a wave. "
            "Leave the repeats out, or pass wave=None if the rows of an `id` have no order."
        )
    starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    first = np.arange(starts.size)
    if cluster is not None:
        first = np.flatnonzero(np.concatenate(([True], groups[starts][1:] != groups[starts][:-1])))
    mean = column_sums(X, np.zeros(p), False) / n
    spread = np.sqrt(column_sums(X, mean, True) / n)
    spread[spread == 0.0] = 1.0
    scaled = standardise(X, np.zeros(0, dtype=np.int64) if sorted_already else order, mean, spread)
    panel = Panel(
        scaled,
        placed(y),
        np.ones(n) if weight is None else placed(weight, np.float64),
        np.zeros(n) if offset is None else placed(offset, np.float64),
        placed(waves.position),
        np.append(starts, n).astype(np.int64),
        np.append(first, starts.size).astype(np.int64),
        np.ones(first.size),
    )
    if frequency and weight is not None:
        panel = _copied(panel, own_cluster=cluster is None)
    return PanelData(panel, waves, mean, spread, order, int(y.max()) + 1)


def _copied(panel: Panel, *, own_cluster: bool) -> Panel:
    """Let a person's frequency weight count like clusters, or like persons of the same cluster."""
    start = np.repeat(panel.weight[panel.person[:-1]], np.diff(panel.person))
    if (panel.weight != start).any():
        raise DesignError(
            "`weights` with weight_type='frequency' must be the same in all rows of a person (`id`): they say how many "
            "like persons the rows stand for. Use weight_type='probability' for weights by wave."
        )
    return panel._replace(copies=panel.weight[panel.person[:-1]].copy()) if own_cluster else panel


def _codes(values: Any, n: int, name: str) -> Ints:
    array = values if isinstance(values, pd.Series) else np.asarray(values)
    if np.shape(array) != (n,):
        raise DesignError(f"`{name}` must have one value a row ({n}); got shape {np.shape(array)}.")
    codes = _ascending_codes(array)
    if codes is not None:
        return codes
    codes = np.asarray(pd.factorize(array)[0], dtype=np.int64)
    if (codes < 0).any():
        raise DesignError(f"`{name}` is missing in {int((codes < 0).sum())} rows: give it or leave them out.")
    return codes


def _ascending_codes(values: Any) -> Ints | None:
    """Return the codes of numbers that never fall, None for anything else (a missing number too)."""
    numbers = _numbers(values)
    if numbers is None or numbers.size == 0 or (numbers.dtype.kind == "f" and np.isnan(numbers[0])):
        return None
    rises = numbers[1:] > numbers[:-1]
    if not (rises | (numbers[1:] == numbers[:-1])).all():
        return None
    codes = np.zeros(numbers.size, dtype=np.int64)
    np.cumsum(rises, out=codes[1:])
    return codes


def _check_nested(ids: Ints, groups: Ints) -> None:
    cluster_of = np.empty(int(ids.max()) + 1, dtype=np.int64)
    cluster_of[ids] = groups
    moved = np.unique(ids[cluster_of[ids] != groups]).size
    if moved:
        raise DesignError(
            f"`cluster` differs within {moved} persons (`id`): a person must stay in one cluster. Use the cluster at "
            "the start, or leave `cluster` out."
        )


def sample_of(data: PanelData) -> PanelData | None:
    """Return every k-th cluster of a large panel for a start, or None when the panel is small."""
    step = int(data.panel.y.size // _SAMPLE)
    if step < 4 or data.n_clusters < 10 * step:
        return None
    panel = data.panel
    chosen = np.arange(0, data.n_clusters, step)
    rows, persons = _members(panel.person[panel.cluster], chosen), _members(panel.cluster, chosen)
    sizes = np.diff(panel.person)[persons]
    counts = np.diff(panel.cluster)[chosen]
    small = Panel(
        panel.X[rows],
        panel.y[rows],
        panel.weight[rows],
        panel.offset[rows],
        panel.position[rows],
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        panel.copies[chosen],
    )
    complete = np.unique(small.y).size == data.n_categories and bool((small.X.std(axis=0) > 1e-3).all())
    return replace(data, panel=small) if complete else None


def _members(bounds: Ints, chosen: Ints) -> Ints:
    """Return the places from bounds[c] to bounds[c + 1] of every chosen c."""
    sizes = bounds[chosen + 1] - bounds[chosen]
    return np.repeat(bounds[chosen] - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes) + np.arange(sizes.sum())


def new_sums(q: int, *, clusters: int = 1) -> Sums:
    """Return zeros to add to: for all clusters together, or for each of `clusters`."""
    return Sums(np.zeros((clusters, q)), np.zeros((clusters, q, q)), np.zeros((q, q)))


def blocks_of(data: PanelData, least: int) -> list[tuple[int, int]]:
    """Cut the clusters into 1, 2, 4 or 8 blocks of about equal rows, none with fewer than `least` rows.

    The blocks do not depend on the number of cores, nor do the sums, and 2, 4 or 8 cores share them evenly.
    """
    n_blocks = next(size for size in (8, 4, 2, 1) if size * least <= data.panel.y.size or size == 1)
    if n_blocks == 1:
        return [(0, data.n_clusters)]
    rows = data.panel.person[data.panel.cluster]
    cuts = np.searchsorted(rows, np.linspace(0, data.panel.y.size, n_blocks + 1)[1:-1])
    bounds = np.unique(np.concatenate(([0], cuts, [data.n_clusters]))).tolist()
    return list(pairwise(bounds))


def run_blocks(work: Callable[[int, int], Any], blocks: list[tuple[int, int]]) -> list[Any]:
    """Run `work(first, last)` on every block of clusters, in threads when there are several."""
    threads = min(len(blocks), os.cpu_count() or 1)
    if threads == 1:
        return [work(*block) for block in blocks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda block: work(*block), blocks))


def whole(lower: Floats) -> Floats:
    """Return the symmetric matrix (or matrices) of a lower triangle."""
    return np.where(_below(lower.shape[-1]), lower, np.swapaxes(lower, -1, -2))


@cache
def _below(size: int) -> npt.NDArray[np.bool_]:
    return np.tri(size, dtype=np.bool_)
