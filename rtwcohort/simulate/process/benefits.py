"""The register's view of the paths: rows of benefits and jobs, days of death and emigration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.core.checks import check_number
from rtwcohort.core.days import DATE_DTYPE, MISSING_DAY, Days
from rtwcohort.errors import ArgumentError
from rtwcohort.register.benefits import BENEFIT_NAMES
from rtwcohort.simulate import draws
from rtwcohort.simulate.process.certificates import Certificates
from rtwcohort.simulate.process.checks import check_states
from rtwcohort.simulate.process.declaration import Entitlement
from rtwcohort.simulate.process.paths import Paths
from rtwcohort.simulate.process.rows_kernel import FILE, RowKeys, Spells, Writing, write_all
from rtwcohort.simulate.process.states import STATES, state_code

_BLOCK: Final = 50_000
_BENEFIT: Final = {
    "sick_full": "sickness_benefit",
    "sick_graded": "sickness_benefit",
    "aap": "work_assessment_allowance",
    "aap_work": "work_assessment_allowance",
    "disability_full": "disability_pension",
    "disability_partial": "disability_pension",
    "unemployed": "unemployment_benefit",
    "retired": "retirement_pension",
}
_WITHOUT_DIAGNOSIS: Final = ("unemployed", "retired")
JOBS: Final = ("work", "sick_full", "sick_graded", "aap_work", "disability_partial")
"""States in which people have a job, unless told otherwise."""


def benefit_rows(
    paths: Paths,
    certificates: Certificates | None = None,
    *,
    entitlement: Entitlement,
    seed: int,
    diagnosis: Sequence[str | None] | npt.NDArray[Any] | None = None,
    threads: int | None = None,
) -> pd.DataFrame:
    """Return the table `benefits` that a register would hold.

    Parameters
    ----------
    paths
        From `simulate_paths`.
    certificates
        How absences are written.
    entitlement
        The rules that the paths were drawn under: whether the employer period is seen, and how long it is.
    seed
        Of lengths and diagnoses; the paths' seed will do, the draws are others.
    diagnosis
        Code of the first absence of each person, shape (n,), out of `certificates.diagnoses`; None where it is drawn.
    threads
        Default: one for each processor.

    Returns
    -------
    pandas.DataFrame
        Columns person_id (the number in `paths.persons`), benefit, start, end, grade, diagnosis, employer_id (None).
        Ends are inclusive. A certificate ends on the last known day at the latest; allowance, pension, unemployment
        and retirement that run then have no end.
    """
    check_number(seed, argument="seed", least=0, whole=True)
    declared = certificates or Certificates()
    writing = _writing(declared, entitlement)
    keys = RowKeys(*(draws.key(seed, f"certificates:{purpose}") for purpose in ("length", "diagnosis", "same")))
    least = min(days for days, _ in (*declared.first, *declared.later))
    n = len(paths.persons)
    known = _known_diagnoses(diagnosis, declared, n)
    edges = np.searchsorted(paths.person, np.arange(n + 1))

    def write(first: int) -> Any:
        last = min(first + _BLOCK, n)
        people, part = slice(first, last), slice(edges[first], edges[last])
        spells = Spells(
            person=paths.persons[people],
            first=edges[first : last + 1] - edges[first],
            end_day=paths.end_day[people],
            diagnosis=known[people],
            state=paths.state[part],
            start=paths.start[part],
            end=paths.end[part],
            grade=paths.grade[part],
        )
        file = np.zeros(FILE, dtype=np.int64)
        found = write_all(spells, writing, keys, least, file)
        found[:, 0] += first
        return found

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        blocks = list(pool.map(write, range(0, n, _BLOCK)))
    return _frame(blocks, paths, [code for code, _ in declared.diagnoses])


def exit_days(paths: Paths) -> tuple[Days, Days]:
    """Return the day of death and of emigration of each person, shape (n,); `MISSING_DAY` for none."""
    found = []
    for name in ("dead", "emigrated"):
        days = np.full(len(paths.persons), MISSING_DAY, dtype=np.int32)
        here = paths.state == state_code(name)
        days[paths.person[here]] = paths.start[here]
        found.append(days)
    return found[0], found[1]


def employment_rows(paths: Paths, *, jobs: Sequence[str] = JOBS, position: float = 100.0) -> pd.DataFrame:
    """Return the table `employment`: one row for each unbroken time in states with a job.

    Parameters
    ----------
    paths
        From `simulate_paths`.
    jobs
        States in which people have one.
    position
        Percent of full time.

    Returns
    -------
    pandas.DataFrame
        Columns person_id, start, end (inclusive, missing when the job runs at the end of data), position, employer_id
        (None).
    """
    check_states(jobs, argument="jobs")
    check_number(position, argument="position", least=0.0, most=100.0)
    has = np.isin(paths.state, [state_code(name) for name in jobs])
    before = np.concatenate(([False], has[:-1] & (paths.person[1:] == paths.person[:-1])))
    after = np.concatenate((has[1:] & (paths.person[1:] == paths.person[:-1]), [False]))
    first, last = has & ~before, has & ~after
    person = paths.person[first]
    end = np.where(paths.end[last] == paths.end_day[person], MISSING_DAY, paths.end[last] - 1)
    return pd.DataFrame(
        {
            "person_id": paths.persons[person],
            "start": _dates(paths.start[first]),
            "end": _dates(end),
            "position": np.full(len(person), float(position)),
            "employer_id": np.full(len(person), None, dtype=object),
        },
        copy=False,
    )


def _writing(declared: Certificates, rule: Entitlement) -> Writing:
    benefits = [BENEFIT_NAMES.index(_BENEFIT[state]) if state in _BENEFIT else -1 for state in STATES]
    return Writing(
        first_days=np.asarray([days for days, _ in declared.first], dtype=np.int64),
        first_share=_cumulative([share for _, share in declared.first]),
        later_days=np.asarray([days for days, _ in declared.later], dtype=np.int64),
        later_share=_cumulative([share for _, share in declared.later]),
        diagnosis_share=_cumulative([share for _, share in declared.diagnoses]),
        same_again=float(declared.same_again),
        benefit=np.asarray(benefits, dtype=np.int64),
        has_diagnosis=np.asarray([state in _BENEFIT and state not in _WITHOUT_DIAGNOSIS for state in STATES]),
        employer_period=rule.employer_period,
        employer_gap=rule.employer_gap,
        shown=rule.shown,
    )


def _known_diagnoses(
    diagnosis: Sequence[str | None] | npt.NDArray[Any] | None, declared: Certificates, n: int
) -> npt.NDArray[np.int64]:
    if diagnosis is None:
        return np.full(n, -1, dtype=np.int64)
    if len(diagnosis) != n:
        raise ArgumentError(f"`diagnosis` must have one value for each of {n} people; got {len(diagnosis)}.")
    codes, names = pd.factorize(np.asarray(diagnosis, dtype=object))
    known = [code for code, _ in declared.diagnoses]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ArgumentError(
            f"`diagnosis` holds {unknown[0]!r}, which `certificates.diagnoses` has not. Add it there, with share 0 if "
            "it shall not be drawn."
        )
    places = np.asarray([*(known.index(name) for name in names), -1], dtype=np.int64)
    return places[codes]


def _frame(blocks: list[Any], paths: Paths, codes: list[str]) -> pd.DataFrame:
    def column(k: int) -> Any:
        return np.concatenate([block[:, k] for block in blocks])

    names = np.asarray([*codes, None], dtype=object)
    return pd.DataFrame(
        {
            "person_id": paths.persons[column(0)],
            "benefit": np.asarray(BENEFIT_NAMES, dtype=object)[column(1)],
            "start": _dates(column(2)),
            "end": _dates(column(3)),
            "grade": column(4).astype(np.float64),
            "diagnosis": names[column(5)],
            "employer_id": np.full(sum(len(block) for block in blocks), None, dtype=object),
        },
        copy=False,
    )


def _dates(days: npt.NDArray[Any]) -> npt.NDArray[np.datetime64]:
    seconds = days.astype(np.int64) * 86_400
    seconds[days == MISSING_DAY] = np.iinfo(np.int64).min
    return seconds.view(DATE_DTYPE)


def _cumulative(shares: Sequence[float]) -> npt.NDArray[np.float64]:
    return np.asarray([float(sum(shares[: k + 1])) for k in range(len(shares))], dtype=np.float64)
