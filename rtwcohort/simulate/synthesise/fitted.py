"""Everything that is kept of a real register: aggregates, and nothing of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rtwcohort.core.days import day_of
from rtwcohort.register.register import Register
from rtwcohort.simulate.process import Process
from rtwcohort.simulate.synthesise.association import Association, fit_association
from rtwcohort.simulate.synthesise.limits import check_size
from rtwcohort.simulate.synthesise.log_ratios import Floats
from rtwcohort.simulate.synthesise.margins import Margin, Variable, fit_margin, rank_scores
from rtwcohort.simulate.synthesise.process_fit import fit_process
from rtwcohort.simulate.synthesise.rows_fit import Writing, fit_writing, kept_diagnoses
from rtwcohort.simulate.synthesise.sequences import Ints, Sequences, enrolment_of, read_sequences
from rtwcohort.simulate.synthesise.terms import Rule, declare_terms, make_terms
from rtwcohort.simulate.synthesise.variables import COURSE, answer_variables, course, person_variables

_LEAST_CLUSTERS: Final = 5


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters: how many (by arm where each has one arm only, else under ""), and the spread of their log sizes."""

    number: Mapping[str, int]
    log_sd: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted register.

    Attributes
    ----------
    n
        People with follow-up.
    cohort, opened, end
        Whether people enter on index dates; the day that follow-up begins for a population, about the first index
        date of a cohort; the day after the last.
    margins, association
        Of variables of people and of answers.
    rules, process, writing, clusters
        Covariates of the hazards, the hazards, how rows are written, clusters.
    jobs
        State -> share of those who start in it that have a job; of benefits only.
    people_per_employer
        For the number of employers; 0 without a table of employment.
    columns
        Table -> columns that had a value.
    notes
        What was pooled or left out, counted.
    """

    n: int
    cohort: bool
    opened: int
    end: int
    margins: Mapping[str, Margin]
    association: Association
    rules: tuple[Rule, ...]
    process: Process
    writing: Writing
    clusters: Clusters | None
    jobs: Mapping[str, float]
    people_per_employer: float
    columns: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def fit_register(register: Register, *, seed: int, least: int, check: bool = True) -> Fitted:
    """Fit a register.

    Parameters
    ----------
    register
        Cleaned.
    seed
        Of the noise on correlations.
    least
        People behind every parameter.
    check
        Refuse registers below the stated size.

    Raises
    ------
    RegisterError
        When the register is too small, or has nobody to follow.
    """
    sequences = read_sequences(register, least=least)
    if check:
        check_size(len(sequences), _people_who_leave(sequences))
    diagnosis = kept_diagnoses(register, least=least)
    variables = person_variables(register, sequences, diagnosis) + answer_variables(register, sequences)
    margins, data, scores, notes = _fit_margins([one for one in variables if one.name != "has_job"], least)
    seen = course(sequences.person, sequences.state, sequences.first, sequences.last, sequences.start)
    rules = declare_terms(margins, data, least=least)
    cluster = _cluster_codes(register, sequences)
    fitted = fit_process(sequences, make_terms(rules, data), least=least, cluster=cluster, arms=_arm_names(margins))
    pooled = sum(1 for code, kept in diagnosis.items() if code != kept)
    if pooled:
        notes.append(f"{pooled} diagnosis codes of fewer than {least} people are written as the last of their chapter")
    return Fitted(
        n=len(sequences),
        cohort=sequences.cohort,
        opened=_opened(sequences, margins),
        end=day_of(register.data_end, argument="register.data_end") + 1,
        margins=margins,
        association=fit_association({**scores, COURSE: rank_scores(seen)}, seed=seed),
        rules=rules,
        process=fitted.process,
        writing=fit_writing(register, sequences, diagnosis, least=least),
        clusters=_fit_clusters(register, sequences, cluster),
        jobs=_job_shares(variables, least),
        people_per_employer=_people_per_employer(register, len(sequences)),
        columns=_columns(register),
        notes=(*sequences.notes, *notes, *fitted.notes),
    )


def _fit_margins(
    variables: list[Variable], least: int
) -> tuple[dict[str, Margin], dict[str, Floats], dict[str, Floats], list[str]]:
    margins: dict[str, Margin] = {}
    data: dict[str, Floats] = {}
    scores: dict[str, Floats] = {}
    n = len(variables[0].values)
    reference, gone = np.zeros(n), 0
    for variable in sorted(variables, key=lambda one: one.text):
        found = fit_margin(variable, least=least, reference=reference)
        if found is None:
            gone += int(not pd.isna(variable.values).all())
            continue
        margins[variable.name], data[variable.name], scores[variable.name] = found
        if not variable.text and not variable.later:
            reference = reference + np.nan_to_num(scores[variable.name])
    order = [variable.name for variable in variables if variable.name in margins]
    notes = [] if not gone else [f"{gone} variables that fewer than {least} people have a value of are left out"]
    pick: Any = lambda held: {name: held[name] for name in order}  # noqa: E731
    return pick(margins), pick(data), pick(scores), notes


def _opened(sequences: Sequences, margins: Mapping[str, Margin]) -> int:
    """Return the first day, of a cohort as a mean over several people's."""
    if not sequences.cohort:
        return sequences.opened
    margin = margins["index"]
    return int(margin.knots[-1][0] if margin.knots else margin.levels[0])


def _arm_names(margins: Mapping[str, Margin]) -> tuple[str, ...]:
    return tuple(str(level) for level in margins["arm"].levels) if "arm" in margins else ("",)


def _people_who_leave(sequences: Sequences) -> int:
    """Count people who leave sickness benefit during follow-up."""
    to = sequences.next_state()
    sick = np.isin(sequences.state, (1, 2)) & (to >= 0) & ~np.isin(to, (1, 2))
    late = sequences.last > sequences.start[sequences.person]
    return len(np.unique(sequences.person[sick & late]))


def _cluster_codes(register: Register, sequences: Sequences) -> Ints | None:
    enrolment = enrolment_of(register, sequences)
    if enrolment is None or "cluster" not in enrolment.columns:
        return None
    codes = pd.factorize(enrolment["cluster"])[0].astype(np.int64)
    if codes.max(initial=-1) + 1 < _LEAST_CLUSTERS:
        return None
    return np.where(codes < 0, codes.max() + 1, codes)


def _fit_clusters(register: Register, sequences: Sequences, codes: Ints | None) -> Clusters | None:
    enrolment = enrolment_of(register, sequences)
    if codes is None or enrolment is None:
        return None
    known = enrolment["cluster"].notna().to_numpy()
    sizes = np.bincount(codes[known]).astype(np.float64)
    spread = max(float(sizes.var() / sizes.mean() ** 2 - 1.0 / sizes.mean()), 0.0)
    log_sd = round(float(np.sqrt(np.log1p(spread))), 3)
    arm = enrolment["arm"].fillna("").astype(str).to_numpy()[known] if "arm" in enrolment.columns else codes[known]
    pairs = pd.DataFrame({"cluster": codes[known], "arm": arm}).drop_duplicates()
    if "arm" in enrolment.columns and len(pairs) == pairs["cluster"].nunique():
        counts = pairs["arm"].value_counts().sort_index()
        return Clusters({str(name): int(count) for name, count in counts.items()}, log_sd)
    return Clusters({"": len(sizes)}, log_sd)


def _job_shares(variables: list[Variable], least: int) -> dict[str, float]:
    """Return the share with a job by state at the start.

    States of few people have the share of all states; where few have a job, or few have none, nobody or everybody has.
    """
    known = {one.name: one for one in variables}
    if "has_job" not in known:
        return {}
    asked = ~pd.isna(known["has_job"].values)
    state, has = known["start_state"].values[asked], known["has_job"].values[asked] == "yes"
    whole = float(has.mean()) if len(has) >= least else 1.0
    out: dict[str, float] = {}
    for name in sorted(set(state.tolist())):
        here = has[state == name]
        fewer = min(int(here.sum()), int((~here).sum()))
        out[str(name)] = whole if len(here) < least else round(float(here.mean()), 3)
        if len(here) >= least and 0 < fewer < least:
            out[str(name)] = float(here.mean() > 0.5)
    return out


def _people_per_employer(register: Register, n: int) -> float:
    if register.employment is None:
        return 0.0
    if "employer_id" not in register.employment.columns:
        return float(n)
    return float(f"{n / max(register.employment['employer_id'].nunique(), 1):.2g}")


def _columns(register: Register) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(str(column) for column in frame.columns if frame[column].notna().any())
        for name, frame in register.tables().items()
    }
