"""A sound register, drawn here so that no simulator decides what these tests see."""

import numpy as np
import pandas as pd
import pytest

DATA_END = "2022-12-31"


def sound_tables(n, seed, *, text_ids=False):
    rng = np.random.default_rng(seed)
    day = np.timedelta64(1, "D")
    ids = [f"{k:08}" for k in range(7001, 7001 + n)] if text_ids else list(range(7001, 7001 + n))
    index = np.datetime64("2020-01-01") + rng.integers(0, 600, n) * day
    birth = index - rng.integers(19 * 365, 64 * 365, n) * day
    gone = rng.random(n)
    leaves = index + rng.integers(200, 500, n) * day
    nat = np.datetime64("NaT")
    persons = pd.DataFrame(
        {
            "person_id": ids,
            "sex": rng.choice(["female", "male"], n),
            "birth_date": birth,
            "education": rng.choice(["grunnskole", "høgskole"], n),
            "income": rng.integers(200, 800, n) * 1000.0,
            "death_date": np.where(gone < 0.08, leaves, nat),
            "emigration_date": np.where((gone >= 0.08) & (gone < 0.16), leaves, nat),
        }
    )
    last = np.where(gone < 0.16, leaves - day, np.datetime64(DATA_END))
    spells = [row for k in range(n) for row in spells_of(rng, ids[k], index[k], last[k])]
    jobs = pd.DataFrame(
        {
            "person_id": ids,
            "start": birth + rng.integers(18 * 365, 19 * 365, n) * day,
            "end": nat,
            "position": rng.choice([100.0, 80.0, 50.0], n),
            "employer_id": [f"E{k}" for k in rng.integers(1, 40, n)],
        }
    )
    enrolment = pd.DataFrame({"person_id": ids, "index_date": index, "arm": rng.choice(["a", "b"], n)})
    answers = pd.DataFrame(
        {
            "person_id": np.repeat(np.array(ids, dtype=object if text_ids else np.int64), 5),
            "wave": "M0",
            "answered_on": np.repeat(index, 5),
            "instrument": "FABQ-W",
            "item": np.tile(["6", "7", "9", "10", "11"], n),
            "value": rng.integers(0, 7, 5 * n).astype(float),
        }
    )
    columns = ["person_id", "benefit", "start", "end", "grade", "diagnosis", "employer_id"]
    return {
        "persons": persons,
        "benefits": pd.DataFrame(spells, columns=columns),
        "employment": jobs,
        "enrolment": enrolment,
        "questionnaires": answers,
    }


def spells_of(rng, person, index, last):
    """Certificates one after the other from before the index date on, some people on the allowance at the end."""
    start = index - np.timedelta64(int(rng.integers(100, 900)), "D")
    employer = f"E{rng.integers(1, 40)}"
    for number in range(int(rng.integers(1, 9))):
        end = start + np.timedelta64(int(rng.integers(4, 60)), "D")
        grade = float(rng.choice([100, 100, 80, 50, 20]))
        if end > last:
            break
        yield person, "sickness_benefit", start, end, grade, rng.choice(["L84", "M54.5", "P76"]), employer
        start = end + np.timedelta64(int(rng.integers(1, 90)), "D")
        if number > 3 and start <= last and rng.random() < 0.3:
            end = start + np.timedelta64(30, "D")
            closed = end <= last and rng.random() < 0.5
            yield person, "work_assessment_allowance", start, end if closed else None, 100.0, None, None
            break


@pytest.fixture(scope="session")
def draw_sound():
    """Return a function of (n, seed) that gives the tables, drawn once each."""
    drawn = {}

    def draw(n, seed, *, text_ids=False):
        known = (n, seed, text_ids)
        if known not in drawn:
            drawn[known] = sound_tables(n, seed, text_ids=text_ids)
        return {table: frame.copy() for table, frame in drawn[known].items()}

    return draw
