"""Whole questionnaires: every scale scored, what was missing counted, open rules chosen."""

import doctest
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.instruments import (
    INSTRUMENTS,
    NAMED,
    OPTIONS,
    Instrument,
    classify,
    get_instrument,
    instrument_catalogue,
    job_strain,
    score,
    score_instrument,
)

FABQ = [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4]
"""Statements 1 to 16: physical activity adds items 2 to 5, work 6, 7, 9, 10, 11, 12 and 15."""


def wide(rows, prefix="fabq", **more):
    items = {f"{prefix}{number + 1}": [row[number] for row in rows] for number in range(len(rows[0]))}
    return pd.DataFrame({"person_id": np.arange(len(rows)) + 1, **more, **items})


def long(rows, instrument, waves=None):
    waves = waves or ["M0"] * len(rows)
    return pd.DataFrame(
        [
            (person + 1, waves[person], instrument, str(number + 1), value)
            for person, row in enumerate(rows)
            for number, value in enumerate(row)
        ],
        columns=["person_id", "wave", "instrument", "item", "value"],
    )


def test_both_scales_of_the_fabq_from_long_and_wide_answers():
    for frame in (long([FABQ], "FABQ"), wide([FABQ]), pl.from_pandas(wide([FABQ])), wide([FABQ], "FABQ_")):
        scored = score_instrument(frame, "fabq")
        assert scored.frame[["fabq_pa", "fabq_w"]].to_numpy().tolist() == [[2 + 3 + 4 + 5, 6 + 5 + 3 + 2 + 1 + 0 + 3]]
        assert scored.frame[["fabq_pa_n_answered", "fabq_w_n_answered"]].to_numpy().tolist() == [[4, 7]]
        assert scored.absent == ()


def test_one_scale_is_what_score_gives():
    rows = [FABQ, FABQ[::-1]]
    scored = score_instrument(long(rows, "FABQ"), "fabq_w").frame
    assert scored["fabq_w"].tolist() == score(long(rows, "FABQ"), "FABQ-W")["score"].tolist()
    assert "fabq_pa" not in scored


def test_what_was_missing_is_counted():
    gap = [np.nan if number in (6, 14) else value for number, value in enumerate(FABQ)]
    silent = [*FABQ[:5], *[np.nan] * 11]
    scored = score_instrument(long([FABQ, gap, silent], "FABQ"), "fabq")
    work = scored.report.set_index("scale").loc["FABQ-W"]
    assert work[["n_people", "n_scored", "n_complete", "n_prorated"]].tolist() == [3, 1, 1, 0]
    assert work[["n_nothing_answered", "n_too_few_answered", "n_items_missing"]].tolist() == [1, 1, 2]
    items = scored.items.set_index(["scale", "item"])
    assert items.loc[("FABQ-W", "7"), ["n_answered", "n_missing"]].tolist() == [1, 1]
    assert items.loc[("FABQ-W", "6"), ["n_answered", "n_missing"]].tolist() == [2, 0]
    assert "FABQ-W at M0: 3 people, 1 scored; 1 answered nothing, 1 too little (all 7 items" in scored.describe()


def test_prorated_scores_are_counted_apart():
    rows = [[2] * 14, [2] * 6 + [np.nan] * 8, [np.nan] * 8 + [2] * 6]
    scored = score_instrument(long(rows, "HADS"), "hads")
    report = scored.report.set_index("scale")
    # Person 2 answered items 1-6 (3 of 7 in each scale), person 3 items 9-14 (3 of 7 in each): the half rule needs 4.
    assert report["n_scored"].tolist() == [1, 1]
    assert report["n_too_few_answered"].tolist() == [2, 2]
    lenient = score_instrument(long(rows, "HADS"), "hads", missing="prorate", min_answered=3)
    assert lenient.report["n_prorated"].tolist() == [2, 2]
    assert lenient.frame["hads_a"].tolist() == [14, 14, 14]
    assert "1 scored (" not in scored.describe()
    assert "3 scored (2 of them with items missing)" in lenient.describe()


def test_counts_against_a_naive_loop():
    rng = np.random.default_rng(3)
    rows = np.where(rng.random((60, 17)) < 0.15, np.nan, rng.integers(1, 5, (60, 17))).tolist()
    waves = rng.choice(["M0", "M3", "M12"], 60).tolist()
    scored = score_instrument(long(rows, "DCSQ", waves), "dcsq", missing="prorate")
    for _, line in scored.report.iterrows():
        scale = get_instrument(line["scale"])
        mine = [row for row, wave in zip(rows, waves, strict=True) if wave == line["wave"]]
        answered = [sum(not np.isnan(row[int(item) - 1]) for item in scale.items) for row in mine]
        half = (len(scale.items) + 1) // 2
        assert line["n_people"] == len(mine)
        assert line["n_scored"] == sum(count >= half for count in answered)
        assert line["n_complete"] == sum(count == len(scale.items) for count in answered)
        assert line["n_nothing_answered"] == sum(count == 0 for count in answered)
        assert line["n_items_missing"] == sum(len(scale.items) - count for count in answered if count)
    assert scored.report["wave"].tolist() == ["M0", "M3", "M12"] * 3


def test_people_and_waves_in_order_and_several_waves_wide():
    frame = pd.concat([wide([FABQ], wave=["M12"]), wide([FABQ, FABQ], wave=["M3", "M3"])])
    scored = score_instrument(frame, "fabq")
    assert scored.frame[["person_id", "wave"]].to_numpy().tolist() == [[1, "M3"], [1, "M12"], [2, "M3"]]
    assert score_instrument(frame, "fabq", wave="M12").frame["person_id"].tolist() == [1]
    assert score_instrument(wide([FABQ]), "fabq", wave="M6").frame["wave"].tolist() == ["M6"]
    with pytest.raises(ArgumentError, match=r"`wave` 'M6' has no rows\. The waves are: M12, M3"):
        score_instrument(frame, "fabq", wave="M6")


def test_a_scale_that_is_not_there_is_told():
    scored = score_instrument(long([FABQ], "FABQ").query("item >= '6'").assign(instrument="FABQ-W"), "fabq")
    assert scored.absent == ("FABQ-PA",)
    assert scored.describe().startswith("FABQ-PA: not among these answers.")
    scored = score_instrument(wide([FABQ]).drop(columns=[f"fabq{i}" for i in range(1, 6)]), "fabq")
    assert scored.absent == ("FABQ-PA",)
    with pytest.raises(ArgumentError, match="no column for item 3 of FABQ-PA"):
        score_instrument(wide([FABQ]).drop(columns="fabq3"), "fabq")


def test_all_statements_of_the_fabq():
    scored = score_instrument(wide([FABQ, [6] * 16]), "fabq", items="all").frame
    assert scored["fabq_pa"].tolist() == [sum(FABQ[:5]), 30]
    assert scored["fabq_w"].tolist() == [sum(FABQ[5:]), 66]


@pytest.mark.parametrize(
    ("reversals", "demands"),
    [
        ("declared", 4 + 3 + 2 + 4 + 1),
        ("all", 4 + 3 + 2 + 1 + 1),
        ("none", 1 + 2 + 3 + 4 + 4),
        (("1", 2), 4 + 3 + 3 + 4 + 4),
    ],
)
def test_reversals_of_the_dcsq(reversals, demands):
    scored = score_instrument(long([[1, 2, 3, 4, 4]], "DCSQ"), "dcsq_demands", reversals=reversals)
    assert scored.frame["dcsq_demands"].tolist() == [demands]


def test_the_short_oerebro_form_once_somebody_says_which_items_are_turned():
    rows = long([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]], "OMPSQ-SF")
    with pytest.raises(ArgumentError, match=r"OMPSQ-SF is not computable as declared.*list them in `reversals`"):
        score_instrument(rows, "ompsq-sf")
    scored = score_instrument(rows, "ompsq-sf", reversals=["3", "4", "8"])
    assert scored.frame["ompsq_sf"].tolist() == [55 + (10 - 2 * 3) + (10 - 2 * 4) + (10 - 2 * 8)]


def test_columns_can_be_named():
    frame = pd.DataFrame({"id": [1], "a": [2], "b": [5]})
    own = Instrument(
        name="TWO",
        label="Two",
        family="TWO",
        items=("1", "2"),
        least=0,
        most=6,
        scoring="sum",
        direction="-",
        source="-",
    )
    assert score_instrument(frame, own, columns={"1": "a", "2": "b"}, person_id="id").frame["two"].tolist() == [7]
    with pytest.raises(ArgumentError, match="`columns` names the item '9', which TWO do not have"):
        score_instrument(frame, own, columns={"1": "a", "2": "b", "9": "b"}, person_id="id")


def test_totals_as_given_have_their_range():
    frame = pd.DataFrame({"person_id": [1, 2], "bdi": [12, 63], "sf36_mh": [40.5, 100]})
    assert score_instrument(frame, "bdi").frame["bdi"].tolist() == [12, 63]
    scored = score_instrument(frame, "sf-36")
    assert scored.frame["sf_36_mh"].tolist() == [40.5, 100]
    assert scored.absent == ("SF-36-GH", "SF-36-PF", "SF-36-SF")
    with pytest.raises(ArgumentError, match=r"from 0 to 63 for BDI; 1 answers are not \(item total: 1\)"):
        score_instrument(frame.assign(bdi=[12, 64]), "bdi")


def test_the_six_scales_of_back_and_leg_pain():
    assert score_instrument(wide([[10, 5.5, 0, 1, 2, 3]], "lbp_rating"), "lbp-rating").frame["lbp_rating"].tolist() == [
        21.5
    ]


@pytest.mark.parametrize(
    ("frame", "instrument", "message"),
    [
        (wide([[*FABQ[:15], 7]]), "fabq", r"from 0 to 6 for FABQ-W; 1 answers are not \(item 16: 1\)"),
        (wide([FABQ]).assign(fabq7="often"), "fabq", "must hold numbers in 'fabq7'; 1 answers are text"),
        (wide([FABQ]), "tampa", "TAMPA .* do not state its items, range of an answer, scoring"),
        (wide([FABQ]), "job strain", "use `job_strain`"),
        (wide([FABQ]), "work-status", "use `answered_work_status`"),
        (wide([FABQ]), "fabqq", r"got 'fabqq'\. Did you mean 'FABQ'\?"),
        (wide([FABQ]), "hads", "no column for item 1, 3, 5"),
        (wide([FABQ, FABQ]).assign(person_id=1), "fabq", "one row a person; 1 rows"),
        (wide([FABQ, FABQ]).assign(wave=["M0", None]), "fabq", "`frame.wave` must be known in every row; 1 rows"),
    ],
)
def test_what_cannot_be_is_named(frame, instrument, message):
    with pytest.raises(ArgumentError, match=message):
        score_instrument(frame, instrument)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(items="some"), "`items` must be one of 'published', 'all'"),
        (dict(reversals="wording"), "`reversals` must be one of 'declared', 'all', 'none'"),
        (dict(reversals=["17"]), "`reversals` lists the item '17', which FABQ-PA and FABQ-W do not have"),
        (dict(missing="half"), "`missing` must be one of"),
    ],
)
def test_options_that_do_not_exist(options, message):
    with pytest.raises(ArgumentError, match=message):
        score_instrument(wide([FABQ]), "fabq", **options)


def test_classify_reads_these_frames_and_another_operator():
    frame = score_instrument(
        long([[1.85] * 10], "HSCL-10").assign(value=[2, 2, 2, 2, 2, 2, 2, 2, 1, 1]), "hscl-10"
    ).frame
    assert classify(frame, "HSCL-10", "distressed").tolist() == [False]
    exact = pd.DataFrame({"hscl_25": [1.75, 1.76]})
    assert classify(exact, "HSCL-25", "distressed").tolist() == [False, True]
    assert classify(exact, "HSCL-25", "distressed", operator=">=").tolist() == [True, True]
    with pytest.raises(ArgumentError, match="`operator` must be one of"):
        classify(exact, "HSCL-25", "distressed", operator="=>")


def test_formulas_of_job_strain():
    # As answered 1 is often. Demands items 1-5, control items 6-11.
    high = [1, 1, 1, 4, 1, 4, 4, 4, 1, 4, 4]  # demands 20 of 20 (mean 4), control 6 of 24 (mean 1)
    even = [2, 2, 2, 3, 2, 2, 2, 2, 3, 2, 2]  # means 3 and 3
    low = [4, 4, 4, 1, 4, 1, 1, 1, 4, 1, 1]  # means 1 and 4
    frame = long([high, even, low], "DCSQ")
    for formula in ("quadrants", "ratio", "difference"):
        found = job_strain(frame, wave="M0", formula=formula).frame
        assert found["ratio"].tolist() == [4, 1, 0.25]
        assert found["difference"].tolist() == [3, 0, -3]
        assert found["strain"].tolist() == [True, False, False]
    turned = job_strain(frame, wave="M0", formula="ratio", reversals="none").frame
    assert turned["strain"].tolist() == [False, 11 / 5 > 13 / 6, True]
    with pytest.raises(ArgumentError, match="`formula` must be one of"):
        job_strain(frame, wave="M0", formula="product")


EVIDENCE = {
    "FABQ-PA": "FABQ-PA",
    "FABQ-W": "FABQ-W",
    "DCSQ": "DCSQ-DEMANDS",
    "Belief in own improvement": "BELIEF",
    "Job satisfaction": "JOB-SATISFACTION",
    "Work-status question": "WORK-STATUS-FIT",
    "ARR-registrering": "ARR-REGISTRATION",
    "VAS pain": "PAIN-VAS",
    "VAS severity of other complaints": "VAS-COMPLAINTS",
    "OMPQ pain": "OMPQ-PAIN",
    "OMPQ fear": "OMPQ-FEAR",
    "OMPQ screening": "OMPQ",
    "Tampa Scale": "TAMPA",
    "DASH": "DASH",
    "Roland": "RMDQ",
    "Oswestry": "OSWESTRY",
    "Pain scale 1-10": "PAIN-NRS-1-10",
    "LBP Rating Scale": "LBP-RATING",
    "Numeric pain scale": "PAIN-NRS",
    "15D": "15D",
    "SF-36": "SF-36-MH",
    "Medical Outcomes Study Short Form": "MOS-SF",
    "HADS depression": "HADS-D",
    "HADS anxiety": "HADS-A",
    "Hospital and Anxiety Rating Scale": "HOSPITAL-ANXIETY-RATING",
    "Quality of Life Inventory": "QOLI",
    "SHC": "SHC",
    "Copenhagen Neck": "CNFDS",
    "Multidimensional Pain Inventory": "MPI-PAIN",
    "BDI": "BDI",
    "Disability Rating Index": "DRI",
    "SCL-90": "SCL-90",
    "Symptom Check List 92": "SCL-92",
    "Hamilton": "HAM-D",
    "Expectations regarding work resumption": "RTW-EXPECTATIONS",
    "HSCL-25": "HSCL-25",
    "HSCL-10": "HSCL-10",
    "MCQ-30": "MCQ-30",
    "QPSNordic": "QPSNORDIC",
    "IPAQ": "IPAQ",
    "Perceived Competence": "PCS",
    "Basic Psychological Needs": "BPNES",
    "Treatment Self-Regulation": "TSRQ",
    "Prognosis screening": "PROGNOSIS-SCREENING",
    "RPAQ": "RPAQ",
    "EPIC-PAQ": "EPIC-PAQ",
    "ISIVET": "ISIVET",
    "Øyeflaten 2016 measures": "OYEFLATEN-MEASURES",
    "OMPSQ short form": "OMPSQ-SF",
    "WAI": "WAI",
    "WAS": "WAS",
    "RTW-SE, 11 items": "RTW-SE-11",
    "RTW-SE, 19 items": "RTW-SE-19",
    "RTW expectancy": "RTW-EXPECTANCY",
}
"""Scales that the return-to-work literature at hand names -> declared name; job strain is a function."""


@pytest.mark.parametrize("name", EVIDENCE.values(), ids=EVIDENCE.keys())
def test_every_scale_of_the_literature_is_declared(name):
    table = instrument_catalogue().set_index("name")
    assert name in table.index
    assert table.loc[name, "label"]


def test_the_catalogue():
    table = instrument_catalogue()
    assert table["name"].is_unique
    assert set(table["name"]) == set(INSTRUMENTS) | set(NAMED)
    assert not set(INSTRUMENTS) & set(NAMED)
    assert table.notna().all(axis=None)
    row = table.set_index("name").loc["FABQ-W"]
    assert (row["score_range"], row["items"], row["scored"]) == ("0 to 42", "6, 7, 9, 10, 11, 12, 15", "yes")
    assert table.set_index("name").loc["HADS-A", "missing_rule"] == "mean of the others once 4 are answered"
    assert table.set_index("name").loc["HADS-A", "alpha"].startswith("0.80 (n = 51,930; ")
    for name in NAMED:
        with pytest.raises(ArgumentError, match="cannot be scored: the sources at hand"):
            get_instrument(name)


def test_options_concern_instruments_that_exist():
    known = set(INSTRUMENTS) | {scale.family for scale in INSTRUMENTS.values()}
    for option in OPTIONS:
        assert set(option.instruments) <= known
        assert option.choices
        assert option.why


def test_the_example_of_the_docstring():
    module = sys.modules["rtwcohort.instruments.score_instrument"]
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed
