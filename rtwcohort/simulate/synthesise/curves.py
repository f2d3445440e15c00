"""Curves of return to work and hazard ratios, as an analysis of the register would find them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import from_days
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.register.register import Register
from rtwcohort.simulate.synthesise.exposure import SICKNESS
from rtwcohort.simulate.synthesise.features import People
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.quantities import Row
from rtwcohort.simulate.synthesise.sequences import FAMILY, Bools, Sequences

_TEN: Final = 10.0
_LEAST_ARM: Final = 20


def outcome_frame(register: Register, people: People, rule: str | RtwRule, horizon: int) -> pd.DataFrame:
    """Return time and event of everybody with an index date, with arm, age and sex.

    Without enrolment the index date is the first day of the first absence that begins during follow-up.
    """
    sequences = people.sequences
    index = sequences.start if sequences.cohort else _first_absence(sequences)
    has = index >= 0
    frame = pd.DataFrame({"person_id": sequences.person_id[has], "index_date": from_days(index[has])})
    found = return_to_work(register, rule, horizon=horizon, index=frame).frame
    known = {one.name: one.values[has] for one in people.variables}
    out = found[["time", "event"]].reset_index(drop=True)
    out["age"] = np.asarray(known["age"], dtype=np.float64) / _TEN
    out["female"] = (known["sex"] == "female").astype(np.float64)
    out["arm"] = known.get("arm", np.full(len(out), None, dtype=object))
    return out


def curve_rows(register: Register, people: People, rule: str | RtwRule, days: Sequence[int]) -> list[Row]:
    """Return shares returned by day (Kaplan and Meier, standard errors by Greenwood), over all and by arm."""
    frame = outcome_frame(register, people, rule, max(days))
    groups: list[tuple[str, Bools]] = [("everybody", np.ones(len(frame), dtype=np.bool_))]
    for arm in sorted(set(frame["arm"].dropna().astype(str))):
        groups.append((arm, (frame["arm"].astype(str) == arm).to_numpy()))
    rows = []
    for name, who in groups if len(groups) > 2 else groups[:1]:
        time, event = frame["time"].to_numpy()[who], frame["event"].to_numpy()[who]
        for day in days:
            left, error, behind = kaplan_meier_at(time.astype(np.float64), event.astype(np.bool_), day)
            rows.append(Row("return", f"{name}, day {day}", 1.0 - left, error, behind))
    return rows


def kaplan_meier_at(time: Floats, event: Bools, day: float) -> tuple[float, float, int]:
    """Return the share not returned by the end of a day, its standard error, and the fewer of returned and at risk."""
    left, spread = 1.0, 0.0
    for moment in np.unique(time[event & (time <= day)]):
        at_risk = int((time >= moment).sum())
        count = int((event & (time == moment)).sum())
        left *= 1.0 - count / at_risk
        spread += count / (at_risk * max(at_risk - count, 1))
    returned = int((event & (time <= day)).sum())
    return left, left * float(np.sqrt(spread)), min(returned, int((time >= day).sum()))


def ratio_rows(
    register: Register,
    people: People,
    rule: str | RtwRule,
    cox: Callable[[pd.DataFrame, str, str], tuple[float, float]],
    horizon: int,
) -> list[Row]:
    """Return log hazard ratios of return: arms against the most frequent one, ten years of age, women."""
    frame = outcome_frame(register, people, rule, horizon)
    frame = frame[~frame["age"].isna()].reset_index(drop=True)
    terms = {name: name for name in ("age", "female") if frame[name].nunique() > 1}
    arms = frame["arm"].dropna().astype(str).value_counts()
    names = sorted(arms.index[arms.to_numpy() >= _LEAST_ARM])
    usual = max(names, key=lambda name: arms[name], default="")
    for k, name in enumerate(names):
        if name != usual:
            frame[f"arm_{k}"] = (frame["arm"].astype(str) == name).astype(np.float64)
            terms[f"arm_{k}"] = f"arm: {name}"
    event = frame["event"].to_numpy()
    if not terms or not event.any():
        return []
    rows = []
    for column, label in terms.items():
        value, error = cox(frame, " + ".join(terms), column)
        rows.append(Row("hazard ratios (log)", label, value, error, int(event.sum())))
    return rows


def _first_absence(sequences: Sequences) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    sick = (FAMILY[sequences.state] == SICKNESS) & (sequences.clock == 0)
    sick &= sequences.first > sequences.start[sequences.person]
    out = np.full(len(sequences), -1, dtype=np.int64)
    rows = np.flatnonzero(sick)[::-1]
    out[sequences.person[rows]] = sequences.first[rows]
    return out
