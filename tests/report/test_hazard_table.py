from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.report.forest_figure import forest_figure, forest_rows
from rtwcohort.report.hazard_table import REFERENCE, hazard_ratio_table, term_label

ARM = SimpleNamespace(name="arm", label="Arm", kind="categorical", unit="")
AGE = SimpleNamespace(name="age", label="Age", kind="numeric", unit="years")


def tidy(*rows: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"term": t, "estimate": b, "std_error": s, "statistic": b / s, "p_value": 0.02,
             "conf_low": b - 1.96 * s, "conf_high": b + 1.96 * s}
            for t, b, s in rows
        ]
    )  # fmt: skip


def cohort(counts: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Arm -> (people, events)."""
    rows = [(arm, i < events) for arm, (n, events) in counts.items() for i in range(n)]
    frame = pd.DataFrame(rows, columns=["arm", "event"])
    frame["arm"] = pd.Categorical(frame["arm"], list(counts))
    frame["age"] = np.linspace(20, 60, len(frame))
    return frame


def test_both_models_stand_side_by_side_with_people_and_events() -> None:
    fit = SimpleNamespace(tidy=lambda: tidy(("arm: visit", math.log(2), 0.1), ("age", 0.01, 0.005)), n=100, n_events=60)
    table = hazard_ratio_table(
        cohort({"ordinary": (50, 20), "visit": (50, 40)}),
        [ARM, AGE],
        univariable={"arm": tidy(("arm: visit", math.log(1.5), 0.1)), "age": tidy(("age", 0.02, 0.005))},
        multivariable=fit,
        scale={"age": 10},
    )
    assert table.display.to_numpy().tolist() == [
        ["Arm", "", "", "", "", "", ""],
        ["ordinary", "50", "20", REFERENCE, "", REFERENCE, ""],
        ["visit", "50", "40", "1.50 (1.23 to 1.82)", "0.020", "2.00 (1.64 to 2.43)", "0.020"],
        ["Age, per 10 years", "100", "60", "1.22 (1.11 to 1.35)", "0.020", "1.11 (1.00 to 1.22)", "0.020"],
    ]
    assert table.notes[1] == "Multivariable: 100 people, 60 events."
    assert table.raw.loc[2, "univariable_hr"] == pytest.approx(math.exp(0.2), abs=1e-4)
    assert "1.50 (1.23 to 1.82)" in table.to_html()


def test_the_reference_can_be_chosen_and_comes_first() -> None:
    table = hazard_ratio_table(
        cohort({"ordinary": (50, 20), "visit": (50, 40)}),
        [ARM],
        univariable={"arm": tidy(("arm: ordinary", -0.4, 0.1))},
        reference={"arm": "visit"},
    )
    assert table.display.iloc[1].tolist() == ["visit", "50", "40", REFERENCE, ""]
    with pytest.raises(ArgumentError, match="reference"):
        hazard_ratio_table(cohort({"a": (9, 5)}), [ARM], univariable={}, reference={"arm": "b"})


def test_a_category_of_few_events_has_no_hazard_ratio_and_its_count_cannot_be_found() -> None:
    frame = cohort({"ordinary": (50, 20), "visit": (50, 40), "other": (40, 3)})
    fit = tidy(("arm: visit", 0.5, 0.1), ("arm: other", -2.0, 0.6))
    table = hazard_ratio_table(frame, [ARM], univariable={"arm": fit}, multivariable=fit)
    by_level = table.display.set_index("Predictor")
    assert by_level.loc["other"].tolist() == ["40", "<5", "[c]", "[c]", "[c]", "[c]"]
    assert by_level.loc["visit"].iloc[2] == "1.65 (1.36 to 2.01)"
    assert "[c]" in by_level["Returned"].drop("other").tolist()
    assert table.raw.set_index("level").loc["other", ["univariable_hr", "multivariable_p_value"]].isna().all()
    rows = forest_rows(table)
    assert rows.set_index(rows["label"].str.strip()).loc["other", "text"] == "[c]"


def test_a_reference_of_few_people_takes_the_whole_variable_with_it() -> None:
    frame = cohort({"ordinary": (3, 2), "visit": (50, 40), "other": (40, 30)})
    table = hazard_ratio_table(
        frame, [ARM], univariable={"arm": tidy(("arm: visit", 0.5, 0.1), ("arm: other", 0.1, 0.1))}
    )
    assert table.display["HR (95 % CI)"].tolist() == ["", REFERENCE, "[c]", "[c]"]


def test_the_number_in_the_model_is_withheld_when_it_tells_how_few_were_left_out() -> None:
    frame = cohort({"ordinary": (50, 20), "visit": (50, 40)})
    fit = SimpleNamespace(tidy=lambda: tidy(("arm: visit", 0.5, 0.1)), n=98, n_events=58)
    table = hazard_ratio_table(frame, [ARM], univariable={}, multivariable=fit)
    assert "98" not in " ".join(table.notes)
    assert "withheld" in table.notes[1]


def test_terms_that_are_no_level_come_last_instead_of_vanishing() -> None:
    frame = cohort({"ordinary": (50, 20), "visit": (50, 40)})
    fit = tidy(("arm: visit", 0.5, 0.1), ("arm: visit x age", 0.1, 0.1))
    table = hazard_ratio_table(frame, [ARM], univariable={}, multivariable=fit)
    assert table.display.iloc[-1, 0] == "arm: visit x age"
    assert table.display.iloc[-1, 5] == "1.11 (0.91 to 1.34)"


def test_an_infinite_estimate_is_not_estimable() -> None:
    frame = cohort({"ordinary": (50, 20), "visit": (50, 40)})
    fit = tidy(("arm: visit", 0.5, 0.1)).assign(estimate=math.inf, conf_low=-math.inf, conf_high=math.inf)
    table = hazard_ratio_table(frame, [ARM], univariable={"arm": fit})
    assert table.display.iloc[2].tolist()[3:] == ["not estimable", ""]


def test_labels_say_what_a_step_is() -> None:
    points = SimpleNamespace(label="FABQ", unit="points")
    assert term_label(AGE, 10) == "Age, per 10 years"
    assert term_label(AGE) == "Age, per year"
    assert term_label(points, 2.5) == "FABQ, per 2.5 points"
    assert term_label(SimpleNamespace(label="Score", unit="")) == "Score, per unit"


def test_the_forest_figure_draws_every_kind_of_row() -> None:
    rows = pd.DataFrame(
        {
            "label": ["Arm", "  ordinary", "  visit", "A very long label that has to be broken into several lines"],
            "estimate": [math.nan, math.nan, 1.5, 3.0],
            "conf_low": [math.nan, math.nan, 1.2, 0.001],
            "conf_high": [math.nan, math.nan, 1.9, math.inf],
            "text": ["", REFERENCE, "", ""],
        }
    )
    figure = forest_figure(rows)
    assert "visit: 1.50 (1.20 to 1.90)" in figure.alt
    assert figure.svg == forest_figure(rows).svg
