"""One code a week, wide, as in the Danish DREAM register, to spells.

A week column is named `y_YYWW` (ISO year and week; YY below 90 is 20YY). A week is given to the
benefit of its code from Monday to Sunday, both included; a blank week ends a spell, and so does a
week that the file has no column for.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.checks import did_you_mean
from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import RegisterError
from rtwcohort.register.benefits import BENEFIT_NAMES
from rtwcohort.register.parse import as_text

_WEEK: Final = re.compile(r"(?i)y_?(\d{2}|\d{4})_?(\d{2})")
_CENTURY_TURN: Final = 90


def spells_from_weeks(
    frame: Any, *, codes: Mapping[str, str], person_id: str = "person_id", grade: float = 100.0
) -> pd.DataFrame:
    """Turn weekly codes into benefit spells.

    Parameters
    ----------
    frame
        One row a person, one column a week (`y_0953` is the last week of 2009), missing or blank
        where nothing was paid. DREAM sets a code when the benefit was paid on at least one day of
        the week and keeps one code a week, so spells are whole weeks and overlaps are not seen.
    codes
        Code -> benefit. Every code that occurs must be named; "" as benefit leaves its weeks out.
    person_id
        The column with the identifier.
    grade
        Grade of every spell, in percent: weekly codes carry none.

    Returns
    -------
    pandas.DataFrame
        Columns `person_id`, `benefit`, `start` (a Monday), `end` (a Sunday, inclusive), `grade`, sorted by
        person and start.

    Raises
    ------
    RegisterError
        When there is no week column, a week does not exist (week 53 in a year of 52), two columns are
        one week, an identifier stands twice, or a code is not named in `codes`.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.DataFrame({"person_id": [1], "y_0952": ["890"], "y_0953": ["890"], "y_1001": [""]})
    >>> spells_from_weeks(weeks, codes={"890": "sickness_benefit"})[["start", "end"]].astype(str).values.tolist()
    [['2009-12-21', '2010-01-03']]
    """
    wide = to_pandas(frame, argument="frame")
    _check_person(wide, person_id)
    _check_benefits(codes)
    mondays = _mondays(wide, person_id)
    names = sorted(mondays, key=lambda name: mondays[name])
    benefit = _benefit_codes(wide, names, codes)
    monday = np.array([mondays[name] for name in names], dtype="datetime64[D]")
    gap = np.ones(len(monday), dtype=bool)
    gap[1:] = np.diff(monday) != np.timedelta64(7, "D")
    begins = (benefit >= 0) & (gap | (benefit != np.roll(benefit, 1, axis=1)))
    ends = (benefit >= 0) & (np.append(gap[1:], True) | (benefit != np.roll(benefit, -1, axis=1)))
    person, first = np.nonzero(begins)
    last = np.nonzero(ends)[1]
    spells = pd.DataFrame(
        {
            "person_id": wide[person_id].to_numpy()[person],
            "benefit": np.array(BENEFIT_NAMES, dtype=object)[benefit[person, first]],
            "start": monday[first].astype(DATE_DTYPE),
            "end": (monday[last] + np.timedelta64(6, "D")).astype(DATE_DTYPE),
            "grade": np.full(len(person), float(grade)),
        }
    )
    return spells.sort_values(["person_id", "start"], kind="stable", ignore_index=True)


def _check_person(wide: pd.DataFrame, person_id: str) -> None:
    if person_id not in wide:
        raise RegisterError(
            f"`frame` has no column '{person_id}'.{did_you_mean(person_id, wide.columns)} Name it with `person_id`."
        )
    n = int(wide[person_id].duplicated().sum())
    if n:
        raise RegisterError(f"`frame` must have one row a person; {n} rows repeat an identifier. Merge them first.")


def _check_benefits(codes: Mapping[str, str]) -> None:
    for code, benefit in codes.items():
        if benefit and benefit not in BENEFIT_NAMES:
            raise RegisterError(
                f"`codes` turns {code!r} into {benefit!r}, which must be one of {', '.join(BENEFIT_NAMES)}, or empty "
                f"to leave its weeks out.{did_you_mean(benefit, BENEFIT_NAMES)}"
            )


def _mondays(wide: pd.DataFrame, person_id: str) -> dict[str, dt.date]:
    """Return the Monday of every week column."""
    mondays: dict[str, dt.date] = {}
    for name in wide.columns:
        found = _WEEK.fullmatch(str(name))
        if name == person_id or found is None:
            continue
        year = int(found[1])
        if year < 100:
            year += 2000 if year < _CENTURY_TURN else 1900
        try:
            monday = dt.date.fromisocalendar(year, int(found[2]), 1)
        except ValueError as error:
            raise RegisterError(
                f"`frame` has the column '{name}', but {year} has no ISO week {int(found[2])}."
            ) from error
        if monday in mondays.values():
            raise RegisterError(f"`frame` has two columns for ISO week {int(found[2])} of {year}. Remove one.")
        mondays[str(name)] = monday
    if not mondays:
        raise RegisterError("`frame` has no week column; they are named y_YYWW, such as y_0953 for week 53 of 2009.")
    return mondays


def _benefit_codes(
    wide: pd.DataFrame, names: list[str], codes: Mapping[str, str]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the number of the benefit in each week, -1 for none; shape (people, weeks)."""
    number = {as_text(code): BENEFIT_NAMES.index(benefit) if benefit else -1 for code, benefit in codes.items()}
    out = np.full((len(wide), len(names)), -1, dtype=np.int64)
    for place, name in enumerate(names):
        which, uniques = pd.factorize(wide[name], use_na_sentinel=True)
        texts = [as_text(value) for value in list(uniques)]
        unknown = sorted({text for text in texts if text is not None and text not in number})
        if unknown:
            raise RegisterError(
                f"`frame` has the code '{unknown[0]}' in '{name}', which `codes` does not name. "
                "Give it a benefit, or '' to leave its weeks out."
            )
        out[:, place] = np.array([*(-1 if text is None else number[text] for text in texts), -1])[which]
    return out
