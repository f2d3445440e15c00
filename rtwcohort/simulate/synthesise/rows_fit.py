"""How spells are written in a real register: certificates, diagnoses, employers, and what came before the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import to_days
from rtwcohort.register.register import Register
from rtwcohort.simulate.process import Certificates
from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.synthesise.margins import quantile_knots
from rtwcohort.simulate.synthesise.sequences import WEEKEND, Bools, Ints, Sequences
from rtwcohort.simulate.synthesise.variables import earlier_runs

WITH_DIAGNOSIS: Final = ("sickness_benefit", "work_assessment_allowance", "disability_pension")
_LONGEST: Final = 3650


@dataclass(frozen=True, slots=True)
class History:
    """Runs of benefit before the start of follow-up.

    Attributes
    ----------
    shares
        (state, share) of runs.
    lengths
        Quantile knots of days by state, "" for all.
    gaps
        Quantile knots of days between a run and the next.
    reach
        Days before the start that history goes back.
    """

    shares: tuple[tuple[str, float], ...]
    lengths: dict[str, tuple[float, ...]]
    gaps: tuple[float, ...]
    reach: int


@dataclass(frozen=True, slots=True)
class Writing:
    """How rows are written.

    Attributes
    ----------
    certificates
        Lengths and diagnoses.
    no_diagnosis
        Share of rows of `WITH_DIAGNOSIS` without one.
    with_employer
        Share of rows of sickness benefit with an employer.
    history
        Before the start; None in registers of a whole population.
    """

    certificates: Certificates
    no_diagnosis: float
    with_employer: float
    history: History | None


def kept_diagnoses(register: Register, *, least: int) -> dict[str, str | None]:
    """Map each code to itself, to the last code of its chapter (letter and 99) when rare, or to None.

    A chapter whose rare codes fewer than `least` people share is left out.
    """
    rows = register.benefits
    if "diagnosis" not in rows.columns:
        return {}
    rows = rows[["person_id", "diagnosis"]].dropna().drop_duplicates()
    codes = rows["diagnosis"].astype(str)
    people = rows.groupby(codes.to_numpy())["person_id"].nunique()
    kept: dict[str, str | None] = {str(code): str(code) for code in people.index[people.to_numpy() >= least]}
    rare = rows[~codes.isin(list(kept)).to_numpy()]
    chapter = rare["diagnosis"].astype(str).str[0].str.upper()
    shared = rare.groupby(chapter.to_numpy())["person_id"].nunique()
    for code, letter in zip(rare["diagnosis"].astype(str), chapter, strict=True):
        kept[code] = f"{letter}99" if shared[letter] >= least else None
    return kept


def fit_writing(register: Register, sequences: Sequences, diagnosis: dict[str, str | None], *, least: int) -> Writing:
    """Fit how rows are written; every share and every quantile has `least` people or more behind it."""
    rows = register.benefits[register.benefits["person_id"].isin(sequences.person_id)]
    return Writing(
        certificates=_certificates(_followed(rows, sequences), diagnosis, int(sequences.end.max()) - 1, least),
        no_diagnosis=_missing(rows, "diagnosis", WITH_DIAGNOSIS),
        with_employer=1.0 - _missing(rows, "employer_id", ("sickness_benefit",)),
        history=_history(sequences, least) if sequences.cohort else None,
    )


def _followed(rows: pd.DataFrame, sequences: Sequences) -> pd.DataFrame:
    """Return the rows from the present run on: registers may write what came before in another way."""
    _, began = earlier_runs(sequences)
    since = pd.Series(began, index=sequences.person_id).loc[rows["person_id"]].to_numpy(dtype=np.int64)
    return rows[to_days(rows["start"]) >= since]


def _certificates(rows: pd.DataFrame, diagnosis: dict[str, str | None], data_end: int, least: int) -> Certificates:
    sick = rows[(rows["benefit"] == "sickness_benefit").to_numpy()]
    sick = sick.sort_values(["person_id", "start", "end"], kind="stable")
    person = pd.factorize(sick["person_id"])[0]
    first = to_days(sick["start"]).astype(np.int64)
    last = np.where(sick["end"].isna(), data_end, to_days(sick["end"])).astype(np.int64)
    grade = sick["grade"].to_numpy(dtype=np.float64)
    begins = np.ones(len(sick), dtype=np.bool_)
    begins[1:] = (person[1:] != person[:-1]) | (first[1:] > last[:-1] + 1 + WEEKEND)
    final = np.ones(len(sick), dtype=np.bool_)
    final[:-1] = begins[1:] | (grade[1:] != grade[:-1])
    length = last - first + 1
    codes, again = _codes(sick, person, begins, diagnosis, least)
    return Certificates(
        first=_lengths(length[begins], final[begins], person[begins], least),
        later=_lengths(length[~begins], final[~begins], person[~begins], least),
        diagnoses=codes,
        same_again=again,
    )


def _lengths(length: Ints, final: Bools, person: Ints, least: int) -> tuple[tuple[int, float], ...]:
    """Return shares of lengths by Kaplan and Meier: a final certificate was at least as long as its absence shows."""
    full = length[~final]
    known = [k for k in np.unique(full).tolist() if len(np.unique(person[~final][full == k])) >= least]
    known = [k for k in known if 1 <= k < _LONGEST]
    if not known:
        return ((_LONGEST, 1.0),)
    nearest = np.asarray(known)[np.abs(full[:, None] - np.asarray(known)[None, :]).argmin(axis=1)]
    left, shares = 1.0, []
    for k in known:
        at_risk = int((nearest >= k).sum() + (length[final] >= k).sum())
        share = round(left * float((nearest == k).sum()) / at_risk, 6)
        shares.append((int(k), share))
        left = max(left - share, 0.0)
    return (*shares, (_LONGEST, left))


def _codes(
    sick: pd.DataFrame, person: Ints, begins: Bools, diagnosis: dict[str, str | None], least: int
) -> tuple[tuple[tuple[str, float], ...], float]:
    """Return the shares of codes over absences, and how often later ones have the code of the person's first."""
    if "diagnosis" not in sick.columns or not diagnosis:
        return (), 0.0
    frame = pd.DataFrame(
        {"absence": np.cumsum(begins), "person": person, "code": sick["diagnosis"].map(diagnosis).to_numpy()}
    )
    coded = frame.dropna(subset=["code"]).drop_duplicates("absence")
    people = coded.groupby("code")["person"].nunique()
    coded = coded[coded["code"].isin(people.index[people.to_numpy() >= least]).to_numpy()]
    if not len(coded):
        return (), 0.0
    counts = coded["code"].value_counts().sort_index()
    total = int(counts.sum())
    shares = [(str(code), int(count) / total) for code, count in counts.items()]
    first = coded.groupby("person")["code"].transform("first")
    later = coded.duplicated("person").to_numpy()
    if coded["person"].to_numpy()[later].size == 0 or len(np.unique(coded["person"].to_numpy()[later])) < least:
        return tuple(shares), 0.0
    same = float((coded["code"] == first).to_numpy()[later].mean())
    chance = sum(share * share for _, share in shares)
    return tuple(shares), round(min(max((same - chance) / max(1.0 - chance, 1e-9), 0.0), 1.0), 3)


def _missing(rows: pd.DataFrame, column: str, benefits: tuple[str, ...]) -> float:
    here = rows[rows["benefit"].isin(benefits).to_numpy()]
    if column not in here.columns or not len(here):
        return 1.0
    return round(float(here[column].isna().mean()), 3)


def _history(sequences: Sequences, least: int) -> History | None:
    runs, began = earlier_runs(sequences)
    if len(np.unique(sequences.person[runs])) < 2 * least:
        return None
    person, state, first = sequences.person[runs], sequences.state[runs], sequences.first[runs]
    last = _run_ends(sequences, runs)
    following = np.append(first[1:], 0)
    following[np.append(person[1:] != person[:-1], True)] = 0
    following = np.where(following == 0, began[person], following)
    known = [s for s in np.unique(state).tolist() if len(np.unique(person[state == s])) >= least]
    kept = np.isin(state, known)
    lengths = {STATES[s]: quantile_knots((last - first)[state == s].astype(np.float64), least) for s in known}
    earliest = np.full(len(sequences), np.nan)
    np.fmin.at(earliest, person, first.astype(np.float64))
    reach = (sequences.start - earliest)[~np.isnan(earliest)]
    return History(
        shares=tuple((STATES[s], float((state[kept] == s).mean())) for s in known),
        lengths={"": quantile_knots((last - first).astype(np.float64), least), **lengths},
        gaps=quantile_knots((following - last).astype(np.float64), least),
        reach=int(quantile_knots(reach, least)[-1]),
    )


def _run_ends(sequences: Sequences, runs: Ints) -> Ints:
    """Return the day after the last of each run."""
    begins = np.flatnonzero(sequences.clock == 0)
    new = np.ones(len(sequences.clock), dtype=np.bool_)
    new[1:] = sequences.person[1:] != sequences.person[:-1]
    begins = np.union1d(begins, np.flatnonzero(new))
    following = np.append(begins[1:], len(sequences.clock))
    out: Any = sequences.last[following[np.searchsorted(begins, runs)] - 1]
    return np.asarray(out, dtype=np.int64)
