"""Faults of single values: grades, positions, codes, index dates, answers; and copies of whole rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.register import BENEFITS
from rtwcohort.simulate.dirty.bench import DAY, Bench, Rows
from rtwcohort.simulate.dirty.people_faults import Injector

_NUMBERS: Final = {"persons": "income", "benefits": "grade", "employment": "position", "questionnaires": "value"}
_TEXTS: Final = {
    "persons": ("sex", "education", "municipality", "occupation"),
    "benefits": ("benefit", "diagnosis", "employer_id"),
    "employment": ("employer_id",),
    "enrolment": ("arm", "cluster", "programme"),
    "questionnaires": ("wave", "instrument", "item"),
}
_NO_NUMBERS: Final = ("full", "ukjent", "5O", "1-2", "x")
_UNKNOWN_BENEFITS: Final = ("890", "sykepneger", "SYK", None, "ytelse 12")
_NO_DIAGNOSES: Final = ("back pain", "M54,5", "??", "5.4", "L8")
_DIAGNOSES: Final = ("L02", "L84", "P76", "P29", "R74", "A04", "M545", "F32.1")


def _values(bench: Bench, table: str, column: str) -> npt.NDArray[np.float64]:
    return bench.tables[table][column].to_numpy(dtype=np.float64)


def _no_date(rows: Rows) -> npt.NDArray[np.datetime64]:
    return np.full(len(rows), np.datetime64("NaT", "s"))


def _duplicate(bench: Bench, fault: str, table: str, rate: float) -> None:
    able = bench.free(table) & bench.tables[table]["person_id"].notna().to_numpy()
    bench.add(fault, table, bench.draw(fault, table, able, rate), "end")


def _blanks(bench: Bench, fault: str, table: str, rate: float) -> None:
    frame = bench.tables[table]
    column = next((name for name in _TEXTS[table] if frame[name].notna().any()), None)
    if column is None:
        return
    rows = bench.draw(fault, table, bench.free(table) & frame[column].notna().to_numpy(), rate)
    ends = bench.pick(fault, table, rows, (" ", "   ", "\t", "\u00a0"))
    texts = [f"{text}{end}" for text, end in zip(frame[column].iloc[rows], ends, strict=True)]
    bench.change(fault, table, rows, **{column: texts})


def _missing(column: str) -> Injector:
    def inject(bench: Bench, fault: str, table: str, rate: float) -> None:
        rows = bench.draw(fault, table, bench.free(table) & bench.tables[table][column].notna().to_numpy(), rate)
        bench.change(fault, table, rows, **{column: np.full(len(rows), np.nan)})

    return inject


def _unreadable(bench: Bench, fault: str, table: str, rate: float) -> None:
    column = _NUMBERS[table]
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnan(_values(bench, table, column)), rate)
    bench.change(fault, table, rows, **{column: bench.pick(fault, table, rows, _NO_NUMBERS)})


def _grade_outside(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnan(_values(bench, table, "grade")), rate)
    bench.change(fault, table, rows, grade=np.array(bench.pick(fault, table, rows, (0.0, -50.0, 101.0, 150.0, 1000.0))))


def _position_outside(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnan(_values(bench, table, "position")), rate)
    bench.change(fault, table, rows, position=np.array(bench.pick(fault, table, rows, (-20.0, 100.5, 110.0, 1000.0))))


def _position_share(bench: Bench, fault: str, table: str, rate: float) -> None:
    value = _values(bench, table, "position")
    known = value[~np.isnan(value)]
    fit = len(known) > 0 and bool(known.min() >= 0 and known.max() <= 100 and ((known > 0) & (known < 100)).any())
    able = bench.free(table) & (value > 0)
    if not fit or not len(bench.draw(fault, table, np.ones(1, dtype=bool), rate)) or not able.any():
        return
    rows = np.flatnonzero(value > 0)
    bench.change(fault, table, rows, position=value[rows] / 100.0)
    bench.lock(table, np.arange(len(value)))


def _share(bench: Bench, fault: str, table: str, rate: float) -> None:
    value = _values(bench, table, "grade")
    chosen = (value > 1) & (value < 100) if fault == "percent_as_fraction" else value == 100
    rows = bench.draw(fault, table, bench.free(table) & chosen, rate)
    bench.change(fault, table, rows, grade=value[rows] / 100.0)


def _grade_wrong(bench: Bench, fault: str, table: str, rate: float) -> None:
    value = _values(bench, table, "grade")
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnan(value), rate)
    other = np.array(bench.pick(fault, table, rows, (20.0, 40.0, 60.0, 80.0)))
    bench.change(fault, table, rows, grade=np.where(other == value[rows], 50.0, other))


def _unknown_benefit(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & bench.tables[table]["benefit"].notna().to_numpy(), rate)
    bench.change(fault, table, rows, benefit=bench.pick(fault, table, rows, _UNKNOWN_BENEFITS))


def _spelling(bench: Bench, fault: str, table: str, rate: float) -> None:
    frame = bench.tables[table]
    names = {benefit.name: (*benefit.aliases, benefit.name) for benefit in BENEFITS}
    rows = bench.draw(fault, table, bench.free(table) & frame["benefit"].isin(list(names)).to_numpy(), rate)
    which = bench.share(fault, table, rows)
    cases = bench.pick(fault, table, rows, (str.upper, str.title, lambda word: f" {word}"))
    known = [names[name] for name in frame["benefit"].iloc[rows]]
    words = [case(name[int(share * len(name))]) for name, share, case in zip(known, which, cases, strict=True)]
    bench.change(fault, table, rows, benefit=words)


def _diagnosis(choices: tuple[str, ...]) -> Injector:
    def inject(bench: Bench, fault: str, table: str, rate: float) -> None:
        codes = bench.tables[table]["diagnosis"]
        rows = bench.draw(fault, table, bench.free(table) & codes.notna().to_numpy(), rate)
        other = bench.pick(fault, table, rows, choices)
        picked = ["A01" if new == old else new for new, old in zip(other, codes.iloc[rows], strict=True)]
        bench.change(fault, table, rows, diagnosis=picked)

    return inject


def _index(bench: Bench, table: str) -> npt.NDArray[np.datetime64]:
    return bench.tables[table]["index_date"].to_numpy().astype(DATE_DTYPE)


def _index_missing(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(_index(bench, table)), rate)
    bench.change(fault, table, rows, index_date=_no_date(rows))


def _second_enrolment(bench: Bench, fault: str, table: str, rate: float) -> None:
    index = _index(bench, table)
    able = bench.free(table) & bench.sound_person(table) & ~np.isnat(index)
    rows = bench.draw(fault, table, able, rate)
    bench.lock_persons(table, rows)
    later = index[rows] + bench.whole(fault, table, rows, 1, 300) * DAY
    bench.add(fault, table, rows, "after", index_date=later)


def _index_after_data_end(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(_index(bench, table)), rate)
    bench.change(fault, table, rows, index_date=bench.data_end + bench.whole(fault, table, rows, 1, 200) * DAY)


def _index_after_death(bench: Bench, fault: str, table: str, rate: float) -> None:
    death = bench.of_person(table, "death_date")
    able = bench.free(table) & bench.sound_person(table) & ~np.isnat(death) & bench.unmarked("after death", table)
    rows = bench.draw(fault, table, able, rate)
    bench.mark("after death", table, rows)
    bench.lock_persons(table, rows)
    bench.change(fault, table, rows, index_date=death[rows] + bench.whole(fault, table, rows, 0, 60) * DAY)


def _index_moved(bench: Bench, fault: str, table: str, rate: float) -> None:
    index = _index(bench, table)
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(index), rate)
    bench.change(fault, table, rows, index_date=index[rows] - bench.whole(fault, table, rows, 1, 60) * DAY)


def _item_missing(bench: Bench, fault: str, table: str, rate: float) -> None:
    frame = bench.tables[table]
    able = bench.free(table) & frame[["instrument", "item"]].notna().all(axis=1).to_numpy()
    rows = bench.draw(fault, table, able, rate)
    item = bench.share(fault, table, rows) < 0.5
    for chosen, column in ((item, "item"), (~item, "instrument")):
        values: list[Any] = [None] * int(chosen.sum())
        bench.change(fault, table, rows[chosen], **{column: values})


def _second_answer(bench: Bench, fault: str, table: str, rate: float) -> None:
    frame = bench.tables[table]
    value = _values(bench, table, "value")
    able = bench.free(table) & frame[["person_id", "instrument", "item", "value"]].notna().all(axis=1).to_numpy()
    rows = bench.draw(fault, table, able, rate)
    step = np.where(bench.share(fault, table, rows) < 0.5, 1.0, -1.0)
    bench.add(fault, table, rows, "after", value=np.abs(value[rows] + np.where(value[rows] == 0.5, 1.0, step)))


def _out_of_range(bench: Bench, fault: str, table: str, rate: float) -> None:
    value = _values(bench, table, "value")
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnan(value), rate)
    bench.change(fault, table, rows, value=value[rows] + np.array(bench.pick(fault, table, rows, (98.0, 200.0, 990.0))))


VALUE_FAULTS: Final[Mapping[str, Injector]] = {
    "position_as_share": _position_share,
    "text_blanks": _blanks,
    "duplicate_row": _duplicate,
    "grade_outside_range": _grade_outside,
    "grade_missing": _missing("grade"),
    "percent_as_fraction": _share,
    "full_grade_as_share": _share,
    "grade_wrong": _grade_wrong,
    "position_outside_range": _position_outside,
    "position_missing": _missing("position"),
    "unreadable_number": _unreadable,
    "unknown_benefit": _unknown_benefit,
    "benefit_spelling": _spelling,
    "diagnosis_malformed": _diagnosis(_NO_DIAGNOSES),
    "diagnosis_wrong": _diagnosis(_DIAGNOSES),
    "index_date_missing": _index_missing,
    "duplicate_enrolment": _second_enrolment,
    "index_after_data_end": _index_after_data_end,
    "index_after_death": _index_after_death,
    "index_date_moved": _index_moved,
    "item_missing": _item_missing,
    "value_missing": _missing("value"),
    "duplicate_answer": _second_answer,
    "value_out_of_range": _out_of_range,
}
