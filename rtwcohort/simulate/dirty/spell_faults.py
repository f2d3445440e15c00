"""Faults of the dates of spells and jobs: impossible, exchanged, overlapping, after death, corrected, late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.simulate.dirty.bench import DAY, Bench, Dates, Mask, Rows
from rtwcohort.simulate.dirty.people_faults import Injector

_NO_DATES: Final = ("31.04.2020", "ukjent", "2020", "99.99.9999", "20200230")


def _starts(bench: Bench, table: str) -> Dates:
    return bench.tables[table]["start"].to_numpy().astype(DATE_DTYPE)


def _ends(bench: Bench, table: str) -> Dates:
    return bench.tables[table]["end"].to_numpy().astype(DATE_DTYPE)


def _later_spells(bench: Bench) -> tuple[Mask, Rows]:
    """Return which benefit spells have a later one of the same person and benefit, and the position of the next."""
    frame = bench.tables["benefits"]
    start = _starts(bench, "benefits")
    usable = frame["person_id"].notna().to_numpy() & frame["benefit"].notna().to_numpy() & ~np.isnat(start)
    places = np.flatnonzero(usable)
    group = frame.groupby(["person_id", "benefit"], sort=False).ngroup().to_numpy()
    order = places[np.lexsort((places, start[places], group[places]))]
    follows = np.zeros(len(frame), dtype=bool)
    following = np.full(len(frame), -1, dtype=np.int64)
    if len(order) > 1:
        same = (group[order][1:] == group[order][:-1]) & (start[order][1:] > start[order][:-1])
        tied = (group[order][1:] == group[order][:-1]) & (start[order][1:] == start[order][:-1])
        follows[order[:-1]] = same | tied
        following[order[:-1][same]] = order[1:][same]
    return follows, following


def _unreadable(bench: Bench, fault: str, table: str, rate: float) -> None:
    able = bench.free(table) & bench.tables[table]["start"].notna().to_numpy()
    rows = bench.draw(fault, table, able, rate)
    late = (bench.share(fault, table, rows) < 0.5) & ~np.isnat(_ends(bench, table)[rows])
    words = np.array(bench.pick(fault, table, rows, _NO_DATES), dtype=object)
    bench.change(fault, table, rows[~late], start=list(words[~late]))
    bench.change(fault, table, rows[late], end=list(words[late]))


def _impossible(bench: Bench, fault: str, table: str, rate: float) -> None:
    """Put the start or the end into the year 1020, 1899 or 2220."""
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(_starts(bench, table)), rate)
    days = bench.whole(fault, table, rows, 0, 360) * DAY
    late = (bench.share(fault, table, rows) < 0.5) & ~np.isnat(_ends(bench, table)[rows])
    old = np.array(bench.pick(fault, table, rows, ("1020-01-01", "1899-01-01")), dtype="datetime64[s]") + days
    far = np.datetime64("2220-01-01", "s") + days
    bench.change(fault, table, rows[~late], start=old[~late])
    bench.change(fault, table, rows[late], end=far[late])


def _start_missing(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(_starts(bench, table)), rate)
    bench.change(fault, table, rows, start=np.full(len(rows), np.datetime64("NaT", "s")))


def _swapped(bench: Bench, fault: str, table: str, rate: float) -> None:
    start, end = _starts(bench, table), _ends(bench, table)
    rows = bench.draw(fault, table, bench.free(table) & (start < end), rate)
    bench.change(fault, table, rows, start=end[rows], end=start[rows])


def _one_a_person(bench: Bench, mark: str, table: str, rows: Rows) -> Rows:
    """Keep one row of each person, the first, and of nobody who has the mark; give the people the mark."""
    rows = rows[bench.unmarked(mark, table)[rows]]
    _, first = np.unique(bench.person[table][rows], return_index=True)
    rows = rows[np.sort(first)]
    bench.mark(mark, table, rows)
    bench.lock_persons(table, rows)
    return rows


def _before_birth(bench: Bench, fault: str, table: str, rate: float) -> None:
    start, end = _starts(bench, table), _ends(bench, table)
    birth = bench.of_person(table, "birth_date")
    able = bench.free(table) & bench.sound_person(table) & ~np.isnat(start) & (birth > np.datetime64("1902-01-01"))
    rows = _one_a_person(bench, "before birth", table, bench.draw(fault, table, able, rate))
    new = birth[rows] - bench.whole(fault, table, rows, 1, 400) * DAY
    length = np.minimum(end[rows] - start[rows], birth[rows] - DAY - new)
    bench.change(fault, table, rows, start=new, end=new + length)


def _after(column: str, mark: str) -> Injector:
    def inject(bench: Bench, fault: str, table: str, rate: float) -> None:
        day = bench.of_person(table, column)
        start, end = _starts(bench, table), _ends(bench, table)
        able = bench.free(table) & bench.sound_person(table) & (start <= end) & ~np.isnat(day)
        if column != "death_date":
            able &= np.isnat(bench.of_person(table, "death_date"))
        rows = _one_a_person(bench, mark, table, bench.draw(fault, table, able, rate))
        new = day[rows] + bench.whole(fault, table, rows, 1, 90) * DAY
        bench.add(fault, table, rows, "after", start=new, end=new + (end - start)[rows])

    return inject


def _end_after_death(bench: Bench, fault: str, table: str, rate: float) -> None:
    death = bench.of_person(table, "death_date")
    able = bench.free(table) & bench.sound_person(table) & (_starts(bench, table) <= death)
    if table == "benefits":
        able &= ~_later_spells(bench)[0]
    rows = bench.draw(fault, table, able, rate)
    bench.lock_persons(table, rows)
    bench.change(fault, table, rows, end=death[rows] + bench.whole(fault, table, rows, 1, 400) * DAY)


def _after_data_end(bench: Bench, fault: str, table: str, rate: float) -> None:
    start, end = _starts(bench, table), _ends(bench, table)
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(start), rate)
    new = bench.data_end + bench.whole(fault, table, rows, 1, 120) * DAY
    bench.add(fault, table, rows, "after", start=new, end=new + (end - start)[rows])


def _open_end(bench: Bench, fault: str, table: str, rate: float) -> None:
    able = bench.free(table) & (_starts(bench, table) <= _ends(bench, table)) & ~_later_spells(bench)[0]
    rows = bench.draw(fault, table, able, rate)
    bench.change(fault, table, rows, end=np.full(len(rows), np.datetime64("NaT", "s")))


def _open_end_followed(bench: Bench, fault: str, table: str, rate: float) -> None:
    _, following = _later_spells(bench)
    free = bench.free(table)
    able = free & (_starts(bench, table) <= _ends(bench, table)) & (following >= 0) & free[following]
    rows = bench.draw(fault, table, able, rate)
    chosen: list[int] = []
    taken: set[int] = set()
    for row in rows.tolist():
        if row not in taken and int(following[row]) not in taken:
            chosen.append(row)
            taken.update((row, int(following[row])))
    rows = np.array(chosen, dtype=np.int64)
    bench.lock(table, following[rows])
    bench.change(fault, table, rows, end=np.full(len(rows), np.datetime64("NaT", "s")))


def _overlap(bench: Bench, fault: str, table: str, rate: float) -> None:
    start, end = _starts(bench, table), _ends(bench, table)
    able = bench.free(table) & bench.sound_person(table) & ((end - start) >= 3 * DAY)
    rows = bench.draw(fault, table, able, rate)
    bench.lock_persons(table, rows)
    later = start[rows] + bench.whole(fault, table, rows, 1, 2) * DAY
    other = [f"other{number}" for number in bench.whole(fault, table, rows, 1, 99, counter=3)]
    bench.add(fault, table, rows, "after", start=later, employer_id=other)


def _corrected(bench: Bench, fault: str, table: str, rate: float) -> None:
    """Put an earlier version beside the record: another grade or position, another end, or both.

    The earlier version stands first. Where the employer is unknown, two rows may be two jobs: then only
    the grade differs and the other version stands second, as an overlap.
    """
    column = "grade" if table == "benefits" else "position"
    frame = bench.tables[table]
    start, end = _starts(bench, table), _ends(bench, table)
    employer = frame["employer_id"].notna().to_numpy()
    able = bench.free(table) & bench.sound_person(table) & ~np.isnat(start) & ~(end < start)
    able &= frame[column].notna().to_numpy() & (employer | (table == "benefits"))
    rows = bench.draw(fault, table, able, rate)
    bench.lock_persons(table, rows)
    value = frame[column].to_numpy()[rows]
    other = np.where(value == 100.0, 50.0, 100.0)
    longer = end[rows] + bench.whole(fault, table, rows, 1, 14) * DAY
    how = bench.share(fault, table, rows)
    with_employer = employer[rows]
    same_grade = (how < 1 / 3) & with_employer & ~np.isnat(end[rows])
    other_end = np.where((how < 2 / 3) & with_employer, longer, end[rows])
    columns: dict[str, Any] = {column: np.where(same_grade, value, other), "end": other_end}
    for chosen, place in ((with_employer, "before"), (~with_employer, "after")):
        picked = {name: values[chosen] for name, values in columns.items()}
        bench.add(fault, table, rows[chosen], "before" if place == "before" else "after", **picked)


def _late(bench: Bench, fault: str, table: str, rate: float) -> None:
    bench.remove(fault, table, bench.draw(fault, table, bench.free(table), rate))


SPELL_FAULTS: Final[Mapping[str, Injector]] = {
    "unreadable_spell_date": _unreadable,
    "impossible_spell_date": _impossible,
    "start_missing": _start_missing,
    "end_before_start": _swapped,
    "spell_before_birth": _before_birth,
    "spell_after_death": _after("death_date", "after death"),
    "end_after_death": _end_after_death,
    "spell_after_emigration": _after("emigration_date", "after emigration"),
    "spell_after_data_end": _after_data_end,
    "open_end": _open_end,
    "open_end_followed": _open_end_followed,
    "overlap_same_benefit": _overlap,
    "corrected_record": _corrected,
    "late_record": _late,
}
