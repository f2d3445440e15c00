"""Table 1, against counts and p-values worked out separately."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rtwcohort.errors import ArgumentError
from rtwcohort.report.baseline_table import table_one
from rtwcohort.report.numbers import NARROW_SPACE as N

SPACE = "\u00a0"


def variable(name: str, kind: str, label: str = "", unit: str = "") -> SimpleNamespace:
    return SimpleNamespace(name=name, kind=kind, label=label or name.capitalize(), unit=unit)


def people(counts: dict[str, tuple[int, int]], arms=("ordinary", "visit")) -> pd.DataFrame:
    rows = [(arm, level) for level, pair in counts.items() for arm, n in zip(arms, pair, strict=True) for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["arm", "sex"])
    frame["sex"] = pd.Categorical(frame["sex"], [level for level in counts if level != "unknown"])
    frame["arm"] = pd.Categorical(frame["arm"], list(arms))
    return frame


def test_the_printed_counts_of_a_published_table_give_its_p_value() -> None:
    # 28 of 57 and 28 of 45 women: Pearson chi-square 1.743 on 1 df, p = 0.187, as published.
    table = table_one(people({"women": (28, 28), "men": (29, 17)}), [variable("sex", "categorical", "Sex")])
    assert table.display.columns.tolist() == [
        "Variable",
        f"All (n{SPACE}={SPACE}102)",
        f"ordinary (n{SPACE}={SPACE}57)",
        f"visit (n{SPACE}={SPACE}45)",
        "p",
        "SMD",
    ]
    assert table.display.to_numpy().tolist() == [
        ["Sex, n (%)", "", "", "", "0.187", "0.27"],
        ["women", f"56 (55{N}%)", f"28 (49{N}%)", f"28 (62{N}%)", "", ""],
        ["men", f"46 (45{N}%)", f"29 (51{N}%)", f"17 (38{N}%)", "", ""],
    ]
    assert table.row_kinds == ("group", "level", "level")
    assert table.audit.empty


def test_numbers_are_means_and_quartiles_of_those_with_a_value() -> None:
    rng = np.random.default_rng(4)
    age = rng.normal(45, 10, 80)
    age[:10] = np.nan
    frame = pd.DataFrame({"arm": ["a", "b"] * 40, "age": age})
    table = table_one(frame, [variable("age", "numeric", "Age", "years")], summary="both")
    known, arm_a = age[~np.isnan(age)], age[0::2][~np.isnan(age[0::2])]
    assert table.display.iloc[0, 0] == "Age, years, mean (SD)"
    assert table.display.iloc[0, 1] == f"{sum(known) / len(known):.1f} ({np.std(known, ddof=1):.1f})"
    middle, low, high = np.quantile(arm_a, [0.5, 0.25, 0.75])
    assert table.display.iloc[1, 2] == f"{middle:.1f} ({low:.1f} to {high:.1f})"
    assert table.display.iloc[2].tolist()[:4] == ["Missing", f"10 (12{N}%)", f"5 (12{N}%)", f"5 (12{N}%)"]
    assert not {"min", "max"} & set(table.raw["statistic"])


def test_small_cells_are_withheld_with_what_would_give_them_away() -> None:
    frame = people({"women": (3, 28), "men": (54, 17)})
    table = table_one(frame, [variable("sex", "categorical", "Sex")])
    assert table.display.to_numpy().tolist() == [
        ["Sex, n (%)", "", "", "", "[c]", "[c]"],
        ["women", f"31 (30{N}%)", "<5", "[c]", "", ""],
        ["men", f"71 (70{N}%)", "[c]", "[c]", "", ""],
    ]
    hidden = table.raw[table.raw["withheld"]]
    assert hidden["value"].isna().all()
    assert len(hidden) == 2 * 4 + 2
    assert set(table.audit.columns) == {"table", "row", "column", "reason"}
    assert not table.audit.apply(lambda row: row.astype(str).str.contains(r"\b(?:3|28|54|17)\b").any(), axis=1).any()
    assert any("[c]" in note for note in table.notes)


def test_the_same_table_without_control_shows_all() -> None:
    table = table_one(people({"women": (3, 28), "men": (54, 17)}), [variable("sex", "categorical")], threshold=0)
    assert table.display.iloc[1, 2] == f"3 (5{N}%)"
    assert not table.raw["withheld"].any()


def test_missing_values_have_a_row_of_their_own_and_count_in_the_percentages() -> None:
    frame = people({"women": (20, 20), "men": (10, 10), "unknown": (10, 10)})
    table = table_one(frame, [variable("sex", "categorical")])
    assert table.display.iloc[3].tolist()[:3] == ["Missing", f"20 (25{N}%)", f"10 (25{N}%)"]


def test_means_of_few_people_are_withheld_with_a_second_arm() -> None:
    frame = pd.DataFrame({"arm": ["a"] * 20 + ["b"] * 20 + ["c"] * 30, "x": np.arange(70.0)})
    frame.loc[3:19, "x"] = np.nan
    table = table_one(frame, [variable("x", "numeric")])
    assert table.display.iloc[0, 2:5].tolist()[:2] == ["[c]", "[c]"]
    assert table.display.iloc[0, 4] == "54.5 (8.8)"
    assert table.display.iloc[0, 5:].tolist() == ["[c]", "[c]"]


def test_an_arm_of_few_people_takes_both_columns_with_it() -> None:
    frame = people({"women": (2, 30), "men": (2, 30)})
    table = table_one(frame, [variable("sex", "categorical")])
    assert table.display.columns[2] == f"ordinary (n{SPACE}={SPACE}<5)"
    assert table.display.columns[3] == f"visit (n{SPACE}={SPACE}[c])"
    assert table.display.iloc[1:, 2:4].isin(["[c]"]).all(axis=None)
    assert table.display.iloc[1, 1] == f"32 (50{N}%)"


def test_people_without_an_arm_are_not_dropped() -> None:
    frame = people({"women": (20, 20), "men": (10, 10)})
    frame.loc[[0, 1, 2, 3, 4, 40, 41, 42, 43, 44], "arm"] = None
    table = table_one(frame, [variable("sex", "categorical")])
    assert table.display.columns[4] == f"Arm not known (n{SPACE}={SPACE}10)"


@pytest.mark.parametrize("arm", [None, "one"])
def test_one_arm_gives_one_column_and_no_comparison(arm) -> None:
    frame = people({"women": (20, 20), "men": (10, 10)}).assign(one="everybody")
    table = table_one(frame, [variable("sex", "categorical")], arm=arm)
    assert table.display.shape == (3, 2)


def test_no_variables_give_an_empty_table() -> None:
    assert "Nothing to show." in table_one(people({"women": (9, 9)}), []).to_html()


def test_a_variable_that_is_nowhere_known() -> None:
    frame = pd.DataFrame({"arm": ["a"] * 9 + ["b"] * 9, "x": np.nan})
    table = table_one(frame, [variable("x", "numeric")])
    assert table.display.iloc[0].tolist()[1:] == ["not estimable"] * 5


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ArgumentError, match="Did you mean 'sex'"):
        table_one(people({"women": (9, 9)}), [variable("sexx", "categorical")])
