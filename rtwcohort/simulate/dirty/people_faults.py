"""Faults of people: their dates, their identifiers, their rows in `persons`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from rtwcohort.core.days import DATE_DTYPE
from rtwcohort.simulate.dirty.bench import DAY, Bench, Dates, Rows
from rtwcohort.simulate.dirty.declare import ALL, OF_PEOPLE

Injector = Callable[[Bench, str, str, float], None]

RECORDS: Final = {
    "benefits": "start",
    "employment": "start",
    "enrolment": "index_date",
    "questionnaires": "answered_on",
}
_COUNTED: Final = ("benefits", "employment", "enrolment")
_NO_DATES: Final = ("31.02.1980", "ukjent", "00.00.0000", "19800231", "010180")


def birth_dates(bench: Bench) -> Dates:
    """Return the birth dates."""
    return bench.tables["persons"]["birth_date"].to_numpy().astype(DATE_DTYPE)


def death_dates(bench: Bench) -> Dates:
    """Return the death dates."""
    return bench.tables["persons"]["death_date"].to_numpy().astype(DATE_DTYPE)


def _records(bench: Bench) -> tuple[Rows, Dates, Dates]:
    """Return for each person the number of records, the first and the last of their first days."""
    n = len(bench.tables["persons"])
    count = np.zeros(n, dtype=np.int64)
    first = np.full(n, np.iinfo(np.int64).max)
    last = np.full(n, np.iinfo(np.int64).min)
    for table in _COUNTED:
        if table not in bench.tables:
            continue
        days = bench.tables[table][RECORDS[table]].to_numpy().astype(DATE_DTYPE)
        usable = (bench.person[table] >= 0) & ~np.isnat(days)
        person, seconds = bench.person[table][usable], days[usable].astype(np.int64)
        count += np.bincount(person, minlength=n)
        np.minimum.at(first, person, seconds)
        np.maximum.at(last, person, seconds)
    known = count > 0
    nat = np.datetime64("NaT", "s")
    return (
        count,
        np.where(known, np.where(known, first, 0).astype(DATE_DTYPE), nat),
        np.where(known, np.where(known, last, 0).astype(DATE_DTYPE), nat),
    )


def _lock_records(bench: Bench, people: Rows) -> None:
    chosen = np.zeros(len(bench.tables["persons"]) + 1, dtype=bool)
    chosen[people] = True
    for table in _COUNTED:
        if table in bench.tables:
            bench.lock(table, np.flatnonzero(chosen[bench.person[table]]))


def _birth_after_records(bench: Bench, fault: str, table: str, rate: float) -> None:
    count, _, last = _records(bench)
    able = bench.all_free(_COUNTED) & (count >= 2) & ~np.isnat(birth_dates(bench))
    rows = bench.draw(fault, table, able, rate)
    bench.change(fault, table, rows, birth_date=last[rows] + bench.whole(fault, table, rows, 1, 400) * DAY)
    _lock_records(bench, rows)


def _death_before_records(bench: Bench, fault: str, table: str, rate: float) -> None:
    count, first, _ = _records(bench)
    able = bench.all_free(_COUNTED) & (count >= 2) & np.isnat(death_dates(bench))
    rows = bench.draw(fault, table, able, rate)
    bench.change(fault, table, rows, death_date=first[rows] - bench.whole(fault, table, rows, 30, 400) * DAY)
    _lock_records(bench, rows)


def _birth_after_death(bench: Bench, fault: str, table: str, rate: float) -> None:
    death = death_dates(bench)
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(death) & ~np.isnat(birth_dates(bench)), rate)
    bench.change(fault, table, rows, birth_date=death[rows] + bench.whole(fault, table, rows, 1, 400) * DAY)


def _age_over_110(bench: Bench, fault: str, table: str, rate: float) -> None:
    death = death_dates(bench)
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(birth_dates(bench)), rate)
    last = np.where(death[rows] < bench.data_end, death[rows], bench.data_end)
    years = bench.whole(fault, table, rows, 112, 119)
    bench.change(fault, table, rows, birth_date=last - years * 366 * DAY)


def _birth_shifted(bench: Bench, fault: str, table: str, rate: float) -> None:
    birth, death = birth_dates(bench), death_dates(bench)
    _, first, _ = _records(bench)
    earliest = np.where(np.isnat(first) | (death < first), death, first)
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(birth), rate)
    moved = birth[rows] - bench.whole(fault, table, rows, 1, 9) * 365 * DAY
    younger = birth[rows] + bench.whole(fault, table, rows, 1, 3, counter=3) * 365 * DAY
    later = (bench.share(fault, table, rows) < 0.5) & (younger < earliest[rows])
    bench.change(fault, table, rows, birth_date=np.where(later, younger, moved))


def _death_missing(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & ~np.isnat(death_dates(bench)), rate)
    bench.change(fault, table, rows, death_date=np.full(len(rows), np.datetime64("NaT", "s")))


def _unknown_sex(bench: Bench, fault: str, table: str, rate: float) -> None:
    able = bench.free(table) & bench.tables[table]["sex"].notna().to_numpy()
    rows = bench.draw(fault, table, able, rate)
    bench.change(fault, table, rows, sex=bench.pick(fault, table, rows, ("1", "2", "ukjent", "X")))


def _duplicate_person(bench: Bench, fault: str, table: str, rate: float) -> None:
    frame = bench.tables[table]
    rows = bench.draw(fault, table, bench.free(table) & frame["person_id"].notna().to_numpy(), rate)
    income = frame["income"].to_numpy()[rows]
    other = np.where(np.isnan(income), 100_000.0, income) + 1000.0 * bench.whole(fault, table, rows, 1, 90)
    bench.add(fault, table, rows, "after", income=other)


def _unreadable_date(bench: Bench, fault: str, table: str, rate: float) -> None:
    column = "birth_date" if table == "persons" else RECORDS[table]
    rows = bench.draw(fault, table, bench.free(table) & bench.tables[table][column].notna().to_numpy(), rate)
    bench.change(fault, table, rows, **{column: bench.pick(fault, table, rows, _NO_DATES)})


def _impossible_date(bench: Bench, fault: str, table: str, rate: float) -> None:
    column = "birth_date" if table == "persons" else RECORDS[table]
    rows = bench.draw(fault, table, bench.free(table) & bench.tables[table][column].notna().to_numpy(), rate)
    days = bench.whole(fault, table, rows, 1, 3000) * DAY
    old = np.datetime64("1850-01-01" if table == "persons" else "1020-01-01", "s") + days
    future = bench.data_end + days if table == "persons" else np.datetime64("2220-01-01", "s") + days
    bench.change(fault, table, rows, **{column: np.where(bench.share(fault, table, rows) < 0.5, old, future)})


def new_ids(bench: Bench, numbers: Rows) -> list[Any]:
    """Return identifiers that nobody has, of the register's own type, one for each number."""
    known = [frame["person_id"].dropna() for frame in bench.tables.values()]
    if all(ids.dtype.kind == "i" for ids in known):
        top = max((int(ids.max()) for ids in known if len(ids)), default=0)
        return [top + 1 + int(number) for number in numbers]
    width = max((len(str(value)) for ids in known for value in ids), default=1)
    return [str(10**width + int(number)) for number in numbers]


def _rows_from(bench: Bench, people: Rows, day: Dates) -> dict[str, Rows]:
    """Return the rows of each table from the given day of each person on."""
    since = np.full(len(bench.tables["persons"]) + 1, np.datetime64("NaT", "s"))
    since[people] = day
    found: dict[str, Rows] = {}
    for table in OF_PEOPLE:
        if table in bench.tables:
            days = bench.tables[table][RECORDS[table]].to_numpy().astype(DATE_DTYPE)
            found[table] = np.flatnonzero(days >= since[bench.person[table]])
    return found


def _mid_history(bench: Bench, fault: str, people: Rows) -> Dates:
    """Draw a day of each person from which another identifier is used: the start of a spell, not of the first."""
    frame = bench.tables["benefits"]
    start = frame["start"].to_numpy().astype(DATE_DTYPE)
    usable = np.flatnonzero((bench.person["benefits"] >= 0) & ~np.isnat(start))
    person = bench.person["benefits"][usable]
    order = np.lexsort((start[usable], person))
    person, start = person[order], start[usable][order]
    first = np.searchsorted(person, people)
    count = np.searchsorted(person, people, side="right") - first
    step = 1 + np.floor(bench.share(fault, "persons", people) * (count - 1)).astype(np.int64)
    day: Dates = start[first + step]
    return day


def _id_changed(bench: Bench, fault: str, table: str, rate: float) -> None:
    frame = bench.tables["benefits"]
    person = bench.person["benefits"]
    usable = (person >= 0) & frame["start"].notna().to_numpy()
    several = np.bincount(person[usable], minlength=len(bench.tables["persons"])) >= 2
    people = bench.draw(fault, "persons", bench.all_free(OF_PEOPLE) & several, rate)
    if not len(people):
        return
    known = fault == "id_with_second_person"
    ids = new_ids(bench, people + known * len(bench.tables["persons"]))
    lookup = dict(zip(people.tolist(), ids, strict=True))
    if known:
        bench.add(fault, "persons", people, "end", person_id=ids)
    bench.lock("persons", people)
    for name, rows in _rows_from(bench, people, _mid_history(bench, fault, people)).items():
        bench.change(fault, name, rows, person_id=[lookup[place] for place in bench.person[name][rows].tolist()])


def _id_missing(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & bench.tables[table]["person_id"].notna().to_numpy(), rate)
    if table == "persons":
        bench.add(fault, table, rows, "end", person_id=[None] * len(rows))
    else:
        bench.change(fault, table, rows, person_id=[None] * len(rows))


def _id_unknown(bench: Bench, fault: str, table: str, rate: float) -> None:
    rows = bench.draw(fault, table, bench.free(table) & (bench.person[table] >= 0), rate)
    offset = (1 + ALL.index(table)) * 10_000_000
    bench.change(fault, table, rows, person_id=new_ids(bench, rows + offset))


def _id_zeros_lost(bench: Bench, fault: str, table: str, rate: float) -> None:
    ids = bench.tables[table]["person_id"]
    zeros = np.array([isinstance(value, str) and value[:1] == "0" and value.strip("0") != "" for value in ids])
    rows = bench.draw(fault, table, bench.free(table) & (bench.person[table] >= 0) & zeros.astype(bool), rate)
    known = set(bench.tables["persons"]["person_id"])
    cut = {place: ids.iloc[place].lstrip("0") for place in rows.tolist()}
    rows = np.array([place for place in rows.tolist() if cut[place] not in known], dtype=np.int64)
    bench.change(fault, table, rows, person_id=[cut[place] for place in rows.tolist()])


def _id_as_number(bench: Bench, fault: str, table: str, rate: float) -> None:
    ids = bench.tables[table]["person_id"]
    if any(frame["person_id"].dtype.kind != "i" for frame in bench.tables.values()):
        return
    rows = bench.draw(fault, table, bench.free(table), rate)
    kinds = bench.pick(fault, table, rows, (str, float, lambda value: f" {value}", lambda value: f"{value}.0"))
    values = [kind(int(value)) for kind, value in zip(kinds, ids.iloc[rows], strict=True)]
    bench.change(fault, table, rows, person_id=values)


PEOPLE_FAULTS: Final[Mapping[str, Injector]] = {
    "id_changed": _id_changed,
    "id_with_second_person": _id_changed,
    "birth_after_records": _birth_after_records,
    "death_before_records": _death_before_records,
    "birth_after_death": _birth_after_death,
    "age_over_110": _age_over_110,
    "impossible_date": _impossible_date,
    "unreadable_date": _unreadable_date,
    "birth_date_shifted": _birth_shifted,
    "death_missing": _death_missing,
    "unknown_sex": _unknown_sex,
    "duplicate_person": _duplicate_person,
    "person_id_missing": _id_missing,
    "person_missing": _id_unknown,
    "id_zeros_lost": _id_zeros_lost,
    "id_as_number": _id_as_number,
}
