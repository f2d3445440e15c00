from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from rtwcohort.report.register_tables import (
    check_table,
    cleaning_table,
    count_text,
    counted_sentences,
    inputs_table,
    provenance_table,
)


def test_counts_of_faults_are_withheld_one_by_one() -> None:
    counts = pd.DataFrame(
        [("benefits", "overlap", 214, 4, "Spells overlap", "kept"), ("persons", "twice", 0, 0, "Twice", "first kept")],
        columns=["table", "fault", "n_rows", "n_persons", "meaning", "action"],
    )
    table = check_table(counts)
    assert table.display.to_numpy().tolist() == [
        ["benefits", "Spells overlap", "214", "<5", "kept"],
        ["persons", "Twice", "0", "0", "first kept"],
    ]
    assert table.raw["n_persons"].isna().tolist() == [True, False]
    assert table.raw["withheld"].tolist() == ["n_persons", ""]
    assert len(table.audit) == 1
    assert check_table(counts, threshold=0).display["People"].tolist() == ["4", "0"]


def test_cleaning_steps() -> None:
    steps = [SimpleNamespace(table="benefits", fault="end_before_start", action="left out", n_rows=12, n_dropped=12)]
    table = cleaning_table(steps)
    assert table.display.iloc[0].tolist() == ["benefits", "end before start", "left out", "12", "12"]
    assert "Nothing to show." in cleaning_table([]).to_html()


def test_inputs_are_rounded_and_hashes_are_whole_in_the_file() -> None:
    inputs = pd.DataFrame({"table": ["persons"], "file": ["p.csv"], "rows": [412], "sha256": ["ab" * 32]})
    table = inputs_table(inputs)
    assert table.display.iloc[0].tolist() == ["persons", "p.csv", "410", "abababababab…"]
    assert "ab" * 32 in table.to_csv()
    assert inputs_table(inputs, threshold=0).display["Rows"].tolist() == ["412"]


def test_sentences_with_counts() -> None:
    counted = [SimpleNamespace(text="Ages over 100 set to missing.", n=2), SimpleNamespace(text="Late answers", n=17)]
    assert counted_sentences(counted) == ("Ages over 100 set to missing (<5 people).", "Late answers (17 people).")
    assert (count_text(0), count_text(4), count_text(5)) == ("0", "<5", "5")


def test_provenance_is_name_and_value() -> None:
    assert provenance_table({"rtwcohort": "0.1.0"}).to_csv() == "what,value\nrtwcohort,0.1.0\n"
