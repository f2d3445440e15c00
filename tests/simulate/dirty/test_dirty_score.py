"""Every fault put in is found or listed as undetectable, and no sound row is touched; and a bad cleaner is seen."""

from pathlib import Path

import numpy as np
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.register import clean_register, find, load_register
from rtwcohort.simulate.dirty import DIRT, DIRT_NAMES, PRESETS, dirty, score_cleaning

END = "2022-12-31"
ROOT = Path(__file__).parents[3]


def complaint(score):
    frame = score.frame
    bad = frame[(~frame["undetectable"] & (frame["missed"] > 0)) | (frame["false_alarms"] > 0)]
    return f"{score.describe()}\n{bad.to_string()}\n{score.touched.groupby(['table', 'what']).size()}"


@pytest.mark.parametrize("rate", [0.02, 0.2])
@pytest.mark.parametrize(("n", "seed", "without"), [(300, 1, "id_zeros_lost"), (500, 2, "id_as_number")])
def test_all_faults_at_once(draw_sound, n, seed, without, rate):
    faults = {name: rate for name in PRESETS["every_fault"] if name != without}
    score = score_cleaning(dirty(draw_sound(n, seed), faults=faults, seed=seed, data_end=END))
    assert score.ok, complaint(score)
    assert score.frame["injected"].sum() > 30


@pytest.mark.parametrize("name", DIRT_NAMES)
def test_each_fault_in_every_row_that_can_carry_it(draw_sound, name):
    (declared,) = [item for item in DIRT if item.name == name]
    score = score_cleaning(dirty(draw_sound(60, 3), faults={name: 1.0}, seed=3, data_end=END))
    assert score.ok, complaint(score)
    assert score.frame["injected"].sum() > 0
    assert score.frame["undetectable"].all() == (declared.finding == "nothing")
    if declared.finding == "nothing":
        assert score.frame["found"].sum() == 0


@pytest.mark.parametrize("seed", range(6))
def test_any_faults_at_any_rates(draw_sound, seed):
    rng = np.random.default_rng(seed)
    names = rng.choice(DIRT_NAMES, size=rng.integers(2, 15), replace=False)
    faults = {str(name): float(rng.choice([0.01, 0.1, 0.5, 1.0])) for name in names}
    score = score_cleaning(dirty(draw_sound(150, seed), faults=faults, seed=seed, data_end=END))
    assert score.ok, f"{faults}\n{complaint(score)}"


def test_the_packaged_register(tmp_path):
    folder = sorted(path.parent for path in (ROOT / "synthetic_data").rglob("benefits.csv"))[0]
    register = load_register(folder)
    score = score_cleaning(dirty(register, faults="every_fault", seed=1))
    assert score.ok, complaint(score)


def test_what_default_cleaning_mends(draw_sound):
    """Copies are dropped and shares multiplied; a lost start cannot be known again."""
    faults = {"benefits.duplicate_row": 0.1, "percent_as_fraction": 0.1, "benefits.start_missing": 0.1}
    frame = score_cleaning(dirty(draw_sound(150, 1), faults=faults, seed=1, data_end=END)).frame.set_index("fault")
    assert frame.loc["duplicate_row", "mended"] == frame.loc["duplicate_row", "injected"] > 0
    assert frame.loc["percent_as_fraction", "mended"] == frame.loc["percent_as_fraction", "injected"] > 0
    assert frame.loc["start_missing", "mended"] == 0


def test_rules_are_scored(draw_sound):
    result = dirty(draw_sound(150, 1), faults={"benefits.end_before_start": 0.1}, seed=1, data_end=END)
    dropped, swapped = score_cleaning(result), score_cleaning(result, rules={"end_before_start": "swap"})
    assert dropped.frame["mended"].sum() == 0
    assert swapped.frame["mended"].sum() == swapped.frame["injected"].sum() > 0


def test_a_blind_check_is_seen(draw_sound, monkeypatch):
    result = dirty(draw_sound(150, 1), faults={"duplicate_answer": 0.05}, seed=1, data_end=END)
    monkeypatch.setitem(
        find._FINDERS, "duplicate_answer", lambda scene, table: np.zeros(len(scene.tables[table]), bool)
    )
    score = score_cleaning(result)
    assert not score.ok
    assert score.frame["missed"].tolist() == score.frame["injected"].tolist()


def test_a_check_that_names_sound_rows_is_seen(draw_sound, monkeypatch):
    """Spells after June 2021 are left alone in the clean register, and dropped where a grade is missing."""
    tables = draw_sound(150, 1)
    result = dirty(tables, faults={"grade_missing": 0.02}, seed=1, data_end=END)

    def overzealous(scene, table):
        frame = scene.tables[table]
        late = (frame["start"] > "2021-06-01").to_numpy()
        return late & bool(scene.tables["benefits"]["grade"].isna().any())

    monkeypatch.setitem(find._FINDERS, "end_before_start", overzealous)
    score = score_cleaning(result)
    assert not score.ok
    hit = set(result.truth["row"])
    expected = {row for row in np.flatnonzero(tables["benefits"]["start"] > "2021-06-01") if row not in hit}
    assert set(score.false_alarms["row"]) == expected
    assert set(score.touched["row"]) == expected
    assert set(score.touched["what"]) == {"dropped"}
    assert score.frame.set_index("fault").loc["end_before_start", "false_alarms"] == len(expected)


def test_a_cleaning_that_changes_sound_rows_is_seen(draw_sound, monkeypatch):
    from rtwcohort.register import clean

    def everything_lost(scene, table, mask):
        return scene.tables[table].assign(diagnosis="lost")

    result = dirty(draw_sound(150, 1), faults={"grade_missing": 0.02}, seed=1, data_end=END)
    monkeypatch.setitem(clean._CHANGES, ("grade_missing", "full"), everything_lost)
    score = score_cleaning(result)
    assert not score.ok
    assert set(score.touched["what"]) == {"diagnosis"}
    assert len(score.touched) == len(result.tables["benefits"]) - len(result.truth)


def test_what_cannot_be_scored_is_refused(draw_sound):
    tables = draw_sound(100, 1)
    result = dirty(tables, faults={"duplicate_row": 0.1}, seed=1, data_end=END)
    with pytest.raises(ArgumentError, match="has been cleaned already"):
        score_cleaning(result, clean_register(load_register(result.tables, data_end=END)))
    with pytest.raises(ArgumentError, match=r"`register` must hold the rows of `dirty\.tables`: `persons` has"):
        score_cleaning(result, load_register(tables, data_end=END))


def test_the_score_in_words(draw_sound):
    result = dirty(draw_sound(100, 1), faults={"grade_wrong": 0.1, "grade_missing": 0.1}, seed=1, data_end=END)
    counts = result.truth["fault"].value_counts()
    assert score_cleaning(result).describe() == (
        f"{counts['grade_missing']} of {counts['grade_missing']} rows with a fault that can be found were found; "
        f"{counts['grade_wrong']} rows have a fault that nothing finds. Sound rows named: 0; sound rows changed or "
        "dropped by cleaning: 0."
    )


@pytest.mark.parametrize("without", ["persons", "employment", "enrolment", "questionnaires"])
@pytest.mark.parametrize("rows", [0, None])
def test_small_registers_and_absent_tables(draw_sound, without, rows):
    tables = draw_sound(6, 5)
    if rows is None:
        del tables[without]
    else:
        tables[without] = tables[without].iloc[:rows]
    faults = {item.name: 0.5 for item in DIRT if set(item.tables) & ({*tables, "persons"}) and item.per != "table"}
    score = score_cleaning(dirty(tables, faults=faults, seed=5, data_end=END))
    assert score.ok, complaint(score)
    nobody_known = without == "persons" and rows == 0  # then every row is faulty before
    assert (score.frame["injected"].sum() > 0) != nobody_known
