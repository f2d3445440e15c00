"""The timeline on drawn examples: one character a day, as a reader would check them by hand.

S, A, D, U: sickness benefit, work assessment allowance, disability pension, unemployment benefit; after the
letter in the margin comes the grade in tens (X for 100). In the result the letter is the state, `.` no benefit,
+ death, > emigration, and the line below it the combined grade in tens (0 is no grade, X is 100).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.outcomes.timeline import build_timeline
from rtwcohort.register.benefits import BENEFIT_NAMES
from rtwcohort.register.register import Register

LETTERS = {
    "S": "sickness_benefit",
    "A": "work_assessment_allowance",
    "D": "disability_pension",
    "U": "unemployment_benefit",
}
DAY_ONE = pd.Timestamp("2020-02-25")


def draw(drawing, *, width=None, first=DAY_ONE, death=None, emigration=None, jobs="", data_end=None, **options):
    """Turn lines such as 'S5 ===  ==>' (> open) into a register and give back the drawn timeline.

    Lines of `jobs` have the position in tens in the margin: 'J8 ====', 'JX' for 100.
    """
    lines = [line.strip() for line in drawing.strip().splitlines()]
    width = width or max(len(line) for line in lines) - 3

    def day(k):
        return first + pd.Timedelta(days=k)

    def spells(line):
        content, k = line[3:], 0
        while k < len(content):
            if content[k] == "=":
                stop = k
                while stop < len(content) and content[stop] == "=":
                    stop += 1
                is_open = content[stop : stop + 1] == ">"
                yield day(k), pd.NaT if is_open else day(stop - 1)
                k = stop
            k += 1

    tens = {"X": 100.0, **{str(k): 10.0 * k for k in range(1, 10)}}
    rows = [(1, LETTERS[line[0]], *spell, tens[line[1]]) for line in lines for spell in spells(line)]
    benefits = pd.DataFrame(rows, columns=["person_id", "benefit", "start", "end", "grade"])
    work = [(1, *spell, tens[line[1]]) for line in map(str.strip, jobs.splitlines()) for spell in spells(line)]
    employment = pd.DataFrame(work, columns=["person_id", "start", "end", "position"]) if jobs else None
    for frame in (benefits, employment):
        if frame is not None:
            frame[["start", "end"]] = frame[["start", "end"]].astype("datetime64[s]")
    persons = pd.DataFrame({"person_id": [1]})
    for name, k in (("death_date", death), ("emigration_date", emigration)):
        persons[name] = pd.Series([pd.NaT if k is None else day(k)], dtype="datetime64[s]")
    end = day(width - 1 if data_end is None else data_end)
    register = Register(persons, benefits, employment, None, None, end)
    return build_timeline(register, **{"window": (first, day(width - 1)), **options})


def shown(timeline):
    letters = {0: ".", 100: "+", 101: ">", **{BENEFIT_NAMES.index(name) + 1: key for key, name in LETTERS.items()}}
    days = timeline.end - timeline.start
    state = "".join(letters[int(s)] * int(d) for s, d in zip(timeline.state, days, strict=True))

    def tens(values):
        text = ["X" if v == 100 else str(round(float(v) / 10)) for v in values]
        return "".join(t * int(d) for t, d in zip(text, days, strict=True))

    return state, tens(timeline.grade), tens(timeline.work_share)


CASES = {
    "leap day: one spell through 29 February": (
        "SX ==========   ",
        {},
        "SSSSSSSSSS...",
        "XXXXXXXXXX000",
    ),
    "gaps stay gaps": (
        "SX ===  ===  =  ",
        {},
        "SSS..SSS..S..",
        "XXX00XXX00X00",
    ),
    "different benefits add, the more lasting one names the day": (
        """S5 ========
           A3   =====>""",
        {},
        "SSAAAAAA",
        "55888888",
    ),
    "the total is capped at 100": (
        """SX ======
           A6    =====""",
        {},
        "SSSAAAAA",
        "XXXXXX66",
    ),
    "the same benefit twice counts at its highest": (
        """S5 ======
           S8   ====""",
        {},
        "SSSSSS",
        "558888",
    ),
    "or adds when asked to": (
        """S5 ======
           S3   ==""",
        {"same_benefit": "sum"},
        "SSSSSS",
        "558855",
    ),
    "a benefit that does not count still names the day": (
        """S5 ======
           U5   ====""",
        {"benefits": ["unemployment_benefit"]},
        "SSSSSS",
        "005555",
    ),
    "priority is a choice": (
        """S5 ======
           D5   ====""",
        {"priority": ["sickness_benefit", *[name for name in BENEFIT_NAMES if name != "sickness_benefit"]]},
        "SSSSSS",
        "55XXXX",
    ),
    "adjacent spells join": (
        """S5 ===
           S5    ===  """,
        {},
        "SSSSSS",
        "555555",
    ),
    "a gap of two is closed by merging gaps of two": (
        "S5 ===  ===  ",
        {"merge_gap_days": 2},
        "SSSSSSSS",
        "55555555",
    ),
    "a gap of three is not": (
        "S5 ===   ===  ",
        {"merge_gap_days": 2},
        "SSS...SSS",
        "555000555",
    ),
    "a closed gap takes what came before it": (
        """S5 ===
           AX      ===""",
        {"merge_gap_days": 3},
        "SSSSSAAA",
        "55555XXX",
    ),
    "the day of death is death's, and no gap is closed across it": (
        "SX ===   ====",
        {"death": 5, "merge_gap_days": 9},
        "SSS..+++++",
        "XXX0000000",
    ),
    "death inside a spell": (
        "SX ========",
        {"death": 5},
        "SSSSS+++",
        "XXXXX000",
    ),
    "emigration, then death abroad": (
        "SX ==========",
        {"emigration": 3, "death": 7},
        "SSS>>>>+++",
        "XXX0000000",
    ),
    "emigration on the day of death is death": (
        "SX ======",
        {"emigration": 3, "death": 3},
        "SSS+++",
        "XXX000",
    ),
    "an open spell runs to the last day known, where the timeline is cut": (
        "S5   ==>",
        {"data_end": 6},
        "..SSSSS",
        "0055555",
    ),
    "no gap is closed up to a spell that starts after the last day known": (
        "S5 ===  ===",
        {"data_end": 4, "merge_gap_days": 5},
        "SSS..",
        "55500",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_drawn(name):
    drawing, options, state, grade = CASES[name]
    timeline = draw(drawing, width=len(state), **options)
    got_state, got_grade, share = shown(timeline)
    assert (got_state, got_grade) == (state, grade)
    complement = {"0": "X", "X": "0", **{str(k): str(10 - k) for k in range(1, 10)}}
    assert share == "".join("0" if s in "+>" else complement[g] for s, g in zip(state, grade, strict=True))


def test_year_boundary():
    timeline = draw("SX   ====   ", width=9, first=pd.Timestamp("2020-12-29"))
    assert timeline.start.tolist()[1] == (pd.Timestamp("2020-12-31") - pd.Timestamp("1970-01-01")).days
    assert (timeline.end - timeline.start).tolist()[:2] == [2, 4]


def test_positions_split_states_and_scale_the_share():
    """Half-time work from day 2 on, a second job of 80 % on days 6 and 7 (capped at 100), none after day 9."""
    timeline = draw(
        """S5     ========
           SX         =====""",
        jobs="""J5   ========
                J8       ==""",
    )
    state, grade, share = shown(timeline)
    assert state == "....SSSSSSSSS"
    assert grade == "00005555XXXXX"
    assert share[:13] == "0055225500000".replace("", "")
    np.testing.assert_allclose(timeline.work_share[:4], [0, 50, 25, 50])


def test_employment_table_without_the_person_means_no_job():
    timeline = draw("S5   ===", jobs="J5   ==")
    other = Register(
        pd.DataFrame({"person_id": [1, 2]}),
        pd.DataFrame({"person_id": [1], "benefit": ["other"], "start": [DAY_ONE], "end": [DAY_ONE], "grade": [20.0]}),
        pd.DataFrame({"person_id": [1], "start": [DAY_ONE], "end": [pd.NaT], "position": [100.0]}),
        None,
        None,
        DAY_ONE + pd.Timedelta(days=3),
    )
    both = build_timeline(other)
    assert timeline.employment_known
    assert both.work_share.tolist() == [80.0, 100.0, 0.0]
    assert both.offset.tolist() == [0, 2, 3]


def test_employment_table_without_rows_says_nothing():
    empty = pd.DataFrame({"person_id": [], "start": [], "end": [], "position": []})
    register = Register(pd.DataFrame({"person_id": [1]}), SPELLS[:1], empty, None, None, DAY_ONE)
    timeline = build_timeline(register)
    assert not timeline.employment_known
    assert timeline.work_share.tolist() == [50.0]


SPELLS = pd.DataFrame(
    {
        "person_id": [1, 2],
        "benefit": ["sickness_benefit"] * 2,
        "start": [DAY_ONE, DAY_ONE + pd.Timedelta(days=2)],
        "end": [DAY_ONE, pd.NaT],
        "grade": [50.0, 100.0],
    }
)


def test_people_and_provenance():
    persons = pd.DataFrame({"person_id": [2, 3, 1], "birth_date": pd.to_datetime(["1960-01-01", None, "1970-01-02"])})
    register = Register(persons, SPELLS, None, None, None, DAY_ONE + pd.Timedelta(days=4))
    timeline = build_timeline(register, merge_gap_days=3)
    people = timeline.people
    assert people.person_id.tolist() == [2, 3, 1]
    first = (DAY_ONE - pd.Timestamp("1970-01-01")).days
    assert people.from_day.tolist() == [first] * 3
    assert people.to_day.tolist() == [first + 5] * 3
    missing = np.iinfo(np.int32).min
    assert people.birth_day.tolist() == [-3653, missing, 1]
    assert people.death_day.tolist() == [missing] * 3
    assert timeline.offset.tolist() == [0, 2, 3, 5]
    assert timeline.data_end == first + 4
    assert dict(timeline.settings)["merge_gap_days"] == "3"
    assert dict(timeline.settings)["window"] == "first spell to end of data"
    assert list(timeline.settings) == sorted(timeline.settings)


def test_register_without_spells_is_one_day_of_nothing():
    register = Register(pd.DataFrame({"person_id": ["a", "b"]}), SPELLS[:0], None, None, None, DAY_ONE)
    timeline = build_timeline(register)
    assert timeline.state.tolist() == [0, 0]
    assert timeline.work_share.tolist() == [100.0, 100.0]
    long = build_timeline(register, window=("2010-01-01", "2030-01-01"))
    assert len(long.start) == 2


def test_register_without_people_has_no_states():
    persons = pd.DataFrame({"person_id": pd.Series([], dtype="int64")})
    timeline = build_timeline(Register(persons, SPELLS[:0], None, None, None, DAY_ONE))
    assert timeline.offset.tolist() == [0]
    assert len(timeline.start) == 0


def test_nothing_of_the_register_is_changed():
    register = Register(pd.DataFrame({"person_id": [1, 2]}), SPELLS.copy(), None, None, None, DAY_ONE)
    build_timeline(register)
    pd.testing.assert_frame_equal(register.benefits, SPELLS)


@pytest.mark.parametrize("unit", ["datetime64[s]", "datetime64[ms]", "datetime64[us]", "datetime64[ns]", "object"])
def test_any_unit_of_time(unit):
    spells = SPELLS.copy()
    for name in ("start", "end"):
        spells[name] = spells[name].astype(unit)
    persons = pd.DataFrame({"person_id": [1, 2]})
    end = DAY_ONE + pd.Timedelta(days=4)
    timeline = build_timeline(Register(persons, spells, None, None, None, end))
    assert (timeline.end - timeline.start).tolist() == [1, 4, 2, 3]


def test_benefit_names_as_categories_and_as_separate_texts():
    """How names are stored does not matter: categories, one object for all, or a new object in each row."""
    n = 140_000
    names = ["sickness_benefit", "other"]
    shared = pd.Series([names[k % 2] for k in range(n)], dtype=object)
    separate = pd.Series(["".join(list(names[k % 2])) for k in range(n)], dtype=object)
    start = (np.datetime64("2020-01-01") + np.arange(n) % 300).astype("datetime64[s]")
    base = pd.DataFrame({"person_id": np.arange(n) // 7, "start": start, "end": start, "grade": 50.0})
    persons = pd.DataFrame({"person_id": np.arange(n // 7 + 1)})
    results = []
    for column in (shared, separate, shared.astype("category")):
        register = Register(persons, base.assign(benefit=column), None, None, None, pd.Timestamp("2020-12-31"))
        results.append(build_timeline(register))
    assert set(np.unique(results[0].present)) == {0, 1, 64}
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].present, other.present)
        np.testing.assert_array_equal(results[0].start, other.start)
