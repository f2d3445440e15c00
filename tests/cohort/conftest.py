"""Registers made by hand, and a naive day-by-day reading of them that shares no code with the package."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from rtwcohort.register.register import Register

DATE = "datetime64[s]"


def _dates(frame, names):
    return frame.assign(**{name: pd.to_datetime(frame[name]).astype(DATE) for name in names if name in frame})


@pytest.fixture
def make_register():
    def make(
        persons, spells=(), *, enrolment=None, employment=None, questionnaires=None, data_end="2023-12-31"
    ) -> Register:
        """Spells: (person_id, benefit, start, end, grade, diagnosis), the last three may be left out."""
        rows = [(*spell, *(None, 100.0, None)[len(spell) - 3 :]) for spell in spells]
        benefits = pd.DataFrame(rows, columns=["person_id", "benefit", "start", "end", "grade", "diagnosis"])
        benefits = benefits.astype({"grade": "float64"})
        if isinstance(persons, int):
            persons = {"person_id": range(1, persons + 1)}
        persons = _dates(pd.DataFrame(persons), ["birth_date", "death_date", "emigration_date"])
        if enrolment is not None:
            enrolment = _dates(pd.DataFrame(enrolment), ["index_date"])
        if employment is not None:
            employment = _dates(pd.DataFrame(employment), ["start", "end"])
        if questionnaires is not None:
            questionnaires = _dates(pd.DataFrame(questionnaires), ["answered_on"])
        return Register(
            persons,
            _dates(benefits, ["start", "end"]),
            employment,
            enrolment,
            questionnaires,
            pd.Timestamp(data_end),
        )

    return make


@pytest.fixture
def enrol():
    def make(dates, **columns):
        return {"person_id": range(1, len(dates) + 1), "index_date": dates, **columns}

    return make


BENEFITS = ("sickness_benefit", "work_assessment_allowance", "unemployment_benefit")


@pytest.fixture
def random_register(make_register):
    def make(seed: int, n: int = 40, per_person: int = 6) -> Register:
        """Overlapping graded spells of three benefits, some open, deaths, missing facts, strangers and repeats."""
        rng = np.random.default_rng(seed)
        first = np.datetime64("2018-01-01")
        spells = []
        for person in range(1, n + 1):
            for _ in range(rng.integers(0, per_person + 1)):
                start = first + rng.integers(0, 2000)
                end = None if rng.random() < 0.05 else start + rng.integers(0, 120)
                grade = float(rng.choice([20, 50, 62.5, 100]))
                code = rng.choice(["L87", "P76", "A04", "R95"]) if rng.random() < 0.8 else None
                spells.append((person, rng.choice(BENEFITS), start, end, grade, code))
        spells = spells or [(1, "sickness_benefit", first, None, 100.0, "P76")]
        born = [None if rng.random() < 0.1 else np.datetime64("1950-01-01") + rng.integers(0, 22000) for _ in range(n)]
        dead = [None if rng.random() < 0.9 else first + rng.integers(0, 2500) for _ in range(n)]
        away = [None if rng.random() < 0.95 else first + rng.integers(0, 2500) for _ in range(n)]
        persons = {
            "person_id": range(1, n + 1),
            "sex": rng.choice(["female", "male", None], n, p=[0.5, 0.45, 0.05]),
            "birth_date": born,
            "death_date": dead,
            "emigration_date": away,
        }
        who = rng.integers(1, n + 5, n + 6)
        when = [None if rng.random() < 0.07 else first + rng.integers(0, 2400) for _ in who]
        enrolment = {"person_id": who, "index_date": when, "arm": rng.choice(["a", "b", None], len(who))}
        jobs = {
            "person_id": range(1, n + 1),
            "start": ["2019-01-01"] * n,
            "end": [None] * n,
            "position": rng.choice([50.0, 100.0, np.nan], n),
            "employer_id": ["E"] * n,
        }
        return make_register(persons, spells, enrolment=enrolment, employment=jobs, data_end="2023-06-30")

    return make


@pytest.fixture
def naive_days():
    def days_of(register: Register, person, benefits) -> dict[dt.date, float]:
        """Day -> combined grade: highest of a benefit, benefits added, capped; nothing from death or emigration on."""
        spells = register.benefits[register.benefits["person_id"] == person]
        facts = register.persons[register.persons["person_id"] == person].iloc[0]
        leaves = [
            facts[name].date()
            for name in ("death_date", "emigration_date")
            if name in facts.index and not pd.isna(facts[name])
        ]
        by_day: dict[dt.date, dict[str, float]] = {}
        for spell in spells.itertuples():
            if spell.benefit not in benefits:
                continue
            day = spell.start.date()
            last = register.data_end.date() if pd.isna(spell.end) else min(spell.end.date(), register.data_end.date())
            while day <= last:
                if not any(day >= leave for leave in leaves):
                    own = by_day.setdefault(day, {})
                    own[spell.benefit] = max(own.get(spell.benefit, 0.0), spell.grade)
                day += dt.timedelta(days=1)
        return {day: min(100.0, sum(grades.values())) for day, grades in by_day.items()}

    return days_of
