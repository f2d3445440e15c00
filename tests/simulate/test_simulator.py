"""The simulated register against what it was told: hazard ratios, hazards, counts, dates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.simulate import Effect, Scenario, simulate_register, true_outcomes, true_values

HORIZON = 365
LARGE = Scenario(n=20_000, waves=())


def newton_cox(time, event, x, steps=8):
    """Breslow's partial likelihood by Newton steps, written with cumulative sums from the last day back."""
    order = np.argsort(-time, kind="stable")
    time, event, x = time[order], event[order], x[order]
    last = np.searchsorted(-time, -time, side="right") - 1  # last row still at risk on the row's day
    beta = np.zeros(x.shape[1])
    for _ in range(steps):
        w = np.exp(x @ beta)
        s0 = np.cumsum(w)[last]
        s1 = np.cumsum(w[:, None] * x, axis=0)[last]
        s2 = np.cumsum(w[:, None, None] * x[:, :, None] * x[:, None, :], axis=0)[last]
        mean = s1 / s0[:, None]
        score = ((x - mean) * event[:, None]).sum(axis=0)
        information = ((s2 / s0[:, None, None] - mean[:, :, None] * mean[:, None, :]) * event[:, None, None]).sum(0)
        beta = beta + np.linalg.solve(information, score)
    return beta, np.sqrt(np.diag(np.linalg.inv(information)))


def returns_by_hand(tables, data_end, length=28):
    """First day of the first `length` days in a row without any benefit, from the index date on, day by day."""
    end = (pd.Timestamp(data_end) - pd.Timestamp("1970-01-01")).days
    persons = tables["persons"].set_index("person_id")
    paid = {person: set() for person in persons.index}
    for row in tables["benefits"].itertuples():
        stop = end if pd.isna(row.end) else (row.end - pd.Timestamp("1970-01-01")).days
        paid[row.person_id].update(range((row.start - pd.Timestamp("1970-01-01")).days, stop + 1))
    gone = persons[["death_date", "emigration_date"]].min(axis=1)
    found = {}
    for person, index_date in tables["enrolment"][["person_id", "index_date"]].itertuples(index=False):
        index = (index_date - pd.Timestamp("1970-01-01")).days
        stop = min(end, (gone[person] - pd.Timestamp("1970-01-01")).days - 1) if pd.notna(gone[person]) else end
        free = 0
        for day in range(index, stop + 1):
            free = 0 if day in paid[person] else free + 1
            if free == length:
                found[person] = day - length + 1 - index
                break
    return found


def test_the_register_shows_exactly_the_returns_that_happened():
    scenario = Scenario(n=600, waves=(), without_benefit=0.05)
    tables = simulate_register(scenario, seed=3)
    found = returns_by_hand(tables, scenario.data_end)
    truth = true_outcomes(scenario, seed=3)
    truth = truth[truth["eligible"]]
    days_known = (pd.Timestamp(scenario.data_end) - truth["index_date"]).dt.days + 1
    confirmed = truth[(truth["cause"] == "return") & (truth["time"] + 28 <= days_known)]
    assert len(confirmed) > 300
    eligible = set(truth["person_id"])
    assert {p: t for p, t in found.items() if p in eligible} == dict(
        zip(confirmed["person_id"], confirmed["time"], strict=True)
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_declared_hazard_ratios_are_in_the_outcomes(seed):
    truth = true_outcomes(LARGE, seed=seed)
    expected = true_values(LARGE)
    time = np.minimum(truth["time"], HORIZON).to_numpy()
    event = ((truth["cause"] == "return") & (truth["time"] <= HORIZON)).to_numpy()
    assert event.sum() > 9000
    x = truth[list(expected["term"])].to_numpy() / expected["per"].to_numpy()
    beta, se = newton_cox(time, event, x - x.mean(axis=0))
    z = (beta - expected["log_hr"].to_numpy()) / se
    assert np.abs(z).max() < 3.0, dict(zip(expected["term"], z.round(2), strict=True))
    assert np.sum(z**2) < 18.5  # 0.995 quantile of chi-square with 6 degrees of freedom


def test_the_recovery_test_can_fail():
    truth = true_outcomes(LARGE, seed=1)
    wrong = dataclasses.replace(LARGE, effects=(*LARGE.effects[1:], Effect(term="arm", log_hr=0.25)))
    expected = true_values(wrong)
    time = np.minimum(truth["time"], HORIZON).to_numpy()
    event = ((truth["cause"] == "return") & (truth["time"] <= HORIZON)).to_numpy()
    x = truth[list(expected["term"])].to_numpy() / expected["per"].to_numpy()
    beta, se = newton_cox(time, event, x - x.mean(axis=0))
    assert np.abs((beta - expected["log_hr"].to_numpy()) / se).max() > 5.0


def test_the_baseline_hazard_has_the_declared_pieces():
    scenario = dataclasses.replace(LARGE, effects=(), n=40_000)
    truth = true_outcomes(scenario, seed=5)
    time = truth["time"].to_numpy()
    returned = (truth["cause"] == "return").to_numpy()
    starts = [start for start, _ in scenario.return_hazard] + [500]
    for (start, rate), stop in zip(scenario.return_hazard, starts[1:], strict=True):
        # Days at risk in continuous time: a whole day for survivors of the day, half a day for the others.
        at_risk = np.clip(time - start, 0, stop - start) - 0.5 * ((time > start) & (time <= stop))
        events = np.sum(returned & (time > start) & (time <= stop))
        assert events / at_risk.sum() == pytest.approx(rate, abs=3.5 * rate / np.sqrt(events))


def test_competing_events_come_at_the_declared_rates():
    truth = true_outcomes(dataclasses.replace(LARGE, disability_age=0.0, death_age=0.0, n=60_000), seed=8)
    years = (truth["time"] - 0.5).sum() / 365.25
    for cause, rate in (("disability_pension", 0.05), ("death", 0.006), ("emigration", 0.006)):
        events = (truth["cause"] == cause).sum()
        assert events / years == pytest.approx(rate, abs=3.5 * rate / np.sqrt(events))


def test_an_effect_of_graded_sick_leave_can_be_declared():
    scenario = dataclasses.replace(LARGE, effects=(Effect(term="graded", log_hr=-0.3),))
    truth = true_outcomes(scenario, seed=4)
    beta, se = newton_cox(
        np.minimum(truth["time"], HORIZON).to_numpy(),
        ((truth["cause"] == "return") & (truth["time"] <= HORIZON)).to_numpy(),
        truth[["graded"]].to_numpy(),
    )
    assert abs(beta[0] + 0.3) < 3 * se[0]


@pytest.fixture(scope="module")
def tables():
    return simulate_register(Scenario(n=3000), seed=11)


def test_the_tables_have_the_columns_of_the_register(tables):
    assert {name: list(frame.columns) for name, frame in tables.items()} == {
        "persons": [
            "person_id",
            "sex",
            "birth_date",
            "education",
            "marital_status",
            "municipality",
            "sector",
            "occupation",
            "income",
            "death_date",
            "emigration_date",
        ],
        "benefits": ["person_id", "benefit", "start", "end", "grade", "diagnosis", "employer_id"],
        "employment": ["person_id", "start", "end", "position", "employer_id"],
        "enrolment": ["person_id", "index_date", "arm", "cluster", "programme"],
        "questionnaires": ["person_id", "wave", "answered_on", "instrument", "item", "value"],
    }
    for frame in tables.values():
        assert frame["person_id"].dtype == "int64"
        assert isinstance(frame.index, pd.RangeIndex)
        for name in frame.columns[frame.columns.str.contains("date|start|end|answered_on")]:
            assert frame[name].dtype == "datetime64[s]", name


def test_dates_are_consistent(tables):
    benefits = tables["benefits"].merge(tables["persons"], on="person_id", validate="many_to_one")
    assert len(benefits) == len(tables["benefits"])
    data_end = pd.Timestamp("2022-12-31")
    end = benefits["end"].fillna(data_end)
    assert (benefits["start"] <= end).all()
    assert (benefits["start"] > benefits["birth_date"] + pd.Timedelta(days=15 * 365)).all()
    assert (end <= data_end).all()
    for column in ("death_date", "emigration_date"):
        assert not (end >= benefits[column]).any()
        assert not (tables["persons"][column] > data_end).any()
    assert benefits["grade"].between(20, 100).all()
    overlap = benefits.sort_values(["person_id", "start"]).assign(end=end)
    before = overlap.groupby("person_id")["end"].shift()
    assert not (overlap["start"] <= before).any()
    answers = tables["questionnaires"].merge(tables["persons"], on="person_id")
    assert not (answers["answered_on"] >= answers["death_date"]).any()
    assert (answers["answered_on"] <= data_end).all()
    jobs = tables["employment"]
    assert (jobs["start"] <= jobs["end"].fillna(data_end)).all()


def test_everybody_is_on_sickness_benefit_on_the_index_date(tables):
    benefits = tables["benefits"].merge(tables["enrolment"], on="person_id")
    covers = (benefits["start"] <= benefits["index_date"]) & (benefits["end"] >= benefits["index_date"])
    assert benefits.loc[covers, "person_id"].nunique() == 3000
    assert set(benefits.loc[covers, "benefit"]) == {"sickness_benefit"}


def test_sickness_benefit_lasts_a_year_at_most_and_goes_over_to_the_allowance_without_a_gap(tables):
    allowance = tables["benefits"].query("benefit == 'work_assessment_allowance'")
    sickness = tables["benefits"].query("benefit == 'sickness_benefit'")
    day_before = allowance["start"] - pd.Timedelta(days=1)
    before = allowance.assign(end=day_before)[["person_id", "end"]].merge(sickness, on=["person_id", "end"])
    assert len(before) == len(allowance) > 500


def test_the_history_counts_as_a_naive_count_does():
    scenario = Scenario(n=300, waves=())
    tables, truth = simulate_register(scenario, seed=2), true_outcomes(scenario, seed=2)
    spells = dict(list(tables["benefits"].groupby("person_id")))
    for person, index_date, counted in truth[["person_id", "index_date", "days_on_benefit"]].itertuples(index=False):
        days = set()
        for row in spells[person].itertuples():
            days.update(pd.date_range(row.start, row.end if pd.notna(row.end) else index_date))
        window = set(pd.date_range(index_date - pd.DateOffset(years=2), index_date - pd.Timedelta(days=1)))
        assert len(days & window) == counted


def test_shares_are_the_declared_ones(tables):
    persons = tables["persons"]
    assert (persons["sex"] == "female").mean() == pytest.approx(0.55, abs=0.03)
    assert (persons["education"] == "upper_secondary_vocational").mean() == pytest.approx(67 / 102, abs=0.03)
    assert (tables["enrolment"]["arm"] == "workplace_visit").mean() == pytest.approx(0.5, abs=0.03)
    assert (tables["employment"]["position"] == 100).mean() == pytest.approx(0.67, abs=0.03)
    current = tables["benefits"].merge(tables["enrolment"], on="person_id")
    current = current[(current["start"] <= current["index_date"]) & (current["end"] >= current["index_date"])]
    chapter = current["diagnosis"].str[0].value_counts(normalize=True)
    assert chapter["L"] == pytest.approx(0.37, abs=0.03)
    assert chapter["P"] == pytest.approx(0.23, abs=0.03)
    assert chapter["R"] == pytest.approx(0.06, abs=0.02)
    reduced = tables["benefits"].query("benefit == 'sickness_benefit' and grade < 100")
    assert 0.45 < (reduced["grade"] == 50).mean() < 0.65


def test_questionnaire_scores_follow_from_the_items(tables):
    scenario = dataclasses.replace(
        Scenario(n=3000), item_missing=0.0, waves=(dataclasses.replace(Scenario().waves[0], response=1.0),)
    )
    answers = simulate_register(scenario, seed=11)["questionnaires"]
    truth = true_outcomes(scenario, seed=11).set_index("person_id")
    work = answers[(answers["instrument"] == "FABQ-W") & answers["item"].isin(["6", "7", "9", "10", "11", "12", "15"])]
    total = work.groupby("person_id")["value"].sum()
    pd.testing.assert_series_equal(total, truth["fabq_work"], check_names=False)
    belief = answers[answers["instrument"] == "BELIEF"].groupby("person_id")["value"].mean()
    assert np.allclose(belief, truth["belief"])
    assert total.std() > 5
    assert belief.corr(total) < -0.05


def test_waves_and_items_go_missing(tables):
    answers = tables["questionnaires"]
    responders = answers.groupby("wave")["person_id"].nunique() / 3000
    assert responders["M0"] == pytest.approx(0.97, abs=0.02)
    assert responders["M12"] == pytest.approx(0.75, abs=0.04)
    items = answers[answers["wave"] == "M0"].groupby("person_id").size()
    assert items.max() == 45
    assert (items < 45).mean() == pytest.approx(1 - 0.995**45, abs=0.04)


def test_equal_seeds_give_equal_tables_and_other_seeds_do_not(tables):
    again = simulate_register(Scenario(n=3000), seed=11)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, again[name])
    other = simulate_register(Scenario(n=3000), seed=12)
    assert not tables["benefits"].equals(other["benefits"])


def test_a_bad_seed_is_refused():
    with pytest.raises(ArgumentError, match="`seed` must be a whole number of at least 0; got -1"):
        simulate_register(Scenario(n=10), seed=-1)
