"""The kernel against a day-by-day implementation with `datetime`, on random people, for every rule.

The naive one knows nothing of states: it holds one dictionary of benefits a day, tries every start in turn
and checks every day of every period.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from rtwcohort.core.days import MISSING_DAY
from rtwcohort.outcomes.catalogue import RULES
from rtwcohort.outcomes.relapse import relapse
from rtwcohort.outcomes.return_to_work import return_to_work
from rtwcohort.outcomes.rule import RtwRule
from rtwcohort.outcomes.timeline import Timeline, TimelinePeople
from rtwcohort.register.benefits import BENEFIT_NAMES

EPOCH = dt.date(1970, 1, 1)
DATA_END = dt.date(2021, 3, 15)
HISTORY = 40
N_PEOPLE = 100
DAYS_OF_BENEFITS = (
    {},
    {},
    {},
    {"sickness_benefit": 100.0},
    {"sickness_benefit": 50.0},
    {"sickness_benefit": 20.0},
    {"sickness_benefit": 33.3},
    {"sickness_benefit": 80.0},
    {"work_assessment_allowance": 100.0},
    {"work_assessment_allowance": 50.0, "sickness_benefit": 50.0},
    {"work_assessment_allowance": 40.0},
    {"disability_pension": 100.0},
    {"disability_pension": 50.0},
    {"disability_pension": 50.0, "sickness_benefit": 50.0},
    {"unemployment_benefit": 100.0},
    {"sickness_benefit": 0.0},
    {"rehabilitation_benefit": 60.0},
    {"disability_pension": 30.0, "retirement_pension": 20.0},
)
CHANCES = np.array([9, 9, 9, 9, 5, 3, 2, 3, 5, 2, 2, 1.5, 1.5, 1, 3, 1, 2, 1])


@dataclass(frozen=True)
class Person:
    first: dt.date
    index: dt.date
    benefits: tuple[dict[str, float], ...]
    position: tuple[float, ...]
    birth: dt.date
    death: dt.date | None
    emigration: dt.date | None


def make_people(n: int, seed: int) -> list[Person]:
    rng = np.random.default_rng(seed)
    people = []
    for _ in range(n):
        index = DATA_END - dt.timedelta(days=int(rng.choice([rng.integers(0, 60), rng.integers(0, 900)])))
        first = index - dt.timedelta(days=HISTORY)
        length = (DATA_END - first).days + 1
        benefits: list[dict[str, float]] = []
        while len(benefits) < length:
            run = int(rng.choice([1, 2, 5, 6, 7, 8, 13, 14, 27, 28, 29, 31, 35, 56, 90, rng.integers(1, 120)]))
            benefits += [DAYS_OF_BENEFITS[rng.choice(len(CHANCES), p=CHANCES / CHANCES.sum())]] * run
        position: list[float] = []
        while len(position) < length:
            position += [float(rng.choice([0.0, 50.0, 80.0, 100.0, 100.0]))] * int(rng.integers(5, 300))
        died, left = rng.random(2) < 0.25
        people.append(
            Person(
                first,
                index,
                tuple(benefits[:length]),
                tuple(position[:length]),
                dt.date(1954, 1, 1) + dt.timedelta(days=int(rng.integers(0, 12000))),
                index + dt.timedelta(days=int(rng.integers(0, 250))) if died else None,
                index + dt.timedelta(days=int(rng.integers(0, 250))) if left else None,
            )
        )
    return people


def day_number(date: dt.date | None) -> int:
    return MISSING_DAY if date is None else (date - EPOCH).days


def gone(person: Person, date: dt.date) -> int:
    if person.death is not None and date >= person.death:
        return 100
    return 101 if person.emigration is not None and date >= person.emigration else 0


TimelineOf = Callable[[tuple[str, ...]], Timeline]


def to_timeline(people: list[Person], counted: tuple[str, ...], *, employment: bool) -> Timeline:
    offset, rows = [0], []
    for person in people:
        previous = None
        for number, (paid, position) in enumerate(zip(person.benefits, person.position, strict=True)):
            date = person.first + dt.timedelta(days=number)
            state = gone(person, date)
            if state:
                content = (state, 0, 0.0, 0.0)
            else:
                present = sum(1 << BENEFIT_NAMES.index(name) for name in paid)
                grade = min(100.0, sum(value for name, value in paid.items() if name in counted))
                share = (100.0 - grade) * (position / 100 if employment else 1.0)
                content = (1 if paid else 0, present, grade, share)
            if content != previous:
                rows.append([day_number(date), 0, *content])
                previous = content
            rows[-1][1] = day_number(date) + 1
        offset.append(len(rows))
    start, end, state, present, grade, share = (np.array(column) for column in zip(*rows, strict=True))
    n = len(people)
    return Timeline(
        people=TimelinePeople(
            person_id=np.arange(n, dtype=np.int64) + 1000,
            from_day=np.array([day_number(p.first) for p in people], dtype=np.int32),
            to_day=np.full(n, day_number(DATA_END) + 1, dtype=np.int32),
            birth_day=np.array([day_number(p.birth) for p in people], dtype=np.int32),
            death_day=np.array([day_number(p.death) for p in people], dtype=np.int32),
            emigration_day=np.array([day_number(p.emigration) for p in people], dtype=np.int32),
        ),
        offset=np.array(offset, dtype=np.int64),
        start=start.astype(np.int32),
        end=end.astype(np.int32),
        state=state.astype(np.int8),
        present=present.astype(np.uint16),
        grade=grade.astype(np.float32),
        work_share=share.astype(np.float32),
        counted=counted,
        data_end=day_number(DATA_END),
        employment_known=employment,
    )


@pytest.fixture(scope="module")
def timelines(population: tuple[list[Person], bool]) -> TimelineOf:
    """Give the timeline of the whole population that fits a rule, built once for each set of benefits."""
    people, employment = population
    return cache(lambda benefits: to_timeline(people, benefits, employment=employment))


def plus_months(date: dt.date, months: int) -> dt.date:
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return dt.date(year, month + 1, min(date.day, calendar.monthrange(year, month + 1)[1]))


def plus(date: dt.date, length: int, unit: str) -> dt.date:
    if unit == "months":
        return plus_months(date, length)
    return date + dt.timedelta(**{unit: length})


class Diary:
    """One person's days under one rule, by day number from the first day of history."""

    def __init__(self, person: Person, rule: RtwRule, employment: bool) -> None:
        self.person, self.rule = person, rule
        self.share = []
        self.back = []
        grades = []
        for paid, position in zip(person.benefits, person.position, strict=True):
            grades.append(min(100.0, sum(paid.get(name, 0.0) for name in rule.benefits)))
            self.share.append((100.0 - grades[-1]) * (position / 100 if employment else 1.0))
        here = (person.index - person.first).days
        baseline = self.share[here - rule.baseline_days + 1 : here + 1]
        for number, paid in enumerate(person.benefits):
            share, fine = round(self.share[number], 3), True
            if rule.hold == "increase":
                fine = share > round(sum(baseline) / len(baseline), 3)
            elif rule.min_work_share is not None:
                fine = share > rule.min_work_share or (
                    share == rule.min_work_share and rule.work_share_bound == "at_least"
                )
            if rule.max_grade == 0:
                fine = fine and not any(name in paid for name in rule.benefits)
            elif rule.max_grade is not None:
                grade = round(grades[number], 3)
                fine = fine and (grade < rule.max_grade or (grade == rule.max_grade and rule.grade_bound == "at_most"))
            self.back.append(fine)
        self.baseline = sum(baseline) / len(baseline)

    def number(self, date: dt.date) -> int:
        return (date - self.person.first).days

    def mean_beats(self, first: dt.date, after: dt.date) -> bool:
        days = self.share[self.number(first) : self.number(after)]
        mean = round(sum(days) / len(days), 5)
        if self.rule.hold == "increase":
            return mean > round(self.baseline, 5)
        if self.rule.work_share_bound == "above":
            return mean > self.rule.min_work_share
        return mean >= self.rule.min_work_share

    def stop(self, since: dt.date) -> tuple[dt.date, str]:
        """Find the first date after `since` on which something ends follow-up."""
        person, rule = self.person, self.rule
        stops = [(DATA_END + dt.timedelta(days=1), 9, "end_of_data")]
        if person.death is not None:
            stops.append((person.death, 0, "death"))
        if person.emigration is not None:
            stops.append((person.emigration, 1, "emigration"))
        if rule.retirement_age is not None:
            stops.append((plus_months(person.birth, rule.retirement_age * 12), 3, "retirement"))
        for rank, name in enumerate(rule.competing):
            for number in range(self.number(since) + 1, len(person.benefits)):
                begun = name in person.benefits[number] and name not in person.benefits[number - 1]
                if begun and not (rule.competing_onset == "not_back" and self.back[number]):
                    stops.append((person.first + dt.timedelta(days=number), 2 + rank / 100, name))
                    break
        known = [stop for stop in stops if stop[0] <= DATA_END or stop[2] == "end_of_data"]
        date, _, cause = min(known)
        return date, cause

    def periods(self, horizon: int) -> Iterator[tuple[dt.date, dt.date]]:
        """Yield every period that qualifies, by start, whatever happens around it."""
        last = self.person.index + dt.timedelta(days=horizon)
        if self.rule.hold == "point":
            return self.points(last)
        if self.rule.hold == "increase" or self.rule.calendar == "windows":
            return self.counted_from_index(last)
        return self.any_start(last)

    def points(self, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
        for count in self.rule.at:
            day = plus(self.person.index, count, self.rule.unit)
            if day <= min(last, DATA_END) and self.back[self.number(day)]:
                yield day, day

    def counted_from_index(self, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
        rule, index, number = self.rule, self.person.index, 0
        step = 1 if rule.hold == "increase" else rule.length
        run = rule.length if rule.hold == "increase" else 1
        while (first := plus(index, number * step, rule.unit)) <= last:
            edges = [plus(index, (number + k) * step, rule.unit) for k in range(run + 1)]
            ends = edges[-1] - dt.timedelta(days=1)
            if ends <= DATA_END and all(self.mean_beats(a, b) for a, b in pairwise(edges)):
                yield first, ends
            number += 1

    def any_start(self, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
        rule, first = self.rule, self.person.index - dt.timedelta(days=1)
        while (first := first + dt.timedelta(days=1)) <= last:
            after = plus(first, rule.length, rule.unit)
            if after - dt.timedelta(days=1) > DATA_END:
                return
            if rule.calendar == "iso_weeks" and first.isocalendar()[2] != 1:
                continue
            if rule.hold == "mean":
                good = self.share[self.number(first)] > 0 and self.mean_beats(first, after)
            else:
                good = all(self.back[self.number(first) : self.number(after)])
            if good:
                yield first, after - dt.timedelta(days=1)


def naive_return(diary: Diary, horizon: int) -> tuple[int, str, dt.date | None]:
    rule, index = diary.rule, diary.person.index
    stop, cause = diary.stop(index)
    last = index + dt.timedelta(days=horizon)
    for first, confirmed in diary.periods(horizon):
        if confirmed < stop and (rule.confirmation == "may_pass_horizon" or confirmed <= last):
            return ((first if rule.event_date == "start" else confirmed) - index).days, "return", confirmed
    return *naive_censor(stop, cause, index, horizon), None


def naive_censor(stop: dt.date, cause: str, origin: dt.date, horizon: int) -> tuple[int, str]:
    if cause == "end_of_data":
        seen = (DATA_END - origin).days
        return (seen, cause) if seen < horizon else (horizon, "horizon")
    when = (stop - origin).days
    return (when, cause) if when <= horizon else (horizon, "horizon")


def naive_relapse(diary: Diary, first: dt.date, confirmed: dt.date, horizon: int, days: int) -> tuple[int, str]:
    stop, cause = diary.stop(confirmed)
    end, _ = Diary.stop.__get__(_without_competing(diary))(confirmed)
    number = diary.number(confirmed) + 1
    while number + days <= diary.number(end):
        if not any(diary.back[number : number + days]):
            date = diary.person.first + dt.timedelta(days=number)
            if date < stop and (date - first).days <= horizon:
                return (date - first).days, "relapse"
            break
        number += 1
    return naive_censor(stop, cause, first, horizon)


def _without_competing(diary: Diary) -> Diary:
    other = object.__new__(Diary)
    other.__dict__ = {**diary.__dict__, "rule": replace(diary.rule, competing=())}
    return other


def extra(**fields: object) -> RtwRule:
    return RtwRule(**{"name": "extra", "source": "test", **fields})


EXTRA = {
    "one_day": extra(length=1),
    "graded": extra(max_grade=50, length=10),
    "graded_strictly": extra(max_grade=50, grade_bound="below", length=10, competing_onset="not_back"),
    "grade_of_a_third": extra(max_grade=33.3, length=5),
    "share": extra(min_work_share=50, length=14),
    "share_strictly": extra(min_work_share=50, work_share_bound="above", length=2, unit="weeks"),
    "both": extra(max_grade=20, min_work_share=40, length=9),
    "three_months": extra(benefits=("sickness_benefit",), length=3, unit="months"),
    "confirmed": extra(benefits=("sickness_benefit",), length=21, event_date="confirmed"),
    "by_horizon": extra(benefits=("sickness_benefit",), length=1, unit="months", confirmation="by_horizon"),
    "iso_one": extra(length=1, unit="weeks", calendar="iso_weeks"),
    "iso_by_horizon": extra(
        benefits=("sickness_benefit",), length=3, unit="weeks", calendar="iso_weeks", confirmation="by_horizon"
    ),
    "rolling": extra(hold="mean", min_work_share=50, length=10),
    "rolling_strictly": extra(hold="mean", min_work_share=50, work_share_bound="above", length=4, unit="weeks"),
    "rolling_low": extra(hold="mean", min_work_share=7.5, length=56, competing=()),
    "rolling_third": extra(hold="mean", min_work_share=66.7, length=7, competing_onset="not_back"),
    "rolling_confirmed": extra(hold="mean", min_work_share=35, length=30, event_date="confirmed"),
    "window_months": extra(hold="mean", min_work_share=60, length=1, unit="months", calendar="windows"),
    "window_days": extra(hold="mean", min_work_share=30, length=10, calendar="windows", confirmation="by_horizon"),
    "increase_two": extra(hold="increase", length=2, unit="months", baseline_days=30),
    "increase_one": extra(hold="increase", length=1, unit="months", competing_onset="not_back"),
    "points": extra(hold="point", at=(0, 14, 28), benefits=("sickness_benefit",)),
    "aap_competes": extra(
        benefits=("sickness_benefit",),
        length=14,
        competing=("work_assessment_allowance", "disability_pension", "death"),
    ),
    "pension_first": extra(competing=("disability_pension", "work_assessment_allowance"), length=28),
    "nothing_competes": extra(benefits=("sickness_benefit",), length=28, competing=()),
    "retirement": extra(benefits=("sickness_benefit",), length=14, retirement_age=60),
}
ALL_RULES = {**RULES, **EXTRA}


@pytest.fixture(scope="module", params=[False, True], ids=["no employment", "employment"])
def population(request: pytest.FixtureRequest) -> tuple[list[Person], bool]:
    return make_people(N_PEOPLE, seed=20 + request.param), request.param


def retired(person: Person, rule: RtwRule) -> bool:
    """Tell who retired before the index date, which is an error."""
    return rule.retirement_age is not None and plus_months(person.birth, rule.retirement_age * 12) < person.index


def index_of(people: list[Person]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": np.arange(len(people)) + 1000,
            "index_date": pd.to_datetime([p.index for p in people]).astype("datetime64[s]"),
        }
    )


@pytest.mark.parametrize("name", ALL_RULES)
def test_kernel_is_the_naive_rule(name: str, population: tuple[list[Person], bool], timelines: TimelineOf) -> None:
    rule = ALL_RULES[name]
    people, employment = population
    timeline = timelines(rule.benefits)
    index = index_of(people).loc[[not retired(person, rule) for person in people]]
    diaries = [Diary(person, rule, employment) for person in people if not retired(person, rule)]
    horizons = (rule.horizon_days or 365,) if rule.hold == "point" else (0, 61, rule.horizon_days or 365)
    for horizon in horizons:
        outcome = return_to_work(timeline, rule, horizon=horizon, index=index)
        frame = outcome.frame
        got = list(zip(frame["time"], frame["cause"], frame["confirmed_on"], strict=True))
        for diary, (time, cause, confirmed) in zip(diaries, got, strict=True):
            expected = naive_return(diary, horizon)
            assert (time, cause) == expected[:2], diary.person
            assert (None if pd.isna(confirmed) else confirmed.date()) == expected[2], diary.person
    for horizon, min_days in ((365, 1), (90, 17)):
        result = relapse(timeline, outcome, horizon=horizon, min_days=min_days)
        returned = frame.loc[frame["event"]].index
        for row, where in enumerate(returned):
            first, confirmed = (frame[key].dt.date[where] for key in ("started_on", "confirmed_on"))
            expected = naive_relapse(diaries[where], first, confirmed, horizon, min_days)
            assert (result["time"][row], result["cause"][row]) == expected, diaries[where].person


def test_random_people_meet_every_cause(population: tuple[list[Person], bool], timelines: TimelineOf) -> None:
    people, _ = population
    rule = EXTRA["three_months"]
    timeline = timelines(rule.benefits)
    causes = set()
    for horizon in (7, 30, 100, 400):
        causes |= set(return_to_work(timeline, rule, horizon=horizon, index=index_of(people)).frame["cause"])
    assert {"return", "death", "emigration", "disability_pension", "end_of_data", "horizon"} <= causes


@pytest.mark.parametrize("name", ["gismervik_2020", "aasdahl_2018", "jensen_2011", "graded"])
def test_a_longer_period_never_gives_an_earlier_return(
    name: str, population: tuple[list[Person], bool], timelines: TimelineOf
) -> None:
    people, _ = population
    previous = None
    for length in (1, 2, 3, 5, 8):
        rule = replace(ALL_RULES[name], length=length)
        timeline = timelines(rule.benefits)
        frame = return_to_work(timeline, rule, horizon=300, index=index_of(people)).frame
        day = np.where(frame["event"], frame["time"], 10**6)
        if previous is not None:
            assert (day >= previous).all()
        previous = day


@pytest.mark.parametrize(
    "name", ["gismervik_2020", "aasdahl_2018", "jensen_2011", "hara_2018_half", "tou_2015", "rolling", "increase_two"]
)
def test_what_comes_after_the_confirmed_period_changes_nothing(
    name: str, population: tuple[list[Person], bool], timelines: TimelineOf
) -> None:
    rule = ALL_RULES[name]
    people, employment = population
    horizon = rule.horizon_days or 365
    before = return_to_work(timelines(rule.benefits), rule, horizon=horizon, index=index_of(people)).frame
    changed = []
    for person, event, confirmed in zip(people, before["event"], before["confirmed_on"], strict=True):
        if event:
            seen = (confirmed.date() - person.first).days + 1
            later = ({"disability_pension": 100.0},) * (len(person.benefits) - seen)
            changed.append(replace(person, benefits=person.benefits[:seen] + later))
        else:
            changed.append(person)
    after = return_to_work(
        to_timeline(changed, rule.benefits, employment=employment), rule, horizon=horizon, index=index_of(people)
    ).frame
    pd.testing.assert_frame_equal(before, after)


def test_order_of_rows_and_people_does_not_matter(population: tuple[list[Person], bool], timelines: TimelineOf) -> None:
    people, _ = population
    rule = RULES["gismervik_2020"]
    timeline = timelines(rule.benefits)
    index = index_of(people)
    shuffled = index.sample(frac=0.7, random_state=3)
    one = return_to_work(timeline, rule, horizon=365, index=index).frame.set_index("person_id")
    two = return_to_work(timeline, rule, horizon=365, index=shuffled).frame.set_index("person_id")
    pd.testing.assert_frame_equal(one.loc[two.index], two)
    assert two.index.tolist() == shuffled["person_id"].tolist()
