"""Formulas whose terms are single columns: coded straight from the frame in one pass, as formulaic would code them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.design.columns import prepare_column
from rtwcohort.design.right_side import Coded, PlainFactor, PlainSpec
from rtwcohort.design.terms import display_name

Floats = npt.NDArray[np.float64]

_FEW = 2048
_RANGE = 256
_LARGEST = 2**53
_CHUNK = 16384  # rows copied and looked at while they are in the cache
_THREAD_WORK = 1_000_000
_N_BLOCKS = 4


class PlainCoded(NamedTuple):
    """A coded matrix with what was learned about the columns.

    Attributes
    ----------
    coded
        Matrix and names.
    levels
        Categorical column -> its levels, the reference first.
    notes
        Sentences on levels that nobody has.
    low, high
        Shape (p,): smallest and largest value of each column.
    """

    coded: Coded
    levels: dict[str, tuple[Any, ...]]
    notes: tuple[str, ...]
    low: Floats
    high: Floats


class _Column(NamedTuple):
    """Values to copy, or codes with the one that becomes 1."""

    values: npt.NDArray[Any]
    code: int | None


def code_plain(
    rows: pd.DataFrame,
    factors: Sequence[PlainFactor],
    reference: Mapping[str, Any],
    *,
    last_is_reference: bool,
    complete: bool,
    by_row: bool = False,
) -> PlainCoded | None:
    """Code the rows, or return None where a value is missing or infinite, or anything else asks for a closer look.

    Parameters
    ----------
    rows
        The data; not changed.
    factors
        Terms, each with a column of its own.
    reference, last_is_reference
        As in `columns.prepare_columns`.
    complete
        Whether the rows are known to have no missing values.
    by_row
        Whether the matrix is to lie row by row in memory.

    Raises
    ------
    DesignError
        As `columns.prepare_column`.
    """
    if len(rows) == 0 or any(column not in {factor.column for factor in factors} for column in reference):
        return None
    columns: list[_Column] = []
    names: list[str] = []
    groups: dict[str, slice] = {}
    levels: dict[str, tuple[Any, ...]] = {}
    notes: list[str] = []
    for factor in factors:
        series, begin = rows[factor.column], len(columns)
        term = _read(series, factor, reference, last_is_reference=last_is_reference, complete=complete)
        if term is None:
            return None
        if term.levels is None:
            columns.append(_Column(term.values, None))
            names.append(factor.text)
        else:
            levels[factor.column] = term.levels
            notes += term.notes
            columns += [_Column(term.values, code) for code in range(1, len(term.levels))]
            names += [f"{factor.text}[T.{level}]" for level in term.levels[1:]]
        groups[display_name(factor.text)] = slice(begin, len(columns))
    if len(set(names)) < len(names) or len(groups) < len(factors):
        return None
    matrix, low, high = _fill(columns, len(rows), by_row=by_row)
    if not ((low > -np.inf) & (high < np.inf) & (low < high)).all():
        return None
    coded = Coded(matrix, tuple(names), groups, PlainSpec(tuple(factors)))
    return PlainCoded(coded, levels, tuple(notes), low, high)


class _Term(NamedTuple):
    """Numbers, or codes with their levels and the notes on levels that nobody has."""

    values: npt.NDArray[Any]
    levels: tuple[Any, ...] | None
    notes: Sequence[str]


def _read(
    series: pd.Series[Any],
    factor: PlainFactor,
    reference: Mapping[str, Any],
    *,
    last_is_reference: bool,
    complete: bool,
) -> _Term | None:
    """Read a column without copying it where it is ready to use; None where a value is missing."""
    dtype, column = series.dtype, factor.column
    if isinstance(dtype, np.dtype) and dtype.kind in "fiub" and not factor.category and column not in reference:
        return _Term(series.to_numpy(), None, ())
    ready = None if last_is_reference or column in reference else _counted(series)
    if ready is not None:
        return ready
    if not complete and series.isna().any():
        return None
    found, levels, notes = prepare_column(
        series, column, reference, in_category=factor.category, last_is_reference=last_is_reference
    )
    if levels is None:
        return _Term(found.to_numpy(), None, ())
    if isinstance(found.dtype, pd.CategoricalDtype):
        return _Term(found.cat.codes.to_numpy(), levels, notes)
    return _Term(np.searchsorted(np.asarray(levels), found.to_numpy()), levels, notes)


def _counted(series: pd.Series[Any]) -> _Term | None:
    """Code a category all of whose levels occur, or whole numbers in a short range, in one pass; None for all else."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        whole = codes.min() >= 0 and np.bincount(codes, minlength=2).all() and codes.max() + 1 == len(dtype.categories)
        return _Term(codes, tuple(dtype.categories), ()) if whole else None
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iub":
        return None
    values = series.to_numpy()
    low, high = int(values.min()), int(values.max())
    if not (0 < high - low < _RANGE and abs(low) < _LARGEST and abs(high) < _LARGEST):
        return None
    codes = (values.astype(np.int64) - low).astype(np.uint8)
    there = np.bincount(codes) > 0
    levels = tuple(float(low + place) for place in np.flatnonzero(there).tolist())
    return _Term(codes if there.all() else (np.cumsum(there) - 1).astype(np.uint8)[codes], levels, ())


def _fill(columns: Sequence[_Column], n: int, *, by_row: bool) -> tuple[Floats, Floats, Floats]:
    """Return the matrix and the smallest and largest value of each column; NaN where one is NaN."""
    matrix = np.empty((n, len(columns)), order="C" if by_row else "F")

    def work(bounds: tuple[int, int]) -> tuple[Floats, Floats]:
        parts = list(_fill_and_look(matrix, columns, *bounds))
        if len(parts) == 1:
            return parts[0]
        return np.min([low for low, _ in parts], axis=0), np.max([high for _, high in parts], axis=0)

    if matrix.size < _THREAD_WORK:
        return matrix, *work((0, n))
    edges = np.linspace(0, n, _N_BLOCKS + 1).astype(int).tolist()
    with ThreadPoolExecutor(min(_N_BLOCKS, os.cpu_count() or 1)) as pool:
        found = list(pool.map(work, pairwise(edges)))
    return matrix, np.min([low for low, _ in found], axis=0), np.max([high for _, high in found], axis=0)


def _fill_and_look(
    matrix: Floats, columns: Sequence[_Column], first: int, last: int
) -> Iterator[tuple[Floats, Floats]]:
    """Fill the rows in chunks, and yield the smallest and largest values of each while it is in the cache."""
    by_row = last - first > _FEW and not matrix.flags.f_contiguous
    scratch = np.empty((min(_CHUNK, last - first), len(columns)), order="F") if by_row else None
    if scratch is not None:
        from rtwcohort.design.rows_kernel import lay_rows  # numba is imported where rows are many
    for lo in range(first, last, _CHUNK):
        hi = min(lo + _CHUNK, last)
        part = matrix[lo:hi] if scratch is None else scratch[: hi - lo]
        _fill_rows(part, columns, lo, hi)
        if scratch is not None:
            lay_rows(scratch.T, lo, hi, matrix)
        yield part.min(axis=0), part.max(axis=0)


def _fill_rows(part: Floats, columns: Sequence[_Column], lo: int, hi: int) -> None:
    for j, (values, code) in enumerate(columns):
        source = values[lo:hi]
        part[:, j] = source if code is None else source == code


def code_plain_rows(spec: PlainSpec, levels: Mapping[str, Any], working: Mapping[str, Any], n: int) -> Floats:
    """Code new rows like those of a fit.

    Parameters
    ----------
    spec
        Of the fit.
    levels
        Categorical column -> its levels, the reference first.
    working
        Column -> numbers, or a categorical with those levels; complete.
    n
        Number of rows.

    Returns
    -------
    numpy.ndarray
        Shape (n, p), Fortran order.
    """
    columns: list[_Column] = []
    for factor in spec.factors:
        values = working[factor.column]
        known = levels.get(factor.column)
        if known is None:
            columns.append(_Column(values, None))
        else:
            columns += [_Column(values.codes, code) for code in range(1, len(known))]
    matrix = np.empty((n, len(columns)), order="F")
    _fill_rows(matrix, columns, 0, n)
    return matrix
