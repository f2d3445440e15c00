"""Person ids to positions, over chunks of rows in threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.errors import RegisterError
from rtwcohort.outcomes.timeline_group_kernel import find_people, hash_people

T = TypeVar("T")

CHUNK: Final = 131_072
"""Fewer rows than this are not worth a thread of their own."""


def n_threads() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chunks(n: int) -> list[tuple[int, int]]:
    """Return the first and the row after the last of each chunk of n rows: one when they are few."""
    size = max(CHUNK, -(-n // (4 * n_threads())))
    return [(low, min(low + size, n)) for low in range(0, n, size)]


def in_threads(work: Callable[..., T], *arguments: Sequence[Any]) -> Iterator[T]:
    """Yield `work` of each of its arguments in order, run in threads when there are several."""
    if len(arguments[0]) <= 1:
        yield from map(work, *arguments)
        return
    with ThreadPoolExecutor(n_threads()) as pool:
        yield from pool.map(work, *arguments)


def locate_people(known: npt.NDArray[Any], ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Return the position of each id among `known`, -1 where it is unknown.

    Parameters
    ----------
    known
        Ids of the persons table, shape (n,).
    ids
        Ids to find, shape (m,); they may repeat.

    Returns
    -------
    numpy.ndarray of int32, shape (m,)

    Raises
    ------
    RegisterError
        When an id comes twice in `known`.
    """
    if known.dtype == ids.dtype == np.int64:
        return _locate_numbers(known, ids)
    lookup = pd.Index(known)
    _refuse_twice(int(lookup.duplicated().sum()))
    return np.asarray(lookup.get_indexer(pd.Index(ids)), dtype=np.int32)


def _locate_numbers(known: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    bits = max(4, (2 * len(known)).bit_length())
    slots = np.full(1 << bits, -1, np.int32)
    _refuse_twice(hash_people(known, bits, slots))
    position = np.empty(len(ids), np.int32)

    def find(chunk: tuple[int, int]) -> None:
        part = slice(*chunk)
        find_people(known, bits, slots, ids[part], position[part])

    deque(in_threads(find, chunks(len(ids))), maxlen=0)
    return position


def _refuse_twice(again: int) -> None:
    if again:
        raise RegisterError(
            f"`persons` must have one row a person; got {again} rows of a person seen above. Run clean_register first."
        )
