"""Hernes workplace-visit cohort, Table 1: the eleven printed p-values follow from the printed counts.

They are Pearson chi-square tests without continuity correction; for the two variables with two categories Yates'
correction gives other figures, so the printed ones tell which test was used.
"""

from pathlib import Path

import pandas as pd
import pytest

from rtwcohort.compare import chi_square, compare_groups, two_by_two

TABLE = pd.read_csv(Path(__file__).parents[1] / "data" / "hernes_table1.csv")
VARIABLES = list(dict.fromkeys(TABLE["variable"]))
ARMS = ["ordinary", "workplace_visit"]


def rows_of(variable):
    return TABLE[TABLE["variable"] == variable].set_index("category")


def test_the_whole_table_is_there():
    assert len(VARIABLES) == 11
    assert (TABLE["ordinary"] + TABLE["workplace_visit"] == TABLE["total"]).all()
    totals = TABLE.groupby("variable")["total"].sum()
    short = {"ia_agreement": 101, "occupational_health_service": 101, "in_work_12m": 89}
    assert totals.to_dict() == dict.fromkeys(VARIABLES, 102) | short


@pytest.mark.parametrize("variable", VARIABLES)
def test_printed_p_value_follows_from_printed_counts(variable):
    rows = rows_of(variable)
    result = chi_square(rows[ARMS])
    assert round(result.p_value, 3) == rows["p_value"].iloc[0]
    assert result.df == len(rows) - 1


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_same_from_one_row_a_person(variable):
    counts = rows_of(variable)[ARMS].stack()
    people = pd.DataFrame(
        [(category, arm) for (category, arm), n in counts.items() for _ in range(n)], columns=["value", "arm"]
    )
    result = compare_groups(people["value"], people["arm"], kind="categorical")
    assert round(result.p_value, 3) == rows_of(variable)["p_value"].iloc[0]
    assert sum(result.n_used.values()) == counts.sum()


@pytest.mark.parametrize(("variable", "yates"), [("sex", 0.263), ("in_work_12m", 0.178)])
def test_yates_does_not_reproduce_them(variable, yates):
    rows = rows_of(variable)
    corrected = round(chi_square(rows[ARMS], correction=True).p_value, 3)
    assert corrected == yates
    assert corrected != rows["p_value"].iloc[0]


def test_in_work_after_a_year():
    (ordinary_in, visit_in), (ordinary_out, visit_out) = rows_of("in_work_12m")[ARMS].to_numpy().tolist()
    table = two_by_two(visit_in, visit_out, ordinary_in, ordinary_out)
    assert round(table.risk_exposed.estimate, 2) == 0.51
    assert round(table.risk_unexposed.estimate, 2) == 0.35
    assert round(table.chi_square_p, 3) == 0.118
