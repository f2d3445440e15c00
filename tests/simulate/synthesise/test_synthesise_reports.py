"""Reports that can fail: a copier is caught, a distorted register disagrees, an honest one passes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rtwcohort.register import load_register
from rtwcohort.simulate.registers import simulate_register
from rtwcohort.simulate.scenarios.read import load_scenario
from rtwcohort.simulate.synthesise import privacy_report, utility_report
from rtwcohort.simulate.synthesise.curves import kaplan_meier_at
from rtwcohort.simulate.synthesise.features import describe_people
from rtwcohort.simulate.synthesise.privacy import _auc, half_of
from rtwcohort.simulate.synthesise.utility import propensity_ratio
from rtwcohort.study.fidelity_estimators import FIDELITY_ESTIMATORS


def renumbered(register, share=1.0):
    """Return the tables of a register with new identifiers: a copier that hides its tracks. Of a share of people."""
    ids = register.persons["person_id"].tolist()
    new = {one: 10**9 + k for k, one in enumerate(ids[: round(share * len(ids))])}
    out = {}
    for name, frame in register.tables().items():
        kept = frame[frame["person_id"].isin(new)]
        kept = kept.assign(person_id=kept["person_id"].map(new))
        out[name] = kept.assign(**{c: "new" for c in ("employer_id", "cluster") if c in kept})
    return out


def test_an_honest_copy_passes(copy_of_asked):
    report = copy_of_asked.privacy
    assert report.ok, report.describe()
    assert set(report.frame["attack"]) == {
        "distance",
        "exact rows",
        "exact people",
        "identifiers",
        "membership",
        "rare combinations",
    }


def test_a_copier_is_caught_even_with_new_identifiers(asked):
    report = privacy_report(asked, renumbered(asked), resynthesise=renumbered)
    assert not report.ok
    caught = {name.split(":")[0] for name in report.flagged}
    assert caught >= {"distance", "exact rows", "exact people", "membership"}
    membership = report.frame[report.frame["what"] == "area under the curve"].iloc[0]
    assert membership["value"] > 0.99
    assert membership["low"] > 0.95
    assert "FLAGGED" in report.describe()


def test_identifiers_that_are_carried_over_are_caught(asked):
    tables = {name: frame.copy() for name, frame in asked.tables().items()}
    report = privacy_report(asked, tables)
    assert {"identifiers: person_id carried over", "identifiers: cluster carried over"} <= set(report.flagged)


def test_a_tenth_of_copies_among_new_people_is_caught(asked, copy_of_asked):
    few = renumbered(asked, share=0.1)
    mixed = {name: pd.concat([frame, few[name]], ignore_index=True) for name, frame in copy_of_asked.tables.items()}
    report = privacy_report(asked, mixed)
    assert any(name.startswith("distance: share") for name in report.flagged)
    assert any(name.startswith("exact people") for name in report.flagged)


def test_small_counts_are_hidden(asked, copy_of_asked):
    few = renumbered(asked, share=0.005)
    mixed = {name: pd.concat([frame, few[name]], ignore_index=True) for name, frame in copy_of_asked.tables.items()}
    report = privacy_report(asked, mixed)
    row = report.frame[report.frame["what"] == "all rows of a person"].iloc[0]
    assert np.isnan(row["value"])
    assert row["flagged"]
    assert "all rows of a person: fewer than 10" in report.describe()


def test_the_area_is_the_share_of_pairs_put_right():
    used, other = np.array([0.1, 0.4, 0.2, 0.2]), np.array([0.3, 0.2, 0.5])
    pairs = [1.0 if u < o else 0.5 if u == o else 0.0 for u in used for o in other]
    area, low, high = _auc(used, other)
    assert area == pytest.approx(np.mean(pairs))
    assert low < area < high


def test_kaplan_meier_by_hand():
    time, event = np.array([1.0, 2.0, 2.0, 3.0, 5.0]), np.array([True, True, False, True, False])
    left, error, behind = kaplan_meier_at(time, event, 3)
    # 4/5, then 3/4 (the censored one is still at risk), then 1/2.
    assert left == pytest.approx(0.8 * 0.75 * 0.5)
    assert error == pytest.approx(left * np.sqrt(1 / 20 + 1 / 12 + 1 / 2))
    assert behind == 2


def test_a_register_agrees_with_itself(asked):
    report = utility_report(asked, asked.tables(), estimators=FIDELITY_ESTIMATORS)
    assert report.share_agreeing == 1.0
    assert np.abs(report.frame["difference"]).max() == 0.0
    assert report.score == pytest.approx(0.0, abs=1e-6)
    assert set(report.frame["part"]) >= {"return", "hazard ratios (log)", "rates", "states", "correlations", "answers"}


def test_two_draws_of_one_truth_cannot_be_told_apart_and_two_truths_can(plain):
    scenario = load_scenario(__file__.replace("synthesise/test_synthesise_reports.py", "scenarios/tiny.toml"))
    other = load_register(simulate_register(scenario, n=1000, seed=99), data_end=scenario.data_end)
    half = half_of(plain, set(plain.persons["person_id"].head(1000)))
    one, two = describe_people(half, least=10), describe_people(other, least=10)
    # Two independent samples: twice the expectation for draws from a model fitted to one of them.
    assert propensity_ratio(one, two) == pytest.approx(2.0, abs=1.2)
    older = other.persons.assign(birth_date=other.persons["birth_date"] - pd.Timedelta(days=2000))
    assert propensity_ratio(one, describe_people(replace(other, persons=older), least=10)) > 10.0


def test_a_distorted_register_disagrees(asked):
    later = asked.benefits["start"] > asked.data_end - pd.Timedelta(days=700)
    tables = dict(asked.tables()) | {"benefits": asked.benefits[~later]}
    report = utility_report(asked, tables)
    assert report.share_agreeing < 0.95
    wrong = report.frame[~report.frame["agrees"]]
    assert "rates" in set(wrong["part"])
    assert "differs" in report.describe()


def test_the_copy_says_what_the_register_says(copy_of_asked):
    report = copy_of_asked.utility
    assert report.share_agreeing > 0.85, report.describe()
    ratios = report.frame[report.frame["part"] == "hazard ratios (log)"]
    assert ratios["agrees"].all()
    assert set(ratios["what"]) == {"age", "female", "arm: visit"}
    assert report.score < 10.0


def test_no_figure_rests_on_few_people(asked):
    report = utility_report(asked, asked.tables(), least=10)
    assert report.withheld > 0
    assert not report.frame["what"].str.contains("one_of_a_kind").any()
    shares = report.frame[report.frame["part"].isin(["margins", "states"])]["real"]
    assert ((shares == 1.0) | (shares * 600 > 9.5)).all()
