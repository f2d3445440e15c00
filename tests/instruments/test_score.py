"""Scores against sums done by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import INSTRUMENTS, Instrument, classify, get_instrument, score


def answers(instrument, values, *, person=1, wave="M0", items=None, **more):
    items = items or get_instrument(instrument).statements
    return pd.DataFrame(
        {
            "person_id": person,
            "wave": wave,
            "instrument": instrument,
            "item": list(items),
            "value": np.asarray(values, dtype=float),
            **more,
        }
    )


def the_score(frame, instrument, **options):
    scored = score(frame, instrument, **options)
    assert len(scored) == 1
    return scored["score"].iloc[0], scored["n_answered"].iloc[0]


# FABQ items 1-16 as answered: physical activity is items 2 to 5, work is 6, 7, 9, 10, 11, 12 and 15.
FABQ = [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4]


def test_fabq_by_hand():
    rows = answers("FABQ", FABQ, items=[str(number) for number in range(1, 17)])
    assert the_score(rows, "FABQ-PA") == (2 + 3 + 4 + 5, 4)
    assert the_score(rows, "FABQ-W") == (6 + 5 + 3 + 2 + 1 + 0 + 3, 7)


@pytest.mark.parametrize(("answer", "pa", "work"), [(0, 0, 0), (6, 24, 42)])
def test_fabq_reaches_both_ends(answer, pa, work):
    rows = answers("FABQ", [answer] * 16, items=[str(number) for number in range(1, 17)])
    assert the_score(rows, "FABQ-PA")[0] == pa
    assert the_score(rows, "FABQ-W")[0] == work


def test_unscored_statements_change_nothing():
    rows = answers("FABQ-W", [1] * 11)
    other = rows.assign(value=np.where(rows["item"].isin(["8", "13", "14", "16"]), 6.0, rows["value"]))
    assert the_score(rows, "FABQ-W") == the_score(other, "FABQ-W") == (7, 7)


def test_dcsq_by_hand_with_the_items_that_run_the_other_way():
    # Often works fast, hard, with great effort (1), never has enough time (4), often conflicting demands (1): all high.
    assert the_score(answers("DCSQ-DEMANDS", [1, 1, 1, 4, 1]), "DCSQ-DEMANDS") == (20, 5)
    assert the_score(answers("DCSQ-DEMANDS", [4, 4, 4, 1, 4]), "DCSQ-DEMANDS") == (5, 5)
    assert the_score(answers("DCSQ-DEMANDS", [1, 2, 3, 4, 4]), "DCSQ-DEMANDS") == (4 + 3 + 2 + 4 + 1, 5)
    # Item 9 is doing the same thing over and over: never (4) is high control.
    assert the_score(answers("DCSQ-CONTROL", [1, 1, 1, 4, 1, 1]), "DCSQ-CONTROL") == (24, 6)
    assert the_score(answers("DCSQ-CONTROL", [2, 2, 2, 2, 2, 2]), "DCSQ-CONTROL") == (5 * 3 + 2, 6)
    assert the_score(answers("DCSQ-SUPPORT", [1, 1, 2, 2, 3, 4]), "DCSQ-SUPPORT") == (4 + 4 + 3 + 3 + 2 + 1, 6)


def test_belief_is_a_mean_and_only_all_threes_are_strong():
    assert the_score(answers("BELIEF", [3] * 10 + [2]), "BELIEF")[0] == pytest.approx(32 / 11)
    frame = pd.concat([answers("BELIEF", [3] * 11), answers("BELIEF", [3] * 10 + [2], person=2)])
    scored = score(frame, "BELIEF")
    assert classify(scored, "BELIEF", "strong belief").tolist() == [True, False]
    assert classify(scored, "BELIEF", "little belief").tolist() == [False, True]


def test_every_sum_instrument_against_a_naive_loop():
    rng = np.random.default_rng(1)
    for declared in INSTRUMENTS.values():
        if declared.not_computable:
            continue
        values = rng.integers(declared.least, declared.most + 1, size=len(declared.statements))
        by_item = dict(zip(declared.statements, values, strict=True))
        points = []
        for item in declared.items:
            answer = by_item[item]
            points.append(declared.most - (answer - declared.least) if item in declared.reversed_items else answer)
        expected = sum(points) / (1 if declared.scoring == "sum" else len(points))
        assert the_score(answers(declared.name, values), declared.name)[0] == pytest.approx(expected), declared.name


def test_one_missing_item_leaves_the_fabq_without_a_score():
    values = [6.0] * 11
    values[0] = np.nan
    assert np.isnan(the_score(answers("FABQ-W", values), "FABQ-W")[0])
    assert the_score(answers("FABQ-W", values), "FABQ-W")[1] == 6
    assert the_score(answers("FABQ-W", values), "FABQ-W", missing="prorate") == (42, 6)


def test_a_missing_row_is_a_missing_item():
    rows = answers("FABQ-W", [2] * 11)
    value, n_answered = the_score(rows[rows["item"] != "15"], "FABQ-W")
    assert np.isnan(value)
    assert n_answered == 6


def test_prorating_uses_the_mean_of_turned_items():
    # Items 1, 2, 4 answered 1, 2, 4: points 4, 3, 4, so the five-item sum is 11 / 3 * 5.
    rows = answers("DCSQ-DEMANDS", [1, 2, np.nan, 4, np.nan])
    assert the_score(rows, "DCSQ-DEMANDS", missing="prorate")[0] == pytest.approx(11 / 3 * 5)


@pytest.mark.parametrize(("answered", "has_score"), [(3, False), (4, True), (7, True)])
def test_the_half_rule_of_the_hads(answered, has_score):
    values = [2.0] * answered + [np.nan] * (7 - answered)
    value, n_answered = the_score(answers("HADS-A", values), "HADS-A")
    assert n_answered == answered
    assert value == 14 if has_score else np.isnan(value)


@pytest.mark.parametrize(("answered", "has_score"), [(6, False), (7, True)])
def test_seven_of_ten_items_of_the_hscl(answered, has_score):
    values = [2.0] * answered + [np.nan] * (10 - answered)
    value, _ = the_score(answers("HSCL-10", values), "HSCL-10")
    assert value == 2.0 if has_score else np.isnan(value)


def test_the_least_number_of_items_can_be_chosen():
    values = [2.0] * 5 + [np.nan] * 2
    rows = answers("HADS-A", values)
    assert np.isnan(the_score(rows, "HADS-A", min_answered=6)[0])
    assert np.isnan(the_score(rows, "HADS-A", missing="complete")[0])
    half = answers("FABQ-W", [1.0] * 4 + [np.nan] * 3, items=INSTRUMENTS["FABQ-W"].items)
    assert the_score(half, "FABQ-W", missing="prorate") == (7, 4)
    with pytest.raises(ArgumentError, match="`min_answered` has a meaning only with `missing` 'prorate'"):
        score(rows, "FABQ-W", min_answered=3)
    with pytest.raises(ArgumentError, match="`min_answered` must be a whole number from 1 to 7; got 8"):
        score(rows, "HADS-A", min_answered=8)


@pytest.mark.parametrize(
    ("instrument", "label", "value", "expected"),
    [
        ("FABQ-W", "high risk, acute occupational low back pain", 29, False),
        ("FABQ-W", "high risk, acute occupational low back pain", 30, True),
        ("HADS-A", "possible case", 7, False),
        ("HADS-A", "possible case", 8, True),
        ("HSCL-10", "distressed", 1.8, False),
        ("HSCL-10", "distressed", 1.85, True),
        ("HSCL-25", "distressed", 1.75, False),
        ("WAI", "poor", 27, True),
        ("WAI", "poor", 28, False),
        ("WAI", "excellent", 43, False),
        ("WAI", "excellent", 44, True),
    ],
)
def test_cut_offs_at_their_boundaries(instrument, label, value, expected):
    scored = pd.DataFrame({"score": [value, np.nan]})
    found = classify(scored, instrument, label)
    assert found.iloc[0] == expected
    assert found.isna().tolist() == [False, True]


def test_an_unknown_cut_off_gets_the_nearest():
    with pytest.raises(ArgumentError, match=r"got 'possible cases'\. Did you mean 'possible case'\?"):
        classify(pd.DataFrame({"score": [1.0]}), "HADS-A", "possible cases")


def test_people_and_waves_come_in_order_and_apart():
    frame = pd.concat(
        [
            answers("JOB-SATISFACTION", [3], person=2, wave="M12"),
            answers("JOB-SATISFACTION", [5.5], person=2, wave="M3"),
            answers("JOB-SATISFACTION", [9], person=1, wave="M0"),
        ]
    )
    scored = score(frame, "JOB-SATISFACTION")
    assert scored[["person_id", "wave", "score"]].to_numpy().tolist() == [[1, "M0", 9], [2, "M3", 5.5], [2, "M12", 3]]
    assert score(frame, "JOB-SATISFACTION", wave="M3")["person_id"].tolist() == [2]


def test_an_answer_of_one_person_never_reaches_another():
    # Two halves of a questionnaire, from two people and two waves, make no score.
    first = answers("FABQ-W", [1] * 4, items=["6", "7", "9", "10"])
    second = answers("FABQ-W", [1] * 3, items=["11", "12", "15"], person=2)
    later = answers("FABQ-W", [1] * 3, items=["11", "12", "15"], wave="M3")
    assert score(pd.concat([first, second, later]), "FABQ-W")["score"].isna().all()


def test_text_identifiers_numeric_items_and_other_frames():
    rows = answers("FABQ-W", [1] * 11, person="007")
    assert score(rows, "FABQ-W")["person_id"].tolist() == ["007"]
    assert the_score(rows.assign(item=rows["item"].astype(int)), "FABQ-W")[0] == 7
    assert the_score(rows.assign(item=rows["item"].astype(float)), "FABQ-W")[0] == 7
    assert the_score(pl.from_pandas(rows), "FABQ-W")[0] == 7
    assert the_score(rows.drop(columns="wave"), "FABQ-W")[0] == 7


def test_the_callers_frame_is_not_changed():
    rows = answers("FABQ-W", [1] * 11)
    before = rows.copy()
    score(rows, "FABQ-W")
    pd.testing.assert_frame_equal(rows, before)


def test_answers_outside_the_range_are_counted_by_item():
    rows = answers("FABQ-W", [1] * 11)
    rows.loc[rows["item"] == "7", "value"] = 9
    rows.loc[rows["item"] == "9", "value"] = 2.5
    with pytest.raises(ArgumentError, match=r"from 0 to 6 for FABQ-W; 2 answers are not \(item 7: 1, item 9: 1\)"):
        score(rows, "FABQ-W")
    assert the_score(answers("JOB-SATISFACTION", [2.5]), "JOB-SATISFACTION")[0] == 2.5


def test_duplicates_are_an_error_or_the_last_answer():
    rows = answers("JOB-SATISFACTION", [4], answered_on=pd.Timestamp("2020-02-01"))
    earlier = answers("JOB-SATISFACTION", [7], answered_on=pd.Timestamp("2020-01-01"))
    both = pd.concat([rows, earlier])
    with pytest.raises(ArgumentError, match=r"has 1 items of JOB-SATISFACTION .* \(2 rows\)"):
        score(both, "JOB-SATISFACTION")
    assert the_score(both, "JOB-SATISFACTION", duplicates="last") == (4, 1)
    unanswered = pd.concat([rows, earlier.assign(value=np.nan)])
    assert the_score(unanswered, "JOB-SATISFACTION") == (4, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(instrument="EQ-5D"), r"has no rows of FABQ-W\. Its instruments are: EQ-5D"),
        (dict(item="17"), r"has 11 rows with items that FABQ does not have \('17'\)"),
        (dict(value="often"), r"`questionnaires.value` must hold numbers"),
    ],
)
def test_rows_that_cannot_be_are_named(change, message):
    with pytest.raises(ArgumentError, match=message):
        score(answers("FABQ-W", [1] * 11).assign(**change), "FABQ-W")


def test_an_unknown_wave_and_a_missing_column_are_named():
    rows = answers("FABQ-W", [1] * 11)
    with pytest.raises(ArgumentError, match=r"`wave` 'm0' has no answers to FABQ-W\. Did you mean 'M0'\?"):
        score(rows, "FABQ-W", wave="m0")
    with pytest.raises(ArgumentError, match="`questionnaires` has no column 'value'"):
        score(rows.drop(columns="value"), "FABQ-W")


def test_what_is_not_known_is_not_guessed():
    with pytest.raises(ArgumentError, match="OMPSQ-SF is not computable: some items are turned round"):
        score(answers("OMPSQ-SF", [1] * 10), "OMPSQ-SF")


def test_no_rows_give_no_scores():
    empty = answers("FABQ-W", [1] * 11).iloc[:0]
    assert score(empty, "FABQ-W").shape == (0, 4)


def test_an_instrument_of_ones_own():
    own = Instrument(
        name="PAIN",
        label="Pain",
        family="PAIN",
        items=("now", "week"),
        least=0,
        most=10,
        scoring="sum_percent",
        reversed_items=("week",),
        direction="high = worse",
        source="own",
    )
    rows = pd.DataFrame(
        {"person_id": 1, "wave": "M0", "instrument": "PAIN", "item": ["now", "week"], "value": [10.0, 5.0]}
    )
    assert the_score(rows, own) == (75.0, 2)
