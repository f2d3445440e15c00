"""Tables of a screening: what was selected, and how much of the fit is optimism."""

import numpy as np
import pandas as pd

from rtwcohort.report import optimism_table, selection_table


def test_selection_in_words():
    terms = pd.DataFrame(
        {
            "term": ["arm", "age"],
            "df": [1, 1],
            "p_value": [0.0002, 0.4],
            "selected": [True, False],
            "frequency": [0.97, np.nan],
        }
    )
    table = selection_table(terms, threshold=0.05, labels={"age": "Age"})
    assert table.display.to_numpy().tolist() == [["arm", "<0.001", "yes", "97\u202f%"], ["Age", "0.400", "no", ""]]
    assert table.title == "Candidates with p below 0.05 alone"


def test_optimism_with_events_per_coefficient():
    performance = pd.DataFrame(
        {
            "model": ["full"],
            "measure": ["calibration_slope"],
            "apparent": [1.0],
            "optimism": [0.07251],
            "corrected": [0.92749],
        }
    )
    events = pd.DataFrame({"model": ["candidates"], "coefficients": [8], "per_coefficient": [83.4]})
    table = optimism_table(performance, events)
    assert table.display.iloc[0].tolist() == ["full: calibration slope", "1.000", "0.073", "0.927"]
    assert "candidates 83." in " ".join(table.notes)
