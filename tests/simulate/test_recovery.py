"""The packaged register through the package's own rules: what happened is what is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rtwcohort.cohort import build_cohort
from rtwcohort.outcomes import RtwRule, return_to_work
from rtwcohort.register.register import Register
from rtwcohort.simulate import simulate_register, true_outcomes
from rtwcohort.simulate.synthetic_data import SCENARIO, SEED

HORIZON = 365


@pytest.fixture(scope="module")
def register():
    return Register(**simulate_register(SCENARIO, seed=SEED), data_end=pd.Timestamp(SCENARIO.data_end))


def expected(days_to_confirm):
    """Time and cause from the truth, cut at the horizon and, for returns that are not confirmed, at the data's end."""
    truth = true_outcomes(SCENARIO, seed=SEED)
    truth = truth[truth["eligible"]].set_index("person_id")
    known = (pd.Timestamp(SCENARIO.data_end) - truth["index_date"]).dt.days + 1
    open_end = (truth["cause"] == "return") & (truth["time"] + days_to_confirm > known)
    late = (truth["time"] > HORIZON) | open_end
    return pd.DataFrame(
        {
            "time": truth["time"].mask(late, np.minimum(HORIZON, known)),
            "cause": truth["cause"].mask(late, np.where(known >= HORIZON, "horizon", "end_of_data")),
        }
    )


FOUR_WEEKS = RtwRule(
    name="four_weeks",
    source="Four weeks without any health-related benefit",
    benefits=("sickness_benefit", "work_assessment_allowance", "disability_pension"),
    length=28,
)


def test_a_rule_over_all_health_related_benefits_finds_the_true_returns(register):
    found = return_to_work(register, FOUR_WEEKS, horizon=HORIZON).frame.set_index("person_id")
    truth = expected(28)
    both = found.loc[truth.index]
    assert both["time"].tolist() == truth["time"].tolist()
    assert both["cause"].tolist() == truth["cause"].tolist()
    assert both["event"].sum() > 700


def test_a_rule_over_sickness_benefit_alone_takes_the_allowance_for_a_return(register):
    truth = expected(28)
    found = return_to_work(register, "gismervik_2020", horizon=HORIZON).frame.set_index("person_id").loc[truth.index]
    assert found["event"].sum() > (truth["cause"] == "return").sum() + 300


def test_people_enrolled_without_a_benefit_return_on_the_index_date(register):
    found = return_to_work(register, "skagseth_2020_pa", horizon=HORIZON).frame.set_index("person_id")
    truth = true_outcomes(SCENARIO, seed=SEED).set_index("person_id")
    without = found.loc[truth.index[~truth["eligible"]]]
    assert (without["time"] == 0).all()
    assert len(without) == pytest.approx(SCENARIO.n * SCENARIO.without_benefit, abs=20)


def test_the_cohort_measures_the_covariates_that_the_hazards_used(register):
    cohort = build_cohort(
        register,
        covariates={
            "fabq_work": {"from": "questionnaire", "instrument": "FABQ-W", "wave": "M0"},
            "belief": {"from": "questionnaire", "instrument": "BELIEF", "wave": "M0"},
            "days_on_benefit": {"from": "history", "measure": "days_on_benefit", "years": 2},
        },
    )
    truth = true_outcomes(SCENARIO, seed=SEED).set_index("person_id")
    found = cohort.frame.set_index("person_id")
    truth, found = truth[truth["eligible"]], found.loc[truth.index[truth["eligible"]]]
    for name in ("fabq_work", "belief", "days_on_benefit"):
        known = found[name].notna()
        assert known.mean() > 0.9
        assert found.loc[known, name].tolist() == pytest.approx(truth.loc[known, name].tolist())
