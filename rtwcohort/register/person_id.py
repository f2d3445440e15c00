"""Identifiers of people: whole numbers when every table has them so, else text, alike in all tables."""

from __future__ import annotations

import re
from typing import Any, Final

import pandas as pd

from rtwcohort.errors import RegisterError
from rtwcohort.register.parse import MISSING_MARKS, as_text

_WHOLE: Final = r"^(?:0|[1-9][0-9]{0,17})$"
_FLOAT: Final = r"^(?:0|[1-9][0-9]{0,17})(?:\.0)?$"
_ROUNDED: Final = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+")


def read_ids(column: pd.Series[Any], *, where: str) -> pd.Series[Any]:
    """Read identifiers as nullable whole numbers when all are, else as text with their zeros.

    A program that holds a column with missing values as floating point writes 10001 as 10001.0; where
    every identifier is a whole number with or without that ending, the ending is cut.

    Parameters
    ----------
    column
        As in the file.
    where
        Names the column and its file in errors.

    Returns
    -------
    pandas.Series
        dtype "Int64" or object, missing as `pandas.NA` or None; default index.

    Raises
    ------
    RegisterError
        When a spreadsheet has rounded the identifiers (1.2E+10).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pd.api.types.is_integer_dtype(column.dtype):
        return column.astype("Int64").reset_index(drop=True)
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_string(column.dtype.pyarrow_dtype):
        texts = pa.chunked_array(column.array.__arrow_array__())
    else:
        texts = pa.chunked_array([pa.array([as_text(value) for value in column], type=pa.string())])
    texts = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(pc.utf8_lower(texts), value_set=pa.array(sorted(MISSING_MARKS)))
    texts = pc.if_else(missing, pa.scalar(None, type=pa.string()), texts)
    if pc.all(pc.match_substring_regex(texts, _FLOAT)).as_py() is not False:
        texts = pc.replace_substring_regex(texts, r"\.0$", "")
    if pc.all(pc.match_substring_regex(texts, _WHOLE)).as_py() is not False:
        whole: pd.Series[Any] = pc.cast(texts, pa.int64()).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        return whole
    values: pd.Series[Any] = texts.to_pandas().astype(object)
    _refuse_rounded(values, where)
    return values.where(values.notna(), None)


def _refuse_rounded(values: pd.Series[Any], where: str) -> None:
    n = sum(1 for value in values if value is not None and _ROUNDED.fullmatch(value))
    if n:
        raise RegisterError(
            f"{where}: {n} identifiers look like 9,99999E+10. A spreadsheet has rounded them and they cannot be "
            "restored: export the file again with the column as text."
        )


def unite_ids(frames: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Give `person_id` one dtype in all tables: int64 when all are whole numbers, else text.

    A table of whole numbers that has missing identifiers keeps the nullable dtype "Int64" until
    cleaning has dropped those rows.
    """
    whole = all(frame["person_id"].dtype == "Int64" for frame in frames.values())
    notes: list[str] = []
    united: dict[str, pd.DataFrame] = {}
    for table, frame in frames.items():
        ids = frame["person_id"]
        if whole:
            ids = ids if ids.isna().any() else ids.astype("int64")
        elif ids.dtype == "Int64":
            ids = pd.Series([None if value is pd.NA else str(value) for value in ids], index=ids.index, dtype=object)
        united[table] = frame.assign(person_id=ids)
    if not whole:
        notes = _lost_zeros(united)
    return united, notes


def _lost_zeros(frames: dict[str, pd.DataFrame]) -> list[str]:
    """Say when identifiers of a table match another table's only with leading zeros put back."""
    if "persons" not in frames:
        return []
    known = pd.Index(frames["persons"]["person_id"].dropna().unique())
    width = int(pd.Series(known).str.len().max()) if len(known) else 0
    notes = []
    for table, frame in frames.items():
        strange = pd.Index(frame["person_id"].dropna().unique()).difference(known)
        restored = int(strange.str.zfill(width).isin(known).sum()) if len(strange) else 0
        if restored:
            notes.append(
                f"`{table}`: {restored} identifiers match `persons` only with leading zeros put back; a program has "
                "cut them off. Export the column as text: until then these people count as unknown."
            )
    return notes
