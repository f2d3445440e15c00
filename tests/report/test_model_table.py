"""The table of one model: ratios, steps, interactions in words, and nothing where few people stand behind it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from rtwcohort.report import model_table, term_tests_table
from rtwcohort.report.model_table import term_words


def fit_of(*rows):
    columns = ["term", "estimate", "conf_low", "conf_high", "p_value"]
    return SimpleNamespace(tidy=lambda: pd.DataFrame(rows, columns=columns))


def people(n_visit=40, n_other_status=20):
    arm = np.repeat(["ordinary", "visit"], [60, n_visit])
    outcome = np.zeros(len(arm), dtype=int)
    outcome[:20] = 1
    outcome[60 : 60 + n_other_status] = 1
    return pd.DataFrame({"person_id": np.arange(len(arm)), "arm": arm, "age": 40.0, "outcome": outcome})


FIT = fit_of(
    ("(Intercept)", 1.0, 0.9, 1.1, 0.01),
    ("arm: visit", np.log(2.0), np.log(1.5), np.log(3.0), 0.0004),
    ("age", 0.01, 0.005, 0.015, 0.2),
)


def test_ratios_with_their_steps():
    table = model_table(FIT, people(), key="m", title="T", short="OR", labels={"age": "Age"}, scale={"age": 10})
    assert table.display.to_numpy().tolist() == [
        ["arm: visit", "2.00 (1.50 to 3.00)", "<0.001"],
        ["Age, per 10", "1.11 (1.05 to 1.16)", "0.200"],
    ]
    assert table.raw["estimate"].tolist() == [2.0, round(float(np.exp(0.1)), 4)]
    assert table.raw["p_value"].tolist() == [0.0004, 0.2]


def test_differences_keep_their_intercept():
    table = model_table(FIT, people(), key="m", title="T", short="Days", exponentiate=False)
    assert table.display.iloc[0].tolist() == ["(Intercept)", "1.0 (0.9 to 1.1)", "0.010"]


def test_few_people_or_few_with_another_outcome_are_withheld():
    for frame in (people(n_visit=4), people(n_other_status=3)):
        table = model_table(FIT, frame, key="m", title="T", short="OR")
        assert table.display.iloc[0].tolist() == ["arm: visit", "[c]", "[c]"]
        assert np.isnan(table.raw["estimate"][0])
        assert len(table.audit) == 1
        assert model_table(FIT, frame, key="m", title="T", short="OR", threshold=0).audit.empty


def test_infinite_estimates_are_said():
    fit = fit_of(("arm: visit", np.inf, np.nan, np.nan, np.nan))
    assert "not estimable" in model_table(fit, people(), key="m", title="T", short="OR").display.iloc[0, 1]


def test_interactions_in_words():
    assert term_words("arm: visit x wave: day 90", {"arm": "Arm", "wave": "Visit"}, {}) == "Arm: visit × Visit: day 90"


def test_term_tests():
    tests = pd.DataFrame({"term": ["arm:wave"], "statistic": [5.991], "df": [2], "p_value": [0.05]})
    table = term_tests_table(tests, key="t", title="T", labels={"arm": "Arm", "wave": "Visit"})
    assert table.display.iloc[0].tolist() == ["Arm x Visit", "5.99", "2", "0.050"]
