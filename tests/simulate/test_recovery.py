"""The scenario of the demonstration: what was set is in the outcomes, and what happened is what rules find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rtwcohort.cohort import build_cohort
from rtwcohort.outcomes import RtwRule, return_to_work
from rtwcohort.register.register import Register
from rtwcohort.simulate import load_scenario, simulate_register, true_values
from rtwcohort.simulate.process.states import STATES
from rtwcohort.simulate.registers import draw_slice

HORIZON = 365
DEMO = load_scenario("demo")
LARGE = replace(DEMO, n=20_000)
SEED = 20260
ENDS = ("work", "disability_full", "disability_partial", "dead", "emigrated")
RULE = RtwRule(
    name="four_weeks",
    source="Four weeks without any health-related benefit",
    benefits=("sickness_benefit", "work_assessment_allowance", "disability_pension"),
    length=28,
)


def what_happened(scenario, seed):
    """One row a person: whether on benefit at index, day and cause of what came first, and the covariates."""
    drawn = draw_slice(scenario, seed=seed)
    paths, index = drawn.paths, drawn.people.index
    rows = pd.DataFrame(
        {
            "person": paths.person,
            "day": paths.start - index[paths.person],
            "stop": paths.end - index[paths.person],
            "state": np.asarray(STATES, dtype=object)[paths.state],
        }
    )
    at_index = rows[(rows["day"] <= 0) & (rows["stop"] > 0)].set_index("person")["state"]
    ended = rows[(rows["day"] > 0) & rows["state"].isin(ENDS)].drop_duplicates("person").set_index("person")
    frame = pd.DataFrame(drawn.covariates)
    frame["arm"] = (drawn.people.arm == 1).astype(float)
    frame["person_id"] = scenario.first_id + drawn.people.person
    frame["index_date"] = index.astype("datetime64[D]").astype("datetime64[s]")
    frame["eligible"] = at_index.reindex(frame.index) != "work"
    known = (pd.Timestamp(scenario.data_end) - frame["index_date"]).dt.days + 1
    frame["known"] = known
    frame["time"] = ended["day"].reindex(frame.index).fillna(known).astype(int)
    frame["cause"] = ended["state"].reindex(frame.index).fillna("end_of_data")
    return frame


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


def z_scores(frame, truth):
    """Distance of the estimated log hazard ratios of return from those in `truth`, in standard errors."""
    frame = frame[frame["eligible"]]
    time = np.minimum(frame["time"], HORIZON).to_numpy()
    event = ((frame["cause"] == "work") & (frame["time"] <= HORIZON)).to_numpy()
    assert event.sum() > 9000
    names, values, units = zip(*truth, strict=True)
    x = frame[list(names)].to_numpy() / np.asarray(units)
    beta, se = newton_cox(time, event, x - x.mean(axis=0))
    return (beta - np.asarray(values)) / se


def declared(scenario):
    """Return (covariate, log hazard ratio, units) of the effects on return."""
    return [
        ("arm", scenario.process.arm_effects[0].log_hr, 1.0),
        *((item.term, item.log_hr, item.per) for item in scenario.process.effects if item.on == "return"),
    ]


def test_the_truth_is_the_one_that_the_demonstration_promises():
    table = true_values(DEMO)
    table = table[table["outcome"] == "return"].set_index("term")["value"]
    assert table.to_dict() == {
        "arm[workplace_visit]": 0.40,
        "age/10": -0.15,
        "sex=male": 0.10,
        "fabq_w/10": -0.20,
        "belief": 0.50,
        "days_on_benefit/100": -0.20,
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_set_hazard_ratios_are_in_the_outcomes(seed):
    z = z_scores(what_happened(LARGE, seed), declared(LARGE))
    assert np.abs(z).max() < 3.2
    assert np.sum(z**2) < 18.5  # 0.995 quantile of chi-square with 6 degrees of freedom


def test_the_recovery_test_can_fail():
    wrong = [("arm", 0.25, 1.0), *declared(LARGE)[1:]]
    assert np.abs(z_scores(what_happened(LARGE, 1), wrong)).max() > 5.0


def test_the_base_hazard_has_the_declared_pieces():
    flat = replace(LARGE, process=replace(LARGE.process, effects=(), arm_effects=()), answers=None)
    truth = what_happened(flat, 5).query("eligible")
    time, returned = truth["time"].to_numpy(), (truth["cause"] == "work").to_numpy()
    pieces = LARGE.process.transitions[0].per_day
    assert LARGE.process.transitions[0].group == "return"
    for (start, rate), (stop, _) in zip(pieces, [*pieces[1:], (500, 0.0)], strict=True):
        # Days at risk in continuous time: a whole day for survivors of the day, half a day for the others.
        at_risk = np.clip(time - start, 0, stop - start) - 0.5 * ((time > start) & (time <= stop))
        events = np.sum(returned & (time > start) & (time <= stop))
        assert events / at_risk.sum() == pytest.approx(rate, abs=3.5 * rate / np.sqrt(events))


def test_competing_events_come_at_the_set_rates():
    flat = replace(LARGE, n=40_000, process=replace(LARGE.process, effects=(), arm_effects=()), answers=None)
    truth = what_happened(flat, 8).query("eligible")
    days = (truth["time"] - 0.5).sum()
    for cause, rate in (
        ("disability_full", 0.00011),
        ("disability_partial", 0.000027),
        ("dead", 0.0000164),
        ("emigrated", 0.0000164),
    ):
        events = (truth["cause"] == cause).sum()
        assert events / days == pytest.approx(rate, abs=3.5 * rate / np.sqrt(events)), cause


@pytest.fixture(scope="module")
def register():
    return Register(**simulate_register(DEMO, seed=SEED), data_end=pd.Timestamp(DEMO.data_end))


@pytest.fixture(scope="module")
def truth():
    return what_happened(DEMO, SEED).set_index("person_id")


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


def test_a_count_by_hand_finds_exactly_the_returns(register, truth):
    found = returns_by_hand(register.tables(), DEMO.data_end)
    ours = truth[truth["eligible"]]
    confirmed = ours[(ours["cause"] == "work") & (ours["time"] + 28 <= ours["known"])]
    assert len(confirmed) > 800
    # Nobody gets well from a disability pension, so what came first is the return or there is none.
    assert {p: t for p, t in found.items() if p in set(ours.index)} == confirmed["time"].to_dict()


def test_a_rule_over_all_health_related_benefits_finds_the_true_returns(register, truth):
    found = return_to_work(register, RULE, horizon=HORIZON).frame.set_index("person_id")
    ours = truth[truth["eligible"]]
    confirmed = (ours["cause"] == "work") & (ours["time"] <= HORIZON) & (ours["time"] + 28 <= ours["known"])
    both = found.loc[ours.index]
    assert both["event"].astype(bool).tolist() == confirmed.tolist()
    assert both.loc[confirmed, "time"].tolist() == ours.loc[confirmed, "time"].tolist()
    assert confirmed.sum() > 700


def test_a_rule_over_sickness_benefit_alone_takes_the_allowance_for_a_return(register, truth):
    ours = truth[truth["eligible"]]
    found = return_to_work(register, "gismervik_2020", horizon=HORIZON).frame.set_index("person_id").loc[ours.index]
    returned = ((ours["cause"] == "work") & (ours["time"] <= HORIZON)).sum()
    assert found["event"].sum() > returned + 300


def test_people_enrolled_without_a_benefit_return_on_the_index_date(register, truth):
    found = return_to_work(register, "skagseth_2020_pa", horizon=HORIZON).frame.set_index("person_id")
    without = found.loc[truth.index[~truth["eligible"]]]
    assert (without["time"] == 0).mean() > 0.9  # a new absence in the first month is no return
    assert len(without) == pytest.approx(DEMO.n * DEMO.population.enrolled_without_benefit, abs=20)


def test_the_allowance_begins_the_day_after_the_last_sickness_benefit(register):
    allowance = register.benefits.query("benefit == 'work_assessment_allowance'")
    first = allowance.drop_duplicates("person_id")
    sickness = register.benefits.query("benefit == 'sickness_benefit'")
    before = first.assign(end=first["start"] - pd.Timedelta(days=1))[["person_id", "end"]]
    assert len(before.merge(sickness, on=["person_id", "end"])) == len(first) > 500


def test_the_cohort_measures_the_covariates_that_the_hazards_used(register, truth):
    cohort = build_cohort(
        register,
        covariates={
            "fabq_w": {"from": "questionnaire", "instrument": "FABQ-W", "wave": "M0"},
            "belief": {"from": "questionnaire", "instrument": "BELIEF", "wave": "M0"},
            "days_on_benefit": {"from": "history", "measure": "days_on_benefit", "years": 2},
        },
    )
    found = cohort.frame.set_index("person_id")
    ours = truth[truth["eligible"]]
    found = found.loc[ours.index]
    for name in ("fabq_w", "belief", "days_on_benefit"):
        known = found[name].notna()
        assert known.mean() > 0.9
        assert found.loc[known, name].tolist() == pytest.approx(ours.loc[known, name].tolist())
