"""One wide table a wave to long answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rtwcohort.core.checks import check_columns, did_you_mean
from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError
from rtwcohort.instruments.declarations import get_instrument
from rtwcohort.instruments.instrument import Instrument


def long_from_wide(
    frame: Any,
    instrument: str | Instrument,
    wave: str,
    *,
    columns: Mapping[str, str] | None = None,
    person_id: str = "person_id",
    answered_on: str | None = None,
) -> pd.DataFrame:
    """Turn a table with one row a person and one column an item into long answers.

    Parameters
    ----------
    frame
        Wide answers of one wave.
    instrument, wave
        What the columns hold, and the name of the wave.
    columns
        Item -> column. None finds columns named after the scale or its questionnaire and the item, whatever the
        case and the signs between ("fabq6", "FABQ_W_6"; "bdi" where there is one item); statements that no score uses
        may be absent.
    person_id, answered_on
        Columns of the person and of the day answered (None: not known).

    Returns
    -------
    pandas.DataFrame
        person_id, wave, answered_on, instrument, item, value; unanswered items are rows with a missing value.

    Raises
    ------
    ArgumentError
        When a column is not there, an item has no column or two, or a person has several rows.
    """
    declared = instrument if isinstance(instrument, Instrument) else get_instrument(instrument)
    wide = to_pandas(frame, argument="frame")
    check_columns(wide.columns, [person_id, *([answered_on] if answered_on else [])], argument="frame")
    if wide[person_id].duplicated().any():
        raise ArgumentError(
            f"`frame` must have one row a person; {int(wide[person_id].duplicated().sum())} rows are further rows of "
            "somebody. Give one wave at a time."
        )
    found = _found(wide, declared) if columns is None else _given(wide, declared, columns)
    parts = [
        pd.DataFrame(
            {
                "person_id": wide[person_id].to_numpy(),
                "wave": wave,
                "answered_on": wide[answered_on].astype(DATE_DTYPE).to_numpy() if answered_on else pd.NaT,
                "instrument": declared.name,
                "item": item,
                "value": _numbers(wide, column),
            }
        )
        for item, column in found.items()
    ]
    long = pd.concat(parts, ignore_index=True).astype({"answered_on": DATE_DTYPE})
    position = np.tile(np.arange(len(wide)), len(found))
    return long.iloc[np.argsort(position, kind="stable")].reset_index(drop=True)


def _numbers(wide: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    numbers = pd.to_numeric(wide[column], errors="coerce")
    text = int((numbers.isna() & wide[column].notna()).sum())
    if text:
        raise ArgumentError(
            f"`frame` must hold numbers in '{column}'; {text} answers are text. Recode them, or set them to missing."
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _given(wide: pd.DataFrame, declared: Instrument, columns: Mapping[str, str]) -> dict[str, str]:
    for item in columns:
        if str(item) not in declared.statements:
            raise ArgumentError(
                f"`columns` names the item {item!r}, which {declared.name} does not have."
                f"{did_you_mean(str(item), declared.statements)} Its items are: {', '.join(declared.statements)}."
            )
    check_columns(wide.columns, columns.values(), argument="frame")
    found = {str(item): column for item, column in columns.items()}
    _need_all(found, declared)
    return found


def matching_columns(wide: pd.DataFrame, declared: Instrument) -> dict[str, str]:
    """Find the columns of a scale by their names: item -> column, only those that are there."""
    plain: dict[str, list[str]] = {}
    for column in wide.columns:
        plain.setdefault(_plain(str(column)), []).append(str(column))
    found = {}
    for item in declared.statements:
        written = [f"{prefix}{item}" for prefix in (declared.name, declared.family)]
        if declared.scoring == "single":
            written.append(declared.name)
        names = dict.fromkeys(_plain(name) for name in written)
        hits = [column for name in names for column in plain.get(name, [])]
        if len(hits) > 1:
            raise ArgumentError(
                f"`frame` has several columns for item {item} of {declared.name}: {', '.join(hits)}. Give `columns`."
            )
        if hits:
            found[item] = hits[0]
    return found


def _found(wide: pd.DataFrame, declared: Instrument) -> dict[str, str]:
    found = matching_columns(wide, declared)
    _need_all(found, declared)
    return found


def _need_all(found: Mapping[str, str], declared: Instrument) -> None:
    absent = [item for item in declared.items if item not in found]
    if absent:
        raise ArgumentError(
            f"`frame` has no column for item {', '.join(absent)} of {declared.name}. Name the columns in `columns`, "
            f"such as {{'{absent[0]}': 'column'}}."
        )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
