"""The diagnosis at the index date: which spell's, in which coding system, in which group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rtwcohort.cohort.candidates import Candidates
from rtwcohort.cohort.column import Column, categorical
from rtwcohort.cohort.diagnosis import (
    CHAPTERS,
    GROUPS,
    SYSTEM_NAMES,
    System,
    chapter_of,
    detect_system,
    group_of,
    own_group_of,
    tidy_code,
)
from rtwcohort.core.days import MISSING_DAY, to_days
from rtwcohort.errors import CohortError
from rtwcohort.register.benefits import DEFAULT_PRIORITY
from rtwcohort.register.register import Register

_LABELS: Final = {"group": "Diagnosis group", "chapter": "Diagnosis chapter", "code": "Diagnosis"}


def from_diagnosis(people: Candidates, given: Mapping[str, Any], owner: str) -> Column:
    """Take the diagnosis group, chapter or code of the spell at the index date."""
    return diagnosis_column(people, given, given["measure"])


def group_at_index(people: Candidates, given: Mapping[str, Any]) -> Column:
    """Return the diagnosis group at the index date."""
    return diagnosis_column(people, given, "group")


def group_names(groups: Mapping[str, tuple[str, ...]] | None) -> tuple[str, ...]:
    """Return the names of the groups, the user's or ours."""
    return GROUPS if groups is None else (*groups, *(() if "other" in groups else ("other",)))


def diagnosis_column(people: Candidates, given: Mapping[str, Any], measure: str) -> Column:
    """Return one of group, chapter and code; missing where no diagnosis is recorded or the code is unknown."""
    codes = codes_at_index(people, given["benefits"], given["look_back_days"])
    system = _system(people, given["system"])
    found = pd.unique(codes.dropna())
    groups = given["groups"]
    words = {code: _word(code, measure, system, groups) for code in found}
    values = codes.map(words, na_action="ignore").astype(object)
    values = values.where(values.notna(), None)
    people.log.count(f"Diagnosis code is not {SYSTEM_NAMES[system]}", (codes.notna() & values.isna()).to_numpy())
    order = {
        "group": group_names(groups),
        "chapter": tuple(chapter.name for chapter in CHAPTERS[system]),
        "code": (),
    }[measure]
    source = f"benefits.diagnosis ({SYSTEM_NAMES[system]}) at the index date"
    return categorical(values, _LABELS[measure], source, order=order)


def _word(code: str, measure: str, system: System, groups: Mapping[str, tuple[str, ...]] | None) -> str | None:
    group = group_of(code, system)
    if group is None:
        return None
    if measure == "group":
        return group if groups is None else own_group_of(code, groups)
    return chapter_of(code, system) if measure == "chapter" else code


def _system(people: Candidates, asked: str) -> System:
    if asked != "auto":
        return "icpc2" if asked == "icpc2" else "icd10"
    system = register_system(people.register)
    people.log.note(
        f"Diagnosis codes were read as {SYSTEM_NAMES[system]}, decided from the codes of the whole register "
        "(set `system` to say otherwise)."
    )
    return system


def register_system(register: Register) -> System:
    """Decide from all diagnosis codes of a register which system they come from."""
    number, codes = _diagnoses(register)
    rows = np.bincount(number[number >= 0], minlength=len(codes))
    counts = {code: int(n) for code, n in zip(codes, rows, strict=True) if n}
    if not counts:
        raise CohortError(
            "`diagnosis` is asked for but no spell of this register has a diagnosis code. Leave it out of the study."
        )
    return detect_system(counts)


def _diagnoses(register: Register) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return for each spell the number of its code, -1 without one, and the tidy codes in the order of the alphabet."""
    if "diagnosis" not in register.benefits.columns:
        raise CohortError(
            "`diagnosis` is asked for but benefits has no column 'diagnosis'. Its columns are: "
            f"{', '.join(map(str, register.benefits.columns))}. Name it under [register.columns.benefits]."
        )
    number, written = pd.factorize(register.benefits["diagnosis"].astype(object))
    tidy = [tidy_code(str(code)) for code in written]
    codes = sorted({code for code in tidy if code})
    place = {code: at for at, code in enumerate(codes)}
    of_written = np.array([*(place.get(code, -1) for code in tidy), -1], dtype=np.int64)
    return of_written[number], codes


def codes_at_index(people: Candidates, benefits: tuple[str, ...], look_back_days: int) -> pd.Series[Any]:
    """Return the tidy diagnosis code of each person's spell at the index date.

    Of the spells with a diagnosis that cover the index date, the one of the benefit with the highest priority
    (`DEFAULT_PRIORITY`), then the latest start, then the highest grade, then the code first in the alphabet. Where none
    covers it, the one that ended last before it, at most `look_back_days` days.

    Parameters
    ----------
    people
        The candidates, n of them.
    benefits
        Whose spells.
    look_back_days
        0 takes only spells that cover the index date.

    Returns
    -------
    pandas.Series
        Shape (n,), object; None without a diagnosis.
    """
    table = people.register.benefits
    number, codes = _diagnoses(people.register)
    rows = (number >= 0) & table["benefit"].isin(benefits).to_numpy()
    who = pd.Index(people.person_id).get_indexer(pd.Index(table["person_id"][rows]))
    spells = pd.DataFrame(
        {
            "row": who,
            "start": to_days(table["start"][rows]),
            "end": to_days(table["end"][rows]),
            "rank": table["benefit"][rows].map({name: k for k, name in enumerate(DEFAULT_PRIORITY)}).to_numpy(),
            "grade": table["grade"][rows].to_numpy(dtype=np.float64) if "grade" in table.columns else np.nan,
            "code": number[rows],
        }
    )
    spells = spells[(spells["row"] >= 0) & (spells["start"] != MISSING_DAY)].copy()
    spells.loc[spells["end"] == MISSING_DAY, "end"] = np.iinfo(np.int32).max
    index_day = people.index_day[spells["row"].to_numpy(dtype=np.int64)].astype(np.int64)
    spells["before"] = np.maximum(index_day - spells["end"].to_numpy(dtype=np.int64), 0)
    spells = spells[(spells["start"] <= index_day) & (spells["before"] <= look_back_days)]
    best = spells.sort_values(
        ["row", "before", "rank", "start", "grade", "code"], ascending=[True, True, True, False, False, True]
    ).drop_duplicates("row")
    out = np.full(len(people), None, dtype=object)
    out[best["row"].to_numpy()] = np.array([*codes, None], dtype=object)[best["code"].to_numpy()]
    return pd.Series(out, dtype=object)
